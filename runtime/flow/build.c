/* build.c - see build.h.
 *
 * The one computation here: which origins' payloads an edge may carry. A node's
 * output carries what the node makes, and what comes in by an input that it
 * hands on there; a planned copy makes the bytes the reader's own. */
#include "flow/build.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "cell/cell.h"
#include "flow/answers.h"
#include "flow/commit_inside.h"
#include "flow/orders.h"
#include "flow/trace.h"
#include "flow/uplink.h"

/* Whether copies of the node's input lie in its ring, between what it makes. */
static bool copies_in(const struct plan *plan, uint32_t node)
{
    uint32_t e;

    for (e = 0; e < plan->edge_count; e++)
        if (plan->edges[e].to == node && plan->edges[e].copies)
            return true;
    return false;
}

static void origins_add(uint8_t *to, const uint8_t *from, uint32_t nodes)
{
    uint32_t o;

    for (o = 0; o < nodes; o++)
        to[o] = (uint8_t)(to[o] + from[o] > 2 ? 2 : to[o] + from[o]);
}

/* carries[edge * nodes + node]: by how many ways payloads of node come to edge; by
 * one they come in the order they were made in, by two (or more) in any order. */
static void find_origins(const struct flow *flow, uint8_t *carries)
{
    const struct plan *plan = flow->plan;
    uint32_t n, e, up, nodes = plan->node_count;

    for (n = 0; n < nodes; n++) {
        for (e = 0; e < plan->edge_count; e++) {
            const struct plan_edge *edge = &plan->edges[e];

            if (edge->from != n)
                continue;
            carries[e * nodes + n] = copies_in(plan, n) ? 2 : 1;
            for (up = 0; up < plan->edge_count; up++) {
                const struct plan_edge *in = &plan->edges[up];

                if (in->to == n && !in->copies &&
                    plan_hands_on(plan->nodes[n].plugin, in->to_port, edge->from_port))
                    origins_add(carries + e * nodes, carries + up * nodes, nodes);
            }
        }
    }
}

/* Whom a reader of the edge wakes when it gives back: the writer, and the owners
 * of the payloads; each lane once, never itself. */
static bool find_wakes(struct flow *flow, struct link *link, const uint8_t *carries)
{
    struct edge *edge = link->edge;
    struct lane *reader = link->reader->lane;
    uint32_t n, k;

    edge->wakes = calloc(flow->plan->node_count + 1u, sizeof *edge->wakes);
    if (!edge->wakes)
        return false;
    for (n = 0; n < flow->plan->node_count; n++) {
        struct lane *lane = flow->nodes[n].lane;
        bool there = lane == reader || (!carries[n] && lane != link->writer->lane);

        for (k = 0; !there && k < edge->wake_count; k++)
            there = edge->wakes[k] == &lane->bell;
        if (!there)
            edge->wakes[edge->wake_count++] = &lane->bell;
    }
    return true;
}

static int queue_log(void *arg, const char *text)
{
    const struct link *link = arg;

    flow_log(link->reader->flow, AFF_LOG_ERROR, link->reader->plan->name, "%s", text);
    return 0;
}

/* Alarms that waited, and vitals that waited for a link, are worth most from their new
 * end to who acts on them; a processor goes by their order. */
static bool newest_first(const struct link *link)
{
    return link->reader->about->kind != AFF_PROCESSOR &&
           (link->plan->priority == AFF_PRIO_ALARM ||
            (link->plan->priority == AFF_PRIO_VITALS && link->reader->plan->link_rules));
}

static struct queue_shape queue_shape_of(struct flow *flow, struct link *link)
{
    bool spills = link->plan->when_full == WHEN_FULL_SPILL;

    return (struct queue_shape){
        .names = flow->names,
        .kept = spills ? flow->kept : NULL,
        .priority = link->plan->priority,
        .buffer = link->plan->buffer,
        .drops = !spills,
        .newest_first = newest_first(link),
        .keeps_names = link->reader->about->kind != AFF_SINK,
        .reader = &link->reader->lane->bell,
        .writer_domain = link->writer->plan->domain,
        .reader_domain = link->reader->plan->domain,
        .log = queue_log,
        .trace = spills && flow->kept && flow->options.trace ? trace_queue : NULL,
        .arg = link,
    };
}

struct queue *build_queue(struct flow *flow, struct link *link)
{
    struct queue_shape shape = queue_shape_of(flow, link);
    char name[COMMIT_NAME * 2];

