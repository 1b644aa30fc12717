/* SPDX-License-Identifier: Apache-2.0
 *
 * check.c - what `afferent check` says of a map, and what comes out of the node
 * before anything runs.
 *
 * Each mistake is named by its place, frames[2].columns[0].field, with what was
 * expected. Rules of columns in general (names, formats of time) are rows/'s; they
 * are asked for the flattened map, and their places said as the map has them.
 *
 * Not here: types and ranges of options, which the host checks. */
#include "parse.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rows/utf8.h>

struct check {
    struct aff_report report; /* first: what rows_validate is given */
    const struct aff_report *to;
    const struct config *config;
    const struct rows_config *flat;
    char place[64];
    bool ok;
};

/* frames[i].columns[k].option; without a column k is UINT32_MAX. */
static const char *place_of(struct check *c, uint32_t i, uint32_t k, const char *option)
{
    if (k == UINT32_MAX)
        (void)snprintf(c->place, sizeof c->place, "frames[%u].%s", (unsigned)i, option);
    else
        (void)snprintf(c->place, sizeof c->place, "frames[%u].columns[%u].%s", (unsigned)i, (unsigned)k, option);
    return c->place;
}

static void wrong(struct check *c, uint32_t i, uint32_t k, const char *option, const char *what)
{
    c->to->problem(c->to, place_of(c, i, k, option), "%s", what);
    c->ok = false;
}

/* ---- what rows/ says, by the map's places ---- */

static bool column_first(const struct check *c, const char *name, uint32_t *ret_frame, uint32_t *ret_column)
{
    uint32_t i, k;

    for (i = 0; i < c->config->frames.count; i++)
        for (k = 0; k < frame_at(c->config, i)->columns.count; k++)
            if (strcmp(column_at(frame_at(c->config, i), k)->out.name, name) == 0) {
                *ret_frame = i;
                *ret_column = k;
                return true;
            }
    return false;
}

__attribute__((format(printf, 3, 4))) static void flat_problem(const struct aff_report *report, const char *option,
                                                               const char *format, ...)
{
    union {
        const struct aff_report *from;
        struct check *to;
    } p = { report };
    struct check *c = p.to;
    uint32_t frame = 0, column = 0;
    unsigned at;
    char text[512];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (option && sscanf(option, "columns[%u]", &at) == 1) {
        if (column_first(c, rows_column_at(c->flat, at)->name, &frame, &column))
            option = place_of(c, frame, column, "name");
        else
            option = "frame_column";
    }
    c->to->problem(c->to, option, "%s", text);
    c->ok = false;
}

/* ---- columns ---- */

