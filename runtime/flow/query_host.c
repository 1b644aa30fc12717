/* query_host.c - see query_host.h. */
#include "flow/query_host.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "flow/clock.h"
#include "flow/names.h"

enum { BOOKS_MOST = 64 }; /* of NAMES_SCHEMAS schemas each */

struct query_host {
    struct aff_host host; /* first: functions find the rest by it */
    const char *node;
    void (*log)(void *arg, int level, const char *node, const char *text);
    void *arg;
    struct names *names; /* subjects and streams */
    uint32_t subject;    /* the one that is being read */
    uint32_t *streams;   /* of it */
    uint32_t stream_count, stream_room;
    struct names *books[BOOKS_MOST]; /* schemas: each book is full but the last */
    char why[384];
};

static struct query_host *of(const struct aff_host *host)
{
    return (struct query_host *)(uintptr_t)host;
}

/* ---- memory, clock, messages ---- */

static void *host_alloc(const struct aff_host *host, size_t size)
{
    (void)host;
    return calloc(1, size ? size : 1);
}

static void host_free(const struct aff_host *host, void *memory)
{
    (void)host;
    free(memory);
}

static int64_t host_now(const struct aff_host *host)
{
    (void)host;
    return clock_real(CLOCK_BOOTTIME);
}

static int64_t host_utc(const struct aff_host *host, uint8_t *ret_clock)
{
    (void)host;
    *ret_clock = AFF_CLOCK_DEVICE;
    return clock_real(CLOCK_REALTIME);
}

static uint64_t host_random(const struct aff_host *host)
{
    uint64_t bits = 0;

    (void)host;
    if (getrandom(&bits, sizeof bits, 0) != (ssize_t)sizeof bits)
        bits = (uint64_t)clock_real(CLOCK_REALTIME);
    return bits;
}

__attribute__((format(printf, 3, 4)))
static void host_log(const struct aff_host *host, int level, const char *format, ...)
{
    const struct query_host *q = of(host);
    char text[512];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (q->log)
        q->log(q->arg, level, q->node, text);
}

__attribute__((format(printf, 3, 4)))
static aff_status host_explain(const struct aff_host *host, aff_status status, const char *format, ...)
{
    struct query_host *q = of(host);
    va_list args;

    va_start(args, format);
    vsnprintf(q->why, sizeof q->why, format, args);
    va_end(args);
    return status;
}

/* ---- names ---- */

/* As if a source had ended the streams and the epoch were committed. */
static void subject_leave(struct query_host *q)
{
    for (uint32_t i = 0; i < q->stream_count; i++)
        names_end(q->names, q->streams[i], 0, 0);
    names_commit(q->names, 1);
    q->stream_count = 0;
}

static uint32_t host_subject(const struct aff_host *host, const char *name)
{
    struct query_host *q = of(host);
    uint32_t id = names_subject(q->names, name, (struct names_by){ .none = true });

    if (id && id == q->subject)
        return id;
    subject_leave(q);
    q->subject = names_subject(q->names, name, (struct names_by){ .none = true });
    return q->subject;
}

static bool stream_note(struct query_host *q, uint32_t stream)
{
    uint32_t room = q->stream_room ? 2 * q->stream_room : 16, *more;

    for (uint32_t i = 0; i < q->stream_count; i++)
        if (q->streams[i] == stream)
            return true;
    if (q->stream_count == q->stream_room) {
        more = realloc(q->streams, room * sizeof *more);
        if (!more)
            return false;
        q->streams = more;
        q->stream_room = room;
    }
    q->streams[q->stream_count++] = stream;
    return true;
}

static uint32_t host_stream(const struct aff_host *host, uint32_t subject, const char *name, uint32_t schema)
{
    struct query_host *q = of(host);
    uint32_t id = names_stream(q->names, subject, name, schema, (struct names_by){ .is_source = true });

    if (id && stream_note(q, id))
        return id;
    host_explain(host, AFF_ERR_MEMORY, "subject has more than %d streams", NAMES_STREAMS);
    return 0;
}

static uint32_t host_schema(const struct aff_host *host, const struct aff_schema *schema)
{
    struct query_host *q = of(host);

    for (uint32_t book = 0; book < BOOKS_MOST; book++) {
        uint32_t id;

        if (!q->books[book])
            q->books[book] = names_open();
        if (!q->books[book])
            break;
        id = names_schema(q->books[book], schema);
        if (id)
            return book * NAMES_SCHEMAS + id;
    }
    host_explain(host, AFF_ERR_MEMORY, "more than %d schemas", BOOKS_MOST * NAMES_SCHEMAS);
    return 0;
}

