/* units.c - amounts that are written with their unit: "250ms", "8MiB", "0.5Hz".
 *
 * The decimal is kept as a whole number and a power of ten, and multiplied by
 * the unit in 128 bits: no rounding can creep in by way of a double.
 *
 * Not here: ranges (the option table has them) and units that are text only. */
#include "util/units.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPONENT_MAX 40

typedef __int128 wide;

struct unit {
    const char *name;
    int64_t scale;
};

/* No "m": it is a minute to one reader and a month or a metre to others. */
static const struct unit durations[] = {
    { "ns", 1 },
    { "us", 1000 },
    { "\xc2\xb5s", 1000 },    /* U+00B5 micro sign */
    { "\xce\xbcs", 1000 },    /* U+03BC Greek mu, which UCUM texts use as well */
    { "ms", 1000000 },
    { "s", 1000000000 },
    { "min", 60000000000 },
    { "h", 3600000000000 },
    { "d", 86400000000000 },
    { NULL, 0 },
};

/* IEC 80000-13: KiB is 1024, kB is 1000. */
static const struct unit sizes[] = {
    { "B", 1 },
    { "KiB", INT64_C(1) << 10 },
    { "MiB", INT64_C(1) << 20 },
    { "GiB", INT64_C(1) << 30 },
    { "TiB", INT64_C(1) << 40 },
    { "kB", 1000 },
    { "MB", 1000000 },
    { "GB", 1000000000 },
    { "TB", 1000000000000 },
    { NULL, 0 },
};

/* In millihertz. */
static const struct unit frequencies[] = {
    { "mHz", 1 },
    { "Hz", 1000 },
    { "kHz", 1000000 },
    { "MHz", 1000000000 },
    { "GHz", 1000000000000 },
    { NULL, 0 },
};

struct decimal {
    bool is_negative;
    int64_t digits;     /* value = digits * 10^exponent */
    int exponent;
    const char *rest;   /* behind number and blanks; borrowed */
};

/* Reads the digits before or behind the point. Returns how many there were,
 * or -1 when they do not fit. */
static int digits_read(struct decimal *number, const char **at)
{
    int count = 0;

    for (; isdigit((unsigned char)**at); (*at)++, count++) {
        int digit = **at - '0';

        if (number->digits > (INT64_MAX - digit) / 10)
            return -1;
        number->digits = number->digits * 10 + digit;
    }
    return count;
}

/* "e3", "E-3"; anything else behind the number is the unit's business. */
static void exponent_read(struct decimal *number, const char **at)
{
    const char *p = *at;
    int sign = 1, value = 0;

    if (*p != 'e' && *p != 'E')
        return;
    p++;
    if (*p == '+' || *p == '-')
        sign = *p++ == '-' ? -1 : 1;
    if (!isdigit((unsigned char)*p))
        return;
    for (; isdigit((unsigned char)*p); p++)
        value = value < 1000 ? value * 10 + (*p - '0') : value;
    number->exponent += sign * value;
    *at = p;
}

static enum units_status decimal_read(const char *text, struct decimal *number)
{
    const char *at = text;
    int whole, fraction = 0;

    *number = (struct decimal){ 0 };
    if (*at == '+' || *at == '-')
        number->is_negative = *at++ == '-';
    whole = digits_read(number, &at);
    if (whole > 0 && *at == '.') {
        at++;
        fraction = digits_read(number, &at);
        if (fraction == 0)
            return UNITS_NO_NUMBER;
    }
    if (whole == 0)
        return UNITS_NO_NUMBER;
    if (whole < 0 || fraction < 0)
        return UNITS_TOO_LARGE;
    number->exponent = -fraction;
    exponent_read(number, &at);
    while (*at == ' ')
        at++;
    number->rest = at;
    return UNITS_OK;
}

static const struct unit *unit_find(const struct unit *units, const char *name)
{
    for (; units->name; units++) {
        if (!strcmp(units->name, name))
            return units;
    }
    return NULL;
}

