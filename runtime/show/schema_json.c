/* schema_json.c - see schema_json.h.
 *
 * One object a table, one property an option. A value that comes from outside
 * ("${env:NAME}") is allowed wherever a scalar is. A node's properties follow
 * from its `plugin`, by if and then. */
#include "show/schema_json.h"

#include <stdlib.h>
#include <string.h>

#include "config/keys.h"
#include "show/explain.h"
#include "util/json.h"

#define NAMES "^[A-Za-z0-9_-]{1,63}$"
#define FROM_OUTSIDE "\\$\\{"
#define AMOUNT "^[0-9]+(\\.[0-9]+)? ?"

static const char *amount_pattern(uint16_t type)
{
    switch (type) {
    case AFF_TYPE_DURATION:
        return AMOUNT "(ns|us|ms|s|min|h|d)$|" FROM_OUTSIDE;
    case AFF_TYPE_BYTES:
        return AMOUNT "(B|kB|MB|GB|TB|KiB|MiB|GiB|TiB)$|" FROM_OUTSIDE;
    default:
        return AMOUNT "(mHz|Hz|kHz|MHz|GHz)$|" FROM_OUTSIDE;
    }
}

static void object_write(struct json *json, const struct aff_option *options, uint32_t count);
static void value_write(struct json *json, const struct aff_option *option);

/* A number, a truth value or a choice; or a text from outside. */
static void plain_write(struct json *json, const struct aff_option *option)
{
    const char *type = option->type == AFF_TYPE_INT ? "integer" : option->type == AFF_TYPE_REAL ? "number" : "boolean";

    json_array(json, "anyOf");
    json_object(json, NULL);
    if (option->type == AFF_TYPE_ENUM) {
        json_array(json, "enum");
        for (uint32_t i = 0; option->choices[i]; i++)
            json_text(json, NULL, option->choices[i]);
        json_end(json);
    } else {
        json_text(json, "type", type);
    }
    if (option->type != AFF_TYPE_BOOL && option->type != AFF_TYPE_ENUM && option->min <= option->max) {
        json_real(json, "minimum", option->min);
        json_real(json, "maximum", option->max);
    }
    json_end(json);
    json_object(json, NULL);
    json_text(json, "type", "string");
    json_text(json, "pattern", FROM_OUTSIDE);
    json_end(json);
    json_end(json);
}

static void counts_write(struct json *json, const struct aff_option *option, const char *least, const char *most)
{
    if (option->min > option->max)
        return;
    json_uint(json, least, (uint64_t)option->min);
    json_uint(json, most, (uint64_t)option->max);
}

static bool is_scalars(const struct aff_option *option)
{
    return option->nested_count == 1 && !*option->nested[0].name;
}

static void nested_write(struct json *json, const struct aff_option *option)
{
    if (is_scalars(option))
        value_write(json, &option->nested[0]);
    else
        object_write(json, option->nested, option->nested_count);
}

/* One value may stand for a list of one scalar. */
static void list_write(struct json *json, const struct aff_option *option)
{
    json_array(json, "anyOf");
    json_object(json, NULL);
    json_text(json, "type", "array");
    counts_write(json, option, "minItems", "maxItems");
    json_object(json, "items");
    nested_write(json, option);
    json_end(json);
    json_end(json);
    if (is_scalars(option)) {
        json_object(json, NULL);
        nested_write(json, option);
        json_end(json);
    }
    json_end(json);
}

static void value_write(struct json *json, const struct aff_option *option)
{
    switch (option->type) {
    case AFF_TYPE_INT:
    case AFF_TYPE_REAL:
    case AFF_TYPE_BOOL:
    case AFF_TYPE_ENUM:
        plain_write(json, option);
        break;
    case AFF_TYPE_DURATION:
    case AFF_TYPE_BYTES:
    case AFF_TYPE_FREQUENCY:
        json_text(json, "type", "string");
        json_text(json, "pattern", amount_pattern(option->type));
        break;
    case AFF_TYPE_TABLE:
        object_write(json, option->nested, option->nested_count);
        break;
    case AFF_TYPE_MAP:
        json_text(json, "type", "object");
        counts_write(json, option, "minProperties", "maxProperties");
        json_object(json, "additionalProperties");
        nested_write(json, option);
        json_end(json);
        break;
    case AFF_TYPE_LIST:
        list_write(json, option);
        break;
    default:
        json_text(json, "type", "string");
    }
}

/* The preset is TOML text: of plain values the same as JSON. */
static void preset_write(struct json *json, const struct aff_option *option)
{
    const char *preset = option->preset;
    size_t length = preset ? strlen(preset) : 0;
    char *end;

    if (length == 0)
        return;
    if (preset[0] == '"' && preset[length - 1] == '"' && length > 1)
        json_text_bytes(json, "default", preset + 1, length - 2);
    else if (option->type == AFF_TYPE_BOOL)
        json_bool(json, "default", !strcmp(preset, "true"));
    else if (option->type == AFF_TYPE_INT || option->type == AFF_TYPE_REAL)
        json_real(json, "default", strtod(preset, &end));
}

static void property_write(struct json *json, const struct aff_option *option)
{
    json_object(json, option->name);
    json_text(json, "description", option->doc);
    preset_write(json, option);
    value_write(json, option);
    json_end(json);
}

static void properties_write(struct json *json, const struct aff_option *options, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        property_write(json, &options[i]);
}