    commit_queue_name(flow->plan, link->plan, name, sizeof name);
    shape.name = name;
    return queue_open(&shape);
}

void build_queue_join(struct flow *flow, struct link *link)
{
    struct queue_shape shape = queue_shape_of(flow, link);

    queue_join(link->queue, &shape);
}

static bool open_queue(struct flow *flow, struct link *link)
{
    link->queue = flow->before ? NULL : build_queue(flow, link);
    return link->queue || flow->before;
}

static bool build_edges(struct flow *flow)
{
    const struct plan *plan = flow->plan;
    uint8_t *carries = calloc((size_t)plan->edge_count * plan->node_count + 1u, 1);
    uint32_t e;
    bool ok = carries != NULL;

    if (ok)
        find_origins(flow, carries);
    for (e = 0; ok && e < plan->edge_count; e++) {
        struct link *link = &flow->links[e];
        const uint8_t *row = carries + (size_t)e * plan->node_count;
        struct edge_shape shape = { link->plan->headers, link->plan->buffer, flow->rings, row, plan->node_count };

        if (link->plan->way == EDGE_QUEUE)
            ok = open_queue(flow, link);
        if (link->plan->way != EDGE_RING)
            continue;
        ok = edge_open(&flow->edges[flow->edge_count], &shape);
        if (!ok)
            break;
        link->edge = &flow->edges[flow->edge_count++];
        link->edge->reader = &link->reader->lane->bell;
        ok = find_wakes(flow, link, row);
    }
    free(carries);
    return ok;
}

/* ---- nodes ---- */

static void fill_verdicts(struct node *node)
{
    const struct plugin *plugin = node->plan->plugin;
    uint32_t i;

    node->verdict_rows = plugin->verdict_count + 1u;
    if (node->verdict_rows > LEDGER_VERDICTS)
        node->verdict_rows = LEDGER_VERDICTS;
    for (i = 1; i < node->verdict_rows; i++) {
        node->verdict_kind[i] = (uint8_t)plugin->verdicts[i - 1].kind;
        node->verdict_port[i] = plugin->verdicts[i - 1].port;
    }
}

static void fill_pass_ports(struct node *node)
{
    const struct plugin *plugin = node->plan->plugin;
    uint32_t i, o;

    for (i = 0; i < plugin->input_count; i++) {
        node->pass_port[i] = -1;
        for (o = 0; o < plugin->output_count; o++)
            if (plugin->outputs[o].passes == AFF_PASSES(i))
                node->pass_port[i] = (int32_t)o;
    }
}

static bool staged_open(struct staged *s)
{
    s->records = calloc(NODE_STAGED, sizeof *s->records);
    s->inputs = calloc(NODE_STAGED, sizeof *s->inputs);
    s->ports = calloc(NODE_STAGED, sizeof *s->ports);
    s->kinds = calloc(NODE_STAGED, sizeof *s->kinds);
    return s->records && s->inputs && s->ports && s->kinds;
}

static bool outputs_open(struct node *node)
{
    uint32_t i, edges = node->flow->plan->edge_count;
    const struct plugin *plugin = node->plan->plugin;

    node->outputs = calloc(plugin->output_count + 1u, sizeof *node->outputs);
    if (!node->outputs)
        return false;
    for (i = 0; i < plugin->output_count; i++) {
        struct output *out = &node->outputs[i];

        out->links = calloc(edges + 1u, sizeof *out->links);
        out->waiting = calloc(PLAN_BATCH, sizeof *out->waiting);
        if (!out->links || !out->waiting)
            return false;
        out->is_phi = plan_label(node->flow->plan, node->index, i) == AFF_LABEL_PHI;
        if (plugin->outputs[i].schema) {
            out->schema = names_schema(node->flow->names, plugin->outputs[i].schema);
            if (!out->schema)
                return false;
        }
    }
    return true;
}

static void cell_log(void *arg, int level, const char *text)
{
    const struct node_handle *handle = arg;
    const struct node *node = atomic_load_explicit(&handle->node, memory_order_acquire);

    flow_log(node->flow, level, node->plan->name, "%s", text);
}

static void cell_letter(void *arg, const struct aff_record *held, const char *why)
{
    const struct node_handle *handle = arg;

    hold_condemn(atomic_load_explicit(&handle->node, memory_order_acquire), held, why);
}

