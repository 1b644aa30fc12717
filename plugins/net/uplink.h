/* SPDX-License-Identifier: Apache-2.0
 *
 * uplink.h - by which link the one connection of a sink goes, and what it has carried.
 *
 * The host says which link is to be used (host->uplink); told back are the bytes of the
 * connection, both ways, as wire.h counts them (host->link_spent), and whether it came
 * about (host->link_tried). A library closes its socket when it likes, so what is counted
 * is a second descriptor of it, which lives as long as what is to be told.
 *
 * All is the thread's that sends, but for opening. Not here: sinks of several connections
 * (http/uplink.h). */
#ifndef NET_UPLINK_H
#define NET_UPLINK_H

#include <afferent/plugin.h>

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <unistd.h>

#include "net/wire.h"

#define NET_HOST_HAS(host, function) \
    ((host)->struct_size > offsetof(struct aff_host, function) && (host)->function != NULL)

struct net_uplink {
    const struct aff_host *host;
    struct aff_uplink now;
    aff_status status;   /* AFF_OK: `now`; AFF_AGAIN: none; AFF_END: as the system routes */
    int fd;              /* the connection's; -1: there is none that counts */
    uint32_t index;      /* of its link */
    uint64_t sent, received; /* told so far */
};

/* Looks what the host says now. True: it is another link, the same anew, or none any more. */
static inline bool net_uplink_look(struct net_uplink *u)
{
    struct aff_uplink now = { .struct_size = sizeof now };
    aff_status st = NET_HOST_HAS(u->host, uplink) ? u->host->uplink(u->host, &now) : AFF_END;
    bool is_other = st != u->status || (st == AFF_OK && now.revision != u->now.revision);

    u->status = st;
    u->now = now;
    return is_other;
}

/* [control] `counts`: connections are of TCP, and so what they carry is told; else the host
 * counts payload. */
static inline void net_uplink_open(struct net_uplink *u, const struct aff_host *host, bool counts)
{
    *u = (struct net_uplink){ .host = host, .status = AFF_END, .fd = -1 };
    if (counts && NET_HOST_HAS(host, link_spent))
        host->link_spent(host, 0, 0, 0);
    (void)net_uplink_look(u);
}

static inline bool net_uplink_goes(const struct net_uplink *u)
{
    return u->status != AFF_AGAIN;
}

/* The interface that connections are bound to; "": none. */
static inline const char *net_uplink_interface(const struct net_uplink *u)
{
    return u->status == AFF_OK ? u->now.interface : "";
}

/* To that interface. False: errno says why. Any process may, since Linux 5.7. */
static inline bool net_uplink_bind(const struct net_uplink *u, int fd)
{
    const char *name = net_uplink_interface(u);

    return !*name || setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, (socklen_t)strlen(name)) == 0;
}

static inline int net_uplink_try(const struct net_uplink *u, const struct addrinfo *to)
{
    int fd = socket(to->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), error;

    if (fd < 0)
        return -1;
    if (net_uplink_bind(u, fd) && (connect(fd, to->ai_addr, to->ai_addrlen) == 0 || errno == EINPROGRESS))
        return fd;
    error = errno;
    (void)close(fd);
    errno = error;
    return -1;
}

/* Begins to connect to `host` by the interface. Of its addresses those to which there is no
 * way are passed over, and each other has its `turn`. -1: errno says why. */
static inline int net_uplink_connect(const struct net_uplink *u, const char *host, int port, unsigned turn)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list = NULL, *at;
    unsigned count = 0, i;
    char service[8];
    int fd = -1;

    (void)snprintf(service, sizeof service, "%d", port);
    errno = EHOSTUNREACH;
    if (getaddrinfo(host, service, &hints, &list) != 0)
        return -1;
    for (at = list; at; at = at->ai_next)
        count++;
    for (i = 0; i < 2 * count && fd < 0; i++) {
        at = i % count == 0 ? list : at->ai_next;
        if (i >= turn % count)
            fd = net_uplink_try(u, at);
    }
    freeaddrinfo(list);
    return fd;
}

/* ---- what it carries ---- */

/* Tells what went since the last time. */
static inline void net_uplink_spent(struct net_uplink *u)
{
    uint64_t sent = 0, received = 0;

    if (u->fd < 0 || !net_wire_count(u->fd, &sent, &received))
        return;
    sent = sent > u->sent ? sent - u->sent : 0;
    received = received > u->received ? received - u->received : 0;
    u->sent += sent;
    u->received += received;
    if ((sent > 0 || received > 0) && NET_HOST_HAS(u->host, link_spent))
        u->host->link_spent(u->host, u->index, sent, received);
}

/* The connection is over: the rest is told, and it ends, whether or not the library has let
 * go of it. */
static inline void net_uplink_drop(struct net_uplink *u)
{
    net_uplink_spent(u);
    if (u->fd >= 0) {
        (void)shutdown(u->fd, SHUT_RDWR);
        (void)close(u->fd);
    }
    u->fd = -1;
    u->sent = u->received = 0;
}

/* Nothing at all has come for so long. */
static inline bool net_uplink_is_silent(const struct net_uplink *u, unsigned ms)
{
    struct tcp_info info;
    socklen_t size = sizeof info;

    memset(&info, 0, sizeof info);
    return u->fd >= 0 && getsockopt(u->fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 && info.tcpi_last_ack_recv >= ms;
}

/* A connection begins, by the link as it was looked at last; its socket is borrowed. */
static inline void net_uplink_take(struct net_uplink *u, int fd)
{
    net_uplink_drop(u);
    u->index = u->now.index;
    u->fd = fd >= 0 ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1;
}

/* It came about, or not: whatever the other side said. */
static inline void net_uplink_tried(const struct net_uplink *u, bool came_through)
{
    if (u->status == AFF_OK && NET_HOST_HAS(u->host, link_tried))
        u->host->link_tried(u->host, u->now.index, came_through ? AFF_OK : AFF_ERR_IO);
}

#endif
