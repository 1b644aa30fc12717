/* SPDX-License-Identifier: Apache-2.0
 *
 * out_ec57.c - judges found beats against reference beats: the plugin.
 *
 * Two inputs of rows, found and reference, are compared record by record (each
 * subject is one) after ANSI/AAMI EC57. When all input has ended, a table or
 * JSON is written: per record and in sum, after the learning period and over the
 * whole record.
 *
 * Not here: pairing (compare.c), the text of the report (report.c). Classes of
 * beats are not compared, nor is how late a beat was found. */
#include <afferent/plugin.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "compare.h"
#include "report.h"

struct config {
    const char *path;
    int32_t format;
    int64_t window;
    int64_t learning;
    int64_t ahead;
    int64_t records;
};

static const char *const formats[] = { "table", "json", NULL };

static const struct aff_option options[] = {
    AFF_OPT_PATH(struct config, path, 0, NULL, "File for the report, overwritten; standard output if not given."),
    AFF_OPT_ENUM(struct config, format, 0, "\"table\"", formats, "Form of the report: a table to read, or JSON."),
    AFF_OPT_DURATION(struct config, window, 0, "\"150ms\"", 1e6, 1e9,
                     "A found beat this near to a reference beat, or nearer, may match it."),
    AFF_OPT_DURATION(struct config, learning, 0, "\"5min\"", 0, 1e14,
                     "Time from the beginning of a record that is not scored in the main figures."),
    AFF_OPT_INT(struct config, ahead, 0, "4096", 16, 1000000, "beats",
                "How many beats one input may run ahead of the other within a record."),
    AFF_OPT_INT(struct config, records, 0, "1024", 1, 100000, NULL, "Most records that one report can hold."),
};

static const struct aff_column found_columns[] = {
    { .name = "sample", .type = AFF_INT, .required = 1 },
};
static const struct aff_column reference_columns[] = {
    { .name = "sample", .type = AFF_INT, .required = 1 },
    { .name = "code", .type = AFF_TEXT, .required = 1 },
};
static const struct aff_schema found_schema = {
    .struct_size = sizeof(struct aff_schema), .type = AFF_FIELDS, .name = "found",
    .columns = found_columns, .count = 1, .stride = sizeof(struct aff_column),
};
static const struct aff_schema reference_schema = {
    .struct_size = sizeof(struct aff_schema), .type = AFF_FIELDS, .name = "reference",
    .columns = reference_columns, .count = 2, .stride = sizeof(struct aff_column),
};

static const struct aff_port inputs[] = {
    [COMPARE_FOUND] = { .name = "found",
                        .doc = "Beats to judge; where rows have a column code, only those that are beats.",
                        .schema = &found_schema,
                        .types = AFF_MASK(AFF_FIELDS) },
    [COMPARE_REFERENCE] = { .name = "reference",
                            .doc = "Annotations with WFDB codes: beats, and \"[\" and \"]\" around flutter.",
                            .schema = &reference_schema,
                            .types = AFF_MASK(AFF_FIELDS) },
};

enum { METRIC_FOUND, METRIC_REFERENCE };
static const struct aff_metric metrics[] = {
    { "found", "Rows on the input found.", NULL, AFF_METRIC_COUNTER, 0 },
    { "reference", "Rows on the input reference.", NULL, AFF_METRIC_COUNTER, 0 },
};

/* The first event of a side: with a second one it tells when the record began. */
struct opening {
    int64_t time;
    int64_t sample;
    uint32_t is_known;
    uint32_t stream; /* the only one of its side, counted from 1 */
};

/* A subject's state, followed by its comparison. */
struct pairing {
    struct opening opening[2];
    uint32_t entry; /* row of the report, counted from 1 */
    uint32_t reserved;
};

struct judge {
    const struct aff_host *host;
    const struct config *config;
    int file;
    struct report report;
};

static struct compare *pairing_compare(struct pairing *p)
{
    return (struct compare *)(void *)(p + 1);
}

