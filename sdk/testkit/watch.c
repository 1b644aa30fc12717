/* SPDX-License-Identifier: Apache-2.0
 *
 * watch.c - descriptors that the plugin waits for, and links of this machine.
 *
 * Descriptors are real ones, so a test waits for them in real time; whatever else it
 * waits for is on the harness' clock. One that the plugin closed and did not forget is
 * a breach at the end of that callback. */
#include "host.h"

#include <fcntl.h>

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

aff_status aff_harness_ready(struct aff_harness *h, int most_ms)
{
    if (h->watch_count == 0 || poll(h->watches, (nfds_t)h->watch_count, most_ms) <= 0)
        return AFF_AGAIN;
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
