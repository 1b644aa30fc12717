/* edge.h - the ring of headers between two lanes.
 *
 * One writer, one reader. A slot is a record's header; the payload stays in its
 * origin's byte ring, where both lanes see it at one address. The writer
 * publishes `head` once a batch. The reader copies up to 64 headers into an array
 * of its own, and releases them when its whole lane is through with them.
 *
 * The end of an epoch is an index beside the ring, so it never needs room.
 *
 * For each origin whose payloads may lie on this edge both sides keep a mark;
 * from them the origin's owner works out what it may overwrite (edge_holds).
 *
 * Not here: waiting (lane.h), byte rings (bytes.h), what fused nodes do. */
#ifndef AFFERENT_FLOW_EDGE_H
#define AFFERENT_FLOW_EDGE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <afferent/plugin.h>

#include "flow/bell.h"
#include "flow/bytes.h"

enum {
    EDGE_EPOCHS = 8,         /* epochs in flight, a power of two */
    EDGE_NO_ORIGIN = 0xffff, /* of a record without payload */
    EDGE_LINE = 64,
    EDGE_STRETCHES = 8
};

/* Records put one after another: the lowest position among them, and the index
 * behind the last. For origins whose payloads come in mixed order. */
struct edge_stretch {
    _Atomic uint64_t low;
    _Atomic uint64_t end;
};

/* One origin on one edge. `put` and `floor` are the writer's, `done` the
 * reader's; each on a line of its own. */
struct edge_origin {
    _Alignas(EDGE_LINE) _Atomic uint64_t put; /* header index behind its last record */
    _Atomic uint64_t floor;                   /* all below were read when this was set */
    struct edge_stretch *stretches;           /* NULL: positions rise, put and done tell all */
    uint32_t stretch;                         /* the one under way */
    uint64_t began;                           /* its first index */
    uint64_t began_bytes;
    _Alignas(EDGE_LINE) _Atomic uint64_t done; /* the reader needs nothing below */
    uint64_t taken;                            /* same, not yet released */
};

struct edge {
    /* fixed while it runs */
    struct aff_record *slots;
    uint64_t mask;
    uint64_t buffer;            /* payload bytes that may stay unread */
    const struct bytes *rings;  /* by node; borrowed */
    uint16_t *slot_of;          /* by node: index in origins */
    struct edge_origin *origins; /* the last one is for "no origin" */
    uint32_t origin_count;
    struct bell **wakes; /* who may wait for this reader: writer, owners */
    uint32_t wake_count;
    struct bell *reader;
    /* what the writer shows, and what it keeps to itself: lines of their own, so
     * that neither side's polling takes the other's private counters away */
    _Alignas(EDGE_LINE) _Atomic uint64_t head;
    _Atomic uint64_t ended; /* epochs below this one have ended here */
    _Atomic bool closed;    /* nothing comes any more */
    _Alignas(EDGE_LINE) uint64_t end_at[EDGE_EPOCHS];
    _Alignas(EDGE_LINE) uint64_t head_next; /* written, not yet published */
    uint64_t tail_seen;
    uint64_t bytes_put;
    /* what the reader shows, and what it keeps to itself */
    _Alignas(EDGE_LINE) _Atomic uint64_t tail;
    _Atomic uint64_t bytes_taken;
    _Alignas(EDGE_LINE) uint64_t tail_next;
    uint64_t bytes_next;
};

/* [control] `headers` is a power of two; `carries` has one byte a node: 0, no
 * origin; 1, an origin whose payloads come in the order they were made in; 2, in
 * any order; `rings` one ring a node, both `node_count` long; `rings` is
 * borrowed until close. False: no memory. */
struct edge_shape {
    uint32_t headers;
    uint64_t buffer;
    const struct bytes *rings;
    const uint8_t *carries;
    uint32_t node_count;
};
bool edge_open(struct edge *edge, const struct edge_shape *shape);
void edge_close(struct edge *edge);

/* [data, writer] How many of `count` records can be put now (0: wait for the
 * reader). A payload larger than the buffer goes when the edge is empty. */
uint32_t edge_room(struct edge *edge, const struct aff_record *records, uint32_t count);
/* [data, writer] Puts them; not yet seen by the reader. */
void edge_put(struct edge *edge, const struct aff_record *records, uint32_t count);
/* [data, writer] Shows what was put, and wakes the reader. */
void edge_publish(struct edge *edge);
/* [data, writer] Epoch `epoch` has ended on this edge; publishes. */
void edge_end_epoch(struct edge *edge, uint64_t epoch);
/* [data, writer] Nothing comes any more; publishes. */
void edge_finish(struct edge *edge);

/* [data, reader] Copies up to `room` records of `epoch` into `ret_records`.
 * *ret_flags is the union of the flags of marks among them. 0: none now, or the
 * epoch's end. */
uint32_t edge_take(struct edge *edge, uint64_t epoch, struct aff_record *ret_records, uint32_t room,
                   uint16_t *ret_flags);
/* [data, reader] Gives back what was taken, and wakes who waits for room. */
void edge_release(struct edge *edge);
/* [data, reader] Whether all of `epoch` has been taken. */
bool edge_epoch_over(const struct edge *edge, uint64_t epoch);
/* [data, reader] Whether all there will ever be has been taken. */
bool edge_over(const struct edge *edge);
/* [data, reader] Whether edge_take would give anything, or an end was reached. */
bool edge_ready(const struct edge *edge, uint64_t epoch);

/* [data, any lane] The lowest position of `node`'s ring that this edge's reader
 * may still need; UINT64_MAX for none. */
uint64_t edge_holds(const struct edge *edge, uint32_t node);

/* [any] Records put and not yet released. */
uint64_t edge_queued(const struct edge *edge);

#endif
