/* test_flow.c - the data path as a whole, judged at its far ends.
 *
 * The sinks count and add up what arrives; what must arrive follows from what
 * the source was told to make, never from the ledger alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "parts.h"
#include "rig.h"

struct run {
    struct rig rig;
    struct part_source source;
    struct part_sink sinks[3];
    struct part_judge judge;
    struct part_edit edit;
    struct part_counter counter;
    char log[4096];
};

static void log_keep(void *arg, int level, const char *node, const char *text)
{
    struct run *run = arg;
    size_t used = strlen(run->log);

    snprintf(run->log + used, sizeof run->log - used, "%d [%s] %s\n", level, node ? node : "", text);
}

static struct run *run_new(uint64_t records, uint32_t size, uint32_t streams)
{
    struct run *run = calloc(1, sizeof *run);

    assert_non_null(run);
    rig_begin(&run->rig);
    run->rig.options.log = log_keep;
    run->rig.options.arg = run;
    run->rig.options.virtual_clock = true;
    run->source = (struct part_source){ records, size, streams, 0, 1, 0 };
    return run;
}

static uint64_t sum_to(uint64_t n)
{
    return n * (n - 1) / 2;
}

static void expect_whole(const struct part_sink *sink, uint64_t records)
{
    assert_int_equal(sink->records, records);
    assert_int_equal(sink->sum, sum_to(records));
    assert_int_equal(sink->disorder, 0);
    assert_int_equal(sink->damaged, 0);
}

/* Runs, expects a good end, closes. */
static void finish(struct run *run, enum layout_mode mode)
{
    struct flow *flow = rig_run(&run->rig, mode);
    const char *why;

    assert_non_null(flow);
    assert_int_equal(flow_failure(flow, &why), AFF_OK);
    assert_true(flow_balances(flow));
    flow_close(&flow);
    assert_null(strstr(run->log, "leaks"));
    assert_null(strstr(run->log, "balance"));
}

/* source -> nodes x pass -> sink 0 */
static struct run *chain_new(uint64_t records, uint32_t nodes)
{
    struct run *run = run_new(records, 64, 3);
    uint32_t i, next, last = rig_node(&run->rig, "source", &part_source, &run->source);

    for (i = 0; i < nodes; i++) {
        next = rig_node(&run->rig, "pass", &part_pass, NULL);
        rig_edge(&run->rig, last, 0, next, 0);
        last = next;
    }
    next = rig_node(&run->rig, "sink", &part_sink, &run->sinks[0]);
    rig_edge(&run->rig, last, 0, next, 0);
    return run;
}

static void all_records_arrive_in_order_fused(void **state)
{
    struct run *run = chain_new(100000, 5);

    (void)state;
    finish(run, LAYOUT_NORMAL);
    expect_whole(&run->sinks[0], 100000);
    assert_int_equal(run->sinks[0].ends, 3);
    free(run);
}

static void all_records_arrive_in_order_with_a_thread_per_node(void **state)
{
    struct run *run = chain_new(50000, 5);

    (void)state;
    finish(run, LAYOUT_THREAD_PER_NODE);
    expect_whole(&run->sinks[0], 50000);
    assert_int_equal(run->sinks[0].ends, 3);
    free(run);
}

static void the_last_epoch_is_synced_with_all_its_records(void **state)
{
    struct run *run = chain_new(10000, 1);

    (void)state;
    run->rig.plan.commit_records = 700;
    finish(run, LAYOUT_THREAD_PER_NODE);
    assert_int_equal(run->sinks[0].records_at_sync, 10000);
    assert_in_range(run->sinks[0].synced, 10000 / (700 + 64), 10000 / 700 + 2);
    free(run);
}

/* ---- zero copy ---- */

