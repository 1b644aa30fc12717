/* SPDX-License-Identifier: Apache-2.0
 *
 * reading.c - see reading.h. */
#include "reading.h"

#include <math.h>
#include <string.h>

/* Whole numbers up to here are exact as a double. */
#define EXACT_MOST 9007199254740992.0

void reading_open(struct reading *reading, const struct layout *layout, const struct config *config,
                  uint32_t number, const struct aff_schema *schema)
{
    uint32_t i;

    *reading = (struct reading){ .schema = number, .columns = schema->count };
    reading->key = *config->key ? schema_find(schema, config->key) : schema->count;
    reading->value = *config->key ? schema_find(schema, config->value) : schema->count;
    if (reading->key < schema->count && schema_column(schema, reading->key)->type != AFF_TEXT)
        reading->key = schema->count;
    if (reading->key < schema->count && reading->value < schema->count)
        reading->value_type = schema_column(schema, reading->value)->type;
    else
        reading->value = schema->count;
    for (i = 0; i < layout->count; i++) {
        const struct want *w = &layout->wants[i];

        reading->at[i] = w->is_long ? reading->value : schema_find(schema, w->from);
        if (reading->at[i] < schema->count)
            reading->types[i] = schema_column(schema, reading->at[i])->type;
    }
}

static bool is_number(uint8_t type)
{
    return type == AFF_REAL || type == AFF_INT || type == AFF_BOOL;
}

static int real_put(struct value *v, double real, uint8_t type)
{
    if (isnan(real))
        return -1;
    if (type == AFF_REAL) {
        v->number.real = real;
        return 0;
    }
    if (!(fabs(real) <= EXACT_MOST) || real < floor(real) || real > floor(real))
        return -1;
    v->number.whole = (int64_t)real;
    return 0;
}

static int whole_put(struct value *v, int64_t whole, uint8_t type)
{
    if (type == AFF_REAL && (whole > (int64_t)EXACT_MOST || whole < -(int64_t)EXACT_MOST))
        return -1;
    if (type == AFF_REAL)
        v->number.real = (double)whole;
    else
        v->number.whole = whole;
    return 0;
}

static int text_put(struct value *v, const char *text, uint32_t length)
{
    if (!text || length > TEXT_MOST)
        return -1;
    memcpy(v->text, text, length);
    v->length = (uint8_t)length;
    return 0;
}

/* A cell as a value of the wanted type; -1 when it does not fit. */
static int cell_take(const struct reading *reading, const struct aff_record *r, uint32_t column, uint8_t type,
                     const struct want *want, struct value *v)
{
    const char *text;
    uint32_t length;
    int rc = -1;

    if (type == AFF_TEXT && want->type == AFF_TEXT) {
        text = aff_row_text(r, reading->columns, column, &length);
        rc = text_put(v, text, length);
    } else if (type == AFF_TIME && want->type == AFF_TIME) {
        rc = whole_put(v, aff_row_int(r, reading->columns, column), want->type);
    } else if (type == AFF_REAL && is_number(want->type)) {
        rc = real_put(v, aff_row_real(r, reading->columns, column), want->type);
    } else if (is_number(type) && is_number(want->type)) {
        rc = whole_put(v, aff_row_int(r, reading->columns, column), want->type);
    }
    if (rc == 0 && want->type == AFF_BOOL && v->number.whole != 0 && v->number.whole != 1)
        rc = -1;
    return rc;
}

static bool key_is(const struct want *want, const char *key, uint32_t length)
{
    return key && strlen(want->from) == length && memcmp(want->from, key, length) == 0;
}

void reading_take(const struct reading *reading, const struct layout *layout, const struct aff_record *record,
                  const char *stream, struct found *ret_found)
{
    const char *key = NULL;
    uint32_t i, length = 0;

    if (reading->value < reading->columns && aff_row_has(record, reading->key))
        key = aff_row_text(record, reading->columns, reading->key, &length);
    ret_found->given = 0;
    ret_found->unfit = 0;
    for (i = 0; i < layout->count; i++) {
        const struct want *w = &layout->wants[i];
        struct value *v = &ret_found->values[i];
        uint32_t column = reading->at[i];

        ret_found->is_met[i] = !*w->stream || strcmp(w->stream, stream) == 0;
        ret_found->is_given[i] = ret_found->is_met[i] && column < reading->columns &&
                                 (!w->is_long || key_is(w, key, length)) && aff_row_has(record, column);
        if (!ret_found->is_given[i])
            continue;
        *v = (struct value){ .at = record->event_ns, .is_used = 1,
                             .is_suspect = (record->flags & AFF_FLAG_SUSPECT) != 0 };
        v->is_there = cell_take(reading, record, column, reading->types[i], w, v) == 0;
        ret_found->given++;
        ret_found->unfit += !v->is_there;
    }
}
