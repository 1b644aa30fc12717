/* pipeline_graph.c - the pipeline as a whole: order, cycles, dead ends, and archives
 * that would be given two versions of one record.
 *
 * The order is a topological sort (Kahn 1962, CACM 5(11)); of the nodes that
 * are ready, the one that stands first in the file comes first, so that a plan
 * reads like its file. What remains lies on a cycle or behind one.
 *
 * Not here: single edges (pipeline_from.c). */
#include <string.h>

#include "config/pipeline_inside.h"
#include "util/text.h"

static bool edge_orders(const struct draft *draft, const struct draft_edge *edge)
{
    return !edge_is_command(draft, edge);
}

static void node_order(struct draft *draft, uint32_t node, uint32_t order)
{
    draft->nodes[node].order = order;
    draft->nodes[node].is_ordered = true;
    for (uint32_t i = 0; i < draft->edge_count; i++) {
        const struct draft_edge *edge = &draft->edges[i];

        if (edge->from == node && edge_orders(draft, edge))
            draft->nodes[edge->to].waits--;
    }
}

/* How many nodes could be ordered. */
static uint32_t nodes_order(struct draft *draft)
{
    uint32_t order = 0;
    bool moved = true;

    for (uint32_t i = 0; i < draft->edge_count; i++)
        draft->nodes[draft->edges[i].to].waits += edge_orders(draft, &draft->edges[i]);
    while (moved) {
        moved = false;
        for (uint32_t i = 0; i < draft->node_count && !moved; i++) {
            if (draft->nodes[i].is_ordered || draft->nodes[i].waits)
                continue;
            node_order(draft, i, order++);
            moved = true;
        }
    }
    return order;
}

/* An edge into `node` that comes from a node without order: upwards from any
 * such node one must come back to where one was. */
static const struct draft_edge *edge_upwards(const struct draft *draft, uint32_t node)
{
    for (uint32_t i = 0; i < draft->edge_count; i++) {
        const struct draft_edge *edge = &draft->edges[i];

        if (edge->to == node && edge_orders(draft, edge) && !draft->nodes[edge->from].is_ordered)
            return edge;
    }
    return NULL;
}

/* Walks upwards until it must be on the cycle, then once around. */
static void cycle_report(struct draft *draft)
{
    const struct draft_edge *edge;
    struct text around = { 0 };
    uint32_t node = 0, start;

    while (draft->nodes[node].is_ordered)
        node++;
    for (uint32_t i = 0; i < draft->node_count; i++)
        node = edge_upwards(draft, node)->from;
    start = node;
    edge = edge_upwards(draft, start);
    for (uint32_t i = 0; i < draft->node_count; i++) {
        const struct draft_edge *up = edge_upwards(draft, node);

        if (up->place.line < edge->place.line)
            edge = up;
        node = up->from;
        if (node == start)
            break;
    }
    node = start = edge->to;
    text_add(&around, draft->nodes[start].name);
    do {
        node = edge_upwards(draft, node)->from;
        text_print(&around, " <- %s", draft->nodes[node].name);
    } while (node != start);
    report_add(draft->report, REPORT_ERROR, edge->place, draft->nodes[start].name,
               "the data goes in a circle: %s; expected a way from sources to sinks; "
               "take one of these out of a from", around.data ? around.data : "");
    text_free(&around);
}

/* Until nothing changes: `fed` goes with the data, `drained` against it. */
static void marks_spread(struct draft *draft)
{
    bool moved = true;

    while (moved) {
        moved = false;
        for (uint32_t i = 0; i < draft->edge_count; i++) {
            struct draft_node *from = &draft->nodes[draft->edges[i].from];
            struct draft_node *to = &draft->nodes[draft->edges[i].to];

            moved |= (from->is_fed && !to->is_fed) || (to->is_drained && !from->is_drained);
            to->is_fed |= from->is_fed;
            from->is_drained |= to->is_drained;
        }
    }
}

/* A modem may be there for its link alone. */
static bool keeps_link(const struct draft *draft, uint32_t node)
{
    for (uint32_t i = 0; i < draft->link_count; i++) {
        if (draft->links[i].node == node)
            return true;
    }
    return false;
}

/* A device that takes commands is an end of the data's way like a sink. */
static bool takes_commands(const struct draft *draft, uint32_t node)
{
    for (uint32_t i = 0; i < draft->edge_count; i++) {
        if (draft->edges[i].to == node && edge_is_command(draft, &draft->edges[i]))
            return true;
    }
    return false;
}

