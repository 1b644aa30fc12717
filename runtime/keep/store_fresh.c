/* store_fresh.c - a new store, made beside and put in place in one step.
 *
 * A kill at any point leaves the old one, or the new one; what a killed making
 * leaves is removed by the next.
 *
 * Not here: what is carried over from a damaged one (rescue.c). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keep/store_inside.h"

uint64_t store_map_size(uint64_t limit)
{
    const uint64_t most = UINT64_C(1) << 45, page = 65536;

    if (limit > most)
        limit = most;
    return (limit + MAP_MORE + page - 1) / page * page;
}

static int path_print(char path[PATH_ROOM], const char *folder, const char *name)
{
    int length = snprintf(path, PATH_ROOM, "%s/%s", folder, name);

    return length > 0 && length < PATH_ROOM ? 0 : ENAMETOOLONG;
}

int folder_sync(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), error = 0;

    if (fd < 0)
        return errno;
    if (fsync(fd) < 0)
        error = errno;
    close(fd);
    return error;
}

void fresh_remove(const char *folder)
{
    char path[PATH_ROOM];

    if (!path_print(path, folder, "store.new/" HEADS_DATA))
        unlink(path);
    if (!path_print(path, folder, "store.new"))
        rmdir(path);
}

int fresh_open(const char *folder, uint64_t map_size, struct fresh *ret_fresh)
{
    struct fresh f = { 0 };
    int error = path_print(f.path, folder, "store.new");

    if (error)
        return error;
    fresh_remove(folder);
    if (mkdir(f.path, 0700) < 0)
        return errno;
    error = mdb_env_create(&f.env);
    if (error)
        return error;
    mdb_env_set_maxdbs(f.env, DATABASES_MOST);
    mdb_env_set_mapsize(f.env, (size_t)map_size);
    /* Nobody else sees it yet: one sync at the end is enough. */
    error = mdb_env_open(f.env, f.path, MDB_NOLOCK | MDB_NOSYNC, 0600);
    if (error) {
        mdb_env_close(f.env);
        return error;
    }
    *ret_fresh = f;
    return 0;
}

int fresh_close(struct fresh *f)
{
    int error = mdb_env_sync(f->env, 1);

    mdb_env_close(f->env);
    f->env = NULL;
    return error ? error : folder_sync(f->path);
}

int fresh_put(MDB_txn *txn, MDB_dbi dbi, const struct seal *seal, const struct value_place *place,
              uint64_t group, const void *bytes, size_t size, unsigned flags)
{
    MDB_val key = { place->key_size, (void *)(uintptr_t)place->key };
    MDB_val value = { value_size(seal, place->key_size, size), NULL };
    int error;

    if (value.mv_size == SIZE_MAX)
        return MDB_BAD_VALSIZE;
    error = mdb_put(txn, dbi, &key, &value, flags | MDB_RESERVE);
    if (!error)
        value_write(seal, place, group, bytes, size, value.mv_data);
    return error;
}

int format_put(MDB_txn *txn, MDB_dbi state, const struct seal *seal)
{
    const struct seal plain = { 0 };
    struct heads_format format = { .version = HEADS_VERSION, .is_sealed = seal->is_on };
    uint8_t bytes[HEADS_FORMAT_BYTES];
    struct heads_key key;
    struct value_place place = { .database = value_database(HEADS_STATE) };

    seal_id(seal, format.key_id);
    heads_format_write(&format, bytes);
    heads_key(&key, HEAD_FORMAT, "");
    place.key = key.bytes;
    place.key_size = key.size;
    return fresh_put(txn, state, &plain, &place, 0, bytes, sizeof bytes, 0);
}

static int first_fill(MDB_env *env, const struct seal *seal, const struct heads_store *head)
{
    struct value_place place = { .database = value_database(HEADS_STATE) };
    uint8_t bytes[HEADS_STORE_BYTES];
    MDB_dbi state, dead, node;
    struct heads_key key;
    MDB_txn *txn;
    int error = mdb_txn_begin(env, NULL, 0, &txn);

    if (error)
        return error;
    heads_key(&key, HEAD_STORE, "");
    heads_store_write(head, bytes);
    place.key = key.bytes;
    place.key_size = key.size;
    error = mdb_dbi_open(txn, HEADS_STATE, MDB_CREATE, &state);
    if (!error)
        error = mdb_dbi_open(txn, HEADS_DEAD, MDB_CREATE, &dead);
    if (!error)
        error = mdb_dbi_open(txn, HEADS_NODE, MDB_CREATE, &node);
    if (!error)
        error = format_put(txn, state, seal);
    if (!error)
        error = fresh_put(txn, state, seal, &place, head->group, bytes, sizeof bytes, 0);
    if (!error)
        return mdb_txn_commit(txn);
    mdb_txn_abort(txn);
    return error;
}

/* The first time the whole folder is put in place, later the file in it: one rename
 * either way. */
int fresh_place(const char *folder)
{
    char from[PATH_ROOM], to[PATH_ROOM];
    struct stat st;
    bool is_there;
    int error = path_print(to, folder, "store");

    if (error)
        return error;
    is_there = lstat(to, &st) == 0;
    error = path_print(from, folder, is_there ? "store.new/" HEADS_DATA : "store.new");
    if (!error && is_there)
        error = path_print(to, folder, "store/" HEADS_DATA);
    if (!error && rename(from, to) < 0)
        error = errno;
    if (!error && is_there && !path_print(to, folder, "store"))
        error = folder_sync(to);
    if (!error)
        error = folder_sync(folder);
    fresh_remove(folder);
    return error;
}

int fresh_make(const char *folder, const struct seal *seal, uint64_t limit, const struct heads_store *head)
{
    struct fresh fresh;
    int error = fresh_open(folder, store_map_size(limit), &fresh), closed;

    if (error) {
        fresh_remove(folder);
        return error;
    }
    error = first_fill(fresh.env, seal, head);
    closed = fresh_close(&fresh);
    if (!error)
        error = closed;
    if (!error)
        return fresh_place(folder);
    fresh_remove(folder);
    return error;
}
