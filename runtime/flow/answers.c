/* answers.c - sinks whose peer answers late (AFF_ACKS).
 *
 * What write took counts as held until its answer is there; the answer is booked to
 * the epoch that the record came in, so an epoch's accounts are final when all its
 * answers are in, and only then is the lane done with it. What the peer could not
 * take is offered again, after a while.
 *
 * Not here: the window itself (acks.c), what write says at once (node.c). */
#include "flow/answers.h"

#include <stdio.h>

#include "flow/commit.h"
#include "flow/lane_inside.h"
#include "flow/trace.h"
#include "flow/uplink.h"

#define LOOK_NS 100000000 /* how often it is looked whether to go on waiting */

bool answers_open(struct node *node)
{
    if (!(node->about->flags & AFF_ACKS))
        return true;
    node->acks = acks_open(ACKS_WINDOW, &node->lane->bell);
    return node->acks != NULL;
}

/* ---- booking ---- */

/* In the accounts now, and in those of all epochs that ended since the record came. */
static void book_answer(struct node *node, const struct acks_item *item, uint8_t verdict)
{
    struct ledger *l = &node->ledger;
    bool dead = item->status == AFF_ERR_DATA, dropped = node->verdict_kind[verdict] == AFF_V_DROP;
    const char *words = item->words[0] ? item->words : "by its peer";
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
                       verdict > 0 ? node->plan->plugin->verdicts[verdict - 1].name : "refused", words);
}

/* ---- how the peer stands ---- */

static void late_good(struct node *node)
{
    breaker_count(node, AFF_OK);
    if (node->late.kind != LATE_NONE)
        node->late.until_ns = 0;
    node->late.kind = LATE_NONE;
    backoff_over(node, &node->late.backoff);
}

/* Answers to what was under way together are one failure: until it is offered again no
 * other counts. `words` of NULL: it has said its cause itself. */
static void late_bad(struct node *node, aff_status st, const char *words)
{
    struct lateness *late = &node->late;
    int64_t now = clock_now(&node->flow->clock);
    enum late_kind kind = st == AFF_ERR_IO ? LATE_FAILED : LATE_FULL;

    if (late->kind >= kind && now < late->until_ns)
        return;
    if (st != AFF_AGAIN && words)
        node->host.explain(&node->host, st, "%s", words[0] ? words : "its peer did not take what was sent");
    breaker_count(node, st);
    late->until_ns = now + backoff_next(node, &late->backoff, st);
    if (late->kind < kind)
        late->kind = kind;
}

/* A peer that takes some has not failed; what it did not take is offered again less and
 * less often, which holds up nothing else. */
static void late_mixed(struct node *node)
{
    int64_t now = clock_now(&node->flow->clock);

    breaker_count(node, AFF_OK);
    if (node->late.kind == LATE_NONE && now < node->late.until_ns)
        return;
    node->late.kind = LATE_NONE;
    node->late.until_ns = now + backoff_next(node, &node->late.backoff, AFF_AGAIN);
}

/* ---- what came in ---- */

/* What a plugin says is looked at here: it was said on a thread of its own. */
static bool verdict_is_good(const struct node *node, const struct acks_item *item)
{
    uint8_t kind = item->verdict < node->verdict_rows ? node->verdict_kind[item->verdict] : AFF_V_HOLD;

    if (item->verdict == 0)
        return true;
    return item->status == AFF_ERR_DATA ? kind == AFF_V_DEAD : item->status != AFF_OK || kind == AFF_V_DROP || kind == AFF_V_USED;
}

/* Of one look at what came in. */
struct tally {
    uint32_t good, bad;
    struct acks_item worst; /* of the bad ones */
};

static bool answer_take(struct node *node, const struct acks_item *item, struct tally *tally)
{
    if (!verdict_is_good(node, item)) {
        flow_fail(node->flow, node, AFF_ERR_BUG, "an answer with a verdict that is not in its table, or not for that status");
        return false;
    }
    if (item->status == AFF_OK || item->status == AFF_ERR_DATA) {
        book_answer(node, item, item->verdict);
        tally->good++;
        return true;
    }
    if (tally->bad++ == 0 || tally->worst.status == AFF_AGAIN)
        tally->worst = *item;
    return true;
}

static bool take_answers(struct node *node)
{
    struct acks_item items[ACKS_BATCH];
    struct tally tally = { 0 };
    uint32_t n, i;

    while ((n = acks_take(node->acks, items, ACKS_BATCH)) > 0)
        for (i = 0; i < n; i++)
            if (!answer_take(node, &items[i], &tally))
                return false;
    if (tally.good > 0 && tally.bad > 0)
        late_mixed(node);
    else if (tally.good > 0)
        late_good(node);
    else if (tally.bad > 0)
        late_bad(node, tally.worst.status, tally.worst.words);
    return true;
}

/* ---- again ---- */

