/* lane_inside.h - what the three kinds of lanes share: lane.c does it, and
 * lane_source.c, lane_rings.c and lane_queues.c have a turn each. */
#ifndef AFFERENT_FLOW_LANE_INSIDE_H
#define AFFERENT_FLOW_LANE_INSIDE_H

#include "flow/lane.h"

/* All [data]; false: the run is being aborted. */

/* One turn; *ret_more false: the lane is through. */
bool lane_source_turn(struct lane *lane, bool *ret_more);
bool lane_rings_turn(struct lane *lane, bool *ret_more);
bool lane_queues_turn(struct lane *lane, bool *ret_more);

/* Ends the epoch: sinks sync, nodes note how they stand, its end goes on. */
bool lane_end_epoch(struct lane *lane);
/* No more input. */
bool lane_finish(struct lane *lane);
/* Books answers of peers, and says what the lane is done with by them. */
bool lane_answers(struct lane *lane);
/* The end of a lane whose sink does not work while the run is being stopped: the epoch
 * under way did not happen. */
void lane_abandon(struct lane *lane);
/* Calls wake and timer where they are due. Not `quiet`: records wait to be taken, so no event
 * time is missed yet. */
bool lane_wake_due(struct lane *lane, bool quiet);
/* When one of them is due next. */
int64_t lane_next_wake(const struct lane *lane);
/* What its own lane has done with by now may be overwritten, unless a ring still
 * carries it. */
void lane_let_go(struct lane *lane);
/* Feeds a batch in which marks of streams' ends may stand between records. */
bool lane_feed(struct link *link, struct aff_record *records, uint32_t count, uint16_t flags);
/* Tells its source, and lets go, what was committed since. */
void lane_committed(struct lane *lane);
/* Waits while as many epochs are in flight as may be; *ret_full: they still are. */
bool lane_in_flight(struct lane *lane, bool *ret_full);
/* Asks that the epoch under way be ended everywhere in the domain. */
void lane_cut(struct lane *lane);
/* Whether it is old or large enough for that. */
bool lane_cut_due(const struct lane *lane, int64_t now);
/* A timer made something in an epoch that no head has opened. */
bool lane_stirred(const struct lane *lane);

/* Sleeps as lane_wait does, and until the time of any other of its nodes has come, too. */
bool lane_idle(struct lane *lane, bool (*ready)(void *arg), void *arg, int64_t until_ns);

bool lane_aborting(const struct lane *lane);
/* When a stop that is under way has lasted long enough; INT64_MAX: there is none. */
int64_t lane_stop_until(const struct lane *lane);
/* Ends the run as it is: the next one goes on from the last commit. */
void lane_stop_short(struct lane *lane, const char *node, const char *why);

/* ---- lane_take.c ---- */

/* Of its queues that have records one of the highest class, in turn; NULL: none has. */
struct link *lane_queue_ready(struct lane *lane);
/* It has taken what its writers had ended, and no other of its queues has more: time to end
 * the epoch. */
bool lane_at_end(struct lane *lane);
/* Lets go what has expired of classes that may not leave now; *ret_any: something was. When
 * to look again. */
bool lane_sweep(struct lane *lane, int64_t now, bool *ret_any);
int64_t lane_next_sweep(const struct lane *lane);
/* Takes a batch of at most `most` records and feeds it to the head. */
bool lane_take(struct lane *lane, struct link *link, uint32_t most, int64_t now);

/* ---- lane_pause.c ---- */

static inline bool lane_pausing(const struct lane *lane)
{
    return atomic_load_explicit(&lane->flow->pausing, memory_order_acquire);
}
/* A turn while the flow is pausing: of a head; of another that has nothing to take. */
bool lane_head_pause(struct lane *lane, bool *ret_more);
bool lane_rings_pause(struct lane *lane, bool (*ready)(void *lane), bool *ret_more);
/* Nodes let go what they keep, where the epoch under way is the one for that. */
bool lane_let_go_all(struct lane *lane);
/* [any] Whether it may leave in the middle of a batch. */
bool lane_may_leave(const struct lane *lane);
/* Whether it was told to leave; from the first yes on it does. */
bool lane_goes(struct lane *lane, enum flow_leaves least);
bool lane_gives_up(struct lane *lane);

static inline int64_t low_ns(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

#endif
