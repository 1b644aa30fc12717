/* lane_rings.c - a turn of a lane whose head is fed by rings.
 *
 * A fan-in reads whichever in-edge has a record of the epoch, and takes none of the
 * next before the epoch has ended on all. */
#include "flow/answers.h"
#include "flow/lane_inside.h"
#include "flow/retry.h"
#include "flow/trace.h"

static bool rings_ready(void *arg)
{
    struct lane *lane = arg;
    bool all_over = true;
    uint32_t i;

    if (answers_ready(lane) || retry_ready(lane) || lane_pausing(lane) != lane->was_pausing)
        return true;
    for (i = 0; i < lane->in_count; i++) {
        const struct edge *edge = lane->ins[i]->edge;

        if (!edge_epoch_over(edge, lane->epoch)) {
            if (edge_ready(edge, lane->epoch))
                return true;
            all_over = false;
        }
    }
    return all_over;
}

/* True when anything was taken. */
static bool take_all(struct lane *lane, bool *ret_any)
{
    uint32_t i, n;
    uint16_t flags;

    *ret_any = false;
    for (i = 0; i < lane->in_count; i++) {
        n = edge_take(lane->ins[i]->edge, lane->epoch, lane->batch, PLAN_BATCH, &flags);
        if (n == 0)
            continue;
        trace_take(lane->ins[i], lane->ins[i]->edge->tail_next - n + 1u, lane->ins[i]->edge->tail_next);
        *ret_any = true;
        if (!lane_feed(lane->ins[i], lane->batch, n, flags))
            return false;
        edge_release(lane->ins[i]->edge);
    }
    return true;
}

bool lane_rings_turn(struct lane *lane, bool *ret_more)
{
    uint32_t i, over = 0, ended = 0;
    bool any;

    lane->was_pausing = lane_pausing(lane);
    lane_let_go(lane);
    if (!lane_answers(lane) || !retry_turn(lane) || !take_all(lane, &any) || !lane_wake_due(lane, !any))
        return false;
    if (any)
        return true;
    for (i = 0; i < lane->in_count; i++) {
        /* In this order: an edge that closes in between is over, not at an epoch's end. */
        ended += edge_epoch_over(lane->ins[i]->edge, lane->epoch);
        over += edge_over(lane->ins[i]->edge);
    }
    if (over == lane->in_count) {
        *ret_more = false;
        return lane_finish(lane);
    }
    if (ended == lane->in_count)
        return lane_end_epoch(lane);
    if (lane_pausing(lane))
        return lane_rings_pause(lane, rings_ready, ret_more);
    return lane_idle(lane, rings_ready, lane, lane_next_wake(lane));
}
