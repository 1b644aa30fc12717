/* commit.c - which epochs become safe together, and the group they make.
 *
 * Not here: the accounts in it (commit_books.c), coming back after a death
 * (commit_resume.c), letters (letters.c). */
#include "flow/commit.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

#include "flow/commit_inside.h"
#include "flow/retry.h"
#include "flow/snap.h"
#include "flow/trace.h"
#include "flow/uplink.h"

/* How long a complete epoch may wait for sinks behind queues to finish it, so that
 * it need not be written: this part of commit_every. */
enum { GRACE_SHARE = 4 };

/* ---- notes ---- */

static bool note_node(struct node *node, uint32_t slot)
{
    struct wire *wire = &node->flow->commit->notes[node->index].at[slot];
    aff_status st;

    wire_clear(wire);
    wire_u8(wire, COMMIT_VERSION);
    wire_u8(wire, node->drained);
    st = snap_write(node, wire);
    if (st == AFF_OK && !wire->failed)
        return true;
    flow_fail(node->flow, node, st < 0 ? st : AFF_ERR_MEMORY,
              node->why[0] ? node->why : "its state could not be noted for the store");
    return false;
}

static void note_links(struct node *node, uint32_t slot)
{
    uint32_t port, k;

    for (port = 0; port < node->plan->plugin->output_count; port++)
        for (k = 0; k < node->outputs[port].link_count; k++) {
            struct link *link = node->outputs[port].links[k];

            link->put_at[slot] = atomic_load_explicit(&link->put, memory_order_relaxed);
            if (link->plan->way == EDGE_FUSED)
                link->taken_at[slot] = atomic_load_explicit(&link->taken, memory_order_relaxed);
        }
}

bool commit_note(struct lane *lane)
{
    uint32_t slot = (uint32_t)(lane->epoch % EPOCH_NOTES), i;

    for (i = 0; i < lane->in_count; i++) {
        struct link *link = lane->ins[i];

        link->taken_at[slot] = atomic_load_explicit(&link->taken, memory_order_relaxed);
        link->expired_at[slot] = atomic_load_explicit(&link->expired, memory_order_relaxed);
        if (link->queue)
            queue_note(link->queue, lane->epoch);
    }
    for (i = 0; i < lane->node_count; i++) {
        note_links(lane->nodes[i], slot);
        if (lane->flow->kept && !note_node(lane->nodes[i], slot))
            return false;
        lane->nodes[i]->at_epoch[slot] = ledger_read(&lane->nodes[i]->ledger); /* behind a letter of what it held */
    }
    trace_snap(lane);
    return true;
}

void commit_note_final(struct lane *lane)
{
    atomic_store(&lane->final_epoch, lane->epoch);
}

/* Only of a lane that is one sink: nothing that it did since has gone on. */
void commit_abandon(struct lane *lane, uint64_t last)
{
    uint32_t slot = (uint32_t)(last % EPOCH_NOTES), i;

    trace_abandon(lane, last);
    for (i = 0; i < lane->in_count; i++) {
        atomic_store(&lane->ins[i]->taken, lane->ins[i]->taken_at[slot]);
        atomic_store(&lane->ins[i]->expired, lane->ins[i]->expired_at[slot]);
    }
    for (i = 0; i < lane->node_count; i++)
        ledger_write(&lane->nodes[i]->ledger, &lane->nodes[i]->at_epoch[slot]);
    atomic_store(&lane->final_epoch, last);
}

/* ---- which epochs ---- */

/* Lowers what was chosen until no reader is ahead of its writer. What was committed last is
 * such a cut, so there is an end. */
static void choose_agreeing(struct flow *flow)
{
    bool changed = true;
    uint32_t i;

    while (changed) {
        changed = false;
        for (i = 0; i < flow->plan->edge_count; i++) {
            const struct link *l = &flow->links[i];
            struct domain *reader = l->reader->lane->domain;

            if (!l->queue || reader->chosen == epochs_committed(&reader->epochs) ||
                queue_agrees(l->queue, commit_epoch(l->writer->lane), commit_epoch(l->reader->lane)))
                continue;
            reader->chosen--;
            changed = true;
        }
    }
}

