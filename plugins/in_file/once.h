/* SPDX-License-Identifier: Apache-2.0
 *
 * once.h - files that are read from end to end, one after another.
 *
 * A file is hashed first, since its content names its records, then read up to
 * the size that was hashed. One that changes in between is begun again; one that
 * changes while it is read is said to, and its records are marked. What cannot be
 * read is left behind; the others are read. What is done with is marked by path, size
 * and time of change, so that after a restart files that are new, or others by now, are
 * read, wherever they stand in the list, and those that are as they were are not. */
#ifndef IN_FILE_ONCE_H
#define IN_FILE_ONCE_H

#include "reader.h"

enum { XXH_STATE = 640 };
enum once_state { ONCE_OPEN, ONCE_HASH, ONCE_NAME, ONCE_DATA, ONCE_END };

struct once {
    struct list list;
    uint64_t *marks; /* by file: what it was when it was done with; 0: it is not */
    uint32_t index;  /* the file in hand; count: none is left */
    uint32_t first;  /* all before it are done with */
    enum once_state state;
    uint32_t tries; /* errors of reading, or changes while hashing, in a row */
    uint8_t has_known, is_over;
    uint8_t known[HASH_BYTES]; /* what the host has as incarnation */
    uint8_t hash[HASH_BYTES];
    uint64_t hashed;
    struct file file;
    uint8_t xxh[XXH_STATE];
};

/* What a file is known by when it is done with; never 0. */
uint64_t once_mark(const struct once *o, uint32_t index, uint64_t size, int64_t changed_ns);
/* Goes on with the first file that is not done with. */
void once_next(struct once *o);

#endif
