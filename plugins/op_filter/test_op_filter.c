/* SPDX-License-Identifier: Apache-2.0
 *
 * test_op_filter.c - the plugin as a host sees it: options, streams, gaps.
 *
 * What the filters do to a signal is proved in test_core.c; here, that each
 * stream gets its own, whatever else flows through the node. */
#include <afferent/testkit.h>

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BAND "band = { low = \"0.5Hz\", high = \"40Hz\", order = 2 }\n"

static void wave_make(int16_t *x, uint32_t n, uint32_t seed)
{
    for (uint32_t i = 0; i < n; i++) {
        seed = seed * 1664525u + 1013904223u;
        x[i] = (int16_t)((int32_t)(seed >> 16) - 32768);
    }
}

static void push_wave(struct aff_harness *h, uint32_t stream, uint32_t seed, uint16_t flags)
{
    int16_t x[200];

    wave_make(x, 200, seed);
    aff_harness_push_samples(h, "in", stream, x, 200, flags);
}

TEST(wrong_options_are_refused_with_what_to_do)
{
    assert_null(aff_harness_check("op_filter", BAND));
    EXPECT_REFUSED("op_filter", "", "at least one of high, low, band, stop, notch");
    EXPECT_REFUSED("op_filter", "band = { low = \"40Hz\", high = \"0.5Hz\" }", "exchange them");
    EXPECT_REFUSED("op_filter", "stop = { low = \"50Hz\", high = \"50Hz\" }", "exchange them");
    EXPECT_REFUSED("op_filter", "low = { freq = \"40Hz\", order = 9 }", "order");
    EXPECT_REFUSED("op_filter", "low = { freq = \"0Hz\" }", "freq");
    EXPECT_REFUSED("op_filter", "low = { order = 2 }", "freq");
    EXPECT_REFUSED("op_filter", "notch = { freq = \"50Hz\", q = 0.1 }", "q");
}

/* A constant at a baseline stays where it is, of every format, from the first
 * sample on. */
