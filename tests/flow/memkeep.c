/* memkeep.c - see memkeep.h. */
#include "memkeep.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PIECES = 256, QUEUES = 64, NAME = 200 };

struct blob {
    uint64_t seq;
    uint8_t *bytes;
    size_t size;
};

struct list {
    char name[NAME];
    struct blob *blobs; /* by rising seq */
    size_t count, room;
    uint64_t next;
};

struct memkeep {
    struct kept kept;
    pthread_mutex_t lock;
    pthread_mutex_t round; /* while a group is made and stored */
    pthread_cond_t rung;
    pthread_t thread;
    bool running, wanted, ends, dead;
    struct flow *flow;
    uint64_t dies_at, run_commits, room;
    bool torn;
    struct list pieces[PIECES];
    uint32_t piece_count;
    struct list queues[QUEUES];
    uint32_t queue_count;
    struct list letters;
    struct memkeep_figures figures;
    struct kept_group group;
};

static void blob_set(struct blob *b, const void *bytes, size_t size)
{
    free(b->bytes);
    b->bytes = aligned_alloc(16, (size + 16u) & ~(size_t)15u);
    memcpy(b->bytes, bytes, size);
    b->size = size;
}

static void list_add(struct list *l, uint64_t seq, const void *bytes, size_t size)
{
    if (l->count == l->room) {
        l->room = l->room ? l->room * 2 : 16;
        l->blobs = realloc(l->blobs, l->room * sizeof *l->blobs);
    }
    l->blobs[l->count] = (struct blob){ .seq = seq };
    blob_set(&l->blobs[l->count++], bytes, size);
}

static void list_remove(struct list *l, size_t at, size_t count)
{
    size_t i;

    if (count == 0)
        return;
    for (i = at; i < at + count; i++)
        free(l->blobs[i].bytes);
    memmove(l->blobs + at, l->blobs + at + count, (l->count - at - count) * sizeof *l->blobs);
    l->count -= count;
}