static bool texts_equal(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

/* Frames of several kinds that fill one column must agree about what it is. */
static bool column_same(const struct rows_column *a, const struct rows_column *b)
{
    return a->type == b->type && a->label == b->label && a->keep_text == b->keep_text && texts_equal(a->unit, b->unit) &&
           texts_equal(a->code, b->code) && texts_equal(a->format, b->format);
}

static void column_alike(struct check *c, uint32_t i, uint32_t k)
{
    const struct frame_config *f = frame_at(c->config, i);
    const struct rows_column *out = &column_at(f, k)->out;
    uint32_t n, at = map_find(c->flat, out->name);

    if (at < c->flat->columns.count && !column_same(out, rows_column_at(c->flat, at)))
        wrong(c, i, k, "name", "the same column has another type, unit, code, label, format or keep_text in another "
                               "kind of frame; expected them alike; write them so, or give this one a name of its own");
    for (n = 0; n < k; n++)
        if (texts_equal(column_at(f, n)->out.name, out->name))
            wrong(c, i, k, "name", "the same name stands twice in one kind of frame; expected each once; rename one");
}

/* Where a value of this kind of frame stands. */
static void column_where(struct check *c, uint32_t i, uint32_t k)
{
    const struct frame_config *f = frame_at(c->config, i);
    const struct column_config *col = column_at(f, k);
    bool by_field = f->kind == KIND_KEY || f->kind == KIND_DELIMITED;
    bool by_byte = f->kind == KIND_FIXED || f->kind == KIND_BINARY;

    if (by_field && col->field < 1)
        wrong(c, i, k, "field", "is not given; expected which field holds the value; count the fields from 1");
    if (!by_field && col->field > 0)
        wrong(c, i, k, "field", "is for frames of kind key or delimited; expected it without; leave it out");
    if (by_field && f->fields > 0 && col->field > f->fields)
        wrong(c, i, k, "field", "is beyond `fields`; expected at most that; correct one of the two");
    if (by_byte && col->at < 0)
        wrong(c, i, k, "at", "is not given; expected at which byte the value begins; count the bytes from 0");
    if (!by_byte && col->at >= 0)
        wrong(c, i, k, "at", "is for frames of kind fixed or binary; expected it without; leave it out");
    if (f->kind != KIND_PAIRS && *col->out.from)
        wrong(c, i, k, "from", "is for frames of kind pairs; expected it without; leave it out");
    if (f->kind == KIND_FIXED && col->length < 1)
        wrong(c, i, k, "length", "is not given; expected how many bytes the text has; write it");
}

static void column_specials(struct check *c, uint32_t i, uint32_t k)
{
    const struct column_config *col = column_at(frame_at(c->config, i), k);
    enum special special;
    uint64_t number;
    uint32_t n;

    if (col->out.missing.count > SPECIALS_MOST)
        wrong(c, i, k, "missing", "has more than 16 numbers; expected at most so many; write low and high instead");
    for (n = 0; n < col->out.missing.count; n++) {
        special = map_special(col, map_text(&col->out.missing, n), &number);
        if (special == SPECIAL_NONE)
            wrong(c, i, k, "missing", "is no whole number; expected one as it is stored; write it like \"-32768\" or "
                                      "\"0x8000\"");
        if (special == SPECIAL_NEVER)
            wrong(c, i, k, "missing", "cannot occur: no value of this raw, length, bit and bits is that; expected one as "
                                      "it is stored, before scale and offset; correct it, or raw");
    }
}

/* The stored number. */
static void column_raw(struct check *c, uint32_t i, uint32_t k)
{
    const struct frame_config *f = frame_at(c->config, i);
    const struct column_config *col = column_at(f, k);
    int64_t width = map_raw_width(col->raw) ? (int64_t)map_raw_width(col->raw) : col->length;
    int64_t wide = width * 8, bits = col->bits ? col->bits : wide - col->bit;

    if (col->raw == RAW_BCD && (col->length < 1 || col->length > 9))
        wrong(c, i, k, "length", "is not that of a bcd number; expected 1 to 9 bytes; write how many it has");
    if (col->raw == RAW_TEXT && col->length < 1)
        wrong(c, i, k, "length", "is not given; expected how many bytes the text has; write it");
    if ((col->raw == RAW_TEXT) != (col->out.type == COLUMN_TEXT || col->out.type == COLUMN_TIME))
        wrong(c, i, k, "raw", "does not fit the column's type; expected raw = \"text\" for types text and time, and a "
                              "number for the others; change one of the two");
    if ((col->bit || col->bits) && (col->raw >= RAW_F32 || col->bit + bits > wide || bits < 1))
        wrong(c, i, k, "bits", "are not in the value; expected bits of an integer, counted from its lowest, 0; correct "
                               "bit, bits or raw");
    if (col->mask && (col->bit || col->bits))
        wrong(c, i, k, "mask", "stands beside bit or bits; expected one of the two ways; leave the other out");
    if (col->mask && (col->raw >= RAW_F32 || (wide < 64 && (uint64_t)col->mask >> wide)))
        wrong(c, i, k, "mask", "is no bits of an integer, or goes beyond it; expected bits of raw; correct one of the two");
    if (f->size > 0 && col->at >= 0 && col->at + width > f->size)
        wrong(c, i, k, "at", "is where the value goes beyond the frame's `size`; expected all of it inside; correct one "
                             "of the two");
    if (col->raw != RAW_TEXT)
        column_specials(c, i, k);
}

/* What is about texts alone. */
static void column_text(struct check *c, uint32_t i, uint32_t k)
{
    const struct column_config *col = column_at(frame_at(c->config, i), k);
    int64_t bits = col->bits ? col->bits : 64 - col->bit;
    bool is_hex = col->digits == DIGITS_HEX;

    if (col->raw != RAW_U8)
        wrong(c, i, k, "raw", "is for frames of kind binary; expected it without; leave it out");
    if (col->endian != COLUMN_AS_FRAME)
        wrong(c, i, k, "endian", "is for frames of kind binary; expected it without; leave it out");
    if (col->length && frame_at(c->config, i)->kind != KIND_FIXED)
        wrong(c, i, k, "length", "is for frames of kind fixed or binary; expected it without; leave it out");
    if (is_hex && (col->out.type > COLUMN_BOOL || col->out.keep_text))
        wrong(c, i, k, "digits", "is for numbers; expected a column of type real, int or bool without keep_text; leave it "
                                 "out, or change the type");
    if (col->mask)
        wrong(c, i, k, "mask", "is for frames of kind binary; expected bit and bits here; leave it out");
    if ((col->bit || col->bits) && !is_hex)
        wrong(c, i, k, "bits", "and bit are for frames of kind binary and for digits = \"hex\"; expected one of these; "
                               "leave them out");
    else if (col->bit + bits > 64)
        wrong(c, i, k, "bits", "are not in the value; expected bit + bits of 64 at most; correct them");
}

static bool is_ascii(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text >= 0x7f || *text < ' ')
            return false;
    return true;
}

