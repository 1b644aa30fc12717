/* SPDX-License-Identifier: Apache-2.0
 *
 * shape.h - the columns of objects whose columns nobody declared. */
#ifndef OP_JSON_SHAPE_H
#define OP_JSON_SHAPE_H

#include <rows/rows.h>

enum { SHAPES_MOST = 64, SHAPE_NAMES_MOST = 8192, SHAPE_NONE = 0xffffffffu };

struct shape {
    uint32_t count, names_size;
    uint32_t schema; /* 0: none yet, or a name is there twice */
    bool twice;
    uint8_t types[ROWS_COLUMNS_MOST];
    char names[SHAPE_NAMES_MOST]; /* each ended by a zero */
};

struct shapes {
    const struct aff_host *host;
    uint32_t count;
    uint32_t last; /* found last */
    struct shape now; /* the row in hand */
    struct shape known[SHAPES_MOST];
    struct aff_column columns[ROWS_COLUMNS_MOST];
};

void shape_begin(struct shapes *shapes);
/* The next column's number; SHAPE_NONE: no room for it. */
uint32_t shape_add(struct shapes *shapes, const char *name, uint32_t size, uint8_t type);

enum shape_result { SHAPE_FINE, SHAPE_TWICE, SHAPE_TOO_MANY, SHAPE_MEMORY };
enum shape_result shape_end(struct shapes *shapes, uint32_t *ret_schema);

#endif
