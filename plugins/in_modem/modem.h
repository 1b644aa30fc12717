/* SPDX-License-Identifier: Apache-2.0
 *
 * modem.h - an instance of in_modem, and what its parts share.
 *
 * modem.c opens it and has its turns. engine.c holds the port and runs one command
 * at a time; session.c decides which is next and takes the codes; inbox.c takes
 * messages, store.c lists and deletes them, orders.c carries out commands, outbox.c sends messages, net.c keeps the
 * data session; report.c makes records. A backend that is no AT port would take the
 * place of engine.c and session.c. */
#ifndef IN_MODEM_MODEM_H
#define IN_MODEM_MODEM_H

#include <afferent/plugin.h>

#include <sys/types.h>

#include "at.h"
#include "at_values.h"
#include "config.h"
#include "parts.h"
#include "utf16.h"
#include "tty/port.h"

enum { PORT_DATA, PORT_RESULTS, PORT_EVENTS, PORT_STATUS, PORT_POSITION, PORTS };

/* Verdicts, as the rows of the table, and the outcomes of commands. */
enum {
    VERDICT_QUEUED = 1, VERDICT_DONE, VERDICT_SENT, VERDICT_FAILED, VERDICT_EXPIRED, VERDICT_BAD_COMMAND,
    VERDICT_TOO_MANY, VERDICT_FILTERED, VERDICT_NOBODY, VERDICT_BAD_MESSAGE
};

enum {
    METRIC_RECEIVED, METRIC_INCOMPLETE, METRIC_TWICE, METRIC_BAD, METRIC_SENT, METRIC_PARTS, METRIC_RETRIES,
    METRIC_DELIVERED, METRIC_UNDELIVERED, METRIC_CODES, METRIC_STRAYS, METRIC_TIMEOUTS, METRIC_RESETS, METRIC_LOST,
    METRIC_QUEUED, METRIC_EVENTS_LOST, METRICS
};

enum {
    EVENTS_MOST = 48,
    ORDERS_MOST = 256,
    GIVEN_MOST = 256,  /* messages that are to be deleted in the modem */
    ARRIVALS_MOST = 64, /* messages that were told of, where the modem has no list */
    STORES_MOST = 4,
    DOUBTS_MOST = 32,
    EARLY_MOST = 32,
    REPORTS_MOST = 64, /* messages sent whose reports are to come */
    WHY_MOST = 200
};

#define SECOND_NS INT64_C(1000000000)

/* ---- engine ---- */

enum ended { ENDED_OK, ENDED_ERROR, ENDED_TIMEOUT, ENDED_LOST };

struct modem;

/* A command to the modem. `line` gets each line of its reply, `done` its end, when
 * the next may be sent. Texts are copied. */
struct request {
    const char *text;    /* without its end */
    const char *prefix;  /* of the reply, or NULL */
    unsigned flags;      /* AT_PLAIN ... */
    int64_t timeout_ns;  /* of its result; a prompt comes sooner */
    const char *payload; /* behind the prompt; NULL: none */
    void (*line)(struct modem *m, const struct at_event *e);
    void (*done)(struct modem *m, enum ended ended, const struct at_event *e); /* e: of OK and ERROR */
};

struct engine {
    int fd; /* -1: not open */
    uint32_t watched;
    bool lent; /* to a ppp command: neither read nor written here */
    struct at_reader reader;
    uint8_t out[1200];
    size_t out_size, out_sent;
    char payload[2 * SMS_PDU_MOST + 4];
    bool busy, prompted;
    int64_t deadline_ns, timeout_ns, sent_ns;
    void (*line)(struct modem *m, const struct at_event *e);
    void (*done)(struct modem *m, enum ended ended, const struct at_event *e);
    struct port_fault fault;
    int64_t next_try_ns, delay_ns;
    bool was_tried;
};

