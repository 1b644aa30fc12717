/* SPDX-License-Identifier: Apache-2.0
 *
 * out_zmq.c - records to another Afferent, by ZeroMQ with CURVE; in_zmq takes them.
 *
 * A record is acknowledged when the gateway says that it is safe there. What was not
 * answered when a connection was lost is sent again, with the same id and its mark; the
 * gateway passes none on twice. What it refuses for its content is a dead letter alone.
 * No name, payload or key is in any message.
 *
 * Not here: sending (talker.h), the bytes on the link (zmq_link/). */
#include <afferent/plugin.h>

#include <string.h>

#include "talker.h"

#define RETRY_NS INT64_C(50000000)

static const struct aff_option options[] = {
    AFF_OPT_TEXT(struct config, address, AFF_OPT_REQUIRED, NULL,
                 "Where the gateway listens: \"tcp://HOST:PORT\", or \"ipc://PATH\" on the same machine."),
    AFF_OPT_PATH(struct config, key, AFF_OPT_REQUIRED | AFF_OPT_INPUT, NULL,
                 "Key pair of this node, NAME.key of `afferent key new --curve NAME`; the gateway has NAME.pub."),
    AFF_OPT_PATH(struct config, gateway_key, AFF_OPT_REQUIRED | AFF_OPT_INPUT, NULL,
                 "Public key of the gateway, a .pub file: nobody else is spoken to."),
    AFF_OPT_BOOL(struct config, lz4, "true", "Whether what is sent is packed."),
    AFF_OPT_BYTES(struct config, largest, 0, "\"2MiB\"", 4096, 1 << 30,
                  "Most bytes of a message before packing; a record that is larger is a dead letter."),
    AFF_OPT_BYTES(struct config, in_flight, 0, "\"4MiB\"", 4096, 1 << 30,
                  "Bytes that may be on their way without an answer, less where answers take long; what comes beyond waits in the "
                  "pipeline."),
};

static const struct aff_port inputs[] = {
    { .name = "in",
      .doc = "Records of any type.",
      .types = AFF_MASK(AFF_BYTES) | AFF_MASK(AFF_FIELDS) | AFF_MASK(AFF_SAMPLES) | AFF_MASK(AFF_IMAGE) },
};

enum { METRIC_ACKNOWLEDGED, METRIC_REFUSED, METRIC_BATCHES, METRIC_BYTES, METRIC_RESENT, METRIC_CONNECTIONS, METRIC_CONNECTED };
static const struct aff_metric metrics[] = {
    { "acknowledged", "Records that are safe at the gateway.", "records", AFF_METRIC_COUNTER, 0 },
    { "refused", "Records that the gateway refused for their content.", "records", AFF_METRIC_COUNTER, 0 },
    { "batches", "Messages with records that were sent, again or not.", "messages", AFF_METRIC_COUNTER, 0 },
    { "bytes", "Bytes of these messages, packed, without what encryption and TCP add.", "bytes", AFF_METRIC_COUNTER, 0 },
    { "resent", "Records that were sent again since a connection was lost.", "records", AFF_METRIC_COUNTER, 0 },
    { "connections", "Connections on which the gateway greeted.", "connections", AFF_METRIC_COUNTER, 0 },
    { "connected", "1 while the gateway is there.", NULL, AFF_METRIC_GAUGE, 0 },
};

struct sink {
    const struct aff_host *host;
    const struct config *config;
    struct talker *talker;
    void *memory;
    struct batch batch;
    struct schema_set schemas;
    struct talker_counts told;
    bool has_told;
};

/* ---- opening ---- */

static bool address_good(const char *address)
{
    const char *port;

    if (strncmp(address, "ipc://", 6) == 0)
        return address[6] != '\0';
    if (strncmp(address, "tcp://", 6) != 0)
        return false;
    port = strrchr(address + 6, ':');
    return port && port > address + 6 && strspn(port + 1, "0123456789") == strlen(port + 1) && port[1] && strlen(port) <= 6 &&
           !strpbrk(address + 6, "/*; ");
}

static aff_status sink_validate(const void *config, const struct aff_report *report)
{
    const struct config *c = config;

    if (!address_good(c->address)) {
        report->problem(report, "address", "address is no place to connect to; expected \"tcp://HOST:PORT\" or "
                        "\"ipc://PATH\"; write it so");
        return AFF_ERR_CONFIG;
    }
    if (c->in_flight < c->largest) {
        report->problem(report, "in_flight", "in_flight is less than largest, so a message may be larger than all that may "
                        "be on its way; expected at least as much; raise it");
        return AFF_ERR_CONFIG;
    }
    report->secure(report); /* CURVE: both ends prove who they are, and all is encrypted */
    return AFF_OK;
}

