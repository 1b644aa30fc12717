/* epoch.c - see epoch.h. */
#include "flow/epoch.h"

#include <stdlib.h>
#include <string.h>

bool epochs_open(struct epochs *e, uint32_t lane_count)
{
    uint32_t i;

    memset(e, 0, sizeof *e);
    e->lane_count = lane_count;
    e->done = calloc(lane_count, sizeof *e->done);
    e->is_of = calloc(lane_count, sizeof *e->is_of);
    if (!e->done || !e->is_of)
        return false;
    for (i = 0; i < lane_count; i++)
        e->done[i] = UINT64_MAX;
    atomic_init(&e->cut, EPOCH_FIRST);
    atomic_init(&e->complete, EPOCH_FIRST);
    atomic_init(&e->committed, EPOCH_FIRST);
    e->opened = pthread_mutex_init(&e->lock, NULL) == 0;
    return e->opened;
}

void epochs_close(struct epochs *e)
{
    if (e->opened)
        pthread_mutex_destroy(&e->lock);
    free(e->done);
    free(e->is_of);
    e->done = NULL;
    e->is_of = NULL;
    e->opened = false;
}

void epochs_begin(struct epochs *e, uint64_t epoch)
{
    uint32_t i;

    for (i = 0; i < e->lane_count; i++)
        if (e->is_of[i])
            e->done[i] = epoch;
    atomic_store(&e->cut, epoch);
    atomic_store(&e->complete, epoch);
    atomic_store(&e->committed, epoch);
    atomic_store(&e->stirred, 0);
}

void epochs_join(struct epochs *e, uint32_t lane)
{
    e->done[lane] = EPOCH_FIRST;
    e->is_of[lane] = true;
}

static bool raise_above(_Atomic uint64_t *number, uint64_t epoch)
{
    uint64_t now = atomic_load_explicit(number, memory_order_relaxed);

    while (now <= epoch)
        if (atomic_compare_exchange_weak(number, &now, epoch + 1u))
            return true;
    return false;
}

bool epochs_cut(struct epochs *e, uint64_t epoch)
{
    return raise_above(&e->cut, epoch);
}

bool epochs_stir(struct epochs *e, uint64_t epoch)
{
    return raise_above(&e->stirred, epoch);
}

static uint64_t lowest(const struct epochs *e)
{
    uint64_t low = UINT64_MAX;
    uint32_t i;

    for (i = 0; i < e->lane_count; i++)
        if (e->done[i] < low)
            low = e->done[i];
    return low;
}

bool epochs_done(struct epochs *e, uint32_t lane, uint64_t below)
{
    uint64_t from, to;

    pthread_mutex_lock(&e->lock);
    e->done[lane] = below;
    from = atomic_load_explicit(&e->complete, memory_order_relaxed);
    to = lowest(e);
    /* All are through for good: with all that was ever cut, for each head cuts its
     * last epoch. */
    if (to == UINT64_MAX)
        to = atomic_load_explicit(&e->cut, memory_order_acquire);
    if (to > from)
        atomic_store_explicit(&e->complete, to, memory_order_release);
    pthread_mutex_unlock(&e->lock);
    return to > from;
}

bool epochs_over(struct epochs *e)
{
    bool over;

    pthread_mutex_lock(&e->lock);
    over = lowest(e) == UINT64_MAX;
    pthread_mutex_unlock(&e->lock);
    return over;
}
