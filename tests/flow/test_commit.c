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

#include "memkeep.h"
#include "parts.h"
#include "rig.h"

enum { RECORDS = 6000, SUM_EVERY = 7, STREAMS = 3 };

/* ---- a sink that remembers over deaths ---- */

struct seen {
    uint32_t times;
    struct aff_id id;
};

struct far_end {
    struct seen records[RECORDS];
    struct seen sums[STREAMS * RECORDS];
    uint64_t unmarked; /* came again without RESENT */
    uint64_t renamed;  /* came again under another id */
    uint64_t invented;
    uint64_t wrong;    /* a sum that is not that of the stream's records so far */
    uint64_t ends;
    uint32_t fails;    /* so many writes fail before one goes through */
    uint64_t refuses;  /* records of this seq are refused for their content */
    bool is_dead;      /* never takes anything */
};

struct end_self {
    const struct aff_host *host;
    struct far_end *end;
    uint32_t failed;
};

static aff_status end_open(const struct aff_host *host, const void *config, void **ret_self)
{
    struct end_self *s = host->alloc(host, sizeof *s);

    if (!s)
        return AFF_ERR_MEMORY;
    s->host = host;
    s->end = (struct far_end *)(uintptr_t)config;
    *ret_self = s;
    return AFF_OK;
}

static void end_close(void *self)
{
    struct end_self *s = self;

    s->host->free(s->host, s);
}

static void note(struct far_end *e, struct seen *seen, const struct aff_record *r)
{
    if (seen->times > 0) {
        e->unmarked += !(r->flags & AFF_FLAG_RESENT);
        e->renamed += seen->id.source != r->id.source || seen->id.seq != r->id.seq;
    }
    seen->times++;
    seen->id = r->id;
}

/* The sum of a stream's first n seqs: stream i has i, i + STREAMS, ... */
static uint64_t sum_of(uint64_t stream, uint64_t n)
{
    return n * stream + STREAMS * (n * (n - 1u) / 2u);
}

static void end_take(struct far_end *e, const struct aff_record *r)
{
    uint64_t x[3] = { 0 };

    memcpy(x, r->data, r->size < sizeof x ? r->size : sizeof x);
    if (r->size == sizeof x) { /* a sum: stream, count, sum */
        if (x[0] >= STREAMS || x[1] >= RECORDS || x[2] != sum_of(x[0], x[1])) {
            e->wrong++;
            return;
        }
        note(e, &e->sums[x[0] * RECORDS + x[1]], r);
    } else if (x[0] < RECORDS) {
        note(e, &e->records[x[0]], r);
    } else {
        e->invented++;
    }
}

static aff_status end_write(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    struct end_self *s = self;
    uint64_t seq;

    if (s->end->is_dead || s->failed < s->end->fails) {
        s->failed++;
        return AFF_ERR_IO;
    }
    s->failed = 0;
    for (; *ret_taken < batch->count; ++*ret_taken) {
        memcpy(&seq, batch->records[*ret_taken].data, sizeof seq);
        if (s->end->refuses && seq == s->end->refuses)
            return s->host->explain(s->host, AFF_ERR_DATA, "of no use");
        end_take(s->end, &batch->records[*ret_taken]);
    }
    return AFF_OK;
}

static aff_status end_stream(void *self, uint32_t port, const struct aff_record *mark)
{
    struct end_self *s = self;

    (void)port;
    (void)mark;
    s->end->ends++;
    return AFF_OK;
}

static const struct aff_port in_any[] = { { .name = "in", .types = AFF_MASK(AFF_BYTES) } };
static const struct aff_port out_two[] = {
    { .name = "out", .types = AFF_MASK(AFF_BYTES), .passes = AFF_PASSES(0) },
    { .name = "sums", .types = AFF_MASK(AFF_BYTES) },
};
static const struct aff_plugin far_end = {
    .struct_size = sizeof far_end, .major = AFF_ABI_MAJOR, .kind = AFF_SINK, .name = "far_end",
    .inputs = AFF_TABLE(in_any), .open = end_open, .close = end_close, .write = end_write,
    .stream_end = end_stream,
};

/* ---- a processor with state: every seventh record of a stream, the sum so far ---- */

struct sums {
    uint64_t count, sum, first;
};

static aff_status sums_open(const struct aff_host *host, const void *config, void **ret_self)
{
    (void)config;
    *ret_self = (void *)(uintptr_t)host;
    return host->state_open(host, sizeof(struct sums), 0);
}

static aff_status sums_process(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    const struct aff_host *host = self;
    uint64_t seq;
    uint32_t i;

    (void)ret_taken;
    for (i = 0; i < batch->count; i++) {
        const struct aff_record *r = &batch->records[i];
        struct sums *s = host->state(host, r->stream);

        memcpy(&seq, r->data, sizeof seq);
        if (s->count == 0)
            s->first = seq;
        s->count++;
        s->sum += seq;
        if (s->count % SUM_EVERY == 0) {
            struct aff_record *d = host->reserve(host, 1, i, 24);
            uint64_t x[3] = { s->first, s->count, s->sum };

            if (!d)
                return AFF_ERR_MEMORY;
            memcpy(d->data, x, sizeof x);
            if (host->emit(host, d, sizeof x) < 0)
                return AFF_ERR_BUG;
        }
    }
    return AFF_OK;
}

static const struct aff_plugin sums = {
    .struct_size = sizeof sums, .major = AFF_ABI_MAJOR, .kind = AFF_PROCESSOR, .name = "sums",
    .inputs = AFF_TABLE(in_any), .outputs = AFF_TABLE(out_two), .open = sums_open, .process = sums_process,
};

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

/* The last commit of all may be stored before a death, too. */
static bool is_finished(struct memkeep *keep)
{
    const struct kept *kept = memkeep_kept(keep);
    void *bytes;
    size_t size;
    bool finished;

    if (!kept->state(kept->self, "run", &bytes, &size))
        return false;
    finished = ((uint8_t *)bytes)[1] != 0;
    free(bytes);
    return finished;
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
    return !memkeep_died(b->keep) || is_finished(b->keep);
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

static void a_sink_that_keeps_up_costs_no_writing_of_records(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b, WHEN_FULL_SPILL);
    b.source.records = RECORDS / 10;
    b.rig.plan.commit_records = RECORDS;
    b.rig.plan.commit_every_ns = 8000000000;
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
        cmocka_unit_test(a_sink_that_keeps_up_costs_no_writing_of_records),
        cmocka_unit_test(a_record_that_is_refused_becomes_a_letter_alone),
        cmocka_unit_test(a_full_store_holds_intake_and_lets_it_go_on),
        cmocka_unit_test(a_run_that_ended_begins_anew_the_next_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
