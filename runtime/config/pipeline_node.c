/* pipeline_node.c - one node: its plugin, its options, `edge` and `run`.
 *
 * The host's own keys go through the same option check as a plugin's, so they
 * have the same messages. What a later version brings is known by name and
 * refused as such, not as a typing error.
 *
 * Not here: `from` (pipeline_from.c). */
#include <string.h>

#include "config/keys.h"
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
    const char *allow_phi;
    struct aff_list clears; /* const char * */
};

static const char *const when_full_names[] = { "block", "spill", "drop_oldest", NULL };
static const char *const isolation_names[] = { "thread", "process", NULL };
static const char *const edge_later[] = { "expire", "priority", NULL };
static const char *const host_names[] = { "plugin", "from", "edge", "run", NULL };

#define KEY(type_, member_, preset_, min_, max_, choices_, doc_) \
    { .name = #member_, .doc = doc_, .preset = preset_, .type = type_, \
      .offset = (uint32_t)offsetof(struct host_keys, member_), .min = min_, .max = max_, \
      .choices = choices_ }

static const struct aff_option clears_item[] = {
    { .name = "", .doc = "what is no longer labelled", .type = AFF_TYPE_TEXT, .min = 1, .max = -1 },
};

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
    KEY(AFF_TYPE_TEXT, allow_phi, NULL, 1, -1, NULL, "why patient data may leave by this node"),
    { .name = "clears", .doc = "whose privacy labels end at this node", .type = AFF_TYPE_LIST,
      .offset = (uint32_t)offsetof(struct host_keys, clears), .min = 1, .max = 4096,
      .nested = clears_item, .nested_count = 1, .nested_size = (uint32_t)sizeof(const char *) },
};
#define COUNT_OF(table) ((uint32_t)(sizeof(table) / sizeof *(table)))

static void later(const struct draft *draft, const struct draft_node *node,
                  const struct value *table, const char *where, const char *key,
                  const char *only)
{
    const struct value *value = value_find(table, key);

    if (value && value->kind == VALUE_TEXT && value->origin == VALUE_WRITTEN)
        report_add(draft->report, REPORT_ERROR, value->place, node->name,
                   "%s.%s = \"%s\" is not in this version; expected %s; take it out", where, key,
                   value->text, only);
    else
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

/* ---- run.allow_phi and run.clears ---- */

/* By what a node's data leaves: a sink, or a device's commands. */
static bool may_leave(const struct draft_node *node)
{
    bool has_commands = false;

    for (uint32_t i = 0; node->plugin && i < node->plugin->input_count; i++)
        has_commands |= (node->plugin->inputs[i].flags & AFF_PORT_COMMANDS) != 0;
    return node->kind == AFF_SINK || (node->kind == AFF_SOURCE && (has_commands || !node->plugin));
}

static bool has_controls(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            return true;
    return false;
}

static void allow_phi_read(struct draft *draft, struct draft_node *node, const struct value *value)
{
    node->allow_phi = value->origin == VALUE_WRITTEN ? value->text : value->written;
    if (!may_leave(node))
        report_add(draft->report, REPORT_ERROR, value->place, node->name,
                   "run.allow_phi belongs to a node by which data leaves; expected it in a sink or a "
                   "device; take it out, or use run.clears to say that nothing identifies");
    else if (has_controls(node->allow_phi))
        report_add(draft->report, REPORT_ERROR, value->place, node->name,
                   "run.allow_phi holds a line break or a control character; expected a reason on one "
                   "line; write it so");
    else if (!value->text[strspn(value->text, " ")])
        report_add(draft->report, REPORT_ERROR, value->place, node->name,
                   "run.allow_phi is empty; expected a reason; say in a sentence why patient data "
                   "may leave by this node");
}

static void privacy_keys_read(struct draft *draft, struct draft_node *node,
                              const struct value *table, const struct host_keys *keys)
{
    const struct value *clears = value_find(table, "clears");

    if (keys->allow_phi)
        allow_phi_read(draft, node, value_find(table, "allow_phi"));
    if (!clears)
        return;
    node->clears = clears;
    if (node->kind == AFF_SINK)
        report_add(draft->report, REPORT_ERROR, clears->place, node->name,
                   "run.clears belongs to a node with outputs; expected it in a source or processor; "
                   "write it in the node whose output no longer identifies anybody");
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

    options_fill(&job, edge_table, COUNT_OF(edge_table), table, "edge.", &keys);
    if (keys.when_full != WHEN_FULL_BLOCK)
        later(draft, node, table, "edge", "when_full", "\"block\"");
    job.later = NULL;
    table = host_table(&job, node, "run");
    if (options_fill(&job, run_table, COUNT_OF(run_table), table, "run.", &keys))
        privacy_keys_read(draft, node, table, &keys);
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

const struct aff_option *keys_edge(uint32_t *ret_count)
{
    *ret_count = COUNT_OF(edge_table);
    return edge_table;
}

const struct aff_option *keys_run(uint32_t *ret_count)
{
    *ret_count = COUNT_OF(run_table);
    return run_table;
}
