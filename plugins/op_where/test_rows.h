/* SPDX-License-Identifier: Apache-2.0
 *
 * test_rows.h - one row with a column of each type, for tests of expressions. */
#ifndef OP_WHERE_TEST_ROWS_H
#define OP_WHERE_TEST_ROWS_H

#include "expr.h"

#include <string.h>

enum {
    COL_SPO2,
    COL_HEART_RATE,
    COL_PACED,
    COL_ADMITTED,
    COL_NAME,
    COL_ODD,
    COL_GONE,
    COL_NOTE,
    COL_ZERO,
    COL_FLAG,
    COLS
};

static const struct aff_column row_columns[COLS] = {
    { .name = "spo2", .unit = "%", .code = "59408-5", .type = AFF_REAL },
    { .name = "heart_rate", .unit = "/min", .code = "8867-4", .type = AFF_INT, .label = AFF_LABEL_QUASI },
    { .name = "paced", .type = AFF_BOOL },
    { .name = "admitted", .type = AFF_TIME, .label = AFF_LABEL_QUASI },
    { .name = "state", .type = AFF_TEXT, .label = AFF_LABEL_PHI },
    { .name = "odd name", .type = AFF_REAL },
    { .name = "gone", .type = AFF_REAL },
    { .name = "note", .type = AFF_TEXT },
    { .name = "zero", .type = AFF_INT },
    { .name = "flag", .type = AFF_BOOL },
};

static const struct aff_schema row_schema = { .struct_size = sizeof row_schema,
                                              .type = AFF_FIELDS,
                                              .name = "vitals",
                                              .columns = row_columns,
                                              .count = COLS,
                                              .stride = sizeof *row_columns };

/* Room for a row of a few texts. */
struct test_row {
    struct aff_record record;
    union {
        uint64_t words[64];
        char bytes[512];
    } at;
};

static inline struct aff_row row_new(struct test_row *t)
{
    memset(t, 0, sizeof *t);
    t->record.data = t->at.words;
    t->record.event_ns = INT64_C(1700000000000000000);
    t->record.type = AFF_FIELDS;
    return aff_row_begin(&t->record, COLS);
}

#endif
