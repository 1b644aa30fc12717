/* SPDX-License-Identifier: Apache-2.0
 *
 * bind.c - nodes get columns and types, and become a program.
 *
 * One pass over the nodes with a stack of types. Whole numbers stay whole under
 * + - * % and become real where they meet a real one. A text never becomes a
 * number, nor a number a text.
 *
 * Not here: calls of functions (bind_call.c). */
#include "bind.h"

#include <string.h>

const char *type_name(uint8_t type)
{
    static const char *const names[] = { "missing",       "a number", "a number",
                                         "true or false", "a time",   "a text" };

    return names[type];
}

uint8_t *type_at(struct binder *b, uint32_t below_top)
{
    return &b->types[b->depth - 1 - below_top];
}

struct expr_op *op_add(struct binder *b, enum op_code code)
{
    struct expr_op *op = &b->program->ops[b->program->count++];

    memset(op, 0, sizeof *op);
    op->code = (uint8_t)code;
    return op;
}

int result(struct binder *b, uint32_t args, uint8_t type)
{
    b->depth -= args;
    b->types[b->depth++] = type;
    return 0;
}

void to_real(struct binder *b, uint32_t below_top)
{
    if (*type_at(b, below_top) != AFF_INT)
        return;
    op_add(b, OP_TO_REAL)->index = below_top;
    *type_at(b, below_top) = AFF_REAL;
}

int common(struct binder *b, uint32_t count, const char *who)
{
    uint8_t type = TYPE_MISSING, other;
    uint32_t i;

    for (i = count; i-- > 0;) {
        other = *type_at(b, i);
        if (other == TYPE_MISSING || other == type)
            continue;
        if (type == TYPE_MISSING)
            type = other;
        else if (type_is_number(type) && type_is_number(other))
            type = AFF_REAL;
        else
            return fault_set(b->fault, b->at, "%s is given %s and %s; expected values of one kind", who,
                             type_name(type), type_name(other));
    }
    for (i = 0; i < count && type == AFF_REAL; i++)
        to_real(b, i);
    return type;
}

static int bind_constant(struct binder *b, const struct expr_node *n)
{
    struct expr_op *op;

    switch (n->kind) {
    case NODE_REAL:
        op_add(b, OP_CONST_R)->of.real = n->of.real;
        return result(b, 0, AFF_REAL);
    case NODE_TEXT:
        op = op_add(b, OP_CONST_S);
        op->of.text = b->e->texts + n->of.text.from;
        op->index = n->of.text.length;
        op->fails = b->e->fails + n->of.text.from;
        return result(b, 0, AFF_TEXT);
    case NODE_MISSING:
        op_add(b, OP_MISSING);
        return result(b, 0, TYPE_MISSING);
    default:
        op_add(b, OP_CONST_I)->of.integer = n->of.integer;
        return result(b, 0, n->kind == NODE_INT ? AFF_INT : AFF_BOOL);
    }
}

static void label_raise(struct binder *b, uint8_t label)
{
    if (label > b->program->label)
        b->program->label = label;
}

static int column_of_schema(struct binder *b, int at)
{
    const struct aff_column *c = scope_column(b->scope->schema, (uint32_t)at);
    struct expr_op *op;

    if (c->type < AFF_REAL || c->type > AFF_TEXT)
        return fault_set(b->fault, b->at, "column \"%s\" has a type that is not known here; expected a number, a "
                         "text, a time or true and false", c->name);
    op = op_add(b, OP_COLUMN);
    op->what = c->type;
    op->index = (uint32_t)at;
    label_raise(b, c->label);
    return result(b, 0, c->type);
}

/* Other languages' words for what is called missing here. */
static bool means_missing(const char *name)
{
    static const char *const words[] = { "null", "NULL", "nil", "none", "None", "nan", "NaN", "NA" };
    size_t i;

    for (i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(words[i], name) == 0)
            return true;
    return false;
}

