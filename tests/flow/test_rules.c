/* test_rules.c - what nodes must not do, sizes that hardly fit, and ends.
 *
 * Each test was a hang, a crash or a lie in the books before. Waits are bounded:
 * a run that does not end fails. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "flow/names.h"
#include "parts.h"
#include "rig.h"

#define SECONDS 1000000000

/* ---- a processor that does one odd thing at the record of seq 5 ---- */

enum odd {
    RESERVE_OUTSIDE,
    RESERVE_BACKWARDS,
    STATUS_FOR_NONE,
    HOLD_ALONE,
    LARGE_IN_DRAIN,
    EMIT_RELEASE_FAIL,
    EMIT_FOR_EVER
};
struct odd_config {
    enum odd what;
    uint32_t times;
};
struct odd_self {
    const struct aff_host *host;
    struct odd_config *config;
    const struct aff_record *held;
};

static const struct aff_port odd_in[] = { { .name = "in", .types = AFF_MASK(AFF_BYTES) } };
static const struct aff_port odd_in_edits[] = { { .name = "in", .types = AFF_MASK(AFF_BYTES), .flags = AFF_PORT_EDITS } };
static const struct aff_port odd_out[] = { { .name = "out", .types = AFF_MASK(AFF_BYTES), .passes = AFF_PASSES(0) },
                                           { .name = "made", .types = AFF_MASK(AFF_BYTES) } };
static const struct aff_verdict odd_verdicts[] = { { .name = "held", .kind = AFF_V_HOLD } };

static aff_status odd_open(const struct aff_host *host, const void *config, void **ret_self)
{
    struct odd_self *s = host->alloc(host, sizeof *s);

    if (!s)
        return AFF_ERR_MEMORY;
    s->host = host;
    s->config = (struct odd_config *)(uintptr_t)config;
    *ret_self = s;
    return AFF_OK;
}

static void odd_close(void *self)
{
    struct odd_self *s = self;

    s->host->free(s->host, s);
}

static aff_status make(struct odd_self *s, uint32_t input, uint64_t seq)
{
    struct aff_record *r = s->host->reserve(s->host, 1, input, 16);

    if (!r)
        return AFF_ERR_MEMORY;
    memset(r->data, 0, 16);
    memcpy(r->data, &seq, sizeof seq);
    return s->host->emit(s->host, r, 16);
}

static aff_status emit_release_fail(struct odd_self *s, const struct aff_batch *batch, uint32_t i)
{
    aff_status st;

    if (!s->held) {
        s->held = s->host->hold(s->host, &batch->records[i]);
        batch->verdicts[i] = 1;
        return s->held ? AFF_OK : AFF_ERR_MEMORY;
    }
    st = make(s, i, 1000);
    if (st == AFF_OK && s->config->times > 0) {
        st = s->host->release(s->host, s->held, 0);
        s->config->times--;
        return st < 0 ? st : AFF_ERR_IO;
    }
    return st;
}

static aff_status odd_one(struct odd_self *s, const struct aff_batch *batch, uint32_t i, uint64_t seq)
{
    aff_status st = AFF_OK;
    uint64_t k;

    switch (s->config->what) {
    case RESERVE_OUTSIDE:
        return seq == 5 ? make(s, batch->count + 6, seq) : AFF_OK;
    case RESERVE_BACKWARDS:
        return seq == 5 ? (make(s, i, 1), make(s, 2, 1)) : AFF_OK;
    case HOLD_ALONE:
        return seq == 5 && !s->host->hold(s->host, &batch->records[i]) ? AFF_ERR_MEMORY : AFF_OK;
    case EMIT_RELEASE_FAIL:
        return seq == 3 || seq == 5 ? emit_release_fail(s, batch, i) : AFF_OK;
    case EMIT_FOR_EVER:
        for (k = 0; seq == 5 && st == AFF_OK && k < 5000; k++)
            st = make(s, i, 1000);
        return st;
    default:
        return AFF_OK;
    }
}

static aff_status odd_process(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    struct odd_self *s = self;
    uint64_t seq;
    uint32_t i;

    for (i = 0; i < batch->count; i++) {
        memcpy(&seq, batch->records[i].data, sizeof seq);
        aff_status st = odd_one(s, batch, i, seq);

        if (st != AFF_OK) {
            *ret_taken = i;
            return st;
        }
    }
    if (s->config->what == STATUS_FOR_NONE) {
        *ret_taken = batch->count;
        return AFF_ERR_DATA;
    }
    return AFF_OK;
}

