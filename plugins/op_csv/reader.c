/* SPDX-License-Identifier: Apache-2.0
 *
 * reader.c - rows of CSV: what of a text is a row, and its fields' values.
 *
 * Not here: how a row is split (rows/split.c), headers (head.c), what a value must be
 * and where a row goes (rows/). */
#include "reader.h"

#include <string.h>

#include <rows/utf8.h>

/* Room for a row whose fields are read as a column, as time and as subject. */
enum { SCRATCH_ROWS = 3 };

int reader_character(const char *option)
{
    if (strcmp(option, "tab") == 0)
        return '\t';
    if (option[0] && option[1])
        return -1;
    return option[0] == '\n' || option[0] == '\r' || (unsigned char)option[0] >= 0x80 ? -1 : option[0];
}

const char *field_text(struct reader *r, const struct feed_text *t, const struct field *f, uint32_t *ret_size)
{
    char *to = r->scratch + r->scratch_used;

    *ret_size = f->size;
    if (!f->doubled)
        return t->text + f->at;
    if (f->size > SCRATCH_ROWS * r->feed.max_row - r->scratch_used)
        return NULL;
    *ret_size = split_undouble(t->text + f->at, f->size, r->split.dialect.quote, to);
    r->scratch_used += *ret_size;
    return to;
}

static void csv_text(void *self, const struct feed_text *t)
{
    struct reader *r = self;

    split_text(&r->split, t->text, t->size);
}

/* The beginning of a stream: 1 when a mark may be there that is not yet whole,
 * else 0, *at behind a UTF-8 mark, and a bad head where it is UTF-16. */
static int mark_pass(struct reader *r, const struct feed_text *t, size_t *at)
{
    static const char utf8[] = "\xef\xbb\xbf";
    size_t size = t->size < 3 ? t->size : 3;

    if (size >= 2 && (memcmp(t->text, "\xff\xfe", 2) == 0 || memcmp(t->text, "\xfe\xff", 2) == 0)) {
        memset(&r->fresh, 0, offsetof(struct head, names));
        head_bad(r, CSV_UTF16, "it is UTF-16; have it written as UTF-8", "");
        return 0;
    }
    if (size == 1 && ((unsigned char)t->text[0] == 0xff || (unsigned char)t->text[0] == 0xfe) && !t->ends_line)
        return 1;
    if (memcmp(t->text, utf8, size) != 0)
        return 0;
    if (size == 3)
        *at = 3;
    return size < 3 && !t->ends_line;
}

static int count_check(const struct reader *r)
{
    const struct head *h = r->head;
    uint32_t least = h->fields ? h->fields : h->least;

    if (r->config->ragged == RAGGED_ALLOW)
        return 0;
    if (r->split.count < least)
        return CSV_TOO_FEW_COLUMNS;
    return h->fields && r->split.count > h->fields ? CSV_TOO_MANY_COLUMNS : 0;
}

/* All columns as they are. */
static int open_cells(struct reader *r, const struct feed_text *t)
{
    uint32_t i, size, count = r->split.count < r->head->fields ? r->split.count : r->head->fields;

    for (i = 0; i < count; i++) {
        const char *text = field_text(r, t, &r->split.fields[i], &size);

        if (!text)
            return ROWS_TOO_LONG;
        if (size)
            rows_put_text(&r->rows, i, text, size);
    }
    return 0;
}

static int row_read(struct reader *r, const struct feed_text *t)
{
    int reason = 0;
    uint32_t i, size;

    r->scratch_used = 0;
    rows_begin(&r->rows, r->rows.is_open ? r->head->fields : r->rows.columns);
    if (r->rows.is_open)
        reason = open_cells(r, t);
    for (i = 0; i < r->rows.source_count && !reason; i++) {
        const char *text;

        if (r->head->map[i] >= r->split.count)
            continue;
        text = field_text(r, t, &r->split.fields[r->head->map[i]], &size);
        reason = text ? (int)rows_put(&r->rows, i, (struct rows_value){ text, size, VALUE_TEXT }) : ROWS_TOO_LONG;
    }
    return reason ? reason : (int)rows_end(&r->rows);
}

/* Files that were put together, or a log that goes on after a change: the columns
 * may lie elsewhere from here on. Only a row that cannot be used is looked at, so
 * that the others pay nothing. */
static bool header_again(struct reader *r, const struct feed_text *t, size_t at, size_t size)
{
    if (!r->config->header || !head_moved(r, t))
        return false;
    r->host->log(r->host, AFF_LOG_INFO, "a header came again with other columns: the rows behind it are read by it");
    head_take(r, t, at, size);
    return true;
}

/* A row whose fields are known, of a text whose head is. */
static aff_status row_take(struct reader *r, const struct feed_text *t, size_t at, size_t size)
{
    int reason;

    reason = count_check(r);
    if (!reason)
        reason = row_read(r, t);
    if ((reason || r->rows.bad_values) && header_again(r, t, at, size))
        return AFF_OK;
    if (reason)
        return feed_bad(&r->feed, reason, at, size);
    return feed_emit(&r->feed, r->rows.is_open ? r->schema : r->rows.schema,
                     r->rows.is_open ? r->head->fields : r->rows.columns, at, size);
}