/* Its callbacks are those of the cell from here on. */
static bool open_cell(struct node *node)
{
    const struct plan_node *plan = node->plan;
    struct cell_options options = {
        .node = plan->name,
        .max_payload = node->flow->plan->max_record,
        .max_held = plan->max_held,
        .require_sandbox = plan->require_sandbox,
        .log = cell_log,
        .arg = node->handle,
        .letter = cell_letter,
    };
    char why[256];

    node->cell = cell_open(plan->plugin, plan->config, &options, why, sizeof why);
    if (node->cell)
        node->about = cell_plugin(node->cell);
    else
        flow_log(node->flow, AFF_LOG_ERROR, plan->name, "%s", why);
    return node->cell != NULL;
}

const void *node_config(const struct node *node)
{
    return node->cell ? cell_config(node->cell) : node->plan->config;
}

/* The plan may be gone before the instance is. */
static void handle_names(struct node_handle *handle, const char *node, const char *pipeline)
{
    snprintf(handle->node_name, sizeof handle->node_name, "%s", node);
    snprintf(handle->pipeline_name, sizeof handle->pipeline_name, "%s", pipeline ? pipeline : "");
    handle->host.node = handle->node_name;
    handle->host.pipeline = handle->pipeline_name;
}

static bool node_open(struct flow *flow, uint32_t index)
{
    struct node *node = &flow->nodes[index];
    const struct plan_node *plan = &flow->plan->nodes[index];

    node->handle = calloc(1, sizeof *node->handle);
    node->flow = flow;
    if (!node->handle)
        return false;
    host_fill(&node->host);
    host_fill(&node->handle->host);
    handle_names(node->handle, plan->name, flow->plan->name);
    rouse_init(&node->handle->rouse, &flow->lanes[plan->lane].bell);
    atomic_init(&node->inner.node, node);
    atomic_init(&node->handle->node, node);
    node->home = flow->plan;
    node->name_id = index;
    node->plan = plan;
    node->about = &plan->plugin->about;
    if (plan->in_process && !open_cell(node))
        return false;
    node->index = index;
    node->lane = &flow->lanes[plan->lane];
    node->bytes = &flow->rings[index];
    node->wake_ns = node->about->kind == AFF_SOURCE ? 0 : INT64_MAX;
    node->ids.node_hash = XXH3_64bits(plan->name, strlen(plan->name)) ^
                          XXH3_64bits_withSeed(flow->plan->name, strlen(flow->plan->name), 1);
    node->ids.source = node->host.random(&node->host);
    node->pass_port = calloc(plan->plugin->input_count + 1u, sizeof *node->pass_port);
    node->onward = calloc(plan->plugin->input_count + 1u, sizeof *node->onward);
    node->carriers = calloc(flow->plan->edge_count + 1u, sizeof *node->carriers);
    node->verdicts = calloc(PLAN_BATCH, 1);
    node->scratch = calloc(PLAN_BATCH, sizeof *node->scratch);
    node->parts = calloc(1, sizeof *node->parts);
    node->metrics = calloc(plan->plugin->metric_count + 1u, sizeof *node->metrics);
    if (!node->pass_port || !node->onward || !node->carriers || !node->verdicts || !node->scratch || !node->parts ||
        !node->metrics)
        return false;
    if (plan->ring_bytes > 0 && !bytes_open(node->bytes, plan->ring_bytes))
        return false;
    fill_verdicts(node);
    fill_pass_ports(node);
    return answers_open(node) && uplink_open(node) && timers_open(node) && staged_open(&node->staged) && outputs_open(node) && hold_open(&node->hold, plan->max_held);
}

static void node_close(struct node *node)
{
    uint32_t i;

    for (i = 0; node->outputs && i < node->plan->plugin->output_count; i++) {
        free(node->outputs[i].links);
        free(node->outputs[i].waiting);
    }
    free(node->outputs);
    cell_close(&node->cell);
    if (node->handle)
        rouse_free(&node->handle->rouse);
    free(node->handle);
    free(node->pass_port);
    free(node->onward);
    free(node->carriers);
    free(node->verdicts);
    free(node->scratch);
    free((void *)node->metrics);
    free(node->staged.records);
    free(node->staged.inputs);
    free(node->staged.ports);
    free(node->staged.kinds);
    orders_free(node);
    acks_close(&node->acks);
    uplink_close(&node->uplink);
    if (node->parts)
        wire_free(node->parts);
    free(node->parts);
    hold_close(&node->hold);
    state_close(&node->state);
    timers_close(&node->timers);
}

/* ---- links and lanes ---- */

