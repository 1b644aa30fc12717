/* SPDX-License-Identifier: Apache-2.0
 *
 * test_header.c - headers, dates and annotation lists alone: what is read from
 * them, what is refused. Files: test_core.c, test_hostile.c. */
#include "header.h"
#include "tal.h"
#include "test_make.h"

static struct edf_header header;
static struct fault why;

static int header_of(const struct made_head *h, const struct made_signal *s, unsigned signals)
{
    struct made m = { NULL, 0, 0 };
    int st;

    made_header(&m, h, s, signals);
    memset(&why, 0, sizeof why);
    st = header_begin(&header, m.bytes, &why);
    if (st == 0)
        st = header_signals(&header, m.bytes, &why);
    made_free(&m);
    return st;
}

static void expect_refused(const struct made_head *h, const struct made_signal *s, unsigned signals, const char *what)
{
    assert_int_equal(header_of(h, s, signals), -1);
    if (!strstr(why.what, what))
        fail_msg("%s; expected: %s", why.what, what);
}

static const struct made_signal one[1];

TEST(every_field_of_a_header_is_read)
{
    static const struct made_signal s[3] = {
        { "EEG Fpz-Cz", "uV", "-1000.00", "1000.000", "-32768", "32767", "200" },
        { "Temp", "\xb0" "C", "34.4", "40.2", "-2048", "2047", "1" },
        { "EDF Annotations", "", "-1", "1", "-32768", "32767", "30" },
    };
    struct made_head h = { .variant = "EDF+D", .records = "600", .seconds = "0.5" };

    assert_int_equal(header_of(&h, s, 3), 0);
    assert_int_equal(header.width, 2);
    assert_true(header.is_plus && header.is_cut);
    assert_int_equal(header.records, 600);
    assert_int_equal(header.seconds.num, 1);
    assert_int_equal(header.seconds.den, 2);
    assert_int_equal(header.bytes, 1024);
    assert_int_equal(header.record_bytes, 462);
    assert_string_equal(header.signal[0].label, "EEG Fpz-Cz");
    assert_string_equal(header.signal[0].unit, "uV");
    assert_string_equal(header.signal[1].unit, "Cel");
    assert_int_equal(header.signal[1].offset, 400);
    assert_true(header.signal[2].is_annotation && !header.signal[0].is_annotation);
    assert_int_equal(signal_scale(&header, 0, &header.signal[0], &why), 0);
    assert_true(header.signal[0].gain * 2000 >= 65535 && header.signal[0].gain * 2000 <= 65535);
    assert_true(header.signal[0].baseline <= -0.5 && header.signal[0].baseline >= -0.5);
}

TEST(labels_and_units_of_eight_bits_become_utf8)
{
    struct made_signal s[5] = { { .label = "K\xf6rper", .unit = "\xb0" }, { .label = "\xb5", .unit = "\xb5V" },
                                { .unit = "bpm" }, { .unit = "Blubb" }, { .unit = "" } };
    struct made_head h = { 0 };

    assert_int_equal(header_of(&h, s, 5), 0);
    assert_string_equal(header.signal[0].label, "K\xc3\xb6rper");
    assert_string_equal(header.signal[0].unit, "deg");
    assert_string_equal(header.signal[1].label, "\xc2\xb5");
    assert_string_equal(header.signal[1].unit, "uV");
    assert_string_equal(header.signal[2].unit, "/min");
    assert_string_equal(header.signal[3].unit, "{Blubb}");
    assert_string_equal(header.signal[4].unit, "");
}

static void date_of(const char *date, const char *time, const char *recording, const char *variant)
{
    struct made_head h = { .date = date, .time = time, .recording = recording, .variant = variant };

    assert_int_equal(header_of(&h, one, 1), 0);
}

TEST(the_start_is_the_headers_date_clipped_at_1985_or_the_startdate)
{
    date_of("31.12.84", "23.59.59", "a night", NULL);
    assert_int_equal(header.date, DATE_SURE);
    assert_int_equal(header.days, 42003); /* 2084-12-31 */
    assert_int_equal(header.day_ns, INT64_C(86399000000000));
    date_of("02.01.85", "00.00.00", "a night", NULL);
    assert_int_equal(header.days, 5480); /* 1985-01-02 */
    date_of("10.12.09", "12.44.02", "Startdate 10-DEC-2109 X X X", "EDF+C");
    assert_int_equal(header.date, DATE_SURE);
    assert_int_equal(header.days, 51112);
    date_of("10.12.09", "12.44.02", "Startdate 10-dec-1909 X X X", "EDF+C");
    assert_int_equal(header.days, -21937);
    date_of("10.12.09", "12.44.02", "Startdate 10-DEC-2109 X X X", NULL); /* not EDF+: any text may be there */
    assert_int_equal(header.days, 14588);
    date_of("10.12.09", "12.44.02", "Startdate X X X X", "EDF+C");
    assert_int_equal(header.date, DATE_DOUBTFUL);
    date_of("10.12.09", "12.44.02", "Startdate 31-FEB-2009 X X X", "EDF+C");
    assert_int_equal(header.date, DATE_SURE);
    assert_int_equal(header.days, 14588);
    date_of("10/12/09", "12:44:02", "", NULL);
    assert_int_equal(header.days, 14588);
    assert_int_equal(header.day_ns, INT64_C(45842000000000));
}

