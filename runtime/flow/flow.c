/* flow.c - life of a running pipeline. See flow.h. */
#include "flow/flow.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "cell/cell.h"
#include "flow/build.h"
#include "flow/commit.h"
#include "flow/trace.h"

void flow_log(const struct flow *flow, int level, const char *node, const char *format, ...)
{
    char text[640];
    va_list args;

    if (!flow->options.log)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    flow->options.log(flow->options.arg, level, node, text);
}

void flow_ring(struct flow *flow)
{
    uint32_t i;

    for (i = 0; i < flow->plan->lane_count; i++)
        bell_ring(&flow->lanes[i].bell);
}

void flow_drain(struct flow *flow)
{
    if (!atomic_load(&flow->draining))
        atomic_store(&flow->drained_ns, clock_now(&flow->clock));
    atomic_store(&flow->draining, true);
    flow_ring(flow);
}

void flow_abort(struct flow *flow)
{
    if (!atomic_load(&flow->draining))
        atomic_store(&flow->drained_ns, clock_now(&flow->clock));
    atomic_store(&flow->draining, true);
    atomic_store(&flow->aborting, true);
    flow_ring(flow);
}

void flow_fail(struct flow *flow, const struct node *node, aff_status status, const char *why)
{
    int32_t none = AFF_OK;

    if (atomic_compare_exchange_strong(&flow->failing, &none, status)) {
        snprintf(flow->failure, sizeof flow->failure, "[%s] %s", node->plan->name, why[0] ? why : "no cause given");
        atomic_store_explicit(&flow->failed, status, memory_order_release);
    }
    flow_abort(flow);
}

aff_status flow_failure(const struct flow *flow, const char **ret_why)
{
    aff_status st = atomic_load_explicit(&flow->failed, memory_order_acquire);

    *ret_why = st == AFF_OK ? "" : flow->failure;
    return st;
}

void flow_retry(struct flow *flow)
{
    atomic_fetch_add(&flow->retries, 1);
    flow_ring(flow);
}

bool flow_keeps(const struct flow *flow)
{
    return flow->kept != NULL;
}

bool flow_stopping(const struct flow *flow)
{
    return flow->kept && atomic_load_explicit(&flow->draining, memory_order_acquire);
}

/* ---- books ---- */

bool flow_balances(const struct flow *flow)
{
    struct flow_edge e;
    uint32_t i;

    for (i = 0; i < flow->plan->node_count; i++) {
        struct account a = ledger_read(&flow->nodes[i].ledger);

        if (!account_balances(&a))
            return false;
    }
    for (i = 0; i < flow->plan->edge_count; i++) {
        flow_edge(flow, i, &e);
        if (e.put != e.taken + e.expired + e.dropped + e.lost + (flow->links[i].queue ? e.queued : 0))
            return false;
    }
    return !atomic_load(&flow->unbalanced);
}

bool flow_unbalanced(const struct flow *flow)
{
    return atomic_load(&flow->unbalanced);
}

uint64_t flow_committed(const struct flow *flow)
{
    uint64_t most = EPOCH_FIRST;
    uint32_t i;

    for (i = 0; i < flow->plan->domain_count; i++)
        if (epochs_committed(&flow->domains[i].epochs) > most)
            most = epochs_committed(&flow->domains[i].epochs);
    return most - EPOCH_FIRST;
}

void flow_node(const struct flow *flow, uint32_t index, struct flow_node *ret_node)
{
    const struct node *n = &flow->nodes[index];

    *ret_node = (struct flow_node){
        .name = n->plan->name,
        .plugin = n->plan->plugin,
        .account = ledger_read(&n->ledger),
        .by_verdict = n->ledger.by_verdict,
        .metrics = n->metrics,
        .allocated = atomic_load_explicit(&n->handle->allocated, memory_order_relaxed),
    };
}

/* What a lane had in hand when it gave up, or was stopped short, waits in the queue all the
 * same where that is stored. */
