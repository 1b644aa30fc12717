/* test_waits.c - sinks that live in the waits of their lane: woken while it waits, without a
 * thread of their own; peers that fail late, refuse with a reason, gather; threads that rouse.
 *
 * What arrived is judged at the far end (ends.h). Where a clock is virtual, waits cost no
 * time, and what a peer does is done in `wake`. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "distant.h"
#include "flow/wire.h"
#include "memkeep.h"
#include "parts.h"
#include "rig.h"

enum { RECORDS = 3000, MS = 1000000 };

/* ---- a bench ---- */

struct bench {
    struct rig rig;
    struct part_source source;
    struct distant *d;
    struct memkeep *keep;
    struct flow *flow;
};

static void bench_open(struct bench *b, enum when_full when_full, enum mood mood, uint32_t turns)
{
    memset(b, 0, sizeof *b);
    b->d = calloc(1, sizeof *b->d);
    b->keep = memkeep_open();
    b->d->end.refuses = UINT64_MAX;
    atomic_init(&b->d->mood, mood);
    b->d->turns = turns;
    b->source = (struct part_source){ .records = RECORDS, .size = 32, .streams = ENDS_STREAMS, .ends = 1 };
    rig_begin(&b->rig);
    b->rig.plan.commit_records = 64;
    b->rig.plan.commit_every_ns = 2 * MS;
    b->rig.plan.store_limit = 1u << 30;
    b->rig.options.kept = memkeep_kept(b->keep);
    b->rig.options.virtual_clock = when_full == WHEN_FULL_BLOCK; /* else a commit waits for queues by the clock */
    rig_node(&b->rig, "source", &part_source, &b->source);
    rig_node(&b->rig, "far", &distant, b->d);
    rig_edge(&b->rig, 0, 0, 1, 0);
    b->rig.edges[0].when_full = when_full;
}

static void bench_start(struct bench *b, enum layout_mode layout)
{
    b->flow = rig_open(&b->rig, layout);
    assert_non_null(b->flow);
    memkeep_begin(b->keep, b->flow, 0, false);
    assert_true(flow_start(b->flow));
}

static void bench_end(struct bench *b)
{
    const char *why;

    flow_wait(b->flow, -1);
    memkeep_end(b->keep);
    assert_int_equal(flow_failure(b->flow, &why), AFF_OK);
    assert_true(flow_balances(b->flow));
    assert_false(flow_unbalanced(b->flow));
}

static void bench_close(struct bench *b)
{
    flow_close(&b->flow);
    memkeep_close(&b->keep);
    free(b->d);
}

static void all_once(const struct far_end *end)
{
    uint64_t i;

    assert_int_equal(end->renamed + end->invented, 0);
    for (i = 0; i < RECORDS; i++)
        assert_int_equal(end->records[i].times, 1);
}

/* ---- what a peer answers ---- */

static void a_sink_answers_from_wake_in_each_wait_of_its_lane(void **state)
{
    const enum when_full ways[] = { WHEN_FULL_BLOCK, WHEN_FULL_SPILL };
    struct bench b;
    int i;

    (void)state;
    for (i = 0; i < 2; i++) {
        bench_open(&b, ways[i], MOOD_GOOD, 0);
        bench_start(&b, LAYOUT_NORMAL);
        bench_end(&b);
        all_once(&b.d->end);
        assert_string_equal(b.d->node, "far");
        assert_string_equal(b.d->pipeline, "rig");
        assert_int_equal(b.d->window_records, 1024);
        assert_int_equal(b.d->window_epochs, 8);
        bench_close(&b);
    }
}

/* Until it works again. */
static uint64_t failing_wait(struct bench *b, uint64_t least, char *why, size_t room)
{
    uint64_t times = 0;
    int i;

    for (i = 0; i < 100000 && times < least; i++) {
        times = flow_node_failing(b->flow, 1, why, room);
        flow_wait(b->flow, 100000);
    }
    return times;
}