static void a_payload_lies_where_its_source_put_it_behind_sixteen_threads(void **state)
{
    struct run *fused = chain_new(64, 0), *threaded = chain_new(64, 16);
    struct run *runs[2] = { fused, threaded };
    size_t i, k;

    (void)state;
    for (i = 0; i < 2; i++) {
        struct flow_node node;
        struct flow *flow = rig_run(&runs[i]->rig, i ? LAYOUT_THREAD_PER_NODE : LAYOUT_NORMAL);

        assert_non_null(flow);
        for (k = 0; k < runs[i]->rig.plan.node_count; k++) {
            flow_node(flow, (uint32_t)k, &node);
            assert_int_equal(node.account.bytes_copied, 0);
        }
        flow_close(&flow);
        /* One record after the other, 64 bytes apart, in the source's ring. */
        for (k = 1; k < 64; k++)
            assert_int_equal((uintptr_t)runs[i]->sinks[0].addresses[k] - (uintptr_t)runs[i]->sinks[0].addresses[0],
                             64 * k);
        free(runs[i]);
    }
}

static void an_editor_behind_a_fan_out_gets_one_planned_copy_and_nobody_sees_its_edits(void **state)
{
    struct run *run = run_new(20000, 64, 1);
    struct rig *r = &run->rig;
    uint32_t source = rig_node(r, "source", &part_source, &run->source);
    uint32_t edit = rig_node(r, "edit", &part_edit, &run->edit);
    uint32_t plain = rig_node(r, "plain", &part_sink, &run->sinks[0]);
    uint32_t edited = rig_node(r, "edited", &part_sink_blocking, &run->sinks[1]);
    struct flow_node node;
    struct flow *flow;

    (void)state;
    run->edit.add = 1000000;
    rig_edge(r, source, 0, edit, 0);
    rig_edge(r, source, 0, plain, 0);
    rig_edge(r, edit, 0, edited, 0);
    flow = rig_run(r, LAYOUT_NORMAL);
    assert_non_null(flow);
    assert_true(r->edges[0].copies);
    assert_false(r->edges[1].copies);
    assert_false(r->edges[2].copies);
    flow_node(flow, edit, &node);
    assert_int_equal(node.account.bytes_copied, 20000 * 64);
    expect_whole(&run->sinks[0], 20000);
    assert_int_equal(run->sinks[1].records, 20000);
    assert_int_equal(run->sinks[1].sum, sum_to(20000) + 20000ull * 1000000);
    flow_close(&flow);
    free(run);
}

static void an_editor_that_alone_sees_its_input_edits_in_place(void **state)
{
    struct run *run = run_new(1000, 64, 1);
    struct rig *r = &run->rig;
    uint32_t source = rig_node(r, "source", &part_source, &run->source);
    uint32_t edit = rig_node(r, "edit", &part_edit, &run->edit);
    uint32_t sink = rig_node(r, "sink", &part_sink, &run->sinks[0]);

    (void)state;
    rig_edge(r, source, 0, edit, 0);
    rig_edge(r, edit, 0, sink, 0);
    finish(run, LAYOUT_NORMAL);
    assert_false(r->edges[0].copies);
    expect_whole(&run->sinks[0], 1000);
    free(run);
}

/* ---- verdicts ---- */

/* source -> judge; out -> sink 0, made -> sink 1, side -> sink 2 */
static struct run *judge_new(uint64_t records, uint8_t (*judge)(uint64_t), uint32_t (*emits)(uint64_t))
{
    struct run *run = run_new(records, 64, 1);
    struct rig *r = &run->rig;
    uint32_t source = rig_node(r, "source", &part_source, &run->source);
    uint32_t node = rig_node(r, "judge", &part_judge, &run->judge), i;

    run->judge.judge = judge;
    run->judge.emits = emits;
    rig_edge(r, source, 0, node, 0);
    for (i = 0; i < 3; i++)
        rig_edge(r, node, i, rig_node(r, "sink", i == 1 ? &part_sink_blocking : &part_sink, &run->sinks[i]), 0);
    return run;
}

static uint8_t each_kind(uint64_t seq)
{
    return (uint8_t)(seq % JUDGE_BAD);
}

