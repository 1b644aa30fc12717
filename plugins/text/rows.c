/* rows.c - a record as lines of text, see rows.h. */
#include "text/rows.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static struct aff_column column_get(const struct aff_schema *schema, uint32_t i)
{
    struct aff_column c = { 0 };

    memcpy(&c, (const char *)schema->columns + (size_t)i * schema->stride,
           schema->stride < sizeof c ? schema->stride : sizeof c);
    return c;
}

/* "name [unit]" */
static void header_column(struct text *t, const struct aff_column *c)
{
    struct text name = { 0 };

    text_say(&name, c->name ? c->name : "");
    if (c->unit && *c->unit) {
        text_say(&name, " [");
        text_say(&name, c->unit);
        text_say(&name, "]");
    }
    text_say(t, ",");
    text_string(t, TEXT_CSV, name.size ? name.bytes : "", name.size);
    t->failed |= name.failed;
    text_free(&name);
}

void rows_header(struct text *t, const struct row_source *from)
{
    uint32_t i;

    text_say(t, "time,subject,stream");
    if (from->ids)
        text_say(t, ",id");
    if (from->record->type != AFF_FIELDS && from->record->type != AFF_SAMPLES) {
        text_say(t, ",text,base64\n");
        return;
    }
    for (i = 0; i < from->schema->count; i++) {
        struct aff_column c = column_get(from->schema, i);

        header_column(t, &c);
    }
    text_say(t, "\n");
}

/* What each line begins with, up to the first value. */
static void line_begin(struct text *t, const struct row_source *from, int64_t time)
{
    int json = from->style == TEXT_JSON;
    char id[40];

    text_say(t, json ? "{\"time\":\"" : "");
    text_time(t, time);
    text_say(t, json ? "\",\"subject\":" : ",");
    text_string(t, from->style, from->subject, strlen(from->subject));
    text_say(t, json ? ",\"stream\":" : ",");
    text_string(t, from->style, from->stream, strlen(from->stream));
    if (from->ids) {
        snprintf(id, sizeof id, "%016" PRIx64 "-%" PRIu64, from->record->id.source, from->record->id.seq);
        text_say(t, json ? ",\"id\":" : ",");
        text_string(t, from->style, id, strlen(id));
    }
    text_say(t, json ? ",\"data\":{" : "");
}

static void line_end(struct text *t, const struct row_source *from)
{
    text_say(t, from->style == TEXT_JSON ? "}}\n" : "\n");
}

/* What stands in front of a value. */
static void value_begin(struct text *t, const struct row_source *from, const char *name, int first)
{
    if (from->style == TEXT_CSV) {
        text_say(t, ",");
        return;
    }
    text_say(t, first ? "" : ",");
    text_string(t, TEXT_JSON, name ? name : "", name ? strlen(name) : 0);
    text_say(t, ":");
}

static void cell_write(struct text *t, const struct row_source *from, uint32_t i, uint8_t type)
{
    const struct aff_record *r = from->record;
    uint32_t count = from->schema->count, length;
    const char *words;

    if (!aff_row_has(r, i)) {
        text_none(t, from->style);
        return;
    }
    switch (type) {
    case AFF_REAL:
        text_real(t, from->style, aff_row_real(r, count, i));
        break;
    case AFF_INT:
        text_int(t, aff_row_int(r, count, i));
        break;
    case AFF_BOOL:
        text_say(t, aff_row_int(r, count, i) ? "true" : "false");
        break;
    case AFF_TIME:
        text_say(t, from->style == TEXT_JSON ? "\"" : "");
        text_time(t, aff_row_int(r, count, i));
        text_say(t, from->style == TEXT_JSON ? "\"" : "");
        break;
    default:
        words = aff_row_text(r, count, i, &length);
        if (words)
            text_string(t, from->style, words, length);
        else
            text_none(t, from->style);
    }
}

