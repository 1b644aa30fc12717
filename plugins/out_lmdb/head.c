/* head.c - the next wanted record of one database.
 *
 * What is found is copied, so that nothing of the writer's is held between two
 * steps. The run that is read may grow meanwhile: when it is used up and has
 * become longer, it is opened again.
 */
#include "query_inside.h"

#include <stdlib.h>
#include <string.h>

#include "pack.h"

/* What one look into the tree gave. */
enum seek { SEEK_FOUND, SEEK_ON, SEEK_OVER, SEEK_MEMORY };

void head_take(struct head *head)
{
    head->ready = false;
    head->wanted = head->found.key;
    head->over = !key_step(&head->wanted);
}

static bool memory_grow(uint8_t **memory, size_t *size, size_t need)
{
    uint8_t *fresh;

    if (need <= *size)
        return true;
    fresh = realloc(*memory, need + need / 2);
    if (!fresh)
        return false;
    *memory = fresh;
    *size = need + need / 2;
    return true;
}

/* Goes on behind a key, which is never one that was not asked for. */
static enum seek behind(struct head *head, const struct archive_key *key)
{
    head->wanted = *key;
    return key_step(&head->wanted) ? SEEK_ON : SEEK_OVER;
}

/* The key of an item; one of a wrong size is damage, and is filled up so that
 * the search can go on behind it. */
static bool item_key(const struct item *item, struct archive_key *ret)
{
    uint8_t raw[KEY_BYTES];

    memset(raw, 0xff, sizeof raw);
    memcpy(raw, item->key, item->key_size < KEY_BYTES ? item->key_size : KEY_BYTES);
    key_read(ret, raw);
    return item->key_size == KEY_BYTES;
}

/* Whether the record is wanted; else the head goes to where the next may be. */
static enum seek wanted_check(const struct archive_query *q, struct head *head, const struct archive_key *key)
{
    struct archive_key next = *key;
    bool more;

    if (query_wants(q, &next, &more))
        return SEEK_FOUND;
    head->wanted = next;
    return more ? SEEK_ON : SEEK_OVER;
}

static enum seek planes_unpack(struct head *head, const uint8_t *body, size_t size)
{
    struct aff_samples s;
    size_t stride, at = sizeof s, c, need;

    if (size < sizeof s)
        return SEEK_ON;
    memcpy(&s, body, sizeof s);
    if (s.format < AFF_I16 || s.format > AFF_F32 || s.count > UINT32_MAX / 8)
        return SEEK_ON;
    /* A group of 16 takes a byte at least: no larger than the body can tell. */
    if ((size_t)s.channels * (s.count / 16) > size)
        return SEEK_ON;
    stride = aff_plane_stride(s.count, s.format);
    need = aff_samples_size(s.count, s.channels, s.format);
    if (need > UINT32_MAX)
        return SEEK_ON;
    if (!memory_grow(&head->memory, &head->memory_size, need))
        return SEEK_MEMORY;
    memset(head->memory, 0, need);
    memcpy(head->memory, &s, sizeof s);
    for (c = 0; c < s.channels; c++) {
        uint32_t last = 0;
        size_t took = unpack_plane(head->memory + sizeof s + c * stride, s.count, s.format, &last,
                                   body + at, size - at);

        if (!took)
            return SEEK_ON;
        at += took;
    }
    head->found.size = (uint32_t)need;
    return at == size ? SEEK_FOUND : SEEK_ON;
}

/* The payload of a single record. SEEK_ON: it makes no sense. */
static enum seek payload_take(struct head *head, const struct value *v)
{
    const uint8_t *body;

    /* lz4 makes at most 255 bytes of one. */
    if (v->codec & CODEC_RUN || v->size / 255 > v->body_size)
        return SEEK_ON;
    if (!memory_grow(&head->room, &head->room_size, (size_t)v->size + 1))
        return SEEK_MEMORY;
    body = value_expand(v, head->room);
    if (!body)
        return SEEK_ON;
    if (v->codec & CODEC_PACKED)
        return planes_unpack(head, body, v->size);
    if (!memory_grow(&head->memory, &head->memory_size, (size_t)v->size + 1))
        return SEEK_MEMORY;
    memcpy(head->memory, body, v->size);
    head->found.size = v->size;
    return SEEK_FOUND;
}

static enum seek single_seek(struct archive_query *q, struct head *head)
{
    struct archive_key key;
    struct item item;
    struct value v;
    uint8_t raw[KEY_BYTES];
    enum seek seek;

