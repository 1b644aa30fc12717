/* test_queue.c - an edge whose reader may be late: its rules, one by one.
 *
 * Needs: queue_rig.c, flow/queue*.c, wire.c, names*.c, kept.c, bell.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "queue_rig.h"

static void records_come_out_in_order_with_their_bytes(void **state)
{
    struct rig *r = rig_with(1 << 20, false);

    (void)state;
    assert_false(queue_ready(r->queue));
    rig_put_n(r, 500);
    assert_true(queue_ready(r->queue));
    rig_read_range(r, 1, 500);
    assert_int_equal(rig_take(r), 0);
    assert_false(queue_ready(r->queue));
    assert_false(queue_over(r->queue));
    queue_finish(r->queue);
    assert_true(queue_over(r->queue));
    rig_free(r);
}

static void what_was_finished_in_time_is_never_written(void **state)
{
    struct rig *r = rig_with(1 << 20, false);
    uint64_t e;

    (void)state;
    for (e = 1; e <= 30; e++) {
        rig_put_n(r, 100);
        queue_end_epoch(r->queue, e);
        rig_read_range(r, r->number - 99u, r->number);
        queue_note(r->queue, e);
        assert_true(queue_agrees(r->queue, e, e));
        rig_commit(r, e, e);
        assert_int_equal(r->group.count, 0);
    }
    assert_int_equal(rig_figures(r).memory, 0);
    assert_int_equal(rig_figures(r).pending, 0);
    assert_int_equal(rig_figures(r).queued, 0);
    assert_int_equal(rig_figures(r).taken, 3000);
    rig_free(r);
}

static void what_was_not_finished_is_written_once(void **state)
{
    struct rig *r = rig_with(1 << 20, false);

    (void)state;
    rig_put_n(r, 10);
    queue_end_epoch(r->queue, 1);
    rig_read_range(r, 1, 4);
    queue_note(r->queue, 1);
    rig_read_range(r, 5, 6); /* finished, and not noted: a crash would need it */
    assert_int_equal(rig_figures(r).pending, rig_figures(r).memory / 10 * 4);
    rig_commit(r, 1, 1);
    assert_int_equal(r->shelf.puts, 6);
    assert_int_equal(r->shelf.acks_upto, 0);
    assert_int_equal(rig_figures(r).pending, 0);
    assert_int_equal(rig_figures(r).queued, 4);
    assert_int_equal(rig_figures(r).stored, 4);
    rig_commit(r, 1, 1);
    assert_int_equal(r->group.count, 0);
    queue_note(r->queue, 2);
    rig_put_n(r, 1);
    rig_commit(r, 1, 2);
    assert_int_equal(r->shelf.puts, 0);
    assert_int_equal(r->shelf.acks_upto, 1);
    assert_int_equal(r->shelf.count, 4);
    assert_int_equal(r->shelf.values[0].seq, 7);
    rig_read_range(r, 7, 11);
    queue_end_epoch(r->queue, 2);
    queue_note(r->queue, 3);
    rig_commit(r, UINT64_MAX, UINT64_MAX);
    assert_int_equal(r->shelf.count, 0);
    assert_int_equal(r->shelf.all_puts, 6);
    rig_free(r);
}

static void a_reader_ahead_of_the_writer_does_not_agree(void **state)
{
    struct rig *r = rig_with(1 << 20, false);

    (void)state;
    rig_put_n(r, 5);
    queue_end_epoch(r->queue, 1);
    rig_put_n(r, 5);
    rig_read_range(r, 1, 7);
    queue_note(r->queue, 1);
    assert_false(queue_agrees(r->queue, 1, 1));
    assert_true(queue_agrees(r->queue, 1, 0));
    rig_commit(r, 1, 1); /* even so nothing is lost */
    assert_int_equal(r->shelf.puts, 5);
    queue_end_epoch(r->queue, 2);
    assert_true(queue_agrees(r->queue, 2, 1));
    rig_commit(r, 2, 1);
    assert_int_equal(r->shelf.puts, 3);
    assert_int_equal(r->shelf.count, 3);
    rig_free(r);
}

