/* test_reload.c - a pipeline that is changed while it runs loses nothing.
 *
 * Far ends judge, as in test_commit.c: how often each record came, under which id, and
 * whether a second one was marked. The source gives what the test lets it give, so that
 * a reload falls into the middle of the data. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ends.h"
#include "flow/reload.h"
#include "gated.h"
#include "memkeep.h"
#include "parts.h"
#include "rig.h"

enum { RECORDS = ENDS_RECORDS, STREAMS = ENDS_STREAMS, SUM_EVERY = ENDS_SUM_EVERY, MS = 1000000 };

/* ---- variants of other parts ---- */

static aff_status absent_open(const struct aff_host *host, const void *config, void **ret_self)
{
    (void)config;
    (void)ret_self;
    return host->explain(host, AFF_ERR_IO, "it is not there");
}

/* The same plugin out of another file: other functions, the same work. */
static aff_status (*sums_process)(void *self, const struct aff_batch *batch, uint32_t *ret_taken);

static aff_status sums_again(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    return sums_process(self, batch, ret_taken);
}

/* A sink that can be switched off, whatever thread looks. */
static _Atomic bool is_off;
static aff_status (*end_write)(void *self, const struct aff_batch *batch, uint32_t *ret_taken);

static aff_status switched_write(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    return atomic_load(&is_off) ? AFF_ERR_IO : end_write(self, batch, ret_taken);
}

static uint8_t holds(uint64_t seq)
{
    (void)seq;
    return JUDGE_HOLD;
}

static uint32_t nothing(uint64_t seq)
{
    (void)seq;
    return 0;
}

static struct part_judge holding = { .judge = holds, .emits = nothing, .keep = 16 };

/* ---- pipelines ---- */

enum { WITHOUT_C = 1, OTHER_SUMS = 2, MIDDLE_HOLDS = 4, OTHER_OPTIONS = 8, ABSENT = 16, SWITCHED = 32, EXTRA = 64, MUTE = 128, ADAPTS = 256 };

enum { RIGS = 130 };

struct bench {
    struct gate gate;
    struct far_end *ends; /* four */
    struct memkeep *keep;
    struct rig *rigs; /* that of each reload: what is kept lives in it */
    uint32_t rig_count;
    struct aff_plugin sums_other, sums_adapts, absent, switched, mute;
    struct part_sink taken;
    enum when_full when_full;
    struct flow *flow;
    struct reload reload;
};

/* As its edges block, so does each node have a thread, with rings between them. */
static enum layout_mode layout_of(const struct bench *b)
{
    return b->when_full == WHEN_FULL_BLOCK ? LAYOUT_THREAD_PER_NODE : LAYOUT_NORMAL;
}

static struct rig *rig_make(struct bench *b, int how)
{
    struct rig *r = &b->rigs[b->rig_count++];
    uint32_t source, middle, to;

    assert_true(b->rig_count <= RIGS);
    rig_begin(r);
    r->plan.commit_records = 64;
    r->plan.commit_every_ns = 5 * MS;
    r->plan.store_limit = 1u << 30;
    r->options.kept = b->keep ? memkeep_kept(b->keep) : NULL;
    source = rig_node(r, "source", &gated, &b->gate);
    middle = how & MIDDLE_HOLDS ? rig_node(r, "middle", &part_judge, &holding)
             : how & ADAPTS     ? rig_node(r, "middle", &b->sums_adapts, NULL)
                                : rig_node(r, "middle", how & OTHER_SUMS ? &b->sums_other : &sums, NULL);
    r->nodes[middle].options_hash = how & OTHER_OPTIONS ? 2 : 1;
    rig_edge(r, source, 0, middle, 0);
    to = rig_node(r, "a", &far_end, &b->ends[0]);
    rig_edge(r, middle, 0, to, 0);
    r->edges[r->plan.edge_count - 1u].when_full = b->when_full;
    if (!(how & WITHOUT_C)) {
        to = rig_node(r, "c", how & SWITCHED ? &b->switched : &far_end, &b->ends[1]);
        rig_edge(r, middle, 0, to, 0);
        r->edges[r->plan.edge_count - 1u].when_full = b->when_full;
    }
    if (!(how & MIDDLE_HOLDS)) {
        to = rig_node(r, "s", &far_end, &b->ends[2]);
        rig_edge(r, middle, 1, to, 0);
    }
    if (how & (EXTRA | ABSENT)) {
        to = rig_node(r, "extra", how & ABSENT ? &b->absent : &far_end, &b->ends[3]);
        rig_edge(r, middle, 0, to, 0);
        r->edges[r->plan.edge_count - 1u].when_full = b->when_full;
    }
    if (how & MUTE) { /* it takes all, and answers nothing */
        to = rig_node(r, "mute", &b->mute, &b->taken);
        rig_edge(r, middle, 0, to, 0);
        r->edges[r->plan.edge_count - 1u].when_full = b->when_full;
    }
    plan_layout(&r->plan, layout_of(b));
    return r;
}