static uint64_t queued_of(const struct link *l, const struct flow_edge *e, const struct queue_figures *f)
{
    const struct flow *flow = l->reader->flow;
    bool stays = flow->kept && atomic_load(&flow->aborting);
    uint64_t gone = e->taken + e->expired + e->dropped + e->lost;

    return !l->reader->lane->left && !stays ? f->queued : e->put > gone ? e->put - gone : 0;
}

void flow_edge(const struct flow *flow, uint32_t index, struct flow_edge *ret_edge)
{
    const struct link *l = &flow->links[index];
    struct queue_figures f = { .oldest_ns = INT64_MAX };

    if (l->queue)
        queue_figures(l->queue, &f);
    *ret_edge = (struct flow_edge){ .oldest_ns = f.oldest_ns };
    ret_edge->expired = atomic_load_explicit(&l->expired, memory_order_acquire);
    ret_edge->dropped = l->dropped_before + f.dropped;
    ret_edge->lost = l->lost_before + f.lost;
    ret_edge->stored = f.stored;
    ret_edge->taken = atomic_load_explicit(&l->taken, memory_order_acquire);
    ret_edge->put = atomic_load_explicit(&l->put, memory_order_acquire);
    ret_edge->queued = l->queue ? queued_of(l, ret_edge, &f) : l->edge ? edge_queued(l->edge) : 0;
}

/* ---- life ---- */

/* Behind a queue a sink whose target is not there holds nobody up: its lane opens it
 * when it can be. */
static bool opens_later(struct flow *flow, const struct node *node)
{
    bool queued = false;
    uint32_t i;

    for (i = 0; i < flow->plan->edge_count; i++)
        queued |= flow->plan->edges[i].to == node->index && flow->plan->edges[i].way == EDGE_QUEUE;
    if (node->about->kind != AFF_SINK || node->about->restore || !queued)
        return false;
    flow_log(flow, AFF_LOG_WARN, node->plan->name, "%s; it is opened when it can be, and what comes is kept until then",
             node->why);
    return true;
}

/* One that dies as it is opened in its process holds up nobody but who waits for it. */
static bool opens_lost(struct flow *flow, struct node *node)
{
    if (!node->cell || !cell_open_lost(node->cell, &node->handle->host, &node->self))
        return false;
    failing_note(node, node->why);
    flow_log(flow, AFF_LOG_ERROR, node->plan->name, "%s as it was opened; the pipeline begins without it, and it is tried "
             "again when it has something to do", node->why);
    return true;
}

/* Sinks first, sources last: who reads is ready before anybody writes. */
static aff_status open_plugins(struct flow *flow, char *why, size_t room)
{
    uint32_t i;

    for (i = flow->plan->node_count; i-- > 0;) {
        struct node *node = &flow->nodes[i];
        aff_status st = AFF_OK;

        if (node->about->open)
            st = node->about->open(&node->handle->host, node_config(node), &node->self);
        if (st == AFF_ERR_IO && opens_lost(flow, node))
            st = AFF_OK;
        if (st == AFF_ERR_IO && opens_later(flow, node))
            continue;
        if (st < 0) {
            snprintf(why, room, "[%s] %s", node->plan->name, node->why[0] ? node->why : "cannot be opened");
            return st;
        }
        node->is_open = true;
    }
    return AFF_OK;
}

void flow_close_plugins(struct flow *flow)
{
    uint32_t i;

    for (i = 0; flow->nodes && i < flow->plan->node_count; i++) {
        struct node *node = &flow->nodes[i];
        int64_t left;

        if (!node->is_open)
            continue;
        if (node->started)
            node_stop(node);
        if (node->about->close)
            node->about->close(node->self);
        left = atomic_load(&node->handle->allocated);
        if (left != 0)
            flow_log(flow, AFF_LOG_ERROR, node->plan->name, "leaks %lld bytes", (long long)left);
        node->is_open = false;
    }
}

struct flow *flow_make(const struct plan *plan, const struct flow_options *options, struct flow *before)
{
    struct flow *flow = aligned_alloc(EDGE_LINE, (sizeof *flow + EDGE_LINE - 1u) & ~(size_t)(EDGE_LINE - 1u));
    uint64_t seed = options->seed;

