/* SPDX-License-Identifier: Apache-2.0
 *
 * command.c - see command.h.
 *
 * A value comes from a row that others made, and goes to a device that does what
 * it is told. So what may be in it is a short list, not all but a few: a line
 * end, a quote or a semicolon would be a second command. */
#include "command.h"

#include <stdio.h>
#include <string.h>

static bool pattern_is_in(const struct pattern *p, const uint8_t *at, size_t size)
{
    if (size < p->mark.size)
        return false;
    if (p->first)
        return memcmp(at, p->mark.bytes, p->mark.size) == 0;
    return memmem(at, size, p->mark.bytes, p->mark.size) != NULL;
}

enum answer command_answer(const struct command *c, const uint8_t *at, size_t size)
{
    for (unsigned i = 0; i < c->refuse_count; i++)
        if (pattern_is_in(&c->refuse[i], at, size))
            return ANSWER_NO;
    for (unsigned i = 0; i < c->expect_count; i++)
        if (pattern_is_in(&c->expect[i], at, size))
            return ANSWER_YES;
    return ANSWER_NONE;
}

/* ---- templates ---- */

static bool is_name(char c)
{
    return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* At a '{' that is not doubled: the size of the name behind it, 0 if it is none. */
static size_t name_size(const char *at)
{
    size_t n = 1;

    while (is_name(at[n]))
        n++;
    return at[n] == '}' ? n - 1 : 0;
}

int template_name(const char **at, const char **ret_name, size_t *ret_size)
{
    const char *p = *at;

    for (; *p; p++) {
        if (*p != '{' && *p != '}')
            continue;
        if (p[1] == *p) {
            p++;
            continue;
        }
        *ret_size = *p == '{' ? name_size(p) : 0;
        if (!*ret_size)
            return -1;
        *ret_name = p + 1;
        *at = p + *ret_size + 2;
        return 1;
    }
    return 0;
}

static bool may_be_sent(const struct command *c, char byte)
{
    if (is_name(byte) || (byte && strchr(" +-.:", byte)))
        return true;
    return byte >= 0x20 && byte < 0x7f && strchr(c->allow, byte);
}

static int column_find(const struct aff_schema *schema, const char *name, size_t size, const struct aff_column **ret)
{
    for (uint32_t i = 0; schema && i < schema->count; i++) {
        const struct aff_column *column = (const void *)((const char *)schema->columns + (size_t)i * schema->stride);

        if (strncmp(column->name, name, size) == 0 && !column->name[size]) {
            *ret = column;
            return (int)i;
        }
    }
    return -1;
}

static int text_value(const struct command *c, const char *text, uint32_t size, char *to)
{
    if (!text || size > VALUE_MOST)
        return -1;
    for (uint32_t i = 0; i < size; i++)
        if (!may_be_sent(c, text[i]))
            return -1;
    memcpy(to, text, size);
    return (int)size;
}

static int real_value(double value, char *to, size_t room)
{
    int n = snprintf(to, room, "%.15g", value);

    return n > 0 && to[n - 1] >= '0' && to[n - 1] <= '9' ? n : -1; /* inf and nan are no numbers */
}

/* The text of a column's cell; -1: none that can be sent. `to` has VALUE_MOST. Whose it is
 * was asked by the check (shape.c): a label that run.clears took off still stands here. */
static int value_of(const struct command *c, const struct aff_record *row, const struct aff_schema *schema,
                    const char *name, size_t name_length, char *to)
{
    const struct aff_column *column;
    uint32_t size, i;
    const char *text;
    int index = column_find(schema, name, name_length, &column);

    if (index < 0 || !row || !aff_row_has(row, (uint32_t)index))
        return -1;
    i = (uint32_t)index;
    switch (column->type) {
    case AFF_TEXT:
        text = aff_row_text(row, schema->count, i, &size);
        return text_value(c, text, size, to);
    case AFF_REAL: return real_value(aff_row_real(row, schema->count, i), to, VALUE_MOST);
    case AFF_INT:
    case AFF_BOOL: return snprintf(to, VALUE_MOST, "%lld", (long long)aff_row_int(row, schema->count, i));
    default: return -1;
    }
}

struct out {
    uint8_t *to;
    size_t room, used;
};

static bool put(struct out *o, const void *bytes, size_t size)
{
    if (size > o->room - o->used)
        return false;
    memcpy(o->to + o->used, bytes, size);
    o->used += size;
    return true;
}

/* The fixed text up to `end`, in which braces stand twice and \xHH for a byte. */
static bool put_plain(struct out *o, const char *from, const char *end)
{
    char text[TEMPLATE_MOST + 1];
    uint8_t bytes[TEMPLATE_MOST];
    size_t n = 0;
    int64_t size;

    while (from < end && n < TEMPLATE_MOST) {
        text[n++] = *from;
        from += *from == '{' || *from == '}' ? 2 : 1;
    }
    text[n] = 0;
    size = text_bytes(text, bytes, sizeof bytes);
    return size >= 0 && from >= end && put(o, bytes, (size_t)size);
}

size_t command_bytes(const struct command *c, const struct aff_record *row, const struct aff_schema *schema,
                     uint8_t *to, size_t room)
{
    struct out o = { to, room, 0 };
    const char *at = c->send, *plain = at, *name;
    char value[VALUE_MOST];
    size_t size;
    int64_t hex;

    if (c->send_hex) {
        hex = text_hex(c->send_hex, to, room);
        return hex > 0 ? (size_t)hex : 0;
    }
    while (template_name(&at, &name, &size) == 1) {
        int length = value_of(c, row, schema, name, size, value);

        if (length < 0 || !put_plain(&o, plain, name - 1) || !put(&o, value, (size_t)length))
            return 0;
        plain = at;
    }
    return put_plain(&o, plain, plain + strlen(plain)) ? o.used : 0;
}
