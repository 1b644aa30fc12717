/* report_json.h - what `check` found, as one JSON document.
 *
 * Not here: the same for people (util/report.h, explain.h). */
#ifndef AFFERENT_SHOW_REPORT_JSON_H
#define AFFERENT_SHOW_REPORT_JSON_H

#include "show/explain.h"
#include "util/json.h"

/* `plan` is NULL when the file was refused; with `origin` not NULL it is
 * explained too. False without memory: messages are missing. */
bool report_json(struct report *report, const struct plan *plan, const struct explain_origin *origin, FILE *out);

/* "leaves": by which nodes data leaves this machine, and what of it is labelled. */
void report_json_leaves(struct json *json, const struct plan *plan);

/* "notes": what is worth knowing of its delivery. False without memory. */
bool report_json_notes(struct json *json, const struct plan *plan);

#endif
