/* SPDX-License-Identifier: Apache-2.0
 *
 * arena.h - memory for bodies, taken whole when the node opens, given out in one piece each.
 *
 * First fit: bodies live for moments, and one that finds no gap is told to come again. Not
 * here: locks (desk.c). */
#ifndef IN_HTTP_ARENA_H
#define IN_HTTP_ARENA_H

#include <stddef.h>
#include <stdint.h>

struct span {
    size_t at, size;
};

struct arena {
    char *base;
    size_t size;
    struct span *spans; /* given out, by place; room for `most` */
    uint32_t count, most;
};

/* NULL: no gap is as large, or too many are out. */
char *arena_take(struct arena *arena, size_t size);
/* The piece ends earlier from now on. */
void arena_shrink(struct arena *arena, const char *piece, size_t size);
void arena_give(struct arena *arena, const char *piece);

#endif
