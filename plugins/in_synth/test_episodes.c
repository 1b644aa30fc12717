/* SPDX-License-Identifier: Apache-2.0
 *
 * test_episodes.c - what an episode does to waves and numbers, and to nothing else.
 *
 * An output with an episode is compared with the same patient's without it. */
#include "test_outcome.h"

/* The table of NEWS2 (Royal College of Physicians 2017), SpO2 scale 1. */
static int news2_of(const struct row *r)
{
    double rr = r->respiratory_rate, hr = r->heart_rate, sys = r->systolic, t = r->temperature;
    int score = rr <= 8 || rr >= 25 ? 3 : rr >= 21 ? 2 : rr <= 11 ? 1 : 0;

    score += r->spo2 <= 91 ? 3 : r->spo2 <= 93 ? 2 : r->spo2 <= 95 ? 1 : 0;
    score += sys <= 90 || sys >= 220 ? 3 : sys <= 100 ? 2 : sys <= 110 ? 1 : 0;
    score += hr <= 40 || hr >= 131 ? 3 : hr >= 111 ? 2 : hr <= 50 || hr >= 91 ? 1 : 0;
    score += t <= 35.0 ? 3 : t >= 39.1 ? 2 : t <= 36.0 || t >= 38.1 ? 1 : 0;
    return score + 2 * (r->oxygen == 1) + (r->level != 'A' ? 3 : 0);
}

/* The last known values, as a display has them. */
static void row_join(struct row *latest, const struct row *r)
{
    latest->t = r->t;
    latest->respiratory_rate = r->respiratory_rate;
    latest->spo2 = isnan(r->spo2) ? latest->spo2 : r->spo2;
    latest->heart_rate = isnan(r->heart_rate) ? latest->heart_rate : r->heart_rate;
    latest->systolic = isnan(r->systolic) ? latest->systolic : r->systolic;
    latest->temperature = isnan(r->temperature) ? latest->temperature : r->temperature;
    latest->level = r->level ? r->level : latest->level;
    latest->oxygen = r->oxygen >= 0 ? r->oxygen : latest->oxygen;
}

TEST(a_deterioration_is_dangerous_within_ten_seconds_and_passes)
{
    for (int seed = 1; seed <= 20; seed++) {
        char toml[320];
        struct outcome *o = NULL;
        struct row latest;
        double danger = 0.0;

        snprintf(toml, sizeof toml, ALL "duration = \"90s\"\nseed = %d\nepisodes = [{ at = \"8s\", for = \"30s\", "
                                        "kind = \"deterioration\", over = \"10s\" }]", seed);
        o = outcome_of(toml);
        latest = o->row[1];
        for (size_t i = 0; i < o->rows; i++) {
            row_join(&latest, &o->row[i]);
            if (i > 0 && i < 8)
                assert_in_range(news2_of(&latest), 0, 2);
            if (danger <= 0.0 && news2_of(&latest) >= 7)
                danger = latest.t;
        }
        assert_true(danger > 8.0 && danger <= 18.0);
        assert_in_range(news2_of(&latest), 0, 2);
        outcome_free(&o);
    }
}

TEST(a_deterioration_reaches_the_values_that_were_asked_for)
{
    struct outcome *o = outcome_of(ALL STILL "duration = \"150s\"\npressure_every = \"1s\"\nobserved_every = \"1s\"\n"
        "episodes = [{ at = \"20s\", for = \"60s\", kind = \"deterioration\", over = \"20s\", respiratory_rate = 6.0,"
        " spo2 = 81.0, heart_rate = 45.0, systolic = 72.0, temperature = 35.2, consciousness = \"P\","
        " supplemental_oxygen = true }]");
    const struct row *r = row_at(o, 20.0);

    assert_true(r->respiratory_rate == 15.0 && r->spo2 == 97.0 && r->systolic == 122.0 && r->diastolic == 76.0);
    assert_true(r->heart_rate == 75.0 && r->level == 'A' && r->oxygen == 0);
    r = row_at(o, 29.0);
    assert_true(r->level == 'A');
    r = row_at(o, 30.0);
    assert_true(fabs(r->spo2 - 89.0) < 0.1 && r->systolic == 97.0 && r->level == 'P' && r->oxygen == 1);
    r = row_at(o, 60.0);
    assert_true(r->respiratory_rate == 6.0 && r->spo2 == 81.0 && r->systolic == 72.0 && r->diastolic == 45.0);
    assert_true(r->heart_rate == 45.0 && fabs(r->temperature - 35.2) < 1e-9);
    r = row_at(o, 125.0);
    assert_true(r->respiratory_rate == 15.0 && r->spo2 == 97.0 && r->systolic == 122.0 && r->level == 'A');
    assert_true(fabs(r->heart_rate - 75.0) <= 1.0);
    outcome_free(&o);
}

