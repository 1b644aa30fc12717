/* out_lmdb.c - an archive on this node: every record once, in order, checked.
 *
 * Records go into an LMDB environment under subject, stream, event time and
 * record id; an epoch is one transaction. The same record a second time changes
 * nothing, so a replay is harmless; the same id with other content is kept beside.
 * `afferent query` reads it, also meanwhile.
 *
 * Here are the tables and callbacks. Not here: the writer (archive.h), the
 * reader (query.h), schemas as text (schema.h). It never deletes: when the limit
 * is reached it waits, and says so before.
 */
#include <afferent/plugin.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive.h"
#include "query.h"
#include "schema.h"

struct config {
    const char *path;
    int64_t limit;
    int64_t batch;
    int64_t streams;
};

#define MIB 1048576.0

static const struct aff_option options[] = {
    AFF_OPT_PATH(struct config, path, AFF_OPT_REQUIRED, NULL,
                 "Folder of the archive; it is made if it is not there, in a folder that is."),
    AFF_OPT_BYTES(struct config, limit, 0, "\"1GiB\"", MIB, 1e15,
                  "Most bytes that the archive may take on disk; intake waits when it is full."),
    AFF_OPT_BYTES(struct config, batch, 0, "\"1MiB\"", 65536.0, 256 * MIB,
                  "Most bytes of records that wait in memory for one transaction."),
    AFF_OPT_INT(struct config, streams, 0, "128", 8, 65536, "streams",
                "Streams of samples whose last block is kept in memory, about 13 KiB each."),
};

static const struct aff_port inputs[] = {
    { .name = "in",
      .doc = "Records of any type.",
      .types = AFF_MASK(AFF_BYTES) | AFF_MASK(AFF_FIELDS) | AFF_MASK(AFF_SAMPLES) | AFF_MASK(AFF_IMAGE) },
};

enum { METRIC_STORED, METRIC_REPEATED, METRIC_DAMAGED, METRIC_COMMITS, METRIC_USED, METRIC_FILL, METRIC_DIFFERING };
static const struct aff_metric metrics[] = {
    { "stored", "Records written to the archive.", "records", AFF_METRIC_COUNTER, 0 },
    { "repeated", "Records that were in the archive already.", "records", AFF_METRIC_COUNTER, 0 },
    { "damaged", "Stored values that could not be read when they were needed.", "values", AFF_METRIC_COUNTER, 0 },
    { "commits", "Transactions.", NULL, AFF_METRIC_COUNTER, 0 },
    { "used", "Bytes that the archive takes.", "bytes", AFF_METRIC_GAUGE, 0 },
    { "fill", "Share of the limit that is used, 0 to 1.", NULL, AFF_METRIC_GAUGE, 0 },
    { "differing", "Of those written, records whose id was there with other content: both are kept.", "records",
      AFF_METRIC_COUNTER, 0 },
};

struct sink {
    const struct aff_host *host;
    struct archive *archive;
    struct archive_counts told;
    char owner[500];
};

static void *sink_alloc(void *ctx, size_t size)
{
    const struct sink *s = ctx;

    return s->host->alloc(s->host, size);
}

static void sink_release(void *ctx, void *memory)
{
    const struct sink *s = ctx;

    s->host->free(s->host, memory);
}

static void sink_say(void *ctx, int level, const char *text)
{
    const struct sink *s = ctx;

    s->host->log(s->host, level, "%s", text);
}

static const struct aff_stream_info *sink_stream(void *ctx, uint32_t stream)
{
    const struct sink *s = ctx;

    return s->host->stream_info(s->host, stream);
}

static size_t sink_schema(void *ctx, uint32_t schema, char *text, size_t room)
{
    const struct sink *s = ctx;
    const struct aff_schema *info = s->host->schema_info(s->host, schema);

    return info ? schema_write(text, room, info) : 0;
}

