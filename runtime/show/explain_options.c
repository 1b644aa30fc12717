/* explain_options.c - the options of a node as they are in force.
 *
 * Values are read from the config struct that the plugin gets, so this shows
 * what is, not what the file says; the file is asked only for the places. */
#include <afferent/plugin.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "config/expand.h"
#include "config/toml.h"
#include "show/explain.h"
#include "util/units.h"

struct walk {
    void (*each)(void *arg, const struct explain_option *option);
    void *arg;
    struct arena *arena;
};

struct value *explain_document(struct arena *arena, const struct explain_origin *origin)
{
    struct report *report = report_new();
    struct value *document = report ? toml_load(arena, report, origin->file) : NULL;

    if (document) {
        for (size_t i = 0; i < origin->set_count; i++)
            expand_set(arena, report, document, origin->sets[i], NULL);
        expand_values(arena, report, origin->file, document);
    }
    report_free(&report);
    return document;
}

/* ---- values as TOML text ---- */

static void add_quoted(struct text *text, const char *string)
{
    text_add(text, "\"");
    for (; *string; string++) {
        unsigned char c = (unsigned char)*string;

        if (c == '"' || c == '\\')
            text_print(text, "\\%c", c);
        else if (c < 0x20 || c == 0x7f)
            text_print(text, "\\u%04x", c);
        else
            text_add_bytes(text, string, 1);
    }
    text_add(text, "\"");
}

static const char *choice_name(const struct aff_option *option, int32_t index)
{
    int32_t i;

    for (i = 0; option->choices && option->choices[i]; i++)
        if (i == index)
            return option->choices[i];
    return "?";
}

static void add_amount(struct text *text, const struct aff_option *option, const char *cell)
{
    text_add(text, "\"");
    if (option->type == AFF_TYPE_DURATION)
        units_add_duration(text, *(const int64_t *)(const void *)cell);
    else if (option->type == AFF_TYPE_BYTES)
        units_add_bytes(text, *(const int64_t *)(const void *)cell);
    else
        units_add_frequency(text, *(const double *)(const void *)cell);
    text_add(text, "\"");
}

static void add_text(struct text *text, const struct aff_option *option, const char *cell)
{
    const char *string = *(const char *const *)(const void *)cell;

    if (!string)
        return;
    if (option->type == AFF_TYPE_SECRET)
        text_add(text, "(secret)");
    else
        add_quoted(text, string);
}

static void add_value(struct text *text, const struct aff_option *option, const char *cell);

/* The members of a nested struct, or the one scalar that it stands for. */
static void add_item(struct text *text, const struct aff_option *option, const char *item)
{
    uint32_t i, shown = 0;

    if (option->nested_count == 1 && option->nested[0].name[0] == '\0') {
        add_value(text, &option->nested[0], item + option->nested[0].offset);
        return;
    }
    text_add(text, "{ ");
    for (i = 0; i < option->nested_count; i++) {
        struct text inner = { 0 };

        add_value(&inner, &option->nested[i], item + option->nested[i].offset);
        if (inner.length)
            text_print(text, "%s%s = %s", shown++ ? ", " : "", option->nested[i].name, inner.data);
        text_free(&inner);
    }
    text_add(text, " }");
}

static void add_list(struct text *text, const struct aff_option *option, const char *cell)
{
    const struct aff_list *list = (const struct aff_list *)(const void *)cell;
    bool is_map = option->type == AFF_TYPE_MAP;
    uint32_t i;

    text_add(text, is_map ? "{" : "[");
    for (i = 0; i < list->count; i++) {
        const char *item = (const char *)list->items + (size_t)i * list->stride;

        text_add(text, i ? ", " : "");
        if (is_map)
            text_print(text, "%s = ", *(const char *const *)(const void *)item);
        add_item(text, option, item);
    }
    text_add(text, is_map ? "}" : "]");
}

