/* SPDX-License-Identifier: Apache-2.0
 *
 * shape.c - what a plugin says of its outputs before anything runs.
 *
 * What is said is copied, and checked as a host does: a schema whose tables are
 * not whole is a breach.
 *
 * Not here: labels that follow by themselves where nothing is said; that rule is
 * the host's. */
#include "kit.h"

static struct {
    struct problems problems;
    struct aff_shape *outputs;
    struct memory memory; /* what outputs point to */
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
}

static void forget(void)
{
    free(last.problems.text);
    free(last.outputs);
    memory_free(&last.memory);
    memset(&last, 0, sizeof last);
}

const char *aff_harness_shape(const char *name, const char *toml, const struct aff_shape *inputs,
                              uint32_t count, const struct aff_shape **ret_outputs)
{
    struct aff_table table = { inputs, count, sizeof *inputs };
    struct aff_harness *h;
    struct reporter r;
    size_t before;
    aff_status status;

    forget();
    h = harness_new(name, toml, &last.problems);
    last.outputs = kit_alloc((h->plugin.outputs.count + 1u) * sizeof *last.outputs);
    before = last.problems.size;
    r = (struct reporter){ { sizeof r.report, 0, report_problem, shape_secure, shape_output }, h, &last.problems,
                           last.outputs };
    if (h->plugin.shape && !last.problems.text) {
        call_begin(h, CB_SHAPE);
        status = h->plugin.shape(h->config, &table, &r.report);
        if ((status != AFF_OK) != (last.problems.size != before))
            kit_breach(h, "answered %d; expected AFF_OK where no problem was reported, an error where one was",
                       (int)status);
        (void)call_end(h, AFF_OK);
    }
    harness_free(h);
    if (ret_outputs)
        *ret_outputs = last.outputs;
    return last.problems.text;
}