static void late_failures_show_with_their_cause_and_open_the_breaker(void **state)
{
    char why[256] = "";
    struct bench b;

    (void)state;
    bench_open(&b, WHEN_FULL_BLOCK, MOOD_FAILS, 0);
    bench_start(&b, LAYOUT_NORMAL);
    assert_true(failing_wait(&b, 7, why, sizeof why) >= 7);
    assert_string_equal(why, "HTTP 503");
    atomic_store(&b.d->mood, MOOD_GOOD);
    bench_end(&b);
    all_once(&b.d->end);
    assert_int_equal(flow_node_failing(b.flow, 1, why, sizeof why), 0);
    assert_true(b.d->resent > 0);
    bench_close(&b);
}

static void after_five_failures_it_is_tried_with_one_record(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b, WHEN_FULL_BLOCK, MOOD_FAILS, 9);
    bench_start(&b, LAYOUT_NORMAL);
    bench_end(&b);
    all_once(&b.d->end);
    assert_int_equal(b.d->largest, 1);
    bench_close(&b);
}

/* Those of a tenth of a second, until what came back is offered again: more than five. */
static void what_fails_before_it_is_offered_again_is_one_failure(void **state)
{
    struct bench b;
    uint64_t i;

    (void)state;
    bench_open(&b, WHEN_FULL_BLOCK, MOOD_TRICKLES, 300);
    bench_start(&b, LAYOUT_NORMAL);
    bench_end(&b);
    assert_int_equal(b.d->end.unmarked + b.d->end.renamed + b.d->end.invented, 0);
    for (i = 0; i < RECORDS; i++)
        assert_true(b.d->end.records[i].times > 0);
    assert_true(b.d->first_again > 1);
    bench_close(&b);
}

static void a_busy_peer_is_offered_again_what_it_could_not_take_and_has_not_failed(void **state)
{
    char why[256];
    struct bench b;

    (void)state;
    bench_open(&b, WHEN_FULL_BLOCK, MOOD_BUSY, 20);
    bench_start(&b, LAYOUT_NORMAL);
    while (!flow_wait(b.flow, 1000000))
        assert_int_equal(flow_node_failing(b.flow, 1, why, sizeof why), 0);
    bench_end(&b);
    all_once(&b.d->end);
    assert_true(b.d->resent >= 20);
    bench_close(&b);
}

static void a_refusal_has_a_row_and_what_the_peer_said(void **state)
{
    struct wire_letter letter;
    struct flow_node n;
    const void *bytes;
    struct bench b;
    size_t size;

    (void)state;
    bench_open(&b, WHEN_FULL_BLOCK, MOOD_PICKS, 0);
    bench_start(&b, LAYOUT_NORMAL);
    bench_end(&b);
    all_once(&b.d->end);
    assert_int_equal(memkeep_figures(b.keep).letters, RECORDS / 10);
    bytes = memkeep_letter(b.keep, 7, &size);
    assert_true(wire_letter_read(bytes, size, &letter));
    assert_string_equal(letter.reason, "refused_there");
    assert_string_equal(letter.cause, "HTTP 422");
    flow_node(b.flow, 1, &n);
    assert_int_equal(n.account.dead, RECORDS / 10);
    assert_int_equal(n.account.dropped, RECORDS / 10);
    assert_int_equal(n.account.used, RECORDS - 2 * (RECORDS / 10));
    assert_int_equal(n.account.by_verdict[1], RECORDS / 10);
    assert_int_equal(n.account.by_verdict[2], RECORDS / 10);
    bench_close(&b);
}

/* ---- gathering ---- */

static void what_gathers_is_asked_for_before_epochs_stand_still(void **state)
{
    const enum when_full ways[] = { WHEN_FULL_BLOCK, WHEN_FULL_SPILL };
    struct bench b;
    int i;

    (void)state;
    for (i = 0; i < 2; i++) {
        bench_open(&b, ways[i], MOOD_GATHERS, 0);
        bench_start(&b, LAYOUT_NORMAL);
        bench_end(&b);
        all_once(&b.d->end);
        assert_true(b.d->flushes > 0 && b.d->flushes <= RECORDS / 64 + 4);
        bench_close(&b);
    }
}

static bool taken_wait(struct bench *b, uint64_t least)
{
    struct flow_edge edge = { .taken = 0 };
    int i;

    for (i = 0; i < 10000 && edge.taken < least; i++) {
        flow_wait(b->flow, MS);
        flow_edge(b->flow, 0, &edge);
    }
    return edge.taken >= least;
}

