/* store.c - the waiting area, and the one transaction that empties it.
 *
 * Samples go into runs (samples.c), any other record is a value of its own, put
 * without overwriting: its key is its identity, so that alone is exactly-once. What
 * is there under the same key is compared: other content is kept, too.
 *
 * Not here: opening and the limit (env.c), what a body looks like (pack.c).
 */
#include "store.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

#include <xxhash.h>

#include "pack.h"

enum { READER_CHECK = 64 /* commits */, SPACE_LEAST = 64 * 1024 /* bytes */ };

static size_t padded(size_t size)
{
    return (size + 15) & ~(size_t)15;
}

/* Codes samples into out: their head as it is, then the planes. 0: they would
 * not become smaller. */
static size_t samples_pack(uint8_t *out, const struct aff_record *record)
{
    const struct aff_samples *s = record->data;
    const uint8_t *planes = (const uint8_t *)(s + 1);
    size_t stride, used = sizeof *s, c;

    if (!aff_samples_ok(s, record->size) || !s->count || !s->channels)
        return 0;
    if (record->size != aff_samples_size(s->count, s->channels, s->format))
        return 0;
    stride = aff_plane_stride(s->count, s->format);
    memcpy(out, s, sizeof *s);
    for (c = 0; c < s->channels; c++) {
        uint32_t last = 0;

        used += pack_plane(out + used, planes + c * stride, s->count, s->format, &last);
    }
    return used < record->size ? used : 0;
}

/* Builds the value of a single record in a->big; false: it is too large for
 * that and is stored as it is. */
static bool single_build(struct archive *a, const struct aff_record *record, struct value *v,
                         const uint8_t raw[KEY_BYTES])
{
    size_t packed = 0;

    if (record->size > SQUEEZE_MOST)
        return false;
    if (record->type == AFF_SAMPLES)
        packed = samples_pack(a->big + VALUE_HEAD, record);
    if (packed) {
        v->codec |= CODEC_PACKED;
        v->size = (uint32_t)packed;
    } else if (record->size) {
        memcpy(a->big + VALUE_HEAD, record->data, record->size);
    }
    v->body_size = v->size;
    value_squeeze(a->big, v, a->room);
    value_seal(a->big, v, DB_RECORDS, raw);
    return true;
}

static uint64_t body_sum(struct archive *a, const struct value *v)
{
    const uint8_t *plain = value_expand(v, a->room);

    return plain ? XXH3_64bits(plain, v->size) : 0;
}

/* Whether what is stored is what single_build has made of a record, or, where that was
 * too large, the record itself. lz4 may have been another version then: so bodies are
 * compared, and what pack.c makes of samples never changes within a format. */
static bool single_is_same(struct archive *a, const struct aff_record *record, bool is_built, const struct value *v,
                           const struct value *old)
{
    struct value fresh = *v;

    if (old->type != v->type || old->schema != v->schema || old->size != v->size ||
        (old->codec & CODEC_PACKED) != (v->codec & CODEC_PACKED))
        return false;
    if (!is_built)
        return old->body_size == record->size && !memcmp(old->body, record->data, record->size);
    fresh.body = a->big + VALUE_HEAD;
    if (old->codec == v->codec && old->body_size == v->body_size && !memcmp(old->body, fresh.body, v->body_size))
        return true;
    return body_sum(a, &fresh) == body_sum(a, old);
}

/* Puts one value. One that is there: MDB_KEYEXIST, OTHER_CONTENT, or MDB_CORRUPTED
 * where it is damaged. */
static int single_write(struct archive *a, struct work *w, const struct aff_record *record,
                        struct value *v, const uint8_t raw[KEY_BYTES], unsigned flags)
{
    MDB_val key = { KEY_BYTES, (void *)(uintptr_t)raw }, data = { 0, NULL };
    bool is_built = single_build(a, record, v, raw);
    struct value old;
    int rc;

    if (is_built) {
        data.mv_size = VALUE_HEAD + v->body_size;
        data.mv_data = a->big;
        rc = mdb_put(w->txn, a->dbi[DB_RECORDS], &key, &data, flags);
    } else {
        data.mv_size = VALUE_HEAD + (size_t)record->size;
        v->body_size = record->size;
        rc = mdb_put(w->txn, a->dbi[DB_RECORDS], &key, &data, flags | MDB_RESERVE);
        if (!rc) {
            memcpy((uint8_t *)data.mv_data + VALUE_HEAD, record->data, record->size);
            value_seal(data.mv_data, v, DB_RECORDS, raw);
        }
    }
    if (rc != MDB_KEYEXIST)
        return rc;
    if (!value_open(&old, DB_RECORDS, raw, data.mv_data, data.mv_size))
        return MDB_CORRUPTED;
    return single_is_same(a, record, is_built, v, &old) ? rc : OTHER_CONTENT;
}

