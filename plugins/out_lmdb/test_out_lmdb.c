/* test_out_lmdb.c - the plugin as a host sees it: options, records, queries. */
#include <afferent/testkit.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct aff_column vitals_columns[] = {
    { .name = "rate", .unit = "/min", .code = "8867-4", .type = AFF_REAL, .label = AFF_LABEL_NONE },
    { .name = "a b%", .type = AFF_TEXT, .label = AFF_LABEL_PHI },
    { .name = "-", .unit = "", .type = AFF_INT },
};
static const struct aff_schema vitals = {
    .struct_size = sizeof(struct aff_schema), .type = AFF_FIELDS, .name = "vital signs",
    .columns = vitals_columns, .count = 3, .stride = sizeof(struct aff_column),
};

/* A folder of its own for each test, gone at the end by test_end. */
static char folder[64];
static char toml[256];

static const char *archive_new(const char *more)
{
    snprintf(folder, sizeof folder, "/tmp/out-lmdb-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(toml, sizeof toml, "path = \"%s/a.lmdb\"\n%s", folder, more);
    return toml;
}

static void archive_remove(void)
{
    static const char *const names[] = { "a.lmdb/data.mdb", "a.lmdb/lock.mdb", "a.lmdb/writer.lock", "a.lmdb", "" };
    char path[128];
    size_t i;

    for (i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        if (i < 3)
            unlink(path);
        else
            rmdir(path);
    }
}

static size_t query_all(const char *subject, const char *stream, struct aff_harness **ret)
{
    struct aff_query query = { sizeof query, 0, subject, stream, INT64_MIN, INT64_MAX };
    size_t damaged = 9, found;

    *ret = aff_harness_load("out_lmdb", toml);
    found = aff_harness_query(*ret, &query, &damaged);
    assert_int_equal(damaged, 0);
    return found;
}

static void push_both(struct aff_harness *h, int epochs)
{
    uint32_t rows = aff_harness_stream(h, "patient one", "vitals", &vitals);
    uint32_t ecg = aff_harness_samples_stream(h, "ecg", AFF_F32, 2, 250);
    float planes[50];
    int i, k;

    for (i = 0; i < epochs; i++) {
        for (k = 0; k < 50; k++)
            planes[k] = (float)(i * 50 + k) * 0.25f - 3;
        EXPECT_STATUS(aff_harness_push_samples(h, "in", ecg, planes, 25, 0), AFF_OK);
        EXPECT_STATUS(AFF_PUSH_ROW(h, "in", rows, AFF_CELL_REAL(60.5 + i), AFF_CELL_TEXT("text"), AFF_CELL_INT(i)),
                      AFF_OK);
        EXPECT_STATUS(aff_harness_sync(h), AFF_OK);
    }
}

TEST(what_was_written_is_found_with_its_schema)
{
    struct aff_harness *h = aff_harness_open("out_lmdb", archive_new("")), *q;
    const struct aff_record *r;
    const struct aff_schema *s;
    uint32_t i, k;

    push_both(h, 20);
    EXPECT_METRIC(h, "stored", 40);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);

    assert_int_equal(query_all(NULL, NULL, &q), 40);
    for (i = 0; i < 40; i++) {
        r = aff_harness_take(q, "query");
        s = aff_harness_schema(q, r);
        if (r->type == AFF_SAMPLES) {
            assert_int_equal(aff_samples_of(r)->count, 25);
            k = (uint32_t)(aff_samples_of(r)->first / 25);
            assert_true(((float *)aff_plane(r, 1))[24] == (float)(k * 50 + 49) * 0.25f - 3);
            assert_int_equal(s->rate_num / s->rate_den, 250);
            assert_true(s->columns[1].gain == 200.0);
        } else {
            assert_int_equal(s->count, 3);
            assert_string_equal(s->name, "vital signs");
            assert_string_equal(s->columns[0].unit, "/min");
            assert_string_equal(s->columns[0].code, "8867-4");
            assert_string_equal(s->columns[1].name, "a b%");
            assert_null(s->columns[1].unit);
            assert_int_equal(s->columns[1].label, AFF_LABEL_PHI);
            assert_string_equal(s->columns[2].name, "-");
            assert_string_equal(s->columns[2].unit, "");
            assert_string_equal(aff_harness_stream_info(q, r->stream)->subject_name, "patient one");
            assert_string_equal(aff_harness_text(q, r, "a b%"), "text");
            assert_true(aff_harness_real(q, r, "rate") == 60.5 + (double)aff_harness_int(q, r, "-"));
        }
    }
    aff_harness_close(&q);
    assert_int_equal(query_all("patient one", NULL, &q), 20);
    aff_harness_close(&q);
    assert_int_equal(query_all(NULL, "ecg", &q), 20);
    aff_harness_close(&q);
    assert_int_equal(query_all("patient two", NULL, &q), 0);
    aff_harness_close(&q);
    archive_remove();
}