static void a_batch_never_straddles_an_end_and_each_is_told_once(void **state)
{
    struct rig *r = rig_with(1 << 20, false);

    (void)state;
    rig_put_n(r, 10);
    assert_false(queue_at_end(r->queue));
    queue_end_epoch(r->queue, 1);
    queue_end_epoch(r->queue, 2);
    rig_put_n(r, 3);
    queue_end_epoch(r->queue, 3);
    assert_false(queue_at_end(r->queue));
    assert_int_equal(rig_take(r), 10);
    queue_back(r->queue);
    assert_true(queue_at_end(r->queue));
    assert_false(queue_at_end(r->queue));
    assert_int_equal(rig_take(r), 3);
    queue_back(r->queue);
    assert_true(queue_at_end(r->queue));
    rig_put_n(r, 2);
    assert_int_equal(rig_take(r), 2);
    queue_back(r->queue);
    assert_false(queue_at_end(r->queue));
    queue_end_epoch(r->queue, 4);
    assert_true(queue_at_end(r->queue));
    queue_end_epoch(r->queue, 5); /* with nothing in it: no end of its own */
    assert_false(queue_at_end(r->queue));
    rig_free(r);
}

static void a_batch_in_hand_is_given_again(void **state)
{
    struct rig *r = rig_with(1 << 20, false);

    (void)state;
    rig_put_n(r, 3);
    assert_int_equal(rig_take(r), 3);
    rig_put_n(r, 3);
    assert_int_equal(rig_take(r), 3);
    assert_int_equal(r->batch[0].id.seq, 1);
    queue_back(r->queue);
    queue_back(r->queue);
    rig_read_range(r, 4, 6);
    assert_int_equal(rig_figures(r).taken, 6);
    rig_free(r);
}

static void what_is_stored_is_forgotten_and_read_back(void **state)
{
    struct rig *r = rig_with(32768, false);
    uint64_t e = 0, read = 0;
    int round;

    (void)state;
    for (round = 0; round < 40; round++) {
        rig_put_n(r, 300);
        queue_end_epoch(r->queue, ++e);
        rig_read_range(r, read + 1, read + 50);
        read += 50;
        queue_note(r->queue, e);
        rig_commit(r, e, e);
        assert_true(rig_figures(r).memory <= 32768);
        assert_int_equal(rig_figures(r).queued, r->number - read);
        assert_int_equal(rig_figures(r).stored, r->number - read);
        assert_true(rig_figures(r).oldest_ns <= (int64_t)(read + 1) * 1000);
    }
    rig_put_n(r, 10); /* never stored: they follow without a seam */
    rig_read_range(r, read + 1, r->number);
    queue_end_epoch(r->queue, ++e);
    queue_note(r->queue, e);
    rig_commit(r, e, e);
    assert_int_equal(r->shelf.count, 0);
    assert_int_equal(rig_figures(r).queued, 0);
    assert_int_equal(rig_figures(r).stored, 0);
    assert_int_equal(rig_figures(r).lost, 0);
    assert_int_equal(rig_figures(r).memory, 0);
    rig_put_n(r, 100);
    rig_read_range(r, r->number - 99, r->number);
    rig_free(r);
}

static void a_record_larger_than_the_read_buffer_comes_back(void **state)
{
    struct rig *r = rig_with(4096, false);

    (void)state;
    rig_put_one(r, ++r->number, 300000, 0);
    rig_put_n(r, 3);
    rig_put_one(r, ++r->number, 70000, 0);
    queue_end_epoch(r->queue, 1);
    rig_commit(r, 1, 0);
    assert_int_equal(rig_figures(r).memory, 0);
    rig_read_range(r, 1, 5);
    rig_free(r);
}

