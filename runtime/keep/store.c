/* store.c - opens and closes a store; its figures. See store.h.
 *
 * Not here: writing (store_commit.c), reading (store_read.c), damage (store_mend.c). */
#include "keep/store.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keep/ballast.h"
#include "keep/child.h"
#include "keep/lock.h"
#include "keep/store_inside.h"

enum { LINE = 512, MOST_FOLDER = PATH_ROOM - 64 };

void store_log(struct store *s, int level, const char *format, ...)
{
    char line[LINE];
    va_list list;

    if (!s->log)
        return;
    va_start(list, format);
    vsnprintf(line, sizeof line, format, list);
    va_end(list);
    s->log(s->log_arg, level, line);
}

const char *store_error(int error)
{
    return mdb_strerror(error);
}

/* The folder and those above it. 0 or an errno. */
static int folder_make(const char *path)
{
    char part[PATH_ROOM];
    size_t length = strlen(path);
    struct stat st;

    memcpy(part, path, length + 1);
    for (size_t i = 1; i <= length; i++) {
        if (part[i] != '/' && part[i] != '\0')
            continue;
        part[i] = '\0';
        if (mkdir(part, 0700) < 0 && errno != EEXIST)
            return errno;
        part[i] = path[i];
    }
    if (stat(path, &st) < 0)
        return errno;
    return S_ISDIR(st.st_mode) ? 0 : ENOTDIR;
}

static enum store_status why_disk(char *why, size_t room, const char *what, int error)
{
    snprintf(why, room, "store: %s (%s); a folder on a disk that can be read and written was expected; make room, or "
             "give the owner of the folder the right to", what, store_error(error));
    return error == ENOSPC || error == EDQUOT || error == EFBIG ? STORE_FULL : STORE_IO;
}

static enum store_status why_key(const struct store *s, char *why, size_t room)
{
    if (s->seal.is_on)
        snprintf(why, room, "store: it was made with another key, or with none; the key of its making was expected; "
                 "give that one (or none), or empty the store and set another state folder");
    else
        snprintf(why, room, "store: its values are sealed, and no key was given; the key of its making was expected; "
                 "give it, there is no way around it");
    return STORE_KEY;
}

static enum store_status why_newer(char *why, size_t room)
{
    snprintf(why, room, "store: it was written by a later version; version %d or older was expected; use the later "
             "version of afferent", HEADS_VERSION);
    return STORE_NEWER;
}

static enum store_status why_busy(pid_t pid, char *why, size_t room)
{
    char who[48] = "another process";

    if (pid > 0)
        snprintf(who, sizeof who, "process %ld", (long)pid);
    snprintf(why, room, "store: %s holds it; one instance a pipeline and state folder was expected; stop that one, "
             "or set another state folder", who);
    return STORE_BUSY;
}

static enum store_status lock_get(struct store *s, char *why, size_t room)
{
    pid_t pid;
    int error = folder_make(s->folder);

    if (error)
        return why_disk(why, room, "its folder cannot be made", error);
    error = lock_take(s->folder, &s->lock, &pid);
    if (error == EWOULDBLOCK)
        return why_busy(pid, why, room);
    return error ? why_disk(why, room, "its lock cannot be taken", error) : STORE_OK;
}

/* The head and the used bytes come from the walk; letters are numbered above all there are. */
static void books_begin(struct store *s, const struct examined *x)
{
    uint64_t dead = value_database(HEADS_DEAD);

    s->head = x->head;
    s->head.used = x->used;
    memset(s->head.boot_id, 0, sizeof s->head.boot_id);
    for (uint32_t i = 0; i < x->count; i++) {
        if (x->databases[i].database == dead && x->databases[i].last >= s->head.letters)
            s->head.letters = x->databases[i].last + 1;
    }
    atomic_store(&s->used, x->used);
}

static enum store_status look_at(struct store *s, struct examined *x, char *why, size_t room)
{
    x->status = STORE_OK;
    if (!examine(x))
        return why_disk(why, room, "there is no process to look at it in", errno);
    if (x->status == STORE_KEY)
        return why_key(s, why, room);
    if (x->status == STORE_NEWER)
        return why_newer(why, room);
    return STORE_OK;
}

static void examined_begin(const struct store *s, struct examined *x)
{
    memset(x, 0, sizeof *x);
    snprintf(x->place, sizeof x->place, "%s", s->place);
    snprintf(x->file, sizeof x->file, "%.*s/" HEADS_DATA, PATH_ROOM - 16, s->place);
    x->seal = s->seal;
}

