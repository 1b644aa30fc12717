/* book.c - does at the real host what a child did, once all of it was looked at.
 *
 * In the order in which the child did it: that is the order in which records leave.
 * Ids, seen time, PHI and RESENT are the host's; of a draft only those members are
 * set that the plugin changed.
 *
 * Not here: what may be done (check.c). */
#include <stdlib.h>
#include <string.h>

#include "cell/inside.h"

/* ---- a gap: the state of the child that was there before is lost ---- */

/* True once a stream, after a child that could not be restored. */
static bool gap_tell(struct cell *cell, uint32_t stream)
{
    uint32_t byte = stream / 8;
    uint8_t *more;

    if (!cell->has_gap)
        return false;
    if (byte >= cell->gaps_room) {
        more = realloc(cell->gaps, byte + 256u);
        if (!more)
            return true;
        memset(more + cell->gaps_room, 0, byte + 256u - cell->gaps_room);
        cell->gaps = more;
        cell->gaps_room = byte + 256u;
    }
    if (cell->gaps[byte] & (1u << (stream % 8)))
        return false;
    cell->gaps[byte] |= (uint8_t)(1u << (stream % 8));
    return true;
}

/* ---- batches ---- */

static void edits_book(struct cell *cell, const struct slot *slot)
{
    const struct entry *e = (const struct entry *)(const void *)cell->result.bytes;
    const uint8_t *end = cell->result.bytes + cell->result.size;

    for (; (const uint8_t *)e < end; e = entry_next(e)) {
        if (e->kind != ENTRY_EDIT || e->input >= slot->taken || e->size == 0)
            continue;
        memcpy(slot->records[e->input].data, e + 1, e->size);
        atomic_fetch_add_explicit(&cell->figures.bytes_isolated, e->size, memory_order_relaxed);
    }
}

/* The flag on what an editor passes on: the batch's array is its reader's to change
 * (flow/node.h), though a plugin may not. */
static void edits_gap(struct cell *cell, const struct slot *slot)
{
    struct aff_record *records = (struct aff_record *)(uintptr_t)slot->records;
    uint32_t i;

    for (i = 0; i < slot->taken; i++)
        if (gap_tell(cell, records[i].stream))
            records[i].flags |= AFF_FLAG_GAP;
}

static void batch_book(struct cell *cell, struct slot *slot)
{
    if (cell->plugin->inputs[slot->port].flags & AFF_PORT_EDITS) {
        edits_book(cell, slot);
        if (cell->has_gap)
            edits_gap(cell, slot);
    }
    memcpy(slot->verdicts, cell->done.verdicts, slot->taken);
}

/* ---- entries ---- */

static uint32_t input_of(const struct slot *slot, const struct entry *e)
{
    return e->input == AFF_NO_INPUT ? AFF_NO_INPUT : slot->base + e->input;
}

/* What the host refuses as wrong is no better the next time; all else may be. */
static bool is_done(struct cell *cell, aff_status said)
{
    cell->refused = said == AFF_ERR_BUG ? AFF_ERR_BUG : AFF_ERR_MEMORY;
    return said >= 0;
}

static bool emit_book(struct cell *cell, const struct slot *slot, const struct entry *e)
{
    const struct aff_host *host = cell->host;
    const unsigned flags = page_flags(&cell->plugin->about);
    struct aff_record *d = host->reserve(host, e->port, input_of(slot, e), e->size);
    struct aff_record r;

    if (!d)
        return is_done(cell, AFF_ERR_MEMORY);
    entry_record(cell, slot, e, &r);
    if (e->set & SET_EVENT)
        d->event_ns = r.event_ns;
    if (e->set & SET_CLOCK)
        d->clock = r.clock;
    if (e->set & SET_SCHEMA)
        d->schema = r.schema;
    if (e->set & SET_SUBJECT)
        d->subject = r.subject;
    if (e->set & SET_STREAM)
        d->stream = r.stream;
    if (e->set & SET_ID)
        d->id = r.id;
    d->flags = (uint16_t)((d->flags & ~flags) | (r.flags & flags));
    if (gap_tell(cell, d->stream))
        d->flags |= AFF_FLAG_GAP;
    if (e->size > 0)
        memcpy(d->data, e + 1, e->size);
    atomic_fetch_add_explicit(&cell->figures.bytes_isolated, e->size, memory_order_relaxed);
    return is_done(cell, host->emit(host, d, e->size));
}

static bool hold_book(struct cell *cell, const struct slot *slot, const struct entry *e)
{
    struct held *h = held_find(cell, e->a);

    h->record = cell->host->hold(cell->host, &slot->records[e->input]);
    return is_done(cell, h->record ? AFF_OK : AFF_ERR_MEMORY);
}

