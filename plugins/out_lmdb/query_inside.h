/* query_inside.h - what query.c, head.c and look.c share. */
#ifndef OUT_LMDB_QUERY_INSIDE_H
#define OUT_LMDB_QUERY_INSIDE_H

#include <lmdb.h>

#include "pages.h"
#include "query.h"
#include "run.h"

/* The next record of one database. */
struct head {
    enum archive_db db;
    bool ready; /* found holds it */
    bool over;
    struct archive_key wanted; /* nothing below is wanted any more */
    struct archive_found found;
    uint8_t *memory; /* payload of a single record */
    uint8_t *room;   /* to expand one */
    size_t memory_size;
    size_t room_size;

    /* The run being read, copied; or the last one, which may have grown. */
    bool running;
    bool seen;
    struct archive_key first;
    uint32_t count;
    uint64_t schema;
    struct run_reader reader;
    uint8_t value[RUN_VALUE];
    _Alignas(16) uint8_t payload[RUN_PAYLOAD];
};

struct archive_query {
    MDB_env *env;
    MDB_txn *txn; /* NULL: there is no writer, lock keeps them away */
    int lock;
    struct pages pages;
    bool mapped;
    bool nothing;
    bool found;   /* the trees below, */
    size_t txnid; /* of this transaction */
    struct tree trees[DB_SAMPLES + 1];
    uint32_t subject; /* 0: all */
    uint32_t stream;
    int64_t from;
    int64_t to;
    uint64_t damage; /* values; pages count their own */
    uint64_t told;
    struct head head[2];
    char *text;    /* the schema that was asked for last */
    char *name[2]; /* the subject and the stream */
    uint32_t number[2];
    char cause[400];
};

aff_status query_fail(struct archive_query *q, aff_status status, const char *what, const char *why);
bool query_wants(const struct archive_query *q, struct archive_key *key, bool *ret_more);

/* look.c. Between look_begin and look_end the newest state is held: no waiting
 * and no output there. */
aff_status look_begin(struct archive_query *q);
void look_end(struct archive_query *q);
/* Examines the whole structure once: a search in a damaged tree may miss what
 * is there, and that must not go unsaid. */
aff_status look_over(struct archive_query *q);
/* The number of a name, 0 if it has none. */
aff_status look_number(struct archive_query *q, char kind, const char *name, uint32_t *ret);

/* head.c. Makes the head ready, unless it is over. */
aff_status head_fill(struct archive_query *q, struct head *head);
void head_take(struct head *head);

#endif
