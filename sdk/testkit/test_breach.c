/* SPDX-License-Identifier: Apache-2.0
 *
 * test_breach.c - each breach of the contract is caught, with its sentence.
 *
 * Every case runs in a child process, because the plugin in it is broken on
 * purpose: the child writes the kit's sentence into a pipe and leaves.
 *
 * Not here: what the kit does for good plugins (test_harness.c). */
#include <afferent/testkit.h>

#include "probe.h"
#include "said.h"

static struct aff_harness *probe_open(const char *act)
{
    char toml[80];

    (void)snprintf(toml, sizeof toml, "act = \"%s\"", act);
    return aff_harness_open_linked(&probe_plugin, toml);
}

static void push_two(struct aff_harness *h, const char *port)
{
    aff_harness_cut(h, 2);
    (void)aff_harness_push(h, port, "bytes", "12345678", 8);
    (void)aff_harness_push(h, port, "bytes", "87654321", 8);
}

/* The whole life, with all events in it, so that each act has its chance. */
static void life_of(const char *act)
{
    struct aff_harness *h = probe_open(act);

    push_two(h, "in");
    push_two(h, "in");
    push_two(h, "edit");
    aff_harness_end_stream(h, "in", 1);
    if (strcmp(act, "mark_kept") && !aff_harness_ledger(h).waiting && !aff_harness_ledger(h).held)
        aff_harness_restart(h);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

/* Only the port that may be edited. */
static void edit_of(const char *act)
{
    struct aff_harness *h = probe_open(act);

    push_two(h, "edit");
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

struct breach {
    const char *act;
    const char *sentence;
};

static void each_is_caught(const struct breach *list, size_t count)
{
    size_t i;

    for (i = 0; i < count; i++) {
        const char *text = said(life_of, list[i].act);

        if (!strstr(text, list[i].sentence))
            fail_msg("%s: said \"%s\"; expected \"%s\"", list[i].act, text, list[i].sentence);
    }
}
#define EACH(list) each_is_caught(list, sizeof list / sizeof list[0])

TEST(a_plugin_that_keeps_the_contract_is_not_accused)
{
    assert_string_equal(said(life_of, "pass"), "");
    assert_string_equal(said(life_of, "count"), "");
    assert_string_equal(said(edit_of, "edit"), "");
}

TEST(broken_answers_are_caught)
{
    static const struct breach list[] = {
        { "bad_verdict", "probe: process: verdict 6 is not in the table, which has 5" },
        { "take_more", "took 3 records of a batch of 2" },
        { "take_part", "says that all 2 were taken, and took 1" },
        { "fail_all", "answered -3, which is about the next record, but took all 2" },
        { "odd_status", "answered 17, which is not a status" },
        { "verdict_late", "changed the verdict of input 0 after a reserve for a later one" },
        { "swap_nothing", "REPLACE needs one record emitted for its input; there are 0" },
    };

    EACH(list);
}

TEST(broken_drafts_are_caught)
{
    static const struct breach list[] = {
        { "emit_nothing", "a draft that reserve did not return last" },
        { "emit_more", "emit was called with 9 bytes; 8 were reserved" },
        { "write_more", "wrote beyond the 8 bytes that were reserved" },
        { "write_far", "read or wrote beyond the end of a draft's payload (8 bytes)" },
        { "emit_twice", "used a stale pointer: the loan of a draft's header is over" },
        { "untyped", "schema 0 is not one of host->schema; set it before emit" },
        { "bad_row", "the text of column note lies outside of the emitted row" },
        { "falling", "names input 0 after input 1; inputs rise in a batch" },
        { "emit_untaken", "emitted for input 0, but did not take it" },
    };

    EACH(list);
}

TEST(misuse_of_borrowed_memory_is_caught)
{
    static const struct breach list[] = {
        { "edit", "probe: process: wrote to the payload of an input record, which is borrowed to be read" },
        { "read_beyond", "read or wrote beyond the end of the payload of an input record (8 bytes)" },
        { "keep_payload", "used a stale pointer: the loan of the payload of an input record is over" },
        { "mark_kept", "probe: drain: used a stale pointer: the loan of the mark of a stream's end is over" },
    };

    EACH(list);
    assert_non_null(strstr(said(edit_of, "edit_untaken"), "edited input 0, but did not take it"));
}

TEST(broken_holds_are_caught)
{
    static const struct breach list[] = {
        { "hold_only", "held input 0, but its verdict is not of kind HOLD" },
        { "hold_copy", "a record that is not one of this batch" },
        { "say_held", "gave input 0 a verdict of kind HOLD without host->hold" },
        { "release_twice", "a record that is not held, or already released" },
    };

    EACH(list);
}

TEST(calls_out_of_place_are_caught)
{
    static const struct breach list[] = {
        { "alloc", "host->alloc is a [control] call" },
        { "open_reserves", "probe: open: host->reserve is a [data] call" },
        { "stop_reserves", "probe: stop: host->reserve is a [data] call" },
        { "close_reserves", "probe: close: host->reserve is a [data] call" },
        { "state_twice", "state_open was called twice" },
        { "copied_table", "host->now_ns was called with a table that is not the one given to open" },
        { "wrong_metric", "metric level, which is of the other kind" },
        { "log_name", "host->log was given the name of a subject" },
        { "snapshot_greedy", "wrote into a buffer that is too small" },
    };

    EACH(list);
}

TEST(leaks_are_caught)
{
    static const struct breach list[] = {
        { "leak", "probe: close: left 1 blocks of host->alloc behind" },
        { "open_leaks", "probe: open: failed and left 1 blocks of memory behind" },
        { "free_twice", "memory that is not of host->alloc, or already free" },
    };

    EACH(list);
}

static void leaves_one(const char *act)
{
    struct aff_harness *h = probe_open(act);

    aff_harness_push(h, "in", "bytes", "3", 1);
    EXPECT_BALANCED(h);
}

TEST(unbalanced_accounts_are_caught)
{
    assert_non_null(strstr(said(leaves_one, "choose"), "1 records are still held after drain"));
    assert_non_null(strstr(said(leaves_one, "again"), "1 records were never taken; last status"));
}

static void sends(const char *act)
{
    struct aff_harness *h;
    char toml[80];

    (void)snprintf(toml, sizeof toml, "act = \"%s\"", act);
    h = aff_harness_open_linked(&sink_plugin, toml);
    aff_harness_push(h, "in", "bytes", "3", 1);
    if (strcmp(act, "wake") == 0)
        (void)aff_harness_sync(h);
    aff_harness_clock(h, 2000000000);
    EXPECT_BALANCED(h);
}

static void answers_without_the_flag(const char *act)
{
    static struct aff_plugin plain;

    plain = sink_plugin;
    plain.flags = 0;
    (void)act;
    (void)aff_harness_push(aff_harness_open_linked(&plain, "act = \"at_once\""), "in", "bytes", "3", 1);
}

static void says_acks(const char *act)
{
    static struct aff_plugin plain;

    plain = probe_plugin;
    plain.flags = AFF_ACKS;
    (void)act;
    (void)aff_harness_open_linked(&plain, "");
}

TEST(answers_that_are_missing_or_wrong_are_caught)
{
    assert_non_null(strstr(said(sends, "never"), "1 records that write took were never answered by host->ack"));
    assert_non_null(strstr(said(sends, "wake"), "the epoch ends, and 1 records that write took are not answered"));
    assert_non_null(strstr(said(sends, "nonsense"), "host->ack was given 7; expected AFF_OK"));
    assert_non_null(strstr(said(answers_without_the_flag, ""), "host->ack is for sinks whose table says AFF_ACKS"));
    assert_non_null(strstr(said(says_acks, ""), "AFF_ACKS is for sinks"));
}

static void fails_as_io_once(void)
{
    life_of("memory_as_io");
}

static void fails_as_io(const char *act)
{
    (void)act;
    AFF_EACH_HOST_CALL_FAILS_ONCE(fails_as_io_once);
}

TEST(a_wrong_answer_to_a_failed_call_is_caught)
{
    assert_non_null(strstr(said(fails_as_io, ""), "answered -2 after host->reserve failed; expected AFF_ERR_MEMORY"));
}

static void validates(const char *act)
{
    (void)act;
    aff_harness_link(&probe_plugin);
    (void)aff_harness_check("probe", "act = \"validate_ok\"\nlow = 5\nhigh = 3");
}

TEST(a_problem_that_is_answered_with_ok_is_caught)
{
    assert_non_null(strstr(said(validates, ""), "reported a problem and answered AFF_OK"));
}

static void expects_wrongly(const char *what)
{
    struct aff_harness *h = probe_open("pass");
    int16_t in[] = { 1, 2 };

    aff_harness_push(h, "in", "samples/i16", in, sizeof in);
    if (strcmp(what, "i16") == 0)
        EXPECT_I16(h, "out", 1, 3);
    if (strcmp(what, "count") == 0)
        EXPECT_I16(h, "out", 1, 2, 3);
    if (strcmp(what, "port") == 0)
        EXPECT_I16(h, "nowhere", 1, 2);
    if (strcmp(what, "metric") == 0)
        EXPECT_METRIC(h, "seen", 2);
    if (strcmp(what, "verdict") == 0)
        EXPECT_VERDICT(h, "unwanted", 1);
    if (strcmp(what, "refused") == 0)
        EXPECT_REFUSED("probe", "low = 1", "low");
    if (strcmp(what, "open") == 0)
        aff_test_end();
}

TEST(expectations_that_do_not_hold_fail)
{
    assert_string_equal(said(expects_wrongly, "i16"), "test: port out: sample 1 is 2; expected 3");
    assert_string_equal(said(expects_wrongly, "count"),
                        "test: port out: the record has 2 samples in 1 channels; expected 3 in all");
    assert_string_equal(said(expects_wrongly, "port"), "test: the plugin has no output port \"nowhere\"");
    assert_string_equal(said(expects_wrongly, "metric"), "test: metric seen is 1; expected 2");
    assert_string_equal(said(expects_wrongly, "verdict"), "test: 0 records got verdict unwanted; expected 1");
    assert_non_null(strstr(said(expects_wrongly, "refused"), "probe accepts its options"));
    assert_non_null(strstr(said(expects_wrongly, "open"), "a harness was left open"));
}

AFF_TEST_MAIN(a_plugin_that_keeps_the_contract_is_not_accused, broken_answers_are_caught, broken_drafts_are_caught,
              misuse_of_borrowed_memory_is_caught, broken_holds_are_caught, calls_out_of_place_are_caught,
              leaks_are_caught, unbalanced_accounts_are_caught,
              answers_that_are_missing_or_wrong_are_caught, a_wrong_answer_to_a_failed_call_is_caught,
              a_problem_that_is_answered_with_ok_is_caught, expectations_that_do_not_hold_fail)
