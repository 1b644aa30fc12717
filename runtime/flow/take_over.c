/* take_over.c - what a flow at rest had goes over into the next one.
 *
 * A kept node's instance goes over as it is, with its memory and its accounts; one that
 * was opened anew gets the accounts and, where that is for it, the state of the one
 * before. Queues go over with what is in them. The table of names is the same.
 *
 * Nothing in here can fail for want of anything: what can has been made before
 * (reload.c). */
#include <stdlib.h>
#include <string.h>

#include "flow/acks.h"
#include "flow/build.h"
#include "flow/commit_inside.h"
#include "flow/reload_inside.h"
#include "flow/snap.h"
#include "flow/uplink.h"

#define SWAP(type, field) \
    do { \
        type swapped = to->field; \
        to->field = from->field; \
        from->field = swapped; \
    } while (0)

/* ---- nodes ---- */

static void account_move(struct node *to, const struct node *from)
{
    struct account a = ledger_read(&from->ledger);

    ledger_write(&to->ledger, &a);
}

static void timers_move(struct node *to, struct node *from)
{
    SWAP(struct timer *, timers.slots);
    SWAP(uint32_t, timers.used);
    SWAP(int64_t, timers.next_ns);
}

static void instance_move(struct node *to, struct node *from)
{
    SWAP(void *, self);
    SWAP(struct node_handle *, handle);
    SWAP(struct cell *, cell);
    SWAP(const struct aff_plugin *, about);
    SWAP(const struct plan *, home);
    SWAP(bool, is_open);
    SWAP(bool, started);
    SWAP(bool, stopped);
    SWAP(_Atomic uint64_t *, metrics);
    SWAP(struct hold, hold);
    SWAP(struct state, state);
    SWAP(struct acks *, acks);
    timers_move(to, from);
    if (to->acks)
        acks_join(to->acks, &to->lane->bell);
    rouse_join(&to->handle->rouse, &to->lane->bell);
    rouse_join(&from->handle->rouse, &from->lane->bell);
    atomic_store_explicit(&to->handle->node, to, memory_order_release);
    atomic_store_explicit(&from->handle->node, from, memory_order_release);
}

static void node_move(struct node *to, struct node *from)
{
    account_move(to, from);
    to->name_id = from->name_id;
    if (!from->is_open) /* it was being tried; so it is here */
        return;
    instance_move(to, from);
    to->ids = from->ids;
    to->breaker = from->breaker;
    to->late = from->late;
    to->gathers = from->gathers;
    to->flush_ns = from->flush_ns;
    to->waking = from->waking;
    to->retry_next = from->retry_next;
    to->wake_ns = from->wake_ns;
    to->first_event_ns = from->first_event_ns;
    to->last_event_ns = from->last_event_ns;
    to->has_first = from->has_first;
    to->over = from->over;
    to->drained = from->drained;
    to->resends = from->resends;
    to->seen_ns = from->seen_ns;
    atomic_store(&to->give, atomic_load(&from->give));
    memcpy(to->why, from->why, sizeof to->why);
    atomic_fetch_add(&to->flow->stream_bytes, to->state.bytes);
}

static const char *reason_name(const struct node *node, uint32_t row)
{
    return row ? node->plan->plugin->verdicts[row - 1].name : "refused";
}

/* Reasons by their names: another version may have others. */
static void account_restart(struct node *to, const struct node *from)
{
    struct account was = ledger_read(&from->ledger), a = was;
    uint32_t i, k;

    memset(a.by_verdict, 0, sizeof a.by_verdict);
    for (i = 0; i < to->verdict_rows; i++)
        for (k = 0; k < from->verdict_rows; k++)
            if (strcmp(reason_name(to, i), reason_name(from, k)) == 0)
                a.by_verdict[i] = was.by_verdict[k];
    a.held = to->hold.count;
    if (was.held > a.held) {
        flow_log(to->flow, AFF_LOG_ERROR, to->plan->name, "%llu records that it held are lost: its state was not taken over",
                 (unsigned long long)(was.held - a.held));
        a.dropped += was.held - a.held;
    }
    ledger_write(&to->ledger, &a);
}

static void node_restart(struct node *to, struct node *from, bool state_stays)
{
    struct wire wire = { 0 };
    char why[256];
    aff_status st = AFF_ERR_DATA;

    if (from->is_open && (state_stays || from->about->kind == AFF_SOURCE)) {
        st = snap_write(from, &wire);
        if (st == AFF_OK)
            st = snap_read(to, wire.bytes, wire.size, why, sizeof why);
        else
            memcpy(why, "it gave none", sizeof "it gave none");
        if (st != AFF_OK)
            flow_log(to->flow, AFF_LOG_WARN, to->plan->name, "begins with nothing kept from before: %s", why);
    }
    to->resends = from->resends;
    wire_free(&wire);
    account_restart(to, from);
}

static void nodes_move(struct reload *r)
{
    const struct difference *d = r->difference;
    struct flow *old = r->flow, *next = r->next;
    uint32_t i;

    for (i = 0; i < d->node_count; i++) {
        const struct difference_node *n = &d->nodes[i];

        if (n->kind == DIFFERENCE_KEPT)
            node_move(&next->nodes[n->after], &old->nodes[n->before]);
        else if (n->kind == DIFFERENCE_CHANGED)
            node_restart(&next->nodes[n->after], &old->nodes[n->before], n->state_stays);
    }
    flow_close_plugins(old);
    for (i = 0; i < d->node_count; i++) {
        const struct difference_node *n = &d->nodes[i];

        if (n->kind == DIFFERENCE_CHANGED)
            names_hand_over(next->names, old->nodes[n->before].name_id, next->nodes[n->after].name_id);
        else if (n->kind == DIFFERENCE_REMOVED)
            names_leave(next->names, old->nodes[n->before].name_id);
    }
}

