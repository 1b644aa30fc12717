/* plugin_json.c - `plugin info --json`: all tables of a plugin, for programs.
 *
 * Keys are there also where the value is null, except in nested tables and
 * choices, which only their types have.
 *
 * Not here: the same for people (plugin_text.c). */
#include "cmd/plugin_pages.h"
#include "show/explain.h"
#include "util/json.h"

static void flags_write(struct json *json, uint32_t flags, const char *(*name)(uint32_t bit))
{
    json_array(json, "flags");
    for (uint32_t bit = 0; name(bit); bit++) {
        if (flags & (1u << bit))
            json_text(json, NULL, name(bit));
    }
    json_end(json);
}

static void columns_write(struct json *json, const struct aff_schema *schema)
{
    json_array(json, schema->type == AFF_SAMPLES ? "channels" : "columns");
    for (uint32_t i = 0; i < schema->count; i++) {
        const struct aff_column *column = &schema->columns[i];

        json_object(json, NULL);
        json_text(json, "name", column->name);
        if (schema->type == AFF_FIELDS)
            json_text(json, "type", column_type_name(column->type));
        json_text(json, "unit", column->unit);
        json_text(json, "code", column->code);
        json_text(json, "label", explain_label(column->label));
        json_bool(json, "required", column->required);
        if (schema->type == AFF_SAMPLES) {
            json_real(json, "gain", column->gain);
            json_real(json, "baseline", column->baseline);
        }
        json_end(json);
    }
    json_end(json);
}

static void schema_write(struct json *json, const struct aff_schema *schema)
{
    if (!schema) {
        json_null(json, "schema");
        return;
    }
    json_object(json, "schema");
    json_text(json, "name", schema->name);
    json_text(json, "type", explain_type(schema->type));
    json_text(json, "label", explain_label(schema->label));
    if (schema->type == AFF_SAMPLES) {
        json_text(json, "format", format_name(schema->format));
        json_uint(json, "rate_num", schema->rate_num);
        json_uint(json, "rate_den", schema->rate_den);
    }
    columns_write(json, schema);
    json_end(json);
}

static void ports_write(struct json *json, const struct plugin *plugin, bool is_output)
{
    const struct aff_port *ports = is_output ? plugin->outputs : plugin->inputs;
    uint32_t count = is_output ? plugin->output_count : plugin->input_count;

    json_array(json, is_output ? "outputs" : "inputs");
    for (uint32_t i = 0; i < count; i++) {
        json_object(json, NULL);
        json_text(json, "name", ports[i].name);
        json_text(json, "doc", ports[i].doc);
        json_array(json, "types");
        for (uint32_t type = AFF_BYTES; type <= AFF_IMAGE; type++) {
            if (ports[i].types & AFF_MASK(type))
                json_text(json, NULL, explain_type(type));
        }
        json_end(json);
        flags_write(json, ports[i].flags, port_flag_name);
        if (is_output) {
            json_text(json, "priority", priority_name(ports[i].priority));
            json_text(json, "passes", ports[i].passes ? plugin->inputs[ports[i].passes - 1].name : NULL);
        }
        schema_write(json, ports[i].schema);
        json_end(json);
    }
    json_end(json);
}

static void options_write(struct json *json, const char *key, const struct aff_option *options, uint32_t count);

/* min and max as numbers in the option's base unit: ns, bytes, Hz. */
static void option_write(struct json *json, const struct aff_option *option)
{
    json_object(json, NULL);
    json_text(json, "name", option->name);
    json_text(json, "type", option_type_name(option->type));
    json_text(json, "doc", option->doc);
    json_text(json, "unit", option->unit);
    json_text(json, "default", option->preset);
    json_bool(json, "required", option->flags & AFF_OPT_REQUIRED);
    json_bool(json, "input", option->flags & AFF_OPT_INPUT);
    if (option_has_range(option)) {
        json_real(json, "min", option->min);
        json_real(json, "max", option->max);
    } else {
        json_null(json, "min");
        json_null(json, "max");
    }
    if (option->type == AFF_TYPE_ENUM) {
        json_array(json, "choices");
        for (uint32_t i = 0; option->choices[i]; i++)
            json_text(json, NULL, option->choices[i]);
        json_end(json);
    }
    if (option->nested_count)
        options_write(json, "options", option->nested, option->nested_count);
    json_end(json);
}

static void options_write(struct json *json, const char *key, const struct aff_option *options, uint32_t count)
{
    json_array(json, key);
    for (uint32_t i = 0; i < count; i++)
        option_write(json, &options[i]);
    json_end(json);
}

static void verdicts_write(struct json *json, const struct plugin *plugin)
{
    json_array(json, "verdicts");
    for (uint32_t i = 0; i < plugin->verdict_count; i++) {
        const struct aff_verdict *verdict = &plugin->verdicts[i];

        json_object(json, NULL);
        json_text(json, "name", verdict->name);
        json_text(json, "kind", verdict_kind_name(verdict->kind));
        json_text(json, "port", verdict->kind == AFF_V_PORT ? plugin->outputs[verdict->port].name : NULL);
        json_text(json, "doc", verdict->doc);
        json_end(json);
    }
    json_end(json);
}

static void metrics_write(struct json *json, const struct plugin *plugin)
{
    json_array(json, "metrics");
    for (uint32_t i = 0; i < plugin->metric_count; i++) {
        json_object(json, NULL);
        json_text(json, "name", plugin->metrics[i].name);
        json_text(json, "kind", metric_kind_name(plugin->metrics[i].kind));
        json_text(json, "unit", plugin->metrics[i].unit);
        json_text(json, "doc", plugin->metrics[i].doc);
        json_end(json);
    }
    json_end(json);
}

void plugin_print_json(const struct plugin *plugin, FILE *out)
{
    const struct aff_plugin *about = &plugin->about;
    struct json json;

    json_begin(&json, out, true);
    json_object(&json, NULL);
    json_text(&json, "name", about->name);
    json_text(&json, "version", about->version);
    json_text(&json, "kind", explain_kind(about->kind));
    json_text(&json, "summary", about->summary);
    json_text(&json, "license", about->license);
    json_uint(&json, "abi_major", about->major);
    json_uint(&json, "abi_minor", about->minor);
    flags_write(&json, about->flags, plugin_flag_name);
    json_text(&json, "path", plugin->path);
    json_bool(&json, "shipped", plugin->shipped);
    ports_write(&json, plugin, false);
    ports_write(&json, plugin, true);
    options_write(&json, "options", plugin->options, plugin->option_count);
    verdicts_write(&json, plugin);
    metrics_write(&json, plugin);
    json_finish(&json);
}
