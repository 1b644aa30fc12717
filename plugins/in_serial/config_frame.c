/* SPDX-License-Identifier: Apache-2.0
 *
 * config_frame.c - the options of framing become the rule of a framer, or a
 * sentence about why they cannot. See config.h. */
#include "config.h"

#include <string.h>

static bool marks_put(const char *text, const char *option, const struct aff_report *report, struct marks *to)
{
    struct mark mark;

    if (!text_mark(text, &mark))
        return config_problem(report, option, "is no byte string of 1 to %d bytes; expected text, with \\xHH for a "
                                              "byte HH; write it like '\\x02' or \"\\r\\n\"", TEXT_MARK_MOST);
    if (!marks_add(to, &mark))
        return config_problem(report, option, "has marks of which one begins another, or more than %d; expected "
                                              "marks that can be told apart; take one out", FRAME_MARKS_MOST);
    return true;
}

static bool list_put(const struct aff_list *list, const char *option, const struct aff_report *report, struct marks *to)
{
    bool ok = true;

    for (uint32_t i = 0; ok && i < list->count; i++)
        ok = marks_put(config_text(list, i), option, report, to);
    return ok;
}

static bool line_make(const struct config *c, const struct aff_report *report, struct frame_rule *r)
{
    r->ascii = c->line && c->line->text == TEXT_ASCII;
    r->strict = c->line && c->line->text == TEXT_STRICT;
    if (c->line && c->line->end.count)
        return list_put(&c->line->end, "line.end", report, &r->ends);
    return marks_put("\\r", "line.end", report, &r->ends) && marks_put("\\n", "line.end", report, &r->ends);
}

static bool fixed_make(const struct config *c, const struct aff_report *report, struct frame_rule *r)
{
    if (!c->fixed)
        return config_problem(report, "framer", "framer = \"fixed\" needs a length; expected `fixed`; write for "
                                                "example fixed = { size = 32 }");
    r->size = (size_t)c->fixed->size;
    r->sync = (uint8_t)c->fixed->sync_bits;
    if (r->sync && c->fixed->start)
        return config_problem(report, "fixed.sync_bits", "stand beside fixed.start; expected one of the two by which a "
                                                         "frame's beginning is known; remove the other");
    if (c->fixed->start && !marks_put(c->fixed->start, "fixed.start", report, &r->starts))
        return false;
    if (r->size > r->most)
        return config_problem(report, "fixed.size", "is above max_frame; expected at most %zu; raise max_frame", r->most);
    if (r->starts.count && r->starts.items[0].size > r->size)
        return config_problem(report, "fixed.start", "is longer than the frame; expected a part of its fixed.size "
                                                     "bytes; shorten it");
    return true;
}

static bool length_make(const struct config *c, const struct aff_report *report, struct frame_rule *r)
{
    const struct length_config *l = c->length;

    if (!l)
        return config_problem(report, "framer", "framer = \"length\" needs to know the field; expected `length`; "
                                                "write for example length = { offset = 1, width = 2 }");
    if (l->start && !marks_put(l->start, "length.start", report, &r->starts))
        return false;
    r->offset = (size_t)l->offset;
    r->width = (size_t)l->width;
    r->header = l->header ? (size_t)l->header : r->offset + r->width;
    r->trailer = (size_t)l->trailer;
    r->counts = (enum frame_counts)l->counts;
    r->add = l->add;
    r->little = l->order == ORDER_LITTLE;
    if (r->header < r->offset + r->width)
        return config_problem(report, "length.header", "ends before the length field does; expected at least offset "
                                                       "+ width = %zu bytes; raise it, or remove it", r->offset + r->width);
    if (r->starts.count && r->starts.items[0].size > r->offset)
        return config_problem(report, "length.offset", "lies inside length.start; expected a field behind it; raise "
                                                       "it to %u or more", (unsigned)r->starts.items[0].size);
    if (r->header + r->trailer > r->most)
        return config_problem(report, "max_frame", "is less than the header and trailer of length; expected at least "
                                                   "%zu; raise it", r->header + r->trailer);
    return true;
}

