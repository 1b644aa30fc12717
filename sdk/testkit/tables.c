/* SPDX-License-Identifier: Apache-2.0
 *
 * tables.c - whether a plugin's constant and its tables obey the header.
 *
 * Run at each load, so every test of a plugin is also a test of its tables: each
 * default obeys its own type and range, members lie inside their struct, names
 * are unique and documented, each kind has its callbacks.
 *
 * Not here: whether a sentence makes sense alone; that needs a reader. */
#include "kit.h"
#include "toml.h"

#include <stdio.h>

#define NAME_LETTERS "abcdefghijklmnopqrstuvwxyz0123456789_"

static void name_check(const char *what, const char *name, const char *doc)
{
    if (!name || !*name || strspn(name, NAME_LETTERS) != strlen(name))
        kit_breach(NULL, "plugin: a name in the table of %s is not of a-z, 0-9 and _: \"%s\"", what,
                   name ? name : "");
    if (!doc || !*doc || doc[strlen(doc) - 1] != '.')
        kit_breach(NULL, "plugin: %s \"%s\" has no sentence in its doc; expected one that ends with a full stop",
                   what, name);
}

/* name and doc are the first two members of each row of every table. */
static const char *const *row_at(const struct aff_table *table, uint32_t index)
{
    return (const void *)((const char *)table->items + (size_t)index * table->stride);
}

const char *row_name(const struct aff_table *table, uint32_t index)
{
    return row_at(table, index)[0];
}

static void names_check(const char *what, const struct aff_table *table)
{
    uint32_t i, k;

    if (table->count && (!table->items || table->stride < 2 * sizeof(char *)))
        kit_breach(NULL, "plugin: the table of %s has rows but no items or stride", what);
    for (i = 0; i < table->count; i++) {
        const char *const *row = row_at(table, i);

        name_check(what, row[0], row[1]);
        for (k = 0; k < i; k++)
            if (strcmp(row[0], row_name(table, k)) == 0)
                kit_breach(NULL, "plugin: two rows of the table of %s have the name \"%s\"", what, row[0]);
    }
}

static size_t member_size(uint16_t type)
{
    switch (type) {
    case AFF_TYPE_BOOL:
    case AFF_TYPE_ENUM: return sizeof(int32_t);
    case AFF_TYPE_LIST:
    case AFF_TYPE_MAP: return sizeof(struct aff_list);
    case AFF_TYPE_TEXT:
    case AFF_TYPE_PATH:
    case AFF_TYPE_SECRET:
    case AFF_TYPE_TABLE: return sizeof(void *);
    default: return 8;
    }
}

static void options_check(const void *items, uint32_t count, uint32_t stride, size_t size);

static void option_check(const struct aff_option *o, uint32_t stride, size_t size)
{
    int nests = o->type >= AFF_TYPE_TABLE;

    if (o->type < AFF_TYPE_INT || o->type > AFF_TYPE_MAP)
        kit_breach(NULL, "plugin: option %s has an unknown type", o->name);
    if (o->offset + member_size(o->type) > size)
        kit_breach(NULL, "plugin: option %s lies outside of its struct (offset %u of %zu bytes); set config_size",
                   o->name, (unsigned)o->offset, size);
    if (o->type == AFF_TYPE_ENUM && (!o->choices || !o->choices[0]))
        kit_breach(NULL, "plugin: option %s is an enum without choices", o->name);
    if (nests && (!o->nested || !o->nested_count || !o->nested_size))
        kit_breach(NULL, "plugin: option %s has no nested table", o->name);
    if ((o->flags & AFF_OPT_REQUIRED) && o->preset)
        kit_breach(NULL, "plugin: option %s is required and has a default; expected one of both", o->name);
    if (nests)
        options_check(o->nested, o->nested_count, stride, o->nested_size);
}

static void options_check(const void *items, uint32_t count, uint32_t stride, size_t size)
{
    uint32_t i;

    for (i = 0; i < count; i++) {
        struct aff_option o = option_at(items, stride, i);

        if (o.name && !*o.name && count == 1)
            o.name = "item"; /* of a list or map of scalars */
        name_check("options", o.name, o.doc);
        option_check(&o, stride, size);
    }
}

