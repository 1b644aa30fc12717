/* copy.h - a plugin's constant, checked and copied in one pass.
 *
 * All memory of the plugin is read through peek.h, so a pointer that leads
 * nowhere is a refusal and not a signal. Structs are copied as min(theirs, ours)
 * into zeroed ones, tables by their own stride into ours, strings too: nothing
 * in the copy points into the plugin but its callbacks.
 *
 * The same function runs in the probing child and in the host.
 *
 * Not here: whether presets are good TOML (config/ knows). */
#ifndef AFFERENT_LOAD_COPY_H
#define AFFERENT_LOAD_COPY_H

#include <stdbool.h>

#include "load/note.h"
#include "load/plugin.h"
#include "util/arena.h"
#include "util/text.h"

/* Fills *ret_plugin but for path and shipped. `note` is NULL for a constant
 * that is linked in. False: *why says what is wrong (nothing said: no memory). */
bool constant_copy(struct arena *arena, const struct aff_plugin *constant, const struct note *note,
                   struct plugin *ret_plugin, struct text *why);

/* The same for what the plugin's `shape` says of one of its outputs. */
bool shape_copy(struct arena *arena, const struct plugin *plugin, const struct aff_shape *theirs,
                struct aff_shape *ret_shape, struct text *why);

#endif
