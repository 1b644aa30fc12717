/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_header.c - any bytes as a WFDB header: it is taken or refused, no more. */
#include "header.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct wfdb_header *h)
{
    uint32_t i;

    if (h->signals > WFDB_SIGNALS_MAX || h->pool_used > WFDB_POOL || h->rate.num == 0 || h->rate.den == 0)
        abort();
    for (i = 0; i < h->signals; i++) {
        const struct wfdb_signal *s = &h->signal[i];
        const char *file = header_text(h, s->file);

        if (s->file >= h->pool_used || s->units >= h->pool_used || s->description >= h->pool_used || s->per_frame == 0)
            abort();
        if (s->format && (!header_name_is_safe(file) || file[0] == '/' || strstr(file, "/../") || s->gain == 0))
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct wfdb_header h;
    struct wfdb_lines lines;
    struct wfdb_segment s;
    struct fault f;
    int got;

    memset(&lines, 0, sizeof lines);
    bytes_from_memory(&lines.bytes, data, size);
    if (header_read(&h, &lines, &f) == 0)
        check(&h);
    memset(&lines, 0, sizeof lines);
    bytes_from_memory(&lines.bytes, data, size);
    header_clear(&h);
    while ((got = header_next_segment(&h, &lines, &s, &f)) == 1)
        if (s.frames < 0 || (s.name[0] && !header_name_is_safe(s.name)))
            abort();
    return 0;
}
