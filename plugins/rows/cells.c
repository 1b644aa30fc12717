/* SPDX-License-Identifier: Apache-2.0
 *
 * cells.c - texts become the cells of a row, and a row becomes a record.
 *
 * A row is put together in private memory first: a bad value in its last column
 * must not leave half a record behind.
 *
 * Not here: numbers (number.c), times (when.c), subjects and streams (route.c). */
#include "rows.h"

#include <string.h>

#include "number.h"

static void present_clear(struct rows *rows, uint32_t columns)
{
    uint32_t i;

    for (i = 0; i < aff_row_words(columns); i++)
        rows->present[i] = 0;
}

void rows_begin(struct rows *rows, uint32_t columns)
{
    present_clear(rows, columns);
    rows->text_bytes = 0;
    rows->bad_values = 0;
    rows->time_put = false;
    rows->subject.size = 0;
}

void rows_put_text(struct rows *rows, uint32_t cell, const char *text, uint32_t size)
{
    rows->cells[cell] = (struct rows_cell){ text, size };
    rows->present[cell / 64] |= UINT64_C(1) << cell % 64;
    rows->text_bytes += size;
}

void rows_put_bits(struct rows *rows, uint32_t cell, uint64_t bits)
{
    rows->cells[cell] = (struct rows_cell){ NULL, bits };
    rows->present[cell / 64] |= UINT64_C(1) << cell % 64;
}

/* Without the spaces and tabs around it. */
static inline struct rows_value trimmed(struct rows_value v)
{
    if (v.size && *v.text > ' ' && v.text[v.size - 1] > ' ')
        return v;
    while (v.size && (*v.text == ' ' || *v.text == '\t')) {
        v.text++;
        v.size--;
    }
    while (v.size && (v.text[v.size - 1] == ' ' || v.text[v.size - 1] == '\t'))
        v.size--;
    return v;
}

static bool is_text(const struct rows_value *v, const char *text)
{
    return strlen(text) == v->size && memcmp(v->text, text, v->size) == 0;
}

/* Nothing is never a number; whether it is a text, the list says. */
static bool value_missing(const struct rows_column *c, const struct rows_value *v)
{
    uint32_t i;

    if (!v->size && (c->type != COLUMN_TEXT || !c->missing.count))
        return true;
    for (i = 0; i < c->missing.count; i++) {
        const char *const *text = (const void *)((const char *)c->missing.items + (size_t)i * c->missing.stride);

        if (is_text(v, *text))
            return true;
    }
    return false;
}

static bool is_word(const struct rows_value *v, const char *word)
{
    uint32_t i;

    for (i = 0; i < v->size && word[i]; i++)
        if ((v->text[i] | 0x20) != (word[i] | 0x20))
            return false;
    return i == v->size && !word[i];
}

static bool read_bool(const struct rows_value *v, uint64_t *ret)
{
    static const char *const words[] = { "false", "true", "0", "1", "no", "yes", "f", "t", "n", "y", "off", "on" };
    uint32_t i;

    for (i = 0; i < sizeof words / sizeof words[0]; i++)
        if (is_word(v, words[i])) {
            *ret = i % 2;
            return true;
        }
    return false;
}

static enum rows_reason read_number(const struct rows *rows, const struct rows_value *v, bool whole, uint64_t *ret)
{
    char point = v->kind == VALUE_NUMBER ? '.' : rows->point;
    struct number n;
    int64_t i = 0;
    double d = 0;
    bool ok;

    if (whole) {
        ok = number_scan(v->text, v->size, point, &n) && number_int(&n, &i);
        *ret = (uint64_t)i;
    } else {
        ok = number_real(v->text, v->size, point, rows->c_locale, &d);
        memcpy(ret, &d, sizeof *ret);
    }
    return ok ? ROWS_FINE : ROWS_BAD_NUMBER;
}

/* The cell of a column that is not of type text. */
static enum rows_reason cell_read(const struct rows *rows, const struct rows_target *t, const struct rows_value *v,
                                  uint64_t *ret)
{
    int64_t ns = 0;
    bool ok;

    switch (t->column->type) {
    case COLUMN_REAL:
    case COLUMN_INT:
        if (v->kind == VALUE_BOOL)
            return ROWS_BAD_NUMBER;
        return read_number(rows, v, t->column->type == COLUMN_INT, ret);
    case COLUMN_BOOL:
        return read_bool(v, ret) ? ROWS_FINE : ROWS_BAD_BOOL;
    default:
        ok = when_read(&t->when, v->text, v->size, &ns);
        *ret = (uint64_t)ns;
        return ok ? ROWS_FINE : ROWS_BAD_TIME;
    }
}

static enum rows_reason target_put(struct rows *rows, const struct rows_target *t, struct rows_value v)
{
    enum rows_reason reason;
    uint64_t bits = 0;

    if (t->column->type != COLUMN_TEXT)
        v = trimmed(v);
    if (value_missing(t->column, &v))
        return ROWS_FINE;
    if (t->column->type == COLUMN_TEXT) {
        rows_put_text(rows, t->cell, v.text, v.size);
        reason = ROWS_FINE;
    } else {
        reason = cell_read(rows, t, &v, &bits);
        if (reason == ROWS_FINE)
            rows_put_bits(rows, t->cell, bits);
    }
    if (t->column->keep_text)
        rows_put_text(rows, t->cell + 1, v.text, v.size);
    if (reason != ROWS_FINE && rows->config->bad_values == BAD_VALUES_MISSING) {
        rows->bad_values++;
        reason = ROWS_FINE;
    }
    return reason;
}

