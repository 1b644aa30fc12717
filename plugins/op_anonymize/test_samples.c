/* SPDX-License-Identifier: Apache-2.0
 *
 * test_samples.c - signals through the plugin: the same samples, and nothing of
 * whose they are. */
#include "anonymize.h"
#include "test_bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY INT64_C(86400000000000)
#define START INT64_C(1717243200000000000)

enum { COUNT = 13, CHANNELS = 4 };

static const struct aff_column leads[CHANNELS] = {
    { .name = "mlii", .unit = "mV", .gain = 200, .baseline = 1024 },
    { .name = CANARY, .unit = CANARY, .code = CANARY, .gain = 100 },
    { .name = "MLII", .unit = "uV", .gain = 1 },
    { .name = "V5", .gain = 400, .baseline = -3 },
};
static const struct aff_schema ecg = {
    .struct_size = sizeof(struct aff_schema), .type = AFF_SAMPLES, .format = AFF_I16, .label = AFF_LABEL_PHI,
    .name = CANARY, .columns = leads, .count = CHANNELS, .stride = sizeof(struct aff_column), .rate_num = 360,
    .rate_den = 1,
};

static int16_t sample_at(unsigned channel, unsigned i)
{
    return (int16_t)(1000 * channel + i);
}

/* A record with canaries where nobody looks: between the planes and behind. */
static aff_status signal_push(struct aff_harness *h, uint32_t stream, int64_t event_ns, uint16_t flags)
{
    static uint64_t payload[64];
    struct aff_samples head = { .first = 77, .count = COUNT, .channels = CHANNELS, .format = AFF_I16, .reserved = 'C' };
    size_t whole = aff_samples_size(COUNT, CHANNELS, AFF_I16);
    struct aff_record r = { .event_ns = event_ns, .data = payload, .size = (uint32_t)whole + 16, .stream = stream,
                            .flags = flags, .clock = AFF_CLOCK_RECORDED };

    for (size_t i = 0; i < sizeof payload / 8; i++)
        memcpy(payload + i, CANARY, 8);
    memcpy(payload, &head, sizeof head);
    for (uint16_t k = 0; k < CHANNELS; k++)
        for (unsigned i = 0; i < COUNT; i++)
            ((int16_t *)aff_plane(&r, k))[i] = sample_at(k, i);
    return aff_harness_push_record(h, "samples", &r);
}

static void planes_check(const struct aff_record *r)
{
    const struct aff_samples *head = r->data;

    assert_int_equal(r->size, aff_samples_size(COUNT, CHANNELS, AFF_I16));
    assert_int_equal(head->first, 77);
    assert_int_equal(head->reserved, 0);
    for (uint16_t k = 0; k < CHANNELS; k++) {
        const int16_t *plane = aff_plane(r, k);

        for (unsigned i = 0; i < COUNT; i++)
            assert_int_equal(plane[i], sample_at(k, i));
        for (unsigned i = COUNT; i < 16; i++)
            assert_int_equal(plane[i], 0);
    }
}

TEST(samples_pass_under_another_identity_with_standard_names_only)
{
    struct aff_harness *h;
    const struct aff_record *r;
    const struct aff_schema *s;

    bench_open();
    h = bench_plugin("");
    EXPECT_STATUS(signal_push(h, aff_harness_stream(h, "Maria " CANARY, "ecg " CANARY, &ecg), START, AFF_FLAG_GAP),
                  AFF_OK);
    r = bench_take_clean(h, "samples", NULL);
    planes_check(r);
    assert_int_equal(r->flags, AFF_FLAG_GAP);
    assert_int_equal(r->clock, AFF_CLOCK_RECORDED);
    assert_true(r->event_ns < START && (START - r->event_ns) % DAY == 0);
    s = aff_harness_schema(h, r);
    assert_string_equal(s->name, "signal");
    assert_int_equal(s->label, AFF_LABEL_NONE);
    assert_int_equal(s->rate_num, 360);
    assert_string_equal(s->columns[0].name, "MLII");
    assert_string_equal(s->columns[0].unit, "mV");
    assert_true(s->columns[0].gain > 199 && s->columns[0].baseline > 1023);
    assert_string_equal(s->columns[1].name, "ch2");
    assert_null(s->columns[1].unit);
    assert_null(s->columns[1].code);
    assert_string_equal(s->columns[2].name, "ch3"); /* MLII is there already */
    assert_string_equal(s->columns[3].name, "V5");
    bench_silent(h);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    bench_close();
}

TEST(samples_and_rows_of_a_subject_stay_together)
{
    struct aff_harness *h;
    const struct aff_record *row, *signal;

    bench_open();
    h = bench_plugin(patient_rules);
    EXPECT_STATUS(signal_push(h, aff_harness_stream(h, "a", "ecg", &ecg), START, 0), AFF_OK);
    EXPECT_STATUS(patient_push(h, aff_harness_stream(h, "a", "vitals", &patient_schema), START + 5, 60, "10115"), AFF_OK);
    row = aff_harness_take(h, "rows");
    signal = aff_harness_take(h, "samples");
    assert_int_equal(row->subject, signal->subject);
    assert_int_not_equal(row->stream, signal->stream);
    assert_true(row->event_ns - signal->event_ns == 5);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    bench_close();
}

