/* watch.c - descriptors that a plugin waits for. See watch.h. */
#include "flow/watch.h"

#include "flow/lane.h"

static short poll_events(uint32_t events)
{
    return (short)((events & AFF_WATCH_READ ? POLLIN : 0) | (events & AFF_WATCH_WRITE ? POLLOUT : 0));
}

bool watches_set(struct watches *w, int fd, uint32_t events)
{
    uint32_t i = 0;

    while (i < w->count && w->fds[i].fd != fd)
        i++;
    if (events == 0) {
        if (i < w->count)
            w->fds[i] = w->fds[--w->count];
        return true;
    }
    if (i == WATCHES)
        return false;
    w->fds[i] = (struct pollfd){ .fd = fd, .events = poll_events(events) };
    w->count += i == w->count;
    return true;
}

uint32_t watches_list(const struct lane *lane, struct pollfd *polls)
{
    uint32_t count = 0, i, k;

    for (i = 0; i < lane->node_count; i++) {
        const struct watches *w = &lane->nodes[i]->handle->watches;

        for (k = 0; k < w->count; k++)
            polls[count++] = w->fds[k];
    }
    return count;
}

/* A descriptor that was closed and not forgotten would be ready for ever. */
static bool look(struct node *node, const struct pollfd *polled)
{
    if (polled->revents & POLLNVAL) {
        flow_log(node->flow, AFF_LOG_ERROR, node->plan->name, "it watches a descriptor that is closed; forgotten");
        watches_set(&node->handle->watches, polled->fd, 0);
    }
    return polled->revents != 0;
}

bool watches_wake(struct lane *lane, const struct pollfd *polls)
{
    bool any = false;
    uint32_t i, k;

    for (i = 0; i < lane->node_count; i++) {
        struct node *node = lane->nodes[i];
        uint32_t count = node->handle->watches.count;

        for (k = 0; k < count; k++, polls++)
            if (look(node, polls)) {
                node->wake_ns = 0;
                any = true;
            }
    }
    return any;
}
