/* SPDX-License-Identifier: Apache-2.0
 *
 * window.h - the one reader for all framers: bytes wait here until they are a
 * frame, with the time at which they came.
 *
 * It is as large as the framer's reach and a read more, taken once, and never
 * grows: a framer decides before it is full (frame.h).
 *
 * Not here: reading from the device (device.c), what a frame is (frame.h). */
#ifndef IN_SERIAL_WINDOW_H
#define IN_SERIAL_WINDOW_H

#include "frame.h"

enum { WINDOW_READ = 4096, WINDOW_TIMES = 64 };

/* Bytes from `place` on came at `ns`; of the same clock quality all. */
struct arrival {
    uint64_t place; /* since the line was opened */
    int64_t ns;
    uint8_t clock;
};

struct window {
    struct framer *framer;
    uint8_t *bytes;
    size_t room, begin, have;
    uint64_t place; /* of the first byte at hand */
    struct arrival arrivals[WINDOW_TIMES];
    uint32_t count;
};

/* A frame, or bytes that are none, with the time of the first byte. */
struct window_step {
    struct frame_step step;
    int64_t ns;
    uint8_t clock;
};

/* How many bytes the window needs for this framer. */
size_t window_room(const struct framer *f);
/* `bytes` is the owner's, of window_room bytes. */
void window_set(struct window *w, struct framer *f, uint8_t *bytes);
/* [data] Where up to *ret_room bytes (at least WINDOW_READ) may be read to. Only
 * after window_next said FRAME_MORE. What was found before is gone. */
uint8_t *window_space(struct window *w, size_t *ret_room);
/* [data] So many came there, at this time. */
void window_filled(struct window *w, size_t size, int64_t ns, uint8_t clock);
/* [data] The next step. What it gives is borrowed until the next call for w. */
struct window_step window_next(struct window *w);
/* [data] The same when nothing came for long: see framer_expire. */
struct window_step window_expire(struct window *w);
/* [data] Drops all that is there; returns how many bytes that were. */
size_t window_clear(struct window *w);

#endif
