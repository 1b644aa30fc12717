/* SPDX-License-Identifier: Apache-2.0
 *
 * out_mqtt.c - records to a broker of MQTT, each safe when the broker has said so.
 *
 * A record is one message of QoS 1, and done with when its PUBACK is there, in any order.
 * What the broker does not take for what it is becomes a dead letter alone; what was on its
 * way when the connection was lost is sent again, with its mark. Each message carries the
 * record's id, by which whoever reads it tells a second one.
 *
 * Not here: the thread that talks (talker.c), topics (topic.c), the rows' text. */
#include <afferent/plugin.h>

#include <string.h>

#include "mqtt/link.h"
#include "mqtt/reason.h"
#include "text/rows.h"
#include "talker.h"
#include "topic.h"

enum { FORMAT_JSON, FORMAT_RAW };
static const char *const formats[] = { "json", "raw", NULL };

struct config {
    struct mqtt_link link; /* first: its options say so */
    const char *topic;
    int32_t format;
    int32_t retain;
    int64_t in_flight;
    int64_t expire;
};

static const struct aff_option options[] = {
    MQTT_LINK_OPTIONS,
    AFF_OPT_TEXT(struct config, topic, AFF_OPT_REQUIRED, NULL,
                 "Topic of each message; {subject} and {stream} are filled in, and never make a level of their own."),
    AFF_OPT_ENUM(struct config, format, 0, "\"json\"", formats,
                 "What a message holds: an object of JSON, or the bytes as they are."),
    AFF_OPT_BOOL(struct config, retain, "false",
                 "Whether the broker keeps the last message of each topic for those who subscribe later."),
    AFF_OPT_INT(struct config, in_flight, 0, "100", 1, 1024, "messages",
                "How many messages may be on their way at a time; fewer where the broker wants fewer."),
    AFF_OPT_DURATION(struct config, expire, 0, "\"0s\"", 0, 4294967295e9,
                     "How old a record may be, by its event time, before it is not delivered any more, here and by the "
                     "broker; 0s: it never is."),
};

static const struct aff_port inputs[] = {
    { .name = "in",
      .doc = "Records of any type, each one message.",
      .types = AFF_MASK(AFF_BYTES) | AFF_MASK(AFF_FIELDS) | AFF_MASK(AFF_SAMPLES) | AFF_MASK(AFF_IMAGE) },
};

enum { VERDICT_EXPIRED = 1 };
static const struct aff_verdict verdicts[] = {
    { "expired", "The record is older than `expire`.", AFF_V_DROP, 0, 0 },
};

enum { METRIC_ACKNOWLEDGED, METRIC_UNHEARD, METRIC_REFUSED, METRIC_LOST, METRIC_CONNECTED, METRIC_ANY_SERVER };
static const struct aff_metric metrics[] = {
    { "acknowledged", "Messages that the broker has taken.", NULL, AFF_METRIC_COUNTER, 0 },
    { "unheard", "Messages that the broker took, and nobody has subscribed to.", NULL, AFF_METRIC_COUNTER, 0 },
    { "refused", "Messages that the broker did not take for what they are.", NULL, AFF_METRIC_COUNTER, 0 },
    { "unanswered", "Messages whose connection was lost before an answer; they are sent again.", NULL,
      AFF_METRIC_COUNTER, 0 },
    { "connected", "Connections to the broker.", NULL, AFF_METRIC_COUNTER, 0 },
    { "accepts_any_server", "1: whoever answers is taken for the broker.", NULL, AFF_METRIC_GAUGE, 0 },
};

struct sink {
    const struct aff_host *host;
    const struct config *config;
    struct talker *talker;
    struct text payload;
    char topic[TOPIC_ROOM];
    int told; /* the reason code that was logged last */
};

/* ---- opening ---- */

static aff_status sink_validate(const void *config, const struct aff_report *report)
{
    const struct config *c = config;
    const char *problem = topic_problem(c->topic);

    if (!mqtt_link_check(&c->link, report))
        return AFF_ERR_CONFIG;
    if (problem) {
        report->problem(report, "topic", "topic %s", problem);
        return AFF_ERR_CONFIG;
    }
    if (c->expire > 0 && c->expire < 1000000000) {
        report->problem(report, "expire", "expire is below a second, which is MQTT's unit; expected 1s or more, or 0s; "
                        "raise it");
        return AFF_ERR_CONFIG;
    }
    return AFF_OK;
}

static void sink_close(void *self)
{
    struct sink *s = self;

    talker_close(&s->talker);
    text_free(&s->payload);
    s->host->free(s->host, s);
}

static aff_status sink_open(const struct aff_host *host, const void *config, void **ret_self)
{
    const struct config *c = config;
    struct sink *s = host->alloc(host, sizeof *s);

    if (!s)
        return host->explain(host, AFF_ERR_MEMORY, "no memory for what is on its way to the broker");
    s->host = host;
    s->config = c;
    s->talker = talker_open(host, &c->link, (uint32_t)c->in_flight);
    if (!s->talker) {
        sink_close(s);
        return host->explain(host, AFF_ERR_MEMORY, "no memory for what is on its way to the broker");
    }
    *ret_self = s;
    return AFF_OK;
}

static aff_status sink_start(void *self)
{
    struct sink *s = self;

    s->host->gauge(s->host, METRIC_ANY_SERVER, s->config->link.accept_any_server ? 1 : 0);
    if (s->config->link.accept_any_server)
        s->host->log(s->host, AFF_LOG_WARN, "accept_any_server is set: whoever is in between reads and changes what is sent");
    if (!talker_start(s->talker))
        return s->host->explain(s->host, AFF_ERR_MEMORY, "no thread can be made");
    return AFF_OK;
}