static aff_status odd_drain(void *self)
{
    struct odd_self *s = self;

    if (s->config->what == LARGE_IN_DRAIN && !s->host->reserve(s->host, 1, AFF_NO_INPUT, 1u << 20))
        return AFF_ERR_MEMORY;
    return AFF_OK;
}

static const struct aff_plugin odd = {
    .struct_size = sizeof odd, .major = AFF_ABI_MAJOR, .kind = AFF_PROCESSOR, .name = "odd",
    .inputs = AFF_TABLE(odd_in), .outputs = AFF_TABLE(odd_out), .verdicts = AFF_TABLE(odd_verdicts),
    .open = odd_open, .close = odd_close, .process = odd_process, .drain = odd_drain,
};

/* ---- other parts ---- */

static aff_status silent_read(void *self, uint32_t want)
{
    (void)self;
    (void)want;
    return AFF_AGAIN;
}

static const struct aff_plugin silent = {
    .struct_size = sizeof silent, .major = AFF_ABI_MAJOR, .kind = AFF_SOURCE, .name = "silent",
    .outputs = { odd_in, 1, sizeof odd_in[0] }, .read = silent_read,
};

/* A sink that is not done with its epoch when it is first asked. */
struct late {
    uint32_t asked;
};

static aff_status late_open(const struct aff_host *host, const void *config, void **ret_self)
{
    (void)host;
    *ret_self = (void *)(uintptr_t)config;
    return AFF_OK;
}

static aff_status late_write(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    (void)self;
    (void)batch;
    (void)ret_taken;
    return AFF_OK;
}

static aff_status late_sync(void *self, uint64_t epoch)
{
    (void)epoch;
    return ((struct late *)self)->asked++ < 3 ? AFF_AGAIN : AFF_OK;
}

static const struct aff_plugin late = {
    .struct_size = sizeof late, .major = AFF_ABI_MAJOR, .kind = AFF_SINK, .name = "late",
    .inputs = AFF_TABLE(odd_in), .open = late_open, .write = late_write, .sync = late_sync,
};

/* ---- running ---- */

struct run {
    struct rig rig;
    struct part_source source;
    struct part_sink sinks[2];
    struct odd_config odd;
    struct part_judge judge;
    struct part_edit edit;
};

static struct run *run_new(uint64_t records, uint32_t size)
{
    struct run *run = calloc(1, sizeof *run);

    assert_non_null(run);
    rig_begin(&run->rig);
    run->rig.options.virtual_clock = true;
    run->source = (struct part_source){ records, size, 1, 0, 1, 0 };
    return run;
}

/* Starts it and waits; a run that does not end is a failure. */
static struct flow *run_go(struct run *run)
{
    struct flow *flow = rig_open(&run->rig, LAYOUT_NORMAL);
    bool ended;

    assert_non_null(flow);
    assert_true(flow_start(flow));
    ended = flow_wait(flow, 10LL * SECONDS);
    if (!ended) {
        flow_abort(flow);
        flow_close(&flow);
    }
    assert_true(ended);
    return flow;
}

static struct run *odd_new(const struct aff_plugin *about, enum odd what)
{
    struct run *run = run_new(200, 64);
    struct rig *r = &run->rig;
    uint32_t source = rig_node(r, "source", &part_source, &run->source), node;

    run->odd = (struct odd_config){ what, 1 };
    node = rig_node(r, "odd", about, &run->odd);
    rig_edge(r, source, 0, node, 0);
    rig_edge(r, node, 0, rig_node(r, "sink", &part_sink, &run->sinks[0]), 0);
    rig_edge(r, node, 1, rig_node(r, "made", &part_sink, &run->sinks[1]), 0);
    return run;
}

static void expect_end(enum odd what, aff_status status)
{
    struct run *run = odd_new(&odd, what);
    struct flow *flow = run_go(run);
    const char *why;

    assert_int_equal(flow_failure(flow, &why), status);
    assert_non_null(strstr(why, "[odd]"));
    flow_close(&flow);
    free(run);
}

