/* layout.c - circles of commands, threads, commit domains, copies and memory of a plan.
 *
 * An edge that spills or drops is a queue: its reader is another lane and another
 * commit domain. Sources that come together nowhere have a domain each, so that one whose
 * way is stuck stops nobody else.
 *
 * A node shares its writer's thread unless it blocks, is fed from several
 * threads, or stands right behind a live source (whose reading must not wait for
 * anything). A sink that blocks, and a node in a process, has a thread of its own.
 *
 * An editor needs a copy of its input where anybody else can see the bytes: walk
 * up from it to the node that made them; any fan-out on the way means yes. */
#include "config/plan.h"

#include "cell/cell.h"

enum {
    HEADERS_LEAST = 128,
    HEADERS_MOST = 4096,
    BYTES_A_HEADER = 256,     /* of buffer; a power of two */
    RING_LEAST = 64 * 1024,   /* of a node whose readers are all fused */
    RECORD_BYTES = 64,
    STAGED_RECORDS = 256,     /* flow keeps this many emitted records a node */
    PAYLOAD_SHARE = 4         /* a payload is at most this part of its ring */
};

static const struct aff_port *input_of(const struct plan *plan, const struct plan_edge *edge)
{
    return &plan->nodes[edge->to].plugin->inputs[edge->to_port];
}

static uint32_t kind_of(const struct plan *plan, uint32_t node)
{
    return plan->nodes[node].plugin->about.kind;
}

/* ---- circles ---- */

/* A device ends its way: it is read and ends whatever commands still come to it. */
static void behind_mark(struct plan *plan, uint32_t node)
{
    bool moved = true;
    uint32_t i;

    for (i = 0; i < plan->node_count; i++)
        plan->nodes[i].is_behind = i == node;
    while (moved) {
        moved = false;
        for (i = 0; i < plan->edge_count; i++) {
            struct plan_node *to = &plan->nodes[plan->edges[i].to];

            if (!plan->nodes[plan->edges[i].from].is_behind || to->is_behind || kind_of(plan, plan->edges[i].to) == AFF_SOURCE)
                continue;
            to->is_behind = moved = true;
        }
    }
}

void plan_mark_circles(struct plan *plan)
{
    uint32_t i;

    for (i = 0; i < plan->edge_count; i++) {
        struct plan_edge *e = &plan->edges[i];

        e->closes = false;
        if (!(input_of(plan, e)->flags & AFF_PORT_COMMANDS) || kind_of(plan, e->to) == AFF_SOURCE)
            continue;
        behind_mark(plan, e->to);
        e->closes = plan->nodes[e->from].is_behind;
    }
}

/* ---- lanes ---- */

/* The one lane that feeds a node; PLAN_NONE where there are several, or where one
 * is not chosen yet: orders to a device may come from a node behind it. */
static uint32_t feeding_lane(const struct plan *plan, uint32_t node)
{
    uint32_t i, lane = PLAN_NONE;

    for (i = 0; i < plan->edge_count; i++) {
        const struct plan_edge *e = &plan->edges[i];

        if (e->to != node)
            continue;
        if (plan->nodes[e->from].lane == PLAN_NONE || (lane != PLAN_NONE && plan->nodes[e->from].lane != lane))
            return PLAN_NONE;
        lane = plan->nodes[e->from].lane;
    }
    return lane;
}

static bool behind_live_source(const struct plan *plan, uint32_t node)
{
    uint32_t i;

    for (i = 0; i < plan->edge_count; i++) {
        const struct plan_edge *e = &plan->edges[i];

        if (e->to == node && kind_of(plan, e->from) == AFF_SOURCE &&
            !(plan->nodes[e->from].plugin->about.flags & AFF_PULL))
            return true;
    }
    return false;
}

static bool fed_by_queue(const struct plan *plan, uint32_t node)
{
    uint32_t i;

    for (i = 0; i < plan->edge_count; i++)
        if (plan->edges[i].to == node && plan->edges[i].when_full != WHEN_FULL_BLOCK)
            return true;
    return false;
}

static void choose_lanes(struct plan *plan, enum layout_mode mode)
{
    uint32_t i;

    plan->lane_count = 0;
    for (i = 0; i < plan->node_count; i++)
        plan->nodes[i].lane = PLAN_NONE;
    for (i = 0; i < plan->node_count; i++) {
        struct plan_node *n = &plan->nodes[i];
        uint32_t lane = feeding_lane(plan, i);

        if (mode == LAYOUT_THREAD_PER_NODE || lane == PLAN_NONE || fed_by_queue(plan, i) ||
            (n->plugin->about.flags & AFF_BLOCKS) || n->in_process || behind_live_source(plan, i))
            lane = plan->lane_count++;
        n->lane = lane;
    }
}

