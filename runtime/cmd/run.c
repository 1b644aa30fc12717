/* run.c - `afferent run`: a pipeline until its sources end or Ctrl-C drains it.
 *
 * Opening may fail because an input or a peer is missing: that is how the world
 * is, not a mistake in the file, so it is tried again until it is there.
 *
 * Not here: the live line and the ledger (show/), signals (stopper.c). */
#include <afferent/plugin.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/door.h"
#include "cmd/opened.h"
#include "cmd/reloader.h"
#include "cmd/stopper.h"
#include "cmd/stored.h"
#include "cmd/verbs.h"
#include "cmd/watched.h"
#include "flow/flow.h"
#include "show/books.h"
#include "show/books_json.h"
#include "show/live.h"

#define MS INT64_C(1000000)
#define RETRY_FIRST (250 * MS)
#define RETRY_LAST (10000 * MS)
#define LOOK_TERMINAL (250 * MS)
#define LOOK_LOG (10000 * MS)

struct run {
    struct opened opened;
    int64_t for_ns;
    bool quiet;
    bool fresh;
    struct lines *lines;
    struct stopper *stopper;
    struct stored stored;
    struct door *door;
    struct reloader *reloader;
    struct flow *flow;
    struct live live;
    struct watched watched;
};

static const char examples[] =
    "  afferent run bedside.toml                        until it ends, or Ctrl-C\n"
    "  afferent run bedside.toml --for 20s              20 s of the data's time\n"
    "  afferent run bedside.toml --for 1h --pace fast   as fast as it can be read\n"
    "  afferent run bedside.toml --set ecg.seed=7       with another option\n";

static const char more[] =
    "The first Ctrl-C (or SIGTERM) ends the sources and finishes what is under way;\n"
    "the second ends at once. A missing input or peer is waited for.\n\n"
    "What is safe lies in a folder of the pipeline's name in $STATE_DIRECTORY, else in\n"
    "~/.local/state/afferent. A run that was stopped or died is gone on with by the\n"
    "next; one whose sources all ended, or that ended by --for, begins anew, after it\n"
    "has delivered what waits in queues.\n\n"
    "Exit codes: 0 done, 1 the ledger does not balance or the run was cut off, 2 bad\n"
    "configuration or usage, 3 the run ended on an error.\n";

static int arguments(struct run *run, int argc, char **argv)
{
    const struct args_flag flags[] = {
        { "for", ARGS_DURATION, &run->for_ns, "DURATION",
          "Ends after this much time of the data, such as 20s or 24h.", NULL },
        { "pace", ARGS_TEXT, &run->opened.pace, "VALUE",
          "Sets the option `pace` of every source that has it: fast, realtime.", NULL },
        OPENED_FLAGS(run->opened),
        { "json", ARGS_SWITCH, &run->opened.json, NULL,
          "Reports of sinks, and the ledger at the end, as JSON on stdout.", NULL },
        { "fresh", ARGS_SWITCH, &run->fresh, NULL,
          "Begins anew, wherever the last run stopped; what waits in queues stays.", NULL },
        { "quiet", ARGS_SWITCH, &run->quiet, NULL, "Only warnings and errors: no live line, no ledger.", NULL },
    };
    const struct args_about about = {
        .verb = "run",
        .operands = "PIPELINE.toml",
        .summary = "runs a pipeline until it ends or Ctrl-C drains it",
        .more = more,
        .examples = examples,
        .flags = flags,
        .flag_count = sizeof flags / sizeof *flags,
        .least = 1,
        .most = 1,
    };

    return args_read(&about, argc, argv, &run->opened.operands);
}

/* A --pace that nobody heard would be a run at the wrong speed. */
static int pace_heard(const struct run *run)
{
    const struct plan *plan = run->opened.plan;

    for (uint32_t i = 0; run->opened.pace && i < plan->node_count; i++) {
        const struct plugin *p = plan->nodes[i].plugin;

        for (uint32_t k = 0; p->about.kind == AFF_SOURCE && k < p->option_count; k++)
            if (strcmp(p->options[k].name, "pace") == 0)
                return -1;
    }
    if (!run->opened.pace)
        return -1;
    fprintf(stderr, "%s: error: --pace: no source has the option pace; expected one that has; "
            "leave --pace out\n", run->opened.file);
    return EXIT_USAGE;
}

/* ---- what is asked for at the door ---- */

static void letters_retried(void *arg)
{
    struct run *run = arg;

    reloader_retry(run->reloader);
}

static int reload_asked(void *arg, const char *path, struct text *answer)
{
    struct run *run = arg;

    return reloader_ask(run->reloader, path, answer);
}

