/* books.h - the ledger of a run, as a table.
 *
 * A row a node, in the data's order; below it the reasons of what was dropped
 * or set aside, and the nodes' metrics; last whether it balances, and if not,
 * where.
 *
 * Not here: counting (flow/ledger.h), JSON (books_json.h). */
#ifndef AFFERENT_SHOW_BOOKS_H
#define AFFERENT_SHOW_BOOKS_H

#include <stdio.h>

#include "flow/flow.h"

/* [control] Exact once flow_wait said true. `cut_off`: the run did not end by
 * itself or by draining, so what follows the last commit may not be safe. */
void books_print(const struct flow *flow, const struct plan *plan, bool cut_off, FILE *out);

/* Records between nodes or held, now. */
uint64_t books_in_flight(const struct flow *flow, const struct plan *plan);

/* A metric as its plugin meant it: gauges are doubles. */
double books_metric(const struct flow_node *node, uint32_t metric);

#endif
