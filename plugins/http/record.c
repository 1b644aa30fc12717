/* SPDX-License-Identifier: Apache-2.0
 *
 * record.c - records as JSON. See record.h.
 *
 * One record is one object, whatever its type, so that an answer can name it.
 * Samples are lists of physical values, a list a channel.
 *
 * Not here: values as text (text/text.c). */
#include "http/record.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

void record_id(struct aff_id id, char *ret)
{
    (void)snprintf(ret, ID_ROOM, "%016" PRIx64 "-%" PRIu64, id.source, id.seq);
}

struct aff_column record_column(const struct aff_schema *schema, uint32_t index)
{
    struct aff_column c = { 0 };

    memcpy(&c, (const char *)schema->columns + (size_t)index * schema->stride,
           schema->stride < sizeof c ? schema->stride : sizeof c);
    return c;
}

double record_sample(const struct aff_record *record, uint16_t channel, uint32_t i)
{
    const void *plane = aff_plane(record, channel);

    switch (aff_samples_of(record)->format) {
    case AFF_I16:
        return ((const int16_t *)plane)[i] == INT16_MIN ? (double)NAN : ((const int16_t *)plane)[i];
    case AFF_I32:
        return ((const int32_t *)plane)[i] == INT32_MIN ? (double)NAN : ((const int32_t *)plane)[i];
    default:
        return (double)((const float *)plane)[i];
    }
}

static void word(struct text *t, const char *text)
{
    text_string(t, TEXT_JSON, text ? text : "", text ? strlen(text) : 0);
}

static void head_write(struct text *t, const struct source *from)
{
    char id[ID_ROOM];

    record_id(from->record->id, id);
    text_say(t, "{\"id\":");
    word(t, id);
    text_say(t, ",\"time\":\"");
    text_time(t, from->record->event_ns);
    text_say(t, "\",\"subject\":");
    word(t, from->subject);
    text_say(t, ",\"stream\":");
    word(t, from->stream);
    if (from->record->flags & AFF_FLAG_SUSPECT)
        text_say(t, ",\"suspect\":true");
    if (from->record->flags & AFF_FLAG_GAP)
        text_say(t, ",\"gap\":true");
    text_say(t, ",\"data\":{");
}

static void cell_write(struct text *t, const struct source *from, uint32_t i, uint8_t type)
{
    const struct aff_record *r = from->record;
    uint32_t count = from->schema->count, length;
    const char *words;

    if (!aff_row_has(r, i)) {
        text_say(t, "null");
    } else if (type == AFF_REAL) {
        text_real(t, TEXT_JSON, aff_row_real(r, count, i));
    } else if (type == AFF_INT) {
        text_int(t, aff_row_int(r, count, i));
    } else if (type == AFF_BOOL) {
        text_say(t, aff_row_int(r, count, i) ? "true" : "false");
    } else if (type == AFF_TIME) {
        text_say(t, "\"");
        text_time(t, aff_row_int(r, count, i));
        text_say(t, "\"");
    } else {
        words = aff_row_text(r, count, i, &length);
        if (words)
            text_string(t, TEXT_JSON, words, length);
        else
            text_say(t, "null");
    }
}

static const char *fields_write(struct text *t, const struct source *from)
{
    if (from->record->size < aff_row_size(from->schema->count, 0))
        return "a row is shorter than its schema";
    for (uint32_t i = 0; i < from->schema->count; i++) {
        struct aff_column c = record_column(from->schema, i);

        text_say(t, i ? "," : "");
        word(t, c.name);
        text_say(t, ":");
        cell_write(t, from, i, c.type);
    }
    return NULL;
}

/* A float of gain 1 is written as a float: with as few digits as it needs. */
static void channel_write(struct text *t, const struct source *from, uint16_t channel)
{
    const struct aff_samples *s = aff_samples_of(from->record);
    struct aff_column c = record_column(from->schema, channel);
    double gain = c.gain != 0 ? c.gain : 1;
    bool is_plain = s->format == AFF_F32 && gain == 1 && c.baseline == 0;

    text_say(t, channel ? "," : "");
    word(t, c.name);
    text_say(t, ":{\"unit\":");
    if (c.unit)
        word(t, c.unit);
    else
        text_say(t, "null");
    text_say(t, ",\"values\":[");
    for (uint32_t i = 0; i < s->count; i++) {
        double v = record_sample(from->record, channel, i);

        text_say(t, i ? "," : "");
        if (is_plain)
            text_float(t, TEXT_JSON, (float)v);
        else
            text_real(t, TEXT_JSON, (v - c.baseline) / gain);
    }
    text_say(t, "]}");
}

static const char *samples_write(struct text *t, const struct source *from)
{
    const struct aff_record *r = from->record;
    const struct aff_samples *s = r->data;

    if (!aff_samples_ok(r->data, r->size) || s->channels != from->schema->count)
        return "samples are not whole or have other channels than their schema";
    text_say(t, "\"first\":");
    text_int(t, s->first);
    text_say(t, ",\"count\":");
    text_int(t, s->count);
    text_say(t, ",\"rate\":");
    text_real(t, TEXT_JSON, from->schema->rate_den ? (double)from->schema->rate_num / (double)from->schema->rate_den : 0);
    text_say(t, ",\"channels\":{");
    for (uint16_t c = 0; c < s->channels; c++)
        channel_write(t, from, c);
    text_say(t, "}");
    return NULL;
}

static void bytes_write(struct text *t, const struct aff_record *r)
{
    if (r->type == AFF_BYTES && text_is_utf8(r->data, r->size)) {
        text_say(t, "\"text\":");
        text_string(t, TEXT_JSON, r->data, r->size);
        return;
    }
    text_say(t, "\"base64\":\"");
    text_base64(t, r->data, r->size);
    text_say(t, "\"");
}

const char *record_json(struct text *t, const struct source *from)
{
    uint8_t type = from->record->type;
    const char *problem = NULL;

    if ((type == AFF_FIELDS || type == AFF_SAMPLES) && !from->schema)
        return "a record has no schema";
    head_write(t, from);
    if (type == AFF_FIELDS)
        problem = fields_write(t, from);
    else if (type == AFF_SAMPLES)
        problem = samples_write(t, from);
    else
        bytes_write(t, from->record);
    text_say(t, "}");
    return problem;
}
