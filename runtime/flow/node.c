/* node.c - a batch goes through a node. See node.h. */
#include "flow/node.h"

#include <string.h>

#include "flow/answers.h"
#include "flow/commit.h"
#include "flow/lane_inside.h"
#include "flow/trace.h"
#include "flow/uplink.h"

enum {
    COPY_SHARE = 2 /* planned copies in hand take at most this part of the ring */
};
#define STOP_NS 1000000000 /* a run that is being ended waits for memory no longer */
#define ROUSED_NS 100000000 /* a failing peer that says it is back is tried no sooner */

/* The run is being stopped, and what this sink has not taken is kept in the store. */
static bool leaves(void *arg)
{
    struct node *node = arg;
    struct lane *lane = node->lane;

    return lane->kind == LANE_QUEUES && node == lane->nodes[0] && node->about->kind == AFF_SINK &&
           (flow_stopping(node->flow) || lane_gives_up(node->lane));
}

/* What ends a wait before a retry sooner. */
struct retry_wanted {
    struct node *node;
    aff_status status;
    uint64_t wakes, rouses; /* as they were */
    int64_t rouse_ns;
};

static bool retry_called(void *arg)
{
    const struct retry_wanted *w = arg;
    const struct node *node = w->node;

    if (leaves(w->node))
        return true;
    if (w->status == AFF_AGAIN) /* room comes by an answer, by what was done in wake, or by a thread that rouses */
        return node->wakes != w->wakes || node->rouses != w->rouses || (node->acks && acks_ready(node->acks));
    return node->rouses != w->rouses && clock_now(&node->flow->clock) >= w->rouse_ns;
}

static bool link_called(void *arg)
{
    struct node *node = arg;

    return leaves(node) || uplink_stirred(node);
}

/* What failed is not tried while nothing may leave: its link may have gone meanwhile. Of a
 * sink whose peer answers late answers are waited for as well (answers.c). False: aborted. */
static bool link_wait(struct node *node)
{
    while (node->uplink && !node->acks) {
        uplink_turn(node, clock_now(&node->flow->clock));
        if (leaves(node) || uplink_lets(node, AFF_PRIO_ALARM))
            break;
        if (!lane_wait(node->lane, link_called, node, uplink_until(node)))
            return false;
    }
    return true;
}

/* Waits before a retry. False: aborted. */
static bool backoff_wait(struct node *node, struct backoff *b, aff_status st)
{
    int64_t now = clock_now(&node->flow->clock), until;
    struct retry_wanted wanted = { node, st, node->wakes, node->rouses, now + ROUSED_NS };

    /* A peer may come back while the run is being ended; memory will not. */
    if (st == AFF_ERR_MEMORY && b->wait_ns > STOP_NS && atomic_load_explicit(&node->flow->draining, memory_order_acquire)) {
        flow_fail(node->flow, node, st, failing_cause(node));
        return false;
    }
    until = now + backoff_next(node, b, st);
    if (until > lane_stop_until(node->lane)) /* a try that comes later than that is none */
        until = lane_stop_until(node->lane);
    if (!lane_wait(node->lane, retry_called, &wanted, until) || !link_wait(node))
        return false;
    if (!leaves(node) && clock_now(&node->flow->clock) >= lane_stop_until(node->lane)) {
        lane_stop_short(node->lane, node->plan->name, "it does not take what is under way");
        return false;
    }
    node->lane->left = leaves(node);
    return !node->lane->left;
}

static void fail(struct node *node, aff_status st)
{
    flow_fail(node->flow, node, st, failing_cause(node));
}

/* ---- out ---- */

struct room_wanted {
    struct edge *edge;
    const struct aff_record *next;
};

static bool room_ready(void *arg)
{
    struct room_wanted *w = arg;

    return edge_room(w->edge, w->next, 1) > 0;
}

static bool ring_put(struct link *link, const struct aff_record *records, uint32_t count)
{
    struct edge *edge = link->edge;

    while (count > 0) {
        uint32_t n = edge_room(edge, records, count);

        if (n > 0) {
            edge_put(edge, records, n);
            trace_put(link, edge->head_next - n + 1u, edge->head_next);
            edge_publish(edge);
            records += n;
            count -= n;
            continue;
        }
        struct room_wanted wanted = { edge, records };
        if (!lane_wait(link->writer->lane, room_ready, &wanted, INT64_MAX))
            return false;
    }
    return true;
}

