/* SPDX-License-Identifier: Apache-2.0
 *
 * testing.h - a port of the loopback that nobody listens at, for tests of both plugins. */
#ifndef MQTT_TESTING_H
#define MQTT_TESTING_H

#include <arpa/inet.h>
#include <sys/socket.h>

/* A socket that is bound and does not listen, so that nobody else takes the port; -1: none. */
static inline int port_of_nobody(unsigned *ret_port)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t length = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&at, length) != 0 || getsockname(fd, (struct sockaddr *)&at, &length) != 0)
        return -1;
    *ret_port = ntohs(at.sin_port);
    return fd;
}

#endif
