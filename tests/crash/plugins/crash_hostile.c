/* crash_hostile.c - the deeds of tests/cell/hostile.h as plugins of a real pipeline.
 *
 * One file, four plugins: HOSTILE_PLUGIN says which is built. `deed` is done at each
 * `every`th record, or in the callback `when`; where `armed` names a file, only while
 * that is there. What is not its deed is done well. Before a deed it says so in the
 * log, so that a test sees that it was done.
 *
 * Not here: the deeds (../../cell/hostile.c), what becomes of others (../beside.py). */
#include "../../cell/hostile.h"

#include <stdlib.h>

#include "making.h"

#define HOSTILE_PROCESSOR 1
#define HOSTILE_TIMER 2 /* a processor with timers is offered one record at a time */
#define HOSTILE_SINK 3
#define HOSTILE_SOURCE 4

struct config {
    int32_t deed;
    int32_t when;
    int64_t every;
    const char *armed;
};

static const char *const deed_names[H_COUNT + 1] = {
    [H_NOTHING] = "nothing", [H_ABORT] = "abort", [H_SEGFAULT] = "segfault", [H_STACK] = "stack", [H_EXIT] = "exit",
    [H_LOOP] = "loop", [H_BLOCKED] = "blocked", [H_LEAK] = "leak", [H_THOUSAND] = "thousand", [H_THREADS] = "threads",
    [H_FDS] = "fds", [H_FORKS] = "forks", [H_SCRIBBLE] = "scribble", [H_SCRIBBLE_LONG] = "scribble_long",
    [H_LENGTH] = "length", [H_LENGTH_USED] = "length_used", [H_OFFSET] = "offset", [H_OFFSET_TEXT] = "offset_text",
    [H_VERDICT] = "verdict", [H_PORT] = "port", [H_INPUT] = "input", [H_STREAM] = "stream", [H_SUBJECT] = "subject",
    [H_TIME] = "time", [H_SCHEMA] = "schema", [H_NUMBER] = "number", [H_ASK] = "ask", [H_KIND] = "kind",
    [H_RELEASE] = "release", [H_TRUNCATE] = "truncate", [H_KILL] = "kill", [H_PTRACE] = "ptrace", [H_EXEC] = "exec",
    [H_SOCKET] = "socket", [H_WRITE_FILE] = "write_file", [H_MEMORY] = "memory", [H_STATE] = "state", [H_LOG] = "log",
    [H_STATUS] = "status", [H_THREADS_LATER] = "threads_later", [H_FLIP] = "flip", [H_DONE_DIE] = "done_die",
    [H_SPIN] = "spin",
};

static const char *const when_names[AT_COUNT + 1] = {
    [AT_RECORD] = "record", [AT_OPEN] = "open", [AT_START] = "start", [AT_SYNC] = "sync", [AT_TIMER] = "timer",
    [AT_STOP] = "stop", [AT_CLOSE] = "close", [AT_DRAIN] = "drain", [AT_READ] = "read", [AT_MARK] = "mark",
    [AT_WAKE] = "wake", [AT_SNAPSHOT] = "snapshot", [AT_RESTORE] = "restore", [AT_COMMITTED] = "committed",
};

static const struct aff_option options[] = {
    AFF_OPT_ENUM(struct config, deed, 0, "\"nothing\"", deed_names, "What is done."),
    AFF_OPT_ENUM(struct config, when, 0, "\"record\"", when_names, "Where it is done."),
    AFF_OPT_INT(struct config, every, 0, "25", 1, 1e9, "records", "Each so many records one has the deed."),
    AFF_OPT_TEXT(struct config, armed, 0, NULL, "Nothing is done while this file is not there."),
};

struct villain {
    struct making making; /* first */
    struct hostile_self doer;
    struct hostile_config what;
    const struct config *config;
    int said;
    int asked; /* for wake or timer, which a second request would move */
};

/* ---- deeds ---- */

