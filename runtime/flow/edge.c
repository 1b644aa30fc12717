/* edge.c - see edge.h.
 *
 * Memory order. The writer fills slots and origin marks, then stores `head`
 * with release; the reader loads it with acquire. The reader stores `done`,
 * then `tail`, with release, after its lane has put on its own out-edges what
 * it passed on. An origin's owner looks at edges from near to far: once it sees
 * that a near edge has let go of a payload, it sees it on the far one, too.
 *
 * Where payloads of one origin come in an order of their own (two ways through a
 * diamond, or copies beside emits), "the reader is through up to here" says
 * nothing about those behind. There the writer keeps the lowest position of each
 * of the last stretches of records, and a stretch counts until all of it is read. */
#include "flow/edge.h"

#include <stdlib.h>
#include <string.h>

static void *line_alloc(size_t size)
{
    void *p = aligned_alloc(EDGE_LINE, (size + EDGE_LINE - 1u) & ~(size_t)(EDGE_LINE - 1u));

    if (p)
        memset(p, 0, size);
    return p;
}

bool edge_open(struct edge *edge, const struct edge_shape *shape)
{
    uint32_t i, n = 0;

    memset(edge, 0, sizeof *edge);
    edge->mask = shape->headers - 1u;
    edge->buffer = shape->buffer;
    edge->rings = shape->rings;
    for (i = 0; i < shape->node_count; i++)
        n += shape->carries[i] != 0;
    edge->origin_count = n;
    edge->slots = line_alloc(sizeof *edge->slots * shape->headers);
    edge->origins = line_alloc(sizeof *edge->origins * (n + 1u));
    edge->slot_of = calloc(shape->node_count + 1u, sizeof *edge->slot_of);
    if (!edge->slots || !edge->origins || !edge->slot_of) {
        edge_close(edge);
        return false;
    }
    for (i = 0, n = 0; i < shape->node_count; i++) {
        struct edge_origin *o = &edge->origins[n];

        edge->slot_of[i] = (uint16_t)(shape->carries[i] ? n++ : edge->origin_count);
        if (shape->carries[i] < 2)
            continue;
        o->stretches = line_alloc(EDGE_STRETCHES * sizeof *o->stretches);
        if (!o->stretches) {
            edge_close(edge);
            return false;
        }
    }
    return true;
}

void edge_close(struct edge *edge)
{
    uint32_t i;

    for (i = 0; edge->origins && i < edge->origin_count; i++)
        free(edge->origins[i].stretches);
    free(edge->slots);
    free(edge->origins);
    free(edge->slot_of);
    free(edge->wakes);
    memset(edge, 0, sizeof *edge);
}

/* ---- the writer ---- */

uint32_t edge_room(struct edge *edge, const struct aff_record *records, uint32_t count)
{
    uint64_t slots = edge->mask + 1u, unread, free_slots, total = 0;
    uint32_t i;

    free_slots = slots - (edge->head_next - edge->tail_seen);
    if (free_slots < count) {
        edge->tail_seen = atomic_load_explicit(&edge->tail, memory_order_acquire);
        free_slots = slots - (edge->head_next - edge->tail_seen);
        if (free_slots < count)
            count = (uint32_t)free_slots;
    }
    unread = edge->bytes_put - atomic_load_explicit(&edge->bytes_taken, memory_order_relaxed);
    for (i = 0; i < count; i++)
        total += records[i].size;
    if (unread + total <= edge->buffer)
        return count;
    for (i = 0; i < count; i++) {
        if (unread > 0 && unread + records[i].size > edge->buffer)
            break;
        unread += records[i].size;
    }
    return i;
}

/* How many records at the front come from the origin of the first; adds up
 * their sizes. */
static uint32_t run_of(const struct aff_record *records, uint32_t count, uint64_t *bytes)
{
    uint16_t node = records[0].origin;
    uint64_t total = 0;
    uint32_t i;

    for (i = 0; i < count && records[i].origin == node; i++)
        total += records[i].size;
    *bytes += total;
    return i;
}

/* The stretch that goes on at `edge->head_next`. A new one begins when the old one
 * has all been read, or is an eighth of the edge and the next place is free. */
static struct edge_stretch *stretch_at(struct edge *edge, struct edge_origin *o, bool *ret_new)
{
    struct edge_stretch *now = &o->stretches[o->stretch];
    struct edge_stretch *next = &o->stretches[(o->stretch + 1u) % EDGE_STRETCHES];
    bool large = (edge->head_next - o->began) * EDGE_STRETCHES > edge->mask ||
                 (edge->bytes_put - o->began_bytes) * EDGE_STRETCHES > edge->buffer;

