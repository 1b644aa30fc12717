/* judge.h - what the rules know of one subject, and when each is true.
 *
 * A condition begins with a value beyond its limit, becomes an alert when it has
 * lasted for `hold` (the alarm condition delay of IEC 60601-1-8, 6.4.1; why a
 * delay: Gorges et al. 2009, Anesth Analg 108:1546), and ends with a value that
 * is back by the hysteresis. It ends by itself: alerts do not latch (6.10), so
 * what a board shows is true now. A missing value says nothing either way. A row
 * that is earlier than the latest of a rule moves nothing back. Time is event
 * time, made steady where a clock is set back (alert_rows/clocks.h).
 *
 * Not here: which alerts are told (tell.c), rows (values.c). */
#ifndef OP_ALERT_JUDGE_H
#define OP_ALERT_JUDGE_H

#include "rules.h"
#include "trend.h"

#include <alert_rows/clocks.h>
#include <alert_rows/keep.h>

enum { VALUE_MOST = 40 };

enum phase { PHASE_IDLE, PHASE_WAITING, PHASE_ACTIVE };

/* One rule of one subject. No pointers: kept over a restart by its bytes. */
struct rule_state {
    int64_t last_ns;  /* of its latest value */
    int64_t since_ns; /* when the condition began */
    int64_t told_ns;  /* when it was told last */
    struct aff_id cause; /* the record it began with */
    uint64_t alert;      /* id of the alert, while told */
    uint32_t repeats;
    uint32_t tellings; /* alerts since the condition began */
    uint8_t phase;
    uint8_t seen;    /* last_ns is one */
    uint8_t told;    /* this one stands for its group */
    uint8_t leaving; /* was told, and another stands for the group now */
    uint8_t acknowledged;
    uint8_t label; /* of text */
    uint16_t length;
    char text[TEXT_MOST]; /* as told last */
};

/* The latest value of a column that a text names. */
struct value {
    int64_t at_ns;
    union {
        double real;
        int64_t integer;
        char text[VALUE_MOST];
    } is;
    uint8_t type; /* AFF_REAL ...; 0: none yet */
    uint8_t label;
    uint8_t length; /* of a text */
    uint8_t was_cut;
};

/* The beginning of a subject's state; rules, values and trends follow. */
struct subject {
    int64_t last_ns; /* latest time of any row */
    struct aff_id last_id;
    int64_t armed_ns; /* what was asked of host->timer, an event time, if is_armed */
    int64_t offset_ns; /* what the event times of what is told lack of the subject's time */
    struct clocks clocks; /* of the streams that run */
    uint8_t begun; /* a row was seen: last_ns is one */
    uint8_t told;  /* an alert stream was begun */
    uint8_t clock;
    uint8_t is_armed;
};

/* A subject's state, taken apart. */
struct view {
    struct subject *subject;
    struct rule_state *rules;
    struct value *values;
    struct trend *trends;
};
size_t view_size(const struct plan *p);
struct view view_of(const struct plan *p, void *bytes);

/* What a row says to one rule. */
struct given {
    int64_t at_ns;
    struct aff_id id;
    double number; /* of the column; for a rule on a text: */
    bool equal;    /* one of the texts it waits for */
    bool is_whole; /* an integer column: hysteresis in whole units */
};

/* A value of the rule's column came (a row, for a rule without a column). False:
 * it was too late to be used. */
bool judge_value(const struct plan *p, const struct view *v, uint32_t rule, const struct given *g);
/* The subject's first row, at this time. */
void judge_begin(const struct plan *p, const struct view *v, int64_t at_ns, struct aff_id id);
/* Event time has reached `now_ns`. */
void judge_time(const struct plan *p, const struct view *v, int64_t now_ns);
/* When a rule's alert is told again; INT64_MAX: not. */
int64_t judge_repeat(const struct rule *r, const struct rule_state *s);
/* When judge_time or a repeat is due next; INT64_MAX: not. */
int64_t judge_due(const struct plan *p, const struct view *v);

#endif
