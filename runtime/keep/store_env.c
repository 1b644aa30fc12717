/* store_env.c - opens and closes the LMDB environment of a store; reads what stands
 * in its `state`.
 *
 * Not here: whether it may be trusted (examine.c). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "keep/lock.h"
#include "keep/store_inside.h"

enum { ENV_FLAGS = MDB_NOTLS };

/* A damaged or foreign lock file is nobody's: we hold the store's own lock. */
static int env_start(struct store *s, MDB_env **ret_env)
{
    unsigned flags = ENV_FLAGS | (s->read_only ? MDB_RDONLY : 0u) | (s->is_unlocked ? MDB_NOLOCK : 0u);
    MDB_env *env;
    int error = mdb_env_create(&env);

    if (error)
        return error;
    mdb_env_set_maxdbs(env, DATABASES_MOST);
    mdb_env_set_maxreaders(env, READERS_MOST);
    if (!s->read_only)
        mdb_env_set_mapsize(env, (size_t)store_map_size(s->limit));
    error = mdb_env_open(env, s->place, flags, 0600);
    if (error)
        mdb_env_close(env);
    else
        *ret_env = env;
    return error;
}

static int env_start_read_only(struct store *s, MDB_env **ret_env)
{
    int error = env_start(s, ret_env);

    if (error != EACCES && error != EROFS && error != EPERM)
        return error;
    if (lock_is_held(s->folder, &(pid_t){ 0 }))
        return EACCES;
    s->is_unlocked = true;
    return env_start(s, ret_env);
}

static int databases_open(struct store *s)
{
    uint32_t count = atomic_load(&s->slot_count);
    struct heads_key name;
    MDB_txn *txn;
    int error = mdb_txn_begin(s->env, NULL, MDB_RDONLY, &txn);

    if (error)
        return error;
    error = mdb_dbi_open(txn, HEADS_STATE, 0, &s->state);
    if (!error)
        error = mdb_dbi_open(txn, HEADS_DEAD, 0, &s->dead);
    if (!error)
        error = mdb_dbi_open(txn, HEADS_NODE, 0, &s->node);
    for (uint32_t i = 0; i < count && !error; i++) {
        heads_database(&name, s->slots[i]->name);
        error = mdb_dbi_open(txn, (const char *)name.bytes, 0, &s->slots[i]->dbi);
    }
    if (!error)
        return mdb_txn_commit(txn);
    mdb_txn_abort(txn);
    return error;
}

int env_open(struct store *s)
{
    int dead = 0, error = s->read_only ? env_start_read_only(s, &s->env) : env_start(s, &s->env);
    MDB_envinfo info;
    MDB_stat stat;

    if (error) {
        s->env = NULL;
        return error;
    }
    if (!s->is_unlocked)
        mdb_reader_check(s->env, &dead);
    error = databases_open(s);
    if (error) {
        env_close(s);
        return error;
    }
    if (!mdb_env_info(s->env, &info) && !mdb_env_stat(s->env, &stat))
        atomic_store(&s->file_bytes, ((uint64_t)info.me_last_pgno + 1) * stat.ms_psize);
    return 0;
}

void env_close(struct store *s)
{
    uint32_t count = atomic_load(&s->slot_count);

    if (!s->env)
        return;
    for (uint32_t i = 0; i < count; i++) {
        struct slot *slot = s->slots[i];

        if (slot->read_cursor)
            mdb_cursor_close(slot->read_cursor);
        if (slot->read_txn)
            mdb_txn_abort(slot->read_txn);
        slot->read_cursor = NULL;
        slot->read_txn = NULL;
    }
    mdb_env_close(s->env);
    s->env = NULL;
}

/* Readers that were killed leave their places taken. */
int env_read(struct store *s, MDB_txn **ret_txn)
{
    int dead, error;

    if (!s->env)
        return ENODEV;
    error = mdb_txn_begin(s->env, NULL, MDB_RDONLY, ret_txn);
    if (error != MDB_READERS_FULL)
        return error;
    mdb_reader_check(s->env, &dead);
    return mdb_txn_begin(s->env, NULL, MDB_RDONLY, ret_txn);
}

enum store_status env_get(struct store *s, MDB_txn *txn, const struct heads_key *name, void **ret_bytes,
                          size_t *ret_size)
{
    struct value_place place = { value_database(HEADS_STATE), name->bytes, name->size };
    const struct seal plain = { 0 }, *seal = name->bytes[0] == HEAD_FORMAT ? &plain : &s->seal;
    MDB_val key = { name->size, (void *)(uintptr_t)name->bytes }, found;
    struct value value;
    uint8_t *bytes;
    int error = mdb_get(txn, s->state, &key, &found);

    if (error)
        return error == MDB_NOTFOUND ? STORE_NONE : STORE_IO;
    if (!value_read(seal, &place, found.mv_data, found.mv_size, &value))
        return STORE_BAD;
    bytes = aligned_alloc(16, (value.size + 16u) & ~(size_t)15);
    if (!bytes)
        return STORE_IO;
    if (!value_open(seal, &value, bytes)) {
        free(bytes);
        return STORE_BAD;
    }
    *ret_bytes = bytes;
    *ret_size = value.size;
    return STORE_OK;
}

int env_head(struct store *s, MDB_txn *txn, struct heads_store *ret_head)
{
    struct heads_key key;
    void *bytes = NULL;
    size_t size = 0;
    bool is_good;

    heads_key(&key, HEAD_STORE, "");
    if (env_get(s, txn, &key, &bytes, &size) != STORE_OK)
        return MDB_CORRUPTED;
    is_good = heads_store_read(bytes, size, ret_head);
    free(bytes);
    return is_good ? 0 : MDB_CORRUPTED;
}
