/* SPDX-License-Identifier: Apache-2.0
 *
 * watch.c - descriptors that the plugin waits for, and links of this machine.
 *
 * Descriptors are real ones, so a test waits for them in real time; whatever else it
 * waits for is on the harness' clock. One that the plugin closed and did not forget is
 * a breach at the end of that callback. */
#include "host.h"

#include <fcntl.h>
#include <unistd.h>

aff_status host_watch(const struct aff_host *host, int fd, uint32_t events)
{
    struct aff_harness *h = host_enter(host, "watch");
    size_t i = 0;

    if (events & ~(uint32_t)(AFF_WATCH_READ | AFF_WATCH_WRITE))
        kit_breach(h, "host->watch was given events %u; AFF_WATCH_READ and _WRITE are there", (unsigned)events);
    while (i < h->watch_count && h->watches[i].fd != fd)
        i++;
    if (events == 0) {
        if (i < h->watch_count)
            h->watches[i] = h->watches[--h->watch_count];
        return AFF_OK;
    }
    if (fcntl(fd, F_GETFD) < 0)
        kit_breach(h, "host->watch was given a descriptor that is not open");
    if (call_fails(h, "watch") || i == WATCHES_MOST)
        return AFF_ERR_MEMORY;
    h->watches[i].fd = fd;
    h->watches[i].events = (short)((events & AFF_WATCH_READ ? POLLIN : 0) | (events & AFF_WATCH_WRITE ? POLLOUT : 0));
    h->watch_count += i == h->watch_count;
    return AFF_OK;
}

void watches_check(const struct aff_harness *h)
{
    size_t i;

    for (i = 0; i < h->watch_count; i++)
        if (fcntl(h->watches[i].fd, F_GETFD) < 0)
            kit_breach(h, "closed a descriptor that it still watches; forget it before (events 0)");
}

size_t aff_harness_watched(const struct aff_harness *h)
{
    return h->watch_count;
}

/* ---- rouse ---- */

void rouse_open(struct aff_harness *h)
{
    if (pipe2(h->rouse, O_CLOEXEC | O_NONBLOCK) != 0)
        kit_misuse("the test itself cannot make a pipe");
}

void rouse_close(struct aff_harness *h)
{
    (void)close(h->rouse[0]);
    (void)close(h->rouse[1]);
}

/* Other threads call it, too. Where the pipe is full it is rung already. */
void host_rouse(const struct aff_host *host)
{
    struct aff_harness *h = (struct aff_harness *)(uintptr_t)host;
    ssize_t put;

    atomic_fetch_add(&h->rouses, 1); /* first: who is woken by it sees it */
    put = write(h->rouse[1], "", 1);
    (void)put;
}

uint64_t aff_harness_rouses(const struct aff_harness *h)
{
    return atomic_load(&h->rouses);
}

aff_status aff_harness_ready(struct aff_harness *h, int most_ms)
{
    struct pollfd polled[WATCHES_MOST + 1];
    char bytes[256];

    memcpy(polled, h->watches, sizeof h->watches);
    polled[h->watch_count] = (struct pollfd){ .fd = h->rouse[0], .events = POLLIN };
    if (poll(polled, (nfds_t)h->watch_count + 1, most_ms) <= 0)
        return AFF_AGAIN;
    while (read(h->rouse[0], bytes, sizeof bytes) > 0)
        continue;
    return harness_wake(h);
}

/* ---- links ---- */

/* The plugin's own stands first. */
static struct aff_link *link_at(struct aff_harness *h, uint32_t index)
{
    if (h->own_link.revision > 0 && index == 0)
        return &h->own_link;
    index -= h->own_link.revision > 0;
    return index < h->link_count ? &h->links[index] : NULL;
}

static void link_change(struct aff_harness *h, struct aff_link *is, const struct aff_link *link, const char *name)
{
    struct aff_link said = *link;
    size_t length = strlen(name);

    said.struct_size = sizeof said;
    said.revision = is->revision;
    said.since_ns = is->revision > 0 && is->up == said.up ? is->since_ns : h->boot_ns;
    memset(said.name, 0, sizeof said.name);
    memcpy(said.name, name, length < sizeof said.name ? length : sizeof said.name - 1);
    memset(said.reserved, 0, sizeof said.reserved);
    if (is->revision > 0 && memcmp(&said, is, sizeof said) == 0)
        return;
    said.revision++;
    *is = said;
}

