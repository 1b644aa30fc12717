/* queue_gather.c - what makes a queue safe.
 *
 * A group brings the store to where writer and reader stood at the ends of two
 * epochs: records up to the writer's end are there unless the reader had finished
 * them by its note; what was there and is finished goes. A record that is finished in
 * time is never written.
 *
 * Records do not change once they are put, and are not forgotten before they are safe, so
 * bytes are made without the lock: nobody waits for a large group.
 *
 * Not here: when groups are made (commit.c), how they are stored (keep/). */
#include <string.h>

#include "flow/queue_inside.h"

/* What the two epochs mean. A reader ahead of the writer must not be believed: what
 * it had finished stays as it was safe last. */
static void cut_of(const struct queue *q, uint64_t writer_epoch, uint64_t reader_epoch, uint64_t *ret_end,
                   struct note *ret_note)
{
    *ret_end = queue_end_of(q, writer_epoch);
    if (*ret_end < q->stored_to)
        *ret_end = q->stored_to;
    *ret_note = queue_note_of(q, reader_epoch);
    if (ret_note->top > *ret_end)
        *ret_note = q->safe;
}

bool queue_agrees(struct queue *q, uint64_t writer_epoch, uint64_t reader_epoch)
{
    bool agrees;

    if (q->shape.drops)
        return true;
    pthread_mutex_lock(&q->lock);
    agrees = queue_note_of(q, reader_epoch).top <= queue_end_of(q, writer_epoch);
    pthread_mutex_unlock(&q->lock);
    return agrees;
}

/* How many of a run lie between. */
static uint64_t overlap(const struct span *run, uint64_t from, uint64_t end)
{
    uint64_t lo = run->lo > from ? run->lo : from, hi = run->hi < end ? run->hi : end;

    return hi > lo ? hi - lo : 0;
}

uint64_t queue_unfinished(struct queue *q, uint64_t writer_epoch, uint64_t reader_epoch)
{
    uint64_t end, n;
    struct note note;
    uint32_t i;

    if (!q->shape.kept)
        return 0;
    pthread_mutex_lock(&q->lock);
    cut_of(q, writer_epoch, reader_epoch, &end, &note);
    n = end - q->stored_to;
    for (i = 0; i < q->run_count && q->first_run + i <= note.run; i++)
        n -= overlap(&q->runs[i], q->stored_to, end);
    pthread_mutex_unlock(&q->lock);
    return n;
}

/* ---- into a group ---- */

static void ack(struct queue *q, struct kept_group *group, enum kept_op op, uint64_t seq)
{
    kept_group_add(group, op, q->stored_queue, seq, NULL, NULL, 0);
}

/* The i-th run that the note covers; false: there are no more. A run that was noted
 * does not grow any more. */
static bool run_at(struct queue *q, uint64_t run_to, uint32_t i, struct span *ret_run)
{
    bool is_there;

    pthread_mutex_lock(&q->lock);
    is_there = i < q->run_count && q->first_run + i <= run_to;
    if (is_there)
        *ret_run = q->runs[i];
    pthread_mutex_unlock(&q->lock);
    return is_there;
}

static void gather_acks(struct queue *q, const struct note *note, struct kept_group *group)
{
    uint64_t stored_to = q->stored_to, seq;
    struct span run;
    uint32_t i;

    if (!q->shape.newest_first) {
        if (q->store_low < stored_to && q->store_low < note->top)
            ack(q, group, KEPT_ACK_UPTO, note->top - 1u);
        return;
    }
    for (i = 0; run_at(q, note->run, i, &run); i++)
        for (seq = run.lo; seq < run.hi && seq < stored_to; seq++)
            ack(q, group, KEPT_ACK, seq);
}

/* Collects what is to be put from `*seq` on. */
static uint32_t to_put(struct queue *q, uint64_t *seq, uint64_t end, uint64_t run_to, struct slot **ret_slots,
                       uint64_t *ret_seqs)
{
    uint32_t n = 0, looked;
    struct slot *s;

    pthread_mutex_lock(&q->lock);
    for (looked = 0; *seq < end && n < QUEUE_BATCH && looked < QUEUE_STEP; ++*seq, looked++) {
        s = queue_slot(q, *seq);
        if (!s || (s->done != 0 && s->done <= run_to))
            continue;
        ret_slots[n] = s;
        ret_seqs[n++] = *seq;
    }
    pthread_mutex_unlock(&q->lock);
    return n;
}

