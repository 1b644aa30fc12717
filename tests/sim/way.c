/* way.c - rings and queues of the model.
 *
 * A ring has the ends of epochs as indexes beside it. A queue is copied into without
 * waiting; each entry knows the writer's epoch it was put in and the reader's that
 * took it, and that is all the keeper asks.
 *
 * Not here: what is stored, and when (keeper.c). */
#include "sim.h"

/* ---- rings ---- */

static bool mixes(const struct sim *sim)
{
    return sim->mistake == BATCH_MIXES;
}

static void ring_put(struct sim *sim, struct ring *ring, const struct record *records, uint32_t count)
{
    uint32_t i;

    for (i = 0; i < count; i++) {
        if (ring->head - ring->tail == RING) {
            sim_wrong(sim, OVERFLOWN);
            return;
        }
        ring->records[ring->head++ % RING] = records[i];
    }
}

static void ring_show_end(struct ring *ring)
{
    if (ring->owed == 0)
        return;
    ring->end_at[(ring->owed - 1u) % SLOTS] = ring->head;
    ring->ended = ring->owed;
    ring->owed = 0;
}

/* Rule 3: nothing behind the epoch's end is taken in the epoch. */
static uint32_t ring_limit(const struct sim *sim, const struct ring *ring, uint32_t epoch)
{
    return ring->ended > epoch && !mixes(sim) ? ring->end_at[epoch % SLOTS] : ring->head;
}

static bool ring_epoch_over(const struct ring *ring, uint32_t epoch)
{
    if (ring->ended > epoch)
        return ring->tail >= ring->end_at[epoch % SLOTS];
    return ring->closed && ring->tail == ring->head;
}

static uint32_t ring_take(struct sim *sim, uint32_t edge, uint32_t room, struct record *ret_records)
{
    struct ring *ring = &sim->rings[edge];
    uint32_t to = sim->graph.edges[edge].to, epoch = sim->lanes[to].epoch, n = 0, limit;

    if (sim->mistake == FANIN_EARLY && sim->graph.nodes[to].in_count > 1 && ring_epoch_over(ring, epoch))
        epoch++;
    limit = ring_limit(sim, ring, epoch);
    for (; n < room && ring->tail < limit; n++)
        ret_records[n] = ring->records[ring->tail++ % RING];
    if (n > 0)
        sim_trace(sim, "take edge=%u epoch=%u first=%u last=%u", edge, sim->lanes[to].epoch, ring->tail - n + 1,
                  ring->tail);
    return n;
}

/* ---- queues ---- */

static void store_put(struct sim *sim, uint32_t edge, const struct entry *e)
{
    struct store *s = &sim->store;

    if (s->queue_count[edge] == QUEUED) {
        sim_wrong(sim, OVERFLOWN);
        return;
    }
    s->queues[edge][s->queue_count[edge]++] = (struct stored){ e->record, e->seq };
}

static void queue_put(struct sim *sim, uint32_t edge, const struct record *records, uint32_t count, uint32_t epoch)
{
    struct queue *q = &sim->queues[edge];
    uint32_t i;

    for (i = 0; i < count; i++) {
        struct entry *e;

        if (q->count == QUEUED) {
            sim_wrong(sim, OVERFLOWN);
            return;
        }
        e = &q->entries[q->count++];
        *e = (struct entry){ records[i], q->next_seq++, epoch, NEVER, false, false, true, false, KEEP };
        q->live++;
        if (sim->mistake == SPILL_OUTSIDE) {
            store_put(sim, edge, e);
            e->stored = true;
            sim_trace(sim, "store edge=%u seq=%u", edge, e->seq);
        }
    }
}

/* The next to take: the oldest, or the newest where the edge says so; NEVER: none. */
static uint32_t queue_next(const struct queue *q, bool newest)
{
    uint32_t i;

    if (newest) {
        for (i = q->count; i-- > q->first;)
            if (q->entries[i].taken_epoch == NEVER)
                return i;
        return NEVER;
    }
    for (i = q->first; i < q->count; i++)
        if (q->entries[i].taken_epoch == NEVER)
            return i;
    return NEVER;
}

/* What is no longer in memory is read from the store, where it must be. */
static bool queue_read(const struct sim *sim, uint32_t edge, const struct entry *e)
{
    uint32_t i;

    if (e->in_memory)
        return true;
    for (i = 0; i < sim->store.queue_count[edge]; i++)
        if (sim->store.queues[edge][i].seq == e->seq)
            return true;
    return false;
}

/* Rule 11: a queue is an intake of its reader's domain. */
static uint32_t queue_take(struct sim *sim, uint32_t edge, uint32_t room, struct record *ret_records)
{
    struct queue *q = &sim->queues[edge];
    const struct edge *about = &sim->graph.edges[edge];
    struct lane *lane = &sim->lanes[about->to];
    uint32_t n = 0, at, writers = 0;

    if (lane->epoch >= sim->domains[sim->graph.nodes[about->to].domain].committed + sim->graph.flight &&
        sim->mistake != NO_BOUND)
        return 0;
    while (n < room && lane->intake < sim->graph.cap && (at = queue_next(q, about->newest_first)) != NEVER) {
        struct entry *e = &q->entries[at];

        if (n > 0 && e->put_epoch != writers)
            break;
        writers = e->put_epoch;
        e->taken_epoch = lane->epoch;
        lane->intake++;
        if (queue_read(sim, edge, e))
            ret_records[n++] = e->record;
        sim_trace(sim, "take edge=%u epoch=%u first=%u last=%u", edge, lane->epoch, e->seq, e->seq);
    }
    return n;
}

