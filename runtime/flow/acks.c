/* acks.c - see acks.h.
 *
 * A place holds one record. Places in the window stand in a list by age, so that
 * the oldest epoch is that of the first; those to be offered again and those that
 * were answered stand in lists of their own. An open-addressing table leads from an
 * id to its places.
 *
 * The lock guards what acks_answer touches: table, answers, the list of answered
 * ones. All else is the lane's. */
#include "flow/acks.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flow/edge.h"

enum { NONE = -1, SMALL = 65536 /* bytes that a free place may keep */ };

enum list { AGE, AGAIN, ANSWERED, LISTS };

struct link_to {
    int32_t prev, next;
    bool in;
};

struct place {
    struct aff_record record; /* data: memory of its own */
    void *memory;
    size_t memory_room;
    uint64_t epoch;
    uint32_t port;
    aff_status answer; /* AFF_END: none */
    uint8_t verdict;
    char words[ACKS_WORDS];
    int32_t same;      /* next place with this id */
    struct link_to links[LISTS];
};

struct acks {
    pthread_mutex_t lock;
    struct bell *bell;
    struct place *places;
    uint32_t room;
    int32_t first[LISTS], last[LISTS];
    uint32_t waiting; /* in the list AGAIN; the lane's */
    _Atomic uint32_t answered;
    int32_t *free;  /* a stack */
    uint32_t frees;
    int32_t *lent; /* left the window, their records are still being looked at */
    uint32_t lents;
    uint32_t count; /* in the window */
    uint64_t bytes; /* payload of these */
    int32_t *table; /* of first places; NONE: empty */
    uint32_t mask;
    /* what is in write now */
    int32_t hand[ACKS_BATCH]; /* its places; NONE: it was added */
    struct acks_item hand_answer[ACKS_BATCH]; /* status, verdict, words */
    struct aff_id hand_id[ACKS_BATCH];
    uint32_t hand_count;
};

/* ---- lists ---- */

static void list_append(struct acks *a, enum list l, int32_t i)
{
    struct link_to *link = &a->places[i].links[l];

    *link = (struct link_to){ a->last[l], NONE, true };
    if (a->last[l] == NONE)
        a->first[l] = i;
    else
        a->places[a->last[l]].links[l].next = i;
    a->last[l] = i;
    if (l == AGAIN) /* that list is the lane's, others are under the lock */
        a->waiting++;
}

static void list_remove(struct acks *a, enum list l, int32_t i)
{
    struct link_to *link = &a->places[i].links[l];

    if (!link->in)
        return;
    if (link->prev == NONE)
        a->first[l] = link->next;
    else
        a->places[link->prev].links[l].next = link->next;
    if (link->next == NONE)
        a->last[l] = link->prev;
    else
        a->places[link->next].links[l].prev = link->prev;
    link->in = false;
    if (l == AGAIN)
        a->waiting--;
}

/* ---- the table ---- */

static bool same_id(struct aff_id a, struct aff_id b)
{
    return a.seq == b.seq && a.source == b.source;
}

/* Ids of one source are counted: they are spread. */
static uint32_t home(const struct acks *a, struct aff_id id)
{
    uint64_t h = (id.seq ^ (id.source << 1 | id.source >> 63)) * UINT64_C(0x9e3779b97f4a7c15);

    h ^= h >> 29;
    h *= UINT64_C(0xbf58476d1ce4e5b9);
    return (uint32_t)(h >> 32) & a->mask;
}

/* Where the id stands, or the empty slot where it would. */
static uint32_t table_find(const struct acks *a, struct aff_id id)
{
    uint32_t at = home(a, id);

    while (a->table[at] != NONE && !same_id(a->places[a->table[at]].record.id, id))
        at = (at + 1u) & a->mask;
    return at;
}

static void table_add(struct acks *a, int32_t i)
{
    uint32_t at = table_find(a, a->places[i].record.id);

    a->places[i].same = a->table[at];
    a->table[at] = i;
}

