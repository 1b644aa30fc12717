/* SPDX-License-Identifier: Apache-2.0
 *
 * afferent/plugin.h - all that a plugin and its host say to each other.
 *
 * A plugin is one shared object that exports one constant, `afferent_plugin_v1`.
 * It imports nothing of Afferent: the host comes as a table of functions. This
 * header needs <stddef.h> and <stdint.h> and is clean in C99, C23 and C++11.
 *
 * State: free to change until the first release that says 1.0, frozen from then
 * on. Inside a major version tables and structs only grow at their end; each
 * carries its size or stride, so old plugins run in new hosts and new plugins in
 * old hosts.
 *
 * Contents
 *   1  Words            statuses, priorities, log levels
 *   2  Tables           options, ports, verdicts, metrics
 *   3  Host             what the host does for a plugin
 *   4  Plugin           the constant and its callbacks
 * Records and schemas are in record.h, which stands first. Rows of option tables
 * are written by options.h, payloads read and written by payload.h, the identity
 * in the file by note.h. All are included here.
 *
 * Threads. Three tags say who calls what:
 *   [control]  while nothing flows: open, close; allocation is allowed.
 *   [data]     on the thread that runs this node; after warm-up nothing is
 *              allocated. All [data] calls of one instance come from one thread
 *              at a time, one after another: an instance needs no lock.
 *   [any]      from any callback.
 * A plugin has no mutable statics: it may be opened many times in one process.
 *
 * Lifetimes. "Borrowed" means: yours to read until the call returns, no longer.
 * "Given" means: yours from now on. Strings that a plugin puts in its tables
 * live as long as the shared object is loaded.
 *
 * Privacy. No payload, name or identifier of a subject is ever put in a log
 * line, a cause (`explain`) or a metric. Say which place and which rule.
 */
#ifndef AFFERENT_PLUGIN_H
#define AFFERENT_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#include <afferent/record.h>

