/* SPDX-License-Identifier: Apache-2.0
 *
 * desk.c - see desk.h. */
#include "desk.h"

#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define SICK_NS INT64_C(5000000000)

/* ---- opening ---- */

bool desk_open(struct desk *d, const struct aff_host *host, const struct config *c)
{
    memset(d, 0, sizeof *d);
    d->host = host;
    d->count = (uint32_t)c->max_connections;
    TAILQ_INIT(&d->queue);
    TAILQ_INIT(&d->answered);
    d->lane_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    d->door_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    d->has_lock = pthread_mutex_init(&d->lock, NULL) == 0;
    d->requests = host->alloc(host, d->count * sizeof *d->requests);
    d->arena.spans = host->alloc(host, d->count * sizeof *d->arena.spans);
    d->arena.base = host->alloc(host, (size_t)c->buffer);
    d->arena.most = d->count;
    d->arena.size = (size_t)c->buffer;
    return d->lane_fd >= 0 && d->door_fd >= 0 && d->has_lock && d->requests && d->arena.spans && d->arena.base;
}

void desk_close(struct desk *d)
{
    void *const memory[] = { d->requests, d->arena.spans, d->arena.base };
    size_t i;

    if (!d->host)
        return;
    for (i = 0; i < sizeof memory / sizeof memory[0]; i++)
        if (memory[i])
            d->host->free(d->host, memory[i]);
    if (d->has_lock)
        (void)pthread_mutex_destroy(&d->lock);
    if (d->lane_fd >= 0)
        (void)close(d->lane_fd);
    if (d->door_fd >= 0)
        (void)close(d->door_fd);
    d->host = NULL;
}

/* ---- under the lock ---- */

static void memory_give(struct desk *d, struct request *r)
{
    if (r->memory)
        arena_give(&d->arena, r->memory);
    r->memory = NULL;
}

static void let_go(struct desk *d, struct request *r)
{
    memory_give(d, r);
    r->state = REQUEST_FREE;
}

/* ---- of the server's thread ---- */

struct request *desk_begin(struct desk *d, size_t room)
{
    struct request *r = NULL;
    char *memory;
    uint32_t i;

    pthread_mutex_lock(&d->lock);
    for (i = 0; i < d->count && !r; i++)
        if (d->requests[i].state == REQUEST_FREE)
            r = &d->requests[i];
    memory = r ? arena_take(&d->arena, room) : NULL;
    if (memory) {
        memset(r, 0, sizeof *r);
        r->state = REQUEST_OPEN;
        r->memory = memory;
        r->room = room;
    }
    pthread_mutex_unlock(&d->lock);
    return memory ? r : NULL;
}

void desk_shrink(struct desk *d, struct request *r)
{
    pthread_mutex_lock(&d->lock);
    arena_shrink(&d->arena, r->memory, r->used);
    pthread_mutex_unlock(&d->lock);
}

void desk_queue(struct desk *d, struct request *r)
{
    pthread_mutex_lock(&d->lock);
    r->state = REQUEST_QUEUED;
    TAILQ_INSERT_TAIL(&d->queue, r, link);
    d->queued++;
    pthread_mutex_unlock(&d->lock);
    net_ring(d->lane_fd);
}

void desk_drop(struct desk *d, struct request *r)
{
    pthread_mutex_lock(&d->lock);
    let_go(d, r);
    pthread_mutex_unlock(&d->lock);
}

void *desk_next_answer(struct desk *d, struct answer *ret_answer)
{
    struct request *r;
    void *talk = NULL;

    pthread_mutex_lock(&d->lock);
    r = TAILQ_FIRST(&d->answered);
    if (r) {
        TAILQ_REMOVE(&d->answered, r, link);
        talk = r->talk;
        *ret_answer = r->answer;
        let_go(d, r);
    }
    pthread_mutex_unlock(&d->lock);
    return talk;
}

/* What the node has it goes on with, and gives back by itself. */
static void give_up(struct desk *d, struct request *r)
{
    if (r->state == REQUEST_TAKEN) {
        r->is_gone = true;
        return;
    }
    TAILQ_REMOVE(&d->queue, r, link);
    d->queued--;
    let_go(d, r);
}

void *desk_next_late(struct desk *d, int64_t now_ns, bool all, int64_t *ret_next_ns)
{
    void *talk = NULL;
    uint32_t i;

    *ret_next_ns = INT64_MAX;
    pthread_mutex_lock(&d->lock);
    for (i = 0; i < d->count && !talk; i++) {
        struct request *r = &d->requests[i];

        if ((r->state != REQUEST_QUEUED && r->state != REQUEST_TAKEN) || r->is_gone)
            continue;
        if (all || r->due_ns <= now_ns) {
            talk = r->talk;
            give_up(d, r);
        } else if (r->due_ns < *ret_next_ns) {
            *ret_next_ns = r->due_ns;
        }
    }
    pthread_mutex_unlock(&d->lock);
    return talk;
}

bool desk_is_healthy(struct desk *d, int64_t now_ns)
{
    bool healthy = true;
    uint32_t i;

    pthread_mutex_lock(&d->lock);
    for (i = 0; i < d->count && healthy; i++) {
        const struct request *r = &d->requests[i];

        healthy = (r->state != REQUEST_QUEUED && r->state != REQUEST_TAKEN) || now_ns - r->since_ns < SICK_NS;
    }
    pthread_mutex_unlock(&d->lock);
    return healthy;
}

/* ---- of the node ---- */

struct request *desk_take(struct desk *d)
{
    struct request *r;

    pthread_mutex_lock(&d->lock);
    r = TAILQ_FIRST(&d->queue);
    if (r) {
        TAILQ_REMOVE(&d->queue, r, link);
        d->queued--;
        d->taken++;
        r->state = REQUEST_TAKEN;
    }
    pthread_mutex_unlock(&d->lock);
    return r;
}

void desk_passed_on(struct desk *d, struct request *r)
{
    pthread_mutex_lock(&d->lock);
    memory_give(d, r);
    pthread_mutex_unlock(&d->lock);
}

void desk_answer(struct desk *d, struct request *r)
{
    pthread_mutex_lock(&d->lock);
    d->taken--;
    if (r->is_gone) {
        let_go(d, r);
    } else {
        memory_give(d, r);
        r->state = REQUEST_ANSWERED;
        TAILQ_INSERT_TAIL(&d->answered, r, link);
    }
    pthread_mutex_unlock(&d->lock);
    net_ring(d->door_fd);
}

struct desk_counts desk_look(struct desk *d, uint32_t *ret_waiting)
{
    struct desk_counts counts;

    pthread_mutex_lock(&d->lock);
    counts = d->counts;
    *ret_waiting = d->queued + d->taken;
    pthread_mutex_unlock(&d->lock);
    return counts;
}
