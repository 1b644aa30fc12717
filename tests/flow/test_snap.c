/* test_snap.c - what a node keeps, as bytes and back.
 *
 * Nodes of rigs that are open and do not run: their parts are filled as a plugin
 * would, written, and read into the same node of a rig opened anew. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "flow/lane.h"
#include "flow/names_inside.h"
#include "flow/snap.h"
#include "flow/snap_inside.h"
#include "parts.h"
#include "rig.h"

enum { MUTATIONS = 10000, STATE_BYTES = 40, OPTIONS = 77 };

/* ---- a processor that keeps all there is to keep ---- */

struct keeper_config {
    size_t state_bytes;
    aff_status says;  /* by snapshot */
    aff_status takes; /* by restore */
    int more;         /* snapshot asks for one byte more each time */
};
struct keeper {
    const struct aff_host *host;
    const struct keeper_config *config;
    uint8_t bytes[600];
    size_t size;
    int misaligned;
};

static aff_status keeper_open(const struct aff_host *host, const void *config, void **ret_self)
{
    struct keeper *k = host->alloc(host, sizeof *k);

    if (!k)
        return AFF_ERR_MEMORY;
    k->host = host;
    k->config = config;
    *ret_self = k;
    return k->config->state_bytes ? host->state_open(host, k->config->state_bytes, 0) : AFF_OK;
}

static void keeper_close(void *self)
{
    struct keeper *k = self;

    k->host->free(k->host, k);
}

static aff_status keeper_process(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    (void)self;
    (void)batch;
    (void)ret_taken;
    return AFF_OK;
}

static aff_status keeper_timer(void *self, uint32_t subject, int64_t due_ns)
{
    (void)self;
    (void)subject;
    (void)due_ns;
    return AFF_OK;
}

static aff_status keeper_snapshot(void *self, void *buffer, size_t room, size_t *ret_size)
{
    struct keeper *k = self;

    k->misaligned |= (uintptr_t)buffer % 16 != 0;
    *ret_size = k->config->more ? room + 1u : k->size;
    if (*ret_size <= room)
        memcpy(buffer, k->bytes, k->size);
    return k->config->says;
}

static aff_status keeper_restore(void *self, const void *buffer, size_t size)
{
    struct keeper *k = self;

    k->misaligned |= (uintptr_t)buffer % 16 != 0;
    if (size > sizeof k->bytes)
        return k->host->explain(k->host, AFF_ERR_DATA, "more than it ever wrote");
    if (k->config->takes < 0)
        return k->host->explain(k->host, k->config->takes, "its words");
    memcpy(k->bytes, buffer, size);
    k->size = size;
    return AFF_OK;
}

static const struct aff_port keeper_ins[] = { { .name = "in", .types = AFF_MASK(AFF_BYTES) },
                                              { .name = "too", .types = AFF_MASK(AFF_BYTES), .flags = AFF_PORT_OPTIONAL } };
static const struct aff_port keeper_outs[] = { { .name = "out", .types = AFF_MASK(AFF_BYTES), .passes = AFF_PASSES(0) } };
static const struct aff_verdict keeper_verdicts[] = { { "held", "", AFF_V_HOLD, 0, 0 }, { "done", "", AFF_V_USED, 0, 0 } };
static const struct aff_plugin keeper = {
    .struct_size = sizeof keeper, .major = 1, .kind = AFF_PROCESSOR, .name = "keeper", .version = "1",
    .inputs = AFF_TABLE(keeper_ins), .outputs = AFF_TABLE(keeper_outs), .verdicts = AFF_TABLE(keeper_verdicts),
    .open = keeper_open, .close = keeper_close, .process = keeper_process, .timer = keeper_timer,
    .snapshot = keeper_snapshot, .restore = keeper_restore,
};

/* ---- a bench: two rigs, one after another ---- */

struct bench {
    struct rig rig;
    struct keeper_config config;
    struct part_source source;
    struct part_sink sink;
    struct flow *flow;
    struct node *node;   /* the keeper */
    struct node *origin; /* the source */
    uint32_t schema;
};

