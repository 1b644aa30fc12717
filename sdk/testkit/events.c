/* SPDX-License-Identifier: Apache-2.0
 *
 * events.c - what happens to an instance beside input: reads, time, ends, epochs.
 *
 * The clock is virtual. Moving it stops at each time that the plugin asked for,
 * so a timer that sets itself again fires as often as in real time.
 *
 * Not here: restarts (restart.c). */
#include "kit.h"

static void started(struct aff_harness *h)
{
    if (!h->is_started)
        kit_misuse("the instance is not running");
}

/* One callback without a batch. */
aff_status simple_call(struct aff_harness *h, enum callback callback, aff_status (*call)(void *self))
{
    aff_status status;
    int again;

    do {
        call_begin(h, callback);
        status = call(h->self);
        settle_loose(h);
        again = call_end(h, status);
    } while (again);
    return status;
}

static aff_status read_up_to(struct aff_harness *h, uint32_t want, uint64_t *ret_emitted)
{
    uint64_t before = h->ledger.emitted;
    aff_status status;
    int again;

    started(h);
    if (h->plugin.kind != AFF_SOURCE)
        kit_misuse("%s is not a source", h->plugin.name);
    if (want == 0)
        kit_misuse("a read wants at least one record");
    h->want = want;
    do {
        call_begin(h, CB_READ);
        h->call.want = want;
        status = h->plugin.read(h->self, want);
        settle_loose(h);
        again = call_end(h, status);
    } while (again);
    *ret_emitted = h->ledger.emitted - before;
    return status;
}

aff_status aff_harness_read(struct aff_harness *h, uint32_t want)
{
    uint64_t emitted;

    return read_up_to(h, want, &emitted);
}

static void clock_set(struct aff_harness *h, int64_t boot_ns)
{
    if (boot_ns <= h->boot_ns)
        return;
    h->utc_ns += boot_ns - h->boot_ns;
    h->boot_ns = boot_ns;
}

#define IDLE_READS_MOST 1000000

aff_status aff_harness_read_all(struct aff_harness *h, uint32_t want, uint64_t most)
{
    uint64_t emitted, sum = 0, idle = 0;
    aff_status status;

    do {
        status = read_up_to(h, want, &emitted);
        sum += emitted;
        idle = emitted ? 0 : idle + 1;
        if (idle > IDLE_READS_MOST)
            kit_breach(h, "read answered %d times without a record and without an end", IDLE_READS_MOST);
        if (status == AFF_AGAIN) {
            if (h->wake_ns == INT64_MAX)
                return status;
            clock_set(h, h->wake_ns);
            h->wake_ns = INT64_MAX;
        }
    } while (status >= AFF_OK && status != AFF_END && (most == 0 || sum < most));
    return status;
}

aff_status harness_wake(struct aff_harness *h)
{
    aff_status status = AFF_OK;
    uint64_t emitted;

    h->wake_ns = INT64_MAX;
    if (h->plugin.kind == AFF_SOURCE && !h->is_over)
        status = read_up_to(h, h->want, &emitted);
    else if (h->plugin.wake)
        status = simple_call(h, CB_WAKE, h->plugin.wake);
    answers_settle(h);
    if (h->pending_count + h->resend_count == 0)
        return status;
    h->is_stuck = 0;
    return deliver(h, 1);
}

aff_status aff_harness_clock(struct aff_harness *h, int64_t ns)
{
    int64_t until = h->boot_ns + ns;
    aff_status status = AFF_OK;

    started(h);
    if (ns < 0)
        kit_misuse("the boot clock never goes back");
    (void)aff_harness_flush(h);
    while (status >= AFF_OK && (h->wake_ns <= until || timers_next(h) <= until)) {
        if (timers_next(h) < h->wake_ns) {
            clock_set(h, timers_next(h));
            status = timers_call(h);
            continue;
        }
        clock_set(h, h->wake_ns);
        status = harness_wake(h);
    }
    clock_set(h, until);
    if (h->is_stuck && status >= AFF_OK && h->wake_ns == INT64_MAX)
        status = aff_harness_retry(h);
    return status;
}

int64_t aff_harness_now(const struct aff_harness *h)
{
    return h->boot_ns;
}