static uint32_t two(uint64_t seq)
{
    (void)seq;
    return 2;
}

static void each_verdict_is_booked_once_and_goes_its_way(void **state)
{
    struct run *run = judge_new(7000, each_kind, NULL);
    struct flow *flow;
    struct flow_node node;

    (void)state;
    run->judge.keep = 5;
    flow = rig_run(&run->rig, LAYOUT_NORMAL);
    assert_non_null(flow);
    flow_node(flow, 1, &node);
    assert_int_equal(node.account.in, 7000);
    assert_int_equal(node.account.dropped, 1000);
    assert_int_equal(node.account.dead, 1000);
    assert_int_equal(node.account.used, 1000);
    assert_int_equal(node.account.replaced, 1000);
    assert_int_equal(node.account.routed, 1000);
    assert_int_equal(node.account.passed, 2000); /* 1000 of them were held */
    assert_int_equal(node.account.held, 0);
    assert_true(flow_balances(flow));
    flow_close(&flow);
    assert_int_equal(run->sinks[0].records, 3000);
    assert_int_equal(run->sinks[2].records, 1000);
    free(run);
}

static void emits_leave_in_input_order_and_balance(void **state)
{
    struct run *run = judge_new(5000, NULL, two);

    (void)state;
    finish(run, LAYOUT_NORMAL);
    expect_whole(&run->sinks[0], 5000);
    assert_int_equal(run->sinks[1].records, 10000);
    assert_int_equal(run->sinks[1].sum, 2 * sum_to(5000));
    assert_int_equal(run->sinks[1].disorder, 0);
    free(run);
}

static uint32_t three_thousand_for_one(uint64_t seq)
{
    return seq % 100 == 7 ? 30000 : 0;
}

static void more_emits_than_ring_or_staging_hold_wait_for_the_reader(void **state)
{
    struct run *run = judge_new(300, NULL, three_thousand_for_one);

    (void)state;
    finish(run, LAYOUT_NORMAL);
    assert_int_equal(run->sinks[0].records, 300);
    assert_int_equal(run->sinks[1].records, 90000);
    assert_int_equal(run->sinks[1].disorder, 0);
    free(run);
}

static void what_is_held_leaves_at_drain(void **state)
{
    struct run *run = judge_new(50, NULL, NULL);

    (void)state;
    run->judge.judge = each_kind;
    run->judge.keep = 60;
    finish(run, LAYOUT_THREAD_PER_NODE);
    assert_int_equal(run->sinks[0].records, 8 + 7 + 7); /* pass, replace, held */
    free(run);
}

static uint8_t bad_one(uint64_t seq)
{
    return seq == 70 ? JUDGE_BAD : JUDGE_PASS;
}

static void a_verdict_outside_the_table_ends_the_run_and_names_the_node(void **state)
{
    struct run *run = judge_new(1000, bad_one, NULL);
    struct flow *flow = rig_run(&run->rig, LAYOUT_NORMAL);
    const char *why;

    (void)state;
    assert_non_null(flow);
    assert_int_equal(flow_failure(flow, &why), AFF_ERR_BUG);
    assert_non_null(strstr(why, "[judge]"));
    flow_close(&flow);
    free(run);
}

static void a_record_of_status_data_is_dead_alone(void **state)
{
    struct run *run = judge_new(1000, NULL, NULL);
    struct flow_node node;
    struct flow *flow;

    (void)state;
    run->judge.status = AFF_ERR_DATA;
    run->judge.status_seq = 500;
    run->judge.times = 1;
    flow = rig_run(&run->rig, LAYOUT_NORMAL);
    assert_non_null(flow);
    flow_node(flow, 1, &node);
    assert_int_equal(node.account.dead, 1);
    assert_true(flow_balances(flow));
    flow_close(&flow);
    assert_int_equal(run->sinks[0].records, 999);
    assert_int_equal(run->sinks[0].sum, sum_to(1000) - 500);
    free(run);
}

