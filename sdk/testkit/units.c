/* SPDX-License-Identifier: Apache-2.0
 *
 * units.c - quantities written with their unit: "250ms", "8MiB", "0.5Hz".
 *
 * The same words as in a pipeline file; there is no "m", which is a minute to
 * one reader and a month to another. Byte units after IEC 80000-13. */
#include "units.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct unit {
    const char *name;
    double scale;
};

static const struct unit durations[] = {
    { "ns", 1 }, { "us", 1e3 }, { "\xc2\xb5s", 1e3 }, { "\xce\xbcs", 1e3 }, { "ms", 1e6 },
    { "s", 1e9 }, { "min", 6e10 }, { "h", 3.6e12 }, { "d", 8.64e13 }, { NULL, 0 },
};
static const struct unit sizes[] = {
    { "B", 1 }, { "KiB", 1024 }, { "MiB", 1048576 }, { "GiB", 1073741824 }, { "TiB", 1099511627776 },
    { "kB", 1e3 }, { "MB", 1e6 }, { "GB", 1e9 }, { "TB", 1e12 }, { NULL, 0 },
};
static const struct unit frequencies[] = {
    { "mHz", 1e-3 }, { "Hz", 1 }, { "kHz", 1e3 }, { "MHz", 1e6 }, { "GHz", 1e9 }, { NULL, 0 },
};

/* The number and the scale of its unit; 0 where there is no known unit. */
static int split(const struct unit *units, const char *text, double *ret_number, double *ret_scale)
{
    char *end;

    if (strspn(text, "+-0123456789.") == 0)
        return 0;
    *ret_number = strtod(text, &end);
    if (end == text)
        return 0;
    while (*end == ' ')
        end++;
    for (; units->name; units++)
        if (strcmp(units->name, end) == 0) {
            *ret_scale = units->scale;
            return 1;
        }
    return 0;
}

static int whole(const struct unit *units, const char *text, int64_t *ret_value)
{
    double number, scale, product;

    if (!split(units, text, &number, &scale))
        return 0;
    product = number * scale;
    if (!(fabs(product) < 9.2e18))
        return 0;
    *ret_value = (int64_t)llround(product);
    return 1;
}

int units_duration(const char *text, int64_t *ret_ns)
{
    return whole(durations, text, ret_ns);
}

int units_bytes(const char *text, int64_t *ret_bytes)
{
    return whole(sizes, text, ret_bytes);
}

int units_frequency(const char *text, double *ret_hz)
{
    double number, scale;

    if (!split(frequencies, text, &number, &scale))
        return 0;
    /* 1e-3 is not exact in binary, 1000 is. */
    *ret_hz = scale < 1 ? number / 1000.0 : number * scale;
    return isfinite(*ret_hz);
}