/* ---- edges ---- */

/* From one queue in memory to another, of other settings. */
static void pour(struct queue *to, struct queue *from)
{
    struct aff_record batch[PLAN_BATCH];
    uint32_t n;

    while ((n = queue_take(from, batch, PLAN_BATCH)) > 0 && queue_put(to, batch, n))
        queue_back(from);
}

static void queue_move(struct reload *r, struct link *to, struct link *from)
{
    struct queue_figures f;

    if (!to->queue && to->plan->way == EDGE_QUEUE) {
        to->queue = from->queue;
        from->queue = NULL;
        build_queue_join(to->reader->flow, to);
        return;
    }
    if (to->queue && from->plan->when_full == WHEN_FULL_DROP_OLDEST)
        pour(to->queue, from->queue);
    queue_figures(from->queue, &f);
    to->dropped_before += f.dropped;
    to->lost_before += f.lost;
    if (to->queue && from->plan->when_full == to->plan->when_full)
        return;
    r->left_in_store += f.stored;
    r->let_go += f.queued - f.stored;
}

/* Of an edge that was another kind before only what was taken counts. */
static void counts_move(struct link *to, const struct link *from)
{
    bool both = to->plan->way == EDGE_QUEUE && from->plan->way == EDGE_QUEUE;
    struct queue_figures f = { 0 };
    uint64_t taken = atomic_load(&from->taken);

    atomic_store(&to->taken, taken);
    if (both && to->plan->when_full == from->plan->when_full) {
        atomic_store(&to->put, atomic_load(&from->put));
        atomic_store(&to->expired, atomic_load(&from->expired));
        to->dropped_before = from->dropped_before;
        to->lost_before = from->lost_before;
        return;
    }
    if (to->queue)
        queue_figures(to->queue, &f);
    atomic_store(&to->put, taken + f.queued);
}

static void edge_new(struct link *to)
{
    struct queue_figures f = { 0 };

    if (to->queue)
        queue_figures(to->queue, &f);
    atomic_store(&to->put, f.queued);
}

static void edges_move(struct reload *r)
{
    const struct difference *d = r->difference;
    struct queue_figures f;
    uint32_t i;

    for (i = 0; i < d->edge_count; i++) {
        const struct difference_edge *e = &d->edges[i];
        struct link *to = e->after == PLAN_NONE ? NULL : &r->next->links[e->after];
        struct link *from = e->before == PLAN_NONE ? NULL : &r->flow->links[e->before];

        if (to && from) {
            if (from->queue)
                queue_move(r, to, from);
            counts_move(to, from);
        } else if (to) {
            edge_new(to);
        } else if (from->queue) {
            queue_figures(from->queue, &f);
            r->left_in_store += f.stored;
            r->let_go += f.queued - f.stored;
        }
    }
    for (i = 0; i < r->flow->plan->edge_count; i++)
        queue_close(&r->flow->links[i].queue);
}

/* ---- what stands above them ---- */

static void accounts_move(struct reload *r)
{
    const struct accounts *from = r->flow->commit->accounts;
    struct accounts *to = r->next->commit->accounts;
    uint32_t i;

    to->since_utc_ns = from->since_utc_ns;
    to->commits = from->commits;
    to->runs = from->runs;
    to->deaths = from->deaths;
    to->lost = from->lost;
    to->set_aside = from->set_aside;
    for (i = 0; i < r->difference->node_count; i++) {
        const struct difference_node *n = &r->difference->nodes[i];

        if (n->before != PLAN_NONE && n->after != PLAN_NONE)
            to->nodes[n->after].numbers[ACCOUNTS_UNSAFE] = from->nodes[n->before].numbers[ACCOUNTS_UNSAFE];
    }
}

static void commit_move(struct reload *r)
{
    struct commit *to = r->next->commit;
    const struct commit *from = r->flow->commit;
    uint32_t i;

    to->resumed = from->resumed;
    to->was_clean = from->was_clean;
    to->run = from->run; /* not marked as stored: the first group comes at once, and says how things stand now */
    atomic_store(&to->begun, atomic_load(&from->begun));
    for (i = 0; i < to->name_count; i++)
        to->nodes[i] = "";
    for (i = 0; i < r->next->plan->node_count; i++)
        to->nodes[r->next->nodes[i].name_id] = r->next->plan->nodes[i].name;
    accounts_move(r);
}

static void flow_move(struct flow *to, struct flow *from)
{
    uint32_t i;

    to->before = NULL; /* the table of names is its own now */
    from->names = NULL;
    atomic_store(&to->unbalanced, atomic_load(&from->unbalanced));
    atomic_store(&to->resending, atomic_load(&from->resending));
    atomic_store(&to->retries, atomic_load(&from->retries) + 1u);
    if (to->clock.is_virtual)
        clock_jump(&to->clock, clock_now(&from->clock));
    for (i = 0; i < from->plan->domain_count; i++) /* all that has ended is committed */
        names_commit(to->names, names_when(i, UINT64_MAX));
}

void take_over(struct reload *r)
{
    uint32_t i;

    for (i = 0; i < r->flow->plan->lane_count; i++)
        if (r->flow->lanes[i].out && r->flow->lanes[i].left)
            pause_roll_back(&r->flow->lanes[i]);
    uplinks_move(r->next, r->flow);
    nodes_move(r);
    edges_move(r);
    commit_move(r);
    flow_move(r->next, r->flow);
    uplinks_moved(r->next);
}
