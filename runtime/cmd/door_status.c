/* door_status.c - gathers how a run is, for struct status.
 *
 * Everything is read where the run counts it; nothing of it stops a lane. */
#include <afferent/plugin.h>

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "cmd/door_inside.h"
#include "flow/link_state.h"
#include "flow/wire.h"
#include "show/status.h"
#include "util/arena.h"

struct gathering {
    struct door *door;
    struct arena *arena;
    struct status status;
    struct store_figures store;
    struct keeper_figures keeper;
    struct control_figures control;
};

static bool count_letter(void *arg, uint64_t number, const void *bytes, size_t size)
{
    struct status *s = arg;

    (void)number;
    (void)bytes;
    (void)size;
    s->letters++;
    return true;
}

static void gather_store(struct gathering *g, int64_t now_ns)
{
    const struct stored *stored = g->door->shape.stored;

    g->status.commit_age_ns = -1;
    if (!stored->store || store_figures(stored->store, &g->store) != STORE_OK)
        return;
    g->status.store = &g->store;
    store_letters(stored->store, count_letter, &g->status);
    if (!stored->keeper)
        return;
    keeper_figures(stored->keeper, &g->keeper);
    g->status.keeper = &g->keeper;
    if (g->keeper.last_commit_ns > 0)
        g->status.commit_age_ns = now_ns - g->keeper.last_commit_ns;
    if (g->keeper.is_paused)
        g->status.paused = "the store cannot be written now: the disk is full, or fails";
    else if (store_room(stored->store) == 0)
        g->status.paused = "store_limit is reached: what is stored has to be delivered first";
}

/* What was too old when its turn came never reached the node: its edges counted it. */
static uint64_t expired_before(const struct gathering *g, uint32_t node)
{
    const struct plan *plan = g->door->plan;
    uint64_t expired = 0;

    for (uint32_t i = 0; g->door->flow && i < plan->edge_count; i++) {
        struct flow_edge f;

        if (plan->edges[i].to != node)
            continue;
        flow_edge(g->door->flow, i, &f);
        expired += f.expired;
    }
    return expired;
}

static bool gather_nodes(struct gathering *g)
{
    const struct plan *plan = g->door->plan;
    struct status_node *nodes = arena_take_array(g->arena, plan->node_count, sizeof *nodes);

    for (uint32_t i = 0; nodes && i < plan->node_count; i++) {
        struct flow_node n = { .account = { 0 } };
        char why[256] = "";
        char isolation[200] = "";
        uint64_t failing = 0, restarts = 0;

        if (g->door->flow)
            flow_node(g->door->flow, i, &n);
        if (g->door->flow)
            failing = flow_node_failing(g->door->flow, i, why, sizeof why);
        if (g->door->flow)
            restarts = flow_node_isolation(g->door->flow, i, isolation, sizeof isolation);
        nodes[i] = (struct status_node){
            .name = plan->nodes[i].name,
            .plugin = plan->nodes[i].plugin->about.name,
            .state = !g->door->flow ? "starts, or ends" : failing ? "fails, is tried again" : "runs",
            .why = failing ? arena_print(g->arena, "%s", why) : NULL,
            .retries = failing,
            .isolation = arena_print(g->arena, "%s", isolation),
            .restarts = restarts,
            .records = n.account.in + n.account.made,
            .dead = n.account.dead,
            .expired = expired_before(g, i),
            .held = n.account.held,
        };
    }
    g->status.nodes = nodes;
    g->status.node_count = nodes ? plan->node_count : 0;
    return nodes != NULL;
}

static const char *way_name(enum when_full way)
{
    static const char *const names[] = { "block", "spill", "drop_oldest" };

    return names[way];
}

/* Below 0: nothing is in line. A recording's first in line is as old as the recording. */
static int64_t age_of(int64_t event_ns)
{
    struct timespec now;
    int64_t age;

    if (event_ns == INT64_MAX || clock_gettime(CLOCK_REALTIME, &now) != 0)
        return -1;
    if (__builtin_sub_overflow((int64_t)now.tv_sec * 1000000000 + now.tv_nsec, event_ns, &age))
        return -1;
    return age < 0 ? 0 : age; /* the clock was set back */
}

