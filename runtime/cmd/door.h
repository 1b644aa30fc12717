/* door.h - a run at its control socket: what it answers, and what it does for those
 * who ask.
 *
 * The door is open from before the nodes are, so that a run that waits for its input
 * can be asked why, until after the last commit. A run whose door cannot be opened
 * runs all the same, and says so.
 *
 * Not here: sockets and keys (show/control.h), how it looks (show/status.h). */
#ifndef AFFERENT_CMD_DOOR_H
#define AFFERENT_CMD_DOOR_H

#include "cmd/stored.h"
#include "config/plan.h"
#include "flow/flow.h"
#include "show/lines.h"
#include "util/text.h"

struct door;

struct door_shape {
    const struct plan *plan; /* as door_flow */
    const char *file;
    struct stored *stored;
    struct lines *lines;
    /* [control thread] NULL: this run cannot do that. They answer as struct
     * control_work says. */
    int (*reload)(void *arg, const char *path, struct text *answer);
    int (*command)(void *arg, const char *node, const char *const *pairs, uint32_t count, struct text *answer);
    int (*stop)(void *arg, struct text *answer);
    /* Letters were given back to their nodes, which may look for them now. */
    void (*retried)(void *arg);
    void *arg;
};

/* [control] All of the shape is borrowed until door_close. NULL: it stays shut, and
 * the lines say why. */
struct door *door_open(const struct door_shape *shape);
void door_close(struct door **door);
/* [control] What is shown and changed from now on; flow NULL: nothing runs (it starts,
 * or ends), and `why` says what it waits for (copied; NULL: nothing). Waits for a
 * request that is being answered. A shut door (NULL) takes it too. */
void door_flow(struct door *door, const struct plan *plan, struct flow *flow, const char *why);

#endif
