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

/* ---- commands ---- */

static const struct aff_shape *input_at(const struct aff_table *inputs, uint32_t i)
{
    return (const void *)((const char *)inputs->items + (size_t)i * inputs->stride);
}

static const struct aff_column *column_of(const struct aff_schema *schema, const char *name, size_t size)
{
    for (uint32_t i = 0; i < schema->count; i++) {
        const struct aff_column *column = (const void *)((const char *)schema->columns + (size_t)i * schema->stride);

        if (strncmp(column->name, name, size) == 0 && !column->name[size])
            return column;
    }
    return NULL;
}

/* A value that a command's text names: of each edge that may bring it. */
static bool value_check(const struct aff_table *inputs, const char *option, const char *name, int size,
                        const struct aff_report *report)
{
    bool is_there = false;

    for (uint32_t i = 0; i < inputs->count; i++) {
        const struct aff_schema *schema = input_at(inputs, i)->schema;
        const struct aff_column *column = schema ? column_of(schema, name, (size_t)size) : NULL;

        is_there |= column != NULL;
        if (!schema)
            return config_problem(report, option, "sends {%.*s} to the device, and the columns of input %u are known at "
                                                  "run time only, so that it may be patient data; expected columns that "
                                                  "are declared; declare them with columns = [...] before this node",
                                  size, name, (unsigned)i + 1u);
        if (column && column->label == AFF_LABEL_PHI)
            return config_problem(report, option, "sends {%.*s} to the device, and that column of input %u is labelled "
                                                  "phi; expected no patient data in a command; take it out, or send "
                                                  "what identifies nobody", size, name, (unsigned)i + 1u);
    }
    if (is_there)
        return true;
    return config_problem(report, option, "sends {%.*s}, and nothing that comes to commands has a column of that name; "
                                          "expected one that comes with the command; correct the name, or add the "
                                          "column before this node", size, name);
}

static bool values_check(const struct command_config *command, const struct aff_table *inputs,
                         const struct aff_report *report)
{
    const char *at = command->send, *name;
    char option[200];
    bool ok = true;
    size_t size;

    (void)snprintf(option, sizeof option, "commands.%s.send", command->key);
    while (at && template_name(&at, &name, &size) == 1)
        ok = value_check(inputs, option, name, (int)size, report) && ok;
    return ok;
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
    for (uint32_t k = 0; inputs && inputs->count && k < c->commands.count; k++)
        ok = values_check(config_command(c, k), inputs, report) && ok;
    return ok ? AFF_OK : AFF_ERR_CONFIG;
}
