/* SPDX-License-Identifier: Apache-2.0
 *
 * test_detector.c - what the detector promises, on made signals.
 *
 * Here are the things that recordings do not show on demand: rates, amplitudes,
 * pauses, noise alone, holes. Recordings are judged in test_mitdb.c. */
#include <afferent/testkit.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "detector.h"
#include "test_heart.h"

/* A signal, and what the detector made of it. */
struct trial {
    struct heart heart;
    double rate;
    double seconds;
    double noise;               /* mV */
    double (*gain)(double t);   /* NULL: 1 */
    double (*added)(double t);  /* mV; NULL: none */
    size_t matched, missed, extra;
    double late;                /* longest delay, s */
    double error;               /* largest distance of a match, s */
    double last_rate;
};

static double voltage(struct trial *t, double at)
{
    double v = heart_at(&t->heart, at) * (t->gain ? t->gain(at) : 1.0);

    return v + (t->added ? t->added(at) : 0.0) + (t->noise > 0.0 ? t->noise * heart_noise(&t->heart) : 0.0);
}

static void beats_note(struct trial *t, const struct qrs_beat *beats, size_t count, double now, size_t *next)
{
    size_t i;

    for (i = 0; i < count; i++) {
        double at = (double)beats[i].sample / t->rate;

        t->late = now - at > t->late ? now - at : t->late;
        t->last_rate = beats[i].rate;
        assert_true(beats[i].quality >= 0.0 && beats[i].quality <= 1.0);
        for (; *next < t->heart.count && t->heart.beat[*next] < at - 0.075; (*next)++)
            t->missed++;
        if (*next < t->heart.count && t->heart.beat[*next] <= at + 0.075) {
            t->matched++;
            t->error = fmax(t->error, fabs(at - t->heart.beat[(*next)++]));
        } else {
            t->extra++;
        }
    }
}

static void trial_run(struct trial *t)
{
    static struct qrs q;
    struct qrs_beat beats[QRS_BEATS_MAX];
    size_t next = 0;
    int64_t i, n = (int64_t)(t->seconds * t->rate);

    assert_int_equal(qrs_open(&q, t->rate), 0);
    for (i = 0; i < n; i++)
        beats_note(t, beats, qrs_push(&q, voltage(t, (double)i / t->rate), beats), (double)i / t->rate, &next);
    beats_note(t, beats, qrs_restart(&q, 0, beats), t->seconds, &next);
    t->missed += t->heart.count - next;
}

static void expect_all(const struct trial *t)
{
    assert_int_equal(t->missed, 0);
    assert_int_equal(t->extra, 0);
    assert_int_equal(t->matched, t->heart.count);
    assert_true(t->late <= 2.5);
}

TEST(every_heart_rate_is_counted_at_every_sampling_rate)
{
    static const double rates[] = { 100, 128, 200, 250, 257.3, 360, 500, 1000, 2000 };
    size_t i;
    double pulse;

    for (i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        for (pulse = 30; pulse <= 240; pulse += 30) {
            struct trial t = { .rate = rates[i], .seconds = 30, .noise = 0.01 };

            heart_beat(&t.heart, 0.5, 29.5, 60.0 / pulse);
            trial_run(&t);
            expect_all(&t);
            assert_true(fabs(t.last_rate - pulse) < 0.01 * pulse);
            assert_true(t.error <= 0.006 + 0.5 / rates[i]);
        }
    }
}

static double tenth(double t)
{
    (void)t;
    return 0.1;
}

static double inverted(double t)
{
    (void)t;
    return -10.0;
}

static double wander(double t)
{
    return 2.0 * sin(6.283185307 * 0.5 * t);
}

static double hum(double t)
{
    return 0.5 * sin(6.283185307 * 50.0 * t);
}

TEST(size_polarity_drift_and_hum_do_not_matter)
{
    struct trial t[] = {
        { .rate = 250, .seconds = 60, .gain = tenth, .noise = 0.001 },
        { .rate = 250, .seconds = 60, .gain = inverted },
        { .rate = 250, .seconds = 60, .added = wander, .noise = 0.01 },
        { .rate = 500, .seconds = 60, .added = hum, .noise = 0.01 },
        { .rate = 360, .seconds = 60, .noise = 0.1 },
    };
    size_t i;

    for (i = 0; i < sizeof t / sizeof t[0]; i++) {
        heart_beat(&t[i].heart, 0.5, 59.5, 0.83);
        trial_run(&t[i]);
        expect_all(&t[i]);
    }
}

