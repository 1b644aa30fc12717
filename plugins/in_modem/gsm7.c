/* SPDX-License-Identifier: Apache-2.0
 *
 * gsm7.c - see gsm7.h; the tables are in gsm7_tables.c. */
#include "gsm7.h"

#include "gsm7_tables.h"

static const char16_t *lock_of(struct gsm7_shift shift)
{
    return gsm7_locks[shift.lock < GSM7_LANGUAGES ? shift.lock : 0];
}

static const char16_t *single_of(struct gsm7_shift shift)
{
    return gsm7_singles[shift.single < GSM7_LANGUAGES ? shift.single : 0];
}

size_t gsm7_decode(const uint8_t *septets, size_t count, struct gsm7_shift shift, uint16_t *units, size_t room)
{
    const char16_t *lock = lock_of(shift), *single = single_of(shift);
    size_t i, used = 0;

    for (i = 0; i < count && used < room; i++) {
        uint8_t s = septets[i] & 0x7f;
        char16_t unit = lock[s];

        if (s == GSM7_ESCAPE) {
            if (++i == count)
                break;
            s = septets[i] & 0x7f;
            unit = s == GSM7_ESCAPE ? u' ' : single[s] != GSM7_HOLE ? single[s] : lock[s];
        }
        units[used++] = unit;
    }
    return used;
}

static int place_of(const char16_t *table, uint16_t unit)
{
    int i;

    for (i = 0; i < 128; i++)
        if (table[i] == unit && i != GSM7_ESCAPE)
            return i;
    return -1;
}

size_t gsm7_encode_unit(uint16_t unit, struct gsm7_shift shift, uint8_t ret[2])
{
    int at = unit == GSM7_HOLE ? -1 : place_of(lock_of(shift), unit);

    if (at >= 0) {
        ret[0] = (uint8_t)at;
        return 1;
    }
    at = unit == GSM7_HOLE ? -1 : place_of(single_of(shift), unit);
    if (at < 0)
        return 0;
    ret[0] = GSM7_ESCAPE;
    ret[1] = (uint8_t)at;
    return 2;
}

bool gsm7_fits(const uint16_t *units, size_t count, struct gsm7_shift shift, size_t *ret_septets)
{
    uint8_t unused[2];
    size_t i, n;

    *ret_septets = 0;
    for (i = 0; i < count; i++) {
        n = gsm7_encode_unit(units[i], shift, unused);
        if (n == 0)
            return false;
        *ret_septets += n;
    }
    return true;
}

bool gsm7_unpack(const uint8_t *packed, size_t octets, size_t skip, uint8_t *septets, size_t count)
{
    size_t i;

    if (skip + 7 * count > 8 * octets)
        return false;
    for (i = 0; i < count; i++) {
        size_t bit = skip + 7 * i, at = bit / 8;
        unsigned two = packed[at];

        if (bit % 8 > 1)
            two |= (unsigned)packed[at + 1] << 8;
        septets[i] = (uint8_t)(two >> bit % 8 & 0x7f);
    }
    return true;
}

size_t gsm7_pack(const uint8_t *septets, size_t count, size_t skip, uint8_t *packed)
{
    size_t i;

    for (i = 0; i < count; i++) {
        size_t bit = skip + 7 * i, at = bit / 8;
        unsigned two = (unsigned)(septets[i] & 0x7f) << bit % 8;

        packed[at] |= (uint8_t)two;
        if (bit % 8 > 1)
            packed[at + 1] |= (uint8_t)(two >> 8);
    }
    return (skip + 7 * count + 7) / 8;
}
