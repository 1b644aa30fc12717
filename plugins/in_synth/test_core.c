/* SPDX-License-Identifier: Apache-2.0
 *
 * test_core.c - the patient against the equations of the paper and its own truth.
 *
 * The signal is compared with a Runge-Kutta solution of the three differential
 * equations as printed, the truth with where the peaks are. Then the promises of
 * ecg.h: same seed, same bytes; cuts and copies of the state do not matter.
 *
 * Not here: what rhythm and chance are drawn from (test_rhythm.c); records, pace
 * and options (test_in_synth.c). */
#include "ecg.h"

#include <float.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PI EXACT_PI
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SECOND 360u
/* Over four minutes with everything switched on; see the test that uses it. */
#define GOLDEN 0xac85b086ffa0cb0u

#define MINUTES 4u
#define LENGTH (MINUTES * 60u * SECOND)

struct recording {
    struct ecg_config cfg;
    struct ecg ecg;
    int16_t *lead[ECG_LEADS];
    size_t length;
    size_t marks;
    struct ecg_mark mark[8192];
};

static struct ecg_config quiet_config(void)
{
    return (struct ecg_config){ .rate_hz = 360.0, .heart_rate = 75.0, .heart_rate_sd = 1.0,
                                .lf_hf = 0.5, .leads = 2, .seed = 1 };
}

static void recording_free(struct recording **r)
{
    for (int i = 0; i < ECG_LEADS; i++)
        free((*r)->lead[i]);
    free(*r);
    *r = NULL;
}

/* Runs a patient in calls of `cut` samples; 0: of changing sizes. */
static struct recording *recording_make(const struct ecg_config *cfg, size_t length, size_t cut)
{
    struct recording *r = calloc(1, sizeof *r);
    unsigned seed = 11;

    assert_non_null(r);
    r->cfg = *cfg;
    r->length = length;
    for (int i = 0; i < cfg->leads; i++) {
        r->lead[i] = calloc(length, sizeof *r->lead[i]);
        assert_non_null(r->lead[i]);
    }
    ecg_begin(&r->ecg, &r->cfg, 1, cfg->heart_rate);
    for (size_t at = 0, n = 0; at < length; at += n) {
        int16_t *plane[ECG_LEADS] = { NULL };

        n = cut ? cut : (size_t)rand_r(&seed) % 500;
        n = n < length - at ? n : length - at;
        for (int i = 0; i < cfg->leads; i++)
            plane[i] = r->lead[i] + at;
        r->marks += ecg_run(&r->ecg, &r->cfg, plane, n, r->mark + r->marks,
                            COUNT(r->mark) - r->marks);
        assert_true(r->marks < COUNT(r->mark));
    }
    return r;
}

static uint64_t bytes_hash(uint64_t hash, const void *data, size_t size)
{
    const unsigned char *p = data;

    for (size_t i = 0; i < size; i++)
        hash = (hash ^ p[i]) * 1099511628211u;
    return hash;
}

static uint64_t recording_hash(const struct recording *r)
{
    uint64_t hash = 14695981039346656037u;

    for (int i = 0; i < r->cfg.leads; i++)
        hash = bytes_hash(hash, r->lead[i], r->length * sizeof *r->lead[i]);
    for (size_t i = 0; i < r->marks; i++) {
        struct { int64_t sample; int64_t code; } told = { r->mark[i].sample, r->mark[i].code };

        if (!r->mark[i].unseen)
            hash = bytes_hash(hash, &told, sizeof told);
    }
    return hash;
}

/* --- rhythm ----------------------------------------------------------- */

static void intervals_have_the_mean_and_deviation_asked_for(void **state)
{
    struct ecg_config cfg = quiet_config();
    struct recording *r = NULL;
    double sum = 0.0, square = 0.0, n = 0.0, mean = 0.0;

    (void)state;
    cfg.heart_rate_sd = 3.0;
    r = recording_make(&cfg, 40u * 60u * SECOND, 3600);
    for (size_t i = 1; i < r->marks; i++, n += 1.0) {
        double rr = (double)(r->mark[i].sample - r->mark[i - 1].sample) / 360.0;

        sum += rr;
        square += rr * rr;
    }
    mean = sum / n;
    assert_true(fabs(mean - 0.8) < 0.004);
    assert_true(fabs(sqrt(square / n - mean * mean) / (60.0 * 3.0 / (75.0 * 75.0)) - 1.0) < 0.15);
    recording_free(&r);
}

