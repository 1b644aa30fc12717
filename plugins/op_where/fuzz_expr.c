/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_expr.c - any text as an expression, any bytes as the row it is run on.
 *
 * The input is cut at the first byte 0xff: the expression, then the row, whose
 * columns are those of test_rows.h. */
#include <math.h>
#include <stdlib.h>

#include "test_rows.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct expr_draft draft;
static struct expr_op ops[EXPR_OPS(EXPR_NODES_MAX)];
static struct expr_value stack[EXPR_NODES_MAX];

/* What a program gives is fit to be written into a row. */
static void value_check(uint8_t type, const struct expr_value *v)
{
    uint32_t i;
    volatile char c = 0;

    if (!v->has)
        return;
    if (type == AFF_REAL && !isfinite(v->of.real))
        abort();
    if (type == AFF_BOOL && (uint64_t)v->of.integer > 1)
        abort();
    for (i = 0; type == AFF_TEXT && i < v->length; i++)
        c = folded_at(v, i);
    (void)c;
}

static void run(const uint8_t *data, size_t size)
{
    struct expr_scope scope = { .schema = &row_schema, .lists_columns = true };
    struct expr_program program = { .ops = ops };
    struct aff_record record = { .event_ns = INT64_C(1700000000000000000), .type = AFF_FIELDS };
    struct expr_row row = { &record, COLS, NULL };
    struct expr_fault fault = { .at = 0 };
    struct expr e = expr_of(&draft);
    void *copy;

    if (expr_bind(&e, &scope, &program, &fault) < 0) {
        if (!fault.at || !memchr(fault.text, 0, sizeof fault.text) || !*fault.text)
            abort();
        return;
    }
    if (program.count > EXPR_OPS(e.count) || program.type < AFF_REAL || program.type > AFF_TEXT)
        abort();
    record.size = size < aff_row_size(COLS, 0) ? aff_row_size(COLS, 0) : (uint32_t)size;
    copy = calloc(1, record.size);
    if (!copy)
        return;
    memcpy(copy, data, size);
    record.data = copy;
    if (expr_run(&program, &row, stack))
        value_check(program.type, &stack[0]);
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *cut = memchr(data, 0xff, size);
    size_t length = cut ? (size_t)(cut - data) : size;
    struct expr_fault fault = { .at = 0 };
    char *text = malloc(length + 1);

    if (!text)
        return 0;
    memcpy(text, data, length);
    text[length] = 0;
    if (expr_parse(text, &draft, &fault) == 0)
        run(cut ? cut + 1 : data, cut ? size - length - 1 : 0);
    else if (!fault.at || fault.at > length + 1 || !*fault.text)
        abort();
    free(text);
    return 0;
}