static void what_a_node_must_never_do_ends_the_run_and_names_it(void **state)
{
    (void)state;
    expect_end(RESERVE_OUTSIDE, AFF_ERR_BUG);
    expect_end(RESERVE_BACKWARDS, AFF_ERR_BUG);
    expect_end(STATUS_FOR_NONE, AFF_ERR_BUG);
    expect_end(HOLD_ALONE, AFF_ERR_BUG);
}

static void a_record_too_large_in_drain_ends_the_run_instead_of_waiting_for_ever(void **state)
{
    (void)state;
    expect_end(LARGE_IN_DRAIN, AFF_ERR_CONFIG);
}

static void an_emit_for_an_input_not_taken_is_withdrawn_also_before_a_release(void **state)
{
    struct run *run = odd_new(&odd, EMIT_RELEASE_FAIL);
    struct flow *flow = run_go(run);

    (void)state;
    assert_true(flow_balances(flow));
    flow_close(&flow);
    assert_int_equal(run->sinks[0].records, 200);
    assert_int_equal(run->sinks[1].records, 1);
    free(run);
}

static void emits_that_copies_leave_no_room_for_become_a_dead_letter_and_no_hang(void **state)
{
    struct aff_plugin edits = odd;
    struct part_sink other = { 0 };
    struct flow_node node;
    struct run *run;
    struct flow *flow;

    (void)state;
    edits.inputs = (struct aff_table)AFF_TABLE(odd_in_edits);
    run = odd_new(&edits, EMIT_FOR_EVER);
    rig_edge(&run->rig, 0, 0, rig_node(&run->rig, "other", &part_sink, &other), 0);
    for (uint32_t i = 0; i < 4; i++)
        run->rig.edges[i].buffer = 16384;
    flow = run_go(run);
    flow_node(flow, 1, &node);
    assert_int_equal(node.account.dead, 1);
    assert_true(flow_balances(flow));
    flow_close(&flow);
    assert_int_equal(run->sinks[0].records, 199);
    assert_int_equal(other.records, 200);
    free(run);
}

static uint8_t hold_all(uint64_t seq)
{
    (void)seq;
    return JUDGE_HOLD;
}

static void a_held_record_larger_than_its_readers_buffer_is_let_go(void **state)
{
    struct run *run = run_new(40, 200 * 1024);
    struct rig *r = &run->rig;
    uint32_t source = rig_node(r, "source", &part_source, &run->source), node;
    struct flow *flow;

    (void)state;
    run->judge = (struct part_judge){ .judge = hold_all, .keep = 3 };
    node = rig_node(r, "judge", &part_judge, &run->judge);
    rig_edge(r, source, 0, node, 0);
    rig_edge(r, node, 0, rig_node(r, "sink", &part_sink_blocking, &run->sinks[0]), 0);
    r->edges[0].buffer = 1u << 20;
    r->edges[1].buffer = 4096;
    flow = run_go(run);
    flow_close(&flow);
    assert_int_equal(run->sinks[0].records, 40);
    assert_int_equal(run->sinks[0].damaged, 0);
    free(run);
}

static void a_copied_record_larger_than_its_editors_buffer_is_copied(void **state)
{
    struct run *run = run_new(40, 200 * 1024);
    struct rig *r = &run->rig;
    uint32_t source = rig_node(r, "source", &part_source, &run->source);
    uint32_t pass = rig_node(r, "pass", &part_pass, NULL), node = rig_node(r, "edit", &part_edit, &run->edit);
    struct flow *flow;

    (void)state;
    rig_edge(r, source, 0, pass, 0);
    rig_edge(r, pass, 0, node, 0);
    rig_edge(r, pass, 0, rig_node(r, "other", &part_sink, &run->sinks[1]), 0);
    rig_edge(r, node, 0, rig_node(r, "sink", &part_sink, &run->sinks[0]), 0);
    r->edges[0].buffer = 1u << 20;
    r->edges[1].buffer = r->edges[2].buffer = r->edges[3].buffer = 4096;
    flow = run_go(run);
    flow_close(&flow);
    assert_int_equal(run->sinks[0].records, 40);
    assert_int_equal(run->sinks[0].damaged + run->sinks[1].damaged, 0);
    free(run);
}

