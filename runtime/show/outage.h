/* outage.h - for how long the store lasts while a sink is away.
 *
 * Worked out from what is declared: rows by their columns, signals by their rate.
 * What is not known of an edge is assumed, and the answer says so.
 *
 * Not here: what is stored now (the verb `store`), the limit itself (config/). */
#ifndef AFFERENT_SHOW_OUTAGE_H
#define AFFERENT_SHOW_OUTAGE_H

#include <stdio.h>

#include "config/plan.h"
#include "util/json.h"

/* Of one edge that spills. */
struct outage {
    uint64_t payload;    /* bytes of a record, the largest of its schemas */
    uint64_t stored;     /* bytes of store_limit that it takes */
    double rate;         /* records a second; 0: not known */
    bool has_texts;      /* of assumed length */
    bool is_open;        /* of assumed size: its columns are not known */
};

/* [any] */
struct outage outage_of(const struct plan *plan, const struct plan_edge *edge);
/* [any] Seconds until store_limit is full by this edge alone, at `rate` a second. */
double outage_seconds(const struct plan *plan, const struct outage *outage, double rate);

/* A table with a line for each edge that spills, and what was assumed; nothing where
 * none does. False: no memory. */
bool outage_print(const struct plan *plan, FILE *out);
/* The same, as an array "outage". */
void outage_json(struct json *json, const struct plan *plan);

#endif
