/* ledger.c - `afferent ledger`: what came in, and what became of it.
 *
 * The accounts of the last commit, over all runs since the store began: read from
 * the store, whether the pipeline runs or not. A pipeline that stores nothing is
 * asked while it runs.
 *
 * Not here: the table (show/kept_books.h). */
#include <stdio.h>
#include <stdlib.h>

#include "cmd/shelf.h"
#include "cmd/verbs.h"
#include "show/kept_books.h"

enum { GO_ON = -1, ANSWER_MS = 5000 };

static const char examples[] =
    "  afferent ledger bedside.toml                 does it balance?\n"
    "  afferent ledger bedside.toml --json          for a program\n";

static const char more[] =
    "A node balances when in + made + restored + retried is what passed, was replaced,\n"
    "routed, emitted, used, dropped, dead, expired, held or queued. `unsafe` is what a\n"
    "live source may have lost when the process died: at most so many records.\n\n"
    "Exit codes: 0 it balances, 1 it does not, or records of live sources may be lost,\n"
    "2 bad usage, 3 there is no ledger, or it cannot be read.\n";

static int arguments(struct shelf *shelf, bool *json, int argc, char **argv)
{
    const struct args_flag flags[] = {
        { "json", ARGS_SWITCH, json, NULL, "Prints JSON.", NULL },
        OPENED_FLAGS(shelf->opened),
    };
    const struct args_about about = {
        .verb = "ledger",
        .operands = "PIPELINE.toml",
        .summary = "says what came in, and what became of it",
        .more = more,
        .examples = examples,
        .flags = flags,
        .flag_count = sizeof flags / sizeof *flags,
        .least = 1,
        .most = 1,
    };

    return args_read(&about, argc, argv, &shelf->opened.operands);
}

static enum flow_end end_of(const struct shelf *shelf)
{
    enum flow_end end = FLOW_END_NONE;
    void *bytes = NULL;
    size_t size = 0;

    if (store_state(shelf->store, FLOW_RUN_PIECE, &bytes, &size) == STORE_OK)
        end = flow_end_read(bytes, size);
    free(bytes);
    return end;
}

static int print(const struct shelf *shelf, const struct accounts *accounts, bool json)
{
    const struct kept_books books = { .accounts = accounts, .runs = shelf->runs, .end = end_of(shelf) };

    if (json)
        kept_books_json(&books, stdout);
    else
        kept_books_print(&books, stdout);
    return kept_books_verdict(&books) == KEPT_BALANCED ? EXIT_DONE : EXIT_WRONG;
}

static int failed(const struct shelf *shelf, const char *what)
{
    fprintf(stderr, "%s: error: %s\n", shelf->opened.file, what);
    return EXIT_ERROR;
}

static int from_store(struct shelf *shelf, bool json)
{
    struct accounts *accounts = NULL;
    void *bytes = NULL;
    size_t size = 0;
    enum store_status status;
    int code = shelf_look(shelf);

    if (code >= 0)
        return code;
    status = store_state(shelf->store, ACCOUNTS_PIECE, &bytes, &size);
    if (status == STORE_NONE)
        return failed(shelf, "the store holds no ledger yet; expected a first commit; see afferent status");
    if (status != STORE_OK)
        return failed(shelf, "the ledger cannot be read; expected a whole store; see afferent store check");
    if (accounts_read(bytes, size, &accounts))
        code = print(shelf, accounts, json);
    else
        code = failed(shelf, "the ledger is damaged, of a later version, or there is no memory; "
                              "see afferent store check");
    free(bytes);
    accounts_free(&accounts);
    return code;
}

static int from_run(struct shelf *shelf, bool json)
{
    static const char *const words[] = { "json" };
    struct control_request request = { .verb = "ledger", .arguments = words, .count = json ? 1 : 0 };
    struct text answer;
    int code, said = EXIT_ERROR;

    code = shelf_ask(shelf, &request, ANSWER_MS, &said, &answer);
    if (code < 0) {
        fputs(answer.data ? answer.data : "", said <= EXIT_WRONG ? stdout : stderr);
        code = said;
    }
    text_free(&answer);
    return code;
}

int verb_ledger(int argc, char **argv)
{
    struct shelf shelf = { .store = NULL };
    bool json = false;
    int code = arguments(&shelf, &json, argc, argv);

    if (code == GO_ON)
        code = shelf_need(&shelf);
    if (code < 0)
        code = shelf.opened.plan->store_limit ? from_store(&shelf, json) : from_run(&shelf, json);
    shelf_close(&shelf);
    return code;
}
