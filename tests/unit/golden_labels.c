/* golden_labels.c - plugins for the tests of types and privacy.
 *
 * in_rows     columns by its options, else open; `published` for no identity
 * op_look     passes unchanged    op_join   two inputs, a schema of its own
 * op_route    two ways out by verdicts         op_add   passes, and adds rows of its own
 * op_anon     new identities, only the columns it keeps
 * op_alert    its own columns; only the one named in the text carries a label
 * op_ack      passes its first input, takes commands
 * op_bad      says what no plugin may say
 * in_pump     a device that takes commands     in_valve  one that looks at them itself
 * out_cloud   data leaves by it; `secure` vouches for the other end
 * out_vitals  needs columns      out_temp   can do without its column
 *
 * Not here: how they are found (golden_plugins.c). */
#include <stdlib.h>
#include <string.h>

#include "golden_plugins.h"

static const char *const types[] = { "real", "int", "bool", "time", "text", NULL };
static const char *const labels[] = { "none", "quasi", "phi", NULL };
enum { COLUMNS_MOST = 64 };

#define OPTION(struct_, name_, member_, type_, flags_, preset_, ...) \
    { .name = name_, .doc = "The " name_ ".", .preset = preset_, .type = type_, .flags = flags_, \
      .offset = (uint32_t)offsetof(struct struct_, member_), .min = 1, .max = -1, __VA_ARGS__ }
#define NESTED(table, struct_) .nested = table, .nested_count = sizeof table / sizeof *table, \
      .nested_size = sizeof(struct_)
#define FIELDS AFF_MASK(AFF_FIELDS)
#define SAMPLES AFF_MASK(AFF_SAMPLES)
#define BYTES AFF_MASK(AFF_BYTES)
#define IMAGE AFF_MASK(AFF_IMAGE)
#define PORT(name_, types_, flags_, passes_, schema_) \
    { .name = name_, .doc = "A port.", .schema = schema_, .types = types_, .flags = flags_, .passes = passes_ }

static const struct aff_column *input_column(const struct aff_table *inputs, const char *name)
{
    for (uint32_t i = 0; i < inputs->count; i++) {
        const struct aff_shape *shape = (const void *)((const char *)inputs->items + (size_t)i * inputs->stride);

        for (uint32_t k = 0; shape->schema && k < shape->schema->count; k++) {
            const struct aff_column *c =
                (const void *)((const char *)shape->schema->columns + (size_t)k * shape->schema->stride);

            if (!strcmp(c->name, name))
                return c;
        }
    }
    return NULL;
}

static void output_say(const struct aff_report *report, const char *name, const struct aff_column *columns,
                       uint32_t count, uint8_t identity)
{
    struct aff_schema schema = { .struct_size = sizeof schema, .type = AFF_FIELDS, .name = name,
                                 .columns = columns, .count = count, .stride = sizeof *columns };
    struct aff_shape shape = { .struct_size = sizeof shape, .schema = &schema, .subject = identity,
                               .times = identity, .names = identity };

    report->output(report, &shape);
}

/* ---- in_rows ---- */

struct row_column { const char *name; int32_t type; const char *unit; int32_t label; };
struct rows_config { struct aff_list columns; int32_t published; };
static const struct aff_option row_column_options[] = {
    OPTION(row_column, "name", name, AFF_TYPE_TEXT, AFF_OPT_REQUIRED, NULL, .unit = NULL),
    OPTION(row_column, "type", type, AFF_TYPE_ENUM, 0, "\"real\"", .choices = types),
    OPTION(row_column, "unit", unit, AFF_TYPE_TEXT, 0, NULL, .unit = NULL),
    OPTION(row_column, "label", label, AFF_TYPE_ENUM, 0, "\"none\"", .choices = labels),
};
static const struct aff_option rows_options[] = {
    OPTION(rows_config, "columns", columns, AFF_TYPE_LIST, 0, NULL, NESTED(row_column_options, struct row_column)),
    OPTION(rows_config, "published", published, AFF_TYPE_BOOL, 0, "false", .unit = NULL),
};
static const struct aff_port rows_out[] = { PORT("rows", FIELDS, 0, 0, NULL) };

