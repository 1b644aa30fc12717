/* SPDX-License-Identifier: Apache-2.0
 *
 * test_times.c - steps over restarts, on clocks that are set, and where no timer comes. */
#include "test_calls.h"

#define YEARS (10 * 365 * 24 * HOUR)

static void live(struct aff_harness *h, double at, const char *state)
{
    push(h, &(struct row){ "bed 3", "a1", state, "high", at, AFF_CLOCK_SYNCED });
}

static struct aff_harness *raised(uint8_t clock)
{
    struct aff_harness *h = aff_harness_open("op_escalate", STEPS PEOPLE);

    aff_harness_utc(h, NOON, AFF_CLOCK_SYNCED);
    push(h, &(struct row){ "bed 3", "a1", "raised", "high", 0, clock });
    expect_call(h, 0, "nurse raised 1");
    return h;
}

/* ---- restarts ---- */

TEST(a_restart_forgets_neither_who_was_told_nor_what_is_due)
{
    struct aff_harness *h = raised(AFF_CLOCK_SYNCED);

    aff_harness_clock(h, 60 * S);
    aff_harness_restart(h);
    EXPECT_METRIC(h, "open", 1);
    aff_harness_clock(h, 59 * S);
    EXPECT_NOTHING(h, "alerts");
    aff_harness_clock(h, 3 * S);
    expect_call(h, NAN, "doctor raised 2");
    aff_harness_restart(h);
    push_sms(h, "+39222", "ok");
    expect_call(h, NAN, "nurse acknowledged 1");
    expect_call(h, NAN, "doctor acknowledged 2");
    aff_harness_restart(h);
    aff_harness_clock(h, 3600 * S);
    EXPECT_NOTHING(h, "alerts");
    live(h, 4000, "ended");
    assert_string_equal(aff_harness_text(h, expect_call(h, 4000, "nurse ended 1"), "by"), "doctor");
    expect_call(h, 4000, "doctor ended 2");
    aff_harness_discard(h, "acks");
    close_balanced(h);
}

TEST(what_fell_due_while_the_node_was_down_is_told_at_once_and_each_step_once)
{
    struct aff_harness *h = raised(AFF_CLOCK_SYNCED);

    aff_harness_utc(h, NOON + 3600 * S, AFF_CLOCK_SYNCED);
    aff_harness_restart(h);
    aff_harness_clock(h, 2 * S);
    expect_call(h, NAN, "doctor raised 2");
    assert_true(expect_call(h, NAN, "on-call raised 3")->event_ns >= NOON + 3599 * S); /* or it would have expired */
    EXPECT_NOTHING(h, "alerts");
    aff_harness_clock(h, 297 * S);
    EXPECT_NOTHING(h, "alerts");
    aff_harness_clock(h, 5 * S);
    expect_call(h, NAN, "on-call repeated 3"); /* from when it was told on */
    live(h, 4000, "ended");
    expect_call(h, 4000, "nurse ended 1");
    expect_call(h, 4000, "doctor ended 2");
    expect_call(h, 4000, "on-call ended 3");
    close_balanced(h);
}

/* The data may stand still while the node is down (a file, a device without power). */
TEST(steps_go_on_where_the_data_goes_on_from_before_the_pause)
{
    struct aff_harness *h = raised(AFF_CLOCK_SYNCED);

    aff_harness_utc(h, NOON + 150 * S, AFF_CLOCK_SYNCED);
    aff_harness_restart(h);
    aff_harness_clock(h, 2 * S);
    expect_call(h, NAN, "doctor raised 2");
    live(h, 3, "repeated");
    expect_call(h, 3, "nurse repeated 1");
    expect_call(h, 3, "doctor repeated 2");
    aff_harness_clock(h, 145 * S);
    EXPECT_NOTHING(h, "alerts");
    aff_harness_clock(h, 6 * S);
    expect_call(h, NAN, "on-call raised 3"); /* five minutes of this node's time, not eight */
    close_balanced(h);
}

