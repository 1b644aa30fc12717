/* SPDX-License-Identifier: Apache-2.0
 *
 * test_calendar.c - each day of some thousand years, and moments around 1970. */
#include <afferent/testkit.h>

#include "calendar/calendar.h"

#include <stdio.h>

TEST(each_day_is_the_one_behind_the_day_before)
{
    int64_t day = calendar_days(-801, 1, 1), days = calendar_days(10001, 1, 1);
    struct calendar before = calendar_date(day), c;

    assert_int_equal(calendar_days(1970, 1, 1), 0);
    assert_int_equal(calendar_days(1969, 12, 31), -1);
    assert_int_equal(calendar_days(2000, 3, 1), 11017);
    for (day++; day < days; day++) {
        c = calendar_date(day);
        assert_true(calendar_days(c.year, c.month, c.day) == day);
        if (c.day == before.day + 1 && c.month == before.month && c.year == before.year) {
            before = c;
            continue;
        }
        assert_int_equal(c.day, 1);
        assert_int_equal(before.day, calendar_month_days(before.year, before.month));
        assert_true(c.month == before.month % 12 + 1 && c.year == before.year + (c.month == 1));
        before = c;
    }
    assert_int_equal(c.year, 10000);
}

TEST(months_have_the_days_that_they_have)
{
    assert_int_equal(calendar_month_days(2026, 1), 31);
    assert_int_equal(calendar_month_days(2026, 2), 28);
    assert_int_equal(calendar_month_days(2024, 2), 29);
    assert_int_equal(calendar_month_days(2100, 2), 28);
    assert_int_equal(calendar_month_days(2000, 2), 29);
    assert_int_equal(calendar_month_days(2026, 11), 30);
    assert_int_equal(calendar_month_days(2026, 0), 0);
    assert_int_equal(calendar_month_days(2026, 13), 0);
}

static void expect_moment(int64_t ns, const char *wanted)
{
    struct calendar c = calendar_at(ns);
    char text[80];

    (void)snprintf(text, sizeof text, "%04d-%02d-%02d %02d:%02d:%02d.%09d", (int)c.year, c.month, c.day, c.hour,
                   c.minute, c.second, c.ns);
    assert_string_equal(text, wanted);
}

TEST(moments_before_1970_are_rounded_down_like_those_behind)
{
    expect_moment(0, "1970-01-01 00:00:00.000000000");
    expect_moment(-1, "1969-12-31 23:59:59.999999999");
    expect_moment(-86400000000000, "1969-12-31 00:00:00.000000000");
    expect_moment(1772350200123456789, "2026-03-01 07:30:00.123456789");
    expect_moment(INT64_MAX, "2262-04-11 23:47:16.854775807");
    expect_moment(INT64_MIN, "1677-09-21 00:12:43.145224192");
}

AFF_TEST_MAIN(each_day_is_the_one_behind_the_day_before, months_have_the_days_that_they_have,
              moments_before_1970_are_rounded_down_like_those_behind)