static int single_put(struct archive *a, struct work *w, const struct archive_key *key, uint64_t schema,
                      const struct aff_record *record)
{
    struct value fresh = {
        .type = record->type, .clock = record->clock, .flags = record->flags,
        .count = 1, .size = record->size, .schema = schema,
    }, v = fresh;
    uint8_t raw[KEY_BYTES];
    int rc;

    key_write(raw, key);
    rc = single_write(a, w, record, &v, raw, MDB_NOOVERWRITE);
    if (rc == MDB_KEYEXIST) {
        w->repeated++;
        return 0;
    }
    if (rc == MDB_CORRUPTED) {
        w->damaged++;
        v = fresh;
        rc = single_write(a, w, record, &v, raw, 0);
    }
    if (!rc) {
        w->stored++;
        w->payload += record->size;
    }
    return rc;
}

uint64_t content_sum(const void *data, uint32_t size, uint8_t type, uint64_t schema)
{
    const struct aff_samples *s = data;
    const uint8_t *planes = (const uint8_t *)(s + 1);
    struct aff_samples head;
    uint64_t sum = schema ^ (uint64_t)type << 56;
    size_t c;

    if (type != AFF_SAMPLES || !aff_samples_ok(data, size) ||
        size != aff_samples_size(s->count, s->channels, s->format))
        return XXH3_64bits_withSeed(data, size, sum);
    head = *s;
    head.reserved = 0;
    sum = XXH3_64bits_withSeed(&head, sizeof head, sum);
    for (c = 0; c < head.channels; c++)
        sum = XXH3_64bits_withSeed(planes + c * aff_plane_stride(head.count, head.format),
                                   (size_t)head.count * aff_sample_width(head.format), sum);
    return sum;
}

static int key_put(struct archive *a, struct work *w, const struct archive_key *key, uint64_t schema,
                   const struct aff_record *record)
{
    if (record->type == AFF_SAMPLES && run_takes(record->data, record->size))
        return samples_put(a, w, key, schema, record);
    return single_put(a, w, key, schema, record);
}

/* The id of a record whose own id is there with other content: made of that id and the
 * content, so that it is the same in a replay, and also where the other one comes first
 * then. Were it taken by a third content, there would be the next one. */
static void key_beside(struct archive_key *key, uint64_t schema, const struct aff_record *record)
{
    uint64_t sum = content_sum(record->data, record->size, record->type, schema);

    key->id[1] = XXH3_64bits_withSeed(key->id, sizeof key->id, sum);
}

static int record_put(struct archive *a, struct work *w, const struct aff_record *record)
{
    struct aff_record plain = *record;
    uint64_t before = w->stored;
    bool is_beside = false;
    struct stream_entry stream;
    struct archive_key key;
    uint64_t schema;
    int rc = names_stream(a, w, record->stream, &stream);

    if (!rc)
        rc = names_schema(a, w, record->schema, &schema);
    if (rc)
        return rc;
    key.subject = stream.subject_id;
    key.stream = stream.stream_id;
    key.time = record->event_ns;
    key.id[0] = record->id.source;
    key.id[1] = record->id.seq;
    /* Says how a record came, not what it is: the first to come decides. */
    plain.flags = (uint16_t)(plain.flags & ~AFF_FLAG_RESENT);
    while ((rc = key_put(a, w, &key, schema, &plain)) == OTHER_CONTENT) {
        key_beside(&key, schema, &plain);
        is_beside = true;
    }
    w->differing += !rc && is_beside && w->stored > before;
    return rc;
}

static int area_put(struct archive *a, struct work *w)
{
    size_t at = 0;
    int rc = 0;

    while (!rc && at < a->area_used) {
        const struct aff_record *record = (const struct aff_record *)(const void *)(a->area + at);

        rc = record_put(a, w, record);
        at += sizeof *record + padded(record->size);
    }
    return rc;
}

/* LMDB makes EIO of a short write, which is how most disks begin to be full. */
static bool disk_is_full(const struct archive *a, int rc)
{
    struct statvfs fs;

    if (rc == ENOSPC || rc == EDQUOT)
        return true;
    return rc == EIO && statvfs(a->options.path, &fs) == 0 && fs.f_bavail * fs.f_frsize < SPACE_LEAST;
}

