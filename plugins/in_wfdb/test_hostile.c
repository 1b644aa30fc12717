/* SPDX-License-Identifier: Apache-2.0
 *
 * test_hostile.c - made-up records and annotation files: skew, damage, gaps,
 * cuts, and what must be refused. Headers and formats are in test_header.c, real
 * records in test_core.c. */
#include "annot.h"
#include "record.h"
#include "recording/when.h"

#include <afferent/testkit.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- records in a folder of their own ---- */

struct bench {
    char path[64];
    int folder;
    uint32_t events[EVENT_COUNT];
    struct wfdb_record *record;
    struct fault fault;
};

static void bench_tell(void *context, enum wfdb_event event, uint32_t number)
{
    (void)number;
    ((struct bench *)context)->events[event]++;
}

static void bench_open(struct bench *b)
{
    memset(b, 0, sizeof *b);
    (void)snprintf(b->path, sizeof b->path, "wfdb-test-XXXXXX");
    assert_non_null(mkdtemp(b->path));
    b->folder = open(b->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(b->folder >= 0);
    b->record = calloc(1, sizeof *b->record);
    b->record->listener.context = b;
    b->record->listener.tell = bench_tell;
}

static void bench_write(const struct bench *b, const char *name, const void *data, size_t size)
{
    int fd = openat(b->folder, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, size), size);
    (void)close(fd);
}

static int bench_record(struct bench *b, const char *header, const char *text)
{
    struct wfdb_options options = { 1000000000, NULL, 0 };

    bench_write(b, header, text, strlen(text));
    memset(b->events, 0, sizeof b->events);
    return record_open(b->record, b->folder, header, &options, &b->fault);
}

static void bench_close(struct bench *b)
{
    static const char *const names[] = { "r.hea", "d.dat", "e.dat", "s.hea", "t.hea" };
    size_t i;

    record_close(b->record);
    for (i = 0; i < sizeof names / sizeof names[0]; i++)
        (void)unlinkat(b->folder, names[i], 0);
    (void)close(b->folder);
    assert_int_equal(rmdir(b->path), 0);
    free(b->record);
}

/* The next piece's first channel must be these values. */
static void expect_piece(struct bench *b, uint32_t channel, const int32_t *want, uint32_t count)
{
    struct wfdb_piece p;

    assert_int_equal(record_peek(b->record, &p, &b->fault), 1);
    assert_int_equal(p.count, count);
    assert_memory_equal(p.at + channel * p.stride, want, count * sizeof *want);
}

static int64_t run_out(struct bench *b)
{
    struct wfdb_piece p;
    int64_t samples = 0;
    int got, turns = 0;

    while ((got = record_peek(b->record, &p, &b->fault)) > 0 && turns++ < 100000)
        if (got == 1) {
            samples += p.count;
            record_take(b->record, &p);
        }
    assert_true(turns < 100000);
    return got < 0 ? -1 : samples;
}

static const int16_t four[] = { 1, 10, 2, 20, 3, 30, 4, 40 };

TEST(skew_moves_a_signal_and_leaves_its_end_missing)
{
    static const int32_t plain[] = { 1, 2, 3, 4 }, moved[] = { 30, 40, WFDB_MISSING, WFDB_MISSING };
    struct bench b;

    bench_open(&b);
    bench_write(&b, "d.dat", four, sizeof four);
    assert_int_equal(bench_record(&b, "r.hea", "r 2 4 4\nd.dat 16 1 16 0 1 10\nd.dat 16:2 1 16 0 10 100\n"), 0);
    expect_piece(&b, 0, plain, 4);
    expect_piece(&b, 1, moved, 4);
    assert_int_equal(run_out(&b), 4);
    assert_int_equal(b.events[EVENT_CHECKSUM] + b.events[EVENT_INITIAL] + b.events[EVENT_SHORT], 0);
    record_close(b.record);
    assert_int_equal(bench_record(&b, "r.hea", "r 1 4 4\nd.dat 16:5\n"), -1);
    assert_non_null(strstr(b.fault.what, "skew"));
    bench_close(&b);
}

TEST(damage_is_noticed)
{
    struct bench b;

    bench_open(&b);
    bench_write(&b, "d.dat", four, sizeof four);
    assert_int_equal(bench_record(&b, "r.hea", "r 2 4 4\nd.dat 16 1 16 0 1 11\nd.dat 16 1 16 0 11 100\n"), 0);
    assert_int_equal(run_out(&b), 4);
    assert_int_equal(b.events[EVENT_CHECKSUM], 1);
    assert_int_equal(b.events[EVENT_INITIAL], 1);
    record_close(b.record);
    assert_int_equal(bench_record(&b, "r.hea", "r 2 4 3\nd.dat 16\nd.dat 16\n"), 0);
    assert_int_equal(b.events[EVENT_LONG], 1);
    assert_int_equal(run_out(&b), 3);
    bench_close(&b);
}

