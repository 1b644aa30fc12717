/* retry.c - dead letters that go in again at the node where they failed.
 *
 * `dlq retry` moves a letter to what its node tries again; that is read here, at the
 * start of a run and whenever more has come. The record goes in by the port that it
 * came by, marked RESENT, and counts as retried; it leaves the store with the epoch
 * that it went in with. One that fails again becomes a letter again.
 *
 * Not here: which letters (the verb), the store (keep/). */
#include "flow/retry.h"

#include <stdlib.h>
#include <string.h>

#include "flow/orders.h"
#include "flow/wire.h"

enum { RETRY_BATCH = 16, RETRY_BUFFER = 65536 };

static bool buffer_fit(struct lane *lane, size_t need)
{
    size_t room = (need < RETRY_BUFFER ? RETRY_BUFFER : need + 15u) & ~(size_t)15u;
    uint8_t *buffer;

    if (lane->retry_buffer && lane->retry_room >= need)
        return true;
    buffer = aligned_alloc(16, room);
    if (!buffer)
        return false;
    free(lane->retry_buffer);
    lane->retry_buffer = buffer;
    lane->retry_room = room;
    return true;
}

static uint32_t read_some(struct node *node, struct kept_read *reads, uint32_t most)
{
    struct lane *lane = node->lane;
    const struct kept *kept = lane->flow->kept;
    size_t need = 0;
    uint32_t n;

    do {
        if (!buffer_fit(lane, need))
            return 0;
        need = 0;
        n = kept->retries(kept->self, node->plan->name, node->retry_next, lane->retry_buffer, lane->retry_room, reads,
                          most, &need);
    } while (n == 0 && need > lane->retry_room);
    return n;
}

/* Which port the letter names; false: the node has none of that name now. */
static bool port_of(const struct node *node, const struct wire_letter *letter, uint32_t *ret_port)
{
    const struct plugin *plugin = node->plan->plugin;
    uint32_t i;

    for (i = 0; letter->port && i < plugin->input_count; i++)
        if (strcmp(plugin->inputs[i].name, letter->port) == 0) {
            *ret_port = i;
            return true;
        }
    return false;
}

static void note_in(struct lane *lane, const struct node *node, uint64_t seq)
{
    struct wire *box = &lane->retried[lane->epoch % EPOCH_NOTES];

    wire_u32(box, node->index);
    wire_u64(box, seq);
}

/* What cannot go in any more stays where it is, and is told. */
static bool let_in(struct node *node, const struct kept_read *read)
{
    const struct names_by by = { .none = true, .holds = true };
    struct aff_record record;
    struct wire_letter letter;
    uint32_t port, stream;
    bool ok;

    node->retry_next = read->seq + 1u;
    if (!wire_letter_read(read->bytes, read->size, &letter) || !port_of(node, &letter, &port) ||
        !wire_record_intern(&letter.record, node->flow->names, &by, &record)) {
        flow_log(node->flow, AFF_LOG_ERROR, node->plan->name,
                 "a dead letter cannot go in again: it is damaged, or of a port or schema that is not here");
        return true;
    }
    stream = record.stream;
    record.flags |= AFF_FLAG_RESENT;
    note_in(node->lane, node, read->seq);
    node->again_tries = letter.tries;
    ok = node_again(node, &record, port);
    names_unhold(node->flow->names, stream, names_when(node->plan->domain, node->lane->epoch));
    node->again_tries = 0;
    return ok;
}

/* A device is never given more than it can hold. */
static uint32_t most_of(const struct node *node)
{
    uint32_t room = node->hold.room - node->hold.count;

    if (node->about->kind != AFF_SOURCE)
        return RETRY_BATCH;
    return room < RETRY_BATCH ? room : RETRY_BATCH;
}

static bool node_turn(struct node *node, bool *ret_more, bool *ret_any)
{
    struct kept_read reads[RETRY_BATCH];
    uint32_t most = most_of(node), n, k;

    if (node->about->kind == AFF_SOURCE && !node->about->process)
        return true;
    if (!orders_turn(node, ret_any))
        return false;
    node->lane->retries_wait |= most == 0;
    n = most > 0 ? read_some(node, reads, most) : 0;
    *ret_more |= n > 0 && n == most;
    *ret_any |= n > 0;
    for (k = 0; k < n; k++)
        if (!let_in(node, &reads[k]))
            return false;
    return true;
}

bool retry_turn(struct lane *lane)
{
    uint64_t now = atomic_load_explicit(&lane->flow->retries, memory_order_acquire);
    bool more = false, any = false;
    uint32_t i;

    if (!retry_ready(lane))
        return true;
    lane->retries_wait = false;
    for (i = 0; i < lane->node_count; i++)
        if (!node_turn(lane->nodes[i], &more, &any))
            return false;
    if (!more)
        lane->retries_seen = now;
    if (any && epochs_stir(&lane->domain->epochs, lane->epoch))
        flow_ring(lane->flow);
    return true;
}

void retry_gather(const struct lane *lane, uint64_t epoch, struct kept_group *group)
{
    struct wire *box = &lane->retried[epoch % EPOCH_NOTES];
    struct wire_in in = { box->bytes, box->bytes + box->size, false };

    while (in.at < in.end && !in.bad) {
        uint32_t node = wire_in_u32(&in);
        uint64_t seq = wire_in_u64(&in);

        if (!in.bad)
            kept_group_add(group, KEPT_RETRIED, 0, seq, lane->flow->nodes[node].plan->name, NULL, 0);
    }
}

void retry_forget(const struct lane *lane, uint64_t epoch)
{
    wire_clear(&lane->retried[epoch % EPOCH_NOTES]);
}
