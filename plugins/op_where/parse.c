/* SPDX-License-Identifier: Apache-2.0
 *
 * parse.c - the grammar: text to nodes in postfix order.
 *
 * Operator precedence climbing (Pratt 1973). From loose to tight:
 *     or | and | not | = != < <= > >= in between | ?? | + - | * / % | - | ^
 * Comparisons do not chain; ^ groups to the right; -2^2 is -(2^2).
 *
 * Not here: whether columns exist and types fit (bind.c). */
#include <string.h>

#include "lexer.h"

/* How tightly an operator holds its operands. */
enum {
    HOLDS_NOTHING,
    HOLDS_OR,
    HOLDS_AND,
    HOLDS_NOT,
    HOLDS_COMPARE,
    HOLDS_ELSE,
    HOLDS_SUM,
    HOLDS_PRODUCT,
    HOLDS_SIGN,
    HOLDS_POWER
};

struct parser {
    struct lexer lexer;
    struct expr_draft *draft;
    uint32_t depth;
};

static const struct expr_about functions[CALLS] = {
    [CALL_ABS] = { "abs", 1, 1 },
    [CALL_CEIL] = { "ceil", 1, 1 },
    [CALL_CONTAINS] = { "contains", 2, 2 },
    [CALL_ENDS_WITH] = { "ends_with", 2, 2 },
    [CALL_EXP] = { "exp", 1, 1 },
    [CALL_FLOOR] = { "floor", 1, 1 },
    [CALL_IF] = { "if", 3, 3 },
    [CALL_IS_MISSING] = { "is_missing", 1, 1 },
    [CALL_LENGTH] = { "length", 1, 1 },
    [CALL_LOG] = { "log", 1, 1 },
    [CALL_LOWER] = { "lower", 1, 1 },
    [CALL_MAX] = { "max", 2, 64 },
    [CALL_MIN] = { "min", 2, 64 },
    [CALL_ROUND] = { "round", 1, 2 },
    [CALL_SQRT] = { "sqrt", 1, 1 },
    [CALL_STARTS_WITH] = { "starts_with", 2, 2 },
};

const struct expr_about *expr_about(enum expr_function function)
{
    return &functions[function];
}

const char *operator_name(enum expr_operator operator)
{
    static const char *const names[] = { "or", "and", "not", "=", "!=", "<", "<=", ">", ">=",
                                         "??", "+",   "-",   "*", "/",  "%", "^" };

    return names[operator];
}

static struct expr_node *node_add(struct parser *p, enum expr_kind kind, uint32_t at)
{
    struct expr_draft *d = p->draft;
    struct expr_node *n;

    if (d->count == EXPR_NODES_MAX) {
        (void)fault_set(p->lexer.fault, at, "more than %d values and operations; expected fewer; derive parts "
                        "of it as columns first", EXPR_NODES_MAX);
        return NULL;
    }
    n = &d->nodes[d->count++];
    memset(n, 0, sizeof *n);
    n->kind = (uint8_t)kind;
    n->at = (uint16_t)at;
    return n;
}

/* fails[i]: the longest beginning of the text that also ends at i. */
static void fails_fill(const char *text, uint16_t *fails, uint32_t length)
{
    uint32_t i, k = 0;

    fails[0] = 0;
    for (i = 1; i < length; i++) {
        while (k > 0 && text[i] != text[k])
            k = fails[k - 1];
        k += text[i] == text[k];
        fails[i] = (uint16_t)k;
    }
}

/* Copies a text or a name. Of a doubled quote one stays. */
static int text_node(struct parser *p, enum expr_kind kind)
{
    const struct token *t = &p->lexer.token;
    char quote = t->kind == TOKEN_TEXT ? t->from[-1] : 0;
    struct expr_node *n = node_add(p, kind, t->at);
    struct expr_draft *d = p->draft;
    uint32_t i;

    if (!n)
        return -1;
    n->of.text.from = (uint16_t)d->used;
    n->what = t->kind == TOKEN_QUOTED;
    for (i = 0; i < t->length; i++) {
        d->texts[d->used++] = t->from[i];
        i += quote && t->from[i] == quote;
    }
    n->of.text.length = (uint16_t)(d->used - n->of.text.from);
    fails_fill(d->texts + n->of.text.from, d->fails + n->of.text.from, n->of.text.length);
    d->texts[d->used++] = 0;
    return lexer_next(&p->lexer);
}