static aff_status rows_shape(const void *config, const struct aff_table *inputs, const struct aff_report *report)
{
    const struct rows_config *c = config;
    const struct row_column *from = c->columns.items;
    struct aff_column columns[COLUMNS_MOST] = { { .name = NULL } };

    if (inputs->count)
        report->problem(report, NULL, "a source was given inputs");
    if (!c->columns.count)
        return AFF_OK;
    for (uint32_t i = 0; i < c->columns.count && i < COLUMNS_MOST; i++)
        columns[i] = (struct aff_column){ .name = from[i].name, .unit = from[i].unit,
                                          .type = (uint8_t)(from[i].type + 1), .label = (uint8_t)from[i].label };
    output_say(report, "row", columns, c->columns.count, c->published ? AFF_LABEL_NONE : AFF_LABEL_PHI);
    return AFF_OK;
}

/* ---- processors that say nothing of their outputs ---- */

static const struct aff_column whose[] = { { .name = "weight", .unit = "kg", .type = AFF_REAL },
                                           { .name = "born", .type = AFF_TIME, .label = AFF_LABEL_PHI } };
static const struct aff_schema scale_schema = { .struct_size = sizeof scale_schema, .type = AFF_FIELDS,
    .name = "scale", .columns = whose, .count = 2, .stride = sizeof *whose };
static const struct aff_schema public_bytes = { .struct_size = sizeof public_bytes, .type = AFF_BYTES };
static const struct aff_schema plain_samples = { .struct_size = sizeof plain_samples, .type = AFF_SAMPLES,
    .label = AFF_LABEL_NONE };
static const struct aff_schema face = { .struct_size = sizeof face, .type = AFF_IMAGE, .label = AFF_LABEL_PHI };
static const struct aff_port ward_out[] = {
    PORT("scale", FIELDS, 0, 0, &scale_schema), PORT("manual", BYTES, 0, 0, &public_bytes),
    PORT("pulse", SAMPLES, 0, 0, &plain_samples), PORT("camera", IMAGE, 0, 0, &face),
    PORT("raw", BYTES, 0, 0, NULL), PORT("free", FIELDS, 0, 0, NULL),
};
static const struct aff_port pump_in[] = { PORT("commands", FIELDS, AFF_PORT_COMMANDS | AFF_PORT_OPTIONAL, 0, NULL) };
static const struct aff_port look_in[] = { PORT("in", SAMPLES | FIELDS | BYTES, 0, 0, NULL) };
static const struct aff_port look_out[] = { PORT("out", SAMPLES | FIELDS | BYTES, 0, AFF_PASSES(0), NULL) };
static const struct aff_column score_column[] = { { .name = "score", .type = AFF_INT } };
static const struct aff_schema score = { .struct_size = sizeof score, .type = AFF_FIELDS, .name = "score",
    .columns = score_column, .count = 1, .stride = sizeof *score_column };
static const struct aff_port join_in[] = {
    PORT("a", FIELDS, 0, 0, NULL), PORT("b", FIELDS | SAMPLES, AFF_PORT_OPTIONAL, 0, NULL),
};
static const struct aff_port join_out[] = { PORT("score", FIELDS, 0, 0, &score) };
static const struct aff_port add_out[] = { PORT("out", FIELDS, 0, AFF_PASSES(0), &scale_schema) };
static const struct aff_port route_out[] = {
    PORT("kept", FIELDS, 0, AFF_PASSES(0), NULL), PORT("others", FIELDS, 0, 0, NULL),
};
static const struct aff_port fields_in[] = { PORT("in", FIELDS, 0, 0, NULL) };
static const struct aff_verdict route_verdicts[] = { { .name = "other", .kind = AFF_V_PORT, .port = 1 } };

/* ---- op_anon ---- */

struct anon_config { struct aff_list keep; };
static const struct aff_option name_item[] = { AFF_OPT_ITEM(AFF_TYPE_TEXT, 0, "A column.") };
static const struct aff_option anon_options[] = {
    OPTION(anon_config, "keep", keep, AFF_TYPE_LIST, AFF_OPT_REQUIRED, NULL, NESTED(name_item, const char *)),
};
static const struct aff_port anon_out[] = { PORT("out", FIELDS, 0, 0, NULL) };