TEST(a_probe_that_is_off_stops_saturation_and_pleth_and_nothing_else)
{
    struct outcome *o = outcome_of(ALL "duration = \"60s\"\nepisodes = [{ at = \"26s\", for = \"12345ms\", "
                                       "kind = \"probe_off\" }]");
    struct outcome *well = outcome_of(ALL "duration = \"60s\"");

    for (size_t i = 0; i < o->rows; i++) {
        bool off = o->row[i].t >= 26.0 && o->row[i].t < 38.345;

        assert_int_equal(isnan(o->row[i].spo2) != 0, off);
        assert_true(o->row[i].respiratory_rate > 0.0 && !o->row[i].gap);
        assert_true(off || o->row[i].spo2 == well->row[i].spo2);
    }
    assert_int_equal(o->pleth.hole_at, 2600);
    assert_int_equal(o->pleth.first, 3835);
    assert_int_equal(o->pleth.gap_at, 3835);
    assert_int_equal(o->pleth.count, 6000);
    assert_memory_equal(o->pleth.value + 3835, well->pleth.value + 3835, 2165 * sizeof(double));
    assert_int_equal(o->pressure.gap_at, -1);
    assert_memory_equal(o->pressure.value, well->pressure.value, 7500 * sizeof(double));
    outcome_free(&o);
    outcome_free(&well);
}

TEST(in_a_silence_nothing_comes_and_time_goes_on)
{
    static const char silence[] = ALL "duration = \"60s\"\nblock = \"1s\"\n"
                                      "episodes = [{ at = \"20100ms\", for = \"9500ms\", kind = \"silence\" }]";
    struct outcome *o = outcome_of(silence), *well = outcome_of(ALL "duration = \"60s\"\nblock = \"1s\"");
    const struct wave *wave[] = { &o->respiration, &o->pleth, &o->pressure };
    const struct wave *whole[] = { &well->respiration, &well->pleth, &well->pressure };
    size_t k = 0;

    for (size_t i = 0; i < 3; i++) {
        size_t from = (size_t)ceil(20.1 * wave[i]->rate - 1e-9), until = (size_t)ceil(29.6 * wave[i]->rate - 1e-9);

        assert_int_equal(wave[i]->hole_at, from);
        assert_int_equal(wave[i]->gap_at, until);
        assert_int_equal(wave[i]->count, whole[i]->count);
        assert_memory_equal(wave[i]->value, whole[i]->value, from * sizeof(double));
        assert_memory_equal(wave[i]->value + until, whole[i]->value + until,
                            (whole[i]->count - until) * sizeof(double));
    }
    assert_int_equal(o->rows, 51);
    for (size_t i = 0; i < o->rows; i++)
        assert_int_equal(o->row[i].gap, o->row[i].t == 30.0);
    for (size_t i = 0; i < o->rows; i++)
        assert_true(o->row[i].t <= 20.0 || (o->row[i].t >= 30.0 && o->row[i].spo2 == row_at(well, o->row[i].t)->spo2));
    for (size_t i = 0; i < well->beats; i++)
        if (well->beat[i] < 20.1 || well->beat[i] > 29.6)
            assert_true(well->beat[i] == o->beat[k++]);
    assert_int_equal(k, o->beats);
    outcome_free(&o);
    outcome_free(&well);
}

