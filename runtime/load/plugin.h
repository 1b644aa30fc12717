/* plugin.h - a loaded plugin and where plugins are found.
 *
 * The rest of the runtime sees a plugin only as `struct plugin`: the constant
 * copied into our own struct size, its tables copied with our own strides, so
 * that an older or newer plugin needs no care anywhere else.
 *
 * Loading: the file is read into a sealed memfd, its ELF note is checked without
 * running it, it is probed in a spawned child, and then the same memfd is opened
 * with dlopen: what was checked is what is loaded.
 *
 * Not here: instances (flow/), option values (config/). */
#ifndef AFFERENT_LOAD_PLUGIN_H
#define AFFERENT_LOAD_PLUGIN_H

#include <stdbool.h>
#include <stdio.h>

#include <afferent/plugin.h>

struct image;

struct plugin {
    struct aff_plugin about; /* zero beyond what the plugin has; use the arrays */
    const struct aff_option *options;   /* nested tables copied likewise */
    const struct aff_port *inputs;
    const struct aff_port *outputs;
    const struct aff_verdict *verdicts;
    const struct aff_metric *metrics;
    uint32_t option_count;
    uint32_t input_count;
    uint32_t output_count;
    uint32_t verdict_count;
    uint32_t metric_count;
    const char *path; /* the file it came from */
    bool shipped;     /* from the folder installed with the host */
    const struct image *image; /* its sealed copy (image.h); NULL: linked in */
};

/* One file found while listing; no plugin code was run for it. */
struct plugin_entry {
    const char *name;    /* of the note, or of the file where it has none */
    const char *path;
    const char *version; /* "" where unknown */
    uint32_t kind;       /* AFF_SOURCE ..., 0 where unknown */
    const char *refusal; /* NULL, or one line: what is wrong, what to do */
};

struct plugins;

/* [control] Folders in the order of search: `dirs` (from --plugin-dir, `count`
 * of them, borrowed for the call), then AFFERENT_PLUGIN_PATH (':'-separated),
 * then the installed folder. NULL when memory is out. */
struct plugins *plugins_open(const char *const *dirs, size_t count);
void plugins_close(struct plugins **plugins);

/* [control] Loads by name, once; later calls give the same. Borrowed until
 * plugins_close. NULL: *ret_why is one line for a person (borrowed likewise). */
const struct plugin *plugins_find(struct plugins *plugins, const char *name, const char **ret_why);

/* [control] All that lies in the folders, sorted by kind (the way of the data)
 * and name; first found wins. Borrowed until the next listing or close. */
const struct plugin_entry *plugins_list(struct plugins *plugins, size_t *ret_count);

/* [control] A plugin that is linked into a test program, known under its name.
 * False when the constant is refused; *ret_why as above. */
bool plugins_add(struct plugins *plugins, const struct aff_plugin *constant, const char **ret_why);

#endif
