/* SPDX-License-Identifier: Apache-2.0
 *
 * reader.c - JSON texts become rows: what of a record is a text, and what its
 * values are as cells.
 *
 * A line is a text, or a record is: one object, an array of objects, or several
 * lines of them. Without declared columns a number is a real, unless it is a
 * whole one that a double does not hold: then an int, or its text. Nested objects
 * are flattened, arrays are kept as they are written; null is absent.
 *
 * Not here: JSON itself (json.cc), schemas of undeclared columns (shape.c). */
#include "reader.h"

#include <string.h>

#include <rows/number.h>

#include "json/grammar.h"

#define WHOLE_EXACT (INT64_C(1) << 53)

static int status_reason(enum json_status status)
{
    switch (status) {
    case JSON_BAD_UTF8:
        return ROWS_BAD_TEXT;
    case JSON_TRUNCATED:
        return READ_TRUNCATED;
    case JSON_TRAILING:
        return READ_TRAILING;
    case JSON_DEEP:
        return READ_TOO_DEEP;
    case JSON_DUPLICATE:
        return READ_DUPLICATE_KEY;
    case JSON_BAD_KEY:
        return READ_BAD_KEY;
    case JSON_NO_OBJECT:
        return READ_NOT_OBJECT;
    case JSON_NO_ROOT:
        return READ_NO_ROOT;
    default:
        return READ_BAD_JSON;
    }
}

static struct rows_value value_of(const struct json_value *v)
{
    static const uint32_t kinds[] = { [JSON_NUMBER] = VALUE_NUMBER, [JSON_STRING] = VALUE_TEXT,
                                      [JSON_TRUTH] = VALUE_BOOL, [JSON_NESTED] = VALUE_NESTED };

    return (struct rows_value){ v->text, v->size, kinds[v->kind] };
}

static void row_begin(void *self)
{
    struct reader *r = self;

    r->reason = 0;
    if (r->shapes)
        shape_begin(r->shapes);
    rows_begin(&r->rows, r->shapes ? ROWS_COLUMNS_MOST : r->rows.columns);
}

/* The reader lets "\u0000" through; no text of ours holds it. */
static bool has_zero(const struct json_value *v)
{
    return v->kind == JSON_STRING && memchr(v->text, 0, v->size);
}

static void value_put(void *self, int32_t source, const struct json_value *v)
{
    struct reader *r = self;

    if (!r->reason)
        r->reason = has_zero(v) ? ROWS_BAD_TEXT : (int)rows_put(&r->rows, (uint32_t)source, value_of(v));
}

/* What type an undeclared number has, and its cell; AFF_TEXT: it stays a text. */
static uint8_t number_open(const struct rows *rows, const struct json_value *v, uint64_t *ret_bits)
{
    struct number n;
    int64_t whole;
    double real;

    if (!number_scan(v->text, v->size, '.', &n))
        return AFF_TEXT;
    if (number_int(&n, &whole) && (whole > WHOLE_EXACT || whole < -WHOLE_EXACT)) {
        *ret_bits = (uint64_t)whole;
        return AFF_INT;
    }
    if (n.digits > (uint64_t)WHOLE_EXACT && n.exponent >= 0)
        return AFF_TEXT;
    if (!number_real(v->text, v->size, '.', rows->c_locale, &real))
        return AFF_TEXT;
    memcpy(ret_bits, &real, sizeof real);
    return AFF_REAL;
}

/* Time and subject may be asked for where columns are not declared. */
static void sources_put(struct reader *r, const char *name, uint32_t size, const struct json_value *v)
{
    uint32_t i, k;

    for (i = 0; i < r->rows.source_count && !r->reason; i++) {
        const char *from = r->rows.sources[i].from;
        bool pointer = *from == '/';

        from += pointer;
        for (k = 0; k < size && (from[k] == name[k] || (pointer && from[k] == '/' && name[k] == '.')); k++)
            ;
        if (k == size && !from[k])
            r->reason = (int)rows_put(&r->rows, i, value_of(v));
    }
}

