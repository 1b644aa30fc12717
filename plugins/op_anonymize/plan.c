/* SPDX-License-Identifier: Apache-2.0
 *
 * plan.c - a schema of the input becomes a plan and a schema of the output.
 *
 * Columns are matched by name, so this works on schemas that nobody declared. Of
 * two columns of one name the first is taken. The output's schema is made of
 * words that cannot be a name: those of the pipeline file, and what clean.c
 * lets pass. */
#include "anonymize.h"

#include <stdio.h>
#include <string.h>

#include "clean.h"

/* The row of this name in the list of dropped columns, or DROPS. */
static uint32_t drop_row(struct anonymize *a, const char *name)
{
    uint32_t i;

    for (i = 0; i < a->drop_used; i++)
        if (strncmp(a->drops[i].name, name, DROP_CHARS - 1) == 0)
            return i;
    if (i < DROPS) {
        (void)snprintf(a->drops[i].name, DROP_CHARS, "%s", name);
        a->drop_used++;
    }
    return i;
}

static void plan_drop(struct anonymize *a, struct plan *p, uint32_t column, const char *name)
{
    if (p->drop_count == DROPS)
        return;
    p->drops[2 * p->drop_count] = column;
    p->drops[2 * p->drop_count + 1] = drop_row(a, name);
    p->drop_count++;
}

/* What the report calls a dropped column. Of a table that nobody declared names
 * come with the data, and its columns are labelled phi: their place must do,
 * except where the pipeline file names them. */
static void drop_name(char name[DROP_CHARS], const struct aff_column *column, uint32_t at, bool has_rule)
{
    if (column->label == AFF_LABEL_PHI && !has_rule)
        (void)snprintf(name, DROP_CHARS, "column %u (phi)", (unsigned)at + 1u);
    else
        (void)snprintf(name, DROP_CHARS, "%s", column->name);
}

static bool is_taken(const struct plan *p, uint32_t rule)
{
    for (uint32_t i = 0; i < p->count; i++)
        if (p->steps[i].index == rule)
            return true;
    return false;
}

static void misfit_log(const struct anonymize *a, const struct rule *rule, const char *needs)
{
    a->host->log(a->host, AFF_LOG_ERROR, "%s.%s does not fit the column's type; expected %s; rows like this are set "
                                         "aside; choose another rule",
                 rule->how ? "generalise" : "columns", rule->name, needs);
}

/* Whether values pass as they are. */
static bool stays(const struct anonymize *a, const struct rule *rule, uint8_t type)
{
    return (rule->action == ACTION_KEEP || rule->action == ACTION_CLEAR) && !rule_moves(a->config, rule, type);
}

static void step_add(struct anonymize *a, struct plan *p, uint32_t column, const struct aff_column *in, uint32_t index)
{
    struct step *step = &p->steps[p->count];
    struct aff_column *out = &a->columns[p->count];
    struct rule rule = rule_at(a->config, index);
    const char *needs = rule_misfit(&rule, in->type);
    bool keeps = rule.action == ACTION_KEEP || rule.action == ACTION_CLEAR || rule.action == ACTION_SHIFT;
    uint8_t label = rule_label(a->config, &rule, in->type, in->label);

    if (needs && p->misfit < 0)
        misfit_log(a, &rule, needs);
    if (needs)
        p->misfit = (int32_t)index;
    if (rule.is_quasi && label == AFF_LABEL_NONE)
        label = AFF_LABEL_QUASI;
    *step = (struct step){ rule, index, column, in->type, rule_type(&rule, in->type),
                           stays(a, &rule, in->type) && in->label == AFF_LABEL_PHI,
                           a->config->quasi.count ? rule.is_quasi != 0 : label == AFF_LABEL_QUASI };
    *out = (struct aff_column){ .name = rule.name, .type = step->type_out, .label = label,
                                .unit = keeps ? unit_clean(in->unit) : NULL,
                                .code = keeps ? code_clean(in->code) : NULL };
    p->count++;
}

static void rows_plan(struct anonymize *a, struct plan *p, const struct aff_schema *in, struct aff_schema *out)
{
    for (uint32_t i = 0; i < in->count; i++) {
        const struct aff_column *column = column_of(in, i);
        int rule = rule_find(a->config, column->name);
        char name[DROP_CHARS];

        drop_name(name, column, i, rule >= 0);
        if (rule < 0 || rule_at(a->config, (uint32_t)rule).action == ACTION_DROP || is_taken(p, (uint32_t)rule))
            plan_drop(a, p, i, name);
        else
            step_add(a, p, i, column, (uint32_t)rule);
    }
    out->name = "rows";
    out->count = p->count;
}

static void samples_plan(struct anonymize *a, struct plan *p, const struct aff_schema *in, struct aff_schema *out)
{
    p->is_wide = in->count > CHANNELS_MOST;
    for (uint32_t i = 0; i < in->count && !p->is_wide; i++)
        channel_make(a->columns, i, column_of(in, i), a->channels[i]);
    out->name = "signal";
    out->count = in->count;
    p->format = out->format = in->format;
    out->rate_num = in->rate_num;
    out->rate_den = in->rate_den;
}

static void plan_reset(struct plan *p, const struct aff_schema *in)
{
    struct step *steps = p->steps;
    uint32_t *drops = p->drops;

    *p = (struct plan){ .steps = steps, .drops = drops, .columns_in = in->count, .misfit = -1 };
}

static bool plan_make(struct anonymize *a, struct plan *p, const struct aff_schema *in)
{
    struct aff_schema out = { .struct_size = sizeof out, .type = in->type, .columns = a->columns,
                              .stride = sizeof *a->columns };

    plan_reset(p, in);
    if (in->type == AFF_FIELDS)
        rows_plan(a, p, in, &out);
    else
        samples_plan(a, p, in, &out);
    if (p->is_wide || (in->type == AFF_FIELDS && !p->count))
        return true;
    p->schema_out = a->host->schema(a->host, &out);
    return p->schema_out != 0;
}

struct plan *plan_get(struct anonymize *a, uint32_t schema)
{
    const struct aff_schema *in;
    struct plan *p;

    for (uint32_t i = 0; i < a->plan_used; i++)
        if (a->plans[i].schema_in == schema)
            return &a->plans[i];
    in = a->host->schema_info(a->host, schema);
    if (!in)
        return NULL;
    p = &a->plans[a->plan_used < PLANS ? a->plan_used : a->plan_victim];
    if (!plan_make(a, p, in)) {
        p->schema_in = 0;
        return NULL;
    }
    p->schema_in = schema;
    if (a->plan_used < PLANS)
        a->plan_used++;
    else
        a->plan_victim = (a->plan_victim + 1) % PLANS;
    return p;
}
