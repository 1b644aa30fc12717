/* SPDX-License-Identifier: Apache-2.0
 *
 * clocks.h - one steady time for a subject whose streams' clocks are set back.
 *
 * What is kept of a subject is kept in its own time, which no clock that is set
 * back makes run backwards: a stream's event time and an offset, 0 until its clock
 * is set back, then as much as it was. What is told is told in event time again.
 *
 * THE RULE. One record far earlier than its stream's latest is disorder, and sets
 * nothing: else a stray one would throw away what is known. Two in a row are a new
 * clock, and time goes on from where it was; else all that follows would be late,
 * and nothing be judged, until the clock has caught up, in an hour or in ten years.
 * It depends on the order within one stream alone, so a replay does the same.
 *
 * A clock that jumps ahead cannot be told from a pause, and is taken for one, except
 * that it puts an offset right. Bytes only, bounded, fit for the host's state.
 *
 * Not here: what happens to records that are late by less (whoever keeps values). */
#ifndef ALERT_ROWS_CLOCKS_H
#define ALERT_ROWS_CLOCKS_H

#include <stdbool.h>
#include <stdint.h>

enum { CLOCK_STREAMS_MOST = 64 };

struct stream_clock {
    uint64_t hash;     /* of the stream's name: numbers mean nothing after a restart */
    int64_t last_ns;   /* its latest event time */
    int64_t back_ns;   /* event time of the record before, if has_back: it was far too early */
    int64_t offset_ns; /* what its event time lacks of the subject's; not below 0 */
    uint64_t has_back;
};

/* All zero: no record yet. */
struct clocks {
    int64_t latest_ns; /* the subject's time, once there is a stream */
    int64_t shift_ns;  /* the least offset of the streams that came lately: what the
                        * host's timers, which know event times only, run behind */
    int64_t far_ns;    /* the caller's: disorder of one stream up to this sets no clock;
                        * a minute if less */
    uint32_t count;
    uint32_t begun;
    struct stream_clock streams[CLOCK_STREAMS_MOST];
};

/* [data] A record of the stream has come: its time in the subject's own, by adding
 * *ret_offset_ns to it. False: it is a stream beyond those that are kept, taken to
 * have the clock of the others. */
bool clocks_note(struct clocks *c, uint64_t hash, int64_t event_ns, int64_t *ret_offset_ns);

/* [data] Whether the stream is kept; and it is over, false: it was not kept. */
bool clocks_has(const struct clocks *c, uint64_t hash);
bool clocks_end(struct clocks *c, uint64_t hash);

/* a + b and a - b, b not below 0, that stay within time. */
int64_t clocks_add(int64_t a, int64_t b);
int64_t clocks_sub(int64_t a, int64_t b);

#endif
