/* lane.c - a thread of the data path: waiting, epochs, timers, the end.
 *
 * Not here: a lane's turn (lane_source.c, lane_rings.c, lane_queues.c), what is
 * stored at an epoch's end (commit.c). */
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#include "flow/answers.h"
#include "flow/commit.h"
#include "flow/lane_inside.h"
#include "flow/retry.h"
#include "flow/trace.h"

enum { SPINS = 64, MOMENT_NS = 1000000 };
#define UNDER_WAY "a sink, or the store, does not take what is under way"

bool lane_aborting(const struct lane *lane)
{
    return atomic_load_explicit(&lane->flow->aborting, memory_order_acquire);
}

int64_t lane_stop_until(const struct lane *lane)
{
    return flow_stopping(lane->flow) ? atomic_load(&lane->flow->drained_ns) + LANE_STOP_NS : INT64_MAX;
}

void lane_stop_short(struct lane *lane, const char *node, const char *why)
{
    if (lane_aborting(lane))
        return;
    atomic_store(&lane->flow->cut_short, true);
    flow_log(lane->flow, AFF_LOG_WARN, node, "%s; the run ends without it, and the next one goes on from the last commit",
             why);
    flow_abort(lane->flow);
}

static inline void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
}

/* ---- waiting ---- */

/* One writer: no locked instruction is needed. */
static void beat(struct lane *lane, bool rests)
{
    uint64_t beats = atomic_load_explicit(&lane->beats, memory_order_relaxed);

    atomic_store_explicit(&lane->beats, beats + 1u, memory_order_relaxed);
    atomic_store_explicit(&lane->rests, rests, memory_order_relaxed);
}

static bool spin(bool (*ready)(void *arg), void *arg)
{
    int i;

    for (i = 0; i < SPINS; i++) {
        if (ready(arg))
            return true;
        relax();
    }
    return false;
}

/* Until the bell rings or one of the descriptors is ready that this wait looks at; the
 * latter is what true says. */
static bool sleep_on(struct lane *lane, bool idle, int64_t timeout_ns)
{
    uint32_t count = watches_list(lane, lane->polls + 1, idle);

    if (count == 0 && timeout_ns == 0)
        return false;
    bell_poll(&lane->bell, lane->polls, count + 1u, timeout_ns);
    return watches_wake(lane, lane->polls + 1, idle);
}

/* On a virtual clock nobody sleeps but for what others do meanwhile: a moment, where only a
 * time of a sink's own is waited for. */
static void sleep_virtual(struct lane *lane, bool idle, int64_t until_ns, int64_t next_ns)
{
    if (!sleep_on(lane, idle, until_ns == INT64_MAX ? MOMENT_NS : 0))
        clock_jump(&lane->flow->clock, next_ns);
}

/* The one place where a thread of the data path waits. What comes meanwhile for a sink is
 * done here; with `idle`, what comes for others ends the wait. */
static bool wait_for(struct lane *lane, bool (*ready)(void *arg), void *arg, int64_t until_ns, bool idle)
{
    struct clock *clock = &lane->flow->clock;

    for (;;) {
        int64_t now, next;

        watches_rouse(lane, idle);
        if (lane_aborting(lane) || !watch_serve(lane))
            return false;
        if (spin(ready, arg) || (idle && watch_calls(lane)))
            return true;
        now = clock_now(clock);
        if (until_ns <= now)
            return true;
        next = low_ns(until_ns, watch_serve_next(lane));
        bell_prepare(&lane->bell);
        if (ready(arg) || lane_aborting(lane) || watches_roused(lane, idle) || next <= now) {
            bell_cancel(&lane->bell);
            continue;
        }
        if (clock->is_virtual && next != INT64_MAX) {
            sleep_virtual(lane, idle, until_ns, next);
            continue;
        }
        beat(lane, true);
        sleep_on(lane, idle, next == INT64_MAX ? -1 : next - now);
        beat(lane, false);
    }
}

bool lane_wait(struct lane *lane, bool (*ready)(void *arg), void *arg, int64_t until_ns)
{
    return wait_for(lane, ready, arg, until_ns, false);
}

bool lane_idle(struct lane *lane, bool (*ready)(void *arg), void *arg, int64_t until_ns)
{
    return wait_for(lane, ready, arg, until_ns, true);
}

static bool never(void *arg)
{
    (void)arg;
    return false;
}

