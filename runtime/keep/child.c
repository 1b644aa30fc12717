/* child.c - a look at bytes in a process of its own. See child.h. */
#include "keep/child.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LEAST_MS = 30000, BYTES_PER_MS = 2000 };

void *child_memory(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    return memory == MAP_FAILED ? NULL : memory;
}

void child_memory_free(void *memory, size_t size)
{
    if (memory)
        munmap(memory, size);
}

int child_limit_ms(uint64_t bytes)
{
    uint64_t ms = LEAST_MS + bytes / BYTES_PER_MS;

    return ms > INT32_MAX ? INT32_MAX : (int)ms;
}

/* Handlers of the parent, and those of sanitizers, have no business here; nor have its
 * files: the store's lock would outlive a parent that is killed. */
static void limits_set(pid_t parent, int limit_ms)
{
    static const int signals[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGTERM, SIGINT, SIGHUP };
    struct rlimit none = { 0, 0 };
    struct rlimit seconds = { (rlim_t)limit_ms / 1000 + 1, (rlim_t)limit_ms / 1000 + 2 };
    sigset_t empty;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    close_range(STDERR_FILENO + 1, ~0u, 0);
    setrlimit(RLIMIT_CORE, &none);
    setrlimit(RLIMIT_CPU, &seconds);
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        signal(signals[i], SIG_DFL);
    sigemptyset(&empty);
    sigprocmask(SIG_SETMASK, &empty, NULL);
}

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* True: it ended by itself in time. Where there are no pidfds it is asked now and then. */
static bool end_wait(pid_t child, int limit_ms)
{
    int64_t end = now_ms() + limit_ms;
    int fd = (int)syscall(SYS_pidfd_open, child, 0);
    bool is_over = false;

    while (!is_over && now_ms() < end) {
        struct pollfd wait = { .fd = fd, .events = POLLIN };
        siginfo_t info = { 0 };

        poll(&wait, fd >= 0, fd >= 0 ? (int)(end - now_ms()) : 2);
        is_over = (waitid(P_PID, (id_t)child, &info, WEXITED | WNOHANG | WNOWAIT) < 0 && errno != EINTR) ||
                  info.si_pid == child;
    }
    if (fd >= 0)
        close(fd);
    return is_over;
}

enum child_end child_run(void (*job)(void *arg), void *arg, int limit_ms)
{
    atomic_int *done = child_memory(sizeof *done);
    pid_t parent = getpid(), child;
    enum child_end result;
    bool is_over;

    if (!done)
        return CHILD_NONE;
    child = fork();
    if (child == 0) {
        limits_set(parent, limit_ms);
        job(arg);
        atomic_store(done, 1);
        _exit(0);
    }
    if (child < 0) {
        child_memory_free(done, sizeof *done);
        return CHILD_NONE;
    }
    is_over = end_wait(child, limit_ms);
    if (!is_over)
        kill(child, SIGKILL);
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
        continue;
    result = atomic_load(done) ? CHILD_DONE : is_over ? CHILD_DIED : CHILD_LATE;
    child_memory_free(done, sizeof *done);
    return result;
}