static void a_record_of_status_io_is_offered_again_until_it_is_taken(void **state)
{
    struct run *run = judge_new(1000, NULL, NULL);

    (void)state;
    run->judge.status = AFF_ERR_IO;
    run->judge.status_seq = 500;
    run->judge.times = 6;
    finish(run, LAYOUT_NORMAL);
    expect_whole(&run->sinks[0], 1000);
    assert_non_null(strstr(run->log, "trying again"));
    assert_non_null(strstr(run->log, "works again"));
    free(run);
}

/* ---- shapes ---- */

static void a_diamond_of_threads_neither_stalls_nor_loses(void **state)
{
    struct run *run = run_new(60000, 64, 4);
    struct rig *r = &run->rig;
    uint32_t source = rig_node(r, "source", &part_source, &run->source);
    uint32_t left = rig_node(r, "left", &part_pass, NULL);
    uint32_t join = rig_node(r, "join", &part_join, NULL);
    uint32_t sink = rig_node(r, "sink", &part_sink, &run->sinks[0]);

    (void)state;
    r->plan.commit_records = 500; /* many barriers against small rings */
    rig_edge(r, source, 0, left, 0);
    rig_edge(r, left, 0, join, 0);
    rig_edge(r, source, 0, join, 1);
    rig_edge(r, join, 0, sink, 0);
    r->edges[1].buffer = r->edges[2].buffer = 4096;
    finish(run, LAYOUT_THREAD_PER_NODE);
    assert_int_equal(run->sinks[0].records, 120000);
    assert_int_equal(run->sinks[0].sum, 2 * sum_to(60000));
    free(run);
}

static void payloads_that_come_by_two_ways_are_whole_at_the_far_end(void **state)
{
    /* Behind the join they lie in another order than in the source's ring. */
    struct run *run = run_new(30000, 512, 4);
    struct rig *r = &run->rig;
    uint32_t source = rig_node(r, "source", &part_source, &run->source);
    uint32_t left = rig_node(r, "left", &part_pass, NULL);
    uint32_t join = rig_node(r, "join", &part_join, NULL);
    uint32_t sink = rig_node(r, "sink", &part_sink, &run->sinks[0]);

    (void)state;
    run->sinks[0].slow_ns = 20000;
    rig_edge(r, source, 0, left, 0);
    rig_edge(r, left, 0, join, 0);
    rig_edge(r, source, 0, join, 1);
    rig_edge(r, join, 0, sink, 0);
    finish(run, LAYOUT_THREAD_PER_NODE);
    assert_int_equal(run->sinks[0].sum, 2 * sum_to(30000));
    assert_int_equal(run->sinks[0].damaged, 0);
    free(run);
}

static void two_sources_end_their_epochs_together(void **state)
{
    struct run *run = run_new(30000, 64, 1);
    struct part_source other = { .records = 500, .size = 64, .streams = 1, .ends = 1 };
    struct rig *r = &run->rig;
    uint32_t one = rig_node(r, "one", &part_source, &run->source);
    uint32_t two_ = rig_node(r, "two", &part_source, &other);
    uint32_t join = rig_node(r, "join", &part_join, NULL);
    uint32_t sink = rig_node(r, "sink", &part_sink, &run->sinks[0]);

    (void)state;
    r->plan.commit_records = 100;
    rig_edge(r, one, 0, join, 0);
    rig_edge(r, two_, 0, join, 1);
    rig_edge(r, join, 0, sink, 0);
    finish(run, LAYOUT_NORMAL);
    assert_int_equal(run->sinks[0].records, 30500);
    assert_int_equal(run->sinks[0].records_at_sync, 30500);
    free(run);
}

