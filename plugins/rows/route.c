/* SPDX-License-Identifier: Apache-2.0
 *
 * route.c - the subjects and streams of rows.
 *
 * The host's own look-up takes a lock and compares names; a row takes a hash.
 * What was looked up is good as long as its stream's generation stands, which is
 * asked each time. The streams begun for a column's subjects are remembered, so
 * that they end with their input, also behind a restart: a bounded number, since
 * the names come from the data.
 *
 * Not here: values of rows (rows.c). */
#include "route.h"

#include <stdio.h>
#include <string.h>

enum { STREAM_NAME_MOST = 256 };

aff_status route_open(struct route *route, const struct aff_host *host, bool by_column)
{
    route->host = host;
    if (!by_column)
        return AFF_OK;
    route->entries = host->alloc(host, ROUTE_SUBJECTS_MOST * sizeof *route->entries);
    route->slots = host->alloc(host, ROUTE_SLOTS * sizeof *route->slots);
    return route->entries && route->slots ? AFF_OK : AFF_ERR_MEMORY;
}

void route_close(struct route *route)
{
    if (route->entries)
        route->host->free(route->host, route->entries);
    if (route->slots)
        route->host->free(route->host, route->slots);
}

/* "X" has its rows in "X/rows". */
static aff_status entry_intern(const struct route *route, struct route_entry *e, uint32_t subject, uint32_t schema)
{
    const struct aff_host *host = route->host;
    const struct aff_stream_info *info = host->stream_info(host, e->from);
    char name[STREAM_NAME_MOST];

    if (!info)
        return host->explain(host, AFF_ERR_DATA, "a record is of no known stream");
    snprintf(name, sizeof name, "%s/%s", info->name, route->ending ? route->ending : "rows");
    e->from_generation = info->generation;
    e->subject = subject ? subject : info->subject;
    e->stream = host->stream(host, e->subject, name, schema);
    if (!e->stream)
        return AFF_ERR_MEMORY;
    info = host->stream_info(host, e->stream);
    e->generation = info ? info->generation : 0;
    return AFF_OK;
}

static bool entry_stands(const struct route *route, const struct route_entry *e)
{
    const struct aff_stream_info *info = route->host->stream_info(route->host, e->from);

    if (!info || info->generation != e->from_generation)
        return false;
    info = route->host->stream_info(route->host, e->stream);
    return info && info->generation == e->generation;
}

aff_status route_own(struct route *route, uint32_t from, uint32_t schema, struct route_entry *ret)
{
    struct route_entry fresh = { .from = from };
    aff_status st = AFF_OK;

    if (route->own.from != from || !entry_stands(route, &route->own)) {
        st = entry_intern(route, &fresh, 0, schema);
        if (st == AFF_OK)
            route->own = fresh;
    }
    *ret = route->own;
    return st;
}

/* FNV-1a over eight bytes at a time; spread over few slots, so its upper half is
 * folded in. An unlucky choice of names costs time, bounded by the table. */
static uint64_t name_hash(uint32_t from, const char *name, uint32_t size)
{
    uint64_t hash = UINT64_C(14695981039346656037) ^ from, part;
    uint32_t i;

    for (i = 0; i < size; i += 8) {
        part = 0;
        memcpy(&part, name + i, size - i < 8 ? size - i : 8);
        hash = (hash ^ part) * UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 32;
    }
    return hash;
}

static bool entry_is(const struct route_entry *e, uint32_t from, const char *name, uint32_t size)
{
    return e->from == from && e->size == size && memcmp(e->name, name, size) == 0;
}

/* The slot of an entry, or the free one where it belongs. The table is twice as
 * large as there are entries, so that there always is one. */
static uint32_t slot_find(const struct route *route, const struct route_entry *wanted)
{
    uint32_t at = (uint32_t)wanted->hash % ROUTE_SLOTS;

    while (route->slots[at] &&
           !entry_is(&route->entries[route->slots[at] - 1], wanted->from, wanted->name, wanted->size))
        at = (at + 1) % ROUTE_SLOTS;
    return at;
}

static aff_status entry_fill(struct route *route, struct route_entry *e, uint32_t schema)
{
    char name[ROUTE_NAME_MOST + 1];
    uint32_t subject;

    memcpy(name, e->name, e->size);
    name[e->size] = '\0';
    subject = route->host->subject(route->host, name);
    return subject ? entry_intern(route, e, subject, schema) : AFF_ERR_MEMORY;
}

aff_status route_named(struct route *route, uint32_t from, uint32_t schema, const char *name, uint32_t size,
                       struct route_entry *ret)
{
    struct route_entry fresh, *e = &route->entries[route->last];
    uint32_t slot;
    aff_status st;

