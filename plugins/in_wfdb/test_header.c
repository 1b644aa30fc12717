/* SPDX-License-Identifier: Apache-2.0
 *
 * test_header.c - headers and sample formats: every field, every format, and what
 * must be refused. */
#include "header.h"

#include <afferent/testkit.h>

#include <stdlib.h>
#include <string.h>

/* ---- headers ---- */

static int parse(struct wfdb_header *h, const char *text, size_t size, struct fault *f)
{
    struct wfdb_lines lines;
    struct wfdb_segment s;
    int got;

    memset(&lines, 0, sizeof lines);
    memset(f, 0, sizeof *f);
    bytes_from_memory(&lines.bytes, text, size);
    header_clear(h);
    if (strncmp(text, "m/", 2) != 0)
        return header_read(h, &lines, f);
    while ((got = header_next_segment(h, &lines, &s, f)) == 1)
        ;
    return got;
}

static void expect_fault(const char *text, unsigned line, const char *what)
{
    struct wfdb_header *h = calloc(1, sizeof *h);
    struct fault f;

    assert_non_null(h);
    if (parse(h, text, strlen(text), &f) != -1)
        fail_msg("taken, though it should not be: %s", text);
    if (!strstr(f.what, what) || f.line != line)
        fail_msg("line %u: %s; expected line %u: %s", f.line, f.what, line, what);
    free(h);
}

TEST(each_bad_header_line_is_named_with_its_number)
{
    expect_fault("", 0, "no record line");
    expect_fault("# only a comment\n", 0, "no record line");
    expect_fault("a\n", 1, "number of signals");
    expect_fault("a b\n", 1, "number of signals");
    expect_fault("a -1\n", 1, "number of signals");
    expect_fault("a 257\n", 1, "number of signals");
    expect_fault("a/b 2\n", 1, "number of segments");
    expect_fault("../a 2\n", 1, "record name");
    expect_fault(".. 2\n", 1, "record name");
    expect_fault("a\xc3\xa4 2\n", 1, "record name");
    expect_fault("#\n\na 1 0\n", 3, "sampling frequency");
    expect_fault("a 1 -5\n", 1, "sampling frequency");
    expect_fault("a 1 nan\n", 1, "sampling frequency");
    expect_fault("a 1 1e99\n", 1, "sampling frequency");
    expect_fault("a 1 360x\n", 1, "something behind");
    expect_fault("a 1 360/x\n", 1, "counter frequency");
    expect_fault("a 1 360/1(x)\n", 1, "base counter");
    expect_fault("a 1 360 99999999999999999999\n", 1, "number of samples");
    expect_fault("a 1 360 -4\n", 1, "number of samples");
    expect_fault("a 1 360 10 24:00:00\n", 1, "base time");
    expect_fault("a 1 360 10 10:61:00\n", 1, "base time");
    expect_fault("a 1 360 10 1:2:3:4\n", 1, "base time");
    expect_fault("a 1 360 10 10:00:00 30/02/2020\n", 1, "base date");
    expect_fault("a 1 360 10 10:00:00 1/1/1500\n", 1, "base date");
    expect_fault("a 1 360 10 10:00:00 1/1/2000 x\n", 1, "behind the base date");
    expect_fault("a 1 360 10 05-Fob-2020 11:39:16\n", 1, "base date");
    expect_fault("a 1 360 10 30-Feb-2020 11:39:16\n", 1, "base date");
    expect_fault("a 1 360 10 05-Feb-2020 11:39:16 1/1/2000\n", 1, "behind the base date");
    expect_fault("a 2 360\nd 16\n", 0, "announces 2 signals and describes 1");
    expect_fault("a 1\nd\n", 2, "format is not a number");
    expect_fault("a 1\nd 17\n", 2, "format 17 is unknown");
    expect_fault("a 1\nd 516\n", 2, "FLAC");
    expect_fault("a 1\nd 16x0\n", 2, "samples per frame");
    expect_fault("a 1\nd 16x99999999\n", 2, "samples per frame");
    expect_fault("a 1\nd 16:-1\n", 2, "skew");
    expect_fault("a 1\nd 16+x\n", 2, "byte offset");
    expect_fault("a 1\nd 16y\n", 2, "no modifier");
    expect_fault("a 1\nd 16 200(x)\n", 2, "baseline");
    expect_fault("a 1\nd 16 200mV\n", 2, "gain");
    expect_fault("a 1\nd 16 200 12x\n", 2, "ADC resolution");
    expect_fault("a 1\nd 16 200 12 0 0 70000 0 x\n", 2, "checksum");
    expect_fault("a 1\n- 16\n", 2, "standard input");
    expect_fault("a 1\n~ 16\n", 2, "no file");
    expect_fault("a 2\nd 16\nd 212\n", 3, "differs from another signal of the same file (line 2)");
    expect_fault("a 2\nd 16\nd 16+4\n", 3, "differs");
    expect_fault("a 3\nd 16\ne 16\nd 16\n", 4, "next to each other");
}