static aff_status anon_shape(const void *config, const struct aff_table *inputs, const struct aff_report *report)
{
    const struct anon_config *c = config;
    const char *const *keep = c->keep.items;
    struct aff_column columns[COLUMNS_MOST] = { { .name = NULL } };
    char option[32] = "keep[0]";

    for (uint32_t i = 0; i < inputs->count; i++) {
        const struct aff_shape *shape = (const void *)((const char *)inputs->items + (size_t)i * inputs->stride);

        if (shape->schema)
            continue;
        report->problem(report, NULL, "the columns of input %u are known at run time only; expected them "
                        "declared; write columns = [...]", (unsigned)i + 1);
        return AFF_ERR_CONFIG;
    }
    for (uint32_t i = 0; i < c->keep.count && i < 10; i++) {
        const struct aff_column *column = input_column(inputs, keep[i]);

        option[5] = (char)('0' + i);
        if (!column) {
            report->problem(report, option, "there is no column %s; expected one that comes in; correct keep",
                            keep[i]);
            return AFF_ERR_CONFIG;
        }
        columns[i] = *column;
        if (columns[i].label == AFF_LABEL_PHI)
            columns[i].label = AFF_LABEL_NONE;
    }
    output_say(report, "anon", columns, c->keep.count, AFF_LABEL_NONE);
    return AFF_OK;
}

/* ---- op_alert ---- */

struct alert_config { const char *names; };
static const struct aff_option alert_options[] = {
    OPTION(alert_config, "names", names, AFF_TYPE_TEXT, 0, NULL, .unit = NULL),
};
static const struct aff_port alert_in[] = { PORT("in", FIELDS, 0, 0, NULL),
    PORT("commands", FIELDS, AFF_PORT_COMMANDS | AFF_PORT_OPTIONAL, 0, NULL) };
static const struct aff_port alert_out[] = { PORT("alerts", FIELDS, 0, 0, NULL) };

static aff_status alert_shape(const void *config, const struct aff_table *inputs, const struct aff_report *report)
{
    const struct alert_config *c = config;
    const struct aff_column *named = c->names ? input_column(inputs, c->names) : NULL;
    const struct aff_column columns[] = {
        { .name = "severity", .type = AFF_TEXT },
        { .name = "text", .type = AFF_TEXT, .label = named ? named->label : AFF_LABEL_NONE },
    };

    output_say(report, "alert", columns, 2, AFF_LABEL_NONE);
    return AFF_OK;
}

/* ---- in_valve ---- */

/* It answers on `results`; `told` is there only where commands were, which is wrong. */
struct valve_config { const char *sends; int32_t tells; };
static const struct aff_option valve_options[] = {
    OPTION(valve_config, "sends", sends, AFF_TYPE_TEXT, 0, NULL, .unit = NULL),
    OPTION(valve_config, "tells", tells, AFF_TYPE_BOOL, 0, "false", .unit = NULL),
};
static const struct aff_column valve_command[] = { { .name = "command", .type = AFF_TEXT, .required = 1 } };
static const struct aff_schema valve_commands = { .struct_size = sizeof valve_commands, .type = AFF_FIELDS,
    .name = "commands", .columns = valve_command, .count = 1, .stride = sizeof *valve_command };
static const struct aff_port valve_in[] = {
    PORT("commands", FIELDS, AFF_PORT_COMMANDS | AFF_PORT_OPTIONAL, 0, &valve_commands),
};
static const struct aff_port valve_out[] = { PORT("results", FIELDS, 0, 0, NULL) };

static aff_status valve_shape(const void *config, const struct aff_table *inputs, const struct aff_report *report)
{
    const struct valve_config *c = config;
    const struct aff_column columns[] = { { .name = "command", .type = AFF_TEXT }, { .name = "told", .type = AFF_TEXT } };

    output_say(report, "result", columns, inputs->count && c->tells ? 2 : 1, AFF_LABEL_PHI);
    for (uint32_t i = 0; c->sends && i < inputs->count; i++) {
        const struct aff_table one = { (const char *)inputs->items + (size_t)i * inputs->stride, 1, inputs->stride };
        const struct aff_column *column = input_column(&one, c->sends);

        if (!column || column->label != AFF_LABEL_PHI)
            continue;
        report->problem(report, "sends", "%s of input %u is labelled phi; expected no patient data in a command; take it "
                        "out", c->sends, (unsigned)i + 1);
        return AFF_ERR_CONFIG;
    }
    return AFF_OK;
}

/* ---- op_bad ---- */

static const char *const ways[] = { "null_name", "null_columns", "bad_type", "bad_label", "bad_port", "wild",
                                    "silent", "secure", "validate", "wrong_port_type", "twice", "many",
                                    "null", "small", "bad_identity", "wild_columns",
                                    "silent_output", NULL };
