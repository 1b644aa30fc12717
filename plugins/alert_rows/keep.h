/* SPDX-License-Identifier: Apache-2.0
 *
 * keep.h - what nodes with rules have in common beside their rows: times that do
 * not run over, and the few numbers that they keep over a restart.
 *
 * Not here: what is known of a subject; the host keeps that (state_open). */
#ifndef ALERT_ROWS_KEEP_H
#define ALERT_ROWS_KEEP_H

#include <afferent/plugin.h>

#include <string.h>

enum { KEPT_VERSION = 1 };

/* a + b, b not below 0, without passing the end of time. */
static inline int64_t time_add(int64_t a, int64_t b)
{
    return a > INT64_MAX - b ? INT64_MAX : a + b;
}

/* [data] As the plugin's snapshot: `count` words, of which the first is KEPT_VERSION. */
static inline aff_status words_snapshot(const uint32_t *words, uint32_t count, void *buffer, size_t room,
                                        size_t *ret_size)
{
    *ret_size = count * sizeof *words;
    if (room >= *ret_size)
        memcpy(buffer, words, *ret_size);
    return AFF_OK;
}

/* [data] As the plugin's restore. AFF_ERR_DATA, explained: they were written otherwise. */
static inline aff_status words_restore(const struct aff_host *host, uint32_t *words, uint32_t count, const void *buffer,
                                       size_t size)
{
    if (size != count * sizeof *words)
        return host->explain(host, AFF_ERR_DATA, "the saved state of the rules has another size");
    memcpy(words, buffer, size);
    if (words[0] != KEPT_VERSION)
        return host->explain(host, AFF_ERR_DATA, "the saved state of the rules is of another version");
    return AFF_OK;
}

#endif
