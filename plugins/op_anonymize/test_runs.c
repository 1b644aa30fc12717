/* SPDX-License-Identifier: Apache-2.0
 *
 * test_runs.c - the same comes out however the plugin is called: cut otherwise,
 * restarted, with calls that fail, with more streams and schemas than it keeps
 * at hand, and with rows that no honest source makes. */
#include "test_bench.h"

#include <stdio.h>
#include <string.h>

static uint64_t digest_of(uint32_t cut, int restart)
{
    struct aff_harness *h = bench_plugin(patient_rules);
    char subject[16], postcode[8];
    uint64_t digest;

    aff_harness_cut(h, cut);
    for (int i = 0; i < 300; i++) {
        (void)snprintf(subject, sizeof subject, "p%d", i % 7);
        (void)snprintf(postcode, sizeof postcode, "%05d", i);
        (void)patient_push(h, patient_stream(h, subject), NOON + i * INT64_C(1000000000), i % 121, postcode);
        if (restart && i == 150)
            aff_harness_restart(h);
    }
    digest = aff_harness_digest(h);
    (void)bench_take_clean(h, "rows", NULL);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    return digest;
}

TEST(cuts_and_restarts_change_nothing_that_comes_out)
{
    uint64_t whole;

    bench_open();
    whole = digest_of(64, 0);
    assert_true(digest_of(1, 0) == whole);
    assert_true(digest_of(0, 0) == whole);
    assert_true(digest_of(0, 1) == whole);
    bench_close();
}

