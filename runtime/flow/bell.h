/* bell.h - how a lane sleeps, and how others wake it.
 *
 * A lane sleeps on an eventfd. Who publishes something that it may wait for
 * (records, room, a commit) rings; ringing a bell whose lane is awake costs one
 * load. The classic race, "publish, then look whether the reader sleeps" against
 * "say that I sleep, then look once more", needs a full fence on both sides;
 * membarrier(2) lets the sleeper, who has time, execute it for both. Where the
 * kernel lacks it, both sides change the flag by one atomic operation: whoever
 * comes second sees what the first had published.
 *
 * Protocol of the sleeper: bell_prepare; look once more; then bell_cancel (there
 * is work) or bell_wait. */
#ifndef AFFERENT_FLOW_BELL_H
#define AFFERENT_FLOW_BELL_H

#include <poll.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct bell {
    _Atomic uint32_t asleep;
    int fd;
    bool light; /* membarrier works: the ringer needs no fence */
};

/* [control] False: errno says why. */
bool bell_open(struct bell *bell);
void bell_close(struct bell *bell);

void bell_prepare(struct bell *bell);
void bell_cancel(struct bell *bell);
/* Sleeps until somebody rings or for `timeout_ns`; negative: until rung. */
void bell_wait(struct bell *bell, int64_t timeout_ns);
/* The same, and until one of polls[1] to polls[count - 1] is ready; polls[0] is written here. */
void bell_poll(struct bell *bell, struct pollfd *polls, uint32_t count, int64_t timeout_ns);

void bell_strike(struct bell *bell); /* the slow half of bell_ring */

/* [any] Wakes the bell's lane if it sleeps. What it shall see must have been
 * published before (release or stronger). */
static inline void bell_ring(struct bell *bell)
{
    uint32_t asleep;

    if (bell->light) {
        atomic_signal_fence(memory_order_seq_cst);
        asleep = atomic_load_explicit(&bell->asleep, memory_order_relaxed);
    } else {
        asleep = atomic_fetch_or_explicit(&bell->asleep, 0, memory_order_acq_rel);
    }
    if (asleep)
        bell_strike(bell);
}

#endif