static void what_a_source_made_last_is_committed_while_another_is_silent(void **state)
{
    struct run *run = run_new(100, 64);
    struct rig *r = &run->rig;
    uint32_t source = rig_node(r, "source", &part_source, &run->source), i;
    uint32_t other = rig_node(r, "silent", &silent, NULL), join = rig_node(r, "join", &part_join, NULL);
    struct flow *flow;

    (void)state;
    r->options.virtual_clock = false;
    rig_edge(r, source, 0, join, 0);
    rig_edge(r, other, 0, join, 1);
    rig_edge(r, join, 0, rig_node(r, "sink", &part_sink, &run->sinks[0]), 0);
    flow = rig_open(r, LAYOUT_NORMAL);
    assert_non_null(flow);
    assert_true(flow_start(flow));
    for (i = 0; i < 300 && flow_committed(flow) == 0; i++)
        assert_false(flow_wait(flow, SECONDS / 100));
    assert_int_not_equal(flow_committed(flow), 0);
    flow_drain(flow);
    assert_true(flow_wait(flow, 10LL * SECONDS));
    assert_true(flow_balances(flow));
    flow_close(&flow);
    assert_int_equal(run->sinks[0].records_at_sync, 100);
    free(run);
}

static void a_sink_that_is_not_done_yet_is_asked_again(void **state)
{
    struct run *run = run_new(10, 64);
    struct late sink = { 0 };
    struct flow *flow;

    (void)state;
    rig_edge(&run->rig, rig_node(&run->rig, "source", &part_source, &run->source), 0,
             rig_node(&run->rig, "late", &late, &sink), 0);
    flow = run_go(run);
    flow_close(&flow);
    assert_int_equal(sink.asked, 4);
    free(run);
}

/* As where orders to a device come from a node behind it in the plan. */
static void a_node_may_stand_before_one_that_feeds_it(void **state)
{
    struct part_source one = { .records = 1000, .size = 16, .streams = 1, .ends = 1 }, other = one;
    struct part_sink sink = { 0 };
    uint32_t join;
    struct rig rig;
    struct flow *flow;

    (void)state;
    rig_begin(&rig);
    rig_node(&rig, "one", &part_source, &one);
    join = rig_node(&rig, "join", &part_join, NULL);
    rig_edge(&rig, 0, 0, join, 0);
    rig_edge(&rig, join, 0, rig_node(&rig, "sink", &part_sink, &sink), 0);
    rig_edge(&rig, rig_node(&rig, "other", &part_source, &other), 0, join, 1);
    flow = rig_open(&rig, LAYOUT_NORMAL);
    assert_non_null(flow);
    assert_true(flow_start(flow));
    assert_true(flow_wait(flow, 20 * (int64_t)SECONDS));
    assert_int_equal(sink.records, 2000);
    assert_true(flow_balances(flow));
    flow_close(&flow);
}

/* ---- names ---- */

#define SOURCE(n) ((struct names_by){ .node = (n), .is_source = true })
#define PROCESSOR(n) ((struct names_by){ .node = (n) })

static void a_subject_that_comes_back_is_a_new_one_before_and_after_the_commit(void **state)
{
    struct names *n = names_open();
    uint32_t a = names_subject(n, "x", SOURCE(0)), s = names_stream(n, a, "ecg", 1, SOURCE(0)), b, t;

    (void)state;
    names_end(n, s, 0, 3);
    b = names_subject(n, "x", SOURCE(0));
    assert_int_not_equal(a, b);
    names_commit(n, 10);
    assert_null(names_subject_name(n, a));
    t = names_stream(n, b, "ecg", 1, SOURCE(0));
    assert_int_not_equal(t, 0);
    assert_string_equal(names_stream_info(n, t)->subject_name, "x");
    names_close(&n);
}

