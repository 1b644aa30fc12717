/* SPDX-License-Identifier: Apache-2.0
 *
 * arena.c - see arena.h. */
#include "arena.h"

#include <string.h>

enum { ALIGN = 64 };

char *arena_take(struct arena *a, size_t size)
{
    size_t at = 0, need = (size + ALIGN - 1) / ALIGN * ALIGN;
    uint32_t i;

    if (a->count == a->most || size == 0 || need < size || need > a->size)
        return NULL;
    for (i = 0; i < a->count && a->spans[i].at - at < need; i++)
        at = a->spans[i].at + a->spans[i].size;
    if (i == a->count && a->size - at < need)
        return NULL;
    memmove(&a->spans[i + 1], &a->spans[i], (a->count - i) * sizeof *a->spans);
    a->spans[i] = (struct span){ at, need };
    a->count++;
    return a->base + at;
}

static uint32_t find(const struct arena *a, const char *piece)
{
    uint32_t i;

    for (i = 0; i < a->count && a->base + a->spans[i].at != piece; i++)
        continue;
    return i;
}

void arena_shrink(struct arena *a, const char *piece, size_t size)
{
    uint32_t i = find(a, piece);
    size_t need = (size + ALIGN - 1) / ALIGN * ALIGN;

    if (i < a->count && need >= ALIGN && need < a->spans[i].size)
        a->spans[i].size = need;
}

void arena_give(struct arena *a, const char *piece)
{
    uint32_t i = find(a, piece);

    if (i == a->count)
        return;
    a->count--;
    memmove(&a->spans[i], &a->spans[i + 1], (a->count - i) * sizeof *a->spans);
}
