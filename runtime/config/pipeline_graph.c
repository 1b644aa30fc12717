/* pipeline_graph.c - the pipeline as a whole: order, cycles, dead ends.
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

bool draft_graph_check(struct draft *draft)
{
    if (nodes_order(draft) < draft->node_count) {
        cycle_report(draft);
        return false;
    }
    return ways_check(draft);
}
