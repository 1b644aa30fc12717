/* rig.c - see rig.h. */
#include "rig.h"

#include <stdio.h>
#include <string.h>

enum { DEFAULT_BUFFER = 256 * 1024, DEFAULT_HELD = 64 };

void rig_begin(struct rig *rig)
{
    memset(rig, 0, sizeof *rig);
    rig->plan.file = "rig";
    rig->plan.name = "rig";
    rig->plan.memory_limit = 64u << 20;
    rig->plan.commit_every_ns = 250000000;
    rig->plan.commit_records = 100000;
    rig->plan.commit_bytes = 64u << 20;
    rig->plan.max_record = 1u << 20;
    rig->plan.nodes = rig->nodes;
    rig->plan.edges = rig->edges;
    rig->options.seed = 1;
}

uint32_t rig_node(struct rig *rig, const char *name, const struct aff_plugin *about, void *config)
{
    uint32_t i, n = rig->plan.node_count++;
    struct plugin *p = &rig->plugins[n];

    p->about = *about;
    p->inputs = about->inputs.items;
    p->input_count = about->inputs.count;
    p->outputs = about->outputs.items;
    p->output_count = about->outputs.count;
    p->verdicts = about->verdicts.items;
    p->verdict_count = about->verdicts.count;
    p->metrics = about->metrics.items;
    p->metric_count = about->metrics.count;
    rig->nodes[n] = (struct plan_node){ .name = name, .plugin = p, .config = config };
    for (i = 0; i < p->verdict_count; i++)
        if (p->verdicts[i].kind == AFF_V_HOLD)
            rig->nodes[n].max_held = DEFAULT_HELD;
    return n;
}

void rig_edge(struct rig *rig, uint32_t from, uint32_t from_port, uint32_t to, uint32_t to_port)
{
    rig->edges[rig->plan.edge_count++] = (struct plan_edge){
        .from = from, .from_port = from_port, .to = to, .to_port = to_port, .buffer = DEFAULT_BUFFER
    };
}

struct flow *rig_open(struct rig *rig, enum layout_mode mode)
{
    char why[256];
    aff_status st;
    struct flow *flow;

    plan_mark_circles(&rig->plan);
    plan_layout(&rig->plan, mode);
    flow = flow_open(&rig->plan, &rig->options, &st, why, sizeof why);
    if (!flow)
        fprintf(stderr, "rig: %s\n", why);
    return flow;
}

struct flow *rig_run(struct rig *rig, enum layout_mode mode)
{
    struct flow *flow = rig_open(rig, mode);

    if (flow && flow_start(flow))
        flow_wait(flow, -1);
    return flow;
}