static void presets_check(const struct aff_plugin *plugin)
{
    struct memory memory = { NULL, 0, 0 };
    struct problems problems = { NULL, 0 };
    uint32_t i;

    for (i = 0; i < plugin->options.count; i++) {
        struct aff_option o = option_at(plugin->options.items, plugin->options.stride, i);
        struct aff_plugin alone = *plugin;

        if (!o.preset)
            continue;
        alone.options.items = (const char *)plugin->options.items + (size_t)i * plugin->options.stride;
        alone.options.count = 1;
        options_fill(&alone, "", memory_take(&memory, plugin->config_size), &memory, &problems);
    }
    if (problems.text)
        kit_breach(NULL, "plugin: a default breaks its own rule: %s", problems.text);
    memory_free(&memory);
}

static void callbacks_check(const struct aff_plugin *p)
{
    const char *lacks = NULL;

    if (!p->open || !p->close)
        lacks = "open and close";
    else if (p->kind == AFF_SOURCE && !p->read)
        lacks = "read";
    else if (p->kind == AFF_SINK && !p->write)
        lacks = "write";
    else if ((p->kind == AFF_PROCESSOR || (p->kind == AFF_SOURCE && p->inputs.count)) && !p->process)
        lacks = "process";
    else if ((p->flags & AFF_ARCHIVE) && (!p->query_open || !p->query_next || !p->query_close))
        lacks = "query_open, query_next and query_close";
    else if (p->timer && p->kind == AFF_SOURCE)
        lacks = "a reason: timers are for processors and sinks, it";
    else if (p->flags & AFF_ACKS && p->kind != AFF_SINK)
        lacks = "a peer: AFF_ACKS is for sinks, it";
    else if (p->flush && !(p->flags & AFF_ACKS))
        lacks = "AFF_ACKS: flush is for sinks with it, it";
    else if (p->flags & AFF_KEEPS_IDS && p->kind != AFF_SOURCE)
        lacks = "a peer: AFF_KEEPS_IDS is for sources, it";
    else if (!p->snapshot != !p->restore)
        lacks = "both of snapshot and restore";
    if (lacks)
        kit_breach(NULL, "plugin: %s lacks %s", p->name, lacks);
}

static void ports_check(const struct aff_plugin *p)
{
    uint32_t i;

    for (i = 0; i < p->inputs.count; i++)
        if (!port_at(&p->inputs, i)->types)
            kit_breach(NULL, "plugin: input %s takes no payload type", port_at(&p->inputs, i)->name);
    for (i = 0; i < p->outputs.count; i++) {
        const struct aff_port *port = port_at(&p->outputs, i);

        if (!port->types)
            kit_breach(NULL, "plugin: output %s has no payload type", port->name);
        if (port->passes > p->inputs.count)
            kit_breach(NULL, "plugin: output %s passes an input that is not in the table", port->name);
    }
    for (i = 0; i < p->verdicts.count; i++) {
        const struct aff_verdict *verdict = (const void *)row_at(&p->verdicts, i);

        if (verdict->kind < AFF_V_DROP || verdict->kind > AFF_V_HOLD)
            kit_breach(NULL, "plugin: verdict %s has an unknown kind", verdict->name);
        if (verdict->kind == AFF_V_PORT && verdict->port >= p->outputs.count)
            kit_breach(NULL, "plugin: verdict %s leads to an output that is not in the table", verdict->name);
    }
}

void tables_check(const struct aff_plugin *p)
{
    if (!p->name || !p->version || !p->summary || !p->license)
        kit_breach(NULL, "plugin: name, version, summary and license must be there");
    if (p->kind < AFF_SOURCE || p->kind > AFF_SINK)
        kit_breach(NULL, "plugin: %s has an unknown kind", p->name);
    if (p->inputs.count > 32 || p->outputs.count > 32 || p->verdicts.count > 255)
        kit_breach(NULL, "plugin: %s has more than 32 ports a way, or more than 255 verdicts", p->name);
    names_check("options", &p->options);
    names_check("inputs", &p->inputs);
    names_check("outputs", &p->outputs);
    names_check("verdicts", &p->verdicts);
    names_check("metrics", &p->metrics);
    options_check(p->options.items, p->options.count, p->options.stride, p->config_size);
    ports_check(p);
    callbacks_check(p);
    presets_check(p);
}
