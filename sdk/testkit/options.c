/* SPDX-License-Identifier: Apache-2.0
 *
 * options.c - fills a plugin's config struct from TOML by its option table.
 *
 * Walks the table, not the file: each option looks for its key, takes its preset
 * where the key is absent, and is checked for type, unit, range and choice. Keys
 * that no option claims are problems too. All problems are collected, as in a
 * real `check`.
 *
 * Not here: rules across options (the plugin's validate). */
#include "kit.h"
#include "toml.h"
#include "units.h"

#include <stdio.h>
#include <unistd.h>

struct fill {
    struct memory *memory;
    struct problems *problems;
};
struct level { /* a table of options, where it is written, where it goes */
    const void *items;
    uint32_t count;
    uint32_t stride;
    const struct toml *table;
    char *target;
    const char *path;
};

void problem_add(struct problems *problems, const char *option, const char *format, ...)
{
    char line[500];
    int n = option ? snprintf(line, sizeof line, "%s: ", option) : 0;
    size_t length;
    va_list args;

    va_start(args, format);
    if (n < (int)sizeof line)
        (void)vsnprintf(line + n, sizeof line - (size_t)n, format, args);
    va_end(args);
    length = strlen(line);
    problems->text = realloc(problems->text, problems->size + length + 2);
    if (!problems->text)
        kit_misuse("the test itself has no memory left");
    memcpy(problems->text + problems->size, line, length);
    problems->size += length + 1;
    problems->text[problems->size - 1] = '\n';
    problems->text[problems->size] = 0;
}

void *memory_take(struct memory *memory, size_t size)
{
    memory->blocks = kit_grow(memory->blocks, memory->count, &memory->room, sizeof *memory->blocks);
    memory->blocks[memory->count] = kit_alloc(size);
    return memory->blocks[memory->count++];
}

void memory_free(struct memory *memory)
{
    while (memory->count)
        free(memory->blocks[--memory->count]);
    free(memory->blocks);
    memset(memory, 0, sizeof *memory);
}

/* A later minor version's option is longer, an earlier one's shorter: what is
 * not there is zero. */
struct aff_option option_at(const void *items, uint32_t stride, uint32_t index)
{
    struct aff_option option;

    memset(&option, 0, sizeof option);
    memcpy(&option, (const char *)items + (size_t)index * stride, stride < sizeof option ? stride : sizeof option);
    return option;
}

static const char *path_join(struct fill *f, const char *path, const char *name)
{
    size_t size = strlen(path) + strlen(name) + 2;
    char *joined = memory_take(f->memory, size);

    (void)snprintf(joined, size, "%s%s%s", path, *path && *name ? "." : "", name);
    return joined;
}

static int in_range(struct fill *f, const struct aff_option *o, const char *path, double value)
{
    if (o->min > o->max || (value >= o->min && value <= o->max))
        return 1;
    problem_add(f->problems, path, "%g is out of range; expected %g to %g", value, o->min, o->max);
    return 0;
}

static int expect_text(struct fill *f, const char *path, const struct toml *value, const char *what)
{
    if (value->kind == TOML_TEXT && strlen(value->text) == value->length)
        return 1;
    problem_add(f->problems, path, "expected %s", what);
    return 0;
}

static void put_number(struct fill *f, const struct aff_option *o, const struct toml *value,
                       const char *path, void *to)
{
    int is_int = o->type == AFF_TYPE_INT;
    double number = value->kind == TOML_REAL ? value->real : (double)value->integer;

    if (value->kind != TOML_INT && (is_int || value->kind != TOML_REAL)) {
        problem_add(f->problems, path, "expected %s", is_int ? "a whole number" : "a number");
        return;
    }
    if (!in_range(f, o, path, number))
        return;
    if (is_int)
        memcpy(to, &value->integer, sizeof value->integer);
    else
        memcpy(to, &number, sizeof number);
}

