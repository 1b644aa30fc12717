/* arena.c - memory that is given out in pieces and freed in one go.
 *
 * A list of blocks, the newest first; a piece comes from the newest block or
 * opens a new one. Zeroing is done by calloc, once a block.
 *
 * Not here: giving back single pieces, and any locking: one thread builds. */
#include "util/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Most plans fit into two blocks; a larger piece gets a block of its own. */
#define BLOCK_BYTES ((size_t)16384)
#define ALIGN_BYTES ((size_t)16)

struct block {
    struct block *older;
    size_t size_bytes;
    size_t used_bytes;
    _Alignas(16) unsigned char bytes[];
};

struct arena {
    struct block *newest;
};

struct arena *arena_new(void)
{
    return calloc(1, sizeof(struct arena));
}

void arena_free(struct arena **arena)
{
    struct block *block;

    if (!*arena)
        return;
    block = (*arena)->newest;
    while (block) {
        struct block *older = block->older;

        explicit_bzero(block->bytes, block->used_bytes);
        free(block);
        block = older;
    }
    free(*arena);
    *arena = NULL;
}

static struct block *block_new(size_t size_bytes)
{
    size_t room = size_bytes > BLOCK_BYTES ? size_bytes : BLOCK_BYTES;
    struct block *block = calloc(1, sizeof *block + room);

    if (block)
        block->size_bytes = room;
    return block;
}

void *arena_take(struct arena *arena, size_t size_bytes)
{
    struct block *block = arena->newest;
    void *piece;

    if (size_bytes > SIZE_MAX / 2)
        return NULL;
    size_bytes = (size_bytes + ALIGN_BYTES - 1) / ALIGN_BYTES * ALIGN_BYTES;
    if (size_bytes == 0)
        size_bytes = ALIGN_BYTES;
    if (!block || block->size_bytes - block->used_bytes < size_bytes) {
        block = block_new(size_bytes);
        if (!block)
            return NULL;
        block->older = arena->newest;
        arena->newest = block;
    }
    piece = block->bytes + block->used_bytes;
    block->used_bytes += size_bytes;
    return piece;
}

void *arena_take_array(struct arena *arena, size_t count, size_t size_bytes)
{
    if (size_bytes && count > SIZE_MAX / 2 / size_bytes)
        return NULL;
    return arena_take(arena, count * size_bytes);
}

char *arena_copy(struct arena *arena, const char *bytes, size_t size_bytes)
{
    char *copy;

    if (size_bytes == SIZE_MAX)
        return NULL;
    copy = arena_take(arena, size_bytes + 1);
    if (copy && size_bytes)
        memcpy(copy, bytes, size_bytes);
    return copy;
}

char *arena_print(struct arena *arena, const char *format, ...)
{
    va_list args;
    char *text = NULL;
    int length;

    va_start(args, format);
    length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (length >= 0)
        text = arena_take(arena, (size_t)length + 1);
    if (text) {
        va_start(args, format);
        vsnprintf(text, (size_t)length + 1, format, args);
        va_end(args);
    }
    return text;
}