aff_status host_link_set(const struct aff_host *host, const struct aff_link *link)
{
    struct aff_harness *h = host_enter(host, "link_set");

    if (h->callback < CB_START)
        kit_breach(h, "host->link_set belongs into a [data] callback");
    if (link->struct_size != sizeof *link)
        kit_breach(h, "host->link_set was given a struct_size of %u", (unsigned)link->struct_size);
    if (link->up > 1 || link->metered > 1 || link->roaming > 1 || link->technology > AFF_LINK_5G)
        kit_breach(h, "host->link_set was given a value that is none: up, metered, roaming are 0 or 1, "
                      "technology is AFF_LINK_...");
    link_change(h, &h->own_link, link, "node");
    return AFF_OK;
}

aff_status host_link_get(const struct aff_host *host, uint32_t index, struct aff_link *ret)
{
    struct aff_harness *h = host_enter(host, "link_get");
    const struct aff_link *link = link_at(h, index);

    if (ret->struct_size != sizeof *ret)
        kit_breach(h, "host->link_get was given a struct_size of %u", (unsigned)ret->struct_size);
    if (!link)
        return AFF_END;
    *ret = *link;
    return AFF_OK;
}

/* From any thread. */
aff_status host_uplink(const struct aff_host *host, struct aff_uplink *ret)
{
    struct aff_harness *h = (struct aff_harness *)(uintptr_t)host;
    aff_status st = AFF_END;

    pthread_mutex_lock(&h->answers_lock);
    *ret = h->uplink;
    ret->struct_size = sizeof *ret;
    if (h->uplink.revision > 0)
        st = h->uplink_status;
    pthread_mutex_unlock(&h->answers_lock);
    return st;
}

void host_link_spent(const struct aff_host *host, uint32_t index, uint64_t sent, uint64_t received)
{
    struct aff_harness *h = (struct aff_harness *)(uintptr_t)host;

    (void)index;
    pthread_mutex_lock(&h->answers_lock);
    h->spends = 1;
    h->spent_out += sent;
    h->spent_in += received;
    pthread_mutex_unlock(&h->answers_lock);
}

void host_link_tried(const struct aff_host *host, uint32_t index, aff_status status)
{
    struct aff_harness *h = (struct aff_harness *)(uintptr_t)host;

    (void)index;
    pthread_mutex_lock(&h->answers_lock);
    h->tried_well += status == AFF_OK;
    h->tried_ill += status != AFF_OK;
    pthread_mutex_unlock(&h->answers_lock);
}

void aff_harness_tried(struct aff_harness *h, uint64_t *ret_worked, uint64_t *ret_failed)
{
    pthread_mutex_lock(&h->answers_lock);
    *ret_worked = h->tried_well;
    *ret_failed = h->tried_ill;
    pthread_mutex_unlock(&h->answers_lock);
}

void aff_harness_uplink_is(struct aff_harness *h, aff_status status, const char *name, const char *interface)
{
    struct aff_uplink is = { .revision = h->uplink.revision + 1u };

    memcpy(is.name, name, strnlen(name, sizeof is.name - 1));
    memcpy(is.interface, interface, strnlen(interface, sizeof is.interface - 1));
    pthread_mutex_lock(&h->answers_lock);
    h->uplink = is;
    h->uplink_status = status;
    pthread_mutex_unlock(&h->answers_lock);
}

int aff_harness_spent(struct aff_harness *h, uint64_t *ret_sent, uint64_t *ret_received)
{
    int says;

    pthread_mutex_lock(&h->answers_lock);
    says = h->spends;
    *ret_sent = h->spent_out;
    *ret_received = h->spent_in;
    pthread_mutex_unlock(&h->answers_lock);
    return says;
}

int aff_harness_link_said(const struct aff_harness *h, struct aff_link *ret_link)
{
    *ret_link = h->own_link;
    return h->own_link.revision > 0;
}

void aff_harness_link_is(struct aff_harness *h, const char *name, const struct aff_link *link)
{
    size_t i = 0;

    while (i < h->link_count && strcmp(h->links[i].name, name) != 0)
        i++;
    if (i == LINKS_MOST)
        kit_misuse("more than %d links", LINKS_MOST);
    h->link_count += i == h->link_count;
    link_change(h, &h->links[i], link, name);
}
