/* reload.h - a running pipeline goes on by another plan.
 *
 * The next flow is made beside the running one: it shares the table of names, and only
 * what changed or is new is opened in it. Then the running one comes to rest (intake
 * waits, one cut, all is committed), what is kept goes over as it is, and the next one
 * begins. Whatever fails before that, the running one goes on.
 *
 * Not here: what differs (config/difference.h), files (cmd/). */
#ifndef AFFERENT_FLOW_RELOAD_H
#define AFFERENT_FLOW_RELOAD_H

#include "config/difference.h"
#include "flow/flow.h"

/* How long the running flow may take to come to rest. */
#define RELOAD_REST_NS INT64_C(10000000000)

struct reload {
    struct flow *flow; /* the one that runs; of reload_swap the one that goes on */
    struct flow *next; /* of reload_open; NULL after reload_swap and reload_cancel */
    const struct plan *plan; /* borrowed until no flow uses it (reload_uses) */
    const struct difference *difference;
    /* [control] From now on groups are gathered from this flow; NULL: none are, and none
     * is under way when it returns. May be NULL without a store. */
    void (*attach)(void *arg, struct flow *flow);
    void *arg;
    int64_t rest_ns;   /* 0: RELOAD_REST_NS */
    char why[512];     /* what went wrong */
    /* of reload_swap */
    uint64_t left_in_store; /* records of edges that are gone, kept there under their names */
    uint64_t let_go;        /* records of such edges without a store, counted nowhere else */
    int64_t paused_ns;      /* so long intake waited */
};

/* [control] Makes the next flow if there is none yet, and opens what is not open.
 * AFF_ERR_IO: something is missing; called again it tries the rest again. Any other error:
 * the next flow was given up. */
aff_status reload_open(struct reload *reload);
/* [control] Gives the next flow up; the running one never noticed. */
void reload_cancel(struct reload *reload);
/* [control] The change itself. False: `why` says why, the flow goes on as it was, and the
 * next one was given up. */
bool reload_swap(struct reload *reload);
/* [control] Whether a plan is still in use: by the flow, or by a plugin that was opened
 * with it. */
bool reload_uses(const struct flow *flow, const struct plan *plan);

#endif
