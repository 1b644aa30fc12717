/* SPDX-License-Identifier: Apache-2.0
 *
 * probe_source.c - a source of numbered rows, well-behaved or not by its `act`.
 *
 * Its query_ callbacks read back what a counting archive would hold: the rows 1
 * to `total`, of which every fourth is damaged. */
#include "probe.h"

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
