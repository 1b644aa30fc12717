/* units.h - amounts that are written with their unit: "250ms", "8MiB", "0.5Hz".
 *
 * A number, optional blanks, a unit; decimal, with fraction and exponent. The
 * result is exact or it is refused: "0.1s" is 100000000 ns, "0.5ns" is an
 * error. A bare number is an error of its own, since "5" means seconds to one
 * reader and milliseconds to the next.
 *
 * Not here: ranges (the option table has them) and units that are text only. */
#ifndef AFFERENT_UTIL_UNITS_H
#define AFFERENT_UTIL_UNITS_H

#include <stddef.h>
#include <stdint.h>

#include "util/text.h"

enum units_status {
    UNITS_OK = 0,
    UNITS_NO_NUMBER,   /* does not begin with a number */
    UNITS_NO_UNIT,     /* a bare number */
    UNITS_BAD_UNIT,    /* a number, then something that is no unit of this kind */
    UNITS_NOT_WHOLE,   /* not a whole number of nanoseconds or bytes */
    UNITS_TOO_LARGE,   /* does not fit */
    UNITS_NEGATIVE,    /* bytes and frequencies are not below zero */
};

/* Outputs are written only with UNITS_OK. `text` ends in NUL. */
enum units_status units_duration(const char *text, int64_t *ret_ns);
enum units_status units_bytes(const char *text, int64_t *ret_bytes);
enum units_status units_frequency(const char *text, double *ret_hz);

/* Appends an amount the way a person would write it: "250ms", "8MiB", "0.5Hz". */
void units_add_duration(struct text *text, int64_t ns);
void units_add_bytes(struct text *text, int64_t bytes);
void units_add_frequency(struct text *text, double hz);

/* The second half of a message, by status: "has no unit; expected ...". The
 * strings are constants; NULL for UNITS_OK. */
enum units_kind { UNITS_DURATION, UNITS_BYTES, UNITS_FREQUENCY };
const char *units_problem(enum units_status status);
const char *units_expected(enum units_kind kind);

#endif
