/* bytes.c - mapping of byte rings. See bytes.h. */
#include "flow/bytes.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

static uint64_t ring_size(uint64_t wanted)
{
    uint64_t size = (uint64_t)sysconf(_SC_PAGESIZE);

    while (size < wanted)
        size *= 2;
    return size;
}

/* Both halves lie in one reservation: nothing else can slip in between. */
static bool map_twice(struct bytes *ring, int fd)
{
    const int prot = PROT_READ | PROT_WRITE;
    const int flags = MAP_SHARED | MAP_FIXED | MAP_POPULATE;
    size_t size = (size_t)ring->size;
    uint8_t *base = mmap(NULL, 2 * size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (base == MAP_FAILED)
        return false;
    if (mmap(base, size, prot, flags, fd, 0) == MAP_FAILED ||
        mmap(base + size, size, prot, flags, fd, 0) == MAP_FAILED) {
        int saved = errno;

        munmap(base, 2 * size);
        errno = saved;
        return false;
    }
    ring->base = base;
    return true;
}

bool bytes_open(struct bytes *ring, uint64_t size)
{
    int fd = memfd_create("afferent-bytes", MFD_CLOEXEC);
    bool ok;

    *ring = (struct bytes){ .size = ring_size(size) };
    ring->shift = (uint32_t)__builtin_ctzll(ring->size);
    if (fd < 0)
        return false;
    ok = ftruncate(fd, (off_t)ring->size) == 0 && map_twice(ring, fd);
    if (!ok)
        ring->base = NULL;
    int saved = errno;
    close(fd);
    errno = saved;
    return ok;
}

void bytes_close(struct bytes *ring)
{
    if (ring->base)
        munmap(ring->base, 2 * (size_t)ring->size);
    *ring = (struct bytes){ 0 };
}