static void a_subject_stays_while_a_source_is_about_to_write_or_a_record_of_it_is_held(void **state)
{
    struct names *n = names_open();
    uint32_t a = names_subject(n, "x", SOURCE(0)), s = names_stream(n, a, "ecg", 1, SOURCE(0));

    (void)state;
    assert_int_equal(names_subject(n, "x", SOURCE(1)), a);
    names_end(n, s, 0, 0);
    names_commit(n, 1);
    assert_int_equal(names_stream(n, a, "ecg", 1, SOURCE(1)), s);
    names_hold(n, s);
    names_end(n, s, 1, 1);
    names_commit(n, 5);
    assert_non_null(names_stream_info(n, s));
    names_unhold(n, s, 7);
    names_commit(n, 7);
    assert_non_null(names_stream_info(n, s));
    names_commit(n, 8);
    assert_null(names_stream_info(n, s));
    names_close(&n);
}

static void ten_thousand_subjects_one_after_another_take_no_new_numbers(void **state)
{
    struct names *n = names_open();
    uint32_t i, a, s, highest = 0;
    char name[16];

    (void)state;
    for (i = 0; i < 10000; i++) {
        snprintf(name, sizeof name, "p%u", i);
        a = names_subject(n, name, SOURCE(0));
        s = names_stream(n, a, "ecg", 1, SOURCE(0));
        assert_true(a > 0 && s > 0);
        highest = a > highest ? a : highest;
        names_end(n, s, 0, i);
        names_commit(n, i);
    }
    assert_in_range(highest, 1, 3);
    assert_int_equal(names_streams(n), 1);
    names_close(&n);
}

static void subjects_that_a_processor_made_are_let_go_when_it_ended_their_streams(void **state)
{
    struct names *n = names_open();
    uint32_t i, a, s, t, highest = 0;
    char name[16];

    (void)state;
    for (i = 0; i < 10000; i++) {
        snprintf(name, sizeof name, "p%u", i);
        a = names_subject(n, name, PROCESSOR(2));
        s = names_stream(n, a, "rows", 1, PROCESSOR(2));
        t = names_stream(n, a, "rows/latest", 1, PROCESSOR(3));
        assert_true(a > 0 && s > 0 && t > 0);
        highest = a > highest ? a : highest;
        names_end(n, s, 2, i);
        names_commit(n, i + 1);
        assert_non_null(names_stream_info(n, t)); /* one of them is not over */
        names_end(n, t, 3, i);
        names_commit(n, i + 1);
        assert_null(names_stream_info(n, t));
    }
    assert_in_range(highest, 1, 3);
    assert_int_equal(names_streams(n), 0);
    names_close(&n);
}

static void streams_derived_of_a_sources_subject_go_with_the_sources(void **state)
{
    struct names *n = names_open();
    uint32_t a = names_subject(n, "x", SOURCE(0)), s = names_stream(n, a, "ecg", 1, SOURCE(0)), t;

    (void)state;
    assert_int_equal(names_subject(n, "x", PROCESSOR(1)), a);
    t = names_stream(n, a, "ecg/beats", 1, PROCESSOR(1));
    names_end(n, s, 0, 4);
    names_commit(n, 5);
    assert_null(names_stream_info(n, s));
    assert_null(names_stream_info(n, t));
    names_close(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_node_must_never_do_ends_the_run_and_names_it),
        cmocka_unit_test(a_record_too_large_in_drain_ends_the_run_instead_of_waiting_for_ever),
        cmocka_unit_test(an_emit_for_an_input_not_taken_is_withdrawn_also_before_a_release),
        cmocka_unit_test(emits_that_copies_leave_no_room_for_become_a_dead_letter_and_no_hang),
        cmocka_unit_test(a_held_record_larger_than_its_readers_buffer_is_let_go),
        cmocka_unit_test(a_copied_record_larger_than_its_editors_buffer_is_copied),
        cmocka_unit_test(what_a_source_made_last_is_committed_while_another_is_silent),
        cmocka_unit_test(a_sink_that_is_not_done_yet_is_asked_again),
        cmocka_unit_test(a_subject_that_comes_back_is_a_new_one_before_and_after_the_commit),
        cmocka_unit_test(a_subject_stays_while_a_source_is_about_to_write_or_a_record_of_it_is_held),
        cmocka_unit_test(a_node_may_stand_before_one_that_feeds_it),
        cmocka_unit_test(subjects_that_a_processor_made_are_let_go_when_it_ended_their_streams),
        cmocka_unit_test(streams_derived_of_a_sources_subject_go_with_the_sources),
        cmocka_unit_test(ten_thousand_subjects_one_after_another_take_no_new_numbers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
