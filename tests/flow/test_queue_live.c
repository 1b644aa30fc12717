/* test_queue_live.c - vitals over a link: what is live in order, before that what waited,
 * newest first; batches bounded by bytes; the too old looked for from the old end.
 *
 * Needs: as test_queue.c. Record number n was seen at n microseconds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "queue_rig.h"

static int64_t seen(uint64_t number)
{
    return (int64_t)number * 1000;
}

static uint32_t take_live(struct rig *r, uint64_t live)
{
    const struct queue_want want = { .room = QUEUE_BATCH, .bytes = UINT64_MAX, .live_ns = seen(live) };
    uint32_t n = queue_take_by(r->queue, r->batch, &want), i;

    for (i = 0; i < n; i++) {
        rig_check(&r->batch[i]);
        assert_int_equal(r->batch[i].id.seq, r->batch[0].id.seq + i);
    }
    return n;
}

/* The next batch is of these records, in order. */
static void gives(struct rig *r, uint64_t live, uint64_t from, uint64_t to)
{
    assert_int_equal(take_live(r, live), to - from + 1u);
    assert_int_equal(r->batch[0].id.seq, from);
    queue_back(r->queue);
}

static void what_is_live_goes_first_and_in_order_and_then_the_newest_that_waited(void **state)
{
    struct rig *r = rig_with(1 << 20, true);

    (void)state;
    rig_put_n(r, 200);
    gives(r, 101, 101, 164); /* live: 101 to 200, more than a batch, in order */
    rig_put_n(r, 5);
    gives(r, 101, 165, 205);
    gives(r, 101, 37, 100); /* what waited: the newest batch first */
    rig_put_n(r, 1);
    gives(r, 206, 206, 206); /* a new one overtakes it */
    gives(r, 206, 1, 36);
    assert_false(queue_ready(r->queue));
    rig_free(r);
}

static void what_lies_in_the_store_alone_is_not_live(void **state)
{
    struct rig *r = rig_with(4096, true);

    (void)state;
    rig_put_n(r, 300);
    queue_end_epoch(r->queue, 1);
    rig_commit(r, 1, 0);
    rig_crash(r);
    rig_put_n(r, 3);
    gives(r, 0, 301, 303);
    gives(r, 0, 237, 300);
    rig_free(r);
}

static void all_that_is_put_comes_once_however_the_reader_changes_its_mind(void **state)
{
    static uint8_t times[20001];
    struct rig *r = rig_with(8192, true);
    uint64_t e = 0, got = 0, last = 0;
    uint32_t n, i;
    int round;

    (void)state;
    memset(times, 0, sizeof times);
    srand(7);
    for (round = 0; round < 3000 || got < r->number; round++) {
        uint64_t live = r->number - (uint64_t)(rand() % 40);
        const struct queue_want want = { .room = 1 + (uint32_t)rand() % 64u, .live_ns = seen(live),
                                         .bytes = rand() % 2 ? UINT64_MAX : (uint64_t)rand() % 1000u };

        if (round < 3000)
            rig_put_n(r, (uint32_t)rand() % 7u);
        n = rand() % 3 && round < 3000 ? 0 : queue_take_by(r->queue, r->batch, &want);
        for (i = 0; i < n; i++, got++) {
            assert_int_equal(times[r->batch[i].id.seq]++, 0);
            assert_true(i == 0 || r->batch[i].id.seq > last);
            last = r->batch[i].id.seq;
        }
        queue_back(r->queue);
        if (round % 11 == 0) {
            queue_end_epoch(r->queue, ++e);
            queue_note(r->queue, e);
            rig_commit(r, e, e);
        }
        assert_true(r->queue->span_count <= QUEUE_SPANS);
    }
    assert_int_equal(got, r->number);
    assert_int_equal(rig_figures(r).lost, 0);
    assert_int_equal(rig_figures(r).queued, 0);
    rig_free(r);
}

static uint32_t take_bytes(struct rig *r, uint64_t bytes)
{
    const struct queue_want want = { .room = QUEUE_BATCH, .bytes = bytes, .live_ns = INT64_MAX };
    uint32_t n = queue_take_by(r->queue, r->batch, &want);

    queue_back(r->queue);
    return n;
}

