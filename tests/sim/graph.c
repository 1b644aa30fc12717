/* graph.c - a random pipeline, cut into commit domains.
 *
 * Nodes stand in the data's order. Nodes joined by rings are one domain. A queue may
 * lie inside a domain, and queues may join domains in a circle.
 *
 * Not here: what nodes do (part.c). */
#include <string.h>

#include "sim.h"

/* SplitMix64 (Steele, Lea, Flood 2014). */
uint32_t dice_below(struct dice *dice, uint32_t below)
{
    uint64_t z = dice->state += 0x9e3779b97f4a7c15u;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    z ^= z >> 31;
    return (uint32_t)(((z & 0xffffffffu) * below) >> 32);
}

static uint32_t node_add(struct graph *g, enum node_kind kind)
{
    struct node *n = &g->nodes[g->node_count];

    memset(n, 0, sizeof *n);
    n->kind = kind;
    n->gate = -1;
    return g->node_count++;
}

static bool is_joined(const struct graph *g, uint32_t from, uint32_t to)
{
    uint32_t i;

    for (i = 0; i < g->nodes[to].in_count; i++)
        if (g->edges[g->nodes[to].ins[i]].from == from)
            return true;
    return false;
}

static void edge_add(struct graph *g, uint32_t from, uint32_t to, struct dice *dice)
{
    struct node *a = &g->nodes[from], *b = &g->nodes[to];
    struct edge *e = &g->edges[g->edge_count];

    if (g->edge_count == EDGES || b->in_count == INS || is_joined(g, from, to))
        return;
    *e = (struct edge){ EDGE_RING, from, to, b->in_count, false };
    if (a->kind == SRC_DURABLE || dice_below(dice, is_sink(b->kind) ? 2 : 4) == 0)
        e->kind = EDGE_QUEUE;
    if (e->kind == EDGE_QUEUE && is_sink(b->kind))
        e->newest_first = dice_below(dice, 3) == 0;
    b->ins[b->in_count++] = g->edge_count;
    a->outs[a->out_count++] = g->edge_count++;
}

static void add_nodes(struct graph *g, struct dice *dice)
{
    uint32_t i, k, n, count = 1 + dice_below(dice, SOURCES), middle = dice_below(dice, 5);

    for (i = 0; i < count; i++)
        node_add(g, (enum node_kind)dice_below(dice, 4));
    g->source_count = count;
    for (i = 0; i < middle; i++) {
        n = node_add(g, (enum node_kind)(PRO_PASS + dice_below(dice, 4)));
        k = g->nodes[n].kind == PRO_JOIN || dice_below(dice, 3) == 0 ? 2 : dice_below(dice, 8) == 0 ? 3 : 1;
        while (k-- > 0)
            edge_add(g, dice_below(dice, n), n, dice);
    }
}

static void add_sinks(struct graph *g, struct dice *dice)
{
    uint32_t makers = g->node_count, from, n, more = dice_below(dice, 3);

    for (from = 0; from < makers + more && g->node_count < NODES; from++) {
        uint32_t at = from < makers ? from : dice_below(dice, makers);

        if (from < makers && g->nodes[at].out_count > 0)
            continue;
        n = node_add(g, (enum node_kind)(SNK_PLAIN + dice_below(dice, 4)));
        g->nodes[n].refuses = g->nodes[n].kind < SNK_ARCHIVE && dice_below(dice, 3) == 0;
        edge_add(g, at, n, dice);
        if (dice_below(dice, 4) == 0)
            edge_add(g, dice_below(dice, makers), n, dice);
    }
}

/* ---- domains ---- */

static void domains_join(struct graph *g, uint32_t a, uint32_t b)
{
    uint32_t n;

    for (n = 0; n < g->node_count; n++)
        if (g->nodes[n].domain == b)
            g->nodes[n].domain = a;
}

/* Rule 1. In half of the graphs one cut is for all sources. */
static void find_domains(struct graph *g, bool one_cut)
{
    uint32_t n, i;

    for (n = 0; n < g->node_count; n++)
        g->nodes[n].domain = n;
    for (i = 0; i < g->edge_count; i++)
        if (g->edges[i].kind == EDGE_RING)
            domains_join(g, g->nodes[g->edges[i].from].domain, g->nodes[g->edges[i].to].domain);
    for (n = 1; n < g->source_count && one_cut; n++)
        domains_join(g, g->nodes[0].domain, g->nodes[n].domain);
    g->domain_count = 0;
    for (n = 0; n < g->node_count; n++)
        if (g->nodes[n].domain == n)
            g->domains[g->domain_count++] = n;
}

/* ---- which streams come where ---- */

static uint8_t carried_out(const struct graph *g, uint32_t node)
{
    const struct node *n = &g->nodes[node];
    uint8_t all = 0;
    uint32_t i;

    if (is_source(n->kind))
        return (uint8_t)(1u << node);
    for (i = 0; i < n->in_count; i++)
        all |= n->carries[i];
    return all;
}

static void find_streams(struct graph *g)
{
    uint32_t n, i;

    for (n = g->source_count; n < g->node_count; n++) {
        struct node *node = &g->nodes[n];
        uint8_t seen = 0;

        for (i = 0; i < node->in_count; i++) {
            node->carries[i] = carried_out(g, g->edges[node->ins[i]].from);
            node->mixed |= g->nodes[g->edges[node->ins[i]].from].mixed;
        }
        if (node->kind == PRO_COUNT && node->mixed)
            node->kind = PRO_PASS; /* it depends on an order that a replay changes */
        for (i = 0; i < node->in_count; i++) {
            node->mixed |= (uint8_t)(seen & node->carries[i]);
            seen |= node->carries[i];
        }
    }
}

void graph_make(struct graph *g, struct dice *dice)
{
    uint32_t n;

    g->node_count = g->edge_count = 0;
    g->eager = false;
    add_nodes(g, dice);
    add_sinks(g, dice);
    find_domains(g, dice_below(dice, 2));
    find_streams(g);
    for (n = 0; n < g->node_count; n++) {
        g->nodes[n].speed = dice_below(dice, 4) == 0 ? 1 + dice_below(dice, 3) : 4 + dice_below(dice, 13);
        if (is_live(g->nodes[n].kind) && n > 0 && !is_live(g->nodes[n - 1].kind) && dice_below(dice, 2) == 0)
            g->nodes[n].gate = (int32_t)(n - 1u);
    }
    g->flight = 2 + dice_below(dice, SLOTS - 1);
    g->cap = 1 + dice_below(dice, 5);
    g->room = 1 + dice_below(dice, 5);
    g->buffer = dice_below(dice, 4);
    g->limit = 6 + dice_below(dice, 30);
}
