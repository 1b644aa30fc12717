/* SPDX-License-Identifier: Apache-2.0
 *
 * toml.c - keys, tables and arrays of TOML 1.0.0 (see toml.h).
 *
 * A recursive descent over the text. The first error ends it: the caller prints
 * one sentence with the line.
 *
 * Not here: strings and numbers (toml_scalar.c), options (options.c). */
#include "toml_parse.h"

#include <stdio.h>

#define DEPTH_MOST 32

void toml_fail(struct parser *p, const char *what)
{
    size_t size = strlen(what) + 40;
    char *text;

    if (p->error)
        return;
    text = memory_take(p->memory, size);
    (void)snprintf(text, size, "line %d: %s", p->line, what);
    p->error = text;
}

struct toml *toml_new(struct parser *p, enum toml_kind kind)
{
    struct toml *value = memory_take(p->memory, sizeof *value);

    value->kind = kind;
    return value;
}

static void skip_blank(struct parser *p)
{
    while (*p->at == ' ' || *p->at == '\t')
        p->at++;
}

static void skip_comment(struct parser *p)
{
    skip_blank(p);
    if (*p->at == '#')
        p->at += strcspn(p->at, "\n");
}

/* Blanks, comments and line ends. */
static void skip_lines(struct parser *p)
{
    for (;;) {
        skip_comment(p);
        if (*p->at == '\r' && p->at[1] == '\n')
            p->at++;
        if (*p->at != '\n')
            return;
        p->at++;
        p->line++;
    }
}

static void end_of_line(struct parser *p)
{
    skip_comment(p);
    if (*p->at == '\r')
        p->at++;
    if (*p->at && *p->at != '\n')
        toml_fail(p, "more text after a value; expected the end of the line");
}

struct toml *toml_get(const struct toml *table, const char *key)
{
    struct toml *at;

    for (at = table->child; at; at = at->next)
        if (strcmp(at->key, key) == 0)
            return at;
    return NULL;
}

static void append(struct toml *parent, struct toml *value)
{
    struct toml **end = &parent->child;

    while (*end)
        end = &(*end)->next;
    *end = value;
}