/* Rings first: a fused reader may change the array that it is given. */
static void link_outputs(struct flow *flow)
{
    const struct plan *plan = flow->plan;
    uint32_t e, pass;

    for (pass = 0; pass < 2; pass++) {
        for (e = 0; e < plan->edge_count; e++) {
            struct link *link = &flow->links[e];
            struct output *out = &link->writer->outputs[link->plan->from_port];

            if ((link->plan->way != EDGE_FUSED) == (pass == 0))
                out->links[out->link_count++] = link;
        }
    }
}

/* Inputs whose records go on, when they all do, to one reader on the same thread. */
static void link_onward(struct flow *flow)
{
    uint32_t n, i;

    for (n = 0; n < flow->plan->node_count; n++) {
        struct node *node = &flow->nodes[n];

        for (i = 0; i < node->plan->plugin->input_count; i++) {
            const struct output *out = node->pass_port[i] < 0 ? NULL : &node->outputs[node->pass_port[i]];

            if (out && out->link_count == 1 && out->links[0]->plan->way == EDGE_FUSED && !out->links[0]->plan->copies)
                node->onward[i] = out->links[0];
        }
    }
}

/* Rings that may carry a node's payloads, near ones first: writers stand in the
 * data's order. */
static void link_carriers(struct flow *flow)
{
    uint32_t n, w, e;

    for (n = 0; n < flow->plan->node_count; n++)
        for (w = 0; w < flow->plan->node_count; w++)
            for (e = 0; e < flow->plan->edge_count; e++) {
                struct link *link = &flow->links[e];

                if (link->edge && link->plan->from == w &&
                    link->edge->slot_of[n] != link->edge->origin_count)
                    flow->nodes[n].carriers[flow->nodes[n].carrier_count++] = link;
            }
}

static bool lane_open(struct flow *flow, uint32_t index)
{
    struct lane *lane = &flow->lanes[index];

    lane->flow = flow;
    lane->index = index;
    lane->epoch = EPOCH_FIRST;
    lane->told = EPOCH_FIRST;
    lane->epoch_began_ns = INT64_MAX;
    lane->letters = calloc(EPOCH_NOTES, sizeof *lane->letters);
    lane->retried = calloc(EPOCH_NOTES, sizeof *lane->retried);
    lane->queues = calloc(flow->plan->edge_count + 1u, sizeof *lane->queues);
    atomic_init(&lane->final_epoch, UINT64_MAX);
    lane->nodes = calloc(flow->plan->node_count, sizeof *lane->nodes);
    lane->ins = calloc(flow->plan->edge_count + 1u, sizeof *lane->ins);
    lane->rings = calloc(flow->plan->edge_count + 1u, sizeof *lane->rings);
    lane->polls = calloc(1u + (size_t)flow->plan->node_count * WATCHES, sizeof *lane->polls);
    lane->bell.fd = -1;
    return lane->polls && lane->letters && lane->retried && lane->queues && lane->nodes && lane->ins && lane->rings && bell_open(&lane->bell);
}

/* A source gives its records in the order of their times, and what it gives in
 * one read goes out port by port. A node that joins several ways over time is to
 * see them in the order of their times: so they are read one by one. */
static void fill_wants(struct flow *flow)
{
    const struct plan *plan = flow->plan;
    uint32_t i, e, ways;

    for (i = 0; i < plan->lane_count; i++)
        flow->lanes[i].want = PLAN_BATCH;
    for (i = 0; i < plan->node_count; i++) {
        for (ways = 0, e = 0; e < plan->edge_count; e++)
            ways += plan->edges[e].to == i;
        if (flow->nodes[i].about->timer && ways > 1)
            flow->nodes[i].lane->want = 1;
    }
}

/* Queues of a higher class are looked at first. */
static void add_in(struct lane *lane, struct link *link)
{
    uint32_t i = lane->in_count++;

    for (; i > 0 && link->plan->way == EDGE_QUEUE && lane->ins[i - 1]->plan->priority > link->plan->priority; i--)
        lane->ins[i] = lane->ins[i - 1];
    lane->ins[i] = link;
}

static void fill_kind(struct lane *lane)
{
    struct node *head = lane->nodes[0];

    lane->kind = head->about->kind == AFF_SOURCE ? LANE_SOURCE
               : lane->in_count > 0 && lane->ins[0]->plan->way == EDGE_QUEUE ? LANE_QUEUES
                                                           : LANE_RINGS;
    lane->domain = &lane->flow->domains[head->plan->domain];
    epochs_join(&lane->domain->epochs, lane->index);
}

