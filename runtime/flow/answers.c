/* answers.c - sinks whose peer answers late (AFF_ACKS).
 *
 * What write took counts as held until its answer is there; the answer is booked to
 * the epoch that the record came in, so an epoch's accounts are final when all its
 * answers are in, and only then is the lane done with it. What the peer could not
 * take is offered again, after a while.
 *
 * Not here: the window itself (acks.c), what write says at once (node.c). */
#include "flow/answers.h"

#include "flow/commit.h"
#include "flow/lane_inside.h"
#include "flow/trace.h"

enum { ANSWERS_ROOM = 1024 };
#define AGAIN_FIRST_NS 100000000
#define AGAIN_LAST_NS 10000000000

bool answers_open(struct node *node)
{
    if (!(node->about->flags & AFF_ACKS))
        return true;
    node->acks = acks_open(ANSWERS_ROOM, &node->lane->bell);
    return node->acks != NULL;
}

/* ---- booking ---- */

/* In the accounts now, and in those of all epochs that ended since the record came. */
static void book_answer(struct node *node, const struct acks_item *item, uint8_t verdict)
{
    struct ledger *l = &node->ledger;
    bool dead = item->status == AFF_ERR_DATA, dropped = node->verdict_kind[verdict] == AFF_V_DROP;
    uint64_t e;

    trace_ack(node->lane, item->epoch);
    for (e = item->epoch; e < node->lane->epoch; e++) {
        struct account *a = &node->at_epoch[e % EPOCH_NOTES];

        a->held--;
        a->used += !dead && !dropped;
        a->dropped += dropped;
        a->dead += dead;
        a->by_verdict[verdict] += dead || verdict > 0;
    }
    ledger_sub(&l->held, 1);
    ledger_add(dead ? &l->dead : dropped ? &l->dropped : &l->used, 1);
    if (dead || verdict > 0)
        ledger_add(&l->by_verdict[verdict], 1);
    if (dead)
        letter_post_in(node, item->epoch, item->record, item->port,
                       verdict > 0 ? node->plan->plugin->verdicts[verdict - 1].name : "refused", "by its peer");
}

static void take_answers(struct node *node)
{
    struct acks_item items[ACKS_BATCH];
    uint32_t n, i;

    while ((n = acks_take(node->acks, items, ACKS_BATCH)) > 0)
        for (i = 0; i < n; i++)
            if (items[i].status == AFF_OK || items[i].status == AFF_ERR_DATA)
                book_answer(node, &items[i], 0);
}

/* ---- again ---- */

static void wait_again(struct node *node, int64_t now)
{
    node->again_wait_ns = node->again_wait_ns == 0                ? AGAIN_FIRST_NS
                        : node->again_wait_ns < AGAIN_LAST_NS / 2 ? node->again_wait_ns * 2
                                                                  : AGAIN_LAST_NS;
    node->again_ns = now + node->again_wait_ns;
}

/* A record out of the window was settled by write itself. */
static void settle_again(struct node *node, struct acks_item *item, aff_status status, uint8_t verdict)
{
    item->status = status;
    acks_settle(node->acks, item);
    book_answer(node, item, verdict);
}

/* False: the run ends. */
static bool offer_again(struct node *node, int64_t now)
{
    struct acks_item items[ACKS_BATCH];
    struct aff_record records[ACKS_BATCH];
    uint8_t verdicts[ACKS_BATCH] = { 0 };
    uint32_t n = acks_again(node->acks, items, ACKS_BATCH), taken = 0, i;
    struct aff_batch batch = { records, verdicts, n, n ? items[0].port : 0 };
    aff_status st;

    if (n == 0)
        return true;
    for (i = 0; i < n; i++)
        records[i] = *items[i].record;
    st = node->about->write(node->self, &batch, &taken);
    if (st == AFF_OK)
        taken = n;
    if (taken > n) {
        flow_fail(node->flow, node, AFF_ERR_BUG, "more records taken than were offered");
        return false;
    }
    acks_sent(node->acks, items, taken);
    for (i = 0; i < taken; i++) {
        if (verdicts[i] >= node->verdict_rows) {
            flow_fail(node->flow, node, AFF_ERR_BUG, "a verdict that is not in its table");
            return false;
        }
        if (verdicts[i] != 0)
            settle_again(node, &items[i], node->verdict_kind[verdicts[i]] == AFF_V_DEAD ? AFF_ERR_DATA : AFF_OK, verdicts[i]);
    }
    if (st == AFF_ERR_DATA && taken < n)
        settle_again(node, &items[taken], AFF_ERR_DATA, 0);
    if (st == AFF_ERR_CONFIG || st == AFF_ERR_BUG) {
        flow_fail(node->flow, node, st, node->why);
        return false;
    }
    if (st == AFF_OK)
        node->again_wait_ns = 0;
    wait_again(node, now);
    return true;
}

