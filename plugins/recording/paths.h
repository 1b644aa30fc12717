/* SPDX-License-Identifier: Apache-2.0
 *
 * paths.h - the recordings that the option `path` means, in sorted order.
 *
 * An entry is a file (with or without its suffix), a folder (all recordings in
 * it, not below), or a glob. Which suffixes a recording has, the plugin says.
 * Each recording is there once. Not here: what is in the files. */
#ifndef RECORDING_PATHS_H
#define RECORDING_PATHS_H

#include <afferent/plugin.h>

enum { PATHS_MAX = 100000, PATHS_BYTES = 16 << 20 };
enum { PATH_NAMED = 'n', PATH_FOUND = 'f' }; /* the mark before a path in ->text */

/* What the plugin reads. */
struct paths_kind {
    const char *const *suffixes; /* ended by NULL: ".hea" */
    const char *what;            /* for messages: "WFDB header (.hea)" */
    const char *instead;         /* what to name: "name the .hea file of the record" */
    int any_suffix;              /* a file that is named outright needs none of them */
};

struct paths {
    const struct aff_host *host;
    const struct paths_kind *kind;
    char *text; /* entries, each ended by a zero; the first byte is a mark */
    size_t used, room;
    uint32_t *at; /* places in text, sorted */
    uint32_t count, at_room;
};

/* [control] From a list of strings. AFF_OK, or a status that was explained. */
aff_status paths_open(struct paths *p, const struct aff_host *host, const struct paths_kind *kind,
                      const struct aff_list *list);
void paths_close(struct paths *p);
/* The path of a recording, and the part of a path behind its last slash. */
const char *paths_get(const struct paths *p, uint32_t index);
const char *path_base(const char *path);

#endif
