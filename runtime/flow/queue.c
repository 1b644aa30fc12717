/* queue.c - opening a queue, the writer's side, figures. See queue.h.
 *
 * The reader's side is queue_take.c, groups are queue_gather.c, memory is
 * queue_memory.c; what they share is told in queue_inside.h.
 *
 * Lock order: the queue's lock, then that of names. The store is read without any. */
#include <stdlib.h>
#include <string.h>

#include "flow/epoch.h"
#include "flow/queue_inside.h"

enum { STRETCH = 100 /* epochs */ };

/* ---- opening ---- */

/* The event time of the first in line, for whoever asks how old it is. */
static bool first_read(struct queue *q)
{
    const struct kept *kept = q->shape.kept;
    struct wire_record wr;
    size_t need = 0;

    q->buffer_room = QUEUE_BUFFER;
    q->buffer = aligned_alloc(16, q->buffer_room);
    if (!q->buffer)
        return false;
    if (kept->read(kept->self, q->stored_queue, 0, false, q->buffer, q->buffer_room, q->reads, 1, &need) == 1 &&
        wire_record_read(q->reads[0].bytes, q->reads[0].size, &wr))
        q->first_ns = wr.record.event_ns;
    return true;
}

/* Marks of streams' ends stand among the records, and are none: they are counted out,
 * once a start. */
static bool marks_count(struct queue *q, const struct kept_queue *at, uint64_t *ret_marks)
{
    const struct kept *kept = q->shape.kept;
    uint64_t from = at->first;
    struct wire_record wr;
    size_t need = 0;
    uint32_t n, i;

    *ret_marks = 0;
    for (;;) {
        n = kept->read(kept->self, q->stored_queue, from, false, q->buffer, q->buffer_room, q->reads, QUEUE_BATCH, &need);
        if (n == 0 && need == SIZE_MAX)
            return false;
        if (n == 0 && need > q->buffer_room) {
            if (!queue_buffer_fit(q, need))
                return false;
            continue;
        }
        if (n == 0)
            return true;
        for (i = 0; i < n; i++)
            *ret_marks += wire_record_read(q->reads[i].bytes, q->reads[i].size, &wr) && queue_is_mark(&wr.record);
        from = q->reads[n - 1u].seq + 1u;
        need = 0;
    }
}

static bool backlog_open(struct queue *q)
{
    const struct kept *kept = q->shape.kept;
    struct kept_queue at;
    uint64_t seqs, marks;

    if (!kept->queue(kept->self, q->shape.name, q->shape.priority, &at))
        return false;
    q->stored_queue = at.queue;
    q->next = at.next > 0 ? at.next : 1;
    if (at.records == 0 || at.first >= q->next)
        return true;
    seqs = q->next - at.first;
    q->spans[q->span_count++] = (struct span){ at.first, q->next };
    q->holes = seqs > at.records ? seqs - at.records : 0;
    q->store_low = at.first;
    queue_untaken(q, seqs, 0);
    if (!first_read(q) || !marks_count(q, &at, &marks))
        return false;
    q->figures.queued = q->figures.stored = at.records > marks ? at.records - marks : 0;
    return true;
}

struct queue *queue_open(const struct queue_shape *shape)
{
    struct queue *q = calloc(1, sizeof *q);

    if (!q)
        return NULL;
    if (pthread_mutex_init(&q->lock, NULL) != 0) {
        free(q);
        return NULL;
    }
    q->shape = *shape;
    q->shape.name = strdup(shape->name ? shape->name : "");
    if (shape->drops)
        q->shape.kept = NULL;
    q->next = 1;
    q->first_run = 1;
    q->first_ns = INT64_MAX;
    if (!q->shape.name || (q->shape.kept && !backlog_open(q)) || !queue_memory_open(q)) {
        queue_close(&q);
        return NULL;
    }
    q->run_first = q->stored_to = q->cold_to = q->end_seen = q->next;
    if (q->store_low == 0)
        q->store_low = q->next;
    return q;
}

void queue_join(struct queue *q, const struct queue_shape *shape)
{
    pthread_mutex_lock(&q->lock);
    q->shape.writer_domain = shape->writer_domain;
    q->shape.reader_domain = shape->reader_domain;
    q->shape.buffer = shape->buffer;
    q->shape.reader = shape->reader;
    q->shape.log = shape->log;
    q->shape.trace = shape->trace;
    q->shape.arg = shape->arg;
    pthread_mutex_unlock(&q->lock);
}