static enum rows_reason use_put(struct rows *rows, int32_t what, struct rows_value v)
{
    if (what >= 0)
        return target_put(rows, &rows->targets[what], v);
    v = trimmed(v);
    if (what == USE_SUBJECT) {
        rows->subject = v;
        return v.size > 0 && v.size <= ROUTE_NAME_MOST && !memchr(v.text, 0, v.size) ? ROWS_FINE : ROWS_NO_SUBJECT;
    }
    rows->time_put = when_read(&rows->when, v.text, v.size, &rows->time_ns);
    return rows->time_put ? ROWS_FINE : ROWS_BAD_TIME;
}

enum rows_reason rows_put(struct rows *rows, uint32_t source, struct rows_value value)
{
    enum rows_reason reason = ROWS_FINE;
    uint32_t use;

    for (use = rows->sources[source].first; use && reason == ROWS_FINE; use = rows->uses[use - 1].next)
        reason = use_put(rows, rows->uses[use - 1].what, value);
    return reason;
}

static bool cell_present(const struct rows *rows, uint32_t cell)
{
    return (rows->present[cell / 64] >> cell % 64) & 1;
}

/* A required value that was written and not understood is missing in its cell
 * and there as a text: what counts is the cell. */
enum rows_reason rows_end(const struct rows *rows)
{
    uint32_t i;

    if (rows->has_time && !rows->time_put)
        return ROWS_BAD_TIME;
    if (rows->has_subject && !rows->subject.size)
        return ROWS_NO_SUBJECT;
    for (i = 0; i < rows->target_count; i++) {
        const struct rows_target *t = &rows->targets[i];

        if (t->column->required && (!cell_present(rows, t->cell) ||
                                    (t->column->keep_text && !cell_present(rows, t->cell + 1))))
            return ROWS_MISSING_VALUE;
    }
    return ROWS_FINE;
}

static aff_status route_find(struct rows *rows, const struct rows_send *send, struct route_entry *ret)
{
    if (rows->has_subject)
        return route_named(&rows->route, send->stream, rows->schema, rows->subject.text, rows->subject.size, ret);
    return route_own(&rows->route, send->stream, rows->schema, ret);
}

/* Presence words, cells, texts: section 2 of plugin.h. */
static uint32_t row_write(const struct rows *rows, struct aff_record *draft, uint32_t columns)
{
    uint32_t words = aff_row_words(columns), used = aff_row_size(columns, 0), i;
    uint64_t *cells = (uint64_t *)draft->data + words;

    memcpy(draft->data, rows->present, words * sizeof(uint64_t));
    for (i = 0; i < columns; i++) {
        const struct rows_cell *c = &rows->cells[i];

        if (!cell_present(rows, i)) {
            cells[i] = 0;
        } else if (!c->text) {
            cells[i] = c->bits;
        } else {
            memcpy((char *)draft->data + used, c->text, (size_t)c->bits);
            cells[i] = c->bits << 32 | used;
            used += (uint32_t)c->bits;
        }
    }
    return used;
}

/* A record of the row, NULL and *ret_reason where no record can be that large: one
 * row must not take all others of its input with it, nor end the run at a stream's
 * end. A host that is being stopped has no room for a small one either. */
static struct aff_record *row_reserve(const struct rows *rows, const struct rows_send *send,
                                      enum rows_reason *ret_reason)
{
    const struct aff_host *host = rows->host;
    uint32_t size = aff_row_size(send->columns, rows->text_bytes);
    struct aff_record *draft = host->reserve(host, 0, send->input, size);

    if (draft || !host->reserve(host, 0, send->input, 0))
        return draft;
    draft = host->reserve(host, 0, send->input, size);
    if (!draft)
        *ret_reason = ROWS_TOO_LARGE;
    return draft;
}

aff_status rows_emit(struct rows *rows, const struct rows_send *send, enum rows_reason *ret_reason)
{
    const struct aff_host *host = rows->host;
    struct aff_record *draft;
    struct route_entry to;
    aff_status st = route_find(rows, send, &to);

    *ret_reason = ROWS_FINE;
    if (st == AFF_ERR_DATA && rows->has_subject) {
        *ret_reason = ROWS_TOO_MANY_SUBJECTS;
        return AFF_OK;
    }
    if (st < 0)
        return st;
    draft = row_reserve(rows, send, ret_reason);
    if (!draft)
        return *ret_reason == ROWS_FINE ? AFF_ERR_MEMORY : AFF_OK;
    draft->type = AFF_FIELDS;
    draft->schema = send->schema;
    draft->subject = to.subject;
    draft->stream = to.stream;
    draft->flags = (uint16_t)((draft->flags & ~(unsigned)AFF_FLAG_GAP) | send->flags);
    draft->event_ns += draft->event_ns < INT64_MAX - send->later_ns ? send->later_ns : 0;
    if (rows->has_time) {
        draft->event_ns = rows->time_ns;
        draft->clock = AFF_CLOCK_RECORDED;
    }
    return host->emit(host, draft, row_write(rows, draft, send->columns));
}
