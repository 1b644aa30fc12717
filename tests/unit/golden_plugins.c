/* golden_plugins.c - plugins that exist for the configuration tests only.
 *
 * Implements what load/plugin.h promises, over constants.
 *
 * Not here: the loader; it has tests of its own. Plugins that say what their
 * outputs carry (golden_labels.c). */
#include "golden_plugins.h"

#include <stdlib.h>
#include <string.h>

static const char *const shapes[] = { "round", "square", "sawtooth", NULL };

#define OPTION(struct_, name_, member_, type_, flags_, preset_, min_, max_, ...) \
    { .name = name_, .doc = "The " name_ ".", .preset = preset_, .type = type_, \
      .flags = flags_, .offset = (uint32_t)offsetof(struct struct_, member_), \
      .min = min_, .max = max_, __VA_ARGS__ }
#define NESTED(table, struct_) .nested = table, .nested_count = sizeof table / sizeof *table, \
      .nested_size = sizeof(struct_)

static const struct aff_option band_options[] = {
    OPTION(band_config, "low", low_hz, AFF_TYPE_FREQUENCY, AFF_OPT_REQUIRED, NULL, 0, 500, .unit = NULL),
    OPTION(band_config, "high", high_hz, AFF_TYPE_FREQUENCY, 0, "\"40Hz\"", 0, 500, .unit = NULL),
    OPTION(band_config, "order", order, AFF_TYPE_INT, 0, "2", 1, 8, .unit = NULL),
};
static const struct aff_option channel_item[] = { AFF_OPT_ITEM(AFF_TYPE_INT, 0, "A channel.") };
static const struct aff_option column_options[] = {
    OPTION(column_config, "name", name, AFF_TYPE_TEXT, AFF_OPT_REQUIRED, NULL, 1, -1, .unit = NULL),
    OPTION(column_config, "unit", unit, AFF_TYPE_TEXT, 0, NULL, 1, -1, .unit = NULL),
};
static const struct aff_option gain_item[] = {
    AFF_OPT_ITEM(AFF_TYPE_REAL, offsetof(struct gain_config, gain), "A gain."),
};
static const struct aff_option every_options[] = {
    OPTION(every_config, "order", order, AFF_TYPE_INT, 0, "4", 1, 12, .unit = NULL),
    OPTION(every_config, "level", level, AFF_TYPE_REAL, 0, "0.5", 0, 1, .unit = "mV"),
    OPTION(every_config, "on", is_on, AFF_TYPE_BOOL, 0, "true", 1, -1, .unit = NULL),
    OPTION(every_config, "label", label, AFF_TYPE_TEXT, 0, NULL, 1, -1, .unit = NULL),
    OPTION(every_config, "shape", shape, AFF_TYPE_ENUM, 0, "\"round\"", 1, -1, .choices = shapes),
    OPTION(every_config, "window", window_ns, AFF_TYPE_DURATION, 0, "\"250ms\"", 1e6, 60e9, .unit = NULL),
    OPTION(every_config, "room", room, AFF_TYPE_BYTES, 0, "\"8MiB\"", 1024, 0x1p30, .unit = NULL),
    OPTION(every_config, "cutoff", cutoff_hz, AFF_TYPE_FREQUENCY, 0, "\"0.5Hz\"", 0.01, 1000, .unit = NULL),
    OPTION(every_config, "model", model, AFF_TYPE_PATH, 0, NULL, 1, -1, .unit = NULL),
    OPTION(every_config, "token", token, AFF_TYPE_SECRET, 0, NULL, 1, -1, .unit = NULL),
    OPTION(every_config, "band", band, AFF_TYPE_TABLE, 0, NULL, 1, -1, NESTED(band_options, struct band_config)),
    OPTION(every_config, "channels", channels, AFF_TYPE_LIST, 0, NULL, 1, 4, NESTED(channel_item, int64_t)),
    OPTION(every_config, "columns", columns, AFF_TYPE_LIST, 0, NULL, 1, -1,
           NESTED(column_options, struct column_config)),
    OPTION(every_config, "gains", gains, AFF_TYPE_MAP, 0, NULL, 1, -1, NESTED(gain_item, struct gain_config)),
};

