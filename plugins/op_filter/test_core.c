/* SPDX-License-Identifier: Apache-2.0
 *
 * test_core.c - the design against reference values, the running against sines.
 *
 * Two independent proofs: coefficients against those of reference.py (another
 * method, 80 digits), and what a sine of known amplitude comes out as. Then the
 * promises of run.h: cuts do not matter, missing samples poison nothing.
 *
 * Not here: streams, records and options (test_op_filter.c). */
#include "run.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "reference.h"

#define PI 3.14159265358979323846
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A lane with its memory, as a stream's state would hold it. */
struct bench {
    struct iir_chain chain;
    iir_age age;
    double memory[2 * IIR_SECTIONS_MAX];
};

static struct iir_lane bench_lane(struct bench *b, double zero)
{
    return (struct iir_lane){ .age = &b->age, .memory = b->memory, .zero = zero };
}

static struct bench bench_of(struct iir_spec spec, double rate_hz)
{
    struct bench b = { .age = 0 };

    assert_int_equal(iir_append(&b.chain, &spec, rate_hz), IIR_FINE);
    assert_int_equal(b.chain.count, iir_sections(&spec));
    return b;
}

static const struct iir_spec ecg_band = { IIR_BAND, 2, 0.5, 40.0, 0.0 };

/* |H| in the z plane, from the sections. */
static double gain_at(const struct iir_chain *chain, double hz, double rate_hz)
{
    double gain = 1.0, t = 2.0 * PI * hz / rate_hz;

    for (uint32_t k = 0; k < chain->count; k++) {
        const struct iir_section *s = &chain->section[k];
        double br = s->b0 + s->b1 * cos(t) + s->b2 * cos(2.0 * t);
        double bi = s->b1 * sin(t) + s->b2 * sin(2.0 * t);
        double ar = 1.0 + s->a1 * cos(t) + s->a2 * cos(2.0 * t);
        double ai = s->a1 * sin(t) + s->a2 * sin(2.0 * t);

        gain *= hypot(br, bi) / hypot(ar, ai);
    }
    return gain;
}

/* Amplitude that a sine of amplitude 1 has once the filter has swung in,
 * measured over whole periods against sine and cosine. */
static double sine_gain(struct bench *b, double hz, double rate_hz, size_t settle, size_t periods)
{
    size_t n = (size_t)((double)periods * rate_hz / hz + 0.5);
    double s = 0.0, c = 0.0;
    struct iir_lane lane = bench_lane(b, 0.0);

    for (size_t i = 0; i < settle + n; i++) {
        double t = 2.0 * PI * hz * (double)i / rate_hz;
        float x = (float)sin(t);

        iir_run_f32(&b->chain, lane, &x, 1);
        if (i >= settle) {
            s += (double)x * sin(t);
            c += (double)x * cos(t);
        }
    }
    return 2.0 * hypot(s, c) / (double)n;
}

static double db(double gain)
{
    return 20.0 * log10(gain);
}

static void polynomial(const struct iir_chain *chain, double *b, double *a)
{
    for (int i = 0; i < 17; i++)
        b[i] = a[i] = i == 0;
    for (uint32_t k = 0; k < chain->count; k++) {
        const struct iir_section *s = &chain->section[k];

        for (int i = 16; i >= 0; i--) {
            double b1 = i > 0 ? b[i - 1] : 0.0, b2 = i > 1 ? b[i - 2] : 0.0;
            double a1 = i > 0 ? a[i - 1] : 0.0, a2 = i > 1 ? a[i - 2] : 0.0;

            b[i] = s->b0 * b[i] + s->b1 * b1 + s->b2 * b2;
            a[i] = a[i] + s->a1 * a1 + s->a2 * a2;
        }
    }
}

static double largest(const double *x)
{
    double max = 0.0;

    for (int i = 0; i < 17; i++)
        max = fmax(max, fabs(x[i]));
    return max;
}

