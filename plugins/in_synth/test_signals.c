/* SPDX-License-Identifier: Apache-2.0
 *
 * test_signals.c - waves and vital signs as a host sees them.
 *
 * Waves are counted by detectors of this file's own and compared with the beats of
 * the truth and with the numbers told. The models are proved in test_models.c,
 * episodes in test_episodes.c; the ECG's port, pace and position in
 * test_in_synth.c. */
#include "test_outcome.h"
#include "test_same.h"

/* --- waves ------------------------------------------------------------- */

TEST(each_beat_has_one_pulse_a_little_later_in_both_waves)
{
    static const int rate[] = { 45, 75, 130 };

    for (size_t k = 0; k < COUNT(rate); k++) {
        char toml[256];
        struct outcome *o = NULL;
        static double at[ROWS];

        snprintf(toml, sizeof toml, ALL "duration = \"120s\"\nheart_rate = %d.0", rate[k]);
        o = outcome_of(toml);
        for (int w = 0; w < 2; w++) {
            size_t n = ups_find(w ? &o->pleth : &o->pressure, at, ROWS), found = 0;

            assert_in_range(n, o->beats - 1, o->beats);
            for (size_t i = 0; i < o->beats && o->beat[i] < 119.5; i++)
                for (size_t j = 0; j < n; j++)
                    found += at[j] > o->beat[i] + 0.15 && at[j] < o->beat[i] + 0.45;
            assert_in_range(found, o->beats - 2, o->beats);
        }
        outcome_free(&o);
    }
}

TEST(the_number_of_breaths_in_the_wave_is_the_rate_told)
{
    static const int rate[] = { 8, 15, 32 };

    for (size_t k = 0; k < COUNT(rate); k++) {
        char toml[256];
        struct outcome *o = NULL;
        static double at[ROWS];
        double told = 0.0, counted = 0.0;
        size_t n = 0;

        snprintf(toml, sizeof toml, ALL "duration = \"300s\"\nrespiratory_rate = %d.0", rate[k]);
        o = outcome_of(toml);
        n = ups_find(&o->respiration, at, ROWS);
        for (size_t i = 0; i < o->rows; i++)
            told += o->row[i].respiratory_rate / (double)o->rows;
        counted = 60.0 * (double)(n - 1) / (at[n - 1] - at[0]);
        assert_true(fabs(told - counted) < 0.04 * told);
        assert_true(fabs(told - rate[k]) < 1.5);
        outcome_free(&o);
    }
}

TEST(the_heart_rate_told_is_that_of_the_beats)
{
    struct outcome *o = outcome_of(ALL "duration = \"120s\"\nheart_rate_sd = 3.0");

    for (size_t i = 10; i < o->rows; i++) {
        size_t last = 0;
        double mean = 0.0;

        while (last + 1 < o->beats && o->beat[last + 1] <= o->row[i].t)
            last++;
        mean = (o->beat[last] - o->beat[last - 8]) / 8.0;
        assert_true(fabs(o->row[i].heart_rate - 60.0 / mean) <= 0.6);
    }
    outcome_free(&o);
}

TEST(the_pressures_told_are_those_of_the_wave)
{
    struct outcome *o = outcome_of(ALL "duration = \"120s\"\npressure_every = \"10s\"");
    int told = 0;

    for (size_t i = 0; i < o->rows; i++) {
        const struct row *r = &o->row[i];
        size_t from = r->t > 4.0 ? (size_t)((r->t - 4.0) * 125.0) : 0;
        double low = 1e9, high = 0.0, mean = 0.0;

        assert_int_equal(isnan(r->systolic) != 0, i % 10 != 0);
        if (isnan(r->systolic) || r->t < 5.0 || r->t > 115.0)
            continue;
        for (size_t j = from; j < from + 1000; j++) {
            double y = o->pressure.value[j];

            low = y < low ? y : low;
            high = y > high ? y : high;
            mean += y / 1000.0;
        }
        assert_true(r->systolic > r->mean && r->mean > r->diastolic);
        assert_true(fabs(r->systolic - high) < 8.0 && fabs(r->diastolic - low) < 6.0);
        assert_true(fabs(r->mean - mean) < 5.0);
        told++;
    }
    assert_int_equal(told, 11);
    outcome_free(&o);
}

