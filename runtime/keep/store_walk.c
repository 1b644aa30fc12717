/* store_walk.c - all queues, states, letters of a store, one after the other.
 *
 * Between two of them no reader is open, however long the caller takes: each is a
 * transaction of its own, so a walk beside a writer sees what is there when it comes by.
 *
 * Not here: records of one queue (store_read.c). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "keep/store_inside.h"

/* Where a walk stands. */
struct walk {
    MDB_dbi dbi;
    uint64_t database;
    size_t key_size;
    uint8_t key[VALUE_KEY_MOST + 2];
    uint8_t *bytes;
    size_t size, room;
    bool is_good;
};

static bool walk_room(struct walk *walk, size_t size)
{
    uint8_t *bytes;

    if (walk->bytes && size <= walk->room)
        return true;
    bytes = aligned_alloc(16, (size + 4096u) & ~(size_t)15);
    if (!bytes)
        return false;
    free(walk->bytes);
    walk->bytes = bytes;
    walk->room = (size + 4096u) & ~(size_t)15;
    return true;
}

static int walk_copy(struct store *s, struct walk *walk, const MDB_val *key, const MDB_val *found)
{
    struct value_place place = { walk->database, walk->key, key->mv_size };
    struct value value;

    if (key->mv_size > VALUE_KEY_MOST)
        return MDB_CORRUPTED;
    memcpy(walk->key, key->mv_data, key->mv_size);
    walk->key[key->mv_size] = '\0';
    walk->key_size = key->mv_size;
    walk->size = 0;
    walk->is_good = value_read(&s->seal, &place, found->mv_data, found->mv_size, &value);
    if (!walk->is_good)
        return 0;
    if (!walk_room(walk, value.size))
        return ENOMEM;
    walk->is_good = value_open(&s->seal, &value, walk->bytes);
    walk->size = value.size;
    return 0;
}

/* The next key is the smallest above the one where the walk stands: that one and a zero. */
static int walk_next(struct store *s, struct walk *walk)
{
    MDB_val key = { walk->key_size + (walk->key_size < VALUE_KEY_MOST), walk->key }, found;
    MDB_cursor *cursor;
    MDB_txn *txn;
    int error;

    pthread_rwlock_rdlock(&s->env_lock);
    error = env_read(s, &txn);
    if (!error) {
        error = mdb_cursor_open(txn, walk->dbi, &cursor);
        if (!error) {
            error = mdb_cursor_get(cursor, &key, &found, MDB_SET_RANGE);
            if (!error)
                error = walk_copy(s, walk, &key, &found);
            mdb_cursor_close(cursor);
        }
        mdb_txn_abort(txn);
    }
    pthread_rwlock_unlock(&s->env_lock);
    return error;
}

/* What each kind of walk does with what it comes to. False ends it. */
typedef bool (*walk_step)(const struct walk *walk, void *arg);

static enum store_status walk_run(struct store *s, struct walk *walk, int kind, walk_step step, void *arg)
{
    int error;

    if (kind) {
        walk->key[0] = (uint8_t)kind;
        walk->key_size = 1;
    }
    while ((error = walk_next(s, walk)) == 0) {
        if (kind && walk->key[0] != kind)
            break;
        if (walk->is_good && !step(walk, arg))
            break;
    }
    free(walk->bytes);
    return error == 0 || error == MDB_NOTFOUND ? STORE_OK : STORE_IO;
}

struct queues_step {
    struct store *store;
    bool (*each)(void *arg, const char *name, uint32_t priority, const struct kept_queue *queue);
    void *arg;
};

static bool step_queue(const struct walk *walk, void *arg)
{
    struct queues_step *step = arg;
    struct heads_queue head;
    struct kept_queue queue;

    if (!heads_queue_read(walk->bytes, walk->size, &head))
        return true;
    queue = (struct kept_queue){ .first = head.acked + 1, .next = head.next, .records = head.records,
                                 .bytes = head.bytes };
    return step->each(step->arg, (const char *)walk->key + 1, head.priority, &queue);
}

enum store_status store_queues(struct store *s,
                               bool (*each)(void *arg, const char *name, uint32_t priority,
                                            const struct kept_queue *queue), void *arg)
{
    struct walk walk = { .dbi = s->state, .database = value_database(HEADS_STATE) };

    return walk_run(s, &walk, HEAD_QUEUE, step_queue, &(struct queues_step){ s, each, arg });
}

struct states_step {
    bool (*each)(void *arg, const char *name, const void *bytes, size_t size);
    void *arg;
};

static bool step_state(const struct walk *walk, void *arg)
{
    struct states_step *step = arg;

    return step->each(step->arg, (const char *)walk->key + 1, walk->bytes, walk->size);
}

enum store_status store_states(struct store *s,
                               bool (*each)(void *arg, const char *name, const void *bytes, size_t size),
                               void *arg)
{
    struct walk walk = { .dbi = s->state, .database = value_database(HEADS_STATE) };

    return walk_run(s, &walk, HEAD_PIECE, step_state, &(struct states_step){ each, arg });
}

struct letters_step {
    bool (*each)(void *arg, uint64_t number, const void *bytes, size_t size);
    void *arg;
};

static bool step_letter(const struct walk *walk, void *arg)
{
    struct letters_step *step = arg;

    if (walk->key_size != HEADS_NUMBER)
        return true;
    return step->each(step->arg, heads_number(walk->key), walk->bytes, walk->size);
}

enum store_status store_letters(struct store *s,
                                bool (*each)(void *arg, uint64_t number, const void *bytes, size_t size),
                                void *arg)
{
    /* The smallest key of all: one zero. */
    struct walk walk = { .dbi = s->dead, .database = value_database(HEADS_DEAD) };

    return walk_run(s, &walk, 0, step_letter, &(struct letters_step){ each, arg });
}