    if (!flow)
        return NULL;
    memset(flow, 0, sizeof *flow);
    flow->plan = plan;
    flow->before = before;
    flow->options = *options;
    flow->kept = options->kept;
    flow->clock.is_virtual = options->virtual_clock;
    flow->utc_offset_ns = (flow->clock.is_virtual ? 0 : clock_real(CLOCK_REALTIME)) - clock_now(&flow->clock);
    flow->planned_bytes = plan_memory(plan, NULL, 0, NULL);
    flow->done.fd = -1;
    pthread_mutex_init(&flow->say_lock, NULL);
    pthread_cond_init(&flow->gate_moved, NULL);
    if (seed == 0 && getrandom(&seed, sizeof seed, 0) != (ssize_t)sizeof seed)
        seed = (uint64_t)clock_real(CLOCK_REALTIME);
    atomic_init(&flow->random, seed);
    atomic_init(&flow->retries, 1);
    if (!bell_open(&flow->done) || !build_flow(flow))
        flow_close(&flow);
    return flow;
}

struct flow *flow_open(const struct plan *plan, const struct flow_options *options,
                       aff_status *ret_status, char *ret_why, size_t room)
{
    struct flow *flow = flow_make(plan, options, NULL);

    *ret_status = AFF_ERR_MEMORY;
    snprintf(ret_why, room, "no memory for the pipeline");
    if (!flow)
        return NULL;
    *ret_status = open_plugins(flow, ret_why, room);
    if (*ret_status == AFF_OK && !commit_resume(flow))
        *ret_status = AFF_ERR_MEMORY;
    if (*ret_status < 0)
        flow_close(&flow);
    else
        trace_begin(flow, EPOCH_FIRST);
    return flow;
}

bool flow_start_lane(struct lane *lane)
{
    lane->threaded = pthread_create(&lane->thread, NULL, lane_run, lane) == 0;
    return lane->threaded;
}

void flow_nudge(struct flow *flow)
{
    atomic_store(&flow->nudged, true);
    bell_ring(&flow->done);
}

bool flow_start(struct flow *flow)
{
    uint32_t i;

    if (flow->kept)
        flow->kept->ring(flow->kept->self);

    for (i = 0; i < flow->plan->lane_count; i++)
        if (!flow_start_lane(&flow->lanes[i])) {
            flow_abort(flow);
            return false;
        }
    return true;
}

static bool all_ended(const struct flow *flow)
{
    uint32_t i;

    for (i = 0; i < flow->plan->lane_count; i++)
        if (flow->lanes[i].threaded && !atomic_load(&flow->lanes[i].ended))
            return false;
    return true;
}

bool flow_wait(struct flow *flow, int64_t timeout_ns)
{
    int64_t until = timeout_ns < 0 ? INT64_MAX : clock_real(CLOCK_BOOTTIME) + timeout_ns;

    for (;;) {
        int64_t now;

        bell_prepare(&flow->done);
        now = clock_real(CLOCK_BOOTTIME);
        if (all_ended(flow) || now >= until || atomic_exchange(&flow->nudged, false)) {
            bell_cancel(&flow->done);
            return all_ended(flow);
        }
        bell_wait(&flow->done, until == INT64_MAX ? -1 : until - now);
    }
}

void flow_close(struct flow **flow)
{
    struct flow *f = *flow;
    uint32_t i;

    if (!f)
        return;
    for (i = 0; f->lanes && i < f->plan->lane_count; i++)
        if (f->lanes[i].threaded)
            pthread_join(f->lanes[i].thread, NULL);
    flow_close_plugins(f);
    if (f->retired)
        flow_close(&f->retired);
    build_close(f);
    bell_close(&f->done);
    pthread_cond_destroy(&f->gate_moved);
    pthread_mutex_destroy(&f->say_lock);
    free(f);
    *flow = NULL;
}
