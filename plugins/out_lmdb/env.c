/* env.c - opening, making and closing an archive.
 *
 * An archive is a folder (0700) with LMDB's two files and writer.lock, whose
 * lock says that somebody writes. A new one is made in a folder beside it, and
 * renamed when it is complete, so there is never half an archive at its path.
 *
 * Never MDB_WRITEMAP: with it a full disk is a SIGBUS.
 */
#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pages.h"

enum { OWNER_ROOM = 512 };

static const char *const db_names[] = {
    [DB_META] = "meta", [DB_NAMES] = "names", [DB_SCHEMAS] = "schemas",
    [DB_RECORDS] = "records", [DB_SAMPLES] = "samples",
};

aff_status archive_fail(struct archive *a, aff_status status, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(a->cause, sizeof a->cause, format, args);
    va_end(args);
    return status;
}

uint64_t env_used(MDB_env *env)
{
    MDB_envinfo info;
    MDB_stat stat;

    mdb_env_info(env, &info);
    mdb_env_stat(env, &stat);
    return ((uint64_t)info.me_last_pgno + 1) * stat.ms_psize;
}

void env_close(struct archive *a)
{
    if (a->env)
        mdb_env_close(a->env);
    a->env = NULL;
}

static aff_status env_fail(struct archive *a, const char *what, int rc)
{
    env_close(a);
    return archive_fail(a, AFF_ERR_IO, "%s the archive: %s; check its folder, rights and disk", what, mdb_strerror(rc));
}

/* The environment in `path`, sized and open. */
static aff_status env_start(struct archive *a, const char *path)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t map = (size_t)a->options.limit / page * page;
    int rc = mdb_env_create(&a->env);

    if (rc) {
        a->env = NULL;
        return env_fail(a, "cannot set up", rc);
    }
    rc = mdb_env_set_maxdbs(a->env, DB_SAMPLES + 1);
    if (!rc)
        rc = mdb_env_set_mapsize(a->env, map);
    if (!rc)
        rc = mdb_env_open(a->env, path, MDB_NOTLS, 0600);
    return rc ? env_fail(a, "cannot open", rc) : AFF_OK;
}

/* Opens the databases and reads what format they have; makes them if `fresh`. */
static int env_databases(struct archive *a, bool fresh, struct archive_format *ret)
{
    uint8_t raw[FORMAT_BYTES];
    MDB_val key = { sizeof FORMAT_KEY - 1, (void *)(uintptr_t)FORMAT_KEY }, v = { sizeof raw, raw };
    MDB_txn *txn;
    int db, rc = mdb_txn_begin(a->env, NULL, fresh ? 0 : MDB_RDONLY, &txn);

    if (rc)
        return rc;
    for (db = DB_META; !rc && db <= DB_SAMPLES; db++)
        rc = mdb_dbi_open(txn, db_names[db], fresh ? MDB_CREATE : 0, &a->dbi[db]);
    if (!rc && fresh) {
        format_write(raw);
        rc = mdb_put(txn, a->dbi[DB_META], &key, &v, 0);
    } else if (!rc) {
        rc = mdb_get(txn, a->dbi[DB_META], &key, &v);
        if (!rc)
            *ret = format_read(v.mv_data, v.mv_size);
    }
    if (rc) {
        mdb_txn_abort(txn);
        return rc;
    }
    return mdb_txn_commit(txn); /* keeps the handles */
}

/* Who has the lock has written whose it is, and of which process: at a reload a node
 * opens before the one that it takes the place of has closed. */
static void owner_write(const struct archive *a, char text[OWNER_ROOM])
{
    memset(text, 0, OWNER_ROOM);
    snprintf(text, OWNER_ROOM, "%s", a->options.owner);
    memcpy(text + OWNER_ROOM - 8, &(int32_t){ getpid() }, 4);
    memcpy(text + OWNER_ROOM - 4, &(int32_t){ getppid() }, 4);
}

