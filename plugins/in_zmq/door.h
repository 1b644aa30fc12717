/* SPDX-License-Identifier: Apache-2.0
 *
 * door.h - the socket that nodes connect to, and who is let in.
 *
 * ZeroMQ asks (ZAP, RFC 27) before a byte of a peer is given to anybody; one whose key is
 * not on the list goes. All sockets belong to the lane: nothing here waits, and after each
 * call that used a socket its descriptor may have nothing to say although there is
 * something (it is edge-triggered), so a caller takes until door_take has nothing.
 *
 * Not here: what messages mean (intake.h). */
#ifndef IN_ZMQ_DOOR_H
#define IN_ZMQ_DOOR_H

#include <zmq.h>

#include "peers.h"

enum { DOOR_FDS = 3 };

struct door {
    struct peers *peers;
    void *context, *router, *zap, *events;
    uint64_t keys, handshakes, malformed; /* turned away: no key of the list, no handshake, no message of two frames */
};

/* A message; the payload is borrowed until the next door_take or door_close. */
struct message {
    struct peer *peer;
    struct life *life; /* whoever takes the message finds it */
    struct route route;
    zmq_msg_t head, payload;
};

/* [control] `largest`: bytes of one frame. False: errno says why. */
bool door_open(struct door *door, struct peers *peers, const struct curve_pair *pair, int64_t largest);
bool door_bind(struct door *door, const char *address);
void door_close(struct door *door);
/* [control] What to watch, DOOR_FDS of them. */
void door_fds(const struct door *door, int fds[DOOR_FDS]);

/* [data] Answers who asks to be let in, and gives the next message; head and payload were
 * made and are closed by the next call. False: there is none. */
bool door_take(struct door *door, struct message *message);
/* [data] Says something to a connection; one that is gone, or does not read, hears nothing. */
void door_say(struct door *door, const struct route *route, const struct link_head *head);

#endif