static void few_rows(void)
{
    char toml[1024];
    struct aff_harness *h;
    size_t count = 0;
    uint32_t a, b;

    (void)snprintf(toml, sizeof toml, "%squasi = [\"age\", \"postcode\"]", patient_rules);
    h = bench_plugin(toml);
    a = patient_stream(h, "a " CANARY);
    b = patient_stream(h, "b");
    aff_harness_cut(h, 3);
    for (int i = 0; i < 6; i++)
        (void)patient_push(h, i % 2 ? a : b, NOON + i, 60 + i, "10115");
    EXPECT_STATUS(aff_harness_end_stream(h, "rows", a), AFF_OK);
    (void)bench_take_clean(h, "rows", &count);
    assert_int_equal(count, 7);
    EXPECT_METRIC(h, "rows", 6);
    EXPECT_METRIC(h, "combinations", 2);
    bench_silent(h);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(a_host_call_that_fails_is_made_again_and_counts_once)
{
    bench_open();
    AFF_EACH_HOST_CALL_FAILS_ONCE(few_rows);
    bench_close();
}

/* 4096 streams fit: the last ones take the places of the first. */
TEST(more_streams_than_the_table_of_identities_keep_theirs)
{
    enum { SUBJECTS = 1500, STREAMS = 4200 };
    static int64_t shifts[SUBJECTS];
    static uint32_t outside[STREAMS];
    struct aff_harness *h;
    char subject[16], name[16];

    bench_open();
    memset(shifts, 0, sizeof shifts);
    h = bench_plugin("columns = { heart_rate = \"keep\" }");
    for (int i = 0; i < 2 * STREAMS; i++) {
        const struct aff_record *r;
        int stream = i % STREAMS, whose = stream % SUBJECTS;

        (void)snprintf(subject, sizeof subject, "p%d", whose);
        (void)snprintf(name, sizeof name, "s%d", stream / SUBJECTS);
        EXPECT_STATUS(patient_push(h, aff_harness_stream(h, subject, name, &patient_schema), NOON, 64, "1"), AFF_OK);
        r = aff_harness_take(h, "rows");
        assert_true(!shifts[whose] || r->event_ns == shifts[whose]);
        assert_true(i < STREAMS || r->stream == outside[stream]);
        shifts[whose] = r->event_ns;
        outside[stream] = r->stream;
        if (i % 512 == 0)
            aff_harness_discard(h, "rows");
    }
    EXPECT_METRIC(h, "rows", 2 * STREAMS);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    bench_close();
}

/* 64 plans fit. */
TEST(more_schemas_than_there_are_plans_for_are_worked_out_again)
{
    enum { SCHEMAS = 150 };
    struct aff_column columns[2] = { { .name = "heart_rate", .type = AFF_INT }, { .type = AFF_TEXT } };
    struct aff_schema schema = { .struct_size = sizeof schema, .type = AFF_FIELDS, .columns = columns, .count = 2,
                                 .stride = sizeof *columns };
    struct aff_harness *h;
    uint32_t streams[SCHEMAS];
    size_t count;

    bench_open();
    h = bench_plugin("columns = { heart_rate = \"keep\" }");
    for (int i = 0; i < SCHEMAS; i++) {
        char name[24];

        (void)snprintf(name, sizeof name, "column%d", i);
        columns[i % 2].name = name;
        columns[i % 2].type = AFF_TEXT;
        columns[1 - i % 2] = (struct aff_column){ .name = "heart_rate", .type = AFF_INT };
        streams[i] = aff_harness_stream(h, "a", name, &schema);
    }
    for (int i = 0; i < 3 * SCHEMAS; i++) {
        struct aff_cell cells[2] = { AFF_CELL_TEXT(CANARY), AFF_CELL_TEXT(CANARY) };
        int at = i % SCHEMAS;

        cells[1 - at % 2] = (struct aff_cell)AFF_CELL_INT(i);
        EXPECT_STATUS(aff_harness_push_row(h, "rows", streams[at], cells, 2), AFF_OK);
        assert_int_equal(aff_harness_int(h, bench_take_clean(h, "rows", &count), "heart_rate"), i);
        assert_int_equal(count, 1);
    }
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    bench_close();
}

/* ---- hostile rows ---- */

static aff_status raw_push(struct aff_harness *h, uint32_t stream, void *data, uint32_t size)
{
    struct aff_record r = { .event_ns = NOON, .data = data, .size = size, .stream = stream };

    return aff_harness_push_record(h, "rows", &r);
}

TEST(a_text_that_points_into_other_cells_or_outside_is_left_out)
{
    static const uint64_t places[] = { 0, 8, 1u << 30, UINT64_C(0xffffffff) << 32 | 88, UINT64_C(8) << 32 | 16,
                                       UINT64_C(200) << 32 | 88, UINT64_MAX };
    struct aff_harness *h;
    uint32_t s;

    bench_open();
    h = bench_plugin("columns = { note = \"keep\" }");
    s = patient_stream(h, "a");
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        uint64_t row[11] = { (1u << NOTE) | (1u << VISIT) };

        row[1 + VISIT] = (uint64_t)CANARY_INT;
        row[1 + NOTE] = places[i];
        (void)raw_push(h, s, row, sizeof row);
    }
    (void)bench_take_clean(h, "rows", NULL);
    EXPECT_METRIC(h, "left_out", sizeof places / sizeof *places);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    bench_close();
}

TEST(a_row_that_is_shorter_than_its_schema_is_set_aside)
{
    struct aff_harness *h;
    uint64_t row[2] = { 1, 2 };

    bench_open();
    h = bench_plugin("columns = { note = \"keep\" }");
    (void)raw_push(h, patient_stream(h, "a"), row, sizeof row);
    (void)raw_push(h, patient_stream(h, "a"), row, 0);
    EXPECT_VERDICT(h, "bad_record", 2);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    bench_close();
}

AFF_TEST_MAIN(cuts_and_restarts_change_nothing_that_comes_out, a_host_call_that_fails_is_made_again_and_counts_once,
              more_streams_than_the_table_of_identities_keep_theirs,
              more_schemas_than_there_are_plans_for_are_worked_out_again,
              a_text_that_points_into_other_cells_or_outside_is_left_out,
              a_row_that_is_shorter_than_its_schema_is_set_aside)
