/* SPDX-License-Identifier: Apache-2.0
 *
 * columns.c - what the ports carry. Texts and numbers of messages, identities of the
 * SIM and positions are labelled; words of ours and measures are not. What goes out
 * by SMS leaves this node: commands are checked as at a sink. */
#include "report.h"

#include <string.h>

static const struct aff_column message_columns[MESSAGE_COLUMNS] = {
    [MESSAGE_FROM] = { .name = "from", .type = AFF_TEXT, .label = AFF_LABEL_PHI },
    [MESSAGE_TEXT] = { .name = "text", .type = AFF_TEXT, .label = AFF_LABEL_PHI },
    [MESSAGE_DATA] = { .name = "data", .type = AFF_TEXT, .label = AFF_LABEL_PHI },
    [MESSAGE_TIME] = { .name = "time", .type = AFF_TIME, .label = AFF_LABEL_PHI },
    [MESSAGE_ZONE] = { .name = "zone", .unit = "min", .type = AFF_INT },
    [MESSAGE_CENTRE] = { .name = "service_centre", .type = AFF_TEXT, .label = AFF_LABEL_QUASI },
    [MESSAGE_CODING] = { .name = "coding", .type = AFF_TEXT },
    [MESSAGE_CLASS] = { .name = "class", .unit = "1", .type = AFF_INT },
    [MESSAGE_PORT] = { .name = "port", .unit = "1", .type = AFF_INT },
    [MESSAGE_PARTS] = { .name = "parts", .unit = "1", .type = AFF_INT },
    [MESSAGE_MISSING] = { .name = "missing", .unit = "1", .type = AFF_INT },
};

static const struct aff_column result_columns[RESULT_COLUMNS] = {
    [RESULT_COMMAND] = { .name = "command", .type = AFF_TEXT },
    [RESULT_OUTCOME] = { .name = "outcome", .type = AFF_TEXT, .required = 1 },
    [RESULT_ID] = { .name = "id", .unit = "1", .type = AFF_INT },
    [RESULT_TO] = { .name = "to", .type = AFF_TEXT, .label = AFF_LABEL_PHI },
    [RESULT_REFERENCE] = { .name = "reference", .unit = "1", .type = AFF_INT },
    [RESULT_PARTS] = { .name = "parts", .unit = "1", .type = AFF_INT },
    [RESULT_CODE] = { .name = "code", .unit = "1", .type = AFF_INT },
    [RESULT_WHY] = { .name = "why", .type = AFF_TEXT },
    [RESULT_TRIES] = { .name = "tries", .unit = "1", .type = AFF_INT },
    [RESULT_TOOK] = { .name = "took", .unit = "s", .type = AFF_REAL },
    [RESULT_REPLY] = { .name = "reply", .type = AFF_TEXT, .label = AFF_LABEL_PHI },
};

static const struct aff_column event_columns[EVENT_COLUMNS] = {
    [EVENT_KIND] = { .name = "kind", .type = AFF_TEXT, .required = 1 },
    [EVENT_AT] = { .name = "at", .type = AFF_TIME },
    [EVENT_STATE] = { .name = "state", .type = AFF_TEXT },
    [EVENT_TECHNOLOGY] = { .name = "technology", .type = AFF_TEXT },
    [EVENT_WHY] = { .name = "why", .type = AFF_TEXT },
    [EVENT_NUMBER] = { .name = "number", .unit = "1", .type = AFF_INT },
    [EVENT_TIME_COLUMN] = { .name = "time", .type = AFF_TIME },
    [EVENT_WHO] = { .name = "who", .type = AFF_TEXT, .label = AFF_LABEL_PHI },
    [EVENT_TEXT] = { .name = "text", .type = AFF_TEXT, .label = AFF_LABEL_PHI },
};

