/* letter_payload.c - what a dead letter's record holds: columns, samples or bytes.
 *
 * A payload is shown by its schema where it is what that says, and as bytes where it
 * is not: then that is perhaps why it is a dead letter.
 *
 * Not here: what is hidden (letter.c decides). */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "show/answer.h"
#include "show/letter.h"
#include "show/when.h"

enum { LINE_BYTES = 16, BYTES_SHOWN = 4096, SAMPLES_SHOWN = 16 };

static bool is_whole(const struct letter_view *v)
{
    return v->schema && v->schema->count > 0 && payload_fits(&v->letter->record.record, v->schema) &&
           wire_record_whole(&v->letter->record.record, v->schema);
}

/* ---- columns of a row ---- */

static void value_text(const struct letter_view *v, uint32_t index, char *text, size_t room)
{
    const struct aff_column *c = schema_column(v->schema, index);
    const struct aff_record *r = &v->letter->record.record;
    uint32_t length = 0;
    const char *bytes;

    if (!aff_row_has(r, index)) {
        snprintf(text, room, "-");
    } else if (c->type == AFF_REAL) {
        snprintf(text, room, "%.15g", aff_row_real(r, v->schema->count, index));
    } else if (c->type == AFF_TIME) {
        char when[WHEN_ROOM];

        when_print(when, aff_row_int(r, v->schema->count, index));
        snprintf(text, room, "%s", when);
    } else if (c->type == AFF_BOOL) {
        snprintf(text, room, "%s", aff_row_int(r, v->schema->count, index) ? "true" : "false");
    } else if (c->type == AFF_INT) {
        snprintf(text, room, "%" PRId64, aff_row_int(r, v->schema->count, index));
    } else {
        bytes = aff_row_text(r, v->schema->count, index, &length);
        snprintf(text, room, "%.*s", (int)(bytes ? length : 0), bytes ? bytes : "");
    }
}

static void print_columns(const struct letter_view *v, FILE *out)
{
    struct table table;

    if (!table_open(&table, 3))
        return;
    for (uint32_t i = 0; i < v->schema->count; i++) {
        const struct aff_column *c = schema_column(v->schema, i);
        char value[1024] = LETTER_HIDDEN;

        if (!letter_hides_column(v, c))
            value_text(v, i, value, sizeof value);
        table_cell(&table, "    %s", c->name ? c->name : "");
        table_cell(&table, "%s", value);
        table_cell(&table, "%s", c->unit ? c->unit : "");
    }
    table_print(&table, out);
    table_close(&table);
}

static void json_column(const struct letter_view *v, uint32_t index, struct json *json)
{
    const struct aff_column *c = schema_column(v->schema, index);
    const struct aff_record *r = &v->letter->record.record;
    const char *name = c->name ? c->name : "";
    char when[WHEN_ROOM];
    uint32_t length = 0;
    const char *bytes;

    if (letter_hides_column(v, c)) {
        json_text(json, name, LETTER_HIDDEN);
    } else if (!aff_row_has(r, index)) {
        json_null(json, name);
    } else if (c->type == AFF_REAL) {
        json_real(json, name, aff_row_real(r, v->schema->count, index));
    } else if (c->type == AFF_TIME) {
        when_print(when, aff_row_int(r, v->schema->count, index));
        json_text(json, name, when);
    } else if (c->type == AFF_BOOL) {
        json_bool(json, name, aff_row_int(r, v->schema->count, index) != 0);
    } else if (c->type == AFF_INT) {
        json_int(json, name, aff_row_int(r, v->schema->count, index));
    } else {
        bytes = aff_row_text(r, v->schema->count, index, &length);
        json_text_bytes(json, name, bytes ? bytes : "", bytes ? length : 0);
    }
}

/* ---- samples ---- */