    edge->tail_seen = atomic_load_explicit(&edge->tail, memory_order_acquire);
    *ret_new = atomic_load_explicit(&now->end, memory_order_relaxed) <= edge->tail_seen;
    if (!*ret_new && large && atomic_load_explicit(&next->end, memory_order_relaxed) <= edge->tail_seen) {
        o->stretch = (o->stretch + 1u) % EDGE_STRETCHES;
        now = next;
        *ret_new = true;
    }
    if (*ret_new) {
        o->began = edge->head_next;
        o->began_bytes = edge->bytes_put;
    }
    return now;
}

static void stretch_put(struct edge *edge, struct edge_origin *o, const struct aff_record *first, uint32_t count)
{
    const struct bytes *ring = &edge->rings[first->origin];
    uint64_t low = UINT64_MAX, position;
    struct edge_stretch *stretch;
    uint32_t i;
    bool fresh;

    stretch = stretch_at(edge, o, &fresh);
    if (!fresh)
        low = atomic_load_explicit(&stretch->low, memory_order_relaxed);
    for (i = 0; i < count; i++) {
        position = bytes_position(ring, first[i].data);
        low = position < low ? position : low;
    }
    /* In this order: who sees the end sees a low that covers it. */
    atomic_store_explicit(&stretch->low, low, memory_order_release);
    atomic_store_explicit(&stretch->end, edge->head_next + count, memory_order_release);
}

/* Sets the writer's marks for a run of `count` records that is put now. */
static void run_put(struct edge *edge, const struct aff_record *first, uint32_t count)
{
    struct edge_origin *o = &edge->origins[edge->slot_of[first->origin]];

    if (o->stretches) {
        stretch_put(edge, o, first, count);
        return;
    }
    if (atomic_load_explicit(&o->put, memory_order_relaxed) <= edge->tail_seen)
        atomic_store_explicit(&o->floor, bytes_position(&edge->rings[first->origin], first->data),
                              memory_order_release);
    atomic_store_explicit(&o->put, edge->head_next + count, memory_order_release);
}

/* Slots are one array with an end: a run of them is at most two pieces. */
static uint32_t piece(const struct edge *edge, uint64_t index, uint32_t count)
{
    uint64_t to_end = edge->mask + 1u - (index & edge->mask);

    return to_end < count ? (uint32_t)to_end : count;
}

void edge_put(struct edge *edge, const struct aff_record *records, uint32_t count)
{
    uint32_t first = piece(edge, edge->head_next, count), done = 0, n;

    memcpy(&edge->slots[edge->head_next & edge->mask], records, first * sizeof *records);
    memcpy(edge->slots, records + first, (count - first) * sizeof *records);
    while (done < count) {
        n = run_of(records + done, count - done, &edge->bytes_put);
        if (records[done].origin != EDGE_NO_ORIGIN)
            run_put(edge, &records[done], n);
        edge->head_next += n;
        done += n;
    }
}

void edge_publish(struct edge *edge)
{
    if (atomic_load_explicit(&edge->head, memory_order_relaxed) == edge->head_next)
        return;
    atomic_store_explicit(&edge->head, edge->head_next, memory_order_release);
    bell_ring(edge->reader);
}

void edge_end_epoch(struct edge *edge, uint64_t epoch)
{
    edge->end_at[epoch % EDGE_EPOCHS] = edge->head_next;
    atomic_store_explicit(&edge->head, edge->head_next, memory_order_release);
    atomic_store_explicit(&edge->ended, epoch + 1u, memory_order_release);
    bell_ring(edge->reader);
}

void edge_finish(struct edge *edge)
{
    atomic_store_explicit(&edge->head, edge->head_next, memory_order_release);
    atomic_store_explicit(&edge->closed, true, memory_order_release);
    bell_ring(edge->reader);
}

/* ---- the reader ---- */

/* The index up to which records of `epoch` may be taken now. `ended` is read
 * before `head`: what the end's index covers is then below that head. */
static uint64_t take_limit(const struct edge *edge, uint64_t epoch)
{
    uint64_t ended = atomic_load_explicit(&edge->ended, memory_order_acquire);

    if (ended > epoch)
        return edge->end_at[epoch % EDGE_EPOCHS];
    return atomic_load_explicit(&edge->head, memory_order_acquire);
}

/* Without an end in sight `head` may already cover the next epoch: the writer
 * stores `ended` after it. So when nothing had ended, look once more. */
static uint64_t epoch_limit(const struct edge *edge, uint64_t epoch)
{
    uint64_t limit = take_limit(edge, epoch);
    uint64_t ended = atomic_load_explicit(&edge->ended, memory_order_acquire);

    return ended > epoch ? edge->end_at[epoch % EDGE_EPOCHS] : limit;
}

