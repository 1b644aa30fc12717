/* queue.h - an edge whose reader may be late: copies, and behind them the store.
 *
 * The writer's lane copies records in and never waits. The reader's lane takes
 * batches of up to 64, works on them, and says up to where it is done (marks of its
 * own epochs). What the reader has not finished when an epoch of the writer is
 * committed goes to the store in the same transaction (kind spill); from then on it
 * may be forgotten here, and is read back from the store when its turn comes. Kind
 * drop_oldest has no store: beyond `buffer` bytes the oldest that is not in the
 * reader's hands is forgotten and counted.
 *
 * Every record gets a seq, rising by one from 1. Order of reading: by seq; with
 * `newest_first` (after an outage: alarms, and vitals over a link) the newest batch first,
 * each in order; what the reader calls live goes before that, and in order as well.
 *
 * One lock a queue, taken once a batch by each side. Memory comes in pieces that
 * are used again; a piece in the reader's hands stays until it gives it back.
 *
 * A queued record's names stay valid: while any record of a stream is in memory
 * here, its subject is kept (names_hold; once a stream, not once a record). Stored
 * records carry their names as text (wire.h), and their names are held while the reader
 * has them in its hands and until its epoch is committed.
 *
 * Not here: the store (kept.h), waiting (lane.h), who may expire (lane). */
#ifndef AFFERENT_FLOW_QUEUE_H
#define AFFERENT_FLOW_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include <afferent/plugin.h>

#include "flow/bell.h"
#include "flow/kept.h"
#include "flow/names.h"

struct queue;

struct queue_shape {
    struct names *names;      /* borrowed until close */
    const struct kept *kept;  /* NULL: no store (drop_oldest, or a run without one) */
    const char *name;         /* of the store's queue: "ecg.out>archive.in" */
    uint32_t priority;        /* AFF_PRIO_... */
    uint32_t writer_domain;   /* whose epochs the writer ends, and the reader notes */
    uint32_t reader_domain;   /* (names_when) */
    uint64_t buffer;          /* bytes that may stay in memory once they are stored;
                               * drop_oldest: at all */
    bool drops;               /* drop_oldest */
    bool newest_first;
    bool keeps_names;         /* its reader keeps state by stream: a stream lives as long as
                               * a record of it waits, in the store too */
    struct bell *reader;      /* rung when something was put or ended */
    int (*log)(void *arg, const char *text); /* may be NULL */
    /* Under the lock, NULL: seqs `first` to `last` were put, or taken (trace.h). */
    void (*trace)(void *arg, bool taken, uint64_t first, uint64_t last);
    void *arg;
};

/* [control] NULL: no memory, or the store's queue cannot be read. With a store,
 * what is in it from an earlier run is first in line, marked RESENT. */
struct queue *queue_open(const struct queue_shape *shape);
void queue_close(struct queue **queue);
/* [control, neither side runs, all is committed] It goes on between other lanes: domains,
 * buffer, reader, log and trace of `shape` take the place of what they were. Epochs go on
 * above all that it has seen. */
void queue_join(struct queue *queue, const struct queue_shape *shape);

/* ---- the writer's lane: [data] ---- */

/* Copies records in (marks of streams' ends, AFF_FLAG_END, as well; with newest_first
 * they mean nothing and are left out). False: no memory, and none was put. Never
 * waits, but for the other side's turn. A record's payload belongs to no node's ring
 * from here on (origin EDGE_NO_ORIGIN). */
bool queue_put(struct queue *queue, const struct aff_record *records, uint32_t count);
/* The writer's epoch ends here; what was put so far belongs to it or to those
 * before it. At most EDGE_EPOCHS ends are remembered. Rings the reader. */
void queue_end_epoch(struct queue *queue, uint64_t epoch);
/* Nothing comes any more. Rings the reader. */
void queue_finish(struct queue *queue);

/* ---- the reader's lane: [data] ---- */

/* The next batch, in memory that stays until queue_back; before that the same batch is
 * given again (`room` at least as large). It never mixes what stands before an end of
 * the writer's epoch with what stands behind it. Names are interned (records from the
 * store). Stored records that could not be read are counted as lost. The first record
 * of a stream behind some that drop_oldest forgot carries GAP. 0: nothing now. */
uint32_t queue_take(struct queue *queue, struct aff_record *ret_records, uint32_t room);
/* What a reader wants, where it is not simply the next. */
struct queue_want {
    uint32_t room;
    uint64_t bytes;  /* of payload, at most, but for the first record; UINT64_MAX: any */
    int64_t live_ns; /* newest_first: what was seen then or later is live; INT64_MAX: nothing is */
    /* Not NULL: from the oldest on, as far as it says so without a gap; marks as well. */
    bool (*only)(void *arg, const struct aff_record *record);
    void *arg;
};
uint32_t queue_take_by(struct queue *queue, struct aff_record *ret_records, const struct queue_want *want);
/* The batch is finished with, for good: its records need not be delivered again
 * once the reader's epoch is committed. */
void queue_back(struct queue *queue);
/* Whether queue_take would give something. */
bool queue_ready(struct queue *queue);
/* Whether the reader has taken all up to an end of the writer's epoch that it has not
 * seen yet: time to end its own epoch, so that what it has finished need not be
 * stored. True once for each such end; ends with no record between them are one. With
 * newest_first: it is about to take what stands behind the end, or nothing is left. */
bool queue_at_end(struct queue *queue);
/* Whether all there will ever be has been taken. */
bool queue_over(struct queue *queue);
/* Notes where the reader stands: all it has given back so far is part of its own
 * epoch `epoch`, or of one before. The newest EDGE_EPOCHS notes are remembered. */
void queue_note(struct queue *queue, uint64_t epoch);

/* ---- when a group is made: [any], under the flow's commit lock ---- */

/* Whether what the reader had finished in its epochs up to `reader_epoch` all stood
 * before the end of the writer's `writer_epoch` (both by their latest note), so
 * that both can become safe together. epoch UINT64_MAX: the end of the run. */
bool queue_agrees(struct queue *queue, uint64_t writer_epoch, uint64_t reader_epoch);
/* How many records, at most, a group of these two epochs would write. */
uint64_t queue_unfinished(struct queue *queue, uint64_t writer_epoch, uint64_t reader_epoch);
/* Adds to the group what makes the queue safe as it stands after these two epochs: puts of
 * what was not finished and is not stored yet; acks of what is stored and was. */
void queue_gather(struct queue *queue, uint64_t writer_epoch, uint64_t reader_epoch,
                  struct kept_group *group);
/* The group is durable: what is stored may be forgotten here beyond `buffer`, what
 * was finished is forgotten. */
void queue_stored(struct queue *queue, uint64_t writer_epoch, uint64_t reader_epoch);

/* [any] Whether records of an earlier run wait. */
bool queue_backlog(struct queue *queue);

struct queue_figures {
    uint64_t put;        /* records (marks not counted) */
    uint64_t taken;      /* handed to the reader and given back */
    uint64_t dropped;    /* by drop_oldest */
    uint64_t lost;       /* stored, and could not be read */
    uint64_t queued;     /* in memory or stored, not given back */
    uint64_t stored;     /* of these, in the store */
    uint64_t memory;     /* bytes, with headers */
    uint64_t pending;    /* bytes not stored yet that will have to be */
    int64_t oldest_ns;   /* event time of the first in line; INT64_MAX: none */
};
/* [any] Counts since queue_open. */
void queue_figures(struct queue *queue, struct queue_figures *ret_figures);

#endif