static enum json_status open_put(void *self, const char *name, uint32_t size, const struct json_value *v)
{
    struct reader *r = self;
    uint8_t type = AFF_TEXT;
    uint64_t bits = 0;
    uint32_t cell;

    if (r->reason)
        return JSON_FINE;
    if (has_zero(v)) {
        r->reason = ROWS_BAD_TEXT;
        return JSON_FINE;
    }
    if (v->kind == JSON_NUMBER)
        type = number_open(&r->rows, v, &bits);
    if (v->kind == JSON_TRUTH) {
        type = AFF_BOOL;
        bits = *v->text == 't';
    }
    cell = shape_add(r->shapes, name, size, type);
    if (cell == SHAPE_NONE) {
        r->reason = READ_TOO_MANY_COLUMNS;
        return JSON_FINE;
    }
    if (type == AFF_TEXT)
        rows_put_text(&r->rows, cell, v->text, v->size);
    else
        rows_put_bits(&r->rows, cell, bits);
    sources_put(r, name, size, v);
    return JSON_FINE;
}

static int shape_reason(struct reader *r, uint32_t *ret_schema)
{
    switch (shape_end(r->shapes, ret_schema)) {
    case SHAPE_TWICE:
        return READ_DUPLICATE_KEY;
    case SHAPE_TOO_MANY:
        return READ_TOO_MANY_SHAPES;
    case SHAPE_MEMORY:
        r->status = AFF_ERR_MEMORY;
        return 0;
    default:
        return 0;
    }
}

static int row_end(void *self, size_t at, size_t size, enum json_status status)
{
    struct reader *r = self;
    uint32_t schema = r->rows.schema;
    int reason = status == JSON_FINE ? r->reason : status_reason(status);

    if (!reason)
        reason = (int)rows_end(&r->rows);
    if (!reason && r->shapes)
        reason = shape_reason(r, &schema);
    if (r->status < 0)
        return 1;
    if (reason)
        r->status = feed_bad(&r->feed, reason, r->base + at, size);
    else
        r->status = feed_emit(&r->feed, schema, r->shapes ? r->shapes->now.count : r->rows.columns, r->base + at, size);
    return r->status < 0;
}

static const struct json_calls calls = { row_begin, value_put, open_put, row_end };

/* How many brackets are open at the end of a text, or of its first line that is
 * not empty; 1 more within a string. *ret_at: where that is. */
static int brackets_open(const char *text, size_t size, bool line, size_t *ret_at)
{
    bool quoted = false;
    size_t at = 0;
    int depth = 0;

    while (at < size && json_blank(text[at]))
        at++;
    for (; at < size && !(line && text[at] == '\n'); at++) {
        if (text[at] == '"')
            quoted = !quoted;
        else if (quoted && text[at] == '\\' && at + 1 < size)
            at++;
        else if (!quoted && (text[at] == '{' || text[at] == '['))
            depth++;
        else if (!quoted && (text[at] == '}' || text[at] == ']'))
            depth--;
    }
    *ret_at = at;
    return depth + quoted;
}

/* A record is lines if its first one is whole and something follows. */
static bool is_lines(const char *text, size_t size)
{
    size_t at;

    if (brackets_open(text, size, true, &at) != 0)
        return false;
    while (at < size && json_blank(text[at]))
        at++;
    return at < size;
}

/* One text of JSON. */
static aff_status text_take(struct reader *r, const struct feed_text *t, size_t at, size_t size)
{
    enum json_status status;
    size_t bad_at = 0, end;

    if (size > r->feed.max_row)
        return feed_bad(&r->feed, ROWS_TOO_LONG, at, size);
    memcpy(r->padded, t->text + at, size);
    memset(r->padded + size, 0, json_padding());
    r->base = at;
    r->status = AFF_OK;
    status = json_walk(r->json, r->padded, size, &calls, r, &bad_at);
    if (r->status < 0 || status == JSON_FINE)
        return r->status;
    if (status == JSON_BAD && brackets_open(r->padded, size, false, &end) > 0)
        status = JSON_TRUNCATED;
    return feed_bad(&r->feed, status_reason(status), at + bad_at, size - bad_at);
}

