/* SPDX-License-Identifier: Apache-2.0
 *
 * shape.c - what op_latest's output carries, and whether its inputs have what
 * the options name, in the types and units that the options say.
 *
 * Types and units are never taken over from an input: the output's schema has to
 * be known before any input has spoken, and the same in a replay. So where an
 * input says other than the options, that is a mistake to be told here. */
#include <afferent/words.h>
#include <stdio.h>
#include <string.h>

#include "columns.h"

struct shaping {
    const struct config *config;
    const struct aff_table *inputs;
    const struct aff_report *report;
    struct layout layout;
    int wrong;
};

static const struct aff_shape *input_at(const struct aff_table *inputs, uint32_t i)
{
    return (const void *)((const char *)inputs->items + (size_t)i * inputs->stride);
}

/* Labels are in rising order. */
static void label_raise(uint8_t *label, uint8_t by)
{
    if (by > *label)
        *label = by;
}

static const char *type_name(uint8_t type)
{
    static const char *const names[] = { "unknown", "real", "int", "bool", "time", "text" };

    return names[type <= AFF_TEXT ? type : 0];
}

static bool types_fit(uint8_t from, uint8_t to)
{
    return from == to || (from >= AFF_REAL && from <= AFF_BOOL && to >= AFF_REAL && to <= AFF_BOOL);
}

static bool is_written(const char *text)
{
    return text && *text;
}

static void type_check(struct shaping *s, const struct want *w, const struct aff_column *from)
{
    char path[40];

    if (types_fit(from->type, w->type))
        return;
    s->wrong++;
    snprintf(path, sizeof path, "columns[%u].type", w->place);
    if (from->type == AFF_TEXT && w->is_long)
        s->report->problem(s->report, path, "is %s, and the column \"%s\" is text in the input; write type = \"text\", "
                       "or declare that column as real in the node that reads it", type_name(w->type), from->name);
    else
        s->report->problem(s->report, path, "is %s, and the column \"%s\" is %s in the input; write type = \"%s\"",
                       type_name(w->type), from->name, type_name(from->type), type_name(from->type));
}

static void unit_check(struct shaping *s, const struct want *w, const struct aff_column *from)
{
    char path[40];

    if (!is_written(from->unit) || (w->unit && strcmp(from->unit, w->unit) == 0))
        return;
    s->wrong++;
    snprintf(path, sizeof path, "columns[%u].unit", w->place);
    if (w->unit)
        s->report->problem(s->report, path, "is %s, and the column \"%s\" is in %s in the input; convert it in a node "
                       "before this one, or write unit = \"%s\" to keep that", w->unit, from->name, from->unit,
                       from->unit);
    else
        s->report->problem(s->report, path, "is not said, and the column \"%s\" is in %s in the input; write "
                       "unit = \"%s\" to keep that", from->name, from->unit, from->unit);
}

/* One input's part in one wanted column; whether it has any. */
static bool input_give(struct shaping *s, const struct aff_schema *schema, struct want *w, struct aff_column *to)
{
    uint32_t key = w->is_long ? schema_find(schema, s->config->key) : schema->count;
    uint32_t at = schema_find(schema, w->is_long ? s->config->value : w->from);
    const struct aff_column *from;

    if (at == schema->count || (w->is_long && key == schema->count))
        return false;
    from = schema_column(schema, at);
    label_raise(&to->label, from->label);
    if (w->is_long)
        label_raise(&to->label, schema_column(schema, key)->label);
    type_check(s, w, from);
    unit_check(s, w, from);
    return true;
}

/* The name in any input that is nearest to the one that was not found. */
static const char *near_find(const struct shaping *s, const char *name)
{
    struct aff_guess guess = { .word = name };
    uint32_t i, c;

    for (i = 0; i < s->inputs->count; i++) {
        const struct aff_schema *schema = input_at(s->inputs, i)->schema;

        for (c = 0; c < schema->count; c++)
            aff_guess_offer(&guess, schema_column(schema, c)->name);
    }
    return guess.best;
}

static void missing_say(struct shaping *s, const char *path, const char *name)
{
    const char *near = near_find(s, name);

    s->wrong++;
    if (near)
        s->report->problem(s->report, path, "names the column \"%s\", which no input has; expected one that comes in; did you mean \"%s\"?", name,
                       near);
    else
        s->report->problem(s->report, path, "names the column \"%s\", which no input has; expected one that comes in; name one that the node "
                       "before this one makes", name);
}

