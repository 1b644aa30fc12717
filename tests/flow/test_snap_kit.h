/* test_snap_kit.h - a node that keeps all there is to keep, in a rig that is open and
 * does not run: for test_snap.c and test_snap_bad.c. */
#ifndef AFFERENT_TESTS_TEST_SNAP_KIT_H
#define AFFERENT_TESTS_TEST_SNAP_KIT_H

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

static inline aff_status keeper_open(const struct aff_host *host, const void *config, void **ret_self)
{
    struct keeper *k = host->alloc(host, sizeof *k);

    if (!k)
        return AFF_ERR_MEMORY;
    k->host = host;
    k->config = config;
    *ret_self = k;
    return k->config->state_bytes ? host->state_open(host, k->config->state_bytes, 0) : AFF_OK;
}

static inline void keeper_close(void *self)
{
    struct keeper *k = self;

    k->host->free(k->host, k);
}

static inline aff_status keeper_process(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    (void)self;
    (void)batch;
    (void)ret_taken;
    return AFF_OK;
}

static inline aff_status keeper_timer(void *self, uint32_t subject, int64_t due_ns)
{
    (void)self;
    (void)subject;
    (void)due_ns;
    return AFF_OK;
}

static inline aff_status keeper_snapshot(void *self, void *buffer, size_t room, size_t *ret_size)
{
    struct keeper *k = self;

    k->misaligned |= (uintptr_t)buffer % 16 != 0;
    *ret_size = k->config->more ? room + 1u : k->size;
    if (*ret_size <= room)
        memcpy(buffer, k->bytes, k->size);
    return k->config->says;
}

static inline aff_status keeper_restore(void *self, const void *buffer, size_t size)
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

static inline void bench_open(struct bench *b)
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

static inline struct keeper *self_of(struct bench *b)
{
    return b->node->self;
}

static inline void bench_close(struct bench *b)
{
    hold_reset(b->node);
    flow_abort(b->flow);
    flow_close(&b->flow);
}

static inline uint32_t stream_of(struct bench *b, const char *subject, const char *name)
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

static inline void expect_held(struct bench *b, const char *letters)
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
static inline void fill(struct bench *b)
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

static inline void take(struct bench *b, struct wire *snap, struct wire *names)
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
static inline void again(struct bench *b, const struct wire *names)
{
    const char *const nodes[] = { "source", "kept", "sink" };

    bench_open(b);
    names_clear(b->flow->names);
    assert_true(wire_names_read(names->bytes, names->size, b->flow->names, nodes, 3));
    stream_of(b, "Ada", "ecg");
}

static inline aff_status put_back(struct bench *b, const struct wire *snap, char *why, size_t room)
{
    uint8_t *bytes = malloc(snap->size);
    aff_status st;

    assert_non_null(bytes);
    memcpy(bytes, snap->bytes, snap->size);
    st = snap_read(b->node, bytes, snap->size, why, room);
    free(bytes); /* nothing of it is kept by address */
    return st;
}

static inline void expect_fresh(struct bench *b)
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
static inline void cross(struct bench *b, struct wire *snap, struct wire *names)
{
    bench_open(b);
    fill(b);
    take(b, snap, names);
    bench_close(b);
}

#endif