static void put_quantity(struct fill *f, const struct aff_option *o, const struct toml *value,
                         const char *path, void *to)
{
    int64_t whole = 0;
    double hz = 0;
    int good;

    if (o->type == AFF_TYPE_FREQUENCY) {
        good = value->kind == TOML_TEXT && units_frequency(value->text, &hz);
        if (good && in_range(f, o, path, hz))
            memcpy(to, &hz, sizeof hz);
        if (!good)
            problem_add(f->problems, path, "expected a frequency such as \"0.5Hz\" (mHz, Hz, kHz, MHz, GHz)");
        return;
    }
    good = value->kind == TOML_TEXT &&
           (o->type == AFF_TYPE_DURATION ? units_duration : units_bytes)(value->text, &whole);
    if (good && in_range(f, o, path, (double)whole))
        memcpy(to, &whole, sizeof whole);
    if (!good)
        problem_add(f->problems, path, o->type == AFF_TYPE_DURATION
                        ? "expected a duration such as \"250ms\" (ns, us, ms, s, min, h, d)"
                        : "expected a size such as \"8MiB\" (B, KiB, MiB, GiB, TiB, kB, MB, GB, TB)");
}

static void put_enum(struct fill *f, const struct aff_option *o, const struct toml *value, const char *path, void *to)
{
    int32_t i;

    if (!expect_text(f, path, value, "one of its names, as text"))
        return;
    for (i = 0; o->choices[i]; i++)
        if (strcmp(o->choices[i], value->text) == 0) {
            memcpy(to, &i, sizeof i);
            return;
        }
    problem_add(f->problems, path, "no such choice; expected one of those in its table, such as \"%s\"",
                o->choices[0]);
}

/* Relative to the working folder; a pipeline counts from its file. */
static const char *path_absolute(struct fill *f, const char *text)
{
    char folder[4096];

    if (text[0] == '/' || text[0] == 0 || !getcwd(folder, sizeof folder))
        return text;
    if (strlen(folder) + strlen(text) + 2 > sizeof folder)
        kit_misuse("a path is too long");
    (void)strcat(strcat(folder, "/"), text);
    return memcpy(memory_take(f->memory, strlen(folder) + 1), folder, strlen(folder) + 1);
}

static void put_text(struct fill *f, const struct aff_option *o, const struct toml *value, const char *path, void *to)
{
    const char *text;

    if (!expect_text(f, path, value, "text in quotes"))
        return;
    text = o->type == AFF_TYPE_PATH ? path_absolute(f, value->text) : value->text;
    memcpy(to, &text, sizeof text);
}

static void fill_level(struct fill *f, const struct level *level);
static void put_value(struct fill *f, const struct aff_option *o, uint32_t stride,
                      const struct toml *value, const char *path, char *to);

static int is_scalar_item(const struct aff_option *o)
{
    return o->nested_count == 1 && o->nested && o->nested[0].name && o->nested[0].name[0] == 0;
}

/* One element of a list or map, or a nested table. */
static void put_nested(struct fill *f, const struct aff_option *o, uint32_t stride,
                       const struct toml *value, const char *path, char *target)
{
    struct level level = { o->nested, o->nested_count, stride, value, target, path };
    struct aff_option item;

    if (o->type != AFF_TYPE_TABLE && is_scalar_item(o)) {
        item = option_at(o->nested, stride, 0);
        put_value(f, &item, stride, value, path, target + item.offset);
    } else if (value->kind == TOML_TABLE) {
        fill_level(f, &level);
    } else {
        problem_add(f->problems, path, "expected a table");
    }
}

