/* SPDX-License-Identifier: Apache-2.0
 *
 * frame_line.c - lines of text: bytes up to an end mark, which is left out.
 *
 * With `ascii` any other byte ends what has begun and is no part of a line, so
 * that a monitor's text can be read between the bytes of its waveforms. With `strict`
 * it makes the whole line a bad one. */
#include "frame.h"

/* What is too long is bad as soon as that is seen; with `ascii` only when an end
 * mark says that it was meant for a line: waveforms have long runs of text, too. */
struct frame_step delimiter_find(struct framer *f, const uint8_t *at, size_t have, size_t most)
{
    const struct mark *mark;
    size_t place;
    enum frame_what what = marks_find(&f->rule.ends, at, have, f->scanned, &place, &mark);

    if (f->passing) {
        if (what == FRAME_MORE)
            return place ? frame_skip(REASON_GARBAGE, place) : frame_more();
        f->passing = false;
        f->begun = true;
        return frame_skip(f->rule.ascii ? REASON_LONG : REASON_GARBAGE, place + mark->size);
    }
    if (place > most) {
        f->passing = true;
        return frame_skip(f->rule.ascii ? REASON_GARBAGE : REASON_LONG, most);
    }
    if (what == FRAME_MORE) {
        f->scanned = place;
        return frame_more();
    }
    return (struct frame_step){ .what = FRAME_FOUND, .raw = place, .size = mark->size };
}

static bool is_text(uint8_t byte)
{
    return (byte >= 0x20 && byte < 0x7f) || byte == '\t';
}

/* Bytes that are not text, where they begin at hand: how many. One that may begin
 * an end mark is left for later. */
static size_t noise(const struct framer *f, const uint8_t *at, size_t have)
{
    const struct mark *mark;
    size_t n = 0;

    while (n < have && !is_text(at[n]) && marks_here(&f->rule.ends, at + n, have - n, &mark) == FRAME_SKIP)
        n++;
    return n;
}

/* The first byte that is neither text nor begins an end mark, in reach of what
 * would be a line; `have` when there is none. */
static size_t noise_find(const struct framer *f, const uint8_t *at, size_t have)
{
    const struct mark *mark;
    size_t i;

    for (i = f->scanned; i < have; i++) {
        if (is_text(at[i]) && !f->rule.ends.first[at[i]])
            continue;
        if (marks_here(&f->rule.ends, at + i, have - i, &mark) != FRAME_SKIP)
            return have;
        if (!is_text(at[i]))
            return i;
    }
    return have;
}

static struct frame_step noise_skip(struct framer *f, const uint8_t *at, size_t have, size_t first)
{
    if (!f->passing && first > f->rule.most) {
        f->passing = true;
        return frame_skip(REASON_GARBAGE, f->rule.most);
    }
    f->passing = false;
    f->begun = true;
    return frame_skip(REASON_GARBAGE, first + noise(f, at + first, have - first));
}

static bool is_all_text(const uint8_t *at, size_t size)
{
    size_t i = 0;

    while (i < size && is_text(at[i]))
        i++;
    return i == size;
}

struct frame_step line_next(struct framer *f, const uint8_t *at, size_t have)
{
    size_t first = f->rule.ascii ? noise_find(f, at, have) : have;
    struct frame_step found, step;
    size_t mark;

    if (first < have)
        return noise_skip(f, at, have, first);
    found = delimiter_find(f, at, have, f->rule.most);
    if (found.what != FRAME_FOUND)
        return found;
    mark = found.size;
    if (f->rule.strict && !is_all_text(at, found.raw)) {
        f->begun = true;
        return frame_skip(REASON_ENCODING, found.raw + mark);
    }
    step = frame_judge(f, &(struct frame_parts){ at, 0, found.raw, mark, 0 });
    step.sure = f->begun;
    step.raw = found.raw + mark;
    f->begun = true;
    return step;
}
