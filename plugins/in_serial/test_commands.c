/* SPDX-License-Identifier: Apache-2.0
 *
 * test_commands.c - what a device is told: sent, answered, refused, sent again,
 * lost in the middle, kept over a restart; and that data goes on meanwhile. */
#include "test_line.h"

#define RESET "commands = { reset = { send = \"RST\\r\", expect = \"OK\", refuse = \"ERR\", timeout = \"2s\", retries = 2 } }"

TEST(a_command_is_sent_answered_and_reported)
{
    struct aff_harness *h = line_ready("subject = \"bed-3\"\n" RESET);
    const struct aff_record *r;

    order(h, "reset");
    SENT(h, "RST\r");
    EXPECT_NOTHING(h, "results");
    PTY_SEND(&line, "HR=80\r\n");
    line_wait(h, "data", 1); /* data goes on meanwhile */
    aff_harness_clock(h, 500 * MS);
    PTY_SEND(&line, "OK 1.2\\\x01\r\n");
    line_wait(h, "results", 1);
    r = aff_harness_take(h, "results");
    assert_string_equal(aff_harness_text(h, r, "command"), "reset");
    assert_string_equal(aff_harness_text(h, r, "outcome"), "done");
    assert_string_equal(aff_harness_text(h, r, "reply"), "OK 1.2\\x5C\\x01");
    assert_string_equal(aff_harness_text(h, r, "device"), "tty");
    assert_non_null(strstr(aff_harness_text(h, r, "order"), "-0")); /* the id of the first command */
    assert_int_equal(aff_harness_int(h, r, "tries"), 1);
    assert_true(fabs(aff_harness_real(h, r, "took") - 0.5) < 0.01);
    EXPECT_WAITING(h, "data", 2); /* an answer is data as well */
    EXPECT_VERDICT(h, "done", 1);
    EXPECT_METRIC(h, "commands", 1);
    EXPECT_METRIC(h, "commands_done", 1);
    EXPECT_METRIC(h, "queued", 0);
    line_close(&h);
}

TEST(a_refusal_is_a_dead_letter_at_once)
{
    struct aff_harness *h = line_ready(RESET);

    order(h, "reset");
    SENT(h, "RST\r");
    PTY_SEND(&line, "ERR 7\n");
    line_wait(h, "results", 1);
    assert_string_equal(line_told(h, "results"), "reset refused 1;");
    EXPECT_VERDICT(h, "refused", 1);
    EXPECT_DEAD(h, 1);
    line_close(&h);
}

TEST(silence_is_tried_again_and_then_a_timeout)
{
    struct aff_harness *h = line_ready(RESET);

    order(h, "reset");
    for (int i = 0; i < 3; i++) {
        SENT(h, "RST\r");
        aff_harness_clock(h, 2 * SECOND);
    }
    line_wait(h, "results", 1);
    assert_string_equal(line_told(h, "results"), "reset timeout 3;");
    assert_string_equal(pty_got(&line), "");
    EXPECT_METRIC(h, "retries", 2);
    EXPECT_VERDICT(h, "timeout", 1);
    line_close(&h);
}

TEST(a_late_answer_to_the_second_try_is_enough)
{
    struct aff_harness *h = line_ready(RESET);

    order(h, "reset");
    SENT(h, "RST\r");
    aff_harness_clock(h, 2 * SECOND);
    SENT(h, "RST\r");
    PTY_SEND(&line, "OK\n");
    line_wait(h, "results", 1);
    assert_string_equal(line_told(h, "results"), "reset done 2;");
    line_close(&h);
}

TEST(an_unknown_command_is_told_and_set_aside)
{
    struct aff_harness *h = line_ready(RESET);

    order(h, "explode");
    assert_string_equal(line_told(h, "results"), "- unknown 0;");
    EXPECT_VERDICT(h, "unknown_command", 1);
    assert_string_equal(pty_got(&line), "");
    line_close(&h);
}

