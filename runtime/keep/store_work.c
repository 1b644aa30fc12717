/* store_work.c - one transaction: its changes, the books that go with it, and what
 * is believed when it fails.
 *
 * Whether a transaction is in is decided by the file alone, opened anew. After a sync
 * that failed even that is no proof, since the system may show pages that never got
 * to the disk; so a group that seems to be in counts only when one more transaction
 * behind it, whose writes are all new, was synced without an error.
 *
 * Not here: what the changes are (store_commit.c), full disks (store_commit.c). */
#include <errno.h>
#include <string.h>

#include "keep/ballast.h"
#include "keep/store_inside.h"

/* What the store counts a value for, from what LMDB says of it. */
uint64_t work_cost(const struct store *s, size_t key_size, size_t size)
{
    size_t least = value_size(&s->seal, key_size, 0);

    return value_cost(&s->seal, key_size, size > least ? size - least : 0);
}

int work_put(struct work *w, MDB_dbi dbi, const struct value_place *place, const void *bytes, size_t size,
             unsigned flags)
{
    MDB_val key = { place->key_size, (void *)(uintptr_t)place->key }, old;
    uint64_t before = 0;
    int error;

    if (value_size(&w->store->seal, place->key_size, size) == SIZE_MAX)
        return MDB_BAD_VALSIZE;
    if (!(flags & (MDB_APPEND | MDB_NOOVERWRITE)) && !mdb_get(w->txn, dbi, &key, &old))
        before = work_cost(w->store, place->key_size, old.mv_size);
    error = fresh_put(w->txn, dbi, &w->store->seal, place, w->head.group, bytes, size, flags);
    if (!error)
        w->head.used += value_cost(&w->store->seal, place->key_size, size) - before;
    return error;
}

static void used_less(struct work *w, uint64_t cost)
{
    w->head.used -= cost < w->head.used ? cost : w->head.used;
}

int work_delete(struct work *w, MDB_dbi dbi, const struct value_place *place)
{
    MDB_val key = { place->key_size, (void *)(uintptr_t)place->key }, old;
    int error = mdb_get(w->txn, dbi, &key, &old);
    uint64_t cost;

    if (error)
        return error;
    cost = work_cost(w->store, place->key_size, old.mv_size);
    error = mdb_del(w->txn, dbi, &key, NULL);
    if (!error)
        used_less(w, cost);
    return error;
}

int work_slot(struct work *w, struct slot *slot)
{
    MDB_val key, value;
    int error;

    if (slot->is_touched)
        return 0;
    error = mdb_cursor_open(w->txn, slot->dbi, &slot->cursor);
    if (error)
        return error;
    slot->is_touched = true;
    slot->next = slot->head;
    slot->last = 0;
    error = mdb_cursor_get(slot->cursor, &key, &value, MDB_LAST);
    if (!error && key.mv_size == HEADS_NUMBER)
        slot->last = heads_number(key.mv_data);
    return error == MDB_NOTFOUND ? 0 : error;
}

int work_slot_delete(struct work *w, struct slot *slot, const MDB_val *key, const MDB_val *value)
{
    uint64_t cost = work_cost(w->store, key->mv_size, value->mv_size);
    int error = mdb_cursor_del(slot->cursor, 0);

    if (error)
        return error;
    used_less(w, cost);
    slot->next.records -= slot->next.records > 0;
    slot->next.bytes -= cost < slot->next.bytes ? cost : slot->next.bytes;
    w->deleted++;
    return 0;
}

/* What is below the first record that is still there is done with. */
static int slot_finish(struct work *w, struct slot *slot)
{
    struct value_place place = { .database = value_database(HEADS_STATE) };
    uint8_t bytes[HEADS_QUEUE_BYTES];
    struct heads_key name;
    MDB_val key, value;
    int error = mdb_cursor_get(slot->cursor, &key, &value, MDB_FIRST);

    if (error && error != MDB_NOTFOUND)
        return error;
    slot->next.acked = slot->next.next - 1;
    if (!error && key.mv_size == HEADS_NUMBER)
        slot->next.acked = heads_number(key.mv_data) - 1;
    heads_key(&name, HEAD_QUEUE, slot->name);
    heads_queue_write(&slot->next, bytes);
    place.key = name.bytes;
    place.key_size = name.size;
    return work_put(w, w->store->state, &place, bytes, sizeof bytes, 0);
}

/* Damaged records that readers came upon. */
static int bad_remove(struct work *w, uint32_t count)
{
    struct store *s = w->store;
    uint8_t number[HEADS_NUMBER];

    for (uint32_t i = 0; i < count; i++) {
        MDB_val key = { sizeof number, number }, value;
        int error = work_slot(w, s->bad[i].slot);

        heads_number_put(number, s->bad[i].seq);
        if (!error)
            error = mdb_cursor_get(s->bad[i].slot->cursor, &key, &value, MDB_SET_KEY);
        if (!error)
            error = work_slot_delete(w, s->bad[i].slot, &key, &value);
        if (error && error != MDB_NOTFOUND)
            return error;
    }
    return 0;
}

static int work_finish(struct work *w, uint32_t bad_count, uint64_t lost)
{
    struct store *s = w->store;
    struct value_place place = { .database = value_database(HEADS_STATE) };
    uint32_t count = atomic_load(&s->slot_count);
    uint8_t bytes[HEADS_STORE_BYTES];
    struct heads_key key;
    int error = bad_remove(w, bad_count);

    for (uint32_t i = 0; i < count && !error; i++) {
        if (s->slots[i]->is_touched)
            error = slot_finish(w, s->slots[i]);
    }
    if (error)
        return error;
    w->head.lost += lost;
    heads_now(&w->head);
    heads_key(&key, HEAD_STORE, "");
    place.key = key.bytes;
    place.key_size = key.size;
    heads_store_write(&w->head, bytes);
    return work_put(w, s->state, &place, bytes, sizeof bytes, 0);
}

