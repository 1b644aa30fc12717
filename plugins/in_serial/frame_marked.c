/* SPDX-License-Identifier: Apache-2.0
 *
 * frame_marked.c - frames between a start and an end mark: STX and ETX, HDLC-like
 * (RFC 1662), NMEA, any other; or from one start mark to the next.
 *
 * Where start and end are the same mark, one may stand for both. An escape byte
 * lets the content hold what would be a mark; where marks begin with it (DLE STX)
 * it is doubled, else it changes the byte behind it by `escape_xor`. */
#include "frame.h"

#include <string.h>

/* What a look at the content ended with. */
enum end { END_WAIT, END_MARK, END_RESTART, END_LONG, END_ESCAPE };

struct look {
    enum end end;
    size_t place; /* of the end mark, the next start, or the fault */
    const struct mark *mark;
};

static bool is_shared(const struct frame_rule *r)
{
    return marks_same(&r->starts, &r->ends);
}

/* Whether marks begin with the escape byte, which then must be doubled. */
static bool is_doubled(const struct frame_rule *r)
{
    return r->starts.first[r->escape] || r->ends.first[r->escape];
}

static bool escape_is_bad(const struct frame_rule *r, uint8_t next)
{
    if (is_doubled(r))
        return next != r->escape;
    return r->escape_xor && (r->ends.first[next] || r->starts.first[next]);
}

static size_t raw_most(const struct frame_rule *r)
{
    return r->has_escape ? 2 * r->most : r->most;
}

/* One place in the content: END_WAIT with *ret_step bytes that are content, or 0
 * where more must come; or what it ends with. */
static enum end place_look(const struct frame_rule *r, const uint8_t *at, size_t have, size_t *ret_step,
                           const struct mark **ret_mark)
{
    enum frame_what here;

    *ret_step = 0;
    if (r->ends.first[at[0]]) {
        here = marks_here(&r->ends, at, have, ret_mark);
        if (here != FRAME_SKIP)
            return here == FRAME_FOUND ? END_MARK : END_WAIT;
    }
    if (r->starts.first[at[0]] && (!r->start_is_content || !r->ends.count)) {
        here = marks_here(&r->starts, at, have, ret_mark);
        if (here != FRAME_SKIP)
            return here == FRAME_FOUND ? END_RESTART : END_WAIT;
    }
    *ret_step = 1;
    if (!r->has_escape || at[0] != r->escape)
        return END_WAIT;
    if (have > 1 && escape_is_bad(r, at[1]))
        return END_ESCAPE;
    *ret_step = have > 1 ? 2 : 0;
    return END_WAIT;
}

static struct look content_look(struct framer *f, const uint8_t *at, size_t have, size_t start)
{
    size_t place = f->scanned > start ? f->scanned : start, step = 1;
    struct look look = { END_WAIT, 0, NULL };

    while (look.end == END_WAIT && step && place < have) {
        if (place - start > raw_most(&f->rule)) {
            look.end = END_LONG;
            break;
        }
        look.end = place_look(&f->rule, at + place, have - place, &step, &look.mark);
        if (look.end == END_WAIT)
            place += step;
    }
    f->scanned = look.place = place;
    return look;
}

/* The bytes of [from, to) without escapes, behind `to_at`; returns how many. */
static size_t content_plain(const struct frame_rule *r, const uint8_t *from, size_t size, uint8_t *to)
{
    size_t out = 0;

    for (size_t i = 0; i < size; i++) {
        uint8_t byte = from[i];

        if (byte == r->escape)
            byte = is_doubled(r) ? from[++i] : (uint8_t)(from[++i] ^ r->escape_xor);
        to[out++] = byte;
    }
    return out;
}

/* A bad frame: with escapes no start mark can stand inside it, else one may. */
static struct frame_step bad(const struct framer *f, enum frame_reason reason, size_t start, size_t whole)
{
    return frame_skip(reason, f->rule.has_escape ? whole : start);
}

/* How much of a good frame of `raw` bytes is its own: where the next one begins in what
 * should follow its checksum, that was lost. Bytes behind `raw` may not be there yet, and
 * do not count. */
static size_t own_bytes(const struct frame_rule *r, const uint8_t *at, size_t raw)
{
    const struct mark *mark;
    size_t place;

    if (!r->sum.behind || !r->sum.after || r->start_is_content || is_shared(r))
        return raw;
    return marks_find(&r->starts, at, raw, raw - r->sum.after, &place, &mark) == FRAME_FOUND ? place : raw;
}

/* The frame that ends where the look did; of a mark that is a start only the place. */
static struct frame_step whole(struct framer *f, const uint8_t *at, struct look look, size_t start)
{
    const struct frame_rule *r = &f->rule;
    size_t end = look.end == END_MARK ? look.mark->size : 0;
    struct frame_parts parts = { at, start, look.place - start, end, end ? r->tail : 0 };
    struct frame_step step;
    size_t raw = look.place + (is_shared(r) ? 0 : end + parts.tail);

    if (r->has_escape) {
        memcpy(f->scratch, at, start);
        parts.body = content_plain(r, at + start, parts.body, f->scratch + start);
        memcpy(f->scratch + start + parts.body, at + look.place, end + parts.tail);
        parts.plain = f->scratch;
    }
    if (parts.start + parts.body + parts.end + parts.tail > r->most)
        return bad(f, REASON_LONG, start, look.place);
    step = frame_judge(f, &parts);
    if (step.what != FRAME_FOUND)
        return bad(f, (enum frame_reason)step.reason, start, raw);
    step.raw = end ? own_bytes(r, at, raw) : raw;
    return step;
}

static struct frame_step found(struct framer *f, const uint8_t *at, size_t have, struct look look, size_t start)
{
    const struct frame_rule *r = &f->rule;
    size_t end = look.mark->size;

    if (look.end == END_RESTART)
        return r->ends.count ? frame_skip(REASON_CUT, look.place) : whole(f, at, look, start);
    if (is_shared(r) && look.place == start)
        return frame_skip(REASON_NONE, start);
    if (!r->has_escape && look.place + end + r->tail > r->most)
        return bad(f, REASON_LONG, start, look.place);
    if (have < look.place + end + r->tail)
        return frame_more();
    return whole(f, at, look, start);
}

struct frame_step marked_next(struct framer *f, const uint8_t *at, size_t have)
{
    const struct mark *mark;
    struct look look;
    size_t place;

    if (marks_find(&f->rule.starts, at, have, 0, &place, &mark) == FRAME_MORE || place)
        return place ? frame_skip(REASON_GARBAGE, place) : frame_more();
    look = content_look(f, at, have, mark->size);
    switch (look.end) {
    case END_WAIT: return frame_more();
    case END_LONG: return bad(f, REASON_LONG, mark->size, look.place);
    case END_ESCAPE: return frame_skip(REASON_ENCODING, look.place);
    default: return found(f, at, have, look, mark->size);
    }
}
