/* flow.h - a running pipeline.
 *
 * Built from a checked plan, started, watched, stopped, closed. Everything that
 * moves lives in here: one thread a lane, rings between lanes, epochs.
 *
 * Not here: what a plan may be (config/), how a run is shown (show/). */
#ifndef AFFERENT_FLOW_FLOW_H
#define AFFERENT_FLOW_FLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "config/plan.h"
#include "flow/kept.h"
#include "flow/ledger.h"

struct flow;

/* Tests listen to what happens in the data path (trace.h). */
struct trace {
    /* [any] A line, ended by a newline; borrowed. Lines are kept in the order of these calls. */
    void (*line)(void *arg, const char *text);
    void *arg;
};

struct flow_options {
    int64_t for_ns;     /* sources end after this much event time; 0: never */
    bool virtual_clock; /* tests: time jumps instead of passing */
    uint64_t seed;      /* of host->random; 0: from the system */
    /* [any] One line for the operator; `node` may be NULL. Borrowed texts. */
    void (*log)(void *arg, int level, const char *node, const char *text);
    void *arg;
    uint64_t identity; /* of the pipeline's file, by its place; 0: not known */
    bool fresh; /* begins anew, wherever the last run stopped */
    const struct kept *kept; /* the store; NULL: nothing is stored. Borrowed until close */
    const struct trace *trace; /* NULL: nobody listens. Borrowed until close */
};

/* [control] Builds it and opens every plugin, sinks first. NULL: *ret_status is
 * AFF_ERR_CONFIG, _IO (an input or peer is missing: try again) or _MEMORY, and
 * `ret_why` (of `room` bytes) says why. The plan is borrowed until close. */
struct flow *flow_open(const struct plan *plan, const struct flow_options *options,
                       aff_status *ret_status, char *ret_why, size_t room);
/* [control] Starts the lanes. False: no thread could be made. */
bool flow_start(struct flow *flow);
/* [any, also in a signal handler] Sources end; what is under way is finished. */
void flow_drain(struct flow *flow);
/* [any, also in a signal handler] Waits end at once; queued records are lost and
 * the ledger says how many. */
void flow_abort(struct flow *flow);
/* [control] Whether all lanes have ended; waits up to timeout_ns for it. */
bool flow_wait(struct flow *flow, int64_t timeout_ns);
/* [any] Lets flow_wait return before its time. */
void flow_nudge(struct flow *flow);
/* [control, all lanes have ended, the keeper has stopped] Whether a stop was cut short, since a
 * sink that blocks its way, or the store, took nothing more, or flow_abort was asked for: then
 * the accounts are those of the last commit from here on. What came after it is read again, or lost with a live source. */
bool flow_cut_short(struct flow *flow);

/* How a run that did not end in order came to its end, as far as it could still store that. */
enum flow_end {
    FLOW_END_NONE,  /* it runs, or the process was killed, or power was lost */
    FLOW_END_CUT,   /* a stop was cut short */
    FLOW_END_ABORT, /* it was told twice to stop */
    FLOW_END_ERROR
};
#define FLOW_RUN_PIECE "run" /* the piece of state that says so */
/* [any] Of the bytes of that piece. */
enum flow_end flow_end_read(const void *bytes, size_t size);
/* [control] Joins the lanes and closes every plugin. Drain or abort before. */
void flow_close(struct flow **flow);

/* [keeper] What is complete, as one group (keep/keeper.h); it is durable; the store is
 * bad: the run ends on an error. */
bool flow_gather(void *flow, struct kept_group *group, int64_t *ret_wait_ns);
void flow_stored(void *flow);
void flow_store_failed(void *flow, const char *why);
/* [any] Gives a node a row at its port for commands: `count` pairs of column and text, all
 * borrowed. False: it takes none; `ret_why` says why. True: it is handed over. */
bool flow_order(struct flow *flow, const char *node, const char *const *pairs, uint32_t count, char *ret_why,
                size_t room);
/* [any] The store has letters that are to be tried again. */
void flow_retry(struct flow *flow);
/* [any] What the queue of an edge is called in the store. */
void flow_queue_name(const struct plan *plan, uint32_t edge, char *ret_name, size_t room);
/* [any] Whether it has a store. */
bool flow_keeps(const struct flow *flow);
/* [any] Whether this run went on where an earlier one stopped. */
bool flow_resumed(const struct flow *flow);

/* [one watcher] Whether a lane has been inside one call for `most_ns`, as far as calls of
 * this at `now_ns` (any clock that only rises) can tell; `ret_names`: its nodes. To be asked
 * several times in `most_ns`. A lane that waits is never hung. */
bool flow_hung(struct flow *flow, int64_t now_ns, int64_t most_ns, char *ret_names, size_t room);

/* [any] AFF_OK, or why the run ended on an error; *ret_why is borrowed. */
aff_status flow_failure(const struct flow *flow, const char **ret_why);

/* What is known of a node, now. */
struct flow_node {
    const char *name;
    const struct plugin *plugin;
    struct account account;
    const _Atomic uint64_t *by_verdict; /* LEDGER_VERDICTS rows */
    const _Atomic uint64_t *metrics;    /* a row each of the plugin's table */
    int64_t allocated;                  /* bytes by host->alloc */
};
struct flow_edge {
    uint64_t put;
    uint64_t taken;
    uint64_t queued;
    uint64_t stored;  /* of these, in the store */
    uint64_t expired; /* too old when their turn came */
    uint64_t dropped; /* by drop_oldest */
    uint64_t lost;    /* stored, and could not be read */
    int64_t oldest_ns; /* event time of the first in line; INT64_MAX: none */
};
void flow_node(const struct flow *flow, uint32_t index, struct flow_node *ret_node);
/* [any] How often the node's call has failed in a row (0: it works), and why. */
uint64_t flow_node_failing(struct flow *flow, uint32_t index, char *ret_why, size_t room);
/* [any] Where it runs and how it is confined, as text; how often its child was replaced. */
uint64_t flow_node_isolation(struct flow *flow, uint32_t index, char *ret_text, size_t room);
void flow_edge(const struct flow *flow, uint32_t index, struct flow_edge *ret_edge);

/* [any] Committed epochs (of the domain that has most), and whether the books of one of them
 * were wrong. */
uint64_t flow_committed(const struct flow *flow);
bool flow_unbalanced(const struct flow *flow);
/* [any] Whether the accounts agree now; exact once flow_wait said true: each
 * node's sums, and what each edge was given with what it gave. */
bool flow_balances(const struct flow *flow);

#endif