static int constant_node(struct parser *p)
{
    static const uint8_t kinds[] = { [TOKEN_INT] = NODE_INT,     [TOKEN_REAL] = NODE_REAL,
                                     [TOKEN_TRUE] = NODE_BOOL,   [TOKEN_FALSE] = NODE_BOOL,
                                     [TOKEN_MISSING] = NODE_MISSING };
    const struct token *t = &p->lexer.token;
    struct expr_node *n = node_add(p, kinds[t->kind], t->at);

    if (!n)
        return -1;
    if (t->kind == TOKEN_REAL)
        n->of.real = t->real;
    else
        n->of.integer = t->kind == TOKEN_INT ? t->integer : t->kind == TOKEN_TRUE;
    return lexer_next(&p->lexer);
}

static int expression(struct parser *p, int holds);

static int expect(struct parser *p, uint8_t kind, const char *what)
{
    if (p->lexer.token.kind == kind)
        return lexer_next(&p->lexer);
    return fault_set(p->lexer.fault, p->lexer.token.at, "expected %s", what);
}

/* Values up to the closing parenthesis, after the opening one. Their number, or -1. */
static int arguments(struct parser *p)
{
    int count = 0;

    if (p->lexer.token.kind == TOKEN_CLOSE)
        return lexer_next(&p->lexer) < 0 ? -1 : 0;
    for (;;) {
        if (expression(p, HOLDS_NOTHING) < 0)
            return -1;
        count++;
        if (p->lexer.token.kind != TOKEN_COMMA)
            break;
        if (lexer_next(&p->lexer) < 0)
            return -1;
    }
    return expect(p, TOKEN_CLOSE, ", or ) after the last value") < 0 ? -1 : count;
}

static bool token_is(const struct token *t, const char *name)
{
    uint32_t i;

    for (i = 0; i < t->length && name[i]; i++)
        if ((t->from[i] | 0x20) != (name[i] | 0x20))
            return false;
    return i == t->length && !name[i];
}

static int function_unknown(struct parser *p, const struct token *t)
{
    struct expr_fault *f = p->lexer.fault;
    char list[200] = "";
    size_t used = 0;
    int i;

    for (i = 0; i < CALLS && used < sizeof list; i++) {
        size_t n = strlen(functions[i].name);

        if (used + n + 3 > sizeof list)
            break;
        memcpy(list + used, i ? ", " : "", i ? 2 : 0);
        used += i ? 2 : 0;
        memcpy(list + used, functions[i].name, n + 1);
        used += n;
    }
    return fault_set(f, t->at, "there is no function \"%.*s\"; expected one of %s", (int)(t->length < 40 ? t->length : 40),
                     t->from, list);
}

static int call_check(struct parser *p, const struct token *t, int function, int count)
{
    const struct expr_about *f = &functions[function];

    if (count >= f->least && count <= f->most)
        return 0;
    if (f->least == f->most)
        return fault_set(p->lexer.fault, t->at, "%s has %d values; expected %d", f->name, count, f->least);
    return fault_set(p->lexer.fault, t->at, "%s has %d values; expected %d to %d", f->name, count, f->least, f->most);
}

/* A name with "(" behind it. */
static int call(struct parser *p, const struct token *name)
{
    int function = 0, count;
    struct expr_node *n;

    while (function < CALLS && !token_is(name, functions[function].name))
        function++;
    if (function == CALLS)
        return function_unknown(p, name);
    if (lexer_next(&p->lexer) < 0)
        return -1;
    count = arguments(p);
    if (count < 0 || call_check(p, name, function, count) < 0)
        return -1;
    n = node_add(p, NODE_CALL, name->at);
    if (!n)
        return -1;
    n->what = (uint8_t)function;
    n->args = (uint16_t)count;
    return 0;
}

