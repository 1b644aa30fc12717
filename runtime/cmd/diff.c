/* diff.c - `afferent diff`: what changes when one file takes the place of another.
 *
 * Both files are read by the same function as ever; what is compared is what would run,
 * so a comment, an order or a default that was written out makes no difference.
 *
 * Not here: the comparison (config/difference.h), doing it (reloader.h). */
#include <stdio.h>

#include "cmd/opened.h"
#include "cmd/verbs.h"
#include "config/difference.h"
#include "util/json.h"

enum { GO_ON = -1 };

struct compared {
    struct opened before;
    struct opened after;
    bool json;
    struct difference *difference;
};

static const char examples[] = "  afferent diff old.toml bedside.toml    what `afferent reload bedside.toml` would do\n";

static const char more[] =
    "A node is kept when its plugin, the plugin's file, its options and how it runs are the\n"
    "same; a reload leaves it as it is, with its state and its connections.\n\n"
    "Exit codes: 0 the two run alike, 1 they differ, 2 a file is wrong.\n";

static int arguments(struct compared *c, int argc, char **argv)
{
    const struct args_flag flags[] = {
        OPENED_FLAGS(c->after),
        { "json", ARGS_SWITCH, &c->json, NULL, "Prints one JSON document.", NULL },
    };
    const struct args_about about = {
        .verb = "diff",
        .operands = "OLD.toml NEW.toml",
        .summary = "prints what changes when one file takes the place of another",
        .more = more,
        .examples = examples,
        .flags = flags,
        .flag_count = sizeof flags / sizeof *flags,
        .least = 2,
        .most = 2,
    };

    return args_read(&about, argc, argv, &c->after.operands);
}

/* The flags are for both files; each opens plugins of its own, as a reload does. */
static int read_both(struct compared *c)
{
    const char *words[2] = { c->after.operands.words[0], c->after.operands.words[1] };
    struct opened *o[2] = { &c->before, &c->after };
    int code = GO_ON;

    c->before.dirs = c->after.dirs;
    c->before.sets = c->after.sets;
    c->before.operands = (struct args_list){ .words = words, .count = 1 };
    c->after.operands.words[0] = words[1];
    for (int i = 0; code < 0 && i < 2; i++)
        code = opened_need(o[i]);
    c->before.dirs = c->before.sets = c->before.operands = (struct args_list){ 0 };
    return code;
}

/* ---- text ---- */

static const char *because(const char *why)
{
    return *why ? ": " : "";
}

static void print_text(const struct difference *d)
{
    uint32_t i;

    for (i = 0; i < d->setting_count; i++)
        printf("pipeline %-10s %s\n", "changed", d->settings[i]);
    for (i = 0; i < d->node_count; i++)
        printf("node     %-10s %s%s%s\n", difference_word(d->nodes[i].kind, false), d->nodes[i].name,
               because(d->nodes[i].why), d->nodes[i].why);
    for (i = 0; i < d->edge_count; i++)
        printf("edge     %-10s %s -> %s%s%s\n", difference_word(d->edges[i].kind, true), d->edges[i].from,
               d->edges[i].to, because(d->edges[i].why), d->edges[i].why);
    if (difference_fixed(d))
        printf("pipeline.%s cannot be changed while it runs: stop the run and start it again\n", difference_fixed(d));
}

/* ---- JSON ---- */

static void why_json(struct json *json, const char *why)
{
    json_text(json, "why", *why ? why : NULL);
    json_end(json);
}

static void print_json(const struct difference *d)
{
    struct json json;
    uint32_t i;

    json_begin(&json, stdout, true);
    json_object(&json, NULL);
    json_bool(&json, "differs", !difference_none(d));
    json_bool(&json, "reloads", !difference_fixed(d));
    json_array(&json, "pipeline");
    for (i = 0; i < d->setting_count; i++)
        json_text(&json, NULL, d->settings[i]);
    json_end(&json);
    json_array(&json, "nodes");
    for (i = 0; i < d->node_count; i++) {
        json_object(&json, NULL);
        json_text(&json, "node", d->nodes[i].name);
        json_text(&json, "change", difference_word(d->nodes[i].kind, false));
        why_json(&json, d->nodes[i].why);
    }
    json_end(&json);
    json_array(&json, "edges");
    for (i = 0; i < d->edge_count; i++) {
        json_object(&json, NULL);
        json_text(&json, "from", d->edges[i].from);
        json_text(&json, "to", d->edges[i].to);
        json_text(&json, "change", difference_word(d->edges[i].kind, true));
        why_json(&json, d->edges[i].why);
    }
    json_end(&json);
    json_end(&json);
    json_finish(&json);
}

int verb_diff(int argc, char **argv)
{
    struct compared c = { .json = false };
    int code = arguments(&c, argc, argv);

    if (code < 0)
        code = read_both(&c);
    if (code < 0) {
        c.difference = difference_new(c.before.plan, c.after.plan);
        code = EXIT_ERROR;
        if (!c.difference)
            fputs("afferent: there is no memory\n", stderr);
    }
    if (c.difference) {
        (c.json ? print_json : print_text)(c.difference);
        code = difference_none(c.difference) ? EXIT_DONE : EXIT_WRONG;
    }
    difference_free(&c.difference);
    opened_close(&c.before);
    opened_close(&c.after);
    return code;
}
