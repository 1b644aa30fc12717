/* SPDX-License-Identifier: Apache-2.0
 *
 * shape.c - whether the named columns are there, and what the outputs carry.
 *
 * For each kind of row that comes in one that leaves is announced. Where an
 * input is open nobody knows yet which columns it has: those that the options
 * name are announced all the same, as phi before the rule, and as text where the
 * rule keeps the type: who needs a number behind is told to have it declared.
 *
 * The key file is looked at too: a run that ends at its first minute for a
 * permission is worse than a check that says so. */
#include <afferent/words.h>

#include "check.h"

#include <sodium.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "clean.h"
#include "key.h"

struct shapes {
    const struct config *config;
    const struct aff_table *inputs;
    const struct aff_report *report;
    bool failed;
};

static const struct aff_shape *shape_at(const struct aff_table *inputs, uint32_t i)
{
    return (const void *)((const char *)inputs->items + (size_t)i * inputs->stride);
}

static const struct aff_column *column_named(const struct aff_schema *schema, const char *name)
{
    for (uint32_t i = 0; i < schema->count; i++)
        if (strcmp(column_of(schema, i)->name, name) == 0)
            return column_of(schema, i);
    return NULL;
}

/* ---- did you mean ---- */

static const char *guess(const struct aff_table *inputs, const char *name)
{
    struct aff_guess near = { .word = name };

    for (uint32_t i = 0; i < inputs->count; i++) {
        const struct aff_schema *s = shape_at(inputs, i)->port == PORT_ROWS ? shape_at(inputs, i)->schema : NULL;

        for (uint32_t k = 0; s && k < s->count; k++)
            aff_guess_offer(&near, column_of(s, k)->name);
    }
    return near.best;
}

/* ---- one rule over all inputs ---- */

static void column_missing(struct shapes *s, const struct rule *rule)
{
    const char *meant = guess(s->inputs, rule->name);

    s->failed = true;
    if (meant)
        RULE_SAY(s->report, rule, "no input has a column %s; expected one that is there; did you mean %s?", rule->name,
                 meant);
    else
        RULE_SAY(s->report, rule,
                 "no input has a column %s; expected one that is there; see afferent check --explain", rule->name);
}

/* Over all inputs: the column is in one of them, and the rule fits it there. */
static void rule_check(struct shapes *s, const struct rule *rule)
{
    bool is_there = false;

    for (uint32_t i = 0; i < s->inputs->count; i++) {
        const struct aff_shape *in = shape_at(s->inputs, i);
        const struct aff_column *column = in->schema ? column_named(in->schema, rule->name) : NULL;
        const char *needs = column ? rule_misfit(rule, column->type) : NULL;

        if (in->port != PORT_ROWS)
            continue;
        is_there |= column || !in->schema;
        s->failed |= needs != NULL;
        if (needs)
            RULE_SAY(s->report, rule, "%s.%s does not fit the column's type; expected %s; choose another rule",
                     rule_table(rule), rule->name, needs);
    }
    if (!is_there)
        column_missing(s, rule);
}

/* False: there is no such column in this input, or it is dropped. */
static bool column_make(const struct shapes *s, const struct rule *rule, const struct aff_shape *input,
                        struct aff_column *out)
{
    static const struct aff_column unknown = { .label = AFF_LABEL_PHI };
    const struct aff_column *in = input->schema ? column_named(input->schema, rule->name) : &unknown;
    bool keeps = rule->action == ACTION_KEEP || rule->action == ACTION_CLEAR || rule->action == ACTION_SHIFT;

    if (!in || rule->action == ACTION_DROP)
        return false;
    *out = (struct aff_column){ .name = rule->name, .type = rule_type(rule, in->type),
                                .label = rule_label(s->config, rule, in->type, in->label),
                                .unit = keeps ? unit_clean(in->unit) : NULL,
                                .code = keeps ? code_clean(in->code) : NULL };
    if (!out->type)
        out->type = AFF_TEXT;
    if (rule->is_quasi && out->label == AFF_LABEL_NONE)
        out->label = AFF_LABEL_QUASI;
    return true;
}

/* ---- outputs ---- */

