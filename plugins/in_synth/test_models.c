/* SPDX-License-Identifier: Apache-2.0
 *
 * test_models.c - body, breath and pulse against what is known of them.
 *
 * Shapes and sizes by measures of their own, not by the formulas that made them;
 * episodes by their stated values at stated times. Records, ports and options are
 * in test_signals.c. */
#include "breath.h"
#include "exact.h"
#include "pulse.h"
#include "ramp.h"

#include <float.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SECOND UINT64_C(1000000000)
#define MINUTE (60 * SECOND)
/* Worked out once: half an hour of everything. */
#define GOLDEN UINT64_C(0x626d871e8b6e3651)

static const struct body rest = { 15.0, 97.0, 122.0, 76.0, 36.8, BODY_A, 0 };

/* --- body -------------------------------------------------------------- */

static void a_ramp_is_where_it_should_be_at_each_time(void **state)
{
    (void)state;
    assert_true(ramp_weight(99, 100, 200, 20) == 0.0);
    assert_true(ramp_weight(100, 100, 200, 20) == 0.0);
    assert_true(ramp_weight(110, 100, 200, 20) == 0.5);
    assert_true(ramp_weight(120, 100, 200, 20) == 1.0);
    assert_true(ramp_weight(199, 100, 200, 20) == 1.0);
    assert_true(ramp_weight(210, 100, 200, 20) == 0.5);
    assert_true(ramp_weight(220, 100, 200, 20) == 0.0);
    assert_true(ramp_weight(UINT64_MAX, 100, 200, 20) == 0.0);
    /* at once, and one that ends half way up */
    assert_true(ramp_weight(100, 100, 200, 0) == 1.0 && ramp_weight(200, 100, 200, 0) == 0.0);
    assert_true(ramp_weight(110, 100, 110, 20) == 0.5 && ramp_weight(115, 100, 110, 20) == 0.25);
    assert_true(ramp_weight(120, 100, 110, 20) == 0.0 && ramp_weight(125, 100, 110, 20) == 0.0);
}

static void at_rest_each_sign_wanders_about_its_value(void **state)
{
    struct body_config cfg = { .seed = 3, .variation = 1.0 };
    double mean[5] = { 0 }, square[5] = { 0 };
    const int n = 20000;

    (void)state;
    for (int i = 0; i < n; i++) {
        struct body b = body_at(&cfg, &rest, 1, (uint64_t)i * 10 * SECOND);
        double off[5] = { b.respiratory_rate - 15.0, b.spo2 - 97.0, b.systolic - 122.0, b.diastolic - 76.0,
                          b.temperature - 36.8 };

        for (int k = 0; k < 5; k++) {
            mean[k] += off[k] / n;
            square[k] += off[k] * off[k] / n;
        }
        assert_true(b.systolic > b.diastolic + 30.0 && b.spo2 <= 100.0 && b.spo2 >= 95.0);
        assert_true(b.consciousness == BODY_A && b.oxygen == 0);
    }
    assert_true(fabs(mean[0]) < 0.1 && sqrt(square[0]) > 0.4 && sqrt(square[0]) < 1.0);
    assert_true(fabs(mean[1]) < 0.1 && sqrt(square[1]) > 0.2 && sqrt(square[1]) < 0.6);
    assert_true(fabs(mean[2]) < 0.3 && sqrt(square[2]) > 1.5 && sqrt(square[2]) < 3.5);
    assert_true(fabs(mean[3]) < 0.2 && sqrt(square[3]) > 0.7 && sqrt(square[3]) < 1.8);
    assert_true(fabs(mean[4]) < 0.01 && sqrt(square[4]) > 0.015 && sqrt(square[4]) < 0.05);
}

