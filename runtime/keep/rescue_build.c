/* rescue_build.c - a new store of what was found good in a damaged one.
 *
 * Not here: the search (rescue.c), putting it in place (store_fresh.c). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "keep/pages.h"
#include "keep/rescue_inside.h"

enum { BATCH_VALUES = 20000, BATCH_BYTES = 32 << 20, RESCUED_BYTES = 24 };

struct build {
    struct finds *f;
    struct rescued *r;
    struct fresh fresh;
    MDB_txn *txn;
    uint64_t values, bytes; /* of the transaction in hand */
    struct base *base;
    MDB_dbi dbi, state;
    unsigned flags; /* MDB_APPEND where keys come in order: that fills pages */
    struct heads_store head;
    bool is_head_found, is_format_found;
};

/* ---- reading what was found ---- */

static const uint8_t *find_read(struct finds *f, const struct find *find, struct value *ret_value)
{
    uint8_t head[VALUE_HEAD], *bytes;
    uint64_t left = f->size - find->at;
    struct value value;
    size_t whole;

    if (!pages_read(f->fd, find->at, head, sizeof head) || !value_look(head, (size_t)left, &value))
        return NULL;
    whole = value.whole;
    if (whole > f->big_room || !f->big) {
        bytes = realloc(f->big, whole);
        if (!bytes)
            return NULL;
        f->big = bytes;
        f->big_room = whole;
    }
    return pages_read(f->fd, find->at, f->big, whole) && value_look(f->big, whole, ret_value) ? f->big : NULL;
}

/* The payload; given. NULL: it is gone meanwhile, or there is no memory. */
static uint8_t *find_open(struct finds *f, const struct find *find, struct value *ret_value)
{
    const struct seal plain = { 0 };
    uint8_t *bytes;

    if (!find_read(f, find, ret_value))
        return NULL;
    bytes = malloc(ret_value->size + 1);
    if (bytes && (value_open(f->seal, ret_value, bytes) || value_open(&plain, ret_value, bytes)))
        return bytes;
    free(bytes);
    return NULL;
}

/* ---- what counts ---- */

/* Records and letters have numbers for keys, from 1. */
static bool is_numbered(const struct base *base)
{
    return base->name || base->database == value_database(HEADS_DEAD);
}

/* In a whole tree: what stands in it, and what came in after it was written. */
static bool is_wanted(const struct finds *f, const struct base *base, const struct find *find)
{
    if (!find->is_good || (is_numbered(base) && find->seq == 0))
        return false;
    if (base->is_whole)
        return find->is_live || (find->database != f->state && find->group > f->base_group);
    return !base->is_known || find->seq > base->head.acked;
}

static void queue_head_take(struct finds *f, const struct value *value, const uint8_t *bytes)
{
    char name[VALUE_KEY_MOST + 1];
    struct heads_key key;
    struct heads_queue head;
    struct base *base;

    memcpy(name, (const uint8_t *)value->place.key + 1, value->place.key_size - 1);
    name[value->place.key_size - 1] = '\0';
    if (!heads_queue_read(bytes, value->size, &head) || !heads_database(&key, name))
        return;
    base = base_get(f, value_database((const char *)key.bytes));
    if (!base || base->name)
        return;
    base->name = strdup((const char *)key.bytes);
    base->is_known = base->name != NULL;
    base->head = head;
}

static void format_take(struct build *b, const uint8_t *bytes, size_t size)
{
    struct heads_format format;
    uint8_t id[SEAL_ID];

    if (!heads_format_read(bytes, size, &format))
        return;
    b->is_format_found = true;
    seal_id(b->f->seal, id);
    if (format.version > HEADS_VERSION)
        b->r->status = STORE_NEWER;
    else if (format.is_sealed != b->f->seal->is_on || memcmp(id, format.key_id, sizeof id) != 0)
        b->r->status = STORE_KEY;
}

/* Format, counts and queues, out of `state`. */
static void heads_take(struct build *b)
{
    struct finds *f = b->f;
    struct base *state = base_get(f, f->state);
    struct value value;

    f->base_group = UINT64_MAX;
    for (uint64_t i = 0; i < f->room && state; i++) {
        const struct find *find = &f->table[i];
        uint8_t *bytes, kind;

        if (find->database != f->state || !is_wanted(f, state, find))
            continue;
        bytes = find_open(f, find, &value);
        kind = bytes ? *(const uint8_t *)value.place.key : 0;
        if (kind == HEAD_FORMAT)
            format_take(b, bytes, value.size);
        if (kind == HEAD_STORE && heads_store_read(bytes, value.size, &b->head)) {
            b->is_head_found = true;
            if (find->is_tree)
                f->base_group = b->head.group;
        }
        if (kind == HEAD_QUEUE)
            queue_head_take(f, &value, bytes);
        free(bytes);
    }
}

/* ---- writing ---- */

static int batch_begin(struct build *b)
{
    b->values = b->bytes = 0;
    return mdb_txn_begin(b->fresh.env, NULL, 0, &b->txn);
}