static void column_words(struct check *c, uint32_t i, uint32_t k)
{
    const struct frame_config *f = frame_at(c->config, i);
    const struct column_config *col = column_at(f, k);
    bool is_stored = f->kind == KIND_BINARY && col->raw != RAW_TEXT;

    if (is_stored && (*col->prefix || *col->suffix))
        wrong(c, i, k, "prefix", "and suffix are for texts; expected a number without; leave them out");
    if (*col->strip && (is_stored || !is_ascii(col->strip)))
        wrong(c, i, k, "strip", "is for texts, and of ASCII; expected for example \"*%\" there; correct it, or leave it out");
    if (col->yes.count && (is_stored || col->out.type != COLUMN_BOOL))
        wrong(c, i, k, "yes", "is for columns of type bool that are written as texts; expected it without; leave it out");
    if (is_stored && col->digits != DIGITS_DECIMAL)
        wrong(c, i, k, "digits", "is for numbers that are written as texts; expected it without; leave it out");
}

static void column_value(struct check *c, uint32_t i, uint32_t k)
{
    const struct frame_config *f = frame_at(c->config, i);
    const struct column_config *col = column_at(f, k);
    bool is_number = col->out.type == COLUMN_REAL || col->out.type == COLUMN_INT;
    struct place place;

    map_place(col, 0, &place);
    if (place.scaled && col->out.type != COLUMN_REAL)
        wrong(c, i, k, "scale", "is for columns of type real; expected that beside it; write type = \"real\", or leave "
                                "scale and offset out");
    if ((place.has_low || place.has_high) && !is_number)
        wrong(c, i, k, place.has_low ? "low" : "high", "is for numbers; expected a column of type real or int; leave it out");
    if (place.has_low && place.has_high && place.low > place.high)
        wrong(c, i, k, "low", "is greater than high; expected the least value first; exchange the two");
    column_words(c, i, k);
    if (f->kind == KIND_BINARY)
        column_raw(c, i, k);
    else
        column_text(c, i, k);
}

/* ---- frames ---- */