static void no_sign_jumps_from_second_to_second(void **state)
{
    struct body_config cfg = { .seed = 4, .variation = 1.0 };
    struct body before = body_at(&cfg, &rest, 1, 0);

    (void)state;
    for (uint64_t s = 1; s < 7200; s++) {
        struct body b = body_at(&cfg, &rest, 1, s * SECOND);

        assert_true(fabs(b.respiratory_rate - before.respiratory_rate) < 0.2);
        assert_true(fabs(b.spo2 - before.spo2) < 0.15 && fabs(b.systolic - before.systolic) < 0.8);
        before = b;
    }
}

static struct body_episode shock(void)
{
    return (struct body_episode){ .from_ns = 10 * SECOND, .until_ns = 60 * SECOND, .over_ns = 10 * SECOND,
                                  .target = { 30.0, 86.0, 86.0, 0.0, 39.2, BODY_V, 1 } };
}

static void an_episode_reaches_its_values_in_time_and_leaves_them(void **state)
{
    struct body_episode e = shock();
    struct body_config cfg = { .seed = 1, .episodes = &e, .episode_count = 1 };
    struct body b;

    (void)state;
    b = body_at(&cfg, &rest, 1, 10 * SECOND);
    assert_true(b.respiratory_rate == 15.0 && b.spo2 == 97.0 && b.systolic == 122.0 && b.diastolic == 76.0);
    assert_true(b.consciousness == BODY_A);
    b = body_at(&cfg, &rest, 1, 15 * SECOND);
    assert_true(b.respiratory_rate == 22.5 && b.spo2 == 91.5 && b.systolic == 104.0);
    assert_true(b.consciousness == BODY_V && b.oxygen == 1);
    for (uint64_t s = 20; s <= 60; s += 10) {
        b = body_at(&cfg, &rest, 1, s * SECOND);
        assert_true(b.respiratory_rate == 30.0 && b.spo2 == 86.0 && b.systolic == 86.0);
        assert_true(fabs(b.diastolic / b.systolic - 76.0 / 122.0) < 1e-12 && fabs(b.temperature - 39.2) < 1e-9);
    }
    b = body_at(&cfg, &rest, 1, 70 * SECOND);
    assert_true(b.respiratory_rate == 15.0 && b.spo2 == 97.0 && b.systolic == 122.0);
    assert_true(b.consciousness == BODY_A && b.oxygen == 0);
}

static void an_episode_of_one_patient_is_not_another_s(void **state)
{
    struct body_episode e = shock();
    struct body_config cfg = { .seed = 1, .episodes = &e, .episode_count = 1 };

    (void)state;
    e.patient = 2;
    assert_true(body_at(&cfg, &rest, 1, 30 * SECOND).spo2 == 97.0);
    assert_true(body_at(&cfg, &rest, 2, 30 * SECOND).spo2 == 86.0);
}

static void of_two_episodes_at_once_the_first_counts(void **state)
{
    struct body_episode e[2] = { shock(), shock() };
    struct body_config cfg = { .seed = 1, .episodes = e, .episode_count = 2 };

    (void)state;
    e[1].target.spo2 = 70.0;
    assert_true(body_at(&cfg, &rest, 1, 30 * SECOND).spo2 == 86.0);
}

static void patients_of_a_ward_differ_and_stay_in_range(void **state)
{
    const struct body extreme[] = { { 4, 50, 50, 40, 30, BODY_A, 0 }, { 60, 100, 260, 180, 43, BODY_A, 0 }, rest };

    (void)state;
    for (size_t k = 0; k < COUNT(extreme); k++) {
        for (int64_t i = 1; i <= 200; i++) {
            struct body b = body_of_patient(&extreme[k], 9, i, 10.0);

            assert_true(b.respiratory_rate >= 4.0 && b.respiratory_rate <= 60.0);
            assert_true(b.spo2 >= 50.0 && b.spo2 <= 100.0 && b.temperature >= 30.0 && b.temperature <= 43.0);
            assert_true(b.diastolic >= 20.0 && b.systolic >= b.diastolic + 10.0 && b.systolic <= 260.0);
        }
    }
    assert_true(body_of_patient(&rest, 9, 1, 1.0).systolic == rest.systolic);
    assert_true(body_of_patient(&rest, 9, 2, 1.0).systolic != body_of_patient(&rest, 9, 3, 1.0).systolic);
}

