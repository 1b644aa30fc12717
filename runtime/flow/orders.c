/* orders.c - rows that an operator puts in at a node's port for commands.
 *
 * A row has a column of text for each pair. It goes in between two batches, on the
 * node's lane, counts as in, and is a record as any other: what it leads to is in the
 * node's accounts and in what it emits. What was given and had not gone in when a run
 * died is lost; who gave it is answered that it was handed over, not that it was done.
 *
 * Not here: who may give orders (show/control.h). */
#include "flow/orders.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ORDER_COLUMNS = 16 };

struct order {
    struct order *next;
    struct aff_record record; /* data: memory of its own */
    uint32_t port;
};

/* The node's port for commands; a source takes them by an edge alone. */
static bool port_of(const struct node *node, uint32_t *ret_port)
{
    const struct plugin *plugin = node->plan->plugin;
    uint32_t i;

    for (i = 0; node->about->kind != AFF_SOURCE && i < plugin->input_count; i++)
        if (plugin->inputs[i].flags & AFF_PORT_COMMANDS) {
            *ret_port = i;
            return true;
        }
    return false;
}

static bool row_make(struct aff_record *record, const char *const *pairs, uint32_t count)
{
    uint32_t texts = 0, i;
    struct aff_row row;

    for (i = 0; i < count; i++)
        texts += (uint32_t)strlen(pairs[2 * i + 1]);
    record->size = aff_row_size(count, texts);
    record->data = aligned_alloc(BYTES_ALIGN, (size_t)bytes_round(record->size));
    if (!record->data)
        return false;
    row = aff_row_begin(record, count);
    for (i = 0; i < count; i++)
        aff_row_put_text(&row, i, pairs[2 * i + 1], (uint32_t)strlen(pairs[2 * i + 1]));
    record->size = aff_row_end(&row);
    return true;
}

static struct order *order_make(struct node *node, const char *const *pairs, uint32_t count)
{
    struct aff_column columns[ORDER_COLUMNS] = { { .name = NULL } };
    struct aff_schema schema = { .struct_size = sizeof schema, .type = AFF_FIELDS, .name = "command",
                                 .columns = columns, .count = count, .stride = sizeof *columns };
    struct order *o = calloc(1, sizeof *o);
    uint32_t i;

    if (!o)
        return NULL;
    for (i = 0; i < count; i++)
        columns[i] = (struct aff_column){ .name = pairs[2 * i], .type = AFF_TEXT };
    o->record = (struct aff_record){ .type = AFF_FIELDS, .origin = EDGE_NO_ORIGIN };
    o->record.id = (struct aff_id){ node->host.random(&node->host), node->host.random(&node->host) };
    o->record.event_ns = node->host.utc_ns(&node->host, &o->record.clock);
    o->record.seen_ns = clock_now(&node->flow->clock);
    o->record.schema = names_schema(node->flow->names, &schema);
    if (o->record.schema && row_make(&o->record, pairs, count))
        return o;
    free(o);
    return NULL;
}

bool flow_order(struct flow *flow, const char *name, const char *const *pairs, uint32_t count, char *ret_why, size_t room)
{
    struct node *node = NULL;
    struct order *o, **end;
    uint32_t i, port = 0;

    for (i = 0; i < flow->plan->node_count; i++)
        if (strcmp(flow->plan->nodes[i].name, name) == 0)
            node = &flow->nodes[i];
    if (!node || !port_of(node, &port) || count == 0 || count > ORDER_COLUMNS) {
        snprintf(ret_why, room, "%s", node ? "that node takes no commands" : "there is no such node");
        return false;
    }
    o = order_make(node, pairs, count);
    if (!o) {
        snprintf(ret_why, room, "there is no memory for it");
        return false;
    }
    o->port = port;
    pthread_mutex_lock(&flow->say_lock);
    for (end = &node->orders; *end; end = &(*end)->next)
        continue;
    *end = o;
    pthread_mutex_unlock(&flow->say_lock);
    flow_retry(flow);
    return true;
}

static struct order *order_next(struct node *node)
{
    struct order *o;

    pthread_mutex_lock(&node->flow->say_lock);
    o = node->orders;
    if (o)
        node->orders = o->next;
    pthread_mutex_unlock(&node->flow->say_lock);
    return o;
}

static void order_free(struct order *o)
{
    free(o->record.data);
    free(o);
}

bool orders_turn(struct node *node, bool *ret_any)
{
    struct order *o;
    uint32_t stream;
    bool ok = true;

    while (ok && (o = order_next(node)) != NULL) {
        void *data = o->record.data;

        stream = o->record.stream = names_held(node->flow->names, "operator", "commands", o->record.schema, NULL,
                                               &o->record.subject);
        if (stream) {
            *ret_any = true;
            ok = node_put_in(node, &o->record, o->port);
            names_unhold(node->flow->names, stream, names_when(node->plan->domain, node->lane->epoch));
        } else {
            flow_log(node->flow, AFF_LOG_ERROR, node->plan->name, "no room for the name of a command; it was not given");
        }
        o->record.data = data;
        order_free(o);
    }
    return ok;
}

void orders_free(struct node *node)
{
    struct order *o;

    while ((o = node->orders) != NULL) {
        node->orders = o->next;
        order_free(o);
    }
}
