/* wakes.c - how a child whose descriptors are ready asks to be called.
 *
 * What a plugin watches lives in its child, so the child waits, between two calls; what
 * the host watches in its place is one end of a pair of sockets. A byte on it asks for
 * `read` or `wake`, also one that a thread of the plugin's own sends (host->rouse). In the other direction a byte says that the bell was rung, to a
 * child that sleeps on descriptors. So nobody waits in a call, and the host's thread is
 * free for all else meanwhile.
 *
 * The host takes what is there and waits for nothing: flags of a socket that are given
 * with each operation are no child's to change. One that closed its end is not listened
 * to any more.
 *
 * Not here: the child's side (child_wakes.c). */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cell/inside.h"

enum { TAKEN_AT_ONCE = 4096, AGAIN_NS = 10000000 };

int wakes_make(struct wakes *w)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0)
        return errno;
    *w = (struct wakes){ .fd = ends[0], .child_fd = ends[1], .at_ns = w->at_ns };
    return 0;
}

void wakes_given(struct wakes *w)
{
    if (w->child_fd >= 0)
        close(w->child_fd);
    w->child_fd = -1;
}

/* Both sides first say what they do, then look at what the other said: page.h, child_wakes.c. */
void wakes_post(const struct cell *cell)
{
    if (atomic_load(&cell->pages.child->polls) != 0)
        send(cell->wakes.fd, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void unwatch(struct cell *cell)
{
    if (cell->wakes.is_watched)
        cell->host->watch(cell->host, cell->wakes.fd, 0);
    cell->wakes.is_watched = false;
}

void wakes_take(struct cell *cell)
{
    uint8_t bytes[TAKEN_AT_ONCE];
    ssize_t got;

    if (!cell->wakes.is_watched)
        return;
    do
        got = recv(cell->wakes.fd, bytes, sizeof bytes, MSG_DONTWAIT);
    while (got < 0 && errno == EINTR);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK))
        unwatch(cell); /* it is gone, which the call will see, or deaf by its own will */
}

const char *wakes_check(const struct entry *e)
{
    return e->a <= PAGE_WATCHES ? NULL : "more descriptors watched than one may";
}

void wakes_listen(struct cell *cell)
{
    const struct aff_plugin *about = &cell->plugin->about;

    if (HOST_HAS(cell->host, watch) && !cell->wakes.is_watched && (about->kind == AFF_SOURCE || about->wake))
        cell->wakes.is_watched = cell->host->watch(cell->host, cell->wakes.fd, AFF_WATCH_READ) >= 0;
}

bool wakes_book(struct cell *cell, const struct entry *e)
{
    cell->wakes.count = e->a;
    if (e->a == 0)
        return true;
    wakes_listen(cell);
    return cell->wakes.is_watched || !HOST_HAS(cell->host, watch);
}

void wakes_at(struct cell *cell, int64_t boot_ns)
{
    cell->wakes.at_ns = boot_ns;
    cell->host->wake_at(cell->host, boot_ns);
}

/* The host sees one that watches, and would ask it less often. */
void wakes_again(struct cell *cell)
{
    int64_t now = cell->host->now_ns(cell->host);

    if (cell->wakes.is_watched && cell->wakes.count == 0 && cell->wakes.at_ns <= now)
        cell->host->wake_at(cell->host, now + AGAIN_NS);
}

void wakes_end(struct cell *cell)
{
    struct wakes *w = &cell->wakes;

    unwatch(cell);
    wakes_given(w);
    if (w->fd >= 0)
        close(w->fd);
    *w = (struct wakes){ .fd = -1, .child_fd = -1, .at_ns = w->at_ns };
}
