/* explain.c - see explain.h. */
#include "show/explain.h"

#include <afferent/plugin.h>

#include <string.h>

#include "show/table.h"
#include "util/units.h"

const char *explain_kind(uint32_t kind)
{
    return kind == AFF_SOURCE ? "source" : kind == AFF_PROCESSOR ? "processor" : "sink";
}

const char *explain_type(uint32_t type)
{
    static const char *const names[] = { "?", "bytes", "fields", "samples", "image" };

    return names[type < sizeof names / sizeof *names ? type : 0];
}

const char *explain_label(uint32_t label)
{
    return label == AFF_LABEL_PHI ? "phi" : label == AFF_LABEL_QUASI ? "quasi" : "none";
}

static const struct aff_port *out_port(const struct plan *plan, const struct plan_edge *e)
{
    return &plan->nodes[e->from].plugin->outputs[e->from_port];
}

static const struct aff_port *in_port(const struct plan *plan, const struct plan_edge *e)
{
    return &plan->nodes[e->to].plugin->inputs[e->to_port];
}

/* ---- what flows ---- */

static const struct aff_column *column_at(const struct aff_schema *s, uint32_t i)
{
    return (const struct aff_column *)(const void *)((const char *)s->columns + (size_t)i * s->stride);
}

static uint32_t schema_label(const struct aff_schema *schema)
{
    uint32_t label = schema->label;

    for (uint32_t i = 0; i < schema->count; i++)
        if (column_at(schema, i)->label > label)
            label = column_at(schema, i)->label;
    return label;
}

/* What nobody declared may be anything. A node that hands records on as they
 * are hands their label on. */
uint32_t explain_edge_label(const struct plan *plan, const struct plan_edge *e)
{
    const struct aff_port *port = out_port(plan, e);
    uint32_t label = AFF_LABEL_NONE;
    bool passes = false;

    if (port->schema)
        return schema_label(port->schema);
    for (uint32_t i = 0; i < plan->edge_count; i++) {
        const struct plan_edge *up = &plan->edges[i];

        if (up->to != e->from || port->passes != AFF_PASSES(up->to_port))
            continue;
        passes = true;
        if (explain_edge_label(plan, up) > label)
            label = explain_edge_label(plan, up);
    }
    return passes ? label : AFF_LABEL_PHI;
}

static void add_schema(struct text *text, const struct aff_schema *schema)
{
    text_print(text, " %s", schema->name ? schema->name : "");
    for (uint32_t i = 0; i < schema->count; i++) {
        const struct aff_column *c = column_at(schema, i);

        text_print(text, "%s%s", i ? ", " : "(", c->name);
        if (c->unit)
            text_print(text, " [%s]", c->unit);
    }
    text_add(text, schema->count ? ")" : "");
}

void explain_flow(struct text *text, const struct plan *plan, const struct plan_edge *e)
{
    const struct aff_port *from = out_port(plan, e), *to = in_port(plan, e);
    uint32_t types = from->types & to->types;
    const char *between = "";

    for (uint32_t type = AFF_BYTES; type <= AFF_IMAGE; type++)
        if (types & AFF_MASK(type)) {
            text_print(text, "%s%s", between, explain_type(type));
            between = " or ";
        }
    if (from->schema)
        add_schema(text, from->schema);
    else
        text_add(text, from->passes ? ", as it came in" : ", schema known when it runs");
}

const char *explain_copies(const struct plan *plan, const struct plan_edge *e)
{
    if (e->copies)
        return "one: the reader edits in place what others see too";
    if (in_port(plan, e)->flags & AFF_PORT_EDITS)
        return "none: the reader edits in place, and nobody else sees it";
    return "none: the reader only looks";
}

/* ---- printing ---- */

static void print_threads(const struct plan *plan, FILE *out)
{
    fputs("threads\n", out);
    for (uint32_t lane = 0; lane < plan->lane_count; lane++) {
        const char *between = "";

        fprintf(out, "  %u  ", lane);
        for (uint32_t i = 0; i < plan->node_count; i++)
            if (plan->nodes[i].lane == lane) {
                fprintf(out, "%s%s", between, plan->nodes[i].name);
                between = ", ";
            }
        fputc('\n', out);
    }
}

static void print_edge(const struct plan *plan, const struct plan_edge *e, FILE *out)
{
    const struct plan_node *from = &plan->nodes[e->from], *to = &plan->nodes[e->to];
    struct text text = { 0 };

    fprintf(out, "  %s.%s -> %s.%s  (%s:%u:%u)\n", from->name, out_port(plan, e)->name, to->name,
            in_port(plan, e)->name, e->at.file, e->at.line, e->at.column);
    explain_flow(&text, plan, e);
    fprintf(out, "    carries  %s\n", text.data ? text.data : "");
    fprintf(out, "    label    %s\n", explain_label(explain_edge_label(plan, e)));
    if (e->way == EDGE_FUSED)
        fprintf(out, "    way      fused: a call on thread %u\n", to->lane);
    else
        fprintf(out, "    way      ring: from thread %u to thread %u\n", from->lane, to->lane);
    fprintf(out, "    copies   %s\n", explain_copies(plan, e));
    text_free(&text);
    units_add_bytes(&text, (int64_t)e->buffer);
    fprintf(out, "    buffer   %s, when_full = \"block\"\n", text.data ? text.data : "");
    text_free(&text);
}

static void add_option(void *arg, const struct explain_option *option)
{
    struct table *table = arg;

    table_cell(table, "    %s", option->path);
    table_cell(table, "%s", option->value);
    table_cell(table, "%s", option->origin);
}

static void print_node(const struct plan *plan, uint32_t index, const struct value *document, FILE *out)
{
    const struct plan_node *n = &plan->nodes[index];
    struct table table;

    fprintf(out, "  %s  %s %s (%s), thread %u  (%s:%u)\n", n->name, n->plugin->about.name,
            n->plugin->about.version, explain_kind(n->plugin->about.kind), n->lane, n->at.file, n->at.line);
    if (n->plugin->option_count == 0 || !table_open(&table, 3))
        return;
    explain_options(plan, index, document, add_option, &table);
    table_print(&table, out);
    table_close(&table);
}

void explain_print(const struct plan *plan, const struct explain_origin *origin, FILE *out)
{
    struct arena *arena = arena_new();
    struct value *document = arena ? explain_document(arena, origin) : NULL;

    print_threads(plan, out);
    fputs("edges\n", out);
    for (uint32_t i = 0; i < plan->edge_count; i++)
        print_edge(plan, &plan->edges[i], out);
    fputs("nodes\n", out);
    for (uint32_t i = 0; i < plan->node_count; i++)
        print_node(plan, i, document, out);
    arena_free(&arena);
}
