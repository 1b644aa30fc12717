/* answer_mixed.c - a record's values as one text, for tables of several schemas.
 *
 * "rr=812 ms heart_rate=73.9 /min": what is missing is left out. */
#include <inttypes.h>

#include "show/answer.h"
#include "show/when.h"

static void add_field(struct text *text, const struct aff_schema *schema, const struct aff_record *r, uint32_t i)
{
    const struct aff_column *c = schema_column(schema, i);
    char when[WHEN_ROOM];
    const char *string;
    uint32_t length;

    text_print(text, "%s%s=", text->length ? " " : "", c->name);
    if (c->type == AFF_REAL) {
        text_print(text, "%.6g", aff_row_real(r, schema->count, i));
    } else if (c->type == AFF_TIME) {
        when_print(when, aff_row_int(r, schema->count, i));
        text_add(text, when);
    } else if (c->type == AFF_TEXT) {
        string = aff_row_text(r, schema->count, i, &length);
        text_print(text, "\"%.*s\"", (int)length, string ? string : "");
    } else {
        text_print(text, "%" PRId64, aff_row_int(r, schema->count, i));
    }
    if (c->unit && *c->unit && (c->unit[0] != '1' || c->unit[1]))
        text_print(text, " %s", c->unit);
}

void answer_mixed(struct answer *a, const struct aff_schema *schema, const struct aff_record *r)
{
    static const char *const types[] = { "", "bytes", "fields", "samples", "image" };
    struct text text = { 0 };

    if (r->type == AFF_FIELDS) {
        for (uint32_t i = 0; i < schema->count; i++)
            if (aff_row_has(r, i))
                add_field(&text, schema, r, i);
    } else if (r->type == AFF_SAMPLES) {
        text_print(&text, "%" PRIu32 " samples of %u channels at %.6g Hz", aff_samples_of(r)->count,
                   aff_samples_of(r)->channels, (double)schema->rate_num / (double)schema->rate_den);
    } else {
        text_print(&text, "%" PRIu32 " bytes", r->size);
    }
    answer_cell(a, "%s", schema && schema->name && *schema->name ? schema->name : types[r->type]);
    answer_cell(a, "%s", text.data ? text.data : "");
    text_free(&text);
}
