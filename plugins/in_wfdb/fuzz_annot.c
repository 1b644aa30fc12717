/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_annot.c - any bytes as an annotation file. */
#include "annot.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rate rate = { 360, 1 };
    struct wfdb_annots a;
    struct wfdb_annotation n;
    struct wfdb_bytes bytes;
    struct fault f;
    size_t count = 0;

    bytes_from_memory(&bytes, data, size);
    annots_begin(&a, &bytes, &rate);
    while (annots_next(&a, &n, &f) == 1) {
        if (n.at < 0 || n.code < 1 || n.code > 49 || strlen(n.text) != n.text_length || ++count > size / 2)
            abort();
        if (strlen(annots_label(&a, n.code)) > WFDB_LABEL_MAX || a.rate.num == 0 || a.rate.den == 0)
            abort();
    }
    return 0;
}
