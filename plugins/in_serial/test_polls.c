/* SPDX-License-Identifier: Apache-2.0
 *
 * test_polls.c - a device that speaks only when it is asked: commands that are sent
 * again and again, between those of the port.
 *
 * Not here: commands by themselves (test_commands.c). */
#include "test_line.h"

#define ASK "commands = { ask = { send = \"?\", expect = \"HR\", timeout = \"1s\" }, go = { send = \"G\" } }\n"

TEST(a_device_is_asked_again_and_again_and_only_news_is_told)
{
    struct aff_harness *h = line_ready(ASK "polls = [{ command = \"ask\", every = \"2s\" }]");

    for (int i = 0; i < 3; i++) {
        SENT(h, "?");
        PTY_SEND(&line, "HR=80\n");
        line_wait(h, "data", (size_t)i + 1);
        aff_harness_clock(h, 1900 * MS);
        assert_string_equal(pty_got(&line), "");
        aff_harness_clock(h, 100 * MS);
    }
    EXPECT_NOTHING(h, "results"); /* all is as it should be */
    EXPECT_METRIC(h, "commands_done", 3);
    for (int i = 0; i < 2; i++) { /* no answer: told once */
        SENT(h, "?");
        aff_harness_clock(h, 2 * SECOND);
    }
    SENT(h, "?");
    assert_string_equal(line_told(h, "results"), "ask timeout 1;");
    PTY_SEND(&line, "HR=80\n");
    line_wait(h, "results", 1);
    assert_string_equal(line_told(h, "results"), "ask done 1;");
    line_close(&h);
}

TEST(what_was_missed_is_not_made_up_for)
{
    struct aff_harness *h = line_ready(ASK "polls = [{ command = \"go\", every = \"300ms\" }]");

    SENT(h, "G");
    order(h, "ask");
    SENT(h, "?");
    aff_harness_clock(h, SECOND); /* three polls could not be */
    SENT(h, "G");
    aff_harness_clock(h, 199 * MS);
    assert_string_equal(pty_got(&line), "");
    aff_harness_clock(h, 1 * MS); /* the rhythm is kept */
    SENT(h, "G");
    assert_string_equal(line_told(h, "results"), "ask timeout 1;");
    line_close(&h);
}

TEST(commands_go_between_polls_that_are_never_answered)
{
    struct aff_harness *h = line_ready("commands = { ask = { send = \"?\", expect = \"HR\", timeout = \"1s\" }, go = { "
                                       "send = \"G\" }, both = { steps = [\"go\", \"ask\", \"go\"] } }\n"
                                       "polls = [{ command = \"ask\", every = \"100ms\" }]");

    SENT(h, "?");
    order(h, "go");
    order(h, "both");
    order(h, "go");
    assert_string_equal(pty_got(&line), ""); /* one is at work */
    aff_harness_clock(h, SECOND);
    SENT(h, "G?"); /* a command, and the next poll */
    aff_harness_clock(h, SECOND);
    SENT(h, "G?"); /* two steps, between which nothing comes */
    PTY_SEND(&line, "HR\n");
    SENT(h, "G?");
    aff_harness_clock(h, SECOND);
    SENT(h, "G?");
    assert_string_equal(line_told(h, "results"), "ask timeout 1;go done 1;both done 3;go done 1;");
    line_close(&h);
}

TEST(on_open_comes_before_polls_and_a_line_that_is_back_is_asked_at_once)
{
    struct aff_harness *h = line_ready(ASK "on_open = [\"go\"]\npolls = [{ command = \"ask\", every = \"60s\" }]");

    SENT(h, "G?");
    pty_pull(&line, "tty");
    line_wait(h, "results", 2);
    assert_string_equal(line_told(h, "results"), "go done 1;ask failed 1;");
    pty_plug(&line, "tty");
    line_back(h, 2);
    SENT(h, "G?");
    PTY_SEND(&line, "HR\n");
    line_wait(h, "results", 2);
    assert_string_equal(line_told(h, "results"), "go done 1;ask done 1;");
    aff_harness_restart(h);
    EXPECT_STATUS(aff_harness_read(h, 64), AFF_AGAIN);
    SENT(h, "G?");
    line_close(&h);
}

TEST(polls_of_several_commands_take_turns)
{
    struct aff_harness *h = line_ready("commands = { a = { send = \"A\" }, b = { send = \"B\" } }\npolls = [{ command = "
                                       "\"a\", every = \"1s\" }, { command = \"b\", every = \"3s\" }]");

    SENT(h, "AB");
    for (int i = 0; i < 6; i++)
        aff_harness_clock(h, SECOND);
    SENT(h, "AAABAAAB");
    assert_string_equal(pty_got(&line), "");
    line_close(&h);
}

TEST(what_has_no_row_can_have_no_values_of_one)
{
#define REFUSED(toml, text) EXPECT_REFUSED("in_serial", "path = \"/dev/ttyS9\"\n" toml, text)
    REFUSED("polls = [{ command = \"ask\", every = \"1s\" }]", "names what is no command");
    REFUSED(ASK "polls = [{ command = \"ask\", every = \"1ms\" }]", "every");
    REFUSED("commands = { a = { send = \"{x}\" } }\npolls = [{ command = \"a\", every = \"1s\" }]", "no row to take it");
    REFUSED("commands = { a = { send = \"{x}\" } }\non_open = [\"a\"]", "no row to take it");
    REFUSED("commands = { a = { send = \"{x}\" }, b = { steps = [\"a\"] } }\non_open = [\"b\"]", "no row to take it");
}

static void scenario(void)
{
    struct aff_harness *h = line_ready(ASK "polls = [{ command = \"ask\", every = \"1s\" }]");

    SENT(h, "?");
    aff_harness_clock(h, SECOND);
    line_wait(h, "results", 1);
    assert_string_equal(line_told(h, "results"), "ask timeout 1;");
    line_close(&h);
}

TEST(every_host_call_may_fail_once)
{
    AFF_EACH_HOST_CALL_FAILS_ONCE(scenario);
}

AFF_TEST_MAIN(a_device_is_asked_again_and_again_and_only_news_is_told, what_was_missed_is_not_made_up_for,
              commands_go_between_polls_that_are_never_answered,
              on_open_comes_before_polls_and_a_line_that_is_back_is_asked_at_once, polls_of_several_commands_take_turns,
              what_has_no_row_can_have_no_values_of_one, every_host_call_may_fail_once)
