/* SPDX-License-Identifier: Apache-2.0
 *
 * talker.c - batches on their way, and the thread's life. See talker.h. */
#include "talker_inside.h"

#include <lz4.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "zmq_link/schema.h"

#define PAUSE_FIRST_NS (100 * NET_MS)
#define PAUSE_LAST_NS (10 * NET_SECOND)
#define PATIENCE_NS NET_SECOND /* away for so long, it is told as failing */
#define LOOK_NS NET_SECOND     /* how often it is looked whether another link is to be used */
enum { ROOM_WAIT_MS = 100, PACK_LEAST = 128 /* bytes below which packing saves nothing */ };

/* ---- opening ---- */

struct talker *talker_open(const struct aff_host *host, const struct config *config, const struct curve_pair *pair,
                           const char gateway_key[CURVE_TEXT])
{
    struct talker *t = host->alloc(host, sizeof *t);

    if (!t)
        return NULL;
    if (!net_lock_open(&t->lock, &t->changed)) {
        host->free(host, t);
        return NULL;
    }
    t->host = host;
    t->config = config;
    t->pair = *pair;
    memcpy(t->gateway_key, gateway_key, CURVE_TEXT);
    t->life = host->random(host) | 1u;
    t->random = host->random(host) | 1u;
    net_uplink_open(&t->uplink, host, strncmp(config->address, "tcp://", 6) == 0);
    t->next = t->oldest = t->to_send = 1;
    t->away_since_ns = net_clock();
    pace_begin(&t->pace, (uint64_t)config->in_flight);
    (void)snprintf(t->counts.cause, CAUSE_ROOM, "not connected yet");
    t->packed_room = (size_t)LZ4_compressBound((int)config->largest);
    t->packed = config->lz4 ? host->alloc(host, t->packed_room) : NULL;
    t->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    t->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    t->context = zmq_ctx_new();
    if ((config->lz4 && !t->packed) || t->wake < 0 || t->bell < 0 || !t->context)
        talker_close(&t);
    return t;
}

void talker_close(struct talker **talker)
{
    struct talker *t = *talker;

    *talker = NULL;
    if (!t)
        return;
    for (uint32_t i = 0; i < SLOTS; i++)
        if (t->slots[i].used)
            (void)zmq_msg_close(&t->slots[i].payload);
    for (uint32_t i = 0; i < t->schema_count; i++)
        free(t->schemas[i].bytes);
    if (t->context)
        (void)zmq_ctx_term(t->context);
    if (t->wake >= 0)
        (void)close(t->wake);
    if (t->bell >= 0)
        (void)close(t->bell);
    net_lock_close(&t->lock, &t->changed);
    if (t->packed)
        t->host->free(t->host, t->packed);
    explicit_bzero(&t->pair, sizeof t->pair);
    t->host->free(t->host, t);
}

/* ---- the thread ---- */

static bool doze(struct talker *t, int64_t ns)
{
    struct timespec until = net_after(ns);
    bool goes_on;
    int rc = 0;

    pthread_mutex_lock(&t->lock);
    while (!t->stopping && rc == 0)
        rc = pthread_cond_timedwait(&t->changed, &t->lock, &until);
    goes_on = !t->stopping;
    pthread_mutex_unlock(&t->lock);
    return goes_on;
}

/* What failed by another link says nothing of this one, so a new one ends the pause, and the
 * next begins small. False: the thread is to end. */
static bool pause_before_next(struct talker *t, int64_t *wait_ns)
{
    int64_t left = net_less_by_chance(&t->random, *wait_ns), end = net_clock() + left;
    bool goes_on = true, is_other = false;

    for (; left > 0 && goes_on && !is_other; left = end - net_clock()) {
        goes_on = doze(t, left < LOOK_NS ? left : LOOK_NS);
        is_other = net_uplink_look(&t->uplink);
    }
    if (is_other)
        *wait_ns = 0;
    return goes_on;
}

static void none_say(struct talker *t)
{
    pthread_mutex_lock(&t->lock);
    (void)snprintf(t->counts.cause, CAUSE_ROOM, "no link may be used now");
    pthread_mutex_unlock(&t->lock);
    net_ring(t->bell);
}

static void *talker_run(void *self)
{
    struct talker *t = self;
    int64_t wait_ns = 0;

    do {
        (void)net_uplink_look(&t->uplink);
        if (!net_uplink_goes(&t->uplink))
            none_say(t);
        if (!net_uplink_goes(&t->uplink) || session_run(t))
            wait_ns = 0;
        wait_ns = net_wait_longer(wait_ns, PAUSE_FIRST_NS, PAUSE_LAST_NS);
    } while (pause_before_next(t, &wait_ns));
    return NULL;
}

bool talker_start(struct talker *t)
{
    t->runs = net_thread_start(&t->thread, talker_run, t);
    return t->runs;
}

void talker_stop(struct talker *t)
{
    if (!t->runs)
        return;
    pthread_mutex_lock(&t->lock);
    t->stopping = true;
    pthread_cond_broadcast(&t->changed);
    pthread_mutex_unlock(&t->lock);
    net_ring(t->wake);
    (void)pthread_join(t->thread, NULL);
    t->runs = false;
}

