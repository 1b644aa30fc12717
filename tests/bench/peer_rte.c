/* peer_rte.c - the peer for a hand-off: DPDK's rte_ring between two threads.
 *
 * A record is a 64-byte header and its payload, moved as one ring element, 32 a
 * publish, single producer and single consumer, written in full by one pinned
 * thread and read in full by the other. Two ways: "copy" makes each burst in a
 * private array (as an application does that has its data elsewhere), "zc"
 * writes and reads inside the ring by the peek API. The faster one is the peer.
 * Ring memory is plain memory, as ours is; the sizes are the best of those
 * tried for rte_ring, at or under 1 MiB as ours.
 *
 * Not here: EAL, hugepages, devices. */

#include <string.h>

#include <rte_pause.h>
#include <rte_ring.h>
#include <rte_ring_peek_zc.h>

#include "bench.h"

enum { BURST = 32, HEADER = 64, PAYLOAD_MAX = 4096 };

struct move {
    const char *name;
    unsigned payload; /* bytes; an element is HEADER more */
    unsigned slots;   /* of the ring, a power of two */
    uint64_t records;
    int zero_copy;
};

struct side {
    const struct move *move;
    struct rte_ring *ring;
    pthread_barrier_t *start;
    uint64_t sum;
    double began_ns; /* taken by the writer: the two threads leave no CPU for a third */
    double ended_ns;
};

static unsigned element_size(const struct move *m)
{
    return HEADER + m->payload;
}

/* --- made in an array, copied in, copied out ------------------------------ */

static void produce_copy(struct side *s)
{
    unsigned size = element_size(s->move), i;
    uint8_t *burst = aligned_alloc(64, (size_t)BURST * size);
    uint64_t n;

    for (n = 0; n < s->move->records; n += BURST) {
        for (i = 0; i < BURST; i++)
            bench_fill(burst + (size_t)i * size, size, n + i);
        while (rte_ring_sp_enqueue_bulk_elem(s->ring, burst, size, BURST, NULL) == 0)
            rte_pause();
    }
    free(burst);
}

static void consume_copy(struct side *s)
{
    unsigned size = element_size(s->move), i;
    uint8_t *burst = aligned_alloc(64, (size_t)BURST * size);
    uint64_t n;

    for (n = 0; n < s->move->records; n += BURST) {
        while (rte_ring_sc_dequeue_bulk_elem(s->ring, burst, size, BURST, NULL) == 0)
            rte_pause();
        for (i = 0; i < BURST; i++)
            s->sum += bench_sum(burst + (size_t)i * size, size);
    }
    free(burst);
}

/* --- inside the ring ------------------------------------------------------- */

static void produce_zc(struct side *s)
{
    unsigned size = element_size(s->move), i;
    struct rte_ring_zc_data place;
    uint64_t n;

    for (n = 0; n < s->move->records; n += BURST) {
        while (rte_ring_enqueue_zc_bulk_elem_start(s->ring, size, BURST, &place, NULL) == 0)
            rte_pause();
        for (i = 0; i < place.n1; i++)
            bench_fill((uint8_t *)place.ptr1 + (size_t)i * size, size, n + i);
        for (; i < BURST; i++)
            bench_fill((uint8_t *)place.ptr2 + (size_t)(i - place.n1) * size, size, n + i);
        rte_ring_enqueue_zc_finish(s->ring, BURST);
    }
}

static void consume_zc(struct side *s)
{
    unsigned size = element_size(s->move), i;
    struct rte_ring_zc_data place;
    uint64_t n;

    for (n = 0; n < s->move->records; n += BURST) {
        while (rte_ring_dequeue_zc_bulk_elem_start(s->ring, size, BURST, &place, NULL) == 0)
            rte_pause();
        for (i = 0; i < place.n1; i++)
            s->sum += bench_sum((uint8_t *)place.ptr1 + (size_t)i * size, size);
        for (; i < BURST; i++)
            s->sum += bench_sum((uint8_t *)place.ptr2 + (size_t)(i - place.n1) * size, size);
        rte_ring_dequeue_zc_finish(s->ring, BURST);
    }
}

/* --- one move -------------------------------------------------------------- */

static void *producer_main(void *arg)
{
    struct side *s = arg;

    bench_pin(0);
    pthread_barrier_wait(s->start);
    s->began_ns = bench_now_ns();
    if (s->move->zero_copy)
        produce_zc(s);
    else
        produce_copy(s);
    return NULL;
}

static void *consumer_main(void *arg)
{
    struct side *s = arg;

    bench_pin(1);
    pthread_barrier_wait(s->start);
    if (s->move->zero_copy)
        consume_zc(s);
    else
        consume_copy(s);
    s->ended_ns = bench_now_ns();
    return NULL;
}

static struct rte_ring *ring_new(const struct move *m)
{
    ssize_t bytes = rte_ring_get_memsize_elem(element_size(m), m->slots);
    struct rte_ring *ring;

    if (bytes < 0)
        return NULL;
    bytes = (bytes + 63) & ~(ssize_t)63;
    ring = aligned_alloc(64, (size_t)bytes);
    if (!ring)
        return NULL;
    memset(ring, 0, (size_t)bytes); /* touched: page faults are not the ring's */
    if (rte_ring_init(ring, "peer", m->slots, RING_F_SP_ENQ | RING_F_SC_DEQ) != 0) {
        free(ring);
        return NULL;
    }
    return ring;
}

static int move_run(const struct move *m)
{
    pthread_barrier_t start;
    struct side from = { .move = m, .start = &start }, to = from;
    pthread_t threads[2];
    uint64_t expected = 0, n;
    char metric[64];

    from.ring = to.ring = ring_new(m);
    if (!from.ring) {
        fprintf(stderr, "peer_rte: no ring for %s\n", m->name);
        return 1;
    }
    pthread_barrier_init(&start, NULL, 2);
    pthread_create(&threads[0], NULL, producer_main, &from);
    pthread_create(&threads[1], NULL, consumer_main, &to);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    for (n = 0; n < m->records; n++)
        expected += bench_expected(element_size(m), n);
    if (to.sum != expected) {
        fprintf(stderr, "peer_rte: %s: what was read is not what was written\n", m->name);
        return 1;
    }
    snprintf(metric, sizeof metric, "rte_ring_%s_%u", m->name, m->payload);
    bench_print(metric, (to.ended_ns - from.began_ns) / (double)m->records, "ns/record");
    pthread_barrier_destroy(&start);
    free(from.ring);
    return 0;
}

int main(int argc, char **argv)
{
    static const struct move moves[] = {
        { "copy", 64, 1024, 1u << 24, 0 },  { "zc", 64, 1024, 1u << 24, 1 },
        { "copy", 256, 1024, 1u << 23, 0 }, { "zc", 256, 1024, 1u << 23, 1 },
        { "copy", 4096, 128, 1u << 20, 0 }, { "zc", 4096, 128, 1u << 20, 1 },
    };
    unsigned slots = argc > 1 ? (unsigned)atoi(argv[1]) : 0; /* to find the best size */
    size_t i;

    for (i = 0; i < sizeof moves / sizeof *moves; i++) {
        struct move m = moves[i];

        if (slots)
            m.slots = slots;
        if (move_run(&m) != 0)
            return 1;
    }
    return 0;
}