static void required_write(struct json *json, const struct aff_option *options, uint32_t count)
{
    uint32_t required = 0;

    for (uint32_t i = 0; i < count; i++)
        required += (options[i].flags & AFF_OPT_REQUIRED) != 0;
    if (required == 0)
        return;
    json_array(json, "required");
    for (uint32_t i = 0; i < count; i++)
        if (options[i].flags & AFF_OPT_REQUIRED)
            json_text(json, NULL, options[i].name);
    json_end(json);
}

static void object_write(struct json *json, const struct aff_option *options, uint32_t count)
{
    json_text(json, "type", "object");
    json_bool(json, "additionalProperties", false);
    required_write(json, options, count);
    json_object(json, "properties");
    properties_write(json, options, count);
    json_end(json);
}

/* ---- nodes ---- */

static void place_write(struct json *json)
{
    json_text(json, "type", "string");
    json_text(json, "pattern", "^[A-Za-z0-9_-]{1,63}(\\.[A-Za-z0-9_-]+)?$");
}

/* "node", "node.port", a list of them, or either by input port. */
static void from_write(struct json *json, unsigned depth)
{
    json_array(json, "anyOf");
    json_object(json, NULL);
    place_write(json);
    json_end(json);
    json_object(json, NULL);
    json_text(json, "type", "array");
    json_uint(json, "minItems", 1);
    json_object(json, "items");
    place_write(json);
    json_end(json);
    json_end(json);
    if (depth == 0) {
        json_object(json, NULL);
        json_text(json, "type", "object");
        json_object(json, "additionalProperties");
        from_write(json, depth + 1);
        json_end(json);
        json_end(json);
    }
    json_end(json);
}

static void host_keys_write(struct json *json, const struct plugin *plugin)
{
    const struct aff_option *options;
    uint32_t count;

    json_object(json, "plugin");
    json_text(json, "const", plugin->about.name);
    json_text(json, "description", plugin->about.summary);
    json_end(json);
    if (plugin->input_count > 0) {
        json_object(json, "from");
        json_text(json, "description", "Where its data comes from: a node, node.port, a list, or these by input port.");
        from_write(json, 0);
        json_end(json);
        json_object(json, "edge");
        options = keys_edge(&count);
        object_write(json, options, count);
        json_end(json);
    }
    json_object(json, "run");
    options = keys_run(&count);
    object_write(json, options, count);
    json_end(json);
}

static void node_write(struct json *json, const struct plugin *plugin)
{
    json_object(json, NULL);
    json_object(json, "if");
    json_object(json, "properties");
    json_object(json, "plugin");
    json_text(json, "const", plugin->about.name);
    json_end(json);
    json_end(json);
    json_end(json);
    json_object(json, "then");
    json_bool(json, "additionalProperties", false);
    required_write(json, plugin->options, plugin->option_count);
    json_object(json, "properties");
    host_keys_write(json, plugin);
    properties_write(json, plugin->options, plugin->option_count);
    json_end(json);
    json_end(json);
    json_end(json);
}

static void kind_write(struct json *json, uint32_t kind, const struct plugin *const *plugins, size_t count)
{
    json_object(json, explain_kind(kind));
    json_text(json, "type", "object");
    json_object(json, "propertyNames");
    json_text(json, "pattern", NAMES);
    json_end(json);
    json_object(json, "additionalProperties");
    json_text(json, "type", "object");
    json_array(json, "required");
    json_text(json, NULL, "plugin");
    if (kind != AFF_SOURCE)
        json_text(json, NULL, "from");
    json_end(json);
    json_object(json, "properties");
    json_object(json, "plugin");
    json_array(json, "enum");
    for (size_t i = 0; i < count; i++)
        if (plugins[i]->about.kind == kind)
            json_text(json, NULL, plugins[i]->about.name);
    json_end(json);
    json_end(json);
    json_end(json);
    json_array(json, "allOf");
    for (size_t i = 0; i < count; i++)
        if (plugins[i]->about.kind == kind)
            node_write(json, plugins[i]);
    json_end(json);
    json_end(json);
    json_end(json);
}

static void links_write(struct json *json)
{
    const struct aff_option *options;
    uint32_t count;

    json_object(json, "link");
    json_text(json, "type", "object");
    json_object(json, "propertyNames");
    json_text(json, "pattern", NAMES);
    json_end(json);
    json_object(json, "additionalProperties");
    options = keys_link(&count);
    object_write(json, options, count);
    json_end(json);
    json_end(json);
}

void schema_json(const struct plugin *const *plugins, size_t count, FILE *out)
{
    const struct aff_option *options;
    struct json json;
    uint32_t keys;

    json_begin(&json, out, true);
    json_object(&json, NULL);
    json_text(&json, "$schema", "http://json-schema.org/draft-07/schema#");
    json_text(&json, "title", "A pipeline of afferent");
    json_text(&json, "type", "object");
    json_bool(&json, "additionalProperties", false);
    json_array(&json, "required");
    json_text(&json, NULL, "pipeline");
    json_text(&json, NULL, "source");
    json_text(&json, NULL, "sink");
    json_end(&json);
    json_object(&json, "properties");
    json_object(&json, "pipeline");
    options = keys_pipeline(&keys);
    object_write(&json, options, keys);
    json_end(&json);
    links_write(&json);
    for (uint32_t kind = AFF_SOURCE; kind <= AFF_SINK; kind++)
        kind_write(&json, kind, plugins, count);
    json_end(&json);
    json_end(&json);
    json_finish(&json);
}
