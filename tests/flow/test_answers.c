/* test_answers.c - a sink whose peer answers late, out of order, twice or not at all;
 * a source that answers its peer only when what it took is safe; letters that go in again.
 *
 * The peer (peer.h) answers at random. What it received is judged at its far end (ends.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ends.h"
#include "flow/wire.h"
#include "memkeep.h"
#include "parts.h"
#include "peer.h"
#include "rig.h"

enum { RECORDS = 2000 };

/* ---- a pipeline: source -> late ---- */

struct bench {
    struct rig rig;
    struct part_source source;
    struct peer *peer;
    struct memkeep *keep;
};

static void bench_open(struct bench *b, enum when_full when_full)
{
    memset(b, 0, sizeof *b);
    b->peer = peer_open(1);
    b->keep = memkeep_open();
    b->source = (struct part_source){ .records = RECORDS, .size = 32, .streams = ENDS_STREAMS, .ends = 1 };
    rig_begin(&b->rig);
    b->rig.plan.commit_records = 64;
    b->rig.plan.commit_every_ns = 2000000;
    b->rig.plan.store_limit = 1u << 30;
    b->rig.options.kept = memkeep_kept(b->keep);
    rig_node(&b->rig, "source", &part_source, &b->source);
    rig_node(&b->rig, "late", &late, b->peer);
    rig_edge(&b->rig, 0, 0, 1, 0);
    b->rig.edges[0].when_full = when_full;
}

static void bench_close(struct bench *b)
{
    memkeep_close(&b->keep);
    peer_close(&b->peer);
}

/* One life; true: it came to its end. */
static bool live(struct bench *b, uint64_t dies_at, bool torn)
{
    struct flow *flow = rig_open(&b->rig, LAYOUT_THREAD_PER_NODE);
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

static void judge(const struct bench *b, bool once)
{
    uint64_t i;

    assert_int_equal(b->peer->end.unmarked, 0);
    assert_int_equal(b->peer->end.renamed, 0);
    assert_int_equal(b->peer->end.invented, 0);
    for (i = 0; i < RECORDS; i++) {
        assert_true(b->peer->end.records[i].times >= 1);
        if (once)
            assert_int_equal(b->peer->end.records[i].times, 1);
    }
}

/* ---- tests ---- */

static void late_answers_in_any_order_end_every_epoch(void **state)
{
    enum when_full ways[] = { WHEN_FULL_BLOCK, WHEN_FULL_SPILL };
    struct bench b;
    int i;

    (void)state;
    for (i = 0; i < 2; i++) {
        bench_open(&b, ways[i]);
        assert_true(live(&b, 0, false));
        judge(&b, true);
        assert_int_equal(memkeep_figures(b.keep).records, 0);
        bench_close(&b);
    }
}

static void what_the_peer_could_not_take_is_offered_again_and_marked(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b, WHEN_FULL_SPILL);
    b.peer->fails = 200;
    assert_true(live(&b, 0, false));
    judge(&b, false);
    bench_close(&b);
}

static void what_the_peer_refuses_becomes_a_letter_alone_in_its_own_epoch(void **state)
{
    struct wire_letter letter;
    const void *bytes;
    struct bench b;
    size_t size;

    (void)state;
    bench_open(&b, WHEN_FULL_BLOCK);
    b.peer->refuses = 777;
    assert_true(live(&b, 0, false));
    judge(&b, true);
    assert_int_equal(memkeep_figures(b.keep).letters, 1);
    bytes = memkeep_letter(b.keep, 0, &size);
    assert_true(wire_letter_read(bytes, size, &letter));
    assert_string_equal(letter.node, "late");
    assert_string_equal(letter.port, "in");
    assert_int_equal(letter.record.record.size, 32);
    bench_close(&b);
}

/* A run that dies at each second commit may get nowhere for ever, since that may be an empty
 * one of its source while the answers come late: after a few deaths it is let live. What is
 * sure on any machine are deaths where few commits are enough. */
static void a_death_with_answers_outstanding_loses_nothing(void **state)
{
    enum { MOST = 8, SURE = 5 };
    uint64_t at, deaths, early = 0;
    struct bench b;

    (void)state;
    for (at = 2; at < 10; at++) {
        bench_open(&b, at % 2 ? WHEN_FULL_BLOCK : WHEN_FULL_SPILL);
        for (deaths = 0; deaths < MOST && !live(&b, at, at % 3 == 0); deaths++)
            early += at <= SURE && deaths == 0;
        if (deaths == MOST)
            assert_true(live(&b, 0, false));
        judge(&b, false);
        assert_int_equal(memkeep_figures(b.keep).records, 0);
        bench_close(&b);
    }
    assert_int_equal(early, SURE - 1);
}

