/* store_commit.c - a group becomes durable; what is done when the disk is full.
 *
 * A full disk shall not keep the store from emptying itself. Then acks are committed
 * without the rest of their group, in smaller and smaller pieces, at last one record
 * at a time; if that fails too the ballast is given back to the disk.
 *
 * Not here: transactions and errors of the disk (store_work.c). */
#include <string.h>
#include <time.h>

#include "keep/ballast.h"
#include "keep/store_inside.h"

enum { BALLAST_AGAIN_MS = 2000 };

static struct slot *slot_of(struct store *s, uint32_t queue)
{
    return queue >= 1 && queue <= atomic_load(&s->slot_count) ? s->slots[queue - 1] : NULL;
}

static int change_state(struct work *w, const struct kept_group *group, const struct kept_change *c)
{
    struct value_place place = { .database = value_database(HEADS_STATE) };
    struct heads_key key;
    int error;

    if (!heads_key(&key, HEAD_PIECE, kept_name(group, c)))
        return MDB_BAD_VALSIZE;
    place.key = key.bytes;
    place.key_size = key.size;
    if (c->size)
        return work_put(w, w->store->state, &place, kept_bytes(group, c), c->size, 0);
    error = work_delete(w, w->store->state, &place);
    return error == MDB_NOTFOUND ? 0 : error;
}

/* Above all that is there it is appended, which fills pages; elsewhere one that is there
 * already stays. */
static int change_put(struct work *w, const struct kept_group *group, const struct kept_change *c)
{
    struct slot *slot = slot_of(w->store, c->queue);
    uint8_t number[HEADS_NUMBER];
    struct value_place place = { .key = number, .key_size = sizeof number };
    int error = slot ? work_slot(w, slot) : MDB_BAD_DBI;
    unsigned flags;

    if (error)
        return error;
    if (c->seq == 0)
        return MDB_BAD_VALSIZE;
    heads_number_put(number, c->seq);
    place.database = slot->database;
    flags = c->seq > slot->last ? MDB_APPEND : MDB_NOOVERWRITE;
    error = work_put(w, slot->dbi, &place, kept_bytes(group, c), c->size, flags);
    if (error)
        return error == MDB_KEYEXIST ? 0 : error;
    slot->next.records++;
    slot->next.bytes += value_cost(&w->store->seal, sizeof number, c->size);
    if (c->seq > slot->last)
        slot->last = c->seq;
    if (c->seq >= slot->next.next)
        slot->next.next = c->seq + 1;
    return 0;
}

/* How many records acks may still remove in this transaction. */
struct budget {
    const struct kept_group *group;
    uint64_t most;
    uint32_t at;  /* the change to begin with */
    uint32_t end; /* the first that was not finished */
};

/* MDB_NOTFOUND: the budget is used up. */
static int change_ack(struct work *w, const struct kept_change *c, uint64_t most)
{
    struct slot *slot = slot_of(w->store, c->queue);
    uint8_t number[HEADS_NUMBER];
    MDB_val key = { sizeof number, number }, value;
    bool is_one = c->op == KEPT_ACK;
    int error = slot ? work_slot(w, slot) : MDB_BAD_DBI;

    if (error)
        return error;
    heads_number_put(number, c->seq);
    error = mdb_cursor_get(slot->cursor, &key, &value, is_one ? MDB_SET_KEY : MDB_FIRST);
    while (!error) {
        if (!is_one && (key.mv_size != HEADS_NUMBER || heads_number(key.mv_data) > c->seq))
            return 0;
        if (w->deleted >= most)
            return MDB_NOTFOUND;
        error = work_slot_delete(w, slot, &key, &value);
        if (error || is_one)
            return error;
        error = mdb_cursor_get(slot->cursor, &key, &value, MDB_FIRST);
    }
    return error == MDB_NOTFOUND ? 0 : error;
}

static int change_dead(struct work *w, const struct kept_group *group, const struct kept_change *c)
{
    uint8_t number[HEADS_NUMBER];
    struct value_place place = { value_database(HEADS_DEAD), number, sizeof number };

    heads_number_put(number, w->head.letters++);
    return work_put(w, w->store->dead, &place, kept_bytes(group, c), c->size, MDB_APPEND);
}

static int change_retried(struct work *w, const struct kept_group *group, const struct kept_change *c)
{
    struct value_place place = { .database = value_database(HEADS_NODE) };
    struct heads_key key;
    int error;

    if (!heads_node(&key, kept_name(group, c), c->seq))
        return MDB_BAD_VALSIZE;
    place.key = key.bytes;
    place.key_size = key.size;
    error = work_delete(w, w->store->node, &place);
    return error == MDB_NOTFOUND ? 0 : error;
}

