/* pipeline.c - a pipeline file into a checked plan.
 *
 * The steps: read TOML, apply --set, expand ${...}, collect the nodes, check
 * each alone, join them, look at the whole, choose what becomes of records whose
 * reader is slow, lay it out, find what flows by each edge and whether it may. A
 * step goes on after an error, so that one run shows all; only what is joined is
 * not judged while its parts are wrong: those messages would follow from others.
 *
 * Not here: [pipeline] (pipeline_settings.c), one node (pipeline_node.c), `from`
 * (pipeline_from.c), the graph (pipeline_graph.c), slow readers (delivery.h), types
 * and privacy (shapes.h). */
#include "config/pipeline.h"

#include <stdlib.h>
#include <string.h>

#include "config/delivery.h"
#include "config/expand.h"
#include "config/links.h"
#include "config/pipeline_inside.h"
#include "config/shapes.h"
#include "config/toml.h"
#include "util/text.h"
#include "util/units.h"

const char *node_kind_name(uint32_t kind)
{
    return kind == AFF_SOURCE ? "source" : kind == AFF_PROCESSOR ? "processor" : "sink";
}

static uint32_t kind_of(const char *name)
{
    for (uint32_t kind = AFF_SOURCE; kind <= AFF_SINK; kind++) {
        if (!strcmp(node_kind_name(kind), name))
            return kind;
    }
    return 0;
}

/* ---- collecting nodes ---- */

static bool name_is_taken(struct draft *draft, const struct value *table)
{
    for (uint32_t i = 0; i < draft->node_count; i++) {
        const struct draft_node *other = &draft->nodes[i];

        if (strcmp(other->name, table->key))
            continue;
        report_add(draft->report, REPORT_ERROR, table->key_place, table->key,
                   "the name is taken by the %s at line %u; expected each name once; "
                   "rename one of them", node_kind_name(other->kind), other->table->key_place.line);
        return true;
    }
    return false;
}

/* [source] and below it the options of one: said once, where it begins. */
static bool is_nameless(struct draft *draft, uint32_t kind, const struct value *tables)
{
    const struct value *plugin = value_find(tables, "plugin");

    if (!plugin || plugin->kind == VALUE_TABLE)
        return false;
    report_add(draft->report, REPORT_ERROR, tables->key_place, NULL,
               "the %s has no name; expected [%s.NAME]; give it one behind a dot",
               node_kind_name(kind), node_kind_name(kind));
    draft->has_nameless = true;
    return true;
}

static void node_add(struct draft *draft, uint32_t kind, const struct value *table)
{
    if (table->kind != VALUE_TABLE) {
        report_add(draft->report, REPORT_ERROR, table->key_place, NULL,
                   "%s is %s; expected a table; write [%s.%s]", table->key,
                   value_kind_name(table), node_kind_name(kind),
                   table->kind == VALUE_ARRAY && pipeline_name_good(table->key) ? table->key : "NAME");
        return;
    }
    if (strlen(table->key) != table->key_length || !pipeline_name_good(table->key) ||
        !strcmp(table->key, "pipeline")) {
        report_add(draft->report, REPORT_ERROR, table->key_place, NULL,
                   "the name of the %s cannot be used; expected up to 63 letters, digits, \"_\" or "
                   "\"-\", and not \"pipeline\"; write %s", node_kind_name(kind),
                   pipeline_name_good(table->key) ? "another" : pipeline_name_meant(draft->arena, table->key));
        return;
    }
    if (name_is_taken(draft, table))
        return;
    if (draft->node_count == NODES_MAX) {
        report_add(draft->report, REPORT_ERROR, table->key_place, NULL,
                   "there are too many nodes; expected at most 1024; split the pipeline");
        return;
    }
    draft->nodes[draft->node_count++] =
        (struct draft_node){ .name = table->key, .kind = kind, .table = table, .max_held = -1 };
}

