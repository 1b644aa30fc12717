/* SPDX-License-Identifier: Apache-2.0
 *
 * test_outcome.h - a patient's whole output as plain arrays, for tests.
 *
 * Also checked here for each record of a wave: its time is that of its first
 * sample, and no sample is missing without a flag. */
#ifndef IN_SYNTH_TEST_OUTCOME_H
#define IN_SYNTH_TEST_OUTCOME_H

#include <afferent/testkit.h>

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ward_inside.h"

#define FAST "pace = \"fast\"\n"
#define ALL FAST "signals = [\"vitals\", \"respiration\", \"pleth\", \"pressure\"]\n"
#define STILL "variation = 0.0\nheart_rate_sd = 0.0\n"
#define ROWS 4000
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct wave {
    double rate;
    size_t count;
    double *value;
    int64_t gap_at;  /* index of the first sample of the record flagged GAP; -1 */
    int64_t hole_at; /* index of the first sample that is not there; -1 */
    int64_t first;   /* index behind that hole */
};

struct row {
    double t, respiratory_rate, spo2, heart_rate, systolic, diastolic, mean, temperature;
    char level; /* 0: none */
    int oxygen; /* -1: none */
    bool gap;
};

struct outcome {
    struct wave respiration, pleth, pressure;
    size_t rows, beats;
    struct row row[ROWS];
    double beat[ROWS];
    uint64_t digest;
};

static inline void wave_take(struct aff_harness *h, const char *port, struct wave *wave)
{
    const struct aff_record *r = NULL;
    int64_t next = 0;

    *wave = (struct wave){ .gap_at = -1, .hole_at = -1 };
    while ((r = aff_harness_take(h, port)) != NULL && !(r->flags & AFF_FLAG_END)) {
        const struct aff_samples *s = r->data;
        const struct aff_schema *schema = aff_harness_schema(h, r);
        const int16_t *x = aff_plane(r, 0);

        wave->rate = (double)schema->rate_num / (double)schema->rate_den;
        assert_int_equal(r->event_ns, s->first * INT64_C(1000000000) / (int64_t)schema->rate_num);
        if (r->flags & AFF_FLAG_GAP)
            wave->gap_at = wave->gap_at < 0 ? s->first : wave->gap_at;
        assert_true(s->first == next || (r->flags & AFF_FLAG_GAP));
        wave->hole_at = s->first != next && wave->hole_at < 0 ? next : wave->hole_at;
        wave->first = s->first != next ? s->first : wave->first;
        wave->value = realloc(wave->value, ((size_t)s->first + s->count) * sizeof *wave->value);
        assert_non_null(wave->value);
        for (; next < s->first; next++)
            wave->value[next] = (double)NAN;
        for (uint32_t i = 0; i < s->count; i++)
            wave->value[next++] = x[i] / schema->columns[0].gain;
    }
    wave->count = (size_t)next;
}

static inline void rows_take(struct aff_harness *h, struct outcome *o)
{
    const struct aff_record *r = NULL;

    while ((r = aff_harness_take(h, "vitals")) != NULL && !(r->flags & AFF_FLAG_END)) {
        const char *level = aff_harness_text(h, r, "consciousness");
        int64_t oxygen = aff_harness_int(h, r, "supplemental_oxygen");

        assert_true(o->rows < ROWS);
        o->row[o->rows++] = (struct row){
            .t = (double)r->event_ns / 1e9,
            .respiratory_rate = aff_harness_real(h, r, "respiratory_rate"),
            .spo2 = aff_harness_real(h, r, "spo2"),
            .heart_rate = aff_harness_real(h, r, "heart_rate"),
            .systolic = aff_harness_real(h, r, "systolic"),
            .diastolic = aff_harness_real(h, r, "diastolic"),
            .mean = aff_harness_real(h, r, "mean_pressure"),
            .temperature = aff_harness_real(h, r, "temperature"),
            .level = level ? level[0] : '\0',
            .oxygen = oxygen == INT64_MIN ? -1 : (int)oxygen,
            .gap = (r->flags & AFF_FLAG_GAP) != 0,
        };
    }
}

/* Runs a patient to its end. */
static inline struct outcome *outcome_of(const char *toml)
{
    struct aff_harness *h = aff_harness_open("in_synth", toml);
    struct outcome *o = calloc(1, sizeof *o);
    const struct aff_record *r = NULL;

    assert_non_null(o);
    EXPECT_STATUS(aff_harness_read_all(h, 64, 0), AFF_END);
    wave_take(h, "respiration", &o->respiration);
    wave_take(h, "pleth", &o->pleth);
    wave_take(h, "pressure", &o->pressure);
    rows_take(h, o);
    while ((r = aff_harness_take(h, "truth")) != NULL && !(r->flags & AFF_FLAG_END) && o->beats < ROWS)
        o->beat[o->beats++] = (double)r->event_ns / 1e9;
    o->digest = aff_harness_digest(h);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    return o;
}

static inline void outcome_free(struct outcome **o)
{
    free((*o)->respiration.value);
    free((*o)->pleth.value);
    free((*o)->pressure.value);
    free(*o);
    *o = NULL;
}

static inline const struct row *row_at(const struct outcome *o, double t)
{
    for (size_t i = 0; i < o->rows; i++)
        if (fabs(o->row[i].t - t) < 1e-6)
            return &o->row[i];
    fail_msg("no row at %g s", t);
    return NULL;
}

/* Times at which a wave comes up through the middle of its range, having been
 * down near the bottom before. */
static inline size_t ups_find(const struct wave *wave, double *ret_at, size_t room)
{
    double low = 1e9, high = -1e9;
    bool down = false;
    size_t n = 0;

    for (size_t i = 0; i < wave->count; i++) {
        low = wave->value[i] < low ? wave->value[i] : low;
        high = wave->value[i] > high ? wave->value[i] : high;
    }
    for (size_t i = 0; i < wave->count && n < room; i++) {
        double part = (wave->value[i] - low) / (high - low);

        if (down && part > 0.55)
            ret_at[n++] = (double)i / wave->rate;
        down = part < 0.30 ? true : part > 0.55 ? false : down;
    }
    return n;
}

#endif
