/* test_cell_line.c - a device in a process, in a whole pipeline: what it says comes out
 * by one way, and goes back to it as commands, whose results come out by another.
 *
 * The far end of its line is a thread of the test. It says a number, and waits for the
 * command that comes of it; it answers, and says the next when there is a result. So
 * each round is the whole way twice, and its time is measured.
 *
 * Not here: each part of it (test_cell_device.c, tests/flow/test_device.c). */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "booth.h"
#include "device.h"
#include "flow/lane.h"
#include "line.h"
#include "parts.h"
#include "rig.h"

enum { ROUNDS = 200, KILLS = 3, AGAIN_MS = 300, SOON_S = 60, SLOW_US = 20000 };

/* What the outside knows. */
struct world {
    _Atomic uint32_t results[ROUNDS];
    _Atomic uint32_t data, done, invented;
};

struct far {
    struct line line;
    struct world *world;
    _Atomic bool is_over;
    _Atomic uint32_t round;
    uint32_t times_us[ROUNDS];
    uint32_t said; /* numbers, with those that were said again */
};

/* ---- who looks ---- */

static const struct aff_port any_in[] = { { .name = "in", .types = AFF_MASK(AFF_BYTES) } };

static void nothing(void *self)
{
    (void)self;
}

static aff_status eye_open(const struct aff_host *host, const void *config, void **ret_self)
{
    (void)host;
    *ret_self = *(struct world *const *)config;
    return AFF_OK;
}

static aff_status data_write(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    (void)ret_taken;
    atomic_fetch_add(&((struct world *)self)->data, batch->count);
    return AFF_OK;
}

static aff_status results_write(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    struct world *w = self;
    uint64_t number;

    (void)ret_taken;
    for (uint32_t i = 0; i < batch->count; i++) {
        memcpy(&number, batch->records[i].data, sizeof number);
        if (number < ROUNDS)
            atomic_fetch_add(&w->results[number], 1);
        else
            atomic_fetch_add(&w->invented, 1);
        atomic_fetch_add(&w->done, 1);
    }
    return AFF_OK;
}

#define EYE(name_, write_)                                                                                      \
    { .struct_size = sizeof(struct aff_plugin), .major = AFF_ABI_MAJOR, .kind = AFF_SINK, .name = (name_),          \
      .config_size = sizeof(struct world *), .inputs = AFF_TABLE(any_in), .open = eye_open, .close = nothing,        \
      .write = (write_) }
static const struct aff_plugin data_eye = EYE("data", data_write);
static const struct aff_plugin results_eye = EYE("results", results_write);

/* ---- the far end ---- */

static int64_t now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void answer(struct far *f, int most_ms)
{
    char got[64], text[80];

    if (line_take(&f->line, most_ms, got) && got[0] == '!') {
        snprintf(text, sizeof text, "=%.60s\n", got + 1);
        line_say(&f->line, text);
    }
}

/* A number that was read by a child which died before it was booked is said again. */
static void round_do(struct far *f, uint32_t number)
{
    int64_t began = now_us(), said = 0;
    char text[32];

    snprintf(text, sizeof text, "d%u\n", number);
    while (!atomic_load(&f->is_over) && atomic_load(&f->world->results[number]) == 0) {
        if (now_us() - said > AGAIN_MS * 1000) {
            line_say(&f->line, text);
            f->said++;
            said = now_us();
        }
        answer(f, 1);
    }
    f->times_us[number] = (uint32_t)(now_us() - began);
}

static void *far_main(void *arg)
{
    struct far *f = arg;

    for (uint32_t i = 0; i < ROUNDS; i++) {
        atomic_store(&f->round, i);
        round_do(f, i);
    }
    while (!atomic_load(&f->is_over)) {
        if (atomic_load(&f->world->done) >= atomic_load(&f->world->data))
            line_say(&f->line, ".\n");
        answer(f, 50);
    }
    return NULL;
}