static void a_slow_sink_holds_back_its_source_and_loses_nothing(void **state)
{
    struct run *run = run_new(20000, 512, 1);
    struct rig *r = &run->rig;
    uint32_t source = rig_node(r, "source", &part_source, &run->source);
    uint32_t slow = rig_node(r, "slow", &part_sink_blocking, &run->sinks[0]);
    uint32_t quick = rig_node(r, "quick", &part_sink_blocking, &run->sinks[1]);

    (void)state;
    run->sinks[0].slow_ns = 20000;
    rig_edge(r, source, 0, slow, 0);
    rig_edge(r, source, 0, quick, 0);
    r->edges[0].buffer = 8192;
    finish(run, LAYOUT_NORMAL);
    expect_whole(&run->sinks[0], 20000);
    expect_whole(&run->sinks[1], 20000);
    free(run);
}

static void a_payload_survives_until_the_furthest_reader_is_through(void **state)
{
    /* Payloads fill the ring fifty times over while they are passed on by four
     * threads and checked at the end: one freed early would be overwritten. */
    struct run *run = run_new(200000, 64, 1);
    struct rig *r = &run->rig;
    uint32_t i, next, last = rig_node(r, "source", &part_source, &run->source);

    (void)state;
    for (i = 0; i < 3; i++) {
        next = rig_node(r, "pass", &part_pass, NULL);
        rig_edge(r, last, 0, next, 0);
        last = next;
    }
    next = rig_node(r, "sink", &part_sink, &run->sinks[0]);
    run->sinks[0].slow_ns = 1000;
    rig_edge(r, last, 0, next, 0);
    finish(run, LAYOUT_THREAD_PER_NODE);
    expect_whole(&run->sinks[0], 200000);
    free(run);
}

/* ---- identity ---- */

static void the_same_run_twice_makes_the_same_ids_and_another_node_makes_others(void **state)
{
    struct run *runs[3];
    int i, k;

    (void)state;
    for (i = 0; i < 3; i++) {
        runs[i] = judge_new(200, NULL, two);
        if (i == 2)
            runs[i]->rig.nodes[1].name = "another";
        finish(runs[i], i == 1 ? LAYOUT_THREAD_PER_NODE : LAYOUT_NORMAL);
    }
    for (k = 0; k < 64; k++) {
        assert_true(runs[0]->sinks[0].ids[k] == runs[1]->sinks[0].ids[k]);
        assert_true(runs[0]->sinks[1].ids[k] == runs[1]->sinks[1].ids[k]);
        assert_true(runs[0]->sinks[1].ids[k] != runs[2]->sinks[1].ids[k]);
        if (k > 0)
            assert_true(runs[0]->sinks[1].ids[k] != runs[0]->sinks[1].ids[k - 1]);
    }
    for (i = 0; i < 3; i++)
        free(runs[i]);
}

static void state_is_kept_per_stream(void **state)
{
    struct run *run = run_new(5000, 64, 40);
    struct rig *r = &run->rig;
    uint32_t source = rig_node(r, "source", &part_source, &run->source);
    uint32_t counter = rig_node(r, "counter", &part_counter, &run->counter);
    uint32_t sink = rig_node(r, "sink", &part_sink, &run->sinks[0]);

    (void)state;
    rig_edge(r, source, 0, counter, 0);
    rig_edge(r, counter, 0, sink, 0);
    finish(run, LAYOUT_NORMAL);
    assert_int_equal(run->counter.streams_seen, 40);
    free(run);
}

static void a_run_ends_after_the_event_time_asked_for(void **state)
{
    struct run *run = chain_new(100000, 1); /* a record every millisecond */

    (void)state;
    run->rig.options.for_ns = 2000000000;
    finish(run, LAYOUT_NORMAL);
    expect_whole(&run->sinks[0], 2000);
    free(run);
}

