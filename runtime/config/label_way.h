/* label_way.h - where a privacy label comes from.
 *
 * From an edge upwards, the shortest way along edges with the same label, to a
 * node whose inputs have none of it. For messages and for `check --explain`.
 *
 * Not here: which labels there are (shapes.h), what is refused (privacy.c). */
#ifndef AFFERENT_CONFIG_LABEL_WAY_H
#define AFFERENT_CONFIG_LABEL_WAY_H

#include "config/plan.h"
#include "util/text.h"

struct label_way {
    uint32_t *edges; /* from where it begins down to the edge asked for */
    uint32_t count;
};

/* Of subject, times, names or payload, at least `least`. `column` prefers edges
 * that carry a column of this name; NULL: any. False: no memory. */
bool label_way_find(const struct plan *plan, uint32_t edge, enum label_of of, uint8_t least,
                    const char *column, struct label_way *ret_way);
void label_way_free(struct label_way *way);
bool label_way_equal(const struct label_way *a, const struct label_way *b);

/* "ecg.events -> beats -> cloud", ports but the first by name; a very long one
 * is cut in its middle. */
void label_way_add(struct text *text, const struct plan *plan, const struct label_way *way);

/* How many ways lead what is labelled phi into a node; UINT32_MAX for more. */
uint32_t label_ways_count(const struct plan *plan, uint32_t node);

#endif
