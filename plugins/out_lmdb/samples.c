/* samples.c - puts records of samples into the runs of their stream.
 *
 * Mostly a record is behind all that its stream has: it is appended to the run
 * that grows, kept open in memory (a "lane") and written once a transaction.
 * Otherwise the one run that covers its key is looked into: it is there already
 * (a replay), or it came late, and that run is written anew around it.
 *
 * A run that cannot be read any more stays where it is: a record that falls
 * into its range begins a new run, which may store it a second time.
 */
#include "store.h"

#include <string.h>

void samples_forget(struct archive *a)
{
    uint32_t i;

    for (i = 0; i < a->lane_count; i++) {
        a->lanes[i].subject = 0;
        a->lanes[i].dirty = false;
    }
    a->index.valid = false;
}

static int run_write(struct archive *a, struct work *w, const struct run *run)
{
    uint8_t raw[KEY_BYTES];
    MDB_val key = { KEY_BYTES, raw }, v = { 0, a->value };

    key_write(raw, &run->first);
    v.mv_size = run_seal(run, a->value);
    a->index.valid = false;
    return mdb_put(w->txn, a->dbi[DB_SAMPLES], &key, &v, 0);
}

static int lane_flush(struct archive *a, struct work *w, struct lane *lane)
{
    if (!lane->dirty)
        return 0;
    lane->dirty = false;
    return run_write(a, w, &lane->run);
}

int samples_flush(struct archive *a, struct work *w)
{
    uint32_t i;
    int rc = 0;

    for (i = 0; i < a->lane_count && !rc; i++)
        rc = lane_flush(a, w, &a->lanes[i]);
    return rc;
}

static bool same_lane(const struct archive_key *a, const struct archive_key *b)
{
    return a->subject == b->subject && a->stream == b->stream;
}

/* The run with the greatest first key up to `key`, in the same lane. */
static int run_find(struct work *w, const struct archive_key *key, struct archive_key *ret_first, MDB_val *ret)
{
    uint8_t raw[KEY_BYTES];
    MDB_val k = { KEY_BYTES, raw };
    int rc;

    key_write(raw, key);
    rc = mdb_cursor_get(w->samples, &k, ret, MDB_SET_RANGE);
    if (rc && rc != MDB_NOTFOUND)
        return rc;
    if (rc || k.mv_size != KEY_BYTES || memcmp(k.mv_data, raw, KEY_BYTES)) {
        k.mv_size = KEY_BYTES;
        k.mv_data = raw;
        rc = mdb_cursor_get(w->samples, &k, ret, rc ? MDB_LAST : MDB_PREV);
        if (rc)
            return rc;
    }
    if (k.mv_size != KEY_BYTES)
        return MDB_CORRUPTED;
    key_read(ret_first, k.mv_data);
    return same_lane(ret_first, key) ? 0 : MDB_NOTFOUND;
}

/* Takes up the last run of the stream, if it has one. A damaged one counts as
 * there, full, and ended at its first key. */
static int lane_load(struct work *w, struct lane *lane, const struct archive_key *key)
{
    struct archive_key end = { key->subject, key->stream, INT64_MAX, { UINT64_MAX, UINT64_MAX } }, first;
    struct value value;
    MDB_val v;
    int rc = run_find(w, &end, &first, &v);

    lane->dirty = false;
    run_clear(&lane->run);
    if (!rc) {
        uint8_t raw[KEY_BYTES];

        key_write(raw, &first);
        if (!value_open(&value, DB_SAMPLES, raw, v.mv_data, v.mv_size) || !run_load(&lane->run, &first, &value)) {
            w->damaged++;
            run_clear(&lane->run);
            lane->run.count = RUN_RECORDS;
            lane->run.first = lane->run.state.last = first;
        }
    }
    if (rc && rc != MDB_NOTFOUND)
        return rc;
    lane->subject = key->subject;
    lane->stream = key->stream;
    return 0;
}

/* The lane of a stream; the one of its set that was used least makes room. */
static int lane_get(struct archive *a, struct work *w, const struct archive_key *key, struct lane **ret)
{
    uint64_t mix = (((uint64_t)key->subject << 32) | key->stream) * UINT64_C(0x9e3779b97f4a7c15);
    struct lane *set = a->lanes + (mix >> 32) % (a->lane_count / LANE_SET) * LANE_SET, *oldest = set;
    int i, rc;

    for (i = 0; i < LANE_SET; i++) {
        if (set[i].subject == key->subject && set[i].stream == key->stream) {
            set[i].used = ++a->tick;
            *ret = &set[i];
            return 0;
        }
        if (set[i].used < oldest->used)
            oldest = &set[i];
    }
    rc = lane_flush(a, w, oldest);
    if (rc)
        return rc;
    oldest->subject = 0;
    oldest->used = ++a->tick;
    *ret = oldest;
    return lane_load(w, oldest, key);
}

static int lane_append(struct archive *a, struct work *w, struct lane *lane, uint64_t schema,
                       const struct run_record *record)
{
    int rc;

    if (!run_append(&lane->run, schema, record)) {
        rc = lane_flush(a, w, lane);
        if (rc)
            return rc;
        run_clear(&lane->run);
        if (!run_append(&lane->run, schema, record))
            return MDB_BAD_VALSIZE;
    }
    lane->dirty = true;
    return 0;
}

