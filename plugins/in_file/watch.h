/* SPDX-License-Identifier: Apache-2.0
 *
 * watch.h - whether anything happened to what is followed, by inotify(7).
 *
 * Only a hint when to look: what happened is seen by looking. Where inotify is
 * not to be had, fails, or loses events, the answer is "look". */
#ifndef IN_FILE_WATCH_H
#define IN_FILE_WATCH_H

enum { WATCH_QUIET, WATCH_WRITTEN, WATCH_MOVED, WATCH_LOST };

struct watch {
    int fd; /* -1: no inotify */
    int is_blind; /* something is not watched: look at each turn */
};

void watch_open(struct watch *w);
void watch_close(struct watch *w);
/* Watches a folder with the files in it, or a file; again is no harm. */
void watch_add(struct watch *w, const char *path);
/* What happened since the last call; never waits. */
int watch_take(struct watch *w);

#endif
