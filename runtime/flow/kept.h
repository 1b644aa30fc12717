/* kept.h - what the data path asks of the store.
 *
 * The one interface between flow/ and keep/: the data path says that something
 * is complete, and the keeper, a thread of its own, asks it for a group: all that
 * is safe together now (positions, snapshots, records behind spill edges, dead
 * letters, accounts). The keeper makes it durable in one transaction and says so;
 * only then do sources answer and queues forget.
 *
 * Without a store (`store_limit = "0B"`, unit tests) there is no `struct kept`:
 * an epoch is committed as soon as all lanes are done with it.
 *
 * Not here: how a group is stored (keep/), what is in the bytes (wire.h, snap.h). */
#ifndef AFFERENT_FLOW_KEPT_H
#define AFFERENT_FLOW_KEPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One change of the store. */
enum kept_op {
    KEPT_STATE = 1, /* `name` now means `bytes`; size 0: it is removed */
    KEPT_PUT,       /* `bytes` stand in `queue` under `seq`, above all there; a record
                     * that is stored already under this seq is left as it is */
    KEPT_ACK,       /* the record under `seq` is done with: removed if there */
    KEPT_ACK_UPTO,  /* all records of `queue` up to and with `seq` are */
    KEPT_DEAD,      /* `bytes` are a dead letter; the store numbers it */
    KEPT_RETRIED    /* the record `seq` of node `name`'s list of letters to be
                     * tried again went in: removed there */
};

struct kept_change {
    uint32_t op;    /* enum kept_op */
    uint32_t queue; /* number given by kept->queue */
    uint64_t seq;
    size_t name;    /* offsets into the group's bytes: a text ended by zero */
    size_t bytes;   /* aligned to 16 */
    size_t size;
};

/* All that becomes safe together. Grows to its largest, and is used again. */
struct kept_group {
    struct kept_change *changes;
    uint32_t count;
    uint32_t room;
    uint8_t *memory;
    size_t used;
    size_t memory_room;
    bool failed; /* there was no memory: the group must not be committed */
};

/* [any] A group empties itself, and takes a change; name and bytes are copied
 * (NULL: none). Memory comes aligned to 16. */
void kept_group_clear(struct kept_group *group);
void kept_group_free(struct kept_group *group);
void kept_group_add(struct kept_group *group, enum kept_op op, uint32_t queue, uint64_t seq,
                    const char *name, const void *bytes, size_t size);
static inline const char *kept_name(const struct kept_group *group, const struct kept_change *change)
{
    return (const char *)group->memory + change->name;
}
static inline const void *kept_bytes(const struct kept_group *group, const struct kept_change *change)
{
    return group->memory + change->bytes;
}

/* What is known of a stored queue. first == next: it is empty. */
struct kept_queue {
    uint32_t queue; /* its number in this run */
    uint64_t first; /* seq of the oldest record */
    uint64_t next;  /* above the newest that was ever stored */
    uint64_t records;
    uint64_t bytes;
};

/* A record that was read. */
struct kept_read {
    uint64_t seq;
    const void *bytes;
    size_t size;
};

/* The store, as the data path sees it. Functions are called with `self`. */
struct kept {
    void *self;
    /* [any, no lock held] Something is complete: the keeper asks for a group. */
    void (*ring)(void *self);
    /* [any] Bytes that the store may still take below store_limit; 0: intake waits. */
    uint64_t (*room)(void *self);
    /* [control] What is stored under a name, as of the last commit; *ret_bytes is
     * malloc'ed and given. False: nothing. */
    bool (*state)(void *self, const char *name, void **ret_bytes, size_t *ret_size);
    /* [control] The queue of an edge, made where there is none; `priority` is its
     * class (AFF_PRIO_...). False: it cannot be read; the cause was logged. */
    bool (*queue)(void *self, const char *name, uint32_t priority, struct kept_queue *ret_queue);
    /* [data] Copies committed records of a queue into `buffer`, from seq `from` on
     * upwards, or from there downwards; as many as fit, at most `most`; those that
     * are gone are passed over. Each: struct kept_read, bytes aligned to 16. The
     * count; 0: none; *ret_need > room when not even one fits, SIZE_MAX when the store cannot
     * be read now. A record whose
     * checksum is wrong is passed over, counted and told. */
    uint32_t (*read)(void *self, uint32_t queue, uint64_t from, bool down, void *buffer, size_t room,
                     struct kept_read *ret_reads, uint32_t most, size_t *ret_need);
    /* [data] The same for the letters of a node that are to be tried again. */
    uint32_t (*retries)(void *self, const char *node, uint64_t from, void *buffer, size_t room,
                        struct kept_read *ret_reads, uint32_t most, size_t *ret_need);
};

#endif