TEST(a_date_that_is_none_leaves_the_time_of_day)
{
    static const char *const none[] = { "01.01.85", "00.00.00", "32.01.09", "29.02.09", "        ", "1.1.2009", "aa.bb.cc",
                                        "10.12.yy" };
    size_t i;

    for (i = 0; i < sizeof none / sizeof none[0]; i++) {
        date_of(none[i], "23.59.30", "", NULL);
        assert_int_equal(header.date, DATE_NONE);
        assert_int_equal(header.day_ns, INT64_C(86370000000000));
    }
    date_of("10.12.09", "24.00.00", "", NULL);
    assert_int_equal(header.day_ns, 0);
    assert_int_equal(header.date, DATE_SURE);
}

TEST(headers_that_lie_are_refused)
{
    struct made_signal many[513], s = { 0 };
    struct made_head h = { 0 };

    memset(many, 0, sizeof many);
    expect_refused(&(struct made_head){ .version = "1" }, one, 1, "no EDF file");
    expect_refused(&(struct made_head){ .version = "" }, one, 1, "no EDF file");
    expect_refused(&(struct made_head){ .version = "<html>" }, one, 1, "no EDF file");
    expect_refused(&(struct made_head){ .signals = "0" }, one, 1, "number of signals");
    expect_refused(&(struct made_head){ .signals = "-1" }, one, 1, "number of signals");
    expect_refused(&(struct made_head){ .signals = "1e3" }, one, 1, "number of signals");
    expect_refused(&(struct made_head){ .signals = "9999" }, one, 1, "9999 signals; at most 512");
    expect_refused(&h, many, 513, "513 signals; at most 512");
    expect_refused(&(struct made_head){ .size = "256" }, one, 1, "header's length");
    expect_refused(&(struct made_head){ .size = "99999999" }, one, 1, "header's length");
    expect_refused(&(struct made_head){ .records = "-2" }, one, 1, "number of data records");
    expect_refused(&(struct made_head){ .records = "many" }, one, 1, "number of data records");
    expect_refused(&(struct made_head){ .seconds = "-1" }, one, 1, "duration");
    expect_refused(&(struct made_head){ .seconds = "" }, one, 1, "duration");
    expect_refused(&(struct made_head){ .seconds = "1e-300" }, one, 1, "duration");
    expect_refused(&(struct made_head){ .seconds = "nan" }, one, 1, "duration");
    expect_refused(&(struct made_head){ .seconds = "99999999" }, one, 1, "duration");
    s.samples = "-5";
    expect_refused(&h, &s, 1, "number of samples");
    assert_int_equal(why.line, 1);
    s.samples = "4.5";
    expect_refused(&h, &s, 1, "number of samples");
    s.samples = "0";
    expect_refused(&h, &s, 1, "no samples of any signal");
    s.samples = "99999999";
    assert_int_equal(header_of(&h, &s, 1), 0);
    assert_int_equal(header.record_bytes, 199999998);
}

TEST(durations_may_be_fractions_and_zero)
{
    assert_int_equal(header_of(&(struct made_head){ .seconds = "1e-1" }, one, 1), 0);
    assert_true(header.seconds.num == 1 && header.seconds.den == 10);
    assert_int_equal(header_of(&(struct made_head){ .seconds = "0.015625" }, one, 1), 0);
    assert_true(header.seconds.num == 1 && header.seconds.den == 64);
    assert_int_equal(header_of(&(struct made_head){ .seconds = "0.0" }, one, 1), 0);
    assert_int_equal(header.seconds.num, 0);
}

static int scale_of(const char *low, const char *high, const char *digital_low, const char *digital_high)
{
    struct made_signal s = { .low = low, .high = high, .digital_low = digital_low, .digital_high = digital_high };
    struct made_head h = { 0 };

    assert_int_equal(header_of(&h, &s, 1), 0);
    return signal_scale(&header, 0, &header.signal[0], &why);
}

TEST(ranges_give_gain_and_baseline_or_are_refused)
{
    assert_int_equal(scale_of("0", "100", "0", "1000"), 0);
    assert_true(header.signal[0].gain <= 10 && header.signal[0].gain >= 10);
    assert_true(header.signal[0].baseline <= 0 && header.signal[0].baseline >= 0);
    assert_int_equal(scale_of("100", "-100", "-1000", "1000"), 0); /* the amplifier inverts */
    assert_true(header.signal[0].gain <= -10 && header.signal[0].gain >= -10);
    assert_int_equal(scale_of("-1E3", "+1.5e3", "-32768", "32767"), 0);
    assert_int_equal(scale_of("5", "5", "0", "1"), -1);
    assert_non_null(strstr(why.what, "physical minimum and maximum are equal"));
    assert_int_equal(scale_of("0", "5", "7", "7"), -1);
    assert_non_null(strstr(why.what, "digital maximum is not above"));
    assert_int_equal(scale_of("0", "5", "7", "-7"), -1);
    assert_int_equal(scale_of("0", "5", "-32769", "32767"), -1);
    assert_int_equal(scale_of("0", "5", "0", "32768"), -1);
    assert_int_equal(scale_of("-3,5", "5", "0", "1"), -1);
    assert_non_null(strstr(why.what, "is no number"));
    assert_int_equal(scale_of("0", "1e300", "0", "1"), 0);
    assert_int_equal(scale_of("-1e308", "1e308", "0", "1"), -1);
}

