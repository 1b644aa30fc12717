/* kept.c - a group of changes. See kept.h. */
#include "flow/kept.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_CHANGES = 256, FIRST_BYTES = 65536, ALIGN = 16 };

void kept_group_clear(struct kept_group *g)
{
    g->count = 0;
    g->used = 0;
    g->failed = false;
}

void kept_group_free(struct kept_group *g)
{
    free(g->changes);
    free(g->memory);
    *g = (struct kept_group){ 0 };
}

static bool changes_fit(struct kept_group *g)
{
    uint32_t room = g->room ? g->room * 2 : FIRST_CHANGES;
    struct kept_change *changes;

    if (g->count < g->room)
        return true;
    changes = realloc(g->changes, room * sizeof *changes);
    if (!changes)
        return false;
    g->changes = changes;
    g->room = room;
    return true;
}

static bool memory_fits(struct kept_group *g, size_t size)
{
    size_t room = g->memory_room ? g->memory_room : FIRST_BYTES;
    uint8_t *memory;

    if (g->used + size <= g->memory_room)
        return true;
    while (room < g->used + size)
        room *= 2;
    memory = aligned_alloc(ALIGN, room);
    if (!memory)
        return false;
    if (g->used > 0)
        memcpy(memory, g->memory, g->used);
    free(g->memory);
    g->memory = memory;
    g->memory_room = room;
    return true;
}

static size_t take(struct kept_group *g, const void *bytes, size_t size)
{
    size_t at = g->used;

    if (size > 0)
        memcpy(g->memory + at, bytes, size);
    g->used = (at + size + ALIGN - 1u) & ~(size_t)(ALIGN - 1u);
    return at;
}

void kept_group_add(struct kept_group *g, enum kept_op op, uint32_t queue, uint64_t seq, const char *name,
                    const void *bytes, size_t size)
{
    size_t name_size = name ? strlen(name) + 1u : 1u;
    struct kept_change *c;

    if (g->failed || !changes_fit(g) || !memory_fits(g, name_size + size + 2u * ALIGN)) {
        g->failed = true;
        return;
    }
    c = &g->changes[g->count++];
    *c = (struct kept_change){ .op = op, .queue = queue, .seq = seq, .size = bytes ? size : 0 };
    c->name = take(g, name ? name : "", name_size);
    c->bytes = take(g, bytes, c->size);
}
