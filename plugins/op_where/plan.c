/* SPDX-License-Identifier: Apache-2.0
 *
 * plan.c - the rules, bound to a schema. */
#include "plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *rules_take(const struct aff_host *host, size_t size)
{
    return host ? host->alloc(host, size) : calloc(1, size);
}

void rules_give(const struct aff_host *host, void *memory)
{
    if (host)
        host->free(host, memory);
    else
        free(memory);
}

/* ---- rules ---- */

static const char *rule_text(const struct config *c, uint32_t i)
{
    return i < c->derive.count ? config_derive(c, i)->value : c->where;
}

static size_t round8(size_t size)
{
    return (size + 7) & ~(size_t)7;
}

/* What all expressions need together. */
struct sums {
    size_t nodes, texts;
};

static struct sums rules_count(const struct config *c, uint32_t count, uint32_t *ret_most)
{
    struct sums s = { 0, 0 };
    struct expr_draft draft;
    struct expr_fault fault;
    uint32_t i;

    *ret_most = 1;
    for (i = 0; i < count; i++) {
        (void)expr_parse(rule_text(c, i), &draft, &fault);
        s.nodes += draft.count;
        s.texts += draft.used;
        if (draft.count > *ret_most)
            *ret_most = draft.count;
    }
    return s;
}

static void rules_parse(struct rules *r, struct expr_node *nodes, uint16_t *fails, char *texts)
{
    struct expr_draft draft;
    struct expr_fault fault;
    uint32_t i;

    for (i = 0; i < r->count; i++) {
        (void)expr_parse(rule_text(r->config, i), &draft, &fault);
        memcpy(nodes, draft.nodes, draft.count * sizeof *nodes);
        memcpy(texts, draft.texts, draft.used);
        memcpy(fails, draft.fails, draft.used * sizeof *fails);
        r->exprs[i] = (struct expr){ nodes, texts, fails, draft.count, draft.used };
        nodes += draft.count;
        texts += draft.used;
        fails += draft.used;
    }
}

struct rules *rules_new(const struct aff_host *host, const struct config *config)
{
    uint32_t count = config->derive.count + (config->where != NULL), most;
    struct sums s = rules_count(config, count, &most);
    size_t at_exprs = round8(sizeof(struct rules)), at_nodes = at_exprs + count * sizeof(struct expr);
    size_t at_fails = at_nodes + s.nodes * sizeof(struct expr_node);
    size_t at_texts = at_fails + s.texts * sizeof(uint16_t);
    char *block = rules_take(host, at_texts + s.texts + 1);
    struct rules *r = (void *)block;

    if (!block)
        return NULL;
    r->config = config;
    r->exprs = (void *)(block + at_exprs);
    r->count = count;
    r->derived = config->derive.count;
    r->ops = (uint32_t)EXPR_OPS(s.nodes);
    r->stack = most;
    rules_parse(r, (void *)(block + at_nodes), (void *)(block + at_fails), block + at_texts);
    return r;
}

/* ---- plans ---- */

struct plan *plan_new(const struct aff_host *host, const struct rules *rules)
{
    uint32_t columns = config_rewrites(rules->config) ? EXPR_COLUMNS_MAX : 0;
    size_t at_programs = round8(sizeof(struct plan));
    size_t at_derived = at_programs + rules->count * sizeof(struct expr_program);
    size_t at_ops = at_derived + rules->derived * sizeof(struct expr_derived);
    size_t at_from = at_ops + rules->ops * sizeof(struct expr_op);
    char *block = rules_take(host, at_from + columns * sizeof(uint16_t));
    struct plan *p = (void *)block;

    if (!block)
        return NULL;
    p->rules = rules;
    p->programs = (void *)(block + at_programs);
    p->derived = (void *)(block + at_derived);
    p->ops = (void *)(block + at_ops);
    p->from = (void *)(block + at_from);
    return p;
}

static int program_bind(struct plan *p, uint32_t i, struct expr_scope *scope, struct expr_fault *fault)
{
    const struct rules *r = p->rules;
    struct expr_program *program = &p->programs[i];

    if (i < r->derived)
        (void)snprintf(fault->option, sizeof fault->option, "derive[%u].value", (unsigned)i);
    else
        (void)snprintf(fault->option, sizeof fault->option, "where");
    if (expr_bind(&r->exprs[i], scope, program, fault) < 0)
        return -1;
    if (i == r->derived && program->type != AFF_BOOL)
        return fault_set(fault, 1, "the condition is no true or false; expected a comparison, such as spo2 < 92");
    if (i < r->derived)
        p->derived[i] = (struct expr_derived){ config_derive(r->config, i)->name, program->type, program->label };
    return 0;
}

static bool list_has(const struct aff_list *list, const char *name)
{
    uint32_t i;

    for (i = 0; i < list->count; i++)
        if (strcmp(config_name(list, i), name) == 0)
            return true;
    return false;
}

static int derived_find(const struct plan *p, const char *name)
{
    uint32_t i;

    for (i = 0; i < p->rules->derived; i++)
        if (strcmp(p->derived[i].name, name) == 0)
            return (int)i;
    return -1;
}