/* Other programs' words for what stands between a source and a sink. */
static const char *kind_meant(const char *word)
{
    static const char *const words[][2] = {
        { "input", "source" }, { "inputs", "source" }, { "producer", "source" },
        { "filter", "processor" }, { "filters", "processor" }, { "transform", "processor" },
        { "transforms", "processor" }, { "process", "processor" }, { "operator", "processor" },
        { "stage", "processor" }, { "step", "processor" }, { "output", "sink" },
        { "outputs", "sink" }, { "destination", "sink" }, { "consumer", "sink" },
    };

    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (!strcmp(words[i][0], word))
            return words[i][1];
    }
    return NULL;
}

static void table_unknown(struct draft *draft, const struct value *table)
{
    struct aff_guess guess = { .word = table->key, .best = kind_meant(table->key) };

    if (!guess.best) {
        aff_guess_offer(&guess, "pipeline");
        aff_guess_offer(&guess, "link");
        for (uint32_t kind = AFF_SOURCE; kind <= AFF_SINK; kind++)
            aff_guess_offer(&guess, node_kind_name(kind));
    }
    if (guess.best)
        report_add(draft->report, REPORT_ERROR, table->key_place, NULL,
                   "unknown table %s; expected pipeline, source, processor, sink or link; "
                   "did you mean %s?", table->key, guess.best);
    else
        report_add(draft->report, REPORT_ERROR, table->key_place, NULL,
                   "unknown %s %s; expected pipeline, source, processor, sink or link; take it out",
                   table->kind == VALUE_TABLE ? "table" : "key", table->key);
}

static int node_compare(const void *left, const void *right)
{
    const struct place *a = &((const struct draft_node *)left)->table->key_place;
    const struct place *b = &((const struct draft_node *)right)->table->key_place;

    if (a->line != b->line)
        return a->line < b->line ? -1 : 1;
    return a->column < b->column ? -1 : a->column > b->column;
}

static bool nodes_collect(struct draft *draft, const struct value *document)
{
    bool has_kind = false;
    size_t room = 1;

    for (const struct value *v = document->first; v; v = v->next)
        room += v->count;
    draft->nodes = arena_take_array(draft->arena, room, sizeof *draft->nodes);
    if (!draft->nodes)
        return false;
    for (const struct value *v = document->first; v; v = v->next) {
        uint32_t kind = kind_of(v->key);

        has_kind |= kind != 0;
        if (kind && v->kind == VALUE_TABLE && !is_nameless(draft, kind, v)) {
            for (const struct value *node = v->first; node; node = node->next)
                node_add(draft, kind, node);
        } else if (kind && v->kind != VALUE_TABLE) {
            report_add(draft->report, REPORT_ERROR, v->key_place, NULL,
                       "%s is %s; expected a table of its own for each node; write [%s.NAME]",
                       v->key, value_kind_name(v), v->key);
        } else if (!kind && strcmp(v->key, "pipeline") && strcmp(v->key, "link")) {
            table_unknown(draft, v);
        }
    }
    if (draft->node_count)
        qsort(draft->nodes, draft->node_count, sizeof *draft->nodes, node_compare);
    else if (!has_kind)
        /* cppcheck-suppress varFuncNullUB ; NULL is the node's name, which has a type */
        report_add(draft->report, REPORT_ERROR, (struct place){ draft->file, 0, 0 }, NULL,
                   "there is no node; expected at least a source and a sink; "
                   "add [source.NAME] and [sink.NAME]");
    return draft->node_count > 0;
}

/* ---- the plan ---- */

static bool plan_fill_nodes(struct plan *plan, const struct draft *draft)
{
    bool ok = true;

    for (uint32_t i = 0; i < draft->node_count; i++) {
        const struct draft_node *from = &draft->nodes[i];
        struct plan_node *node = &plan->nodes[from->order];

        *node = (struct plan_node){
            .name = from->name,
            .plugin = from->plugin,
            .config = from->config,
            .at = from->table->key_place,
            .max_held = (uint32_t)from->max_held,
            .in_process = from->in_process,
            .require_sandbox = from->require_sandbox,
            .notes = from->notes,
        };
        ok &= options_hash(from->plugin, from->config, &node->options_hash);
    }
    return ok;
}

