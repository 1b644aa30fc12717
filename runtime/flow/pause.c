/* pause.c - brings a flow to rest, and back. See lane_pause.c for what lanes do.
 *
 * At rest: every lane is parked, in each domain all epochs that began are committed,
 * and no ring holds a record. Two looks in a row must find the same, since one lane may
 * wake another between them. */
#include <stdio.h>

#include "flow/acks.h"
#include "flow/build.h"
#include "flow/commit.h"
#include "flow/reload_inside.h"
#include "flow/trace.h"

#include "flow/lane_inside.h"

#define GRACE_NS INT64_C(1000000000) /* after this, sinks that do not work are not waited for */
#define GO_NS INT64_C(5000000000)    /* in this time they leave */
#define LOOK_NS 5000000

/* ---- waiting ---- */

static bool is_ending(const struct flow *flow)
{
    uint32_t i, ended = 0;

    for (i = 0; i < flow->plan->lane_count; i++)
        ended += atomic_load(&flow->lanes[i].ended);
    return atomic_load(&flow->draining) || atomic_load(&flow->aborting) || ended == flow->plan->lane_count;
}

static bool await(struct flow *flow, bool (*there)(struct flow *flow), int64_t until_ns)
{
    for (;;) {
        bell_prepare(&flow->done);
        if (there(flow)) {
            bell_cancel(&flow->done);
            return true;
        }
        if (until_ns != INT64_MAX && (is_ending(flow) || clock_real(CLOCK_BOOTTIME) >= until_ns)) {
            bell_cancel(&flow->done);
            return false;
        }
        bell_wait(&flow->done, LOOK_NS);
    }
}

/* ---- at rest ---- */

static bool lane_rests(const struct lane *lane)
{
    const struct epochs *e = &lane->domain->epochs;
    uint64_t epoch = atomic_load(&lane->parked_epoch);

    return (atomic_load(&lane->parks) & 1u) && epoch != 0 && epochs_committed(e) == epoch &&
           epochs_complete(e) == epoch && !epochs_is_cut(e, epoch) && !epochs_is_stirred(e, epoch);
}

static bool is_over(const struct lane *lane)
{
    return lane->out || !lane->threaded || atomic_load(&lane->ended);
}

static bool all_rest(struct flow *flow, bool with_stuck)
{
    uint32_t i;

    for (i = 0; i < flow->plan->lane_count; i++) {
        struct lane *lane = &flow->lanes[i];

        lane->parks_seen = atomic_load(&lane->parks);
        if (!is_over(lane) && (with_stuck || !lane_may_leave(lane)) && !lane_rests(lane))
            return false;
    }
    for (i = 0; i < flow->plan->edge_count; i++)
        if (flow->links[i].edge && edge_queued(flow->links[i].edge) > 0)
            return false;
    for (i = 0; i < flow->plan->lane_count; i++) {
        struct lane *lane = &flow->lanes[i];

        if (!is_over(lane) && (with_stuck || !lane_may_leave(lane)) && lane->parks_seen != atomic_load(&lane->parks))
            return false;
    }
    return true;
}

static bool whole_rests(struct flow *flow)
{
    return all_rest(flow, true);
}

static bool rests_but_stuck(struct flow *flow)
{
    return all_rest(flow, false);
}

/* ---- leaving ---- */

static bool has_gone(struct lane *lane)
{
    bool out;

    pthread_mutex_lock(&lane->flow->say_lock);
    out = lane->out;
    pthread_mutex_unlock(&lane->flow->say_lock);
    return out || !lane->threaded || atomic_load(&lane->ended);
}

static bool all_are_gone(struct flow *flow)
{
    uint32_t i;

    for (i = 0; i < flow->plan->lane_count; i++)
        if (!has_gone(&flow->lanes[i]))
            return false;
    return true;
}

static void order(struct flow *flow, enum flow_leaves who)
{
    pthread_mutex_lock(&flow->say_lock);
    atomic_store(&flow->leaving, (int)who);
    pthread_mutex_unlock(&flow->say_lock);
    flow_ring(flow);
}

static void join_gone(struct flow *flow)
{
    uint32_t i;

    for (i = 0; i < flow->plan->lane_count; i++) {
        struct lane *lane = &flow->lanes[i];

        if (!lane->out || !lane->threaded)
            continue;
        pthread_join(lane->thread, NULL);
        lane->threaded = false;
    }
}