/* Opens the port when it is time to. AFF_ERR_IO or AFF_ERR_CONFIG: it is not open. */
aff_status engine_open(struct modem *m);
void engine_close(struct modem *m);
/* The line is gone: what runs ends with ENDED_LOST. */
void engine_lost(struct modem *m, const char *why, int error);
/* Ends what runs, without closing. */
void engine_abort(struct modem *m, enum ended ended);
void engine_send(struct modem *m, const struct request *r);
/* Bytes that are no command: the escape that leaves a prompt. */
void engine_raw(struct modem *m, const char *bytes);
/* Reads, writes and looks at the clock. True: there may be more to read. */
bool engine_turn(struct modem *m);
aff_status engine_watch(struct modem *m);

/* ---- what waits to be told ---- */

enum event_kind {
    EVENT_LINE_LOST, EVENT_LINE_BACK, EVENT_READY, EVENT_RESET, EVENT_SILENT, EVENT_IDENTITY, EVENT_SIM,
    EVENT_REGISTRATION, EVENT_TIME, EVENT_CALL, EVENT_CALL_ENDED, EVENT_USSD, EVENT_REPORT, EVENT_LINK_UP,
    EVENT_LINK_DOWN, EVENT_STORE_FULL, EVENT_STORE_FREE, EVENT_STORE_REFUSED, EVENT_TEXT_MODE,
    EVENT_KINDS
};

struct event {
    enum event_kind kind;
    uint8_t clock;
    int64_t at_ns;
    int64_t time_ns;   /* network time; INT64_MIN: none */
    int64_t number;    /* reference, zone in minutes, count; INT64_MIN: none */
    char state[40];    /* words of ours: "registered", "pin_needed" */
    char technology[24];
    char why[WHY_MOST];
    char phi[AT_TEXT_MOST]; /* number or name: labelled */
    char text[UTF8_SIZE(200) + 1]; /* USSD: labelled */
};

/* ---- messages ---- */

/* A message that was handed on: to be deleted in the modem when that is safe. */
struct given {
    uint64_t digest; /* of the PDU */
    uint64_t epoch;  /* in which it was; GIVEN_LATER: it is still to be */
    union {
        uint16_t slot; /* of `at` */
        struct place at;
    };
    uint16_t copy; /* which of those with equal PDUs, from 0 */
    uint8_t safe;  /* it may be deleted */
    uint8_t reserved[5];
};
#define GIVEN_LATER UINT64_MAX

struct store {
    char name[8];     /* "": the modem does not say */
    bool due;         /* to be listed */
    bool told;        /* that the modem refuses it */
    int64_t retry_ns; /* not chosen before, since it was refused */
    int32_t unknown;  /* messages that were in it and that we do not know, by AT+CPMS? */
};

/* What was read and is perhaps the line's noise: believed when it is read again. */
struct doubt {
    uint64_t digest;
    uint32_t list; /* in which it was read; 0: free */
};

struct arrival {
    uint16_t slot;
    uint8_t store;
};

struct inbox {
    struct joiner joiner;
    struct given given[GIVEN_MOST];
    uint32_t given_count;
    bool is_restored; /* what the process before this one left waits for a commit */
    bool has_report; /* status reports came, whose results are still to be told */
    bool is_left;    /* something was left in the modem, for want of room here */
    bool is_full;
    bool text_told;  /* that the modem gives messages in text mode */
    struct store stores[STORES_MOST];
    uint8_t store_count, current, choosing; /* `current` is listed, or NO_STORE */
    bool is_said;                           /* AT+CPMS? has answered, or it never will */
    bool no_all;                            /* "MT" cannot be chosen: each by itself */
    bool is_sure;                           /* nothing but deletes came since it was chosen */
    bool listing, is_odd;                   /* odd: there was noise in this list */
    unsigned odd_lists;                     /* in a row */
    uint32_t lists;                         /* counts up */
    int64_t list_ns, list_delay_ns;         /* none before; after those that failed */
    int64_t all_ns;                         /* all are listed then, due or not */
    int64_t delete_ns, delete_delay_ns;
    struct place deleting;
    bool no_lists;              /* nothing is ever listed: of a backend that tells by itself */
    bool no_list;               /* the modem has none: places are read one by one */
    bool is_answered;           /* by one of its places: it is not the store that fails */
    uint16_t reading, places;   /* the next and the last of them; 0: none */
    struct arrival arrivals[ARRIVALS_MOST];
    uint32_t arrival_count;
    struct doubt doubts[DOUBTS_MOST];
    uint64_t bad_digest; /* of one that cannot be read, to be set aside */
    char bad[2 * 255 + 1];
    struct place bad_at;
};