enum { NULL_NAME, NULL_COLUMNS, BAD_TYPE, BAD_LABEL, BAD_PORT, WILD, SILENT, SECURE, VALIDATE, WRONG_PORT_TYPE,
       TWICE, MANY, NULL_SHAPE, SMALL, BAD_IDENTITY, WILD_COLUMNS, SILENT_OUTPUT };
struct bad_config { int32_t way; };
static const struct aff_option bad_options[] = {
    OPTION(bad_config, "way", way, AFF_TYPE_ENUM, AFF_OPT_REQUIRED, NULL, .choices = ways),
};

static aff_status bad_validate(const void *config, const struct aff_report *report)
{
    const struct bad_config *c = config;
    const struct aff_shape shape = { .struct_size = sizeof shape };

    if (c->way == VALIDATE)
        report->output(report, &shape);
    return AFF_OK;
}

static aff_status bad_shape(const void *config, const struct aff_table *inputs, const struct aff_report *report)
{
    const struct bad_config *c = config;
    static const char *const letters[] = { "a", "b", "c", "d", "e", "f", "g", "h", "i",
                                           "j", "k", "l", "m", "n", "o", "p", "q", "r" };
    struct aff_column column = { .name = "a", .type = AFF_REAL };
    struct aff_schema schema = { .struct_size = sizeof schema, .type = AFF_FIELDS, .columns = &column,
                                 .count = 1, .stride = sizeof column };
    struct aff_shape shape = { .struct_size = sizeof shape, .schema = &schema };

    (void)inputs;
    switch (c->way) {
    case NULL_NAME: column.name = NULL; break;
    case NULL_COLUMNS: schema.columns = NULL; break;
    case BAD_TYPE: column.type = 77; break;
    case BAD_LABEL: column.label = 9; break;
    case BAD_PORT: shape.port = 5; break;
    case WILD: shape.schema = (const struct aff_schema *)(uintptr_t)0x1000; break;
    case WILD_COLUMNS: schema.columns = (const struct aff_column *)(uintptr_t)0x1000; break;
    case SILENT: return AFF_ERR_CONFIG;
    case SECURE: report->secure(report); return AFF_OK;
    case WRONG_PORT_TYPE: schema.type = AFF_IMAGE; break;
    case TWICE: report->output(report, &shape); column.name = "b"; break;
    case NULL_SHAPE: report->output(report, NULL); return AFF_OK;
    case SILENT_OUTPUT: shape.silent = 1; shape.schema = NULL; break;
    case SMALL: shape.struct_size = 4; break;
    case BAD_IDENTITY: shape.subject = 3; break;
    default: break;
    }
    for (uint32_t i = 0; c->way == MANY && i < sizeof letters / sizeof *letters; i++) {
        column.name = letters[i];
        report->output(report, &shape);
    }
    report->output(report, &shape);
    return AFF_OK;
}

/* ---- sinks ---- */

struct cloud_config { int32_t secure, anybody; };
static const struct aff_option cloud_options[] = {
    OPTION(cloud_config, "secure", secure, AFF_TYPE_BOOL, 0, "false", .unit = NULL),
    OPTION(cloud_config, "anybody", anybody, AFF_TYPE_BOOL, 0, "false", .unit = NULL),
};

static aff_status cloud_validate(const void *config, const struct aff_report *report)
{
    if (((const struct cloud_config *)config)->secure)
        report->secure(report);
    if (((const struct cloud_config *)config)->anybody)
        report->note(report, "anybody", "any server is accepted; whoever is in the way can read along");
    return AFF_OK;
}

static void asked_committed(void *self, uint64_t epoch)
{
    (void)self;
    (void)epoch;
}

static const struct aff_port cloud_in[] = { PORT("in", FIELDS | SAMPLES | BYTES | IMAGE, 0, 0, NULL) };
static const struct aff_column vitals[] = {
    { .name = "temperature", .unit = "Cel", .type = AFF_REAL, .required = 1 },
    { .name = "heart_rate", .unit = "/min", .type = AFF_REAL, .required = 1 },
    { .name = "spo2", .unit = "%", .type = AFF_REAL },
};
static const struct aff_schema vitals_schema = { .struct_size = sizeof vitals_schema, .type = AFF_FIELDS,
    .name = "vitals", .columns = vitals, .count = 3, .stride = sizeof *vitals };
