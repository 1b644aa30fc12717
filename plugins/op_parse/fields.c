/* SPDX-License-Identifier: Apache-2.0
 *
 * fields.c - frames of text: which bytes are which value.
 *
 * Fields are cut as those of CSV are (rows/split.h); runs of blanks, which CSV does
 * not know, are cut here.
 *
 * Not here: what a value must be (value.c). */
#include "parse.h"

#include <string.h>

struct text {
    const char *at;
    size_t size;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Fields between runs of blanks; false: too many. */
static bool blanks_split(struct split *s, const char *text, size_t size)
{
    size_t at = 0, from;

    s->count = 0;
    for (;;) {
        while (at < size && is_blank(text[at]))
            at++;
        if (at == size)
            return true;
        if (s->count == FIELDS_MOST)
            return false;
        from = at;
        while (at < size && !is_blank(text[at]))
            at++;
        s->fields[s->count++] = (struct field){ (uint32_t)from, (uint32_t)(at - from), false };
    }
}

/* Fields between any of these characters; false: too many. */
static bool any_split(struct split *s, const char *separators, const char *text, size_t size)
{
    size_t at, from = 0;

    s->count = 0;
    for (at = 0; at <= size && size; at++) {
        if (at < size && (!text[at] || !strchr(separators, text[at])))
            continue;
        if (s->count == FIELDS_MOST)
            return false;
        s->fields[s->count++] = (struct field){ (uint32_t)from, (uint32_t)(at - from), false };
        from = at + 1;
    }
    return true;
}

/* All fields; NULL, or what is wrong with them. */
static const char *fields_split(struct parser *p, const struct frame *f, const struct text *t)
{
    struct split_text text = { t->at, t->size, 0, t->size, true, true };
    struct split *s = &p->split;
    enum split_kind kind;

    if (f->separators)
        return any_split(s, f->separators, t->at, t->size) ? NULL : "has more than 4096 fields";
    if (!f->separator)
        return blanks_split(s, t->at, t->size) ? NULL : "has more than 4096 fields";
    s->dialect = (struct dialect){ f->separator, f->quote, 0 };
    s->count = 0;
    if (!t->size)
        return NULL;
    split_text(s, t->at, t->size);
    kind = split_row(s, &text, 0);
    if (kind == SPLIT_MANY)
        return "has more than 4096 fields";
    if (kind == SPLIT_EMPTY || kind == SPLIT_ROW)
        return s->end < t->size ? "has a line end inside; see the option split" : NULL;
    return kind == SPLIT_ZERO ? "has a zero byte inside" : "has a quote that is not closed, or text behind one";
}

/* A field's bytes; a quoted one that had doubled quotes lies in scratch. */
static struct text field_text(struct parser *p, const struct frame *f, const struct text *t, uint32_t i)
{
    const struct field *field = &p->split.fields[i];
    char *to = p->scratch + p->scratch_used;
    struct text text = { t->at + field->at, field->size };

    if (!field->doubled || field->size > p->scratch_room - p->scratch_used)
        return text;
    text.at = to;
    text.size = split_undouble(t->at + field->at, field->size, f->quote, to);
    p->scratch_used += text.size;
    return text;
}

/* An empty field behind the last separator is no field. */
static bool count_fits(const struct parser *p, const struct frame *f)
{
    uint32_t count = p->split.count;

    if (count && !p->split.fields[count - 1].size)
        count--;
    return f->config->fields == 0 || count == f->config->fields || p->split.count == f->config->fields;
}

static enum reason places_by_field(struct parser *p, const struct frame *f, const struct text *t)
{
    enum reason reason = FINE;
    uint32_t i;

    if (!count_fits(p, f))
        return frame_bad(p, f, NULL, BAD_FRAME, "has another number of fields than `fields` says");
    for (i = 0; i < f->place_count && !reason; i++) {
        uint32_t field = (uint32_t)f->places[i].config->field - 1;
        struct text text;

        if (field >= p->split.count)
            continue;
        text = field_text(p, f, t, field);
        reason = value_put_text(p, f, &f->places[i], text.at, text.size);
    }
    return reason;
}

static struct text trimmed(const char *at, size_t size)
{
    while (size && is_blank(*at)) {
        at++;
        size--;
    }
    while (size && is_blank(at[size - 1]))
        size--;
    return (struct text){ at, size };
}

/* The value of a key, which may stand once in a frame. */
static enum reason pair_put(struct parser *p, const struct frame *f, struct text pair, uint64_t *seen)
{
    const char *assign = memchr(pair.at, f->assign, pair.size);
    struct text key;
    enum reason reason = FINE;
    uint32_t i;

    if (!assign)
        return FINE;
    key = trimmed(pair.at, (size_t)(assign - pair.at));
    for (i = 0; i < f->place_count && !reason; i++) {
        const char *from = rows_column_from(&f->places[i].config->out);

        if (strlen(from) != key.size || memcmp(from, key.at, key.size) != 0)
            continue;
        if (seen[i / 64] >> i % 64 & 1)
            return frame_bad(p, f, f->places[i].config->out.name, BAD_FRAME, "has its key twice");
        seen[i / 64] |= UINT64_C(1) << i % 64;
        reason = value_put_text(p, f, &f->places[i], assign + 1, pair.size - (size_t)(assign + 1 - pair.at));
    }
    return reason;
}

static enum reason places_by_key(struct parser *p, const struct frame *f, const struct text *t)
{
    uint64_t seen[ROWS_DECLARED_MOST / 64] = { 0 };
    enum reason reason = FINE;
    uint32_t i;

    for (i = 0; i < p->split.count && !reason; i++)
        reason = pair_put(p, f, field_text(p, f, t, i), seen);
    return reason;
}

/* Blanks at a line's end are often not sent: what is not there has no value. */
static enum reason places_by_byte(struct parser *p, const struct frame *f, const struct text *t)
{
    enum reason reason = FINE;
    uint32_t i;

    for (i = 0; i < f->place_count && !reason; i++) {
        const struct column_config *c = f->places[i].config;
        size_t at = (size_t)c->at, size = (size_t)c->length;

        if (at >= t->size)
            continue;
        size = size < t->size - at ? size : t->size - at;
        reason = text_ok(p, t->at + at, size)
                     ? value_put_text(p, f, &f->places[i], t->at + at, size)
                     : frame_bad(p, f, c->out.name, BAD_FRAME, "is cut inside of a character; count bytes, not letters");
    }
    return reason;
}

enum reason frame_read_text(struct parser *p, const struct frame *f, const char *text, size_t size)
{
    struct text t = { text, size };
    uint32_t passed = f->config->kind == KIND_KEY ? f->key_size : f->begins_size;
    const char *wrong;

    p->rows.point = f->point;
    if (!text_ok(p, text, size) || (f->config->kind != KIND_FIXED && passed > size))
        return frame_bad(p, f, NULL, BAD_FRAME, "has control characters inside, or bytes that are not of its encoding");
    if (f->config->kind == KIND_FIXED)
        return places_by_byte(p, f, &t);
    t.at += passed;
    t.size -= passed;
    wrong = fields_split(p, f, &t);
    if (wrong)
        return frame_bad(p, f, NULL, BAD_FRAME, wrong);
    return f->config->kind == KIND_PAIRS ? places_by_key(p, f, &t) : places_by_field(p, f, &t);
}