static void a_peer_that_never_answers_holds_the_stop_no_longer_than_a_moment(void **state)
{
    struct flow *flow;
    struct bench b;
    const char *why;

    (void)state;
    bench_open(&b, WHEN_FULL_SPILL);
    peer_silence(b.peer, true);
    flow = rig_open(&b.rig, LAYOUT_NORMAL);
    memkeep_begin(b.keep, flow, 0, false);
    assert_true(flow_start(flow));
    flow_wait(flow, 50000000);
    flow_drain(flow);
    assert_true(flow_wait(flow, 60000000000));
    memkeep_end(b.keep);
    assert_int_equal(flow_failure(flow, &why), AFF_OK);
    flow_close(&flow);
    peer_silence(b.peer, false);
    while (!live(&b, 0, false))
        continue;
    judge(&b, false);
    assert_int_equal(memkeep_figures(b.keep).records, 0);
    bench_close(&b);
}

/* ---- how a run ended ---- */

static enum flow_end end_stored(const struct bench *b)
{
    const struct kept *kept = memkeep_kept(b->keep);
    enum flow_end end = FLOW_END_NONE;
    void *bytes;
    size_t size;

    if (kept->state(kept->self, FLOW_RUN_PIECE, &bytes, &size)) {
        end = flow_end_read(bytes, size);
        free(bytes);
    }
    return end;
}

enum asked { ASK_STOP, ASK_ABORT, ASK_BREAK };

/* Where nobody answers the clock is virtual, so that ten seconds are none. */
static enum flow_end ended(bool answers, enum asked asked)
{
    struct flow_node sink = { 0 };
    struct flow *flow;
    enum flow_end end;
    struct bench b;

    bench_open(&b, WHEN_FULL_BLOCK);
    b.rig.options.virtual_clock = !answers;
    peer_silence(b.peer, !answers);
    flow = rig_open(&b.rig, LAYOUT_NORMAL);
    assert_non_null(flow);
    memkeep_begin(b.keep, flow, 0, false);
    assert_true(flow_start(flow));
    while (memkeep_figures(b.keep).commits == 0 || (!answers && sink.account.held == 0)) {
        flow_wait(flow, 1000000);
        flow_node(flow, 1, &sink);
    }
    if (asked == ASK_STOP)
        flow_drain(flow);
    else if (asked == ASK_ABORT)
        flow_abort(flow);
    else
        flow_store_failed(flow, "the disk");
    assert_true(flow_wait(flow, INT64_C(60000000000)));
    memkeep_end(b.keep);
    end = end_stored(&b);
    flow_close(&flow);
    peer_silence(b.peer, false);
    b.rig.options.virtual_clock = false;
    assert_true(live(&b, 0, false)); /* the next one wipes it out */
    assert_int_equal(end_stored(&b), FLOW_END_NONE);
    bench_close(&b);
    return end;
}

static void how_a_run_ended_is_stored(void **state)
{
    uint8_t bytes[27] = { 1 };
    size_t size;

    (void)state;
    assert_int_equal(ended(true, ASK_STOP), FLOW_END_NONE); /* in order: the accounts say so */
    assert_int_equal(ended(false, ASK_STOP), FLOW_END_CUT);
    assert_int_equal(ended(false, ASK_ABORT), FLOW_END_ABORT);
    assert_int_equal(ended(false, ASK_BREAK), FLOW_END_ERROR);
    for (size = 0; size <= sizeof bytes; size++) { /* cut, of an earlier version, of a later one */
        bytes[19] = FLOW_END_CUT;
        assert_int_equal(flow_end_read(bytes, size), size < 20 ? FLOW_END_NONE : FLOW_END_CUT);
        bytes[19] = FLOW_END_ERROR + 1;
        assert_int_equal(flow_end_read(bytes, size), FLOW_END_NONE);
    }
    bytes[0] = 2;
    bytes[19] = FLOW_END_CUT;
    assert_int_equal(flow_end_read(bytes, sizeof bytes), FLOW_END_NONE);
}

/* ---- a peer whose message is no good ---- */

struct deaf_case {
    _Atomic bool told;
    bool is_silent; /* what it knows has changed, and it gives nothing */
};

struct deaf {
    const struct aff_host *host;
    struct deaf_case *test;
    uint64_t epoch, reads;
    int64_t until_ns;
    bool is_late;
};

static const struct aff_port deaf_out[] = { { .name = "out", .types = AFF_MASK(AFF_BYTES) } };
static const struct aff_verdict deaf_verdicts[] = { { .name = "no_good", .kind = AFF_V_DEAD } };