static void hand_let_go(struct queue *q)
{
    uint32_t i;

    for (i = 0; q->hand_cold && i < q->hand_count; i++)
        names_unhold(q->shape.names, q->hand[i].stream, queue_when_reader(q));
}

void queue_close(struct queue **queue)
{
    struct queue *q = *queue;

    if (!q)
        return;
    hand_let_go(q);
    queue_memory_close(q);
    pthread_mutex_destroy(&q->lock);
    free((char *)(uintptr_t)q->shape.name);
    free(q);
    *queue = NULL;
}

/* ---- epochs ---- */

/* Too long ago to be known: what is safe already stands before it. */
uint64_t queue_end_of(const struct queue *q, uint64_t epoch)
{
    uint64_t i;

    if (epoch == UINT64_MAX)
        return q->next;
    for (i = q->end_count; i > 0 && q->end_count - i < QUEUE_NOTES; i--) {
        const struct end *end = &q->ends[(i - 1u) % QUEUE_NOTES];

        if (end->epoch <= epoch)
            return end->seq;
    }
    return q->stored_to;
}

struct note queue_note_of(const struct queue *q, uint64_t epoch)
{
    uint64_t i;

    if (epoch == UINT64_MAX)
        return (struct note){ epoch, q->first_run + q->run_count - 1u, q->back_top };
    for (i = q->note_count; i > 0 && q->note_count - i < QUEUE_NOTES; i--) {
        const struct note *note = &q->notes[(i - 1u) % QUEUE_NOTES];

        if (note->epoch <= epoch)
            return *note;
    }
    return q->safe;
}

uint64_t queue_when_writer(const struct queue *q, uint64_t epoch)
{
    uint64_t i, known = 0;

    for (i = q->end_count; i > 0 && q->end_count - i < QUEUE_NOTES; i--) {
        known = q->ends[(i - 1u) % QUEUE_NOTES].epoch;
        if (known <= epoch)
            break;
    }
    return names_when(q->shape.writer_domain, known);
}

uint64_t queue_when_reader(const struct queue *q)
{
    uint64_t now = EPOCH_FIRST;

    if (q->note_count > 0)
        now = q->notes[(q->note_count - 1u) % QUEUE_NOTES].epoch + 1u;
    return names_when(q->shape.reader_domain, now);
}

/* In order, the reader is at an end when what it takes next stands right behind one. With
 * newest_first it never comes there while something old is left; there it is time
 * before it takes anything from behind the latest end, or when nothing is left. */
static uint64_t end_reached(const struct queue *q)
{
    uint64_t at = q->span_count > 0 ? q->spans[0].lo : q->next, last;
    const struct slot *slot;

    if (q->end_count == 0)
        return 0;
    last = q->ends[(q->end_count - 1u) % QUEUE_NOTES].seq;
    if (q->shape.newest_first)
        return q->taken_top != 0 && q->taken_top <= last &&
                       (q->span_count == 0 || q->spans[q->span_count - 1u].hi > last)
                   ? last
                   : 0;
    if (at == q->next && last == q->next)
        return last;
    slot = queue_slot(q, at);
    return slot && (slot->flags & SLOT_BEGINS) ? at : 0;
}

void queue_look_for_end(struct queue *q)
{
    uint64_t end = end_reached(q);

    if (end <= q->end_seen)
        return;
    q->end_seen = end;
    q->taken_top = 0;
    atomic_store_explicit(&q->end_reached, true, memory_order_release);
}

/* ---- the writer ---- */

void queue_span_gone(struct queue *q, uint32_t i)
{
    memmove(&q->spans[i], &q->spans[i + 1u], (q->span_count - i - 1u) * sizeof q->spans[0]);
    q->span_count--;
}

/* There is a place for a new one: see queue_take.c. */
static void span_put(struct queue *q, uint64_t lo)
{
    struct span *top = q->span_count > 0 ? &q->spans[q->span_count - 1u] : NULL;

    if (q->next == lo)
        return;
    if (top && top->hi == lo)
        top->hi = q->next;
    else
        q->spans[q->span_count++] = (struct span){ lo, q->next };
    queue_untaken(q, q->next - lo, 0);
}

