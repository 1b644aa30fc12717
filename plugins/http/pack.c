/* SPDX-License-Identifier: Apache-2.0
 *
 * pack.c - see pack.h.
 *
 * Not here: the elements (record.c). */
#include "http/pack.h"

#include <lz4frame.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

enum { ZSTD_LEVEL = 3, GZIP_WINDOW = 15 + 16 };

const struct frame_marks frame_list = { "[", ",", "}", ",\"resent\":true}", "]" };
const struct frame_marks frame_lines = { "", "", "}\n", ",\"resent\":true}\n", "" };

void frame_join(struct text *t, const struct frame_marks *marks, const struct text *elements, const struct item *items,
                uint32_t count)
{
    text_say(t, marks->begin);
    for (uint32_t i = 0; i < count; i++) {
        text_say(t, i > 0 ? marks->between : "");
        if (items[i].end > items[i].begin)
            text_add(t, elements->bytes + items[i].begin, items[i].end - items[i].begin);
        text_say(t, items[i].is_resent ? marks->after_resent : marks->after);
    }
    text_say(t, marks->end);
}

/* ---- packing ---- */

static bool room_for(struct text *t, size_t size)
{
    char *fresh;

    t->size = 0;
    if (size <= t->room)
        return true;
    fresh = realloc(t->bytes, size);
    if (!fresh)
        return false;
    t->bytes = fresh;
    t->room = size;
    return true;
}

/* RFC 1952. */
static bool gzip_pack(struct text *ret, const struct text *in)
{
    z_stream z = { 0 };
    bool is_done = false;

    if (in->size > 1u << 31 || deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return false;
    if (room_for(ret, deflateBound(&z, (uLong)in->size))) {
        z.next_in = (Bytef *)in->bytes;
        z.avail_in = (uInt)in->size;
        z.next_out = (Bytef *)ret->bytes;
        z.avail_out = (uInt)ret->room;
        is_done = deflate(&z, Z_FINISH) == Z_STREAM_END;
        ret->size = (size_t)z.total_out;
    }
    (void)deflateEnd(&z);
    return is_done;
}

/* RFC 8878. */
static bool zstd_pack(struct text *ret, const struct text *in)
{
    size_t size;

    if (!room_for(ret, ZSTD_compressBound(in->size)))
        return false;
    size = ZSTD_compress(ret->bytes, ret->room, in->bytes, in->size, ZSTD_LEVEL);
    ret->size = ZSTD_isError(size) ? 0 : size;
    return !ZSTD_isError(size);
}

/* The LZ4 frame format, with a checksum of the content. */
static bool lz4_pack(struct text *ret, const struct text *in)
{
    LZ4F_preferences_t how = LZ4F_INIT_PREFERENCES;
    size_t size;

    how.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled;
    if (!room_for(ret, LZ4F_compressFrameBound(in->size, &how)))
        return false;
    size = LZ4F_compressFrame(ret->bytes, ret->room, in->bytes, in->size, &how);
    ret->size = LZ4F_isError(size) ? 0 : size;
    return !LZ4F_isError(size);
}

bool frame_pack(struct text *ret, const struct text *in, int how)
{
    switch (how) {
    case PACK_GZIP:
        return gzip_pack(ret, in);
    case PACK_ZSTD:
        return zstd_pack(ret, in);
    default:
        return lz4_pack(ret, in);
    }
}

const char *pack_name(int how)
{
    static const char *const names[] = { NULL, "gzip", "zstd", "lz4" };

    return names[how];
}
