/* SPDX-License-Identifier: Apache-2.0
 *
 * test_in_edf.c - the source as a host sees it: shared recordings by their sums,
 * order of time, pace, dates, restart, failing host calls. Damaged files:
 * test_hostile.c; the reader alone: test_core.c. */
#include "recording/sha256.h"
#include "test_make.h"

TEST(wrong_options_are_refused_with_what_to_do)
{
    assert_null(aff_harness_check("in_edf", "path = \"a.edf\""));
    assert_null(aff_harness_check("in_edf", "path = [\"a.edf\", \"b\"]\nsignals = [\"EEG Fpz-Cz\"]\nblock = \"1s\""));
    EXPECT_REFUSED("in_edf", "", "path");
    EXPECT_REFUSED("in_edf", "path = []", "path");
    EXPECT_REFUSED("in_edf", "path = \"a\"\nstart = \"yesterday\"", "date and time");
    EXPECT_REFUSED("in_edf", "path = \"a\"\npace = \"slow\"", "pace");
    EXPECT_REFUSED("in_edf", "path = \"a\"\nblock = \"0s\"", "block");
}

TEST(a_path_that_is_not_there_is_tried_again)
{
    struct aff_harness *h;

    EXPECT_STATUS(aff_harness_try_open("in_edf", "path = \"/nowhere/at/all.edf\"", &h), AFF_ERR_IO);
    EXPECT_CAUSE(h, "No such file");
    aff_harness_close(&h);
}

/* ---- the shared recordings through the port ---- */

struct sums {
    struct sha256 sum[11];
    char want[11][65], label[11][32];
};

static void sums_load(struct sums *s)
{
    FILE *f = fopen(aff_test_data("wfdb-formats/expected-test_generator_2.edf.tsv"), "r");
    char line[512];
    int i;

    assert_non_null(f);
    assert_non_null(fgets(line, sizeof line, f));
    assert_non_null(fgets(line, sizeof line, f));
    for (i = 0; i < 11; i++) {
        assert_non_null(fgets(line, sizeof line, f));
        assert_int_equal(sscanf(line, "%*d\t%31[^\t]", s->label[i]), 1);
        assert_int_equal(sscanf(strrchr(line, '\t'), "%64s", s->want[i]), 1);
        sha256_begin(&s->sum[i]);
    }
    (void)fclose(f);
}

static void samples_check(struct aff_harness *h, const struct aff_record *r, struct sums *s)
{
    const struct aff_schema *schema = aff_harness_schema(h, r);
    const struct aff_samples *head = aff_samples_of(r);
    uint16_t c;

    assert_int_equal(head->channels, 11);
    assert_int_equal(head->format, AFF_I16);
    assert_int_equal(r->event_ns, INT64_C(1260449042000000000) + head->first * 5000000); /* 2009-12-10 12:44:02 */
    assert_int_equal(r->clock, AFF_CLOCK_RECORDED);
    assert_int_equal(r->flags & (AFF_FLAG_GAP | AFF_FLAG_SUSPECT), 0);
    assert_true(schema->rate_num == 200 && schema->rate_den == 1);
    for (c = 0; c < 11; c++) {
        const struct aff_column *k = (const void *)((const char *)schema->columns + c * schema->stride);

        assert_string_equal(k->name, s->label[c]);
        assert_string_equal(k->unit, c == 8 || c == 9 ? "deg" : "uV");
        assert_int_equal(k->label, AFF_LABEL_PHI);
        assert_true(k->gain * 2000 >= 65535 && k->gain * 2000 <= 65535);
        assert_true(k->baseline >= -0.5 && k->baseline <= -0.5);
        sha256_add(&s->sum[c], aff_plane(r, c), head->count * 2u);
        assert_int_equal(head->count, 50); /* 100 bytes of 104: the same padding each time */
        assert_int_equal(((const int16_t *)aff_plane(r, c))[50] | ((const int16_t *)aff_plane(r, c))[51], 0);
    }
}

