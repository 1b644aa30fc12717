/* SPDX-License-Identifier: Apache-2.0
 *
 * door.h - the server: its socket, its thread, its clock.
 *
 * libmicrohttpd is driven by a thread of its own, so that clients are heard, and told that it
 * takes longer, while the node waits for its readers or its store. That thread calls nothing
 * of the host. Not here: what a request says (talk.h), what becomes of it (intake.h). */
#ifndef IN_HTTP_DOOR_H
#define IN_HTTP_DOOR_H

#include "desk.h"
#include "listen.h"
#include "talk.h"

enum { DOOR_CAUSE = 200 };

struct door {
    const struct config *config;
    struct desk *desk;
    struct json *json;
    struct talk *talks; /* one a connection */
    uint32_t count;
    char *certificate, *key, *client_ca; /* PEM, of malloc */
    struct MHD_Daemon *daemon;
    int listen_fd; /* ours until the daemon has it */
    int epoll_fd;  /* the daemon's */
    pthread_t thread;
    bool runs;
    bool is_stopping; /* under the desk's lock */
    bool is_starting;
    char cause[DOOR_CAUSE];
};

/* [control] Reads certificate and key. Not AFF_OK: `cause` says why; door_close is safe. */
aff_status door_open(struct door *door, struct desk *desk, const struct config *config);
void door_close(struct door *door);
/* [data] Listens, from now on. AFF_ERR_IO: not now. *ret_port: where. */
aff_status door_start(struct door *door, unsigned *ret_port);
/* [data] Whoever waits is told that the node stops. Takes a second at most. */
void door_stop(struct door *door);

#endif
