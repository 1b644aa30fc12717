/* source.c - sources of the model, and what they read from.
 *
 * Not here: the ends of epochs (lane.c). */
#include "sim.h"

static uint32_t content_of(uint32_t stream, uint32_t number)
{
    return (uint32_t)mix(stream, number);
}

static void give(struct sim *sim, uint32_t node, struct record *r, uint32_t number)
{
    judge_intake(sim, r, number);
    sim->lanes[node].intake++;
    lane_made(sim, node, r);
}

static void give_end(struct sim *sim, uint32_t node, uint32_t stream, uint32_t count)
{
    struct record r = end_record(stream, count);

    /* It may have been given before, by a run that was not committed. */
    if (sim->store.runs > 1 && sim->mistake != RESENT_REPLAY)
        r.flags |= REC_RESENT;
    judge_end(sim, stream, count);
    sim->lanes[node].intake++;
    lane_made(sim, node, &r);
}

/* Rule 13: what an earlier run may have read behind the position is marked. */
static void mark(const struct sim *sim, const struct lane *lane, struct record *r, uint32_t number)
{
    if (number < lane->replay_below && sim->mistake != RESENT_REPLAY)
        r->flags |= REC_RESENT;
}

static void read_file(struct sim *sim, uint32_t node)
{
    struct lane *lane = &sim->lanes[node];
    struct position *p = &lane->now.position;
    struct record r;

    if (p->count == ITEMS) {
        p->ended = true;
        give_end(sim, node, p->stream, p->count);
        return;
    }
    r = item_record(p->stream, p->count, content_of(p->stream, p->count));
    mark(sim, lane, &r, p->count);
    p->count++;
    give(sim, node, &r, p->count);
}

static bool read_device(struct sim *sim, uint32_t node)
{
    struct lane *lane = &sim->lanes[node];
    struct position *p = &lane->now.position;
    const struct node *n = &sim->graph.nodes[node];
    struct record r;

    if (lane->is_broken) {
        give_end(sim, node, p->stream, p->count);
        *p = lane->fresh;
        lane->is_broken = false;
        return true;
    }
    if (n->gate >= 0 && !sim->world.all_safe[n->gate])
        return false;
    if (sim->world.left[node] == 0) {
        p->ended = true;
        if (p->count > 0)
            give_end(sim, node, p->stream, p->count);
        return true;
    }
    sim->world.left[node]--;
    r = item_record(p->stream, p->count, ++sim->world.content);
    p->count++;
    give(sim, node, &r, p->count);
    return true;
}

static void answer(struct sim *sim, uint32_t node, uint32_t below)
{
    if (sim->world.answered[node] < below)
        sim->world.answered[node] = below;
}

/* The peer sends in order, and after a crash all again that was not answered. */
static bool read_peer(struct sim *sim, uint32_t node)
{
    struct lane *lane = &sim->lanes[node];
    struct position *p = &lane->now.position;
    uint32_t *next = &sim->world.peer_next[node], number = *next;
    struct record r;

    if (number == ITEMS) {
        if (sim->world.answered[node] < ITEMS)
            return false;
        p->ended = true;
        give_end(sim, node, p->stream, p->count);
        return true;
    }
    *next = number + 1u;
    /* Rule 14: what is in the window is answered, not passed on. */
    if (number < lane->window) {
        answer(sim, node, number + 1u);
        return true;
    }
    r = item_record(p->stream, number, content_of(p->stream, number));
    if (number < sim->world.peer_sent[node])
        r.flags |= REC_RESENT;
    else
        sim->world.peer_sent[node] = number + 1u;
    if (p->count <= number)
        p->count = number + 1u;
    give(sim, node, &r, number + 1u);
    return true;
}

/* Rule 11: only here does anything wait for commits or for the store. */
bool source_step(struct sim *sim, uint32_t node)
{
    const struct node *n = &sim->graph.nodes[node];
    struct lane *lane = &sim->lanes[node];

    if (lane->epoch >= sim->domains[n->domain].committed + sim->graph.flight && sim->mistake != NO_BOUND)
        return false;
    if (lane->intake >= sim->graph.cap || way_queued(sim) >= sim->graph.limit || !way_has_room(sim, node))
        return false;
    if (n->kind == SRC_FILE) {
        read_file(sim, node);
        return true;
    }
    return n->kind == SRC_ANSWERS ? read_peer(sim, node) : read_device(sim, node);
}

/* Told what is committed: only now a peer is answered. */
bool source_tell(struct sim *sim, uint32_t node)
{
    const struct node *n = &sim->graph.nodes[node];
    struct lane *lane = &sim->lanes[node];
    uint32_t committed = sim->domains[n->domain].committed;
    const struct position *p;

    if (lane->told >= committed)
        return false;
    lane->told = committed;
    p = &lane_snap(sim, node, committed - 1u)->position;
    sim_trace(sim, "told lane=%u count=%u", node, committed);
    judge_safe(sim, p->stream, p->count);
    if (n->kind == SRC_ANSWERS)
        answer(sim, node, p->count);
    if (p->count == ITEMS)
        sim->world.all_safe[node] = true;
    return true;
}

/* Rule 15: a live source has a stream of its own in each run. The one that broke is
 * to be ended first, and stands in the position until it is. */
static void device_restore(struct sim *sim, uint32_t node)
{
    struct lane *lane = &sim->lanes[node];
    struct position *p = &lane->now.position;

    if (p->ended || sim->mistake == SEQ_AGAIN)
        return;
    lane->fresh = (struct position){ node * RUNS + sim->store.runs - 1u, 0, false };
    lane->is_broken = p->count > 0 && sim->mistake != BROKEN_FORGOTTEN;
    if (!lane->is_broken)
        *p = lane->fresh;
}

void source_restore(struct sim *sim, uint32_t node)
{
    struct lane *lane = &sim->lanes[node];
    struct position *p = &lane->now.position;
    uint32_t each = sim->graph.cap, flight = sim->graph.flight;

    lane->told = 0;
    lane->is_broken = false;
    lane->window = sim->mistake == WINDOW_FORGOTTEN ? 0 : p->count;
    lane->replay_below = sim->store.runs > 1 ? p->count + each * flight : 0;
    if (sim->mistake == RESENT_SHORT && sim->store.runs > 1)
        lane->replay_below = p->count + each;
    sim->world.peer_next[node] = sim->world.answered[node];
    if (is_live(sim->graph.nodes[node].kind))
        device_restore(sim, node);
}
