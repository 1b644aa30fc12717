/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_tal.c - any bytes as an annotation list. */
#include "tal.h"

#include "recording/text.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char to[2 * TAL_ROOM];
    const uint8_t *text;
    size_t at = 0, length, sum = 0, n;
    int64_t ns;
    struct tal t;
    int latin;

    if (size > TAL_ROOM)
        size = TAL_ROOM;
    (void)tal_clock(data, size, &ns);
    if (tal_read(&t, data, size) != TAL_WHOLE)
        return 0;
    if (t.texts < data || t.texts + t.size != data + size || t.duration_ns < -1)
        abort();
    while (tal_text(&t, &at, &text, &length)) {
        sum += length + 1;
        n = tal_utf8(to, text, length, &latin);
        if (n > 2 * length || !text_is_utf8(to, n))
            abort();
    }
    if (sum != t.size)
        abort();
    return 0;
}
