/* SPDX-License-Identifier: Apache-2.0
 *
 * plan.h - what the options say, and what that means for one schema.
 *
 * `rules` are the options with their expressions parsed, made once. A `plan` is
 * the rules bound to one schema of input rows: a program per expression and,
 * where columns change, which ones go out. `check` and `run` make it by the same
 * functions.
 *
 * Not here: rows (op_where.c), labels and ports of the outputs (shape.c). */
#ifndef OP_WHERE_PLAN_H
#define OP_WHERE_PLAN_H

#include "expr.h"

enum { OTHERWISE_DROP, OTHERWISE_REST };
enum { DERIVE_MAX = 256 };

struct derive_config {
    const char *name, *value, *unit, *code;
};

struct config {
    const char *where; /* NULL: all rows */
    int32_t otherwise;
    struct aff_list derive; /* struct derive_config */
    struct aff_list keep;   /* const char * */
    struct aff_list drop;   /* const char * */
};

const struct derive_config *config_derive(const struct config *c, uint32_t i);
const char *config_name(const struct aff_list *list, uint32_t i);
/* Whether rows are made anew. */
bool config_rewrites(const struct config *c);

/* What the options say by themselves: rules across them, and the grammar of all
 * expressions. Calls `say` for each fault. 0, or -1 after one. */
typedef void (*fault_say)(void *context, const struct expr_fault *fault);
int config_check(const struct config *c, fault_say say, void *context);

struct rules {
    const struct config *config;
    struct expr *exprs; /* as many as are derived, then `where` if there is one */
    uint32_t count;
    uint32_t derived;
    uint32_t ops;   /* room for all programs */
    uint32_t stack; /* values that the largest expression needs */
};

/* Memory of the host; where `host` is NULL (at `check`) of the C library. */
void *rules_take(const struct aff_host *host, size_t size);
void rules_give(const struct aff_host *host, void *memory);

/* Of options that config_check found good. NULL: no memory. One block. */
struct rules *rules_new(const struct aff_host *host, const struct config *config);

#define FROM_DERIVED 0x8000u /* in `from`: not a column of the input */

struct plan {
    const struct rules *rules;
    uint32_t columns_in, columns_out;
    uint16_t *from; /* for each column that goes out */
    struct expr_program *programs;
    struct expr_derived *derived;
    struct expr_op *ops;
};

/* One block, reused for one schema after another. */
struct plan *plan_new(const struct aff_host *host, const struct rules *rules);

/* 0, or -1 with the first fault. `schema` NULL: open. */
int plan_bind(struct plan *plan, const struct expr_scope *scope, struct expr_fault *fault);

/* The schema of the rows that go out. `columns` has room for EXPR_COLUMNS_MAX;
 * the schema points there and into `in`. */
struct aff_schema plan_schema(const struct plan *plan, const struct aff_schema *in, struct aff_column *columns);

#endif