/* --- signal ----------------------------------------------------------- */

struct ode {
    const struct ecg *ecg; /* for its waves */
    double omega;          /* rad/s */
    double wander_mv;
};

/* The three equations as printed, for lead II; x and y with their attraction. */
static void ode_slope(const struct ode *o, double t, const double *s, double *ret)
{
    double alpha = 1.0 - hypot(s[0], s[1]), theta = atan2(s[1], s[0]);

    ret[0] = alpha * s[0] - o->omega * s[1];
    ret[1] = alpha * s[1] + o->omega * s[0];
    ret[2] = -(s[2] - o->wander_mv * sin(2.0 * PI * RHYTHM_BREATH_HZ * t));
    for (int i = 0; i < ECG_WAVES; i++) {
        const struct ecg_wave *w = &o->ecg->wave[i];
        double d = remainder(theta - w->centre, 2.0 * PI);
        double a = w->amplitude[0] * o->omega * 2.0 * w->narrow;

        ret[2] -= a * d * exp(-d * d * w->narrow);
    }
}

static void ode_step(const struct ode *o, double t, double h, double *s)
{
    double k[4][3], at[3];

    ode_slope(o, t, s, k[0]);
    for (int j = 1; j < 4; j++) {
        double part = j == 3 ? h : h / 2.0;

        for (int i = 0; i < 3; i++)
            at[i] = s[i] + part * k[j - 1][i];
        ode_slope(o, t + part, at, k[j]);
    }
    for (int i = 0; i < 3; i++)
        s[i] += h / 6.0 * (k[0][i] + 2.0 * k[1][i] + 2.0 * k[2][i] + k[3][i]);
}

/* Both start at the first R peak; the slow part forgets its start in 10 s. */
static void the_signal_solves_the_equations_of_the_paper(void **state)
{
    struct ecg_config cfg = quiet_config();
    struct recording *r = NULL;
    struct ode o = { .wander_mv = 0.15 };
    double s[3] = { 1.0, 0.0, 0.0 }, worst = 0.0, start = 0.0;
    const int fine = 8;

    (void)state;
    cfg.heart_rate = 60.0 * 360.0 / 300.0; /* 300 samples a beat */
    cfg.heart_rate_sd = 0.0;
    cfg.wander_mv = 0.15;
    r = recording_make(&cfg, 40 * SECOND, 100);
    o.ecg = &r->ecg;
    o.omega = 2.0 * PI * 360.0 / 300.0;
    /* where the phase was 0, to the part of a sample, from where it is now */
    start = (double)r->length - 1.0 - r->ecg.theta / r->ecg.omega;
    start -= 300.0 * floor(start / 300.0);
    s[0] = cos(-start * 2.0 * PI / 300.0);
    s[1] = sin(-start * 2.0 * PI / 300.0);
    for (size_t i = 0; i < r->length; i++) {
        if (i > 15 * SECOND)
            worst = fmax(worst, fabs(s[2] * ECG_GAIN - r->lead[0][i]));
        for (int j = 0; j < fine; j++)
            ode_step(&o, ((double)i + (double)j / fine) / 360.0, 1.0 / 360.0 / fine, s);
    }
    recording_free(&r);
    assert_true(worst < 0.6); /* half a unit of rounding, and 0.5 uV */
}

static void the_truth_is_where_the_peaks_are(void **state)
{
    static const double rate[] = { 30.0, 60.0, 75.0, 120.0, 220.0 };

    (void)state;
    for (size_t k = 0; k < COUNT(rate); k++) {
        struct ecg_config cfg = quiet_config();
        struct recording *r = NULL;

        cfg.heart_rate = rate[k];
        r = recording_make(&cfg, LENGTH, 360);
        assert_in_range(r->marks, (uint64_t)(rate[k] * MINUTES * 0.97),
                        (uint64_t)(rate[k] * MINUTES * 1.03));
        for (size_t i = 1; i + 1 < r->marks; i++) {
            int64_t peak = r->mark[i].sample, top = peak;

            for (int64_t j = peak - 30; j <= peak + 30; j++)
                top = r->lead[0][j] > r->lead[0][top] ? j : top;
            assert_in_range(top - peak + 2, 1, 3);
            assert_true(r->lead[0][peak] > 150);
            assert_int_equal(r->mark[i].code, ECG_CODE_NORMAL);
        }
        recording_free(&r);
    }
}

