/* SPDX-License-Identifier: Apache-2.0
 *
 * when.h - texts of time to ns since 1970, UTC. */
#ifndef ROWS_WHEN_H
#define ROWS_WHEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum when_kind { WHEN_ISO, WHEN_UNIX, WHEN_CLOCK, WHEN_PATTERN };

/* A format made ready. `pattern` is borrowed from the options. */
struct when {
    enum when_kind kind;
    int digits;       /* UNIX: power of ten from the unit to ns; CLOCK: 2 or 3 parts */
    int64_t zone_ns;  /* what texts without a zone are ahead of UTC */
    int64_t start_ns; /* CLOCK: what they count from */
    const char *pattern;
};

/* What can be wrong with a format, for people; NULL when it is ready. */
const char *when_open(struct when *when, const char *format, const char *zone, const char *start);

/* False, *ret_ns untouched, when the text is not a time of that format or lies
 * outside of the years 1678 to 2261. */
bool when_read(const struct when *when, const char *text, size_t size, int64_t *ret_ns);

#endif
