/* links.c - see links.h.
 *
 * A rule that can never say anything is refused: who wrote `roaming` believes that
 * something will come of it.
 *
 * Not here: what a link and a rule are (plan.h). */
#include "config/links.h"

#include <string.h>

#include "config/keys.h"
#include "util/text.h"

#define BACK_AFTER "\"30s\""

struct link_table {
    const char *from;
    const char *interface;
    int32_t up, metered, roaming, technology;
    int64_t back_after_ns;
};

static const char *const technologies[] = { "other", "wired", "wifi", "2g", "3g", "4g", "5g", NULL };
const char *const links_class_names[] = { "none", "alarm", "vitals", "waveform", "bulk", NULL };

const struct aff_option links_name_item[] = {
    { .name = "", .doc = "a link of this pipeline", .type = AFF_TYPE_TEXT, .min = 1, .max = -1 },
};

#define KEY(type_, name_, member_, preset_, min_, max_, choices_, doc_) \
    { .name = name_, .doc = doc_, .preset = preset_, .type = type_, \
      .offset = (uint32_t)offsetof(struct link_table, member_), .min = min_, .max = max_, .choices = choices_ }

static const struct aff_option link_options[] = {
    KEY(AFF_TYPE_TEXT, "from", from, NULL, 1, -1, NULL,
        "the node that keeps it up and says in what state it is; without it that stands here"),
    KEY(AFF_TYPE_TEXT, "interface", interface, NULL, 1, -1, NULL,
        "the network interface that what goes by it is bound to; without one it is routed as the system does"),
    KEY(AFF_TYPE_BOOL, "up", up, "true", 1, -1, NULL,
        "whether it can be used; where it can, its interface has to be up as well"),
    KEY(AFF_TYPE_BOOL, "metered", metered, "false", 1, -1, NULL, "whether what is sent by it costs"),
    KEY(AFF_TYPE_BOOL, "roaming", roaming, "false", 1, -1, NULL, "whether it is in another network than its own"),
    KEY(AFF_TYPE_ENUM, "technology", technology, "\"other\"", 1, -1, technologies, "what it is"),
    KEY(AFF_TYPE_DURATION, "back_after", back_after_ns, BACK_AFTER, 0, 86400e9, NULL,
        "how long it must have been up again before a sink that uses another returns to it"),
};
#define LINK_OPTIONS ((uint32_t)(sizeof link_options / sizeof *link_options))

#define TECH(name_, i) \
    { .name = name_, .doc = "the last class that may go by " name_, .type = AFF_TYPE_ENUM, .min = 1, .max = -1, \
      .offset = (uint32_t)offsetof(struct link_techs, limit[i]), .choices = links_class_names, .preset = "\"bulk\"" }

const struct aff_option links_technology_options[LINK_TECHNOLOGIES] = {
    TECH("other", 0), TECH("wired", 1), TECH("wifi", 2), TECH("2g", 3), TECH("3g", 4), TECH("4g", 5), TECH("5g", 6),
};

const struct aff_option *keys_link(uint32_t *ret_count)
{
    *ret_count = LINK_OPTIONS;
    return link_options;
}

const char *links_technology(uint8_t technology)
{
    return technologies[technology < LINK_TECHNOLOGIES ? technology : 0];
}

const char *links_limit(int limit)
{
    return links_class_names[limit < LINK_NOTHING || limit > AFF_PRIO_BULK ? AFF_PRIO_BULK + 1 : limit + 1];
}

/* ---- [link.NAME] ---- */

/* In messages: "link.wifi". */
static const char *link_title(struct draft *draft, const struct value *table)
{
    const char *title = arena_print(draft->arena, "link.%s", table->key);

    return title ? title : table->key;
}

static bool state_is_said_once(struct draft *draft, const struct value *table)
{
    static const char *const said[] = { "up", "metered", "roaming", "technology" };

    for (size_t i = 0; i < sizeof said / sizeof *said; i++) {
        const struct value *value = value_find(table, said[i]);

        if (!value)
            continue;
        report_add(draft->report, REPORT_ERROR, value->place, link_title(draft, table),
                   "%s stands beside from, and the node that keeps the link up says it; expected one of both; take %s "
                   "out, or from", said[i], said[i]);
        return false;
    }
    return true;
}

