/* explain.c - see explain.h. */
#include "show/explain.h"

#include <afferent/plugin.h>

#include <string.h>

#include "config/delivery.h"
#include "config/label_way.h"
#include "config/schemas.h"
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

const char *explain_label_of(enum label_of of)
{
    static const char *const names[LABEL_KINDS] = { "subject", "times", "names", "payload" };

    return names[of];
}

const char *explain_known(enum shape_known known)
{
    static const char *const names[] = {
        [SHAPE_OPEN] = "known when it runs",
        [SHAPE_TABLE] = "as the plugin's table says",
        [SHAPE_PASSED] = "as it came in",
        [SHAPE_SAID] = "as the plugin says for its options and inputs",
        [SHAPE_SILENT] = "nothing",
    };

    return names[known];
}

static void add_column(struct text *text, const struct aff_column *c)
{
    text_add(text, c->name);
    if (c->unit)
        text_print(text, " [%s]", c->unit);
    if (c->label)
        text_print(text, " %s", explain_label(c->label));
}

static void add_schema(struct text *text, const struct aff_schema *schema)
{
    if (schema->name)
        text_print(text, " %s", schema->name);
    for (uint32_t i = 0; i < schema->count; i++) {
        text_add(text, i ? ", " : "(");
        add_column(text, schema_at(schema, i));
    }
    text_add(text, schema->count ? ")" : "");
    if (schema->label)
        text_print(text, " %s", explain_label(schema->label));
}

void explain_flow(struct text *text, const struct plan *plan, const struct plan_edge *e)
{
    const struct plan_output *output = plan_output(plan, e);

    for (uint32_t i = 0; i < output->shape_count; i++) {
        const struct plan_shape *shape = &output->shapes[i];

        text_add(text, i ? "; or " : "");
        schema_add_types(text, shape->types & in_port(plan, e)->types);
        if (shape->schema)
            add_schema(text, shape->schema);
        else
            text_print(text, " of any schema%s%s", shape->labels[LABEL_OF_PAYLOAD] ? " " : "",
                       shape->labels[LABEL_OF_PAYLOAD] ? explain_label(shape->labels[LABEL_OF_PAYLOAD]) : "");
    }
    text_print(text, ", %s", explain_known(output->known));
}

void explain_way(struct text *text, const struct plan *plan, uint32_t edge, enum label_of of)
{
    uint8_t label = plan_output(plan, &plan->edges[edge])->labels[of];
    struct label_way way = { 0 };

    if (label && label_way_find(plan, edge, of, label, NULL, &way))
        label_way_add(text, plan, &way);
    label_way_free(&way);
}

const char *explain_copies(const struct plan *plan, const struct plan_edge *e)
{
    if (e->way == EDGE_QUEUE)
        return e->copies ? "two: into the queue, and out of it for a reader that edits or hands on"
                         : "one: into the queue";
    if (e->copies)
        return "one: the reader edits in place what others see too";
    if (in_port(plan, e)->flags & AFF_PORT_EDITS)
        return "none: the reader edits in place, and nobody else sees it";
    return "none: the reader only looks";
}

void explain_slow(struct text *text, const struct plan_edge *e)
{
    text_print(text, "when_full = \"%s\"", delivery_when_full(e->when_full));
    if (e->when_full == WHEN_FULL_BLOCK)
        return;
    text_print(text, ", priority = \"%s\"", delivery_priority(e->priority));
    if (e->expire_ns) {
        text_add(text, ", expire = \"");
        units_add_duration(text, e->expire_ns);
        text_add(text, "\"");
    }
}

const char *explain_edge_way(const struct plan_edge *e)
{
    static const char *const names[] = { [EDGE_FUSED] = "fused", [EDGE_RING] = "ring", [EDGE_QUEUE] = "queue" };

    return names[e->way];
}

/* ---- printing ---- */

static void print_store(const struct plan *plan, FILE *out)
{
    struct text limit = { 0 };

    units_add_bytes(&limit, (int64_t)plan->store_limit);
    if (plan->store_limit)
        fprintf(out, "store\n  %s at most, %s\n", limit.data ? limit.data : "?",
                plan->store_key ? "sealed by store_key" : "not sealed: no store_key");
    else
        fputs("store\n  none: store_limit is 0\n", out);
    text_free(&limit);
}

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

/* Kinds that are labelled alike, and came alike, share a line. */
static void print_labels(const struct plan *plan, uint32_t edge, FILE *out)
{
    const uint8_t *labels = plan_output(plan, &plan->edges[edge])->labels;
    struct text ways[LABEL_KINDS] = { { 0 } };
    bool is_done[LABEL_KINDS] = { false };
    const char *head = "label";

    for (uint32_t of = 0; of < LABEL_KINDS; of++)
        explain_way(&ways[of], plan, edge, (enum label_of)of);
    for (uint32_t of = 0; of < LABEL_KINDS; of++) {
        if (is_done[of])
            continue;
        fprintf(out, "    %-8s %s", head, explain_label_of((enum label_of)of));
        for (uint32_t k = of + 1; k < LABEL_KINDS; k++) {
            if (labels[k] != labels[of] || strcmp(ways[k].data ? ways[k].data : "",
                                                  ways[of].data ? ways[of].data : "") != 0)
                continue;
            is_done[k] = true;
            fprintf(out, ", %s", explain_label_of((enum label_of)k));
        }
        fprintf(out, ": %s%s%s\n", explain_label(labels[of]), ways[of].data ? ", by " : "",
                ways[of].data ? ways[of].data : "");
        head = "";
    }
    for (uint32_t of = 0; of < LABEL_KINDS; of++)
        text_free(&ways[of]);
}

