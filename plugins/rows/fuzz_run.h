/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_run.h - a text through op_csv or op_json, in one piece or in many: the rows
 * must be the same. */
#ifndef ROWS_FUZZ_RUN_H
#define ROWS_FUZZ_RUN_H

#include "mini_host.h"

struct fuzz_result {
    uint64_t rows, hash;
};

/* `cut` 0: one piece. Ends the stream. */
static inline struct fuzz_result fuzz_feed(const struct aff_plugin *plugin, const void *config, const uint8_t *text,
                                           size_t size, size_t cut)
{
    struct mini_host h;
    struct aff_record r = { .stream = 1, .subject = 1, .type = AFF_BYTES };
    uint8_t verdict = 0;
    struct aff_batch batch = { &r, &verdict, 1, 0 };
    uint32_t taken;
    void *self = NULL;
    size_t at, n;

    mini_open(&h);
    h.hashes = true;
    h.input = &r;
    if (plugin->open(&h.host, config, &self) != AFF_OK)
        abort();
    for (at = 0; at < size; at += n) {
        n = cut && size - at > cut ? cut : size - at;
        r.data = malloc(n); /* of its own, so that a byte read too many is seen */
        memcpy(r.data, text + at, n);
        r.size = (uint32_t)n;
        r.id.seq = at;
        verdict = 0;
        if (plugin->process(self, &batch, &taken) != AFF_OK || taken != 1)
            abort();
        free(r.data);
    }
    r.data = NULL;
    r.size = 0;
    if (plugin->stream_end(self, 0, &r) != AFF_OK)
        abort();
    plugin->close(self);
    if (h.counts[0] != h.rows)
        abort();
    mini_close(&h);
    return (struct fuzz_result){ h.rows, h.hash };
}

/* Whole and cut are the same. */
static inline void fuzz_cuts(const struct aff_plugin *plugin, const void *config, const uint8_t *text, size_t size,
                             size_t cut)
{
    struct fuzz_result whole = fuzz_feed(plugin, config, text, size, 0);
    struct fuzz_result cuts = fuzz_feed(plugin, config, text, size, cut);

    if (whole.rows != cuts.rows || whole.hash != cuts.hash)
        abort();
}

#endif