/* ---- letting go ---- */

/* Nodes whose state is for nobody give out what they hold, in an epoch of its own. */
static bool let_go(struct reload *r, bool (*rests)(struct flow *flow), int64_t until_ns)
{
    const struct difference *d = r->difference;
    struct flow *flow = r->flow;
    bool any = false;
    uint32_t i;

    for (i = 0; i < d->node_count; i++) {
        const struct difference_node *n = &d->nodes[i];
        struct node *node = n->before == PLAN_NONE ? NULL : &flow->nodes[n->before];

        if (!node || node->about->kind == AFF_SOURCE || !node->about->drain || n->kind == DIFFERENCE_KEPT ||
            (n->kind == DIFFERENCE_CHANGED && n->state_stays))
            continue;
        any = node->lets_go = true;
    }
    if (!any)
        return true;
    for (i = 0; i < flow->plan->domain_count; i++) {
        struct domain *domain = &flow->domains[i];
        uint64_t epoch = epochs_committed(&domain->epochs);

        atomic_store(&domain->let_go_at, epoch);
        trace_cut(flow, domain, epoch);
        epochs_cut(&domain->epochs, epoch);
    }
    flow_ring(flow);
    return await(flow, rests, until_ns);
}

/* ---- both ways ---- */

void pause_roll_back(struct lane *lane)
{
    struct node *sink = lane->nodes[0];
    uint32_t k;

    commit_abandon(lane, epochs_committed(&lane->domain->epochs) - 1u);
    atomic_store(&lane->final_epoch, UINT64_MAX);
    for (k = 0; k < EPOCH_NOTES; k++) {
        wire_clear(&lane->letters[k]);
        wire_clear(&lane->retried[k]);
    }
    wire_clear(sink->parts);
    if (sink->acks)
        acks_forget(sink->acks);
    sink->asides = (struct asides){ 0 };
    sink->retry_next = 0;
    lane->retries_seen = 0;
    sink->epoch_records = sink->epoch_bytes = 0;
    lane->epoch_began_ns = INT64_MAX;
    lane->at_end = false;
}

uint64_t pause_next_epoch(const struct flow *flow)
{
    uint64_t epoch = EPOCH_FIRST;
    uint32_t i;

    for (i = 0; i < flow->plan->lane_count; i++)
        if (flow->lanes[i].epoch > epoch)
            epoch = flow->lanes[i].epoch;
    return epoch + 1u;
}

static bool begin_lane(struct lane *lane, uint64_t epoch)
{
    bool ok;

    lane->epoch = epoch - 1u;
    ok = commit_note(lane);
    lane->epoch = lane->told = epoch;
    lane->epoch_began_ns = INT64_MAX;
    lane->left = false;
    atomic_store(&lane->out, false);
    return ok;
}

bool pause_begin_at(struct flow *flow, uint64_t epoch)
{
    bool ok = true;
    uint32_t i;

    trace_pause(flow);
    for (i = 0; i < flow->plan->edge_count; i++)
        if (flow->links[i].queue)
            queue_end_epoch(flow->links[i].queue, epoch - 1u);
    for (i = 0; i < flow->plan->lane_count; i++)
        ok = (atomic_load(&flow->lanes[i].ended) || begin_lane(&flow->lanes[i], epoch)) && ok;
    for (i = 0; i < flow->plan->domain_count; i++) {
        struct domain *domain = &flow->domains[i];

        epochs_begin(&domain->epochs, epoch);
        atomic_store(&domain->let_go_at, 0);
        domain->chosen = domain->seen = epoch;
    }
    for (i = 0; i < flow->plan->lane_count; i++)
        if (atomic_load(&flow->lanes[i].ended))
            epochs_done(&flow->lanes[i].domain->epochs, i, UINT64_MAX);
    trace_begin(flow, epoch);
    return ok;
}

/* ---- back ---- */

static bool reopen(struct link *link)
{
    struct queue_figures f;
    struct queue *fresh = build_queue(link->reader->flow, link);

    if (!fresh)
        return false;
    queue_figures(link->queue, &f);
    link->dropped_before += f.dropped;
    link->lost_before += f.lost;
    queue_close(&link->queue);
    link->queue = fresh;
    return true;
}

static bool roll_back(struct lane *lane)
{
    bool ok = true;
    uint32_t i;

    pause_roll_back(lane);
    for (i = 0; i < lane->in_count; i++)
        ok = reopen(lane->ins[i]) && ok;
    return ok;
}

