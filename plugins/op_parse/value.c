/* SPDX-License-Identifier: Apache-2.0
 *
 * value.c - one value: missing, doubtful, of the wrong kind, out of range, or a
 * cell.
 *
 * What a bad value does is said for each column: a status byte may be anything,
 * a pressure may not.
 *
 * Not here: numbers and times as texts (rows/cells.c). */
#include "parse.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <rows/utf8.h>

enum { NUMBER_ROOM = 32 };

enum reason frame_bad(struct parser *p, const struct frame *f, const char *column, enum reason reason,
                      const char *what)
{
    if (column)
        (void)snprintf(p->why, sizeof p->why, "frame \"%.40s\": column %.40s %s", f->name, column, what);
    else
        (void)snprintf(p->why, sizeof p->why, "frame \"%.40s\" %s", f->name, what);
    return reason;
}

enum reason value_bad(struct parser *p, const struct frame *f, const struct place *place, enum reason reason)
{
    const struct column_config *c = place->config;
    int32_t trouble = reason == OUT_OF_RANGE ? c->outside : c->bad;

    p->counts[reason == OUT_OF_RANGE ? METRIC_OUTSIDE : METRIC_BAD_VALUES]++;
    if (trouble == TROUBLE_FRAME)
        return frame_bad(p, f, c->out.name, reason,
                         reason == OUT_OF_RANGE ? "is outside of low and high" : "is not of its type");
    p->suspect = p->suspect || trouble == TROUBLE_SUSPECT;
    return FINE;
}

static void cell_clear(struct rows *rows, uint32_t cell)
{
    rows->present[cell / 64] &= ~(UINT64_C(1) << cell % 64);
}

/* The cell of a number that was just put: scaled, and held to its range. */
static enum reason number_settle(struct parser *p, const struct frame *f, const struct place *place)
{
    const struct rows_target *target = &p->rows.targets[place->target];
    struct rows_cell *cell = &p->rows.cells[target->cell];
    bool is_int = target->column->type == COLUMN_INT;
    enum reason reason;
    int64_t whole;
    double value;

    memcpy(&value, &cell->bits, sizeof value);
    memcpy(&whole, &cell->bits, sizeof whole);
    if (is_int)
        value = (double)whole;
    if (place->scaled) {
        value = value * place->config->scale + place->config->offset;
        memcpy(&cell->bits, &value, sizeof value);
    }
    if (isfinite(value) && !(place->has_low && value < place->low) && !(place->has_high && value > place->high))
        return FINE;
    reason = value_bad(p, f, place, OUT_OF_RANGE);
    if (place->config->outside != TROUBLE_SUSPECT || !isfinite(value))
        cell_clear(&p->rows, target->cell);
    return reason;
}

static bool is_number(const struct place *place)
{
    return place->config->out.type == COLUMN_REAL || place->config->out.type == COLUMN_INT;
}

static enum reason value_put(struct parser *p, const struct frame *f, const struct place *place,
                             const struct rows_value *v)
{
    enum rows_reason reason = rows_put(&p->rows, place->target, *v);
    const struct rows_target *target = &p->rows.targets[place->target];

    if (reason == ROWS_NO_SUBJECT)
        return frame_bad(p, f, place->config->out.name, NO_SUBJECT, "is empty, or longer than 200 bytes");
    if (reason != ROWS_FINE)
        return value_bad(p, f, place, BAD_VALUE);
    if (is_number(place) && (p->rows.present[target->cell / 64] >> target->cell % 64 & 1))
        return number_settle(p, f, place);
    return FINE;
}

/* ---- texts ---- */

static bool is_one_of(const struct aff_list *list, const char *text, size_t size)
{
    uint32_t i;

    for (i = 0; i < list->count; i++)
        if (strlen(map_text(list, i)) == size && memcmp(map_text(list, i), text, size) == 0)
            return true;
    return false;
}

static bool is_around(char c, const char *strip)
{
    return c == ' ' || c == '\t' || (c && strchr(strip, c));
}