static void sink_close(void *self)
{
    struct sink *s = self;

    if (s->talker)
        (void)s->host->watch(s->host, talker_bell(s->talker), 0);
    talker_close(&s->talker);
    if (s->memory)
        s->host->free(s->host, s->memory);
    s->host->free(s->host, s);
}

static void batch_new(struct sink *s)
{
    uint64_t most = talker_largest(s->talker), room = (uint64_t)s->config->largest;

    batch_begin(&s->batch, s->memory, (size_t)(most > BATCH_HEAD && most < room ? most : room));
    s->schemas = (struct schema_set){ { 0 } };
}

static aff_status sink_open(const struct aff_host *host, const void *config, void **ret_self)
{
    const struct config *c = config;
    char problem[CURVE_PROBLEM], gateway[CURVE_TEXT];
    struct curve_pair pair;
    aff_status st = curve_sockets_allowed(problem);
    struct sink *s;

    if (st == AFF_OK)
        st = curve_pair_read(c->key, &pair, problem);
    if (st == AFF_OK)
        st = curve_public_read(c->gateway_key, gateway, problem);
    if (st != AFF_OK)
        return host->explain(host, st, "%s", problem);
    s = host->alloc(host, sizeof *s);
    if (!s)
        return host->explain(host, AFF_ERR_MEMORY, "no memory for what is on its way");
    s->host = host;
    s->config = c;
    s->memory = host->alloc(host, (size_t)c->largest);
    s->talker = s->memory ? talker_open(host, c, &pair, gateway) : NULL;
    explicit_bzero(&pair, sizeof pair);
    if (!s->talker || host->watch(host, talker_bell(s->talker), AFF_WATCH_READ) != AFF_OK) {
        sink_close(s);
        return host->explain(host, AFF_ERR_MEMORY, "no memory for what is on its way");
    }
    batch_new(s);
    *ret_self = s;
    return AFF_OK;
}

static aff_status sink_start(void *self)
{
    struct sink *s = self;

    return talker_start(s->talker) ? AFF_OK : s->host->explain(s->host, AFF_ERR_MEMORY, "no thread can be made");
}

/* ---- telling ---- */

static void tell_counts(struct sink *s, const struct talker_counts *now)
{
    const struct talker_counts *was = &s->told;
    const uint64_t by[] = { now->acknowledged - was->acknowledged, now->refused - was->refused, now->batches - was->batches,
                            now->bytes - was->bytes, now->resent - was->resent, now->connections - was->connections };

    for (uint32_t i = 0; i < sizeof by / sizeof by[0]; i++)
        if (by[i] > 0)
            s->host->count(s->host, i, by[i]);
    if (now->connected != was->connected)
        s->host->gauge(s->host, METRIC_CONNECTED, now->connected);
}

static void tell(struct sink *s)
{
    const struct aff_host *host = s->host;
    struct talker_counts now = talker_counts(s->talker), *was = &s->told;

    tell_counts(s, &now);
    if (now.connected && !was->connected)
        host->log(host, AFF_LOG_INFO, "the gateway is there");
    else if (!now.connected && (was->connected || !s->has_told || strcmp(now.cause, was->cause) != 0))
        host->log(host, AFF_LOG_WARN, "%s; trying again, what comes meanwhile is kept", now.cause);
    s->has_told = true;
    s->told = now;
}

static void sink_stop(void *self)
{
    struct sink *s = self;
    struct talker_counts now;

    talker_stop(s->talker);
    now = talker_counts(s->talker);
    tell_counts(s, &now);
    s->told = now;
}

/* ---- records ---- */

/* A batch is begun only where it can be put in, so that none is left here when the lane
 * waits for answers and wakes nobody. AFF_AGAIN, AFF_ERR_IO: it cannot be now. */
static aff_status begin(struct sink *s)
{
    char cause[CAUSE_ROOM] = "";
    aff_status st;

    if (!batch_is_empty(&s->batch))
        return AFF_OK;
    st = talker_room(s->talker, cause);
    batch_new(s); /* the gateway may have told its limit since */
    return st < 0 ? s->host->explain(s->host, st, "%s", cause) : st;
}

