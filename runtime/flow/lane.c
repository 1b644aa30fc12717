/* lane.c - the loop of a thread of the data path. See lane.h. */
#include "flow/lane.h"

#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

enum { SPINS = 64, IDLE_NS = 10000000, RETRY_FIRST_NS = 100000000 };
#define RETRY_LAST_NS 10000000000

static bool aborting(const struct lane *lane)
{
    return atomic_load_explicit(&lane->flow->aborting, memory_order_acquire);
}

static inline void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
}

static int64_t low(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* ---- waiting ---- */

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

bool lane_wait(struct lane *lane, bool (*ready)(void *arg), void *arg, int64_t until_ns)
{
    struct clock *clock = &lane->flow->clock;

    for (;;) {
        int64_t now;

        if (aborting(lane))
            return false;
        if (spin(ready, arg))
            return true;
        now = clock_now(clock);
        if (until_ns <= now)
            return true;
        bell_prepare(&lane->bell);
        if (ready(arg) || aborting(lane)) {
            bell_cancel(&lane->bell);
            continue;
        }
        if (clock->is_virtual && until_ns != INT64_MAX) {
            bell_cancel(&lane->bell);
            clock_jump(clock, until_ns);
            continue;
        }
        bell_wait(&lane->bell, until_ns == INT64_MAX ? -1 : until_ns - now);
    }
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

static void tell_committed(struct lane *lane)
{
    struct node *head = lane->nodes[0];
    uint64_t committed = epochs_committed(&lane->flow->epochs);

    if (lane->told == committed)
        return;
    lane->told = committed;
    if (head->about->committed)
        head->about->committed(head->self, committed - 1u);
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
    return true;
}

/* Both ends of each edge and each node note how their books stand. */
static void note_accounts(struct lane *lane)
{
    uint64_t slot = lane->epoch % EDGE_EPOCHS;
    uint32_t i, port, k;

    for (i = 0; i < lane->in_count; i++)
        lane->ins[i]->taken_at[slot] = atomic_load_explicit(&lane->ins[i]->taken, memory_order_relaxed);
    for (i = 0; i < lane->node_count; i++) {
        struct node *node = lane->nodes[i];

        node->at_epoch[slot] = ledger_read(&node->ledger);
        for (port = 0; port < node->plan->plugin->output_count; port++) {
            for (k = 0; k < node->outputs[port].link_count; k++) {
                struct link *link = node->outputs[port].links[k];

                link->put_at[slot] = atomic_load_explicit(&link->put, memory_order_relaxed);
                if (!link->edge)
                    link->taken_at[slot] = atomic_load_explicit(&link->taken, memory_order_relaxed);
            }
        }
    }
}

static bool end_epoch(struct lane *lane)
{
    struct flow *flow = lane->flow;
    struct node *head = lane->nodes[0];
    uint32_t i;

    if (!sync_sinks(lane))
        return false;
    note_accounts(lane);
    for (i = 0; i < lane->ring_count; i++)
        edge_end_epoch(lane->rings[i]->edge, lane->epoch);
    lane->epoch++;
    lane->epoch_began_ns = INT64_MAX;
    head->epoch_records = head->epoch_bytes = 0;
    if (epochs_done(&flow->epochs, lane->index, lane->epoch, flow_commit, flow))
        flow_ring(flow);
    return true;
}

struct commit_wanted {
    struct epochs *epochs;
    uint64_t below;
};

static bool commit_ready(void *arg)
{
    struct commit_wanted *w = arg;

    return epochs_committed(w->epochs) >= w->below;
}

/* No more input: nodes let go what they keep, in the data's order, so that each
 * sees what those before it let go. It all belongs to the epoch under way. */
static bool finish(struct lane *lane)
{
    struct flow *flow = lane->flow;
    struct commit_wanted wanted = { &flow->epochs, lane->epoch + 1u };
    uint32_t i;

    /* Other sources may be silent for long: what this one made last is to be safe. */
    if (lane->nodes[0]->about->kind == AFF_SOURCE && epochs_cut(&flow->epochs, lane->epoch))
        flow_ring(flow);
    for (i = 0; i < lane->node_count; i++)
        if (lane->nodes[i]->about->kind != AFF_SOURCE &&
            !node_call(lane->nodes[i], lane->nodes[i]->about->drain))
            return false;
    if (!sync_sinks(lane))
        return false;
    note_accounts(lane);
    atomic_store(&lane->final_epoch, lane->epoch);
    for (i = 0; i < lane->ring_count; i++)
        edge_finish(lane->rings[i]->edge);
    if (epochs_done(&flow->epochs, lane->index, UINT64_MAX, flow_commit, flow))
        flow_ring(flow);
    if (lane->nodes[0]->about->kind != AFF_SOURCE)
        return true;
    if (!lane_wait(lane, commit_ready, &wanted, INT64_MAX))
        return false;
    tell_committed(lane);
    return true;
}

/* ---- timers ---- */

static int64_t next_wake(const struct lane *lane)
{
    int64_t next = INT64_MAX;
    uint32_t i;

    for (i = 0; i < lane->node_count; i++)
        if (lane->nodes[i]->about->kind != AFF_SOURCE)
            next = low(next, low(lane->nodes[i]->wake_ns, timers_next(lane->nodes[i])));
    return next;
}

/* Not `quiet`: records wait to be taken, so no event time is missed yet. */
static bool wake_due(struct lane *lane, bool quiet)
{
    uint64_t before;
    int64_t now;
    uint32_t i;

    if (next_wake(lane) == INT64_MAX)
        return true;
    now = clock_now(&lane->flow->clock);
    for (i = 0; i < lane->node_count; i++) {
        struct node *node = lane->nodes[i];

        if (node->about->kind == AFF_SOURCE)
            continue;
        before = node->epoch_records;
        if (quiet && !timers_call(node, now))
            return false;
        if (node->wake_ns <= now) {
            node->wake_ns = INT64_MAX;
            if (!node_call(node, node->about->wake))
                return false;
        }
        if (node->epoch_records > before && epochs_stir(&lane->flow->epochs, lane->epoch))
            flow_ring(lane->flow);
    }
    return true;
}

/* What its own lane has done with by now may be overwritten, unless a ring still
 * carries it. */
static void let_go(struct lane *lane)
{
    uint32_t i;

    for (i = 0; i < lane->node_count; i++)
        lane->nodes[i]->keep = lane->nodes[i]->bytes->head;
}

/* ---- a lane with a source ---- */

static bool cut_due(const struct lane *lane, int64_t now)
{
    const struct plan *plan = lane->flow->plan;
    const struct node *head = lane->nodes[0];

    return head->epoch_records >= plan->commit_records || head->epoch_bytes >= plan->commit_bytes ||
           (lane->epoch_began_ns != INT64_MAX && now - lane->epoch_began_ns >= plan->commit_every_ns);
}

/* A timer made something in an epoch that no record of a source has opened. */
static bool stirred(const struct lane *lane)
{
    return lane->epoch_began_ns == INT64_MAX && epochs_is_stirred(&lane->flow->epochs, lane->epoch);
}

/* What a source waits for: a cut, the end, or its turn. */
static bool source_called(void *arg)
{
    struct lane *lane = arg;

    return stirred(lane) || epochs_is_cut(&lane->flow->epochs, lane->epoch) || epochs_committed(&lane->flow->epochs) != lane->told ||
           atomic_load_explicit(&lane->flow->draining, memory_order_acquire);
}

static int64_t source_until(const struct lane *lane)
{
    int64_t until = low(lane->nodes[0]->wake_ns, next_wake(lane));

    if (lane->epoch_began_ns != INT64_MAX)
        until = low(until, lane->epoch_began_ns + lane->flow->plan->commit_every_ns);
    return until;
}

/* A source whose peer or device fails has nothing to give either. */
static enum give give_of(aff_status st)
{
    if (st == AFF_END)
        return GIVE_ENDED;
    return st == AFF_OK || st == AFF_ERR_DATA ? GIVE_BUSY : GIVE_WAITS;
}

/* What streams that ended have had comes back at a commit: so that is hastened,
 * and asked for often. It is how many small files are read, and no fault. */
static void memory_wait(struct lane *lane, int64_t now)
{
    struct node *head = lane->nodes[0];

    if (!lane->is_told)
        flow_log(lane->flow, AFF_LOG_INFO, head->plan->name, "%s; until then it waits for streams to end", head->why);
    lane->is_told = true;
    if (lane->epoch_began_ns != INT64_MAX && epochs_cut(&lane->flow->epochs, lane->epoch))
        flow_ring(lane->flow);
    head->wake_ns = now + IDLE_NS;
}

/* Sets when read is called next. False: the run ends. */
static bool read_handle(struct lane *lane, aff_status st, int64_t now)
{
    struct node *head = lane->nodes[0];

    if (st != AFF_ERR_IO && st != AFF_ERR_MEMORY && lane->retry_ns > 0) {
        flow_log(lane->flow, AFF_LOG_INFO, head->plan->name, "works again");
        lane->retry_ns = 0;
    }
    atomic_store_explicit(&head->give, give_of(st), memory_order_relaxed);
    switch (st) {
    case AFF_OK:
        head->wake_ns = now;
        return true;
    case AFF_AGAIN:
        if (head->wake_ns <= now)
            head->wake_ns = now + IDLE_NS;
        return true;
    case AFF_END:
        head->over = true;
        return true;
    case AFF_ERR_DATA: /* one input is no good; the next one may be */
        flow_log(lane->flow, AFF_LOG_ERROR, head->plan->name, "%s; going on behind it", head->why);
        head->wake_ns = now;
        return true;
    case AFF_ERR_MEMORY:
        memory_wait(lane, now);
        return true;
    case AFF_ERR_IO:
        if (lane->retry_ns == 0)
            flow_log(lane->flow, AFF_LOG_WARN, head->plan->name, "%s; trying again", head->why);
        lane->retry_ns = lane->retry_ns == 0 ? RETRY_FIRST_NS : low(2 * lane->retry_ns, RETRY_LAST_NS);
        head->wake_ns = now + lane->retry_ns;
        return true;
    default:
        flow_fail(lane->flow, head, st, head->why);
        return false;
    }
}

static bool read_once(struct lane *lane, int64_t now)
{
    struct node *head = lane->nodes[0];
    uint64_t before = head->epoch_records;
    uint32_t want = lane->flow->options.for_ns > 0 ? 1 : lane->want;
    aff_status st;

    head->seen_ns = now;
    atomic_store_explicit(&head->give, GIVE_BUSY, memory_order_relaxed);
    st = node_read(head, want);
    if (aborting(lane))
        return false;
    if (head->epoch_records > before && lane->epoch_began_ns == INT64_MAX)
        lane->epoch_began_ns = now;
    return read_handle(lane, st, now);
}

/* One turn; *ret_more false: the lane is through. */
static bool source_turn(struct lane *lane, bool *ret_more)
{
    struct flow *flow = lane->flow;
    struct node *head = lane->nodes[0];
    int64_t now = clock_now(&flow->clock);

    let_go(lane);
    tell_committed(lane);
    if (!wake_due(lane, true))
        return false;
    if (lane->epoch >= epochs_committed(&flow->epochs) + EDGE_EPOCHS) {
        struct commit_wanted wanted = { &flow->epochs, lane->epoch + 1u - EDGE_EPOCHS };

        atomic_store_explicit(&head->give, GIVE_BUSY, memory_order_relaxed);
        return lane_wait(lane, commit_ready, &wanted, next_wake(lane));
    }
    /* An end ends the epoch, too: asked first, it spares an empty one. */
    if (head->over || atomic_load_explicit(&flow->draining, memory_order_acquire)) {
        *ret_more = false;
        return finish(lane);
    }
    if (epochs_is_cut(&flow->epochs, lane->epoch))
        return end_epoch(lane);
    if (stirred(lane))
        lane->epoch_began_ns = now;
    if (cut_due(lane, now)) {
        if (epochs_cut(&flow->epochs, lane->epoch))
            flow_ring(flow);
        return true;
    }
    if (head->wake_ns > now)
        return lane_wait(lane, source_called, lane, source_until(lane));
    return read_once(lane, now);
}

/* ---- a lane fed by rings ---- */

static bool feed(struct link *link, struct aff_record *records, uint32_t count, uint16_t flags)
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

static bool rings_ready(void *arg)
{
    struct lane *lane = arg;
    bool all_over = true;
    uint32_t i;

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
        *ret_any = true;
        if (!feed(lane->ins[i], lane->batch, n, flags))
            return false;
        edge_release(lane->ins[i]->edge);
    }
    return true;
}

static bool ring_turn(struct lane *lane, bool *ret_more)
{
    uint32_t i, over = 0, ended = 0;
    bool any;

    let_go(lane);
    if (!take_all(lane, &any) || !wake_due(lane, !any))
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
        return finish(lane);
    }
    if (ended == lane->in_count)
        return end_epoch(lane);
    return lane_wait(lane, rings_ready, lane, next_wake(lane));
}

/* ---- the thread ---- */

static bool start_all(struct lane *lane)
{
    uint32_t i;

    for (i = 0; i < lane->node_count; i++)
        if (!node_call(lane->nodes[i], lane->nodes[i]->about->start))
            return false;
    return true;
}

void *lane_run(void *arg)
{
    struct lane *lane = arg;
    bool source = lane->nodes[0]->about->kind == AFF_SOURCE, more = true, ok = start_all(lane);
    uint32_t i;

    prctl(PR_SET_NAME, lane->nodes[0]->plan->name);
    while (ok && more)
        ok = source ? source_turn(lane, &more) : ring_turn(lane, &more);
    for (i = 0; i < lane->node_count; i++)
        if (lane->nodes[i]->about->stop)
            lane->nodes[i]->about->stop(lane->nodes[i]->self);
    atomic_store(&lane->ended, true);
    bell_ring(&lane->flow->done);
    return NULL;
}