static uint32_t node_row(struct draft *draft, const struct value *table, const char *name)
{
    const struct value *value = value_find(table, "from");
    struct aff_guess guess = { .word = name };

    for (uint32_t i = 0; i < draft->node_count; i++) {
        const struct draft_node *node = &draft->nodes[i];

        if (node->kind == AFF_SINK)
            continue;
        if (strcmp(node->name, name) == 0)
            return i;
        aff_guess_offer(&guess, node->name);
    }
    if (guess.best)
        report_add(draft->report, REPORT_ERROR, value->place, link_title(draft, table),
                   "from names \"%s\", and no source or processor has that name; expected the node that keeps the link "
                   "up; did you mean %s?", name, guess.best);
    else
        report_add(draft->report, REPORT_ERROR, value->place, link_title(draft, table),
                   "from names \"%s\", and no source or processor has that name; expected the node that keeps the link "
                   "up, a modem for instance; write its name", name);
    return PLAN_NONE;
}

static bool interface_check(struct draft *draft, const struct value *table, const char *name)
{
    if (strlen(name) < 16 && !strpbrk(name, " /:\t\n") && name[strspn(name, ".")])
        return true;
    report_add(draft->report, REPORT_ERROR, value_find(table, "interface")->place, link_title(draft, table),
               "interface cannot be the name of one; expected up to 15 characters without space, \"/\" and \":\"; see "
               "ip link");
    return false;
}

static void link_read(struct draft *draft, const struct value *table)
{
    struct options_job job = { .arena = draft->arena, .report = draft->report, .base = draft->file,
                               .node = link_title(draft, table), .missing = table->key_place };
    struct link_table link = { 0 };
    struct plan_link *to = &draft->links[draft->link_count];
    uint32_t node = PLAN_NONE;

    if (table->kind != VALUE_TABLE || !pipeline_name_good(table->key)) {
        report_add(draft->report, REPORT_ERROR, table->key_place, NULL,
                   "this is no link; expected a table with a name of letters, digits, \"_\" or \"-\"; write [link.NAME]");
        return;
    }
    if (!options_fill(&job, link_options, LINK_OPTIONS, table, "", &link))
        return;
    if (link.interface && !interface_check(draft, table, link.interface))
        return;
    if (link.from && (!state_is_said_once(draft, table) || (node = node_row(draft, table, link.from)) == PLAN_NONE))
        return;
    *to = (struct plan_link){ .name = table->key, .interface = link.interface, .node = node, .is_up = link.up,
                              .is_metered = link.metered, .is_roaming = link.roaming,
                              .technology = (uint8_t)link.technology, .back_after_ns = link.back_after_ns,
                              .at = table->key_place };
    draft->link_count++;
}

void links_read(struct draft *draft, const struct value *document)
{
    const struct value *links = value_find(document, "link");

    if (!links)
        return;
    if (links->kind != VALUE_TABLE) {
        report_add(draft->report, REPORT_ERROR, links->key_place, NULL,
                   "link is %s; expected a table of its own for each way out; write [link.NAME]", value_kind_name(links));
        return;
    }
    draft->links = arena_take_array(draft->arena, links->count + 1, sizeof *draft->links);
    for (const struct value *table = links->first; draft->links && table; table = table->next)
        link_read(draft, table);
}

/* ---- what stands in `edge` ---- */

static int8_t limit_of(int32_t row)
{
    return (int8_t)(row == LINKS_UNSAID ? AFF_PRIO_BULK : row - 1);
}

static bool is_said(const struct draft_node *node)
{
    static const char *const keys[] = { "links", "metered", "roaming", "technology", "per_day", "per_month", "when_spent" };

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (host_key(node, "edge", keys[i]))
            return true;
    return false;
}