int64_t aff_harness_wake_time(const struct aff_harness *h)
{
    return h->wake_ns;
}

void aff_harness_utc(struct aff_harness *h, int64_t utc_ns, uint8_t clock)
{
    h->utc_ns = utc_ns;
    h->utc_clock = clock;
}

/* The mark is lent like a record, and gone after the call. */
aff_status aff_harness_end_stream(struct aff_harness *h, const char *port, uint32_t stream)
{
    struct stream *found = stream_get(h, stream);
    uint32_t input = input_port(h, port);
    struct aff_record mark;
    aff_status status = AFF_OK;
    struct guard *lent;
    int again = 0;

    started(h);
    (void)aff_harness_flush(h);
    if (!found || found->ended)
        kit_misuse("stream %u is unknown or has ended", (unsigned)stream);
    memset(&mark, 0, sizeof mark);
    mark.subject = found->info.subject;
    mark.stream = stream;
    mark.schema = found->info.schema;
    mark.event_ns = found->last_ns;
    mark.seen_ns = h->boot_ns;
    mark.id.source = h->source_id;
    mark.id.seq = h->ledger.in;
    mark.flags = AFF_FLAG_END;
    mark.type = schema_get(h, mark.schema)->info.type;
    while (h->plugin.stream_end) {
        call_begin(h, CB_STREAM_END);
        lent = guard_new(sizeof mark, "the mark of a stream's end");
        memcpy(lent->data, &mark, sizeof mark);
        guard_lock(lent);
        h->call.mark = (const void *)lent->data;
        status = h->plugin.stream_end(h->self, input, h->call.mark);
        settle_loose(h);
        guard_retire(lent);
        again = call_end(h, status);
        if (!again)
            break;
    }
    if (status == AFF_OK)
        stream_retire(h, stream);
    return status;
}

aff_status aff_harness_drain(struct aff_harness *h)
{
    aff_status status = AFF_OK;

    started(h);
    if (h->is_drained)
        return AFF_OK;
    (void)aff_harness_flush(h);
    if (h->plugin.drain && h->plugin.kind != AFF_SOURCE)
        status = simple_call(h, CB_DRAIN, h->plugin.drain);
    h->is_drained = status == AFF_OK || status == AFF_END;
    return status;
}

aff_status aff_harness_press(struct aff_harness *h)
{
    aff_status status = AFF_OK;

    started(h);
    (void)aff_harness_flush(h);
    if (h->plugin.flush)
        status = simple_call(h, CB_FLUSH, h->plugin.flush);
    answers_settle(h);
    return status;
}

/* The host waits for them before it takes an epoch for safe. */
static void all_answered(struct aff_harness *h)
{
    answers_settle(h);
    if (h->unanswered_count + h->resend_count > 0)
        kit_breach(h, "the epoch ends, and %zu records that write took are not answered by host->ack",
                   h->unanswered_count + h->resend_count);
}

aff_status aff_harness_sync(struct aff_harness *h)
{
    aff_status status = AFF_OK;
    int again = h->plugin.sync != NULL;

    started(h);
    (void)aff_harness_flush(h);
    h->epoch++;
    while (again) {
        call_begin(h, CB_SYNC);
        status = h->plugin.sync(h->self, h->epoch);
        settle_loose(h);
        again = call_end(h, status);
    }
    if (status == AFF_OK)
        all_answered(h);
    if (status == AFF_ERR_IO || status == AFF_ERR_MEMORY || status == AFF_AGAIN)
        h->epoch--; /* the same epoch is asked for again */
    return status;
}

static void committed(struct aff_harness *h)
{
    if (!h->plugin.committed)
        return;
    call_begin(h, CB_COMMITTED);
    h->plugin.committed(h->self, h->epoch);
    settle_loose(h);
    (void)call_end(h, AFF_OK);
}

void aff_harness_commit(struct aff_harness *h)
{
    started(h);
    h->epoch++;
    committed(h);
}

void aff_harness_commit_older(struct aff_harness *h)
{
    started(h);
    committed(h);
}

aff_status aff_harness_finish(struct aff_harness *h)
{
    aff_status status = AFF_OK;

    if (h->is_started)
        status = aff_harness_drain(h);
    instance_stop(h);
    instance_close(h);
    return status;
}
