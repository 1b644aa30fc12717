/* picture.c - see picture.h. */
#include "show/picture.h"

#include <stdlib.h>
#include <string.h>

#include "config/delivery.h"
#include "show/explain.h"

static const char *port_from(const struct plan *plan, const struct plan_edge *e)
{
    return plan->nodes[e->from].plugin->outputs[e->from_port].name;
}

static const char *port_to(const struct plan *plan, const struct plan_edge *e)
{
    return plan->nodes[e->to].plugin->inputs[e->to_port].name;
}

/* The name of an input port says something only where there are several. */
static bool tells_port(const struct plan *plan, const struct plan_edge *e)
{
    return plan->nodes[e->to].plugin->input_count > 1;
}

static bool is_phi(const struct plan *plan, const struct plan_edge *e)
{
    return plan_label(plan, e->from, e->from_port) == AFF_LABEL_PHI;
}

/* Whether patient data leaves by a node, by its own word. */
static bool lets_leave(const struct plan *plan, uint32_t node)
{
    const struct plan_leave *leave = explain_leave(plan, node);

    return leave && leave->reason;
}

/* "spill" or "drop_oldest" where records wait in line, else NULL. */
static const char *queue_of(const struct plan_edge *e)
{
    return e->when_full == WHEN_FULL_BLOCK ? NULL : delivery_when_full(e->when_full);
}

/* ---- text: a tree from each source; who was drawn already is only named ---- */

enum { INDENT = 3 };

struct drawing {
    const struct plan *plan;
    FILE *out;
    bool *drawn;
    char *margin; /* what stands left of the current line */
    size_t depth; /* its length */
};

static void draw_node(struct drawing *d, uint32_t node)
{
    const struct plan_node *n = &d->plan->nodes[node];

    fprintf(d->out, "%s (%s)  thread %u%s%s%s%s\n", n->name, n->plugin->about.name, n->lane,
            n->in_process ? "  (process)" : "", n->durable ? "  (durable)" : "",
            lets_leave(d->plan, node) ? "  (phi leaves: allow_phi)" : "", d->drawn[node] ? ", as above" : "");
}

static void draw_below(struct drawing *d, uint32_t node);

static void draw_edge(struct drawing *d, const struct plan_edge *e, bool is_last)
{
    const char *queue = queue_of(e);

    fprintf(d->out, "%s%s %s%s ", d->margin, is_last ? "`-" : "|-", port_from(d->plan, e),
            is_phi(d->plan, e) ? " (phi)" : "");
    if (queue)
        fprintf(d->out, "~%s~> ", queue);
    else
        fputs(e->way == EDGE_FUSED ? "--> " : "==> ", d->out);
    if (tells_port(d->plan, e))
        fprintf(d->out, "%s of ", port_to(d->plan, e));
    draw_node(d, e->to);
    if (d->drawn[e->to])
        return;
    memcpy(d->margin + d->depth, is_last ? "   " : "|  ", INDENT + 1);
    d->depth += INDENT;
    draw_below(d, e->to);
    d->depth -= INDENT;
    d->margin[d->depth] = '\0';
}

static void draw_below(struct drawing *d, uint32_t node)
{
    uint32_t left = 0;

    d->drawn[node] = true;
    for (uint32_t i = 0; i < d->plan->edge_count; i++)
        left += d->plan->edges[i].from == node;
    for (uint32_t i = 0; i < d->plan->edge_count; i++)
        if (d->plan->edges[i].from == node)
            draw_edge(d, &d->plan->edges[i], --left == 0);
}

static void draw_legend(const struct plan *plan, FILE *out)
{
    bool has_queue = false;

    for (uint32_t i = 0; i < plan->edge_count; i++)
        has_queue |= queue_of(&plan->edges[i]) != NULL;
    fputs("\n-->  a call on the same thread    ==>  a ring to another thread\n", out);
    if (has_queue)
        fputs("~spill~>, ~drop_oldest~>  a queue: the reader may be slow or away, and stalls nobody\n", out);
}

bool picture_text(const struct plan *plan, FILE *out)
{
    struct drawing d = { .plan = plan, .out = out };

    d.drawn = calloc(plan->node_count + 1u, sizeof *d.drawn);
    d.margin = calloc((size_t)plan->node_count + 1u, INDENT + 1);
    if (!d.drawn || !d.margin) {
        free(d.drawn);
        free(d.margin);
        return false;
    }
    for (uint32_t i = 0; i < plan->node_count; i++) {
        if (d.drawn[i])
            continue;
        draw_node(&d, i);
        draw_below(&d, i);
    }
    draw_legend(plan, out);
    free(d.drawn);
    free(d.margin);
    return true;
}

/* ---- DOT ---- */

