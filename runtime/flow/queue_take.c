/* queue_take.c - the reader's side of a queue.
 *
 * A batch comes from memory or from the store, never from both. The store is read
 * without the lock; the writer may put meanwhile, but nobody else takes, and what is
 * in the store alone stays there until the reader has finished it.
 *
 * With newest_first each time that new records overtake others makes one more span.
 * When all places for spans are used the newest span is worked off from its old end,
 * so that what is put next still joins it: order suffers a little, nothing is lost. What is
 * live, the end of the newest span, becomes a span of its own and is taken from its old end.
 *
 * Not here: when the reader takes (lane_queues.c). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flow/queue_inside.h"

/* What is taken next: a part of span `at`, upwards or downwards. */
struct claim {
    struct span span;
    uint32_t at;
    bool up;
};

static bool runs_fit(struct queue *q)
{
    uint32_t room = q->run_room ? q->run_room * 2u : 16u;
    struct span *runs;

    if (q->run_count < q->run_room)
        return true;
    runs = realloc(q->runs, room * sizeof *runs);
    if (!runs)
        return false;
    q->runs = runs;
    q->run_room = room;
    return true;
}

/* Finished; runs_fit has been asked before. Returns the run's number. */
static uint64_t run_add(struct queue *q, struct span span)
{
    uint64_t last = q->first_run + q->run_count - 1u;
    uint64_t noted = q->note_count > 0 ? q->notes[(q->note_count - 1u) % QUEUE_NOTES].run : 0;
    struct span *run = q->run_count > 0 && last > noted ? &q->runs[q->run_count - 1u] : NULL;

    if (span.hi > q->back_top)
        q->back_top = span.hi;
    if (!q->shape.kept)
        return 0;
    if (run && run->hi == span.lo) {
        run->hi = span.hi;
        return last;
    }
    if (run && run->lo == span.hi) {
        run->lo = span.lo;
        return last;
    }
    q->runs[q->run_count++] = span;
    return last + 1u;
}

/* Moves the claimed seqs out of its span. While the store was read the writer may
 * have put more at the end of the span: that becomes one of its own. */
static void claim_take(struct queue *q, const struct claim *claim, uint64_t end)
{
    struct span *s = &q->spans[claim->at];

    if (claim->up) {
        s->lo = claim->span.hi;
    } else if (s->hi == end) {
        s->hi = claim->span.lo;
    } else {
        q->spans[q->span_count++] = (struct span){ end, s->hi };
        s->hi = claim->span.lo;
    }
    if (s->lo == s->hi)
        queue_span_gone(q, claim->at);
    queue_untaken(q, 0, claim->span.hi - claim->span.lo);
    if (claim->span.hi > q->taken_top)
        q->taken_top = claim->span.hi;
    if (q->shape.trace)
        q->shape.trace(q->shape.arg, true, claim->span.lo, claim->span.hi - 1u);
}

static bool is_live(const struct queue *q, uint64_t seq, int64_t live_ns)
{
    const struct slot *s = queue_slot(q, seq);

    return s && s->record.seen_ns >= live_ns;
}

/* The first that is live of a span whose last is: what was put later was seen later. */
static uint64_t live_from(const struct queue *q, const struct span *span, int64_t live_ns)
{
    uint64_t low = span->lo, high = span->hi - 1u;

    while (low < high) {
        uint64_t middle = low + (high - low) / 2u;

        if (is_live(q, middle, live_ns))
            high = middle;
        else
            low = middle + 1u;
    }
    return low;
}

/* Whether the newest span is live; of one that is in part that part becomes one. */
static bool live_split(struct queue *q, int64_t live_ns)
{
    struct span *top = &q->spans[q->span_count - 1u];
    uint64_t from;

    if (!is_live(q, top->hi - 1u, live_ns))
        return false;
    from = live_from(q, top, live_ns);
    if (from == top->lo || q->span_count == QUEUE_SPANS)
        return true;
    q->spans[q->span_count++] = (struct span){ from, top->hi };
    top->hi = from;
    return true;
}

static struct claim claim_make(struct queue *q, const struct queue_want *want)
{
    struct claim c = { .up = true };

    if (q->shape.newest_first && !want->only) {
        c.up = live_split(q, want->live_ns) || q->span_count == QUEUE_SPANS;
        c.at = q->span_count - 1u;
    }
    c.span = q->spans[c.at];
    return c;
}

