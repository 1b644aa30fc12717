/* SPDX-License-Identifier: Apache-2.0
 *
 * when.h - event times of samples and annotations, exact to the nanosecond.
 *
 * A time is a whole number of ticks of a rational rate after a beginning; it is
 * rounded down once, from the exact value, so it does not drift. WFDB headers
 * know no time zone: their times are taken for UTC. */
#ifndef IN_WFDB_WHEN_H
#define IN_WFDB_WHEN_H

#include "header.h"

#include <stdbool.h>

/* beginning + ticks / rate. False when it is out of range of an event time. */
bool when_at(int64_t begin_ns, int64_t ticks, const struct wfdb_rate *rate, int64_t *ret_ns);
/* The rate of a signal with so many samples per frame. */
bool rate_times(const struct wfdb_rate *rate, uint32_t times, struct wfdb_rate *ret);
/* "360Hz", "62.4725Hz". */
enum { RATE_TEXT = 40 };
void rate_text(char to[RATE_TEXT], const struct wfdb_rate *rate);

/* "2026-03-01", "2026-03-01T07:30", "2026-03-01T07:30:15.25", each with or without
 * Z; UTC. False for anything else. */
bool when_read(const char *text, int64_t *ret_ns);

#endif
