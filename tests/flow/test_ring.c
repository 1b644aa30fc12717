/* test_ring.c - rings between three threads, with every payload byte looked at.
 *
 * The first thread makes records in two byte rings and puts them on two edges; the
 * second passes them on, in order or not, with records of a third byte ring; the
 * third joins both ways by epochs. So an edge carries three origins, owners free
 * across two hops, and headers and bytes wrap many times. Sizes go from nothing to
 * the whole byte ring. Each seed has its own sizes and its own slow thread; threads
 * yield and sleep at random, and signals stop them for a while at any instruction
 * (under the thread sanitizer: at calls). A bell that is not rung is a wait of 20 s.
 *
 * In a second test the writer is a signal handler on the reader's thread: so it falls
 * between any two instructions of the reader.
 *
 * Covered: edge.h, bytes.h, bell.h, with edge_holds for rising positions and for
 * stretches; ends of epochs; release of many batches at once. Run it under the
 * thread sanitizer. Not covered: what the sanitizer cannot see (the second mapping
 * of a byte ring, membarrier; the bytes are compared instead), weaker memory than
 * this machine's, queues, nodes.
 *
 * AFFERENT_RINGS=N runs N seeds; AFFERENT_RINGS_FROM=S begins at seed S. */
#include <setjmp.h>
#include <stdarg.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "rings.h"

enum { SEEDS = 40, RECORDS = 4000, BATCHES_KEPT = 4 };

/* ---- the first thread ---- */

static bool commit_ready(struct worker *w, const void *arg)
{
    return atomic_load_explicit(&w->all->committed, memory_order_acquire) >= *(const uint64_t *)arg;
}

static bool first_flush(struct worker *w, struct aff_record *hand, uint32_t *count)
{
    struct aff_record also[BATCH];
    uint32_t i, n = 0, maker;

    for (i = 0; i < *count; i++)
        if (hand[i].id.source == 1 && rings_pick(&w->random, 2))
            also[n++] = hand[i];
    if (!rings_put(w, NEAR, hand, *count) || !rings_put(w, SHORT, also, n))
        return false;
    *count = 0;
    for (maker = 0; maker < 2; maker++)
        w->keep[maker] = w->all->rings[maker].head;
    return true;
}

static bool first_end(struct worker *w, uint64_t *epoch)
{
    uint64_t wanted;

    edge_end_epoch(&w->all->edges[NEAR], *epoch);
    edge_end_epoch(&w->all->edges[SHORT], *epoch);
    ++*epoch;
    wanted = *epoch >= EDGE_EPOCHS ? *epoch + 1u - EDGE_EPOCHS : 0;
    return commit_ready(w, &wanted) || rings_wait(w, commit_ready, &wanted);
}

static void first_run(struct worker *w)
{
    struct aff_record hand[BATCH];
    uint64_t seq, epoch = 0;
    uint32_t count = 0, most = 1 + rings_pick(&w->random, BATCH), maker, size;
    bool ok = true;

    for (seq = 1; ok && seq <= RECORDS; seq++) {
        maker = rings_pick(&w->random, 3) == 0;
        size = rings_size(w, maker);
        if (count == most || !rings_fit(w, maker, size))
            ok = first_flush(w, hand, &count);
        ok = ok && rings_make(w, maker, seq, size, &hand[count]);
        hand[count++].seen_ns = (int64_t)epoch;
        if (ok && rings_pick(&w->random, w->all->epoch_records) == 0)
            ok = first_flush(w, hand, &count) && first_end(w, &epoch);
        rings_dawdle(w);
    }
    if (ok && first_flush(w, hand, &count)) {
        edge_finish(&w->all->edges[NEAR]);
        edge_finish(&w->all->edges[SHORT]);
    }
}

/* ---- the second thread ---- */

static bool near_ready(struct worker *w, const void *arg)
{
    return edge_ready(&w->all->edges[NEAR], *(const uint64_t *)arg);
}