static void after_a_restart_the_backlog_is_first_and_resent(void **state)
{
    struct rig *r = rig_with(1 << 20, false);
    uint32_t n, i, total = 0;

    (void)state;
    rig_put_n(r, 100);
    queue_end_epoch(r->queue, 1);
    rig_read_range(r, 1, 30);
    queue_note(r->queue, 1);
    rig_read_range(r, 31, 40);
    rig_commit(r, 1, 1);
    rig_crash(r);
    assert_int_equal(rig_figures(r).queued, 70);
    assert_int_equal(rig_figures(r).stored, 70);
    assert_int_equal(rig_figures(r).put, 0);
    assert_int_equal(rig_figures(r).oldest_ns, 31000);
    assert_true(queue_ready(r->queue));
    rig_put_n(r, 5);
    while ((n = rig_take(r)) > 0) {
        for (i = 0; i < n; i++, total++) {
            assert_int_equal(r->batch[i].id.seq, 31 + total);
            assert_int_equal((r->batch[i].flags & AFF_FLAG_RESENT) != 0, total < 70);
            assert_string_equal(names_subject_name(r->names, r->batch[i].subject), "p1");
        }
        queue_back(r->queue);
    }
    assert_int_equal(total, 75);
    queue_end_epoch(r->queue, 1);
    assert_true(queue_at_end(r->queue));
    queue_note(r->queue, 1);
    rig_commit(r, 1, 1);
    assert_int_equal(r->shelf.puts, 0);
    assert_int_equal(r->shelf.count, 0);
    assert_int_equal(rig_figures(r).queued, 0);
    rig_put_n(r, 1);
    queue_end_epoch(r->queue, 2);
    rig_commit(r, 2, 1);
    assert_int_equal(r->shelf.values[0].seq, 106);
    rig_free(r);
}

static void a_group_that_failed_is_made_again(void **state)
{
    struct rig *r = rig_with(4096, false);

    (void)state;
    rig_put_n(r, 100);
    queue_end_epoch(r->queue, 1);
    kept_group_clear(&r->group);
    queue_gather(r->queue, 1, 0, &r->group);
    assert_int_equal(r->group.count, 100);
    rig_put_n(r, 10);
    queue_end_epoch(r->queue, 2);
    rig_read_range(r, 1, 20);
    queue_note(r->queue, 1);
    rig_commit(r, 2, 1);
    assert_int_equal(r->shelf.puts, 90);
    rig_read_range(r, 21, 110);
    rig_free(r);
}

static void an_epoch_too_long_ago_changes_nothing(void **state)
{
    struct rig *r = rig_with(4096, false);
    uint64_t e;

    (void)state;
    for (e = 10; e < 60; e++) {
        rig_put_n(r, 1);
        queue_end_epoch(r->queue, e);
        rig_read_range(r, r->number, r->number);
        queue_note(r->queue, e);
    }
    rig_commit(r, 20, 20);
    assert_int_equal(r->group.count, 0);
    rig_commit(r, 59, 55);
    assert_int_equal(r->shelf.puts, 4);
    rig_free(r);
}

static void what_cannot_be_read_back_is_counted_as_lost(void **state)
{
    struct rig *r = rig_with(4096, false);
    uint32_t n, total = 0;

    (void)state;
    rig_put_n(r, 200);
    queue_end_epoch(r->queue, 1);
    rig_commit(r, 1, 0);
    rig_crash(r);
    shelf_remove(&r->shelf, 1, 3);    /* at the front, */
    shelf_remove(&r->shelf, 50, 149); /* more than a batch, */
    shelf_remove(&r->shelf, 199, 200);
    memset(r->shelf.values[10].bytes, 0xff, r->shelf.values[10].size); /* and one that lies */
    while ((n = rig_take(r)) > 0) {
        total += n;
        queue_back(r->queue);
    }
    assert_int_equal(total, 94);
    assert_int_equal(rig_figures(r).lost, 106);
    assert_int_equal(rig_figures(r).taken, 94);
    assert_int_equal(rig_figures(r).queued, 0);
    queue_note(r->queue, 1);
    rig_commit(r, 0, 1);
    assert_int_equal(r->shelf.count, 0);
    rig_free(r);
}

static void a_store_that_cannot_be_read_opens_nothing(void **state)
{
    struct rig *r = rig_new();

    (void)state;
    r->shelf.refuses = true;
    assert_null(queue_open(&r->shape));
    rig_free(r);
}

