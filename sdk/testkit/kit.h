/* SPDX-License-Identifier: Apache-2.0
 *
 * kit.h - what the files of the testkit share: the harness, its parts, and the
 * one way to report a breach.
 *
 * The host table is the first member of the harness, so a host function finds
 * the harness from the table it was called with; host_enter proves that the
 * table is one of ours, and still open, before anything of it is read.
 *
 * Not here: anything that a test sees (afferent/testkit.h). */
#ifndef AFF_TESTKIT_KIT_H
#define AFF_TESTKIT_KIT_H

#include <afferent/testkit.h>

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* Where the plugin is: which callback runs now. */
enum callback {
    CB_NONE,
    CB_VALIDATE,
    CB_SHAPE,
    CB_OPEN,
    CB_CLOSE,
    CB_QUERY_OPEN,
    CB_QUERY_NEXT,
    CB_QUERY_CLOSE,
    CB_START, /* [data] from here on */
    CB_STOP,
    CB_READ,
    CB_PROCESS,
    CB_WRITE,
    CB_SYNC,
    CB_COMMITTED,
    CB_WAKE,
    CB_TIMER,
    CB_STREAM_END,
    CB_DRAIN,
    CB_SNAPSHOT,
    CB_RESTORE,
    CB_FLUSH
};

/* ------------------------------------------------------------- breach.c */

/* Ends the test with "NAME: callback: sentence". h may be NULL. */
#define BREACH_FORMAT(f, a) __attribute__((format(printf, f, a), noreturn))
void kit_breach(const struct aff_harness *h, const char *format, ...) BREACH_FORMAT(2, 3);
/* Ends the test because the test itself is wrong. */
void kit_misuse(const char *format, ...) BREACH_FORMAT(1, 2);
/* malloc that ends the test when there is none; zeroed. */
void *kit_alloc(size_t size);
/* Grows an array by at least one item; *room counts items. */
void *kit_grow(void *array, size_t count, size_t *room, size_t item);
char *kit_copy(const char *text);
const char *callback_name(enum callback callback);
/* Harnesses that are open, for host_enter and the end of a test. */
void harness_register(struct aff_harness *h);
void harness_forget(struct aff_harness *h);
/* Whether a host call that may fail fails now (faults.c). */
int call_fails(struct aff_harness *h, const char *call);
void faults_reset(void);
int faults_armed(void);

/* -------------------------------------------------------------- guard.c */

/* Memory that is lent to the plugin: pages of its own, its end at a page that
 * nobody may touch. */
struct guard {
    struct guard *next, *previous;
    unsigned char *base; /* of the mapping */
    size_t length;       /* without the guard page */
    unsigned char *data; /* 16-aligned, size + slack ends at base + length */
    size_t size;
    const char *role; /* "payload of an input record" */
    int state;
};
enum { GUARD_WRITE, GUARD_READ, GUARD_GONE };
struct guard *guard_new(size_t size, const char *role);
void guard_lock(struct guard *guard); /* read-only from now on */
/* The loan is over: nobody may touch it, and its address stays unused a while. */
void guard_retire(struct guard *guard);
/* The bytes between size and the guard page; 0 when one was written. */
int guard_intact(const struct guard *guard);
/* Catches faults in guarded memory until guard_release_all. */
void guard_watch(struct aff_harness *h);
void guard_release_all(void);

/* ------------------------------------------------------------- watch.c */

enum { WATCHES_MOST = 8, LINKS_MOST = 8 };
/* Breach where one is closed and not forgotten. */
void watches_check(const struct aff_harness *h);
/* What host->rouse rings, from any thread; for instances that come and go. */
void rouse_open(struct aff_harness *h);
void rouse_close(struct aff_harness *h);

/* ------------------------------------------------------------ options.c */

