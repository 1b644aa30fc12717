/* SPDX-License-Identifier: Apache-2.0
 *
 * test_answers.c - who takes notice: by rows, by messages, by the node that alerts; and whom nothing reached. */
#include "test_calls.h"

static struct aff_harness *two_told(char code[8])
{
    struct aff_harness *h = aff_harness_open("op_escalate", STEPS PEOPLE);

    a1(h, 0, "raised");
    (void)snprintf(code, 8, "%s", aff_harness_text(h, expect_call(h, 0, "nurse raised 1"), "code"));
    aff_harness_clock(h, 121 * S);
    expect_call(h, 120, "doctor raised 2");
    return h;
}

static void expect_acknowledged(struct aff_harness *h, const char *by)
{
    const struct aff_record *r = expect_call(h, NAN, "nurse acknowledged 1");

    assert_string_equal(aff_harness_text(h, r, "by"), by);
    assert_true(r->event_ns > NOON + 120 * S); /* behind what was told before it */
    expect_call(h, NAN, "doctor acknowledged 2");
    r = aff_harness_take(h, "acks");
    assert_non_null(r);
    assert_string_equal(aff_harness_text(h, r, "action"), "acknowledge");
    assert_string_equal(aff_harness_text(h, r, "alert"), "a1");
    assert_string_equal(aff_harness_text(h, r, "by"), by);
    assert_string_equal(aff_harness_stream_info(h, r->stream)->subject_name, "bed 3");
    EXPECT_METRIC(h, "open", 0);
    EXPECT_METRIC(h, "acknowledged", 1);
}

/* Nobody else is told, and those who were are told of the end. */
static void expect_quiet_and_end(struct aff_harness *h)
{
    aff_harness_clock(h, 3600 * S);
    EXPECT_NOTHING(h, "alerts");
    a1(h, 4000, "repeated");
    EXPECT_VERDICT(h, "acknowledged", 1);
    a1(h, 4001, "ended");
    expect_call(h, 4001, "nurse ended 1");
    expect_call(h, 4001, "doctor ended 2");
    EXPECT_METRIC(h, "unanswered", 0);
    close_balanced(h);
}

TEST(an_acknowledgement_by_id_stops_it_and_tells_those_who_know)
{
    char code[8];
    struct aff_harness *h = two_told(code);

    push_ack(h, "a1", "Nurse Joy"); /* by a clock that is years behind */
    expect_acknowledged(h, "Nurse Joy");
    push_ack(h, "a1", "Dr. No");
    EXPECT_VERDICT(h, "already", 1);
    expect_quiet_and_end(h);
}

TEST(a_code_or_rule_and_place_name_it_as_well)
{
    char code[8];
    struct aff_harness *h = two_told(code);
    uint32_t desk = aff_harness_stream(h, "desk", "commands", &acks);

    push_ack(h, code, NULL);
    assert_null(aff_harness_text(h, expect_call(h, NAN, "nurse acknowledged 1"), "by"));
    expect_call(h, NAN, "doctor acknowledged 2");
    a1(h, 500, "ended");
    expect_call(h, 500, "nurse ended 1");
    expect_call(h, 500, "doctor ended 2");
    a1(h, 600, "raised");
    expect_call(h, 600, "nurse raised 1");
    AFF_PUSH_ROW(h, "commands", desk, AFF_CELL_NONE, AFF_CELL_TEXT("low"), AFF_CELL_TEXT("bed 4"),
                 AFF_CELL_TEXT("acknowledge"), AFF_CELL_TEXT("x"));
    EXPECT_VERDICT(h, "unknown_alert", 1);
    AFF_PUSH_ROW(h, "commands", desk, AFF_CELL_NONE, AFF_CELL_TEXT("low"), AFF_CELL_TEXT("bed 3"),
                 AFF_CELL_TEXT("acknowledge"), AFF_CELL_TEXT("x"));
    expect_call(h, NAN, "nurse acknowledged 1");
    close_balanced(h);
}

TEST(a_reply_with_the_code_takes_notice_in_the_name_of_its_number)
{
    static const char *const texts[] = { "ok %s", "OK %s", "  Ack: %s, coming!", "%s", "ok,%s.\nDr. X", "ok %s 10 min" };
    size_t i;

    for (i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char code[8], text[64];
        struct aff_harness *h = two_told(code);

        (void)snprintf(text, sizeof text, texts[i], code);
        push_sms(h, i % 2 ? "0039 222" : "+39222", text);
        expect_acknowledged(h, "doctor");
        expect_quiet_and_end(h);
    }
}

