/* SPDX-License-Identifier: Apache-2.0
 *
 * columns.h - what a record of an alert looks like: its words, its columns, its row; and
 * what rows hold that come to those who take alerts and answers.
 *
 * op_alert tells of patients, op_watch of devices; whoever takes alerts takes both.
 *
 * Not here: which alert there is, its stream and its labels. */
#ifndef ALERT_ROWS_COLUMNS_H
#define ALERT_ROWS_COLUMNS_H

#include <afferent/plugin.h>

#include <stdbool.h>

enum { PLACE_MOST = 96, TEXT_MOST = 200 };

/* The first three are priorities of alarm conditions as IEC 60601-1-8:2006 with
 * A1:2012 and A2:2020, 6.1.2, has them for the patient. The last is of its
 * technical alarm conditions: the equipment, not the patient, needs someone. */
enum severity { SEVERITY_HIGH, SEVERITY_MEDIUM, SEVERITY_LOW, SEVERITY_TECHNICAL, SEVERITIES };
extern const char *const severity_names[SEVERITIES + 1];

enum tell_state { STATE_RAISED, STATE_REPEATED, STATE_ENDED, STATE_ACKNOWLEDGED, STATES };
extern const char *const state_names[STATES];

enum { OUT_SEVERITY, OUT_STATE, OUT_RULE, OUT_PLACE, OUT_TEXT, OUT_ALERT, OUT_SINCE, OUT_COUNT, OUT_COLUMNS };
extern const struct aff_column alert_columns[OUT_COLUMNS];
extern const struct aff_schema alert_schema;

/* [data] A text of a row, borrowed; at is NULL where it is missing. The row is at least
 * as large as its schema says. */
struct part {
    const char *at;
    uint32_t length;
};
struct part column_text(const struct aff_schema *s, const struct aff_record *r, const char *name);
bool part_is(const struct part *p, const char *word);
/* [data] A column of whole numbers or times; false: it is missing. */
bool column_number(const struct aff_schema *s, const struct aff_record *r, const char *name, uint8_t type, int64_t *ret);

/* Texts are borrowed. */
struct alert_row {
    enum severity severity;
    enum tell_state state;
    const char *rule, *place, *text;
    uint32_t text_length;
    uint64_t alert;  /* the id */
    int64_t since_ns; /* when the condition began */
    int64_t count;   /* of tellings */
};

/* How large a draft has to be, and its row; the latter returns the size used. */
uint32_t alert_row_room(const struct alert_row *a);
uint32_t alert_row_write(struct aff_record *draft, const struct alert_row *a);

#endif
