/* SPDX-License-Identifier: Apache-2.0
 *
 * test_pauses.c - a device that says nothing: silence and its end, half frames, and
 * pauses that end frames. */
#include "test_line.h"

TEST(silence_is_told_and_its_end_too)
{
    struct aff_harness *h = line_ready("silent_after = \"5s\"");
    const struct aff_record *e;

    aff_harness_clock(h, 4 * SECOND);
    PTY_SEND(&line, "a\n");
    line_wait(h, "data", 1);
    aff_harness_clock(h, 4900 * MS);
    EXPECT_NOTHING(h, "events");
    aff_harness_clock(h, 100 * MS);
    e = aff_harness_take(h, "events");
    assert_string_equal(aff_harness_text(h, e, "kind"), "silent");
    assert_true(fabs(aff_harness_real(h, e, "seconds") - 5.0) < 0.1);
    aff_harness_clock(h, 60 * SECOND);
    EXPECT_NOTHING(h, "events");
    PTY_SEND(&line, "b\n");
    line_wait(h, "data", 2);
    e = aff_harness_take(h, "events");
    assert_string_equal(aff_harness_text(h, e, "kind"), "not_silent");
    assert_true(aff_harness_real(h, e, "seconds") > 60.0);
    PTY_SEND(&line, "c\n");
    line_wait(h, "data", 3);
    EXPECT_NOTHING(h, "events");
    EXPECT_METRIC(h, "silences", 1);
    line_close(&h);
}

/* Whoever waits for the end of a silence gets it, whatever lay between. */
TEST(a_silence_that_a_loss_or_a_restart_interrupts_is_ended_all_the_same)
{
    struct aff_harness *h = line_ready("silent_after = \"5s\"");
    const struct aff_record *e;

    aff_harness_clock(h, 5 * SECOND);
    pty_pull(&line, "tty");
    line_wait(h, "events", 2);
    pty_plug(&line, "tty");
    line_back(h, 2);
    aff_harness_clock(h, 60 * SECOND);
    assert_string_equal(line_told(h, "events"), "silent;line_lost;line_back;"); /* still the same silence */
    aff_harness_restart(h);
    EXPECT_STATUS(aff_harness_read(h, 64), AFF_AGAIN);
    PTY_SEND(&line, "b\n");
    line_wait(h, "events", 1);
    e = aff_harness_take(h, "events");
    assert_string_equal(aff_harness_text(h, e, "kind"), "not_silent");
    assert_true(aff_harness_real(h, e, "seconds") > 60.0);
    line_close(&h);
}

/* Wrong speed, wrong parity, another device: bytes come, and nobody is the wiser. */
TEST(bytes_without_any_frame_are_told_and_the_first_frame_behind_them)
{
    struct aff_harness *h = line_ready("unreadable_after = \"5s\"\nsilent_after = \"0s\"");
    const struct aff_record *e;

    for (int i = 1; i <= 3; i++) {
        PTY_SEND(&line, "\xfe\x80");
        line_came(h, 2 * i);
        EXPECT_NOTHING(h, "events");
        aff_harness_clock(h, 2 * SECOND);
    }
    PTY_SEND(&line, "\xfe");
    line_wait(h, "events", 1);
    e = aff_harness_take(h, "events");
    assert_string_equal(aff_harness_text(h, e, "kind"), "unreadable");
    assert_true(fabs(aff_harness_real(h, e, "seconds") - 6.0) < 0.1);
    assert_string_equal(aff_harness_text(h, e, "why"), "bytes come, and no frame in them");
    aff_harness_clock(h, 60 * SECOND);
    PTY_SEND(&line, "\xfe");
    line_came(h, 8);
    EXPECT_NOTHING(h, "events");
    PTY_SEND(&line, "\na\n");
    line_wait(h, "events", 1);
    e = aff_harness_take(h, "events");
    assert_string_equal(aff_harness_text(h, e, "kind"), "readable");
    assert_true(fabs(aff_harness_real(h, e, "seconds") - 66.0) < 0.1);
    EXPECT_METRIC(h, "unreadable", 1);
    line_close(&h);
}

TEST(half_a_frame_and_a_pause_or_empty_frames_are_not_told_as_unreadable)
{
    struct aff_harness *h = line_ready("unreadable_after = \"5s\"\nsilent_after = \"0s\"");

    PTY_SEND(&line, "noise at power-on");
    line_came(h, 17);
    aff_harness_clock(h, 3600 * SECOND);
    PTY_SEND(&line, "HR=");
    line_came(h, 20);
    aff_harness_clock(h, 4 * SECOND);
    PTY_SEND(&line, "80\n");
    line_wait(h, "data", 1);
    for (int i = 1; i <= 4; i++) {
        aff_harness_clock(h, 4 * SECOND);
        PTY_SEND(&line, "\r\n");
        line_came(h, 23 + 2 * i);
    }
    EXPECT_NOTHING(h, "events");
    line_close(&h);
}

/* In what a wrong speed makes of a text there is an empty line now and then. */
TEST(an_empty_line_in_the_middle_of_nonsense_is_no_sign_of_life)
{
    struct aff_harness *h = line_ready("unreadable_after = \"5s\"\nsilent_after = \"0s\"\nline = { text = \"strict\" }");

    for (int i = 1; i <= 3; i++) {
        PTY_SEND(&line, "\xfe\r\r\xfe");
        line_came(h, 4 * i);
        aff_harness_clock(h, 2500 * MS);
    }
    line_wait(h, "events", 2);
    assert_string_equal(line_told(h, "events"), "bad_frames;unreadable;");
    PTY_SEND(&line, "\r"); /* the end of the last bad one */
    line_came(h, 13);
    for (int i = 1; i <= 3; i++) { /* switched on again, and idle */
        aff_harness_clock(h, 3 * SECOND);
        PTY_SEND(&line, "\r\n");
        line_came(h, 13 + 2 * i);
    }
    line_wait(h, "events", 2);
    assert_string_equal(line_told(h, "events"), "bad_frames;readable;");
    line_close(&h);
}

