/* store_queue.c - queues by their names: found, or made.
 *
 * Not here: their records (store_commit.c, store_read.c). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "keep/ballast.h"
#include "keep/store_inside.h"

struct queue_wish {
    const char *name;
    struct heads_queue head;
    bool is_new;
};

static struct slot *slot_find(struct store *s, const char *name, uint32_t *ret_number)
{
    uint32_t count = atomic_load(&s->slot_count);

    for (uint32_t i = 0; i < count; i++) {
        if (!strcmp(s->slots[i]->name, name)) {
            *ret_number = i + 1;
            return s->slots[i];
        }
    }
    return NULL;
}

static void slot_free(struct slot *slot)
{
    pthread_mutex_destroy(&slot->reading);
    free(slot->name);
    free(slot);
}

static struct slot *slot_new(const char *name)
{
    struct slot *slot = calloc(1, sizeof *slot);
    struct heads_key key;

    if (!slot)
        return NULL;
    pthread_mutex_init(&slot->reading, NULL);
    slot->name = strdup(name);
    if (!slot->name || !heads_database(&key, name)) {
        slot_free(slot);
        return NULL;
    }
    slot->database = value_database((const char *)key.bytes);
    return slot;
}

void slots_free(struct store *s)
{
    uint32_t count = atomic_exchange(&s->slot_count, 0);

    for (uint32_t i = 0; i < count; i++)
        slot_free(s->slots[i]);
}

static enum store_status head_get(struct store *s, const char *name, struct heads_queue *ret_head)
{
    enum store_status status = STORE_IO;
    struct heads_key key;
    void *bytes = NULL;
    size_t size = 0;
    MDB_txn *txn;

    if (!heads_key(&key, HEAD_QUEUE, name))
        return STORE_NONE;
    pthread_rwlock_rdlock(&s->env_lock);
    if (env_read(s, &txn) == 0) {
        status = env_get(s, txn, &key, &bytes, &size);
        mdb_txn_abort(txn);
    }
    pthread_rwlock_unlock(&s->env_lock);
    if (status == STORE_OK && !heads_queue_read(bytes, size, ret_head))
        status = STORE_BAD;
    free(bytes);
    return status;
}

/* Makes the database, or changes its class. */
static int job_queue(struct work *w, void *arg)
{
    struct queue_wish *wish = arg;
    struct value_place place = { .database = value_database(HEADS_STATE) };
    uint8_t bytes[HEADS_QUEUE_BYTES];
    struct heads_key key;
    MDB_dbi dbi;
    int error;

    heads_database(&key, wish->name);
    error = wish->is_new ? mdb_dbi_open(w->txn, (const char *)key.bytes, MDB_CREATE, &dbi) : 0;
    if (error)
        return error;
    heads_key(&key, HEAD_QUEUE, wish->name);
    heads_queue_write(&wish->head, bytes);
    place.key = key.bytes;
    place.key_size = key.size;
    return work_put(w, w->store->state, &place, bytes, sizeof bytes, 0);
}

/* A start on a full disk is what the ballast is for, too. */
static enum store_status queue_write(struct store *s, struct queue_wish *wish)
{
    enum store_status status = work_run(s, job_queue, wish, true);

    if (status != STORE_FULL || s->is_ballast_out)
        return status;
    ballast_remove(s->ballast);
    s->is_ballast_out = true;
    return work_run(s, job_queue, wish, true);
}

/* A handle for the database; all handles are opened one at a time, and alone. */
static enum store_status slot_add(struct store *s, const char *name, const struct heads_queue *head,
                                  uint32_t *ret_number)
{
    struct slot *slot = slot_new(name);
    uint32_t count = atomic_load(&s->slot_count);
    struct heads_key key;
    MDB_txn *txn;
    int error;

    if (!slot || count >= SLOTS_MOST) {
        if (slot)
            slot_free(slot);
        return STORE_IO;
    }
    slot->head = *head;
    heads_database(&key, name);
    pthread_rwlock_wrlock(&s->env_lock);
    error = env_read(s, &txn);
    if (!error) {
        error = mdb_dbi_open(txn, (const char *)key.bytes, 0, &slot->dbi);
        error = mdb_txn_commit(txn) ? MDB_BAD_TXN : error;
    }
    if (!error) {
        s->slots[count] = slot;
        atomic_store(&s->slot_count, count + 1);
        *ret_number = count + 1;
    }
    pthread_rwlock_unlock(&s->env_lock);
    if (!error)
        return STORE_OK;
    slot_free(slot);
    return error == MDB_NOTFOUND ? STORE_NONE : STORE_IO;
}

/* The caller holds `writing`. */
static enum store_status queue_get(struct store *s, struct queue_wish *wish, uint32_t priority, uint32_t *ret_number)
{
    enum store_status status = head_get(s, wish->name, &wish->head);
    struct slot *slot = slot_find(s, wish->name, ret_number);

    if (slot && s->read_only) {
        slot->head = wish->head;
        return status;
    }
    if (slot)
        wish->head = slot->head;
    wish->is_new = !slot && status == STORE_NONE;
    if (s->read_only && status != STORE_OK)
        return status;
    if (!wish->is_new && !slot && status != STORE_OK)
        return status;
    if (wish->is_new)
        wish->head = (struct heads_queue){ .next = 1 };
    if (!s->read_only && (wish->is_new || wish->head.priority != priority)) {
        wish->head.priority = priority;
        status = queue_write(s, wish);
        if (status != STORE_OK)
            return status;
    }
    if (!slot)
        return slot_add(s, wish->name, &wish->head, ret_number);
    pthread_mutex_lock(&s->books);
    slot->head = wish->head;
    pthread_mutex_unlock(&s->books);
    return STORE_OK;
}

static const char *status_says(enum store_status status)
{
    return status == STORE_FULL ? "the disk is full: make room on it"
           : status == STORE_BAD ? "what it says of itself is damaged: start again, and it is examined"
                                 : "it cannot be read or made: look after the disk, and at the count of queues";
}

enum store_status store_queue(struct store *s, const char *name, uint32_t priority, struct kept_queue *ret_queue)
{
    struct queue_wish wish = { .name = name };
    enum store_status status;
    uint32_t number = 0;

    pthread_mutex_lock(&s->writing);
    status = queue_get(s, &wish, priority, &number);
    pthread_mutex_unlock(&s->writing);
    if (status == STORE_OK)
        *ret_queue = (struct kept_queue){ .queue = number, .first = wish.head.acked + 1, .next = wish.head.next,
                                          .records = wish.head.records, .bytes = wish.head.bytes };
    else if (!s->read_only)
        store_log(s, AFF_LOG_ERROR, "store: a queue cannot be used; %s", status_says(status));
    return status;
}