static aff_status deaf_open(const struct aff_host *host, const void *config, void **ret_self)
{
    struct deaf *d = host->alloc(host, sizeof *d);

    if (!d)
        return AFF_ERR_MEMORY;
    d->host = host;
    d->test = (struct deaf_case *)(uintptr_t)config;
    *ret_self = d;
    return AFF_OK;
}

static void deaf_close(void *self)
{
    ((struct deaf *)self)->host->free(((struct deaf *)self)->host, self);
}

/* A letter, some time after the start, and nothing else, ever. */
static aff_status deaf_read(void *self, uint32_t want)
{
    struct deaf *d = self;
    int64_t now = d->host->now_ns(d->host);

    (void)want;
    if (++d->reads == 50) {
        d->epoch = d->host->epoch(d->host);
        d->until_ns = now + 60000000000;
        if (!d->test->is_silent)
            d->host->dead(d->host, AFF_NO_INPUT, 1, 0, "x", 1);
        d->host->cut(d->host);
    }
    d->is_late = d->epoch > 0 && !atomic_load(&d->test->told) && now > d->until_ns;
    if (d->is_late || atomic_load(&d->test->told))
        return AFF_END;
    d->host->wake_at(d->host, now + 1000000);
    return AFF_AGAIN;
}

static void deaf_committed(void *self, uint64_t epoch)
{
    struct deaf *d = self;

    if (d->epoch > 0 && epoch >= d->epoch && !d->is_late)
        atomic_store(&d->test->told, true);
}

static const struct aff_plugin deaf = {
    .struct_size = sizeof(struct aff_plugin), .major = AFF_ABI_MAJOR, .kind = AFF_SOURCE, .name = "deaf",
    .outputs = AFF_TABLE(deaf_out), .verdicts = AFF_TABLE(deaf_verdicts),
    .open = deaf_open, .close = deaf_close, .read = deaf_read, .committed = deaf_committed,
};

static void deaf_is_told(struct deaf_case *test)
{
    struct bench b;
    struct flow *flow;
    uint32_t d, sink;

    bench_open(&b, WHEN_FULL_BLOCK);
    rig_begin(&b.rig);
    b.rig.plan.commit_every_ns = 3600000000000;
    b.rig.plan.commit_records = 1u << 20;
    b.rig.plan.commit_bytes = 1u << 30;
    b.rig.plan.store_limit = 1u << 30;
    b.rig.options.kept = memkeep_kept(b.keep);
    d = rig_node(&b.rig, "deaf", &deaf, test);
    sink = rig_node(&b.rig, "late", &late, b.peer);
    rig_edge(&b.rig, d, 0, sink, 0);
    flow = rig_open(&b.rig, LAYOUT_NORMAL);
    assert_non_null(flow);
    memkeep_begin(b.keep, flow, 0, false);
    assert_true(flow_start(flow));
    flow_wait(flow, -1);
    memkeep_end(b.keep);
    assert_true(atomic_load(&test->told));
    assert_true(flow_balances(flow));
    flow_close(&flow);
    bench_close(&b);
}

static void a_letter_alone_ends_its_epoch_when_a_peer_waits(void **state)
{
    struct deaf_case test = { .is_silent = false };

    (void)state;
    deaf_is_told(&test);
}

static void a_cut_without_a_record_makes_safe_what_a_source_knows(void **state)
{
    struct deaf_case test = { .is_silent = true };

    (void)state;
    deaf_is_told(&test);
}

/* ---- what is held becomes a letter while nothing else happens ---- */

/* A source of one record, which ends when it is told to. */
struct one {
    const struct aff_host *host;
    _Atomic bool *ends;
    bool is_made;
};

static aff_status one_open(const struct aff_host *host, const void *config, void **ret_self)
{
    struct one *o = host->alloc(host, sizeof *o);

    if (!o)
        return AFF_ERR_MEMORY;
    o->host = host;
    o->ends = (_Atomic bool *)(uintptr_t)config;
    *ret_self = o;
    return AFF_OK;
}

static void one_close(void *self)
{
    ((struct one *)self)->host->free(((struct one *)self)->host, self);
}

