/* SPDX-License-Identifier: Apache-2.0
 *
 * scope.c - which columns there are, and which one was probably meant. */
#include "expr.h"

#include <stdio.h>
#include <string.h>

enum { WORD_MAX = 64 };

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

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Insertions, deletions, replacements and swaps of neighbours that turn one word
 * into the other: restricted edit distance (Damerau 1964; Wagner, Fischer 1974).
 * Longer words than WORD_MAX are far from all. */
static unsigned distance(const char *one, const char *other)
{
    unsigned rows[3][WORD_MAX + 1];
    size_t n = strlen(one), m = strlen(other), i, j;

    if (n > WORD_MAX || m > WORD_MAX)
        return WORD_MAX;
    for (j = 0; j <= m; j++)
        rows[0][j] = (unsigned)j;
    for (i = 1; i <= n; i++) {
        unsigned *row = rows[i % 3], *above = rows[(i + 2) % 3], *above2 = rows[(i + 1) % 3];

        row[0] = (unsigned)i;
        for (j = 1; j <= m; j++) {
            row[j] = least(least(row[j - 1], above[j]) + 1, above[j - 1] + (one[i - 1] != other[j - 1]));
            if (i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1])
                row[j] = least(row[j], above2[j - 2] + 1);
        }
    }
    return rows[n % 3][m];
}

struct advice {
    const char *word, *best;
    unsigned off;
    char list[240];
    size_t used;
    uint32_t left_off;
};

static void offer(struct advice *a, const char *name)
{
    size_t length = strlen(a->word), n = strlen(name);
    unsigned off = distance(a->word, name);

    if (off <= (length < 4 ? 1u : length < 9 ? 2u : 3u) && (!a->best || off < a->off)) {
        a->best = name;
        a->off = off;
    }
    if (a->left_off || a->used + n + 3 > sizeof a->list) {
        a->left_off++;
        return;
    }
    a->used += (size_t)snprintf(a->list + a->used, sizeof a->list - a->used, "%s%s", a->used ? ", " : "", name);
}

void scope_advise(struct expr_fault *fault, const struct expr_scope *scope, const char *name)
{
    struct advice a = { .word = name };
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
    else if (a.best)
        (void)snprintf(fault->text + used, sizeof fault->text - used, "; expected one of %s%s; did you mean %s?",
                       a.list, more, a.best);
    else
        (void)snprintf(fault->text + used, sizeof fault->text - used,
                       "; expected one of %s%s; name one, or put a text between quotes", a.list, more);
}