TEST(a_baseline_stays_and_makes_no_transient)
{
    static const struct aff_column lead = { .name = "II", .unit = "mV", .gain = 200, .baseline = 1024 };
    struct aff_schema schema = { sizeof schema, AFF_SAMPLES, AFF_I16, 0, 0, "ecg", &lead, 1,
                                 sizeof lead, 360, 1 };
    struct aff_harness *h = aff_harness_open("op_filter", BAND);
    uint32_t stream = aff_harness_stream(h, "A", "ecg", &schema);
    int16_t flat[] = { 1024, 1024, 1024, 1024 };
    int32_t flat32[] = { 1024, 1024 };
    float flat_f[] = { 1024.0f, 1024.0f };

    aff_harness_push_samples(h, "in", stream, flat, 4, 0);
    EXPECT_I16(h, "out", 1024, 1024, 1024, 1024);
    schema.format = AFF_I32;
    aff_harness_push_samples(h, "in", aff_harness_stream(h, "B", "ecg", &schema), flat32, 2, 0);
    EXPECT_I32(h, "out", 1024, 1024);
    schema.format = AFF_F32;
    aff_harness_push_samples(h, "in", aff_harness_stream(h, "C", "ecg", &schema), flat_f, 2, 0);
    EXPECT_F32(h, "out", 1024.0f, 1024.0f);
    EXPECT_METRIC(h, "settled", 3);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(channels_of_a_record_do_not_touch_each_other)
{
    struct aff_harness *h = aff_harness_open("op_filter", "high = { freq = \"1Hz\" }");
    uint32_t stream = aff_harness_samples_stream(h, "ecg", AFF_I16, 2, 250);
    int16_t planes[] = { 0, 1000, 0, 7, 7, 7 };
    const struct aff_record *r = NULL;

    aff_harness_push_samples(h, "in", stream, planes, 3, 0);
    r = aff_harness_take(h, "out");
    assert_int_equal(((int16_t *)aff_plane(r, 0))[0], 0);
    assert_in_range(((int16_t *)aff_plane(r, 0))[1], 970, 999);
    for (int i = 0; i < 3; i++)
        assert_int_equal(((int16_t *)aff_plane(r, 1))[i], 0);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

/* What a record comes out as that follows `count` others; GAP or a jump if told. */
static uint64_t behind(uint32_t count, uint16_t flags, int64_t jump)
{
    struct aff_harness *h = aff_harness_open("op_filter", BAND);
    uint32_t stream = aff_harness_samples_stream(h, "ecg", AFF_I16, 1, 360);
    const struct aff_record *r = NULL;
    uint64_t hash = 14695981039346656037u;

    for (uint32_t i = 0; i < count; i++)
        push_wave(h, stream, i, 0);
    aff_harness_seek(h, stream, 200 * (int64_t)count + jump, 0);
    push_wave(h, stream, 99, flags);
    for (uint32_t i = 0; i <= count; i++)
        r = aff_harness_take(h, "out");
    for (size_t i = sizeof(struct aff_samples); i < r->size; i++)
        hash = (hash ^ ((const unsigned char *)r->data)[i]) * 1099511628211u;
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    return hash;
}

TEST(a_gap_or_a_jump_begins_the_stream_anew)
{
    uint64_t alone = behind(0, 0, 0);

    assert_true(behind(3, 0, 0) != alone);
    assert_true(behind(3, AFF_FLAG_GAP, 0) == alone);
    assert_true(behind(3, 0, 1) == alone);
    assert_true(behind(3, 0, -200) == alone);
    assert_true(behind(3, 0, INT64_MAX / 2) == alone);
}

TEST(a_rate_that_is_too_slow_makes_dead_letters_of_that_stream_alone)
{
    struct aff_harness *h = aff_harness_open("op_filter", BAND);
    uint32_t slow = aff_harness_samples_stream(h, "slow", AFF_I16, 1, 80);
    uint32_t good = aff_harness_samples_stream(h, "good", AFF_I16, 1, 81);

    push_wave(h, slow, 1, 0);
    EXPECT_CAUSE(h, "edge at 40 Hz is not below half the sampling rate of 80 Hz");
    push_wave(h, good, 1, 0);
    push_wave(h, slow, 2, 0);
    EXPECT_DEAD(h, 2);
    EXPECT_WAITING(h, "out", 1);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(more_channels_than_there_is_room_for_are_dead_letters)
{
    struct aff_harness *h = aff_harness_open("op_filter", BAND "channels = 2");
    uint32_t two = aff_harness_samples_stream(h, "two", AFF_I16, 2, 360);
    uint32_t three = aff_harness_samples_stream(h, "three", AFF_I16, 3, 360);
    int16_t x[3] = { 0 };

    aff_harness_push_samples(h, "in", two, x, 1, 0);
    aff_harness_push_samples(h, "in", three, x, 1, 0);
    EXPECT_CAUSE(h, "set channels = 3");
    EXPECT_DEAD(h, 1);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(clipped_samples_are_counted)
{
    struct aff_harness *h = aff_harness_open("op_filter", "high = { freq = \"1Hz\" }");
    int16_t x[] = { -32767, 32767, 32767, INT16_MIN, 5 };

    aff_harness_push(h, "in", "samples/i16", x, sizeof x);
    EXPECT_I16(h, "out", 0, 32767, 32767, INT16_MIN, 0);
    EXPECT_METRIC(h, "clipped", 2);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(a_restart_changes_no_sample)
{
    uint64_t digest[2] = { 0 };

    for (int k = 0; k < 2; k++) {
        struct aff_harness *h = aff_harness_open("op_filter", BAND "notch = { freq = \"50Hz\" }");
        uint32_t stream = aff_harness_samples_stream(h, "ecg", AFF_I16, 1, 360);

        for (uint32_t i = 0; i < 20; i++) {
            push_wave(h, stream, i, 0);
            if (k && i % 3 == 0)
                aff_harness_restart(h);
        }
        digest[k] = aff_harness_digest(h);
        EXPECT_BALANCED(h);
        aff_harness_close(&h);
    }
    assert_true(digest[0] == digest[1]);
}

/* --- two hundred streams ------------------------------------------------ */

#define STREAMS 200
#define RECORDS 12
#define OUT_MAX (RECORDS * 1200u)

struct bed {
    uint32_t stream;
    uint32_t sent;
    uint32_t used;
    unsigned char out[OUT_MAX];
};

/* Formats, channels, rates and lengths differ, and there are more rates than
 * the node keeps designs. */
static uint32_t bed_stream(struct aff_harness *h, uint32_t bed)
{
    char name[16];

    snprintf(name, sizeof name, "bed %u", (unsigned)bed);
    return aff_harness_samples_stream(h, name, (uint8_t)(AFF_I16 + bed % 3), (uint16_t)(1 + bed % 2),
                                      100 + 37 * (bed % 11));
}

static void bed_push(struct aff_harness *h, uint32_t bed, uint32_t stream, uint32_t record)
{
    uint32_t n = 20 + (bed * 7 + record * 13) % 100, seed = bed * 1000 + record;
    uint16_t flags = seed % 41 == 0 ? AFF_FLAG_GAP : 0;
    int32_t cells[240];
    int16_t small[240];
    float real[240];

    for (uint32_t i = 0; i < 240; i++) {
        seed = seed * 1664525u + 1013904223u;
        cells[i] = (int32_t)seed / 2;
        small[i] = (int16_t)(cells[i] / 65536);
        real[i] = seed >> 24 == 1 ? NAN : (float)cells[i] / 1e6f;
    }
    if (bed % 3 == 0)
        aff_harness_push_samples(h, "in", stream, small, n, flags);
    else if (bed % 3 == 1)
        aff_harness_push_samples(h, "in", stream, cells, n, flags);
    else
        aff_harness_push_samples(h, "in", stream, real, n, flags);
}

static void beds_collect(struct aff_harness *h, struct bed *beds, uint32_t from, uint32_t to)
{
    const struct aff_record *r = NULL;

    while ((r = aff_harness_take(h, "out")) != NULL) {
        for (uint32_t k = from; k < to; k++) {
            struct bed *b = &beds[k];

            if (b->stream != r->stream)
                continue;
            assert_true(b->used + r->size <= OUT_MAX);
            memcpy(b->out + b->used, r->data, r->size);
            b->used += r->size;
        }
    }
}

TEST(two_hundred_interleaved_streams_give_what_each_gives_alone)
{
    struct bed *mixed = calloc(STREAMS, sizeof *mixed), *alone = calloc(STREAMS, sizeof *alone);
    struct aff_harness *h = aff_harness_open("op_filter", "band = { low = \"2Hz\", high = \"30Hz\" }");
    uint32_t left = STREAMS * RECORDS;
    unsigned seed = 2024;

    assert_true(mixed && alone);
    for (uint32_t k = 0; k < STREAMS; k++)
        mixed[k].stream = bed_stream(h, k);
    aff_harness_cut(h, 0);
    while (left > 0) {
        uint32_t k = (uint32_t)rand_r(&seed) % STREAMS;

        if (mixed[k].sent == RECORDS)
            continue;
        bed_push(h, k, mixed[k].stream, mixed[k].sent++);
        left--;
    }
    aff_harness_flush(h);
    beds_collect(h, mixed, 0, STREAMS);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    for (uint32_t k = 0; k < STREAMS; k++) {
        h = aff_harness_open("op_filter", "band = { low = \"2Hz\", high = \"30Hz\" }");
        alone[k].stream = bed_stream(h, k);
        for (uint32_t i = 0; i < RECORDS; i++)
            bed_push(h, k, alone[k].stream, i);
        beds_collect(h, alone, k, k + 1);
        aff_harness_close(&h);
        assert_true(alone[k].used > 0);
        assert_int_equal(alone[k].used, mixed[k].used);
        assert_memory_equal(alone[k].out, mixed[k].out, alone[k].used);
    }
    free(mixed);
    free(alone);
}

static void a_plain_run(void)
{
    struct aff_harness *h = aff_harness_open("op_filter", BAND);
    uint32_t stream = aff_harness_samples_stream(h, "ecg", AFF_I16, 1, 360);

    push_wave(h, stream, 1, 0);
    push_wave(h, stream, 2, 0);
    EXPECT_WAITING(h, "out", 2);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(each_failing_host_call_is_survived)
{
    AFF_EACH_HOST_CALL_FAILS_ONCE(a_plain_run);
}

AFF_TEST_MAIN(wrong_options_are_refused_with_what_to_do, a_baseline_stays_and_makes_no_transient,
              channels_of_a_record_do_not_touch_each_other, a_gap_or_a_jump_begins_the_stream_anew,
              a_rate_that_is_too_slow_makes_dead_letters_of_that_stream_alone,
              more_channels_than_there_is_room_for_are_dead_letters, clipped_samples_are_counted,
              a_restart_changes_no_sample,
              two_hundred_interleaved_streams_give_what_each_gives_alone,
              each_failing_host_call_is_survived)
