/* main.c - `afferent VERB`: finds the verb and hands over.
 *
 * Not here: anything a verb does. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cell/cell.h"
#include "cmd/args.h"
#include "cmd/verbs.h"
#include "load/probe.h"

struct verb {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
};

static const struct verb verbs[] = {
    { "run", verb_run, "Runs a pipeline until it ends or Ctrl-C drains it." },
    { "serve", verb_serve, "Runs all pipelines of a folder as one service." },
    { "check", verb_check, "Says what is wrong with a pipeline, or how it will run." },
    { "plan", verb_plan, "Prints the memory and threads that a pipeline needs." },
    { "graph", verb_graph, "Draws a pipeline as text, DOT or Mermaid." },
    { "query", verb_query, "Prints what a pipeline has archived." },
    { "status", verb_status, "Says how running pipelines are." },
    { "ledger", verb_ledger, "Prints the accounts of a pipeline, running or stopped." },
    { "dlq", verb_dlq, "Lists, shows, tries again or drops dead letters." },
    { "store", verb_store, "Lists, checks or mends what a pipeline keeps." },
    { "reload", verb_reload, "Lets a running pipeline go on by its changed file." },
    { "diff", verb_diff, "Prints what changes between two pipeline files." },
    { "alert", verb_alert, "Lists and acknowledges alerts." },
    { "plugin", verb_plugin, "Lists plugins, or explains one." },
    { "init", verb_init, "Begins a pipeline from one that is shipped." },
    { "schema", verb_schema, "Prints the JSON Schema of pipeline files, for editors." },
    { "key", verb_key, "Makes a key file." },
};
enum { VERBS = sizeof verbs / sizeof *verbs };

static void print_help(FILE *out)
{
    fputs("afferent - carries medical data from the bedside to whoever must act on it\n\n"
          "Usage: afferent VERB [ARGUMENT ...]\n\nVerbs:\n",
          out);
    for (size_t i = 0; i < VERBS; i++)
        fprintf(out, "  %-8s %s\n", verbs[i].name, verbs[i].summary);
    fputs("\nExamples:\n"
          "  afferent check bedside.toml            is the pipeline right?\n"
          "  afferent run bedside.toml --for 20s    run it for 20 s of the data's time\n"
          "  afferent query bedside.toml --limit 5  what was archived\n"
          "  afferent VERB --help                   all about a verb\n\n"
          "Exit codes: 0 done, 1 what was examined is wrong, 2 bad configuration or usage,\n"
          "3 the run ended on an error. Results go to stdout, everything else to stderr.\n",
          out);
}

static int verb_unknown(const char *word)
{
    const char *names[VERBS];

    for (size_t i = 0; i < VERBS; i++)
        names[i] = verbs[i].name;
    fprintf(stderr, "afferent: there is no verb \"%s\"", word);
    args_guess(word, names, VERBS);
    fputs("\n  see: afferent --help\n", stderr);
    return EXIT_USAGE;
}

/* Who reads our output may have left (`| head`): it wanted no more. */
static bool reader_left(void)
{
    struct pollfd out = { .fd = STDOUT_FILENO };

    return poll(&out, 1, 0) == 1 && (out.revents & POLLERR);
}

/* What was printed may still lie in a buffer, and the disk be full. */
static int flush(int code)
{
    bool failed = fflush(stdout) != 0 || ferror(stdout);

    if (!failed || reader_left())
        return code;
    fprintf(stderr, "afferent: the result could not be written: %s\n", strerror(errno));
    return code == EXIT_DONE ? EXIT_ERROR : code;
}

int main(int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : "";

    if (cell_child_asked(argc, argv))
        return cell_child_main(argc, argv);
    if (plugin_probe_asked(argc, argv))
        return plugin_probe_main(PLUGIN_PROBE_FD);
    signal(SIGPIPE, SIG_IGN);
    if (strcmp(word, "--version") == 0) {
        puts("afferent " AFF_VERSION);
        return flush(EXIT_DONE);
    }
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0) {
        print_help(stdout);
        return flush(EXIT_DONE);
    }
    for (size_t i = 0; i < VERBS; i++)
        if (strcmp(word, verbs[i].name) == 0)
            return flush(verbs[i].run(argc - 1, argv + 1));
    if (*word)
        return verb_unknown(word);
    print_help(stderr);
    return EXIT_USAGE;
}
