/* SPDX-License-Identifier: Apache-2.0
 *
 * test_kit.h - rows of vital signs for the tests of op_latest. */
#ifndef OP_LATEST_TEST_KIT_H
#define OP_LATEST_TEST_KIT_H

#include <afferent/testkit.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#define S INT64_C(1000000000)
#define MIN (60 * S)
#define H (60 * MIN)

#define R(v) AFF_CELL_REAL(v)
#define I(v) AFF_CELL_INT(v)
#define T(v) AFF_CELL_TEXT(v)
#define NO AFF_CELL_NONE

/* Pushes a row at an event time. */
#define ROW_AT(h, stream, at, ...)                                             \
    (aff_harness_seek((h), (stream), 0, (at)), AFF_PUSH_ROW((h), "in", (stream), __VA_ARGS__))

/* The stream's rows have the columns; `count` of them. */
static inline uint32_t stream_of(struct aff_harness *h, const char *subject, const char *name,
                                 const struct aff_column *columns, uint32_t count)
{
    struct aff_schema s = { sizeof s, AFF_FIELDS, 0, 0, 0, name, columns, count, sizeof *columns, 0, 0 };

    return aff_harness_stream(h, subject, name, &s);
}

static const struct aff_column beat_columns[] = {
    { .name = "rr", .unit = "ms", .type = AFF_REAL },
    { .name = "heart_rate", .unit = "/min", .type = AFF_REAL },
};
static const struct aff_column vital_columns[] = {
    { .name = "spo2", .unit = "%", .type = AFF_REAL },
    { .name = "consciousness", .type = AFF_TEXT },
};
static const struct aff_column long_columns[] = {
    { .name = "Parameter", .type = AFF_TEXT },
    { .name = "Value", .type = AFF_REAL },
};

static inline uint32_t beats_of(struct aff_harness *h, const char *subject)
{
    return stream_of(h, subject, "ecg/beats", beat_columns, 2);
}

static inline uint32_t vitals_of(struct aff_harness *h, const char *subject)
{
    return stream_of(h, subject, "vitals", vital_columns, 2);
}

static inline uint32_t table_of(struct aff_harness *h, const char *subject)
{
    return stream_of(h, subject, "table", long_columns, 2);
}

static inline int same_real(double a, double b)
{
    return isnan(a) ? isnan(b) : !(a < b) && !(a > b);
}

/* The next row: its time and one real column (NAN: absent). */
static inline const struct aff_record *expect_row(struct aff_harness *h, int64_t at, const char *column, double value)
{
    const struct aff_record *r = aff_harness_take(h, "latest");

    assert_non_null(r);
    assert_false(r->flags & AFF_FLAG_END);
    assert_int_equal(r->event_ns, at);
    assert_true(same_real(aff_harness_real(h, r, column), value));
    return r;
}

static inline void expect_end(struct aff_harness *h)
{
    const struct aff_record *r = aff_harness_take(h, "latest");

    assert_non_null(r);
    assert_true(r->flags & AFF_FLAG_END);
}

#endif