static size_t list_find(const struct list *l, uint64_t seq)
{
    size_t low = 0, high = l->count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (l->blobs[middle].seq < seq)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct list *piece_of(struct memkeep *k, const char *name)
{
    uint32_t i;

    for (i = 0; i < k->piece_count; i++)
        if (strcmp(k->pieces[i].name, name) == 0)
            return &k->pieces[i];
    strncpy(k->pieces[k->piece_count].name, name, NAME - 1);
    return &k->pieces[k->piece_count++];
}

static void put(struct memkeep *k, struct list *q, uint64_t seq, const void *bytes, size_t size)
{
    size_t at = list_find(q, seq);

    if (at < q->count && q->blobs[at].seq == seq)
        return;
    list_add(q, seq, bytes, size);
    q->next = seq + 1u;
    k->figures.puts++;
}

static void ack(struct list *q, uint64_t seq, bool upto)
{
    size_t at = list_find(q, seq);
    bool there = at < q->count && q->blobs[at].seq == seq;

    if (upto)
        list_remove(q, 0, at + there);
    else if (there)
        list_remove(q, at, 1);
}

static void apply(struct memkeep *k, const struct kept_group *g)
{
    uint32_t i;

    for (i = 0; i < g->count; i++) {
        const struct kept_change *c = &g->changes[i];
        const void *bytes = kept_bytes(g, c);
        struct list *piece;

        switch (c->op) {
        case KEPT_STATE:
            piece = piece_of(k, kept_name(g, c));
            list_remove(piece, 0, piece->count);
            if (c->size > 0)
                list_add(piece, 0, bytes, c->size);
            break;
        case KEPT_PUT:
            put(k, &k->queues[c->queue], c->seq, bytes, c->size);
            break;
        case KEPT_DEAD:
            list_add(&k->letters, k->letters.count, bytes, c->size);
            break;
        default:
            ack(&k->queues[c->queue], c->seq, c->op == KEPT_ACK_UPTO);
            break;
        }
    }
}

/* ---- the interface ---- */

static void ring(void *self)
{
    struct memkeep *k = self;

    pthread_mutex_lock(&k->lock);
    k->wanted = true;
    pthread_cond_signal(&k->rung);
    pthread_mutex_unlock(&k->lock);
}

static uint64_t room(void *self)
{
    struct memkeep *k = self;
    uint64_t left;

    pthread_mutex_lock(&k->lock);
    left = k->room;
    pthread_mutex_unlock(&k->lock);
    return left;
}

static bool state(void *self, const char *name, void **ret_bytes, size_t *ret_size)
{
    struct memkeep *k = self;
    struct list *piece = piece_of(k, name);

    if (piece->count == 0)
        return false;
    *ret_size = piece->blobs[0].size;
    *ret_bytes = malloc(*ret_size);
    memcpy(*ret_bytes, piece->blobs[0].bytes, *ret_size);
    return true;
}

static bool queue(void *self, const char *name, uint32_t priority, struct kept_queue *ret)
{
    struct memkeep *k = self;
    uint32_t i;

    (void)priority;
    for (i = 0; i < k->queue_count && strcmp(k->queues[i].name, name) != 0; i++)
        continue;
    if (i == k->queue_count) {
        strncpy(k->queues[i].name, name, NAME - 1);
        k->queues[i].next = 1;
        k->queue_count++;
    }
    *ret = (struct kept_queue){ .queue = i, .next = k->queues[i].next, .records = k->queues[i].count };
    ret->first = k->queues[i].count ? k->queues[i].blobs[0].seq : ret->next;
    return true;
}

static uint32_t read_list(struct memkeep *k, uint32_t number, uint64_t from, bool down, void *buffer, size_t size,
                          struct kept_read *reads, uint32_t most, size_t *ret_need)
{
    struct list *q = &k->queues[number];
    size_t used = 0, at;
    uint32_t n = 0;

    *ret_need = 0;
    pthread_mutex_lock(&k->lock);
    at = list_find(q, down ? from + 1u : from);
    while (n < most && (down ? at > 0 : at < q->count)) {
        struct blob *b = &q->blobs[down ? at - 1u : at];

        if (used + b->size > size) {
            if (n == 0)
                *ret_need = b->size;
            break;
        }
        memcpy((uint8_t *)buffer + used, b->bytes, b->size);
        reads[n++] = (struct kept_read){ b->seq, (uint8_t *)buffer + used, b->size };
        used = (used + b->size + 15u) & ~(size_t)15u;
        at += down ? (size_t)-1 : 1u;
    }
    pthread_mutex_unlock(&k->lock);
    return n;
}

static uint32_t read_queue(void *self, uint32_t number, uint64_t from, bool down, void *buffer, size_t size,
                           struct kept_read *reads, uint32_t most, size_t *ret_need)
{
    return read_list(self, number, from, down, buffer, size, reads, most, ret_need);
}

static uint32_t read_retries(void *self, const char *node, uint64_t from, void *buffer, size_t size,
                             struct kept_read *reads, uint32_t most, size_t *ret_need)
{
    (void)self, (void)node, (void)from, (void)buffer, (void)size, (void)reads, (void)most;
    *ret_need = 0;
    return 0;
}

/* ---- the thread ---- */

/* False: nothing was there. */
static bool commit_round(struct memkeep *k, int64_t *ret_wait)
{
    kept_group_clear(&k->group);
    if (!k->flow || !flow_gather(k->flow, &k->group, ret_wait))
        return false;
    k->run_commits++;
    pthread_mutex_lock(&k->lock);
    if (k->run_commits != k->dies_at || !k->torn)
        apply(k, &k->group);
    k->figures.commits++;
    pthread_mutex_unlock(&k->lock);
    if (k->run_commits == k->dies_at) {
        k->dead = true;
        flow_abort(k->flow);
        return false;
    }
    flow_stored(k->flow);
    return true;
}

static bool commit(struct memkeep *k, int64_t *ret_wait)
{
    bool any;

    pthread_mutex_lock(&k->round);
    any = commit_round(k, ret_wait);
    pthread_mutex_unlock(&k->round);
    return any;
}

static void *keep(void *arg)
{
    struct memkeep *k = arg;
    bool ends = false;
    int64_t wait;

    while (!ends && !k->dead) {
        wait = -1;
        while (commit(k, &wait))
            continue;
        pthread_mutex_lock(&k->lock);
        if (!k->wanted && !k->ends && !k->dead) {
            struct timespec until;

            clock_gettime(CLOCK_REALTIME, &until);
            until.tv_nsec += 2000000;
            until.tv_sec += until.tv_nsec / 1000000000;
            until.tv_nsec %= 1000000000;
            pthread_cond_timedwait(&k->rung, &k->lock, &until);
        }
        k->wanted = false;
        ends = k->ends;
        pthread_mutex_unlock(&k->lock);
    }
    while (!k->dead && commit(k, &wait))
        continue;
    return NULL;
}

struct memkeep *memkeep_open(void)
{
    struct memkeep *k = calloc(1, sizeof *k);

    pthread_mutex_init(&k->lock, NULL);
    pthread_mutex_init(&k->round, NULL);
    pthread_cond_init(&k->rung, NULL);
    k->room = UINT64_MAX;
    k->kept = (struct kept){ k, ring, room, state, queue, read_queue, read_retries };
    return k;
}

static void list_free(struct list *l)
{
    list_remove(l, 0, l->count);
    free(l->blobs);
}

void memkeep_close(struct memkeep **keep_)
{
    struct memkeep *k = *keep_;
    uint32_t i;

    for (i = 0; i < k->piece_count; i++)
        list_free(&k->pieces[i]);
    for (i = 0; i < k->queue_count; i++)
        list_free(&k->queues[i]);
    list_free(&k->letters);
    kept_group_free(&k->group);
    pthread_mutex_destroy(&k->lock);
    pthread_mutex_destroy(&k->round);
    pthread_cond_destroy(&k->rung);
    free(k);
    *keep_ = NULL;
}

const struct kept *memkeep_kept(struct memkeep *k)
{
    return &k->kept;
}

void memkeep_begin(struct memkeep *k, struct flow *flow, uint64_t dies_at, bool torn)
{
    k->flow = flow;
    k->dies_at = dies_at;
    k->torn = torn;
    k->run_commits = 0;
    k->ends = k->dead = false;
    k->running = pthread_create(&k->thread, NULL, keep, k) == 0;
}

void memkeep_flow(void *keep_, struct flow *flow)
{
    struct memkeep *k = keep_;

    pthread_mutex_lock(&k->round);
    k->flow = flow;
    pthread_mutex_unlock(&k->round);
    if (flow)
        ring(k);
}

void memkeep_end(struct memkeep *k)
{
    if (!k->running)
        return;
    pthread_mutex_lock(&k->lock);
    k->ends = true;
    pthread_cond_signal(&k->rung);
    pthread_mutex_unlock(&k->lock);
    pthread_join(k->thread, NULL);
    k->running = false;
}

bool memkeep_died(const struct memkeep *k)
{
    return k->dead;
}

bool memkeep_finished(struct memkeep *k)
{
    const struct list *run = piece_of(k, "run");

    return run->count > 0 && run->blobs[0].bytes[1] != 0;
}

void memkeep_room(struct memkeep *k, uint64_t left)
{
    pthread_mutex_lock(&k->lock);
    k->room = left;
    pthread_mutex_unlock(&k->lock);
}

struct memkeep_figures memkeep_figures(struct memkeep *k)
{
    struct memkeep_figures figures;
    uint32_t i;

    pthread_mutex_lock(&k->lock);
    figures = k->figures;
    figures.records = 0;
    for (i = 0; i < k->queue_count; i++)
        figures.records += k->queues[i].count;
    figures.letters = k->letters.count;
    pthread_mutex_unlock(&k->lock);
    return figures;
}

const void *memkeep_letter(struct memkeep *k, uint64_t index, size_t *ret_size)
{
    *ret_size = k->letters.blobs[index].size;
    return k->letters.blobs[index].bytes;
}
