/* check.c - `afferent check`: what is wrong with a pipeline, or how it will run.
 *
 * What it refuses, `run` refuses: both ask the same function. The messages are
 * its result, so they go to stdout.
 *
 * Not here: the checking (config/), what --explain says (show/explain.h). */
#include <stdio.h>

#include "cmd/opened.h"
#include "cmd/verbs.h"
#include "show/explain.h"
#include "show/report_json.h"

struct check {
    struct opened opened;
    bool explain;
    bool json;
};

static const char examples[] =
    "  afferent check bedside.toml             what is wrong, with line and column\n"
    "  afferent check bedside.toml --explain   labels, threads, copies, queues, options and their origin\n";

static const char more[] = "Exit codes: 0 the pipeline is right, 2 it is not (run refuses it as well).\n";

static int arguments(struct check *check, int argc, char **argv)
{
    const struct args_flag flags[] = {
        { "explain", ARGS_SWITCH, &check->explain, NULL,
          "Says how each edge and node will run, and where each option comes from.", NULL },
        OPENED_FLAGS(check->opened),
        { "json", ARGS_SWITCH, &check->json, NULL, "Prints one JSON document.", NULL },
    };
    const struct args_about about = {
        .verb = "check",
        .operands = "PIPELINE.toml",
        .summary = "says what is wrong with a pipeline, or how it will run",
        .more = more,
        .examples = examples,
        .flags = flags,
        .flag_count = sizeof flags / sizeof *flags,
        .least = 1,
        .most = 1,
    };

    return args_read(&about, argc, argv, &check->opened.operands);
}

static int print_result(const struct check *check)
{
    const struct opened *o = &check->opened;
    const struct explain_origin origin = { o->file, o->sets.words, o->sets.count };

    if (check->json) {
        if (!report_json(o->report, o->plan, check->explain ? &origin : NULL, stdout)) {
            fputs("afferent: there is no memory for the JSON document\n", stderr);
            return EXIT_ERROR;
        }
        return o->plan ? EXIT_DONE : EXIT_USAGE;
    }
    report_print(o->report, stdout);
    if (!o->plan)
        return EXIT_USAGE;
    if (check->explain)
        explain_print(o->plan, &origin, stdout);
    explain_notes(o->plan, stdout);
    printf("ok: %u nodes, %u edges\n", o->plan->node_count, o->plan->edge_count);
    return EXIT_DONE;
}

int verb_check(int argc, char **argv)
{
    struct check check = { 0 };
    int code = arguments(&check, argc, argv);

    if (code < 0)
        code = opened_read(&check.opened);
    if (code < 0)
        code = print_result(&check);
    opened_close(&check.opened);
    return code;
}
