/* SPDX-License-Identifier: Apache-2.0
 *
 * lookup.c - where the columns of the rules are in records of one schema: looked
 * up once, kept for the schemas in use. */
#include "watch.h"

#include <string.h>

static const struct aff_column *column_at(const struct aff_schema *s, uint32_t i)
{
    return (const void *)((const char *)s->columns + (size_t)i * s->stride);
}

static int32_t column_find(const struct aff_schema *s, const char *name)
{
    uint32_t i;

    for (i = 0; *name && i < s->count; i++)
        if (column_at(s, i)->name && strcmp(column_at(s, i)->name, name) == 0)
            return (int32_t)i;
    return -1;
}

static void lookup_fill(struct lookup *l, const struct plan *p, uint32_t schema, const struct aff_schema *info)
{
    int32_t kind = info->type == AFF_FIELDS ? column_find(info, "kind") : -1;
    uint32_t i;

    memset(l, 0, sizeof *l);
    l->schema = schema;
    l->count = info->count;
    l->type = info->type;
    l->format = info->format;
    l->rate_num = info->rate_num;
    l->rate_den = info->rate_den;
    l->kind = kind >= 0 && column_at(info, (uint32_t)kind)->type == AFF_TEXT ? kind : -1;
    for (i = 0; i < p->count; i++) {
        const struct rule_config *r = p->rules[i].config;

        l->column[i] = column_find(info, *r->column || r->kind != KIND_RATE ? r->column : "count");
        l->beside[i] = column_find(info, r->beside);
        l->gain[i] = 1;
        if (l->column[i] < 0)
            continue;
        l->types[i] = column_at(info, (uint32_t)l->column[i])->type;
        l->gain[i] = column_at(info, (uint32_t)l->column[i])->gain;
        l->baseline[i] = column_at(info, (uint32_t)l->column[i])->baseline;
        if (l->types[i] == AFF_TEXT && info->type == AFF_FIELDS && r->kind != KIND_MISSING)
            l->column[i] = -1; /* a text has no range */
    }
}

const struct lookup *lookup_get(struct watch *w, uint32_t schema)
{
    const struct aff_schema *info;
    struct lookup *l;
    uint32_t i;

    for (i = 0; i < LOOKUPS && schema; i++)
        if (w->lookups[i].schema == schema)
            return &w->lookups[i];
    info = schema ? w->host->schema_info(w->host, schema) : NULL;
    if (!info)
        return NULL;
    l = &w->lookups[w->next_lookup++ % LOOKUPS];
    lookup_fill(l, &w->plan, schema, info);
    return l;
}