#ifdef __cplusplus
extern "C" {
#endif

#define AFF_ABI_MAJOR 1
#define AFF_ABI_MINOR 0

/* ------------------------------------------------------------------ 1 Words */

/* What a callback or host function says. Negative values are errors; what the
 * host does next is part of their meaning. */
typedef int32_t aff_status;
enum {
    AFF_OK = 0,          /* done */
    AFF_AGAIN = 1,       /* nothing now; the host calls again (see wake_at) */
    AFF_END = 2,         /* no more will ever come: the host drains */
    AFF_ERR_CONFIG = -1, /* cannot work as configured: the run stops, exit 2 */
    AFF_ERR_IO = -2,     /* a device, file or peer failed: retried with back-off */
    AFF_ERR_DATA = -3,   /* this record cannot be used: it becomes a dead letter */
    AFF_ERR_MEMORY = -4, /* no memory now: the host waits, then calls again */
    AFF_ERR_BUG = -5     /* the plugin found itself broken: the instance stops */
};

/* Classes in which queued records leave after an outage. */
enum { AFF_PRIO_ALARM = 0, AFF_PRIO_VITALS = 1, AFF_PRIO_WAVEFORM = 2, AFF_PRIO_BULK = 3 };

enum { AFF_LOG_DEBUG = 0, AFF_LOG_INFO = 1, AFF_LOG_WARN = 2, AFF_LOG_ERROR = 3 };

/* ----------------------------------------------------------------- 2 Tables */

/* A table in a plugin: `count` items, `stride` bytes apart. */
struct aff_table {
    const void *items;
    uint32_t count, stride;
};
#define AFF_TABLE(array) { (array), (uint32_t)(sizeof(array) / sizeof((array)[0])), (uint32_t)sizeof((array)[0]) }
#define AFF_NO_TABLE { NULL, 0, 0 }

/* Options. The host reads TOML, checks it against this table, and fills the
 * plugin's config struct at `offset`; a plugin never parses text. What the
 * member at `offset` is:
 *   INT int64_t            REAL double              BOOL int32_t
 *   TEXT const char *      ENUM int32_t (index)     DURATION int64_t (ns)
 *   BYTES int64_t          FREQUENCY double (Hz)    PATH const char * (absolute)
 *   SECRET const char * (never printed)
 *   TABLE const struct of the nested table *, NULL where not written
 *   LIST struct aff_list of nested structs; of scalars where the nested table
 *        has one option with the name "" at offset 0 (one value may stand alone)
 *   MAP  struct aff_list of nested structs whose first member is
 *        `const char *key`; the nested table describes the values: the struct's
 *        options, or one option "" for scalars
 * Pointers are borrowed as long as the instance is open. */
enum {
    AFF_TYPE_INT = 1,
    AFF_TYPE_REAL,
    AFF_TYPE_BOOL,
    AFF_TYPE_TEXT,
    AFF_TYPE_ENUM,
    AFF_TYPE_DURATION,
    AFF_TYPE_BYTES,
    AFF_TYPE_FREQUENCY,
    AFF_TYPE_PATH,
    AFF_TYPE_SECRET,
    AFF_TYPE_TABLE,
    AFF_TYPE_LIST,
    AFF_TYPE_MAP
};
enum {
    AFF_OPT_REQUIRED = 1,
    AFF_OPT_INPUT = 2 /* PATH: read at start; `check` says when it is missing */
};

struct aff_list {
    const void *items;
    uint32_t count, stride;
};

struct aff_option {
    const char *name;
    const char *doc;  /* one sentence that makes sense alone */
    const char *unit; /* for INT and REAL: documentation; NULL for none */
    const char *preset; /* default as TOML text: "\"250ms\"", "40"; NULL: none */
    uint16_t type;
    uint16_t flags;
    uint32_t offset;
    double min; /* of INT, REAL, DURATION (ns), BYTES, FREQUENCY (Hz), and the */
    double max; /* count of LIST and MAP; min > max means no range */
    const char *const *choices;      /* ENUM: names, ended by NULL */
    const struct aff_option *nested; /* TABLE, LIST, MAP; stride as the parent's */
    uint32_t nested_count, nested_size; /* rows; bytes of the nested struct */
};

/* Ports: two tables, inputs and outputs, each numbered from 0 in table order. */
enum {
    AFF_PORT_EDITS = 1,    /* in: changes the bytes at record->data in place */
    AFF_PORT_OPTIONAL = 2, /* in: may stay unconnected */
    AFF_PORT_COMMANDS = 4  /* in: commands to a device; no cycle, checked by label */
};
#define AFF_PASSES(in) ((uint16_t)((in) + 1)) /* for aff_port.passes */

struct aff_port {
    const char *name;
    const char *doc;
    const struct aff_schema *schema; /* in: columns it needs; out: what it makes;
                                      * NULL: any, or known at run time only */
    uint32_t types;    /* mask of AFF_MASK(type) */
    uint32_t flags;
    uint16_t passes;   /* out: AFF_PASSES(i) if records of input i pass here
                        * unchanged or edited (each input by one output at
                        * most); 0: only what the node makes */
    uint16_t priority; /* out: AFF_PRIO_... */
    uint32_t reserved;
};

/* Verdicts. Each input record has one verdict byte, zeroed by the host. 0 means
 * pass where an output passes this input, else used. Value k > 0 means row k-1
 * of this table. Names are the ledger's words ("no_signal"). */
enum {
    AFF_V_DROP = 1,    /* let go on purpose, counted under its name */
    AFF_V_DEAD = 2,    /* cannot be used: a dead letter, unedited */
    AFF_V_USED = 3,    /* its content went into state or other records */
    AFF_V_REPLACE = 4, /* the one record emitted for this input stands for it */
    AFF_V_PORT = 5,    /* passes to output `port` */
    AFF_V_HOLD = 6     /* host->hold took it */
};
struct aff_verdict {
    const char *name;
    const char *doc;
    uint16_t kind, port;
    uint32_t reserved;
};

enum { AFF_METRIC_COUNTER = 1, AFF_METRIC_GAUGE = 2 };
struct aff_metric {
    const char *name, *doc, *unit;
    uint32_t kind, reserved;
};

/* ------------------------------------------------------------------- 3 Host */

struct aff_stream_info {
    uint32_t stream;
    uint32_t subject;
    uint32_t generation; /* rises when the small integer is used anew */
    uint32_t schema;     /* of its records */
    const char *name;
    const char *subject_name;
};

#define AFF_NO_INPUT 0xffffffffu

/* A way out of this machine, as the node says that keeps it up. */
enum {
    AFF_LINK_OTHER = 0,
    AFF_LINK_WIRED = 1,
    AFF_LINK_WIFI = 2,
    AFF_LINK_2G = 3,
    AFF_LINK_3G = 4,
    AFF_LINK_4G = 5,
    AFF_LINK_5G = 6
};
struct aff_link {
    uint32_t struct_size;
    uint32_t revision;      /* host: 0 while nothing was said */
    char name[64];          /* host: the node's, ended by a zero */
    int64_t since_ns;       /* host: boot clock when `up` changed last */
    uint64_t sent_bytes;    /* since it is up, as the device counts; UINT64_MAX: */
    uint64_t received_bytes; /* not known */
    int16_t signal_dbm;     /* INT16_MIN: not known */
    uint8_t up;             /* 1: data goes through */
    uint8_t metered;        /* 1: what is sent costs */
    uint8_t roaming;        /* 1: in another network than its own */
    uint8_t technology;     /* AFF_LINK_... */
    uint8_t reserved[2];
};

/* The link that a sink is to use (edge.links). */
struct aff_uplink {
    uint32_t struct_size;
    uint32_t revision; /* another: it is another link, or the same has come back */
    uint32_t index;    /* for link_spent */
    uint8_t metered, roaming, technology; /* as in struct aff_link */
    uint8_t reserved;
    char name[64];      /* as the pipeline calls it */
    char interface[16]; /* to bind to; "": none, as the system routes */
};

/* The host, as one node sees it. Functions are called with the table itself. A
 * later host has more of them at the end: check struct_size before use of one
 * that is newer than the minor version you require. */
struct aff_host {
    uint32_t struct_size;
    uint16_t major;
    uint16_t minor;

    /* [control] Zeroed memory, counted against the pipeline's limit; NULL when
     * there is none. What is not freed at close is reported as a leak. */
    void *(*alloc)(const struct aff_host *host, size_t size);
    void (*free)(const struct aff_host *host, void *memory);
    /* [any] Boot clock in ns: never jumps, runs while asleep. The only clock to
     * wait by. In a test it is virtual. */
    int64_t (*now_ns)(const struct aff_host *host);
    /* [any] Wall clock, UTC ns since 1970, and what it is worth (AFF_CLOCK_...). */
    int64_t (*utc_ns)(const struct aff_host *host, uint8_t *ret_clock);
    /* [any] 64 random bits, reproducible in a test. Not for keys. */
    uint64_t (*random)(const struct aff_host *host);

    /* [any] One line for the operator, printf-like. */
    void (*log)(const struct aff_host *host, int level, const char *format, ...);
    /* [any] Records the cause of a status and returns the status:
     * `return host->explain(host, AFF_ERR_IO, "cannot open %s: %s", ...)`. */
    aff_status (*explain)(const struct aff_host *host, aff_status status, const char *format, ...);
    /* [any] Adds to a counter, sets a gauge; by row of the metrics table. */
    void (*count)(const struct aff_host *host, uint32_t metric, uint64_t by);
    void (*gauge)(const struct aff_host *host, uint32_t metric, double value);

    /* [control][data] Sources: what tells this file or run from any other. The
     * records that follow get ids of their own, counted from 0: give the hash of
     * a file's content, so that the same file read twice makes the same ids.
     * A live source does not call it: the host takes random bits. */
    void (*incarnation)(const struct aff_host *host, const void *bytes, size_t size);
    /* [control][data] The small integer of a subject, a stream, a schema: the
     * same for the same name or content. The strings are copied. 0 means that
     * the bound is reached (the cause is recorded): answer AFF_ERR_MEMORY. */
    uint32_t (*subject)(const struct aff_host *host, const char *name);
    uint32_t (*stream)(const struct aff_host *host, uint32_t subject, const char *name, uint32_t schema);
    uint32_t (*schema)(const struct aff_host *host, const struct aff_schema *schema);
    /* [data] Borrowed until the stream's end has been committed; NULL when unknown. */
    const struct aff_stream_info *(*stream_info)(const struct aff_host *host, uint32_t stream);
    const char *(*subject_name)(const struct aff_host *host, uint32_t subject);
    const struct aff_schema *(*schema_info)(const struct aff_host *host, uint32_t schema);

    /* State per stream (or, with per_subject, per subject), owned by the host:
     * bounded, zeroed at first use and when a stream's integer is used anew,
     * kept over a restart by copying its bytes: put no pointers in it.
     * state_open is [control], from open, once; state is [data], never NULL
     * for a stream or subject taken from a record; borrowed until close. */
    aff_status (*state_open)(const struct aff_host *host, size_t bytes, int per_subject);
    void *(*state)(const struct aff_host *host, uint32_t stream_or_subject);

    /* [data] Making a record, in two steps. `reserve` lays out a draft with room
     * for `size` bytes at ->data (not zeroed) and returns it, filled in from the
     * input record it derives from (subject, stream, times, clock, type, schema,
     * flags but GAP), or zeroed for AFF_NO_INPUT; from stream_end the ended
     * stream's mark counts as the input. Where the output's table has a schema,
     * schema and type are that. Set what differs; `emit` sends it with its final
     * size, at most what was reserved, and takes the type from the schema. One
     * draft at a time; a second reserve forgets the first.
     *
     * reserve waits for room when a reader is slow, and lets what was emitted
     * before flow on meanwhile: when you reserve for input i, the verdicts of the
     * inputs before i are final. NULL means that the run is being stopped or
     * that the record is larger than `max_record` or a quarter of the ring (the
     * cause is recorded): return AFF_ERR_MEMORY, having changed nothing for this
     * input; one that is too large becomes a dead letter.
     *
     * Records leave in input order; what is emitted for input i leaves right
     * before i itself, and is withdrawn when i is not taken. A source emits at
     * most `want` records a read. */
    struct aff_record *(*reserve)(const struct aff_host *host, uint32_t port, uint32_t input, uint32_t size);
    aff_status (*emit)(const struct aff_host *host, struct aff_record *draft, uint32_t size);

    /* [data] A stream that this node began, by output `port`, is over: a source
     * says it at the end of a signal, a processor in its own stream_end of what
     * derives from that. The mark travels in order behind the records; each
     * node's stream_end is called with it. */
    aff_status (*stream_end)(const struct aff_host *host, uint32_t port, uint32_t stream);

    /* [data] Keeps a record beyond this call: it is copied into the node's hold
     * area, of `max_held` records, and its verdict must be one of kind HOLD.
     * Borrowed until release; NULL when the area is full: settle the oldest.
     * `release` ends the hold with another verdict (0 or a row of the table, not
     * HOLD): it is in the ledger as if given now. It leaves behind what was
     * emitted so far in this call, before the inputs that come after that. */
    const struct aff_record *(*hold)(const struct aff_host *host, const struct aff_record *record);
    aff_status (*release)(const struct aff_host *host, const struct aff_record *held, uint8_t verdict);

    /* [data] Asks for `wake` (a source: for `read`) at this boot time, once; a
     * new call moves it. INT64_MAX cancels. */
    void (*wake_at)(const struct aff_host *host, int64_t boot_ns);
    /* [data] Asks for `timer` of this subject at this event time: right before
     * the subject's first record that is later than it or, when all sources
     * above are waiting and the time since the subject's last record has passed
     * on the boot clock as well, without one. One a subject: a new call moves
     * it, INT64_MAX cancels. Kept over a restart. A node with the callback is
     * offered one record at a time, so that nothing is later than its timer. */
    void (*timer)(const struct aff_host *host, uint32_t subject, int64_t due_ns);
    /* [data] Sets a part of an input aside: a dead letter of its own, for the
     * reason of `verdict`, a row of kind DEAD (a bad line in a block of many).
     * `offset`: where it began in its stream. Copied; booked as made and dead,
     * with its input. A source gives AFF_NO_INPUT. AFF_ERR_MEMORY: answer that. */
    aff_status (*dead)(const struct aff_host *host, uint32_t input, uint8_t verdict, uint64_t offset,
                       const void *bytes, uint32_t size);
    /* [any, and from any thread] AFF_ACKS: the peer's answer to what write took. AFF_OK: it
     * is safe; AFF_ERR_DATA: refused, a dead letter; AFF_ERR_IO: the peer failed. AFF_AGAIN:
     * it cannot take it now. These two are offered again, RESENT, after a while, and nothing
     * new before a good answer; after failures in a row one record at a time. */
    void (*ack)(const struct aff_host *host, struct aff_id id, aff_status status);
    /* [data] Source: end the epoch soon, since a peer waits for its answer; also one in which
     * nothing was given and only what `snapshot` writes has changed. */
    void (*cut)(const struct aff_host *host);
    /* [data] The index-th record held, oldest first, also in restore; or NULL. One that
     * was held while three processes of this plugin ended may be gone: a dead letter. */
    const struct aff_record *(*held)(const struct aff_host *host, uint32_t index);
    /* [control][data] Asks for `read` (a node that is no source: for `wake`)
     * whenever this descriptor can be read or written (AFF_WATCH_...), until asked
     * anew with other events; 0 forgets it, which must come before its close. At
     * most 8 a node. A source that waits answers AFF_AGAIN; wake_at holds as well.
     * AFF_ERR_MEMORY: too many. */
    aff_status (*watch)(const struct aff_host *host, int fd, uint32_t events);
    /* [data] Says in what state the link is that this node keeps up (a modem);
     * name, revision and since_ns are the host's. Nothing changed, no new revision. */
    aff_status (*link_set)(const struct aff_host *host, const struct aff_link *link);
    /* [any] The index-th link of the pipeline as it is now, in the order of the
     * nodes that keep them; AFF_END behind the last. Revisions rise with each change:
     * look before what is sent next. */
    aff_status (*link_get)(const struct aff_host *host, uint32_t index, struct aff_link *ret);
    /* [data] Source: the epoch of what it emits now. That is safe, and a peer may be
     * answered, once `committed` was called with this epoch or a later one. */
    uint64_t (*epoch)(const struct aff_host *host);
    /* [any, and from any thread] AFF_ACKS: as ack, and why. `verdict`: 0, or a row of the
     * verdicts' table: of kind DEAD with AFF_ERR_DATA, of DROP or USED with AFF_OK. `words`:
     * what the peer answered ("HTTP 422", a code), never payload or a name; NULL: none. They
     * are copied, up to 79 bytes, and stand in the dead letter, or in `status` as the cause. */
    void (*answer)(const struct aff_host *host, struct aff_id id, aff_status status, uint8_t verdict,
                   const char *words);
    /* [any, and from any thread, from open to close] The lane calls `wake` (a source: `read`)
     * soon, once for all calls until then; what write or wake could not do is tried again. */
    void (*rouse)(const struct aff_host *host);
    /* As the pipeline's file names them: for topics, ids of clients. Borrowed until close. */
    const char *node;
    const char *pipeline;
    /* AFF_ACKS: how many records may wait for their answers, and how many epochs may be in
     * flight, all told; sooner than that `flush` is called. */
    uint32_t window_records;
    uint32_t window_epochs;
    /* [any, and from any thread] Sink: by which link what it sends is to go now. AFF_OK: that
     * one; AFF_AGAIN: by none, so begin nothing, and what is under way may be given up;
     * AFF_END: the pipeline says nothing of links, it goes as the system routes. To be asked
     * before each connection and request; with another revision, at which `wake` is called, connect anew. */
    aff_status (*uplink)(const struct aff_host *host, struct aff_uplink *ret);
    /* [any, and from any thread] Sink: so many bytes went out, and came in, by the link of that
     * index, with all that was around the payload. Who says it calls it once in open, with
     * zeros: of others payload is counted. */
    void (*link_spent)(const struct aff_host *host, uint32_t index, uint64_t sent, uint64_t received);
    /* [any, and from any thread] Sink: an attempt by the link of that index came through
     * (AFF_OK: somebody answered, whatever that was), or did not (AFF_ERR_IO): after a second
     * in a row `uplink` names another. Of who never says it, calls that failed count. */
    void (*link_tried)(const struct aff_host *host, uint32_t index, aff_status status);
};

enum { AFF_WATCH_READ = 1, AFF_WATCH_WRITE = 2 };

/* ----------------------------------------------------------------- 4 Plugin */

/* A run of input records of one port. `records` and their payloads are borrowed
 * until the call returns. A batch never mixes epochs. */
struct aff_batch {
    const struct aff_record *records;
    uint8_t *verdicts; /* zeroed; one byte a record */
    uint32_t count;    /* 1 to 64 */
    uint32_t port;     /* input port, by its row */
};

/* What flows by an edge, as far as that is known before anything runs. An edge
 * without a schema is open: its columns are known at run time only, and are all
 * taken for AFF_LABEL_PHI. */
struct aff_shape {
    uint32_t struct_size;
    uint32_t port;
    const struct aff_schema *schema; /* NULL: open */
    uint8_t subject, times, names;   /* AFF_LABEL_... of whose, of when, and of
                                      * stream and channel names and comments */
    uint8_t silent; /* of an output: makes nothing as configured */
    uint8_t reserved[4];
};

/* What validate and shape may say. `option` is the option's path ("band.low"),
 * NULL for the node as a whole; `problem` is printf-like: what is wrong, what
 * was expected, what to do. */
struct aff_report {
    uint32_t struct_size;
    uint32_t reserved;
    void (*problem)(const struct aff_report *report, const char *option, const char *format, ...);
    /* validate: whom this node sends to proves who it is, and the way there is
     * encrypted. Only where this was said may run.allow_phi let PHI go there. */
    void (*secure)(const struct aff_report *report);
    /* shape: what an output carries (shape->port is its row). Copied. */
    void (*output)(const struct aff_report *report, const struct aff_shape *shape);
    /* validate: a danger that is allowed on purpose (any server is accepted), in one
     * sentence: `check`, `plan` and `status` show it. */
    void (*note)(const struct aff_report *report, const char *option, const char *format, ...);
};

/* What `afferent query` asks an archive for. NULL or the widest range: all. */
struct aff_query {
    uint32_t struct_size;
    uint32_t reserved;
    const char *subject;
    const char *stream;
    int64_t from_ns; /* event time, first */
    int64_t to_ns;   /* event time, the first that is not wanted */
};

enum { AFF_SOURCE = 1, AFF_PROCESSOR = 2, AFF_SINK = 3 };

/* Flags of a plugin. */
enum {
    AFF_PULL = 1,    /* source: reads when asked and never waits (file, model):
                      * may share a thread with what follows */
    AFF_REPLAYS = 2, /* source: what was read can be read again */
    AFF_BLOCKS = 4,  /* may wait inside callbacks (disk, net): gets a thread */
    AFF_STAYS = 8,   /* sink: data does not leave this node */
    AFF_ARCHIVE = 16, /* sink: has the query_ callbacks */
    AFF_REWRITES = 32, /* processor: gives new subjects, times and ids to what it
                        * emits (the anonymizer): `emit` takes the draft's id as it
                        * stands, so make it a keyed hash of the input's */
    AFF_ACKS = 64, /* sink: what write took is done with when host->ack says so,
                    * in any order, from any thread */
    AFF_KEEPS_IDS = 128, /* source: relays what has ids already (of another node): `emit` takes
                          * the draft's id as it stands, and its AFF_FLAG_RESENT */
    AFF_ADAPTS = 256 /* no source: what it kept is for an instance with other options as well, if
                      * its state has the same size; restore says whether it can be used */
};

/* The constant. Unused callbacks are NULL. `config` is the plugin's own struct
 * of config_size bytes, filled from the options, borrowed as long as the
 * instance is open. `self` is what open gave. */
struct aff_plugin {
    uint32_t struct_size; /* sizeof(struct aff_plugin) */
    uint16_t major;       /* AFF_ABI_MAJOR */
    uint16_t minor;       /* least AFF_ABI_MINOR it needs */
    uint32_t kind;        /* AFF_SOURCE, AFF_PROCESSOR, AFF_SINK */
    uint32_t flags;
    const char *name; /* "op_filter": as the file, without .so */
    const char *version;
    const char *summary; /* one sentence */
    const char *license; /* SPDX */
    uint32_t config_size;
    uint32_t reserved;
    struct aff_table options;  /* struct aff_option */
    struct aff_table inputs;   /* struct aff_port */
    struct aff_table outputs;  /* struct aff_port */
    struct aff_table verdicts; /* struct aff_verdict */
    struct aff_table metrics;  /* struct aff_metric */

    /* [control] Rules across options; pure: opens nothing, changes nothing, is
     * called by `check` and `run` alike. Not AFF_OK after a problem was said. */
    aff_status (*validate)(const void *config, const struct aff_report *report);
    /* [control] Makes an instance. On failure nothing is left behind. Input
     * that is missing, a peer that is away: AFF_ERR_IO, it is tried again.
     * When a pipeline is changed while it runs, the new instance opens before the
     * old one closes: what only one can have (a port to listen on, a serial line) is
     * taken at the first `read` or `write`, or refused there with AFF_ERR_IO till then. */
    aff_status (*open)(const struct aff_host *host, const void *config, void **ret_self);
    /* [control] Ends it; also after a failed run. */
    void (*close)(void *self);

    /* [data] Once, before the first record; once, after the last [data] call. */
    aff_status (*start)(void *self);
    void (*stop)(void *self);

    /* [data] Source: emits up to `want` records. AFF_OK: call again at once;
     * AFF_AGAIN: nothing now, see wake_at; AFF_END: finished; AFF_ERR_DATA: an
     * input that cannot be used, call again for the next. Never waits longer
     * than 100 ms by itself. Before a stop or a reload a live source is read
     * until it says AFF_AGAIN, so that what it took from its line is not lost. */
    aff_status (*read)(void *self, uint32_t want);
    /* [data] Processor and sink: a batch; a source that has ports for commands is
     * given these by process, between two reads. AFF_OK: all were taken. Else
     * *ret_taken (preset to 0) says how many were, with their verdicts and
     * emits, and the status concerns the next one; it is offered again after
     * AGAIN, IO and MEMORY, and becomes a dead letter after DATA. */
    aff_status (*process)(void *self, const struct aff_batch *batch, uint32_t *ret_taken);
    aff_status (*write)(void *self, const struct aff_batch *batch, uint32_t *ret_taken);
    /* [data] Sink: an epoch of records ended. AFF_OK: all of it is safe (synced
     * to disk, acknowledged by the peer); AFF_ERR_IO: called again with back-off. */
    aff_status (*sync)(void *self, uint64_t epoch);
    /* [data] Source: all sinks are done with this epoch and those before. */
    void (*committed)(void *self, uint64_t epoch);
    /* [data] The time asked for by wake_at has come, a descriptor is ready that is watched,
     * or rouse was called (not for sources). A sink's is also called while its lane waits:
     * for answers, room, commits, in back-off; so a library that talks to a peer needs no
     * thread. IO, MEMORY: called again with back-off, meanwhile all else goes on. */
    aff_status (*wake)(void *self);
    /* [data] A stream is over; `mark` has its subject, stream, id and last event
     * time, no data. Emit what was waiting for more (input AFF_NO_INPUT). */
    aff_status (*stream_end)(void *self, uint32_t port, const struct aff_record *mark);
    /* [data] No more input at all: emit what is left, release what is held. */
    aff_status (*drain)(void *self);

    /* [data] The instance's own state beside what state_open keeps (a source:
     * its position), as bytes, between two epochs. snapshot: *ret_size is set also
     * when it exceeds `room`, and then nothing is written. restore: before start;
     * integers of names are the same, and a source asks for its own once more. In a
     * process the bytes may be of a call whose epoch is not committed yet. */
    aff_status (*snapshot)(void *self, void *buffer, size_t room, size_t *ret_size);
    aff_status (*restore)(void *self, const void *buffer, size_t size);

    /* [control] Archives, without open: in order of subject, stream, time.
     * query_next: AFF_OK with a record (borrowed until the next call; subject,
     * stream, schema by the host), AFF_END, AFF_ERR_DATA for a damaged value
     * (the next call goes on behind it). */
    aff_status (*query_open)(const struct aff_host *host, const void *config,
                             const struct aff_query *query, void **ret_query);
    aff_status (*query_next)(void *query, struct aff_record *ret_record);
    void (*query_close)(void *query);

    /* [control] Pure, after validate and only if that was fine: what the outputs
     * carry, given what the inputs do (`inputs`: struct aff_shape, one an edge),
     * said by report->output; and whether columns that the options name are there,
     * said by report->problem. Begin an output's shape with that of its input: a
     * label that is left zero says "none". Said again, an output carries several
     * schemas. One of which nothing is said has what its input has where it passes
     * one, and the schema of its table where it has one, in both cases with the
     * highest labels of any input.
     * A source is given none. Where commands come to it, it is asked once more when
     * all outputs are known, with what these carry: refuse then what may not go to
     * the device (a column labelled AFF_LABEL_PHI that its text names). What a source
     * makes may not depend on that, since commands may come from behind it: say the
     * same of the outputs both times, and label there what may stand in them of a
     * command. */
    aff_status (*shape)(const void *config, const struct aff_table *inputs,
                        const struct aff_report *report);
    /* [data] The event time asked for by host->timer has passed for a subject.
     * Emit with AFF_NO_INPUT: drafts have this subject and event time `due_ns`,
     * and ids made of both. Statuses as those of wake. */
    aff_status (*timer)(void *self, uint32_t subject, int64_t due_ns);
    /* [data] AFF_ACKS: somebody waits for answers to what write took: half as many epochs as
     * may be in flight, a full window, a stop or a change of the pipeline. What is being
     * gathered is to be sent now. Statuses as those of wake. */
    aff_status (*flush)(void *self);
};

#if defined(__GNUC__)
#define AFF_EXPORT __attribute__((visibility("default")))
#else
#define AFF_EXPORT
#endif

/* The two lines that make a shared object a plugin (the first: note.h):
 *     AFF_PLUGIN_NOTE(AFF_PROCESSOR, "op_gain", "1.0.0");
 *     AFF_EXPORT const struct aff_plugin afferent_plugin_v1 = { ... };
 * C++: write `extern "C"` before the second. */
extern AFF_EXPORT const struct aff_plugin afferent_plugin_v1;

#ifdef __cplusplus
}
#endif

#include <afferent/note.h>
#include <afferent/options.h>
#include <afferent/payload.h>

#endif
