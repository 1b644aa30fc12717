/* status.c - `afferent status`: how pipelines are.
 *
 * Each running one is asked at its door; of a stopped one it is said whether it
 * ended in order. Without a file: all that have state here.
 *
 * Not here: what a running one says (show/status.h). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/shelf.h"
#include "cmd/verbs.h"
#include "flow/accounts.h"
#include "keep/lock.h"
#include "show/when.h"
#include "util/json.h"

enum { GO_ON = -1, ANSWER_MS = 5000 };

struct look {
    bool json;
    bool begun;
    uint32_t count;
    int code;
};

static const char examples[] =
    "  afferent status                     all pipelines of this user\n"
    "  afferent status bedside.toml        one\n"
    "  afferent status bedside.toml --json for a program\n";

static const char more[] =
    "Exit codes: 0 done (with a file: it runs), 1 it does not run or its ledger does not\n"
    "balance, 2 bad usage, 3 it runs and does not answer.\n";

static int arguments(struct shelf *shelf, bool *json, int argc, char **argv)
{
    const struct args_flag flags[] = {
        { "json", ARGS_SWITCH, json, NULL, "Prints JSON.", NULL },
        OPENED_FLAGS(shelf->opened),
    };
    const struct args_about about = {
        .verb = "status",
        .operands = "[PIPELINE.toml]",
        .summary = "says how pipelines are",
        .more = more,
        .examples = examples,
        .flags = flags,
        .flag_count = sizeof flags / sizeof *flags,
        .least = 0,
        .most = 1,
    };

    return args_read(&about, argc, argv, &shelf->opened.operands);
}

/* ---- a stopped one ---- */

/* Its ledger, where it can be read without a key; NULL: it cannot. */
static struct accounts *accounts_of(const char *folder)
{
    struct store_options options = { .folder = folder, .read_only = true, .limit = UINT64_C(1) << 30 };
    struct accounts *accounts = NULL;
    struct store *store = NULL;
    void *bytes = NULL;
    size_t size = 0;
    char why[256];

    if (store_open(&options, &store, why, sizeof why) == STORE_OK &&
        store_state(store, ACCOUNTS_PIECE, &bytes, &size) == STORE_OK && !accounts_read(bytes, size, &accounts))
        accounts = NULL;
    free(bytes);
    store_close(&store);
    return accounts;
}

static void stopped_json(const char *name, const struct accounts *a)
{
    char when[WHEN_ROOM];
    struct json json;

    json_begin(&json, stdout, false);
    json_object(&json, NULL);
    json_text(&json, "pipeline", name);
    json_text(&json, "state", "stopped");
    if (a) {
        when_print(when, a->committed_utc_ns);
        json_text(&json, "committed", when);
        json_bool(&json, "ended_in_order", a->clean);
    }
    json_end(&json);
    json_finish(&json);
}

static void stopped_print(const char *name, const struct accounts *a)
{
    char when[WHEN_ROOM] = "";

    if (a)
        when_print(when, a->committed_utc_ns);
    printf("%s: stopped%s%s%s\n", name, a ? ", last commit at " : "", when,
           a && !a->clean ? "; it did not end in order: the next start goes on from there" : "");
}

static void stopped(const struct look *look, const char *name, const char *folder)
{
    struct accounts *accounts = accounts_of(folder);

    if (look->json)
        stopped_json(name, accounts);
    else
        stopped_print(name, accounts);
    accounts_free(&accounts);
}

/* ---- one of them ---- */

static void no_answer(const struct look *look, const char *name, const char *why)
{
    struct json json;

    if (!look->json) {
        printf("%s: no answer: %s\n", name, why);
        return;
    }
    json_begin(&json, stdout, false);
    json_object(&json, NULL);
    json_text(&json, "pipeline", name);
    json_text(&json, "state", "no answer");
    json_text(&json, "why", why);
    json_end(&json);
    json_finish(&json);
}

/* It has no door: it may hold its store all the same. */
static int doorless(const struct look *look, const char *name, const struct place_paths *paths)
{
    pid_t pid;

    if (lock_is_held(paths->folder, &pid)) {
        no_answer(look, name, "something holds its store: it starts, ends, or a verb repairs it");
        return EXIT_ERROR;
    }
    if (access(paths->folder, F_OK) == 0)
        stopped(look, name, paths->folder);
    else
        no_answer(look, name, "it has never run here");
    return EXIT_WRONG;
}

static int one(struct look *look, const char *name, const struct place_paths *paths)
{
    static const char *const words[] = { "json" };
    struct control_request request = { .verb = "status", .arguments = words, .count = look->json ? 1 : 0 };
    struct text answer = { 0 };
    int code = EXIT_ERROR;
    enum ask_status status = control_ask(paths, &request, ANSWER_MS, &code, &answer);

    if (look->json && look->count > 0)
        fputs(", ", stdout);
    look->count++;
    if (status == ASK_NOT_RUNNING) {
        code = doorless(look, name, paths);
    } else if (status == ASK_OK && code <= EXIT_WRONG) {
        fputs(answer.data ? answer.data : "", stdout);
    } else {
        no_answer(look, name, status != ASK_OK ? ask_problem(status) : answer.data ? answer.data : "");
        code = EXIT_ERROR;
    }
    text_free(&answer);
    return code;
}

/* ---- all of them ---- */

static bool each(void *arg, const char *name)
{
    struct look *look = arg;
    struct place_paths paths;
    char why[512];
    int code;

    if (place_find(name, &paths, why, sizeof why)) {
        code = one(look, name, &paths);
        if (code == EXIT_ERROR)
            look->code = code;
    }
    place_free(&paths);
    return true;
}

static int all(struct look *look)
{
    struct place_paths paths;
    char why[512];

    if (!place_find("x", &paths, why, sizeof why)) {
        fprintf(stderr, "afferent status: %s\n", why);
        place_free(&paths);
        return EXIT_USAGE;
    }
    if (look->json)
        fputs("{\"pipelines\": [", stdout);
    place_each(paths.root, each, look);
    if (look->json)
        puts("]}");
    else if (look->count == 0)
        printf("no pipeline has run here: there is no state in %s\n", paths.root);
    place_free(&paths);
    return look->code;
}

int verb_status(int argc, char **argv)
{
    struct shelf shelf = { .store = NULL };
    struct look look = { .code = EXIT_DONE };
    int code = arguments(&shelf, &look.json, argc, argv);

    if (code < 0 && shelf.opened.operands.count == 0)
        code = all(&look);
    else if (code < 0)
        code = shelf_need(&shelf);
    if (code < 0)
        code = one(&look, shelf.opened.plan->name, &shelf.paths);
    shelf_close(&shelf);
    return code;
}
