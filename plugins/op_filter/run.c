/* SPDX-License-Identifier: Apache-2.0
 *
 * run.c - the inner loops: transposed direct form II in double precision.
 *
 * Samples go through in blocks of at most BLOCK: taken out as doubles, run
 * through up to four sections at a time whose memory stays in registers,
 * rounded and put back. A lane that begins is settled as if its first sample had
 * stood there for ever, so a baseline of 1024 makes no step and no long tail.
 *
 * Not here: coefficients (design.c), which lane belongs to whom (op_filter.c). */
#include "run.h"

#include <float.h>
#include <math.h>

#define BLOCK 256

/* Memory below this is set to zero. It lies far under the least float (1e-45),
 * and between two looks (BLOCK samples) nothing can fall from it to where
 * processors become slow (2e-308) and stay there. */
#define SILENT 1e-60

struct memory {
    double m1, m2;
};

static inline double section_step(const struct iir_section *s, struct memory *m, double x)
{
    double y = s->b0 * x + m->m1;

    m->m1 = s->b1 * x + m->m2 - s->a1 * y;
    m->m2 = s->b2 * x - s->a2 * y;
    return y;
}

static void sections_run1(const struct iir_section *s, struct memory *m, double *x, size_t n)
{
    struct iir_section s0 = s[0];
    struct memory m0 = m[0];

    for (size_t i = 0; i < n; i++)
        x[i] = section_step(&s0, &m0, x[i]);
    m[0] = m0;
}

static void sections_run2(const struct iir_section *s, struct memory *m, double *x, size_t n)
{
    struct iir_section s0 = s[0], s1 = s[1];
    struct memory m0 = m[0], m1 = m[1];

    for (size_t i = 0; i < n; i++)
        x[i] = section_step(&s1, &m1, section_step(&s0, &m0, x[i]));
    m[0] = m0;
    m[1] = m1;
}

static void sections_run4(const struct iir_section *s, struct memory *m, double *x, size_t n)
{
    struct iir_section s0 = s[0], s1 = s[1], s2 = s[2], s3 = s[3];
    struct memory m0 = m[0], m1 = m[1], m2 = m[2], m3 = m[3];

    for (size_t i = 0; i < n; i++) {
        double y = section_step(&s1, &m1, section_step(&s0, &m0, x[i]));

        x[i] = section_step(&s3, &m3, section_step(&s2, &m2, y));
    }
    m[0] = m0;
    m[1] = m1;
    m[2] = m2;
    m[3] = m3;
}

static void chain_run(const struct iir_chain *chain, struct memory *m, double *x, size_t n)
{
    uint32_t k = 0;

    for (; chain->count - k >= 4; k += 4)
        sections_run4(&chain->section[k], &m[k], x, n);
    for (; chain->count - k >= 2; k += 2)
        sections_run2(&chain->section[k], &m[k], x, n);
    for (; k < chain->count; k++)
        sections_run1(&chain->section[k], &m[k], x, n);
}

/* The memory that a constant input leaves behind in each section. */
static void chain_settle(const struct iir_chain *chain, struct memory *m, double x)
{
    for (uint32_t k = 0; k < chain->count; k++) {
        const struct iir_section *s = &chain->section[k];
        double y = x * ((s->b0 + s->b1 + s->b2) / (1.0 + s->a1 + s->a2));

        m[k].m2 = s->b2 * x - s->a2 * y;
        m[k].m1 = s->b1 * x + m[k].m2 - s->a1 * y;
        x = y;
    }
}

static void chain_silence(const struct iir_chain *chain, struct memory *m)
{
    for (uint32_t k = 0; k < chain->count; k++) {
        if (fabs(m[k].m1) < SILENT)
            m[k].m1 = 0.0;
        if (fabs(m[k].m2) < SILENT)
            m[k].m2 = 0.0;
    }
}

/* How many samples may be run before the memory is next looked over. It is
 * counted from where the lane was settled, not from where a call began, so the
 * same samples cut otherwise give the same bits. */
static size_t block_size(iir_age age, size_t n)
{
    size_t room = BLOCK - (size_t)(age % BLOCK);

    return n < room ? n : room;
}