#define SAY(draft, node, key, ...) \
    report_add((draft)->report, REPORT_ERROR, host_key(node, "edge", key)->place, (node)->name, __VA_ARGS__)

/* What concerns the sink alone. */
static void rules_check(struct draft *draft, const struct draft_node *node, const struct link_rules *rules)
{
    static const char *const by_state[] = { "metered", "roaming", "technology" };
    bool has_links = host_key(node, "edge", "links") != NULL;

    for (size_t i = 0; i < sizeof by_state / sizeof *by_state && !has_links; i++)
        if (host_key(node, "edge", by_state[i]))
            SAY(draft, node, by_state[i],
                "edge.%s is a rule about links, and the sink names none; expected edge.links beside it; name them, by "
                "preference", by_state[i]);
    if (host_key(node, "edge", "when_spent") && !rules->per_day && !rules->per_month)
        SAY(draft, node, "when_spent",
            "edge.when_spent does nothing where there is no budget; expected per_day or per_month beside it; write one, "
            "or take it out");
    if (rules->per_day && rules->per_month && rules->per_day > rules->per_month)
        SAY(draft, node, "per_day",
            "edge.per_day is more than per_month, so it never ends a day; expected less; lower it, or take it out");
}

void links_rules_read(struct draft *draft, struct draft_node *node, const struct link_keys *keys)
{
    struct link_rules *rules;

    if (!is_said(node))
        return;
    if (node->kind != AFF_SINK) {
        const struct value *edge = value_find(node->table, "edge");

        report_add(draft->report, REPORT_ERROR, edge->key_place, node->name,
                   "edge says by which links data leaves, and none leaves this machine here; expected that in a sink; "
                   "write it there");
        return;
    }
    rules = arena_take(draft->arena, sizeof *rules);
    if (!rules)
        return;
    *rules = (struct link_rules){
        .metered = limit_of(keys->metered),
        .roaming = limit_of(keys->roaming),
        .when_spent = keys->when_spent == LINKS_UNSAID ? AFF_PRIO_ALARM : limit_of(keys->when_spent),
        .per_day = (uint64_t)keys->per_day,
        .per_month = (uint64_t)keys->per_month,
    };
    for (uint32_t i = 0; i < LINK_TECHNOLOGIES; i++)
        rules->technology[i] = limit_of(keys->technology ? keys->technology->limit[i] : LINKS_UNSAID);
    rules_check(draft, node, rules);
    node->link_rules = rules;
}

/* ---- rules and links together ---- */

static uint32_t link_row(struct draft *draft, const struct draft_node *node, const struct value *name)
{
    struct aff_guess guess = { .word = name->text };

    for (uint32_t i = 0; i < draft->link_count; i++) {
        if (strcmp(draft->links[i].name, name->text) == 0)
            return i;
        aff_guess_offer(&guess, draft->links[i].name);
    }
    if (guess.best)
        report_add(draft->report, REPORT_ERROR, name->place, node->name,
                   "edge.links names \"%s\", and there is no such link; expected one of this file; did you mean %s?",
                   name->text, guess.best);
    else
        report_add(draft->report, REPORT_ERROR, name->place, node->name,
                   "edge.links names \"%s\", and there is no such link; expected one of this file; write [link.%s]",
                   name->text, pipeline_name_good(name->text) ? name->text : "NAME");
    return PLAN_NONE;
}

static bool link_add(struct draft *draft, struct draft_node *node, const struct value *name)
{
    struct link_rules *rules = node->link_rules;
    uint32_t row = link_row(draft, node, name);

    if (row == PLAN_NONE)
        return false;
    for (uint32_t i = 0; i < rules->link_count; i++)
        if (rules->links[i] == row) {
            report_add(draft->report, REPORT_ERROR, name->place, node->name,
                       "edge.links names \"%s\" twice; expected each once, by preference; take one out", name->text);
            return false;
        }
    rules->links[rules->link_count++] = row;
    return true;
}

