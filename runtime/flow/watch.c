/* watch.c - what a plugin waits for beside its records. See watch.h. */
#include "flow/watch.h"

#include "flow/acks.h"
#include "flow/lane_inside.h"

enum { LOOK_NS = 10000000 }; /* how often a busy lane looks at descriptors */

static short poll_events(uint32_t events)
{
    return (short)((events & AFF_WATCH_READ ? POLLIN : 0) | (events & AFF_WATCH_WRITE ? POLLOUT : 0));
}

bool watches_set(struct watches *w, int fd, uint32_t events)
{
    uint32_t i = 0;

    while (i < w->count && w->fds[i].fd != fd)
        i++;
    if (events == 0) {
        if (i < w->count)
            w->fds[i] = w->fds[--w->count];
        return true;
    }
    if (i == WATCHES)
        return false;
    w->fds[i] = (struct pollfd){ .fd = fd, .events = poll_events(events) };
    w->count += i == w->count;
    return true;
}

/* ---- rouse ---- */

void rouse_init(struct rouse *r, struct bell *bell)
{
    pthread_mutex_init(&r->lock, NULL); /* of the default kind: cannot fail */
    r->bell = bell;
}

void rouse_free(struct rouse *r)
{
    pthread_mutex_destroy(&r->lock);
}

void rouse_join(struct rouse *r, struct bell *bell)
{
    pthread_mutex_lock(&r->lock);
    r->bell = bell;
    pthread_mutex_unlock(&r->lock);
}

void rouse_ring(struct rouse *r)
{
    atomic_store(&r->is_rung, true);
    pthread_mutex_lock(&r->lock);
    bell_ring(r->bell);
    pthread_mutex_unlock(&r->lock);
}

/* ---- what this wait looks at ---- */

/* While the flow is pausing all that began is ended, and for that alone a sink is woken.
 * When the lane's accounts are final nothing may change them. */
bool watch_serves(const struct node *node)
{
    const struct lane *lane = node->lane;

    return node->about->kind == AFF_SINK && node->is_open && node->started && !node->stopped && !lane->is_final &&
           (!lane_pausing(lane) || (node->acks && acks_count(node->acks) > 0));
}

static bool looks_at(const struct node *node, bool idle)
{
    return idle || watch_serves(node);
}

uint32_t watches_list(const struct lane *lane, struct pollfd *polls, bool idle)
{
    uint32_t count = 0, i, k;

    for (i = 0; i < lane->node_count; i++) {
        const struct watches *w = &lane->nodes[i]->handle->watches;

        for (k = 0; k < w->count && looks_at(lane->nodes[i], idle); k++)
            polls[count++] = w->fds[k];
    }
    return count;
}

/* A descriptor that was closed and not forgotten would be ready for ever. */
static bool look(struct node *node, const struct pollfd *polled)
{
    if (polled->revents & POLLNVAL) {
        flow_log(node->flow, AFF_LOG_ERROR, node->plan->name, "it watches a descriptor that is closed; forgotten");
        watches_set(&node->handle->watches, polled->fd, 0);
    }
    return polled->revents != 0;
}

bool watches_wake(struct lane *lane, const struct pollfd *polls, bool idle)
{
    bool any = false;
    uint32_t i, k;

    for (i = 0; i < lane->node_count; i++) {
        struct node *node = lane->nodes[i];
        uint32_t count = looks_at(node, idle) ? node->handle->watches.count : 0;

        for (k = 0; k < count; k++, polls++)
            if (look(node, polls)) {
                node->wake_ns = 0;
                any = true;
            }
    }
    return any;
}

bool watches_roused(const struct lane *lane, bool idle)
{
    uint32_t i;

    for (i = 0; i < lane->node_count; i++)
        if (atomic_load_explicit(&lane->nodes[i]->handle->rouse.is_rung, memory_order_acquire) &&
            looks_at(lane->nodes[i], idle))
            return true;
    return false;
}

void watches_rouse(struct lane *lane, bool idle)
{
    uint32_t i;

    for (i = 0; i < lane->node_count; i++) {
        struct node *node = lane->nodes[i];
        _Atomic bool *is_rung = &node->handle->rouse.is_rung;

        if (!atomic_load_explicit(is_rung, memory_order_relaxed) || !looks_at(node, idle))
            continue;
        atomic_exchange(is_rung, false);
        node->wake_ns = 0;
        node->rouses++;
    }
}

void watches_look(struct lane *lane)
{
    uint32_t count = watches_list(lane, lane->polls + 1, false);
    int64_t now;

    watches_rouse(lane, true);
    if (count == 0)
        return;
    now = clock_now(&lane->flow->clock);
    if (now < lane->looked_ns + LOOK_NS)
        return;
    lane->looked_ns = now;
    if (poll(lane->polls + 1, count, 0) > 0)
        watches_wake(lane, lane->polls + 1, false);
}

/* ---- calls ---- */

/* It may stand between two batches, or between two offers of one: what is in hand is put
 * back as it was. */
bool watch_call(struct node *node, aff_status (*callback)(void *self), int64_t *at_ns)
{
    struct hand hand = node->hand;
    uint64_t records = node->epoch_records;
    aff_status st;
    int64_t at;
    bool ok;

    node->hand = (struct hand){ 0 };
    st = callback(node->self);
    settle_asides(node, 0);
    ok = node_settle(node, 0);
    node->hand = hand;
    node->wakes++;
    if (node->epoch_records > records && epochs_stir(&node->lane->domain->epochs, node->lane->epoch))
        flow_ring(node->flow);
    if (!ok)
        return false;
    if (st >= 0) {
        backoff_over(node, &node->waking);
        return true;
    }
    if (st != AFF_ERR_IO && st != AFF_ERR_MEMORY) {
        flow_fail(node->flow, node, st, failing_cause(node));
        return false;
    }
    at = clock_now(&node->flow->clock) + backoff_next(node, &node->waking, st);
    *at_ns = low_ns(*at_ns, at);
    return true;
}

/* What its peer had no room for may have been sent now. */
static bool wake(struct node *node)
{
    node->wake_ns = INT64_MAX;
    if (!node->about->wake)
        return true;
    if (node->late.kind == LATE_FULL)
        node->late.until_ns = 0;
    return watch_call(node, node->about->wake, &node->wake_ns);
}

bool watch_serve(struct lane *lane)
{
    uint32_t i;

    for (i = 0; i < lane->node_count; i++) {
        struct node *node = lane->nodes[i];

        if (node->wake_ns != INT64_MAX && watch_serves(node) && node->wake_ns <= clock_now(&lane->flow->clock) && !wake(node))
            return false;
    }
    return true;
}

int64_t watch_serve_next(const struct lane *lane)
{
    int64_t next = INT64_MAX;
    uint32_t i;

    for (i = 0; i < lane->node_count; i++)
        if (watch_serves(lane->nodes[i]))
            next = low_ns(next, lane->nodes[i]->wake_ns);
    return next;
}

bool watch_calls(const struct lane *lane)
{
    uint32_t i;

    for (i = 0; i < lane->node_count; i++) {
        unsigned kind = lane->nodes[i]->about->kind;

        if (lane->nodes[i]->wake_ns == 0 && (kind == AFF_SOURCE || (kind != AFF_SINK && !lane_pausing(lane))))
            return true;
    }
    return false;
}