static void put_undo(struct queue *q, uint64_t start)
{
    uint64_t seq;

    for (seq = start; seq < q->next; seq++)
        queue_slot_forget(q, seq, queue_when_writer(q, UINT64_MAX));
    q->next = start;
    if (q->index_low > start)
        q->index_low = start;
}

static void put_book(struct queue *q, uint64_t start)
{
    struct slot *s;
    uint64_t seq;

    if (start == q->next)
        return;
    if (q->begins)
        queue_slot(q, start)->flags |= SLOT_BEGINS;
    q->begins = false;
    for (seq = start; seq < q->next; seq++) {
        s = queue_slot(q, seq);
        q->figures.put += !queue_is_mark(&s->record);
        q->figures.queued += !queue_is_mark(&s->record);
        q->figures.pending += q->shape.kept ? s->bytes : 0;
    }
}

/* The oldest that nobody has taken goes; the newest stays in any case. */
static void drop_beyond(struct queue *q)
{
    const struct aff_record *r;
    uint64_t seq;

    while (q->figures.memory > q->shape.buffer && q->span_count > 0 && q->spans[0].lo + 1u < q->next) {
        seq = q->spans[0].lo;
        r = &queue_slot(q, seq)->record;
        if (!queue_is_mark(r)) {
            q->figures.dropped++;
            q->figures.queued--;
            if (r->stream <= NAMES_STREAMS)
                q->gaps[r->stream / 8u] |= (uint8_t)(1u << r->stream % 8u);
        }
        queue_slot_forget(q, seq, queue_when_writer(q, UINT64_MAX));
        if (++q->spans[0].lo == q->spans[0].hi)
            queue_span_gone(q, 0);
        queue_untaken(q, 0, 1);
    }
}

bool queue_put(struct queue *q, const struct aff_record *records, uint32_t count)
{
    uint64_t start;
    uint32_t i;
    bool ok = true;

    pthread_mutex_lock(&q->lock);
    start = q->next;
    for (i = 0; ok && i < count; i++)
        if (!q->shape.newest_first || !queue_is_mark(&records[i]))
            ok = queue_slot_new(q, &records[i]);
    if (ok) {
        put_book(q, start);
        span_put(q, start);
        if (q->shape.drops)
            drop_beyond(q);
        queue_look_for_end(q);
        if (q->shape.trace && q->next > start)
            q->shape.trace(q->shape.arg, false, start, q->next - 1u);
    } else {
        put_undo(q, start);
    }
    pthread_mutex_unlock(&q->lock);
    atomic_store_explicit(&q->stalled, false, memory_order_relaxed);
    bell_ring(q->shape.reader);
    return ok;
}

void queue_end_epoch(struct queue *q, uint64_t epoch)
{
    pthread_mutex_lock(&q->lock);
    q->ends[q->end_count++ % QUEUE_NOTES] = (struct end){ epoch, q->next };
    q->begins = true;
    queue_look_for_end(q);
    if (q->end_count % STRETCH == 0) {
        q->peak = q->peak_now;
        q->peak_now = q->in_use;
    }
    queue_memory_trim(q);
    pthread_mutex_unlock(&q->lock);
    atomic_store_explicit(&q->stalled, false, memory_order_relaxed);
    bell_ring(q->shape.reader);
}

void queue_finish(struct queue *q)
{
    atomic_store_explicit(&q->finished, true, memory_order_release);
    bell_ring(q->shape.reader);
}

/* ---- figures ---- */

void queue_figures(struct queue *q, struct queue_figures *ret)
{
    const struct slot *first;

    pthread_mutex_lock(&q->lock);
    *ret = q->figures;
    ret->oldest_ns = INT64_MAX;
    if (q->span_count > 0) {
        first = queue_slot(q, q->spans[0].lo);
        ret->oldest_ns = first ? first->record.event_ns : q->first_ns;
    }
    pthread_mutex_unlock(&q->lock);
}

bool queue_backlog(struct queue *q)
{
    bool is_there;

    pthread_mutex_lock(&q->lock);
    is_there = q->span_count > 0 && q->spans[0].lo < q->run_first;
    pthread_mutex_unlock(&q->lock);
    return is_there;
}