static int name_node(struct parser *p)
{
    struct lexer after = p->lexer;

    if (lexer_next(&after) < 0)
        return -1;
    if (after.token.kind == TOKEN_OPEN) {
        struct token name = p->lexer.token;

        p->lexer = after;
        return call(p, &name);
    }
    return text_node(p, NODE_COLUMN);
}

static int unary(struct parser *p, uint8_t operator, int holds)
{
    uint32_t at = p->lexer.token.at;
    struct expr_node *n;

    if (lexer_next(&p->lexer) < 0 || expression(p, holds) < 0)
        return -1;
    n = node_add(p, NODE_UNARY, at);
    if (!n)
        return -1;
    n->what = operator;
    n->args = 1;
    return 0;
}

/* What an expression can begin with. */
static int first(struct parser *p, int holds)
{
    const struct token *t = &p->lexer.token;

    switch (t->kind) {
    case TOKEN_INT:
    case TOKEN_REAL:
    case TOKEN_TRUE:
    case TOKEN_FALSE:
    case TOKEN_MISSING: return constant_node(p);
    case TOKEN_TEXT: return text_node(p, NODE_TEXT);
    case TOKEN_QUOTED: return text_node(p, NODE_COLUMN);
    case TOKEN_NAME: return name_node(p);
    case TOKEN_OPEN:
        if (lexer_next(&p->lexer) < 0 || expression(p, HOLDS_NOTHING) < 0)
            return -1;
        return expect(p, TOKEN_CLOSE, "an operator, or ) for the ( before it");
    case TOKEN_OPERATOR:
        if (t->what == OPERATOR_SUB)
            return unary(p, OPERATOR_SUB, HOLDS_SIGN);
        if (t->what == OPERATOR_NOT && holds <= HOLDS_NOT)
            return unary(p, OPERATOR_NOT, HOLDS_NOT);
        if (t->what == OPERATOR_NOT)
            return fault_set(p->lexer.fault, t->at, "not stands behind an operator that holds tighter; "
                             "expected parentheses around it");
        return fault_set(p->lexer.fault, t->at, "expected a value before %s", operator_name(t->what));
    case TOKEN_END: return fault_set(p->lexer.fault, t->at, "expected a value, and the expression ends here");
    default: return fault_set(p->lexer.fault, t->at, "expected a value, such as a column's name");
    }
}

/* How tightly the operator at hand holds; HOLDS_NOTHING where none is. */
static int infix_holds(const struct lexer *l)
{
    static const uint8_t holds[] = {
        [OPERATOR_OR] = HOLDS_OR,       [OPERATOR_AND] = HOLDS_AND,     [OPERATOR_EQ] = HOLDS_COMPARE,
        [OPERATOR_NE] = HOLDS_COMPARE,  [OPERATOR_LT] = HOLDS_COMPARE,  [OPERATOR_LE] = HOLDS_COMPARE,
        [OPERATOR_GT] = HOLDS_COMPARE,  [OPERATOR_GE] = HOLDS_COMPARE,  [OPERATOR_ELSE] = HOLDS_ELSE,
        [OPERATOR_ADD] = HOLDS_SUM,     [OPERATOR_SUB] = HOLDS_SUM,     [OPERATOR_MUL] = HOLDS_PRODUCT,
        [OPERATOR_DIV] = HOLDS_PRODUCT, [OPERATOR_MOD] = HOLDS_PRODUCT, [OPERATOR_POW] = HOLDS_POWER,
    };
    const struct token *t = &l->token;

    if (t->kind == TOKEN_IN || t->kind == TOKEN_BETWEEN)
        return HOLDS_COMPARE;
    if (t->kind != TOKEN_OPERATOR)
        return HOLDS_NOTHING;
    if (t->what == OPERATOR_NOT)
        return lexer_peeks_set(l) ? HOLDS_COMPARE : HOLDS_NOTHING;
    return holds[t->what];
}

static int between(struct parser *p, uint32_t at)
{
    const struct token *t = &p->lexer.token;
    struct expr_node *n;

    if (expression(p, HOLDS_COMPARE + 1) < 0)
        return -1;
    if (t->kind != TOKEN_OPERATOR || t->what != OPERATOR_AND)
        return fault_set(p->lexer.fault, t->at, "expected and; between is written: x between low and high");
    if (lexer_next(&p->lexer) < 0 || expression(p, HOLDS_COMPARE + 1) < 0)
        return -1;
    n = node_add(p, NODE_BETWEEN, at);
    if (!n)
        return -1;
    n->args = 3;
    return 0;
}

