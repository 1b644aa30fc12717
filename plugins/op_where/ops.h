/* SPDX-License-Identifier: Apache-2.0
 *
 * ops.h - the operations of a bound program, between bind.c and run.c.
 *
 * Each takes its arguments from the top of a stack of values and leaves one.
 * Types are in the name: R real, I integer (also true/false and times), S text. */
#ifndef OP_WHERE_OPS_H
#define OP_WHERE_OPS_H

enum op_code {
    OP_CONST_R,
    OP_CONST_I,
    OP_CONST_S,
    OP_MISSING,
    OP_COLUMN, /* what: type */
    OP_DERIVED,
    OP_TIME,
    OP_TO_REAL, /* the value `index` below the top */
    OP_NEG_R,
    OP_NEG_I,
    OP_ARITH_R, /* what: operator */
    OP_ARITH_I,
    OP_TIME_SHIFT, /* time and seconds; what: OPERATOR_ADD or OPERATOR_SUB */
    OP_TIME_SPAN,  /* two times, in seconds */
    OP_COMPARE_R,  /* what: operator */
    OP_COMPARE_I,
    OP_COMPARE_S,
    OP_BETWEEN_R,
    OP_BETWEEN_I,
    OP_BETWEEN_S,
    OP_IN_R,
    OP_IN_I,
    OP_IN_S,
    OP_LEAST_R,
    OP_LEAST_I,
    OP_MOST_R,
    OP_MOST_I,
    OP_NOT,
    OP_AND,
    OP_OR,
    OP_ELSE,
    OP_IF,
    OP_IS_MISSING,
    OP_ABS_I,
    OP_MATH_R, /* what: function */
    OP_ROUND,  /* integer: digits */
    OP_LOWER,
    OP_LENGTH,
    OP_STARTS,
    OP_ENDS,
    OP_CONTAINS /* text, index, fails: what is sought */
};

#endif
