/* SPDX-License-Identifier: Apache-2.0
 *
 * files.c - see files.h. */
#include "recording/files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Not O_NOFOLLOW: data folders of links into a store are common. O_NONBLOCK: a
 * fifo under a file's name must not stop the pipeline. */
int file_open(int folder, const char *prefix, const char *name, uint64_t *ret_size)
{
    char path[PATH_MAX];
    struct stat st;
    int fd, n;

    n = snprintf(path, sizeof path, "%s%s", prefix, name);
    if (n < 0 || (size_t)n >= sizeof path)
        return -ENAMETOOLONG;
    fd = openat(folder, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return -errno;
    if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
        (void)close(fd);
        return -EINVAL;
    }
    *ret_size = (uint64_t)st.st_size;
    return fd;
}

int folder_open(const char *path)
{
    const char *slash = strrchr(path, '/');
    char folder[PATH_MAX];
    size_t n = slash ? (size_t)(slash - path) + 1 : 0;

    if (n >= sizeof folder) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(folder, path, n);
    folder[n] = 0;
    return open(n ? folder : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
}

ssize_t file_get(int fd, uint64_t offset, void *to, size_t size)
{
    size_t have = 0;

    while (have < size) {
        ssize_t got = pread(fd, (char *)to + have, size - have, (off_t)(offset + have));

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        have += (size_t)got;
    }
    return (ssize_t)have;
}
