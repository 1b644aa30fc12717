/* child_records.c - host functions of a child that do something to records.
 *
 * They are written down, in order, in the area that the host reads when the call is
 * over. Where the area is full the host is asked to take what is there: it keeps it to
 * itself until the call has ended well.
 *
 * Not here: questions (child_ask.c), doing it (book.c). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cell/kid.h"

enum { EXIT_ROOM = 72 };

/* ---- entries ---- */

static struct entry *entry_at(struct kid *kid, enum entry_kind kind, uint32_t size)
{
    struct entry *e = (struct entry *)(void *)(kid->area + kid->used);

    memset(e, 0, sizeof *e);
    e->kind = kind;
    e->size = size;
    e->span = (uint32_t)(sizeof *e + page_round(size));
    e->input = AFF_NO_INPUT;
    kid->used += e->span;
    return e;
}

static bool fits(const struct kid *kid, uint64_t size, uint64_t slack)
{
    return kid->used + sizeof(struct entry) + page_round(size) + slack <= kid->page->area_bytes;
}

/* A draft lies in the area: what is there cannot be taken while one is open. */
static bool room_make(struct kid *kid, uint64_t size, uint64_t slack)
{
    if (fits(kid, size, slack))
        return true;
    if (kid->draft_entry || !kid_ask(kid, PAGE_ASK_FLUSH, 0, 0, NULL, 0) || !kid->page->result) {
        kid->room_out |= ROOM_OUT;
        return false;
    }
    kid->used = 0;
    return fits(kid, size, slack);
}

struct entry *kid_entry(struct kid *kid, enum entry_kind kind, uint32_t size)
{
    return room_make(kid, size, 0) ? entry_at(kid, kind, size) : NULL;
}

/* For what cannot fail: the room kept for it is enough for hundreds. */
static struct entry *entry_must(struct kid *kid, enum entry_kind kind, uint32_t size)
{
    struct entry *e = kid_entry(kid, kind, size);

    if (!e)
        _exit(EXIT_ROOM);
    return e;
}

/* ---- reserve and emit ---- */

static const struct aff_record *base_of(const struct kid *kid, uint32_t input)
{
    if (input != AFF_NO_INPUT)
        return input < PAGE_BATCH ? &kid->records[input] : NULL;
    return kid->due ? kid->due : kid->mark;
}

static void draft_forget(struct kid *kid)
{
    struct entry *e = kid->draft_entry;

    kid->draft_entry = NULL;
    if (e && (uint8_t *)e + e->span == kid->area + kid->used)
        kid->used -= e->span;
}

static void draft_fill(struct kid *kid, uint32_t port, uint32_t input)
{
    const struct aff_record *base = base_of(kid, input);
    struct aff_record *d = &kid->draft;
    const struct aff_schema *schema;

    if (base) {
        *d = *base;
        d->flags = (uint16_t)(base->flags & ~(unsigned)(AFF_FLAG_END | AFF_FLAG_GAP));
    } else {
        *d = (struct aff_record){ .seen_ns = kid->host.now_ns(&kid->host) };
    }
    if (!kid->port_schemas[port])
        return;
    d->schema = kid->port_schemas[port];
    schema = kid->plugin.outputs[port].schema;
    d->type = schema->type;
}

static struct aff_record *rec_reserve(const struct aff_host *host, uint32_t port, uint32_t input, uint32_t size)
{
    struct kid *kid = kid_of(host);

    draft_forget(kid);
    if (port >= kid->plugin.output_count || port >= KID_PORTS || !kid->in_call) {
        host->explain(host, AFF_ERR_BUG, "reserve on an output that it does not have, or outside of a call");
        return NULL;
    }
    if (size > kid->page->max_payload) {
        kid->room_out |= ROOM_TOO_LARGE;
        host->explain(host, AFF_ERR_MEMORY, "a record of %u bytes is too large; at most %u fit; raise edge.buffer of "
                      "its readers to four times that, or max_record", size, kid->page->max_payload);
        return NULL;
    }
    draft_fill(kid, port, input); /* before the room: it may ask for the time */
    if (!room_make(kid, size, PAGE_SLACK))
        return NULL;
    kid->draft_entry = entry_at(kid, ENTRY_SKIP, size);
    kid->draft_entry->port = port;
    kid->draft_entry->input = input;
    kid->draft_room = size;
    kid->draft.data = kid->draft_entry + 1;
    kid->draft.size = size;
    kid->before = kid->draft;
    return &kid->draft;
}

