/* SPDX-License-Identifier: Apache-2.0
 *
 * when.c - see when.h. */
#include "recording/when.h"

#include "calendar/calendar.h"

#include <stdio.h>
#include <string.h>

__extension__ typedef __int128 wide;

#define NS INT64_C(1000000000)

bool when_at(int64_t begin_ns, int64_t ticks, const struct rate *rate, int64_t *ret_ns)
{
    wide whole = (wide)ticks / (wide)rate->num, part = (wide)ticks % (wide)rate->num;
    wide ns;

    if (part < 0) { /* down, not to zero */
        whole--;
        part += (wide)rate->num;
    }
    if (rate->den > UINT64_C(1000000000))
        return false;
    /* At most 2^63 * 10^9 * 10^9 and 2^64 * 10^9 * 10^9: below 2^127. */
    ns = whole * (wide)rate->den * NS + part * (wide)rate->den * NS / (wide)rate->num + begin_ns;
    if (ns > INT64_MAX || ns < INT64_MIN)
        return false;
    *ret_ns = (int64_t)ns;
    return true;
}

bool rate_times(const struct rate *rate, uint32_t times, struct rate *ret)
{
    uint64_t common = text_gcd(times, rate->den);

    ret->den = rate->den / common;
    return !__builtin_mul_overflow(rate->num, times / common, &ret->num);
}

void rate_text(char to[RATE_TEXT], const struct rate *rate)
{
    uint64_t whole = rate->num / rate->den, rest = rate->num % rate->den;
    char digits[12];
    int n = 0;

    /* den divides 10^9, so nine digits are all. */
    while (rest && n < 9) {
        rest *= 10;
        digits[n++] = (char)('0' + rest / rate->den); /* cppcheck-suppress zerodivcond ; it divided above */
        rest %= rate->den;
    }
    digits[n] = 0;
    (void)snprintf(to, RATE_TEXT, "%llu%s%sHz", (unsigned long long)whole, n ? "." : "", digits);
}

int date_is_real(int64_t year, int64_t month, int64_t day)
{
    return year >= 1 && year <= 2261 && day >= 1 && day <= calendar_month_days(year, month);
}

/* A fixed number of digits. */
static bool digits_read(const char **at, int count, int64_t *ret)
{
    for (*ret = 0; count; count--, (*at)++) {
        if (**at < '0' || **at > '9')
            return false;
        *ret = *ret * 10 + (**at - '0');
    }
    return true;
}

static bool clock_read(const char **at, int64_t *ret_ns)
{
    int64_t hour, minute, second = 0, unit = NS / 10;

    *ret_ns = 0;
    if (!digits_read(at, 2, &hour) || *(*at)++ != ':' || !digits_read(at, 2, &minute))
        return false;
    if (**at == ':') {
        (*at)++;
        if (!digits_read(at, 2, &second))
            return false;
        if (**at == '.')
            for ((*at)++; **at >= '0' && **at <= '9'; (*at)++, unit /= 10)
                *ret_ns += unit * (**at - '0');
    }
    *ret_ns += (hour * 3600 + minute * 60 + second) * NS;
    return hour < 24 && minute < 60 && second < 60;
}

bool when_read(const char *text, int64_t *ret_ns)
{
    int64_t year, month, day, clock = 0;

    if (!digits_read(&text, 4, &year) || *text++ != '-' || !digits_read(&text, 2, &month) || *text++ != '-' ||
        !digits_read(&text, 2, &day) || year < 1678 || !date_is_real(year, month, day))
        return false;
    if (*text == 'T' || *text == ' ') {
        text++;
        if (!clock_read(&text, &clock))
            return false;
    }
    if (*text == 'Z')
        text++;
    if (*text)
        return false;
    *ret_ns = calendar_days(year, month, day) * 86400 * NS + clock;
    return true;
}
