/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_times.c - any line with any rule: no crash, and the same answer twice.
 * The first four bytes choose the rule. */
#include "times.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char delimiters[] = { ',', ';', '\t', ' ', '|' };
    struct time_rule rule = { 1, ',', TIME_ISO8601, 0 };
    int64_t first = 0, again = 0, last, *before = NULL;
    uint8_t *line;
    bool found;

    if (size < 4)
        return 0;
    rule.field = 1 + data[0] % 4;
    rule.delimiter = delimiters[data[1] % sizeof delimiters];
    rule.format = data[2] % (TIME_CLOCK + 1);
    last = (int64_t)data[3] * 86000 * 1000000000;
    if (data[3])
        before = &last;
    /* Memory of exactly this size, so that reading on is seen. */
    line = malloc(size - 4 ? size - 4 : 1);
    if (!line)
        return 0;
    memcpy(line, data + 4, size - 4);
    found = times_line(&rule, line, size - 4, before, &first);
    if (found != times_line(&rule, line, size - 4, before, &again) || (found && first != again))
        abort();
    /* The clock stays within half a day of the time before. */
    if (found && before && rule.format == TIME_CLOCK && llabs(first - last) > INT64_C(43201000000000))
        abort();
    free(line);
    return 0;
}
