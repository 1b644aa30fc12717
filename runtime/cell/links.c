/* links.c - links of this machine, between a host and its child.
 *
 * What a child says of its link waits with all else that its call did. What it wants to
 * know it asks; its other threads, and whoever looks between two calls, find the links
 * in the host's page, as they were when the latest call began. By which it shall send stands
 * there as well; what it spent it adds up in its own page.
 *
 * Not here: what a link is (flow/link_state.c). */
#include <string.h>

#include "cell/inside.h"

/* ---- what it says ---- */

static bool may_say(uint32_t call)
{
    return call != PAGE_CALL_OPEN && call != PAGE_CALL_CLOSE && call != PAGE_CALL_SNAPSHOT;
}

const char *links_check(const struct slot *slot, const struct entry *e)
{
    struct aff_link link;

    if (!may_say(slot->call) || e->size != sizeof link)
        return "a link out of turn, or of another size";
    memcpy(&link, e + 1, sizeof link);
    if (link.struct_size != sizeof link || link.up > 1 || link.metered > 1 || link.roaming > 1 ||
        link.technology > AFF_LINK_5G)
        return "a link in a state that is none";
    return NULL;
}

/* Name, revision and time are the host's: what the child wrote there is not handed on. */
bool links_book(struct cell *cell, const struct entry *e)
{
    struct aff_link link;

    memcpy(&link, e + 1, sizeof link);
    memset(link.name, 0, sizeof link.name);
    memset(link.reserved, 0, sizeof link.reserved);
    link.revision = 0;
    link.since_ns = 0;
    return !HOST_HAS(cell->host, link_set) || cell->host->link_set(cell->host, &link) >= 0;
}

/* ---- what it is told ---- */

static bool link_at(const struct cell *cell, uint32_t index, struct aff_link *ret)
{
    *ret = (struct aff_link){ .struct_size = sizeof *ret };
    return HOST_HAS(cell->host, link_get) && cell->host->link_get(cell->host, index, ret) == AFF_OK;
}

void links_serve(struct cell *cell)
{
    struct host_page *page = cell->pages.host;
    struct aff_link link;

    if (cell->asked.a > UINT32_MAX || !link_at(cell, (uint32_t)cell->asked.a, &link))
        return;
    memcpy(cell->pages.answer, &link, sizeof link);
    page->answer_bytes = sizeof link;
    page->result = 1;
}

/* A reader that sees a word of this turn sees that it is odd; see child_wakes.c. */
static void page_write(struct host_page *page, const struct links *links)
{
    uint32_t turn = atomic_load_explicit(&page->links_turn, memory_order_relaxed), i, k;
    uint64_t words[PAGE_LINK_WORDS];

    atomic_store_explicit(&page->links_turn, turn + 1, memory_order_relaxed);
    atomic_store_explicit(&page->link_count, links->count, memory_order_release);
    for (i = 0; i < links->count; i++) {
        memset(words, 0, sizeof words);
        memcpy(words, &links->said[i], sizeof links->said[i]);
        for (k = 0; k < PAGE_LINK_WORDS; k++)
            atomic_store_explicit(&page->links[i][k], words[k], memory_order_release);
    }
    atomic_store_explicit(&page->uplink_status, links->uplink_status, memory_order_release);
    memset(words, 0, sizeof words);
    memcpy(words, &links->uplink, sizeof links->uplink);
    for (k = 0; k < PAGE_UPLINK_WORDS; k++)
        atomic_store_explicit(&page->uplink[k], words[k], memory_order_release);
    atomic_store_explicit(&page->links_turn, turn + 2, memory_order_release);
}

/* A sum that falls, or was never said, is none. Under the lock. */
static void spent_take(struct cell *cell, uint32_t i)
{
    const struct child_page *page = cell->pages.child;
    struct links *links = &cell->links;
    uint64_t sent = atomic_load_explicit(&page->sent[i], memory_order_relaxed);
    uint64_t received = atomic_load_explicit(&page->received[i], memory_order_relaxed);
    uint64_t out = sent > links->sent[i] ? sent - links->sent[i] : 0;
    uint64_t in = received > links->received[i] ? received - links->received[i] : 0;

    links->sent[i] += out;
    links->received[i] += in;
    if (out > 0 || in > 0)
        cell->host->link_spent(cell->host, i, out, in);
}

/* Attempts since the last look: a few that failed, then one that did not, and so on, in an
 * order that nobody knows; one that came through counts for more. */
static void tried_take(struct cell *cell, uint32_t i)
{
    const struct child_page *page = cell->pages.child;
    struct links *links = &cell->links;
    uint32_t worked = atomic_load_explicit(&page->worked[i], memory_order_relaxed);
    uint32_t failed = atomic_load_explicit(&page->failed[i], memory_order_relaxed);

    if (failed != links->failed[i])
        cell->host->link_tried(cell->host, i, AFF_ERR_IO);
    if (worked != links->worked[i])
        cell->host->link_tried(cell->host, i, AFF_OK);
    links->worked[i] = worked;
    links->failed[i] = failed;
}

static void tried_put(struct cell *cell)
{
    uint32_t i;

    for (i = 0; HOST_HAS(cell->host, link_tried) && i < PAGE_UPLINKS; i++)
        tried_take(cell, i);
}

static void spent_put(struct cell *cell)
{
    uint32_t i;

    if (!HOST_HAS(cell->host, link_spent) || atomic_load_explicit(&cell->pages.child->spends, memory_order_acquire) == 0)
        return;
    cell->host->link_spent(cell->host, 0, 0, 0);
    for (i = 0; i < PAGE_UPLINKS; i++)
        spent_take(cell, i);
}

static bool uplink_ask(struct cell *cell)
{
    struct links *links = &cell->links;
    struct aff_uplink now = { .struct_size = sizeof now };
    aff_status st = HOST_HAS(cell->host, uplink) ? cell->host->uplink(cell->host, &now) : AFF_END;
    bool changed = st != links->uplink_status || memcmp(&now, &links->uplink, sizeof now) != 0;

    links->uplink = now;
    links->uplink_status = st;
    return changed;
}

void links_put(struct cell *cell)
{
    struct links *links = &cell->links;
    struct aff_link now;
    bool changed;
    uint32_t i;

    pthread_mutex_lock(&links->lock);
    spent_put(cell);
    tried_put(cell);
    changed = uplink_ask(cell);
    for (i = 0; i < PAGE_LINKS && link_at(cell, i, &now); i++) {
        changed |= i >= links->count || memcmp(&links->said[i], &now, sizeof now) != 0;
        links->said[i] = now;
    }
    changed |= i != links->count;
    links->count = i;
    if (changed)
        page_write(cell->pages.host, links);
    pthread_mutex_unlock(&links->lock);
}

void links_forget(struct cell *cell)
{
    pthread_mutex_lock(&cell->links.lock);
    cell->links.count = 0;
    memset(&cell->links.uplink, 0, sizeof cell->links.uplink); /* so that the new page is written */
    memset(cell->links.sent, 0, sizeof cell->links.sent);
    memset(cell->links.received, 0, sizeof cell->links.received);
    memset(cell->links.worked, 0, sizeof cell->links.worked);
    memset(cell->links.failed, 0, sizeof cell->links.failed);
    pthread_mutex_unlock(&cell->links.lock);
}