static bool ways_check(struct draft *draft)
{
    bool ok = true;

    for (uint32_t i = 0; i < draft->node_count; i++) {
        struct draft_node *node = &draft->nodes[i];

        node->is_fed = node->kind == AFF_SOURCE;
        node->is_drained = node->kind == AFF_SINK || takes_commands(draft, i) || keeps_link(draft, i);
    }
    marks_spread(draft);
    for (uint32_t i = 0; i < draft->node_count; i++) {
        const struct draft_node *node = &draft->nodes[i];

        if (node->is_fed && node->is_drained)
            continue;
        ok = false;
        if (!node->is_fed)
            report_add(draft->report, REPORT_ERROR, node->table->key_place, node->name,
                       "the node is unreachable: no data of a source comes to it; expected a "
                       "from that leads to a source; add one or take the node out");
        else
            report_add(draft->report, REPORT_ERROR, node->table->key_place, node->name,
                       "the node leads nowhere: none of its data comes to a sink; expected a "
                       "node that takes from it; add one or take the node out");
    }
    return ok;
}

/* ---- two versions of one record ---- */

enum { NO_EDITOR = 0xffffffffu };

/* What becomes of a record that is handed on by an edge, until it is at the archive. */
struct way {
    bool leads;      /* it comes there at all, */
    bool varies;     /* by ways that don't end in the same bytes */
    uint32_t editor; /* the node that edits it last */
    uint32_t into;   /* the edge by which it comes so */
};

static void way_join(struct way *to, const struct way *more)
{
    if (!more->leads)
        return;
    if (!to->leads) {
        *to = *more;
        return;
    }
    to->varies |= more->varies || to->editor != more->editor;
    if (to->editor == NO_EDITOR) {
        to->editor = more->editor;
        to->into = more->into;
    }
}

static struct way way_of(const struct draft *draft, const struct way *ways, uint32_t edge, uint32_t archive)
{
    const struct draft_edge *e = &draft->edges[edge];
    const struct draft_node *node = &draft->nodes[e->to];
    struct way way = { .editor = NO_EDITOR };

    if (e->to == archive)
        return (struct way){ true, false, NO_EDITOR, edge };
    if (node->kind != AFF_PROCESSOR || (node->plugin->about.flags & AFF_REWRITES) || !edge_orders(draft, e))
        return way;
    for (uint32_t i = 0; i < draft->edge_count; i++)
        if (draft->edges[i].from == e->to && plan_hands_on(node->plugin, e->to_port, draft->edges[i].from_port))
            way_join(&way, &ways[i]);
    if (way.leads && way.editor == NO_EDITOR && (node->plugin->inputs[e->to_port].flags & AFF_PORT_EDITS))
        way.editor = e->to;
    return way;
}

/* A record leaves a node by one output, so two versions begin where two edges do. */
static bool versions_differ(const struct draft *draft, const struct way *ways, uint32_t a, uint32_t b)
{
    if (draft->edges[a].from != draft->edges[b].from || draft->edges[a].from_port != draft->edges[b].from_port ||
        !ways[a].leads || !ways[b].leads)
        return false;
    return ways[a].varies || ways[b].varies || ways[a].editor != ways[b].editor;
}

static void versions_report(struct draft *draft, const struct way *ways, uint32_t a, uint32_t b, uint32_t archive)
{
    const struct draft_edge *origin = &draft->edges[a];
    uint32_t edited = ways[a].editor == NO_EDITOR ? b : a;
    const struct draft_node *from = &draft->nodes[origin->from];

    report_add(draft->report, REPORT_ERROR, draft->edges[ways[edited].into].place, draft->nodes[archive].name,
               "records of %s.%s come here twice, once as %s has edited them and once otherwise, under the same names, "
               "times and ids: nobody could tell them apart in the archive; expected one of both; give one of them an "
               "archive of its own", from->name, from->plugin->outputs[origin->from_port].name,
               draft->nodes[ways[edited].editor].name);
}

/* Edges are looked at against the data's order: what lies behind is known then. */
static bool versions_check(struct draft *draft, uint32_t archive)
{
    struct way *ways = arena_take_array(draft->arena, draft->edge_count, sizeof *ways);

    for (uint32_t order = draft->node_count; ways && order-- > 0;)
        for (uint32_t i = 0; i < draft->edge_count; i++)
            if (draft->nodes[draft->edges[i].to].order == order)
                ways[i] = way_of(draft, ways, i, archive);
    for (uint32_t a = 0; ways && a < draft->edge_count; a++)
        for (uint32_t b = a + 1; b < draft->edge_count; b++)
            if (versions_differ(draft, ways, a, b)) {
                versions_report(draft, ways, a, b, archive);
                return false;
            }
    return ways != NULL;
}

static bool archives_check(struct draft *draft)
{
    bool ok = true;

    for (uint32_t i = 0; i < draft->node_count; i++)
        if (!draft->nodes[i].plugin)
            return true; /* said already */
    for (uint32_t i = 0; i < draft->node_count; i++)
        if (draft->nodes[i].plugin->about.flags & AFF_ARCHIVE)
            ok &= versions_check(draft, i);
    return ok;
}

bool draft_graph_check(struct draft *draft)
{
    if (nodes_order(draft) < draft->node_count) {
        cycle_report(draft);
        return false;
    }
    return ways_check(draft) && archives_check(draft);
}