TEST(a_reply_without_a_code_counts_where_there_is_one_alert_only)
{
    char code[8];
    struct aff_harness *h = two_told(code);

    push_sms(h, "+39333", "ok"); /* on-call was told of none yet */
    EXPECT_VERDICT(h, "unknown_alert", 1);
    push(h, &(struct row){ "bed 4", "b1", "raised", "high", 130, 0 });
    expect_call(h, 130, "nurse raised 1");
    push_sms(h, "+39111", "ok");
    EXPECT_VERDICT(h, "which_alert", 1);
    EXPECT_NOTHING(h, "alerts");
    push_sms(h, "+39222", "ok");
    expect_call(h, NAN, "nurse acknowledged 1");
    expect_call(h, NAN, "doctor acknowledged 2");
    push_sms(h, "+39111", "ok"); /* of two one is left */
    assert_string_equal(aff_harness_text(h, expect_call(h, NAN, "nurse acknowledged 1"), "alert"), "b1");
    close_balanced(h);
}

TEST(who_is_not_known_or_says_something_else_stops_nothing)
{
    char code[8], text[64];
    struct aff_harness *h = two_told(code);
    uint32_t modem = aff_harness_stream(h, "modem", "messages", &messages);

    (void)snprintf(text, sizeof text, "ok %s", code);
    push_sms(h, "+39444", text);
    push_sms(h, "Hospital", text);
    push_sms(h, "", text);
    EXPECT_VERDICT(h, "stranger", 3);
    push_sms(h, "+39222", "not ok");
    push_sms(h, "+39222", "");
    push_sms(h, "+39222", "okay");
    push_sms(h, "+39222", "1234567");
    AFF_PUSH_ROW(h, "commands", modem, AFF_CELL_TEXT("+39222"), AFF_CELL_NONE);
    EXPECT_VERDICT(h, "no_answer", 5);
    push_sms(h, "+39222", strcmp(code, "000000") ? "ok 000000" : "ok 000001");
    EXPECT_VERDICT(h, "unknown_alert", 1);
    push_ack(h, "a2", "x");
    push_ack(h, "", "x");
    EXPECT_VERDICT(h, "unknown_alert", 3);
    push_ack(h, NULL, "x");
    EXPECT_VERDICT(h, "bad_command", 1);
    aff_harness_clock(h, 300 * S);
    expect_call(h, 300, "on-call raised 3");
    close_balanced(h);
}

TEST(the_node_that_alerts_may_say_that_notice_was_taken)
{
    char code[8];
    struct aff_harness *h = two_told(code);

    a1(h, 130, "acknowledged");
    expect_call(h, 130, "nurse acknowledged 1");
    expect_call(h, 130, "doctor acknowledged 2");
    EXPECT_NOTHING(h, "acks"); /* it knows */
    a1(h, 131, "acknowledged");
    EXPECT_VERDICT(h, "known", 1);
    expect_quiet_and_end(h);
}

TEST(words_of_an_answer_may_be_others)
{
    struct aff_harness *h = aff_harness_open("op_escalate", STEPS PEOPLE "words = [\"komme\"]");

    a1(h, 0, "raised");
    expect_call(h, 0, "nurse raised 1");
    push_sms(h, "+39111", "ok");
    EXPECT_VERDICT(h, "no_answer", 1);
    push_sms(h, "+39111", "Komme sofort");
    expect_call(h, NAN, "nurse acknowledged 1");
    close_balanced(h);
}

