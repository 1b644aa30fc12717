/* SPDX-License-Identifier: Apache-2.0
 *
 * number.c - decimal texts to doubles and integers, always rounded right.
 *
 * Short decimals take the exact way of Clinger, "How to read floating point
 * numbers accurately" (PLDI 1990), section 4: where the digits are below 2^53
 * and the power of ten is at most 10^22 both are exact doubles, so that the one
 * multiplication or division rounds once. The rest goes to strtod in a locale
 * that the process cannot change.
 *
 * Not here: what a cell's text means when it is no number (rows.c). */
#include "number.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS_EXACT (UINT64_C(1) << 53)
#define DIGITS_ROOM UINT64_C(999999999999999999) /* one more digit fits behind it */
enum { POWER_EXACT = 22, EXPONENT_MOST = 100000 };

static const double powers[POWER_EXACT + 1] = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                                1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };

/* A run of digits at `at`, added to n; returns what stands behind it. `down`: 1
 * behind the point, where each digit lowers the exponent. */
static const char *digits_take(const char *at, const char *end, struct number *n, int down)
{
    for (; at < end && (unsigned char)(*at - '0') < 10; at++) {
        if (n->digits <= DIGITS_ROOM) {
            n->digits = n->digits * 10 + (uint64_t)(*at - '0');
            n->exponent -= down;
        } else {
            n->cut |= *at != '0';
            n->exponent += 1 - down;
        }
    }
    return at;
}

/* Behind an 'e'; NULL when there is no whole exponent. Capped far beyond what
 * matters, so that no text makes it overflow. */
static const char *exponent_take(const char *at, const char *end, struct number *n)
{
    bool negative = at < end && *at == '-';
    int64_t value = 0;
    const char *first;

    if (at < end && (*at == '-' || *at == '+'))
        at++;
    for (first = at; at < end && (unsigned char)(*at - '0') < 10; at++)
        if (value < EXPONENT_MOST)
            value = value * 10 + (*at - '0');
    if (at == first)
        return NULL;
    n->exponent += negative ? -value : value;
    return at;
}

bool number_scan(const char *text, size_t size, char point, struct number *ret)
{
    struct number n = { 0, 0, false, false };
    const char *at = text, *end = text + size, *first;
    size_t digits;

    if (at < end && (*at == '-' || *at == '+'))
        n.negative = *at++ == '-';
    first = at;
    at = digits_take(at, end, &n, 0);
    digits = (size_t)(at - first);
    if (at < end && *at == point) {
        first = ++at;
        at = digits_take(at, end, &n, 1);
        digits += (size_t)(at - first);
    }
    if (!digits)
        return false;
    if (at < end && (*at == 'e' || *at == 'E'))
        at = exponent_take(at + 1, end, &n);
    if (at != end)
        return false;
    *ret = n;
    return true;
}

static bool real_slow(const char *text, size_t size, char point, locale_t c, double *ret)
{
    char copy[NUMBER_MOST + 1], *mark, *end;
    double value;

    if (size > NUMBER_MOST)
        return false;
    memcpy(copy, text, size);
    copy[size] = '\0';
    mark = point != '.' ? memchr(copy, point, size) : NULL;
    if (mark)
        *mark = '.';
    value = strtod_l(copy, &end, c);
    if (end != copy + size || isinf(value))
        return false;
    *ret = value;
    return true;
}

/* What most cells hold: at most 15 digits and a point, nothing else. */
static bool real_short(const char *text, size_t size, char point, double *ret)
{
    const char *at = text, *end = text + size;
    bool negative = at < end && *at == '-';
    uint64_t digits = 0;
    ptrdiff_t places = 0;

    at += negative;
    if (end - at > 16 || at == end)
        return false;
    for (; at < end && (unsigned char)(*at - '0') < 10; at++)
        digits = digits * 10 + (uint64_t)(*at - '0');
    if (at < end) {
        places = end - at - 1;
        if (*at++ != point || places == 0 || places > 14 || end - text < 3)
            return false;
        for (; at < end && (unsigned char)(*at - '0') < 10; at++)
            digits = digits * 10 + (uint64_t)(*at - '0');
    }
    if (at != end || digits > DIGITS_EXACT)
        return false;
    *ret = (double)digits / powers[places];
    *ret = negative ? -*ret : *ret;
    return true;
}

bool number_real(const char *text, size_t size, char point, locale_t c, double *ret)
{
    struct number n;
    double value;

    if (FLT_EVAL_METHOD == 0 && real_short(text, size, point, ret))
        return true;
    if (!number_scan(text, size, point, &n))
        return false;
    /* A machine that computes with more bits than a double has rounds twice. */
    if (FLT_EVAL_METHOD != 0 || n.cut || n.digits > DIGITS_EXACT || n.exponent < -POWER_EXACT ||
        n.exponent > POWER_EXACT)
        return real_slow(text, size, point, c, ret);
    value = (double)n.digits;
    value = n.exponent < 0 ? value / powers[-n.exponent] : value * powers[n.exponent];
    *ret = n.negative ? -value : value;
    return true;
}

bool number_int(const struct number *n, int64_t *ret)
{
    uint64_t most = n->negative ? (uint64_t)INT64_MAX + 1 : INT64_MAX;
    uint64_t value = n->digits;
    int64_t exponent = n->exponent;

    if (n->cut)
        return false;
    if (!value)
        exponent = 0;
    for (; exponent < 0; exponent++, value /= 10)
        if (value % 10)
            return false;
    for (; exponent > 0; exponent--, value *= 10)
        if (value > most / 10)
            return false;
    if (value > most)
        return false;
    *ret = (int64_t)(n->negative ? 0 - value : value);
    return true;
}