TEST(commands_wait_for_each_other_in_order)
{
    struct aff_harness *h = line_ready("commands = { a = { send = \"A\\n\", expect = \"^a\" }, b = { send = "
                                       "\"B\\n\", expect = \"^b\" } }");

    order(h, "a");
    order(h, "b");
    order(h, "a");
    SENT(h, "A\n");
    line_rest(h);
    assert_string_equal(pty_got(&line), "");
    PTY_SEND(&line, "xa\na1\n"); /* ^: only at the beginning of a frame */
    SENT(h, "B\n");
    PTY_SEND(&line, "b1\n");
    SENT(h, "A\n");
    PTY_SEND(&line, "a2\n");
    line_wait(h, "results", 3);
    assert_string_equal(line_told(h, "results"), "a done 1;b done 1;a done 1;");
    line_close(&h);
}

/* A row with values; stream is order_stream(h). */
#define SET(command, text, number, real)                                                                      \
    EXPECT_STATUS(AFF_PUSH_ROW(h, "commands", stream, AFF_CELL_TEXT(command), text, number, real, AFF_CELL_INT(5), \
                               AFF_CELL_TEXT("Jane")), AFF_OK); \
    (void)aff_harness_clock(h, 0)

TEST(values_of_the_row_are_sent_and_only_harmless_ones)
{
    struct aff_harness *h = line_ready("commands = { set = { send = \"SET {text}={number},{real}{{x}}\\r\" }, at = { "
                                       "send = \"{when}\" }, who = { send = \"{patient}\" }, wide = { send = \"{text}\", allow = \"\\\"\" } }");
    uint32_t stream = order_stream(h);
    char longest[80];

    SET("set", AFF_CELL_TEXT("bed 3.A-_:+"), AFF_CELL_INT(-42), AFF_CELL_REAL(0.1));
    SENT(h, "SET bed 3.A-_:+=-42,0.1{x}\r");
    SET("who", AFF_CELL_NONE, AFF_CELL_NONE, AFF_CELL_NONE); /* cleared, or check would not have let it pass */
    SENT(h, "Jane");
    SET("wide", AFF_CELL_TEXT("\"q\""), AFF_CELL_NONE, AFF_CELL_NONE);
    SENT(h, "\"q\"");
    assert_string_equal(line_told(h, "results"), "set done 1;who done 1;wide done 1;");
    /* Nothing that could end the command or begin another. */
    for (const char *const *bad = (const char *const[]){ "a\rRST", "a\n", "a;b", "a\"b", "a,b", "a\x7f", "\xc3\xa4", "a\\b", NULL };
         *bad; bad++) {
        SET("set", AFF_CELL_TEXT(*bad), AFF_CELL_INT(1), AFF_CELL_REAL(1));
        assert_string_equal(line_told(h, "results"), "set bad_value 0;");
    }
    memset(longest, 'a', sizeof longest);
    longest[65] = 0;
    SET("set", AFF_CELL_TEXT(longest), AFF_CELL_INT(1), AFF_CELL_REAL(1));
    SET("set", AFF_CELL_NONE, AFF_CELL_INT(1), AFF_CELL_REAL(1));
    SET("set", AFF_CELL_TEXT("a"), AFF_CELL_INT(1), AFF_CELL_REAL(NAN));
    SET("set", AFF_CELL_TEXT("a"), AFF_CELL_INT(1), AFF_CELL_REAL(-INFINITY));
    SET("at", AFF_CELL_NONE, AFF_CELL_NONE, AFF_CELL_NONE);
    assert_string_equal(line_told(h, "results"), "set bad_value 0;set bad_value 0;set bad_value 0;set bad_value 0;at "
                                                 "bad_value 0;");
    assert_string_equal(pty_got(&line), "");
    EXPECT_VERDICT(h, "bad_value", 13);
    line_close(&h);
}

