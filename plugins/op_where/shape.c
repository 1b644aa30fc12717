/* SPDX-License-Identifier: Apache-2.0
 *
 * shape.c - what the options get wrong, and what the outputs carry.
 *
 * A derived column carries the highest label of what it is made of. Inputs that
 * differ in their columns make an output that is open: all its columns count as
 * identifying. What a condition lets pass tells something about the columns that
 * it asks for; labels do not follow that. */
#include "shape.h"

#include <string.h>

struct saying {
    const struct aff_report *report;
};

/* Many faults say no more than what was expected; what to do is then always the same. */
static void say(void *context, const struct expr_fault *f)
{
    const struct aff_report *report = ((const struct saying *)context)->report;
    const char *expected = strstr(f->text, "expected ");
    const char *what = expected == f->text ? "something is missing or wrong here; " : "";
    const char *remedy = expected && !strstr(expected, "; ") ? "; correct it there" : "";

    if (f->at)
        report->problem(report, f->option, "%s: character %u: %s%s%s", f->option, (unsigned)f->at, what, f->text, remedy);
    else
        report->problem(report, f->option, "%s: %s%s%s", f->option, what, f->text, remedy);
}

aff_status where_validate(const void *config, const struct aff_report *report)
{
    struct saying to = { report };

    return config_check(config, say, &to) < 0 ? AFF_ERR_CONFIG : AFF_OK;
}

struct shaping {
    const struct aff_report *report;
    const struct config *config;
    struct plan *plan;
    struct aff_column *columns;  /* of the input at hand */
    struct aff_column *said;     /* of the first input, for output out */
    struct aff_shape out, rest;
    struct aff_schema out_schema;
    uint32_t seen;
};

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_columns(const struct aff_schema *a, const struct aff_schema *b)
{
    uint32_t i;

    if (a->count != b->count)
        return false;
    for (i = 0; i < a->count; i++) {
        const struct aff_column *x = scope_column(a, i), *y = scope_column(b, i);

        if (strcmp(x->name, y->name) != 0 || x->type != y->type || x->label != y->label ||
            !same_text(x->unit, y->unit) || !same_text(x->code, y->code))
            return false;
    }
    return true;
}

static uint8_t higher(uint8_t a, uint8_t b)
{
    return a > b ? a : b;
}

static void labels_raise(struct aff_shape *to, const struct aff_shape *from)
{
    to->subject = higher(to->subject, from->subject);
    to->times = higher(to->times, from->times);
    to->names = higher(to->names, from->names);
}

/* Another input's rows come by the same output: it stays known if they agree. */
static void schema_join(struct shaping *s, struct aff_shape *to, const struct aff_schema *schema)
{
    if (s->seen == 0)
        to->schema = schema;
    else if (to->schema && (!schema || !same_columns(to->schema, schema)))
        to->schema = NULL;
}

static int input_bind(struct shaping *s, const struct aff_shape *in)
{
    struct expr_scope scope = { .schema = in->schema, .time_label = in->times, .lists_columns = true };
    struct expr_fault fault = { .at = 0 };
    struct saying to = { s->report };

    if (plan_bind(s->plan, &scope, &fault) == 0)
        return 0;
    if (fault.needs_columns)
        s->report->problem(s->report, fault.option, "%s: the columns of its input are known at run time only; "
                           "expected known ones; declare them (columns = [...]) in the node that reads them", fault.option);
    else
        say(&to, &fault);
    return -1;
}

static int input_shape(struct shaping *s, const struct aff_shape *in)
{
    const struct aff_schema *out = in->schema;
    struct aff_schema made;

    if (input_bind(s, in) < 0)
        return -1;
    if (config_rewrites(s->config)) {
        made = plan_schema(s->plan, in->schema, s->seen ? s->columns : s->said);
        out = &made;
        if (s->seen == 0) {
            s->out_schema = made;
            out = &s->out_schema;
        }
    }
    schema_join(s, &s->out, out);
    schema_join(s, &s->rest, in->schema);
    labels_raise(&s->out, in);
    labels_raise(&s->rest, in);
    s->seen++;
    return 0;
}

static int inputs_shape(struct shaping *s, const struct aff_table *inputs)
{
    struct aff_shape in;
    uint32_t i;

    for (i = 0; i < inputs->count; i++) {
        memset(&in, 0, sizeof in);
        memcpy(&in, (const char *)inputs->items + (size_t)i * inputs->stride,
               inputs->stride < sizeof in ? inputs->stride : sizeof in);
        if (input_shape(s, &in) < 0)
            return -1;
    }
    s->out.port = OUTPUT_OUT;
    s->rest.port = OUTPUT_REST;
    if (s->seen && config_rewrites(s->config))
        s->report->output(s->report, &s->out); /* else it has what it passes */
    if (s->seen)
        s->report->output(s->report, &s->rest);
    return 0;
}

aff_status where_shape(const void *config, const struct aff_table *inputs, const struct aff_report *report)
{
    struct shaping s = { .report = report, .config = config };
    struct rules *rules = rules_new(NULL, config);
    aff_status st = AFF_ERR_MEMORY;

    s.out.struct_size = s.rest.struct_size = sizeof s.out;
    s.plan = rules ? plan_new(NULL, rules) : NULL;
    s.columns = rules_take(NULL, 2 * EXPR_COLUMNS_MAX * sizeof *s.columns);
    s.said = s.columns ? s.columns + EXPR_COLUMNS_MAX : NULL;
    if (s.plan && s.columns)
        st = inputs_shape(&s, inputs) < 0 ? AFF_ERR_CONFIG : AFF_OK;
    else
        report->problem(report, NULL, "there is no memory to look at the columns; free memory and try again");
    rules_give(NULL, s.columns);
    rules_give(NULL, s.plan);
    rules_give(NULL, rules);
    return st;
}