static int edge_compare(const void *left, const void *right)
{
    const struct draft_edge *a = left, *b = right;

    if (a->to != b->to)
        return a->to < b->to ? -1 : 1;
    return a->row < b->row ? -1 : a->row > b->row;
}

static void plan_fill_edges(struct plan *plan, struct draft *draft)
{
    struct draft_edge *edges = draft->edges;

    for (uint32_t i = 0; i < draft->edge_count; i++) {
        edges[i].buffer = (uint64_t)draft->nodes[edges[i].to].buffer;
        edges[i].from = draft->nodes[edges[i].from].order;
        edges[i].to = draft->nodes[edges[i].to].order;
    }
    if (draft->edge_count)
        qsort(edges, draft->edge_count, sizeof *edges, edge_compare);
    for (uint32_t i = 0; i < draft->edge_count; i++) {
        plan->edges[i] = (struct plan_edge){
            .from = edges[i].from,
            .from_port = edges[i].from_port,
            .to = edges[i].to,
            .to_port = edges[i].to_port,
            .at = edges[i].place,
            .buffer = edges[i].buffer,
        };
    }
}

static struct plan *plan_make(struct draft *draft, const struct settings *settings)
{
    struct arena *arena = draft->arena;
    struct plan *plan = arena_take(arena, sizeof *plan);

    if (!plan)
        return NULL;
    *plan = (struct plan){
        .file = draft->file,
        .name = settings->name,
        .memory_limit = (uint64_t)settings->memory_limit,
        .commit_every_ns = settings->commit_every_ns,
        .commit_records = (uint64_t)settings->commit_records,
        .commit_bytes = (uint64_t)settings->commit_bytes,
        .max_record = (uint64_t)settings->max_record,
        .store_limit = (uint64_t)settings->store_limit,
        .store_key = settings->store_key,
        .nodes = arena_take_array(arena, draft->node_count, sizeof *plan->nodes),
        .node_count = draft->node_count,
        .edges = arena_take_array(arena, draft->edge_count, sizeof *plan->edges),
        .edge_count = draft->edge_count,
        .arena = arena,
    };
    if (!plan->nodes || !plan->edges)
        return NULL;
    if (!plan_fill_nodes(plan, draft))
        return NULL;
    plan_fill_edges(plan, draft);
    if (!delivery_choose(draft, plan))
        return NULL;
    links_choose(draft, plan);
    plan_layout(plan, LAYOUT_NORMAL);
    return plan;
}

static void memory_check(struct draft *draft, const struct plan *plan,
                         const struct value *document)
{
    const struct value *table = value_find(document, "pipeline");
    const struct value *limit = value_find(table, "memory_limit");
    uint64_t bytes = plan_memory(plan, NULL, 0, NULL);
    uint64_t mib = (bytes + (1u << 20) - 1) >> 20;
    struct text needs = { 0 }, has = { 0 };

    if (bytes <= plan->memory_limit)
        return;
    units_add_bytes(&needs, (int64_t)bytes);
    units_add_bytes(&has, (int64_t)plan->memory_limit);
    report_add(draft->report, REPORT_ERROR, limit ? limit->place : table->key_place, "pipeline",
               "the plan needs %s and memory_limit is %s; expected a limit of at least \"%lluMiB\"; "
               "raise it or make buffers smaller", needs.data ? needs.data : "more",
               has.data ? has.data : "less", (unsigned long long)mib);
    text_free(&needs);
    text_free(&has);
}

/* ---- the steps ---- */

/* An option that is set from outside in every node of a kind that has it. */
struct wide_set {
    const char *flag; /* "--pace": where it was typed */
    const char *kind; /* "source" */
    const char *option;
    const char *value;
    bool only_if_offered; /* the option must list the value among its choices */
};

