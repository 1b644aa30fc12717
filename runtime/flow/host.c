/* host.c - the functions that a plugin gets.
 *
 * Each is a few lines that find the node behind the table and hand over; the
 * work is in the file of its own name. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "flow/acks.h"
#include "flow/commit.h"
#include "flow/link_state.h"
#include "flow/uplink.h"

/* The table is the first member of the plugin's handle, and of the node. */
static struct node *node_of(const struct aff_host *host)
{
    const struct node_handle *handle = (const struct node_handle *)(const void *)host;

    return atomic_load_explicit(&handle->node, memory_order_acquire);
}

static struct node_handle *handle_of(const struct aff_host *host)
{
    return node_of(host)->handle;
}

/* In front of what a plugin allocates: its size, so that free can give it back. */
union alloc_head {
    size_t size;
    max_align_t align;
};

static void *host_alloc(const struct aff_host *host, size_t size)
{
    union alloc_head *head = calloc(1, sizeof *head + size);

    if (!head)
        return NULL;
    head->size = size;
    atomic_fetch_add_explicit(&handle_of(host)->allocated, (int64_t)size, memory_order_relaxed);
    return head + 1;
}

static void host_free(const struct aff_host *host, void *memory)
{
    union alloc_head *head;

    if (!memory)
        return;
    head = (union alloc_head *)memory - 1;
    atomic_fetch_sub_explicit(&handle_of(host)->allocated, (int64_t)head->size, memory_order_relaxed);
    free(head);
}

static int64_t host_now(const struct aff_host *host)
{
    return clock_now(&node_of(host)->flow->clock);
}

static int64_t host_utc(const struct aff_host *host, uint8_t *ret_clock)
{
    const struct clock *clock = &node_of(host)->flow->clock;

    *ret_clock = clock_quality(clock);
    return clock->is_virtual ? clock_now(clock) : clock_real(CLOCK_REALTIME);
}

