/* SPDX-License-Identifier: Apache-2.0
 *
 * frame.c - what all framers share: marks, checksums, and the promise that each
 * step gets on. See frame.h. */
#include "frame.h"

#include <string.h>

static bool is_begun_by(const struct mark *a, const struct mark *b)
{
    return a->size >= b->size && memcmp(a->bytes, b->bytes, b->size) == 0;
}

bool marks_add(struct marks *m, const struct mark *mark)
{
    if (m->count == FRAME_MARKS_MOST || mark->size == 0)
        return false;
    for (uint32_t i = 0; i < m->count; i++)
        if (is_begun_by(mark, &m->items[i]) || is_begun_by(&m->items[i], mark))
            return false;
    m->items[m->count++] = *mark;
    m->first[mark->bytes[0]] = true;
    return true;
}

bool marks_same(const struct marks *a, const struct marks *b)
{
    for (uint32_t i = 0; i < a->count; i++)
        if (i >= b->count || a->items[i].size != b->items[i].size ||
            memcmp(a->items[i].bytes, b->items[i].bytes, a->items[i].size) != 0)
            return false;
    return a->count == b->count;
}

enum frame_what marks_here(const struct marks *m, const uint8_t *at, size_t have, const struct mark **ret_mark)
{
    bool may_be = false;

    if (!have || !m->first[at[0]])
        return have ? FRAME_SKIP : FRAME_MORE;
    for (uint32_t i = 0; i < m->count; i++) {
        const struct mark *mark = &m->items[i];
        size_t look = have < mark->size ? have : mark->size;

        if (memcmp(at, mark->bytes, look) != 0)
            continue;
        if (look == mark->size) {
            *ret_mark = mark;
            return FRAME_FOUND;
        }
        may_be = true;
    }
    return may_be ? FRAME_MORE : FRAME_SKIP;
}

enum frame_what marks_find(const struct marks *m, const uint8_t *at, size_t have, size_t from, size_t *ret_at,
                           const struct mark **ret_mark)
{
    enum frame_what here = FRAME_SKIP;

    for (; from < have; from++) {
        if (!m->first[at[from]])
            continue;
        here = marks_here(m, at + from, have - from, ret_mark);
        if (here != FRAME_SKIP)
            break;
    }
    *ret_at = from;
    return from < have ? here : FRAME_MORE;
}

struct frame_step frame_more(void)
{
    return (struct frame_step){ .what = FRAME_MORE };
}

struct frame_step frame_skip(enum frame_reason reason, size_t raw)
{
    return (struct frame_step){ .what = FRAME_SKIP, .reason = (uint8_t)reason, .raw = raw };
}

/* ---- the checksum ---- */

/* Where it stands, counted from the frame's first byte. False: no room for it. */
static bool sum_place(const struct framer *f, const struct frame_parts *p, size_t *ret_at)
{
    size_t before_end = p->start + p->body, whole = before_end + p->end + p->tail;
    size_t region = f->rule.sum.behind ? whole : before_end;
    size_t least = f->rule.sum.behind ? before_end + p->end : p->start;
    size_t wanted = sum_width(&f->sum) + f->rule.sum.after;

    if (region < least + wanted + (f->rule.sum.behind ? 0 : f->rule.sum.skip_last))
        return false; /* what it does not cover lies in the body, too */
    *ret_at = region - wanted;
    return true;
}

/* What it covers: [*ret_from, *ret_to). False: less than nothing. */
static bool sum_cover(const struct framer *f, const struct frame_parts *p, size_t at, size_t *ret_from, size_t *ret_to)
{
    const struct frame_sum *s = &f->rule.sum;
    size_t to = at;

    if (s->behind)
        to = p->start + p->body + (s->cover_end ? p->end : 0);
    *ret_from = (s->cover_start ? 0 : p->start) + s->skip_first;
    if (to < *ret_from + s->skip_last)
        return false;
    *ret_to = to - s->skip_last;
    return true;
}

static bool sum_is_right(const struct framer *f, const struct frame_parts *p, size_t *ret_at)
{
    size_t from, to;
    uint32_t wanted, found;

    if (!sum_place(f, p, ret_at) || !sum_cover(f, p, *ret_at, &from, &to) ||
        !sum_read(&f->sum, p->plain + *ret_at, &wanted))
        return false;
    found = sum_end(&f->sum, sum_add(&f->sum, sum_begin(&f->sum), p->plain + from, to - from));
    return found == wanted;
}

struct frame_step frame_judge(const struct framer *f, const struct frame_parts *p)
{
    struct frame_step step = { .what = FRAME_FOUND, .sure = 1 };
    size_t begin = p->start, end = p->start + p->body, at = end;

    if (f->rule.sum.rule.kind && !sum_is_right(f, p, &at))
        return frame_skip(REASON_SUM, 0);
    if (f->rule.sum.rule.kind && !f->rule.sum.behind)
        end = at - f->rule.sum.skip_last;
    if (f->rule.kind == FRAME_LENGTH) {
        begin = f->rule.header;
        end = p->start + p->body - f->rule.trailer;
    }
    step.at = p->plain + begin;
    step.size = end - begin;
    return step;
}

