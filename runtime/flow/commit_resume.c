/* commit_resume.c - how a run goes on where the last one stopped.
 *
 * A run that came to its end (all sources over) is not gone on with: the next one
 * begins anew, and delivers what is still in queues. One that was stopped or died is:
 * names, accounts and the state of each node come back from the last commit, all of
 * one moment. What was read after that commit is read again; it may have been
 * delivered, so it is marked RESENT.
 *
 * Not here: what is stored (commit.c). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flow/commit_inside.h"
#include "flow/snap.h"
#include "flow/uplink.h"

void commit_queue_name(const struct plan *plan, const struct plan_edge *edge, char *ret_name, size_t room)
{
    const struct plan_node *from = &plan->nodes[edge->from], *to = &plan->nodes[edge->to];

    snprintf(ret_name, room, "%s.%s>%s.%s", from->name, from->plugin->outputs[edge->from_port].name, to->name,
             to->plugin->inputs[edge->to_port].name);
}

void flow_queue_name(const struct plan *plan, uint32_t edge, char *ret_name, size_t room)
{
    commit_queue_name(plan, &plan->edges[edge], ret_name, room);
}

/* ---- how the last run ended ---- */

static bool piece(const struct flow *flow, const char *name, void **ret_bytes, size_t *ret_size)
{
    *ret_bytes = NULL;
    return flow->kept && flow->kept->state(flow->kept->self, name, ret_bytes, ret_size);
}

static void read_run(struct flow *flow)
{
    struct commit *c = flow->commit;
    struct wire_in in;
    bool finished;
    void *bytes;
    size_t size;

    if (!piece(flow, COMMIT_RUN, &bytes, &size))
        return;
    in = (struct wire_in){ bytes, (uint8_t *)bytes + size, false };
    if (wire_in_u8(&in) == COMMIT_VERSION) {
        finished = wire_in_u8(&in) != 0;
        c->was_clean = wire_in_u8(&in) != 0;
        c->other_file = wire_in_u64(&in);
        c->most_before = wire_in_u64(&in);
        if (c->other_file && flow->options.identity && c->other_file != flow->options.identity)
            flow_log(flow, AFF_LOG_WARN, NULL, "the state under this name was made by a file at another place; if that is "
                                               "another pipeline, stop this one and give it a name of its own");
        c->resumed = !in.bad && !finished && !flow->options.fresh;
    }
    free(bytes);
}

/* Of an earlier version the bytes end before. */
enum flow_end flow_end_read(const void *bytes, size_t size)
{
    struct wire_in in = { bytes, (const uint8_t *)bytes + size, false };
    bool is_known = wire_in_u8(&in) == COMMIT_VERSION;
    uint8_t end;

    (void)wire_in_u8(&in); /* finished, clean, and what read_run looks at */
    (void)wire_in_u8(&in);
    (void)wire_in_u64(&in);
    (void)wire_in_u64(&in);
    end = wire_in_u8(&in);
    return is_known && !in.bad && end <= FLOW_END_ERROR ? (enum flow_end)end : FLOW_END_NONE;
}

/* A store that was carried over from a damaged one. Where its pieces may be of
 * different moments they are not used: what is read again may all have been
 * delivered. */
static void read_rescued(struct flow *flow)
{
    struct commit *c = flow->commit;
    struct wire_in in;
    void *bytes;
    size_t size;

    if (!piece(flow, COMMIT_RESCUED, &bytes, &size))
        return;
    in = (struct wire_in){ bytes, (uint8_t *)bytes + size, false };
    c->was_rescued = true;
    c->was_clean = false;
    if (wire_in_u32(&in) != COMMIT_VERSION || (wire_in_u32(&in) & COMMIT_MIXED) || in.bad) {
        flow_log(flow, AFF_LOG_ERROR, NULL, "the store was damaged, and the state in it is not of one moment; sources are "
                                            "read from their beginning, and all is marked as sent again");
        c->resumed = false;
        c->is_mixed = true;
    }
    free(bytes);
}

bool commit_resume_names(struct flow *flow)
{
    struct commit *c = flow->commit;
    void *bytes;
    size_t size;

    read_run(flow);
    read_rescued(flow);
    if (!c->resumed)
        return true;
    if (!piece(flow, COMMIT_NAMES, &bytes, &size) ||
        !wire_names_read(bytes, size, flow->names, c->nodes, flow->plan->node_count)) {
        flow_log(flow, AFF_LOG_ERROR, NULL, "the state of the last run cannot be used; this run begins anew, and all that is read "
                                            "is marked as sent again");
        c->resumed = false;
        c->was_clean = false;
        c->is_mixed = true;
    }
    free(bytes);
    return true;
}