TEST(behind_a_silence_the_ecg_and_its_truth_are_flagged_once)
{
    struct aff_harness *h = aff_harness_open("in_synth", FAST "duration = \"20s\"\nepisodes = ["
        "{ at = \"5100ms\", for = \"2s\", kind = \"silence\" }, { at = \"6s\", for = \"3s\", kind = \"silence\" }]");
    const struct aff_record *r = NULL;
    int64_t next = 0, gaps = 0, rows = 0;

    EXPECT_STATUS(aff_harness_read_all(h, 3, 0), AFF_END);
    while ((r = aff_harness_take(h, "data")) != NULL && !(r->flags & AFF_FLAG_END)) {
        const struct aff_samples *s = r->data;

        assert_int_equal((r->flags & AFF_FLAG_GAP) != 0, s->first == 3240);
        assert_int_equal(s->first, s->first == 3240 ? 3240 : next);
        assert_int_equal(next == 1836, s->first == 3240);
        gaps += (r->flags & AFF_FLAG_GAP) != 0;
        next = s->first + s->count;
    }
    assert_int_equal(gaps, 1);
    assert_int_equal(next, 7200);
    while ((r = aff_harness_take(h, "truth")) != NULL && !(r->flags & AFF_FLAG_END)) {
        bool flagged = (r->flags & AFF_FLAG_GAP) != 0;

        assert_true(r->event_ns < INT64_C(5100000000) || r->event_ns >= INT64_C(8990000000));
        assert_true(!flagged || (r->event_ns >= INT64_C(8990000000) && r->event_ns < INT64_C(10000000000)));
        rows += flagged;
    }
    assert_int_equal(rows, 1);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(without_electrodes_the_heart_beats_on_and_its_rate_is_not_told)
{
    struct outcome *o = outcome_of(ALL "duration = \"60s\"\nepisodes = [{ at = \"20s\", for = \"20s\", "
                                       "kind = \"lead_off\" }]");
    static double at[ROWS];
    size_t n = ups_find(&o->pressure, at, ROWS);

    for (size_t i = 1; i < o->rows; i++) {
        assert_int_equal(isnan(o->row[i].heart_rate) != 0, o->row[i].t >= 20.0 && o->row[i].t < 40.0);
        assert_true(o->row[i].spo2 > 0.0);
    }
    assert_in_range(n, 73, 77);
    assert_in_range(o->beats, 48, 52);
    outcome_free(&o);
}

TEST(a_heart_that_stands_still_has_rate_nought_and_no_pulse)
{
    struct outcome *o = outcome_of(ALL STILL "duration = \"60s\"\npressure_every = \"1s\"\n"
                                       "episodes = [{ at = \"20s\", for = \"20s\", kind = \"pause\" }]");
    const struct row *r = row_at(o, 30.0);

    assert_true(r->heart_rate == 0.0 && isnan(r->spo2) && isnan(r->systolic) && r->respiratory_rate == 15.0);
    assert_true(o->pressure.value[38 * 125] < 30.0);
    assert_true(fabs(o->pleth.value[38 * 100] - o->pleth.value[35 * 100]) < 0.02);
    r = row_at(o, 50.0);
    assert_true(r->heart_rate == 75.0 && r->spo2 == 97.0 && r->systolic == 122.0);
    outcome_free(&o);
}

AFF_TEST_MAIN(a_deterioration_is_dangerous_within_ten_seconds_and_passes,
              a_deterioration_reaches_the_values_that_were_asked_for,
              a_probe_that_is_off_stops_saturation_and_pleth_and_nothing_else,
              in_a_silence_nothing_comes_and_time_goes_on, behind_a_silence_the_ecg_and_its_truth_are_flagged_once,
              without_electrodes_the_heart_beats_on_and_its_rate_is_not_told,
              a_heart_that_stands_still_has_rate_nought_and_no_pulse)
