/* copy.c - a plugin's constant, checked and copied in one pass.
 *
 * A message here is for the plugin's author: which row, and which rule.
 *
 * Not here: options (copy_options.c) and ports (copy_ports.c). */
#include "load/copy.h"

#include <link.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "load/copy_inside.h"

#define STRUCT_BYTES_MAX 65536u

bool copier_refuse(struct copier *c, const char *format, ...)
{
    char text[256];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    text_print(c->why, "breaks a rule of its tables: %s: %s; see afferent/plugin.h, section 4 "
               "and 6; correct the plugin", c->where, text);
    return false;
}

void copier_at(struct copier *c, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(c->where, sizeof c->where, format, args);
    va_end(args);
}

bool string_copy(struct copier *c, const char **string, const char *what, enum string_kind kind)
{
    char text[SENTENCE_ROOM];
    size_t room = kind <= STRING_ITEM ? NAME_ROOM : kind == STRING_WORD ? WORD_ROOM : SENTENCE_ROOM;
    enum peek_status status;

    if (!*string && kind == STRING_MAYBE)
        return true;
    status = *string ? peek_string(&c->peek, *string, text, room) : PEEK_UNREADABLE;
    if (status == PEEK_UNREADABLE)
        return copier_refuse(c, "%s is %s", what, *string ? "a pointer to nowhere" : "missing");
    if (status == PEEK_TOO_LONG)
        return copier_refuse(c, "%s has more than %zu letters", what, room - 1);
    if (!text_is_printable(text))
        return copier_refuse(c, "%s is not printable UTF-8 on one line", what);
    if (kind != STRING_MAYBE && kind != STRING_ITEM && !text[0])
        return copier_refuse(c, "%s is empty", what);
    if (kind <= STRING_ITEM && text[0] && !name_is_good(text))
        return copier_refuse(c, "%s is not of the form [a-z][a-z0-9_]*", what);
    *string = arena_copy(c->arena, text, strlen(text));
    return *string != NULL;
}

bool rows_copy(struct copier *c, const struct aff_table *table, const struct row_rule *rule, void **ret_rows)
{
    size_t part = table->stride < rule->ours ? table->stride : rule->ours;
    unsigned char *rows;

    if (table->count > rule->most)
        return copier_refuse(c, "%u %s; %u are the limit", table->count, rule->what, rule->most);
    if (table->count && (table->stride < rule->least || table->stride > STRIDE_MAX))
        return copier_refuse(c, "its %s have a stride of %u bytes; at least %zu were expected",
                             rule->what, table->stride, rule->least);
    rows = arena_take_array(c->arena, table->count, rule->ours);
    if (!rows)
        return false;
    for (uint32_t i = 0; i < table->count; i++) {
        uintptr_t row = (uintptr_t)table->items + (uintptr_t)i * table->stride;

        if (!table->items || !peek_bytes(&c->peek, (const void *)row, rows + i * rule->ours, part))
            return copier_refuse(c, "row %u of its %s cannot be read", i, rule->what);
    }
    *ret_rows = rows;
    return true;
}

static bool verdict_check(struct copier *c, const struct aff_verdict *verdict, uint32_t outputs)
{
    if (verdict->kind < AFF_V_DROP || verdict->kind > AFF_V_HOLD)
        return copier_refuse(c, "kind %u; 1 to 6 are known", (unsigned)verdict->kind);
    if (verdict->kind == AFF_V_PORT && verdict->port >= outputs)
        return copier_refuse(c, "it passes to output %u; there are %u", (unsigned)verdict->port, outputs);
    if (verdict->kind == AFF_V_REPLACE && !outputs)
        return copier_refuse(c, "it replaces a record, but there is no output");
    return true;
}

static bool verdicts_copy(struct copier *c, const struct aff_table *table, struct plugin *plugin)
{
    static const struct row_rule rule = {
        "verdicts", sizeof(struct aff_verdict), offsetof(struct aff_verdict, reserved), VERDICTS_MAX
    };
    struct aff_verdict *verdicts;
    void *rows;

    copier_at(c, "verdicts");
    if (!rows_copy(c, table, &rule, &rows))
        return false;
    verdicts = rows;
    for (uint32_t i = 0; i < table->count; i++) {
        copier_at(c, "verdict #%u", i);
        if (!string_copy(c, &verdicts[i].name, "its name", STRING_NAME))
            return false;
        copier_at(c, "verdict %s", verdicts[i].name);
        for (uint32_t k = 0; k < i; k++) {
            if (!strcmp(verdicts[k].name, verdicts[i].name))
                return copier_refuse(c, "the name is there twice");
        }
        if (!string_copy(c, &verdicts[i].doc, "its sentence", STRING_MAYBE) ||
            !verdict_check(c, &verdicts[i], plugin->output_count))
            return false;
    }
    plugin->verdicts = verdicts;
    plugin->verdict_count = table->count;
    return true;
}