static void bench_open(struct bench *b, enum when_full when_full, int how, bool store)
{
    memset(b, 0, sizeof *b);
    b->ends = calloc(4, sizeof *b->ends);
    b->rigs = calloc(RIGS, sizeof *b->rigs);
    b->when_full = when_full;
    b->gate.ends = true;
    b->sums_adapts = sums;
    b->sums_adapts.flags |= AFF_ADAPTS;
    b->sums_other = sums;
    b->sums_other.process = sums_again;
    sums_process = sums.process;
    b->absent = far_end;
    b->absent.open = absent_open;
    b->switched = far_end;
    b->switched.write = switched_write;
    end_write = far_end.write;
    b->mute = part_sink;
    b->mute.flags |= AFF_ACKS;
    atomic_store(&is_off, false);
    if (store)
        b->keep = memkeep_open();
    b->flow = rig_open(rig_make(b, how), layout_of(b));
    assert_non_null(b->flow);
    if (store)
        memkeep_begin(b->keep, b->flow, 0, false);
    assert_true(flow_start(b->flow));
}

/* True: it is changed. */
static bool change(struct bench *b, int how, aff_status expected)
{
    struct reload *r = &b->reload;
    struct rig *rig = rig_make(b, how);
    struct difference *d = difference_new(b->flow == r->flow ? r->plan : &b->rigs[0].plan, &rig->plan);
    const struct plan *before = r->plan;
    aff_status st;
    bool ok;

    assert_non_null(d);
    r->flow = b->flow;
    r->plan = &rig->plan;
    r->difference = d;
    r->attach = b->keep ? memkeep_flow : NULL;
    r->arg = b->keep;
    st = reload_open(r);
    assert_int_equal(st, expected);
    ok = st == AFF_OK && reload_swap(r);
    if (st == AFF_OK && !ok)
        print_message("not changed: %s\n", r->why);
    reload_cancel(r);
    assert_null(r->next);
    b->flow = r->flow;
    if (!ok)
        r->plan = before ? before : &b->rigs[0].plan;
    difference_free(&d);
    return ok;
}

static void give(struct bench *b, uint64_t upto)
{
    atomic_store(&b->gate.upto, upto);
}

static void await_end(const struct flow *flow, uint32_t node, uint64_t used)
{
    struct flow_node n;
    bool over;

    do { /* in this order: what was used just before the end counts, too */
        over = flow_wait((struct flow *)(uintptr_t)flow, MS);
        flow_node(flow, node, &n);
    } while (n.account.used < used && !over);
    assert_true(n.account.used >= used);
}

/* Lets the source give up to there, and goes on in the middle of that. */
static void load(struct bench *b, uint64_t upto, uint64_t step)
{
    give(b, upto);
    await_end(b->flow, 2, upto - step * 3 / 4);
}

static void finish(struct bench *b)
{
    const char *why;

    give(b, RECORDS);
    flow_wait(b->flow, -1);
    if (b->keep)
        memkeep_end(b->keep);
    assert_int_equal(flow_failure(b->flow, &why), AFF_OK);
    assert_false(flow_unbalanced(b->flow));
    assert_true(flow_balances(b->flow));
    flow_close(&b->flow);
}

static void bench_close(struct bench *b)
{
    if (b->keep)
        memkeep_close(&b->keep);
    free(b->ends);
    free(b->rigs);
}

static void judge_end(const struct far_end *e)
{
    assert_int_equal(e->unmarked, 0);
    assert_int_equal(e->renamed, 0);
    assert_int_equal(e->invented, 0);
    assert_int_equal(e->wrong, 0);
}

