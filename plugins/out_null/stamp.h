/* stamp.h - what a record of in_null says of itself, as this sink understands it.
 *
 * First 8 bytes its number, next 8 the address where the source put it; where
 * the payload is filled, each further 8 bytes follow from number and place. It
 * is written here a second time because a plugin uses nothing of another, and
 * because who checks should not share code with who makes.
 */
#ifndef OUT_NULL_STAMP_H
#define OUT_NULL_STAMP_H

#include <stdint.h>
#include <string.h>

enum { STAMP_BYTES = 16 };

/* One word of the filling: the finalizer of splitmix64 (Steele, Lea and Flood,
 * "Fast splittable pseudorandom number generators", 2014). */
static inline uint64_t stamp_word(uint64_t number, uint32_t place)
{
    uint64_t z = number * UINT64_C(0x9e3779b97f4a7c15) + place;

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

#endif