static void put_list(struct fill *f, const struct aff_option *o, uint32_t stride,
                     const struct toml *value, const char *path, void *to)
{
    int alone = o->type == AFF_TYPE_LIST && is_scalar_item(o) && value->kind != TOML_ARRAY;
    struct aff_list list = { NULL, 0, o->nested_size };
    const struct toml *at, *first = alone ? value : value->child;
    char *items, name[24];

    if (!alone && value->kind != (o->type == AFF_TYPE_MAP ? TOML_TABLE : TOML_ARRAY)) {
        problem_add(f->problems, path, "expected %s", o->type == AFF_TYPE_MAP ? "a table" : "an array");
        return;
    }
    for (at = first; at; at = alone ? NULL : at->next)
        list.count++;
    if (!in_range(f, o, path, (double)list.count))
        return;
    items = memory_take(f->memory, (size_t)list.count * list.stride);
    list.items = items;
    memcpy(to, &list, sizeof list);
    for (at = first; at; at = alone ? NULL : at->next, items += list.stride) {
        (void)snprintf(name, sizeof name, "%u", (unsigned)((size_t)(items - (const char *)list.items) / list.stride));
        if (o->type == AFF_TYPE_MAP)
            memcpy(items, &at->key, sizeof at->key);
        put_nested(f, o, stride, at, path_join(f, path, o->type == AFF_TYPE_MAP ? at->key : name), items);
    }
}

static void put_value(struct fill *f, const struct aff_option *o, uint32_t stride,
                      const struct toml *value, const char *path, char *to)
{
    int32_t boolean;
    char *nested;

    switch (o->type) {
    case AFF_TYPE_INT:
    case AFF_TYPE_REAL: put_number(f, o, value, path, to); break;
    case AFF_TYPE_BOOL:
        boolean = value->integer != 0;
        if (value->kind == TOML_BOOL)
            memcpy(to, &boolean, sizeof boolean);
        else
            problem_add(f->problems, path, "expected true or false");
        break;
    case AFF_TYPE_TEXT:
    case AFF_TYPE_PATH:
    case AFF_TYPE_SECRET: put_text(f, o, value, path, to); break;
    case AFF_TYPE_ENUM: put_enum(f, o, value, path, to); break;
    case AFF_TYPE_DURATION:
    case AFF_TYPE_BYTES:
    case AFF_TYPE_FREQUENCY: put_quantity(f, o, value, path, to); break;
    case AFF_TYPE_TABLE:
        nested = memory_take(f->memory, o->nested_size);
        memcpy(to, &nested, sizeof nested);
        put_nested(f, o, stride, value, path, nested);
        break;
    default: put_list(f, o, stride, value, path, to); break;
    }
}

static void fill_one(struct fill *f, const struct level *level, const struct aff_option *o)
{
    const char *path = path_join(f, level->path, o->name), *error = NULL;
    const struct toml *value = toml_get(level->table, o->name);

    if (!value && o->preset) {
        value = toml_value(f->memory, o->preset, &error);
        if (!value)
            kit_breach(NULL, "plugin: the default of option %s is not TOML: %s", path, error);
    }
    if (value)
        put_value(f, o, level->stride, value, path, level->target + o->offset);
    else if (o->flags & AFF_OPT_REQUIRED)
        problem_add(f->problems, path, "is missing; %s", o->doc ? o->doc : "it is required");
}

static void fill_level(struct fill *f, const struct level *level)
{
    const struct toml *at;
    uint32_t i;

    for (i = 0; i < level->count; i++) {
        struct aff_option o = option_at(level->items, level->stride, i);

        fill_one(f, level, &o);
    }
    for (at = level->table->child; at; at = at->next) {
        for (i = 0; i < level->count; i++)
            if (strcmp(option_at(level->items, level->stride, i).name, at->key) == 0)
                break;
        if (i == level->count)
            problem_add(f->problems, path_join(f, level->path, at->key), "there is no such option");
    }
}

void options_fill(const struct aff_plugin *plugin, const char *toml, void *config,
                  struct memory *memory, struct problems *problems)
{
    struct fill f = { memory, problems };
    struct level level = { plugin->options.items, plugin->options.count, plugin->options.stride, NULL, config, "" };
    const char *error = NULL;

    level.table = toml_read(memory, toml, &error);
    if (!level.table)
        problem_add(problems, NULL, "TOML: %s", error);
    else
        fill_level(&f, &level);
}
