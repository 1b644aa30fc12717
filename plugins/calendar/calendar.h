/* SPDX-License-Identifier: Apache-2.0
 *
 * calendar.h - days since 1970 as dates of the Gregorian calendar, and back; UTC.
 *
 * By H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", days_from_civil and
 * civil_from_days: days are counted from the first of March, in eras of 400 years.
 *
 * Not here: texts of dates (those who read and write them), leap seconds. */
#ifndef CALENDAR_H
#define CALENDAR_H

#include <stdint.h>

struct calendar {
    int64_t year;
    int month, day; /* both from 1 */
    int hour, minute, second, ns;
};

/* Days of a month of 1 to 12; 0: there is no such month. */
static inline int calendar_month_days(int64_t year, int64_t month)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    int is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return month < 1 || month > 12 ? 0 : days[month - 1] + (month == 2 && is_leap);
}

/* Days from 1970-01-01 to a date. */
static inline int64_t calendar_days(int64_t year, int64_t month, int64_t day)
{
    int64_t y = month <= 2 ? year - 1 : year, era = (y >= 0 ? y : y - 399) / 400, of_era = y - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* The date so many days after 1970-01-01, at midnight. */
static inline struct calendar calendar_date(int64_t days)
{
    int64_t z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097, in = z - era * 146097;
    int64_t y = (in - in / 1460 + in / 36524 - in / 146096) / 365;
    int64_t of_year = in - (365 * y + y / 4 - y / 100), m = (5 * of_year + 2) / 153;
    struct calendar c = { 0, (int)(m < 10 ? m + 3 : m - 9), (int)(of_year - (153 * m + 2) / 5 + 1), 0, 0, 0, 0 };

    c.year = y + era * 400 + (c.month <= 2);
    return c;
}

/* The date and time of day so many ns after 1970. */
static inline struct calendar calendar_at(int64_t utc_ns)
{
    const int64_t day_ns = INT64_C(86400000000000);
    int64_t days = utc_ns / day_ns - (utc_ns % day_ns < 0), rest = utc_ns % day_ns + (utc_ns % day_ns < 0 ? day_ns : 0);
    struct calendar c = calendar_date(days);

    c.ns = (int)(rest % 1000000000);
    rest /= 1000000000;
    c.hour = (int)(rest / 3600);
    c.minute = (int)(rest / 60 % 60);
    c.second = (int)(rest % 60);
    return c;
}

#endif
