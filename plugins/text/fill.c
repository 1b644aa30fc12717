/* SPDX-License-Identifier: Apache-2.0
 *
 * fill.c - see fill.h. */
#include "text/fill.h"

#include "calendar/calendar.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- reading ---- */

static const char *piece_add(struct fill *f, const char *at, size_t length, bool is_name)
{
    if (f->count == FILL_PIECES)
        return "has too many {names}; expected at most 15; leave some out";
    f->pieces[f->count++] = (struct fill_piece){ at, (uint16_t)length, is_name };
    return NULL;
}

static const char *piece_read(struct fill *f, const char **at)
{
    const char *from = *at;
    size_t length = strcspn(from, "{}");

    *at = from + length;
    if (length > 0)
        return piece_add(f, from, length, false);
    *at = from + 2;
    if (from[0] == from[1])
        return piece_add(f, from, 1, false);
    if (*from == '}')
        return "has a } without its {; expected both; write {name}, or }} for the brace itself";
    length = strcspn(from + 1, "{}");
    if (from[1 + length] != '}')
        return "has a { that is not closed; expected both; write {name}, or {{ for the brace itself";
    if (length == 0 || length >= FILL_NAME_MOST)
        return "has braces without a name of 1 to 63 bytes; expected a column's; write one, such as {text}";
    *at = from + length + 2;
    return piece_add(f, from + 1, length, true);
}

static bool is_plain(const char *text, bool may_break)
{
    for (; *text; text++)
        if (((unsigned char)*text < 0x20 || *text == 0x7f) && !(may_break && *text == '\n'))
            return false;
    return true;
}

const char *fill_read(struct fill *ret, const char *text, bool may_break)
{
    const char *problem = NULL;

    ret->count = 0;
    if (strlen(text) > FILL_MOST)
        return "is too long; expected at most 2048 bytes; shorten it";
    if (!text_is_utf8(text, strlen(text)) || !is_plain(text, may_break))
        return may_break ? "has control characters in it; expected text, with line breaks at most; take them out"
                         : "is more than one line; expected one line of text; take breaks and control characters out";
    while (!problem && *text)
        problem = piece_read(ret, &text);
    return problem;
}

/* ---- names ---- */

static const char *const own_names[] = { "time", "subject", "stream", "id" };
enum { OWN_TIME, OWN_SUBJECT, OWN_STREAM, OWN_ID, OWNS };

static uint32_t own_of(const struct fill_piece *p)
{
    uint32_t i;

    for (i = 0; i < OWNS; i++)
        if (strlen(own_names[i]) == p->length && memcmp(own_names[i], p->at, p->length) == 0)
            break;
    return i;
}

struct aff_column fill_column(const struct aff_schema *schema, uint32_t index)
{
    struct aff_column c = { 0 };

    memcpy(&c, (const char *)schema->columns + (size_t)index * schema->stride,
           schema->stride < sizeof c ? schema->stride : sizeof c);
    return c;
}

int32_t fill_find(const struct aff_schema *schema, const char *name, size_t length)
{
    for (uint32_t i = 0; i < schema->count; i++) {
        const char *its = fill_column(schema, i).name;

        if (its && strlen(its) == length && memcmp(its, name, length) == 0)
            return (int32_t)i;
    }
    return -1;
}

static bool missing_say(const struct fill_piece *p, const struct aff_schema *schema, const char *option,
                        const struct aff_report *report)
{
    char names[400] = "";
    size_t used = 0;

    for (uint32_t i = 0; i < schema->count && used < sizeof names; i++) {
        const char *name = fill_column(schema, i).name;

        used += (size_t)snprintf(names + used, sizeof names - used, "%s, ", name ? name : "");
    }
    report->problem(report, option, "%s names {%.*s}, but no column is called so; expected one of: %stime, subject, stream, "
                    "id; write %s for these rows", option, (int)p->length, p->at, names, option);
    return false;
}

