/* SPDX-License-Identifier: Apache-2.0
 *
 * test_answers.c - who takes notice: by rows, by messages, by the node that alerts. */
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
    static const char *const texts[] = { "ok %s", "OK %s", "  Ack: %s, coming!", "%s", "ok,%s.\nDr. X" };
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
              bytes_of_any_kind_in_an_answer_do_no_harm)