TEST(nothing_is_found_where_there_is_no_heart)
{
    static const double noise[] = { 0.0, 0.002, 0.01, 0.05 };
    size_t i;

    for (i = 0; i < sizeof noise / sizeof noise[0]; i++) {
        struct trial t = { .rate = 250, .seconds = 1200, .noise = noise[i] };

        trial_run(&t);
        assert_int_equal(t.extra, 0);
        t.added = wander;
        trial_run(&t);
        assert_int_equal(t.extra, 0);
    }
}

/* 40 s without a heart, with the noise of a good and of a bad electrode. */
TEST(asystole_brings_no_beats_and_the_first_one_after_it_counts)
{
    static const double noise[] = { 0.0, 0.01, 0.03 };
    size_t i;

    for (i = 0; i < sizeof noise / sizeof noise[0]; i++) {
        struct trial t = { .rate = 360, .seconds = 90, .noise = noise[i] };

        heart_beat(&t.heart, 0.5, 20, 0.8);
        heart_beat(&t.heart, 60, 89.5, 0.8);
        trial_run(&t);
        expect_all(&t);
    }
}

TEST(a_pause_of_four_seconds_is_a_pause)
{
    struct trial t = { .rate = 250, .seconds = 100, .noise = 0.02 };
    double at;

    for (at = 0.5; at < 96; at += 10) {
        heart_beat(&t.heart, at, at + 5.9, 0.8);
    }
    trial_run(&t);
    expect_all(&t);
}

TEST(a_rate_that_leaps_is_followed_at_once)
{
    struct trial t = { .rate = 250, .seconds = 90, .noise = 0.01 };

    heart_beat(&t.heart, 0.5, 30, 1.0);
    heart_beat(&t.heart, 30.2, 60, 0.33);
    heart_beat(&t.heart, 60.6, 89, 1.3);
    trial_run(&t);
    expect_all(&t);
}

static double third_later(double t)
{
    return t < 30.1 ? 1.0 : 0.33;
}

static double tenfold_later(double t)
{
    return t < 30.1 ? 1.0 : 10.0;
}

static double tenth_later(double t)
{
    return t < 30.1 ? 1.0 : 0.1;
}

TEST(an_amplitude_that_leaps_is_followed_at_once_and_a_tenfold_fall_within_ten_seconds)
{
    struct trial t[] = {
        { .rate = 250, .seconds = 90, .noise = 0.005, .gain = third_later },
        { .rate = 250, .seconds = 90, .noise = 0.005, .gain = tenfold_later },
        { .rate = 250, .seconds = 90, .noise = 0.002, .gain = tenth_later },
    };
    size_t i;

    for (i = 0; i < sizeof t / sizeof t[0]; i++) {
        heart_beat(&t[i].heart, 0.5, 89.5, 0.86);
        trial_run(&t[i]);
        assert_int_equal(t[i].extra, 0);
        assert_true(t[i].missed <= (i == 2 ? 11u : 0u));
    }
}

/* Baselines that jump by one complex or by four, and come back slowly. */
static double pops(double t)
{
    double since = fmod(t, 7.0) - 3.1;

    return since < 0.0 ? 0.0 : (fmod(t, 14.0) < 7.0 ? 4.0 : -1.2) * exp(-since / 0.8);
}

TEST(a_baseline_that_jumps_is_no_beat)
{
    struct trial t = { .rate = 360, .seconds = 120, .noise = 0.01, .added = pops };

    heart_beat(&t.heart, 0.5, 119.5, 1.0);
    trial_run(&t);
    assert_int_equal(t.extra, 0);
    assert_true(t.missed <= 17); /* one beat a jump at most */
}

static double clipped_part(double v)
{
    return v > 0.4 ? 0.4 : v < -0.1 ? -0.1 : v;
}

TEST(saturation_and_a_flat_line_are_survived)
{
    struct trial t = { .rate = 250, .seconds = 60 };
    static struct qrs q;
    struct qrs_beat beats[QRS_BEATS_MAX];
    size_t found = 0, flat = 0;
    int i;

    heart_beat(&t.heart, 0.5, 30, 0.8);
    assert_int_equal(qrs_open(&q, t.rate), 0);
    for (i = 0; i < 250 * 60; i++) {
        double at = i / t.rate;
        size_t n = qrs_push(&q, at < 31 ? clipped_part(heart_at(&t.heart, at)) : 5.0, beats);

        found += n;
        flat += at > 33 ? n : 0;
    }
    assert_int_equal(flat, 0);
    assert_in_range(found, t.heart.count, t.heart.count + 1);
}