bool lane_sleep(struct lane *lane, int64_t for_ns)
{
    return lane_wait(lane, never, NULL, clock_now(&lane->flow->clock) + for_ns);
}

/* ---- epochs ---- */

void lane_committed(struct lane *lane)
{
    struct node *head = lane->nodes[0];
    uint64_t committed = epochs_committed(&lane->domain->epochs);

    if (lane->told == committed)
        return;
    lane->told = committed;
    trace_told(lane);
    if (head->about->kind == AFF_SOURCE && head->about->committed)
        head->about->committed(head->self, committed - 1u);
}

void lane_cut(struct lane *lane)
{
    trace_cut(lane->flow, lane->domain, lane->epoch);
    if (epochs_cut(&lane->domain->epochs, lane->epoch))
        flow_ring(lane->flow);
}

bool lane_cut_due(const struct lane *lane, int64_t now)
{
    const struct plan *plan = lane->flow->plan;
    const struct node *head = lane->nodes[0];

    return head->epoch_records >= plan->commit_records || head->epoch_bytes >= plan->commit_bytes ||
           (lane->epoch_began_ns != INT64_MAX && now - lane->epoch_began_ns >= plan->commit_every_ns);
}

bool lane_stirred(const struct lane *lane)
{
    return lane->epoch_began_ns == INT64_MAX && epochs_is_stirred(&lane->domain->epochs, lane->epoch);
}

struct commit_wanted {
    struct epochs *epochs;
    uint64_t below;
    const struct lane *lane;
    bool stopping; /* as it was */
};

static bool commit_reached(void *arg)
{
    struct commit_wanted *w = arg;

    return epochs_committed(w->epochs) >= w->below;
}

static bool commit_or_answers(void *arg)
{
    const struct commit_wanted *w = arg;

    return commit_reached(arg) || answers_ready(w->lane) || flow_stopping(w->lane->flow) != w->stopping;
}

/* A node that knows what a stop waits for says so a little earlier. In virtual time a sleeper
 * would leap ahead of it. */
static int64_t give_up_ns(const struct lane *lane)
{
    bool waits = flow_stopping(lane->flow) && !lane->flow->clock.is_virtual;

    return waits ? lane_stop_until(lane) + LANE_LEAVE_NS / 2 : INT64_MAX;
}

static int64_t flight_until(const struct lane *lane)
{
    int64_t until = low_ns(lane_next_wake(lane), give_up_ns(lane));

    return lane->leave_ns != 0 && lane->nodes[0]->about->kind == AFF_SINK ? low_ns(until, lane->leave_ns) : until;
}

bool lane_in_flight(struct lane *lane, bool *ret_full)
{
    struct epochs *epochs = &lane->domain->epochs;
    struct commit_wanted wanted = { epochs, lane->epoch + 1u - EDGE_EPOCHS, lane, flow_stopping(lane->flow) };

    *ret_full = lane->epoch >= epochs_committed(epochs) + EDGE_EPOCHS;
    if (!*ret_full)
        return true;
    if (!lane_wait(lane, commit_or_answers, &wanted, flight_until(lane)))
        return false;
    if (commit_reached(&wanted) || clock_now(&lane->flow->clock) < give_up_ns(lane))
        return true;
    lane_stop_short(lane, NULL, UNDER_WAY);
    return false;
}

/* An epoch is safe by AFF_OK alone: "not yet" is asked again as well. */
static aff_status sync_now(void *self)
{
    struct node *node = self;
    aff_status st = node->about->sync(node->self, node->lane->epoch);

    return st > 0 ? AFF_ERR_IO : st;
}

/* Sinks make the epoch safe; an I/O error is retried until it works. */
static bool sync_sinks(struct lane *lane)
{
    uint32_t i;

    for (i = 0; i < lane->node_count; i++) {
        struct node *node = lane->nodes[i];

        if (node->about->kind == AFF_SINK && node->about->sync && !node_retry(node, sync_now, node))
            return false;
    }
    trace_sync(lane);
    return true;
}

