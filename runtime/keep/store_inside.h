/* store_inside.h - what the files of the store share.
 *
 * Locks, outermost first: `writing` (one transaction that writes at a time), `env_lock`
 * (held for reading by whoever uses the environment, for writing by whoever opens or
 * closes it or adds a database), a slot's `reading`, `books`.
 *
 * Not for anybody outside keep/. */
#ifndef AFFERENT_KEEP_STORE_INSIDE_H
#define AFFERENT_KEEP_STORE_INSIDE_H

#include <pthread.h>
#include <stdatomic.h>

#include <lmdb.h>

#include <afferent/plugin.h>

#include "keep/heads.h"
#include "keep/store.h"
#include "keep/value.h"

enum {
    SLOTS_MOST = 240,
    DATABASES_MOST = 256,
    READERS_MOST = 510,
    BAD_MOST = 64,
    FAILURES_MOST = 3,
    PATH_ROOM = 4096,
    MAP_MORE = 64 << 20
};

/* A queue that was asked for in this run; its number is its place in `slots` + 1. */
struct slot {
    char *name;
    uint64_t database;
    MDB_dbi dbi;
    struct heads_queue head;    /* as of the last commit; under `books` */
    struct heads_queue next;    /* as the transaction in hand makes it */
    uint64_t last;              /* its newest record, in that transaction; 0: none */
    MDB_cursor *cursor;         /* of that transaction */
    bool is_touched;
    pthread_mutex_t reading;
    MDB_txn *read_txn;          /* kept between two reads, reset: it pins nothing */
    MDB_cursor *read_cursor;
};

/* A record that was found damaged when it was read: the next transaction removes it. */
struct bad_record {
    struct slot *slot;
    uint64_t seq;
};

struct store {
    struct seal seal;
    char folder[PATH_ROOM];  /* of the pipeline */
    char place[PATH_ROOM];   /* folder/store */
    char ballast[PATH_ROOM];
    uint64_t limit;
    bool read_only;
    char opened[512];        /* what open had to do */
    bool is_unlocked;        /* a look where LMDB's lock file cannot be had */
    int lock;
    bool acks_wait;
    void (*log)(void *arg, int level, const char *text);
    void *log_arg;

    pthread_mutex_t writing;
    pthread_rwlock_t env_lock;
    MDB_env *env;            /* NULL: it could not be opened again yet */
    MDB_dbi state, dead, node;
    struct slot *slots[SLOTS_MOST];
    _Atomic uint32_t slot_count;

    pthread_mutex_t books;
    struct heads_store head; /* as of the last commit */
    struct bad_record bad[BAD_MOST];
    uint32_t bad_count;
    uint64_t lost_unwritten;
    _Atomic uint64_t used;
    _Atomic uint64_t file_bytes;

    int failures;            /* in a row; under `writing`, as all below */
    bool is_bad;
    bool is_doubtful;        /* the last transaction stands in the file, and its sync failed */
    bool is_group_in;        /* that was the group that is to be committed again */
    bool is_memory_short;    /* it was memory that the last transaction ran out of, not the disk */
    bool is_ballast_out;
    int64_t ballast_asked_ns;
};

/* The transaction in hand. */
struct work {
    struct store *store;
    MDB_txn *txn;
    struct heads_store head;
    uint64_t deleted; /* records that acks removed so far */
};

__attribute__((format(printf, 3, 4)))
void store_log(struct store *store, int level, const char *format, ...);
const char *store_error(int error);

/* ---- store_env.c ---- */

/* 0 or an error; opens what `place` holds, with its databases and those of the slots. */
int env_open(struct store *store);
void env_close(struct store *store);
/* A transaction that reads. The caller holds env_lock. */
int env_read(struct store *store, MDB_txn **ret_txn);
/* A value of `state`, opened: given, malloc'ed. STORE_NONE: none there. STORE_BAD: damaged. */
enum store_status env_get(struct store *store, MDB_txn *txn, const struct heads_key *key, void **ret_bytes,
                          size_t *ret_size);
