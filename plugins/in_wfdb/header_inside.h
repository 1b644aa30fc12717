/* SPDX-License-Identifier: Apache-2.0
 *
 * header_inside.h - what header.c and header_signal.c share. */
#ifndef IN_WFDB_HEADER_INSIDE_H
#define IN_WFDB_HEADER_INSIDE_H

#include "header.h"

/* Takes the line as the next signal. */
int signal_line(struct wfdb_header *h, const char *at, unsigned line, struct wfdb_fault *f);

/* Days from 1970-01-01 to a date of the Gregorian calendar, and whether there is
 * such a date. */
int64_t days_of_date(int64_t year, int64_t month, int64_t day);
int date_is_real(int64_t year, int64_t month, int64_t day);

#endif
