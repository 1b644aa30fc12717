/* dlq_do.c - `afferent dlq retry` and `drop`.
 *
 * A running pipeline is asked to do it, since it alone writes its store; of a
 * stopped one the store is opened for writing. Both end in dlq_change.c.
 *
 * Not here: which letters (dlq.c). */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/audit.h"
#include "cmd/dlq.h"
#include "cmd/dlq_change.h"
#include "cmd/verbs.h"

enum { GO_ON = -1, ANSWER_MS = 60000, DIGITS = 24 };

static bool has_node(void *arg, const char *node)
{
    const struct plan *plan = arg;

    for (uint32_t i = 0; node && i < plan->node_count; i++)
        if (strcmp(plan->nodes[i].name, node) == 0)
            return true;
    return false;
}

static int tell(const struct dlq *d, int code, const struct text *answer)
{
    const char *text = answer->data ? answer->data : "";

    if (answer->failed)
        fputs("afferent: there is no memory\n", stderr);
    else if (code == EXIT_DONE)
        fputs(text, stdout);
    else
        fprintf(stderr, "%s: %s%s", d->shelf.opened.file, text, *text && text[strlen(text) - 1] == '\n' ? "" : "\n");
    return code;
}

/* ---- stopped ---- */

static int change_stopped(struct dlq *d, bool retry)
{
    struct text answer = { 0 };
    struct dlq_change change = { .retry = retry,
                                 .letters = d->letters,
                                 .count = (uint32_t)d->count,
                                 .has_node = has_node,
                                 .arg = d->shelf.opened.plan,
                                 .answer = &answer };
    int code;

    dlq_change(&change, d->shelf.store);
    code = tell(d, change.code, &answer);
    text_free(&answer);
    return code;
}

/* ---- running ---- */

static int ask_some(struct dlq *d, bool retry, size_t from, uint32_t count)
{
    char (*words)[DIGITS] = calloc(count, sizeof *words);
    const char **arguments = calloc(count, sizeof *arguments);
    struct control_request request = { .verb = retry ? "retry" : "drop", .arguments = arguments, .count = count };
    struct text answer = { 0 };
    int code = EXIT_ERROR, said = EXIT_ERROR;

    for (uint32_t i = 0; words && arguments && i < count; i++) {
        snprintf(words[i], DIGITS, "%" PRIu64, d->letters[from + i]);
        arguments[i] = words[i];
    }
    if (words && arguments)
        code = shelf_ask(&d->shelf, &request, ANSWER_MS, &said, &answer);
    else
        fputs("afferent: there is no memory\n", stderr);
    if (code < 0)
        code = tell(d, said, &answer);
    text_free(&answer);
    free(words);
    free(arguments);
    return code;
}

static int change_running(struct dlq *d, bool retry)
{
    int code = EXIT_DONE;

    for (size_t from = 0; from < d->count && code <= EXIT_WRONG; from += CONTROL_ARGUMENTS) {
        size_t left = d->count - from;
        int some = ask_some(d, retry, from, (uint32_t)(left < CONTROL_ARGUMENTS ? left : CONTROL_ARGUMENTS));

        code = some > code ? some : code;
    }
    return code;
}

/* ---- both ---- */

static int open_for(struct dlq *d)
{
    if (!d->shelf.runs)
        return shelf_hold(&d->shelf);
    return d->count > 0 ? GO_ON : shelf_look(&d->shelf); /* to see which are meant */
}

static int change(struct dlq *d, bool retry)
{
    const struct audit audit = { .verb = d->verb, .letters = d->letters, .count = d->count };

    if (d->count == 0) {
        puts("no dead letters");
        return EXIT_DONE;
    }
    if (!audit_note(d->shelf.paths.folder, &audit))
        return EXIT_ERROR;
    return d->shelf.runs ? change_running(d, retry) : change_stopped(d, retry);
}

static int choose_and_change(struct dlq *d, bool retry)
{
    int code = open_for(d);

    if (code < 0)
        code = dlq_choose(d);
    return code < 0 ? change(d, retry) : code;
}

int dlq_retry(struct dlq *d)
{
    return choose_and_change(d, true);
}

int dlq_drop(struct dlq *d)
{
    return choose_and_change(d, false);
}
