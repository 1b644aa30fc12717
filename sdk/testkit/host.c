/* SPDX-License-Identifier: Apache-2.0
 *
 * host.c - the host table: memory, time, words, counts and names.
 *
 * Each function first finds its harness (host_enter, which proves the table),
 * then checks that the running callback may call it, then does the little that a
 * host does.
 *
 * Not here: records (emit.c, hold.c) and state (state.c). */
#include "host.h"

#include <stdio.h>

#define LOG_LINES_MOST 100000

static int is_control(const struct aff_harness *h)
{
    return h->callback < CB_START;
}

void data_only(struct aff_harness *h, const char *call)
{
    if (is_control(h) || h->callback == CB_STOP)
        kit_breach(h, "host->%s is a [data] call; it does not belong in %s", call, callback_name(h->callback));
}

static void *host_alloc(const struct aff_host *host, size_t size)
{
    struct aff_harness *h = host_enter(host, "alloc");

    if (!is_control(h))
        kit_breach(h, "host->alloc is a [control] call; [data] callbacks allocate nothing: do it in open");
    if (call_fails(h, "alloc"))
        return NULL;
    h->blocks = kit_grow(h->blocks, h->block_count, &h->block_room, sizeof *h->blocks);
    h->blocks[h->block_count] = kit_alloc(size);
    return h->blocks[h->block_count++];
}

static void host_free(const struct aff_host *host, void *memory)
{
    struct aff_harness *h = host_enter(host, "free");
    size_t i;

    if (!is_control(h))
        kit_breach(h, "host->free is a [control] call; it belongs in close");
    if (!memory)
        return;
    for (i = h->block_count; i > 0 && h->blocks[i - 1] != memory; i--)
        ;
    if (i == 0)
        kit_breach(h, "host->free was given memory that is not of host->alloc, or already free");
    h->blocks[i - 1] = h->blocks[--h->block_count];
    free(memory);
}

static int64_t host_now(const struct aff_host *host)
{
    return host_enter(host, "now_ns")->boot_ns;
}

static int64_t host_utc(const struct aff_host *host, uint8_t *ret_clock)
{
    struct aff_harness *h = host_enter(host, "utc_ns");

    if (ret_clock)
        *ret_clock = h->utc_clock;
    return h->utc_ns;
}

/* SplitMix64 (Steele, Lea, Flood 2014). */
uint64_t kit_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static uint64_t host_random(const struct aff_host *host)
{
    return kit_random(&host_enter(host, "random")->random);
}

static void text_check(struct aff_harness *h, const char *call, const char *text)
{
    if (subject_inside(h, text))
        kit_breach(h, "host->%s was given the name of a subject; say which place and which rule instead", call);
    if (strchr(text, '\n'))
        kit_breach(h, "host->%s was given more than one line", call);
}

static void host_log(const struct aff_host *host, int level, const char *format, ...)
{
    struct aff_harness *h = host_enter(host, "log");
    char text[1000];
    va_list args;

    if (level < AFF_LOG_DEBUG || level > AFF_LOG_ERROR)
        kit_breach(h, "host->log was called with the unknown level %d", level);
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    text_check(h, "log", text);
    if (h->line_count == LOG_LINES_MOST)
        kit_breach(h, "host->log was called %d times; an operator cannot read that", LOG_LINES_MOST);
    h->lines = kit_grow(h->lines, h->line_count, &h->line_room, sizeof *h->lines);
    h->lines[h->line_count].level = level;
    h->lines[h->line_count++].text = kit_copy(text);
}

static aff_status host_explain(const struct aff_host *host, aff_status status, const char *format, ...)
{
    struct aff_harness *h = host_enter(host, "explain");
    va_list args;

    va_start(args, format);
    (void)vsnprintf(h->cause, sizeof h->cause, format, args);
    va_end(args);
    text_check(h, "explain", h->cause);
    return status;
}

static double *metric_of(struct aff_harness *h, const char *call, uint32_t metric, uint32_t kind)
{
    const struct aff_table *t = &h->plugin.metrics;
    const struct aff_metric *row;

    if (metric >= t->count)
        kit_breach(h, "host->%s was called with metric %u; the table has %u", call, (unsigned)metric,
                   (unsigned)t->count);
    row = (const void *)((const char *)t->items + (size_t)metric * t->stride);
    if (row->kind != kind)
        kit_breach(h, "host->%s was called with metric %s, which is of the other kind", call, row->name);
    return &h->metrics[metric];
}