/* "sep=;", by which a spreadsheet says what stands between fields. */
static bool names_delimiter(const struct reader *r, const char *row, size_t size)
{
    return size == 5 && memcmp(row, "sep=", 4) == 0 && row[4] == r->split.dialect.delimiter;
}

/* The first row of a text; a head that is bad takes all that follows with it. */
static aff_status first_take(struct reader *r, const struct feed_text *t, size_t at, size_t *ret_end)
{
    size_t size = r->split.size;
    aff_status st;

    if (r->config->header)
        head_take(r, t, at, size);
    else
        head_count(r);
    st = r->head->kind == HEAD_READY ? head_schema(r, r->feed.stream) : AFF_OK;
    if (st < 0)
        return st;
    if (r->head->kind == HEAD_BAD) {
        *ret_end = t->size;
        return feed_bad(&r->feed, r->head->reason, at, t->size - at);
    }
    return r->config->header ? AFF_OK : row_take(r, t, at, size);
}

static int split_reason(enum split_kind kind)
{
    switch (kind) {
    case SPLIT_QUOTE:
        return CSV_BAD_QUOTE;
    case SPLIT_ZERO:
        return ROWS_BAD_TEXT;
    case SPLIT_MANY:
        return CSV_TOO_MANY_COLUMNS;
    default:
        return 0;
    }
}

/* How far one had to read to know what the row is. */
static size_t row_extent(const struct split *s, enum split_kind kind, size_t from, size_t at)
{
    return kind == SPLIT_ROW || kind == SPLIT_EMPTY ? at - from + s->size : s->stopped - from;
}

static aff_status row_sort(struct reader *r, struct feed_text *t, size_t at, enum split_kind kind, size_t *ret_end)
{
    int reason = split_reason(kind);

    if (reason && r->split.stopped > t->line_until)
        t->line_until = r->split.stopped;
    if (!reason && r->split.high && !utf8_ok(t->text + at, r->split.size))
        reason = ROWS_BAD_TEXT;
    if (reason)
        return feed_bad(&r->feed, reason, at, r->split.size);
    if (r->head->kind == HEAD_NONE && r->config->header && names_delimiter(r, t->text + at, r->split.size))
        return AFF_OK;
    if (r->head->kind == HEAD_NONE)
        return first_take(r, t, at, ret_end);
    if (r->config->header && head_is(r->head, t->text + at, r->split.size))
        return AFF_OK;
    return row_take(r, t, at, r->split.size);
}

static aff_status csv_row(void *self, struct feed_text *t, size_t at, size_t *ret_end, bool *ret_more)
{
    struct reader *r = self;
    struct split_text text = { t->text, t->size, t->line_until, at + r->feed.max_row, t->ends_line,
                               t->final };
    enum split_kind kind;
    size_t from = at;

    if (at == 0 && t->offset == 0 && mark_pass(r, t, &at)) {
        *ret_more = true;
        return AFF_OK;
    }
    if (at == t->size || r->head->kind == HEAD_BAD) {
        *ret_end = t->size;
        return at == t->size ? AFF_OK : feed_bad(&r->feed, r->head->reason, at, t->size - at);
    }
    kind = split_row(&r->split, &text, at);
    *ret_more = kind == SPLIT_MORE || kind == SPLIT_FAR || row_extent(&r->split, kind, from, at) > r->feed.max_row;
    *ret_end = r->split.end;
    if (*ret_more || kind == SPLIT_EMPTY)
        return AFF_OK;
    return row_sort(r, t, at, kind, ret_end);
}

static const struct feed_ops csv_ops = { csv_text, csv_row };

aff_status reader_open(struct reader *r, const struct aff_host *host, const struct csv_config *config,
                       const struct aff_verdict *verdicts)
{
    aff_status st;

    r->config = config;
    r->host = host;
    r->feed.verdicts = verdicts;
    r->feed.cr_ends = true;
    r->split.dialect.delimiter = (char)reader_character(config->delimiter);
    r->split.dialect.quote = (char)reader_character(config->quote);
    r->split.dialect.comment = (char)reader_character(config->comment);
    /* Whole lines are whole rows where no quote makes one of several. */
    r->feed.keeps = config->rows.framing == FRAMING_STREAM ||
                    (config->rows.framing == FRAMING_LINES && r->split.dialect.quote);
    st = rows_open(&r->rows, host, &config->rows);
    if (st < 0)
        return st;
    r->rows.point = config->decimal == DECIMAL_COMMA ? ',' : '.';
    st = feed_open(&r->feed, &r->rows, &csv_ops, r);
    if (st < 0)
        return st;
    r->split.fields = host->alloc(host, FIELDS_MOST * sizeof *r->split.fields);
    r->scratch = host->alloc(host, SCRATCH_ROWS * r->feed.max_row);
    r->columns = host->alloc(host, ROWS_COLUMNS_MOST * sizeof *r->columns);
    return r->split.fields && r->scratch && r->columns ? AFF_OK : AFF_ERR_MEMORY;
}

void reader_close(struct reader *r)
{
    void *const blocks[] = { r->split.fields, r->scratch, r->columns };
    size_t i;

    for (i = 0; i < sizeof blocks / sizeof blocks[0]; i++)
        if (blocks[i])
            r->host->free(r->host, blocks[i]);
    feed_close(&r->feed);
    rows_close(&r->rows);
}
