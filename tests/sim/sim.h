/* sim.h - the epoch protocol as a model: no threads, no clock, no disk.
 *
 * One schedule is a random graph, driven by a random choice of the next step, with
 * crashes between any two of them, and judged at its far ends. All follows from one
 * seed. A lane is one node here; nodes that are fused in the runtime take the same
 * steps in a coarser order. Epochs are counted from 0 in each run; "a count of
 * epochs x" covers those below x.
 *
 * Not here: bytes, names, timers, back-off, sizes; what LMDB does (tests/crash). */
#ifndef AFFERENT_TESTS_SIM_H
#define AFFERENT_TESTS_SIM_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum {
    NODES = 14,
    SOURCES = 3,
    INS = 3,
    EDGES = 24,
    RUNS = 8,                 /* starts of the process in one schedule, at most */
    STREAMS = SOURCES * RUNS, /* a live source has a stream a run */
    ITEMS = 12,               /* of a source */
    SLOTS = 8,                /* epochs in flight, at most */
    HELD = 64,
    RING = 256,
    QUEUED = 1024,
    WINDOW = 4,               /* records that a sink has sent and not got back */
    LETTERS = 128,
    BATCH = 3
};

/* ---- records ---- */

enum { REC_RESENT = 1, REC_END = 2, REC_MADE = 4 };

struct record {
    uint64_t id;
    uint32_t value; /* the payload: what a node made of all that came before it */
    uint8_t stream;
    uint8_t flags;
};

/* ---- the graph (graph.c) ---- */

enum node_kind {
    SRC_FILE,     /* replayable: can read from any position */
    SRC_LIVE,     /* what was read and not committed is gone after a crash */
    SRC_DURABLE,  /* live, with the store right behind it */
    SRC_ANSWERS,  /* answers its peer on `committed`; the peer sends again */
    PRO_PASS,
    PRO_HOLD,     /* a delay line: keeps up to two records of a stream */
    PRO_COUNT,    /* makes records out of all it has seen of a stream */
    PRO_JOIN,     /* waits for the same record by both ways */
    SNK_PLAIN,    /* done when written */
    SNK_LATE,     /* acknowledges later, in any order */
    SNK_DYING,    /* takes nothing for a while, again and again */
    SNK_ARCHIVE   /* put by key; safe when synced */
};

struct node {
    enum node_kind kind;
    uint32_t ins[INS]; /* edges */
    uint32_t in_count;
    uint32_t outs[EDGES];
    uint32_t out_count;
    uint32_t domain;
    uint8_t carries[INS]; /* by in-edge: a bit a source whose streams come by it */
    uint8_t mixed;        /* a bit a source whose streams leave in no fixed order */
    bool refuses;         /* a sink: some records become dead letters */
    uint32_t speed;       /* of 16: how often its turn is used */
    int32_t gate;         /* a live source: silent until this source is all safe */
};

enum edge_kind { EDGE_RING, EDGE_QUEUE };

struct edge {
    enum edge_kind kind;
    uint32_t from, to, in; /* `in`: which in-edge of `to` */
    bool newest_first;
};

struct graph {
    struct node nodes[NODES];
    struct edge edges[EDGES];
    uint32_t node_count, edge_count, source_count, domain_count;
    uint32_t domains[NODES];
    uint32_t flight, cap, room, buffer, limit;
    bool eager; /* the judge's: delay lines keep nothing */
};

struct dice {
    uint64_t state;
};
uint32_t dice_below(struct dice *dice, uint32_t below);

void graph_make(struct graph *graph, struct dice *dice);
static inline bool is_source(enum node_kind kind)
{
    return kind <= SRC_ANSWERS;
}
static inline bool is_sink(enum node_kind kind)
{
    return kind >= SNK_PLAIN;
}
static inline bool is_live(enum node_kind kind)
{
    return kind == SRC_LIVE || kind == SRC_DURABLE;
}
static inline uint32_t stream_source(uint32_t stream)
{
    return stream / RUNS;
}

/* ---- what nodes do (part.c): the same for the model and for the judge ---- */

struct kept_record {
    struct record record;
    uint32_t in;
};

struct state {
    uint32_t chain[INS][STREAMS];
    uint8_t ended[STREAMS]; /* in-edges by which the stream's end has come */
    uint32_t held_count;
    struct kept_record held[HELD];
};

struct outbox {
    struct record records[HELD + 8];
    uint32_t count;
};

uint64_t mix(uint64_t a, uint64_t b);
struct record item_record(uint32_t stream, uint32_t number, uint32_t value);
struct record end_record(uint32_t stream, uint32_t number);
void state_clear(struct state *state);
void state_copy(struct state *to, const struct state *from);
void part_feed(const struct graph *graph, uint32_t node, uint32_t in, const struct record *record,
               struct state *state, struct outbox *out);

