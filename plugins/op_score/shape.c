/* SPDX-License-Identifier: Apache-2.0
 *
 * shape.c - the model is read, its features are found in the inputs, and what
 * goes out is said.
 *
 * A result carries the highest label of the columns it is made of, over all
 * inputs; what is said about the model carries none. */
#include "shape.h"

#include <string.h>

static void say(const struct teller *teller, const char *option, const char *text)
{
    const struct aff_report *report = teller->context;

    if (option)
        report->problem(report, option, "%s: %s", option, text);
    else
        report->problem(report, NULL, "%s", text);
}

/* A part of names: short, printable, no '/' that would look like a stream of another node. */
static bool text_is_fit(const char *text)
{
    const char *c;

    for (c = text; *c; c++)
        if ((unsigned char)*c <= ' ' || *c == 0x7f || *c == '/')
            return false;
    return c - text <= OPTION_TEXT_MAX;
}

aff_status score_validate(const void *config, const struct aff_report *report)
{
    const struct config *c = config;
    aff_status st = AFF_OK;
    uint32_t i;

    if (!*c->name || !text_is_fit(c->name)) {
        report->problem(report, "name",
                        "name: no word that can be used; expected up to %d characters without spaces and /; "
                        "write such a word",
                        OPTION_TEXT_MAX);
        st = AFF_ERR_CONFIG;
    }
    if (!text_is_fit(c->prefix)) {
        report->problem(report, "prefix",
                        "prefix: no word that can be used; expected up to %d characters without spaces and /; "
                        "write such a word",
                        OPTION_TEXT_MAX);
        st = AFF_ERR_CONFIG;
    }
    for (i = 0; i < c->features.count; i++) {
        if (*config_feature(c, i)->column)
            continue;
        report->problem(report, "features", "features: an empty name; expected that of a column; write it, or take the feature out");
        st = AFF_ERR_CONFIG;
    }
    return st;
}

struct shaping {
    const struct aff_report *report;
    const struct config *config;
    const struct model *model;
    struct teller teller;
    struct result_names names;
    struct aff_column *columns, *said; /* of the input at hand, of the first one */
    uint16_t matched[MODEL_FEATURES_MAX];
    struct aff_shape out;
    struct aff_schema schema;
    uint32_t seen;
};

static uint8_t higher(uint8_t a, uint8_t b)
{
    return a > b ? a : b;
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

/* Joins another input's columns to what was said; false where they differ in
 * more than labels, of which the higher stay. */
static bool columns_join(struct shaping *s, const struct aff_schema *other)
{
    uint32_t i;

    if (other->count != s->schema.count)
        return false;
    for (i = 0; i < other->count; i++) {
        struct aff_column *a = &s->said[i];
        const struct aff_column *b = &s->columns[i];

        if (strcmp(a->name, b->name) != 0 || a->type != b->type || !same_text(a->unit, b->unit) ||
            !same_text(a->code, b->code))
            return false;
        a->label = higher(a->label, b->label);
    }
    return true;
}

static int input_shape(struct shaping *s, const struct aff_shape *in)
{
    struct outline o = { s->config, s->model, &s->names, s->seen ? s->columns : s->said, 0 };
    struct aff_schema made;

    if (!in->schema) {
        s->report->problem(s->report, "features",
                           "features: the columns of its input are known at run time only; expected "
                           "known ones; declare them (columns = [...]) in the node that reads them");
        return -1;
    }
    if (match_columns(s->config, s->model, in->schema, s->matched, &s->teller) < 0)
        return -1;
    o.label = match_label(s->model, in->schema, s->matched);
    if (outline_schema(&o, in->schema, &made, &s->teller) < 0)
        return -1;
    if (s->seen == 0) {
        s->schema = made;
        s->out.schema = &s->schema;
    } else if (s->out.schema && !columns_join(s, &made)) {
        s->out.schema = NULL;
    }
    s->out.subject = higher(s->out.subject, in->subject);
    s->out.times = higher(s->out.times, in->times);
    s->out.names = higher(s->out.names, in->names);
    s->seen++;
    return 0;
}

static int inputs_shape(struct shaping *s, const struct aff_table *inputs)
{
    struct aff_shape in;
    uint32_t i;

    if (map_check(s->config, s->model, &s->teller) < 0)
        return -1;
    for (i = 0; i < inputs->count; i++) {
        memset(&in, 0, sizeof in);
        memcpy(&in, (const char *)inputs->items + (size_t)i * inputs->stride,
               inputs->stride < sizeof in ? inputs->stride : sizeof in);
        if (input_shape(s, &in) < 0)
            return -1;
    }
    s->out.struct_size = sizeof s->out;
    if (s->seen)
        s->report->output(s->report, &s->out);
    return 0;
}

static int model_shape(struct shaping *s, const struct aff_table *inputs)
{
    struct aff_column *columns = model_take(NULL, 2 * (COLUMNS_MAX + OUTS) * sizeof *columns);
    int status = -1;

    names_fill(&s->names, s->config->prefix);
    s->columns = columns;
    s->said = columns ? columns + COLUMNS_MAX + OUTS : NULL;
    if (columns)
        status = inputs_shape(s, inputs);
    else
        s->report->problem(s->report, NULL, "there is no memory to look at the columns; free memory and try again");
    model_give(NULL, columns);
    return status;
}

aff_status score_shape(const void *config, const struct aff_table *inputs, const struct aff_report *report)
{
    struct shaping s = { .report = report, .config = config, .teller = { say, report, true } };
    struct model_fault fault = { "" };
    struct model *model = NULL;
    aff_status st = model_load(NULL, s.config->model, &model, &fault);

    if (st < 0) {
        report->problem(report, "model", "model: %s", fault.text);
        return AFF_ERR_CONFIG;
    }
    s.model = model;
    st = model_shape(&s, inputs) < 0 ? AFF_ERR_CONFIG : AFF_OK;
    model_give(NULL, model);
    return st;
}