/* A message that was sent, and whose reports are to come. */
struct sent {
    int64_t sent_ns; /* UTC */
    int64_t id;      /* of the command's row; INT64_MIN: none */
    char number[SMS_NUMBER_MOST + 2];
    uint8_t parts;
    uint8_t delivered; /* parts; of one that has ended the status of its last report */
    uint8_t used;      /* SENT_WAITS ...; 0: free */
    uint8_t kind;
    uint8_t references[PARTS_SENT_MOST];
    uint8_t state[PARTS_SENT_MOST]; /* 1: delivered */
};
enum { SENT_WAITS = 1, SENT_ENDED }; /* ended: its result is still to be told, also after a restart */

enum order_kind { ORDER_SMS, ORDER_ALERT, ORDER_USSD, ORDER_RESET, ORDER_CONNECT, ORDER_DISCONNECT, ORDER_AT, ORDER_NONE };

struct order {
    const struct aff_record *record; /* held */
    enum order_kind kind;
    uint8_t outcome; /* a verdict; 0: still to do */
    bool running;    /* a command of it is at work */
    bool waits;      /* for what comes by itself, until next_ns: the answer to USSD */
    bool any_sent;   /* to one of its numbers */
    uint8_t tries;   /* of this part */
    uint8_t target, part;
    int64_t queued_ns, next_ns;
    int64_t began_ns; /* when its first part was sent to this number */
    int code; /* of the last error, -1: none */
    char why[WHY_MOST]; /* words of ours */
    uint8_t references[PARTS_SENT_MOST];
};

/* A result that is to be told beside a command: of one number, or of a report. */
struct told {
    const char *outcome, *why; /* static */
    char number[SMS_NUMBER_MOST + 2];
    enum order_kind kind;
    int64_t id, reference, parts, code, tries;
    double took_s;
    uint8_t sent; /* of a report: the message it is of, from 1 */
};

/* A report of what is not known to be sent yet. */
struct early {
    int64_t at_ns; /* boot clock; 0: none */
    char number[SMS_NUMBER_MOST + 2];
    uint8_t reference, status;
};

struct outbox {
    struct order orders[ORDERS_MOST]; /* oldest first */
    struct early early[EARLY_MOST];   /* a ring */
    uint32_t early_count;             /* counts up */
    uint32_t count;
    int64_t reference; /* of +CMGS */
    char reply[AT_LINE_MOST + 1];
    struct sent sent[REPORTS_MOST];
    struct told told[REPORTS_MOST];
    uint32_t told_count;
};

/* ---- network and data ---- */

enum net_state { NET_DOWN, NET_DEFINING, NET_RAISING, NET_UP, NET_DIALLING, NET_PPP, NET_LOWERING };

struct net {
    enum net_state state;
    bool wanted;
    int64_t next_ns, delay_ns;
    pid_t pid;
    int pidfd;
    struct aff_link said;
    bool has_said, has_base;
    bool is_defined; /* the context is what it should be */
    uint64_t base_sent, base_received;
};

enum phase { PHASE_CLOSED, PHASE_SETTLE, PHASE_SYNC, PHASE_INIT, PHASE_SIM, PHASE_SETUP, PHASE_READY };

struct managed;

