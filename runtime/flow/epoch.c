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

bool epochs_cut(struct epochs *e, uint64_t epoch)
{
    uint64_t cut = atomic_load_explicit(&e->cut, memory_order_relaxed);

    while (cut <= epoch)
        if (atomic_compare_exchange_weak(&e->cut, &cut, epoch + 1u))
            return true;
    return false;
}

/* What all lanes are done with; of lanes that are through for good only the
 * last epoch that was ever cut counts. */
static uint64_t done_by_all(const struct epochs *e)
{
    uint64_t low = UINT64_MAX;
    uint32_t i;

    for (i = 0; i < e->lane_count; i++)
        if (e->done[i] < low)
            low = e->done[i];
    if (low == UINT64_MAX) /* the last epoch was ended by the end itself */
        low = atomic_load_explicit(&e->cut, memory_order_relaxed) + 1u;
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
