/* plugin_page.c - `plugin info --markdown`: the reference page of a plugin.
 *
 * The page is the same wherever it is made: no path of a file and no date, so
 * that a check can compare the committed page with a new one.
 *
 * Not here: the same for people (plugin_text.c). */
#include <string.h>

#include "cmd/plugin_pages.h"
#include "show/explain.h"

/* Text in a table's cell: bars would end it, and the rest would be markup. */
static void cell_print(FILE *out, const char *text)
{
    for (; text && *text; text++) {
        if (strchr("|\\`*_<>[]", *text))
            putc('\\', out);
        putc(*text, out);
    }
}

/* Code in a cell: only the bar needs care (a backtick ends the code; there a
 * double one is used). */
static void code_print(FILE *out, const char *text)
{
    const char *tick = strchr(text, '`') ? "`` " : "`";

    fputs(tick, out);
    for (; *text; text++) {
        if (*text == '|')
            putc('\\', out);
        putc(*text, out);
    }
    fputs(tick[1] ? " ``" : "`", out);
}

static void columns_print(FILE *out, const char *port, const struct aff_schema *schema)
{
    if (!schema || !schema->count)
        return;
    fputs("\nColumns of ", out);
    code_print(out, port);
    if (schema->name && schema->name[0]) {
        fputs(" (schema ", out);
        code_print(out, schema->name);
        putc(')', out);
    }
    fputs(":\n\n| Column | Type | Unit | Code | Label | Required |\n|---|---|---|---|---|---|\n", out);
    for (uint32_t i = 0; i < schema->count; i++) {
        const struct aff_column *column = &schema->columns[i];

        fputs("| ", out);
        code_print(out, column->name);
        fprintf(out, " | %s | ", schema->type == AFF_FIELDS ? column_type_name(column->type) : format_name(schema->format));
        cell_print(out, column->unit);
        fputs(" | ", out);
        cell_print(out, column->code);
        fprintf(out, " | %s | %s |\n", explain_label(column->label), column->required ? "yes" : "");
    }
}

static void port_print(FILE *out, const struct plugin *plugin, const struct aff_port *port, bool is_output)
{
    struct text about = { 0 };

    types_add(&about, port->types);
    fputs("| ", out);
    code_print(out, port->name);
    fprintf(out, " | %s | %s | ", is_output ? "out" : "in", about.length ? about.data : "");
    cell_print(out, port->doc);
    for (uint32_t bit = 0; port_flag_name(bit); bit++) {
        if (port->flags & (1u << bit))
            fprintf(out, " (%s)", port_flag_name(bit));
    }
    if (is_output && port->passes) {
        fputs(" Passes on ", out);
        code_print(out, plugin->inputs[port->passes - 1].name);
        putc('.', out);
    }
    if (is_output)
        fprintf(out, " Priority: %s.", priority_name(port->priority));
    fputs(" |\n", out);
    text_free(&about);
}

static void ports_print(FILE *out, const struct plugin *plugin)
{
    fputs("\n## Ports\n\n| Port | Way | Types | What it is |\n|---|---|---|---|\n", out);
    for (uint32_t i = 0; i < plugin->input_count; i++)
        port_print(out, plugin, &plugin->inputs[i], false);
    for (uint32_t i = 0; i < plugin->output_count; i++)
        port_print(out, plugin, &plugin->outputs[i], true);
    for (uint32_t i = 0; i < plugin->input_count; i++)
        columns_print(out, plugin->inputs[i].name, plugin->inputs[i].schema);
    for (uint32_t i = 0; i < plugin->output_count; i++)
        columns_print(out, plugin->outputs[i].name, plugin->outputs[i].schema);
}

static void option_print(void *arg, const struct aff_option *option, const char *prefix, unsigned depth)
{
    FILE *out = arg;
    struct text name = { 0 }, type = { 0 }, range = { 0 };

    (void)depth;
    text_print(&name, "%s%s", prefix, option->name);
    option_add_type(&type, option);
    option_add_range(&range, option);
    fputs("| ", out);
    code_print(out, name.length ? name.data : "");
    fprintf(out, " | %s | ", type.length ? type.data : "");
    if (option->flags & AFF_OPT_REQUIRED)
        fputs("required", out);
    else if (option->preset)
        code_print(out, option->preset);
    fputs(" | ", out);
    cell_print(out, range.data);
    fputs(" | ", out);
    cell_print(out, option->doc);
    fputs(" |\n", out);
    text_free(&name);
    text_free(&type);
    text_free(&range);
}

static void verdicts_print(FILE *out, const struct plugin *plugin)
{
    if (!plugin->verdict_count)
        return;
    fputs("\n## Verdicts\n\nThe ledger counts records under these names.\n\n"
          "| Verdict | Kind | Meaning |\n|---|---|---|\n", out);
    for (uint32_t i = 0; i < plugin->verdict_count; i++) {
        const struct aff_verdict *verdict = &plugin->verdicts[i];

        fputs("| ", out);
        code_print(out, verdict->name);
        fprintf(out, " | %s", verdict_kind_name(verdict->kind));
        if (verdict->kind == AFF_V_PORT) {
            putc(' ', out);
            code_print(out, plugin->outputs[verdict->port].name);
        }
        fputs(" | ", out);
        cell_print(out, verdict->doc);
        fputs(" |\n", out);
    }
}

static void metrics_print(FILE *out, const struct plugin *plugin)
{
    if (!plugin->metric_count)
        return;
    fputs("\n## Metrics\n\n| Metric | Kind | Unit | Meaning |\n|---|---|---|---|\n", out);
    for (uint32_t i = 0; i < plugin->metric_count; i++) {
        const struct aff_metric *metric = &plugin->metrics[i];

        fputs("| ", out);
        code_print(out, metric->name);
        fprintf(out, " | %s | ", metric_kind_name(metric->kind));
        cell_print(out, metric->unit);
        fputs(" | ", out);
        cell_print(out, metric->doc);
        fputs(" |\n", out);
    }
}

void plugin_print_page(const struct plugin *plugin, FILE *out)
{
    const struct aff_plugin *about = &plugin->about;

    fprintf(out, "# %s\n\n", about->name);
    cell_print(out, about->summary);
    fprintf(out, "\n\nA %s, version %s, license %s, plugin ABI %u.%u.", explain_kind(about->kind), about->version,
            about->license, (unsigned)about->major, (unsigned)about->minor);
    for (uint32_t bit = 0; plugin_flag_name(bit); bit++) {
        if (about->flags & (1u << bit))
            fprintf(out, " `%s`", plugin_flag_name(bit));
    }
    putc('\n', out);
    ports_print(out, plugin);
    if (plugin->option_count)
        fputs("\n## Options\n\n| Option | Type | Default | Range or choices | Meaning |\n|---|---|---|---|---|\n", out);
    else
        fputs("\n## Options\n\nNone.\n", out);
    options_walk(plugin, option_print, out);
    verdicts_print(out, plugin);
    metrics_print(out, plugin);
}
