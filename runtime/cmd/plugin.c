/* plugin.c - `afferent plugin list|info`: which plugins there are, and what one does.
 *
 * A listing runs no plugin code: it reads notes. A file that is refused is a
 * row of the listing with its reason, and no error of the listing.
 *
 * Not here: finding them (load/), the pages of info (plugin_pages.h). */
#include <stdio.h>
#include <string.h>

#include "cmd/args.h"
#include "cmd/plugin_pages.h"
#include "cmd/verbs.h"
#include "cmd/words.h"
#include "show/explain.h"
#include "show/table.h"
#include "util/json.h"

struct request {
    struct args_list operands;
    struct args_list dirs;
    bool json;
    bool markdown;
    struct plugins *plugins;
};

static int no_memory(void)
{
    fputs("afferent: memory is out; free some and try again\n", stderr);
    return EXIT_ERROR;
}

static void list_json(const struct plugin_entry *entries, size_t count)
{
    struct json json;

    json_begin(&json, stdout, true);
    json_array(&json, NULL);
    for (size_t i = 0; i < count; i++) {
        json_object(&json, NULL);
        json_text(&json, "name", entries[i].name);
        json_text(&json, "kind", entries[i].kind ? explain_kind(entries[i].kind) : NULL);
        json_text(&json, "version", entries[i].version[0] ? entries[i].version : NULL);
        json_text(&json, "path", entries[i].path);
        json_text(&json, "refusal", entries[i].refusal);
        json_end(&json);
    }
    json_finish(&json);
}

static bool list_text(const struct plugin_entry *entries, size_t count)
{
    struct table table;
    bool is_good;

    if (!table_open(&table, 4))
        return false;
    for (size_t i = 0; i < count; i++) {
        table_cell(&table, "%s", entries[i].kind ? explain_kind(entries[i].kind) : "-");
        table_cell(&table, "%s", entries[i].name);
        table_cell(&table, "%s", entries[i].version[0] ? entries[i].version : "-");
        if (entries[i].refusal)
            table_cell(&table, "refused: %s", entries[i].refusal);
        else
            table_cell(&table, "%s", entries[i].path);
    }
    is_good = table_print(&table, stdout);
    table_close(&table);
    return is_good;
}

static int list_run(struct request *request)
{
    size_t count;
    const struct plugin_entry *entries = plugins_list(request->plugins, &count);

    if (!entries)
        return no_memory();
    if (request->json)
        list_json(entries, count);
    else if (!list_text(entries, count))
        return no_memory();
    if (!count)
        fputs("afferent: there are no plugins in the folders; name one with --plugin-dir or "
              "AFFERENT_PLUGIN_PATH\n", stderr);
    return EXIT_DONE;
}

static int info_run(struct request *request)
{
    const char *why = "";
    const struct plugin *plugin;

    if (request->json && request->markdown) {
        fputs("afferent: --json and --markdown exclude each other; give one of them\n", stderr);
        return EXIT_USAGE;
    }
    plugin = plugins_find(request->plugins, request->operands.words[0], &why);
    if (!plugin) {
        fprintf(stderr, "afferent: %s\n", why);
        return EXIT_USAGE;
    }
    if (request->json)
        plugin_print_json(plugin, stdout);
    else if (request->markdown)
        plugin_print_page(plugin, stdout);
    else
        plugin_print_text(plugin, stdout);
    return EXIT_DONE;
}

static int request_run(struct request *request, int (*run)(struct request *request))
{
    int code;

    request->plugins = plugins_open(request->dirs.words, request->dirs.count);
    code = request->plugins ? run(request) : no_memory();
    plugins_close(&request->plugins);
    return code;
}

enum { LIST, INFO };
static const struct args_about works[] = {
    [LIST] = { .verb = "plugin list",
               .operands = "",
               .summary = "lists the plugins in the folders, in the order of the data's way",
               .more = "No plugin code is run. Folders, in the order of search: --plugin-dir,\n"
                       "AFFERENT_PLUGIN_PATH (separated by ':'), the installed one.\n",
               .examples = "  afferent plugin list --plugin-dir build\n" },
    [INFO] = { .verb = "plugin info",
               .operands = "NAME",
               .summary = "explains a plugin: ports, options, verdicts, metrics",
               .more = "Exit codes: 0 done, 2 there is no such plugin, or it is refused.\n",
               .examples = "  afferent plugin info op_gain\n"
                           "  afferent plugin info op_gain --markdown > op_gain.md\n",
               .least = 1,
               .most = 1 },
};

static int arguments(struct request *request, size_t which, int argc, char **argv)
{
    const struct args_flag json = { "json", ARGS_SWITCH, &request->json, NULL, "Prints one JSON document.", NULL };
    const struct args_flag markdown = { "markdown", ARGS_SWITCH, &request->markdown, NULL, "Prints the reference page.",
                                        NULL };
    const struct args_flag dirs = { "plugin-dir", ARGS_LIST, &request->dirs, "DIR",
                                    "Looks for plugins here first; may be given several times.", NULL };
    const struct args_flag list[] = { json, dirs }, info[] = { json, markdown, dirs };
    struct args_about about = works[which];

    about.flags = which == INFO ? info : list;
    about.flag_count = which == INFO ? 3 : 2;
    return args_read(&about, argc, argv, &request->operands);
}

static int plugin_run(size_t which, int argc, char **argv)
{
    struct request request = { .json = false };
    int code = arguments(&request, which, argc, argv);

    if (code < 0)
        code = request_run(&request, which == LIST ? list_run : info_run);
    args_free(&request.operands);
    args_free(&request.dirs);
    return code;
}

int verb_plugin(int argc, char **argv)
{
    static const struct words words = { "plugin", "lists plugins, or explains one", works, sizeof *works,
                                        sizeof works / sizeof *works, plugin_run };

    return words_run(&words, argc, argv);
}