struct problems {
    char *text; /* lines, NULL when none */
    size_t size;
};
void problem_add(struct problems *problems, const char *option, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
struct memory { /* freed together */
    void **blocks;
    size_t count, room;
};
void *memory_take(struct memory *memory, size_t size);
void memory_free(struct memory *memory);
/* Fills `config` of plugin->config_size from TOML text. */
void options_fill(const struct aff_plugin *plugin, const char *toml, void *config,
                  struct memory *memory, struct problems *problems);
/* The tables of a plugin obey the header; breach if not. */
void tables_check(const struct aff_plugin *plugin);
struct aff_option option_at(const void *items, uint32_t stride, uint32_t index);

/* --------------------------------------------------------------- load.c */

/* Finds a plugin by name; misuse if there is none. */
struct aff_plugin plugin_find(const char *name);

/* The file's note says the same as the constant (note.c). */
void note_check(const char *path, const struct aff_plugin *plugin);

/* -------------------------------------------------------------- names.c */

struct subject {
    char *name;
};
struct schema {
    struct aff_schema info; /* columns and texts are owned */
    uint64_t digest;        /* of its content */
};
struct stream {
    struct aff_stream_info info;
    char *name;
    int ended;
    int64_t first; /* where the test's next record begins */
    int64_t event_ns;
    int64_t last_ns; /* event time of the last record */
};
struct names {
    struct subject *subjects; /* integer 1 is [0] */
    struct schema **schemas;
    struct stream **streams;
    struct stream **retired; /* earlier generations: borrowed for good */
    size_t subject_count, subject_room;
    size_t schema_count, schema_room;
    size_t stream_count, stream_room;
    size_t retired_count, retired_room;
};
uint32_t subject_intern(struct aff_harness *h, const char *name);
uint32_t schema_intern(struct aff_harness *h, const struct aff_schema *schema);
uint32_t stream_intern(struct aff_harness *h, uint32_t subject, const char *name, uint32_t schema);
struct stream *stream_get(struct aff_harness *h, uint32_t stream);
struct schema *schema_get(struct aff_harness *h, uint32_t schema);
void stream_retire(struct aff_harness *h, uint32_t stream);
int column_find(const struct aff_schema *schema, const char *name);
const struct aff_column *column_at(const struct aff_schema *schema, uint32_t index);
void names_free(struct names *names);
/* A subject's name that stands in this text, or NULL. */
const char *subject_inside(struct aff_harness *h, const char *text);
uint64_t digest_bytes(uint64_t digest, const void *bytes, size_t size);

/* ------------------------------------------------------------- timers.c */

struct timer {
    int64_t due_ns;  /* event time; INT64_MAX: none */
    int64_t last_ns; /* event time of the subject's latest record */
    int64_t boot_ns; /* when the latest record came; 0: none came yet */
    int64_t back_ns; /* of the record before, if has_back: far too early for its stream */
    uint32_t stream; /* whose time last_ns is */
    int has_back;
};
/* A record is about to be given: timers that it passes are called first. */
aff_status timers_pass(struct aff_harness *h, const struct aff_record *record);
/* When the next timer is due on the boot clock; INT64_MAX: none. */
int64_t timers_next(const struct aff_harness *h);
/* Calls those that are due by now. */
aff_status timers_call(struct aff_harness *h);

/* -------------------------------------------------------------- state.c */

struct state_item {
    uint32_t generation;
    void *bytes;
};
struct states {
    struct state_item *items;
    size_t count;
    size_t bytes; /* 0: not opened */
    int per_subject;
};
void states_free(struct states *states);

/* --------------------------------------------------------------- emit.c */

struct draft {
    struct guard *header; /* holds the aff_record */
    struct guard *payload;
    uint32_t port;
    uint32_t input;
};
struct emit { /* made in this callback, not yet out */
    struct aff_record record;
    uint32_t port;
    uint32_t input; /* AFF_NO_INPUT: after the input `after` */
    uint32_t after; /* how many inputs stand before it */
};
struct hold {
    struct guard *header;
    struct guard *payload;
    uint32_t port;  /* input port it came from */
    uint32_t input; /* index in the batch of this call */
    int fresh;      /* held in this call */
};
struct aside { /* by host->dead in this callback */
    uint32_t input;
    uint8_t verdict;
};
struct release {
    struct aff_record record;
    uint32_t port;
    uint8_t verdict;
};

/* What happens during one callback; empty between callbacks. */
struct call {
    const struct aff_batch *batch; /* process and write */
    struct guard *records;
    struct guard **payloads;
    const unsigned char **originals;
    uint8_t frozen[64]; /* verdicts as they were when they became final */
    uint32_t frozen_count;
    uint32_t want; /* source: emits still allowed */
    const struct aff_record *mark;
    const struct aff_record *due; /* timer: subject and event time */
    struct aside *asides;
    size_t aside_count, aside_room;
    struct emit *emits;
    size_t emit_count, emit_room;
    struct release *releases;
    size_t release_count, release_room;
    struct draft draft;
    int has_draft;
};
void emits_reset(struct aff_harness *h);

/* --------------------------------------------------------------- hold.c */

struct pending {
    struct aff_record record; /* data is owned */
    uint32_t port;
};
enum { WORDS_ROOM = 80, WINDOW_RECORDS = 1024, WINDOW_EPOCHS = 8 };
struct answer { /* by host->ack or answer, not looked at yet */
    struct aff_id id;
    aff_status status;
    uint8_t verdict;
    char words[WORDS_ROOM + 1]; /* one more than may be, so that it is seen */
};
void hold_free(struct aff_harness *h, size_t index);
/* Other copies of what is held, for the next instance. */
void holds_move(struct aff_harness *h);
/* write took it; host->ack will say what became of it. */
void unanswered_add(struct aff_harness *h, uint32_t port, const struct aff_record *record);
/* Books the answers that came. */
void answers_settle(struct aff_harness *h);
/* What was answered AFF_ERR_IO waits to be taken again; all without an answer do. */
void resends_offer(struct aff_harness *h);
void unanswered_resend(struct aff_harness *h);

/* ------------------------------------------------------------ deliver.c */

aff_status deliver(struct aff_harness *h, int all);
/* Books what host->dead set aside for inputs below `upto`. */
void asides_settle(struct aff_harness *h, uint32_t upto);
/* Settles what a callback other than process and write emitted and released. */
void settle_loose(struct aff_harness *h);

/* ------------------------------------------------------------ outputs.c */

struct output {
    struct aff_record *records; /* data is owned */
    size_t count, room, next;
    uint64_t *digests; /* by stream integer */
    size_t digest_room;
    uint64_t retired_digest;
};
void output_add(struct aff_harness *h, uint32_t port, const struct aff_record *record);
void *payload_copy(const void *data, size_t size);

/* ------------------------------------------------------------ harness.c */

struct log_line {
    int level;
    char *text;
};

struct aff_harness {
    struct aff_host host; /* first: see host_enter */
    struct aff_harness *next;
    struct aff_plugin plugin;
    char *toml;
    void *config;
    struct memory memory;
    void *self;
    int is_open, is_started, is_drained, is_over; /* over: END or stopped by an error */
    pthread_t thread;
    enum callback callback;
    aff_status status;
    char cause[512];
    struct log_line *lines;
    size_t line_count, line_room;

    int64_t boot_ns, utc_ns, wake_ns;
    uint8_t utc_clock;
    uint64_t random;
    uint32_t cut, next_cut, want, max_held, max_record;
    uint64_t epoch;

    void **blocks; /* of host->alloc */
    size_t block_count, block_room;

    uint64_t fail_in; /* the n-th call from now fails; 0: none */
    const char *failed;   /* the call that failed so far */
    const char *injected; /* failed during this callback */

    struct names names;
    struct timer *timers; /* by subject integer */
    size_t timer_count;
    struct states states;
    uint32_t quick_stream[128]; /* of aff_harness_push, by port and kind */

    uint64_t source_id, node_id, next_seq, next_made;
    struct pending *pending;
    size_t pending_count, pending_room;
    int is_stuck; /* what is pending was offered and not taken */
    struct call call;
    struct hold *holds;
    size_t hold_count, hold_room;
    pthread_mutex_t answers_lock;
    struct answer *answers;
    char words[WORDS_ROOM + 1]; /* of the last */
    int rouse[2];               /* a pipe */
    _Atomic uint64_t rouses;
    struct problems notes; /* of validate */
    size_t answer_count, answer_room;
    struct pending *unanswered, *resends;
    size_t unanswered_count, unanswered_room, resend_count, resend_room;
    uint64_t cuts; /* host->cut */
    struct pollfd watches[WATCHES_MOST];
    size_t watch_count;
    struct aff_link own_link, links[LINKS_MOST];
    uint32_t link_count;
    struct aff_uplink uplink; /* that it is to use; this and what follows under answers_lock */
    aff_status uplink_status; /* AFF_END where revision is 0 */
    int spends;
    uint64_t spent_out, spent_in, tried_well, tried_ill;
    struct output *outputs; /* one per output port, and one for queries */
    struct aff_harness_ledger ledger;
    uint64_t verdict_counts[256];
    double *metrics;
    char **texts; /* given out by aff_harness_text */
    size_t text_count, text_room;
};

/* validate's and shape's report; what it needs is found behind it. */
struct reporter {
    struct aff_report report;
    struct aff_harness *h;
    struct problems *problems;
    struct aff_shape *outputs; /* shape: by row */
};
/* The plugin's time has come: calls read or wake, and offers what it did not take. */
aff_status harness_wake(struct aff_harness *h);
/* Marks the beginning and the end of a callback. call_end checks the status and
 * says whether an injected failure asks for the same call again. */
void call_begin(struct aff_harness *h, enum callback callback);
int call_end(struct aff_harness *h, aff_status status);
void harness_table(struct aff_harness *h); /* fills h->host (host.c) */
struct aff_harness *host_enter(const struct aff_host *host, const char *call);
/* Breach unless a [data] callback runs in which records may be made. */
void data_only(struct aff_harness *h, const char *call);
uint32_t input_port(struct aff_harness *h, const char *name);
uint32_t output_port(struct aff_harness *h, const char *name);
const struct aff_port *port_at(const struct aff_table *table, uint32_t index);
const char *row_name(const struct aff_table *table, uint32_t index); /* of any table */
const struct aff_verdict *verdict_at(const struct aff_harness *h, uint8_t verdict);
uint64_t kit_random(uint64_t *state);
/* harness.c: loads, fills the config and validates; not open yet. Problems are
 * left to the caller. */
void report_problem(const struct aff_report *report, const char *option, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* One callback without a batch (events.c). */
aff_status simple_call(struct aff_harness *h, enum callback callback, aff_status (*call)(void *self));
struct aff_harness *harness_new(const char *name, const char *toml, struct problems *problems);
void harness_free(struct aff_harness *h);
aff_status instance_open(struct aff_harness *h);
aff_status instance_start(struct aff_harness *h);
void instance_stop(struct aff_harness *h);
void instance_close(struct aff_harness *h);

#endif