static const struct aff_schema *host_schema_info(const struct aff_host *host, uint32_t schema)
{
    const struct query_host *q = of(host);
    uint32_t book = schema ? (schema - 1u) / NAMES_SCHEMAS : 0;

    if (schema == 0 || book >= BOOKS_MOST || !q->books[book])
        return NULL;
    return names_schema_info(q->books[book], schema - book * NAMES_SCHEMAS);
}

static const struct aff_stream_info *host_stream_info(const struct aff_host *host, uint32_t stream)
{
    return names_stream_info(of(host)->names, stream);
}

static const char *host_subject_name(const struct aff_host *host, uint32_t subject)
{
    return names_subject_name(of(host)->names, subject);
}

/* ---- what there is not ---- */

static void no_count(const struct aff_host *host, uint32_t metric, uint64_t by)
{
    (void)host, (void)metric, (void)by;
}

static void no_gauge(const struct aff_host *host, uint32_t metric, double value)
{
    (void)host, (void)metric, (void)value;
}

static void no_incarnation(const struct aff_host *host, const void *bytes, size_t size)
{
    (void)host, (void)bytes, (void)size;
}

static aff_status refuse(const struct aff_host *host)
{
    return host_explain(host, AFF_ERR_BUG, "the plugin makes records while it is read");
}

static aff_status no_state_open(const struct aff_host *host, size_t bytes, int per_subject)
{
    (void)bytes, (void)per_subject;
    return refuse(host);
}

static void *no_state(const struct aff_host *host, uint32_t number)
{
    (void)host, (void)number;
    return NULL;
}

static struct aff_record *no_reserve(const struct aff_host *host, uint32_t port, uint32_t input, uint32_t size)
{
    (void)port, (void)input, (void)size;
    refuse(host);
    return NULL;
}

static aff_status no_emit(const struct aff_host *host, struct aff_record *draft, uint32_t size)
{
    (void)draft, (void)size;
    return refuse(host);
}

static aff_status no_stream_end(const struct aff_host *host, uint32_t port, uint32_t stream)
{
    (void)port, (void)stream;
    return refuse(host);
}

static const struct aff_record *no_hold(const struct aff_host *host, const struct aff_record *record)
{
    (void)host, (void)record;
    return NULL;
}

static aff_status no_release(const struct aff_host *host, const struct aff_record *held, uint8_t verdict)
{
    (void)held, (void)verdict;
    return refuse(host);
}

static void no_wake_at(const struct aff_host *host, int64_t boot_ns)
{
    (void)host, (void)boot_ns;
}

static const struct aff_host functions = {
    .struct_size = sizeof functions,
    .major = AFF_ABI_MAJOR,
    .minor = AFF_ABI_MINOR,
    .alloc = host_alloc,
    .free = host_free,
    .now_ns = host_now,
    .utc_ns = host_utc,
    .random = host_random,
    .log = host_log,
    .explain = host_explain,
    .count = no_count,
    .gauge = no_gauge,
    .incarnation = no_incarnation,
    .subject = host_subject,
    .stream = host_stream,
    .schema = host_schema,
    .stream_info = host_stream_info,
    .subject_name = host_subject_name,
    .schema_info = host_schema_info,
    .state_open = no_state_open,
    .state = no_state,
    .reserve = no_reserve,
    .emit = no_emit,
    .stream_end = no_stream_end,
    .hold = no_hold,
    .release = no_release,
    .wake_at = no_wake_at,
};

struct aff_host *query_host_open(const char *node,
                                 void (*log)(void *arg, int level, const char *node, const char *text),
                                 void *arg)
{
    struct query_host *q = calloc(1, sizeof *q);
    struct aff_host *host;

    if (!q)
        return NULL;
    q->host = functions;
    q->node = node;
    q->log = log;
    q->arg = arg;
    q->names = names_open();
    host = &q->host;
    if (!q->names)
        query_host_close(&host);
    return host;
}

void query_host_close(struct aff_host **host)
{
    struct query_host *q;

    if (!*host)
        return;
    q = of(*host);
    for (uint32_t book = 0; book < BOOKS_MOST; book++)
        names_close(&q->books[book]);
    names_close(&q->names);
    free(q->streams);
    free(q);
    *host = NULL;
}

const char *query_host_why(const struct aff_host *host)
{
    return of(host)->why;
}
