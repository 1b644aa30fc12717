/* parts.h - plugins for rigs: the smallest that show one thing each. */
#ifndef AFFERENT_TESTS_PARTS_H
#define AFFERENT_TESTS_PARTS_H

#include <afferent/plugin.h>

/* Makes `records` records of `size` bytes, seq in the first 8 bytes of each, in
 * `streams` streams in turn; ends each stream. `marks` false: no ends. */
struct part_source {
    uint64_t records;
    uint32_t size;
    uint32_t streams;
    uint64_t skip; /* seq of the first */
    int ends;
    uint64_t pauses_at; /* waits for ever before this record; 0: does not */
};
extern const struct aff_plugin part_source;

/* Passes all and looks at nothing. */
extern const struct aff_plugin part_pass;
/* Adds config->add to the first 8 bytes, in place. */
struct part_edit {
    uint64_t add;
};
extern const struct aff_plugin part_edit;

/* Counts, sums the first 8 bytes, notes addresses and order. */
struct part_sink {
    uint64_t records;
    uint64_t sum;
    uint64_t ends;
    uint64_t last;
    uint64_t disorder; /* a seq of a stream that did not rise */
    uint64_t synced;   /* epochs */
    uint64_t records_at_sync;
    uint64_t by_stream[64];
    const void *addresses[64]; /* payloads of the first ones */
    uint64_t ids[64];
    uint64_t slow_ns;          /* sleeps so long every 64 records */
    uint64_t add;              /* what editors on the way added to the first 8 bytes */
    uint64_t damaged;          /* payloads with a byte that the source did not write */
};
extern const struct aff_plugin part_sink;
extern const struct aff_plugin part_sink_blocking;

/* Gives each record the verdict that judge() says, by its seq; emits `emits(seq)`
 * records of 16 bytes for it on output 1 (REPLACE: one, on output 0). Held ones
 * are released, oldest first, once `keep` are held, and the rest in drain. */
enum {
    JUDGE_PASS,
    JUDGE_DROP,
    JUDGE_DEAD,
    JUDGE_USED,
    JUDGE_REPLACE,
    JUDGE_ROUTE,
    JUDGE_HOLD,
    JUDGE_BAD /* not in its table */
};
struct part_judge {
    uint8_t (*judge)(uint64_t seq);
    uint32_t (*emits)(uint64_t seq);
    uint32_t keep;
    /* a status instead of a verdict: for the record of this seq, `times` times */
    aff_status status;
    uint64_t status_seq;
    uint32_t times;
};
extern const struct aff_plugin part_judge;

/* Counts records and ends per stream in host-owned state, and adds up both. */
struct part_counter {
    uint64_t streams_seen; /* first records of a stream */
};
extern const struct aff_plugin part_counter;

/* Passes all; on output 1, a command for each number that `every` divides: a copy of its
 * first 8 bytes. */
struct part_orders {
    uint64_t every;
};
extern const struct aff_plugin part_orders;

/* Two inputs, one output: joins two ways. */
extern const struct aff_plugin part_join;

#endif