static int is_armed(struct villain *h)
{
    if (h->what.what == H_NOTHING || (h->config->armed && access(h->config->armed, F_OK) != 0))
        return 0;
    if (!h->said)
        h->making.host->log(h->making.host, AFF_LOG_INFO, "crash_hostile does %s in %s", deed_names[h->what.what],
                            when_names[h->what.when]);
    h->said = 1;
    return 1;
}

static void act_at(void *self, enum hostile_when when)
{
    struct villain *h = (struct villain *)self;

    if (h->what.when == (int64_t)when && is_armed(h))
        hostile_act(&h->doer);
}

static aff_status hostile_open(const struct aff_host *host, const void *config, void **ret_self)
{
    const struct config *c = (const struct config *)config;
    struct villain *h = (struct villain *)making_new(host, sizeof *h, 1);

    if (!h)
        return AFF_ERR_MEMORY;
    h->config = c;
    h->what = (struct hostile_config){ c->deed, c->when };
    h->doer = (struct hostile_self){ host, &h->what, 0 };
    if (c->deed == H_STATE && host->state_open(host, 4096, 0) != AFF_OK)
        return AFF_ERR_MEMORY;
    act_at(h, AT_OPEN);
    *ret_self = h;
    return AFF_OK;
}

static void hostile_close(void *self)
{
    act_at(self, AT_CLOSE);
    making_close(self);
}

static aff_status hostile_start(void *self)
{
    act_at(self, AT_START);
    return AFF_OK;
}

static void hostile_stop(void *self)
{
    act_at(self, AT_STOP);
}

static aff_status hostile_snapshot(void *self, void *buffer, size_t room, size_t *ret_size)
{
    const struct villain *h = (const struct villain *)self;

    act_at(self, AT_SNAPSHOT);
    *ret_size = sizeof h->making.next;
    if (room >= *ret_size)
        memcpy(buffer, &h->making.next, *ret_size);
    return AFF_OK;
}

static aff_status hostile_restore(void *self, const void *buffer, size_t size)
{
    struct villain *h = (struct villain *)self;

    act_at(self, AT_RESTORE);
    if (size == sizeof h->making.next)
        memcpy(&h->making.next, buffer, size);
    return AFF_OK;
}

#if HOSTILE_PLUGIN != HOSTILE_SOURCE
static int has_deed(struct villain *h, const struct aff_record *r)
{
    return h->what.when == AT_RECORD && pattern_key(r) % (uint64_t)h->config->every == (uint64_t)h->config->every - 1u &&
           is_armed(h);
}
#endif

/* ---- a processor that passes on what comes ---- */

#if HOSTILE_PLUGIN == HOSTILE_PROCESSOR || HOSTILE_PLUGIN == HOSTILE_TIMER

enum { SOON_NS = 20000000 };

static const struct aff_column text_column[] = { { .name = "text", .type = AFF_TEXT } };
static const struct aff_schema text_rows = { .struct_size = sizeof text_rows, .type = AFF_FIELDS, .name = "text",
                                             .columns = text_column, .count = 1, .stride = sizeof text_column[0] };
static const struct aff_port outputs[] = {
    { CRASH_OUTPUT("As they came.", AFF_PRIO_BULK), .passes = AFF_PASSES(0) },
    { .name = "rows", .doc = "Made by deeds.", .types = AFF_MASK(AFF_FIELDS), .schema = &text_rows },
};

static aff_status hostile_process(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    struct villain *h = (struct villain *)self;
    const struct aff_host *host = h->making.host;

    if (h->what.when == AT_WAKE && !h->asked)
        host->wake_at(host, host->now_ns(host) + SOON_NS);
    if (h->what.when == AT_TIMER && !h->asked)
        host->timer(host, batch->records[0].subject, batch->records[0].event_ns + SOON_NS);
    h->asked = 1;
    for (uint32_t i = 0; i < batch->count; i++) {
        if (!has_deed(h, &batch->records[i]))
            continue;
        if (h->what.what == H_STATUS) {
            *ret_taken = 4000000000u;
            return (aff_status)-77;
        }
        hostile_record(&h->doer, batch, i);
    }
    return AFF_OK;
}

static aff_status hostile_drain(void *self)
{
    act_at(self, AT_DRAIN);
    return AFF_OK;
}

