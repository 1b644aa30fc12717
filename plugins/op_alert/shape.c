/* shape.c - whether the columns are there, and what the alerts carry.
 *
 * A column must be in one of the inputs, with a type that its rule can judge. An
 * input whose columns are known at run time only is refused when a rule or text
 * names a column. How labels go on is told at the head of alert.c.
 *
 * Not here: rules by themselves (check.c). */
#include <afferent/words.h>

#include "op_alert.h"

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

/* The rows of an edge of port `in`; NULL for others and for open ones. */
static const struct aff_schema *rows_at(const struct shapes *s, uint32_t i)
{
    const struct aff_shape *shape = shape_at(s, i);

    return shape->port == PORT_IN ? shape->schema : NULL;
}

static const struct aff_column *column_at(const struct aff_schema *schema, uint32_t i)
{
    return (const void *)((const char *)schema->columns + (size_t)i * schema->stride);
}

static const struct aff_column *column_in(const struct aff_schema *schema, const char *name)
{
    uint32_t i;

    for (i = 0; schema && i < schema->count; i++)
        if (column_at(schema, i)->name && strcmp(column_at(schema, i)->name, name) == 0)
            return column_at(schema, i);
    return NULL;
}

/* ---- did you mean ---- */

static const char *column_guess(const struct shapes *s, const char *name)
{
    struct aff_guess guess = { .word = name };
    uint32_t i, k;

    for (i = 0; i < s->inputs->count; i++) {
        const struct aff_schema *schema = rows_at(s, i);

        for (k = 0; schema && k < schema->count; k++) {
            if (column_at(schema, k)->name)
                aff_guess_offer(&guess, column_at(schema, k)->name);
        }
    }
    return guess.best;
}

/* The columns there are, as many as fit. */
static void columns_list(const struct shapes *s, char *text, size_t room)
{
    size_t used = 0;
    uint32_t i, k;

    text[0] = 0;
    for (i = 0; i < s->inputs->count; i++) {
        const struct aff_schema *schema = rows_at(s, i);

        for (k = 0; schema && k < schema->count; k++) {
            const char *name = column_at(schema, k)->name;

            if (!name || used + strlen(name) + 8 > room)
                continue;
            used += (size_t)snprintf(text + used, room - used, "%s%s", used ? ", " : "", name);
        }
    }
}

/* ---- what is missing ---- */

static void column_missing(struct shapes *s, uint32_t rule, const char *option, const char *name)
{
    const char *guess = column_guess(s, name);
    char path[48], list[512];

    (void)snprintf(path, sizeof path, "rules[%u].%s", (unsigned)rule, option);
    columns_list(s, list, sizeof list);
    if (guess)
        s->report->problem(s->report, path, "rule \"%s\": no input has a column \"%s\"; expected one of: %s; did you "
                           "mean \"%s\"?", s->plan->rules[rule].config->name, name, list, guess);
    else
        s->report->problem(s->report, path, "rule \"%s\": no input has a column \"%s\"; expected one of: %s; name one "
                           "of these", s->plan->rules[rule].config->name, name, *list ? list : "none");
    s->ok = false;
}

/* The column of a rule: somewhere, and everywhere of a type that it can judge. */
static void rule_column(struct shapes *s, uint32_t rule)
{
    const struct rule *r = &s->plan->rules[rule];
    const char *name = r->column < 0 ? NULL : s->plan->columns[r->column].name;
    uint32_t i, found = 0;
    char path[48];

    for (i = 0; name && i < s->inputs->count; i++) {
        const struct aff_column *c = column_in(rows_at(s, i), name);

        found += c != NULL;
        if (!c || rule_takes(r->kind, c->type))
            continue;
        (void)snprintf(path, sizeof path, "rules[%u].%s", (unsigned)rule, kind_names[r->kind]);
        s->report->problem(s->report, path, "rule \"%s\": column \"%s\" is %s, but %s judges %s; expected a column that it can judge; "
                           "%s",
                           r->config->name, name, type_name(c->type), kind_names[r->kind], kind_needs(r->kind),
                           c->type == AFF_TEXT ? "use equals, or a column of numbers" : "use above, at_least, below "
                           "or at_most, or a column of text");
        s->ok = false;
    }
    if (name && found == 0)
        column_missing(s, rule, "column", name);
}

