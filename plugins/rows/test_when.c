/* SPDX-License-Identifier: Apache-2.0
 *
 * test_when.c - texts of time: each format, its edges, what is refused; dates
 * against the C library's. Also which bytes are UTF-8. */
#include "when.h"

#include <afferent/testkit.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "utf8.h"

#define S INT64_C(1000000000)

static void expect_time(const char *format, const char *zone, const char *text, int64_t wanted)
{
    struct when w;
    int64_t ns = -7;

    assert_null(when_open(&w, format, zone, "2024-01-01"));
    if (!when_read(&w, text, strlen(text), &ns))
        fail_msg("%s is not taken as %s", text, format);
    assert_true(ns == wanted);
}

static void expect_no_time(const char *format, const char *text)
{
    struct when w;
    int64_t ns = -7;

    assert_null(when_open(&w, format, "Z", "1970-01-01"));
    if (when_read(&w, text, strlen(text), &ns))
        fail_msg("%s is taken as %s", text, format);
    assert_true(ns == -7);
}

TEST(iso_8601_is_read_to_the_nanosecond)
{
    expect_time("iso8601", "Z", "1970-01-01T00:00:01Z", S);
    expect_time("iso8601", "Z", "1970-01-01 00:00:01", S);
    expect_time("iso8601", "+01:00", "1970-01-01T01:00", 0);
    expect_time("iso8601", "+01:00", "1970-01-01T01:00Z", 3600 * S);
    expect_time("iso8601", "Z", "1970-01-01T00:00:00.123456789-00:30", 1800 * S + 123456789);
    expect_time("iso8601", "Z", "1970-01-01t00:00:00,5z", S / 2);
    expect_time("iso8601", "Z", "19700102T000001+0100", 86401 * S - 3600 * S);
    expect_time("iso8601", "Z", "1970-01-02", 86400 * S);
    expect_time("iso8601", "Z", "1969-12-31T23:59:60Z", 0);
    expect_time("iso8601", "Z", "1970-01-01T24:00", 86400 * S);
    expect_time("iso8601", "Z", "2024-02-29T12:00:00Z", INT64_C(1709208000) * S);
    expect_time("iso8601", "Z", "1678-01-01", INT64_C(-9214560000) * S);
    expect_time("iso8601", "Z", "2261-12-31T23:59:59.999999999Z", INT64_C(9214646399) * S + 999999999);
}

TEST(what_is_no_date_is_refused)
{
    static const char *const bad[] = { "", "2024", "2024-1-1", "2023-02-29", "2024-13-01", "2024-00-10", "2024-01-32",
                                       "2024-01-01T", "2024-01-01T1:00", "2024-01-01T25:00", "2024-01-01T24:01",
                                       "2024-01-01T12:60", "2024-01-01T12:00:61", "2024-01-01T12:00:00.", "2024-01-01T12:00:00+1",
                                       "2024-01-01T12:00:00Zx", "1677-12-31", "2262-01-01", "2024-0101", "-024-01-01",
                                       "2024-01-01T12:00+19:00", "now" };
    size_t i;

    for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
        expect_no_time("iso8601", bad[i]);
}

TEST(counts_since_1970_are_exact)
{
    expect_time("unix_s", "Z", "1700000000", INT64_C(1700000000) * S);
    expect_time("unix_s", "Z", "1700000000.123456789", INT64_C(1700000000123456789));
    expect_time("unix_s", "Z", "-0.5", -S / 2);
    expect_time("unix_s", "Z", "1.7e9", INT64_C(1700000000) * S);
    expect_time("unix_ms", "Z", "1700000000123.4567894", INT64_C(1700000000123456789));
    expect_time("unix_us", "Z", "5", 5000);
    expect_time("unix_ns", "Z", "9223372036854775807", INT64_MAX);
    expect_time("unix_s", "Z", "0.00000000000000000000000000000000000001", 0);
    expect_no_time("unix_s", "9223372037");
    expect_no_time("unix_ns", "9223372036854775808");
    expect_no_time("unix_s", "12:00");
    expect_no_time("unix_s", "");
}

