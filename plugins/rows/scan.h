/* SPDX-License-Identifier: Apache-2.0
 *
 * scan.h - where in a text the bytes lie that mean something to CSV: delimiter,
 * quote, LF, CR and zero bytes, found 64 bytes at a time.
 *
 * One mask of 64 bits a block, as in Langdale and Lemire, "Parsing gigabytes of
 * JSON per second" (VLDB Journal 28, 2019), section 3.1. Nothing is read behind
 * the text. */
#ifndef ROWS_SCAN_H
#define ROWS_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

enum { SCAN_BLOCK = 64 };

struct scan {
    const char *text;
    size_t size;
    size_t block; /* where the block begins whose mask this is */
    uint64_t mask; /* of what is not yet taken */
    uint64_t high; /* bytes of 0x80 and above in this block */
    char delimiter, quote;
};

#if defined(__SSE2__)
static inline void scan_block(struct scan *s, const char *at)
{
    const __m128i delimiter = _mm_set1_epi8(s->delimiter), quote = _mm_set1_epi8(s->quote);
    const __m128i lf = _mm_set1_epi8('\n'), cr = _mm_set1_epi8('\r'), zero = _mm_setzero_si128();
    int i;

    s->mask = 0;
    s->high = 0;
    for (i = 0; i < SCAN_BLOCK; i += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(at + i));
        __m128i a = _mm_or_si128(_mm_cmpeq_epi8(v, delimiter), _mm_cmpeq_epi8(v, quote));
        __m128i b = _mm_or_si128(_mm_cmpeq_epi8(v, lf), _mm_cmpeq_epi8(v, cr));
        __m128i any = _mm_or_si128(_mm_or_si128(a, b), _mm_cmpeq_epi8(v, zero));

        s->mask |= (uint64_t)(uint32_t)_mm_movemask_epi8(any) << i;
        s->high |= (uint64_t)(uint32_t)_mm_movemask_epi8(v) << i;
    }
}
#else
static inline void scan_block(struct scan *s, const char *at)
{
    int i;

    s->mask = 0;
    s->high = 0;
    for (i = 0; i < SCAN_BLOCK; i++) {
        char c = at[i];
        uint64_t any = c == s->delimiter || c == s->quote || c == '\n' || c == '\r' || c == '\0';

        s->mask |= any << i;
        s->high |= (uint64_t)((unsigned char)c >> 7) << i;
    }
}
#endif

static inline void scan_load(struct scan *s)
{
    char last[SCAN_BLOCK];
    size_t left = s->size - s->block;

    if (left >= SCAN_BLOCK) {
        scan_block(s, s->text + s->block);
        return;
    }
    memset(last, 1, sizeof last); /* 1 is none of the bytes sought */
    memcpy(last, s->text + s->block, left);
    scan_block(s, last);
    s->mask &= left ? ~UINT64_C(0) >> (SCAN_BLOCK - left) : 0;
}

/* From now on bytes at `at` and behind it are found. */
static inline void scan_seek(struct scan *s, size_t at)
{
    s->block = at - at % SCAN_BLOCK;
    scan_load(s);
    s->mask &= ~UINT64_C(0) << at % SCAN_BLOCK;
}

/* The next such byte; the text's size when there is none. `ret_high` gathers
 * whether bytes of 0x80 and above were passed (or lie near). */
static inline size_t scan_next(struct scan *s, uint64_t *high)
{
    size_t at;

    *high |= s->high;
    while (!s->mask) {
        if (s->size - s->block <= SCAN_BLOCK)
            return s->size;
        s->block += SCAN_BLOCK;
        scan_load(s);
        *high |= s->high;
    }
    at = s->block + (size_t)__builtin_ctzll(s->mask);
    s->mask &= s->mask - 1;
    return at;
}

#endif
