/* difference.h - what changes when one plan takes the place of another.
 *
 * A node is known by its name. It is kept when nothing that it could notice is
 * another: its plugin with the content of its file, its options, its isolation, its
 * hold area. An edge is known by its two ports.
 *
 * Not here: how a running pipeline gets there (flow/reload.h). */
#ifndef AFFERENT_CONFIG_DIFFERENCE_H
#define AFFERENT_CONFIG_DIFFERENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "config/plan.h"

enum difference_kind { DIFFERENCE_KEPT, DIFFERENCE_CHANGED, DIFFERENCE_ADDED, DIFFERENCE_REMOVED };

struct difference_node {
    const char *name;
    enum difference_kind kind;
    const char *why;  /* of one that changed: "options"; else "" */
    bool state_stays; /* of one that changed: what it kept is for the new one as well */
    uint32_t before;  /* index in each plan, or PLAN_NONE */
    uint32_t after;
};

struct difference_edge {
    const char *from; /* "ecg.out" */
    const char *to;
    enum difference_kind kind;
    const char *why;
    uint32_t before;
    uint32_t after;
};

struct difference {
    struct difference_node *nodes; /* in the new plan's order, then what was removed */
    uint32_t node_count;
    struct difference_edge *edges;
    uint32_t edge_count;
    const char *const *settings; /* keys of [pipeline] whose values are others */
    uint32_t setting_count;
    struct arena *arena; /* owns all the above; names are borrowed from the plans */
};

/* [control] Both plans are borrowed until difference_free. NULL: no memory. */
struct difference *difference_new(const struct plan *before, const struct plan *after);
/* Sets the pointer to NULL. */
void difference_free(struct difference **difference);

/* [any] Whether the two plans run alike. */
bool difference_none(const struct difference *difference);
/* [any] The key of [pipeline] that cannot be changed while it runs, and was; else NULL. */
const char *difference_fixed(const struct difference *difference);
/* [any] "kept", "restarted" (of an edge "changed"), "added", "removed". */
const char *difference_word(enum difference_kind kind, bool is_edge);

#endif
