/* query.c - the order and the filter of a query, see query.h.
 *
 * Single records and runs of samples lie in two databases with the same keys;
 * each has a head here, the next record of it that is wanted, and the smaller
 * of the two goes out.
 *
 * Not here: how a head finds its next record (head.c), names (look.c).
 */
#include "query_inside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

aff_status query_fail(struct archive_query *q, aff_status status, const char *what, const char *why)
{
    snprintf(q->cause, sizeof q->cause, "%s the archive: %s", what, why);
    return status;
}

/* LMDB refuses a file with one damaged meta page, and cannot make its lock in a
 * folder that is read only. Without a writer no guard is needed; our lock on
 * writer.lock keeps one away. */
static bool guard_replace(struct archive_query *q, const char *path)
{
    char *file = malloc(strlen(path) + sizeof "/writer.lock");
    bool alone = false;

    if (!file)
        return false;
    sprintf(file, "%s/writer.lock", path);
    q->lock = open(file, O_RDONLY | O_CLOEXEC);
    if (q->lock >= 0)
        alone = !flock(q->lock, LOCK_SH | LOCK_NB);
    else
        alone = errno == ENOENT; /* a copy, without the lock */
    free(file);
    return alone;
}

/* Only keeps a writer from using pages again that are being read here. */
static aff_status guard_open(struct archive_query *q, const char *path)
{
    int rc = mdb_env_create(&q->env);

    if (rc) {
        q->env = NULL;
        return query_fail(q, AFF_ERR_MEMORY, "cannot read", mdb_strerror(rc));
    }
    rc = mdb_env_open(q->env, path, MDB_RDONLY | MDB_NOTLS, 0600);
    if (!rc)
        rc = mdb_txn_begin(q->env, NULL, MDB_RDONLY, &q->txn);
    if (!rc) {
        mdb_txn_reset(q->txn);
        return AFF_OK;
    }
    q->txn = NULL;
    mdb_env_close(q->env);
    q->env = NULL;
    return guard_replace(q, path) ? AFF_OK : query_fail(q, AFF_ERR_IO, "cannot read", mdb_strerror(rc));
}

static aff_status format_check(struct archive_query *q)
{
    struct archive_format format = { 0 };
    struct tree meta;
    struct item item;
    aff_status st = look_begin(q);

    if (st < 0)
        return st;
    if (tree_open(&q->pages, "meta", &meta)
        && tree_above(&q->pages, &meta, FORMAT_KEY, sizeof FORMAT_KEY - 1, &item)
        && item.key_size == sizeof FORMAT_KEY - 1 && !memcmp(item.key, FORMAT_KEY, item.key_size))
        format = format_read(item.data, item.size);
    else
        q->damage++; /* the mark is gone: what has good checksums is read */
    look_end(q);
    if (format.known && format.version > FORMAT_VERSION)
        return format_judge(&format, q->cause, sizeof q->cause);
    return AFF_OK;
}

/* Numbers of the wanted names; `nothing` if there is no such name. */
static aff_status filter_take(struct archive_query *q, const struct archive_filter *filter)
{
    aff_status st = AFF_OK;

    q->from = filter->from;
    q->to = filter->to;
    if (filter->subject)
        st = look_number(q, 's', filter->subject, &q->subject);
    if (st >= 0 && filter->stream)
        st = look_number(q, 't', filter->stream, &q->stream);
    q->nothing = (filter->subject && !q->subject) || (filter->stream && !q->stream) || q->from >= q->to;
    return st;
}

static aff_status query_start(struct archive_query *q, const char *path, const struct archive_filter *filter)
{
    char *file = malloc(strlen(path) + sizeof "/data.mdb");
    aff_status st;
    int rc;

    if (!file)
        return query_fail(q, AFF_ERR_MEMORY, "cannot read", strerror(ENOMEM));
    sprintf(file, "%s/data.mdb", path);
    rc = pages_open(&q->pages, file);
    free(file);
    if (rc)
        return query_fail(q, AFF_ERR_IO, "cannot read", strerror(rc));
    q->mapped = true;
    if (!pages_at(&q->pages, 0))
        return query_fail(q, AFF_ERR_DATA, "cannot read",
                          "its first pages are damaged or cut short, or it is no archive");
    st = guard_open(q, path);
    if (st >= 0)
        st = format_check(q);
    if (st >= 0)
        st = look_over(q);
    return st < 0 ? st : filter_take(q, filter);
}

