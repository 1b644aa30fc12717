/* SPDX-License-Identifier: Apache-2.0
 *
 * test_op_latest.c - rows on change and by input: joins, ages, types, streams.
 *
 * Rows at full intervals are in test_interval.c, options in test_shape.c. */
#include "test_kit.h"

#define WARD "columns = [{ name = \"heart_rate\" }, { name = \"spo2\" }, { name = \"consciousness\" }]\n"

TEST(streams_of_a_subject_are_joined_and_a_change_makes_a_row)
{
    struct aff_harness *h = aff_harness_open("op_latest", WARD);
    uint32_t beats = beats_of(h, "A"), vitals = vitals_of(h, "A"), other = beats_of(h, "B");
    const struct aff_record *r;

    ROW_AT(h, beats, 1 * S, NO, R(70));
    ROW_AT(h, vitals, 2 * S, R(97), T("A"));
    ROW_AT(h, other, 2 * S, NO, R(120));
    ROW_AT(h, beats, 3 * S, R(800), R(70)); /* nothing new */
    ROW_AT(h, vitals, 4 * S, R(95), NO);
    r = expect_row(h, 1 * S, "heart_rate", 70);
    assert_true(isnan(aff_harness_real(h, r, "spo2")));
    assert_string_equal(aff_harness_stream_info(h, r->stream)->name, "latest");
    r = expect_row(h, 2 * S, "heart_rate", 70);
    assert_true(same_real(aff_harness_real(h, r, "spo2"), 97));
    assert_string_equal(aff_harness_text(h, r, "consciousness"), "A");
    r = expect_row(h, 2 * S, "heart_rate", 120);
    assert_string_equal(aff_harness_stream_info(h, r->stream)->subject_name, "B");
    assert_null(aff_harness_text(h, r, "consciousness"));
    r = expect_row(h, 4 * S, "spo2", 95);
    assert_string_equal(aff_harness_text(h, r, "consciousness"), "A");
    EXPECT_NOTHING(h, "latest");
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(the_output_has_the_usual_units_and_codes)
{
    struct aff_harness *h = aff_harness_open("op_latest", WARD);
    const struct aff_schema *schema;
    const struct aff_record *r;

    ROW_AT(h, vitals_of(h, "A"), 1 * S, R(97), T("A"));
    r = aff_harness_take(h, "latest");
    schema = aff_harness_schema(h, r);
    assert_int_equal(schema->count, 3);
    assert_string_equal(schema->columns[0].unit, "/min");
    assert_string_equal(schema->columns[0].code, "8867-4");
    assert_string_equal(schema->columns[1].unit, "%");
    assert_int_equal(schema->columns[2].type, AFF_TEXT);
    aff_harness_finish(h);
    aff_harness_close(&h);
}

TEST(for_each_input_there_is_a_row_even_without_a_change)
{
    struct aff_harness *h = aff_harness_open("op_latest", WARD "emit = \"input\"\nages = true\n");
    uint32_t beats = beats_of(h, "A"), vitals = vitals_of(h, "A");
    const struct aff_record *r;

    ROW_AT(h, beats, 1 * S, NO, R(70));
    ROW_AT(h, vitals, 3 * S, R(97), NO);
    ROW_AT(h, vitals, 4 * S, R(97), NO);
    ROW_AT(h, beats, 5 * S, R(800), NO); /* no value of ours */
    expect_row(h, 1 * S, "heart_rate_age", 0);
    expect_row(h, 3 * S, "heart_rate_age", 2);
    r = expect_row(h, 4 * S, "heart_rate_age", 3);
    assert_true(same_real(aff_harness_real(h, r, "spo2_age"), 0));
    assert_true(isnan(aff_harness_real(h, r, "consciousness_age")));
    EXPECT_NOTHING(h, "latest");
    EXPECT_VERDICT(h, "no_value", 1);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(a_value_that_is_too_old_leaves_at_its_time_when_a_later_record_comes)
{
    struct aff_harness *h = aff_harness_open("op_latest", "max_age = \"10s\"\ncolumns = [{ name = \"heart_rate\" },\n"
                                                          "  { name = \"spo2\", max_age = \"1min\" }]");
    uint32_t beats = beats_of(h, "A"), vitals = vitals_of(h, "A");
    const struct aff_record *r;

    ROW_AT(h, beats, 1 * S, NO, R(70));
    ROW_AT(h, vitals, 2 * S, R(97), NO);
    ROW_AT(h, vitals, 20 * S, R(97), NO);
    expect_row(h, 1 * S, "heart_rate", 70);
    expect_row(h, 2 * S, "heart_rate", 70);
    r = expect_row(h, 11 * S, "heart_rate", (double)NAN); /* not at 10.999 s, not at 20 s */
    assert_true(same_real(aff_harness_real(h, r, "spo2"), 97));
    EXPECT_NOTHING(h, "latest");
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(a_value_that_is_too_old_at_the_very_time_of_a_record_leaves_with_it)
{
    struct aff_harness *h = aff_harness_open("op_latest", WARD "max_age = \"10s\"");
    uint32_t beats = beats_of(h, "A"), vitals = vitals_of(h, "A");

    ROW_AT(h, vitals, 0, R(97), NO);
    ROW_AT(h, beats, 1 * S, NO, R(70));
    ROW_AT(h, vitals, 5 * S, R(97), NO);
    ROW_AT(h, vitals, 11 * S, R(97), NO); /* 97 as before, but the heart rate is 10 s old */
    expect_row(h, 0, "heart_rate", (double)NAN);
    expect_row(h, 1 * S, "heart_rate", 70);
    expect_row(h, 11 * S, "heart_rate", (double)NAN);
    EXPECT_NOTHING(h, "latest");
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(values_become_too_old_on_the_clock_when_nothing_comes_any_more)
{
    struct aff_harness *h = aff_harness_open("op_latest", WARD "max_age = \"10s\"");
    uint32_t vitals = vitals_of(h, "A");

    ROW_AT(h, vitals, 1 * S, R(97), T("A"));
    expect_row(h, 1 * S, "spo2", 97);
    aff_harness_clock(h, 60 * S);
    expect_row(h, 11 * S, "spo2", (double)NAN);
    EXPECT_NOTHING(h, "latest");
    ROW_AT(h, vitals, 61 * S, R(97), NO);
    expect_row(h, 61 * S, "spo2", 97);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(an_older_value_does_not_stand_against_a_newer_one)
{
    struct aff_harness *h = aff_harness_open("op_latest", WARD);
    uint32_t beats = beats_of(h, "A"), vitals = vitals_of(h, "A");
    const struct aff_record *r;

    ROW_AT(h, vitals, 10 * S, R(97), NO);
    ROW_AT(h, vitals, 5 * S, R(80), T("V")); /* of consciousness it is the newest */
    ROW_AT(h, beats, 7 * S, NO, R(70));
    ROW_AT(h, vitals, 10 * S, R(96), NO); /* of two at one time the last */
    expect_row(h, 10 * S, "spo2", 97);
    r = expect_row(h, 10 * S, "spo2", 97);
    assert_string_equal(aff_harness_text(h, r, "consciousness"), "V");
    expect_row(h, 10 * S, "heart_rate", 70);
    expect_row(h, 10 * S, "spo2", 96);
    EXPECT_METRIC(h, "older", 1);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(long_rows_become_wide_ones)
{
    struct aff_harness *h = aff_harness_open("op_latest", "key = \"Parameter\"\nvalue = \"Value\"\n"
                                                          "columns = [{ name = \"heart_rate\", key = \"HR\" },\n"
                                                          "  { name = \"GCS\", type = \"int\" },\n"
                                                          "  { name = \"spo2\", from = \"spo2\" }]");
    uint32_t table = table_of(h, "A"), vitals = vitals_of(h, "A");
    const struct aff_record *r;

    ROW_AT(h, table, 1 * S, T("HR"), R(73));
    ROW_AT(h, table, 1 * S, T("Urine"), R(900));
    ROW_AT(h, table, 2 * S, T("GCS"), R(15));
    ROW_AT(h, vitals, 3 * S, R(99), T("A"));
    ROW_AT(h, table, 4 * S, NO, R(1));
    ROW_AT(h, table, 4 * S, T("HRx"), R(1));
    ROW_AT(h, table, 4 * S, T("H"), R(1));
    ROW_AT(h, table, 4 * S, T(""), R(1));
    expect_row(h, 1 * S, "heart_rate", 73);
    r = expect_row(h, 2 * S, "heart_rate", 73);
    assert_int_equal(aff_harness_int(h, r, "GCS"), 15);
    expect_row(h, 3 * S, "spo2", 99);
    EXPECT_NOTHING(h, "latest");
    EXPECT_VERDICT(h, "no_value", 5);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(a_column_can_be_taken_from_one_stream_only)
{
    struct aff_harness *h = aff_harness_open("op_latest", "columns = [{ name = \"heart_rate\", stream = \"ecg/beats\" },\n"
                                                          "  { name = \"pulse\", from = \"heart_rate\", stream = \"pleth\" },\n"
                                                          "  { name = \"spo2\", stream = \"monitr\" }]");
    uint32_t beats = beats_of(h, "A"), pleth = stream_of(h, "A", "pleth", beat_columns, 2);
    const struct aff_record *r;

    ROW_AT(h, beats, 1 * S, NO, R(70));
    ROW_AT(h, pleth, 2 * S, NO, R(68));
    expect_row(h, 1 * S, "pulse", (double)NAN);
    r = expect_row(h, 2 * S, "pulse", 68);
    assert_true(same_real(aff_harness_real(h, r, "heart_rate"), 70));
    aff_harness_restart(h); /* what came before it did come */
    aff_harness_finish(h);
    EXPECT_LOG(h, AFF_LOG_WARN, "columns[2].stream: no record of such a stream came");
    assert_int_equal(aff_harness_logged(h, AFF_LOG_WARN, "stream"), 1);
    aff_harness_close(&h);
}

TEST(what_cannot_be_held_makes_the_column_absent_and_is_counted)
{
    static const char most[] = "12345678901234567890123456789012", more[] = "123456789012345678901234567890123";
    struct aff_harness *h = aff_harness_open("op_latest", WARD);
    uint32_t vitals = vitals_of(h, "A");
    const struct aff_record *r;

    ROW_AT(h, vitals, 1 * S, R(97), T(most));
    ROW_AT(h, vitals, 2 * S, NO, T(more));
    ROW_AT(h, vitals, 3 * S, R((double)NAN), NO);
    ROW_AT(h, vitals, 4 * S, R((double)NAN), NO); /* still none: no change */
    r = expect_row(h, 1 * S, "spo2", 97);
    assert_string_equal(aff_harness_text(h, r, "consciousness"), most);
    r = expect_row(h, 2 * S, "spo2", 97);
    assert_null(aff_harness_text(h, r, "consciousness"));
    expect_row(h, 3 * S, "spo2", (double)NAN);
    EXPECT_NOTHING(h, "latest");
    EXPECT_METRIC(h, "unfit", 3);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

static const struct aff_column kinds[] = {
    { .name = "r", .type = AFF_REAL }, { .name = "i", .type = AFF_INT }, { .name = "b", .type = AFF_BOOL },
    { .name = "t", .type = AFF_TIME }, { .name = "x", .type = AFF_TEXT },
};

TEST(numbers_are_taken_for_each_other_where_nothing_is_lost)
{
    struct aff_harness *h = aff_harness_open("op_latest",
                                             "emit = \"input\"\ncolumns = [{ name = \"ri\", from = \"r\", type = \"int\" },\n"
                                             "  { name = \"rb\", from = \"r\", type = \"bool\" },\n"
                                             "  { name = \"ir\", from = \"i\" }, { name = \"br\", from = \"b\" },\n"
                                             "  { name = \"t\", type = \"time\" }, { name = \"x\" },\n"
                                             "  { name = \"tr\", from = \"t\" }]");
    uint32_t s = stream_of(h, "A", "kinds", kinds, 5);
    const struct aff_record *r;

    ROW_AT(h, s, 1 * S, R(1), I(7), I(1), I(5), T("8"));
    ROW_AT(h, s, 2 * S, R(2.5), I(INT64_MAX), I(0), I(6), NO);
    r = expect_row(h, 1 * S, "ir", 7);
    assert_int_equal(aff_harness_int(h, r, "ri"), 1);
    assert_int_equal(aff_harness_int(h, r, "rb"), 1);
    assert_true(same_real(aff_harness_real(h, r, "br"), 1));
    assert_int_equal(aff_harness_int(h, r, "t"), 5);
    assert_true(isnan(aff_harness_real(h, r, "x")));  /* text is no number */
    assert_true(isnan(aff_harness_real(h, r, "tr"))); /* nor is a time */
    r = expect_row(h, 2 * S, "ir", (double)NAN);
    assert_int_equal(aff_harness_int(h, r, "ri"), INT64_MIN);
    assert_int_equal(aff_harness_int(h, r, "rb"), INT64_MIN);
    EXPECT_METRIC(h, "unfit", 2 + 4);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(a_row_is_suspect_while_one_of_its_values_is)
{
    struct aff_harness *h = aff_harness_open("op_latest", WARD);
    uint32_t beats = beats_of(h, "A"), vitals = vitals_of(h, "A");
    uint64_t row[4] = { 2, 0, 0, 0 };
    struct aff_record r = { .stream = beats, .event_ns = 1 * S, .flags = AFF_FLAG_SUSPECT | AFF_FLAG_GAP,
                            .clock = AFF_CLOCK_DEVICE, .data = row, .size = 24 };
    double rate = 70;

    memcpy(&row[2], &rate, sizeof rate);
    aff_harness_push_record(h, "in", &r);
    ROW_AT(h, vitals, 2 * S, R(97), NO);
    ROW_AT(h, beats, 3 * S, NO, R(71));
    assert_int_equal(expect_row(h, 1 * S, "heart_rate", 70)->flags, AFF_FLAG_SUSPECT);
    assert_int_equal(expect_row(h, 2 * S, "spo2", 97)->flags, AFF_FLAG_SUSPECT);
    assert_int_equal(expect_row(h, 3 * S, "heart_rate", 71)->flags, 0);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(the_joined_stream_ends_with_the_last_of_its_streams)
{
    struct aff_harness *h = aff_harness_open("op_latest", WARD);
    uint32_t beats = beats_of(h, "A"), vitals = vitals_of(h, "A");

    ROW_AT(h, beats, 1 * S, NO, R(70));
    ROW_AT(h, vitals, 2 * S, R(97), NO);
    aff_harness_end_stream(h, "in", beats);
    ROW_AT(h, vitals, 3 * S, R(96), NO);
    aff_harness_end_stream(h, "in", vitals);
    expect_row(h, 1 * S, "heart_rate", 70);
    expect_row(h, 2 * S, "heart_rate", 70);
    expect_row(h, 3 * S, "heart_rate", 70);
    expect_end(h);
    EXPECT_NOTHING(h, "latest");
    vitals = vitals_of(h, "A");
    ROW_AT(h, vitals, 4 * S, R(96), NO); /* it comes back, with nothing known of before */
    expect_row(h, 4 * S, "heart_rate", (double)NAN);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(more_streams_than_are_tracked_do_no_harm)
{
    struct aff_harness *h = aff_harness_open("op_latest", WARD);
    uint32_t streams[70], i;
    char name[16];

    for (i = 0; i < 70; i++) {
        snprintf(name, sizeof name, "v%u", i);
        streams[i] = stream_of(h, "A", name, vital_columns, 2);
        ROW_AT(h, streams[i], i * S, R(i), NO);
    }
    EXPECT_METRIC(h, "streams_not_tracked", 6);
    for (i = 0; i < 70; i++)
        aff_harness_end_stream(h, "in", streams[i]);
    EXPECT_WAITING(h, "latest", 71);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(a_time_that_is_no_time_is_a_dead_letter)
{
    struct aff_harness *h = aff_harness_open("op_latest", WARD "emit = \"interval\"\nevery = \"1h\"");
    uint32_t vitals = vitals_of(h, "A");

    ROW_AT(h, vitals, INT64_MAX, R(97), NO);
    ROW_AT(h, vitals, INT64_MIN, R(97), NO);
    ROW_AT(h, vitals, INT64_C(8000000000000000000), R(97), NO);
    ROW_AT(h, vitals, INT64_C(-8000000000000000000), R(97), NO);
    EXPECT_VERDICT(h, "no_time", 2);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(a_record_that_is_no_row_is_a_dead_letter)
{
    struct aff_harness *h = aff_harness_open("op_latest", WARD);
    uint64_t half[1] = { 3 };
    struct aff_record r = { .stream = vitals_of(h, "A"), .data = half, .size = sizeof half };

    aff_harness_push_record(h, "in", &r);
    EXPECT_DEAD(h, 1);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

/* One patient's minutes, on two streams, with values that come, change and go. */
static uint64_t digest_of(const char *toml, uint32_t cut, int restarts)
{
    struct aff_harness *h = aff_harness_open("op_latest", toml);
    uint32_t beats = beats_of(h, "A"), vitals = vitals_of(h, "A"), i;
    uint64_t digest;

    aff_harness_cut(h, cut);
    for (i = 0; i < 300; i++) {
        ROW_AT(h, beats, i * S, R(800), R(60 + i / 30 % 5));
        if (i % 7 == 0 && i / 50 % 2)
            ROW_AT(h, vitals, i * S, R(90 + i % 3), i % 2 ? (struct aff_cell)T("A") : (struct aff_cell)NO);
        if (restarts && i % 50 == 49) {
            aff_harness_flush(h);
            aff_harness_restart(h);
        }
    }
    aff_harness_end_stream(h, "in", beats);
    aff_harness_end_stream(h, "in", vitals);
    digest = aff_harness_digest(h);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    return digest;
}

TEST(rows_are_the_same_however_the_input_is_cut_and_over_a_restart)
{
    static const char *const ways[] = { WARD "max_age = \"10s\"", WARD "emit = \"input\"\nages = true",
                                        WARD "emit = \"interval\"\nevery = \"15s\"\nmax_age = \"10s\"" };
    size_t i;

    for (i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        uint64_t whole = digest_of(ways[i], 1, 0);

        assert_true(digest_of(ways[i], 64, 0) == whole);
        assert_true(digest_of(ways[i], 0, 0) == whole);
        assert_true(digest_of(ways[i], 1, 1) == whole);
    }
}

static void scenario(void)
{
    struct aff_harness *h = aff_harness_open("op_latest", WARD "max_age = \"10s\"");
    uint32_t beats = beats_of(h, "A"), vitals = vitals_of(h, "A");

    ROW_AT(h, beats, 1 * S, NO, R(70));
    ROW_AT(h, vitals, 2 * S, R(97), T("A"));
    ROW_AT(h, vitals, 20 * S, R(97), NO);
    aff_harness_end_stream(h, "in", beats);
    aff_harness_end_stream(h, "in", vitals);
    expect_row(h, 1 * S, "heart_rate", 70);
    expect_row(h, 2 * S, "spo2", 97);
    expect_row(h, 11 * S, "heart_rate", (double)NAN);
    expect_row(h, 12 * S, "spo2", (double)NAN);
    expect_row(h, 20 * S, "spo2", 97);
    expect_end(h);
    EXPECT_METRIC(h, "rows", 5);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

static void interval_scenario(void)
{
    struct aff_harness *h = aff_harness_open("op_latest", WARD "emit = \"interval\"\nevery = \"10s\"\nfor = \"30s\"");
    uint32_t vitals = vitals_of(h, "A");

    ROW_AT(h, vitals, 1 * S, R(97), T("A"));
    ROW_AT(h, vitals, 11 * S, R(96), NO);
    aff_harness_end_stream(h, "in", vitals);
    expect_row(h, 10 * S, "spo2", 97);
    expect_row(h, 20 * S, "spo2", 96);
    expect_row(h, 30 * S, "spo2", 96);
    expect_end(h);
    EXPECT_METRIC(h, "rows", 3);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(each_host_call_may_fail_once)
{
    AFF_EACH_HOST_CALL_FAILS_ONCE(scenario);
    AFF_EACH_HOST_CALL_FAILS_ONCE(interval_scenario);
}

AFF_TEST_MAIN(streams_of_a_subject_are_joined_and_a_change_makes_a_row, the_output_has_the_usual_units_and_codes,
              for_each_input_there_is_a_row_even_without_a_change,
              a_value_that_is_too_old_leaves_at_its_time_when_a_later_record_comes,
              a_value_that_is_too_old_at_the_very_time_of_a_record_leaves_with_it,
              values_become_too_old_on_the_clock_when_nothing_comes_any_more,
              an_older_value_does_not_stand_against_a_newer_one, long_rows_become_wide_ones, a_column_can_be_taken_from_one_stream_only,
              what_cannot_be_held_makes_the_column_absent_and_is_counted,
              numbers_are_taken_for_each_other_where_nothing_is_lost, a_row_is_suspect_while_one_of_its_values_is,
              the_joined_stream_ends_with_the_last_of_its_streams, more_streams_than_are_tracked_do_no_harm,
              a_time_that_is_no_time_is_a_dead_letter, a_record_that_is_no_row_is_a_dead_letter,
              rows_are_the_same_however_the_input_is_cut_and_over_a_restart, each_host_call_may_fail_once)
