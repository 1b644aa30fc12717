/* SPDX-License-Identifier: Apache-2.0
 *
 * peers.c - the nodes that may send. See peers.h. */
#include "peers.h"

#include <stdlib.h>
#include <string.h>
#include <zmq.h>

static const char begin[] = "aff-zmq-known 1\n"; /* format and version of what is kept */
enum { BEGIN = sizeof begin - 1, PEER_HEAD = 2 + 2 + 4, LIFE_HEAD = 8 + 4, OLD_ID = 16, NEW_ID = 24 };

/* ---- opening ---- */

static aff_status key_read(struct peer *p, const struct peer_option *option, char *problem)
{
    char text[CURVE_TEXT];
    aff_status st = curve_public_read(option->public_key, text, problem);

    if (st == AFF_OK)
        (void)zmq_z85_decode(p->key, text); /* it was read so already */
    return st;
}

aff_status peers_open(struct peers *peers, const struct aff_host *host, const struct aff_list *options, uint32_t window,
                      char *problem)
{
    aff_status st = AFF_OK;

    *peers = (struct peers){ .host = host, .list = host->alloc(host, options->count * sizeof *peers->list) };
    problem[0] = '\0';
    if (!peers->list)
        return AFF_ERR_MEMORY;
    for (; st == AFF_OK && peers->count < options->count; peers->count++) {
        const struct peer_option *o = (const void *)((const char *)options->items + (size_t)peers->count * options->stride);
        struct peer *p = &peers->list[peers->count];

        p->name = o->name;
        window_open(&p->before, window);
        for (uint32_t i = 0; i < LIVES; i++)
            window_open(&p->lives[i].now, window);
        st = key_read(p, o, problem);
    }
    if (st != AFF_OK)
        peers_close(peers);
    return st;
}

void peers_close(struct peers *peers)
{
    for (uint32_t i = 0; i < peers->count; i++) {
        window_close(&peers->list[i].before);
        free(peers->list[i].streams);
        for (uint32_t k = 0; k < LIVES; k++)
            window_close(&peers->list[i].lives[k].now);
    }
    if (peers->list)
        peers->host->free(peers->host, peers->list);
    peers->list = NULL;
    peers->count = 0;
}

/* ---- who ---- */

struct peer *peers_by_key(struct peers *peers, const uint8_t key[PEER_KEY])
{
    for (uint32_t i = 0; i < peers->count; i++)
        if (memcmp(peers->list[i].key, key, PEER_KEY) == 0)
            return &peers->list[i];
    return NULL;
}

struct peer *peers_by_name(struct peers *peers, const char *name, size_t size)
{
    for (uint32_t i = 0; i < peers->count; i++)
        if (strlen(peers->list[i].name) == size && memcmp(peers->list[i].name, name, size) == 0)
            return &peers->list[i];
    return NULL;
}

static bool same_route(const struct route *a, const struct route *b)
{
    return a->size == b->size && memcmp(a->bytes, b->bytes, a->size) == 0;
}

struct life *peer_life(struct peer *p, const struct route *route)
{
    for (uint32_t i = 0; i < LIVES; i++)
        if (p->lives[i].route.size > 0 && same_route(&p->lives[i].route, route)) {
            p->lives[i].used = ++p->turn;
            return &p->lives[i];
        }
    return NULL;
}

/* What came of it may come again much later, from its node's store. */
static void life_forget(struct peer *p, struct life *life)
{
    for (uint32_t i = 0; i < life->now.count; i++) {
        struct known k = *window_at(&life->now, i);

        k.number = 0;
        if (!window_find(&p->before, k.id))
            (void)window_add(&p->before, &k);
    }
    window_clear(&life->now);
    life->number = 0;
}

/* The one with this number, else a free one, else the one that was silent longest. */
static struct life *life_choose(struct peer *p, uint64_t number)
{
    struct life *chosen = &p->lives[0];