aff_status query_open(struct archive_query **ret, const char *path, const struct archive_filter *filter,
                      char *cause, size_t room)
{
    struct archive_query *q = calloc(1, sizeof *q);
    aff_status st;

    if (!q) {
        snprintf(cause, room, "no memory to read the archive");
        return AFF_ERR_MEMORY;
    }
    q->lock = -1;
    q->head[0].db = DB_RECORDS;
    q->head[1].db = DB_SAMPLES;
    q->head[0].wanted = q->head[1].wanted = (struct archive_key){ .time = INT64_MIN };
    st = query_start(q, path, filter);
    if (st < 0) {
        snprintf(cause, room, "%s", q->cause);
        query_close(q);
        return st;
    }
    *ret = q;
    return AFF_OK;
}

void query_close(struct archive_query *q)
{
    if (!q)
        return;
    if (q->txn)
        mdb_txn_abort(q->txn);
    if (q->env)
        mdb_env_close(q->env);
    if (q->lock >= 0)
        close(q->lock);
    if (q->mapped)
        pages_close(&q->pages);
    free(q->head[0].memory);
    free(q->head[0].room);
    free(q->text);
    free(q->name[0]);
    free(q->name[1]);
    free(q);
}

/* Whether a record is wanted. If not, *key becomes the least key above it that
 * may be, and false stays in *ret_more when there is none. */
bool query_wants(const struct archive_query *q, struct archive_key *key, bool *ret_more)
{
    bool lane_over = q->to != INT64_MAX && key->time >= q->to;

    *ret_more = true;
    if (q->subject && key->subject != q->subject) {
        *ret_more = key->subject < q->subject;
        *key = (struct archive_key){ q->subject, q->stream, q->from, { 0, 0 } };
        return false;
    }
    if (q->stream && (key->stream > q->stream || (key->stream == q->stream && lane_over))) {
        *ret_more = !q->subject && key->subject < UINT32_MAX;
        *key = (struct archive_key){ key->subject + 1, q->stream, q->from, { 0, 0 } };
        return false;
    }
    if (q->stream && key->stream < q->stream) {
        *key = (struct archive_key){ key->subject, q->stream, q->from, { 0, 0 } };
        return false;
    }
    if (lane_over) {
        *ret_more = key->stream < UINT32_MAX;
        *key = (struct archive_key){ key->subject, key->stream + 1, q->from, { 0, 0 } };
        return false;
    }
    if (key->time < q->from) {
        *key = (struct archive_key){ key->subject, key->stream, q->from, { 0, 0 } };
        return false;
    }
    return true;
}

static uint64_t damage_total(const struct archive_query *q)
{
    return q->damage + q->pages.damaged;
}

aff_status query_next(struct archive_query *q, struct archive_found *ret)
{
    struct head *next = NULL;
    int i;

    if (q->nothing)
        return AFF_END;
    for (i = 0; i < 2; i++) {
        struct head *head = &q->head[i];
        aff_status st = head_fill(q, head);

        if (st < 0)
            return st;
        if (head->ready && (!next || key_compare(&head->found.key, &next->found.key) < 0))
            next = head;
    }
    if (damage_total(q) > q->told) {
        q->told++;
        return query_fail(q, AFF_ERR_DATA, "stepped over damage in",
                          "a page or value is not what was written; the rest is read");
    }
    if (!next)
        return AFF_END;
    *ret = next->found;
    head_take(next);
    return AFF_OK;
}

const char *query_cause(const struct archive_query *q)
{
    return q->cause;
}

uint64_t query_damaged(const struct archive_query *q)
{
    return damage_total(q);
}
