/* SPDX-License-Identifier: Apache-2.0
 *
 * test_clocks.c - latest values of a subject whose device's clock is set. */
#include "test_kit.h"

#define WARD "columns = [{ name = \"heart_rate\" }, { name = \"spo2\" }]\n"
#define EVERY WARD "emit = \"interval\"\nevery = \"10s\"\nmax_age = \"1min\"\n"
#define YEARS (INT64_C(10) * 365 * 24 * H)
#define NOW (100 * H)

static void back_by(const char *options, int64_t by)
{
    struct aff_harness *h = aff_harness_open("op_latest", options);
    uint32_t vitals = vitals_of(h, "A");

    ROW_AT(h, vitals, NOW, R(97), NO);
    expect_row(h, NOW, "spo2", 97);
    ROW_AT(h, vitals, NOW + 1 * S - by, R(96), NO); /* may be a stray one */
    while (aff_harness_take(h, "latest"))
        continue;
    ROW_AT(h, vitals, NOW + 2 * S - by, R(95), NO);
    expect_row(h, NOW + 2 * S - by, "spo2", 95);
    ROW_AT(h, vitals, NOW + 3 * S - by, R(94), NO);
    expect_row(h, NOW + 3 * S - by, "spo2", 94);
    EXPECT_NOTHING(h, "latest");
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(values_go_on_to_count_on_the_new_time_after_a_clock_is_set_back)
{
    back_by(WARD, 2 * MIN);
    back_by(WARD, H);
    back_by(WARD, YEARS);
    back_by(WARD "emit = \"input\"\n", H);
}

TEST(one_row_far_too_early_changes_nothing)
{
    struct aff_harness *h = aff_harness_open("op_latest", WARD);
    uint32_t vitals = vitals_of(h, "A");

    ROW_AT(h, vitals, NOW, R(97), NO);
    ROW_AT(h, vitals, NOW - H, R(50), NO);
    ROW_AT(h, vitals, NOW + 1 * S, R(96), NO);
    ROW_AT(h, vitals, NOW - H, R(50), NO);
    ROW_AT(h, vitals, NOW + 2 * S, R(95), NO);
    expect_row(h, NOW, "spo2", 97);
    expect_row(h, NOW + 1 * S, "spo2", 96);
    expect_row(h, NOW + 2 * S, "spo2", 95);
    EXPECT_NOTHING(h, "latest");
    aff_harness_finish(h);
    aff_harness_close(&h);
}

TEST(intervals_go_on_at_full_multiples_of_the_new_time)
{
    struct aff_harness *h = aff_harness_open("op_latest", EVERY);
    uint32_t vitals = vitals_of(h, "A");
    int i;

    for (i = 0; i < 25; i += 5)
        ROW_AT(h, vitals, NOW + i * S + S, R(i), NO);
    expect_row(h, NOW + 10 * S, "spo2", 5);
    expect_row(h, NOW + 20 * S, "spo2", 15);
    for (; i < 60; i += 5)
        ROW_AT(h, vitals, NOW - H + i * S + S, R(i), NO);
    /* The interval of the step itself has no row: its value was not taken. */
    expect_row(h, NOW - H + 40 * S, "spo2", 35);
    expect_row(h, NOW - H + 50 * S, "spo2", 45);
    EXPECT_NOTHING(h, "latest");
    aff_harness_finish(h);
    aff_harness_close(&h);
}

TEST(ten_years_ahead_and_back_leave_the_intervals_going)
{
    struct aff_harness *h = aff_harness_open("op_latest", EVERY);
    uint32_t vitals = vitals_of(h, "A");
    const struct aff_record *r;
    int64_t last = 0;
    int i, rows = 0;

    ROW_AT(h, vitals, NOW + 1 * S, R(97), NO);
    ROW_AT(h, vitals, NOW + YEARS, R(97), NO);
    for (i = 10; i < 60; i++)
        ROW_AT(h, vitals, NOW + i * S, R(i), NO);
    while ((r = aff_harness_take(h, "latest")) != NULL) {
        rows += r->event_ns <= NOW + H && r->event_ns > last;
        last = r->event_ns;
    }
    assert_int_equal(last, NOW + 50 * S);
    assert_int_equal(rows, 6 + 3); /* a minute's at the jump, and those after the way back */
    aff_harness_finish(h);
    aff_harness_close(&h);
}

TEST(rows_after_the_end_that_for_says_set_no_clock)
{
    struct aff_harness *h = aff_harness_open("op_latest", EVERY "for = \"1h\"\n");
    uint32_t vitals = vitals_of(h, "A");

    ROW_AT(h, vitals, NOW + 1 * S, R(97), NO);
    ROW_AT(h, vitals, NOW + YEARS, R(97), NO);
    ROW_AT(h, vitals, NOW + 2 * S, R(96), NO);
    ROW_AT(h, vitals, NOW + 3 * S, R(95), NO);
    EXPECT_VERDICT(h, "over", 1);
    aff_harness_finish(h);
    aff_harness_close(&h);
}

TEST(values_of_a_stream_that_was_set_back_stay_beside_those_that_were_not)
{
    struct aff_harness *h = aff_harness_open("op_latest", WARD "max_age = \"10s\"\nemit = \"input\"\n");
    uint32_t beats = beats_of(h, "A"), vitals = vitals_of(h, "A");
    const struct aff_record *r;
    int i;

    for (i = 0; i < 30; i++) {
        ROW_AT(h, beats, NOW + i * S, NO, R(70 + i));
        ROW_AT(h, vitals, NOW + i * S - (i < 5 ? 0 : H), R(90 + i), NO);
    }
    for (i = 0; i < 59; i++)
        assert_non_null(aff_harness_take(h, "latest"));
    r = expect_row(h, NOW + 29 * S, "spo2", 119);
    assert_true(same_real(aff_harness_real(h, r, "heart_rate"), 99));
    EXPECT_NOTHING(h, "latest");
    aff_harness_finish(h);
    aff_harness_close(&h);
}

TEST(as_much_disorder_as_lateness_allows_sets_no_clock)
{
    struct aff_harness *h = aff_harness_open("op_latest", EVERY "lateness = \"2min\"\n");
    uint32_t vitals = vitals_of(h, "A");

    ROW_AT(h, vitals, NOW + 100 * S, R(97), NO);
    ROW_AT(h, vitals, NOW + 5 * S, R(91), NO);
    ROW_AT(h, vitals, NOW + 15 * S, R(92), NO);
    ROW_AT(h, vitals, NOW + 145 * S, R(92), NO);
    expect_row(h, NOW + 10 * S, "spo2", 91);
    expect_row(h, NOW + 20 * S, "spo2", 92);
    EXPECT_NOTHING(h, "latest");
    aff_harness_finish(h);
    aff_harness_close(&h);
}

TEST(a_clock_may_be_set_to_the_ends_of_time)
{
    static const int64_t times[] = { INT64_C(8000000000000000000), INT64_C(-8000000000000000000), 5 - NOW, 0, NOW,
                                     INT64_C(-8000000000000000000), INT64_C(-7999999999999999999),
                                     INT64_C(7999999999999999999), INT64_MAX, INT64_MIN };
    static const char *const options[] = { WARD, EVERY, WARD "emit = \"input\"\n", EVERY "for = \"1h\"\n" };
    uint32_t i, k;

    for (k = 0; k < 4; k++) {
        struct aff_harness *h = aff_harness_open("op_latest", options[k]);
        uint32_t vitals = vitals_of(h, "A");

        for (i = 0; i < 60; i++) {
            ROW_AT(h, vitals, times[i * 7 % 10], R(i), NO);
            while (aff_harness_take(h, "latest"))
                continue;
        }
        aff_harness_finish(h);
        aff_harness_close(&h);
    }
}

AFF_TEST_MAIN(values_go_on_to_count_on_the_new_time_after_a_clock_is_set_back,
              one_row_far_too_early_changes_nothing,
              intervals_go_on_at_full_multiples_of_the_new_time,
              ten_years_ahead_and_back_leave_the_intervals_going,
              rows_after_the_end_that_for_says_set_no_clock,
              values_of_a_stream_that_was_set_back_stay_beside_those_that_were_not,
              as_much_disorder_as_lateness_allows_sets_no_clock,
              a_clock_may_be_set_to_the_ends_of_time)