/* Those behind an empty slot must still be found: they move up. */
static void table_close(struct acks *a, uint32_t hole)
{
    uint32_t at = hole, want;

    a->table[hole] = NONE;
    for (;;) {
        at = (at + 1u) & a->mask;
        if (a->table[at] == NONE)
            return;
        want = home(a, a->places[a->table[at]].record.id);
        if (((at - want) & a->mask) < ((at - hole) & a->mask))
            continue;
        a->table[hole] = a->table[at];
        a->table[at] = NONE;
        hole = at;
    }
}

static void table_remove(struct acks *a, int32_t i)
{
    uint32_t at = table_find(a, a->places[i].record.id);
    int32_t *from = &a->table[at];

    while (*from != i)
        from = &a->places[*from].same;
    *from = a->places[i].same;
    if (a->table[at] == NONE)
        table_close(a, at);
}

/* ---- opening ---- */

struct acks *acks_open(uint32_t room, struct bell *bell)
{
    struct acks *a = calloc(1, sizeof *a);
    uint32_t i, slots = 4;

    if (!a)
        return NULL;
    if (room == 0 || room > 1u << 24 || pthread_mutex_init(&a->lock, NULL) != 0) {
        free(a);
        return NULL;
    }
    while (slots < room * 2u)
        slots *= 2u;
    a->bell = bell;
    a->room = room;
    a->mask = slots - 1u;
    a->places = calloc(room, sizeof *a->places);
    a->free = calloc(room, sizeof *a->free);
    a->lent = calloc(room, sizeof *a->lent);
    a->table = malloc(slots * sizeof *a->table);
    if (!a->places || !a->free || !a->lent || !a->table) {
        acks_close(&a);
        return NULL;
    }
    for (i = 0; i < slots; i++)
        a->table[i] = NONE;
    for (i = 0; i < room; i++)
        a->free[a->frees++] = (int32_t)(room - 1u - i);
    for (i = 0; i < LISTS; i++)
        a->first[i] = a->last[i] = NONE;
    return a;
}

void acks_join(struct acks *a, struct bell *bell)
{
    pthread_mutex_lock(&a->lock);
    a->bell = bell;
    pthread_mutex_unlock(&a->lock);
}

void acks_forget(struct acks *a)
{
    struct acks_item items[ACKS_BATCH];
    uint32_t n, i;

    while ((n = acks_take(a, items, ACKS_BATCH)) > 0)
        continue;
    acks_lose(a);
    while ((n = acks_again(a, items, ACKS_BATCH)) > 0)
        for (i = 0; i < n; i++)
            acks_settle(a, &items[i]);
}

void acks_close(struct acks **acks)
{
    struct acks *a = *acks;
    uint32_t i;

    if (!a)
        return;
    for (i = 0; a->places && i < a->room; i++)
        free(a->places[i].memory);
    free(a->places);
    free(a->free);
    free(a->lent);
    free(a->table);
    pthread_mutex_destroy(&a->lock);
    free(a);
    *acks = NULL;
}

/* ---- into the window ---- */

static void place_free(struct acks *a, int32_t i)
{
    struct place *p = &a->places[i];

    if (p->memory_room > SMALL) {
        free(p->memory);
        p->memory = NULL;
        p->memory_room = 0;
    }
    a->free[a->frees++] = i;
}

static void lent_back(struct acks *a)
{
    while (a->lents > 0)
        place_free(a, a->lent[--a->lents]);
}

static bool place_fill(struct place *p, const struct aff_record *record)
{
    size_t room = ((size_t)record->size + 16u) & ~(size_t)15u;
    void *memory;

    if (p->memory_room < record->size || !p->memory) {
        memory = aligned_alloc(16, room);
        if (!memory)
            return false;
        free(p->memory);
        p->memory = memory;
        p->memory_room = room;
    }
    p->record = *record;
    p->record.data = p->memory;
    p->record.origin = EDGE_NO_ORIGIN;
    p->record.host_reserved = 0;
    if (record->size > 0)
        memcpy(p->memory, record->data, record->size);
    p->answer = AFF_END;
    return true;
}