static void print_channel(const struct letter_view *v, uint16_t channel, FILE *out)
{
    const struct aff_record *r = &v->letter->record.record;
    const struct aff_column *c = schema_column(v->schema, channel);
    uint32_t count = aff_samples_of(r)->count;
    double value;

    fputs("    ", out);
    print_plain(out, c->name ? c->name : "", strlen(c->name ? c->name : ""));
    for (uint32_t i = 0; i < count && i < SAMPLES_SHOWN; i++) {
        if (sample_value(r, c, channel, i, &value))
            fprintf(out, " %.6g", value);
        else
            fputs(" -", out);
    }
    fprintf(out, "%s%s%s\n", count > SAMPLES_SHOWN ? " ..." : "", c->unit ? "  " : "", c->unit ? c->unit : "");
}

static void print_samples(const struct letter_view *v, FILE *out)
{
    const struct aff_samples *s = v->letter->record.record.data;

    fprintf(out, "    %" PRIu32 " samples of %u channels from sample %" PRId64 " on\n", s->count, s->channels, s->first);
    for (uint16_t c = 0; c < s->channels; c++)
        print_channel(v, c, out);
}

static void json_samples(const struct letter_view *v, struct json *json)
{
    const struct aff_record *r = &v->letter->record.record;

    json_int(json, "first", aff_samples_of(r)->first);
    json_object(json, "channels");
    for (uint16_t c = 0; c < v->schema->count; c++) {
        const struct aff_column *column = schema_column(v->schema, c);

        sample_array(json, column->name ? column->name : "", r, column, c);
    }
    json_end(json);
}

/* ---- bytes ---- */

static void print_bytes(const struct aff_record *r, FILE *out)
{
    const uint8_t *bytes = r->data;
    uint32_t shown = r->size < BYTES_SHOWN ? r->size : BYTES_SHOWN;

    for (uint32_t at = 0; at < shown; at += LINE_BYTES) {
        fprintf(out, "    %06" PRIx32 " ", at);
        for (uint32_t i = at; i < at + LINE_BYTES; i++) {
            if (i < shown)
                fprintf(out, " %02x", bytes[i]);
            else
                fputs("   ", out);
        }
        fputs("  ", out);
        for (uint32_t i = at; i < at + LINE_BYTES && i < shown; i++)
            fputc(bytes[i] >= 0x20 && bytes[i] < 0x7f ? bytes[i] : '.', out);
        fputc('\n', out);
    }
    if (shown < r->size)
        fprintf(out, "    and %" PRIu32 " bytes more; --json prints all\n", r->size - shown);
}

static void json_bytes(const struct aff_record *r, struct json *json)
{
    const uint8_t *bytes = r->data;
    char *hex = malloc((size_t)r->size * 2 + 1);

    if (!hex) {
        json_null(json, "hex");
        return;
    }
    hex[0] = '\0';
    for (uint32_t i = 0; i < r->size; i++)
        snprintf(hex + (size_t)i * 2, 3, "%02x", bytes[i]);
    json_text(json, "hex", hex);
    free(hex);
}

/* ---- both ---- */

void letter_payload_print(const struct letter_view *v, FILE *out)
{
    const struct aff_record *r = &v->letter->record.record;

    if (r->type == AFF_FIELDS && is_whole(v))
        print_columns(v, out);
    else if (letter_hides_payload(v))
        fputs("    " LETTER_HIDDEN "; --reveal shows it, and is audited\n", out);
    else if (r->type == AFF_SAMPLES && is_whole(v))
        print_samples(v, out);
    else
        print_bytes(r, out);
}

void letter_payload_json(const struct letter_view *v, struct json *json)
{
    const struct aff_record *r = &v->letter->record.record;

    if (r->type == AFF_FIELDS && is_whole(v)) {
        json_object(json, "values");
        for (uint32_t i = 0; i < v->schema->count; i++)
            json_column(v, i, json);
        json_end(json);
    } else if (letter_hides_payload(v)) {
        json_text(json, "hex", LETTER_HIDDEN);
    } else if (r->type == AFF_SAMPLES && is_whole(v)) {
        json_samples(v, json);
    } else {
        json_bytes(r, json);
    }
}
