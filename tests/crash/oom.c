/* oom.c - makes the Nth allocation of a process fail (LD_PRELOAD).
 *
 * CRASH_OOM_AT: which one, counted from the process's beginning; CRASH_OOM_FOR: how
 * many in a row (1 by default). CRASH_OOM_SIDE: a file of two numbers, how many
 * allocations there were and how many failed. CRASH_OOM_TRACE: who asked for the first
 * that failed goes to stderr, and, behind a line of its own, where the process aborts or
 * faults, if it does. Only the first process that has it in its environment is watched.
 *
 * Not here: mmap; what the kernel refuses. */
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SHOWN __attribute__((visibility("default")))

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

struct side {
    _Atomic uint64_t calls;
    _Atomic uint64_t failed;
};

static struct side nowhere;
static struct side *side = &nowhere;
static uint64_t from, below;
static bool traces;
static pid_t process;

static void side_open(const char *path)
{
    int fd = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
    void *map;

    if (fd < 0)
        return;
    if (ftruncate(fd, 4096) == 0) {
        map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (map != MAP_FAILED)
            side = map;
    }
    (void)close(fd);
}

static void trace(void)
{
    void *frames[24];

    backtrace_symbols_fd(frames, backtrace(frames, 24), STDERR_FILENO);
}

/* Who uses what it was not given faults. An exception that nobody catches ends the process
 * where it was thrown, or in the function that promised to throw none: whose that is tells
 * whose fault it is. */
static void on_abort(int number)
{
    static const char line[] = "aborts here:\n";

    (void)number;
    if (process != getpid())
        return;
    (void)!write(STDERR_FILENO, line, sizeof line - 1u);
    trace();
}

static void traces_open(void)
{
    struct sigaction action = { .sa_handler = on_abort, .sa_flags = (int)SA_RESETHAND };

    (void)backtrace(&(void *){ NULL }, 1); /* loads what it needs now */
    (void)sigaction(SIGABRT, &action, NULL);
    (void)sigaction(SIGSEGV, &action, NULL);
}

__attribute__((constructor)) static void oom_begin(void)
{
    const char *at = getenv("CRASH_OOM_AT"), *times = getenv("CRASH_OOM_FOR");

    if (!at || getenv("CRASH_OOM_PROCESS"))
        return;
    (void)setenv("CRASH_OOM_PROCESS", "1", 1);
    side_open(getenv("CRASH_OOM_SIDE"));
    traces = getenv("CRASH_OOM_TRACE") != NULL;
    if (traces)
        traces_open();
    process = getpid();
    below = strtoull(at, NULL, 10) + (times ? strtoull(times, NULL, 10) : 1u);
    from = strtoull(at, NULL, 10);
}

static bool fails(void)
{
    uint64_t turn;

    if (!process || process != getpid())
        return false;
    turn = ++side->calls;
    if (!from || turn < from || turn >= below)
        return false;
    side->failed++;
    if (traces && turn == from)
        trace();
    errno = ENOMEM;
    return true;
}

SHOWN void *malloc(size_t size)
{
    return fails() ? NULL : __libc_malloc(size);
}

SHOWN void *calloc(size_t count, size_t size)
{
    return fails() ? NULL : __libc_calloc(count, size);
}

SHOWN void *realloc(void *memory, size_t size)
{
    return fails() ? NULL : __libc_realloc(memory, size);
}

SHOWN void *memalign(size_t alignment, size_t size)
{
    return fails() ? NULL : __libc_memalign(alignment, size);
}

SHOWN void *aligned_alloc(size_t alignment, size_t size)
{
    return fails() ? NULL : __libc_memalign(alignment, size);
}

SHOWN int posix_memalign(void **ret_memory, size_t alignment, size_t size)
{
    void *memory = fails() ? NULL : __libc_memalign(alignment, size);

    if (!memory)
        return ENOMEM;
    *ret_memory = memory;
    return 0;
}
