/* SPDX-License-Identifier: Apache-2.0
 *
 * test_op_watch.c - the plugin on the test kit: every kind of rule, hysteresis,
 * commands with their limit, alerts, restarts, failing host calls.
 *
 * Not here: options and shapes (test_rules.c), rows at random (test_story.c). */
#include "testing.h"

#include <math.h>

#define SILENT "rules = [{ name = \"quiet\", kind = \"silent\", for = \"5s\", clear_for = \"2s\" }]"

TEST(silence_is_raised_by_time_and_cleared_by_data_that_flows)
{
    struct aff_harness *h = aff_harness_open("op_watch", SILENT);
    uint32_t line = frames_of(h, "A");

    push_frame(h, line, 10);
    push_frame(h, line, 14);
    expect_found(h, "");
    aff_harness_clock(h, LATER(5.5)); /* and the second that the host waits longer */
    expect_found(h, "");
    aff_harness_clock(h, LATER(1));
    expect_found(h, "19 device/events of A: quiet silent raised\n");
    EXPECT_METRIC(h, "active", 1);
    push_frame(h, line, 30);
    push_frame(h, line, 31.9);
    expect_found(h, "");
    push_frame(h, line, 32.5);
    expect_found(h, "32 device/events of A: quiet silent cleared\n");
    EXPECT_METRIC(h, "active", 0);
    EXPECT_WAITING(h, "out", 5);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(silence_of_a_recording_is_found_at_its_own_time)
{
    struct aff_harness *h = aff_harness_open("op_watch", SILENT);
    uint32_t line = frames_of(h, "A");

    push_frame(h, line, 10);
    push_frame(h, line, 60);
    push_frame(h, line, 67);
    push_frame(h, line, 68);
    expect_found(h, "15 device/events of A: quiet silent raised\n"); /* one record is not yet that data flows */
    push_frame(h, line, 69.5);
    expect_found(h, "69 device/events of A: quiet silent cleared\n");
    aff_harness_end_stream(h, "in", line);
    aff_harness_clock(h, LATER(100));
    expect_found(h, "end device/events of A\n");
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(one_subject_is_silent_while_another_is_not)
{
    struct aff_harness *h = aff_harness_open("op_watch", SILENT);
    uint32_t a = frames_of(h, "A"), b = frames_of(h, "B"), rows = rows_of(h, "A");
    int i;

    push_frame(h, a, 0);
    push_hr(h, rows, 0, 80);
    for (i = 0; i < 20; i++) {
        push_frame(h, b, i);
        push_frame(h, a, i);
    }
    expect_found(h, "5 device/events of A: quiet silent raised\n");
    aff_harness_end_stream(h, "in", rows);
    aff_harness_end_stream(h, "in", a);
    EXPECT_METRIC(h, "active", 0);
    push_frame(h, b, 20);
    expect_found(h, "end device/events of A\n");
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

#define RANGE "rules = [{ name = \"hot\", kind = \"out_of_range\", column = \"hr\", low = 20, high = 200, for = \"3s\", clear_for = \"4s\" }]"

TEST(a_value_out_of_range_must_last_and_its_end_too)
{
    struct aff_harness *h = aff_harness_open("op_watch", RANGE);
    uint32_t rows = rows_of(h, "A");

    push_hr(h, rows, 0, 250);
    push_hr(h, rows, 2, 80);
    push_hr(h, rows, 4, 10);
    push_hr(h, rows, 5, NAN); /* no value says nothing */
    push_hr(h, rows, 8, 15);
    push_hr(h, rows, 9, 200);
    push_hr(h, rows, 12, 201);
    push_hr(h, rows, 13, 100);
    expect_found(h, "7 device/events of A: hot out_of_range raised\n");
    push_hr(h, rows, 16, 100);
    expect_found(h, "");
    push_hr(h, rows, 18, 100);
    expect_found(h, "17 device/events of A: hot out_of_range cleared\n");
    push_hr(h, rows, 17, 1000); /* late: moves nothing back */
    push_hr(h, rows, 30, 100);
    expect_found(h, "");
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(a_value_that_is_stuck_is_flat_while_data_flows)
{
    struct aff_harness *h = aff_harness_open("op_watch", "rules = [{ name = \"stuck\", kind = \"flat\", column = \"hr\", "
                                             "tolerance = 0.5, for = \"5s\", clear_for = \"2s\" }]");
    uint32_t rows = rows_of(h, "A");
    int i;

    for (i = 0; i < 5; i++)
        push_hr(h, rows, i, 80 + i % 2 * 0.5);
    push_hr(h, rows, 5, 81);
    for (i = 6; i < 10; i++)
        push_hr(h, rows, i, 81);
    aff_harness_clock(h, LATER(60)); /* no data: silence, not a flat line */
    push_hr(h, rows, 70, 81);        /* nobody saw that it stayed so */
    expect_found(h, "");
    for (i = 71; i < 77; i++)
        push_hr(h, rows, i, 81);
    expect_found(h, "75 device/events of A: stuck flat raised\n");
    push_hr(h, rows, 80, 80);
    push_hr(h, rows, 81, 81);
    for (i = 90; i < 94; i++) /* a pause makes the wait begin anew */
        push_hr(h, rows, i, i);
    expect_found(h, "92 device/events of A: stuck flat cleared\n");
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(values_that_are_missing_or_doubted_are_lead_off)
{
    struct aff_harness *h = aff_harness_open("op_watch", "rules = [{ name = \"off\", kind = \"missing\", column = \"hr\", beside = \"state\", for = \"1s\" },"
                                             "{ name = \"doubt\", kind = \"suspect\", for = \"2s\" }]");
    uint32_t rows = rows_of(h, "A");

    push_row_flags(h, rows, 0, NAN, -1, 0); /* a row of another kind */
    push_row_flags(h, rows, 1, 80, 1, 0);
    push_row_flags(h, rows, 2, NAN, 3, AFF_FLAG_SUSPECT);
    push_row_flags(h, rows, 3, NAN, -1, AFF_FLAG_SUSPECT);
    push_row_flags(h, rows, 4, NAN, 3, AFF_FLAG_SUSPECT);
    expect_found(h, "3 device/events of A: off missing raised\n4 device/events of A: doubt suspect raised\n");
    push_row_flags(h, rows, 5, 80, 1, 0);
    expect_found(h, "5 device/events of A: off missing cleared\n5 device/events of A: doubt suspect cleared\n");
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

static uint32_t ecg_of(struct aff_harness *h, uint8_t format)
{
    uint32_t s = aff_harness_samples_stream(h, "ecg", format, 2, 10);

    aff_harness_seek(h, s, 0, 0);
    return s;
}

/* 20 s of two channels at 10 Hz; the second has no samples from 5 s to 8 s, stands
 * still from 10 s to 14 s, and is at its stop from 15 s to 17 s. */
static void ecg_push(struct aff_harness *h, uint32_t stream, uint32_t cut)
{
    int16_t planes[400], all[2][200];
    uint32_t i, n, at;

    for (i = 0; i < 200; i++) {
        all[0][i] = (int16_t)(i % 7 * 10);
        all[1][i] = i >= 50 && i < 80 ? INT16_MIN : i >= 100 && i < 140 ? 7 : i >= 150 && i < 170 ? (int16_t)(30000 + i) : (int16_t)(i % 5 * 10);
    }
    for (at = 0; at < 200; at += n) {
        n = 200 - at < cut ? 200 - at : cut;
        memcpy(planes, &all[0][at], n * sizeof planes[0]);
        memcpy(planes + n, &all[1][at], n * sizeof planes[0]);
        aff_harness_push_samples(h, "in", stream, planes, n, 0);
    }
}

#define ECG "rules = [{ name = \"off\", kind = \"missing\", column = \"ch1\", for = \"2s\", clear_for = \"500ms\" }, " \
            "{ name = \"still\", kind = \"flat\", column = \"ch1\", for = \"3s\" }, " \
            "{ name = \"stop\", kind = \"out_of_range\", column = \"ch1\", high = 100, for = \"1s\" }]"

TEST(samples_are_judged_one_by_one_however_they_are_cut)
{
    static const uint32_t cuts[] = { 1, 3, 10, 77, 200 };
    size_t i;

    for (i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
        struct aff_harness *h = aff_harness_open("op_watch", ECG);

        ecg_push(h, ecg_of(h, AFF_I16), cuts[i]);
        aff_harness_discard(h, "out");
        EXPECT_WAITING(h, "events", 6);
        assert_int_equal(aff_harness_take(h, "events")->event_ns / 100000000, 70);
        EXPECT_METRIC(h, "raised", 3);
        EXPECT_METRIC(h, "cleared", 3);
        EXPECT_BALANCED(h);
        aff_harness_close(&h);
    }
}

TEST(a_channel_of_floats_has_no_value_where_it_is_not_a_number)
{
    struct aff_harness *h = aff_harness_open("op_watch", "rules = [{ name = \"off\", kind = \"missing\", column = \"ch0\" }]");
    uint32_t stream = ecg_of(h, AFF_F32);
    float planes[8] = { 1, NAN, 1, 1, 2, 2, 2, 2 };

    aff_harness_push_samples(h, "in", stream, planes, 4, 0);
    EXPECT_METRIC(h, "raised", 1);
    EXPECT_METRIC(h, "cleared", 1);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

#define RATE "rules = [{ name = \"bad\", kind = \"bad_rate\", within = \"8s\", most = 10 }]"

TEST(bad_frames_are_counted_within_a_time)
{
    struct aff_harness *h = aff_harness_open("op_watch", RATE);
    uint32_t events = events_of(h, "A");

    push_event(h, events, 0.5, "bad_frames", 6);
    push_event(h, events, 1.5, "bad_frames", 4);
    push_event(h, events, 2.5, "silent", 100);
    push_event(h, events, 9.6, "bad_frames", 6); /* those of 0.5 and 1.5 are over */
    expect_found(h, "");
    push_event(h, events, 10, "bad_frames", 4);
    push_event(h, events, 11, "bad_frames", -1); /* one */
    expect_found(h, "11 device/events of A: bad bad_rate raised\n");
    push_event(h, events, 17.5, "not_silent", -1);
    expect_found(h, "17 device/events of A: bad bad_rate cleared\n");
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

#define LINE "rules = [{ name = \"unplugged\", kind = \"event\", event = \"line_lost\", until = \"line_back\", for = \"2s\" }]"

TEST(a_devices_own_words_begin_and_end_an_event)
{
    struct aff_harness *h = aff_harness_open("op_watch", LINE);
    uint32_t events = events_of(h, "A");
    char bad[8] = { 0 };

    push_event(h, events, 0, "line_lost", -1);
    push_event(h, events, 1, "line_back", -1);
    push_event(h, events, 5, "line_lost", -1);
    push_event(h, events, 9, "line_lost", -1);
    push_event(h, events, 12, "line_back", -1);
    expect_found(h, "7 device/events of A: unplugged event raised\n12 device/events of A: unplugged event cleared\n");
    push_at(h, "events", events, 13, bad, 8, 0);
    EXPECT_VERDICT(h, "bad_event", 1);
    EXPECT_VERDICT(h, "used", 5);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

/* ---- commands and alerts ---- */

#define RESET "place = \"bed 3\"\nrules = [{ name = \"quiet\", kind = \"silent\", for = \"5s\", clear_for = \"1s\", command = \"reset\", " \
              "retry_every = \"10s\", command_most = 2, command_within = \"60s\", severity = \"technical\", "

TEST(a_command_is_repeated_so_often_and_then_people_are_told)
{
    struct aff_harness *h = aff_harness_open("op_watch", RESET "alert = \"escalated\", text = \"the monitor is silent\" }]");
    uint32_t line = frames_of(h, "A");

    push_frame(h, line, 0);
    aff_harness_clock(h, LATER(200));
    expect_found(h, "5 device/events of A: quiet silent raised\n5 device/events of A: quiet silent commanded\n"
                    "15 device/events of A: quiet silent commanded\n25 device/events of A: quiet silent escalated\n"
                    "65 device/events of A: quiet silent commanded\n75 device/events of A: quiet silent commanded\n"
                    "125 device/events of A: quiet silent commanded\n135 device/events of A: quiet silent commanded\n"
                    "185 device/events of A: quiet silent commanded\n195 device/events of A: quiet silent commanded\n"
                    "5 device/commands of bed 3: quiet sends reset 1\n15 device/commands of bed 3: quiet sends reset 2\n"
                    "65 device/commands of bed 3: quiet sends reset 3\n75 device/commands of bed 3: quiet sends reset 4\n"
                    "125 device/commands of bed 3: quiet sends reset 5\n135 device/commands of bed 3: quiet sends reset 6\n"
                    "185 device/commands of bed 3: quiet sends reset 7\n195 device/commands of bed 3: quiet sends reset 8\n"
                    "25 device/alerts of bed 3: quiet technical raised since 0: the monitor is silent\n");
    push_frame(h, line, 201);
    push_frame(h, line, 202);
    expect_found(h, "202 device/events of A: quiet silent cleared\n"
                    "202 device/alerts of bed 3: quiet technical ended since 0: the monitor is silent\n");
    EXPECT_METRIC(h, "commands", 8);
    aff_harness_clock(h, LATER(8)); /* both of this minute are used up */
    expect_found(h, "207 device/events of A: quiet silent raised\n207 device/events of A: quiet silent escalated\n"
                    "207 device/alerts of bed 3: quiet technical raised since 202: the monitor is silent\n");
    EXPECT_METRIC(h, "escalated", 2);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(a_device_that_recovers_gets_no_more_commands)
{
    struct aff_harness *h = aff_harness_open("op_watch", RESET "}]");
    uint32_t line = frames_of(h, "A");

    push_frame(h, line, 0);
    aff_harness_clock(h, LATER(7));
    push_frame(h, line, 8);
    push_frame(h, line, 9);
    push_frame(h, line, 12);
    push_frame(h, line, 16);
    expect_found(h, "5 device/events of A: quiet silent raised\n5 device/events of A: quiet silent commanded\n"
                    "9 device/events of A: quiet silent cleared\n5 device/commands of bed 3: quiet sends reset 1\n"
                    "5 device/alerts of bed 3: quiet technical raised since 0: quiet\n"
                    "9 device/alerts of bed 3: quiet technical ended since 0: quiet\n");
    aff_harness_clock(h, LATER(50)); /* again within the minute: one is left, then people */
    expect_found(h, "21 device/events of A: quiet silent raised\n21 device/events of A: quiet silent commanded\n"
                    "31 device/events of A: quiet silent escalated\n"
                    "65 device/events of A: quiet silent commanded\n"
                    "21 device/commands of bed 3: quiet sends reset 2\n65 device/commands of bed 3: quiet sends reset 3\n"
                    "21 device/alerts of bed 3: quiet technical raised since 16: quiet\n"
                    "31 device/alerts of bed 3: quiet technical repeated since 16: quiet\n");
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(places_may_hold_the_subject_and_end_with_it)
{
    struct aff_harness *h = aff_harness_open("op_watch", "place = \"bed {subject}!\"\nstream = \"care\"\nrules = [{ name = \"quiet\", kind = \"silent\", "
                                             "for = \"5s\", command = \"reset\", severity = \"low\" }]");
    uint32_t line = frames_of(h, "7");

    push_frame(h, line, 0);
    aff_harness_clock(h, LATER(10));
    aff_harness_end_stream(h, "in", line);
    expect_found(h, "5 care/events of 7: quiet silent raised\n5 care/events of 7: quiet silent commanded\n"
                    "end care/events of 7\n5 care/commands of bed 7!: quiet sends reset 1\nend care/commands of bed 7!\n"
                    "5 care/alerts of bed 7!: quiet low raised since 0: quiet\nend care/alerts of bed 7!\n");
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(a_shared_place_ends_its_streams_with_the_last_input)
{
    struct aff_harness *h = aff_harness_open("op_watch", RESET "}]");
    uint32_t line = frames_of(h, "A");

    push_frame(h, line, 0);
    aff_harness_clock(h, LATER(7));
    aff_harness_restart(h);
    aff_harness_end_stream(h, "in", line);
    aff_harness_drain(h);
    expect_found(h, "5 device/events of A: quiet silent raised\n5 device/events of A: quiet silent commanded\n"
                    "end device/events of A\n5 device/commands of bed 3: quiet sends reset 1\nend device/commands of bed 3\n"
                    "5 device/alerts of bed 3: quiet technical raised since 0: quiet\nend device/alerts of bed 3\n");
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

/* ---- restarts, failures, bounds ---- */

TEST(a_restart_at_any_moment_changes_nothing)
{
    static const char toml[] = "place = \"x\"\nrules = [{ name = \"hot\", kind = \"out_of_range\", column = \"hr\", high = 200, for = \"3s\", clear_for = \"2s\", "
                               "severity = \"low\", command = \"c\", retry_every = \"1s\", command_most = 2 }, "
                               "{ name = \"quiet\", kind = \"silent\", for = \"4s\" }, { name = \"bad\", kind = \"bad_rate\", most = 3 }]";
    uint64_t digest = 0;
    int every, i;

    for (every = 100; every > 0; every -= 99) {
        struct aff_harness *h = aff_harness_open("op_watch", toml);
        uint32_t rows = rows_of(h, "A"), events = events_of(h, "A");

        for (i = 0; i < 60; i++) {
            push_hr(h, rows, i + (i > 40 ? 10 : 0), i % 20 > 9 ? 250 : 80);
            push_event(h, events, i + (i > 40 ? 10 : 0), "bad_frames", i % 3);
            if (i % every == every - 1) {
                aff_harness_restart(h);
                assert_true(aff_harness_metric(h, "active") < 4);
            }
        }
        assert_true(aff_harness_metric(h, "raised") > 3);
        if (every == 100)
            digest = aff_harness_digest(h);
        assert_true(aff_harness_digest(h) == digest);
        EXPECT_BALANCED(h);
        aff_harness_close(&h);
    }
}

static void every_call_may_fail(void)
{
    struct aff_harness *h = aff_harness_open("op_watch", RESET "}, { name = \"unplugged\", kind = \"event\", event = \"a\", until = \"b\", "
                                             "severity = \"high\" }]");
    uint32_t line = frames_of(h, "A"), events = events_of(h, "A");

    push_frame(h, line, 0);
    push_event(h, events, 1, "a", -1);
    push_event(h, events, 2, "b", -1);
    push_frame(h, line, 8);
    push_frame(h, line, 9);
    aff_harness_end_stream(h, "in", line);
    aff_harness_end_stream(h, "events", events);
    aff_harness_drain(h);
    expect_found(h, "1 device/events of A: unplugged event raised\n2 device/events of A: unplugged event cleared\n"
                    "5 device/events of A: quiet silent raised\n5 device/events of A: quiet silent commanded\n"
                    "9 device/events of A: quiet silent cleared\nend device/events of A\n"
                    "5 device/commands of bed 3: quiet sends reset 1\nend device/commands of bed 3\n"
                    "1 device/alerts of bed 3: unplugged high raised since 1: unplugged\n"
                    "2 device/alerts of bed 3: unplugged high ended since 1: unplugged\n"
                    "5 device/alerts of bed 3: quiet technical raised since 0: quiet\n"
                    "9 device/alerts of bed 3: quiet technical ended since 0: quiet\nend device/alerts of bed 3\n");
    EXPECT_METRIC(h, "raised", 2);
    EXPECT_METRIC(h, "active", 0);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

/* A clock that was an hour ahead: what comes then is not late, and durations go on. */
TEST(a_clock_that_is_set_back_blinds_no_rule)
{
    struct aff_harness *h = aff_harness_open("op_watch", "rules = [{ name = \"low\", kind = \"out_of_range\", column = \"hr\", low = 50, "
                                                         "for = \"4s\" }, { name = \"quiet\", kind = \"silent\", for = \"5s\" }]");
    uint32_t rows = rows_of(h, "A");
    double at;

    push_hr(h, rows, 3600, 80);
    push_hr(h, rows, 3602, 40);
    push_hr(h, rows, 10, 40); /* may be a stray one */
    push_hr(h, rows, 3604, 80);
    push_hr(h, rows, 3606, 40);
    push_hr(h, rows, 20, 40); /* these are not */
    push_hr(h, rows, 22, 40);
    expect_found(h, "");
    aff_harness_clock(h, LATER(4)); /* no alarm too early: how late it is nobody knows yet */
    push_hr(h, rows, 24, 40);
    expect_found(h, "24 device/events of A: low out_of_range raised\n");
    push_hr(h, rows, 26, 80);
    expect_found(h, "26 device/events of A: low out_of_range cleared\n");
    push_hr(h, rows, 40, 80); /* a gap is found by what ends it */
    expect_found(h, "31 device/events of A: quiet silent raised\n40 device/events of A: quiet silent cleared\n");
    aff_harness_restart(h);
    for (at = 44; at < 3610; at += 4)
        push_hr(h, rows, at, 80);
    expect_found(h, "");
    aff_harness_clock(h, LATER(6.5)); /* caught up: time alone is enough again */
    expect_found(h, "3613 device/events of A: quiet silent raised\n");
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

#define YEAR_2000 946684800.0
#define YEAR_2026 1767225600.0

/* The clock of a device whose battery is empty begins anew: then it goes silent. */
TEST(silence_is_found_on_the_time_of_a_clock_that_fell_back_to_2000)
{
    struct aff_harness *h = aff_harness_open("op_watch", SILENT);
    uint32_t rows = rows_of(h, "A");

    push_hr(h, rows, YEAR_2026, 80);
    push_hr(h, rows, YEAR_2000, 80);
    push_hr(h, rows, YEAR_2000 + 1, 80);
    push_hr(h, rows, YEAR_2000 + 2, 80);
    aff_harness_restart(h);
    aff_harness_clock(h, LATER(4));
    EXPECT_METRIC(h, "raised", 0);
    aff_harness_clock(h, LATER(3));
    EXPECT_METRIC(h, "raised", 1);
    EXPECT_NOTHING(h, "commands");
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

/* With another stream, whose clock is right, the host's time is that one's. */
TEST(a_clock_that_fell_back_raises_no_silence_by_the_time_of_another_stream)
{
    struct aff_harness *h = aff_harness_open("op_watch", SILENT);
    uint32_t rows = rows_of(h, "A"), events = events_of(h, "A");
    int i;

    push_event(h, events, YEAR_2026, "opened", -1);
    push_hr(h, rows, YEAR_2026 + 1, 80); /* the latest, so that the host's time falls back, too */
    for (i = 0; i < 20; i++) {
        push_hr(h, rows, YEAR_2000 + 2 * i, 80);
        push_hr(h, rows, YEAR_2000 + 2 * i + 1, 80);
        push_event(h, events, YEAR_2026 + 2 + i, "opened", -1);
    }
    EXPECT_METRIC(h, "raised", 0);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(the_count_of_bad_frames_goes_on_when_a_clock_is_set_back)
{
    struct aff_harness *h = aff_harness_open("op_watch", "rules = [{ name = \"noise\", kind = \"bad_rate\", within = \"8s\", most = 3 }]");
    uint32_t rows = rows_of(h, "A"), events = events_of(h, "A");

    push_hr(h, rows, 1000, 1);
    push_event(h, events, 1000, "bad_frames", 1);
    push_event(h, events, 1003, "bad_frames", 2);
    push_event(h, events, 100, "bad_frames", 0);
    push_event(h, events, 101, "bad_frames", 1);
    expect_found(h, "101 device/events of A: noise bad_rate raised\n");
    push_event(h, events, 106, "bad_frames", 0); /* those of before are too old by now */
    expect_found(h, "105 device/events of A: noise bad_rate cleared\n");
    aff_harness_close(&h);
}

TEST(every_host_call_may_fail_once)
{
    AFF_EACH_HOST_CALL_FAILS_ONCE(every_call_may_fail);
}

TEST(more_streams_than_are_watched_are_counted_and_pass)
{
    struct aff_harness *h = aff_harness_open("op_watch", SILENT);
    char name[3] = "s";
    int i;

    for (i = 0; i < 20; i++) {
        name[1] = (char)('a' + i);
        push_frame(h, aff_harness_stream(h, "A", name, &bytes_schema), 0);
    }
    EXPECT_METRIC(h, "unwatched", 4);
    EXPECT_WAITING(h, "out", 20);
    aff_harness_clock(h, LATER(10));
    EXPECT_METRIC(h, "raised", 16);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(a_rule_may_be_for_one_stream_alone)
{
    struct aff_harness *h = aff_harness_open("op_watch", "rules = [{ name = \"quiet\", kind = \"silent\", for = \"5s\", stream = \"line\" }]");

    push_frame(h, frames_of(h, "A"), 0);
    push_hr(h, rows_of(h, "A"), 0, 80);
    aff_harness_clock(h, LATER(10));
    EXPECT_METRIC(h, "raised", 1);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

AFF_TEST_MAIN(silence_is_raised_by_time_and_cleared_by_data_that_flows,
              silence_of_a_recording_is_found_at_its_own_time, one_subject_is_silent_while_another_is_not,
              a_value_out_of_range_must_last_and_its_end_too, a_value_that_is_stuck_is_flat_while_data_flows,
              values_that_are_missing_or_doubted_are_lead_off, samples_are_judged_one_by_one_however_they_are_cut,
              a_channel_of_floats_has_no_value_where_it_is_not_a_number, bad_frames_are_counted_within_a_time,
              a_devices_own_words_begin_and_end_an_event, a_command_is_repeated_so_often_and_then_people_are_told,
              a_device_that_recovers_gets_no_more_commands, places_may_hold_the_subject_and_end_with_it,
              a_shared_place_ends_its_streams_with_the_last_input, a_restart_at_any_moment_changes_nothing,
              a_clock_that_is_set_back_blinds_no_rule,
              silence_is_found_on_the_time_of_a_clock_that_fell_back_to_2000,
              a_clock_that_fell_back_raises_no_silence_by_the_time_of_another_stream,
              the_count_of_bad_frames_goes_on_when_a_clock_is_set_back, every_host_call_may_fail_once, more_streams_than_are_watched_are_counted_and_pass,
              a_rule_may_be_for_one_stream_alone)