    for (uint32_t i = 0; i < LIVES; i++) {
        struct life *l = &p->lives[i];

        if (l->number == number)
            return l;
        if (l->used < chosen->used)
            chosen = l;
    }
    return chosen;
}

void peer_greet(struct peer *p, const struct route *route, uint64_t number)
{
    struct life *before = peer_life(p, route), *life = life_choose(p, number);

    if (before)
        before->route.size = 0;
    if (life->number != number)
        life_forget(p, life);
    life->number = number;
    life->route = *route;
    life->used = ++p->turn;
}

/* ---- what it said ---- */

uint32_t peer_schema(const struct peer *p, uint64_t hash)
{
    for (uint32_t i = 0; i < p->schema_count; i++)
        if (p->schemas[i].hash == hash)
            return p->schemas[i].id;
    return 0;
}

bool peer_schema_add(struct peer *p, uint64_t hash, uint32_t id)
{
    if (p->schema_count == PEER_SCHEMAS)
        return false;
    p->schemas[p->schema_count++] = (struct peer_schema){ hash, id };
    return true;
}

/* Where it stands, or would. */
static uint32_t stream_at(const struct peer *p, uint64_t names)
{
    uint32_t low = 0, high = p->stream_count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (p->streams[middle] < names)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool streams_fit(struct peer *p)
{
    uint32_t room = p->stream_room ? 2 * p->stream_room : 16;
    uint64_t *more;

    if (p->stream_count < p->stream_room)
        return true;
    more = realloc(p->streams, room * sizeof *more);
    if (!more)
        return false;
    p->streams = more;
    p->stream_room = room;
    return true;
}

bool peer_stream_take(struct peer *p, uint64_t names, uint32_t most)
{
    uint32_t at = stream_at(p, names);

    if (at < p->stream_count && p->streams[at] == names)
        return true;
    if (p->stream_count >= most || !streams_fit(p))
        return false;
    memmove(p->streams + at + 1, p->streams + at, (p->stream_count++ - at) * sizeof *p->streams);
    p->streams[at] = names;
    return true;
}

void peer_stream_drop(struct peer *p, uint64_t names)
{
    uint32_t at = stream_at(p, names);

    if (at < p->stream_count && p->streams[at] == names)
        memmove(p->streams + at, p->streams + at + 1, (--p->stream_count - at) * sizeof *p->streams);
}

const struct known *peer_knows(const struct peer *p, struct aff_id id)
{
    const struct known *k = window_find(&p->before, id);

    for (uint32_t i = 0; i < LIVES && !k; i++)
        k = window_find(&p->lives[i].now, id);
    return k;
}

/* ---- kept over a restart ---- */

static uint32_t lives_of(const struct peer *p)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < LIVES; i++)
        count += p->lives[i].now.count > 0;
    return count;
}

size_t peers_size(const struct peers *peers)
{
    size_t size = BEGIN;

    for (uint32_t i = 0; i < peers->count; i++) {
        const struct peer *p = &peers->list[i];

        size += PEER_HEAD + strlen(p->name) + (size_t)p->before.count * OLD_ID + (size_t)lives_of(p) * LIFE_HEAD;
        for (uint32_t k = 0; k < LIVES; k++)
            size += (size_t)p->lives[k].now.count * NEW_ID;
    }
    return size;
}

static uint8_t *id_write(uint8_t *to, const struct known *k)
{
    put_le(to, k->id.source, 8);
    put_le(to + 8, k->id.seq, 8);
    return to + OLD_ID;
}

static uint8_t *life_write(const struct life *life, uint8_t *to)
{
    put_le(to, life->number, 8);
    put_le(to + 8, life->now.count, 4);
    to += LIFE_HEAD;
    for (uint32_t i = 0; i < life->now.count; i++) {
        const struct known *k = window_at(&life->now, i);

        to = id_write(to, k);
        put_le(to, k->number, 8);
        to += NEW_ID - OLD_ID;
    }
    return to;
}

