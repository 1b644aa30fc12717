/* test_commit.c - a run that dies anywhere and is gone on with loses nothing.
 *
 * Far ends judge: each sink keeps, by the seq that the source wrote into the payload,
 * how often a record came, under which id, and whether a second one was marked. The
 * store is a double in memory (memkeep.h), so that a run can die at any commit,
 * before or after it was stored, hundreds of times. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ends.h"
#include "memkeep.h"
#include "parts.h"
#include "rig.h"

enum { RECORDS = ENDS_RECORDS, SUM_EVERY = ENDS_SUM_EVERY, STREAMS = ENDS_STREAMS };

/* ---- pipelines ---- */

struct bench {
    struct rig rig;
    struct part_source source;
    struct far_end *ends; /* three */
    struct memkeep *keep;
};

/* source -> sums -> two ends by `when_full`, and one for the sums by a ring. */
static void bench_open(struct bench *b, enum when_full when_full)
{
    uint32_t source, middle, a, c, s;

    memset(b, 0, sizeof *b);
    b->ends = calloc(3, sizeof *b->ends);
    b->keep = memkeep_open();
    b->source = (struct part_source){ .records = RECORDS, .size = 64, .streams = STREAMS, .ends = 1 };
    rig_begin(&b->rig);
    b->rig.plan.commit_records = 64;
    b->rig.plan.commit_every_ns = 5000000;
    b->rig.plan.store_limit = 1u << 30;
    b->rig.options.kept = memkeep_kept(b->keep);
    source = rig_node(&b->rig, "source", &part_source, &b->source);
    middle = rig_node(&b->rig, "sums", &sums, NULL);
    a = rig_node(&b->rig, "a", &far_end, &b->ends[0]);
    c = rig_node(&b->rig, "c", &far_end, &b->ends[1]);
    s = rig_node(&b->rig, "s", &far_end, &b->ends[2]);
    rig_edge(&b->rig, source, 0, middle, 0);
    rig_edge(&b->rig, middle, 0, a, 0);
    rig_edge(&b->rig, middle, 0, c, 0);
    rig_edge(&b->rig, middle, 1, s, 0);
    b->rig.edges[1].when_full = b->rig.edges[2].when_full = when_full;
}

static void bench_close(struct bench *b)
{
    memkeep_close(&b->keep);
    free(b->ends);
}

/* One life; true: it came to its end. */
static bool live(struct bench *b, uint64_t dies_at, bool torn)
{
    struct flow *flow = rig_open(&b->rig, LAYOUT_NORMAL);
    const char *why;

    assert_non_null(flow);
    memkeep_begin(b->keep, flow, dies_at, torn);
    assert_true(flow_start(flow));
    flow_wait(flow, -1);
    memkeep_end(b->keep);
    assert_int_equal(flow_failure(flow, &why), AFF_OK);
    assert_false(flow_unbalanced(flow));
    if (!memkeep_died(b->keep))
        assert_true(flow_balances(flow));
    flow_close(&flow);
    return !memkeep_died(b->keep) || memkeep_finished(b->keep);
}

static void judge_records(const struct far_end *e, bool once)
{
    uint32_t i;

    for (i = 0; i < RECORDS; i++) {
        assert_true(e->records[i].times >= 1);
        if (once)
            assert_int_equal(e->records[i].times, 1);
    }
}

static void judge_sums(const struct far_end *e)
{
    uint64_t s, n;

    for (s = 0; s < STREAMS; s++)
        for (n = SUM_EVERY; n <= RECORDS / STREAMS; n += SUM_EVERY)
            assert_true(e->sums[s * RECORDS + n].times >= 1);
}

static void judge(struct bench *b, bool once)
{
    int i;

    for (i = 0; i < 3; i++) {
        assert_int_equal(b->ends[i].unmarked, 0);
        assert_int_equal(b->ends[i].renamed, 0);
        assert_int_equal(b->ends[i].invented, 0);
        assert_int_equal(b->ends[i].wrong, 0);
    }
    judge_records(&b->ends[0], once);
    judge_records(&b->ends[1], once);
    judge_sums(&b->ends[2]);
}

