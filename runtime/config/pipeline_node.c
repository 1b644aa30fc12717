/* pipeline_node.c - one node: its plugin, its options, `edge` and `run`.
 *
 * The host's own keys go through the same option check as a plugin's, so they
 * have the same messages. What a later version brings is known by name and
 * refused as such, not as a typing error.
 *
 * Not here: `from` (pipeline_from.c). */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "config/pipeline_inside.h"
#include "util/text.h"

enum { WHEN_FULL_BLOCK = 0, ISOLATION_THREAD = 0 };

struct host_keys {
    int32_t when_full;
    int32_t isolation;
    int32_t durable;
    int32_t require_sandbox;
    int64_t buffer;
    int64_t max_held;
};

static const char *const when_full_names[] = { "block", "spill", "drop_oldest", NULL };
static const char *const isolation_names[] = { "thread", "process", NULL };
static const char *const edge_later[] = { "expire", "priority", NULL };
static const char *const run_later[] = { "allow_phi", "clears", NULL };
static const char *const host_names[] = { "plugin", "from", "edge", "run", NULL };

#define KEY(type_, member_, preset_, min_, max_, choices_, doc_) \
    { .name = #member_, .doc = doc_, .preset = preset_, .type = type_, \
      .offset = (uint32_t)offsetof(struct host_keys, member_), .min = min_, .max = max_, \
      .choices = choices_ }

static const struct aff_option edge_table[] = {
    KEY(AFF_TYPE_ENUM, when_full, "\"block\"", 1, -1, when_full_names,
        "what happens when the reader is slow"),
    KEY(AFF_TYPE_BYTES, buffer, "\"256KiB\"", 4096, 0x1p30, NULL,
        "payload that the reader may leave unread"),
};

static const struct aff_option run_table[] = {
    KEY(AFF_TYPE_ENUM, isolation, "\"thread\"", 1, -1, isolation_names, "where the node runs"),
    KEY(AFF_TYPE_BOOL, durable, "false", 1, -1, NULL, "a store right behind the source"),
    KEY(AFF_TYPE_BOOL, require_sandbox, "false", 1, -1, NULL, "refuse to run without a sandbox"),
    KEY(AFF_TYPE_INT, max_held, "-1", -1, 1e6, NULL, "records that the node may hold"),
};

static void later(const struct draft *draft, const struct draft_node *node,
                  const struct value *table, const char *where, const char *key,
                  const char *only)
{
    const struct value *value = value_find(table, key);

    report_add(draft->report, REPORT_ERROR, value ? value->place : table->place, node->name,
               "this value of %s.%s is not in this version; expected %s; take it out", where,
               key, only);
}

static const struct value *host_table(struct options_job *job, const struct draft_node *node,
                                      const char *key)
{
    const struct value *table = value_find(node->table, key);

    if (!table || table->kind == VALUE_TABLE) {
        job->missing = table ? table->place : node->table->key_place;
        return table;
    }
    report_add(job->report, REPORT_ERROR, table->place, node->name,
               "%s is %s; expected a table { ... }; write one", key, value_kind_name(table));
    return NULL;
}

static uint32_t default_held(const struct plugin *plugin)
{
    for (uint32_t i = 0; plugin && i < plugin->verdict_count; i++) {
        if (plugin->verdicts[i].kind == AFF_V_HOLD)
            return 64;
    }
    return 0;
}

static void host_keys_read(struct draft *draft, struct draft_node *node)
{
    struct options_job job = { .arena = draft->arena, .report = draft->report,
                               .base = draft->file, .node = node->name, .later = edge_later };
    struct host_keys keys = { 0 };
    const struct value *table = host_table(&job, node, "edge");

    options_fill(&job, edge_table, 2, table, "edge.", &keys);
    if (keys.when_full != WHEN_FULL_BLOCK)
        later(draft, node, table, "edge", "when_full", "\"block\"");
    job.later = run_later;
    table = host_table(&job, node, "run");
    options_fill(&job, run_table, 4, table, "run.", &keys);
    if (keys.isolation != ISOLATION_THREAD)
        later(draft, node, table, "run", "isolation", "\"thread\"");
    if (keys.durable)
        later(draft, node, table, "run", "durable", "false");
    if (keys.require_sandbox)
        later(draft, node, table, "run", "require_sandbox", "false");
    node->buffer = keys.buffer;
    node->max_held = keys.max_held >= 0 ? keys.max_held : default_held(node->plugin);
}

/* ---- plugin ---- */

