/* keeper.c - groups: what is chosen, stored, told, and read back after a death.
 *
 * A commit is four steps, so that a crash can fall between any two: gathered,
 * written (nothing shows yet), durable, told.
 *
 * Not here: when an epoch is complete for a lane (lane.c, sink.c). */
#include <string.h>

#include "sim.h"

/* ---- the choice ---- */

/* Rule 6: an epoch is complete when all lanes of its domain are done with it. */
static uint32_t complete(const struct sim *sim, uint32_t domain)
{
    const struct graph *g = &sim->graph;
    uint32_t n, low = NEVER, last = NEVER;

    for (n = 0; n < g->node_count; n++)
        if (g->nodes[n].domain == domain)
            last = n;
    for (n = 0; n < g->node_count; n++) {
        if (g->nodes[n].domain != domain || (sim->mistake == LANE_SKIPPED && n == last && last != domain))
            continue;
        if (sim->lanes[n].done < low)
            low = sim->lanes[n].done;
    }
    return low == NEVER ? sim->domains[domain].cut : low;
}

static bool finished_by(const struct entry *e, uint32_t readers)
{
    return e->taken_epoch != NEVER && e->taken_epoch < readers;
}

static bool put_by(const struct entry *e, uint32_t writers)
{
    return e->before || e->put_epoch < writers;
}

/* Rule 9: what the reader finished stood before the end of what the writer commits. */
static bool agrees(const struct queue *q, uint32_t writers, uint32_t readers)
{
    uint32_t i;

    for (i = q->first; i < q->count; i++)
        if (!q->entries[i].gone && finished_by(&q->entries[i], readers) && !put_by(&q->entries[i], writers))
            return false;
    return true;
}

static bool all_agree(const struct sim *sim, uint32_t domain, uint32_t readers)
{
    const struct graph *g = &sim->graph;
    uint32_t i;

    if (sim->mistake == READER_AHEAD)
        return true;
    for (i = 0; i < g->edge_count; i++) {
        uint32_t writer = g->nodes[g->edges[i].from].domain;

        if (g->edges[i].kind == EDGE_QUEUE && g->nodes[g->edges[i].to].domain == domain &&
            !agrees(&sim->queues[i], writer == domain ? readers : sim->group.counts[writer], readers))
            return false;
    }
    return true;
}

static uint32_t lowered(const struct sim *sim, uint32_t domain)
{
    uint32_t x = sim->group.counts[domain];

    while (x > sim->domains[domain].committed && !all_agree(sim, domain, x))
        x--;
    return x;
}

/* For each domain the latest complete epoch such that all agree, never below what is
 * committed (rule 8): what was committed last is such a choice. Readers are lowered
 * until none is ahead. False: nothing is new. */
static bool choose(struct sim *sim)
{
    uint32_t i, d, x;
    bool any = false, changed = true, once = sim->mistake == ONE_BY_ONE;

    for (i = 0; i < sim->graph.domain_count && !once; i++)
        sim->group.counts[sim->graph.domains[i]] = complete(sim, sim->graph.domains[i]);
    while (changed) {
        for (i = 0, changed = false; i < sim->graph.domain_count; i++) {
            d = sim->graph.domains[i];
            if (once)
                sim->group.counts[d] = complete(sim, d);
            x = lowered(sim, d);
            changed = changed || (x < sim->group.counts[d] && !once);
            sim->group.counts[d] = x;
        }
    }
    for (i = 0; i < sim->graph.domain_count; i++)
        any = any || sim->group.counts[sim->graph.domains[i]] > sim->domains[sim->graph.domains[i]].committed;
    return any;
}

/* ---- gathered: as it is now, under one lock ---- */

static uint32_t stale_or(struct sim *sim, uint32_t domain, uint32_t count)
{
    if (sim->mistake == POSITION_BACK && count == sim->domains[domain].committed && count > 1)
        return count - 1u;
    return count;
}

static void gather_lanes(struct sim *sim)
{
    uint32_t n;

    for (n = 0; n < sim->graph.node_count; n++) {
        uint32_t d = sim->graph.nodes[n].domain, count = stale_or(sim, d, sim->group.counts[d]);
        const struct snap *s;

        if (count == 0 || (count == sim->domains[d].committed && sim->mistake != POSITION_BACK))
            continue;
        s = lane_snap(sim, n, count - 1u);
        sim->txn[n].position = sim->mistake == POSITION_AHEAD ? sim->lanes[n].now.position : s->position;
        state_copy(&sim->txn[n].state, &s->state);
    }
}

