/* pipeline_from.c - `from`: which output goes to which input.
 *
 * "node" is its first output, "node.port" a named one; a text or list goes to
 * the first input, a table { port = ... } to the inputs it names. An edge joins
 * only what can match: one payload type at least.
 *
 * Not here: cycles and nodes that lead nowhere (pipeline_graph.c), the columns
 * that a reader needs (columns.c). */
#include <string.h>

#include "config/pipeline_inside.h"
#include "config/schemas.h"
#include "util/text.h"

struct join {
    struct draft *draft;
    uint32_t to;
    uint32_t to_port;
    const struct value *value;   /* the text that names the writer */
};

#define SAY(j, ...) \
    (report_add((j)->draft->report, REPORT_ERROR, (j)->value->place, \
                (j)->draft->nodes[(j)->to].name, __VA_ARGS__), false)

bool edge_is_command(const struct draft *draft, const struct draft_edge *edge)
{
    return (draft->nodes[edge->to].plugin->inputs[edge->to_port].flags & AFF_PORT_COMMANDS) != 0;
}

/* ---- ports by name ---- */

static const char *port_names(struct arena *arena, const struct aff_port *ports, uint32_t count)
{
    struct text text = { 0 };
    const char *kept;

    for (uint32_t i = 0; i < count; i++)
        text_print(&text, "%s%s", i ? ", " : "", ports[i].name);
    kept = text.data ? arena_copy(arena, text.data, text.length) : NULL;
    text_free(&text);
    return kept ? kept : "none";
}

static bool port_find(const struct aff_port *ports, uint32_t count,
                      const char *name, uint32_t *ret_port)
{
    for (uint32_t i = 0; i < count; i++) {
        if (!strcmp(ports[i].name, name)) {
            *ret_port = i;
            return true;
        }
    }
    return false;
}

static bool port_unknown(const struct join *join, const char *what, const struct draft_node *owner,
                         const struct aff_port *ports, uint32_t count, const char *name)
{
    struct aff_guess guess = { .word = name };
    const char *names = port_names(join->draft->arena, ports, count);

    for (uint32_t i = 0; i < count; i++)
        aff_guess_offer(&guess, ports[i].name);
    if (guess.best)
        return SAY(join, "%s has no %s port \"%s\"; expected one of: %s; did you mean %s?",
                   owner->name, what, name, names, guess.best);
    return SAY(join, "%s has no %s port \"%s\"; expected one of: %s; choose one", owner->name,
               what, name, names);
}

/* ---- what an edge may join ---- */

static const char *types_text(struct arena *arena, uint32_t types)
{
    struct text text = { 0 };
    const char *kept;

    schema_add_types(&text, types);
    kept = text.data ? arena_copy(arena, text.data, text.length) : NULL;
    text_free(&text);
    return kept ? kept : "nothing";
}

/* "choose a.truth or a.vitals, or ": the writer's outputs that would do. */
static const char *ports_fit(struct arena *arena, const struct draft_node *writer, uint32_t types)
{
    struct text text = { 0 };
    const char *kept;

    for (uint32_t i = 0; i < writer->plugin->output_count; i++) {
        const struct aff_port *port = &writer->plugin->outputs[i];

        if (port->types & types)
            text_print(&text, "%s%s.%s", text.length ? " or " : "choose ", writer->name, port->name);
    }
    if (text.length)
        text_add(&text, ", or ");
    kept = text.length ? arena_copy(arena, text.data, text.length) : NULL;
    text_free(&text);
    return kept ? kept : "";
}

static bool ports_match(const struct join *join, const struct draft_node *writer, uint32_t port)
{
    const struct draft_node *reader = &join->draft->nodes[join->to];
    const struct aff_port *out = &writer->plugin->outputs[port];
    const struct aff_port *in = &reader->plugin->inputs[join->to_port];
    struct arena *arena = join->draft->arena;

    if (!(out->types & in->types))
        return SAY(join, "%s.%s (line %u) gives %s and %s.%s takes %s; expected one type on both "
                   "ends; %sput a node between that makes one of the other", writer->name, out->name,
                   writer->table->key_place.line, types_text(arena, out->types), reader->name,
                   in->name, types_text(arena, in->types), ports_fit(arena, writer, in->types));
    return true;
}

/* ---- one edge ---- */

