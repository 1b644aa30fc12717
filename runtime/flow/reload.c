/* reload.c - see reload.h. Coming to rest is pause.c, what goes over is take_over.c. */
#include "flow/reload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flow/build.h"
#include "flow/commit_inside.h"
#include "flow/reload_inside.h"

/* ---- the next flow ---- */

/* Numbers that neither flow has given: the table of names knows nodes by them. */
static uint32_t name_ids(struct reload *r)
{
    struct flow *old = r->flow, *next = r->next;
    uint32_t i, k, id = 0, top = 0;

    for (i = 0; i < old->plan->node_count; i++)
        top = old->nodes[i].name_id > top ? old->nodes[i].name_id : top;
    for (i = 0; i < next->plan->node_count; i++) {
        bool taken = !next->nodes[i].is_kept;

        while (taken) {
            taken = false;
            for (k = 0; k < old->plan->node_count; k++)
                taken |= old->nodes[k].name_id == id;
            id += taken;
        }
        if (!next->nodes[i].is_kept)
            next->nodes[i].name_id = id++;
    }
    return id > top ? id : top + 1u;
}

/* What cannot be had when the flow is at rest is made before. */
static bool names_fit(struct reload *r)
{
    struct commit *c = r->next->commit;
    const struct difference *d = r->difference;
    uint32_t i, count = name_ids(r);
    const char **nodes = calloc(count + 1u, sizeof *nodes);

    if (!nodes)
        return false;
    free(c->nodes);
    c->nodes = nodes;
    c->name_count = count;
    c->gone = calloc(d->node_count + 1u, sizeof *c->gone);
    for (i = 0; c->gone && i < d->node_count; i++) {
        if (d->nodes[i].kind != DIFFERENCE_REMOVED)
            continue;
        c->gone[c->gone_count] = strdup(d->nodes[i].name);
        if (!c->gone[c->gone_count])
            return false;
        c->gone_count++;
    }
    return c->gone != NULL;
}

static bool make_next(struct reload *r)
{
    struct flow_options options = r->flow->options;
    const struct difference *d = r->difference;
    uint32_t i;

    options.seed = atomic_load(&r->flow->random) | 1u;
    r->next = flow_make(r->plan, &options, r->flow);
    if (!r->next)
        return false;
    for (i = 0; i < d->node_count; i++)
        if (d->nodes[i].kind == DIFFERENCE_KEPT)
            r->next->nodes[d->nodes[i].after].is_kept = true;
    return names_fit(r);
}

/* As it was before: it may be tried again. */
static void open_undo(struct node *node)
{
    atomic_fetch_sub(&node->flow->stream_bytes, node->state.bytes);
    state_close(&node->state);
    node->self = NULL;
}

static aff_status open_node(struct reload *r, struct node *node)
{
    aff_status st = AFF_OK;

    node->why[0] = '\0';
    if (node->about->open)
        st = node->about->open(&node->handle->host, node_config(node), &node->self);
    if (st >= 0) {
        node->is_open = true;
        return AFF_OK;
    }
    snprintf(r->why, sizeof r->why, "[%s] %s", node->plan->name, node->why[0] ? node->why : "cannot be opened");
    open_undo(node);
    return st;
}

aff_status reload_open(struct reload *r)
{
    aff_status st = AFF_OK;
    uint32_t i;

    if (!r->next && !make_next(r)) {
        snprintf(r->why, sizeof r->why, "no memory for the changed pipeline");
        reload_cancel(r);
        return AFF_ERR_MEMORY;
    }
    for (i = r->plan->node_count; st == AFF_OK && i-- > 0;)
        if (!r->next->nodes[i].is_kept && !r->next->nodes[i].is_open)
            st = open_node(r, &r->next->nodes[i]);
    if (st != AFF_OK && st != AFF_ERR_IO)
        reload_cancel(r);
    return st;
}

void reload_cancel(struct reload *r)
{
    struct flow *next = r->next;
    uint32_t i;

    if (!next)
        return;
    flow_close_plugins(next);
    for (i = 0; i < next->plan->node_count; i++)
        if (!next->nodes[i].is_kept && next->commit->gone)
            names_leave(r->flow->names, next->nodes[i].name_id);
    flow_close(&r->next);
}

/* ---- the change ---- */

/* A queue goes over as it is where nothing about it is another. */
static bool queue_goes_over(const struct link *from, const struct link *to)
{
    return from && from->queue && from->plan->when_full == to->plan->when_full &&
           from->plan->priority == to->plan->priority && !(from->reader->lane->out && from->reader->lane->left);
}

static bool open_queues(struct reload *r)
{
    const struct difference *d = r->difference;
    uint32_t i;

    for (i = 0; i < d->edge_count; i++) {
        const struct difference_edge *e = &d->edges[i];
        struct link *to = e->after == PLAN_NONE ? NULL : &r->next->links[e->after];

        if (!to || to->plan->way != EDGE_QUEUE ||
            queue_goes_over(e->before == PLAN_NONE ? NULL : &r->flow->links[e->before], to))
            continue;
        to->queue = build_queue(r->next, to);
        if (!to->queue) {
            snprintf(r->why, sizeof r->why, "no memory for the queue to %s, or its store cannot be read",
                     to->reader->plan->name);
            return false;
        }
    }
    return true;
}

static void gate_move(struct flow *flow, enum flow_gate gate)
{
    pthread_mutex_lock(&flow->say_lock);
    atomic_store(&flow->gate, (int)gate);
    pthread_cond_broadcast(&flow->gate_moved);
    pthread_mutex_unlock(&flow->say_lock);
}

static bool start_behind_gate(struct reload *r)
{
    struct flow *next = r->next;
    uint32_t i;

    gate_move(next, GATE_SHUT);
    for (i = 0; i < next->plan->lane_count; i++)
        if (!flow_start_lane(&next->lanes[i])) {
            gate_move(next, GATE_GONE);
            snprintf(r->why, sizeof r->why, "no thread could be made");
            return false;
        }
    return true;
}

/* Others may be in a host function with what it was a moment ago: its shell stays until
 * the next reload; what is large goes now. */
static void retire(struct reload *r)
{
    struct flow *old = r->flow;
    uint32_t i;

    flow_close(&old->retired);
    for (i = 0; i < old->edge_count; i++)
        edge_close(&old->edges[i]);
    for (i = 0; i < old->plan->node_count; i++)
        bytes_close(&old->rings[i]);
    r->next->retired = old;
    r->flow = r->next;
    r->next = NULL;
}

bool reload_swap(struct reload *r)
{
    int64_t began_ns = clock_real(CLOCK_BOOTTIME);
    struct flow *next = r->next;

    r->left_in_store = r->let_go = 0;
    if (!pause_begin(r)) {
        reload_cancel(r);
        return false;
    }
    if (atomic_load(&r->flow->aborting) || !open_queues(r) || !start_behind_gate(r)) {
        reload_cancel(r);
        pause_end(r);
        return false;
    }
    take_over(r);
    pause_begin_at(next, pause_next_epoch(r->flow));
    retire(r);
    if (r->attach)
        r->attach(r->arg, next);
    gate_move(next, GATE_OPEN);
    r->paused_ns = clock_real(CLOCK_BOOTTIME) - began_ns;
    return true;
}

bool reload_uses(const struct flow *flow, const struct plan *plan)
{
    uint32_t i;

    if (flow->plan == plan || (flow->retired && flow->retired->plan == plan))
        return true;
    for (i = 0; i < flow->plan->node_count; i++)
        if (flow->nodes[i].home == plan)
            return true;
    return false;
}