TEST(the_same_records_again_are_counted_as_repeated)
{
    struct aff_harness *h = aff_harness_open("out_lmdb", archive_new("batch = \"64KiB\"")), *q;

    push_both(h, 30);
    aff_harness_close(&h);
    h = aff_harness_open("out_lmdb", toml);
    push_both(h, 35);
    EXPECT_METRIC(h, "repeated", 60);
    EXPECT_METRIC(h, "stored", 10);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    assert_int_equal(query_all(NULL, NULL, &q), 70);
    aff_harness_close(&q);
    archive_remove();
}

static void write_and_query(void)
{
    struct aff_harness *h = aff_harness_open("out_lmdb", archive_new("")), *q;

    push_both(h, 3);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    assert_int_equal(query_all(NULL, NULL, &q), 6);
    aff_harness_close(&q);
    archive_remove();
}

TEST(every_host_call_may_fail)
{
    AFF_EACH_HOST_CALL_FAILS_ONCE(write_and_query);
}

TEST(a_full_archive_stops_intake_and_says_what_to_do)
{
    struct aff_harness *h = aff_harness_open("out_lmdb", archive_new("limit = \"1MiB\"\nbatch = \"64KiB\""));
    static uint8_t noise[6000];
    aff_status st = AFF_OK;
    int i;

    for (i = 0; i < (int)sizeof noise; i++)
        noise[i] = (uint8_t)(i * i * 7 >> 3);
    for (i = 0; st == AFF_OK && i < 1000; i++) {
        noise[i]++;
        st = aff_harness_push(h, "in", "bytes", noise, sizeof noise);
    }
    EXPECT_STATUS(st, AFF_ERR_IO);
    EXPECT_CAUSE(h, "limit = 1048576 bytes is reached");
    EXPECT_LOG(h, AFF_LOG_WARN, "of its limit");
    assert_int_equal(aff_harness_ledger(h).waiting, 1);
    aff_harness_close(&h);
    archive_remove();
}

TEST(wrong_options_are_refused)
{
    EXPECT_REFUSED("out_lmdb", "", "path");
    EXPECT_REFUSED("out_lmdb", "path = \"x\"\nlimit = \"10KiB\"", "limit");
    EXPECT_REFUSED("out_lmdb", "path = \"x\"\nlimit = \"2MiB\"", "quarter");
}

/* As at a reload: another limit, for example. */
TEST(an_instance_that_takes_the_place_of_another_waits_for_its_end)
{
    struct aff_harness *h = aff_harness_open("out_lmdb", archive_new("")), *second, *q;

    push_both(h, 3);
    assert_int_equal(aff_harness_try_open("out_lmdb", toml, &second), AFF_OK);
    EXPECT_STATUS(aff_harness_push(second, "in", "bytes", "x", 1), AFF_OK);
    EXPECT_STATUS(aff_harness_sync(second), AFF_ERR_IO);
    EXPECT_CAUSE(second, "before the reload");
    push_both(h, 3);
    aff_harness_close(&h);
    EXPECT_STATUS(aff_harness_sync(second), AFF_OK);
    EXPECT_METRIC(second, "stored", 1);
    aff_harness_close(&second);
    assert_int_equal(query_all(NULL, NULL, &q), 13);
    aff_harness_close(&q);
    archive_remove();
}

AFF_TEST_MAIN(what_was_written_is_found_with_its_schema,
              the_same_records_again_are_counted_as_repeated,
              every_host_call_may_fail,
              a_full_archive_stops_intake_and_says_what_to_do,
              wrong_options_are_refused,
              an_instance_that_takes_the_place_of_another_waits_for_its_end)