static int order_given(void *arg, const char *node, const char *const *pairs, uint32_t count, struct text *answer)
{
    struct run *run = arg;
    char why[128];

    if (!run->flow) {
        text_add(answer, "it has not begun yet, or is ending\n");
        return EXIT_ERROR;
    }
    if (!flow_order(run->flow, node, pairs, count, why, sizeof why)) {
        text_print(answer, "%s\n", why);
        return EXIT_USAGE;
    }
    text_add(answer, "handed over\n");
    return EXIT_DONE;
}

static int stop_asked(void *arg, struct text *answer)
{
    (void)arg;
    text_add(answer, "stopping\n");
    return kill(getpid(), SIGTERM) == 0 ? EXIT_DONE : EXIT_ERROR;
}

static void open_door(struct run *run)
{
    const struct door_shape shape = {
        .plan = run->opened.plan,
        .file = run->opened.file,
        .stored = &run->stored,
        .lines = run->lines,
        .reload = reload_asked,
        .command = order_given,
        .stop = stop_asked,
        .retried = letters_retried,
        .arg = run,
    };

    if (run->stored.store)
        run->door = door_open(&shape);
}

/* On a terminal a hang-up says that the terminal is gone: the run is stopped. Elsewhere
 * it is how a service is told to read its file again. */
static bool open_reloader(struct run *run)
{
    const struct reloader_run shape = { &run->opened, &run->flow, &run->stored, run->stopper, run->lines, &run->door };

    run->reloader = reloader_open(&shape);
    if (run->reloader && !lines_is_terminal(run->lines))
        stopper_on_hang_up(run->stopper, reloader_hang_up, run->reloader);
    return run->reloader != NULL;
}

static void show_changed(struct run *run)
{
    int64_t began_ns = run->live.began_ns;

    live_begin(&run->live, run->flow, run->opened.plan);
    run->live.began_ns = began_ns;
}

/* ---- opening ---- */

/* `why` begins with the node in brackets, as flow_open wrote it. */
static int open_failed(const struct run *run, aff_status status, const char *why)
{
    fprintf(stderr, "%s: error: %s\n", run->opened.file, why);
    return status == AFF_ERR_CONFIG ? EXIT_USAGE : EXIT_ERROR;
}

/* Two pipelines of one name would take each other's state for their own. */
static uint64_t place_of(const char *file)
{
    char *path = realpath(file, NULL);
    uint64_t hash = path ? text_hash(path, strlen(path)) | 1u : 0;

    free(path);
    return hash;
}

/* Below 0: run->flow is open. */
static int open_flow(struct run *run)
{
    struct flow_options options = {
        .for_ns = run->for_ns,
        .log = lines_log,
        .arg = run->lines,
        .kept = stored_kept(&run->stored),
        .fresh = run->fresh,
        .identity = place_of(run->opened.file),
    };
    int64_t wait = RETRY_FIRST;
    bool told = false;
    aff_status status;
    char why[512];

    for (;;) {
        run->flow = flow_open(run->opened.plan, &options, &status, why, sizeof why);
        if (run->flow)
            break;
        if (status != AFF_ERR_IO)
            return open_failed(run, status, why);
        if (!told)
            lines_say(run->lines, AFF_LOG_WARN, NULL, "%s; waiting for it, Ctrl-C ends", why);
        door_flow(run->door, run->opened.plan, NULL, why);
        notify_status(&run->watched.notify, why);
        told = true;
        if (stopper_sleep(run->stopper, wait)) {
            lines_say(run->lines, AFF_LOG_ERROR, NULL, "stopped before it could begin: %s", why);
            return EXIT_ERROR;
        }
        wait = wait * 2 < RETRY_LAST ? wait * 2 : RETRY_LAST;
    }
    if (told)
        lines_say(run->lines, AFF_LOG_INFO, NULL, "it is there now; the pipeline begins");
    if (flow_resumed(run->flow))
        lines_say(run->lines, AFF_LOG_INFO, NULL, "going on where the last run stopped");
    return -1;
}

/* ---- running ---- */

static void look(struct run *run, bool terminal)
{
    char text[256];

    if (run->quiet || !watched_looks(&run->watched))
        return;
    live_text(&run->live, text, sizeof text);
    if (terminal)
        lines_live(run->lines, text);
    else if (watched_shows(&run->watched, text))
        lines_say(run->lines, AFF_LOG_INFO, NULL, "%s", text);
}