/* Whether a record behind `n` others, with so much payload, still belongs to the batch. */
static bool is_wanted(const struct queue_want *want, const struct aff_record *record, uint32_t n, uint64_t bytes)
{
    if (n > 0 && (record->size > want->bytes || bytes > want->bytes - record->size))
        return false;
    return !want->only || want->only(want->arg, record);
}

/* ---- from memory ---- */

/* How many of the claim lie in memory and before (or behind) the same end. */
static uint32_t warm_count(const struct queue *q, const struct claim *c, const struct queue_want *want)
{
    uint64_t most = c->span.hi - c->span.lo, bytes = 0;
    const struct slot *s;
    uint32_t n;

    for (n = 0; n < want->room && n < most; n++) {
        s = queue_slot(q, c->up ? c->span.lo + n : c->span.hi - 1u - n);
        if (!s || (c->up && n > 0 && (s->flags & SLOT_BEGINS)) || !is_wanted(want, &s->record, n, bytes))
            return n;
        bytes += s->record.size;
        if (!c->up && (s->flags & SLOT_BEGINS))
            return n + 1u;
    }
    return n;
}

/* What was dropped before it is missing for who takes it. */
static void gap_tell(struct queue *q, struct aff_record *r)
{
    uint8_t bit = (uint8_t)(1u << r->stream % 8u);

    if (!q->shape.drops || q->shape.newest_first || r->stream > NAMES_STREAMS || queue_is_mark(r) ||
        !(q->gaps[r->stream / 8u] & bit))
        return;
    q->gaps[r->stream / 8u] &= (uint8_t)~bit;
    r->flags |= AFF_FLAG_GAP;
}

static bool take_warm(struct queue *q, const struct queue_want *want)
{
    struct claim c = claim_make(q, want);
    uint64_t end = c.span.hi;
    uint32_t n = warm_count(q, &c, want), i;

    if (n == 0)
        return false;
    if (c.up)
        c.span.hi = c.span.lo + n;
    else
        c.span.lo = c.span.hi - n;
    for (i = 0; i < n; i++) {
        q->hand[i] = queue_slot(q, c.span.lo + i)->record;
        gap_tell(q, &q->hand[i]);
    }
    q->hand_count = n;
    q->hand_span = c.span;
    q->hand_cold = false;
    claim_take(q, &c, end);
    return true;
}

/* ---- from the store ---- */

bool queue_buffer_fit(struct queue *q, size_t need)
{
    size_t room = need > QUEUE_BUFFER ? (need + 15u) & ~(size_t)15u : QUEUE_BUFFER;
    uint8_t *buffer;

    if (q->buffer && q->buffer_room >= need)
        return true;
    buffer = aligned_alloc(16, room);
    if (!buffer)
        return false;
    free(q->buffer);
    q->buffer = buffer;
    q->buffer_room = room;
    return true;
}

/* Without the lock. False: there was no memory for it. *ret_later: it cannot be read now,
 * which says nothing about what is there. */
static bool store_read(struct queue *q, const struct claim *c, uint32_t room, uint32_t *ret_got, bool *ret_later)
{
    const struct kept *kept = q->shape.kept;
    uint64_t from = c->up ? c->span.lo : c->span.hi - 1u;
    size_t need = 0;

    do {
        if (!queue_buffer_fit(q, need))
            return false;
        need = 0;
        *ret_got = kept->read(kept->self, q->stored_queue, from, !c->up, q->buffer, q->buffer_room, q->reads, room,
                              &need);
    } while (*ret_got == 0 && need > q->buffer_room && need != SIZE_MAX);
    *ret_later = need == SIZE_MAX;
    return true;
}

static bool names_are_full(const struct queue *q)
{
    return names_subjects(q->shape.names) >= NAMES_SUBJECTS || names_streams(q->shape.names) >= NAMES_STREAMS;
}

enum interned { INTERNED, LOST, WAITS, UNWANTED };

/* What this run stored for a reader with state is of the stream that is kept for it, even
 * if that has ended; the hand holds that stream from here on. */
static bool intern_kept(struct queue *q, const struct wire_record *wr, struct aff_record *ret)
{
    const struct names_by by = { .none = true, .holds = true, .kept = q->held };
    bool ok;

    pthread_mutex_lock(&q->lock);
    ok = wire_record_intern(wr, q->shape.names, &by, ret);
    if (ok && q->held[ret->stream] > 0)
        queue_unhold(q, ret->stream, queue_when_reader(q));
    pthread_mutex_unlock(&q->lock);
    return ok;
}