static bool is_ack(const struct kept_change *c)
{
    return c->op == KEPT_ACK || c->op == KEPT_ACK_UPTO;
}

static int change_apply(struct work *w, const struct kept_group *group, const struct kept_change *c)
{
    switch (c->op) {
    case KEPT_STATE:
        return change_state(w, group, c);
    case KEPT_PUT:
        return change_put(w, group, c);
    case KEPT_DEAD:
        return change_dead(w, group, c);
    case KEPT_RETRIED:
        return change_retried(w, group, c);
    default:
        return MDB_INCOMPATIBLE;
    }
}

/* Acks first: what they free is room for the rest of the group. */
static int job_group(struct work *w, void *arg)
{
    const struct kept_group *group = arg;
    int error = 0;

    for (uint32_t i = 0; i < group->count && !error; i++) {
        if (is_ack(&group->changes[i]))
            error = change_ack(w, &group->changes[i], UINT64_MAX);
    }
    for (uint32_t i = 0; i < group->count && !error; i++) {
        if (!is_ack(&group->changes[i]))
            error = change_apply(w, group, &group->changes[i]);
    }
    return error;
}

static int job_acks(struct work *w, void *arg)
{
    struct budget *b = arg;
    int error = 0;

    for (b->end = b->at; b->end < b->group->count && !error; b->end += !error) {
        if (is_ack(&b->group->changes[b->end]))
            error = change_ack(w, &b->group->changes[b->end], b->most);
    }
    return error == MDB_NOTFOUND ? 0 : error;
}

/* True: all are in. */
static bool acks_commit(struct store *s, struct budget *b)
{
    while (b->at < b->group->count) {
        enum store_status status = work_run(s, job_acks, b, false);

        if (status == STORE_OK) {
            b->at = b->end;
            continue;
        }
        if (status != STORE_FULL || b->most <= 1)
            return false;
        b->most = b->most > 4096 ? 4096 : b->most / 2;
    }
    return true;
}

static bool acks_may_go_alone(const struct store *s, const struct kept_group *group)
{
    bool any = false;

    if (s->acks_wait)
        return false;
    for (uint32_t i = 0; i < group->count; i++) {
        if (group->changes[i].op == KEPT_DEAD)
            return false; /* a letter may be of a record that is acked here */
        any = any || is_ack(&group->changes[i]);
    }
    return any;
}

/* Without its acks to go alone, a group is tried whole once more on the ballast's room. */
static enum store_status full_relieve(struct store *s, const struct kept_group *group)
{
    struct budget b = { .group = group, .most = UINT64_MAX };
    bool alone = acks_may_go_alone(s, group);

    if (alone && acks_commit(s, &b))
        return STORE_FULL;
    if (s->is_bad || s->is_ballast_out)
        return s->is_bad ? STORE_BAD : STORE_FULL;
    ballast_remove(s->ballast);
    s->is_ballast_out = true;
    store_log(s, AFF_LOG_WARN, "store: the disk is full; the store's reserve was given back to it; "
              "make room on the disk");
    b.most = UINT64_MAX;
    if (!alone)
        return work_run(s, job_group, (void *)(uintptr_t)group, false);
    acks_commit(s, &b);
    return s->is_bad ? STORE_BAD : STORE_FULL;
}

/* Not at each commit: it asks the file system. */
static void ballast_restore(struct store *s)
{
    struct timespec t;
    int64_t now;

    if (!s->is_ballast_out)
        return;
    clock_gettime(CLOCK_MONOTONIC, &t);
    now = (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
    if (now - s->ballast_asked_ns < BALLAST_AGAIN_MS * INT64_C(1000000))
        return;
    s->ballast_asked_ns = now;
    if (disk_has_room(s->place) && ballast_write(s->ballast))
        s->is_ballast_out = false;
}

static enum store_status group_commit(struct store *s, const struct kept_group *group)
{
    enum store_status status;

    if (s->is_group_in) {
        status = s->is_doubtful ? work_run(s, job_acks, &(struct budget){ .group = group, .at = group->count }, false)
                                : STORE_OK;
        s->is_group_in = status != STORE_OK;
        return status;
    }
    status = work_run(s, job_group, (void *)(uintptr_t)group, false);
    if (status == STORE_FULL && !s->is_doubtful && !s->is_memory_short)
        status = full_relieve(s, group);
    s->is_group_in = status != STORE_OK && s->is_doubtful;
    return status;
}

enum store_status store_commit(struct store *s, const struct kept_group *group)
{
    enum store_status status;

    if (s->read_only || group->failed)
        return STORE_IO;
    pthread_mutex_lock(&s->writing);
    status = s->is_bad ? STORE_BAD : group_commit(s, group);
    if (status == STORE_OK)
        ballast_restore(s);
    pthread_mutex_unlock(&s->writing);
    return status;
}