TEST(steps_are_one_command_and_on_open_comes_first)
{
    struct aff_harness *h;

    pty_plug(&line, "tty");
    h = line_open("commands = { stop = { send_hex = \"53 0d\", expect = '\\x06', look_in = \"bytes\" }, go = { send "
                  "= \"G\\r\" }, init = { steps = [\"stop\", \"go\", \"stop\"] } }\non_open = [\"init\", "
                  "\"go\"]\nsubject = \"x\"");
    order(h, "go");
    SENT(h, "S\r");
    line_rest(h);
    PTY_SEND(&line, "\x06");
    SENT(h, "G\rS\r");
    EXPECT_NOTHING(h, "results");
    PTY_SEND(&line, "..\x06");
    line_wait(h, "results", 3);
    assert_string_equal(line_told(h, "results"), "init done 3;go done 1;go done 1;");
    SENT(h, "G\rG\r");
    EXPECT_VERDICT(h, "done", 1);
    line_close(&h);
}

TEST(a_step_that_is_not_done_ends_the_command)
{
    struct aff_harness *h = line_ready("commands = { a = { send = \"A\", expect = \"ok\", timeout = \"1s\" }, b = { "
                                       "send = \"B\" }, both = { steps = [\"a\", \"b\"] } }");

    order(h, "both");
    SENT(h, "A");
    aff_harness_clock(h, SECOND);
    line_wait(h, "results", 1);
    assert_string_equal(line_told(h, "results"), "both timeout 1;");
    assert_string_equal(pty_got(&line), "");
    line_close(&h);
}

TEST(each_step_has_tries_of_its_own)
{
    struct aff_harness *h = line_ready("commands = { a = { send = \"A\", expect = \"ok\", timeout = \"1s\", retries "
                                       "= 1 }, both = { steps = [\"a\", \"a\"] } }");

    order(h, "both");
    for (int i = 0; i < 2; i++) {
        SENT(h, "A");
        aff_harness_clock(h, SECOND);
        SENT(h, "A");
        PTY_SEND(&line, "ok\n");
    }
    line_wait(h, "results", 1);
    assert_string_equal(line_told(h, "results"), "both done 4;");
    line_close(&h);
}

TEST(an_answer_that_is_cut_by_two_reads_is_seen)
{
    struct aff_harness *h = line_ready("framer = \"none\"\ncommands = { a = { send = \"A\", expect = \"ready to go\" },"
                                       " b = { send = \"B\", expect = \"ready to go\", look_in = \"bytes\" } }\n");

    order(h, "b");
    SENT(h, "B");
    for (const char *p = "not ready at all, ready t"; *p; p++) {
        pty_send(&line, p, 1);
        (void)aff_harness_ready(h, 1000);
    }
    PTY_SEND(&line, "o go");
    line_wait(h, "results", 1);
    assert_string_equal(line_told(h, "results"), "b done 1;");
    order(h, "a"); /* without frames there are only bytes */
    SENT(h, "A");
    PTY_SEND(&line, "ready");
    (void)aff_harness_ready(h, 1000);
    PTY_SEND(&line, " to go");
    line_wait(h, "results", 1);
    line_close(&h);
}

/* More short frames than one turn takes; the command goes out between them. */
TEST(an_answer_that_was_there_before_the_command_is_none)
{
    int watch;
    struct aff_harness *h = line_ready_watched("commands = { a = { send = \"A\", expect = \"OK\", timeout = \"1s\" } }",
                                               &watch);
    char bytes[1200];

    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = i % 2 ? '\n' : 'x';
    pty_send(&line, bytes, sizeof bytes);
    PTY_SEND(&line, "OK\nO");
    line_queued(watch, (int)sizeof bytes + 4);
    order_push(h, "a");
    (void)aff_harness_read(h, 10000);
    SENT(h, "A");
    for (int i = 0; i < 100 && aff_harness_waiting(h, "data") < sizeof bytes / 2 + 1; i++)
        (void)aff_harness_read(h, 10000);
    EXPECT_WAITING(h, "data", sizeof bytes / 2 + 1);
    EXPECT_NOTHING(h, "results");
    PTY_SEND(&line, "K\n"); /* one that was half there is an answer: who knows what stood before it */
    line_wait(h, "results", 1);
    assert_string_equal(line_told(h, "results"), "a done 1;");
    (void)close(watch);
    line_close(&h);
}

