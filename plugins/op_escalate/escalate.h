/* escalate.h - the instance, shared by the files that call the host. */
#ifndef OP_ESCALATE_ESCALATE_H
#define OP_ESCALATE_ESCALATE_H

#include "ladder.h"

enum { PORT_IN, PORT_COMMANDS };
enum { OUT_ALERTS, OUT_ACKS };
enum {
    VERDICT_KNOWN = 1,
    VERDICT_ACKNOWLEDGED,
    VERDICT_NOBODY_TOLD,
    VERDICT_NO_STEP,
    VERDICT_BAD_ALERT,
    VERDICT_UNKNOWN_ALERT,
    VERDICT_WHICH_ALERT,
    VERDICT_ALREADY,
    VERDICT_STRANGER,
    VERDICT_NO_ANSWER,
    VERDICT_BAD_COMMAND,
    VERDICT_STALE,
    VERDICT_RESULT
};
enum { METRIC_OPEN, METRIC_TOLD, METRIC_ACKNOWLEDGED, METRIC_UNANSWERED, METRIC_UNTRACKED, METRIC_UNREACHED, METRICS };

/* The columns of an alert, and then whom it is for. */
enum {
    OUT_TO = OUT_COLUMNS,
    OUT_STEP,
    OUT_CODE,
    OUT_BY,
    OUT_NUMBER,
    OUT_MAIL,
    OUT_CALL,
    CALL_COLUMNS
};
extern const struct aff_schema call_schema;
enum { ACK_ACTION, ACK_ALERT, ACK_BY, ACK_COLUMNS };
extern const struct aff_schema ack_schema;

/* What happened for the input in hand; counted when it is taken. */
struct tally {
    uint64_t told, acknowledged, unanswered, untracked, unreached;
    int32_t open;
};

struct escalate {
    const struct aff_host *host;
    struct plan plan;
    size_t state_bytes;
    struct subject *work; /* a place's state while a row of it is worked on */
    uint32_t calls[3], acks[3]; /* schemas by label */
    uint32_t top;         /* highest subject seen */
    int64_t open;         /* alerts that are neither acknowledged nor ended */
    struct tally tally;
    int64_t wake_ns;      /* what was asked of host->wake_at; INT64_MAX: nothing */
    uint8_t is_new;       /* restored from a run with other steps or people */
    uint8_t unsynced;     /* since the start UTC was not to be trusted yet */
};

/* The row's schema; NULL, explained: it is none. */
const struct aff_schema *row_schema(const struct escalate *e, const struct aff_record *r);
/* The highest label of the columns of a schema that have one of `count` names. */
uint8_t columns_label(const struct aff_schema *s, const char *const *names, uint32_t count);

/* The columns of one of our schemas, those with words of the alert's so labelled. */
void labels_set(struct aff_column *columns, const struct aff_schema *table, uint8_t label);

/* The state of a place; NULL: there is none. */
struct subject *subject_of(struct escalate *e, uint32_t subject);
void tally_count(struct escalate *e);
int32_t open_count(const struct escalate *e, const struct subject *s);

/* tell.c: where a row goes, and when it is told. */
struct telling {
    uint32_t input;   /* AFF_NO_INPUT: at a timer */
    uint32_t subject;
    struct subject *state;
    int64_t event_ns; /* of what is told at a timer; else the earliest it may have */
};
aff_status call_emit(struct escalate *e, const struct telling *t, const struct alert *a, const struct call *c);
aff_status ack_emit(struct escalate *e, const struct telling *t, const struct alert *a);
/* All that is due at this time of the place's, each noted at once. */
aff_status due_tell(struct escalate *e, const struct telling *t, int64_t now_ns);
/* All who were told before are told this. */
aff_status told_tell(struct escalate *e, const struct telling *t, const struct alert *a, enum tell_state state);
/* Ends the streams of a place. */
aff_status calls_end(struct escalate *e, uint32_t subject, const struct subject *s);

/* What the log says of an alert: its code, and nothing that came with it. */
void alert_log(const struct escalate *e, int level, const struct alert *a, const char *what, const char *who);

/* times.c */
/* A row of the place came: its time. */
void times_note(struct escalate *e, struct subject *s, const struct aff_record *r);
/* The event time behind all that was told of the place so far. */
int64_t times_behind(const struct subject *s);
/* Whether its time goes on with this node's clock; a recording's does not. */
bool times_is_live(const struct subject *s);
/* All that is due now, at once: nothing more is waited for. */
aff_status times_tell(struct escalate *e, struct telling *t);
/* Asks for the time at which something is due next. */
void times_arm(struct escalate *e, uint32_t subject, struct subject *s);
/* After a restart: how long the node was away. */
void times_resume(struct escalate *e);
aff_status escalate_timer(void *self, uint32_t subject, int64_t due_ns);
aff_status escalate_wake(void *self);

/* rows.c, answer.c, shape.c: callbacks of the plugin */
aff_status escalate_process(void *self, const struct aff_batch *batch, uint32_t *ret_taken);
aff_status escalate_stream_end(void *self, uint32_t port, const struct aff_record *mark);
aff_status answer_process(struct escalate *e, const struct aff_batch *batch, uint32_t input);
aff_status escalate_shape(const void *config, const struct aff_table *inputs, const struct aff_report *report);

#endif