static void frame_marks(struct check *c, uint32_t i)
{
    const struct frame_config *f = frame_at(c->config, i);
    bool has_fields = f->kind <= KIND_DELIMITED;
    unsigned char bytes[BEGINS_MOST];

    if (has_fields && strpbrk(f->separator, "\r\n"))
        wrong(c, i, UINT32_MAX, "separator", "has a line end in it, and lines are frames of their own; expected what stands "
                                             "between fields of one line; write that, and split = \"lines\" beside frames");
    else if (has_fields && map_separator(f->separator) < 0 && !map_separators(f->separator))
        wrong(c, i, UINT32_MAX, "separator", "is not one character, nor 2 to 8 different ones; expected such of ASCII, "
                                             "\"tab\" or \"blanks\"; write what stands between the fields");
    if (f->kind <= KIND_PAIRS && (map_separator(f->assign) <= 0 || f->assign[1]))
        wrong(c, i, UINT32_MAX, "assign", "is not one character; expected what stands behind a key; write it like \"=\"");
    else if (f->kind == KIND_PAIRS && (map_separator(f->assign) == map_separator(f->separator) ||
                                       (map_separators(f->separator) && strchr(f->separator, *f->assign))))
        wrong(c, i, UINT32_MAX, "assign", "is the same character as separator; expected one of its own for each; change one");
    if (*f->quote && (map_separator(f->quote) <= 0 || f->quote[1] || f->quote[0] == *f->separator))
        wrong(c, i, UINT32_MAX, "quote", "is not one character of its own; expected one of ASCII that separates nothing; "
                                         "write it, or nothing");
    if (*f->quote && map_separator(f->separator) <= 0)
        wrong(c, i, UINT32_MAX, "quote", "does not go with separator = \"blanks\" or several; expected one of the two; leave "
                                         "it out, or name one separator");
    if (map_hex(f->begins_hex, bytes, BEGINS_MOST) < 0)
        wrong(c, i, UINT32_MAX, "begins_hex", "is not bytes in hexadecimal; expected up to 32 pairs of digits; write it "
                                              "like \"a5 5a\"");
    if (strlen(f->begins) > BEGINS_MOST || (*f->begins && *f->begins_hex))
        wrong(c, i, UINT32_MAX, "begins", "is longer than 32 bytes, or stands beside begins_hex; expected one of the two, "
                                          "and short; correct it");
}

static void frame_fits(struct check *c, uint32_t i)
{
    const struct frame_config *f = frame_at(c->config, i);
    bool has_start = *f->begins || *f->begins_hex;

    if (f->kind == KIND_KEY && (!*f->key || strlen(f->key) > 256 || !utf8_ok(f->key, strlen(f->key))))
        wrong(c, i, UINT32_MAX, "key", "is missing or longer than 256 bytes; expected the key that such frames begin "
                                       "with; write it like \"HR\"");
    if (f->kind != KIND_KEY && f->kind != KIND_DELIMITED && *f->key)
        wrong(c, i, UINT32_MAX, "key", "is for frames of kind key or delimited; expected begins here; write that");
    if (f->kind == KIND_KEY && has_start)
        wrong(c, i, UINT32_MAX, "begins", "is not for frames of kind key, whose key says it; expected key alone; leave "
                                          "it out");
    if (f->size > 0 && f->kind != KIND_FIXED && f->kind != KIND_BINARY)
        wrong(c, i, UINT32_MAX, "size", "is for frames of kind fixed or binary; expected it without; leave it out");
    if (f->fields > 0 && f->kind != KIND_KEY && f->kind != KIND_DELIMITED)
        wrong(c, i, UINT32_MAX, "fields", "is for frames of kind key or delimited; expected it without; leave it out");
    if (f->endian != ENDIAN_LITTLE && f->kind != KIND_BINARY)
        wrong(c, i, UINT32_MAX, "endian", "is for frames of kind binary; expected it without; leave it out");
    if (f->decimal != DECIMAL_POINT && f->kind == KIND_BINARY)
        wrong(c, i, UINT32_MAX, "decimal", "is for frames of text; expected it without; leave it out");
    if (*f->quote && f->kind > KIND_DELIMITED)
        wrong(c, i, UINT32_MAX, "quote", "is for frames with fields; expected it without; leave it out");
    if (f->kind == KIND_BINARY && c->config->split != SPLIT_NONE)
        wrong(c, i, UINT32_MAX, "kind", "is binary, whose bytes may be those that split looks for; expected split = "
                                        "\"none\"; let the source cut its frames");
}

/* A frame of an earlier kind that takes all leaves none for this one. */
static bool takes_all(const struct frame_config *f)
{
    return !*f->key && !*f->begins && !*f->begins_hex && !f->size && (f->kind == KIND_DELIMITED || f->kind >= KIND_FIXED);
}