/* A record out of the window was settled by write itself. */
static void settle_again(struct node *node, struct acks_item *item, aff_status status, uint8_t verdict)
{
    item->status = status;
    acks_settle(node->acks, item);
    book_answer(node, item, verdict);
}

/* False: the run ends. */
static bool settle_taken(struct node *node, struct acks_item *items, const uint8_t *verdicts, uint32_t taken)
{
    uint64_t bytes = 0;
    uint32_t i;

    for (i = 0; i < taken; i++)
        bytes += items[i].record->size;
    uplink_fed_again(node, bytes);
    acks_sent(node->acks, items, taken);
    for (i = 0; i < taken; i++) {
        if (verdicts[i] >= node->verdict_rows) {
            flow_fail(node->flow, node, AFF_ERR_BUG, "a verdict that is not in its table");
            return false;
        }
        if (verdicts[i] != 0)
            settle_again(node, &items[i], node->verdict_kind[verdicts[i]] == AFF_V_DEAD ? AFF_ERR_DATA : AFF_OK, verdicts[i]);
    }
    return true;
}

/* What is to be done about the one behind those that were taken. */
static bool status_again(struct node *node, aff_status st, struct acks_item *next)
{
    struct lateness *late = &node->late;

    switch (st) {
    case AFF_OK:
        late->until_ns = 0;
        if (late->kind == LATE_FULL)
            late->kind = LATE_NONE;
        return true;
    case AFF_ERR_DATA:
        snprintf(next->words, sizeof next->words, "%.*s", (int)sizeof next->words - 1, node->why);
        settle_again(node, next, AFF_ERR_DATA, 0);
        late->until_ns = 0;
        return true;
    case AFF_AGAIN:
    case AFF_ERR_IO:
    case AFF_ERR_MEMORY:
        late->until_ns = 0; /* a try: its failure counts */
        late_bad(node, st, NULL);
        return true;
    default:
        flow_fail(node->flow, node, st < 0 ? st : AFF_ERR_BUG, failing_cause(node));
        return false;
    }
}

/* It may stand between two offers of a batch: what is in hand is put back as it was. */
static bool offer_again(struct node *node)
{
    struct acks_item items[ACKS_BATCH];
    struct aff_record records[ACKS_BATCH];
    uint8_t verdicts[ACKS_BATCH] = { 0 };
    uint32_t n = acks_again(node->acks, items, breaker_open(node) ? 1 : ACKS_BATCH), taken = 0, i;
    struct aff_batch batch = { records, verdicts, n, items[0].port };
    struct hand hand = node->hand;
    aff_status st;

    for (i = 0; i < n; i++)
        records[i] = *items[i].record;
    node->hand = (struct hand){ .records = records, .count = n, .port = batch.port };
    st = node->about->write(node->self, &batch, &taken);
    if (st == AFF_OK)
        taken = n;
    settle_asides(node, taken);
    node->hand = hand;
    if (taken > n || (st != AFF_OK && taken == n)) {
        flow_fail(node->flow, node, AFF_ERR_BUG, "more records taken than were offered, or a status for none");
        return false;
    }
    node->gathers |= taken > 0;
    return settle_taken(node, items, verdicts, taken) && status_again(node, st, &items[taken < n ? taken : 0]);
}

/* Where it failed again and again, one record at a time is without an answer; while nothing
 * may leave, none is offered. */
static bool has_again(const struct node *node)
{
    uint32_t waiting = acks_waiting(node->acks);

    return waiting > 0 && uplink_lets(node, AFF_PRIO_ALARM) && (!breaker_open(node) || waiting == acks_count(node->acks));
}

/* ---- what a peer's answers are waited for by ---- */

/* A sink behind a queue is the whole of its lane. */
static bool is_alone(const struct lane *lane)
{
    return lane->kind == LANE_QUEUES && lane->nodes[0]->about->kind == AFF_SINK;
}

/* Half of what may be in flight: before it is full, and late enough for a batch. Behind a
 * queue nobody else waits: nearly all of it. */
static bool epochs_wait(const struct node *node)
{
    uint64_t oldest = acks_oldest_epoch(node->acks), most = is_alone(node->lane) ? EDGE_EPOCHS - 1 : EDGE_EPOCHS / 2;

    return oldest != UINT64_MAX && node->lane->epoch >= oldest + most;
}

/* Three epochs end in their time, and four more hold what its window does. */
bool answers_hold_epoch(const struct lane *lane)
{
    const struct node *head = lane->nodes[0];
    uint64_t oldest = answers_oldest(lane);

    return is_alone(lane) && oldest != UINT64_MAX && lane->epoch + 1u >= oldest + EDGE_EPOCHS / 2 &&
           head->epoch_records < ACKS_WINDOW / (EDGE_EPOCHS / 2) && head->epoch_bytes < lane->flow->plan->commit_bytes;
}

static bool is_pressed(const struct node *node)
{
    return node->late.kind != LATE_NONE || breaker_open(node) || acks_full(node->acks) || node->lane->is_ending ||
           epochs_wait(node) || lane_pausing(node->lane) ||
           atomic_load_explicit(&node->flow->draining, memory_order_acquire);
}