/* --- episodes --------------------------------------------------------- */

static struct recording *episode_record(enum ecg_kind kind, double heart_rate, double level)
{
    struct ecg_config cfg = quiet_config();
    struct ecg_episode episode = { .from = 60 * SECOND, .until = 120 * SECOND, .kind = kind,
                                   .heart_rate = heart_rate, .level = level };
    struct recording *r = NULL;

    cfg.episodes = &episode;
    cfg.episode_count = 1;
    r = recording_make(&cfg, LENGTH, 0);
    r->cfg.episodes = NULL;
    return r;
}

static size_t marks_between(const struct recording *r, unsigned from_s, unsigned to_s)
{
    size_t n = 0;

    for (size_t i = 0; i < r->marks; i++)
        n += !r->mark[i].unseen && r->mark[i].sample >= from_s * SECOND && r->mark[i].sample < to_s * SECOND;
    return n;
}

static void the_heart_rate_follows_an_episode_and_comes_back(void **state)
{
    static const double rate[] = { 150.0, 40.0 };

    (void)state;
    for (size_t k = 0; k < COUNT(rate); k++) {
        struct recording *r = episode_record(k ? ECG_BRADYCARDIA : ECG_TACHYCARDIA, rate[k], 0);
        size_t during = (size_t)(rate[k] * 40 / 60);

        assert_in_range(marks_between(r, 10, 50), 48, 52);
        assert_in_range(marks_between(r, 75, 115), during - 2, during + 2);
        assert_in_range(marks_between(r, 135, 175), 48, 52);
        recording_free(&r);
    }
}

static void no_beat_begins_in_a_pause(void **state)
{
    struct recording *r = episode_record(ECG_PAUSE, 0, 0);

    (void)state;
    assert_int_equal(marks_between(r, 61, 120), 0);
    assert_in_range(marks_between(r, 120, 122), 2, 3);
    for (size_t i = 70 * SECOND; i < 119 * SECOND; i++)
        assert_in_range(r->lead[0][i] + 3, 0, 6);
    recording_free(&r);
}

static void ectopic_beats_come_early_and_are_made_up_for(void **state)
{
    struct recording *r = episode_record(ECG_ECTOPY, 0, 0);
    size_t found = 0;

    (void)state;
    for (size_t i = 2; i + 2 < r->marks; i++) {
        const struct ecg_mark *m = &r->mark[i];
        double usual = 0.8 * 360.0;

        if (m->code != ECG_CODE_PVC)
            continue;
        found++;
        assert_in_range(m->sample, 60 * SECOND, 121 * SECOND);
        assert_int_equal(m[1].code, ECG_CODE_NORMAL);
        assert_true(fabs((double)(m[0].sample - m[-1].sample) / usual - 0.65) < 0.06);
        assert_true(fabs((double)(m[1].sample - m[-1].sample) / usual - 2.0) < 0.15);
    }
    assert_in_range(found, 10, 30);
    recording_free(&r);
}

static void a_lead_that_is_off_gives_missing_samples_and_no_truth(void **state)
{
    struct recording *r = episode_record(ECG_LEAD_OFF, 0, 0);

    (void)state;
    for (size_t i = 0; i < r->length; i++) {
        bool off = i >= 60 * SECOND && i < 120 * SECOND;

        assert_int_equal(r->lead[0][i] == ECG_MISSING, off);
        assert_int_equal(r->lead[1][i] == ECG_MISSING, off);
    }
    assert_int_equal(marks_between(r, 60, 120), 0);
    assert_in_range(marks_between(r, 120, 160), 48, 52);
    recording_free(&r);
}

static double difference_sd(const struct recording *a, const struct recording *b, unsigned from_s,
                            unsigned to_s)
{
    double square = 0.0;

    for (size_t i = from_s * SECOND; i < to_s * SECOND; i++)
        square += pow((a->lead[0][i] - b->lead[0][i]) / ECG_GAIN, 2.0);
    return sqrt(square / ((to_s - from_s) * SECOND));
}

