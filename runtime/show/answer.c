/* answer.c - see answer.h. JSON is in answer_json.c. */
#include "show/answer.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "show/when.h"

enum { ROWS_KEPT = 256, BYTES_SHOWN = 16 };

/* ---- lines ---- */

/* RFC 4180: a cell with a comma, a quote or a line break stands in quotes. */
static void csv_cell(struct answer *a, const char *text)
{
    if (!a->at_start)
        fputc(',', a->out);
    a->at_start = false;
    if (!strpbrk(text, ",\"\r\n")) {
        fputs(text, a->out);
        return;
    }
    fputc('"', a->out);
    for (; *text; text++) {
        if (*text == '"')
            fputc('"', a->out);
        fputc(*text, a->out);
    }
    fputc('"', a->out);
}

void answer_cell(struct answer *a, const char *format, ...)
{
    char small[512];
    char *cell;
    va_list args;

    va_start(args, format);
    cell = cell_format(small, sizeof small, format, args);
    va_end(args);
    if (!cell)
        a->table.cells.failed = true;
    else if (a->format == ANSWER_CSV)
        csv_cell(a, cell);
    else
        table_cell(&a->table, "%s", cell);
    if (cell != small)
        free(cell);
}

void answer_line(struct answer *a)
{
    if (a->format == ANSWER_CSV) {
        fputs("\r\n", a->out);
        a->at_start = true;
    } else if (a->table.rows >= ROWS_KEPT) {
        table_print(&a->table, a->out);
    }
}

bool answer_columns(struct answer *a, uint32_t count)
{
    if (a->begun && a->format == ANSWER_TABLE) {
        table_print(&a->table, a->out);
        table_close(&a->table);
    }
    if (a->begun)
        fputs(a->format == ANSWER_CSV ? "\r\n" : "\n", a->out);
    a->begun = true;
    a->at_start = true;
    return a->format == ANSWER_CSV || table_open(&a->table, count);
}

bool answer_close(struct answer *a)
{
    bool whole = !a->table.cells.failed;

    if (a->table.columns)
        whole = table_print(&a->table, a->out) && whole;
    table_close(&a->table);
    return whole;
}

/* ---- cells ---- */

static void name_column(struct answer *a, const struct aff_column *c)
{
    if (c->unit && *c->unit)
        answer_cell(a, "%s [%s]", c->name, c->unit);
    else
        answer_cell(a, "%s", c->name);
}

/* As few digits as read back the same, where a program reads. */
static void real_cell(struct answer *a, double value)
{
    char text[40];

    if (a->format == ANSWER_TABLE) {
        answer_cell(a, "%.6g", value);
        return;
    }
    snprintf(text, sizeof text, "%.15g", value);
    if (strtod(text, NULL) != value)
        snprintf(text, sizeof text, "%.17g", value);
    answer_cell(a, "%s", text);
}

static void time_cell(struct answer *a, int64_t utc_ns)
{
    char when[WHEN_ROOM];

    when_print(when, utc_ns);
    answer_cell(a, "%s", when);
}

/* What is not there is a dash for people and nothing for programs. */
static void none_cell(struct answer *a)
{
    answer_cell(a, "%s", a->format == ANSWER_TABLE ? "-" : "");
}

static void field_cell(struct answer *a, const struct aff_schema *schema, const struct aff_record *r, uint32_t i)
{
    const struct aff_column *c = schema_column(schema, i);
    const char *text;
    uint32_t length;

    if (!aff_row_has(r, i)) {
        none_cell(a);
    } else if (c->type == AFF_REAL) {
        real_cell(a, aff_row_real(r, schema->count, i));
    } else if (c->type == AFF_TIME) {
        time_cell(a, aff_row_int(r, schema->count, i));
    } else if (c->type == AFF_BOOL) {
        answer_cell(a, "%s", aff_row_int(r, schema->count, i) ? "true" : "false");
    } else if (c->type == AFF_INT) {
        answer_cell(a, "%" PRId64, aff_row_int(r, schema->count, i));
    } else {
        text = aff_row_text(r, schema->count, i, &length);
        answer_cell(a, "%.*s", (int)length, text ? text : "");
    }
}

static void begin_line(struct answer *a, const struct aff_stream_info *stream, int64_t utc_ns)
{
    answer_cell(a, "%s", stream->subject_name);
    answer_cell(a, "%s", stream->name);
    time_cell(a, utc_ns);
}

static void end_line(struct answer *a, const struct aff_record *r)
{
    bool gap = r->flags & AFF_FLAG_GAP, suspect = r->flags & AFF_FLAG_SUSPECT;

    answer_cell(a, "%s%s%s", gap ? "gap" : "", gap && suspect ? " " : "", suspect ? "suspect" : "");
    answer_line(a);
    a->room--;
}