static aff_status lmdb_validate(const void *config, const struct aff_report *report)
{
    const struct config *c = config;

    if (c->batch <= c->limit / 4)
        return AFF_OK;
    report->problem(report, "batch", "batch = %lld bytes is more than a quarter of limit; expected less, since a "
                    "transaction needs room beside what is there; make batch smaller or limit larger", (long long)c->batch);
    return AFF_ERR_CONFIG;
}

static void lmdb_close(void *self)
{
    struct sink *s = self;

    archive_close(s->archive);
    s->host->free(s->host, s);
}

static aff_status lmdb_open(const struct aff_host *host, const void *config, void **ret_self)
{
    const struct config *c = config;
    struct sink *s = host->alloc(host, sizeof *s);
    struct archive_options wanted = { c->path, (uint64_t)c->limit, (size_t)c->batch, (uint32_t)c->streams, NULL };
    struct archive_hooks hooks = { s, sink_alloc, sink_release, sink_say, sink_stream, sink_schema };
    char cause[400];
    aff_status st;

    if (!s)
        return AFF_ERR_MEMORY;
    s->host = host;
    snprintf(s->owner, sizeof s->owner, "%s/%s", host->pipeline, host->node);
    wanted.owner = s->owner;
    st = archive_open(&s->archive, &wanted, &hooks, cause, sizeof cause);
    if (st < 0) {
        host->free(host, s);
        return host->explain(host, st, "%s", cause);
    }
    *ret_self = s;
    return AFF_OK;
}

static void sink_tell(struct sink *s)
{
    const struct aff_host *host = s->host;
    struct archive_counts now = *archive_counted(s->archive);
    double fill;

    if (now.commits == s->told.commits)
        return;
    host->count(host, METRIC_STORED, now.stored - s->told.stored);
    host->count(host, METRIC_REPEATED, now.repeated - s->told.repeated);
    host->count(host, METRIC_DAMAGED, now.damaged - s->told.damaged);
    host->count(host, METRIC_COMMITS, now.commits - s->told.commits);
    host->count(host, METRIC_DIFFERING, now.differing - s->told.differing);
    host->gauge(host, METRIC_USED, (double)archive_used(s->archive, &fill));
    host->gauge(host, METRIC_FILL, fill);
    s->told = now;
}

static aff_status lmdb_write(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    struct sink *s = self;
    aff_status st = AFF_OK;
    uint32_t i;

    for (i = 0; i < batch->count && st >= 0; i++)
        st = archive_put(s->archive, &batch->records[i]);
    sink_tell(s);
    if (st >= 0)
        return AFF_OK;
    *ret_taken = i - 1;
    return s->host->explain(s->host, st, "%s", archive_cause(s->archive));
}

static aff_status sink_commit(struct sink *s)
{
    aff_status st = archive_commit(s->archive);

    sink_tell(s);
    return st < 0 ? s->host->explain(s->host, st, "%s", archive_cause(s->archive)) : AFF_OK;
}

static aff_status lmdb_sync(void *self, uint64_t epoch)
{
    (void)epoch;
    return sink_commit(self);
}

static aff_status lmdb_drain(void *self)
{
    return sink_commit(self);
}

/* Schemas of archives are few; the last one is nearly always the next one. */
struct view {
    const struct aff_host *host;
    struct archive_query *query;
    struct archive_found found;
    int waiting; /* found still has to go out: the host had no memory */
    uint64_t hash;
    uint32_t schema;
    uint32_t subject_id; /* the archive's, of what follows */
    uint32_t stream_id;
    uint32_t subject;
    uint32_t stream;
};

static void view_close(void *query)
{
    struct view *v = query;

    query_close(v->query);
    v->host->free(v->host, v);
}

static aff_status view_open(const struct aff_host *host, const void *config, const struct aff_query *query,
                            void **ret_query)
{
    const struct config *c = config;
    struct archive_filter filter = { query->subject, query->stream, query->from_ns, query->to_ns };
    struct view *v = host->alloc(host, sizeof *v);
    char cause[400];
    aff_status st;

    if (!v)
        return AFF_ERR_MEMORY;
    v->host = host;
    st = query_open(&v->query, c->path, &filter, cause, sizeof cause);
    if (st < 0) {
        host->free(host, v);
        return host->explain(host, st, "%s", cause);
    }
    *ret_query = v;
    return AFF_OK;
}

