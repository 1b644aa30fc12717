/* store.h - what the writer's files share: the archive's inside.
 *
 * env.c opens and closes it, names.c and samples.c and store.c fill it. Nobody
 * else includes this.
 */
#ifndef OUT_LMDB_STORE_H
#define OUT_LMDB_STORE_H

#include <lmdb.h>

#include "archive.h"
#include "run.h"

enum {
    STREAM_CACHE = 1024, /* entries; a power of two */
    SCHEMA_CACHE = 64,
    LANE_SET = 8,        /* lanes that one stream may use */
    SCHEMA_TEXT = 65536, /* longest canonical text */
    CAUSE_BYTES = 400,
    PATH_ROOM = 3800,
    SQUEEZE_MOST = 128 * 1024, /* larger records are stored as they are */
};

/* What a stream of this run is called in the archive. */
struct stream_entry {
    uint32_t stream; /* 0: empty */
    uint32_t generation;
    uint32_t subject_id;
    uint32_t stream_id;
};

struct schema_entry {
    uint32_t schema; /* 0: empty */
    uint64_t hash;   /* 0: not stored yet */
};

/* The end of a stream of samples: the run that grows. */
struct lane {
    uint32_t subject; /* 0: free */
    uint32_t stream;
    uint64_t used; /* tick of the last use */
    bool dirty;
    struct run run; /* count 0: there is none yet */
};

/* The keys of the run that was looked into last: a replay asks for its records
 * one after the other. */
struct run_index {
    bool valid;
    bool bounded; /* `next` is the first key behind the run */
    struct archive_key next;
    uint32_t count;
    struct archive_key keys[RUN_RECORDS];
    uint64_t sums[RUN_RECORDS]; /* by content_sum */
};

/* One transaction. */
struct work {
    MDB_txn *txn;
    MDB_cursor *samples;
    uint64_t stored;
    uint64_t repeated;
    uint64_t payload;
    uint64_t damaged;
    uint64_t differing;
};

struct archive {
    struct archive_options options;
    struct archive_hooks hooks;
    MDB_env *env;
    MDB_dbi dbi[DB_SAMPLES + 1];
    int lock;
    bool sick; /* close and open the environment before the next use */
    bool warned;
    bool told_differing;
    char path[PATH_ROOM]; /* without a slash at its end */
    char cause[CAUSE_BYTES];
    struct archive_counts counts;

    uint8_t *area; /* struct aff_record and payload, one after the other */
    size_t area_used;
    uint8_t big[VALUE_HEAD + SQUEEZE_MOST + SQUEEZE_MOST / 8]; /* one value */
    uint8_t room[SQUEEZE_MOST];

    struct stream_entry streams[STREAM_CACHE];
    struct schema_entry schemas[SCHEMA_CACHE];
    struct lane *lanes;
    uint32_t lane_count;
    uint64_t tick;
    struct run_index index;
    struct run spare;
    struct run_reader reader;
    uint8_t value[RUN_VALUE];
    _Alignas(16) uint8_t payload[RUN_PAYLOAD];
    char text[SCHEMA_TEXT];
};

/* The key is there, with another content: neither LMDB nor errno has that code. */
enum { OTHER_CONTENT = -1 };

/* All return 0 or an LMDB or errno code, unless they say otherwise. */

/* store.c */
/* What two records of one key must have in common to be the same record: type, schema
 * and payload, of samples without what lies between planes. */
uint64_t content_sum(const void *data, uint32_t size, uint8_t type, uint64_t schema);

/* env.c */
aff_status env_open(struct archive *a);
void env_close(struct archive *a);
uint64_t env_used(MDB_env *env);
aff_status archive_fail(struct archive *a, aff_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* names.c */
/* Whether all that a record refers to is known, so that it can be stored. */
bool names_usable(struct archive *a, const struct aff_record *record);
int names_stream(struct archive *a, struct work *w, uint32_t stream, struct stream_entry *ret);
int names_schema(struct archive *a, struct work *w, uint32_t schema, uint64_t *ret_hash);
/* What was cached by a transaction that failed is not so. */
void names_forget(struct archive *a);

/* samples.c */
int samples_put(struct archive *a, struct work *w, const struct archive_key *key, uint64_t schema,
                const struct aff_record *record);
/* Writes the runs that have grown. */
int samples_flush(struct archive *a, struct work *w);
void samples_forget(struct archive *a);

#endif
