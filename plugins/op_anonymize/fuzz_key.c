/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_key.c - any bytes as a key file: no crash, a key of zeros never, and what
 * is taken is exactly the line that is announced. */
#include <stdlib.h>
#include <string.h>

#include "key.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t key[KEY_BYTES];
    char *text = malloc(size ? size : 1);
    unsigned any = 0;

    if (!text)
        return 0;
    if (size)
        memcpy(text, data, size);
    memset(key, 0, sizeof key);
    if (key_parse(text, size, key) == KEY_GOOD) {
        for (size_t i = 0; i < sizeof key; i++)
            any |= key[i];
        if (!any || (size != 79 && size != 80) || memcmp(text, "afferent-key 1 ", 15) != 0)
            abort();
    } else {
        for (size_t i = 0; i < sizeof key; i++)
            if (key[i])
                abort();
    }
    free(text);
    return 0;
}