/* Ends with a store that was looked at and found whole. */
static enum store_status whole_get(struct store *s, struct examined *x, char *why, size_t room)
{
    const struct heads_store first = { .letters = 1 };
    enum store_status status;
    struct stat st;
    int error;

    examined_begin(s, x);
    fresh_remove(s->folder);
    disk_try_remove(s->place);
    if (lstat(s->place, &st) < 0) {
        error = fresh_make(s->folder, &s->seal, s->limit, &first);
        if (error)
            return why_disk(why, room, "it cannot be made", error);
    }
    status = look_at(s, x, why, room);
    if (status != STORE_OK || (x->is_whole && x->opens))
        return status;
    status = store_mend(s, x, why, room);
    if (status != STORE_OK)
        return status;
    examined_begin(s, x);
    status = look_at(s, x, why, room);
    if (status == STORE_OK && !(x->is_whole && x->opens))
        return why_disk(why, room, "what was written anew is not what is read back", EIO);
    return status;
}

static int job_open(struct work *w, void *arg)
{
    (void)arg;
    w->head.incarnation++;
    return 0;
}

static enum store_status run_begin(struct store *s, char *why, size_t room)
{
    enum store_status status = work_run(s, job_open, NULL, false);

    if (status == STORE_FULL) {
        ballast_remove(s->ballast);
        status = work_run(s, job_open, NULL, false);
    }
    if (status != STORE_OK)
        return why_disk(why, room, "it cannot be written", status == STORE_FULL ? ENOSPC : EIO);
    s->is_ballast_out = !ballast_is_there(s->ballast) && !ballast_write(s->ballast);
    return STORE_OK;
}

/* LMDB's lock file is about readers; one that cannot be used is made anew. */
static int env_open_anyhow(struct store *s)
{
    char path[PATH_ROOM];
    int error = env_open(s);

    if (!error || s->read_only)
        return error;
    snprintf(path, sizeof path, "%.*s/lock.mdb", PATH_ROOM - 16, s->place);
    unlink(path);
    return env_open(s);
}

static enum store_status open_to_write(struct store *s, struct examined *x, char *why, size_t room)
{
    enum store_status status = lock_get(s, why, room);
    int error;

    if (status == STORE_OK)
        status = whole_get(s, x, why, room);
    if (status != STORE_OK)
        return status;
    books_begin(s, x);
    error = env_open_anyhow(s);
    if (error)
        return why_disk(why, room, "it cannot be opened", error);
    return run_begin(s, why, room);
}

/* One that somebody writes to cannot be walked by its pages; it was when it was opened. */
static enum store_status open_to_read(struct store *s, struct examined *x, char *why, size_t room)
{
    enum store_status status = STORE_OK;
    struct stat st;
    pid_t pid;
    int error;

    examined_begin(s, x);
    if (stat(x->file, &st) < 0) {
        snprintf(why, room, "store: there is none; the pipeline has not run here yet, or has another state folder");
        return STORE_NONE;
    }
    if (!lock_is_held(s->folder, &pid))
        status = look_at(s, x, why, room);
    if (status != STORE_OK)
        return status;
    if (!lock_is_held(s->folder, &pid) && !(x->is_whole && x->opens)) {
        snprintf(why, room, "store: it is damaged (%s); the next start of the pipeline, or `afferent store repair`, "
                 "carries over what is good", x->what);
        return STORE_BAD;
    }
    error = env_open(s);
    return error ? why_disk(why, room, "it cannot be read", error) : STORE_OK;
}

/* A writer may hold it: then nobody has looked at the format yet. */
static enum store_status format_check(struct store *s, char *why, size_t room)
{
    enum store_status status = STORE_IO;
    struct heads_format format;
    struct heads_key key;
    uint8_t id[SEAL_ID];
    void *bytes = NULL;
    size_t size = 0;
    MDB_txn *txn;

    heads_key(&key, HEAD_FORMAT, "");
    if (env_read(s, &txn) == 0) {
        status = env_get(s, txn, &key, &bytes, &size);
        mdb_txn_abort(txn);
    }
    if (status != STORE_OK || !heads_format_read(bytes, size, &format)) {
        free(bytes);
        return why_disk(why, room, "its format cannot be read", EIO);
    }
    free(bytes);
    seal_id(&s->seal, id);
    if (format.version > HEADS_VERSION)
        return why_newer(why, room);
    if (format.is_sealed != s->seal.is_on || memcmp(id, format.key_id, sizeof id) != 0)
        return why_key(s, why, room);
    return STORE_OK;
}

