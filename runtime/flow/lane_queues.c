/* lane_queues.c - a turn of a lane whose head is fed by queues.
 *
 * It ends its epoch when it has taken all that its writers had ended, so that what
 * it has finished by then need not be stored; and by time and size, as a source does,
 * while it works off a backlog.
 *
 * When the run is being stopped it goes on for a moment; what is left then, or what
 * its sink does not take, stays in the store.
 *
 * Not here: taking a batch (lane_take.c). */
#include "flow/answers.h"
#include "flow/commit.h"
#include "flow/lane_inside.h"
#include "flow/retry.h"
#include "flow/uplink.h"

/* Commands from behind the lane end only after it: those that wait are taken, and what
 * comes later stays in its queue, as with a device. */
static bool all_over(struct lane *lane)
{
    bool any = false;
    uint32_t i;

    for (i = 0; i < lane->in_count; i++) {
        struct link *link = lane->ins[i];

        if (link->plan->closes ? queue_ready(link->queue) : !queue_over(link->queue))
            return false;
        any |= !link->plan->closes;
    }
    return any;
}

/* In virtual time a sleeper would leap ahead of those who have something to do. */
static int64_t link_until(const struct lane *lane)
{
    if (lane->flow->clock.is_virtual)
        return INT64_MAX;
    return low_ns(uplink_until(lane->nodes[0]), lane_next_sweep(lane));
}

/* Links changed, or time alone may let more go, or less. */
static bool link_stirred(const struct lane *lane)
{
    const struct node *head = lane->nodes[0];

    return head->uplink && (uplink_stirred(head) || clock_now(&lane->flow->clock) >= lane_next_sweep(lane));
}

static bool queues_ready(void *arg)
{
    struct lane *lane = arg;
    const struct epochs *epochs = &lane->domain->epochs;

    return lane_queue_ready(lane) || (lane_at_end(lane) && !answers_hold_epoch(lane)) || link_stirred(lane) ||
           answers_ready(lane) || retry_ready(lane) || epochs_is_cut(epochs, lane->epoch) ||
           epochs_committed(epochs) != lane->told || all_over(lane) || lane_pausing(lane) ||
           (lane->leave_ns == 0 && flow_stopping(lane->flow));
}

static bool leaves(struct lane *lane, int64_t now)
{
    if (!flow_stopping(lane->flow))
        return false;
    if (lane->leave_ns == 0)
        lane->leave_ns = now + LANE_LEAVE_NS;
    return now >= lane->leave_ns;
}

static int64_t until(const struct lane *lane)
{
    int64_t until = low_ns(lane_next_wake(lane), link_until(lane));

    if (lane->epoch_began_ns != INT64_MAX && !answers_hold_epoch(lane))
        until = low_ns(until, lane->epoch_began_ns + lane->flow->plan->commit_every_ns);
    if (lane->leave_ns != 0)
        until = low_ns(until, lane->leave_ns);
    return until;
}

static bool turn(struct lane *lane, bool *ret_more)
{
    int64_t now = clock_now(&lane->flow->clock);
    struct link *link;
    bool full, swept;

    lane_let_go(lane);
    lane_committed(lane);
    uplink_turn(lane->nodes[0], now);
    if (!lane_answers(lane) || !retry_turn(lane) || !lane_wake_due(lane, !lane_queue_ready(lane)) || !lane_in_flight(lane, &full))
        return false;
    if (full) {
        lane->left = lane_gives_up(lane) || (leaves(lane, now) && lane->nodes[0]->about->kind == AFF_SINK);
        return !lane->left;
    }
    if (lane_pausing(lane))
        return lane_head_pause(lane, ret_more);
    if (leaves(lane, now) || all_over(lane)) {
        *ret_more = false;
        return lane_finish(lane);
    }
    if (epochs_is_cut(&lane->domain->epochs, lane->epoch))
        return lane_end_epoch(lane);
    if (lane_stirred(lane))
        lane->epoch_began_ns = now;
    /* In this order: an end that is not looked for would make one epoch more. */
    if ((lane_at_end(lane) || lane_cut_due(lane, now)) && !answers_hold_epoch(lane)) {
        lane_cut(lane);
        return true;
    }
    link = lane_queue_ready(lane);
    if (link)
        return lane_take(lane, link, PLAN_BATCH, now);
    if (!lane_sweep(lane, now, &swept) || swept)
        return swept;
    return lane_idle(lane, queues_ready, lane, until(lane));
}

/* What its sink did not take stays in the store, and what it took of an epoch that it
 * could not end is delivered again. */
bool lane_queues_turn(struct lane *lane, bool *ret_more)
{
    if (turn(lane, ret_more))
        return true;
    if (!lane->left)
        return false;
    *ret_more = false;
    lane_abandon(lane);
    return true;
}