/* Some sixteen epochs of its writer: nobody waits for what it gathers, and it stands still for
 * none of them. */
static void behind_a_queue_a_sink_gathers_as_long_as_its_window_takes_it(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b, WHEN_FULL_SPILL, MOOD_GATHERS, 0);
    b.source.pauses_at = 1000;
    b.rig.options.virtual_clock = false;
    bench_start(&b, LAYOUT_NORMAL);
    assert_true(taken_wait(&b, 1000));
    flow_drain(b.flow);
    bench_end(&b);
    assert_int_equal(b.d->flushes, 1); /* for the stop */
    assert_int_equal(memkeep_figures(b.keep).records, 0);
    bench_close(&b);
}

/* One batch, which nothing else would ever end. */
static void a_stop_asks_for_what_gathers_and_waits_for_its_answer(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b, WHEN_FULL_SPILL, MOOD_GATHERS, 0);
    b.source.pauses_at = 100;
    b.rig.options.virtual_clock = false;
    bench_start(&b, LAYOUT_NORMAL);
    assert_true(taken_wait(&b, 100));
    flow_drain(b.flow);
    bench_end(&b);
    assert_true(b.d->flushes > 0);
    assert_int_equal(memkeep_figures(b.keep).records, 0);
    assert_true(b.d->end.records[99].times == 1);
    bench_close(&b);
}

/* What blocks its way is given up after ten seconds; what is not committed is read again. */
static void a_stop_behind_a_peer_that_is_away_ends(void **state)
{
    const enum mood moods[] = { MOOD_FAILS, MOOD_MUTE };
    const enum layout_mode layouts[] = { LAYOUT_NORMAL, LAYOUT_THREAD_PER_NODE };
    struct flow_node n;
    char why[256];
    struct bench b;
    int i;

    (void)state;
    for (i = 0; i < 4; i++) {
        bench_open(&b, WHEN_FULL_BLOCK, moods[i % 2], 0);
        bench_start(&b, layouts[i / 2]);
        assert_true(moods[i % 2] == MOOD_FAILS ? failing_wait(&b, 2, why, sizeof why) >= 2 : taken_wait(&b, 100));
        flow_drain(b.flow);
        assert_true(flow_wait(b.flow, INT64_C(60000000000)));
        memkeep_end(b.keep);
        assert_true(flow_cut_short(b.flow));
        assert_true(flow_balances(b.flow));
        flow_node(b.flow, 0, &n); /* nothing was safe: nothing was made */
        assert_int_equal(n.account.made, 0);
        bench_close(&b);
    }
}

/* ---- a library's socket in the lane ---- */

struct wired {
    struct distant d; /* first: its far end and words */
    int fds[2];       /* the sink's end, the peer's */
    pthread_t peer;
    _Atomic uint64_t agains;
};

struct wired_self {
    const struct aff_host *host;
    struct wired *w;
};

static aff_status wired_open(const struct aff_host *host, const void *config, void **ret_self)
{
    struct wired_self *s = host->alloc(host, sizeof *s);

    if (!s)
        return AFF_ERR_MEMORY;
    s->host = host;
    s->w = (struct wired *)(uintptr_t)config;
    *ret_self = s;
    return host->watch(host, s->w->fds[0], AFF_WATCH_READ);
}

static void wired_close(void *self)
{
    struct wired_self *s = self;

    s->host->watch(s->host, s->w->fds[0], 0);
    s->host->free(s->host, s);
}

static aff_status wired_write(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    struct wired_self *s = self;

    for (; *ret_taken < batch->count; ++*ret_taken) {
        const struct aff_record *r = &batch->records[*ret_taken];

        if (send(s->w->fds[0], &r->id, sizeof r->id, MSG_DONTWAIT) != sizeof r->id) {
            atomic_fetch_add(&s->w->agains, 1);
            return AFF_AGAIN;
        }
        far_end_take(&s->w->d.end, r);
    }
    return AFF_OK;
}

static aff_status wired_wake(void *self)
{
    struct wired_self *s = self;
    struct aff_id id;

    while (recv(s->w->fds[0], &id, sizeof id, MSG_DONTWAIT) == sizeof id)
        s->host->ack(s->host, id, AFF_OK);
    return AFF_OK;
}

