/* schemas.h - schemas as values: columns by name, equality, labels changed.
 *
 * A schema is never changed: who needs other labels gets a copy, and the same
 * pointer where nothing differs.
 *
 * Not here: which edge carries which (shapes.c), whether they fit (columns.c). */
#ifndef AFFERENT_CONFIG_SCHEMAS_H
#define AFFERENT_CONFIG_SCHEMAS_H

#include <stdbool.h>
#include <stdint.h>

#include <afferent/plugin.h>

#include "util/arena.h"
#include "util/text.h"

const struct aff_column *schema_at(const struct aff_schema *schema, uint32_t row);
/* NULL when there is none of this name. */
const struct aff_column *schema_find(const struct aff_schema *schema, const char *name);

/* The highest label of a payload: of its columns, or as a whole. */
uint8_t schema_label(const struct aff_schema *schema);
bool schema_equal(const struct aff_schema *a, const struct aff_schema *b);

/* With no label below `least`; NULL when there is no memory. */
const struct aff_schema *schema_raise(struct arena *arena, const struct aff_schema *schema,
                                      uint8_t least);
/* Without the label of one column, or with NULL of any; NULL: no memory. */
const struct aff_schema *schema_clear(struct arena *arena, const struct aff_schema *schema,
                                      const char *column);

/* "bytes or fields": what a mask of AFF_MASK(type) allows. */
void schema_add_types(struct text *text, uint32_t types);
/* "real", "text": a column's type for a person. */
const char *schema_column_type(uint8_t type);

#endif
