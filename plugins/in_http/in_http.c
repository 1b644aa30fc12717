/* SPDX-License-Identifier: Apache-2.0
 *
 * in_http.c - what is posted becomes records, and is answered when these are safe.
 *
 * A request is all or nothing: it is read whole and checked before its first record is made,
 * and answered 200 when the epoch of its last one is committed. One that comes again with the
 * same Idempotency-Key is answered and not passed on again, whenever this node or its client
 * died in between; what a death keeps from being committed is made again as it was, with its
 * ids and its time.
 *
 * Not here: the server (door.h), what a request says (talk.h), records (intake.h). */
#include <afferent/plugin.h>

#include <string.h>

#include "door.h"
#include "intake.h"

#define TELL_NS INT64_C(60000000000)

static const struct aff_port outputs[] = {
    [PORT_DATA] = { .name = "data", .doc = "A record for each object of JSON: its text.", .schema = &in_http_json_schema,
                    .types = AFF_MASK(AFF_BYTES), .priority = AFF_PRIO_VITALS },
    [PORT_FILES] = { .name = "files", .doc = "Files, each cut into records of `block` bytes, and then the end of its stream.",
                     .schema = &in_http_file_schema, .types = AFF_MASK(AFF_BYTES), .priority = AFF_PRIO_BULK },
};

static const struct aff_verdict verdicts[] = {
    { "too_large", "A record is larger than this pipeline takes; lower max_row or block, or raise edge.buffer.", AFF_V_DEAD, 0, 0 },
    { "too_many_streams", "There is no place for the name of one more file of a form.", AFF_V_DEAD, 0, 0 },
};

static const struct aff_metric metrics[] = {
    { "requests", "Requests that were passed on.", NULL, AFF_METRIC_COUNTER, 0 },
    { "records", "Records that were made of them.", NULL, AFF_METRIC_COUNTER, 0 },
    { "again", "Requests that came again, answered and not passed on.", NULL, AFF_METRIC_COUNTER, 0 },
    { "refused", "Requests that were refused for what they are.", NULL, AFF_METRIC_COUNTER, 0 },
    { "unknown_clients", "Requests without a token or certificate that is known.", NULL, AFF_METRIC_COUNTER, 0 },
    { "busy", "Requests that were told to come again later.", NULL, AFF_METRIC_COUNTER, 0 },
    { "cut", "Connections that were cut because a request took too long.", NULL, AFF_METRIC_COUNTER, 0 },
    { "connections", "Connections now.", NULL, AFF_METRIC_GAUGE, 0 },
    { "waiting", "Requests that wait until they are safe.", NULL, AFF_METRIC_GAUGE, 0 },
    { "without_tls", "1: what is sent can be read on the way, unless a proxy in front has TLS.", NULL, AFF_METRIC_GAUGE, 0 },
    { "accepts_anyone", "1: whoever can connect may send.", NULL, AFF_METRIC_GAUGE, 0 },
};

struct source {
    const struct aff_host *host;
    const struct config *config;
    struct desk desk;
    struct door door;
    struct intake intake;
    struct desk_counts told;
    int64_t tell_ns; /* a refusal was in the log */
    bool listens;
};

/* ---- opening ---- */

static void source_close(void *self)
{
    struct source *s = self;

    door_stop(&s->door);
    door_close(&s->door);
    desk_close(&s->desk);
    if (s->intake.known.ones)
        s->host->free(s->host, s->intake.known.ones);
    s->host->free(s->host, s);
}

static aff_status parts_open(struct source *s)
{
    const struct aff_host *host = s->host;
    struct known *known = &s->intake.known;
    aff_status st;

    known->room = (uint32_t)s->config->remember;
    known->ones = host->alloc(host, known->room * sizeof *known->ones);
    if (!known->ones || !desk_open(&s->desk, host, s->config))
        return host->explain(host, AFF_ERR_MEMORY, "no memory for requests; lower buffer or max_connections");
    st = door_open(&s->door, &s->desk, s->config);
    return st == AFF_OK ? st : host->explain(host, st, "%s", s->door.cause);
}

static aff_status source_open(const struct aff_host *host, const void *config, void **ret_self)
{
    struct source *s = host->alloc(host, sizeof *s);
    aff_status st;

    if (!s)
        return host->explain(host, AFF_ERR_MEMORY, "no memory for the source");
    s->host = host;
    s->config = config;
    s->intake.host = host;
    s->intake.config = config;
    s->intake.desk = &s->desk;
    TAILQ_INIT(&s->intake.stamps);
    TAILQ_INIT(&s->intake.waits);
    st = parts_open(s);
    if (st != AFF_OK) {
        source_close(s);
        return st;
    }
    *ret_self = s;
    return AFF_OK;
}

