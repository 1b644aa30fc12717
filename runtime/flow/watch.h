/* watch.h - descriptors that a plugin waits for: a serial line, a socket.
 *
 * They go with the instance (struct node_handle) into a changed pipeline. Its lane polls
 * them together with its bell while it has nothing else to do.
 *
 * Not here: the wait itself (lane.c). */
#ifndef AFFERENT_FLOW_WATCH_H
#define AFFERENT_FLOW_WATCH_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

struct lane;

enum { WATCHES = 8 }; /* a node */

struct watches {
    uint32_t count;
    struct pollfd fds[WATCHES];
};

/* [control][data] host->watch; `events`: AFF_WATCH_..., 0 to forget. False: too many. */
bool watches_set(struct watches *watches, int fd, uint32_t events);

/* [data] The descriptors of a lane's nodes, written to `polls` (room for WATCHES each). */
uint32_t watches_list(const struct lane *lane, struct pollfd *polls);
/* [data] After a poll of that list: the time has come of each node of which one is ready.
 * False: none is. */
bool watches_wake(struct lane *lane, const struct pollfd *polls);

#endif