/* --- breath ------------------------------------------------------------ */

static void breaths_follow_without_a_gap_at_the_body_s_rate(void **state)
{
    static const double rate[] = { 6.0, 15.0, 40.0 };

    (void)state;
    for (size_t k = 0; k < COUNT(rate); k++) {
        struct body_config cfg = { .seed = 2, .variation = 1.0 };
        struct body b = rest;
        struct breath now, next;
        int breaths = 0;

        b.respiratory_rate = rate[k];
        now = breath_first(&cfg, &b, 1);
        assert_true(now.start <= 0.0 && now.start + now.period > 0.0);
        for (; now.start < 3600.0; now = next, breaths++) {
            next = breath_next(&now, &cfg, &b, 1);
            assert_true(fabs(next.start - now.start - now.period) < 1e-9 && next.number == now.number + 1);
            assert_true(now.period >= BREATH_SHORTEST && now.period < 90.0 / rate[k]);
        }
        assert_true(fabs(breaths / 60.0 - rate[k]) < 0.03 * rate[k] + 0.3);
    }
}

static void a_breath_rises_quickly_and_falls_slowly(void **state)
{
    struct breath b = { .start = 100.0, .period = 4.0, .depth = 1.0 };
    double top = 0.0, top_at = 0.0, sum = 0.0, before = 0.0;
    const int n = 4000;

    (void)state;
    for (int i = 0; i <= n; i++) {
        double at = 100.0 + 4.0 * i / n, y = breath_volume(&b, at);

        assert_true(y >= 0.0 && y <= 1.0 && fabs(y - before) < 0.003);
        top_at = y > top ? at : top_at;
        top = y > top ? y : top;
        sum += y / n;
        before = y;
    }
    assert_true(top > 0.9999 && fabs(top_at - 101.5) < 0.01 && fabs(sum - BREATH_MEAN) < 0.001);
    assert_true(breath_volume(&b, 100.0) == 0.0 && breath_volume(&b, 104.0) == 0.0);
    assert_true(breath_volume(&b, 99.0) == 0.0 && breath_volume(&b, 105.0) == 0.0);
}

static void who_breathes_fast_breathes_shallow(void **state)
{
    struct body_config cfg = { .seed = 2 };
    struct body fast = rest;

    (void)state;
    fast.respiratory_rate = 40.0;
    assert_true(fabs(breath_first(&cfg, &rest, 1).depth - 1.0) < 1e-9);
    assert_true(breath_first(&cfg, &fast, 1).depth < 0.7);
}

/* --- pulse ------------------------------------------------------------- */

struct cycle {
    double top, bottom, mean, foot_step;
    double pleth_top, pleth_bottom;
    int pleth_peaks;
};

static double forms_step(double a, double b)
{
    return fabs(a - b);
}

/* A regular heart for 20 beats; the 15th cycle is measured, every millisecond. */
static struct cycle cycle_measure(double interval, const struct body *body)
{
    struct pulse_forms f;
    struct pulse p = pulse_first(interval, body), last = p;
    struct cycle c = { .bottom = 1000.0, .pleth_bottom = 1000.0 };
    int n = (int)(interval * 1000.0);
    double rising = 0.0, foot = 0.0;

    pulse_forms_make(&f);
    for (int i = 0; i < 15; i++) {
        struct beat beat = { .at = i * interval, .interval = interval, .volume = BREATH_MEAN };

        last = p;
        p = pulse_make(&f, &last, &beat, body, body->systolic - body->diastolic);
    }
    foot = pulse_pressure_foot(&p);
    c.foot_step = forms_step(pulse_pressure(&f, &last, foot), pulse_pressure(&f, &p, foot));
    for (int i = 0; i < n; i++) {
        double y = pulse_pressure(&f, &p, foot + i * interval / n);
        double at = pulse_pleth_foot(&p) + i * interval / n, z = pulse_pleth(&f, &p, at);
        double next = pulse_pleth(&f, &p, at + interval / n);

        c.top = y > c.top ? y : c.top;
        c.bottom = y < c.bottom ? y : c.bottom;
        c.mean += y / n;
        c.pleth_top = z > c.pleth_top ? z : c.pleth_top;
        c.pleth_bottom = z < c.pleth_bottom ? z : c.pleth_bottom;
        c.pleth_peaks += rising > 0.0 && next - z <= 0.0;
        rising = next - z;
    }
    return c;
}