static aff_status view_schema(struct view *v, uint64_t hash)
{
    struct aff_schema *schema;
    const char *text;
    size_t length;
    int memory = 0;

    if (hash == v->hash)
        return AFF_OK;
    if (!hash) {
        v->hash = v->schema = v->stream_id = 0;
        return AFF_OK;
    }
    text = query_schema(v->query, hash, &length);
    schema = text ? schema_read(text, length, &memory) : NULL;
    if (memory)
        return AFF_ERR_MEMORY;
    if (!schema)
        return v->host->explain(v->host, AFF_ERR_DATA, "the schema of a record is damaged in the archive");
    v->schema = v->host->schema(v->host, schema);
    free(schema);
    if (!v->schema)
        return AFF_ERR_MEMORY;
    v->hash = hash;
    v->stream_id = 0; /* a stream is made with its schema */
    return AFF_OK;
}

static aff_status view_names(struct view *v)
{
    const struct aff_host *host = v->host;
    const struct archive_key *key = &v->found.key;
    const char *subject, *stream;

    if (v->stream_id == key->stream && v->subject_id == key->subject)
        return AFF_OK;
    subject = query_subject(v->query, &v->found);
    stream = query_stream(v->query, &v->found);
    if (!subject || !stream)
        return AFF_ERR_MEMORY;
    v->stream_id = 0;
    v->subject = host->subject(host, subject);
    v->stream = v->subject ? host->stream(host, v->subject, stream, v->schema) : 0;
    if (!v->stream)
        return AFF_ERR_MEMORY;
    v->subject_id = key->subject;
    v->stream_id = key->stream;
    return AFF_OK;
}

static aff_status view_next(void *query, struct aff_record *ret)
{
    struct view *v = query;
    const struct archive_found *f = &v->found;
    aff_status st = AFF_OK;

    if (!v->waiting)
        st = query_next(v->query, &v->found);
    if (st == AFF_END)
        return st;
    if (st < 0)
        return v->host->explain(v->host, st, "%s", query_cause(v->query));
    st = view_schema(v, f->schema);
    if (st >= 0)
        st = view_names(v);
    v->waiting = st == AFF_ERR_MEMORY;
    if (st < 0)
        return st;
    *ret = (struct aff_record){
        .id = { f->key.id[0], f->key.id[1] },
        .event_ns = f->key.time,
        .data = (void *)(uintptr_t)f->data,
        .size = f->size,
        .schema = v->schema,
        .subject = v->subject,
        .stream = v->stream,
        .flags = f->flags,
        .type = f->type,
        .clock = f->clock,
    };
    return AFF_OK;
}

AFF_PLUGIN_NOTE(AFF_SINK, "out_lmdb", "1.0.0");

AFF_EXPORT const struct aff_plugin afferent_plugin_v1 = {
    .struct_size = sizeof(struct aff_plugin),
    .major = AFF_ABI_MAJOR,
    .minor = 0,
    .kind = AFF_SINK,
    .flags = AFF_BLOCKS | AFF_STAYS | AFF_ARCHIVE,
    .name = "out_lmdb",
    .version = "1.0.0",
    .summary = "Keeps every record once in an archive on this node, packed and checked.",
    .license = "Apache-2.0",
    .config_size = sizeof(struct config),
    .options = AFF_TABLE(options),
    .inputs = AFF_TABLE(inputs),
    .outputs = AFF_NO_TABLE,
    .verdicts = AFF_NO_TABLE,
    .metrics = AFF_TABLE(metrics),
    .validate = lmdb_validate,
    .open = lmdb_open,
    .close = lmdb_close,
    .write = lmdb_write,
    .sync = lmdb_sync,
    .drain = lmdb_drain,
    .query_open = view_open,
    .query_next = view_next,
    .query_close = view_close,
};
