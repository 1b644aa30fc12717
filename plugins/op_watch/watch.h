/* SPDX-License-Identifier: Apache-2.0
 *
 * watch.h - the instance, and what it knows of a subject; shared by the files
 * that call the host. */
#ifndef OP_WATCH_WATCH_H
#define OP_WATCH_WATCH_H

#include "judge.h"

enum { PORT_IN, PORT_EVENTS };
enum { OUT_PASS, OUT_EVENTS, OUT_COMMANDS, OUT_ALERTS };
enum { VERDICT_BAD_EVENT = 1 };
enum { METRIC_ACTIVE, METRIC_RAISED, METRIC_CLEARED, METRIC_COMMANDS, METRIC_ESCALATED, METRIC_UNWATCHED, METRICS };
enum { SLOTS = 16, LOOKUPS = 16 };

enum { EVENT_KIND, EVENT_RULE, EVENT_STATE, EVENT_SINCE, EVENT_COMMANDS, EVENT_COLUMNS };
extern const struct aff_schema event_schema;
enum { COMMAND_COMMAND, COMMAND_RULE, COMMAND_COUNT, COMMAND_COLUMNS };
extern const struct aff_schema command_schema;

/* A stream of a subject; the states of all rules follow each other behind. */
struct slot {
    uint32_t stream; /* 0: free */
    uint8_t events;  /* came in at port `events` */
    uint8_t begun;   /* last_ns is one */
    uint8_t has_back; /* the record before was far too early: at back_ns */
    uint8_t is_behind; /* its clock was set back, and has not yet come to caught_ns again */
    int64_t last_ns, back_ns, caught_ns;
};

/* The beginning of a subject's state. No pointers: kept over a restart. */
struct subject {
    int64_t last_ns; /* the time that the host's timers go by: the latest event time, or of a clock
                      * that was set back */
    int64_t back_ns; /* of the record before, if has_back: far too early for the stream of last_ns */
    int64_t armed_ns; /* what was asked of host->timer, if is_armed */
    uint8_t begun, is_armed, clock;
    uint8_t has_events, has_commands, has_alerts; /* streams that were begun */
    uint8_t has_back, reserved;
    uint32_t last_stream; /* whose time last_ns is */
    uint32_t reserved_too;
    struct slot slots[SLOTS];
};

/* Where the columns of rules are in rows, or channels in samples, of one schema. */
struct lookup {
    uint32_t schema, count;
    uint8_t type, format;
    uint64_t rate_num, rate_den;
    int32_t kind;             /* of device events: the column; -1: none */
    int32_t column[RULES_MOST]; /* -1: none */
    int32_t beside[RULES_MOST];
    uint8_t types[RULES_MOST]; /* of the column */
    double gain[RULES_MOST], baseline[RULES_MOST];
};

struct watch {
    const struct aff_host *host;
    struct plan plan;
    size_t state_bytes;
    struct subject *work; /* a subject's state while a record is judged */
    uint32_t schemas[4];  /* of outputs; those of alerts by the place's label */
    uint32_t top;         /* highest subject seen */
    int64_t active;
    int64_t tally[METRICS]; /* of the input in hand */
    uint32_t next_lookup;
    uint8_t has_commands, has_alerts; /* of a place that all share */
    struct lookup lookups[LOOKUPS];
};

/* Where records go that are made, and how they are numbered. */
struct telling {
    uint32_t input;
    uint32_t subject;
    const struct aff_record *cause; /* NULL: a timer */
};

static inline struct rule_state *states_of(struct watch *w, struct subject *s, uint32_t slot)
{
    return (struct rule_state *)(void *)(s + 1) + (size_t)slot * w->plan.count;
}

/* lookup.c: NULL where the record has no schema that can be judged. */
const struct lookup *lookup_get(struct watch *w, uint32_t schema);

/* tell.c */
/* Makes all records that a rule's state asks for. */
aff_status tell(struct watch *w, const struct telling *t, struct subject *s, uint32_t rule, struct rule_state *rs);
/* Ends the streams that a subject's findings began; those that all subjects share. */
aff_status tell_subject_end(struct watch *w, uint32_t subject, struct subject *s);
aff_status tell_all_end(struct watch *w);
void tally_send(struct watch *w);

/* values.c: what a record says to the rules of its slot. */
aff_status record_judge(struct watch *w, const struct telling *t, struct subject *s, uint32_t slot,
                        const struct aff_record *r);
aff_status event_judge(struct watch *w, const struct telling *t, struct subject *s, uint32_t slot,
                       const struct aff_record *r);
/* All that is due for a rule, and its records. */
aff_status rule_settle(struct watch *w, const struct telling *t, struct subject *s, uint32_t rule,
                       struct rule_state *rs, int64_t now_ns, bool by_data);

/* process.c: callbacks of the plugin */
aff_status watch_process(void *self, const struct aff_batch *batch, uint32_t *ret_taken);
aff_status watch_timer(void *self, uint32_t subject, int64_t due_ns);
aff_status watch_stream_end(void *self, uint32_t port, const struct aff_record *mark);
aff_status watch_drain(void *self);
int32_t watch_active(struct watch *w, struct subject *s);

/* shape.c */
aff_status watch_shape(const void *config, const struct aff_table *inputs, const struct aff_report *report);

#endif