static const char *fields_write(struct text *t, const struct row_source *from)
{
    uint32_t i;

    if (from->record->size < aff_row_size(from->schema->count, 0))
        return "a row is shorter than its schema";
    line_begin(t, from, from->record->event_ns);
    for (i = 0; i < from->schema->count; i++) {
        struct aff_column c = column_get(from->schema, i);

        value_begin(t, from, c.name, !i);
        cell_write(t, from, i, c.type);
    }
    line_end(t, from);
    return NULL;
}

/* One sample in physical units. A float of gain 1 is written as a float: with
 * as few digits as it needs, not with those of the double next to it. */
static void sample_write(struct text *t, const struct row_source *from, const struct aff_column *c,
                         uint16_t channel, uint32_t i)
{
    const void *plane = aff_plane(from->record, channel);
    double gain = c->gain != 0 ? c->gain : 1, v;

    switch (aff_samples_of(from->record)->format) {
    case AFF_I16:
        v = ((const int16_t *)plane)[i] == INT16_MIN ? (double)NAN : ((const int16_t *)plane)[i];
        break;
    case AFF_I32:
        v = ((const int32_t *)plane)[i] == INT32_MIN ? (double)NAN : ((const int32_t *)plane)[i];
        break;
    default:
        v = (double)((const float *)plane)[i];
        if (gain == 1 && c->baseline == 0) {
            text_float(t, from->style, ((const float *)plane)[i]);
            return;
        }
    }
    text_real(t, from->style, (v - c->baseline) / gain);
}

/* When a sample was: rounded to ns. Rates that would leave the scale count as
 * none. */
static int64_t sample_time(const struct row_source *from, uint32_t i)
{
    const struct aff_schema *s = from->schema;
    double after = s->rate_num ? 1e9 * (double)s->rate_den / (double)s->rate_num * (double)i : 0;

    if (!(after < 4e18))
        after = 0;
    return (int64_t)((uint64_t)from->record->event_ns + (uint64_t)llround(after));
}

static const char *samples_write(struct text *t, const struct row_source *from)
{
    const struct aff_record *r = from->record;
    const struct aff_samples *s = r->data;
    uint32_t i;
    uint16_t c;

    if (!aff_samples_ok(r->data, r->size) || s->channels != from->schema->count)
        return "samples are not whole or have other channels than their schema";
    for (i = 0; i < s->count; i++) {
        line_begin(t, from, sample_time(from, i));
        for (c = 0; c < s->channels; c++) {
            struct aff_column column = column_get(from->schema, c);

            value_begin(t, from, column.name, !c);
            sample_write(t, from, &column, c, i);
        }
        line_end(t, from);
    }
    return NULL;
}

static void bytes_write(struct text *t, const struct row_source *from)
{
    const struct aff_record *r = from->record;
    int words = r->type == AFF_BYTES && text_is_utf8(r->data, r->size);

    line_begin(t, from, r->event_ns);
    if (words || from->style == TEXT_CSV)
        value_begin(t, from, "text", 1);
    if (words)
        text_string(t, from->style, r->data, r->size);
    if (!words || from->style == TEXT_CSV)
        value_begin(t, from, "base64", 1);
    if (!words) {
        text_say(t, from->style == TEXT_JSON ? "\"" : "");
        text_base64(t, r->data, r->size);
        text_say(t, from->style == TEXT_JSON ? "\"" : "");
    }
    line_end(t, from);
}

const char *rows_write(struct text *t, const struct row_source *from)
{
    size_t before = t->size;
    const char *problem = NULL;
    uint8_t type = from->record->type;

    if (type != AFF_FIELDS && type != AFF_SAMPLES)
        bytes_write(t, from);
    else if (!from->schema)
        problem = "a record has no schema";
    else
        problem = type == AFF_FIELDS ? fields_write(t, from) : samples_write(t, from);
    if (problem)
        t->size = before;
    return problem;
}