static bool open_domains(struct flow *flow)
{
    uint32_t i;

    flow->domains = calloc(flow->plan->domain_count, sizeof *flow->domains);
    for (i = 0; flow->domains && i < flow->plan->domain_count; i++)
        if (!epochs_open(&flow->domains[i].epochs, flow->plan->lane_count))
            return false;
    return flow->domains != NULL;
}

static void fill_lanes(struct flow *flow)
{
    uint32_t i;

    for (i = 0; i < flow->plan->node_count; i++) {
        struct lane *lane = flow->nodes[i].lane;

        lane->nodes[lane->node_count++] = &flow->nodes[i];
    }
    for (i = 0; i < flow->plan->edge_count; i++) {
        struct link *link = &flow->links[i];
        struct lane *from = link->writer->lane, *to = link->reader->lane;

        if (link->plan->way == EDGE_FUSED)
            continue;
        if (link->plan->way == EDGE_QUEUE)
            from->queues[from->queue_count++] = link;
        else
            from->rings[from->ring_count++] = link;
        add_in(to, link);
    }
    for (i = 0; i < flow->plan->lane_count; i++)
        fill_kind(&flow->lanes[i]);
}

bool build_flow(struct flow *flow)
{
    const struct plan *plan = flow->plan;
    uint32_t i;

    flow->names = flow->before ? flow->before->names : names_open();
    flow->rings = calloc(plan->node_count, sizeof *flow->rings);
    flow->nodes = calloc(plan->node_count, sizeof *flow->nodes);
    flow->links = calloc(plan->edge_count + 1u, sizeof *flow->links);
    flow->edges = aligned_alloc(EDGE_LINE, (plan->edge_count + 1u) * sizeof *flow->edges);
    if (flow->edges)
        memset(flow->edges, 0, (plan->edge_count + 1u) * sizeof *flow->edges);
    flow->lanes = calloc(plan->lane_count, sizeof *flow->lanes);
    if (!flow->names || !flow->rings || !flow->nodes || !flow->links || !flow->edges || !flow->lanes)
        return false;
    if (!open_domains(flow) || !commit_open(flow) || (!flow->before && !commit_resume_names(flow)))
        return false;
    for (i = 0; i < plan->lane_count; i++)
        if (!lane_open(flow, i))
            return false;
    for (i = 0; i < plan->node_count; i++)
        if (!node_open(flow, i))
            return false;
    for (i = 0; i < plan->edge_count; i++)
        flow->links[i] = (struct link){ .plan = &plan->edges[i],
                                        .writer = &flow->nodes[plan->edges[i].from],
                                        .reader = &flow->nodes[plan->edges[i].to] };
    if (!build_edges(flow))
        return false;
    link_outputs(flow);
    link_onward(flow);
    link_carriers(flow);
    fill_lanes(flow);
    fill_wants(flow);
    return true;
}

void build_close(struct flow *flow)
{
    uint32_t i, k;

    for (i = 0; flow->links && i < flow->plan->edge_count; i++)
        queue_close(&flow->links[i].queue);
    for (i = 0; i < flow->edge_count; i++)
        edge_close(&flow->edges[i]);
    for (i = 0; flow->nodes && i < flow->plan->node_count; i++)
        if (flow->nodes[i].flow)
            node_close(&flow->nodes[i]);
    for (i = 0; flow->rings && i < flow->plan->node_count; i++)
        bytes_close(&flow->rings[i]);
    for (i = 0; flow->lanes && i < flow->plan->lane_count; i++) {
        struct lane *lane = &flow->lanes[i];

        if (lane->flow && lane->bell.fd >= 0)
            bell_close(&lane->bell);
        free(lane->nodes);
        free(lane->ins);
        free(lane->polls);
        free(lane->rings);
        free(lane->queues);
        for (k = 0; lane->letters && k < EPOCH_NOTES; k++)
            wire_free(&lane->letters[k]);
        for (k = 0; lane->retried && k < EPOCH_NOTES; k++)
            wire_free(&lane->retried[k]);
        free(lane->letters);
        free(lane->retried);
        free(lane->retry_buffer);
        wire_free(&lane->letter);
    }
    for (i = 0; flow->domains && i < flow->plan->domain_count; i++)
        epochs_close(&flow->domains[i].epochs);
    free(flow->domains);
    commit_close(flow);
    if (!flow->before)
        names_close(&flow->names);
    free(flow->lanes);
    free(flow->edges);
    free(flow->links);
    free(flow->nodes);
    free(flow->rings);
}
