/* pages.c - the memory that a host and its child share.
 *
 * Both memfds are sealed against any change of their size: a child that cut one
 * short would kill the host by SIGBUS. The host's is sealed against writing by
 * anybody who has not mapped it yet, and the host alone has.
 *
 * Not here: what is in them (page.h). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cell/inside.h"

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

static int memory_make(const char *name, uint64_t bytes)
{
    int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);

    if (fd < 0 && errno == EINVAL) /* before Linux 6.3 */
        fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd >= 0 && bytes > 0 && ftruncate(fd, (off_t)bytes) < 0) {
        int error = errno;

        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

/* A second descriptor, for reading only. */
static int reader_of(int fd)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return open(path, O_RDONLY | O_CLOEXEC);
}

/* Without the seal against writing (Linux before 5.1) the child has a descriptor for
 * reading, and may open no other for writing where its filter is in force. */
static int seal_host(int fd)
{
    const int size = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;

    if (fcntl(fd, F_ADD_SEALS, size | F_SEAL_FUTURE_WRITE) == 0)
        return 0;
    return fcntl(fd, F_ADD_SEALS, size) < 0 ? errno : 0;
}

static int host_make(struct pages *p)
{
    uint64_t bytes = HOST_IN_AT + p->in_bytes;
    int error, fd = memory_make("afferent-host", bytes);
    uint8_t *base;

    if (fd < 0)
        return errno;
    base = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    error = base == MAP_FAILED ? errno : 0;
    if (!error) {
        p->host = (struct host_page *)(void *)base;
        p->answer = base + HOST_ANSWER_AT;
        p->in = base + HOST_IN_AT;
        error = seal_host(fd);
        p->host_fd = error ? -1 : reader_of(fd);
        if (!error && p->host_fd < 0)
            error = errno;
    }
    close(fd);
    return error;
}

static int child_make(struct pages *p)
{
    uint64_t bytes = CHILD_AREA_AT + p->area_bytes;
    const uint8_t *base;

    p->child_fd = memory_make("afferent-child", bytes);
    if (p->child_fd < 0)
        return errno;
    base = mmap(NULL, bytes, PROT_READ, MAP_SHARED, p->child_fd, 0);
    if (base == MAP_FAILED)
        return errno;
    p->child = (const struct child_page *)(const void *)base;
    p->ask = base + CHILD_ASK_AT;
    p->area = base + CHILD_AREA_AT;
    return fcntl(p->child_fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0 ? errno : 0;
}

int pages_make(struct pages *p, uint64_t in_bytes, uint64_t area_bytes)
{
    int error;

    *p = (struct pages){ .host_fd = -1, .child_fd = -1, .state_fd = -1 };
    p->in_bytes = PAGE_UP(in_bytes);
    p->area_bytes = PAGE_UP(area_bytes);
    error = host_make(p);
    if (!error)
        error = child_make(p);
    if (!error) {
        p->state_fd = memory_make("afferent-state", 0);
        error = p->state_fd < 0 ? errno : 0;
    }
    if (error)
        pages_free(p);
    return error;
}

void pages_free(struct pages *p)
{
    const int fds[] = { p->host_fd, p->child_fd, p->state_fd };

    if (p->host) {
        explicit_bzero(p->in, p->in_bytes); /* the configuration lay there, with its secrets */
        munmap(p->host, HOST_IN_AT + p->in_bytes);
    }
    if (p->child)
        munmap((void *)(uintptr_t)p->child, CHILD_AREA_AT + p->area_bytes);
    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    *p = (struct pages){ .host_fd = -1, .child_fd = -1, .state_fd = -1 };
}