TEST(signals_of_dropped_subjects_stay_apart_under_names_that_tell_nothing)
{
    struct aff_harness *h;
    const struct aff_record *a, *b;
    uint32_t stream;

    bench_open();
    h = bench_plugin("subject = \"drop\"\nstreams = { ecg = \"ecg\" }");
    stream = aff_harness_stream(h, CANARY, "ecg", &ecg);
    EXPECT_STATUS(signal_push(h, stream, START, 0), AFF_OK);
    EXPECT_STATUS(signal_push(h, aff_harness_stream(h, "b", "ecg", &ecg), START, 0), AFF_OK);
    a = aff_harness_take(h, "samples");
    b = aff_harness_take(h, "samples");
    assert_int_equal(a->subject, b->subject);
    assert_int_not_equal(a->stream, b->stream);
    assert_memory_equal(aff_harness_stream_info(h, a->stream)->name, "ecg-s-", 6);
    EXPECT_STATUS(aff_harness_end_stream(h, "samples", stream), AFF_OK);
    EXPECT_WAITING(h, "samples", 1);
    (void)bench_take_clean(h, "samples", NULL);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    bench_close();
}

/* No host hands on such records, so the plugin is asked without one. */
static const struct aff_schema *fake_schema_info(const struct aff_host *host, uint32_t schema)
{
    (void)host;
    return schema ? &ecg : NULL;
}

static uint32_t fake_schema(const struct aff_host *host, const struct aff_schema *schema)
{
    (void)host;
    return schema->count;
}

TEST(samples_that_are_not_what_their_schema_says_are_set_aside)
{
    static const struct aff_samples heads[] = {
        { .count = 1, .channels = CHANNELS - 1, .format = AFF_I16 },
        { .count = 1, .channels = CHANNELS + 1, .format = AFF_I16 },
        { .count = 1, .channels = CHANNELS, .format = AFF_F32 },
        { .count = 1, .channels = CHANNELS, .format = 0 },
        { .count = UINT32_MAX, .channels = CHANNELS, .format = AFF_I16 },
    };
    static const struct aff_host host = { .schema_info = fake_schema_info, .schema = fake_schema };
    static struct anonymize a;
    static struct aff_column columns[CHANNELS_MOST];
    static char channels[CHANNELS_MOST][CHANNEL_CHARS];
    uint64_t payload[16] = { 0 };
    struct aff_record r = { .data = payload, .size = sizeof payload, .schema = 1 };

    a = (struct anonymize){ .host = &host, .columns = columns, .channels = channels };
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        uint8_t verdict = 0;

        memcpy(payload, &heads[i], sizeof heads[i]);
        assert_int_equal(samples_change(&a, &r, 0, &verdict), AFF_OK);
        assert_int_equal(verdict, VERDICT_BAD_RECORD);
    }
}

static struct aff_column many[1025];

TEST(a_thousand_channels_pass_and_more_are_set_aside)
{
    struct aff_schema wide = { .struct_size = sizeof wide, .type = AFF_SAMPLES, .format = AFF_I16, .columns = many,
                               .count = 1024, .stride = sizeof *many, .rate_num = 1, .rate_den = 1 };
    static int16_t values[1025];
    struct aff_harness *h;
    const struct aff_record *r;

    for (unsigned i = 0; i < 1025; i++)
        many[i] = (struct aff_column){ .name = CANARY, .gain = 1 };
    bench_open();
    h = bench_plugin("");
    EXPECT_STATUS(aff_harness_push_samples(h, "samples", aff_harness_stream(h, "a", "w", &wide), values, 1, 0), AFF_OK);
    r = bench_take_clean(h, "samples", NULL);
    assert_string_equal(aff_harness_schema(h, r)->columns[1023].name, "ch1024");
    wide.count = 1025;
    EXPECT_STATUS(aff_harness_push_samples(h, "samples", aff_harness_stream(h, "a", "x", &wide), values, 1, 0), AFF_OK);
    EXPECT_VERDICT(h, "bad_record", 1);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    bench_close();
}

static void few_signals(void)
{
    struct aff_harness *h = bench_plugin("");
    uint32_t s = aff_harness_stream(h, "a", "ecg", &ecg);
    const struct aff_record *r;

    aff_harness_cut(h, 2);
    for (int i = 0; i < 4; i++)
        (void)signal_push(h, s, START + i, 0);
    EXPECT_STATUS(aff_harness_end_stream(h, "samples", s), AFF_OK);
    for (int i = 0; i < 4; i++) {
        r = aff_harness_take(h, "samples");
        assert_non_null(r);
        planes_check(r);
    }
    EXPECT_METRIC(h, "sample_records", 4);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(a_host_call_that_fails_loses_no_signal)
{
    bench_open();
    AFF_EACH_HOST_CALL_FAILS_ONCE(few_signals);
    bench_close();
}

AFF_TEST_MAIN(samples_pass_under_another_identity_with_standard_names_only, samples_and_rows_of_a_subject_stay_together,
              signals_of_dropped_subjects_stay_apart_under_names_that_tell_nothing,
              samples_that_are_not_what_their_schema_says_are_set_aside,
              a_thousand_channels_pass_and_more_are_set_aside, a_host_call_that_fails_loses_no_signal)