static void changes_note(const struct kid *kid, struct entry *e)
{
    const struct aff_record *d = &kid->draft, *b = &kid->before;
    const unsigned flags = page_flags(&kid->plugin.about);

    e->set = (d->event_ns != b->event_ns ? SET_EVENT : 0u) | (d->clock != b->clock ? SET_CLOCK : 0u) |
             (d->schema != b->schema ? SET_SCHEMA : 0u) | (d->subject != b->subject ? SET_SUBJECT : 0u) |
             (d->stream != b->stream ? SET_STREAM : 0u) |
             ((d->flags & flags) != (b->flags & flags) ? SET_FLAGS : 0u) |
             (kid->plugin.about.flags & (AFF_REWRITES | AFF_KEEPS_IDS) ? SET_ID : 0u);
    e->event_ns = d->event_ns;
    e->clock = d->clock;
    e->schema = d->schema;
    e->subject = d->subject;
    e->stream = d->stream;
    e->flags = d->flags;
    e->a = d->id.source;
    e->b = d->id.seq;
}

static aff_status rec_emit(const struct aff_host *host, struct aff_record *draft, uint32_t size)
{
    struct kid *kid = kid_of(host);
    struct entry *e = kid->draft_entry;

    if (!e || draft != &kid->draft || size > kid->draft_room)
        return host->explain(host, AFF_ERR_BUG, "emit without a reserve of that size");
    if (draft->stream == 0 || draft->schema == 0) {
        draft_forget(kid);
        return host->explain(host, AFF_ERR_BUG, "emit of a record without stream or schema");
    }
    e->kind = ENTRY_EMIT;
    e->size = size;
    changes_note(kid, e);
    if ((uint8_t *)e + e->span == kid->area + kid->used) {
        kid->used -= e->span;
        e->span = (uint32_t)(sizeof *e + page_round(size));
        kid->used += e->span;
    }
    kid->draft_entry = NULL;
    return AFF_OK;
}

static aff_status rec_stream_end(const struct aff_host *host, uint32_t port, uint32_t stream)
{
    struct kid *kid = kid_of(host);
    struct entry *e;

    draft_forget(kid);
    if (port >= kid->plugin.output_count || (kid->mark && kid->mark->stream == stream) || !host->stream_info(host, stream))
        return host->explain(host, AFF_ERR_BUG, "end of a stream that it did not begin");
    e = kid_entry(kid, ENTRY_MARK, 0);
    if (!e)
        return AFF_ERR_MEMORY;
    e->port = port;
    e->stream = stream;
    return AFF_OK;
}

/* ---- hold ---- */

static struct kid_held *held_new(struct kid *kid, const struct aff_record *record)
{
    struct kid_held *h = malloc(sizeof *h + record->size + sizeof(max_align_t));
    struct kid_held **more;

    if (!h)
        return NULL;
    more = realloc(kid->held, (kid->held_count + 1u) * sizeof *more);
    if (!more) {
        free(h);
        return NULL;
    }
    kid->held = more;
    h->record = *record;
    h->record.data = h->bytes;
    kid->held[kid->held_count++] = h;
    return h;
}

static const struct aff_record *rec_hold(const struct aff_host *host, const struct aff_record *record)
{
    struct kid *kid = kid_of(host);
    struct kid_held *h;
    struct entry *e;

    if (record < kid->records || record >= kid->records + PAGE_BATCH || kid->held_count >= kid->page->max_held)
        return NULL;
    e = kid_entry(kid, ENTRY_HOLD, 0);
    if (!e)
        return NULL;
    h = held_new(kid, record);
    if (!h) {
        e->kind = ENTRY_SKIP;
        return NULL;
    }
    if (record->size > 0)
        memcpy(h->bytes, record->data, record->size);
    h->handle = ++kid->handle;
    e->input = (uint32_t)(record - kid->records);
    e->a = h->handle;
    return &h->record;
}

static aff_status rec_release(const struct aff_host *host, const struct aff_record *held, uint8_t verdict)
{
    struct kid *kid = kid_of(host);
    struct entry *e;
    uint32_t i;

    for (i = 0; i < kid->held_count && &kid->held[i]->record != held; i++)
        continue;
    if (i == kid->held_count || verdict > kid->plugin.verdict_count)
        return host->explain(host, AFF_ERR_BUG, "release of what is not held");
    e = kid_entry(kid, ENTRY_RELEASE, 0);
    if (!e)
        return AFF_ERR_MEMORY;
    e->a = kid->held[i]->handle;
    e->port = verdict;
    free(kid->held[i]);
    memmove(kid->held + i, kid->held + i + 1, (--kid->held_count - i) * sizeof kid->held[0]);
    return AFF_OK;
}

static const struct aff_record *rec_held(const struct aff_host *host, uint32_t index)
{
    const struct kid *kid = kid_of(host);

    return index < kid->held_count ? &kid->held[index]->record : NULL;
}

