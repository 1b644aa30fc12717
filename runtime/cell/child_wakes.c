/* child_wakes.c - host functions of a child for devices: descriptors that it waits for,
 * links.
 *
 * It waits between calls, for its descriptors and for its host at once. Where one is
 * ready it says so once (wakes.c), and then waits for its host alone until `read` or
 * `wake` has been called: what is ready stays so until somebody reads it.
 *
 * Not here: the wait without descriptors (child.c). */
#include <string.h>
#include <unistd.h>

#include "cell/kid.h"

/* ---- descriptors ---- */

static short events_of(uint32_t events)
{
    return (short)((events & AFF_WATCH_READ ? POLLIN : 0) | (events & AFF_WATCH_WRITE ? POLLOUT : 0));
}

static void forget(struct kid_wakes *w, uint32_t i)
{
    w->fds[i] = w->fds[--w->count];
}

static aff_status wakes_watch(const struct aff_host *host, int fd, uint32_t events)
{
    struct kid *kid = kid_of(host);
    struct kid_wakes *w = &kid->wakes;
    uint32_t i = 0;

    if (!pthread_equal(kid->thread, pthread_self()) || !kid->in_call)
        return AFF_ERR_BUG;
    while (i < w->count && w->fds[i].fd != fd)
        i++;
    if (events == 0) {
        if (i < w->count)
            forget(w, i);
        return AFF_OK;
    }
    if (i == PAGE_WATCHES)
        return host->explain(host, AFF_ERR_MEMORY, "it waits for more than %d descriptors at once", PAGE_WATCHES);
    w->fds[i] = (struct pollfd){ .fd = fd, .events = events_of(events) };
    w->count += i == w->count;
    return AFF_OK;
}

bool kid_polls(const struct kid *kid)
{
    return kid->wakes.count > 0 && !kid->wakes.said && !kid->in_call;
}

static bool any_ready(const struct kid_wakes *w)
{
    uint32_t i = 0;

    while (i < w->count && w->fds[i].revents == 0)
        i++;
    return i < w->count;
}

static bool is_called(const struct kid *kid)
{
    return atomic_load(&kid->page->bell) != kid->bell_seen;
}

/* The host rings its bell, then looks whether this child polls. */
void kid_poll(struct kid *kid, const struct timespec *most)
{
    struct kid_wakes *w = &kid->wakes;
    struct pollfd *host = &w->fds[w->count];
    uint8_t bytes[64];
    int got = 0;

    *host = (struct pollfd){ .fd = CELL_FD_WAKES, .events = POLLIN };
    atomic_store(&kid->out->polls, 1);
    if (!is_called(kid))
        got = ppoll(w->fds, w->count + 1u, most, NULL);
    atomic_store(&kid->out->polls, 0);
    if (got <= 0)
        return;
    if (host->revents == POLLIN && read(CELL_FD_WAKES, bytes, sizeof bytes) < 0)
        return;
    if (host->revents & ~POLLIN) /* the plugin closed it: there is nobody to tell */
        w->said = true;
    else if (any_ready(w) && !is_called(kid))
        w->said = write(CELL_FD_WAKES, "", 1) != 0; /* where there is no room, much of that was said */
}

/* A descriptor that was closed and not forgotten would be ready for ever. */
void kid_wakes_begin(struct kid *kid)
{
    struct kid_wakes *w = &kid->wakes;
    uint32_t i = 0;

    if (kid->page->call != PAGE_CALL_READ && kid->page->call != PAGE_CALL_WAKE)
        return;
    w->said = false;
    while (i < w->count) {
        bool is_closed = w->fds[i].revents & POLLNVAL;

        w->fds[i].revents = 0;
        if (!is_closed) {
            i++;
            continue;
        }
        kid->host.log(&kid->host, AFF_LOG_ERROR, "it watches a descriptor that is closed; forgotten");
        forget(w, i);
    }
}

void kid_wakes_end(struct kid *kid)
{
    struct kid_wakes *w = &kid->wakes;
    struct entry *e;

    if (w->told == w->count)
        return;
    e = kid_entry(kid, ENTRY_WATCH, 0);
    if (!e)
        return; /* behind the next call */
    e->a = w->count;
    w->told = w->count;
}

/* From any thread, also while a call is on. Where there is no room, much of that was said. */
static void wakes_rouse(const struct aff_host *host)
{
    ssize_t put = write(CELL_FD_WAKES, "", 1); /* does not wait: wakes.c */

    (void)host;
    (void)put;
}

/* ---- links ---- */

/* A plugin that was built with an earlier header knows less of it. */
static struct aff_link as_said(const struct aff_link *link)
{
    struct aff_link said = { .signal_dbm = INT16_MIN, .sent_bytes = UINT64_MAX, .received_bytes = UINT64_MAX };

