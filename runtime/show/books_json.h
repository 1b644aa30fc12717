/* books_json.h - the ledger of a run as one JSON document, for programs.
 *
 * Not here: the table for people (books.h). */
#ifndef AFFERENT_SHOW_BOOKS_JSON_H
#define AFFERENT_SHOW_BOOKS_JSON_H

#include <stdbool.h>
#include <stdio.h>

#include "flow/flow.h"

/* [control] Exact once flow_wait said true. `error` is "" when there was none;
 * `cut_off` as in books_print. */
void books_json(const struct flow *flow, const struct plan *plan, double seconds, const char *error,
                bool cut_off, FILE *out);

#endif
