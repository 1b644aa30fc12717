/* SPDX-License-Identifier: Apache-2.0
 *
 * frame_encode.c - a content made into a frame: for commands that a device wants
 * framed as it frames its own, and for tests that read back what they wrote.
 *
 * Not for frames whose header, or bytes beside the checksum, only the device's
 * manual knows (FIXED, LENGTH; skip_last, after). */
#include "frame.h"

#include <string.h>

struct out {
    uint8_t *to;
    size_t room, used;
    bool full;
};

static void put(struct out *o, const uint8_t *bytes, size_t size)
{
    if (o->full || size > o->room - o->used) {
        o->full = true;
        return;
    }
    memcpy(o->to + o->used, bytes, size);
    o->used += size;
}

static void put_byte(struct out *o, uint8_t byte)
{
    put(o, &byte, 1);
}

bool frame_encodes(const struct frame_rule *r)
{
    size_t width;
    struct sum sum;

    sum_set(&sum, &r->sum.rule);
    width = sum_width(&sum);
    if (r->kind == FRAME_FIXED || r->kind == FRAME_LENGTH || r->sum.skip_last || r->sum.after)
        return false;
    return r->tail == (r->sum.behind ? width : 0) && (r->kind != FRAME_MARKED || r->ends.count);
}

bool frame_holds_mark(const struct frame_rule *r, const uint8_t *content, size_t size)
{
    bool starts = r->kind != FRAME_LINE && !(r->start_is_content && r->ends.count);
    const struct mark *mark;
    size_t at;

    if (r->has_escape || r->kind == FRAME_SLIP || r->kind == FRAME_COBS)
        return false;
    return marks_find(&r->ends, content, size, 0, &at, &mark) == FRAME_FOUND ||
           (starts && marks_find(&r->starts, content, size, 0, &at, &mark) == FRAME_FOUND);
}

/* The same of a frame that was made: also a mark that begins in the content and goes
 * on behind it. */
static bool frame_is_cut(const struct frame_rule *r, const uint8_t *frame, size_t start, size_t size, size_t used)
{
    const struct mark *mark;
    size_t at;

    if (frame_holds_mark(r, frame + start, size))
        return true;
    return !r->has_escape && r->ends.count &&
           marks_find(&r->ends, frame, used, start, &at, &mark) == FRAME_FOUND && at < start + size;
}

static void slip_put(struct out *o, uint8_t byte)
{
    static const uint8_t end[] = { 0xdb, 0xdc }, esc[] = { 0xdb, 0xdd };

    if (byte == 0xc0)
        put(o, end, 2);
    else if (byte == 0xdb)
        put(o, esc, 2);
    else
        put_byte(o, byte);
}

static void marked_put(const struct frame_rule *r, struct out *o, uint8_t byte)
{
    bool doubled = r->starts.first[r->escape] || r->ends.first[r->escape];

    if (!r->has_escape || (byte != r->escape && (doubled || (!r->starts.first[byte] && !r->ends.first[byte])))) {
        put_byte(o, byte);
        return;
    }
    put_byte(o, r->escape);
    put_byte(o, doubled ? byte : (uint8_t)(byte ^ r->escape_xor));
}

static void plain_put(const struct frame_rule *r, struct out *o, const uint8_t *at, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (r->kind == FRAME_SLIP)
            slip_put(o, at[i]);
        else
            marked_put(r, o, at[i]);
    }
}

/* The next block of up to 254 bytes without a zero. */
static size_t cobs_run(const uint8_t *a, size_t size)
{
    size_t n = 0;

    while (n < size && n < 254 && a[n])
        n++;
    return n;
}

static void cobs_put(struct out *o, const uint8_t *at, size_t size)
{
    size_t run;

    for (;;) {
        run = cobs_run(at, size);
        put_byte(o, (uint8_t)(run + 1));
        put(o, at, run);
        if (run == size)
            return;
        run += run < 254; /* the zero that the code stands for */
        at += run;
        size -= run;
        if (size == 0) {
            put_byte(o, 1);
            return;
        }
    }
}

static uint32_t sum_of(const struct framer *f, const struct mark *start, const uint8_t *content, size_t size,
                       const struct mark *end)
{
    const struct frame_sum *s = &f->rule.sum;
    uint32_t state = sum_begin(&f->sum);
    size_t skip = s->skip_first < size ? s->skip_first : size;

    if (s->cover_start && start)
        state = sum_add(&f->sum, state, start->bytes, start->size);
    state = sum_add(&f->sum, state, content + skip, size - skip);
    if (s->behind && s->cover_end && end)
        state = sum_add(&f->sum, state, end->bytes, end->size);
    return sum_end(&f->sum, state);
}

size_t frame_encode(const struct framer *f, const uint8_t *content, size_t size, uint8_t *to, size_t room)
{
    const struct frame_rule *r = &f->rule;
    const struct mark *start = r->starts.count ? &r->starts.items[0] : NULL;
    const struct mark *end = r->ends.count ? &r->ends.items[0] : NULL;
    struct out o = { to, room, 0, false };
    uint8_t sum[8];

    if (!frame_encodes(r) || size > r->most)
        return 0;
    sum_write(&f->sum, sum_of(f, start, content, size, end), sum);
    if (r->kind == FRAME_COBS) {
        /* Runs go over into the checksum, so both must lie in one piece. */
        uint8_t *plain = to + room - size - 8;

        if (room < 2 * size + 32)
            return 0;
        memmove(plain, content, size);
        memcpy(plain + size, sum, sum_width(&f->sum));
        cobs_put(&o, plain, size + sum_width(&f->sum));
    } else {
        if (start)
            put(&o, start->bytes, start->size);
        plain_put(r, &o, content, size);
        if (!r->sum.behind)
            plain_put(r, &o, sum, sum_width(&f->sum));
    }
    if (end)
        put(&o, end->bytes, end->size);
    if (r->sum.behind)
        put(&o, sum, sum_width(&f->sum));
    return o.full || frame_is_cut(r, to, start ? start->size : 0, size, o.used) ? 0 : o.used;
}
