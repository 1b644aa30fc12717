/* SPDX-License-Identifier: Apache-2.0
 *
 * bind_call.c - the functions: what they take and what they give.
 *
 * A second value of round, and what contains looks for, are written out in the
 * expression: digits can then be checked, and the search needs no memory. */
#include "bind.h"

enum { DIGITS_MAX = 15 };

static const char *name_of(const struct expr_node *n)
{
    return expr_about(n->what)->name;
}

/* Whether all values of the call are of this type. */
static int needs(struct binder *b, const struct expr_node *n, uint8_t type)
{
    uint32_t i;

    for (i = n->args; i-- > 0;) {
        uint8_t found = *type_at(b, i);

        if (found == type || (type == AFF_REAL && found == AFF_INT))
            continue;
        return fault_set(b->fault, b->at, "%s is given %s; expected %s", name_of(n), type_name(found), type_name(type));
    }
    return 0;
}

/* What starts_with and its kind compare with a text. */
static int bind_text(struct binder *b, const struct expr_node *n)
{
    struct expr_op sought;

    if (needs(b, n, AFF_TEXT) < 0)
        return -1;
    if (n->what == CALL_LOWER || n->what == CALL_LENGTH) {
        op_add(b, n->what == CALL_LOWER ? OP_LOWER : OP_LENGTH);
        return result(b, 1, n->what == CALL_LOWER ? AFF_TEXT : AFF_INT);
    }
    if (n->what != CALL_CONTAINS) {
        op_add(b, n->what == CALL_STARTS_WITH ? OP_STARTS : OP_ENDS);
        return result(b, 2, AFF_BOOL);
    }
    sought = b->program->ops[b->program->count - 1];
    if (sought.code != OP_CONST_S)
        return fault_set(b->fault, b->at, "contains looks for something that is not written out; expected a text "
                         "between quotes as its second value");
    b->program->count--;
    *op_add(b, OP_CONTAINS) = sought;
    b->program->ops[b->program->count - 1].code = OP_CONTAINS;
    return result(b, 2, AFF_BOOL);
}

/* The number of digits was the last thing put on the stack. */
static int digits_take(struct binder *b, int64_t *ret_digits)
{
    struct expr_program *p = b->program;
    struct expr_op *last = &p->ops[p->count - 1];
    bool is_negative = last->code == OP_NEG_I;

    if (is_negative)
        last--;
    if (last->code != OP_CONST_I || *type_at(b, 0) != AFF_INT || last->of.integer > DIGITS_MAX)
        return fault_set(b->fault, b->at, "round needs its digits written out; expected a whole number from -%d to %d",
                         DIGITS_MAX, DIGITS_MAX);
    *ret_digits = is_negative ? -last->of.integer : last->of.integer;
    p->count -= is_negative ? 2u : 1u;
    b->depth--;
    return 0;
}

static int bind_round(struct binder *b, const struct expr_node *n)
{
    int64_t digits = 0;

    if (needs(b, n, AFF_REAL) < 0 || (n->args == 2 && digits_take(b, &digits) < 0))
        return -1;
    if (*type_at(b, 0) == AFF_INT && digits >= 0)
        return 0;
    to_real(b, 0);
    op_add(b, OP_ROUND)->of.integer = digits;
    return result(b, 1, AFF_REAL);
}

static int bind_math(struct binder *b, const struct expr_node *n)
{
    bool stays_whole = n->what == CALL_FLOOR || n->what == CALL_CEIL;

    if (needs(b, n, AFF_REAL) < 0)
        return -1;
    if (*type_at(b, 0) == AFF_INT && stays_whole)
        return 0;
    if (*type_at(b, 0) == AFF_INT && n->what == CALL_ABS) {
        op_add(b, OP_ABS_I);
        return 0;
    }
    to_real(b, 0);
    op_add(b, OP_MATH_R)->what = n->what;
    return result(b, 1, AFF_REAL);
}

static int bind_extreme(struct binder *b, const struct expr_node *n)
{
    int type = common(b, n->args, name_of(n));
    bool is_real = type == AFF_REAL;
    uint32_t i;

    if (type < 0)
        return -1;
    for (i = 0; i < n->args; i++)
        if (*type_at(b, i) == TYPE_MISSING)
            return fault_set(b->fault, b->at, "%s with missing gives always missing; leave it out", name_of(n));
    if (!type_is_number((uint8_t)type) && type != AFF_TIME)
        return fault_set(b->fault, b->at, "%s is given %s; expected numbers or times", name_of(n),
                         type_name((uint8_t)type));
    if (n->what == CALL_MIN)
        op_add(b, is_real ? OP_LEAST_R : OP_LEAST_I)->args = n->args;
    else
        op_add(b, is_real ? OP_MOST_R : OP_MOST_I)->args = n->args;
    return result(b, n->args, (uint8_t)type);
}

static int bind_if(struct binder *b)
{
    uint8_t condition = *type_at(b, 2);
    int type;

    if (condition != AFF_BOOL)
        return fault_set(b->fault, b->at, "if begins with %s; expected a condition, such as if(x > 0, a, b)",
                         type_name(condition));
    type = common(b, 2, "if");
    if (type < 0)
        return -1;
    op_add(b, OP_IF);
    return result(b, 3, (uint8_t)type);
}

int bind_call(struct binder *b, const struct expr_node *n)
{
    switch (n->what) {
    case CALL_IF: return bind_if(b);
    case CALL_IS_MISSING:
        op_add(b, OP_IS_MISSING);
        return result(b, 1, AFF_BOOL);
    case CALL_MIN:
    case CALL_MAX: return bind_extreme(b, n);
    case CALL_ROUND: return bind_round(b, n);
    case CALL_CONTAINS:
    case CALL_STARTS_WITH:
    case CALL_ENDS_WITH:
    case CALL_LOWER:
    case CALL_LENGTH: return bind_text(b, n);
    default: return bind_math(b, n);
    }
}