/* Takes blanks off both ends, and what is in `strip`. */
static void trim(const char **text, size_t *size, const char *strip)
{
    while (*size && is_around(**text, strip)) {
        (*text)++;
        (*size)--;
    }
    while (*size && is_around((*text)[*size - 1], strip))
        (*size)--;
}

/* Takes off what stands around the value; false: it is not there. */
static bool affixes_take(const struct column_config *c, const char **text, size_t *size)
{
    size_t prefix = strlen(c->prefix), suffix = strlen(c->suffix);

    trim(text, size, "");
    if (*size < prefix + suffix || memcmp(*text, c->prefix, prefix) != 0 ||
        memcmp(*text + *size - suffix, c->suffix, suffix) != 0)
        return false;
    *text += prefix;
    *size -= prefix + suffix;
    trim(text, size, c->strip);
    return true;
}

/* Latin-1 as UTF-8, in scratch; false: there is no room. */
static bool latin_take(struct parser *p, const char **text, size_t *size)
{
    char *to = p->scratch + p->scratch_used;
    size_t i, used = 0;

    if (2 * *size > p->scratch_room - p->scratch_used)
        return false;
    for (i = 0; i < *size; i++) {
        unsigned char c = (unsigned char)(*text)[i];

        if (c >= 0x80)
            to[used++] = (char)(0xc0 | c >> 6);
        to[used++] = (char)(c >= 0x80 ? 0x80 | (c & 0x3f) : c);
    }
    *text = to;
    *size = used;
    p->scratch_used += used;
    return true;
}

/* ---- numbers ---- */

/* Integers by their bits: as doubles large ones that are not the same would be. */
static bool is_special(const struct place *place, double value, int64_t whole)
{
    bool is_float = place->config->raw == RAW_F32 || place->config->raw == RAW_F64;
    double special;
    uint32_t i;

    for (i = 0; i < place->special_count; i++) {
        memcpy(&special, &place->specials[i], sizeof special);
        if (is_float ? !(value < special) && !(value > special) : (uint64_t)whole == place->specials[i])
            return true;
    }
    return false;
}

/* Whether the number is wanted as a text too: for the time, or to be kept. */
static bool needs_text(const struct parser *p, const struct place *place)
{
    const struct rows_source *source = &p->rows.sources[place->target];

    return p->rows.uses[source->first - 1].next || place->config->out.keep_text;
}

static enum reason number_as_text(struct parser *p, const struct frame *f, const struct place *place, double value,
                                  int64_t whole, bool is_whole)
{
    char *to = p->scratch + p->scratch_used;
    int size;

    if (p->scratch_room - p->scratch_used < NUMBER_ROOM)
        return value_bad(p, f, place, BAD_VALUE);
    if (is_whole)
        size = snprintf(to, NUMBER_ROOM, "%" PRId64, whole);
    else
        size = snprintf(to, NUMBER_ROOM, "%.17g", value);
    p->scratch_used += (size_t)size;
    return value_put(p, f, place, &(struct rows_value){ to, (uint32_t)size, VALUE_NUMBER });
}

enum reason value_put_number(struct parser *p, const struct frame *f, const struct place *place, double value,
                             int64_t whole, bool is_whole)
{
    const struct rows_target *target = &p->rows.targets[place->target];
    char text[NUMBER_ROOM];
    uint64_t bits = 0;
    bool is_stored = f->config->kind == KIND_BINARY; /* else `missing` and `suspect` were looked at as texts */

    if (is_stored && place->config->suspect.count && is_whole) {
        (void)snprintf(text, sizeof text, "%" PRId64, whole);
        p->suspect = p->suspect || is_one_of(&place->config->suspect, text, strlen(text));
    }
    if (is_stored && is_special(place, value, whole))
        return FINE;
    if (!is_whole && target->column->type == COLUMN_INT) {
        if (!(fabs(value) < 9e15) || value < floor(value) || value > floor(value))
            return value_bad(p, f, place, BAD_VALUE);
        whole = (int64_t)value;
        is_whole = true;
    }
    if (target->column->type == COLUMN_BOOL)
        bits = value < 0.0 || value > 0.0 ? UINT64_C(1) : 0;
    else if (needs_text(p, place))
        return number_as_text(p, f, place, value, whole, is_whole);
    else if (target->column->type == COLUMN_INT)
        memcpy(&bits, &whole, sizeof bits);
    else
        memcpy(&bits, &value, sizeof bits);
    rows_put_bits(&p->rows, target->cell, bits);
    return is_number(place) ? number_settle(p, f, place) : FINE;
}