static int column_unknown(struct binder *b, const char *name)
{
    const struct expr_scope *s = b->scope;

    if (means_missing(name))
        return fault_set(b->fault, b->at, "unknown column \"%s\"; what is not there is called missing; ask for it by "
                         "is_missing(x)", name);
    (void)fault_set(b->fault, b->at, "unknown column \"%.80s\"", name);
    b->fault->needs_columns = !s->schema;
    if (s->lists_columns && s->schema)
        scope_advise(b->fault, s, name);
    return -1;
}

/* What was derived hides a column of the input; that hides the record's time. */
static int bind_column(struct binder *b, const struct expr_node *n)
{
    const struct expr_scope *s = b->scope;
    const char *name = b->e->texts + n->of.text.from;
    uint32_t i;
    int at;

    for (i = s->derived_count; i-- > 0;) {
        if (strcmp(s->derived[i].name, name) != 0)
            continue;
        op_add(b, OP_DERIVED)->index = i;
        label_raise(b, s->derived[i].label);
        return result(b, 0, s->derived[i].type);
    }
    at = s->schema ? scope_find(s->schema, name) : -1;
    if (at >= 0)
        return column_of_schema(b, at);
    if (!n->what && strcmp(name, "time") == 0) {
        op_add(b, OP_TIME);
        label_raise(b, s->time_label);
        return result(b, 0, AFF_TIME);
    }
    return column_unknown(b, name);
}

/* A bare `missing` has no place where only a value gives a result. */
static int not_missing(struct binder *b, uint32_t count, const char *who)
{
    uint32_t i;

    for (i = 0; i < count; i++)
        if (*type_at(b, i) == TYPE_MISSING)
            return fault_set(b->fault, b->at, "%s with missing gives always missing; write is_missing(x), or x ?? y "
                             "for a value in its place", who);
    return 0;
}

static int bind_logic(struct binder *b, enum expr_operator operator, uint32_t args)
{
    static const char *const sides[] = { "right side", "left side" };
    uint32_t i;

    for (i = args; i-- > 0;) {
        uint8_t type = *type_at(b, i);

        if (type == AFF_BOOL || type == TYPE_MISSING)
            continue;
        return fault_set(b->fault, b->at, "%s needs true or false; its %s is %s; expected a comparison, such as x > 0",
                         operator_name(operator), args == 1 ? "value" : sides[i], type_name(type));
    }
    op_add(b, operator == OPERATOR_NOT ? OP_NOT : operator == OPERATOR_AND ? OP_AND : OP_OR);
    return result(b, args, AFF_BOOL);
}

/* The operation for a type, out of three that follow one another: R, I, S. */
static enum op_code code_for(enum op_code real, uint8_t type)
{
    return type == AFF_REAL ? real : type == AFF_TEXT ? real + 2 : real + 1;
}

static int bind_compare(struct binder *b, enum expr_operator operator)
{
    const char *name = operator_name(operator);
    int type = not_missing(b, 2, name);

    if (type == 0)
        type = common(b, 2, name);
    if (type < 0)
        return -1;
    if (type == AFF_BOOL && operator != OPERATOR_EQ && operator != OPERATOR_NE)
        return fault_set(b->fault, b->at, "%s has no meaning for true and false; expected = or !=", name);
    op_add(b, code_for(OP_COMPARE_R, (uint8_t)type))->what = (uint8_t)operator;
    return result(b, 2, AFF_BOOL);
}

static int bind_between(struct binder *b)
{
    int type = not_missing(b, 3, "between");

    if (type == 0)
        type = common(b, 3, "between");
    if (type < 0)
        return -1;
    if (type == AFF_BOOL)
        return fault_set(b->fault, b->at, "between has no meaning for true and false; expected numbers, times or texts");
    op_add(b, code_for(OP_BETWEEN_R, (uint8_t)type));
    return result(b, 3, AFF_BOOL);
}

static int bind_in(struct binder *b, uint32_t args)
{
    int type = not_missing(b, args, "in");

    if (type == 0)
        type = common(b, args, "in");
    if (type < 0)
        return -1;
    op_add(b, code_for(OP_IN_R, (uint8_t)type))->args = (uint16_t)args;
    return result(b, args, AFF_BOOL);
}

