/* SPDX-License-Identifier: Apache-2.0
 *
 * test_op_escalate.c - who is told when, and what stops it. */
#include "test_calls.h"

TEST(steps_come_at_their_times_and_the_last_repeats_until_nobody_is_left)
{
    struct aff_harness *h = aff_harness_open("op_escalate", STEPS);
    int i;

    a1(h, 0, "raised");
    expect_call(h, 0, "nurse raised 1");
    EXPECT_NOTHING(h, "alerts");
    aff_harness_clock(h, 120 * S);
    EXPECT_NOTHING(h, "alerts");
    aff_harness_clock(h, 1 * S);
    expect_call(h, 2 * MINUTE, "doctor raised 2");
    aff_harness_clock(h, 180 * S);
    expect_call(h, 5 * MINUTE, "on-call raised 3");
    for (i = 1; i <= 3; i++) {
        aff_harness_clock(h, 300 * S);
        assert_int_equal(aff_harness_int(h, expect_call(h, (5 + 5 * i) * MINUTE, "on-call repeated 3"), "count"), i);
    }
    aff_harness_clock(h, 7200 * S);
    EXPECT_NOTHING(h, "alerts");
    EXPECT_METRIC(h, "open", 1);
    a1(h, 9000, "ended");
    expect_call(h, 9000, "nurse ended 1");
    expect_call(h, 9000, "doctor ended 2");
    expect_call(h, 9000, "on-call ended 3");
    EXPECT_METRIC(h, "unanswered", 1);
    EXPECT_METRIC(h, "open", 0);
    EXPECT_METRIC(h, "told", 9);
    close_balanced(h);
}

TEST(an_end_tells_those_who_were_told_and_stops_the_rest)
{
    struct aff_harness *h = aff_harness_open("op_escalate", STEPS);

    a1(h, 0, "raised");
    expect_call(h, 0, "nurse raised 1");
    a1(h, 60, "ended");
    expect_call(h, 60, "nurse ended 1");
    aff_harness_clock(h, 900 * S);
    close_balanced(h);
}

TEST(a_row_has_the_alert_s_columns_and_whom_it_is_for)
{
    struct aff_harness *h = aff_harness_open("op_escalate", STEPS PEOPLE "text = \"{severity} {place}: {text} ({rule}) {since}. "
                                             "{to}/{step}/{state}: answer ok {code} {{}}\"\nover = \"{place}: {state} by {by}\"");
    const struct aff_record *r;
    char text[200];

    a1(h, 0, "raised");
    r = expect_call(h, 0, "nurse raised 1");
    assert_string_equal(aff_harness_text(h, r, "severity"), "high");
    assert_string_equal(aff_harness_text(h, r, "rule"), "low");
    assert_string_equal(aff_harness_text(h, r, "place"), "bed 3");
    assert_string_equal(aff_harness_text(h, r, "alert"), "a1");
    assert_string_equal(aff_harness_text(h, r, "number"), "+39111");
    assert_null(aff_harness_text(h, r, "mail"));
    assert_null(aff_harness_text(h, r, "by"));
    assert_int_equal(aff_harness_int(h, r, "since"), NOON);
    assert_int_equal(strlen(aff_harness_text(h, r, "code")), 6);
    (void)snprintf(text, sizeof text, "high bed 3: SpO2 84 %% (low) 2026-03-05 12:00:00Z. nurse/1/raised: answer ok %s {}",
                   aff_harness_text(h, r, "code"));
    assert_string_equal(aff_harness_text(h, r, "text"), text);
    assert_string_equal(aff_harness_stream_info(h, r->stream)->subject_name, "bed 3");
    assert_string_equal(aff_harness_stream_info(h, r->stream)->name, "escalation");
    a1(h, 1, "ended");
    r = expect_call(h, 1, "nurse ended 1");
    assert_string_equal(aff_harness_text(h, r, "text"), "bed 3: ended by nobody");
    close_balanced(h);
}

