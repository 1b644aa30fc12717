/* plugins_inside.h - what finding (plugin.c) and listing (list.c) share.
 *
 * Not here: anything that others call (plugin.h). */
#ifndef AFFERENT_LOAD_PLUGINS_INSIDE_H
#define AFFERENT_LOAD_PLUGINS_INSIDE_H

#include "load/image.h"
#include "load/plugin.h"
#include "util/arena.h"

struct folder {
    struct folder *next;
    const char *path;
    bool shipped; /* the one installed with the host */
};

struct loaded {
    struct loaded *next;
    struct plugin plugin;
    struct image image; /* fd -1 for a plugin that is linked in */
    void *object;       /* of dlopen; NULL for a plugin that is linked in */
};

/* A file that was refused by its probe. */
struct probed {
    struct probed *next;
    struct identity identity;
    const char *refusal;
};

struct plugins {
    struct arena *arena;
    struct folder *folders;
    struct loaded *loaded;
    struct probed *probed;
    struct arena *listing; /* of the last plugins_list */
};

/* The text itself, or a copy with '?' where a terminal would be moved; NULL
 * when there is no memory. */
const char *controls_hidden(struct arena *arena, const char *text);

#endif
