/* SPDX-License-Identifier: Apache-2.0
 *
 * date.c - the part of RFC 3339 that a start of a recording needs: UTC, whole
 * seconds. No leap second, no offset, no other calendar. */
#include "date.h"

#include "calendar/calendar.h"
/* `digits` decimal digits at *text, which moves behind them; -1 when not there. */
static int number_take(const char **text, int digits)
{
    int value = 0;

    for (int i = 0; i < digits; i++, ++*text) {
        if (**text < '0' || **text > '9')
            return -1;
        value = value * 10 + (**text - '0');
    }
    return value;
}

static bool mark_take(const char **text, char mark)
{
    if (**text != mark)
        return false;
    ++*text;
    return true;
}

static bool day_take(const char **text, int64_t *ret_days)
{
    int year = number_take(text, 4), month = 0, day = 0;

    if (year < 1970 || year > 2199 || !mark_take(text, '-'))
        return false;
    month = number_take(text, 2);
    if (!mark_take(text, '-'))
        return false;
    day = number_take(text, 2);
    if (day < 1 || day > calendar_month_days(year, month))
        return false;
    *ret_days = calendar_days(year, month, day);
    return true;
}

static bool clock_take(const char **text, int64_t *ret_seconds)
{
    int hour = number_take(text, 2), minute = 0, second = 0;

    if (hour < 0 || hour > 23 || !mark_take(text, ':'))
        return false;
    minute = number_take(text, 2);
    if (minute < 0 || minute > 59)
        return false;
    if (mark_take(text, ':'))
        second = number_take(text, 2);
    if (second < 0 || second > 59)
        return false;
    *ret_seconds = hour * 3600 + minute * 60 + second;
    return true;
}

bool date_read(const char *text, int64_t *ret_ns)
{
    int64_t days = 0, seconds = 0;

    if (!day_take(&text, &days))
        return false;
    if ((mark_take(&text, 'T') || mark_take(&text, ' ')) && !clock_take(&text, &seconds))
        return false;
    mark_take(&text, 'Z');
    if (*text != '\0')
        return false;
    *ret_ns = (days * 86400 + seconds) * 1000000000;
    return true;
}
