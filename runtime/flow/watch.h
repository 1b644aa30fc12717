/* watch.h - what a plugin waits for beside its records: descriptors (a serial line, a
 * socket), a time (wake_at), a word from a thread of its own (rouse).
 *
 * All that goes with the instance (struct node_handle) into a changed pipeline. A lane that
 * waits polls the descriptors together with its bell. What has come for a sink is done
 * there and then, in whatever the lane waits for: its `wake` is called. What has come for
 * others ends the wait only where the lane has nothing else to do (lane_idle), since any of
 * them may be in the middle of a call, down below.
 *
 * Not here: the wait itself (lane.c). */
#ifndef AFFERENT_FLOW_WATCH_H
#define AFFERENT_FLOW_WATCH_H

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <afferent/plugin.h>

struct bell;
struct lane;
struct node;

enum { WATCHES = 8 }; /* a node */

struct watches {
    uint32_t count;
    struct pollfd fds[WATCHES];
};

/* host->rouse: the lock keeps the bell of a lane that ends. */
struct rouse {
    pthread_mutex_t lock;
    struct bell *bell;
    _Atomic bool is_rung;
};

/* [control][data] host->watch; `events`: AFF_WATCH_..., 0 to forget. False: too many. */
bool watches_set(struct watches *watches, int fd, uint32_t events);

/* [control] */
void rouse_init(struct rouse *rouse, struct bell *bell);
void rouse_free(struct rouse *rouse);
/* [control] Its node goes on in a lane with this bell. */
void rouse_join(struct rouse *rouse, struct bell *bell);
/* [any] host->rouse. */
void rouse_ring(struct rouse *rouse);

/* ---- the lane: [data]. `idle`: it has nothing else to do ---- */

/* The descriptors that this wait polls, written to `polls` (room for WATCHES a node). */
uint32_t watches_list(const struct lane *lane, struct pollfd *polls, bool idle);
/* After a poll of that list: the time has come of each node of which one is ready; false:
 * none is. */
bool watches_wake(struct lane *lane, const struct pollfd *polls, bool idle);
/* Whether a node was roused; taken, its time has come. */
bool watches_roused(const struct lane *lane, bool idle);
void watches_rouse(struct lane *lane, bool idle);
/* Takes what is there while it has much to do, now and then. */
void watches_look(struct lane *lane);

/* Whether the node is woken in every wait. */
bool watch_serves(const struct node *node);
/* Calls `wake` of these where it is due. False: the run ends. When that is next. */
bool watch_serve(struct lane *lane);
int64_t watch_serve_next(const struct lane *lane);
/* Whether something came for a node that is not served so. */
bool watch_calls(const struct lane *lane);
/* Calls `wake` or `flush` of a sink once; on IO and MEMORY *at_ns is when to do so again, at
 * the latest. False: the run ends. */
bool watch_call(struct node *node, aff_status (*callback)(void *self), int64_t *at_ns);

#endif
