/* unsynced.c - what a sink took and has not made safe yet.
 *
 * Between write and sync records lie in the sink's memory. In a thread they are lost
 * with the whole host, which replays the epoch; a child that dies takes them along
 * and nobody replays. So they are copied here until sync says AFF_OK, and given to the
 * next child before anything else, marked RESENT. Their accounts are booked already:
 * what the child says of them the second time is not booked again.
 *
 * A sink with AFF_ACKS needs none of this: the host itself waits for each answer.
 *
 * Not here: the epoch's commit (flow/). */
#include <string.h>

#include "cell/inside.h"

enum { UNSYNCED_MOST = 16 << 20 }; /* beyond that the sink is asked to sync early */

struct item {
    struct aff_record record; /* the payload follows */
    uint32_t port;
    uint32_t is_mark;
    uint64_t span;
};

bool unsynced_is_kept(const struct cell *cell)
{
    const struct aff_plugin *about = &cell->plugin->about;

    return about->kind == AFF_SINK && about->sync && !(about->flags & AFF_ACKS);
}

static uint64_t span_of(const struct aff_record *r)
{
    return page_round(sizeof(struct item) + r->size);
}

/* Whether there is memory for all of the slot; asked before it is posted. */
bool unsynced_room(struct cell *cell, const struct slot *slot)
{
    struct unsynced *u = &cell->unsynced;
    uint64_t need = 0;
    uint32_t i;

    for (i = 0; i < slot->count; i++)
        need += span_of(&slot->records[i]);
    return blob_fit(&u->bytes, u->bytes.size + need + 1);
}

bool unsynced_is_full(const struct cell *cell)
{
    return cell->unsynced.bytes.size > UNSYNCED_MOST;
}

static void item_add(struct cell *cell, const struct slot *slot, const struct aff_record *r)
{
    struct blob *b = &cell->unsynced.bytes;
    struct item item = { *r, slot->port, slot->call == PAGE_CALL_STREAM_END, span_of(r) };

    item.record.flags |= AFF_FLAG_RESENT;
    memcpy(b->bytes + b->size, &item, sizeof item);
    if (r->size > 0 && r->data)
        memcpy(b->bytes + b->size + sizeof item, r->data, r->size);
    b->size += item.span;
    cell->unsynced.given = b->size;
}

/* What was dropped or refused needs no second time. */
static bool is_wanted(const struct cell *cell, uint8_t verdict)
{
    return verdict == 0 || cell->plugin->verdicts[verdict - 1].kind == AFF_V_USED;
}

static void synced(struct cell *cell)
{
    struct unsynced *u = &cell->unsynced;

    memmove(u->bytes.bytes, u->bytes.bytes + u->mark, u->bytes.size - u->mark);
    u->bytes.size -= u->mark;
    u->given = u->bytes.size;
    u->mark = 0;
    u->has_epoch = false;
}

void unsynced_before(struct cell *cell, const struct slot *slot)
{
    struct unsynced *u = &cell->unsynced;

    if (slot->call != PAGE_CALL_SYNC || (u->has_epoch && u->epoch == slot->epoch))
        return;
    u->has_epoch = true;
    u->epoch = slot->epoch; /* what comes later may be of the next one */
    u->mark = u->bytes.size;
}

void unsynced_note(struct cell *cell, const struct slot *slot)
{
    uint32_t i;

    if (slot->call == PAGE_CALL_STREAM_END && slot->status == AFF_OK)
        item_add(cell, slot, slot->records);
    for (i = 0; slot->call == PAGE_CALL_BATCH && i < slot->taken; i++)
        if (is_wanted(cell, slot->verdicts[i]))
            item_add(cell, slot, &slot->records[i]);
    if (slot->call == PAGE_CALL_SYNC && slot->status == AFF_OK && cell->unsynced.bytes.bytes)
        synced(cell);
}

/* The items from `given` on that make one slot. */
static uint32_t slot_make(const struct cell *cell, struct aff_record *records, struct slot *slot)
{
    const struct unsynced *u = &cell->unsynced;
    uint64_t at = u->given;
    uint32_t count = 0;

    while (at < u->bytes.size && count < PAGE_BATCH) {
        const struct item *item = (const struct item *)(const void *)(u->bytes.bytes + at);

        if (count > 0 && (item->is_mark || item->port != slot->port || slot->call == PAGE_CALL_STREAM_END))
            break;
        slot->port = item->port;
        slot->call = item->is_mark ? PAGE_CALL_STREAM_END : PAGE_CALL_BATCH;
        records[count] = item->record;
        records[count++].data = (void *)(uintptr_t)(item + 1);
        at += item->span;
    }
    return count;
}

static void given_move(struct unsynced *u, uint32_t count)
{
    for (; count > 0; count--)
        u->given += ((const struct item *)(const void *)(u->bytes.bytes + u->given))->span;
}

/* One slot of it. AFF_OK: go on. */
static aff_status give_some(struct cell *cell)
{
    struct aff_record records[PAGE_BATCH];
    uint8_t verdicts[PAGE_BATCH];
    struct slot slot = { .records = records, .verdicts = verdicts, .limit_ns = cell->options.call_ns };
    const char *wrong;

    slot.count = slot_make(cell, records, &slot);
    if (slot.call == PAGE_CALL_BATCH)
        slot.count = talk_fit(cell, records, slot.count);
    if (!talk_call(cell, &slot))
        return cell->host->explain(cell->host, AFF_ERR_IO, "%s", cell->why);
    wrong = check_result(cell, &slot);
    if (wrong) {
        cell_end(cell, END_BROKE, "%s", wrong);
        return cell->host->explain(cell->host, AFF_ERR_IO, "%s", cell->why);
    }
    held_undo(cell);
    book_again(cell);
    if (slot.call == PAGE_CALL_STREAM_END)
        slot.taken = slot.status == AFF_OK;
    given_move(&cell->unsynced, slot.taken);
    if (slot.status == AFF_ERR_DATA && slot.call == PAGE_CALL_BATCH) {
        cell_log(cell, AFF_LOG_ERROR, "a record that it had taken is refused by the child that was started anew; it is not "
                                      "in what this sink made safe");
        given_move(&cell->unsynced, 1);
        return AFF_OK;
    }
    if (slot.status == AFF_OK)
        return AFF_OK;
    return cell->host->explain(cell->host, AFF_ERR_IO, "%s", cell->done.why[0] ? cell->done.why : "it takes nothing now");
}

aff_status unsynced_give(struct cell *cell)
{
    aff_status st = AFF_OK;

    while (st == AFF_OK && cell->unsynced.given < cell->unsynced.bytes.size)
        st = give_some(cell);
    return st;
}

void unsynced_again(struct cell *cell)
{
    cell->unsynced.given = 0;
}

void unsynced_free(struct cell *cell)
{
    blob_free(&cell->unsynced.bytes);
}
