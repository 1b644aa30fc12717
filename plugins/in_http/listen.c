/* SPDX-License-Identifier: Apache-2.0
 *
 * listen.c - see listen.h. */
#include "listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

enum { BACKLOG = 512, PORT_DIGITS = 5, HOST_MOST = 63 };

static bool port_read(const char *text, uint16_t *ret)
{
    uint32_t port = 0;
    int i;

    for (i = 0; text[i] >= '0' && text[i] <= '9' && i < PORT_DIGITS; i++)
        port = port * 10 + (uint32_t)(text[i] - '0');
    *ret = (uint16_t)port;
    return i > 0 && !text[i] && port <= 65535;
}

static void six_set(struct listen_address *at, const struct in6_addr *address, uint16_t port)
{
    struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = *address };

    memcpy(&at->any, &six, sizeof six);
    at->size = sizeof six;
    at->is_loopback = IN6_IS_ADDR_LOOPBACK(address);
}

static void four_set(struct listen_address *at, struct in_addr address, uint16_t port)
{
    struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = address };

    memcpy(&at->any, &four, sizeof four);
    at->size = sizeof four;
    at->is_loopback = ntohl(address.s_addr) >> 24 == 127;
}

const char *listen_read(const char *text, struct listen_address *ret)
{
    const char *colon = strrchr(text, ':');
    char host[HOST_MOST + 1];
    struct in6_addr six = IN6ADDR_ANY_INIT;
    struct in_addr four;
    size_t length = colon ? (size_t)(colon - text) : 0;
    uint16_t port;

    memset(ret, 0, sizeof *ret);
    if (!colon || length == 0 || length > HOST_MOST || !port_read(colon + 1, &port))
        return "is no ADDRESS:PORT; expected one such as \"127.0.0.1:8080\", \"[::1]:8080\" or \"*:8443\"; write it so";
    memcpy(host, text, length);
    host[length] = '\0';
    if (strcmp(host, "*") == 0) {
        six_set(ret, &six, port);
        ret->is_dual = true;
        return NULL;
    }
    if (host[0] == '[' && host[length - 1] == ']') {
        host[length - 1] = '\0';
        if (inet_pton(AF_INET6, host + 1, &six) == 1) {
            six_set(ret, &six, port);
            return NULL;
        }
    }
    if (inet_pton(AF_INET, strcmp(host, "localhost") == 0 ? "127.0.0.1" : host, &four) != 1)
        return "has no address before its port; expected one of this machine in digits (IPv6 in brackets), localhost, or *; "
               "correct it";
    four_set(ret, four, port);
    return NULL;
}

static bool listen_now(int fd, const struct listen_address *at, unsigned *ret_port)
{
    struct sockaddr_storage bound;
    socklen_t size = sizeof bound;
    int on = 1, only = !at->is_dual;
    uint16_t port;

    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (at->any.ss_family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only) != 0)
        return false;
    if (bind(fd, (const struct sockaddr *)&at->any, at->size) != 0 || listen(fd, BACKLOG) != 0 ||
        getsockname(fd, (struct sockaddr *)&bound, &size) != 0)
        return false;
    /* both families have it at the same place */
    memcpy(&port, (const char *)&bound + offsetof(struct sockaddr_in, sin_port), sizeof port);
    *ret_port = ntohs(port);
    return true;
}

/* A machine without IPv6 has all addresses of IPv4. */
static int four_instead(unsigned *ret_port, const struct listen_address *at)
{
    struct listen_address four = { .is_loopback = false };
    struct sockaddr_in6 six;

    memcpy(&six, &at->any, sizeof six);
    four_set(&four, (struct in_addr){ htonl(INADDR_ANY) }, ntohs(six.sin6_port));
    return listen_open(&four, ret_port);
}

int listen_open(const struct listen_address *at, unsigned *ret_port)
{
    int fd = socket(at->any.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), error;

    if (fd < 0)
        return errno == EAFNOSUPPORT && at->is_dual ? four_instead(ret_port, at) : -1;
    if (listen_now(fd, at, ret_port))
        return fd;
    error = errno;
    (void)close(fd);
    errno = error;
    return -1;
}