/* Found in a folder but refused is another matter than not found. */
static void plugin_missing(struct draft *draft, const struct draft_node *node,
                           const struct value *name, const char *why)
{
    struct text_guess guess = { .word = name->text };
    size_t count = 0;
    const struct plugin_entry *entries = plugins_list(draft->plugins, &count);

    for (size_t i = 0; i < count; i++) {
        if (!strcmp(entries[i].name, name->text)) {
            report_add(draft->report, REPORT_ERROR, name->place, node->name,
                       "the plugin cannot be used: %s", why);
            return;
        }
        if (entries[i].kind == node->kind || !entries[i].kind)
            text_offer(&guess, entries[i].name);
    }
    if (guess.best)
        report_add(draft->report, REPORT_ERROR, name->place, node->name,
                   "there is no plugin \"%s\"; expected one that is installed; did you mean %s?",
                   name->text, guess.best);
    else
        report_add(draft->report, REPORT_ERROR, name->place, node->name,
                   "there is no plugin \"%s\"; expected one that is installed; "
                   "see afferent plugin list", name->text);
}

static void plugin_read(struct draft *draft, struct draft_node *node)
{
    const struct value *name = value_find(node->table, "plugin");
    const struct plugin *plugin;
    const char *why = "no reason given";

    if (!name) {
        report_add(draft->report, REPORT_ERROR, node->table->key_place, node->name,
                   "plugin is missing; expected the name of a plugin; add plugin = \"...\", "
                   "see afferent plugin list");
        return;
    }
    if (name->kind != VALUE_TEXT || !*name->text || strlen(name->text) != name->text_length) {
        report_add(draft->report, REPORT_ERROR, name->place, node->name,
                   "plugin is %s; expected the name of a plugin as text; "
                   "see afferent plugin list",
                   name->kind == VALUE_TEXT ? "no usable text" : value_kind_name(name));
        return;
    }
    if (name->is_broken)
        return;
    plugin = plugins_find(draft->plugins, name->text, &why);
    if (!plugin) {
        plugin_missing(draft, node, name, why);
        return;
    }
    if (plugin->about.kind != node->kind) {
        report_add(draft->report, REPORT_ERROR, name->place, node->name,
                   "%s is a %s; expected a %s here; write [%s.%s] or choose another plugin",
                   name->text, node_kind_name(plugin->about.kind), node_kind_name(node->kind),
                   node_kind_name(plugin->about.kind), node->name);
        return;
    }
    node->plugin = plugin;
}

/* ---- the plugin's own rules ---- */

struct problem_sink {
    struct aff_report about;   /* first: the plugin hands back its address */
    struct draft *draft;
    const struct draft_node *node;
    bool was_said;
};

/* The longest part of an option's path that stands in the file. */
static struct place option_place(const struct value *table, const char *path)
{
    char part[64];

    while (path && *path) {
        size_t length = strcspn(path, ".[");
        const struct value *child;

        snprintf(part, sizeof part, "%.*s", (int)(length < 63 ? length : 63), path);
        child = value_find(table, part);
        if (!child)
            break;
        table = child;
        path += length;
        path += *path == '.';
    }
    return table->place;
}

__attribute__((format(printf, 3, 4)))
static void problem_say(const struct aff_report *report, const char *option, const char *format,
                        ...)
{
    struct problem_sink *sink = (struct problem_sink *)(uintptr_t)report;
    const struct value *table = sink->node->table;
    struct place place = option ? option_place(table, option) : table->key_place;
    char text[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (place.line == table->place.line && place.column == table->place.column)
        place = table->key_place;
    sink->was_said = true;
    report_add(sink->draft->report, REPORT_ERROR, place, sink->node->name, "%s", text);
}

static void plugin_validate(struct draft *draft, const struct draft_node *node)
{
    struct problem_sink sink = { { sizeof sink.about, 0, problem_say }, draft, node, false };

    if (!node->plugin->about.validate)
        return;
    if (node->plugin->about.validate(node->config, &sink.about) < 0 && !sink.was_said)
        report_add(draft->report, REPORT_ERROR, node->table->key_place, node->name,
                   "the plugin refuses its options and says not why; expected options as in "
                   "afferent plugin info %s; compare them", node->plugin->about.name);
}

bool draft_node_read(struct draft *draft, struct draft_node *node)
{
    size_t before = report_errors(draft->report);
    struct options_job job = { .arena = draft->arena, .report = draft->report,
                               .base = draft->file, .node = node->name, .others = host_names,
                               .missing = node->table->key_place };

    plugin_read(draft, node);
    host_keys_read(draft, node);
    if (!node->plugin)
        return false;
    job.plugin = node->plugin->about.name;
    node->config = arena_take(draft->arena, node->plugin->about.config_size);
    if (!node->config)
        return false;
    if (options_fill(&job, node->plugin->options, node->plugin->option_count, node->table, "",
                     node->config))
        plugin_validate(draft, node);
    return report_errors(draft->report) == before;
}
