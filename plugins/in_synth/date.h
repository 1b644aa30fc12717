/* SPDX-License-Identifier: Apache-2.0
 *
 * date.h - the option `start`: a date and time as people write it. */
#ifndef IN_SYNTH_DATE_H
#define IN_SYNTH_DATE_H

#include <stdbool.h>
#include <stdint.h>

/* Reads "2026-03-01", "2026-03-01T07:30" or "2026-03-01T07:30:15", with or
 * without a Z at the end; all are UTC, from 1970 to 2199. False, and *ret_ns
 * untouched, when the text is anything else. */
bool date_read(const char *text, int64_t *ret_ns);

#endif