static void a_put_without_memory_changes_nothing(void **state)
{
    struct rig *r = rig_with(1 << 20, false);
    struct aff_record two[2] = { { .id = { 5, 1 } }, { .id = { 5, 2 }, .size = UINT32_MAX - 8u } };

    (void)state;
    rig_put_n(r, 3);
    two[0].stream = two[1].stream = r->stream;
    assert_false(queue_put(r->queue, two, 2));
    assert_int_equal(rig_figures(r).put, 3);
    rig_put_n(r, 3);
    queue_end_epoch(r->queue, 1);
    rig_commit(r, 1, 0);
    assert_int_equal(r->shelf.values[5].seq, 6);
    rig_read_range(r, 1, 6);
    rig_free(r);
}

static void a_late_reader_of_drop_oldest_misses_the_oldest(void **state)
{
    struct rig *r = rig_new();
    uint32_t n;

    (void)state;
    r->shape.drops = true;
    r->shape.buffer = 10 * 208; /* ten records of 96 + 112 bytes */
    rig_open(r);
    rig_put_n(r, 5);
    assert_int_equal(rig_take(r), 5); /* in the reader's hands */
    rig_put_n(r, 100);
    assert_int_equal(rig_figures(r).dropped, 95);
    assert_true(rig_figures(r).memory <= r->shape.buffer);
    rig_check(&r->batch[0]);
    rig_check(&r->batch[4]);
    queue_back(r->queue);
    n = rig_take(r);
    assert_int_equal(n, 5);
    assert_int_equal(r->batch[0].id.seq, 101);
    assert_true(r->batch[0].flags & AFF_FLAG_GAP);
    assert_false(r->batch[1].flags & AFF_FLAG_GAP);
    queue_back(r->queue);
    assert_int_equal(rig_figures(r).queued, 0);
    assert_int_equal(rig_figures(r).taken + rig_figures(r).dropped, rig_figures(r).put);
    assert_int_equal(rig_figures(r).memory, 0);
    rig_put_one(r, ++r->number, 50000, 0); /* larger than all: it stays */
    assert_int_equal(rig_take(r), 1);
    queue_back(r->queue);
    queue_end_epoch(r->queue, 1);
    assert_true(queue_agrees(r->queue, 1, UINT64_MAX));
    rig_commit(r, 1, 1);
    assert_int_equal(r->group.count, 0);
    rig_free(r);
}

static void marks_keep_their_place_and_are_no_records(void **state)
{
    struct rig *r = rig_with(1 << 20, false);
    uint32_t i;

    (void)state;
    rig_put_n(r, 2);
    rig_put_mark(r);
    rig_put_n(r, 2);
    queue_end_epoch(r->queue, 1);
    assert_int_equal(rig_figures(r).put, 4);
    assert_int_equal(rig_figures(r).queued, 4);
    rig_commit(r, 1, 0);
    assert_int_equal(rig_figures(r).stored, 4);
    rig_crash(r);
    assert_int_equal(rig_take(r), 5);
    for (i = 0; i < 5; i++)
        assert_int_equal((r->batch[i].flags & AFF_FLAG_END) != 0, i == 2);
    assert_int_equal(r->batch[2].stream, r->batch[0].stream);
    queue_back(r->queue);
    assert_int_equal(rig_figures(r).taken, 4);
    assert_int_equal(rig_figures(r).queued, 0);
    assert_int_equal(rig_figures(r).stored, 0);
    rig_free(r);
}

static void names_stay_while_a_record_is_in_memory(void **state)
{
    struct rig *r = rig_with(1 << 20, false);

    (void)state;
    rig_put_n(r, 3);
    names_end(r->names, r->stream, 1, names_when(0, 1));
    queue_end_epoch(r->queue, 1);
    rig_commit(r, 1, 0);
    names_commit(r->names, names_when(0, 2));
    assert_int_equal(names_subjects(r->names), 1); /* in the queue */
    rig_read_range(r, 1, 3);
    assert_non_null(names_stream_info(r->names, r->stream));
    queue_note(r->queue, 1);
    rig_commit(r, 1, 1);
    names_commit(r->names, names_when(0, 3));
    assert_int_equal(names_subjects(r->names), 0);
    rig_free(r);
}

