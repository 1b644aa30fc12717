/* SPDX-License-Identifier: Apache-2.0
 *
 * uplink.c - see uplink.h.
 *
 * libcurl asks here for each socket and gives it back here, so that none is missed; a
 * connection lives longer than the request that opened it. */
#include "http/uplink.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/uplink.h"

void http_uplink_open(struct http_uplink *u, const struct aff_host *host)
{
    *u = (struct http_uplink){ .host = host, .status = AFF_END };
    if (NET_HOST_HAS(host, link_spent))
        host->link_spent(host, 0, 0, 0);
    (void)http_uplink_look(u);
}

void http_uplink_close(struct http_uplink *u)
{
    free(u->sockets);
    u->sockets = NULL;
    u->count = u->room = 0;
}

/* Connections by another link may lead nowhere any more: libcurl sees that they have ended. */
static void sockets_end(const struct http_uplink *u)
{
    for (uint32_t i = 0; i < u->count; i++)
        (void)shutdown(u->sockets[i].fd, SHUT_RDWR);
}

bool http_uplink_look(struct http_uplink *u)
{
    struct aff_uplink now = { .struct_size = sizeof now };
    aff_status st = NET_HOST_HAS(u->host, uplink) ? u->host->uplink(u->host, &now) : AFF_END;
    bool is_other = st != u->status || (st == AFF_OK && now.revision != u->now.revision);

    u->status = st;
    u->now = now;
    if (is_other)
        sockets_end(u);
    return is_other;
}

/* ---- sockets ---- */

static void socket_tell(struct http_uplink *u, struct wire_socket *s)
{
    uint64_t sent = 0, received = 0;

    if (!net_wire_count(s->fd, &sent, &received))
        return;
    sent = sent > s->sent ? sent - s->sent : 0;
    received = received > s->received ? received - s->received : 0;
    s->sent += sent;
    s->received += received;
    if ((sent > 0 || received > 0) && NET_HOST_HAS(u->host, link_spent))
        u->host->link_spent(u->host, s->index, sent, received);
}

static bool sockets_fit(struct http_uplink *u)
{
    uint32_t room = u->room ? 2u * u->room : 8u;
    struct wire_socket *sockets;

    if (u->count < u->room)
        return true;
    sockets = realloc(u->sockets, room * sizeof *sockets);
    if (!sockets)
        return false;
    u->sockets = sockets;
    u->room = room;
    return true;
}

/* CURLOPT_OPENSOCKETFUNCTION. */
static curl_socket_t socket_open(void *self, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct http_uplink *u = self;
    int fd;

    (void)purpose;
    if (!sockets_fit(u))
        return CURL_SOCKET_BAD;
    fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    if (fd < 0)
        return CURL_SOCKET_BAD;
    u->sockets[u->count++] = (struct wire_socket){ .fd = fd, .index = u->now.index };
    return fd;
}

/* CURLOPT_CLOSESOCKETFUNCTION. */
static int socket_close(void *self, curl_socket_t fd)
{
    struct http_uplink *u = self;

    for (uint32_t i = 0; i < u->count; i++)
        if (u->sockets[i].fd == fd) {
            socket_tell(u, &u->sockets[i]);
            u->sockets[i] = u->sockets[--u->count];
            break;
        }
    return close(fd);
}

void http_uplink_spent(struct http_uplink *u)
{
    for (uint32_t i = 0; i < u->count; i++)
        socket_tell(u, &u->sockets[i]);
}

/* ---- requests ---- */

/* "if!": a name that is no interface is not taken for a host's. */
bool http_uplink_use(struct http_uplink *u, struct transfer *t)
{
    char interface[sizeof u->now.interface + 4];
    const char *bind = NULL;

    if (u->status == AFF_OK && u->now.interface[0]) {
        (void)snprintf(interface, sizeof interface, "if!%s", u->now.interface);
        bind = interface;
    }
    t->uplink = u->now.revision;
    return curl_easy_setopt(t->easy, CURLOPT_OPENSOCKETFUNCTION, socket_open) == CURLE_OK &&
           curl_easy_setopt(t->easy, CURLOPT_OPENSOCKETDATA, u) == CURLE_OK &&
           curl_easy_setopt(t->easy, CURLOPT_CLOSESOCKETFUNCTION, socket_close) == CURLE_OK &&
           curl_easy_setopt(t->easy, CURLOPT_CLOSESOCKETDATA, u) == CURLE_OK &&
           curl_easy_setopt(t->easy, CURLOPT_INTERFACE, bind) == CURLE_OK;
}

bool http_uplink_is_other(const struct http_uplink *u, const struct transfer *t)
{
    return u->status == AFF_AGAIN || (u->status == AFF_OK && t->uplink != u->now.revision);
}

void http_uplink_tried(const struct http_uplink *u, const struct transfer *t, bool came_through)
{
    if (u->status == AFF_OK && t->uplink == u->now.revision && NET_HOST_HAS(u->host, link_tried))
        u->host->link_tried(u->host, u->now.index, came_through ? AFF_OK : AFF_ERR_IO);
}
