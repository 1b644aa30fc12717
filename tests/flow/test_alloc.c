/* test_alloc.c - after warm-up the data path allocates nothing.
 *
 * malloc and its relatives are interposed in this program: while `armed`, every
 * call of any thread is counted. The pipeline has threads, a fan-out with a
 * planned copy, verdicts, emits and holds, epochs and marks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "parts.h"
#include "rig.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAVE_OWN_MALLOC 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HAVE_OWN_MALLOC 1
#endif
#endif

static _Atomic bool armed;
static _Atomic uint64_t calls;

#ifndef HAVE_OWN_MALLOC

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t align, size_t size);

static void counted(void)
{
    if (atomic_load_explicit(&armed, memory_order_relaxed))
        atomic_fetch_add(&calls, 1);
}

void *malloc(size_t size)
{
    counted();
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    counted();
    return __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
    counted();
    return __libc_realloc(memory, size);
}

void *aligned_alloc(size_t align, size_t size)
{
    counted();
    return __libc_memalign(align, size);
}

#endif

static uint8_t some(uint64_t seq)
{
    return seq % 10 == 3 ? JUDGE_HOLD : seq % 10 == 4 ? JUDGE_DROP : JUDGE_PASS;
}

static uint32_t few(uint64_t seq)
{
    return seq % 5 == 0 ? 2 : 0;
}

static void wait_made(struct flow *flow, uint64_t records)
{
    struct flow_node node;

    do
        flow_node(flow, 0, &node);
    while (node.account.made < records);
}

static void nothing_is_allocated_after_warm_up(void **state)
{
    static struct rig rig;
    static struct part_sink sinks[2];
    struct part_source source = { .records = UINT32_MAX, .size = 64, .streams = 8, .ends = 1 };
    struct part_edit edit = { 1 };
    struct part_judge judge = { .judge = some, .emits = few, .keep = 20 };
    struct part_counter counter = { 0 };
    struct flow *flow;
    uint32_t nodes[6];

    (void)state;
#ifdef HAVE_OWN_MALLOC
    print_message("SKIP nothing_is_allocated_after_warm_up: the sanitizer has a malloc of its own\n");
    skip();
#endif
    rig_begin(&rig);
    rig.plan.commit_records = 2000;
    nodes[0] = rig_node(&rig, "source", &part_source, &source);
    nodes[1] = rig_node(&rig, "edit", &part_edit, &edit);
    nodes[2] = rig_node(&rig, "judge", &part_judge, &judge);
    nodes[3] = rig_node(&rig, "counter", &part_counter, &counter);
    nodes[4] = rig_node(&rig, "sink", &part_sink_blocking, &sinks[0]);
    nodes[5] = rig_node(&rig, "other", &part_sink_blocking, &sinks[1]);
    rig_edge(&rig, nodes[0], 0, nodes[1], 0);
    rig_edge(&rig, nodes[1], 0, nodes[2], 0);
    rig_edge(&rig, nodes[2], 0, nodes[3], 0);
    rig_edge(&rig, nodes[3], 0, nodes[4], 0);
    rig_edge(&rig, nodes[0], 0, nodes[5], 0);
    flow = rig_open(&rig, LAYOUT_THREAD_PER_NODE);
    assert_non_null(flow);
    assert_true(flow_start(flow));
    wait_made(flow, 20000);
    atomic_store(&armed, true);
    wait_made(flow, 300000);
    atomic_store(&armed, false);
    flow_drain(flow);
    assert_true(flow_wait(flow, -1));
    assert_int_equal(atomic_load(&calls), 0);
    assert_true(flow_balances(flow));
    flow_close(&flow);
}

static void the_counter_sees_an_allocation(void **state)
{
    void *volatile seen; /* volatile: else the pair is optimized away */
    uint64_t before = atomic_load(&calls);

    (void)state;
#ifdef HAVE_OWN_MALLOC
    print_message("SKIP the_counter_sees_an_allocation: the sanitizer has a malloc of its own\n");
    skip();
#endif
    atomic_store(&armed, true);
    seen = malloc(5);
    free(seen);
    atomic_store(&armed, false);
    assert_true(atomic_load(&calls) > before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_allocated_after_warm_up),
        cmocka_unit_test(the_counter_sees_an_allocation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