/* ---- accounts ---- */

static const struct accounts_node *find_node(const struct accounts *a, const char *name)
{
    uint32_t i;

    for (i = 0; i < a->node_count; i++)
        if (strcmp(a->nodes[i].name, name) == 0)
            return &a->nodes[i];
    return NULL;
}

static void resume_node(struct node *node, const struct accounts_node *from)
{
    const uint64_t *x = from->numbers;
    struct account a = {
        .in = x[ACCOUNTS_IN],
        .made = x[ACCOUNTS_MADE],
        .retried = x[ACCOUNTS_RETRIED],
        .passed = x[ACCOUNTS_PASSED],
        .replaced = x[ACCOUNTS_REPLACED],
        .routed = x[ACCOUNTS_ROUTED],
        .emitted = x[ACCOUNTS_EMITTED],
        .used = x[ACCOUNTS_USED],
        .dropped = x[ACCOUNTS_DROPPED],
        .dead = x[ACCOUNTS_DEAD],
        .held = x[ACCOUNTS_HELD],
        .bytes_copied = x[ACCOUNTS_BYTES_COPIED],
    };
    uint32_t i, k;

    for (i = 0; i < node->verdict_rows; i++)
        for (k = 0; k < from->reason_count; k++)
            if (strcmp(from->reasons[k].name, i ? node->plan->plugin->verdicts[i - 1].name : "refused") == 0)
                a.by_verdict[i] = from->reasons[k].count;
    ledger_write(&node->ledger, &a);
}

/* What is in its queue stands in accounts that begin now as put before them. */
static void begin_link(struct link *l)
{
    struct queue_figures f;

    if (!l->queue)
        return;
    queue_figures(l->queue, &f);
    atomic_store(&l->put, f.queued);
}

/* What an edge was given and its reader never got: of one that drops, it is lost with
 * the memory it was in. */
static void resume_link(struct flow *flow, struct link *l, const struct accounts *a)
{
    const struct plan *plan = flow->plan;
    const struct plan_node *from = &plan->nodes[l->plan->from], *to = &plan->nodes[l->plan->to];
    uint32_t i;

    for (i = 0; i < a->edge_count; i++) {
        const struct accounts_edge *e = &a->edges[i];

        if (strcmp(e->from, from->name) || strcmp(e->to, to->name) ||
            strcmp(e->from_port, from->plugin->outputs[l->plan->from_port].name) ||
            strcmp(e->to_port, to->plugin->inputs[l->plan->to_port].name))
            continue;
        /* What waits in the store for an edge that is no queue any more is nobody's. */
        atomic_store(&l->put, l->queue ? e->numbers[ACCOUNTS_PUT] : e->numbers[ACCOUNTS_TAKEN]);
        atomic_store(&l->taken, e->numbers[ACCOUNTS_TAKEN]);
        atomic_store(&l->expired, e->numbers[ACCOUNTS_EDGE_EXPIRED]);
        l->dropped_before = e->numbers[ACCOUNTS_EDGE_DROPPED];
        l->lost_before = e->numbers[ACCOUNTS_EDGE_LOST];
        if (l->plan->when_full == WHEN_FULL_DROP_OLDEST)
            l->dropped_before += e->numbers[ACCOUNTS_EDGE_QUEUED];
        return;
    }
    begin_link(l);
}

static void begin_links(struct flow *flow)
{
    uint32_t i;

    for (i = 0; i < flow->plan->edge_count; i++)
        begin_link(&flow->links[i]);
}

static void resume_accounts(struct flow *flow, const struct accounts *a)
{
    struct accounts *to = flow->commit->accounts;
    const struct accounts_node *n;
    uint32_t i;

    for (i = 0; i < flow->plan->node_count; i++) {
        n = find_node(a, flow->plan->nodes[i].name);
        if (!n)
            continue;
        resume_node(&flow->nodes[i], n);
        to->nodes[i].numbers[ACCOUNTS_UNSAFE] = n->numbers[ACCOUNTS_UNSAFE];
        if (!flow->commit->was_clean)
            to->nodes[i].numbers[ACCOUNTS_UNSAFE] += n->numbers[ACCOUNTS_AT_RISK];
    }
    for (i = 0; i < flow->plan->edge_count; i++)
        resume_link(flow, &flow->links[i], a);
    to->since_utc_ns = a->since_utc_ns;
    to->commits = a->commits;
    to->runs = a->runs + 1u;
    to->deaths = a->deaths + !flow->commit->was_clean;
}

