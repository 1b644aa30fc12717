/* look.c - the state that a query looks at, and the names in it. */
#include "query_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const tree_names[] = {
    [DB_NAMES] = "names", [DB_SCHEMAS] = "schemas", [DB_RECORDS] = "records", [DB_SAMPLES] = "samples",
};

/* The trees move with each of the writer's transactions. */
static bool trees_find(struct archive_query *q, size_t txnid)
{
    int db;

    if (q->found && q->txnid == txnid)
        return true;
    if (!pages_at(&q->pages, txnid))
        return false;
    for (db = DB_NAMES; db <= DB_SAMPLES; db++) {
        q->trees[db].depth = 0;
        if (!tree_open(&q->pages, tree_names[db], &q->trees[db]))
            q->damage++;
    }
    q->txnid = txnid;
    q->found = true;
    return true;
}

aff_status look_begin(struct archive_query *q)
{
    int tries;

    if (!q->txn) {
        if (trees_find(q, 0))
            return AFF_OK;
        return query_fail(q, AFF_ERR_DATA, "cannot read", "its first pages are damaged");
    }
    for (tries = 0; tries < 100; tries++) {
        int rc = mdb_txn_renew(q->txn);

        if (rc == MDB_MAP_RESIZED) {
            rc = mdb_env_set_mapsize(q->env, 0);
            if (!rc)
                rc = mdb_txn_renew(q->txn);
        }
        if (rc)
            return query_fail(q, AFF_ERR_IO, "cannot read", mdb_strerror(rc));
        if (trees_find(q, mdb_txn_id(q->txn)))
            return AFF_OK;
        mdb_txn_reset(q->txn);
    }
    return query_fail(q, AFF_ERR_DATA, "cannot read", "its first pages are damaged");
}

void look_end(struct archive_query *q)
{
    if (q->txn)
        mdb_txn_reset(q->txn);
}

aff_status look_over(struct archive_query *q)
{
    aff_status st = look_begin(q);
    size_t bad;

    if (st < 0)
        return st;
    bad = pages_walk(&q->pages);
    look_end(q);
    if (bad == SIZE_MAX)
        return query_fail(q, AFF_ERR_MEMORY, "cannot read", "no memory");
    q->damage += bad != 0;
    return AFF_OK;
}

/* The content of an item of this key, if it is there and whole. */
static const uint8_t *item_take(struct archive_query *q, enum archive_db db, const void *key, size_t key_size,
                                size_t *ret_size)
{
    struct item item;

    if (!tree_above(&q->pages, &q->trees[db], key, key_size, &item))
        return NULL;
    if (item.key_size != key_size || memcmp(item.key, key, key_size) || item.size < 8)
        return NULL;
    *ret_size = item.size - 8;
    if (get_u64(item.data) != item_sum(db, key, key_size, item.data + 8, *ret_size))
        return NULL;
    return item.data + 8;
}

static void name_key(uint8_t out[6], char kind, uint32_t number)
{
    out[0] = (uint8_t)kind;
    out[1] = 'n';
    put_be32(out + 2, number);
}

/* By walking all names: a damaged row then costs no other name. */
aff_status look_number(struct archive_query *q, char kind, const char *name, uint32_t *ret)
{
    size_t length = strlen(name);
    uint32_t number = 1;
    aff_status st = look_begin(q);

    *ret = 0;
    if (st < 0)
        return st;
    for (; number; number++) {
        const uint8_t *data;
        struct item item;
        uint8_t key[6];
        size_t size;

        name_key(key, kind, number);
        if (!tree_above(&q->pages, &q->trees[DB_NAMES], key, sizeof key, &item))
            break;
        if (item.key_size != sizeof key || memcmp(item.key, key, 2))
            break;
        number = get_be32(item.key + 2);
        name_key(key, kind, number);
        data = item_take(q, DB_NAMES, key, sizeof key, &size);
        q->damage += !data;
        if (data && size == length && !memcmp(data, name, length)) {
            *ret = number;
            break;
        }
    }
    look_end(q);
    return AFF_OK;
}

static char *text_copy(char **text, const uint8_t *data, size_t size)
{
    char *fresh = realloc(*text, size + 1);

    if (!fresh)
        return NULL;
    memcpy(fresh, data, size);
    fresh[size] = '\0';
    *text = fresh;
    return fresh;
}

static const char *name_of(struct archive_query *q, int which, char kind, uint32_t number)
{
    char plain[16];
    const uint8_t *data;
    uint8_t key[6];
    size_t size;

    if (q->name[which] && q->number[which] == number)
        return q->name[which];
    if (look_begin(q) < 0)
        return NULL;
    name_key(key, kind, number);
    data = item_take(q, DB_NAMES, key, sizeof key, &size);
    if (!data) {
        q->damage++;
        size = (size_t)snprintf(plain, sizeof plain, "#%u", (unsigned)number);
        data = (const uint8_t *)plain;
    }
    if (!text_copy(&q->name[which], data, size)) {
        look_end(q);
        return NULL;
    }
    look_end(q);
    q->number[which] = number;
    return q->name[which];
}

const char *query_subject(struct archive_query *q, const struct archive_found *found)
{
    return name_of(q, 0, 's', found->key.subject);
}

const char *query_stream(struct archive_query *q, const struct archive_found *found)
{
    return name_of(q, 1, 't', found->key.stream);
}

const char *query_schema(struct archive_query *q, uint64_t hash, size_t *ret_length)
{
    const uint8_t *data;
    uint8_t key[8];
    char *text;

    if (look_begin(q) < 0)
        return NULL;
    put_be64(key, hash);
    data = item_take(q, DB_SCHEMAS, key, sizeof key, ret_length);
    q->damage += !data;
    text = data ? text_copy(&q->text, data, *ret_length) : NULL;
    look_end(q);
    return text;
}
