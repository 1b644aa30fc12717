/* SPDX-License-Identifier: Apache-2.0
 *
 * shape.c - the columns of objects whose columns nobody declared: their keys and
 * types in their order. A shape that came before is known by its text, so that
 * the host is asked for a schema once a shape; their number is bounded, since
 * they come from the data.
 *
 * Not here: values (reader.c). */
#include "shape.h"

#include <stdlib.h>
#include <string.h>

void shape_begin(struct shapes *shapes)
{
    shapes->now.count = 0;
    shapes->now.names_size = 0;
}

uint32_t shape_add(struct shapes *shapes, const char *name, uint32_t size, uint8_t type)
{
    struct shape *s = &shapes->now;

    if (s->count == ROWS_COLUMNS_MOST || size >= SHAPE_NAMES_MOST - s->names_size)
        return SHAPE_NONE;
    memcpy(s->names + s->names_size, name, size);
    s->names[s->names_size + size] = '\0';
    s->names_size += size + 1;
    s->types[s->count] = type;
    return s->count++;
}

static bool same(const struct shape *a, const struct shape *b)
{
    return a->count == b->count && a->names_size == b->names_size && memcmp(a->types, b->types, a->count) == 0 &&
           memcmp(a->names, b->names, a->names_size) == 0;
}

static int name_order(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* A key that is there twice, or "a.b" beside "b" in "a". */
static bool names_twice(const struct shape *s)
{
    const char *names[ROWS_COLUMNS_MOST] = { NULL }, *at = s->names;
    uint32_t i;

    for (i = 0; i < s->count; i++, at += strlen(at) + 1)
        names[i] = at;
    qsort(names, s->count, sizeof names[0], name_order);
    for (i = 1; i < s->count; i++)
        if (strcmp(names[i - 1], names[i]) == 0)
            return true;
    return false;
}

static uint32_t schema_make(struct shapes *shapes, const struct shape *s)
{
    struct aff_schema schema = { .struct_size = sizeof schema, .type = AFF_FIELDS, .name = "rows" };
    const char *at = s->names;
    uint32_t i;

    for (i = 0; i < s->count; i++, at += strlen(at) + 1)
        shapes->columns[i] = (struct aff_column){ .name = at, .type = s->types[i], .label = AFF_LABEL_PHI };
    schema.columns = shapes->columns;
    schema.count = s->count;
    schema.stride = sizeof shapes->columns[0];
    return shapes->host->schema(shapes->host, &schema);
}

static void shape_copy(struct shape *to, const struct shape *from)
{
    to->count = from->count;
    to->names_size = from->names_size;
    memcpy(to->types, from->types, from->count);
    memcpy(to->names, from->names, from->names_size);
}

enum shape_result shape_end(struct shapes *shapes, uint32_t *ret_schema)
{
    uint32_t i = shapes->last;
    struct shape *s;

    if (i >= shapes->count || !same(&shapes->known[i], &shapes->now))
        for (i = 0; i < shapes->count && !same(&shapes->known[i], &shapes->now); i++)
            ;
    if (i == SHAPES_MOST)
        return SHAPE_TOO_MANY;
    s = &shapes->known[i];
    if (i == shapes->count) {
        shape_copy(s, &shapes->now);
        s->twice = names_twice(s);
        s->schema = s->twice ? 0 : schema_make(shapes, s);
        if (!s->twice && !s->schema)
            return SHAPE_MEMORY;
        shapes->count++;
    }
    shapes->last = i;
    *ret_schema = s->schema;
    return s->twice ? SHAPE_TWICE : SHAPE_FINE;
}