/* Its reader keeps state by stream, and all that wrote to the stream have ended it by the
 * time that its records are read back. */
static void what_is_read_back_is_of_the_stream_that_it_was_put_for(void **state)
{
    const struct names_by by = { .node = 1, .is_source = true };
    struct rig *r = rig_new();
    uint32_t n, i, ended;

    (void)state;
    r->shape.keeps_names = true;
    r->shape.buffer = 1;
    rig_open(r);
    rig_put_n(r, 150);
    names_end(r->names, r->stream, 1, names_when(0, 1));
    queue_end_epoch(r->queue, 1);
    rig_commit(r, 1, 0);
    names_commit(r->names, names_when(0, 2));
    assert_int_equal(rig_figures(r).memory, 0);
    ended = r->stream;
    r->subject = names_subject(r->names, "p1", by); /* the same patient again */
    r->stream = names_stream(r->names, r->subject, "ecg", r->schema, by);
    assert_int_not_equal(r->stream, ended);
    rig_put_n(r, 50);
    names_end(r->names, r->stream, 1, names_when(0, 2));
    queue_end_epoch(r->queue, 2);
    rig_commit(r, 2, 0);
    while ((n = rig_take(r)) > 0) {
        for (i = 0; i < n; i++)
            assert_int_equal(r->batch[i].stream, r->batch[i].id.seq <= 150 ? ended : r->stream);
        queue_back(r->queue);
    }
    queue_note(r->queue, 1);
    assert_non_null(names_stream_info(r->names, r->stream));
    names_commit(r->names, names_when(0, 3));
    assert_int_equal(names_subjects(r->names), 0);
    rig_free(r);
}

static void a_reader_that_keeps_up_costs_no_memory(void **state)
{
    struct rig *r = rig_with(1 << 16, false);
    size_t pieces = 0, index = 0, runs = 0;
    uint64_t e;

    (void)state;
    for (e = 1; e <= 1000; e++) {
        rig_put_n(r, 20 + (uint32_t)(e * 37 % 50));
        queue_end_epoch(r->queue, e);
        while (rig_take(r) > 0)
            queue_back(r->queue);
        queue_note(r->queue, e);
        if (e % 3 == 0)
            rig_commit(r, e, e);
        if (e == 100) {
            pieces = r->queue->in_use + r->queue->in_free;
            index = r->queue->index_room;
            runs = r->queue->run_room;
        }
    }
    assert_int_equal(r->queue->in_use + r->queue->in_free, pieces);
    assert_int_equal(r->queue->index_room, index);
    assert_int_equal(r->queue->run_room, runs);
    rig_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_come_out_in_order_with_their_bytes),
        cmocka_unit_test(what_was_finished_in_time_is_never_written),
        cmocka_unit_test(what_was_not_finished_is_written_once),
        cmocka_unit_test(a_reader_ahead_of_the_writer_does_not_agree),
        cmocka_unit_test(a_batch_never_straddles_an_end_and_each_is_told_once),
        cmocka_unit_test(a_batch_in_hand_is_given_again),
        cmocka_unit_test(what_is_stored_is_forgotten_and_read_back),
        cmocka_unit_test(a_record_larger_than_the_read_buffer_comes_back),
        cmocka_unit_test(after_a_restart_the_backlog_is_first_and_resent),
        cmocka_unit_test(a_group_that_failed_is_made_again),
        cmocka_unit_test(an_epoch_too_long_ago_changes_nothing),
        cmocka_unit_test(what_cannot_be_read_back_is_counted_as_lost),
        cmocka_unit_test(a_store_that_cannot_be_read_opens_nothing),
        cmocka_unit_test(a_put_without_memory_changes_nothing),
        cmocka_unit_test(a_late_reader_of_drop_oldest_misses_the_oldest),
        cmocka_unit_test(marks_keep_their_place_and_are_no_records),
        cmocka_unit_test(names_stay_while_a_record_is_in_memory),
        cmocka_unit_test(what_is_read_back_is_of_the_stream_that_it_was_put_for),
        cmocka_unit_test(a_reader_that_keeps_up_costs_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