    key_write(raw, &head->wanted);
    if (!tree_above(&q->pages, &q->trees[DB_RECORDS], raw, KEY_BYTES, &item))
        return SEEK_OVER;
    if (!item_key(&item, &key)) {
        q->damage++;
        return behind(head, &key);
    }
    seek = wanted_check(q, head, &key);
    if (seek != SEEK_FOUND)
        return seek;
    if (value_open(&v, DB_RECORDS, item.key, item.data, item.size)) {
        seek = payload_take(head, &v);
        head->found.key = key;
        head->found.schema = v.schema;
        head->found.flags = v.flags;
        head->found.type = v.type;
        head->found.clock = v.clock;
        head->found.data = head->memory;
        if (seek != SEEK_ON)
            return seek;
    }
    q->damage++;
    return behind(head, &key);
}

/* How many records a run's head says it has, checked or not. */
static uint32_t count_peek(const struct item *item)
{
    return item->size < VALUE_HEAD ? 0 : get_u32(item->data + 16);
}

/* The run that may hold the wanted key: the last that begins at or below it,
 * unless that is the one just read and it has not grown; else the next one. */
static bool run_search(struct archive_query *q, struct head *head, struct item *ret, struct archive_key *ret_first)
{
    const struct tree *tree = &q->trees[DB_SAMPLES];
    uint8_t raw[KEY_BYTES];

    key_write(raw, &head->wanted);
    if (tree_below(&q->pages, tree, raw, KEY_BYTES, ret) && item_key(ret, ret_first)
        && ret_first->subject == head->wanted.subject && ret_first->stream == head->wanted.stream
        && (!head->seen || key_compare(ret_first, &head->first) || head->count != count_peek(ret)))
        return true;
    if (!tree_above(&q->pages, tree, raw, KEY_BYTES, ret))
        return false;
    /* A wrong size shows when the value is opened. */
    item_key(ret, ret_first);
    return true;
}

static enum seek run_seek(struct archive_query *q, struct head *head)
{
    struct archive_key first, probe;
    struct item item;
    struct value v;
    bool more;

    if (!run_search(q, head, &item, &first))
        return SEEK_OVER;
    probe = first;
    if (key_compare(&first, &head->wanted) > 0 && !query_wants(q, &probe, &more)) {
        head->wanted = probe; /* it, or the run before it, may reach there */
        return more ? SEEK_ON : SEEK_OVER;
    }
    head->seen = true;
    head->first = first;
    head->count = count_peek(&item);
    if (item.key_size == KEY_BYTES && item.size <= RUN_VALUE) {
        memcpy(head->value, item.data, item.size);
        if (value_open(&v, DB_SAMPLES, item.key, head->value, item.size) && run_open(&head->reader, &first, &v)) {
            head->schema = v.schema;
            head->running = true;
            return SEEK_FOUND;
        }
    }
    q->damage++;
    return key_compare(&first, &head->wanted) < 0 ? SEEK_ON : behind(head, &first);
}

/* The next record of the run that is open. */
static enum seek run_step(struct archive_query *q, struct head *head)
{
    struct run_record r;
    enum seek seek;
    int got = run_next(&head->reader, &r, head->payload);

    if (got <= 0) {
        head->running = false;
        q->damage += got < 0;
        return SEEK_ON;
    }
    if (key_compare(&r.key, &head->wanted) < 0)
        return SEEK_ON;
    seek = wanted_check(q, head, &r.key);
    if (seek != SEEK_FOUND) {
        head->running = head->wanted.subject == r.key.subject && head->wanted.stream == r.key.stream;
        return seek;
    }
    head->found.key = r.key;
    head->found.schema = head->schema;
    head->found.flags = r.flags;
    head->found.type = AFF_SAMPLES;
    head->found.clock = r.clock;
    head->found.data = r.data;
    head->found.size = r.size;
    return SEEK_FOUND;
}

static enum seek head_step(struct archive_query *q, struct head *head, aff_status *ret_status)
{
    enum seek seek;

    *ret_status = AFF_OK;
    if (head->db == DB_SAMPLES && head->running)
        return run_step(q, head);
    *ret_status = look_begin(q);
    if (*ret_status < 0)
        return SEEK_OVER;
    seek = head->db == DB_SAMPLES ? run_seek(q, head) : single_seek(q, head);
    look_end(q);
    /* An opened run still has to give its record. */
    return seek == SEEK_FOUND && head->db == DB_SAMPLES ? SEEK_ON : seek;
}

aff_status head_fill(struct archive_query *q, struct head *head)
{
    aff_status st = AFF_OK;

    while (!head->ready && !head->over && st >= 0) {
        enum seek seek = head_step(q, head, &st);

        head->ready = seek == SEEK_FOUND;
        head->over = st >= 0 && seek == SEEK_OVER;
        if (seek == SEEK_MEMORY)
            st = query_fail(q, AFF_ERR_MEMORY, "cannot read", "no memory");
    }
    return st;
}