static void judge_close(void *self)
{
    struct judge *j = self;

    if (j->file > STDERR_FILENO)
        (void)close(j->file);
    if (j->report.rows)
        j->host->free(j->host, j->report.rows);
    j->host->free(j->host, j);
}

static aff_status file_open(struct judge *j)
{
    if (!j->config->path)
        return AFF_OK;
    j->file = open(j->config->path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (j->file >= 0)
        return AFF_OK;
    return j->host->explain(j->host, AFF_ERR_IO, "cannot write the report to the file of option path: %s",
                            strerror(errno));
}

static aff_status judge_open(const struct aff_host *host, const void *config, void **ret_self)
{
    const struct config *c = config;
    struct judge *j = host->alloc(host, sizeof *j);
    aff_status st;

    if (!j)
        return host->explain(host, AFF_ERR_MEMORY, "no memory for the comparison");
    j->host = host;
    j->config = c;
    j->file = STDOUT_FILENO;
    j->report.room = (uint32_t)c->records;
    j->report.learning_ns = c->learning;
    j->report.rows = host->alloc(host, (size_t)c->records * sizeof *j->report.rows);
    st = j->report.rows ? AFF_OK : host->explain(host, AFF_ERR_MEMORY, "no memory for the report");
    if (st == AFF_OK)
        st = host->state_open(host, sizeof(struct pairing) + compare_size((uint32_t)c->ahead), 1);
    if (st == AFF_OK)
        st = file_open(j);
    if (st < 0) {
        judge_close(j);
        return st;
    }
    *ret_self = j;
    return AFF_OK;
}

static int column_find(const struct aff_schema *schema, const char *name, uint8_t type)
{
    const struct aff_column *column;
    uint32_t i;

    for (i = 0; schema && i < schema->count; i++) {
        column = (const void *)((const char *)schema->columns + (size_t)i * schema->stride);
        if (column->type == type && strcmp(column->name, name) == 0)
            return (int)i;
    }
    return -1;
}

/* What a row says. */
struct row {
    int64_t time;
    int64_t sample;
    int64_t start; /* of the record */
    enum compare_kind kind;
    bool has_start;
};

/* The beat codes of WFDB, as EC57 3.4.4 wants them counted, and flutter. */
static enum compare_kind code_kind(const char *text, uint32_t length)
{
    if (length != 1 || *text == '\0')
        return COMPARE_OTHER;
    if (*text == '[')
        return COMPARE_FLUTTER_ON;
    if (*text == ']')
        return COMPARE_FLUTTER_OFF;
    return strchr("NLRBAaJSVrFejnE/fQ?", *text) ? COMPARE_BEAT : COMPARE_OTHER;
}

static aff_status row_read(const struct judge *j, const struct aff_record *r, struct row *ret_row)
{
    const struct aff_schema *schema = j->host->schema_info(j->host, r->schema);
    int sample = column_find(schema, "sample", AFF_INT), code = column_find(schema, "code", AFF_TEXT);
    int start = column_find(schema, "start", AFF_TIME);
    const char *text = NULL;
    uint32_t length = 0;

    if (sample < 0 || r->size < aff_row_size(schema->count, 0) || !aff_row_has(r, (uint32_t)sample))
        return j->host->explain(j->host, AFF_ERR_DATA, "a row has no number in its column sample; repair its source");
    ret_row->time = r->event_ns;
    ret_row->sample = aff_row_int(r, schema->count, (uint32_t)sample);
    ret_row->kind = COMPARE_BEAT;
    ret_row->has_start = start >= 0 && aff_row_has(r, (uint32_t)start);
    if (ret_row->has_start)
        ret_row->start = aff_row_int(r, schema->count, (uint32_t)start);
    if (code < 0)
        return AFF_OK;
    if (aff_row_has(r, (uint32_t)code))
        text = aff_row_text(r, schema->count, (uint32_t)code, &length);
    ret_row->kind = text ? code_kind(text, length) : COMPARE_OTHER;
    return AFF_OK;
}

/* The subject's comparison, made at its first event. */
static aff_status pairing_open(struct judge *j, uint32_t subject, struct pairing *p)
{
    const char *name = j->host->subject_name(j->host, subject);
    struct report_row *row = report_add(&j->report, name ? name : "", subject);

    if (!row)
        return j->host->explain(j->host, AFF_ERR_CONFIG, "there are more than %u records; raise the option records",
                                (unsigned)j->report.room);
    p->entry = (uint32_t)(row - j->report.rows) + 1;
    compare_open(pairing_compare(p), (uint32_t)j->config->ahead, j->config->window, j->config->learning);
    return AFF_OK;
}

/* A sample index may be any number. */
static int64_t time_before(int64_t time, double ns)
{
    return ns > 0.0 && ns < 4e18 ? time - (int64_t)(ns + 0.5) : time;
}

/* When the record began: a row may tell it. Else, as event time runs evenly with
 * the sample index, two rows give the time of sample 0. */
static void opening_take(struct pairing *p, enum compare_side side, const struct row *row)
{
    struct compare *c = pairing_compare(p);
    struct opening *o = &p->opening[side];
    double step;

    if (compare_is_started(c))
        return;
    if (!o->is_known) {
        o->time = row->time;
        o->sample = row->sample;
        o->is_known = 1;
    }
    if (row->has_start && row->start <= row->time) {
        compare_start(c, row->start);
    } else if (o->sample == 0) {
        compare_start(c, o->time);
    } else if (row->sample > o->sample) {
        step = ((double)row->time - (double)o->time) / ((double)row->sample - (double)o->sample);
        compare_start(c, time_before(o->time, (double)o->sample * step));
    }
}

static aff_status pairing_push(struct judge *j, struct pairing *p, enum compare_side side, const struct aff_record *r)
{
    struct row row = { .kind = COMPARE_OTHER };
    aff_status st = row_read(j, r, &row);

    if (st < 0)
        return st;
    switch (compare_push(pairing_compare(p), side, row.kind, row.time)) {
    case COMPARE_FULL:
        return j->host->explain(j->host, AFF_ERR_CONFIG,
                                "input %s is %u beats ahead of the other in one record; see whether both inputs "
                                "carry the same records, or raise the option ahead",
                                inputs[side].name, (unsigned)j->config->ahead);
    case COMPARE_LATE:
        return j->host->explain(j->host, AFF_ERR_DATA, "a row of input %s comes out of order of time",
                                inputs[side].name);
    default:
        opening_take(p, side, &row);
        return AFF_OK;
    }
}

static aff_status record_write(struct judge *j, enum compare_side side, const struct aff_record *r)
{
    struct pairing *p = j->host->state(j->host, r->subject);
    aff_status st = AFF_OK;

    if (!p->entry)
        st = pairing_open(j, r->subject, p);
    if (st < 0)
        return st;
    if (!p->opening[side].stream)
        p->opening[side].stream = r->stream + 1;
    if (p->opening[side].stream != r->stream + 1)
        return j->host->explain(j->host, AFF_ERR_CONFIG,
                                "input %s carries two streams of one record; connect one of them, or compare them in "
                                "two nodes",
                                inputs[side].name);
    st = pairing_push(j, p, side, r);
    if (st == AFF_OK)
        j->host->count(j->host, side == COMPARE_FOUND ? METRIC_FOUND : METRIC_REFERENCE, 1);
    return st;
}

static aff_status judge_write(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    aff_status st;

    for (*ret_taken = 0; *ret_taken < batch->count; (*ret_taken)++) {
        st = record_write(self, (enum compare_side)batch->port, &batch->records[*ret_taken]);
        if (st != AFF_OK)
            return st;
    }
    return AFF_OK;
}

static void side_end(struct judge *j, struct pairing *p, enum compare_side side)
{
    struct compare *c = pairing_compare(p);

    compare_end(c, side);
    if (!compare_is_started(c) && (p->opening[0].is_known || p->opening[1].is_known))
        compare_start(c, p->opening[p->opening[1].is_known].time);
    report_set(&j->report, p->entry - 1, compare_total_of(c));
}

static aff_status judge_stream_end(void *self, uint32_t port, const struct aff_record *mark)
{
    struct judge *j = self;
    struct pairing *p = j->host->state(j->host, mark->subject);

    if (!p->entry || p->opening[port].stream != mark->stream + 1)
        return AFF_OK;
    side_end(j, p, (enum compare_side)port);
    if (!compare_is_done(pairing_compare(p)))
        return AFF_OK;
    report_close(&j->report, p->entry - 1);
    memset(p, 0, sizeof *p + compare_size((uint32_t)j->config->ahead));
    return AFF_OK;
}

/* The report before it stands until there is this one. What cannot be cut short, a
 * pipe or a device, has no old one. */
static aff_status report_out(struct judge *j)
{
    bool is_begun = j->report.written > 0 || j->file <= STDERR_FILENO;

    if ((!is_begun && ftruncate(j->file, 0) < 0 && errno != EINVAL) ||
        report_write(&j->report, j->file, j->config->format) < 0)
        return j->host->explain(j->host, AFF_ERR_IO, "cannot write the report: %s", strerror(errno));
    return AFF_OK;
}

static aff_status judge_drain(void *self)
{
    struct judge *j = self;
    struct pairing *p;
    uint32_t i;

    for (i = 0; i < j->report.count; i++) {
        if (j->report.rows[i].is_closed)
            continue;
        p = j->host->state(j->host, j->report.rows[i].subject);
        if (p && p->entry == i + 1) {
            side_end(j, p, COMPARE_FOUND);
            side_end(j, p, COMPARE_REFERENCE);
        }
        report_close(&j->report, i);
    }
    return report_out(j);
}

/* The report's rows; states of subjects are kept by the host. */
static aff_status judge_snapshot(void *self, void *buffer, size_t room, size_t *ret_size)
{
    struct judge *j = self;

    *ret_size = (size_t)j->report.count * sizeof *j->report.rows;
    if (*ret_size > 0 && *ret_size <= room)
        memcpy(buffer, j->report.rows, *ret_size);
    return AFF_OK;
}

static aff_status judge_restore(void *self, const void *buffer, size_t size)
{
    struct judge *j = self;
    size_t count = size / sizeof *j->report.rows;
    uint32_t i;

    if (size % sizeof *j->report.rows != 0 || count > j->report.room)
        return j->host->explain(j->host, AFF_ERR_DATA, "the kept report has more records than the option records "
                                                       "allows now, or is of another version");
    if (count)
        memcpy(j->report.rows, buffer, size);
    j->report.count = (uint32_t)count;
    for (i = 0; i < count; i++) {
        struct report_row *row = &j->report.rows[i];
        const char *name = j->host->subject_name(j->host, row->subject);

        row->name[sizeof row->name - 1] = '\0';
        if (row->is_closed || (name && strncmp(name, row->name, strlen(row->name)) == 0))
            continue;
        j->report.count = 0;
        return j->host->explain(j->host, AFF_ERR_DATA, "row %u of the kept report is of a record that is not known",
                                (unsigned)i + 1);
    }
    return AFF_OK;
}

AFF_PLUGIN_NOTE(AFF_SINK, "out_ec57", "1.0.0");

AFF_EXPORT const struct aff_plugin afferent_plugin_v1 = {
    .struct_size = sizeof(struct aff_plugin),
    .major = AFF_ABI_MAJOR,
    .minor = AFF_ABI_MINOR,
    .kind = AFF_SINK,
    .flags = AFF_STAYS,
    .name = "out_ec57",
    .version = "1.0.0",
    .summary = "Compares found beats with reference beats after ANSI/AAMI EC57.",
    .license = "Apache-2.0",
    .config_size = sizeof(struct config),
    .options = AFF_TABLE(options),
    .inputs = AFF_TABLE(inputs),
    .metrics = AFF_TABLE(metrics),
    .open = judge_open,
    .close = judge_close,
    .write = judge_write,
    .stream_end = judge_stream_end,
    .drain = judge_drain,
    .snapshot = judge_snapshot,
    .restore = judge_restore,
};
