/* SPDX-License-Identifier: Apache-2.0
 *
 * test_cut.h - a stream given to the reader in pieces, and what came of it: for
 * the tests and the fuzz target, which compare one way to cut it with another. */
#ifndef IN_SERIAL_TEST_CUT_H
#define IN_SERIAL_TEST_CUT_H

#include "window.h"

#include <stdlib.h>
#include <string.h>

/* What a stream came to. `text` holds the frames one behind the other, each with
 * its size in front and a mark where its beginning was not seen. */
struct outcome {
    uint64_t frames, taken, skipped, bad[FRAME_REASONS];
    uint64_t steps, left;
    uint8_t *text;
    size_t used, room;
};

static inline void outcome_put(struct outcome *o, const void *bytes, size_t size)
{
    while (o->room - o->used < size) {
        o->text = realloc(o->text, o->room = o->room * 2 + 256);
        if (!o->text)
            abort();
    }
    if (size)
        memcpy(o->text + o->used, bytes, size);
    o->used += size;
}

static inline void outcome_step(struct outcome *o, const struct frame_step *s)
{
    uint32_t size = (uint32_t)s->size;

    o->steps++;
    o->taken += s->raw;
    if (s->what == FRAME_SKIP) {
        o->bad[s->reason] += s->reason > REASON_GARBAGE;
        o->skipped += s->raw;
        return;
    }
    o->frames++;
    outcome_put(o, &size, sizeof size);
    outcome_put(o, &s->sure, 1);
    outcome_put(o, s->at, s->size);
}

static inline void outcome_drain(struct outcome *o, struct window *w)
{
    struct window_step s;

    while ((s = window_next(w)).step.what != FRAME_MORE) {
        if (s.step.raw == 0)
            abort(); /* no progress */
        outcome_step(o, &s.step);
    }
}

static inline uint64_t cut_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return *state >> 33;
}

/* `cut`: bytes a piece; 0: random, by `seed`. */
static inline struct outcome outcome_of(const struct frame_rule *rule, const uint8_t *at, size_t size, size_t cut,
                                        uint64_t seed)
{
    struct outcome o = { .frames = 0 };
    struct framer *f = calloc(1, sizeof *f);
    struct window w;
    uint8_t *bytes;
    size_t i, n, room;

    framer_set(f, rule);
    f->scratch = malloc(f->reach);
    bytes = malloc(window_room(f));
    if (!f->scratch || !bytes)
        abort();
    window_set(&w, f, bytes);
    for (i = 0; i < size; i += n) {
        uint8_t *to = window_space(&w, &room);

        n = cut ? cut : 1 + cut_random(&seed) % (cut_random(&seed) % 3 ? 40 : 2000);
        n = n < size - i ? n : size - i;
        n = n < room ? n : room;
        if (room < WINDOW_READ)
            abort();
        memcpy(to, at + i, n);
        window_filled(&w, n, 1, 0);
        outcome_drain(&o, &w);
    }
    o.left = w.have;
    if (o.taken + o.left != size || w.have >= f->reach)
        abort();
    free(bytes);
    free(f->scratch);
    free(f);
    return o;
}

static inline int outcome_same(const struct outcome *a, const struct outcome *b)
{
    return a->frames == b->frames && a->used == b->used && a->left == b->left && a->skipped == b->skipped &&
           memcmp(a->bad, b->bad, sizeof a->bad) == 0 && (!a->used || memcmp(a->text, b->text, a->used) == 0);
}

#endif
