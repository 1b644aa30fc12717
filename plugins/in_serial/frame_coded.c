/* SPDX-License-Identifier: Apache-2.0
 *
 * frame_coded.c - frames whose delimiter cannot stand in their content: SLIP (RFC
 * 1055, Romkey 1988) and COBS (Cheshire and Baker, "Consistent Overhead Byte
 * Stuffing", IEEE/ACM Transactions on Networking 7(2), 1999).
 *
 * A frame that cannot be decoded is bad as a whole: its end is sure. */
#include "frame.h"

#include <string.h>

enum { SLIP_ESC = 0xdb, SLIP_ESC_END = 0xdc, SLIP_ESC_ESC = 0xdd, SLIP_END = 0xc0 };

static int64_t slip_decode(const uint8_t *at, size_t size, uint8_t *to)
{
    size_t out = 0;

    for (size_t i = 0; i < size; i++) {
        if (at[i] != SLIP_ESC) {
            to[out++] = at[i];
            continue;
        }
        if (++i == size || (at[i] != SLIP_ESC_END && at[i] != SLIP_ESC_ESC))
            return -1;
        to[out++] = at[i] == SLIP_ESC_END ? SLIP_END : SLIP_ESC;
    }
    return (int64_t)out;
}

/* A code n stands for n-1 bytes and then a zero, except 255 and the last. */
static int64_t cobs_decode(const uint8_t *at, size_t size, uint8_t *to)
{
    size_t out = 0, i = 0, run;

    while (i < size) {
        run = at[i++] - 1u;
        if (run > size - i)
            return -1;
        memcpy(to + out, at + i, run);
        out += run;
        i += run;
        if (run < 254 && i < size)
            to[out++] = 0;
    }
    return (int64_t)out;
}

static struct frame_step decoded(struct framer *f, const uint8_t *at, size_t size)
{
    int64_t got = f->rule.kind == FRAME_SLIP ? slip_decode(at, size, f->scratch) : cobs_decode(at, size, f->scratch);

    if (got < 0)
        return frame_skip(REASON_ENCODING, 0);
    if ((size_t)got > f->rule.most)
        return frame_skip(REASON_LONG, 0);
    return frame_judge(f, &(struct frame_parts){ f->scratch, 0, (size_t)got, 0, 0 });
}

struct frame_step coded_next(struct framer *f, const uint8_t *at, size_t have)
{
    struct frame_step found = delimiter_find(f, at, have, f->reach - 2), step;

    if (found.what != FRAME_FOUND)
        return found;
    step = found.raw ? decoded(f, at, found.raw) : frame_skip(REASON_NONE, 0);
    step.sure = f->begun;
    step.raw = found.raw + found.size;
    f->begun = true;
    return step;
}
