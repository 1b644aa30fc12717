/* plan.c - `afferent plan`: the memory and the threads that a pipeline needs, and
 * for how long its store lasts while a sink is away.
 *
 * Not here: the sums (config/layout.c, show/outage.c); what plugins allocate for streams, which
 * is known when it runs and is held under the same limit. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "cmd/opened.h"
#include "cmd/verbs.h"
#include "show/outage.h"
#include "show/report_json.h"
#include "show/table.h"
#include "show/uplinks.h"
#include "util/units.h"

struct planned {
    struct opened opened;
    bool json;
    struct plan_memory *lines;
    uint32_t count;
    uint64_t total;
};

static const char examples[] = "  afferent plan bedside.toml\n";

static int arguments(struct planned *planned, int argc, char **argv)
{
    const struct args_flag flags[] = {
        OPENED_FLAGS(planned->opened),
        { "json", ARGS_SWITCH, &planned->json, NULL, "Prints one JSON document.", NULL },
    };
    const struct args_about about = {
        .verb = "plan",
        .operands = "PIPELINE.toml",
        .summary = "prints the memory, threads and store that a pipeline needs",
        .examples = examples,
        .flags = flags,
        .flag_count = sizeof flags / sizeof *flags,
        .least = 1,
        .most = 1,
    };

    return args_read(&about, argc, argv, &planned->opened.operands);
}

static bool sum_up(struct planned *p)
{
    const struct plan *plan = p->opened.plan;

    plan_memory(plan, NULL, 0, &p->count);
    p->lines = calloc(p->count + 1u, sizeof *p->lines);
    if (!p->lines)
        return false;
    p->total = plan_memory(plan, p->lines, p->count, &p->count);
    return true;
}

/* "clean", or "clean -> archive" for what belongs to an edge. */
static void place_of(struct text *text, const struct plan *plan, const struct plan_memory *line)
{
    if (line->node != PLAN_NONE)
        text_add(text, plan->nodes[line->node].name);
    else if (line->edge != PLAN_NONE)
        text_print(text, "%s -> %s", plan->nodes[plan->edges[line->edge].from].name,
                   plan->nodes[plan->edges[line->edge].to].name);
}

static void print_threads(const struct plan *plan)
{
    for (uint32_t lane = 0; lane < plan->lane_count; lane++) {
        const char *between = " ";

        printf("thread %u:", lane);
        for (uint32_t i = 0; i < plan->node_count; i++)
            if (plan->nodes[i].lane == lane) {
                printf("%s%s", between, plan->nodes[i].name);
                between = ", ";
            }
        putchar('\n');
    }
}

static bool print_lines(const struct planned *p)
{
    struct table table;
    bool whole;

    if (!table_open(&table, 3))
        return false;
    table_cell(&table, "what");
    table_cell(&table, "where");
    table_cell(&table, "bytes");
    for (uint32_t i = 0; i < p->count; i++) {
        struct text place = { 0 };

        place_of(&place, p->opened.plan, &p->lines[i]);
        table_cell(&table, "%s", p->lines[i].what);
        table_cell(&table, "%s", place.data ? place.data : "");
        table_number(&table, p->lines[i].bytes);
        text_free(&place);
    }
    table_cell(&table, "total");
    table_cell(&table, "%s", "");
    table_number(&table, p->total);
    whole = table_print(&table, stdout);
    table_close(&table);
    return whole;
}

static bool print_plan(const struct planned *p)
{
    struct text limit = { 0 };
    bool whole = print_lines(p);

    units_add_bytes(&limit, (int64_t)p->opened.plan->memory_limit);
    printf("memory_limit is %s: %.1f %% of it is planned; state per stream comes on top, under the same limit\n",
           limit.data ? limit.data : "?", 100.0 * (double)p->total / (double)p->opened.plan->memory_limit);
    text_free(&limit);
    print_threads(p->opened.plan);
    whole = outage_print(p->opened.plan, stdout) && whole;
    uplinks_plan(p->opened.plan, stdout);
    explain_notes(p->opened.plan, stdout);
    return whole;
}

static void json_threads(struct json *json, const struct plan *plan)
{
    json_array(json, "threads");
    for (uint32_t lane = 0; lane < plan->lane_count; lane++) {
        json_array(json, NULL);
        for (uint32_t i = 0; i < plan->node_count; i++)
            if (plan->nodes[i].lane == lane)
                json_text(json, NULL, plan->nodes[i].name);
        json_end(json);
    }
    json_end(json);
}

static bool print_json(const struct planned *p)
{
    const struct plan *plan = p->opened.plan;
    struct json json;
    bool ok;

    json_begin(&json, stdout, true);
    json_object(&json, NULL);
    json_text(&json, "pipeline", plan->name);
    json_uint(&json, "memory_limit_bytes", plan->memory_limit);
    json_uint(&json, "total_bytes", p->total);
    json_array(&json, "memory");
    for (uint32_t i = 0; i < p->count; i++) {
        const struct plan_memory *line = &p->lines[i];

        json_object(&json, NULL);
        json_text(&json, "what", line->what);
        if (line->node != PLAN_NONE)
            json_text(&json, "node", plan->nodes[line->node].name);
        if (line->edge != PLAN_NONE) {
            json_text(&json, "from", plan->nodes[plan->edges[line->edge].from].name);
            json_text(&json, "to", plan->nodes[plan->edges[line->edge].to].name);
        }
        json_uint(&json, "bytes", line->bytes);
        json_end(&json);
    }
    json_end(&json);
    json_threads(&json, plan);
    json_uint(&json, "store_limit_bytes", plan->store_limit);
    outage_json(&json, plan);
    uplinks_plan_json(&json, plan);
    report_json_leaves(&json, plan);
    ok = report_json_notes(&json, plan);
    json_end(&json);
    json_finish(&json);
    return ok;
}

int verb_plan(int argc, char **argv)
{
    struct planned planned = { .json = false };
    int code = arguments(&planned, argc, argv);

    if (code < 0)
        code = opened_need(&planned.opened);
    if (code < 0) {
        bool ok = sum_up(&planned);

        code = EXIT_DONE;
        ok = ok && (planned.json ? print_json(&planned) : print_plan(&planned));
        if (!ok) {
            fputs("afferent: there is no memory\n", stderr);
            code = EXIT_ERROR;
        }
    }
    free(planned.lines);
    opened_close(&planned.opened);
    return code;
}