static const char *read_key(struct parser *p)
{
    static const char bare[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
    size_t n;
    char *key;

    skip_blank(p);
    if (*p->at == '"' || *p->at == '\'') {
        struct toml *text = toml_string(p);

        if (p->error)
            return "";
        return text->text;
    }
    n = strspn(p->at, bare);
    if (n == 0) {
        toml_fail(p, "expected a key");
        return "";
    }
    key = memory_take(p->memory, n + 1);
    memcpy(key, p->at, n);
    p->at += n;
    return key;
}

/* The table of this key below `parent`, made where it is not there. For an array
 * of tables it is the last one. */
static struct toml *step(struct parser *p, struct toml *parent, const char *key)
{
    struct toml *at = toml_get(parent, key);

    if (!at) {
        at = toml_new(p, TOML_TABLE);
        at->key = key;
        append(parent, at);
    }
    if (at->kind == TOML_ARRAY && at->child && !at->closed)
        for (at = at->child; at->next; at = at->next)
            ;
    if (at->kind != TOML_TABLE || at->closed) {
        toml_fail(p, "a key goes into something that is not an open table");
        return parent;
    }
    return at;
}

static void read_pair(struct parser *p, struct toml *table, int depth)
{
    const char *key = read_key(p);
    struct toml *value;

    for (skip_blank(p); !p->error && *p->at == '.'; skip_blank(p)) {
        p->at++;
        table = step(p, table, key);
        key = read_key(p);
    }
    if (p->error)
        return;
    if (*p->at != '=') {
        toml_fail(p, "expected '=' after a key");
        return;
    }
    p->at++;
    value = toml_any(p, depth);
    if (p->error)
        return;
    if (toml_get(table, key)) {
        toml_fail(p, "a key stands twice");
        return;
    }
    value->key = key;
    append(table, value);
}

static struct toml *read_array(struct parser *p, int depth)
{
    struct toml *array = toml_new(p, TOML_ARRAY);

    array->closed = 1;
    p->at++;
    for (skip_lines(p); !p->error && *p->at != ']'; skip_lines(p)) {
        append(array, toml_any(p, depth + 1));
        skip_lines(p);
        if (*p->at == ',')
            p->at++;
        else if (*p->at != ']')
            toml_fail(p, "expected ',' or ']' in an array");
    }
    if (!p->error)
        p->at++;
    return array;
}

static void close_all(struct toml *table)
{
    struct toml *at;

    table->closed = 1;
    for (at = table->child; at; at = at->next)
        if (at->kind == TOML_TABLE)
            close_all(at);
}

static struct toml *read_inline(struct parser *p, int depth)
{
    struct toml *table = toml_new(p, TOML_TABLE);

    p->at++;
    skip_blank(p);
    while (!p->error && *p->at != '}') {
        read_pair(p, table, depth + 1);
        skip_blank(p);
        if (*p->at == ',')
            p->at++;
        else if (*p->at != '}')
            toml_fail(p, "expected ',' or '}' in an inline table");
        skip_blank(p);
    }
    if (!p->error)
        p->at++;
    close_all(table);
    return table;
}

struct toml *toml_any(struct parser *p, int depth)
{
    skip_blank(p);
    if (depth > DEPTH_MOST) {
        toml_fail(p, "values are nested too deeply");
        return toml_new(p, TOML_BOOL);
    }
    if (*p->at == '[')
        return read_array(p, depth);
    if (*p->at == '{')
        return read_inline(p, depth);
    if (*p->at == '"' || *p->at == '\'')
        return toml_string(p);
    return toml_plain(p);
}

/* [a.b] and [[a.b]]: the table that the next pairs go into. */
static struct toml *read_header(struct parser *p, struct toml *root)
{
    int is_array = p->at[1] == '[';
    struct toml *table = root, *item;
    const char *key;

    p->at += 1 + is_array;
    key = read_key(p);
    for (skip_blank(p); !p->error && *p->at == '.'; skip_blank(p)) {
        p->at++;
        table = step(p, table, key);
        key = read_key(p);
    }
    if (!p->error && (p->at[0] != ']' || (is_array && p->at[1] != ']')))
        toml_fail(p, "expected ']' after a table's name");
    if (p->error)
        return root;
    p->at += 1 + is_array;
    if (!is_array)
        return step(p, table, key);
    item = toml_get(table, key);
    if (!item) {
        item = toml_new(p, TOML_ARRAY);
        item->key = key;
        append(table, item);
    }
    if (item->kind != TOML_ARRAY || item->closed) {
        toml_fail(p, "an array of tables has the name of something else");
        return root;
    }
    append(item, toml_new(p, TOML_TABLE));
    return step(p, table, key);
}

struct toml *toml_read(struct memory *memory, const char *text, const char **ret_error)
{
    struct parser p = { memory, text, NULL, 1 };
    struct toml *root = toml_new(&p, TOML_TABLE), *table = root;

    for (skip_lines(&p); *p.at && !p.error; skip_lines(&p)) {
        if (*p.at == '[')
            table = read_header(&p, root);
        else
            read_pair(&p, table, 0);
        if (!p.error)
            end_of_line(&p);
    }
    *ret_error = p.error;
    return p.error ? NULL : root;
}

struct toml *toml_value(struct memory *memory, const char *text, const char **ret_error)
{
    struct parser p = { memory, text, NULL, 1 };
    struct toml *value = toml_any(&p, 0);

    if (!p.error)
        skip_lines(&p);
    if (!p.error && *p.at)
        toml_fail(&p, "more text after the value");
    *ret_error = p.error;
    return p.error ? NULL : value;
}
