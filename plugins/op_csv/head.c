/* SPDX-License-Identifier: Apache-2.0
 *
 * head.c - which field belongs to which column: by the header's words, or by
 * counting where there is no header.
 *
 * A header that cannot be used makes its whole text unusable, loudly: the words
 * that were looked for are the configuration's own and may be said. Those of the
 * file are not repeated.
 *
 * Without declared columns each column of the file is one of type text: a type
 * guessed from the first row would be wrong in the thousandth. */
#include <stdlib.h>
#include <string.h>

#include "reader.h"

static uint64_t bytes_hash(const char *bytes, size_t size)
{
    uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */

    while (size--)
        hash = (hash ^ (unsigned char)*bytes++) * UINT64_C(1099511628211);
    return hash;
}

bool head_bad(struct reader *r, int reason, const char *why, const char *what)
{
    r->fresh.kind = HEAD_BAD;
    r->fresh.reason = (uint8_t)reason;
    r->head = &r->fresh;
    r->host->log(r->host, AFF_LOG_ERROR, "the rows of a text cannot be read: %s%s%s%s; all of it is set aside", why,
                 *what ? " (" : "", what, *what ? ")" : "");
    return false;
}

static bool blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool same_word(const char *word, const char *text, size_t size)
{
    while (size && blank(*text)) {
        text++;
        size--;
    }
    while (size && blank(text[size - 1]))
        size--;
    return strlen(word) == size && memcmp(word, text, size) == 0;
}

/* The field that has this word; NO_FIELD; or 1 + NO_FIELD when two have it. */
static uint32_t word_find(struct reader *r, const struct feed_text *t, const char *word)
{
    uint32_t i, size, found = NO_FIELD;

    for (i = 0; i < r->split.count; i++) {
        const char *text = field_text(r, t, &r->split.fields[i], &size);

        if (!text || !same_word(word, text, size))
            continue;
        if (found != NO_FIELD)
            return NO_FIELD + 1;
        found = i;
    }
    return found;
}

static bool words_map(struct reader *r, const struct feed_text *t)
{
    uint32_t i, found, hits = r->rows.source_count == 0;

    for (i = 0; i < r->rows.source_count; i++) {
        const struct rows_source *s = &r->rows.sources[i];

        r->scratch_used = 0;
        found = word_find(r, t, s->from);
        if (found > NO_FIELD)
            return head_bad(r, CSV_BAD_HEADER, "two columns of the header have the same word, and it is asked for",
                            s->from);
        if (found == NO_FIELD && s->needed)
            return head_bad(r, CSV_BAD_HEADER, "the header lacks a column that is needed", s->from);
        if (found == NO_FIELD)
            r->host->log(r->host, AFF_LOG_WARN, "a header lacks the column %s: its cells stay empty; correct "
                         "columns.from, or leave the column out", s->from);
        r->fresh.map[i] = (uint16_t)found;
        hits += found != NO_FIELD;
    }
    if (!hits)
        return head_bad(r, CSV_BAD_HEADER, "the header has none of the columns; is delimiter right? If there is no "
                        "header, set header = false", "");
    return true;
}

bool head_is(const struct head *head, const char *row, size_t size)
{
    return size == head->row_size && bytes_hash(row, size) == head->row_hash;
}

/* All words that the head in force has found are in this row as well. */
bool head_moved(struct reader *r, const struct feed_text *t)
{
    uint32_t i, found, hits = 0;

    for (i = 0; i < r->rows.source_count; i++) {
        if (r->head->map[i] == NO_FIELD)
            continue;
        r->scratch_used = 0;
        found = word_find(r, t, r->rows.sources[i].from);
        if (found >= NO_FIELD)
            return false;
        hits++;
    }
    return hits && !r->rows.is_open;
}

/* Open: the words become the columns' names. */
static bool words_keep(struct reader *r, const struct feed_text *t)
{
    uint32_t i, size;

    r->fresh.names_size = 0;
    r->scratch_used = 0;
    for (i = 0; i < r->split.count; i++) {
        const char *text = field_text(r, t, &r->split.fields[i], &size);

        if (!text || size + 1 > NAMES_MOST - r->fresh.names_size)
            return head_bad(r, CSV_BAD_HEADER, "the header is longer than 8 KiB; declare columns", "");
        if (!size)
            return head_bad(r, CSV_BAD_HEADER, "a column of the header has no name; declare columns", "");
        memcpy(r->fresh.names + r->fresh.names_size, text, size);
        r->fresh.names[r->fresh.names_size + size] = '\0';
        r->fresh.names_size += size + 1;
    }
    return true;
}

