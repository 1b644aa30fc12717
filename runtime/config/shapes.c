/* shapes.c - what each output carries.
 *
 * In the data's order each plugin is asked, given what comes to it. Where it
 * says nothing, the rule of plugin.h holds: what its input has where it passes
 * one, else the schema of its table, and the highest labels of any input. Of
 * records that pass unchanged each column keeps its own label; where an input
 * is edited, or a record made anew, anything may have come into any column. What
 * a node may add to those that pass has the schema of its table.
 *
 * What comes from outside is a patient's until somebody says otherwise: of a
 * source subject, times and names are phi, and all of what it does not declare.
 *
 * Commands may come from behind the device that takes them. So a device is asked
 * twice: for its outputs, which do not depend on commands, and when all outputs
 * are known, whether its commands are fit.
 *
 * Not here: whether it fits (columns.c) and may leave (privacy.c). */
#include "config/shapes.h"

#include <string.h>

#include "load/copy.h"

static const struct plan_shape open_shape = {
    .labels = { AFF_LABEL_PHI, AFF_LABEL_PHI, AFF_LABEL_PHI, AFF_LABEL_PHI }
};

const struct plan_output *plan_output(const struct plan *plan, const struct plan_edge *edge)
{
    static const struct plan_output nothing = { .shape_count = 0 };
    const struct plan_output *outputs = plan->nodes[edge->from].outputs;

    return outputs ? &outputs[edge->from_port] : &nothing;
}

static void labels_raise(uint8_t *labels, const uint8_t *by)
{
    for (uint32_t of = 0; of < LABEL_KINDS; of++)
        if (by[of] > labels[of])
            labels[of] = by[of];
}

/* ---- lists ---- */

static bool shape_equal(const struct plan_shape *a, const struct plan_shape *b)
{
    return a->types == b->types && !memcmp(a->labels, b->labels, sizeof a->labels) &&
           schema_equal(a->schema, b->schema);
}

/* All in one: the columns are no longer known, the labels still are. */
static void list_open(struct shape_list *list, const struct plan_shape *last)
{
    struct plan_shape all = *last;

    all.schema = NULL;
    for (uint32_t i = 0; i < list->count; i++) {
        all.types |= list->items[i].types;
        labels_raise(all.labels, list->items[i].labels);
    }
    list->items[0] = all;
    list->count = 1;
    list->is_over = true;
}

void shape_list_add(struct shape_list *list, const struct plan_shape *shape)
{
    for (uint32_t i = 0; i < list->count; i++) {
        if (shape_equal(&list->items[i], shape))
            return;
    }
    if (list->is_over || list->count == SHAPES_MOST)
        list_open(list, shape);
    else
        list->items[list->count++] = *shape;
}

/* ---- what comes to a node ---- */

/* Commands may come from further down in a circle: what they carry is not known
 * then, and counts as anything. */
static bool is_known(const struct shapes *s, const struct plan_edge *edge)
{
    return s->is_found[edge->from];
}

static uint32_t edge_shapes(const struct shapes *s, const struct plan_edge *edge,
                            const struct plan_shape **ret_shapes)
{
    const struct plan_output *output;

    if (!is_known(s, edge)) {
        *ret_shapes = &open_shape;
        return 1;
    }
    output = plan_output(s->plan, edge);
    *ret_shapes = output->shapes;
    return output->shape_count;
}

static const uint8_t *edge_labels(const struct shapes *s, const struct plan_edge *edge)
{
    return is_known(s, edge) ? plan_output(s->plan, edge)->labels : open_shape.labels;
}

static bool is_behind_broken(const struct shapes *s, uint32_t node)
{
    const struct plan *plan = s->plan;

    for (uint32_t i = plan->ins[node]; i < plan->ins[node + 1]; i++)
        if (s->is_broken[plan->edges[i].from])
            return true;
    return false;
}

/* ---- what the plugin says ---- */

struct asking {
    struct says says; /* first: the plugin hands back its address */
    struct shapes *shapes;
    struct shape_list *lists; /* by output */
    struct plan_output *outputs;
};

static bool plugin_wrong(const struct says *says, const char *why)
{
    report_add(says->draft->report, REPORT_ERROR, says->node->table->key_place, says->node->name,
               "the plugin %s %s", says->node->plugin->about.name, why);
    return false;
}

