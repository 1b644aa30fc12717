/* SPDX-License-Identifier: Apache-2.0
 *
 * judge.h - whether a device misbehaves: one rule on one stream.
 *
 * A condition that holds for `for` is raised, one that has not held for
 * `clear_for` is cleared: a loose plug that flickers makes one event, not many.
 * While it is raised its command goes out at once and every `retry_every`, at
 * most so many times in so long; where that is used up it is escalated to people,
 * once. All times are those of the data.
 *
 * Not here: values (values.c), records (tell.c). */
#ifndef OP_WATCH_JUDGE_H
#define OP_WATCH_JUDGE_H

#include "rules.h"

#include <alert_rows/keep.h>

enum { JUDGE_BUCKETS = 8 };
enum phase { PHASE_NEW, PHASE_IDLE, PHASE_PENDING, PHASE_RAISED, PHASE_CLEARING };
enum event_state { EVENT_RAISED, EVENT_CLEARED, EVENT_COMMANDED, EVENT_ESCALATED, EVENT_STATES };
enum { TELL_EVENT = 1, TELL_COMMAND = 2, TELL_ALERT = 4 };

/* No pointers: kept over a restart by its bytes. */
struct rule_state {
    int64_t since_ns; /* of the phase; of `raised` when the condition began */
    int64_t began_ns; /* when the condition began that is raised */
    int64_t last_ns;  /* of the latest value, or record */
    int64_t command_ns; /* when the next command is due, while raised */
    int64_t sent_ns[COMMANDS_MOST]; /* when the last commands went out */
    int64_t bucket;   /* bad_rate: number of the newest bucket */
    uint32_t counts[JUDGE_BUCKETS];
    double reference; /* flat: what has not changed since */
    int64_t seen_ns;  /* flat: of the latest value, changed or not */
    struct aff_id cause; /* of the record it began with */
    uint64_t alert;   /* id of the alert, while told */
    int64_t at_ns;    /* of what is to be told */
    uint32_t sent;    /* commands since the beginning; where in sent_ns */
    uint32_t tellings; /* of the alert */
    uint8_t phase;
    uint8_t has_last, has_reference;
    uint8_t is_told;   /* as an alert */
    uint8_t escalated; /* since it was raised */
    uint8_t untold;    /* TELL_...: records to be made yet */
    uint8_t event;     /* enum event_state of TELL_EVENT */
    uint8_t alert_state;
};

/* A record of the stream, or a change: what kinds silent and flat wait for. */
void judge_activity(const struct rule *r, struct rule_state *s, int64_t at_ns);
/* Whether the condition holds at this time: all other kinds. */
void judge_condition(const struct rule *r, struct rule_state *s, int64_t at_ns, bool holds);
/* A value of kind flat. */
void judge_flat(const struct rule *r, struct rule_state *s, int64_t at_ns, double value);
/* So many bad frames. */
void judge_bad(const struct rule *r, struct rule_state *s, int64_t at_ns, uint32_t count);
/* The next thing that is due at `now_ns`, put into untold; false: nothing is. `by_data`:
 * a value of the rule has come, or is about to, at this time. */
bool judge_step(const struct rule *r, struct rule_state *s, int64_t now_ns, bool by_data);
/* When judge_step has something by time alone; INT64_MAX: not. */
int64_t judge_due(const struct rule *r, const struct rule_state *s);
/* The clock of its stream was set back by so much: all times with it. */
void judge_set_back(const struct rule *r, struct rule_state *s, int64_t by_ns);
bool judge_active(const struct rule_state *s);

#endif
