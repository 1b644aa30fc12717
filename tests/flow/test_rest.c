/* test_rest.c - what a live source has taken in comes out before it rests: at a stop, at a
 * reload that begins it anew, and not for ever.
 *
 * The source takes in far more than one read may give, as one that reads a line does when it
 * was late, and says so by AFF_OK. It asks for the stop itself, so that nothing here depends
 * on when a thread runs. */
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_taken_in_before_a_stop_comes_out),
        cmocka_unit_test(a_source_without_an_end_holds_up_no_stop),
        cmocka_unit_test(what_was_taken_in_before_a_reload_begins_the_source_anew_comes_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
