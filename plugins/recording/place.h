/* SPDX-License-Identifier: Apache-2.0
 *
 * place.h - how far a source has come in its recordings, as bytes to be kept.
 *
 * A place is the recording, by the hash of its path, and how many host records
 * of it were emitted; with it goes the incarnation that the host has, so that a
 * recording that was changed meanwhile is noticed. Where all were read it is the whole
 * list: if others are in it now, they are to be read. */
#ifndef RECORDING_PLACE_H
#define RECORDING_PLACE_H

#include "recording/digest.h"
#include "recording/paths.h"

struct place {
    uint32_t index; /* of the recording; paths->count: all are read */
    uint64_t emitted;
    uint8_t has_known;
    uint8_t known[DIGEST_SIZE];
};

/* As the plugin's snapshot and restore. `version` is the plugin's, up to seven
 * characters ("wfdb 1"). place_restore explains what it refuses. */
aff_status place_snapshot(const struct place *p, const char *version, const struct paths *paths, void *buffer,
                          size_t room, size_t *ret_size);
aff_status place_restore(struct place *p, const char *version, const struct paths *paths, const void *buffer,
                         size_t size);

#endif
