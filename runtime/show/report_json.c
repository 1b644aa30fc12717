/* report_json.c - see report_json.h. */
#include "show/report_json.h"

#include <afferent/plugin.h>

#include <stdlib.h>
#include <string.h>

#include "util/json.h"

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

static void write_edge(struct json *json, const struct plan *plan, const struct plan_edge *e)
{
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
    json_text(json, "label", explain_label(explain_edge_label(plan, e)));
    json_text(json, "way", e->way == EDGE_FUSED ? "fused" : "ring");
    json_bool(json, "copies", e->copies);
    json_text(json, "copies_why", explain_copies(plan, e));
    json_uint(json, "buffer_bytes", e->buffer);
    json_text(json, "when_full", "block");
    json_end(json);
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
        write_edge(json, plan, &plan->edges[i]);
    json_end(json);
    arena_free(&arena);
}

bool report_json(struct report *report, const struct plan *plan, const struct explain_origin *origin, FILE *out)
{
    struct json json;
    bool ok;

    json_begin(&json, out, true);
    json_object(&json, NULL);
    json_bool(&json, "ok", plan != NULL);
    if (plan) {
        json_uint(&json, "node_count", plan->node_count);
        json_uint(&json, "edge_count", plan->edge_count);
    }
    ok = write_messages(&json, report);
    if (ok && plan && origin)
        write_plan(&json, plan, origin);
    json_end(&json);
    json_finish(&json);
    return ok;
}