static bool all_over(struct flow *flow)
{
    uint32_t i;

    for (i = 0; i < flow->plan->domain_count; i++)
        if (!epochs_over(&flow->domains[i].epochs))
            return false;
    return true;
}

/* Whether a writer's epoch waits a little longer for its readers. */
static bool wait_longer(struct flow *flow, int64_t *ret_wait_ns)
{
    int64_t grace = flow->plan->commit_every_ns / GRACE_SHARE, now = clock_now(&flow->clock), left = 0;
    uint32_t i;

    for (i = 0; i < flow->plan->edge_count; i++) {
        const struct link *l = &flow->links[i];
        const struct domain *writer = l->writer->lane->domain;

        if (!l->queue || l->plan->when_full != WHEN_FULL_SPILL ||
            writer->chosen >= epochs_committed(&writer->epochs) + EDGE_EPOCHS / 2 ||
            queue_unfinished(l->queue, writer->chosen - 1u, commit_epoch(l->reader->lane)) == 0)
            continue;
        if (writer->seen_ns + grace - now > left)
            left = writer->seen_ns + grace - now;
    }
    *ret_wait_ns = left;
    return left > 0 && !all_over(flow);
}

/* True: at least one domain goes on. */
static bool choose(struct flow *flow, int64_t *ret_wait_ns)
{
    bool any = false;
    uint32_t i;

    *ret_wait_ns = -1;
    for (i = 0; i < flow->plan->domain_count; i++) {
        struct domain *d = &flow->domains[i];

        d->chosen = epochs_complete(&d->epochs);
        if (d->seen != d->chosen)
            d->seen_ns = clock_now(&flow->clock);
        d->seen = d->chosen;
    }
    choose_agreeing(flow);
    for (i = 0; i < flow->plan->domain_count; i++)
        any |= flow->domains[i].chosen > epochs_committed(&flow->domains[i].epochs);
    return any && !(flow->kept && wait_longer(flow, ret_wait_ns));
}

/* ---- the group ---- */

static void gather_nodes(struct flow *flow, struct kept_group *group)
{
    char name[COMMIT_NAME];
    uint32_t i;

    for (i = 0; i < flow->plan->node_count; i++) {
        const struct node *n = &flow->nodes[i];
        struct note *note = &flow->commit->notes[i];
        const struct wire *wire = &note->at[commit_slot(n->lane, commit_epoch(n->lane))];
        uint64_t hash = XXH3_64bits(wire->bytes, wire->size);

        if (note->is_stored && note->hash == hash)
            continue;
        note->is_stored = true;
        note->hash = hash;
        snprintf(name, sizeof name, COMMIT_NODE "%s", n->plan->name);
        commit_piece(group, name, wire);
    }
}

static void gather_queues(struct flow *flow, struct kept_group *group)
{
    uint32_t i, from;

    for (i = 0; i < flow->plan->edge_count; i++) {
        const struct link *l = &flow->links[i];

        from = group->count;
        if (l->queue)
            queue_gather(l->queue, commit_epoch(l->writer->lane), commit_epoch(l->reader->lane), group);
        trace_store(l, group, from);
    }
}

static void gather_letters(struct flow *flow, struct kept_group *group)
{
    uint32_t i;
    uint64_t e;

    for (i = 0; i < flow->plan->lane_count; i++) {
        const struct lane *lane = &flow->lanes[i];

        for (e = epochs_committed(&lane->domain->epochs); e <= commit_epoch(lane); e++) {
            letters_gather(lane, e, group);
            retry_gather(lane, e, group);
        }
    }
}

