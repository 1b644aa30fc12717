/* explain.h - how a plan will run, and where each of its options comes from.
 *
 * Per edge: what flows, its labels and where they begin, by call, ring or queue,
 * copies and why, buffer, what happens when its reader is slow. Per node: its thread,
 * and every option in force with its origin. Secrets are masked; a text that came
 * from the environment or a file is shown as written.
 *
 * Not here: deciding any of it (config/layout.c). */
#ifndef AFFERENT_SHOW_EXPLAIN_H
#define AFFERENT_SHOW_EXPLAIN_H

#include <stdbool.h>
#include <stdio.h>

#include "config/plan.h"
#include "config/value.h"
#include "util/text.h"

/* What the plan was made from: read once more, for the places. */
struct explain_origin {
    const char *file;
    const char *const *sets;
    size_t set_count;
};

void explain_print(const struct plan *plan, const struct explain_origin *origin, FILE *out);

/* An option in force. `value` is empty where none is set. Borrowed texts. */
struct explain_option {
    const char *path; /* "band.low" */
    const char *value;
    const char *origin; /* "line 12", "--set", "default", "not set" */
};

/* [any] Calls `each` for every option of a node (explain_options.c). */
void explain_options(const struct plan *plan, uint32_t node, const struct value *document,
                     void (*each)(void *arg, const struct explain_option *option), void *arg);
/* The document behind a plan, in `arena`; NULL when it cannot be read again. */
struct value *explain_document(struct arena *arena, const struct explain_origin *origin);

/* Constant words for a person. */
const char *explain_kind(uint32_t kind);         /* "source" ... */
const char *explain_type(uint32_t type);         /* "samples" ... */
const char *explain_label(uint32_t label);       /* "none", "quasi", "phi" */
const char *explain_copies(const struct plan *plan, const struct plan_edge *edge);
const char *explain_label_of(enum label_of of); /* "subject" ... "payload" */
const char *explain_known(enum shape_known known); /* "as it came in" ... */
const char *explain_edge_way(const struct plan_edge *edge); /* "fused", "ring", "queue" */
/* "when_full = "spill", priority = "vitals", expire = "1h"". */
void explain_slow(struct text *text, const struct plan_edge *edge);
/* "fields beats(time, rr [ms] quasi), as the plugin's table says". */
void explain_flow(struct text *text, const struct plan *plan, const struct plan_edge *edge);
/* The way by which a label of an edge came: "ecg -> clean -> archive"; nothing
 * where there is none. */
void explain_way(struct text *text, const struct plan *plan, uint32_t edge, enum label_of of);
/* A line for each node by which patient data leaves, or what identifies in
 * combination: "FILE:LINE:COL: note: [node] ...". */
void explain_leaves(const struct plan *plan, FILE *out);
/* The same, and a line for each note about delivery (config/delivery.h). */
void explain_notes(const struct plan *plan, FILE *out);
/* What leaves by a node, or NULL. */
const struct plan_leave *explain_leave(const struct plan *plan, uint32_t node);

#endif
