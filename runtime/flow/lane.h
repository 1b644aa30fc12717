/* lane.h - a thread of the data path, and the flow that its nodes share.
 *
 * A lane has one head: a source, a node fed by rings, or one fed by queues. The head
 * and the nodes fused behind it run one after another on the same batch. A lane waits
 * in one function, for whatever it needs: records, room, a time, a commit. Lanes
 * joined by rings are one commit domain; a queue ends one.
 *
 * Not here: what happens to a batch (node.h), what a commit stores (commit.h). */
#ifndef AFFERENT_FLOW_LANE_H
#define AFFERENT_FLOW_LANE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "flow/bell.h"
#include "flow/clock.h"
#include "flow/epoch.h"
#include "flow/flow.h"
#include "flow/kept.h"
#include "flow/names.h"
#include "flow/node.h"
#include "flow/queue.h"
#include "flow/wire.h"

/* How long a lane goes on with what waits in queues while the run is being stopped. */
#define LANE_LEAVE_NS 2000000000
/* How long a stop waits for what cannot be put into the store: a sink that blocks its
 * way and does not work, a store that takes nothing. */
#define LANE_STOP_NS 10000000000

enum lane_kind { LANE_SOURCE, LANE_RINGS, LANE_QUEUES };

/* Nodes whose records become safe together. */
struct domain {
    struct epochs epochs;
    uint64_t chosen;     /* epochs below are in the group that is being stored */
    _Atomic uint64_t let_go_at; /* in this epoch nodes let go what they keep (lane_pause.c); 0: in none */
    uint64_t seen;       /* the latest complete epoch that the keeper has seen */
    int64_t seen_ns;     /* since when */
};

struct lane {
    struct flow *flow;
    uint32_t index;
    enum lane_kind kind;
    struct domain *domain;
    struct node **nodes; /* in the data's order; the first is the head */
    uint32_t node_count;
    struct link **ins; /* rings or queues into the head; queues by falling priority */
    uint32_t in_count;
    uint32_t taken_in; /* of ins, the queue that was taken from last */
    struct link **rings; /* rings out of any of its nodes */
    uint32_t ring_count;
    struct link **queues; /* queues out of any of its nodes */
    uint32_t queue_count;
    struct bell bell;
    struct pollfd *polls; /* the bell, then what its nodes watch */
    int64_t looked_ns;    /* at these, while it was busy */
    uint64_t epoch;
    _Atomic uint64_t final_epoch; /* its accounts are final from here on */
    int64_t epoch_began_ns; /* of its first record; INT64_MAX: none yet */
    uint64_t told;          /* epochs below have been told to the source */
    uint32_t want;          /* of its source, at most so many records a read */
    bool is_told;           /* that its source waits for memory */
    int64_t retry_ns;       /* back-off of its source; 0: it works */
    bool has_more;          /* its source said so when it was read last */
    int64_t rest_ns;        /* until then it gives that before it rests; 0: nobody asked */
    uint32_t rest_reads;    /* ... in so many reads so far */
    bool is_ending;         /* it has no more input */
    bool is_final;          /* its accounts are: nothing is called any more but stop */
    bool at_end;            /* of what its writers had ended: time to end the epoch */
    int64_t leave_ns;       /* the run is being stopped: until then it goes on; 0: not yet */
    _Atomic bool left;      /* its sink failed then: what is not safe stays in the store */
    struct wire *letters;   /* dead letters by epoch, EPOCH_NOTES of them (letters.c) */
    struct wire letter;     /* the one that is being written */
    struct wire *retried;   /* letters that went in again, by epoch (retry.c) */
    uint64_t retries_seen;  /* as flow->retries */
    bool retries_wait;      /* some: the device of this lane holds all it can */
    uint8_t *retry_buffer;
    size_t retry_room;
    _Atomic uint64_t beats; /* turns and waits so far (alive.c) */
    _Atomic bool rests;     /* it waits, and nothing is wrong with that */
    uint64_t beats_seen;    /* by who watches, and when they were last seen to move */
    int64_t seen_ns;
    pthread_t thread;
    bool threaded;
    _Atomic bool ended;
    _Atomic uint64_t parks;        /* odd: it rests */
    _Atomic uint64_t parked_epoch; /* the next it will open; 0: something is not done yet */
    bool was_pausing; /* when its turn began */
    uint64_t parks_seen; /* by who waits for it */
    _Atomic bool out;    /* it has left for a reload; set under the flow's say_lock */
    struct aff_record batch[PLAN_BATCH];
};

