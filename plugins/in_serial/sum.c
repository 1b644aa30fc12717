/* SPDX-License-Identifier: Apache-2.0
 *
 * sum.c - see sum.h. */
#include "sum.h"

#include "text.h"

#include <string.h>

static uint32_t reflect(uint32_t value, unsigned bits)
{
    uint32_t out = 0;

    for (unsigned i = 0; i < bits; i++, value >>= 1)
        out = out << 1 | (value & 1u);
    return out;
}

static unsigned bits_of(const struct sum *s)
{
    return s->bytes * 8u;
}

static uint32_t mask_of(const struct sum *s)
{
    return s->bytes == 4 ? UINT32_MAX : (UINT32_C(1) << bits_of(s)) - 1u;
}

static bool is_crc(const struct sum *s)
{
    return s->rule.kind >= SUM_CRC8;
}

/* One entry: the remainder of one byte. With reflect_in the register runs
 * backwards all along, so that input bytes need no turning. */
static uint32_t entry(const struct sum *s, uint32_t byte)
{
    uint32_t top = UINT32_C(1) << (bits_of(s) - 1u);
    uint32_t poly = s->rule.reflect_in ? reflect(s->rule.poly, bits_of(s)) : s->rule.poly;
    uint32_t r = s->rule.reflect_in ? byte : byte << (bits_of(s) - 8u);

    for (int i = 0; i < 8; i++) {
        if (s->rule.reflect_in)
            r = (r & 1u) ? r >> 1 ^ poly : r >> 1;
        else
            r = (r & top) ? r << 1 ^ poly : r << 1;
    }
    return r & mask_of(s);
}

void sum_set(struct sum *s, const struct sum_rule *rule)
{
    static const uint8_t bytes[] = { 0, 1, 2, 1, 1, 2, 4 };

    memset(s, 0, sizeof *s);
    s->rule = *rule;
    s->bytes = bytes[rule->kind];
    for (uint32_t i = 0; i < 256 && is_crc(s); i++)
        s->table[i] = entry(s, i);
}

uint32_t sum_begin(const struct sum *s)
{
    uint32_t init = s->rule.init & mask_of(s);

    return is_crc(s) && s->rule.reflect_in ? reflect(init, bits_of(s)) : init;
}

static uint32_t crc_add(const struct sum *s, uint32_t r, const uint8_t *at, size_t size)
{
    unsigned shift = bits_of(s) - 8u;

    if (s->bytes == 1) {
        while (size--)
            r = s->table[(r ^ *at++) & 0xffu];
        return r;
    }
    if (s->rule.reflect_in) {
        while (size--)
            r = r >> 8 ^ s->table[(r ^ *at++) & 0xffu];
        return r;
    }
    while (size--)
        r = (r << 8 ^ s->table[(r >> shift ^ *at++) & 0xffu]) & mask_of(s);
    return r;
}

uint32_t sum_add(const struct sum *s, uint32_t state, const uint8_t *at, size_t size)
{
    if (is_crc(s))
        return crc_add(s, state, at, size);
    if (s->rule.kind == SUM_XOR) {
        while (size--)
            state ^= *at++;
        return state;
    }
    while (size--)
        state += *at++;
    return state;
}

uint32_t sum_end(const struct sum *s, uint32_t state)
{
    if (is_crc(s) && s->rule.reflect_in != s->rule.reflect_out)
        state = reflect(state & mask_of(s), bits_of(s));
    if (s->rule.negate)
        state = 0u - state;
    return (state ^ s->rule.xorout) & mask_of(s);
}

size_t sum_width(const struct sum *s)
{
    return s->rule.hex ? s->bytes * 2u : s->bytes;
}

static int byte_read(const struct sum *s, const uint8_t *at, unsigned index)
{
    int high, low;

    if (!s->rule.hex)
        return at[index];
    high = text_digit(at[2 * index]);
    low = text_digit(at[2 * index + 1]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

bool sum_read(const struct sum *s, const uint8_t *at, uint32_t *ret)
{
    uint32_t value = 0;

    for (unsigned i = 0; i < s->bytes; i++) {
        int byte = byte_read(s, at, s->rule.little ? s->bytes - 1u - i : i);

        if (byte < 0)
            return false;
        value = value << 8 | (uint32_t)byte;
    }
    *ret = value;
    return true;
}

void sum_write(const struct sum *s, uint32_t value, uint8_t *to)
{
    static const char digits[] = "0123456789ABCDEF";

    for (unsigned i = 0; i < s->bytes; i++) {
        unsigned shift = 8u * (s->rule.little ? i : s->bytes - 1u - i);
        uint8_t byte = (uint8_t)(value >> shift);

        if (s->rule.hex) {
            *to++ = (uint8_t)digits[byte >> 4];
            *to++ = (uint8_t)digits[byte & 15u];
        } else {
            *to++ = byte;
        }
    }
}
