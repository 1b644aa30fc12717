/* SPDX-License-Identifier: Apache-2.0
 *
 * batch.c - batches of records as bytes. See batch.h. */
#include "zmq_link/batch.h"

#include <string.h>

enum { TAG_STREAM = 1, TAG_RECORD = 2, ITEMS_MOST = 2 * BATCH_STREAMS };

/* ---- writing ---- */

void batch_begin(struct batch *b, void *memory, size_t room)
{
    b->bytes = memory;
    b->room = room;
    b->used = BATCH_HEAD;
    b->streams = b->records = b->ends = 0;
}

size_t batch_need(const struct batch_stream *stream, uint32_t size)
{
    return BATCH_HEAD + BATCH_STREAM + BATCH_RECORD + strlen(stream->subject) + strlen(stream->name) + size;
}

static uint32_t stream_find(const struct batch *b, uint64_t key)
{
    uint32_t i = 0;

    while (i < b->streams && b->keys[i] != key)
        i++;
    return i;
}

static void stream_put(struct batch *b, const struct batch_stream *s)
{
    size_t subject = strlen(s->subject), name = strlen(s->name);
    uint8_t *to = b->bytes + b->used;

    memset(to, 0, BATCH_STREAM);
    to[0] = TAG_STREAM;
    put_le(to + 2, subject, 2);
    put_le(to + 4, name, 2);
    put_le(to + 8, s->schema, 8);
    memcpy(to + BATCH_STREAM, s->subject, subject);
    memcpy(to + BATCH_STREAM + subject, s->name, name);
    b->used += BATCH_STREAM + subject + name;
    b->keys[b->streams++] = s->key;
}

static void record_put(struct batch *b, uint32_t stream, const struct aff_record *r)
{
    uint8_t *to = b->bytes + b->used;
    uint32_t size = r->flags & AFF_FLAG_END ? 0 : r->size;

    memset(to, 0, BATCH_RECORD);
    to[0] = TAG_RECORD;
    to[1] = r->clock;
    put_le(to + 2, r->flags & (unsigned)BATCH_FLAGS, 2);
    put_le(to + 4, stream, 2);
    put_le(to + 8, size, 4);
    put_le(to + 16, (uint64_t)r->event_ns, 8);
    put_le(to + 24, r->id.source, 8);
    put_le(to + 32, r->id.seq, 8);
    if (size > 0)
        memcpy(to + BATCH_RECORD, r->data, size);
    b->used += BATCH_RECORD + size;
}

bool batch_add(struct batch *b, const struct batch_stream *stream, const struct aff_record *r)
{
    uint32_t at = stream_find(b, stream->key), is_end = (r->flags & AFF_FLAG_END) != 0;
    size_t need = batch_need(stream, is_end ? 0 : r->size) - BATCH_HEAD;

    if (need > b->room - b->used || at == BATCH_STREAMS || strlen(stream->subject) > BATCH_NAME_MOST ||
        strlen(stream->name) > BATCH_NAME_MOST || (is_end ? b->ends : b->records) == LINK_RECORDS)
        return false;
    if (at == b->streams)
        stream_put(b, stream);
    record_put(b, at, r);
    if (is_end)
        b->ends++;
    else
        b->ids[b->records++] = r->id;
    return true;
}

void batch_end(struct batch *b)
{
    put_le(b->bytes, b->streams, 2);
    put_le(b->bytes + 2, b->records + b->ends, 2);
    put_le(b->bytes + 4, 0, 4);
}

/* ---- reading ---- */

/* Names of people and places: text without zeros and control characters. */
static bool name_good(const char *name, size_t size)
{
    if (size == 0 || size > BATCH_NAME_MOST)
        return false;
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f)
            return false;
    return true;
}

static bool stream_next(struct batch_reader *r, struct batch_item *item)
{
    size_t left = (size_t)(r->end - r->at);

    if (left < BATCH_STREAM)
        return false;
    *item = (struct batch_item){ .is_stream = true, .subject_size = (uint16_t)get_le(r->at + 2, 2),
                                 .name_size = (uint16_t)get_le(r->at + 4, 2), .schema = get_le(r->at + 8, 8) };
    if (r->at[1] != 0 || get_le(r->at + 6, 2) != 0 || left - BATCH_STREAM < (size_t)item->subject_size + item->name_size)
        return false;
    item->subject = (const char *)r->at + BATCH_STREAM;
    item->name = item->subject + item->subject_size;
    r->at += BATCH_STREAM + item->subject_size + item->name_size;
    return name_good(item->subject, item->subject_size) && name_good(item->name, item->name_size);
}

static bool record_next(struct batch_reader *r, struct batch_item *item)
{
    size_t left = (size_t)(r->end - r->at);

    if (left < BATCH_RECORD)
        return false;
    *item = (struct batch_item){ .clock = r->at[1], .flags = (uint16_t)get_le(r->at + 2, 2),
                                 .stream = (uint16_t)get_le(r->at + 4, 2), .size = (uint32_t)get_le(r->at + 8, 4),
                                 .event_ns = (int64_t)get_le(r->at + 16, 8),
                                 .id = { get_le(r->at + 24, 8), get_le(r->at + 32, 8) } };
    if (item->clock > AFF_CLOCK_SYNCED || (item->flags & ~(unsigned)BATCH_FLAGS) || get_le(r->at + 6, 2) != 0 ||
        get_le(r->at + 12, 4) != 0 || item->size > left - BATCH_RECORD ||
        ((item->flags & AFF_FLAG_END) && item->size > 0))
        return false;
    item->data = r->at + BATCH_RECORD;
    r->at += BATCH_RECORD + item->size;
    return true;
}

static bool item_next(struct batch_reader *r, struct batch_item *item)
{
    if (*r->at == TAG_STREAM) {
        if (!stream_next(r, item))
            return false;
        item->stream = (uint16_t)r->streams++;
        return true;
    }
    if (*r->at != TAG_RECORD || !record_next(r, item) || item->stream >= r->streams)
        return false;
    r->records += !(item->flags & AFF_FLAG_END);
    return true;
}

bool batch_open(struct batch_reader *ret, const void *bytes, size_t size)
{
    const uint8_t *from = bytes;
    struct batch_reader r = { .at = from };
    struct batch_item item;
    uint32_t items = 0;

    if (size <= BATCH_HEAD || get_le(from + 4, 4) != 0)
        return false;
    r.at += BATCH_HEAD;
    r.end = from + size;
    *ret = r;
    for (; r.at < r.end; items++)
        if (items == ITEMS_MOST || !item_next(&r, &item))
            return false;
    return r.streams == get_le(from, 2) && r.streams <= BATCH_STREAMS && r.records <= LINK_RECORDS &&
           items - r.streams == get_le(from + 2, 2) && items > r.streams;
}

bool batch_next(struct batch_reader *r, struct batch_item *ret)
{
    return r->at < r->end && item_next(r, ret);
}
