/* options.c - a table of a node, checked against an option table.
 *
 * Walks the option table, not the TOML: each option finds its value, or its
 * preset, or is missing. A second walk, over the TOML, finds what nobody asked
 * for. Nested tables go the same way, one level deeper.
 *
 * Not here: single values (option_value.c), rules across options (plugins). */
#include "config/options.h"

#include <string.h>

#include "config/keys.h"
#include "config/toml.h"
#include "util/text.h"

static bool list_has(const char *const *list, const char *word)
{
    for (; list && *list; list++) {
        if (!strcmp(*list, word))
            return true;
    }
    return false;
}

static bool no_memory(const struct options_job *job, struct place place)
{
    report_add(job->report, REPORT_ERROR, place, job->node,
               "there is no memory for the options; free memory and try again");
    return false;
}

/* ---- keys that nobody asked for ---- */

static const char *names_text(struct arena *arena, const struct aff_option *options,
                              uint32_t count)
{
    struct text text = { 0 };
    const char *kept;

    for (uint32_t i = 0; i < count; i++)
        text_print(&text, "%s%s", i ? ", " : "", options[i].name);
    kept = text.data ? arena_copy(arena, text.data, text.length) : NULL;
    text_free(&text);
    return kept ? kept : "none";
}

static bool table_has(const struct aff_option *options, uint32_t count, const char *name)
{
    for (uint32_t i = 0; i < count; i++)
        if (!strcmp(options[i].name, name))
            return true;
    return false;
}

/* A key of `edge` or `run` in the node itself, or a way told by its writer. */
static bool host_key_misplaced(const struct options_job *job, const struct value *value,
                               const char *prefix)
{
    static const char *const ways[] = { "to", "into", "output", "outputs", "input", "inputs", NULL };
    uint32_t edges, runs;
    const struct aff_option *edge = keys_edge(&edges), *run = keys_run(&runs);
    bool in_edge = table_has(edge, edges, value->key);

    if (!job->others || *prefix)
        return false;
    if (in_edge || table_has(run, runs, value->key))
        report_add(job->report, REPORT_ERROR, value->key_place, job->node,
                   "%s is a key of %s; expected it there; write %s = { %s = ... }", value->key,
                   in_edge ? "edge" : "run", in_edge ? "edge" : "run", value->key);
    else if (!strcmp(value->key, "to") && value->kind == VALUE_TEXT && value->origin == VALUE_WRITTEN)
        report_add(job->report, REPORT_ERROR, value->key_place, job->node,
                   "unknown key to; expected the way of the data where it arrives; write from = "
                   "\"%s\" in %s", job->node, value->text);
    else if (list_has(ways, value->key))
        report_add(job->report, REPORT_ERROR, value->key_place, job->node,
                   "unknown key %s; expected the way of the data where it arrives; write from = "
                   "\"...\" in the node that reads", value->key);
    else
        return false;
    return true;
}

/* The option or host's key that a word is nearest to, or NULL. */
static const char *name_meant(const struct options_job *job, const struct aff_option *options,
                              uint32_t count, const char *word)
{
    struct aff_guess guess = { .word = word };

    for (uint32_t i = 0; i < count; i++)
        aff_guess_offer(&guess, options[i].name);
    for (const char *const *other = job->others; other && *other; other++)
        aff_guess_offer(&guess, *other);
    return guess.best;
}

/* A key that belongs one table further in: `freq` for notch = { freq = ... }. */
static bool key_of_table(const struct options_job *job, const struct aff_option *options,
                         uint32_t count, const struct value *value, const char *prefix)
{
    const struct aff_option *owner = NULL;
    struct text owners = { 0 };

    for (uint32_t i = 0; i < count; i++) {
        const struct aff_option *option = &options[i];

        if (option->type != AFF_TYPE_TABLE ||
            !table_has(option->nested, option->nested_count, value->key))
            continue;
        owner = option;
        text_print(&owners, "%s%s", owners.length ? ", " : "", option->name);
    }
    if (owner)
        report_add(job->report, REPORT_ERROR, value->key_place, job->node,
                   "%s%s is a key of tables: %s; expected it in one of them; write %s = { %s = ... }",
                   prefix, value->key, owners.data ? owners.data : "", owner->name, value->key);
    text_free(&owners);
    return owner != NULL;
}

enum { NAMES_SHOWN = 12 }; /* more are a wall to whom one typing error was shown */