TEST(a_step_may_tell_several_and_be_for_some_severities)
{
    struct aff_harness *h = aff_harness_open("op_escalate",
        "steps = [{ to = [\"nurse 1\", \"nurse 2\"], severity = [\"high\", \"low\"] }, { to = \"technician\", severity = "
        "[\"technical\"] }, { to = \"nurse 1\", after = \"1min\", severity = [\"high\"] }]");

    push(h, &(struct row){ "bed 3", "t", "raised", "technical", 0, 0 });
    expect_call(h, 0, "technician raised 2");
    push(h, &(struct row){ "bed 3", "m", "raised", "medium", 0, 0 });
    EXPECT_VERDICT(h, "no_step", 1);
    push(h, &(struct row){ "bed 3", "l", "raised", "low", 1, 0 });
    expect_call(h, 1, "nurse 1 raised 1");
    expect_call(h, 1, "nurse 2 raised 1");
    a1(h, 2, "raised");
    expect_call(h, 2, "nurse 1 raised 1");
    expect_call(h, 2, "nurse 2 raised 1");
    aff_harness_clock(h, 100 * S);
    expect_call(h, 62, "nurse 1 repeated 3"); /* was told of it, by another step */
    push(h, &(struct row){ "bed 4", "x", "raised", "urgent", 0, 0 }); /* a class of others is for all steps */
    expect_call(h, 0, "nurse 1 raised 1");
    expect_call(h, 0, "nurse 2 raised 1");
    expect_call(h, 0, "technician raised 2");
    close_balanced(h);
}

TEST(alerts_of_a_place_and_of_others_climb_by_themselves)
{
    struct aff_harness *h = aff_harness_open("op_escalate", STEPS);

    a1(h, 0, "raised");
    expect_call(h, 0, "nurse raised 1");
    push(h, &(struct row){ "bed 3", "a2", "raised", "medium", 60, 0 });
    expect_call(h, 60, "nurse raised 1");
    push(h, &(struct row){ "bed 4", "b1", "raised", "high", 90, 0 });
    expect_call(h, 90, "nurse raised 1");
    a1(h, 100, "ended");
    expect_call(h, 100, "nurse ended 1");
    push(h, &(struct row){ "bed 3", "a3", "raised", "low", 400, 0 });
    assert_string_equal(aff_harness_text(h, expect_call(h, 180, "doctor raised 2"), "alert"), "a2");
    assert_string_equal(aff_harness_text(h, expect_call(h, 360, "on-call raised 3"), "alert"), "a2");
    assert_string_equal(aff_harness_text(h, expect_call(h, 400, "nurse raised 1"), "alert"), "a3");
    EXPECT_NOTHING(h, "alerts"); /* bed 4's time has not come to it */
    push(h, &(struct row){ "bed 4", "b1", "ended", "high", 300, 0 });
    expect_call(h, 210, "doctor raised 2");
    expect_call(h, 300, "nurse ended 1");
    expect_call(h, 300, "doctor ended 2");
    EXPECT_METRIC(h, "open", 2);
    close_balanced(h);
}

TEST(what_is_told_again_goes_to_those_who_know_with_the_newest_text)
{
    struct aff_harness *h = aff_harness_open("op_escalate", STEPS);

    a1(h, 0, "raised");
    expect_call(h, 0, "nurse raised 1");
    a1(h, 30, "repeated");
    expect_call(h, 30, "nurse repeated 1");
    a1(h, 31, "raised");
    EXPECT_VERDICT(h, "known", 1);
    a1(h, 150, "repeated");
    expect_call(h, 120, "doctor raised 2");
    expect_call(h, 150, "nurse repeated 1");
    expect_call(h, 150, "doctor repeated 2");
    push(h, &(struct row){ "bed 3", "late", "repeated", "high", 151, 0 }); /* its beginning was before ours */
    expect_call(h, 151, "nurse raised 1");
    push(h, &(struct row){ "bed 3", "never", "ended", "high", 152, 0 });
    push(h, &(struct row){ "bed 3", "never", "acknowledged", "high", 153, 0 });
    EXPECT_VERDICT(h, "nobody_told", 2);
    close_balanced(h);
}

