/* test_rest.c - what a live source has taken in comes out before it rests: at a stop, at a
 * reload that begins it anew, and not for ever.
 *
 * The source takes in far more than one read may give, as one that reads a line does when it
 * was late, and says so by AFF_OK. It asks for the stop itself, so that nothing here depends
 * on when a thread runs. And a circle of commands, which has no end of its own, ends with the
 * data that came into it. */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "flow/lane.h"
#include "flow/reload.h"
#include "memkeep.h"
#include "parts.h"
#include "rig.h"

enum { TAKES = 1000 };

/* ---- a live source ---- */

enum when { NEVER, AT_STOP, AT_RELOAD };

struct line {
    struct flow *flow;
    enum when when;     /* what it waits for in its first read */
    uint64_t takes;     /* once; 0: nothing at all */
    bool is_endless;    /* there is always more */
    _Atomic bool begun;
    uint64_t given;
};

struct taker {
    const struct aff_host *host;
    struct line *line;
    uint64_t taken;
    uint32_t subject, stream, schema;
};

static const struct aff_port out_made[] = { { .name = "out", .types = AFF_MASK(AFF_BYTES) } };

static aff_status taker_open(const struct aff_host *host, const void *config, void **ret_self)
{
    static const struct aff_schema schema = { .struct_size = sizeof schema, .type = AFF_BYTES, .name = "line" };
    struct taker *t = host->alloc(host, sizeof *t);

    if (!t)
        return AFF_ERR_MEMORY;
    t->host = host;
    t->line = (struct line *)(uintptr_t)config;
    t->schema = host->schema(host, &schema);
    t->subject = host->subject(host, "nobody");
    t->stream = host->stream(host, t->subject, "line", t->schema);
    *ret_self = t;
    return AFF_OK;
}

static void taker_close(void *self)
{
    struct taker *t = self;

    t->host->free(t->host, t);
}

static void take_in(struct taker *t)
{
    t->taken = t->line->takes;
    atomic_store(&t->line->begun, true);
    if (t->line->when == AT_STOP)
        flow_drain(t->line->flow);
    while (t->line->when == AT_RELOAD && !atomic_load(&t->line->flow->pausing))
        sched_yield();
}

static aff_status taker_read(void *self, uint32_t want)
{
    struct taker *t = self;

    if (!atomic_load(&t->line->begun))
        take_in(t);
    for (; want > 0 && (t->line->given < t->taken || t->line->is_endless); want--) {
        struct aff_record *r = t->host->reserve(t->host, 0, AFF_NO_INPUT, sizeof t->line->given);

        if (!r)
            return AFF_ERR_MEMORY;
        memcpy(r->data, &t->line->given, sizeof t->line->given);
        r->subject = t->subject;
        r->stream = t->stream;
        r->schema = t->schema;
        if (t->host->emit(t->host, r, sizeof t->line->given) < 0)
            return AFF_ERR_BUG;
        t->line->given++;
    }
    return t->line->given < t->taken || t->line->is_endless ? AFF_OK : AFF_AGAIN;
}

static const struct aff_plugin taker = {
    .struct_size = sizeof(struct aff_plugin), .major = AFF_ABI_MAJOR, .kind = AFF_SOURCE, .name = "taker",
    .outputs = AFF_TABLE(out_made), .open = taker_open, .close = taker_close, .read = taker_read,
};

/* ---- a pipeline: taker -> sink ---- */

struct bench {
    struct rig rig;
    struct line line;
    struct part_sink sink;
    struct memkeep *keep;
};

static void rig_make(struct rig *r, struct memkeep *keep, struct line *line, struct part_sink *sink)
{
    rig_begin(r);
    r->plan.commit_records = 4096;
    if (keep) {
        r->plan.store_limit = 1u << 30;
        r->options.kept = memkeep_kept(keep);
    }
    rig_node(r, "taker", &taker, line);
    rig_node(r, "sink", &part_sink, sink);
    rig_edge(r, 0, 0, 1, 0);
    r->edges[0].when_full = keep ? WHEN_FULL_SPILL : WHEN_FULL_BLOCK;
    r->edges[0].priority = AFF_PRIO_VITALS; /* of alarms the newest comes first */
}

static void bench_open(struct bench *b, bool stores, enum when when)
{
    memset(b, 0, sizeof *b);
    b->keep = stores ? memkeep_open() : NULL;
    b->line = (struct line){ .when = when, .takes = TAKES };
    rig_make(&b->rig, b->keep, &b->line, &b->sink);
}

static void begin(struct bench *b)
{
    b->line.flow = rig_open(&b->rig, LAYOUT_NORMAL);
    assert_non_null(b->line.flow);
    if (b->keep)
        memkeep_begin(b->keep, b->line.flow, 0, false);
    assert_true(flow_start(b->line.flow));
}

