/* test_queue_newest.c - alarms: of what waits the newest goes first.
 *
 * Needs: as test_queue.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "queue_rig.h"

static void newest_first_gives_the_newest_and_then_the_backlog(void **state)
{
    struct rig *r = rig_with(1 << 20, true);
    uint32_t i;

    (void)state;
    rig_put_n(r, 200);
    assert_int_equal(rig_take(r), 64);
    for (i = 0; i < 64; i++)
        assert_int_equal(r->batch[i].id.seq, 137 + i);
    rig_put_n(r, 10);
    queue_back(r->queue);
    assert_int_equal(rig_take(r), 10); /* what came meanwhile overtakes */
    assert_int_equal(r->batch[0].id.seq, 201);
    queue_back(r->queue);
    queue_end_epoch(r->queue, 1);
    queue_note(r->queue, 1);
    rig_commit(r, 1, 1);
    assert_int_equal(r->shelf.puts, 136);
    assert_int_equal(rig_take(r), 64);
    assert_int_equal(r->batch[0].id.seq, 73);
    queue_back(r->queue);
    queue_note(r->queue, 2);
    rig_commit(r, 1, 2);
    assert_int_equal(r->shelf.acks, 64);
    assert_int_equal(r->shelf.acks_upto, 0);
    rig_crash(r);
    rig_put_n(r, 2);
    assert_int_equal(rig_take(r), 2);
    queue_back(r->queue);
    assert_int_equal(rig_take(r), 64);
    assert_int_equal(r->batch[0].id.seq, 9);
    assert_true(r->batch[0].flags & AFF_FLAG_RESENT);
    queue_back(r->queue);
    assert_int_equal(rig_take(r), 8);
    assert_int_equal(r->batch[0].id.seq, 1);
    queue_back(r->queue);
    queue_end_epoch(r->queue, 1);
    queue_note(r->queue, 1);
    rig_commit(r, 1, 1);
    assert_int_equal(r->shelf.count, 0);
    assert_int_equal(rig_figures(r).queued, 0);
    rig_free(r);
}

static void put_two(void *arg)
{
    rig_put_n(arg, 2);
}

static void what_is_put_while_the_store_is_read_is_not_lost(void **state)
{
    struct rig *r = rig_with(1 << 20, true);

    (void)state;
    rig_put_n(r, 70);
    queue_end_epoch(r->queue, 1);
    rig_commit(r, 1, 0);
    rig_crash(r);
    r->shelf.meanwhile = put_two;
    r->shelf.arg = r;
    assert_int_equal(rig_take(r), 64);
    assert_int_equal(r->batch[0].id.seq, 7);
    queue_back(r->queue);
    assert_int_equal(rig_take(r), 2);
    assert_int_equal(r->batch[0].id.seq, 71);
    queue_back(r->queue);
    assert_int_equal(rig_take(r), 6);
    queue_back(r->queue);
    assert_false(queue_ready(r->queue));
    rig_free(r);
}

static void newest_first_never_straddles_an_end_either(void **state)
{
    struct rig *r = rig_with(1 << 20, true);

    (void)state;
    rig_put_n(r, 5);
    queue_end_epoch(r->queue, 1);
    rig_put_n(r, 3);
    assert_int_equal(rig_take(r), 3);
    queue_back(r->queue);
    assert_int_equal(rig_take(r), 5);
    queue_back(r->queue);
    rig_free(r);
}

static void overtaking_ever_so_often_loses_nothing(void **state)
{
    struct rig *r = rig_with(8192, true);
    static uint8_t seen[100000];
    uint64_t e = 0, got = 0;
    uint32_t n, i;
    int round;

    (void)state;
    memset(seen, 0, sizeof seen);
    for (round = 0; round < 2000; round++) {
        rig_put_n(r, 3);
        n = queue_take(r->queue, r->batch, 1 + (uint32_t)round % 3u / 2u);
        for (i = 0; i < n; i++, got++)
            assert_int_equal(seen[r->batch[i].id.seq]++, 0);
        queue_back(r->queue);
        if (round % 7 == 0) {
            queue_end_epoch(r->queue, ++e);
            queue_note(r->queue, e);
            rig_commit(r, e, e);
        }
        assert_true(r->queue->span_count <= QUEUE_SPANS);
    }
    while ((n = rig_take(r)) > 0) {
        for (i = 0; i < n; i++, got++)
            assert_int_equal(seen[r->batch[i].id.seq]++, 0);
        queue_back(r->queue);
    }
    assert_int_equal(got, 6000);
    assert_int_equal(rig_figures(r).lost, 0);
    rig_free(r);
}

static void newest_first_is_told_of_an_end_before_it_goes_beyond(void **state)
{
    struct rig *r = rig_with(1 << 20, true);

    (void)state;
    rig_put_n(r, 100);
    assert_int_equal(rig_take(r), 64);
    queue_back(r->queue);
    queue_end_epoch(r->queue, 1);
    assert_false(queue_at_end(r->queue)); /* there is more of it to finish */
    rig_put_n(r, 1);
    assert_true(queue_at_end(r->queue));
    assert_false(queue_at_end(r->queue));
    assert_int_equal(rig_take(r), 1);
    queue_back(r->queue);
    assert_int_equal(rig_take(r), 36);
    queue_back(r->queue);
    queue_end_epoch(r->queue, 2);
    assert_true(queue_at_end(r->queue));
    rig_free(r);
}

static void marks_mean_nothing_to_it(void **state)
{
    struct rig *r = rig_with(1 << 20, true);

    (void)state;
    rig_put_n(r, 1);
    rig_put_mark(r);
    assert_int_equal(rig_take(r), 1);
    queue_back(r->queue);
    assert_false(queue_ready(r->queue));
    rig_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(newest_first_gives_the_newest_and_then_the_backlog),
        cmocka_unit_test(what_is_put_while_the_store_is_read_is_not_lost),
        cmocka_unit_test(newest_first_never_straddles_an_end_either),
        cmocka_unit_test(overtaking_ever_so_often_loses_nothing),
        cmocka_unit_test(newest_first_is_told_of_an_end_before_it_goes_beyond),
        cmocka_unit_test(marks_mean_nothing_to_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