/* ---- putting in ---- */

int talker_schema(struct talker *t, uint32_t key, const struct aff_schema *schema, uint64_t *ret_hash)
{
    struct known_schema *k;
    uint8_t *bytes;
    size_t size;
    uint32_t i = 0;

    while (i < t->schema_count && t->schemas[i].key != key) /* only this thread adds */
        i++;
    k = &t->schemas[i];
    if (i < t->schema_count) {
        *ret_hash = k->hash;
        return (int)i;
    }
    if (i == SCHEMAS)
        return AFF_ERR_DATA;
    bytes = malloc(LINK_SCHEMA_MOST);
    if (!bytes)
        return AFF_ERR_MEMORY;
    size = link_schema_write(schema, bytes, LINK_SCHEMA_MOST);
    if (size == 0) {
        free(bytes);
        return AFF_ERR_DATA;
    }
    *k = (struct known_schema){ key, link_schema_hash(bytes, size), 0, bytes, size };
    k->bytes = realloc(bytes, size);
    if (!k->bytes) /* it need not become smaller */
        k->bytes = bytes;
    *ret_hash = k->hash;
    pthread_mutex_lock(&t->lock);
    t->schema_count++;
    pthread_mutex_unlock(&t->lock);
    return (int)i;
}

static bool has_room(const struct talker *t)
{
    return t->next - t->oldest < SLOTS && pace_has_room(&t->pace, t->bytes);
}

static bool is_away(const struct talker *t)
{
    return t->away_since_ns > 0 && net_clock() - t->away_since_ns > PATIENCE_NS;
}

aff_status talker_room(struct talker *t, char cause[CAUSE_ROOM])
{
    struct timespec until = net_after(ROOM_WAIT_MS * NET_MS);
    aff_status st = AFF_OK;
    int rc = 0;

    pthread_mutex_lock(&t->lock);
    while (!has_room(t) && !is_away(t) && rc == 0)
        rc = pthread_cond_timedwait(&t->changed, &t->lock, &until);
    if (is_away(t)) {
        (void)snprintf(cause, CAUSE_ROOM, "%s", t->counts.cause);
        st = AFF_ERR_IO;
    } else if (!has_room(t)) {
        st = AFF_AGAIN;
    }
    pthread_mutex_unlock(&t->lock);
    return st;
}

uint64_t talker_pace(struct talker *t)
{
    uint64_t room;

    pthread_mutex_lock(&t->lock);
    room = t->pace.room > t->bytes ? t->pace.room - t->bytes : 0;
    pthread_mutex_unlock(&t->lock);
    return room;
}

/* The smaller of both. NULL: no memory. */
static bool payload_make(struct talker *t, const struct batch *b, zmq_msg_t *payload, bool *ret_packed)
{
    const void *bytes = b->bytes;
    size_t size = b->used;
    int packed = 0;

    if (t->packed && size >= PACK_LEAST)
        packed = LZ4_compress_default((const char *)b->bytes, t->packed, (int)size, (int)t->packed_room);
    *ret_packed = packed > 0 && (size_t)packed < size;
    if (*ret_packed) {
        bytes = t->packed;
        size = (size_t)packed;
    }
    if (zmq_msg_init_size(payload, size) != 0)
        return false;
    memcpy(zmq_msg_data(payload), bytes, size);
    return true;
}

aff_status talker_put(struct talker *t, const struct batch *b, const struct schema_set *schemas)
{
    zmq_msg_t payload;
    struct slot *s;
    bool is_packed;

    if (!payload_make(t, b, &payload, &is_packed))
        return AFF_ERR_MEMORY;
    pthread_mutex_lock(&t->lock);
    s = &t->slots[t->next % SLOTS];
    s->used = true;
    s->was_sent = false;
    s->number = t->next++;
    s->payload = payload;
    s->size = (uint32_t)b->used;
    s->is_packed = is_packed;
    s->count = b->records;
    memcpy(s->ids, b->ids, b->records * sizeof *b->ids);
    s->schemas = *schemas;
    t->bytes += zmq_msg_size(&s->payload);
    pthread_mutex_unlock(&t->lock);
    net_ring(t->wake);
    return AFF_OK;
}

void talker_epoch(struct talker *t)
{
    uint64_t *mark = &t->marks[t->epochs++ % EPOCHS];

    pthread_mutex_lock(&t->lock);
    t->settled = *mark;
    *mark = t->oldest - 1u; /* epochs go on where a queue holds what is not answered */
    pthread_mutex_unlock(&t->lock);
}

uint64_t talker_largest(struct talker *t)
{
    uint64_t largest;

    pthread_mutex_lock(&t->lock);
    largest = t->largest;
    pthread_mutex_unlock(&t->lock);
    return largest;
}

struct talker_counts talker_counts(struct talker *t)
{
    struct talker_counts counts;

    net_hush(t->bell);
    pthread_mutex_lock(&t->lock);
    counts = t->counts;
    pthread_mutex_unlock(&t->lock);
    return counts;
}

int talker_bell(const struct talker *t)
{
    return t->bell;
}
