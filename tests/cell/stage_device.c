/* stage_device.c - what a stage has for devices: descriptors to be watched, links. */
#include <string.h>

#include "stage.h"

static struct stage *stage_of(const struct aff_host *host)
{
    return (struct stage *)(uintptr_t)host;
}

static aff_status st_watch(const struct aff_host *host, int fd, uint32_t events)
{
    struct stage *s = stage_of(host);
    uint32_t i = 0;

    while (i < s->watch_count && s->watched[i].fd != fd)
        i++;
    if (events == 0) {
        if (i == s->watch_count)
            fprintf(s->out, "WRONG watch: it was not watched\n");
        else
            s->watched[i] = s->watched[--s->watch_count];
        return AFF_OK;
    }
    if (s->no_watch || i == sizeof s->watched / sizeof s->watched[0])
        return AFF_ERR_MEMORY;
    s->watched[i] = (struct pollfd){ .fd = fd, .events = (short)(events & AFF_WATCH_READ ? POLLIN : POLLOUT) };
    s->watch_count += i == s->watch_count;
    return AFF_OK;
}

static aff_status st_link_set(const struct aff_host *host, const struct aff_link *link)
{
    struct stage *s = stage_of(host);

    s->said = *link;
    s->said_count++;
    return AFF_OK;
}

static aff_status st_link_get(const struct aff_host *host, uint32_t index, struct aff_link *ret)
{
    struct stage *s = stage_of(host);
    aff_status st = AFF_END;

    pthread_mutex_lock(&s->lock);
    if (index < s->link_count) {
        *ret = s->links[index];
        st = AFF_OK;
    }
    pthread_mutex_unlock(&s->lock);
    return st;
}

static aff_status st_uplink(const struct aff_host *host, struct aff_uplink *ret)
{
    struct stage *s = stage_of(host);
    aff_status st;

    pthread_mutex_lock(&s->lock);
    *ret = s->uplink;
    ret->struct_size = sizeof *ret;
    st = s->uplink_status;
    pthread_mutex_unlock(&s->lock);
    return st;
}

static void st_link_spent(const struct aff_host *host, uint32_t index, uint64_t sent, uint64_t received)
{
    struct stage *s = stage_of(host);

    pthread_mutex_lock(&s->lock);
    s->sent[index % 16] += sent;
    s->received[index % 16] += received;
    pthread_mutex_unlock(&s->lock);
}

static void st_link_tried(const struct aff_host *host, uint32_t index, aff_status status)
{
    struct stage *s = stage_of(host);

    (void)index;
    pthread_mutex_lock(&s->lock);
    s->worked += status == AFF_OK;
    s->failed += status != AFF_OK;
    pthread_mutex_unlock(&s->lock);
}

void stage_device(struct stage *s)
{
    s->host.uplink = st_uplink;
    s->host.link_spent = st_link_spent;
    s->host.link_tried = st_link_tried;
    s->host.watch = st_watch;
    s->host.link_set = st_link_set;
    s->host.link_get = st_link_get;
}

bool stage_ready(struct stage *s, int most_ms)
{
    return poll(s->watched, s->watch_count, most_ms) > 0;
}
