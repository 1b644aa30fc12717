/* SPDX-License-Identifier: Apache-2.0
 *
 * cut.c - see cut.h. */
#include "cut.h"

#include <string.h>

static struct cut cut_past(const uint8_t *at, size_t have)
{
    const uint8_t *end = memchr(at, '\n', have);
    size_t taken = end ? (size_t)(end - at) + 1 : have;

    return (struct cut){ have ? CUT_PAST : CUT_MORE, 0, taken, end == NULL };
}

struct cut cut_line(const uint8_t *at, size_t have, int last, size_t most, int skipping)
{
    size_t reach = have < most + 2 ? have : most + 2, size;
    const uint8_t *end;

    if (skipping)
        return cut_past(at, have);
    end = reach ? memchr(at, '\n', reach) : NULL;
    if (!end && have < most + 2 && !last)
        return (struct cut){ CUT_MORE, 0, 0, 0 };
    size = end ? (size_t)(end - at) : reach;
    if (end && size && at[size - 1] == '\r')
        size--;
    if (size > most)
        return (struct cut){ CUT_LONG, most, most, 1 };
    if (!end && size == 0)
        return (struct cut){ CUT_MORE, 0, 0, 0 };
    return (struct cut){ CUT_RECORD, size, end ? (size_t)(end - at) + 1 : size, 0 };
}

struct cut cut_block(const uint8_t *at, size_t have, int last, const struct cut_rule *rule)
{
    size_t reach = have < rule->most ? have : rule->most;
    const uint8_t *end;

    if (rule->skipping)
        return cut_past(at, have);
    if (have == 0 || (have < rule->most && !last && !rule->live))
        return (struct cut){ CUT_MORE, 0, 0, 0 };
    if (have <= rule->most && last)
        return (struct cut){ CUT_RECORD, have, have, 0 };
    end = memrchr(at, '\n', reach);
    if (end)
        return (struct cut){ CUT_RECORD, (size_t)(end - at) + 1, (size_t)(end - at) + 1, 0 };
    if (have <= rule->most)
        return (struct cut){ CUT_MORE, 0, 0, 0 };
    return (struct cut){ CUT_LONG, rule->most, rule->most, 1 };
}
