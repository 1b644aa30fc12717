/* node.h - a plugin instance in the data path.
 *
 * The way of a batch through a node: node_take (node.c) offers it to the plugin,
 * settles verdicts (settle.c) together with what was emitted (emit.c), and
 * dispatches what leaves to the links of each output: a call for a fused reader,
 * a ring for another lane's.
 *
 * Not here: threads and waiting (lane.h), wiring (build.c). */
#ifndef AFFERENT_FLOW_NODE_H
#define AFFERENT_FLOW_NODE_H

#include <stdbool.h>
#include <stdint.h>

#include <afferent/plugin.h>

#include "config/plan.h"
#include "flow/bytes.h"
#include "flow/edge.h"
#include "flow/epoch.h"
#include "flow/ledger.h"
#include "flow/watch.h"

enum {
    NODE_STAGED = 256,   /* emitted records kept before they are dispatched */
    NODE_PAYLOAD_SHARE = 4 /* a payload takes at most this part of its ring */
};

struct acks;
struct cell;
struct flow;
struct lane;
struct node;
struct uplink;
struct wire;

/* What a source can give now. Held up by slow readers it is busy. */
enum give { GIVE_BUSY, GIVE_WAITS, GIVE_ENDED };

/* An edge at run time. */
struct link {
    const struct plan_edge *plan;
    struct edge *edge;   /* NULL: fused, or a queue */
    struct queue *queue; /* NULL: fused, or a ring */
    struct node *writer;
    struct node *reader;
    _Atomic uint64_t put;   /* counted by the writer's lane */
    _Atomic uint64_t taken; /* counted by the reader's lane */
    _Atomic uint64_t expired; /* the same: came too late to be delivered */
    uint64_t dropped_before; /* by runs that this one goes on with */
    uint64_t lost_before;
    int64_t sweep_ns; /* the reader's lane: when it looks next for what expired while it may not leave */
    uint64_t put_at[EPOCH_NOTES];
    uint64_t taken_at[EPOCH_NOTES];
    uint64_t expired_at[EPOCH_NOTES];
};

struct output {
    struct link **links;
    uint32_t link_count;
    uint32_t schema; /* of the port's table, interned; 0: by record */
    bool is_phi;     /* what leaves here identifies somebody, as the plan knows */
    struct aff_record *waiting; /* records of a mixed batch, up to PLAN_BATCH */
    uint32_t waiting_count;
};

/* The batch that the plugin works on. */
struct hand {
    struct aff_record *records;
    uint32_t count;
    uint32_t settled; /* records below have left */
    uint32_t port;
    const struct aff_record *mark; /* in stream_end: stands for the input */
    const struct aff_record *due;  /* in timer: its subject and event time */
    bool copied;                   /* its payloads lie in the node's own ring */
};

/* What a staged record is: made for an input, made for none, or held before (and
 * so already in the accounts). */
enum staged_kind { STAGED_DERIVED, STAGED_LOOSE, STAGED_RELEASED };

/* What was emitted and has not left, by rising `inputs`: each leaves before the
 * input of that index. The draft is the one behind them. */
struct staged {
    struct aff_record *records;
    uint32_t *inputs;
    uint16_t *ports;
    uint8_t *kinds; /* enum staged_kind */
    uint32_t count;
    bool draft_open;
    uint32_t draft_room;
    uint16_t draft_port;
    uint32_t draft_input;
};

/* How ids are made. */
struct ids {
    uint64_t node_hash;
    uint64_t source;      /* sources: of this incarnation */
    uint64_t seq;         /* sources: next */
    uint32_t input;       /* whose emits are counted */
    uint32_t index;       /* of the next emit for it */
    uint64_t loose;       /* emits without an input so far */
};

/* Parts of one input that were set aside, until the input itself is settled. */
struct asides {
    uint32_t input;
    uint32_t count;
    uint32_t by_verdict[LEDGER_VERDICTS];
};

/* Event times that the node waits for (timers.c). */
struct timers {
    struct timer *slots; /* by subject; NULL: the node has no callback for it */
    uint32_t used;       /* slots that were ever used are below */
    int64_t next_ns;     /* none is due before this, on the boot clock */
    struct node **sources; /* above this node */
    uint32_t source_count;
};

struct hold {
    struct aff_record *records; /* data is memory of its own; NULL: free place */
    struct hold_place *places;
    uint32_t room;
    uint32_t count;
    uint32_t pending; /* held in this call, verdict to come */
    uint32_t oldest, newest; /* places by age, counted from 1; 0: none */
};

struct state {
    uint8_t *base; /* reserved address space, touched where used */
    uint32_t *generations;
    size_t bytes; /* a slot */
    size_t asked; /* of these, by the plugin */
    size_t mapped;
    uint32_t slots;
    uint32_t used; /* slots that were ever used are below */
    bool per_subject;
    bool is_stored; /* as it was kept: the plugin has not said yet what it wants */
};

/* A peer that fails again and again is asked with one record at a time. */
struct breaker {
    uint32_t failures;  /* in a row */
    int64_t since_ns;   /* of the first of them, boot clock */
};