TEST(a_message_from_before_the_alert_takes_no_notice_of_it)
{
    struct aff_harness *h = aff_harness_open("op_escalate", STEPS PEOPLE);
    char text[32];

    aff_harness_utc(h, NOON, AFF_CLOCK_SYNCED);
    push(h, &(struct row){ "bed 3", "a1", "raised", "high", 0, AFF_CLOCK_SYNCED });
    (void)snprintf(text, sizeof text, "ok %s", aff_harness_text(h, expect_call(h, 0, "nurse raised 1"), "code"));
    push_dated_sms(h, "+39111", "ok", NOON - 86400 * S); /* it lay in the modem while the node was off */
    EXPECT_VERDICT(h, "stale", 1);
    aff_harness_clock(h, 60 * S);
    push(h, &(struct row){ "bed 4", "b1", "raised", "high", 60, AFF_CLOCK_SYNCED });
    expect_call(h, 60, "nurse raised 1");
    push_dated_sms(h, "+39111", "ok", NOON + 20 * S); /* so it is the first that is meant */
    assert_string_equal(aff_harness_text(h, expect_call(h, NAN, "nurse acknowledged 1"), "alert"), "a1");
    aff_harness_clock(h, 5 * S);
    push_dated_sms(h, "+39111", "ok", NOON + 58 * S); /* a network's clock may be slow */
    assert_string_equal(aff_harness_text(h, expect_call(h, NAN, "nurse acknowledged 1"), "alert"), "b1");
    push_dated_sms(h, "+39222", text, NOON - 86400 * S); /* with its code it is of this alert */
    EXPECT_VERDICT(h, "already", 1);
    aff_harness_discard(h, "acks");
    close_balanced(h);
}

TEST(where_a_clock_is_not_trusted_or_the_data_recorded_the_time_of_a_message_says_nothing)
{
    static const uint8_t clocks[2][2] = { { AFF_CLOCK_DEVICE, AFF_CLOCK_SYNCED }, { AFF_CLOCK_SYNCED, AFF_CLOCK_RECORDED } };
    int i;

    for (i = 0; i < 2; i++) {
        struct aff_harness *h = aff_harness_open("op_escalate", STEPS PEOPLE);

        aff_harness_utc(h, NOON, clocks[i][0]);
        push(h, &(struct row){ "bed 3", "a1", "raised", "high", 0, clocks[i][1] });
        expect_call(h, 0, "nurse raised 1");
        push_dated_sms(h, "+39111", "ok", NOON - 86400 * S);
        expect_call(h, NAN, "nurse acknowledged 1");
        close_balanced(h);
    }
}

TEST(an_answer_still_counts_after_a_restart_behind_the_last_step)
{
    struct aff_harness *h = aff_harness_open("op_escalate", "steps = [{ to = \"nurse\" }]\n"
                                             "people = [{ name = \"nurse\", number = \"+39111\" }]");

    aff_harness_utc(h, NOON, AFF_CLOCK_SYNCED);
    push(h, &(struct row){ "bed 3", "a1", "raised", "high", 0, AFF_CLOCK_SYNCED });
    expect_call(h, 0, "nurse raised 1");
    aff_harness_utc(h, NOON + 3600 * S, AFF_CLOCK_SYNCED); /* so long the machine was off */
    aff_harness_restart(h);
    push_dated_sms(h, "+39111", "ok", NOON + 30 * S);
    expect_call(h, NAN, "nurse acknowledged 1");
    close_balanced(h);
}

/* a1 is raised, and told with a code. */
static void raised_with(struct aff_harness *h, char code[8])
{
    a1(h, 0, "raised");
    (void)snprintf(code, 8, "%s", aff_harness_text(h, expect_call(h, 0, "nurse raised 1"), "code"));
}

TEST(an_id_that_looks_like_a_code_is_an_id)
{
    struct aff_harness *h = aff_harness_open("op_escalate", STEPS);
    char code[8];

    raised_with(h, code);
    push(h, &(struct row){ "bed 4", code, "raised", "high", 0, 0 });
    expect_call(h, 0, "nurse raised 1");
    push_ack(h, code, "x");
    assert_string_equal(aff_harness_text(h, expect_call(h, NAN, "nurse acknowledged 1"), "alert"), code);
    aff_harness_discard(h, "acks");
    close_balanced(h);
}

TEST(a_code_may_be_set_apart_and_one_that_is_mistyped_is_none)
{
    char code[8], text[32];
    struct aff_harness *h = two_told(code);

    (void)snprintf(text, sizeof text, "ok %.5s", code);
    push_sms(h, "+39222", text);
    (void)snprintf(text, sizeof text, "ok %s1", code);
    push_sms(h, "+39222", text);
    EXPECT_VERDICT(h, "unknown_alert", 2);
    (void)snprintf(text, sizeof text, "%.5s", code);
    push_sms(h, "+39222", text);
    EXPECT_VERDICT(h, "no_answer", 1);
    (void)snprintf(text, sizeof text, "ok %.3s-%s", code, code + 3);
    push_sms(h, "+39222", text);
    expect_acknowledged(h, "doctor");
    expect_quiet_and_end(h);
}

