/* SPDX-License-Identifier: Apache-2.0
 *
 * map.c - the map made ready: columns of all frames once each, marks and numbers
 * out of their texts.
 *
 * Pure, so that `check` and the data path have the same of it. What is wrong with
 * a map is said by check.c; here such a part is left at nothing.
 *
 * Not here: frames and values. */
#include "parse.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

const struct frame_config *frame_at(const struct config *c, uint32_t i)
{
    return (const void *)((const char *)c->frames.items + (size_t)i * c->frames.stride);
}

const struct column_config *column_at(const struct frame_config *f, uint32_t i)
{
    return (const void *)((const char *)f->columns.items + (size_t)i * f->columns.stride);
}

const char *frame_name(const struct frame_config *f)
{
    return *f->name ? f->name : *f->key ? f->key : "frame";
}

uint32_t map_count(const struct config *c)
{
    uint32_t i, count = 0;

    for (i = 0; i < c->frames.count; i++)
        count += frame_at(c, i)->columns.count;
    return count;
}

uint32_t map_find(const struct rows_config *flat, const char *name)
{
    uint32_t i;

    for (i = 0; i < flat->columns.count; i++)
        if (strcmp(rows_column_at(flat, i)->name, name) == 0)
            break;
    return i;
}

/* A column is read by its own name, and a row need not have what another kind of
 * frame brings; what a kind requires is looked at there. */
static void column_add(struct rows_config *flat, struct rows_column *columns, const struct rows_column *from)
{
    struct rows_column *to = &columns[flat->columns.count++];

    *to = *from;
    to->from = "";
    to->required = 0;
    memset(&to->missing, 0, sizeof to->missing);
}

void map_flatten(const struct config *c, struct rows_column *columns, struct rows_config *ret)
{
    const struct rows_column named = { .name = c->frame_column, .from = "", .unit = "", .code = "", .format = "",
                                       .type = COLUMN_TEXT };
    uint32_t i, k;

    memset(ret, 0, sizeof *ret);
    ret->columns = (struct aff_list){ columns, 0, sizeof *columns };
    ret->time = c->time;
    ret->subject = c->subject;
    ret->max_row = 1;
    ret->framing = FRAMING_RECORD;
    ret->bad_values = BAD_VALUES_DEAD;
    for (i = 0; i < c->frames.count; i++)
        for (k = 0; k < frame_at(c, i)->columns.count; k++) {
            const struct rows_column *from = &column_at(frame_at(c, i), k)->out;

            if (map_find(ret, from->name) == ret->columns.count)
                column_add(ret, columns, from);
        }
    if (*c->frame_column && map_find(ret, c->frame_column) == ret->columns.count)
        column_add(ret, columns, &named);
}

int map_separator(const char *option)
{
    if (strcmp(option, "tab") == 0)
        return '\t';
    if (!*option || strcmp(option, "blanks") == 0)
        return 0;
    return option[1] || *option == '\n' || *option == '\r' || (unsigned char)*option >= 0x80 ? -1 : *option;
}

bool map_separators(const char *option)
{
    size_t i, size = strlen(option);

    if (size < 2 || size > SEPARATORS_MOST || map_separator(option) >= 0)
        return false;
    for (i = 0; i < size; i++)
        if ((option[i] < 0x20 && option[i] != '\t') || (unsigned char)option[i] >= 0x7f || strchr(option + i + 1, option[i]))
            return false;
    return true;
}

const char *map_text(const struct aff_list *list, uint32_t i)
{
    return *(const char *const *)(const void *)((const char *)list->items + (size_t)i * list->stride);
}

static int hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *found = c ? strchr(digits, c >= 'A' && c <= 'F' ? c + 32 : c) : NULL;

    return found ? (int)(found - digits) : -1;
}

int map_hex(const char *text, unsigned char *ret, uint32_t room)
{
    uint32_t count = 0;

    while (*text) {
        int high, low;

        if (*text == ' ' || *text == ':') {
            text++;
            continue;
        }
        high = hex_digit(text[0]);
        low = high < 0 ? -1 : hex_digit(text[1]);
        if (low < 0 || count == room)
            return -1;
        ret[count++] = (unsigned char)(high << 4 | low);
        text += 2;
    }
    return (int)count;
}

uint32_t map_raw_width(int32_t raw)
{
    static const uint8_t widths[RAW_KINDS] = { 1, 1, 2, 2, 3, 3, 4, 4, 8, 8, 4, 8, 0, 0 };

    return widths[raw];
}

uint32_t map_raw_bits(const struct column_config *c)
{
    if (c->mask)
        return (uint32_t)__builtin_popcountll((uint64_t)c->mask);
    return (uint32_t)(c->bits ? c->bits : map_raw_width(c->raw) * 8 - c->bit);
}

/* ---- special numbers ---- */