TEST(a_recording_knows_nothing_of_this_nodes_time)
{
    struct aff_harness *h = raised(AFF_CLOCK_RECORDED);

    aff_harness_utc(h, NOON + 3600 * S, AFF_CLOCK_SYNCED);
    aff_harness_restart(h);
    aff_harness_clock(h, 100 * S);
    EXPECT_NOTHING(h, "alerts");
    a1(h, 150, "repeated");
    expect_call(h, 120, "doctor raised 2");
    expect_call(h, 150, "nurse repeated 1");
    expect_call(h, 150, "doctor repeated 2");
    close_balanced(h);
}

TEST(while_the_clock_is_not_trusted_steps_wait_and_once_it_is_they_come)
{
    struct aff_harness *h = raised(AFF_CLOCK_SYNCED);

    aff_harness_utc(h, 5 * S, AFF_CLOCK_DEVICE); /* a board without a battery */
    aff_harness_restart(h);
    aff_harness_clock(h, 20 * S);
    EXPECT_NOTHING(h, "alerts");
    aff_harness_utc(h, NOON + 250 * S, AFF_CLOCK_SYNCED);
    aff_harness_clock(h, 6 * S);
    expect_call(h, NAN, "doctor raised 2");
    EXPECT_NOTHING(h, "alerts");
    aff_harness_clock(h, 60 * S);
    expect_call(h, NAN, "on-call raised 3");
    close_balanced(h);
}

TEST(a_clock_that_is_never_trusted_makes_steps_late_and_loses_none)
{
    struct aff_harness *h = raised(AFF_CLOCK_DEVICE);

    aff_harness_utc(h, 0, AFF_CLOCK_DEVICE);
    aff_harness_restart(h);
    aff_harness_clock(h, 118 * S);
    EXPECT_NOTHING(h, "alerts");
    aff_harness_clock(h, 4 * S);
    expect_call(h, NAN, "doctor raised 2");
    aff_harness_clock(h, 185 * S);
    expect_call(h, NAN, "on-call raised 3");
    close_balanced(h);
}

/* A device whose clock stands still, or a source above that is never idle. */
TEST(where_no_timer_comes_the_boot_clock_stands_in)
{
    struct aff_harness *h = raised(AFF_CLOCK_SYNCED);
    int i;

    for (i = 1; i <= 40; i++) {
        aff_harness_clock(h, 10 * S);
        push(h, &(struct row){ "bed 3", "other", "ended", "high", 0, AFF_CLOCK_SYNCED });
        if (i == 13)
            expect_call(h, NAN, "doctor raised 2");
        if (i == 31)
            expect_call(h, NAN, "on-call raised 3");
        EXPECT_NOTHING(h, "alerts");
    }
    close_balanced(h);
}

TEST(time_that_passed_without_data_counts_where_the_data_goes_on_from_before)
{
    struct aff_harness *h = raised(AFF_CLOCK_RECORDED);

    aff_harness_clock(h, 122 * S);
    expect_call(h, 120, "doctor raised 2");
    a1(h, 3, "repeated");
    expect_call(h, 3, "nurse repeated 1");
    expect_call(h, 3, "doctor repeated 2");
    a1(h, 200, "ended"); /* by then 197 s more, on top of the 120 */
    expect_call(h, 183, "on-call raised 3");
    expect_call(h, 200, "nurse ended 1");
    expect_call(h, 200, "doctor ended 2");
    expect_call(h, 200, "on-call ended 3");
    close_balanced(h);
}

/* ---- clocks that are set ---- */

TEST(a_clock_set_back_neither_hurries_nor_holds_up_a_step)
{
    struct aff_harness *h = raised(AFF_CLOCK_SYNCED);

    aff_harness_clock(h, 10 * S);
    push(h, &(struct row){ "bed 3", "a2", "raised", "high", 10 - HOUR, AFF_CLOCK_SYNCED });
    expect_call(h, 10 - HOUR, "nurse raised 1");
    push(h, &(struct row){ "bed 3", "a2", "repeated", "high", 11 - HOUR, AFF_CLOCK_SYNCED });
    expect_call(h, 11 - HOUR, "nurse repeated 1");
    EXPECT_NOTHING(h, "alerts");
    aff_harness_clock(h, 105 * S);
    EXPECT_NOTHING(h, "alerts");
    aff_harness_clock(h, 20 * S);
    assert_string_equal(aff_harness_text(h, expect_call(h, NAN, "doctor raised 2"), "alert"), "a1");
    assert_string_equal(aff_harness_text(h, expect_call(h, NAN, "doctor raised 2"), "alert"), "a2");
    close_balanced(h);
}