static int name_order(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Two columns of one name cannot be told apart. Sorted, so that a header of
 * hundreds of columns costs no square of them. */
static bool names_differ(struct reader *r)
{
    const char *names[ROWS_COLUMNS_MOST] = { NULL }, *at = r->fresh.names;
    uint32_t i, count = r->split.count;

    for (i = 0; i < count; i++, at += strlen(at) + 1)
        names[i] = at;
    qsort(names, count, sizeof names[0], name_order);
    for (i = 1; i < count; i++)
        if (strcmp(names[i - 1], names[i]) == 0)
            return head_bad(r, CSV_BAD_HEADER, "two columns of the header have the same name; declare columns", "");
    return true;
}

/* Columns without a header are c1, c2 ... */
static void names_count(struct reader *r)
{
    char digits[8];
    uint32_t i, k, n;

    r->fresh.names_size = 0;
    for (i = 1; i <= r->split.count; i++) {
        for (n = 0, k = i; k; k /= 10)
            digits[n++] = (char)('0' + k % 10);
        r->fresh.names[r->fresh.names_size++] = 'c';
        while (n)
            r->fresh.names[r->fresh.names_size++] = digits[--n];
        r->fresh.names[r->fresh.names_size++] = '\0';
    }
}

static bool open_check(struct reader *r)
{
    if (r->split.count > ROWS_COLUMNS_MOST)
        return head_bad(r, CSV_BAD_HEADER, "there are more than 512 columns; declare those that are wanted", "");
    r->fresh.fields = (uint16_t)r->split.count;
    return true;
}

static void head_new(struct reader *r)
{
    memset(&r->fresh, 0, offsetof(struct head, names));
    r->fresh.kind = HEAD_READY;
    r->head = &r->fresh;
    r->memo_stream = 0;
}

void head_take(struct reader *r, const struct feed_text *t, size_t at, size_t size)
{
    head_new(r);
    r->fresh.row_hash = bytes_hash(t->text + at, size);
    r->fresh.row_size = (uint32_t)size;
    r->fresh.fields = (uint16_t)r->split.count;
    if (words_map(r, t) && r->rows.is_open && open_check(r) && words_keep(r, t))
        names_differ(r);
}

void head_count(struct reader *r)
{
    uint32_t i;

    head_new(r);
    for (i = 0; i < r->rows.source_count; i++) {
        unsigned long place = strtoul(r->rows.sources[i].from, NULL, 10); /* validate saw digits */

        r->fresh.map[i] = (uint16_t)(place - 1);
        if (place > r->fresh.least)
            r->fresh.least = (uint16_t)place;
    }
    if (r->rows.is_open && open_check(r))
        names_count(r);
}

/* Whether the header is one of the few whose schemas the host was given. */
static bool shape_known(struct reader *r)
{
    uint64_t hash = bytes_hash(r->head->names, r->head->names_size);
    uint32_t i;

    for (i = 0; i < r->shape_count; i++)
        if (r->shapes[i] == hash)
            return true;
    if (r->shape_count == SHAPES_MOST)
        return false;
    r->shapes[r->shape_count++] = hash;
    return true;
}

aff_status head_schema(struct reader *r, uint32_t stream)
{
    const struct aff_stream_info *info = r->host->stream_info(r->host, stream);
    struct aff_schema schema = { .struct_size = sizeof schema, .type = AFF_FIELDS, .name = "rows" };
    const char *at = r->head->names;
    uint32_t i;

    if (!r->rows.is_open || (r->schema && info && stream == r->memo_stream && info->generation == r->memo_generation))
        return AFF_OK;
    if (!shape_known(r)) {
        head_bad(r, CSV_TOO_MANY_SHAPES, "there are more than 64 different headers; declare columns", "");
        return AFF_OK;
    }
    for (i = 0; i < r->head->fields; i++, at += strlen(at) + 1)
        r->columns[i] = (struct aff_column){ .name = at, .type = AFF_TEXT, .label = AFF_LABEL_PHI };
    schema.columns = r->columns;
    schema.count = r->head->fields;
    schema.stride = sizeof *r->columns;
    r->schema = r->host->schema(r->host, &schema);
    r->memo_stream = r->schema ? stream : 0;
    r->memo_generation = info ? info->generation : 0;
    return r->schema ? AFF_OK : AFF_ERR_MEMORY;
}
