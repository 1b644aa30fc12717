/* report_json.c - see report_json.h. */
#include "show/report_json.h"

#include <afferent/plugin.h>

#include <stdlib.h>
#include <string.h>

#include "config/delivery.h"
#include "config/schemas.h"

/* The messages are given as they are printed: one line each, one text each. */
static bool write_messages(struct json *json, struct report *report)
{
    char *all = NULL, *line, *rest;
    size_t size = 0;
    FILE *memory = open_memstream(&all, &size);

    if (!memory)
        return false;
    report_print(report, memory);
    if (fclose(memory) != 0) {
        free(all);
        return false;
    }
    json_uint(json, "errors", report_errors(report));
    json_uint(json, "warnings", report_warnings(report));
    json_array(json, "messages");
    for (rest = all; (line = strsep(&rest, "\n"));)
        if (*line)
            json_text(json, NULL, line);
    json_end(json);
    free(all);
    return true;
}

static void write_column(struct json *json, const struct aff_column *column)
{
    json_object(json, NULL);
    json_text(json, "name", column->name);
    json_text(json, "unit", column->unit);
    json_text(json, "code", column->code);
    json_text(json, "label", explain_label(column->label));
    json_end(json);
}

static void write_shape(struct json *json, const struct plan_shape *shape)
{
    const struct aff_schema *schema = shape->schema;
    struct text types = { 0 };

    json_object(json, NULL);
    schema_add_types(&types, shape->types);
    json_text(json, "type", types.data);
    text_free(&types);
    json_bool(json, "open", !schema);
    json_text(json, "schema", schema ? schema->name : NULL);
    json_array(json, "columns");
    for (uint32_t i = 0; schema && i < schema->count; i++)
        write_column(json, schema_at(schema, i));
    json_end(json);
    for (uint32_t of = 0; of < LABEL_KINDS; of++)
        json_text(json, explain_label_of((enum label_of)of), explain_label(shape->labels[of]));
    json_end(json);
}

/* What flows, its labels, and where each begins. */
static void write_flow(struct json *json, const struct plan *plan, uint32_t edge)
{
    const struct plan_output *output = plan_output(plan, &plan->edges[edge]);

    json_text(json, "known", explain_known(output->known));
    json_array(json, "shapes");
    for (uint32_t i = 0; i < output->shape_count; i++)
        write_shape(json, &output->shapes[i]);
    json_end(json);
    json_text(json, "label", explain_label(output->label));
    json_object(json, "label_ways");
    for (uint32_t of = 0; of < LABEL_KINDS; of++) {
        struct text way = { 0 };

        explain_way(&way, plan, edge, (enum label_of)of);
        json_text(json, explain_label_of((enum label_of)of), way.data);
        text_free(&way);
    }
    json_end(json);
    json_text(json, "cleared", output->cleared);
}

static void write_edge(struct json *json, const struct plan *plan, uint32_t index)
{
    const struct plan_edge *e = &plan->edges[index];
    const struct plan_node *from = &plan->nodes[e->from], *to = &plan->nodes[e->to];
    struct text text = { 0 };

    json_object(json, NULL);
    json_text(json, "from", from->name);
    json_text(json, "from_port", from->plugin->outputs[e->from_port].name);
    json_text(json, "to", to->name);
    json_text(json, "to_port", to->plugin->inputs[e->to_port].name);
    json_uint(json, "line", e->at.line);
    json_uint(json, "column", e->at.column);
    explain_flow(&text, plan, e);
    json_text(json, "carries", text.data);
    text_free(&text);
    write_flow(json, plan, index);
    json_text(json, "way", explain_edge_way(e));
    json_bool(json, "copies", e->copies);
    json_text(json, "copies_why", explain_copies(plan, e));
    json_uint(json, "buffer_bytes", e->buffer);
    json_text(json, "when_full", delivery_when_full(e->when_full));
    json_text(json, "priority", delivery_priority(e->priority));
    if (e->expire_ns)
        json_uint(json, "expire_ns", (uint64_t)e->expire_ns);
    json_end(json);
}

void report_json_leaves(struct json *json, const struct plan *plan)
{
    json_array(json, "leaves");
    for (uint32_t i = 0; i < plan->leave_count; i++) {
        json_object(json, NULL);
        json_text(json, "node", plan->nodes[plan->leaves[i].node].name);
        json_text(json, "phi", plan->leaves[i].phi);
        json_text(json, "allow_phi", plan->leaves[i].reason);
        json_text(json, "quasi", plan->leaves[i].quasi);
        json_end(json);
    }
    json_end(json);
}

static void write_note(void *arg, const struct delivery_note *note)
{
    struct json *json = arg;

    json_object(json, NULL);
    json_text(json, "node", note->node);
    json_uint(json, "line", note->at.line);
    json_uint(json, "column", note->at.column);
    json_text(json, "text", note->text);
    json_end(json);
}

bool report_json_notes(struct json *json, const struct plan *plan)
{
    bool ok;

    json_array(json, "notes");
    ok = delivery_notes(plan, write_note, json);
    json_end(json);
    return ok;
}

static void write_option(void *arg, const struct explain_option *option)
{
    struct json *json = arg;

    json_object(json, NULL);
    json_text(json, "option", option->path);
    json_text(json, "value", *option->value ? option->value : NULL);
    json_text(json, "origin", option->origin);
    json_end(json);
}

static void write_node(struct json *json, const struct plan *plan, uint32_t index, const struct value *document)
{
    const struct plan_node *n = &plan->nodes[index];

    json_object(json, NULL);
    json_text(json, "node", n->name);
    json_text(json, "plugin", n->plugin->about.name);
    json_text(json, "version", n->plugin->about.version);
    json_text(json, "kind", explain_kind(n->plugin->about.kind));
    json_uint(json, "thread", n->lane);
    json_text(json, "isolation", n->in_process ? "process" : "thread");
    json_bool(json, "require_sandbox", n->require_sandbox);
    json_bool(json, "durable", n->durable);
    json_uint(json, "line", n->at.line);
    json_array(json, "options");
    explain_options(plan, index, document, write_option, json);
    json_end(json);
    json_end(json);
}

static void write_plan(struct json *json, const struct plan *plan, const struct explain_origin *origin)
{
    struct arena *arena = arena_new();
    struct value *document = arena ? explain_document(arena, origin) : NULL;

    json_array(json, "nodes");
    for (uint32_t i = 0; i < plan->node_count; i++)
        write_node(json, plan, i, document);
    json_end(json);
    json_array(json, "edges");
    for (uint32_t i = 0; i < plan->edge_count; i++)
        write_edge(json, plan, i);
    json_end(json);
    arena_free(&arena);
}

bool report_json(struct report *report, const struct plan *plan, const struct explain_origin *origin, FILE *out)
{
    struct json json;
    bool ok = true;

    json_begin(&json, out, true);
    json_object(&json, NULL);
    json_bool(&json, "ok", plan != NULL);
    if (plan) {
        json_uint(&json, "node_count", plan->node_count);
        json_uint(&json, "edge_count", plan->edge_count);
        json_uint(&json, "store_limit_bytes", plan->store_limit);
        json_bool(&json, "store_is_sealed", plan->store_key != NULL);
        report_json_leaves(&json, plan);
        ok = report_json_notes(&json, plan);
    }
    ok &= write_messages(&json, report);
    if (ok && plan && origin)
        write_plan(&json, plan, origin);
    json_end(&json);
    json_finish(&json);
    return ok;
}
