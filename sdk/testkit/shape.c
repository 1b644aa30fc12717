/* SPDX-License-Identifier: Apache-2.0
 *
 * shape.c - what a plugin says of its outputs before anything runs.
 *
 * What is said is copied, and checked as a host does: a schema whose tables are
 * not whole is a breach. A source that takes commands is asked twice, without them
 * and with them: it says the same of its outputs, or it is a breach.
 *
 * Not here: labels that follow by themselves where nothing is said; that rule is
 * the host's. */
#include "kit.h"

static struct {
    struct problems problems;
    struct aff_shape *outputs;
    struct memory memory; /* what outputs point to */
    struct problems said; /* all that was said of outputs, a line each */
} last;

static void *bytes_keep(const void *bytes, size_t size)
{
    return memcpy(memory_take(&last.memory, size), bytes, size);
}

static const char *text_keep(const char *text)
{
    return text ? bytes_keep(text, strlen(text) + 1) : NULL;
}

static const struct aff_schema *schema_keep(const struct aff_harness *h, const struct aff_schema *from)
{
    struct aff_schema *to = bytes_keep(from, sizeof *from);
    struct aff_column *columns;
    uint32_t i;

    if (from->type < AFF_BYTES || from->type > AFF_IMAGE || (from->count && !from->columns))
        kit_breach(h, "said an output's schema with an unknown type, or with columns that are not there");
    to->name = text_keep(from->name);
    to->columns = columns = memory_take(&last.memory, (from->count + 1u) * sizeof *columns);
    to->stride = sizeof *columns;
    for (i = 0; i < from->count; i++) {
        columns[i] = *column_at(from, i);
        if (!columns[i].name)
            kit_breach(h, "said an output's schema whose column %u has no name", (unsigned)i);
        columns[i].name = text_keep(columns[i].name);
        columns[i].unit = text_keep(columns[i].unit);
        columns[i].code = text_keep(columns[i].code);
    }
    return to;
}

static void shape_secure(const struct aff_report *report)
{
    const struct reporter *r = (const void *)report;

    kit_breach(r->h, "report->secure belongs in validate");
}

static void shape_note(const struct aff_report *report, const char *option, const char *format, ...)
{
    const struct reporter *r = (const void *)report;

    (void)option;
    (void)format;
    kit_breach(r->h, "report->note belongs in validate");
}

/* Each word of it, so that two askings can be compared. */
static void said_note(const struct aff_harness *h, const struct aff_shape *shape)
{
    const char *port = row_name(&h->plugin.outputs, shape->port);
    const struct aff_schema *schema = shape->schema;
    uint32_t i;

    problem_add(&last.said, port, "%d subject %d times %d names %d", shape->silent, shape->subject, shape->times,
                shape->names);
    if (schema)
        problem_add(&last.said, port, "%s type %d label %d", schema->name ? schema->name : "", schema->type,
                    schema->label);
    for (i = 0; schema && i < schema->count; i++) {
        const struct aff_column *c = column_at(schema, i);

        problem_add(&last.said, c->name, "%d label %d %s %s", c->type, c->label, c->unit ? c->unit : "",
                    c->code ? c->code : "");
    }
}

static void shape_output(const struct aff_report *report, const struct aff_shape *shape)
{
    const struct reporter *r = (const void *)report;
    struct aff_shape *to;

    if (shape->port >= r->h->plugin.outputs.count)
        kit_breach(r->h, "said what output %u carries; the table has %u", (unsigned)shape->port,
                   (unsigned)r->h->plugin.outputs.count);
    if (shape->subject > AFF_LABEL_PHI || shape->times > AFF_LABEL_PHI || shape->names > AFF_LABEL_PHI)
        kit_breach(r->h, "said an output with a label that is unknown");
    to = &r->outputs[shape->port];
    *to = *shape;
    to->struct_size = sizeof *to;
    if (shape->schema)
        to->schema = schema_keep(r->h, shape->schema);
    said_note(r->h, shape);
}

static void forget(void)
{
    free(last.problems.text);
    free(last.said.text);
    free(last.outputs);
    memory_free(&last.memory);
    memset(&last, 0, sizeof last);
}

static void shape_ask(struct aff_harness *h, const struct aff_table *inputs)
{
    struct reporter r = { { sizeof r.report, 0, report_problem, shape_secure, shape_output, shape_note }, h, &last.problems,
                          last.outputs };
    size_t before = last.problems.size;
    aff_status status;

    call_begin(h, CB_SHAPE);
    status = h->plugin.shape(h->config, inputs, &r.report);
    if ((status != AFF_OK) != (last.problems.size != before))
        kit_breach(h, "answered %d; expected AFF_OK where no problem was reported, an error where one was", (int)status);
    (void)call_end(h, AFF_OK);
}

/* Where it has said nothing there is no text. */
static int said_equal(const struct problems *a, const struct problems *b)
{
    return a->size == b->size && (a->size == 0 || memcmp(a->text, b->text, a->size) == 0);
}

/* Its commands may come from behind it: what it makes does not depend on them. */
static void source_ask(struct aff_harness *h, const struct aff_table *inputs)
{
    const struct aff_table none = { inputs->items, 0, inputs->stride };
    struct problems first;

    shape_ask(h, &none);
    if (last.problems.text || inputs->count == 0)
        return;
    first = last.said;
    last.said = (struct problems){ NULL, 0 };
    shape_ask(h, inputs);
    if (!said_equal(&first, &last.said))
        kit_breach(h, "said otherwise of its outputs when it knew its commands; expected the same, since commands may "
                   "come from behind it");
    free(first.text);
}

const char *aff_harness_shape(const char *name, const char *toml, const struct aff_shape *inputs,
                              uint32_t count, const struct aff_shape **ret_outputs)
{
    struct aff_table table = { inputs, count, sizeof *inputs };
    struct aff_harness *h;
    uint32_t i;

    forget();
    h = harness_new(name, toml, &last.problems);
    for (i = 0; i < count; i++)
        if (inputs[i].port >= h->plugin.inputs.count)
            kit_misuse("input %u comes by port %u; %s has %u", (unsigned)i, (unsigned)inputs[i].port, name,
                       (unsigned)h->plugin.inputs.count);
    last.outputs = kit_alloc((h->plugin.outputs.count + 1u) * sizeof *last.outputs);
    if (h->plugin.shape && !last.problems.text) {
        if (h->plugin.kind == AFF_SOURCE)
            source_ask(h, &table);
        else
            shape_ask(h, &table);
    }
    harness_free(h);
    if (ret_outputs)
        *ret_outputs = last.outputs;
    return last.problems.text;
}