static const struct aff_port in_any[] = { { .name = "in", .types = AFF_MASK(AFF_BYTES) } };
static const struct aff_plugin wired = {
    .struct_size = sizeof wired, .major = AFF_ABI_MAJOR, .kind = AFF_SINK, .flags = AFF_ACKS | AFF_BLOCKS, .name = "wired",
    .inputs = AFF_TABLE(in_any), .open = wired_open, .close = wired_close, .write = wired_write, .wake = wired_wake,
};

/* Says each id back. */
static void *peer_run(void *arg)
{
    struct wired *w = arg;
    struct aff_id id;

    while (recv(w->fds[1], &id, sizeof id, 0) == sizeof id)
        if (send(w->fds[1], &id, sizeof id, MSG_NOSIGNAL) < 0)
            break;
    return NULL;
}

static void wired_begin(struct bench *b, struct wired *w, enum when_full when_full)
{
    int small = 4096;

    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, w->fds), 0);
    assert_int_equal(setsockopt(w->fds[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof small), 0);
    assert_int_equal(pthread_create(&w->peer, NULL, peer_run, w), 0);
    w->d.end.refuses = UINT64_MAX;
    bench_open(b, when_full, MOOD_GOOD, 0);
    b->rig.options.virtual_clock = false;
    b->rig.plugins[1].about = wired;
    b->rig.plugins[1].verdict_count = 0;
    b->rig.nodes[1].config = w;
}

static int64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* Each "not now" would cost a tenth of a second and more, if no answer ended it. */
static void a_socket_in_the_lane_needs_no_thread_and_an_answer_ends_not_now(void **state)
{
    const enum when_full ways[] = { WHEN_FULL_BLOCK, WHEN_FULL_SPILL };
    struct bench b;
    int64_t began;
    int i;

    (void)state;
    for (i = 0; i < 2; i++) {
        struct wired *w = calloc(1, sizeof *w);

        wired_begin(&b, w, ways[i]);
        began = now_ns();
        bench_start(&b, LAYOUT_NORMAL);
        bench_end(&b);
        all_once(&w->d.end);
        if (atomic_load(&w->agains) > 0)
            assert_true(now_ns() - began < (int64_t)atomic_load(&w->agains) * 75 * MS + INT64_C(20000000000));
        shutdown(w->fds[1], SHUT_RDWR);
        pthread_join(w->peer, NULL);
        bench_close(&b);
        close(w->fds[0]);
        close(w->fds[1]);
        free(w);
    }
}

/* ---- rouse ---- */

enum { ROUSED = 200 };

struct roused {
    const struct aff_host *host;
    _Atomic bool is_open, is_over;
    _Atomic uint32_t made;
    uint32_t reads;
    uint32_t schema, subject, stream;
    bool keeps; /* ids of another node */
};

static const struct aff_port out_any[] = { { .name = "out", .types = AFF_MASK(AFF_BYTES) } };

static aff_status roused_open(const struct aff_host *host, const void *config, void **ret_self)
{
    static const struct aff_schema schema = { .struct_size = sizeof schema, .type = AFF_BYTES, .name = "one" };
    struct roused *s = (struct roused *)(uintptr_t)config;

    s->host = host;
    s->schema = host->schema(host, &schema);
    s->subject = host->subject(host, "nobody");
    s->stream = host->stream(host, s->subject, "one", s->schema);
    *ret_self = s;
    atomic_store(&s->is_open, true);
    return AFF_OK;
}

static void roused_close(void *self)
{
    (void)self;
}

static aff_status one_make(struct roused *s, uint64_t seq)
{
    struct aff_record *r = s->host->reserve(s->host, 0, AFF_NO_INPUT, 32);

    if (!r)
        return AFF_ERR_MEMORY;
    memset(r->data, 0, 32);
    memcpy(r->data, &seq, sizeof seq);
    r->schema = s->schema;
    r->subject = s->subject;
    r->stream = s->stream;
    r->id = (struct aff_id){ 77, 3 * seq + 1 };
    if (s->keeps && r->id.seq % 2 == 1)
        r->flags |= AFF_FLAG_RESENT;
    return s->host->emit(s->host, r, 32);
}