static bool edge_add(const struct join *join, uint32_t from, uint32_t from_port)
{
    struct draft *draft = join->draft;

    for (uint32_t i = 0; i < draft->edge_count; i++) {
        const struct draft_edge *old = &draft->edges[i];

        if (old->from == from && old->from_port == from_port && old->to == join->to &&
            old->to_port == join->to_port)
            return SAY(join, "%s is named twice for one input; expected each output once; "
                       "remove one", join->value->text);
    }
    if (draft->edge_count == draft->edge_room) {
        uint32_t room = draft->edge_room ? draft->edge_room * 2 : 32;
        struct draft_edge *edges = arena_take_array(draft->arena, room, sizeof *edges);

        if (!edges)
            return SAY(join, "there is no memory for the edge; free memory and try again");
        if (draft->edge_count)
            memcpy(edges, draft->edges, draft->edge_count * sizeof *edges);
        draft->edges = edges;
        draft->edge_room = room;
    }
    draft->edges[draft->edge_count] = (struct draft_edge){
        .from = from, .from_port = from_port, .to = join->to, .to_port = join->to_port,
        .place = join->value->place, .row = draft->edge_count };
    draft->edge_count++;
    return true;
}

/* A table that stands in the file but was refused has had its message. */
static bool was_refused(const struct join *join, const char *name)
{
    for (const struct value *v = join->draft->document->first; v; v = v->next) {
        if (value_find(v, name))
            return true;
    }
    return false;
}

static bool kind_in_front(const struct join *join, const char *name)
{
    const char *rest = strchr(join->value->text, '.');

    return rest && rest[1] && (!strcmp(name, "source") || !strcmp(name, "processor"));
}

/* What people write for a node's name: its kind too, its plugin, several. */
static bool writer_unknown(const struct join *join, const char *name, const char *guess)
{
    const char *rest = strchr(join->value->text, '.');

    if (was_refused(join, name) || (join->draft->has_nameless && !guess))
        return false;
    if (kind_in_front(join, name))
        return SAY(join, "there is no node \"%s\"; expected a node's name without its kind; "
                   "write \"%s\"", name, rest + 1);
    if (strchr(name, ','))
        return SAY(join, "there is no node \"%s\"; expected a list where there are several; "
                   "write from = [\"...\", \"...\"]", name);
    for (uint32_t i = 0; i < join->draft->node_count; i++) {
        const struct draft_node *node = &join->draft->nodes[i];

        if (node->plugin && !strcmp(node->plugin->about.name, name) && node->kind != AFF_SINK)
            return SAY(join, "\"%s\" is a plugin; expected the name of a node; did you mean %s?",
                       name, node->name);
    }
    if (guess)
        return SAY(join, "there is no node \"%s\"; expected a node of this file; "
                   "did you mean %s?", name, guess);
    return SAY(join, "there is no node \"%s\"; expected a node of this file; "
               "add it or name another", name);
}

static bool writer_find(const struct join *join, const char *name, uint32_t *ret_node)
{
    struct aff_guess guess = { .word = name };

    for (uint32_t i = 0; i < join->draft->node_count; i++) {
        const struct draft_node *node = &join->draft->nodes[i];

        if (!strcmp(node->name, name)) {
            *ret_node = i;
            return true;
        }
        if (node->kind != AFF_SINK && i != join->to)
            aff_guess_offer(&guess, node->name);
    }
    return writer_unknown(join, name, guess.best);
}

/* Splits "node.port"; `ret_port` is NULL for "node" alone. */
static char *name_split(const struct join *join, const char **ret_port)
{
    char *name = arena_copy(join->draft->arena, join->value->text, join->value->text_length);
    char *dot = name ? strchr(name, '.') : NULL;

    if (dot)
        *dot = '\0';
    *ret_port = dot ? dot + 1 : NULL;
    return name;
}

/* `join->to_port` is valid only where the reader's plugin is known. */
static bool text_join(const struct join *join)
{
    const struct draft_node *writer;
    const char *port_name, *name;
    uint32_t from = 0, port = 0;

    if (join->value->is_broken)
        return false;
    if (join->value->kind != VALUE_TEXT || strlen(join->value->text) != join->value->text_length)
        return SAY(join, "from is %s; expected \"node\", \"node.port\", a list of them or "
                   "{ port = ... }; write one", value_kind_name(join->value));
    name = name_split(join, &port_name);
    if (!name || !writer_find(join, name, &from))
        return false;
    writer = &join->draft->nodes[from];
    if (!writer->plugin)
        return false;
    if (writer->plugin->output_count == 0)
        return SAY(join, "%s has no output; expected a source or processor; name another node",
                   name);
    if (port_name && !port_find(writer->plugin->outputs, writer->plugin->output_count,
                                port_name, &port))
        return port_unknown(join, "output", writer, writer->plugin->outputs,
                            writer->plugin->output_count, port_name);
    if (!join->draft->nodes[join->to].plugin)
        return false;
    return ports_match(join, writer, port) && edge_add(join, from, port);
}