    if (!entry_is(e, from, name, size)) {
        memset(&fresh, 0, offsetof(struct route_entry, name));
        fresh.from = from;
        fresh.size = size;
        fresh.hash = name_hash(from, name, size);
        memcpy(fresh.name, name, size);
        slot = slot_find(route, &fresh);
        if (!route->slots[slot]) {
            if (route->count == ROUTE_SUBJECTS_MOST)
                return AFF_ERR_DATA;
            st = entry_fill(route, &fresh, schema);
            if (st < 0)
                return st;
            route->entries[route->count] = fresh;
            route->slots[slot] = (uint16_t)++route->count;
        }
        route->last = route->slots[slot] - 1u;
        e = &route->entries[route->last];
    }
    if (!entry_stands(route, e)) {
        st = entry_fill(route, e, schema);
        if (st < 0)
            return st;
    }
    *ret = *e;
    return AFF_OK;
}

static void slots_make(struct route *route)
{
    uint32_t i;

    memset(route->slots, 0, ROUTE_SLOTS * sizeof *route->slots);
    for (i = 0; i < route->count; i++)
        route->slots[slot_find(route, &route->entries[i])] = (uint16_t)(i + 1);
}

/* Two input streams of one name and two subjects may share a stream of rows. */
static bool stream_shared(const struct route *route, uint32_t i)
{
    uint32_t k;

    for (k = 0; k < route->count; k++)
        if (k != i && route->entries[k].stream == route->entries[i].stream)
            return true;
    return false;
}

/* Each entry leaves when its stream has ended, so that a call that failed goes
 * on behind it. */
static aff_status named_end(struct route *route, uint32_t from, uint32_t output)
{
    aff_status st = AFF_OK;
    uint32_t i = 0;

    while (i < route->count && st == AFF_OK) {
        if (route->entries[i].from != from) {
            i++;
            continue;
        }
        if (!stream_shared(route, i) && entry_stands(route, &route->entries[i]))
            st = route->host->stream_end(route->host, output, route->entries[i].stream);
        if (st == AFF_OK)
            route->entries[i] = route->entries[--route->count];
    }
    route->last = 0;
    if (!route->count)
        memset(route->entries, 0, sizeof *route->entries);
    slots_make(route);
    return st;
}

aff_status route_end(struct route *route, uint32_t from, uint32_t output, uint32_t schema)
{
    struct route_entry own;
    aff_status st;

    if (route->entries)
        return named_end(route, from, output);
    st = route_own(route, from, schema, &own);
    if (st == AFF_OK)
        st = route->host->stream_end(route->host, output, own.stream);
    route->own.from = 0;
    return st;
}

/* ---- restart ---- */

struct kept_head {
    char version[8];
    uint32_t count, reserved;
};
/* Of an entry all but its name, of which `size` bytes follow. */
enum { KEPT_ENTRY = offsetof(struct route_entry, name) };

static const char kept_version[8] = "rows 1";

aff_status route_snapshot(const struct route *route, void *buffer, size_t room, size_t *ret_size)
{
    struct kept_head head = { .count = route->count };
    char *to = buffer;
    uint32_t i;

    *ret_size = sizeof head;
    for (i = 0; i < route->count; i++)
        *ret_size += KEPT_ENTRY + (size_t)route->entries[i].size;
    if (*ret_size > room)
        return AFF_OK;
    memcpy(head.version, kept_version, sizeof head.version);
    memcpy(to, &head, sizeof head);
    to += sizeof head;
    for (i = 0; i < route->count; i++) {
        memcpy(to, &route->entries[i], KEPT_ENTRY + (size_t)route->entries[i].size);
        to += KEPT_ENTRY + route->entries[i].size;
    }
    return AFF_OK;
}

static bool entry_restore(struct route *route, const char **at, size_t *left)
{
    struct route_entry *e = &route->entries[route->count];

    if (*left < KEPT_ENTRY)
        return false;
    memcpy(e, *at, KEPT_ENTRY);
    if (e->size > ROUTE_NAME_MOST || *left - KEPT_ENTRY < e->size || e->from == 0)
        return false;
    memcpy(e->name, *at + KEPT_ENTRY, e->size);
    e->hash = name_hash(e->from, e->name, e->size);
    *at += KEPT_ENTRY + e->size;
    *left -= KEPT_ENTRY + e->size;
    route->count++;
    return true;
}

aff_status route_restore(struct route *route, const void *buffer, size_t size)
{
    const char *at = buffer;
    struct kept_head head = { 0 };
    size_t left = size - sizeof head;
    bool ok;

    if (size >= sizeof head)
        memcpy(&head, at, sizeof head);
    ok = size >= sizeof head && memcmp(head.version, kept_version, sizeof head.version) == 0 &&
         head.count <= (route->entries ? ROUTE_SUBJECTS_MOST : 0);
    route->count = 0;
    if (ok)
        at += sizeof head;
    while (ok && route->count < head.count)
        ok = entry_restore(route, &at, &left);
    if (!ok || left > 0) {
        route->count = 0;
        return route->host->explain(route->host, AFF_ERR_DATA, "the saved state is damaged, or of another version");
    }
    if (route->entries)
        slots_make(route);
    return AFF_OK;
}
