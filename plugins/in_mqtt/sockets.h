/* SPDX-License-Identifier: Apache-2.0
 *
 * sockets.h - which sockets of this process lead to a port.
 *
 * Paho gives nobody its socket. The one that is there after a connection was made, and was
 * not before, is it; where that is not one alone, nobody can say which. */
#ifndef IN_MQTT_SOCKETS_H
#define IN_MQTT_SOCKETS_H

#include <stdbool.h>
#include <stdint.h>

enum { SOCKETS_MOST = 64 };

struct sockets {
    uint64_t inodes[SOCKETS_MOST];
    int fds[SOCKETS_MOST];
    uint32_t count; /* SOCKETS_MOST: there may be more */
};

/* [any] Those that are connected to this port of any host; none where /proc is not to be read. */
void sockets_find(struct sockets *to, uint16_t port);
/* [any] The one of `now` that was not `before`: its place; -1: none, or not one alone. */
int sockets_new(const struct sockets *before, const struct sockets *now);
/* [any] Ends the connection, without closing, if the descriptor is still that socket. */
bool socket_cut(int fd, uint64_t inode);

#endif
