/* op_alert.h - the instance, shared by the files that call the host. */
#ifndef OP_ALERT_OP_ALERT_H
#define OP_ALERT_OP_ALERT_H

#include "tell.h"
#include "values.h"

enum { PORT_IN, PORT_COMMANDS };
enum { VERDICT_LATE = 1, VERDICT_UNKNOWN_ALERT, VERDICT_BAD_COMMAND };
enum { METRIC_ACTIVE, METRIC_RAISED, METRIC_REPEATED, METRIC_ACKNOWLEDGED };

/* What was told for the input in hand; counted when it is taken. */
struct tally {
    uint64_t raised, repeated, acknowledged;
    int32_t active;
};

struct alerts {
    const struct aff_host *host;
    struct plan plan;
    size_t state_bytes;
    void *work; /* a subject's state while a row is judged */
    uint32_t schemas[3]; /* of alerts, by the label of their text */
    uint32_t top;        /* highest subject seen */
    int64_t active;      /* alerts that are told */
    struct tally tally;
    uint32_t next_lookup;
    uint32_t rules; /* their hash, see rules_hash */
    uint8_t has_told;
    struct lookup lookups[LOOKUPS];
};

/* alert.c */
/* Makes the record of a telling, at `at_ns` of the subject's time; subject: the
 * patient. */
aff_status alert_emit(struct alerts *a, uint32_t input, uint32_t subject, const struct view *v,
                      const struct telling *t, int64_t at_ns);
/* Ends the stream of a place's alerts. */
aff_status alert_stream_end(struct alerts *a, uint32_t subject);
/* The state of a subject; false: there is none. */
bool alert_view(struct alerts *a, uint32_t subject, struct view *ret);
/* Asks for the time at which something is due next. */
void alert_arm(struct alerts *a, uint32_t subject, const struct view *v);
/* Puts what was told into the metrics. */
void alert_count(struct alerts *a);
/* How many of a subject's alerts are told. */
int32_t alert_active(const struct alerts *a, const struct view *v);

/* row.c: callbacks of the plugin */
aff_status alerts_process(void *self, const struct aff_batch *batch, uint32_t *ret_taken);
aff_status alerts_timer(void *self, uint32_t subject, int64_t due_ns);
aff_status alerts_stream_end(void *self, uint32_t port, const struct aff_record *mark);
aff_status alerts_drain(void *self);

/* command.c */
aff_status command_process(struct alerts *a, const struct aff_batch *batch, uint32_t input);

/* shape.c */
aff_status alerts_shape(const void *config, const struct aff_table *inputs, const struct aff_report *report);

#endif
