/* SPDX-License-Identifier: Apache-2.0
 *
 * when.h - event times of samples and annotations, exact to the nanosecond.
 *
 * A time is a whole number of ticks of a rational rate after a beginning; it is
 * rounded down once, from the exact value, so it does not drift. Recordings
 * mostly know no time zone: their times are taken for UTC. */
#ifndef RECORDING_WHEN_H
#define RECORDING_WHEN_H

#include "recording/text.h"

#include <stdbool.h>

/* beginning + ticks / rate. False when it is out of range of an event time. */
bool when_at(int64_t begin_ns, int64_t ticks, const struct rate *rate, int64_t *ret_ns);
/* The rate of a signal with so many samples per frame. */
bool rate_times(const struct rate *rate, uint32_t times, struct rate *ret);
/* "360Hz", "62.4725Hz". */
enum { RATE_TEXT = 40 };
void rate_text(char to[RATE_TEXT], const struct rate *rate);

/* "2026-03-01", "2026-03-01T07:30", "2026-03-01T07:30:15.25", each with or without
 * Z; UTC. False for anything else. */
bool when_read(const char *text, int64_t *ret_ns);

/* Whether there is such a date, in what an event time can be. */
int date_is_real(int64_t year, int64_t month, int64_t day);

#endif