static bool metrics_copy(struct copier *c, const struct aff_table *table, struct plugin *plugin)
{
    static const struct row_rule rule = {
        "metrics", sizeof(struct aff_metric), offsetof(struct aff_metric, reserved), METRICS_MAX
    };
    struct aff_metric *metrics;
    void *rows;

    copier_at(c, "metrics");
    if (!rows_copy(c, table, &rule, &rows))
        return false;
    metrics = rows;
    for (uint32_t i = 0; i < table->count; i++) {
        copier_at(c, "metric #%u", i);
        if (!string_copy(c, &metrics[i].name, "its name", STRING_NAME))
            return false;
        copier_at(c, "metric %s", metrics[i].name);
        for (uint32_t k = 0; k < i; k++) {
            if (!strcmp(metrics[k].name, metrics[i].name))
                return copier_refuse(c, "the name is there twice");
        }
        if (!string_copy(c, &metrics[i].doc, "its sentence", STRING_MAYBE) ||
            !string_copy(c, &metrics[i].unit, "its unit", STRING_MAYBE))
            return false;
        if (metrics[i].kind < AFF_METRIC_COUNTER || metrics[i].kind > AFF_METRIC_GAUGE)
            return copier_refuse(c, "kind %u; 1 and 2 are known", metrics[i].kind);
    }
    plugin->metrics = metrics;
    plugin->metric_count = table->count;
    return true;
}

/* Looks for an executable segment that holds the address. */
static int code_search(struct dl_phdr_info *object, size_t size, void *address)
{
    uintptr_t at = *(uintptr_t *)address;

    (void)size;
    for (unsigned i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
        uintptr_t begin = (uintptr_t)(object->dlpi_addr + segment->p_vaddr);

        if (segment->p_type == PT_LOAD && (segment->p_flags & PF_X) && at >= begin &&
            at - begin < segment->p_memsz)
            return 1;
    }
    return 0;
}

struct callback {
    const char *name;
    uintptr_t address;
    bool is_needed;
};

static bool callback_check(struct copier *c, const struct callback *callback)
{
    uintptr_t address = callback->address;

    copier_at(c, "callback %s", callback->name);
    if (!address)
        return !callback->is_needed || copier_refuse(c, "it is missing for this kind of plugin");
    return dl_iterate_phdr(code_search, &address) || copier_refuse(c, "it does not point to code");
}

static bool callbacks_check(struct copier *c, const struct aff_plugin *about)
{
    bool is_archive = about->flags & AFF_ARCHIVE;
    const struct callback callbacks[] = {
        { "validate", (uintptr_t)about->validate, false },
        { "open", (uintptr_t)about->open, false },
        { "close", (uintptr_t)about->close, false },
        { "start", (uintptr_t)about->start, false },
        { "stop", (uintptr_t)about->stop, false },
        { "read", (uintptr_t)about->read, about->kind == AFF_SOURCE },
        { "process", (uintptr_t)about->process, about->kind == AFF_PROCESSOR },
        { "write", (uintptr_t)about->write, about->kind == AFF_SINK },
        { "sync", (uintptr_t)about->sync, false },
        { "committed", (uintptr_t)about->committed, false },
        { "wake", (uintptr_t)about->wake, false },
        { "stream_end", (uintptr_t)about->stream_end, false },
        { "drain", (uintptr_t)about->drain, false },
        { "snapshot", (uintptr_t)about->snapshot, about->restore != NULL },
        { "restore", (uintptr_t)about->restore, about->snapshot != NULL },
        { "query_open", (uintptr_t)about->query_open, is_archive },
        { "query_next", (uintptr_t)about->query_next, is_archive },
        { "query_close", (uintptr_t)about->query_close, is_archive },
        { "shape", (uintptr_t)about->shape, false },
        { "timer", (uintptr_t)about->timer, false },
    };

    for (size_t i = 0; i < sizeof callbacks / sizeof callbacks[0]; i++) {
        if (!callback_check(c, &callbacks[i]))
            return false;
    }
    return true;
}

static bool header_check(struct copier *c, const struct aff_plugin *about)
{
    const uint32_t least = offsetof(struct aff_plugin, validate);

    if (about->major != AFF_ABI_MAJOR || about->minor > AFF_ABI_MINOR) {
        text_print(c->why, "needs plugin ABI %u.%u; this host supports %d.0 to %d.%d; %s",
                   (unsigned)about->major, (unsigned)about->minor, AFF_ABI_MAJOR, AFF_ABI_MAJOR,
                   AFF_ABI_MINOR, about->major >= AFF_ABI_MAJOR ?
                   "install a newer Afferent, or a plugin built for this one" :
                   "build the plugin again with this host's SDK");
        return false;
    }
    if (about->struct_size < least || about->struct_size > STRUCT_BYTES_MAX)
        return copier_refuse(c, "struct_size is %u; at least %u was expected", about->struct_size, least);
    return true;
}

