/* SPDX-License-Identifier: Apache-2.0
 *
 * turns.h - recordings one after another, as host records, whatever their format.
 *
 * For each recording: hash its content (the incarnation), open it, tell the host
 * whose it is, pass on what is in it, end its streams, go on. A position is the
 * number of the recording and how many host records of it were emitted; resuming
 * goes over those again and lets them pass.
 *
 * Not here: what a recording looks like (the plugin, in a struct turns_kind). */
#ifndef RECORDING_TURNS_H
#define RECORDING_TURNS_H

#include "recording/digest.h"
#include "recording/paths.h"

#include <afferent/plugin.h>

/* The format. `self` is the plugin's instance. Each returns AFF_OK or a status that
 * was explained, and can be called again after a failure. */
struct turns_kind {
    struct paths_kind paths;
    const char *what;     /* what a recording is called: "file" */
    const char *position; /* kind and version of a position, up to seven characters: "edf 1" */
    aff_status (*hash_begin)(void *self);
    aff_status (*hash_step)(void *self); /* AFF_AGAIN: not through yet */
    aff_status (*open)(void *self);
    aff_status (*name)(void *self); /* see turns_named */
    /* The next thing in order of event time is emitted, or let pass where turns_passes;
     * then *ret_passed is 1. It may stay 0 with AFF_OK. AFF_END: there is no more. */
    aff_status (*next)(void *self, int *ret_passed);
    aff_status (*end_streams)(void *self);
    void (*close)(void *self); /* lets go of what is open of the recording; also twice */
};

enum turns_state { TURNS_BEGIN, TURNS_HASH, TURNS_OPEN, TURNS_NAME, TURNS_DATA, TURNS_ENDED };

/* What the plugin's instance begins with. */
struct turns {
    const struct aff_host *host;
    const struct turns_kind *kind;
    const char **selected; /* signals that are wanted */
    struct paths paths;
    uint32_t index; /* recording that is read */
    enum turns_state state;
    uint8_t has_known;
    uint8_t known[DIGEST_SIZE]; /* the incarnation that the host has */
    uint64_t emitted, skip;
};

/* [control] From the options `path` and `signals`, which stay where they are. AFF_OK,
 * or a status that was explained; either way turns_close is due. */
aff_status turns_open(struct turns *t, const struct aff_host *host, const struct turns_kind *kind,
                      const struct aff_list *path, const struct aff_list *signals);
/* As the plugin's callbacks: close frees the instance. */
void turns_close(void *self);
aff_status turns_read(void *self, uint32_t want);
aff_status turns_snapshot(void *self, void *buffer, size_t room, size_t *ret_size);
aff_status turns_restore(void *self, const void *buffer, size_t size);

/* The recording's file, without its folder. */
const char *turns_file(const struct turns *t);
/* Whether what comes next was emitted before a restart, and is only let pass. */
int turns_passes(const struct turns *t);
/* Ends a kind's `name`: tells the host the hash of the content, unless it has been
 * restored and counts on where it was in the same content. `metric` counts
 * recordings begun. */
void turns_named(struct turns *t, const uint8_t hash[DIGEST_SIZE], uint32_t metric);

#endif
