/* SPDX-License-Identifier: Apache-2.0
 *
 * split.c - a row of CSV as fields: RFC 4180, section 2, and what files do
 * beyond it: LF and CR as line ends, any delimiter and quote, comment lines, a
 * quote inside of a field that does not begin with one stands for itself.
 * Behind a closing quote only a delimiter or a line end may follow.
 *
 * Not here: what fields mean; bytes that are not UTF-8. */
#include "split.h"

/* A byte that the scan stops at anyway, where a dialect has no quote. */
static char quote_or_other(const struct dialect *d)
{
    return d->quote ? d->quote : d->delimiter;
}

void split_text(struct split *s, const char *text, size_t size)
{
    s->scan.text = text;
    s->scan.size = size;
    s->scan.delimiter = s->dialect.delimiter;
    s->scan.quote = quote_or_other(&s->dialect);
    scan_seek(&s->scan, 0);
    s->next = 0;
}

/* Behind the line end at `at`. */
static size_t behind_line(const struct split_text *t, size_t at)
{
    return at + (t->text[at] == '\r' && at + 1 < t->size && t->text[at + 1] == '\n' ? 2 : 1);
}

/* A line end is next to `at`: where the row stops. */
static void row_ends(struct split *s, const struct split_text *t, size_t from, size_t at)
{
    s->size = at - from;
    s->end = at < t->size ? behind_line(t, at) : at;
}

/* The row ends with its first line, and is of this kind. */
static enum split_kind row_is_line(struct split *s, const struct split_text *t, size_t from, enum split_kind kind)
{
    size_t at = from;

    while (at < t->size && t->text[at] != '\n' && t->text[at] != '\r')
        at++;
    if (at == t->size && !t->ends_line)
        return SPLIT_MORE;
    row_ends(s, t, from, at);
    return kind;
}

/* A bad row is its first line, so that an unclosed quote costs one line. */
static enum split_kind row_bad(struct split *s, const struct split_text *t, size_t from, size_t stopped,
                               enum split_kind kind)
{
    enum split_kind found = row_is_line(s, t, from, kind);

    if (found == kind)
        s->stopped = stopped;
    return found;
}

/* Where the closing quote of a field is whose text begins at `at`: SPLIT_ROW, and
 * *ret_at; sets *doubled. */
static enum split_kind quote_close(struct split *s, const struct split_text *t, size_t *ret_at, bool *doubled,
                                   uint64_t *high)
{
    size_t at;

    for (;;) {
        at = scan_next(&s->scan, high);
        *ret_at = at;
        if (at == t->size)
            return SPLIT_MORE;
        if (at > t->far)
            return SPLIT_FAR;
        if (t->text[at] == '\0')
            return SPLIT_ZERO;
        if ((t->text[at] == '\n' || t->text[at] == '\r') && at < t->line_until)
            return SPLIT_QUOTE;
        if (t->text[at] != s->dialect.quote)
            continue;
        if (at + 1 == t->size && !t->ends_line)
            return SPLIT_MORE;
        if (at + 1 == t->size || t->text[at + 1] != s->dialect.quote)
            return SPLIT_ROW;
        *doubled = true;
        scan_next(&s->scan, high); /* the second of the two */
    }
}

/* A quoted field, whose quote is at *at; then *at is what ends it. */
static enum split_kind field_quoted(struct split *s, const struct split_text *t, struct field *f, size_t *at,
                                    uint64_t *high)
{
    size_t close = *at;
    enum split_kind kind;

    scan_next(&s->scan, high); /* the opening quote */
    f->at = (uint32_t)(*at + 1);
    kind = quote_close(s, t, &close, &f->doubled, high);
    f->size = (uint32_t)(close - f->at);
    *at = close;
    if (kind != SPLIT_ROW)
        return kind;
    *at = scan_next(&s->scan, high);
    return *at == close + 1 ? SPLIT_ROW : SPLIT_QUOTE;
}

/* A field without quotes from *at on; then *at is what ends it. */
static enum split_kind field_plain(struct split *s, const struct split_text *t, struct field *f, size_t *at,
                                   uint64_t *high)
{
    size_t from = *at, end = scan_next(&s->scan, high);

    while (end < t->size && t->text[end] == s->dialect.quote && s->dialect.quote)
        end = scan_next(&s->scan, high);
    f->at = (uint32_t)from;
    f->size = (uint32_t)(end - from);
    *at = end;
    return end < t->size && t->text[end] == '\0' ? SPLIT_ZERO : SPLIT_ROW;
}

static enum split_kind fields_take(struct split *s, const struct split_text *t, size_t at, size_t *ret_at,
                                   uint64_t *high)
{
    enum split_kind kind;

    for (s->count = 0; s->count < FIELDS_MOST;) {
        struct field *f = &s->fields[s->count];

        f->doubled = false;
        kind = at < t->size && s->dialect.quote && t->text[at] == s->dialect.quote ? field_quoted(s, t, f, &at, high)
                                                                                  : field_plain(s, t, f, &at, high);
        *ret_at = at;
        if (kind != SPLIT_ROW)
            return kind;
        s->count++;
        if (at == t->size)
            return t->ends_line ? SPLIT_ROW : SPLIT_MORE;
        if (t->text[at] == '\n' || t->text[at] == '\r')
            return SPLIT_ROW;
        if (t->text[at] != s->dialect.delimiter)
            return SPLIT_QUOTE;
        at++;
    }
    return SPLIT_MANY;
}

enum split_kind split_row(struct split *s, const struct split_text *t, size_t from)
{
    enum split_kind kind;
    uint64_t high = 0;
    size_t at = from;

    if (s->next != from)
        scan_seek(&s->scan, from);
    s->next = SIZE_MAX; /* until a row ends where the scan stands */
    if (s->dialect.comment && t->text[from] == s->dialect.comment)
        return row_is_line(s, t, from, SPLIT_EMPTY);
    kind = fields_take(s, t, from, &at, &high);
    s->high = high != 0;
    if (kind == SPLIT_MORE && t->final) /* an open quote: nothing else is unfinished there */
        return row_bad(s, t, from, t->size, SPLIT_QUOTE);
    if (kind == SPLIT_MORE || kind == SPLIT_FAR)
        return kind;
    if (kind != SPLIT_ROW)
        return row_bad(s, t, from, at, kind);
    row_ends(s, t, from, at);
    if (s->end == at + 2)
        scan_next(&s->scan, &high); /* the LF of CRLF */
    s->next = s->end;
    return s->size ? SPLIT_ROW : SPLIT_EMPTY;
}

uint32_t split_undouble(const char *text, uint32_t size, char quote, char *to)
{
    uint32_t i, n = 0;

    for (i = 0; i < size; i++) {
        to[n++] = text[i];
        if (text[i] == quote && i + 1 < size)
            i++;
    }
    return n;
}
