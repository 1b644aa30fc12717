/* lane_queues.c - a turn of a lane whose head is fed by queues.
 *
 * It ends its epoch when it has taken all that its writers had ended, so that what
 * it has finished by then need not be stored; and by time and size, as a source does,
 * while it works off a backlog. Of several queues that of the highest class goes
 * first. Records that are too old are let go here.
 *
 * When the run is being stopped it goes on for a moment; what is left then, or what
 * its sink does not take, stays in the store. */
#include "flow/answers.h"
#include "flow/commit.h"
#include "flow/lane_inside.h"
#include "flow/retry.h"

enum { LATER_NS = 10000000 };
#define JUMP_NS 60000000000

static bool any_at_end(struct lane *lane)
{
    uint32_t i;

    for (i = 0; i < lane->in_count; i++)
        lane->at_end |= queue_at_end(lane->ins[i]->queue);
    return lane->at_end && lane->epoch_began_ns != INT64_MAX;
}

static struct link *first_ready(struct lane *lane)
{
    uint32_t i;

    for (i = 0; i < lane->in_count; i++)
        if (queue_ready(lane->ins[i]->queue))
            return lane->ins[i];
    return NULL;
}

static bool all_over(struct lane *lane)
{
    uint32_t i;

    for (i = 0; i < lane->in_count; i++)
        if (!queue_over(lane->ins[i]->queue))
            return false;
    return true;
}

static bool queues_ready(void *arg)
{
    struct lane *lane = arg;
    const struct epochs *epochs = &lane->domain->epochs;

    return first_ready(lane) || any_at_end(lane) || answers_ready(lane) || retry_ready(lane) || epochs_is_cut(epochs, lane->epoch) ||
           epochs_committed(epochs) != lane->told || all_over(lane) || lane_pausing(lane) ||
           (lane->leave_ns == 0 && flow_stopping(lane->flow));
}

/* A wall clock that was set by more than it drifts tells no ages any more. */
static bool has_jumped(const struct flow *flow, int64_t utc)
{
    int64_t moved = utc - clock_now(&flow->clock) - flow->utc_offset_ns;

    return moved > JUMP_NS || moved < -JUMP_NS;
}

/* Event time says how old a record is; while this machine's clock is not set, the time
 * since it was seen does. */
static bool too_old(const struct lane *lane, const struct link *link, const struct aff_record *record)
{
    const struct aff_host *host = &lane->nodes[0]->host;
    uint8_t clock;
    int64_t utc;

    if (link->plan->expire_ns == 0 || (record->flags & AFF_FLAG_END))
        return false;
    utc = host->utc_ns(host, &clock);
    if (clock == AFF_CLOCK_SYNCED && record->clock == AFF_CLOCK_SYNCED && !has_jumped(lane->flow, utc))
        return utc - record->event_ns > link->plan->expire_ns;
    return clock_now(&lane->flow->clock) - record->seen_ns > link->plan->expire_ns;
}

/* Marks are no records. Counts those that are too old, and moves the others up. */
static uint32_t let_expire(struct lane *lane, struct link *link, uint32_t count, uint16_t *ret_flags)
{
    struct aff_record *r = lane->batch;
    uint32_t i, left = 0;

    *ret_flags = 0;
    for (i = 0; i < count; i++) {
        if (too_old(lane, link, &r[i])) {
            ledger_add(&link->expired, 1);
            continue;
        }
        *ret_flags |= r[i].flags;
        r[left++] = r[i];
    }
    return left;
}

static bool serve(struct lane *lane, struct link *link, int64_t now)
{
    struct node *head = lane->nodes[0];
    uint32_t count = queue_take(link->queue, lane->batch, PLAN_BATCH), i;
    uint16_t flags;

    if (count == 0) /* no memory, or the store cannot be read now */
        return lane_sleep(lane, LATER_NS);
    if (lane->epoch_began_ns == INT64_MAX)
        lane->epoch_began_ns = now;
    for (i = 0; i < count; i++)
        head->epoch_bytes += lane->batch[i].size;
    head->epoch_records += count;
    count = let_expire(lane, link, count, &flags);
    if (count > 0 && !lane_feed(link, lane->batch, count, flags))
        return false;
    queue_back(link->queue);
    return true;
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
    int64_t until = lane_next_wake(lane);

    if (lane->epoch_began_ns != INT64_MAX)
        until = low_ns(until, lane->epoch_began_ns + lane->flow->plan->commit_every_ns);
    if (lane->leave_ns != 0)
        until = low_ns(until, lane->leave_ns);
    return until;
}

static bool turn(struct lane *lane, bool *ret_more)
{
    int64_t now = clock_now(&lane->flow->clock);
    struct link *link;
    bool full;

    lane_let_go(lane);
    lane_committed(lane);
    if (!lane_answers(lane) || !retry_turn(lane) || !lane_wake_due(lane, !first_ready(lane)) || !lane_in_flight(lane, &full))
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
    if (any_at_end(lane) || lane_cut_due(lane, now)) {
        lane_cut(lane);
        return true;
    }
    link = first_ready(lane);
    if (link)
        return serve(lane, link, now);
    return lane_wait(lane, queues_ready, lane, until(lane));
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
