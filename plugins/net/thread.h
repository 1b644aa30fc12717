/* SPDX-License-Identifier: Apache-2.0
 *
 * thread.h - what plugins with a thread of their own share: its start, its lock, its clock,
 * and waits that are not the same on every node of a ward.
 *
 * Not here: what a thread does, and when it ends. */
#ifndef NET_THREAD_H
#define NET_THREAD_H

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

#define NET_MS INT64_C(1000000)
#define NET_SECOND (1000 * NET_MS)

/* [any] ns; never jumps. */
static inline int64_t net_clock(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * NET_SECOND + now.tv_nsec;
}

/* [any] So many ns from now, as a condition of net_lock_open waits for it. */
static inline struct timespec net_after(int64_t ns)
{
    int64_t at = net_clock() + ns;

    return (struct timespec){ (time_t)(at / NET_SECOND), (long)(at % NET_SECOND) };
}

/* [control] False: no memory, and nothing to close. */
static inline bool net_lock_open(pthread_mutex_t *lock, pthread_cond_t *changed)
{
    pthread_condattr_t how;
    bool made = false;

    if (pthread_mutex_init(lock, NULL) != 0)
        return false;
    if (pthread_condattr_init(&how) == 0) {
        made = pthread_condattr_setclock(&how, CLOCK_MONOTONIC) == 0 && pthread_cond_init(changed, &how) == 0;
        (void)pthread_condattr_destroy(&how);
    }
    if (!made)
        (void)pthread_mutex_destroy(lock);
    return made;
}

static inline void net_lock_close(pthread_mutex_t *lock, pthread_cond_t *changed)
{
    (void)pthread_cond_destroy(changed);
    (void)pthread_mutex_destroy(lock);
}

/* [control][data] Signals are the host's: the thread gets none, from its first instruction
 * on. False: it could not be made. */
static inline bool net_thread_start(pthread_t *thread, void *(*run)(void *), void *self)
{
    sigset_t all, before;
    bool made;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    made = pthread_create(thread, NULL, run, self) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return made;
}

/* [any] Rings an eventfd; one that is full rings already. */
static inline void net_ring(int fd)
{
    uint64_t one = 1;

    while (write(fd, &one, sizeof one) < 0 && errno == EINTR)
        continue;
}

/* [any] An eventfd of EFD_NONBLOCK is silent again. */
static inline void net_hush(int fd)
{
    uint64_t rung;

    while (read(fd, &rung, sizeof rung) < 0 && errno == EINTR)
        continue;
}

/* [any] The next of waits that double from `first` to `last`; 0: there was none. */
static inline int64_t net_wait_longer(int64_t wait_ns, int64_t first_ns, int64_t last_ns)
{
    return wait_ns == 0 ? first_ns : wait_ns >= last_ns / 2 ? last_ns : wait_ns * 2;
}

/* [any] Less up to a quarter, so that the nodes of a ward don't come back in one moment.
 * `random`: not 0, the caller's; Marsaglia 2003, xorshift64. At least 4 ns. */
static inline int64_t net_less_by_chance(uint64_t *random, int64_t ns)
{
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    return ns - (int64_t)(*random % (uint64_t)(ns / 4));
}

#endif