static bool escape_make(const struct marks_config *m, const struct aff_report *report, struct frame_rule *r)
{
    uint8_t escape;

    if (!m->escape && m->escape_xor)
        return config_problem(report, "marks.escape_xor", "is for what stands behind an escape, and there is none; "
                                                          "expected marks.escape beside it; write it, or remove this");
    if (!m->escape)
        return true;
    if (text_bytes(m->escape, &escape, 1) != 1)
        return config_problem(report, "marks.escape", "is not one byte; expected for example '\\x10' (DLE); write one");
    r->has_escape = true;
    r->escape = escape;
    r->escape_xor = (uint8_t)m->escape_xor;
    return true;
}

static bool marked_make(const struct config *c, const struct aff_report *report, struct frame_rule *r)
{
    const struct marks_config *m = c->marks;
    bool is_stx = r->kind == FRAME_STX_ETX;

    if (!m && !is_stx)
        return config_problem(report, "framer", "framer = \"marks\" needs its marks; expected `marks`; write for "
                                                "example marks = { start = \"$\", end = \"\\r\\n\" }");
    if (m && (!list_put(&m->start, "marks.start", report, &r->starts) ||
              !list_put(&m->end, "marks.end", report, &r->ends) || !escape_make(m, report, r)))
        return false;
    if (is_stx && !r->starts.count)
        (void)marks_put("\\x02", "marks.start", report, &r->starts);
    if (is_stx && !r->ends.count)
        (void)marks_put("\\x03", "marks.end", report, &r->ends);
    if (!r->starts.count)
        return config_problem(report, "marks.start", "is missing; expected what a frame begins with; write for example "
                                                     "start = \"$\"");
    r->start_is_content = m && m->start_inside == INSIDE_CONTENT;
    r->tail = m ? (size_t)m->tail : 0;
    if (r->tail && !r->ends.count)
        return config_problem(report, "marks.tail", "stands behind an end mark, and there is none; expected "
                                                    "marks.end beside it; write one, or remove it");
    return true;
}

static bool sum_parameters(const struct sum_config *s, const struct aff_report *report, struct frame_rule *r)
{
    static const uint32_t most[] = { 0, 0xff, 0xffff, 0xff, 0xff, 0xffff, UINT32_MAX };
    enum sum_kind kind = (enum sum_kind)(s->kind + 1);
    bool is_crc = kind >= SUM_CRC8;

    if (is_crc != (s->poly > 0))
        return config_problem(report, "checksum.poly",
                              is_crc ? "is missing; expected the CRC's polynomial without its highest bit; write for "
                                       "example poly = 0x8005"
                                     : "is for a CRC; expected none beside a sum or xor; remove it");
    if (!is_crc && (s->reflect_in || s->reflect_out))
        return config_problem(report, s->reflect_in ? "checksum.reflect_in" : "checksum.reflect_out",
                              "is for a CRC; expected none beside a sum or xor; remove it");
    if (s->poly > most[kind] || s->init > most[kind] || s->xorout > most[kind])
        return config_problem(report, "checksum", "has a poly, init or xorout that is wider than the checksum; "
                                                  "expected at most 0x%X; correct it", (unsigned)most[kind]);
    r->sum.rule = (struct sum_rule){ .kind = kind,
                                     .poly = (uint32_t)s->poly,
                                     .init = (uint32_t)s->init,
                                     .xorout = (uint32_t)s->xorout,
                                     .reflect_in = s->reflect_in,
                                     .reflect_out = s->reflect_out,
                                     .negate = s->negate,
                                     .hex = s->written == WRITTEN_HEX,
                                     .little = s->order == ORDER_LITTLE };
    return true;
}

