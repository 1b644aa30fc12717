/* accounts.h - the ledger of a whole pipeline, as it is stored with each commit.
 *
 * A copy of all accounts at one commit: nodes, edges, reasons, all since the
 * ledger began, over any number of runs. The data path fills it and the store
 * keeps its bytes as the state piece "ledger"; `afferent ledger` and `status` read
 * them, whether the pipeline runs or not. Numbers stand under their names, so that
 * a later version may have more of them and still read these, and the other way.
 *
 * Not here: counting (ledger.h), how accounts are shown (show/). */
#ifndef AFFERENT_FLOW_ACCOUNTS_H
#define AFFERENT_FLOW_ACCOUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flow/wire.h"

/* The name of the piece of state. */
#define ACCOUNTS_PIECE "ledger"

/* What a node's records came from, and what became of them:
 *   in + made + restored + retried =
 *   passed + replaced + routed + emitted + used + dropped + dead + expired + held + queued */
enum accounts_number {
    ACCOUNTS_IN,
    ACCOUNTS_MADE,
    ACCOUNTS_RESTORED, /* came back with the state of an earlier run */
    ACCOUNTS_RETRIED,  /* dead letters that went in again */
    ACCOUNTS_PASSED,
    ACCOUNTS_REPLACED,
    ACCOUNTS_ROUTED,
    ACCOUNTS_EMITTED,
    ACCOUNTS_USED,
    ACCOUNTS_DROPPED,
    ACCOUNTS_DEAD,
    ACCOUNTS_EXPIRED,
    ACCOUNTS_HELD,   /* in its hold area now */
    ACCOUNTS_QUEUED, /* taken, and not finished with now */
    /* beside the equation */
    ACCOUNTS_BYTES_COPIED,
    ACCOUNTS_BYTES_ISOLATED, /* copied out of a child process */
    ACCOUNTS_UNSAFE,         /* live sources: at most so many were lost by deaths so far */
    ACCOUNTS_AT_RISK,        /* ... and would be if the process died right after this commit */
    ACCOUNTS_NUMBERS
};

/* An edge: put = taken + dropped + lost + expired + queued. What a node counts as
 * in and expired was taken; only what never reached it is counted here. */
enum accounts_way {
    ACCOUNTS_PUT,
    ACCOUNTS_TAKEN,
    ACCOUNTS_EDGE_DROPPED, /* by drop_oldest */
    ACCOUNTS_EDGE_LOST,    /* stored, and could not be read */
    ACCOUNTS_EDGE_EXPIRED,
    ACCOUNTS_EDGE_QUEUED,
    /* beside the equation */
    ACCOUNTS_EDGE_STORED, /* of those queued, in the store */
    ACCOUNTS_WAYS
};

/* A row of the plugin's verdicts, or "refused" for a status DATA. */
struct accounts_reason {
    const char *name;
    uint32_t kind; /* AFF_V_...; AFF_V_DEAD for "refused" */
    uint64_t count;
};

struct accounts_node {
    const char *name;
    const char *plugin;
    uint32_t kind; /* AFF_SOURCE, AFF_PROCESSOR, AFF_SINK */
    uint64_t numbers[ACCOUNTS_NUMBERS];
    struct accounts_reason *reasons;
    uint32_t reason_count;
};

struct accounts_edge {
    const char *from;
    const char *from_port;
    const char *to;
    const char *to_port;
    uint64_t numbers[ACCOUNTS_WAYS];
    int64_t oldest_ns; /* event time of the first that is queued; INT64_MAX: none */
};

struct accounts {
    const char *pipeline;
    int64_t since_utc_ns;     /* when the ledger began */
    int64_t committed_utc_ns; /* when this was made */
    uint64_t commits;         /* epochs committed since then */
    uint64_t runs;            /* how often the pipeline was started */
    uint64_t deaths;          /* of these, how many did not end by themselves */
    uint64_t lost;            /* values that damage of the store took */
    uint64_t set_aside;       /* damaged stores that were set aside */
    bool clean;               /* the run that made this has ended, in order */
    struct accounts_node *nodes;
    uint32_t node_count;
    struct accounts_edge *edges;
    uint32_t edge_count;
    struct arena *arena; /* owns all the above but texts that a caller put in */
};

/* [control] Zeroed, with so many nodes and edges; all texts NULL. The caller puts in
 * texts that live as long as it, and once a node its reasons. NULL: no memory.
 * Given; accounts_free sets the pointer to NULL. */
struct accounts *accounts_new(uint32_t node_count, uint32_t edge_count);
bool accounts_reasons(struct accounts *accounts, uint32_t node, uint32_t count);
void accounts_free(struct accounts **accounts);

/* [any] Appends the bytes that are stored. A text that is NULL is written as "". */
void accounts_write(struct wire *wire, const struct accounts *accounts);
/* [any] The other way; *ret_accounts is given and holds texts of its own. False: the
 * bytes are bad, of a later format, or there is no memory. */
bool accounts_read(const void *bytes, size_t size, struct accounts **ret_accounts);

/* [any] Whether every node and edge balances; else `ret_why` (of `room` bytes, may
 * be NULL with room 0) says where the first one does not, and by how much. */
bool accounts_balance(const struct accounts *accounts, char *ret_why, size_t room);
bool accounts_node_balances(const struct accounts_node *node);
bool accounts_edge_balances(const struct accounts_edge *edge);

/* [any] "in", "made", ...; "put", "taken", ... */
const char *accounts_number_name(enum accounts_number number);
const char *accounts_way_name(enum accounts_way way);

#endif
