/* edge.c - see edge.h.
 *
 * Memory order. The writer fills slots and origin marks, then stores `head`
 * with release; the reader loads it with acquire. The reader stores `done`,
 * then `tail`, with release, after its lane has put on its own out-edges what
 * it passed on. An origin's owner looks at edges from near to far: once it sees
 * that a near edge has let go of a payload, it sees it on the far one, too. */
#include "flow/edge.h"

#include <stdlib.h>
#include <string.h>

/* How many laps of a ring a header can tell apart (record.host_reserved). */
enum { LAP_BITS = 16 };

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
    for (i = 0, n = 0; i < shape->node_count; i++)
        edge->slot_of[i] = (uint16_t)(shape->carries[i] ? n++ : edge->origin_count);
    return true;
}

void edge_close(struct edge *edge)
{
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

/* The full position of a payload: a header knows its place in the ring and the
 * low bits of its lap; the rest follows from an earlier one that is not further
 * back than all laps a header can tell apart. */
static uint64_t position_of(const struct bytes *ring, const struct aff_record *r, uint64_t earlier)
{
    uint64_t place = (uint64_t)((const uint8_t *)r->data - ring->base) & (ring->size - 1u);
    uint64_t low = ((uint64_t)r->host_reserved << ring->shift) + place;
    uint64_t known = (ring->size << LAP_BITS) - 1u;

    return earlier + ((low - earlier) & known);
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

/* Sets the writer's marks for a run that ends before `index`. */
static void run_put(struct edge *edge, const struct aff_record *first, const struct aff_record *last,
                    uint64_t index)
{
    struct edge_origin *o = &edge->origins[edge->slot_of[first->origin]];
    const struct bytes *ring = &edge->rings[first->origin];
    uint64_t position = position_of(ring, first, o->last);

    if (atomic_load_explicit(&o->put, memory_order_relaxed) <= edge->tail_seen)
        atomic_store_explicit(&o->floor, position, memory_order_release);
    o->last = position_of(ring, last, position);
    atomic_store_explicit(&o->put, index, memory_order_release);
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
            run_put(edge, &records[done], &records[done + n - 1], edge->head_next + n);
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
    o->taken = position_of(&edge->rings[last->origin], last, o->taken) + bytes_round(last->size);
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

uint64_t edge_holds(const struct edge *edge, uint32_t node)
{
    const struct edge_origin *o;
    uint64_t put, floor, done;

    if (edge->slot_of[node] == edge->origin_count)
        return UINT64_MAX;
    o = &edge->origins[edge->slot_of[node]];
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
