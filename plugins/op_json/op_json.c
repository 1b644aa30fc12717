/* SPDX-License-Identifier: Apache-2.0
 *
 * op_json.c - JSON becomes rows of typed columns: the plugin.
 *
 * An object is a row, a record of the stream "X/rows", where X is the input's: a
 * line each, or what a record holds. An object that cannot be used is a dead
 * letter with its reason and place; the others go on.
 *
 * Not here: the text (rows/feed.c), rows (reader.c), JSON itself (json.cc),
 * values (rows/cells.c). */
#include "reader.h"

#include <stdio.h>
#include <string.h>

static const struct aff_option options[] = {
    ROWS_OPTIONS("\"64KiB\"", 64.0 * 1024 * 1024,
                 "The longest text of JSON: a line, or with framing = \"record\" a record. With framing = \"stream\" "
                 "each stream keeps that much for one that has begun."),
    AFF_OPT_TEXT(struct json_config, root, 0, "\"\"",
                 "Where in a text the row or the array of rows stands: \"data.items\" or \"/data/items\"; the text "
                 "itself if empty."),
};

static const struct aff_port inputs[] = {
    { .name = "in", .doc = "JSON: an object a line, or a record of one or more objects, see framing.",
      .types = AFF_MASK(AFF_BYTES) },
};

static const struct aff_port outputs[] = {
    { .name = "rows", .doc = "A record for each object, on the stream \"X/rows\" of what came in on \"X\".",
      .types = AFF_MASK(AFF_FIELDS), .priority = AFF_PRIO_VITALS },
};

static const struct aff_verdict verdicts[] = {
    ROWS_VERDICTS,
    { "bad_json", "A text is not JSON.", AFF_V_DEAD, 0, 0 },
    { "truncated", "A text of JSON ends before it is whole.", AFF_V_DEAD, 0, 0 },
    { "trailing", "Something follows a text of JSON on its line or in its record.", AFF_V_DEAD, 0, 0 },
    { "too_deep", "A text is nested more than 64 times.", AFF_V_DEAD, 0, 0 },
    { "duplicate_key", "A key that is read is there twice in an object.", AFF_V_DEAD, 0, 0 },
    { "bad_key", "A key is empty or too long for a column's name; declare columns.", AFF_V_DEAD, 0, 0 },
    { "not_object", "A row is not an object.", AFF_V_DEAD, 0, 0 },
    { "no_root", "A text has nothing at the place that root names.", AFF_V_DEAD, 0, 0 },
    { "too_many_shapes", "More different sets of keys than one node takes without declared columns.", AFF_V_DEAD, 0, 0 },
    { "too_many_columns", "An object has more than 512 values; declare columns.", AFF_V_DEAD, 0, 0 },
    { "no_rows", "The record holds no row.", AFF_V_DROP, 0, 0 },
};

static const struct aff_metric metrics[] = { ROWS_METRIC_TABLE };

static bool path_ok(const struct aff_report *report, const char *option, const char *path)
{
    const char *wrong = path_check(path);

    if (wrong)
        report->problem(report, option, "%s", wrong);
    return !wrong;
}

/* One place is named in one way: the tree of keys has one leaf for it. */
static bool spelling_ok(const struct rows_config *c, const char *option, const char *from,
                        const struct aff_report *report)
{
    uint32_t i;

    for (i = 0; i < c->columns.count; i++) {
        const char *other = rows_column_from(rows_column_at(c, i));

        if (strcmp(other, from) == 0 || !path_same(other, from))
            continue;
        report->problem(report, option, "names the place of column %s in another way; expected one spelling; write both alike",
                        rows_column_at(c, i)->name);
        return false;
    }
    return true;
}

static bool places_ok(const struct rows_config *c, const struct aff_report *report)
{
    const char *time = c->time ? rows_word_from(c, c->time->from) : "";
    const char *subject = rows_word_from(c, c->subject);
    bool ok = path_ok(report, "time.from", time);
    char option[48];
    uint32_t i;

    ok = path_ok(report, "subject", subject) && ok;
    for (i = 0; i < c->columns.count; i++) {
        snprintf(option, sizeof option, "columns[%u].from", (unsigned)i);
        ok = path_ok(report, option, rows_column_from(rows_column_at(c, i))) && ok;
    }
    for (i = 0; ok && i < c->columns.count; i++) {
        snprintf(option, sizeof option, "columns[%u].from", (unsigned)i);
        ok = spelling_ok(c, option, rows_column_from(rows_column_at(c, i)), report);
    }
    if (ok && strcmp(time, subject) != 0 && path_same(time, subject) && *time) {
        report->problem(report, "subject", "names the place of the time in another way; expected one spelling; write both alike");
        ok = false;
    }
    return ok && spelling_ok(c, "time.from", time, report) && spelling_ok(c, "subject", subject, report);
}