TEST(beyond_most_everybody_is_told_at_once_and_of_the_end)
{
    struct aff_harness *h = aff_harness_open("op_escalate", STEPS "most = 2");

    a1(h, 0, "raised");
    push(h, &(struct row){ "bed 3", "a2", "raised", "high", 0, 0 });
    expect_call(h, 0, "nurse raised 1");
    expect_call(h, 0, "nurse raised 1");
    push(h, &(struct row){ "bed 3", "a3", "raised", "high", 1, 0 });
    expect_call(h, 1, "nurse raised 1");
    expect_call(h, 1, "doctor raised 2");
    expect_call(h, 1, "on-call raised 3");
    EXPECT_METRIC(h, "untracked", 1);
    push(h, &(struct row){ "bed 4", "b1", "raised", "high", 1, 0 }); /* each place has its own room */
    expect_call(h, 1, "nurse raised 1");
    push(h, &(struct row){ "bed 3", "a3", "ended", "high", 2, 0 });
    expect_call(h, 2, "nurse ended 1");
    expect_call(h, 2, "doctor ended 2");
    expect_call(h, 2, "on-call ended 3");
    push(h, &(struct row){ "bed 3", "a3", "ended", "high", 3, 0 });
    EXPECT_VERDICT(h, "nobody_told", 1);
    close_balanced(h);
}

/* Its end may never come: a device that was taken away, a rule that is gone. */
TEST(what_somebody_knows_of_makes_room_for_what_nobody_does)
{
    struct aff_harness *h = aff_harness_open("op_escalate", STEPS "most = 2");

    a1(h, 0, "raised");
    push(h, &(struct row){ "bed 3", "a2", "raised", "high", 1, 0 });
    expect_call(h, 0, "nurse raised 1");
    expect_call(h, 1, "nurse raised 1");
    push_ack(h, "a2", "Ann");
    push_ack(h, "a1", "Ann");
    aff_harness_discard(h, "alerts");
    aff_harness_discard(h, "acks");
    push(h, &(struct row){ "bed 3", "a3", "raised", "high", 2, 0 });
    expect_call(h, 2, "nurse raised 1");
    a1(h, 3, "ended"); /* it was the oldest */
    EXPECT_VERDICT(h, "nobody_told", 1);
    push(h, &(struct row){ "bed 3", "a2", "ended", "high", 3, 0 });
    expect_call(h, 3, "nurse ended 1");
    EXPECT_METRIC(h, "open", 1);
    EXPECT_METRIC(h, "untracked", 0);
    aff_harness_clock(h, 130 * S);
    expect_call(h, 122, "doctor raised 2");
    close_balanced(h);
}

TEST(an_alert_that_gets_worse_is_told_whatever_notice_was_taken_of_it)
{
    struct aff_harness *h = aff_harness_open("op_escalate", "steps = [{ to = \"nurse\" }, { to = \"doctor\", after = \"1min\", "
                                             "severity = [\"high\"] }]");

    push(h, &(struct row){ "bed 3", "x", "raised", "low", 0, 0 });
    expect_call(h, 0, "nurse raised 1");
    push_ack(h, "x", "Ann");
    expect_call(h, NAN, "nurse acknowledged 1");
    push(h, &(struct row){ "bed 3", "x", "repeated", "high", 20, 0 });
    assert_string_equal(aff_harness_text(h, expect_call(h, 20, "nurse repeated 1"), "severity"), "high");
    EXPECT_METRIC(h, "open", 1);
    aff_harness_clock(h, 100 * S);
    expect_call(h, 60, "doctor raised 2");
    push(h, &(struct row){ "bed 3", "x", "repeated", "low", 110, 0 }); /* it stays what it was at its worst */
    assert_string_equal(aff_harness_text(h, expect_call(h, 110, "nurse repeated 1"), "severity"), "high");
    expect_call(h, 110, "doctor repeated 2");
    aff_harness_discard(h, "acks");
    close_balanced(h);
}

TEST(the_last_stream_of_a_place_takes_its_alerts_with_it)
{
    struct aff_harness *h = aff_harness_open("op_escalate", STEPS);

    a1(h, 0, "raised");
    expect_call(h, 0, "nurse raised 1");
    EXPECT_METRIC(h, "open", 1);
    aff_harness_end_stream(h, "in", aff_harness_stream(h, "bed 3", "alerts", &rows));
    assert_true(aff_harness_take(h, "alerts")->flags & AFF_FLAG_END);
    EXPECT_METRIC(h, "open", 0);
    aff_harness_clock(h, 900 * S);
    EXPECT_NOTHING(h, "alerts");
    a1(h, 1000, "raised");
    expect_call(h, 1000, "nurse raised 1");
    close_balanced(h);
}

