/* label_way.c - see label_way.h. */
#include "config/label_way.h"

#include <stdlib.h>
#include <string.h>

#include "config/schemas.h"

static bool carries_column(const struct plan_output *output, const char *name, uint8_t least)
{
    for (uint32_t i = 0; i < output->shape_count; i++) {
        const struct aff_schema *schema = output->shapes[i].schema;
        const struct aff_column *column = schema ? schema_find(schema, name) : NULL;

        if (column && column->label >= least)
            return true;
    }
    return false;
}

struct search {
    const struct plan *plan;
    enum label_of of;
    uint8_t least;
    uint32_t *queue;      /* edges, in the order of their distance */
    uint32_t *next;       /* by edge: one edge further down; PLAN_NONE at the last */
    bool *is_seen;        /* by edge */
    const char **columns; /* by edge: the column that is followed, or NULL */
    uint32_t head, tail;
};

static void edge_push(struct search *s, uint32_t edge, uint32_t next, const char *column)
{
    if (s->is_seen[edge])
        return;
    s->is_seen[edge] = true;
    s->next[edge] = next;
    s->columns[edge] = column;
    s->queue[s->tail++] = edge;
}

/* Goes one node up from an edge; false where the label begins there. */
static bool edge_rise(struct search *s, uint32_t edge, bool by_column)
{
    const struct plan *plan = s->plan;
    uint32_t node = plan->edges[edge].from;
    const char *column = by_column ? s->columns[edge] : NULL;
    bool rises = false;

    if (plan->nodes[node].plugin->about.kind == AFF_SOURCE || (by_column && !column))
        return false;
    for (uint32_t i = plan->ins[node]; i < plan->ins[node + 1]; i++) {
        const struct plan_output *output = plan_output(plan, &plan->edges[i]);

        if (output->labels[s->of] < s->least || (column && !carries_column(output, column, s->least)))
            continue;
        rises = true;
        edge_push(s, i, edge, column);
    }
    return rises;
}

static bool way_make(const struct search *s, uint32_t edge, struct label_way *way)
{
    uint32_t row = 0;

    for (uint32_t e = edge; e != PLAN_NONE; e = s->next[e])
        way->count++;
    way->edges = calloc(way->count, sizeof *way->edges);
    if (!way->edges)
        return false;
    for (; edge != PLAN_NONE; edge = s->next[edge])
        way->edges[row++] = edge;
    return true;
}

static bool search_run(struct search *s, uint32_t edge, const char *column, struct label_way *way)
{
    edge_push(s, edge, PLAN_NONE, column);
    while (s->head < s->tail) {
        uint32_t at = s->queue[s->head++];

        if (!edge_rise(s, at, true) && !edge_rise(s, at, false))
            return way_make(s, at, way);
    }
    return way_make(s, edge, way); /* a circle of commands: nothing begins it */
}

bool label_way_find(const struct plan *plan, uint32_t edge, enum label_of of, uint8_t least,
                    const char *column, struct label_way *ret_way)
{
    struct search s = { .plan = plan, .of = of, .least = least };
    bool ok;

    *ret_way = (struct label_way){ 0 };
    s.queue = calloc(plan->edge_count, sizeof *s.queue);
    s.next = calloc(plan->edge_count, sizeof *s.next);
    s.is_seen = calloc(plan->edge_count, sizeof *s.is_seen);
    s.columns = calloc(plan->edge_count, sizeof *s.columns);
    ok = s.queue && s.next && s.is_seen && s.columns && search_run(&s, edge, column, ret_way);
    free(s.queue);
    free(s.next);
    free(s.is_seen);
    free((void *)s.columns);
    return ok;
}

void label_way_free(struct label_way *way)
{
    free(way->edges);
    *way = (struct label_way){ 0 };
}

bool label_way_equal(const struct label_way *a, const struct label_way *b)
{
    return a->count == b->count && !memcmp(a->edges, b->edges, a->count * sizeof *a->edges);
}

static void add_from(struct text *text, const struct plan *plan, const struct plan_edge *edge)
{
    const struct plan_node *from = &plan->nodes[edge->from];

    text_add(text, from->name);
    if (edge->from_port)
        text_print(text, ".%s", from->plugin->outputs[edge->from_port].name);
    text_add(text, " -> ");
}

void label_way_add(struct text *text, const struct plan *plan, const struct label_way *way)
{
    enum { WHOLE = 16, HEAD = 8, TAIL = 4 };
    const struct plan_edge *last = &plan->edges[way->edges[way->count - 1]];
    const struct plan_node *to = &plan->nodes[last->to];

    for (uint32_t i = 0; i < way->count; i++) {
        if (way->count > WHOLE && i == HEAD) {
            text_print(text, "(%u more) -> ", way->count - HEAD - TAIL);
            i = way->count - TAIL;
        }
        add_from(text, plan, &plan->edges[way->edges[i]]);
    }
    text_add(text, to->name);
    if (last->to_port || (to->plugin->inputs[last->to_port].flags & AFF_PORT_COMMANDS))
        text_print(text, ".%s", to->plugin->inputs[last->to_port].name);
}

/* Of an edge's writer, where it carries any. */
static uint64_t ways_by(const struct plan *plan, const struct plan_edge *edge, const uint64_t *ways)
{
    return plan_output(plan, edge)->label == AFF_LABEL_PHI ? ways[edge->from] : 0;
}

static uint64_t ways_into(const struct plan *plan, uint32_t node, const uint64_t *ways)
{
    uint64_t sum = 0;

    for (uint32_t i = plan->ins[node]; i < plan->ins[node + 1]; i++)
        sum += ways_by(plan, &plan->edges[i], ways);
    return sum > UINT32_MAX ? UINT32_MAX : sum;
}

uint32_t label_ways_count(const struct plan *plan, uint32_t node)
{
    uint64_t *ways = calloc((size_t)plan->node_count, sizeof *ways), sum = 0;

    for (uint32_t n = 0; ways && n < plan->node_count; n++) {
        bool is_source = plan->nodes[n].plugin->about.kind == AFF_SOURCE;

        sum = is_source ? 0 : ways_into(plan, n, ways);
        ways[n] = sum ? sum : 1;
    }
    sum = ways ? ways_into(plan, node, ways) : 1;
    free(ways);
    return (uint32_t)sum;
}
