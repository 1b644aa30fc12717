/* uplink_interface.c - whether a network interface is up.
 *
 * Asked by ioctl, in the network namespace of this process, so that it needs no /sys
 * (netdevice(7)). Running means that there is a carrier; an address may still be missing,
 * and then the first attempt says so.
 *
 * Not here: who asks (uplink.c). */
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "flow/uplink_inside.h"

#define EVERY_NS INT64_C(1000000000)

static bool ask(int fd, const char *name)
{
    struct ifreq request;

    memset(&request, 0, sizeof request);
    strncpy(request.ifr_name, name, sizeof request.ifr_name - 1u);
    if (ioctl(fd, SIOCGIFFLAGS, &request) != 0)
        return false;
    return (request.ifr_flags & IFF_UP) && (request.ifr_flags & IFF_RUNNING);
}

bool interface_is_up(struct interfaces *in, uint32_t i, const char *name, int64_t now)
{
    if (in->fd < 0)
        in->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (in->fd < 0)
        return true;
    if (in->asked_ns[i] != 0 && now - in->asked_ns[i] < EVERY_NS && now >= in->asked_ns[i])
        return in->is_up[i];
    in->asked_ns[i] = now ? now : 1;
    in->is_up[i] = ask(in->fd, name);
    return in->is_up[i];
}

void interfaces_close(struct interfaces *in)
{
    if (in->fd >= 0)
        close(in->fd);
    in->fd = -1;
}
