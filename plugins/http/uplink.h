/* SPDX-License-Identifier: Apache-2.0
 *
 * uplink.h - by which link requests go, and what goes over the wire.
 *
 * The host says which link is to be used (host->uplink): each connection is bound to its
 * interface. What is told back (host->link_spent) is the bytes of the TCP connections, both
 * ways, with TLS and all headers of HTTP, as the kernel counts them (TCP_INFO): what was
 * written, sent or still to be sent, and what was received. What IP and TCP put around it,
 * and what is sent again, comes on top: about 4 % on a good link.
 *
 * All is the thread's that sends, but for opening and closing.
 *
 * Not here: when something is sent (loop.c). */
#ifndef HTTP_UPLINK_H
#define HTTP_UPLINK_H

#include "http/transfer.h"

struct wire_socket {
    int fd;
    uint32_t index; /* of its link */
    uint64_t sent, received; /* told so far */
};

struct http_uplink {
    const struct aff_host *host;
    struct aff_uplink now;
    aff_status status; /* AFF_OK: `now`; AFF_AGAIN: none; AFF_END: as the system routes */
    struct wire_socket *sockets;
    uint32_t count, room;
};

/* [control] */
void http_uplink_open(struct http_uplink *u, const struct aff_host *host);
/* [control] After the connections were closed. */
void http_uplink_close(struct http_uplink *u);

/* Looks what the host says now. True: it is another link, the same anew, or none any more. */
bool http_uplink_look(struct http_uplink *u);
static inline bool http_uplink_goes(const struct http_uplink *u)
{
    return u->status != AFF_AGAIN;
}
/* The request that is loaded goes by it. False: no memory. */
bool http_uplink_use(struct http_uplink *u, struct transfer *t);
/* Whether a request that is under way went by another. */
bool http_uplink_is_other(const struct http_uplink *u, const struct transfer *t);
/* It came through, or not: whatever the server said. */
void http_uplink_tried(const struct http_uplink *u, const struct transfer *t, bool came_through);
/* Tells what went since the last time. */
void http_uplink_spent(struct http_uplink *u);

#endif
