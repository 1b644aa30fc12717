/* plugin_words.c - words for what stands in a plugin's tables.
 *
 * Not here: how a page is laid out (plugin_text.c, plugin_json.c, plugin_page.c). */
#include <math.h>

#include "cmd/plugin_pages.h"
#include "show/explain.h"
#include "util/units.h"

#define PICK(names, index) \
    ((index) < sizeof(names) / sizeof((names)[0]) && (names)[index] ? (names)[index] : "unknown")

const char *option_type_name(uint32_t type)
{
    static const char *const names[] = {
        [AFF_TYPE_INT] = "int",           [AFF_TYPE_REAL] = "real",     [AFF_TYPE_BOOL] = "bool",
        [AFF_TYPE_TEXT] = "text",         [AFF_TYPE_ENUM] = "enum",     [AFF_TYPE_DURATION] = "duration",
        [AFF_TYPE_BYTES] = "bytes",       [AFF_TYPE_FREQUENCY] = "frequency",
        [AFF_TYPE_PATH] = "path",         [AFF_TYPE_SECRET] = "secret", [AFF_TYPE_TABLE] = "table",
        [AFF_TYPE_LIST] = "list",         [AFF_TYPE_MAP] = "map",
    };

    return PICK(names, type);
}

const char *verdict_kind_name(uint32_t kind)
{
    static const char *const names[] = {
        [AFF_V_DROP] = "drop",       [AFF_V_DEAD] = "dead", [AFF_V_USED] = "used",
        [AFF_V_REPLACE] = "replace", [AFF_V_PORT] = "port", [AFF_V_HOLD] = "hold",
    };

    return PICK(names, kind);
}

const char *column_type_name(uint32_t type)
{
    static const char *const names[] = {
        [AFF_REAL] = "real", [AFF_INT] = "int", [AFF_BOOL] = "bool", [AFF_TIME] = "time", [AFF_TEXT] = "text",
    };

    return PICK(names, type);
}

const char *priority_name(uint32_t priority)
{
    static const char *const names[] = {
        [AFF_PRIO_ALARM] = "alarm", [AFF_PRIO_VITALS] = "vitals",
        [AFF_PRIO_WAVEFORM] = "waveform", [AFF_PRIO_BULK] = "bulk",
    };

    return PICK(names, priority);
}

const char *format_name(uint32_t format)
{
    static const char *const names[] = { "any", [AFF_I16] = "i16", [AFF_I32] = "i32", [AFF_F32] = "f32" };

    return PICK(names, format);
}

const char *metric_kind_name(uint32_t kind)
{
    static const char *const names[] = { [AFF_METRIC_COUNTER] = "counter", [AFF_METRIC_GAUGE] = "gauge" };

    return PICK(names, kind);
}

const char *plugin_flag_name(uint32_t bit)
{
    static const char *const names[] = { "pull", "replays", "blocks", "stays", "archive", "rewrites" };

    return bit < sizeof names / sizeof names[0] ? names[bit] : NULL;
}

const char *port_flag_name(uint32_t bit)
{
    static const char *const names[] = { "edits", "optional", "commands" };

    return bit < sizeof names / sizeof names[0] ? names[bit] : NULL;
}

static bool is_scalar_item(const struct aff_option *option)
{
    return option->nested_count == 1 && !option->nested[0].name[0];
}

uint32_t option_named_count(const struct aff_option *option)
{
    return is_scalar_item(option) ? 0 : option->nested_count;
}

void option_add_type(struct text *text, const struct aff_option *option)
{
    text_add(text, option_type_name(option->type));
    if (option->type != AFF_TYPE_LIST && option->type != AFF_TYPE_MAP)
        return;
    text_print(text, " of %s", is_scalar_item(option) ? option_type_name(option->nested[0].type) : "tables");
}

static bool is_whole(double number)
{
    return floor(number) == number && fabs(number) < 9.2e18;
}

void option_add_bound(struct text *text, const struct aff_option *option, double bound)
{
    bool fits = is_whole(bound);

    if (option->type == AFF_TYPE_DURATION && fits)
        units_add_duration(text, (int64_t)bound);
    else if (option->type == AFF_TYPE_BYTES && fits)
        units_add_bytes(text, (int64_t)bound);
    else if (option->type == AFF_TYPE_FREQUENCY && isfinite(bound))
        units_add_frequency(text, bound);
    else if (fits)
        text_print(text, "%.0f", bound);
    else
        text_print(text, "%.15g", bound);
}

bool option_has_range(const struct aff_option *option)
{
    switch (option->type) {
    case AFF_TYPE_INT:
    case AFF_TYPE_REAL:
    case AFF_TYPE_DURATION:
    case AFF_TYPE_BYTES:
    case AFF_TYPE_FREQUENCY:
    case AFF_TYPE_LIST:
    case AFF_TYPE_MAP:
        return option->min <= option->max;
    default:
        return false;
    }
}

/* A list of scalars has a bound on its count, and its items have their own. */
void option_add_range(struct text *text, const struct aff_option *option)
{
    bool is_many = option->type == AFF_TYPE_LIST || option->type == AFF_TYPE_MAP;

    for (uint32_t i = 0; option->type == AFF_TYPE_ENUM && option->choices[i]; i++)
        text_print(text, "%s%s", i ? ", " : "", option->choices[i]);
    if (option_has_range(option)) {
        option_add_bound(text, option, option->min);
        text_add(text, " to ");
        option_add_bound(text, option, option->max);
        if (is_many)
            text_add(text, " items");
    }
    if (!is_many && option->unit && option->unit[0])
        text_print(text, "%s%s", text->length ? " " : "in ", option->unit);
    if (is_many && is_scalar_item(option)) {
        struct text inner = { 0 };

        option_add_range(&inner, &option->nested[0]);
        if (inner.length)
            text_print(text, "%seach %s", text->length ? "; " : "", inner.data);
        text_free(&inner);
    }
}

void types_add(struct text *text, uint32_t types)
{
    const char *comma = "";

    for (uint32_t type = AFF_BYTES; type <= AFF_IMAGE; type++) {
        if (!(types & AFF_MASK(type)))
            continue;
        text_print(text, "%s%s", comma, explain_type(type));
        comma = ", ";
    }
}

static void level_walk(const struct aff_option *options, uint32_t count, const char *prefix, unsigned depth,
                       option_visit *visit, void *arg)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct aff_option *option = &options[i];
        uint32_t inside = option_named_count(option);
        struct text inner = { 0 };

        visit(arg, option, prefix, depth);
        if (!inside)
            continue;
        text_print(&inner, "%s%s%s.", prefix, option->name,
                   option->type == AFF_TYPE_LIST ? "[]" : option->type == AFF_TYPE_MAP ? ".KEY" : "");
        if (!inner.failed)
            level_walk(option->nested, inside, inner.data, depth + 1, visit, arg);
        text_free(&inner);
    }
}

void options_walk(const struct plugin *plugin, option_visit *visit, void *arg)
{
    level_walk(plugin->options, plugin->option_count, "", 0, visit, arg);
}