struct path_config { const char *path; const char *pace; };
static const struct aff_option path_options[] = {
    OPTION(path_config, "path", path, AFF_TYPE_PATH, AFF_OPT_REQUIRED, NULL, 1, -1, .unit = NULL),
    OPTION(path_config, "pace", pace, AFF_TYPE_TEXT, 0, "\"fast\"", 1, -1, .unit = NULL),
};

static aff_status every_validate(const void *config, const struct aff_report *report)
{
    const struct every_config *c = config;

    if (!c->band || c->band->low_hz < c->band->high_hz)
        return AFF_OK;
    report->problem(report, "band.low", "band.low is not below band.high; expected low < high; "
                    "swap them");
    return AFF_ERR_CONFIG;
}

#define FIELDS AFF_MASK(AFF_FIELDS)
#define SAMPLES AFF_MASK(AFF_SAMPLES)
#define PORT(name_, types_, flags_, passes_, schema_) \
    { .name = name_, .doc = "A port.", .schema = schema_, .types = types_, .flags = flags_, .passes = passes_ }
#define OUT(name_, types_, passes_, schema_, priority_) \
    { .name = name_, .doc = "A port.", .schema = schema_, .types = types_, .passes = passes_, .priority = priority_ }

static const struct aff_column rate_bpm[] = { { .name = "rate", .unit = "/min", .type = AFF_REAL, .required = 1 } };
static const struct aff_column rate_hz[] = { { .name = "rate", .unit = "Hz", .type = AFF_REAL } };
static const struct aff_column kind_text[] = { { .name = "kind", .type = AFF_TEXT } };
static const struct aff_column rate_text[] = { { .name = "rate", .unit = "/min", .type = AFF_TEXT } };
#define SCHEMA(columns_) { .struct_size = sizeof(struct aff_schema), .type = AFF_FIELDS, \
    .name = "row", .columns = columns_, .count = 1, .stride = sizeof(struct aff_column) }
static const struct aff_schema bpm = SCHEMA(rate_bpm), hz = SCHEMA(rate_hz),
    kind = SCHEMA(kind_text), text = SCHEMA(rate_text);

static const struct aff_port monitor_in[] = { PORT("commands", FIELDS, AFF_PORT_COMMANDS | AFF_PORT_OPTIONAL, 0, NULL) };
static const struct aff_port monitor_out[] = {
    OUT("data", SAMPLES, 0, NULL, AFF_PRIO_WAVEFORM), OUT("events", FIELDS, 0, &kind, AFF_PRIO_VITALS),
    OUT("rates", FIELDS, 0, &hz, AFF_PRIO_VITALS), OUT("words", FIELDS, 0, &text, AFF_PRIO_BULK),
};
static const struct aff_port every_in[] = { PORT("in", SAMPLES | FIELDS, AFF_PORT_EDITS, 0, NULL) };
static const struct aff_port every_out[] = { OUT("out", SAMPLES | FIELDS, AFF_PASSES(0), NULL, AFF_PRIO_WAVEFORM) };
static const struct aff_port idle_in[] = { PORT("in", SAMPLES, AFF_PORT_OPTIONAL, 0, NULL) };
static const struct aff_port beats_in[] = { PORT("in", SAMPLES, 0, 0, NULL) };
static const struct aff_port beats_out[] = { OUT("beats", FIELDS, 0, &bpm, AFF_PRIO_VITALS) };
static const struct aff_port pair_in[] = {
    PORT("found", FIELDS, 0, 0, NULL), PORT("reference", FIELDS, 0, 0, NULL),
};
static const struct aff_port rate_in[] = { PORT("in", FIELDS, 0, 0, &bpm) };
static const struct aff_port any_in[] = { PORT("in", FIELDS | SAMPLES, 0, 0, NULL) };

