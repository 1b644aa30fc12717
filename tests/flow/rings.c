/* rings.c - see rings.h. */
#include "rings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { LATE_S = 60 };

uint32_t rings_pick(uint64_t *random, uint32_t below)
{
    uint64_t z = *random += 0x9e3779b97f4a7c15u;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (uint32_t)((z ^ (z >> 31)) % below);
}

void rings_fail(struct rig_of_rings *all, const char *what, uint64_t a, uint64_t b)
{
    if (!atomic_exchange(&all->failed, true))
        print_error("%s: %llu, %llu\n", what, (unsigned long long)a, (unsigned long long)b);
}

/* ---- waiting, and being slow ---- */

void rings_dawdle(struct worker *w)
{
    struct timespec nap = { 0, 1000 + (long)rings_pick(&w->random, 60000) };

    if (rings_pick(&w->random, 256) >= w->slow)
        return;
    if (rings_pick(&w->random, 4))
        sched_yield();
    else
        nanosleep(&nap, NULL);
}

static void bells_ring_all(struct rig_of_rings *all)
{
    bell_ring(&all->first.bell);
    bell_ring(&all->second.bell);
    bell_ring(&all->third.bell);
}

bool rings_wait(struct worker *w, bool (*ready)(struct worker *w, const void *arg), const void *arg)
{
    uint32_t spins = rings_pick(&w->random, 40);
    int64_t limit = (int64_t)LATE_S * 1000000000;

    rings_dawdle(w);
    for (;;) {
        if (atomic_load(&w->all->failed)) {
            bells_ring_all(w->all);
            return false;
        }
        if (ready(w, arg))
            return true;
        if (spins > 0) {
            spins--;
            continue;
        }
        bell_prepare(&w->bell);
        if (ready(w, arg)) {
            bell_cancel(&w->bell);
            return true;
        }
        struct timespec before, after;
        clock_gettime(CLOCK_MONOTONIC, &before);
        bell_wait(&w->bell, limit);
        clock_gettime(CLOCK_MONOTONIC, &after);
        if (after.tv_sec - before.tv_sec >= LATE_S)
            rings_fail(w->all, "nobody rang for 60 s", (uint64_t)(w - &w->all->first), ready(w, arg));
    }
}

/* ---- payloads: each byte follows from id and place ---- */

static uint64_t word_of(const struct aff_record *r, uint32_t word)
{
    return (r->id.source << 56 ^ r->id.seq) * 0x9e3779b97f4a7c15u + word;
}

static void payload_fill(struct aff_record *r)
{
    uint8_t *at = r->data;
    uint32_t i;
    uint64_t word;

    for (i = 0; i < r->size; i += 8u) {
        word = word_of(r, i);
        memcpy(at + i, &word, r->size - i < 8u ? r->size - i : 8u);
    }
}

void rings_check(struct rig_of_rings *all, const struct aff_record *r)
{
    const uint8_t *at = r->data;
    uint32_t i;
    uint64_t word;

    for (i = 0; i < r->size; i += 8u) {
        word = word_of(r, i);
        if (memcmp(at + i, &word, r->size - i < 8u ? r->size - i : 8u) != 0) {
            rings_fail(all, "a payload was overwritten: maker, record", r->id.source, r->id.seq);
            return;
        }
    }
}

uint32_t rings_size(struct worker *w, uint32_t maker)
{
    uint32_t whole = (uint32_t)w->all->rings[maker].size;

    switch (rings_pick(&w->random, 40)) {
    case 0:
        return 0;
    case 1:
        return 1 + rings_pick(&w->random, whole / 4);
    case 2:
        return rings_pick(&w->random, 4) ? 1 + rings_pick(&w->random, whole / 2) : whole - rings_pick(&w->random, 32);
    default:
        return 1 + rings_pick(&w->random, 200);
    }
}

/* ---- making records ---- */

static void free_read(struct rig_of_rings *all, uint32_t maker, uint64_t keep)
{
    static const uint32_t near_first[EDGES_ALL] = { NEAR, SHORT, FAR };
    uint64_t tail = keep, held;
    uint32_t i;

    for (i = 0; i < EDGES_ALL; i++) {
        held = edge_holds(&all->edges[near_first[i]], maker);
        tail = held < tail ? held : tail;
    }
    if (tail > atomic_load_explicit(&all->rings[maker].tail, memory_order_relaxed))
        atomic_store_explicit(&all->rings[maker].tail, tail, memory_order_relaxed);
}

struct space {
    uint32_t maker;
    uint64_t size;
};

static bool space_ready(struct worker *w, const void *arg)
{
    const struct space *s = arg;
    struct bytes *ring = &w->all->rings[s->maker];

    if (bytes_fit(ring, s->size))
        return true;
    free_read(w->all, s->maker, w->keep[s->maker]);
    return bytes_fit(ring, s->size);
}

/* What is in hand does not become free by waiting. */
bool rings_fit(const struct worker *w, uint32_t maker, uint64_t size)
{
    const struct bytes *ring = &w->all->rings[maker];

    return ring->head - w->keep[maker] + bytes_round(size) <= ring->size;
}