int env_head(struct store *store, MDB_txn *txn, struct heads_store *ret_head);

/* ---- store_work.c: the caller holds `writing` ---- */

/* One transaction: job, heads, commit. `exclusive`: it adds a database. */
enum store_status work_run(struct store *store, int (*job)(struct work *work, void *arg), void *arg,
                           bool exclusive);
/* Within a job. Errors are LMDB's. */
int work_put(struct work *work, MDB_dbi dbi, const struct value_place *place, const void *bytes, size_t size,
             unsigned flags);
int work_delete(struct work *work, MDB_dbi dbi, const struct value_place *place); /* MDB_NOTFOUND */
/* The slot, made ready for changes. */
int work_slot(struct work *work, struct slot *slot);
/* Takes the record off the books that the slot's cursor stands on, and deletes it. */
int work_slot_delete(struct work *work, struct slot *slot, const MDB_val *key, const MDB_val *value);
uint64_t work_cost(const struct store *store, size_t key_size, size_t value_size);

void slots_free(struct store *store); /* store_queue.c */

/* ---- store_fresh.c ---- */

/* A new environment in folder/store.new, to be filled and then put in its place. 0 or an error. */
struct fresh {
    char path[PATH_ROOM];
    MDB_env *env;
};
int fresh_open(const char *folder, uint64_t map_size, struct fresh *ret_fresh);
int fresh_close(struct fresh *fresh); /* synced */
int fresh_put(MDB_txn *txn, MDB_dbi dbi, const struct seal *seal, const struct value_place *place,
              uint64_t group, const void *bytes, size_t size, unsigned flags);
/* Puts it where the store is; what is there is replaced. 0 or an errno. */
int fresh_place(const char *folder);
void fresh_remove(const char *folder);
/* An empty store, in its place. */
int fresh_make(const char *folder, const struct seal *seal, uint64_t limit, const struct heads_store *head);
int folder_sync(const char *path);
int format_put(MDB_txn *txn, MDB_dbi state, const struct seal *seal);
uint64_t store_map_size(uint64_t limit);

struct examined;

/* ---- store_mend.c ---- */

/* The store is damaged, or its file is missing: sets aside what there is, carries over what is
 * good. `store->opened` says what was done. */
enum store_status store_mend(struct store *store, const struct examined *examined, char *ret_why, size_t room);

/* ---- examine.c, rescue.c ---- */

enum { EXAMINED_MOST = DATABASES_MOST };
struct examined {
    enum store_status status;  /* STORE_OK, _KEY, _NEWER: what the format says */
    bool is_format_there;
    bool is_head_there;
    bool is_paged;             /* all pages are as they may be */
    bool is_whole;             /* structure; and values, as far as they were looked at */
    bool opens;                /* LMDB could walk it */
    uint64_t whole, damaged;
    char what[160];
    struct heads_store head;
    uint64_t used;             /* counted */
    uint32_t count;
    struct {
        uint64_t database, records, bytes, first, last;
    } databases[EXAMINED_MOST];
    /* asked */
    char file[PATH_ROOM];
    char place[PATH_ROOM];
    struct seal seal;
    bool is_deep;              /* values too, whatever the head says */
};
/* Runs in a child. False: there is no child to be had (errno). */
bool examine(struct examined *shared);

struct rescued {
    enum store_status status; /* STORE_OK: a new store lies in folder/store.new */
    uint64_t kept, lost;
    bool is_state_mixed;      /* pieces of state are of different groups */
    int error;
    /* asked */
    char folder[PATH_ROOM];
    char file[PATH_ROOM];
    uint64_t limit;
    struct seal seal;
};
/* Runs in a child. False: as above, or it died. */
bool rescue(struct rescued *shared);
/* The same here and now, for tests of any bytes: `shared->file` is read. */
void rescue_here(struct rescued *shared);

#endif