static void bench_open(struct bench *b)
{
    uint32_t source, kept, sink;

    if (b->source.streams == 0)
        b->source = (struct part_source){ .records = 1, .size = 16, .streams = 1 };
    rig_begin(&b->rig);
    b->rig.options.virtual_clock = true;
    source = rig_node(&b->rig, "source", &part_source, &b->source);
    kept = rig_node(&b->rig, "kept", &keeper, &b->config);
    b->rig.nodes[kept].options_hash = OPTIONS;
    sink = rig_node(&b->rig, "sink", &part_sink, &b->sink);
    rig_edge(&b->rig, source, 0, kept, 0);
    rig_edge(&b->rig, kept, 0, sink, 0);
    b->flow = rig_open(&b->rig, LAYOUT_NORMAL);
    assert_non_null(b->flow);
    b->node = &b->flow->nodes[kept];
    b->origin = &b->flow->nodes[source];
}

static struct keeper *self_of(struct bench *b)
{
    return b->node->self;
}

static void bench_close(struct bench *b)
{
    hold_reset(b->node);
    flow_abort(b->flow);
    flow_close(&b->flow);
}

static uint32_t stream_of(struct bench *b, const char *subject, const char *name)
{
    static const struct aff_schema schema = { .struct_size = sizeof schema, .type = AFF_BYTES, .name = "x" };
    struct names_by by = { .node = 0, .is_source = true };

    b->schema = names_schema(b->flow->names, &schema);
    return names_stream(b->flow->names, names_subject(b->flow->names, subject, by), name, b->schema, by);
}

static const struct aff_record *hold(struct bench *b, uint32_t stream, uint32_t port, const char *text)
{
    struct aff_record r = { .id = { 5, (uint64_t)text[0] }, .event_ns = 100, .seen_ns = 200,
                            .data = (void *)(uintptr_t)text, .size = (uint32_t)strlen(text), .schema = b->schema,
                            .type = AFF_BYTES, .clock = AFF_CLOCK_RECORDED, .stream = stream };
    const struct aff_record *held;

    r.subject = names_stream_info(b->flow->names, stream)->subject;
    b->node->hand.port = port;
    held = hold_take(b->node, &r);
    b->node->hold.pending = 0;
    return held;
}

static void expect_held(struct bench *b, const char *letters)
{
    uint32_t i;

    for (i = 0; letters[i]; i++) {
        const struct aff_record *r = hold_at(b->node, i);

        assert_non_null(r);
        assert_int_equal(*(const char *)r->data, letters[i]);
        assert_int_equal(r->id.seq, letters[i]);
    }
    assert_null(hold_at(b->node, i));
    assert_int_equal(b->node->hold.count, i);
}

/* Two streams of two subjects, with state, timers and held records. */
static void fill(struct bench *b)
{
    uint32_t ada = stream_of(b, "Ada", "ecg"), bea = stream_of(b, "Bea", "ecg");

    memset(state_get(b->node, ada), 7, STATE_BYTES);
    state_get(b->node, bea);
    strcpy((char *)self_of(b)->bytes, "position");
    self_of(b)->size = 9;
    timers_set(b->node, names_stream_info(b->flow->names, bea)->subject, 5000);
    b->node->ids.loose = 44;
    hold(b, ada, 0, "a first");
    hold(b, bea, 1, "b second");
    hold(b, ada, 0, "c third");
}

static void take(struct bench *b, struct wire *snap, struct wire *names)
{
    const char *const nodes[] = { "source", "kept", "sink" };
    uint64_t below = 1;
    struct wire_group group = { nodes, 3, &below, 1 };

    wire_clear(snap);
    assert_int_equal(snap_write(b->node, snap), AFF_OK);
    wire_clear(names);
    wire_names(names, b->flow->names, &group);
    assert_false(snap->failed || names->failed);
}

/* A rig opened anew with the stored names, before anything else is. */
static void again(struct bench *b, const struct wire *names)
{
    const char *const nodes[] = { "source", "kept", "sink" };

    bench_open(b);
    names_clear(b->flow->names);
    assert_true(wire_names_read(names->bytes, names->size, b->flow->names, nodes, 3));
    stream_of(b, "Ada", "ecg");
}

