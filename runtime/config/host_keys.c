/* host_keys.c - the host's own keys of a node: `edge` and `run`.
 *
 * They go through the same option check as a plugin's, so they have the same
 * messages. What is said here concerns a node alone; what an edge is for where
 * nobody says it follows from the whole (delivery.c).
 *
 * Not here: `plugin` and the plugin's options (pipeline_node.c), `from`
 * (pipeline_from.c). */
#include <string.h>

#include "config/delivery.h"
#include "config/keys.h"
#include "config/links.h"
#include "config/pipeline_inside.h"

enum { ISOLATION_THREAD, ISOLATION_PROCESS };
enum { UNSAID = -1 }; /* of an enum: not written */

struct host_keys {
    int32_t when_full;
    int32_t priority;
    int32_t isolation;
    int32_t durable;
    int32_t require_sandbox;
    int64_t buffer;
    int64_t expire;
    int64_t max_held;
    const char *allow_phi;
    struct aff_list clears; /* const char * */
    struct link_keys link;
};

static const char *const when_full_names[] = { "block", "spill", "drop_oldest", NULL };
static const char *const priority_names[] = { "alarm", "vitals", "waveform", "bulk", NULL };
static const char *const isolation_names[] = { "thread", "process", NULL };

#define KEY(type_, member_, preset_, min_, max_, choices_, doc_) \
    { .name = #member_, .doc = doc_, .preset = preset_, .type = type_, \
      .offset = (uint32_t)offsetof(struct host_keys, member_), .min = min_, .max = max_, \
      .choices = choices_ }

#define LINK_KEY(type_, member_, min_, max_, choices_, doc_) \
    { .name = #member_, .doc = doc_, .type = type_, .offset = (uint32_t)offsetof(struct host_keys, link.member_), \
      .min = min_, .max = max_, .choices = choices_ }

static const struct aff_option clears_item[] = {
    { .name = "", .doc = "what is no longer labelled", .type = AFF_TYPE_TEXT, .min = 1, .max = -1 },
};

static const struct aff_option edge_table[] = {
    KEY(AFF_TYPE_ENUM, when_full, NULL, 1, -1, when_full_names,
        "what happens when the reader is slow; without it a sink behind a fan-out spills, all else blocks"),
    KEY(AFF_TYPE_BYTES, buffer, "\"256KiB\"", 4096, 0x1p30, NULL,
        "payload that the reader may leave unread"),
    KEY(AFF_TYPE_DURATION, expire, NULL, 1e9, 9.2e18, NULL,
        "records that have waited longer are not delivered; without it all are"),
    KEY(AFF_TYPE_ENUM, priority, NULL, 1, -1, priority_names,
        "the class in which waiting records leave; without it that of the output they come from"),
    { .name = "links", .doc = "the links that what leaves here goes by, by preference; without it, as the system routes",
      .type = AFF_TYPE_LIST, .offset = (uint32_t)offsetof(struct host_keys, link.links), .min = 1, .max = LINKS_MOST,
      .nested = links_name_item, .nested_count = 1, .nested_size = (uint32_t)sizeof(const char *) },
    LINK_KEY(AFF_TYPE_ENUM, metered, 1, -1, links_class_names,
             "the last class that may go by a metered link; those before it may as well, the others wait"),
    LINK_KEY(AFF_TYPE_ENUM, roaming, 1, -1, links_class_names, "the last class that may go by a link that roams"),
    { .name = "technology", .doc = "the last class that may go by links of a technology", .type = AFF_TYPE_TABLE,
      .offset = (uint32_t)offsetof(struct host_keys, link.technology), .min = 1, .max = -1,
      .nested = links_technology_options, .nested_count = LINK_TECHNOLOGIES,
      .nested_size = (uint32_t)sizeof(struct link_techs) },
    LINK_KEY(AFF_TYPE_BYTES, per_day, 1, 0x1p50, NULL,
             "how much may go and come in a day (UTC) by metered links, or by all where none is named"),
    LINK_KEY(AFF_TYPE_BYTES, per_month, 1, 0x1p50, NULL, "the same in a month (UTC)"),
    LINK_KEY(AFF_TYPE_ENUM, when_spent, 1, -1, links_class_names,
             "the last class that may go when per_day or per_month is spent; without it alarm"),
};