/* The transaction is in: its books are the store's. */
static void work_publish(struct work *w, uint32_t bad_count, uint64_t lost)
{
    struct store *s = w->store;
    uint32_t count = atomic_load(&s->slot_count);
    MDB_envinfo info;
    MDB_stat stat;

    pthread_mutex_lock(&s->books);
    s->head = w->head;
    for (uint32_t i = 0; i < count; i++) {
        if (s->slots[i]->is_touched)
            s->slots[i]->head = s->slots[i]->next;
    }
    s->bad_count -= bad_count;
    memmove(s->bad, s->bad + bad_count, s->bad_count * sizeof *s->bad);
    s->lost_unwritten -= lost;
    pthread_mutex_unlock(&s->books);
    atomic_store(&s->used, w->head.used);
    if (s->env && !mdb_env_info(s->env, &info) && !mdb_env_stat(s->env, &stat))
        atomic_store(&s->file_bytes, ((uint64_t)info.me_last_pgno + 1) * stat.ms_psize);
}

static void slots_forget(struct store *s)
{
    uint32_t count = atomic_load(&s->slot_count);

    for (uint32_t i = 0; i < count; i++) {
        s->slots[i]->is_touched = false;
        s->slots[i]->cursor = NULL;
    }
}

static enum store_status failure_judge(struct store *s, int error)
{
    s->is_memory_short = error == ENOMEM;
    switch (error) {
    case MDB_MAP_FULL:
    case MDB_TXN_FULL:
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case ENOMEM:
        return STORE_FULL;
    case EIO:
        if (disk_is_full(s->place, atomic_load(&s->file_bytes)))
            return STORE_FULL;
        break;
    default:
        break;
    }
    s->failures++;
    store_log(s, AFF_LOG_ERROR, "store: a transaction failed (%s); it is opened again and tried again; "
              "look after the disk", store_error(error));
    if (s->failures < FAILURES_MOST)
        return STORE_IO;
    s->is_bad = true;
    return STORE_BAD;
}

static int env_again(struct store *s)
{
    int error;

    pthread_rwlock_wrlock(&s->env_lock);
    env_close(s);
    error = env_open(s);
    pthread_rwlock_unlock(&s->env_lock);
    return error;
}

/* Whether the file, opened anew, shows this group or a later one. */
static bool group_is_there(struct store *s, uint64_t group)
{
    struct heads_store head;
    MDB_txn *txn;
    bool is_there = false;

    if (env_again(s) || env_read(s, &txn))
        return false;
    is_there = env_head(s, txn, &head) == 0 && head.group >= group;
    mdb_txn_abort(txn);
    return is_there;
}

static int job_nothing(struct work *w, void *arg)
{
    (void)w;
    (void)arg;
    return 0;
}

struct attempt {
    struct work work;
    uint32_t bad_count;
    uint64_t lost;
    bool committed; /* it came to the commit itself */
};

static int attempt_fill(struct attempt *a, int (*job)(struct work *work, void *arg), void *arg)
{
    struct work *w = &a->work;
    int error = mdb_txn_begin(w->store->env, NULL, 0, &w->txn);

    if (error)
        return error;
    error = job(w, arg);
    if (!error)
        error = work_finish(w, a->bad_count, a->lost);
    if (!error) {
        a->committed = true;
        return mdb_txn_commit(w->txn);
    }
    mdb_txn_abort(w->txn);
    return error;
}

static int attempt_make(struct store *s, struct attempt *a, int (*job)(struct work *work, void *arg), void *arg)
{
    pthread_mutex_lock(&s->books);
    *a = (struct attempt){ .work = { .store = s, .head = s->head }, .bad_count = s->bad_count,
                           .lost = s->lost_unwritten };
    pthread_mutex_unlock(&s->books);
    a->work.head.group++;
    a->work.head.is_clean = false;
    return attempt_fill(a, job, arg);
}

/* Nothing was written yet when a job failed: only an environment that broke is opened
 * again. */
static enum store_status attempt_failed(struct store *s, struct attempt *a, int error)
{
    enum store_status status = failure_judge(s, error);
    bool is_there = false;

    if (a->committed)
        is_there = group_is_there(s, a->work.head.group);
    else if (status != STORE_FULL)
        env_again(s);
    if (!is_there)
        return status;
    work_publish(&a->work, a->bad_count, a->lost);
    s->is_doubtful = true;
    return status;
}

static enum store_status run_once(struct store *s, int (*job)(struct work *work, void *arg), void *arg,
                                  bool exclusive)
{
    struct attempt a = { .work = { .store = s } };
    enum store_status status = STORE_OK;
    int error;

    if (!s->env && (error = env_again(s)) != 0)
        return failure_judge(s, error);
    if (exclusive)
        pthread_rwlock_wrlock(&s->env_lock);
    error = attempt_make(s, &a, job, arg);
    if (exclusive)
        pthread_rwlock_unlock(&s->env_lock);
    if (error) {
        status = attempt_failed(s, &a, error);
    } else {
        work_publish(&a.work, a.bad_count, a.lost);
        s->failures = 0;
        s->is_doubtful = false;
    }
    slots_forget(s);
    return status;
}

enum store_status work_run(struct store *s, int (*job)(struct work *work, void *arg), void *arg, bool exclusive)
{
    enum store_status status;

    if (s->is_bad)
        return STORE_BAD;
    status = run_once(s, job, arg, exclusive);
    if (status == STORE_OK || status == STORE_BAD || !s->is_doubtful)
        return status;
    return run_once(s, job_nothing, NULL, false);
}