bool acks_offer(struct acks *a, const struct aff_record *records, uint32_t count)
{
    uint32_t i;

    lent_back(a);
    acks_offered(a);
    if (count > ACKS_BATCH || count > a->frees)
        return false;
    for (i = 0; i < count; i++)
        if (!place_fill(&a->places[a->free[a->frees - 1u - i]], &records[i]))
            return false;
    pthread_mutex_lock(&a->lock);
    for (i = 0; i < count; i++) {
        a->hand[i] = a->free[--a->frees];
        a->hand_id[i] = records[i].id;
        a->hand_answer[i].status = AFF_END;
    }
    a->hand_count = count;
    pthread_mutex_unlock(&a->lock);
    return true;
}

/* True: it was not in the list of answered ones. */
static bool answer_set(struct acks *a, int32_t i, const struct acks_item *said)
{
    struct place *p = &a->places[i];

    p->answer = said->status;
    p->verdict = said->verdict;
    memcpy(p->words, said->words, sizeof p->words);
    if (p->links[ANSWERED].in)
        return false;
    list_append(a, ANSWERED, i);
    atomic_fetch_add_explicit(&a->answered, 1, memory_order_release);
    return true;
}

void acks_add(struct acks *a, uint32_t index, uint64_t epoch, uint32_t port)
{
    int32_t i = index < a->hand_count ? a->hand[index] : NONE;

    if (i == NONE)
        return;
    a->hand[index] = NONE;
    a->places[i].epoch = epoch;
    a->places[i].port = port;
    a->count++;
    a->bytes += a->places[i].record.size;
    list_append(a, AGE, i);
    pthread_mutex_lock(&a->lock);
    table_add(a, i);
    if (a->hand_answer[index].status != AFF_END)
        answer_set(a, i, &a->hand_answer[index]);
    pthread_mutex_unlock(&a->lock);
}

void acks_offered(struct acks *a)
{
    uint32_t i, count = a->hand_count;

    if (count == 0)
        return;
    pthread_mutex_lock(&a->lock);
    a->hand_count = 0;
    pthread_mutex_unlock(&a->lock);
    for (i = count; i > 0; i--)
        if (a->hand[i - 1u] != NONE)
            place_free(a, a->hand[i - 1u]);
}

/* ---- answers ---- */

static bool is_final(aff_status status)
{
    return status == AFF_OK || status == AFF_ERR_DATA;
}

static bool counts(aff_status before, aff_status now)
{
    return before == AFF_END || (!is_final(before) && is_final(now));
}

static bool answer_window(struct acks *a, struct aff_id id, const struct acks_item *said)
{
    bool any = false;
    int32_t i;

    for (i = a->table[table_find(a, id)]; i != NONE; i = a->places[i].same) {
        if (counts(a->places[i].answer, said->status))
            any |= answer_set(a, i, said);
    }
    return any;
}

static void answer_hand(struct acks *a, struct aff_id id, const struct acks_item *said)
{
    uint32_t i;

    for (i = 0; i < a->hand_count; i++)
        if (same_id(a->hand_id[i], id) && counts(a->hand_answer[i].status, said->status))
            a->hand_answer[i] = *said;
}

void acks_answer(struct acks *a, struct aff_id id, aff_status status, uint8_t verdict, const char *words)
{
    struct acks_item said = { .status = status, .verdict = verdict };
    struct bell *bell;
    bool any;

    if (status == AFF_END)
        return;
    if (!is_final(status) && status != AFF_AGAIN)
        said.status = AFF_ERR_IO;
    if (words)
        snprintf(said.words, sizeof said.words, "%s", words);
    pthread_mutex_lock(&a->lock);
    answer_hand(a, id, &said);
    any = answer_window(a, id, &said);
    bell = a->bell;
    pthread_mutex_unlock(&a->lock);
    if (any)
        bell_ring(bell);
}

/* ---- out of the window ---- */

static struct acks_item item_of(const struct place *p, aff_status status)
{
    return (struct acks_item){ .record = &p->record, .epoch = p->epoch, .port = p->port, .status = status };
}

