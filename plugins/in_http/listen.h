/* SPDX-License-Identifier: Apache-2.0
 *
 * listen.h - the address of the server and its socket. Not here: TLS, HTTP (door.h). */
#ifndef IN_HTTP_LISTEN_H
#define IN_HTTP_LISTEN_H

#include <stdbool.h>
#include <sys/socket.h>

struct listen_address {
    struct sockaddr_storage any;
    socklen_t size;
    bool is_loopback;
    bool is_dual; /* all addresses of both families */
};

/* [any] NULL, or what is wrong with the text, what was expected, what to do. Names of hosts
 * are not asked for: an address, "localhost", or "*". */
const char *listen_read(const char *text, struct listen_address *ret);

/* [control] A socket that listens and does not block; -1 with errno. *ret_port: its port. */
int listen_open(const struct listen_address *at, unsigned *ret_port);

#endif