/* No data leaves by any of these. */
#define ABOUT(kind_, name_, size_) ABOUT_FLAGS(kind_, name_, size_, AFF_STAYS)
#define ABOUT_FLAGS(kind_, name_, size_, flags_) .about = { .struct_size = sizeof(struct aff_plugin), \
    .major = AFF_ABI_MAJOR, .kind = kind_, .flags = flags_, .name = name_, .version = "1", .summary = "A test.", \
    .license = "Apache-2.0", .config_size = size_ }, .path = name_ ".so", .shipped = true
#define OPTIONS(table) .options = table, .option_count = sizeof table / sizeof *table
#define INPUTS(table) .inputs = table, .input_count = sizeof table / sizeof *table
#define OUTPUTS(table) .outputs = table, .output_count = sizeof table / sizeof *table

static const struct plugin catalogue[] = {
    { ABOUT_FLAGS(AFF_SOURCE, "in_file", sizeof(struct path_config), AFF_REPLAYS),
      OPTIONS(path_options), OUTPUTS(monitor_out) },
    { ABOUT(AFF_SOURCE, "in_monitor", 0), INPUTS(monitor_in), OUTPUTS(monitor_out) },
    { ABOUT(AFF_PROCESSOR, "op_every", sizeof(struct every_config)), OPTIONS(every_options),
      INPUTS(every_in), OUTPUTS(every_out) },
    { ABOUT(AFF_PROCESSOR, "op_beats", 0), INPUTS(beats_in), OUTPUTS(beats_out) },
    { ABOUT(AFF_PROCESSOR, "op_idle", 0), INPUTS(idle_in), OUTPUTS(beats_out) },
    { ABOUT(AFF_SINK, "out_any", 0), INPUTS(any_in) },
    { ABOUT_FLAGS(AFF_SINK, "out_archive", 0, AFF_STAYS | AFF_ARCHIVE), INPUTS(any_in) },
    { ABOUT(AFF_SINK, "out_pair", 0), INPUTS(pair_in) },
    { ABOUT(AFF_SINK, "out_rate", 0), INPUTS(rate_in) },
};
#define OWN_COUNT (sizeof catalogue / sizeof *catalogue)
#define CATALOGUE_COUNT (OWN_COUNT + GOLDEN_LABELS)

struct plugins {
    struct plugin plugins[CATALOGUE_COUNT];
    struct plugin_entry entries[CATALOGUE_COUNT + 1];
};

struct plugins *plugins_open(const char *const *dirs, size_t count)
{
    struct plugins *plugins = calloc(1, sizeof *plugins);

    (void)dirs;
    (void)count;
    for (size_t i = 0; plugins && i < CATALOGUE_COUNT; i++) {
        struct plugin *plugin = &plugins->plugins[i];

        *plugin = i < OWN_COUNT ? catalogue[i] : golden_labels[i - OWN_COUNT];
        if (!strcmp(plugin->about.name, "op_every"))
            plugin->about.validate = every_validate;
        plugins->entries[i].name = plugin->about.name;
        plugins->entries[i].kind = plugin->about.kind;
    }
    if (plugins)
        plugins->entries[CATALOGUE_COUNT] = (struct plugin_entry){ .name = "op_old" };
    return plugins;
}

void plugins_close(struct plugins **plugins)
{
    free(*plugins);
    *plugins = NULL;
}

const struct plugin *plugins_find(struct plugins *plugins, const char *name, const char **ret_why)
{
    for (size_t i = 0; i < CATALOGUE_COUNT; i++) {
        if (!strcmp(plugins->plugins[i].about.name, name))
            return &plugins->plugins[i];
    }
    *ret_why = "it wants ABI 9, this host has 1; install a newer afferent";
    return NULL;
}

const struct plugin_entry *plugins_list(struct plugins *plugins, size_t *ret_count)
{
    *ret_count = CATALOGUE_COUNT + 1;
    return plugins->entries;
}
