/* datagram.c - a message a datagram: to a daemon of this machine, or by UDP (RFC 5426).
 *
 * Sockets are connected, so that the kernel tells of errors that come back: a collector
 * that does not run, a daemon that is gone.
 *
 * Not here: when to connect anew (way.c). */
#include "way_inside.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static const char *errno_why(int code, enum way_kind kind)
{
    switch (code) {
    case ENOENT:
    case ECONNREFUSED:
    case ENOTCONN:
    case ECONNRESET:
        return kind == WAY_UNIX ? "no daemon is at the socket; start it, or check url"
                                : "nothing takes messages at the collector's address; check the collector and url";
    case EPROTOTYPE:
        return "the daemon's socket is no datagram socket; check url";
    case EACCES:
    case EPERM:
        return "the socket may not be written to; check its permissions";
    case EAGAIN:
        return "the daemon takes no messages in time; see why it is slow";
    case EMSGSIZE:
        return "a message is longer than a datagram may be here; lower max_bytes";
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
        return "no way leads to the collector; check the link";
    default:
        return "a message cannot be sent";
    }
}

void datagram_close(struct way *w)
{
    if (w->fd >= 0)
        (void)close(w->fd);
    w->fd = -1;
}

static const char *unix_open(struct way *w)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", w->config->url + strlen("unix://"));
    w->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (w->fd >= 0 && connect(w->fd, (const struct sockaddr *)(const void *)&address, sizeof address) == 0)
        return NULL;
    return errno_why(errno, WAY_UNIX);
}

/* Host and port of the URL: "udp://host:514" or "udp://[::1]:514", as validated. */
static struct addrinfo *addresses_of(const char *url)
{
    const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICSERV };
    const char *host = strstr(url, "://") + 3, *colon = strrchr(host, ':');
    bool is_bracketed = *host == '[';
    struct addrinfo *found = NULL;
    char name[256], port[8];
    int length = (int)(colon - host) - (is_bracketed ? 2 : 0);

    (void)snprintf(name, sizeof name, "%.*s", length, host + (is_bracketed ? 1 : 0));
    (void)snprintf(port, sizeof port, "%.*s", (int)strspn(colon + 1, "0123456789"), colon + 1);
    return getaddrinfo(name, port, &hints, &found) == 0 ? found : NULL;
}

static const char *udp_open(struct way *w, const char *interface)
{
    struct addrinfo *all = addresses_of(w->config->url), *a;
    const char *why = all ? NULL : "the collector's name is not found; check the link and url";

    for (a = all; a; a = a->ai_next) {
        w->fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->ai_protocol);
        why = NULL;
        if (w->fd >= 0 && (!*interface || setsockopt(w->fd, SOL_SOCKET, SO_BINDTODEVICE, interface, (socklen_t)strlen(interface)) == 0) &&
            connect(w->fd, a->ai_addr, a->ai_addrlen) == 0)
            break;
        why = errno_why(errno, WAY_UDP);
        datagram_close(w);
    }
    if (all)
        freeaddrinfo(all);
    return why;
}

const char *datagram_open(struct way *w, const char *interface)
{
    const char *why = w->kind == WAY_UNIX ? unix_open(w) : udp_open(w, interface);

    if (why)
        datagram_close(w);
    return why;
}

const char *datagram_send(struct way *w, const char *bytes, size_t size)
{
    int64_t until = way_now() + w->config->timeout;

    for (;;) {
        if (send(w->fd, bytes, size, MSG_NOSIGNAL) >= 0)
            return NULL;
        if (errno != EAGAIN && errno != EINTR && errno != ENOBUFS)
            return errno_why(errno, w->kind);
        if (errno != EINTR && !way_wait(w->fd, POLLOUT, until))
            return errno_why(EAGAIN, w->kind);
    }
}

const char *datagram_settle(struct way *w)
{
    int code = 0;
    socklen_t size = sizeof code;

    if (getsockopt(w->fd, SOL_SOCKET, SO_ERROR, &code, &size) != 0 || code == 0)
        return NULL;
    return errno_why(code, w->kind);
}
