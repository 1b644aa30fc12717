/* SPDX-License-Identifier: Apache-2.0
 *
 * paths.h - the records that the option `path` means, in sorted order.
 *
 * An entry is a header file (with or without .hea), a folder (all records in it,
 * not below), or a glob. Headers that folders and globs yield and that are
 * segments of another record among them are left out: they come with that one.
 * Each record is there once. */
#ifndef IN_WFDB_PATHS_H
#define IN_WFDB_PATHS_H

#include <afferent/plugin.h>

enum { PATHS_MAX = 100000, PATHS_BYTES = 16 << 20 };

struct paths {
    const struct aff_host *host;
    char *text; /* entries, each ended by a zero; the first byte is a mark */
    size_t used, room;
    uint32_t *at; /* places in text, sorted */
    uint32_t count, at_room;
};

/* [control] From a list of strings. AFF_OK, or a status that was explained. */
aff_status paths_open(struct paths *p, const struct aff_host *host, const struct aff_list *list);
void paths_close(struct paths *p);
/* The path of a record's header. */
const char *paths_get(const struct paths *p, uint32_t index);

#endif