static bool key_unknown(const struct options_job *job, const struct aff_option *options,
                        uint32_t count, const struct value *value, const char *prefix)
{
    struct aff_guess guess = { .word = value->key };
    const char *names = names_text(job->arena, options, count);

    if (list_has(job->later, value->key)) {
        report_add(job->report, REPORT_ERROR, value->key_place, job->node,
                   "%s%s is not in this version; expected one of: %s; take it out", prefix,
                   value->key, names);
        return false;
    }
    if (host_key_misplaced(job, value, prefix))
        return false;
    if (key_of_table(job, options, count, value, prefix))
        return false;
    guess.best = name_meant(job, options, count, value->key);
    if (guess.best && job->plugin && count > NAMES_SHOWN)
        report_add(job->report, REPORT_ERROR, value->key_place, job->node,
                   "unknown key %s%s; expected an option of %s; did you mean %s?", prefix, value->key,
                   job->plugin, guess.best);
    else if (guess.best)
        report_add(job->report, REPORT_ERROR, value->key_place, job->node,
                   "unknown key %s%s; expected one of: %s; did you mean %s?", prefix, value->key,
                   names, guess.best);
    else if (job->plugin)
        report_add(job->report, REPORT_ERROR, value->key_place, job->node,
                   "unknown key %s%s; expected one of: %s; see afferent plugin info %s", prefix,
                   value->key, names, job->plugin);
    else
        report_add(job->report, REPORT_ERROR, value->key_place, job->node,
                   "unknown key %s%s; expected one of: %s; take it out", prefix, value->key,
                   names);
    return false;
}

static bool keys_check(const struct options_job *job, const struct aff_option *options,
                       uint32_t count, const struct value *table, const char *prefix)
{
    bool ok = true;

    for (const struct value *v = table ? table->first : NULL; v; v = v->next) {
        bool known = list_has(job->others, v->key);

        for (uint32_t i = 0; i < count && !known; i++)
            known = !strcmp(options[i].name, v->key) && v->key_length == strlen(v->key);
        if (!known)
            ok = key_unknown(job, options, count, v, prefix);
    }
    return ok;
}

/* ---- nested ---- */

/* Nested tables have their own keys; the host's are only at the top. */
static struct options_job nested_job(const struct options_job *job, const struct value *value)
{
    struct options_job inner = *job;

    inner.others = NULL;
    inner.later = NULL;
    inner.missing = value->place;
    return inner;
}

static bool is_of_scalars(const struct aff_option *option)
{
    return option->nested_count == 1 && !*option->nested[0].name;
}

/* One item of a list or map into its struct at `item`. */
static bool item_fill(const struct options_job *job, const struct aff_option *option,
                      const struct value *value, const char *path, char *item)
{
    struct options_job inner = nested_job(job, value);
    const char *prefix;

    if (is_of_scalars(option))
        return option_scalar(job, option->nested, value, path, item + option->nested->offset);
    if (value->kind != VALUE_TABLE) {
        report_add(job->report, REPORT_ERROR, value->place, job->node,
                   "%s is %s; expected a table { ... } with %s; write one", path,
                   value_kind_name(value),
                   names_text(job->arena, option->nested, option->nested_count));
        return false;
    }
    prefix = arena_print(job->arena, "%s.", path);
    if (!prefix)
        return no_memory(job, value->place);
    return options_fill(&inner, option->nested, option->nested_count, value, prefix, item);
}

static bool table_fill(const struct options_job *job, const struct aff_option *option,
                       const struct value *value, const char *path, void *cell)
{
    char *item = arena_take(job->arena, option->nested_size);

    if (!item)
        return no_memory(job, value->place);
    if (!item_fill(job, option, value, path, item))
        return false;
    *(void **)cell = item;
    return true;
}

static bool count_check(const struct options_job *job, const struct aff_option *option,
                        const struct value *value, const char *path, uint32_t count)
{
    if (option->min > option->max || (count >= option->min && count <= option->max))
        return true;
    report_add(job->report, REPORT_ERROR, value->place, job->node,
               "%s has %u entries; expected %.0f to %.0f; add or remove some", path, count,
               option->min, option->max);
    return false;
}

static bool items_fill(const struct options_job *job, const struct aff_option *option,
                       const struct value *first, uint32_t count, const char *path,
                       struct aff_list *list)
{
    char *items = arena_take_array(job->arena, count, option->nested_size);
    uint32_t row = 0;
    bool ok = true, is_alone = option->type == AFF_TYPE_LIST && count == 1 && first &&
                               first->key;

    if (!items)
        return no_memory(job, first ? first->place : job->missing);
    for (const struct value *v = first; row < count; v = v->next, row++) {
        char *item = items + (size_t)row * option->nested_size;
        bool is_map = option->type == AFF_TYPE_MAP;
        const char *name = is_alone ? path
            : is_map ? arena_print(job->arena, "%s.%s", path, v->key)
                     : arena_print(job->arena, "%s[%u]", path, row);

        if (is_map)
            *(const char **)(void *)item = v->key;
        ok &= item_fill(job, option, v, name ? name : path, item);
    }
    *list = (struct aff_list){ items, count, option->nested_size };
    return ok;
}