static void noise_is_as_strong_as_asked_and_moves_no_beat(void **state)
{
    struct recording *a = NULL, *b = NULL;
    struct ecg_config cfg = quiet_config();
    struct ecg_episode episode = { .from = 60 * SECOND, .until = 120 * SECOND, .kind = ECG_NOISE,
                                   .level = 0.3 };

    (void)state;
    a = recording_make(&cfg, LENGTH, 360);
    cfg.noise_mv = 0.05;
    cfg.episodes = &episode;
    cfg.episode_count = 1;
    b = recording_make(&cfg, LENGTH, 360);
    assert_true(fabs(difference_sd(a, b, 0, 60) - 0.05) < 0.002);
    assert_true(fabs(difference_sd(a, b, 60, 120) - 0.3) < 0.01);
    assert_true(fabs(difference_sd(a, b, 120, 180) - 0.05) < 0.002);
    assert_int_equal(a->marks, b->marks);
    assert_memory_equal(a->mark, b->mark, a->marks * sizeof a->mark[0]);
    recording_free(&a);
    recording_free(&b);
}

/* --- promises --------------------------------------------------------- */

/* All that the model can do at once. */
static const struct ecg_episode everything[] = {
    { 1000, 9000, 0, ECG_ECTOPY, 0, 0, 0 },       { 3000, 30000, 0, ECG_TACHYCARDIA, 180, 0, 0 },
    { 5000, 5001, 0, ECG_LEAD_OFF, 0, 0, 0 },     { 5001, 7000, 0, ECG_NOISE, 0, 0.4, 1 },
    { 12000, 14000, 0, ECG_PAUSE, 0, 0, 1 },      { 13000, 60000, 0, ECG_ECTOPY, 0, 0, 1 },
    { 40000, 50000, 0, ECG_BRADYCARDIA, 35, 0, 0 }, { 0, 1, 0, ECG_LEAD_OFF, 0, 0, 2 },
};

static struct ecg_config everything_config(void)
{
    struct ecg_config cfg = quiet_config();

    cfg.leads = 3;
    cfg.noise_mv = 0.02;
    cfg.hum_mv = 0.05;
    cfg.hum_hz = 50.0;
    cfg.wander_mv = 0.15;
    cfg.heart_rate_sd = 4.0;
    cfg.episodes = everything;
    cfg.episode_count = COUNT(everything);
    return cfg;
}

static void any_cut_gives_the_same_bytes(void **state)
{
    static const size_t cut[] = { 1, 7, 127, 128, 129, 0 };
    struct ecg_config cfg = everything_config();
    struct recording *whole = recording_make(&cfg, LENGTH, LENGTH);

    (void)state;
    for (size_t i = 0; i < COUNT(cut); i++) {
        struct recording *r = recording_make(&cfg, LENGTH, cut[i]);

        assert_int_equal(r->marks, whole->marks);
        assert_true(recording_hash(r) == recording_hash(whole));
        recording_free(&r);
    }
    recording_free(&whole);
}

/* Worked out once; every compiler and processor with 64-bit doubles must agree. */
static void the_same_seed_gives_the_same_bytes_everywhere(void **state)
{
    struct ecg_config cfg = everything_config();
    struct recording *r = recording_make(&cfg, LENGTH, 360), *other = NULL;

    (void)state;
    if (FLT_EVAL_METHOD != 0) {
        recording_free(&r);
        print_message("SKIP the_same_seed_gives_the_same_bytes_everywhere: wide arithmetic\n");
        skip();
    }
    if (recording_hash(r) != GOLDEN)
        fail_msg("hash is 0x%llx", (unsigned long long)recording_hash(r));
    cfg.seed++;
    other = recording_make(&cfg, LENGTH, 360);
    assert_true(recording_hash(other) != recording_hash(r));
    recording_free(&r);
    recording_free(&other);
}

