/* SPDX-License-Identifier: Apache-2.0
 *
 * test_command.c - alerts told by real commands: scripts that the test writes. */
#include "test_sink.h"

TEST(a_command_gets_arguments_json_and_nothing_else)
{
    struct aff_harness *h;
    const char *text;

    folder_make();
    script_write("printf '%s|' \"$#\" \"$@\" > out; cat >> out; env | grep -v '^_=\\|^PWD=\\|^OLDPWD=\\|^SHLVL=' | sort > env; "
                 "ls /proc/self/fd > fds; echo noise; echo noise >&2");
    (void)setenv("AFFERENT_SECRET_THING", "x", 1);
    h = open_sink("to = []");
    EXPECT_STATUS(push(h, "high", "raised", "SpO2 80 %; $(touch hacked) `touch hacked`"), AFF_OK);
    text = file_text("out");
    assert_non_null(strstr(text, "3|SpO2 80 %; $(touch hacked) `touch hacked` " NOTE "|high|-- bed 3|{\"time\":"));
    assert_non_null(strstr(text, "\"note\":\"not for clinical use\""));
    assert_non_null(strstr(text, "\"place\":\"bed 3\""));
    assert_string_equal(file_text("hacked"), "");
    assert_string_equal(file_text("env"), "LANG=C.UTF-8\nPATH=/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin\n");
    assert_string_equal(file_text("fds"), "0\n1\n2\n3\n"); /* 3: the folder that ls reads */
    EXPECT_METRIC(h, "commands", 1);
    expect_no_children();
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    folder_remove();
}

TEST(a_command_that_fails_is_tried_again_and_the_line_is_not_said_twice)
{
    struct aff_harness *h;

    folder_make();
    script_write("test -e good || exit 3; echo x >> out");
    stderr_to_file();
    h = open_sink("");
    EXPECT_STATUS(push(h, "high", "raised", "a"), AFF_ERR_IO);
    EXPECT_CAUSE(h, "the command ended with exit code 3");
    EXPECT_STATUS(aff_harness_retry(h), AFF_ERR_IO);
    (void)close(open(in_folder("good"), O_WRONLY | O_CREAT, 0600));
    EXPECT_STATUS(aff_harness_retry(h), AFF_OK);
    stderr_back();
    assert_int_equal(lines_of("stderr"), 1);
    assert_int_equal(lines_of("out"), 1);
    EXPECT_METRIC(h, "commands_failed", 2);
    EXPECT_METRIC(h, "told", 1);
    EXPECT_STATUS(aff_harness_sync(h), AFF_OK);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    folder_remove();
}

TEST(exit_code_65_sets_one_alert_aside)
{
    struct aff_harness *h;

    folder_make();
    script_write("case \"$1\" in bad*) exit 65;; esac; echo \"$1\" >> out");
    h = open_sink("to = []");
    aff_harness_cut(h, 3);
    push(h, "high", "raised", "first");
    push(h, "high", "raised", "bad");
    push(h, "high", "raised", "third");
    aff_harness_flush(h);
    aff_harness_retry(h);
    EXPECT_DEAD(h, 1);
    assert_int_equal(lines_of("out"), 2); /* the third once, though it ran beside the bad one */
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    folder_remove();
}

TEST(a_command_that_is_missing_waits_until_it_is_there)
{
    struct aff_harness *h;

    folder_make();
    h = open_sink("to = []");
    EXPECT_STATUS(push(h, "high", "raised", "a"), AFF_ERR_IO);
    EXPECT_CAUSE(h, "the command cannot be started: No such file");
    script_write("echo x >> out");
    EXPECT_STATUS(aff_harness_retry(h), AFF_OK);
    assert_int_equal(lines_of("out"), 1);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    folder_remove();
}

TEST(a_command_that_hangs_is_killed_with_its_children)
{
    struct aff_harness *h;
    double before, after;

    folder_make();
    script_write("test -e good && exit 0; trap '' TERM INT; sleep 600 & echo $! > other; sleep 600");
    h = open_sink("to = []\ntimeout = \"300ms\"");
    before = seconds_now();
    EXPECT_STATUS(push(h, "high", "raised", "a"), AFF_ERR_IO);
    after = seconds_now();
    EXPECT_CAUSE(h, "did not end within its timeout and was killed");
    assert_true(after - before >= 0.3 && after - before < 5.0);
    expect_no_children();
    assert_true(is_gone(atoi(file_text("other"))));
    (void)close(open(in_folder("good"), O_WRONLY | O_CREAT, 0600));
    EXPECT_STATUS(aff_harness_retry(h), AFF_OK);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    folder_remove();
}

