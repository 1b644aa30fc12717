/* SPDX-License-Identifier: Apache-2.0
 *
 * binary.c - frames of bytes: integers of 1 to 8 bytes in either order, parts of
 * them, floats of IEEE 754, packed decimals.
 *
 * Not here: what a value must be (value.c). */
#include "parse.h"

#include <math.h>
#include <string.h>

/* `width` bytes as one number, the most significant byte first or last. */
static uint64_t bytes_join(const unsigned char *bytes, uint32_t width, int32_t endian)
{
    uint64_t value = 0;
    uint32_t i;

    for (i = 0; i < width; i++)
        value = value << 8 | bytes[endian == ENDIAN_BIG ? i : width - 1 - i];
    return value;
}

static bool bcd_read(const unsigned char *bytes, uint32_t width, int32_t endian, int64_t *ret)
{
    int64_t value = 0;
    uint32_t i;

    for (i = 0; i < width; i++) {
        unsigned char byte = bytes[endian == ENDIAN_BIG ? i : width - 1 - i];

        if (byte >> 4 > 9 || (byte & 15) > 9)
            return false;
        value = value * 100 + (byte >> 4) * 10 + (byte & 15);
    }
    *ret = value;
    return true;
}

static int32_t endian_of(const struct frame *f, const struct column_config *c)
{
    return c->endian == COLUMN_AS_FRAME ? f->config->endian : c->endian == COLUMN_BIG ? ENDIAN_BIG : ENDIAN_LITTLE;
}

/* The bits of `value` that are set in `mask`, without the gaps between them. */
static uint64_t bits_gather(uint64_t value, uint64_t mask)
{
    uint64_t out = 0;
    uint32_t place;

    for (place = 0; mask; mask &= mask - 1, place++)
        out |= (uint64_t)((value & mask & -mask) != 0) << place;
    return out;
}

/* The integer at `bytes`, or the bits of it that the column names. */
static uint64_t whole_read(const struct column_config *c, const unsigned char *bytes, int32_t endian)
{
    uint32_t bits = map_raw_bits(c);
    uint64_t value = bytes_join(bytes, map_raw_width(c->raw), endian);

    value = c->mask ? bits_gather(value, (uint64_t)c->mask) : value >> c->bit;

    if (bits < 64)
        value &= (UINT64_C(1) << bits) - 1;
    if (c->raw % 2 && bits < 64 && value >> (bits - 1)) /* the odd kinds have a sign */
        value |= ~UINT64_C(0) << bits;
    return value;
}

static enum reason float_put(struct parser *p, const struct frame *f, const struct place *place,
                             const unsigned char *bytes)
{
    uint64_t raw = bytes_join(bytes, map_raw_width(place->config->raw), endian_of(f, place->config));
    uint32_t half = (uint32_t)raw;
    double value;
    float narrow;

    if (place->config->raw == RAW_F32) {
        memcpy(&narrow, &half, sizeof narrow);
        value = (double)narrow;
    } else {
        memcpy(&value, &raw, sizeof value);
    }
    if (isnan(value))
        return FINE; /* no value */
    if (isinf(value))
        return value_bad(p, f, place, BAD_VALUE);
    return value_put_number(p, f, place, value, 0, false);
}

static enum reason number_put(struct parser *p, const struct frame *f, const struct place *place,
                              const unsigned char *bytes)
{
    const struct column_config *c = place->config;
    int64_t whole = 0;
    uint64_t raw;

    if (c->raw == RAW_F32 || c->raw == RAW_F64)
        return float_put(p, f, place, bytes);
    if (c->raw == RAW_BCD) {
        if (!bcd_read(bytes, (uint32_t)c->length, endian_of(f, c), &whole))
            return value_bad(p, f, place, BAD_VALUE);
        return value_put_number(p, f, place, (double)whole, whole, true);
    }
    raw = whole_read(c, bytes, endian_of(f, c));
    memcpy(&whole, &raw, sizeof whole);
    if (c->raw == RAW_U64 && raw > INT64_MAX)
        return value_put_number(p, f, place, (double)raw, whole, false);
    return value_put_number(p, f, place, (double)whole, whole, true);
}

/* Texts in such frames are filled up with zero bytes or blanks. */
static enum reason text_put(struct parser *p, const struct frame *f, const struct place *place,
                            const unsigned char *bytes)
{
    const unsigned char *end = memchr(bytes, 0, (size_t)place->config->length);
    size_t size = end ? (size_t)(end - bytes) : (size_t)place->config->length;

    return value_put_text(p, f, place, (const char *)bytes, size);
}

enum reason frame_read_binary(struct parser *p, const struct frame *f, const unsigned char *bytes, size_t size)
{
    enum reason reason = FINE;
    uint32_t i;

    p->rows.point = f->point;
    for (i = 0; i < f->place_count && !reason; i++) {
        const struct column_config *c = f->places[i].config;
        size_t width = map_raw_width(c->raw) ? map_raw_width(c->raw) : (size_t)c->length;

        if ((size_t)c->at > size || width > size - (size_t)c->at)
            return frame_bad(p, f, c->out.name, BAD_FRAME, "lies behind the frame's end");
        if (c->raw == RAW_TEXT)
            reason = text_put(p, f, &f->places[i], bytes + c->at);
        else
            reason = number_put(p, f, &f->places[i], bytes + c->at);
    }
    return reason;
}
