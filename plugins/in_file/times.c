/* SPDX-License-Identifier: Apache-2.0
 *
 * times.c - see times.h. */
#include "times.h"

#include "calendar/calendar.h"

#define NS INT64_C(1000000000)
#define DAY_NS (86400 * NS)

struct text {
    const uint8_t *at, *end;
};

static bool is_digit(const struct text *t)
{
    return t->at < t->end && *t->at >= '0' && *t->at <= '9';
}

static bool mark_take(struct text *t, char mark)
{
    if (t->at == t->end || *t->at != (uint8_t)mark)
        return false;
    t->at++;
    return true;
}

/* From `least` to `most` decimal digits. */
static bool digits_take(struct text *t, int least, int most, int64_t *ret)
{
    int n = 0;

    for (*ret = 0; n < most && is_digit(t); n++)
        *ret = *ret * 10 + (*t->at++ - '0');
    return n >= least;
}

/* Digits behind a decimal mark, as parts of `unit`; below a unit of 1 they are
 * cut off. */
static bool fraction_take(struct text *t, int64_t unit, int64_t *ret)
{
    *ret = 0;
    if (!is_digit(t))
        return false;
    for (; is_digit(t); t->at++) {
        unit /= 10;
        *ret += unit * (*t->at - '0');
    }
    return true;
}

static bool day_take(struct text *t, int64_t *ret_days)
{
    int64_t year, month, day;

    if (!digits_take(t, 4, 4, &year) || !mark_take(t, '-') || !digits_take(t, 2, 2, &month) || !mark_take(t, '-') ||
        !digits_take(t, 2, 2, &day))
        return false;
    /* What an event time can hold, with a day to spare for the zone. */
    if (year < 1678 || year > 2261 || day < 1 || day > calendar_month_days(year, month))
        return false;
    *ret_days = calendar_days(year, month, day);
    return true;
}

/* A time of day; a leap second (:60) is the first of the next minute. */
static bool clock_take(struct text *t, int hour_digits, int64_t *ret_ns)
{
    int64_t hour, minute, second = 0, part = 0;

    if (!digits_take(t, hour_digits, 2, &hour) || !mark_take(t, ':') || !digits_take(t, 2, 2, &minute))
        return false;
    if (mark_take(t, ':')) {
        if (!digits_take(t, 2, 2, &second))
            return false;
        if ((mark_take(t, '.') || mark_take(t, ',')) && !fraction_take(t, NS, &part))
            return false;
    }
    *ret_ns = (hour * 3600 + minute * 60 + second) * NS + part;
    return hour < 24 && minute < 60 && second <= 60;
}

/* Z, +01, +0100, +01:00, or nothing for UTC. */
static bool zone_take(struct text *t, int64_t *ret_ns)
{
    int64_t hours, minutes = 0;
    bool west;

    *ret_ns = 0;
    if (mark_take(t, 'Z') || mark_take(t, 'z') || t->at == t->end)
        return true;
    west = mark_take(t, '-');
    if (!west && !mark_take(t, '+'))
        return false;
    if (!digits_take(t, 2, 2, &hours))
        return false;
    if (mark_take(t, ':') || t->at < t->end)
        if (!digits_take(t, 2, 2, &minutes))
            return false;
    *ret_ns = (hours * 3600 + minutes * 60) * NS * (west ? -1 : 1);
    return hours < 24 && minutes < 60;
}

static bool date_take(struct text *t, int64_t *ret_ns)
{
    int64_t days, clock = 0, zone = 0;

    if (!day_take(t, &days))
        return false;
    if ((mark_take(t, 'T') || mark_take(t, 't') || mark_take(t, ' ')) &&
        (!clock_take(t, 2, &clock) || !zone_take(t, &zone)))
        return false;
    *ret_ns = days * DAY_NS + clock - zone;
    return true;
}

static bool count_take(struct text *t, int64_t unit, int64_t *ret_ns)
{
    bool below = mark_take(t, '-');
    int64_t value = 0, part = 0;

    if (!is_digit(t))
        return false;
    for (; is_digit(t); t->at++)
        if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, *t->at - '0', &value))
            return false;
    if (mark_take(t, '.') && !fraction_take(t, unit, &part))
        return false;
    if (__builtin_mul_overflow(value, unit, &value) || __builtin_add_overflow(value, part, &value))
        return false;
    *ret_ns = below ? -value : value;
    return true;
}