static void the_state_can_be_copied_away_and_back(void **state)
{
    struct ecg_config cfg = everything_config();
    int16_t first[ECG_LEADS][5000], again[ECG_LEADS][5000];
    int16_t *plane[ECG_LEADS] = { first[0], first[1], first[2] };
    struct ecg_mark mark[2][64];
    struct ecg e, copy;
    size_t n = 0;

    (void)state;
    memset(&e, 0, sizeof e);
    ecg_begin(&e, &cfg, 1, 75);
    ecg_run(&e, &cfg, plane, 4321, mark[0], COUNT(mark[0]));
    memcpy(&copy, &e, sizeof e);
    n = ecg_run(&e, &cfg, plane, 5000, mark[0], COUNT(mark[0]));
    for (int i = 0; i < ECG_LEADS; i++)
        plane[i] = again[i];
    assert_int_equal(ecg_run(&copy, &cfg, plane, 5000, mark[1], COUNT(mark[1])), n);
    assert_memory_equal(first, again, sizeof first);
    assert_memory_equal(mark[0], mark[1], n * sizeof mark[0][0]);
}

static void patients_of_a_ward_are_not_the_same_patient(void **state)
{
    struct ecg_config cfg = quiet_config();
    int16_t sample[2][2][1000];
    struct ecg_mark mark[64];

    (void)state;
    for (int k = 0; k < 2; k++) {
        int16_t *plane[ECG_LEADS] = { sample[k][0], sample[k][1] };
        struct ecg e;

        ecg_begin(&e, &cfg, k + 1, 75);
        ecg_run(&e, &cfg, plane, 1000, mark, COUNT(mark));
    }
    assert_memory_not_equal(sample[0], sample[1], sizeof sample[0]);
}

static void a_full_list_of_marks_is_not_overrun(void **state)
{
    struct ecg_config cfg = quiet_config();
    struct recording *r = recording_make(&cfg, 2, 2);
    static int16_t a[36000], b[36000];
    int16_t *plane[ECG_LEADS] = { a, b };
    struct ecg_mark mark[3] = { { 0, 0, 0, 0 }, { 0, 0, 0, 0 }, { -7, -7, -7, 0 } };

    (void)state;
    assert_int_equal(ecg_run(&r->ecg, &cfg, plane, 36000, mark, 2), 2);
    assert_int_equal(mark[2].sample, -7);
    recording_free(&r);
}

static void every_setting_within_its_range_stays_sane(void **state)
{
    static const double rate_hz[] = { 50.0, 128.0, 999.5, 10000.0 };
    static const double heart_rate[] = { ECG_RATE_MIN, 90.0, ECG_RATE_MAX };

    (void)state;
    for (size_t i = 0; i < COUNT(rate_hz); i++) {
        for (size_t k = 0; k < COUNT(heart_rate); k++) {
            struct ecg_config cfg = everything_config();
            struct recording *r = NULL;

            cfg.rate_hz = rate_hz[i];
            cfg.heart_rate = heart_rate[k];
            cfg.heart_rate_sd = 20.0;
            r = recording_make(&cfg, 70000, 0);
            for (size_t j = 0; j < r->length; j++)
                assert_true(r->lead[0][j] == ECG_MISSING || abs(r->lead[0][j]) < 1200);
            for (size_t j = 1; j < r->marks; j++)
                assert_true(r->mark[j].sample > r->mark[j - 1].sample);
            recording_free(&r);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(intervals_have_the_mean_and_deviation_asked_for),
        cmocka_unit_test(the_signal_solves_the_equations_of_the_paper),
        cmocka_unit_test(the_truth_is_where_the_peaks_are),
        cmocka_unit_test(the_heart_rate_follows_an_episode_and_comes_back),
        cmocka_unit_test(no_beat_begins_in_a_pause),
        cmocka_unit_test(ectopic_beats_come_early_and_are_made_up_for),
        cmocka_unit_test(a_lead_that_is_off_gives_missing_samples_and_no_truth),
        cmocka_unit_test(noise_is_as_strong_as_asked_and_moves_no_beat),
        cmocka_unit_test(any_cut_gives_the_same_bytes),
        cmocka_unit_test(the_same_seed_gives_the_same_bytes_everywhere),
        cmocka_unit_test(the_state_can_be_copied_away_and_back),
        cmocka_unit_test(patients_of_a_ward_are_not_the_same_patient),
        cmocka_unit_test(a_full_list_of_marks_is_not_overrun),
        cmocka_unit_test(every_setting_within_its_range_stays_sane),
    };

    return cmocka_run_group_tests_name("in_synth_core", tests, NULL, NULL);
}
