/* SPDX-License-Identifier: Apache-2.0
 *
 * when.c - texts of time to ns since 1970: ISO 8601 as RFC 3339 narrows it
 * (and dates alone, the basic form, a comma before the fraction), counts since
 * 1970, and clocks that count from a start, where hours may exceed 24. Exact:
 * no floating point. Second 60 is the first of the next minute, as in POSIX.
 *
 * Not here: patterns of the strptime kind (pattern.c); zones by name, since an
 * hour of each autumn would have two meanings. */
#include "when_inside.h"

#include <stdlib.h>
#include <string.h>

#include "calendar/calendar.h"
#include "number.h"

#define NS_PER_S INT64_C(1000000000)
#define DAY_S INT64_C(86400)
enum { YEAR_LEAST = 1678, YEAR_MOST = 2261, ZONE_HOURS_MOST = 18 };

int64_t cursor_digits(struct cursor *c, int least, int most)
{
    int64_t value = 0;
    int n = 0;

    for (; n < most && c->at < c->end && *c->at >= '0' && *c->at <= '9'; n++, c->at++)
        value = value * 10 + (*c->at - '0');
    return n < least ? -1 : value;
}

bool cursor_mark(struct cursor *c, char mark)
{
    if (c->at >= c->end || *c->at != mark)
        return false;
    c->at++;
    return true;
}

bool cursor_fraction(struct cursor *c, int *ret_ns)
{
    int value = 0, n = 0;

    for (; c->at < c->end && *c->at >= '0' && *c->at <= '9'; n++, c->at++)
        if (n < 9)
            value = value * 10 + (*c->at - '0');
    if (!n)
        return false;
    for (; n < 9; n++)
        value *= 10;
    *ret_ns = value;
    return true;
}

bool cursor_zone(struct cursor *c, int64_t *ret_ns)
{
    int64_t hours, minutes = 0;
    bool west = c->at < c->end && *c->at == '-';

    *ret_ns = 0;
    if (cursor_mark(c, 'Z') || cursor_mark(c, 'z'))
        return true;
    if (!cursor_mark(c, '+') && !cursor_mark(c, '-'))
        return false;
    hours = cursor_digits(c, 2, 2);
    if (cursor_mark(c, ':') || (c->at < c->end && *c->at >= '0' && *c->at <= '9'))
        minutes = cursor_digits(c, 2, 2);
    if (hours < 0 || hours > ZONE_HOURS_MOST || minutes < 0 || minutes > 59)
        return false;
    *ret_ns = (hours * 3600 + minutes * 60) * NS_PER_S * (west ? -1 : 1);
    return true;
}

static bool date_ok(const struct moment *m)
{
    if (m->year < YEAR_LEAST || m->year > YEAR_MOST)
        return false;
    if (m->day_of_year)
        return m->day_of_year <= 337 + calendar_month_days(m->year, 2) && !m->month && !m->day;
    return m->day >= 1 && m->day <= calendar_month_days(m->year, m->month);
}

/* 24:00 is the end of the day (ISO 8601:2004, 4.2.3). */
static bool clock_ok(const struct moment *m)
{
    if (m->twelve_hours && (m->hour < 1 || m->hour > 12))
        return false;
    if (m->hour == 24)
        return m->minute == 0 && m->second == 0 && m->nanosecond == 0;
    return m->hour <= 23 && m->minute <= 59 && m->second <= 60;
}

bool moment_ns(const struct moment *m, int64_t zone_ns, int64_t *ret_ns)
{
    int64_t seconds, hour = m->twelve_hours ? m->hour % 12 + (m->afternoon ? 12 : 0) : m->hour;

    if (m->absolute) {
        seconds = m->seconds_1970;
    } else {
        if (!date_ok(m) || !clock_ok(m))
            return false;
        seconds = m->day_of_year ? calendar_days(m->year, 1, 1) + m->day_of_year - 1
                                 : calendar_days(m->year, m->month, m->day);
        seconds = seconds * DAY_S + hour * 3600 + m->minute * 60 + m->second;
    }
    *ret_ns = seconds * NS_PER_S + m->nanosecond - (m->absolute ? 0 : m->has_zone ? m->zone_ns : zone_ns);
    return true;
}

static bool iso_date(struct cursor *c, struct moment *m)
{
    bool basic;

    m->year = cursor_digits(c, 4, 4);
    basic = !cursor_mark(c, '-');
    m->month = (int)cursor_digits(c, 2, 2);
    if (!basic && !cursor_mark(c, '-'))
        return false;
    m->day = (int)cursor_digits(c, 2, 2);
    return m->year >= 0 && m->month >= 1 && m->day >= 1;
}

