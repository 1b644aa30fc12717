/* SPDX-License-Identifier: Apache-2.0
 *
 * serial.h - an instance of in_serial, and what its parts share.
 *
 * serial.c opens it and has its turn: read. device.c holds the port: opening,
 * losing, coming back, silence. data.c makes records of frames, report.c those of
 * events and results; orders.c works off the commands. What cannot be emitted at
 * once waits in bounded places here, so that a turn can stop anywhere. */
#ifndef IN_SERIAL_SERIAL_H
#define IN_SERIAL_SERIAL_H

#include "config.h"
#include "window.h"

enum { PORT_DATA, PORT_RESULTS, PORT_EVENTS, PORTS };
enum { RESULT_COMMAND, RESULT_OUTCOME, RESULT_REPLY, RESULT_TRIES, RESULT_TOOK, RESULT_DEVICE, RESULT_ORDER,
       RESULT_COLUMNS };
enum { EVENT_KIND, EVENT_DEVICE, EVENT_AT, EVENT_COUNT, EVENT_SECONDS, EVENT_WHY, EVENT_COLUMNS };

/* Verdicts, as the rows of the table, and the outcomes of commands. */
enum { VERDICT_QUEUED = 1, VERDICT_DONE, VERDICT_REFUSED, VERDICT_TIMEOUT, VERDICT_FAILED, VERDICT_EXPIRED,
       VERDICT_BAD_VALUE, VERDICT_UNKNOWN, VERDICT_TOO_MANY };

enum { METRIC_FRAMES, METRIC_BYTES, METRIC_SKIPPED, METRIC_BAD_LONG, METRIC_BAD_LENGTH, METRIC_BAD_SUM,
       METRIC_BAD_ENCODING, METRIC_BAD_CUT, METRIC_LOST, METRIC_OPENED, METRIC_SILENT, METRIC_LINE_FRAMING,
       METRIC_LINE_PARITY, METRIC_LINE_OVERRUNS, METRIC_LINE_BREAKS, METRIC_SENT, METRIC_COMMANDS, METRIC_DONE,
       METRIC_NOT_DONE, METRIC_RETRIES, METRIC_QUEUED, METRIC_UNREADABLE };

enum event_kind { KIND_LINE_LOST, KIND_LINE_BACK, KIND_SILENT, KIND_NOT_SILENT, KIND_BAD_FRAMES, KIND_UNREADABLE,
                  KIND_READABLE, EVENT_KINDS };

enum {
    EVENTS_MOST = 16,  /* that wait to be emitted */
    JOBS_MOST = 256,   /* commands that are held */
    REPLY_MOST = 200,
    NAME_ROOM = 300,
    READ_BYTES = 65536, /* in one turn */
    STEPS_TURN = 4096   /* of the framer, in one turn */
};

#define SECOND_NS INT64_C(1000000000)

extern const struct aff_schema *const serial_schema[PORTS];
extern const struct aff_schema serial_data_schema, serial_result_schema, serial_event_schema, serial_command_schema;

struct event {
    enum event_kind kind;
    uint8_t clock;
    int64_t at_ns, count;
    double seconds; /* NaN: none */
    char why[PORT_WHY];
};

/* A command to carry out. */
struct job {
    const struct aff_record *record; /* held; NULL: on_open's, or a poll */
    uint8_t command, step;
    uint8_t outcome; /* a verdict; 0: still to do */
    bool has_begun;
    uint32_t tries;  /* of this step */
    uint32_t sends;  /* of all */
    uint32_t losses; /* of the line, in the middle of it */
    int64_t queued_ns, began_ns;
};

/* How long a held command has waited, for the next instance. The held ones may have
 * become fewer until then: known by the record. */
struct kept_job {
    struct aff_id id;
    int64_t age_ns;
    uint8_t has_begun, reserved[7];
};

/* A command that is sent again and again. */
struct poll {
    uint8_t command, outcome; /* of the last time */
    int64_t every_ns, next_ns;
};

enum order_state { ORDER_IDLE, ORDER_SENDING, ORDER_WAITING };

struct orders {
    struct command *table;
    uint32_t table_count;
    struct job jobs[JOBS_MOST]; /* oldest first */
    uint32_t job_count;
    struct job own; /* on_open's, or a poll, while it is at work */
    struct poll *own_poll; /* NULL: on_open's */
    uint32_t opening_next, opening_count;
    bool has_own;
    struct poll polls[POLLS_MOST];
    uint32_t poll_count;
    bool has_polled; /* since a command of the port began */
    enum order_state state; /* of the job that is at work: own, else jobs[0] */
    int64_t deadline_ns;
    uint8_t bytes[SEND_MOST];
    size_t size, sent;
    uint64_t asked_place; /* in the window: behind what had come when it was sent */
    uint8_t tail[TEXT_MARK_MOST - 1]; /* of the bytes looked at, for in_bytes */
    size_t tail_size;
    char reply[REPLY_MOST];
    size_t reply_size;
};