static aff_status put_back(struct bench *b, const struct wire *snap, char *why, size_t room)
{
    uint8_t *bytes = malloc(snap->size);
    aff_status st;

    assert_non_null(bytes);
    memcpy(bytes, snap->bytes, snap->size);
    st = snap_read(b->node, bytes, snap->size, why, room);
    free(bytes); /* nothing of it is kept by address */
    return st;
}

static void expect_fresh(struct bench *b)
{
    static const uint8_t zeros[STATE_BYTES];
    uint32_t ada = stream_of(b, "Ada", "ecg");

    expect_held(b, "");
    if (b->node->state.base)
        assert_memory_equal(state_get(b->node, ada), zeros, b->node->state.asked);
    assert_true(timers_next(b->node) == INT64_MAX);
    assert_int_equal(b->node->timers.used, 0);
    assert_int_equal(b->node->ids.loose, 0);
    assert_false(b->node->over);
    assert_int_equal(b->flow->names->subjects[1].held, 0);
}

/* Fills one, closes it, and opens the next. */
static void cross(struct bench *b, struct wire *snap, struct wire *names)
{
    bench_open(b);
    fill(b);
    take(b, snap, names);
    bench_close(b);
}

/* ---- what comes back ---- */

static void all_that_a_node_keeps_comes_back(void **state)
{
    struct bench b = { .config = { .state_bytes = STATE_BYTES } };
    struct wire snap = { 0 }, names = { 0 };
    uint8_t sevens[STATE_BYTES];
    char why[200] = "";
    uint32_t ada;

    (void)state;
    cross(&b, &snap, &names);
    again(&b, &names);
    assert_int_equal(put_back(&b, &snap, why, sizeof why), AFF_OK);
    ada = stream_of(&b, "Ada", "ecg");
    memset(sevens, 7, sizeof sevens);
    assert_memory_equal(state_get(b.node, ada), sevens, STATE_BYTES);
    expect_held(&b, "abc");
    assert_int_equal(hold_at(b.node, 0)->stream, ada);
    assert_int_equal(hold_at(b.node, 1)->event_ns, 100);
    assert_int_equal(hold_at(b.node, 1)->schema, b.schema);
    assert_memory_equal(hold_at(b.node, 2)->data, "c third", 7);
    assert_int_equal(b.node->ids.loose, 44);
    assert_string_equal((char *)self_of(&b)->bytes, "position");
    assert_int_equal(self_of(&b)->size, 9);
    assert_false(self_of(&b)->misaligned);
    assert_int_equal(b.node->hold.pending, 0);
    bench_close(&b);
    wire_free(&snap);
    wire_free(&names);
}

static void a_snapshot_of_what_came_back_is_the_same_again(void **state)
{
    struct bench b = { .config = { .state_bytes = STATE_BYTES } };
    struct wire snap = { 0 }, names = { 0 }, second = { 0 }, later = { 0 };
    char why[200];
    size_t room;

    (void)state;
    cross(&b, &snap, &names);
    again(&b, &names);
    assert_int_equal(put_back(&b, &snap, why, sizeof why), AFF_OK);
    take(&b, &second, &later);
    assert_int_equal(second.size, snap.size);
    assert_memory_equal(second.bytes, snap.bytes, snap.size);
    room = second.room;
    take(&b, &second, &later);
    assert_int_equal(second.room, room); /* used again */
    bench_close(&b);
    wire_free(&snap);
    wire_free(&names);
    wire_free(&second);
    wire_free(&later);
}

static void held_records_stand_by_age_whatever_place_they_took(void **state)
{
    struct bench b = { .config = { .state_bytes = STATE_BYTES } };
    struct wire snap = { 0 }, names = { 0 };
    char why[200];

    (void)state;
    bench_open(&b);
    fill(&b);
    assert_int_equal(hold_release(b.node, hold_at(b.node, 1), 2), AFF_OK);
    expect_held(&b, "ac");
    hold(&b, stream_of(&b, "Bea", "ecg"), 0, "d fourth"); /* in b's place */
    expect_held(&b, "acd");
    hold_release(b.node, hold_at(b.node, 0), 2);
    hold(&b, stream_of(&b, "Bea", "ecg"), 0, "e fifth");
    hold_release(b.node, hold_at(b.node, 1), 2);
    expect_held(&b, "ce");
    take(&b, &snap, &names);
    bench_close(&b);
    again(&b, &names);
    assert_int_equal(put_back(&b, &snap, why, sizeof why), AFF_OK);
    expect_held(&b, "ce");
    bench_close(&b);
    wire_free(&snap);
    wire_free(&names);
}

