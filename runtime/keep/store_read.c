/* store_read.c - records of queues and lists, copied out; queues by their names.
 *
 * A read lasts as long as the copying: an older reader would keep LMDB from using
 * freed pages again. A queue's reader is kept between two reads, so that reading takes
 * no memory after the first.
 *
 * Not here: walks over everything (store_walk.c). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "keep/store_inside.h"

enum { ALIGN = 16 };

/* What a read fills. */
struct out {
    uint8_t *buffer;
    size_t room, used;
    struct kept_read *reads;
    uint32_t count, most;
    size_t *need;
};

/* A record that is damaged is counted once, and removed by the next transaction. */
static void bad_note(struct store *s, struct slot *slot, uint64_t seq)
{
    bool is_new = true, is_told;

    pthread_mutex_lock(&s->books);
    for (uint32_t i = 0; i < s->bad_count; i++)
        is_new = is_new && (s->bad[i].slot != slot || s->bad[i].seq != seq);
    is_new = is_new && s->bad_count < BAD_MOST;
    if (is_new) {
        s->bad[s->bad_count++] = (struct bad_record){ slot, seq };
        s->lost_unwritten++;
    }
    is_told = is_new && s->lost_unwritten == 1;
    pthread_mutex_unlock(&s->books);
    if (is_told)
        store_log(s, AFF_LOG_ERROR, "store: a stored record is damaged and was left out; it is counted as lost; "
                  "look after the disk");
}

/* False: it does not fit any more. */
static bool out_take(struct store *s, struct out *out, const struct value *value, uint64_t seq, bool *ret_good)
{
    size_t at = (out->used + ALIGN - 1u) & ~(size_t)(ALIGN - 1u);

    *ret_good = true;
    if (at > out->room || value->size > out->room - at) {
        if (out->count == 0)
            *out->need = value->size;
        return false;
    }
    *ret_good = value_open(&s->seal, value, out->buffer + at);
    if (!*ret_good)
        return true;
    out->reads[out->count++] = (struct kept_read){ .seq = seq, .bytes = out->buffer + at, .size = value->size };
    out->used = at + value->size;
    return true;
}

static int reader_begin(struct store *s, struct slot *slot)
{
    int error = 0;

    if (!s->env)
        return ENODEV;
    if (slot->read_txn)
        error = mdb_txn_renew(slot->read_txn);
    else
        error = env_read(s, &slot->read_txn);
    if (error)
        return error;
    if (slot->read_cursor)
        error = mdb_cursor_renew(slot->read_txn, slot->read_cursor);
    else
        error = mdb_cursor_open(slot->read_txn, slot->dbi, &slot->read_cursor);
    if (error)
        mdb_txn_reset(slot->read_txn);
    return error;
}

/* The first record to give: at `from` or beyond it, in the direction asked. */
static int cursor_seek(MDB_cursor *cursor, uint64_t from, bool down, MDB_val *key, MDB_val *value)
{
    uint8_t number[HEADS_NUMBER];
    int error;

    heads_number_put(number, from);
    *key = (MDB_val){ sizeof number, number };
    error = mdb_cursor_get(cursor, key, value, MDB_SET_RANGE);
    if (!down)
        return error;
    if (error == MDB_NOTFOUND)
        return mdb_cursor_get(cursor, key, value, MDB_LAST);
    if (!error && (key->mv_size != HEADS_NUMBER || heads_number(key->mv_data) > from))
        return mdb_cursor_get(cursor, key, value, MDB_PREV);
    return error;
}

static void queue_copy(struct store *s, struct slot *slot, uint64_t from, bool down, struct out *out)
{
    MDB_val key, bytes;
    int error = cursor_seek(slot->read_cursor, from, down, &key, &bytes);

    while (!error && out->count < out->most && key.mv_size == HEADS_NUMBER) {
        struct value_place place = { slot->database, key.mv_data, key.mv_size };
        uint64_t seq = heads_number(key.mv_data);
        struct value value;
        bool is_good = value_read(&s->seal, &place, bytes.mv_data, bytes.mv_size, &value);

        if (is_good && !out_take(s, out, &value, seq, &is_good))
            return;
        if (!is_good)
            bad_note(s, slot, seq);
        error = mdb_cursor_get(slot->read_cursor, &key, &bytes, down ? MDB_PREV : MDB_NEXT);
    }
}