static uint64_t low_epoch(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* The lane is done with all epochs below `below`. */
static void report(struct lane *lane, uint64_t below)
{
    trace_done(lane, below);
    if (epochs_done(&lane->domain->epochs, lane->index, below))
        commit_ready(lane);
}

bool lane_end_epoch(struct lane *lane)
{
    struct node *head = lane->nodes[0];
    uint32_t i;

    if (!lane_let_go_all(lane) || !sync_sinks(lane) || !commit_note(lane))
        return false;
    trace_end(lane);
    for (i = 0; i < lane->queue_count; i++)
        queue_end_epoch(lane->queues[i]->queue, lane->epoch);
    for (i = 0; i < lane->ring_count; i++)
        edge_end_epoch(lane->rings[i]->edge, lane->epoch);
    lane->epoch++;
    lane->epoch_began_ns = INT64_MAX;
    lane->at_end = false;
    head->epoch_records = head->epoch_bytes = 0;
    report(lane, low_epoch(lane->epoch, answers_oldest(lane)));
    return true;
}

bool lane_answers(struct lane *lane)
{
    uint64_t before = low_epoch(lane->epoch, answers_oldest(lane)), after;

    if (!answers_turn(lane))
        return false;
    after = low_epoch(lane->epoch, answers_oldest(lane));
    if (after > before)
        report(lane, after);
    return true;
}

/* ---- the end ---- */

/* Nodes let go what they keep, in the data's order, so that each sees what those
 * before it let go. It all belongs to the epoch under way. */
static bool drain(struct lane *lane)
{
    uint32_t i;

    for (i = 0; i < lane->node_count; i++) {
        struct node *node = lane->nodes[i];

        if (node->about->kind != AFF_SOURCE && !node->drained && !node_call(node, node->about->drain))
            return false;
        node->drained = true;
    }
    return true;
}

/* A run that is being stopped goes on from here the next time: then nothing is let
 * go early, and what is still in the queues stays in the store. */
bool lane_finish(struct lane *lane)
{
    struct commit_wanted wanted = { .epochs = &lane->domain->epochs, .below = lane->epoch + 1u, .lane = lane };
    bool drains = !flow_stopping(lane->flow);
    uint32_t i;

    lane->is_ending = true;
    /* Other heads may be silent for long: what this one made last is to be safe. */
    if (lane->kind != LANE_RINGS)
        lane_cut(lane);
    while (retry_ready(lane))
        if (!retry_turn(lane))
            return false;
    if (drains && !drain(lane))
        return false;
    if (!answers_finish(lane) || !sync_sinks(lane))
        return false;
    lane->is_final = true;
    if (!commit_note(lane))
        return false;
    commit_note_final(lane);
    trace_finish(lane);
    for (i = 0; i < lane->queue_count; i++) {
        queue_end_epoch(lane->queues[i]->queue, lane->epoch);
        queue_finish(lane->queues[i]->queue);
    }
    for (i = 0; i < lane->ring_count; i++)
        edge_finish(lane->rings[i]->edge);
    report(lane, UINT64_MAX);
    if (lane->kind != LANE_SOURCE)
        return true;
    while (!commit_reached(&wanted)) {
        int64_t until = low_ns(give_up_ns(lane), clock_now(&lane->flow->clock) + LANE_LEAVE_NS);

        if (!lane_wait(lane, commit_reached, &wanted, lane->flow->clock.is_virtual ? INT64_MAX : until))
            return false;
        if (!commit_reached(&wanted) && clock_now(&lane->flow->clock) >= give_up_ns(lane)) {
            lane_stop_short(lane, NULL, UNDER_WAY);
            return false;
        }
    }
    lane_committed(lane);
    return true;
}

void lane_abandon(struct lane *lane)
{
    if (lane->out) /* reload.c does it, when nothing can be committed */
        return;
    commit_abandon(lane, low_epoch(lane->epoch, answers_oldest(lane)) - 1u);
    trace_done(lane, UINT64_MAX);
    epochs_done(&lane->domain->epochs, lane->index, UINT64_MAX);
    commit_ready(lane);
}

/* ---- timers ---- */

int64_t lane_next_wake(const struct lane *lane)
{
    int64_t next = INT64_MAX;
    uint32_t i;

    for (i = 0; i < lane->node_count && !lane_pausing(lane); i++)
        if (lane->nodes[i]->about->kind != AFF_SOURCE)
            next = low_ns(next, low_ns(lane->nodes[i]->wake_ns, timers_next(lane->nodes[i])));
    return low_ns(low_ns(next, watch_serve_next(lane)), answers_next(lane));
}

bool lane_wake_due(struct lane *lane, bool quiet)
{
    uint64_t before;
    int64_t now;
    uint32_t i;

    watches_look(lane);
    if (!watch_serve(lane))
        return false;
    if (lane_pausing(lane) || lane_next_wake(lane) == INT64_MAX)
        return true;
    now = clock_now(&lane->flow->clock);
    for (i = 0; i < lane->node_count; i++) {
        struct node *node = lane->nodes[i];

        if (node->about->kind == AFF_SOURCE || watch_serves(node))
            continue;
        before = node->epoch_records;
        if (quiet && !timers_call(node, now))
            return false;
        if (node->wake_ns <= now) {
            node->wake_ns = INT64_MAX;
            if (!node_call(node, node->about->wake))
                return false;
        }
        if (node->epoch_records > before && epochs_stir(&lane->domain->epochs, lane->epoch))
            flow_ring(lane->flow);
    }
    return true;
}

/* ---- what the turns share ---- */

void lane_let_go(struct lane *lane)
{
    uint32_t i;

    for (i = 0; i < lane->node_count; i++)
        lane->nodes[i]->keep = lane->nodes[i]->bytes->head;
}

bool lane_feed(struct link *link, struct aff_record *records, uint32_t count, uint16_t flags)
{
    uint32_t i, from = 0;

    if (!(flags & AFF_FLAG_END))
        return node_feed(link, records, count);
    for (i = 0; i < count; i++) {
        if (!(records[i].flags & AFF_FLAG_END))
            continue;
        if (i > from && !node_feed(link, records + from, i - from))
            return false;
        if (!node_mark(link, &records[i]))
            return false;
        from = i + 1u;
    }
    return count == from || node_feed(link, records + from, count - from);
}

/* ---- the thread ---- */

static aff_status open_now(void *self)
{
    struct node *node = self;
    aff_status st = node->about->open(&node->handle->host, node_config(node), &node->self);

    node->is_open = st >= 0;
    return st;
}

/* A sink behind a queue whose target was not there is opened here: others need not
 * wait for it. */
static bool start_all(struct lane *lane)
{
    uint32_t i;

    for (i = 0; i < lane->node_count; i++)
        if (!lane->nodes[i]->is_open && !node_retry(lane->nodes[i], open_now, lane->nodes[i]))
            return false;
    for (i = 0; i < lane->node_count; i++) {
        if (!lane->nodes[i]->started && !node_call(lane->nodes[i], lane->nodes[i]->about->start))
            return false;
        lane->nodes[i]->started = true;
    }
    return true;
}

static bool turn(struct lane *lane, bool *ret_more)
{
    switch (lane->kind) {
    case LANE_SOURCE:
        return lane_source_turn(lane, ret_more);
    case LANE_RINGS:
        return lane_rings_turn(lane, ret_more);
    default:
        return lane_queues_turn(lane, ret_more);
    }
}

/* False: what it was made for has not come about. */
static bool gate_pass(struct flow *flow)
{
    int gate;

    if (atomic_load_explicit(&flow->gate, memory_order_acquire) == GATE_OPEN)
        return true;
    pthread_mutex_lock(&flow->say_lock);
    while ((gate = atomic_load(&flow->gate)) == GATE_SHUT)
        pthread_cond_wait(&flow->gate_moved, &flow->say_lock);
    pthread_mutex_unlock(&flow->say_lock);
    return gate == GATE_OPEN;
}

void node_stop(struct node *node)
{
    if (node->is_open && !node->stopped && node->about->stop)
        node->about->stop(node->self);
    node->stopped = true;
}

void *lane_run(void *arg)
{
    struct lane *lane = arg;
    bool more = true, ok;
    uint32_t i;

    prctl(PR_SET_NAME, lane->nodes[0]->plan->name);
    if (!gate_pass(lane->flow))
        return NULL;
    ok = start_all(lane);
    while (ok && more) {
        beat(lane, false);
        ok = turn(lane, &more);
    }
    if (!ok && lane->left)
        lane_abandon(lane);
    if (lane->out) { /* for a reload: its nodes go on elsewhere */
        bell_ring(&lane->flow->done);
        return NULL;
    }
    for (i = 0; i < lane->node_count; i++)
        node_stop(lane->nodes[i]);
    atomic_store(&lane->ended, true);
    bell_ring(&lane->flow->done);
    return NULL;
}