/* Books a run that was taken: the reader's mark of its origin, or its flags. */
static void run_taken(struct edge *edge, const struct aff_record *records, uint32_t count, uint16_t *flags)
{
    const struct aff_record *last = &records[count - 1];
    struct edge_origin *o;
    uint32_t i;

    if (last->origin == EDGE_NO_ORIGIN) {
        for (i = 0; i < count; i++)
            *flags |= records[i].flags;
        return;
    }
    o = &edge->origins[edge->slot_of[last->origin]];
    o->taken = bytes_position(&edge->rings[last->origin], last->data) + bytes_round(last->size);
}

uint32_t edge_take(struct edge *edge, uint64_t epoch, struct aff_record *ret_records, uint32_t room,
                   uint16_t *ret_flags)
{
    uint64_t ready = epoch_limit(edge, epoch) - edge->tail_next;
    uint32_t count = ready < room ? (uint32_t)ready : room, done = 0, first, n, i;

    *ret_flags = 0;
    first = piece(edge, edge->tail_next, count);
    memcpy(ret_records, &edge->slots[edge->tail_next & edge->mask], first * sizeof *ret_records);
    memcpy(ret_records + first, edge->slots, (count - first) * sizeof *ret_records);
    for (i = 0; i < count; i++)
        __builtin_prefetch(ret_records[i].data);
    for (; done < count; done += n) {
        n = run_of(ret_records + done, count - done, &edge->bytes_next);
        run_taken(edge, ret_records + done, n, ret_flags);
    }
    edge->tail_next += count;
    return count;
}

void edge_release(struct edge *edge)
{
    uint32_t i;

    if (atomic_load_explicit(&edge->tail, memory_order_relaxed) == edge->tail_next)
        return;
    for (i = 0; i < edge->origin_count; i++)
        atomic_store_explicit(&edge->origins[i].done, edge->origins[i].taken, memory_order_release);
    atomic_store_explicit(&edge->bytes_taken, edge->bytes_next, memory_order_relaxed);
    atomic_store_explicit(&edge->tail, edge->tail_next, memory_order_release);
    for (i = 0; i < edge->wake_count; i++)
        bell_ring(edge->wakes[i]);
}

bool edge_over(const struct edge *edge)
{
    return atomic_load_explicit(&edge->closed, memory_order_acquire) &&
           atomic_load_explicit(&edge->head, memory_order_acquire) == edge->tail_next;
}

bool edge_epoch_over(const struct edge *edge, uint64_t epoch)
{
    if (atomic_load_explicit(&edge->ended, memory_order_acquire) > epoch)
        return edge->end_at[epoch % EDGE_EPOCHS] == edge->tail_next;
    return edge_over(edge);
}

bool edge_ready(const struct edge *edge, uint64_t epoch)
{
    return epoch_limit(edge, epoch) != edge->tail_next || edge_epoch_over(edge, epoch);
}

/* ---- others ---- */

/* The tail is read first: a stretch that is let go meanwhile only counts longer. */
static uint64_t stretches_hold(const struct edge *edge, const struct edge_origin *o)
{
    uint64_t tail = atomic_load_explicit(&edge->tail, memory_order_acquire), held = UINT64_MAX, low;
    uint32_t i;

    for (i = 0; i < EDGE_STRETCHES; i++) {
        if (atomic_load_explicit(&o->stretches[i].end, memory_order_acquire) <= tail)
            continue;
        low = atomic_load_explicit(&o->stretches[i].low, memory_order_acquire);
        held = low < held ? low : held;
    }
    return held;
}

uint64_t edge_holds(const struct edge *edge, uint32_t node)
{
    const struct edge_origin *o;
    uint64_t put, floor, done;

    if (edge->slot_of[node] == edge->origin_count)
        return UINT64_MAX;
    o = &edge->origins[edge->slot_of[node]];
    if (o->stretches)
        return stretches_hold(edge, o);
    put = atomic_load_explicit(&o->put, memory_order_acquire);
    if (atomic_load_explicit(&edge->tail, memory_order_acquire) >= put)
        return UINT64_MAX;
    floor = atomic_load_explicit(&o->floor, memory_order_acquire);
    done = atomic_load_explicit(&o->done, memory_order_acquire);
    return floor > done ? floor : done;
}

uint64_t edge_queued(const struct edge *edge)
{
    uint64_t tail = atomic_load_explicit(&edge->tail, memory_order_acquire);

    return atomic_load_explicit(&edge->head, memory_order_acquire) - tail;
}
