/* stored.h - the store of a run: opened before its nodes, closed behind them.
 *
 * Not here: where it lies (show/place.h), what is in it (keep/, flow/commit.h). */
#ifndef AFFERENT_CMD_STORED_H
#define AFFERENT_CMD_STORED_H

#include "config/plan.h"
#include "flow/flow.h"
#include "keep/keeper.h"
#include "show/lines.h"
#include "show/place.h"

struct stored {
    const char *file; /* for messages; borrowed */
    struct lines *lines;
    struct place_paths paths;
    struct store *store; /* NULL: the pipeline stores nothing */
    struct keeper *keeper;
    struct flow *flow; /* of the keeper's thread, once begun */
    struct flow *next; /* what stored_flow makes it */
    const char *failed; /* while it had none */
    bool begun;
};

/* [control] Takes the pipeline's store (store_limit = "0B": none). Below 0: it is
 * there; else the exit code, and stderr says why. stored_close in either case. */
int stored_open(struct stored *stored, const struct plan *plan, const char *file, struct lines *lines);
/* [any] For flow_options; NULL: nothing is stored. */
const struct kept *stored_kept(const struct stored *stored);
/* [control] Begins to commit what the flow completes. False: no thread. */
bool stored_begin(struct stored *stored, struct flow *flow);
/* [control] From now on the groups of this flow are committed; NULL: none are, and none is
 * under way when it returns. */
void stored_flow(struct stored *stored, struct flow *flow);
/* [control] All lanes have ended: commits the rest. */
void stored_end(struct stored *stored);
void stored_close(struct stored *stored);

#endif
