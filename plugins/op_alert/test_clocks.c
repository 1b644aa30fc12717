/* SPDX-License-Identifier: Apache-2.0
 *
 * test_clocks.c - alerts of a subject whose device's clock is set back, or ahead. */
#include "test_alerts.h"

#define HOUR 3600.0
#define YEARS (10 * 365 * 24 * HOUR)
#define LOW "place = \"bed 3\"\nrules = [{ name = \"low\", column = \"spo2\", below = 92, severity = \"medium\", " \
            "text = \"SpO2 {spo2} %\""
#define ABSENT "place = \"bed 3\"\nrules = [{ name = \"gone\", column = \"spo2\", absent = \"10s\", severity = " \
               "\"technical\" }]"

static void close_balanced(struct aff_harness *h)
{
    EXPECT_NOTHING(h, "alerts");
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

static void push_rate(struct aff_harness *h, double at, int64_t value)
{
    uint32_t stream = aff_harness_stream(h, "Ann", "other", &vitals);
    struct aff_cell cells[VITALS];

    memset(cells, 0, sizeof cells);
    cells[HEART_RATE] = (struct aff_cell)AFF_CELL_INT(value);
    aff_harness_seek(h, stream, 0, NOON + (int64_t)llround(at * 1e9));
    aff_harness_push_row(h, "in", stream, cells, VITALS);
}

static void back_by(double by)
{
    struct aff_harness *h = aff_harness_open("op_alert", LOW "}]");

    push_spo2(h, 0, 95);
    push_spo2(h, 1 - by, 95);
    push_spo2(h, 2 - by, 95);
    push_spo2(h, 3 - by, 90);
    expect_alert(h, 3 - by, "raised medium low: SpO2 90 %");
    push_spo2(h, 4 - by, 95);
    expect_alert(h, 4 - by, "ended medium low: SpO2 90 %");
    EXPECT_VERDICT(h, "late", 1);
    close_balanced(h);
}

TEST(after_a_clock_is_set_back_values_raise_and_end_alerts_on_its_new_time)
{
    back_by(61);
    back_by(HOUR);
    back_by(YEARS);
}

TEST(an_alert_stays_raised_once_while_the_clock_is_set_back_and_ends_on_its_new_time)
{
    struct aff_harness *h = aff_harness_open("op_alert", LOW "}]");
    const struct aff_record *r;
    char id[17];

    push_spo2(h, 0, 90);
    r = expect_alert(h, 0, "raised medium low: SpO2 90 %");
    (void)snprintf(id, sizeof id, "%s", aff_harness_text(h, r, "alert"));
    push_spo2(h, 10 - HOUR, 90);
    push_spo2(h, 11 - HOUR, 90);
    push_spo2(h, 12 - HOUR, 89);
    EXPECT_NOTHING(h, "alerts");
    EXPECT_METRIC(h, "active", 1);
    push_spo2(h, 13 - HOUR, 95);
    r = expect_alert(h, 13 - HOUR, "ended medium low: SpO2 90 %");
    assert_string_equal(aff_harness_text(h, r, "alert"), id);
    assert_int_equal(aff_harness_int(h, r, "since"), NOON + (int64_t)((10 - HOUR) * 1e9));
    EXPECT_METRIC(h, "active", 0);
    close_balanced(h);
}

TEST(one_record_far_too_early_resets_nothing)
{
    struct aff_harness *h = aff_harness_open("op_alert", LOW ", hold = \"10s\" }]");

    push_spo2(h, 0, 90);
    push_spo2(h, -HOUR, 99);
    push_spo2(h, 5, 90);
    push_spo2(h, -HOUR, 99);
    push_spo2(h, 11, 90);
    expect_alert(h, 10, "raised medium low: SpO2 90 %");
    EXPECT_VERDICT(h, "late", 2);
    close_balanced(h);
}

/* By the wait on the old clock and on the new one together. */
TEST(a_condition_that_waits_goes_on_waiting_on_the_new_time)
{
    struct aff_harness *h = aff_harness_open("op_alert", LOW ", hold = \"10s\" }]");

    push_spo2(h, 0, 90);
    push_spo2(h, 4, 90);
    push_spo2(h, 5 - HOUR, 90); /* taken for the time of the one before */
    push_spo2(h, 8 - HOUR, 90);
    EXPECT_NOTHING(h, "alerts");
    push_spo2(h, 15 - HOUR, 90);
    expect_alert(h, 11 - HOUR, "raised medium low: SpO2 90 %");
    close_balanced(h);
}

TEST(absence_is_noticed_on_the_new_time)
{
    struct aff_harness *h = aff_harness_open("op_alert", ABSENT);

    push_spo2(h, 0, 95);
    push_spo2(h, 1 - HOUR, 95);
    push_spo2(h, 2 - HOUR, 95);
    push_none(h, 9 - HOUR);
    EXPECT_NOTHING(h, "alerts");
    push_none(h, 13 - HOUR);
    expect_alert(h, 12 - HOUR, "raised technical gone: gone");
    push_spo2(h, 14 - HOUR, 95);
    expect_alert(h, 14 - HOUR, "ended technical gone: gone");
    close_balanced(h);
}

TEST(silence_is_noticed_by_the_clock_on_the_new_time)
{
    struct aff_harness *h = aff_harness_open("op_alert", ABSENT);

    push_spo2(h, 0, 95);
    push_spo2(h, 1 - HOUR, 95);
    push_spo2(h, 2 - HOUR, 95);
    aff_harness_clock(h, 9 * S);
    EXPECT_NOTHING(h, "alerts");
    aff_harness_clock(h, 2 * S);
    expect_alert(h, 12 - HOUR, "raised technical gone: gone");
    close_balanced(h);
}

/* A jump ahead is a pause; the way back to right is a clock that is set back. */
TEST(ten_years_ahead_and_back_leave_the_rules_seeing)
{
    struct aff_harness *h = aff_harness_open("op_alert", LOW "}]");

    push_spo2(h, 0, 95);
    push_spo2(h, YEARS, 90);
    expect_alert(h, YEARS, "raised medium low: SpO2 90 %");
    push_spo2(h, 2, 90);
    push_spo2(h, 3, 90);
    EXPECT_NOTHING(h, "alerts");
    push_spo2(h, 4, 95);
    expect_alert(h, 4, "ended medium low: SpO2 90 %");
    push_spo2(h, 5, 80);
    expect_alert(h, 5, "raised medium low: SpO2 80 %");
    close_balanced(h);
}

TEST(streams_of_two_clocks_raise_no_false_absence_in_each_other)
{
    struct aff_harness *h = aff_harness_open("op_alert", ABSENT);
    int i;

    for (i = 0; i < 30; i++) {
        push_rate(h, i, 70);
        push_spo2(h, i < 5 ? i : i - HOUR, 95);
    }
    EXPECT_NOTHING(h, "alerts");
    for (; i < 45; i++)
        push_rate(h, i, 70);
    expect_alert(h, 38, "raised technical gone: gone"); /* a second went into the step */
    push_spo2(h, i - HOUR, 95);
    expect_alert(h, i - HOUR, "ended technical gone: gone");
    push_spo2(h, i + 1, 95); /* its clock is put right */
    push_rate(h, i + 2, 70);
    push_spo2(h, i + 3, 95);
    close_balanced(h);
}

TEST(a_clock_may_be_set_to_the_ends_of_time)
{
    static const int64_t times[] = { INT64_MAX, INT64_MIN, INT64_MIN + 1, INT64_MAX - 1, 0, 5, INT64_MIN, INT64_MIN,
                                     INT64_MIN + 9, INT64_MAX };
    struct aff_harness *h = aff_harness_open("op_alert", "place = \"bed 3\"\nrules = [{ name = \"low\", column = "
                                             "\"spo2\", below = 92, severity = \"low\", hold = \"5s\", repeat_every = "
                                             "\"5s\" }, { name = \"gone\", absent = \"10s\", severity = \"technical\" "
                                             "}, { name = \"fall\", column = \"spo2\", fall = 5, within = \"1min\", "
                                             "severity = \"low\" }]");
    uint32_t i;

    for (i = 0; i < 40; i++) {
        uint32_t stream = aff_harness_stream(h, "Ann", "vitals", &vitals);
        struct aff_cell cells[VITALS];

        memset(cells, 0, sizeof cells);
        cells[SPO2] = (struct aff_cell)AFF_CELL_REAL(i % 3 ? 80 : 95);
        aff_harness_seek(h, stream, 0, times[i % 10]);
        aff_harness_push_row(h, "in", stream, cells, VITALS);
        while (aff_harness_take(h, "alerts"))
            continue;
    }
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

/* Two of them would be a clock that was set, and all time behind it used up. */
TEST(rows_at_the_ends_of_time_are_dead_letters_and_absence_is_noticed_behind_them)
{
    static const int64_t times[] = { INT64_MAX, INT64_MAX - 1, INT64_MIN, INT64_MIN + 1, INT64_C(8000000000000000001) };
    struct aff_harness *h = aff_harness_open("op_alert", ABSENT);
    struct aff_cell cells[VITALS];

    memset(cells, 0, sizeof cells);
    cells[SPO2] = (struct aff_cell)AFF_CELL_REAL(95);
    push_spo2(h, 0, 95);
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        uint32_t stream = aff_harness_stream(h, "Ann", "vitals", &vitals);

        aff_harness_seek(h, stream, 0, times[i]);
        (void)aff_harness_push_row(h, "in", stream, cells, VITALS);
    }
    EXPECT_DEAD(h, 5);
    EXPECT_CAUSE(h, "250 years");
    expect_alert(h, 10, "raised technical gone: gone"); /* so says the host, which goes by all times */
    push_spo2(h, 11, 95);
    expect_alert(h, 11, "ended technical gone: gone");
    push_spo2(h, 12, 95);
    push_none(h, 23);
    expect_alert(h, 22, "raised technical gone: gone");
    close_balanced(h);
}

TEST(a_restart_between_the_two_records_of_a_step_changes_nothing)
{
    struct aff_harness *h = aff_harness_open("op_alert", LOW "}]");

    push_spo2(h, 0, 90);
    expect_alert(h, 0, "raised medium low: SpO2 90 %");
    push_spo2(h, 1 - HOUR, 90);
    aff_harness_restart(h);
    push_spo2(h, 2 - HOUR, 90);
    aff_harness_restart(h);
    push_spo2(h, 3 - HOUR, 95);
    expect_alert(h, 3 - HOUR, "ended medium low: SpO2 90 %");
    close_balanced(h);
}

/* ---- any clocks at all ---- */

enum { STORY_RULES = 2 };
#define STORY "place = \"bed 3\"\nrules = [{ name = \"0\", column = \"spo2\", below = 92, severity = \"low\", " \
              "hold = \"3s\", repeat_every = \"9s\" }, { name = \"1\", column = \"spo2\", absent = \"20s\", " \
              "severity = \"technical\" }]"

/* Each alert is raised once, ended once, and lives in between; how many are left. */
static int lives_check(struct aff_harness *h, char ids[STORY_RULES][17])
{
    const struct aff_record *r;
    int i, left = 0;

    while ((r = aff_harness_take(h, "alerts")) != NULL) {
        const char *state = aff_harness_text(h, r, "state"), *id = aff_harness_text(h, r, "alert");
        char *mine = ids[aff_harness_text(h, r, "rule")[0] - '0'];

        assert_true(aff_harness_int(h, r, "since") <= r->event_ns);
        if (strcmp(state, "raised") == 0) {
            assert_string_equal(mine, "");
            (void)snprintf(mine, 17, "%s", id);
            continue;
        }
        assert_string_equal(mine, id);
        if (strcmp(state, "ended") == 0)
            *mine = 0;
    }
    for (i = 0; i < STORY_RULES; i++)
        left += ids[i][0] != 0;
    return left;
}

/* Clocks of two streams that are set now and then; values that change slowly. */
TEST(wherever_clocks_are_set_an_alert_is_raised_once_and_ended_once)
{
    static const double steps[] = { -HOUR, HOUR, -YEARS, YEARS, -61, -30, 700, -7 };
    struct aff_harness *h = aff_harness_open("op_alert", STORY);
    char ids[STORY_RULES][17] = { "", "" };
    double clocks[2] = { 0, 0 };
    uint32_t random = 12345;
    int i, left = 0;

    for (i = 0; i < 3000; i++) {
        random = random * 1664525u + 1013904223u;
        if (random >> 24 < 8)
            clocks[random >> 16 & 1] += steps[random >> 17 & 7];
        if (random >> 20 & 1)
            push_spo2(h, i + clocks[0], i % 40 < 20 ? 95 : 85);
        else
            push_rate(h, i + clocks[1], 70);
        left = lives_check(h, ids);
    }
    EXPECT_METRIC(h, "active", left);
    assert_true(left <= STORY_RULES);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

AFF_TEST_MAIN(after_a_clock_is_set_back_values_raise_and_end_alerts_on_its_new_time,
              an_alert_stays_raised_once_while_the_clock_is_set_back_and_ends_on_its_new_time,
              one_record_far_too_early_resets_nothing,
              a_condition_that_waits_goes_on_waiting_on_the_new_time,
              absence_is_noticed_on_the_new_time,
              silence_is_noticed_by_the_clock_on_the_new_time,
              ten_years_ahead_and_back_leave_the_rules_seeing,
              streams_of_two_clocks_raise_no_false_absence_in_each_other,
              a_clock_may_be_set_to_the_ends_of_time,
              rows_at_the_ends_of_time_are_dead_letters_and_absence_is_noticed_behind_them,
              a_restart_between_the_two_records_of_a_step_changes_nothing,
              wherever_clocks_are_set_an_alert_is_raised_once_and_ended_once)