/* What is in the batch goes on its way. AFF_ERR_MEMORY: it stays for the next call. */
static aff_status flush(struct sink *s)
{
    aff_status st;

    if (batch_is_empty(&s->batch))
        return AFF_OK;
    batch_end(&s->batch);
    st = talker_put(s->talker, &s->batch, &s->schemas);
    if (st == AFF_OK) {
        batch_begin(&s->batch, s->memory, s->batch.room); /* empty: begun in earnest by begin() */
        return AFF_OK;
    }
    s->host->wake_at(s->host, s->host->now_ns(s->host) + RETRY_NS);
    return s->host->explain(s->host, st, "no memory for a message");
}

/* AFF_AGAIN: it does not fit into this batch. */
static aff_status add(struct sink *s, const struct aff_record *r)
{
    const struct aff_host *host = s->host;
    const struct aff_stream_info *info = host->stream_info(host, r->stream);
    uint32_t key = r->flags & AFF_FLAG_END && info ? info->schema : r->schema;
    const struct aff_schema *schema = host->schema_info(host, key);
    struct batch_stream stream = { .key = (uint64_t)r->stream << 32 | key };
    int at;

    if (!info || !schema)
        return host->explain(host, AFF_ERR_DATA, "a record is of no known stream");
    stream.subject = info->subject_name;
    stream.name = info->name;
    at = talker_schema(s->talker, key, schema, &stream.schema);
    if (at == AFF_ERR_MEMORY)
        return host->explain(host, AFF_ERR_MEMORY, "no memory for a schema");
    if (at < 0)
        return host->explain(host, AFF_ERR_DATA, "a schema is too large for the link, or the %dth", SCHEMAS + 1);
    if (batch_add(&s->batch, &stream, r)) {
        s->schemas.bits[at / 64] |= UINT64_C(1) << (at % 64);
        return AFF_OK;
    }
    if (!batch_is_empty(&s->batch))
        return AFF_AGAIN;
    return host->explain(host, AFF_ERR_DATA, "a record of %u bytes, or its name, is too large for a message; raise `largest` "
                         "here and at the gateway", r->size);
}

static aff_status sink_write(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    struct sink *s = self;
    aff_status st = AFF_OK;

    tell(s);
    while (st == AFF_OK && *ret_taken < batch->count) {
        st = begin(s);
        if (st == AFF_OK)
            st = add(s, &batch->records[*ret_taken]);
        else
            break;
        if (st == AFF_OK)
            ++*ret_taken;
        if (st == AFF_AGAIN || (st == AFF_OK && s->batch.used >= talker_pace(s->talker)))
            st = flush(s);
    }
    (void)flush(s);
    return st;
}

static aff_status sink_wake(void *self)
{
    struct sink *s = self;

    tell(s);
    (void)flush(s);
    return AFF_OK;
}

static aff_status sink_sync(void *self, uint64_t epoch)
{
    struct sink *s = self;

    (void)epoch;
    (void)flush(s);
    talker_epoch(s->talker);
    tell(s);
    return AFF_OK; /* its records are answered one by one */
}

static aff_status sink_stream_end(void *self, uint32_t port, const struct aff_record *mark)
{
    struct sink *s = self;
    struct aff_record end = *mark;
    aff_status st;

    (void)port;
    end.flags |= AFF_FLAG_END;
    st = begin(s);
    if (st == AFF_AGAIN)
        return s->host->explain(s->host, AFF_ERR_IO, "much is on its way to the gateway");
    st = st == AFF_OK ? add(s, &end) : st;
    if (st == AFF_OK)
        st = flush(s);
    return st == AFF_ERR_DATA ? AFF_OK : st; /* a stream that nothing came of has no end there */
}

static aff_status sink_drain(void *self)
{
    return flush(self);
}

AFF_PLUGIN_NOTE(AFF_SINK, "out_zmq", "1.0.0");

AFF_EXPORT const struct aff_plugin afferent_plugin_v1 = {
    .struct_size = sizeof(struct aff_plugin),
    .major = AFF_ABI_MAJOR,
    .minor = AFF_ABI_MINOR,
    .kind = AFF_SINK,
    .flags = AFF_BLOCKS | AFF_ACKS,
    .name = "out_zmq",
    .version = "1.0.0",
    .summary = "Sends records to another Afferent over ZeroMQ with CURVE, each safe when that one says so.",
    .license = "Apache-2.0",
    .config_size = sizeof(struct config),
    .options = AFF_TABLE(options),
    .inputs = AFF_TABLE(inputs),
    .metrics = AFF_TABLE(metrics),
    .validate = sink_validate,
    .open = sink_open,
    .close = sink_close,
    .start = sink_start,
    .stop = sink_stop,
    .write = sink_write,
    .sync = sink_sync,
    .wake = sink_wake,
    .stream_end = sink_stream_end,
    .drain = sink_drain,
};
