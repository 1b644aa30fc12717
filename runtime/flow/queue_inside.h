/* queue_inside.h - what a queue is made of.
 *
 * Records in memory lie in pieces; an index by seq finds them. What the reader has
 * not taken yet is a list of spans of seqs, what it has finished a list of runs.
 * Below `cold_to` what is not taken is in the store alone.
 *
 * queue.c: opening, the writer's side, figures. queue_take.c: the reader's side.
 * queue_gather.c: groups. queue_memory.c: pieces, index, names.
 *
 * Not here: what others see of it (queue.h). */
#ifndef AFFERENT_FLOW_QUEUE_INSIDE_H
#define AFFERENT_FLOW_QUEUE_INSIDE_H

#include <pthread.h>
#include <stdalign.h>
#include <stdatomic.h>

#include "flow/edge.h"
#include "flow/queue.h"
#include "flow/wire.h"

enum {
    QUEUE_BATCH = 64,
    QUEUE_SPANS = 256,             /* one for each time new records overtook others */
    QUEUE_NOTES = 2 * EDGE_EPOCHS, /* ends, and notes, that are remembered */
    QUEUE_STEP = 1024,             /* records that are looked at under one lock */
    QUEUE_BUFFER = 65536           /* for reading from the store, at first */
};

enum {
    SLOT_BEGINS = 1, /* an epoch of the writer ended right before it */
    SLOT_STORED = 2
};

struct piece {
    alignas(16) struct piece *next; /* in the list of free ones */
    size_t room;
    size_t used;
    uint32_t live; /* records in it that are not forgotten */
};

/* A record in memory; its payload lies right behind it. */
struct slot {
    alignas(16) struct aff_record record; /* never changed once it is put */
    struct piece *piece;
    uint64_t done;  /* the run that it was given back in; 0: not yet */
    uint32_t bytes; /* with its payload */
    uint32_t flags;
};

/* Seqs from lo to below hi. */
struct span {
    uint64_t lo, hi;
};

/* Where the writer stood at the end of an epoch. */
struct end {
    uint64_t epoch;
    uint64_t seq; /* all below belongs to it, or to one before */
};

/* Where the reader stood. */
struct note {
    uint64_t epoch;
    uint64_t run; /* runs up to and with this one were finished */
    uint64_t top; /* above the highest seq that was */
};

struct queue {
    struct queue_shape shape; /* name: a copy of our own */
    pthread_mutex_t lock;
    uint32_t stored_queue; /* its number in the store */
    /* hints without the lock */
    _Atomic uint64_t untaken; /* seqs in all spans */
    _Atomic bool finished;
    _Atomic bool end_reached;
    _Atomic bool stalled; /* no memory, or no room for names: something must change first */
    /* seqs */
    uint64_t run_first; /* below: from an earlier run */
    uint64_t next;      /* to be put */
    uint64_t stored_to; /* below: in the store, or finished */
    uint64_t store_low; /* nothing below is in the store */
    uint64_t cold_to;   /* what is not taken below this is not in memory */
    uint64_t holes;     /* seqs below run_first that were not there at the start */
    /* what is not taken */
    struct span spans[QUEUE_SPANS]; /* rising; without newest_first at most one */
    uint32_t span_count;
    /* ends of the writer's epochs */
    struct end ends[QUEUE_NOTES];
    uint64_t end_count;
    uint64_t end_seen;  /* the latest end that the reader was told */
    uint64_t taken_top; /* above the highest seq taken since */
    bool begins;        /* the next record is the first behind an end */
    /* what the reader has in hand, and has finished */
    struct aff_record hand[QUEUE_BATCH];
    uint32_t hand_count;
    struct span hand_span;
    bool hand_cold;
    struct span *runs; /* run number first_run first; finished and not known to be safe */
    uint32_t run_count, run_room;
    uint64_t first_run;
    uint64_t back_top; /* above the highest seq given back */
    struct note notes[QUEUE_NOTES];
    uint64_t note_count;
    struct note safe; /* the latest note that was committed */
    /* memory */
    struct slot **index; /* by seq, from index_low on */
    uint64_t index_room; /* a power of two */
    uint64_t index_low;
    struct piece *tail; /* being filled */
    struct piece *free;
    size_t piece_room;
    size_t in_use, in_free; /* bytes of pieces */
    size_t peak, peak_now;  /* highest in_use, of the last stretch and of this one */
    uint32_t *held;         /* records in memory, by stream */
    uint8_t *gaps;          /* by stream, a bit: records of it were dropped */
    /* reading from the store: the reader's own */
    uint8_t *buffer;
    size_t buffer_room;
    struct kept_read reads[QUEUE_BATCH];
    /* making a group */
    struct wire wire;
    uint64_t group_writer, group_reader; /* epochs of the latest one, */
    uint64_t group_end;                  /* and what they meant */
    struct note group_note;
    /* figures */
    struct queue_figures figures; /* memory: bytes of slots */
    uint64_t slots;
    int64_t first_ns; /* event time of the first in line while it is not in memory */
};

/* All below: under the lock unless they say otherwise. */

/* ---- queue_memory.c ---- */

bool queue_memory_open(struct queue *queue);
void queue_memory_close(struct queue *queue);
/* Puts a copy of the record under the seq `next`. False: no memory. */
bool queue_slot_new(struct queue *queue, const struct aff_record *record);
/* `when`: as names_unhold. */
void queue_slot_forget(struct queue *queue, uint64_t seq, uint64_t when);
/* Bytes that one more record will take. */
uint32_t queue_slot_bytes(const struct aff_record *record);
/* Gives memory back that has not been needed lately. */
void queue_memory_trim(struct queue *queue);
void queue_hold(struct queue *queue, uint32_t stream);
void queue_unhold(struct queue *queue, uint32_t stream, uint64_t when);

static inline struct slot *queue_slot(const struct queue *q, uint64_t seq)
{
    return seq < q->index_low || seq >= q->next ? NULL : q->index[seq & (q->index_room - 1u)];
}

static inline bool queue_is_mark(const struct aff_record *record)
{
    return (record->flags & AFF_FLAG_END) != 0;
}

/* ---- queue_take.c ---- */

/* Makes room for reading `need` bytes from the store. False: no memory. Without the lock,
 * by the reader alone, or while it is opened. */
bool queue_buffer_fit(struct queue *queue, size_t need);

/* ---- queue.c ---- */

/* The newest end of the writer's epoch `epoch` or one before. UINT64_MAX: all. */
uint64_t queue_end_of(const struct queue *queue, uint64_t epoch);
struct note queue_note_of(const struct queue *queue, uint64_t epoch);
void queue_span_gone(struct queue *queue, uint32_t i);
/* To names: now, by the writer's epochs that have ended up to `epoch`; or by the
 * reader's epoch under way. */
uint64_t queue_when_writer(const struct queue *queue, uint64_t epoch);
uint64_t queue_when_reader(const struct queue *queue);
void queue_look_for_end(struct queue *queue);
static inline void queue_untaken(struct queue *q, uint64_t more, uint64_t less)
{
    atomic_store_explicit(&q->untaken, atomic_load_explicit(&q->untaken, memory_order_relaxed) + more - less,
                          memory_order_release);
}

#endif
