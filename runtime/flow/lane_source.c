/* lane_source.c - a turn of a lane that begins with a source.
 *
 * It reads, gives a device the commands that wait for it, ends the epoch when that is
 * due, and waits: for its source, for commits while as many epochs are in flight as may
 * be, for room in the store.
 *
 * Commands come by queues alone, so that an order never holds up who gives it, and no
 * epoch waits in a circle: they may come from nodes behind the device itself. What a
 * device cannot hold yet stays in its queue, and is no reason not to read. */
#include "flow/answers.h"
#include "flow/commit.h"
#include "flow/lane_inside.h"
#include "flow/retry.h"

enum { IDLE_NS = 10000000, WATCH_NS = 100000000, RETRY_FIRST_NS = 100000000, FULL_NS = 100000000, REST_READS = 1024 };
#define RETRY_LAST_NS 10000000000

/* Whether a stop or a reload waits for it. */
static bool is_asked_to_rest(const struct lane *lane)
{
    return atomic_load_explicit(&lane->flow->draining, memory_order_acquire) || lane_pausing(lane);
}

/* A source that cannot read again has taken in already what it says that it has more of:
 * that is given first, but for a device that gives without end. */
static bool gives_rest(const struct lane *lane)
{
    return lane->has_more && !(lane->nodes[0]->about->flags & (AFF_PULL | AFF_REPLAYS)) && lane->rest_reads < REST_READS &&
           (lane->rest_ns == 0 || clock_now(&lane->flow->clock) < lane->rest_ns) &&
           (lane->epoch_began_ns != INT64_MAX || !commit_full(lane->flow));
}

static bool draining(const struct lane *lane)
{
    return atomic_load_explicit(&lane->flow->draining, memory_order_acquire) && !gives_rest(lane);
}

static bool pausing(const struct lane *lane)
{
    return lane_pausing(lane) && !gives_rest(lane);
}

static void rest_note(struct lane *lane, int64_t now)
{
    if (!is_asked_to_rest(lane)) {
        lane->rest_ns = 0;
        lane->rest_reads = 0;
    } else if (lane->rest_ns == 0) {
        lane->rest_ns = now + LANE_STOP_NS / 2;
    }
}

/* How many commands it may be given now: it holds those that take time. */
static uint32_t commands_most(const struct lane *lane)
{
    const struct hold *hold = &lane->nodes[0]->hold;
    uint32_t room = hold->room - hold->count;

    return room < PLAN_BATCH ? room : PLAN_BATCH;
}

static struct link *commands_ready(struct lane *lane)
{
    return lane->in_count > 0 && commands_most(lane) > 0 ? lane_queue_ready(lane) : NULL;
}

/* What a source waits for: a cut, the end, commands, or its turn. */
static bool called(void *arg)
{
    struct lane *lane = arg;
    const struct epochs *epochs = &lane->domain->epochs;

    return commands_ready(lane) || lane_at_end(lane) || answers_ready(lane) || retry_ready(lane) || lane_stirred(lane) || epochs_is_cut(epochs, lane->epoch) || epochs_committed(epochs) != lane->told ||
           draining(lane) || pausing(lane);
}

static int64_t until(const struct lane *lane)
{
    int64_t until = low_ns(lane->nodes[0]->wake_ns, lane_next_wake(lane));

    if (lane->epoch_began_ns != INT64_MAX)
        until = low_ns(until, lane->epoch_began_ns + lane->flow->plan->commit_every_ns);
    return until;
}

/* A source whose peer or device fails has nothing to give either. */
static enum give give_of(aff_status st)
{
    if (st == AFF_END)
        return GIVE_ENDED;
    return st == AFF_OK || st == AFF_ERR_DATA ? GIVE_BUSY : GIVE_WAITS;
}

/* What streams that ended have had comes back at a commit: so that is hastened,
 * and asked for often. It is how many small files are read, and no fault. */
static void memory_wait(struct lane *lane, int64_t now)
{
    struct node *head = lane->nodes[0];

    if (!lane->is_told)
        flow_log(lane->flow, AFF_LOG_INFO, head->plan->name, "%s; until then it waits for streams to end", head->why);
    lane->is_told = true;
    if (lane->epoch_began_ns != INT64_MAX)
        lane_cut(lane);
    head->wake_ns = now + IDLE_NS;
}

