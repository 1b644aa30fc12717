/* SPDX-License-Identifier: Apache-2.0
 *
 * digest.c - see digest.h. */
#define XXH_STATIC_LINKING_ONLY 1
#include "recording/digest.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

/* XXH3's state wants to be aligned to 64, which host memory is not. */
static XXH3_state_t *state_of(struct digest *d)
{
    _Static_assert(sizeof(XXH3_state_t) + 63 <= DIGEST_STATE, "room for the state and its alignment");
    return (XXH3_state_t *)(((uintptr_t)d->state + 63u) & ~(uintptr_t)63u);
}

void digest_begin(struct digest *d)
{
    d->fd = -1;
    (void)XXH3_128bits_reset(state_of(d));
}

void digest_file(struct digest *d, int fd)
{
    uint8_t mark = fd >= 0;

    (void)XXH3_128bits_update(state_of(d), &mark, 1);
    d->fd = fd < 0 ? -1 : fd;
    d->offset = 0;
}

ssize_t digest_read(struct digest *d, void *room, size_t size)
{
    ssize_t got;

    do {
        got = pread(d->fd, room, size, (off_t)d->offset);
    } while (got < 0 && errno == EINTR);
    if (got > 0) {
        (void)XXH3_128bits_update(state_of(d), room, (size_t)got);
        d->offset += (uint64_t)got;
    } else if (got == 0) {
        (void)XXH3_128bits_update(state_of(d), &d->offset, sizeof d->offset);
        digest_close(d);
    }
    return got;
}

void digest_end(struct digest *d)
{
    XXH128_canonical_t hash;

    XXH128_canonicalFromHash(&hash, XXH3_128bits_digest(state_of(d)));
    memcpy(d->hash, hash.digest, sizeof d->hash);
}

void digest_close(struct digest *d)
{
    if (d->fd >= 0)
        (void)close(d->fd);
    d->fd = -1;
}

uint64_t digest_text(const char *text)
{
    return XXH3_64bits(text, strlen(text));
}