static void slots_that_say_nothing_are_not_written(void **state)
{
    struct bench b = { .config = { .state_bytes = STATE_BYTES } };
    struct wire snap = { 0 }, names = { 0 };
    size_t empty, one;
    uint32_t ada;

    (void)state;
    bench_open(&b);
    take(&b, &snap, &names);
    empty = snap.size;
    ada = stream_of(&b, "Ada", "ecg");
    *(char *)state_get(b.node, ada) = 1;
    take(&b, &snap, &names);
    one = snap.size;
    assert_int_equal(one, empty + 16 + STATE_BYTES);
    *(char *)state_get(b.node, stream_of(&b, "Bea", "ecg")) = 0;
    take(&b, &snap, &names);
    assert_int_equal(snap.size, one);
    names_end(b.flow->names, ada, 0, 1); /* and those of who has been let go */
    names_commit(b.flow->names, 2);
    take(&b, &snap, &names);
    assert_int_equal(snap.size, empty);
    bench_close(&b);
    wire_free(&snap);
    wire_free(&names);
}

static void a_timer_that_came_back_is_called_by_the_clock_of_this_boot(void **state)
{
    struct bench b = { .config = { .state_bytes = STATE_BYTES } };
    struct wire snap = { 0 }, names = { 0 };
    struct aff_record r = { .id = { 3, 4 }, .event_ns = 1000, .type = AFF_BYTES };
    char why[200];

    (void)state;
    bench_open(&b);
    clock_jump(&b.flow->clock, INT64_C(9000000000000));
    r.stream = stream_of(&b, "Ada", "ecg");
    r.subject = names_stream_info(b.flow->names, r.stream)->subject;
    assert_true(timers_pass(b.node, &r));
    timers_set(b.node, r.subject, 5000);
    take(&b, &snap, &names);
    bench_close(&b);
    again(&b, &names);
    clock_jump(&b.flow->clock, INT64_C(70000000000));
    assert_int_equal(put_back(&b, &snap, why, sizeof why), AFF_OK);
    assert_true(timers_next(b.node) < INT64_C(72000000000)); /* a second of grace, from now */
    assert_true(timers_next(b.node) > INT64_C(70000000000));
    bench_close(&b);
    wire_free(&snap);
    wire_free(&names);
}

/* The table of names was lost: what is known of one patient never goes to another. */
static void without_its_names_held_records_find_theirs_and_state_is_nobodys(void **state)
{
    static const uint8_t zeros[STATE_BYTES];
    struct bench b = { .config = { .state_bytes = STATE_BYTES } };
    struct wire snap = { 0 }, names = { 0 };
    uint32_t zoe;
    char why[200];

    (void)state;
    cross(&b, &snap, &names);
    bench_open(&b);
    zoe = stream_of(&b, "Zoe", "ecg"); /* has Ada's integers */
    stream_of(&b, "Yan", "ecg");       /* and Bea's */
    assert_int_equal(put_back(&b, &snap, why, sizeof why), AFF_OK);
    expect_held(&b, "abc");
    assert_memory_equal(state_get(b.node, zoe), zeros, STATE_BYTES);
    assert_true(timers_next(b.node) == INT64_MAX);
    assert_int_equal(b.node->timers.used, 0);
    assert_string_equal(names_subject_name(b.flow->names, hold_at(b.node, 0)->subject), "Ada");
    assert_string_equal(names_stream_info(b.flow->names, hold_at(b.node, 1)->stream)->subject_name, "Bea");
    bench_close(&b);
    wire_free(&snap);
    wire_free(&names);
}

/* ---- sources ---- */