static void a_batch_has_as_many_bytes_as_are_wanted_and_one_record_at_least(void **state)
{
    struct rig *r = rig_with(4096, false);

    (void)state;
    rig_put_n(r, 100);
    assert_int_equal(take_bytes(r, 0), 1);
    assert_int_equal(take_bytes(r, SIZE), 1);
    assert_int_equal(take_bytes(r, 3 * SIZE - 1), 2);
    assert_int_equal(take_bytes(r, 3 * SIZE), 3);
    queue_end_epoch(r->queue, 1);
    queue_note(r->queue, 1);
    rig_commit(r, 1, 1);
    rig_crash(r); /* the same from the store */
    assert_int_equal(take_bytes(r, 0), 1);
    assert_int_equal(r->batch[0].id.seq, 8);
    assert_int_equal(take_bytes(r, 3 * SIZE - 1), 2);
    assert_int_equal(take_bytes(r, UINT64_MAX), 64);
    rig_free(r);
}

static bool is_before(void *arg, const struct aff_record *record)
{
    return record->id.seq < *(const uint64_t *)arg;
}

static uint32_t take_old(struct rig *r, uint64_t before)
{
    const struct queue_want want = { .room = QUEUE_BATCH, .bytes = UINT64_MAX, .live_ns = INT64_MAX,
                                     .only = is_before, .arg = &before };
    uint32_t n = queue_take_by(r->queue, r->batch, &want);

    queue_back(r->queue);
    return n;
}

static void the_oldest_alone_can_be_taken_from_memory_and_from_the_store(void **state)
{
    int newest;

    (void)state;
    for (newest = 0; newest < 2; newest++) {
        struct rig *r = rig_with(1 << 20, newest != 0);

        rig_put_n(r, 100);
        assert_int_equal(take_old(r, 1), 0);
        assert_true(queue_ready(r->queue)); /* nothing is wrong with it */
        assert_int_equal(take_old(r, 11), 10);
        assert_int_equal(take_old(r, 11), 0);
        queue_end_epoch(r->queue, 1);
        queue_note(r->queue, 1);
        rig_commit(r, 1, 1);
        assert_int_equal(r->shelf.count, 90);
        rig_crash(r);
        assert_int_equal(take_old(r, 11), 0);
        assert_true(queue_ready(r->queue));
        assert_int_equal(take_old(r, 31), 20);
        assert_int_equal(r->batch[0].id.seq, 11);
        rig_put_n(r, 5);
        queue_end_epoch(r->queue, 1);
        queue_note(r->queue, 1);
        rig_commit(r, 1, 1);
        assert_int_equal(r->shelf.count, 75);
        assert_int_equal(rig_figures(r).queued, 75);
        assert_int_equal(take_old(r, UINT64_MAX), 64);
        assert_int_equal(take_old(r, UINT64_MAX), 6);
        assert_int_equal(take_old(r, UINT64_MAX), 5);
        assert_int_equal(rig_figures(r).queued, 0);
        assert_int_equal(rig_figures(r).lost, 0);
        rig_free(r);
    }
}

static void the_end_of_an_epoch_is_told_while_what_is_live_is_taken(void **state)
{
    struct rig *r = rig_with(1 << 20, true);

    (void)state;
    rig_put_n(r, 100);
    queue_end_epoch(r->queue, 1);
    rig_put_n(r, 10);
    gives(r, 101, 101, 110);
    queue_end_epoch(r->queue, 2);
    assert_false(queue_at_end(r->queue)); /* there is more of it to finish */
    rig_put_n(r, 1);
    assert_true(queue_at_end(r->queue));
    gives(r, 101, 111, 111);
    gives(r, 101, 37, 100);
    gives(r, 101, 1, 36);
    queue_end_epoch(r->queue, 3);
    assert_true(queue_at_end(r->queue));
    rig_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_live_goes_first_and_in_order_and_then_the_newest_that_waited),
        cmocka_unit_test(what_lies_in_the_store_alone_is_not_live),
        cmocka_unit_test(all_that_is_put_comes_once_however_the_reader_changes_its_mind),
        cmocka_unit_test(a_batch_has_as_many_bytes_as_are_wanted_and_one_record_at_least),
        cmocka_unit_test(the_oldest_alone_can_be_taken_from_memory_and_from_the_store),
        cmocka_unit_test(the_end_of_an_epoch_is_told_while_what_is_live_is_taken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