static bool is_finished(const struct sim *sim, const struct entry *e, uint32_t readers)
{
    return finished_by(e, readers) || (sim->mistake == ACK_BEFORE_DONE && e->taken_epoch != NEVER);
}

static void gather_queue(struct sim *sim, uint32_t edge)
{
    struct queue *q = &sim->queues[edge];
    const struct edge *about = &sim->graph.edges[edge];
    uint32_t writers = sim->group.counts[sim->graph.nodes[about->from].domain];
    uint32_t readers = sim->group.counts[sim->graph.nodes[about->to].domain], i;

    for (i = q->first; i < q->count; i++) {
        struct entry *e = &q->entries[i];

        e->plan = KEEP;
        if (e->gone || !put_by(e, writers))
            continue;
        if (is_finished(sim, e, readers))
            e->plan = e->stored ? REMOVE : FORGET;
        else if (!e->stored)
            e->plan = STORE;
        if (sim->mistake == DROP_UNSTORED && e->plan == STORE && q->count - i > sim->graph.buffer)
            e->in_memory = false;
    }
}

static bool gather(struct sim *sim)
{
    uint32_t i, d;

    if (!choose(sim))
        return false;
    memcpy(sim->txn, sim->store.lanes, sizeof sim->txn[0] * sim->graph.node_count);
    gather_lanes(sim);
    for (i = 0; i < sim->graph.edge_count; i++)
        if (sim->graph.edges[i].kind == EDGE_QUEUE)
            gather_queue(sim, i);
    for (i = 0; i < sim->letter_count; i++) {
        d = sim->graph.nodes[sim->letters[i].node].domain;
        sim->letters[i].chosen = sim->letters[i].epoch < sim->group.counts[d];
    }
    for (i = 0; i < sim->graph.domain_count; i++)
        sim_trace(sim, "choose domain=%u count=%u", sim->graph.domains[i], sim->group.counts[sim->graph.domains[i]]);
    sim->group.phase = GATHERED;
    return true;
}

/* ---- durable ---- */

static void store_remove(struct store *s, uint32_t edge, uint32_t seq)
{
    uint32_t i, count = s->queue_count[edge];

    for (i = 0; i < count && s->queues[edge][i].seq != seq; i++)
        ;
    if (i == count)
        return;
    memmove(&s->queues[edge][i], &s->queues[edge][i + 1], (count - i - 1) * sizeof s->queues[edge][0]);
    s->queue_count[edge]--;
}

static void store_queue(struct sim *sim, uint32_t edge)
{
    struct queue *q = &sim->queues[edge];
    struct store *s = &sim->store;
    uint32_t i;

    for (i = q->first; i < q->count; i++) {
        struct entry *e = &q->entries[i];

        if (e->plan == REMOVE) {
            store_remove(s, edge, e->seq);
            sim_trace(sim, "remove edge=%u seq=%u", edge, e->seq);
        }
        if (e->plan != STORE)
            continue;
        if (s->queue_count[edge] == QUEUED) {
            sim_wrong(sim, OVERFLOWN);
            return;
        }
        s->queues[edge][s->queue_count[edge]++] = (struct stored){ e->record, e->seq };
        s->next_seq[edge] = e->seq + 1u;
        sim->figures->spilled++;
        sim_trace(sim, "store edge=%u seq=%u", edge, e->seq);
    }
}

static void store_lanes(struct sim *sim)
{
    memcpy(sim->store.lanes, sim->txn, sizeof sim->txn[0] * sim->graph.node_count);
}

static void store_rest(struct sim *sim)
{
    uint32_t i;

    for (i = 0; i < sim->graph.edge_count; i++)
        if (sim->graph.edges[i].kind == EDGE_QUEUE)
            store_queue(sim, i);
    for (i = 0; i < sim->letter_count; i++) {
        if (!sim->letters[i].chosen)
            continue;
        if (sim->store.letter_count == LETTERS)
            sim_wrong(sim, OVERFLOWN);
        else
            sim->store.letters[sim->store.letter_count++] = sim->letters[i];
    }
}

/* ---- told ---- */