static aff_status hostile_wake(void *self)
{
    ((struct villain *)self)->asked = 0;
    act_at(self, AT_WAKE);
    return AFF_OK;
}

static aff_status hostile_mark(void *self, uint32_t port, const struct aff_record *mark)
{
    (void)port, (void)mark;
    act_at(self, AT_MARK);
    return AFF_OK;
}

#if HOSTILE_PLUGIN == HOSTILE_TIMER
#define NAME "crash_hostile_timer"
static aff_status hostile_timer(void *self, uint32_t subject, int64_t due_ns)
{
    (void)subject, (void)due_ns;
    ((struct villain *)self)->asked = 0;
    act_at(self, AT_TIMER);
    return AFF_OK;
}
#define TIMER .timer = hostile_timer,
#else
#define NAME "crash_hostile"
#define TIMER
#endif

#define KIND AFF_PROCESSOR
#define OWN \
    .inputs = AFF_TABLE(crash_inputs), .outputs = AFF_TABLE(outputs), .process = hostile_process, TIMER \
    .drain = hostile_drain, .wake = hostile_wake, .stream_end = hostile_mark, \
    .snapshot = hostile_snapshot, .restore = hostile_restore

/* ---- a sink ---- */

#elif HOSTILE_PLUGIN == HOSTILE_SINK

static aff_status hostile_write(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    struct villain *h = (struct villain *)self;

    (void)ret_taken;
    for (uint32_t i = 0; i < batch->count; i++)
        if (has_deed(h, &batch->records[i]))
            hostile_act(&h->doer);
    return AFF_OK;
}

static aff_status hostile_sync(void *self, uint64_t epoch)
{
    (void)epoch;
    act_at(self, AT_SYNC);
    return AFF_OK;
}

#define NAME "crash_hostile_sink"
#define KIND AFF_SINK
#define OWN .flags = AFF_STAYS, .inputs = AFF_TABLE(crash_inputs), .write = hostile_write, .sync = hostile_sync, \
    .snapshot = hostile_snapshot, .restore = hostile_restore

/* ---- a source of a record each millisecond ---- */

#else

static const struct aff_port outputs[] = { { CRASH_OUTPUT("Records.", AFF_PRIO_BULK) } };

static aff_status hostile_read(void *self, uint32_t want)
{
    struct villain *h = (struct villain *)self;
    const struct aff_host *host = h->making.host;
    struct aff_record *r;

    (void)want;
    if (h->making.count == 0 && making_names(&h->making, 1) != AFF_OK)
        return AFF_ERR_MEMORY;
    if (h->making.next % (uint64_t)h->config->every == (uint64_t)h->config->every - 1u)
        act_at(h, AT_READ);
    r = making_record(&h->making, h->making.next, 64);
    if (!r || host->emit(host, r, 64) != AFF_OK)
        return AFF_ERR_MEMORY;
    h->making.next++;
    host->wake_at(host, host->now_ns(host) + 1000000);
    return AFF_AGAIN;
}

static void hostile_committed(void *self, uint64_t epoch)
{
    (void)epoch;
    act_at(self, AT_COMMITTED);
}

#define NAME "crash_hostile_source"
#define KIND AFF_SOURCE
#define OWN .outputs = AFF_TABLE(outputs), .read = hostile_read, .committed = hostile_committed, \
    .snapshot = hostile_snapshot, .restore = hostile_restore

#endif

AFF_PLUGIN_NOTE(KIND, NAME, "1.0.0");

AFF_EXPORT const struct aff_plugin afferent_plugin_v1 = {
    .struct_size = sizeof(struct aff_plugin),
    .major = AFF_ABI_MAJOR,
    .kind = KIND,
    .name = NAME,
    .version = "1.0.0",
    .summary = "Harms its host, for the tests of what stands beside it.",
    .license = "Apache-2.0",
    .config_size = sizeof(struct config),
    .options = AFF_TABLE(options),
    .open = hostile_open,
    .close = hostile_close,
    .start = hostile_start,
    .stop = hostile_stop,
    OWN,
};
