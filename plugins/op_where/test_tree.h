/* SPDX-License-Identifier: Apache-2.0
 *
 * test_tree.h - random trees of expressions, and how they are written as text.
 *
 * Not here: what they are worth (test_property.c). */
#ifndef OP_WHERE_TEST_TREE_H
#define OP_WHERE_TEST_TREE_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "test_rows.h"

enum { NODES = 200, TEXT_MAX = 4000 };

struct answer {
    char type; /* 'r' real, 'i' whole, 'b' truth, 's' text */
    bool has;
    double r;
    int64_t i;
    char s[32];
};

struct tree {
    const char *what; /* "+", "and", "if", "column", "constant" ... */
    char type;
    int column, args;
    struct tree *arg[4];
    struct answer value;
};

static struct tree pool[NODES];
static int used;
static uint64_t seed;

static uint32_t draw(uint32_t below)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((seed >> 33) % below);
}

static struct tree *tree_new(const char *what, char type, int args, ...)
{
    struct tree *t = &pool[used++];
    va_list list;
    int i;

    memset(t, 0, sizeof *t);
    t->what = what;
    t->type = type;
    t->args = args;
    va_start(list, args);
    for (i = 0; i < args; i++)
        t->arg[i] = va_arg(list, struct tree *);
    va_end(list);
    return t;
}

/* ---- drawing ---- */

static struct tree *draw_column(char type)
{
    static const int reals[] = { COL_SPO2, COL_ODD, COL_GONE }, wholes[] = { COL_HEART_RATE, COL_ZERO },
                     truths[] = { COL_PACED, COL_FLAG }, texts[] = { COL_NAME, COL_NOTE };
    struct tree *t = tree_new("column", type, 0);

    t->column = type == 'r'   ? reals[draw(3)]
                : type == 'i' ? wholes[draw(2)]
                : type == 'b' ? truths[draw(2)]
                              : texts[draw(2)];
    return t;
}

static struct tree *draw_constant(char type)
{
    static const double reals[] = { 0.0, 0.5, 1.5, 92.0, 1e6, 1e300, 1e-300 };
    static const int64_t wholes[] = { 0, 1, 2, 3, 120, 1000000, INT64_MAX };
    static const char *const texts[] = { "", "a", "Ab", "it's", "\"", "ab", "aab" };
    struct tree *t = tree_new("constant", type, 0);

    t->value.type = type;
    t->value.has = true;
    t->value.r = reals[draw(7)];
    t->value.i = type == 'b' ? (int64_t)draw(2) : wholes[draw(7)];
    snprintf(t->value.s, sizeof t->value.s, "%s", texts[draw(7)]);
    return t;
}

static struct tree *draw_tree(char type, int depth);

static char draw_number(void)
{
    return draw(2) ? 'r' : 'i';
}

static struct tree *draw_real(int depth)
{
    static const char *const two[] = { "+", "-", "*", "/", "%", "^" };
    static const char *const one[] = { "abs", "floor", "ceil", "sqrt", "exp", "log", "neg", "round" };
    const char *what;
    char left;

    switch (draw(4)) {
    case 0: return tree_new(one[draw(8)], 'r', 1, draw_tree('r', depth));
    case 1:
        return tree_new(draw(2) ? "min" : "max", 'r', 3, draw_tree('r', depth), draw_tree(draw_number(), depth),
                        draw_tree('i', depth));
    default:
        what = two[draw(6)];
        left = draw_number();
        return tree_new(what, 'r', 2, draw_tree(left, depth),
                        draw_tree(left == 'i' && *what != '/' && *what != '^' ? 'r' : draw_number(), depth));
    }
}

static struct tree *draw_whole(int depth)
{
    static const char *const two[] = { "+", "-", "*", "%" };

    switch (draw(5)) {
    case 0: return tree_new(draw(2) ? "abs" : "neg", 'i', 1, draw_tree('i', depth));
    case 1: return tree_new("length", 'i', 1, draw_tree('s', depth));
    case 2: return tree_new(draw(2) ? "min" : "max", 'i', 2, draw_tree('i', depth), draw_tree('i', depth));
    default: return tree_new(two[draw(4)], 'i', 2, draw_tree('i', depth), draw_tree('i', depth));
    }
}

static struct tree *draw_truth(int depth)
{
    static const char *const relations[] = { "=", "!=", "<", "<=", ">", ">=" };
    static const char *const about[] = { "starts_with", "ends_with", "contains" };
    char kind = draw(3) ? 'r' : 's';
    const char *what;

