/* test_out_file.c - the plugin as a host sees it. */
#include <afferent/testkit.h>

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct aff_column columns[] = {
    { .name = "rate", .unit = "/min", .type = AFF_REAL },
    { .name = "note, \"free\"", .type = AFF_TEXT },
    { .name = "n", .type = AFF_INT },
    { .name = "ok", .type = AFF_BOOL },
    { .name = "at", .type = AFF_TIME },
};
static const struct aff_schema rows = {
    .struct_size = sizeof(struct aff_schema), .type = AFF_FIELDS, .name = "rows",
    .columns = columns, .count = 5, .stride = sizeof(struct aff_column),
};

static const struct aff_column leads[] = {
    { .name = "I", .unit = "mV", .gain = 200, .baseline = 1024 },
    { .name = "II", .unit = "mV", .gain = 200, .baseline = 0 },
};
static const struct aff_schema ecg = {
    .struct_size = sizeof(struct aff_schema), .type = AFF_SAMPLES, .format = AFF_I16, .name = "ecg",
    .columns = leads, .count = 2, .stride = sizeof(struct aff_column), .rate_num = 360, .rate_den = 1,
};

static char folder[64], toml[256];

static const char *file_new(const char *name, const char *more)
{
    snprintf(folder, sizeof folder, "/tmp/out-file-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(toml, sizeof toml, "path = \"%s/%s\"\n%s", folder, name, more);
    return toml;
}

/* What the file holds; it is removed. */
static const char *file_taken(const char *name)
{
    static char got[65536];
    char path[256];
    size_t size;
    FILE *f;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    f = fopen(path, "r");
    assert_non_null(f);
    size = fread(got, 1, sizeof got - 1, f);
    got[size] = '\0';
    fclose(f);
    unlink(path);
    return got;
}

static void folder_drop(void)
{
    assert_int_equal(rmdir(folder), 0); /* nothing else was in it */
}

static void push_rows(struct aff_harness *h)
{
    uint32_t s = aff_harness_stream(h, "p,1", "vitals", &rows);

    aff_harness_seek(h, s, 0, INT64_C(1500000000));
    EXPECT_STATUS(AFF_PUSH_ROW(h, "in", s, AFF_CELL_REAL(60.1), AFF_CELL_TEXT("a \"b\"\nc"), AFF_CELL_INT(-7),
                               AFF_CELL_INT(1), AFF_CELL_INT(0)), AFF_OK);
    aff_harness_seek(h, s, 0, INT64_C(2000000000));
    EXPECT_STATUS(AFF_PUSH_ROW(h, "in", s, AFF_CELL_REAL((double)NAN), AFF_CELL_NONE, AFF_CELL_NONE, AFF_CELL_INT(0),
                               AFF_CELL_NONE), AFF_OK);
}

TEST(rows_become_csv)
{
    struct aff_harness *h = aff_harness_open("out_file", file_new("x.csv", ""));

    push_rows(h);
    EXPECT_STATUS(aff_harness_sync(h), AFF_OK);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    assert_string_equal(file_taken("x.csv"),
        "time,subject,stream,rate [/min],\"note, \"\"free\"\"\",n,ok,at\n"
        "1970-01-01T00:00:01.5Z,\"p,1\",vitals,60.1,\"a \"\"b\"\"\nc\",-7,true,1970-01-01T00:00:00Z\n"
        "1970-01-01T00:00:02Z,\"p,1\",vitals,,,,false,\n");
    folder_drop();
}

TEST(rows_become_json_lines)
{
    struct aff_harness *h = aff_harness_open("out_file", file_new("x.jsonl", "format = \"jsonl\""));

    push_rows(h);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    assert_string_equal(file_taken("x.jsonl"),
        "{\"time\":\"1970-01-01T00:00:01.5Z\",\"subject\":\"p,1\",\"stream\":\"vitals\",\"data\":{\"rate\":60.1,"
        "\"note, \\\"free\\\"\":\"a \\\"b\\\"\\nc\",\"n\":-7,\"ok\":true,\"at\":\"1970-01-01T00:00:00Z\"}}\n"
        "{\"time\":\"1970-01-01T00:00:02Z\",\"subject\":\"p,1\",\"stream\":\"vitals\",\"data\":{\"rate\":null,"
        "\"note, \\\"free\\\"\":null,\"n\":null,\"ok\":false,\"at\":null}}\n");
    folder_drop();
}

TEST(samples_become_a_line_each_in_physical_units)
{
    struct aff_harness *h = aff_harness_open("out_file", file_new("x.csv", ""));
    int16_t planes[] = { 1024, 1053, INT16_MIN, 0, -29, 200 };
    uint32_t s = aff_harness_stream(h, "p", "ecg", &ecg);

    aff_harness_seek(h, s, 0, 0);
    EXPECT_STATUS(aff_harness_push_samples(h, "in", s, planes, 3, 0), AFF_OK);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    assert_string_equal(file_taken("x.csv"),
        "time,subject,stream,I [mV],II [mV]\n"
        "1970-01-01T00:00:00Z,p,ecg,0,0\n"
        "1970-01-01T00:00:00.002777778Z,p,ecg,0.145,-0.145\n"
        "1970-01-01T00:00:00.005555556Z,p,ecg,,1\n");
    folder_drop();
}

