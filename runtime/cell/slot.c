/* slot.c - one call of a child, from beginning to end, and batches as slots.
 *
 * A batch goes in as many slots as its payloads need; after a child was ended by one
 * of them, in slots of a single record, so that the record that does it is found.
 *
 * Not here: each step of a call (talk.c, check.c, book.c), restarts (policy.c). */
#include <string.h>

#include "cell/inside.h"

/* What the child said about its status goes to the host as it would in a thread. */
static aff_status explained(struct cell *cell, aff_status status)
{
    char *c;

    if (status >= 0 || !cell->done.why[0])
        return status;
    for (c = cell->done.why; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = '?';
    return cell->host->explain(cell->host, status, "%s", cell->done.why);
}

static void snap_keep(struct cell *cell, const struct slot *slot)
{
    if (slot->call == PAGE_CALL_CLOSE || slot->call == PAGE_CALL_OPEN || slot->call == PAGE_CALL_STOP)
        return;
    cell->is_exact = cell->parts_whole || !cell->plugin->about.snapshot;
    if (cell->unsynced.bytes.size > 0) { /* the next child gets these again: it starts from before them */
        cell->is_exact = false;
    } else if (cell->parts_whole) {
        struct blob old = cell->snap;

        cell->snap = cell->parts;
        cell->parts = old;
        cell->parts_whole = false;
        cell->has_snap = true;
    }
}

enum ran slot_run(struct cell *cell, struct slot *slot)
{
    const char *wrong;
    uint32_t taken;

    if (slot->limit_ns == 0)
        slot->limit_ns = cell->options.call_ns;
    if (unsynced_is_kept(cell))
        unsynced_before(cell, slot);
    if (cell->replies && slot->call == PAGE_CALL_BATCH)
        replies_hold(cell->replies);
    if (!talk_call(cell, slot))
        return RAN_ENDED;
    wrong = check_result(cell, slot);
    if (wrong) {
        cell_end(cell, END_BROKE, "%s", wrong);
        return RAN_ENDED;
    }
    if (!book_result(cell, slot, &taken)) {
        slot->taken = taken;
        if (cell->replies && slot->call == PAGE_CALL_BATCH)
            replies_taken(cell->replies, slot->records, slot->verdicts, slot->taken);
        cell->is_exact = false;
        policy_ahead(cell, slot);
        return RAN_AHEAD;
    }
    mirror_take(cell, slot);
    if (unsynced_is_kept(cell))
        unsynced_note(cell, slot);
    snap_keep(cell, slot);
    if (cell->replies && slot->call == PAGE_CALL_BATCH)
        replies_taken(cell->replies, slot->records, slot->verdicts, slot->taken);
    policy_good(cell);
    policy_done(cell, slot);
    slot->status = explained(cell, slot->status);
    return RAN_DONE;
}

aff_status slot_call(struct cell *cell, struct slot *slot)
{
    aff_status st;

    if (slot->call == PAGE_CALL_READ)
        devices_look(cell);
    st = cell_up(cell);
    if (st < 0)
        return st;
    if (slot->call == PAGE_CALL_STREAM_END && unsynced_is_kept(cell) && !unsynced_room(cell, slot))
        return AFF_ERR_MEMORY;
    switch (slot_run(cell, slot)) {
    case RAN_DONE:
        break;
    case RAN_ENDED:
        policy_held(cell, slot);
        return cell->host->explain(cell->host, AFF_ERR_IO, "%s", cell->why);
    default:
        return cell->refused;
    }
    if (slot->status != AFF_ERR_MEMORY || !cell->done.room_out)
        return slot->status;
    if (!(cell->done.room_out & ROOM_TOO_LARGE)) /* waiting would not help */
        cell->host->explain(cell->host, AFF_ERR_CONFIG, "what one call makes does not fit into a slot; run the plugin in "
                            "a thread");
    return AFF_ERR_CONFIG;
}

/* ---- batches ---- */

static const char too_large[] = "a record is too large for a plugin in a process; raise max_record, or run it in a thread";

/* How many records the next slot has; 0: the first is too large. */
static uint32_t slot_size(const struct cell *cell, const struct aff_batch *batch, uint32_t from)
{
    uint32_t count = talk_fit(cell, batch->records + from, batch->count - from);

    if (count > 0 && batch->records[from].size > cell->options.max_payload)
        return 0;
    return cell->policy.singles > 0 && count > 1 ? 1 : count;
}

/* The child is gone. A record that was alone is looked at; of others each will be. */
static aff_status ended(struct cell *cell, const struct slot *slot)
{
    if (slot->count > 1) {
        cell->policy.singles = slot->count;
        return cell->host->explain(cell->host, AFF_ERR_IO, "%s", cell->why);
    }
    if (!policy_suspect(cell, slot->records->id))
        return cell->host->explain(cell->host, AFF_ERR_IO, "%s", cell->why);
    policy_letter(cell);
    return cell->host->explain(cell->host, AFF_ERR_DATA, "it ended three children; the last: %s", cell->why);
}

/* A part of the slot was done. The rest is offered again at once where only the room
 * of the slot was short; AFF_OK: go on. */
static aff_status partly(struct cell *cell, const struct slot *slot)
{
    if (slot->status != AFF_ERR_MEMORY || !cell->done.room_out)
        return slot->status;
    if (slot->taken > 0)
        return AFF_OK;
    if (slot->count > 1) {
        cell->policy.singles = 1;
        return AFF_OK;
    }
    if (cell->done.room_out & ROOM_TOO_LARGE)
        return AFF_ERR_DATA; /* it has said how large */
    return cell->host->explain(cell->host, AFF_ERR_DATA, "what is made of one record does not fit into a slot; run "
                               "the plugin in a thread, or give it smaller records");
}

static void singles_count(struct policy *p, uint32_t taken)
{
    p->singles -= taken < p->singles ? taken : p->singles;
    if (taken > 0)
        p->suspect_ends = 0;
}

/* A sink that has much unsynced is asked to sync before it gets more. */
static aff_status unsynced_ready(struct cell *cell, const struct slot *slot)
{
    struct slot sync = { .call = PAGE_CALL_SYNC, .epoch = cell->unsynced.epoch };
    enum ran ran;

    if (!unsynced_is_kept(cell))
        return AFF_OK;
    if (!unsynced_room(cell, slot))
        return cell->host->explain(cell->host, AFF_ERR_MEMORY, "no memory to keep what is not synced yet");
    if (!unsynced_is_full(cell))
        return AFF_OK;
    cell->unsynced.has_epoch = false; /* all that is there was written before */
    ran = slot_run(cell, &sync);
    if (ran == RAN_DONE && sync.status != AFF_OK)
        return AFF_ERR_IO;
    return ran == RAN_DONE ? AFF_OK : cell->host->explain(cell->host, AFF_ERR_IO, "%s", cell->why);
}

static aff_status slot_next(struct cell *cell, const struct aff_batch *batch, uint32_t *at)
{
    struct slot slot = { .call = PAGE_CALL_BATCH, .port = batch->port, .base = *at,
                         .records = batch->records + *at, .verdicts = batch->verdicts + *at };
    aff_status st = cell_up(cell);
    enum ran ran;

    if (st < 0)
        return st;
    slot.count = slot_size(cell, batch, *at);
    if (slot.count == 0)
        return cell->host->explain(cell->host, AFF_ERR_DATA, "%s", too_large);
    st = unsynced_ready(cell, &slot);
    if (st < 0)
        return st;
    ran = slot_run(cell, &slot);
    if (ran == RAN_ENDED)
        return ended(cell, &slot);
    *at += slot.taken;
    if (ran == RAN_AHEAD)
        return cell->refused;
    singles_count(&cell->policy, slot.taken);
    return slot.status == AFF_OK ? AFF_OK : partly(cell, &slot);
}

aff_status slot_batch(struct cell *cell, const struct aff_batch *batch, uint32_t *ret_taken)
{
    aff_status st = AFF_OK;
    uint32_t at = 0;

    while (at < batch->count && st == AFF_OK)
        st = slot_next(cell, batch, &at);
    *ret_taken = at;
    return at == batch->count ? AFF_OK : st;
}