/* Inside double quotes: names come from plugins too. */
static void dot_quoted(FILE *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            fputc('\\', out);
        fputc((unsigned char)*text < 0x20 ? ' ' : *text, out);
    }
}

static void dot_node(const struct plan *plan, uint32_t node, FILE *out)
{
    const struct plan_node *n = &plan->nodes[node];
    uint32_t kind = n->plugin->about.kind;

    fprintf(out, "    n%u [label=\"", node);
    dot_quoted(out, n->name);
    fputs("\\n", out);
    dot_quoted(out, n->plugin->about.name);
    fprintf(out, "%s%s%s\", shape=%s%s];\n", n->in_process ? "\\nprocess" : "", n->durable ? "\\ndurable" : "",
            lets_leave(plan, node) ? "\\nphi leaves" : "",
            kind == AFF_SOURCE ? "house" : kind == AFF_SINK ? "cylinder" : "box",
            lets_leave(plan, node) ? ", color=red" : "");
}

static void dot_edge(const struct plan *plan, const struct plan_edge *e, FILE *out)
{
    fprintf(out, "  n%u -> n%u [label=\"", e->from, e->to);
    dot_quoted(out, port_from(plan, e));
    if (tells_port(plan, e)) {
        fputs(" to ", out);
        dot_quoted(out, port_to(plan, e));
    }
    fprintf(out, "%s%s%s\"%s];\n", is_phi(plan, e) ? "\\nphi" : "", queue_of(e) ? "\\n" : "",
            queue_of(e) ? queue_of(e) : "",
            queue_of(e) ? ", style=dashed" : e->way == EDGE_FUSED ? "" : ", style=bold");
}

void picture_dot(const struct plan *plan, FILE *out)
{
    fputs("digraph \"", out);
    dot_quoted(out, plan->name);
    fputs("\" {\n  rankdir=LR;\n", out);
    for (uint32_t lane = 0; lane < plan->lane_count; lane++) {
        fprintf(out, "  subgraph cluster_%u {\n    label=\"thread %u\";\n", lane, lane);
        for (uint32_t i = 0; i < plan->node_count; i++)
            if (plan->nodes[i].lane == lane)
                dot_node(plan, i, out);
        fputs("  }\n", out);
    }
    for (uint32_t i = 0; i < plan->edge_count; i++)
        dot_edge(plan, &plan->edges[i], out);
    fputs("}\n", out);
}

/* ---- Mermaid ---- */

/* Its text knows no backslash: what could end or open something is an entity. */
static void mermaid_quoted(FILE *out, const char *text)
{
    for (; *text; text++) {
        if (strchr("\"<>&#;|`\\", *text))
            fprintf(out, "#%d;", (unsigned char)*text);
        else
            fputc((unsigned char)*text < 0x20 ? ' ' : *text, out);
    }
}

static void mermaid_node(const struct plan *plan, uint32_t node, FILE *out)
{
    const struct plan_node *n = &plan->nodes[node];
    uint32_t kind = n->plugin->about.kind;

    fprintf(out, "    n%u%s\"", node, kind == AFF_SOURCE ? "([" : kind == AFF_SINK ? "[(" : "[");
    mermaid_quoted(out, n->name);
    fputs("<br/>", out);
    mermaid_quoted(out, n->plugin->about.name);
    fprintf(out, "%s%s%s\"%s\n", n->in_process ? "<br/>process" : "", n->durable ? "<br/>durable" : "",
            lets_leave(plan, node) ? "<br/>phi leaves" : "", kind == AFF_SOURCE ? "])" : kind == AFF_SINK ? ")]" : "]");
}

static void mermaid_edge(const struct plan *plan, const struct plan_edge *e, FILE *out)
{
    fprintf(out, "  n%u %s|\"", e->from, queue_of(e) ? "-.->" : e->way == EDGE_FUSED ? "-->" : "==>");
    mermaid_quoted(out, port_from(plan, e));
    if (tells_port(plan, e)) {
        fputs(" to ", out);
        mermaid_quoted(out, port_to(plan, e));
    }
    fprintf(out, "%s%s%s\"| n%u\n", is_phi(plan, e) ? " (phi)" : "", queue_of(e) ? ", " : "",
            queue_of(e) ? queue_of(e) : "", e->to);
}

void picture_mermaid(const struct plan *plan, FILE *out)
{
    fputs("flowchart LR\n", out);
    for (uint32_t lane = 0; lane < plan->lane_count; lane++) {
        fprintf(out, "  subgraph t%u [\"thread %u\"]\n", lane, lane);
        for (uint32_t i = 0; i < plan->node_count; i++)
            if (plan->nodes[i].lane == lane)
                mermaid_node(plan, i, out);
        fputs("  end\n", out);
    }
    for (uint32_t i = 0; i < plan->edge_count; i++)
        mermaid_edge(plan, &plan->edges[i], out);
}