static bool held_one(struct kid *kid, uint32_t index)
{
    struct aff_record r;
    struct kid_held *h = NULL;
    uint64_t at = 0, part;

    do {
        if (!kid_ask(kid, PAGE_ASK_HELD, index, at, NULL, 0) || !kid->page->result)
            return false;
        memcpy(&r, kid->answer, sizeof r);
        if (!h)
            h = held_new(kid, &r);
        if (!h)
            return false;
        part = kid->page->answer_bytes - sizeof r;
        memcpy((uint8_t *)h->bytes + at, kid->answer + sizeof r, part);
        h->handle = kid->page->more;
        at += part;
    } while (at < r.size && part > 0);
    kid->handle = h->handle > kid->handle ? h->handle : kid->handle;
    return true;
}

void kid_held_fetch(struct kid *kid)
{
    uint32_t i, count = kid->page->held;

    while (kid->held_count > 0)
        free(kid->held[--kid->held_count]);
    for (i = 0; kid->held_count == i && i < count; i++)
        if (!held_one(kid, i))
            _exit(EXIT_ROOM);
}

/* ---- the rest ---- */

static aff_status rec_dead(const struct aff_host *host, uint32_t input, uint8_t verdict, uint64_t offset,
                           const void *bytes, uint32_t size)
{
    struct kid *kid = kid_of(host);
    struct entry *e;

    if (verdict == 0 || verdict > kid->plugin.verdict_count || kid->plugin.verdicts[verdict - 1].kind != AFF_V_DEAD)
        return host->explain(host, AFF_ERR_BUG, "a part was set aside for a reason that is not in its table");
    draft_forget(kid);
    e = kid_entry(kid, ENTRY_DEAD, size);
    if (!e)
        return AFF_ERR_MEMORY;
    e->input = input;
    e->port = verdict;
    e->a = offset;
    if (size > 0)
        memcpy(e + 1, bytes, size);
    return AFF_OK;
}

static void rec_incarnation(const struct aff_host *host, const void *bytes, size_t size)
{
    struct entry *e = entry_must(kid_of(host), ENTRY_INCARNATION, (uint32_t)size);

    if (size > 0)
        memcpy(e + 1, bytes, size);
}

static void rec_wake_at(const struct aff_host *host, int64_t boot_ns)
{
    entry_must(kid_of(host), ENTRY_WAKE, 0)->event_ns = boot_ns;
}

static void rec_timer(const struct aff_host *host, uint32_t subject, int64_t due_ns)
{
    struct entry *e = entry_must(kid_of(host), ENTRY_TIMER, 0);

    e->subject = subject;
    e->event_ns = due_ns;
}

static void rec_cut(const struct aff_host *host)
{
    entry_must(kid_of(host), ENTRY_CUT, 0);
}

static uint64_t rec_epoch(const struct aff_host *host)
{
    return kid_of(host)->page->epoch_now;
}

static void rec_count(const struct aff_host *host, uint32_t metric, uint64_t by)
{
    if (metric < KID_METRICS)
        atomic_fetch_add_explicit(&kid_of(host)->counts[metric], by, memory_order_relaxed);
}

static void rec_gauge(const struct aff_host *host, uint32_t metric, double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    if (metric >= KID_METRICS)
        return;
    atomic_store_explicit(&kid_of(host)->gauges[metric], bits, memory_order_relaxed);
    atomic_store_explicit(&kid_of(host)->gauge_set[metric], true, memory_order_release);
}

void kid_metrics(struct kid *kid)
{
    struct entry *e;
    uint32_t i;

    for (i = 0; i < kid->plugin.metric_count && i < KID_METRICS; i++) {
        if (atomic_load_explicit(&kid->counts[i], memory_order_relaxed) > 0) {
            e = entry_must(kid, ENTRY_COUNT, 0);
            e->port = i;
            e->a = atomic_exchange_explicit(&kid->counts[i], 0, memory_order_relaxed);
        }
        if (atomic_exchange_explicit(&kid->gauge_set[i], false, memory_order_acquire)) {
            e = entry_must(kid, ENTRY_GAUGE, 0);
            e->port = i;
            e->a = atomic_load_explicit(&kid->gauges[i], memory_order_relaxed);
        }
    }
}

void kid_fill_records(struct aff_host *host)
{
    host->count = rec_count;
    host->gauge = rec_gauge;
    host->incarnation = rec_incarnation;
    host->reserve = rec_reserve;
    host->emit = rec_emit;
    host->stream_end = rec_stream_end;
    host->hold = rec_hold;
    host->release = rec_release;
    host->wake_at = rec_wake_at;
    host->timer = rec_timer;
    host->dead = rec_dead;
    host->cut = rec_cut;
    host->epoch = rec_epoch;
    host->held = rec_held;
}