/* ---- records ---- */

static const char *const samples_columns[] = { "first", "samples", "seconds", "channels", "rate [Hz]" };
static const char *const bytes_columns[] = { "type", "bytes", "data" };
static const char *const mixed_columns[] = { "what", "values" };
enum { FIXED = 4 }; /* subject, stream, time, flags */

static bool head_line(struct answer *a, const struct aff_schema *schema, uint8_t type)
{
    bool by_schema = type == AFF_FIELDS || (type == AFF_SAMPLES && a->samples);
    const char *const *names = type == AFF_SAMPLES ? samples_columns : bytes_columns;
    uint32_t count = type == AFF_SAMPLES ? 5 : 3;

    if (a->mixed) {
        by_schema = false;
        names = mixed_columns;
        count = 2;
    } else if (by_schema) {
        count = schema->count;
    }
    if (!answer_columns(a, count + FIXED))
        return false;
    answer_cell(a, "subject");
    answer_cell(a, "stream");
    answer_cell(a, "time");
    for (uint32_t i = 0; i < count; i++) {
        if (by_schema)
            name_column(a, schema_column(schema, i));
        else
            answer_cell(a, "%s", names[i]);
    }
    answer_cell(a, "flags");
    answer_line(a);
    return true;
}

static void samples_line(struct answer *a, const struct aff_schema *schema, const struct aff_record *r)
{
    const struct aff_samples *s = r->data;
    double rate = (double)schema->rate_num / (double)schema->rate_den;

    answer_cell(a, "%" PRId64, s->first);
    answer_cell(a, "%" PRIu32, s->count);
    real_cell(a, (double)s->count / rate);
    answer_cell(a, "%u", s->channels);
    real_cell(a, rate);
}

static void bytes_line(struct answer *a, const struct aff_record *r)
{
    uint32_t shown = a->format == ANSWER_TABLE && r->size > BYTES_SHOWN ? BYTES_SHOWN : r->size;
    char *hex = malloc((size_t)shown * 2 + 4);

    answer_cell(a, "%s", r->type == AFF_IMAGE ? "image" : "bytes");
    answer_cell(a, "%" PRIu32, r->size);
    if (!hex) {
        a->table.cells.failed = true;
        return;
    }
    for (uint32_t i = 0; i < shown; i++)
        snprintf(hex + (size_t)i * 2, 3, "%02x", ((const uint8_t *)r->data)[i]);
    snprintf(hex + (size_t)shown * 2, 4, "%s", shown < r->size ? "..." : "");
    answer_cell(a, "%s", hex);
    free(hex);
}

static void sample_lines(struct answer *a, const struct aff_stream_info *stream,
                         const struct aff_schema *schema, const struct aff_record *r)
{
    uint32_t count = aff_samples_of(r)->count;
    double value;

    for (uint32_t i = 0; i < count && a->room > 0; i++) {
        begin_line(a, stream, sample_time(r, schema, i));
        for (uint16_t c = 0; c < schema->count; c++) {
            if (sample_value(r, schema_column(schema, c), c, i, &value))
                real_cell(a, value);
            else
                none_cell(a);
        }
        end_line(a, r);
    }
}

static void record_line(struct answer *a, const struct aff_stream_info *stream, const struct aff_schema *schema,
                        const struct aff_record *r)
{
    begin_line(a, stream, r->event_ns);
    if (a->mixed) {
        answer_mixed(a, schema, r);
    } else if (r->type == AFF_FIELDS) {
        for (uint32_t i = 0; i < schema->count; i++)
            field_cell(a, schema, r, i);
    } else if (r->type == AFF_SAMPLES) {
        samples_line(a, schema, r);
    } else {
        bytes_line(a, r);
    }
    end_line(a, r);
}

bool answer_record(struct answer *a, const struct aff_host *host, const struct aff_record *r)
{
    const struct aff_stream_info *stream = host->stream_info(host, r->stream);
    const struct aff_schema *schema = r->schema ? host->schema_info(host, r->schema) : NULL;

    if (!stream || !payload_fits(r, schema))
        return false;
    if (a->samples && r->type != AFF_SAMPLES)
        return true;
    if (a->format == ANSWER_JSON) {
        answer_json(a, stream, schema, r);
        return true;
    }
    if (!a->begun || (!a->mixed && (a->schema != r->schema || a->type != r->type))) {
        a->schema = r->schema;
        a->type = r->type;
        if (!head_line(a, schema, r->type)) {
            a->table.cells.failed = true;
            return true;
        }
    }
    if (r->type == AFF_SAMPLES && a->samples)
        sample_lines(a, stream, schema, r);
    else
        record_line(a, stream, schema, r);
    return true;
}