/* ---- rows that are none ---- */

TEST(rows_that_cannot_be_used_are_set_aside)
{
    struct aff_harness *h = aff_harness_open("op_escalate", STEPS);
    uint32_t stream = aff_harness_stream(h, "bed 3", "alerts", &rows);
    struct aff_record cut = { .stream = stream, .event_ns = NOON, .data = (void *)(uintptr_t) "0123456789abcdef", .size = 16 };

    push(h, &(struct row){ "bed 3", "", "raised", "high", 0, 0 });
    push(h, &(struct row){ "bed 3", "01234567890123456789012345678901234567890", "raised", "high", 0, 0 });
    aff_harness_push_record(h, "in", &cut);
    a1(h, 7e9, "raised");
    EXPECT_DEAD(h, 4);
    push(h, &(struct row){ "bed 3", "0123456789012345678901234567890123456789", "raised", "high", 0, 0 });
    expect_call(h, 0, "nurse raised 1");
    close_balanced(h);
}

TEST(texts_of_any_length_and_bytes_become_one_line)
{
    struct aff_harness *h = aff_harness_open("op_escalate", "steps = [{ to = \"nurse\" }]\ntext = \"{place}|{text}|{rule}\"");
    uint32_t stream = aff_harness_stream(h, "bed 3", "alerts", &rows);
    char longest[3000];
    const struct aff_record *r;
    const char *text;

    memset(longest, 'm', sizeof longest - 1);
    longest[sizeof longest - 1] = 0;
    longest[5] = '\n';
    longest[6] = '\x80';
    aff_harness_seek(h, stream, 0, NOON);
    AFF_PUSH_ROW(h, "in", stream, AFF_CELL_TEXT(longest), AFF_CELL_TEXT(longest), AFF_CELL_TEXT(longest),
                 AFF_CELL_TEXT(longest), AFF_CELL_TEXT(longest), AFF_CELL_TEXT("id"), AFF_CELL_NONE, AFF_CELL_NONE);
    r = expect_call(h, 0, "nurse raised 1");
    text = aff_harness_text(h, r, "text");
    assert_string_equal(aff_harness_text(h, r, "severity"), "unknown");
    assert_true(strlen(text) < 480 && !strchr(text, '\n') && strstr(text, "mmmmm ?mmm") && strstr(text, "...|"));
    assert_int_equal(aff_harness_int(h, r, "since"), INT64_MIN);
    close_balanced(h);
}

/* ---- options ---- */

TEST(mistakes_are_said_with_what_to_do)
{
    EXPECT_REFUSED("op_escalate", "steps = []", "steps");
    EXPECT_REFUSED("op_escalate", "steps = [{ to = [] }]", "to");
    EXPECT_REFUSED("op_escalate", "steps = [{ to = \"\" }]", "a name is empty");
    EXPECT_REFUSED("op_escalate", "steps = [{ to = \"a\", after = \"2min\" }, { to = \"b\", after = \"1min\" }]",
                   "step 2 comes before step 1; expected them in the order of their times");
    EXPECT_REFUSED("op_escalate", PEOPLE "steps = [{ to = \"doctr\" }]",
                   "step 1 tells doctr, who is not among people; expected one of them; did you mean doctor?");
    EXPECT_REFUSED("op_escalate", "people = [{ name = \"a\", number = \"12\" }]\nsteps = [{ to = \"a\" }]",
                   "a has a number that is none; expected one with its country");
    EXPECT_REFUSED("op_escalate", "people = [{ name = \"a\" }, { name = \"a\" }]\nsteps = [{ to = \"a\" }]",
                   "two people are called a");
    EXPECT_REFUSED("op_escalate", "people = [{ name = \"a\", number = \"+3912\" }, { name = \"b\", number = \"003912\" }]\n"
                   "steps = [{ to = \"a\" }]", "b has the number of a");
    EXPECT_REFUSED("op_escalate", STEPS "text = \"{txt}\"", "the text names {txt}, which is not there");
    EXPECT_REFUSED("op_escalate", STEPS "over = \"{text\"", "not closed");
    EXPECT_REFUSED("op_escalate", STEPS "words = [\"all right\"]", "one word such as \"ok\"");
    assert_null(aff_harness_check("op_escalate", STEPS PEOPLE));
}

