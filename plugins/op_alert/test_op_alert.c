/* SPDX-License-Identifier: Apache-2.0
 *
 * test_op_alert.c - rules on rows: when alerts are raised, repeated and ended. */
#include "test_alerts.h"

#define LOW "place = \"bed 3\"\nrules = [{ name = \"low\", column = \"spo2\", below = 92, severity = \"medium\", " \
            "text = \"SpO2 {spo2} %\""
#define SCORES "place = \"bed 3\"\nrules = [" \
    "{ name = \"n5\", column = \"score\", at_least = 5, severity = \"medium\", group = \"news2\", text = \"NEWS2 {score}\" }," \
    "{ name = \"n7\", column = \"score\", at_least = 7, severity = \"high\", group = \"news2\", text = \"NEWS2 {score}: call\" }]"

static void close_balanced(struct aff_harness *h)
{
    EXPECT_NOTHING(h, "alerts");
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(a_value_beyond_its_limit_raises_and_one_inside_ends)
{
    struct aff_harness *h = aff_harness_open("op_alert", LOW "}]");
    const struct aff_record *r;
    char id[17];

    push_spo2(h, 0, 95);
    push_spo2(h, 1, 92);
    EXPECT_NOTHING(h, "alerts");
    push_spo2(h, 2, 91.25);
    r = expect_alert(h, 2, "raised medium low: SpO2 91.25 %");
    assert_string_equal(aff_harness_text(h, r, "place"), "bed 3");
    assert_string_equal(aff_harness_stream_info(h, r->stream)->subject_name, "bed 3");
    assert_string_equal(aff_harness_stream_info(h, r->stream)->name, "alerts");
    assert_int_equal(aff_harness_int(h, r, "since"), NOON + 2 * S);
    assert_int_equal(aff_harness_int(h, r, "count"), 0);
    (void)snprintf(id, sizeof id, "%s", aff_harness_text(h, r, "alert"));
    EXPECT_METRIC(h, "active", 1);
    push_spo2(h, 3, 97);
    r = expect_alert(h, 3, "ended medium low: SpO2 91.25 %");
    assert_string_equal(aff_harness_text(h, r, "alert"), id);
    EXPECT_METRIC(h, "active", 0);
    EXPECT_METRIC(h, "raised", 1);
    push_spo2(h, 4, 80);
    r = expect_alert(h, 4, "raised medium low: SpO2 80 %");
    assert_string_not_equal(aff_harness_text(h, r, "alert"), id);
    close_balanced(h);
}

static void one_limit(const char *condition, double inside, double outside)
{
    struct aff_harness *h;
    char toml[300];

    (void)snprintf(toml, sizeof toml, "place = \"x\"\nrules = [{ name = \"r\", column = \"spo2\", %s, severity = "
                   "\"low\" }]", condition);
    h = aff_harness_open("op_alert", toml);
    push_spo2(h, 0, inside);
    EXPECT_NOTHING(h, "alerts");
    push_spo2(h, 1, outside);
    expect_alert(h, 1, "raised low r: r");
    close_balanced(h);
}

TEST(each_kind_of_limit_counts_its_own_value_as_it_says)
{
    one_limit("above = 90", 90, 90.01);
    one_limit("at_least = 90", 89.99, 90);
    one_limit("below = 90", 90, 89.99);
    one_limit("at_most = 90", 90.01, 90);
    one_limit("above = -0.5", -0.5, 0);
}

TEST(chatter_around_a_limit_is_one_alert)
{
    static const double values[] = { 91.9, 92.1, 91.8, 92.9, 91.9, 92.0, 92.3, 91.0 };
    struct aff_harness *h = aff_harness_open("op_alert", LOW "}]");
    size_t i;

    for (i = 0; i < sizeof values / sizeof values[0]; i++)
        push_spo2(h, (double)i, values[i]);
    expect_alert(h, 0, "raised medium low: SpO2 91.9 %");
    EXPECT_NOTHING(h, "alerts");
    push_spo2(h, 20, 92.92); /* 1 % inside */
    expect_alert(h, 20, "ended medium low: SpO2 91.9 %");
    close_balanced(h);
}

TEST(a_written_clear_is_the_value_at_which_it_ends)
{
    struct aff_harness *h = aff_harness_open("op_alert", LOW ", clear = 95 }]");

    push_spo2(h, 0, 90);
    push_spo2(h, 1, 94.9);
    expect_alert(h, 0, "raised medium low: SpO2 90 %");
    EXPECT_NOTHING(h, "alerts");
    push_spo2(h, 2, 95);
    expect_alert(h, 2, "ended medium low: SpO2 90 %");
    close_balanced(h);
}

TEST(hysteresis_of_an_integer_column_is_in_whole_units)
{
    struct aff_harness *h = aff_harness_open("op_alert",
        "place = \"x\"\nrules = [{ name = \"s\", column = \"score\", above = 4, severity = \"low\" },"
        "{ name = \"h\", column = \"heart_rate\", above = 130, severity = \"low\" }]");

    push_score(h, 0, 5);
    expect_alert(h, 0, "raised low s: s");
    push_score(h, 1, 4);
    expect_alert(h, 1, "ended low s: s");
    push_cell(h, "Ann", 2, HEART_RATE, (struct aff_cell)AFF_CELL_INT(131));
    push_cell(h, "Ann", 3, HEART_RATE, (struct aff_cell)AFF_CELL_INT(130));
    expect_alert(h, 2, "raised low h: h");
    EXPECT_NOTHING(h, "alerts");
    push_cell(h, "Ann", 4, HEART_RATE, (struct aff_cell)AFF_CELL_INT(129));
    expect_alert(h, 4, "ended low h: h");
    close_balanced(h);
}

TEST(text_is_compared_whole)
{
    struct aff_harness *h = aff_harness_open("op_alert",
        "place = \"x\"\nrules = [{ name = \"awake\", column = \"consciousness\", equals = [\"C\", \"V\", \"P\", \"U\"], "
        "severity = \"high\", text = \"{consciousness} at {place}\" }]");
    static const char *const values[] = { "A", "VP", "", "V", "U", "A" };
    size_t i;

    for (i = 0; i < sizeof values / sizeof values[0]; i++)
        push_cell(h, "Ann", (double)i, CONSCIOUSNESS, (struct aff_cell)AFF_CELL_TEXT(values[i]));
    expect_alert(h, 3, "raised high awake: V at x");
    expect_alert(h, 5, "ended high awake: V at x");
    close_balanced(h);
}

TEST(a_missing_value_neither_raises_nor_ends)
{
    struct aff_harness *h = aff_harness_open("op_alert", LOW "}]");

    push_none(h, 0);
    push_spo2(h, 1, NAN);
    EXPECT_NOTHING(h, "alerts");
    push_spo2(h, 2, 80);
    expect_alert(h, 2, "raised medium low: SpO2 80 %");
    push_none(h, 3);
    push_spo2(h, 4, NAN);
    EXPECT_METRIC(h, "active", 1);
    close_balanced(h);
}

TEST(a_condition_must_last_in_the_time_of_the_data)
{
    struct aff_harness *h = aff_harness_open("op_alert", LOW ", hold = \"10s\" }]");
    const struct aff_record *r;

    push_spo2(h, 0, 90);
    push_spo2(h, 9, 93); /* inside the limit again: it did not last */
    push_spo2(h, 20, 91);
    push_spo2(h, 25, 90);
    EXPECT_NOTHING(h, "alerts");
    push_spo2(h, 31, 89);
    r = expect_alert(h, 30, "raised medium low: SpO2 90 %");
    assert_int_equal(aff_harness_int(h, r, "since"), NOON + 20 * S);
    push_spo2(h, 40, 96);
    expect_alert(h, 40, "ended medium low: SpO2 90 %");
    close_balanced(h);
}

TEST(a_row_at_the_very_end_of_hold_raises_by_itself)
{
    struct aff_harness *h = aff_harness_open("op_alert", LOW ", hold = \"10s\" }]");

    push_spo2(h, 0, 90);
    push_spo2(h, 10, 89);
    expect_alert(h, 10, "raised medium low: SpO2 89 %");
    close_balanced(h);
}

TEST(hold_runs_out_on_the_clock_where_no_row_comes)
{
    struct aff_harness *h = aff_harness_open("op_alert", LOW ", hold = \"10s\" }]");

    push_spo2(h, 0, 90);
    aff_harness_clock(h, 9 * S);
    EXPECT_NOTHING(h, "alerts");
    aff_harness_clock(h, 3 * S);
    expect_alert(h, 10, "raised medium low: SpO2 90 %");
    close_balanced(h);
}

TEST(a_trend_is_the_rise_of_the_fitted_line_over_what_was_seen)
{
    struct aff_harness *h = aff_harness_open("op_alert",
        "place = \"x\"\nrules = [{ name = \"up\", column = \"spo2\", rise = 6, within = \"10min\", severity = \"low\" },"
        "{ name = \"down\", column = \"spo2\", fall = 6, within = \"10min\", clear = 1, severity = \"low\" }]");
    int i;

    for (i = 0; i <= 40; i++) /* an outlier of 8 among a flat line is no trend */
        push_spo2(h, i * 30.0, i == 20 ? 98 : 90);
    EXPECT_NOTHING(h, "alerts");
    for (i = 1; i <= 10; i++) /* 1 a minute, down */
        push_spo2(h, 1200 + i * 60.0, 90 - i);
    expect_alert(h, 1200 + 6 * 60, "raised low down: down");
    for (i = 1; i <= 12; i++)
        push_spo2(h, 1800 + i * 60.0, 80);
    expect_alert(h, 1800 + 8 * 60, "ended low down: down");
    push_spo2(h, 9000, 80); /* long after: the window has one value, then two */
    push_spo2(h, 9001, 99);
    EXPECT_NOTHING(h, "alerts");
    push_spo2(h, 9002, 99);
    expect_alert(h, 9002, "raised low up: up");
    close_balanced(h);
}

TEST(rows_that_stop_raise_a_technical_alarm_on_the_clock_and_by_later_rows)
{
    struct aff_harness *h = aff_harness_open("op_alert",
        "place = \"bed 3\"\nrules = [{ name = \"silent\", absent = \"10s\", severity = \"technical\", "
        "text = \"no data from {place}\" }]");
    const struct aff_record *r;

    push_none(h, 0);
    push_none(h, 10); /* just in time */
    EXPECT_NOTHING(h, "alerts");
    aff_harness_clock(h, 12 * S);
    r = expect_alert(h, 20, "raised technical silent: no data from bed 3");
    assert_int_equal(aff_harness_int(h, r, "since"), NOON + 10 * S);
    aff_harness_clock(h, 100 * S);
    push_none(h, 120);
    expect_alert(h, 120, "ended technical silent: no data from bed 3");
    push_none(h, 200); /* a hole in a recording is told at its time */
    expect_alert(h, 130, "raised technical silent: no data from bed 3");
    expect_alert(h, 200, "ended technical silent: no data from bed 3");
    close_balanced(h);
}

TEST(a_column_is_absent_from_its_first_value_on_or_where_expected_from_the_first_row_on)
{
    struct aff_harness *h = aff_harness_open("op_alert",
        "place = \"x\"\nrules = [{ name = \"sat\", column = \"spo2\", absent = \"10s\", severity = \"technical\" },"
        "{ name = \"score\", column = \"score\", absent = \"30s\", expect = true, severity = \"technical\" },"
        "{ name = \"mood\", column = \"band\", absent = \"1s\", severity = \"technical\" }]");
    int i;

    for (i = 0; i <= 20; i++)
        push_none(h, i);
    EXPECT_NOTHING(h, "alerts");
    push_spo2(h, 21, 97);
    for (i = 22; i <= 40; i++)
        push_none(h, i);
    expect_alert(h, 30, "raised technical score: score");
    expect_alert(h, 31, "raised technical sat: sat");
    push_spo2(h, 41, 97);
    expect_alert(h, 41, "ended technical sat: sat");
    close_balanced(h);
}

TEST(a_recording_that_ends_is_no_silence)
{
    struct aff_harness *h = aff_harness_open("op_alert",
        "place = \"x\"\nrules = [{ name = \"silent\", absent = \"10s\", severity = \"technical\" },"
        "{ name = \"low\", column = \"spo2\", below = 92, severity = \"high\", repeat_every = \"5s\" }]");
    uint32_t other = aff_harness_stream(h, "Ann", "other", &vitals);

    push_spo2(h, 0, 80);
    expect_alert(h, 0, "raised high low: low");
    aff_harness_seek(h, other, 0, NOON + S);
    aff_harness_push_row(h, "in", other, (struct aff_cell[VITALS]){ AFF_CELL_NONE }, VITALS);
    aff_harness_end_stream(h, "in", aff_harness_stream(h, "Ann", "vitals", &vitals));
    aff_harness_clock(h, 7 * S);
    expect_alert(h, 5, "repeated high low: low"); /* one stream still runs */
    aff_harness_end_stream(h, "in", other);
    EXPECT_METRIC(h, "active", 0);
    aff_harness_clock(h, 1000 * S);
    close_balanced(h);
}

TEST(late_rows_move_nothing_back)
{
    struct aff_harness *h = aff_harness_open("op_alert", LOW "}]");

    push_spo2(h, 10, 95);
    push_spo2(h, 9, 80);
    EXPECT_VERDICT(h, "late", 1);
    EXPECT_NOTHING(h, "alerts");
    push_spo2(h, 10, 80); /* of the same time: the later one counts */
    expect_alert(h, 10, "raised medium low: SpO2 80 %");
    push_spo2(h, 5, 99);
    EXPECT_VERDICT(h, "late", 2);
    push_cell(h, "Ann", 1, SCORE, (struct aff_cell)AFF_CELL_INT(1)); /* no rule looks at it */
    EXPECT_VERDICT(h, "late", 2);
    EXPECT_METRIC(h, "active", 1);
    close_balanced(h);
}

TEST(of_a_group_only_the_most_severe_is_told)
{
    struct aff_harness *h = aff_harness_open("op_alert", SCORES);
    const struct aff_record *r;
    char medium[17], again[17];

    push_score(h, 0, 5);
    r = expect_alert(h, 0, "raised medium n5: NEWS2 5");
    (void)snprintf(medium, sizeof medium, "%s", aff_harness_text(h, r, "alert"));
    push_score(h, 60, 8);
    expect_alert(h, 60, "raised high n7: NEWS2 8: call");
    r = expect_alert(h, 60, "ended medium n5: NEWS2 5");
    assert_string_equal(aff_harness_text(h, r, "alert"), medium);
    push_score(h, 120, 9);
    EXPECT_NOTHING(h, "alerts");
    EXPECT_METRIC(h, "active", 1);
    push_score(h, 180, 6); /* less, and still an alert: the other is told again */
    r = expect_alert(h, 180, "raised medium n5: NEWS2 6");
    (void)snprintf(again, sizeof again, "%s", aff_harness_text(h, r, "alert"));
    assert_string_not_equal(again, medium);
    assert_int_equal(aff_harness_int(h, r, "since"), NOON);
    expect_alert(h, 180, "ended high n7: NEWS2 8: call");
    push_score(h, 240, 7);
    expect_alert(h, 240, "raised high n7: NEWS2 7: call");
    expect_alert(h, 240, "ended medium n5: NEWS2 6");
    push_score(h, 300, 0);
    expect_alert(h, 300, "ended high n7: NEWS2 7: call");
    close_balanced(h);
}

TEST(both_rules_of_a_group_that_come_at_once_are_one_alert)
{
    struct aff_harness *h = aff_harness_open("op_alert", SCORES);

    push_score(h, 0, 12);
    expect_alert(h, 0, "raised high n7: NEWS2 12: call");
    push_score(h, 1, 0);
    expect_alert(h, 1, "ended high n7: NEWS2 12: call");
    close_balanced(h);
}

TEST(repeats_have_the_present_value_and_an_end)
{
    struct aff_harness *h = aff_harness_open("op_alert", LOW ", repeat_every = \"60s\", repeat_most = 2 }]");
    const struct aff_record *r;

    push_spo2(h, 0, 90);
    push_spo2(h, 50, 88);
    push_spo2(h, 70, 87);
    expect_alert(h, 0, "raised medium low: SpO2 90 %");
    r = expect_alert(h, 60, "repeated medium low: SpO2 88 %");
    assert_int_equal(aff_harness_int(h, r, "count"), 1);
    assert_int_equal(aff_harness_int(h, r, "since"), NOON);
    aff_harness_clock(h, 60 * S);
    r = expect_alert(h, 120, "repeated medium low: SpO2 87 %");
    assert_int_equal(aff_harness_int(h, r, "count"), 2);
    aff_harness_clock(h, 100000 * S);
    EXPECT_METRIC(h, "repeated", 2);
    close_balanced(h);
}

TEST(a_value_that_is_old_when_it_is_told_has_its_age)
{
    struct aff_harness *h = aff_harness_open("op_alert",
        "place = \"x\"\nrules = [{ name = \"low\", column = \"spo2\", below = 92, severity = \"low\", "
        "text = \"{spo2} with {heart_rate}, {band}\" }]");

    push_cell(h, "Ann", 0, HEART_RATE, (struct aff_cell)AFF_CELL_INT(71));
    push_spo2(h, 721, 90);
    expect_alert(h, 721, "raised low low: 90 with 71 (12 min ago), ?");
    close_balanced(h);
}

AFF_TEST_MAIN(a_value_beyond_its_limit_raises_and_one_inside_ends,
              each_kind_of_limit_counts_its_own_value_as_it_says,
              chatter_around_a_limit_is_one_alert,
              a_written_clear_is_the_value_at_which_it_ends,
              hysteresis_of_an_integer_column_is_in_whole_units,
              text_is_compared_whole,
              a_missing_value_neither_raises_nor_ends,
              a_condition_must_last_in_the_time_of_the_data,
              a_row_at_the_very_end_of_hold_raises_by_itself,
              hold_runs_out_on_the_clock_where_no_row_comes,
              a_trend_is_the_rise_of_the_fitted_line_over_what_was_seen,
              rows_that_stop_raise_a_technical_alarm_on_the_clock_and_by_later_rows,
              a_column_is_absent_from_its_first_value_on_or_where_expected_from_the_first_row_on,
              a_recording_that_ends_is_no_silence,
              late_rows_move_nothing_back,
              of_a_group_only_the_most_severe_is_told,
              both_rules_of_a_group_that_come_at_once_are_one_alert,
              repeats_have_the_present_value_and_an_end,
              a_value_that_is_old_when_it_is_told_has_its_age)