/* hh:mm[:ss[.fraction]], or without the colons. */
static bool iso_clock(struct cursor *c, struct moment *m)
{
    bool basic;

    m->hour = (int)cursor_digits(c, 2, 2);
    basic = !cursor_mark(c, ':');
    m->minute = (int)cursor_digits(c, 2, 2);
    if (m->hour < 0 || m->minute < 0)
        return false;
    if (basic ? c->at < c->end && *c->at >= '0' && *c->at <= '9' : cursor_mark(c, ':')) {
        m->second = (int)cursor_digits(c, 2, 2);
        if (m->second < 0)
            return false;
        if ((cursor_mark(c, '.') || cursor_mark(c, ',')) && !cursor_fraction(c, &m->nanosecond))
            return false;
    }
    return true;
}

static bool iso_read(struct cursor *c, struct moment *m)
{
    if (!iso_date(c, m))
        return false;
    if (c->at == c->end)
        return true;
    if (!cursor_mark(c, 'T') && !cursor_mark(c, 't') && !cursor_mark(c, ' '))
        return false;
    if (!iso_clock(c, m))
        return false;
    m->has_zone = c->at < c->end;
    return !m->has_zone || cursor_zone(c, &m->zone_ns);
}

/* hh:mm or hh:mm:ss[.fraction] from a start. */
static bool clock_read(const struct when *w, struct cursor *c, int64_t *ret_ns)
{
    bool negative = cursor_mark(c, '-');
    int64_t hours = cursor_digits(c, 1, 6), seconds = 0, minutes, ns;
    int part = 0;

    if (hours < 0 || !cursor_mark(c, ':'))
        return false;
    minutes = cursor_digits(c, 2, 2);
    if (w->digits == 3) {
        if (!cursor_mark(c, ':'))
            return false;
        seconds = cursor_digits(c, 2, 2);
        if ((cursor_mark(c, '.') || cursor_mark(c, ',')) && !cursor_fraction(c, &part))
            return false;
    }
    if (c->at != c->end || minutes < 0 || minutes > 59 || seconds < 0 || seconds > 59)
        return false;
    ns = (hours * 3600 + minutes * 60 + seconds) * NS_PER_S + part;
    return !__builtin_add_overflow(w->start_ns, negative ? -ns : ns, ret_ns);
}

/* What lies below a ns is let go, towards zero. */
static bool unix_read(const struct when *w, const char *text, size_t size, int64_t *ret_ns)
{
    struct number n;

    if (!number_scan(text, size, '.', &n))
        return false;
    n.exponent += w->digits;
    for (; n.exponent < 0 && n.digits; n.exponent++)
        n.digits /= 10;
    n.cut = n.cut && n.exponent > 0;
    return number_int(&n, ret_ns);
}

static bool calendar_read(const struct when *w, struct cursor *c, int64_t *ret_ns)
{
    struct moment m;

    memset(&m, 0, sizeof m);
    if (w->kind == WHEN_ISO ? !iso_read(c, &m) : !pattern_read(w->pattern, c, &m))
        return false;
    return c->at == c->end && moment_ns(&m, w->zone_ns, ret_ns);
}

bool when_read(const struct when *when, const char *text, size_t size, int64_t *ret_ns)
{
    struct cursor c = { text, text + size };
    int64_t ns = 0;
    bool ok;

    switch (when->kind) {
    case WHEN_UNIX:
        ok = unix_read(when, text, size, &ns);
        break;
    case WHEN_CLOCK:
        ok = clock_read(when, &c, &ns);
        break;
    default:
        ok = calendar_read(when, &c, &ns);
        break;
    }
    if (ok)
        *ret_ns = ns;
    return ok;
}

static bool zone_open(const char *zone, int64_t *ret_ns)
{
    struct cursor c = { zone, zone + strlen(zone) };

    if (strcmp(zone, "UTC") == 0) {
        *ret_ns = 0;
        return true;
    }
    return cursor_zone(&c, ret_ns) && c.at == c.end;
}

const char *when_open(struct when *when, const char *format, const char *zone, const char *start)
{
    static const struct {
        const char *name;
        enum when_kind kind;
        int digits;
    } names[] = {
        { "iso8601", WHEN_ISO, 0 }, { "unix_s", WHEN_UNIX, 9 },  { "unix_ms", WHEN_UNIX, 6 },
        { "unix_us", WHEN_UNIX, 3 }, { "unix_ns", WHEN_UNIX, 0 }, { "hh:mm", WHEN_CLOCK, 2 },
        { "hh:mm:ss", WHEN_CLOCK, 3 },
    };
    struct when iso = { WHEN_ISO, 0, 0, 0, NULL };
    size_t i;

    memset(when, 0, sizeof *when);
    if (!zone_open(zone, &when->zone_ns))
        return "zone is neither \"Z\" nor like \"+01:00\"; expected an offset, since by a zone's name an hour of each "
               "autumn would have two meanings; write it so";
    iso.zone_ns = when->zone_ns;
    if (!when_read(&iso, start, strlen(start), &when->start_ns))
        return "start is no time; expected one in UTC; write it like \"2024-01-01T00:00:00Z\"";
    for (i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(format, names[i].name) == 0) {
            when->kind = names[i].kind;
            when->digits = names[i].digits;
            return NULL;
        }
    when->kind = WHEN_PATTERN;
    when->pattern = format;
    return pattern_check(format);
}
