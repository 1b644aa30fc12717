/* format.c - keys, heads and checksums of the archive, see format.h.
 *
 * Checksums are XXH3 (64 bit) of the xxHash project; the hash of the place
 * (database, key, length) seeds the hash of the content, so that no buffer
 * has to be joined for it.
 */
#include "format.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include <afferent/plugin.h>
#include <lz4.h>
#include <xxhash.h>

uint16_t get_u16(const uint8_t *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

uint32_t get_u32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

uint64_t get_u64(const uint8_t *p)
{
    return (uint64_t)get_u32(p) | (uint64_t)get_u32(p + 4) << 32;
}

void put_u16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
}

void put_u32(uint8_t *p, uint32_t v)
{
    put_u16(p, (uint16_t)v);
    put_u16(p + 2, (uint16_t)(v >> 16));
}

void put_u64(uint8_t *p, uint64_t v)
{
    put_u32(p, (uint32_t)v);
    put_u32(p + 4, (uint32_t)(v >> 32));
}

uint32_t get_be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | (uint32_t)p[3];
}

void put_be32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 24);
    p[1] = (uint8_t)(v >> 16);
    p[2] = (uint8_t)(v >> 8);
    p[3] = (uint8_t)v;
}

uint64_t get_be64(const uint8_t *p)
{
    return (uint64_t)get_be32(p) << 32 | get_be32(p + 4);
}

void put_be64(uint8_t *p, uint64_t v)
{
    put_be32(p, (uint32_t)(v >> 32));
    put_be32(p + 4, (uint32_t)v);
}

/* Times are signed; the flipped sign bit makes their bytes sort as numbers. */
#define TIME_BIAS (UINT64_C(1) << 63)

void key_write(uint8_t out[KEY_BYTES], const struct archive_key *key)
{
    put_be32(out, key->subject);
    put_be32(out + 4, key->stream);
    put_be64(out + 8, (uint64_t)key->time ^ TIME_BIAS);
    put_be64(out + 16, key->id[0]);
    put_be64(out + 24, key->id[1]);
}

void key_read(struct archive_key *out, const uint8_t in[KEY_BYTES])
{
    out->subject = get_be32(in);
    out->stream = get_be32(in + 4);
    out->time = (int64_t)(get_be64(in + 8) ^ TIME_BIAS);
    out->id[0] = get_be64(in + 16);
    out->id[1] = get_be64(in + 24);
}

int key_compare(const struct archive_key *a, const struct archive_key *b)
{
    if (a->subject != b->subject)
        return a->subject < b->subject ? -1 : 1;
    if (a->stream != b->stream)
        return a->stream < b->stream ? -1 : 1;
    if (a->time != b->time)
        return a->time < b->time ? -1 : 1;
    if (a->id[0] != b->id[0])
        return a->id[0] < b->id[0] ? -1 : 1;
    if (a->id[1] != b->id[1])
        return a->id[1] < b->id[1] ? -1 : 1;
    return 0;
}

bool key_step(struct archive_key *key)
{
    if (++key->id[1])
        return true;
    if (++key->id[0])
        return true;
    if (key->time == INT64_MAX)
        return false;
    key->time++;
    return true;
}

uint64_t item_sum(enum archive_db db, const void *key, size_t key_size, const void *data, size_t size)
{
    uint64_t place = XXH3_64bits_withSeed(key, key_size, (uint64_t)db << 56 | (uint64_t)size);

    return XXH3_64bits_withSeed(data, size, place);
}

void value_seal(uint8_t *out, const struct value *v, enum archive_db db, const uint8_t key[KEY_BYTES])
{
    out[8] = v->codec;
    out[9] = v->type;
    out[10] = v->clock;
    out[11] = v->format;
    put_u16(out + 12, v->channels);
    put_u16(out + 14, v->flags);
    put_u32(out + 16, v->count);
    put_u32(out + 20, v->size);
    put_u64(out + 24, v->schema);
    put_u64(out, item_sum(db, key, KEY_BYTES, out + 8, VALUE_HEAD - 8 + v->body_size));
}

bool value_open(struct value *v, enum archive_db db, const uint8_t *key, const uint8_t *in, size_t size)
{
    if (size < VALUE_HEAD || get_u64(in) != item_sum(db, key, KEY_BYTES, in + 8, size - 8))
        return false;
    v->codec = in[8];
    v->type = in[9];
    v->clock = in[10];
    v->format = in[11];
    v->channels = get_u16(in + 12);
    v->flags = get_u16(in + 14);
    v->count = get_u32(in + 16);
    v->size = get_u32(in + 20);
    v->schema = get_u64(in + 24);
    v->body = in + VALUE_HEAD;
    v->body_size = size - VALUE_HEAD;
    return true;
}

void value_squeeze(uint8_t *out, struct value *v, uint8_t *room)
{
    size_t size = v->body_size, most = size - size / 8;
    int got;

    if (size < 64 || size > INT_MAX / 2)
        return;
    /* With no more room than the wished result, lz4 gives up by itself. */
    got = LZ4_compress_default((const char *)out + VALUE_HEAD, (char *)room, (int)size, (int)most);
    if (got <= 0)
        return;
    memcpy(out + VALUE_HEAD, room, (size_t)got);
    v->codec |= CODEC_LZ4;
    v->body_size = (size_t)got;
}

const uint8_t *value_expand(const struct value *v, uint8_t *room)
{
    size_t plain = v->size;
    int got;

    if (!(v->codec & CODEC_LZ4))
        return v->body_size == plain ? v->body : NULL;
    if (plain > INT_MAX / 2 || v->body_size > INT_MAX / 2)
        return NULL;
    got = LZ4_decompress_safe((const char *)v->body, (char *)room, (int)v->body_size, (int)plain);
    return got >= 0 && (size_t)got == plain ? room : NULL;
}

void format_write(uint8_t out[FORMAT_BYTES])
{
    memcpy(out + 8, FORMAT_NAME, 16);
    put_u32(out + 24, FORMAT_VERSION);
    put_u64(out, item_sum(DB_META, FORMAT_KEY, sizeof FORMAT_KEY - 1, out + 8, FORMAT_BYTES - 8));
}

struct archive_format format_read(const uint8_t *in, size_t size)
{
    struct archive_format f = { false, false, 0 };

    if (size < FORMAT_BYTES || memcmp(in + 8, FORMAT_NAME, 16))
        return f;
    f.known = true;
    f.version = get_u32(in + 24);
    f.whole = get_u64(in) == item_sum(DB_META, FORMAT_KEY, sizeof FORMAT_KEY - 1, in + 8, size - 8);
    return f;
}

int32_t format_judge(const struct archive_format *f, char *cause, size_t room)
{
    if (!f->known)
        snprintf(cause, room, "there is something at path that is no archive; choose another path");
    else if (f->version > FORMAT_VERSION)
        snprintf(cause, room, "the archive has format %u, this version knows formats up to %u; use a newer Afferent",
                 (unsigned)f->version, (unsigned)FORMAT_VERSION);
    else if (f->version < 1 || !f->whole)
        snprintf(cause, room, "the archive's format mark is damaged; restore it from a copy, or choose another path");
    else
        return AFF_OK;
    return AFF_ERR_CONFIG;
}