static bool identity_check(struct copier *c, struct aff_plugin *about, const struct note *note)
{
    if (about->kind < AFF_SOURCE || about->kind > AFF_SINK)
        return copier_refuse(c, "kind %u; 1 to 3 are known", about->kind);
    if ((about->flags & AFF_REWRITES) && about->kind != AFF_PROCESSOR)
        return copier_refuse(c, "only a processor gives new identities (AFF_REWRITES)");
    if ((about->flags & AFF_KEEPS_IDS) && about->kind != AFF_SOURCE)
        return copier_refuse(c, "only a source keeps the ids of another node (AFF_KEEPS_IDS)");
    if (!string_copy(c, &about->name, "name", STRING_NAME) ||
        !string_copy(c, &about->version, "version", STRING_WORD) ||
        !string_copy(c, &about->summary, "summary", STRING_SENTENCE) ||
        !string_copy(c, &about->license, "license", STRING_WORD))
        return false;
    if (about->config_size > CONFIG_BYTES_MAX)
        return copier_refuse(c, "config_size is %u; %d is the limit", about->config_size, CONFIG_BYTES_MAX);
    if (note && (strcmp(note->name, about->name) || strcmp(note->version, about->version) ||
                 note->kind != about->kind))
        return copier_refuse(c, "its note says %s %s, a %s; the constant says %s %s, a %s",
                             note->name, note->version, kind_name(note->kind), about->name,
                             about->version, kind_name(about->kind));
    return true;
}

static bool ways_check(struct copier *c, const struct plugin *plugin)
{
    copier_at(c, "ports");
    if (plugin->about.kind == AFF_SOURCE) {
        if (!plugin->output_count)
            return copier_refuse(c, "a source has an output");
        for (uint32_t i = 0; i < plugin->input_count; i++) {
            if (!(plugin->inputs[i].flags & AFF_PORT_COMMANDS))
                return copier_refuse(c, "the inputs of a source take commands (AFF_PORT_COMMANDS)");
        }
        return true;
    }
    if (!plugin->input_count)
        return copier_refuse(c, "a %s has an input", kind_name(plugin->about.kind));
    if (plugin->about.kind == AFF_SINK && plugin->output_count)
        return copier_refuse(c, "a sink has no output");
    return true;
}

static bool tables_copy(struct copier *c, struct plugin *plugin)
{
    struct aff_plugin *about = &plugin->about;

    copier_at(c, "options");
    if (!options_copy(c, &about->options, about->config_size, &plugin->options) ||
        !ports_copy(c, &about->inputs, false, 0, &plugin->inputs) ||
        !ports_copy(c, &about->outputs, true, about->inputs.count, &plugin->outputs))
        return false;
    plugin->option_count = about->options.count;
    plugin->input_count = about->inputs.count;
    plugin->output_count = about->outputs.count;
    if (!verdicts_copy(c, &about->verdicts, plugin) || !metrics_copy(c, &about->metrics, plugin))
        return false;
    about->options = (struct aff_table){ plugin->options, plugin->option_count, sizeof(struct aff_option) };
    about->inputs = (struct aff_table){ plugin->inputs, plugin->input_count, sizeof(struct aff_port) };
    about->outputs = (struct aff_table){ plugin->outputs, plugin->output_count, sizeof(struct aff_port) };
    about->verdicts = (struct aff_table){ plugin->verdicts, plugin->verdict_count, sizeof(struct aff_verdict) };
    about->metrics = (struct aff_table){ plugin->metrics, plugin->metric_count, sizeof(struct aff_metric) };
    return ways_check(c, plugin) && callbacks_check(c, about);
}

/* The head is read first: it says how much more there is. */
static bool about_copy(struct copier *c, const struct aff_plugin *constant, struct aff_plugin *about)
{
    copier_at(c, "constant");
    if (!peek_bytes(&c->peek, constant, about, offsetof(struct aff_plugin, kind)))
        return copier_refuse(c, "it cannot be read");
    if (!header_check(c, about))
        return false;
    if (!peek_bytes(&c->peek, constant, about,
                    about->struct_size < sizeof *about ? about->struct_size : sizeof *about))
        return copier_refuse(c, "it is shorter than its struct_size says");
    return true;
}

bool constant_copy(struct arena *arena, const struct aff_plugin *constant, const struct note *note,
                   struct plugin *ret_plugin, struct text *why)
{
    struct copier c = { .arena = arena, .why = why, .options_left = OPTIONS_MAX };
    struct plugin plugin = { 0 };
    bool is_good;

    if (!peek_open(&c.peek)) {
        text_add(why, "cannot be examined: no descriptors are left; two are needed; close some "
                      "or raise the limit (ulimit -n)");
        return false;
    }
    is_good = about_copy(&c, constant, &plugin.about) && identity_check(&c, &plugin.about, note) &&
              tables_copy(&c, &plugin);
    peek_close(&c.peek);
    if (is_good)
        *ret_plugin = plugin;
    return is_good;
}