static void counts_take(struct sink *s)
{
    struct talker_counts counts = talker_counts(s->talker);
    const uint64_t by[] = { counts.acknowledged, counts.unheard, counts.refused, counts.lost, counts.connected };
    uint32_t i;

    for (i = 0; i < sizeof by / sizeof by[0]; i++)
        if (by[i])
            s->host->count(s->host, i, by[i]);
    if (counts.last_refusal && counts.last_refusal != s->told)
        s->host->log(s->host, AFF_LOG_WARN, "the broker did not take a message: %s", mqtt_reason_text(counts.last_refusal));
    if (counts.last_refusal)
        s->told = counts.last_refusal;
}

static void sink_stop(void *self)
{
    struct sink *s = self;

    talker_stop(s->talker);
}

/* ---- one record ---- */

/* What is left of its time, in whole seconds; 0: nothing is. A clock that is not
 * compared with this one says nothing of an age. */
static uint32_t expiry_of(const struct sink *s, const struct aff_record *r)
{
    uint8_t clock;
    int64_t now = s->host->utc_ns(s->host, &clock), left = s->config->expire;

    if (clock == AFF_CLOCK_SYNCED && r->clock == AFF_CLOCK_SYNCED && now > r->event_ns)
        left = now - r->event_ns < left ? left - (now - r->event_ns) : 0;
    return (uint32_t)((left + 999999999) / 1000000000);
}

/* NULL, or why it cannot be a message. */
static const char *payload_make(struct sink *s, const struct aff_record *r, const struct aff_stream_info *info,
                                struct message *m)
{
    struct row_source from = { r, s->host->schema_info(s->host, r->schema), info->subject_name, info->name, TEXT_JSON, 1 };
    const char *problem;

    if (s->config->format == FORMAT_RAW) {
        m->payload = r->data;
        m->size = r->size;
        return NULL;
    }
    s->payload.size = 0;
    s->payload.failed = 0;
    problem = rows_write(&s->payload, &from);
    if (problem || s->payload.failed)
        return problem;
    m->payload = s->payload.bytes;
    m->size = (uint32_t)s->payload.size - (s->payload.size > 0); /* without the end of the last line */
    m->is_text = true;
    m->content_type = r->type == AFF_SAMPLES ? "application/x-ndjson" : "application/json";
    return NULL;
}

static aff_status record_send(struct sink *s, const struct aff_record *r, uint8_t *ret_verdict)
{
    const struct aff_host *host = s->host;
    const struct aff_stream_info *info = host->stream_info(host, r->stream);
    struct message m = { .id = r->id, .event_ns = r->event_ns, .topic = s->topic, .retain = s->config->retain != 0,
                         .resent = (r->flags & AFF_FLAG_RESENT) != 0 };
    char cause[CAUSE_ROOM] = "";
    const char *problem;
    aff_status status;

    if (!info)
        return host->explain(host, AFF_ERR_DATA, "a record is of no known stream");
    if (!topic_write(s->topic, sizeof s->topic, s->config->topic, info->subject_name, info->name))
        return host->explain(host, AFF_ERR_DATA, "a topic is longer than %d bytes", TOPIC_ROOM - 1);
    if (s->config->expire > 0) {
        m.expiry_s = expiry_of(s, r);
        if (m.expiry_s == 0) {
            *ret_verdict = VERDICT_EXPIRED;
            return AFF_OK;
        }
    }
    problem = payload_make(s, r, info, &m);
    if (problem)
        return host->explain(host, AFF_ERR_DATA, "%s", problem);
    if (s->payload.failed)
        return host->explain(host, AFF_ERR_MEMORY, "no memory for a message");
    status = talker_send(s->talker, &m, cause);
    return status == AFF_OK ? AFF_OK : host->explain(host, status, "%s", cause);
}

static aff_status sink_write(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    struct sink *s = self;
    aff_status status = AFF_OK;
    uint32_t i;

    for (i = 0; i < batch->count && status == AFF_OK; i++)
        status = record_send(s, &batch->records[i], &batch->verdicts[i]);
    *ret_taken = status == AFF_OK ? i : i - 1;
    counts_take(s);
    return status;
}

static aff_status sink_sync(void *self, uint64_t epoch)
{
    (void)epoch;
    counts_take(self);
    return AFF_OK; /* its records are answered one by one */
}

AFF_PLUGIN_NOTE(AFF_SINK, "out_mqtt", "1.0.0");

AFF_EXPORT const struct aff_plugin afferent_plugin_v1 = {
    .struct_size = sizeof(struct aff_plugin),
    .major = AFF_ABI_MAJOR,
    .minor = AFF_ABI_MINOR,
    .kind = AFF_SINK,
    .flags = AFF_BLOCKS | AFF_ACKS,
    .name = "out_mqtt",
    .version = "1.0.0",
    .summary = "Sends records to a broker of MQTT, each safe when the broker acknowledges it.",
    .license = "Apache-2.0",
    .config_size = sizeof(struct config),
    .options = AFF_TABLE(options),
    .inputs = AFF_TABLE(inputs),
    .verdicts = AFF_TABLE(verdicts),
    .metrics = AFF_TABLE(metrics),
    .validate = sink_validate,
    .open = sink_open,
    .close = sink_close,
    .start = sink_start,
    .stop = sink_stop,
    .write = sink_write,
    .sync = sink_sync,
};
