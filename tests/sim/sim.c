/* sim.c - one schedule: the dice choose who goes next, and when it dies.
 *
 * Time passes only when nothing else can happen: then epochs are cut, dead sinks
 * revive, acknowledgements come. If even so nothing can, and work is left, the
 * protocol is stuck.
 *
 * Not here: counts, tables, options (epochs.c). */
#include "sim.h"

#include <stdarg.h>
#include <string.h>

enum { STEPS_MOST = 40000 };

void sim_wrong(struct sim *sim, enum verdict verdict)
{
    if (sim->verdict == FINE)
        sim->verdict = verdict;
}

void sim_trace(struct sim *sim, const char *format, ...)
{
    va_list args;

    if (!sim->trace)
        return;
    va_start(args, format);
    vfprintf(sim->trace, format, args);
    va_end(args);
    fputc('\n', sim->trace);
}

static void trace_graph(struct sim *sim)
{
    const struct graph *g = &sim->graph;
    uint32_t i;

    sim_trace(sim, "afferent-trace 1 flight=%u", g->flight);
    for (i = 0; i < g->node_count; i++)
        sim_trace(sim, "lane number=%u domain=%u kind=%s", i, g->nodes[i].domain,
                  is_source(g->nodes[i].kind)         ? "source"
                  : g->nodes[i].kind == SNK_ARCHIVE ? "syncs"
                  : is_sink(g->nodes[i].kind)         ? "sink"
                                                      : "processor");
    for (i = 0; i < g->edge_count; i++)
        sim_trace(sim, "edge number=%u kind=%s from=%u to=%u", i,
                  g->edges[i].kind == EDGE_RING ? "ring" : "queue", g->edges[i].from, g->edges[i].to);
}

/* ---- the beginning ---- */

static void world_begin(struct sim *sim)
{
    uint32_t i;

    memset(&sim->world, 0, sizeof sim->world);
    for (i = 0; i < sim->graph.source_count; i++)
        sim->world.left[i] = 3 + dice_below(&sim->dice, ITEMS - 2);
}

static void store_begin(struct sim *sim)
{
    uint32_t i;

    memset(sim->store.queue_count, 0, sizeof sim->store.queue_count);
    for (i = 0; i < EDGES; i++)
        sim->store.next_seq[i] = 1;
    sim->store.letter_count = sim->store.runs = 0;
    for (i = 0; i < sim->graph.node_count; i++) {
        sim->store.lanes[i].position = (struct position){ i < SOURCES ? i * RUNS : 0, 0, false };
        state_clear(&sim->store.lanes[i].state);
    }
}

/* ---- steps ---- */

/* Everybody in turn, from a random one on, until one could do something. */
static bool any_step(struct sim *sim)
{
    uint32_t all = sim->graph.node_count + 1u, from = dice_below(&sim->dice, all), i, at;

    for (i = 0; i < all; i++) {
        at = (from + i) % all;
        if (at == sim->graph.node_count) {
            if ((sim->unhurried || dice_below(&sim->dice, 3) == 0) && keeper_step(sim))
                return true;
        } else if (lane_step(sim, at)) {
            return true;
        }
    }
    return false;
}

static bool one_step(struct sim *sim)
{
    uint32_t i;

    for (i = 0; i < 3; i++)
        if (any_step(sim))
            return true;
    sim->unhurried = true;
    if (any_step(sim)) {
        sim->unhurried = false;
        return true;
    }
    return false;
}

static bool is_through(const struct sim *sim)
{
    uint32_t n;

    if (!keeper_through(sim))
        return false;
    for (n = 0; n < sim->graph.node_count; n++)
        if (!sim->lanes[n].finished || sim->lanes[n].done != NEVER)
            return false;
    return sim->stopping || way_queued(sim) == 0;
}

/* ---- the end of a process ---- */

static void die(struct sim *sim)
{
    sim->figures->crashes++;
    sim->figures->in_commit += sim->group.phase == GATHERED || sim->group.phase == WRITTEN || sim->group.phase == HALF;
    sim->figures->after_commit += sim->group.phase == DURABLE;
    sim_trace(sim, "crash");
    judge_crash(sim);
    keeper_restore(sim);
}

static bool dies_now(struct sim *sim)
{
    if (sim->store.runs == RUNS)
        return false;
    return dice_below(&sim->dice, sim->group.phase == IDLE ? 160 : 24) == 0;
}

static void stop_maybe(struct sim *sim)
{
    if (!sim->stopping && sim->store.runs < RUNS && dice_below(&sim->dice, 1500) == 0) {
        sim->stopping = true;
        sim_trace(sim, "stop");
    }
}

/* True: the schedule is over. */
static bool came_to_rest(struct sim *sim)
{
    if (!is_through(sim)) {
        sim_wrong(sim, STUCK);
        return true;
    }
    if (!sim->stopping)
        return true;
    sim->figures->stops++;
    judge_stopped(sim);
    judge_crash(sim);
    keeper_restore(sim);
    return false;
}

enum verdict sim_run(struct sim *sim, uint64_t seed, enum mistake mistake)
{
    uint32_t steps = 0;

    sim->dice.state = seed * 0x9e3779b97f4a7c15u + 1u;
    sim->mistake = mistake;
    sim->verdict = FINE;
    graph_make(&sim->graph, &sim->dice);
    trace_graph(sim);
    judge_begin(sim->judge);
    world_begin(sim);
    store_begin(sim);
    keeper_restore(sim);
    while (sim->verdict == FINE) {
        if (++steps > STEPS_MOST) {
            sim_wrong(sim, STUCK);
            break;
        }
        if (dies_now(sim))
            die(sim);
        stop_maybe(sim);
        if (!one_step(sim) && came_to_rest(sim))
            break;
    }
    sim->figures->steps += steps;
    if (sim->verdict == FINE)
        judge_last(sim);
    return sim->verdict;
}