/* Runs a block of values that are all there. */
static void block_run(const struct iir_chain *chain, struct iir_lane lane, double *x, size_t n)
{
    struct memory *m = (struct memory *)lane.memory;

    if (*lane.age == 0)
        chain_settle(chain, m, x[0]);
    chain_run(chain, m, x, n);
    *lane.age += n;
    if (*lane.age % BLOCK == 0)
        chain_silence(chain, m);
}

/* To the nearest integer, half to even: adding this constant leaves no bit
 * behind the point. Exact below 2^51, and without a call on any processor. */
static inline double nearest(double x)
{
    const double shift = 6755399441055744.0;

    return (x + shift) - shift;
}

static size_t clip(double *x, size_t n, double zero, double limit)
{
    size_t clipped = 0;

    for (size_t i = 0; i < n; i++) {
        double y = nearest(x[i] + zero);

        clipped += (y > limit) | (y < -limit);
        y = y < limit ? y : limit;
        x[i] = y > -limit ? y : -limit;
    }
    return clipped;
}

static size_t clip_float(double *x, size_t n, double zero)
{
    size_t clipped = 0;

    for (size_t i = 0; i < n; i++) {
        double y = x[i] + zero;

        clipped += (y > (double)FLT_MAX) | (y < -(double)FLT_MAX);
        y = y < (double)FLT_MAX ? y : (double)FLT_MAX;
        x[i] = y > -(double)FLT_MAX ? y : -(double)FLT_MAX;
    }
    return clipped;
}

/* Takes the samples that are there, up to the first missing one; says how many. */
static size_t take_i16(const int16_t *x, size_t n, double zero, double *out)
{
    size_t i = 0;

    for (; i < n && x[i] != INT16_MIN; i++)
        out[i] = x[i] - zero;
    return i;
}

static size_t take_i32(const int32_t *x, size_t n, double zero, double *out)
{
    size_t i = 0;

    for (; i < n && x[i] != INT32_MIN; i++)
        out[i] = x[i] - zero;
    return i;
}

static size_t take_f32(const float *x, size_t n, double zero, double *out)
{
    size_t i = 0;

    for (; i < n && isfinite(x[i]); i++)
        out[i] = (double)x[i] - zero;
    return i;
}

/* The integer types reserve their least value for "missing", so they are
 * clipped to the one above it, and stay symmetrical. */
size_t iir_run_i16(const struct iir_chain *chain, struct iir_lane lane, int16_t *x, size_t n)
{
    double block[BLOCK];
    size_t clipped = 0, got = 0;

    for (; n > 0; x += got, n -= got) {
        got = take_i16(x, block_size(*lane.age, n), lane.zero, block);
        if (got == 0) {
            *lane.age = 0;
            got = 1;
            continue;
        }
        block_run(chain, lane, block, got);
        clipped += clip(block, got, lane.zero, INT16_MAX);
        for (size_t i = 0; i < got; i++)
            x[i] = (int16_t)block[i];
    }
    return clipped;
}

size_t iir_run_i32(const struct iir_chain *chain, struct iir_lane lane, int32_t *x, size_t n)
{
    double block[BLOCK];
    size_t clipped = 0, got = 0;

    for (; n > 0; x += got, n -= got) {
        got = take_i32(x, block_size(*lane.age, n), lane.zero, block);
        if (got == 0) {
            *lane.age = 0;
            got = 1;
            continue;
        }
        block_run(chain, lane, block, got);
        clipped += clip(block, got, lane.zero, INT32_MAX);
        for (size_t i = 0; i < got; i++)
            x[i] = (int32_t)block[i];
    }
    return clipped;
}

size_t iir_run_f32(const struct iir_chain *chain, struct iir_lane lane, float *x, size_t n)
{
    double block[BLOCK];
    size_t clipped = 0, got = 0;

    for (; n > 0; x += got, n -= got) {
        got = take_f32(x, block_size(*lane.age, n), lane.zero, block);
        if (got == 0) {
            *lane.age = 0;
            *x = NAN;
            got = 1;
            continue;
        }
        block_run(chain, lane, block, got);
        clipped += clip_float(block, got, lane.zero);
        for (size_t i = 0; i < got; i++)
            x[i] = (float)block[i];
    }
    return clipped;
}
