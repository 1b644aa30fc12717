/* SPDX-License-Identifier: Apache-2.0
 *
 * window.h - which records of a node came already, by their ids.
 *
 * What the sender may send again is what it has not stored as acknowledged; it says with
 * each batch up to which number nothing of this life of its process comes again, and that
 * is forgotten here. What an earlier life sent is kept until there is no place: a backlog
 * on its disk may come much later.
 *
 * Memory grows with what is in it, up to `most` ids, then the oldest goes: a record that
 * comes again later than that passes again, with the same id and its mark. */
#ifndef IN_ZMQ_WINDOW_H
#define IN_ZMQ_WINDOW_H

#include <afferent/plugin.h>

#include <stdbool.h>

struct known {
    struct aff_id id;
    uint64_t number; /* of its batch; 0: of an earlier life */
    uint64_t epoch;  /* it is safe with; 0: it is */
};

struct window {
    struct known *ring; /* a power of two, or NULL */
    int32_t *table;     /* twice as many places: index into the ring, -1 */
    uint32_t room, most, first, count;
};

/* [control] `most`: ids, at least 1. Takes no memory. */
void window_open(struct window *w, uint32_t most);
void window_close(struct window *w);
/* [data] NULL: it did not come. Borrowed until the next call. */
const struct known *window_find(const struct window *w, struct aff_id id);
/* [data] It is not in it. Without memory the oldest gives its place; with none at all it is
 * not kept, and false. */
bool window_add(struct window *w, const struct known *known);
/* [data] Forgets the oldest as long as their batch's number is `number` or below. */
void window_settle(struct window *w, uint64_t number);
/* [data] The index-th, oldest first. */
const struct known *window_at(const struct window *w, uint32_t index);
void window_clear(struct window *w);

#endif
