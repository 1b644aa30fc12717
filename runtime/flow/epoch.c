/* epoch.c - see epoch.h. */
#include "flow/epoch.h"

#include <stdlib.h>
#include <string.h>

bool epochs_open(struct epochs *e, uint32_t lane_count)
{
    memset(e, 0, sizeof *e);
    e->lane_count = lane_count;
    e->done = calloc(lane_count, sizeof *e->done);
    return e->done && pthread_mutex_init(&e->lock, NULL) == 0;
}

void epochs_close(struct epochs *e)
{
    if (e->done)
        pthread_mutex_destroy(&e->lock);
    free(e->done);
    e->done = NULL;
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

/* What all lanes are done with. When all are through for good, that is all that was
 * ever cut: each source cuts its last epoch. */
static uint64_t done_by_all(const struct epochs *e)
{
    uint64_t low = UINT64_MAX;
    uint32_t i;

    for (i = 0; i < e->lane_count; i++)
        if (e->done[i] < low)
            low = e->done[i];
    if (low == UINT64_MAX)
        low = atomic_load_explicit(&e->cut, memory_order_relaxed);
    return low;
}

bool epochs_done(struct epochs *e, uint32_t lane, uint64_t below,
                 void (*on_commit)(void *arg, uint64_t epoch), void *arg)
{
    uint64_t from, to, epoch;

    pthread_mutex_lock(&e->lock);
    e->done[lane] = below;
    from = atomic_load_explicit(&e->committed, memory_order_relaxed);
    to = done_by_all(e);
    for (epoch = from; epoch < to; epoch++)
        on_commit(arg, epoch);
    if (to > from)
        atomic_store_explicit(&e->committed, to, memory_order_release);
    pthread_mutex_unlock(&e->lock);
    return to > from;
}