TEST(without_a_code_a_few_digits_may_follow)
{
    char code[8];
    struct aff_harness *h = two_told(code);

    push_sms(h, "+39222", "ok 5 min");
    expect_acknowledged(h, "doctor");
    expect_quiet_and_end(h);
}

TEST(an_id_that_is_raised_again_has_another_code)
{
    struct aff_harness *h = aff_harness_open("op_escalate", STEPS);
    char code[8];

    raised_with(h, code);
    a1(h, 1, "ended");
    expect_call(h, 1, "nurse ended 1");
    a1(h, 2, "raised");
    assert_string_not_equal(aff_harness_text(h, expect_call(h, 2, "nurse raised 1"), "code"), code);
    push_ack(h, code, "x");
    EXPECT_VERDICT(h, "unknown_alert", 1);
    close_balanced(h);
}

/* ---- whom nothing reached ---- */

TEST(where_nothing_reached_somebody_the_next_step_comes_at_once)
{
    struct aff_harness *h = aff_harness_open("op_escalate", STEPS PEOPLE);
    int64_t call;

    aff_harness_utc(h, NOON, AFF_CLOCK_SYNCED);
    push(h, &(struct row){ "bed 3", "a1", "raised", "high", 0, AFF_CLOCK_SYNCED });
    call = aff_harness_int(h, expect_call(h, 0, "nurse raised 1"), "call");
    push_result(h, "sent", call);
    push_result(h, "unconfirmed", call);
    EXPECT_VERDICT(h, "result", 2);
    aff_harness_clock(h, 10 * S);
    push_result(h, "failed", call);
    push_result(h, "failed", call); /* as its report says as well */
    call = aff_harness_int(h, expect_call(h, 10 + 1e-9, "doctor raised 2"), "call");
    aff_harness_clock(h, 20 * S);
    push_result(h, "expired", call);
    expect_call(h, 30 + 1e-9, "on-call raised 3");
    EXPECT_METRIC(h, "unreached", 3);
    aff_harness_clock(h, 299 * S);
    EXPECT_NOTHING(h, "alerts"); /* the others were told, so their times are over */
    aff_harness_clock(h, 5 * S);
    call = aff_harness_int(h, expect_call(h, NAN, "on-call repeated 3"), "call");
    push_result(h, "refused", call); /* nobody is left */
    EXPECT_NOTHING(h, "alerts");
    push(h, &(struct row){ "bed 3", "a1", "ended", "high", 400, AFF_CLOCK_SYNCED });
    expect_call(h, 400, "nurse ended 1");
    expect_call(h, 400, "doctor ended 2");
    expect_call(h, 400, "on-call ended 3");
    close_balanced(h);
}

TEST(what_became_of_a_row_counts_over_a_restart)
{
    struct aff_harness *h = aff_harness_open("op_escalate", STEPS PEOPLE);
    int64_t call;

    a1(h, 0, "raised");
    call = aff_harness_int(h, expect_call(h, 0, "nurse raised 1"), "call");
    aff_harness_restart(h);
    push_result(h, "too_many", call);
    call = aff_harness_int(h, expect_call(h, NAN, "doctor raised 2"), "call");
    aff_harness_restart(h);
    aff_harness_clock(h, 600 * S); /* neither again */
    expect_call(h, NAN, "on-call raised 3");
    a1(h, 700, "ended");
    aff_harness_discard(h, "alerts");
    push_result(h, "failed", call);
    EXPECT_VERDICT(h, "result", 1);
    close_balanced(h);
}