TEST(an_answer_that_comes_twice_answers_one_command)
{
    struct aff_harness *h = line_ready("commands = { a = { send = \"A\", expect = \"OK\", timeout = \"1s\" } }");
    int watch = -1;

    order(h, "a");
    order(h, "a");
    SENT(h, "A");
    PTY_SEND(&line, "HR=80 OKOK\nHR=8"); /* twice in a frame, which holds other things as well */
    line_wait(h, "results", 1);
    SENT(h, "A");
    PTY_SEND(&line, "1\n");
    line_wait(h, "data", 2);
    aff_harness_clock(h, SECOND);
    assert_string_equal(line_told(h, "results"), "a done 1;a timeout 1;");
    line_close(&h);
    /* Twice, one behind the other, and both there when they are read. */
    h = line_ready_watched("commands = { a = { send = \"A\", expect = \"OK\", timeout = \"1s\" } }", &watch);
    order(h, "a");
    order(h, "a");
    SENT(h, "A");
    PTY_SEND(&line, "OK\nOK\n");
    line_queued(watch, 6);
    line_wait(h, "results", 1);
    SENT(h, "A");
    aff_harness_clock(h, SECOND);
    assert_string_equal(line_told(h, "results"), "a done 1;a timeout 1;");
    (void)close(watch);
    line_close(&h);
}

TEST(each_of_very_many_commands_has_one_result)
{
    enum { MANY = 300 };
    struct aff_harness *h = line_open("commands = { a = { send = \"A\" } }\ncommand_wait = \"20s\"");
    int results = 0;

    aff_harness_max_held(h, MANY);
    for (int i = 0; i < MANY; i++)
        order_push(h, "a");
    for (int i = 0; i < 60; i++) {
        (void)aff_harness_clock(h, SECOND);
        while (aff_harness_take(h, "results"))
            results++;
    }
    assert_int_equal(results, MANY);
    EXPECT_VERDICT(h, "expired", 256);
    EXPECT_VERDICT(h, "too_many", MANY - 256);
    EXPECT_METRIC(h, "queued", 0);
    EXPECT_BALANCED(h);
    line_close(&h);
}

TEST(a_command_is_framed_as_frames_are)
{
    struct aff_harness *h = line_ready("framer = \"stx_etx\"\nchecksum = { kind = \"xor\" }\n"
                                       "commands = { q = { send = \"AB\", wrap = true, expect = \"^ok\" } }");

    order(h, "q");
    SENT(h, "\x02" "AB\x03\x00");
    PTY_SEND(&line, "\x02" "ok\x03\x07");
    line_wait(h, "results", 1);
    assert_string_equal(line_told(h, "results"), "q done 1;");
    line_close(&h);
}

/* Where nothing can be escaped, a mark in a value would end the frame and begin another. */
TEST(a_value_that_would_end_its_own_frame_is_not_sent)
{
    struct aff_harness *h = line_ready("line = { end = \"::\" }\n"
                                       "commands = { say = { send = \"SAY {text}\", wrap = true } }");
    uint32_t stream = order_stream(h);

    SET("say", AFF_CELL_TEXT("a::RST"), AFF_CELL_NONE, AFF_CELL_NONE);
    SET("say", AFF_CELL_TEXT("a:"), AFF_CELL_NONE, AFF_CELL_NONE); /* a mark with what follows */
    assert_string_equal(line_told(h, "results"), "say bad_value 0;say bad_value 0;");
    SET("say", AFF_CELL_TEXT("a:b"), AFF_CELL_NONE, AFF_CELL_NONE);
    SENT(h, "SAY a:b::");
    assert_string_equal(pty_got(&line), "");
    line_close(&h);
}