static void a_source_goes_on_counting_and_one_that_ended_is_over(void **state)
{
    struct bench b = { .config = { .state_bytes = STATE_BYTES } };
    struct wire snap = { 0 };
    char why[200];
    int ended;

    (void)state;
    for (ended = 0; ended < 2; ended++) {
        bench_open(&b);
        b.origin->ids = (struct ids){ .source = 11, .seq = 22 };
        b.origin->has_first = true;
        b.origin->first_event_ns = -3;
        b.origin->last_event_ns = 4;
        b.origin->over = true; /* by a limit, in the first round */
        atomic_store(&b.origin->give, ended ? GIVE_ENDED : GIVE_BUSY);
        wire_clear(&snap);
        assert_int_equal(snap_write(b.origin, &snap), AFF_OK);
        bench_close(&b);
        bench_open(&b);
        b.origin->plan = &(struct plan_node){ .options_hash = 1, .plugin = b.origin->plan->plugin,
                                              .name = "source" }; /* others: it goes on all the same */
        assert_int_equal(snap_read(b.origin, snap.bytes, snap.size, why, sizeof why), AFF_OK);
        b.origin->plan = &b.rig.nodes[0];
        assert_int_equal(b.origin->ids.source, 11);
        assert_int_equal(b.origin->ids.seq, 22);
        assert_true(b.origin->has_first && b.origin->first_event_ns == -3 && b.origin->last_event_ns == 4);
        assert_int_equal(b.origin->over, ended);
        wire_clear(&snap);
        snap_write(b.origin, &snap);
        bench_close(&b);
        bench_open(&b);
        assert_int_equal(snap_read(b.origin, snap.bytes, snap.size, why, sizeof why), AFF_OK);
        assert_int_equal(b.origin->over, ended); /* also the time after */
        bench_close(&b);
    }
    wire_free(&snap);
}

/* ---- what is refused ---- */

static void expect_refused(struct bench *b, const struct wire *snap, aff_status status, const char *part)
{
    char why[200] = "";

    assert_int_equal(put_back(b, snap, why, sizeof why), status);
    if (!strstr(why, part))
        fail_msg("\"%s\" does not say \"%s\"", why, part);
    expect_fresh(b);
}

static void what_is_not_for_the_node_is_refused_and_changes_nothing(void **state)
{
    struct bench b = { .config = { .state_bytes = STATE_BYTES } };
    struct aff_plugin other = keeper;
    struct wire snap = { 0 }, names = { 0 };

    (void)state;
    cross(&b, &snap, &names);
    again(&b, &names);
    b.rig.nodes[1].options_hash++;
    expect_refused(&b, &snap, AFF_ERR_DATA, "options");
    b.rig.nodes[1].options_hash--;
    other.name = "other";
    b.node->about = &other;
    expect_refused(&b, &snap, AFF_ERR_DATA, "another plugin");
    other.name = "keeper";
    other.restore = NULL;
    expect_refused(&b, &snap, AFF_ERR_DATA, "restores nothing");
    b.node->about = &keeper;
    bench_close(&b);
    b.config.state_bytes = STATE_BYTES - 1;
    again(&b, &names);
    expect_refused(&b, &snap, AFF_ERR_DATA, "another size");
    b.config.state_bytes = STATE_BYTES;
    bench_close(&b);
    wire_free(&snap);
    wire_free(&names);
}

static void a_plugin_that_refuses_finds_its_node_as_after_open(void **state)
{
    struct bench b = { .config = { .state_bytes = STATE_BYTES } };
    struct wire snap = { 0 }, names = { 0 };
    char why[200];

    (void)state;
    cross(&b, &snap, &names);
    again(&b, &names);
    b.config.takes = AFF_ERR_DATA;
    expect_refused(&b, &snap, AFF_ERR_DATA, "its words");
    b.config.takes = AFF_ERR_IO;
    expect_refused(&b, &snap, AFF_ERR_IO, "its words");
    b.config.takes = AFF_OK;
    assert_int_equal(put_back(&b, &snap, why, sizeof why), AFF_OK);
    expect_held(&b, "abc");
    bench_close(&b);
    wire_free(&snap);
    wire_free(&names);
}

