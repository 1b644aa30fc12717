/* commit_inside.h - what commit.c, commit_books.c and commit_resume.c share. */
#ifndef AFFERENT_FLOW_COMMIT_INSIDE_H
#define AFFERENT_FLOW_COMMIT_INSIDE_H

#include "flow/accounts.h"
#include "flow/commit.h"

/* Names of pieces of state; that of a node stands behind COMMIT_NODE. */
#define COMMIT_RUN FLOW_RUN_PIECE
#define COMMIT_NAMES "names"
#define COMMIT_NODE "node/"
#define COMMIT_RESCUED "rescued" /* written by the store: keep/store.h */
enum { COMMIT_VERSION = 1, COMMIT_NAME = 300, COMMIT_MIXED = 1 };

/* A node's state at the ends of epochs, as it will be stored. */
struct note {
    struct wire at[EPOCH_NOTES];
    uint64_t hash; /* of what is stored */
    bool is_stored;
};

/* How a run stands, as stored in each group in which it changes. */
struct run_state {
    bool finished; /* all sources ended: the next run begins anew */
    bool clean;    /* it was stopped in order: nothing is delivered twice */
    enum flow_end end; /* ... or not */
};

struct commit {
    pthread_mutex_t lock;
    bool opened;
    struct note *notes; /* by node */
    struct wire scratch;
    struct accounts *accounts;
    bool resumed; /* an earlier run is gone on with */
    bool was_clean;
    uint64_t other_file;  /* the place of the file that the last run was made of */
    uint64_t most_before; /* its commit_records */
    bool was_rescued; /* the store was damaged */
    bool is_mixed;    /* ... and its pieces are not of one moment */
    bool run_stored;
    _Atomic bool begun; /* it is stored that this run has begun */
    struct run_state run; /* as stored */
    uint64_t names_hash;
    const char **nodes; /* names, by name_id; "" for none */
    uint32_t name_count;
    char **gone; /* nodes whose state is to be removed from the store */
    uint32_t gone_count;
    uint64_t *below;    /* by domain, of the group being made */
    bool gathering; /* a group is with the keeper */
};

/* Which note of a lane stands for an epoch of its domain. */
static inline uint32_t commit_slot(const struct lane *lane, uint64_t epoch)
{
    uint64_t last = atomic_load(&lane->final_epoch);

    return (uint32_t)((epoch < last ? epoch : last) % EPOCH_NOTES);
}

void commit_gone_free(struct commit *commit);
/* The plan's edge as the name of its queue in the store. */
void commit_queue_name(const struct plan *plan, const struct plan_edge *edge, char *ret_name, size_t room);

/* The epoch of the lane that stands in the cut: its last, where it has ended. */
static inline uint64_t commit_epoch(const struct lane *lane)
{
    uint64_t last = atomic_load(&lane->final_epoch), chosen = lane->domain->chosen - 1u;

    return chosen < last ? chosen : last;
}

static inline void commit_piece(struct kept_group *group, const char *name, const struct wire *wire)
{
    kept_group_add(group, KEPT_STATE, 0, 0, name, wire->bytes, wire->size);
}

/* ---- commit_books.c ---- */

/* Says which books of the chosen epochs are wrong. */
void commit_check_books(struct flow *flow);
/* Puts the accounts of the chosen epochs in the group. */
void commit_accounts(struct flow *flow, struct kept_group *group);

#endif
