/* held.c - the records that a child holds, by the numbers that it gave them.
 *
 * The child counts its handles upwards, so the table is in order by itself, and the
 * oldest stands first. While a result is looked at, what it holds and releases is
 * noted here; it becomes true when the result is booked.
 *
 * The host holds records for longer than a child lives: what it had before this one,
 * or before this run, the child gets with its first call, as copies.
 *
 * Not here: the records (flow/hold.c). */
#include <stdlib.h>
#include <string.h>

#include "cell/inside.h"

struct held *held_find(struct cell *cell, uint64_t handle)
{
    uint32_t low = 0, high = cell->held_count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (cell->held[middle].handle == handle)
            return &cell->held[middle];
        if (cell->held[middle].handle < handle)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

bool held_add(struct cell *cell, uint64_t handle)
{
    uint32_t room = cell->held_room ? 2 * cell->held_room : 64;
    struct held *more;

    if (cell->held_count == cell->held_room) {
        more = realloc(cell->held, room * sizeof *more);
        if (!more)
            return false;
        cell->held = more;
        cell->held_room = room;
    }
    cell->held[cell->held_count++] = (struct held){ .handle = handle };
    return true;
}

void held_keep(struct cell *cell)
{
    uint32_t i, left = 0;

    for (i = 0; i < cell->held_count; i++) {
        if (!cell->held[i].record) /* released, or not held in the end */
            continue;
        cell->held[i].leaves = false; /* the host could not let it go */
        if (cell->held[i].handle > cell->handle_next)
            cell->handle_next = cell->held[i].handle;
        cell->held[left++] = cell->held[i];
    }
    cell->held_count = left;
}

void held_undo(struct cell *cell)
{
    uint32_t i, left = 0;

    for (i = 0; i < cell->held_count; i++) {
        if (!cell->held[i].record)
            continue;
        cell->held[i].leaves = false;
        cell->held[left++] = cell->held[i];
    }
    cell->held_count = left;
}

const struct aff_record *held_oldest(const struct cell *cell)
{
    return cell->held_count > 0 ? cell->held[0].record : NULL;
}

void held_drop_oldest(struct cell *cell)
{
    cell->held[0].record = NULL;
    held_keep(cell);
}

bool held_load(struct cell *cell)
{
    const struct aff_record *r;
    uint32_t i;

    if (cell->held_known)
        return true;
    cell->held_count = 0;
    for (i = 0; HOST_HAS(cell->host, held) && (r = cell->host->held(cell->host, i)) != NULL; i++) {
        if (!held_add(cell, ++cell->handle_next))
            return false;
        cell->held[i].record = r;
    }
    cell->held_known = true;
    return true;
}

void held_forget(struct cell *cell)
{
    cell->held_count = 0;
    cell->held_known = false;
    cell->held_given = false;
}