static void shuffle(struct worker *w, struct aff_record *records, uint32_t count)
{
    struct aff_record r;
    uint32_t i, k;

    for (i = count; i > 1; i--) {
        k = rings_pick(&w->random, i);
        r = records[k];
        records[k] = records[i - 1];
        records[i - 1] = r;
    }
}

/* Passes on most, and puts records of its own between them. */
static bool second_work(struct worker *w, struct aff_record *in, uint32_t count, uint64_t *seq, uint64_t epoch)
{
    struct aff_record out[BATCH];
    uint32_t i, n = 0, size;
    bool ok = true;

    if (w->all->shuffles)
        shuffle(w, in, count);
    for (i = 0; ok && i < count; i++) {
        rings_check(w->all, &in[i]);
        if (rings_pick(&w->random, 5))
            out[n++] = in[i];
        size = rings_size(w, 2);
        if (n > BATCH - 2 || !rings_fit(w, 2, size)) {
            ok = rings_put(w, FAR, out, n);
            n = 0;
            w->keep[2] = w->all->rings[2].head;
        }
        if (!ok || rings_pick(&w->random, 3))
            continue;
        ok = rings_make(w, 2, ++*seq, size, &out[n]);
        out[n++].seen_ns = (int64_t)epoch;
    }
    ok = ok && rings_put(w, FAR, out, n);
    w->keep[2] = w->all->rings[2].head;
    return ok;
}

static void second_run(struct worker *w)
{
    struct edge *near = &w->all->edges[NEAR];
    struct aff_record in[BATCH];
    uint64_t epoch = 0, seq = 0;
    uint32_t count, i;
    uint16_t flags;

    while (near_ready(w, &epoch) || rings_wait(w, near_ready, &epoch)) {
        count = edge_take(near, epoch, in, 1 + rings_pick(&w->random, BATCH), &flags);
        for (i = 0; i < count; i++)
            if (in[i].seen_ns != (int64_t)epoch)
                rings_fail(w->all, "near: epoch of a record, of its reader", (uint64_t)in[i].seen_ns, epoch);
        if (count > 0) {
            if (!second_work(w, in, count, &seq, epoch))
                return;
            edge_release(near);
        } else if (edge_over(near)) {
            edge_finish(&w->all->edges[FAR]);
            return;
        } else if (edge_epoch_over(near, epoch)) {
            edge_end_epoch(&w->all->edges[FAR], epoch++);
        }
        rings_dawdle(w);
    }
}

/* ---- the third thread ---- */

static bool either_ready(struct worker *w, const void *arg)
{
    uint64_t epoch = *(const uint64_t *)arg;
    bool far_over = edge_epoch_over(&w->all->edges[FAR], epoch);
    bool short_over = edge_epoch_over(&w->all->edges[SHORT], epoch);

    return (far_over && short_over) || (!far_over && edge_ready(&w->all->edges[FAR], epoch)) ||
           (!short_over && edge_ready(&w->all->edges[SHORT], epoch));
}

/* Releases late now and then: many batches at once. */
static uint32_t third_take(struct worker *w, uint32_t edge, uint64_t epoch)
{
    struct aff_record in[BATCH * BATCHES_KEPT];
    uint32_t rounds = 1 + rings_pick(&w->random, BATCHES_KEPT), count = 0, i;
    uint16_t flags;

    while (rounds-- > 0)
        count += edge_take(&w->all->edges[edge], epoch, in + count, 1 + rings_pick(&w->random, BATCH), &flags);
    rings_dawdle(w);
    for (i = 0; i < count; i++) {
        if (in[i].seen_ns != (int64_t)epoch)
            rings_fail(w->all, "epoch of a record, of its reader", (uint64_t)in[i].seen_ns, epoch);
        rings_check(w->all, &in[i]);
        w->all->got[edge]++;
        w->all->got_sum[edge] += in[i].id.seq * (in[i].id.source + 4u);
    }
    edge_release(&w->all->edges[edge]);
    return count;
}

