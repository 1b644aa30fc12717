/* queue_memory.c - where a queue keeps its records.
 *
 * They lie one behind another in pieces of one size; a record that is larger than a
 * quarter of one gets a piece of its own. A piece is free again when all in it is
 * forgotten, in whatever order. Free ones are kept as long as the queue has
 * needed as much within the last hundred epochs: a reader that keeps up costs no
 * allocation, and what an outage took is given back.
 *
 * Not here: which records may be forgotten (queue_gather.c, queue.c). */
#include <stdlib.h>
#include <string.h>

#include "flow/queue_inside.h"

enum { PIECE_LEAST = 4096, PIECE_MOST = 65536, PIECES = 8, INDEX_FIRST = 256, KEEP = 262144 };

static size_t round16(size_t size)
{
    return (size + 15u) & ~(size_t)15u;
}

bool queue_memory_open(struct queue *q)
{
    uint64_t room = q->shape.buffer / PIECES;

    q->piece_room = room < PIECE_LEAST ? PIECE_LEAST : room > PIECE_MOST ? PIECE_MOST : round16((size_t)room);
    q->index_room = INDEX_FIRST;
    q->index_low = q->next;
    q->index = calloc(q->index_room, sizeof *q->index);
    q->held = calloc(NAMES_STREAMS + 1u, sizeof *q->held);
    q->gaps = calloc((NAMES_STREAMS + 8u) / 8u, 1);
    return q->index && q->held && q->gaps;
}

void queue_memory_close(struct queue *q)
{
    struct piece *p;
    uint64_t seq;

    for (seq = q->index_low; q->index && seq < q->next; seq++)
        queue_slot_forget(q, seq, queue_when_writer(q, UINT64_MAX));
    free(q->tail);
    while ((p = q->free)) {
        q->free = p->next;
        free(p);
    }
    free(q->index);
    free(q->held);
    free(q->gaps);
    free(q->runs);
    free(q->buffer);
    wire_free(&q->wire);
}

/* ---- names ---- */

void queue_hold(struct queue *q, uint32_t stream)
{
    if (stream > 0 && stream <= NAMES_STREAMS && q->held[stream]++ == 0)
        names_hold(q->shape.names, stream);
}

void queue_unhold(struct queue *q, uint32_t stream, uint64_t when)
{
    if (stream > 0 && stream <= NAMES_STREAMS && --q->held[stream] == 0)
        names_unhold(q->shape.names, stream, when);
}

/* ---- pieces ---- */

static void piece_release(struct queue *q, struct piece *p)
{
    q->in_use -= p->room;
    p->used = 0;
    p->next = q->free;
    q->free = p;
    q->in_free += p->room;
}

static struct piece *piece_reuse(struct queue *q, size_t room)
{
    struct piece **at, *p;

    for (at = &q->free; (p = *at); at = &p->next) {
        if (p->room < room || p->room / 2u > room)
            continue;
        *at = p->next;
        q->in_free -= p->room;
        return p;
    }
    return NULL;
}

static struct piece *piece_get(struct queue *q, size_t room)
{
    struct piece *p = piece_reuse(q, room);

    if (!p) {
        p = aligned_alloc(16, sizeof *p + room);
        if (!p)
            return NULL;
        *p = (struct piece){ .room = room };
    }
    q->in_use += p->room;
    if (q->in_use > q->peak_now)
        q->peak_now = q->in_use;
    return p;
}

void queue_memory_trim(struct queue *q)
{
    size_t keep = q->peak > q->peak_now ? q->peak : q->peak_now;
    struct piece *p;

    if (keep < KEEP)
        keep = KEEP;
    while (q->free && q->in_use + q->in_free > keep) {
        p = q->free;
        q->free = p->next;
        q->in_free -= p->room;
        free(p);
    }
}

/* ---- the index ---- */

static bool index_fit(struct queue *q)
{
    uint64_t room = q->index_room, seq;
    struct slot **index;

    while (room < q->next + 1u - q->index_low)
        room *= 2u;
    if (room == q->index_room)
        return true;
    index = calloc(room, sizeof *index);
    if (!index)
        return false;
    for (seq = q->index_low; seq < q->next; seq++)
        index[seq & (room - 1u)] = queue_slot(q, seq);
    free(q->index);
    q->index = index;
    q->index_room = room;
    return true;
}

/* ---- slots ---- */

uint32_t queue_slot_bytes(const struct aff_record *record)
{
    return (uint32_t)(sizeof(struct slot) + round16(record->size));
}

/* The piece that the record goes to. */
static struct piece *piece_for(struct queue *q, size_t bytes)
{
    struct piece *p = q->tail;

    if (bytes > q->piece_room / 4u && (!p || p->room - p->used < bytes))
        return piece_get(q, bytes);
    if (p && p->room - p->used >= bytes)
        return p;
    p = piece_get(q, q->piece_room);
    if (!p)
        return NULL;
    if (q->tail && q->tail->live == 0)
        piece_release(q, q->tail);
    q->tail = p;
    return p;
}

bool queue_slot_new(struct queue *q, const struct aff_record *record)
{
    size_t bytes = queue_slot_bytes(record);
    struct piece *p;
    struct slot *s;

    if (record->size > UINT32_MAX - 2u * sizeof *s || !index_fit(q))
        return false;
    p = piece_for(q, bytes);
    if (!p)
        return false;
    s = (struct slot *)(void *)((uint8_t *)(p + 1) + p->used);
    *s = (struct slot){ .record = *record, .piece = p, .bytes = (uint32_t)bytes };
    s->record.data = s + 1;
    s->record.origin = EDGE_NO_ORIGIN;
    s->record.host_reserved = 0;
    if (record->size > 0)
        memcpy(s + 1, record->data, record->size);
    p->used += bytes;
    p->live++;
    q->index[q->next & (q->index_room - 1u)] = s;
    q->next++;
    q->slots++;
    q->figures.memory += bytes;
    queue_hold(q, record->stream);
    return true;
}

void queue_slot_forget(struct queue *q, uint64_t seq, uint64_t when)
{
    struct slot *s = queue_slot(q, seq);
    struct piece *p;

    if (!s)
        return;
    q->index[seq & (q->index_room - 1u)] = NULL;
    while (q->index_low < q->next && !q->index[q->index_low & (q->index_room - 1u)])
        q->index_low++;
    q->slots--;
    q->figures.memory -= s->bytes;
    queue_unhold(q, s->record.stream, when);
    p = s->piece;
    if (--p->live > 0)
        return;
    if (p == q->tail)
        p->used = 0;
    else
        piece_release(q, p);
}