static bool gather_edges(struct gathering *g)
{
    const struct plan *plan = g->door->plan;
    struct status_edge *edges = arena_take_array(g->arena, plan->edge_count, sizeof *edges);

    for (uint32_t i = 0; edges && i < plan->edge_count; i++) {
        const struct plan_edge *e = &plan->edges[i];
        const struct plan_node *from = &plan->nodes[e->from], *to = &plan->nodes[e->to];
        struct flow_edge f = { .oldest_ns = INT64_MAX };

        if (g->door->flow)
            flow_edge(g->door->flow, i, &f);
        edges[i] = (struct status_edge){
            .from = arena_print(g->arena, "%s.%s", from->name, from->plugin->outputs[e->from_port].name),
            .to = arena_print(g->arena, "%s.%s", to->name, to->plugin->inputs[e->to_port].name),
            .way = way_name(e->when_full),
            .queued = f.queued,
            .stored = f.stored,
            .dropped = f.dropped,
            .oldest_age_ns = age_of(f.oldest_ns),
        };
        if (!edges[i].from || !edges[i].to)
            return false;
    }
    g->status.edges = edges;
    g->status.edge_count = edges ? plan->edge_count : 0;
    return edges != NULL;
}

static bool gather_leaves(struct gathering *g)
{
    const struct plan *plan = g->door->plan;
    struct status_leave *leaves = arena_take_array(g->arena, plan->leave_count, sizeof *leaves);

    for (uint32_t i = 0; leaves && i < plan->leave_count; i++)
        if (plan->leaves[i].reason)
            leaves[g->status.leave_count++] = (struct status_leave){ plan->nodes[plan->leaves[i].node].name,
                                                                     plan->leaves[i].reason };
    g->status.leaves = leaves;
    return leaves != NULL;
}

static bool gather_notes(struct gathering *g)
{
    const struct plan *plan = g->door->plan;
    const struct plan_note *note;
    struct status_note *notes;
    uint32_t count = 0;

    for (uint32_t i = 0; i < plan->node_count; i++)
        for (note = plan->nodes[i].notes; note; note = note->next)
            count++;
    notes = arena_take_array(g->arena, count + 1u, sizeof *notes);
    for (uint32_t i = 0; notes && i < plan->node_count; i++)
        for (note = plan->nodes[i].notes; note; note = note->next)
            notes[g->status.note_count++] = (struct status_note){ plan->nodes[i].name, note->text };
    g->status.notes = notes;
    return notes != NULL;
}

static bool gather_links(struct gathering *g)
{
    struct flow *flow = g->door->flow;
    uint32_t most = g->door->plan->node_count;
    struct aff_link *links = arena_take_array(g->arena, most, sizeof *links);

    while (links && flow && g->status.link_count < most &&
           link_state_get(flow, g->status.link_count, &links[g->status.link_count]))
        g->status.link_count++;
    g->status.links = links;
    return links != NULL;
}

static void gather_waiting(struct gathering *g, struct status_uplink *to)
{
    const struct plan *plan = g->door->plan;

    for (uint32_t i = 0; i < plan->edge_count; i++) {
        struct flow_edge f;

        if (plan->edges[i].to != to->node)
            continue;
        flow_edge(g->door->flow, i, &f);
        to->waiting[plan->edges[i].priority] += f.queued;
    }
}

static bool gather_uplinks(struct gathering *g)
{
    const struct plan *plan = g->door->plan;
    struct status_uplink *uplinks = arena_take_array(g->arena, plan->node_count, sizeof *uplinks);

    for (uint32_t i = 0; uplinks && g->door->flow && i < plan->node_count; i++) {
        struct status_uplink *to = &uplinks[g->status.uplink_count];

        if (!uplink_figures(g->door->flow, i, &to->figures))
            continue;
        to->plan = plan;
        to->node = i;
        gather_waiting(g, to);
        g->status.uplink_count++;
    }
    g->status.uplinks = uplinks;
    return uplinks != NULL;
}

static void gather_head(struct gathering *g, int64_t now_ns)
{
    struct door *d = g->door;

    g->status.pipeline = d->plan->name;
    g->status.file = d->shape.file;
    g->status.version = AFF_VERSION;
    g->status.pid = (int64_t)getpid();
    g->status.uptime_ns = now_ns - d->begun_ns;
    g->status.epochs = d->flow ? flow_committed(d->flow) : 0;
    g->status.balanced = !d->flow || !flow_unbalanced(d->flow);
    if (d->control) { /* it may ask before it is quite open */
        control_figures(d->control, &g->control);
        g->status.control = &g->control;
    }
    if (!d->flow)
        g->status.paused = *d->why ? d->why : "it starts, or ends";
}

bool door_status(struct door *door, int64_t now_ns, bool json, struct text *answer)
{
    struct gathering g = { .door = door, .arena = arena_new() };
    bool ok = g.arena != NULL;

    if (ok) {
        gather_store(&g, now_ns);
        gather_head(&g, now_ns);
        ok = gather_nodes(&g) && gather_edges(&g) && gather_leaves(&g) && gather_notes(&g) && gather_links(&g) && gather_uplinks(&g);
    }
    if (ok)
        status_text(&g.status, json, answer);
    arena_free(&g.arena);
    return ok;
}