static void a_drain_from_outside_keeps_what_was_made(void **state)
{
    struct run *run = chain_new(UINT32_MAX, 2);
    struct flow_node source;
    struct flow *flow;

    (void)state;
    flow = rig_open(&run->rig, LAYOUT_THREAD_PER_NODE);
    assert_non_null(flow);
    assert_true(flow_start(flow));
    do
        flow_node(flow, 0, &source);
    while (source.account.made < 10000);
    flow_drain(flow);
    assert_true(flow_wait(flow, -1));
    flow_node(flow, 0, &source);
    expect_whole(&run->sinks[0], source.account.made);
    assert_true(flow_balances(flow));
    flow_close(&flow);
    free(run);
}

static void an_abort_ends_a_run_whose_sink_hangs_in_back_off(void **state)
{
    struct run *run = judge_new(1000, NULL, NULL);
    struct flow *flow;

    (void)state;
    run->rig.options.virtual_clock = false;
    run->judge.status = AFF_ERR_IO;
    run->judge.status_seq = 0;
    run->judge.times = UINT32_MAX;
    flow = rig_open(&run->rig, LAYOUT_NORMAL);
    assert_non_null(flow);
    assert_true(flow_start(flow));
    assert_false(flow_wait(flow, 1000000));
    flow_abort(flow);
    assert_true(flow_wait(flow, -1));
    flow_close(&flow);
    free(run);
}

static void a_record_above_a_quarter_of_its_ring_is_refused_with_what_to_do(void **state)
{
    struct run *run = run_new(10, 300 * 1024, 1);
    struct rig *r = &run->rig;
    uint32_t source = rig_node(r, "source", &part_source, &run->source);
    struct flow *flow;
    const char *why;

    (void)state;
    rig_edge(r, source, 0, rig_node(r, "sink", &part_sink, &run->sinks[0]), 0);
    flow = rig_run(r, LAYOUT_NORMAL);
    assert_non_null(flow);
    assert_int_equal(flow_failure(flow, &why), AFF_ERR_CONFIG);
    assert_non_null(strstr(why, "raise edge.buffer"));
    flow_close(&flow);
    free(run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_records_arrive_in_order_fused),
        cmocka_unit_test(all_records_arrive_in_order_with_a_thread_per_node),
        cmocka_unit_test(the_last_epoch_is_synced_with_all_its_records),
        cmocka_unit_test(a_payload_lies_where_its_source_put_it_behind_sixteen_threads),
        cmocka_unit_test(an_editor_behind_a_fan_out_gets_one_planned_copy_and_nobody_sees_its_edits),
        cmocka_unit_test(an_editor_that_alone_sees_its_input_edits_in_place),
        cmocka_unit_test(each_verdict_is_booked_once_and_goes_its_way),
        cmocka_unit_test(emits_leave_in_input_order_and_balance),
        cmocka_unit_test(more_emits_than_ring_or_staging_hold_wait_for_the_reader),
        cmocka_unit_test(what_is_held_leaves_at_drain),
        cmocka_unit_test(a_verdict_outside_the_table_ends_the_run_and_names_the_node),
        cmocka_unit_test(a_record_of_status_data_is_dead_alone),
        cmocka_unit_test(a_record_of_status_io_is_offered_again_until_it_is_taken),
        cmocka_unit_test(a_diamond_of_threads_neither_stalls_nor_loses),
        cmocka_unit_test(payloads_that_come_by_two_ways_are_whole_at_the_far_end),
        cmocka_unit_test(two_sources_end_their_epochs_together),
        cmocka_unit_test(a_slow_sink_holds_back_its_source_and_loses_nothing),
        cmocka_unit_test(a_payload_survives_until_the_furthest_reader_is_through),
        cmocka_unit_test(the_same_run_twice_makes_the_same_ids_and_another_node_makes_others),
        cmocka_unit_test(state_is_kept_per_stream),
        cmocka_unit_test(a_run_ends_after_the_event_time_asked_for),
        cmocka_unit_test(a_drain_from_outside_keeps_what_was_made),
        cmocka_unit_test(an_abort_ends_a_run_whose_sink_hangs_in_back_off),
        cmocka_unit_test(a_record_above_a_quarter_of_its_ring_is_refused_with_what_to_do),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