static enum interned intern(struct queue *q, const struct kept_read *read, struct aff_record *ret)
{
    const struct names_by by = { .none = true, .holds = true };
    bool kept = q->shape.keeps_names && read->seq >= q->run_first;
    struct wire_record wr;

    if (!wire_record_read(read->bytes, read->size, &wr))
        return LOST;
    if (!(kept ? intern_kept(q, &wr, ret) : wire_record_intern(&wr, q->shape.names, &by, ret)))
        return names_are_full(q) ? WAITS : LOST;
    if (read->seq < q->run_first)
        ret->flags |= AFF_FLAG_RESENT;
    return INTERNED;
}

/* Looked at before a name of it is held. */
static bool is_unwanted(const struct kept_read *read, const struct queue_want *want, uint32_t n, uint64_t bytes)
{
    struct wire_record wr;

    return (want->only || want->bytes != UINT64_MAX) && wire_record_read(read->bytes, read->size, &wr) &&
           !is_wanted(want, &wr.record, n, bytes);
}

/* Without the lock. Puts what was read in the reader's hand; the claim becomes what is
 * dealt with by that. */
static uint32_t store_hand(struct queue *q, struct claim *c, const struct queue_want *want, uint32_t got)
{
    const struct span all = c->span;
    uint64_t seq, bytes = 0;
    uint32_t i, n = 0;
    enum interned how;

    for (i = 0; i < got; i++) {
        seq = q->reads[i].seq;
        if (seq < all.lo || seq >= all.hi) {
            c->span = all;
            break;
        }
        how = is_unwanted(&q->reads[i], want, n, bytes) ? UNWANTED : intern(q, &q->reads[i], &q->hand[n]);
        if (how >= WAITS)
            seq = c->up ? seq : seq + 1u;
        else
            seq = c->up ? seq + 1u : seq;
        bytes += how == INTERNED ? q->hand[n].size : 0;
        n += how == INTERNED;
        c->span = all;
        *(c->up ? &c->span.hi : &c->span.lo) = seq;
        if (how >= WAITS)
            break;
    }
    return n;
}

static uint64_t less(uint64_t from, uint64_t by)
{
    return from > by ? from - by : 0;
}

/* Seqs that were not there: some were known to be missing at the start. */
static void lost_book(struct queue *q, struct span span, uint32_t given)
{
    uint64_t lost = span.hi - span.lo - given, known = 0;
    char text[160];

    if (span.lo < q->run_first)
        known = q->holes < lost ? q->holes : lost;
    q->holes -= known;
    lost -= known;
    if (lost == 0)
        return;
    q->figures.queued = less(q->figures.queued, lost);
    q->figures.stored = less(q->figures.stored, lost);
    if (q->figures.lost == 0 && q->shape.log) {
        snprintf(text, sizeof text, "queue %.64s: stored records could not be read; the ledger counts them as lost",
                 q->shape.name);
        q->shape.log(q->shape.arg, text);
    }
    q->figures.lost += lost;
}

/* Only what is in the store, and never what an earlier run left together with what
 * this one did: they are counted by different rules. */
static void claim_cut(const struct queue *q, struct claim *c)
{
    bool both = c->span.lo < q->run_first && c->span.hi > q->run_first;

    if (c->up && c->span.hi > q->cold_to)
        c->span.hi = q->cold_to;
    if (both && c->up && c->span.hi > q->run_first)
        c->span.hi = q->run_first;
    if (both && !c->up)
        c->span.lo = q->run_first;
}

/* A batch is in the order it was put in, whichever way it was read: an alert's end
 * must not overtake its beginning. */
static void hand_turn(struct queue *q, uint32_t count)
{
    struct aff_record r;
    uint32_t i;

    for (i = 0; i < count / 2u; i++) {
        r = q->hand[i];
        q->hand[i] = q->hand[count - 1u - i];
        q->hand[count - 1u - i] = r;
    }
}

