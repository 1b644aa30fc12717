/* plugin_text.c - `plugin info` for people.
 *
 * Not here: the same for programs (plugin_json.c) and the docs (plugin_page.c). */
#include "cmd/plugin_pages.h"
#include "show/explain.h"

/* A name, what it is, and the sentence below. */
static void sentence_print(FILE *out, unsigned indent, const char *sentence)
{
    if (sentence && sentence[0])
        fprintf(out, "%*s%s\n", (int)indent, "", sentence);
}

static void schema_print(FILE *out, const struct aff_schema *schema)
{
    if (!schema)
        return;
    fprintf(out, "      schema %s", schema->name && schema->name[0] ? schema->name : "(no name)");
    if (schema->type == AFF_SAMPLES)
        fprintf(out, ", %s", format_name(schema->format));
    if (schema->type == AFF_SAMPLES && schema->rate_num)
        fprintf(out, ", %.10g per second", (double)schema->rate_num / (double)schema->rate_den);
    if (schema->type != AFF_FIELDS)
        fprintf(out, ", label %s", explain_label(schema->label));
    putc('\n', out);
    for (uint32_t i = 0; i < schema->count; i++) {
        const struct aff_column *column = &schema->columns[i];

        fprintf(out, "        %-16s", column->name);
        if (schema->type == AFF_FIELDS)
            fprintf(out, " %-5s", column_type_name(column->type));
        if (column->unit && column->unit[0])
            fprintf(out, " [%s]", column->unit);
        if (column->code && column->code[0])
            fprintf(out, " code %s", column->code);
        if (column->label)
            fprintf(out, " label %s", explain_label(column->label));
        fputs(column->required ? " required\n" : "\n", out);
    }
}

static void ports_print(FILE *out, const char *title, const struct aff_port *ports, uint32_t count,
                        const struct plugin *plugin)
{
    bool is_output = ports == plugin->outputs;

    if (!count)
        return;
    fprintf(out, "\n%s\n", title);
    for (uint32_t i = 0; i < count; i++) {
        struct text types = { 0 };

        types_add(&types, ports[i].types);
        fprintf(out, "  %-16s  %s", ports[i].name, types.length ? types.data : "");
        for (uint32_t bit = 0; port_flag_name(bit); bit++) {
            if (ports[i].flags & (1u << bit))
                fprintf(out, ", %s", port_flag_name(bit));
        }
        if (is_output) {
            fprintf(out, ", priority %s", priority_name(ports[i].priority));
            if (ports[i].passes)
                fprintf(out, ", passes on %s", plugin->inputs[ports[i].passes - 1].name);
        }
        putc('\n', out);
        sentence_print(out, 6, ports[i].doc);
        schema_print(out, ports[i].schema);
        text_free(&types);
    }
}

static void option_print(void *arg, const struct aff_option *option, const char *prefix, unsigned depth)
{
    FILE *out = arg;
    struct text line = { 0 };
    struct text range = { 0 };
    int indent = (int)(2 + 4 * depth);

    (void)prefix;
    option_add_type(&line, option);
    if (option->flags & AFF_OPT_REQUIRED)
        text_add(&line, ", required");
    if (option->preset)
        text_print(&line, ", default %s", option->preset);
    if (option->flags & AFF_OPT_INPUT)
        text_add(&line, ", read at start");
    option_add_range(&range, option);
    if (range.length)
        text_print(&line, "; %s%s", option->type == AFF_TYPE_ENUM ? "one of " : "", range.data);
    fprintf(out, "%*s%-16s  %s\n", indent, "", option->name, line.length ? line.data : "");
    sentence_print(out, (unsigned)indent + 4, option->doc);
    text_free(&line);
    text_free(&range);
}

static void verdicts_print(const struct plugin *plugin, FILE *out)
{
    if (plugin->verdict_count)
        fputs("\nVerdicts (the ledger's words)\n", out);
    for (uint32_t i = 0; i < plugin->verdict_count; i++) {
        const struct aff_verdict *verdict = &plugin->verdicts[i];

        fprintf(out, "  %-16s  %s", verdict->name, verdict_kind_name(verdict->kind));
        if (verdict->kind == AFF_V_PORT)
            fprintf(out, " %s", plugin->outputs[verdict->port].name);
        putc('\n', out);
        sentence_print(out, 6, verdict->doc);
    }
}

static void metrics_print(const struct plugin *plugin, FILE *out)
{
    if (plugin->metric_count)
        fputs("\nMetrics\n", out);
    for (uint32_t i = 0; i < plugin->metric_count; i++) {
        const struct aff_metric *metric = &plugin->metrics[i];

        fprintf(out, "  %-16s  %s", metric->name, metric_kind_name(metric->kind));
        if (metric->unit && metric->unit[0])
            fprintf(out, " [%s]", metric->unit);
        putc('\n', out);
        sentence_print(out, 6, metric->doc);
    }
}

void plugin_print_text(const struct plugin *plugin, FILE *out)
{
    const struct aff_plugin *about = &plugin->about;
    const char *comma = "";

    fprintf(out, "%s %s - %s\n\n", about->name, about->version, about->summary);
    fprintf(out, "  kind      %s\n", explain_kind(about->kind));
    fputs("  flags     ", out);
    for (uint32_t bit = 0; plugin_flag_name(bit); bit++) {
        if (!(about->flags & (1u << bit)))
            continue;
        fprintf(out, "%s%s", comma, plugin_flag_name(bit));
        comma = ", ";
    }
    fputs(comma[0] ? "\n" : "none\n", out);
    fprintf(out, "  license   %s\n", about->license);
    fprintf(out, "  ABI       %u.%u\n", (unsigned)about->major, (unsigned)about->minor);
    fprintf(out, "  file      %s%s\n", plugin->path, plugin->shipped ? " (installed with the host)" : "");
    ports_print(out, "Inputs", plugin->inputs, plugin->input_count, plugin);
    ports_print(out, "Outputs", plugin->outputs, plugin->output_count, plugin);
    fputs(plugin->option_count ? "\nOptions\n" : "\nNo options.\n", out);
    options_walk(plugin, option_print, out);
    verdicts_print(plugin, out);
    metrics_print(plugin, out);
}
