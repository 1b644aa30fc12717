/* SPDX-License-Identifier: Apache-2.0
 *
 * cut.h - where a line or a block ends in bytes at hand.
 *
 * Where a record ends depends on the bytes alone, never on how many were at hand
 * when it was asked: so a file that is read in other steps gives the same
 * records. A line ends at LF or CR LF; a lone CR is a byte like any other. Not
 * here: files, times, records. */
#ifndef IN_FILE_CUT_H
#define IN_FILE_CUT_H

#include <stddef.h>
#include <stdint.h>

enum cut_kind {
    CUT_MORE,   /* more bytes are needed to tell */
    CUT_RECORD, /* `size` bytes are a record */
    CUT_LONG,   /* a line above the limit begins: its first `size` bytes */
    CUT_PAST    /* `taken` bytes of such a line are passed over */
};

struct cut {
    enum cut_kind kind;
    size_t size;  /* bytes of the record, from the beginning of those at hand */
    size_t taken; /* bytes that are dealt with, with the line's end */
    int skipping; /* inside a line above the limit: give it to the next call */
};

/* `last`: no byte comes behind those at hand. `most` is the longest line; to tell,
 * at most `most` + 2 bytes are needed. */
struct cut cut_line(const uint8_t *at, size_t have, int last, size_t most, int skipping);

struct cut_rule {
    size_t most;  /* bytes of a block */
    int live;     /* what is whole is a block although more may come */
    int skipping;
};
/* Blocks end behind the last LF in `most` bytes, or where all ends. A line that is
 * larger is never cut in two: it is CUT_LONG. To tell, `most` + 1 bytes are needed. */
struct cut cut_block(const uint8_t *at, size_t have, int last, const struct cut_rule *rule);

#endif