static void read_accounts(struct flow *flow)
{
    struct accounts *a = NULL;
    void *bytes;
    size_t size;

    if (piece(flow, ACCOUNTS_PIECE, &bytes, &size) && accounts_read(bytes, size, &a)) {
        if (flow->commit->resumed)
            resume_accounts(flow, a);
        else
            flow->commit->accounts->runs = a->runs + 1u;
    }
    if (!flow->commit->resumed)
        begin_links(flow);
    accounts_free(&a);
    free(bytes);
}

/* What was spent counts in any run, also in one that begins anew. */
static void read_spent(struct flow *flow)
{
    void *bytes;
    size_t size;

    if (piece(flow, UPLINKS_PIECE, &bytes, &size))
        uplinks_resume(flow, bytes, size);
    free(bytes);
}

/* ---- nodes ---- */

/* What it held went with its state: dropped, and said. */
static void forget_held(struct node *node)
{
    uint64_t held = ledger_read(&node->ledger).held - node->hold.count;

    if (held == 0)
        return;
    ledger_sub(&node->ledger.held, held);
    ledger_add(&node->ledger.dropped, held);
    flow_log(node->flow, AFF_LOG_ERROR, node->plan->name, "%llu records that it held are lost with that; the ledger has "
             "them as dropped", (unsigned long long)held);
}

/* False: no memory. */
static bool resume_state(struct node *node, const void *bytes, size_t size)
{
    struct wire *first = &node->flow->commit->notes[node->index].at[EPOCH_FIRST - 1];
    struct wire_in in = { bytes, (const uint8_t *)bytes + size, false };
    aff_status st;
    char why[256];
    bool drained;

    if (wire_in_u8(&in) != COMMIT_VERSION)
        return true;
    drained = wire_in_u8(&in) != 0;
    st = snap_read(node, in.at, (size_t)(in.end - in.at), why, sizeof why);
    if (st == AFF_ERR_MEMORY)
        return false;
    if (st != AFF_OK) {
        flow_log(node->flow, AFF_LOG_WARN, node->plan->name, "begins with nothing kept from the last run: %s", why);
        forget_held(node);
        return true;
    }
    node->drained = drained;
    for (size_t i = 0; i < size; i++)
        wire_u8(first, ((const uint8_t *)bytes)[i]);
    return !first->failed;
}

/* What was held may have been let go, and delivered, right before the death. */
static void mark_held(struct node *node)
{
    uint32_t i;

    for (i = 0; i < node->hold.room; i++)
        node->hold.records[i].flags |= AFF_FLAG_RESENT;
}

/* A source that reads again what it had read: a file, or a peer that was not
 * answered. */
static bool reads_again(const struct node *node)
{
    return node->about->kind == AFF_SOURCE && node->about->snapshot &&
           ((node->about->flags & AFF_REPLAYS) || node->about->committed);
}

static bool resume_nodes(struct flow *flow)
{
    char name[COMMIT_NAME];
    bool ok = true;
    uint32_t i;

    for (i = 0; ok && i < flow->plan->node_count; i++) {
        struct node *node = &flow->nodes[i];
        void *bytes;
        size_t size;

        snprintf(name, sizeof name, COMMIT_NODE "%s", node->plan->name);
        if (piece(flow, name, &bytes, &size))
            ok = resume_state(node, bytes, size);
        free(bytes);
    }
    return ok;
}

/* How far the last run had come is not known, but it was no further than the epochs
 * that may be in flight. */
static void mark_resent(struct flow *flow)
{
    uint64_t now = flow->plan->commit_records, before = flow->commit->most_before;
    uint64_t most = EDGE_EPOCHS * ((now > before ? now : before) + PLAN_BATCH);
    uint32_t i;

    for (i = 0; i < flow->plan->node_count; i++) {
        struct node *node = &flow->nodes[i];

        mark_held(node);
        if (!reads_again(node))
            continue;
        node->resends = flow->commit->is_mixed ? UINT64_MAX : most;
        atomic_fetch_add(&flow->resending, 1);
    }
    for (i = 0; i < flow->plan->edge_count; i++)
        if (flow->links[i].queue && flow->links[i].reader->about->kind != AFF_SINK && queue_backlog(flow->links[i].queue))
            atomic_fetch_add(&flow->resending, 1);
}