    switch (draw(8)) {
    case 0: return tree_new("not", 'b', 1, draw_tree('b', depth));
    case 1:
    case 2: return tree_new(draw(2) ? "and" : "or", 'b', 2, draw_tree('b', depth), draw_tree('b', depth));
    case 3: return tree_new("is_missing", 'b', 1, draw_tree(draw(2) ? kind : 'b', depth));
    case 4:
        what = about[draw(3)];
        return tree_new(what, 'b', 2, draw_tree('s', depth),
                        *what == 'c' ? draw_constant('s') : draw_tree('s', depth));
    case 5:
        return tree_new(draw(2) ? "between" : "not between", 'b', 3, draw_tree(kind, depth),
                        draw_tree(kind == 'r' ? 'i' : 's', depth), draw_tree(kind, depth));
    case 6:
        return tree_new(draw(2) ? "in" : "not in", 'b', 3, draw_tree(kind, depth), draw_constant(kind),
                        draw_tree(kind, depth));
    default:
        return tree_new(relations[draw(6)], 'b', 2, draw_tree(kind == 's' ? 's' : draw_number(), depth),
                        draw_tree(kind == 's' ? 's' : draw_number(), depth));
    }
}

static struct tree *draw_tree(char type, int depth)
{
    if (depth == 0 || used > NODES - 40 || draw(6) == 0)
        return draw(2) ? draw_column(type) : draw_constant(type);
    depth--;
    if (draw(8) == 0)
        return tree_new("??", type, 2, draw_tree(type, depth), draw_tree(type, depth));
    if (draw(8) == 0)
        return tree_new("if", type, 3, draw_tree('b', depth), draw_tree(type, depth), draw_tree(type, depth));
    if (type == 's')
        return draw(2) ? tree_new("lower", 's', 1, draw_tree('s', depth)) : draw_column('s');
    return type == 'r' ? draw_real(depth) : type == 'i' ? draw_whole(depth) : draw_truth(depth);
}

/* ---- writing ---- */

static char text[TEXT_MAX];
static size_t length;

__attribute__((format(printf, 1, 2))) static void put(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    length += (size_t)vsnprintf(text + length, sizeof text - length, format, args);
    va_end(args);
    if (length >= sizeof text)
        length = sizeof text - 1;
}

static bool is_word(const char *what, const char *word)
{
    return strcmp(what, word) == 0;
}

static int level(const struct tree *t)
{
    static const char *const levels[] = {
        "or", "1", "and", "2", "not", "3", "=",      "4", "!=",      "4", "<",           "4", "<=", "4",
        ">",  "4", ">=",  "4", "in",  "4", "not in", "3", "between", "4", "not between", "3", "??", "5",
        "+",  "6", "-",   "6", "*",   "7", "/",      "7", "%",       "7", "neg",         "8", "^",  "9"
    };
    size_t i;

    for (i = 0; i < sizeof levels / sizeof levels[0]; i += 2)
        if (is_word(t->what, levels[i]))
            return *levels[i + 1] - '0';
    return 10;
}

static void write_tree(const struct tree *t, int least);

static void write_list(const struct tree *t, int from)
{
    int i;

    put("(");
    for (i = from; i < t->args; i++) {
        if (i > from)
            put(draw(2) ? "," : " , ");
        write_tree(t->arg[i], 0);
    }
    put(")");
}

static void write_text(const char *s)
{
    char quote = draw(2) ? '\'' : '"';

    put("%c", quote);
    for (; *s; s++)
        put(*s == quote ? "%c%c" : "%c", *s, quote);
    put("%c", quote);
}

static void write_leaf(const struct tree *t)
{
    const char *name = row_columns[t->column].name;

    if (is_word(t->what, "column"))
        put(strchr(name, ' ') || draw(4) == 0 ? "`%s`" : "%s", name);
    else if (t->type == 's')
        write_text(t->value.s);
    else if (t->type == 'b')
        put("%s", t->value.i ? "true" : draw(2) ? "false" : "FALSE");
    else if (t->type == 'i')
        put("%lld", (long long)t->value.i);
    else
        put(t->value.r < 1e5 && t->value.r > 1e-5 ? "%.1f" : "%.0e", t->value.r);
}

static void write_inside(const struct tree *t)
{
    int l = level(t), right = *t->what == '^' ? 8 : l + 1;

    if (!t->args) {
        write_leaf(t);
    } else if (l == 10) {
        put("%s", t->what);
        write_list(t, 0);
    } else if (t->args == 1) {
        put(l == 8 ? "-" : "not ");
        write_tree(t->arg[0], l);
    } else if (strstr(t->what, "between")) {
        write_tree(t->arg[0], 5);
        put(" %s ", t->what);
        write_tree(t->arg[1], 5);
        put(" and ");
        write_tree(t->arg[2], 5);
    } else if (strstr(t->what, "in")) {
        write_tree(t->arg[0], 5);
        put(" %s ", t->what);
        write_list(t, 1);
    } else {
        /* A power's base takes no sign, and comparisons do not chain. */
        write_tree(t->arg[0], l == 9 ? 10 : l == 4 ? 5 : l);
        put(" %s ", t->what);
        write_tree(t->arg[1], right);
    }
}

static void write_tree(const struct tree *t, int least)
{
    bool wraps = level(t) < least || draw(12) == 0;

    if (wraps)
        put("(");
    write_inside(t);
    if (wraps)
        put(")");
}

#endif
