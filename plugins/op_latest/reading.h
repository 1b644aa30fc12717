/* SPDX-License-Identifier: Apache-2.0
 *
 * reading.h - values of the wanted columns out of one record.
 *
 * A reading is where the wanted columns stand in rows of one schema. Numbers,
 * whole numbers and bools are taken for each other where nothing is lost by it;
 * text and time are only themselves. What cannot be held (a text that is too
 * long, not a number) is a value that is not there from that time on.
 *
 * Not here: what is kept (store.c). */
#ifndef OP_LATEST_READING_H
#define OP_LATEST_READING_H

#include "columns.h"
#include "store.h"

struct reading {
    uint32_t schema; /* 0: unused */
    uint32_t columns;
    uint32_t key, value; /* `columns` when the schema lacks them */
    uint32_t at[COLUMNS_MOST];
    uint8_t types[COLUMNS_MOST];
    uint8_t value_type;
};

/* The values of one record, by wanted column. */
struct found {
    struct value values[COLUMNS_MOST];
    bool is_given[COLUMNS_MOST];
    bool is_met[COLUMNS_MOST]; /* the record is of the stream that the column is taken from */
    uint32_t given, unfit;
};

void reading_open(struct reading *reading, const struct layout *layout, const struct config *config,
                  uint32_t number, const struct aff_schema *schema);
void reading_take(const struct reading *reading, const struct layout *layout, const struct aff_record *record,
                  const char *stream, struct found *ret_found);

#endif