static const struct aff_column optional[] = { { .name = "temperature", .unit = "Cel", .type = AFF_REAL } };
static const struct aff_schema optional_schema = { .struct_size = sizeof optional_schema, .type = AFF_FIELDS,
    .name = "temp", .columns = optional, .count = 1, .stride = sizeof *optional };
static const struct aff_port vitals_in[] = { PORT("in", FIELDS, 0, 0, &vitals_schema) };
static const struct aff_port temp_in[] = { PORT("in", FIELDS | SAMPLES, 0, 0, &optional_schema) };

#define ABOUT(kind_, name_, size_, flags_, validate_, shape_) .about = { \
    .struct_size = sizeof(struct aff_plugin), .major = AFF_ABI_MAJOR, .kind = kind_, .flags = flags_, \
    .name = name_, .version = "1", .summary = "A test.", .license = "Apache-2.0", .config_size = size_, \
    .validate = validate_, .shape = shape_ }, .path = name_ ".so", .shipped = true
#define OPTIONS(table) .options = table, .option_count = sizeof table / sizeof *table
#define INPUTS(table) .inputs = table, .input_count = sizeof table / sizeof *table
#define OUTPUTS(table) .outputs = table, .output_count = sizeof table / sizeof *table

const struct plugin golden_labels[GOLDEN_LABELS] = {
    { .about = { .struct_size = sizeof(struct aff_plugin), .major = AFF_ABI_MAJOR, .kind = AFF_SOURCE, .name = "in_asked",
                 .version = "1", .summary = "A test.", .license = "Apache-2.0", .committed = asked_committed },
      .path = "in_asked.so", .shipped = true, OUTPUTS(ward_out) },
    { ABOUT(AFF_SOURCE, "in_rows", sizeof(struct rows_config), AFF_REPLAYS, NULL, rows_shape), OPTIONS(rows_options),
      OUTPUTS(rows_out) },
    { ABOUT(AFF_SOURCE, "in_ward", 0, AFF_REPLAYS, NULL, NULL), OUTPUTS(ward_out) },
    { ABOUT(AFF_SOURCE, "in_pump", sizeof(struct cloud_config), 0, cloud_validate, NULL), OPTIONS(cloud_options),
      INPUTS(pump_in), OUTPUTS(ward_out) },
    { ABOUT(AFF_SOURCE, "in_valve", sizeof(struct valve_config), AFF_STAYS, NULL, valve_shape),
      OPTIONS(valve_options), INPUTS(valve_in), OUTPUTS(valve_out) },
    { ABOUT(AFF_PROCESSOR, "op_look", 0, 0, NULL, NULL), INPUTS(look_in), OUTPUTS(look_out) },
    { ABOUT(AFF_PROCESSOR, "op_join", 0, 0, NULL, NULL), INPUTS(join_in), OUTPUTS(join_out) },
    { ABOUT(AFF_PROCESSOR, "op_add", 0, 0, NULL, NULL), INPUTS(fields_in), OUTPUTS(add_out) },
    { ABOUT(AFF_PROCESSOR, "op_route", 0, 0, NULL, NULL), INPUTS(fields_in), OUTPUTS(route_out),
      .verdicts = route_verdicts, .verdict_count = 1 },
    { ABOUT(AFF_PROCESSOR, "op_anon", sizeof(struct anon_config), AFF_REWRITES, NULL, anon_shape),
      OPTIONS(anon_options), INPUTS(fields_in), OUTPUTS(anon_out) },
    { ABOUT(AFF_PROCESSOR, "op_alert", sizeof(struct alert_config), 0, NULL, alert_shape), OPTIONS(alert_options),
      INPUTS(alert_in), OUTPUTS(alert_out) },
    { ABOUT(AFF_PROCESSOR, "op_ack", 0, 0, NULL, NULL), INPUTS(alert_in), OUTPUTS(look_out) },
    { ABOUT(AFF_PROCESSOR, "op_bad", sizeof(struct bad_config), 0, bad_validate, bad_shape), OPTIONS(bad_options),
      INPUTS(look_in), OUTPUTS(anon_out) },
    { ABOUT(AFF_SINK, "out_cloud", sizeof(struct cloud_config), 0, cloud_validate, NULL), OPTIONS(cloud_options),
      INPUTS(cloud_in) },
    { ABOUT(AFF_SINK, "out_vitals", 0, AFF_STAYS, NULL, NULL), INPUTS(vitals_in) },
    { ABOUT(AFF_SINK, "out_temp", 0, AFF_STAYS, NULL, NULL), INPUTS(temp_in) },
};