static void frame_reached(struct check *c, uint32_t i)
{
    const struct frame_config *f = frame_at(c->config, i);
    uint32_t n;

    for (n = 0; n < i; n++) {
        const struct frame_config *before = frame_at(c->config, n);

        if (takes_all(before)) {
            wrong(c, i, UINT32_MAX, "name", "stands behind a kind that fits every frame, so that none is left for it; "
                                            "expected key, begins or size there; write one, or put that kind last");
            return;
        }
        if (f->kind == KIND_KEY && before->kind == KIND_KEY && texts_equal(f->key, before->key) &&
            texts_equal(f->assign, before->assign)) {
            wrong(c, i, UINT32_MAX, "key", "is that of an earlier kind, so that no frame is left for this one; expected "
                                           "each key once; put their columns together");
            return;
        }
    }
}

static void frame_check(struct check *c, uint32_t i)
{
    uint32_t k;

    frame_marks(c, i);
    frame_fits(c, i);
    frame_reached(c, i);
    for (k = 0; k < frame_at(c->config, i)->columns.count; k++) {
        column_alike(c, i, k);
        column_where(c, i, k);
        column_value(c, i, k);
    }
}

/* ---- the node ---- */

/* Time and subject are columns of the map: nothing else of a frame is looked at. */
static void words_check(struct check *c)
{
    const struct config *config = c->config;

    if (config->time && *config->time->from && map_find(c->flat, config->time->from) == c->flat->columns.count) {
        c->to->problem(c->to, "time.from", "is no column of any frame; expected the name of one; name it");
        c->ok = false;
    }
    if (*config->subject && map_find(c->flat, config->subject) == c->flat->columns.count) {
        c->to->problem(c->to, "subject", "is no column of any frame; expected the name of one; name it");
        c->ok = false;
    }
    for (uint32_t i = 0; i < config->ignore.count; i++)
        if (!*map_text(&config->ignore, i)) {
            c->to->problem(c->to, "ignore", "has an empty text, by which all frames would be let go; expected what such a "
                                            "frame begins with; write that");
            c->ok = false;
        }
    if (!*config->stream || strlen(config->stream) > 64) {
        c->to->problem(c->to, "stream", "is empty or longer than 64 bytes; expected a short name; write it like \"rows\"");
        c->ok = false;
    }
    if (map_find(c->flat, config->frame_column) < c->flat->columns.count &&
        column_first(c, config->frame_column, &(uint32_t){ 0 }, &(uint32_t){ 0 })) {
        c->to->problem(c->to, "frame_column", "is the name of a column of a frame; expected one of its own; rename it");
        c->ok = false;
    }
}

bool map_check(const struct config *config, const struct aff_report *report)
{
    struct rows_column *columns;
    struct rows_config flat;
    struct check c = { .report = { .struct_size = sizeof c.report, .problem = flat_problem },
                       .to = report, .config = config, .flat = &flat, .ok = true };
    uint32_t i;

    if (map_count(config) > PLACES_MOST) {
        report->problem(report, "frames", "have more than %d columns together; expected at most so many; leave out what "
                                          "no node needs", PLACES_MOST);
        return false;
    }
    columns = calloc(map_count(config) + 1u, sizeof *columns);
    if (!columns) {
        report->problem(report, "frames", "could not be looked at for want of memory; expected some; try again");
        return false;
    }
    map_flatten(config, columns, &flat);
    for (i = 0; i < config->frames.count; i++)
        frame_check(&c, i);
    words_check(&c);
    if (!rows_validate(&flat, &c.report))
        c.ok = false;
    free(columns);
    return c.ok;
}

aff_status map_shape(const void *config, const struct aff_table *inputs, const struct aff_report *report)
{
    struct rows_column *columns = calloc(map_count(config) + 1u, sizeof *columns);
    struct rows_config flat;
    aff_status st = AFF_ERR_MEMORY;

    if (columns) {
        map_flatten(config, columns, &flat);
        st = rows_shape(&flat, inputs, report, 0);
    }
    free(columns);
    return st;
}