/* A second word about an output adds another schema that may leave by it. */
static bool output_said(struct says *says, const struct aff_shape *theirs)
{
    struct asking *asking = (struct asking *)(void *)says;
    const struct plugin *plugin = says->node->plugin;
    struct aff_shape said = { 0 };
    struct plan_shape shape;
    struct text why = { 0 };

    if (says->had_problem)
        return false;
    if (!shape_copy(says->draft->arena, plugin, theirs, &said, &why)) {
        plugin_wrong(says, why.data ? why.data : "cannot be asked for its outputs: there is no "
                     "memory; free memory and try again");
        text_free(&why);
        return false;
    }
    if (said.silent) {
        asking->outputs[said.port].known = SHAPE_SILENT;
        return true;
    }
    shape = (struct plan_shape){ .schema = said.schema,
        .types = said.schema ? AFF_MASK(said.schema->type) : plugin->outputs[said.port].types,
        .labels = { said.subject, said.times, said.names,
                    said.schema ? schema_label(said.schema) : (uint8_t)AFF_LABEL_PHI } };
    shape_list_add(&asking->lists[said.port], &shape);
    return !asking->lists[said.port].is_over ||
           plugin_wrong(says, "says too much of one output; expected at most 16 schemas; "
                        "correct the plugin");
}

/* Of a device, asked again: its outputs are known. */
static bool output_known(struct says *says, const struct aff_shape *theirs)
{
    (void)theirs;
    return !says->had_problem;
}

/* One struct aff_shape for each schema that may come by each edge. */
static struct aff_table inputs_make(const struct shapes *s, uint32_t node, bool with_commands)
{
    const struct plan *plan = s->plan;
    uint32_t first = plan->ins[node], last = plan->ins[node + 1], count = 0, row = 0;
    const struct plan_shape *shapes;
    struct aff_shape *items;

    if (s->drafts[node]->kind == AFF_SOURCE && !with_commands)
        first = last;
    for (uint32_t i = first; i < last; i++)
        count += edge_shapes(s, &plan->edges[i], &shapes);
    items = arena_take_array(plan->arena, count, sizeof *items);
    for (uint32_t i = first; items && i < last; i++) {
        uint32_t of_edge = edge_shapes(s, &plan->edges[i], &shapes);

        for (uint32_t k = 0; k < of_edge; k++)
            items[row++] = (struct aff_shape){
                .struct_size = sizeof *items, .port = plan->edges[i].to_port,
                .schema = shapes[k].schema, .subject = shapes[k].labels[LABEL_OF_SUBJECT],
                .times = shapes[k].labels[LABEL_OF_TIMES],
                .names = shapes[k].labels[LABEL_OF_NAMES] };
    }
    return (struct aff_table){ items, count, (uint32_t)sizeof *items };
}

/* Of the edge by which a row of that table comes, counted from 1. */
static const char *input_name(struct says *says, unsigned long number)
{
    const struct shapes *s = ((struct asking *)(void *)says)->shapes;
    const struct plan *plan = s->plan;
    uint32_t node = says->node->order;
    const struct plan_shape *shapes;

    for (uint32_t i = plan->ins[node]; i < plan->ins[node + 1]; i++) {
        const struct plan_node *from = &plan->nodes[plan->edges[i].from];
        uint32_t count = edge_shapes(s, &plan->edges[i], &shapes);

        if (number <= count)
            return arena_print(plan->arena, "%s.%s", from->name,
                               from->plugin->outputs[plan->edges[i].from_port].name);
        number -= count;
    }
    return NULL;
}

/* False: no memory. */
static bool plugin_ask(struct shapes *s, uint32_t node, struct shape_list *lists,
                       struct plan_output *outputs)
{
    const struct draft_node *draft = s->drafts[node];
    struct asking asking = { .shapes = s, .lists = lists, .outputs = outputs };
    struct aff_table inputs;

    if (!draft->plugin->about.shape)
        return true;
    inputs = inputs_make(s, node, false);
    if (!inputs.items)
        return false;
    says_begin(&asking.says, s->draft, draft, "shape");
    asking.says.output = output_said;
    asking.says.input_name = input_name;
    says_end(&asking.says, draft->plugin->about.shape(draft->config, &inputs, &asking.says.about));
    s->is_broken[node] |= asking.says.had_problem;
    return true;
}

/* What was said already is not said again: of commands that lack what the port needs,
 * of nodes whose outputs are not known. False: no memory. */
static bool device_ask(struct shapes *s, uint32_t node)
{
    const struct draft_node *draft = s->drafts[node];
    struct asking asking = { .shapes = s };
    struct aff_table inputs;

    if (draft->kind != AFF_SOURCE || !draft->plugin->about.shape || s->is_broken[node] || s->is_unfit[node] ||
        is_behind_broken(s, node))
        return true;
    inputs = inputs_make(s, node, true);
    if (!inputs.items || !inputs.count)
        return inputs.items != NULL;
    says_begin(&asking.says, s->draft, draft, "shape");
    asking.says.output = output_known;
    asking.says.input_name = input_name;
    says_end(&asking.says, draft->plugin->about.shape(draft->config, &inputs, &asking.says.about));
    return true;
}