/* ---- tests ---- */

static void a_run_that_does_not_die_delivers_each_record_once(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b, WHEN_FULL_SPILL);
    assert_true(live(&b, 0, false));
    judge(&b, true);
    assert_int_equal(memkeep_figures(b.keep).records, 0);
    bench_close(&b);
}

/* Deaths at many commits of one data set, and then an end. */
static void die_often(enum when_full when_full, uint64_t first)
{
    uint64_t at, deaths, all = 0;
    struct bench b;

    for (at = first; at < first + 8; at++) {
        bench_open(&b, when_full);
        for (deaths = 0; deaths < 6 && !live(&b, at + deaths % 3, (at + deaths) % 2); deaths++)
            all++;
        if (deaths == 6)
            live(&b, 0, false);
        judge(&b, false);
        assert_int_equal(memkeep_figures(b.keep).records, 0);
        bench_close(&b);
    }
    assert_true(all > 8);
}

static void a_run_that_dies_at_any_commit_goes_on_and_loses_nothing_behind_rings(void **state)
{
    (void)state;
    die_often(WHEN_FULL_BLOCK, 1);
}

static void a_run_that_dies_at_any_commit_goes_on_and_loses_nothing_behind_queues(void **state)
{
    (void)state;
    die_often(WHEN_FULL_SPILL, 1);
}

static void a_run_that_is_stopped_in_order_goes_on_without_a_record_twice(void **state)
{
    struct flow *flow;
    struct bench b;
    int i;

    (void)state;
    bench_open(&b, WHEN_FULL_SPILL);
    for (i = 0; i < 5; i++) {
        b.source.pauses_at = 1000u * (uint64_t)(i + 1);
        flow = rig_open(&b.rig, LAYOUT_NORMAL);
        memkeep_begin(b.keep, flow, 0, false);
        assert_true(flow_start(flow));
        flow_wait(flow, i % 2 ? 20000000 : 0);
        flow_drain(flow);
        flow_wait(flow, -1);
        memkeep_end(b.keep);
        assert_true(flow_balances(flow));
        flow_close(&flow);
    }
    b.source.pauses_at = 0;
    live(&b, 0, false);
    judge(&b, true);
    bench_close(&b);
}

static void a_dead_sink_behind_a_queue_stops_nobody_else_and_gets_all_later(void **state)
{
    struct flow_node node;
    struct flow *flow;
    struct bench b;
    const char *why;

    (void)state;
    bench_open(&b, WHEN_FULL_SPILL);
    b.ends[1].is_dead = true;
    flow = rig_open(&b.rig, LAYOUT_NORMAL);
    memkeep_begin(b.keep, flow, 0, false);
    assert_true(flow_start(flow));
    do
        flow_node(flow, 2, &node);
    while (node.account.used < RECORDS && !flow_wait(flow, 1000000));
    flow_drain(flow);
    flow_wait(flow, -1);
    memkeep_end(b.keep);
    assert_int_equal(flow_failure(flow, &why), AFF_OK);
    assert_true(flow_balances(flow));
    flow_close(&flow);
    judge_records(&b.ends[0], true);
    assert_true(memkeep_figures(b.keep).records >= RECORDS);
    b.ends[1].is_dead = false;
    live(&b, 0, false);
    judge_records(&b.ends[1], true);
    assert_int_equal(memkeep_figures(b.keep).records, 0);
    bench_close(&b);
}