static aff_status json_validate(const void *config, const struct aff_report *report)
{
    const struct json_config *c = config;
    bool ok = rows_validate(&c->rows, report) && places_ok(&c->rows, report);

    return path_ok(report, "root", c->root) && ok ? AFF_OK : AFF_ERR_CONFIG;
}

static aff_status json_shape(const void *config, const struct aff_table *in, const struct aff_report *report)
{
    return rows_shape(config, in, report, 0);
}

static void reader_end(void *self)
{
    struct reader *r = self;
    const struct aff_host *host = r->host;

    reader_close(r);
    host->free(host, r);
}

static aff_status reader_begin(const struct aff_host *host, const void *config, void **ret_self)
{
    struct reader *r = host->alloc(host, sizeof *r);
    aff_status st;

    if (!r)
        return host->explain(host, AFF_ERR_MEMORY, "no memory for the reader of JSON");
    st = reader_open(r, host, config, verdicts);
    if (st == AFF_OK)
        st = host->state_open(host, feed_state_size(&r->feed), 0);
    if (st < 0) {
        reader_end(r);
        return st;
    }
    *ret_self = r;
    return AFF_OK;
}

static aff_status record_process(struct reader *r, const struct aff_batch *batch, uint32_t input)
{
    struct feed_state *s = r->host->state(r->host, batch->records[input].stream);
    aff_status st = feed_record(&r->feed, s, batch, input);

    if (st == AFF_OK && r->feed.framing == FRAMING_RECORD && !r->feed.good && !r->feed.bad)
        batch->verdicts[input] = READ_NO_ROWS;
    return st;
}

static aff_status reader_process(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    aff_status st;

    for (*ret_taken = 0; *ret_taken < batch->count; (*ret_taken)++) {
        st = record_process(self, batch, *ret_taken);
        if (st != AFF_OK)
            return st;
    }
    return AFF_OK;
}

static aff_status reader_stream_end(void *self, uint32_t port, const struct aff_record *mark)
{
    struct reader *r = self;
    struct feed_state *s = r->host->state(r->host, mark->stream);
    aff_status st = AFF_OK;

    (void)port;
    if (s->kept)
        st = feed_flush(&r->feed, s, mark->stream);
    if (st == AFF_OK && s->has_rows)
        st = route_end(&r->rows.route, mark->stream, 0, r->rows.schema);
    if (st == AFF_OK)
        memset(s, 0, sizeof *s);
    return st;
}

static aff_status reader_snapshot(void *self, void *buffer, size_t room, size_t *ret_size)
{
    const struct reader *r = self;

    return route_snapshot(&r->rows.route, buffer, room, ret_size);
}

static aff_status reader_restore(void *self, const void *buffer, size_t size)
{
    struct reader *r = self;

    return route_restore(&r->rows.route, buffer, size);
}

AFF_PLUGIN_NOTE(AFF_PROCESSOR, "op_json", "1.0.0");

AFF_EXPORT const struct aff_plugin afferent_plugin_v1 = {
    .struct_size = sizeof(struct aff_plugin),
    .major = AFF_ABI_MAJOR,
    .minor = AFF_ABI_MINOR,
    .kind = AFF_PROCESSOR,
    .name = "op_json",
    .version = "1.0.0",
    .summary = "Reads JSON into rows of typed columns.",
    .license = "Apache-2.0",
    .config_size = sizeof(struct json_config),
    .options = AFF_TABLE(options),
    .inputs = AFF_TABLE(inputs),
    .outputs = AFF_TABLE(outputs),
    .verdicts = AFF_TABLE(verdicts),
    .metrics = AFF_TABLE(metrics),
    .validate = json_validate,
    .open = reader_begin,
    .close = reader_end,
    .process = reader_process,
    .stream_end = reader_stream_end,
    .snapshot = reader_snapshot,
    .restore = reader_restore,
    .shape = json_shape,
};