/* False: it has had its message, and more would only follow from that. */
static bool links_resolve(struct draft *draft, struct draft_node *node)
{
    const struct value *list = host_key(node, "edge", "links");
    bool ok = true;

    if (!list)
        return true;
    if (list->kind == VALUE_TEXT)
        return link_add(draft, node, list);
    for (const struct value *name = list->first; name; name = name->next)
        ok &= link_add(draft, node, name);
    return ok;
}

/* Whether a link of the sink can ever be so; one whose node says it can. */
static bool any_can(const struct draft *draft, const struct link_rules *rules, bool roaming)
{
    for (uint32_t i = 0; i < rules->link_count; i++) {
        const struct plan_link *link = &draft->links[rules->links[i]];

        if (link->node != PLAN_NONE || (roaming ? link->is_roaming : link->is_metered))
            return true;
    }
    return rules->link_count == 0;
}

static void needless_check(struct draft *draft, const struct draft_node *node)
{
    const struct link_rules *rules = node->link_rules;

    if (host_key(node, "edge", "metered") && !any_can(draft, rules, false))
        SAY(draft, node, "metered",
            "edge.metered does nothing, for none of the sink's links is metered; expected metered = true in one of "
            "them; write it there, or take this out");
    if (host_key(node, "edge", "roaming") && !any_can(draft, rules, true))
        SAY(draft, node, "roaming",
            "edge.roaming does nothing, for none of the sink's links roams; expected one that a node keeps up, or "
            "roaming = true; take it out");
    if ((rules->per_day || rules->per_month) && !any_can(draft, rules, false))
        SAY(draft, node, rules->per_day ? "per_day" : "per_month",
            "a budget counts what goes by metered links, and none of the sink's is metered; expected metered = true in "
            "one of them; write it there, or take the budget out");
}

/* Links that a file alone describes, of which none lets anything go. */
static void ever_check(struct draft *draft, const struct draft_node *node)
{
    const struct link_rules *rules = node->link_rules;
    bool ever = rules->link_count == 0;

    for (uint32_t i = 0; i < rules->link_count; i++) {
        const struct plan_link *link = &draft->links[rules->links[i]];
        bool shut = !link->is_up || (link->is_metered && rules->metered == LINK_NOTHING) ||
                    (link->is_roaming && rules->roaming == LINK_NOTHING) ||
                    rules->technology[link->technology] == LINK_NOTHING;

        ever |= link->node != PLAN_NONE || !shut;
    }
    if (!ever)
        SAY(draft, node, "links",
            "nothing can ever leave by the links of this sink, as they and its rules stand here; expected one that is "
            "up and may be used; raise a rule, or add a link");
}

static void wait_check(struct draft *draft, const struct plan *plan, const struct draft_node *node)
{
    for (uint32_t i = 0; i < plan->edge_count; i++) {
        const struct plan_edge *edge = &plan->edges[i];

        if (edge->to != node->order || edge->when_full != WHEN_FULL_BLOCK)
            continue;
        report_add(draft->report, REPORT_ERROR, value_find(node->table, "edge")->key_place, node->name,
                   "edge says what may leave by which link, and where when_full is \"block\" nothing can wait for one; "
                   "expected \"spill\" or \"drop_oldest\"; %s",
                   plan->store_limit ? "write when_full = \"spill\"" : "write when_full = \"drop_oldest\", or raise "
                                                                       "pipeline.store_limit");
        return;
    }
}

void links_choose(struct draft *draft, struct plan *plan)
{
    plan->links = draft->links;
    plan->link_count = draft->link_count;
    for (uint32_t i = 0; i < draft->link_count; i++)
        if (draft->links[i].node != PLAN_NONE)
            draft->links[i].node = draft->nodes[draft->links[i].node].order;
    for (uint32_t i = 0; i < draft->node_count; i++) {
        struct draft_node *node = &draft->nodes[i];

        if (!node->link_rules)
            continue;
        plan->nodes[node->order].link_rules = node->link_rules;
        wait_check(draft, plan, node);
        if (!links_resolve(draft, node))
            continue;
        needless_check(draft, node);
        ever_check(draft, node);
    }
}
