/* SPDX-License-Identifier: Apache-2.0
 *
 * watch.c - see watch.h. */
#include "watch.h"

#include <errno.h>
#include <stdint.h>
#include <sys/inotify.h>
#include <unistd.h>

enum { ROOM = 8192, TURNS = 64 };

static const uint32_t written = IN_MODIFY | IN_CLOSE_WRITE;
static const uint32_t moved = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF;

void watch_open(struct watch *w)
{
    w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    w->is_blind = w->fd < 0;
}

void watch_close(struct watch *w)
{
    if (w->fd >= 0)
        (void)close(w->fd);
    w->fd = -1;
}

void watch_add(struct watch *w, const char *path)
{
    if (w->fd < 0 || inotify_add_watch(w->fd, path, written | moved) >= 0)
        return;
    /* A folder that is not there yet, or may not be read, cannot be watched. */
    if (errno != ENOENT && errno != ENOTDIR && errno != EACCES)
        w->is_blind = 1;
}

static int worst(int a, int b)
{
    return a > b ? a : b;
}

static int events_judge(const char *room, long got)
{
    int what = WATCH_QUIET;
    long at;

    for (at = 0; at < got;) {
        const struct inotify_event *e = (const void *)(room + at);

        at += (long)sizeof *e + (long)e->len;
        if (e->mask & IN_Q_OVERFLOW)
            what = WATCH_LOST;
        else
            what = worst(what, e->mask & written ? WATCH_WRITTEN : WATCH_MOVED);
    }
    return what;
}

int watch_take(struct watch *w)
{
    _Alignas(struct inotify_event) char room[ROOM];
    int what = WATCH_QUIET, turn;
    long got;

    if (w->fd < 0)
        return WATCH_MOVED;
    for (turn = 0; turn < TURNS; turn++) {
        got = read(w->fd, room, sizeof room);
        if (got <= 0)
            break;
        what = worst(what, events_judge(room, got));
    }
    return w->is_blind ? worst(what, WATCH_MOVED) : what;
}
