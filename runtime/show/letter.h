/* letter.h - a dead letter, as people and programs see it.
 *
 * What may identify somebody is not shown unless it was asked for: subject, stream,
 * event time and each column by its label, as the plan says what comes to the node;
 * what nobody has declared is `phi` throughout, so bytes without a schema, columns
 * that no schema of the plan has, and letters of nodes that are no longer in it.
 *
 * Not here: where letters are kept (keep/), trying again (cmd/dlq_change.h). */
#ifndef AFFERENT_SHOW_LETTER_H
#define AFFERENT_SHOW_LETTER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "config/plan.h"
#include "flow/wire.h"
#include "show/table.h"
#include "util/json.h"

#define LETTER_HIDDEN "(phi)"

struct letter_view {
    const struct plan *plan;
    const struct wire_letter *letter;
    const struct aff_schema *schema; /* of its record; NULL: not known */
    uint64_t number;
    int64_t now_utc_ns; /* for its age */
    bool reveal;
};

/* [any] Whether something of it is hidden where it is not asked for. */
bool letter_hides_subject(const struct letter_view *view);
bool letter_hides_stream(const struct letter_view *view);
bool letter_hides_time(const struct letter_view *view);
bool letter_hides_payload(const struct letter_view *view); /* as a whole */
bool letter_hides_column(const struct letter_view *view, const struct aff_column *column);

/* [control] A row of `dlq ls`; first the heads. */
enum { LETTER_COLUMNS = 10 };
void letter_heads(struct table *table);
void letter_row(struct table *table, const struct letter_view *view);
/* All of it, for `dlq show`: lines, or one JSON object; without its payload: an
 * element of the list for programs. */
void letter_print(const struct letter_view *view, FILE *out);
void letter_json(const struct letter_view *view, struct json *json, bool with_payload);

/* letter_payload.c */
void letter_payload_print(const struct letter_view *view, FILE *out);
void letter_payload_json(const struct letter_view *view, struct json *json);

#endif