TEST(a_file_that_ends_early_is_said_and_costs_no_time)
{
    struct bench b;

    bench_open(&b);
    bench_write(&b, "d.dat", four, sizeof four - 1);
    assert_int_equal(bench_record(&b, "r.hea", "r 2 4 70000000000000\nd.dat 16\nd.dat 16\n"), 0);
    assert_int_equal(run_out(&b), 4);
    assert_int_equal(b.events[EVENT_SHORT], 1);
    assert_int_equal(b.record->track[0].next, INT64_C(70000000000000));
    record_close(b.record);
    bench_write(&b, "d.dat", "", 0);
    assert_int_equal(bench_record(&b, "r.hea", "r 2 4 100\nd.dat 16\nd.dat 16\n"), 0);
    assert_int_equal(run_out(&b), 0);
    assert_int_equal(b.events[EVENT_SHORT], 1);
    bench_close(&b);
}

TEST(a_record_without_a_length_is_as_long_as_its_file)
{
    static const int32_t want[] = { 20, 30, 40 };
    static const int16_t three[] = { 7, 20, 30, 40 };
    struct bench b;

    bench_open(&b);
    bench_write(&b, "d.dat", three, sizeof three);
    assert_int_equal(bench_record(&b, "r.hea", "r 1 4\nd.dat 16+2 1 16 0 20 5\n"), 0);
    expect_piece(&b, 0, want, 3);
    assert_int_equal(run_out(&b), 3);
    assert_int_equal(b.events[EVENT_CHECKSUM], 0); /* header(5): not verified without a length */
    bench_close(&b);
}

TEST(the_lowest_value_of_a_format_means_missing)
{
    static const int32_t want[] = { -2047, WFDB_MISSING };
    static const uint8_t bytes[] = { 0x01, 0x88, 0x00 };
    struct bench b;

    bench_open(&b);
    bench_write(&b, "d.dat", bytes, sizeof bytes);
    assert_int_equal(bench_record(&b, "r.hea", "r 1 4 2\nd.dat 212 1 12 0 -2047 -4095\n"), 0);
    expect_piece(&b, 0, want, 2);
    (void)run_out(&b);
    assert_int_equal(b.events[EVENT_CHECKSUM], 0);
    bench_close(&b);
}

TEST(differences_add_up_and_do_not_overflow)
{
    static const int32_t want[] = { 5, 4, 131 };
    static const uint8_t bytes[] = { 0x00, 0xff, 0x7f };
    struct bench b;

    bench_open(&b);
    bench_write(&b, "d.dat", bytes, sizeof bytes);
    assert_int_equal(bench_record(&b, "r.hea", "r 1 4 3\nd.dat 8 1 8 0 5 140\n"), 0);
    expect_piece(&b, 0, want, 3);
    (void)run_out(&b);
    assert_int_equal(b.events[EVENT_CHECKSUM], 0);
    record_close(b.record);
    assert_int_equal(bench_record(&b, "r.hea", "r 1 4 3\nd.dat 8 1 8 0 2147483640\n"), 0);
    assert_int_equal(run_out(&b), -1);
    assert_non_null(strstr(b.fault.what, "beyond 32 bits"));
    bench_close(&b);
}

TEST(a_fifo_or_folder_in_place_of_a_signal_file_is_refused)
{
    struct bench b;

    bench_open(&b);
    assert_int_equal(mkfifoat(b.folder, "d.dat", 0600), 0);
    assert_int_equal(bench_record(&b, "r.hea", "r 1 4 3\nd.dat 16\n"), -1);
    assert_int_equal(b.fault.missing, 1);
    assert_int_equal(b.fault.line, 2);
    bench_close(&b);
}

TEST(segments_that_do_not_fit_are_refused)
{
    struct bench b;

    bench_open(&b);
    bench_write(&b, "d.dat", four, sizeof four);
    assert_int_equal(bench_record(&b, "s.hea", "s 2 4 4\nd.dat 16\nd.dat 16\n"), 0);
    record_close(b.record);
    assert_int_equal(bench_record(&b, "t.hea", "t 1 4 8\nd.dat 16\n"), 0);
    record_close(b.record);
    assert_int_equal(bench_record(&b, "r.hea", "r/1 1 4\ns 4\n"), -1);
    assert_non_null(strstr(b.fault.what, "announces 1 signals, the segments have 2"));
    assert_int_equal(bench_record(&b, "r.hea", "r/2 2 4\ns 4\nt 8\n"), 0);
    assert_int_equal(run_out(&b), -1);
    assert_non_null(strstr(b.fault.what, "segment has 1 signals, the record 2"));
    record_close(b.record);
    assert_int_equal(bench_record(&b, "r.hea", "r/1 2 5\ns 4\n"), 0);
    assert_int_equal(run_out(&b), -1);
    assert_non_null(strstr(b.fault.what, "another sampling frequency"));
    record_close(b.record);
    assert_int_equal(bench_record(&b, "r.hea", "r/3 2 4\nx 4\ns 4\ny 4\n"), 0);
    assert_int_equal(run_out(&b), 4);
    assert_int_equal(b.events[EVENT_SEGMENT], 2);
    assert_int_equal(b.record->track[0].next, 12);
    record_close(b.record);
    assert_int_equal(bench_record(&b, "r.hea", "r/2 2 4\nx 4\ny 4\n"), -1);
    assert_int_equal(b.fault.missing, 1);
    assert_int_equal(bench_record(&b, "r.hea", "r/1 2 4\nr 4\n"), -1);
    assert_non_null(strstr(b.fault.what, "has segments itself"));
    bench_close(&b);
}

