/* door_inside.h - what door.c and door_status.c share. */
#ifndef AFFERENT_CMD_DOOR_INSIDE_H
#define AFFERENT_CMD_DOOR_INSIDE_H

#include <pthread.h>

#include "cmd/door.h"
#include "show/control.h"

struct door {
    struct door_shape shape;
    struct place_paths paths;
    struct control *control;
    int64_t begun_ns; /* boot clock */
    pthread_mutex_t lock;
    const struct plan *plan;
    struct flow *flow;
    char why[256]; /* what it waits for, while no flow is there */
};

/* [control thread, the lock is held] False: no memory. */
bool door_status(struct door *door, int64_t now_ns, bool json, struct text *answer);

#endif
