/* SPDX-License-Identifier: Apache-2.0
 *
 * match.c - of which kind a frame is, and where in its bytes it begins.
 *
 * A serial line carries more than text: a monitor sends waveform bytes, and its
 * numerics between them, so that what a line reader cuts has hundreds of bytes in
 * front of the key. With start = "key" the earliest known mark is taken behind
 * which all is text to the end: garbage is hardly ever text for as long as a whole
 * frame is, and a later mark may be part of a field (SPO2=1;100;PR=80). A letter
 * or digit in front makes it the end of another word: SPO2= is not O2=.
 *
 * Each byte is looked at a bounded number of times a kind, whatever it is. */
#include "parse.h"

#include <string.h>

#include <rows/utf8.h>

static bool is_word(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

static bool is_control(char c)
{
    return ((unsigned char)c < 0x20 && c != '\t') || c == 0x7f;
}

/* Latin-1 has control characters from 0x80 to 0x9f as well. */
static size_t latin_begin(const char *text, size_t size)
{
    while (size > 0 && !is_control(text[size - 1]) &&
           ((unsigned char)text[size - 1] < 0x80 || (unsigned char)text[size - 1] >= 0xa0))
        size--;
    return size;
}

/* From here on all is text, without control characters. */
static size_t text_begin(const struct parser *p, const char *text, size_t size)
{
    size_t at = size;

    if (p->config->encoding == ENCODING_LATIN1)
        return latin_begin(text, size);
    while (at > 0) {
        size_t from = at - 1;

        while (from > 0 && at - from < 4 && ((unsigned char)text[from] & 0xc0) == 0x80)
            from--;
        if (is_control(text[from]) || !utf8_ok(text + from, at - from) ||
            ((unsigned char)text[from] < 0x80 && from + 1 < at))
            return at;
        at = from;
    }
    return 0;
}

bool text_ok(const struct parser *p, const char *text, size_t size)
{
    return text_begin(p, text, size) == 0;
}

/* What ends a key of this kind: its assign, or a separator or the frame's end. */
static bool key_ends(const struct frame *f, const char *at, const char *end)
{
    if (f->config->kind != KIND_DELIMITED || at == end)
        return true;
    if (f->separators)
        return strchr(f->separators, *at) != NULL;
    return f->separator ? *at == f->separator : *at == ' ' || *at == '\t';
}

struct mark {
    const char *text;
    size_t size;
    bool assigned; /* the kind's assign follows */
};

static bool mark_here(const struct frame *f, const struct mark *m, const char *at, const char *end)
{
    if ((size_t)(end - at) < m->size + m->assigned || memcmp(at, m->text, m->size) != 0)
        return false;
    return m->assigned ? at[m->size] == f->assign : m->text != f->key || key_ends(f, at + m->size, end);
}

/* The earliest place of a mark between `from` and `end`; NULL: none. */
static const char *mark_find(const struct parser *p, const struct frame *f, const struct mark *m, const char *text,
                             const char *from, const char *end)
{
    const char *at = from;

    while (m->size && (size_t)(end - at) >= m->size) {
        at = memmem(at, (size_t)(end - at), m->text, m->size);
        if (!at)
            return NULL;
        if (mark_here(f, m, at, end) &&
            (p->config->start == START_ANYWHERE || at == text || !is_word(at[-1]) || !is_word(*at)))
            return at;
        at++;
    }
    return NULL;
}

/* The marks that a kind may begin with; of pairs without `begins` any key. */
static bool mark_of(const struct frame *f, uint32_t i, struct mark *ret)
{
    const struct column_config *c;

    *ret = (struct mark){ NULL, 0, false };
    if (f->begins_size)
        *ret = (struct mark){ (const char *)f->begins, f->begins_size, false };
    else if (f->key_size)
        *ret = (struct mark){ f->key, f->key_size, false };
    if (ret->size)
        return i == 0;
    if (f->config->kind != KIND_PAIRS || i >= f->place_count)
        return false;
    c = f->places[i].config;
    *ret = (struct mark){ rows_column_from(&c->out), strlen(rows_column_from(&c->out)), true };
    return true;
}

struct best {
    const struct frame *frame;
    const char *at;
    size_t size;
};

/* The earliest mark of any kind; of two at one place the longer one. */
static void marks_find(const struct parser *p, const struct frame *f, const struct piece *piece, const char *from,
                       struct best *best)
{
    const char *end = piece->text + piece->size;
    struct mark m;
    uint32_t i;

    for (i = 0; mark_of(f, i, &m); i++) {
        const char *at = mark_find(p, f, &m, piece->text, from, end);

        if (at && (!best->frame || at < best->at || (at == best->at && m.size > best->size)))
            *best = (struct best){ f, at, m.size };
    }
}

/* Whether a frame that begins here is of this kind. Where its mark is there and
 * its size is not, `near` remembers it: that is a broken frame of this kind. */
static bool frame_fits(const struct frame *f, const struct piece *piece, const struct frame **near)
{
    const char *end = piece->text + piece->size;
    bool marked = f->begins_size || f->key_size, here = false;
    struct mark m;
    uint32_t i;

    for (i = 0; !here && mark_of(f, i, &m); i++)
        here = mark_here(f, &m, piece->text, end);
    if ((marked || f->config->kind == KIND_PAIRS) && !here)
        return false;
    if (f->config->size > 0 && (uint64_t)f->config->size != piece->size) {
        if (marked && !*near)
            *near = f;
        return false;
    }
    return true;
}

/* Pairs may be in any order, and the first key may be one that no column wants. */
static bool pairs_inside(const struct parser *p, const struct frame *f, const struct piece *piece)
{
    struct best best = { NULL, NULL, 0 };

    if (f->config->kind != KIND_PAIRS || f->begins_size || !text_ok(p, piece->text, piece->size))
        return false;
    marks_find(p, f, piece, piece->text, &best);
    return best.frame != NULL;
}

/* Line ends around a text are not part of it. */
static struct piece text_of(const struct piece *piece)
{
    struct piece text = *piece;

    while (text.size && (*text.text == '\r' || *text.text == '\n')) {
        text.text++;
        text.size--;
    }
    while (text.size && (text.text[text.size - 1] == '\r' || text.text[text.size - 1] == '\n'))
        text.size--;
    return text;
}

/* Lines that are no data: headers, titles. */
static bool is_ignored(const struct config *c, const struct piece *text)
{
    size_t at = 0, size;
    uint32_t i;

    while (at < text->size && (text->text[at] == ' ' || text->text[at] == '\t'))
        at++;
    for (i = 0; i < c->ignore.count; i++) {
        size = strlen(map_text(&c->ignore, i));
        if (text->size - at >= size && memcmp(text->text + at, map_text(&c->ignore, i), size) == 0)
            return true;
    }
    return false;
}

bool frame_ignored(const struct parser *p, const struct piece *piece)
{
    struct piece text = text_of(piece);

    return text.size == 0 || is_ignored(p->config, &text);
}

const struct frame *frame_match(const struct parser *p, const struct piece *piece, size_t *ret_at)
{
    struct piece text = text_of(piece);
    const struct frame *near = NULL;
    struct best best = { NULL, NULL, 0 };
    uint32_t i;

    *ret_at = (size_t)(text.text - piece->text);
    if (is_ignored(p->config, &text))
        return NULL;
    if (p->config->start != START_FRAME && text.size) {
        const char *from = text.text + text_begin(p, text.text, text.size);

        for (i = 0; i < p->frame_count; i++)
            if (p->frames[i].config->kind <= KIND_FIXED)
                marks_find(p, &p->frames[i], &text, from, &best);
        if (best.frame) {
            *ret_at = (size_t)(best.at - piece->text);
            return best.frame;
        }
    }
    for (i = 0; i < p->frame_count; i++) {
        const struct frame *f = &p->frames[i];
        bool is_text = f->config->kind != KIND_BINARY;

        if ((is_text ? text.size : piece->size) == 0)
            continue;
        if (!is_text)
            *ret_at = 0;
        if (frame_fits(f, is_text ? &text : piece, &near) || pairs_inside(p, f, &text))
            return f;
        *ret_at = (size_t)(text.text - piece->text);
    }
    return near;
}
