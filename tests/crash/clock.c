/* clock.c - a wall clock that jumps (LD_PRELOAD).
 *
 * CRASH_CLOCK names a file of 8 bytes, nanoseconds that are added to the wall
 * clock; whoever writes to it makes the clock jump in all processes that map it.
 * Boot clock and monotonic clock go on: they never jump. */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define SHOWN __attribute__((visibility("default")))
#define SECOND INT64_C(1000000000)

static _Atomic int64_t *offset;

__attribute__((constructor)) static void clock_begin(void)
{
    const char *path = getenv("CRASH_CLOCK");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    void *map;

    if (fd < 0)
        return;
    map = mmap(NULL, sizeof *offset, PROT_READ, MAP_SHARED, fd, 0);
    if (map != MAP_FAILED)
        offset = map;
    (void)close(fd);
}

SHOWN int clock_gettime(clockid_t id, struct timespec *ret_time)
{
    int64_t ns, seconds;
    int st = (int)syscall(SYS_clock_gettime, id, ret_time);

    if (st || !offset || (id != CLOCK_REALTIME && id != CLOCK_REALTIME_COARSE))
        return st;
    ns = ret_time->tv_nsec + *offset % SECOND;
    seconds = *offset / SECOND + (ns < 0 ? -1 : ns / SECOND);
    ret_time->tv_sec += (time_t)seconds;
    ret_time->tv_nsec = (long)((ns % SECOND + SECOND) % SECOND);
    return 0;
}

SHOWN int gettimeofday(struct timeval *restrict ret_time, void *restrict zone)
{
    struct timespec now;

    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &now))
        return -1;
    ret_time->tv_sec = now.tv_sec;
    ret_time->tv_usec = now.tv_nsec / 1000;
    return 0;
}

SHOWN time_t time(time_t *ret_time)
{
    struct timespec now = { 0, 0 };

    (void)clock_gettime(CLOCK_REALTIME, &now);
    if (ret_time)
        *ret_time = now.tv_sec;
    return now.tv_sec;
}
