/* store_faults.c - a disk that fails when it is told to. See store_faults.h. */
#include "store_faults.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define SEEN __attribute__((visibility("default")))

enum { UNDO_MOST = 65536 };

/* What stood where something was written since the last sync. */
struct undo {
    int fd;
    off_t at;
    size_t size, had;
    uint8_t *bytes;
};

/* Tests set a plan while other threads write. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct fault plan;
static atomic_llong calls;
static pid_t owner; /* who is to be killed: not its children */
static struct undo undos[UNDO_MOST];
static int undo_count;

SEEN ssize_t pwrite(int fd, const void *bytes, size_t size, off_t at);
SEEN ssize_t pwrite64(int fd, const void *bytes, size_t size, off_t at);
SEEN ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at);
SEEN ssize_t pwritev64(int fd, const struct iovec *parts, int count, off_t at);
SEEN int fdatasync(int fd);
SEEN int fsync(int fd);
SEEN int rename(const char *from, const char *to);

static void undo_forget(void)
{
    while (undo_count > 0)
        free(undos[--undo_count].bytes);
}

void fault_set(const struct fault *fault)
{
    pthread_mutex_lock(&lock);
    undo_forget();
    plan = fault ? *fault : (struct fault){ 0 };
    owner = getpid();
    if (plan.last < plan.at)
        plan.last = plan.at;
    atomic_store(&calls, 0);
    pthread_mutex_unlock(&lock);
}

int64_t fault_calls(void)
{
    return atomic_load(&calls);
}

static bool is_turn(bool is_sync)
{
    int64_t number;

    if (!plan.kind || (plan.writes_only && is_sync) || (plan.syncs_only && !is_sync)) {
        if (!plan.kind)
            atomic_fetch_add(&calls, 1);
        return false;
    }
    number = atomic_fetch_add(&calls, 1) + 1;
    if (number < plan.at || number > plan.last)
        return false;
    if (plan.kind != FAULT_KILL)
        return true;
    if (getpid() == owner)
        kill(owner, SIGKILL);
    return false;
}

static void undo_note(int fd, off_t at, size_t size)
{
    struct undo *u = &undos[undo_count];
    ssize_t had;

    if (plan.kind != FAULT_REVERT || undo_count == UNDO_MOST)
        return;
    *u = (struct undo){ .fd = fd, .at = at, .size = size, .bytes = calloc(1, size ? size : 1) };
    if (!u->bytes)
        abort();
    /* A descriptor that only writes cannot be read here: its pages are left. */
    had = pread(fd, u->bytes, size, at);
    u->had = had > 0 ? (size_t)had : 0;
    if (had >= 0)
        undo_count++;
    else
        free(u->bytes);
}

static void undo_all(void)
{
    while (undo_count > 0) {
        struct undo *u = &undos[--undo_count];

        if (syscall(SYS_pwrite64, u->fd, u->bytes, u->size, u->at) < 0 && errno != EBADF)
            abort();
        free(u->bytes);
    }
}

static ssize_t bytes_write(int fd, const void *bytes, size_t size, off_t at)
{
    undo_note(fd, at, size);
    return syscall(SYS_pwrite64, fd, bytes, size, at);
}

static ssize_t failed(int fd, const void *bytes, size_t size, off_t at)
{
    if (plan.kind == FAULT_LATE && atomic_load(&calls) == plan.at)
        bytes_write(fd, bytes, size, at);
    if (plan.kind == FAULT_SHORT && size > 1)
        return bytes_write(fd, bytes, size / 2, at);
    errno = plan.error;
    return -1;
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t at)
{
    ssize_t done;

    pthread_mutex_lock(&lock);
    done = is_turn(false) ? failed(fd, bytes, size, at) : bytes_write(fd, bytes, size, at);
    pthread_mutex_unlock(&lock);
    return done;
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off_t at)
{
    return pwrite(fd, bytes, size, at);
}

static ssize_t parts_write(int fd, const struct iovec *parts, int count, off_t at)
{
    bool is_bad = is_turn(false);
    ssize_t all = 0;

    if (is_bad && (plan.kind != FAULT_SHORT || count < 1)) {
        errno = plan.error;
        return -1;
    }
    for (int i = 0; i < count; i++) {
        ssize_t done = is_bad ? failed(fd, parts[i].iov_base, parts[i].iov_len, at)
                              : bytes_write(fd, parts[i].iov_base, parts[i].iov_len, at);

        if (done < 0)
            return all ? all : done;
        all += done;
        at += done;
        if ((size_t)done < parts[i].iov_len || is_bad)
            return all;
    }
    return all;
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at)
{
    ssize_t done;

    pthread_mutex_lock(&lock);
    done = parts_write(fd, parts, count, at);
    pthread_mutex_unlock(&lock);
    return done;
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off_t at)
{
    return pwritev(fd, parts, count, at);
}

static int synced(int fd, long number)
{
    int error = 0;

    pthread_mutex_lock(&lock);
    if (is_turn(true)) {
        undo_all();
        error = plan.error;
    } else {
        undo_forget();
        error = syscall(number, fd) < 0 ? errno : 0;
    }
    pthread_mutex_unlock(&lock);
    errno = error;
    return error ? -1 : 0;
}

int fdatasync(int fd)
{
    return synced(fd, SYS_fdatasync);
}

int fsync(int fd)
{
    return synced(fd, SYS_fsync);
}

int rename(const char *from, const char *to)
{
    bool is_bad;

    pthread_mutex_lock(&lock);
    is_bad = is_turn(true);
    pthread_mutex_unlock(&lock);
    if (is_bad) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}
