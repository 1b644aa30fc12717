/* SPDX-License-Identifier: Apache-2.0
 *
 * test_ward.c - acknowledgement, restarts, many subjects, hostile rows, and hosts
 * that fail. */
#include "test_alerts.h"

#include <stdlib.h>

#define RULES "rules = [" \
    "{ name = \"n5\", column = \"score\", at_least = 5, severity = \"medium\", group = \"news2\", " \
    "text = \"NEWS2 {score} ({band})\", repeat_every = \"60s\", hold = \"5s\" }," \
    "{ name = \"n7\", column = \"score\", at_least = 7, severity = \"high\", group = \"news2\", " \
    "text = \"NEWS2 {score} ({band}): call the team\", repeat_every = \"30s\" }," \
    "{ name = \"fast\", column = \"heart_rate\", rise = 20, within = \"2min\", severity = \"low\" }," \
    "{ name = \"silent\", absent = \"20s\", severity = \"technical\", text = \"no data from {place}\" }]"
#define BED "place = \"bed 3\"\n" RULES
#define PLAIN "place = \"bed 3\"\nrules = [" \
    "{ name = \"n5\", column = \"score\", at_least = 5, severity = \"medium\", group = \"n\", repeat_every = \"60s\" }," \
    "{ name = \"n7\", column = \"score\", at_least = 7, severity = \"high\", group = \"n\", repeat_every = \"60s\" }]"

