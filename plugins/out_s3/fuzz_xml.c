/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_xml.c - any bytes as a store's answer: no crash, an end, texts and paths within
 * their bounds, and nothing of a document type. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
    size_t elements, bytes;
};

static void take(void *self, const char *path, const char *text)
{
    struct seen *s = self;

    s->elements++;
    s->bytes += text ? strlen(text) : 0;
    if (!*path || strlen(path) >= XML_PATH_ROOM || (text && strlen(text) > XML_TEXT_MOST))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = malloc(size > 0 ? size : 1); /* of its exact size, so that a byte too far is seen */
    struct seen seen = { 0, 0 };

    if (!copy)
        return 0;
    memcpy(copy, data, size);
    /* A reference never makes more bytes than it has itself. */
    if (xml_read(copy, size, take, &seen) && (seen.elements == 0 || seen.bytes > size))
        abort();
    free(copy);
    return 0;
}