/* ---- all of one node ---- */

/* A text, or a list of texts, into one input. */
static bool input_join(struct join join, const struct value *value)
{
    bool ok = true;

    join.value = value;
    if (value->kind != VALUE_ARRAY)
        return text_join(&join);
    if (!value->first)
        return SAY(&join, "the list is empty; expected at least one node; name one");
    for (const struct value *v = value->first; v; v = v->next) {
        join.value = v;
        ok &= text_join(&join);
    }
    return ok;
}

static bool table_join(struct join join, const struct value *table)
{
    const struct draft_node *node = &join.draft->nodes[join.to];
    bool ok = true;

    for (const struct value *v = table->first; v; v = v->next) {
        struct value key = *v;

        key.place = v->key_place;
        join.value = &key;
        if (node->plugin && !port_find(node->plugin->inputs, node->plugin->input_count,
                                       v->key, &join.to_port))
            ok = port_unknown(&join, "input", node, node->plugin->inputs,
                              node->plugin->input_count, v->key);
        else
            ok &= input_join(join, v);
    }
    return ok;
}

static bool input_is_joined(const struct draft *draft, uint32_t node, uint32_t port)
{
    for (uint32_t i = 0; i < draft->edge_count; i++) {
        if (draft->edges[i].to == node && draft->edges[i].to_port == port)
            return true;
    }
    return false;
}

static bool inputs_check(const struct join *join)
{
    const struct draft_node *node = &join->draft->nodes[join->to];
    bool ok = true;

    for (uint32_t i = 0; i < node->plugin->input_count; i++) {
        const struct aff_port *port = &node->plugin->inputs[i];

        if ((port->flags & AFF_PORT_OPTIONAL) || input_is_joined(join->draft, join->to, i))
            continue;
        ok = SAY(join, "input %s gets no data; expected a node that feeds it; "
                 "write from = { %s = \"...\" }", port->name, port->name);
    }
    return ok;
}

static bool has_option(const struct plugin *plugin, const char *name)
{
    for (uint32_t i = 0; i < plugin->option_count; i++)
        if (!strcmp(plugin->options[i].name, name))
            return true;
    return false;
}

/* Somebody wrote `to` in the node that writes: that was spoken of already. */
static bool is_told_by_writer(const struct draft *draft, const char *name)
{
    for (uint32_t i = 0; i < draft->node_count; i++) {
        const struct value *to = value_find(draft->nodes[i].table, "to");

        if (!to || !draft->nodes[i].plugin || has_option(draft->nodes[i].plugin, "to"))
            continue;
        if (to->kind == VALUE_TEXT && !strcmp(to->text, name))
            return true;
    }
    return false;
}

/* A device's command inputs may stay free, whatever their flags say. */
static bool from_missing(struct draft *draft, const struct draft_node *node)
{
    if (node->kind == AFF_SOURCE)
        return true;
    for (uint32_t i = 0; node->plugin && i < node->plugin->input_count; i++) {
        if (node->plugin->inputs[i].flags & AFF_PORT_OPTIONAL)
            continue;
        if (is_told_by_writer(draft, node->name))
            return false;
        report_add(draft->report, REPORT_ERROR, node->table->key_place, node->name,
                   "from is missing; expected the node whose data it takes; "
                   "add from = \"...\"");
        return false;
    }
    return true;
}

bool draft_from_read(struct draft *draft, uint32_t index)
{
    const struct draft_node *node = &draft->nodes[index];
    const struct value *from = value_find(node->table, "from");
    struct join join = { .draft = draft, .to = index, .value = from };
    bool ok;

    if (!from)
        return from_missing(draft, node) && node->plugin;
    if (node->plugin && node->plugin->input_count == 0)
        return SAY(&join, "%s has no input; expected no from; take it out",
                   node->plugin->about.name);
    ok = from->kind == VALUE_TABLE ? table_join(join, from) : input_join(join, from);
    return ok && node->plugin && inputs_check(&join);
}