/* ---- where it says nothing ---- */

struct defaults {
    struct shapes *s;
    const struct plugin *plugin;
    uint32_t node, port;
    struct shape_list *list;
    uint8_t highest[LABEL_KINDS]; /* of any input */
    uint8_t aside; /* of payloads that do not pass here, but may be mixed in */
};

static bool input_passes(const struct defaults *d, const struct plan_edge *edge)
{
    return plan_hands_on(d->plugin, edge->to_port, d->port);
}

static void highest_find(struct defaults *d)
{
    const struct plan *plan = d->s->plan;

    for (uint32_t i = plan->ins[d->node]; i < plan->ins[d->node + 1]; i++) {
        const struct plan_edge *edge = &plan->edges[i];
        uint8_t payload = edge_labels(d->s, edge)[LABEL_OF_PAYLOAD];
        bool is_mixed = !input_passes(d, edge) ||
                        (d->plugin->inputs[edge->to_port].flags & AFF_PORT_EDITS);

        labels_raise(d->highest, edge_labels(d->s, edge));
        if (is_mixed && payload > d->aside)
            d->aside = payload;
    }
}

/* False: no memory. */
static bool list_add_raised(struct defaults *d, struct plan_shape shape, uint8_t payload)
{
    for (uint32_t of = 0; of < LABEL_OF_PAYLOAD; of++)
        if (d->highest[of] > shape.labels[of])
            shape.labels[of] = d->highest[of];
    if (shape.labels[LABEL_OF_PAYLOAD] < payload)
        shape.labels[LABEL_OF_PAYLOAD] = payload;
    if (shape.schema) {
        shape.schema = schema_raise(d->s->plan->arena, shape.schema, payload);
        if (!shape.schema)
            return false;
        shape.labels[LABEL_OF_PAYLOAD] = schema_label(shape.schema);
    }
    shape_list_add(d->list, &shape);
    return true;
}

static bool passed_add(struct defaults *d)
{
    const struct plan *plan = d->s->plan;
    bool ok = true;

    for (uint32_t i = plan->ins[d->node]; i < plan->ins[d->node + 1]; i++) {
        const struct plan_edge *edge = &plan->edges[i];
        const struct plan_shape *shapes;
        uint32_t count = input_passes(d, edge) ? edge_shapes(d->s, edge, &shapes) : 0;

        for (uint32_t k = 0; k < count; k++) {
            struct plan_shape shape = shapes[k];

            if (!is_known(d->s, edge))
                shape.types = d->plugin->outputs[d->port].types;
            shape.types &= d->plugin->inputs[edge->to_port].types & d->plugin->outputs[d->port].types;
            if (shape.types)
                ok &= list_add_raised(d, shape, d->aside);
        }
    }
    return ok;
}

/* A port that passes may also give what the node makes, by the schema of its
 * table. It counts where it carries a label: one that passes only, and names its
 * columns for people, asks nothing of its readers by that. */
static bool made_add(struct defaults *d)
{
    const struct aff_schema *schema = d->plugin->outputs[d->port].schema;
    struct plan_shape made = { .schema = schema };

    if (!schema || (!schema_label(schema) && !d->highest[LABEL_OF_PAYLOAD]))
        return true;
    made.types = AFF_MASK(schema->type);
    return list_add_raised(d, made, d->highest[LABEL_OF_PAYLOAD]);
}

static bool output_default(struct defaults *d, struct plan_output *output)
{
    const struct aff_port *port = &d->plugin->outputs[d->port];
    struct plan_shape made = { .schema = port->schema, .types = port->types };

    if (d->plugin->about.kind == AFF_SOURCE)
        memset(d->highest, AFF_LABEL_PHI, LABEL_OF_PAYLOAD);
    else
        highest_find(d);
    if (d->plugin->about.kind != AFF_SOURCE && !passed_add(d))
        return false;
    output->known = SHAPE_PASSED;
    if (d->list->count)
        return made_add(d);
    output->known = port->schema ? SHAPE_TABLE : SHAPE_OPEN;
    if (port->schema)
        made.types = AFF_MASK(port->schema->type);
    return list_add_raised(d, made, port->schema ? d->highest[LABEL_OF_PAYLOAD] : (uint8_t)AFF_LABEL_PHI);
}

/* ---- a node ---- */

