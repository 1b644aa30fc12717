/* SPDX-License-Identifier: Apache-2.0
 *
 * window.c - see window.h. */
#include "window.h"

#include <string.h>

size_t window_room(const struct framer *f)
{
    return f->reach + WINDOW_READ;
}

void window_set(struct window *w, struct framer *f, uint8_t *bytes)
{
    memset(w, 0, sizeof *w);
    w->framer = f;
    w->bytes = bytes;
    w->room = window_room(f);
}

uint8_t *window_space(struct window *w, size_t *ret_room)
{
    if (w->begin && w->room - w->begin - w->have < WINDOW_READ) {
        memmove(w->bytes, w->bytes + w->begin, w->have);
        w->begin = 0;
    }
    *ret_room = w->room - w->begin - w->have;
    return w->bytes + w->begin + w->have;
}

void window_filled(struct window *w, size_t size, int64_t ns, uint8_t clock)
{
    if (!size)
        return;
    /* More arrivals than one frame should have: it keeps the first, which is its
     * time, and the newest are taken for as old as the one before. */
    if (w->count < WINDOW_TIMES)
        w->arrivals[w->count++] = (struct arrival){ w->place + w->have, ns, clock };
    w->have += size;
}

static void arrivals_pass(struct window *w)
{
    uint32_t gone = 0;

    while (gone + 1 < w->count && w->arrivals[gone + 1].place <= w->place)
        gone++;
    if (w->have == 0)
        gone = w->count;
    w->count -= gone;
    memmove(w->arrivals, w->arrivals + gone, w->count * sizeof *w->arrivals);
}

static struct window_step take(struct window *w, struct frame_step step)
{
    struct window_step out = { .step = step };

    if (w->count) {
        out.ns = w->arrivals[0].ns;
        out.clock = w->arrivals[0].clock;
    }
    if (step.what == FRAME_MORE)
        return out;
    w->begin += step.raw;
    w->have -= step.raw;
    w->place += step.raw;
    arrivals_pass(w);
    return out;
}

struct window_step window_next(struct window *w)
{
    if (!w->have)
        w->begin = 0;
    return take(w, framer_next(w->framer, w->bytes + w->begin, w->have));
}

struct window_step window_expire(struct window *w)
{
    return take(w, framer_expire(w->framer, w->bytes + w->begin, w->have));
}

size_t window_clear(struct window *w)
{
    size_t had = w->have;

    w->place += w->have;
    w->begin = w->have = 0;
    w->count = 0;
    framer_reset(w->framer);
    return had;
}