TEST(results_of_what_is_over_or_not_ours_change_nothing)
{
    static const int64_t numbers[] = { 0, 1, -1, 99, 101, 1201, 10101, INT64_MAX, INT64_MIN };
    char code[8];
    struct aff_harness *h = two_told(code);
    uint32_t stream = aff_harness_stream(h, "modem", "results", &results), i;
    int64_t call;

    for (i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        push_result(h, "failed", numbers[i]);
    AFF_PUSH_ROW(h, "commands", stream, AFF_CELL_TEXT("failed"), AFF_CELL_NONE, AFF_CELL_NONE); /* of another command */
    EXPECT_VERDICT(h, "result", 10);
    push(h, &(struct row){ "bed 4", "b1", "raised", "high", 130, 0 });
    call = aff_harness_int(h, expect_call(h, 130, "nurse raised 1"), "call");
    push_ack(h, "b1", "Ann");
    call = aff_harness_int(h, expect_call(h, NAN, "nurse acknowledged 1"), "call");
    push_result(h, "failed", call);
    EXPECT_VERDICT(h, "result", 11);
    EXPECT_METRIC(h, "unreached", 0);
    aff_harness_discard(h, "acks");
    close_balanced(h);
}

TEST(only_steps_for_its_severity_come_sooner)
{
    struct aff_harness *h = aff_harness_open("op_escalate", "steps = [{ to = [\"a\", \"b\"] }, { to = \"c\", after = \"1min\", "
                                             "severity = [\"high\"] }, { to = \"d\", after = \"2min\" }]");
    int64_t call;

    push(h, &(struct row){ "bed 3", "m", "raised", "medium", 0, 0 });
    expect_call(h, 0, "a raised 1");
    call = aff_harness_int(h, expect_call(h, 0, "b raised 1"), "call");
    push_result(h, "timeout", call); /* one of two is enough */
    expect_call(h, NAN, "d raised 3");
    aff_harness_clock(h, 600 * S);
    close_balanced(h);
}

static void a_failing_story(void)
{
    struct aff_harness *h = aff_harness_open("op_escalate", STEPS PEOPLE);
    int64_t call;

    a1(h, 0, "raised");
    call = aff_harness_int(h, expect_call(h, 0, "nurse raised 1"), "call");
    push_result(h, "failed", call);
    call = aff_harness_int(h, expect_call(h, NAN, "doctor raised 2"), "call");
    push_result(h, "failed", call);
    expect_call(h, NAN, "on-call raised 3");
    EXPECT_METRIC(h, "told", 3);
    close_balanced(h);
}

TEST(whatever_host_call_fails_the_next_step_is_told_once)
{
    AFF_EACH_HOST_CALL_FAILS_ONCE(a_failing_story);
}

TEST(bytes_of_any_kind_in_an_answer_do_no_harm)
{
    char code[8], text[200];
    struct aff_harness *h = two_told(code);
    uint32_t random = 1, i, k;

    for (i = 0; i < 3000; i++) {
        for (k = 0; k < i % 60; k++) {
            random = random * 1664525u + 1013904223u;
            text[k] = (char)(random >> 24 ? random >> 24 : 1);
        }
        text[k] = 0;
        push_sms(h, i % 3 ? "+39222" : text, text);
        push_ack(h, text, text);
    }
    push_ack(h, code, "\xff\n{by}");
    assert_string_equal(aff_harness_text(h, expect_call(h, NAN, "nurse acknowledged 1"), "by"), "? {by}");
    expect_call(h, NAN, "doctor acknowledged 2");
    close_balanced(h);
}

AFF_TEST_MAIN(an_acknowledgement_by_id_stops_it_and_tells_those_who_know,
              a_code_or_rule_and_place_name_it_as_well,
              a_reply_with_the_code_takes_notice_in_the_name_of_its_number,
              a_reply_without_a_code_counts_where_there_is_one_alert_only,
              who_is_not_known_or_says_something_else_stops_nothing,
              the_node_that_alerts_may_say_that_notice_was_taken,
              words_of_an_answer_may_be_others,
              a_message_from_before_the_alert_takes_no_notice_of_it,
              where_a_clock_is_not_trusted_or_the_data_recorded_the_time_of_a_message_says_nothing,
              an_answer_still_counts_after_a_restart_behind_the_last_step,
              an_id_that_looks_like_a_code_is_an_id,
              a_code_may_be_set_apart_and_one_that_is_mistyped_is_none,
              without_a_code_a_few_digits_may_follow,
              an_id_that_is_raised_again_has_another_code,
              where_nothing_reached_somebody_the_next_step_comes_at_once,
              what_became_of_a_row_counts_over_a_restart,
              results_of_what_is_over_or_not_ours_change_nothing,
              only_steps_for_its_severity_come_sooner,
              whatever_host_call_fails_the_next_step_is_told_once,
              bytes_of_any_kind_in_an_answer_do_no_harm)
