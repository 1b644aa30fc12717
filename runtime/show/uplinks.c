/* uplinks.c - see uplinks.h. */
#include "show/uplinks.h"

#include <inttypes.h>

#include "config/links.h"
#include "util/units.h"

static void add_bytes(struct text *text, uint64_t bytes)
{
    units_add_bytes(text, bytes < INT64_MAX ? (int64_t)bytes : INT64_MAX);
}

static const struct plan_link *link_at(const struct plan *plan, const struct link_rules *rules, uint32_t i)
{
    return &plan->links[rules->links[i]];
}

/* ---- the rules ---- */

static void add_limit(struct text *text, const char *when, int limit)
{
    if (limit >= AFF_PRIO_BULK)
        return;
    if (limit == LINK_NOTHING)
        text_print(text, "; %s: nothing", when);
    else
        text_print(text, "; %s: %s%s", when, limit == AFF_PRIO_ALARM ? "only " : "up to ", links_limit(limit));
}

static void add_budget(struct text *text, const struct link_rules *rules)
{
    const char *before = "; ";

    if (rules->per_day) {
        text_add(text, before);
        add_bytes(text, rules->per_day);
        text_add(text, " a day");
        before = ", ";
    }
    if (rules->per_month) {
        text_add(text, before);
        add_bytes(text, rules->per_month);
        text_add(text, " a month");
    }
    if (!rules->per_day && !rules->per_month)
        return;
    if (rules->link_count)
        text_add(text, " by metered links");
    add_limit(text, "when spent", rules->when_spent);
}

static void add_rules(struct text *text, const struct plan *plan, const struct link_rules *rules)
{
    for (uint32_t i = 0; i < rules->link_count; i++)
        text_print(text, "%s%s", i ? ", else " : "by ", link_at(plan, rules, i)->name);
    if (rules->link_count == 0)
        text_add(text, "as the system routes");
    for (uint32_t i = 0; i < LINK_TECHNOLOGIES; i++)
        add_limit(text, links_technology((uint8_t)i), rules->technology[i]);
    add_limit(text, "metered", rules->metered);
    add_limit(text, "roaming", rules->roaming);
    add_budget(text, rules);
}

void uplinks_plan(const struct plan *plan, FILE *out)
{
    bool is_headed = false;

    for (uint32_t i = 0; i < plan->node_count; i++) {
        const struct link_rules *rules = plan->nodes[i].link_rules;
        struct text text = { 0 };

        if (!rules)
            continue;
        if (!is_headed)
            fputs("what may leave, and how\n", out);
        is_headed = true;
        add_rules(&text, plan, rules);
        fprintf(out, "  %s: %s\n", plan->nodes[i].name, text.data ? text.data : "");
        text_free(&text);
    }
}

static void json_rules(struct json *json, const struct plan *plan, const struct link_rules *rules)
{
    json_array(json, "links");
    for (uint32_t i = 0; i < rules->link_count; i++)
        json_text(json, NULL, link_at(plan, rules, i)->name);
    json_end(json);
    json_text(json, "metered", links_limit(rules->metered));
    json_text(json, "roaming", links_limit(rules->roaming));
    json_object(json, "technology");
    for (uint32_t i = 0; i < LINK_TECHNOLOGIES; i++)
        json_text(json, links_technology((uint8_t)i), links_limit(rules->technology[i]));
    json_end(json);
    if (rules->per_day)
        json_uint(json, "per_day", rules->per_day);
    else
        json_null(json, "per_day");
    if (rules->per_month)
        json_uint(json, "per_month", rules->per_month);
    else
        json_null(json, "per_month");
    json_text(json, "when_spent", links_limit(rules->when_spent));
}

void uplinks_plan_json(struct json *json, const struct plan *plan)
{
    json_array(json, "uplinks");
    for (uint32_t i = 0; i < plan->node_count; i++) {
        if (!plan->nodes[i].link_rules)
            continue;
        json_object(json, NULL);
        json_text(json, "sink", plan->nodes[i].name);
        json_rules(json, plan, plan->nodes[i].link_rules);
        json_end(json);
    }
    json_end(json);
}

/* ---- how it stands ---- */

static const char *view_word(const struct status_uplink *u, uint32_t i)
{
    const struct link_view *view = &u->figures.views[i];

    if (i == u->figures.choice.link)
        return "in use";
    if (!view->is_known)
        return "not known yet";
    if (!view->is_up)
        return "down";
    return view->free_ns > u->figures.now_ns ? "passed over for a while" : "up";
}

