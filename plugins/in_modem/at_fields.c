/* SPDX-License-Identifier: Apache-2.0
 *
 * at_fields.c - see at_fields.h. A quote that is not closed goes to the line's end,
 * and so does a bracket. */
#include "at_fields.h"

#include <string.h>

const char *at_fault_text(enum at_fault fault)
{
    static const char *const texts[AT_FAULTS] = {
        "is fine", "is another reply", "lacks a field", "has a field that cannot be read", "has a number out of range",
        "has a text that is too long", "has a damaged message",
    };

    return fault < AT_FAULTS ? texts[fault] : "is damaged";
}

static const char *past_blanks(const char *s)
{
    while (*s == ' ' || *s == '\t')
        s++;
    return s;
}

bool at_fields_open(struct at_fields *f, const char *line, const char *prefix)
{
    size_t size = strlen(prefix);

    if (strncmp(line, prefix, size) != 0)
        return false;
    f->at = past_blanks(line + size);
    if (!*f->at)
        f->at = NULL;
    return true;
}

/* Behind a field stands a comma or the end; what else is there is passed over. */
static void field_end(struct at_fields *f, const char *at)
{
    at += strcspn(at, ",");
    f->at = *at ? past_blanks(at + 1) : NULL;
}

bool at_fields_next(struct at_fields *f, struct at_field *ret)
{
    const char *at = f->at, *end;

    if (!at)
        return false;
    ret->quoted = *at == '"';
    ret->grouped = *at == '(';
    if (ret->quoted || ret->grouped) {
        at++;
        end = strchr(at, ret->quoted ? '"' : ')');
        ret->at = at;
        ret->size = end ? (size_t)(end - at) : strlen(at);
        field_end(f, at + ret->size + (end != NULL));
        return true;
    }
    ret->at = at;
    ret->size = strcspn(at, ",");
    field_end(f, at + ret->size);
    while (ret->size > 0 && (at[ret->size - 1] == ' ' || at[ret->size - 1] == '\t'))
        ret->size--;
    return true;
}

void at_fields_skip(struct at_fields *f, unsigned count)
{
    struct at_field unused;

    while (count-- > 0 && at_fields_next(f, &unused))
        continue;
}

enum at_fault at_field_int(const struct at_field *field, int64_t low, int64_t high, int64_t *ret)
{
    bool negative = field->size > 0 && field->at[0] == '-';
    size_t i = negative || (field->size > 0 && field->at[0] == '+');
    int64_t value = 0;

    if (field->size == 0)
        return AT_FAULT_MISSING;
    if (i == field->size || field->size - i > 18)
        return AT_FAULT_SYNTAX;
    for (; i < field->size; i++) {
        if (field->at[i] < '0' || field->at[i] > '9')
            return AT_FAULT_SYNTAX;
        value = value * 10 + (field->at[i] - '0');
    }
    value = negative ? -value : value;
    if (value < low || value > high)
        return AT_FAULT_RANGE;
    *ret = value;
    return AT_FINE;
}

enum at_fault at_next_int(struct at_fields *f, int64_t low, int64_t high, int64_t *ret)
{
    struct at_field field;

    return at_fields_next(f, &field) ? at_field_int(&field, low, high, ret) : AT_FAULT_MISSING;
}

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 32);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

enum at_fault at_next_hex(struct at_fields *f, uint64_t high, uint64_t *ret)
{
    struct at_field field;
    uint64_t value = 0;
    size_t i;

    if (!at_fields_next(f, &field) || field.size == 0)
        return AT_FAULT_MISSING;
    if (field.size > 16)
        return AT_FAULT_SYNTAX;
    for (i = 0; i < field.size; i++) {
        if (digit_of(field.at[i]) < 0)
            return AT_FAULT_SYNTAX;
        value = value << 4 | (uint64_t)digit_of(field.at[i]);
    }
    if (value > high)
        return AT_FAULT_RANGE;
    *ret = value;
    return AT_FINE;
}

/* Plain decimals only: no exponent, no "inf", and no locale. */
enum at_fault at_next_real(struct at_fields *f, double low, double high, double *ret)
{
    struct at_field field;
    double value = 0, scale = 1;
    bool point = false;
    size_t i, digits = 0;

    if (!at_fields_next(f, &field) || field.size == 0)
        return AT_FAULT_MISSING;
    if (field.size > 24)
        return AT_FAULT_SYNTAX;
    for (i = field.at[0] == '-' || field.at[0] == '+'; i < field.size; i++) {
        int digit = field.at[i] - '0';

        if (field.at[i] == '.' && !point) {
            point = true;
            continue;
        }
        if (digit < 0 || digit > 9)
            return AT_FAULT_SYNTAX;
        digits++;
        value = value * 10 + digit;
        scale *= point ? 10 : 1;
    }
    if (digits == 0)
        return AT_FAULT_SYNTAX;
    value = (field.at[0] == '-' ? -value : value) / scale;
    if (value < low || value > high)
        return AT_FAULT_RANGE;
    *ret = value;
    return AT_FINE;
}

enum at_fault at_field_text(const struct at_field *field, char *to, size_t room)
{
    if (field->size >= room)
        return AT_FAULT_LONG;
    memcpy(to, field->at, field->size);
    to[field->size] = '\0';
    return AT_FINE;
}

enum at_fault at_next_text(struct at_fields *f, char *to, size_t room)
{
    struct at_field field;

    return at_fields_next(f, &field) ? at_field_text(&field, to, room) : AT_FAULT_MISSING;
}

bool at_field_has(const struct at_field *field, int64_t number)
{
    size_t i = 0;

    while (i < field->size) {
        int64_t low = 0, high;

        while (i < field->size && (field->at[i] < '0' || field->at[i] > '9'))
            i++;
        if (i == field->size)
            return false;
        for (; i < field->size && field->at[i] >= '0' && field->at[i] <= '9' && low < 1000000; i++)
            low = low * 10 + (field->at[i] - '0');
        high = low;
        if (i < field->size && field->at[i] == '-')
            for (high = 0, i++; i < field->size && field->at[i] >= '0' && field->at[i] <= '9' && high < 1000000; i++)
                high = high * 10 + (field->at[i] - '0');
        if (number >= low && number <= high)
            return true;
    }
    return false;
}
