/* tell.h - which of a subject's alerts are told, and in what order.
 *
 * Of the rules in one group the most severe that is active stands for all: it is
 * raised before the one it replaces is ended, so there is no moment without.
 * When it ends, the next one is told. An acknowledgement covers what is active
 * in the group and not more severe (IEC 60601-1-8, 6.8): no repeats, and what
 * comes back to the front is told as acknowledged; a condition that begins anew,
 * or a more severe one, is raised. Repeats are the reminder signals of 6.8.2,
 * with an end: what nobody hears for the third time is no longer heard.
 *
 * One step at a time: each is one record, and done when that record is out.
 * Not here: the record itself (alert.c). */
#ifndef OP_ALERT_TELL_H
#define OP_ALERT_TELL_H

#include "judge.h"

struct telling {
    uint32_t rule;
    enum tell_state state;
    bool is_new; /* begins to stand for its group: a new id, a new text */
    uint64_t alert;
    uint32_t count;
    uint8_t label; /* of the text */
    uint16_t length;
    char text[TEXT_MOST];
};

/* Where the names in texts come from. */
struct naming {
    const char *subject;
    uint8_t subject_label;
    const char *place;
};

/* The next record to be made at event time `now_ns`; false: none is left. Then
 * its text and id, which need names. */
bool tell_find(const struct plan *p, const struct view *v, int64_t now_ns, struct telling *ret);
void tell_fill(const struct plan *p, const struct view *v, int64_t now_ns, const struct naming *n, struct telling *t);
/* The record is out. */
void tell_done(const struct plan *p, const struct view *v, int64_t now_ns, const struct telling *t);

/* The acknowledgement of a rule that is told; tell_acknowledged when it is out. */
void tell_acknowledge(const struct view *v, uint32_t rule, struct telling *ret);
void tell_acknowledged(const struct plan *p, const struct view *v, uint32_t rule);

/* A place's name from its template. */
void place_name(const struct plan *p, const char *subject, char name[PLACE_MOST]);

#endif