struct flow {
    const struct plan *plan;
    struct flow_options options;
    struct clock clock;
    struct names *names;
    const struct kept *kept; /* NULL: nothing is stored */
    const struct trace *trace; /* NULL: nobody listens */
    struct domain *domains;
    struct commit *commit; /* commit.c */
    struct bytes *rings; /* by node */
    struct node *nodes;
    struct link *links;
    struct edge *edges; /* of the links that are rings */
    uint32_t edge_count;
    struct lane *lanes;
    uint64_t planned_bytes;  /* rings, hold areas */
    _Atomic uint64_t stream_bytes; /* state of all nodes for one more stream */
    _Atomic uint64_t random;
    int64_t utc_offset_ns; /* wall clock less boot clock, when it was opened */
    _Atomic bool draining;
    _Atomic int64_t drained_ns; /* since when */
    _Atomic bool pausing;  /* nothing is taken in: see lane_pause.c */
    _Atomic int leaving;   /* enum flow_leaves */
    _Atomic bool nudged;   /* flow_wait is to return */
    _Atomic uint32_t links_turn; /* rises when the state of a link changes */
    _Atomic uint64_t retries; /* rises when letters are to be tried again */
    _Atomic int resending; /* sources that read again what was read before a death */
    _Atomic bool aborting;
    _Atomic bool cut_short; /* ... since a stop would have had no end */
    _Atomic bool unbalanced;
    _Atomic int32_t failing; /* aff_status of the first failure */
    _Atomic int32_t failed;  /* the same, once `failure` is written */
    char failure[384];
    pthread_mutex_t say_lock; /* of what is shown of nodes while they run */
    struct bell done; /* rung at the end of a lane */
    struct flow *before;  /* it takes over from this one (reload.c) */
    struct flow *retired; /* it has taken over from this one, whose nodes' shells stay a while */
    _Atomic int gate;     /* enum flow_gate; moved under say_lock */
    pthread_cond_t gate_moved;
};

/* What a flow that is at rest asks of its lanes. */
enum flow_leaves { FLOW_NONE_LEAVE, FLOW_STUCK_LEAVE, FLOW_ALL_LEAVE };
/* Threads of a flow that takes over wait until it has. */
enum flow_gate { GATE_OPEN, GATE_SHUT, GATE_GONE };

/* [data] Sleeps until ready(arg), `until_ns` (INT64_MAX: never) or abort; meanwhile sinks are
 * woken (watch.h). What was reached is for the caller to look at; false: aborting. */
bool lane_wait(struct lane *lane, bool (*ready)(void *arg), void *arg, int64_t until_ns);
/* [data] Sleeps out a back-off. False: aborting. */
bool lane_sleep(struct lane *lane, int64_t for_ns);

/* [control] A flow built from a plan, with nothing open yet; `before`: the one it takes over
 * from, whose table of names it shares. NULL: no memory. */
struct flow *flow_make(const struct plan *plan, const struct flow_options *options, struct flow *before);
/* [control] Stops and closes every plugin that is open. */
void flow_close_plugins(struct flow *flow);
/* [control] Makes the thread of a lane. */
bool flow_start_lane(struct lane *lane);

/* The thread's function. */
void *lane_run(void *lane);

/* [any] The run cannot go on: first one wins. */
void flow_fail(struct flow *flow, const struct node *node, aff_status status, const char *why);
/* [any] */
void flow_log(const struct flow *flow, int level, const char *node, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* [any] The run is being stopped, and goes on from there the next time: nothing is
 * drained. */
bool flow_stopping(const struct flow *flow);
/* [any] Rings all bells. */
void flow_ring(struct flow *flow);

#endif