/* Rule 10: only what is stored may leave memory. */
static void queue_told(struct sim *sim, uint32_t edge)
{
    struct queue *q = &sim->queues[edge];
    uint32_t i;

    for (i = q->first; i < q->count; i++) {
        struct entry *e = &q->entries[i];

        if (e->plan == STORE)
            e->stored = true;
        if (e->plan == REMOVE || e->plan == FORGET) {
            e->gone = true;
            q->live--;
        }
        if (e->stored && q->count - i > sim->graph.buffer)
            e->in_memory = false;
        e->plan = KEEP;
    }
    while (q->first < q->count && q->entries[q->first].gone)
        q->first++;
}

static void tell(struct sim *sim)
{
    uint32_t i, d, left = 0;

    for (i = 0; i < sim->graph.domain_count; i++) {
        d = sim->graph.domains[i];
        sim->domains[d].committed = sim->group.counts[d];
        sim_trace(sim, "committed domain=%u count=%u", d, sim->domains[d].committed);
    }
    for (i = 0; i < sim->graph.edge_count; i++)
        if (sim->graph.edges[i].kind == EDGE_QUEUE)
            queue_told(sim, i);
    for (i = 0; i < sim->letter_count; i++)
        if (!sim->letters[i].chosen)
            sim->letters[left++] = sim->letters[i];
    sim->letter_count = left;
    sim->figures->groups++;
}

/* TOLD_EARLY: what is safe is said as soon as it is chosen. */
static void tell_early(struct sim *sim)
{
    uint32_t i, d;

    if (sim->mistake != TOLD_EARLY)
        return;
    for (i = 0; i < sim->graph.domain_count; i++) {
        d = sim->graph.domains[i];
        sim->domains[d].committed = sim->group.counts[d];
    }
}

/* Rule 10: one transaction. Rule 12: durable, then committed, then told. */
bool keeper_step(struct sim *sim)
{
    bool halves = sim->mistake == TWO_TRANSACTIONS;

    switch (sim->group.phase) {
    case IDLE:
        if (!gather(sim))
            return false;
        tell_early(sim);
        break;
    case GATHERED:
        sim->group.phase = WRITTEN;
        break;
    case WRITTEN:
        store_lanes(sim);
        if (!halves)
            store_rest(sim);
        sim_trace(sim, "durable");
        sim->group.phase = halves ? HALF : DURABLE;
        break;
    case HALF:
        store_rest(sim);
        sim->group.phase = DURABLE;
        break;
    case DURABLE:
        tell(sim);
        sim->group.phase = IDLE;
        break;
    }
    return true;
}

/* Everything that was cut is committed. */
bool keeper_through(const struct sim *sim)
{
    uint32_t i, d;

    for (i = 0; i < sim->graph.domain_count; i++) {
        d = sim->graph.domains[i];
        if (sim->domains[d].committed < sim->domains[d].cut)
            return false;
    }
    return sim->group.phase == IDLE;
}

/* ---- after a death ---- */

static void lane_restore(struct sim *sim, uint32_t node)
{
    struct lane *lane = &sim->lanes[node];
    const struct snap *s = &sim->store.lanes[node];
    uint32_t i;

    lane->epoch = lane->intake = lane->final_epoch = lane->done = 0;
    lane->finished = lane->snapshot_owed = lane->dead = false;
    lane->sent_count = lane->synced = 0;
    memset(lane->waiting, 0, sizeof lane->waiting);
    lane->now.position = s->position;
    state_copy(&lane->now.state, &s->state);
    /* Rule 13: what is let go later may have been let go before. */
    for (i = 0; i < lane->now.state.held_count && sim->mistake != RESENT_HELD; i++)
        lane->now.state.held[i].record.flags |= REC_RESENT;
    if (is_source(sim->graph.nodes[node].kind))
        source_restore(sim, node);
}

void keeper_restore(struct sim *sim)
{
    uint32_t i;

    sim->store.runs++;
    sim->group.phase = IDLE;
    sim->letter_count = 0;
    sim->stopping = sim->unhurried = false;
    memset(sim->domains, 0, sizeof sim->domains);
    memset(sim->group.counts, 0, sizeof sim->group.counts);
    sim_trace(sim, "run number=%u", sim->store.runs);
    for (i = 0; i < sim->graph.node_count; i++)
        lane_restore(sim, i);
    for (i = 0; i < sim->graph.edge_count; i++)
        way_restore(sim, i);
}