static void judge_records(const struct far_end *e, uint32_t from, bool once)
{
    uint32_t i;

    judge_end(e);
    for (i = from; i < RECORDS; i++) {
        assert_true(e->records[i].times >= 1);
        assert_int_equal(e->records[i].id.seq - e->records[from].id.seq, i - from); /* none twice */
        if (once)
            assert_int_equal(e->records[i].times, 1);
    }
}

static void judge_sums(const struct far_end *e)
{
    uint64_t s, n;

    judge_end(e);
    for (s = 0; s < STREAMS; s++)
        for (n = SUM_EVERY; n <= RECORDS / STREAMS; n += SUM_EVERY)
            assert_int_equal(e->sums[s * RECORDS + n].times, 1);
}

static void judge_all(struct bench *b)
{
    judge_records(&b->ends[0], 0, true);
    judge_records(&b->ends[1], 0, true);
    judge_sums(&b->ends[2]);
}

/* ---- tests ---- */

/* Never all of them: a pipeline that has ended is not changed any more. */
static void reload_unchanged(enum when_full when_full, bool store)
{
    enum { RELOADS = 20, STEP = RECORDS / (RELOADS + 1) };
    struct bench b;
    uint64_t i;

    bench_open(&b, when_full, 0, store);
    for (i = 1; i <= RELOADS; i++) {
        if (when_full == WHEN_FULL_DROP_OLDEST) /* of those that are late some would be dropped */
            await_end(b.flow, 3, (i - 1) * STEP);
        load(&b, i * STEP, STEP);
        assert_true(change(&b, 0, AFF_OK));
    }
    finish(&b);
    judge_all(&b);
    assert_int_equal(b.gate.opened, 1);
    assert_int_equal(b.gate.closed, 1);
    bench_close(&b);
}

static void an_unchanged_pipeline_keeps_all_its_nodes_and_loses_nothing_behind_queues(void **state)
{
    (void)state;
    reload_unchanged(WHEN_FULL_SPILL, true);
}

static void an_unchanged_pipeline_keeps_all_its_nodes_and_loses_nothing_behind_rings(void **state)
{
    (void)state;
    reload_unchanged(WHEN_FULL_BLOCK, true);
}

static void without_a_store_nothing_is_lost_either(void **state)
{
    (void)state;
    reload_unchanged(WHEN_FULL_DROP_OLDEST, false);
    reload_unchanged(WHEN_FULL_BLOCK, false);
    reload_unchanged(WHEN_FULL_SPILL, false);
}

/* Out of another file; and, of one that adapts, with other options. */
static void a_plugin_that_was_changed_goes_on_with_the_state_of_the_one_before(void **state)
{
    static const int ways[2][2] = { { 0, OTHER_SUMS }, { ADAPTS, ADAPTS | OTHER_OPTIONS } };
    struct bench b;
    uint64_t i, k;

    (void)state;
    for (k = 0; k < 2; k++) {
        bench_open(&b, WHEN_FULL_SPILL, ways[k][0], true);
        for (i = 1; i <= 10; i++) {
            load(&b, i * 500, 500);
            assert_true(change(&b, ways[k][i % 2], AFF_OK));
        }
        finish(&b);
        judge_all(&b);
        bench_close(&b);
    }
}

static void what_a_node_held_goes_on_when_its_options_change(void **state)
{
    struct bench b;
    uint64_t i;

    (void)state;
    bench_open(&b, WHEN_FULL_SPILL, MIDDLE_HOLDS, true);
    for (i = 1; i <= 10; i++) {
        load(&b, i * 500, 500);
        assert_true(change(&b, MIDDLE_HOLDS | (i % 2 ? OTHER_OPTIONS : 0), AFF_OK));
    }
    finish(&b);
    judge_records(&b.ends[0], 0, true);
    judge_records(&b.ends[1], 0, true);
    bench_close(&b);
}

static void a_sink_that_is_added_gets_what_comes_from_then_on(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b, WHEN_FULL_SPILL, 0, true);
    give(&b, 2000);
    await_end(b.flow, 2, 2000);
    assert_true(change(&b, EXTRA, AFF_OK));
    finish(&b);
    judge_all(&b);
    assert_int_equal(b.ends[3].records[1999].times, 0);
    judge_records(&b.ends[3], 2000, true);
    bench_close(&b);
}