static int batch_end(struct build *b)
{
    int error = mdb_txn_commit(b->txn);

    b->txn = NULL;
    return error;
}

static int put(struct build *b, MDB_dbi dbi, const struct value_place *place, uint64_t group, const void *bytes,
               size_t size)
{
    b->values++;
    b->bytes += size;
    b->head.used += value_cost(b->f->seal, place->key_size, size);
    return fresh_put(b->txn, dbi, b->f->seal, place, group, bytes, size, b->flags);
}

static const char *database_name(const struct finds *f, const struct base *base)
{
    if (base->database == f->state)
        return HEADS_STATE;
    if (base->database == value_database(HEADS_DEAD))
        return HEADS_DEAD;
    if (base->database == value_database(HEADS_NODE))
        return HEADS_NODE;
    return base->name;
}

static int base_enter(struct build *b, uint64_t database)
{
    struct base *base = base_get(b->f, database);
    const char *name = base ? database_name(b->f, base) : NULL;

    if (base && b->base == base)
        return 0;
    b->base = base;
    if (!name) {
        b->base = NULL;
        return 0; /* nobody knows whose records these are */
    }
    b->flags = is_numbered(base) ? MDB_APPEND : 0;
    return mdb_dbi_open(b->txn, name, MDB_CREATE, &b->dbi);
}

static void queue_count(struct build *b, const struct find *find, size_t size)
{
    struct heads_queue *head = &b->base->head;

    if (!b->base->name || find->seq == 0)
        return;
    if (head->records++ == 0)
        head->acked = find->seq - 1;
    head->bytes += value_cost(b->f->seal, HEADS_NUMBER, size);
}

static int find_carry(struct build *b, const struct find *find)
{
    struct value value;
    uint8_t *bytes = find_open(b->f, find, &value);
    bool is_state = find->database == b->f->state;
    int error = 0;

    if (!bytes)
        return 0;
    if (!is_state || *(const uint8_t *)value.place.key == HEAD_PIECE) {
        error = put(b, b->dbi, &value.place, find->group, bytes, value.size);
        if (!error) {
            b->r->kept++;
            queue_count(b, find, value.size);
        }
        if (is_state && !find->is_tree)
            b->r->is_state_mixed = true;
    }
    free(bytes);
    return error;
}

static int find_compare(const void *a, const void *b)
{
    const struct find *x = *(const struct find *const *)a, *y = *(const struct find *const *)b;

    if (x->database != y->database)
        return x->database < y->database ? -1 : 1;
    if (x->seq != y->seq)
        return x->seq < y->seq ? -1 : 1;
    return x->print < y->print ? -1 : x->print > y->print;
}

static int all_carry(struct build *b, struct find **wanted, uint64_t count)
{
    int error = batch_begin(b);

    for (uint64_t i = 0; i < count && !error; i++) {
        error = base_enter(b, wanted[i]->database);
        if (!error && b->base)
            error = find_carry(b, wanted[i]);
        else if (!error)
            b->r->lost++;
        if (error || (b->values < BATCH_VALUES && b->bytes < BATCH_BYTES))
            continue;
        error = batch_end(b);
        if (!error)
            error = batch_begin(b);
    }
    if (!b->txn)
        return error;
    if (!error)
        return batch_end(b);
    mdb_txn_abort(b->txn);
    b->txn = NULL;
    return error;
}

/* They count anew. */
static void heads_empty(struct finds *f)
{
    for (uint32_t i = 0; i < f->base_count; i++) {
        struct heads_queue *head = &f->bases[i].head;

        if (f->bases[i].name) {
            head->records = head->bytes = 0;
            head->acked = head->next - 1;
        }
    }
}

/* A queue says how many it held; elsewhere what the tree led to and is not whole. */
static void losses_count(struct build *b)
{
    struct finds *f = b->f;
    uint64_t before[EXAMINED_MOST] = { 0 };

    for (uint64_t i = 0; i < f->room; i++) {
        const struct find *find = &f->table[i];
        struct base *base = find->database || find->print ? base_get(f, find->database) : NULL;

        if (!base)
            continue;
        if (find->is_live && !find->is_good)
            b->r->lost += base->is_whole || !base->name;
        else if (is_wanted(f, base, find))
            before[base - f->bases]++;
    }
    for (uint32_t i = 0; i < f->base_count; i++) {
        const struct base *base = &f->bases[i];

        if (base->name && !base->is_whole && base->head.records > before[i])
            b->r->lost += base->head.records - before[i];
    }
}

static uint64_t state_put_heads(struct build *b, int kind, const char *name, const void *bytes, size_t size)
{
    struct value_place place = { .database = b->f->state };
    struct heads_key key;

    if (!heads_key(&key, kind, name))
        return 1;
    place.key = key.bytes;
    place.key_size = key.size;
    return put(b, b->state, &place, b->head.group, bytes, size) != 0;
}

static void little(uint8_t *to, uint64_t number, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        to[i] = (uint8_t)(number >> (8 * i));
}

