/* lane.h - a thread of the data path, and the flow that its nodes share.
 *
 * A lane has one head: a source, or a node fed by rings. The head and the nodes
 * fused behind it run one after another on the same batch. A lane waits in one
 * function, for whatever it needs: records, room, a time, a commit.
 *
 * Not here: what happens to a batch (node.h). */
#ifndef AFFERENT_FLOW_LANE_H
#define AFFERENT_FLOW_LANE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "flow/bell.h"
#include "flow/clock.h"
#include "flow/epoch.h"
#include "flow/flow.h"
#include "flow/names.h"
#include "flow/node.h"

struct lane {
    struct flow *flow;
    uint32_t index;
    struct node **nodes; /* in the data's order; the first is the head */
    uint32_t node_count;
    struct link **ins; /* rings into the head */
    uint32_t in_count;
    struct link **rings; /* rings out of any of its nodes */
    uint32_t ring_count;
    struct bell bell;
    uint64_t epoch;
    _Atomic uint64_t final_epoch; /* its accounts are final from here on */
    int64_t epoch_began_ns; /* of its first record; INT64_MAX: none yet */
    uint64_t told;          /* epochs below have been told to the source */
    uint32_t want;          /* of its source, at most so many records a read */
    bool is_told;           /* that its source waits for memory */
    int64_t retry_ns;       /* back-off of its source; 0: it works */
    pthread_t thread;
    bool threaded;
    _Atomic bool ended;
    struct aff_record batch[PLAN_BATCH];
};

struct flow {
    const struct plan *plan;
    struct flow_options options;
    struct clock clock;
    struct names *names;
    struct epochs epochs;
    struct bytes *rings; /* by node */
    struct node *nodes;
    struct link *links;
    struct edge *edges; /* of the links that are rings */
    uint32_t edge_count;
    struct lane *lanes;
    uint64_t planned_bytes;  /* rings, hold areas */
    _Atomic uint64_t stream_bytes; /* state of all nodes for one more stream */
    _Atomic uint64_t random;
    _Atomic bool draining;
    _Atomic bool aborting;
    _Atomic bool unbalanced;
    _Atomic int32_t failing; /* aff_status of the first failure */
    _Atomic int32_t failed;  /* the same, once `failure` is written */
    char failure[384];
    struct bell done; /* rung at the end of a lane */
};

/* [data] Sleeps until ready(arg), `until_ns` (INT64_MAX: never) or abort. What
 * was reached is for the caller to look at; false: aborting. */
bool lane_wait(struct lane *lane, bool (*ready)(void *arg), void *arg, int64_t until_ns);
/* [data] Sleeps out a back-off. False: aborting. */
bool lane_sleep(struct lane *lane, int64_t for_ns);

/* The thread's function. */
void *lane_run(void *lane);

/* [any] The run cannot go on: first one wins. */
void flow_fail(struct flow *flow, const struct node *node, aff_status status, const char *why);
/* [any] */
void flow_log(const struct flow *flow, int level, const char *node, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* [data] All lanes are done with the epoch: checks its books (epochs_done). */
void flow_commit(void *flow, uint64_t epoch);
/* [any] Rings all bells. */
void flow_ring(struct flow *flow);

#endif
