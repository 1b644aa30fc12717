/* reload.c - `afferent reload`: a running pipeline goes on by its changed file.
 *
 * The file is checked here first, by the same function as ever, so that a mistake is
 * shown with its place and never reaches the run. The run checks it again, since its
 * plugins and its environment are what count.
 *
 * Not here: the reload itself (flow/), what would change (diff.c). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/shelf.h"
#include "cmd/verbs.h"

enum { GO_ON = -1, ANSWER_MS = 120000 };

static const char examples[] =
    "  afferent diff old.toml bedside.toml    what would change\n"
    "  afferent reload bedside.toml           change it; nothing is lost\n";

static const char more[] =
    "Nodes that did not change keep their state and their connections; what changed is\n"
    "opened before the old one is closed. Where that fails, the old pipeline runs on.\n\n"
    "Exit codes: 0 done, 2 the file is wrong, 3 it does not run, or it runs on as it was.\n";

static int arguments(struct shelf *shelf, int argc, char **argv)
{
    const struct args_flag flags[] = {
        { "plugin-dir", ARGS_LIST, &shelf->opened.dirs, "DIR",
          "Looks for plugins here first; may be given several times.", NULL },
    };
    const struct args_about about = {
        .verb = "reload",
        .operands = "PIPELINE.toml",
        .summary = "lets a running pipeline go on by its changed file",
        .more = more,
        .examples = examples,
        .flags = flags,
        .flag_count = sizeof flags / sizeof *flags,
        .least = 1,
        .most = 1,
    };

    return args_read(&about, argc, argv, &shelf->opened.operands);
}

static int reload(struct shelf *s)
{
    char *path = realpath(s->opened.file, NULL);
    const char *arguments[] = { path };
    struct control_request request = { .verb = "reload", .arguments = arguments, .count = 1 };
    struct text answer = { 0 };
    int code = EXIT_ERROR, said = EXIT_ERROR;

    if (path)
        code = shelf_ask(s, &request, ANSWER_MS, &said, &answer);
    else
        fprintf(stderr, "%s: error: its path cannot be resolved\n", s->opened.file);
    if (code < 0) {
        const char *text = answer.data ? answer.data : "";
        bool ended = *text && text[strlen(text) - 1] == '\n';

        fprintf(said == EXIT_DONE ? stdout : stderr, "%s%s", text, ended ? "" : "\n");
        code = said;
    }
    text_free(&answer);
    free(path);
    return code;
}

int verb_reload(int argc, char **argv)
{
    struct shelf shelf = { .store = NULL };
    int code = arguments(&shelf, argc, argv);

    if (code == GO_ON)
        code = shelf_need(&shelf);
    if (code < 0)
        code = reload(&shelf);
    shelf_close(&shelf);
    return code;
}