static void a_sink_that_is_removed_leaves_the_others_as_they_are(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b, WHEN_FULL_SPILL, 0, true);
    give(&b, 2000);
    await_end(b.flow, 3, 2000);
    assert_true(change(&b, WITHOUT_C, AFF_OK));
    assert_int_equal(b.reload.left_in_store, 0);
    finish(&b);
    judge_records(&b.ends[0], 0, true);
    judge_sums(&b.ends[2]);
    assert_int_equal(b.ends[1].records[1999].times, 1);
    assert_int_equal(b.ends[1].records[2000].times, 0);
    bench_close(&b);
}

static void where_a_node_does_not_open_the_old_pipeline_goes_on(void **state)
{
    struct bench b;
    uint64_t i;

    (void)state;
    bench_open(&b, WHEN_FULL_SPILL, 0, true);
    for (i = 1; i <= 10; i++) {
        load(&b, i * 500, 500);
        assert_false(change(&b, ABSENT, AFF_ERR_IO));
        assert_non_null(strstr(b.reload.why, "it is not there"));
    }
    finish(&b);
    judge_all(&b);
    bench_close(&b);
}

static void a_sink_that_does_not_work_behind_a_queue_holds_no_reload_up(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b, WHEN_FULL_SPILL, SWITCHED, true);
    give(&b, 1000);
    await_end(b.flow, 3, 500);
    atomic_store(&is_off, true);
    give(&b, 3000);
    await_end(b.flow, 2, 3000);
    assert_true(change(&b, SWITCHED | OTHER_SUMS, AFF_OK));
    give(&b, 4000);
    await_end(b.flow, 2, 4000);
    atomic_store(&is_off, false);
    finish(&b);
    judge_records(&b.ends[0], 0, true);
    judge_records(&b.ends[1], 0, false);
    judge_sums(&b.ends[2]);
    bench_close(&b);
}

static void nor_does_one_whose_peer_never_answers(void **state)
{
    struct bench b;
    uint32_t i;

    (void)state;
    bench_open(&b, WHEN_FULL_SPILL, MUTE, true);
    give(&b, 1000);
    await_end(b.flow, 2, 1000);
    for (i = 0; i < 2; i++)
        assert_true(change(&b, MUTE, AFF_OK));
    flow_abort(b.flow);
    flow_wait(b.flow, -1);
    memkeep_end(b.keep);
    assert_true(b.taken.records > 0);
    flow_close(&b.flow);
    bench_close(&b);
}

static void what_a_sink_that_is_removed_had_not_taken_stays_in_the_store(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b, WHEN_FULL_SPILL, SWITCHED, true);
    atomic_store(&is_off, true);
    give(&b, 3000);
    await_end(b.flow, 2, 3000);
    assert_true(change(&b, WITHOUT_C, AFF_OK));
    assert_int_equal(b.reload.left_in_store, 3000);
    assert_true(change(&b, SWITCHED, AFF_OK));
    atomic_store(&is_off, false);
    finish(&b);
    judge_records(&b.ends[0], 0, true);
    judge_records(&b.ends[1], 0, true);
    bench_close(&b);
}

static void a_sink_that_does_not_work_and_blocks_leaves_the_old_pipeline_running(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b, WHEN_FULL_BLOCK, SWITCHED, true);
    b.reload.rest_ns = 200 * MS;
    atomic_store(&is_off, true);
    give(&b, 1000);
    await_end(b.flow, 2, 1);
    assert_false(change(&b, SWITCHED | OTHER_SUMS, AFF_OK));
    assert_non_null(strstr(b.reload.why, "did not come to rest"));
    atomic_store(&is_off, false);
    b.reload.rest_ns = 0;
    assert_true(change(&b, SWITCHED | OTHER_SUMS, AFF_OK));
    finish(&b);
    judge_all(&b);
    bench_close(&b);
}

static void a_source_is_told_all_its_epochs_over_reloads(void **state)
{
    struct bench b;
    uint64_t told;

    (void)state;
    bench_open(&b, WHEN_FULL_SPILL, 0, true);
    give(&b, 1000);
    await_end(b.flow, 2, 1000);
    assert_true(change(&b, EXTRA, AFF_OK));
    told = atomic_load(&b.gate.told);
    assert_true(told > 0);
    finish(&b);
    assert_true(atomic_load(&b.gate.told) > told);
    bench_close(&b);
}

