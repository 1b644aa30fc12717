/* names.c - the archive's own numbers for subjects, streams and schemas.
 *
 * The small integers of a run mean nothing in the next one. A name gets its
 * number when it is first stored, in the transaction of its first record. Rows:
 *   kind 'h' hash probe -> number      kind 'n' number -> name
 * (kind: 's' subject, 't' stream)
 * and, in a database of their own, hash of a schema -> its canonical text. The
 * hash only finds a row; the name in it decides, so two patients can never
 * become one, not even by names made to collide.
 */
#include "store.h"

#include <string.h>

#include <xxhash.h>

enum { PROBES = 16 };

/* Items are a checksum and bytes. MDB_CORRUPTED: the checksum is wrong. */
static int item_get(struct archive *a, struct work *w, enum archive_db db, const MDB_val *key,
                    const uint8_t **ret, size_t *ret_size)
{
    MDB_val k = *key, v;
    int rc = mdb_get(w->txn, a->dbi[db], &k, &v);

    if (rc)
        return rc;
    if (v.mv_size < 8)
        return MDB_CORRUPTED;
    *ret = (const uint8_t *)v.mv_data + 8;
    *ret_size = v.mv_size - 8;
    if (get_u64(v.mv_data) != item_sum(db, key->mv_data, key->mv_size, *ret, *ret_size))
        return MDB_CORRUPTED;
    return 0;
}

static int item_put(struct archive *a, struct work *w, enum archive_db db, const MDB_val *key,
                    const void *data, size_t size)
{
    MDB_val k = *key, v = { .mv_size = size + 8 };
    int rc = mdb_put(w->txn, a->dbi[db], &k, &v, MDB_RESERVE);

    if (rc)
        return rc;
    put_u64(v.mv_data, item_sum(db, key->mv_data, key->mv_size, data, size));
    memcpy((uint8_t *)v.mv_data + 8, data, size);
    return 0;
}

/* A key of the names table; returns its size. */
static size_t name_key(uint8_t out[16], char kind, char row, uint64_t hash, uint32_t number)
{
    out[0] = (uint8_t)kind;
    out[1] = (uint8_t)row;
    if (row == 'n') {
        put_be32(out + 2, number);
        return 6;
    }
    put_be64(out + 2, hash);
    put_be32(out + 10, number);
    return 14;
}

