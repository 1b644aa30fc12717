/* lane_take.c - a head takes a batch from the queues before it.
 *
 * Of several queues that of the highest class goes first, and those of one class take
 * turns; an epoch ends when all of them have been taken up to where their writers ended
 * one, else ten writers would ask for ten times as many epochs. Records that are too old are
 * let go here, also of a class that may not leave now and so is not taken (uplink.h).
 *
 * Not here: when it does so (lane_queues.c; lane_source.c for a device, which takes
 * commands), the queues themselves (queue.h). */
#include "flow/lane_inside.h"
#include "flow/uplink.h"

enum { LATER_NS = 10000000, SWEEPS = 16 /* in the time after which records expire */ };
#define LIVE_NS 10000000000
#define SWEEP_LEAST_NS 1000000000
#define JUMP_NS 60000000000
#define BELOW_BYTES 4096 /* half a second of 64 kbit/s */

bool lane_at_end(struct lane *lane)
{
    uint32_t i;

    for (i = 0; i < lane->in_count; i++)
        lane->at_end |= queue_at_end(lane->ins[i]->queue);
    return lane->at_end && lane->epoch_began_ns != INT64_MAX && (lane->in_count == 1 || !lane_queue_ready(lane));
}

/* Within a class they take turns: the first behind the one that was taken from last. */
struct link *lane_queue_ready(struct lane *lane)
{
    struct link *found = NULL;
    uint32_t i;

    for (i = 0; i < lane->in_count; i++) {
        struct link *link = lane->ins[i];

        if (found && (found->plan->priority != link->plan->priority || i <= lane->taken_in))
            continue;
        if (!queue_ready(link->queue) || !uplink_lets(lane->nodes[0], link->plan->priority))
            continue;
        found = link;
        if (i > lane->taken_in)
            break;
    }
    return found;
}

/* A wall clock that was set by more than it drifts tells no ages any more. */
static bool has_jumped(const struct flow *flow, int64_t utc)
{
    int64_t moved = utc - clock_now(&flow->clock) - flow->utc_offset_ns;

    return moved > JUMP_NS || moved < -JUMP_NS;
}

/* One that was seen before this machine was started has waited at least since then. */
static int64_t waited_ns(const struct lane *lane, const struct aff_record *record)
{
    int64_t now = clock_now(&lane->flow->clock);

    return now - (record->seen_ns > now ? 0 : record->seen_ns);
}

/* Event time says how old a record is; while this machine's clock is not set, the time
 * since it was seen does. */
static bool too_old(const struct lane *lane, const struct link *link, const struct aff_record *record)
{
    const struct aff_host *host = &lane->nodes[0]->host;
    uint8_t clock;
    int64_t utc;

    if (link->plan->expire_ns == 0 || (record->flags & AFF_FLAG_END))
        return false;
    utc = host->utc_ns(host, &clock);
    if (clock == AFF_CLOCK_SYNCED && record->clock == AFF_CLOCK_SYNCED && !has_jumped(lane->flow, utc))
        return utc - record->event_ns > link->plan->expire_ns;
    return waited_ns(lane, record) > link->plan->expire_ns;
}

/* Marks are no records. Counts those that are too old, and moves the others up. */
static uint32_t let_expire(struct lane *lane, struct link *link, uint32_t count, uint16_t *ret_flags)
{
    struct aff_record *r = lane->batch;
    uint32_t i, left = 0;

    *ret_flags = 0;
    for (i = 0; i < count; i++) {
        if (too_old(lane, link, &r[i])) {
            ledger_add(&link->expired, 1);
            continue;
        }
        *ret_flags |= r[i].flags;
        r[left++] = r[i];
    }
    return left;
}

/* ---- what waits for a link and expires ---- */

struct sweep {
    const struct lane *lane;
    const struct link *link;
};

static bool has_expired(void *arg, const struct aff_record *record)
{
    const struct sweep *s = arg;

    return (record->flags & AFF_FLAG_END) || too_old(s->lane, s->link, record);
}

