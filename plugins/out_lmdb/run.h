/* run.h - several consecutive records of samples in one value.
 *
 * A waveform is cut into records of a fraction of a second, and a value of its
 * own for each would cost more than the samples. A run holds records of one
 * stream in key order, each coded against the one before. Runs of a stream do
 * not overlap: a run covers all keys from its first to the next run's first, so
 * there is one place where a record can be, and that makes a record that comes
 * a second time visible however the first was cut into runs.
 *
 * Not here: where runs are kept (samples.c), the samples' coding (pack.c).
 */
#ifndef OUT_LMDB_RUN_H
#define OUT_LMDB_RUN_H

#include "format.h"

#include <afferent/plugin.h>

/* Above about 2 KiB a value of LMDB takes whole pages of 4096 bytes, of which the
 * first gives 16 away. A run ends with its first page, unless records are so
 * large that much of it would stay empty: then it goes on into a second and third.
 * Longer ones would pack no better, and an epoch writes its last run anew. */
enum {
    RUN_VALUE = 3 * 4096 - 24,
    RUN_BYTES = RUN_VALUE - VALUE_HEAD,
    RUN_CHANNELS = 64,
    RUN_RECORDS = 512,
    RUN_PAYLOAD = 12800, /* the largest payload that run_takes lets in */
};

/* A record of samples, payload decoded. */
struct run_record {
    struct archive_key key;
    uint16_t flags;
    uint8_t clock;
    const void *data; /* struct aff_samples and planes */
    uint32_t size;
};

/* What the next record is coded against. */
struct run_state {
    struct archive_key last;
    int64_t step;  /* from the last but one to the last, ns */
    int64_t first; /* sample index that is expected next */
    uint32_t plane[RUN_CHANNELS];
};

struct run {
    struct archive_key first;
    uint64_t schema;
    uint32_t count;
    uint32_t size;
    uint16_t channels;
    uint8_t format;
    struct run_state state;
    uint8_t body[RUN_BYTES];
};

/* Whether records of this kind go into runs; depends on the record alone. */
bool run_takes(const void *data, uint32_t size);

void run_clear(struct run *run);
/* Appends; the key must be above run->state.last. False: it does not fit, or
 * has another schema or shape, and nothing has changed. */
bool run_append(struct run *run, uint64_t schema, const struct run_record *record);

/* Writes the run as a value of at most RUN_VALUE bytes; returns its size. */
size_t run_seal(const struct run *run, uint8_t out[RUN_VALUE]);

/* Reading: the value must have passed value_open. Each step gives the next
 * record, its payload in `payload`. */
struct run_reader {
    struct run_state state;
    const uint8_t *at;
    size_t left;
    uint32_t records; /* still to come */
    uint16_t channels;
    uint8_t format;
    uint8_t plain[RUN_BYTES]; /* the body, where lz4 was used */
};

bool run_open(struct run_reader *reader, const struct archive_key *first, const struct value *v);
/* 1: a record; 0: the end; -1: the value makes no sense. */
int run_next(struct run_reader *reader, struct run_record *out, uint8_t payload[RUN_PAYLOAD]);

/* Takes up a stored run again, to append to it. */
bool run_load(struct run *run, const struct archive_key *first, const struct value *v);

#endif
