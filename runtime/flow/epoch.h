/* epoch.h - when an epoch is cut, and when all lanes are done with it.
 *
 * One number for the pipeline: a source that has data older than commit_every,
 * or enough of it, asks for a cut; all sources then end the epoch. Each lane
 * reports when it is done with an epoch (its sinks synced); an epoch is
 * committed when every lane is. An epoch without a record is not cut.
 *
 * Not here: how the end travels (edge.h), what is stored at a commit. */
#ifndef AFFERENT_FLOW_EPOCH_H
#define AFFERENT_FLOW_EPOCH_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct epochs {
    _Atomic uint64_t cut;       /* epochs below this one are to be ended */
    _Atomic uint64_t committed; /* epochs below this one are safe */
    _Atomic uint64_t stirred;   /* in the epoch below this one a timer made records */
    pthread_mutex_t lock;
    uint64_t *done; /* by lane: done with all below */
    uint32_t lane_count;
};

/* [control] */
bool epochs_open(struct epochs *epochs, uint32_t lane_count);
void epochs_close(struct epochs *epochs);

/* [data] Asks that `epoch` be ended everywhere. True: this call was the first. */
bool epochs_cut(struct epochs *epochs, uint64_t epoch);

/* [data] Something was made in `epoch` without a source: it is to be cut in time.
 * True: this call was the first. */
bool epochs_stir(struct epochs *epochs, uint64_t epoch);

static inline bool epochs_is_stirred(const struct epochs *epochs, uint64_t epoch)
{
    return atomic_load_explicit(&epochs->stirred, memory_order_acquire) > epoch;
}

static inline bool epochs_is_cut(const struct epochs *epochs, uint64_t epoch)
{
    return atomic_load_explicit(&epochs->cut, memory_order_acquire) > epoch;
}

static inline uint64_t epochs_committed(const struct epochs *epochs)
{
    return atomic_load_explicit(&epochs->committed, memory_order_acquire);
}

/* [data] The lane is done with all epochs below `below` (UINT64_MAX: with all
 * there will be). For each epoch that this completes `on_commit` is called, in
 * order, under the lock, before `committed` says so. True: some were. */
bool epochs_done(struct epochs *epochs, uint32_t lane, uint64_t below,
                 void (*on_commit)(void *arg, uint64_t epoch), void *arg);

#endif
