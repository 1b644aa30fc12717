/* delivery_notes.c - what a person should know about a plan's delivery.
 *
 * Allowed, and perhaps meant: a sink that blocks although others read from the same
 * node, an alarm that waits for slower data, a source that nobody can ask again, a link that
 * nobody uses, a danger that the plugin was told to allow.
 *
 * Not here: what is wrong (delivery.c), printing (show/explain.h). */
#include <stdlib.h>

#include "config/delivery.h"
#include "util/text.h"

struct noting {
    const struct plan *plan;
    void (*each)(void *arg, const struct delivery_note *note);
    void *arg;
    uint32_t *way;  /* from a sink upwards as far as edges block, nearest first */
    uint32_t *seen; /* by node: the place in `way`, from 1, that first leads to it */
    bool *is_on_way;
    bool failed;
};

static uint32_t kind_of(const struct plan *plan, uint32_t node)
{
    return plan->nodes[node].plugin->about.kind;
}

/* Takes the text. */
static void note_give(struct noting *n, uint32_t node, struct text *text)
{
    const struct plan_node *at = &n->plan->nodes[node];
    struct delivery_note note = { at->at, at->name, text->data };

    n->failed |= text->failed;
    if (!text->failed && text->data)
        n->each(n->arg, &note);
    text_free(text);
}

/* ---- a sink that blocks after a fan-out ---- */

static uint32_t way_find(struct noting *n, uint32_t sink)
{
    uint32_t count = 1;

    for (uint32_t i = 0; i < n->plan->node_count; i++) {
        n->seen[i] = 0;
        n->is_on_way[i] = i == sink;
    }
    n->way[0] = sink;
    for (uint32_t k = 0; k < count; k++)
        for (uint32_t i = 0; i < n->plan->edge_count; i++) {
            const struct plan_edge *edge = &n->plan->edges[i];

            if (edge->to != n->way[k] || edge->when_full != WHEN_FULL_BLOCK || n->is_on_way[edge->from] ||
                (edge->to != sink && kind_of(n->plan, edge->to) == AFF_SOURCE))
                continue;
            n->is_on_way[edge->from] = true;
            n->way[count++] = edge->from;
        }
    return count;
}

/* What data of way[k] comes to and that of those nearer does not. A device ends its
 * way like a sink: behind it begins data of its own. */
static void seen_spread(struct noting *n, uint32_t k)
{
    bool moved = true;

    while (moved) {
        moved = false;
        for (uint32_t i = 0; i < n->plan->edge_count; i++) {
            const struct plan_edge *edge = &n->plan->edges[i];
            bool is_from = edge->from == n->way[k] ||
                           (n->seen[edge->from] == k + 1 && kind_of(n->plan, edge->from) != AFF_SOURCE);

            if (!is_from || n->seen[edge->to])
                continue;
            n->seen[edge->to] = k + 1;
            moved = true;
        }
    }
}

static void stalls_note(struct noting *n, uint32_t sink)
{
    uint32_t count = way_find(n, sink);

    n->seen[sink] = 1;
    for (uint32_t k = 1; k < count; k++) {
        struct text text = { 0 };
        uint32_t others = 0;

        seen_spread(n, k);
        text_print(&text, "%s may stall ", n->plan->nodes[sink].name);
        for (uint32_t i = 0; i < n->plan->node_count; i++)
            if (n->seen[i] == k + 1 && kind_of(n->plan, i) != AFF_PROCESSOR)
                text_print(&text, "%s%s", others++ ? ", " : "", n->plan->nodes[i].name);
        text_print(&text, ": %s read from %s; %s", others > 1 ? "all" : "both", n->plan->nodes[n->way[k]].name,
                   n->plan->store_limit ? "when_full = \"spill\" lets the others go on"
                                        : "without a store (store_limit is 0) only drop_oldest lets the others go on");
        if (others)
            note_give(n, sink, &text);
        text_free(&text);
    }
}

/* ---- fan-in, priority ---- */

