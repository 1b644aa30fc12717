/* message.h - an alert as people and commands get it.
 *
 * A line for a terminal, an object of JSON, and texts with places in braces.
 * What an alert holds comes from devices and people: control characters, marks
 * that turn the direction of writing, and bytes that are no UTF-8 are shown by
 * their number, so that an alert cannot move a cursor, colour a terminal or fake
 * a second line. Each form says that it is not for clinical use.
 *
 * Not here: where it goes (say.c, job.c). */
#ifndef OUT_ALERT_MESSAGE_H
#define OUT_ALERT_MESSAGE_H

#include <afferent/plugin.h>

#include <stdbool.h>

enum { LINE_MOST = 2048, JSON_MOST = 40960, FIELD_MOST = 1024 };

#define MESSAGE_NOTE "not for clinical use"

struct part {
    const char *at; /* NULL: missing */
    uint32_t length;
};

/* Borrowed from the record. */
struct message {
    struct part severity, state, rule, place, text, alert;
    int64_t time_ns, since_ns, count;
    bool has_since, has_count;
};

/* Where the columns are in one schema. */
enum { IN_SEVERITY, IN_RULE, IN_PLACE, IN_TEXT, IN_STATE, IN_ALERT, IN_SINCE, IN_COUNT, IN_COLUMNS };
struct columns {
    uint32_t schema; /* 0: none yet */
    uint32_t count;
    int32_t index[IN_COLUMNS];
};
/* False: a column that is needed is not there, or not text. */
bool columns_find(struct columns *c, uint32_t schema, const struct aff_schema *info);
void message_read(struct message *m, const struct columns *c, const struct aff_record *r);

/* The severity as a number, 0 the most urgent; SEVERITIES: not one of ours. */
enum { SEVERITIES = 4, STATE_ENDED = 2, STATES = 4 };
extern const char *const severity_names[SEVERITIES + 1];
extern const char *const state_names[STATES + 1];
uint32_t severity_of(const struct message *m);
uint32_t state_of(const struct message *m);

/* A text of bounded length; what does not fit ends in "...". */
struct out {
    char *at;
    size_t length, room;
    bool cut;
};
void out_say(struct out *o, const char *text);
void out_escaped(struct out *o, struct part p);
/* Ends it with a zero, for which `room` always leaves a place. */
const char *out_end(struct out *o);

/* "2026-11-21 07:03:10Z HIGH bed 3: NEWS2 8: call the team [news2_high] raised
 * (not for clinical use)", without a line break. */
void message_line(struct out *o, const struct message *m);
/* One object and a line break. */
void message_json(struct out *o, const struct message *m);

/* NULL, or what is wrong with a text that has {names} of an alert in it. */
const char *template_problem(const char *text);
/* The text with its names filled in. What would begin it with a '-' has a space
 * before it: an alert must not become an option of the command. */
void message_fill(struct out *o, const char *text, const struct message *m);

#endif