struct modem {
    struct managed *managed; /* by ModemManager; NULL: by AT */
    const struct aff_host *host;
    const struct config *config;
    uint32_t subject, streams[PORTS], schemas[PORTS];
    struct engine engine;
    enum phase phase;
    unsigned step, tries;
    int64_t wait_ns; /* nothing is sent before */
    int64_t now;
    bool silent_told, line_was_lost, iccid_silent;
    uint32_t pin_tried;   /* digest of the PIN and the SIM that it was tried for; 0: none */
    uint32_t pin_refused; /* by that SIM, also in an earlier run */
    bool echoes;          /* also when told not to */
    bool notices_known;
    struct at_notices notices;
    enum at_sim sim;
    char sim_state[24], sim_said[48];
    struct at_registration registration[AT_DOMAINS];
    bool has_registration[AT_DOMAINS];
    struct at_signal signal;
    struct at_operator operator;
    struct at_stores stores;
    char maker[64], model[64], firmware[64], imei[24], imsi[24], iccid[24];
    struct at_position position;
    uint32_t unsupported; /* polls, by bit */
    uint64_t skipped;     /* commands of setup.c that the modem never answered, by bit */
    uint32_t slow_polls;  /* those not answered the last time */
    uint64_t slow_steps;
    uint64_t refused, again; /* commands of setup.c that must be taken and were not; of these, still to be sent now */
    unsigned refused_tries;
    bool is_off;          /* its radio is, by +CFUN */
    unsigned poll;
    bool polling, status_due, position_due;
    int64_t next_poll_ns;
    struct event events[EVENTS_MOST];
    uint32_t event_count;
    struct inbox inbox;
    struct outbox outbox;
    struct net net;
    uint64_t run, made; /* what record ids are made of */
};

/* session.c */
void session_opened(struct modem *m);
void session_lost(struct modem *m);
/* Begins again with the modem as it is: after a time-out, or it began anew. */
void session_sync(struct modem *m, int64_t settle_ns);
/* Sends the next command, if nothing runs and there is one. */
void session_next(struct modem *m);
void session_code(struct modem *m, const struct at_event *e);
/* AT+CPIN? was asked while it was ready: a line of its reply, or the code of an error. */
void session_sim_look(struct modem *m, const char *line, int code);
int64_t session_due(struct modem *m);
bool session_is_registered(const struct modem *m);
bool session_is_roaming(const struct modem *m);
/* <AcT> of the best registration; -1. */
int session_technology(const struct modem *m);

/* setup.c: a line of the reply to AT+CCID; commands of a session's beginning, and those asked now and then. False:
 * there is no more. */
void setup_iccid(struct modem *m, const struct at_event *e);
bool setup_identity(struct modem *m);
bool setup_ready(struct modem *m);
bool setup_poll(struct modem *m);
/* What was refused is sent again before the next poll; a modem may not be ready when it says so. */
void setup_again(struct modem *m);
/* Whether it may still come to that. */
bool setup_may_change(const struct modem *m);

/* inbox.c */
aff_status inbox_open(struct modem *m);
void inbox_close(struct modem *m);
void inbox_code(struct modem *m, const struct at_event *e);
/* A line of a list, or of one place that was read. */
void inbox_line(struct modem *m, const struct at_event *e, uint16_t slot);
aff_status inbox_emit(struct modem *m, uint32_t *want);
void inbox_committed(struct modem *m, uint64_t epoch);
/* A message or report with its digest, and where the modem keeps it. */
void inbox_take(struct modem *m, const struct sms *sms, uint64_t digest, uint16_t slot);
/* When a message gives up waiting for its parts; INT64_MAX: none does. */
int64_t inbox_gives_up(struct modem *m);

/* store.c: the modem's stores are chosen, listed, and what is safe deleted. */
bool store_next(struct modem *m);
int64_t store_due(const struct modem *m);
/* The modem is ready: all it has is to be listed. */
void store_ready(struct modem *m);
/* The line or the modem as it was is gone. */
void store_lost(struct modem *m);
/* Somebody else may have chosen another store, or deleted messages. */
void store_touched(struct modem *m);
/* There is room again for what was left in the modem. */
void store_left(struct modem *m);
/* AT+CPMS? has answered (m->stores). */
void store_said(struct modem *m);
/* +CMTI, +CDSI. */
void store_arrival(struct modem *m, const char *line);

