/* SPDX-License-Identifier: Apache-2.0
 *
 * fault.h - why a reader of recordings gave up.
 *
 * A fault says what is wrong and, for headers, in which line. It never quotes
 * what was in the file, nor its name: record names identify patients. Who opened
 * the file adds which one it was, by its place ("record 3, segment 2"). */
#ifndef RECORDING_FAULT_H
#define RECORDING_FAULT_H

struct fault {
    unsigned line; /* 0: not a matter of a line */
    int missing;   /* the file could not be opened: it may be there later */
    char what[192];
};

/* Fills the fault and returns -1, so that a reader can say `return fault(...)`. */
__attribute__((format(printf, 3, 4))) int fault(struct fault *f, unsigned line, const char *format, ...);
/* The same for a file that cannot be opened or read; `error` is an errno. */
int fault_file(struct fault *f, const char *which, int error);

#endif