static bool press(struct node *node)
{
    node->gathers = false;
    node->flush_ns = INT64_MAX;
    if (!watch_call(node, node->about->flush, &node->flush_ns))
        return false;
    node->gathers = node->flush_ns != INT64_MAX;
    if (!node->gathers)
        node->flush_ns = 0;
    return true;
}

/* ---- the lane ---- */

bool answers_ready(const struct lane *lane)
{
    uint32_t i;

    for (i = 0; i < lane->node_count; i++) {
        const struct node *node = lane->nodes[i];

        if (node->acks && (acks_ready(node->acks) || (node->late.until_ns == 0 && has_again(node))))
            return true;
    }
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

    for (i = 0; i < lane->node_count; i++) {
        const struct node *node = lane->nodes[i];

        if (!node->acks)
            continue;
        if (acks_count(node->acks) > 0)
            next = low_ns(next, clock_now(&lane->flow->clock) + LOOK_NS);
        if (has_again(node))
            next = low_ns(next, node->late.until_ns);
        if (node->gathers && node->flush_ns > 0)
            next = low_ns(next, node->flush_ns);
    }
    return next;
}

static bool node_turn(struct node *node)
{
    const struct clock *clock = &node->flow->clock;

    if (!take_answers(node))
        return false;
    if (has_again(node) && clock_now(clock) >= node->late.until_ns && !offer_again(node))
        return false;
    if (!node->gathers || !node->about->flush || !is_pressed(node) || acks_count(node->acks) == 0)
        return true;
    return clock_now(clock) < node->flush_ns || press(node);
}

/* A sink behind a queue has left long before (answers_leave). */
static bool stop_is_over(struct node *node)
{
    struct lane *lane = node->lane;

    if (acks_count(node->acks) == 0 || clock_now(&lane->flow->clock) < lane_stop_until(lane))
        return false;
    lane_stop_short(lane, node->plan->name, "it has no answer for what is under way");
    return true;
}

bool answers_turn(struct lane *lane)
{
    uint32_t i;

    for (i = 0; i < lane->node_count; i++)
        if (lane->nodes[i]->acks && acks_count(lane->nodes[i]->acks) > 0 &&
            (!node_turn(lane->nodes[i]) || stop_is_over(lane->nodes[i])))
            return false;
    return true;
}

/* ---- a batch ---- */

static bool any_ready(void *lane)
{
    return answers_ready(lane);
}

/* What came back goes first; a peer that failed again and again gets nothing new while
 * anything is without an answer. */
static bool may_offer(const struct node *node)
{
    if (acks_count(node->acks) == 0)
        return true;
    return !acks_full(node->acks) && node->late.kind == LATE_NONE && !breaker_open(node);
}

/* What came back, too, waits for a link. */
static bool room_called(void *arg)
{
    const struct node *node = arg;

    return answers_ready(node->lane) || uplink_stirred(node);
}

bool answers_room(struct node *node, uint32_t *count)
{
    struct lane *lane = node->lane;

    if (answers_ready(lane) && !answers_turn(lane))
        return false;
    while (!may_offer(node)) {
        uplink_turn(node, clock_now(&lane->flow->clock));
        if (!answers_turn(lane))
            return false;
        if (may_offer(node))
            break;
        if (answers_leave(node) || !lane_wait(lane, room_called, node, low_ns(answers_next(lane), uplink_until(node))))
            return false;
    }
    if (*count > acks_room(node->acks))
        *count = acks_room(node->acks);
    if (breaker_open(node))
        *count = 1;
    return true;
}

void answers_taken(struct node *node, uint32_t taken)
{
    uint32_t before = acks_count(node->acks), i;

    for (i = 0; i < taken; i++)
        if (node->verdicts[i] == 0)
            acks_add(node->acks, i, node->lane->epoch, node->hand.port);
    acks_offered(node->acks);
    node->gathers |= acks_count(node->acks) > before;
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
    if (lane->kind != LANE_QUEUES || node != lane->nodes[0] || !flow_stopping(lane->flow))
        return false;
    if (lane->leave_ns == 0)
        lane->leave_ns = clock_now(&lane->flow->clock) + LANE_LEAVE_NS;
    lane->left = clock_now(&lane->flow->clock) >= lane->leave_ns;
    return lane->left;
}

bool answers_finish(struct lane *lane)
{
    uint32_t i;

    for (;;) {
        if (!answers_turn(lane))
            return false;
        if (answers_oldest(lane) == UINT64_MAX)
            return true;
        for (i = 0; i < lane->node_count; i++)
            if (lane->nodes[i]->acks && acks_count(lane->nodes[i]->acks) > 0 && answers_leave(lane->nodes[i]))
                return false;
        if (!lane_wait(lane, any_ready, lane, answers_next(lane)))
            return false;
    }
}
