/* books_json.c - see books_json.h. */
#include "show/books_json.h"

#include <afferent/plugin.h>

#include "show/books.h"
#include "util/json.h"

static uint64_t load(const _Atomic uint64_t *from)
{
    return atomic_load_explicit(from, memory_order_relaxed);
}

static void write_accounts(struct json *json, const struct account *a)
{
    json_uint(json, "in", a->in);
    json_uint(json, "made", a->made);
    json_uint(json, "passed", a->passed);
    json_uint(json, "replaced", a->replaced);
    json_uint(json, "routed", a->routed);
    json_uint(json, "emitted", a->emitted);
    json_uint(json, "used", a->used);
    json_uint(json, "dropped", a->dropped);
    json_uint(json, "dead", a->dead);
    json_uint(json, "held", a->held);
    json_uint(json, "bytes_copied", a->bytes_copied);
    json_bool(json, "balances", account_balances(a));
}

/* Reasons by the plugin's words; what the host refused has no word of it. */
static void write_reasons(struct json *json, const struct flow_node *n)
{
    json_object(json, "reasons");
    if (load(&n->by_verdict[0]))
        json_uint(json, "refused", load(&n->by_verdict[0]));
    for (uint32_t k = 0; k < n->plugin->verdict_count && k + 1 < LEDGER_VERDICTS; k++)
        if (load(&n->by_verdict[k + 1]))
            json_uint(json, n->plugin->verdicts[k].name, load(&n->by_verdict[k + 1]));
    json_end(json);
}

static void write_metrics(struct json *json, const struct flow_node *n)
{
    json_object(json, "metrics");
    for (uint32_t m = 0; m < n->plugin->metric_count; m++) {
        if (n->plugin->metrics[m].kind == AFF_METRIC_GAUGE)
            json_real(json, n->plugin->metrics[m].name, books_metric(n, m));
        else
            json_uint(json, n->plugin->metrics[m].name, load(&n->metrics[m]));
    }
    json_end(json);
}

static void write_node(struct json *json, const struct flow *flow, uint32_t index)
{
    struct flow_node n;

    flow_node(flow, index, &n);
    json_object(json, NULL);
    json_text(json, "node", n.name);
    json_text(json, "plugin", n.plugin->about.name);
    write_accounts(json, &n.account);
    write_reasons(json, &n);
    write_metrics(json, &n);
    json_end(json);
}

static void write_edge(struct json *json, const struct flow *flow, const struct plan *plan, uint32_t index)
{
    const struct plan_edge *e = &plan->edges[index];
    struct flow_edge edge;

    flow_edge(flow, index, &edge);
    json_object(json, NULL);
    json_text(json, "from", plan->nodes[e->from].name);
    json_text(json, "from_port", plan->nodes[e->from].plugin->outputs[e->from_port].name);
    json_text(json, "to", plan->nodes[e->to].name);
    json_text(json, "to_port", plan->nodes[e->to].plugin->inputs[e->to_port].name);
    json_uint(json, "put", edge.put);
    json_uint(json, "taken", edge.taken);
    json_end(json);
}

void books_json(const struct flow *flow, const struct plan *plan, double seconds, const char *error,
                bool cut_off, FILE *out)
{
    struct json json;

    json_begin(&json, out, true);
    json_object(&json, NULL);
    json_text(&json, "pipeline", plan->name);
    json_real(&json, "seconds", seconds);
    json_uint(&json, "epochs_committed", flow_committed(flow));
    json_bool(&json, "balanced", flow_balances(flow));
    json_bool(&json, "cut_off", cut_off);
    json_text(&json, "error", *error ? error : NULL);
    json_array(&json, "nodes");
    for (uint32_t i = 0; i < plan->node_count; i++)
        write_node(&json, flow, i);
    json_end(&json);
    json_array(&json, "edges");
    for (uint32_t i = 0; i < plan->edge_count; i++)
        write_edge(&json, flow, plan, i);
    json_end(&json);
    json_end(&json);
    json_finish(&json);
}
