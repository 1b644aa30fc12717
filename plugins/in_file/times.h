/* SPDX-License-Identifier: Apache-2.0
 *
 * times.h - the event time that stands in a line of text.
 *
 * A rule names a field by its place between delimiters, and how the time in it
 * is written. Read strictly and without the process's locale: what is not a
 * whole time is none. A time without a zone is taken for UTC. Not here: what a
 * line without a time gets (make.c). */
#ifndef IN_FILE_TIMES_H
#define IN_FILE_TIMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum time_format {
    TIME_ISO8601, /* ISO 8601-1:2019 extended: 2026-03-01T07:30:15.25+01:00, 2026-03-01 07:30, 2026-03-01 */
    TIME_UNIX_S,  /* seconds since 1970, with or without a fraction */
    TIME_UNIX_MS,
    TIME_UNIX_US,
    TIME_UNIX_NS,
    TIME_CLOCK /* 7:30, 07:30:15.25: the day is counted on at midnight */
};

struct time_rule {
    int64_t field; /* from 1 */
    char delimiter; /* ' ': runs of blanks and tabs */
    int format;
    int64_t start_ns; /* TIME_CLOCK: the day that the first time is of */
};

/* The time of a line. `last_ns` (NULL: none yet) is that of the line before, by
 * which TIME_CLOCK knows the day. False: there is none. */
bool times_line(const struct time_rule *rule, const uint8_t *line, size_t size, const int64_t *last_ns,
                int64_t *ret_ns);
/* A date with or without time and zone, as TIME_ISO8601. */
bool times_date(const uint8_t *text, size_t size, int64_t *ret_ns);

#endif
