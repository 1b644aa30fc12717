/* when.c - see when.h. */
#include "show/when.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "util/units.h"

#define SECOND_NS 1000000000

void when_print(char text[WHEN_ROOM], int64_t utc_ns)
{
    int64_t seconds = utc_ns / SECOND_NS;
    int32_t ns = (int32_t)(utc_ns % SECOND_NS);
    time_t when;
    struct tm tm;
    size_t at;

    if (ns < 0) {
        ns += SECOND_NS;
        seconds--;
    }
    when = (time_t)seconds;
    gmtime_r(&when, &tm);
    at = strftime(text, WHEN_ROOM, "%Y-%m-%dT%H:%M:%S", &tm);
    if (ns == 0)
        snprintf(text + at, WHEN_ROOM - at, "Z");
    else if (ns % 1000000 == 0)
        snprintf(text + at, WHEN_ROOM - at, ".%03dZ", (int)(ns / 1000000));
    else if (ns % 1000 == 0)
        snprintf(text + at, WHEN_ROOM - at, ".%06dZ", (int)(ns / 1000));
    else
        snprintf(text + at, WHEN_ROOM - at, ".%09dZ", (int)ns);
}

/* Exactly `digits` of them; moves on behind. */
static bool read_digits(const char **at, int digits, int *ret)
{
    int value = 0;

    for (; digits > 0; digits--, (*at)++) {
        if (**at < '0' || **at > '9')
            return false;
        value = value * 10 + (**at - '0');
    }
    *ret = value;
    return true;
}

static bool read_char(const char **at, char wanted)
{
    if (**at != wanted)
        return false;
    (*at)++;
    return true;
}

/* ".25": up to nine digits, more would be lost. */
static bool read_fraction(const char **at, int64_t *ret_ns)
{
    int64_t scale = SECOND_NS / 10;

    *ret_ns = 0;
    if (!read_char(at, '.'))
        return true;
    if (**at < '0' || **at > '9')
        return false;
    for (; **at >= '0' && **at <= '9'; (*at)++, scale /= 10) {
        if (scale == 0)
            return false;
        *ret_ns += (**at - '0') * scale;
    }
    return true;
}

/* "Z", "+02:00", or nothing, which means UTC. */
static bool read_offset(const char **at, int *ret_seconds)
{
    int hours, minutes, sign = **at == '-' ? -1 : 1;

    *ret_seconds = 0;
    if (**at == '\0')
        return true;
    if (**at == 'Z' || **at == 'z') {
        (*at)++;
        return true;
    }
    if (**at != '+' && **at != '-')
        return false;
    (*at)++;
    if (!read_digits(at, 2, &hours) || !read_char(at, ':') || !read_digits(at, 2, &minutes) ||
        hours > 23 || minutes > 59)
        return false;
    *ret_seconds = sign * (hours * 3600 + minutes * 60);
    return true;
}

static bool read_date(const char **at, struct tm *tm)
{
    if (!read_digits(at, 4, &tm->tm_year) || !read_char(at, '-') || !read_digits(at, 2, &tm->tm_mon) ||
        !read_char(at, '-') || !read_digits(at, 2, &tm->tm_mday))
        return false;
    if (tm->tm_mon < 1 || tm->tm_mon > 12 || tm->tm_mday < 1)
        return false;
    tm->tm_year -= 1900;
    tm->tm_mon -= 1;
    return true;
}

static bool read_clock(const char **at, struct tm *tm, int64_t *ret_ns)
{
    if (!read_digits(at, 2, &tm->tm_hour) || !read_char(at, ':') || !read_digits(at, 2, &tm->tm_min))
        return false;
    if (read_char(at, ':') && !read_digits(at, 2, &tm->tm_sec))
        return false;
    return tm->tm_hour < 24 && tm->tm_min < 60 && tm->tm_sec <= 60 && read_fraction(at, ret_ns);
}

static bool read_civil(const char *text, int64_t *ret_utc_ns)
{
    struct tm tm = { 0 }, back;
    int64_t ns = 0, seconds;
    int offset = 0;
    time_t when;

    if (!read_date(&text, &tm))
        return false;
    back = tm;
    if (*text == 'T' || *text == 't' || *text == ' ') {
        text++;
        if (!read_clock(&text, &tm, &ns) || !read_offset(&text, &offset))
            return false;
    }
    when = timegm(&back);
    if (*text != '\0' || back.tm_mday != tm.tm_mday) /* 30 February */
        return false;
    seconds = (int64_t)when + tm.tm_hour * 3600 + tm.tm_min * 60 + tm.tm_sec - offset;
    return !__builtin_mul_overflow(seconds, (int64_t)SECOND_NS, ret_utc_ns) &&
           !__builtin_add_overflow(*ret_utc_ns, ns, ret_utc_ns);
}

bool when_read(const char *text, int64_t *ret_utc_ns)
{
    char *end;
    long long seconds;
    int64_t ns;

    if (units_duration(text, &ns) == UNITS_OK) {
        *ret_utc_ns = ns;
        return true;
    }
    if (strlen(text) >= 10 && text[4] == '-' && text[7] == '-')
        return read_civil(text, ret_utc_ns);
    seconds = strtoll(text, &end, 10);
    return end != text && *end == '\0' && !__builtin_mul_overflow((int64_t)seconds, (int64_t)SECOND_NS, ret_utc_ns);
}