/* Marks among them go to the sink, as ever. False: the run is being aborted. */
static bool sweep_one(struct lane *lane, struct link *link, int64_t now, bool *ret_any)
{
    struct sweep sweep = { lane, link };
    const struct queue_want want = { .room = PLAN_BATCH, .bytes = UINT64_MAX, .live_ns = INT64_MAX, .only = has_expired,
                                     .arg = &sweep };
    uint32_t count = queue_take_by(link->queue, lane->batch, &want);
    uint16_t flags;

    *ret_any = count > 0;
    if (count == 0) {
        link->sweep_ns = now + (link->plan->expire_ns / SWEEPS > SWEEP_LEAST_NS ? link->plan->expire_ns / SWEEPS
                                                                                : SWEEP_LEAST_NS);
        return true;
    }
    if (lane->epoch_began_ns == INT64_MAX)
        lane->epoch_began_ns = now;
    lane->nodes[0]->epoch_records += count;
    count = let_expire(lane, link, count, &flags);
    if (count > 0 && !lane_feed(link, lane->batch, count, flags))
        return false;
    queue_back(link->queue);
    return true;
}

static bool waits_to_expire(const struct lane *lane, const struct link *link)
{
    return link->plan->expire_ns > 0 && !uplink_lets(lane->nodes[0], link->plan->priority) && queue_ready(link->queue);
}

bool lane_sweep(struct lane *lane, int64_t now, bool *ret_any)
{
    uint32_t i;

    *ret_any = false;
    for (i = 0; i < lane->in_count && !*ret_any; i++)
        if (waits_to_expire(lane, lane->ins[i]) && now >= lane->ins[i]->sweep_ns &&
            !sweep_one(lane, lane->ins[i], now, ret_any))
            return false;
    return true;
}

int64_t lane_next_sweep(const struct lane *lane)
{
    int64_t next = INT64_MAX;
    uint32_t i;

    for (i = 0; i < lane->in_count && lane->nodes[0]->uplink; i++)
        if (waits_to_expire(lane, lane->ins[i]))
            next = low_ns(next, lane->ins[i]->sweep_ns);
    return next;
}

/* ---- taking ---- */

/* While a slow sink works off a batch nothing overtakes it: where a higher class may come, one is
 * small. Read from the store it would be far larger than what comes in at a time. */
static uint64_t take_bytes(const struct lane *lane, const struct link *link)
{
    uint64_t most = uplink_bytes(lane->nodes[0], link->plan->priority);
    bool is_below = lane->ins[0]->plan->priority != link->plan->priority; /* the first is of the highest */

    return is_below && most > BELOW_BYTES ? BELOW_BYTES : most;
}

bool lane_take(struct lane *lane, struct link *link, uint32_t most, int64_t now)
{
    struct node *head = lane->nodes[0];
    const struct queue_want want = { .room = most, .bytes = take_bytes(lane, link),
                                     .live_ns = link->plan->priority == AFF_PRIO_VITALS ? now - LIVE_NS : INT64_MAX };
    uint32_t count = queue_take_by(link->queue, lane->batch, &want), i;
    uint64_t bytes = 0;
    uint16_t flags;

    if (count == 0) /* no memory, or the store cannot be read now */
        return lane_sleep(lane, LATER_NS);
    if (lane->epoch_began_ns == INT64_MAX)
        lane->epoch_began_ns = now;
    for (i = 0; i < lane->in_count; i++)
        if (lane->ins[i] == link)
            lane->taken_in = i;
    for (i = 0; i < count; i++)
        head->epoch_bytes += lane->batch[i].size;
    head->epoch_records += count;
    count = let_expire(lane, link, count, &flags);
    for (i = 0; i < count; i++)
        bytes += lane->batch[i].size;
    uplink_fed(head, bytes);
    if (count > 0 && !lane_feed(link, lane->batch, count, flags))
        return false;
    queue_back(link->queue);
    return true;
}
