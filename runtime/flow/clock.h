/* clock.h - the time that the data path waits by.
 *
 * Real: the boot clock. Virtual, for tests: it stands still until a lane would
 * sleep, and then jumps to what the lane would have slept for.
 *
 * Not here: event time, which belongs to the data. */
#ifndef AFFERENT_FLOW_CLOCK_H
#define AFFERENT_FLOW_CLOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/timex.h>
#include <time.h>

#include <afferent/plugin.h>

struct clock {
    bool is_virtual;
    _Atomic int64_t virtual_ns;
};

static inline int64_t clock_real(clockid_t which)
{
    struct timespec t;

    clock_gettime(which, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* What the wall clock is worth: the kernel knows whether something keeps it right. */
static inline uint8_t clock_quality(const struct clock *clock)
{
    struct timex t = { 0 };

    if (clock->is_virtual)
        return AFF_CLOCK_DEVICE;
    return adjtimex(&t) >= 0 && !(t.status & STA_UNSYNC) ? AFF_CLOCK_SYNCED : AFF_CLOCK_DEVICE;
}

static inline int64_t clock_now(const struct clock *clock)
{
    if (clock->is_virtual)
        return atomic_load_explicit(&clock->virtual_ns, memory_order_relaxed);
    return clock_real(CLOCK_BOOTTIME);
}

static inline void clock_jump(struct clock *clock, int64_t to_ns)
{
    int64_t now = clock_now(clock);

    while (now < to_ns && !atomic_compare_exchange_weak(&clock->virtual_ns, &now, to_ns))
        continue;
}

#endif
