/* delivery.c - what becomes of records whose reader is slow.
 *
 * All edges into one node are of one kind, that of its `edge.when_full`. Where it
 * does not stand there, a sink behind a fan-out spills: else one that is away would
 * stall those that are not. So do commands to a device, which expire after a minute,
 * all that comes to a node whose commands come from behind itself, and what waits for a
 * link. Everything else blocks. Behind a durable source the store lies in any case.
 *
 * A fan-out is any node with more than one edge out, on the way up from the sink as
 * far as edges block: beyond one that does not, a slow sink stalls nobody.
 *
 * Not here: who shares a commit domain (layout.c), notes (delivery_notes.c). */
#include "config/delivery.h"

#include <string.h>

#include "config/pipeline_inside.h"

#define COMMANDS_EXPIRE_NS 60000000000

struct choosing {
    struct draft *draft;
    struct plan *plan;
    const struct draft_node **drafts; /* by row of the plan */
    uint32_t *outs;                   /* edges out, by node */
    bool *is_forked;                  /* a fan-out stands before this node */
    const char **durable;             /* by node: a durable source that feeds it, or NULL */
    const struct plan_edge **circles; /* by node: commands from behind itself, or NULL */
};

#define SAY(c, node, value, ...) \
    report_add((c)->draft->report, REPORT_ERROR, (value) ? (value)->place : (node)->table->key_place, \
               (node)->name, __VA_ARGS__)

static bool tables_make(struct choosing *c)
{
    struct arena *arena = c->plan->arena;
    uint32_t count = c->plan->node_count;

    c->drafts = arena_take_array(arena, count, sizeof *c->drafts);
    c->outs = arena_take_array(arena, count, sizeof *c->outs);
    c->is_forked = arena_take_array(arena, count, sizeof *c->is_forked);
    c->durable = arena_take_array(arena, count, sizeof *c->durable);
    c->circles = arena_take_array(arena, count, sizeof *c->circles);
    if (!c->drafts || !c->outs || !c->is_forked || !c->durable || !c->circles)
        return false;
    for (uint32_t i = 0; i < count; i++)
        c->drafts[c->draft->nodes[i].order] = &c->draft->nodes[i];
    for (uint32_t i = 0; i < c->plan->edge_count; i++) {
        const struct plan_edge *edge = &c->plan->edges[i];

        c->outs[edge->from]++;
        if (c->drafts[edge->from]->is_durable)
            c->durable[edge->to] = c->plan->nodes[edge->from].name;
        if (edge->closes && !c->circles[edge->to])
            c->circles[edge->to] = edge;
    }
    return true;
}

/* ---- durable ---- */

static void durable_check(struct choosing *c, uint32_t row)
{
    const struct draft_node *node = c->drafts[row];

    c->plan->nodes[row].durable = node->is_durable;
    if (node->is_durable && c->plan->store_limit == 0)
        SAY(c, node, host_key(node, "run", "durable"),
            "run.durable has no store to write to, for store_limit is 0; expected one; raise "
            "pipeline.store_limit, or take durable out");
}

/* ---- when_full ---- */

static bool is_spill_possible(struct choosing *c, const struct draft_node *node)
{
    if (c->plan->store_limit > 0)
        return true;
    SAY(c, node, host_key(node, "edge", "when_full"),
        "edge.when_full = \"spill\" has no store to spill to, for store_limit is 0; expected one; raise "
        "pipeline.store_limit, or write \"drop_oldest\"");
    return false;
}

static enum when_full written_kind(struct choosing *c, uint32_t row, const char *durable)
{
    const struct draft_node *node = c->drafts[row];
    enum when_full kind = (enum when_full)node->when_full;

    if (durable && kind != WHEN_FULL_SPILL) {
        SAY(c, node, host_key(node, "edge", "when_full"),
            "edge.when_full = \"%s\" cannot stand behind %s, which is durable: the store lies between; "
            "expected \"spill\"; take it out, or put a processor between", delivery_when_full(kind), durable);
        return WHEN_FULL_SPILL;
    }
    if (kind == WHEN_FULL_SPILL && !is_spill_possible(c, node))
        return WHEN_FULL_BLOCK;
    return kind;
}

/* What a device is told must not hold up who gives it. Commands from behind the node
 * itself go in a circle, in which no epoch could end: nothing would ever get on. */
static void block_refuse(struct choosing *c, uint32_t row, enum when_full preset)
{
    const struct draft_node *node = c->drafts[row];
    const char *kind = delivery_when_full(preset);

    if (node->kind == AFF_SOURCE)
        SAY(c, node, host_key(node, "edge", "when_full"),
            "edge.when_full = \"block\" cannot stand before a device, where a command that waits would hold up who "
            "gives it; expected \"%s\"; take it out", kind);
    else
        SAY(c, node, host_key(node, "edge", "when_full"),
            "edge.when_full = \"block\" cannot stand where commands come from behind the node itself (%s): in a circle "
            "without a queue nothing gets on; expected \"%s\"; %s", c->plan->nodes[c->circles[row]->from].name, kind,
            preset == WHEN_FULL_SPILL ? "take it out" : "write it, or raise pipeline.store_limit and take this out");
}

