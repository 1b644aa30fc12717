/* SPDX-License-Identifier: Apache-2.0
 *
 * test_op_qrs.c - the plugin as a host sees it: units, times, gaps, streams.
 *
 * How well beats are found is shown in test_detector.c and test_mitdb.c. */
#include <afferent/testkit.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "test_heart.h"

enum { RATE = 360, SECONDS = 20, COUNT = RATE * SECONDS };
#define INTERVAL 0.8
#define FIRST_BEAT 0.5
#define BEATS 25 /* 0.5, 1.3 ... 19.7 */

static const struct aff_column lead_mv = { .name = "II", .unit = "mV", .gain = 200, .baseline = 1024 };

static struct aff_schema schema_of(const struct aff_column *columns, uint32_t count, uint8_t format, uint64_t rate)
{
    struct aff_schema s = { sizeof s, AFF_SAMPLES, format, 0, 0, "ecg", columns, count, sizeof *columns, rate, 1 };

    return s;
}

static double volts_at(int i)
{
    static struct heart h;

    if (!h.count)
        heart_beat(&h, FIRST_BEAT, SECONDS, INTERVAL);
    return heart_at(&h, (double)i / RATE);
}

static void wave_i16(int16_t *x)
{
    int i;

    for (i = 0; i < COUNT; i++)
        x[i] = (int16_t)lrint(volts_at(i) * 200.0 + 1024.0);
}

static void push_all(struct aff_harness *h, uint32_t stream, const int16_t *x, uint32_t count, uint32_t each)
{
    uint32_t i, n;

    for (i = 0; i < count; i += n) {
        n = count - i < each ? count - i : each;
        aff_harness_push_samples(h, "in", stream, x + i, n, 0);
    }
}

static struct aff_harness *open_ecg(uint32_t *ret_stream)
{
    struct aff_schema schema = schema_of(&lead_mv, 1, AFF_I16, RATE);
    struct aff_harness *h = aff_harness_open("op_qrs", "");

    *ret_stream = aff_harness_stream(h, "A", "ecg", &schema);
    return h;
}

/* Takes all beats and checks that each lies where it was made. */
static size_t expect_beats(struct aff_harness *h, double from, int64_t first_sample, int64_t first_ns)
{
    const struct aff_record *r;
    size_t n = 0;

    while ((r = aff_harness_take(h, "beats")) != NULL) {
        if (r->flags & AFF_FLAG_END) {
            assert_string_equal(aff_harness_stream_info(h, r->stream)->name, "ecg/beats");
            continue;
        }
        int64_t sample = aff_harness_int(h, r, "sample") - first_sample;
        double at = (double)sample / RATE, rr = aff_harness_real(h, r, "rr");

        assert_true(fabs(at - (from + (double)n * INTERVAL)) <= 2.0 / RATE);
        assert_true(llabs(r->event_ns - first_ns - sample * 1000000000 / RATE) <= 1);
        assert_int_equal(r->flags, 0);
        assert_true(aff_harness_real(h, r, "quality") > 0.5);
        assert_int_equal(isnan(rr) != 0, n == 0);
        if (n > 0) {
            assert_true(fabs(rr - 800.0) < 5.0);
            assert_true(fabs(aff_harness_real(h, r, "heart_rate") - 75.0) < 0.5);
        }
        n++;
    }
    return n;
}