static void host_count(const struct aff_host *host, uint32_t metric, uint64_t by)
{
    *metric_of(host_enter(host, "count"), "count", metric, AFF_METRIC_COUNTER) += (double)by;
}

static void host_gauge(const struct aff_host *host, uint32_t metric, double value)
{
    *metric_of(host_enter(host, "gauge"), "gauge", metric, AFF_METRIC_GAUGE) = value;
}

static void host_incarnation(const struct aff_host *host, const void *bytes, size_t size)
{
    struct aff_harness *h = host_enter(host, "incarnation");

    if (h->plugin.kind != AFF_SOURCE)
        kit_breach(h, "host->incarnation is for sources");
    h->source_id = digest_bytes(0, bytes, size);
    h->next_seq = 0;
}

static uint32_t host_subject(const struct aff_host *host, const char *name)
{
    struct aff_harness *h = host_enter(host, "subject");

    if (!name || !*name)
        kit_breach(h, "host->subject was called without a name");
    return call_fails(h, "subject") ? 0 : subject_intern(h, name);
}

static uint32_t host_stream(const struct aff_host *host, uint32_t subject, const char *name, uint32_t schema)
{
    struct aff_harness *h = host_enter(host, "stream");

    if (!name || !*name)
        kit_breach(h, "host->stream was called without a name");
    return call_fails(h, "stream") ? 0 : stream_intern(h, subject, name, schema);
}

static uint32_t host_schema(const struct aff_host *host, const struct aff_schema *schema)
{
    struct aff_harness *h = host_enter(host, "schema");

    return call_fails(h, "schema") ? 0 : schema_intern(h, schema);
}

static const struct aff_stream_info *host_stream_info(const struct aff_host *host, uint32_t stream)
{
    struct stream *found = stream_get(host_enter(host, "stream_info"), stream);

    return found ? &found->info : NULL;
}

static const char *host_subject_name(const struct aff_host *host, uint32_t subject)
{
    struct aff_harness *h = host_enter(host, "subject_name");

    return subject && subject <= h->names.subject_count ? h->names.subjects[subject - 1].name : NULL;
}

static const struct aff_schema *host_schema_info(const struct aff_host *host, uint32_t schema)
{
    struct schema *found = schema_get(host_enter(host, "schema_info"), schema);

    return found ? &found->info : NULL;
}

static void host_wake_at(const struct aff_host *host, int64_t boot_ns)
{
    struct aff_harness *h = host_enter(host, "wake_at");

    data_only(h, "wake_at");
    h->wake_ns = boot_ns;
}

static void host_cut(const struct aff_host *host)
{
    struct aff_harness *h = host_enter(host, "cut");

    data_only(h, "cut");
    if (h->plugin.kind != AFF_SOURCE)
        kit_breach(h, "host->cut is for sources");
    h->cuts++;
}

/* What is emitted now is safe by the next aff_harness_commit. */
static uint64_t host_epoch(const struct aff_host *host)
{
    struct aff_harness *h = host_enter(host, "epoch");

    data_only(h, "epoch");
    if (h->plugin.kind != AFF_SOURCE)
        kit_breach(h, "host->epoch is for sources");
    return h->epoch + 1;
}

uint64_t aff_harness_cuts(const struct aff_harness *h)
{
    return h->cuts;
}

void harness_table(struct aff_harness *h)
{
    static const struct aff_host table = {
        sizeof(struct aff_host), AFF_ABI_MAJOR, AFF_ABI_MINOR,
        host_alloc, host_free, host_now, host_utc, host_random, host_log, host_explain,
        host_count, host_gauge, host_incarnation, host_subject, host_stream, host_schema,
        host_stream_info, host_subject_name, host_schema_info, host_state_open, host_state,
        host_reserve, host_emit, host_stream_end, host_hold, host_release, host_wake_at, host_timer,
        host_dead, host_ack, host_cut, host_held, host_watch, host_link_set, host_link_get,
        host_epoch, host_answer, host_rouse, "node", "test", WINDOW_RECORDS, WINDOW_EPOCHS,
        host_uplink, host_link_spent, host_link_tried,
    };

    h->host = table;
}
