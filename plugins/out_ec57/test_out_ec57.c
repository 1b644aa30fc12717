/* SPDX-License-Identifier: Apache-2.0
 *
 * test_out_ec57.c - the plugin as a host sees it: rows in, a report out.
 *
 * Pairing has its tests in test_compare.c. */
#include <afferent/testkit.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct aff_column found_columns[] = {
    { .name = "sample", .type = AFF_INT },
    { .name = "quality", .type = AFF_REAL },
};
static const struct aff_column reference_columns[] = {
    { .name = "aux", .type = AFF_TEXT },
    { .name = "code", .type = AFF_TEXT },
    { .name = "sample", .type = AFF_INT },
};

static char report_path[64];
static char report[8192];

/* Streams of one record. Sample 0 is at `start`; 250 samples a second. */
struct record {
    uint32_t found, reference;
    int64_t start;
};

static struct aff_harness *judge_open(const char *toml)
{
    char text[256];

    if (!*report_path) {
        int file;

        (void)snprintf(report_path, sizeof report_path, "/tmp/test_out_ec57.XXXXXX");
        file = mkstemp(report_path);
        assert_true(file >= 0);
        (void)close(file);
    }
    (void)snprintf(text, sizeof text, "path = \"%s\"\n%s", report_path, toml);
    return aff_harness_open("out_ec57", text);
}

static const char *report_read(void)
{
    FILE *f = fopen(report_path, "r");
    size_t n;

    assert_non_null(f);
    n = fread(report, 1, sizeof report - 1, f);
    report[n] = '\0';
    (void)fclose(f);
    return report;
}

static struct record record_open(struct aff_harness *h, const char *name, int64_t start)
{
    static const struct aff_schema found = { sizeof found, AFF_FIELDS, 0, 0, 0, "beats", found_columns, 2,
                                             sizeof found_columns[0], 0, 0 };
    static const struct aff_schema reference = { sizeof reference, AFF_FIELDS, 0, 0, 0, "annotations",
                                                 reference_columns, 3, sizeof reference_columns[0], 0, 0 };
    struct record r = { aff_harness_stream(h, name, "ecg", &found),
                        aff_harness_stream(h, name, "atr", &reference), start };

    return r;
}

static void found_push(struct aff_harness *h, const struct record *r, int64_t sample)
{
    aff_harness_seek(h, r->found, sample, r->start + sample * 4000000);
    AFF_PUSH_ROW(h, "found", r->found, AFF_CELL_INT(sample), AFF_CELL_REAL(1.0));
}

static void reference_push(struct aff_harness *h, const struct record *r, int64_t sample, const char *code)
{
    aff_harness_seek(h, r->reference, sample, r->start + sample * 4000000);
    AFF_PUSH_ROW(h, "reference", r->reference, AFF_CELL_TEXT("(N"), AFF_CELL_TEXT(code), AFF_CELL_INT(sample));
}

/* Ten minutes, a beat a second: one missed and one extra on each side of 5:00. */
static void record_push(struct aff_harness *h, const struct record *r)
{
    int64_t s;

    reference_push(h, r, 20, "+");
    for (s = 1; s < 600; s++) {
        reference_push(h, r, s * 250, s % 2 ? "N" : "V");
        if (s != 100 && s != 400)
            found_push(h, r, s * 250 + 5);
        if (s == 200 || s == 500)
            found_push(h, r, s * 250 + 100);
        if (s == 550)
            reference_push(h, r, s * 250 + 50, "~");
    }
}

static void records_end(struct aff_harness *h, const struct record *r)
{
    aff_harness_end_stream(h, "found", r->found);
    aff_harness_end_stream(h, "reference", r->reference);
}

TEST(a_table_has_a_line_a_record_and_the_gross_last)
{
    struct aff_harness *h = judge_open("");
    struct record a = record_open(h, "100", 0), b = record_open(h, "200", 1700000000000000000);
    const char *last;

    record_push(h, &a);
    record_push(h, &b);
    records_end(h, &a);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);

    last = strstr(report_read(), "gross ");
    assert_non_null(last);
    assert_string_equal(last, "gross Se=99.67% +P=99.67% beats=600 records=2\n");
    assert_non_null(strstr(report, "whole Se=99.67% +P=99.67% beats=1198 records=2\n"));
    assert_non_null(strstr(report, "from 5:00 on"));
    assert_non_null(strstr(report, "100                  300     299      1      1   99.67   99.67  |"
                                   "     599     597      2      2   99.67   99.67\n200 "));
}

