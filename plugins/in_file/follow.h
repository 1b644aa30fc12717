/* SPDX-License-Identifier: Apache-2.0
 *
 * follow.h - files that grow: which there are, and what is new in them.
 *
 * Woken a few times a second, it asks inotify whether a look is worth it, and
 * looks every two seconds in any case. A file is known by device and inode, so
 * renaming changes nothing. A named file that is renamed or deleted (rotation) is
 * read until it was quiet for a second, then the new one. A file that is shorter,
 * or whose bytes before our place are others, is read from its beginning. */
#ifndef IN_FILE_FOLLOW_H
#define IN_FILE_FOLLOW_H

#include "reader.h"
#include "watch.h"

enum { FDS_MOST = 64, STREAMS_MOST = 1000 };

struct follow {
    struct list lists[2]; /* the one in use, and the one that is made next */
    uint32_t now;
    struct watch watch;
    struct file *files; /* `most` places */
    uint32_t most;
    uint32_t *slots; /* hash by inode: place + 1; 0: none */
    uint32_t slot_count;
    uint32_t cursor, fds, born;
    uint32_t next; /* where a free place is looked for */
    uint8_t in_round, pending, more, full_told, wait_told;
    int64_t look_ns, full_ns; /* boot times of the next look, and of the next at all */
};

const char *follow_path(const struct follow *w, const struct file *f);
uint32_t follow_count(const struct follow *w);

/* tracked.c: the files that are followed. */
aff_status tracked_open(struct reader *r);
void tracked_close(struct reader *r);
/* Looks `path` up again and brings the files into line with it. */
aff_status tracked_scan(struct reader *r);
/* Whether an older file of this name is still to be read. One that somebody never
 * stops writing to is waited for a minute; then both are read. */
int tracked_waits(const struct follow *w, const struct file *f, int64_t now);
/* Whether a newer one is there. */
int tracked_is_followed(const struct follow *w, const struct file *f);
/* Opens the file and makes its stream known; an errno in *ret_error. */
aff_status tracked_begin(struct reader *r, struct file *f, int *ret_error);
void tracked_shut(struct reader *r, struct file *f);
/* Ends its stream, if it is of no other. */
aff_status tracked_end_stream(struct reader *r, struct file *f);
void tracked_drop(struct reader *r, struct file *f);
/* By what an entry of `path` is known after a restart; never 0. */
uint16_t entry_mark(const char *entry);
struct file *tracked_new(struct follow *w);

#endif
