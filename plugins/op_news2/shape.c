/* SPDX-License-Identifier: Apache-2.0
 *
 * shape.c - what op_news2 says before anything runs: rules across its options,
 * whether its input has what they name, and what its output carries.
 *
 * A parameter whose column is not there is a mistake to be told here, not a
 * partial score for ever: an input that really lacks one says so by "". */
#include <afferent/words.h>
#include <stdio.h>
#include <string.h>

#include "fields.h"

struct shaping {
    const struct config *config;
    const struct aff_report *report;
    int wrong;
};

static const struct aff_shape *input_at(const struct aff_table *inputs, uint32_t i)
{
    return (const void *)((const char *)inputs->items + (size_t)i * inputs->stride);
}

static int ranges_check(const struct config *config, const struct aff_report *report)
{
    char path[40];
    int i, wrong = 0;

    for (i = 0; config->plausible && i < PARAMETERS; i++) {
        const struct aff_list *range = &config->plausible->ranges[i];

        if (range->count != 2 || *(const double *)range->items <
                                     *(const double *)(const void *)((const char *)range->items + range->stride))
            continue;
        snprintf(path, sizeof path, "plausible.%s", parameter_name(i));
        report->problem(report, path, "is not a range; write the lower bound, then the higher one");
        wrong++;
    }
    return wrong;
}

aff_status news2_validate(const void *config, const struct aff_report *report)
{
    const struct config *c = config;
    int wrong = ranges_check(c, report);
    char path[40];
    uint32_t i;

    for (i = 0; i < c->scale2.count; i++) {
        if (**(const char *const *)(const void *)((const char *)c->scale2.items + (size_t)i * c->scale2.stride))
            continue;
        snprintf(path, sizeof path, "scale2[%u]", i);
        report->problem(report, path, "is empty; name a subject, as its source does");
        wrong++;
    }
    return wrong ? AFF_ERR_CONFIG : AFF_OK;
}

static const char *near_find(const struct aff_schema *schema, const char *name)
{
    struct aff_guess guess = { .word = name };
    uint32_t i;

    for (i = 0; i < schema->count; i++)
        aff_guess_offer(&guess, schema_column(schema, i)->name);
    return guess.best;
}

static void missing_say(struct shaping *s, const char *path, const struct aff_schema *schema, const char *name)
{
    const char *near = near_find(schema, name);

    s->wrong++;
    if (near)
        s->report->problem(s->report, path, "is \"%s\", a column that the input does not have; expected one that it has; did you mean \"%s\"?",
                       name, near);
    else
        s->report->problem(s->report, path, "is \"%s\", a column that the input does not have; expected one that it has; name the one that it "
                       "has, or write \"\" if there is none: each score is then partial", name);
}

static const char *type_wanted(const struct config *config, int parameter)
{
    if (parameter == CONSCIOUSNESS && config->consciousness == CONSCIOUSNESS_ACVPU)
        return "text (A, C, V, P or U); write consciousness = \"gcs\" if it is the Glasgow coma scale";
    if (parameter == CONSCIOUSNESS)
        return "a number from 3 to 15; write consciousness = \"acvpu\" if it is text";
    if (parameter == OXYGEN && config->oxygen == OXYGEN_FLAG)
        return "a bool, or 0 or 1; write oxygen = \"fio2\" if it is the fraction of oxygen";
    return "a number; declare it so where it is read";
}

static void parameter_check(struct shaping *s, const struct aff_schema *schema, int parameter)
{
    const char *name = column_name(s->config, parameter), *problem;
    const struct aff_column *column;
    char path[40];
    uint16_t at;

    if (!*name)
        return;
    snprintf(path, sizeof path, "columns.%s", parameter_name(parameter));
    at = schema_find(schema, name);
    if (at == NO_COLUMN) {
        missing_say(s, path, schema, name);
        return;
    }
    column = schema_column(schema, at);
    problem = unit_problem(s->config, parameter, column->unit);
    if (!type_fits(s->config, parameter, column->type)) {
        s->wrong++;
        s->report->problem(s->report, path, "is \"%s\", which has another type; expected %s", name,
                       type_wanted(s->config, parameter));
    } else if (problem) {
        s->wrong++;
        s->report->problem(s->report, path, "is \"%s\", which is in %s; %s", name, column->unit, problem);
    }
}

static void scale_check(struct shaping *s, const struct aff_schema *schema)
{
    uint16_t at = schema_find(schema, s->config->scale_column);

    if (!*s->config->scale_column)
        return;
    if (at == NO_COLUMN) {
        missing_say(s, "scale_column", schema, s->config->scale_column);
    } else if (schema_column(schema, at)->type != AFF_INT && schema_column(schema, at)->type != AFF_REAL) {
        s->wrong++;
        s->report->problem(s->report, "scale_column", "is \"%s\", which is no number; expected 1 or 2 in it",
                       s->config->scale_column);
    }
}

static int columns_same(const struct aff_schema *a, const struct aff_schema *b)
{
    uint32_t i;

    for (i = 0; a->count == b->count && i < a->count; i++) {
        const struct aff_column *x = schema_column(a, i), *y = schema_column(b, i);

        if (strcmp(x->name, y->name) != 0 || x->type != y->type ||
            strcmp(x->unit ? x->unit : "", y->unit ? y->unit : "") != 0)
            return 0;
    }
    return a->count == b->count;
}

static void raise(uint8_t *label, uint8_t by)
{
    if (by > *label)
        *label = by;
}

/* Each input's columns and labels, joined into one output. */
static void input_join(struct shaping *s, const struct aff_shape *input, struct aff_shape *out,
                       struct made_schema *made, struct made_schema *one)
{
    struct layout layout;
    const char *why = layout_make(&layout, one, s->config, input->schema);
    uint32_t i;

    if (!why && out->schema && !columns_same(&made->schema, &one->schema))
        why = "the inputs have different columns; give each a node of its own, or leave out keep_input";
    if (why) {
        s->wrong++;
        s->report->problem(s->report, "keep_input", "cannot be: %s", why);
        return;
    }
    if (!out->schema) {
        *made = *one;
        made->schema.columns = made->columns;
        out->schema = &made->schema;
    }
    for (i = 0; i < made->schema.count; i++)
        raise(&made->columns[i].label, one->columns[i].label);
    raise(&out->subject, input->subject);
    raise(&out->times, input->times);
    raise(&out->names, input->names);
}

static void input_check(struct shaping *s, const struct aff_shape *input, uint32_t number)
{
    int i;

    if (!input->schema) {
        s->wrong++;
        s->report->problem(s->report, NULL, "the columns of input %u are known at run time only; declare them "
                           "(columns = [...]) in the node that reads them", number);
        return;
    }
    for (i = 0; i < PARAMETERS; i++)
        parameter_check(s, input->schema, i);
    scale_check(s, input->schema);
}

aff_status news2_shape(const void *config, const struct aff_table *inputs, const struct aff_report *report)
{
    struct shaping s = { config, report, 0 };
    struct aff_shape out = { .struct_size = sizeof out };
    struct made_schema made, one;
    uint32_t i;

    for (i = 0; i < inputs->count; i++)
        input_check(&s, input_at(inputs, i), i + 1);
    for (i = 0; !s.wrong && i < inputs->count; i++)
        input_join(&s, input_at(inputs, i), &out, &made, &one);
    if (s.wrong)
        return AFF_ERR_CONFIG;
    report->output(report, &out);
    return AFF_OK;
}