/* ---- planted mistakes (mistakes.c) ---- */

enum mistake {
    RIGHT,
    POSITION_AHEAD,   /* position saved before the data */
    POSITION_BACK,    /* a group writes an older position than stands there */
    BATCH_MIXES,      /* a batch goes across an epoch's end */
    FANIN_EARLY,      /* a fan-in takes of n+1 before n has ended on all ways */
    END_LATE,         /* the end stands on one way only after a record of n+1 */
    SNAPSHOT_LATE,    /* the snapshot is taken after the first record of n+1 */
    HELD_FORGOTTEN,   /* held records are not in the snapshot */
    LANE_SKIPPED,     /* a commit does not wait for one lane */
    DONE_BY_NEWEST,   /* a sink is done when the newest epoch is acknowledged */
    ACK_WRONG_EPOCH,  /* acks are booked to the oldest epoch */
    SYNC_SKIPPED,     /* the archive says done before its sync */
    READER_AHEAD,     /* a reader of a queue is committed beyond its writer */
    ACK_BEFORE_DONE,  /* a queued record is let go when it is taken */
    SPILL_OUTSIDE,    /* spilled records are stored at once, outside the transaction */
    DROP_UNSTORED,    /* a queue forgets memory before the group is durable */
    PUT_WAITS,        /* a queue's writer waits for room inside an epoch */
    LETTER_OUTSIDE,   /* dead letters are stored at once, outside the transaction */
    TWO_TRANSACTIONS, /* positions in one, records in the next */
    TOLD_EARLY,       /* sources are told before the group is durable */
    WINDOW_FORGOTTEN, /* an answered message that is sent again is passed on */
    SEQ_AGAIN,        /* a live source counts on from the position, same incarnation */
    END_NO_POSITION,  /* the end of a source is not part of its position */
    RESENT_REPLAY,    /* replayed records are not marked */
    RESENT_STORE,     /* nor those read from the store */
    RESENT_HELD,      /* nor those restored with a node */
    RESENT_SHORT,     /* only one epoch's worth is marked */
    SILENT_NO_END,    /* a silent source does not end its epochs */
    LETTER_WRONG_EPOCH, /* a dead letter is booked to the epoch under way */
    BROKEN_FORGOTTEN, /* a broken live stream leaves the position before its end is sent */
    ONE_BY_ONE,       /* domains are chosen one after another, though they may form a circle */
    NO_BOUND,         /* more epochs in flight than there are places for */
    MISTAKES
};

extern const char *const mistake_names[MISTAKES];

/* ---- a run ---- */

enum { NEVER = UINT32_MAX };

struct position {
    uint32_t stream;
    uint32_t count; /* items read of the stream */
    bool ended;
};

struct snap {
    struct position position;
    struct state state;
};

struct ring {
    struct record records[RING];
    uint32_t head, tail;
    uint32_t ended; /* a count of epochs */
    uint32_t end_at[SLOTS];
    uint32_t owed; /* END_LATE: the count that is not shown yet; 0: none */
    bool closed;
};

/* What the group under way will do with a queue's entry. */
enum plan { KEEP, STORE, REMOVE, FORGET };

struct entry {
    struct record record;
    uint32_t seq;
    uint32_t put_epoch;   /* the writer's; 0 with `before`: from an earlier run */
    uint32_t taken_epoch; /* the reader's; NEVER: not taken */
    bool before, stored, in_memory, gone;
    enum plan plan;
};

struct queue {
    struct entry entries[QUEUED];
    uint32_t first, count; /* those below `first` are gone */
    uint32_t next_seq;
    uint32_t live;  /* not gone */
    uint32_t ended, seen;
    bool closed;
};

struct sent {
    struct record record;
    uint32_t in, epoch;
};

struct lane {
    uint32_t epoch;
    uint32_t intake; /* records of this epoch, of a source or from queues */
    bool finished;
    uint32_t final_epoch;
    uint32_t done; /* a count of epochs; NEVER: with all */
    struct snap now;
    struct snap slots[SLOTS];
    struct snap final;
    bool snapshot_owed; /* SNAPSHOT_LATE */
    /* sources */
    uint32_t told, window, replay_below;
    bool is_broken;        /* the position's live stream is of an earlier run */
    struct position fresh; /* where it goes on once that has been ended */
    /* sinks */
    uint32_t waiting[SLOTS];
    struct sent sent[WINDOW];
    uint32_t sent_count, synced;
    bool dead;
};

