/* bench_chain.c - what a node costs a record.
 *
 * Fused: a chain of k pass-through nodes and a sink is given the same batch of
 * 64 headers over and over, as its lane does it; node 1 is the first one's
 * share, node 16 the mean of the ninth to the sixteenth (one alone drowns in the
 * noise of the other fifteen). Pipelines: source, k nodes, sink, with their
 * threads, epochs and ledger, per record from end to end.
 *
 * All chains are measured in turns and the best of many turns counts: the
 * machine's other work only ever adds. */
#include <string.h>

#include "bench.h"
#include "flow/lane.h"
#include "parts.h"
#include "rig.h"

enum { CHAINS = 6, TURNS = 60, FEEDS = 4000, PIPELINES = 5 };

struct chain {
    struct rig rig;
    struct flow *flow;
    struct part_source source;
    struct part_sink sink;
    double best_ns; /* a record */
};

static aff_status count_only(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    (void)ret_taken;
    *(uint64_t *)self += batch->count;
    return AFF_OK;
}

/* A sink that looks at nothing, so that the chain alone is measured. */
static struct aff_plugin quiet_sink(bool blocks)
{
    struct aff_plugin sink = blocks ? part_sink_blocking : part_sink;

    sink.write = count_only;
    return sink;
}

static void chain_make(struct chain *c, const struct aff_plugin *sink, uint32_t nodes)
{
    struct rig *r = &c->rig;
    uint32_t last, next, i;

    rig_begin(r);
    last = rig_node(r, "source", &part_source, &c->source);
    for (i = 0; i < nodes; i++) {
        next = rig_node(r, "pass", &part_pass, NULL);
        rig_edge(r, last, 0, next, 0);
        last = next;
    }
    next = rig_node(r, "sink", sink, &c->sink);
    rig_edge(r, last, 0, next, 0);
}

static double feed_ns(struct flow *flow)
{
    static struct aff_record batch[PLAN_BATCH];
    struct link *first = &flow->links[0];
    double began = bench_now_ns();
    int i;

    for (i = 0; i < FEEDS; i++)
        if (!node_feed(first, batch, PLAN_BATCH))
            exit(1);
    return (bench_now_ns() - began) / ((double)FEEDS * PLAN_BATCH);
}

static void fused(void)
{
    static const uint32_t nodes[CHAINS] = { 0, 1, 2, 4, 8, 16 };
    static struct chain chains[CHAINS];
    struct aff_plugin sink = quiet_sink(false);
    char metric[32];
    int i, turn;

    for (i = 0; i < CHAINS; i++) {
        chains[i].source = (struct part_source){ .size = 64, .streams = 1 };
        chains[i].best_ns = 1e9;
        chain_make(&chains[i], &sink, nodes[i]);
        chains[i].flow = rig_open(&chains[i].rig, LAYOUT_NORMAL);
        if (!chains[i].flow)
            exit(1);
    }
    for (turn = 0; turn < TURNS; turn++)
        for (i = 0; i < CHAINS; i++) {
            double ns = feed_ns(chains[i].flow);

            if (ns < chains[i].best_ns)
                chains[i].best_ns = ns;
        }
    for (i = 1; i < CHAINS; i++) {
        snprintf(metric, sizeof metric, "fused_chain_%u", nodes[i]);
        bench_print(metric, (chains[i].best_ns - chains[0].best_ns) / nodes[i], "ns/record/node");
    }
    bench_print("fused_node", (chains[CHAINS - 1].best_ns - chains[0].best_ns) / 16, "ns/record");
    bench_print("fused_node1", chains[1].best_ns - chains[0].best_ns, "ns/record");
    bench_print("fused_node16", (chains[CHAINS - 1].best_ns - chains[CHAINS - 2].best_ns) / 8, "ns/record");
    for (i = 0; i < CHAINS; i++)
        flow_close(&chains[i].flow);
}

/* One whole pipeline; its records must all arrive. */
static double pipeline_ns(uint32_t nodes, enum layout_mode mode, uint64_t records)
{
    static struct chain c;
    struct aff_plugin sink = quiet_sink(false);
    double began, took;
    uint64_t arrived;

    memset(&c, 0, sizeof c);
    c.source = (struct part_source){ .records = records, .size = 64, .streams = 1 };
    chain_make(&c, &sink, nodes);
    c.flow = rig_open(&c.rig, mode);
    began = bench_now_ns();
    if (!c.flow || !flow_start(c.flow) || !flow_wait(c.flow, -1))
        exit(1);
    took = bench_now_ns() - began;
    memcpy(&arrived, &c.sink, sizeof arrived);
    if (arrived != records || !flow_balances(c.flow)) {
        fprintf(stderr, "bench_chain: %u nodes: records were lost\n", nodes);
        exit(1);
    }
    flow_close(&c.flow);
    return took / (double)records;
}

static void pipelines(const char *name, enum layout_mode mode, uint64_t records)
{
    static const uint32_t nodes[PIPELINES] = { 1, 2, 4, 8, 16 };
    char metric[48];
    int i;

    for (i = 0; i < PIPELINES; i++) {
        snprintf(metric, sizeof metric, "pipeline_%s_%u", name, nodes[i]);
        bench_print(metric, pipeline_ns(nodes[i], mode, records), "ns/record");
    }
}

int main(void)
{
    fused();
    pipelines("fused", LAYOUT_NORMAL, 2000000);
    pipelines("threaded", LAYOUT_THREAD_PER_NODE, 300000);
    return 0;
}