static void gather_puts(struct queue *q, uint64_t end, const struct note *note, struct kept_group *group)
{
    struct slot *slots[QUEUE_BATCH];
    uint64_t seqs[QUEUE_BATCH], seq = q->stored_to;
    uint32_t i, n;

    while (seq < end && !group->failed) {
        n = to_put(q, &seq, end, note->run, slots, seqs);
        for (i = 0; i < n; i++) {
            wire_clear(&q->wire);
            wire_record(&q->wire, q->shape.names, &slots[i]->record);
            group->failed |= q->wire.failed;
            kept_group_add(group, KEPT_PUT, q->stored_queue, seqs[i], NULL, q->wire.bytes, q->wire.size);
        }
    }
}

void queue_gather(struct queue *q, uint64_t writer_epoch, uint64_t reader_epoch, struct kept_group *group)
{
    if (!q->shape.kept)
        return;
    pthread_mutex_lock(&q->lock);
    cut_of(q, writer_epoch, reader_epoch, &q->group_end, &q->group_note);
    q->group_writer = writer_epoch;
    q->group_reader = reader_epoch;
    pthread_mutex_unlock(&q->lock);
    gather_acks(q, &q->group_note, group);
    gather_puts(q, q->group_end, &q->group_note, group);
}

/* ---- the group is durable ---- */

/* Forgets what was finished. False: there is no more of it. */
static bool forget_finished(struct queue *q, const struct note *note, uint64_t when)
{
    uint32_t runs = 0, n = 0;

    while (runs < q->run_count && q->first_run + runs <= note->run && n < QUEUE_STEP) {
        struct span *run = &q->runs[runs];

        for (; run->lo < run->hi && n < QUEUE_STEP; run->lo++, n++)
            queue_slot_forget(q, run->lo, when);
        runs += run->lo == run->hi;
    }
    if (runs > 0)
        memmove(q->runs, q->runs + runs, (q->run_count - runs) * sizeof *q->runs);
    q->run_count -= runs;
    q->first_run += runs;
    return q->run_count > 0 && q->first_run <= note->run;
}

static bool mark_stored(struct queue *q, uint64_t end)
{
    struct slot *s;
    uint32_t n;

    for (n = 0; q->stored_to < end && n < QUEUE_STEP; n++, q->stored_to++) {
        s = queue_slot(q, q->stored_to);
        if (!s)
            continue;
        s->flags |= SLOT_STORED;
        if (s->done != 0)
            continue;
        q->figures.stored += !queue_is_mark(&s->record);
        q->figures.pending -= s->bytes;
    }
    return q->stored_to < end;
}

/* The lowest seq that is stored, not taken, and in memory; 0: none. */
static uint64_t coolest(const struct queue *q)
{
    uint64_t seq;
    uint32_t i;

    for (i = 0; i < q->span_count; i++) {
        seq = q->spans[i].lo > q->cold_to ? q->spans[i].lo : q->cold_to;
        if (seq < q->spans[i].hi)
            return seq < q->stored_to ? seq : 0;
    }
    return 0;
}

/* A few old records among many that have gone would make the index grow for ever. */
static bool too_much(const struct queue *q)
{
    uint64_t wide = q->next - q->index_low;

    return q->in_use > q->shape.buffer || (wide > QUEUE_STEP * 4u && wide > q->slots * 8u);
}

static bool forget_stored(struct queue *q, uint64_t when)
{
    uint64_t seq;
    uint32_t n;

    for (n = 0; n < QUEUE_STEP; n++) {
        seq = too_much(q) ? coolest(q) : 0;
        if (seq == 0)
            return false;
        if (seq == q->spans[0].lo)
            q->first_ns = queue_slot(q, seq)->record.event_ns;
        if (q->shape.keeps_names) /* until its reader is done with it */
            queue_hold(q, queue_slot(q, seq)->record.stream);
        queue_slot_forget(q, seq, when);
        q->cold_to = seq + 1u;
    }
    return true;
}

void queue_stored(struct queue *q, uint64_t writer_epoch, uint64_t reader_epoch)
{
    struct note note;
    uint64_t end, when;
    bool more;

    if (!q->shape.kept)
        return;
    pthread_mutex_lock(&q->lock);
    if (q->group_writer == writer_epoch && q->group_reader == reader_epoch) {
        end = q->group_end;
        note = q->group_note;
    } else {
        cut_of(q, writer_epoch, reader_epoch, &end, &note);
    }
    when = queue_when_writer(q, writer_epoch);
    do {
        more = forget_finished(q, &note, when) || mark_stored(q, end) || forget_stored(q, when);
        pthread_mutex_unlock(&q->lock);
        pthread_mutex_lock(&q->lock);
    } while (more);
    q->safe = note;
    if (q->store_low < note.top)
        q->store_low = note.top;
    pthread_mutex_unlock(&q->lock);
    if (atomic_exchange_explicit(&q->stalled, false, memory_order_acq_rel))
        bell_ring(q->shape.reader);
}