static void close_balanced(struct aff_harness *h)
{
    EXPECT_NOTHING(h, "alerts");
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

static void id_keep(struct aff_harness *h, const struct aff_record *r, char id[17])
{
    (void)snprintf(id, 17, "%s", aff_harness_text(h, r, "alert"));
}

TEST(an_acknowledged_alert_is_not_repeated_until_it_begins_anew)
{
    struct aff_harness *h = aff_harness_open("op_alert", PLAIN);
    const struct aff_record *r;
    char id[17];

    push_score(h, 0, 5);
    id_keep(h, expect_alert(h, 0, "raised medium n5: n5"), id);
    push_command(h, id, NULL, NULL);
    r = aff_harness_take(h, "alerts");
    assert_non_null(r);
    assert_string_equal(aff_harness_text(h, r, "state"), "acknowledged");
    assert_string_equal(aff_harness_text(h, r, "alert"), id);
    push_command(h, id, NULL, NULL); /* again: known already */
    aff_harness_clock(h, 1000 * S);
    push_score(h, 500, 5);
    EXPECT_NOTHING(h, "alerts");
    EXPECT_METRIC(h, "acknowledged", 1);
    push_score(h, 501, 1);
    expect_alert(h, 501, "ended medium n5: n5");
    push_command(h, id, NULL, NULL);
    EXPECT_VERDICT(h, "unknown_alert", 1);
    push_score(h, 502, 5);
    expect_alert(h, 502, "raised medium n5: n5");
    push_score(h, 563, 5);
    expect_alert(h, 562, "repeated medium n5: n5");
    close_balanced(h);
}

TEST(an_acknowledgement_does_not_cover_what_is_more_severe)
{
    struct aff_harness *h = aff_harness_open("op_alert", PLAIN);

    push_score(h, 0, 5);
    expect_alert(h, 0, "raised medium n5: n5");
    push_command(h, NULL, "n5", "bed 3");
    assert_non_null(aff_harness_take(h, "alerts"));
    push_score(h, 10, 7);
    expect_alert(h, 10, "raised high n7: n7");
    expect_alert(h, 10, "ended medium n5: n5");
    push_score(h, 71, 7);
    expect_alert(h, 70, "repeated high n7: n7");
    close_balanced(h);
}

TEST(an_acknowledgement_covers_what_is_less_severe_and_active)
{
    struct aff_harness *h = aff_harness_open("op_alert", PLAIN);

    push_score(h, 0, 9);
    expect_alert(h, 0, "raised high n7: n7");
    push_command(h, NULL, "n7", "bed 3");
    assert_non_null(aff_harness_take(h, "alerts"));
    push_score(h, 10, 5);
    expect_alert(h, 10, "acknowledged medium n5: n5"); /* on the board, and nobody is called */
    expect_alert(h, 10, "ended high n7: n7");
    push_score(h, 1000, 5);
    EXPECT_NOTHING(h, "alerts");
    EXPECT_METRIC(h, "raised", 1);
    push_score(h, 1010, 7); /* began anew */
    expect_alert(h, 1010, "raised high n7: n7");
    expect_alert(h, 1010, "ended medium n5: n5");
    close_balanced(h);
}

static void push_action(struct aff_harness *h, const struct aff_cell *cells)
{
    aff_harness_push_row(h, "commands", aff_harness_stream(h, "desk", "commands", &commands), cells, 5);
}

TEST(commands_that_say_nothing_usable_are_set_aside)
{
    struct aff_harness *h = aff_harness_open("op_alert", PLAIN);
    const struct aff_cell none = AFF_CELL_NONE, ack = AFF_CELL_TEXT("acknowledge"), word = AFF_CELL_TEXT("n5");
    const struct aff_cell other = AFF_CELL_TEXT("silence"), id = AFF_CELL_TEXT("000000000000000g");

    push_score(h, 0, 5);
    expect_alert(h, 0, "raised medium n5: n5");
    push_action(h, (struct aff_cell[]){ none, word, none, ack, none });
    push_action(h, (struct aff_cell[]){ none, word, word, none, none });
    push_action(h, (struct aff_cell[]){ id, none, none, other, none });
    EXPECT_VERDICT(h, "bad_command", 3);
    push_action(h, (struct aff_cell[]){ id, none, none, ack, none });
    push_action(h, (struct aff_cell[]){ none, word, word, ack, none }); /* no such place */
    EXPECT_VERDICT(h, "unknown_alert", 2);
    close_balanced(h);
}

TEST(rule_and_place_acknowledge_all_that_are_there)
{
    struct aff_harness *h = aff_harness_open("op_alert", PLAIN);
    static const char *const names[] = { "Ann", "Bob", "Cid" };
    int i;

    for (i = 0; i < 3; i++)
        push_cell(h, names[i], i, SCORE, (struct aff_cell)AFF_CELL_INT(5));
    aff_harness_discard(h, "alerts");
    push_command(h, NULL, "n5", "bed 3");
    EXPECT_WAITING(h, "alerts", 3);
    EXPECT_METRIC(h, "acknowledged", 3);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

/* ---- privacy ---- */

static uint8_t text_label(struct aff_harness *h, const struct aff_record *r, uint32_t column)
{
    assert_non_null(r);
    return aff_harness_schema(h, r)->columns[column].label;
}

TEST(a_text_has_the_label_of_what_it_names_and_no_other)
{
    struct aff_harness *h = aff_harness_open("op_alert", "place = \"bed 3\"\nrules = ["
        "{ name = \"a\", column = \"score\", at_least = 5, severity = \"low\", text = \"{score} {place} {rule}\" },"
        "{ name = \"b\", column = \"score\", at_least = 5, severity = \"low\", text = \"{consciousness}\" },"
        "{ name = \"c\", column = \"score\", at_least = 5, severity = \"low\", text = \"{name}\" },"
        "{ name = \"d\", column = \"score\", at_least = 5, severity = \"low\", text = \"{subject}\" }]");

    push_cell(h, "Ann", 0, NAME, (struct aff_cell)AFF_CELL_TEXT("Ann Example"));
    push_cell(h, "Ann", 0, CONSCIOUSNESS, (struct aff_cell)AFF_CELL_TEXT("V"));
    push_score(h, 0, 5);
    assert_int_equal(text_label(h, expect_alert(h, 0, "raised low a: 5 bed 3 a"), 4), AFF_LABEL_NONE);
    assert_int_equal(text_label(h, expect_alert(h, 0, "raised low b: V"), 4), AFF_LABEL_QUASI);
    assert_int_equal(text_label(h, expect_alert(h, 0, "raised low c: Ann Example"), 4), AFF_LABEL_PHI);
    assert_int_equal(text_label(h, expect_alert(h, 0, "raised low d: Ann"), 4), AFF_LABEL_PHI);
    close_balanced(h);
}

TEST(a_place_with_the_subject_has_a_stream_of_its_own_that_ends_with_it)
{
    struct aff_harness *h = aff_harness_open("op_alert", "place = \"bed of {subject}\"\nrules = [{ name = \"a\", "
        "column = \"score\", at_least = 5, severity = \"low\" }]");
    const struct aff_record *r;

    push_score(h, 0, 5);
    r = expect_alert(h, 0, "raised low a: a");
    assert_string_equal(aff_harness_text(h, r, "place"), "bed of Ann");
    assert_int_equal(text_label(h, r, 3), AFF_LABEL_PHI);
    push_command(h, NULL, "a", "bed of Ann");
    assert_non_null(aff_harness_take(h, "alerts"));
    aff_harness_end_stream(h, "in", aff_harness_stream(h, "Ann", "vitals", &vitals));
    r = aff_harness_take(h, "alerts");
    assert_true(r && (r->flags & AFF_FLAG_END));
    close_balanced(h);
}

TEST(what_rows_hold_cannot_break_the_line)
{
    struct aff_harness *h = aff_harness_open("op_alert", "place = \"x\"\nrules = [{ name = \"a\", column = \"score\", "
        "at_least = 5, severity = \"low\", text = \"[{band}]{{}}\" }]");

    push_cell(h, "Ann", 0, BAND, (struct aff_cell)AFF_CELL_TEXT("a\nb\033[2J\xff\xc2\x9b""c\xe2\x80\xae\xe2\x80\xa8 \xc3\xa9"));
    push_score(h, 0, 5);
    expect_alert(h, 0, "raised low a: [a b [2J? c   \xc3\xa9]{}");
    push_cell(h, "Ann", 1, BAND, (struct aff_cell)AFF_CELL_TEXT("0123456789012345678901234567890123456789\xc3\xa9x"));
    push_score(h, 1, 0);
    expect_alert(h, 1, "ended low a: [a b [2J? c   \xc3\xa9]{}");
    push_score(h, 2, 5);
    expect_alert(h, 2, "raised low a: [0123456789012345678901234567890123456789...]{}");
    close_balanced(h);
}

TEST(rows_that_are_not_whole_are_set_aside)
{
    struct aff_harness *h = aff_harness_open("op_alert", PLAIN);
    static const struct aff_column text = { .name = "score", .type = AFF_TEXT };
    static const struct aff_schema wrong = { .struct_size = sizeof wrong, .type = AFF_FIELDS, .name = "wrong",
                                             .columns = &text, .count = 1, .stride = sizeof text };
    uint64_t none = 0;
    struct aff_record r;

    memset(&r, 0, sizeof r);
    r.data = &none;
    r.size = sizeof none;
    r.stream = aff_harness_stream(h, "Ann", "vitals", &vitals);
    aff_harness_push_record(h, "in", &r);
    EXPECT_DEAD(h, 1);
    aff_harness_push_row(h, "in", aff_harness_stream(h, "Ann", "wrong", &wrong),
                         &(struct aff_cell)AFF_CELL_TEXT("5"), 1);
    EXPECT_CAUSE(h, "rule \"n5\" judges column \"score\", which is text");
    EXPECT_DEAD(h, 2);
    close_balanced(h);
}

TEST(an_alert_has_the_clock_of_its_data_and_doubts_what_they_doubt)
{
    struct aff_harness *h = aff_harness_open("op_alert", "place = \"x\"\nrules = [{ name = \"s\", column = \"score\", "
        "at_least = 5, severity = \"low\" }, { name = \"silent\", absent = \"10s\", severity = \"technical\" }]");
    uint64_t row[1 + VITALS] = { (uint64_t)1 << SCORE, [1 + SCORE] = 9 };
    const struct aff_record *r;
    struct aff_record record;

    memset(&record, 0, sizeof record);
    record.data = row;
    record.size = sizeof row;
    record.event_ns = NOON;
    record.clock = AFF_CLOCK_DEVICE;
    record.flags = AFF_FLAG_GAP | AFF_FLAG_SUSPECT;
    record.stream = aff_harness_stream(h, "Ann", "vitals", &vitals);
    aff_harness_push_record(h, "in", &record);
    r = expect_alert(h, 0, "raised low s: s");
    assert_int_equal(r->flags, AFF_FLAG_SUSPECT);
    assert_int_equal(r->clock, AFF_CLOCK_DEVICE);
    aff_harness_clock(h, 20 * S);
    r = expect_alert(h, 10, "raised technical silent: silent");
    assert_int_equal(r->flags, 0);
    assert_int_equal(r->clock, AFF_CLOCK_DEVICE);
    close_balanced(h);
}

/* ---- many, cut, restarted ---- */

/* A ward's hour, the same every time: values wander, sensors stop. */
static void ward_run(struct aff_harness *h, int subjects, int restart_at)
{
    uint64_t seed = 7;
    char name[16];
    int at, i;

    for (at = 0; at < 300; at += 10)
        for (i = 0; i < subjects; i++) {
            seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            (void)snprintf(name, sizeof name, "p%d", i);
            if (restart_at == at && i == subjects / 2)
                aff_harness_restart(h);
            if (seed >> 60 == 0)
                continue;
            push_cell(h, name, at + (int)(seed >> 40 & 7), SCORE, (struct aff_cell)AFF_CELL_INT((int64_t)(seed >> 33 & 15) * 10 / 15));
            push_cell(h, name, at + 8, HEART_RATE, (struct aff_cell)AFF_CELL_INT(60 + at / 4 + (int64_t)(seed >> 50 & 7)));
        }
    aff_harness_flush(h);
}

static uint64_t ward_digest(uint32_t cut, int restart_at, double *ret_active)
{
    struct aff_harness *h = aff_harness_open("op_alert", "place = \"bed {subject}\"\n" RULES);
    uint64_t digest;

    aff_harness_cut(h, cut);
    ward_run(h, 20, restart_at);
    assert_true(aff_harness_waiting(h, "alerts") > 100);
    digest = aff_harness_digest(h);
    *ret_active = aff_harness_metric(h, "active");
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    return digest;
}

TEST(batches_of_any_size_and_a_restart_in_the_middle_give_the_same)
{
    double active, other;
    uint64_t digest = ward_digest(1, -1, &active);

    assert_true(ward_digest(64, -1, &other) == digest && !(active < other) && !(active > other));
    assert_true(ward_digest(0, -1, &other) == digest);
    assert_true(ward_digest(1, 150, &other) == digest && !(active < other) && !(active > other));
}

TEST(two_hundred_subjects_have_their_own_alerts_each)
{
    struct aff_harness *h = aff_harness_open("op_alert", "place = \"bed {subject}\"\n" RULES);
    char name[16], place[24];
    int i;

    for (i = 0; i < 200; i++) {
        (void)snprintf(name, sizeof name, "p%d", i);
        push_cell(h, name, 0, SCORE, (struct aff_cell)AFF_CELL_INT(i % 2 ? 8 : 1));
    }
    EXPECT_WAITING(h, "alerts", 100);
    EXPECT_METRIC(h, "active", 100);
    for (i = 1; i < 200; i += 2) {
        const struct aff_record *r = expect_alert(h, 0, "raised high n7: NEWS2 8 (?): call the team");

        (void)snprintf(place, sizeof place, "bed p%d", i);
        assert_string_equal(aff_harness_text(h, r, "place"), place);
    }
    aff_harness_clock(h, 22 * S); /* all of them fall silent at once */
    EXPECT_WAITING(h, "alerts", 200);
    EXPECT_METRIC(h, "active", 300);
    for (i = 0; i < 200; i++) {
        (void)snprintf(name, sizeof name, "p%d", i);
        aff_harness_end_stream(h, "in", aff_harness_stream(h, name, "vitals", &vitals));
    }
    EXPECT_METRIC(h, "active", 0);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

static void whole_story(void)
{
    struct aff_harness *h = aff_harness_open("op_alert", BED);
    char id[17];

    push_cell(h, "Ann", 0, BAND, (struct aff_cell)AFF_CELL_TEXT("medium"));
    push_score(h, 0, 5);
    push_score(h, 10, 5);
    id_keep(h, expect_alert(h, 5, "raised medium n5: NEWS2 5 (medium)"), id);
    push_command(h, id, NULL, NULL);
    assert_non_null(aff_harness_take(h, "alerts"));
    push_score(h, 20, 9);
    expect_alert(h, 20, "raised high n7: NEWS2 9 (medium): call the team");
    expect_alert(h, 20, "ended medium n5: NEWS2 5 (medium)");
    aff_harness_clock(h, 32 * S);
    expect_alert(h, 40, "raised technical silent: no data from bed 3");
    expect_alert(h, 50, "repeated high n7: NEWS2 9 (medium): call the team");
    EXPECT_METRIC(h, "active", 2);
    push_score(h, 55, 0);
    expect_alert(h, 55, "ended high n7: NEWS2 9 (medium): call the team");
    expect_alert(h, 55, "ended technical silent: no data from bed 3");
    EXPECT_METRIC(h, "active", 0);
    EXPECT_METRIC(h, "raised", 3);
    EXPECT_METRIC(h, "acknowledged", 1);
    aff_harness_end_stream(h, "in", aff_harness_stream(h, "Ann", "vitals", &vitals));
    EXPECT_NOTHING(h, "alerts");
    EXPECT_BALANCED(h); /* ends the stream of the place */
    aff_harness_close(&h);
}

TEST(each_host_call_may_fail_once)
{
    whole_story();
    AFF_EACH_HOST_CALL_FAILS_ONCE(whole_story);
}

TEST(the_last_moments_of_time_are_no_trap)
{
    struct aff_harness *h = aff_harness_open("op_alert", BED);
    static const int64_t times[] = { -INT64_C(8000000000000000000), -1, 0, INT64_C(7999999999999999999), INT64_C(8000000000000000000) };
    uint32_t stream = aff_harness_stream(h, "Ann", "vitals", &vitals);
    struct aff_cell cells[VITALS] = { [SCORE] = AFF_CELL_INT(9), [HEART_RATE] = AFF_CELL_INT(60) };
    size_t i;

    for (i = 0; i < sizeof times / sizeof times[0]; i++) {
        aff_harness_seek(h, stream, 0, times[i]);
        aff_harness_push_row(h, "in", stream, cells, VITALS);
    }
    EXPECT_METRIC(h, "active", 1);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

AFF_TEST_MAIN(an_acknowledged_alert_is_not_repeated_until_it_begins_anew,
              an_acknowledgement_does_not_cover_what_is_more_severe,
              an_acknowledgement_covers_what_is_less_severe_and_active,
              commands_that_say_nothing_usable_are_set_aside,
              rule_and_place_acknowledge_all_that_are_there,
              a_text_has_the_label_of_what_it_names_and_no_other,
              a_place_with_the_subject_has_a_stream_of_its_own_that_ends_with_it,
              what_rows_hold_cannot_break_the_line,
              rows_that_are_not_whole_are_set_aside,
              an_alert_has_the_clock_of_its_data_and_doubts_what_they_doubt,
              batches_of_any_size_and_a_restart_in_the_middle_give_the_same,
              two_hundred_subjects_have_their_own_alerts_each,
              each_host_call_may_fail_once,
              the_last_moments_of_time_are_no_trap)
