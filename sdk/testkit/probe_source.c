/* SPDX-License-Identifier: Apache-2.0
 *
 * probe_source.c - a source of numbered rows, and a sink whose peer answers; both
 * well-behaved or not by their `act`.
 *
 * Its query_ callbacks read back what a counting archive would hold: the rows 1
 * to `total`, of which every fourth is damaged. */
#include "probe.h"

#include <pthread.h>
#include <string.h>

struct config {
    const char *act;
    int64_t total;
    int64_t every_ns;
};
struct source {
    const struct aff_host *host;
    const struct config *config;
    struct aff_record last;
    uint32_t subject, schema, stream;
    int64_t at;
    uint64_t row[8];
};

static const struct aff_option options[] = {
    AFF_OPT_TEXT(struct config, act, 0, "\"count\"", "What the source does."),
    AFF_OPT_INT(struct config, total, 0, "5", 0, 1000000, NULL, "Rows until the end."),
    { "every", "Time between two rows.", NULL, "\"0s\"", AFF_TYPE_DURATION, 0,
      (uint32_t)offsetof(struct config, every_ns), 0, 1e12, NULL, NULL, 0, 0 },
};
static const struct aff_column columns[] = {
    { "number", "1", NULL, AFF_INT, 0, 1, { 0 }, 0, 0 },
};
static const struct aff_schema schema = {
    sizeof schema, AFF_FIELDS, 0, 0, 0, "numbers", columns, 1, sizeof columns[0], 0, 0,
};
static const struct aff_port outputs[] = {
    { "out", "The rows.", &schema, AFF_MASK(AFF_FIELDS), 0, 0, 0, 0 },
};

static aff_status source_open(const struct aff_host *host, const void *config, void **ret_self)
{
    struct source *s = host->alloc(host, sizeof *s);

    if (!s)
        return AFF_ERR_MEMORY;
    s->host = host;
    s->config = config;
    if (strcmp(s->config->act, "missing") == 0) {
        host->free(host, s);
        return host->explain(host, AFF_ERR_IO, "the device is not there; plug it in");
    }
    s->subject = host->subject(host, "Source-Subject");
    s->schema = host->schema(host, &schema);
    s->stream = s->subject && s->schema ? host->stream(host, s->subject, "numbers", s->schema) : 0;
    if (!s->stream) {
        host->free(host, s);
        return AFF_ERR_MEMORY;
    }
    host->incarnation(host, "probe", 5);
    *ret_self = s;
    return AFF_OK;
}

static void source_close(void *self)
{
    const struct aff_host *host = ((struct source *)self)->host;

    host->free(host, self);
}

static aff_status emit_next(struct source *s)
{
    struct aff_record *draft = s->host->reserve(s->host, 0, AFF_NO_INPUT, aff_row_size(1, 0));
    struct aff_row row;

    if (!draft)
        return AFF_ERR_MEMORY;
    draft->type = AFF_FIELDS;
    draft->schema = s->schema;
    draft->stream = s->stream;
    draft->subject = s->subject;
    draft->event_ns = s->at;
    draft->clock = AFF_CLOCK_RECORDED;
    row = aff_row_begin(draft, 1);
    aff_row_put_int(&row, 0, s->at + 1);
    s->at++;
    return s->host->emit(s->host, draft, aff_row_end(&row));
}

static aff_status source_read(void *self, uint32_t want)
{
    struct source *s = self;
    uint32_t most = strcmp(s->config->act, "greedy") == 0 ? want + 1 : want;

    for (; most && s->at < s->config->total; most--) {
        if (emit_next(s) < 0)
            return AFF_ERR_MEMORY;
        if (s->config->every_ns) {
            s->host->wake_at(s->host, s->host->now_ns(s->host) + s->config->every_ns);
            return AFF_AGAIN;
        }
    }
    if (s->at < s->config->total)
        return AFF_OK;
    if (s->host->stream_end(s->host, 0, s->stream) < 0)
        return AFF_ERR_BUG;
    return strcmp(s->config->act, "after_end") == 0 ? emit_next(s) : AFF_END;
}

static aff_status source_snapshot(void *self, void *buffer, size_t room, size_t *ret_size)
{
    struct source *s = self;

    *ret_size = sizeof s->at;
    if (room >= sizeof s->at)
        memcpy(buffer, &s->at, sizeof s->at);
    return AFF_OK;
}

static aff_status source_restore(void *self, const void *buffer, size_t size)
{
    memcpy(&((struct source *)self)->at, buffer, size);
    return AFF_OK;
}

static aff_status source_query_open(const struct aff_host *host, const void *config,
                                    const struct aff_query *query, void **ret_query)
{
    aff_status status = source_open(host, config, ret_query);

    if (status == AFF_OK && query->from_ns > 0)
        ((struct source *)*ret_query)->at = query->from_ns;
    return status;
}

