/* peer.c - see peer.h. */
#include "peer.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static uint64_t pick(struct peer *p, uint64_t below)
{
    p->random = p->random * 6364136223846793005u + 1442695040888963407u;
    return (p->random >> 33) % below;
}

static void answer_one(struct peer *p)
{
    uint32_t i = (uint32_t)pick(p, p->count);
    aff_status st = p->seqs[i] == p->refuses ? AFF_ERR_DATA : p->fails && pick(p, p->fails) == 0 ? AFF_ERR_IO : AFF_OK;

    p->host->ack(p->host, p->pending[i], st);
    if (pick(p, 10) == 0)
        p->host->ack(p->host, p->pending[i], st);
    if (pick(p, 16) == 0)
        p->host->rouse(p->host);
    p->count--;
    p->pending[i] = p->pending[p->count];
    p->seqs[i] = p->seqs[p->count];
}

static void *peer_run(void *arg)
{
    struct peer *p = arg;
    bool ends = false;

    while (!ends) {
        struct timespec t = { .tv_nsec = 50000 };

        pthread_mutex_lock(&p->lock);
        while (p->host && p->count > 0 && !p->is_silent && pick(p, 8) > 0)
            answer_one(p);
        ends = p->ends;
        pthread_mutex_unlock(&p->lock);
        nanosleep(&t, NULL);
    }
    return NULL;
}

struct peer *peer_open(uint64_t seed)
{
    struct peer *p = calloc(1, sizeof *p);

    pthread_mutex_init(&p->lock, NULL);
    p->random = seed;
    p->refuses = UINT64_MAX;
    pthread_create(&p->thread, NULL, peer_run, p);
    return p;
}

void peer_close(struct peer **peer)
{
    struct peer *p = *peer;

    pthread_mutex_lock(&p->lock);
    p->ends = true;
    pthread_mutex_unlock(&p->lock);
    pthread_join(p->thread, NULL);
    pthread_mutex_destroy(&p->lock);
    free(p);
    *peer = NULL;
}

void peer_silence(struct peer *p, bool is_silent)
{
    pthread_mutex_lock(&p->lock);
    p->is_silent = is_silent;
    pthread_mutex_unlock(&p->lock);
}

/* ---- the sink ---- */

struct late {
    const struct aff_host *host;
    struct peer *peer;
};

static aff_status late_open(const struct aff_host *host, const void *config, void **ret_self)
{
    struct late *s = host->alloc(host, sizeof *s);

    if (!s)
        return AFF_ERR_MEMORY;
    s->host = host;
    s->peer = (struct peer *)(uintptr_t)config;
    pthread_mutex_lock(&s->peer->lock);
    s->peer->host = host;
    s->peer->count = 0;
    pthread_mutex_unlock(&s->peer->lock);
    *ret_self = s;
    return AFF_OK;
}

static void late_close(void *self)
{
    struct late *s = self;

    pthread_mutex_lock(&s->peer->lock);
    s->peer->host = NULL;
    pthread_mutex_unlock(&s->peer->lock);
    s->host->free(s->host, s);
}

static aff_status late_write(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    struct late *s = self;
    struct peer *p = s->peer;

    pthread_mutex_lock(&p->lock);
    for (; *ret_taken < batch->count && p->count < PEER_PENDING; ++*ret_taken) {
        const struct aff_record *r = &batch->records[*ret_taken];

        far_end_take(&p->end, r);
        memcpy(&p->seqs[p->count], r->data, sizeof p->seqs[0]);
        p->pending[p->count++] = r->id;
    }
    pthread_mutex_unlock(&p->lock);
    return *ret_taken == batch->count ? AFF_OK : AFF_AGAIN;
}

static const struct aff_port in_any[] = { { .name = "in", .types = AFF_MASK(AFF_BYTES) } };
const struct aff_plugin late = {
    .struct_size = sizeof late, .major = AFF_ABI_MAJOR, .kind = AFF_SINK, .flags = AFF_ACKS, .name = "late",
    .inputs = AFF_TABLE(in_any), .open = late_open, .close = late_close, .write = late_write,
};