TEST(labels_of_the_alert_go_on_and_those_of_a_message_do_not)
{
    struct aff_column columns[ALERTS];
    struct aff_schema labelled = rows;
    struct aff_shape in[2] = { { .struct_size = sizeof in[0], .schema = &rows },
                               { .struct_size = sizeof in[0], .port = 1, .schema = &messages, .subject = AFF_LABEL_PHI } };
    const struct aff_shape *out;

    assert_null(aff_harness_shape("op_escalate", STEPS, in, 2, &out));
    assert_int_equal(out[0].schema->columns[4].label, AFF_LABEL_NONE);
    assert_int_equal(out[0].subject, AFF_LABEL_NONE);
    memcpy(columns, row_columns, sizeof columns);
    columns[WHAT].label = AFF_LABEL_PHI;
    labelled.columns = columns;
    in[0].schema = &labelled;
    in[0].subject = AFF_LABEL_QUASI;
    assert_null(aff_harness_shape("op_escalate", STEPS, in, 2, &out));
    assert_string_equal(out[0].schema->columns[4].name, "text");
    assert_int_equal(out[0].schema->columns[4].label, AFF_LABEL_PHI);
    assert_int_equal(out[0].subject, AFF_LABEL_QUASI);
    in[1].schema = &results; /* whom it was for is labelled, and goes no further */
    in[0].schema = &rows;
    assert_null(aff_harness_shape("op_escalate", STEPS, in, 2, &out));
    assert_int_equal(out[0].schema->columns[4].label, AFF_LABEL_NONE);
    in[1].schema = &rows; /* neither an answer nor a message */
    assert_non_null(strstr(aff_harness_shape("op_escalate", STEPS, in, 2, &out), "lacks columns"));
}

/* ---- no room ---- */

static void a_whole_story(void)
{
    struct aff_harness *h = aff_harness_open("op_escalate", STEPS PEOPLE "most = 1");

    a1(h, 0, "raised");
    expect_call(h, 0, "nurse raised 1");
    aff_harness_clock(h, 122 * S);
    expect_call(h, 120, "doctor raised 2");
    push(h, &(struct row){ "bed 3", "a2", "raised", "high", 130, 0 });
    expect_call(h, 130, "nurse raised 1");
    expect_call(h, 130, "doctor raised 2");
    expect_call(h, 130, "on-call raised 3");
    push_ack(h, "a1", "Ann");
    expect_call(h, NAN, "nurse acknowledged 1");
    expect_call(h, NAN, "doctor acknowledged 2");
    assert_non_null(aff_harness_take(h, "acks"));
    a1(h, 140, "ended");
    expect_call(h, 140, "nurse ended 1");
    expect_call(h, 140, "doctor ended 2");
    EXPECT_METRIC(h, "told", 9);
    aff_harness_end_stream(h, "in", aff_harness_stream(h, "bed 3", "alerts", &rows));
    aff_harness_discard(h, "alerts");
    aff_harness_discard(h, "acks");
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(whatever_host_call_fails_everybody_is_told_once)
{
    AFF_EACH_HOST_CALL_FAILS_ONCE(a_whole_story);
}

AFF_TEST_MAIN(steps_come_at_their_times_and_the_last_repeats_until_nobody_is_left,
              an_end_tells_those_who_were_told_and_stops_the_rest,
              a_row_has_the_alert_s_columns_and_whom_it_is_for,
              a_step_may_tell_several_and_be_for_some_severities,
              alerts_of_a_place_and_of_others_climb_by_themselves,
              what_is_told_again_goes_to_those_who_know_with_the_newest_text,
              beyond_most_everybody_is_told_at_once_and_of_the_end,
              what_somebody_knows_of_makes_room_for_what_nobody_does,
              an_alert_that_gets_worse_is_told_whatever_notice_was_taken_of_it,
              the_last_stream_of_a_place_takes_its_alerts_with_it,
              rows_that_cannot_be_used_are_set_aside,
              texts_of_any_length_and_bytes_become_one_line,
              mistakes_are_said_with_what_to_do,
              labels_of_the_alert_go_on_and_those_of_a_message_do_not,
              whatever_host_call_fails_everybody_is_told_once)
