/* epoch.h - when an epoch is cut, and when all lanes are done with it.
 *
 * One number for each commit domain, from 1: a head (a source, or a node behind a
 * queue) that has data older than commit_every, or enough of it, asks for a cut; all
 * heads then end the epoch. Each lane reports when it is done with an epoch (its
 * sinks synced, all answers in); an epoch is complete when every lane is, and
 * committed when what it left is safe (commit.c). An epoch without a record is not
 * cut.
 *
 * Not here: how the end travels (edge.h), what is stored at a commit (commit.c). */
#ifndef AFFERENT_FLOW_EPOCH_H
#define AFFERENT_FLOW_EPOCH_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    EPOCH_FIRST = 1,
    EPOCH_NOTES = 16 /* more than are in flight: that of the last commit stays */
};

struct epochs {
    _Atomic uint64_t cut;       /* epochs below this one are to be ended */
    _Atomic uint64_t complete;  /* with epochs below this one all lanes are done */
    _Atomic uint64_t committed; /* epochs below this one are safe */
    _Atomic uint64_t stirred;   /* in the epoch below this one a timer made records */
    pthread_mutex_t lock;
    uint64_t *done; /* by lane: done with all below; lanes of other domains: UINT64_MAX */
    bool *is_of;    /* by lane: of this domain */
    uint32_t lane_count;
    bool opened;
};

/* [control] */
bool epochs_open(struct epochs *epochs, uint32_t lane_count);
void epochs_close(struct epochs *epochs);
/* [control, no lane runs] Goes on at `epoch`; all before is safe, or did not happen. */
void epochs_begin(struct epochs *epochs, uint64_t epoch);
/* [control] The lane is of this domain. */
void epochs_join(struct epochs *epochs, uint32_t lane);

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

static inline uint64_t epochs_complete(const struct epochs *epochs)
{
    return atomic_load_explicit(&epochs->complete, memory_order_acquire);
}

static inline uint64_t epochs_committed(const struct epochs *epochs)
{
    return atomic_load_explicit(&epochs->committed, memory_order_acquire);
}

static inline void epochs_commit(struct epochs *epochs, uint64_t below)
{
    atomic_store_explicit(&epochs->committed, below, memory_order_release);
}

/* [data] The lane is done with all epochs below `below` (UINT64_MAX: with all there
 * will be). True: that completes at least one. */
bool epochs_done(struct epochs *epochs, uint32_t lane, uint64_t below);
/* [any] Whether all lanes are done with all there will be. */
bool epochs_over(struct epochs *epochs);

#endif