TEST(a_segment_with_another_gain_is_told_apart_and_null_segments_are_gaps)
{
    struct wfdb_piece p;
    struct bench b;

    bench_open(&b);
    bench_write(&b, "d.dat", four, sizeof four);
    assert_int_equal(bench_record(&b, "s.hea", "s 1 4 8\nd.dat 16 100\n"), 0);
    record_close(b.record);
    assert_int_equal(bench_record(&b, "t.hea", "t 1 4 8\nd.dat 16 50\n"), 0);
    record_close(b.record);
    assert_int_equal(bench_record(&b, "r.hea", "r/4 1 4 10024\ns 8\n~ 10000\ns 8\nt 8\n"), 0);
    expect_piece(&b, 0, (const int32_t[]){ 1, 10, 2, 20 }, 4);
    record_peek(b.record, &p, &b.fault);
    assert_int_equal(p.gap, 0);
    record_take(b.record, &p);
    record_peek(b.record, &p, &b.fault);
    record_take(b.record, &p);
    assert_int_equal(record_peek(b.record, &p, &b.fault), 1);
    assert_int_equal(p.first, 10008);
    assert_int_equal(p.gap, 1);
    assert_int_equal(b.record->track[0].version, 0);
    assert_int_equal(run_out(&b), 16);
    assert_int_equal(b.record->track[0].version, 1);
    assert_int_equal(b.events[EVENT_CALIBRATED], 1);
    bench_close(&b);
}

/* ---- annotations ---- */

static int annots_all(const void *bytes, size_t size, struct wfdb_annots *a, struct fault *f)
{
    struct rate rate = { 250, 1 };
    struct wfdb_annotation n;
    struct wfdb_bytes in;
    int got, count = 0;

    memset(f, 0, sizeof *f);
    bytes_from_memory(&in, bytes, size);
    annots_begin(a, &in, &rate);
    while ((got = annots_next(a, &n, f)) == 1)
        count++;
    return got < 0 ? -1 : count;
}

static void expect_annots_fault(const void *bytes, size_t size, const char *what)
{
    struct wfdb_annots a;
    struct fault f;

    assert_int_equal(annots_all(bytes, size, &a, &f), -1);
    if (!strstr(f.what, what))
        fail_msg("%s; expected: %s", f.what, what);
}

/* A beat, a skip, a beat with all fields, the end. */
static const uint8_t annots_whole[] = { 0x0a, 0x04, 0x00, 0xec, 0x01, 0x00, 0x00, 0x00, 0x05, 0x14, 0x02, 0xf4,
                                        0x01, 0xf8, 0x03, 0xf0, 0x03, 0xfc, 'a',  'b',  'c',  0x00, 0x00, 0x00 };

TEST(every_field_of_an_annotation_is_read)
{
    struct rate rate = { 250, 1 };
    struct wfdb_annots a;
    struct wfdb_annotation n;
    struct fault f;
    struct wfdb_bytes in;

    bytes_from_memory(&in, annots_whole, sizeof annots_whole);
    annots_begin(&a, &in, &rate);
    assert_int_equal(annots_next(&a, &n, &f), 1);
    assert_int_equal(n.at, 10);
    assert_string_equal(annots_label(&a, n.code), "N");
    assert_int_equal(annots_next(&a, &n, &f), 1);
    assert_int_equal(n.at, 10 + 65536 + 5);
    assert_string_equal(annots_label(&a, n.code), "V");
    assert_int_equal(n.subtype, 2);
    assert_int_equal(n.channel, 1);
    assert_int_equal(n.number, 3);
    assert_string_equal(n.text, "abc");
    assert_int_equal(annots_next(&a, &n, &f), 0);
}

