/* ladder.h - what is known of a place's alerts, and whom to tell next.
 *
 * An alert climbs the steps that are for its severity: each is due so long after the
 * alert was raised, and again and again where it repeats, until somebody takes notice
 * or it ends. Where somebody could not be reached the next step comes at once. One call
 * at a time: each is one row, and done when that row is out, so nothing is told twice or
 * left out when there is no room in between.
 *
 * Time is the place's own, which never runs back: event time, made steady where a
 * clock is set back (alert_rows/clocks.h), and put forward where the data stood still
 * while time was told to have passed. What a step waits for is a difference of it.
 *
 * No pointers: kept over a restart by its bytes. Not here: rows (tell.c), waiting
 * (times.c), answers (answer.c). */
#ifndef OP_ESCALATE_LADDER_H
#define OP_ESCALATE_LADDER_H

#include "plan.h"

#include <alert_rows/clocks.h>
#include <alert_rows/keep.h>

enum { ID_MOST = 40, RULE_MOST = 64 };

/* A moment by the place's time and by this node's boot clock. */
struct moment {
    int64_t own_ns, boot_ns;
};

/* One step of one alert. */
struct rung {
    struct moment told; /* when it was told last */
    uint32_t given;  /* how often */
    uint32_t partly; /* whom the telling in hand has reached, a bit a person */
};

struct alert {
    struct moment raised;
    int64_t since_ns;
    uint32_t told; /* who was, a bit a person */
    uint32_t code; /* by which an answer names it */
    uint8_t is_open;
    uint8_t is_acknowledged;
    uint8_t severity; /* SEVERITIES: none of ours */
    uint8_t label;    /* of what was told of it */
    uint8_t has_since;
    uint8_t hurry; /* so many of the first steps wait for no time */
    uint16_t text_length;
    char id[ID_MOST + 1], rule[RULE_MOST + 1], place[PLACE_MOST + 1], by[PERSON_MOST + 1], text[TEXT_MOST];
    struct rung rungs[STEPS_MOST];
};

struct subject {
    struct clocks clocks;
    int64_t now_ns;   /* the place's time at its latest row or telling */
    int64_t slack_ns; /* what the clocks lack of it */
    int64_t armed_ns; /* what was asked of host->timer, if is_armed */
    int64_t boot_ns, utc_ns; /* this node's clocks at the latest row or telling */
    struct aff_id last_id;
    uint32_t untracked; /* alerts for which there was no room */
    uint8_t begun;
    uint8_t clock;     /* of the latest row */
    uint8_t utc_clock; /* of utc_ns */
    uint8_t is_armed;
    uint8_t is_resumed; /* no row came since a restart */
    uint8_t has_calls, has_acks; /* streams that were begun */
    struct alert alerts[]; /* plan->most of them */
};
size_t subject_size(const struct plan *p);

/* A row to be made: who is told of which step, and how often that was before. */
struct call {
    uint32_t person, step, count;
    enum tell_state state;
};

/* When somebody is to be told next, each by its clock; INT64_MAX: nobody. */
struct moment ladder_due(const struct plan *p, const struct alert *a);
struct moment subject_due(const struct plan *p, const struct subject *s);
/* The next one to be told at this time; false: none is left. Then: it is out. */
bool ladder_next(const struct plan *p, const struct alert *a, int64_t now_ns, struct call *ret);
void ladder_done(const struct plan *p, struct alert *a, const struct moment *now, const struct call *c);

/* One of this step could not be reached: the next that is for the alert is due at once.
 * False: it was, or there is none. */
bool ladder_hurry(const struct plan *p, struct alert *a, uint32_t step);

/* Who is told that it goes on, ended or was acknowledged: the next person from
 * `ret->person` on who was told before. False: none. */
bool ladder_told(const struct plan *p, const struct alert *a, struct call *ret);
/* For an alert without room: the next person of all its steps, from ret->person on. */
bool ladder_all(const struct plan *p, uint32_t severity, struct call *ret);
/* Whether anybody is ever told of this severity. */
bool ladder_has(const struct plan *p, uint32_t severity);

struct alert *alert_find(const struct plan *p, struct subject *s, const char *id, size_t length);
/* A free one, else that of the oldest of which notice was taken; NULL: there is none. */
struct alert *alert_slot(const struct plan *p, struct subject *s);
/* Six digits, the same in every replay; another each time an id is raised again. */
uint32_t alert_code(const char *id, int64_t event_ns);
/* The number of a telling, by which what became of it comes back. */
int64_t call_number(const struct alert *a, uint32_t step, uint32_t person);
/* Which it may be the number of; false: it is none of ours. */
bool call_read(const struct plan *p, int64_t number, uint32_t *ret_step, uint32_t *ret_person);
uint64_t name_hash(const char *name);
/* Differs where steps or people do. */
uint32_t plan_hash(const struct plan *p);

#endif