static void pressure_goes_from_diastolic_to_systolic_with_the_mean_told(void **state)
{
    static const double interval[] = { 0.3, 0.5, 0.8, 1.2, 1.9 };
    struct pulse_forms f;

    (void)state;
    pulse_forms_make(&f);
    for (size_t i = 0; i < COUNT(interval); i++) {
        struct cycle c = cycle_measure(interval[i], &rest);

        assert_true(fabs(c.top - 122.0) < 0.3 && fabs(c.bottom - 76.0) < 0.3 && c.foot_step < 0.05);
        assert_true(fabs(c.mean - pulse_mean(&f, 122.0, 76.0, interval[i])) < 0.2);
        assert_true(c.mean > c.bottom + 5.0 && c.mean < c.top - 15.0);
    }
    /* a third of the way, as at the bedside, at a usual rate */
    assert_true(fabs((pulse_mean(&f, 120.0, 80.0, 0.85) - 80.0) / 40.0 - 0.36) < 0.06);
}

static void the_finger_s_pulse_has_one_high_peak_and_the_paper_s_form(void **state)
{
    struct cycle c = cycle_measure(0.85, &rest);

    (void)state;
    assert_true(fabs(c.pleth_top - 1.0) < 0.02 && fabs(c.pleth_bottom) < 0.02);
    assert_in_range(c.pleth_peaks, 1, 2);
}

static void an_early_beat_is_weak_and_one_behind_a_pause_strong(void **state)
{
    struct pulse_forms f;
    struct pulse before = pulse_first(0.8, &rest), early, late;
    struct beat beat = { .at = before.at + 0.5, .interval = 0.8, .volume = BREATH_MEAN };

    (void)state;
    pulse_forms_make(&f);
    early = pulse_make(&f, &before, &beat, &rest, 46.0);
    beat.ectopic = true;
    assert_true(pulse_make(&f, &before, &beat, &rest, 46.0).systolic < early.systolic - 5.0);
    beat.ectopic = false;
    beat.at = before.at + 1.1;
    late = pulse_make(&f, &before, &beat, &rest, 46.0);
    assert_true(early.systolic < 120.0 && late.systolic > 124.0 && early.amplitude < late.amplitude);
}

/* Whatever the beats, no step: the wave bends at a foot, it does not jump. */
static void neither_wave_jumps_when_beats_come_out_of_turn(void **state)
{
    static const double gap[] = { 0.8, 0.3, 1.3, 0.8, 0.25, 0.25, 0.21, 3.0, 0.8 };
    struct pulse_forms f;
    struct pulse p = pulse_first(0.8, &rest);
    double at = 0.3;

    (void)state;
    pulse_forms_make(&f);
    for (size_t i = 0; i < COUNT(gap); i++) {
        struct beat beat = { .at = at, .interval = 0.8, .volume = 0.1 * (double)i };
        struct pulse next = pulse_make(&f, &p, &beat, &rest, 46.0);

        assert_true(forms_step(pulse_pressure(&f, &p, pulse_pressure_foot(&next)),
                               pulse_pressure(&f, &next, pulse_pressure_foot(&next))) < 1e-6);
        assert_true(forms_step(pulse_pleth(&f, &p, pulse_pleth_foot(&next)),
                               pulse_pleth(&f, &next, pulse_pleth_foot(&next))) < 1e-6);
        p = next;
        at += gap[i];
    }
}

