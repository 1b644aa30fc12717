/* SPDX-License-Identifier: Apache-2.0
 *
 * list.h - the files that the option `path` means, found and sorted.
 *
 * An entry is a file, a folder (the files in it, not below, without those whose
 * names begin with a dot) or a glob pattern (fnmatch, part by part). Paths are
 * sorted bytewise, each is there once. Walking allocates nothing and keeps no
 * folder open, so a followed folder is walked while records flow. Pipes and
 * devices are left out and counted: they cannot be read twice. */
#ifndef IN_FILE_LIST_H
#define IN_FILE_LIST_H

#include <afferent/plugin.h>

enum { LIST_ENTRIES_MAX = 64, LIST_MOST = 1000000, LIST_PATH_BYTES = 128, LIST_BYTES_MAX = 256 << 20 };

struct found {
    uint64_t dev, ino;
    uint32_t path;  /* its place in the text */
    uint16_t entry; /* of the option */
    uint8_t named;  /* the entry is the file itself */
    uint8_t reserved;
};

struct list {
    const struct aff_host *host;
    char *text;
    struct found *items;
    uint32_t used, room; /* bytes of text */
    uint32_t count, most;
    uint32_t odd;   /* pipes, devices and sockets that were passed */
    uint32_t empty; /* entries, from 1, that yield nothing: the last of them */
    int error;      /* errno of that entry; 0: nothing matches */
    uint8_t grows;  /* [control]: room is made as needed */
    uint8_t full;   /* more was there than fits */
};

/* Told of each folder on the way, and of each file that an entry names. */
struct list_watcher {
    void *context;
    void (*folder)(void *context, const char *path);
};

/* [control] `most` 0: grows by itself while paths are looked up. */
aff_status list_open(struct list *l, const struct aff_host *host, uint32_t most);
void list_close(struct list *l);
/* Looks the entries up. AFF_OK also where some are not there: see ->empty. */
aff_status list_walk(struct list *l, const struct aff_list *entries, const struct list_watcher *watcher);
/* Opens the file of this inode that lies beside a named one: -1 if none does. */
int list_beside(const char *named, uint64_t ino);
const char *list_path(const struct list *l, uint32_t index);
const char *list_entry(const struct aff_list *entries, uint32_t index);

#endif