/* Nothing overtakes a batch: what waited long is not offered by the 64. */
static void where_a_higher_class_may_come_a_batch_of_what_waited_is_small(void **state)
{
    struct flow_node node;
    struct flow *flow;
    struct bench b;

    (void)state;
    bench_open(&b, WHEN_FULL_SPILL);
    b.source.size = 512;
    rig_edge(&b.rig, 1, 1, 2, 0);
    b.rig.edges[4].when_full = WHEN_FULL_SPILL;
    b.rig.edges[1].priority = b.rig.edges[2].priority = AFF_PRIO_WAVEFORM;
    b.rig.edges[4].priority = AFF_PRIO_ALARM;
    b.ends[0].is_dead = b.ends[1].is_dead = true;
    flow = rig_open(&b.rig, LAYOUT_NORMAL);
    memkeep_begin(b.keep, flow, 0, false);
    assert_true(flow_start(flow));
    do
        flow_node(flow, 1, &node);
    while (node.account.passed < RECORDS && !flow_wait(flow, 1000000));
    flow_drain(flow);
    flow_wait(flow, -1);
    memkeep_end(b.keep);
    flow_close(&flow);
    b.ends[0].is_dead = b.ends[1].is_dead = false;
    b.ends[0].most = b.ends[1].most = 0;
    live(&b, 0, false);
    judge_records(&b.ends[0], true);
    judge_sums(&b.ends[0]);
    assert_true(b.ends[0].most <= 4096);
    assert_int_equal(b.ends[1].most, 64 * 512);
    bench_close(&b);
}

static void a_sink_that_keeps_up_costs_no_writing_of_records(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b, WHEN_FULL_SPILL);
    b.source.records = RECORDS / 10;
    b.rig.plan.commit_records = RECORDS;
    b.rig.plan.commit_every_ns = 40000000000; /* a quarter of it is grace, also on a machine that stands still */
    live(&b, 0, false);
    assert_int_equal(b.ends[0].records[RECORDS / 10 - 1].times, 1);
    assert_int_equal(memkeep_figures(b.keep).puts, 0);
    bench_close(&b);
}

static void a_record_that_is_refused_becomes_a_letter_alone(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b, WHEN_FULL_SPILL);
    b.ends[0].refuses = 1234;
    live(&b, 0, false);
    assert_int_equal(b.ends[0].records[1234].times, 0);
    assert_int_equal(b.ends[0].records[1235].times, 1);
    assert_int_equal(b.ends[1].records[1234].times, 1);
    assert_int_equal(memkeep_figures(b.keep).letters, 1);
    bench_close(&b);
}

static void a_full_store_holds_intake_and_lets_it_go_on(void **state)
{
    struct flow *flow;
    struct bench b;

    (void)state;
    bench_open(&b, WHEN_FULL_SPILL);
    memkeep_room(b.keep, 0);
    flow = rig_open(&b.rig, LAYOUT_NORMAL);
    memkeep_begin(b.keep, flow, 0, false);
    assert_true(flow_start(flow));
    assert_false(flow_wait(flow, 300000000));
    assert_int_equal(b.ends[0].records[0].times, 0);
    memkeep_room(b.keep, 1u << 30);
    flow_wait(flow, -1);
    memkeep_end(b.keep);
    flow_close(&flow);
    judge(&b, true);
    bench_close(&b);
}

static void a_run_that_ended_begins_anew_the_next_time(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b, WHEN_FULL_SPILL);
    live(&b, 0, false);
    judge(&b, true);
    memset(b.ends, 0, 3 * sizeof *b.ends);
    live(&b, 0, false);
    judge(&b, true);
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_that_does_not_die_delivers_each_record_once),
        cmocka_unit_test(a_run_that_dies_at_any_commit_goes_on_and_loses_nothing_behind_rings),
        cmocka_unit_test(a_run_that_dies_at_any_commit_goes_on_and_loses_nothing_behind_queues),
        cmocka_unit_test(a_run_that_is_stopped_in_order_goes_on_without_a_record_twice),
        cmocka_unit_test(a_dead_sink_behind_a_queue_stops_nobody_else_and_gets_all_later),
        cmocka_unit_test(where_a_higher_class_may_come_a_batch_of_what_waited_is_small),
        cmocka_unit_test(a_sink_that_keeps_up_costs_no_writing_of_records),
        cmocka_unit_test(a_record_that_is_refused_becomes_a_letter_alone),
        cmocka_unit_test(a_full_store_holds_intake_and_lets_it_go_on),
        cmocka_unit_test(a_run_that_ended_begins_anew_the_next_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