static void print_way(const struct plan *plan, const struct plan_edge *e, FILE *out)
{
    const struct plan_node *from = &plan->nodes[e->from], *to = &plan->nodes[e->to];

    if (e->way == EDGE_FUSED)
        fprintf(out, "    way      fused: a call on thread %u\n", to->lane);
    else if (e->way == EDGE_RING)
        fprintf(out, "    way      ring: from thread %u to thread %u\n", from->lane, to->lane);
    else
        fprintf(out, "    way      queue: copies, from thread %u to thread %u%s\n", from->lane, to->lane,
                e->when_full == WHEN_FULL_SPILL && plan->store_limit ? ", and the store behind it" : "");
}

static void print_edge(const struct plan *plan, uint32_t index, FILE *out)
{
    const struct plan_edge *e = &plan->edges[index];
    const struct plan_node *from = &plan->nodes[e->from], *to = &plan->nodes[e->to];
    struct text text = { 0 };

    fprintf(out, "  %s.%s -> %s.%s  (%s:%u:%u)\n", from->name, out_port(plan, e)->name, to->name,
            in_port(plan, e)->name, e->at.file, e->at.line, e->at.column);
    explain_flow(&text, plan, e);
    fprintf(out, "    carries  %s\n", text.data ? text.data : "");
    print_labels(plan, index, out);
    if (plan_output(plan, e)->cleared)
        fprintf(out, "    cleared  %s: run.clears of %s\n", plan_output(plan, e)->cleared, from->name);
    print_way(plan, e, out);
    fprintf(out, "    copies   %s\n", explain_copies(plan, e));
    text_free(&text);
    units_add_bytes(&text, (int64_t)e->buffer);
    text_add(&text, ", ");
    explain_slow(&text, e);
    fprintf(out, "    buffer   %s\n", text.data ? text.data : "");
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

    fprintf(out, "  %s  %s %s (%s), thread %u%s%s%s  (%s:%u)\n", n->name, n->plugin->about.name,
            n->plugin->about.version, explain_kind(n->plugin->about.kind), n->lane,
            n->in_process ? ", in a process of its own" : "", n->require_sandbox ? ", sandbox required" : "",
            n->durable ? ", durable" : "", n->at.file, n->at.line);
    if (n->plugin->option_count == 0 || !table_open(&table, 3))
        return;
    explain_options(plan, index, document, add_option, &table);
    table_print(&table, out);
    table_close(&table);
}

/* ---- what leaves ---- */

const struct plan_leave *explain_leave(const struct plan *plan, uint32_t node)
{
    for (uint32_t i = 0; i < plan->leave_count; i++) {
        if (plan->leaves[i].node == node)
            return &plan->leaves[i];
    }
    return NULL;
}

void explain_leaves(const struct plan *plan, FILE *out)
{
    for (uint32_t i = 0; i < plan->leave_count; i++) {
        const struct plan_leave *leave = &plan->leaves[i];
        const struct plan_node *n = &plan->nodes[leave->node];

        if (leave->reason)
            fprintf(out, "%s:%u:%u: note: [%s] patient data leaves this node: %s; allowed by "
                    "run.allow_phi: \"%s\"\n", n->at.file, n->at.line, n->at.column, n->name,
                    leave->phi, leave->reason);
        if (leave->quasi)
            fprintf(out, "%s:%u:%u: note: [%s] what leaves this node may identify in combination: "
                    "%s\n", n->at.file, n->at.line, n->at.column, n->name, leave->quasi);
    }
}

static void note_print(void *arg, const struct delivery_note *note)
{
    fprintf(arg, "%s:%u:%u: note: [%s] %s\n", note->at.file, note->at.line, note->at.column, note->node, note->text);
}

void explain_notes(const struct plan *plan, FILE *out)
{
    explain_leaves(plan, out);
    if (!delivery_notes(plan, note_print, out))
        fputs("note: there was no memory for all notes\n", out);
}

void explain_print(const struct plan *plan, const struct explain_origin *origin, FILE *out)
{
    struct arena *arena = arena_new();
    struct value *document = arena ? explain_document(arena, origin) : NULL;

    print_store(plan, out);
    print_threads(plan, out);
    fputs("edges\n", out);
    for (uint32_t i = 0; i < plan->edge_count; i++)
        print_edge(plan, i, out);
    fputs("nodes\n", out);
    for (uint32_t i = 0; i < plan->node_count; i++)
        print_node(plan, i, document, out);
    arena_free(&arena);
}