static struct store *store_new(const struct store_options *options)
{
    struct store *s = calloc(1, sizeof *s);

    if (!s)
        return NULL;
    s->lock = -1;
    s->limit = options->limit;
    s->read_only = options->read_only;
    s->acks_wait = options->acks_wait;
    s->log = options->log;
    s->log_arg = options->arg;
    snprintf(s->folder, sizeof s->folder, "%s", options->folder);
    snprintf(s->place, sizeof s->place, "%.*s/store", MOST_FOLDER, options->folder);
    snprintf(s->ballast, sizeof s->ballast, "%.*s/store/ballast", MOST_FOLDER, options->folder);
    pthread_mutex_init(&s->writing, NULL);
    pthread_mutex_init(&s->books, NULL);
    pthread_rwlock_init(&s->env_lock, NULL);
    return s;
}

static void store_free(struct store *s)
{
    env_close(s);
    slots_free(s);
    seal_forget(&s->seal);
    if (s->lock >= 0)
        close(s->lock);
    pthread_rwlock_destroy(&s->env_lock);
    pthread_mutex_destroy(&s->books);
    pthread_mutex_destroy(&s->writing);
    free(s);
}

enum store_status store_open(const struct store_options *options, struct store **ret_store, char *ret_why,
                             size_t room)
{
    struct examined *x = child_memory(sizeof *x);
    struct store *s = strlen(options->folder) < MOST_FOLDER ? store_new(options) : NULL;
    enum store_status status = STORE_IO;

    if (!x || !s || !seal_set(&s->seal, options->key)) {
        snprintf(ret_why, room, "store: it cannot be opened: no memory, or the name of its folder is longer than %d "
                 "bytes; free some, or set a shorter state folder", MOST_FOLDER);
    } else {
        status = s->read_only ? open_to_read(s, x, ret_why, room) : open_to_write(s, x, ret_why, room);
        if (status == STORE_OK)
            status = format_check(s, ret_why, room);
    }
    if (x)
        seal_forget(&x->seal);
    child_memory_free(x, sizeof *x);
    if (status == STORE_OK) {
        *ret_store = s;
        return STORE_OK;
    }
    if (s)
        store_free(s);
    return status;
}

static int job_close(struct work *w, void *arg)
{
    (void)arg;
    w->head.is_clean = true;
    return 0;
}

void store_close(struct store **store)
{
    struct store *s = *store;

    if (!s)
        return;
    if (!s->read_only && !s->is_bad) {
        pthread_mutex_lock(&s->writing);
        work_run(s, job_close, NULL, false);
        pthread_mutex_unlock(&s->writing);
    }
    store_free(s);
    *store = NULL;
}

const char *store_opened(const struct store *s)
{
    return s->opened;
}

uint64_t store_room(struct store *s)
{
    uint64_t used = atomic_load(&s->used);

    return used < s->limit ? s->limit - used : 0;
}

/* A look reads what the writer wrote last. */
static enum store_status head_now(struct store *s, struct heads_store *ret_head)
{
    enum store_status status = STORE_IO;
    MDB_txn *txn;

    if (!s->read_only) {
        pthread_mutex_lock(&s->books);
        *ret_head = s->head;
        ret_head->lost += s->lost_unwritten;
        pthread_mutex_unlock(&s->books);
        return STORE_OK;
    }
    pthread_rwlock_rdlock(&s->env_lock);
    if (env_read(s, &txn) == 0) {
        status = env_head(s, txn, ret_head) ? STORE_BAD : STORE_OK;
        mdb_txn_abort(txn);
    }
    pthread_rwlock_unlock(&s->env_lock);
    return status;
}

enum store_status store_figures(struct store *s, struct store_figures *ret_figures)
{
    struct heads_store head;
    enum store_status status = head_now(s, &head);

    if (status != STORE_OK)
        return status;
    *ret_figures = (struct store_figures){
        .used = head.used,
        .limit = s->limit,
        .file_bytes = atomic_load(&s->file_bytes) + (ballast_is_there(s->ballast) ? (uint64_t)BALLAST_BYTES : 0),
        .group = head.group,
        .incarnation = head.incarnation,
        .lost = head.lost,
        .set_aside = head.set_aside,
        .committed_utc_ns = head.utc_ns,
        .committed_boot_ns = head.boot_ns,
        .is_sealed = s->seal.is_on,
    };
    memcpy(ret_figures->boot_id, head.boot_id, sizeof head.boot_id);
    return STORE_OK;
}
