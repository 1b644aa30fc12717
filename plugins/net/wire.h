/* SPDX-License-Identifier: Apache-2.0
 *
 * wire.h - how many bytes a TCP connection has carried, as the kernel counts them.
 *
 * TLS and all that is around the payload is in it. What IP and TCP put around that, and
 * what is sent again, comes on top: about 4 % on a good link.
 *
 * Not here: whom it is told (uplink.h). */
#ifndef NET_WIRE_H
#define NET_WIRE_H

#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

/* The kernel counts the other side's end as a byte that was received. */
static inline bool net_wire_is_ended(const struct tcp_info *info)
{
    enum { TIME_WAIT = 6, CLOSE_WAIT = 8, LAST_ACK = 9, CLOSING = 11 }; /* net/tcp_states.h */

    return info->tcpi_state == TIME_WAIT || info->tcpi_state == CLOSE_WAIT || info->tcpi_state == LAST_ACK ||
           info->tcpi_state == CLOSING;
}

/* [any] What was written to it, sent or still to be sent, and what came. False: the kernel
 * does not say, as of sockets that are not TCP's. */
static inline bool net_wire_count(int fd, uint64_t *ret_sent, uint64_t *ret_received)
{
    struct tcp_info info;
    socklen_t size = sizeof info;

    memset(&info, 0, sizeof info);
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0 ||
        size < offsetof(struct tcp_info, tcpi_bytes_retrans) + sizeof info.tcpi_bytes_retrans)
        return false;
    *ret_sent = info.tcpi_bytes_sent - info.tcpi_bytes_retrans + info.tcpi_notsent_bytes;
    *ret_received = info.tcpi_bytes_received - (net_wire_is_ended(&info) && info.tcpi_bytes_received > 0);
    return true;
}

#endif