static void io_wait(struct lane *lane, int64_t now)
{
    struct node *head = lane->nodes[0];

    if (failing_note(head, head->why) || lane->retry_ns == 0)
        flow_log(lane->flow, AFF_LOG_WARN, head->plan->name, "%s; trying again", head->why);
    lane->retry_ns = lane->retry_ns == 0 ? RETRY_FIRST_NS : low_ns(2 * lane->retry_ns, RETRY_LAST_NS);
    head->wake_ns = now + lane->retry_ns;
}

/* Sets when read is called next. False: the run ends. */
static bool read_handle(struct lane *lane, aff_status st, int64_t now)
{
    struct node *head = lane->nodes[0];

    if (st != AFF_ERR_IO && st != AFF_ERR_MEMORY && lane->retry_ns > 0) {
        flow_log(lane->flow, AFF_LOG_INFO, head->plan->name, "works again");
        lane->retry_ns = 0;
        failing_over(head);
    }
    atomic_store_explicit(&head->give, give_of(st), memory_order_relaxed);
    lane->has_more = st == AFF_OK || st == AFF_ERR_DATA || st == AFF_ERR_MEMORY;
    switch (st) {
    case AFF_OK:
        head->wake_ns = now;
        return true;
    case AFF_AGAIN:
        if (head->wake_ns <= now)
            head->wake_ns = now + (head->handle->watches.count > 0 ? WATCH_NS : IDLE_NS);
        return true;
    case AFF_END:
        head->over = true;
        return true;
    case AFF_ERR_DATA: /* one input is no good; the next one may be */
        flow_log(lane->flow, AFF_LOG_ERROR, head->plan->name, "%s; going on behind it", head->why);
        head->wake_ns = now;
        return true;
    case AFF_ERR_MEMORY:
        memory_wait(lane, now);
        return true;
    case AFF_ERR_IO:
        io_wait(lane, now);
        return true;
    default:
        flow_fail(lane->flow, head, st, head->why);
        return false;
    }
}

static bool read_once(struct lane *lane, int64_t now)
{
    struct node *head = lane->nodes[0];
    uint64_t before = head->epoch_records;
    uint32_t want = lane->flow->options.for_ns > 0 ? 1 : lane->want;
    aff_status st;

    head->seen_ns = now;
    lane->rest_reads += is_asked_to_rest(lane);
    atomic_store_explicit(&head->give, GIVE_BUSY, memory_order_relaxed);
    st = node_read(head, want);
    if (lane_aborting(lane))
        return false;
    /* who asks for a cut and gave nothing has a state that is to be safe */
    if ((head->epoch_records > before || head->cut_asked) && lane->epoch_began_ns == INT64_MAX)
        lane->epoch_began_ns = now;
    if (head->cut_asked)
        lane_cut(lane);
    head->cut_asked = false;
    return read_handle(lane, st, now);
}

static bool commands_give(struct lane *lane, struct link *link, int64_t now)
{
    lane->nodes[0]->seen_ns = now;
    return lane_take(lane, link, commands_most(lane), now);
}

bool lane_source_turn(struct lane *lane, bool *ret_more)
{
    struct flow *flow = lane->flow;
    struct node *head = lane->nodes[0];
    int64_t now = clock_now(&flow->clock);
    struct link *commands;
    bool full;

    lane_let_go(lane);
    lane_committed(lane);
    rest_note(lane, now);
    if (!lane_answers(lane) || !retry_turn(lane) || !lane_wake_due(lane, true) || !lane_in_flight(lane, &full))
        return false;
    if (full) {
        atomic_store_explicit(&head->give, GIVE_BUSY, memory_order_relaxed);
        return true;
    }
    if (pausing(lane))
        return lane_head_pause(lane, ret_more);
    /* An end ends the epoch, too: asked first, it spares an empty one. */
    if (head->over || draining(lane)) {
        *ret_more = false;
        return lane_finish(lane);
    }
    if (epochs_is_cut(&lane->domain->epochs, lane->epoch))
        return lane_end_epoch(lane);
    if (lane_stirred(lane))
        lane->epoch_began_ns = now;
    if (lane_at_end(lane) || lane_cut_due(lane, now)) {
        lane_cut(lane);
        return true;
    }
    commands = commands_ready(lane);
    if (commands && !commands_give(lane, commands, now))
        return false;
    /* An epoch that is open goes on: nothing in it waits for the store. */
    if (lane->epoch_began_ns == INT64_MAX && commit_full(flow))
        return lane_wait(lane, called, lane, now + FULL_NS);
    if (head->wake_ns > now)
        return commands || lane_idle(lane, called, lane, until(lane));
    return read_once(lane, now);
}