/* Beside its commands a device is given nothing, so letting go of the oldest unasked does no
 * harm there. Before another node that would be data. */
static enum when_full commands_kind(struct choosing *c, uint32_t row, const char *durable)
{
    const struct draft_node *node = c->drafts[row];
    enum when_full preset = c->plan->store_limit > 0 ? WHEN_FULL_SPILL : WHEN_FULL_DROP_OLDEST;

    if (node->when_full == WHEN_FULL_BLOCK)
        block_refuse(c, row, preset);
    else if (node->when_full >= 0)
        return written_kind(c, row, durable);
    else if (c->circles[row] && preset != WHEN_FULL_SPILL)
        report_add(c->draft->report, REPORT_ERROR, c->circles[row]->at, node->name,
                   "commands come from behind the node itself (%s), so all that comes to it waits in a queue, and there "
                   "is no store for one, for store_limit is 0; expected one; raise pipeline.store_limit, or write edge = "
                   "{ when_full = \"drop_oldest\" }: it lets data go where the node is slow",
                   c->plan->nodes[c->circles[row]->from].name);
    return preset;
}

static enum when_full node_kind(struct choosing *c, uint32_t row)
{
    const struct draft_node *node = c->drafts[row];
    const char *durable = c->plan->store_limit > 0 ? c->durable[row] : NULL;

    if (node->kind == AFF_SOURCE || c->circles[row])
        return commands_kind(c, row, durable);
    if (node->when_full >= 0)
        return written_kind(c, row, durable);
    if (durable)
        return WHEN_FULL_SPILL;
    if (node->kind == AFF_SINK && (c->is_forked[row] || node->link_rules) && c->plan->store_limit > 0)
        return WHEN_FULL_SPILL;
    return WHEN_FULL_BLOCK;
}

/* ---- one node's edges ---- */

static void expire_check(struct choosing *c, const struct draft_node *node, enum when_full kind)
{
    if (node->expire_ns == 0 || kind != WHEN_FULL_BLOCK)
        return;
    SAY(c, node, host_key(node, "edge", "expire"),
        "edge.expire does nothing where when_full is \"block\": no record waits there; expected "
        "\"spill\" or \"drop_oldest\" beside it; write one, or take expire out");
}

/* A command that comes late is dangerous, so it is let go where nothing else is said. */
static int64_t expire_of(const struct draft_node *node)
{
    if (node->kind == AFF_SOURCE && !host_key(node, "edge", "expire"))
        return COMMANDS_EXPIRE_NS;
    return node->expire_ns;
}

static void edges_fill(struct choosing *c, uint32_t row)
{
    const struct draft_node *node = c->drafts[row];
    enum when_full kind = node_kind(c, row);
    bool is_read = false;

    for (uint32_t i = 0; i < c->plan->edge_count; i++) {
        struct plan_edge *edge = &c->plan->edges[i];
        const struct plan_node *from = &c->plan->nodes[edge->from];

        if (edge->to != row)
            continue;
        is_read = true;
        edge->when_full = kind;
        edge->expire_ns = expire_of(node);
        edge->priority = (uint8_t)(node->priority >= 0 ? node->priority
                                                       : from->plugin->outputs[edge->from_port].priority);
        if (edge->priority > AFF_PRIO_BULK)
            edge->priority = AFF_PRIO_BULK;
    }
    if (is_read)
        expire_check(c, node, kind);
}

/* Goes with the data, and round a circle of commands, until nothing changes. */
static void forks_spread(struct choosing *c)
{
    bool moved = true;

    while (moved) {
        moved = false;
        for (uint32_t i = 0; i < c->plan->edge_count; i++) {
            const struct plan_edge *edge = &c->plan->edges[i];
            bool is_forked = c->outs[edge->from] > 1 || c->is_forked[edge->from];

            if (c->drafts[edge->to]->kind == AFF_SOURCE || edge->when_full != WHEN_FULL_BLOCK ||
                !is_forked || c->is_forked[edge->to])
                continue;
            c->is_forked[edge->to] = true;
            moved = true;
        }
    }
}

bool delivery_choose(struct draft *draft, struct plan *plan)
{
    struct choosing c = { .draft = draft, .plan = plan };

    plan_mark_circles(plan);
    if (!tables_make(&c))
        return false;
    for (uint32_t i = 0; i < plan->node_count; i++) {
        durable_check(&c, i);
        if (c.drafts[i]->kind != AFF_SINK)
            edges_fill(&c, i);
    }
    forks_spread(&c);
    for (uint32_t i = 0; i < plan->node_count; i++)
        if (c.drafts[i]->kind == AFF_SINK)
            edges_fill(&c, i);
    return true;
}