static void add_links(struct text *text, const struct status_uplink *u)
{
    const struct link_rules *rules = u->plan->nodes[u->node].link_rules;

    for (uint32_t i = 0; i < rules->link_count; i++) {
        const struct link_view *view = &u->figures.views[i];

        text_print(text, "%s%s %s", i ? ", " : "", link_at(u->plan, rules, i)->name, view_word(u, i));
        if (view->is_up && (view->is_metered || view->is_roaming))
            text_print(text, " (%s%s%s)", view->is_metered ? "metered" : "",
                       view->is_metered && view->is_roaming ? ", " : "", view->is_roaming ? "roaming" : "");
    }
    if (rules->link_count == 0)
        text_add(text, "as the system routes");
}

/* Classes that are held back, with what lies there of them; else what may go. */
static void add_waiting(struct text *text, const struct status_uplink *u)
{
    const struct link_choice *c = &u->figures.choice;
    const char *before = "; waits: ";

    for (int class = c->limit + 1; class < UPLINK_CLASSES; class++) {
        if (u->waiting[class] == 0)
            continue;
        text_print(text, "%s%s %" PRIu64, before, links_limit(class), u->waiting[class]);
        before = ", ";
    }
    if (c->why == LINK_WAIT_NONE)
        return;
    if (before[0] == ';')
        add_limit(text, "may go", c->limit);
    text_print(text, " (%s)", link_wait_word(c->why));
}

static void add_of(struct text *text, const char *before, uint64_t spent, uint64_t most)
{
    text_add(text, before);
    add_bytes(text, spent);
    if (most == 0)
        return;
    text_add(text, " of ");
    add_bytes(text, most);
}

void uplink_text(struct text *text, const struct status_uplink *u)
{
    const struct link_rules *rules = u->plan->nodes[u->node].link_rules;
    const struct spent *spent = &u->figures.spent;

    text_print(text, "  [%s] ", u->plan->nodes[u->node].name);
    add_links(text, u);
    add_waiting(text, u);
    text_print(text, "\n  [%s] ", u->plan->nodes[u->node].name);
    if (rules->per_day || rules->per_month) {
        add_of(text, "today ", spent->day_bytes, rules->per_day);
        add_of(text, ", this month ", spent->month_bytes, rules->per_month);
        text_add(text, rules->link_count ? " by metered links; " : "; ");
    }
    add_of(text, "sent ", spent->sent, 0);
    add_of(text, ", received ", spent->received, 0);
    text_add(text, u->figures.is_guessed ? " in all, of payload: its plugin does not say what goes over the wire\n"
                                         : " in all, over the wire\n");
}

static void json_budget(struct json *json, const char *left, uint64_t spent, uint64_t most)
{
    if (most)
        json_uint(json, left, spent < most ? most - spent : 0);
    else
        json_null(json, left);
}

static void json_states(struct json *json, const struct status_uplink *u)
{
    const struct link_rules *rules = u->plan->nodes[u->node].link_rules;

    json_array(json, "states");
    for (uint32_t i = 0; i < rules->link_count; i++) {
        json_object(json, NULL);
        json_text(json, "link", link_at(u->plan, rules, i)->name);
        json_text(json, "state", view_word(u, i));
        json_bool(json, "metered", u->figures.views[i].is_metered);
        json_bool(json, "roaming", u->figures.views[i].is_roaming);
        json_end(json);
    }
    json_end(json);
    json_object(json, "queued");
    for (int class = 0; class < UPLINK_CLASSES; class++)
        json_uint(json, links_limit(class), u->waiting[class]);
    json_end(json);
}

void uplink_json(struct json *json, const struct status_uplink *u)
{
    const struct link_rules *rules = u->plan->nodes[u->node].link_rules;
    const struct uplink_figures *f = &u->figures;

    json_object(json, NULL);
    json_text(json, "sink", u->plan->nodes[u->node].name);
    json_text(json, "in_use", f->choice.link < rules->link_count ? link_at(u->plan, rules, f->choice.link)->name : NULL);
    json_text(json, "may_go", links_limit(f->choice.limit));
    json_text(json, "waits_for", f->choice.why == LINK_WAIT_NONE ? NULL : link_wait_word(f->choice.why));
    json_rules(json, u->plan, rules);
    json_states(json, u);
    json_uint(json, "day_bytes", f->spent.day_bytes);
    json_uint(json, "month_bytes", f->spent.month_bytes);
    json_budget(json, "day_left", f->spent.day_bytes, rules->per_day);
    json_budget(json, "month_left", f->spent.month_bytes, rules->per_month);
    json_uint(json, "sent_bytes", f->spent.sent);
    json_uint(json, "received_bytes", f->spent.received);
    json_text(json, "counted", f->is_guessed ? "payload" : "wire");
    json_end(json);
}
