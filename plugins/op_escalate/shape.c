/* shape.c - what the rows carry, and whether answers can be read.
 *
 * A row is made of the alert and of the options; of a command only `by` goes on. So the
 * number and text of a message, which are labelled, label nothing here.
 *
 * Not here: options by themselves (plan.c); the columns of alerts, which the table of
 * ports asks for. */
#include "escalate.h"

#include <string.h>

static const struct aff_shape *shape_at(const struct aff_table *inputs, uint32_t i)
{
    return (const void *)((const char *)inputs->items + (size_t)i * inputs->stride);
}

static bool has_column(const struct aff_schema *s, const char *name, uint8_t type)
{
    uint32_t i;

    for (i = 0; i < s->count; i++) {
        const struct aff_column *c = (const void *)((const char *)s->columns + (size_t)i * s->stride);

        if (c->name && c->type == type && strcmp(c->name, name) == 0)
            return true;
    }
    return false;
}

static bool has_text(const struct aff_schema *s, const char *name)
{
    return has_column(s, name, AFF_TEXT);
}

static bool answers_fit(const struct aff_schema *s)
{
    bool names = has_text(s, "alert") || (has_text(s, "rule") && has_text(s, "place"));

    return (has_text(s, "action") && names) || (has_text(s, "from") && has_text(s, "text")) ||
           (has_text(s, "outcome") && has_column(s, "id", AFF_INT));
}

static uint8_t higher(uint8_t a, uint8_t b)
{
    return a > b ? a : b;
}

/* What goes on from an edge of alerts; an open one may hold anything. */
static uint8_t input_label(const struct aff_schema *s)
{
    static const char *const told[] = { "severity", "state", "rule", "place", "text", "alert", "since" };

    return s ? columns_label(s, told, sizeof told / sizeof told[0]) : AFF_LABEL_PHI;
}

static uint8_t by_label(const struct aff_schema *s)
{
    static const char *const by[] = { "by" };

    if (!s)
        return AFF_LABEL_PHI;
    return has_text(s, "action") ? columns_label(s, by, 1) : AFF_LABEL_NONE;
}

static void output_say(const struct aff_report *report, uint32_t port, const struct aff_schema *table, uint8_t label,
                       const struct aff_shape *whose)
{
    struct aff_column columns[CALL_COLUMNS];
    struct aff_schema schema = *table;
    struct aff_shape shape = *whose;

    labels_set(columns, table, label);
    schema.columns = columns;
    shape.port = port;
    shape.schema = &schema;
    report->output(report, &shape);
}

aff_status escalate_shape(const void *config, const struct aff_table *inputs, const struct aff_report *report)
{
    struct aff_shape whose = { .struct_size = sizeof whose };
    uint8_t label = AFF_LABEL_NONE;
    aff_status st = AFF_OK;
    uint32_t i;

    (void)config;
    for (i = 0; i < inputs->count; i++) {
        const struct aff_shape *in = shape_at(inputs, i);

        if (in->port == PORT_IN) {
            label = higher(label, input_label(in->schema));
            whose.subject = higher(whose.subject, in->subject);
            whose.times = higher(whose.times, in->times);
            continue;
        }
        label = higher(label, by_label(in->schema));
        if (!in->schema || answers_fit(in->schema))
            continue;
        report->problem(report, NULL, "input \"commands\" lacks columns; expected action, and alert or rule and place; "
                        "from and text as a modem gives messages; or outcome and id as it gives results; all text but id; "
                        "declare them in the node that reads the answers");
        st = AFF_ERR_CONFIG;
    }
    if (st != AFF_OK)
        return st;
    output_say(report, OUT_ALERTS, &call_schema, label, &whose);
    output_say(report, OUT_ACKS, &ack_schema, label, &whose);
    return AFF_OK;
}