/* A queue takes all, unless there is no memory: then intake waits. */
static bool copy_out(struct link *link, const struct aff_record *records, uint32_t count)
{
    struct node *node = link->writer;
    struct backoff backoff = { 0 };
    uint32_t i;

    while (!queue_put(link->queue, records, count)) {
        node->host.explain(&node->host, AFF_ERR_MEMORY, "no memory for what its reader has not taken");
        if (!backoff_wait(node, &backoff, AFF_ERR_MEMORY))
            return false;
    }
    for (i = 0; i < count; i++)
        ledger_add(&node->ledger.bytes_copied, records[i].size);
    backoff_over(node, &backoff);
    return true;
}

/* Rings stand before fused readers in the list (build.c): a fused reader may
 * change the array, so all but the last get a copy of the headers. */
bool node_dispatch(struct node *node, uint32_t port, struct aff_record *records, uint32_t count)
{
    struct output *out = &node->outputs[port];
    uint32_t i;

    for (i = 0; i < out->link_count; i++) {
        struct link *link = out->links[i];
        struct aff_record *array = records;

        ledger_add(&link->put, count);
        if (link->edge || link->queue) {
            if (!(link->edge ? ring_put(link, records, count) : copy_out(link, records, count)))
                return false;
            continue;
        }
        if (i + 1u < out->link_count) {
            array = link->reader->scratch;
            memcpy(array, records, count * sizeof *records);
        }
        if (!node_feed(link, array, count))
            return false;
    }
    return true;
}

static bool mark_put(struct link *link, const struct aff_record *mark)
{
    if (link->queue)
        return copy_out(link, mark, 1);
    return link->edge ? ring_put(link, mark, 1) : node_mark(link, mark);
}

bool node_dispatch_mark(struct node *node, uint32_t port, const struct aff_record *mark)
{
    struct output *out = &node->outputs[port];
    uint32_t i;

    for (i = 0; i < out->link_count; i++)
        if (!mark_put(out->links[i], mark))
            return false;
    return true;
}

/* Not by an edge that closes a circle: it would go round for ever. */
static bool mark_pass_on(struct node *node, const struct aff_record *mark)
{
    uint32_t port, i;

    for (port = 0; port < node->plan->plugin->output_count; port++) {
        struct output *out = &node->outputs[port];

        for (i = 0; i < out->link_count; i++)
            if (!out->links[i]->plan->closes && !mark_put(out->links[i], mark))
                return false;
    }
    return true;
}

/* ---- in ---- */

/* The first `count` records in hand. */
static aff_status offer(struct node *node, uint32_t count, uint32_t *ret_taken)
{
    struct hand *h = &node->hand;
    struct aff_batch batch = { h->records, node->verdicts, count, h->port };
    aff_status st;

    memset(node->verdicts, 0, count);
    node->ids.input = AFF_NO_INPUT;
    node->ids.index = 0;
    node->names_full = false;
    *ret_taken = 0;
    if (node->acks && !acks_offer(node->acks, h->records, count))
        return node->host.explain(&node->host, AFF_ERR_MEMORY, "no memory for what waits for its answer");
    if (node->about->kind == AFF_SINK)
        st = node->about->write(node->self, &batch, ret_taken);
    else
        st = node->about->process(node->self, &batch, ret_taken);
    if (st == AFF_OK)
        *ret_taken = count;
    if (node->acks)
        answers_taken(node, *ret_taken <= count ? *ret_taken : 0);
    if (node->asides.count > 0)
        settle_asides(node, *ret_taken);
    if (st == AFF_ERR_MEMORY && node->too_large) /* waiting would not help */
        st = AFF_ERR_DATA;
    node->too_large = false;
    return st;
}

/* What a status concerns is the record behind those taken. *ret_skip: it has
 * been booked, go on behind it. False: the run ends. */