/* ---- annotation lists ---- */

static enum tal_fault tal_of(struct tal *t, const char *text)
{
    static struct made m;

    made_free(&m);
    made_tals(&m, text, strlen(text) + 1);
    return tal_read(t, m.bytes, m.size - 1);
}

TEST(lists_are_read_with_onset_duration_and_texts)
{
    const uint8_t *text;
    size_t at = 0, size;
    struct tal t;

    assert_int_equal(tal_of(&t, "+180.25~30.5|Lights off|Close door|"), TAL_WHOLE);
    assert_int_equal(t.onset_ns, INT64_C(180250000000));
    assert_int_equal(t.duration_ns, INT64_C(30500000000));
    assert_int_equal(tal_text(&t, &at, &text, &size), 1);
    assert_memory_equal(text, "Lights off", 10);
    assert_int_equal(tal_text(&t, &at, &text, &size), 1);
    assert_int_equal(size, 10);
    assert_int_equal(tal_text(&t, &at, &text, &size), 0);
    assert_int_equal(tal_of(&t, "-0.000000001999|x|"), TAL_WHOLE);
    assert_int_equal(t.onset_ns, -1);
    assert_int_equal(t.duration_ns, -1);
    assert_int_equal(tal_of(&t, "+000000000000000000000000000007||"), TAL_WHOLE);
    assert_int_equal(t.onset_ns, INT64_C(7000000000));
}

TEST(lists_that_break_the_rules_are_told_apart)
{
    static const char *const malformed[] = { "", "+", "5|x|", "+5", "+5x|", "+5.|x|", "+.5|x|", "+5.5.5|x|", "+5~|x|",
                                             "+5~-1|x|", "+5~+1|x|", "+5~1~1|x|", "+5|x", "++5|x|", "+1e3|x|", "+5,5|x|",
                                             "+5 |x|", "x", "|", "+|", "-|x|" };
    struct tal t;
    size_t i;

    for (i = 0; i < sizeof malformed / sizeof malformed[0]; i++)
        if (tal_of(&t, malformed[i]) != TAL_MALFORMED)
            fail_msg("taken: %s", malformed[i]);
    assert_int_equal(tal_of(&t, "+99999999999|x|"), TAL_TIME);
    assert_int_equal(tal_of(&t, "+1~99999999999999999999999999|x|"), TAL_TIME);
    assert_int_equal(tal_of(&t, "-4000000000|x|"), TAL_WHOLE);
}

TEST(a_data_records_clock_is_a_list_whose_first_text_is_empty)
{
    int64_t ns;

    assert_int_equal(tal_clock((const uint8_t *)"+567.5\24\24", 8, &ns), 0);
    assert_int_equal(ns, INT64_C(567500000000));
    assert_int_equal(tal_clock((const uint8_t *)"+567.5\24\24", 7, &ns), -1);
    assert_int_equal(tal_clock((const uint8_t *)"+567.5\24x\24", 9, &ns), -1);
    assert_int_equal(tal_clock((const uint8_t *)"+567", 4, &ns), -1);
    assert_int_equal(tal_clock((const uint8_t *)"", 0, &ns), -1);
}

TEST(texts_become_utf8_without_control_bytes)
{
    char to[64];
    int latin;
    size_t n = tal_utf8(to, (const uint8_t *)"a\xc3\xa4\x01\n\x7f", 6, &latin);

    assert_int_equal(latin, 0);
    assert_int_equal(n, 6);
    assert_memory_equal(to, "a\xc3\xa4 \n ", 6);
    n = tal_utf8(to, (const uint8_t *)"a\xe4\xff", 3, &latin);
    assert_int_equal(latin, 1);
    assert_int_equal(n, 5);
    assert_memory_equal(to, "a\xc3\xa4\xc3\xbf", 5);
}

AFF_TEST_MAIN(every_field_of_a_header_is_read, labels_and_units_of_eight_bits_become_utf8,
              the_start_is_the_headers_date_clipped_at_1985_or_the_startdate,
              a_date_that_is_none_leaves_the_time_of_day, headers_that_lie_are_refused,
              durations_may_be_fractions_and_zero, ranges_give_gain_and_baseline_or_are_refused,
              lists_are_read_with_onset_duration_and_texts, lists_that_break_the_rules_are_told_apart,
              a_data_records_clock_is_a_list_whose_first_text_is_empty, texts_become_utf8_without_control_bytes)
