/* pipeline_node.c - one node: its plugin and the plugin's options.
 *
 * Not here: `from` (pipeline_from.c), `edge` and `run` (host_keys.c). */
#include <string.h>

#include "config/pipeline_inside.h"
#include "util/text.h"

static const char *const host_names[] = { "plugin", "from", "edge", "run", NULL };

/* ---- plugin ---- */

/* A plugin's name without "in_", "op_" or "out_". */
static bool is_short_for(const char *word, const char *plugin)
{
    const char *rest = strchr(plugin, '_');

    return rest && !strcmp(rest + 1, word);
}

/* Found in a folder but refused is another matter than not found. */
static void plugin_missing(struct draft *draft, const struct draft_node *node,
                           const struct value *name, const char *why)
{
    struct aff_guess guess = { .word = name->text };
    size_t count = 0;
    const struct plugin_entry *entries = plugins_list(draft->plugins, &count);

    for (size_t i = 0; i < count; i++) {
        if (!strcmp(entries[i].name, name->text)) {
            report_add(draft->report, REPORT_ERROR, name->place, node->name,
                       "the plugin cannot be used: %s", why);
            return;
        }
        if (entries[i].kind == node->kind || !entries[i].kind)
            aff_guess_offer(&guess, entries[i].name);
    }
    for (size_t i = 0; i < count && !guess.best; i++)
        if (entries[i].kind == node->kind && is_short_for(name->text, entries[i].name))
            guess.best = entries[i].name;
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

static void plugin_validate(struct draft *draft, struct draft_node *node)
{
    struct says says;

    if (!node->plugin->about.validate)
        return;
    says_begin(&says, draft, node, "validate");
    says_end(&says, node->plugin->about.validate(node->config, &says.about));
    node->is_secure = says.is_secure;
    node->notes = says.notes;
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
