/* SPDX-License-Identifier: Apache-2.0
 *
 * out_syslog.c - rows as messages of syslog: to this machine's daemon, UDP, TCP, TLS.
 *
 * Sending blocks this sink's own lane, for `timeout` at most; what was not taken stays
 * with the host. Over a stream what was not yet acknowledged is in doubt after a break,
 * and goes again with the same ids, so each message arrives at least once. Nothing of a
 * row or an address is in any message of ours.
 *
 * Not here: what a message says (message.h), how it gets there (way.h). */
#include <afferent/plugin.h>

#include "message.h"
#include "way.h"

static const struct aff_port inputs[] = {
    { .name = "in",
      .doc = "Alerts, or rows of any columns.",
      .types = AFF_MASK(AFF_FIELDS) },
};

enum { VERDICT_TOO_LARGE = 1, VERDICT_NO_ROW };
static const struct aff_verdict verdicts[] = {
    { "too_large", "The row's structured data alone is longer than max_bytes.", AFF_V_DEAD, 0, 0 },
    { "no_row", "The record is no whole row with a schema.", AFF_V_DEAD, 0, 0 },
};

enum { COUNT_SENT, COUNT_CUT, COUNT_FAILED, COUNT_CONNECTIONS };
static const struct aff_metric metrics[] = {
    { "sent", "Messages that went out, again or not.", "messages", AFF_METRIC_COUNTER, 0 },
    { "cut", "Messages whose text was cut to max_bytes.", "messages", AFF_METRIC_COUNTER, 0 },
    { "failed", "Attempts that failed.", "attempts", AFF_METRIC_COUNTER, 0 },
    { "connections", "Connections and sockets that were opened.", NULL, AFF_METRIC_COUNTER, 0 },
};

struct sink {
    const struct aff_host *host;
    struct form form;
    struct way way;
    struct text message, work;
};

static void sink_close(void *self)
{
    struct sink *s = self;

    way_close(&s->way);
    text_free(&s->message);
    text_free(&s->work);
    s->host->free(s->host, s);
    curl_global_cleanup();
}

static void dangers_tell(const struct aff_host *host, const struct config *c)
{
    if (c->skip_verification)
        host->log(host, AFF_LOG_WARN, "skip_verification: any collector is believed, and who stands in between can read and "
                  "change what is sent");
    if (c->allow_plain)
        host->log(host, AFF_LOG_WARN, "allow_plain: what is sent can be read on the way");
}

static aff_status sink_open(const struct aff_host *host, const void *config, void **ret_self)
{
    struct sink *s = NULL;

    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return host->explain(host, AFF_ERR_MEMORY, "libcurl cannot be prepared");
    s = host->alloc(host, sizeof *s);
    if (!s) {
        curl_global_cleanup();
        return host->explain(host, AFF_ERR_MEMORY, "no memory for the sink");
    }
    s->host = host;
    way_open(&s->way, host, config);
    if (!form_open(&s->form, config)) {
        sink_close(s);
        return host->explain(host, AFF_ERR_BUG, "message was not validated");
    }
    dangers_tell(host, config);
    *ret_self = s;
    return AFF_OK;
}

static aff_status away(struct sink *s, const char *why)
{
    s->host->count(s->host, COUNT_FAILED, 1);
    return s->host->explain(s->host, AFF_ERR_IO, "%s; messages wait, trying again", why);
}

/* OK with a verdict: it is no message, and is set aside. */
static aff_status record_send(struct sink *s, const struct aff_record *r, uint8_t *verdict)
{
    struct fill_row row;
    enum message_end end;
    const char *why;

    if (!fill_row_get(&row, s->host, r)) {
        *verdict = VERDICT_NO_ROW;
        return AFF_OK;
    }
    end = message_write(&s->message, &s->form, &row, &s->work);
    if (s->message.failed || s->work.failed) {
        text_free(&s->message);
        text_free(&s->work);
        return s->host->explain(s->host, AFF_ERR_MEMORY, "no memory for a message");
    }
    if (end == MESSAGE_TOO_LARGE) {
        *verdict = VERDICT_TOO_LARGE;
        return AFF_OK;
    }
    why = way_send(&s->way, s->message.bytes, s->message.size);
    if (why)
        return away(s, why);
    s->host->count(s->host, COUNT_SENT, 1);
    if (end == MESSAGE_CUT)
        s->host->count(s->host, COUNT_CUT, 1);
    return AFF_OK;
}

/* What was sent so far is with the other machine, or goes again. */
static aff_status settle(struct sink *s)
{
    const char *why = way_settle(&s->way);

    return why ? away(s, why) : AFF_OK;
}

static aff_status sink_write(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    struct sink *s = self;
    uint64_t before = s->way.connections;
    aff_status st = AFF_OK;
    uint32_t i, sure = 0;

    for (i = 0; i < batch->count && st == AFF_OK; i++) {
        st = record_send(s, &batch->records[i], &batch->verdicts[i]);
        if (st == AFF_OK && (i + 1 == batch->count || way_is_full(&s->way)))
            st = settle(s);
        if (st == AFF_OK && way_is_sure(&s->way))
            sure = i + 1;
    }
    s->host->count(s->host, COUNT_CONNECTIONS, s->way.connections - before);
    *ret_taken = sure;
    return st;
}

AFF_PLUGIN_NOTE(AFF_SINK, "out_syslog", "1.0.0");

AFF_EXPORT const struct aff_plugin afferent_plugin_v1 = {
    .struct_size = sizeof(struct aff_plugin),
    .major = AFF_ABI_MAJOR,
    .minor = AFF_ABI_MINOR,
    .kind = AFF_SINK,
    .flags = AFF_BLOCKS,
    .name = "out_syslog",
    .version = "1.0.0",
    .summary = "Sends alerts, and other rows, to syslog: this machine's, or a collector by UDP, TCP or TLS.",
    .license = "Apache-2.0",
    .config_size = sizeof(struct config),
    .options = AFF_TABLE(syslog_options),
    .inputs = AFF_TABLE(inputs),
    .outputs = AFF_NO_TABLE,
    .verdicts = AFF_TABLE(verdicts),
    .metrics = AFF_TABLE(metrics),
    .validate = syslog_validate,
    .shape = syslog_shape,
    .open = sink_open,
    .close = sink_close,
    .write = sink_write,
};