    memcpy(&said, link, link->struct_size < sizeof said ? link->struct_size : sizeof said);
    said.struct_size = sizeof said;
    return said;
}

static aff_status wakes_link_set(const struct aff_host *host, const struct aff_link *link)
{
    struct kid *kid = kid_of(host);
    struct aff_link said = as_said(link);
    struct entry *e;

    if (!pthread_equal(kid->thread, pthread_self()) || !kid->in_call || said.up > 1 || said.metered > 1 ||
        said.roaming > 1 || said.technology > AFF_LINK_5G)
        return host->explain(host, AFF_ERR_BUG, "a link in a state that is none, or outside of a call");
    e = kid_entry(kid, ENTRY_LINK, sizeof said);
    if (!e)
        return AFF_ERR_MEMORY;
    memcpy(e + 1, &said, sizeof said);
    return AFF_OK;
}

/* As it lies in the page: all of it from between two changes. */
static bool link_read(const struct host_page *page, uint32_t index, struct aff_link *ret)
{
    uint64_t words[PAGE_LINK_WORDS];
    uint32_t turn, count, k;

    do {
        turn = atomic_load_explicit(&page->links_turn, memory_order_acquire);
        count = atomic_load_explicit(&page->link_count, memory_order_acquire);
        for (k = 0; index < PAGE_LINKS && k < PAGE_LINK_WORDS; k++)
            words[k] = atomic_load_explicit(&page->links[index][k], memory_order_acquire);
    } while (turn % 2 != 0 || atomic_load_explicit(&page->links_turn, memory_order_relaxed) != turn);
    if (index >= count || index >= PAGE_LINKS)
        return false;
    memcpy(ret, words, sizeof *ret);
    return true;
}

static aff_status wakes_link_get(const struct aff_host *host, uint32_t index, struct aff_link *ret)
{
    struct kid *kid = kid_of(host);
    uint32_t size = ret->struct_size < sizeof *ret ? ret->struct_size : (uint32_t)sizeof *ret;
    struct aff_link link;

    if (kid_ask(kid, PAGE_ASK_LINK, index, 0, NULL, 0)) {
        if (!kid->page->result)
            return AFF_END;
        memcpy(&link, kid->answer, sizeof link);
    } else if (!link_read(kid->page, index, &link)) {
        return AFF_END;
    }
    link.struct_size = size;
    memcpy(ret, &link, size);
    return AFF_OK;
}

/* The same as lies in the page. */
static aff_status wakes_uplink(const struct aff_host *host, struct aff_uplink *ret)
{
    const struct host_page *page = kid_of(host)->page;
    uint32_t size = ret->struct_size < sizeof *ret ? ret->struct_size : (uint32_t)sizeof *ret, turn, k;
    uint64_t words[PAGE_UPLINK_WORDS] = { 0 };
    aff_status st;

    do {
        turn = atomic_load_explicit(&page->links_turn, memory_order_acquire);
        st = atomic_load_explicit(&page->uplink_status, memory_order_acquire);
        for (k = 0; k < PAGE_UPLINK_WORDS; k++)
            words[k] = atomic_load_explicit(&page->uplink[k], memory_order_acquire);
    } while (turn % 2 != 0 || atomic_load_explicit(&page->links_turn, memory_order_relaxed) != turn);
    memcpy(ret, words, size);
    ret->struct_size = size;
    return st;
}

/* Who names another link than there can be has spent it without one. */
static void wakes_link_spent(const struct aff_host *host, uint32_t index, uint64_t sent, uint64_t received)
{
    struct child_page *out = kid_of(host)->out;
    uint32_t i = index < PAGE_UPLINKS ? index : PAGE_UPLINKS - 1u;

    atomic_fetch_add_explicit(&out->sent[i], sent, memory_order_relaxed);
    atomic_fetch_add_explicit(&out->received[i], received, memory_order_relaxed);
    atomic_store_explicit(&out->spends, 1, memory_order_release);
}

static void wakes_link_tried(const struct aff_host *host, uint32_t index, aff_status status)
{
    struct child_page *out = kid_of(host)->out;

    if (index < PAGE_UPLINKS)
        atomic_fetch_add_explicit(status == AFF_OK ? &out->worked[index] : &out->failed[index], 1, memory_order_relaxed);
}

void kid_fill_wakes(struct aff_host *host)
{
    host->link_tried = wakes_link_tried;
    host->uplink = wakes_uplink;
    host->link_spent = wakes_link_spent;
    host->watch = wakes_watch;
    host->rouse = wakes_rouse;
    host->link_set = wakes_link_set;
    host->link_get = wakes_link_get;
}