bool fill_check(const struct fill *f, const struct aff_table *inputs, const char *option, const struct aff_report *report)
{
    for (uint32_t i = 0; i < inputs->count; i++) {
        const struct aff_shape *in = (const void *)((const char *)inputs->items + (size_t)i * inputs->stride);

        for (uint32_t k = 0; in->schema && k < f->count; k++) {
            const struct fill_piece *p = &f->pieces[k];

            if (p->is_name && own_of(p) == OWNS && fill_find(in->schema, p->at, p->length) < 0)
                return missing_say(p, in->schema, option, report);
        }
    }
    return true;
}

/* ---- filling ---- */

bool fill_row_get(struct fill_row *ret, const struct aff_host *host, const struct aff_record *record)
{
    const struct aff_stream_info *info = host->stream_info(host, record->stream);

    ret->record = record;
    ret->schema = host->schema_info(host, record->schema);
    ret->subject = info ? info->subject_name : NULL;
    ret->stream = info ? info->name : NULL;
    if (ret->schema && ret->schema->type == AFF_FIELDS && record->size >= aff_row_size(ret->schema->count, 0))
        return true;
    (void)host->explain(host, AFF_ERR_DATA, "a record is no whole row with a schema; expected rows; repair its source");
    return false;
}

void fill_id(struct text *t, struct aff_id id)
{
    char words[48];

    (void)snprintf(words, sizeof words, "%016" PRIx64 "-%" PRIu64, id.source, id.seq);
    text_say(t, words);
}

void fill_time(struct text *t, int64_t utc_ns)
{
    struct calendar c = calendar_at(utc_ns);
    char words[96];

    (void)snprintf(words, sizeof words, "%04d-%02d-%02d %02d:%02d:%02dZ", (int)c.year, c.month, c.day, c.hour, c.minute,
                   c.second);
    text_say(t, words);
}

bool fill_cut(struct text *t, size_t from, size_t most)
{
    size_t end = from + most - 3;

    if (t->failed || t->size - from <= most)
        return false;
    while (end > from && ((unsigned char)t->bytes[end] & 0xc0) == 0x80)
        end--;
    t->size = end;
    text_say(t, "...");
    return true;
}

static void words_write(struct text *t, const char *words, size_t length)
{
    size_t from = t->size;

    text_line(t, words, length);
    (void)fill_cut(t, from, FILL_VALUE_MOST);
}

bool fill_cell(struct text *t, const struct fill_row *row, uint32_t index)
{
    const struct aff_record *r = row->record;
    uint32_t count = row->schema->count, length;
    const char *words;

    if (!aff_row_has(r, index))
        return false;
    switch (fill_column(row->schema, index).type) {
    case AFF_REAL:
        text_real(t, TEXT_CSV, aff_row_real(r, count, index));
        return true;
    case AFF_INT:
        text_int(t, aff_row_int(r, count, index));
        return true;
    case AFF_BOOL:
        text_say(t, aff_row_int(r, count, index) ? "true" : "false");
        return true;
    case AFF_TIME:
        fill_time(t, aff_row_int(r, count, index));
        return true;
    default:
        words = aff_row_text(r, count, index, &length);
        if (words)
            words_write(t, words, length);
        return words != NULL;
    }
}

static void name_write(struct text *t, const struct fill_piece *p, const struct fill_row *row)
{
    int32_t index = fill_find(row->schema, p->at, p->length);
    uint32_t own = own_of(p);
    const char *name = own == OWN_SUBJECT ? row->subject : row->stream;

    if (index >= 0 && fill_cell(t, row, (uint32_t)index))
        return;
    if (index >= 0 || own == OWNS || (own != OWN_TIME && own != OWN_ID && !name))
        text_say(t, "-");
    else if (own == OWN_TIME)
        fill_time(t, row->record->event_ns);
    else if (own == OWN_ID)
        fill_id(t, row->record->id);
    else
        words_write(t, name, strlen(name));
}

void fill_write(struct text *t, const struct fill *f, const struct fill_row *row)
{
    for (uint32_t i = 0; i < f->count; i++) {
        const struct fill_piece *p = &f->pieces[i];

        if (p->is_name)
            name_write(t, p, row);
        else
            text_add(t, p->at, p->length);
    }
}