static void text_columns(struct shapes *s, uint32_t rule)
{
    const struct template *text = &s->plan->rules[rule].text;
    uint32_t i, k, found;
    char name[NAME_MOST];

    for (i = 0; i < text->count; i++) {
        if (!text->pieces[i].name || word_of(&text->pieces[i]) != WORD_COLUMN)
            continue;
        (void)snprintf(name, sizeof name, "%.*s", (int)text->pieces[i].length, text->pieces[i].at);
        for (k = 0, found = 0; k < s->inputs->count; k++)
            found += column_in(rows_at(s, k), name) != NULL;
        if (found == 0)
            column_missing(s, rule, "text", name);
    }
}

static bool open_refused(struct shapes *s)
{
    uint32_t i;

    for (i = 0; i < s->inputs->count && s->plan->column_count > 0; i++) {
        if (shape_at(s, i)->port != PORT_IN || shape_at(s, i)->schema)
            continue;
        s->report->problem(s->report, "rules", "the columns of input %u are known at run time only, and the rules name "
                           "some; expected known ones; declare them (columns = [...]) in the node that reads them",
                           (unsigned)i + 1);
        return true;
    }
    return false;
}

/* What an acknowledgement is read from, where that is known. */
static void commands_check(struct shapes *s)
{
    uint32_t i;

    for (i = 0; i < s->inputs->count; i++) {
        const struct aff_schema *c = shape_at(s, i)->port == PORT_COMMANDS ? shape_at(s, i)->schema : NULL;
        bool has_alert = column_in(c, "alert") || (column_in(c, "rule") && column_in(c, "place"));

        if (!c || (column_in(c, "action") && has_alert))
            continue;
        s->report->problem(s->report, NULL, "input \"commands\" lacks columns; expected action, and alert or rule and "
                           "place, all text; declare them in the node that reads the commands");
        s->ok = false;
    }
}

/* ---- labels ---- */

static uint8_t subject_label(const struct shapes *s)
{
    uint8_t label = AFF_LABEL_NONE;
    uint32_t i;

    for (i = 0; i < s->inputs->count; i++)
        if (shape_at(s, i)->port == PORT_IN && shape_at(s, i)->subject > label)
            label = shape_at(s, i)->subject;
    return label;
}

static uint8_t name_label(const struct shapes *s, const struct piece *piece, uint8_t subject)
{
    uint8_t label = AFF_LABEL_NONE;
    char name[NAME_MOST];
    uint32_t i;

    switch (word_of(piece)) {
    case WORD_SUBJECT: return subject;
    case WORD_PLACE:   return s->plan->place_of_subject ? subject : AFF_LABEL_NONE;
    case WORD_COLUMN:  break;
    default:           return AFF_LABEL_NONE;
    }
    (void)snprintf(name, sizeof name, "%.*s", (int)piece->length, piece->at);
    for (i = 0; i < s->inputs->count; i++) {
        const struct aff_column *c = column_in(rows_at(s, i), name);

        if (c && c->label > label)
            label = c->label;
    }
    return label;
}

static uint8_t texts_label(const struct shapes *s, uint8_t subject)
{
    uint8_t label = AFF_LABEL_NONE;
    uint32_t i, k;

    for (i = 0; i < s->plan->rule_count; i++) {
        const struct template *text = &s->plan->rules[i].text;

        for (k = 0; k < text->count; k++) {
            uint8_t one = text->pieces[k].name ? name_label(s, &text->pieces[k], subject) : AFF_LABEL_NONE;

            label = one > label ? one : label;
        }
    }
    return label;
}

static void output_say(const struct shapes *s)
{
    uint8_t subject = subject_label(s), place = s->plan->place_of_subject ? subject : AFF_LABEL_NONE;
    struct aff_column columns[OUT_COLUMNS];
    struct aff_schema schema = alert_schema;
    struct aff_shape shape = { .struct_size = sizeof shape, .schema = &schema, .subject = place };

    memcpy(columns, alert_columns, sizeof columns);
    columns[OUT_PLACE].label = place;
    columns[OUT_TEXT].label = texts_label(s, subject);
    schema.columns = columns;
    s->report->output(s->report, &shape);
}

aff_status alerts_shape(const void *config, const struct aff_table *inputs, const struct aff_report *report)
{
    struct plan plan;
    struct shapes s = { &plan, inputs, report, true };
    uint32_t i;

    plan_open(&plan, config);
    if (open_refused(&s))
        return AFF_ERR_CONFIG;
    for (i = 0; i < plan.rule_count; i++) {
        rule_column(&s, i);
        text_columns(&s, i);
    }
    commands_check(&s);
    if (!s.ok)
        return AFF_ERR_CONFIG;
    output_say(&s);
    return AFF_OK;
}
