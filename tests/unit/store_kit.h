/* store_kit.h - what the tests of the store share: a folder of their own, groups, and
 * records whose bytes follow from their place, so that any of them can be judged.
 *
 * Not here: tests. */
#ifndef STORE_KIT_H
#define STORE_KIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flow/kept.h"
#include "keep/store.h"

enum { KIT_PATH = 512, KIT_WHY = 512, KIT_KEY = 32 };

struct kit {
    char folder[KIT_PATH];
    struct store *store;
    struct kept_group group;
    char why[KIT_WHY];
    char log[KIT_WHY]; /* the last line */
    uint64_t limit;
    const uint8_t *key;
    bool read_only;
    bool acks_wait;
};

void kit_begin(struct kit *kit);  /* a fresh folder; nothing is open */
void kit_end(struct kit *kit);    /* closes, removes the folder */
void kit_folder_remove(const char *folder);
enum store_status kit_open(struct kit *kit);
void kit_close(struct kit *kit);
void kit_path(const struct kit *kit, const char *name, char path[KIT_PATH]);

/* A queue of the kit's store; asserts. */
struct kept_queue kit_queue(struct kit *kit, const char *name);
/* The bytes of record `seq` of queue `name`: their number follows from the seq too. */
size_t kit_record_size(uint64_t seq);
void kit_record(const char *name, uint64_t seq, uint8_t *bytes);
bool kit_record_is(const char *name, uint64_t seq, const void *bytes, size_t size);
void kit_put(struct kit *kit, const char *name, uint32_t queue, uint64_t seq);
enum store_status kit_commit(struct kit *kit); /* and empties the group */

/* Reads all of a queue; each must be what was put. Their number; *ret_first, *ret_last. */
uint64_t kit_read_all(struct kit *kit, const char *name, uint32_t queue, uint64_t *ret_first, uint64_t *ret_last);
bool kit_state_is(struct kit *kit, const char *name, const char *text);

/* A file whose name begins so, in the kit's folder: how many. */
int kit_files(const struct kit *kit, const char *prefix);
void kit_files_remove(const struct kit *kit, const char *prefix);
uint64_t kit_random(uint64_t *state);

#endif