static int queues_put(struct build *b)
{
    for (uint32_t i = 0; i < b->f->base_count; i++) {
        struct base *base = &b->f->bases[i];
        uint8_t bytes[HEADS_QUEUE_BYTES];
        MDB_dbi dbi;

        if (!base->name)
            continue;
        if (base->last >= base->head.next)
            base->head.next = base->last + 1;
        if (base->head.records == 0)
            base->head.acked = base->head.next - 1;
        heads_queue_write(&base->head, bytes);
        if (mdb_dbi_open(b->txn, base->name, MDB_CREATE, &dbi) ||
            state_put_heads(b, HEAD_QUEUE, base->name + sizeof HEADS_QUEUE - 1, bytes, sizeof bytes))
            return EIO;
    }
    return 0;
}

/* Numbers that were given out must not be given out again: without the old counts the
 * time of day stands in for how often the store was opened. */
static void head_renew(struct build *b)
{
    struct finds *f = b->f;
    struct base *dead = base_get(f, value_database(HEADS_DEAD));
    struct base *node = base_get(f, value_database(HEADS_NODE));

    if (!b->is_head_found)
        b->head.incarnation = (uint64_t)time(NULL);
    if (b->head.group <= f->group)
        b->head.group = f->group + 1;
    if (b->head.letters == 0)
        b->head.letters = 1;
    if (dead && dead->last >= b->head.letters)
        b->head.letters = dead->last + 1;
    if (node && node->last >= b->head.letters)
        b->head.letters = node->last + 1;
    b->head.lost += b->r->lost;
    b->head.set_aside++;
    b->head.is_clean = false;
    heads_now(&b->head);
}

static int heads_put(struct build *b)
{
    uint8_t bytes[HEADS_STORE_BYTES], rescued[RESCUED_BYTES];
    MDB_dbi dead, node;
    int error = batch_begin(b);

    if (error)
        return error;
    b->flags = 0;
    head_renew(b);
    little(rescued, 1, 4);
    little(rescued + 4, b->r->is_state_mixed ? STORE_MIXED : 0, 4);
    little(rescued + 8, b->r->lost, 8);
    little(rescued + 16, (uint64_t)b->head.utc_ns, 8);
    heads_store_write(&b->head, bytes);
    error = mdb_dbi_open(b->txn, HEADS_STATE, MDB_CREATE, &b->state);
    if (!error)
        error = mdb_dbi_open(b->txn, HEADS_DEAD, MDB_CREATE, &dead);
    if (!error)
        error = mdb_dbi_open(b->txn, HEADS_NODE, MDB_CREATE, &node);
    if (!error)
        error = format_put(b->txn, b->state, b->f->seal);
    if (!error)
        error = queues_put(b);
    if (!error && state_put_heads(b, HEAD_PIECE, STORE_RESCUED, rescued, sizeof rescued))
        error = EIO;
    if (!error && state_put_heads(b, HEAD_STORE, "", bytes, sizeof bytes))
        error = EIO;
    if (!error)
        return batch_end(b);
    mdb_txn_abort(b->txn);
    return error;
}

static int build_write(struct build *b)
{
    struct finds *f = b->f;
    struct find **wanted = malloc((size_t)(f->count + 1) * sizeof *wanted);
    uint64_t count = 0, map = f->size > b->r->limit ? f->size : b->r->limit;
    int error, closed;

    if (!wanted)
        return ENOMEM;
    for (uint64_t i = 0; i < f->room; i++) {
        struct find *find = &f->table[i];
        struct base *base = find->database || find->print ? base_get(f, find->database) : NULL;

        if (base && is_wanted(f, base, find))
            wanted[count++] = find;
    }
    qsort(wanted, (size_t)count, sizeof *wanted, find_compare);
    losses_count(b);
    heads_empty(f);
    b->head.used = 0;
    error = fresh_open(b->r->folder, store_map_size(map), &b->fresh);
    if (!error) {
        error = all_carry(b, wanted, count);
        if (!error)
            error = heads_put(b);
        closed = fresh_close(&b->fresh);
        error = error ? error : closed;
    }
    free(wanted);
    return error;
}

/* Nothing opens, and many heads of values are there: more likely the key is another one
 * than that the format and each value are damaged. */
static bool is_key_wrong(const struct build *b)
{
    enum { MANY = 3 };
    const struct finds *f = b->f;

    return !b->is_format_found && f->ours == 0 && (f->other >= MANY || (f->seal->is_on && f->refused >= MANY));
}

void rescue_build(struct finds *f, struct rescued *r)
{
    struct build b = { .f = f, .r = r };

    r->kept = r->lost = 0;
    r->is_state_mixed = false;
    r->status = STORE_OK;
    heads_take(&b);
    if (r->status == STORE_OK && is_key_wrong(&b))
        r->status = STORE_KEY;
    if (r->status == STORE_OK) {
        r->error = build_write(&b);
        if (r->error)
            r->status = STORE_FULL;
    }
    for (uint32_t i = 0; i < f->base_count; i++)
        free(f->bases[i].name);
}