TEST(one_row_far_too_early_changes_nothing)
{
    struct aff_harness *h = raised(AFF_CLOCK_SYNCED);

    live(h, -YEARS, "raised");
    EXPECT_VERDICT(h, "known", 1);
    live(h, 60, "repeated");
    expect_call(h, 60, "nurse repeated 1");
    aff_harness_clock(h, 58 * S);
    EXPECT_NOTHING(h, "alerts");
    aff_harness_clock(h, 4 * S);
    expect_call(h, 120, "doctor raised 2");
    close_balanced(h);
}

/* Who is told when does not depend on where clocks are set: each person once a step,
 * never after the end, and all once time enough has passed. */
TEST(wherever_clocks_are_set_each_step_is_told_once_and_in_order)
{
    static const double steps[] = { -HOUR, HOUR, -YEARS, YEARS, -61, -30, 700, -7 };
    struct aff_harness *h = aff_harness_open("op_escalate", "steps = [{ to = \"0\" }, { to = \"1\", after = \"20s\" }, "
                                             "{ to = \"2\", after = \"40s\" }]");
    const struct aff_record *r;
    uint32_t random = 99;
    double clock = 0;
    int i, next = 0, told = 0;
    char id[12] = "";

    for (i = 0; i < 2000; i++) {
        const char *state = i % 40 == 0 ? "raised" : i % 40 == 39 ? "ended" : "repeated";

        random = random * 1664525u + 1013904223u;
        clock += random >> 24 < 12 ? steps[random >> 17 & 7] : 0;
        (void)snprintf(id, sizeof id, "%d", i / 40);
        push(h, &(struct row){ "bed 3", id, state, "high", 3 * i + clock, AFF_CLOCK_DEVICE });
        aff_harness_clock(h, 3 * S);
        while ((r = aff_harness_take(h, "alerts")) != NULL) {
            assert_string_equal(aff_harness_text(h, r, "alert"), id);
            if (strcmp(aff_harness_text(h, r, "state"), "raised") != 0)
                continue;
            assert_int_equal(aff_harness_text(h, r, "to")[0] - '0', next);
            next++;
            told++;
        }
        if (i % 40 == 39) {
            assert_int_equal(next, 3);
            next = 0;
        }
    }
    assert_int_equal(told, 150);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(times_at_the_ends_of_time_are_survived)
{
    static const double times[] = { 7e9, -9e9, 0, 6e9, 6e9, -8e9, -8e9, 5 };
    struct aff_harness *h = aff_harness_open("op_escalate", STEPS);
    char id[12];
    int i;

    for (i = 0; i < 80; i++) {
        (void)snprintf(id, sizeof id, "%d", i / 2 % 8);
        push(h, &(struct row){ "bed 3", id, i % 7 ? "raised" : "ended", "high", times[i % 8], AFF_CLOCK_DEVICE });
        aff_harness_clock(h, 500 * S);
        if (i % 10 == 9)
            aff_harness_restart(h);
    }
    aff_harness_discard(h, "alerts");
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

AFF_TEST_MAIN(time_that_passed_without_data_counts_where_the_data_goes_on_from_before,
              where_no_timer_comes_the_boot_clock_stands_in,
              a_restart_forgets_neither_who_was_told_nor_what_is_due,
              what_fell_due_while_the_node_was_down_is_told_at_once_and_each_step_once,
              steps_go_on_where_the_data_goes_on_from_before_the_pause,
              a_recording_knows_nothing_of_this_nodes_time,
              while_the_clock_is_not_trusted_steps_wait_and_once_it_is_they_come,
              a_clock_that_is_never_trusted_makes_steps_late_and_loses_none,
              a_clock_set_back_neither_hurries_nor_holds_up_a_step,
              one_row_far_too_early_changes_nothing,
              wherever_clocks_are_set_each_step_is_told_once_and_in_order,
              times_at_the_ends_of_time_are_survived)
