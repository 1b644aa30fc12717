/* bytes.h - a node's byte ring: where the payloads that it makes live.
 *
 * One memfd, mapped twice in a row, so that every payload is contiguous and no
 * code handles a wrap. Positions count bytes since the start and never wrap;
 * position modulo size is the place in the ring. Only the lane that owns the
 * node allocates. Freeing is moving `tail` up to what the slowest reader still
 * needs, which the owner works out when it runs out of room (emit.c).
 *
 * Not here: who still reads what, headers (edge.h). */
#ifndef AFFERENT_FLOW_BYTES_H
#define AFFERENT_FLOW_BYTES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BYTES_ALIGN = 16 };

struct bytes {
    uint8_t *base; /* NULL: this node makes no bytes */
    uint64_t size; /* a power of two, at least a page */
    uint32_t shift; /* size is 1 << shift */
    _Atomic uint64_t tail; /* oldest position that may still be read; any lane looks */
    uint8_t apart[64];     /* head moves with each record, and others don't look at it */
    uint64_t head;         /* next position to give */
    uint8_t end[64];
};

/* [control] Maps a ring of at least `size` bytes. False: errno says why. */
bool bytes_open(struct bytes *ring, uint64_t size);
void bytes_close(struct bytes *ring);

/* What `size` bytes take in the ring. */
static inline uint64_t bytes_round(uint64_t size)
{
    return (size + BYTES_ALIGN - 1u) & ~(uint64_t)(BYTES_ALIGN - 1u);
}

/* [data] Whether `size` bytes fit without freeing anything. */
static inline bool bytes_fit(const struct bytes *ring, uint64_t size)
{
    uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);

    return ring->head + bytes_round(size) - tail <= ring->size;
}

static inline uint8_t *bytes_at(const struct bytes *ring, uint64_t position)
{
    return ring->base + (position & (ring->size - 1u));
}

/* [data] The room at head; it becomes taken by bytes_take. */
static inline uint8_t *bytes_head(const struct bytes *ring)
{
    return bytes_at(ring, ring->head);
}

static inline void bytes_take(struct bytes *ring, uint64_t size)
{
    ring->head += bytes_round(size);
}

/* [any lane] The position of a payload that may not be freed yet. It lies less than
 * a ring's size above `tail`, whichever of its values is seen: `tail` was below it
 * when it was made, and stays so until all have let go of it. */
static inline uint64_t bytes_position(const struct bytes *ring, const void *data)
{
    uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    uint64_t place = (uint64_t)((const uint8_t *)data - ring->base);

    return tail + ((place - tail) & (ring->size - 1u));
}

/* Which time round the ring a position is: a header keeps the low 16 bits. */
static inline uint16_t bytes_lap(const struct bytes *ring, uint64_t position)
{
    return (uint16_t)(position >> ring->shift);
}

#endif