/* The two columns of long rows. false: no input has both, and that was said. */
static bool long_check(struct shaping *s)
{
    uint32_t i, key = 0, value = 0;

    for (i = 0; i < s->inputs->count; i++) {
        const struct aff_schema *schema = input_at(s->inputs, i)->schema;
        uint32_t k = schema_find(schema, s->config->key), v = schema_find(schema, s->config->value);

        key += k < schema->count;
        value += v < schema->count;
        if (k < schema->count && schema_column(schema, k)->type != AFF_TEXT) {
            s->wrong++;
            s->report->problem(s->report, "key", "names the column \"%s\", which is %s; keys are text",
                           s->config->key, type_name(schema_column(schema, k)->type));
        }
        if (k < schema->count && v < schema->count)
            return true;
    }
    if (!key)
        missing_say(s, "key", s->config->key);
    if (!value)
        missing_say(s, "value", s->config->value);
    if (key && value) {
        s->wrong++;
        s->report->problem(s->report, "value", "and key stand in different inputs; they must be columns of one row");
    }
    return false;
}

static void column_check(struct shaping *s, uint32_t c)
{
    struct want *w = &s->layout.wants[c];
    bool is_found = false;
    char path[40];
    uint32_t i;

    for (i = 0; i < s->inputs->count; i++)
        is_found |= input_give(s, input_at(s->inputs, i)->schema, w, &s->layout.columns[c]);
    if (is_found)
        return;
    snprintf(path, sizeof path, "columns[%u].%s", c, strcmp(w->from, w->name) == 0 ? "name" : "from");
    missing_say(s, path, w->from);
}

/* An edge that brings nothing is a mistake in the wiring. */
static void input_check(struct shaping *s, uint32_t i)
{
    const struct aff_schema *schema = input_at(s->inputs, i)->schema;
    uint32_t c;

    for (c = 0; c < s->layout.count; c++) {
        const struct want *w = &s->layout.wants[c];

        if (schema_find(schema, w->is_long ? s->config->value : w->from) < schema->count)
            return;
    }
    s->wrong++;
    s->report->problem(s->report, NULL, "input %u has none of the columns; take it out of from, or name one of its "
                       "columns", i + 1);
}

static int open_check(const struct aff_table *inputs, const struct aff_report *report)
{
    int wrong = 0;
    uint32_t i;

    for (i = 0; i < inputs->count; i++)
        if (!input_at(inputs, i)->schema) {
            report->problem(report, NULL, "the columns of input %u are known at run time only; declare them "
                            "(columns = [...]) in the node that reads them", i + 1);
            wrong++;
        }
    return wrong;
}

/* An age tells as much of its value as when that was measured. */
static void output_say(struct shaping *s)
{
    struct aff_shape out = { .struct_size = sizeof out, .schema = &s->layout.schema };
    uint32_t i;

    for (i = 0; i < s->inputs->count; i++) {
        label_raise(&out.subject, input_at(s->inputs, i)->subject);
        label_raise(&out.times, input_at(s->inputs, i)->times);
        label_raise(&out.names, input_at(s->inputs, i)->names);
    }
    for (i = 0; s->config->ages && i < s->layout.count; i++)
        s->layout.columns[s->layout.count + i].label = s->layout.columns[i].label;
    s->report->output(s->report, &out);
}

aff_status latest_shape(const void *config, const struct aff_table *inputs, const struct aff_report *report)
{
    struct shaping s = { .config = config, .inputs = inputs, .report = report };
    bool has_long = true;
    uint32_t i;

    if (open_check(inputs, report))
        return AFF_ERR_CONFIG;
    layout_build(&s.layout, s.config);
    if (*s.config->key)
        has_long = long_check(&s);
    for (i = 0; i < s.layout.count; i++)
        if (has_long || !s.layout.wants[i].is_long)
            column_check(&s, i);
    for (i = 0; !s.wrong && i < inputs->count; i++)
        input_check(&s, i);
    if (s.wrong)
        return AFF_ERR_CONFIG;
    output_say(&s);
    return AFF_OK;
}