/* ---- numbers and words that stand as texts ---- */

static int hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *found = c ? strchr(digits, c >= 'A' && c <= 'F' ? c + 32 : c) : NULL;

    return found ? (int)(found - digits) : -1;
}

/* Up to 16 digits, of which the bits that the column names. */
static bool hex_read(const struct column_config *c, const char *text, size_t size, int64_t *ret)
{
    size_t at = size > 2 && text[0] == '0' && (text[1] | 0x20) == 'x' ? 2 : 0;
    uint64_t value = 0;

    if (size == at || size - at > 16)
        return false;
    for (; at < size; at++) {
        if (hex_digit(text[at]) < 0)
            return false;
        value = value << 4 | (uint64_t)hex_digit(text[at]);
    }
    value >>= c->bit;
    if (c->bits && c->bits < 64)
        value &= (UINT64_C(1) << c->bits) - 1;
    *ret = (int64_t)value;
    return value <= INT64_MAX;
}

static enum reason text_settle(struct parser *p, const struct frame *f, const struct place *place, const char *text,
                               size_t size)
{
    const struct column_config *c = place->config;
    int64_t whole;

    if (c->out.type == COLUMN_BOOL && c->yes.count) {
        rows_put_bits(&p->rows, p->rows.targets[place->target].cell, is_one_of(&c->yes, text, size));
        return FINE;
    }
    if (c->digits == DIGITS_HEX)
        return hex_read(c, text, size, &whole) ? value_put_number(p, f, place, (double)whole, whole, true)
                                               : value_bad(p, f, place, BAD_VALUE);
    return value_put(p, f, place, &(struct rows_value){ text, (uint32_t)size, VALUE_TEXT });
}

enum reason value_put_text(struct parser *p, const struct frame *f, const struct place *place, const char *text,
                           size_t size)
{
    const struct column_config *c = place->config;
    bool nothing_counts = c->out.type == COLUMN_TEXT ? c->out.missing.count > 0 : c->yes.count > 0;

    if (p->config->encoding == ENCODING_LATIN1 && !latin_take(p, &text, &size))
        return value_bad(p, f, place, BAD_VALUE);
    if (!affixes_take(c, &text, &size))
        return FINE;
    p->suspect = p->suspect || is_one_of(&c->suspect, text, size);
    if ((!size && !nothing_counts) || is_one_of(&c->out.missing, text, size))
        return FINE;
    if (f->config->kind == KIND_BINARY && !utf8_ok(text, size))
        return value_bad(p, f, place, BAD_VALUE);
    return text_settle(p, f, place, text, size);
}

/* ---- the row ---- */

enum reason values_end(struct parser *p, const struct frame *f)
{
    enum rows_reason reason;
    uint32_t i;

    for (i = 0; i < f->place_count; i++) {
        uint32_t cell = p->rows.targets[f->places[i].target].cell;

        if (f->places[i].config->out.required && !(p->rows.present[cell / 64] >> cell % 64 & 1))
            return frame_bad(p, f, f->places[i].config->out.name, MISSING_VALUE, "is required and has no value");
    }
    if (p->frame_target >= 0)
        rows_put_text(&p->rows, p->rows.targets[p->frame_target].cell, f->name, (uint32_t)strlen(f->name));
    reason = rows_end(&p->rows);
    if (reason == ROWS_NO_SUBJECT)
        return frame_bad(p, f, p->config->subject, NO_SUBJECT, "names the subject and has no value");
    return reason == ROWS_FINE ? FINE : frame_bad(p, f, NULL, BAD_TIME, "has no time, or not in its format");
}
