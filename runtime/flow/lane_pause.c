/* lane_pause.c - lanes come to rest, so that the pipeline can be changed (reload.c).
 *
 * While the flow is pausing no head takes anything in, no timer runs, and epochs that
 * have begun are ended. A lane with nothing to do is parked: its count `parks` is odd,
 * and `parked_epoch` says which epoch it would open next. When all are at rest they
 * are told to leave; a sink behind a queue that does not work may leave at any time,
 * since all it has not finished is in the store.
 *
 * Not here: who decides that all are at rest (pause.c). */
#include "flow/answers.h"
#include "flow/lane_inside.h"

static bool is_quiet(const struct lane *lane)
{
    const struct epochs *epochs = &lane->domain->epochs;

    return lane->epoch_began_ns == INT64_MAX && !epochs_is_stirred(epochs, lane->epoch) &&
           answers_oldest(lane) == UINT64_MAX && (lane->kind == LANE_RINGS || lane->told == lane->epoch);
}

bool lane_may_leave(const struct lane *lane)
{
    return lane->flow->kept && lane->kind == LANE_QUEUES && lane->node_count == 1 &&
           lane->nodes[0]->about->kind == AFF_SINK;
}

/* Decided under the lock, so that who takes the order back knows who has gone. */
bool lane_goes(struct lane *lane, enum flow_leaves least)
{
    struct flow *flow = lane->flow;

    if (lane->out)
        return true;
    if (atomic_load_explicit(&flow->leaving, memory_order_acquire) < (int)least)
        return false;
    pthread_mutex_lock(&flow->say_lock);
    lane->out = atomic_load(&flow->leaving) >= (int)least;
    pthread_mutex_unlock(&flow->say_lock);
    return lane->out;
}

bool lane_gives_up(struct lane *lane)
{
    return lane_may_leave(lane) && lane_goes(lane, FLOW_STUCK_LEAVE);
}

struct parking {
    struct lane *lane;
    bool (*ready)(void *lane);
    enum flow_leaves least; /* the order that it obeys; lesser ones are for others */
};

static bool is_called(void *arg)
{
    struct parking *p = arg;
    struct flow *flow = p->lane->flow;

    return !lane_pausing(p->lane) || atomic_load_explicit(&flow->leaving, memory_order_acquire) >= (int)p->least ||
           p->ready(p->lane);
}

/* The lane has nothing to do. False: aborting. */
static bool park(struct lane *lane, bool (*ready)(void *lane), bool *ret_more)
{
    struct parking parking = { lane, ready, lane_may_leave(lane) && !is_quiet(lane) ? FLOW_STUCK_LEAVE : FLOW_ALL_LEAVE };
    bool ok;

    if (lane_goes(lane, parking.least)) {
        lane->left = !is_quiet(lane);
        *ret_more = false;
        return true;
    }
    atomic_store(&lane->parked_epoch, is_quiet(lane) ? lane->epoch : 0);
    atomic_fetch_add(&lane->parks, 1);
    bell_ring(&lane->flow->done);
    ok = lane_wait(lane, is_called, &parking, answers_next(lane));
    atomic_fetch_add(&lane->parks, 1);
    return ok;
}

static bool head_called(void *arg)
{
    struct lane *lane = arg;
    const struct epochs *epochs = &lane->domain->epochs;

    return answers_ready(lane) || epochs_is_cut(epochs, lane->epoch) || lane_stirred(lane) ||
           epochs_committed(epochs) != lane->told;
}

bool lane_head_pause(struct lane *lane, bool *ret_more)
{
    if (epochs_is_cut(&lane->domain->epochs, lane->epoch))
        return lane_end_epoch(lane);
    if (lane->epoch_began_ns != INT64_MAX || lane_stirred(lane)) {
        lane_cut(lane);
        return true;
    }
    return park(lane, head_called, ret_more);
}

bool lane_rings_pause(struct lane *lane, bool (*ready)(void *lane), bool *ret_more)
{
    return park(lane, ready, ret_more);
}

/* In the epoch that was cut for it, all nodes that go or start anew let go what they
 * keep, in the data's order. */
bool lane_let_go_all(struct lane *lane)
{
    uint32_t i;

    if (atomic_load(&lane->domain->let_go_at) != lane->epoch)
        return true;
    for (i = 0; i < lane->node_count; i++) {
        struct node *node = lane->nodes[i];

        if (node->lets_go && !node->drained && !node_call(node, node->about->drain))
            return false;
    }
    return true;
}