static aff_status source_start(void *self)
{
    struct source *s = self;
    const struct aff_host *host = s->host;

    s->intake.schemas[PORT_DATA] = host->schema(host, &in_http_json_schema);
    s->intake.schemas[PORT_FILES] = host->schema(host, &in_http_file_schema);
    if (!s->intake.schemas[PORT_DATA] || !s->intake.schemas[PORT_FILES])
        return AFF_ERR_MEMORY;
    host->gauge(host, METRIC_PLAIN, s->config->certificate ? 0 : 1);
    host->gauge(host, METRIC_ANYONE, s->config->allow_anyone ? 1 : 0);
    if (s->config->allow_plain && !s->config->certificate)
        host->log(host, AFF_LOG_WARN, "allow_plain is set: whoever is in between reads tokens and data");
    if (s->config->allow_anyone)
        host->log(host, AFF_LOG_WARN, "allow_anyone is set: whoever can connect may send");
    return host->watch(host, s->desk.lane_fd, AFF_WATCH_READ);
}

/* ---- reading ---- */

/* Not in open: at a reload the one before still listens then. */
static aff_status listen_now(struct source *s)
{
    unsigned port = 0;
    aff_status st;

    if (s->listens)
        return AFF_OK;
    st = door_start(&s->door, &port);
    if (st != AFF_OK)
        return s->host->explain(s->host, st, "%s", s->door.cause);
    s->listens = true;
    s->host->log(s->host, AFF_LOG_INFO, "listens at %s, port %u, %s", s->config->listen, port,
                 s->config->certificate ? "with TLS" : "without TLS");
    return AFF_OK;
}

/* Who is refused and why is in the log, once a minute at most. */
static void refusal_tell(struct source *s, const struct desk_counts *now, uint64_t more)
{
    int64_t at = s->host->now_ns(s->host);

    if (more == 0 || (s->tell_ns > 0 && at < s->tell_ns))
        return;
    s->tell_ns = at + TELL_NS;
    s->host->log(s->host, AFF_LOG_WARN, "a request of %s%s was answered %u; more of them are only counted for a minute",
                 *now->last_client ? "client " : "a client without a name", now->last_client, (unsigned)now->last_status);
}

static void tell(struct source *s)
{
    const struct aff_host *host = s->host;
    uint32_t waiting;
    struct desk_counts now = desk_look(&s->desk, &waiting);
    const struct { uint32_t metric; uint64_t more; } counts[] = {
        { METRIC_REFUSED, now.refused - s->told.refused },
        { METRIC_UNKNOWN, now.unknown - s->told.unknown },
        { METRIC_BUSY, now.busy - s->told.busy },
        { METRIC_CUT, now.cut - s->told.cut },
    };
    size_t i;

    for (i = 0; i < sizeof counts / sizeof counts[0]; i++)
        if (counts[i].more > 0)
            host->count(host, counts[i].metric, counts[i].more);
    refusal_tell(s, &now, counts[0].more + counts[1].more + counts[2].more);
    host->gauge(host, METRIC_CONNECTIONS, (double)now.connections);
    host->gauge(host, METRIC_WAITING, waiting);
    s->told = now;
}

static aff_status source_read(void *self, uint32_t want)
{
    struct source *s = self;
    aff_status st = listen_now(s);

    if (st != AFF_OK)
        return st;
    net_hush(s->desk.lane_fd);
    tell(s);
    return intake_read(&s->intake, want);
}

static void source_stop(void *self)
{
    struct source *s = self;

    (void)s->host->watch(s->host, s->desk.lane_fd, 0);
    intake_stop(&s->intake);
    door_stop(&s->door);
    tell(s);
}

/* ---- epochs ---- */

static void source_committed(void *self, uint64_t epoch)
{
    struct source *s = self;

    intake_committed(&s->intake, epoch);
}

static aff_status source_snapshot(void *self, void *buffer, size_t room, size_t *ret_size)
{
    const struct source *s = self;
    struct known_torn torn = intake_torn(&s->intake);

    *ret_size = known_write(&s->intake.known, &torn, buffer, room);
    return AFF_OK;
}

static aff_status source_restore(void *self, const void *buffer, size_t size)
{
    struct source *s = self;

    s->intake.is_restored = true;
    if (known_read(&s->intake.known, &s->intake.torn, buffer, size))
        return AFF_OK;
    return s->host->explain(s->host, AFF_ERR_DATA, "the snapshot was not written by this version of in_http");
}

AFF_PLUGIN_NOTE(AFF_SOURCE, "in_http", "1.0.0");

AFF_EXPORT const struct aff_plugin afferent_plugin_v1 = {
    .struct_size = sizeof(struct aff_plugin),
    .major = AFF_ABI_MAJOR,
    .minor = AFF_ABI_MINOR,
    .kind = AFF_SOURCE,
    .name = "in_http",
    .version = "1.0.0",
    .summary = "Takes JSON and files by HTTP, and answers each request when it is safe.",
    .license = "Apache-2.0",
    .config_size = sizeof(struct config),
    .options = AFF_TABLE(in_http_options),
    .outputs = AFF_TABLE(outputs),
    .verdicts = AFF_TABLE(verdicts),
    .metrics = AFF_TABLE(metrics),
    .validate = in_http_validate,
    .shape = in_http_shape,
    .open = source_open,
    .close = source_close,
    .start = source_start,
    .stop = source_stop,
    .read = source_read,
    .committed = source_committed,
    .snapshot = source_snapshot,
    .restore = source_restore,
};