static void a_hundred_reloads_of_which_a_third_is_broken_lose_nothing(void **state)
{
    static const int hows[] = { EXTRA, ABSENT, OTHER_SUMS, 0, ABSENT, EXTRA | OTHER_SUMS };
    struct bench b;
    uint64_t i;

    (void)state;
    bench_open(&b, WHEN_FULL_SPILL, 0, true);
    for (i = 0; i < 100; i++) {
        int how = hows[i % 6];

        load(&b, (i + 1) * (RECORDS / 101), RECORDS / 101);
        assert_int_equal(change(&b, how, how & ABSENT ? AFF_ERR_IO : AFF_OK), !(how & ABSENT));
    }
    finish(&b);
    judge_all(&b);
    assert_int_equal(b.gate.opened, 1);
    bench_close(&b);
}

/* Some nodes have ended, or all, at any of these reloads. */
static void reload_until_the_end(enum when_full when_full, bool store)
{
    static const int hows[] = { 0, OTHER_SUMS, EXTRA, EXTRA | OTHER_SUMS };
    struct bench b;
    uint64_t i = 0;

    bench_open(&b, when_full, 0, store);
    load(&b, RECORDS - 200, 200);
    give(&b, RECORDS);
    while (change(&b, hows[i % 4], AFF_OK))
        flow_wait(b.flow, (int64_t)i++ * MS / 4);
    assert_non_null(strstr(b.reload.why, "it is ending"));
    finish(&b);
    judge_all(&b);
    assert_int_equal(b.gate.opened, 1);
    assert_int_equal(b.gate.closed, 1);
    bench_close(&b);
}

static void reloads_go_on_until_the_pipeline_has_ended_and_lose_nothing(void **state)
{
    (void)state;
    reload_until_the_end(WHEN_FULL_SPILL, true);
    reload_until_the_end(WHEN_FULL_BLOCK, true);
    reload_until_the_end(WHEN_FULL_BLOCK, false);
    reload_until_the_end(WHEN_FULL_SPILL, false);
}

static void what_runs_after_a_reload_can_die_and_be_gone_on_with(void **state)
{
    struct flow *flow;
    struct bench b;

    (void)state;
    bench_open(&b, WHEN_FULL_SPILL, 0, true);
    load(&b, 2000, 2000);
    assert_true(change(&b, OTHER_SUMS | EXTRA, AFF_OK));
    give(&b, 4000);
    await_end(b.flow, 2, 3000);
    flow_abort(b.flow);
    flow_wait(b.flow, -1);
    memkeep_end(b.keep);
    flow_close(&b.flow);
    flow = b.flow = rig_open(rig_make(&b, OTHER_SUMS | EXTRA), LAYOUT_NORMAL);
    memkeep_begin(b.keep, flow, 0, false);
    assert_true(flow_start(flow));
    finish(&b);
    judge_records(&b.ends[0], 0, false);
    judge_records(&b.ends[1], 0, false);
    judge_end(&b.ends[2]);
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_unchanged_pipeline_keeps_all_its_nodes_and_loses_nothing_behind_queues),
        cmocka_unit_test(an_unchanged_pipeline_keeps_all_its_nodes_and_loses_nothing_behind_rings),
        cmocka_unit_test(without_a_store_nothing_is_lost_either),
        cmocka_unit_test(a_plugin_that_was_changed_goes_on_with_the_state_of_the_one_before),
        cmocka_unit_test(what_a_node_held_goes_on_when_its_options_change),
        cmocka_unit_test(a_sink_that_is_added_gets_what_comes_from_then_on),
        cmocka_unit_test(a_sink_that_is_removed_leaves_the_others_as_they_are),
        cmocka_unit_test(where_a_node_does_not_open_the_old_pipeline_goes_on),
        cmocka_unit_test(a_sink_that_does_not_work_behind_a_queue_holds_no_reload_up),
        cmocka_unit_test(nor_does_one_whose_peer_never_answers),
        cmocka_unit_test(what_a_sink_that_is_removed_had_not_taken_stays_in_the_store),
        cmocka_unit_test(a_sink_that_does_not_work_and_blocks_leaves_the_old_pipeline_running),
        cmocka_unit_test(a_source_is_told_all_its_epochs_over_reloads),
        cmocka_unit_test(a_hundred_reloads_of_which_a_third_is_broken_lose_nothing),
        cmocka_unit_test(reloads_go_on_until_the_pipeline_has_ended_and_lose_nothing),
        cmocka_unit_test(what_runs_after_a_reload_can_die_and_be_gone_on_with),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