/* The last number of a kind, 0 if there is none yet. */
static int number_last(struct archive *a, struct work *w, char kind, uint32_t *ret)
{
    uint8_t raw[16];
    MDB_val key = { name_key(raw, kind, 'n', 0, UINT32_MAX), raw }, v;
    MDB_cursor *cursor;
    int rc = mdb_cursor_open(w->txn, a->dbi[DB_NAMES], &cursor);

    *ret = 0;
    if (rc)
        return rc;
    rc = mdb_cursor_get(cursor, &key, &v, MDB_SET_RANGE);
    rc = mdb_cursor_get(cursor, &key, &v, rc == MDB_NOTFOUND ? MDB_LAST : MDB_PREV);
    if (!rc && key.mv_size == 6 && !memcmp(key.mv_data, raw, 2))
        *ret = get_be32((const uint8_t *)key.mv_data + 2);
    mdb_cursor_close(cursor);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

static int name_add(struct archive *a, struct work *w, const MDB_val *key, char kind,
                    const char *name, uint32_t *ret)
{
    uint8_t raw[16], cell[4];
    MDB_val row = { 0, raw };
    int rc = number_last(a, w, kind, ret);

    if (rc)
        return rc;
    if (*ret >= UINT32_MAX - 1)
        return MDB_MAP_FULL;
    put_u32(cell, ++*ret);
    rc = item_put(a, w, DB_NAMES, key, cell, 4);
    if (rc)
        return rc;
    row.mv_size = name_key(raw, kind, 'n', 0, *ret);
    return item_put(a, w, DB_NAMES, &row, name, strlen(name));
}

/* Whether `number` is `name`: 0 yes, MDB_NOTFOUND no. A row that was damaged is
 * written again: its hash says what it was. */
static int name_check(struct archive *a, struct work *w, char kind, uint32_t number, const char *name)
{
    uint8_t raw[16];
    MDB_val row = { name_key(raw, kind, 'n', 0, number), raw };
    const uint8_t *data;
    size_t size, length = strlen(name);
    int rc = item_get(a, w, DB_NAMES, &row, &data, &size);

    if (rc == MDB_CORRUPTED || rc == MDB_NOTFOUND) {
        w->damaged++;
        return item_put(a, w, DB_NAMES, &row, name, length);
    }
    if (rc)
        return rc;
    return size == length && !memcmp(data, name, length) ? 0 : MDB_NOTFOUND;
}

/* A damaged hash row: the name may still have its number. */
static int name_search(struct archive *a, struct work *w, const MDB_val *key, char kind,
                       const char *name, uint32_t *ret)
{
    size_t size, length = strlen(name);
    uint32_t last, i;
    int rc = number_last(a, w, kind, &last);

    w->damaged++;
    for (i = 1; !rc && i <= last; i++) {
        uint8_t raw[16], cell[4];
        MDB_val row = { name_key(raw, kind, 'n', 0, i), raw };
        const uint8_t *data;

        if (item_get(a, w, DB_NAMES, &row, &data, &size) || size != length || memcmp(data, name, length))
            continue;
        *ret = i;
        put_u32(cell, i);
        return item_put(a, w, DB_NAMES, key, cell, 4);
    }
    return rc ? rc : name_add(a, w, key, kind, name, ret);
}

static int name_number(struct archive *a, struct work *w, char kind, const char *name, uint32_t *ret)
{
    size_t length = strlen(name);
    uint64_t hash = XXH3_64bits(name, length);
    uint32_t probe;

    for (probe = 0; probe < PROBES; probe++) {
        uint8_t raw[16];
        MDB_val key = { name_key(raw, kind, 'h', hash, probe), raw };
        const uint8_t *data;
        size_t size;
        int rc = item_get(a, w, DB_NAMES, &key, &data, &size);

        if (rc == MDB_NOTFOUND)
            return name_add(a, w, &key, kind, name, ret);
        if (rc == MDB_CORRUPTED || (!rc && size != 4))
            return name_search(a, w, &key, kind, name, ret);
        if (rc)
            return rc;
        *ret = get_u32(data);
        rc = name_check(a, w, kind, *ret, name);
        if (rc != MDB_NOTFOUND)
            return rc;
    }
    return MDB_BAD_VALSIZE;
}

bool names_usable(struct archive *a, const struct aff_record *record)
{
    struct schema_entry *e = &a->schemas[record->schema & (SCHEMA_CACHE - 1)];
    const struct aff_stream_info *info = a->hooks.stream(a->hooks.ctx, record->stream);

    if (!record->stream || !info || !info->subject_name || !info->name)
        return false;
    if (!record->schema || e->schema == record->schema)
        return true;
    if (!a->hooks.schema(a->hooks.ctx, record->schema, a->text, sizeof a->text))
        return false;
    e->schema = record->schema;
    e->hash = 0;
    return true;
}

int names_stream(struct archive *a, struct work *w, uint32_t stream, struct stream_entry *ret)
{
    const struct aff_stream_info *info = a->hooks.stream(a->hooks.ctx, stream);
    struct stream_entry *e = &a->streams[stream & (STREAM_CACHE - 1)];
    int rc;

    if (!info || !info->subject_name || !info->name)
        return MDB_BAD_VALSIZE;
    if (e->stream == stream && e->generation == info->generation && stream) {
        *ret = *e;
        return 0;
    }
    rc = name_number(a, w, 's', info->subject_name, &ret->subject_id);
    if (!rc)
        rc = name_number(a, w, 't', info->name, &ret->stream_id);
    if (rc)
        return rc;
    ret->stream = stream;
    ret->generation = info->generation;
    *e = *ret;
    return 0;
}

static int schema_store(struct archive *a, struct work *w, const char *text, size_t length, uint64_t *ret)
{
    uint64_t hash = XXH3_64bits(text, length);
    int probe;

    for (probe = 0; probe < PROBES; probe++, hash++) {
        uint8_t raw[8];
        MDB_val key = { 8, raw };
        const uint8_t *data;
        size_t size;
        int rc;

        hash += !hash; /* 0 means "none" */
        put_be64(raw, hash);
        *ret = hash;
        rc = item_get(a, w, DB_SCHEMAS, &key, &data, &size);
        if (rc == MDB_NOTFOUND || rc == MDB_CORRUPTED)
            return item_put(a, w, DB_SCHEMAS, &key, text, length);
        if (rc)
            return rc;
        if (size == length && !memcmp(data, text, length))
            return 0;
    }
    return MDB_BAD_VALSIZE;
}

int names_schema(struct archive *a, struct work *w, uint32_t schema, uint64_t *ret_hash)
{
    struct schema_entry *e = &a->schemas[schema & (SCHEMA_CACHE - 1)];
    size_t length;
    int rc;

    *ret_hash = 0;
    if (!schema)
        return 0;
    if (e->schema == schema && e->hash) {
        *ret_hash = e->hash;
        return 0;
    }
    length = a->hooks.schema(a->hooks.ctx, schema, a->text, sizeof a->text);
    if (!length)
        return MDB_BAD_VALSIZE;
    rc = schema_store(a, w, a->text, length, ret_hash);
    if (rc)
        return rc;
    e->schema = schema;
    e->hash = *ret_hash;
    return 0;
}

void names_forget(struct archive *a)
{
    memset(a->streams, 0, sizeof a->streams);
    memset(a->schemas, 0, sizeof a->schemas);
}