TEST(beats_carry_sample_time_interval_and_rate)
{
    static int16_t x[COUNT];
    uint32_t stream;
    struct aff_harness *h = open_ecg(&stream);

    wave_i16(x);
    aff_harness_seek(h, stream, 5000, 1700000000000000000);
    push_all(h, stream, x, COUNT, 36);
    aff_harness_end_stream(h, "in", stream);
    assert_int_equal(expect_beats(h, FIRST_BEAT, 5000, 1700000000000000000), BEATS);
    EXPECT_METRIC(h, "beats", BEATS);
    EXPECT_METRIC(h, "segments", 1);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(beats_are_the_same_however_the_input_is_cut)
{
    static const uint32_t cuts[] = { 1, 7, 36, 100, 361, 5000, COUNT };
    static int16_t x[COUNT];
    uint64_t digest = 0;
    size_t i;

    wave_i16(x);
    for (i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
        uint32_t stream;
        struct aff_harness *h = open_ecg(&stream);

        aff_harness_cut(h, i % 2 ? 0 : 1);
        push_all(h, stream, x, COUNT, cuts[i]);
        aff_harness_end_stream(h, "in", stream);
        assert_int_equal(aff_harness_waiting(h, "beats"), BEATS + 1); /* and the mark of their end */
        if (i == 0)
            digest = aff_harness_digest(h);
        assert_true(aff_harness_digest(h) == digest);
        aff_harness_finish(h);
        aff_harness_close(&h);
    }
}

TEST(units_and_formats_of_a_lead_do_not_matter)
{
    static const struct aff_column uv = { .name = "II", .unit = "uV", .gain = 10, .baseline = -50 };
    static const struct aff_column v = { .name = "II", .unit = "V", .gain = 1, .baseline = 0 };
    static int32_t x[COUNT];
    static float y[COUNT];
    struct aff_schema of_uv = schema_of(&uv, 1, AFF_I32, RATE), of_v = schema_of(&v, 1, AFF_F32, RATE);
    struct aff_harness *h = aff_harness_open("op_qrs", "");
    uint32_t a = aff_harness_stream(h, "A", "ecg", &of_uv), b = aff_harness_stream(h, "B", "ecg", &of_v);
    int i;

    for (i = 0; i < COUNT; i++) {
        x[i] = (int32_t)lrint(volts_at(i) * 1e4 - 50.0);
        y[i] = (float)(volts_at(i) * 1e-3);
    }
    aff_harness_seek(h, a, 0, 0);
    aff_harness_push_samples(h, "in", a, x, COUNT, 0);
    aff_harness_end_stream(h, "in", a);
    assert_int_equal(expect_beats(h, FIRST_BEAT, 0, 0), BEATS);
    aff_harness_seek(h, b, 0, 0);
    aff_harness_push_samples(h, "in", b, y, COUNT, 0);
    aff_harness_end_stream(h, "in", b);
    assert_int_equal(expect_beats(h, FIRST_BEAT, 0, 0), BEATS);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

/* The wanted lead is the second channel; the first is flat. */
TEST(a_channel_is_chosen_by_name_and_streams_without_it_are_let_go)
{
    static const struct aff_column leads[] = {
        { .name = "I", .unit = "mV", .gain = 200 },
        { .name = "II", .unit = "mV", .gain = 200, .baseline = 1024 },
    };
    static const struct aff_column pressure = { .name = "ABP", .unit = "mm[Hg]", .gain = 10 };
    static int16_t x[2 * COUNT];
    struct aff_schema of_leads = schema_of(leads, 2, AFF_I16, RATE), of_abp = schema_of(&pressure, 1, AFF_I16, 125);
    struct aff_harness *h = aff_harness_open("op_qrs", "channel = \"II\"");
    uint32_t ecg = aff_harness_stream(h, "A", "ecg", &of_leads), abp = aff_harness_stream(h, "A", "abp", &of_abp);

    wave_i16(x + COUNT);
    aff_harness_seek(h, ecg, 0, 0);
    aff_harness_push_samples(h, "in", ecg, x, COUNT, 0);
    aff_harness_push_samples(h, "in", abp, x, 100, 0);
    EXPECT_VERDICT(h, "no_ecg", 1);
    aff_harness_end_stream(h, "in", ecg);
    assert_int_equal(expect_beats(h, FIRST_BEAT, 0, 0), BEATS);
    aff_harness_close(&h);

    h = aff_harness_open("op_qrs", "");
    abp = aff_harness_stream(h, "A", "abp", &of_abp);
    aff_harness_push_samples(h, "in", abp, x, 100, 0);
    EXPECT_VERDICT(h, "no_ecg", 1);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(a_sampling_rate_out_of_range_is_a_dead_letter_that_says_so)
{
    struct aff_schema slow = schema_of(&lead_mv, 1, AFF_I16, 62);
    struct aff_harness *h = aff_harness_open("op_qrs", "");
    uint32_t stream = aff_harness_stream(h, "A", "ecg", &slow);
    int16_t x[10] = { 0 };

    aff_harness_push_samples(h, "in", stream, x, 10, 0);
    EXPECT_CAUSE(h, "62 samples a second; 100 to 2000");
    EXPECT_DEAD(h, 1);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

/* A flagged gap, and a jump of the index: both give out what was waiting, and no
 * interval reaches over them. */
/* Beats are found in samples; only what they are told as follows the clock. */
static void clock_set(int64_t by)
{
    static int16_t x[COUNT];
    uint32_t stream, half = COUNT / 2;
    struct aff_harness *h = open_ecg(&stream);
    const struct aff_record *r;
    int64_t sample = -1, at = 0;
    size_t n = 0;

    wave_i16(x);
    aff_harness_seek(h, stream, 0, 1700000000000000000);
    push_all(h, stream, x, half, 36);
    aff_harness_seek(h, stream, half, 1700000010000000000 + by);
    push_all(h, stream, x + half, half, 36);
    aff_harness_end_stream(h, "in", stream);
    while ((r = aff_harness_take(h, "beats")) != NULL && !(r->flags & AFF_FLAG_END)) {
        assert_true(n == 0 || fabs((double)(aff_harness_int(h, r, "sample") - sample) / RATE - INTERVAL) < 0.02);
        sample = aff_harness_int(h, r, "sample");
        at = r->event_ns;
        n++;
    }
    assert_int_equal(n, BEATS);
    assert_true(llabs(at - by - 1700000000000000000 - sample * 1000000000 / RATE) <= 1);
    EXPECT_METRIC(h, "segments", 1);
    aff_harness_finish(h);
    aff_harness_close(&h);
}

TEST(no_beat_is_lost_where_the_clock_is_set)
{
    const int64_t hour = INT64_C(3600000000000), years = 10 * 365 * 24 * hour;

    clock_set(-hour);
    clock_set(-years);
    clock_set(years);
}

TEST(a_gap_begins_anew)
{
    static int16_t x[COUNT];
    uint16_t flags;

    wave_i16(x);
    for (flags = 0; flags <= AFF_FLAG_GAP; flags = (uint16_t)(flags + AFF_FLAG_GAP)) {
        uint32_t stream;
        struct aff_harness *h = open_ecg(&stream);

        aff_harness_seek(h, stream, 0, 0);
        aff_harness_push_samples(h, "in", stream, x, COUNT, 0);
        assert_true(aff_harness_waiting(h, "beats") < BEATS); /* the last is undecided */
        aff_harness_seek(h, stream, COUNT + (flags ? 0 : RATE), 100000000000);
        aff_harness_push_samples(h, "in", stream, x, 1, flags);
        assert_int_equal(expect_beats(h, FIRST_BEAT, 0, 0), BEATS);
        aff_harness_push_samples(h, "in", stream, x + 1, COUNT - 1, 0);
        aff_harness_end_stream(h, "in", stream);
        assert_int_equal(expect_beats(h, FIRST_BEAT, COUNT + (flags ? 0 : RATE), 100000000000), BEATS);
        EXPECT_METRIC(h, "segments", 2);
        EXPECT_BALANCED(h);
        aff_harness_close(&h);
    }
}

/* Samples marked as missing are not voltages: a second of them is a gap. */
TEST(missing_samples_are_not_taken_for_voltages)
{
    static int16_t x[COUNT];
    uint32_t stream;
    struct aff_harness *h = open_ecg(&stream);
    const struct aff_record *r;
    int i, unknown = 0;

    wave_i16(x);
    for (i = 10 * RATE; i < 11 * RATE; i++) /* hides the beats at 10.1 and 10.9 s */
        x[i] = INT16_MIN;
    aff_harness_push_samples(h, "in", stream, x, COUNT, 0);
    aff_harness_end_stream(h, "in", stream);
    assert_int_equal(aff_harness_waiting(h, "beats"), BEATS - 2 + 1); /* and the mark of their end */
    while ((r = aff_harness_take(h, "beats")) != NULL)
        unknown += !(r->flags & AFF_FLAG_END) && isnan(aff_harness_real(h, r, "rr"));
    assert_int_equal(unknown, 2);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

/* Streams that come interleaved give what each gives alone. */
TEST(streams_do_not_touch_each_other)
{
    static int16_t x[COUNT];
    struct aff_schema schema = schema_of(&lead_mv, 1, AFF_I16, RATE);
    uint32_t stream[2], at[2] = { 0, 0 }, seed = 1, n, k, round;
    uint64_t digest[2];

    wave_i16(x);
    for (round = 0; round < 2; round++) {
        struct aff_harness *h = aff_harness_open("op_qrs", "");

        stream[0] = aff_harness_stream(h, "A", "ecg", &schema);
        stream[1] = aff_harness_stream(h, "B", "ecg", &schema);
        at[0] = 0;
        at[1] = 100;
        while (at[0] < COUNT || at[1] < COUNT) {
            seed = seed * 1664525u + 1013904223u;
            k = round ? seed >> 31 : at[0] >= COUNT;
            k = at[k] < COUNT ? k : 1 - k;
            n = 1 + (seed >> 20) % 300;
            n = n < COUNT - at[k] ? n : COUNT - at[k];
            aff_harness_push_samples(h, "in", stream[k], x + at[k], n, 0);
            at[k] += n;
        }
        aff_harness_end_stream(h, "in", stream[0]);
        aff_harness_end_stream(h, "in", stream[1]);
        digest[round] = aff_harness_digest(h);
        aff_harness_close(&h);
    }
    assert_true(digest[0] == digest[1]);
}

TEST(a_restart_in_the_middle_changes_nothing)
{
    static int16_t x[COUNT];
    uint32_t stream;
    struct aff_harness *h = open_ecg(&stream);

    wave_i16(x);
    aff_harness_seek(h, stream, 0, 0);
    push_all(h, stream, x, COUNT / 2 + 13, 100);
    aff_harness_restart(h);
    push_all(h, stream, x + COUNT / 2 + 13, COUNT - COUNT / 2 - 13, 100);
    aff_harness_end_stream(h, "in", stream);
    assert_int_equal(expect_beats(h, FIRST_BEAT, 0, 0), BEATS);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

static void whole_run(void)
{
    static int16_t x[COUNT];
    uint32_t stream;
    struct aff_harness *h = open_ecg(&stream);

    wave_i16(x);
    aff_harness_seek(h, stream, 0, 0);
    push_all(h, stream, x, COUNT, 900);
    aff_harness_end_stream(h, "in", stream);
    assert_int_equal(expect_beats(h, FIRST_BEAT, 0, 0), BEATS);
    EXPECT_METRIC(h, "beats", BEATS);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(each_host_call_may_fail_once)
{
    AFF_EACH_HOST_CALL_FAILS_ONCE(whole_run);
}

AFF_TEST_MAIN(beats_carry_sample_time_interval_and_rate, beats_are_the_same_however_the_input_is_cut,
              units_and_formats_of_a_lead_do_not_matter,
              a_channel_is_chosen_by_name_and_streams_without_it_are_let_go,
              a_sampling_rate_out_of_range_is_a_dead_letter_that_says_so, no_beat_is_lost_where_the_clock_is_set,
              a_gap_begins_anew,
              missing_samples_are_not_taken_for_voltages, streams_do_not_touch_each_other,
              a_restart_in_the_middle_changes_nothing, each_host_call_may_fail_once)