/* known.c */
/* One of this PDU at this place (NO_SLOT: it came by itself) is known; it lies there. */
bool known_claim(struct inbox *b, uint64_t pdu, uint16_t slot);
/* How many with this PDU were numbered. */
uint16_t known_copies(const struct inbox *b, uint64_t pdu);
/* How many lie in this store. */
uint32_t known_in(const struct inbox *b, uint8_t store);
void known_lose(struct inbox *b);
/* Before and after a whole list of the current store. */
void known_unsee(struct inbox *b);
void known_listed(struct inbox *b);
/* Whether a list of this store without a message would say that one is gone. */
bool known_may_go(const struct inbox *b, uint8_t store);
struct place place_here(const struct inbox *b, uint16_t slot);
/* How many can be handed on before one is deleted. */
uint32_t given_room(struct inbox *b);
void given_add(struct inbox *b, const struct given *g);
const struct given *given_like(const struct inbox *b, uint64_t pdu);

/* orders.c */
aff_status orders_process(void *self, const struct aff_batch *batch, uint32_t *ret_taken);
void orders_restore(struct modem *m);
bool orders_next(struct modem *m);
aff_status orders_emit(struct modem *m, uint32_t *want);
int64_t orders_due(const struct modem *m);
void orders_ussd(struct modem *m, const struct at_ussd *u);
/* The order that a command of is at work; NULL: none. */
struct order *order_running(struct modem *m);
void order_end(struct modem *m, struct order *o, uint8_t outcome, const char *why);
/* A column of a row; NULL, INT64_MIN: it has none. Borrowed. */
const char *order_text(struct modem *m, const struct aff_record *r, const char *column, uint32_t *ret_size);
int64_t order_id(struct modem *m, const struct aff_record *r);

/* outbox.c */
bool outbox_next(struct modem *m, struct order *o);
void outbox_report(struct modem *m, const struct sms *report);
/* Tells of a message whose last report has come; again if the process before had not. */
void outbox_delivery(struct modem *m, struct sent *s);
/* The first of what is told has left, or is to. */
void outbox_told(struct modem *m);
/* For a backend that sends texts whole: number and text of what is next; and what
 * became of it: taken by the network, refused, or to be tried again. */
void outbox_number(struct modem *m, const struct order *o, char to[SMS_NUMBER_MOST + 2]);
size_t outbox_utf8(struct modem *m, struct order *o, char *to, size_t room);
void outbox_sent(struct modem *m, struct order *o);
void outbox_refused(struct modem *m, struct order *o, const struct at_event *e);
void outbox_again(struct modem *m, struct order *o, const char *why);

/* net.c */
bool net_next(struct modem *m);
void net_code(struct modem *m, const char *line);
void net_lost(struct modem *m, const char *why);
void net_close(struct modem *m);
/* Looks at a ppp command, at bytes; says the link's state when it changed. */
aff_status net_turn(struct modem *m);
int64_t net_due(const struct modem *m);
void net_active(struct modem *m, bool active);

/* report.c */
struct event *event_add(struct modem *m, enum event_kind kind, const char *state);
aff_status events_emit(struct modem *m, uint32_t *want);
aff_status status_emit(struct modem *m, uint32_t *want);
aff_status position_emit(struct modem *m, uint32_t *want);
/* A message with its text; its record's id comes from the digest. */
aff_status message_emit(struct modem *m, uint64_t digest, const struct joined *joined);
struct result_row {
    const char *command, *outcome, *why, *reply, *to;
    int64_t id, reference, parts, code, tries;
    double took_s;
};
/* `input`: of the command in this batch, or AFF_NO_INPUT. INT64_MIN: no number. */
aff_status result_emit(struct modem *m, uint32_t input, const struct result_row *row);

/* columns.c */
extern const struct aff_schema modem_schemas[PORTS];
extern const char *const order_names[ORDER_NONE + 1];

/* kept.c */
aff_status modem_snapshot(void *self, void *buffer, size_t room, size_t *ret_size);
aff_status modem_restore(void *self, const void *buffer, size_t size);

/* modem.c */
aff_status modem_open(const struct aff_host *host, const void *config, void **ret_self);
void modem_close(void *self);
aff_status modem_read(void *self, uint32_t want);
void modem_committed(void *self, uint64_t epoch);

static inline int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

#endif