static bool list_fill(const struct options_job *job, const struct aff_option *option,
                      const struct value *value, const char *path, void *cell)
{
    bool is_alone = value->kind != VALUE_ARRAY && is_of_scalars(option);
    uint32_t count = is_alone ? 1 : (uint32_t)value->count;

    if (value->kind != VALUE_ARRAY && !is_alone) {
        report_add(job->report, REPORT_ERROR, value->place, job->node,
                   "%s is %s; expected a list of tables; write [{ %s = ... }]", path,
                   value_kind_name(value), option->nested[0].name);
        return false;
    }
    return count_check(job, option, value, path, count) &&
           items_fill(job, option, is_alone ? value : value->first, count, path, cell);
}

static bool map_fill(const struct options_job *job, const struct aff_option *option,
                     const struct value *value, const char *path, void *cell)
{
    bool ok = true;

    if (value->kind != VALUE_TABLE) {
        report_add(job->report, REPORT_ERROR, value->place, job->node,
                   "%s is %s; expected a table { name = ... }; write one", path,
                   value_kind_name(value));
        return false;
    }
    for (const struct value *v = value->first; v; v = v->next) {
        if (strlen(v->key) == v->key_length)
            continue;
        report_add(job->report, REPORT_ERROR, v->key_place, job->node,
                   "a key of %s holds a NUL character; expected text without one; take it out",
                   path);
        ok = false;
    }
    return ok && count_check(job, option, value, path, (uint32_t)value->count) &&
           items_fill(job, option, value->first, (uint32_t)value->count, path, cell);
}

/* ---- one option ---- */

static bool value_fill(const struct options_job *job, const struct aff_option *option,
                       const struct value *value, const char *path, void *cell)
{
    switch (option->type) {
    case AFF_TYPE_TABLE: return table_fill(job, option, value, path, cell);
    case AFF_TYPE_LIST:  return list_fill(job, option, value, path, cell);
    case AFF_TYPE_MAP:   return map_fill(job, option, value, path, cell);
    default:             return option_scalar(job, option, value, path, cell);
    }
}

/* A doc's first part, as it reads in brackets. */
static int doc_length(const char *doc)
{
    size_t length = strcspn(doc, ";");

    while (length && doc[length - 1] == '.')
        length--;
    return (int)length;
}

/* A key that was mistyped for it has had its message. */
static bool is_mistyped(const struct options_job *job, const struct aff_option *options,
                        uint32_t count, const struct value *table, const char *name)
{
    for (const struct value *v = table ? table->first : NULL; v; v = v->next) {
        const char *meant = table_has(options, count, v->key) || list_has(job->others, v->key)
            ? NULL : name_meant(job, options, count, v->key);

        if (meant && !strcmp(meant, name))
            return true;
    }
    return false;
}

static bool option_missing(const struct options_job *job, const struct aff_option *option,
                           const char *path)
{
    report_add(job->report, REPORT_ERROR, job->missing, job->node,
               "%s is missing (%.*s); expected %s; add %s = %s", path, doc_length(option->doc),
               option->doc, option_expected(job, option), path,
               option->type == AFF_TYPE_TEXT || option->type == AFF_TYPE_PATH ? "\"...\"" : "...");
    return false;
}

static bool option_fill(const struct options_job *job, const struct aff_option *option,
                        const struct value *table, const char *prefix, char *config)
{
    const char *path = arena_print(job->arena, "%s%s", prefix, option->name);
    const struct value *value = value_find(table, option->name);

    if (!path)
        return no_memory(job, job->missing);
    if (value)
        return value_fill(job, option, value, path, config + option->offset);
    if (option->flags & AFF_OPT_REQUIRED)
        return option_missing(job, option, path);
    if (!option->preset)
        return true;
    value = toml_value(job->arena, job->missing, option->preset);
    if (value)
        return value_fill(job, option, value, path, config + option->offset);
    report_add(job->report, REPORT_ERROR, job->missing, job->node,
               "the plugin's own default of %s is no TOML value; expected one; "
               "tell the plugin's author, and set %s", path, path);
    return false;
}

bool options_fill(const struct options_job *job, const struct aff_option *options, uint32_t count,
                  const struct value *table, const char *prefix, void *config)
{
    bool ok = keys_check(job, options, count, table, prefix);

    for (uint32_t i = 0; i < count; i++)
        if (ok || !(options[i].flags & AFF_OPT_REQUIRED) || value_find(table, options[i].name) ||
            !is_mistyped(job, options, count, table, options[i].name))
            ok &= option_fill(job, &options[i], table, prefix, config);
    return ok;
}
