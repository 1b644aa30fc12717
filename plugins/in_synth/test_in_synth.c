/* SPDX-License-Identifier: Apache-2.0
 *
 * test_in_synth.c - the source as a host sees it: records, pace, restart, ends.
 *
 * The signal itself is proved in test_core.c. */
#include "test_same.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define MS INT64_C(1000000)
#define FAST "pace = \"fast\"\n"

static struct aff_harness *opened(const char *toml)
{
    return aff_harness_open("in_synth", toml);
}

TEST(wrong_options_are_refused_with_what_to_do)
{
    assert_null(aff_harness_check("in_synth", ""));
    assert_null(aff_harness_check("in_synth", "start = \"now\""));
    assert_null(aff_harness_check("in_synth", "start = \"2024-02-29T23:59:59Z\""));
    EXPECT_REFUSED("in_synth", "start = \"2023-02-29\"", "UTC time from 1970 to 2199");
    EXPECT_REFUSED("in_synth", "start = \"2023-13-01\"", "UTC time");
    EXPECT_REFUSED("in_synth", "start = \"2023-01-01T24:00\"", "UTC time");
    EXPECT_REFUSED("in_synth", "start = \"2023-01-01T10:00:00+01:00\"", "UTC time");
    EXPECT_REFUSED("in_synth", "start = \"tomorrow\"", "UTC time");
    EXPECT_REFUSED("in_synth", "start = \"\"", "UTC time");
    EXPECT_REFUSED("in_synth", "hum = 0.1\nrate = \"100Hz\"", "not below half");
    EXPECT_REFUSED("in_synth", "subject = \"\"", "is empty");
    EXPECT_REFUSED("in_synth", "rate = \"10Hz\"", "rate");
    EXPECT_REFUSED("in_synth", "episodes = [{ at = \"1s\", kind = \"pause\" }]", "for");
    EXPECT_REFUSED("in_synth", "episodes = [{ at = \"1s\", for = \"1s\", kind = \"sleep\" }]", "kind");
    EXPECT_REFUSED("in_synth",
                   "episodes = [{ at = \"1s\", for = \"1s\", kind = \"bradycardia\", heart_rate = 3.0 }]",
                   "too slow");
    EXPECT_REFUSED("in_synth",
                   "episodes = [{ at = \"1s\", for = \"1s\", kind = \"pause\", heart_rate = 90.0 }]",
                   "only a tachycardia, bradycardia or");
    EXPECT_REFUSED("in_synth",
                   "episodes = [{ at = \"1s\", for = \"1s\", kind = \"pause\", subject = 2 }]",
                   "there is no subject 2");
}