TEST(many_alerts_run_some_at_a_time_and_none_is_lost_or_told_twice)
{
    struct aff_harness *h;
    char text[32];
    int i;

    folder_make();
    script_write("echo \"$1\" >> out; case \"$1\" in *7\\ *) test -e \"seen $1\" || { : > \"seen $1\"; exit 1; };; esac");
    h = open_sink("to = []\nat_once = 3");
    aff_harness_cut(h, 64);
    for (i = 0; i < 64; i++) {
        (void)snprintf(text, sizeof text, "alert %d", i);
        push(h, i % 8 ? "high" : "low", "raised", text);
    }
    aff_harness_flush(h);
    for (i = 0; i < 10 && aff_harness_ledger(h).used < 64; i++)
        aff_harness_retry(h);
    assert_int_equal(aff_harness_ledger(h).used, 64);
    EXPECT_METRIC(h, "commands_failed", 6); /* 7, 17 ... 57 */
    assert_int_equal(lines_of("out"), 70);
    expect_no_children();
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    folder_remove();
}

TEST(the_end_of_an_alert_is_not_told_before_its_beginning)
{
    struct aff_harness *h;
    const char *told, *begins, *ends;

    folder_make();
    script_write("case \"$1\" in a\\ *) test -e good || sleep 0.2;; esac; test -e good || test \"$1\" != \"a " NOTE
                 "\" || { : > good; exit 1; }; echo \"$1\" >> out");
    h = open_sink("to = []");
    aff_harness_cut(h, 3);
    push_as(h, "x", "high", "raised", "a");
    push_as(h, "x", "high", "ended", "b");
    push_as(h, "y", "high", "raised", "c");
    aff_harness_flush(h);
    EXPECT_STATUS(aff_harness_retry(h), AFF_OK); /* the first failed once */
    told = file_text("out"); /* the other alert's line stands anywhere */
    begins = strstr(told, "a " NOTE "\n");
    ends = strstr(told, "b " NOTE "\n");
    assert_non_null(begins);
    assert_non_null(ends);
    assert_true(begins < ends);
    assert_int_equal(lines_of("out"), 3);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    folder_remove();
}

TEST(a_host_gets_a_word_in_between_slow_commands)
{
    struct aff_harness *h;
    aff_status st = AFF_OK;
    int i, calls = 0;

    folder_make();
    script_write("sleep 0.3; echo x >> out");
    h = open_sink("to = []\nat_once = 1");
    aff_harness_cut(h, 8);
    for (i = 0; i < 8; i++)
        st = push(h, "high", "raised", "a");
    for (; st == AFF_AGAIN; calls++)
        st = aff_harness_retry(h);
    EXPECT_STATUS(st, AFF_OK);
    assert_in_range(calls, 1, 4);
    assert_int_equal(lines_of("out"), 8);
    EXPECT_METRIC(h, "told", 8);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    folder_remove();
}

TEST(children_of_the_host_are_left_alone)
{
    struct aff_harness *h;
    int status;
    pid_t other;

    folder_make();
    script_write("exit 0");
    other = fork();
    if (other == 0)
        _exit(7);
    h = open_sink("to = []");
    EXPECT_STATUS(push(h, "high", "raised", "a"), AFF_OK);
    assert_int_equal(waitpid(other, &status, 0), other);
    assert_int_equal(WEXITSTATUS(status), 7);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    folder_remove();
}

AFF_TEST_MAIN(a_command_gets_arguments_json_and_nothing_else,
              a_command_that_fails_is_tried_again_and_the_line_is_not_said_twice,
              exit_code_65_sets_one_alert_aside,
              a_command_that_is_missing_waits_until_it_is_there,
              a_command_that_hangs_is_killed_with_its_children,
              many_alerts_run_some_at_a_time_and_none_is_lost_or_told_twice,
              the_end_of_an_alert_is_not_told_before_its_beginning,
              a_host_gets_a_word_in_between_slow_commands,
              children_of_the_host_are_left_alone)
