/* SPDX-License-Identifier: Apache-2.0
 *
 * run.c - a program on one row.
 *
 * Operations from first to last, no jumps: both sides of `and`, `or`, `if` and
 * `??` are always worked out, which is safe since nothing has an effect. What is
 * missing, no number, infinite or beyond 64 bits is missing from there on, but
 * for and, or (Kleene 1938: false and missing is false), ??, is_missing. */
#include "expr.h"

#include <math.h>
#include <string.h>

#include "ops.h"

#define NS_PER_S 1e9

bool cell_load(const struct expr_row *row, uint32_t column, uint8_t type, struct expr_value *ret)
{
    memset(ret, 0, sizeof *ret);
    ret->has = aff_row_has(row->record, column);
    if (!ret->has)
        return true;
    switch (type) {
    case AFF_REAL:
        ret->of.real = aff_row_real(row->record, row->columns, column);
        ret->has = isfinite(ret->of.real);
        return true;
    case AFF_TEXT:
        ret->of.text = aff_row_text(row->record, row->columns, column, &ret->length);
        return ret->of.text != NULL;
    default:
        ret->of.integer = aff_row_int(row->record, row->columns, column);
        if (type == AFF_BOOL)
            ret->of.integer = ret->of.integer != 0;
        return true;
    }
}

/* ---- one and two values ---- */

static void real_put(struct expr_value *v, double real, bool has)
{
    v->of.real = real;
    v->has = has && isfinite(real);
}

static void bool_put(struct expr_value *v, bool value, bool has)
{
    v->of.integer = value;
    v->has = has;
    v->folded = false;
}

static void arith_real(uint8_t operator, struct expr_value *a, const struct expr_value *b)
{
    double x = a->of.real, y = b->of.real;
    bool has = a->has && b->has;

    if (!has) {
        a->has = false;
        return;
    }
    switch (operator) {
    case OPERATOR_ADD: real_put(a, x + y, has); break;
    case OPERATOR_SUB: real_put(a, x - y, has); break;
    case OPERATOR_MUL: real_put(a, x * y, has); break;
    case OPERATOR_DIV: real_put(a, y < 0 || y > 0 ? x / y : (double)NAN, has); break;
    case OPERATOR_MOD: real_put(a, y < 0 || y > 0 ? fmod(x, y) : (double)NAN, has); break;
    default: real_put(a, pow(x, y), has); break;
    }
}

static void arith_int(uint8_t operator, struct expr_value *a, const struct expr_value *b)
{
    int64_t x = a->of.integer, y = b->of.integer;

    a->has = a->has && b->has;
    if (!a->has)
        return;
    switch (operator) {
    case OPERATOR_ADD: a->has = !__builtin_add_overflow(x, y, &a->of.integer); break;
    case OPERATOR_SUB: a->has = !__builtin_sub_overflow(x, y, &a->of.integer); break;
    case OPERATOR_MUL: a->has = !__builtin_mul_overflow(x, y, &a->of.integer); break;
    default:
        a->has = y != 0;
        a->of.integer = y == 0 || y == -1 ? 0 : x % y;
        break;
    }
}

static void time_shift(uint8_t operator, struct expr_value *a, const struct expr_value *b)
{
    double ns = rint(b->of.real * NS_PER_S);

    a->has = a->has && b->has && ns > -9.2e18 && ns < 9.2e18;
    if (!a->has)
        return;
    if (operator == OPERATOR_ADD)
        a->has = !__builtin_add_overflow(a->of.integer, (int64_t)ns, &a->of.integer);
    else
        a->has = !__builtin_sub_overflow(a->of.integer, (int64_t)ns, &a->of.integer);
}

static void time_span(struct expr_value *a, const struct expr_value *b)
{
    int64_t ns = 0;
    bool fits = a->has && b->has && !__builtin_sub_overflow(a->of.integer, b->of.integer, &ns);

    real_put(a, (double)ns / NS_PER_S, fits);
}

/* ---- comparing ---- */

static int order_real(const struct expr_value *a, const struct expr_value *b)
{
    return (a->of.real > b->of.real) - (a->of.real < b->of.real);
}

static int order_int(const struct expr_value *a, const struct expr_value *b)
{
    return (a->of.integer > b->of.integer) - (a->of.integer < b->of.integer);
}

/* `count` bytes of two texts, from `from` in the first. */
static int order_bytes(const struct expr_value *a, uint32_t from, const struct expr_value *b, uint32_t count)
{
    uint32_t i;

    if (!a->folded && !b->folded)
        return count ? memcmp(a->of.text + from, b->of.text, count) : 0;
    for (i = 0; i < count; i++) {
        unsigned char x = (unsigned char)folded_at(a, from + i), y = (unsigned char)folded_at(b, i);

        if (x != y)
            return x < y ? -1 : 1;
    }
    return 0;
}

