/* copy_ports.c - the port tables of a plugin, with their schemas, and the
 * schemas and labels that its `shape` says later: the same checks for both.
 *
 * Not here: which ports fit together (config/ knows). */
#include <math.h>
#include <string.h>

#include "load/copy_inside.h"

static const struct row_rule port_rule = {
    "ports", sizeof(struct aff_port), offsetof(struct aff_port, passes), PORTS_MAX
};
static const struct row_rule column_rule = {
    "columns", sizeof(struct aff_column), offsetof(struct aff_column, gain), COLUMNS_MAX
};

#define TYPES_KNOWN (AFF_MASK(AFF_BYTES) | AFF_MASK(AFF_FIELDS) | AFF_MASK(AFF_SAMPLES) | AFF_MASK(AFF_IMAGE))

static bool column_check(struct copier *c, struct aff_column *column, uint8_t type, bool is_output)
{
    if (!string_copy(c, &column->name, "the name of a column", STRING_WORD) ||
        !string_copy(c, &column->unit, "the unit of a column", STRING_MAYBE) ||
        !string_copy(c, &column->code, "the code of a column", STRING_MAYBE))
        return false;
    if (column->label > AFF_LABEL_PHI)
        return copier_refuse(c, "column %s has label %u; 0 to 2 are known", column->name, (unsigned)column->label);
    if (type == AFF_FIELDS && (column->type < AFF_REAL || column->type > AFF_TEXT))
        return copier_refuse(c, "column %s has type %u; 1 to 5 are known", column->name, (unsigned)column->type);
    if (!isfinite(column->gain) || !isfinite(column->baseline))
        return copier_refuse(c, "column %s has a gain or baseline that is no number", column->name);
    if (type == AFF_SAMPLES && is_output && column->gain == 0.0)
        return copier_refuse(c, "channel %s has gain 0", column->name);
    return true;
}

static bool columns_copy(struct copier *c, struct aff_schema *schema, bool is_output)
{
    struct aff_table table = { schema->columns, schema->count, schema->stride };
    struct aff_column *columns;
    void *rows;

    if (!rows_copy(c, &table, &column_rule, &rows))
        return false;
    columns = rows;
    for (uint32_t i = 0; i < schema->count; i++) {
        if (!column_check(c, &columns[i], schema->type, is_output))
            return false;
        for (uint32_t k = 0; schema->type == AFF_FIELDS && k < i; k++) {
            if (!strcmp(columns[k].name, columns[i].name))
                return copier_refuse(c, "column %s is there twice", columns[i].name);
        }
    }
    schema->columns = schema->count ? columns : NULL;
    schema->stride = (uint32_t)sizeof *columns;
    return true;
}

static bool schema_check(struct copier *c, const struct aff_schema *schema, uint32_t types)
{
    if (schema->type < AFF_BYTES || schema->type > AFF_IMAGE || !(types & AFF_MASK(schema->type)))
        return copier_refuse(c, "its schema has type %u, which the port does not carry", (unsigned)schema->type);
    if (schema->label > AFF_LABEL_PHI)
        return copier_refuse(c, "its schema has label %u; 0 to 2 are known", (unsigned)schema->label);
    if (schema->format > AFF_F32 || (schema->type != AFF_SAMPLES && schema->format))
        return copier_refuse(c, "its schema has sample format %u", (unsigned)schema->format);
    if (schema->rate_num && !schema->rate_den)
        return copier_refuse(c, "its schema has a rate divided by 0");
    return true;
}

static bool schema_copy(struct copier *c, const struct aff_schema **ret_schema, uint32_t types, bool is_output)
{
    const struct aff_schema *theirs = *ret_schema;
    struct aff_schema *schema;
    uint32_t size;

    if (!theirs)
        return true;
    if (!peek_bytes(&c->peek, theirs, &size, sizeof size))
        return copier_refuse(c, "its schema cannot be read");
    if (size < offsetof(struct aff_schema, rate_num) || size > STRIDE_MAX)
        return copier_refuse(c, "its schema has struct_size %u; at least %zu was expected", size,
                             offsetof(struct aff_schema, rate_num));
    schema = arena_take(c->arena, sizeof *schema);
    if (!schema)
        return false;
    if (!peek_bytes(&c->peek, theirs, schema, size < sizeof *schema ? size : sizeof *schema))
        return copier_refuse(c, "its schema cannot be read");
    schema->struct_size = (uint32_t)sizeof *schema;
    *ret_schema = schema;
    return string_copy(c, &schema->name, "the name of its schema", STRING_MAYBE) &&
           schema_check(c, schema, types) && columns_copy(c, schema, is_output);
}

