/* watched.h - a run that somebody watches over: systemd, or `afferent serve`.
 *
 * It says when every source is open, how the run is doing, and, while every lane and the
 * keeper come round or wait, that it is alive. When a call of a plugin or of the disk does
 * not return for half of the watchdog's time it says why, and no more that it is alive.
 *
 * Not here: how it is said (notify.h), what a lane is (flow/). */
#ifndef AFFERENT_CMD_WATCHED_H
#define AFFERENT_CMD_WATCHED_H

#include "cmd/notify.h"
#include "flow/flow.h"
#include "keep/keeper.h"
#include "show/lines.h"

struct watched {
    struct notify notify;
    struct lines *lines;
    bool is_ready;
    bool is_stopping;
    bool is_hung;
    int64_t fed_ns;
    int64_t looked_ns; /* when its state was shown last, and when written in the log */
    int64_t logged_ns;
};

/* [control] How often watched_turn wants to be called; `every_ns` (below 0: never) where
 * nobody watches. */
int64_t watched_every(const struct watched *watched, int64_t every_ns);
/* [control] All sources are open. */
void watched_ready(struct watched *watched);
/* [control] It is changed now; the next round says that it is ready again. */
void watched_reloading(struct watched *watched);
/* [control] Once a round. `keeper` may be NULL. */
void watched_turn(struct watched *watched, struct flow *flow, struct keeper *keeper, bool stopping);
/* [control] Whether it is time to look how the run does; always, where nobody watches. */
bool watched_looks(struct watched *watched);
/* [control] Shows it; true: it belongs in the log as well. */
bool watched_shows(struct watched *watched, const char *text);
void watched_stopping(struct watched *watched);

#endif