static bool is_before_us(const struct archive *a, int lock)
{
    char theirs[OWNER_ROOM], ours[OWNER_ROOM];

    if (!a->options.owner || pread(lock, theirs, sizeof theirs, 0) != OWNER_ROOM)
        return false;
    owner_write(a, ours);
    /* A plugin with a process of its own has the host for a parent. */
    return !memcmp(theirs, ours, OWNER_ROOM - 8) &&
           (!memcmp(theirs + OWNER_ROOM - 8, ours + OWNER_ROOM - 8, 4) ||
            !memcmp(theirs + OWNER_ROOM - 4, ours + OWNER_ROOM - 4, 4));
}

static void owner_tell(const struct archive *a)
{
    char text[OWNER_ROOM];

    if (ftruncate(a->lock, 0) || !a->options.owner)
        return;
    owner_write(a, text);
    if (pwrite(a->lock, text, sizeof text, 0) != OWNER_ROOM && ftruncate(a->lock, 0))
        return; /* who comes next is refused, instead of told to wait */
}

/* The lock lies in a file of our own: LMDB itself would let writers take turns.
 * AFF_AGAIN: an archive of the same owner has it. */
static aff_status lock_take(struct archive *a, const char *folder)
{
    char file[PATH_ROOM + 32];
    bool waits;
    int error;

    snprintf(file, sizeof file, "%s/writer.lock", folder);
    a->lock = open(file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (a->lock < 0)
        return archive_fail(a, AFF_ERR_IO, "cannot open the archive's writer.lock: %s", strerror(errno));
    if (!flock(a->lock, LOCK_EX | LOCK_NB)) {
        owner_tell(a);
        return AFF_OK;
    }
    error = errno;
    waits = error == EWOULDBLOCK && is_before_us(a, a->lock);
    close(a->lock);
    a->lock = -1;
    if (waits)
        return archive_fail(a, AFF_AGAIN, "the node's instance before the reload still writes the archive");
    if (error == EWOULDBLOCK)
        return archive_fail(a, AFF_ERR_CONFIG, "another process or node writes this archive; an archive has "
                            "one writer: stop the other, or choose another path");
    return archive_fail(a, AFF_ERR_IO, "cannot lock the archive's writer.lock: %s", strerror(error));
}

aff_status env_open(struct archive *a)
{
    struct archive_format format = { 0 };
    char file[PATH_ROOM + 16];
    aff_status st = a->lock < 0 ? lock_take(a, a->path) : AFF_OK;
    int rc;

    if (st != AFF_OK)
        return st == AFF_AGAIN ? AFF_ERR_IO : st;
    snprintf(file, sizeof file, "%s/data.mdb", a->path);
    if (access(file, F_OK))
        return archive_fail(a, AFF_ERR_IO, "the archive's data.mdb is gone: %s", strerror(errno));
    st = pages_check(file, a->cause, sizeof a->cause);
    if (st < 0)
        return st;
    st = env_start(a, a->path);
    if (st < 0)
        return st;
    rc = env_databases(a, false, &format);
    if (rc && rc != MDB_NOTFOUND)
        return env_fail(a, "cannot read", rc);
    if (!rc)
        st = format_judge(&format, a->cause, sizeof a->cause);
    else
        st = archive_fail(a, AFF_ERR_CONFIG, "there is an LMDB environment at path, but no archive in it; "
                          "choose another path");
    if (st < 0)
        env_close(a);
    return st;
}

static int folder_sync(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc;

    if (fd < 0)
        return errno;
    rc = fsync(fd) ? errno : 0;
    close(fd);
    return rc;
}

static aff_status folder_name(struct archive *a, const char *from)
{
    char parent[PATH_ROOM];
    int rc = folder_sync(from);

    if (!rc && rename(from, a->path)) {
        if (errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR)
            return archive_fail(a, AFF_ERR_CONFIG, "there is something at path that is no archive; "
                                "choose another path");
        rc = errno;
    }
    if (!rc) {
        snprintf(parent, sizeof parent, "%s", a->path);
        rc = folder_sync(dirname(parent));
    }
    if (rc)
        return archive_fail(a, AFF_ERR_IO, "cannot put the new archive in its place: %s", strerror(rc));
    return AFF_OK;
}

/* Makes an empty archive. What a crash left of an earlier try is overwritten;
 * the lock goes along with the folder's new name. */
static aff_status archive_make(struct archive *a)
{
    char beside[PATH_ROOM + 8], file[PATH_ROOM + 32];
    aff_status st;
    int rc;

    snprintf(beside, sizeof beside, "%s.new", a->path);
    if (mkdir(beside, 0700) && errno != EEXIST)
        return archive_fail(a, AFF_ERR_IO, "cannot make the archive's folder: %s; the folder that it is to lie in "
                            "must exist and be writable", strerror(errno));
    st = lock_take(a, beside);
    if (st != AFF_OK)
        return st == AFF_AGAIN ? AFF_ERR_IO : st;
    snprintf(file, sizeof file, "%s/data.mdb", beside);
    unlink(file);
    snprintf(file, sizeof file, "%s/lock.mdb", beside);
    unlink(file);
    st = env_start(a, beside);
    if (st < 0)
        return st;
    rc = env_databases(a, true, NULL);
    if (rc)
        return env_fail(a, "cannot make", rc);
    env_close(a);
    return folder_name(a, beside);
}

static aff_status archive_start(struct archive *a)
{
    char file[PATH_ROOM + 16];
    aff_status st;

    snprintf(file, sizeof file, "%s/data.mdb", a->path);
    if (access(file, F_OK) && errno == ENOENT)
        st = archive_make(a);
    else
        st = lock_take(a, a->path);
    a->sick = st == AFF_AGAIN; /* opened before the next use */
    return st == AFF_OK ? env_open(a) : st == AFF_AGAIN ? AFF_OK : st;
}

static bool path_take(struct archive *a, const char *path)
{
    size_t length = strlen(path);

    while (length > 1 && path[length - 1] == '/')
        length--;
    if (!length || length >= sizeof a->path)
        return false;
    memcpy(a->path, path, length);
    a->path[length] = '\0';
    return true;
}

aff_status archive_open(struct archive **ret, const struct archive_options *options,
                        const struct archive_hooks *hooks, char *cause, size_t room)
{
    struct archive *a = hooks->alloc(hooks->ctx, sizeof *a);
    aff_status st = AFF_ERR_MEMORY;

    if (!a) {
        snprintf(cause, room, "no memory for the archive");
        return st;
    }
    a->options = *options;
    a->hooks = *hooks;
    a->lock = -1;
    a->lane_count = (options->streams + LANE_SET - 1) / LANE_SET * LANE_SET;
    a->lane_count += a->lane_count ? 0 : LANE_SET;
    a->area = hooks->alloc(hooks->ctx, options->batch);
    a->lanes = hooks->alloc(hooks->ctx, a->lane_count * sizeof *a->lanes);
    if (!a->area || !a->lanes)
        archive_fail(a, st, "no memory for the archive");
    else if (!path_take(a, options->path))
        st = archive_fail(a, AFF_ERR_CONFIG, "path is empty or longer than %d bytes", PATH_ROOM);
    else
        st = archive_start(a);
    if (st < 0) {
        snprintf(cause, room, "%s", a->cause);
        archive_close(a);
        return st;
    }
    *ret = a;
    return AFF_OK;
}

void archive_close(struct archive *a)
{
    struct archive_hooks hooks;

    if (!a)
        return;
    hooks = a->hooks;
    env_close(a);
    if (a->lock >= 0)
        close(a->lock);
    if (a->lanes)
        hooks.release(hooks.ctx, a->lanes);
    if (a->area)
        hooks.release(hooks.ctx, a->area);
    hooks.release(hooks.ctx, a);
}