static aff_status work_failed(struct archive *a, int rc)
{
    names_forget(a);
    samples_forget(a);
    switch (rc) {
    case MDB_MAP_FULL:
        return archive_fail(a, AFF_ERR_IO, "the archive is full: limit = %llu bytes is reached; nothing was lost; raise "
                            "limit and reload (if that is refused, stop and run again), or stop and move the archive away",
                            (unsigned long long)a->options.limit);
    case ENOMEM:
        return archive_fail(a, AFF_ERR_MEMORY, "no memory for a transaction of the archive");
    case MDB_BAD_VALSIZE:
        return archive_fail(a, AFF_ERR_BUG, "a record names a stream or schema that the host no longer knows");
    default:
        a->sick = true;
        if (disk_is_full(a, rc))
            return archive_fail(a, AFF_ERR_IO, "no space is left on the archive's disk; nothing was lost; make room there");
        return archive_fail(a, AFF_ERR_IO, "the archive could not be written: %s; nothing was lost", mdb_strerror(rc));
    }
}

/* Nothing is lost, but who reads the archive sees two records where there was one. */
static void differing_tell(struct archive *a, const struct work *w)
{
    a->counts.differing += w->differing;
    if (!w->differing || a->told_differing)
        return;
    a->told_differing = true;
    a->hooks.say(a->hooks.ctx, AFF_LOG_WARN, "records came whose ids are in the archive with other content: both are kept, "
                 "with ids that differ; what was changed on the way, or is read anew by a changed pipeline, wants an "
                 "archive of its own");
}

static void work_done(struct archive *a, const struct work *w)
{
    double share;
    int dead;

    /* A reader that was killed keeps its pages from being used again. */
    if (a->counts.commits % READER_CHECK == 0)
        mdb_reader_check(a->env, &dead);
    a->counts.stored += w->stored;
    a->counts.repeated += w->repeated;
    a->counts.payload += w->payload;
    a->counts.damaged += w->damaged;
    a->counts.commits++;
    differing_tell(a, w);
    archive_used(a, &share);
    if (share >= 0.9 && !a->warned) {
        char text[160];

        a->warned = true;
        snprintf(text, sizeof text, "the archive holds %d %% of its limit of %llu bytes; raise limit or begin "
                 "another archive before it is full", (int)(share * 100), (unsigned long long)a->options.limit);
        a->hooks.say(a->hooks.ctx, AFF_LOG_WARN, text);
    }
}

/* One transaction with all that waits, or with `alone` instead. */
static aff_status work_run(struct archive *a, const struct aff_record *alone)
{
    struct work w = { 0 };
    aff_status st;
    int rc;

    if (a->sick) {
        env_close(a);
        st = env_open(a);
        if (st < 0)
            return st;
        a->sick = false;
    }
    rc = mdb_txn_begin(a->env, NULL, 0, &w.txn);
    if (rc)
        return work_failed(a, rc);
    rc = mdb_cursor_open(w.txn, a->dbi[DB_SAMPLES], &w.samples);
    if (!rc) {
        rc = alone ? record_put(a, &w, alone) : area_put(a, &w);
        if (!rc)
            rc = samples_flush(a, &w);
        mdb_cursor_close(w.samples);
    }
    if (rc) {
        mdb_txn_abort(w.txn);
        return work_failed(a, rc);
    }
    rc = mdb_txn_commit(w.txn);
    if (rc)
        return work_failed(a, rc);
    work_done(a, &w);
    return AFF_OK;
}

aff_status archive_commit(struct archive *a)
{
    aff_status st;

    if (!a->area_used)
        return AFF_OK;
    st = work_run(a, NULL);
    if (st >= 0)
        a->area_used = 0;
    return st;
}

aff_status archive_put(struct archive *a, const struct aff_record *record)
{
    size_t need = sizeof *record + padded(record->size);
    struct aff_record *copy;
    aff_status st;

    if (!names_usable(a, record))
        return archive_fail(a, AFF_ERR_DATA, "a record without a known stream, or with a schema of more than %d bytes",
                            SCHEMA_TEXT);
    if (need > a->options.batch - a->area_used) {
        st = archive_commit(a);
        if (st < 0)
            return st;
    }
    if (need > a->options.batch)
        return work_run(a, record);
    copy = (struct aff_record *)(void *)(a->area + a->area_used);
    *copy = *record;
    copy->data = copy + 1;
    if (record->size)
        memcpy(copy + 1, record->data, record->size);
    a->area_used += need;
    return AFF_OK;
}

const char *archive_cause(const struct archive *a)
{
    return a->cause;
}

const struct archive_counts *archive_counted(const struct archive *a)
{
    return &a->counts;
}

uint64_t archive_used(const struct archive *a, double *ret_share)
{
    uint64_t used = a->env ? env_used(a->env) : 0;

    if (ret_share)
        *ret_share = (double)used / (double)a->options.limit;
    return used;
}
