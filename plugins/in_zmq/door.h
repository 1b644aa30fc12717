/* SPDX-License-Identifier: Apache-2.0
 *
 * door.h - the socket that nodes connect to, and who is let in.
 *
 * ZeroMQ asks (ZAP, RFC 27) before a byte of a peer is given to anybody; one whose key is
 * not on the list goes. A thread answers that, and hears of handshakes that failed: so who
 * knocks is answered, and nothing piles up, while the pipeline is full and nobody reads.
 * Messages are the lane's: nothing here waits, and after each call that used the socket its
 * descriptor may have nothing to say although there is something (it is edge-triggered), so
 * a caller takes until door_take has nothing.
 *
 * Not here: what messages mean (intake.h). */
#ifndef IN_ZMQ_DOOR_H
#define IN_ZMQ_DOOR_H

#include <pthread.h>
#include <stdatomic.h>
#include <zmq.h>

#include "peers.h"

struct door {
    struct peers *peers; /* the thread reads keys and names, which stay as they are */
    void *context, *router;
    void *zap, *events; /* the thread's, while it runs */
    int bell;           /* eventfd: the thread is to end */
    pthread_t thread;
    bool runs;
    _Atomic uint64_t keys, handshakes; /* turned away: no key of the list, no handshake */
    uint64_t malformed; /* no message of two frames */
};

/* A message; the payload is borrowed until the next door_take or door_close. */
struct message {
    struct peer *peer;
    struct life *life; /* whoever takes the message finds it */
    struct route route;
    zmq_msg_t head, payload;
};

/* [control] `largest`: bytes of one frame. The host is roused when somebody was turned away.
 * False: no memory, descriptor or thread; door_close all the same. */
bool door_open(struct door *door, struct peers *peers, const struct curve_pair *pair, int64_t largest);
bool door_bind(struct door *door, const char *address);
void door_close(struct door *door);
/* [control] What to watch; -1: there is none. */
int door_fd(const struct door *door);

/* [data] Gives the next message; head and payload were made and are closed by the next call.
 * False: there is none. */
bool door_take(struct door *door, struct message *message);
/* [data] Says something to a connection; one that is gone, or does not read, hears nothing. */
void door_say(struct door *door, const struct route *route, const struct link_head *head);

#endif