TEST(an_ectopic_beat_throws_a_weak_pulse)
{
    struct outcome *o = outcome_of(ALL "duration = \"60s\"\nvariation = 0.0\n"
                                       "episodes = [{ at = \"10s\", for = \"45s\", kind = \"ectopy\" }]");
    double weakest = 1e9;

    for (size_t i = 1; i + 1 < o->beats; i++) {
        double top = 0.0;

        for (size_t j = (size_t)((o->beat[i] + 0.2) * 125.0); j < (size_t)((o->beat[i] + 0.45) * 125.0); j++)
            top = o->pressure.value[j] > top ? o->pressure.value[j] : top;
        weakest = top < weakest ? top : weakest;
    }
    assert_true(weakest < 112.0 && weakest > 80.0);
    outcome_free(&o);
}

/* --- numbers ----------------------------------------------------------- */

TEST(a_row_says_what_is_new_with_unit_and_code)
{
    static const char *const wanted[VITALS_COLUMNS][3] = {
        { "respiratory_rate", "/min", "9279-1" }, { "spo2", "%", "59408-5" },
        { "heart_rate", "/min", "8867-4" },       { "systolic", "mm[Hg]", "8480-6" },
        { "diastolic", "mm[Hg]", "8462-4" },      { "mean_pressure", "mm[Hg]", "8478-0" },
        { "temperature", "Cel", "8310-5" },       { "consciousness", NULL, "80288-4" },
        { "supplemental_oxygen", NULL, NULL },
    };
    struct aff_harness *h = aff_harness_open("in_synth", ALL "duration = \"3s\"");
    const struct aff_schema *s = NULL;
    const struct aff_record *r = NULL;

    EXPECT_STATUS(aff_harness_read_all(h, 64, 0), AFF_END);
    r = aff_harness_take(h, "vitals");
    s = aff_harness_schema(h, r);
    assert_int_equal(s->count, VITALS_COLUMNS);
    for (uint32_t i = 0; i < VITALS_COLUMNS; i++) {
        const struct aff_column *c = &s->columns[i];

        assert_string_equal(c->name, wanted[i][0]);
        assert_int_equal(c->label, AFF_LABEL_NONE);
        assert_int_equal(c->unit != NULL, wanted[i][1] != NULL);
        assert_int_equal(c->code != NULL, wanted[i][2] != NULL);
        assert_true(!c->unit || strcmp(c->unit, wanted[i][1]) == 0);
        assert_true(!c->code || strcmp(c->code, wanted[i][2]) == 0);
    }
    assert_string_equal(aff_harness_stream_info(h, r->stream)->name, "vitals");
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(each_group_comes_at_its_own_interval)
{
    struct outcome *o = outcome_of(ALL "duration = \"60s\"\nvitals_every = \"2s\"\npressure_every = \"9s\"\n"
                                       "observed_every = \"20s\"\nsupplemental_oxygen = true\nconsciousness = \"V\"");
    int pressures = 0, observed = 0;

    assert_int_equal(o->rows, 30);
    for (size_t i = 0; i < o->rows; i++) {
        const struct row *r = &o->row[i];

        assert_true(fabs(r->t - 2.0 * (double)i) < 1e-9);
        assert_true(r->respiratory_rate > 0.0 && r->spo2 > 0.0 && !r->gap);
        assert_int_equal(isnan(r->heart_rate) != 0, i == 0);
        assert_int_equal(isnan(r->systolic) != 0, isnan(r->mean) != 0);
        assert_int_equal(isnan(r->temperature) != 0, r->level == '\0');
        assert_true(r->level == '\0' ? r->oxygen == -1 : r->level == 'V' && r->oxygen == 1);
        pressures += !isnan(r->systolic);
        observed += r->level != '\0';
    }
    assert_int_equal(pressures, 7); /* 0, 10, 18, 28, 36, 46, 54 */
    assert_int_equal(observed, 3);
    outcome_free(&o);
}

TEST(a_ward_s_patients_differ_in_every_sign)
{
    struct aff_harness *h = aff_harness_open("in_synth", ALL STILL "duration = \"1s\"\nsubjects = 30");
    const struct aff_record *r = NULL;
    double low = 1e9, high = 0.0;
    int n = 0;

    EXPECT_STATUS(aff_harness_read_all(h, 64, 0), AFF_END);
    while ((r = aff_harness_take(h, "vitals")) != NULL) {
        double systolic = r->flags & AFF_FLAG_END ? 122.0 : aff_harness_real(h, r, "systolic");

        n += !(r->flags & AFF_FLAG_END);
        low = systolic < low ? systolic : low;
        high = systolic > high ? systolic : high;
    }
    assert_int_equal(n, 30);
    assert_true(low < 114.0 && high > 130.0 && low >= 106.0 && high <= 138.0);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

/* --- promises ---------------------------------------------------------- */

#define EVERYTHING ALL "subjects = 3\nheart_rate = 150.0\nhum = 0.1\nduration = \"40s\"\nepisodes = ["              \
    "{ at = \"3s\", for = \"9s\", kind = \"deterioration\", over = \"4s\" },"                                       \
    "{ at = \"5s\", for = \"4321ms\", kind = \"probe_off\", subject = 2 },"                                         \
    "{ at = \"11123ms\", for = \"3210ms\", kind = \"silence\" }, { at = \"17s\", for = \"6s\", kind = \"pause\" }," \
    "{ at = \"25s\", for = \"9s\", kind = \"ectopy\" }, { at = \"30s\", for = \"3s\", kind = \"lead_off\" }]"

TEST(however_all_of_it_is_read_the_output_is_the_same)
{
    uint64_t digest = digest_of(EVERYTHING, 1);

    assert_true(digest_of(EVERYTHING, 2) == digest && digest_of(EVERYTHING, 7) == digest &&
                digest_of(EVERYTHING, 64) == digest);
}

TEST(a_restart_between_any_two_records_changes_nothing)
{
    for (uint32_t want = 1; want < 14; want += 6)
        expect_restarts(EVERYTHING, want);
}

/* Blocks are only how much goes into a record. */
TEST(the_length_of_blocks_changes_no_sample_and_no_row)
{
    static const char *const block[] = { "250ms", "30ms", "10s", "777ms" };
    struct outcome *first = NULL;

    for (size_t i = 0; i < COUNT(block); i++) {
        char toml[400];
        struct outcome *o = NULL;

        snprintf(toml, sizeof toml, ALL "duration = \"45s\"\nblock = \"%s\"\nepisodes = [{ at = \"5s\", for = \"10s\", "
                 "kind = \"ectopy\" }, { at = \"18100ms\", for = \"3s\", kind = \"silence\" }]", block[i]);
        o = outcome_of(toml);
        if (first) {
            assert_int_equal(o->pressure.count, first->pressure.count);
            assert_memory_equal(o->pressure.value, first->pressure.value, 18 * 125 * sizeof(double));
            assert_memory_equal(o->pressure.value + 2750, first->pressure.value + 2750, 2875 * sizeof(double));
            assert_memory_equal(o->pleth.value + 2200, first->pleth.value + 2200, 2300 * sizeof(double));
            assert_memory_equal(o->respiration.value, first->respiration.value, 18 * 25 * sizeof(double));
            assert_int_equal(o->rows, first->rows);
            for (size_t k = 0; k < o->rows; k++)
                assert_true(o->row[k].spo2 == first->row[k].spo2 && o->row[k].gap == first->row[k].gap);
        }
        if (!first)
            first = o;
        else
            outcome_free(&o);
    }
    outcome_free(&first);
}

TEST(every_extreme_of_the_options_stays_in_range)
{
    static const char *const extreme[] = {
        "rate = \"50Hz\"\nheart_rate = 250.0\nrespiratory_rate = 60.0\nsystolic = 260.0\ndiastolic = 180.0\n"
        "spo2 = 100.0",
        "rate = \"999.5Hz\"\nheart_rate = 20.0\nrespiratory_rate = 4.0\nsystolic = 50.0\ndiastolic = 40.0\n"
        "spo2 = 50.0",
        "rate = \"10kHz\"\nblock = \"1ms\"\nheart_rate = 90.0\nsystolic = 250.0\ndiastolic = 20.0\ntemperature = 43.0",
    };

    for (size_t k = 0; k < COUNT(extreme); k++) {
        char toml[512];
        struct outcome *o = NULL;

        snprintf(toml, sizeof toml, ALL "duration = \"30s\"\nheart_rate_sd = 20.0\nvariation = 3.0\nvitals_every = "
                 "\"100ms\"\npressure_every = \"100ms\"\n%s", extreme[k]);
        o = outcome_of(toml);
        assert_int_equal(o->rows, 300);
        for (size_t i = 0; i < o->pressure.count; i++)
            assert_true(o->pressure.value[i] > 5.0 && o->pressure.value[i] < 330.0);
        for (size_t i = 0; i < o->pleth.count; i++)
            assert_true(fabs(o->pleth.value[i]) < 3.0);
        for (size_t i = 0; i < o->respiration.count; i++)
            assert_true(fabs(o->respiration.value[i]) < 2.0);
        for (size_t i = 0; i < o->rows; i++) {
            const struct row *r = &o->row[i];

            assert_true(isnan(r->systolic) || (r->systolic > r->mean && r->mean > r->diastolic && r->diastolic > 0.0));
            assert_true(isnan(r->heart_rate) || (r->heart_rate >= 0.0 && r->heart_rate < 305.0));
            assert_true(isnan(r->spo2) || (r->spo2 >= 30.0 && r->spo2 <= 100.0));
            assert_true(r->respiratory_rate >= 2.0 && r->respiratory_rate <= 70.0);
        }
        outcome_free(&o);
    }
}

TEST(a_port_that_is_not_named_makes_nothing_and_changes_no_id)
{
    struct aff_harness *h = aff_harness_open("in_synth", FAST "duration = \"60s\"");
    const struct ward *w = aff_harness_self(h);

    /* what ids are made of: worked out before there were other signals */
    assert_true(w->place->config == UINT64_C(0x5775f7d9a65c790c));
    EXPECT_STATUS(aff_harness_read_all(h, 64, 0), AFF_END);
    EXPECT_NOTHING(h, "respiration");
    EXPECT_NOTHING(h, "pleth");
    EXPECT_NOTHING(h, "pressure");
    EXPECT_NOTHING(h, "vitals");
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    h = aff_harness_open("in_synth", FAST "duration = \"5s\"\nsignals = \"vitals\"");
    w = aff_harness_self(h);
    assert_true(w->place->config != UINT64_C(0x5775f7d9a65c790c));
    EXPECT_STATUS(aff_harness_read_all(h, 64, 0), AFF_END);
    EXPECT_NOTHING(h, "pleth");
    EXPECT_WAITING(h, "vitals", 6); /* with the end */
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(the_ecg_is_the_same_with_and_without_the_other_signals)
{
    static const char *const toml[] = { FAST "duration = \"30s\"", ALL "duration = \"30s\"" };
    uint64_t sum[2] = { 0 };

    for (int i = 0; i < 2; i++) {
        struct aff_harness *h = aff_harness_open("in_synth", toml[i]);
        const struct aff_record *r = NULL;

        EXPECT_STATUS(aff_harness_read_all(h, 64, 0), AFF_END);
        while ((r = aff_harness_take(h, "data")) != NULL)
            for (uint32_t k = 0; k < r->size; k++)
                sum[i] = (sum[i] ^ ((const unsigned char *)r->data)[k]) * 1099511628211u;
        EXPECT_BALANCED(h);
        aff_harness_close(&h);
    }
    assert_true(sum[0] == sum[1]);
}

TEST(at_real_time_pace_rows_and_waves_come_with_their_block)
{
    struct aff_harness *h = aff_harness_open("in_synth", "signals = [\"vitals\", \"pleth\"]\nblock = \"500ms\"");

    EXPECT_STATUS(aff_harness_read(h, 64), AFF_AGAIN);
    EXPECT_NOTHING(h, "pleth");
    aff_harness_clock(h, INT64_C(500000000));
    EXPECT_WAITING(h, "pleth", 1);
    EXPECT_WAITING(h, "vitals", 1);
    aff_harness_clock(h, INT64_C(9500000000));
    EXPECT_WAITING(h, "pleth", 20);
    EXPECT_WAITING(h, "vitals", 10);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(a_silence_of_years_takes_no_long_read)
{
    struct aff_harness *h = aff_harness_open("in_synth", ALL "episodes = [{ at = \"1s\", for = \"876000h\", "
                                                             "kind = \"silence\" }]");

    EXPECT_STATUS(aff_harness_read_all(h, 64, 10), AFF_OK);
    for (int i = 0; i < 100; i++)
        EXPECT_STATUS(aff_harness_read(h, 64), AFF_OK);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

static uint64_t short_life_digest; /* of the run before; 0: none */

static void a_short_life(void)
{
    struct aff_harness *h = aff_harness_open("in_synth", ALL "duration = \"3s\"\nsubjects = 2\nblock = \"1s\"\n"
        "episodes = [{ at = \"1s\", for = \"1s\", kind = \"silence\", subject = 1 },"
        "{ at = \"0s\", for = \"2s\", kind = \"deterioration\" }]");
    size_t rows = 0;

    EXPECT_STATUS(aff_harness_read_all(h, 64, 0), AFF_END);
    for (const struct aff_record *r = aff_harness_take(h, "vitals"); r; r = aff_harness_take(h, "vitals"))
        rows += !(r->flags & AFF_FLAG_END);
    assert_int_equal(rows, 5);
    assert_true(short_life_digest == 0 || short_life_digest == aff_harness_digest(h));
    short_life_digest = aff_harness_digest(h);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(each_failing_host_call_is_survived)
{
    short_life_digest = 0;
    AFF_EACH_HOST_CALL_FAILS_ONCE(a_short_life);
}

/* --- options ----------------------------------------------------------- */

TEST(wrong_options_are_refused_with_what_to_do)
{
    static const char episode[] = "signals = \"vitals\"\nepisodes = [{ at = \"1s\", for = \"1s\", kind = ";
    char toml[256];

    assert_null(aff_harness_check("in_synth", ALL));
    assert_null(aff_harness_check("in_synth", "signals = []"));
    assert_null(aff_harness_check("in_synth", "episodes = [{ at = \"1s\", for = \"1s\", kind = \"deterioration\" }]"));
    EXPECT_REFUSED("in_synth", "signals = [\"spo2\"]", "signals");
    EXPECT_REFUSED("in_synth", "diastolic = 115.0", "not below systolic");
    EXPECT_REFUSED("in_synth", "vitals_every = \"10ms\"", "vitals_every");
    EXPECT_REFUSED("in_synth", "temperature = 98.6", "temperature");
    EXPECT_REFUSED("in_synth", "consciousness = \"alert\"", "consciousness");
    EXPECT_REFUSED("in_synth", "episodes = [{ at = \"1s\", for = \"1s\", kind = \"probe_off\" }]",
                   "expected one of them in signals");
    snprintf(toml, sizeof toml, "%s\"noise\", spo2 = 80.0 }]", episode);
    EXPECT_REFUSED("in_synth", toml, "only a deterioration");
    snprintf(toml, sizeof toml, "%s\"silence\", heart_rate = 80.0 }]", episode);
    EXPECT_REFUSED("in_synth", toml, "or deterioration has a heart rate");
    snprintf(toml, sizeof toml, "%s\"probe_off\", over = \"5s\" }]", episode);
    EXPECT_REFUSED("in_synth", toml, "only a deterioration comes and goes gradually");
    snprintf(toml, sizeof toml, "%s\"deterioration\", spo2 = 8.0 }]", episode);
    EXPECT_REFUSED("in_synth", toml, "too low; expected at least 50");
    snprintf(toml, sizeof toml, "%s\"deterioration\", heart_rate = 3.0 }]", episode);
    EXPECT_REFUSED("in_synth", toml, "too low");
}

TEST(check_is_told_the_schemas_and_that_identity_is_phi)
{
    static const char *const name[PORTS] = { "ecg", "beats", "respiration", "pleth", "pressure", "vitals" };
    const struct aff_shape *out = NULL;

    assert_null(aff_harness_shape("in_synth", ALL "leads = 3\nrate = \"128.5Hz\"", NULL, 0, &out));
    for (uint32_t i = 0; i < PORTS; i++) {
        assert_int_equal(out[i].port, i);
        assert_non_null(out[i].schema);
        assert_string_equal(out[i].schema->name, name[i]);
        assert_true(out[i].subject == AFF_LABEL_PHI && out[i].times == AFF_LABEL_PHI && out[i].names == AFF_LABEL_PHI);
        assert_int_equal(out[i].schema->label, AFF_LABEL_NONE);
    }
    assert_int_equal(out[PORT_DATA].schema->count, 3);
    assert_true(out[PORT_DATA].schema->rate_num == 1285 && out[PORT_DATA].schema->rate_den == 10);
    assert_int_equal(out[PORT_VITALS].schema->count, VITALS_COLUMNS);
}

AFF_TEST_MAIN(each_beat_has_one_pulse_a_little_later_in_both_waves,
              the_number_of_breaths_in_the_wave_is_the_rate_told, the_heart_rate_told_is_that_of_the_beats,
              the_pressures_told_are_those_of_the_wave, an_ectopic_beat_throws_a_weak_pulse,
              a_row_says_what_is_new_with_unit_and_code, each_group_comes_at_its_own_interval,
              a_ward_s_patients_differ_in_every_sign, however_all_of_it_is_read_the_output_is_the_same,
              a_restart_between_any_two_records_changes_nothing, the_length_of_blocks_changes_no_sample_and_no_row,
              every_extreme_of_the_options_stays_in_range,
              a_port_that_is_not_named_makes_nothing_and_changes_no_id,
              the_ecg_is_the_same_with_and_without_the_other_signals,
              at_real_time_pace_rows_and_waves_come_with_their_block, a_silence_of_years_takes_no_long_read,
              each_failing_host_call_is_survived, wrong_options_are_refused_with_what_to_do,
              check_is_told_the_schemas_and_that_identity_is_phi)
