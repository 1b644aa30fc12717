/* shapes.h - what flows by each edge, and whether it may: types and privacy.
 *
 * The last step of `check`. It runs on the joined graph, in the data's order:
 *
 * shapes.c       what each output carries: said by the plugin, or by default
 * clears.c       run.clears: labels that end at a node
 * columns.c      the columns that a reader needs, against those that come
 * privacy.c      what leaves this node, and who said that it may
 * label_way.c    where a label comes from
 *
 * Not here: single options, single joins. */
#ifndef AFFERENT_CONFIG_SHAPES_H
#define AFFERENT_CONFIG_SHAPES_H

#include "config/pipeline_inside.h"
#include "config/schemas.h"

/* More schemas than these by one output count as open. */
enum { SHAPES_MOST = 16 };

/* Under way: a plan whose outputs are being found. */
struct shapes {
    struct draft *draft;
    struct plan *plan;
    const struct draft_node **drafts; /* by row of the plan */
    bool *is_found;  /* by row: what its outputs carry is known */
    bool *is_broken; /* by row: something was said, what follows from it is not judged */
    bool *is_unfit;  /* by row: what comes to it lacks what it needs */
};

/* Fills the plan's outputs and leaves; problems go to the draft's report. False
 * only when there is no memory. */
bool shapes_find(struct draft *draft, struct plan *plan);

/* ---- inside ---- */

/* Schemas that leave by one output, while they are collected. */
struct shape_list {
    struct plan_shape items[SHAPES_MOST];
    uint32_t count;
    bool is_over; /* there were more: all became one open shape */
};
void shape_list_add(struct shape_list *list, const struct plan_shape *shape);

/* Applies run.clears of a node to its outputs. False: no memory. */
bool clears_apply(struct shapes *shapes, uint32_t node, struct shape_list *lists,
                  struct plan_output *outputs);

/* What the readers of an edge need is there, in their type and unit. */
void columns_check(const struct shapes *shapes, const struct plan_edge *edge);

/* What leaves; fills plan->leaves. False: no memory. */
bool privacy_check(struct shapes *shapes);

#endif