/* ---- domains ---- */

/* Both ends of an edge that blocks are of one domain: the lower number wins. */
static bool domains_join(struct plan *plan)
{
    bool changed = false;
    uint32_t i;

    for (i = 0; i < plan->edge_count; i++) {
        struct plan_node *a = &plan->nodes[plan->edges[i].from], *b = &plan->nodes[plan->edges[i].to];
        uint32_t low = a->domain < b->domain ? a->domain : b->domain;

        if (plan->edges[i].when_full != WHEN_FULL_BLOCK || a->domain == b->domain)
            continue;
        a->domain = b->domain = low;
        changed = true;
    }
    return changed;
}

/* Numbered in the data's order. */
static void choose_domains(struct plan *plan)
{
    uint32_t i, k, next = 0;

    for (i = 0; i < plan->node_count; i++)
        plan->nodes[i].domain = i;
    while (domains_join(plan))
        continue;
    for (i = 0; i < plan->node_count; i++) {
        uint32_t old = plan->nodes[i].domain;

        if (old < next)
            continue;
        for (k = i; k < plan->node_count; k++)
            if (plan->nodes[k].domain == old)
                plan->nodes[k].domain = next;
        next++;
    }
    plan->domain_count = next;
}

/* ---- copies ---- */

static bool port_fans_out(const struct plan *plan, uint32_t node, uint32_t port)
{
    uint32_t i, readers = 0;

    for (i = 0; i < plan->edge_count; i++)
        readers += plan->edges[i].from == node && plan->edges[i].from_port == port;
    return readers > 1;
}

/* Whether records of an input may leave by an output as they are. */
bool plan_hands_on(const struct plugin *plugin, uint32_t input, uint32_t output)
{
    uint32_t i;

    if (plugin->outputs[output].passes == AFF_PASSES(input))
        return true;
    for (i = 0; i < plugin->verdict_count; i++)
        if (plugin->verdicts[i].kind == AFF_V_PORT && plugin->verdicts[i].port == output)
            return true;
    return false;
}

/* Whether others than the reader of `edge` can see the bytes that come by it. */
static bool seen_by_others(const struct plan *plan, const struct plan_edge *edge)
{
    uint32_t i;

    if (port_fans_out(plan, edge->from, edge->from_port))
        return true;
    for (i = 0; i < plan->edge_count; i++) {
        const struct plan_edge *up = &plan->edges[i];

        if (up->to == edge->from && !up->copies && up->way != EDGE_QUEUE &&
            plan_hands_on(plan->nodes[edge->from].plugin, up->to_port, edge->from_port) &&
            seen_by_others(plan, up))
            return true;
    }
    return false;
}

/* In the data's order: a copy further up makes those below it unneeded. */
static void choose_copies(struct plan *plan)
{
    uint32_t n, i;

    for (n = 0; n < plan->node_count; n++)
        for (i = 0; i < plan->edge_count; i++) {
            struct plan_edge *e = &plan->edges[i];

            if (e->to != n)
                continue;
            /* What a queue keeps may have to be stored as it is, and lies there for one
             * batch alone: who edits it or hands it on gets it in a ring of its own. */
            if (e->way == EDGE_QUEUE)
                e->copies = kind_of(plan, n) != AFF_SINK || (input_of(plan, e)->flags & AFF_PORT_EDITS);
            else
                e->copies = (input_of(plan, e)->flags & AFF_PORT_EDITS) && seen_by_others(plan, e);
        }
}

/* ---- memory ---- */

static uint32_t header_count(uint64_t buffer)
{
    uint32_t n = HEADERS_LEAST;

    while (n < HEADERS_MOST && (uint64_t)n * BYTES_A_HEADER < buffer)
        n *= 2;
    return n;
}

static uint64_t power_of_two(uint64_t least)
{
    uint64_t n = RING_LEAST;

    while (n < least)
        n *= 2;
    return n;
}

/* The largest payload that can come to a node: of any node that stands before it. */
static uint64_t largest_before(const struct plan *plan, uint32_t node)
{
    uint64_t largest = 0;
    uint32_t i;

    for (i = 0; i < node; i++)
        if (plan->nodes[i].ring_bytes / PAYLOAD_SHARE > largest)
            largest = plan->nodes[i].ring_bytes / PAYLOAD_SHARE;
    return largest < plan->max_record ? largest : plan->max_record;
}