/* Under the lock. */
static void leave(struct acks *a, int32_t i)
{
    table_remove(a, i);
    list_remove(a, AGE, i);
    list_remove(a, AGAIN, i);
    a->count--;
    a->bytes -= a->places[i].record.size;
    a->lent[a->lents++] = i;
}

uint32_t acks_take(struct acks *a, struct acks_item *ret, uint32_t room)
{
    uint32_t n;
    int32_t i;

    lent_back(a);
    if (!acks_ready(a))
        return 0;
    pthread_mutex_lock(&a->lock);
    for (n = 0; n < room && (i = a->first[ANSWERED]) != NONE; n++) {
        struct place *p = &a->places[i];

        ret[n] = item_of(p, p->answer);
        ret[n].verdict = p->verdict;
        memcpy(ret[n].words, p->words, sizeof p->words);
        list_remove(a, ANSWERED, i);
        atomic_fetch_sub_explicit(&a->answered, 1, memory_order_relaxed);
        p->answer = AFF_END;
        if (is_final(ret[n].status)) {
            leave(a, i);
        } else if (!p->links[AGAIN].in) {
            p->record.flags |= AFF_FLAG_RESENT;
            list_append(a, AGAIN, i);
        }
    }
    pthread_mutex_unlock(&a->lock);
    return n;
}

static int32_t place_of(const struct acks *a, const struct aff_record *record)
{
    return (int32_t)((const struct place *)(const void *)record - a->places);
}

void acks_lose(struct acks *a)
{
    int32_t i;

    for (i = a->first[AGE]; i != NONE; i = a->places[i].links[AGE].next) {
        list_remove(a, AGAIN, i);
        a->places[i].record.flags |= AFF_FLAG_RESENT;
        list_append(a, AGAIN, i);
    }
}

uint32_t acks_again(struct acks *a, struct acks_item *ret, uint32_t room)
{
    uint32_t n = 0;
    int32_t i;

    for (i = a->first[AGAIN]; i != NONE && n < room; i = a->places[i].links[AGAIN].next) {
        if (n > 0 && a->places[i].port != ret[0].port)
            break;
        ret[n++] = item_of(&a->places[i], AFF_ERR_IO);
    }
    return n;
}

void acks_sent(struct acks *a, const struct acks_item *items, uint32_t count)
{
    uint32_t k;

    for (k = 0; k < count; k++)
        list_remove(a, AGAIN, place_of(a, items[k].record));
}

void acks_settle(struct acks *a, const struct acks_item *item)
{
    int32_t i = place_of(a, item->record);

    if (!a->places[i].links[AGE].in)
        return;
    pthread_mutex_lock(&a->lock);
    if (a->places[i].links[ANSWERED].in) {
        list_remove(a, ANSWERED, i);
        atomic_fetch_sub_explicit(&a->answered, 1, memory_order_relaxed);
    }
    leave(a, i);
    pthread_mutex_unlock(&a->lock);
}

/* ---- looks ---- */

uint64_t acks_oldest_epoch(const struct acks *a)
{
    return a->first[AGE] == NONE ? UINT64_MAX : a->places[a->first[AGE]].epoch;
}

uint32_t acks_count(const struct acks *a)
{
    return a->count;
}

uint64_t acks_bytes(const struct acks *a)
{
    return a->bytes;
}

uint32_t acks_room(const struct acks *a)
{
    return a->frees + a->lents;
}

uint32_t acks_waiting(const struct acks *a)
{
    return a->waiting;
}

bool acks_ready(const struct acks *a)
{
    return atomic_load_explicit(&a->answered, memory_order_acquire) > 0;
}

bool acks_unanswered(const struct acks *a, const struct aff_record *after, struct acks_item *ret)
{
    int32_t i = after ? a->places[place_of(a, after)].links[AGE].next : a->first[AGE];

    if (i == NONE)
        return false;
    *ret = item_of(&a->places[i], AFF_END);
    return true;
}