static bool port_check(struct copier *c, const struct aff_port *port, bool is_output, uint32_t inputs)
{
    uint32_t flags = is_output ? 0 : AFF_PORT_EDITS | AFF_PORT_OPTIONAL | AFF_PORT_COMMANDS;

    if (!port->types || (port->types & ~TYPES_KNOWN))
        return copier_refuse(c, "types 0x%x: bytes, fields, samples and image are known", port->types);
    if (port->flags & ~flags)
        return copier_refuse(c, "flags 0x%x do not belong to this port", port->flags);
    if (is_output && port->passes > inputs)
        return copier_refuse(c, "it passes input %u; there are %u", port->passes - 1u, inputs);
    if (!is_output && port->passes)
        return copier_refuse(c, "an input passes nothing on");
    if (port->priority > AFF_PRIO_BULK)
        return copier_refuse(c, "priority %u; 0 to 3 are known", (unsigned)port->priority);
    return true;
}

static bool others_check(struct copier *c, const struct aff_port *ports, uint32_t row)
{
    for (uint32_t k = 0; k < row; k++) {
        if (!strcmp(ports[k].name, ports[row].name))
            return copier_refuse(c, "the name is there twice");
        if (ports[row].passes && ports[k].passes == ports[row].passes)
            return copier_refuse(c, "it passes the same input as output %s", ports[k].name);
    }
    return true;
}

bool ports_copy(struct copier *c, const struct aff_table *table, bool is_output, uint32_t inputs,
                const struct aff_port **ret_ports)
{
    const char *what = is_output ? "output" : "input";
    struct aff_port *ports;
    void *rows;

    copier_at(c, "%ss", what);
    if (!rows_copy(c, table, &port_rule, &rows))
        return false;
    ports = rows;
    for (uint32_t i = 0; i < table->count; i++) {
        copier_at(c, "%s #%u", what, i);
        if (!string_copy(c, &ports[i].name, "its name", STRING_NAME))
            return false;
        copier_at(c, "%s %s", what, ports[i].name);
        if (!others_check(c, ports, i))
            return false;
        if (!string_copy(c, &ports[i].doc, "its sentence", STRING_MAYBE) ||
            !port_check(c, &ports[i], is_output, inputs) ||
            !schema_copy(c, &ports[i].schema, ports[i].types, is_output))
            return false;
    }
    *ret_ports = ports;
    return true;
}

static bool said_copy(struct copier *c, const struct plugin *plugin, const struct aff_shape *theirs,
                      struct aff_shape *shape)
{
    uint32_t size;

    copier_at(c, "shape");
    if (!theirs || !peek_bytes(&c->peek, theirs, &size, sizeof size))
        return copier_refuse(c, "what it says of an output cannot be read");
    if (size < offsetof(struct aff_shape, silent) || size > STRIDE_MAX)
        return copier_refuse(c, "a struct aff_shape has struct_size %u; at least %zu was expected", size,
                             offsetof(struct aff_shape, silent));
    if (!peek_bytes(&c->peek, theirs, shape, size < sizeof *shape ? size : sizeof *shape))
        return copier_refuse(c, "what it says of an output cannot be read");
    if (shape->port >= plugin->output_count)
        return copier_refuse(c, "it speaks of output %u; there are %u", shape->port, plugin->output_count);
    shape->struct_size = (uint32_t)sizeof *shape;
    copier_at(c, "shape of output %s", plugin->outputs[shape->port].name);
    if (shape->subject > AFF_LABEL_PHI || shape->times > AFF_LABEL_PHI || shape->names > AFF_LABEL_PHI)
        return copier_refuse(c, "it has a label that is not 0 to 2");
    return schema_copy(c, &shape->schema, plugin->outputs[shape->port].types, true);
}

bool shape_copy(struct arena *arena, const struct plugin *plugin, const struct aff_shape *theirs,
                struct aff_shape *ret_shape, struct text *why)
{
    struct copier c = { .arena = arena, .why = why };
    struct aff_shape shape = { 0 };
    bool is_good;

    if (!peek_open(&c.peek)) {
        text_add(why, "cannot be examined: no descriptors are left; two are needed; close some "
                      "or raise the limit (ulimit -n)");
        return false;
    }
    is_good = said_copy(&c, plugin, theirs, &shape);
    peek_close(&c.peek);
    if (is_good)
        *ret_shape = shape;
    return is_good;
}
