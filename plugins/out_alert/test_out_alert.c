/* SPDX-License-Identifier: Apache-2.0
 *
 * test_out_alert.c - alerts on stderr and in the log, options, rows that are none. */
#include "test_sink.h"

/* ---- stderr and log ---- */

TEST(a_line_on_stderr_and_no_colour_in_a_file)
{
    struct aff_harness *h;

    folder_make();
    stderr_to_file();
    h = aff_harness_open("out_alert", "");
    push(h, "high", "raised", "NEWS2 8: call\n\033[31mthe team");
    push(h, "low", "ended", "all well");
    stderr_back();
    assert_string_equal(file_text("stderr"),
                        "2026-03-05 12:00:00Z HIGH bed 3: NEWS2 8: call\\x0a\\x1b[31mthe team [news2] raised " NOTE "\n"
                        "2026-03-05 12:00:00Z LOW bed 3: all well [news2] ended " NOTE "\n");
    EXPECT_METRIC(h, "told", 2);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    folder_remove();
}

TEST(a_terminal_gets_colours_and_still_no_escape_of_the_alert)
{
    int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), side = -1;
    struct aff_harness *h;
    char text[1024];
    ssize_t n;

    if (terminal < 0 || grantpt(terminal) < 0 || unlockpt(terminal) < 0 ||
        (side = open(ptsname(terminal), O_RDWR | O_NOCTTY | O_CLOEXEC)) < 0)
        AFF_SKIP("this machine has no pseudo-terminals");
    (void)setenv("TERM", "xterm", 1);
    (void)unsetenv("NO_COLOR");
    stderr_to(side);
    h = aff_harness_open("out_alert", "");
    push(h, "high", "raised", "a\033[2Jb");
    stderr_back();
    n = read(terminal, text, sizeof text - 1);
    assert_true(n > 0);
    text[n] = 0;
    assert_string_equal(text, "\r\033[K\033[1;31m2026-03-05 12:00:00Z HIGH bed 3: a\\x1b[2Jb [news2] raised " NOTE "\033[0m\r\n");
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    (void)close(side);
    (void)close(terminal);
}

TEST(each_message_says_that_it_is_not_for_clinical_use)
{
    static const char *const severities[] = { "high", "medium", "low", "technical", "odd" };
    static const char *const states[] = { "raised", "repeated", "ended", "acknowledged", "odd" };
    struct aff_harness *h;
    const char *at;
    size_t i, notes = 0;

    folder_make();
    script_write("printf '%s\\n' \"$1\" >> args; cat >> json");
    stderr_to_file();
    h = open_sink("to = [\"stderr\", \"log\"]");
    for (i = 0; i < 25; i++)
        push(h, severities[i % 5], states[i / 5], "text");
    stderr_back();
    assert_int_equal(aff_harness_logged(h, AFF_LOG_DEBUG, "not for clinical use"), 25);
    for (at = file_text("stderr"); (at = strstr(at, NOTE "\n")) != NULL; at++)
        notes++;
    for (at = file_text("args"); (at = strstr(at, NOTE "\n")) != NULL; at++)
        notes++;
    for (at = file_text("json"); (at = strstr(at, "\"note\":\"not for clinical use\"")) != NULL; at++)
        notes++;
    assert_int_equal(notes, 75);
    assert_int_equal(lines_of("stderr") + lines_of("args") + lines_of("json"), 75);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    folder_remove();
}