TEST(a_line_lost_in_the_middle_is_a_retry_after_its_return)
{
    struct aff_harness *h = line_ready("commands = { reset = { send = \"RST\\r\", expect = \"OK\", retries = 1 }, hi "
                                       "= { send = \"HI\\r\" } }\non_open = [\"hi\"]\ncommand_wait = \"0s\"");

    SENT(h, "HI\r");
    order(h, "reset");
    SENT(h, "RST\r");
    (void)line_told(h, "results");
    pty_pull(&line, "tty");
    line_wait(h, "events", 1);
    aff_harness_clock(h, 30 * SECOND);
    EXPECT_NOTHING(h, "results");
    pty_plug(&line, "tty");
    line_back(h, 2);
    SENT(h, "HI\rRST\r");
    PTY_SEND(&line, "OK\n");
    line_wait(h, "results", 2);
    assert_string_equal(line_told(h, "results"), "hi done 1;reset done 2;");
    /* Twice is once too often. */
    order(h, "reset");
    SENT(h, "RST\r");
    pty_pull(&line, "tty");
    line_wait(h, "events", 3);
    pty_plug(&line, "tty");
    line_back(h, 3);
    SENT(h, "HI\rRST\r");
    pty_pull(&line, "tty");
    line_wait(h, "results", 2);
    assert_string_equal(line_told(h, "results"), "hi done 1;reset failed 2;");
    EXPECT_VERDICT(h, "failed", 1);
    line_close(&h);
}

TEST(a_command_that_waits_too_long_is_not_carried_out_later)
{
    struct aff_harness *h;

    pty_clean();
    h = line_open(RESET "\ncommand_wait = \"20s\"");
    order(h, "reset");
    (void)aff_harness_clock(h, 0);
    for (int i = 0; i < 30; i++)
        (void)aff_harness_clock(h, SECOND);
    line_wait(h, "results", 1);
    assert_string_equal(line_told(h, "results"), "reset expired 0;");
    EXPECT_VERDICT(h, "expired", 1);
    pty_plug(&line, "tty");
    line_back(h, 1);
    assert_string_equal(pty_got(&line), "");
    line_close(&h);
}

TEST(a_command_at_work_does_not_expire)
{
    struct aff_harness *h = line_ready("commands = { a = { send = \"A\", expect = \"ok\", timeout = \"5s\" } "
                                       "}\ncommand_wait = \"1s\"");

    order(h, "a");
    SENT(h, "A");
    order(h, "a"); /* has to wait, and too long */
    aff_harness_clock(h, 3 * SECOND);
    line_wait(h, "results", 1);
    assert_string_equal(line_told(h, "results"), "a expired 0;");
    PTY_SEND(&line, "ok\n");
    line_wait(h, "results", 1);
    assert_string_equal(line_told(h, "results"), "a done 1;");
    line_close(&h);
}

TEST(a_held_command_survives_a_restart_and_is_done_at_least_once)
{
    struct aff_harness *h = line_ready(RESET);

    order(h, "reset");
    order(h, "reset");
    SENT(h, "RST\r");
    aff_harness_restart(h);
    (void)aff_harness_read(h, 64);
    SENT(h, "RST\r");
    PTY_SEND(&line, "OK\n");
    SENT(h, "RST\r");
    PTY_SEND(&line, "OK\n");
    line_wait(h, "results", 2);
    assert_string_equal(line_told(h, "results"), "reset done 1;reset done 1;");
    EXPECT_VERDICT(h, "done", 2);
    EXPECT_BALANCED(h);
    line_close(&h);
}