static const struct aff_option run_table[] = {
    KEY(AFF_TYPE_ENUM, isolation, NULL, 1, -1, isolation_names,
        "where the node runs; without it on a thread, and in a process where the plugin did not come with this host"),
    KEY(AFF_TYPE_BOOL, durable, "false", 1, -1, NULL, "a store right behind the source"),
    KEY(AFF_TYPE_BOOL, require_sandbox, "false", 1, -1, NULL, "refuse to run without a sandbox"),
    KEY(AFF_TYPE_INT, max_held, "-1", -1, 1e6, NULL, "records that the node may hold"),
    KEY(AFF_TYPE_TEXT, allow_phi, NULL, 1, -1, NULL, "why patient data may leave by this node"),
    { .name = "clears", .doc = "whose privacy labels end at this node", .type = AFF_TYPE_LIST,
      .offset = (uint32_t)offsetof(struct host_keys, clears), .min = 1, .max = 4096,
      .nested = clears_item, .nested_count = 1, .nested_size = (uint32_t)sizeof(const char *) },
};
#define COUNT_OF(table) ((uint32_t)(sizeof(table) / sizeof *(table)))

const char *delivery_when_full(enum when_full when_full)
{
    return when_full_names[when_full];
}

const char *delivery_priority(uint32_t priority)
{
    return priority_names[priority <= AFF_PRIO_BULK ? priority : AFF_PRIO_BULK];
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

const struct value *host_key(const struct draft_node *node, const char *table, const char *key)
{
    return value_find(value_find(node->table, table), key);
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

/* ---- where it runs, and what it keeps ---- */

/* Of a node that does not say it; the one place that decides it. */
static bool default_in_process(const struct plugin *plugin)
{
    return !plugin->shipped;
}

static void place_keys_read(struct draft *draft, struct draft_node *node, const struct host_keys *keys)
{
    node->in_process = keys->isolation == UNSAID ? node->plugin && default_in_process(node->plugin)
                                                 : keys->isolation == ISOLATION_PROCESS;
    node->require_sandbox = keys->require_sandbox;
    if (keys->require_sandbox && !node->in_process)
        report_add(draft->report, REPORT_ERROR, host_key(node, "run", "require_sandbox")->place, node->name,
                   "run.require_sandbox needs a process of the node's own; expected isolation = "
                   "\"process\" beside it; add that, or take require_sandbox out");
    node->is_durable = keys->durable;
    if (keys->durable && node->kind != AFF_SOURCE)
        report_add(draft->report, REPORT_ERROR, host_key(node, "run", "durable")->place, node->name,
                   "run.durable belongs to a source; expected it where data comes in; take it out, or "
                   "write edge = { when_full = \"spill\" } for a store before this node");
}

static uint32_t default_held(const struct plugin *plugin)
{
    for (uint32_t i = 0; plugin && i < plugin->verdict_count; i++) {
        if (plugin->verdicts[i].kind == AFF_V_HOLD)
            return 64;
    }
    return 0;
}

/* An edge is told by its reader: a node that reads nothing has none. */
static void edge_needless(struct draft *draft, const struct draft_node *node)
{
    const struct value *table = value_find(node->table, "edge");

    if (table && node->plugin && node->plugin->input_count == 0)
        report_add(draft->report, REPORT_ERROR, table->key_place, node->name,
                   "edge is about what comes to a node, and nothing comes to %s; expected it in the "
                   "node that reads; write it there", node->plugin->about.name);
}

void host_keys_read(struct draft *draft, struct draft_node *node)
{
    struct options_job job = { .arena = draft->arena, .report = draft->report,
                               .base = draft->file, .node = node->name };
    struct host_keys keys = { .when_full = UNSAID, .priority = UNSAID, .isolation = UNSAID,
                              .link = { .metered = LINKS_UNSAID, .roaming = LINKS_UNSAID, .when_spent = LINKS_UNSAID } };
    const struct value *table = host_table(&job, node, "edge");

    if (options_fill(&job, edge_table, COUNT_OF(edge_table), table, "edge.", &keys))
        links_rules_read(draft, node, &keys.link);
    edge_needless(draft, node);
    table = host_table(&job, node, "run");
    if (options_fill(&job, run_table, COUNT_OF(run_table), table, "run.", &keys)) {
        privacy_keys_read(draft, node, table, &keys);
        place_keys_read(draft, node, &keys);
    }
    node->when_full = keys.when_full;
    node->priority = keys.priority;
    node->expire_ns = keys.expire;
    node->buffer = keys.buffer;
    node->max_held = keys.max_held >= 0 ? keys.max_held : default_held(node->plugin);
}
