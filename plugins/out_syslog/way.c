/* way.c - see way.h. */
#include "way_inside.h"

#include <errno.h>
#include <poll.h>
#include <time.h>

int64_t way_now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 * MS + t.tv_nsec;
}

bool way_wait(int fd, short events, int64_t until_ns)
{
    struct pollfd p = { fd, events, 0 };
    int64_t left = until_ns - way_now();
    int rc = left > 0 ? poll(&p, 1, (int)((left + MS - 1) / MS)) : 0;

    return rc > 0 || (rc < 0 && errno == EINTR);
}

void way_open(struct way *w, const struct aff_host *host, const struct config *config)
{
    *w = (struct way){ .config = config, .host = host, .kind = config_way(config), .fd = -1 };
}

void way_close(struct way *w)
{
    datagram_close(w);
    stream_close(w);
}

bool way_is_sure(const struct way *w)
{
    return w->kind == WAY_UNIX;
}

/* A connection by the link that the pipeline's rules name now. */
static const char *way_ready(struct way *w)
{
    struct aff_uplink link = { .struct_size = sizeof link };
    aff_status st = w->kind == WAY_UNIX ? AFF_END : w->host->uplink(w->host, &link);

    if (st == AFF_AGAIN) {
        way_close(w);
        return "by the rules for links nothing may go out now";
    }
    if (st != AFF_OK)
        link = (struct aff_uplink){ 0 };
    if (link.revision != w->link)
        way_close(w);
    w->link = link.revision;
    if (w->fd >= 0 || w->easy)
        return NULL;
    w->connections++;
    return w->kind <= WAY_UDP ? datagram_open(w, link.interface) : stream_open(w, link.interface);
}

/* A daemon that began anew has another socket: that is tried once, at once. */
static const char *send_once(struct way *w, const char *bytes, size_t size)
{
    const char *why = way_ready(w);

    if (!why)
        why = w->kind <= WAY_UDP ? datagram_send(w, bytes, size) : stream_send(w, bytes, size);
    if (why)
        way_close(w);
    return why;
}

const char *way_send(struct way *w, const char *bytes, size_t size)
{
    bool was_open = w->fd >= 0;
    const char *why = send_once(w, bytes, size);

    return why && was_open && w->kind == WAY_UNIX ? send_once(w, bytes, size) : why;
}

const char *way_settle(struct way *w)
{
    const char *why = NULL;

    if (w->fd >= 0)
        why = datagram_settle(w);
    else if (w->easy)
        why = stream_settle(w);
    if (why)
        way_close(w);
    return why;
}