static void coefficients_are_those_of_the_reference(void **state)
{
    (void)state;
    for (size_t r = 0; r < COUNT(references); r++) {
        const struct reference *ref = &references[r];
        struct bench bench = bench_of(ref->spec, ref->rate_hz);
        double b[17], a[17];

        polynomial(&bench.chain, b, a);
        for (int i = 0; i < 17; i++) {
            if (fabs(b[i] - ref->b[i]) > 3e-13 * largest(ref->b) ||
                fabs(a[i] - ref->a[i]) > 3e-13 * largest(ref->a))
                fail_msg("case %zu term %d: b %.17g not %.17g, a %.17g not %.17g", r, i, b[i],
                         ref->b[i], a[i], ref->a[i]);
        }
    }
}

/* Every order at several rates, also where the edges lie far from the middle. */
static void each_edge_is_at_three_decibels(void **state)
{
    static const double rate[] = { 125.0, 250.0, 360.0, 999.9, 48000.0 };

    (void)state;
    for (size_t r = 0; r < COUNT(rate); r++) {
        for (int order = 1; order <= IIR_ORDER_MAX; order++) {
            double low_hz = rate[r] * 0.002, high_hz = rate[r] * 0.48;

            for (int kind = IIR_HIGH; kind <= IIR_STOP; kind++) {
                struct iir_spec spec = { (enum iir_kind)kind, order, low_hz, high_hz, 0.0 };
                struct bench b = bench_of(spec, rate[r]);

                if (kind != IIR_LOW)
                    assert_true(fabs(db(gain_at(&b.chain, low_hz, rate[r])) + 3.0103) < 1e-4);
                if (kind != IIR_HIGH)
                    assert_true(fabs(db(gain_at(&b.chain, high_hz, rate[r])) + 3.0103) < 1e-4);
            }
        }
    }
}

static void the_ends_of_the_spectrum_are_passed_or_stopped_exactly(void **state)
{
    (void)state;
    for (int order = 1; order <= IIR_ORDER_MAX; order++) {
        struct bench low = bench_of((struct iir_spec){ IIR_LOW, order, 0, 40, 0 }, 360);
        struct bench high = bench_of((struct iir_spec){ IIR_HIGH, order, 0.5, 0, 0 }, 360);
        struct bench band = bench_of((struct iir_spec){ IIR_BAND, order, 5, 15, 0 }, 360);
        struct bench stop = bench_of((struct iir_spec){ IIR_STOP, order, 45, 55, 0 }, 360);

        assert_true(fabs(gain_at(&low.chain, 0, 360) - 1.0) < 1e-12);
        assert_true(gain_at(&low.chain, 180, 360) < 1e-14);
        assert_true(gain_at(&high.chain, 0, 360) < 1e-14);
        assert_true(fabs(gain_at(&high.chain, 180, 360) - 1.0) < 1e-9);
        assert_true(gain_at(&band.chain, 0, 360) < 1e-14);
        assert_true(gain_at(&band.chain, 180, 360) < 1e-14);
        assert_true(fabs(gain_at(&stop.chain, 0, 360) - 1.0) < 1e-12);
        assert_true(fabs(gain_at(&stop.chain, 180, 360) - 1.0) < 1e-12);
    }
}

static void every_pole_lies_inside_the_unit_circle(void **state)
{
    static const double rate[] = { 100.5, 360.0, 20000.0 };

    (void)state;
    for (size_t r = 0; r < COUNT(rate); r++) {
        for (int kind = IIR_HIGH; kind <= IIR_NOTCH; kind++) {
            for (int order = 1; order <= IIR_ORDER_MAX; order++) {
                double edge = rate[r] * 2e-6;
                struct iir_spec spec = { (enum iir_kind)kind, order, edge, 50, 1 };
                struct bench b = bench_of(spec, rate[r]);

                for (uint32_t k = 0; k < b.chain.count; k++) {
                    const struct iir_section *s = &b.chain.section[k];

                    assert_true(fabs(s->a2) < 1.0 && fabs(s->a1) < 1.0 + s->a2 + 1e-15);
                }
            }
        }
    }
}

