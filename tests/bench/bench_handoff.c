/* bench_handoff.c - a record from one pinned thread to another, by an edge.
 *
 * A record is a 64-byte header and its payload, 32 a publish, written in full by
 * one thread and read in full by the other, as in peer_rte.c. Both sides spin:
 * sleeping and waking is not what is measured. The writer makes payloads in its
 * byte ring and frees them by the edge's marks, as a node does. */
#include <string.h>

#include "bench.h"
#include "flow/bytes.h"
#include "flow/edge.h"

enum { BURST = 32, TAKE = 64, HEADER = 64 };

struct move {
    const char *metric;
    uint32_t payload;
    uint32_t headers;
    uint64_t ring;
    uint64_t records;
};

struct side {
    const struct move *move;
    struct edge *edge;
    struct bytes *ring;
    pthread_barrier_t *start;
    uint64_t sum;
    double began_ns; /* taken by the writer: the two threads leave no CPU for a third */
    double ended_ns;
};

static void relax(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

/* Waits until the payloads of a whole burst fit. */
static void wait_bytes(struct side *s)
{
    uint64_t wanted = (uint64_t)BURST * s->move->payload;

    while (!bytes_fit(s->ring, wanted)) {
        uint64_t held = edge_holds(s->edge, 0);

        s->ring->tail = held < s->ring->head ? held : s->ring->head;
        if (!bytes_fit(s->ring, wanted))
            relax();
    }
}

static void make(struct bytes *ring, struct aff_record *r, uint32_t payload, uint64_t n)
{
    void *data = bytes_head(ring);

    bench_fill(r, HEADER, n);
    r->data = data;
    r->size = payload;
    r->origin = 0;
    r->flags = 0;
    r->host_reserved = bytes_lap(ring, ring->head);
    bytes_take(ring, payload);
    bench_fill(data, payload, n);
}

static void put_all(struct edge *edge, const struct aff_record *burst)
{
    while (edge_room(edge, burst, BURST) < BURST)
        relax();
    edge_put(edge, burst, BURST);
    edge_publish(edge);
}

/* Payloads of a burst are made before any of it is published, so the ring must
 * hold two bursts: it holds far more. */
static void *writer(void *arg)
{
    struct side *s = arg;
    struct aff_record burst[BURST];
    uint32_t payload = s->move->payload, i;
    uint64_t n;

    bench_pin(0);
    pthread_barrier_wait(s->start);
    s->began_ns = bench_now_ns();
    for (n = 0; n < s->move->records; n += BURST) {
        wait_bytes(s);
        for (i = 0; i < BURST; i++)
            make(s->ring, &burst[i], payload, n + i);
        put_all(s->edge, burst);
    }
    return NULL;
}

static void *reader(void *arg)
{
    struct side *s = arg;
    struct aff_record batch[TAKE];
    uint64_t got = 0;
    uint16_t flags;
    uint32_t i, n;

    bench_pin(1);
    pthread_barrier_wait(s->start);
    while (got < s->move->records) {
        n = edge_take(s->edge, 0, batch, TAKE, &flags);
        if (n == 0) {
            relax();
            continue;
        }
        for (i = 0; i < n; i++) {
            /* The header is read in full as well; its sum is not compared. */
            volatile uint64_t header = bench_sum(&batch[i], HEADER);
            (void)header;
            s->sum += bench_sum(batch[i].data, batch[i].size);
        }
        edge_release(s->edge);
        got += n;
    }
    s->ended_ns = bench_now_ns();
    return NULL;
}

static void move_run(const struct move *m)
{
    static const uint8_t carries[1] = { 1 };
    struct bytes ring;
    struct edge edge __attribute__((aligned(64)));
    struct edge_shape shape = { m->headers, m->ring, &ring, carries, 1 };
    struct bell bell;
    pthread_barrier_t start;
    struct side from = { .move = m, .edge = &edge, .ring = &ring, .start = &start }, to = from;
    pthread_t threads[2];
    uint64_t expected = 0, n;

    if (!bytes_open(&ring, m->ring) || !edge_open(&edge, &shape) || !bell_open(&bell))
        exit(1);
    edge.reader = &bell;
    pthread_barrier_init(&start, NULL, 2);
    pthread_create(&threads[0], NULL, writer, &from);
    pthread_create(&threads[1], NULL, reader, &to);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    for (n = 0; n < m->records; n++)
        expected += bench_expected(m->payload, n);
    if (to.sum != expected) {
        fprintf(stderr, "bench_handoff: %s: what was read is not what was written\n", m->metric);
        exit(1);
    }
    bench_print(m->metric, (to.ended_ns - from.began_ns) / (double)m->records, "ns/record");
    edge_close(&edge);
    bytes_close(&ring);
    bell_close(&bell);
}

int main(void)
{
    static const struct move moves[] = {
        { "handoff_64", 64, 1024, 256 * 1024, 1u << 24 },
        { "handoff_256", 256, 1024, 512 * 1024, 1u << 23 },
        { "handoff_4096", 4096, 256, 1024 * 1024, 1u << 20 },
    };
    size_t i;

    for (i = 0; i < sizeof moves / sizeof *moves; i++)
        move_run(&moves[i]);
    return 0;
}
