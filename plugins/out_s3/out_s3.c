/* SPDX-License-Identifier: Apache-2.0
 *
 * out_s3.c - records to an S3 store, as objects: JSON lines, JSON, tables, raw.
 *
 * Records whose key has the same fixed part are gathered into one object. Each is
 * acknowledged when the store's answer says that it has the object, and not before. An
 * object that is sent again overwrites itself. What the store refuses for its size or
 * name becomes a dead letter alone. Nothing of a record, of a key or of a credential is
 * in any message.
 *
 * Not here: keys (key.h), objects and uploads (store.h), batches and sending (http/pump.h). */
#include <afferent/plugin.h>

#include "http/record.h"
#include "store.h"
#include "text/rows.h"

static const struct aff_port inputs[] = {
    { .name = "in",
      .doc = "Records of any type; for raw bytes and images.",
      .types = AFF_MASK(AFF_BYTES) | AFF_MASK(AFF_FIELDS) | AFF_MASK(AFF_SAMPLES) | AFF_MASK(AFF_IMAGE) },
};

enum { COUNT_PARTS = COUNTS, COUNT_ABORTED };
static const struct aff_metric metrics[] = {
    { "requests", "Requests that were sent, again or not.", "requests", AFF_METRIC_COUNTER, 0 },
    { "requests_failed", "Requests without an answer, or whose answer was to come again.", "requests", AFF_METRIC_COUNTER, 0 },
    { "accepted", "Records that the store has.", "records", AFF_METRIC_COUNTER, 0 },
    { "refused", "Records that the store refused.", "records", AFF_METRIC_COUNTER, 0 },
    { "split", "Objects that were cut in halves to find a bad record.", "objects", AFF_METRIC_COUNTER, 0 },
    { "bytes", "Bytes of objects and parts that were sent, packed.", "bytes", AFF_METRIC_COUNTER, 0 },
    { "parts", "Parts of large objects that the store has.", "parts", AFF_METRIC_COUNTER, 0 },
    { "aborted", "Unfinished uploads that were taken away.", "uploads", AFF_METRIC_COUNTER, 0 },
};

struct sink {
    const struct aff_host *host;
    const struct config *config;
    struct store store;
    struct pump *pump;
};

/* ---- records ---- */

/* A table has a first line: records with another one are another object's. */
static const char *csv_write(const struct source *from, struct text *element, struct text *group)
{
    const struct row_source row = { from->record, from->schema, from->subject, from->stream, TEXT_CSV, 1 };
    uint8_t type = from->record->type;
    const char *problem;

    if ((type == AFF_FIELDS || type == AFF_SAMPLES) && !from->schema)
        return "a record has no schema";
    problem = rows_write(element, &row);
    if (problem)
        return problem;
    text_add(group, "", 1);
    rows_header(group, &row);
    return NULL;
}

static const char *element_make(void *self, const struct source *from, struct text *element, struct text *group)
{
    const struct config *c = ((const struct store *)self)->config;
    const struct aff_record *r = from->record;

    key_group(group, c, from);
    switch (c->format) {
    case FORMAT_CSV:
        return csv_write(from, element, group);
    case FORMAT_RAW:
        if (r->type != AFF_BYTES && r->type != AFF_IMAGE)
            return "rows and samples have no bytes of their own; send them as ndjson, json or csv";
        text_add(element, r->data, r->size);
        return NULL;
    default:
        return record_json(element, from);
    }
}

/* ---- opening ---- */

static void sink_close(void *self)
{
    struct sink *s = self;

    if (s->pump)
        pump_close(s->pump);
    store_close(&s->store);
    s->host->free(s->host, s);
}

static aff_status sink_begin(struct sink *s)
{
    const struct aff_host *host = s->host;
    const struct config *c = s->config;
    const struct pump_plug plug = { .kind = &store_kind,
                                    .make = element_make,
                                    .self = &s->store,
                                    .way = &c->way,
                                    .target = &s->store.target,
                                    .records_most = config_records_most(c),
                                    .groups = (uint32_t)c->open_objects }; /* not paced: an object is as large as was asked for */

    if (!store_open(&s->store, c))
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
    st = sink_begin(s);
    if (st != AFF_OK) {
        sink_close(s);
        return st;
    }
    http_dangers_tell(host, &s->config->way);
    *ret_self = s;
    return AFF_OK;
}

/* ---- news ---- */

static void sink_tell(struct sink *s)
{
    unsigned parts = atomic_exchange(&s->store.parts, 0), aborted = atomic_exchange(&s->store.aborted, 0);

    pump_tell(s->pump);
    if (parts > 0)
        s->host->count(s->host, COUNT_PARTS, parts);
    if (aborted > 0)
        s->host->count(s->host, COUNT_ABORTED, aborted);
    if (atomic_exchange(&s->store.cannot_sweep, 0))
        s->host->log(s->host, AFF_LOG_WARN, "the store does not let unfinished uploads be listed or taken away: those that a loss of "
                     "power leaves stay there; allow s3:ListBucketMultipartUploads and s3:AbortMultipartUpload, or let the bucket "
                     "expire them");
}

/* ---- callbacks ---- */

static aff_status sink_write(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    struct sink *s = self;

    sink_tell(s);
    return pump_write(s->pump, batch, ret_taken);
}

static aff_status sink_wake(void *self)
{
    struct sink *s = self;

    sink_tell(s);
    return AFF_OK;
}

static aff_status sink_flush(void *self)
{
    struct sink *s = self;

    pump_flush(s->pump);
    return AFF_OK;
}

static void sink_stop(void *self)
{
    struct sink *s = self;

    sink_tell(s);
}

AFF_PLUGIN_NOTE(AFF_SINK, "out_s3", "1.0.0");

AFF_EXPORT const struct aff_plugin afferent_plugin_v1 = {
    .struct_size = sizeof(struct aff_plugin),
    .major = AFF_ABI_MAJOR,
    .minor = AFF_ABI_MINOR,
    .kind = AFF_SINK,
    .flags = AFF_BLOCKS | AFF_ACKS,
    .name = "out_s3",
    .version = "1.0.0",
    .summary = "Puts records into an S3 store, as objects of JSON lines, JSON, tables or raw bytes.",
    .license = "Apache-2.0",
    .config_size = sizeof(struct config),
    .options = AFF_TABLE(s3_options),
    .inputs = AFF_TABLE(inputs),
    .outputs = AFF_NO_TABLE,
    .verdicts = AFF_NO_TABLE,
    .metrics = AFF_TABLE(metrics),
    .validate = s3_validate,
    .shape = s3_shape,
    .open = sink_open,
    .close = sink_close,
    .stop = sink_stop,
    .write = sink_write,
    .wake = sink_wake,
    .drain = sink_flush,
    .flush = sink_flush,
};