/* Before the first epoch ends, what came back is how things stand. */
static void note_first(struct flow *flow)
{
    uint32_t slot = EPOCH_FIRST - 1, i;

    for (i = 0; i < flow->plan->node_count; i++)
        flow->nodes[i].at_epoch[slot] = ledger_read(&flow->nodes[i].ledger);
    for (i = 0; i < flow->plan->edge_count; i++) {
        struct link *l = &flow->links[i];

        l->put_at[slot] = atomic_load(&l->put);
        l->taken_at[slot] = atomic_load(&l->taken);
        l->expired_at[slot] = atomic_load(&l->expired);
    }
}

bool commit_resume(struct flow *flow)
{
    read_accounts(flow);
    read_spent(flow);
    if (flow->commit->resumed && !resume_nodes(flow))
        return false;
    if (!flow->commit->was_clean)
        mark_resent(flow);
    note_first(flow);
    return true;
}

/* ---- life ---- */

static bool accounts_open(struct flow *flow)
{
    const struct plan *plan = flow->plan;
    struct accounts *a = flow->commit->accounts = accounts_new(plan->node_count, plan->edge_count);
    uint32_t i, k;

    if (!a)
        return false;
    a->pipeline = plan->name;
    a->since_utc_ns = clock_real(CLOCK_REALTIME);
    a->runs = 1;
    for (i = 0; i < plan->node_count; i++) {
        const struct plugin *p = plan->nodes[i].plugin;
        uint32_t rows = p->verdict_count + 1u < LEDGER_VERDICTS ? p->verdict_count + 1u : LEDGER_VERDICTS;

        a->nodes[i].name = plan->nodes[i].name;
        a->nodes[i].plugin = p->about.name;
        a->nodes[i].kind = p->about.kind;
        if (!accounts_reasons(a, i, rows))
            return false;
        for (k = 0; k < rows; k++) {
            a->nodes[i].reasons[k].name = k ? p->verdicts[k - 1].name : "refused";
            a->nodes[i].reasons[k].kind = k ? p->verdicts[k - 1].kind : AFF_V_DEAD;
        }
    }
    for (i = 0; i < plan->edge_count; i++) {
        const struct plan_edge *e = &plan->edges[i];

        a->edges[i].from = plan->nodes[e->from].name;
        a->edges[i].from_port = plan->nodes[e->from].plugin->outputs[e->from_port].name;
        a->edges[i].to = plan->nodes[e->to].name;
        a->edges[i].to_port = plan->nodes[e->to].plugin->inputs[e->to_port].name;
    }
    return true;
}

bool commit_open(struct flow *flow)
{
    struct commit *c = flow->commit = calloc(1, sizeof *c);
    uint32_t i;

    if (!c || pthread_mutex_init(&c->lock, NULL) != 0)
        return false;
    c->opened = true;
    c->was_clean = true;
    c->notes = calloc(flow->plan->node_count, sizeof *c->notes);
    c->nodes = calloc(flow->plan->node_count, sizeof *c->nodes);
    c->below = calloc(flow->plan->domain_count, sizeof *c->below);
    if (!c->notes || !c->nodes || !c->below || !accounts_open(flow))
        return false;
    for (i = 0; i < flow->plan->node_count; i++)
        c->nodes[i] = flow->plan->nodes[i].name;
    c->name_count = flow->plan->node_count;
    return true;
}

void commit_gone_free(struct commit *c)
{
    while (c->gone_count > 0)
        free(c->gone[--c->gone_count]);
    free(c->gone);
    c->gone = NULL;
}

void commit_close(struct flow *flow)
{
    struct commit *c = flow->commit;
    uint32_t i, k;

    if (!c)
        return;
    for (i = 0; c->notes && i < flow->plan->node_count; i++)
        for (k = 0; k < EPOCH_NOTES; k++)
            wire_free(&c->notes[i].at[k]);
    free(c->notes);
    commit_gone_free(c);
    free(c->nodes);
    free(c->below);
    wire_free(&c->scratch);
    accounts_free(&c->accounts);
    if (c->opened)
        pthread_mutex_destroy(&c->lock);
    free(c);
    flow->commit = NULL;
}