TEST(json_tells_the_same_and_the_error_of_time)
{
    struct aff_harness *h = judge_open("format = \"json\"\nlearning = \"0s\"");
    struct record a = record_open(h, "100", 5);

    record_push(h, &a);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    assert_non_null(strstr(report_read(), "{\"record\": \"100\", \"scored\": {\"beats\": 599, \"tp\": 597, \"fn\": 2, "
                                          "\"fp\": 2, \"se\": 99.67, \"ppv\": 99.67}, \"whole\": {"));
    assert_non_null(strstr(report, "\"error_ms\": {\"mean\": 20.000, \"rms\": 20.000}"));
}

/* The same subject comes twice, as when a record is replayed after its end. */
TEST(an_empty_run_and_a_record_twice_are_reported)
{
    struct aff_harness *h = judge_open("");
    struct record a;

    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    assert_non_null(strstr(report_read(), "gross Se=-% +P=-% beats=0 records=0\n"));

    h = judge_open("");
    a = record_open(h, "100", 0);
    record_push(h, &a);
    records_end(h, &a);
    a = record_open(h, "100", 0);
    record_push(h, &a);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    assert_non_null(strstr(report_read(), "gross Se=99.67% +P=99.67% beats=600 records=2\n"));
}

/* One row is enough where it tells when the record began: 1 s before its own
 * scored beat, and the other lies in the learning period. */
TEST(a_row_may_tell_when_its_record_began)
{
    static const struct aff_column columns[] = {
        { .name = "sample", .type = AFF_INT },
        { .name = "code", .type = AFF_TEXT },
        { .name = "start", .type = AFF_TIME },
    };
    static const struct aff_schema schema = { sizeof schema, AFF_FIELDS, 0, 0, 0, "annotations", columns, 3,
                                              sizeof columns[0], 0, 0 };
    struct aff_harness *h = judge_open("learning = \"1s\"");
    uint32_t stream = aff_harness_stream(h, "100", "atr", &schema);
    int64_t start = 1700000000000000000;

    aff_harness_seek(h, stream, 999, start + 999000000);
    AFF_PUSH_ROW(h, "reference", stream, AFF_CELL_INT(77777), AFF_CELL_TEXT("N"), AFF_CELL_INT(start));
    aff_harness_seek(h, stream, 1000, start + 1000000000);
    AFF_PUSH_ROW(h, "reference", stream, AFF_CELL_INT(77778), AFF_CELL_TEXT("N"), AFF_CELL_INT(start));
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    assert_non_null(strstr(report_read(), "gross Se=0.00% +P=-% beats=1 records=1\n"));
}

TEST(flutter_marks_in_annotations_are_obeyed)
{
    struct aff_harness *h = judge_open("learning = \"0s\"");
    struct record a = record_open(h, "100", 0);

    reference_push(h, &a, 250, "N");
    reference_push(h, &a, 300, "[");
    reference_push(h, &a, 400, "!");
    reference_push(h, &a, 500, "]");
    reference_push(h, &a, 600, "/");
    found_push(h, &a, 251);
    found_push(h, &a, 350);
    found_push(h, &a, 601);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    assert_non_null(strstr(report_read(), "gross Se=100.00% +P=100.00% beats=2 records=1\n"));
}

TEST(what_cannot_be_compared_is_said)
{
    struct aff_harness *h = judge_open("ahead = 16");
    struct record a = record_open(h, "100", 0);
    aff_status st = AFF_OK;
    int64_t s;

    found_push(h, &a, 1000);
    found_push(h, &a, 900);
    EXPECT_CAUSE(h, "input found comes out of order");
    EXPECT_DEAD(h, 1);
    for (s = 1; s < 16; s++)
        found_push(h, &a, 1000 + s * 250);
    aff_harness_seek(h, a.found, 9000, 9000 * 4000000ll);
    st = AFF_PUSH_ROW(h, "found", a.found, AFF_CELL_INT(9000), AFF_CELL_NONE);
    EXPECT_STATUS(st, AFF_ERR_CONFIG);
    EXPECT_CAUSE(h, "input found is 16 beats ahead of the other");
    aff_harness_close(&h);
    EXPECT_REFUSED("out_ec57", "format = \"xml\"", "format");
    EXPECT_REFUSED("out_ec57", "window = \"0ms\"", "window");
}

