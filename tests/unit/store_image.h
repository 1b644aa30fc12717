/* store_image.h - a store with something in it, and its file as bytes, to be damaged.
 *
 * Not here: the damage. */
#ifndef STORE_IMAGE_H
#define STORE_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "store_kit.h"

enum { GROUPS = 40, PER_GROUP = 12, PAGE = 4096, ACKED = 30 };

extern const uint8_t key_one[KIT_KEY];

/* The bytes of a whole store, to be damaged again and again. */
struct image {
    uint8_t *bytes;
    size_t size;
};

void image_read(const char *path, struct image *image); /* given: free bytes */
void image_write(const char *path, const struct image *image);

/* Two queues, some letters, pieces of state that change with each group; closed again. */
void store_fill(struct kit *kit);
/* Which group a piece of state is of; 0: it is not there, or damaged. Asserts that it is one. */
uint64_t position_check(struct kit *kit, const char *name);

#endif