TEST(a_device_that_takes_nothing_stops_no_data)
{
    static char big[1001];
    char toml[1200];
    struct aff_harness *h;
    int sent = 0;

    memset(big, 'x', sizeof big - 1);
    (void)snprintf(toml, sizeof toml, "commands = { big = { send = \"%s\", timeout = \"1s\" } }", big);
    h = line_ready(toml);
    /* Until the pty is full: then a command stays half sent. */
    while (sent < 60) {
        order(h, "big");
        line_rest(h);
        if (aff_harness_waiting(h, "results") <= (size_t)sent)
            break;
        sent++;
    }
    assert_true(sent < 60);
    PTY_SEND(&line, "still here\n");
    line_wait(h, "data", 1);
    aff_harness_clock(h, SECOND);
    line_wait(h, "results", (size_t)sent + 1);
    EXPECT_VERDICT(h, "timeout", 1);
    line_close(&h);
}

TEST(what_is_sent_may_name_no_patient_data)
{
    static const struct aff_column columns[] = { { .name = "command", .type = AFF_TEXT },
                                                 { .name = "patient", .type = AFF_TEXT, .label = AFF_LABEL_PHI },
                                                 { .name = "rate", .type = AFF_INT } };
    static const struct aff_schema schema = { .struct_size = sizeof schema, .type = AFF_FIELDS, .name = "orders",
                                              .columns = columns, .count = 3, .stride = sizeof columns[0] };
    const struct aff_shape shape = { .struct_size = sizeof shape, .schema = &schema, .subject = AFF_LABEL_PHI }, *out;
    const struct aff_shape open = { .struct_size = sizeof open };
    const char *said;

    assert_null(aff_harness_shape("in_serial", "path = \"x\"\ncommands = { a = { send = \"{rate}\" } }", &shape, 1, &out));
    said = aff_harness_shape("in_serial", "path = \"x\"\ncommands = { a = { send = \"{patient}\" } }", &shape, 1, &out);
    assert_non_null(said);
    assert_non_null(strstr(said, "commands.a.send: sends {patient} to the device, and that column of input 1 is labelled phi"));
    said = aff_harness_shape("in_serial", "path = \"x\"\ncommands = { a = { send = \"{rat}\" } }", &shape, 1, &out);
    assert_non_null(said);
    assert_non_null(strstr(said, "nothing that comes to commands has a column of that name"));
    said = aff_harness_shape("in_serial", "path = \"x\"\ncommands = { a = { send = \"{rate}\" } }", &open, 1, &out);
    assert_non_null(said);
    assert_non_null(strstr(said, "known at run time only"));
}

static void scenario(void)
{
    struct aff_harness *h = line_ready(RESET);

    order(h, "reset");
    order(h, "nothing");
    SENT(h, "RST\r");
    PTY_SEND(&line, "OK\n");
    line_wait(h, "results", 2);
    assert_string_equal(line_told(h, "results"), "- unknown 0;reset done 1;");
    line_close(&h);
}

TEST(every_host_call_may_fail_once)
{
    AFF_EACH_HOST_CALL_FAILS_ONCE(scenario);
}

AFF_TEST_MAIN(a_command_is_sent_answered_and_reported, a_refusal_is_a_dead_letter_at_once,
              silence_is_tried_again_and_then_a_timeout, a_late_answer_to_the_second_try_is_enough,
              an_unknown_command_is_told_and_set_aside, commands_wait_for_each_other_in_order,
              values_of_the_row_are_sent_and_only_harmless_ones, steps_are_one_command_and_on_open_comes_first,
              a_step_that_is_not_done_ends_the_command, each_step_has_tries_of_its_own, an_answer_that_is_cut_by_two_reads_is_seen,
              an_answer_that_was_there_before_the_command_is_none,
              an_answer_that_comes_twice_answers_one_command, each_of_very_many_commands_has_one_result,
              a_command_is_framed_as_frames_are, a_value_that_would_end_its_own_frame_is_not_sent,
              a_line_lost_in_the_middle_is_a_retry_after_its_return,
              a_command_that_waits_too_long_is_not_carried_out_later,
              a_command_at_work_does_not_expire, a_held_command_survives_a_restart_and_is_done_at_least_once,
              a_device_that_takes_nothing_stops_no_data,
              what_is_sent_may_name_no_patient_data, every_host_call_may_fail_once)
