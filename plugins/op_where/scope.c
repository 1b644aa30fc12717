/* SPDX-License-Identifier: Apache-2.0
 *
 * scope.c - which columns there are, and which one was probably meant. */
#include <afferent/words.h>

#include "expr.h"

#include <stdio.h>
#include <string.h>

const struct aff_column *scope_column(const struct aff_schema *schema, uint32_t i)
{
    return (const void *)((const char *)schema->columns + (size_t)i * schema->stride);
}

int scope_find(const struct aff_schema *schema, const char *name)
{
    uint32_t i;

    for (i = 0; i < schema->count; i++)
        if (strcmp(scope_column(schema, i)->name, name) == 0)
            return (int)i;
    return -1;
}

struct advice {
    struct aff_guess guess;
    char list[240];
    size_t used;
    uint32_t left_off;
};

static void offer(struct advice *a, const char *name)
{
    size_t n = strlen(name);

    aff_guess_offer(&a->guess, name);
    if (a->left_off || a->used + n + 3 > sizeof a->list) {
        a->left_off++;
        return;
    }
    a->used += (size_t)snprintf(a->list + a->used, sizeof a->list - a->used, "%s%s", a->used ? ", " : "", name);
}

void scope_advise(struct expr_fault *fault, const struct expr_scope *scope, const char *name)
{
    struct advice a = { .guess.word = name };
    size_t used = strlen(fault->text);
    char more[40] = "";
    uint32_t i;

    for (i = 0; scope->schema && i < scope->schema->count; i++)
        offer(&a, scope_column(scope->schema, i)->name);
    for (i = 0; i < scope->derived_count; i++)
        offer(&a, scope->derived[i].name);
    if (a.left_off)
        (void)snprintf(more, sizeof more, " and %u more", (unsigned)a.left_off);
    if (!a.used && !a.left_off)
        (void)snprintf(fault->text + used, sizeof fault->text - used, "; there are no columns");
    else if (a.guess.best)
        (void)snprintf(fault->text + used, sizeof fault->text - used, "; expected one of %s%s; did you mean %s?",
                       a.list, more, a.guess.best);
    else
        (void)snprintf(fault->text + used, sizeof fault->text - used,
                       "; expected one of %s%s; name one, or put a text between quotes", a.list, more);
}