static uint8_t times_label(const struct shapes *s)
{
    uint8_t label = AFF_LABEL_NONE;

    for (uint32_t i = 0; i < s->inputs->count && s->config->times == TIMES_KEEP; i++)
        if (shape_at(s->inputs, i)->times > label)
            label = shape_at(s->inputs, i)->times;
    return label;
}

static void output_say(struct shapes *s, uint32_t port, const struct aff_schema *schema)
{
    struct aff_shape shape = { .struct_size = sizeof shape, .port = port, .schema = schema,
                               .times = times_label(s) };

    s->report->output(s->report, &shape);
}

static void no_memory(struct shapes *s)
{
    s->report->problem(s->report, NULL, "there is no memory for the columns; free some and try again");
    s->failed = true;
}

static void rows_say(struct shapes *s, const struct aff_shape *input)
{
    struct aff_schema schema = { .struct_size = sizeof schema, .type = AFF_FIELDS, .name = "rows",
                                 .stride = sizeof(struct aff_column) };
    uint32_t count = rules_count(s->config);
    struct aff_column *columns = calloc(count + 1u, sizeof *columns);

    for (uint32_t i = 0; columns && i < count; i++) {
        struct rule rule = rule_at(s->config, i);

        schema.count += column_make(s, &rule, input, &columns[schema.count]);
    }
    schema.columns = columns;
    if (columns)
        output_say(s, PORT_ROWS, &schema);
    else
        no_memory(s);
    free(columns);
}

/* Of an input that is not declared nothing is known but that it is samples. */
static void samples_say(struct shapes *s, const struct aff_schema *in)
{
    struct aff_schema schema = { .struct_size = sizeof schema, .type = AFF_SAMPLES, .name = "signal",
                                 .stride = sizeof(struct aff_column) };
    struct aff_column *columns = calloc((in ? in->count : 0) + 1u, sizeof *columns);
    char (*made)[CHANNEL_CHARS] = calloc((in ? in->count : 0) + 1u, sizeof *made);

    if (in && columns && made) {
        schema.format = in->format;
        schema.rate_num = in->rate_num;
        schema.rate_den = in->rate_den;
        for (; schema.count < in->count; schema.count++)
            channel_make(columns, schema.count, column_of(in, schema.count), made[schema.count]);
    }
    schema.columns = columns;
    if (columns && made)
        output_say(s, PORT_SAMPLES, &schema);
    else
        no_memory(s);
    free(columns);
    free(made);
}

static void rules_shape(struct shapes *s)
{
    for (uint32_t i = 0; i < rules_count(s->config); i++) {
        struct rule rule = rule_at(s->config, i);

        rule_check(s, &rule);
    }
    if (rules_count(s->config))
        return;
    s->report->problem(s->report, "columns", "no column is named, and columns that are not named are dropped; expected "
                                             "at least one; write columns = { heart_rate = \"keep\" }");
    s->failed = true;
}

static void key_shape(struct shapes *s)
{
    uint8_t key[KEY_BYTES];
    char problem[KEY_TEXT_MOST];

    if (key_read(s->config->key, key, problem) != AFF_OK) {
        s->report->problem(s->report, "key", "%s", problem);
        s->failed = true;
    }
    sodium_memzero(key, sizeof key);
}

static bool has_input(const struct aff_table *inputs, uint32_t port)
{
    for (uint32_t i = 0; i < inputs->count; i++)
        if (shape_at(inputs, i)->port == port)
            return true;
    return false;
}

aff_status anonymize_shape(const void *config, const struct aff_table *inputs, const struct aff_report *report)
{
    struct shapes s = { config, inputs, report, false };

    key_shape(&s);
    if (!inputs->count) {
        report->problem(report, NULL, "nothing comes in; expected rows or samples; write from = \"NODE\" for rows, or "
                                      "from = { samples = \"NODE\" }");
        s.failed = true;
    }
    if (has_input(inputs, PORT_ROWS))
        rules_shape(&s);
    for (uint32_t i = 0; i < inputs->count && !s.failed; i++) {
        const struct aff_shape *in = shape_at(inputs, i);

        if (in->port == PORT_ROWS)
            rows_say(&s, in);
        else
            samples_say(&s, in->schema);
    }
    return s.failed ? AFF_ERR_CONFIG : AFF_OK;
}