static aff_status one_read(void *self, uint32_t want)
{
    static const struct aff_schema schema = { .struct_size = sizeof schema, .type = AFF_BYTES, .name = "one" };
    struct one *o = self;
    struct aff_record *r;

    (void)want;
    o->host->wake_at(o->host, o->host->now_ns(o->host) + 1000000);
    if (o->is_made)
        return atomic_load(o->ends) ? AFF_END : AFF_AGAIN;
    r = o->host->reserve(o->host, 0, AFF_NO_INPUT, 8);
    if (!r)
        return AFF_ERR_MEMORY;
    memset(r->data, 0, 8);
    r->schema = o->host->schema(o->host, &schema);
    r->subject = o->host->subject(o->host, "nobody");
    r->stream = o->host->stream(o->host, r->subject, "one", r->schema);
    o->is_made = true;
    o->host->cut(o->host);
    return o->host->emit(o->host, r, 8);
}

/* Holds what comes, and gives it up some time after. */
static const struct aff_port keeper_in[] = { { .name = "in", .types = AFF_MASK(AFF_BYTES) } };
static const struct aff_verdict keeper_verdicts[] = { { .name = "kept", .kind = AFF_V_HOLD }, { .name = "given_up", .kind = AFF_V_DEAD } };

static aff_status keeper_process(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    const struct aff_host *host = ((struct one *)self)->host;
    uint32_t i;

    for (i = 0; i < batch->count; i++, *ret_taken = i) {
        if (!host->hold(host, &batch->records[i]))
            return AFF_ERR_MEMORY;
        batch->verdicts[i] = 1;
    }
    host->wake_at(host, host->now_ns(host) + 100000000);
    return AFF_OK;
}

static aff_status keeper_wake(void *self)
{
    const struct aff_host *host = ((struct one *)self)->host;

    return host->held(host, 0) ? host->release(host, host->held(host, 0), 2) : AFF_OK;
}

static const struct aff_plugin one = {
    .struct_size = sizeof(struct aff_plugin), .major = AFF_ABI_MAJOR, .kind = AFF_SOURCE, .name = "one",
    .outputs = AFF_TABLE(deaf_out), .open = one_open, .close = one_close, .read = one_read,
};
static const struct aff_plugin keeper = {
    .struct_size = sizeof(struct aff_plugin), .major = AFF_ABI_MAJOR, .kind = AFF_PROCESSOR, .name = "keeper",
    .inputs = AFF_TABLE(keeper_in), .outputs = AFF_TABLE(deaf_out), .verdicts = AFF_TABLE(keeper_verdicts),
    .open = one_open, .close = one_close, .process = keeper_process, .wake = keeper_wake,
};

static void what_was_held_and_is_given_up_alone_is_a_letter_in_time(void **state)
{
    _Atomic bool ends = false;
    struct bench b;
    struct flow *flow;
    int i;

    (void)state;
    bench_open(&b, WHEN_FULL_BLOCK);
    rig_begin(&b.rig);
    b.rig.plan.commit_every_ns = 20000000;
    b.rig.plan.commit_records = 1u << 20;
    b.rig.plan.commit_bytes = 1u << 30;
    b.rig.plan.store_limit = 1u << 30;
    b.rig.options.kept = memkeep_kept(b.keep);
    rig_node(&b.rig, "one", &one, &ends);
    rig_node(&b.rig, "keeper", &keeper, &ends);
    rig_node(&b.rig, "late", &late, b.peer);
    rig_edge(&b.rig, 0, 0, 1, 0);
    rig_edge(&b.rig, 1, 0, 2, 0);
    flow = rig_open(&b.rig, LAYOUT_THREAD_PER_NODE);
    assert_non_null(flow);
    memkeep_begin(b.keep, flow, 0, false);
    assert_true(flow_start(flow));
    for (i = 0; i < 20000 && memkeep_figures(b.keep).letters == 0; i++)
        flow_wait(flow, 1000000);
    assert_int_equal(memkeep_figures(b.keep).letters, 1);
    atomic_store(&ends, true);
    flow_wait(flow, -1);
    memkeep_end(b.keep);
    assert_true(flow_balances(flow));
    flow_close(&flow);
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(late_answers_in_any_order_end_every_epoch),
        cmocka_unit_test(what_the_peer_could_not_take_is_offered_again_and_marked),
        cmocka_unit_test(what_the_peer_refuses_becomes_a_letter_alone_in_its_own_epoch),
        cmocka_unit_test(a_death_with_answers_outstanding_loses_nothing),
        cmocka_unit_test(a_peer_that_never_answers_holds_the_stop_no_longer_than_a_moment),
        cmocka_unit_test(how_a_run_ended_is_stored),
        cmocka_unit_test(a_letter_alone_ends_its_epoch_when_a_peer_waits),
        cmocka_unit_test(a_cut_without_a_record_makes_safe_what_a_source_knows),
        cmocka_unit_test(what_was_held_and_is_given_up_alone_is_a_letter_in_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