bool rings_make(struct worker *w, uint32_t maker, uint64_t seq, uint32_t size, struct aff_record *ret_record)
{
    struct bytes *ring = &w->all->rings[maker];
    struct space wanted = { maker, size };

    memset(ret_record, 0, sizeof *ret_record);
    ret_record->id = (struct aff_id){ maker + 1u, seq };
    ret_record->origin = size > 0 ? (uint16_t)maker : (uint16_t)EDGE_NO_ORIGIN;
    ret_record->size = size;
    if (size == 0)
        return true;
    if (!space_ready(w, &wanted) && !rings_wait(w, space_ready, &wanted))
        return false;
    ret_record->data = bytes_head(ring);
    bytes_take(ring, size);
    payload_fill(ret_record);
    if (maker == 0 && size > w->all->largest)
        w->all->largest = size;
    return true;
}

struct going {
    struct edge *edge;
    const struct aff_record *records;
    uint32_t count;
};

static bool room_ready(struct worker *w, const void *arg)
{
    const struct going *g = arg;

    (void)w;
    return edge_room(g->edge, g->records, g->count) > 0;
}

bool rings_put(struct worker *w, uint32_t edge, const struct aff_record *records, uint32_t count)
{
    struct going g = { &w->all->edges[edge], records, count };
    uint32_t n, i;

    for (i = 0; i < count; i++) {
        w->all->put[edge]++;
        w->all->put_sum[edge] += records[i].id.seq * (records[i].id.source + 4u);
    }
    while (g.count > 0) {
        n = edge_room(g.edge, g.records, g.count);
        if (n == 0) {
            edge_publish(g.edge);
            if (!rings_wait(w, room_ready, &g))
                return false;
            continue;
        }
        edge_put(g.edge, g.records, n);
        g.records += n;
        g.count -= n;
        if (rings_pick(&w->random, 3) == 0)
            edge_publish(g.edge);
    }
    edge_publish(g.edge);
    return true;
}

/* ---- opening and closing ---- */

static void edge_make(struct rig_of_rings *all, uint32_t at, const uint8_t *carries, uint64_t *random)
{
    struct edge_shape shape = {
        .headers = 2u << rings_pick(random, 8),
        .buffer = 64u << rings_pick(random, 11),
        .rings = all->rings,
        .carries = carries,
        .node_count = MAKERS,
    };

    assert_true(edge_open(&all->edges[at], &shape));
    all->edges[at].reader = at == NEAR ? &all->second.bell : &all->third.bell;
    all->edges[at].wakes = calloc(2, sizeof *all->edges[at].wakes);
    assert_non_null(all->edges[at].wakes);
    all->edges[at].wakes[all->edges[at].wake_count++] = &all->first.bell;
    if (at == FAR)
        all->edges[at].wakes[all->edges[at].wake_count++] = &all->second.bell;
}

static void worker_begin(struct rig_of_rings *all, struct worker *w, uint64_t *random)
{
    w->all = all;
    w->random = *random + rings_pick(random, 1000000);
    w->slow = rings_pick(random, 3) == 0 ? 60 : 1 + rings_pick(random, 6);
    assert_true(bell_open(&w->bell));
    if (rings_pick(random, 4) == 0)
        w->bell.light = false; /* as on a kernel without membarrier */
}

struct rig_of_rings *rings_open(uint64_t seed)
{
    struct rig_of_rings *all = aligned_alloc(EDGE_LINE, (sizeof *all + EDGE_LINE - 1u) / EDGE_LINE * EDGE_LINE);
    uint64_t random = seed;
    uint32_t i;
    uint8_t order;

    assert_non_null(all);
    memset(all, 0, sizeof *all);
    for (i = 0; i < MAKERS; i++)
        assert_true(bytes_open(&all->rings[i], 4096u << rings_pick(&random, 4)));
    worker_begin(all, &all->first, &random);
    worker_begin(all, &all->second, &random);
    worker_begin(all, &all->third, &random);
    all->shuffles = rings_pick(&random, 2);
    all->epoch_records = 1u << rings_pick(&random, 9);
    order = all->shuffles || rings_pick(&random, 3) == 0 ? 2 : 1;
    edge_make(all, NEAR, (const uint8_t[MAKERS]){ 1, rings_pick(&random, 2) ? 1 : 2, 0 }, &random);
    edge_make(all, SHORT, (const uint8_t[MAKERS]){ 1, 0, 0 }, &random);
    edge_make(all, FAR, (const uint8_t[MAKERS]){ order, order, rings_pick(&random, 2) ? 1 : 2 }, &random);
    return all;
}

void rings_close(struct rig_of_rings *all)
{
    uint32_t i;

    for (i = 0; i < EDGES_ALL; i++)
        edge_close(&all->edges[i]);
    for (i = 0; i < MAKERS; i++)
        bytes_close(&all->rings[i]);
    bell_close(&all->first.bell);
    bell_close(&all->second.bell);
    bell_close(&all->third.bell);
    free(all);
}