/* How long something that fails has been retried. */
struct backoff {
    int64_t wait_ns;
    bool told;
};

/* How a peer that answers late stands: whether it could not take what it was given for want
 * of room, or failed. Nothing new is offered until what came back was. */
enum late_kind { LATE_NONE, LATE_FULL, LATE_FAILED };
struct lateness {
    enum late_kind kind;
    int64_t until_ns; /* when to offer again what came back; 0: now */
    struct backoff backoff;
};

/* What a plugin gets of its node. It stays where it is when the node goes over into a
 * changed pipeline (reload.c). */
struct node_handle {
    struct aff_host host; /* first: a host function finds its node by it */
    _Atomic(struct node *) node;
    _Atomic int64_t allocated; /* bytes by host->alloc */
    struct watches watches;    /* what it waits for */
    struct rouse rouse;
    char node_name[64], pipeline_name[64];
    struct aff_link link;      /* that it keeps up; under the flow's say_lock */
};

struct node {
    union { /* first; for calls of our own, as node_handle */
        struct aff_host host;
        struct node_handle inner;
    };
    struct node_handle *handle; /* the plugin's */
    struct flow *flow;
    struct lane *lane;
    const struct plan_node *plan;
    const struct aff_plugin *about;
    uint32_t index;
    void *self;
    struct cell *cell; /* its plugin runs in a process of its own; NULL: here */
    bool is_open;
    bool started, stopped; /* its lane has called these */
    bool lets_go;          /* before a reload it lets go what it keeps, as in drain */
    bool is_kept;          /* of a flow that takes over from another: its instance comes from there */
    const struct plan *home; /* whose plugin and config its instance works with */
    uint32_t name_id;        /* what it is to the table of names */
    struct bytes *bytes; /* this node's of flow->rings */
    uint64_t keep;       /* lowest position in hand of its own lane */
    struct link **carriers; /* rings that may carry its payloads, near to far */
    uint32_t carrier_count;
    struct output *outputs;
    int32_t *pass_port;  /* by input: output index, or -1 */
    struct link **onward; /* by input: the one fused reader of that output, or NULL */
    uint8_t verdict_kind[LEDGER_VERDICTS]; /* by verdict byte; 0: the default */
    uint16_t verdict_port[LEDGER_VERDICTS];
    uint32_t verdict_rows; /* valid verdict bytes are below */
    uint8_t *verdicts;
    struct aff_record *scratch; /* a fan-out's copy of headers */
    struct hand hand;
    struct staged staged;
    struct ids ids;
    struct hold hold;
    struct asides asides;
    struct wire *parts;    /* letters of what is set aside, until its input is settled */
    struct breaker breaker;
    _Atomic uint64_t failing; /* calls that failed in a row */
    char fails_why[256];      /* under the flow's say_lock */
    struct acks *acks;     /* what waits for its peer's answer; NULL: it answers at once */
    struct lateness late;
    bool gathers;          /* it took something since `flush` was called last */
    int64_t flush_ns;      /* not before: it failed */
    struct backoff waking; /* its wake, or flush, fails */
    uint64_t wakes, rouses; /* so many so far */
    struct uplink *uplink; /* what it may send now, and by which link; NULL: all */
    uint64_t retry_next;   /* letters below have gone in again */
    struct order *orders;  /* under the flow's say_lock: rows for its port for commands */
    uint32_t again_tries;  /* of the one that goes in now */
    struct timers timers;
    struct state state;
    struct ledger ledger;
    struct account at_epoch[EPOCH_NOTES];
    _Atomic uint64_t *metrics; /* counters, or a gauge's bits */
    int64_t wake_ns;
    bool too_large;  /* the latest reserve failed for size, not for room */
    bool names_full; /* a name was refused: no commit can help, which waits for this node */
    /* sources */
    _Atomic int give; /* enum give */
    int64_t first_event_ns;
    int64_t last_event_ns;
    bool has_first;
    bool over; /* a limit was reached, or the source ended */
    bool drained;   /* it has let go all it kept: its sources have ended */
    bool cut_asked; /* host->cut */
    uint64_t resends; /* a source: so many records may have been delivered before */
    uint64_t epoch_records;
    uint64_t epoch_bytes;
    int64_t seen_ns;
    char why[256]; /* the latest cause given to explain */
};

/* [control] What the plugin's open is given as its config. */
const void *node_config(const struct node *node);
/* [control] The host functions, filled in (host.c). */
void host_fill(struct aff_host *host);

/* ---- node.c: [data]; false: the run is being aborted ---- */

/* Gives a batch to the link's reader. The array is the reader's to change. */
bool node_feed(struct link *link, struct aff_record *records, uint32_t count);
/* Gives it the mark of a stream's end, which it hands on. */
bool node_mark(struct link *link, const struct aff_record *mark);
/* Sends records, or a mark, out of a port; the array may be changed. */
bool node_dispatch(struct node *node, uint32_t port, struct aff_record *records, uint32_t count);
bool node_dispatch_mark(struct node *node, uint32_t port, const struct aff_record *mark);
/* Gives it one record that comes by no edge (orders.c), or that failed here before
 * (retry.c). Its bytes are lent for the call. */