/* Butterworth: |H|^2 = 1 / (1 + (warped f / warped edge)^2n). */
static void sines_come_out_as_the_formula_says(void **state)
{
    static const double hz[] = { 2.0, 10.0, 30.0, 40.0, 60.0, 90.0 };

    (void)state;
    for (int order = 1; order <= 6; order++) {
        for (size_t i = 0; i < COUNT(hz); i++) {
            struct bench b = bench_of((struct iir_spec){ IIR_LOW, order, 0, 40, 0 }, 360);
            double ratio = tan(PI * hz[i] / 360) / tan(PI * 40 / 360.0);
            double want = 1.0 / sqrt(1.0 + pow(ratio, 2.0 * order));

            assert_true(fabs(sine_gain(&b, hz[i], 360, 720, (size_t)(hz[i] * 4)) - want) < 1e-6);
        }
    }
}

static void the_ecg_band_passes_ten_hertz_and_stops_wander_and_hum(void **state)
{
    struct bench pass = bench_of(ecg_band, 360);
    struct bench wander = bench_of(ecg_band, 360);
    struct bench hum = bench_of((struct iir_spec){ IIR_BAND, 4, 0.5, 25, 0 }, 360);

    (void)state;
    assert_true(fabs(db(sine_gain(&pass, 10, 360, 7200, 100))) < 0.05);
    assert_true(db(sine_gain(&wander, 0.05, 360, 36000, 4)) < -38.0);
    assert_true(db(sine_gain(&hum, 60, 360, 7200, 600)) < -33.0);
}

static void a_notch_stops_its_centre_and_is_as_wide_as_q_says(void **state)
{
    struct iir_spec spec = { IIR_NOTCH, 0, 50, 0, 30 };
    struct bench centre = bench_of(spec, 360), beside = bench_of(spec, 360);
    double half = 50.0 / 30.0 / 2.0, low = 49.0, high = 50.0;

    (void)state;
    assert_true(db(sine_gain(&centre, 50, 360, 7200, 500)) < -120.0);
    assert_true(fabs(db(sine_gain(&beside, 40, 360, 7200, 400))) < 0.05);
    /* find the lower -3 dB point; the upper one is q's width above it */
    for (int i = 0; i < 60; i++) {
        double middle = (low + high) / 2.0;

        if (db(gain_at(&centre.chain, middle, 360)) > -3.0102999566)
            low = middle;
        else
            high = middle;
    }
    assert_true(fabs(low - 50.0) > 0.9 * half && fabs(low - 50.0) < 1.1 * half);
    assert_true(fabs(db(gain_at(&centre.chain, low + 2.0 * half, 360)) + 3.0103) < 1e-3);
}

static void an_edge_at_nyquist_is_refused_and_the_text_says_where_to_go(void **state)
{
    struct iir_chain chain = { .count = 0 };
    struct iir_spec spec = { IIR_BAND, 2, 0.5, 40, 0 };
    char text[256];

    (void)state;
    assert_int_equal(iir_append(&chain, &spec, 80), IIR_ABOVE_NYQUIST);
    iir_explain(IIR_ABOVE_NYQUIST, &spec, 80, text, sizeof text);
    assert_string_equal(text, "band: the edge at 40 Hz is not below half the sampling rate of 80 "
                              "Hz; choose an edge below 40 Hz or a faster signal");
    assert_int_equal(iir_append(&chain, &spec, 1e6), IIR_BELOW_RATIO);
    iir_explain(IIR_BELOW_RATIO, &spec, 1e6, text, sizeof text);
    assert_non_null(strstr(text, "at least 1 Hz"));
    assert_int_equal(chain.count, 0);
    assert_int_equal(iir_append(&chain, &spec, 80.01), IIR_FINE);
}

