/* SPDX-License-Identifier: Apache-2.0
 *
 * schema.c - schemas as bytes, and back. See schema.h. */
#include "zmq_link/schema.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "zmq_link/link.h"

enum { HEAD = 24, COLUMN = 20, TEXT_MOST = 4095, HAS_UNIT = 1, HAS_CODE = 2 };

/* ---- writing ---- */

static struct aff_column column_at(const struct aff_schema *s, uint32_t i)
{
    struct aff_column c = { 0 };
    size_t size = s->stride < sizeof c ? s->stride : sizeof c;

    memcpy(&c, (const char *)s->columns + (size_t)i * s->stride, size);
    return c;
}

static uint64_t bits_of(double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static bool text_put(uint8_t *to, size_t room, size_t *at, const char *text)
{
    size_t size = text ? strlen(text) : 0;

    if (!text)
        return true;
    if (size > TEXT_MOST || room - *at < size + 2)
        return false;
    put_le(to + *at, size, 2);
    memcpy(to + *at + 2, text, size);
    *at += size + 2;
    return true;
}

size_t link_schema_write(const struct aff_schema *s, void *memory, size_t room)
{
    uint8_t *to = memory;
    size_t at = HEAD + (size_t)s->count * COLUMN;

    if (at > room)
        return 0;
    to[0] = s->type;
    to[1] = s->format;
    to[2] = s->label;
    to[3] = s->name != NULL;
    put_le(to + 4, s->count, 4);
    put_le(to + 8, s->rate_num, 8);
    put_le(to + 16, s->rate_den, 8);
    if (!text_put(to, room, &at, s->name))
        return 0;
    for (uint32_t i = 0; i < s->count; i++) {
        struct aff_column c = column_at(s, i);
        uint8_t *column = to + HEAD + (size_t)i * COLUMN;

        put_le(column, bits_of(c.gain), 8);
        put_le(column + 8, bits_of(c.baseline), 8);
        column[16] = c.type;
        column[17] = c.label;
        column[18] = c.required;
        column[19] = (uint8_t)((c.unit ? HAS_UNIT : 0) | (c.code ? HAS_CODE : 0));
        if (!c.name || !text_put(to, room, &at, c.name) || !text_put(to, room, &at, c.unit) || !text_put(to, room, &at, c.code))
            return 0;
    }
    return at;
}

uint64_t link_schema_hash(const void *bytes, size_t size)
{
    return XXH3_64bits(bytes, size);
}

/* ---- reading ---- */

struct texts {
    const uint8_t *at, *end;
    char *to; /* each ended by a zero, which takes the place of its length */
    bool bad;
};

static const char *text_take(struct texts *t)
{
    char *text = t->to;
    size_t left = (size_t)(t->end - t->at), size;

    if (t->bad || left < 2) {
        t->bad = true;
        return NULL;
    }
    size = (size_t)get_le(t->at, 2);
    if (size > TEXT_MOST || size > left - 2 || memchr(t->at + 2, 0, size)) {
        t->bad = true;
        return NULL;
    }
    memcpy(text, t->at + 2, size);
    text[size] = '\0';
    t->at += size + 2;
    t->to += size + 1;
    return text;
}

static double double_of(uint64_t bits)
{
    double value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

static bool head_good(const struct aff_schema *s)
{
    if (s->type < AFF_BYTES || s->type > AFF_IMAGE || s->label > AFF_LABEL_PHI || s->format > AFF_F32)
        return false;
    if (s->type == AFF_SAMPLES)
        return s->format >= AFF_I16 && s->count > 0 && s->count <= UINT16_MAX && s->rate_num > 0 && s->rate_den > 0;
    return s->type != AFF_FIELDS || s->count > 0;
}

static bool column_good(const struct aff_column *c, uint8_t type)
{
    if (c->label > AFF_LABEL_PHI || c->required > 1 || !isfinite(c->gain) || !isfinite(c->baseline))
        return false;
    return type == AFF_FIELDS ? c->type >= AFF_REAL && c->type <= AFF_TEXT : type != AFF_SAMPLES || c->gain < 0 || c->gain > 0;
}

static void columns_read(struct aff_schema *s, struct aff_column *columns, const uint8_t *from, struct texts *texts)
{
    for (uint32_t i = 0; i < s->count && !texts->bad; i++, from += COLUMN) {
        struct aff_column *c = &columns[i];

        c->gain = double_of(get_le(from, 8));
        c->baseline = double_of(get_le(from + 8, 8));
        c->type = from[16];
        c->label = from[17];
        c->required = from[18];
        c->name = text_take(texts);
        c->unit = from[19] & HAS_UNIT ? text_take(texts) : NULL;
        c->code = from[19] & HAS_CODE ? text_take(texts) : NULL;
        texts->bad = texts->bad || (from[19] & ~(HAS_UNIT | HAS_CODE)) || !*c->name || !column_good(c, s->type);
    }
}

struct aff_schema *link_schema_read(const void *bytes, size_t size, bool *ret_memory)
{
    const uint8_t *from = bytes;
    struct aff_schema head = { .struct_size = sizeof head, .stride = sizeof(struct aff_column) }, *s;
    struct aff_column *columns;
    struct texts texts;
    bool has_name;

    *ret_memory = false;
    if (size < HEAD || size > LINK_SCHEMA_MOST || from[3] > 1 || get_le(from + 4, 4) > (size - HEAD) / COLUMN)
        return NULL;
    head.type = from[0];
    head.format = from[1];
    head.label = from[2];
    has_name = from[3] == 1;
    head.count = (uint32_t)get_le(from + 4, 4);
    head.rate_num = get_le(from + 8, 8);
    head.rate_den = get_le(from + 16, 8);
    if (!head_good(&head))
        return NULL;
    s = calloc(1, sizeof *s + head.count * sizeof *columns + size);
    *ret_memory = !s;
    if (!s)
        return NULL;
    *s = head;
    columns = (struct aff_column *)(void *)(s + 1);
    s->columns = columns;
    texts = (struct texts){ from + HEAD + (size_t)s->count * COLUMN, from + size, (char *)(columns + s->count), false };
    s->name = has_name ? text_take(&texts) : NULL;
    columns_read(s, columns, from + HEAD, &texts);
    if (!texts.bad && texts.at == texts.end)
        return s;
    free(s);
    return NULL;
}

/* ---- payloads ---- */

static bool row_fits(const struct aff_schema *s, const uint8_t *data, size_t size)
{
    size_t fixed = aff_row_size(s->count, 0), words = aff_row_words(s->count);

    if (size < fixed)
        return false;
    for (uint32_t i = 0; i < s->count; i++) {
        struct aff_column c = column_at(s, i);
        const uint8_t *cell = data + (words + i) * 8;
        uint64_t offset = get_le(cell, 4), length = get_le(cell + 4, 4);

        if (c.type != AFF_TEXT || !(get_le(data + i / 64u * 8u, 8) >> (i % 64u) & 1u))
            continue;
        if (offset < fixed || offset > size || length > size - offset)
            return false;
    }
    /* no column stands behind the last one */
    return s->count % 64u == 0 || get_le(data + (words - 1) * 8, 8) >> (s->count % 64u) == 0;
}

static bool samples_fit(const struct aff_schema *s, const void *data, size_t size)
{
    struct aff_samples head;
    uint64_t plane;

    if (size < sizeof head)
        return false;
    memcpy(&head, data, sizeof head);
    if (head.channels != s->count || head.format != s->format)
        return false;
    plane = ((uint64_t)head.count * aff_sample_width(head.format) + 7u) & ~(uint64_t)7u;
    return size == sizeof head + head.channels * plane;
}

bool link_fits(const struct aff_schema *s, const void *data, size_t size)
{
    if (s->type == AFF_FIELDS)
        return row_fits(s, data, size);
    return s->type != AFF_SAMPLES || samples_fit(s, data, size);
}
