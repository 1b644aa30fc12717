/* books.c - see books.h. */
#include "show/books.h"

#include <inttypes.h>
#include <string.h>

#include "show/table.h"

static uint64_t load(const _Atomic uint64_t *from)
{
    return atomic_load_explicit(from, memory_order_relaxed);
}

double books_metric(const struct flow_node *node, uint32_t metric)
{
    uint64_t bits = load(&node->metrics[metric]);
    double value;

    if (node->plugin->metrics[metric].kind != AFF_METRIC_GAUGE)
        return (double)bits;
    memcpy(&value, &bits, sizeof value);
    return value;
}

uint64_t books_in_flight(const struct flow *flow, const struct plan *plan)
{
    struct flow_node node;
    struct flow_edge edge;
    uint64_t sum = 0;

    for (uint32_t i = 0; i < plan->node_count; i++) {
        flow_node(flow, i, &node);
        sum += node.account.held;
    }
    for (uint32_t i = 0; i < plan->edge_count; i++) {
        flow_edge(flow, i, &edge);
        sum += edge.put > edge.taken ? edge.put - edge.taken : 0;
    }
    return sum;
}

static bool print_accounts(const struct flow *flow, const struct plan *plan, FILE *out)
{
    static const char *const heads[] = { "node", "in", "made", "passed", "replaced", "routed",
                                         "emitted", "used", "dropped", "dead", "held" };
    enum { COLUMNS = sizeof heads / sizeof *heads };
    struct table table;
    bool whole;

    if (!table_open(&table, COLUMNS))
        return false;
    for (size_t i = 0; i < COLUMNS; i++)
        table_cell(&table, "%s", heads[i]);
    for (uint32_t i = 0; i < plan->node_count; i++) {
        struct flow_node n;

        flow_node(flow, i, &n);
        const uint64_t numbers[COLUMNS - 1] = {
            n.account.in, n.account.made, n.account.passed, n.account.replaced, n.account.routed,
            n.account.emitted, n.account.used, n.account.dropped, n.account.dead, n.account.held };

        table_cell(&table, "%s", n.name);
        for (size_t k = 0; k < COLUMNS - 1; k++)
            table_number(&table, numbers[k]);
    }
    whole = table_print(&table, out);
    table_close(&table);
    return whole;
}

/* Why records were let go: the words are the plugin's. */
static void print_reasons(const struct flow_node *n, FILE *out)
{
    uint64_t refused = load(&n->by_verdict[0]);

    if (refused)
        fprintf(out, "  [%s] dead: %" PRIu64 " refused for their content\n", n->name, refused);
    for (uint32_t k = 0; k < n->plugin->verdict_count && k + 1 < LEDGER_VERDICTS; k++) {
        const struct aff_verdict *v = &n->plugin->verdicts[k];
        uint64_t count = load(&n->by_verdict[k + 1]);

        if (count && (v->kind == AFF_V_DROP || v->kind == AFF_V_DEAD))
            fprintf(out, "  [%s] %s: %" PRIu64 " %s\n", n->name, v->kind == AFF_V_DROP ? "dropped" : "dead",
                    count, v->name);
    }
}

/* Bytes and counts in full; what has a fraction, as a person reads it. */
static void print_gauge(double value, FILE *out)
{
    if (value >= 0 && value < 1e15 && value == (double)(uint64_t)value)
        fprintf(out, "%.0f", value);
    else
        fprintf(out, "%.6g", value);
}

static void print_metrics(const struct flow_node *n, FILE *out)
{
    for (uint32_t m = 0; m < n->plugin->metric_count; m++) {
        const struct aff_metric *metric = &n->plugin->metrics[m];

        fprintf(out, "%s%s ", m ? ", " : "", metric->name);
        if (metric->kind == AFF_METRIC_GAUGE)
            print_gauge(books_metric(n, m), out);
        else
            fprintf(out, "%" PRIu64, load(&n->metrics[m]));
        if (metric->unit && strcmp(metric->unit, metric->name) != 0)
            fprintf(out, " %s", metric->unit);
    }
}

/* Each account that is wrong, and each edge whose ends differ. */
static void print_imbalance(const struct flow *flow, const struct plan *plan, FILE *out)
{
    fputs("NOT BALANCED:\n", out);
    if (flow_unbalanced(flow))
        fputs("  an epoch's books were wrong when it was committed; the log says where\n", out);
    for (uint32_t i = 0; i < plan->node_count; i++) {
        struct flow_node n;

        flow_node(flow, i, &n);
        if (!account_balances(&n.account))
            fprintf(out, "  [%s] what came in and was made is not what became of it\n", n.name);
    }
    for (uint32_t i = 0; i < plan->edge_count; i++) {
        const struct plan_edge *e = &plan->edges[i];
        struct flow_edge edge;
        uint64_t known;

        flow_edge(flow, i, &edge);
        known = edge.taken + edge.expired + edge.dropped + edge.lost + (e->way == EDGE_QUEUE ? edge.queued : 0);
        if (edge.put != known)
            fprintf(out, "  %s -> %s: %" PRIu64 " given, %" PRIu64 " taken, %" PRId64 " lost\n",
                    plan->nodes[e->from].name, plan->nodes[e->to].name, edge.put, edge.taken,
                    (int64_t)(edge.put - known));
    }
}

/* The last line. Accounts may agree and records be lost all the same: those that
 * a sink has taken and not yet made safe. */
static void print_verdict(const struct flow *flow, const struct plan *plan, uint64_t made, bool cut_off, FILE *out)
{
    uint64_t committed = flow_committed(flow);
    const char *epochs = committed == 1 ? "epoch" : "epochs";

    if (!flow_balances(flow))
        print_imbalance(flow, plan, out);
    else if (cut_off)
        fprintf(out, "CUT OFF: %" PRIu64 " records from sources, %" PRIu64 " %s committed; what came after that "
                "may not be safe\n", made, committed, epochs);
    else
        fprintf(out, "balanced: %" PRIu64 " records from sources, committed in %" PRIu64 " %s\n", made, committed,
                epochs);
}

void books_print(const struct flow *flow, const struct plan *plan, bool cut_off, FILE *out)
{
    struct flow_node n;
    uint64_t made = 0;

    if (!print_accounts(flow, plan, out))
        fputs("  (no memory for the table)\n", out);
    for (uint32_t i = 0; i < plan->node_count; i++) {
        flow_node(flow, i, &n);
        if (n.plugin->about.kind == AFF_SOURCE)
            made += n.account.made;
        print_reasons(&n, out);
    }
    for (uint32_t i = 0; i < plan->node_count; i++) {
        flow_node(flow, i, &n);
        if (n.plugin->metric_count == 0)
            continue;
        fprintf(out, "  [%s] ", n.name);
        print_metrics(&n, out);
        fputc('\n', out);
    }
    print_verdict(flow, plan, made, cut_off, out);
}
