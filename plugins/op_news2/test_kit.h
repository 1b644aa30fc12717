/* SPDX-License-Identifier: Apache-2.0
 *
 * test_kit.h - rows of observations for the tests of op_news2. */
#ifndef OP_NEWS2_TEST_KIT_H
#define OP_NEWS2_TEST_KIT_H

#include <afferent/testkit.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define S INT64_C(1000000000)
#define R(v) AFF_CELL_REAL(v)
#define I(v) AFF_CELL_INT(v)
#define T(v) AFF_CELL_TEXT(v)
#define NO AFF_CELL_NONE

enum { WARD_COLUMNS = 8 };
static const struct aff_column ward_columns[WARD_COLUMNS] = {
    { .name = "respiratory_rate", .unit = "/min", .type = AFF_REAL },
    { .name = "spo2", .unit = "%", .type = AFF_REAL },
    { .name = "supplemental_oxygen", .type = AFF_BOOL },
    { .name = "systolic", .unit = "mm[Hg]", .type = AFF_REAL },
    { .name = "heart_rate", .unit = "/min", .type = AFF_REAL },
    { .name = "consciousness", .type = AFF_TEXT },
    { .name = "temperature", .unit = "Cel", .type = AFF_REAL },
    { .name = "spo2_scale", .type = AFF_INT },
};

static inline struct aff_schema schema_of(const struct aff_column *columns, uint32_t count)
{
    struct aff_schema s = { sizeof s, AFF_FIELDS, 0, 0, 0, "latest", columns, count, sizeof *columns, 0, 0 };

    return s;
}

static inline uint32_t stream_of(struct aff_harness *h, const char *subject, const struct aff_column *columns,
                                 uint32_t count)
{
    struct aff_schema s = schema_of(columns, count);

    return aff_harness_stream(h, subject, "latest", &s);
}

static inline uint32_t ward_of(struct aff_harness *h, const char *subject)
{
    return stream_of(h, subject, ward_columns, WARD_COLUMNS);
}

/* A healthy patient's row, with one cell changed. */
static inline void push_but(struct aff_harness *h, uint32_t stream, uint32_t column, struct aff_cell cell)
{
    struct aff_cell cells[WARD_COLUMNS] = { R(16), R(97), I(0), R(120), R(70), T("A"), R(37), NO };

    cells[column] = cell;
    aff_harness_push_row(h, "in", stream, cells, WARD_COLUMNS);
}

static inline const struct aff_record *take(struct aff_harness *h)
{
    const struct aff_record *r = aff_harness_take(h, "news2");

    assert_non_null(r);
    assert_false(r->flags & AFF_FLAG_END);
    return r;
}

#endif