TEST(a_recording_comes_whole_in_order_of_time_with_its_published_sums)
{
    static const char *const texts[] = { "RECORD START", "REC STOP" };
    struct aff_harness *h = opened("wfdb-formats/test_generator_2.edf", "");
    const struct aff_record *s, *a;
    static struct sums sums;
    int64_t first = 0;
    char hex[65];
    int marks = 0, i;
    aff_status st;

    sums_load(&sums);
    do {
        st = aff_harness_read(h, 64);
        while ((s = aff_harness_take(h, "samples")) && !(s->flags & AFF_FLAG_END)) {
            assert_int_equal(aff_samples_of(s)->first, first);
            samples_check(h, s, &sums);
            first += aff_samples_of(s)->count;
            assert_string_equal(aff_harness_stream_info(h, s->stream)->name, "200Hz");
            assert_string_equal(aff_harness_stream_info(h, s->stream)->subject_name, "test_generator_2");
        }
        while ((a = aff_harness_take(h, "annotations")) && !(a->flags & AFF_FLAG_END)) {
            assert_string_equal(aff_harness_text(h, a, "text"), texts[marks]);
            assert_int_equal(a->event_ns, INT64_C(1260449042000000000) + marks * INT64_C(600000000000));
            assert_int_equal(aff_harness_int(h, a, "start"), INT64_C(1260449042000000000));
            assert_true(aff_harness_real(h, a, "duration") != aff_harness_real(h, a, "duration")); /* absent */
            assert_true(first >= marks * 119000);
            marks++;
        }
    } while (st == AFF_OK);
    EXPECT_STATUS(st, AFF_END);
    assert_int_equal(first, 120000);
    assert_int_equal(marks, 2);
    for (i = 0; i < 11; i++) {
        sha256_end(&sums.sum[i], hex);
        assert_string_equal(hex, sums.want[i]);
    }
    EXPECT_METRIC(h, "files_short", 0);
    EXPECT_METRIC(h, "annotations_unordered", 0);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(a_file_of_annotations_alone_comes_whole)
{
    struct aff_harness *h = opened("wfdb-formats/test_edfann.edf", "");
    const int64_t start = INT64_C(978393570000000000); /* 2001-01-01 23:59:30, what the header has */
    const struct aff_record *a;
    int n = 0;

    EXPECT_STATUS(aff_harness_read_all(h, 64, 0), AFF_END);
    EXPECT_NOTHING(h, "samples");
    while ((a = aff_harness_take(h, "annotations")) && !(a->flags & AFF_FLAG_END)) {
        if (n == 0) {
            assert_string_equal(aff_harness_text(h, a, "text"), "Sleep stage W");
            assert_int_equal(a->event_ns, start);
            assert_true(aff_harness_real(h, a, "duration") >= 30 && aff_harness_real(h, a, "duration") <= 30);
        }
        if (n == 2) {
            assert_string_equal(aff_harness_text(h, a, "text"), "Lights off@@EEG F4-A1");
            assert_int_equal(a->event_ns, start + INT64_C(33430000000));
            assert_true(aff_harness_real(h, a, "onset") > 33.4299 && aff_harness_real(h, a, "onset") < 33.4301);
            assert_true(aff_harness_real(h, a, "duration") >= 0 && aff_harness_real(h, a, "duration") <= 0);
            assert_int_equal(aff_harness_int(h, a, "record"), 0);
        }
        n++;
    }
    assert_int_equal(n, 856);
    EXPECT_METRIC(h, "annotations", 856);
    EXPECT_DEAD(h, 0);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(output_is_the_same_however_it_is_asked_for)
{
    uint64_t one = digest_of("wfdb-formats/test_generator_2.edf", "", 1);

    assert_true(one == digest_of("wfdb-formats/test_generator_2.edf", "", 64));
    assert_true(one == digest_of("wfdb-formats/test_generator_2.edf", "", 7));
    assert_true(one != digest_of("wfdb-formats/test_generator_2.edf", "signals = [\"ECG\"]", 7));
}

TEST(a_restart_goes_on_where_it_was)
{
    expect_restarts("wfdb-formats/test_generator_2.edf", "block = \"1s\"", "samples", 37, 600);
    expect_restarts("wfdb-formats/test_edfann.edf", "block = \"1s\"", "annotations", 100, 856);
}

TEST(at_real_time_a_second_of_signal_takes_a_second)
{
    expect_realtime("wfdb-formats/test_generator_2.edf", 2000);
}

/* ---- files of our own ---- */

static const struct made_signal both[2] = { { .label = "EEG", .samples = "4" },
                                            { "EDF Annotations", "", "-1", "1", NULL, NULL, "20" } };

static void two_records(struct made *m, const struct made_head *h)
{
    made_header(m, h, both, 2);
    made_ramp(m, 0, 4);
    made_tals(m, "+0||/+0.5~1.5|asleep|/", 40);
    made_ramp(m, 4, 4);
    made_tals(m, "+1||/", 40);
}

static void short_file(void)
{
    struct made m = { NULL, 0, 0 };
    struct made_head head = { .variant = "EDF+C" };
    struct aff_harness *h;
    struct folder d;

    folder_make(&d);
    two_records(&m, &head);
    folder_put(&d, "patient.edf", &m);
    h = folder_read(&d, "block = \"1s\"\nsignals = [\"EEG\"]");
    EXPECT_STATUS(aff_harness_read_all(h, 64, 0), AFF_END);
    EXPECT_I16(h, "samples", 0, 1, 2, 3);
    EXPECT_I16(h, "samples", 4, 5, 6, 7);
    EXPECT_WAITING(h, "samples", 1);
    EXPECT_WAITING(h, "annotations", 2);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    folder_remove(&d);
}

TEST(each_host_call_may_fail_once)
{
    AFF_EACH_HOST_CALL_FAILS_ONCE(short_file);
}

static void expect_start(const struct made_head *head, const char *more, int64_t ns, uint8_t clock)
{
    struct made m = { NULL, 0, 0 };
    struct aff_harness *h;
    struct folder d;
    const struct aff_record *r;

    folder_make(&d);
    two_records(&m, head);
    folder_put(&d, "patient.edf", &m);
    h = folder_read(&d, more);
    EXPECT_STATUS(aff_harness_read_all(h, 64, 0), AFF_END);
    r = aff_harness_take(h, "samples");
    assert_int_equal(r->event_ns, ns);
    assert_int_equal(r->clock, clock);
    aff_harness_close(&h);
    folder_remove(&d);
}

TEST(start_dates_a_recording_without_a_date_or_whose_date_was_taken_out)
{
    static const char more[] = "start = \"2026-03-01T07:30:00.5Z\"";
    const int64_t start = INT64_C(1772350200500000000);

    expect_start(&(struct made_head){ .date = "01.01.85" }, more, start, AFF_CLOCK_RECORDED);
    expect_start(&(struct made_head){ .date = "01.01.85" }, "", INT64_C(27000000000000), AFF_CLOCK_NONE);
    expect_start(&(struct made_head){ .date = "02.01.85" }, more, INT64_C(473499000000000000), AFF_CLOCK_RECORDED);
    expect_start(&(struct made_head){ .variant = "EDF+C", .recording = "Startdate X X X X", .date = "02.01.85" }, more,
                 start, AFF_CLOCK_RECORDED);
    expect_start(&(struct made_head){ .variant = "EDF+C", .recording = "Startdate X X X X", .date = "02.01.85" }, "",
                 INT64_C(473499000000000000), AFF_CLOCK_RECORDED);
    expect_start(&(struct made_head){ .variant = "EDF+C", .date = "02.01.85" }, more, INT64_C(1772350200000000000),
                 AFF_CLOCK_RECORDED);
}

TEST(signals_of_each_rate_are_a_stream_of_their_own)
{
    static const struct made_signal s[3] = { { .label = "A", .samples = "4" }, { .label = "B", .samples = "1" },
                                             { .label = "C", .samples = "4" } };
    struct made_head head = { .seconds = "3" };
    struct made m = { NULL, 0, 0 };
    struct aff_harness *h;
    const struct aff_record *r;
    struct folder d;
    int i;

    folder_make(&d);
    made_header(&m, &head, s, 3);
    for (i = 0; i < 5; i++) {
        made_ramp(&m, 10 * i, 4);
        made_ramp(&m, -i, 1);
        made_ramp(&m, -10 * i, 4);
    }
    folder_put(&d, "patient.edf", &m);
    h = folder_read(&d, "block = \"5s\"");
    EXPECT_STATUS(aff_harness_read_all(h, 64, 0), AFF_END);
    r = aff_harness_take(h, "samples"); /* 4/3 Hz in 5 s are 6 samples: a data record and a half */
    assert_string_equal(aff_harness_stream_info(h, r->stream)->name, "1.333333333Hz");
    assert_int_equal(aff_harness_schema(h, r)->rate_num, 4);
    assert_int_equal(aff_harness_schema(h, r)->rate_den, 3);
    assert_memory_equal(aff_plane(r, 0), ((int16_t[]){ 0, 1, 2, 3, 10, 11 }), 12);
    assert_memory_equal(aff_plane(r, 1), ((int16_t[]){ 0, 1, 2, 3, -10, -9 }), 12);
    r = aff_harness_take(h, "samples");
    assert_string_equal(aff_harness_stream_info(h, r->stream)->name, "0.333333333Hz");
    for (i = 0; i < 2; i++)
        r = aff_harness_take(h, "samples");
    assert_int_equal(aff_samples_of(r)->first, 6);
    assert_int_equal(r->event_ns, INT64_C(1772323200000000000) + INT64_C(27000000000000) + INT64_C(4500000000));
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    folder_remove(&d);
}

/* What comes of a file with gaps, two rates and 41 data records: for each stream
 * the numbers of the samples and the samples, and where the gaps were. */
static uint64_t gaps_digest(const struct folder *d, int64_t block_ns, uint32_t want)
{
    struct sha256 sum[2];
    struct aff_harness *h;
    const struct aff_record *r;
    char more[64], hex[2][65];
    uint64_t both_sums = 0;
    int i;

    (void)snprintf(more, sizeof more, "block = \"%lldus\"", (long long)(block_ns / 1000));
    h = folder_read(d, more);
    EXPECT_STATUS(aff_harness_read_all(h, want, 0), AFF_END);
    EXPECT_METRIC(h, "gaps", 8); /* four in each stream */
    sha256_begin(&sum[0]);
    sha256_begin(&sum[1]);
    while ((r = aff_harness_take(h, "samples"))) {
        const struct aff_samples *s = aff_samples_of(r);
        struct sha256 *to = &sum[r->flags & AFF_FLAG_END || s->channels == 1];
        int64_t index, gap = r->flags & AFF_FLAG_GAP;

        for (index = 0; !(r->flags & AFF_FLAG_END) && index < s->count; index++, gap = 0) {
            int64_t number = s->first + index;

            sha256_add(to, &number, sizeof number);
            sha256_add(to, &gap, sizeof gap);
            sha256_add(to, (const int16_t *)aff_plane(r, 0) + index, 2);
        }
    }
    for (i = 0; i < 2; i++) {
        sha256_end(&sum[i], hex[i]);
        both_sums = both_sums * 31 + strtoull(hex[i] + 48, NULL, 16);
    }
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    return both_sums;
}

TEST(blocks_of_any_length_give_the_same_samples_numbers_and_gaps)
{
    static const struct made_signal s[4] = { { .label = "A", .samples = "37" }, { .label = "B", .samples = "5" },
                                             { .label = "C", .samples = "37" },
                                             { "EDF Annotations", "", "-1", "1", NULL, NULL, "20" } };
    struct made_head head = { .variant = "EDF+D", .seconds = "0.1" };
    struct made m = { NULL, 0, 0 };
    struct folder d;
    char text[24];
    uint64_t one, seed = 1;
    int i, at = 0;

    folder_make(&d);
    made_header(&m, &head, s, 4);
    for (i = 0; i < 41; i++, at += 100 + (i % 10 == 9 ? 730 : 0)) {
        made_ramp(&m, 1000 + 37 * i, 37);
        made_ramp(&m, -5 * i, 5);
        made_ramp(&m, -37 * i, 37);
        (void)snprintf(text, sizeof text, "+%d.%03d||/", at / 1000, at % 1000);
        made_tals(&m, text, 40);
    }
    folder_put(&d, "patient.edf", &m);
    one = gaps_digest(&d, 250000000, 64);
    for (i = 0; i < 25; i++) {
        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
        assert_true(one == gaps_digest(&d, 1000000 + (int64_t)(seed >> 33) % 2000000000, 1 + (uint32_t)i));
    }
    folder_remove(&d);
}

TEST(bdf_gives_samples_of_32_bits)
{
    static const struct made_signal s[1] = { { .samples = "4", .digital_low = "-8388608", .digital_high = "8388607" } };
    static const uint8_t data[] = { 0, 0, 0x80, 0xff, 0xff, 0xff, 0, 0, 0, 0xff, 0xff, 0x7f };
    struct made_head head = { .version = "\xff" "BIOSEMI", .variant = "24BIT" };
    struct made m = { NULL, 0, 0 };
    struct aff_harness *h;
    struct folder d;

    folder_make(&d);
    made_header(&m, &head, s, 1);
    made_add(&m, data, sizeof data);
    folder_put(&d, "third.bdf", &m);
    h = folder_read(&d, "block = \"1s\"");
    EXPECT_STATUS(aff_harness_read_all(h, 64, 0), AFF_END);
    EXPECT_I32(h, "samples", -8388608, -1, 0, 8388607);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    folder_remove(&d);
}

TEST(folders_globs_and_files_are_found_each_once_in_sorted_order)
{
    struct made_head head = { .variant = "EDF+C" };
    struct made m = { NULL, 0, 0 };
    struct aff_harness *h;
    const struct aff_record *r;
    struct folder d;
    int i;

    folder_make(&d);
    two_records(&m, &head);
    folder_write(&d, "second.EDF", m.bytes, m.size);
    folder_write(&d, "fourth", m.bytes, m.size);
    folder_write(&d, "notes.txt", "text", 4);
    m.bytes[m.size - 48] ^= 1; /* a sample: two files of one content are one */
    folder_put(&d, "patient.edf", &m);
    (void)snprintf(toml_room, sizeof toml_room, "path = [\"%s/*\", \"%s/patient\", \"%s\"]\nblock = \"10s\"", d.full, d.full,
                   d.full);
    h = aff_harness_open("in_edf", toml_room);
    for (i = 0; i < 2; i++) {
        while (!(r = aff_harness_take(h, "samples")) || r->flags & AFF_FLAG_END)
            EXPECT_STATUS(aff_harness_read(h, 1), AFF_OK);
        assert_string_equal(aff_harness_stream_info(h, r->stream)->subject_name, i ? "second" : "patient");
    }
    EXPECT_STATUS(aff_harness_read_all(h, 64, 0), AFF_END);
    EXPECT_METRIC(h, "files", 2);
    aff_harness_close(&h);
    (void)snprintf(toml_room, sizeof toml_room, "path = \"%s/fourth\"", d.full); /* named outright */
    h = aff_harness_open("in_edf", toml_room);
    EXPECT_STATUS(aff_harness_read_all(h, 64, 0), AFF_END);
    EXPECT_METRIC(h, "files", 1);
    aff_harness_close(&h);
    (void)snprintf(toml_room, sizeof toml_room, "path = \"%s/*.txt\"", d.full);
    EXPECT_STATUS(aff_harness_try_open("in_edf", toml_room, &h), AFF_ERR_IO);
    EXPECT_CAUSE(h, "no EDF file");
    aff_harness_close(&h);
    folder_remove(&d);
}

TEST(equal_content_has_equal_ids_wherever_it_lies)
{
    struct made_head head = { .variant = "EDF+C" };
    struct made m = { NULL, 0, 0 };
    struct aff_harness *h;
    struct folder d;
    struct aff_id first[3];
    size_t i;

    for (i = 0; i < 3; i++) {
        folder_make(&d);
        two_records(&m, &head);
        m.bytes[m.size - 48] ^= i == 2;
        folder_put(&d, i ? "second.EDF" : "patient.edf", &m);
        h = folder_read(&d, "");
        EXPECT_STATUS(aff_harness_read_all(h, 64, 0), AFF_END);
        first[i] = aff_harness_take(h, "samples")->id;
        aff_harness_close(&h);
        folder_remove(&d);
    }
    assert_memory_equal(&first[0], &first[1], sizeof first[0]);
    assert_true(first[0].source != first[2].source);
}

AFF_TEST_MAIN(wrong_options_are_refused_with_what_to_do, a_path_that_is_not_there_is_tried_again,
              a_recording_comes_whole_in_order_of_time_with_its_published_sums, a_file_of_annotations_alone_comes_whole,
              output_is_the_same_however_it_is_asked_for, a_restart_goes_on_where_it_was,
              at_real_time_a_second_of_signal_takes_a_second, each_host_call_may_fail_once,
              start_dates_a_recording_without_a_date_or_whose_date_was_taken_out,
              signals_of_each_rate_are_a_stream_of_their_own,
              blocks_of_any_length_give_the_same_samples_numbers_and_gaps, bdf_gives_samples_of_32_bits,
              folders_globs_and_files_are_found_each_once_in_sorted_order, equal_content_has_equal_ids_wherever_it_lies)