static int set(struct parser *p, uint32_t at)
{
    struct expr_node *n;
    int count;

    if (expect(p, TOKEN_OPEN, "( behind in; it is written: x in ('A', 'V')") < 0)
        return -1;
    count = arguments(p);
    if (count == 0)
        return fault_set(p->lexer.fault, at, "in has no values; expected at least one, as in x in ('A', 'V')");
    n = count < 0 ? NULL : node_add(p, NODE_IN, at);
    if (!n)
        return -1;
    n->args = (uint16_t)(count + 1);
    return 0;
}

/* in, between, and both with not before them; the value is read. */
static int member(struct parser *p)
{
    uint32_t at = p->lexer.token.at;
    bool is_not = p->lexer.token.kind == TOKEN_OPERATOR;
    struct expr_node *n;
    uint8_t kind;

    if (is_not && lexer_next(&p->lexer) < 0)
        return -1;
    kind = p->lexer.token.kind;
    if (lexer_next(&p->lexer) < 0 || (kind == TOKEN_IN ? set(p, at) : between(p, at)) < 0)
        return -1;
    if (!is_not)
        return 0;
    n = node_add(p, NODE_UNARY, at);
    if (!n)
        return -1;
    n->what = OPERATOR_NOT;
    n->args = 1;
    return 0;
}

static int infix(struct parser *p, int holds)
{
    struct token t = p->lexer.token;
    struct expr_node *n;

    if (t.kind != TOKEN_OPERATOR || t.what == OPERATOR_NOT)
        return member(p);
    if (lexer_next(&p->lexer) < 0)
        return -1;
    /* The sign of an exponent belongs to it: 2 ^ -1. */
    if (expression(p, holds == HOLDS_POWER ? HOLDS_SIGN : holds + 1) < 0)
        return -1;
    n = node_add(p, NODE_BINARY, t.at);
    if (!n)
        return -1;
    n->what = t.what;
    n->args = 2;
    return 0;
}

/* Reads as far as operators hold at least that tightly. */
static int expression(struct parser *p, int holds)
{
    int found, before = HOLDS_NOTHING;

    if (++p->depth > EXPR_DEPTH_MAX)
        return fault_set(p->lexer.fault, p->lexer.token.at, "more than %d levels within one another; expected fewer; "
                         "derive parts of it as columns first", EXPR_DEPTH_MAX);
    if (first(p, holds) < 0)
        return -1;
    for (;;) {
        found = infix_holds(&p->lexer);
        if (found == HOLDS_NOTHING || found < holds)
            break;
        if (found == HOLDS_COMPARE && before == HOLDS_COMPARE)
            return fault_set(p->lexer.fault, p->lexer.token.at, "comparisons do not chain; write a < b and b < c");
        if (infix(p, found) < 0)
            return -1;
        before = found;
    }
    p->depth--;
    return 0;
}

int expr_parse(const char *text, struct expr_draft *draft, struct expr_fault *fault)
{
    struct parser p = { .draft = draft };

    draft->count = 0;
    draft->used = 0;
    if (lexer_begin(&p.lexer, text, fault) < 0 || expression(&p, HOLDS_NOTHING) < 0)
        return -1;
    if (p.lexer.token.kind == TOKEN_END)
        return 0;
    if (p.lexer.token.kind == TOKEN_CLOSE)
        return fault_set(fault, p.lexer.token.at, "a ) without a ( before it");
    if (p.lexer.token.kind == TOKEN_NAME && token_is(&p.lexer.token, "is"))
        return fault_set(fault, p.lexer.token.at, "is is no operator here; expected another; write is_missing(x), or x = y");
    return fault_set(fault, p.lexer.token.at, "expected an operator, such as and, or the end");
}

struct expr expr_of(const struct expr_draft *draft)
{
    struct expr e = { draft->nodes, draft->texts, draft->fails, draft->count, draft->used };

    return e;
}