static void json_text(void *self, const struct feed_text *t)
{
    struct reader *r = self;

    r->by_lines = r->feed.framing != FRAMING_RECORD || is_lines(t->text, t->size);
}

static aff_status json_row(void *self, struct feed_text *t, size_t at, size_t *ret_end, bool *ret_more)
{
    struct reader *r = self;
    const char *line = r->by_lines ? memchr(t->text + at, '\n', t->size - at) : NULL;
    size_t end = line ? (size_t)(line - t->text) : t->size;

    *ret_more = r->by_lines && !line && !t->ends_line;
    if (*ret_more)
        return AFF_OK;
    *ret_end = end + (line != NULL);
    if (at == 0 && t->offset == 0 && t->size >= 3 && memcmp(t->text, "\xef\xbb\xbf", 3) == 0)
        at = 3;
    while (at < end && json_blank(t->text[at]))
        at++;
    while (end > at && json_blank(t->text[end - 1]))
        end--;
    return at < end ? text_take(r, t, at, end - at) : AFF_OK;
}

static const struct feed_ops ops = { json_text, json_row };

static aff_status tree_open(struct reader *r)
{
    const struct aff_host *host = r->host;
    size_t nodes = 1, bytes = 1;
    struct path_tree tree;
    uint32_t i;

    for (i = 0; i < r->rows.source_count; i++) {
        nodes += path_nodes(r->rows.sources[i].from);
        bytes += strlen(r->rows.sources[i].from) + 1;
    }
    r->nodes = host->alloc(host, nodes * sizeof *r->nodes);
    r->keys = host->alloc(host, bytes);
    if (!r->nodes || !r->keys)
        return AFF_ERR_MEMORY;
    path_tree_open(&tree, r->nodes, r->keys);
    for (i = 0; i < r->rows.source_count; i++)
        if (!path_add(&tree, r->rows.sources[i].from, (int32_t)i))
            return AFF_ERR_CONFIG; /* validate says why */
    r->node_count = tree.count;
    return AFF_OK;
}

static aff_status root_open(struct reader *r, const char *root)
{
    struct path path;
    uint32_t size, n = 0;
    char *to;

    r->root_keys = r->host->alloc(r->host, 2 * strlen(root) + 2);
    if (!r->root_keys)
        return AFF_ERR_MEMORY;
    path_open(&path, root);
    for (to = r->root_keys; n < PATH_KEYS_MOST && path_next(&path, to, &size); to += size + 1) {
        to[size] = '\0';
        r->root[n++] = to;
    }
    return AFF_OK;
}

aff_status reader_open(struct reader *r, const struct aff_host *host, const struct json_config *config,
                       const struct aff_verdict *verdicts)
{
    aff_status st;

    r->host = host;
    r->feed.verdicts = verdicts;
    r->feed.keeps = config->rows.framing == FRAMING_STREAM; /* a line break ends a text of JSON */
    st = rows_open(&r->rows, host, &config->rows);
    if (st == AFF_OK)
        st = feed_open(&r->feed, &r->rows, &ops, r);
    if (st == AFF_OK)
        st = tree_open(r);
    if (st == AFF_OK)
        st = root_open(r, config->root);
    if (st < 0)
        return st;
    r->padded = host->alloc(host, r->feed.max_row + json_padding());
    if (r->rows.is_open)
        r->shapes = host->alloc(host, sizeof *r->shapes);
    if (!r->padded || (r->rows.is_open && !r->shapes))
        return AFF_ERR_MEMORY;
    if (r->shapes)
        r->shapes->host = host;
    r->json = json_open(r->feed.max_row, r->root, r->shapes ? NULL : r->nodes, r->node_count);
    return r->json ? AFF_OK : host->explain(host, AFF_ERR_MEMORY, "no memory for the reader of JSON");
}

void reader_close(struct reader *r)
{
    void *const blocks[] = { r->nodes, r->keys, r->root_keys, r->padded, r->shapes };
    size_t i;

    json_close(r->json);
    for (i = 0; i < sizeof blocks / sizeof blocks[0]; i++)
        if (blocks[i])
            r->host->free(r->host, blocks[i]);
    feed_close(&r->feed);
    rows_close(&r->rows);
}