static void gather_names(struct flow *flow, struct kept_group *group)
{
    struct commit *c = flow->commit;
    uint64_t hash;
    struct wire_group of = { c->nodes, c->name_count, c->below, flow->plan->domain_count };
    uint32_t i;

    for (i = 0; i < flow->plan->domain_count; i++)
        c->below[i] = flow->domains[i].chosen;
    wire_clear(&c->scratch);
    wire_names(&c->scratch, flow->names, &of);
    hash = XXH3_64bits(c->scratch.bytes, c->scratch.size);
    if (hash != c->names_hash)
        commit_piece(group, COMMIT_NAMES, &c->scratch);
    c->names_hash = hash;
    group->failed |= c->scratch.failed;
}

/* All that was cut of every domain is in this group, and no more will be. */
static bool is_last(struct flow *flow)
{
    uint32_t i;

    for (i = 0; i < flow->plan->domain_count; i++) {
        struct domain *d = &flow->domains[i];

        if (!epochs_over(&d->epochs) || d->chosen != epochs_complete(&d->epochs))
            return false;
    }
    return true;
}

static bool all_drained(const struct flow *flow)
{
    uint32_t i;

    for (i = 0; i < flow->plan->node_count; i++) {
        const struct node *n = &flow->nodes[i];

        if (n->about->kind == AFF_SOURCE ? !n->over : !n->drained)
            return false;
    }
    return true;
}

static enum flow_end end_of(const struct flow *flow)
{
    if (!atomic_load(&flow->aborting))
        return FLOW_END_NONE;
    if (atomic_load(&flow->failing) != AFF_OK)
        return FLOW_END_ERROR;
    return atomic_load(&flow->cut_short) ? FLOW_END_CUT : FLOW_END_ABORT;
}

static void gather_run(struct flow *flow, struct kept_group *group)
{
    struct commit *c = flow->commit;
    struct run_state run = { .clean = is_last(flow) && atomic_load(&c->begun), .end = end_of(flow) };

    /* A trial of so much of the data's time is not gone on with. */
    run.finished = (run.clean && all_drained(flow)) || flow->options.for_ns > 0;
    c->accounts->clean = run.clean;
    if (c->run_stored && run.clean == c->run.clean && run.finished == c->run.finished && run.end == c->run.end)
        return;
    if (c->was_rescued && !c->run_stored)
        kept_group_add(group, KEPT_STATE, 0, 0, COMMIT_RESCUED, NULL, 0);
    c->run = run;
    c->run_stored = true;
    wire_clear(&c->scratch);
    wire_u8(&c->scratch, COMMIT_VERSION);
    wire_u8(&c->scratch, run.finished);
    wire_u8(&c->scratch, run.clean);
    wire_u64(&c->scratch, flow->options.identity);
    wire_u64(&c->scratch, flow->plan->commit_records);
    wire_u8(&c->scratch, (uint8_t)run.end);
    commit_piece(group, COMMIT_RUN, &c->scratch);
}

/* Nodes that a reload took away: a later one of that name begins anew. */
static void gather_gone(struct flow *flow, struct kept_group *group)
{
    char name[COMMIT_NAME];
    uint32_t i;

    for (i = 0; i < flow->commit->gone_count; i++) {
        snprintf(name, sizeof name, COMMIT_NODE "%s", flow->commit->gone[i]);
        kept_group_add(group, KEPT_STATE, 0, 0, name, NULL, 0);
    }
}

static void gather_all(struct flow *flow, struct kept_group *group)
{
    gather_nodes(flow, group);
    gather_letters(flow, group);
    gather_queues(flow, group);
    gather_names(flow, group);
    gather_run(flow, group);
    commit_accounts(flow, group);
    uplinks_gather(flow, group, &flow->commit->scratch);
    gather_gone(flow, group);
}

/* Lanes are done with these epochs: what ended in them may go. */
static void let_names_go(struct flow *flow)
{
    uint32_t i;

    for (i = 0; i < flow->plan->domain_count; i++)
        names_commit(flow->names, names_when(i, flow->domains[i].chosen));
}

/* There was no memory for the group, and the next one must hold all of it. */
static void gather_again(struct flow *flow)
{
    struct commit *c = flow->commit;
    uint32_t i;

    for (i = 0; i < flow->plan->node_count; i++)
        c->notes[i].is_stored = false;
    c->names_hash = 0;
    c->run_stored = false;
    uplinks_again(flow);
}