/* Where a name that is kept or dropped comes from. */
static int source_find(const struct plan *p, const struct expr_scope *scope, const char *name)
{
    int derived = derived_find(p, name);

    return derived >= 0 ? derived | (int)FROM_DERIVED : scope_find(scope->schema, name);
}

static int names_exist(const struct plan *p, const struct expr_scope *scope, const struct aff_list *names,
                       struct expr_fault *fault)
{
    uint32_t i;

    for (i = 0; i < names->count; i++) {
        const char *name = config_name(names, i);

        if (source_find(p, scope, name) >= 0)
            continue;
        (void)fault_set(fault, 0, "unknown column \"%.80s\"", name);
        if (scope->lists_columns)
            scope_advise(fault, scope, name);
        return -1;
    }
    return 0;
}

/* One more column that goes out, unless there are too many. */
static void from_add(struct plan *p, int source)
{
    if (p->columns_out < EXPR_COLUMNS_MAX)
        p->from[p->columns_out] = (uint16_t)source;
    p->columns_out++;
}

static void from_input(struct plan *p, const struct expr_scope *scope)
{
    const struct config *c = p->rules->config;
    uint32_t i;

    for (i = 0; i < c->keep.count; i++)
        from_add(p, source_find(p, scope, config_name(&c->keep, i)));
    for (i = 0; i < scope->schema->count && !c->keep.count; i++) {
        const char *name = scope_column(scope->schema, i)->name;

        if (!list_has(&c->drop, name))
            from_add(p, source_find(p, scope, name));
    }
}

/* Columns that are derived come last, but one that replaces a column of the
 * input stands in its place. */
static void from_derived(struct plan *p, const struct expr_scope *scope)
{
    const struct config *c = p->rules->config;
    uint32_t i;

    for (i = 0; i < p->rules->derived; i++) {
        const char *name = p->derived[i].name;
        bool is_placed = c->keep.count ? list_has(&c->keep, name) : scope_find(scope->schema, name) >= 0;

        if (!is_placed && !list_has(&c->drop, name))
            from_add(p, (int)(i | FROM_DERIVED));
    }
}

static int columns_bind(struct plan *p, const struct expr_scope *scope, struct expr_fault *fault)
{
    const struct config *c = p->rules->config;
    const char *option = c->keep.count ? "keep" : c->drop.count ? "drop" : "derive";

    (void)snprintf(fault->option, sizeof fault->option, "%s", option);
    if (names_exist(p, scope, &c->keep, fault) < 0 || names_exist(p, scope, &c->drop, fault) < 0)
        return -1;
    from_input(p, scope);
    from_derived(p, scope);
    if (!p->columns_out)
        return fault_set(fault, 0, "no column is left; expected one at least; keep or derive one");
    if (p->columns_out > EXPR_COLUMNS_MAX)
        return fault_set(fault, 0, "more than %d columns go out; expected fewer; drop some", EXPR_COLUMNS_MAX);
    return 0;
}

int plan_bind(struct plan *p, const struct expr_scope *scope, struct expr_fault *fault)
{
    struct expr_scope inner = *scope;
    struct expr_op *ops = p->ops;
    uint32_t i;

    fault->needs_columns = false;
    p->columns_in = scope->schema ? scope->schema->count : 0;
    p->columns_out = 0;
    inner.derived = p->derived;
    (void)snprintf(fault->option, sizeof fault->option, "where");
    if (p->columns_in > EXPR_COLUMNS_MAX)
        return fault_set(fault, 0, "rows of %u columns; expected at most %d", (unsigned)p->columns_in, EXPR_COLUMNS_MAX);
    for (i = 0; i < p->rules->count; i++) {
        inner.derived_count = i < p->rules->derived ? i : p->rules->derived;
        p->programs[i].ops = ops;
        ops += EXPR_OPS(p->rules->exprs[i].count);
        if (program_bind(p, i, &inner, fault) < 0)
            return -1;
    }
    if (!config_rewrites(p->rules->config))
        return 0;
    if (!scope->schema) {
        (void)fault_set(fault, 0, "the columns are not known");
        fault->needs_columns = true;
        return -1;
    }
    return columns_bind(p, &inner, fault);
}

struct aff_schema plan_schema(const struct plan *p, const struct aff_schema *in, struct aff_column *columns)
{
    struct aff_schema out = { .struct_size = sizeof out,
                              .type = AFF_FIELDS,
                              .name = in->name,
                              .columns = columns,
                              .count = p->columns_out,
                              .stride = sizeof *columns };
    uint32_t i;

    for (i = 0; i < p->columns_out; i++) {
        uint32_t from = p->from[i], k = from & ~FROM_DERIVED;

        memset(&columns[i], 0, sizeof columns[i]);
        if (!(from & FROM_DERIVED)) {
            memcpy(&columns[i], scope_column(in, k), in->stride < sizeof *columns ? in->stride : sizeof *columns);
            continue;
        }
        columns[i].name = p->derived[k].name;
        columns[i].unit = config_derive(p->rules->config, k)->unit;
        columns[i].code = config_derive(p->rules->config, k)->code;
        columns[i].type = p->derived[k].type;
        columns[i].label = p->derived[k].label;
    }
    return out;
}
