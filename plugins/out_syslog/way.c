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
    net_uplink_open(&w->uplink, host, w->kind == WAY_TCP || w->kind == WAY_TLS);
    if (w->kind == WAY_UNIX)
        w->uplink.status = AFF_END; /* to this machine no link leads */
}

static void way_leave(struct way *w)
{
    datagram_close(w);
    stream_close(w);
    net_uplink_drop(&w->uplink);
    w->unsettled = 0;
}

void way_close(struct way *w)
{
    way_leave(w);
    text_free(&w->frame);
}

bool way_is_full(const struct way *w)
{
    return w->easy && w->unsettled >= SETTLE_BYTES;
}

bool way_is_sure(const struct way *w)
{
    return w->unsettled == 0;
}

/* A connection by the link that the pipeline's rules name now. */
static const char *way_ready(struct way *w)
{
    const char *interface = net_uplink_interface(&w->uplink);

    if (w->fd >= 0 || w->easy)
        return NULL;
    w->connections++;
    return w->kind <= WAY_UDP ? datagram_open(w, interface) : stream_open(w, interface);
}

/* What was sent by another link and not settled is in doubt. */
static const char *link_ready(struct way *w)
{
    bool was_open = w->fd >= 0 || w->easy, in_doubt = w->unsettled > 0;

    if (w->kind == WAY_UNIX)
        return NULL;
    if (net_uplink_look(&w->uplink) && was_open) {
        way_leave(w);
        if (in_doubt)
            return "the link changed; messages that were under way go again";
    }
    return net_uplink_goes(&w->uplink) ? NULL : "by the rules for links nothing may go out now";
}

static void way_fail(struct way *w)
{
    net_uplink_tried(&w->uplink, false);
    way_leave(w);
}

/* A daemon that began anew has another socket: that is tried once, at once. */
static const char *send_once(struct way *w, const char *bytes, size_t size)
{
    const char *why = link_ready(w);

    if (why)
        return why;
    why = way_ready(w);
    if (!why)
        why = w->kind <= WAY_UDP ? datagram_send(w, bytes, size) : stream_send(w, bytes, size);
    if (why)
        way_fail(w);
    else if (w->kind != WAY_UNIX)
        w->unsettled += size;
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
    if (why) {
        way_fail(w);
        return why;
    }
    w->unsettled = 0;
    net_uplink_tried(&w->uplink, true);
    net_uplink_spent(&w->uplink);
    return NULL;
}
