/* queue_rig.h - a queue, and a store in memory behind it, for tests of flow/queue.
 *
 * The store is a double that takes whole groups, as the keeper does; the real one is
 * tested with keep/. A crash closes the queue and opens another on what the double
 * holds. Records carry a number in id.seq and in their payload, so that one that
 * was lost, doubled or altered is seen by the test, and by no count of the queue's own. */
#ifndef AFFERENT_TESTS_QUEUE_RIG_H
#define AFFERENT_TESTS_QUEUE_RIG_H

#include "flow/queue_inside.h"

struct kept_value {
    uint64_t seq;
    void *bytes;
    size_t size;
};
struct shelf {
    pthread_mutex_t lock;
    struct kept_value *values; /* by rising seq */
    size_t count, room;
    uint64_t next;
    uint64_t puts, acks, acks_upto; /* of the latest group */
    uint64_t all_puts;
    bool refuses; /* to open the queue */
    void (*meanwhile)(void *arg); /* called once, while the store is being read */
    void *arg;
};

struct rig {
    struct shelf shelf;
    struct kept kept;
    struct names *names;
    struct bell bell;
    struct queue_shape shape;
    struct queue *queue;
    struct kept_group group;
    uint32_t subject, stream, schema;
    uint64_t number; /* of the next record */
    struct aff_record batch[QUEUE_BATCH];
};

enum { SIZE = 100 };

/* Removes what is stored from one seq up to another. */
void shelf_remove(struct shelf *s, uint64_t from, uint64_t upto);
void shelf_commit(struct shelf *s, const struct kept_group *group);

/* All but the queue; with rig->shape changed, rig_open follows. */
struct rig *rig_new(void);
void rig_open(struct rig *r);
struct rig *rig_with(uint64_t buffer, bool newest_first);
void rig_free(struct rig *r);
/* The process died; another begins on the same store. */
void rig_crash(struct rig *r);

/* Puts record `number`, the next ones, the mark of the stream's end. */
void rig_put_one(struct rig *r, uint64_t number, uint32_t size, uint16_t flags);
void rig_put_n(struct rig *r, uint32_t count);
void rig_put_mark(struct rig *r);

/* Whether a record is what was put under its number. */
void rig_check(const struct aff_record *record);
/* Takes a batch into rig->batch. */
uint32_t rig_take(struct rig *r);
/* Takes and gives back records `from` to `to`, in order and no others. */
void rig_read_range(struct rig *r, uint64_t from, uint64_t to);
/* One group of these epochs, made durable. */
void rig_commit(struct rig *r, uint64_t writer, uint64_t reader);
struct queue_figures rig_figures(struct rig *r);

#endif