static void nonsense_is_refused_and_leaves_the_chain_alone(void **state)
{
    static const struct iir_spec bad[] = {
        { IIR_LOW, 0, 0, 40, 0 },      { IIR_LOW, 9, 0, 40, 0 },    { IIR_LOW, 2, 0, -1, 0 },
        { IIR_HIGH, 2, 0, 0, 0 },      { IIR_BAND, 2, 40, 40, 0 },  { IIR_BAND, 2, 41, 40, 0 },
        { IIR_STOP, 2, (double)NAN, 40, 0 },   { IIR_NOTCH, 0, 50, 0, 0 },
        { IIR_NOTCH, 0, 50, 0, (double)NAN },
        { IIR_NOTCH, 0, (double)INFINITY, 0, 5 },
        { IIR_KINDS, 1, 1, 2, 1 },
    };
    struct iir_chain chain = { .count = 0 };
    struct iir_spec wide = { IIR_BAND, 8, 1, 2, 0 };

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_int_equal(iir_append(&chain, &bad[i], 360), IIR_BAD_SPEC);
    assert_int_equal(iir_append(&chain, &ecg_band, 0), IIR_BAD_RATE);
    assert_int_equal(iir_append(&chain, &ecg_band, (double)NAN), IIR_BAD_RATE);
    assert_int_equal(chain.count, 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(iir_append(&chain, &wide, 360), IIR_FINE);
    assert_int_equal(iir_append(&chain, &wide, 360), IIR_TOO_MANY);
    assert_int_equal(chain.count, 24);
}

static void a_baseline_makes_no_transient_and_stays(void **state)
{
    struct bench b = bench_of(ecg_band, 360), raw = bench_of(ecg_band, 360);
    int16_t with[500], without[500];

    (void)state;
    for (size_t i = 0; i < COUNT(with); i++)
        with[i] = without[i] = 1024;
    assert_int_equal(iir_run_i16(&b.chain, bench_lane(&b, 1024), with, COUNT(with)), 0);
    assert_int_equal(iir_run_i16(&raw.chain, bench_lane(&raw, 0), without, COUNT(without)), 0);
    for (size_t i = 0; i < COUNT(with); i++) {
        assert_int_equal(with[i], 1024);
        assert_int_equal(without[i], 0);
    }
}

/* A signal with everything in it: noise, steps, missing samples, silence. */
static void signal_make(float *x, size_t n, uint64_t seed)
{
    for (size_t i = 0; i < n; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        x[i] = (float)(int32_t)(seed >> 32) / 1e7f;
        if (i % 997 < 400)
            x[i] = 0.0f;
        if (seed >> 56 == 3)
            x[i] = i % 2 ? NAN : -INFINITY;
    }
}

static void any_cut_gives_the_same_bytes(void **state)
{
    enum { N = 20000 };
    float *whole = calloc(N, sizeof *whole), *cut = calloc(N, sizeof *cut);
    struct bench a = bench_of(ecg_band, 360), b = a;
    unsigned seed = 7;

    (void)state;
    assert_true(whole && cut);
    signal_make(whole, N, 1);
    memcpy(cut, whole, N * sizeof *cut);
    iir_run_f32(&a.chain, bench_lane(&a, 3.5), whole, N);
    for (size_t at = 0, n = 0; at < N; at += n) {
        n = (size_t)rand_r(&seed) % 700;
        n = n < N - at ? n : N - at;
        iir_run_f32(&b.chain, bench_lane(&b, 3.5), cut + at, n);
    }
    assert_memory_equal(whole, cut, N * sizeof *cut);
    assert_memory_equal(a.memory, b.memory, sizeof a.memory);
    free(whole);
    free(cut);
}

static void a_missing_sample_stays_missing_and_poisons_nothing(void **state)
{
    static const float hole[] = { NAN, INFINITY, -INFINITY };

    (void)state;
    for (size_t h = 0; h < COUNT(hole); h++) {
        struct bench b = bench_of(ecg_band, 360), fresh = b;
        float x[600], behind[300];

        for (size_t i = 0; i < 600; i++)
            x[i] = (float)sin((double)i);
        x[299] = hole[h];
        memcpy(behind, x + 300, sizeof behind);
        iir_run_f32(&b.chain, bench_lane(&b, 0), x, 600);
        iir_run_f32(&fresh.chain, bench_lane(&fresh, 0), behind, 300);
        assert_true(isnan(x[299]));
        assert_memory_equal(x + 300, behind, sizeof behind);
    }
}

static void integers_round_to_even_clip_and_keep_their_holes(void **state)
{
    struct bench b = { .age = 0 };
    int16_t x[] = { 32767, -32767, INT16_MIN, 5 };
    int32_t y[] = { INT32_MAX, INT32_MIN, -INT32_MAX };
    float z[] = { 3e38f, -3e38f };
    struct iir_section twice = { 2.0, 0, 0, 0, 0 }, half = { 0.5, 0, 0, 0, 0 };

    (void)state;
    b.chain.section[b.chain.count++] = twice;
    assert_int_equal(iir_run_i16(&b.chain, bench_lane(&b, 0), x, 4), 2);
    assert_int_equal(x[0], 32767);
    assert_int_equal(x[1], -32767);
    assert_int_equal(x[2], INT16_MIN);
    assert_int_equal(x[3], 10);
    assert_int_equal(iir_run_i32(&b.chain, bench_lane(&b, 0), y, 3), 2);
    assert_int_equal(y[0], INT32_MAX);
    assert_int_equal(y[1], INT32_MIN);
    assert_int_equal(y[2], -INT32_MAX);
    assert_int_equal(iir_run_f32(&b.chain, bench_lane(&b, 0), z, 2), 2);
    assert_true(isfinite(z[0]) && isfinite(z[1]) && z[0] > 3.4e38f && z[1] < -3.4e38f);
    b.chain.section[0] = half;
    for (int16_t i = -6; i <= 6; i++) {
        int16_t v = i;

        iir_run_i16(&b.chain, bench_lane(&b, 0), &v, 1);
        assert_int_equal(v, (int)nearbyint(i / 2.0));
    }
}

static void silence_leaves_no_denormal_in_the_memory(void **state)
{
    struct bench b = bench_of((struct iir_spec){ IIR_LOW, 8, 0, 100, 0 }, 360);
    static float x[100000];

    (void)state;
    x[0] = 1.0f;
    x[1] = -1.0f;
    iir_run_f32(&b.chain, bench_lane(&b, 0), x, COUNT(x));
    for (size_t i = 0; i < 2u * b.chain.count; i++)
        assert_true(b.memory[i] == 0.0 || fpclassify(b.memory[i]) == FP_NORMAL);
    assert_true(b.memory[0] == 0.0);
}

/* Where the memory is cleared must not depend on the cut either. */
static void a_decay_into_silence_is_the_same_however_it_is_cut(void **state)
{
    struct bench a = bench_of((struct iir_spec){ IIR_LOW, 4, 0, 60, 0 }, 360), b = a;
    float whole[2000] = { 1.0f, -1.0f }, cut[2000] = { 1.0f, -1.0f };

    (void)state;
    for (size_t at = 0; at < COUNT(whole); at++)
        iir_run_f32(&a.chain, bench_lane(&a, 0), whole + at, 1);
    for (size_t at = 0, n = 0; at < COUNT(cut); at += n) {
        n = COUNT(cut) - at < 90 ? COUNT(cut) - at : 90;
        iir_run_f32(&b.chain, bench_lane(&b, 0), cut + at, n);
    }
    assert_memory_equal(whole, cut, sizeof cut);
    assert_memory_equal(a.memory, b.memory, sizeof a.memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(coefficients_are_those_of_the_reference),
        cmocka_unit_test(each_edge_is_at_three_decibels),
        cmocka_unit_test(the_ends_of_the_spectrum_are_passed_or_stopped_exactly),
        cmocka_unit_test(every_pole_lies_inside_the_unit_circle),
        cmocka_unit_test(sines_come_out_as_the_formula_says),
        cmocka_unit_test(the_ecg_band_passes_ten_hertz_and_stops_wander_and_hum),
        cmocka_unit_test(a_notch_stops_its_centre_and_is_as_wide_as_q_says),
        cmocka_unit_test(an_edge_at_nyquist_is_refused_and_the_text_says_where_to_go),
        cmocka_unit_test(nonsense_is_refused_and_leaves_the_chain_alone),
        cmocka_unit_test(a_baseline_makes_no_transient_and_stays),
        cmocka_unit_test(any_cut_gives_the_same_bytes),
        cmocka_unit_test(a_missing_sample_stays_missing_and_poisons_nothing),
        cmocka_unit_test(integers_round_to_even_clip_and_keep_their_holes),
        cmocka_unit_test(silence_leaves_no_denormal_in_the_memory),
        cmocka_unit_test(a_decay_into_silence_is_the_same_however_it_is_cut),
    };

    return cmocka_run_group_tests_name("op_filter_core", tests, NULL, NULL);
}
