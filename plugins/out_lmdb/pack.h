/* pack.h - samples in few bits, without loss.
 *
 * Each channel is coded as the differences of neighbours (zigzag, so that small
 * ones of either sign are small numbers), cut into groups of 16, each group in
 * as many bits as its widest difference needs: the frame-of-reference coding of
 * Lemire and Boytsov, "Decoding billions of integers per second through
 * vectorization", 2015. Floats are first mapped to integers in their order.
 *
 * Not here: several records in a row (run.c) and lz4 (format.c).
 */
#ifndef OUT_LMDB_PACK_H
#define OUT_LMDB_PACK_H

#include <stddef.h>
#include <stdint.h>

/* Most bytes that `count` samples of one channel can take. */
size_t pack_bound(uint32_t count, uint8_t format);

/* Codes one plane into dst (room for pack_bound) and returns the bytes used.
 * *last is the sample before the first (0 in the beginning), then the last. */
size_t pack_plane(uint8_t *dst, const void *plane, uint32_t count, uint8_t format, uint32_t *last);

/* The way back. Returns the bytes read, or 0 if src is too short or senseless
 * (a plane of no samples is never coded). */
size_t unpack_plane(void *plane, uint32_t count, uint8_t format, uint32_t *last,
                    const uint8_t *src, size_t size);

#endif
