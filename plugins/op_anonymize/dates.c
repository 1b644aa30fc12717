/* SPDX-License-Identifier: Apache-2.0
 *
 * dates.c - see dates.h.
 *
 * Text: ISO 8601-1:2019, 5.2.2.1 and 5.4.2.1, extended formats. */
#include "dates.h"

#include "calendar/calendar.h"
#include "config.h"

/* `digits` of them as a number from low to high, or -1. */
static int number(const char *at, const char *end, int digits, const int range[2])
{
    int value = 0;

    if (end - at < digits)
        return -1;
    for (int i = 0; i < digits; i++) {
        if (at[i] < '0' || at[i] > '9')
            return -1;
        value = value * 10 + at[i] - '0';
    }
    return value >= range[0] && value <= range[1] ? value : -1;
}

static const int hours[2] = { 0, 23 }, sixty[2] = { 0, 59 }, leap[2] = { 0, 60 };

static int is_offset(const char *at, const char *end)
{
    if (at == end || (*at == 'Z' && at + 1 == end))
        return 1;
    return (*at == '+' || *at == '-') && end - at == 6 && at[3] == ':' && number(at + 1, end, 2, hours) >= 0 &&
           number(at + 4, end, 2, sixty) >= 0;
}

static int is_time(const char *at, const char *end)
{
    if (end - at < 5 || number(at, end, 2, hours) < 0 || at[2] != ':' || number(at + 3, end, 2, sixty) < 0)
        return 0;
    at += 5;
    if (at == end || *at != ':')
        return is_offset(at, end);
    if (number(at + 1, end, 2, leap) < 0)
        return 0;
    at += 3;
    if (at < end && *at == '.') {
        const char *begin = ++at;

        while (at < end && *at >= '0' && *at <= '9')
            at++;
        if (at == begin || at - begin > 9)
            return 0;
    }
    return is_offset(at, end);
}

int date_parse(const char *text, size_t size, int64_t *ret_days)
{
    static const int years[2] = { 1, 9999 }, months[2] = { 1, 12 }, days[2] = { 1, 31 };
    const char *end = text + size;
    int year, month, day;

    if (size < DATE_CHARS || text[4] != '-' || text[7] != '-')
        return 0;
    year = number(text, end, 4, years);
    month = number(text + 5, end, 2, months);
    day = number(text + 8, end, 2, days);
    if (year < 0 || month < 0 || day < 0 || day > calendar_month_days(year, month))
        return 0;
    if (size > DATE_CHARS && ((text[10] != 'T' && text[10] != ' ') || !is_time(text + 11, end)))
        return 0;
    *ret_days = calendar_days(year, month, day);
    return 1;
}

static char *digits_write(char *at, int64_t value, int digits)
{
    for (int i = digits - 1; i >= 0; i--, value /= 10)
        at[i] = (char)('0' + value % 10);
    return at + digits;
}

int date_write(char *text, int64_t days)
{
    struct calendar c;

    if (days < -719162 || days > 2932896) /* 0001-01-01, 9999-12-31 */
        return 0;
    c = calendar_date(days);
    text = digits_write(text, c.year, 4);
    *text++ = '-';
    text = digits_write(text, c.month, 2);
    *text++ = '-';
    (void)digits_write(text, c.day, 2);
    return 1;
}

int time_floor(int64_t ns, int floor, int64_t *ret_ns)
{
    struct calendar c = calendar_at(ns);

    if (floor >= FLOOR_MONTH)
        c.day = 1;
    if (floor >= FLOOR_YEAR)
        c.month = 1;
    return !__builtin_mul_overflow(calendar_days(c.year, c.month, c.day), DAY_NS, ret_ns);
}
