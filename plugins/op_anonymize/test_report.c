/* SPDX-License-Identifier: Apache-2.0
 *
 * test_report.c - the report: its figures, its place, and what it does not say. */
#include "test_bench.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MINUTES(n) ((n) * INT64_C(60000000000))

static const char *toml_with_report(const char *more)
{
    static char toml[2048];

    (void)snprintf(toml, sizeof toml, "%sreport = \"%s\"\n%s", patient_rules, bench_path("report.json"), more);
    return toml;
}

static void holds(const char *wanted)
{
    const char *text = bench_file("report.json");

    if (!strstr(text, wanted))
        fail_msg("the report does not say %s:\n%s", wanted, text);
}

TEST(the_report_says_what_was_done_and_how_alone_the_rows_are)
{
    static const struct { const char *subject, *postcode; int age; } rows[] = {
        { "a", "10115", 61 }, { "a", "10117", 62 }, { "b", "10999", 64 }, /* one combination of two subjects */
        { "c", "20095", 91 }, { "c", "20095", 90 },                      /* one of one subject */
        { "d", "80331", 30 },                                            /* one row alone */
    };
    struct aff_harness *h;
    struct stat st;

    bench_open();
    h = bench_plugin(toml_with_report("quasi = [\"age\", \"postcode\"]"));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        EXPECT_STATUS(patient_push(h, aff_harness_stream(h, rows[i].subject, "v", &patient_schema), NOON, rows[i].age,
                                   rows[i].postcode), AFF_OK);
    EXPECT_METRIC(h, "combinations", 3);
    EXPECT_METRIC(h, "unique_rows", 1);
    EXPECT_METRIC(h, "one_subject", 2);
    EXPECT_STATUS(aff_harness_finish(h), AFF_OK);
    EXPECT_LOG(h, AFF_LOG_INFO, "key 4e91477b: 6 rows and 0 records of samples rewritten, 0 values left out; 3 "
                                "combinations of quasi-identifiers, 1 of one row, 2 of one subject");
    assert_int_equal(stat(bench_path("report.json"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    holds("\"afferent_anonymize_report\": 1,");
    holds("\"project\": \"ward-7\",\n  \"key_id\": \"4e91477b\"");
    holds("{ \"name\": \"mrn\", \"action\": \"pseudonym\", \"values\": 6, \"left_out\": 0, \"absent\": 0");
    holds("{ \"name\": \"age\", \"action\": \"generalise\", \"values\": 6");
    holds("{ \"name\": \"name\", \"action\": \"drop\" }");
    holds("\"dropped\": [\n    { \"name\": \"name\", \"values\": 6 }\n  ]");
    holds("\"rows\": 6,\n    \"combinations\": 3,\n    \"unique_rows\": 1,\n    \"smallest_group\": 1,\n    "
          "\"combinations_of_one_subject\": 2,\n    \"exact\": true,\n    \"rows_not_counted\": 0");
    assert_null(strstr(bench_file("report.json"), CANARY));
    assert_null(strstr(bench_file("report.json"), REFERENCE_KEY));
    assert_int_not_equal(access(bench_path("report.json.new"), F_OK), 0);
    aff_harness_close(&h);
    bench_close();
}

/* A table without a header, read as if it had one: its first patient is its
 * header. What nobody declared is labelled phi, its names too. */
TEST(a_name_that_may_come_from_the_data_is_told_by_its_place)
{
    static const struct aff_column header[] = {
        { .name = "age", .type = AFF_INT, .label = AFF_LABEL_PHI },
        { .name = "Maria " CANARY, .type = AFF_INT, .label = AFF_LABEL_PHI },
        { .name = "name", .type = AFF_INT, .label = AFF_LABEL_PHI },
    };
    struct aff_schema schema = { .struct_size = sizeof schema, .type = AFF_FIELDS, .columns = header, .count = 3,
                                 .stride = sizeof *header };
    struct aff_harness *h;

    bench_open();
    h = bench_plugin(toml_with_report(""));
    EXPECT_STATUS(AFF_PUSH_ROW(h, "rows", aff_harness_stream(h, "s", "v", &schema), AFF_CELL_INT(61), AFF_CELL_INT(1),
                               AFF_CELL_INT(2)), AFF_OK);
    EXPECT_STATUS(aff_harness_finish(h), AFF_OK);
    holds("{ \"name\": \"column 2 (phi)\", \"values\": 1 }");
    holds("{ \"name\": \"name\", \"values\": 1 }"); /* a rule drops it by this name */
    assert_null(strstr(bench_file("report.json"), CANARY));
    aff_harness_close(&h);
    bench_close();
}

TEST(names_of_columns_are_whole_json_whatever_is_in_them)
{
    static const char long_name[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\xc3\xa4xyz";
    static const struct aff_column odd[] = {
        { .name = "a\"b\\c\nd\x01", .type = AFF_INT }, { .name = "Gr\xc3\xb6\xc3\x9f" "e", .type = AFF_INT },
        { .name = "\xff\xc3", .type = AFF_INT }, { .name = long_name, .type = AFF_INT },
        { .name = "age", .type = AFF_INT },
    };
    struct aff_schema schema = { .struct_size = sizeof schema, .type = AFF_FIELDS, .columns = odd, .count = 5,
                                 .stride = sizeof *odd };
    struct aff_harness *h;

    bench_open();
    h = bench_plugin(toml_with_report(""));
    EXPECT_STATUS(AFF_PUSH_ROW(h, "rows", aff_harness_stream(h, "a", "v", &schema), AFF_CELL_INT(1), AFF_CELL_INT(2),
                               AFF_CELL_INT(3), AFF_CELL_INT(4), AFF_CELL_INT(5)), AFF_OK);
    EXPECT_BALANCED(h);
    holds("{ \"name\": \"a\\\"b\\\\c\\u000ad\\u0001\", \"values\": 1 }");
    holds("{ \"name\": \"Gr\xc3\xb6\xc3\x9f" "e\", \"values\": 1 }");
    holds("{ \"name\": \"??\", \"values\": 1 }");
    holds("aaaa?\", \"values\": 1 }");
    aff_harness_close(&h);
    bench_close();
}

TEST(beyond_the_bound_the_report_says_at_least)
{
    struct aff_harness *h;

    bench_open();
    h = bench_plugin(toml_with_report("quasi = [\"age\"]\ncombinations = 16"));
    for (int i = 0; i < 40; i++)
        EXPECT_STATUS(patient_push(h, aff_harness_stream(h, "a", "v", &patient_schema), NOON, 4 * i - 60, "10115"), AFF_OK);
    EXPECT_STATUS(aff_harness_finish(h), AFF_OK);
    EXPECT_LOG(h, AFF_LOG_INFO, "at least 16 combinations");
    holds("\"exact\": false");
    aff_harness_close(&h);
    bench_close();
}

TEST(the_report_is_written_again_every_ten_minutes)
{
    struct aff_harness *h;

    bench_open();
    h = bench_plugin(toml_with_report(""));
    EXPECT_STATUS(patient_push(h, aff_harness_stream(h, "a", "v", &patient_schema), NOON, 60, "10115"), AFF_OK);
    assert_int_not_equal(access(bench_path("report.json"), F_OK), 0);
    EXPECT_STATUS(aff_harness_clock(h, MINUTES(10)), AFF_OK);
    holds("\"rows\": 1,");
    EXPECT_STATUS(patient_push(h, aff_harness_stream(h, "a", "v", &patient_schema), NOON, 60, "10115"), AFF_OK);
    EXPECT_STATUS(aff_harness_clock(h, MINUTES(10)), AFF_OK);
    holds("\"rows\": 2,");
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    bench_close();
}

TEST(a_file_that_is_no_report_is_never_replaced)
{
    struct aff_harness *h = NULL;
    FILE *f;

    bench_open();
    f = fopen(bench_path("report.json"), "w");
    assert_non_null(f);
    assert_true(fputs("patient,drug\n", f) >= 0 && fclose(f) == 0);
    EXPECT_STATUS(aff_harness_try_open("op_anonymize", bench_toml(toml_with_report("")), &h), AFF_ERR_CONFIG);
    EXPECT_CAUSE(h, "is no report of op_anonymize");
    aff_harness_close(&h);
    assert_string_equal(bench_file("report.json"), "patient,drug\n");
    for (int run = 0; run < 2; run++) { /* an older report is */
        (void)unlink(bench_path(run ? "none" : "report.json"));
        h = bench_plugin(toml_with_report(""));
        EXPECT_BALANCED(h);
        aff_harness_close(&h);
    }
    bench_close();
}

TEST(a_report_that_cannot_be_written_stops_the_opening_and_later_only_complains)
{
    struct aff_harness *h = NULL;
    char toml[512];

    bench_open();
    (void)snprintf(toml, sizeof toml, "columns = { age = \"keep\" }\nreport = \"%s/report.json\"", bench_path("away"));
    EXPECT_STATUS(aff_harness_try_open("op_anonymize", bench_toml(toml), &h), AFF_ERR_IO);
    EXPECT_CAUSE(h, "expected a folder that is there");
    assert_int_equal(mkdir(bench_path("away"), 0700), 0);
    EXPECT_STATUS(aff_harness_retry(h), AFF_OK);
    assert_int_equal(rmdir(bench_path("away")), 0);
    EXPECT_STATUS(aff_harness_clock(h, MINUTES(30)), AFF_OK);
    assert_int_equal(aff_harness_logged(h, AFF_LOG_ERROR, "cannot be written"), 1);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    bench_close();
}

AFF_TEST_MAIN(the_report_says_what_was_done_and_how_alone_the_rows_are,
              a_name_that_may_come_from_the_data_is_told_by_its_place,
              names_of_columns_are_whole_json_whatever_is_in_them, beyond_the_bound_the_report_says_at_least,
              the_report_is_written_again_every_ten_minutes,
              a_file_that_is_no_report_is_never_replaced,
              a_report_that_cannot_be_written_stops_the_opening_and_later_only_complains)
