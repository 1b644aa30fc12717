/* schema.c - `afferent schema`: the JSON Schema of pipeline files.
 *
 * An editor that knows it completes keys and marks mistakes while one types. It
 * covers the plugins that are installed, so it is printed and not shipped.
 *
 * Not here: making it (show/schema_json.h). */
#include <stdio.h>
#include <stdlib.h>

#include "cmd/args.h"
#include "cmd/verbs.h"
#include "show/schema_json.h"

enum { GO_ON = -1 };

static const char examples[] = "  afferent schema > afferent.schema.json\n";

static const char more[] =
    "With an editor that uses Taplo (VS Code: Even Better TOML), name it in the first\n"
    "line of a pipeline file:\n\n  #:schema ./afferent.schema.json\n\n"
    "What a schema cannot say (wiring, types of edges, privacy) is said by check.\n";

static int arguments(struct args_list *operands, struct args_list *dirs, int argc, char **argv)
{
    const struct args_flag flags[] = {
        { "plugin-dir", ARGS_LIST, dirs, "DIR", "Looks for plugins here first; may be given several times.", NULL },
    };
    const struct args_about about = {
        .verb = "schema",
        .operands = "",
        .summary = "prints the JSON Schema of pipeline files, for editors",
        .more = more,
        .examples = examples,
        .flags = flags,
        .flag_count = sizeof flags / sizeof *flags,
    };

    return args_read(&about, argc, argv, operands);
}

/* A plugin that is refused is left out, and said. */
static int print(struct plugins *plugins)
{
    size_t count, good = 0;
    const struct plugin_entry *entries = plugins ? plugins_list(plugins, &count) : NULL;
    const struct plugin **found = entries ? calloc(count + 1, sizeof *found) : NULL;
    const char *why = NULL;

    if (!found) {
        fputs("afferent: there is no memory\n", stderr);
        return EXIT_ERROR;
    }
    for (size_t i = 0; i < count; i++) {
        found[good] = plugins_find(plugins, entries[i].name, &why);
        if (found[good])
            good++;
        else
            fprintf(stderr, "afferent schema: left out: %s\n", why ? why : entries[i].name);
    }
    schema_json(found, good, stdout);
    free(found);
    return EXIT_DONE;
}

int verb_schema(int argc, char **argv)
{
    struct args_list operands = { NULL, 0 }, dirs = { NULL, 0 };
    int code = arguments(&operands, &dirs, argc, argv);

    if (code == GO_ON) {
        struct plugins *plugins = plugins_open(dirs.words, dirs.count);

        code = print(plugins);
        plugins_close(&plugins);
    }
    args_free(&operands);
    args_free(&dirs);
    return code;
}
