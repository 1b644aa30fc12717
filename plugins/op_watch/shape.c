/* SPDX-License-Identifier: Apache-2.0
 *
 * shape.c - whether the columns that rules name are there, and what comes out.
 *
 * A column must be in one of the inputs of port `in`, unless one of those has
 * columns that are known at run time only.
 *
 * Not here: rules by themselves (rules.c). */
#include <afferent/words.h>

#include "watch.h"

#include <stdio.h>
#include <string.h>

struct shapes {
    const struct plan *plan;
    const struct aff_table *inputs;
    const struct aff_report *report;
    bool ok;
};

static const struct aff_shape *shape_at(const struct shapes *s, uint32_t i)
{
    return (const void *)((const char *)s->inputs->items + (size_t)i * s->inputs->stride);
}

static const struct aff_column *column_at(const struct aff_schema *schema, uint32_t i)
{
    return (const void *)((const char *)schema->columns + (size_t)i * schema->stride);
}

static const struct aff_column *column_in(const struct aff_schema *schema, const char *name)
{
    uint32_t i;

    for (i = 0; i < schema->count; i++)
        if (column_at(schema, i)->name && strcmp(column_at(schema, i)->name, name) == 0)
            return column_at(schema, i);
    return NULL;
}

/* Whether an input has the column, or may have it. */
static bool column_there(const struct shapes *s, const char *name, bool is_range)
{
    uint32_t i;

    for (i = 0; i < s->inputs->count; i++) {
        const struct aff_shape *in = shape_at(s, i);
        const struct aff_column *c;

        if (in->port != PORT_IN)
            continue;
        c = in->schema ? column_in(in->schema, name) : NULL;
        if (!in->schema || (c && !(is_range && in->schema->type == AFF_FIELDS && c->type == AFF_TEXT)))
            return true;
    }
    return false;
}

static void column_missing(struct shapes *s, uint32_t rule, const char *option, const char *name)
{
    struct aff_guess guess = { .word = name };
    char path[48], list[512] = "";
    size_t used = 0;
    uint32_t i, k;

    for (i = 0; i < s->inputs->count; i++) {
        const struct aff_schema *schema = shape_at(s, i)->port == PORT_IN ? shape_at(s, i)->schema : NULL;

        for (k = 0; schema && k < schema->count; k++) {
            const char *one = column_at(schema, k)->name;

            if (!one || used + strlen(one) + 8 > sizeof list)
                continue;
            aff_guess_offer(&guess, one);
            used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", used ? ", " : "", one);
        }
    }
    (void)snprintf(path, sizeof path, "rules[%u].%s", (unsigned)rule, option);
    s->report->problem(s->report, path, "rule \"%s\": no input has a column or channel \"%s\" that it can judge; expected one of: "
                       "%s; %s%s%s", s->plan->rules[rule].config->name, name, *list ? list : "none",
                       guess.best ? "did you mean \"" : "name one of these", guess.best ? guess.best : "",
                       guess.best ? "\"?" : "");
    s->ok = false;
}

static void rule_check(struct shapes *s, uint32_t i)
{
    const struct rule *r = &s->plan->rules[i];

    if (rule_has_column(r->kind) && !column_there(s, r->config->column, r->kind != KIND_MISSING))
        column_missing(s, i, "column", r->config->column);
    if (*r->config->beside && !column_there(s, r->config->beside, false))
        column_missing(s, i, "beside", r->config->beside);
}

static bool is_connected(const struct shapes *s, uint32_t port)
{
    uint32_t i;

    for (i = 0; i < s->inputs->count; i++)
        if (shape_at(s, i)->port == port)
            return true;
    return false;
}

/* Events are rows with a column `kind` of text; rules on them need some. */
static void events_check(struct shapes *s)
{
    uint32_t i;

    for (i = 0; i < s->inputs->count; i++) {
        const struct aff_schema *schema = shape_at(s, i)->port == PORT_EVENTS ? shape_at(s, i)->schema : NULL;
        const struct aff_column *kind = schema ? column_in(schema, "kind") : NULL;

        if (schema && (!kind || kind->type != AFF_TEXT)) {
            s->report->problem(s->report, NULL, "input \"events\" lacks the column kind of text; expected a device's events; "
                                                "connect its port events");
            s->ok = false;
        }
    }
    for (i = 0; i < s->plan->count; i++)
        if (rule_by_events(&s->plan->rules[i]) && !is_connected(s, PORT_EVENTS)) {
            s->report->problem(s->report, "rules", "rule \"%s\" is about events of a device, and nothing comes in there; "
                               "expected from = { in = ..., events = \"NODE.events\" }; connect them",
                               s->plan->rules[i].config->name);
            s->ok = false;
            return;
        }
}

/* ---- what comes out ---- */

static uint8_t higher(uint8_t a, uint8_t b)
{
    return a > b ? a : b;
}

static void outputs_say(const struct shapes *s)
{
    struct aff_shape event = { .struct_size = sizeof event, .port = OUT_EVENTS, .schema = &event_schema };
    struct aff_shape command = { .struct_size = sizeof command, .port = OUT_COMMANDS, .schema = &command_schema };
    struct aff_shape alert = { .struct_size = sizeof alert, .port = OUT_ALERTS };
    struct aff_column columns[OUT_COLUMNS];
    struct aff_schema schema = alert_schema;
    uint32_t i;

    for (i = 0; i < s->inputs->count; i++) {
        event.subject = higher(event.subject, shape_at(s, i)->subject);
        event.times = higher(event.times, shape_at(s, i)->times);
    }
    command.subject = s->plan->place_of_subject ? event.subject : AFF_LABEL_NONE;
    alert.subject = command.subject;
    memcpy(columns, alert_columns, sizeof columns);
    columns[OUT_PLACE].label = alert.subject;
    schema.columns = columns;
    alert.schema = &schema;
    command.silent = 1;
    alert.silent = 1;
    for (i = 0; i < s->plan->count; i++) {
        command.silent = command.silent && !s->plan->rules[i].commands;
        alert.silent = alert.silent && !s->plan->rules[i].alerts;
    }
    s->report->output(s->report, &event);
    s->report->output(s->report, &command);
    s->report->output(s->report, &alert);
}

aff_status watch_shape(const void *config, const struct aff_table *inputs, const struct aff_report *report)
{
    struct plan plan;
    struct shapes s = { &plan, inputs, report, true };
    uint32_t i;

    plan_open(&plan, config);
    for (i = 0; i < plan.count; i++)
        rule_check(&s, i);
    events_check(&s);
    if (!s.ok)
        return AFF_ERR_CONFIG;
    outputs_say(&s);
    return AFF_OK;
}