TEST(the_log_has_class_state_rule_and_id_and_neither_text_nor_place)
{
    struct aff_harness *h = aff_harness_open("out_alert", "to = [\"log\"]");

    push_as(h, "00ff00ff00ff00ff", "high", "raised", "Ann Example");
    push_as(h, "00ff00ff00ff00ff", "technical", "ended", "gone");
    EXPECT_LOG(h, AFF_LOG_WARN, "alert high, raised: rule news2 00ff00ff00ff00ff " NOTE);
    EXPECT_LOG(h, AFF_LOG_INFO, "alert technical, ended: rule news2 00ff00ff00ff00ff " NOTE);
    assert_int_equal(aff_harness_logged(h, AFF_LOG_DEBUG, "Example"), 0);
    assert_int_equal(aff_harness_logged(h, AFF_LOG_DEBUG, "bed"), 0);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(classes_and_states_that_are_not_chosen_are_not_told)
{
    struct aff_harness *h = aff_harness_open("out_alert", "to = [\"log\"]\nseverity = [\"high\", \"technical\"]\n"
                                                          "state = \"raised\"");

    push(h, "high", "raised", "a");
    push(h, "medium", "raised", "b");
    push(h, "high", "ended", "c");
    push(h, "technical", "raised", "d");
    push(h, "unheard_of", "odd", "e"); /* never dropped for what we do not know */
    EXPECT_METRIC(h, "told", 3);
    EXPECT_VERDICT(h, "filtered", 2);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(a_closed_stderr_is_an_error_that_waits)
{
    struct aff_harness *h = aff_harness_open("out_alert", "");
    aff_status st;

    folder_make();
    stderr_to(-1);
    st = push(h, "high", "raised", "a");
    stderr_back();
    EXPECT_STATUS(st, AFF_ERR_IO);
    EXPECT_CAUSE(h, "cannot write alerts to stderr");
    stderr_to_file();
    st = aff_harness_retry(h);
    stderr_back();
    EXPECT_STATUS(st, AFF_OK);
    assert_int_equal(lines_of("stderr"), 1);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    folder_remove();
}

TEST(a_reader_that_is_gone_is_no_signal)
{
    struct aff_harness *h = aff_harness_open("out_alert", "");
    void (*before)(int) = signal(SIGPIPE, SIG_DFL);
    int ends[2];
    aff_status st;

    assert_int_equal(pipe(ends), 0);
    stderr_to(ends[1]);
    (void)close(ends[0]);
    (void)close(ends[1]);
    st = push(h, "high", "raised", "a");
    stderr_back();
    (void)signal(SIGPIPE, before);
    EXPECT_STATUS(st, AFF_ERR_IO);
    folder_make();
    stderr_to_file();
    st = aff_harness_retry(h);
    stderr_back();
    folder_remove();
    EXPECT_STATUS(st, AFF_OK);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(a_lost_line_does_not_stop_a_command)
{
    struct aff_harness *h;
    aff_status st;

    folder_make();
    script_write("echo x >> out");
    h = open_sink("");
    stderr_to(-1);
    st = push(h, "high", "raised", "a");
    stderr_back();
    EXPECT_STATUS(st, AFF_OK);
    EXPECT_METRIC(h, "lines_lost", 1);
    assert_int_equal(lines_of("out"), 1);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    folder_remove();
}

/* ---- options, hostile rows, failures ---- */

TEST(mistakes_in_options_are_named)
{
    EXPECT_REFUSED("out_alert", "to = []", "no alert would be told");
    EXPECT_REFUSED("out_alert", "to = [\"sms\"]", "to");
    EXPECT_REFUSED("out_alert", "command = [\"notify\"]", "command[0] is no whole path");
    EXPECT_REFUSED("out_alert", "command = [\"/bin/{text}\"]", "command[0] is no whole path without {names}");
    EXPECT_REFUSED("out_alert", "command = [\"/bin/echo\", \"{name}\"]", "command[1] has a {name} that alerts lack");
    EXPECT_REFUSED("out_alert", "command = [\"/bin/echo\", \"{text\"]", "command[1] has a { that is not closed");
    EXPECT_REFUSED("out_alert", "timeout = 5", "timeout");
    EXPECT_REFUSED("out_alert", "at_once = 0", "at_once");
}

TEST(rows_that_are_no_alerts_are_set_aside)
{
    struct aff_harness *h = aff_harness_open("out_alert", "to = [\"log\"]");
    uint64_t none = 0;
    struct aff_record r;

    memset(&r, 0, sizeof r);
    r.data = &none;
    r.size = sizeof none;
    r.stream = aff_harness_stream(h, "bed 3", "alerts", &alerts);
    aff_harness_push_record(h, "in", &r);
    EXPECT_DEAD(h, 1);
    push(h, "high", "raised", "a");
    EXPECT_METRIC(h, "told", 1);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

static void whole_story(void)
{
    struct aff_harness *h = aff_harness_open("out_alert", "to = [\"log\"]\ncommand = [\"/bin/true\", \"{text}\"]");

    push(h, "high", "raised", "a");
    aff_harness_restart(h);
    push(h, "high", "ended", "a");
    EXPECT_STATUS(aff_harness_sync(h), AFF_OK);
    EXPECT_METRIC(h, "told", 2);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(each_host_call_may_fail_once)
{
    AFF_EACH_HOST_CALL_FAILS_ONCE(whole_story);
}

AFF_TEST_MAIN(a_line_on_stderr_and_no_colour_in_a_file,
              a_terminal_gets_colours_and_still_no_escape_of_the_alert,
              each_message_says_that_it_is_not_for_clinical_use,
              the_log_has_class_state_rule_and_id_and_neither_text_nor_place,
              classes_and_states_that_are_not_chosen_are_not_told,
              a_closed_stderr_is_an_error_that_waits,
              a_reader_that_is_gone_is_no_signal,
              a_lost_line_does_not_stop_a_command,
              mistakes_in_options_are_named,
              rows_that_are_no_alerts_are_set_aside,
              each_host_call_may_fail_once)