static void end(struct bench *b, struct flow *flow)
{
    const char *why;

    flow_wait(flow, -1);
    if (b->keep)
        memkeep_end(b->keep);
    assert_int_equal(flow_failure(flow, &why), AFF_OK);
    assert_true(flow_balances(flow));
    flow_close(&flow);
}

/* Each is out, in its order, or waits in the store. */
static void judge(struct bench *b)
{
    uint64_t stored = b->keep ? memkeep_figures(b->keep).records : 0;

    assert_int_equal(b->sink.records + stored, b->line.given);
    assert_int_equal(b->sink.disorder, 0);
    if (b->keep)
        memkeep_close(&b->keep);
}

/* ---- tests ---- */

static void what_was_taken_in_before_a_stop_comes_out(void **state)
{
    struct bench b;
    int stores;

    (void)state;
    for (stores = 0; stores < 2; stores++) {
        bench_open(&b, stores, AT_STOP);
        begin(&b);
        end(&b, b.line.flow);
        assert_int_equal(b.line.given, TAKES);
        judge(&b);
    }
}

static void a_source_without_an_end_holds_up_no_stop(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b, true, AT_STOP);
    b.line.is_endless = true;
    begin(&b);
    end(&b, b.line.flow);
    assert_true(b.line.given >= TAKES);
    judge(&b);
}

static void what_was_taken_in_before_a_reload_begins_the_source_anew_comes_out(void **state)
{
    struct line after = { .takes = 0 };
    struct reload r = { .attach = memkeep_flow };
    struct difference *d;
    struct rig changed;
    struct bench b;

    (void)state;
    bench_open(&b, true, AT_RELOAD);
    rig_make(&changed, b.keep, &after, &b.sink);
    changed.nodes[0].options_hash = 2;
    plan_layout(&changed.plan, LAYOUT_NORMAL);
    begin(&b);
    while (!atomic_load(&b.line.begun))
        sched_yield();
    r.flow = b.line.flow;
    r.arg = b.keep;
    d = difference_new(&b.rig.plan, &changed.plan);
    assert_non_null(d);
    r.difference = d;
    r.plan = &changed.plan;
    assert_int_equal(reload_open(&r), AFF_OK);
    assert_true(reload_swap(&r));
    assert_int_equal(b.line.given, TAKES);
    flow_drain(r.flow);
    end(&b, r.flow);
    assert_int_equal(b.sink.records, TAKES);
    judge(&b);
    difference_free(&d);
}

/* ---- a circle ---- */

enum { NUMBERS = 3500, EVERY = 7, COMMANDS = NUMBERS / EVERY };

/* Passes its data; what comes back to it is counted. */
struct ward {
    struct part_source source;
    struct part_orders orders;
    struct part_sink sink;
    struct memkeep *keep;
    struct rig rig;
    uint32_t told, kinds, invented;
    bool is_told[COMMANDS];
};

static const struct aff_port ward_in[] = {
    { .name = "in", .types = AFF_MASK(AFF_BYTES) },
    { .name = "commands", .types = AFF_MASK(AFF_BYTES), .flags = AFF_PORT_COMMANDS | AFF_PORT_OPTIONAL },
};
static const struct aff_port ward_out[] = { { .name = "out", .types = AFF_MASK(AFF_BYTES), .passes = AFF_PASSES(0) } };
static const struct aff_verdict ward_verdicts[] = { { .name = "told", .kind = AFF_V_USED } };

static aff_status ward_open(const struct aff_host *host, const void *config, void **ret_self)
{
    (void)host;
    *ret_self = *(struct ward *const *)config;
    return AFF_OK;
}

static aff_status ward_process(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    struct ward *w = self;
    uint64_t number;
    uint32_t i;

    for (i = 0; batch->port == 1 && i < batch->count; i++) {
        memcpy(&number, batch->records[i].data, sizeof number);
        w->told++;
        w->invented += number >= NUMBERS || number % EVERY != 0;
        w->kinds += number < NUMBERS && !w->is_told[number / EVERY];
        w->is_told[number < NUMBERS ? number / EVERY : 0] = true;
        batch->verdicts[i] = 1;
    }
    *ret_taken = batch->count;
    return AFF_OK;
}

static const struct aff_plugin ward_part = {
    .struct_size = sizeof(struct aff_plugin), .major = AFF_ABI_MAJOR, .kind = AFF_PROCESSOR, .name = "ward",
    .config_size = sizeof(struct ward *), .inputs = AFF_TABLE(ward_in), .outputs = AFF_TABLE(ward_out),
    .verdicts = AFF_TABLE(ward_verdicts), .open = ward_open, .process = ward_process,
};

