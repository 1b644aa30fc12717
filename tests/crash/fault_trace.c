/* fault_trace.c - records what was done to files, for states after a power cut.
 *
 * One entry an operation, in the order they were done: a line of text, ended by a
 * line feed, and behind a `data` line as many bytes as it says. power_cut.py reads
 * it. Nothing here is done under a fault: a process that is recorded lives on.
 *
 *     data OFFSET BYTES SAFE PATH      SAFE 1: written and synced in one (O_DSYNC)
 *     sync RESULT PATH                 create|unlink|mkdir|rmdir 0 PATH
 *     truncate SIZE PATH               rename 0 PATH<tab>PATH */
#include "fault.h"

#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int trace = -1;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void trace_open(const char *path)
{
    if (path && *path)
        trace = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

bool trace_is_on(void)
{
    return trace >= 0 && fault_is_on();
}

void trace_lock(void)
{
    if (trace_is_on())
        pthread_mutex_lock(&lock);
}

void trace_unlock(void)
{
    if (trace_is_on())
        pthread_mutex_unlock(&lock);
}

static void put(const void *bytes, size_t size)
{
    const char *at = bytes;

    while (size) {
        ssize_t n = syscall(SYS_write, trace, at, size);

        if (n <= 0)
            return;
        at += n;
        size -= (size_t)n;
    }
}

void trace_data(const char *path, int64_t offset, const struct iovec *parts, int count, int64_t bytes, bool is_safe)
{
    char line[PATH_MAX + 96];

    if (!trace_is_on() || bytes <= 0)
        return;
    put(line, (size_t)snprintf(line, sizeof line, "data %" PRId64 " %" PRId64 " %d %s\n", offset, bytes, is_safe, path));
    for (int i = 0; i < count && bytes > 0; i++) {
        int64_t n = (int64_t)parts[i].iov_len < bytes ? (int64_t)parts[i].iov_len : bytes;

        put(parts[i].iov_base, (size_t)n);
        bytes -= n;
    }
}

void trace_note(const char *what, const char *path, const char *other, int64_t number)
{
    char line[2 * PATH_MAX + 96];

    if (!trace_is_on())
        return;
    put(line, (size_t)snprintf(line, sizeof line, "%s %" PRId64 " %s%s%s\n", what, number, path, other ? "\t" : "",
                               other ? other : ""));
}
