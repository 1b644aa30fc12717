/* SPDX-License-Identifier: Apache-2.0
 *
 * test_interval.c - rows at full intervals: what is in them, when they are made,
 * and that a jump in time or a patient without data makes no flood of them. */
#include "test_kit.h"

#define HOURLY "columns = [{ name = \"spo2\" }]\nemit = \"interval\"\nevery = \"1h\"\n"
#define AT(hours, minutes) ((hours) * H + (minutes) * MIN)

TEST(a_value_at_the_full_hour_counts_and_the_last_of_one_time_wins)
{
    struct aff_harness *h = aff_harness_open("op_latest", HOURLY "max_age = \"2h\"");
    uint32_t v = vitals_of(h, "A");

    ROW_AT(h, v, AT(0, 59), R(90), NO);
    ROW_AT(h, v, AT(1, 0), R(91), NO);
    ROW_AT(h, v, AT(1, 0), R(92), NO);
    EXPECT_NOTHING(h, "latest"); /* another one at 1:00 may come */
    ROW_AT(h, v, AT(1, 0) + 1, R(93), NO);
    expect_row(h, AT(1, 0), "spo2", 92);
    aff_harness_end_stream(h, "in", v);
    expect_row(h, AT(2, 0), "spo2", 93);
    expect_end(h);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(a_value_as_old_as_max_age_no_longer_counts)
{
    struct aff_harness *h = aff_harness_open("op_latest", HOURLY "max_age = \"240min\"\nages = true");
    uint32_t v = vitals_of(h, "A");
    const struct aff_record *r;
    int i;

    ROW_AT(h, v, AT(1, 0), R(91), NO);
    ROW_AT(h, v, AT(9, 30), NO, T("A"));
    for (i = 1; i < 5; i++) {
        r = expect_row(h, AT(i, 0), "spo2", 91);
        assert_true(same_real(aff_harness_real(h, r, "spo2_age"), (i - 1) * 3600.0));
    }
    EXPECT_NOTHING(h, "latest"); /* at 5:00 it is 240 min old, and there is nothing else */
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(hours_before_1970_are_full_hours_too)
{
    struct aff_harness *h = aff_harness_open("op_latest", HOURLY "max_age = \"90min\"");
    uint32_t v = vitals_of(h, "A");

    ROW_AT(h, v, AT(-2, -10), R(91), NO);
    ROW_AT(h, v, AT(-1, 0), R(92), NO);
    ROW_AT(h, v, AT(0, 0), R(93), NO);
    ROW_AT(h, v, AT(0, 5), R(94), NO);
    expect_row(h, AT(-2, 0), "spo2", 91);
    expect_row(h, AT(-1, 0), "spo2", 92);
    expect_row(h, AT(0, 0), "spo2", 93);
    EXPECT_NOTHING(h, "latest");
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(a_jump_of_years_makes_no_rows_on_its_way)
{
    struct aff_harness *h = aff_harness_open("op_latest", "columns = [{ name = \"spo2\" }]\nemit = \"interval\"\n"
                                                          "every = \"1s\"\nmax_age = \"5s\"");
    uint32_t v = vitals_of(h, "A");
    int64_t far = INT64_C(7999999999) * S;

    ROW_AT(h, v, 1 * S, R(91), NO);
    ROW_AT(h, v, far, R(92), NO);
    aff_harness_end_stream(h, "in", v);
    EXPECT_WAITING(h, "latest", 5 + 1 + 1);
    EXPECT_METRIC(h, "rows", 6);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(rows_go_on_as_long_as_for_says_and_no_longer)
{
    struct aff_harness *h = aff_harness_open("op_latest", HOURLY "max_age = \"1h\"\nafter = \"1h\"\nfor = \"5h\"");
    uint32_t v = vitals_of(h, "A");

    ROW_AT(h, v, 0, NO, T("A")); /* no value of ours, but the stay begins here */
    ROW_AT(h, v, AT(1, 30), R(91), NO);
    ROW_AT(h, v, AT(3, 30), R(92), NO);
    aff_harness_end_stream(h, "in", v);
    expect_row(h, AT(1, 0), "spo2", (double)NAN);
    expect_row(h, AT(2, 0), "spo2", 91);
    expect_row(h, AT(3, 0), "spo2", (double)NAN);
    expect_row(h, AT(4, 0), "spo2", 92);
    expect_row(h, AT(5, 0), "spo2", (double)NAN);
    expect_end(h);

    v = vitals_of(h, "B");
    ROW_AT(h, v, AT(0, 20), R(93), NO);
    ROW_AT(h, v, AT(5, 0), R(94), NO);
    ROW_AT(h, v, AT(5, 1), R(95), NO); /* its hour ends at 6:00, more than 5 h after 0:20 */
    ROW_AT(h, v, AT(900, 0), R(96), NO);
    aff_harness_end_stream(h, "in", v);
    EXPECT_VERDICT(h, "over", 2);
    expect_row(h, AT(2, 0), "spo2", (double)NAN);
    EXPECT_WAITING(h, "latest", 3 + 1);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(without_for_rows_end_with_the_interval_in_which_the_data_did)
{
    struct aff_harness *h = aff_harness_open("op_latest", HOURLY "max_age = \"24h\"");
    uint32_t v = vitals_of(h, "A");

    ROW_AT(h, v, AT(1, 30), R(91), NO);
    aff_harness_end_stream(h, "in", v);
    expect_row(h, AT(2, 0), "spo2", 91);
    expect_end(h);
    EXPECT_NOTHING(h, "latest");
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(intervals_pass_on_the_clock_when_nothing_comes)
{
    struct aff_harness *h = aff_harness_open("op_latest", HOURLY "max_age = \"2h\"");
    uint32_t v = vitals_of(h, "A");

    ROW_AT(h, v, AT(1, 30), R(91), NO);
    aff_harness_clock(h, 10 * H);
    expect_row(h, AT(2, 0), "spo2", 91);
    expect_row(h, AT(3, 0), "spo2", 91);
    EXPECT_NOTHING(h, "latest");
    ROW_AT(h, v, AT(2, 45), R(92), NO); /* late: 3:00 is told */
    EXPECT_METRIC(h, "late", 1);
    ROW_AT(h, v, AT(4, 10), R(93), NO);
    expect_row(h, AT(4, 0), "spo2", 92);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(a_later_value_is_not_in_the_row_of_an_earlier_time_though_it_came_first)
{
    struct aff_harness *h = aff_harness_open("op_latest", "columns = [{ name = \"spo2\" }, { name = \"heart_rate\" }]\n"
                                                          "emit = \"interval\"\nevery = \"1h\"\nmax_age = \"4h\"\n"
                                                          "lateness = \"30min\"");
    uint32_t v = vitals_of(h, "A"), b = beats_of(h, "A");
    const struct aff_record *r;

    ROW_AT(h, v, AT(0, 50), R(90), NO);
    ROW_AT(h, v, AT(1, 10), R(91), NO);
    ROW_AT(h, v, AT(1, 30), R(92), NO);
    ROW_AT(h, b, AT(1, 0), NO, R(70)); /* 30 min behind: in time */
    EXPECT_NOTHING(h, "latest");
    ROW_AT(h, v, AT(1, 31), R(93), NO);
    r = expect_row(h, AT(1, 0), "spo2", 90);
    assert_true(same_real(aff_harness_real(h, r, "heart_rate"), 70));
    ROW_AT(h, b, AT(0, 59), NO, R(60)); /* too late, and older */
    EXPECT_METRIC(h, "late", 1);
    ROW_AT(h, v, AT(2, 31), R(94), NO);
    r = expect_row(h, AT(2, 0), "spo2", 93);
    assert_true(same_real(aff_harness_real(h, r, "heart_rate"), 70));
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(what_comes_out_of_order_before_the_first_row_is_in_its_own_interval)
{
    struct aff_harness *h = aff_harness_open("op_latest", HOURLY "max_age = \"90min\"\nlateness = \"1h\"");
    uint32_t v = vitals_of(h, "A"), w = stream_of(h, "A", "other", vital_columns, 2);

    ROW_AT(h, v, AT(10, 5), R(91), NO);
    ROW_AT(h, w, AT(9, 30), R(90), NO);
    aff_harness_end_stream(h, "in", v);
    aff_harness_end_stream(h, "in", w);
    expect_row(h, AT(10, 0), "spo2", 90);
    expect_row(h, AT(11, 0), "spo2", 91);
    expect_end(h);
    EXPECT_METRIC(h, "late", 0);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(disorder_within_an_open_interval_takes_nothing_from_another)
{
    struct aff_harness *h = aff_harness_open("op_latest", HOURLY "max_age = \"3h\"\nlateness = \"1h\"");
    uint32_t v = vitals_of(h, "A");

    ROW_AT(h, v, AT(10, 20), R(90), NO);
    ROW_AT(h, v, AT(11, 30), R(92), NO);
    ROW_AT(h, v, AT(11, 10), R(91), NO);
    ROW_AT(h, v, AT(11, 20), R(93), NO);
    aff_harness_end_stream(h, "in", v);
    expect_row(h, AT(11, 0), "spo2", 90);
    expect_row(h, AT(12, 0), "spo2", 92);
    expect_end(h);
    EXPECT_METRIC(h, "older", 2);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

/* Against a second way to say it: rows of two streams, each in order, one up to
 * `lateness` behind the other. */
enum { POINTS = 120 };
struct point {
    int64_t at;
    double value;
};

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 16;
}

static void points_make(struct point *p, uint32_t *seed)
{
    int64_t at = 0;
    int i;

    for (i = 0; i < POINTS; i++) {
        at += next_random(seed) % 12 == 0 ? AT(1, 0) + next_random(seed) % 200 * MIN : next_random(seed) % 25 * MIN;
        p[i] = (struct point){ at, next_random(seed) % 100 };
    }
}

static double value_at(const struct point *p, int64_t t, int64_t max_age)
{
    double value = (double)NAN;
    int i;

    for (i = 0; i < POINTS && p[i].at <= t; i++)
        value = p[i].at > t - max_age ? p[i].value : (double)NAN;
    return value;
}

static void points_push(struct aff_harness *h, const struct point *a, const struct point *b, int64_t lag_a,
                        int64_t lag_b)
{
    uint32_t v = vitals_of(h, "A"), w = beats_of(h, "A");
    int i = 0, k = 0;

    while (i < POINTS || k < POINTS)
        if (k == POINTS || (i < POINTS && a[i].at + lag_a <= b[k].at + lag_b)) {
            ROW_AT(h, v, a[i].at, R(a[i].value), NO);
            i++;
        } else {
            ROW_AT(h, w, b[k].at, NO, R(b[k].value));
            k++;
        }
    aff_harness_end_stream(h, "in", v);
    aff_harness_end_stream(h, "in", w);
}

static uint64_t points_check(const struct point *a, const struct point *b, int64_t lag_a, int64_t lag_b)
{
    struct aff_harness *h = aff_harness_open("op_latest",
                                             "columns = [{ name = \"spo2\" }, { name = \"heart_rate\", max_age = \"3h\" }]\n"
                                             "emit = \"interval\"\nevery = \"1h\"\nmax_age = \"90min\"\nlateness = \"150min\"");
    int64_t last = a[POINTS - 1].at > b[POINTS - 1].at ? a[POINTS - 1].at : b[POINTS - 1].at, t;
    uint64_t digest;

    points_push(h, a, b, lag_a, lag_b);
    EXPECT_METRIC(h, "late", 0);
    for (t = 0; t - H < last; t += H) {
        double spo2 = value_at(a, t, AT(1, 30)), rate = value_at(b, t, AT(3, 0));

        if (isnan(spo2) && isnan(rate))
            continue;
        assert_true(same_real(aff_harness_real(h, expect_row(h, t, "spo2", spo2), "heart_rate"), rate));
    }
    expect_end(h);
    digest = aff_harness_digest(h);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    return digest;
}

TEST(rows_do_not_depend_on_which_edge_comes_first_within_lateness)
{
    static struct point a[POINTS], b[POINTS];
    uint32_t seed = 1;
    int round;

    for (round = 0; round < 20; round++) {
        uint64_t digest;

        points_make(a, &seed);
        points_make(b, &seed);
        digest = points_check(a, b, 0, 0);
        assert_true(points_check(a, b, AT(2, 30), 0) == digest);
        assert_true(points_check(a, b, 0, AT(1, 7)) == digest);
    }
}

TEST(patients_do_not_see_each_other)
{
    struct aff_harness *h = aff_harness_open("op_latest", HOURLY "max_age = \"2h\"");
    uint32_t a = vitals_of(h, "A"), b = vitals_of(h, "B");

    ROW_AT(h, a, AT(1, 30), R(91), NO);
    ROW_AT(h, b, AT(100, 30), R(92), NO); /* another patient's time */
    ROW_AT(h, a, AT(1, 50), R(93), NO);
    aff_harness_end_stream(h, "in", b);
    aff_harness_end_stream(h, "in", a);
    expect_row(h, AT(101, 0), "spo2", 92);
    expect_end(h);
    expect_row(h, AT(2, 0), "spo2", 93);
    expect_end(h);
    EXPECT_METRIC(h, "late", 0);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

AFF_TEST_MAIN(a_value_at_the_full_hour_counts_and_the_last_of_one_time_wins,
              a_value_as_old_as_max_age_no_longer_counts, hours_before_1970_are_full_hours_too,
              a_jump_of_years_makes_no_rows_on_its_way, rows_go_on_as_long_as_for_says_and_no_longer,
              without_for_rows_end_with_the_interval_in_which_the_data_did,
              intervals_pass_on_the_clock_when_nothing_comes,
              a_later_value_is_not_in_the_row_of_an_earlier_time_though_it_came_first,
              what_comes_out_of_order_before_the_first_row_is_in_its_own_interval,
              disorder_within_an_open_interval_takes_nothing_from_another,
              rows_do_not_depend_on_which_edge_comes_first_within_lateness, patients_do_not_see_each_other)
