/* SPDX-License-Identifier: Apache-2.0
 *
 * utf8.c - the Unicode Standard's table 3-7 (well-formed UTF-8 byte sequences)
 * as code; eight bytes of ASCII at a time are passed over. Nothing is decoded. */
#include "utf8.h"

#include <stdint.h>
#include <string.h>

/* How many bytes follow a first byte, and between what the second one lies. */
static int follow(unsigned char first, unsigned char *ret_low, unsigned char *ret_high)
{
    *ret_low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    *ret_high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    if (first >= 0xc2 && first <= 0xdf)
        return 1;
    if (first >= 0xe0 && first <= 0xef)
        return 2;
    return first >= 0xf0 && first <= 0xf4 ? 3 : 0;
}

bool utf8_ok(const char *text, size_t size)
{
    const unsigned char *at = (const unsigned char *)text, *end = at + size;
    unsigned char low, high;
    uint64_t eight;
    int more, i;

    while (at < end) {
        if (end - at >= 8 && (memcpy(&eight, at, 8), !(eight & UINT64_C(0x8080808080808080)))) {
            at += 8;
            continue;
        }
        if (*at < 0x80) {
            at++;
            continue;
        }
        more = follow(*at, &low, &high);
        if (!more || end - at <= more || at[1] < low || at[1] > high)
            return false;
        for (i = 2; i <= more; i++)
            if ((at[i] & 0xc0) != 0x80)
                return false;
        at += more + 1;
    }
    return true;
}
