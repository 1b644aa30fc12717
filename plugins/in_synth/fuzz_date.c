/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_date.c - any text as a start: no crash, and what is taken is in range. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "date.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    int64_t ns = -1;

    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    if (date_read(text, &ns) ? ns < 0 || ns > INT64_C(7258118400) * 1000000000 : ns != -1)
        abort();
    free(text);
    return 0;
}
