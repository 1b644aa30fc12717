/* SPDX-License-Identifier: Apache-2.0
 *
 * tal.h - time-stamped annotation lists of EDF+.
 *
 * Kemp and Olivan 2003 and the EDF+ specification, section 2.2: a TAL is
 * Onset [21 Duration] 20 text 20 text 20 ... 0, where onset is +s or -s and
 * duration s, in seconds, as decimals of any length; texts are UTF-8. Strict
 * where a time is concerned. Not here: where TALs lie in a file (marks.h). */
#ifndef IN_EDF_TAL_H
#define IN_EDF_TAL_H

#include <stddef.h>
#include <stdint.h>

enum { TAL_ROOM = 16384 }; /* of one TAL at most */

enum tal_fault {
    TAL_WHOLE,
    TAL_MALFORMED, /* no onset, no duration, or something where none belongs */
    TAL_CUT,       /* its signal's part of the data record ends inside it */
    TAL_LONG,      /* longer than TAL_ROOM */
    TAL_TIME,      /* its time is beyond what an event time can be */
    TAL_FAULTS
};

struct tal {
    int64_t onset_ns;    /* since the header's start */
    int64_t duration_ns; /* -1: none */
    const uint8_t *texts; /* borrowed: text 20 text 20 ... */
    size_t size;
};

/* Reads the TAL of `size` bytes, without its final zero. */
enum tal_fault tal_read(struct tal *t, const uint8_t *bytes, size_t size);
/* The next text at *at (0 at first): 1, or 0 behind the last. */
int tal_text(const struct tal *t, size_t *at, const uint8_t **ret_text, size_t *ret_size);
/* Only the onset, at the beginning of `bytes`, which may end anywhere behind it:
 * of the list whose first text is empty, which is a data record's clock. */
int tal_clock(const uint8_t *bytes, size_t size, int64_t *ret_ns);

/* A text as UTF-8, of which a program may print each byte but for tab and line
 * ends. What is not UTF-8 is taken for Latin-1. `to` has room for 2 * size.
 * *ret_latin: it was not UTF-8. */
size_t tal_utf8(char *to, const uint8_t *from, size_t size, int *ret_latin);

#endif