TEST(names_that_leave_the_folder_are_refused)
{
    expect_fault("a 1\n../d 16\n", 2, "leaves the record's folder");
    expect_fault("a 1\n/etc/passwd 16\n", 2, "leaves the record's folder");
    expect_fault("a 1\nb/../../d 16\n", 2, "leaves the record's folder");
    expect_fault("a 1\n./d 16\n", 2, "leaves the record's folder");
    expect_fault("a 1\nb//d 16\n", 2, "leaves the record's folder");
    expect_fault("m/1 1\n../s 10\n", 2, "leaves the record's folder");
    expect_fault("m/1 1\n/s 10\n", 2, "leaves the record's folder");
    assert_int_equal(header_name_is_safe("sub/d.dat"), 1);
    assert_int_equal(header_name_is_safe("..d"), 1);
}

TEST(bad_segment_lines_are_refused)
{
    expect_fault("m/2 1\ns 10\n", 0, "announces 2 segments and describes 1");
    expect_fault("m/1 1 250 11\ns 10\n", 0, "10 samples together, the record line says 11");
    expect_fault("m/1 1\ns\n", 2, "number of samples");
    expect_fault("m/1 1\ns 1 2\n", 2, "behind");
    expect_fault("m/1 1\ns -1\n", 2, "number of samples");
    expect_fault("m/2 1\ns 70000000000000\nt 70000000000000\n", 3, "longer together");
    expect_fault("m/0 1\n", 1, "number of segments");
}

TEST(a_header_that_is_no_text_is_refused)
{
    struct wfdb_header *h = calloc(1, sizeof *h);
    struct fault f;
    char line[3000];

    assert_int_equal(parse(h, "a 1\0 360\n", 9, &f), -1);
    assert_non_null(strstr(f.what, "zero byte"));
    memset(line, 'x', sizeof line);
    assert_int_equal(parse(h, line, sizeof line, &f), -1);
    assert_non_null(strstr(f.what, "longer than"));
    line[0] = '#'; /* a long comment does no harm */
    memcpy(line + sizeof line - 5, "\na 0\n", 5);
    assert_int_equal(parse(h, line, sizeof line, &f), 0);
    free(h);
}

TEST(every_field_of_a_header_is_read)
{
    static const char text[] = "# before\r\n"
                               " r-1.x\t2 360.5/1.5(-7) 650000 23:59:59.25 29/2/2024 \r\n"
                               "sub/f.dat 16x2:3+512 2.005e2(-10)/uV 12 5 7 -3 1024 a  lead \r\n"
                               "g.dat 8\n"
                               "# 75 F\n"
                               "h.dat too many\n";
    struct wfdb_header *h = calloc(1, sizeof *h);
    const struct wfdb_signal *s = h->signal;
    struct fault f;

    if (parse(h, text, sizeof text - 1, &f))
        fail_msg("line %u: %s", f.line, f.what);
    assert_string_equal(h->name, "r-1.x");
    assert_int_equal(h->signals, 2);
    assert_int_equal(h->rate.num, 721);
    assert_int_equal(h->rate.den, 2);
    assert_true(h->counter_rate > 1.49 && h->counter_rate < 1.51);
    assert_true(h->counter_base < -6.99 && h->counter_base > -7.01);
    assert_int_equal(h->frames, 650000);
    assert_int_equal(h->day_ns, INT64_C(86399250000000));
    assert_int_equal(h->date, 19782);
    assert_int_equal(h->comments, 2);
    assert_string_equal(header_text(h, s->file), "sub/f.dat");
    assert_int_equal(s->format->code, 16);
    assert_int_equal(s->per_frame, 2);
    assert_int_equal(s->skew, 3);
    assert_int_equal(s->byte_offset, 512);
    assert_true(s->gain > 200.49 && s->gain < 200.51);
    assert_int_equal(s->baseline, -10);
    assert_string_equal(header_text(h, s->units), "uV");
    assert_int_equal(s->resolution, 12);
    assert_int_equal(s->zero, 5);
    assert_int_equal(s->initial, 7);
    assert_int_equal(s->checksum, -3);
    assert_int_equal(s->block_size, 1024);
    assert_string_equal(header_text(h, s->description), "a  lead");
    s++; /* the defaults of header(5) */
    assert_int_equal(s->per_frame, 1);
    assert_int_equal(s->resolution, 10);
    assert_true(s->gain > 199.9 && s->gain < 200.1 && !s->calibrated);
    assert_int_equal(s->baseline + s->zero + s->initial, 0);
    assert_int_equal(s->has_checksum + s->has_initial, 0);
    assert_string_equal(header_text(h, s->description), "signal 1");
    free(h);
}