static bool wide_fits(const struct wide_set *set, const struct aff_option *option)
{
    uint32_t i;

    if (strcmp(option->name, set->option) != 0)
        return false;
    for (i = 0; set->only_if_offered && option->choices && option->choices[i]; i++)
        if (strcmp(option->choices[i], set->value) == 0)
            return true;
    return !set->only_if_offered;
}

static void wide_apply(struct draft *draft, const struct wide_set *set, struct value *document)
{
    for (struct value *node = document && value_find(document, set->kind)
             ? value_find(document, set->kind)->first : NULL; node; node = node->next) {
        const struct value *name = value_find(node, "plugin");
        const struct plugin *plugin = NULL;
        const char *why, *assignment;

        if (name && name->kind == VALUE_TEXT)
            plugin = plugins_find(draft->plugins, name->text, &why);
        for (uint32_t i = 0; plugin && i < plugin->option_count; i++) {
            if (!wide_fits(set, &plugin->options[i]))
                continue;
            assignment = arena_print(draft->arena, "%s.%s=%s", node->key, set->option, set->value);
            if (assignment)
                expand_set(draft->arena, draft->report, document, assignment, set->flag);
        }
    }
}

static struct value *document_read(struct draft *draft, const struct pipeline_request *request)
{
    struct value *document = toml_load(draft->arena, draft->report, request->file);

    if (!document)
        return NULL;
    for (size_t i = 0; i < request->set_count; i++)
        expand_set(draft->arena, draft->report, document, request->sets[i], NULL);
    if (request->pace)
        wide_apply(draft, &(struct wide_set){ "--pace", "source", "pace", request->pace, false }, document);
    if (request->json)
        wide_apply(draft, &(struct wide_set){ "--json", "sink", "format", "json", true }, document);
    expand_values(draft->arena, draft->report, draft->file, document);
    return document;
}

static struct plan *draft_read(struct draft *draft, const struct pipeline_request *request)
{
    struct value *document = document_read(draft, request);
    struct settings settings = { 0 };
    struct plan *plan;
    bool is_joined;
    size_t before;

    if (!document)
        return NULL;
    draft->document = document;
    settings_read(draft, document, &settings);
    before = report_errors(draft->report);
    if (!nodes_collect(draft, document))
        return NULL;
    is_joined = report_errors(draft->report) == before;
    for (uint32_t i = 0; i < draft->node_count; i++)
        draft_node_read(draft, &draft->nodes[i]);
    links_read(draft, document);
    for (uint32_t i = 0; i < draft->node_count; i++)
        is_joined &= draft_from_read(draft, i);
    if (is_joined)
        draft_graph_check(draft);
    if (report_errors(draft->report))
        return NULL;
    plan = plan_make(draft, &settings);
    if (!plan || !shapes_find(draft, plan))
        return NULL;
    memory_check(draft, plan, document);
    return report_errors(draft->report) ? NULL : plan;
}

struct plan *pipeline_read(struct plugins *plugins, const struct pipeline_request *request,
                           struct report *report)
{
    struct draft draft = { .report = report, .plugins = plugins, .file = request->file };
    struct plan *plan = NULL;

    draft.arena = arena_new();
    if (draft.arena)
        plan = draft_read(&draft, request);
    if (!plan) {
        arena_free(&draft.arena);
        if (!report_errors(report))
            /* cppcheck-suppress varFuncNullUB ; NULL is the node's name, which has a type */
            report_add(report, REPORT_ERROR, (struct place){ request->file, 0, 0 }, NULL,
                       "there is no memory to read the pipeline; free memory and try again");
    }
    return plan;
}

void plan_close(struct plan **plan)
{
    struct arena *arena;

    if (!*plan)
        return;
    arena = (*plan)->arena;
    *plan = NULL;
    arena_free(&arena);
}