static void without_a_heart_the_pressure_runs_off(void **state)
{
    struct pulse_forms f;
    struct pulse p = pulse_first(0.8, &rest);
    double before = 1000.0;

    (void)state;
    pulse_forms_make(&f);
    for (double at = p.at + 1.0; at < 100.0; at += 0.1) {
        double y = pulse_pressure(&f, &p, at);

        assert_true(y <= before && y > 10.0);
        before = y;
    }
    assert_true(before > 15.0 && before < 25.0);
}

/* --- everywhere -------------------------------------------------------- */

static uint64_t hash_real(uint64_t hash, double x)
{
    uint64_t bits = (uint64_t)(int64_t)exact_nearest(x * 1e6);

    for (int i = 0; i < 8; i++)
        hash = (hash ^ (bits >> (8 * i) & 0xffu)) * 1099511628211u;
    return hash;
}

static void the_same_seed_gives_the_same_values_everywhere(void **state)
{
    struct body_episode e = shock();
    struct body_config cfg = { .seed = 7, .variation = 1.0, .episodes = &e, .episode_count = 1 };
    struct breath breath = breath_first(&cfg, &rest, 1);
    struct pulse pulse = pulse_first(0.8, &rest);
    uint64_t hash = 14695981039346656037u;
    struct pulse_forms f;

    (void)state;
    if (FLT_EVAL_METHOD != 0) {
        print_message("SKIP the_same_seed_gives_the_same_values_everywhere: wide arithmetic\n");
        skip();
    }
    pulse_forms_make(&f);
    for (int i = 0; i < 2400; i++) {
        struct body b = body_at(&cfg, &rest, 1, (uint64_t)i * (SECOND * 3 / 4));
        struct beat beat = { .at = i * 0.75, .interval = 0.75, .volume = breath_volume(&breath, i * 0.75),
                             .ectopic = i % 50 == 7 };

        if (breath.start + breath.period < i * 0.75)
            breath = breath_next(&breath, &cfg, &rest, 1);
        pulse = pulse_make(&f, &pulse, &beat, &b, 46.0);
        for (double at = beat.at + 0.25; at < beat.at + 0.9; at += 0.05)
            hash = hash_real(hash_real(hash, pulse_pressure(&f, &pulse, at)), pulse_pleth(&f, &pulse, at));
        hash = hash_real(hash_real(hash, b.respiratory_rate), b.temperature);
    }
    if (hash != GOLDEN)
        fail_msg("hash is 0x%llx", (unsigned long long)hash);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ramp_is_where_it_should_be_at_each_time),
        cmocka_unit_test(at_rest_each_sign_wanders_about_its_value),
        cmocka_unit_test(no_sign_jumps_from_second_to_second),
        cmocka_unit_test(an_episode_reaches_its_values_in_time_and_leaves_them),
        cmocka_unit_test(an_episode_of_one_patient_is_not_another_s),
        cmocka_unit_test(of_two_episodes_at_once_the_first_counts),
        cmocka_unit_test(patients_of_a_ward_differ_and_stay_in_range),
        cmocka_unit_test(breaths_follow_without_a_gap_at_the_body_s_rate),
        cmocka_unit_test(a_breath_rises_quickly_and_falls_slowly),
        cmocka_unit_test(who_breathes_fast_breathes_shallow),
        cmocka_unit_test(pressure_goes_from_diastolic_to_systolic_with_the_mean_told),
        cmocka_unit_test(the_finger_s_pulse_has_one_high_peak_and_the_paper_s_form),
        cmocka_unit_test(an_early_beat_is_weak_and_one_behind_a_pause_strong),
        cmocka_unit_test(neither_wave_jumps_when_beats_come_out_of_turn),
        cmocka_unit_test(without_a_heart_the_pressure_runs_off),
        cmocka_unit_test(the_same_seed_gives_the_same_values_everywhere),
    };

    return cmocka_run_group_tests_name("in_synth_models", tests, NULL, NULL);
}
