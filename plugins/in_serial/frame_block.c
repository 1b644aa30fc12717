/* SPDX-License-Identifier: Apache-2.0
 *
 * frame_block.c - frames of a fixed length, or with their length in them.
 *
 * Nothing says where such a frame ends, so a wrong one costs a byte and the next
 * is tried: by the start mark where there is one. Without one a row of bytes that
 * are no frames counts as one bad frame, and the rest of it as garbage. Where bits of
 * the first byte say that it is one, a frame that is cut costs no other. */
#include "frame.h"

static uint64_t length_read(const struct frame_rule *r, const uint8_t *at)
{
    uint64_t value = 0;

    for (size_t i = 0; i < r->width; i++)
        value = value << 8 | at[r->little ? r->offset + r->width - 1 - i : r->offset + i];
    return value;
}

/* Bytes of the frame at hand: 0, where the field says what cannot be. */
static uint64_t length_of(const struct frame_rule *r, const uint8_t *at)
{
    int64_t whole = (int64_t)length_read(r, at) + r->add; /* of 4 bytes at most */

    if (r->counts == COUNTS_PAYLOAD)
        whole += (int64_t)(r->header + r->trailer);
    else if (r->counts == COUNTS_REST)
        whole += (int64_t)(r->offset + r->width);
    return whole < (int64_t)(r->header + r->trailer) ? 0 : (uint64_t)whole;
}

static struct frame_step bad(struct framer *f, enum frame_reason reason)
{
    bool again = f->lost;

    f->lost = f->rule.starts.count == 0;
    return frame_skip(again ? REASON_GARBAGE : reason, 1);
}

static bool is_sync(const struct frame_rule *r, uint8_t byte)
{
    return (byte & r->sync) == r->sync;
}

/* The first byte of a frame from `from` on; `have`: there is none. */
static size_t sync_find(const struct frame_rule *r, const uint8_t *at, size_t have, size_t from)
{
    while (from < have && !is_sync(r, at[from]))
        from++;
    return from;
}

static struct frame_step sync_next(struct framer *f, const uint8_t *at, size_t have)
{
    const struct frame_rule *r = &f->rule;
    size_t look = have < r->size ? have : r->size, next;
    struct frame_step step;

    if (!is_sync(r, at[0]))
        return frame_skip(REASON_GARBAGE, sync_find(r, at, have, 1));
    next = sync_find(r, at, look, 1);
    if (next < look)
        return frame_skip(REASON_CUT, next);
    if (have < r->size)
        return frame_more();
    step = frame_judge(f, &(struct frame_parts){ at, 0, r->size, 0, 0 });
    step.raw = r->size;
    return step;
}

struct frame_step block_next(struct framer *f, const uint8_t *at, size_t have)
{
    const struct frame_rule *r = &f->rule;
    const struct mark *mark;
    struct frame_step step;
    size_t place = 0, start = 0;
    uint64_t size = r->size;

    if (r->sync)
        return sync_next(f, at, have);
    if (r->starts.count) {
        if (marks_find(&r->starts, at, have, 0, &place, &mark) == FRAME_MORE || place)
            return place ? frame_skip(REASON_GARBAGE, place) : frame_more();
        start = mark->size;
    }
    if (r->kind == FRAME_LENGTH) {
        if (have < r->offset + r->width)
            return frame_more();
        size = length_of(r, at);
    }
    if (!size || size > r->most || size < start)
        return bad(f, size > r->most ? REASON_LONG : REASON_LENGTH);
    if (have < size)
        return frame_more();
    step = frame_judge(f, &(struct frame_parts){ at, start, (size_t)size - start, 0, 0 });
    if (step.what != FRAME_FOUND)
        return bad(f, (enum frame_reason)step.reason);
    step.sure = f->begun || start || r->sum.rule.kind;
    step.raw = (size_t)size;
    f->begun = true;
    f->lost = false;
    return step;
}