static void fan_in_note(struct noting *n, uint32_t node)
{
    const struct plan_edge *alarm = NULL, *slower = NULL;
    struct text text = { 0 };

    for (uint32_t i = 0; i < n->plan->edge_count; i++) {
        const struct plan_edge *edge = &n->plan->edges[i];

        if (edge->to != node || edge->when_full != WHEN_FULL_BLOCK)
            continue;
        if (edge->priority == AFF_PRIO_ALARM && !alarm)
            alarm = edge;
        if (edge->priority != AFF_PRIO_ALARM && (!slower || edge->priority > slower->priority))
            slower = edge;
    }
    if (!alarm || !slower)
        return;
    text_print(&text, "alarms of %s come here together with %s of %s, and wait for them at the end of each epoch; "
               "a sink of their own lets them go ahead", n->plan->nodes[alarm->from].name,
               delivery_priority(slower->priority), n->plan->nodes[slower->from].name);
    note_give(n, node, &text);
}

/* A class that was written where nothing ever waits in line. */
static void priority_note(struct noting *n, uint32_t node)
{
    struct text text = { 0 };

    for (uint32_t i = 0; i < n->plan->edge_count; i++) {
        const struct plan_edge *edge = &n->plan->edges[i];
        uint16_t own = n->plan->nodes[edge->from].plugin->outputs[edge->from_port].priority;

        if (edge->to != node || edge->when_full != WHEN_FULL_BLOCK || edge->priority == own || own > AFF_PRIO_BULK)
            continue;
        text_print(&text, "edge.priority does nothing where when_full is \"block\": no record waits there");
        note_give(n, node, &text);
        return;
    }
}

/* ---- live sources ---- */

static void live_note(struct noting *n, uint32_t node)
{
    const struct plan_node *source = &n->plan->nodes[node];
    struct text text = { 0 };

    if ((source->plugin->about.flags & AFF_REPLAYS) || source->durable)
        return;
    if (source->plugin->about.committed && n->plan->store_limit)
        text_print(&text, "the source is live, and answers its peer when what it took is safe: what a process that dies "
                   "has not answered the peer has to send again; run = { durable = true } puts a store right behind it, "
                   "so that it answers soon");
    else if (source->plugin->about.committed)
        text_print(&text, "the source is live, and answers its peer when all sinks are done with what it took: store_limit "
                   "is 0, so no store is right behind it, and the peer waits for the slowest sink");
    else
        text_print(&text, "the source is live: what was read since the last commit is lost with the process; %s",
                   n->plan->store_limit ? "run = { durable = true } puts a store right behind it"
                                        : "store_limit is 0, so no store is right behind it");
    note_give(n, node, &text);
}

/* ---- links ---- */

/* Who declares a link believes that something keeps to it. */
static void link_note(struct noting *n, uint32_t link)
{
    const struct plan_link *l = &n->plan->links[link];
    struct text title = { 0 };
    struct delivery_note note = { .at = l->at, .text = "no sink names it in edge.links, so nothing keeps to it" };

    for (uint32_t i = 0; i < n->plan->node_count; i++) {
        const struct link_rules *rules = n->plan->nodes[i].link_rules;

        for (uint32_t k = 0; rules && k < rules->link_count; k++)
            if (rules->links[k] == link)
                return;
    }
    text_print(&title, "link.%s", l->name);
    note.node = title.data;
    n->failed |= title.failed;
    if (!title.failed && title.data)
        n->each(n->arg, &note);
    text_free(&title);
}

/* ---- what a plugin says of itself ---- */

static void said_notes(struct noting *n, uint32_t node)
{
    const struct plan_node *at = &n->plan->nodes[node];

    for (const struct plan_note *note = at->notes; note; note = note->next)
        n->each(n->arg, &(struct delivery_note){ note->at, at->name, note->text });
}

bool delivery_notes(const struct plan *plan, void (*each)(void *arg, const struct delivery_note *note), void *arg)
{
    struct noting n = { .plan = plan, .each = each, .arg = arg };

    n.way = calloc(plan->node_count + 1u, sizeof *n.way);
    n.seen = calloc(plan->node_count + 1u, sizeof *n.seen);
    n.is_on_way = calloc(plan->node_count + 1u, sizeof *n.is_on_way);
    n.failed = !n.way || !n.seen || !n.is_on_way;
    for (uint32_t i = 0; i < plan->node_count && !n.failed; i++) {
        said_notes(&n, i);
        if (kind_of(plan, i) == AFF_SOURCE)
            live_note(&n, i);
        if (kind_of(plan, i) == AFF_SINK)
            stalls_note(&n, i);
        fan_in_note(&n, i);
        priority_note(&n, i);
    }
    for (uint32_t i = 0; i < plan->link_count && !n.failed; i++)
        link_note(&n, i);
    free(n.way);
    free(n.seen);
    free(n.is_on_way);
    return !n.failed;
}