static void add_value(struct text *text, const struct aff_option *option, const char *cell)
{
    switch (option->type) {
    case AFF_TYPE_INT:
        text_print(text, "%" PRId64, *(const int64_t *)(const void *)cell);
        break;
    case AFF_TYPE_REAL:
        text_print(text, "%.12g", *(const double *)(const void *)cell);
        break;
    case AFF_TYPE_BOOL:
        text_add(text, *(const int32_t *)(const void *)cell ? "true" : "false");
        break;
    case AFF_TYPE_ENUM:
        add_quoted(text, choice_name(option, *(const int32_t *)(const void *)cell));
        break;
    case AFF_TYPE_DURATION:
    case AFF_TYPE_BYTES:
    case AFF_TYPE_FREQUENCY:
        add_amount(text, option, cell);
        break;
    case AFF_TYPE_TABLE:
        cell = *(const char *const *)(const void *)cell;
        if (cell)
            add_item(text, option, cell);
        break;
    case AFF_TYPE_LIST:
    case AFF_TYPE_MAP:
        add_list(text, option, cell);
        break;
    default:
        add_text(text, option, cell);
    }
}

/* ---- origins ---- */

/* Whether any text in it came from the environment or a file. */
static bool from_outside(const struct value *value)
{
    const struct value *child;

    if (value->kind == VALUE_TEXT && value->origin != VALUE_WRITTEN)
        return true;
    for (child = value->first; child; child = child->next)
        if (from_outside(child))
            return true;
    return false;
}

static const char *origin_of(const struct walk *walk, const struct value *value)
{
    const char *text;

    if (strncmp(value->place.file, "--set", 5) == 0)
        return "--set";
    text = arena_print(walk->arena, "line %u", value->place.line);
    return text ? text : "the file";
}

/* A path from the environment is shown: an operator must find the place. Any
 * other text from outside may be what nobody shall read over a shoulder. */
static void add_shown(struct text *text, const struct aff_option *option, const struct value *value,
                      const char *cell)
{
    if (!value || !from_outside(value) || option->type == AFF_TYPE_SECRET)
        add_value(text, option, cell);
    else if (option->type == AFF_TYPE_PATH && value->kind == VALUE_TEXT && value->origin == VALUE_FROM_ENV)
        add_value(text, option, cell);
    else if (value->kind == VALUE_TEXT && value->written)
        add_quoted(text, value->written);
    else
        text_add(text, "(from outside the file)");
}

static void walk_options(const struct walk *walk, const struct aff_option *options, uint32_t count,
                         const struct value *table, const char *prefix, const char *config)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct aff_option *o = &options[i];
        const struct value *value = value_find(table, o->name);
        const char *path = arena_print(walk->arena, "%s%s", prefix, o->name), *inner;
        struct text text = { 0 };

        if (!path)
            return;
        inner = o->type == AFF_TYPE_TABLE ? *(const char *const *)(const void *)(config + o->offset) : NULL;
        if (inner) {
            path = arena_print(walk->arena, "%s.", path);
            if (path)
                walk_options(walk, o->nested, o->nested_count, value, path, inner);
            continue;
        }
        add_shown(&text, o, value, config + o->offset);
        walk->each(walk->arg, &(struct explain_option){
            .path = path,
            .value = text.data ? text.data : "",
            .origin = value ? origin_of(walk, value) : o->preset ? "default" : "not set" });
        text_free(&text);
    }
}

void explain_options(const struct plan *plan, uint32_t node, const struct value *document,
                     void (*each)(void *arg, const struct explain_option *option), void *arg)
{
    const struct plan_node *n = &plan->nodes[node];
    const struct value *kind = value_find(document, explain_kind(n->plugin->about.kind));
    struct walk walk = { each, arg, arena_new() };

    if (walk.arena)
        walk_options(&walk, n->plugin->options, n->plugin->option_count, value_find(kind, n->name), "",
                     n->config);
    arena_free(&walk.arena);
}
