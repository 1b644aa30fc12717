/* test_queue_deaths.c - a writer, a reader and a keeper that do as they like, and die.
 *
 * Each life ends at a random moment; the next one goes on from what the store holds,
 * the writer from its position there. Every record must come out, in order, and again
 * only with RESENT. First as one thread that plays all three, by many schedules,
 * then as three threads.
 *
 * Needs: as test_queue.c. */
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "queue_rig.h"

enum { WORLD = 10000, EPOCHS = WORLD };

struct world {
    struct rig *r;
    uint32_t seed;
    bool threads;
    pthread_mutex_t commit;
    _Atomic bool dead;
    _Atomic uint64_t writer_epoch, reader_epoch; /* latest that ended; 0: none */
    uint64_t ended_at[EPOCHS];                   /* number of records put, by epoch */
    uint64_t position;                           /* durable */
    uint64_t highest;                            /* ever put */
    uint64_t put;                                /* in this life */
    uint64_t last;                               /* given in this life */
    uint8_t given[WORLD + 1];
};

static uint32_t roll(uint32_t *seed, uint32_t below)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (*seed >> 8) % below;
}

static bool writer_step(struct world *w, uint32_t *seed)
{
    uint32_t n = roll(seed, 40);

    for (; n > 0 && w->put < WORLD; n--) {
        w->put++;
        rig_put_one(w->r, w->put, roll(seed, 300), w->put <= w->highest ? AFF_FLAG_RESENT : 0);
        w->highest = w->put > w->highest ? w->put : w->highest;
    }
    if (roll(seed, 3) == 0 || w->put == WORLD) {
        uint64_t e = atomic_load(&w->writer_epoch) + 1u;

        w->ended_at[e % EPOCHS] = w->put;
        queue_end_epoch(w->r->queue, e);
        atomic_store(&w->writer_epoch, e);
    }
    if (w->put < WORLD)
        return true;
    queue_finish(w->r->queue);
    return false;
}

static void reader_ends(struct world *w)
{
    uint64_t e = atomic_load(&w->reader_epoch) + 1u;

    queue_note(w->r->queue, e);
    atomic_store(&w->reader_epoch, e);
}

static bool reader_step(struct world *w, uint32_t *seed)
{
    bool newest = w->r->shape.newest_first;
    uint32_t n, i;

    if (queue_at_end(w->r->queue) || roll(seed, 20) == 0)
        reader_ends(w);
    if (roll(seed, 3) == 0)
        return true;
    n = queue_take(w->r->queue, w->r->batch, 1 + roll(seed, 64));
    for (i = 0; i < n; i++) {
        uint64_t id = w->r->batch[i].id.seq;

        rig_check(&w->r->batch[i]);
        assert_true(id >= 1 && id <= WORLD);
        if (w->given[id] > 0)
            assert_true(w->r->batch[i].flags & AFF_FLAG_RESENT);
        assert_true(newest || id > w->last);
        w->last = id;
        w->given[id] = 1;
    }
    if (n > 0)
        queue_back(w->r->queue);
    if (!queue_over(w->r->queue))
        return true;
    reader_ends(w);
    return false;
}

/* The newest pair of epochs that agree, as the flow's commit does it. */
static void keeper_step(struct world *w, uint32_t *seed)
{
    uint64_t writer, reader, unfinished, puts = 0;
    uint32_t i;

    reader = atomic_load(&w->reader_epoch);
    writer = atomic_load(&w->writer_epoch);
    while (reader > 0 && !queue_agrees(w->r->queue, writer, reader))
        reader--;
    kept_group_clear(&w->r->group);
    unfinished = queue_unfinished(w->r->queue, writer, reader);
    queue_gather(w->r->queue, writer, reader, &w->r->group);
    assert_false(w->r->group.failed);
    for (i = 0; i < w->r->group.count; i++)
        puts += w->r->group.changes[i].op == KEPT_PUT;
    assert_int_equal(puts, unfinished);
    if (roll(seed, 5) == 0)
        return; /* the disk failed: another group the next time */
    shelf_commit(&w->r->shelf, &w->r->group);
    if (writer > 0)
        w->position = w->ended_at[writer % EPOCHS];
    queue_stored(w->r->queue, writer, reader);
}

static void *writer_run(void *arg)
{
    struct world *w = arg;
    uint32_t seed = w->seed * 3u + 1u;

    while (!atomic_load(&w->dead) && writer_step(w, &seed))
        if (roll(&seed, 8) == 0)
            usleep(200);
    return NULL;
}

static void *reader_run(void *arg)
{
    struct world *w = arg;
    uint32_t seed = w->seed * 5u + 2u;

    while (!atomic_load(&w->dead) && reader_step(w, &seed))
        if (roll(&seed, 4) == 0)
            usleep(roll(&seed, 900));
    return NULL;
}

static bool all_given(const struct world *w)
{
    return memchr(w->given + 1, 0, WORLD) == NULL;
}

static void life_threads(struct world *w)
{
    uint32_t seed = w->seed, steps = 20 + roll(&seed, 200);
    pthread_t writer, reader;

    assert_int_equal(pthread_create(&writer, NULL, writer_run, w), 0);
    assert_int_equal(pthread_create(&reader, NULL, reader_run, w), 0);
    for (; steps > 0; steps--) {
        keeper_step(w, &seed);
        usleep(300);
    }
    atomic_store(&w->dead, true);
    pthread_join(writer, NULL);
    pthread_join(reader, NULL);
}

static void life_single(struct world *w)
{
    uint32_t seed = w->seed, steps = roll(&seed, 3000), slow = 1 + roll(&seed, 6);
    bool writes = true, reads = true;

    for (; steps > 0; steps--) {
        if (writes && roll(&seed, slow) == 0)
            writes = writer_step(w, &seed);
        if (reads && roll(&seed, 7 - slow) == 0)
            reads = reader_step(w, &seed);
        if (roll(&seed, 10) == 0)
            keeper_step(w, &seed);
    }
}

static void world_run(uint32_t seed, bool newest, bool threads)
{
    static struct world w;
    uint32_t lives;

    memset(&w, 0, sizeof w);
    w.threads = threads;
    w.r = rig_with(1024u << seed % 8u, newest);
    for (lives = 0; lives < 2000; lives++) {
        w.seed = seed * 7919u + lives;
        w.put = w.position;
        w.last = 0;
        atomic_store(&w.dead, false);
        atomic_store(&w.writer_epoch, 0);
        atomic_store(&w.reader_epoch, 0);
        (threads ? life_threads : life_single)(&w);
        assert_int_equal(rig_figures(w.r).lost, 0);
        if (all_given(&w) && w.position == WORLD && w.r->shelf.count == 0)
            break;
        rig_crash(w.r);
    }
    assert_true(all_given(&w));
    assert_int_equal(w.r->shelf.count, 0);
    rig_free(w.r);
}

static void nothing_is_lost_whatever_dies_when(void **state)
{
    uint32_t seed;

    (void)state;
    for (seed = 1; seed <= 16; seed++)
        world_run(seed, seed % 3 == 0, false);
}

static void nothing_is_lost_between_threads(void **state)
{
    (void)state;
    world_run(4, false, true);
    world_run(6, true, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_lost_whatever_dies_when),
        cmocka_unit_test(nothing_is_lost_between_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