/* Nothing but a word from outside makes it read again. */
static aff_status roused_read(void *self, uint32_t want)
{
    struct roused *s = self;
    uint32_t made = atomic_load(&s->made);
    aff_status st = AFF_OK;

    (void)want;
    s->host->wake_at(s->host, INT64_MAX);
    if (s->reads++ == 0 && !s->keeps)
        return AFF_AGAIN;
    if (made == ROUSED) {
        atomic_store(&s->is_over, true);
        return AFF_END;
    }
    st = one_make(s, made);
    if (st == AFF_OK)
        atomic_store(&s->made, made + 1);
    if (s->keeps && st == AFF_OK)
        return AFF_OK;
    return st == AFF_OK ? AFF_AGAIN : st;
}

static const struct aff_plugin roused = {
    .struct_size = sizeof roused, .major = AFF_ABI_MAJOR, .kind = AFF_SOURCE, .name = "roused",
    .outputs = AFF_TABLE(out_any), .open = roused_open, .close = roused_close, .read = roused_read,
};
static const struct aff_plugin relay = {
    .struct_size = sizeof relay, .major = AFF_ABI_MAJOR, .kind = AFF_SOURCE, .flags = AFF_KEEPS_IDS, .name = "relay",
    .outputs = AFF_TABLE(out_any), .open = roused_open, .close = roused_close, .read = roused_read,
};

static void *rouse_run(void *arg)
{
    struct roused *s = arg;

    while (!atomic_load(&s->is_over)) {
        struct timespec t = { .tv_nsec = 20000 };

        if (atomic_load(&s->is_open))
            s->host->rouse(s->host);
        nanosleep(&t, NULL);
    }
    return NULL;
}

static void a_thread_rouses_a_source_that_waits_for_nothing_else(void **state)
{
    struct roused s = { 0 };
    struct bench b;
    pthread_t thread;

    (void)state;
    bench_open(&b, WHEN_FULL_BLOCK, MOOD_GOOD, 0);
    b.rig.options.virtual_clock = false;
    b.rig.plugins[0].about = roused;
    b.rig.plugins[0].outputs = out_any;
    b.rig.nodes[0].config = &s;
    assert_int_equal(pthread_create(&thread, NULL, rouse_run, &s), 0);
    bench_start(&b, LAYOUT_NORMAL);
    flow_wait(b.flow, -1);
    pthread_join(thread, NULL); /* before its close */
    bench_end(&b);
    assert_int_equal(b.d->end.records[ROUSED - 1].times, 1);
    bench_close(&b);
}

static void a_source_that_relays_keeps_ids_and_their_mark(void **state)
{
    struct roused s = { .keeps = true };
    struct bench b;

    (void)state;
    bench_open(&b, WHEN_FULL_BLOCK, MOOD_GOOD, 0);
    b.rig.plugins[0].about = relay;
    b.rig.plugins[0].outputs = out_any;
    b.rig.nodes[0].config = &s;
    bench_start(&b, LAYOUT_NORMAL);
    bench_end(&b);
    assert_int_equal(b.d->kept_ids, ROUSED);
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sink_answers_from_wake_in_each_wait_of_its_lane),
        cmocka_unit_test(late_failures_show_with_their_cause_and_open_the_breaker),
        cmocka_unit_test(after_five_failures_it_is_tried_with_one_record),
        cmocka_unit_test(what_fails_before_it_is_offered_again_is_one_failure),
        cmocka_unit_test(a_busy_peer_is_offered_again_what_it_could_not_take_and_has_not_failed),
        cmocka_unit_test(a_refusal_has_a_row_and_what_the_peer_said),
        cmocka_unit_test(what_gathers_is_asked_for_before_epochs_stand_still),
        cmocka_unit_test(behind_a_queue_a_sink_gathers_as_long_as_its_window_takes_it),
        cmocka_unit_test(a_stop_asks_for_what_gathers_and_waits_for_its_answer),
        cmocka_unit_test(a_stop_behind_a_peer_that_is_away_ends),
        cmocka_unit_test(a_socket_in_the_lane_needs_no_thread_and_an_answer_ends_not_now),
        cmocka_unit_test(a_thread_rouses_a_source_that_waits_for_nothing_else),
        cmocka_unit_test(a_source_that_relays_keeps_ids_and_their_mark),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
