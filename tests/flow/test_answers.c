/* test_answers.c - a sink whose peer answers late, out of order, twice or not at all;
 * a source that answers its peer only when what it took is safe; letters that go in again.
 *
 * The peer's side is a thread of the test that answers what write handed over, at
 * random. What the peer received is judged at its far end (ends.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "ends.h"
#include "flow/wire.h"
#include "memkeep.h"
#include "parts.h"
#include "rig.h"

enum { RECORDS = 2000, PENDING = 4096 };

/* ---- the peer ---- */

struct peer {
    struct far_end end;
    pthread_mutex_t lock;
    const struct aff_host *host; /* NULL: nobody is connected */
    struct aff_id pending[PENDING];
    uint64_t seqs[PENDING];
    uint32_t count;
    uint64_t refuses; /* this seq, for its content */
    uint32_t fails;   /* one of so many is to be offered again; 0: none */
    bool is_silent;
    bool ends;
    uint64_t random;
};

static uint64_t pick(struct peer *p, uint64_t below)
{
    p->random = p->random * 6364136223846793005u + 1442695040888963407u;
    return (p->random >> 33) % below;
}

static void answer_one(struct peer *p)
{
    uint32_t i = (uint32_t)pick(p, p->count);
    aff_status st = p->seqs[i] == p->refuses ? AFF_ERR_DATA : p->fails && pick(p, p->fails) == 0 ? AFF_ERR_IO : AFF_OK;

    p->host->ack(p->host, p->pending[i], st);
    if (pick(p, 10) == 0)
        p->host->ack(p->host, p->pending[i], st);
    p->count--;
    p->pending[i] = p->pending[p->count];
    p->seqs[i] = p->seqs[p->count];
}

static void *peer_run(void *arg)
{
    struct peer *p = arg;
    bool ends = false;

    while (!ends) {
        struct timespec t = { .tv_nsec = 50000 };

        pthread_mutex_lock(&p->lock);
        while (p->host && p->count > 0 && !p->is_silent && pick(p, 8) > 0)
            answer_one(p);
        ends = p->ends;
        pthread_mutex_unlock(&p->lock);
        nanosleep(&t, NULL);
    }
    return NULL;
}

/* ---- the sink ---- */

struct late {
    const struct aff_host *host;
    struct peer *peer;
};

static aff_status late_open(const struct aff_host *host, const void *config, void **ret_self)
{
    struct late *s = host->alloc(host, sizeof *s);

    if (!s)
        return AFF_ERR_MEMORY;
    s->host = host;
    s->peer = (struct peer *)(uintptr_t)config;
    pthread_mutex_lock(&s->peer->lock);
    s->peer->host = host;
    s->peer->count = 0;
    pthread_mutex_unlock(&s->peer->lock);
    *ret_self = s;
    return AFF_OK;
}

static void late_close(void *self)
{
    struct late *s = self;

    pthread_mutex_lock(&s->peer->lock);
    s->peer->host = NULL;
    pthread_mutex_unlock(&s->peer->lock);
    s->host->free(s->host, s);
}

static aff_status late_write(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    struct late *s = self;
    struct peer *p = s->peer;

    pthread_mutex_lock(&p->lock);
    for (; *ret_taken < batch->count && p->count < PENDING; ++*ret_taken) {
        const struct aff_record *r = &batch->records[*ret_taken];

        far_end_take(&p->end, r);
        memcpy(&p->seqs[p->count], r->data, sizeof p->seqs[0]);
        p->pending[p->count++] = r->id;
    }
    pthread_mutex_unlock(&p->lock);
    return *ret_taken == batch->count ? AFF_OK : AFF_AGAIN;
}

static const struct aff_port in_any[] = { { .name = "in", .types = AFF_MASK(AFF_BYTES) } };
static const struct aff_plugin late = {
    .struct_size = sizeof late, .major = AFF_ABI_MAJOR, .kind = AFF_SINK, .flags = AFF_ACKS, .name = "late",
    .inputs = AFF_TABLE(in_any), .open = late_open, .close = late_close, .write = late_write,
};

/* ---- a pipeline: source -> late ---- */

struct bench {
    struct rig rig;
    struct part_source source;
    struct peer *peer;
    struct memkeep *keep;
    pthread_t thread;
};

static void bench_open(struct bench *b, enum when_full when_full)
{
    memset(b, 0, sizeof *b);
    b->peer = calloc(1, sizeof *b->peer);
    pthread_mutex_init(&b->peer->lock, NULL);
    b->peer->random = 1;
    b->peer->refuses = UINT64_MAX;
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
    pthread_create(&b->thread, NULL, peer_run, b->peer);
}

static void bench_close(struct bench *b)
{
    pthread_mutex_lock(&b->peer->lock);
    b->peer->ends = true;
    pthread_mutex_unlock(&b->peer->lock);
    pthread_join(b->thread, NULL);
    memkeep_close(&b->keep);
    pthread_mutex_destroy(&b->peer->lock);
    free(b->peer);
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

static void a_death_with_answers_outstanding_loses_nothing(void **state)
{
    uint64_t at, deaths = 0;
    struct bench b;

    (void)state;
    for (at = 2; at < 10; at++) {
        bench_open(&b, at % 2 ? WHEN_FULL_BLOCK : WHEN_FULL_SPILL);
        while (!live(&b, at, at % 3 == 0) && deaths < 200)
            deaths++;
        judge(&b, false);
        bench_close(&b);
    }
    assert_true(deaths > 8 && deaths < 200);
}

static void a_peer_that_never_answers_holds_the_stop_no_longer_than_a_moment(void **state)
{
    struct flow *flow;
    struct bench b;
    const char *why;

    (void)state;
    bench_open(&b, WHEN_FULL_SPILL);
    b.peer->is_silent = true;
    flow = rig_open(&b.rig, LAYOUT_NORMAL);
    memkeep_begin(b.keep, flow, 0, false);
    assert_true(flow_start(flow));
    flow_wait(flow, 50000000);
    flow_drain(flow);
    assert_true(flow_wait(flow, 10000000000));
    memkeep_end(b.keep);
    assert_int_equal(flow_failure(flow, &why), AFF_OK);
    flow_close(&flow);
    pthread_mutex_lock(&b.peer->lock);
    b.peer->is_silent = false;
    pthread_mutex_unlock(&b.peer->lock);
    while (!live(&b, 0, false))
        continue;
    judge(&b, false);
    assert_int_equal(memkeep_figures(b.keep).records, 0);
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
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