static void output_sum_up(struct plan_output *output, const struct shape_list *list)
{
    output->shapes = list->items;
    output->shape_count = list->count;
    for (uint32_t i = 0; i < list->count; i++)
        labels_raise(output->labels, list->items[i].labels);
    for (uint32_t of = 0; of < LABEL_KINDS; of++)
        if (output->labels[of] > output->label)
            output->label = output->labels[of];
}

static bool outputs_find(struct shapes *s, uint32_t node, struct shape_list *lists,
                         struct plan_output *outputs)
{
    const struct plugin *plugin = s->drafts[node]->plugin;

    if (!plugin_ask(s, node, lists, outputs))
        return false;
    if (s->is_broken[node])
        return true;
    for (uint32_t port = 0; port < plugin->output_count; port++) {
        struct defaults d = { .s = s, .plugin = plugin, .node = node, .port = port,
                              .list = &lists[port] };

        if (lists[port].count)
            outputs[port].known = SHAPE_SAID;
        else if (outputs[port].known != SHAPE_SILENT && !output_default(&d, &outputs[port]))
            return false;
    }
    if (!clears_apply(s, node, lists, outputs))
        return false;
    for (uint32_t port = 0; port < plugin->output_count; port++)
        output_sum_up(&outputs[port], &lists[port]);
    return true;
}

static bool node_find(struct shapes *s, uint32_t node)
{
    struct plan *plan = s->plan;
    uint32_t count = plan->nodes[node].plugin->output_count;
    struct plan_output *outputs = arena_take_array(plan->arena, count, sizeof *outputs);
    struct shape_list *lists = arena_take_array(plan->arena, count, sizeof *lists);

    if (!outputs || !lists)
        return false;
    s->is_broken[node] = s->drafts[node]->kind != AFF_SOURCE && is_behind_broken(s, node);
    if (!s->is_broken[node] && !outputs_find(s, node, lists, outputs))
        return false;
    plan->nodes[node].outputs = s->is_broken[node] ? NULL : outputs;
    s->is_found[node] = true;
    return true;
}

/* ---- the whole ---- */

static bool tables_make(struct shapes *s)
{
    struct plan *plan = s->plan;
    uint32_t *ins = arena_take_array(plan->arena, (size_t)plan->node_count + 1, sizeof *ins);

    s->drafts = arena_take_array(plan->arena, plan->node_count, sizeof *s->drafts);
    s->is_broken = arena_take_array(plan->arena, plan->node_count, sizeof *s->is_broken);
    s->is_found = arena_take_array(plan->arena, plan->node_count, sizeof *s->is_found);
    s->is_unfit = arena_take_array(plan->arena, plan->node_count, sizeof *s->is_unfit);
    if (!ins || !s->drafts || !s->is_broken || !s->is_unfit || !s->is_found)
        return false;
    for (uint32_t i = 0; i < plan->node_count; i++)
        s->drafts[s->draft->nodes[i].order] = &s->draft->nodes[i];
    for (uint32_t i = 0; i < plan->edge_count; i++)
        ins[plan->edges[i].to + 1]++;
    for (uint32_t i = 0; i < plan->node_count; i++)
        ins[i + 1] += ins[i];
    plan->ins = ins;
    return true;
}

/* What a source is asked depends on nothing; the commands of others may stand
 * later in the plan's order, which does not count them. */
static bool is_ready(const struct shapes *s, uint32_t node)
{
    const struct plan *plan = s->plan;

    for (uint32_t i = plan->ins[node]; i < plan->ins[node + 1]; i++)
        if (!s->is_found[plan->edges[i].from] && s->drafts[node]->kind != AFF_SOURCE)
            return false;
    return true;
}

/* Until all are found; in a circle of commands the first node goes ahead. */
static bool nodes_find(struct shapes *s)
{
    uint32_t left = s->plan->node_count, before = left + 1;

    while (left) {
        bool is_stuck = left == before;

        before = left;
        for (uint32_t i = 0; i < s->plan->node_count; i++) {
            if (s->is_found[i] || (!is_ready(s, i) && !is_stuck))
                continue;
            is_stuck = false;
            left--;
            if (!node_find(s, i))
                return false;
        }
    }
    return true;
}

bool shapes_find(struct draft *draft, struct plan *plan)
{
    struct shapes s = { .draft = draft, .plan = plan };

    if (!tables_make(&s) || !nodes_find(&s))
        return false;
    for (uint32_t i = 0; i < plan->edge_count; i++)
        if (!s.is_broken[plan->edges[i].from])
            columns_check(&s, &plan->edges[i]);
    for (uint32_t i = 0; i < plan->node_count; i++)
        if (!device_ask(&s, i))
            return false;
    return privacy_check(&s);
}
