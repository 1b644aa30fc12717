/* SPDX-License-Identifier: Apache-2.0
 *
 * tally.c - see tally.h. Linear probing, at most three quarters full. */
#include "tally.h"

static uint64_t room_for(uint64_t most)
{
    uint64_t room = 16;

    while (room / 4 * 3 < most)
        room *= 2;
    return room;
}

size_t tally_bytes(uint64_t most)
{
    return (size_t)room_for(most) * sizeof(struct tally_entry);
}

void tally_open(struct tally *t, void *memory, uint64_t most)
{
    *t = (struct tally){ .entries = memory, .room = room_for(most), .most = most };
}

static struct tally_entry *entry_find(const struct tally *t, const uint64_t digest[2])
{
    uint64_t i = digest[0] & (t->room - 1);

    while (t->entries[i].rows && (t->entries[i].digest[0] != digest[0] || t->entries[i].digest[1] != digest[1]))
        i = (i + 1) & (t->room - 1);
    return &t->entries[i];
}

void tally_add(struct tally *t, const uint64_t digest[2], uint32_t subject)
{
    struct tally_entry *e = entry_find(t, digest);

    t->rows++;
    if (e->rows == 0 && t->used == t->most) {
        t->missed++;
    } else if (e->rows == 0) {
        *e = (struct tally_entry){ { digest[0], digest[1] }, 1, subject, 0 };
        t->used++;
        t->unique++;
        t->lonely++;
    } else {
        t->unique -= e->rows++ == 1;
        if (e->subject != subject && !e->is_shared) {
            e->is_shared = 1;
            t->lonely--;
        }
    }
}

uint64_t tally_least(const struct tally *t)
{
    uint64_t least = 0;

    for (uint64_t i = 0; i < t->room; i++)
        if (t->entries[i].rows && (!least || t->entries[i].rows < least))
            least = t->entries[i].rows;
    return least;
}