/* In the middle of a run of others: a sink behind a queue is a domain of its own. */
static bool return_alone(struct lane *lane)
{
    uint64_t epoch = lane->epoch + 1u;
    bool ok = roll_back(lane) && begin_lane(lane, epoch);

    epochs_begin(&lane->domain->epochs, epoch);
    lane->domain->chosen = lane->domain->seen = epoch;
    return ok;
}

static void go_on(struct flow *flow)
{
    uint32_t i;

    for (i = 0; i < flow->plan->node_count; i++)
        flow->nodes[i].lets_go = false;
    atomic_store(&flow->pausing, false);
    flow_ring(flow);
}

static bool start_gone(struct flow *flow, bool ok)
{
    uint32_t i;

    for (i = 0; i < flow->plan->lane_count; i++)
        if (!flow->lanes[i].threaded && !atomic_load(&flow->lanes[i].ended))
            ok = flow_start_lane(&flow->lanes[i]) && ok;
    if (!ok)
        flow_fail(flow, &flow->nodes[0], AFF_ERR_MEMORY, "it could not go on after a reload that failed: no memory");
    return ok;
}

/* Some have left, and one hangs in its plugin: those come back. */
static void take_back(struct reload *r)
{
    struct flow *flow = r->flow;
    bool ok = true;
    uint32_t i;

    order(flow, FLOW_NONE_LEAVE);
    join_gone(flow);
    if (r->attach)
        r->attach(r->arg, NULL);
    for (i = 0; i < flow->plan->lane_count; i++)
        if (flow->lanes[i].out)
            ok = return_alone(&flow->lanes[i]) && ok;
    if (r->attach)
        r->attach(r->arg, flow);
    go_on(flow);
    start_gone(flow, ok);
}

bool pause_end(struct reload *r)
{
    struct flow *flow = r->flow;
    bool ok = true;
    uint32_t i;

    for (i = 0; i < flow->plan->lane_count; i++)
        if (flow->lanes[i].out && flow->lanes[i].left)
            ok = roll_back(&flow->lanes[i]) && ok;
    ok = pause_begin_at(flow, pause_next_epoch(flow)) && ok;
    atomic_store(&flow->leaving, FLOW_NONE_LEAVE);
    if (r->attach)
        r->attach(r->arg, flow);
    go_on(flow);
    return start_gone(flow, ok);
}

/* ---- to rest ---- */

static bool refuse(struct reload *r, const char *why)
{
    snprintf(r->why, sizeof r->why, "%s", is_ending(r->flow) ? "it is ending" : why);
    return false;
}

static bool come_to_rest(struct reload *r, int64_t began_ns, bool *ret_stuck)
{
    int64_t until = began_ns + (r->rest_ns > 0 ? r->rest_ns : RELOAD_REST_NS);
    bool (*rests)(struct flow *flow) = whole_rests;

    *ret_stuck = false;
    if (!await(r->flow, whole_rests, began_ns + GRACE_NS < until ? began_ns + GRACE_NS : until)) {
        *ret_stuck = true;
        rests = rests_but_stuck;
    }
    if (!await(r->flow, rests, until) || !let_go(r, rests, until))
        return refuse(r, "it did not come to rest in time: a sink, or the store, does not take what is under way");
    return true;
}

bool pause_begin(struct reload *r)
{
    int64_t began_ns = clock_real(CLOCK_BOOTTIME);
    struct flow *flow = r->flow;
    bool stuck;

    if (is_ending(flow))
        return refuse(r, "it is ending");
    atomic_store(&flow->pausing, true);
    flow_ring(flow);
    if (!come_to_rest(r, began_ns, &stuck)) {
        go_on(flow);
        return false;
    }
    if (stuck) {
        order(flow, FLOW_STUCK_LEAVE);
        /* Waited for, not looked at once: one that works again is up for a moment. */
        if (!await(flow, whole_rests, clock_real(CLOCK_BOOTTIME) + GO_NS)) {
            take_back(r);
            return refuse(r, "a sink hangs in its plugin");
        }
    }
    order(flow, FLOW_ALL_LEAVE);
    await(flow, all_are_gone, INT64_MAX);
    join_gone(flow);
    if (r->attach)
        r->attach(r->arg, NULL);
    return true;
}