TEST(a_report_that_cannot_be_written_is_an_io_error)
{
    struct aff_harness *h = NULL;

    EXPECT_STATUS(aff_harness_try_open("out_ec57", "path = \"/nowhere/at/all\"", &h), AFF_ERR_IO);
    assert_non_null(strstr(aff_harness_cause(h), "option path"));
    aff_harness_close(&h);
    if (access("/dev/full", W_OK) != 0)
        AFF_SKIP("no /dev/full here");
    h = aff_harness_open("out_ec57", "path = \"/dev/full\"");
    EXPECT_STATUS(aff_harness_drain(h), AFF_ERR_IO);
    EXPECT_CAUSE(h, "cannot write the report");
    aff_harness_close(&h);
}

TEST(a_restart_in_the_middle_changes_nothing)
{
    struct aff_harness *h = judge_open("learning = \"0s\"");
    struct record a = record_open(h, "100", 0), b = record_open(h, "200", 0);
    int64_t s;

    record_push(h, &a);
    records_end(h, &a);
    reference_push(h, &b, 10, "+");
    for (s = 1; s < 100; s++) {
        found_push(h, &b, s * 250);
        reference_push(h, &b, s * 250, "N");
        if (s % 40 == 0)
            aff_harness_restart(h);
    }
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    assert_non_null(strstr(report_read(), "gross Se=99.71% +P=99.71% beats=698 records=2\n"));
}

/* A row keeps only so much of a name. */
TEST(a_restart_finds_a_record_whose_name_is_long)
{
    struct aff_harness *h = judge_open("learning = \"0s\"");
    struct record a;
    char name[201];

    memset(name, 'n', sizeof name);
    name[200] = 0;
    a = record_open(h, name, 0);
    found_push(h, &a, 250);
    reference_push(h, &a, 250, "N");
    aff_harness_restart(h);
    found_push(h, &a, 500);
    reference_push(h, &a, 500, "N");
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    assert_non_null(strstr(report_read(), "records=1\n"));
}

TEST(a_report_stands_until_the_next_one_is_written)
{
    struct aff_harness *h = judge_open("learning = \"0s\"");
    struct record a = record_open(h, "100", 0);

    record_push(h, &a);
    records_end(h, &a);
    EXPECT_STATUS(aff_harness_drain(h), AFF_OK);
    aff_harness_restart(h); /* the host knows that it has drained */
    aff_harness_close(&h);
    assert_non_null(strstr(report_read(), "records=1\n"));
    h = judge_open("learning = \"0s\"");
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    assert_null(strstr(report_read(), "records=1\n")); /* the shorter one alone */
}

static void whole_run(void)
{
    struct aff_harness *h = judge_open("");
    struct record a = record_open(h, "100", 0);

    record_push(h, &a);
    records_end(h, &a);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    assert_non_null(strstr(report_read(), "gross Se=99.67% +P=99.67% beats=300 records=1\n"));
}

TEST(each_host_call_may_fail_once)
{
    AFF_EACH_HOST_CALL_FAILS_ONCE(whole_run);
}

TEST(no_file_is_left_behind)
{
    assert_int_equal(unlink(report_path), 0);
}

AFF_TEST_MAIN(a_table_has_a_line_a_record_and_the_gross_last, json_tells_the_same_and_the_error_of_time,
              an_empty_run_and_a_record_twice_are_reported, flutter_marks_in_annotations_are_obeyed,
              a_row_may_tell_when_its_record_began, a_restart_finds_a_record_whose_name_is_long,
              a_report_stands_until_the_next_one_is_written,
              what_cannot_be_compared_is_said, a_report_that_cannot_be_written_is_an_io_error,
              a_restart_in_the_middle_changes_nothing, each_host_call_may_fail_once, no_file_is_left_behind)
