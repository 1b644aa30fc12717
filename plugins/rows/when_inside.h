/* SPDX-License-Identifier: Apache-2.0
 *
 * when_inside.h - the parts of a time, and taking them from a text; shared by
 * when.c and pattern.c. */
#ifndef ROWS_WHEN_INSIDE_H
#define ROWS_WHEN_INSIDE_H

#include "when.h"

struct cursor {
    const char *at, *end;
};

struct moment {
    int64_t year, seconds_1970; /* the latter if `absolute` */
    int month, day, day_of_year; /* 0 if not given */
    int hour, minute, second, nanosecond;
    int64_t zone_ns;
    bool has_zone, absolute, twelve_hours, afternoon;
};

/* From `least` to `most` digits; -1 when fewer are there. */
int64_t cursor_digits(struct cursor *c, int least, int most);
bool cursor_mark(struct cursor *c, char mark);
/* Digits of a fraction of a second; those beyond ns are let go. */
bool cursor_fraction(struct cursor *c, int *ret_ns);
/* Z, +hh, +hhmm or +hh:mm. */
bool cursor_zone(struct cursor *c, int64_t *ret_ns);

bool moment_ns(const struct moment *m, int64_t zone_ns, int64_t *ret_ns);

/* The strptime of plugins: see pattern.c. */
const char *pattern_check(const char *pattern);
bool pattern_read(const char *pattern, struct cursor *c, struct moment *m);

#endif
