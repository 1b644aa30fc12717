/* kit.h - a folder of plugins made for one test: built, damaged, found.
 *
 * Not here: what is expected of them (test_load.c, test_damage.c). */
#ifndef AFFERENT_TESTS_ABI_KIT_H
#define AFFERENT_TESTS_ABI_KIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "load/plugin.h"

struct kit {
    char folder[64];
    struct plugins *plugins; /* over the folder; NULL until kit_open */
    const char *why;         /* of the last find */
};

/* cmocka's setup and teardown: an empty folder; it goes with all in it. */
int kit_setup(void **state);
int kit_teardown(void **state);

/* Builds tests/abi/fixture.c as FILE in the folder with these compiler flags;
 * skips the test when there is no compiler. */
void kit_build(struct kit *kit, const char *file, const char *flags);
/* Path of a file in the folder; the next call overwrites it. */
const char *kit_path(const struct kit *kit, const char *file);
void kit_write(const struct kit *kit, const char *file, const void *bytes, size_t size);
/* Given: the caller frees it. */
unsigned char *kit_read(const struct kit *kit, const char *file, size_t *ret_size);

/* Looks with new eyes: what was loaded is forgotten. */
void kit_open(struct kit *kit);
const struct plugin *kit_find(struct kit *kit, const char *name);
const struct plugin_entry *kit_entry(struct kit *kit, const char *name);

/* Fails the test unless the plugin is refused and the one line holds `words`. */
void expect_refused(struct kit *kit, const char *name, const char *words);

#endif