TEST(samples_follow_without_a_gap_and_end_where_they_should)
{
    struct aff_harness *h = opened(FAST "duration = \"10100ms\"\nstart = \"2026-03-01T07:30:00Z\"");
    const struct aff_record *r = NULL;
    const int64_t start = INT64_C(1772350200) * 1000 * MS;
    int64_t next = 0;
    int ends = 0;

    EXPECT_STATUS(aff_harness_read_all(h, 7, 0), AFF_END);
    while ((r = aff_harness_take(h, "data")) != NULL) {
        const struct aff_samples *s = r->data;

        ends += (r->flags & AFF_FLAG_END) != 0;
        if (r->flags & AFF_FLAG_END)
            continue;
        assert_int_equal(s->first, next);
        assert_int_equal(r->event_ns, start + next * 1000 * MS / 360);
        assert_int_equal(r->clock, AFF_CLOCK_RECORDED);
        next += s->count;
    }
    assert_int_equal(ends, 1);
    assert_int_equal(next, 3636);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(the_schema_names_the_leads_their_unit_and_rate)
{
    struct aff_harness *h = opened(FAST "duration = \"1s\"\nleads = 3\nrate = \"128.5Hz\"");
    const struct aff_schema *s = NULL;
    const struct aff_column *lead = NULL;

    EXPECT_STATUS(aff_harness_read_all(h, 64, 0), AFF_END);
    s = aff_harness_schema(h, aff_harness_take(h, "data"));
    assert_int_equal(s->rate_num, 1285);
    assert_int_equal(s->rate_den, 10);
    assert_int_equal(s->count, 3);
    lead = s->columns;
    assert_string_equal(lead->name, "II");
    assert_string_equal(lead->unit, "mV");
    assert_true(lead->gain == 200.0 && lead->baseline == 0.0);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(the_truth_tells_each_beat_once_at_its_time)
{
    struct aff_harness *h = opened(FAST "duration = \"60s\"\nheart_rate = 60.0\nheart_rate_sd = 0.0");
    const struct aff_record *r = NULL;
    int64_t before = -1;
    int beats = 0;

    EXPECT_STATUS(aff_harness_read_all(h, 64, 0), AFF_END);
    while ((r = aff_harness_take(h, "truth")) != NULL && !(r->flags & AFF_FLAG_END)) {
        int64_t sample = aff_harness_int(h, r, "sample");

        assert_int_equal(aff_harness_int(h, r, "code"), 1);
        assert_int_equal(r->event_ns, sample * 1000 * MS / 360);
        if (before >= 0)
            assert_in_range(sample - before, 359, 361);
        before = sample;
        beats++;
    }
    assert_int_equal(beats, 60);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(however_it_is_read_the_output_is_the_same)
{
    static const char ward[] = FAST "duration = \"20s\"\nsubjects = 5\nheart_rate = 180.0";
    uint64_t digest = digest_of(ward, 1);

    assert_true(digest_of(ward, 2) == digest);
    assert_true(digest_of(ward, 64) == digest);
    assert_true(digest_of(FAST "duration = \"20s\"\nsubjects = 5\nheart_rate = 180.0\nseed = 2", 64) !=
                digest);
}

TEST(a_restart_anywhere_changes_nothing)
{
    static const char toml[] = FAST "duration = \"20s\"\nsubjects = 3\nheart_rate = 150.0\nhum = 0.1";

    for (uint32_t step = 1; step < 12; step += 5)
        expect_restarts(toml, step);
}

TEST(a_ward_has_a_stream_for_each_patient)
{
    struct aff_harness *h = opened(FAST "duration = \"2s\"\nsubjects = 20\nsubject = \"bed\"");
    const struct aff_record *r = NULL;
    const struct aff_stream_info *info = NULL;
    int records[64] = { 0 }, known = 0;

    EXPECT_STATUS(aff_harness_read_all(h, 64, 0), AFF_END);
    while ((r = aff_harness_take(h, "data")) != NULL) {
        assert_in_range(r->subject, 0, 63);
        records[r->subject] += !(r->flags & AFF_FLAG_END);
        info = aff_harness_stream_info(h, r->stream);
        assert_string_equal(info->name, "ecg");
        assert_non_null(strstr(info->subject_name, "bed-0"));
    }
    for (int i = 0; i < 64; i++) {
        assert_true(records[i] == 0 || records[i] == 8);
        known += records[i] == 8;
    }
    assert_int_equal(known, 20);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(at_real_time_pace_a_block_comes_when_it_is_past)
{
    struct aff_harness *h = opened("block = \"100ms\"");
    int64_t begin = aff_harness_now(h);

    EXPECT_STATUS(aff_harness_read(h, 64), AFF_AGAIN);
    EXPECT_NOTHING(h, "data");
    assert_int_equal(aff_harness_wake_time(h), begin + 100 * MS);
    aff_harness_clock(h, 99 * MS);
    EXPECT_NOTHING(h, "data");
    aff_harness_clock(h, 1 * MS);
    EXPECT_WAITING(h, "data", 1);
    aff_harness_clock(h, 10000 * MS);
    EXPECT_WAITING(h, "data", 101);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(after_a_restart_the_pace_goes_on_from_there)
{
    struct aff_harness *h = opened("block = \"100ms\"");

    EXPECT_STATUS(aff_harness_read(h, 64), AFF_AGAIN);
    aff_harness_clock(h, 1000 * MS);
    EXPECT_WAITING(h, "data", 10);
    aff_harness_restart(h);
    EXPECT_STATUS(aff_harness_read(h, 64), AFF_AGAIN);
    EXPECT_WAITING(h, "data", 10);
    aff_harness_clock(h, 1000 * MS);
    EXPECT_WAITING(h, "data", 20);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(a_start_of_now_takes_the_wall_clock_and_keeps_it_over_a_restart)
{
    struct aff_harness *h = opened(FAST "start = \"now\"");
    int64_t first = 0;

    EXPECT_STATUS(aff_harness_read(h, 1), AFF_OK);
    first = aff_harness_take(h, "data")->event_ns;
    assert_true(first > INT64_C(1700000000) * 1000 * MS);
    aff_harness_utc(h, 0, AFF_CLOCK_NONE);
    aff_harness_restart(h);
    EXPECT_STATUS(aff_harness_read(h, 2), AFF_OK); /* the first may be a row of the truth */
    assert_int_equal(aff_harness_take(h, "data")->event_ns, first + 250 * MS);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

static void a_plain_run(void)
{
    struct aff_harness *h = opened(FAST "duration = \"3s\"\nsubjects = 2\n"
                                        "episodes = [{ at = \"1s\", for = \"1s\", kind = \"noise\" }]");
    const struct aff_record *r = NULL;
    int64_t samples = 0;

    EXPECT_STATUS(aff_harness_read_all(h, 64, 0), AFF_END);
    while ((r = aff_harness_take(h, "data")) != NULL)
        samples += r->flags & AFF_FLAG_END ? 0 : ((const struct aff_samples *)r->data)->count;
    assert_int_equal(samples, 2 * 3 * 360);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(each_failing_host_call_is_survived)
{
    AFF_EACH_HOST_CALL_FAILS_ONCE(a_plain_run);
}

AFF_TEST_MAIN(wrong_options_are_refused_with_what_to_do,
              samples_follow_without_a_gap_and_end_where_they_should,
              the_schema_names_the_leads_their_unit_and_rate,
              the_truth_tells_each_beat_once_at_its_time,
              however_it_is_read_the_output_is_the_same, a_restart_anywhere_changes_nothing,
              a_ward_has_a_stream_for_each_patient, at_real_time_pace_a_block_comes_when_it_is_past,
              after_a_restart_the_pace_goes_on_from_there,
              a_start_of_now_takes_the_wall_clock_and_keeps_it_over_a_restart,
              each_failing_host_call_is_survived)
