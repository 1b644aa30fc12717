/* SPDX-License-Identifier: Apache-2.0
 *
 * place.c - see place.h. */
#include "recording/place.h"

#include <string.h>

struct kept {
    char version[8];
    uint64_t path;
    uint64_t emitted;
    uint8_t has_known, ended, reserved[6];
    uint8_t known[DIGEST_SIZE];
};

static uint64_t path_hash(const struct paths *paths, uint32_t index)
{
    return digest_text(paths_get(paths, index));
}

/* Of all that was read, so that another list is seen; never 0, which is of a version
 * that did not look. */
static uint64_t paths_hash(const struct paths *paths)
{
    uint64_t hash = paths->count;

    for (uint32_t i = 0; i < paths->count; i++)
        hash = (hash ^ path_hash(paths, i)) * UINT64_C(0x9e3779b97f4a7c15);
    return hash + !hash;
}

aff_status place_snapshot(const struct place *p, const char *version, const struct paths *paths, void *buffer,
                          size_t room, size_t *ret_size)
{
    struct kept k;

    *ret_size = sizeof k;
    if (room < sizeof k)
        return AFF_OK;
    memset(&k, 0, sizeof k);
    memcpy(k.version, version, strnlen(version, sizeof k.version - 1));
    k.ended = p->index == paths->count;
    k.path = k.ended ? paths_hash(paths) : path_hash(paths, p->index);
    k.emitted = p->emitted;
    k.has_known = p->has_known;
    memcpy(k.known, p->known, sizeof k.known);
    memcpy(buffer, &k, sizeof k);
    return AFF_OK;
}

aff_status place_restore(struct place *p, const char *version, const struct paths *paths, const void *buffer,
                         size_t size)
{
    const struct aff_host *host = paths->host;
    struct kept k;

    if (size != sizeof k)
        return host->explain(host, AFF_ERR_DATA, "the position was not written by this plugin");
    memcpy(&k, buffer, sizeof k);
    if (strncmp(k.version, version, sizeof k.version) != 0)
        return host->explain(host, AFF_ERR_DATA, "the position was not written by this version of the plugin");
    p->has_known = k.has_known;
    memcpy(p->known, k.known, sizeof p->known);
    p->emitted = k.ended ? 0 : k.emitted;
    for (p->index = 0; p->index < paths->count; p->index++)
        if (!k.ended && path_hash(paths, p->index) == k.path)
            return AFF_OK;
    if (k.ended && (!k.path || k.path == paths_hash(paths)))
        return AFF_OK;
    if (k.ended)
        return host->explain(host, AFF_ERR_DATA, "all recordings were read, and path names others now");
    return host->explain(host, AFF_ERR_DATA, "the recording that was being read is not in path any more");
}
