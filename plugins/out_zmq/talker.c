/* SPDX-License-Identifier: Apache-2.0
 *
 * talker.c - batches on their way, and the thread's life. See talker.h. */
#include "talker_inside.h"

#include <errno.h>
#include <lz4.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "zmq_link/schema.h"

#define MS_NS INT64_C(1000000)
#define PAUSE_FIRST_NS (100 * MS_NS)
#define PAUSE_LAST_NS (10000 * MS_NS)
#define PATIENCE_NS (1000 * MS_NS) /* away for so long, it is told as failing */
enum { ROOM_WAIT_MS = 100, PACK_LEAST = 128 /* bytes below which packing saves nothing */ };

int64_t talker_clock(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

void talker_ring(int fd)
{
    uint64_t one = 1;

    while (write(fd, &one, sizeof one) < 0 && errno == EINTR)
        continue;
}

/* ---- opening ---- */

static bool lock_open(struct talker *t)
{
    pthread_condattr_t how;
    bool made = false;

    if (pthread_mutex_init(&t->lock, NULL) != 0)
        return false;
    if (pthread_condattr_init(&how) == 0) {
        made = pthread_condattr_setclock(&how, CLOCK_MONOTONIC) == 0 && pthread_cond_init(&t->changed, &how) == 0;
        (void)pthread_condattr_destroy(&how);
    }
    if (!made)
        (void)pthread_mutex_destroy(&t->lock);
    return made;
}

struct talker *talker_open(const struct aff_host *host, const struct config *config, const struct curve_pair *pair,
                           const char gateway_key[CURVE_TEXT])
{
    struct talker *t = host->alloc(host, sizeof *t);

    if (!t)
        return NULL;
    if (!lock_open(t)) {
        host->free(host, t);
        return NULL;
    }
    t->host = host;
    t->config = config;
    t->pair = *pair;
    memcpy(t->gateway_key, gateway_key, CURVE_TEXT);
    t->life = host->random(host) | 1u;
    t->next = t->oldest = t->to_send = 1;
    t->away_since_ns = talker_clock();
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
    (void)pthread_cond_destroy(&t->changed);
    (void)pthread_mutex_destroy(&t->lock);
    if (t->packed)
        t->host->free(t->host, t->packed);
    explicit_bzero(&t->pair, sizeof t->pair);
    t->host->free(t->host, t);
}

/* ---- the thread ---- */

static struct timespec after_ns(int64_t ns)
{
    int64_t at = talker_clock() + ns;

    return (struct timespec){ (time_t)(at / 1000000000), (long)(at % 1000000000) };
}

/* Less up to a quarter, so that the nodes of a ward do not come all at once. */
static bool pause_before_next(struct talker *t, int64_t ns)
{
    uint64_t odd = (t->life ^ t->session * 0x9e3779b97f4a7c15u) >> 32;
    struct timespec until = after_ns(ns - (int64_t)(odd % (uint64_t)(ns / 4)));
    bool goes_on;
    int rc = 0;

    pthread_mutex_lock(&t->lock);
    while (!t->stopping && rc == 0)
        rc = pthread_cond_timedwait(&t->changed, &t->lock, &until);
    goes_on = !t->stopping;
    pthread_mutex_unlock(&t->lock);
    return goes_on;
}

static void *talker_run(void *self)
{
    struct talker *t = self;
    int64_t pause_ns = PAUSE_FIRST_NS;

    do {
        if (session_run(t))
            pause_ns = PAUSE_FIRST_NS;
        else if (pause_ns < PAUSE_LAST_NS)
            pause_ns *= 2;
    } while (pause_before_next(t, pause_ns));
    return NULL;
}

/* Signals are the host's. */
bool talker_start(struct talker *t)
{
    sigset_t all, before;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    t->runs = pthread_create(&t->thread, NULL, talker_run, t) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
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
    talker_ring(t->wake);
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
    return t->away_since_ns > 0 && talker_clock() - t->away_since_ns > PATIENCE_NS;
}

aff_status talker_room(struct talker *t, char cause[CAUSE_ROOM])
{
    struct timespec until = after_ns(ROOM_WAIT_MS * MS_NS);
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
    talker_ring(t->wake);
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
    uint64_t rung;

    while (read(t->bell, &rung, sizeof rung) < 0 && errno == EINTR)
        continue;
    pthread_mutex_lock(&t->lock);
    counts = t->counts;
    pthread_mutex_unlock(&t->lock);
    return counts;
}

int talker_bell(const struct talker *t)
{
    return t->bell;
}
