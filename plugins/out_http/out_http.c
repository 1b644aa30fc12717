/* SPDX-License-Identifier: Apache-2.0
 *
 * out_http.c - records to a server by HTTP: JSON, lines of JSON, FHIR R4, raw.
 *
 * Each record is acknowledged when the server's answer says that it has it, and not
 * before. What the server refuses for its content becomes a dead letter alone; what
 * it cannot take now is offered again by the host, with the same id and marked as
 * sent before. Nothing of a record, of the URL or of a credential is in any message.
 *
 * Not here: bodies (element.c, fhir.c, frame.c), what is asked and answered (server.h),
 * batches and sending (http/pump.h). */
#include <afferent/plugin.h>

#include "record.h"
#include "server.h"

static const struct aff_port inputs[] = {
    { .name = "in",
      .doc = "Records of any type; for FHIR rows and samples.",
      .types = AFF_MASK(AFF_BYTES) | AFF_MASK(AFF_FIELDS) | AFF_MASK(AFF_SAMPLES) | AFF_MASK(AFF_IMAGE) },
};

static const struct aff_metric metrics[] = {
    { "requests", "Requests that were sent, again or not.", "requests", AFF_METRIC_COUNTER, 0 },
    { "requests_failed", "Requests without an answer, or whose answer was to come again.", "requests", AFF_METRIC_COUNTER, 0 },
    { "accepted", "Records that the server has.", "records", AFF_METRIC_COUNTER, 0 },
    { "refused", "Records that the server refused for their content.", "records", AFF_METRIC_COUNTER, 0 },
    { "split", "Requests that were cut in halves to find a bad record.", "requests", AFF_METRIC_COUNTER, 0 },
    { "bytes", "Bytes of bodies that were sent, packed.", "bytes", AFF_METRIC_COUNTER, 0 },
};

struct sink {
    const struct aff_host *host;
    const struct config *config;
    struct server server;
    struct pump *pump;
};

static void sink_close(void *self)
{
    struct sink *s = self;

    if (s->pump)
        pump_close(s->pump);
    server_close(&s->server);
    s->host->free(s->host, s);
}

static const char *element_make(void *self, const struct source *from, struct text *element, struct text *group)
{
    const struct server *s = self;

    (void)group; /* all are of one */
    return record_write(element, s->config, from);
}

static aff_status sink_start(struct sink *s)
{
    const struct aff_host *host = s->host;
    const struct pump_plug plug = { .kind = &server_kind,
                                    .make = element_make,
                                    .self = &s->server,
                                    .way = &s->config->way,
                                    .target = &s->server.target,
                                    .records_most = config_records_most(s->config),
                                    .groups = 1,
                                    .is_paced = true };

    if (!server_open(&s->server, s->config))
        return host->explain(host, AFF_ERR_MEMORY, "no memory for the requests");
    return pump_open(host, &plug, &s->pump);
}

static aff_status sink_open(const struct aff_host *host, const void *config, void **ret_self)
{
    struct sink *s = host->alloc(host, sizeof *s);
    aff_status st;

    if (!s)
        return host->explain(host, AFF_ERR_MEMORY, "no memory for the sink");
    s->host = host;
    s->config = config;
    st = sink_start(s);
    if (st != AFF_OK) {
        sink_close(s);
        return st;
    }
    http_dangers_tell(host, &s->config->way);
    *ret_self = s;
    return AFF_OK;
}

static aff_status sink_write(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    struct sink *s = self;

    pump_tell(s->pump);
    return pump_write(s->pump, batch, ret_taken);
}

static aff_status sink_wake(void *self)
{
    struct sink *s = self;

    pump_tell(s->pump);
    return AFF_OK;
}

static aff_status sink_drain(void *self)
{
    struct sink *s = self;

    pump_flush(s->pump);
    return AFF_OK;
}

static void sink_stop(void *self)
{
    struct sink *s = self;

    pump_tell(s->pump);
}

AFF_PLUGIN_NOTE(AFF_SINK, "out_http", "1.0.0");

AFF_EXPORT const struct aff_plugin afferent_plugin_v1 = {
    .struct_size = sizeof(struct aff_plugin),
    .major = AFF_ABI_MAJOR,
    .minor = AFF_ABI_MINOR,
    .kind = AFF_SINK,
    .flags = AFF_BLOCKS | AFF_ACKS,
    .name = "out_http",
    .version = "1.0.0",
    .summary = "Sends records to a server by HTTP: JSON, lines of JSON, FHIR R4 Bundles, raw.",
    .license = "Apache-2.0",
    .config_size = sizeof(struct config),
    .options = AFF_TABLE(http_options),
    .inputs = AFF_TABLE(inputs),
    .outputs = AFF_NO_TABLE,
    .verdicts = AFF_NO_TABLE,
    .metrics = AFF_TABLE(metrics),
    .validate = http_validate,
    .shape = http_shape,
    .open = sink_open,
    .close = sink_close,
    .stop = sink_stop,
    .write = sink_write,
    .wake = sink_wake,
    .drain = sink_drain,
    .flush = sink_drain,
};
