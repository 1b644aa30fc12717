/* bell.c - sleeping and waking of lanes. See bell.h. */
#include "flow/bell.h"

#include <linux/membarrier.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static bool fence_everybody(int command)
{
    return syscall(SYS_membarrier, command, 0, 0) == 0;
}

bool bell_open(struct bell *bell)
{
    atomic_init(&bell->asleep, 0);
    bell->light = fence_everybody(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED);
    bell->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return bell->fd >= 0;
}

void bell_close(struct bell *bell)
{
    if (bell->fd >= 0)
        close(bell->fd);
    bell->fd = -1;
}

void bell_prepare(struct bell *bell)
{
    atomic_exchange_explicit(&bell->asleep, 1, memory_order_acq_rel);
    if (bell->light)
        fence_everybody(MEMBARRIER_CMD_PRIVATE_EXPEDITED); /* registered: cannot fail */
}

void bell_cancel(struct bell *bell)
{
    atomic_store_explicit(&bell->asleep, 0, memory_order_relaxed);
}

void bell_poll(struct bell *bell, struct pollfd *polls, uint32_t count, int64_t timeout_ns)
{
    struct timespec limit = { timeout_ns / 1000000000, timeout_ns % 1000000000 };
    uint64_t rings;

    polls[0] = (struct pollfd){ .fd = bell->fd, .events = POLLIN };
    if (ppoll(polls, count, timeout_ns < 0 ? NULL : &limit, NULL) > 0 && polls[0].revents) {
        /* Only empties the counter: what happened is read from memory. */
        ssize_t got = read(bell->fd, &rings, sizeof rings);
        (void)got;
    }
    atomic_store_explicit(&bell->asleep, 0, memory_order_relaxed);
}

void bell_wait(struct bell *bell, int64_t timeout_ns)
{
    struct pollfd polls[1];

    bell_poll(bell, polls, 1, timeout_ns);
}

void bell_strike(struct bell *bell)
{
    uint64_t one = 1;

    /* Release: a sleeper that comes in between and reads this 0 instead of being
     * woken sees what was published. */
    if (atomic_exchange_explicit(&bell->asleep, 0, memory_order_acq_rel)) {
        /* Fails only when the counter is full, and then the lane wakes anyway. */
        ssize_t put = write(bell->fd, &one, sizeof one);
        (void)put;
    }
}
