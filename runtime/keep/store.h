/* store.h - what survives: one LMDB environment a pipeline.
 *
 * Databases: `state` (format, group number, named pieces), `dead` (letters by
 * number), `node` (letters to be tried again, by node and number), one a queue. One
 * record a value; each value ends with a checksum over database, key, length and
 * payload, or is sealed (XChaCha20-Poly1305, database and key as associated data)
 * where the pipeline has a key.
 *
 * One writer: the keeper's thread (keeper.h) or, where no pipeline runs, a verb that
 * holds the lock. Any number of readers, in other processes too; a reader copies
 * out and lets go at once, since an old reader makes the file grow for good.
 *
 * Not here: what the bytes mean (flow/wire.h), when a group is made (flow/). */
#ifndef AFFERENT_KEEP_STORE_H
#define AFFERENT_KEEP_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flow/kept.h"

struct store;

enum store_status {
    STORE_OK = 0,
    STORE_NONE,   /* there is no store yet (read only), or nothing under that name */
    STORE_FULL,   /* no space: nothing was changed; try again when there is */
    STORE_IO,     /* the disk failed: reopened, nothing was changed; try again */
    STORE_BAD,    /* three times in a row, or damaged: nothing more can be stored */
    STORE_KEY,    /* sealed with another key, sealed and no key given, or not sealed
                   * and a key was given */
    STORE_BUSY,   /* another process holds it */
    STORE_NEWER   /* written by a later version */
};

struct store_options {
    const char *folder;    /* of the pipeline; made with 0700 where it is missing */
    uint64_t limit;        /* store_limit, bytes */
    const uint8_t *key;    /* 32 bytes, or NULL */
    bool read_only;        /* a look: takes no lock, creates and repairs nothing */
    bool acks_wait;        /* on a full disk acks are not committed without the rest of their
                            * group: asked for where a node behind a queue keeps state */
    void (*log)(void *arg, int level, const char *text); /* AFF_LOG_...; may be NULL */
    void *arg;
};

/* [control] Opens it. For writing: takes the lock (`lock` in the folder; it holds the
 * pid), creates what is missing (beside, fsync, rename, fsync of the parent), and
 * examines it in a child before anything trusts it: a damaged one is set aside
 * under a name that says when and why, what is whole in it is carried over (records
 * RESENT), and figures say how many were not. The start always succeeds, except for
 * STORE_KEY, STORE_BUSY, STORE_NEWER, and a disk that cannot be written. `ret_why`
 * says where, what, and what to do. */
enum store_status store_open(const struct store_options *options, struct store **ret_store,
                             char *ret_why, size_t room);
void store_close(struct store **store);

/* [keeper] One transaction; all or nothing. STORE_FULL, STORE_IO: intake is to pause, and
 * the caller tries again with the same group, unchanged, before any other: it may be in
 * already, and is then not put in twice. STORE_FULL: acks of the group (KEPT_ACK,
 * KEPT_ACK_UPTO) were committed alone where that went, unless letters stand in it too or
 * acks_wait is set. */
enum store_status store_commit(struct store *store, const struct kept_group *group);

/* [control] What store_open had to do, for people; "" where all was in order. Borrowed
 * until close. */
const char *store_opened(const struct store *store);

/* [any] Bytes below the limit that may still be stored; bytes stored; the file's size. */
uint64_t store_room(struct store *store);
struct store_figures {
    uint64_t used;       /* of store_limit */
    uint64_t limit;
    uint64_t file_bytes; /* on the disk, with ballast */
    uint64_t group;      /* number of the last transaction */
    uint64_t incarnation;/* how often it was opened for writing */
    uint64_t lost;       /* values that damage took, since the store began */
    uint64_t set_aside;  /* how often a damaged store was */
    int64_t committed_utc_ns; /* wall clock of the last group, as it was written */
    int64_t committed_boot_ns; /* the same moment by the boot clock, */
    uint8_t boot_id[16];       /* of this boot; zeros where the system has none */
    bool is_sealed;
};
enum store_status store_figures(struct store *store, struct store_figures *ret_figures);

/* As in flow/kept.h; [any]. STORE_BAD: there, and damaged. A store that was carried over
 * from a damaged one has a state piece "rescued": little-endian version 1 (u32), flags (u32;
 * STORE_MIXED), values lost (u64), UTC ns (i64). Whoever has restored removes it
 * (KEPT_STATE without bytes). */
#define STORE_RESCUED "rescued"
enum { STORE_MIXED = 1 /* pieces of state may be of different groups */ };
enum store_status store_state(struct store *store, const char *name, void **ret_bytes, size_t *ret_size);
enum store_status store_queue(struct store *store, const char *name, uint32_t priority,
                              struct kept_queue *ret_queue);
uint32_t store_read(struct store *store, uint32_t queue, uint64_t from, bool down, void *buffer, size_t room,
                    struct kept_read *ret_reads, uint32_t most, size_t *ret_need);
uint32_t store_retries(struct store *store, const char *node, uint64_t from, void *buffer, size_t room,
                       struct kept_read *ret_reads, uint32_t most, size_t *ret_need);

/* [any] Walks all queues, states or letters. False from `each` ends it. Borrowed. */
enum store_status store_queues(struct store *store,
                               bool (*each)(void *arg, const char *name, uint32_t priority,
                                            const struct kept_queue *queue), void *arg);
enum store_status store_states(struct store *store,
                               bool (*each)(void *arg, const char *name, const void *bytes, size_t size),
                               void *arg);
enum store_status store_letters(struct store *store,
                                bool (*each)(void *arg, uint64_t number, const void *bytes, size_t size),
                                void *arg);
/* [any] One letter, copied; given. */
enum store_status store_letter(struct store *store, uint64_t number, void **ret_bytes, size_t *ret_size);

/* [keeper, or the holder of the lock] Moves a letter to what its node tries again, as
 * `bytes` (the letter with its count of tries raised), or removes it. One
 * transaction each. STORE_NONE: there is no such letter. */
enum store_status store_letter_retry(struct store *store, uint64_t number, const char *node,
                                     const void *bytes, size_t size);
enum store_status store_letter_drop(struct store *store, uint64_t number);

/* [control] Looks at every page and value of a store that nobody writes to, in a
 * child, and prints nothing: how many values are whole, how many not. */
struct store_health {
    uint64_t whole;
    uint64_t damaged;   /* values whose checksum or seal is wrong */
    bool opens;         /* LMDB itself can walk it */
    char what[160];     /* the first thing that is wrong; "" */
};
enum store_status store_examine(const char *folder, const uint8_t *key, struct store_health *ret_health);

#endif