/* SplitMix64 (Steele, Lea, Flood 2014). */
static uint64_t host_random(const struct aff_host *host)
{
    uint64_t z = atomic_fetch_add(&node_of(host)->flow->random, 0x9e3779b97f4a7c15u) + 0x9e3779b97f4a7c15u;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

__attribute__((format(printf, 3, 4)))
static void host_log(const struct aff_host *host, int level, const char *format, ...)
{
    const struct node *node = node_of(host);
    char text[512];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    flow_log(node->flow, level, node->plan->name, "%s", text);
}

__attribute__((format(printf, 3, 4)))
static aff_status host_explain(const struct aff_host *host, aff_status status, const char *format, ...)
{
    struct node *node = node_of(host);
    va_list args;

    va_start(args, format);
    vsnprintf(node->why, sizeof node->why, format, args);
    va_end(args);
    return status;
}

static void host_count(const struct aff_host *host, uint32_t metric, uint64_t by)
{
    struct node *node = node_of(host);

    if (metric < node->plan->plugin->metric_count)
        ledger_add(&node->metrics[metric], by);
}

static void host_gauge(const struct aff_host *host, uint32_t metric, double value)
{
    struct node *node = node_of(host);
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    if (metric < node->plan->plugin->metric_count)
        atomic_store_explicit(&node->metrics[metric], bits, memory_order_relaxed);
}

static void host_incarnation(const struct aff_host *host, const void *bytes, size_t size)
{
    struct node *node = node_of(host);

    node->ids.source = XXH3_64bits_withSeed(bytes, size, node->ids.node_hash);
    node->ids.seq = 0;
}

static struct names_by names_by(const struct node *node)
{
    return (struct names_by){ .node = node->name_id, .is_source = node->about->kind == AFF_SOURCE };
}

/* Streams that ended are let go at a commit, and a processor that waits for a name
 * keeps its epoch from ending. So sources, which can wait, stop first: what they
 * leave is room for what each processor derives. */
static uint32_t sharers(const struct node *node)
{
    const struct plan *plan = node->flow->plan;
    uint32_t i, n = 1;

    for (i = 0; node->about->kind == AFF_SOURCE && i < plan->node_count; i++)
        n += plan->nodes[i].plugin->about.kind == AFF_PROCESSOR;
    return n;
}

static uint32_t host_subject(const struct aff_host *host, const char *name)
{
    struct node *node = node_of(host);
    struct names_by by = names_by(node);
    uint32_t id;

    by.finds_only = by.is_source && names_subjects(node->flow->names) >= NAMES_SUBJECTS / 2;
    id = names_subject(node->flow->names, name, by);
    node->names_full |= !id && node->about->kind != AFF_SOURCE;
    if (!id)
        host_explain(host, AFF_ERR_MEMORY, "more than %d subjects at a time; split the input",
                     node->about->kind == AFF_SOURCE ? NAMES_SUBJECTS / 2 : NAMES_SUBJECTS);
    return id;
}

/* One more stream costs state in every node: that, too, is under the limit. */
static bool stream_allowed(const struct node *node)
{
    const struct flow *flow = node->flow;
    uint64_t each = atomic_load_explicit(&flow->stream_bytes, memory_order_relaxed);
    uint64_t room = flow->plan->memory_limit > flow->planned_bytes ? flow->plan->memory_limit - flow->planned_bytes : 0;
    uint64_t streams = names_streams(flow->names), share = sharers(node);

    return (streams + 1u) * each <= room / share && streams < NAMES_STREAMS / share;
}

static uint32_t host_stream(const struct aff_host *host, uint32_t subject, const char *name, uint32_t schema)
{
    struct node *node = node_of(host);
    struct flow *flow = node->flow;
    struct names_by by = names_by(node);
    uint32_t id;

    by.finds_only = !stream_allowed(node); /* a stream that is open costs nothing more */
    id = names_stream(flow->names, subject, name, schema, by);
    node->names_full |= !id && node->about->kind != AFF_SOURCE;
    if (!id)
        host_explain(host, AFF_ERR_MEMORY,
                     "%u streams are open and one more does not fit; raise pipeline.memory_limit",
                     names_streams(flow->names));
    return id;
}

static uint32_t host_schema(const struct aff_host *host, const struct aff_schema *schema)
{
    uint32_t id = names_schema(node_of(host)->flow->names, schema);

    if (!id)
        host_explain(host, AFF_ERR_MEMORY, "more than %d schemas", NAMES_SCHEMAS);
    return id;
}

static const struct aff_stream_info *host_stream_info(const struct aff_host *host, uint32_t stream)
{
    return names_stream_info(node_of(host)->flow->names, stream);
}

static const char *host_subject_name(const struct aff_host *host, uint32_t subject)
{
    return names_subject_name(node_of(host)->flow->names, subject);
}

static const struct aff_schema *host_schema_info(const struct aff_host *host, uint32_t schema)
{
    return names_schema_info(node_of(host)->flow->names, schema);
}

static aff_status host_state_open(const struct aff_host *host, size_t bytes, int per_subject)
{
    return state_open(node_of(host), bytes, per_subject != 0);
}

static void *host_state(const struct aff_host *host, uint32_t number)
{
    return state_get(node_of(host), number);
}

static struct aff_record *host_reserve(const struct aff_host *host, uint32_t port, uint32_t input, uint32_t size)
{
    return emit_reserve(node_of(host), port, input, size);
}

static aff_status host_emit(const struct aff_host *host, struct aff_record *draft, uint32_t size)
{
    return emit_send(node_of(host), draft, size);
}

static aff_status host_stream_end(const struct aff_host *host, uint32_t port, uint32_t stream)
{
    return emit_stream_end(node_of(host), port, stream);
}

static const struct aff_record *host_hold(const struct aff_host *host, const struct aff_record *record)
{
    return hold_take(node_of(host), record);
}

static aff_status host_release(const struct aff_host *host, const struct aff_record *held, uint8_t verdict)
{
    return hold_release(node_of(host), held, verdict);
}

static void host_wake_at(const struct aff_host *host, int64_t boot_ns)
{
    node_of(host)->wake_ns = boot_ns;
}

static void host_timer(const struct aff_host *host, uint32_t subject, int64_t due_ns)
{
    struct node *node = node_of(host);

    if (!timers_set(node, subject, due_ns))
        flow_fail(node->flow, node, AFF_ERR_BUG, "a timer for a subject that is not one, or without the callback");
}

static aff_status host_dead(const struct aff_host *host, uint32_t input, uint8_t verdict, uint64_t offset,
                            const void *bytes, uint32_t size)
{
    struct node *node = node_of(host);
    const _Atomic uint64_t *told = &node->ledger.by_verdict[verdict % LEDGER_VERDICTS];

    if (verdict == 0 || verdict >= node->verdict_rows || node->verdict_kind[verdict] != AFF_V_DEAD) {
        flow_fail(node->flow, node, AFF_ERR_BUG, "a part was set aside for a reason that is not in its table");
        return AFF_ERR_BUG;
    }
    if (atomic_load_explicit(told, memory_order_relaxed) == 0 && node->asides.by_verdict[verdict] == 0)
        flow_log(node->flow, AFF_LOG_WARN, node->plan->name, "%u bytes at byte %llu of the stream were set aside: %s",
                 size, (unsigned long long)offset, node->plan->plugin->verdicts[verdict - 1].name);
    settle_aside_begin(node, input);
    letter_part(node, input < node->hand.count ? &node->hand.records[input] : node->hand.mark, verdict, offset, bytes,
                size);
    settle_aside(node, input, verdict);
    node->epoch_records++; /* a letter, too, is to be committed in time */
    node->epoch_bytes += size;
    return AFF_OK;
}

static void host_answer(const struct aff_host *host, struct aff_id id, aff_status status, uint8_t verdict,
                        const char *words)
{
    struct acks *acks = node_of(host)->acks;

    if (acks)
        acks_answer(acks, id, status, verdict, words);
}

static void host_ack(const struct aff_host *host, struct aff_id id, aff_status status)
{
    host_answer(host, id, status, 0, NULL);
}

/* Of its own handle, which stays: from any thread there is no saying which node it is of now. */
static void host_rouse(const struct aff_host *host)
{
    rouse_ring(&((struct node_handle *)(uintptr_t)host)->rouse);
}

static void host_cut(const struct aff_host *host)
{
    node_of(host)->cut_asked = true;
}

static uint64_t host_epoch(const struct aff_host *host)
{
    return node_of(host)->lane->epoch;
}

static const struct aff_record *host_held(const struct aff_host *host, uint32_t index)
{
    return hold_at(node_of(host), index);
}

static aff_status host_watch(const struct aff_host *host, int fd, uint32_t events)
{
    if (watches_set(&handle_of(host)->watches, fd, events))
        return AFF_OK;
    return host->explain(host, AFF_ERR_MEMORY, "it waits for more than %d descriptors at once", WATCHES);
}

static aff_status host_link_set(const struct aff_host *host, const struct aff_link *link)
{
    link_state_set(node_of(host), link);
    return AFF_OK;
}

static aff_status host_link_get(const struct aff_host *host, uint32_t index, struct aff_link *ret)
{
    struct aff_link link;
    uint32_t size = ret->struct_size < sizeof link ? ret->struct_size : (uint32_t)sizeof link;

    if (!link_state_get(node_of(host)->flow, index, &link))
        return AFF_END;
    link.struct_size = size;
    memcpy(ret, &link, size);
    return AFF_OK;
}

static aff_status host_uplink(const struct aff_host *host, struct aff_uplink *ret)
{
    return uplink_tell(node_of(host), ret);
}

static void host_link_spent(const struct aff_host *host, uint32_t index, uint64_t sent, uint64_t received)
{
    uplink_spend(node_of(host), index, sent, received);
}

static void host_link_tried(const struct aff_host *host, uint32_t index, aff_status status)
{
    uplink_tried(node_of(host), index, status);
}

void host_fill(struct aff_host *host)
{
    *host = (struct aff_host){
        .struct_size = sizeof *host,
        .major = AFF_ABI_MAJOR,
        .minor = AFF_ABI_MINOR,
        .alloc = host_alloc,
        .free = host_free,
        .now_ns = host_now,
        .utc_ns = host_utc,
        .random = host_random,
        .log = host_log,
        .explain = host_explain,
        .count = host_count,
        .gauge = host_gauge,
        .incarnation = host_incarnation,
        .subject = host_subject,
        .stream = host_stream,
        .schema = host_schema,
        .stream_info = host_stream_info,
        .subject_name = host_subject_name,
        .schema_info = host_schema_info,
        .state_open = host_state_open,
        .state = host_state,
        .reserve = host_reserve,
        .emit = host_emit,
        .stream_end = host_stream_end,
        .hold = host_hold,
        .release = host_release,
        .wake_at = host_wake_at,
        .timer = host_timer,
        .dead = host_dead,
        .ack = host_ack,
        .cut = host_cut,
        .held = host_held,
        .watch = host_watch,
        .link_set = host_link_set,
        .link_get = host_link_get,
        .epoch = host_epoch,
        .uplink = host_uplink,
        .link_spent = host_link_spent,
        .link_tried = host_link_tried,
        .answer = host_answer,
        .rouse = host_rouse,
        .node = "",
        .pipeline = "",
        .window_records = ACKS_WINDOW,
        .window_epochs = EDGE_EPOCHS,
    };
}
