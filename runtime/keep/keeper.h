/* keeper.h - the one thread that writes the store.
 *
 * It sleeps until the data path says that something is complete, asks it for a group
 * (work->gather), commits that, and says so (work->committed). Space that ran out or
 * a disk that failed is tried again with back-off, the same group; meanwhile
 * room() is 0, so intake waits. A store that is bad for good is told once
 * (work->failed), and nothing is called safe any more.
 *
 * Other threads (the control socket) hand it jobs, done between two groups.
 *
 * Not here: LMDB (store.h), what is in a group (flow/). */
#ifndef AFFERENT_KEEP_KEEPER_H
#define AFFERENT_KEEP_KEEPER_H

#include "flow/kept.h"
#include "keep/store.h"

struct keeper;

struct keeper_work {
    /* [keeper] Fills the group with all that is complete. False: nothing is. It may say
     * by *ret_wait_ns that more is expected soon: then asked again at the latest
     * after so long, or when rung. A group that failed for want of memory is emptied
     * and gathered anew, after a while, without a word: gathering changes nothing. */
    bool (*gather)(void *arg, struct kept_group *group, int64_t *ret_wait_ns);
    /* [keeper] The group gathered last is durable. */
    void (*committed)(void *arg);
    /* [keeper] Nothing more can be stored; `why` is borrowed. */
    void (*failed)(void *arg, const char *why);
    /* [keeper] Intake waits for `why`, or goes on (NULL): for the log. Once a change. */
    void (*paused)(void *arg, const char *why);
    void *arg;
};

/* [control] The store is borrowed until close. NULL: no memory. The interface for
 * flow_open comes from keeper_kept and can be read from at once; groups are
 * committed from keeper_start on (flow is opened in between). */
struct keeper *keeper_open(struct store *store);
const struct kept *keeper_kept(struct keeper *keeper);
bool keeper_start(struct keeper *keeper, const struct keeper_work *work);
/* Commits what is complete once more, ends the thread. What a disk that is full or fails
 * does not take then is not waited for. */
void keeper_stop(struct keeper *keeper);
void keeper_close(struct keeper **keeper);

/* [any] Runs `job` on the keeper's thread between two groups and waits for it. */
enum store_status keeper_do(struct keeper *keeper, enum store_status (*job)(void *arg, struct store *store),
                            void *arg);

struct keeper_figures {
    uint64_t groups;
    uint64_t changes;
    uint64_t bytes;         /* of values, as handed over */
    uint64_t retries;
    int64_t last_commit_ns; /* boot clock */
    int64_t slowest_ns;     /* longest commit */
    bool is_paused;
};
void keeper_figures(struct keeper *keeper, struct keeper_figures *ret_figures);
/* [any] How long the commit under way has taken; 0: none is. */
int64_t keeper_busy_ns(struct keeper *keeper);

#endif
