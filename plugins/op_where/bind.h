/* SPDX-License-Identifier: Apache-2.0
 *
 * bind.h - what bind.c and bind_call.c share: the types on the stack. */
#ifndef OP_WHERE_BIND_H
#define OP_WHERE_BIND_H

#include "expr.h"
#include "ops.h"

#define TYPE_MISSING 0 /* of the word `missing`; else AFF_REAL ... AFF_TEXT */

struct binder {
    const struct expr *e;
    const struct expr_scope *scope;
    struct expr_program *program;
    struct expr_fault *fault;
    uint32_t at;    /* of the node at hand */
    uint32_t depth; /* values on the stack */
    uint8_t types[EXPR_NODES_MAX];
};

static inline bool type_is_number(uint8_t type)
{
    return type == AFF_REAL || type == AFF_INT;
}

/* "a number", "a text" ... */
const char *type_name(uint8_t type);
uint8_t *type_at(struct binder *b, uint32_t below_top);
struct expr_op *op_add(struct binder *b, enum op_code code);
/* Replaces the upper `args` values by one of this type. */
int result(struct binder *b, uint32_t args, uint8_t type);
/* Makes a whole number `below_top` a real one. */
void to_real(struct binder *b, uint32_t below_top);
/* One type for the upper `count` values, whole numbers made real where one is,
 * `missing` taken for any of them: -1 with a fault that begins with `who`, and 0
 * where all are missing. */
int common(struct binder *b, uint32_t count, const char *who);
/* A function's call; its arguments are on the stack. */
int bind_call(struct binder *b, const struct expr_node *n);

#endif
