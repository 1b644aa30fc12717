/* SPDX-License-Identifier: Apache-2.0
 *
 * restart.c - the end of one instance and the next one that goes on from it.
 *
 * The snapshot is asked for three times: without room, with one byte too little,
 * and with just enough, in guarded memory; only the last may be written. What
 * state_open keeps goes over by its bytes, into new blocks; what is held by a copy.
 * What no peer has answered is offered to the next instance once more.
 *
 * Not here: what a host stores, and when. */
#include "kit.h"

static size_t snapshot_call(struct aff_harness *h, void *buffer, size_t room)
{
    size_t size = 0;
    aff_status status;

    call_begin(h, CB_SNAPSHOT);
    status = h->plugin.snapshot(h->self, buffer, room, &size);
    if (status != AFF_OK)
        kit_breach(h, "answered %d; expected AFF_OK, and the size also where it exceeds the room", (int)status);
    settle_loose(h);
    (void)call_end(h, status);
    return size;
}

static struct guard *snapshot_take(struct aff_harness *h)
{
    size_t size = snapshot_call(h, NULL, 0), i;
    struct guard *guard;

    if (size > 0) {
        guard = guard_new(size - 1, "a snapshot's buffer");
        if (snapshot_call(h, guard->data, size - 1) != size)
            kit_breach(h, "snapshot: says another size when it is asked again");
        for (i = 0; i < guard->size && guard->data[i] == 0xa5; i++)
            ;
        if (i < guard->size || !guard_intact(guard))
            kit_breach(h, "snapshot: wrote into a buffer that is too small");
        guard_retire(guard);
    }
    guard = guard_new(size, "a snapshot's buffer");
    if (snapshot_call(h, guard->data, size) != size || !guard_intact(guard))
        kit_breach(h, "snapshot: wrote more than it said");
    guard_lock(guard);
    return guard;
}

/* New blocks with the old bytes, in the states of the instance just opened. */
static void states_move(struct aff_harness *h, struct states *old)
{
    size_t i;

    if (old->bytes != h->states.bytes || old->per_subject != h->states.per_subject)
        kit_breach(h, "open asked for another state than before the restart");
    h->states.items = kit_alloc(old->count * sizeof *old->items);
    h->states.count = old->count;
    for (i = 0; i < old->count; i++) {
        h->states.items[i].generation = old->items[i].generation;
        if (!old->items[i].bytes)
            continue;
        h->states.items[i].bytes = kit_alloc(old->bytes);
        memcpy(h->states.items[i].bytes, old->items[i].bytes, old->bytes);
    }
    states_free(old);
}

void aff_harness_restart(struct aff_harness *h)
{
    struct guard *snapshot = NULL;
    uint64_t source_id, next_seq;
    struct states states;
    aff_status status;

    (void)aff_harness_flush(h);
    if (!h->is_started || h->pending_count)
        kit_misuse("a restart needs a running instance, and %zu records wait", h->pending_count);
    if (h->plugin.snapshot)
        snapshot = snapshot_take(h);
    states = h->states;
    memset(&h->states, 0, sizeof h->states);
    instance_stop(h);
    instance_close(h);
    source_id = h->source_id;
    next_seq = h->next_seq;
    status = instance_open(h);
    if (status != AFF_OK)
        kit_breach(h, "does not open after a restart: status %d", (int)status);
    h->source_id = source_id; /* ids go on where they were, until restore says otherwise */
    h->next_seq = next_seq;
    states_move(h, &states);
    holds_move(h);
    unanswered_resend(h);
    if (snapshot) {
        call_begin(h, CB_RESTORE);
        status = h->plugin.restore(h->self, snapshot->data, snapshot->size);
        if (status != AFF_OK)
            kit_breach(h, "answered %d to its own snapshot", (int)status);
        settle_loose(h);
        (void)call_end(h, status);
        guard_retire(snapshot);
    }
    status = instance_start(h);
    if (status != AFF_OK)
        kit_breach(h, "does not start after a restart: status %d", (int)status);
}