/* digits * 10^exponent * scale, exact or refused. */
static enum units_status scale_exactly(const struct decimal *number, int64_t scale,
                                       int64_t *ret_value)
{
    wide value = (wide)number->digits * scale;
    int exponent = number->exponent;

    if (value == 0) {
        *ret_value = 0;
        return UNITS_OK;
    }
    if (exponent > EXPONENT_MAX)
        return UNITS_TOO_LARGE;
    if (exponent < -EXPONENT_MAX)
        return UNITS_NOT_WHOLE;
    for (; exponent < 0; exponent++, value /= 10) {
        if (value % 10)
            return UNITS_NOT_WHOLE;
    }
    for (; exponent > 0; exponent--) {
        if (value > INT64_MAX)
            return UNITS_TOO_LARGE;
        value *= 10;
    }
    if (value > INT64_MAX)
        return UNITS_TOO_LARGE;
    *ret_value = number->is_negative ? -(int64_t)value : (int64_t)value;
    return UNITS_OK;
}

static enum units_status amount_read(const char *text, const struct unit *units,
                                     struct decimal *number, const struct unit **ret_unit)
{
    enum units_status status = decimal_read(text, number);

    if (status != UNITS_OK)
        return status;
    if (!*number->rest)
        return UNITS_NO_UNIT;
    *ret_unit = unit_find(units, number->rest);
    return *ret_unit ? UNITS_OK : UNITS_BAD_UNIT;
}

enum units_status units_duration(const char *text, int64_t *ret_ns)
{
    struct decimal number;
    const struct unit *unit = NULL;
    enum units_status status = amount_read(text, durations, &number, &unit);

    return status == UNITS_OK ? scale_exactly(&number, unit->scale, ret_ns) : status;
}

enum units_status units_bytes(const char *text, int64_t *ret_bytes)
{
    struct decimal number;
    const struct unit *unit = NULL;
    enum units_status status = amount_read(text, sizes, &number, &unit);

    if (status != UNITS_OK)
        return status;
    if (number.is_negative)
        return UNITS_NEGATIVE;
    return scale_exactly(&number, unit->scale, ret_bytes);
}

/* A frequency is a double, so the C library's correctly rounded strtod reads
 * "digits e exponent"; the scale goes into the exponent, which keeps the
 * result the double nearest to what was written. */
enum units_status units_frequency(const char *text, double *ret_hz)
{
    struct decimal number;
    const struct unit *unit = NULL;
    enum units_status status = amount_read(text, frequencies, &number, &unit);
    char buffer[64];
    double hz;

    if (status != UNITS_OK)
        return status;
    if (number.is_negative)
        return UNITS_NEGATIVE;
    number.exponent -= 3;
    for (int64_t scale = unit->scale; scale > 1; scale /= 10)
        number.exponent++;
    snprintf(buffer, sizeof buffer, "%" PRId64 "e%d", number.digits, number.exponent);
    hz = strtod(buffer, NULL);
    if (hz > 1e15)
        return UNITS_TOO_LARGE;
    *ret_hz = hz;
    return UNITS_OK;
}

/* The largest unit that divides the amount. */
static void add_whole(struct text *text, int64_t value, const struct unit *units)
{
    const struct unit *best = units;

    for (; value && units->name; units++) {
        if (value % units->scale == 0 && units->scale > best->scale)
            best = units;
    }
    text_print(text, "%" PRId64 "%s", value / best->scale, best->name);
}

void units_add_duration(struct text *text, int64_t ns)
{
    add_whole(text, ns, durations);
}

void units_add_bytes(struct text *text, int64_t bytes)
{
    add_whole(text, bytes, sizes);
}

void units_add_frequency(struct text *text, double hz)
{
    text_print(text, "%.10gHz", hz);
}

const char *units_problem(enum units_status status)
{
    switch (status) {
    case UNITS_OK:        return NULL;
    case UNITS_NO_NUMBER: return "does not begin with a number";
    case UNITS_NO_UNIT:   return "has no unit";
    case UNITS_BAD_UNIT:  return "has an unknown unit";
    case UNITS_NOT_WHOLE: return "is finer than the smallest unit";
    case UNITS_TOO_LARGE: return "is too large";
    case UNITS_NEGATIVE:  return "is below zero";
    }
    return NULL;
}

const char *units_expected(enum units_kind kind)
{
    switch (kind) {
    case UNITS_DURATION:  return "a duration such as \"250ms\" (ns, us, ms, s, min, h, d)";
    case UNITS_BYTES:     return "a size such as \"8MiB\" (B, KiB, MiB, GiB, TiB, kB, MB, GB, TB)";
    case UNITS_FREQUENCY: return "a frequency such as \"0.5Hz\" (mHz, Hz, kHz, MHz, GHz)";
    }
    return NULL;
}
