/* SPDX-License-Identifier: Apache-2.0
 *
 * expr.h - expressions over the columns of a row: from text to a value.
 *
 * Three steps. `expr_parse` turns text into nodes in postfix order, once.
 * `expr_bind` gives these nodes columns and types, once per schema, and makes a
 * program without branches. `expr_run` runs that on one row. Each step is one
 * pass over an array; only the parser recurses, and it counts how deep.
 *
 * Not here: rows that are made of the values (plan.h), the plugin (op_where.c). */
#ifndef OP_WHERE_EXPR_H
#define OP_WHERE_EXPR_H

#include <afferent/plugin.h>

#include <stdbool.h>

enum {
    EXPR_LENGTH_MAX = 4096, /* bytes of an expression */
    EXPR_NODES_MAX = 1024,  /* values and operations in it */
    EXPR_DEPTH_MAX = 64,    /* parentheses within parentheses */
    EXPR_COLUMNS_MAX = 1024 /* of a schema */
};

/* Why an expression is refused. `at` counts characters from 1; 0: no place. */
struct expr_fault {
    char option[32]; /* "where", "derive[0].value": by whoever knows it */
    uint32_t at;
    bool needs_columns; /* only because the columns are not known yet */
    char text[480];
};

__attribute__((format(printf, 3, 4)))
int fault_set(struct expr_fault *fault, uint32_t at, const char *format, ...);

/* ---- nodes ---- */

enum expr_kind {
    NODE_INT,
    NODE_REAL,
    NODE_TEXT,
    NODE_BOOL,
    NODE_MISSING,
    NODE_COLUMN,
    NODE_UNARY, /* what: '-' or OPERATOR_NOT */
    NODE_BINARY,
    NODE_BETWEEN, /* x, low, high */
    NODE_IN,      /* x, then what it may be */
    NODE_CALL     /* what: enum expr_function */
};

enum expr_operator {
    OPERATOR_OR,
    OPERATOR_AND,
    OPERATOR_NOT,
    OPERATOR_EQ,
    OPERATOR_NE,
    OPERATOR_LT,
    OPERATOR_LE,
    OPERATOR_GT,
    OPERATOR_GE,
    OPERATOR_ELSE, /* ?? */
    OPERATOR_ADD,
    OPERATOR_SUB,
    OPERATOR_MUL,
    OPERATOR_DIV,
    OPERATOR_MOD,
    OPERATOR_POW
};

enum expr_function {
    CALL_ABS,
    CALL_CEIL,
    CALL_CONTAINS,
    CALL_ENDS_WITH,
    CALL_EXP,
    CALL_FLOOR,
    CALL_IF,
    CALL_IS_MISSING,
    CALL_LENGTH,
    CALL_LOG,
    CALL_LOWER,
    CALL_MAX,
    CALL_MIN,
    CALL_ROUND,
    CALL_SQRT,
    CALL_STARTS_WITH,
    CALLS
};

struct expr_about { /* of a function */
    const char *name;
    uint8_t least, most; /* arguments */
};
const struct expr_about *expr_about(enum expr_function function);
const char *operator_name(enum expr_operator operator);

struct expr_node {
    uint8_t kind;
    uint8_t what;
    uint16_t args; /* of IN and CALL, all that lie below it */
    uint16_t at;   /* where it stands in the text, in characters from 1 */
    union {
        int64_t integer; /* INT, BOOL */
        double real;
        struct {
            uint16_t from, length; /* TEXT, COLUMN: in texts, ended by a zero */
        } text;
    } of;
};

/* A parsed expression. Borrows its arrays. `fails` lies beside `texts`: where a
 * search for the text goes on after a mismatch (Knuth, Morris, Pratt 1977). */
struct expr {
    const struct expr_node *nodes;
    const char *texts;
    const uint16_t *fails;
    uint32_t count;
    uint32_t text_bytes;
};

/* Room for any expression: 40 KiB, good for a stack. */
struct expr_draft {
    struct expr_node nodes[EXPR_NODES_MAX];
    char texts[2 * EXPR_LENGTH_MAX + 2];
    uint16_t fails[2 * EXPR_LENGTH_MAX + 2];
    uint32_t count, used;
};

/* 0, or -1 with a fault. Allocates nothing. */
int expr_parse(const char *text, struct expr_draft *draft, struct expr_fault *fault);
struct expr expr_of(const struct expr_draft *draft);

/* ---- columns and types ---- */

/* A column that was derived before. */
struct expr_derived {
    const char *name;
    uint8_t type, label;
};

/* What an expression may name. */
struct expr_scope {
    const struct aff_schema *schema; /* NULL: open, no column can be named */
    const struct expr_derived *derived;
    uint32_t derived_count;
    uint8_t time_label;
    bool lists_columns; /* a fault may list what there is (at `check` only) */
};

const struct aff_column *scope_column(const struct aff_schema *schema, uint32_t i);
/* The column's place in the schema; -1 for none. */
int scope_find(const struct aff_schema *schema, const char *name);
/* Adds "; expected one of ...; did you mean x?" to a fault. */
void scope_advise(struct expr_fault *fault, const struct expr_scope *scope, const char *name);

struct expr_op {
    uint8_t code; /* enum op_code */
    uint8_t what;
    uint16_t args;
    uint32_t index; /* column, derived value, length of a text */
    union {
        int64_t integer;
        double real;
        const char *text;
    } of;
    const uint16_t *fails;
};

struct expr_program {
    struct expr_op *ops;
    uint32_t count;
    uint8_t type;  /* AFF_REAL ... of its value */
    uint8_t label; /* the highest of what it reads */
};

/* Most operations that a program of so many nodes has. */
#define EXPR_OPS(nodes) (2u * (nodes))

/* Fills `program`, whose ops have room for EXPR_OPS(e->count); they borrow texts
 * of `e`. 0, or -1 with a fault. */
int expr_bind(const struct expr *e, const struct expr_scope *scope, struct expr_program *program,
              struct expr_fault *fault);

/* ---- values ---- */

struct expr_value {
    union {
        double real;
        int64_t integer; /* INT, BOOL, TIME */
        const char *text;
    } of;
    uint32_t length; /* of a text */
    bool has;        /* not missing */
    bool folded;     /* a text to be read in small letters (ASCII) */
};

static inline char folded_at(const struct expr_value *v, uint32_t i)
{
    char c = v->of.text[i];

    return v->folded && c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

struct expr_row {
    const struct aff_record *record;
    uint32_t columns;
    const struct expr_value *derived;
};

/* A cell as a value; false when its text lies outside of the row. Numbers that
 * are no finite numbers are missing. */
bool cell_load(const struct expr_row *row, uint32_t column, uint8_t type, struct expr_value *ret);

/* The value of a program, in stack[0], which has room for as many values as the
 * expression has nodes. False when the row is broken. */
bool expr_run(const struct expr_program *program, const struct expr_row *row, struct expr_value *stack);

#endif
