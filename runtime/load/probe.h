/* probe.h - tries a plugin in a child before the host loads it.
 *
 * About one malformed shared object in four kills its loader by a signal, and a
 * constructor may do anything: so a child opens it first, checks the constant
 * and its tables, and says what it found. It has a time limit, no terminal and
 * leaves no core file.
 *
 * This guards against accidents. It is no wall against malice: what passed is
 * loaded, and runs with the host's rights.
 *
 * Not here: reading the note (note.h), loading in the host (plugin.c). */
#ifndef AFFERENT_LOAD_PROBE_H
#define AFFERENT_LOAD_PROBE_H

#include <stdbool.h>

#include "load/note.h"
#include "util/text.h"

/* A loaded object: opened from the image, never from its file. */
struct aff_plugin;
void *object_open(int fd, const struct aff_plugin **ret_constant, struct text *why);

enum probe_status {
    PROBE_GOOD,
    PROBE_REFUSED,   /* the plugin is wrong; *why says how */
    PROBE_IMPOSSIBLE /* could not be tried now, or not to its end */
};

enum { PROBE_LIMIT_MS = 10000 }; /* a cold SD card under load takes seconds */

/* [control] Tries the image `fd` in a child of this program, whose main must
 * begin as below. Waits at most `limit_ms`. */
enum probe_status probe_run(int fd, int limit_ms, struct text *why);

/* What main() does first of all:
 *     if (plugin_probe_asked(argc, argv))
 *         return plugin_probe_main(PLUGIN_PROBE_FD); */
enum { PLUGIN_PROBE_FD = 3 };
bool plugin_probe_asked(int argc, char **argv);

/* The child's whole life. Does not return to atexit handlers: it ends itself. */
int plugin_probe_main(int fd);

#endif