/* Fills the index with the run that covers key. MDB_NOTFOUND: no run does, or
 * it is damaged. */
static int index_load(struct archive *a, struct work *w, const struct archive_key *key)
{
    struct run_index *index = &a->index;
    struct archive_key first;
    struct run_record record;
    struct value value;
    uint8_t raw[KEY_BYTES];
    MDB_val v, k;
    int more, rc = run_find(w, key, &first, &v);

    index->valid = false;
    index->count = 0;
    if (rc)
        return rc;
    key_write(raw, &first);
    if (!value_open(&value, DB_SAMPLES, raw, v.mv_data, v.mv_size) || !run_open(&a->reader, &first, &value)) {
        w->damaged++;
        return MDB_NOTFOUND;
    }
    while ((more = run_next(&a->reader, &record, a->payload)) > 0) {
        index->sums[index->count] = content_sum(record.data, record.size, AFF_SAMPLES, value.schema);
        index->keys[index->count++] = record.key;
    }
    if (more < 0 || !index->count) {
        w->damaged++;
        return MDB_NOTFOUND;
    }
    rc = mdb_cursor_get(w->samples, &k, &v, MDB_NEXT);
    index->bounded = !rc && k.mv_size == KEY_BYTES;
    if (index->bounded)
        key_read(&index->next, k.mv_data);
    index->valid = !rc || rc == MDB_NOTFOUND;
    return index->valid ? 0 : rc;
}

static bool index_covers(const struct run_index *index, const struct archive_key *key)
{
    return index->valid && same_lane(&index->keys[0], key) && key_compare(&index->keys[0], key) <= 0
        && (!index->bounded || key_compare(key, &index->next) < 0);
}

/* The place of a key, or -1. */
static int index_find(const struct run_index *index, const struct archive_key *key)
{
    uint32_t low = 0, high = index->count;

    while (low < high) {
        uint32_t middle = (low + high) / 2;
        int order = key_compare(&index->keys[middle], key);

        if (!order)
            return (int)middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return -1;
}

static int spare_add(struct archive *a, struct work *w, uint64_t schema, const struct run_record *record)
{
    int rc;

    if (run_append(&a->spare, schema, record))
        return 0;
    rc = run_write(a, w, &a->spare);
    run_clear(&a->spare);
    if (!rc && !run_append(&a->spare, schema, record))
        rc = MDB_BAD_VALSIZE;
    return rc;
}

/* Writes the run that covers the record anew, with the record in its place. */
static int run_insert(struct archive *a, struct work *w, uint64_t schema, const struct run_record *late)
{
    uint8_t copy[RUN_VALUE], raw[KEY_BYTES];
    struct archive_key first;
    struct run_record record;
    struct value value;
    bool placed = false;
    MDB_val v;
    int rc = run_find(w, &late->key, &first, &v);

    if (rc || v.mv_size > sizeof copy)
        return rc ? rc : MDB_CORRUPTED;
    memcpy(copy, v.mv_data, v.mv_size); /* LMDB's memory changes under a put */
    key_write(raw, &first);
    if (!value_open(&value, DB_SAMPLES, raw, copy, v.mv_size) || !run_open(&a->reader, &first, &value))
        return MDB_CORRUPTED;
    run_clear(&a->spare);
    while (!rc && run_next(&a->reader, &record, a->payload) > 0) {
        if (!placed && key_compare(&late->key, &record.key) < 0) {
            placed = true;
            rc = spare_add(a, w, schema, late);
        }
        if (!rc)
            rc = spare_add(a, w, value.schema, &record);
    }
    if (!rc && !placed)
        rc = spare_add(a, w, schema, late);
    return rc ? rc : run_write(a, w, &a->spare);
}

/* A record at or before the end of its stream. */
static int late_put(struct archive *a, struct work *w, struct lane *lane, uint64_t schema,
                    const struct run_record *record)
{
    int at = -1, rc = lane_flush(a, w, lane);

    if (rc)
        return rc;
    if (!index_covers(&a->index, &record->key))
        rc = index_load(a, w, &record->key);
    if (rc && rc != MDB_NOTFOUND)
        return rc;
    if (!rc)
        at = index_find(&a->index, &record->key);
    if (at >= 0 && a->index.sums[at] != content_sum(record->data, record->size, AFF_SAMPLES, schema))
        return OTHER_CONTENT;
    if (at >= 0) {
        w->repeated++;
        return 0;
    }
    lane->subject = 0; /* its last run may change: load it again */
    w->stored++;
    w->payload += record->size;
    if (!rc)
        return run_insert(a, w, schema, record);
    run_clear(&a->spare);
    if (!run_append(&a->spare, schema, record))
        return MDB_BAD_VALSIZE;
    return run_write(a, w, &a->spare);
}

int samples_put(struct archive *a, struct work *w, const struct archive_key *key, uint64_t schema,
                const struct aff_record *record)
{
    struct run_record r = { *key, record->flags, record->clock, record->data, record->size };
    struct lane *lane;
    int rc = lane_get(a, w, key, &lane);

    if (rc)
        return rc;
    if (lane->run.count && key_compare(key, &lane->run.state.last) <= 0)
        return late_put(a, w, lane, schema, &r);
    w->stored++;
    w->payload += record->size;
    return lane_append(a, w, lane, schema, &r);
}