/* Below 0: it ran, and has ended. */
static int wait_flow(struct run *run)
{
    bool terminal = lines_is_terminal(run->lines);
    int64_t every = watched_every(&run->watched, run->quiet ? -1 : terminal ? LOOK_TERMINAL : LOOK_LOG);

    live_begin(&run->live, run->flow, run->opened.plan);
    door_flow(run->door, run->opened.plan, run->flow, NULL);
    if (!stored_begin(&run->stored, run->flow) || !flow_start(run->flow)) {
        while (!flow_wait(run->flow, -1))
            continue;
        return open_failed(run, AFF_ERR_MEMORY, "no thread could be started");
    }
    stopper_guard(run->stopper, run->flow);
    reloader_flow(run->reloader, run->flow);
    watched_ready(&run->watched);
    while (!flow_wait(run->flow, every)) {
        if (reloader_is_asked(run->reloader))
            watched_reloading(&run->watched);
        if (reloader_turn(run->reloader))
            show_changed(run);
        watched_turn(&run->watched, run->flow, run->stored.keeper, stopper_asked(run->stopper) > 0);
        look(run, terminal);
    }
    watched_stopping(&run->watched);
    reloader_flow(run->reloader, NULL);
    stopper_guard(run->stopper, NULL);
    stored_end(&run->stored);
    lines_live(run->lines, "");
    return -1;
}

/* ---- the end ---- */

static const struct plan_node *archive_of(const struct plan *plan)
{
    for (uint32_t i = 0; i < plan->node_count; i++)
        if (plan->nodes[i].plugin->about.flags & AFF_ARCHIVE)
            return &plan->nodes[i];
    return NULL;
}

/* For a person who sees this for the first time. The program that called us may
 * be known under another name (AFFERENT_CALLED). */
static void type_next(const struct run *run)
{
    const char *name = getenv("AFFERENT_CALLED");

    if (!lines_is_terminal(run->lines) && !name)
        return;
    if (!name || !*name)
        name = "afferent";
    fputs("\nType next:\n", stderr);
    if (archive_of(run->opened.plan))
        fprintf(stderr, "  %s query %s --limit 20    what was archived\n", name, run->opened.file);
    fprintf(stderr, "  %s check %s --explain     how it runs, and why\n", name, run->opened.file);
    fprintf(stderr, "  %s graph %s               how it is wired\n", name, run->opened.file);
}

static int report_end(struct run *run)
{
    const char *why;
    aff_status status = flow_failure(run->flow, &why);
    bool cut_off = flow_cut_short(run->flow) || status != AFF_OK || stopper_asked(run->stopper) > 1;
    bool good = flow_balances(run->flow) && !cut_off;

    if (!run->quiet || !good)
        books_print(run->flow, run->opened.plan, cut_off, stderr);
    if (run->opened.json)
        books_json(run->flow, run->opened.plan, live_seconds(&run->live), why, cut_off, stdout);
    if (status != AFF_OK) {
        fprintf(stderr, "%s: error: the run ended: %s\n", run->opened.file, why);
        return status == AFF_ERR_CONFIG ? EXIT_USAGE : EXIT_ERROR;
    }
    if (!good)
        return EXIT_WRONG;
    if (!run->quiet)
        type_next(run);
    return EXIT_DONE;
}

static int run_plan(struct run *run)
{
    int code;

    run->lines = lines_open(run->quiet ? AFF_LOG_WARN : AFF_LOG_INFO);
    run->watched.lines = run->lines;
    if (run->lines && run->watched.notify.supervised)
        lines_name(run->lines, run->opened.plan->name);
    run->stopper = run->lines ? stopper_open(run->lines) : NULL;
    if (!run->stopper || !open_reloader(run)) {
        fputs("afferent: there is no memory, or no thread can be made\n", stderr);
        code = EXIT_ERROR;
    } else {
        code = stored_open(&run->stored, run->opened.plan, run->opened.file, run->lines);
    }
    if (code < 0)
        open_door(run);
    if (code < 0)
        code = open_flow(run);
    if (code < 0)
        code = wait_flow(run);
    if (code < 0)
        code = report_end(run);
    door_close(&run->door);
    stored_end(&run->stored);
    flow_close(&run->flow);
    stored_close(&run->stored);
    stopper_close(&run->stopper);
    reloader_close(&run->reloader);
    lines_close(&run->lines);
    return code;
}

int verb_run(int argc, char **argv)
{
    struct run run = { 0 };
    int code;

    notify_open(&run.watched.notify);
    /* Other pipelines write to the same file: whole lines. */
    if (run.watched.notify.supervised)
        setvbuf(stderr, NULL, _IOLBF, BUFSIZ);
    code = arguments(&run, argc, argv);
    if (code < 0)
        code = opened_need(&run.opened);
    if (code < 0)
        code = pace_heard(&run);
    if (code < 0)
        code = run_plan(&run);
    opened_close(&run.opened);
    notify_close(&run.watched.notify);
    return code;
}
