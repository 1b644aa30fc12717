/* store_letters.c - one dead letter: shown, moved to what its node tries again, removed.
 *
 * Not here: listing them (store_walk.c), putting them in (store_commit.c). */
#include <stdlib.h>

#include "keep/store_inside.h"

struct letter {
    uint64_t number;
    const char *node; /* NULL: it is dropped */
    const void *bytes;
    size_t size;
    bool is_there;
};

static void letter_place(uint64_t number, uint8_t key[HEADS_NUMBER], struct value_place *ret_place)
{
    heads_number_put(key, number);
    *ret_place = (struct value_place){ value_database(HEADS_DEAD), key, HEADS_NUMBER };
}

enum store_status store_letter(struct store *s, uint64_t number, void **ret_bytes, size_t *ret_size)
{
    enum store_status status = STORE_IO;
    uint8_t number_bytes[HEADS_NUMBER];
    struct value_place place;
    struct value value;
    uint8_t *bytes = NULL;
    MDB_val key, found;
    MDB_txn *txn;
    int error;

    letter_place(number, number_bytes, &place);
    key = (MDB_val){ sizeof number_bytes, number_bytes };
    pthread_rwlock_rdlock(&s->env_lock);
    if (env_read(s, &txn) == 0) {
        error = mdb_get(txn, s->dead, &key, &found);
        status = error == MDB_NOTFOUND ? STORE_NONE : error ? STORE_IO : STORE_BAD;
        if (!error && value_read(&s->seal, &place, found.mv_data, found.mv_size, &value)) {
            bytes = aligned_alloc(16, (value.size + 16u) & ~(size_t)15);
            status = !bytes ? STORE_IO : value_open(&s->seal, &value, bytes) ? STORE_OK : STORE_BAD;
        }
        mdb_txn_abort(txn);
    }
    pthread_rwlock_unlock(&s->env_lock);
    if (status != STORE_OK) {
        free(bytes);
        return status;
    }
    *ret_bytes = bytes;
    *ret_size = value.size;
    return STORE_OK;
}

/* Both steps are one transaction: it is in one place, or in the other. */
static int job_letter(struct work *w, void *arg)
{
    struct letter *letter = arg;
    uint8_t number[HEADS_NUMBER];
    struct value_place place;
    struct heads_key key;
    int error;

    letter_place(letter->number, number, &place);
    error = work_delete(w, w->store->dead, &place);
    letter->is_there = error != MDB_NOTFOUND;
    if (error || !letter->node)
        return letter->is_there ? error : 0;
    if (!heads_node(&key, letter->node, letter->number))
        return MDB_BAD_VALSIZE;
    place = (struct value_place){ value_database(HEADS_NODE), key.bytes, key.size };
    return work_put(w, w->store->node, &place, letter->bytes, letter->size, 0);
}

/* Asked beforehand: a transaction that changes nothing would cost a sync. */
static enum store_status letter_look(struct store *s, uint64_t number)
{
    enum store_status status = STORE_IO;
    uint8_t bytes[HEADS_NUMBER];
    MDB_val key = { sizeof bytes, bytes }, found;
    MDB_txn *txn;
    int error;

    heads_number_put(bytes, number);
    pthread_rwlock_rdlock(&s->env_lock);
    if (env_read(s, &txn) == 0) {
        error = mdb_get(txn, s->dead, &key, &found);
        status = error == MDB_NOTFOUND ? STORE_NONE : error ? STORE_IO : STORE_OK;
        mdb_txn_abort(txn);
    }
    pthread_rwlock_unlock(&s->env_lock);
    return status;
}

static enum store_status letter_run(struct store *s, struct letter *letter)
{
    enum store_status status;

    if (s->read_only)
        return STORE_IO;
    pthread_mutex_lock(&s->writing);
    status = letter_look(s, letter->number);
    if (status == STORE_OK)
        status = work_run(s, job_letter, letter, false);
    pthread_mutex_unlock(&s->writing);
    return status == STORE_OK && !letter->is_there ? STORE_NONE : status;
}

enum store_status store_letter_retry(struct store *s, uint64_t number, const char *node, const void *bytes,
                                     size_t size)
{
    struct letter letter = { .number = number, .node = node, .bytes = bytes, .size = size };
    struct heads_key key;

    if (!heads_node(&key, node, number))
        return STORE_NONE;
    return letter_run(s, &letter);
}

enum store_status store_letter_drop(struct store *s, uint64_t number)
{
    return letter_run(s, &(struct letter){ .number = number });
}