static aff_status source_query_next(void *query, struct aff_record *ret_record)
{
    struct source *s = query;
    struct aff_row row;

    if (s->at >= s->config->total)
        return AFF_END;
    if (++s->at % 4 == 0)
        return AFF_ERR_DATA;
    ret_record->data = s->row;
    row = aff_row_begin(ret_record, 1);
    aff_row_put_int(&row, 0, s->at);
    ret_record->size = aff_row_end(&row);
    ret_record->type = AFF_FIELDS;
    ret_record->schema = s->schema;
    ret_record->stream = s->stream;
    ret_record->subject = s->subject;
    return AFF_OK;
}

const struct aff_plugin source_plugin = {
    .struct_size = sizeof(struct aff_plugin), .major = AFF_ABI_MAJOR, .kind = AFF_SOURCE,
    .flags = AFF_PULL | AFF_ARCHIVE, .name = "probe_source", .version = "1.0.0",
    .summary = "Counts.", .license = "Apache-2.0", .config_size = sizeof(struct config),
    .options = AFF_TABLE(options), .outputs = AFF_TABLE(outputs),
    .open = source_open, .close = source_close, .read = source_read,
    .snapshot = source_snapshot, .restore = source_restore,
    .query_open = source_query_open, .query_next = source_query_next, .query_close = source_close,
};

/* ---- a sink with AFF_ACKS ---- */

enum { SENT_MOST = 64 };
struct sink_config {
    const char *act;
};
struct sink {
    const struct aff_host *host;
    const struct sink_config *config;
    struct aff_id sent[SENT_MOST]; /* without an answer */
    uint32_t count;
    uint64_t resent;
};

static const struct aff_option sink_options[] = {
    AFF_OPT_TEXT(struct sink_config, act, 0, "\"wake\"", "When and what the peer answers."),
};
static const struct aff_port sink_inputs[] = {
    { "in", "What is sent.", NULL, AFF_MASK(AFF_BYTES), 0, 0, 0, 0 },
};
static const struct aff_verdict sink_verdicts[] = { { "unwanted", "Dropped.", AFF_V_DROP, 0, 0 } };
static const struct aff_metric sink_metrics[] = { { "resent", "Sent again.", NULL, AFF_METRIC_COUNTER, 0 } };

static aff_status sink_open(const struct aff_host *host, const void *config, void **ret_self)
{
    struct sink *s = host->alloc(host, sizeof *s);

    if (!s)
        return AFF_ERR_MEMORY;
    s->host = host;
    s->config = config;
    *ret_self = s;
    return AFF_OK;
}

static void sink_close(void *self)
{
    struct sink *s = self;

    s->host->free(s->host, s);
}

static int sink_acts_as(const struct sink *s, const char *act)
{
    return strcmp(s->config->act, act) == 0;
}

/* "io": the peer fails once for each record. */
static void sink_answer(struct sink *s)
{
    while (s->count > 0) {
        struct aff_id id = s->sent[--s->count];
        aff_status status = sink_acts_as(s, "refuse") ? AFF_ERR_DATA : AFF_OK;

        if (sink_acts_as(s, "io") && !s->resent)
            status = AFF_ERR_IO;
        s->host->ack(s->host, id, sink_acts_as(s, "nonsense") ? 7 : status);
    }
}

static aff_status sink_write(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    struct sink *s = self;
    uint32_t i;

    for (i = 0; i < batch->count; i++) {
        const struct aff_record *r = &batch->records[i];

        if (s->count == SENT_MOST)
            return AFF_AGAIN;
        if (r->size && *(const char *)r->data == '-') {
            batch->verdicts[i] = 1;
        } else {
            s->sent[s->count++] = r->id;
        }
        if (r->flags & AFF_FLAG_RESENT) {
            s->resent++;
            s->host->count(s->host, 0, 1);
        }
        *ret_taken = i + 1;
    }
    if (sink_acts_as(s, "at_once"))
        sink_answer(s);
    else
        s->host->wake_at(s->host, s->host->now_ns(s->host) + 1000000000);
    return AFF_OK;
}

static void *sink_thread(void *self)
{
    sink_answer(self);
    return NULL;
}

static aff_status sink_wake(void *self)
{
    struct sink *s = self;
    pthread_t thread;

    if (sink_acts_as(s, "never"))
        return AFF_OK;
    if (sink_acts_as(s, "stranger"))
        s->host->ack(s->host, (struct aff_id){ 1, 2 }, AFF_OK);
    if (!sink_acts_as(s, "thread")) {
        sink_answer(s);
        return AFF_OK;
    }
    if (pthread_create(&thread, NULL, sink_thread, s) != 0)
        return AFF_ERR_MEMORY;
    (void)pthread_join(thread, NULL);
    return AFF_OK;
}

const struct aff_plugin sink_plugin = {
    .struct_size = sizeof(struct aff_plugin), .major = AFF_ABI_MAJOR, .kind = AFF_SINK, .flags = AFF_ACKS,
    .name = "probe_sink", .version = "1.0.0", .summary = "Sends.", .license = "Apache-2.0",
    .config_size = sizeof(struct sink_config), .options = AFF_TABLE(sink_options),
    .inputs = AFF_TABLE(sink_inputs), .verdicts = AFF_TABLE(sink_verdicts), .metrics = AFF_TABLE(sink_metrics),
    .open = sink_open, .close = sink_close, .write = sink_write, .wake = sink_wake,
};
