/* SPDX-License-Identifier: Apache-2.0
 *
 * test_op_anonymize.c - rows through the plugin: what each rule leaves, and that
 * nothing else comes out. */
#include "test_bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY INT64_C(86400000000000)

/* Days since 1970 of the text date in `column`. */
static int64_t text_days(struct aff_harness *h, const struct aff_record *r, const char *column)
{
    int y, m, d;

    assert_int_equal(sscanf(aff_harness_text(h, r, column), "%d-%d-%d", &y, &m, &d), 3);
    y -= m <= 2;
    return (int64_t)(y / 400) * 146097 + y % 400 * 365 + y % 400 / 4 - y % 400 / 100 +
           (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1 - 719468;
}

TEST(each_column_comes_out_as_its_rule_says_and_no_other_comes_out)
{
    struct aff_harness *h;
    const struct aff_record *r;
    int64_t shift;

    bench_open();
    h = bench_plugin(patient_rules);
    EXPECT_STATUS(patient_push(h, patient_stream(h, "Maria " CANARY), NOON, 64, "10115"), AFF_OK);
    r = bench_take_clean(h, "rows", NULL);
    assert_non_null(r);
    assert_int_equal(aff_harness_schema(h, r)->count, 8);
    assert_true(aff_harness_real(h, r, "heart_rate") > 72.4);
    assert_string_equal(aff_harness_text(h, r, "age"), "60-64");
    assert_string_equal(aff_harness_text(h, r, "postcode"), "10");
    assert_string_equal(aff_harness_text(h, r, "note"), "***");
    assert_int_equal(strlen(aff_harness_text(h, r, "mrn")), 33);
    assert_memory_equal(aff_harness_text(h, r, "mrn"), REFERENCE_KEY_ID "-", 9);
    assert_int_equal(strlen(aff_harness_text(h, r, "visit")), 33);
    assert_string_not_equal(aff_harness_text(h, r, "mrn"), aff_harness_text(h, r, "visit"));
    shift = r->event_ns - NOON;
    assert_true(shift <= -DAY && shift >= -364 * DAY && shift % DAY == 0);
    assert_true(aff_harness_int(h, r, "admitted") == r->event_ns - INT64_C(3600000000000));
    assert_true(text_days(h, r, "birth") == -7245 + shift / DAY);
    EXPECT_VERDICT(h, "rewritten", 1);
    bench_silent(h);
    EXPECT_BALANCED(h);
    bench_silent(h);
    aff_harness_close(&h);
    bench_close();
}

TEST(units_and_codes_stay_where_the_value_does)
{
    struct aff_harness *h;
    const struct aff_schema *s;

    bench_open();
    h = bench_plugin(patient_rules);
    EXPECT_STATUS(patient_push(h, patient_stream(h, "a"), NOON, 64, "10115"), AFF_OK);
    s = aff_harness_schema(h, bench_take_clean(h, "rows", NULL));
    for (uint32_t i = 0; i < s->count; i++) {
        const struct aff_column *c = &s->columns[i];

        if (strcmp(c->name, "heart_rate") == 0) {
            assert_string_equal(c->unit, "/min");
            assert_string_equal(c->code, "8867-4");
            assert_int_equal(c->label, AFF_LABEL_NONE);
        } else {
            assert_null(c->unit);
        }
        assert_int_not_equal(c->label, AFF_LABEL_PHI);
    }
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    bench_close();
}

/* The pseudonym that a run of these options gives. */
static void one_pseudonym(const char *more, const char *subject, char ret_mrn[40], char ret_subject[40])
{
    struct aff_harness *h = bench_plugin(more);
    const struct aff_record *r;

    EXPECT_STATUS(patient_push(h, patient_stream(h, subject), NOON, 64, "10115"), AFF_OK);
    r = bench_take_clean(h, "rows", NULL);
    (void)snprintf(ret_mrn, 40, "%s", aff_harness_text(h, r, "mrn"));
    (void)snprintf(ret_subject, 40, "%s", aff_harness_stream_info(h, r->stream)->subject_name);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(the_same_key_gives_the_same_pseudonyms_and_another_project_others)
{
    char a[40], b[40], c[40], sa[40], sb[40], sc[40];

    bench_open();
    one_pseudonym(patient_rules, "Maria Musterfrau", a, sa);
    one_pseudonym(patient_rules, "Maria Musterfrau", b, sb);
    one_pseudonym("project = \"other\"\ncolumns = { mrn = \"pseudonym\" }", "Maria Musterfrau", c, sc);
    assert_string_equal(a, b);
    assert_string_equal(sa, sb);
    assert_string_equal(sa, "4e91477b-hua33yuag73h3rlrqzzol5qj"); /* reference.h */
    assert_string_not_equal(a, c);
    assert_string_not_equal(sa, sc);
    bench_close();
}

TEST(a_column_of_the_kind_subject_joins_with_the_subject_of_the_record)
{
    char mrn[40], subject[40];

    bench_open();
    one_pseudonym("columns = { mrn = \"pseudonym\" }\nkinds = { mrn = \"subject\" }", CANARY, mrn, subject);
    assert_string_equal(mrn, subject);
    bench_close();
}

TEST(a_number_and_its_digits_as_text_are_one_patient)
{
    static const struct aff_column as_text[] = { { .name = "mrn", .type = AFF_TEXT } };
    static const struct aff_column as_int[] = { { .name = "mrn", .type = AFF_INT } };
    struct aff_schema text = { .struct_size = sizeof text, .type = AFF_FIELDS, .columns = as_text, .count = 1,
                               .stride = sizeof *as_text };
    struct aff_schema number = { .struct_size = sizeof number, .type = AFF_FIELDS, .columns = as_int, .count = 1,
                                 .stride = sizeof *as_int };
    struct aff_harness *h;
    char first[40];

    bench_open();
    h = bench_plugin("columns = { mrn = \"pseudonym\" }");
    EXPECT_STATUS(AFF_PUSH_ROW(h, "rows", aff_harness_stream(h, "a", "t", &text), AFF_CELL_TEXT("4711")), AFF_OK);
    (void)snprintf(first, sizeof first, "%s", aff_harness_text(h, aff_harness_take(h, "rows"), "mrn"));
    assert_string_equal(first, "4e91477b-hjcnftq47vzm3bo5nkyfewhk"); /* reference.h */
    EXPECT_STATUS(AFF_PUSH_ROW(h, "rows", aff_harness_stream(h, "b", "n", &number), AFF_CELL_INT(4711)), AFF_OK);
    assert_string_equal(aff_harness_text(h, aff_harness_take(h, "rows"), "mrn"), first);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    bench_close();
}

TEST(a_subject_is_shifted_by_one_amount_on_all_its_streams_and_intervals_stay)
{
    struct aff_harness *h;
    const struct aff_record *r;
    int64_t first = 0;
    uint32_t streams[2];

    bench_open();
    h = bench_plugin(patient_rules);
    streams[0] = patient_stream(h, "a");
    streams[1] = aff_harness_stream(h, "a", "other", &patient_schema);
    for (int i = 0; i < 20; i++) {
        EXPECT_STATUS(patient_push(h, streams[i % 2], NOON + i * DAY + i, 64, "10115"), AFF_OK);
        r = aff_harness_take(h, "rows");
        first = i ? first : r->event_ns;
        assert_true(r->event_ns - first == i * DAY + i);
    }
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    bench_close();
}

TEST(shifts_by_weeks_keep_the_day_of_the_week)
{
    struct aff_harness *h;
    const struct aff_record *r;
    char subject[16];

    bench_open();
    h = bench_plugin("columns = { admitted = \"keep\" }\nshift_step = \"week\"\nshift_most = \"84d\"");
    for (int i = 0; i < 40; i++) {
        (void)snprintf(subject, sizeof subject, "p%d", i);
        EXPECT_STATUS(patient_push(h, patient_stream(h, subject), NOON, 64, "10115"), AFF_OK);
        r = aff_harness_take(h, "rows");
        assert_true((NOON - r->event_ns) % (7 * DAY) == 0);
        assert_true(r->event_ns < NOON && r->event_ns >= NOON - 84 * DAY);
        assert_true(aff_harness_int(h, r, "admitted") == r->event_ns - INT64_C(3600000000000));
    }
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    bench_close();
}

TEST(a_time_that_is_made_coarser_is_shifted_first_so_that_it_tells_nothing_of_the_shift)
{
    struct aff_harness *h;
    const struct aff_record *r;

    bench_open();
    h = bench_plugin("generalise = { admitted = { floor = \"day\" }, birth = { floor = \"year\" } }");
    EXPECT_STATUS(patient_push(h, patient_stream(h, "a"), NOON, 64, "10115"), AFF_OK);
    r = aff_harness_take(h, "rows");
    assert_true(aff_harness_int(h, r, "admitted") == r->event_ns - 12 * INT64_C(3600000000000));
    assert_string_equal(aff_harness_text(h, r, "birth"), "1949");
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    bench_close();
}

TEST(times_are_kept_where_that_is_said)
{
    struct aff_harness *h;
    const struct aff_record *r;

    bench_open();
    h = bench_plugin("columns = { admitted = \"keep\" }\ntimes = \"keep\"");
    EXPECT_STATUS(patient_push(h, patient_stream(h, "a"), NOON, 64, "10115"), AFF_OK);
    r = aff_harness_take(h, "rows");
    assert_true(r->event_ns == NOON);
    assert_true(aff_harness_int(h, r, "admitted") == NOON - INT64_C(3600000000000));
    EXPECT_METRIC(h, "kept_phi", 1);
    EXPECT_BALANCED(h);
    EXPECT_LOG(h, AFF_LOG_WARN, "1 values labelled phi were kept");
    aff_harness_close(&h);
    bench_close();
}

TEST(what_is_cleared_passes_without_a_warning_and_stands_in_the_report)
{
    struct aff_harness *h;
    char toml[256];

    bench_open();
    (void)snprintf(toml, sizeof toml, "columns = { note = \"clear\" }\nreport = \"%s\"", bench_path("report"));
    h = bench_plugin(toml);
    EXPECT_STATUS(patient_push(h, patient_stream(h, "a"), NOON, 64, "10115"), AFF_OK);
    assert_string_equal(aff_harness_text(h, aff_harness_take(h, "rows"), "note"), "seen by " CANARY);
    EXPECT_METRIC(h, "kept_phi", 0);
    EXPECT_BALANCED(h);
    assert_int_equal(aff_harness_logged(h, AFF_LOG_WARN, ""), 0);
    assert_non_null(strstr(bench_file("report"), "\"action\": \"clear\", \"values\": 1, \"left_out\": 0, \"absent\": 0, "
                                                 "\"labelled_phi_and_unchanged\": 1"));
    aff_harness_close(&h);
    bench_close();
}

TEST(an_event_time_that_cannot_be_shifted_makes_a_dead_letter)
{
    struct aff_harness *h;

    bench_open();
    h = bench_plugin("columns = { heart_rate = \"keep\", admitted = \"shift\" }");
    EXPECT_STATUS(patient_push(h, patient_stream(h, "a"), INT64_MIN + DAY / 2 + INT64_C(3600000000000), 64, "1"), AFF_OK);
    EXPECT_VERDICT(h, "time_range", 1);
    EXPECT_NOTHING(h, "rows");
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    bench_close();
}

TEST(ids_lead_back_only_with_the_key)
{
    struct aff_harness *h;
    const struct aff_record *r;
    struct aff_id seen[2];

    bench_open();
    for (int run = 0; run < 2; run++) {
        h = bench_plugin(run ? "project = \"other\"\ncolumns = { heart_rate = \"keep\" }"
                             : "columns = { heart_rate = \"keep\" }");
        EXPECT_STATUS(patient_push(h, patient_stream(h, "a"), NOON, 64, "10115"), AFF_OK);
        r = aff_harness_take(h, "rows");
        seen[run] = r->id;
        EXPECT_BALANCED(h);
        aff_harness_close(&h);
    }
    assert_true(seen[0].source != seen[1].source && seen[0].seq != seen[1].seq);
    bench_close();
}

TEST(what_a_rule_cannot_read_is_left_out_and_counted)
{
    struct aff_harness *h;
    const struct aff_record *r;
    uint32_t s;

    bench_open();
    h = bench_plugin("columns = { birth = \"shift\", mrn = \"pseudonym\" }\n"
                     "generalise = { name = { width = 5 }, postcode = { digits = 4 } }");
    s = patient_stream(h, "a");
    EXPECT_STATUS(AFF_PUSH_ROW(h, "rows", s, AFF_CELL_TEXT(CANARY), AFF_CELL_TEXT(""), AFF_CELL_NONE, AFF_CELL_NONE,
                               AFF_CELL_TEXT("101"), AFF_CELL_TEXT("2. 3. 1950"), AFF_CELL_NONE, AFF_CELL_NONE,
                               AFF_CELL_NONE), AFF_OK);
    r = bench_take_clean(h, "rows", NULL);
    assert_null(aff_harness_text(h, r, "name"));
    assert_null(aff_harness_text(h, r, "mrn"));
    assert_null(aff_harness_text(h, r, "postcode"));
    assert_null(aff_harness_text(h, r, "birth"));
    EXPECT_METRIC(h, "left_out", 4);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    bench_close();
}

TEST(a_rule_that_does_not_fit_its_column_sets_the_row_aside)
{
    struct aff_harness *h;

    bench_open();
    h = bench_plugin("columns = { heart_rate = \"pseudonym\", age = \"keep\" }");
    for (int i = 0; i < 5; i++)
        EXPECT_STATUS(patient_push(h, patient_stream(h, "a"), NOON, 64, "10115"), AFF_OK);
    EXPECT_VERDICT(h, "wrong_type", 5);
    EXPECT_NOTHING(h, "rows");
    assert_int_equal(aff_harness_logged(h, AFF_LOG_ERROR, "columns.heart_rate"), 1);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    bench_close();
}

TEST(columns_are_found_by_name_in_a_schema_that_changes_and_others_are_dropped)
{
    static const struct aff_column turned[] = {
        { .name = "new " CANARY, .type = AFF_TEXT }, { .name = "heart_rate", .type = AFF_INT, .unit = "/min" },
        { .name = "heart_rate", .type = AFF_TEXT },
    };
    static const struct aff_column none[] = { { .name = CANARY, .type = AFF_TEXT } };
    struct aff_schema second = { .struct_size = sizeof second, .type = AFF_FIELDS, .columns = turned, .count = 3,
                                 .stride = sizeof *turned };
    struct aff_schema third = { .struct_size = sizeof third, .type = AFF_FIELDS, .columns = none, .count = 1,
                                .stride = sizeof *none };
    struct aff_harness *h;
    const struct aff_record *r;
    uint32_t s;

    bench_open();
    h = bench_plugin("columns = { heart_rate = \"keep\", absent = \"pseudonym\" }");
    EXPECT_STATUS(patient_push(h, patient_stream(h, "a"), NOON, 64, "10115"), AFF_OK);
    assert_int_equal(aff_harness_schema(h, bench_take_clean(h, "rows", NULL))->count, 1);
    s = aff_harness_stream(h, "a", "second", &second);
    EXPECT_STATUS(AFF_PUSH_ROW(h, "rows", s, AFF_CELL_TEXT(CANARY), AFF_CELL_INT(80), AFF_CELL_TEXT(CANARY)), AFF_OK);
    r = bench_take_clean(h, "rows", NULL);
    assert_int_equal(aff_harness_int(h, r, "heart_rate"), 80);
    assert_int_equal(aff_harness_schema(h, r)->count, 1);
    s = aff_harness_stream(h, "a", "third", &third);
    EXPECT_STATUS(AFF_PUSH_ROW(h, "rows", s, AFF_CELL_TEXT(CANARY)), AFF_OK);
    EXPECT_STATUS(aff_harness_end_stream(h, "rows", s), AFF_OK);
    EXPECT_VERDICT(h, "no_columns", 1);
    EXPECT_NOTHING(h, "rows");
    bench_silent(h);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    bench_close();
}

TEST(the_end_of_a_stream_ends_the_one_that_stands_for_it)
{
    struct aff_harness *h;
    const struct aff_record *r, *mark;
    uint32_t s;

    bench_open();
    h = bench_plugin("columns = { heart_rate = \"keep\" }\nstreams = { \"vitals " CANARY "\" = \"vitals\" }");
    s = patient_stream(h, "a");
    EXPECT_STATUS(patient_push(h, s, NOON, 64, "10115"), AFF_OK);
    EXPECT_STATUS(aff_harness_end_stream(h, "rows", s), AFF_OK);
    r = aff_harness_take(h, "rows");
    mark = aff_harness_take(h, "rows");
    assert_non_null(mark);
    assert_true(mark->flags & AFF_FLAG_END);
    assert_int_equal(mark->stream, r->stream);
    assert_string_equal(aff_harness_stream_info(h, r->stream)->name, "vitals");
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    bench_close();
}

TEST(a_stream_number_that_is_used_anew_is_another_subject)
{
    struct aff_harness *h;
    const struct aff_record *r;
    uint32_t first, second, subject;

    bench_open();
    h = bench_plugin("columns = { heart_rate = \"keep\" }");
    first = patient_stream(h, "a");
    EXPECT_STATUS(patient_push(h, first, NOON, 64, "10115"), AFF_OK);
    subject = aff_harness_take(h, "rows")->subject;
    EXPECT_STATUS(aff_harness_end_stream(h, "rows", first), AFF_OK);
    second = patient_stream(h, "b");
    assert_int_equal(second, first);
    EXPECT_STATUS(patient_push(h, second, NOON, 64, "10115"), AFF_OK);
    (void)aff_harness_take(h, "rows"); /* the mark */
    r = aff_harness_take(h, "rows");
    assert_int_not_equal(r->subject, subject);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    bench_close();
}

TEST(subjects_that_are_dropped_cannot_be_told_apart)
{
    struct aff_harness *h;
    const struct aff_record *a, *b;
    uint32_t s[2];

    bench_open();
    h = bench_plugin("columns = { heart_rate = \"keep\" }\nsubject = \"drop\"");
    s[0] = patient_stream(h, "a");
    s[1] = patient_stream(h, "b");
    EXPECT_STATUS(patient_push(h, s[0], NOON, 64, "10115"), AFF_OK);
    EXPECT_STATUS(patient_push(h, s[1], NOON, 64, "10115"), AFF_OK);
    EXPECT_STATUS(aff_harness_end_stream(h, "rows", s[0]), AFF_OK);
    EXPECT_STATUS(patient_push(h, s[1], NOON, 64, "10115"), AFF_OK);
    a = aff_harness_take(h, "rows");
    b = aff_harness_take(h, "rows");
    assert_int_equal(a->stream, b->stream);
    assert_string_equal(aff_harness_stream_info(h, a->stream)->subject_name, "anonymous");
    assert_true(a->event_ns != b->event_ns);
    EXPECT_WAITING(h, "rows", 1);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    bench_close();
}

AFF_TEST_MAIN(each_column_comes_out_as_its_rule_says_and_no_other_comes_out, units_and_codes_stay_where_the_value_does,
              the_same_key_gives_the_same_pseudonyms_and_another_project_others,
              a_column_of_the_kind_subject_joins_with_the_subject_of_the_record,
              a_number_and_its_digits_as_text_are_one_patient,
              a_subject_is_shifted_by_one_amount_on_all_its_streams_and_intervals_stay,
              shifts_by_weeks_keep_the_day_of_the_week,
              a_time_that_is_made_coarser_is_shifted_first_so_that_it_tells_nothing_of_the_shift,
              times_are_kept_where_that_is_said,
              what_is_cleared_passes_without_a_warning_and_stands_in_the_report,
              an_event_time_that_cannot_be_shifted_makes_a_dead_letter,
              ids_lead_back_only_with_the_key, what_a_rule_cannot_read_is_left_out_and_counted,
              a_rule_that_does_not_fit_its_column_sets_the_row_aside,
              columns_are_found_by_name_in_a_schema_that_changes_and_others_are_dropped,
              the_end_of_a_stream_ends_the_one_that_stands_for_it,
              a_stream_number_that_is_used_anew_is_another_subject, subjects_that_are_dropped_cannot_be_told_apart)