static bool status_handle(struct node *node, aff_status st, struct backoff *b, const struct aff_record *refused,
                          uint32_t *ret_skip)
{
    *ret_skip = 0;
    if (!node->acks || st != AFF_OK) /* that it was taken says nothing of its peer */
        breaker_count(node, st);
    switch (st) {
    case AFF_OK:
        backoff_over(node, b);
        return true;
    case AFF_ERR_DATA:
        ledger_add(&node->ledger.dead, 1);
        ledger_add(&node->ledger.by_verdict[0], 1);
        if (atomic_load_explicit(&node->ledger.by_verdict[0], memory_order_relaxed) == 1)
            flow_log(node->flow, AFF_LOG_WARN, node->plan->name, "dead letter: %s", failing_cause(node));
        letter_post(node, refused, node->hand.port, "refused", node->why);
        *ret_skip = 1;
        return true;
    case AFF_AGAIN:
    case AFF_ERR_IO:
    case AFF_ERR_MEMORY:
        if (node->names_full && st == AFF_ERR_MEMORY) {
            fail(node, AFF_ERR_CONFIG);
            return false;
        }
        return backoff_wait(node, b, st);
    default:
        fail(node, st < 0 ? st : AFF_ERR_BUG);
        return false;
    }
}

/* A record is held by both a call and a verdict; by one alone the books would lie. */
static bool holds_told(struct node *node)
{
    if (node->hold.pending == 0)
        return true;
    flow_fail(node->flow, node, AFF_ERR_BUG, "a record was held without the verdict hold");
    return false;
}

/* With a callback for timers a node gets one record at a time: what one of them
 * sets may be due before the next. */
static uint32_t step_of(struct node *node, uint32_t count)
{
    if (node->acks && !answers_room(node, &count))
        return 0;
    if (!node->about->timer)
        return breaker_open(node) ? 1 : count;
    return timers_pass(node, node->hand.records) ? 1 : 0;
}

/* *ret_onward: the batch goes on, whole, by this link; the caller sees to that,
 * so that a chain of any length runs in one frame: the processor foretells only
 * so many returns. */
static bool take(struct node *node, struct hand batch, struct link **ret_onward)
{
    struct aff_record *records = batch.records;
    uint32_t count = batch.count;
    struct backoff backoff = { 0 };
    uint32_t step, taken, skip;
    aff_status st;

    *ret_onward = NULL;
    node->drained = false; /* its sources had ended, and go on: after a restart or a reload */
    ledger_add(&node->ledger.in, count);
    while (count > 0) {
        node->hand = batch;
        node->hand.records = records;
        node->hand.count = count;
        step = step_of(node, count);
        if (step == 0)
            return false;
        st = offer(node, step, &taken);
        if (st == AFF_OK && step == batch.count && (*ret_onward = settle_onward(node)) != NULL)
            break;
        if (taken > step || (st != AFF_OK && taken == step)) {
            flow_fail(node->flow, node, AFF_ERR_BUG, "more records taken than were offered, or a status for none");
            return false;
        }
        if (st != AFF_OK)
            emit_forget(node, taken);
        if (taken < node->hand.settled)
            taken = node->hand.settled;
        if (st != AFF_OK)
            node->hand.count = taken;
        if (!node_settle(node, taken) || !holds_told(node) || !status_handle(node, st, &backoff, records + taken, &skip))
            return false;
        records += taken + skip;
        count -= taken + skip;
    }
    node->hand.count = 0;
    node->hand.settled = 0;
    return true;
}

/* Moves payloads into the reader's own ring, as many as fit at once. 0: aborted. */
static uint32_t copy_in(struct node *node, struct aff_record *records, uint32_t count)
{
    uint64_t most = node->bytes->size / COPY_SHARE, used = 0;
    uint32_t i;

    for (i = 0; i < count; i++) {
        struct aff_record *r = &records[i];

        if (i > 0 && (used + bytes_round(r->size) > most || !bytes_fit(node->bytes, r->size)))
            break;
        if (!emit_room(node, r->size))
            return 0;
        memcpy(bytes_head(node->bytes), r->data, r->size);
        r->data = bytes_head(node->bytes);
        r->origin = (uint16_t)node->index;
        r->host_reserved = bytes_lap(node->bytes, node->bytes->head);
        bytes_take(node->bytes, r->size);
        used += bytes_round(r->size);
        ledger_add(&node->ledger.bytes_copied, r->size);
    }
    return i;
}

