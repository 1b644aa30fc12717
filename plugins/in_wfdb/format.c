/* SPDX-License-Identifier: Apache-2.0
 *
 * format.c - see format.h. */
#include "format.h"

#include <stddef.h>

/* Which value means "no sample" is not in signal(5); it is the lowest value of
 * each amplitude format, as the WFDB library reads and writes it (isigopen,
 * rgetvec, WFDB Programmer's Guide, "WFDB_INVALID_SAMPLE"). */
static const struct wfdb_format formats[] = {
    { 8, 1, 1, 32, 1, 0, 0 },
    { 16, 2, 1, 16, 0, INT16_MIN, 1 },
    { 24, 3, 1, 24, 0, -8388608, 1 },
    { 32, 4, 1, 32, 0, INT32_MIN, 1 },
    { 61, 2, 1, 16, 0, INT16_MIN, 1 },
    { 80, 1, 1, 8, 0, -128, 1 },
    { 160, 2, 1, 16, 0, INT16_MIN, 1 },
    { 212, 3, 2, 12, 0, -2048, 1 },
    { 310, 4, 3, 10, 0, -512, 1 },
    { 311, 4, 3, 10, 0, -512, 1 },
};

const struct wfdb_format *format_find(int64_t code)
{
    size_t i;

    for (i = 0; i < sizeof formats / sizeof formats[0]; i++)
        if (formats[i].code == code)
            return &formats[i];
    return NULL;
}

/* Samples that are whole in the first `bytes` bytes of one unit. */
static unsigned unit_part(const struct wfdb_format *f, unsigned bytes)
{
    switch (f->code) {
    case 212:
        return bytes >= 2 ? 1 : 0;
    case 310:
        return bytes >= 2 ? 1 : 0;
    case 311:
        return bytes >= 3 ? 2 : bytes >= 2 ? 1 : 0;
    default:
        return 0;
    }
}

uint64_t format_samples(const struct wfdb_format *f, uint64_t bytes)
{
    return bytes / f->unit_bytes * f->unit_samples + unit_part(f, (unsigned)(bytes % f->unit_bytes));
}

uint64_t format_bytes(const struct wfdb_format *f, uint64_t samples)
{
    uint64_t bytes = samples / f->unit_samples * f->unit_bytes;
    unsigned part = (unsigned)(samples % f->unit_samples), i;

    for (i = 0; part && i < f->unit_bytes; i++)
        if (unit_part(f, i) >= part)
            break;
    return part ? bytes + i : bytes;
}

static int32_t sign_extend(uint32_t value, unsigned bits)
{
    uint32_t top = 1u << (bits - 1);

    return (int32_t)((value ^ top) - top);
}

static uint32_t pair_at(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8;
}

static void decode_212(const uint8_t *p, size_t units, int32_t *to)
{
    for (; units; units--, p += 3, to += 2) {
        to[0] = sign_extend(p[0] | (p[1] & 0x0fu) << 8, 12);
        to[1] = sign_extend(p[2] | (p[1] & 0xf0u) << 4, 12);
    }
}

static void decode_310(const uint8_t *p, size_t units, int32_t *to)
{
    for (; units; units--, p += 4, to += 3) {
        uint32_t a = pair_at(p), b = pair_at(p + 2);

        to[0] = sign_extend(a >> 1 & 0x3ffu, 10);
        to[1] = sign_extend(b >> 1 & 0x3ffu, 10);
        to[2] = sign_extend((a >> 11 & 0x1fu) | (b >> 11 & 0x1fu) << 5, 10);
    }
}

static void decode_311(const uint8_t *p, size_t units, int32_t *to)
{
    for (; units; units--, p += 4, to += 3) {
        uint32_t word = pair_at(p) | pair_at(p + 2) << 16;

        to[0] = sign_extend(word & 0x3ffu, 10);
        to[1] = sign_extend(word >> 10 & 0x3ffu, 10);
        to[2] = sign_extend(word >> 20 & 0x3ffu, 10);
    }
}

static int32_t decode_one(uint16_t code, const uint8_t *p)
{
    switch (code) {
    case 8:
        return (int8_t)p[0];
    case 16:
        return (int16_t)pair_at(p);
    case 24:
        return sign_extend(pair_at(p) | (uint32_t)p[2] << 16, 24);
    case 32:
        return (int32_t)(pair_at(p) | pair_at(p + 2) << 16);
    case 61:
        return (int16_t)((uint32_t)p[0] << 8 | p[1]);
    case 80:
        return (int32_t)p[0] - 128;
    default: /* 160 */
        return (int32_t)pair_at(p) - 32768;
    }
}

void format_decode(const struct wfdb_format *f, const uint8_t *from, size_t units, int32_t *to)
{
    size_t i;

    switch (f->code) {
    case 212:
        decode_212(from, units, to);
        return;
    case 310:
        decode_310(from, units, to);
        return;
    case 311:
        decode_311(from, units, to);
        return;
    default:
        for (i = 0; i < units; i++)
            to[i] = decode_one(f->code, from + i * f->unit_bytes);
    }
}
