/* SPDX-License-Identifier: Apache-2.0
 *
 * window.c - ids in the order in which they came, and a table over them. See window.h.
 *
 * The table is open-addressed with linear probing; what is removed is closed up behind
 * (Knuth, TAOCP 3, 6.4, algorithm R), so no marks of deleted places are needed. Ids of
 * a hostile node may collide as they like: the table is its own. */
#include "window.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 64, NONE = -1 };

void window_open(struct window *w, uint32_t most)
{
    *w = (struct window){ .most = most };
}

void window_close(struct window *w)
{
    free(w->ring);
    free(w->table);
    *w = (struct window){ .most = w->most };
}

void window_clear(struct window *w)
{
    window_close(w);
}

static uint32_t mask_of(const struct window *w)
{
    return 2u * w->room - 1u;
}

static uint32_t home_of(const struct window *w, struct aff_id id)
{
    uint64_t mixed = (id.source ^ (id.seq * 0x9e3779b97f4a7c15u)) * 0xbf58476d1ce4e5b9u;

    return (uint32_t)(mixed >> 32) & mask_of(w);
}

static bool same(struct aff_id a, struct aff_id b)
{
    return a.source == b.source && a.seq == b.seq;
}

/* Its place in the table, or the empty one where it would stand. */
static uint32_t place_of(const struct window *w, struct aff_id id)
{
    uint32_t at = home_of(w, id);

    while (w->table[at] != NONE && !same(w->ring[w->table[at]].id, id))
        at = (at + 1u) & mask_of(w);
    return at;
}

const struct known *window_find(const struct window *w, struct aff_id id)
{
    int32_t at;

    if (w->count == 0)
        return NULL;
    at = w->table[place_of(w, id)];
    return at == NONE ? NULL : &w->ring[at];
}

const struct known *window_at(const struct window *w, uint32_t index)
{
    return &w->ring[(w->first + index) & (w->room - 1u)];
}

/* What stands behind a gap and belongs before it moves up. */
static void table_remove(struct window *w, uint32_t gap)
{
    uint32_t at = gap, home;

    for (;;) {
        at = (at + 1u) & mask_of(w);
        if (w->table[at] == NONE)
            break;
        home = home_of(w, w->ring[w->table[at]].id);
        if (((at - home) & mask_of(w)) < ((at - gap) & mask_of(w)))
            continue;
        w->table[gap] = w->table[at];
        gap = at;
    }
    w->table[gap] = NONE;
}

static void forget_oldest(struct window *w)
{
    table_remove(w, place_of(w, w->ring[w->first].id));
    w->first = (w->first + 1u) & (w->room - 1u);
    w->count--;
}

static void put(struct window *w, const struct known *known)
{
    uint32_t at = (w->first + w->count) & (w->room - 1u);

    w->ring[at] = *known;
    w->table[place_of(w, known->id)] = (int32_t)at;
    w->count++;
}

static bool grow(struct window *w)
{
    uint32_t room = w->room ? 2u * w->room : FIRST_ROOM;
    struct window more = { .room = room, .most = w->most, .ring = malloc(room * sizeof *more.ring),
                           .table = malloc(2u * room * sizeof *more.table) };

    if (!more.ring || !more.table) {
        free(more.ring);
        free(more.table);
        return false;
    }
    memset(more.table, 0xff, 2u * room * sizeof *more.table);
    for (uint32_t i = 0; i < w->count; i++)
        put(&more, window_at(w, i));
    free(w->ring);
    free(w->table);
    *w = more;
    return true;
}

bool window_add(struct window *w, const struct known *known)
{
    if (w->count == w->room && w->count < w->most)
        (void)grow(w);
    if (w->room == 0)
        return false;
    while (w->count >= w->room || w->count >= w->most)
        forget_oldest(w);
    put(w, known);
    return true;
}

void window_settle(struct window *w, uint64_t number)
{
    while (w->count > 0 && w->ring[w->first].number <= number)
        forget_oldest(w);
}
