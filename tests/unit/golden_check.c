/* golden_check.c - what the configuration says about a file, for golden tests.
 *
 * golden_check FILE [--set NODE.OPTION=VALUE]... [--pace VALUE] [--show HOW]
 * prints the messages, then the plan where there is one; HOW is explain, graph,
 * dot, mermaid, json or outage. Exit as `check`: 0 or 2.
 *
 * Not here: real plugins; golden_plugins.c stands in for the loader. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "config/delivery.h"
#include "config/pipeline.h"
#include "golden_plugins.h"
#include "show/explain.h"
#include "show/outage.h"
#include "show/picture.h"
#include "show/report_json.h"

static void print_every(const struct every_config *c)
{
    const int64_t *channel = c->channels.items;
    const struct gain_config *gain = c->gains.items;
    const struct column_config *column = c->columns.items;

    printf("  order %" PRId64 " level %g on %d label %s shape %d window %" PRId64 " room %" PRId64
           " cutoff %g\n", c->order, c->level, c->is_on, c->label ? c->label : "-", c->shape,
           c->window_ns, c->room, c->cutoff_hz);
    printf("  model %s token %s\n", c->model ? strrchr(c->model, '/') : "-",
           c->token ? "given" : "-");
    if (c->model && *c->model != '/')
        puts("  model is not absolute");
    if (c->band)
        printf("  band %g %g %" PRId64 "\n", c->band->low_hz, c->band->high_hz, c->band->order);
    for (uint32_t i = 0; i < c->channels.count; i++)
        printf("  channel %" PRId64 "\n", channel[i]);
    for (uint32_t i = 0; i < c->columns.count; i++)
        printf("  column %s %s\n", column[i].name, column[i].unit ? column[i].unit : "-");
    for (uint32_t i = 0; i < c->gains.count; i++)
        printf("  gain %s %g\n", gain[i].key, gain[i].gain);
}

/* Only what differs from the usual. */
static void print_store(const struct plan *plan)
{
    if (plan->store_limit != 1u << 30)
        printf(" store %" PRIu64, plan->store_limit);
    if (plan->store_key)
        printf(" sealed by %s", strrchr(plan->store_key, '/') + 1);
    putchar('\n');
}

static void print_slow(const struct plan_edge *edge)
{
    if (edge->when_full != WHEN_FULL_BLOCK)
        printf(" %s %s", delivery_when_full(edge->when_full), delivery_priority(edge->priority));
    if (edge->expire_ns)
        printf(" expire %" PRId64, edge->expire_ns);
    putchar('\n');
}

static void print_plan(const struct plan *plan)
{
    printf("plan %s: memory %" PRIu64 " every %" PRId64 " records %" PRIu64 " bytes %" PRIu64
           " record %" PRIu64, plan->name, plan->memory_limit, plan->commit_every_ns,
           plan->commit_records, plan->commit_bytes, plan->max_record);
    print_store(plan);
    for (uint32_t i = 0; i < plan->node_count; i++) {
        const struct plan_node *node = &plan->nodes[i];

        printf("node %u %s = %s line %u held %u%s%s%s\n", i, node->name, node->plugin->about.name,
               node->at.line, node->max_held, node->durable ? " durable" : "",
               node->in_process ? " process" : "", node->require_sandbox ? " sandbox" : "");
        if (!strcmp(node->plugin->about.name, "op_every"))
            print_every(node->config);
        if (!strcmp(node->plugin->about.name, "in_file"))
            printf("  pace %s\n", ((const char *const *)node->config)[1]);
    }
    for (uint32_t i = 0; i < plan->edge_count; i++) {
        const struct plan_edge *edge = &plan->edges[i];
        const struct plan_node *from = &plan->nodes[edge->from], *to = &plan->nodes[edge->to];

        printf("edge %s.%s -> %s.%s line %u buffer %" PRIu64, from->name,
               from->plugin->outputs[edge->from_port].name, to->name,
               to->plugin->inputs[edge->to_port].name, edge->at.line, edge->buffer);
        print_slow(edge);
    }
}

static void print_shown(struct report *report, const struct plan *plan, const char *how,
                        const struct pipeline_request *request)
{
    const struct explain_origin origin = { request->file, request->sets, request->set_count };

    if (!strcmp(how, "explain"))
        explain_print(plan, &origin, stdout);
    else if (!strcmp(how, "graph"))
        picture_text(plan, stdout);
    else if (!strcmp(how, "dot"))
        picture_dot(plan, stdout);
    else if (!strcmp(how, "mermaid"))
        picture_mermaid(plan, stdout);
    else if (!strcmp(how, "json"))
        report_json(report, plan, &origin, stdout);
    else if (!strcmp(how, "outage"))
        outage_print(plan, stdout);
}

int main(int argc, char **argv)
{
    const char *sets[16], *show = "plan";
    struct pipeline_request request = { .file = argc > 1 ? argv[1] : "", .sets = sets };
    struct plugins *plugins = plugins_open(NULL, 0);
    struct report *report = report_new();
    struct plan *plan;

    if (!plugins || !report)
        return 3;
    for (int i = 2; i + 1 < argc; i += 2) {
        if (!strcmp(argv[i], "--set") && request.set_count < 16)
            sets[request.set_count++] = argv[i + 1];
        else if (!strcmp(argv[i], "--pace"))
            request.pace = argv[i + 1];
        else if (!strcmp(argv[i], "--show"))
            show = argv[i + 1];
    }
    plan = pipeline_read(plugins, &request, report);
    report_print(report, stdout);
    if (plan && !strcmp(show, "plan"))
        print_plan(plan);
    else if (plan)
        print_shown(report, plan, show, &request);
    if (plan && strcmp(show, "json") != 0)
        explain_notes(plan, stdout);
    int status = plan ? 0 : 2;

    plan_close(&plan);
    report_free(&report);
    plugins_close(&plugins);
    return status;
}