TEST(other_columns_are_refused_in_one_file_and_get_their_own_by_name)
{
    struct aff_harness *h = aff_harness_open("out_file", file_new("x.csv", ""));
    int16_t planes[] = { 1024, 0 };

    push_rows(h);
    aff_harness_push_samples(h, "in", aff_harness_stream(h, "p", "ecg", &ecg), planes, 1, 0);
    EXPECT_DEAD(h, 1);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    file_taken("x.csv");
    folder_drop();

    h = aff_harness_open("out_file", file_new("{subject}-{stream}.csv", ""));
    push_rows(h);
    aff_harness_seek(h, aff_harness_stream(h, "../p", "ecg", &ecg), 0, 0);
    EXPECT_STATUS(aff_harness_push_samples(h, "in", aff_harness_stream(h, "../p", "ecg", &ecg), planes, 1, 0), AFF_OK);
    EXPECT_METRIC(h, "files", 2);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    assert_non_null(strstr(file_taken("p%2C1-vitals.csv"), "vitals,60.1"));
    assert_non_null(strstr(file_taken("%2E.%2Fp-ecg.csv"), "../p,ecg,0,0\n"));
    folder_drop();
}

TEST(more_streams_than_open_files_lose_nothing)
{
    struct aff_harness *h = aff_harness_open("out_file", file_new("{stream}.csv", "when_exists = \"replace\""));
    int16_t planes[] = { 1024, 0 };
    char name[32];
    int i, round;

    for (round = 0; round < 3; round++)
        for (i = 0; i < 100; i++) {
            snprintf(name, sizeof name, "s%d", i);
            EXPECT_STATUS(aff_harness_push_samples(h, "in", aff_harness_stream(h, "p", name, &ecg), planes, 1, 0),
                          AFF_OK);
        }
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    for (i = 0; i < 100; i++) {
        const char *at;
        int lines = 0;

        snprintf(name, sizeof name, "s%d.csv", i);
        for (at = file_taken(name); (at = strchr(at, '\n')) != NULL; at++)
            lines++;
        assert_int_equal(lines, 4);
    }
    folder_drop();
}

TEST(bytes_are_text_or_base64)
{
    struct aff_harness *h = aff_harness_open("out_file", file_new("x.jsonl", "format = \"jsonl\"\nids = true"));
    const char *got;

    EXPECT_STATUS(aff_harness_push(h, "in", "bytes", "MSH|^~\\&|\r", 10), AFF_OK);
    EXPECT_STATUS(aff_harness_push(h, "in", "bytes", "\xff\xfe\x00", 3), AFF_OK);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    got = file_taken("x.jsonl");
    assert_non_null(strstr(got, "\"data\":{\"text\":\"MSH|^~\\\\&|\\r\"}}\n"));
    assert_non_null(strstr(got, "\"data\":{\"base64\":\"//4A\"}}\n"));
    assert_non_null(strstr(got, "\"id\":\""));
    folder_drop();
}

TEST(a_full_disk_is_an_io_status_and_waits)
{
    struct aff_harness *h = aff_harness_open("out_file", "path = \"/dev/full\"");
    static uint8_t many[40000];
    aff_status st = AFF_OK;
    int i;

    for (i = 0; i < 10 && st == AFF_OK; i++)
        st = aff_harness_push(h, "in", "bytes", many, sizeof many);
    EXPECT_STATUS(st, AFF_ERR_IO);
    EXPECT_CAUSE(h, "nothing was lost");
    EXPECT_STATUS(aff_harness_sync(h), AFF_ERR_IO);
    aff_harness_close(&h);
}

TEST(a_closed_reader_of_stdout_ends_the_run)
{
    struct aff_harness *h;
    int saved = dup(STDOUT_FILENO), ends[2];

    fflush(NULL);
    signal(SIGPIPE, SIG_IGN);
    assert_int_equal(pipe(ends), 0);
    assert_true(dup2(ends[1], STDOUT_FILENO) >= 0);
    h = aff_harness_open("out_file", "path = \"-\"");
    dup2(saved, STDOUT_FILENO);
    close(saved);
    close(ends[1]);
    push_rows(h);
    EXPECT_STATUS(aff_harness_sync(h), AFF_OK); /* a pipe has nothing to sync */
    close(ends[0]);
    push_rows(h);
    EXPECT_STATUS(aff_harness_sync(h), AFF_ERR_CONFIG);
    EXPECT_CAUSE(h, "closed");
    aff_harness_close(&h);
}

static void write_twice(void)
{
    struct aff_harness *h = aff_harness_open("out_file", file_new("x.csv", ""));

    push_rows(h);
    EXPECT_STATUS(aff_harness_sync(h), AFF_OK);
    push_rows(h);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    assert_non_null(strstr(file_taken("x.csv"), "60.1"));
    folder_drop();
}

TEST(every_host_call_may_fail)
{
    AFF_EACH_HOST_CALL_FAILS_ONCE(write_twice);
}

TEST(options_are_checked)
{
    EXPECT_REFUSED("out_file", "", "path");
    EXPECT_REFUSED("out_file", "path = \"{stream}/x.csv\"", "folder");
    EXPECT_REFUSED("out_file", "path = \"x\"\nformat = \"xml\"", "format");
}

AFF_TEST_MAIN(rows_become_csv, rows_become_json_lines, samples_become_a_line_each_in_physical_units,
              other_columns_are_refused_in_one_file_and_get_their_own_by_name,
              more_streams_than_open_files_lose_nothing, bytes_are_text_or_base64,
              a_full_disk_is_an_io_status_and_waits, a_closed_reader_of_stdout_ends_the_run,
              every_host_call_may_fail, options_are_checked)