uint32_t store_read(struct store *s, uint32_t queue, uint64_t from, bool down, void *buffer, size_t room,
                    struct kept_read *ret_reads, uint32_t most, size_t *ret_need)
{
    struct out out = { .buffer = buffer, .room = room, .reads = ret_reads, .most = most, .need = ret_need };
    struct slot *slot;

    *ret_need = 0;
    if (queue == 0 || queue > atomic_load(&s->slot_count))
        return 0;
    slot = s->slots[queue - 1];
    pthread_rwlock_rdlock(&s->env_lock);
    pthread_mutex_lock(&slot->reading);
    *ret_need = SIZE_MAX;
    if (reader_begin(s, slot) == 0) {
        *ret_need = 0;
        queue_copy(s, slot, from, down, &out);
        mdb_txn_reset(slot->read_txn);
    }
    pthread_mutex_unlock(&slot->reading);
    pthread_rwlock_unlock(&s->env_lock);
    return out.count;
}

static void retries_copy(struct store *s, MDB_cursor *cursor, const struct heads_key *from, struct out *out)
{
    MDB_val key = { from->size, (void *)(uintptr_t)from->bytes }, bytes;
    int error = mdb_cursor_get(cursor, &key, &bytes, MDB_SET_RANGE);
    size_t name = from->size - HEADS_NUMBER;

    while (!error && out->count < out->most && key.mv_size == from->size &&
           !memcmp(key.mv_data, from->bytes, name)) {
        struct value_place place = { value_database(HEADS_NODE), key.mv_data, key.mv_size };
        uint64_t number = heads_number((const uint8_t *)key.mv_data + name);
        struct value value;
        bool is_good = value_read(&s->seal, &place, bytes.mv_data, bytes.mv_size, &value);

        if (is_good && !out_take(s, out, &value, number, &is_good))
            return;
        error = mdb_cursor_get(cursor, &key, &bytes, MDB_NEXT);
    }
}

uint32_t store_retries(struct store *s, const char *node, uint64_t from, void *buffer, size_t room,
                       struct kept_read *ret_reads, uint32_t most, size_t *ret_need)
{
    struct out out = { .buffer = buffer, .room = room, .reads = ret_reads, .most = most, .need = ret_need };
    struct heads_key key;
    MDB_cursor *cursor;
    MDB_txn *txn;

    *ret_need = 0;
    if (!heads_node(&key, node, from))
        return 0;
    pthread_rwlock_rdlock(&s->env_lock);
    if (env_read(s, &txn) == 0) {
        if (mdb_cursor_open(txn, s->node, &cursor) == 0) {
            retries_copy(s, cursor, &key, &out);
            mdb_cursor_close(cursor);
        }
        mdb_txn_abort(txn);
    }
    pthread_rwlock_unlock(&s->env_lock);
    return out.count;
}

enum store_status store_state(struct store *s, const char *name, void **ret_bytes, size_t *ret_size)
{
    enum store_status status = STORE_IO;
    struct heads_key key;
    MDB_txn *txn;

    if (!heads_key(&key, HEAD_PIECE, name))
        return STORE_NONE;
    pthread_rwlock_rdlock(&s->env_lock);
    if (env_read(s, &txn) == 0) {
        status = env_get(s, txn, &key, ret_bytes, ret_size);
        mdb_txn_abort(txn);
    }
    pthread_rwlock_unlock(&s->env_lock);
    if (status == STORE_BAD)
        store_log(s, AFF_LOG_ERROR, "store: a piece of state is damaged and is not used; look after the disk");
    return status;
}
