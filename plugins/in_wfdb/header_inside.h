/* SPDX-License-Identifier: Apache-2.0
 *
 * header_inside.h - what header.c and header_signal.c share. */
#ifndef IN_WFDB_HEADER_INSIDE_H
#define IN_WFDB_HEADER_INSIDE_H

#include "header.h"

/* Takes the line as the next signal. */
int signal_line(struct wfdb_header *h, const char *at, unsigned line, struct fault *f);

#endif