TEST(clocks_count_from_their_start_and_beyond_a_day)
{
    int64_t start = INT64_C(1704067200) * S;

    expect_time("hh:mm", "Z", "00:07", start + 420 * S);
    expect_time("hh:mm", "Z", "49:30", start + 49 * 3600 * S + 1800 * S);
    expect_time("hh:mm", "+01:00", "0:00", start - 3600 * S);
    expect_time("hh:mm:ss", "Z", "123:00:01.5", start + 123 * 3600 * S + S + S / 2);
    expect_time("hh:mm", "Z", "-01:00", start - 3600 * S);
    expect_no_time("hh:mm", "1:5");
    expect_no_time("hh:mm", "01:60");
    expect_no_time("hh:mm", "01:00:00");
    expect_no_time("hh:mm:ss", "01:00");
    expect_no_time("hh:mm:ss", "9999999:00:00");
}

TEST(patterns_read_what_strptime_would)
{
    int64_t noon = INT64_C(1709208000) * S;

    expect_time("%d.%m.%Y %H:%M:%S", "Z", "29.02.2024 12:00:00", noon);
    expect_time("%d.%m.%Y %H:%M:%S", "+01:00", "29.2.2024  13:0:0", noon);
    expect_time("%m/%d/%y %I:%M %p", "Z", "02/29/24 12:00 pm", noon);
    expect_time("%e %b %Y %I%p", "Z", "29 FEB 2024 12PM", noon);
    expect_time("%b %e %Y %R", "Z", "Feb 29 2024 12:00", noon);
    expect_time("%F %T.%f", "Z", "2024-02-29 12:00:00.25", noon + S / 4);
    expect_time("%Y%j %H%M", "Z", "2024060 1200", noon);
    expect_time("%FT%T%z", "Z", "2024-02-29T13:00:00+0100", noon);
    expect_time("at %s%%", "Z", "at 1709208000%", noon);
    expect_no_time("%d.%m.%Y", "29.02.2023");
    expect_no_time("%d.%m.%Y", "29.02.2024 ");
    expect_no_time("%d.%m.%Y", "29-02-2024");
    expect_no_time("%Y %j", "2023 366");
    expect_no_time("%F %I:%M %p", "2024-02-29 13:00 pm");
}

TEST(formats_that_cannot_work_say_why)
{
    struct when w;

    assert_string_equal(when_open(&w, "%Y-%m", "Z", "1970-01-01") ? "no" : "yes", "no");
    assert_non_null(strstr(when_open(&w, "%Q", "Z", "1970-01-01"), "unknown part"));
    assert_non_null(strstr(when_open(&w, "%F %", "Z", "1970-01-01"), "unknown part"));
    assert_non_null(strstr(when_open(&w, "dd.mm.yyyy", "Z", "1970-01-01"), "expected iso8601"));
    assert_non_null(strstr(when_open(&w, "iso8601", "Europe/Berlin", "1970-01-01"), "zone"));
    assert_non_null(strstr(when_open(&w, "iso8601", "Z", "yesterday"), "start"));
}

/* Each day that can be written, against timegm. */
TEST(all_days_are_those_of_the_c_library)
{
    struct when w;
    char text[16];
    int64_t ns;
    time_t day;

    assert_null(when_open(&w, "iso8601", "Z", "1970-01-01"));
    for (day = -9214560000; day <= 9214560000; day += 86400) {
        struct tm tm;

        gmtime_r(&day, &tm);
        snprintf(text, sizeof text, "%04d-%02d-%02d", (tm.tm_year + 1900) % 10000, tm.tm_mon % 12 + 1, tm.tm_mday % 32);
        assert_true(when_read(&w, text, 10, &ns));
        assert_true(ns == (int64_t)day * S);
    }
}

TEST(utf8_is_told_from_other_bytes)
{
    static const char *const good[] = { "", "abc", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xf4\x8f\xbf\xbf",
                                        "\xed\x9f\xbf", "12345678\xc3\xa9" };
    static const char *const bad[] = { "\x80", "\xc3", "\xc0\xaf", "\xc1\xbf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf0\x80\x80\x80",
                                       "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xe2\x82", "\xe2\x28\xa1", "1234567\xc3",
                                       "\xfe", "\xff", "caf\xe9 x" };
    size_t i;

    for (i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(utf8_ok(good[i], strlen(good[i])));
    for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(utf8_ok(bad[i], strlen(bad[i])));
}

AFF_TEST_MAIN(iso_8601_is_read_to_the_nanosecond, what_is_no_date_is_refused, counts_since_1970_are_exact,
              clocks_count_from_their_start_and_beyond_a_day, patterns_read_what_strptime_would,
              formats_that_cannot_work_say_why, all_days_are_those_of_the_c_library, utf8_is_told_from_other_bytes)
