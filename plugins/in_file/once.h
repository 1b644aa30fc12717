/* SPDX-License-Identifier: Apache-2.0
 *
 * once.h - files that are read from end to end, one after another.
 *
 * A file is hashed first, since its content names its records, then read up to
 * the size that was hashed. One that changes in between is begun again; one that
 * changes while it is read is said to, and its records are marked. What cannot be
 * read is left behind; the others are read. */
#ifndef IN_FILE_ONCE_H
#define IN_FILE_ONCE_H

#include "reader.h"

enum { XXH_STATE = 640 };
enum once_state { ONCE_OPEN, ONCE_HASH, ONCE_NAME, ONCE_DATA, ONCE_END };

struct once {
    struct list list;
    uint32_t index;
    enum once_state state;
    uint32_t tries; /* errors of reading, or changes while hashing, in a row */
    uint8_t has_known, is_over;
    uint8_t known[HASH_BYTES]; /* what the host has as incarnation */
    uint8_t hash[HASH_BYTES];
    uint64_t hashed;
    struct file file;
    uint8_t xxh[XXH_STATE];
};

#endif
