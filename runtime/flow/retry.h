/* retry.h - dead letters that go in again at the node where they failed. */
#ifndef AFFERENT_FLOW_RETRY_H
#define AFFERENT_FLOW_RETRY_H

#include "flow/kept.h"
#include "flow/lane.h"
#include "flow/uplink.h"

/* [data] Lets in, between two batches, what the store has for the lane's nodes, if
 * there is anything new. False: the run is being aborted. */
bool retry_turn(struct lane *lane);
/* [data] Whether there may be. What nothing may leave to waits in the store. */
static inline bool retry_ready(const struct lane *lane)
{
    const struct hold *hold = &lane->nodes[0]->hold;

    return lane->flow->kept && uplink_lets(lane->nodes[0], AFF_PRIO_ALARM) && !atomic_load_explicit(&lane->flow->pausing, memory_order_acquire) &&
           (lane->retries_seen != atomic_load_explicit(&lane->flow->retries, memory_order_acquire) ||
            (lane->retries_wait && hold->count < hold->room));
}
/* The commit: adds what went in during an epoch to the group; it is stored. */
void retry_gather(const struct lane *lane, uint64_t epoch, struct kept_group *group);
void retry_forget(const struct lane *lane, uint64_t epoch);

#endif