/* The day is that of the last time, or the next or previous one where that is
 * nearer: so midnight is passed, and a late line before it is understood. */
static bool clock_place(const struct time_rule *rule, int64_t clock, const int64_t *last_ns, int64_t *ret_ns)
{
    int64_t from = last_ns ? *last_ns : rule->start_ns, day = from / DAY_NS - (from % DAY_NS < 0);
    int64_t ns, apart = 0;

    if (__builtin_mul_overflow(day, DAY_NS, &ns) || __builtin_add_overflow(ns, clock, &ns))
        return false;
    if (last_ns && __builtin_sub_overflow(ns, *last_ns, &apart))
        return false;
    if (apart < -DAY_NS / 2 && __builtin_add_overflow(ns, DAY_NS, &ns))
        return false;
    if (apart > DAY_NS / 2 && __builtin_sub_overflow(ns, DAY_NS, &ns))
        return false;
    *ret_ns = ns;
    return true;
}

static bool time_read(const struct time_rule *rule, struct text *t, const int64_t *last_ns, int64_t *ret_ns)
{
    static const int64_t units[] = { [TIME_UNIX_S] = NS, [TIME_UNIX_MS] = 1000000, [TIME_UNIX_US] = 1000,
                                     [TIME_UNIX_NS] = 1 };
    int64_t ns;
    bool good;

    if (rule->format == TIME_ISO8601)
        good = date_take(t, &ns);
    else if (rule->format == TIME_CLOCK)
        good = clock_take(t, 1, &ns) && clock_place(rule, ns, last_ns, &ns);
    else
        good = count_take(t, units[rule->format], &ns);
    if (!good || t->at != t->end)
        return false;
    *ret_ns = ns;
    return true;
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t';
}

/* Behind a field that begins with a quote (RFC 4180, 2.5 to 2.7): two quotes in
 * it stand for one, and delimiters do not count. */
static const uint8_t *quoted_end(const uint8_t *at, const uint8_t *end)
{
    for (at++; at < end; at++) {
        if (*at != '"')
            continue;
        if (at + 1 == end || at[1] != '"')
            return at + 1;
        at++;
    }
    return end;
}

static const uint8_t *field_end(const struct time_rule *rule, const uint8_t *at, const uint8_t *end)
{
    if (at < end && *at == '"')
        at = quoted_end(at, end);
    while (at < end && (rule->delimiter == ' ' ? !is_blank(*at) : *at != (uint8_t)rule->delimiter))
        at++;
    return at;
}

/* The field without blanks and quotes around it. */
static bool field_find(const struct time_rule *rule, struct text *t)
{
    const uint8_t *at = t->at, *end;
    int64_t n;

    for (n = 1;; n++) {
        while (rule->delimiter == ' ' && at < t->end && is_blank(*at))
            at++;
        end = field_end(rule, at, t->end);
        if (n == rule->field)
            break;
        if (end == t->end)
            return false;
        at = end + 1;
    }
    while (at < end && is_blank(*at))
        at++;
    while (end > at && is_blank(end[-1]))
        end--;
    if (end - at >= 2 && *at == '"' && end[-1] == '"') {
        at++;
        end--;
    }
    *t = (struct text){ at, end };
    return true;
}

bool times_line(const struct time_rule *rule, const uint8_t *line, size_t size, const int64_t *last_ns,
                int64_t *ret_ns)
{
    struct text t = { line, line + size };

    if (size >= 3 && line[0] == 0xef && line[1] == 0xbb && line[2] == 0xbf)
        t.at += 3; /* a byte order mark */
    return field_find(rule, &t) && time_read(rule, &t, last_ns, ret_ns);
}

bool times_date(const uint8_t *text, size_t size, int64_t *ret_ns)
{
    struct text t = { text, text + size };

    return date_take(&t, ret_ns) && t.at == t.end;
}