static void fewer_places_than_were_held_are_refused(void **state)
{
    struct bench b = { .config = { .state_bytes = STATE_BYTES } };
    struct wire snap = { 0 }, names = { 0 };
    uint32_t room;

    (void)state;
    cross(&b, &snap, &names);
    again(&b, &names);
    room = b.node->hold.room;
    b.node->hold.room = 2;
    expect_refused(&b, &snap, AFF_ERR_DATA, "run.max_held");
    b.node->hold.room = room;
    bench_close(&b);
    wire_free(&snap);
    wire_free(&names);
}

static void what_snapshot_says_is_handed_on(void **state)
{
    struct bench b = { .config = { .state_bytes = STATE_BYTES } };
    struct wire snap = { 0 };

    (void)state;
    bench_open(&b);
    b.config.says = AFF_ERR_IO;
    assert_int_equal(snap_write(b.node, &snap), AFF_ERR_IO);
    b.config.says = AFF_OK;
    b.config.more = 1;
    wire_clear(&snap);
    assert_int_equal(snap_write(b.node, &snap), AFF_ERR_BUG);
    b.config.more = 0;
    self_of(&b)->size = sizeof self_of(&b)->bytes; /* above the first room */
    wire_free(&snap);
    assert_int_equal(snap_write(b.node, &snap), AFF_OK);
    assert_false(self_of(&b)->misaligned);
    bench_close(&b);
    wire_free(&snap);
}

static void every_cut_is_refused_and_changes_nothing(void **state)
{
    struct bench b = { .config = { .state_bytes = STATE_BYTES } };
    struct wire snap = { 0 }, names = { 0 }, cut;

    (void)state;
    cross(&b, &snap, &names);
    again(&b, &names);
    for (cut = snap; cut.size > 0; cut.size--) {
        if (cut.size == snap.size)
            continue;
        expect_refused(&b, &cut, AFF_ERR_DATA, "");
    }
    bench_close(&b);
    wire_free(&snap);
    wire_free(&names);
}

static void mutated_snapshots_never_crash(void **state)
{
    struct bench b = { .config = { .state_bytes = STATE_BYTES } };
    struct wire snap = { 0 }, names = { 0 }, bad = { 0 };
    uint32_t i, k, good = 0;
    char why[200];

    (void)state;
    cross(&b, &snap, &names);
    again(&b, &names);
    srandom(1);
    for (i = 0; i < MUTATIONS; i++) {
        wire_clear(&bad);
        memcpy(wire_room(&bad, snap.size), snap.bytes, snap.size);
        bad.size = snap.size;
        for (k = 0; k <= i % 5; k++)
            bad.bytes[(size_t)random() % bad.size] = (uint8_t)(random() % 3 ? random() : 0xff);
        if (put_back(&b, &bad, why, sizeof why) == AFF_OK) {
            good++;
            state_reset(&b.node->state);
            timers_reset(&b.node->timers);
            hold_reset(b.node);
            names_commit(b.flow->names, 1000);
        } else {
            assert_int_equal(b.node->hold.count, 0);
        }
    }
    assert_true(good > 0);
    bench_close(&b);
    wire_free(&snap);
    wire_free(&names);
    wire_free(&bad);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_that_a_node_keeps_comes_back),
        cmocka_unit_test(a_snapshot_of_what_came_back_is_the_same_again),
        cmocka_unit_test(held_records_stand_by_age_whatever_place_they_took),
        cmocka_unit_test(slots_that_say_nothing_are_not_written),
        cmocka_unit_test(a_timer_that_came_back_is_called_by_the_clock_of_this_boot),
        cmocka_unit_test(without_its_names_held_records_find_theirs_and_state_is_nobodys),
        cmocka_unit_test(a_source_goes_on_counting_and_one_that_ended_is_over),
        cmocka_unit_test(what_is_not_for_the_node_is_refused_and_changes_nothing),
        cmocka_unit_test(a_plugin_that_refuses_finds_its_node_as_after_open),
        cmocka_unit_test(fewer_places_than_were_held_are_refused),
        cmocka_unit_test(what_snapshot_says_is_handed_on),
        cmocka_unit_test(every_cut_is_refused_and_changes_nothing),
        cmocka_unit_test(mutated_snapshots_never_crash),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