/* Everything that a stream may throw at it: values that are none, or huge. */
TEST(hostile_values_do_no_harm)
{
    static const double values[] = { 0, 1, -1, 1e300, -1e300, 1e8, -1e8, 1e-300, (double)INFINITY, (double)NAN, -0.0 };
    static struct qrs q;
    struct qrs_beat beats[QRS_BEATS_MAX];
    struct heart h = { .seed = 7 };
    double last = -1;
    size_t n, k;
    int i;

    assert_int_equal(qrs_open(&q, 100), 0);
    for (i = 0; i < 300000; i++) {
        double pick = fabs(heart_noise(&h));

        n = qrs_push(&q, values[(size_t)(pick * 1000) % (sizeof values / sizeof values[0])], beats);
        assert_true(n <= QRS_BEATS_MAX);
        for (k = 0; k < n; k++) {
            assert_true((double)beats[k].sample > last);
            last = (double)beats[k].sample;
            assert_true(last <= i);
        }
    }
}

TEST(rates_out_of_range_are_refused)
{
    static struct qrs q;

    assert_int_equal(qrs_open(&q, 99.9), -1);
    assert_int_equal(qrs_open(&q, 2000.1), -1);
    assert_int_equal(qrs_open(&q, 0), -1);
    assert_int_equal(qrs_open(&q, -250), -1);
    assert_int_equal(qrs_open(&q, (double)NAN), -1);
    assert_int_equal(qrs_open(&q, (double)INFINITY), -1);
}

/* A hole of 200 ms is bridged; one of a second ends the segment: what was found
 * before it comes out, no interval reaches over it, and the count goes on. */
TEST(holes_are_bridged_or_end_the_segment)
{
    static const double hole[] = { 0.2, 1.0 };
    size_t k, i;

    for (k = 0; k < 2; k++) {
        struct heart h = { .count = 0 };
        static struct qrs q;
        struct qrs_beat beats[QRS_BEATS_MAX];
        size_t found = 0, unknown = 0;
        int s;

        heart_beat(&h, 0.5, 59.5, 0.9);
        assert_int_equal(qrs_open(&q, 250), 0);
        for (s = 0; s < 60 * 250; s++) {
            double t = s / 250.0;
            int is_hole = t > 30.5 && t < 30.5 + hole[k]; /* beats at 30.2, 31.1, 32.0 */
            size_t n = qrs_push(&q, is_hole ? (double)NAN : heart_at(&h, t), beats);

            for (i = 0; i < n; i++) {
                unknown += isnan(beats[i].rr_ms) != 0;
                assert_true(fabs(remainder((double)beats[i].sample / 250.0 - 0.5, 0.9)) < 0.01);
            }
            found += n;
        }
        found += qrs_restart(&q, 0, beats);
        assert_int_equal(found, k == 0 ? h.count : h.count - 1);
        assert_int_equal(unknown, k == 0 ? 1 : 2);
    }
}

/* The state is all there is: kept as bytes and put elsewhere, it goes on. */
TEST(a_copy_of_the_state_goes_on_alike)
{
    static struct qrs a, b;
    struct qrs_beat of_a[QRS_BEATS_MAX], of_b[QRS_BEATS_MAX];
    struct heart h = { .seed = 3 };
    int i;

    heart_beat(&h, 0.5, 59.5, 0.7);
    assert_int_equal(qrs_open(&a, 360), 0);
    for (i = 0; i < 360 * 60; i++) {
        double v = heart_at(&h, i / 360.0) + 0.05 * heart_noise(&h);
        size_t n;

        if (i % 997 == 0) {
            memcpy(&b, &a, sizeof b);
            memset(&a, 0x5a, sizeof a);
            memcpy(&a, &b, sizeof a);
        }
        n = qrs_push(&a, v, of_a);
        if (i < 997)
            continue;
        assert_int_equal(qrs_push(&b, v, of_b), n);
        assert_memory_equal(of_a, of_b, n * sizeof of_a[0]);
    }
}

/* Before the first window is learned beats wait; a recording that ends sooner
 * has them all the same. */
TEST(a_recording_of_one_and_a_half_seconds_has_its_beats)
{
    struct trial t = { .rate = 250, .seconds = 1.5 };

    heart_beat(&t.heart, 0.3, 1.3, 0.5);
    trial_run(&t);
    expect_all(&t);
}

AFF_TEST_MAIN(every_heart_rate_is_counted_at_every_sampling_rate, size_polarity_drift_and_hum_do_not_matter,
              nothing_is_found_where_there_is_no_heart, asystole_brings_no_beats_and_the_first_one_after_it_counts,
              a_pause_of_four_seconds_is_a_pause, a_rate_that_leaps_is_followed_at_once,
              an_amplitude_that_leaps_is_followed_at_once_and_a_tenfold_fall_within_ten_seconds,
              a_baseline_that_jumps_is_no_beat, saturation_and_a_flat_line_are_survived, hostile_values_do_no_harm,
              rates_out_of_range_are_refused, holes_are_bridged_or_end_the_segment, a_copy_of_the_state_goes_on_alike,
              a_recording_of_one_and_a_half_seconds_has_its_beats)