static bool sum_place(const struct sum_config *s, const struct aff_report *report, struct frame_rule *r)
{
    bool has_marks = r->kind == FRAME_STX_ETX || r->kind == FRAME_MARKED, shared;
    struct sum sum;
    size_t width;

    sum_set(&sum, &r->sum.rule);
    width = sum_width(&sum) + (size_t)s->after;
    shared = r->ends.count && marks_same(&r->starts, &r->ends);
    r->sum.behind = s->place == PLACE_BEHIND || (s->place == PLACE_USUAL && r->kind == FRAME_STX_ETX && !shared);
    r->sum.cover_start = s->cover_start;
    r->sum.cover_end = s->cover_end;
    r->sum.skip_first = (size_t)s->skip_first;
    r->sum.skip_last = (size_t)s->skip_last;
    r->sum.after = (size_t)s->after;
    if (r->sum.behind && (!has_marks || !r->ends.count || shared))
        return config_problem(report, "checksum.place", "is behind an end mark, and these frames have none of their "
                                                        "own; expected framer = \"stx_etx\" or \"marks\" with "
                                                        "marks.end; write place = \"inside\"");
    if (!r->sum.behind && !s->cover_end)
        return config_problem(report, "checksum.cover_end", "is about a checksum behind the end mark, and this one is not; "
                                                            "expected it without; remove it");
    if (r->sum.behind && r->tail && r->tail < width)
        return config_problem(report, "marks.tail", "is too short for the checksum in it; expected at least %zu; "
                                                    "raise it, or remove it", width);
    if (r->sum.behind && !r->tail)
        r->tail = width;
    if (r->kind == FRAME_LENGTH && r->trailer < width)
        return config_problem(report, "length.trailer", "has no room for the checksum, which stands in the last "
                                                        "bytes; expected at least %zu; raise it", width);
    return true;
}

static bool kind_make(const struct config *c, const struct aff_report *report, struct frame_rule *r)
{
    switch (r->kind) {
    case FRAME_LINE: return line_make(c, report, r);
    case FRAME_FIXED: return fixed_make(c, report, r);
    case FRAME_LENGTH: return length_make(c, report, r);
    case FRAME_STX_ETX:
    case FRAME_MARKED: return marked_make(c, report, r);
    case FRAME_SLIP: return marks_put("\\xc0", "framer", report, &r->ends);
    case FRAME_COBS: return marks_put("\\0", "framer", report, &r->ends);
    case FRAME_SILENCE:
        return c->frame_timeout || config_problem(report, "framer", "framer = \"silence\" needs to know how long that is; "
                                                                    "expected frame_timeout; write for example "
                                                                    "frame_timeout = \"50ms\"");
    default: return true;
    }
}

/* A table beside a framer that does not read it is a mistake, not a spare. */
static bool needless(const struct config *c, const struct aff_report *report, enum frame_kind kind)
{
    const struct {
        const char *option;
        bool is_wrong;
    } tables[] = {
        { "line", c->line && kind != FRAME_LINE },
        { "fixed", c->fixed && kind != FRAME_FIXED },
        { "length", c->length && kind != FRAME_LENGTH },
        { "marks", c->marks && kind != FRAME_STX_ETX && kind != FRAME_MARKED },
        { "checksum", c->checksum && kind == FRAME_RAW },
        { "frame_timeout", c->frame_timeout && kind == FRAME_RAW },
    };

    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        if (tables[i].is_wrong)
            return config_problem(report, tables[i].option, "does nothing with this framer; expected the framer that "
                                                            "it is for; change `framer`, or remove it");
    return true;
}

bool config_frame(const struct config *c, const struct aff_report *report, struct frame_rule *ret)
{
    memset(ret, 0, sizeof *ret);
    ret->kind = (enum frame_kind)c->framer;
    ret->most = (size_t)c->max_frame;
    ret->whole = c->emit == EMIT_FRAME;
    ret->keep_empty = c->keep_empty;
    if (!needless(c, report, ret->kind) || !kind_make(c, report, ret))
        return false;
    return !c->checksum || (sum_parameters(c->checksum, report, ret) && sum_place(c->checksum, report, ret));
}