static int order_text(const struct expr_value *a, const struct expr_value *b)
{
    int order = order_bytes(a, 0, b, a->length < b->length ? a->length : b->length);

    return order ? order : (a->length > b->length) - (a->length < b->length);
}

typedef int (*order_fn)(const struct expr_value *a, const struct expr_value *b);

static order_fn order_of(uint8_t code, uint8_t first)
{
    return code == first ? order_real : code == first + 1 ? order_int : order_text;
}

static bool relation_holds(uint8_t operator, int order)
{
    switch (operator) {
    case OPERATOR_EQ: return order == 0;
    case OPERATOR_NE: return order != 0;
    case OPERATOR_LT: return order < 0;
    case OPERATOR_LE: return order <= 0;
    case OPERATOR_GT: return order > 0;
    default: return order >= 0;
    }
}

static void compare(const struct expr_op *op, struct expr_value *a, const struct expr_value *b)
{
    bool has = a->has && b->has;

    bool_put(a, has && relation_holds(op->what, order_of(op->code, OP_COMPARE_R)(a, b)), has);
}

static void both(struct expr_value *a, const struct expr_value *b)
{
    bool is_false = (a->has && !a->of.integer) || (b->has && !b->of.integer);

    bool_put(a, !is_false, is_false || (a->has && b->has));
}

static void either(struct expr_value *a, const struct expr_value *b)
{
    bool is_true = (a->has && a->of.integer) || (b->has && b->of.integer);

    bool_put(a, is_true, is_true || (a->has && b->has));
}

/* x >= low and x <= high, with what is missing in them. */
static void between(const struct expr_op *op, struct expr_value *x)
{
    order_fn order = order_of(op->code, OP_BETWEEN_R);
    struct expr_value low = x[1], high = x[2];

    bool_put(&low, x[0].has && x[1].has && order(&x[0], &x[1]) >= 0, x[0].has && x[1].has);
    bool_put(&high, x[0].has && x[2].has && order(&x[0], &x[2]) <= 0, x[0].has && x[2].has);
    x[0] = low;
    both(&x[0], &high);
}

static void in(const struct expr_op *op, struct expr_value *x)
{
    order_fn order = order_of(op->code, OP_IN_R);
    bool all = x[0].has, found = false;
    uint32_t i;

    for (i = 1; i < op->args; i++) {
        all = all && x[i].has;
        found = found || (x[0].has && x[i].has && order(&x[0], &x[i]) == 0);
    }
    bool_put(&x[0], found, found || all);
}

static void extreme(const struct expr_op *op, struct expr_value *x)
{
    bool is_real = op->code == OP_LEAST_R || op->code == OP_MOST_R;
    int wanted = op->code == OP_MOST_R || op->code == OP_MOST_I ? 1 : -1;
    bool all = x[0].has;
    uint32_t i, best = 0;

    for (i = 1; i < op->args; i++) {
        all = all && x[i].has;
        if (all && (is_real ? order_real : order_int)(&x[i], &x[best]) == wanted)
            best = i;
    }
    x[0] = x[best];
    x[0].has = all;
}

/* ---- functions ---- */

static void math(uint8_t function, struct expr_value *v)
{
    double x = v->of.real;

    if (!v->has)
        return;
    switch (function) {
    case CALL_ABS: real_put(v, fabs(x), true); break;
    case CALL_CEIL: real_put(v, ceil(x), true); break;
    case CALL_EXP: real_put(v, exp(x), true); break;
    case CALL_FLOOR: real_put(v, floor(x), true); break;
    case CALL_LOG: real_put(v, log(x), x > 0); break;
    default: real_put(v, sqrt(x), x >= 0); break;
    }
}

/* Halves away from zero, as C's round: of the binary number, so that 1.005 to
 * two digits is 1.00. */
static void round_to(struct expr_value *v, int64_t digits)
{
    double scale = 1, x = v->of.real, scaled;
    int64_t i;

    if (!v->has)
        return;
    for (i = digits < 0 ? -digits : digits; i > 0; i--)
        scale *= 10;
    if (digits < 0) {
        real_put(v, round(x / scale) * scale, true);
        return;
    }
    scaled = round(x * scale);
    if (isfinite(scaled)) /* else it has no digits behind the point */
        real_put(v, scaled / scale, true);
}

/* Characters of UTF-8. */
static void length(struct expr_value *v)
{
    int64_t n = 0;
    uint32_t i;

    for (i = 0; v->has && i < v->length; i++)
        n += ((unsigned char)v->of.text[i] & 0xc0) != 0x80;
    v->of.integer = n;
    v->folded = false;
}

static void starts(struct expr_value *a, const struct expr_value *b, bool at_end)
{
    bool has = a->has && b->has, fits = has && b->length <= a->length;

    bool_put(a, fits && order_bytes(a, at_end ? a->length - b->length : 0, b, b->length) == 0, has);
}

