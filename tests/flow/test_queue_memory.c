/* test_queue_memory.c - queues and windows of acks when memory is short.
 *
 * Their sources are compiled in here with an allocator that fails once, at the n-th
 * call, for every n there is. What failed is tried again, as the lane does it; then
 * all must come out.
 *
 * Needs: queue_rig.c, flow/wire.c, names*.c, kept.c, bell.c; neither queue*.c nor acks.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint32_t calls, failing;

static int fails(void)
{
    return ++calls == failing;
}

static void *short_calloc(size_t count, size_t size)
{
    return fails() ? NULL : calloc(count, size);
}

static void *short_malloc(size_t size)
{
    return fails() ? NULL : malloc(size);
}

static void *short_realloc(void *memory, size_t size)
{
    return fails() ? NULL : realloc(memory, size);
}

static void *short_aligned(size_t align, size_t size)
{
    return fails() ? NULL : aligned_alloc(align, size);
}

static char *short_strdup(const char *text)
{
    return fails() ? NULL : strdup(text);
}

#include "queue_rig.h"

#define calloc short_calloc
#define malloc short_malloc
#define realloc short_realloc
#define aligned_alloc short_aligned
#undef strdup
#define strdup short_strdup
#include "flow/acks.c"
#include "flow/queue.c"
#include "flow/queue_gather.c"
#include "flow/queue_memory.c"
#include "flow/queue_take.c"
#undef calloc
#undef malloc
#undef realloc
#undef aligned_alloc
#undef strdup

static void open_again(struct rig *r)
{
    r->queue = queue_open(&r->shape);
    if (!r->queue)
        rig_open(r);
}

static void put_again(struct rig *r, uint32_t size)
{
    struct aff_record record = { .id = { 5, ++r->number }, .size = size, .stream = r->stream };
    uint8_t *bytes = calloc(1, size);

    record.subject = r->subject;
    record.schema = r->schema;
    record.type = AFF_BYTES;
    record.data = bytes;
    if (!queue_put(r->queue, &record, 1))
        assert_true(queue_put(r->queue, &record, 1));
    free(bytes);
}

/* Reads all, in order, from `from` on. */
static void take_again(struct rig *r, uint64_t from)
{
    uint32_t n, i, idle = 0;

    while (from <= r->number) {
        n = queue_take(r->queue, r->batch, QUEUE_BATCH);
        if (n == 0) {
            assert_true(++idle < 3);
            assert_false(queue_ready(r->queue)); /* or its lane would spin */
            rig_commit(r, 1, 0);
        }
        for (i = 0; i < n; i++)
            assert_int_equal(r->batch[i].id.seq, from++);
        queue_back(r->queue);
    }
}

/* True: the n-th call was never reached. */
static bool queue_survives(uint32_t n)
{
    struct rig *r = rig_new();
    uint32_t i;

    calls = 0;
    failing = n;
    r->shape.buffer = 4096;
    open_again(r);
    for (i = 0; i < 300; i++)
        put_again(r, i == 200 ? 100000 : 100);
    queue_end_epoch(r->queue, 1);
    rig_commit(r, 1, 0);
    queue_close(&r->queue);
    open_again(r);
    for (i = 0; i < 20; i++)
        put_again(r, 500);
    take_again(r, 1);
    failing = 0;
    rig_free(r);
    return calls < n;
}

static void a_queue_loses_nothing_when_memory_is_short(void **state)
{
    uint32_t n = 1;

    (void)state;
    while (!queue_survives(n))
        n++;
    assert_true(n > 30);
}

static bool acks_survive(uint32_t n)
{
    struct rig *r = rig_new();
    struct aff_record records[8] = { 0 };
    struct acks *a;
    struct acks_item items[8];
    static uint8_t bytes[100000];
    uint32_t i;

    calls = 0;
    failing = n;
    a = acks_open(8, &r->bell);
    if (!a)
        a = acks_open(8, &r->bell);
    assert_non_null(a);
    for (i = 0; i < 8; i++)
        records[i] = (struct aff_record){ .id = { 1, i }, .data = bytes, .size = i * 10000 };
    if (!acks_offer(a, records, 8)) {
        assert_int_equal(acks_room(a), 8);
        assert_true(acks_offer(a, records, 8));
    }
    for (i = 0; i < 8; i++)
        acks_add(a, i, 1, 0);
    acks_offered(a);
    for (i = 0; i < 8; i++)
        acks_answer(a, records[i].id, AFF_OK, 0, NULL);
    assert_int_equal(acks_take(a, items, 8), 8);
    acks_close(&a);
    failing = 0;
    rig_free(r);
    return calls < n;
}

static void a_window_loses_nothing_when_memory_is_short(void **state)
{
    uint32_t n = 1;

    (void)state;
    while (!acks_survive(n))
        n++;
    assert_true(n > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_queue_loses_nothing_when_memory_is_short),
        cmocka_unit_test(a_window_loses_nothing_when_memory_is_short),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