/* False: nothing can be had now. */
static bool take_cold(struct queue *q, const struct queue_want *want)
{
    struct claim c = claim_make(q, want);
    uint64_t end = c.span.hi;
    uint32_t got = 0, n = 0;
    bool ok, later = false;

    claim_cut(q, &c);
    if (c.span.lo >= c.span.hi) /* `only`: the first lies in memory, and is not wanted */
        return false;
    pthread_mutex_unlock(&q->lock);
    ok = store_read(q, &c, want->room, &got, &later);
    if (ok && !later)
        n = store_hand(q, &c, want, got);
    if (!c.up)
        hand_turn(q, n);
    pthread_mutex_lock(&q->lock);
    if (ok && (later || (want->only && c.span.lo == c.span.hi)))
        return false;
    if (!ok || c.span.lo == c.span.hi) {
        atomic_store_explicit(&q->stalled, true, memory_order_relaxed);
        return false;
    }
    claim_take(q, &c, end);
    lost_book(q, c.span, n);
    if (n == 0) {
        run_add(q, c.span);
        return true;
    }
    q->hand_count = n;
    q->hand_span = c.span;
    q->hand_cold = true;
    if (c.up)
        q->first_ns = q->hand[n - 1u].event_ns;
    return true;
}

/* ---- the reader ---- */

uint32_t queue_take_by(struct queue *q, struct aff_record *ret, const struct queue_want *asked)
{
    struct queue_want want = *asked;
    bool more = true;

    if (want.room > QUEUE_BATCH)
        want.room = QUEUE_BATCH;
    pthread_mutex_lock(&q->lock);
    while (more && want.room > 0 && q->hand_count == 0 && q->span_count > 0) {
        if (!runs_fit(q)) {
            atomic_store_explicit(&q->stalled, true, memory_order_relaxed);
            more = false;
        } else if (!take_warm(q, &want)) {
            more = take_cold(q, &want);
        }
    }
    queue_look_for_end(q);
    pthread_mutex_unlock(&q->lock);
    if (q->hand_count > want.room)
        return 0;
    memcpy(ret, q->hand, q->hand_count * sizeof *ret);
    return q->hand_count;
}

uint32_t queue_take(struct queue *q, struct aff_record *ret, uint32_t room)
{
    const struct queue_want want = { .room = room, .bytes = UINT64_MAX, .live_ns = INT64_MAX };

    return queue_take_by(q, ret, &want);
}

static void back_warm(struct queue *q, uint64_t run)
{
    uint64_t seq;

    for (seq = q->hand_span.lo; seq < q->hand_span.hi; seq++) {
        struct slot *s = queue_slot(q, seq);

        s->done = run;
        q->figures.taken += !queue_is_mark(&s->record);
        q->figures.queued -= !queue_is_mark(&s->record);
        if (s->flags & SLOT_STORED)
            q->figures.stored -= !queue_is_mark(&s->record);
        else if (q->shape.kept)
            q->figures.pending -= s->bytes;
        if (!q->shape.kept)
            queue_slot_forget(q, seq, queue_when_reader(q));
    }
}

/* Marks among what an earlier run left were counted with its records. */
static void back_cold(struct queue *q)
{
    uint32_t i;

    for (i = 0; i < q->hand_count; i++) {
        bool mark = queue_is_mark(&q->hand[i]);

        q->figures.taken += !mark;
        q->figures.queued = less(q->figures.queued, !mark);
        q->figures.stored = less(q->figures.stored, !mark);
        names_unhold(q->shape.names, q->hand[i].stream, queue_when_reader(q));
    }
}

void queue_back(struct queue *q)
{
    uint64_t run;

    if (q->hand_count == 0)
        return;
    pthread_mutex_lock(&q->lock);
    run = run_add(q, q->hand_span);
    if (q->hand_cold)
        back_cold(q);
    else
        back_warm(q, run);
    q->hand_count = 0;
    pthread_mutex_unlock(&q->lock);
}

bool queue_ready(struct queue *q)
{
    return atomic_load_explicit(&q->untaken, memory_order_acquire) > 0 &&
           !atomic_load_explicit(&q->stalled, memory_order_relaxed);
}

bool queue_at_end(struct queue *q)
{
    return atomic_load_explicit(&q->end_reached, memory_order_acquire) &&
           atomic_exchange_explicit(&q->end_reached, false, memory_order_acq_rel);
}

bool queue_over(struct queue *q)
{
    return atomic_load_explicit(&q->finished, memory_order_acquire) &&
           atomic_load_explicit(&q->untaken, memory_order_acquire) == 0;
}

void queue_note(struct queue *q, uint64_t epoch)
{
    pthread_mutex_lock(&q->lock);
    q->notes[q->note_count++ % QUEUE_NOTES] =
        (struct note){ epoch, q->first_run + q->run_count - 1u, q->back_top };
    pthread_mutex_unlock(&q->lock);
}