/* Knuth, Morris, Pratt 1977: as many steps as the text has bytes. */
static void contains(const struct expr_op *op, struct expr_value *v)
{
    uint32_t i, k = 0;

    for (i = 0; v->has && i < v->length && k < op->index; i++) {
        char c = folded_at(v, i);

        while (k > 0 && c != op->of.text[k])
            k = op->fails[k - 1];
        k += c == op->of.text[k];
    }
    bool_put(v, k == op->index, v->has);
}

/* ---- the machine ---- */

static bool value_push(const struct expr_op *op, const struct expr_row *row, struct expr_value *v)
{
    if (op->code == OP_COLUMN)
        return cell_load(row, op->index, op->what, v);
    memset(v, 0, sizeof *v);
    v->has = true;
    switch (op->code) {
    case OP_CONST_R: v->of.real = op->of.real; break;
    case OP_CONST_I: v->of.integer = op->of.integer; break;
    case OP_CONST_S:
        v->of.text = op->of.text;
        v->length = op->index;
        break;
    case OP_DERIVED: *v = row->derived[op->index]; break;
    case OP_TIME: v->of.integer = row->record->event_ns; break;
    default: v->has = false; break;
    }
    return true;
}

/* Operations that change the upper value where it is. */
static void run_one(const struct expr_op *op, struct expr_value *top)
{
    struct expr_value *v = top - op->index * (op->code == OP_TO_REAL);

    switch (op->code) {
    case OP_TO_REAL: real_put(v, (double)v->of.integer, v->has); break;
    case OP_NEG_R: v->of.real = -v->of.real; break;
    case OP_NEG_I: v->has = v->has && !__builtin_sub_overflow((int64_t)0, v->of.integer, &v->of.integer); break;
    case OP_NOT: v->of.integer = !v->of.integer; break;
    case OP_IS_MISSING: bool_put(v, !v->has, true); break;
    case OP_ABS_I:
        if (v->of.integer < 0)
            v->has = v->has && !__builtin_sub_overflow((int64_t)0, v->of.integer, &v->of.integer);
        break;
    case OP_MATH_R: math(op->what, v); break;
    case OP_ROUND: round_to(v, op->of.integer); break;
    case OP_LOWER: v->folded = true; break;
    case OP_LENGTH: length(v); break;
    default: contains(op, v); break;
    }
}

/* Operations on the two upper values; the result takes the place of the first. */
static void run_two(const struct expr_op *op, struct expr_value *a)
{
    const struct expr_value *b = a + 1;

    switch (op->code) {
    case OP_ARITH_R: arith_real(op->what, a, b); break;
    case OP_ARITH_I: arith_int(op->what, a, b); break;
    case OP_TIME_SHIFT: time_shift(op->what, a, b); break;
    case OP_TIME_SPAN: time_span(a, b); break;
    case OP_AND: both(a, b); break;
    case OP_OR: either(a, b); break;
    case OP_ELSE:
        if (!a->has)
            *a = *b;
        break;
    case OP_STARTS: starts(a, b, false); break;
    case OP_ENDS: starts(a, b, true); break;
    default: compare(op, a, b); break;
    }
}

static void choose(struct expr_value *x)
{
    bool has = x[0].has;

    x[0] = has && x[0].of.integer ? x[1] : x[2];
    x[0].has = x[0].has && has;
}

/* How many values an operation takes. */
static uint32_t takes(const struct expr_op *op)
{
    if (op->code <= OP_TIME)
        return 0;
    if ((op->code >= OP_ARITH_R && op->code <= OP_COMPARE_S) || (op->code >= OP_AND && op->code <= OP_ELSE) ||
        op->code == OP_STARTS || op->code == OP_ENDS)
        return 2;
    if ((op->code >= OP_BETWEEN_R && op->code <= OP_BETWEEN_S) || op->code == OP_IF)
        return 3;
    if (op->code >= OP_IN_R && op->code <= OP_MOST_I)
        return op->args;
    return 1;
}

static void run_many(const struct expr_op *op, struct expr_value *x)
{
    if (op->code == OP_IF)
        choose(x);
    else if (op->code >= OP_LEAST_R)
        extreme(op, x);
    else if (op->code >= OP_IN_R)
        in(op, x);
    else
        between(op, x);
}

bool expr_run(const struct expr_program *program, const struct expr_row *row, struct expr_value *stack)
{
    struct expr_value *top = stack; /* the next free place */
    const struct expr_op *op = program->ops, *end = op + program->count;
    uint32_t count;

    for (; op < end; op++) {
        count = takes(op);
        top -= count;
        if (count == 0) {
            if (!value_push(op, row, top))
                return false;
        } else if ((op->code >= OP_BETWEEN_R && op->code <= OP_MOST_I) || op->code == OP_IF) {
            run_many(op, top);
        } else if (count == 2) {
            run_two(op, top);
        } else {
            run_one(op, top);
        }
        top++;
    }
    return true;
}