/* ---- the lane ---- */

bool answers_ready(const struct lane *lane)
{
    uint32_t i;

    for (i = 0; i < lane->node_count; i++)
        if (lane->nodes[i]->acks && acks_ready(lane->nodes[i]->acks))
            return true;
    return false;
}

uint64_t answers_oldest(const struct lane *lane)
{
    uint64_t oldest = UINT64_MAX, epoch;
    uint32_t i;

    for (i = 0; i < lane->node_count; i++) {
        epoch = lane->nodes[i]->acks ? acks_oldest_epoch(lane->nodes[i]->acks) : UINT64_MAX;
        oldest = epoch < oldest ? epoch : oldest;
    }
    return oldest;
}

int64_t answers_next(const struct lane *lane)
{
    int64_t next = INT64_MAX;
    uint32_t i;

    for (i = 0; i < lane->node_count; i++)
        if (lane->nodes[i]->acks && acks_count(lane->nodes[i]->acks) > 0 && lane->nodes[i]->again_ns < next)
            next = lane->nodes[i]->again_ns;
    return next;
}

bool answers_turn(struct lane *lane)
{
    int64_t now;
    uint32_t i;

    for (i = 0; i < lane->node_count; i++) {
        struct node *node = lane->nodes[i];

        if (!node->acks || acks_count(node->acks) == 0)
            continue;
        take_answers(node);
        now = clock_now(&lane->flow->clock);
        if (now >= node->again_ns) {
            node->again_ns = now + AGAIN_FIRST_NS;
            if (!offer_again(node, now))
                return false;
        }
    }
    return true;
}

/* ---- a batch ---- */

static bool any_ready(void *lane)
{
    return answers_ready(lane);
}

bool answers_room(struct node *node, uint32_t *count)
{
    while (acks_full(node->acks)) {
        if (!lane_wait(node->lane, any_ready, node->lane, node->again_ns) || !answers_turn(node->lane))
            return false;
        if (acks_full(node->acks) && answers_leave(node))
            return false;
    }
    if (*count > acks_room(node->acks))
        *count = acks_room(node->acks);
    return true;
}

void answers_taken(struct node *node, uint32_t taken)
{
    uint32_t before = acks_count(node->acks), i;

    for (i = 0; i < taken; i++)
        if (node->verdicts[i] == 0)
            acks_add(node->acks, i, node->lane->epoch, node->hand.port);
    acks_offered(node->acks);
    trace_sent(node->lane, acks_count(node->acks) - before);
}

/* Its peer does not answer while the run is being stopped: what is unanswered stays
 * in the store. */
bool answers_leave(struct node *node)
{
    struct lane *lane = node->lane;

    if (lane_gives_up(lane)) {
        lane->left = true;
        return true;
    }
    if (lane->kind != LANE_QUEUES || !flow_stopping(lane->flow))
        return false;
    if (lane->leave_ns == 0)
        lane->leave_ns = clock_now(&lane->flow->clock) + LANE_LEAVE_NS;
    lane->left = clock_now(&lane->flow->clock) >= lane->leave_ns;
    return lane->left;
}

bool answers_finish(struct lane *lane)
{
    uint32_t i;

    while (answers_oldest(lane) != UINT64_MAX) {
        int64_t look = clock_now(&lane->flow->clock) + AGAIN_FIRST_NS;

        if (!lane_wait(lane, any_ready, lane, look) || !answers_turn(lane))
            return false;
        for (i = 0; i < lane->node_count; i++)
            if (lane->nodes[i]->acks && acks_count(lane->nodes[i]->acks) > 0 && answers_leave(lane->nodes[i]))
                return false;
    }
    return true;
}