TEST(an_annotation_file_cut_anywhere_is_an_error)
{
    size_t n;

    for (n = 0; n < sizeof annots_whole; n++) {
        uint8_t *cut = malloc(n ? n : 1); /* exact, so that a byte too far is seen */

        memcpy(cut, annots_whole, n);
        expect_annots_fault(cut, n, "without its end mark");
        free(cut);
    }
}

TEST(damaged_annotations_are_refused)
{
    static const uint8_t aha[32] = { 0, 'N', 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                                     0, 'V', 0, 0, 2, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0 };

    expect_annots_fault("\x01\xc8\x00\x00", 4, "code 50");
    expect_annots_fault("\x01\x04\x01\xec\x00\x00\x00\x00\x00\x00", 10, "SKIP with a value");
    expect_annots_fault("\x01\x04\x00\xfd\x00\x00\x00\x00\x00\x00", 10, "text of 256 bytes");
    expect_annots_fault("\x00\xec\xff\xff\x00\x00\x01\x04\x00\x00", 10, "before the record's beginning");
    expect_annots_fault(aha, sizeof aha, "AHA");
    expect_annots_fault("\x00\x58\x16\xfc## time resolution: -5\x00\x00", 28, "ticks per second");
    expect_annots_fault("\x00\xf4\x00\x00", 4, "code 61");
}

TEST(labels_can_be_defined_by_the_file)
{
    static const char bytes[] = "\x00\x58\x1e\xfc## annotation type definitions"
                                "\x00\x58\x10\xfc"
                                "42 ZZ a new beat"
                                "\x00\x58\x15\xfc## end of definitions\x00"
                                "\x01\xa8\x00\x00";
    struct wfdb_annots a;
    struct fault f;

    if (annots_all(bytes, sizeof bytes - 1, &a, &f) != 1)
        fail_msg("%s", f.what);
    assert_string_equal(annots_label(&a, 42), "ZZ");
    assert_string_equal(annots_label(&a, 43), "[43]");
    assert_string_equal(annots_label(&a, 64), "?");
}

/* ---- times ---- */

TEST(times_are_exact_at_any_rate_and_place)
{
    static const struct rate fast = { 1000000, 1 }, slow = { 1, 1000000 };
    struct rate rate;
    const char *text = "62.4725";
    char name[RATE_TEXT];
    int64_t ns, later, i;

    assert_int_equal(text_rate(&text, &rate), 0);
    rate_text(name, &rate);
    assert_string_equal(name, "62.4725Hz");
    assert_true(when_at(0, INT64_C(70000000000000), &fast, &ns));
    assert_int_equal(ns, INT64_C(70000000000000000));
    assert_false(when_at(0, INT64_C(70000000000000), &slow, &ns));
    assert_false(when_at(INT64_MAX, 1, &fast, &ns));
    for (i = 0; i < 1000000; i += 12345) { /* 62.4725 Hz: 40000 s are 2498900 samples */
        assert_true(when_at(5, i, &rate, &ns));
        assert_true(when_at(5, i + 2498900, &rate, &later));
        assert_int_equal(later - ns, INT64_C(40000000000000));
    }
    assert_true(when_at(5, 2498900, &rate, &ns));
    assert_int_equal(ns, INT64_C(40000000000005));
    rate = (struct rate){ 360, 1 };
    rate_text(name, &rate);
    assert_string_equal(name, "360Hz");
}

TEST(dates_are_read_or_refused)
{
    static const char *const bad[] = { "", "2026", "2026-1-1", "2026-02-30", "2026-01-01T25:00", "2026-01-01T10",
                                       "2026-01-01T10:00:60", "2026-01-01T10:00:00+01:00", "1500-01-01", "x" };
    int64_t ns;
    size_t i;

    for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(when_read(bad[i], &ns));
    assert_true(when_read("1970-01-01", &ns) && ns == 0);
    assert_true(when_read("2024-02-29T12:34:56.789Z", &ns));
    assert_int_equal(ns, INT64_C(1709210096789000000));
    assert_true(when_read("1969-12-31T23:59", &ns) && ns == INT64_C(-60000000000));
}

AFF_TEST_MAIN(skew_moves_a_signal_and_leaves_its_end_missing, damage_is_noticed,
              a_file_that_ends_early_is_said_and_costs_no_time, a_record_without_a_length_is_as_long_as_its_file,
              the_lowest_value_of_a_format_means_missing, differences_add_up_and_do_not_overflow,
              a_fifo_or_folder_in_place_of_a_signal_file_is_refused, segments_that_do_not_fit_are_refused,
              a_segment_with_another_gain_is_told_apart_and_null_segments_are_gaps,
              every_field_of_an_annotation_is_read, an_annotation_file_cut_anywhere_is_an_error,
              damaged_annotations_are_refused, labels_can_be_defined_by_the_file,
              times_are_exact_at_any_rate_and_place, dates_are_read_or_refused)
