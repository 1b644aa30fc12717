/* SPDX-License-Identifier: Apache-2.0
 *
 * test_clocks.c - a subject's own time from streams whose clocks are set. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "clocks.h"

#define S INT64_C(1000000000)
enum { A = 11, B = 12, C = 13 };

/* A record; its time in the subject's own, in seconds. */
static int64_t note(struct clocks *c, uint64_t stream, int64_t at_s)
{
    int64_t offset;

    assert_true(clocks_note(c, stream, at_s * S, &offset));
    return clocks_add(at_s * S, offset) / S;
}

static void streams_in_order_keep_their_time(void **state)
{
    struct clocks c = { 0 };

    (void)state;
    assert_int_equal(note(&c, A, 100), 100);
    assert_int_equal(note(&c, B, 90), 90);
    assert_int_equal(note(&c, A, 5000), 5000);
    assert_int_equal(note(&c, A, 4950), 4950); /* disorder */
    assert_int_equal(note(&c, A, 4941), 4941);
    assert_int_equal(c.shift_ns, 0);
}

static void two_far_too_early_in_a_row_are_a_new_clock_and_one_is_not(void **state)
{
    struct clocks c = { 0 };

    (void)state;
    note(&c, A, 10000);
    assert_int_equal(note(&c, A, 1000), 1000);
    assert_int_equal(note(&c, A, 10001), 10001);
    assert_int_equal(note(&c, A, 1001), 1001);
    assert_int_equal(note(&c, A, 900), 900); /* earlier still: the first of two */
    assert_int_equal(note(&c, A, 902), 10003);
    assert_int_equal(note(&c, A, 903), 10004);
    assert_int_equal(c.shift_ns, 9101 * S);
}

static void a_step_of_little_more_than_a_minute_counts_as_well(void **state)
{
    struct clocks c = { 0 };

    (void)state;
    note(&c, A, 100);
    note(&c, A, 40);
    assert_int_equal(note(&c, A, 41), 101);
    assert_int_equal(note(&c, A, 42), 102);
}

static void slow_rows_are_set_back_as_well(void **state)
{
    struct clocks c = { 0 };

    (void)state;
    note(&c, A, 100000);
    note(&c, A, 80000);
    assert_int_equal(note(&c, A, 98000), 118000);
}

static void a_clock_that_is_put_right_goes_on_where_it_was(void **state)
{
    struct clocks c = { 0 };

    (void)state;
    note(&c, A, 10000);
    note(&c, A, 6400);
    note(&c, A, 6401);
    assert_int_equal(note(&c, A, 10002), 10002);
    assert_int_equal(c.shift_ns, 0);
    note(&c, A, 6402);
    assert_int_equal(note(&c, A, 6403), 10003);
    assert_int_equal(note(&c, A, 9990), 10003); /* nearly right: no step back */
    assert_int_equal(note(&c, A, 9991), 10004);
}

static void the_host_is_asked_in_the_clock_that_is_furthest_ahead_of_those_that_come(void **state)
{
    struct clocks c = { 0 };

    (void)state;
    note(&c, A, 10000);
    note(&c, B, 10000);
    note(&c, A, 6400);
    assert_int_equal(note(&c, A, 6401), 10001);
    assert_int_equal(c.shift_ns, 0);
    assert_int_equal(note(&c, A, 6470), 10070); /* nothing of B for a minute */
    assert_int_equal(c.shift_ns, 3600 * S);
    assert_int_equal(note(&c, C, 6470), 10070); /* new, and of the same device */
    note(&c, B, 10071);
    assert_int_equal(c.shift_ns, 0);
    assert_true(clocks_end(&c, B));
    assert_false(clocks_has(&c, B));
    note(&c, A, 6472);
    assert_int_equal(c.shift_ns, 3600 * S);
}

static void streams_beyond_those_kept_have_the_clock_of_the_others(void **state)
{
    struct clocks c = { 0 };
    int64_t offset, i;

    (void)state;
    for (i = 0; i < CLOCK_STREAMS_MOST; i++)
        note(&c, (uint64_t)i + 100, 10000);
    assert_false(clocks_note(&c, 1, 10001 * S, &offset));
    assert_int_equal(offset, 0);
    assert_false(clocks_end(&c, 1));
    for (i = 0; i < CLOCK_STREAMS_MOST; i++) {
        note(&c, (uint64_t)i + 100, 5000);
        note(&c, (uint64_t)i + 100, 5001);
    }
    assert_false(clocks_note(&c, 1, 5001 * S, &offset));
    assert_int_equal(offset, 5000 * S);
}

static void the_ends_of_time_run_nothing_over(void **state)
{
    static const int64_t times[] = { INT64_MAX, INT64_MIN, INT64_MIN + 1, 0, INT64_MAX - 1, INT64_MIN, INT64_MIN };
    struct clocks c = { 0 };
    int64_t offset;
    uint32_t i;

    (void)state;
    for (i = 0; i < 70; i++) {
        clocks_note(&c, A + i % 3, times[i % 7], &offset);
        assert_true(offset >= 0 && c.shift_ns >= 0);
    }
    assert_int_equal(clocks_sub(INT64_MIN + 1, 2), INT64_MIN);
    assert_int_equal(clocks_add(INT64_MAX - 1, 2), INT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streams_in_order_keep_their_time),
        cmocka_unit_test(two_far_too_early_in_a_row_are_a_new_clock_and_one_is_not),
        cmocka_unit_test(a_step_of_little_more_than_a_minute_counts_as_well),
        cmocka_unit_test(slow_rows_are_set_back_as_well),
        cmocka_unit_test(a_clock_that_is_put_right_goes_on_where_it_was),
        cmocka_unit_test(the_host_is_asked_in_the_clock_that_is_furthest_ahead_of_those_that_come),
        cmocka_unit_test(streams_beyond_those_kept_have_the_clock_of_the_others),
        cmocka_unit_test(the_ends_of_time_run_nothing_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