/* As it is written: how large, and with which sign. */
struct number {
    uint64_t size;
    bool is_hex, is_negative;
};

static bool number_read(const char *text, struct number *ret)
{
    char *end;

    ret->is_hex = strncmp(text, "0x", 2) == 0;
    ret->is_negative = *text == '-';
    text += ret->is_hex ? 2 : *text == '-' || *text == '+';
    if (hex_digit(*text) < 0)
        return false; /* strtoull takes blanks and a sign, too */
    errno = 0;
    ret->size = strtoull(text, &end, ret->is_hex ? 16 : 10);
    return !*end && errno == 0;
}

/* In hexadecimal it is the bits as they are stored: 0x8000 of an i16 is -32768. */
static bool integer_holds(const struct column_config *c, const struct number *n, uint64_t *ret)
{
    uint32_t bits = map_raw_bits(c);
    bool has_sign = c->raw % 2; /* the odd kinds */
    uint64_t all, most;

    if (bits < 1 || bits > 64)
        return false;
    all = UINT64_MAX >> (64 - bits);
    most = has_sign ? all >> 1 : all;
    if (n->is_negative) {
        *ret = 0 - n->size;
        return n->size <= (has_sign ? most + 1 : 0);
    }
    *ret = n->size > most ? n->size | ~all : n->size;
    return n->size <= (n->is_hex ? all : most);
}

/* A whole number that a float of so many digits holds as it is. */
static bool float_holds(uint32_t digits, const struct number *n, uint64_t *ret)
{
    double value = n->is_negative ? -(double)n->size : (double)n->size;
    uint64_t left = n->size;

    while (left && left % 2 == 0)
        left /= 2;
    memcpy(ret, &value, sizeof *ret);
    return left >> digits == 0;
}

static bool bcd_holds(int64_t length, const struct number *n, uint64_t *ret)
{
    uint64_t beyond = 1;

    for (; length > 0 && beyond <= UINT64_MAX / 100; length--)
        beyond *= 100;
    *ret = n->size;
    return !n->is_negative && n->size < beyond;
}

enum special map_special(const struct column_config *c, const char *text, uint64_t *ret)
{
    struct number n;
    bool holds;

    if (!number_read(text, &n))
        return SPECIAL_NONE;
    if (c->raw == RAW_F32 || c->raw == RAW_F64)
        holds = float_holds(c->raw == RAW_F32 ? 24 : 53, &n, ret);
    else
        holds = c->raw == RAW_BCD ? bcd_holds(c->length, &n, ret) : integer_holds(c, &n, ret);
    return holds ? SPECIAL_FINE : SPECIAL_NEVER;
}

/* What a frame of this kind begins with: its key as it stands there, or `begins`. */
static void begins_set(const struct frame_config *c, struct frame *f)
{
    int size = map_hex(c->begins_hex, f->begins, BEGINS_MOST);

    f->begins_size = size > 0 ? (uint32_t)size : 0;
    if (!f->begins_size && strlen(c->begins) <= BEGINS_MOST) {
        f->begins_size = (uint32_t)strlen(c->begins);
        memcpy(f->begins, c->begins, f->begins_size);
    }
    if ((c->kind != KIND_KEY && c->kind != KIND_DELIMITED) || strlen(c->key) > sizeof f->key - 2)
        return;
    f->key_size = (uint32_t)strlen(c->key);
    memcpy(f->key, c->key, f->key_size);
    if (c->kind == KIND_KEY)
        f->key[f->key_size++] = f->assign;
}

void map_frame(const struct config *c, uint32_t i, struct frame *ret)
{
    const struct frame_config *f = frame_at(c, i);

    memset(ret, 0, sizeof *ret);
    ret->config = f;
    ret->name = frame_name(f);
    ret->separator = (char)map_separator(f->separator);
    ret->separators = map_separators(f->separator) ? f->separator : NULL;
    ret->assign = *f->assign;
    ret->quote = *f->quote;
    ret->point = f->decimal == DECIMAL_COMMA ? ',' : '.';
    begins_set(f, ret);
}

void map_place(const struct column_config *c, uint32_t target, struct place *ret)
{
    uint32_t i;

    memset(ret, 0, sizeof *ret);
    ret->config = c;
    ret->target = target;
    ret->has_low = c->low.count > 0;
    ret->has_high = c->high.count > 0;
    ret->low = ret->has_low ? *(const double *)c->low.items : 0;
    ret->high = ret->has_high ? *(const double *)c->high.items : 0;
    ret->scaled = c->scale < 1.0 || c->scale > 1.0 || c->offset < 0.0 || c->offset > 0.0;
    for (i = 0; i < c->out.missing.count && ret->special_count < SPECIALS_MOST; i++)
        ret->special_count += map_special(c, map_text(&c->out.missing, i), &ret->specials[ret->special_count]) == SPECIAL_FINE;
}
