/* lane.c - a lane of the model: takes, feeds, ends epochs, finishes.
 *
 * Each call of lane_step does one thing that the lane could do now, or says that
 * there is none; which one is left to the dice wherever the runtime leaves it open.
 *
 * Not here: sources (source.c), sinks (sink.c), commits (keeper.c). */
#include "sim.h"

static bool is_intake(const struct sim *sim, uint32_t node)
{
    const struct node *n = &sim->graph.nodes[node];
    uint32_t i;

    for (i = 0; i < n->in_count; i++)
        if (sim->graph.edges[n->ins[i]].kind == EDGE_QUEUE)
            return true;
    return is_source(n->kind);
}

void lane_cut(struct sim *sim, uint32_t node)
{
    struct domain *d = &sim->domains[sim->graph.nodes[node].domain];

    if (d->cut > sim->lanes[node].epoch)
        return;
    d->cut = sim->lanes[node].epoch + 1u;
    sim_trace(sim, "cut domain=%u epoch=%u", sim->graph.nodes[node].domain, d->cut - 1u);
}

static void snap_take(struct sim *sim, uint32_t node, struct snap *ret_snap, uint32_t epoch)
{
    const struct lane *lane = &sim->lanes[node];

    ret_snap->position = lane->now.position;
    state_copy(&ret_snap->state, &lane->now.state);
    if (sim->mistake == HELD_FORGOTTEN)
        ret_snap->state.held_count = 0;
    if (sim->mistake == END_NO_POSITION)
        ret_snap->position.ended = false;
    sim_trace(sim, "snap lane=%u epoch=%u", node, epoch);
}

static void snap_late(struct sim *sim, uint32_t node)
{
    struct lane *lane = &sim->lanes[node];

    if (!lane->snapshot_owed)
        return;
    lane->snapshot_owed = false;
    snap_take(sim, node, &lane->slots[(lane->epoch - 1u) % SLOTS], lane->epoch - 1u);
}

const struct snap *lane_snap(const struct sim *sim, uint32_t node, uint32_t epoch)
{
    const struct lane *lane = &sim->lanes[node];

    if (lane->finished && epoch >= lane->final_epoch)
        return &lane->final;
    /* a mistake only: nothing was taken of that epoch yet */
    if (lane->snapshot_owed && epoch + 1u == lane->epoch)
        return &lane->now;
    return &lane->slots[epoch % SLOTS];
}

void lane_made(struct sim *sim, uint32_t node, const struct record *record)
{
    const struct node *n = &sim->graph.nodes[node];
    uint32_t i;

    for (i = 0; i < n->out_count; i++)
        way_put(sim, n->outs[i], record, 1, sim->lanes[node].epoch);
}

/* Rules 4, 5: the snapshot stands between the last input of n and the first of n+1;
 * each lane ends its epochs in order. */
static void lane_end(struct sim *sim, uint32_t node)
{
    const struct node *n = &sim->graph.nodes[node];
    struct lane *lane = &sim->lanes[node];
    uint32_t i;

    snap_late(sim, node);
    if (sim->mistake == SNAPSHOT_LATE)
        lane->snapshot_owed = true;
    else
        snap_take(sim, node, &lane->slots[lane->epoch % SLOTS], lane->epoch);
    sim_trace(sim, "end lane=%u epoch=%u", node, lane->epoch);
    for (i = 0; i < n->out_count; i++)
        way_end(sim, n->outs[i], lane->epoch, sim->mistake == END_LATE && i > 0);
    lane->epoch++;
    lane->intake = 0;
    if (is_sink(n->kind)) {
        sink_look(sim, node);
        return;
    }
    lane->done = lane->epoch;
    sim_trace(sim, "done lane=%u count=%u", node, lane->done);
}

/* Rule 11: an end cuts the epoch under way, so it waits at the bound as well. */
static bool may_cut(const struct sim *sim, uint32_t node)
{
    return !is_intake(sim, node) || sim->mistake == NO_BOUND ||
           sim->lanes[node].epoch < sim->domains[sim->graph.nodes[node].domain].committed + sim->graph.flight;
}