/* What a node copies or holds moves through its own ring, however small that of its
 * readers may be: two of the largest fit. In the data's order. */
static void widen_rings(struct plan *plan)
{
    uint32_t n, i;

    for (n = 0; n < plan->node_count; n++) {
        struct plan_node *node = &plan->nodes[n];
        bool moves = node->max_held > 0;

        for (i = 0; i < plan->edge_count; i++)
            moves = moves || (plan->edges[i].to == n && plan->edges[i].copies);
        if (moves && node->ring_bytes < 2 * largest_before(plan, n))
            node->ring_bytes = power_of_two(2 * largest_before(plan, n));
    }
}

static void choose_rings(struct plan *plan)
{
    uint32_t i;

    for (i = 0; i < plan->node_count; i++)
        plan->nodes[i].ring_bytes = plan->nodes[i].plugin->output_count > 0 ? RING_LEAST : 0;
    for (i = 0; i < plan->edge_count; i++) {
        struct plan_edge *e = &plan->edges[i];
        struct plan_node *from = &plan->nodes[e->from], *to = &plan->nodes[e->to];

        e->headers = header_count(e->buffer);
        if (from->ring_bytes < e->buffer)
            from->ring_bytes = power_of_two(e->buffer);
        if (e->copies && to->ring_bytes < e->buffer)
            to->ring_bytes = power_of_two(e->buffer);
    }
    widen_rings(plan);
}

void plan_layout(struct plan *plan, enum layout_mode mode)
{
    uint32_t i;

    choose_lanes(plan, mode);
    choose_domains(plan);
    for (i = 0; i < plan->edge_count; i++) {
        struct plan_edge *e = &plan->edges[i];

        if (e->when_full != WHEN_FULL_BLOCK)
            e->way = EDGE_QUEUE;
        else
            e->way = plan->nodes[e->from].lane == plan->nodes[e->to].lane ? EDGE_FUSED : EDGE_RING;
    }
    choose_copies(plan);
    choose_rings(plan);
}

struct sum {
    struct plan_memory *lines;
    uint32_t room;
    uint32_t count;
    uint64_t total;
};

static void add(struct sum *sum, struct plan_memory line)
{
    if (line.bytes == 0)
        return;
    if (sum->lines && sum->count < sum->room)
        sum->lines[sum->count] = line;
    sum->count++;
    sum->total += line.bytes;
}

/* A held record is copied whole: its place may grow to the largest payload. */
static uint64_t hold_bytes(const struct plan *plan, uint32_t node)
{
    return plan->nodes[node].max_held * (RECORD_BYTES + largest_before(plan, node));
}

/* What it may keep, what is read back from the store, and what is under way. */
static uint64_t queue_bytes(const struct plan_edge *edge)
{
    return edge->when_full == WHEN_FULL_SPILL ? 3u * edge->buffer : 2u * edge->buffer;
}

uint64_t plan_memory(const struct plan *plan, struct plan_memory *lines, uint32_t room, uint32_t *ret_count)
{
    struct sum sum = { lines, room, 0, 0 };
    uint64_t staged = (uint64_t)(STAGED_RECORDS + PLAN_BATCH) * RECORD_BYTES, outputs;
    uint32_t i;

    for (i = 0; i < plan->node_count; i++) {
        const struct plan_node *n = &plan->nodes[i];

        outputs = (uint64_t)n->plugin->output_count * PLAN_BATCH * RECORD_BYTES;
        add(&sum, (struct plan_memory){ "byte ring", n->ring_bytes, i, PLAN_NONE });
        add(&sum, (struct plan_memory){ "batches", staged + outputs, i, PLAN_NONE });
        add(&sum, (struct plan_memory){ "hold area", hold_bytes(plan, i), i, PLAN_NONE });
        if (n->in_process)
            add(&sum, (struct plan_memory){ "shared with its process", cell_shared_bytes(plan->max_record), i, PLAN_NONE });
    }
    for (i = 0; i < plan->edge_count; i++) {
        if (plan->edges[i].way == EDGE_RING)
            add(&sum, (struct plan_memory){ "header ring", (uint64_t)plan->edges[i].headers * RECORD_BYTES,
                                            PLAN_NONE, i });
        else if (plan->edges[i].way == EDGE_QUEUE)
            add(&sum, (struct plan_memory){ "queue", queue_bytes(&plan->edges[i]), PLAN_NONE, i });
    }
    if (ret_count)
        *ret_count = sum.count;
    return sum.total;
}