static void ward_make(struct ward *w, struct ward **self, bool stores)
{
    uint32_t s, n, o, sink;

    memset(w, 0, sizeof *w);
    w->source = (struct part_source){ .records = NUMBERS, .size = 32, .streams = 4, .ends = 1 };
    w->orders.every = EVERY;
    rig_begin(&w->rig);
    w->rig.plan.commit_records = 64;
    w->rig.plan.commit_every_ns = 3000000;
    if (stores) {
        w->keep = memkeep_open();
        w->rig.plan.store_limit = 1u << 30;
        w->rig.options.kept = memkeep_kept(w->keep);
    }
    s = rig_node(&w->rig, "source", &part_source, &w->source);
    n = rig_node(&w->rig, "ward", &ward_part, self);
    o = rig_node(&w->rig, "orders", &part_orders, &w->orders);
    sink = rig_node(&w->rig, "sink", &part_sink, &w->sink);
    rig_edge(&w->rig, s, 0, n, 0);
    rig_edge(&w->rig, n, 0, o, 0);
    rig_edge(&w->rig, o, 0, sink, 0);
    rig_edge(&w->rig, o, 1, n, 1);
    w->rig.edges[0].when_full = w->rig.edges[3].when_full = stores ? WHEN_FULL_SPILL : WHEN_FULL_DROP_OLDEST;
}

/* True: it came to its end, which is never late, and balances. */
static bool ward_live(struct ward *w, enum layout_mode mode, uint64_t dies_at)
{
    struct flow *flow = rig_open(&w->rig, mode);
    const char *why;
    bool died = false;

    assert_non_null(flow);
    assert_true(w->rig.edges[3].closes && !w->rig.edges[0].closes && !w->rig.edges[1].closes);
    if (w->keep)
        memkeep_begin(w->keep, flow, dies_at, dies_at % 2);
    assert_true(flow_start(flow));
    assert_true(flow_wait(flow, 300000000000));
    if (w->keep) {
        memkeep_end(w->keep);
        died = memkeep_died(w->keep) && !memkeep_finished(w->keep);
    }
    assert_int_equal(flow_failure(flow, &why), AFF_OK);
    assert_false(flow_unbalanced(flow));
    assert_true(died || flow_balances(flow));
    flow_close(&flow);
    return !died;
}

static void a_circle_of_commands_through_a_processor_ends_with_its_data(void **state)
{
    struct ward w, *self = &w;
    int turn;

    (void)state;
    for (turn = 0; turn < 4; turn++) {
        enum layout_mode mode = turn / 2 ? LAYOUT_THREAD_PER_NODE : LAYOUT_NORMAL;

        ward_make(&w, &self, turn % 2);
        assert_true(ward_live(&w, mode, 0));
        assert_int_equal(w.invented, 0);
        if (w.keep) {
            assert_int_equal(w.sink.records, NUMBERS);
            assert_int_equal(w.told + memkeep_figures(w.keep).records, COMMANDS);
            /* What came when its reader had ended is told in the next life, in which the source begins anew. */
            assert_true(ward_live(&w, mode, 0));
            assert_int_equal(w.kinds, COMMANDS);
            assert_int_equal(w.told + memkeep_figures(w.keep).records, 2 * COMMANDS);
            memkeep_close(&w.keep);
        }
    }
}

static void after_any_death_a_circle_goes_on_and_ends_and_no_command_is_lost(void **state)
{
    struct ward w, *self = &w;
    uint64_t at, deaths, all = 0;

    (void)state;
    for (at = 1; at <= 12; at++) {
        ward_make(&w, &self, true);
        for (deaths = 0; deaths < 4 && !ward_live(&w, at % 2 ? LAYOUT_NORMAL : LAYOUT_THREAD_PER_NODE, at + deaths); deaths++)
            all++;
        assert_true(deaths < 4 || ward_live(&w, LAYOUT_NORMAL, 0));
        assert_true(w.sink.records >= NUMBERS);
        assert_true(w.kinds + memkeep_figures(w.keep).records >= COMMANDS);
        assert_int_equal(w.invented, 0);
        memkeep_close(&w.keep);
    }
    assert_true(all > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_taken_in_before_a_stop_comes_out),
        cmocka_unit_test(a_source_without_an_end_holds_up_no_stop),
        cmocka_unit_test(what_was_taken_in_before_a_reload_begins_the_source_anew_comes_out),
        cmocka_unit_test(a_circle_of_commands_through_a_processor_ends_with_its_data),
        cmocka_unit_test(after_any_death_a_circle_goes_on_and_ends_and_no_command_is_lost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