/* All is in, and it is not stored yet that the run has ended: a lane may have ended behind
 * the last commit, with nothing of its own. Or it is being aborted, and why is not stored. */
static bool ends_now(struct flow *flow)
{
    const struct commit *c = flow->commit;

    return flow->kept && atomic_load(&c->begun) && !c->run.clean && (is_last(flow) || end_of(flow) != c->run.end);
}

/* The first group says that a run has begun: what is delivered before the second one may
 * be delivered again. */
bool flow_gather(void *arg, struct kept_group *group, int64_t *ret_wait_ns)
{
    struct flow *flow = arg;
    bool any;

    pthread_mutex_lock(&flow->commit->lock);
    any = choose(flow, ret_wait_ns) || !flow->commit->run_stored || ends_now(flow) || uplinks_due(flow);
    if (any) {
        trace_choose(flow);
        commit_check_books(flow);
        let_names_go(flow);
        gather_all(flow, group);
        if (group->failed)
            gather_again(flow);
    }
    pthread_mutex_unlock(&flow->commit->lock);
    return any;
}

static void forget_letters(struct flow *flow)
{
    uint32_t i;
    uint64_t e;

    for (i = 0; i < flow->plan->lane_count; i++) {
        const struct lane *lane = &flow->lanes[i];

        for (e = epochs_committed(&lane->domain->epochs); e < lane->domain->chosen; e++) {
            letters_forget(lane, e);
            retry_forget(lane, e);
        }
    }
}

static void committed(struct flow *flow)
{
    uint32_t i;

    forget_letters(flow);

    for (i = 0; i < flow->plan->edge_count; i++) {
        const struct link *l = &flow->links[i];

        if (l->queue)
            queue_stored(l->queue, commit_epoch(l->writer->lane), commit_epoch(l->reader->lane));
    }
    trace_committed(flow);
    for (i = 0; i < flow->plan->domain_count; i++)
        epochs_commit(&flow->domains[i].epochs, flow->domains[i].chosen);
    let_names_go(flow); /* queues have let go of some, too */
}

void flow_stored(void *arg)
{
    struct flow *flow = arg;

    pthread_mutex_lock(&flow->commit->lock);
    trace_durable(flow);
    committed(flow);
    commit_gone_free(flow->commit);
    atomic_store(&flow->commit->begun, true);
    pthread_mutex_unlock(&flow->commit->lock);
    flow_ring(flow);
}

void commit_ready(struct lane *lane)
{
    struct flow *flow = lane->flow;
    int64_t wait;

    if (flow->kept) {
        flow->kept->ring(flow->kept->self);
        return;
    }
    pthread_mutex_lock(&flow->commit->lock);
    if (choose(flow, &wait)) {
        trace_choose(flow);
        commit_check_books(flow);
        trace_durable(flow);
        committed(flow);
    }
    pthread_mutex_unlock(&flow->commit->lock);
    flow_ring(flow);
}

bool commit_full(const struct flow *flow)
{
    uint64_t room, pending = 0;
    struct queue_figures f;
    uint32_t i;

    if (!flow->kept)
        return false;
    if (!atomic_load(&flow->commit->begun))
        return true;
    room = flow->kept->room(flow->kept->self);
    for (i = 0; room > 0 && i < flow->plan->edge_count; i++) {
        if (!flow->links[i].queue || flow->links[i].plan->when_full != WHEN_FULL_SPILL)
            continue;
        queue_figures(flow->links[i].queue, &f);
        pending += f.pending;
    }
    return room <= pending;
}

void flow_store_failed(void *arg, const char *why)
{
    struct flow *flow = arg;
    struct node *first = &flow->nodes[0];

    flow_fail(flow, first, AFF_ERR_IO, why);
}

bool flow_resumed(const struct flow *flow)
{
    return flow->commit->resumed;
}