/* ---- both ---- */

void way_put(struct sim *sim, uint32_t edge, const struct record *records, uint32_t count, uint32_t epoch)
{
    bool ring = sim->graph.edges[edge].kind == EDGE_RING;
    uint32_t first = (ring ? sim->rings[edge].head : sim->queues[edge].next_seq - 1u) + 1u;

    if (count == 0)
        return;
    sim_trace(sim, "put edge=%u epoch=%u first=%u last=%u", edge, epoch, first, first + count - 1u);
    if (ring) {
        ring_put(sim, &sim->rings[edge], records, count);
        ring_show_end(&sim->rings[edge]);
    } else {
        queue_put(sim, edge, records, count, epoch);
    }
}

/* Rule 2: the end stands on every out-edge before any record of the next epoch. */
void way_end(struct sim *sim, uint32_t edge, uint32_t epoch, bool owed)
{
    struct ring *ring = &sim->rings[edge];

    if (sim->graph.edges[edge].kind == EDGE_QUEUE) {
        sim->queues[edge].ended = epoch + 1u;
        return;
    }
    ring_show_end(ring);
    ring->owed = epoch + 1u;
    if (!owed)
        ring_show_end(ring);
}

void way_close(struct sim *sim, uint32_t edge)
{
    if (sim->graph.edges[edge].kind == EDGE_QUEUE) {
        sim->queues[edge].closed = true;
        return;
    }
    ring_show_end(&sim->rings[edge]);
    sim->rings[edge].closed = true;
}

/* Only rings make a writer wait. */
bool way_has_room(struct sim *sim, uint32_t node)
{
    const struct node *n = &sim->graph.nodes[node];
    uint32_t i;

    for (i = 0; i < n->out_count; i++) {
        uint32_t e = n->outs[i];

        if (sim->graph.edges[e].kind == EDGE_RING && sim->rings[e].head - sim->rings[e].tail >= sim->graph.room)
            return false;
        if (sim->graph.edges[e].kind == EDGE_QUEUE && sim->mistake == PUT_WAITS && sim->queues[e].live >= 3)
            return false;
    }
    return true;
}

uint32_t way_take(struct sim *sim, uint32_t edge, uint32_t room, struct record *ret_records)
{
    if (sim->graph.edges[edge].kind == EDGE_RING)
        return ring_take(sim, edge, room, ret_records);
    return sim->stopping ? 0 : queue_take(sim, edge, room, ret_records);
}

/* A queue gives what there is: its reader's epoch ends when it is cut. */
bool way_epoch_over(const struct sim *sim, uint32_t edge, uint32_t epoch)
{
    const struct edge *e = &sim->graph.edges[edge];

    if (e->kind == EDGE_RING)
        return ring_epoch_over(&sim->rings[edge], epoch);
    return sim->domains[sim->graph.nodes[e->to].domain].cut > epoch || way_over(sim, edge);
}

bool way_over(const struct sim *sim, uint32_t edge)
{
    const struct ring *ring = &sim->rings[edge];
    const struct queue *q = &sim->queues[edge];

    if (sim->graph.edges[edge].kind == EDGE_RING)
        return ring->closed && ring->tail == ring->head;
    return sim->stopping || (q->closed && queue_next(q, false) == NEVER);
}

/* The reader has taken all up to an end of the writer's epoch: true once for each. */
bool way_at_end(struct sim *sim, uint32_t edge)
{
    struct queue *q = &sim->queues[edge];
    uint32_t i;

    if (sim->graph.edges[edge].kind == EDGE_RING || q->seen == q->ended)
        return false;
    for (i = q->first; i < q->count; i++)
        if (q->entries[i].taken_epoch == NEVER && (q->entries[i].before || q->entries[i].put_epoch < q->ended))
            return false;
    q->seen = q->ended;
    return true;
}

void way_restore(struct sim *sim, uint32_t edge)
{
    struct queue *q = &sim->queues[edge];
    uint32_t i;

    sim->rings[edge].head = sim->rings[edge].tail = 0;
    sim->rings[edge].ended = sim->rings[edge].owed = 0;
    sim->rings[edge].closed = false;
    q->first = q->ended = q->seen = 0;
    q->closed = false;
    q->next_seq = sim->store.next_seq[edge];
    q->count = q->live = sim->store.queue_count[edge];
    for (i = 0; i < q->count; i++) {
        struct stored *s = &sim->store.queues[edge][i];

        q->entries[i] = (struct entry){ s->record, s->seq, 0, NEVER, true, true, false, false, KEEP };
        if (sim->mistake != RESENT_STORE)
            q->entries[i].record.flags |= REC_RESENT;
        if (s->seq >= q->next_seq)
            q->next_seq = s->seq + 1u;
    }
}

uint32_t way_queued(const struct sim *sim)
{
    uint32_t i, all = 0;

    for (i = 0; i < sim->graph.edge_count; i++)
        if (sim->graph.edges[i].kind == EDGE_QUEUE)
            all += sim->queues[i].live;
    return all;
}