struct serial {
    const struct aff_host *host;
    const struct config *config;
    struct port_rule port;
    struct framer framer;
    struct window window;
    void *memory; /* of framer and window */
    uint32_t subject, streams[PORTS], schemas[PORTS];
    const char *device;
    char names[2][NAME_ROOM];
    /* The line. */
    int fd; /* -1: not open */
    uint32_t watched;
    bool was_open, is_lost, was_tried, has_errors;
    int64_t next_try_ns, delay_ns, lost_ns;
    struct port_fault fault;
    struct port_errors errors;
    int64_t errors_ns; /* when they are looked at next */
    /* What came. */
    struct window_step found; /* a frame that is not emitted yet */
    bool has_found, gap;
    bool is_cut; /* the line was lost since it was read: whole frames in the window are still good */
    int64_t heard_ns; /* of the last byte, or when the line was opened */
    int64_t frame_ns; /* event time of the last frame */
    bool is_silent;    /* was told; ends with the next byte, also behind a loss or a restart */
    int64_t silent_ns; /* since when */
    bool is_unreadable, is_unframed; /* the first was told; the second: bytes came behind the last frame */
    int64_t unframed_ns; /* the first of them; 0: it is not known any more */
    bool is_noisy;       /* some of them were garbage, at last at noise_ns */
    int64_t noise_ns;
    uint64_t bad;       /* since the last event about it */
    enum frame_reason bad_reason; /* of the last */
    int64_t bad_next_ns;
    struct event events[EVENTS_MOST];
    uint32_t event_count;
    struct orders orders;
};

/* A turn, as far as it got. */
struct turn {
    uint32_t want; /* records that may still be emitted */
    size_t bytes, steps;
    int64_t now;
    bool more; /* there is more to do at once */
};

/* device.c. Opens the port if it is time to. AFF_ERR_IO, AFF_ERR_CONFIG: not. */
aff_status device_open(struct serial *s, struct turn *t);
void device_close(struct serial *s);
/* The line failed: what is half is given up, and the port closed. */
void device_lost(struct serial *s, int64_t now, const char *what, int error);
/* Reads what is there: AFF_OK with *ret_size, AFF_AGAIN: nothing; AFF_ERR_IO: lost. */
aff_status device_read(struct serial *s, int64_t now, size_t *ret_size);
/* Writes some of it: as device_read. */
aff_status device_write(struct serial *s, int64_t now, const uint8_t *at, size_t size, size_t *ret_size);
/* Silence and the driver's counts. */
void device_care(struct serial *s, int64_t now);
/* What came was understood: a frame, an answer. */
void device_readable(struct serial *s);
/* What came was none, or an empty frame, which says something only where no garbage is. */
void device_noisy(struct serial *s);
void device_empty(struct serial *s);
/* Asks the host to wait for what we wait for. */
aff_status device_watch(struct serial *s, uint32_t events);
/* When it wants to be called at the latest. */
int64_t device_due(const struct serial *s, int64_t now);

/* data.c: frames to records, until there is no more, or no more is wanted. */
aff_status data_turn(struct serial *s, struct turn *t);
/* The line is lost, and no whole frame is left: counts what is half. */
void data_give_up(struct serial *s);
int64_t data_due(const struct serial *s);

/* report.c. An event takes the clock now; the oldest makes room. `why` may be NULL. */
void event_add(struct serial *s, enum event_kind kind, int64_t count, double seconds, const char *why);
aff_status events_turn(struct serial *s, struct turn *t);
/* A result. `input`: of the command in this batch, or AFF_NO_INPUT. */
struct result {
    const struct aff_record *record; /* the command; NULL: on_open's, or a poll */
    const char *command;
    uint32_t command_size;
    uint8_t outcome;
    uint32_t tries;
    double seconds;
    const char *reply;
    uint32_t reply_size;
};
aff_status result_emit(struct serial *s, uint32_t input, const struct result *r);

/* orders.c */
aff_status orders_open(struct serial *s);
void orders_close(struct serial *s);
/* [data] Commands come: process of the plugin. */
aff_status orders_process(void *self, const struct aff_batch *batch, uint32_t *ret_taken);
void orders_device_opened(struct serial *s);
void orders_device_lost(struct serial *s);
/* A frame that was just taken from the window, and bytes that just came, for the patterns. */
void orders_frame(struct serial *s, const uint8_t *at, size_t size);
void orders_bytes(struct serial *s, const uint8_t *at, size_t size);
aff_status orders_turn(struct serial *s, struct turn *t);
int64_t orders_due(const struct serial *s);
/* [data] What a snapshot says of the jobs: room for job_count of them, and for none. */
void orders_keep(const struct serial *s, struct kept_job *ret);
/* [data] After it, with `away_ns` gone since then, not below 0; `kept` may be less aligned. */
void orders_restore(struct serial *s, const void *kept, uint32_t count, int64_t away_ns);

/* serial.c */
aff_status serial_open(const struct aff_host *host, const void *config, void **ret_self);
void serial_close(void *self);
aff_status serial_read(void *self, uint32_t want);
aff_status serial_snapshot(void *self, void *buffer, size_t room, size_t *ret_size);
aff_status serial_restore(void *self, const void *buffer, size_t size);

#endif