static bool release_book(struct cell *cell, const struct entry *e)
{
    struct held *h = held_find(cell, e->a);

    if (!is_done(cell, cell->host->release(cell->host, h->record, (uint8_t)e->port)))
        return false;
    h->record = NULL;
    return true;
}

static bool dead_book(struct cell *cell, const struct slot *slot, const struct entry *e)
{
    return is_done(cell, cell->host->dead(cell->host, input_of(slot, e), (uint8_t)e->port, e->a, e + 1, e->size));
}

/* Records count from 0 after an incarnation. A child that goes on where another one
 * ended says it once more, and goes on counting. */
static void incarnation_book(struct cell *cell, const struct slot *slot, const struct entry *e)
{
    bool again = cell->incarnation_again && cell->incarnation.size == e->size &&
                 (e->size == 0 || memcmp(cell->incarnation.bytes, e + 1, e->size) == 0);

    cell->incarnation_again = false;
    if (again)
        return;
    blob_set(&cell->incarnation, e + 1, e->size);
    cell->incarnation_said = slot->call == PAGE_CALL_OPEN && cell->incarnation_waits;
    if (!cell->incarnation_said)
        cell->host->incarnation(cell->host, e + 1, e->size);
}

static void gauge_book(struct cell *cell, const struct entry *e)
{
    double value;

    memcpy(&value, &e->a, sizeof value);
    cell->host->gauge(cell->host, e->port, value);
}

static void snap_book(struct cell *cell, const struct entry *e)
{
    if (e->a == 0)
        cell->parts.size = 0;
    if (!blob_fit(&cell->parts, cell->parts.size + e->size + 1))
        return;
    if (e->size > 0)
        memcpy(cell->parts.bytes + cell->parts.size, e + 1, e->size);
    cell->parts.size += e->size;
    cell->parts_whole = cell->parts.size == e->b;
}

static bool entry_book(struct cell *cell, const struct slot *slot, const struct entry *e)
{
    const struct aff_host *host = cell->host;

    if (e->input != AFF_NO_INPUT && slot->call == PAGE_CALL_BATCH && e->input >= slot->taken &&
        (e->kind == ENTRY_EMIT || e->kind == ENTRY_DEAD))
        return true; /* withdrawn with its input */
    switch (e->kind) {
    case ENTRY_EMIT:
        return emit_book(cell, slot, e);
    case ENTRY_MARK:
        return is_done(cell, host->stream_end(host, e->port, e->stream));
    case ENTRY_HOLD:
        return hold_book(cell, slot, e);
    case ENTRY_RELEASE:
        return release_book(cell, e);
    case ENTRY_DEAD:
        return dead_book(cell, slot, e);
    case ENTRY_INCARNATION:
        incarnation_book(cell, slot, e);
        return true;
    case ENTRY_TIMER:
        host->timer(host, e->subject, e->event_ns);
        return true;
    case ENTRY_WAKE:
        wakes_at(cell, e->event_ns);
        return true;
    case ENTRY_CUT:
        if (HOST_HAS(host, cut))
            host->cut(host);
        return true;
    case ENTRY_COUNT:
        host->count(host, e->port, e->a);
        return true;
    case ENTRY_GAUGE:
        gauge_book(cell, e);
        return true;
    case ENTRY_SNAP:
        snap_book(cell, e);
        return true;
    case ENTRY_WATCH:
        return is_done(cell, wakes_book(cell, e) ? AFF_OK : AFF_ERR_MEMORY);
    case ENTRY_LINK:
        return is_done(cell, links_book(cell, e) ? AFF_OK : AFF_ERR_MEMORY);
    default:
        return true;
    }
}

void book_again(struct cell *cell)
{
    const struct entry *e = (const struct entry *)(const void *)cell->result.bytes;
    const uint8_t *end = cell->result.bytes + cell->result.size;

    for (; (const uint8_t *)e < end; e = entry_next(e)) {
        if (e->kind == ENTRY_WATCH)
            wakes_book(cell, e);
        if (e->kind == ENTRY_WAKE)
            wakes_at(cell, e->event_ns);
        if (e->kind == ENTRY_LINK)
            links_book(cell, e);
    }
}

bool book_result(struct cell *cell, struct slot *slot, uint32_t *ret_taken)
{
    const struct entry *e = (const struct entry *)(const void *)cell->result.bytes;
    const uint8_t *end = cell->result.bytes + cell->result.size;

    *ret_taken = 0;
    cell->parts.size = 0;
    cell->parts_whole = false;
    if (slot->call == PAGE_CALL_BATCH)
        batch_book(cell, slot);
    for (; (const uint8_t *)e < end; e = entry_next(e)) {
        if (e->input != AFF_NO_INPUT && e->input > *ret_taken && e->input < slot->taken)
            *ret_taken = e->input;
        if (!entry_book(cell, slot, e)) {
            held_keep(cell);
            return false;
        }
    }
    *ret_taken = slot->taken;
    held_keep(cell);
    return true;
}
