/* SPDX-License-Identifier: Apache-2.0
 *
 * pattern.c - times by a pattern like "%d.%m.%Y %H:%M:%S": the part of POSIX
 * strptime whose meaning is the same everywhere, in English and ASCII only.
 *
 * %Y %y %m %b %d %e %j %H %I %p %M %S %f %z %s %F %T %R %%. As in POSIX %y from
 * 69 on is 1969; as in Python %f is a fraction of a second. White space stands
 * for any amount of it. A pattern must give a whole date. */
#include "when_inside.h"

#include <string.h>

static bool space(char c)
{
    return c == ' ' || c == '\t';
}

/* strncasecmp would ask the locale. */
static bool same_month(const char *text, const char *name)
{
    return (text[0] | 0x20) == name[0] && (text[1] | 0x20) == name[1] && (text[2] | 0x20) == name[2];
}

static bool month_take(struct cursor *c, struct moment *m)
{
    static const char names[] = "janfebmaraprmayjunjulaugsepoctnovdec";
    int i;

    for (i = 0; i < 12 && c->end - c->at >= 3; i++)
        if (same_month(c->at, names + i * 3)) {
            m->month = i + 1;
            c->at += 3;
            return true;
        }
    return false;
}

static bool half_take(struct cursor *c, struct moment *m)
{
    if (c->end - c->at < 2 || (c->at[1] != 'm' && c->at[1] != 'M') || !strchr("aApP", c->at[0]) || !c->at[0])
        return false;
    m->afternoon = c->at[0] == 'p' || c->at[0] == 'P';
    c->at += 2;
    return true;
}

static bool count_take(struct cursor *c, struct moment *m)
{
    bool negative = cursor_mark(c, '-');
    int64_t value = cursor_digits(c, 1, 10);

    if (value < 0 || value > INT64_C(9000000000))
        return false;
    m->absolute = true;
    m->seconds_1970 = negative ? -value : value;
    return true;
}

static bool int_take(struct cursor *c, int *ret, int least, int most, int digits)
{
    int64_t value;

    while (c->at < c->end && *c->at == ' ' && digits == 2 && least <= 1)
        c->at++; /* %e, and fields that programs pad with a space */
    value = cursor_digits(c, 1, digits);
    *ret = (int)value;
    return value >= least && value <= most;
}

static bool year_take(struct cursor *c, struct moment *m, int digits)
{
    m->year = cursor_digits(c, digits, digits);
    if (digits == 2 && m->year >= 0)
        m->year += m->year >= 69 ? 1900 : 2000;
    return m->year >= 0;
}

static bool part_take(char what, struct cursor *c, struct moment *m)
{
    switch (what) {
    case 'Y':
        return year_take(c, m, 4);
    case 'y':
        return year_take(c, m, 2);
    case 'm':
        return int_take(c, &m->month, 1, 12, 2);
    case 'b':
        return month_take(c, m);
    case 'd':
    case 'e':
        return int_take(c, &m->day, 1, 31, 2);
    case 'j':
        return int_take(c, &m->day_of_year, 1, 366, 3);
    case 'I':
        m->twelve_hours = true;
        return int_take(c, &m->hour, 1, 12, 2);
    case 'H':
        return int_take(c, &m->hour, 0, 24, 2);
    case 'M':
        return int_take(c, &m->minute, 0, 59, 2);
    case 'S':
        return int_take(c, &m->second, 0, 60, 2);
    case 'f':
        return cursor_fraction(c, &m->nanosecond);
    case 'p':
        return half_take(c, m);
    case 'z':
        m->has_zone = cursor_zone(c, &m->zone_ns);
        return m->has_zone;
    case 's':
        return count_take(c, m);
    default:
        return cursor_mark(c, what);
    }
}

/* What a short form stands for. */
static const char *longer(char what)
{
    switch (what) {
    case 'F':
        return "%Y-%m-%d";
    case 'T':
        return "%H:%M:%S";
    case 'R':
        return "%H:%M";
    default:
        return NULL;
    }
}

static bool pattern_run(const char *pattern, struct cursor *c, struct moment *m)
{
    for (; *pattern; pattern++) {
        if (space(*pattern)) {
            while (c->at < c->end && space(*c->at))
                c->at++;
        } else if (*pattern != '%') {
            if (!cursor_mark(c, *pattern))
                return false;
        } else if (!part_take(*++pattern, c, m)) {
            return false;
        }
    }
    return true;
}

bool pattern_read(const char *pattern, struct cursor *c, struct moment *m)
{
    const char *mark = strchr(pattern, '%');
    char whole[3 * 128];
    size_t used = 0;

    /* Short forms are written out first; pattern_check saw to it that they fit. */
    if (!mark || strlen(pattern) > 64)
        return false;
    for (; *pattern; pattern++) {
        const char *more = *pattern == '%' ? longer(pattern[1]) : NULL;

        if (more) {
            memcpy(whole + used, more, strlen(more));
            used += strlen(more);
            pattern++;
            continue;
        }
        whole[used++] = *pattern;
        if (*pattern == '%')
            whole[used++] = *++pattern;
    }
    whole[used] = '\0';
    return pattern_run(whole, c, m);
}

/* One bit a part of the date. */
enum { HAS_YEAR = 1, HAS_MONTH = 2, HAS_DAY = 4, HAS_ALL = 7 };

static int date_bits(char what)
{
    switch (what) {
    case 'Y':
    case 'y':
        return HAS_YEAR;
    case 'm':
    case 'b':
        return HAS_MONTH;
    case 'd':
    case 'e':
        return HAS_DAY;
    case 'j':
        return HAS_MONTH | HAS_DAY;
    case 'F':
    case 's':
        return HAS_ALL;
    default:
        return 0;
    }
}

const char *pattern_check(const char *pattern)
{
    int has = 0;

    if (strlen(pattern) > 64)
        return "format is longer than 64 characters; expected a shorter one; shorten it";
    if (!strchr(pattern, '%'))
        return "format is unknown; expected iso8601, unix_s, unix_ms, unix_us, unix_ns, hh:mm, hh:mm:ss or a pattern; "
               "write one like \"%d.%m.%Y %H:%M:%S\"";
    for (; *pattern; pattern++) {
        if (*pattern != '%')
            continue;
        if (!*++pattern || !strchr("YymbdejHIpMSfzsFTR%", *pattern))
            return "format has an unknown part; expected %Y %y %m %b %d %e %j %H %I %p %M %S %f %z %s %F %T %R or %%; "
                   "correct it";
        has |= date_bits(*pattern);
    }
    return has == HAS_ALL ? NULL : "format gives no whole date; it needs %Y, %m and %d, or %F, or %s";
}