struct domain {
    uint32_t cut, committed; /* counts of epochs */
};

struct letter {
    uint64_t id;
    uint32_t node, in, epoch;
    bool chosen; /* it is in the group under way */
};

struct stored {
    struct record record;
    uint32_t seq;
};

/* What survives. */
struct store {
    struct snap lanes[NODES];
    struct stored queues[EDGES][QUEUED];
    uint32_t queue_count[EDGES], next_seq[EDGES];
    struct letter letters[LETTERS];
    uint32_t letter_count;
    uint32_t runs;
};

enum phase { IDLE, GATHERED, WRITTEN, HALF, DURABLE };

struct group {
    enum phase phase;
    uint32_t counts[NODES]; /* by domain: the chosen epochs */
};

/* The world outside, which no crash touches. */
struct world {
    uint32_t left[SOURCES];     /* items that a live source will still get */
    uint32_t content;
    uint32_t peer_next[SOURCES], peer_sent[SOURCES], answered[SOURCES];
    bool all_safe[SOURCES];     /* for gates */
};

enum verdict { FINE, LOST, INVENTED, ALTERED, UNMARKED, LETTER_TWICE, OVERFLOWN, STUCK, VERDICTS };
extern const char *const verdict_names[VERDICTS];

struct figures {
    uint64_t steps, crashes, stops, groups, in_commit, after_commit, delivered, resent, spilled;
};

struct sim {
    struct dice dice;
    enum mistake mistake;
    struct graph graph;
    struct lane lanes[NODES];
    struct ring rings[EDGES];
    struct queue queues[EDGES];
    struct domain domains[NODES];
    struct letter letters[LETTERS];
    uint32_t letter_count;
    struct store store;
    struct snap txn[NODES];
    struct group group;
    struct world world;
    bool stopping;
    bool unhurried; /* nothing else can happen: time passes */
    enum verdict verdict;
    struct judge *judge;
    struct figures *figures;
    FILE *trace; /* NULL: none */
};

/* way.c: rings and queues */
void way_put(struct sim *sim, uint32_t edge, const struct record *records, uint32_t count, uint32_t epoch);
void way_end(struct sim *sim, uint32_t edge, uint32_t epoch, bool owed);
void way_close(struct sim *sim, uint32_t edge);
bool way_has_room(struct sim *sim, uint32_t node);
uint32_t way_take(struct sim *sim, uint32_t edge, uint32_t room, struct record *ret_records);
bool way_epoch_over(const struct sim *sim, uint32_t edge, uint32_t epoch);
bool way_over(const struct sim *sim, uint32_t edge);
bool way_at_end(struct sim *sim, uint32_t edge);
void way_restore(struct sim *sim, uint32_t edge);
uint32_t way_queued(const struct sim *sim);

/* lane.c, source.c, sink.c */
bool lane_step(struct sim *sim, uint32_t node);
void lane_cut(struct sim *sim, uint32_t node);
void lane_made(struct sim *sim, uint32_t node, const struct record *record);
const struct snap *lane_snap(const struct sim *sim, uint32_t node, uint32_t epoch);
bool source_step(struct sim *sim, uint32_t node);
bool source_tell(struct sim *sim, uint32_t node);
void source_restore(struct sim *sim, uint32_t node);
void sink_write(struct sim *sim, uint32_t node, uint32_t in, const struct record *record);
bool sink_takes(struct sim *sim, uint32_t node);
bool sink_step(struct sim *sim, uint32_t node);
void sink_look(struct sim *sim, uint32_t node);

/* keeper.c */
bool keeper_step(struct sim *sim);
bool keeper_through(const struct sim *sim);
void keeper_restore(struct sim *sim);

/* judge.c */
struct judge *judge_new(void);
void judge_free(struct judge *judge);
void judge_begin(struct judge *judge);
void judge_intake(struct sim *sim, const struct record *record, uint32_t number);
void judge_end(struct sim *sim, uint32_t stream, uint32_t count);
void judge_safe(struct sim *sim, uint32_t stream, uint32_t count);
void judge_delivered(struct sim *sim, uint32_t node, uint32_t in, const struct record *record);
void judge_archived(struct sim *sim, uint32_t node, uint32_t in, const struct record *record);
void judge_synced(struct sim *sim, uint32_t node);
void judge_crash(struct sim *sim);
void judge_stopped(struct sim *sim);
void judge_last(struct sim *sim);

/* Notes the first thing that went wrong. */
void sim_wrong(struct sim *sim, enum verdict verdict);
void sim_trace(struct sim *sim, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* One schedule from its seed. */
enum verdict sim_run(struct sim *sim, uint64_t seed, enum mistake mistake);

#endif