/* ---- all framers ---- */

/* The most bytes on the line that a frame of `most` bytes can take, with what a
 * framer must see behind it. */
static size_t reach_of(const struct frame_rule *r)
{
    size_t marks = 2 * TEXT_MARK_MOST;

    switch (r->kind) {
    case FRAME_FIXED: return r->size;
    case FRAME_COBS: return r->most + r->most / 254 + 3;
    case FRAME_SLIP: return 2 * r->most + 2;
    case FRAME_STX_ETX:
    case FRAME_MARKED: return (r->has_escape ? 2 * r->most : r->most) + r->tail + marks + 2;
    case FRAME_LENGTH: return r->most > r->offset + r->width ? r->most : r->offset + r->width;
    case FRAME_RAW: return 1;
    case FRAME_SILENCE: return r->most + 1;
    default: return r->most + marks;
    }
}

void framer_set(struct framer *f, const struct frame_rule *rule)
{
    memset(f, 0, sizeof *f);
    f->rule = *rule;
    sum_set(&f->sum, &rule->sum.rule);
    f->reach = reach_of(rule);
}

void framer_reset(struct framer *f)
{
    f->scanned = 0;
    f->passing = f->begun = f->lost = false;
}

static struct frame_step raw_next(const struct framer *f, const uint8_t *at, size_t have)
{
    size_t size = have < f->rule.most ? have : f->rule.most;

    return (struct frame_step){ .what = FRAME_FOUND, .sure = 1, .raw = size, .at = at, .size = size };
}

/* A last byte stays, so that the pause behind a frame that is too long is seen. */
static struct frame_step silence_next(struct framer *f, size_t have)
{
    bool again = f->passing;

    f->passing = again || have > f->rule.most;
    if (!f->passing || have == 1)
        return frame_more();
    return frame_skip(again ? REASON_GARBAGE : REASON_LONG, have - 1);
}

static struct frame_step kind_next(struct framer *f, const uint8_t *at, size_t have)
{
    switch (f->rule.kind) {
    case FRAME_RAW: return raw_next(f, at, have);
    case FRAME_SILENCE: return silence_next(f, have);
    case FRAME_LINE: return line_next(f, at, have);
    case FRAME_FIXED:
    case FRAME_LENGTH: return block_next(f, at, have);
    case FRAME_STX_ETX:
    case FRAME_MARKED: return marked_next(f, at, have);
    default: return coded_next(f, at, have);
    }
}

struct frame_step framer_next(struct framer *f, const uint8_t *at, size_t have)
{
    struct frame_step step;

    if (!have)
        return frame_more();
    step = kind_next(f, at, have);
    /* A framer that wants more for ever, or that takes nothing, would stop the
     * line: whatever it says, we get on by a byte. */
    if (step.what == FRAME_MORE ? have >= f->reach : step.raw == 0 || step.raw > have)
        step = frame_skip(REASON_LONG, 1);
    if (step.what == FRAME_MORE)
        return step;
    f->scanned = 0;
    if (step.what == FRAME_FOUND && !step.size && !f->rule.keep_empty)
        return frame_skip(REASON_NONE, step.raw);
    if (step.what == FRAME_FOUND && f->rule.whole) {
        step.at = at;
        step.size = step.raw;
    }
    return step;
}

/* All that is there, from behind its start mark, as a frame. */
static struct frame_step rest_judge(struct framer *f, const uint8_t *at, size_t have, size_t start)
{
    struct frame_step step = frame_judge(f, &(struct frame_parts){ at, start, have - start, 0, 0 });

    step.raw = have;
    step.sure = start || f->begun;
    f->begun = true;
    if (step.what == FRAME_FOUND && f->rule.whole) {
        step.at = at;
        step.size = have;
    }
    return step;
}

struct frame_step framer_expire(struct framer *f, const uint8_t *at, size_t have)
{
    bool is_marked = f->rule.kind == FRAME_MARKED && !f->rule.ends.count, was_passing = f->passing;
    const struct mark *mark;

    if (!have)
        return frame_more();
    f->scanned = 0;
    f->passing = false;
    if (f->rule.kind == FRAME_SILENCE)
        return was_passing ? frame_skip(REASON_GARBAGE, have) : rest_judge(f, at, have, 0);
    if (f->rule.kind == FRAME_LINE || f->rule.kind == FRAME_SLIP || f->rule.kind == FRAME_COBS) {
        f->begun = false;
        return frame_skip(was_passing ? REASON_GARBAGE : REASON_CUT, have);
    }
    if (!is_marked || marks_here(&f->rule.starts, at, have, &mark) != FRAME_FOUND)
        return frame_skip(REASON_CUT, 1);
    return rest_judge(f, at, have, mark->size);
}
