/* SPDX-License-Identifier: Apache-2.0
 *
 * state.c - host->state_open and host->state: zeroed bytes per stream or subject.
 *
 * Each item is a block of its own from malloc, so a sanitizer sees a write past
 * its end. A restart copies the bytes and frees the old blocks: a pointer that
 * was put into state then leads nowhere.
 *
 * Not here: the bytes of snapshot and restore (restart.c). */
#include "kit.h"
#include "host.h"

aff_status host_state_open(const struct aff_host *host, size_t bytes, int per_subject)
{
    struct aff_harness *h = host_enter(host, "state_open");

    if (h->callback != CB_OPEN)
        kit_breach(h, "host->state_open belongs in open");
    if (h->states.bytes)
        kit_breach(h, "host->state_open was called twice; expected once");
    if (bytes == 0)
        kit_breach(h, "host->state_open was called with 0 bytes");
    if (call_fails(h, "state_open"))
        return AFF_ERR_MEMORY;
    h->states.bytes = bytes;
    h->states.per_subject = per_subject != 0;
    return AFF_OK;
}

void *host_state(const struct aff_host *host, uint32_t index)
{
    struct aff_harness *h = host_enter(host, "state");
    struct states *s = &h->states;
    struct stream *stream = stream_get(h, index);
    uint32_t generation = stream && !s->per_subject ? stream->info.generation : 0;
    struct state_item *item;

    data_only(h, "state");
    if (!s->bytes)
        kit_breach(h, "host->state was called without state_open");
    if (!index || index > (s->per_subject ? h->names.subject_count : h->names.stream_count))
        return NULL;
    if (index > s->count) {
        s->items = realloc(s->items, index * sizeof *s->items);
        if (!s->items)
            kit_misuse("the test itself has no memory left");
        memset(s->items + s->count, 0, (index - s->count) * sizeof *s->items);
        s->count = index;
    }
    item = &s->items[index - 1];
    if (!item->bytes)
        item->bytes = kit_alloc(s->bytes);
    else if (item->generation != generation)
        memset(item->bytes, 0, s->bytes);
    item->generation = generation;
    return item->bytes;
}

void states_free(struct states *states)
{
    while (states->count)
        free(states->items[--states->count].bytes);
    free(states->items);
    memset(states, 0, sizeof *states);
}
