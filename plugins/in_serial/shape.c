/* SPDX-License-Identifier: Apache-2.0
 *
 * shape.c - what the ports carry, and that no patient data goes to the device.
 *
 * A row of a command stays on this node but for the columns that its text names:
 * so in_serial says that it stays, and looks at those columns itself. */
#include "serial.h"

#include <stdio.h>
#include <string.h>

const struct aff_schema serial_data_schema = {
    .struct_size = sizeof(struct aff_schema), .type = AFF_BYTES, .label = AFF_LABEL_PHI, .name = "serial",
};

static const struct aff_column result_columns[RESULT_COLUMNS] = {
    [RESULT_COMMAND] = { .name = "command", .type = AFF_TEXT },
    [RESULT_OUTCOME] = { .name = "outcome", .type = AFF_TEXT, .required = 1 },
    [RESULT_REPLY] = { .name = "reply", .type = AFF_TEXT, .label = AFF_LABEL_PHI },
    [RESULT_TRIES] = { .name = "tries", .unit = "1", .type = AFF_INT },
    [RESULT_TOOK] = { .name = "took", .unit = "s", .type = AFF_REAL },
    [RESULT_DEVICE] = { .name = "device", .type = AFF_TEXT },
    [RESULT_ORDER] = { .name = "order", .type = AFF_TEXT }, /* the id of the command's record */
};
const struct aff_schema serial_result_schema = {
    .struct_size = sizeof(struct aff_schema), .type = AFF_FIELDS, .name = "results",
    .columns = result_columns, .count = RESULT_COLUMNS, .stride = sizeof(struct aff_column),
};

static const struct aff_column event_columns[EVENT_COLUMNS] = {
    [EVENT_KIND] = { .name = "kind", .type = AFF_TEXT, .required = 1 },
    [EVENT_DEVICE] = { .name = "device", .type = AFF_TEXT },
    [EVENT_AT] = { .name = "at", .type = AFF_TIME },
    [EVENT_COUNT] = { .name = "count", .unit = "1", .type = AFF_INT },
    [EVENT_SECONDS] = { .name = "seconds", .unit = "s", .type = AFF_REAL },
    [EVENT_WHY] = { .name = "why", .type = AFF_TEXT },
};
const struct aff_schema serial_event_schema = {
    .struct_size = sizeof(struct aff_schema), .type = AFF_FIELDS, .name = "events",
    .columns = event_columns, .count = EVENT_COLUMNS, .stride = sizeof(struct aff_column),
};

static const struct aff_column command_columns[] = {
    { .name = "command", .type = AFF_TEXT, .required = 1 },
};
const struct aff_schema serial_command_schema = {
    .struct_size = sizeof(struct aff_schema), .type = AFF_FIELDS, .name = "commands",
    .columns = command_columns, .count = 1, .stride = sizeof(struct aff_column),
};

const struct aff_schema *const serial_schema[PORTS] = {
    [PORT_DATA] = &serial_data_schema,
    [PORT_RESULTS] = &serial_result_schema,
    [PORT_EVENTS] = &serial_event_schema,
};

static uint8_t label_of(const struct aff_schema *schema, const char *name, size_t size)
{
    for (uint32_t i = 0; schema && i < schema->count; i++) {
        const struct aff_column *column = (const void *)((const char *)schema->columns + (size_t)i * schema->stride);

        if (strncmp(column->name, name, size) == 0 && !column->name[size])
            return column->label;
    }
    return schema ? AFF_LABEL_NONE : AFF_LABEL_PHI; /* of an open schema all may be */
}

static bool values_check(const struct command_config *command, const struct aff_schema *schema,
                         const struct aff_report *report)
{
    const char *at = command->send, *name;
    char option[200];
    size_t size;

    while (at && template_name(&at, &name, &size) == 1) {
        if (label_of(schema, name, size) != AFF_LABEL_PHI)
            continue;
        (void)snprintf(option, sizeof option, "commands.%s.send", command->key);
        return config_problem(report, option, "sends {%.*s} to the device, which is or may be patient data; expected "
                                              "columns that are declared and not labelled phi; take it out, or "
                                              "declare the column before this node", (int)size, name);
    }
    return true;
}

aff_status config_shape(const void *config, const struct aff_table *inputs, const struct aff_report *report)
{
    const struct config *c = config;
    bool ok = true;

    for (uint32_t port = 0; port < PORTS; port++) {
        struct aff_shape shape = { .struct_size = sizeof shape,
                                   .port = port,
                                   .schema = serial_schema[port],
                                   .subject = AFF_LABEL_PHI,
                                   .times = AFF_LABEL_PHI,
                                   .names = AFF_LABEL_PHI };

        report->output(report, &shape);
    }
    for (uint32_t i = 0; inputs && i < inputs->count; i++) {
        const struct aff_shape *shape = (const void *)((const char *)inputs->items + (size_t)i * inputs->stride);

        for (uint32_t k = 0; k < c->commands.count; k++)
            ok = values_check(config_command(c, k), shape->schema, report) && ok;
    }
    return ok ? AFF_OK : AFF_ERR_CONFIG;
}
