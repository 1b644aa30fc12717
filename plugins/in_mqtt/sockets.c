/* SPDX-License-Identifier: Apache-2.0
 *
 * sockets.c - see sockets.h. */
#include "sockets.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static bool leads_to(int fd, uint16_t port)
{
    union {
        struct sockaddr any;
        struct sockaddr_in four;
        struct sockaddr_in6 six;
    } peer;
    socklen_t size = sizeof peer;

    memset(&peer, 0, sizeof peer);
    if (getpeername(fd, &peer.any, &size) != 0)
        return false;
    return (peer.any.sa_family == AF_INET && ntohs(peer.four.sin_port) == port) ||
           (peer.any.sa_family == AF_INET6 && ntohs(peer.six.sin6_port) == port);
}

/* By the name that /proc gives it: descriptors of others are not touched. 0: no socket. */
static uint64_t inode_of(int fd)
{
    char path[32], name[64];
    uint64_t inode = 0;
    ssize_t size;

    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    size = readlink(path, name, sizeof name - 1);
    if (size <= 0)
        return 0;
    name[size] = '\0';
    return sscanf(name, "socket:[%" SCNu64 "]", &inode) == 1 ? inode : 0;
}

void sockets_find(struct sockets *to, uint16_t port)
{
    DIR *folder = opendir("/proc/self/fd");
    const struct dirent *entry;

    to->count = 0;
    while (folder && to->count < SOCKETS_MOST && (entry = readdir(folder)) != NULL) {
        int fd = atoi(entry->d_name);
        uint64_t inode = entry->d_name[0] == '.' ? 0 : inode_of(fd);

        if (inode == 0 || !leads_to(fd, port))
            continue;
        to->inodes[to->count] = inode;
        to->fds[to->count++] = fd;
    }
    if (folder)
        (void)closedir(folder);
}

int sockets_new(const struct sockets *before, const struct sockets *now)
{
    int found = -1;
    uint32_t i, k;

    if (before->count == SOCKETS_MOST || now->count == SOCKETS_MOST)
        return -1;
    for (i = 0; i < now->count; i++) {
        for (k = 0; k < before->count && before->inodes[k] != now->inodes[i]; k++)
            continue;
        if (k < before->count)
            continue;
        if (found >= 0)
            return -1;
        found = (int)i;
    }
    return found;
}

bool socket_cut(int fd, uint64_t inode)
{
    return inode != 0 && inode_of(fd) == inode && shutdown(fd, SHUT_RDWR) == 0;
}