bool node_put_in(struct node *node, struct aff_record *record, uint32_t port);
bool node_again(struct node *node, struct aff_record *record, uint32_t port);
/* Calls drain or wake (NULL: nothing) until it is taken, and lets go what was
 * emitted; IO and MEMORY are retried. node_retry: any call of its plugin. */
bool node_call(struct node *node, aff_status (*callback)(void *self));
bool node_retry(struct node *node, aff_status (*call)(void *arg), void *arg);
/* Calls its plugin's stop, once. */
void node_stop(struct node *node);
/* Calls a source's read once, and lets go what was emitted. */
aff_status node_read(struct node *node, uint32_t want);

/* Calls `timer` for this subject and time, and lets go what was emitted before
 * the batch in hand. */
bool node_timer(struct node *node, const struct aff_record *due);

/* ---- failing.c ---- */

/* [data] A call failed and will be made again, true: for another reason than before,
 * which is worth a line in the log; it works again. */
bool failing_note(struct node *node, const char *why);
void failing_over(struct node *node);
const char *failing_cause(const struct node *node);

/* [data] How long to wait before the next try of what answered so; says it once. The wait
 * doubles up to 10 s. */
int64_t backoff_next(struct node *node, struct backoff *backoff, aff_status status);
void backoff_over(struct node *node, struct backoff *backoff);
/* [data] A try went so, as a whole; whether there were too many bad ones in a row. */
void breaker_count(struct node *node, aff_status status);
bool breaker_open(const struct node *node);

/* ---- timers.c ---- */

/* [control] */
bool timers_open(struct node *node);
void timers_close(struct timers *timers);
/* [data] host->timer. False: no such subject, or no callback. */
bool timers_set(struct node *node, uint32_t subject, int64_t due_ns);
/* [data] A record is about to be offered: calls the timers that it passes. */
bool timers_pass(struct node *node, const struct aff_record *record);
/* [data] When to look again, on the boot clock; INT64_MAX: no need. */
int64_t timers_next(const struct node *node);
/* [data] Calls those whose time has passed on the boot clock too. */
bool timers_call(struct node *node, int64_t now_ns);

/* ---- settle.c: [data] ---- */

/* Sets a part of an input aside (host->dead); its letter is with the node's parts. */
void settle_aside(struct node *node, uint32_t input, uint8_t verdict);
/* Before a part of another input is set aside: those of the last one are final. */
void settle_aside_begin(struct node *node, uint32_t input);
/* The call is made again: what it set aside does not count. */
void settle_forget_asides(struct node *node);
/* Books what was set aside of inputs below `taken`, forgets what was of others. */
void settle_asides(struct node *node, uint32_t taken);

/* Lets go the records below `upto` of the batch in hand by their verdicts, and
 * what was emitted for inputs up to `upto`, in order. */
bool node_settle(struct node *node, uint32_t upto);
/* Where the whole batch in hand goes as it is, by a call of one fused reader;
 * it is then booked. NULL: it has to be settled. */
struct link *settle_onward(struct node *node);
/* Books one held record that came in on `port` and is let go by `verdict`. */
void settle_book(struct node *node, uint8_t verdict, uint32_t port);

/* ---- emit.c: [data] ---- */

struct aff_record *emit_reserve(struct node *node, uint32_t port, uint32_t input, uint32_t size);
aff_status emit_send(struct node *node, struct aff_record *draft, uint32_t size);
/* Makes sure that one more record of `size` bytes can be staged for `input`, by
 * letting go what was staged before and waiting for readers. False: aborted. */
bool emit_stage(struct node *node, uint32_t input, uint64_t size);
/* Books staged.records[staged.count], which the caller has filled. */
void emit_add(struct node *node, uint32_t port, uint32_t input, enum staged_kind kind);
/* The input before which something made for `input` leaves. */
uint32_t emit_order(const struct node *node, uint32_t input);
/* Lets go what was emitted, then sends the mark of a stream's end. */
aff_status emit_stream_end(struct node *node, uint32_t port, uint32_t stream);
/* Takes back what was emitted for inputs from `input` on. */
void emit_forget(struct node *node, uint32_t input);
/* Waits until `size` bytes fit into the node's ring. False: aborted. */
bool emit_room(struct node *node, uint64_t size);

/* ---- hold.c ---- */

bool hold_open(struct hold *hold, uint32_t room);
void hold_close(struct hold *hold);
const struct aff_record *hold_take(struct node *node, const struct aff_record *record);
aff_status hold_release(struct node *node, const struct aff_record *held, uint8_t verdict);
/* One that cannot be used, as is found while it is held: a dead letter. */
void hold_condemn(struct node *node, const struct aff_record *held, const char *why);
/* The index-th record held, oldest first; NULL behind the last. */
const struct aff_record *hold_at(struct node *node, uint32_t index);

/* ---- state.c ---- */

aff_status state_open(struct node *node, size_t bytes, bool per_subject);
void state_close(struct state *state);
void *state_get(struct node *node, uint32_t number);

#endif