/* time - time is seconds; time + seconds, time - seconds are times. */
static int bind_time(struct binder *b, enum expr_operator operator)
{
    uint8_t left = *type_at(b, 1), right = *type_at(b, 0);

    if (operator == OPERATOR_SUB && left == AFF_TIME && right == AFF_TIME) {
        op_add(b, OP_TIME_SPAN);
        return result(b, 2, AFF_REAL);
    }
    if (left != AFF_TIME || !type_is_number(right) || (operator != OPERATOR_ADD && operator != OPERATOR_SUB))
        return fault_set(b->fault, b->at, "%s between %s and %s; expected time - time, which is seconds, or a time "
                         "+ or - seconds", operator_name(operator), type_name(left), type_name(right));
    to_real(b, 0);
    op_add(b, OP_TIME_SHIFT)->what = (uint8_t)operator;
    return result(b, 2, AFF_TIME);
}

static int bind_arithmetic(struct binder *b, enum expr_operator operator)
{
    uint8_t left, right, wrong;
    bool is_real = operator == OPERATOR_DIV || operator == OPERATOR_POW;

    if (not_missing(b, 2, operator_name(operator)) < 0)
        return -1;
    left = *type_at(b, 1);
    right = *type_at(b, 0);
    if (left == AFF_TIME || right == AFF_TIME)
        return bind_time(b, operator);
    wrong = type_is_number(left) ? right : left;
    if (!type_is_number(wrong))
        return fault_set(b->fault, b->at, "%s needs numbers; its %s side is %s; expected a number",
                         operator_name(operator), wrong == left && !type_is_number(left) ? "left" : "right",
                         type_name(wrong));
    is_real = is_real || left == AFF_REAL || right == AFF_REAL;
    if (is_real) {
        to_real(b, 1);
        to_real(b, 0);
    }
    op_add(b, is_real ? OP_ARITH_R : OP_ARITH_I)->what = (uint8_t)operator;
    return result(b, 2, is_real ? AFF_REAL : AFF_INT);
}

static int bind_negative(struct binder *b)
{
    uint8_t type = *type_at(b, 0);

    if (not_missing(b, 1, "-") < 0)
        return -1;
    if (!type_is_number(type))
        return fault_set(b->fault, b->at, "- before %s; expected a number", type_name(type));
    op_add(b, type == AFF_REAL ? OP_NEG_R : OP_NEG_I);
    return result(b, 1, type);
}

static int bind_else(struct binder *b)
{
    int type = common(b, 2, "??");

    if (type < 0)
        return -1;
    op_add(b, OP_ELSE);
    return result(b, 2, (uint8_t)type);
}

static int bind_binary(struct binder *b, enum expr_operator operator)
{
    if (operator == OPERATOR_AND || operator == OPERATOR_OR)
        return bind_logic(b, operator, 2);
    if (operator >= OPERATOR_EQ && operator <= OPERATOR_GE)
        return bind_compare(b, operator);
    return operator == OPERATOR_ELSE ? bind_else(b) : bind_arithmetic(b, operator);
}

static int bind_node(struct binder *b, const struct expr_node *n)
{
    b->at = n->at;
    switch (n->kind) {
    case NODE_COLUMN: return bind_column(b, n);
    case NODE_UNARY: return n->what == OPERATOR_NOT ? bind_logic(b, OPERATOR_NOT, 1) : bind_negative(b);
    case NODE_BINARY: return bind_binary(b, n->what);
    case NODE_BETWEEN: return bind_between(b);
    case NODE_IN: return bind_in(b, n->args);
    case NODE_CALL: return bind_call(b, n);
    default: return bind_constant(b, n);
    }
}

int expr_bind(const struct expr *e, const struct expr_scope *scope, struct expr_program *program,
              struct expr_fault *fault)
{
    struct binder b;
    uint32_t i;

    b.e = e;
    b.scope = scope;
    b.program = program;
    b.fault = fault;
    b.depth = 0;
    program->count = 0;
    program->label = AFF_LABEL_NONE;
    for (i = 0; i < e->count; i++)
        if (bind_node(&b, &e->nodes[i]) < 0)
            return -1;
    program->type = b.types[0];
    if (program->type == TYPE_MISSING)
        return fault_set(fault, 1, "the value is always missing; expected an expression with a value");
    return 0;
}
