/* answer_json.c - records as JSON lines: one document a line.
 *
 * A row's columns are the keys of "values"; samples come as an array a channel
 * where they were asked for. Missing values are null. */
#include <inttypes.h>
#include <stdlib.h>

#include "show/answer.h"
#include "show/when.h"

static void write_time(struct json *json, const char *key, int64_t utc_ns)
{
    char when[WHEN_ROOM];

    when_print(when, utc_ns);
    json_text(json, key, when);
}

static void write_field(struct json *json, const struct aff_schema *schema, const struct aff_record *r, uint32_t i)
{
    const struct aff_column *c = schema_column(schema, i);
    const char *text;
    uint32_t length;

    if (!aff_row_has(r, i)) {
        json_null(json, c->name);
    } else if (c->type == AFF_REAL) {
        json_real(json, c->name, aff_row_real(r, schema->count, i));
    } else if (c->type == AFF_TIME) {
        write_time(json, c->name, aff_row_int(r, schema->count, i));
    } else if (c->type == AFF_BOOL) {
        json_bool(json, c->name, aff_row_int(r, schema->count, i) != 0);
    } else if (c->type == AFF_INT) {
        json_int(json, c->name, aff_row_int(r, schema->count, i));
    } else {
        text = aff_row_text(r, schema->count, i, &length);
        json_text_bytes(json, c->name, text ? text : "", length);
    }
}

static void write_channel(struct json *json, const struct aff_schema *schema, const struct aff_record *r, uint16_t c)
{
    const struct aff_column *column = schema_column(schema, c);

    json_object(json, NULL);
    json_text(json, "name", column->name);
    json_text(json, "unit", column->unit);
    sample_array(json, "samples", r, column, c);
    json_end(json);
}

static void write_samples(struct answer *a, const struct aff_schema *schema, const struct aff_record *r)
{
    const struct aff_samples *s = r->data;

    json_real(&a->json, "rate", (double)schema->rate_num / (double)schema->rate_den);
    json_int(&a->json, "first", s->first);
    json_uint(&a->json, "count", s->count);
    if (!a->samples) {
        json_uint(&a->json, "channels", s->channels);
        return;
    }
    json_array(&a->json, "channels");
    for (uint16_t c = 0; c < s->channels; c++)
        write_channel(&a->json, schema, r, c);
    json_end(&a->json);
}

static void write_bytes(struct answer *a, const struct aff_record *r)
{
    char *hex = malloc((size_t)r->size * 2 + 1);

    json_uint(&a->json, "size", r->size);
    if (!hex) {
        a->table.cells.failed = true;
        json_null(&a->json, "hex");
        return;
    }
    hex[0] = '\0';
    for (uint32_t i = 0; i < r->size; i++)
        snprintf(hex + (size_t)i * 2, 3, "%02x", ((const uint8_t *)r->data)[i]);
    json_text(&a->json, "hex", hex);
    free(hex);
}

static void write_head(struct answer *a, const struct aff_stream_info *stream, const struct aff_schema *schema,
                       const struct aff_record *r)
{
    static const char *const types[] = { "", "bytes", "fields", "samples", "image" };
    char id[40];

    json_text(&a->json, "subject", stream->subject_name);
    json_text(&a->json, "stream", stream->name);
    write_time(&a->json, "time", r->event_ns);
    snprintf(id, sizeof id, "%016" PRIx64 "-%" PRIx64, r->id.source, r->id.seq);
    json_text(&a->json, "id", id);
    json_text(&a->json, "type", types[r->type]);
    if (schema)
        json_text(&a->json, "schema", schema->name);
    if (r->flags & AFF_FLAG_GAP)
        json_bool(&a->json, "gap", true);
    if (r->flags & AFF_FLAG_SUSPECT)
        json_bool(&a->json, "suspect", true);
}

void answer_json(struct answer *a, const struct aff_stream_info *stream, const struct aff_schema *schema,
                 const struct aff_record *r)
{
    json_begin(&a->json, a->out, false);
    json_object(&a->json, NULL);
    write_head(a, stream, schema, r);
    if (r->type == AFF_FIELDS) {
        json_object(&a->json, "values");
        for (uint32_t i = 0; i < schema->count; i++)
            write_field(&a->json, schema, r, i);
        json_end(&a->json);
    } else if (r->type == AFF_SAMPLES) {
        write_samples(a, schema, r);
    } else {
        write_bytes(a, r);
    }
    json_end(&a->json);
    json_finish(&a->json);
    a->room--;
}