static void third_run(struct worker *w)
{
    struct edge *edges = w->all->edges;
    uint64_t epoch = 0;
    uint32_t got;

    while (either_ready(w, &epoch) || rings_wait(w, either_ready, &epoch)) {
        got = third_take(w, FAR, epoch);
        got += third_take(w, SHORT, epoch);
        if (got > 0)
            continue;
        if (edge_over(&edges[FAR]) && edge_over(&edges[SHORT]))
            return;
        if (edge_epoch_over(&edges[FAR], epoch) && edge_epoch_over(&edges[SHORT], epoch)) {
            epoch++;
            atomic_store_explicit(&w->all->committed, epoch, memory_order_release);
            bell_ring(&w->all->first.bell);
        }
    }
}

/* ---- stops at any instruction ---- */

static void nap(int signal)
{
    struct timespec now, short_while = { 0, 0 };

    (void)signal;
    clock_gettime(CLOCK_MONOTONIC, &now);
    short_while.tv_nsec = 1000 + now.tv_nsec % 100000;
    nanosleep(&short_while, NULL);
}

static void *disturb(void *arg)
{
    struct rig_of_rings *all = arg;
    struct worker *workers[3] = { &all->first, &all->second, &all->third };
    struct timespec pause = { 0, 30000 };
    uint64_t random = 1;

    while (!atomic_load(&all->over)) {
        pthread_kill(workers[rings_pick(&random, 3)]->thread, SIGUSR1);
        nanosleep(&pause, NULL);
    }
    return NULL;
}

/* ---- one seed ---- */

static void *thread_main(void *arg)
{
    struct worker *w = arg;

    w->run(w);
    atomic_fetch_add(&w->all->ended, 1);
    return NULL;
}

static void thread_start(struct worker *w, void (*run)(struct worker *w))
{
    w->run = run;
    assert_int_equal(pthread_create(&w->thread, NULL, thread_main, w), 0);
}

struct laps {
    uint64_t headers, bytes, epochs, whole;
};

static bool seed_run(uint64_t seed, struct laps *laps)
{
    struct rig_of_rings *all = rings_open(seed);
    pthread_t disturber;
    uint32_t i;
    bool right;

    thread_start(&all->third, third_run);
    thread_start(&all->second, second_run);
    thread_start(&all->first, first_run);
    assert_int_equal(pthread_create(&disturber, NULL, disturb, all), 0);
    /* A thread may be sent a signal until it is joined: the last one ends last. */
    while (atomic_load(&all->ended) < 3)
        nanosleep(&(struct timespec){ 0, 200000 }, NULL);
    atomic_store(&all->over, true);
    pthread_join(disturber, NULL);
    pthread_join(all->first.thread, NULL);
    pthread_join(all->second.thread, NULL);
    pthread_join(all->third.thread, NULL);
    for (i = SHORT; i <= FAR; i++)
        if (all->got[i] != all->put[i] || all->got_sum[i] != all->put_sum[i])
            rings_fail(all, "records put, and got", all->put[i], all->got[i]);
    for (i = 0; i < EDGES_ALL; i++)
        laps->headers += atomic_load(&all->edges[i].head) / (all->edges[i].mask + 1u);
    for (i = 0; i < MAKERS; i++)
        laps->bytes += all->rings[i].head / all->rings[i].size;
    laps->epochs += atomic_load(&all->committed);
    laps->whole += all->largest > all->rings[0].size - 32u;
    right = !atomic_load(&all->failed);
    if (!right)
        print_error("seed %llu\n", (unsigned long long)seed);
    rings_close(all);
    return right;
}

/* ---- the writer between two instructions ---- */

enum { INTERRUPTIONS = 30000, INTERRUPTED_S = 4, IDLE_LOOKS = 4096 };

static struct {
    struct edge edge;
    struct bell bell;
    _Atomic uint64_t written, taken; /* epochs: ended by the writer, by the reader */
    _Atomic bool over;
    pthread_t reader;
} between;

static void put_one(uint64_t epoch)
{
    struct aff_record r = { .seen_ns = (int64_t)epoch, .origin = EDGE_NO_ORIGIN };

    if (edge_room(&between.edge, &r, 1))
        edge_put(&between.edge, &r, 1);
}