static bool feed_copied(struct link *link, struct aff_record *records, uint32_t count)
{
    struct node *node = link->reader;

    while (count > 0) {
        struct link *onward;
        uint32_t n;

        node->keep = node->bytes->head;
        n = copy_in(node, records, count);
        if (n == 0 || !take(node, (struct hand){ .records = records, .count = n, .port = link->plan->to_port, .copied = true },
                            &onward) ||
            (onward && !node_feed(onward, records, n)))
            return false;
        records += n;
        count -= n;
    }
    node->keep = node->bytes->head;
    return true;
}

bool node_feed(struct link *link, struct aff_record *records, uint32_t count)
{
    while (link) {
        ledger_add(&link->taken, count);
        if (link->plan->copies)
            return feed_copied(link, records, count);
        if (!take(link->reader, (struct hand){ .records = records, .count = count, .port = link->plan->to_port },
                  &link))
            return false;
    }
    return true;
}

/* What may go on of it lies in the node's own ring. */
bool node_put_in(struct node *node, struct aff_record *record, uint32_t port)
{
    struct hand hand = { .records = record, .count = 1, .port = port };
    struct link *onward;

    if (node->about->kind != AFF_SINK) {
        node->keep = node->bytes->head;
        hand.copied = true;
        if (copy_in(node, record, 1) == 0)
            return false;
    }
    if (!take(node, hand, &onward))
        return false;
    if (onward && !node_feed(onward, record, 1))
        return false;
    node->keep = node->bytes->head;
    return true;
}

bool node_again(struct node *node, struct aff_record *record, uint32_t port)
{
    ledger_add(&node->ledger.retried, 1);
    ledger_sub(&node->ledger.in, 1); /* where it is counted as one that came in */
    return node_put_in(node, record, port);
}

/* ---- calls without a batch ---- */

static bool call_handle(struct node *node, aff_status st, struct backoff *b, bool *ret_again)
{
    if (st == AFF_ERR_MEMORY && (node->too_large || node->names_full)) /* waiting would not help */
        st = AFF_ERR_CONFIG;
    node->too_large = node->names_full = false;
    *ret_again = st == AFF_ERR_IO || st == AFF_ERR_MEMORY;
    if (*ret_again)
        settle_forget_asides(node); /* set aside again by the next call */
    settle_asides(node, 0);
    if (!node_settle(node, 0) || !holds_told(node))
        return false;
    if (*ret_again)
        return backoff_wait(node, b, st);
    if (st < 0) {
        fail(node, st);
        return false;
    }
    backoff_over(node, b);
    return true;
}

bool node_retry(struct node *node, aff_status (*call)(void *arg), void *arg)
{
    struct backoff backoff = { 0 };
    bool again = true;

    while (again) {
        node->hand = (struct hand){ 0 };
        if (!call_handle(node, call(arg), &backoff, &again))
            return false;
    }
    return true;
}

bool node_call(struct node *node, aff_status (*callback)(void *self))
{
    return !callback || node_retry(node, callback, node->self);
}

bool node_timer(struct node *node, const struct aff_record *due)
{
    struct backoff backoff = { 0 };
    bool again = true;

    while (again) {
        node->hand.due = due;
        node->ids.index = 0;
        if (!call_handle(node, node->about->timer(node->self, due->subject, due->event_ns), &backoff, &again))
            return false;
    }
    node->hand.due = NULL;
    return true;
}

bool node_mark(struct link *link, const struct aff_record *mark)
{
    struct node *node = link->reader;
    struct backoff backoff = { 0 };
    bool again = node->about->stream_end != NULL;

    while (again) {
        node->hand = (struct hand){ .mark = mark };
        node->ids.input = AFF_NO_INPUT;
        node->ids.index = 0;
        if (!call_handle(node, node->about->stream_end(node->self, link->plan->to_port, mark), &backoff, &again))
            return false;
    }
    node->hand.mark = NULL;
    /* Of one that rewrites, whose stream it was ends here. */
    return (node->about->flags & AFF_REWRITES) || mark_pass_on(node, mark);
}

aff_status node_read(struct node *node, uint32_t want)
{
    aff_status st;

    node->hand = (struct hand){ 0 };
    node->too_large = false;
    st = node->about->read(node->self, want);
    settle_asides(node, 0);
    if (st == AFF_ERR_MEMORY && node->too_large)
        st = AFF_ERR_CONFIG;
    if (!node_settle(node, 0))
        return AFF_ERR_BUG;
    return st;
}