TEST(defaults_of_a_bare_record_line_are_the_standards)
{
    struct wfdb_header *h = calloc(1, sizeof *h);
    struct fault f;

    assert_int_equal(parse(h, "16x4 0", 6, &f), 0);
    assert_int_equal(h->rate.num, 250);
    assert_int_equal(h->frames, 0);
    assert_int_equal(h->has_time + h->has_date, 0);
    assert_int_equal(parse(h, "a 0 3.6e2 0 0:0:0 0/0/0\n", 24, &f), 0);
    assert_int_equal(h->rate.num, 360);
    assert_int_equal(h->has_date, 0);
    assert_int_equal(parse(h, "a 0 500 7500 05-Feb-2020 11:39:16\n", 34, &f), 0);
    assert_int_equal(h->date, 18297);
    assert_int_equal(h->day_ns, INT64_C(41956000000000));
    assert_int_equal(parse(h, "a 1\nd 16 1/\xb5V 12 0 0 0 0 caf\xe9\n", 30, &f), 0);
    assert_string_equal(header_text(h, h->signal[0].units), "\xc2\xb5V");
    assert_string_equal(header_text(h, h->signal[0].description), "caf\xc3\xa9");
    free(h);
}

/* ---- formats ---- */

TEST(each_format_decodes_as_signal_5_describes_it)
{
    static const struct {
        int code;
        uint8_t bytes[4];
        int32_t want[3];
    } cases[] = {
        { 8, { 0x80 }, { -128 } },
        { 16, { 0x34, 0xf2 }, { -3532 } },
        { 24, { 0x01, 0x00, 0x80 }, { -8388607 } },
        { 32, { 0x01, 0x00, 0x00, 0x80 }, { -2147483647 } },
        { 61, { 0xf2, 0x34 }, { -3532 } },
        { 80, { 0x81 }, { 1 } },
        { 160, { 0x01, 0x80 }, { 1 } },
        { 212, { 0xff, 0x8f, 0x01 }, { -1, -2047 } },
        { 310, { 0xff, 0xff, 0x02, 0x00 }, { -1, 1, 31 } },
        { 311, { 0xff, 0x0b, 0xf8, 0x1f }, { -1, -510, 511 } },
    };
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct wfdb_format *f = format_find(cases[i].code);
        int32_t got[3] = { 0, 0, 0 };
        uint64_t n;

        assert_non_null(f);
        format_decode(f, cases[i].bytes, 1, got);
        assert_memory_equal(got, cases[i].want, f->unit_samples * sizeof got[0]);
        for (n = 0; n < 20; n++)
            assert_true(format_samples(f, format_bytes(f, n)) >= n && (!n || format_samples(f, format_bytes(f, n) - 1) < n));
    }
    assert_null(format_find(0));
    assert_null(format_find(212000));
}

AFF_TEST_MAIN(each_bad_header_line_is_named_with_its_number, names_that_leave_the_folder_are_refused,
              bad_segment_lines_are_refused, a_header_that_is_no_text_is_refused, every_field_of_a_header_is_read,
              defaults_of_a_bare_record_line_are_the_standards, each_format_decodes_as_signal_5_describes_it)
