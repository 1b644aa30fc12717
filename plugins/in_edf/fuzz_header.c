/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_header.c - any bytes as an EDF header: it is taken or refused, no more. */
#include "header.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct edf_header *h)
{
    struct fault f;
    uint64_t bytes = 0;
    uint32_t i;

    if (h->signals == 0 || h->signals > EDF_SIGNALS_MAX || h->seconds.den == 0 || h->records < -1)
        abort();
    for (i = 0; i < h->signals; i++) {
        struct edf_signal *s = &h->signal[i];

        if (!text_is_utf8(s->label, strlen(s->label)) || !text_is_utf8(s->unit, strlen(s->unit)) || s->offset != bytes)
            abort();
        if (signal_scale(h, i, s, &f) == 0 && (!isfinite(s->gain) || !isfinite(s->baseline) || fabs(s->gain) <= 0))
            abort();
        bytes += (uint64_t)s->samples * h->width;
    }
    if (bytes != h->record_bytes)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct edf_header h;
    struct fault f;

    if (size < EDF_HEAD || header_begin(&h, data, &f))
        return 0;
    if (size >= h.bytes && header_signals(&h, data, &f) == 0)
        check(&h);
    return 0;
}
