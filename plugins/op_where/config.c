/* SPDX-License-Identifier: Apache-2.0
 *
 * config.c - rules across the options, before any schema is known. */
#include "plan.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct checking {
    const struct config *config;
    fault_say say;
    void *context;
    int status;
};

const struct derive_config *config_derive(const struct config *c, uint32_t i)
{
    return (const void *)((const char *)c->derive.items + (size_t)i * c->derive.stride);
}

const char *config_name(const struct aff_list *list, uint32_t i)
{
    return *(const char *const *)(const void *)((const char *)list->items + (size_t)i * list->stride);
}

bool config_rewrites(const struct config *c)
{
    return c->derive.count || c->keep.count || c->drop.count;
}

__attribute__((format(printf, 3, 4)))
static void refuse(struct checking *k, const char *option, const char *format, ...)
{
    struct expr_fault fault = { .at = 0 };
    va_list args;

    (void)snprintf(fault.option, sizeof fault.option, "%s", option);
    va_start(args, format);
    (void)vsnprintf(fault.text, sizeof fault.text, format, args);
    va_end(args);
    k->say(k->context, &fault);
    k->status = -1;
}

static void expression_check(struct checking *k, const char *option, const char *text)
{
    struct expr_draft draft;
    struct expr_fault fault = { .at = 0 };

    if (expr_parse(text, &draft, &fault) == 0)
        return;
    (void)snprintf(fault.option, sizeof fault.option, "%s", option);
    k->say(k->context, &fault);
    k->status = -1;
}

/* Names are not empty and none is there twice. */
static void names_check(struct checking *k, const char *option, const struct aff_list *names)
{
    uint32_t i, j;

    for (i = 0; i < names->count; i++) {
        const char *name = config_name(names, i);

        if (!*name)
            refuse(k, option, "an empty name; expected the name of a column; take it out");
        for (j = 0; j < i; j++)
            if (strcmp(config_name(names, j), name) == 0)
                break;
        if (j < i)
            refuse(k, option, "\"%.80s\" is there twice; expected each column once; take one out", name);
    }
}

static void derive_check(struct checking *k, uint32_t i)
{
    const struct derive_config *d = config_derive(k->config, i);
    char option[32];
    uint32_t j;

    (void)snprintf(option, sizeof option, "derive[%u].name", (unsigned)i);
    if (!*d->name)
        refuse(k, option, "an empty name; expected one for the column that is derived");
    for (j = 0; j < i; j++)
        if (strcmp(config_derive(k->config, j)->name, d->name) == 0)
            break;
    if (j < i)
        refuse(k, option, "\"%.80s\" is derived twice; expected each column once; rename one", d->name);
    (void)snprintf(option, sizeof option, "derive[%u].value", (unsigned)i);
    expression_check(k, option, d->value);
}

int config_check(const struct config *c, fault_say say, void *context)
{
    struct checking k = { c, say, context, 0 };
    uint32_t i;

    if (!c->where && !config_rewrites(c) && c->otherwise != OTHERWISE_REST)
        refuse(&k, "where", "nothing to do; expected where, derive, keep or drop; add one, as in "
               "where = \"spo2 < 92\"");
    if (c->otherwise == OTHERWISE_REST && !c->where)
        refuse(&k, "otherwise", "\"rest\" without a condition; expected where; add it, or take otherwise out");
    if (c->keep.count && c->drop.count)
        refuse(&k, "drop", "both keep and drop; expected one of them; name what stays, or what goes");
    names_check(&k, "keep", &c->keep);
    names_check(&k, "drop", &c->drop);
    for (i = 0; i < c->derive.count; i++)
        derive_check(&k, i);
    if (c->where)
        expression_check(&k, "where", c->where);
    return k.status;
}
