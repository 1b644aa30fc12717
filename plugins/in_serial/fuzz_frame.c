/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_frame.c - any bytes by one framer, KIND. The first twelve are its parameters, the
 * rest is the stream.
 *
 * Whole, byte by byte and cut at random it gives the same frames and the same
 * counts; every byte is in a frame or counted; no frame is above the limit; and
 * the content of a frame, framed again where that is possible, comes back. */
#include "test_cut.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD = 12 };

static void mark_make(struct marks *m, const uint8_t *bytes, size_t size)
{
    struct mark mark = { .size = (uint8_t)size };

    memcpy(mark.bytes, bytes, size);
    (void)marks_add(m, &mark);
}

static void sum_make(struct frame_rule *r, const uint8_t *p)
{
    r->sum.rule = (struct sum_rule){ .kind = (enum sum_kind)(p[0] % 7), .poly = 0x8005u + p[1], .init = p[1] * 257u,
                                     .reflect_in = p[2] & 1, .reflect_out = (p[2] & 2) != 0, .hex = (p[2] & 4) != 0,
                                     .little = (p[2] & 8) != 0, .negate = (p[2] & 16) != 0 };
    r->sum.behind = (p[2] & 32) && (r->kind == FRAME_STX_ETX || r->kind == FRAME_MARKED) && r->ends.count;
    r->sum.cover_start = (p[2] & 64) != 0;
    r->sum.cover_end = (p[2] & 128) != 0;
    r->sum.skip_first = p[1] % 3;
    r->sum.skip_last = p[1] / 3 % 2;
    r->sum.after = p[1] / 6 % 3;
}

static void marks_make(struct frame_rule *r, const uint8_t *p)
{
    static const uint8_t zero = 0, end = 0xc0;

    if (r->kind == FRAME_SLIP || r->kind == FRAME_COBS) {
        mark_make(&r->ends, r->kind == FRAME_SLIP ? &end : &zero, 1);
        return;
    }
    if (r->kind != FRAME_LINE && (p[0] & 3 || r->kind >= FRAME_STX_ETX))
        mark_make(&r->starts, p + 1, 1 + (p[0] & 1));
    if (r->kind == FRAME_LINE || r->kind == FRAME_STX_ETX || p[0] & 4) {
        mark_make(&r->ends, p + 3, 1 + ((p[0] & 8) != 0));
        mark_make(&r->ends, p + 1, 1);
    }
    r->has_escape = p[0] & 16;
    r->escape = p[5];
    r->escape_xor = p[0] & 32 ? 0x20 : 0;
    r->start_is_content = p[0] & 64;
}

static void rule_make(struct frame_rule *r, const uint8_t *p)
{
    memset(r, 0, sizeof *r);
    r->kind = KIND;
    r->most = 8u + p[1];
    r->ascii = p[2] & 1;
    r->strict = !r->ascii && (p[2] & 8);
    r->keep_empty = p[2] & 2;
    r->whole = p[2] & 4;
    marks_make(r, p + 3);
    sum_make(r, p + 9);
    r->size = 4u + p[2] % 4;
    r->sync = r->kind == FRAME_FIXED && !r->starts.count ? p[8] : 0;
    r->offset = p[4] % 4;
    r->width = 1u + p[5] % 4;
    r->header = r->offset + r->width + p[6] % 2;
    r->trailer = p[6] % 3u + (r->sum.rule.kind ? 8u : 0u);
    r->counts = (enum frame_counts)(p[7] % 3);
    r->little = p[7] & 4;
    r->add = p[7] >> 3 < 16 ? p[7] >> 3 : (p[7] >> 3) - 32;
    r->tail = r->sum.behind ? 8u + r->sum.after : p[7] % 3;
    if (r->kind == FRAME_LENGTH && r->most < r->header + r->trailer)
        r->most = r->header + r->trailer;
}

static void limits_check(const struct frame_rule *r, const struct outcome *o)
{
    size_t at = 0;
    uint32_t size;

    while (at < o->used) {
        memcpy(&size, o->text + at, sizeof size);
        if (!r->whole && size > r->most)
            abort();
        at += sizeof size + 1 + size;
    }
}

/* What the encoder makes of a content, the framer reads as that. */
static void encode_check(const struct frame_rule *rule, const uint8_t *content, size_t size)
{
    struct frame_rule r = *rule;
    struct framer f;
    struct outcome o;
    uint8_t room[2048];
    size_t made;

    r.whole = false;
    r.sum.skip_last = r.sum.after = r.sum.skip_first = 0;
    r.keep_empty = true;
    framer_set(&f, &r);
    r.tail = r.sum.behind ? sum_width(&f.sum) : 0;
    f.rule.tail = r.tail;
    if (size > 8 && size + 24 <= r.most && (r.kind == FRAME_SLIP || r.kind == FRAME_COBS)) {
        made = frame_encode(&f, content, size, room, sizeof room);
        o = outcome_of(&r, room, made, 1, 0);
        if (o.frames != 1 || o.used != 5 + size || memcmp(o.text + 5, content, size) != 0)
            abort();
        free(o.text);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct frame_rule rule;
    struct outcome whole, single, any;

    if (size < HEAD)
        return 0;
    rule_make(&rule, data);
    whole = outcome_of(&rule, data + HEAD, size - HEAD, size, 0);
    single = outcome_of(&rule, data + HEAD, size - HEAD, 1, 0);
    any = outcome_of(&rule, data + HEAD, size - HEAD, 0, size * 31 + data[HEAD - 1]);
    if (!outcome_same(&whole, &single) || !outcome_same(&whole, &any))
        abort();
    limits_check(&rule, &whole);
    encode_check(&rule, data + HEAD, size - HEAD < 200 ? size - HEAD : 200);
    free(whole.text);
    free(single.text);
    free(any.text);
    return 0;
}