static const struct aff_column status_columns[STATUS_COLUMNS] = {
    [STATUS_REGISTRATION] = { .name = "registration", .type = AFF_TEXT },
    [STATUS_ROAMING] = { .name = "roaming", .type = AFF_BOOL },
    [STATUS_OPERATOR] = { .name = "operator", .type = AFF_TEXT, .label = AFF_LABEL_QUASI },
    [STATUS_TECHNOLOGY] = { .name = "technology", .type = AFF_TEXT },
    [STATUS_GENERATION] = { .name = "generation", .unit = "1", .type = AFF_INT },
    [STATUS_RSSI] = { .name = "rssi", .unit = "dB[mW]", .type = AFF_REAL },
    [STATUS_RSCP] = { .name = "rscp", .unit = "dB[mW]", .type = AFF_REAL },
    [STATUS_ECNO] = { .name = "ecno", .unit = "dB", .type = AFF_REAL },
    [STATUS_RSRP] = { .name = "rsrp", .unit = "dB[mW]", .type = AFF_REAL },
    [STATUS_RSRQ] = { .name = "rsrq", .unit = "dB", .type = AFF_REAL },
    [STATUS_SINR] = { .name = "sinr", .unit = "dB", .type = AFF_REAL },
    [STATUS_AREA] = { .name = "area", .unit = "1", .type = AFF_INT, .label = AFF_LABEL_QUASI },
    [STATUS_CELL] = { .name = "cell", .unit = "1", .type = AFF_INT, .label = AFF_LABEL_QUASI },
    [STATUS_SIM] = { .name = "sim", .type = AFF_TEXT },
    [STATUS_STORED] = { .name = "stored", .unit = "1", .type = AFF_INT },
    [STATUS_CAPACITY] = { .name = "capacity", .unit = "1", .type = AFF_INT },
    [STATUS_LINK] = { .name = "link", .type = AFF_BOOL },
    [STATUS_SENT] = { .name = "sent", .unit = "By", .type = AFF_INT },
    [STATUS_RECEIVED] = { .name = "received", .unit = "By", .type = AFF_INT },
};

static const struct aff_column position_columns[POSITION_COLUMNS] = {
    [POSITION_LATITUDE] = { .name = "latitude", .unit = "deg", .type = AFF_REAL, .label = AFF_LABEL_PHI },
    [POSITION_LONGITUDE] = { .name = "longitude", .unit = "deg", .type = AFF_REAL, .label = AFF_LABEL_PHI },
    [POSITION_ALTITUDE] = { .name = "altitude", .unit = "m", .type = AFF_REAL, .label = AFF_LABEL_QUASI },
    [POSITION_SPEED] = { .name = "speed", .unit = "m/s", .type = AFF_REAL },
    [POSITION_COURSE] = { .name = "course", .unit = "deg", .type = AFF_REAL },
    [POSITION_TIME] = { .name = "time", .type = AFF_TIME },
    [POSITION_SATELLITES] = { .name = "satellites", .unit = "1", .type = AFF_INT },
};

#define SCHEMA_OF(n, c) \
    { .struct_size = sizeof(struct aff_schema), .type = AFF_FIELDS, .name = (n), .columns = (c), \
      .count = sizeof(c) / sizeof((c)[0]), .stride = sizeof(struct aff_column) }

const struct aff_schema modem_schemas[PORTS] = {
    [PORT_DATA] = SCHEMA_OF("messages", message_columns),
    [PORT_RESULTS] = SCHEMA_OF("results", result_columns),
    [PORT_EVENTS] = SCHEMA_OF("events", event_columns),
    [PORT_STATUS] = SCHEMA_OF("status", status_columns),
    [PORT_POSITION] = SCHEMA_OF("position", position_columns),
};

/* ---- shape ---- */

static bool has_text(const struct aff_schema *schema, const char *name)
{
    uint32_t i;

    for (i = 0; i < schema->count; i++) {
        const struct aff_column *c = (const void *)((const char *)schema->columns + (size_t)i * schema->stride);

        if (c->name && strcmp(c->name, name) == 0 && c->type == AFF_TEXT)
            return true;
    }
    return false;
}

static bool commands_check(const struct config *c, const struct aff_schema *schema, unsigned input,
                           const struct aff_report *report)
{
    bool alert = has_text(schema, "severity") && has_text(schema, "rule") && has_text(schema, "place") && has_text(schema, "text");

    if (!alert && !has_text(schema, "command")) {
        report->problem(report, NULL, "input %u comes to `commands` and has neither a column \"command\" nor those of an "
                                      "alert; expected command, or severity, rule, place and text, all text; add them", input);
        return false;
    }
    if (alert && !has_text(schema, "command") && c->alert_to.count == 0) {
        report->problem(report, "alert_to", "is empty, and alerts come to `commands` by input %u; expected the numbers they go to; write "
                                            "for example alert_to = [\"+391234567\"]", input);
        return false;
    }
    return true;
}

aff_status config_shape(const void *config, const struct aff_table *inputs, const struct aff_report *report)
{
    const struct config *c = config;
    bool ok = true;
    uint32_t i;

    for (i = 0; i < PORTS; i++) {
        struct aff_shape shape = { .struct_size = sizeof shape, .port = i, .schema = &modem_schemas[i] };

        shape.silent = (i == PORT_STATUS && c->every == 0) || (i == PORT_POSITION && c->position == POSITION_NONE);
        report->output(report, &shape);
    }
    for (i = 0; inputs && i < inputs->count; i++) {
        const struct aff_shape *shape = (const void *)((const char *)inputs->items + (size_t)i * inputs->stride);

        if (shape->schema)
            ok = commands_check(c, shape->schema, i + 1u, report) && ok;
    }
    return ok ? AFF_OK : AFF_ERR_CONFIG;
}