static uint8_t *peer_write(const struct peer *p, uint8_t *to)
{
    size_t name = strlen(p->name);

    put_le(to, name, 2);
    put_le(to + 2, lives_of(p), 2);
    put_le(to + 4, p->before.count, 4);
    memcpy(to + PEER_HEAD, p->name, name);
    to += PEER_HEAD + name;
    for (uint32_t i = 0; i < p->before.count; i++)
        to = id_write(to, window_at(&p->before, i));
    for (uint32_t i = 0; i < LIVES; i++)
        if (p->lives[i].now.count > 0)
            to = life_write(&p->lives[i], to);
    return to;
}

void peers_write(const struct peers *peers, uint8_t *to)
{
    memcpy(to, begin, BEGIN);
    to += BEGIN;
    for (uint32_t i = 0; i < peers->count; i++)
        to = peer_write(&peers->list[i], to);
}

static void ids_read(struct window *w, const uint8_t *from, uint32_t count, size_t stride)
{
    for (uint32_t i = 0; i < count; i++, from += stride) {
        struct known k = { { get_le(from, 8), get_le(from + 8, 8) }, stride == NEW_ID ? get_le(from + 16, 8) : 0, 0 };

        if (!window_find(w, k.id))
            (void)window_add(w, &k);
    }
}

/* So many ids at `from`, if they are there: their bytes. */
static size_t ids_size(size_t count, size_t stride, size_t left, bool *good)
{
    *good = *good && count <= left / stride;
    return *good ? count * stride : 0;
}

/* A life at `from`: its bytes, 0: it is none. Of a peer that is not there any more (NULL)
 * it is passed over. */
static size_t life_read(struct peer *p, struct life *life, const uint8_t *from, size_t left)
{
    bool good = left >= LIFE_HEAD;
    size_t size = good ? ids_size((size_t)get_le(from + 8, 4), NEW_ID, left - LIFE_HEAD, &good) : 0;

    if (!good)
        return 0;
    if (p) {
        life->number = get_le(from, 8);
        life->used = ++p->turn;
        ids_read(&life->now, from + LIFE_HEAD, (uint32_t)get_le(from + 8, 4), NEW_ID);
    }
    return LIFE_HEAD + size;
}

/* The peer at `from`, with `left` bytes behind it: its bytes; 0: it is none. */
static size_t peer_read(struct peers *peers, const uint8_t *from, size_t left)
{
    bool good = left >= PEER_HEAD;
    size_t name, lives, size, taken;
    struct peer *p;

    if (!good)
        return 0;
    name = (size_t)get_le(from, 2);
    lives = (size_t)get_le(from + 2, 2);
    size = PEER_HEAD + name;
    if (size > left || lives > LIVES)
        return 0;
    p = peers_by_name(peers, (const char *)from + PEER_HEAD, name);
    taken = ids_size((size_t)get_le(from + 4, 4), OLD_ID, left - size, &good);
    if (!good)
        return 0;
    if (p)
        ids_read(&p->before, from + size, (uint32_t)(taken / OLD_ID), OLD_ID);
    for (size += taken; lives > 0; lives--, size += taken) {
        taken = life_read(p, p ? &p->lives[lives - 1] : NULL, from + size, left - size);
        if (taken == 0)
            return 0;
    }
    return size;
}

static void peer_clear(struct peer *p)
{
    window_clear(&p->before);
    for (uint32_t i = 0; i < LIVES; i++) {
        window_clear(&p->lives[i].now);
        p->lives[i].number = 0;
    }
}

bool peers_read(struct peers *peers, const uint8_t *from, size_t size)
{
    const uint8_t *end = from + size;
    size_t taken = BEGIN;

    if (size < BEGIN || memcmp(from, begin, BEGIN) != 0)
        return false;
    for (from += BEGIN; from < end; from += taken) {
        taken = peer_read(peers, from, (size_t)(end - from));
        if (taken == 0)
            break;
    }
    for (uint32_t i = 0; taken == 0 && i < peers->count; i++)
        peer_clear(&peers->list[i]);
    return taken > 0;
}
