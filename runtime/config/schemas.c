/* schemas.c - see schemas.h. */
#include "config/schemas.h"

#include <string.h>

const struct aff_column *schema_at(const struct aff_schema *schema, uint32_t row)
{
    return (const void *)((const char *)schema->columns + (size_t)row * schema->stride);
}

const struct aff_column *schema_find(const struct aff_schema *schema, const char *name)
{
    for (uint32_t i = 0; i < schema->count; i++) {
        if (!strcmp(schema_at(schema, i)->name, name))
            return schema_at(schema, i);
    }
    return NULL;
}

uint8_t schema_label(const struct aff_schema *schema)
{
    uint8_t label = schema->label;

    for (uint32_t i = 0; i < schema->count; i++) {
        if (schema_at(schema, i)->label > label)
            label = schema_at(schema, i)->label;
    }
    return label;
}

static bool text_equal(const char *a, const char *b)
{
    return a == b || (a && b && !strcmp(a, b));
}

/* By bits: a plan does not care whether two zeros differ in sign. */
static bool real_equal(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

static bool column_equal(const struct aff_column *a, const struct aff_column *b)
{
    return text_equal(a->name, b->name) && text_equal(a->unit, b->unit) &&
           text_equal(a->code, b->code) && a->type == b->type && a->label == b->label &&
           real_equal(a->gain, b->gain) && real_equal(a->baseline, b->baseline);
}

bool schema_equal(const struct aff_schema *a, const struct aff_schema *b)
{
    if (a == b)
        return true;
    if (!a || !b || a->type != b->type || a->format != b->format || a->label != b->label ||
        a->count != b->count || a->rate_num != b->rate_num || a->rate_den != b->rate_den ||
        !text_equal(a->name, b->name))
        return false;
    for (uint32_t i = 0; i < a->count; i++) {
        if (!column_equal(schema_at(a, i), schema_at(b, i)))
            return false;
    }
    return true;
}

/* A copy that may be changed; names and units are shared. */
static struct aff_schema *schema_dup(struct arena *arena, const struct aff_schema *schema)
{
    struct aff_schema *copy = arena_take(arena, sizeof *copy);
    struct aff_column *columns = arena_take_array(arena, schema->count, sizeof *columns);

    if (!copy || !columns)
        return NULL;
    for (uint32_t i = 0; i < schema->count; i++)
        columns[i] = *schema_at(schema, i);
    *copy = *schema;
    copy->columns = schema->count ? columns : NULL;
    copy->stride = (uint32_t)sizeof *columns;
    return copy;
}

/* Only `fields` have a label a column; the others have one as a whole. */
static bool is_below(const struct aff_schema *schema, uint8_t least)
{
    if (schema->type != AFF_FIELDS)
        return schema->label < least;
    for (uint32_t i = 0; i < schema->count; i++) {
        if (schema_at(schema, i)->label < least)
            return true;
    }
    return false;
}

const struct aff_schema *schema_raise(struct arena *arena, const struct aff_schema *schema,
                                      uint8_t least)
{
    struct aff_schema *copy;

    if (!is_below(schema, least))
        return schema;
    copy = schema_dup(arena, schema);
    if (!copy)
        return NULL;
    if (copy->type != AFF_FIELDS) {
        copy->label = least;
        return copy;
    }
    for (uint32_t i = 0; i < copy->count; i++) {
        struct aff_column *column = (struct aff_column *)(uintptr_t)schema_at(copy, i);

        if (column->label < least)
            column->label = least;
    }
    return copy;
}

const struct aff_schema *schema_clear(struct arena *arena, const struct aff_schema *schema,
                                      const char *column)
{
    struct aff_schema *copy;

    if (schema_label(schema) == AFF_LABEL_NONE || (column && !schema_find(schema, column)))
        return schema;
    copy = schema_dup(arena, schema);
    if (!copy)
        return NULL;
    if (!column)
        copy->label = AFF_LABEL_NONE;
    for (uint32_t i = 0; i < copy->count; i++) {
        struct aff_column *c = (struct aff_column *)(uintptr_t)schema_at(copy, i);

        if (!column || !strcmp(c->name, column))
            c->label = AFF_LABEL_NONE;
    }
    return copy;
}

void schema_add_types(struct text *text, uint32_t types)
{
    static const char *const names[] = { NULL, "bytes", "fields", "samples", "image" };
    const char *between = "";

    for (uint32_t type = AFF_BYTES; type <= AFF_IMAGE; type++) {
        if (types & AFF_MASK(type)) {
            text_print(text, "%s%s", between, names[type]);
            between = " or ";
        }
    }
    if (!*between)
        text_add(text, "nothing");
}

const char *schema_column_type(uint8_t type)
{
    static const char *const names[] = { "unknown", "real", "int", "bool", "time", "text" };

    return type <= AFF_TEXT ? names[type] : names[0];
}
