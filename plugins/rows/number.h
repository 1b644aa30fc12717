/* SPDX-License-Identifier: Apache-2.0
 *
 * number.h - decimal texts to doubles and integers. */
#ifndef ROWS_NUMBER_H
#define ROWS_NUMBER_H

#include <locale.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NUMBER_MOST = 1000 }; /* characters; a longer text is no number */

/* digits * 10^exponent; if `cut` there were more digits than fit, and the value
 * is a little more. Digits beyond 19 are counted in the exponent. */
struct number {
    uint64_t digits;
    int64_t exponent;
    bool negative;
    bool cut;
};

/* [+-] digits [point digits] [e [+-] digits], and nothing else: no hexadecimal,
 * no infinity, no separators. False, *ret untouched, for anything else. */
bool number_scan(const char *text, size_t size, char point, struct number *ret);

/* The double nearest to the text, ties to even. `c` is a locale whose LC_NUMERIC
 * is "C". False for no number and for one beyond the largest double. */
bool number_real(const char *text, size_t size, char point, locale_t c, double *ret);

/* Exact: 75, 75.0 and 7.5e1 are 75; 75.5 and what int64 cannot hold are false. */
bool number_int(const struct number *n, int64_t *ret);

#endif
