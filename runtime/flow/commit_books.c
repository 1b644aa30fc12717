/* commit_books.c - the accounts that a group holds, and whether they balance.
 *
 * Not here: which epochs are in it (commit.c), what an account counts (ledger.h). */
#include <inttypes.h>

#include "cell/cell.h"
#include "flow/commit.h"
#include "flow/commit_inside.h"

void commit_check_books(struct flow *flow)
{
    uint32_t i;

    for (i = 0; i < flow->plan->node_count; i++) {
        const struct node *n = &flow->nodes[i];

        if (!account_balances(&n->at_epoch[commit_slot(n->lane, commit_epoch(n->lane))])) {
            flow_log(flow, AFF_LOG_ERROR, n->plan->name, "the ledger does not balance");
            atomic_store(&flow->unbalanced, true);
        }
    }
    for (i = 0; i < flow->plan->edge_count; i++) {
        const struct link *l = &flow->links[i];
        uint64_t put = l->put_at[commit_slot(l->writer->lane, commit_epoch(l->writer->lane))];
        uint64_t taken = l->taken_at[commit_slot(l->reader->lane, commit_epoch(l->reader->lane))];

        if (!l->queue && put != taken) {
            flow_log(flow, AFF_LOG_ERROR, l->reader->plan->name, "the ledger of an edge does not balance");
            atomic_store(&flow->unbalanced, true);
        }
    }
}

static void fill_node(struct accounts_node *to, const struct node *n, const struct account *a)
{
    uint64_t *x = to->numbers;

    x[ACCOUNTS_IN] = a->in;
    x[ACCOUNTS_MADE] = a->made;
    x[ACCOUNTS_RETRIED] = a->retried;
    x[ACCOUNTS_PASSED] = a->passed;
    x[ACCOUNTS_REPLACED] = a->replaced;
    x[ACCOUNTS_ROUTED] = a->routed;
    x[ACCOUNTS_EMITTED] = a->emitted;
    x[ACCOUNTS_USED] = a->used;
    x[ACCOUNTS_DROPPED] = a->dropped;
    x[ACCOUNTS_DEAD] = a->dead;
    x[ACCOUNTS_HELD] = a->held;
    x[ACCOUNTS_BYTES_COPIED] = a->bytes_copied;
    for (uint32_t i = 0; i < to->reason_count; i++)
        to->reasons[i].count = a->by_verdict[i];
    if (n->cell) {
        struct cell_figures figures;

        cell_figures(n->cell, &figures);
        x[ACCOUNTS_BYTES_ISOLATED] = figures.bytes_isolated;
    }
    if (n->about->kind == AFF_SOURCE && !(n->about->flags & AFF_REPLAYS) && !n->plan->durable)
        x[ACCOUNTS_AT_RISK] = EDGE_EPOCHS * (n->flow->plan->commit_records + PLAN_BATCH);
}

/* It is outside the commit: how it stands now, what was put looked at last. */
static void fill_dropping(struct accounts_edge *to, const struct link *l)
{
    uint64_t *x = to->numbers, gone;
    struct queue_figures f;

    queue_figures(l->queue, &f);
    x[ACCOUNTS_TAKEN] = atomic_load(&l->taken);
    x[ACCOUNTS_EDGE_EXPIRED] = atomic_load(&l->expired);
    x[ACCOUNTS_EDGE_DROPPED] = l->dropped_before + f.dropped;
    x[ACCOUNTS_PUT] = atomic_load(&l->put);
    gone = x[ACCOUNTS_TAKEN] + x[ACCOUNTS_EDGE_EXPIRED] + x[ACCOUNTS_EDGE_DROPPED];
    x[ACCOUNTS_EDGE_QUEUED] = x[ACCOUNTS_PUT] > gone ? x[ACCOUNTS_PUT] - gone : 0;
    to->oldest_ns = f.oldest_ns;
}

static void fill_edge(struct accounts_edge *to, const struct link *l)
{
    uint32_t put = commit_slot(l->writer->lane, commit_epoch(l->writer->lane));
    uint32_t taken = commit_slot(l->reader->lane, commit_epoch(l->reader->lane));
    uint64_t *x = to->numbers, gone;
    struct queue_figures f = { .oldest_ns = INT64_MAX };

    if (l->plan->when_full == WHEN_FULL_DROP_OLDEST) {
        fill_dropping(to, l);
        return;
    }
    x[ACCOUNTS_PUT] = l->put_at[put];
    x[ACCOUNTS_TAKEN] = l->taken_at[taken];
    x[ACCOUNTS_EDGE_EXPIRED] = l->expired_at[taken];
    if (l->queue) {
        queue_figures(l->queue, &f);
        x[ACCOUNTS_EDGE_DROPPED] = l->dropped_before + f.dropped;
        x[ACCOUNTS_EDGE_LOST] = l->lost_before + f.lost;
    }
    gone = x[ACCOUNTS_TAKEN] + x[ACCOUNTS_EDGE_EXPIRED] + x[ACCOUNTS_EDGE_DROPPED] + x[ACCOUNTS_EDGE_LOST];
    x[ACCOUNTS_EDGE_QUEUED] = x[ACCOUNTS_PUT] > gone ? x[ACCOUNTS_PUT] - gone : 0;
    /* What waits by then is in the store with this group. */
    if (l->plan->when_full == WHEN_FULL_SPILL)
        x[ACCOUNTS_EDGE_STORED] = x[ACCOUNTS_EDGE_QUEUED];
    to->oldest_ns = f.oldest_ns;
}

void commit_accounts(struct flow *flow, struct kept_group *group)
{
    struct commit *c = flow->commit;
    uint32_t i;

    for (i = 0; i < flow->plan->node_count; i++) {
        const struct node *n = &flow->nodes[i];

        fill_node(&c->accounts->nodes[i], n, &n->at_epoch[commit_slot(n->lane, commit_epoch(n->lane))]);
    }
    for (i = 0; i < flow->plan->edge_count; i++)
        fill_edge(&c->accounts->edges[i], &flow->links[i]);
    c->accounts->committed_utc_ns = clock_real(CLOCK_REALTIME);
    c->accounts->commits++;
    wire_clear(&c->scratch);
    accounts_write(&c->scratch, c->accounts);
    commit_piece(group, ACCOUNTS_PIECE, &c->scratch);
    group->failed |= c->scratch.failed;
}

/* ---- a stop that was cut short ---- */

static uint32_t safe_slot(const struct node *node)
{
    return commit_slot(node->lane, epochs_committed(&node->lane->domain->epochs) - 1u);
}

/* One that drops stands outside commits: it keeps what it counted. */
static void link_go_back(struct link *l)
{
    if (l->plan->when_full == WHEN_FULL_DROP_OLDEST)
        return;
    atomic_store(&l->put, l->put_at[safe_slot(l->writer)]);
    atomic_store(&l->taken, l->taken_at[safe_slot(l->reader)]);
    atomic_store(&l->expired, l->expired_at[safe_slot(l->reader)]);
}

bool flow_cut_short(struct flow *flow)
{
    uint32_t i;

    if (!atomic_load(&flow->aborting) || atomic_load(&flow->failing) != AFF_OK)
        return false;
    for (i = 0; i < flow->plan->edge_count; i++)
        link_go_back(&flow->links[i]);
    for (i = 0; i < flow->plan->node_count; i++)
        ledger_write(&flow->nodes[i].ledger, &flow->nodes[i].at_epoch[safe_slot(&flow->nodes[i])]);
    return true;
}
