/* SPDX-License-Identifier: Apache-2.0
 *
 * value.c - see value.h.
 *
 * Bands: lower bounds are multiples of the width, so that bands of different
 * tables meet. Ages are banded with top = 90: 45 CFR 164.514(b)(2)(i)(C) wants
 * all ages over 89 in one category. */
#include "value.h"

#include "dates.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Whole numbers beyond this are no measure of anything. */
#define NUMBER_MOST INT64_C(1000000000000000)

static int text_set(struct value *v, char *scratch, int size)
{
    v->type = AFF_TEXT;
    v->text = (struct text){ scratch, (size_t)size };
    return size > 0 && size < VALUE_CHARS;
}

/* ---- pseudonyms ---- */

/* A number has the pseudonym of its decimal digits: 4711 in one table and "4711"
 * in another are one patient. */
static int pseudonym_put(struct value *v, const struct means *m, uint32_t index, char *scratch)
{
    char digits[24];
    struct text from = v->text;

    if (v->type == AFF_INT) {
        from.bytes = digits;
        from.size = (size_t)snprintf(digits, sizeof digits, "%lld", (long long)v->integer);
    }
    if (from.size == 0)
        return 0;
    pseudonym_make(scratch, m->secret, m->secret->kinds[index], from);
    return text_set(v, scratch, PSEUDONYM_CHARS);
}

/* ---- bands ---- */

/* "64", "-3", "64.5": the number that is not above it, and whether it is whole. */
static int number_read(struct text text, int64_t *ret_floor, int *ret_whole)
{
    const char *at = text.bytes, *end = at + text.size, *begin;
    int negative = at < end && *at == '-', rest = 0;
    int64_t value = 0;

    at += negative;
    for (begin = at; at < end && *at >= '0' && *at <= '9' && value < NUMBER_MOST; at++)
        value = value * 10 + (*at - '0');
    if (at == begin || value >= NUMBER_MOST)
        return 0;
    *ret_whole = at == end;
    if (at < end && *at++ != '.')
        return 0;
    for (begin = at; at < end && *at >= '0' && *at <= '9'; at++)
        rest |= *at != '0';
    if (at != end || (!*ret_whole && at == begin))
        return 0;
    *ret_floor = negative ? -value - rest : value;
    return 1;
}

static int number_of(const struct value *v, int64_t *ret_floor, int *ret_whole)
{
    *ret_whole = v->type == AFF_INT;
    if (v->type == AFF_TEXT)
        return number_read(v->text, ret_floor, ret_whole);
    if (v->type == AFF_INT)
        *ret_floor = v->integer;
    else if (v->real > (double)-NUMBER_MOST && v->real < (double)NUMBER_MOST)
        *ret_floor = (int64_t)floor(v->real);
    else
        return 0; /* NaN too */
    return *ret_floor > -NUMBER_MOST && *ret_floor < NUMBER_MOST;
}

/* Whole numbers as "60-64", others as "60-<65", below zero as "-10..-6". */
static int band_put(struct value *v, const struct generalise_config *how, char *scratch)
{
    int64_t number, low, high;
    int whole;

    if (!number_of(v, &number, &whole))
        return 0;
    if (how->top > 0 && number >= how->top)
        return text_set(v, scratch, snprintf(scratch, VALUE_CHARS, "%lld+", (long long)how->top));
    low = number / how->width * how->width - (number % how->width < 0 ? how->width : 0);
    high = low + how->width;
    if (how->top > 0 && high > how->top)
        high = how->top;
    if (whole && high == low + 1)
        return text_set(v, scratch, snprintf(scratch, VALUE_CHARS, "%lld", (long long)low));
    return text_set(v, scratch,
                    snprintf(scratch, VALUE_CHARS, "%lld%s%s%lld", (long long)low, low < 0 ? ".." : "-",
                             whole ? "" : "<", (long long)(whole ? high - 1 : high)));
}

/* ---- first characters ---- */

static int is_code_char(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == ' ' || c == '-';
}

static int digits_put(struct value *v, const struct generalise_config *how)
{
    if ((uint64_t)v->text.size < (uint64_t)how->digits)
        return 0;
    for (int64_t i = 0; i < how->digits; i++)
        if (!is_code_char(v->text.bytes[i]))
            return 0;
    v->text.size = (size_t)how->digits;
    return 1;
}

/* ---- times ---- */

static int text_time_put(struct value *v, const struct rule *rule, int64_t shift_ns, char *scratch)
{
    static const int kept[] = { [FLOOR_DAY] = 10, [FLOOR_MONTH] = 7, [FLOOR_YEAR] = 4 };
    int64_t days;

    if (!date_parse(v->text.bytes, v->text.size, &days) || v->text.size >= VALUE_CHARS)
        return 0;
    if (!date_write(scratch, days + shift_ns / DAY_NS))
        return 0;
    if (rule->action == ACTION_GENERALISE)
        return text_set(v, scratch, kept[rule->how->floor]);
    memcpy(scratch + DATE_CHARS, v->text.bytes + DATE_CHARS, v->text.size - DATE_CHARS);
    return text_set(v, scratch, (int)v->text.size);
}

static int time_put(struct value *v, const struct means *m, const struct rule *rule, char *scratch)
{
    int64_t shift_ns = rule_moves(m->config, rule, v->type) ? m->shift_ns : 0;

    if (v->type == AFF_TEXT)
        return text_time_put(v, rule, shift_ns, scratch);
    if (__builtin_add_overflow(v->integer, shift_ns, &v->integer))
        return 0;
    return rule->action != ACTION_GENERALISE || time_floor(v->integer, rule->how->floor, &v->integer);
}

int value_change(struct value *value, const struct means *means, const struct rule *rule, uint32_t index,
                 char *scratch)
{
    switch (rule->action) {
    case ACTION_KEEP:
    case ACTION_CLEAR: return value->type != AFF_TIME || time_put(value, means, rule, scratch);
    case ACTION_PSEUDONYM: return pseudonym_put(value, means, index, scratch);
    case ACTION_SHIFT: return time_put(value, means, rule, scratch);
    case ACTION_REDACT: return text_set(value, memcpy(scratch, "***", 3), 3);
    case ACTION_GENERALISE:
        if (rule->how->floor != FLOOR_NONE)
            return time_put(value, means, rule, scratch);
        return rule->how->digits ? digits_put(value, rule->how) : band_put(value, rule->how, scratch);
    default: return 0;
    }
}

size_t value_room(const struct rule *rule, size_t size)
{
    return rule->action == ACTION_KEEP || rule->action == ACTION_CLEAR || size > VALUE_CHARS ? size : VALUE_CHARS;
}