static void lane_finish(struct sim *sim, uint32_t node)
{
    const struct node *n = &sim->graph.nodes[node];
    struct lane *lane = &sim->lanes[node];
    uint32_t i;

    snap_late(sim, node);
    if (is_intake(sim, node))
        lane_cut(sim, node);
    lane->finished = true;
    lane->final_epoch = lane->epoch;
    snap_take(sim, node, &lane->final, lane->epoch);
    sim_trace(sim, "finish lane=%u epoch=%u", node, lane->epoch);
    for (i = 0; i < n->out_count; i++)
        way_close(sim, n->outs[i]);
    if (is_sink(n->kind)) {
        sink_look(sim, node);
        return;
    }
    lane->done = NEVER;
    sim_trace(sim, "done lane=%u count=all", node);
}

/* ---- one batch ---- */

static void feed(struct sim *sim, uint32_t node, uint32_t in, const struct record *records, uint32_t count)
{
    struct outbox out;
    uint32_t i, k;

    for (i = 0; i < count; i++) {
        if (is_sink(sim->graph.nodes[node].kind)) {
            sink_write(sim, node, in, &records[i]);
            continue;
        }
        out.count = 0;
        part_feed(&sim->graph, node, in, &records[i], &sim->lanes[node].now.state, &out);
        for (k = 0; k < out.count; k++)
            lane_made(sim, node, &out.records[k]);
        snap_late(sim, node);
    }
}

static bool take_some(struct sim *sim, uint32_t node)
{
    const struct node *n = &sim->graph.nodes[node];
    uint32_t i, in, count, from = dice_below(&sim->dice, n->in_count);
    uint32_t room = is_sink(n->kind) ? 1 : 1 + dice_below(&sim->dice, BATCH);
    struct record batch[BATCH];

    if (!way_has_room(sim, node) || (is_sink(n->kind) && !sink_takes(sim, node)))
        return false;
    for (i = 0; i < n->in_count; i++) {
        in = (from + i) % n->in_count;
        if (way_at_end(sim, n->ins[in]) && sim->lanes[node].intake > 0) {
            lane_cut(sim, node);
            return true;
        }
        count = way_take(sim, n->ins[in], room, batch);
        if (count == 0)
            continue;
        feed(sim, node, in, batch, count);
        return true;
    }
    return false;
}

static bool end_or_finish(struct sim *sim, uint32_t node)
{
    const struct node *n = &sim->graph.nodes[node];
    uint32_t i, over = 0, ended = 0;

    for (i = 0; i < n->in_count; i++) {
        ended += way_epoch_over(sim, n->ins[i], sim->lanes[node].epoch);
        over += way_over(sim, n->ins[i]);
    }
    if (over == n->in_count && !may_cut(sim, node))
        return false;
    if (over == n->in_count)
        lane_finish(sim, node);
    else if (ended == n->in_count)
        lane_end(sim, node);
    else
        return false;
    return true;
}

/* A source ends what was cut, and finishes behind its end. At the bound it ends its
 * epoch all the same, and does not open the next. */
static bool source_turn(struct sim *sim, uint32_t node)
{
    struct lane *lane = &sim->lanes[node];
    bool cut = sim->domains[sim->graph.nodes[node].domain].cut > lane->epoch;

    if (source_tell(sim, node))
        return true;
    if (lane->finished)
        return false;
    if ((lane->now.position.ended || sim->stopping) && may_cut(sim, node)) {
        lane_finish(sim, node);
        return true;
    }
    if (cut && sim->mistake == SILENT_NO_END && lane->intake == 0)
        cut = false;
    if (cut && dice_below(&sim->dice, 3) > 0) {
        lane_end(sim, node);
        return true;
    }
    if (!lane->now.position.ended && !sim->stopping && source_step(sim, node))
        return true;
    if (cut)
        lane_end(sim, node);
    return cut;
}

/* Rule 5: who has taken something asks for the cut, and all intakes of the domain end. */
bool lane_step(struct sim *sim, uint32_t node)
{
    const struct node *n = &sim->graph.nodes[node];
    struct lane *lane = &sim->lanes[node];

    if (!sim->unhurried && dice_below(&sim->dice, 16) >= n->speed)
        return false;
    /* commit_every has passed */
    if (is_intake(sim, node) && !lane->finished && lane->intake > 0 &&
        sim->domains[n->domain].cut <= lane->epoch &&
        (sim->unhurried || lane->intake >= sim->graph.cap || dice_below(&sim->dice, 12) == 0)) {
        lane_cut(sim, node);
        return true;
    }
    if (is_source(n->kind))
        return source_turn(sim, node);
    if (is_sink(n->kind) && sink_step(sim, node))
        return true;
    if (lane->finished)
        return false;
    return take_some(sim, node) || end_or_finish(sim, node);
}