/* A record, the epoch's end, and one of the next epoch at once. */
static void write_between(int signal)
{
    uint64_t epoch = atomic_load(&between.written);

    (void)signal;
    if (epoch - atomic_load(&between.taken) >= EDGE_EPOCHS - 1)
        return;
    put_one(epoch);
    edge_publish(&between.edge);
    edge_end_epoch(&between.edge, epoch);
    atomic_store(&between.written, epoch + 1u);
    put_one(epoch + 1u);
    edge_publish(&between.edge);
}

static void *interrupt(void *arg)
{
    (void)arg;
    while (!atomic_load(&between.over)) {
        pthread_kill(between.reader, SIGUSR2);
        sched_yield();
    }
    return NULL;
}

static time_t seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

static bool rests_late(time_t until)
{
    sched_yield();
    return seconds() > until;
}

/* Where one processor is shared by many, whoever interrupts comes seldom: then it ends early. */
static uint64_t read_between(void)
{
    struct aff_record in[BATCH];
    uint64_t epoch = 0, mixed = 0, idle = 0;
    time_t until = seconds() + INTERRUPTED_S;
    uint32_t count, i;
    uint16_t flags;

    while (epoch < INTERRUPTIONS && mixed == 0) {
        count = edge_take(&between.edge, epoch, in, BATCH, &flags);
        for (i = 0; i < count; i++)
            mixed += in[i].seen_ns != (int64_t)epoch;
        edge_release(&between.edge);
        if (!edge_epoch_over(&between.edge, epoch)) {
            idle++;
            if (idle % IDLE_LOOKS == 0 && rests_late(until))
                break;
            continue;
        }
        epoch++;
        atomic_store(&between.taken, epoch);
    }
    return mixed;
}

static void an_epoch_may_end_between_any_two_instructions_of_its_reader(void **state)
{
    struct edge_shape shape = { .headers = 64, .buffer = 4096, .carries = (const uint8_t *)"", .node_count = 0 };
    pthread_t interrupter;
    uint64_t mixed;

    (void)state;
    assert_true(bell_open(&between.bell));
    assert_true(edge_open(&between.edge, &shape));
    between.edge.reader = &between.bell;
    between.reader = pthread_self();
    assert_int_equal(sigaction(SIGUSR2, &(struct sigaction){ .sa_handler = write_between }, NULL), 0);
    assert_int_equal(pthread_create(&interrupter, NULL, interrupt, NULL), 0);
    mixed = read_between();
    atomic_store(&between.over, true);
    pthread_join(interrupter, NULL);
    signal(SIGUSR2, SIG_IGN);
    edge_close(&between.edge);
    bell_close(&between.bell);
    assert_int_equal(mixed, 0);
}

static uint64_t number_of(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);

    return text ? strtoull(text, NULL, 10) : otherwise;
}

static void every_payload_stays_whole_until_its_last_reader_lets_go(void **state)
{
    uint64_t from = number_of("AFFERENT_RINGS_FROM", 1), count = number_of("AFFERENT_RINGS", SEEDS), i, wrong = 0;
    struct laps laps = { 0 };

    (void)state;
    assert_int_equal(sigaction(SIGUSR1, &(struct sigaction){ .sa_handler = nap, .sa_flags = SA_RESTART }, NULL), 0);
    for (i = 0; i < count; i++)
        wrong += !seed_run(from + i, &laps);
    print_message("%llu seeds: headers wrapped %llu times, bytes %llu, %llu epochs ended, a record of a whole ring in %llu\n",
                  (unsigned long long)count, (unsigned long long)laps.headers, (unsigned long long)laps.bytes,
                  (unsigned long long)laps.epochs, (unsigned long long)laps.whole);
    assert_int_equal(wrong, 0);
    assert_true(laps.headers > 100 * count);
    assert_true(laps.bytes > 10 * count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_epoch_may_end_between_any_two_instructions_of_its_reader),
        cmocka_unit_test(every_payload_stays_whole_until_its_last_reader_lets_go),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
