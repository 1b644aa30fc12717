/* SPDX-License-Identifier: Apache-2.0
 *
 * tally.h - how many combinations of quasi-identifiers went through.
 *
 * A hash set of keyed digests with a count each, of a size fixed at the start:
 * exact up to that size, and "at least" beyond it. A patient has many rows, so a
 * row that is alone is rarely the question: combinations that are those of one
 * subject only are counted as well. */
#ifndef OP_ANONYMIZE_TALLY_H
#define OP_ANONYMIZE_TALLY_H

#include <afferent/plugin.h>

struct tally_entry {
    uint64_t digest[2];
    uint64_t rows;      /* 0: free */
    uint32_t subject;   /* the first one's tag */
    uint32_t is_shared;
};

struct tally {
    struct tally_entry *entries;
    uint64_t room; /* a power of two */
    uint64_t most, used;
    uint64_t rows, missed; /* missed: of combinations that found no place */
    uint64_t unique;       /* combinations of one row */
    uint64_t lonely;       /* combinations of one subject */
};

size_t tally_bytes(uint64_t most);
/* `memory` is zeroed, of tally_bytes. */
void tally_open(struct tally *t, void *memory, uint64_t most);
void tally_add(struct tally *t, const uint64_t digest[2], uint32_t subject);
/* Rows of the rarest combination: k of k-anonymity (Sweeney 2002); 0: no rows. */
uint64_t tally_least(const struct tally *t);

#endif