TEST(answers_that_are_no_frames_are_not_told_as_unreadable)
{
    struct aff_harness *h = line_ready("unreadable_after = \"2s\"\nsilent_after = \"0s\"\npolls = [{ command = \"go\", every = "
                                       "\"1s\" }]\ncommands = { go = { send = \"G\", expect = '\\x06', look_in = \"bytes\" } }");

    for (int i = 1; i <= 5; i++) {
        SENT(h, "G");
        PTY_SEND(&line, "\x06");
        line_came(h, i);
        aff_harness_clock(h, SECOND);
    }
    EXPECT_NOTHING(h, "events");
    EXPECT_METRIC(h, "commands_done", 5);
    line_close(&h);
}

TEST(what_was_unreadable_before_a_loss_and_a_restart_is_told_readable_behind_them)
{
    struct aff_harness *h = line_ready("unreadable_after = \"1s\"\nsilent_after = \"0s\"");

    PTY_SEND(&line, "x");
    line_came(h, 1);
    aff_harness_clock(h, 900 * MS);
    PTY_SEND(&line, "x");
    line_came(h, 2);
    aff_harness_clock(h, 900 * MS);
    PTY_SEND(&line, "x");
    line_wait(h, "events", 1);
    pty_pull(&line, "tty");
    line_wait(h, "events", 2);
    pty_plug(&line, "tty");
    line_back(h, 2);
    aff_harness_restart(h);
    EXPECT_STATUS(aff_harness_read(h, 64), AFF_AGAIN);
    PTY_SEND(&line, "a\n");
    line_wait(h, "events", 4);
    assert_string_equal(line_told(h, "events"), "unreadable;line_lost;line_back;readable;");
    line_close(&h);
}

TEST(a_half_frame_is_given_up_after_frame_timeout)
{
    struct aff_harness *h = line_ready("framer = \"length\"\nlength = { start = \"#\", offset = 1 }\nframe_timeout = "
                                       "\"1s\"");

    PTY_SEND(&line, "#\x40#\x02hi");
    line_rest(h);
    EXPECT_NOTHING(h, "data");
    aff_harness_clock(h, SECOND);
    line_wait(h, "data", 1);
    assert_string_equal(line_frames(h), "![hi]");
    EXPECT_METRIC(h, "bad_cut", 1);
    line_close(&h);
}

/* Modbus RTU, for which 3.5 characters are such a pause. */
TEST(a_pause_ends_a_frame_where_nothing_else_does)
{
    struct aff_harness *h = line_ready("framer = \"silence\"\nframe_timeout = \"50ms\"\nmax_frame = \"9B\"\nchecksum = { kind = "
                                       "\"crc16\", poly = 0x8005, init = 0xFFFF, reflect_in = true, reflect_out = true, order = "
                                       "\"little\" }\ncommands = { read = { send_hex = \"01 04 00 00 00 01\", wrap = true } }\n"
                                       "on_open = [\"read\"]\nsubject = \"x\"");

    SENT(h, "\x01\x04\x00\x00\x00\x01\x31\xca");
    for (int i = 0; i < 3; i++) {
        PTY_SEND(&line, "\x01\x04\x02");
        line_came(h, i * 28 + 3);
        aff_harness_clock(h, 49 * MS);
        pty_send(&line, i == 1 ? "\xff\xff\xb8\x81" : "\xff\xff\xb8\x80", 4);
        line_came(h, i * 28 + 7);
        aff_harness_clock(h, 50 * MS);
        PTY_SEND(&line, "longer than");
        line_came(h, i * 28 + 18);
        PTY_SEND(&line, " any frame");
        line_came(h, i * 28 + 28);
        aff_harness_clock(h, 50 * MS);
    }
    assert_string_equal(line_frames(h), "~[\x01\x04\x02\xff\xff]![\x01\x04\x02\xff\xff]");
    EXPECT_METRIC(h, "bad_checksum", 1);
    EXPECT_METRIC(h, "bad_long", 3);
    line_close(&h);
}

TEST(a_frame_whose_end_came_in_time_is_whole_however_late_we_look)
{
    int watch;
    struct aff_harness *h = line_ready_watched("frame_timeout = \"1s\"", &watch);

    PTY_SEND(&line, "half");
    line_came(h, 4);
    PTY_SEND(&line, " whole\n");
    line_queued(watch, 7);
    aff_harness_clock(h, 5 * SECOND); /* a busy machine, or one that slept */
    line_wait(h, "data", 1);
    assert_string_equal(line_frames(h), "~[half whole]");
    EXPECT_METRIC(h, "bad_cut", 0);
    (void)close(watch);
    line_close(&h);
}

AFF_TEST_MAIN(silence_is_told_and_its_end_too,
              a_silence_that_a_loss_or_a_restart_interrupts_is_ended_all_the_same,
              bytes_without_any_frame_are_told_and_the_first_frame_behind_them,
              half_a_frame_and_a_pause_or_empty_frames_are_not_told_as_unreadable,
              an_empty_line_in_the_middle_of_nonsense_is_no_sign_of_life,
              answers_that_are_no_frames_are_not_told_as_unreadable,
              what_was_unreadable_before_a_loss_and_a_restart_is_told_readable_behind_them,
              a_half_frame_is_given_up_after_frame_timeout,
              a_frame_whose_end_came_in_time_is_whole_however_late_we_look,
              a_pause_ends_a_frame_where_nothing_else_does)