static int by_time(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

/* ---- the pipeline ---- */

struct bench {
    struct rig rig;
    struct world *world;
    struct device_config config;
    struct far far;
};

static void bench_open(struct bench *b, bool in_process)
{
    static struct part_orders every = { 1 };
    uint32_t d, o, data, results;

    memset(b, 0, sizeof *b);
    b->world = calloc(1, sizeof *b->world);
    assert_non_null(b->world);
    line_begin(&b->far.line);
    b->far.world = b->world;
    b->config = (struct device_config){ .path = b->far.line.name, .other = "/dev/null" };
    rig_begin(&b->rig);
    d = rig_node(&b->rig, "device", &line_device, &b->config);
    b->rig.plugins[d].options = line_device.options.items;
    b->rig.plugins[d].option_count = line_device.options.count;
    b->rig.nodes[d].in_process = in_process;
    o = rig_node(&b->rig, "orders", &part_orders, &every);
    data = rig_node(&b->rig, "data", &data_eye, &b->world);
    results = rig_node(&b->rig, "results", &results_eye, &b->world);
    rig_edge(&b->rig, d, 0, o, 0);
    rig_edge(&b->rig, o, 0, data, 0);
    rig_edge(&b->rig, d, 1, results, 0);
    rig_edge(&b->rig, o, 1, d, 0);
    b->rig.edges[3].when_full = WHEN_FULL_DROP_OLDEST;
}

static void device_kill(const struct flow *flow)
{
    struct cell_figures figures;

    cell_figures(flow->nodes[0].cell, &figures);
    if (figures.pid > 0)
        kill(figures.pid, SIGKILL);
}

/* To its end; the child is killed at some rounds. */
static void live(struct bench *b, uint32_t kills)
{
    struct flow *flow = rig_open(&b->rig, LAYOUT_NORMAL);
    const char *why = "";
    pthread_t far;

    assert_non_null(flow);
    assert_true(flow_start(flow));
    assert_int_equal(pthread_create(&far, NULL, far_main, &b->far), 0);
    for (uint32_t i = 1; i <= kills; i++) {
        while (atomic_load(&b->far.round) < i * ROUNDS / (kills + 1) && !flow_wait(flow, 1000000))
            continue;
        device_kill(flow);
    }
    if (!flow_wait(flow, SOON_S * INT64_C(1000000000)))
        flow_abort(flow);
    flow_wait(flow, -1);
    atomic_store(&b->far.is_over, true);
    pthread_join(far, NULL);
    if (flow_failure(flow, &why) != AFF_OK)
        fail_msg("%s", why);
    assert_true(flow_balances(flow));
    flow_close(&flow);
}

/* Each number that arrived was ordered once, and each order has one result. */
static void judge(struct bench *b)
{
    assert_int_equal(b->world->invented, 0);
    assert_int_equal(b->world->done, b->world->data);
    assert_true(b->world->data <= b->far.said);
    for (uint32_t i = 0; i < ROUNDS; i++)
        assert_true(b->world->results[i] >= 1);
}

static void bench_close(struct bench *b)
{
    line_end(&b->far.line);
    free(b->world);
}

/* ---- tests ---- */

static void a_round_takes_no_longer_than_its_way(void **state)
{
    struct bench b;

    (void)state;
    for (int in_process = 0; in_process < 2; in_process++) {
        bench_open(&b, in_process);
        live(&b, 0);
        judge(&b);
        qsort(b.far.times_us, ROUNDS, sizeof b.far.times_us[0], by_time);
        print_message("in a %s: %u us a round, 9 of 10 in %u us, the longest %u us\n", in_process ? "process" : "thread",
                      b.far.times_us[ROUNDS / 2], b.far.times_us[ROUNDS / 10 * 9], b.far.times_us[ROUNDS - 1]);
        /* Nobody waits for a time to pass: on a busy machine many rounds are late, and not nearly all. */
        assert_true(b.far.times_us[ROUNDS / 4] < SLOW_US);
        bench_close(&b);
    }
}

static void a_device_whose_children_are_killed_does_every_command(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b, true);
    live(&b, KILLS);
    judge(&b);
    print_message("%u numbers were said, %u arrived\n", b.far.said, b.world->data);
    bench_close(&b);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_round_takes_no_longer_than_its_way),
        cmocka_unit_test(a_device_whose_children_are_killed_does_every_command),
    };

    booth_know(&line_device);
    if (cell_child_asked(argc, argv))
        return cell_child_main(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
