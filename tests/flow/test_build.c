/* test_build.c - every step of opening a pipeline fails once.
 *
 * malloc, its relatives, mmap and pthread_create are interposed: the nth call of
 * a run fails. Whatever n is, opening says so, closes what it opened exactly
 * once, and leaves no memory, mapping or descriptor behind. */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

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

static _Atomic int64_t left = INT64_MAX; /* calls until the one that fails */
static _Atomic int64_t live;             /* blocks, while counting */
static _Atomic int64_t mapped;
static int32_t threads_left = INT32_MAX;
static int32_t opened, closed, fail_open_at;

#ifndef HAVE_OWN_MALLOC

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_memalign(size_t align, size_t size);
void __libc_free(void *memory);

static bool fails(void)
{
    return atomic_load(&left) != INT64_MAX && atomic_fetch_sub(&left, 1) == 1;
}

static void *counted(void *memory)
{
    if (memory)
        atomic_fetch_add(&live, 1);
    return memory;
}

void *malloc(size_t size)
{
    return fails() ? NULL : counted(__libc_malloc(size));
}

void *calloc(size_t count, size_t size)
{
    return fails() ? NULL : counted(__libc_calloc(count, size));
}

void *aligned_alloc(size_t align, size_t size)
{
    return fails() ? NULL : counted(__libc_memalign(align, size));
}

void free(void *memory)
{
    if (memory)
        atomic_fetch_sub(&live, 1);
    __libc_free(memory);
}

void *mmap(void *at, size_t size, int prot, int flags, int fd, off_t offset)
{
    static void *(*real)(void *, size_t, int, int, int, off_t);
    void *memory;

    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "mmap");
    if (fails()) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    memory = real(at, size, prot, flags, fd, offset);
    if (memory != MAP_FAILED && !(flags & MAP_FIXED))
        atomic_fetch_add(&mapped, 1);
    return memory;
}

int munmap(void *at, size_t size)
{
    static int (*real)(void *, size_t);

    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "munmap");
    atomic_fetch_sub(&mapped, 1);
    return real(at, size);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *), void *arg)
{
    static int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "pthread_create");
    return threads_left-- > 0 ? real(thread, attr, run, arg) : EAGAIN;
}

#endif

/* ---- plugins that count how often they are opened and closed ---- */

static aff_status counting_open(const struct aff_host *host, const void *config, void **ret_self)
{
    aff_status st = opened == fail_open_at ? AFF_ERR_IO : part_counter.open(host, config, ret_self);

    opened += st == AFF_OK;
    return st;
}

static void counting_close(void *self)
{
    closed++;
    part_counter.close(self);
}

struct line {
    struct rig rig;
    struct part_source source;
    struct part_sink sink;
    struct part_counter counter;
    struct part_judge judge;
    struct aff_plugin counting;
};

/* source -> counter with state -> judge with a hold area -> sink, and a fan-out. */
static void line_begin(struct line *l)
{
    uint32_t nodes[4];

    memset(l, 0, sizeof *l);
    rig_begin(&l->rig);
    l->source = (struct part_source){ 1000, 64, 2, 0, 1, 0 };
    l->judge.keep = 3;
    l->counting = part_counter;
    l->counting.open = counting_open;
    l->counting.close = counting_close;
    nodes[0] = rig_node(&l->rig, "source", &part_source, &l->source);
    nodes[1] = rig_node(&l->rig, "first", &l->counting, &l->counter);
    nodes[2] = rig_node(&l->rig, "second", &l->counting, &l->counter);
    nodes[3] = rig_node(&l->rig, "judge", &part_judge, &l->judge);
    rig_edge(&l->rig, nodes[0], 0, nodes[1], 0);
    rig_edge(&l->rig, nodes[1], 0, nodes[2], 0);
    rig_edge(&l->rig, nodes[2], 0, nodes[3], 0);
    rig_edge(&l->rig, nodes[3], 0, rig_node(&l->rig, "sink", &part_sink_blocking, &l->sink), 0);
    plan_layout(&l->rig.plan, LAYOUT_THREAD_PER_NODE);
    opened = closed = 0;
    fail_open_at = -1;
}

static struct flow *line_open(struct line *l, aff_status *ret_status)
{
    char why[256];

    return flow_open(&l->rig.plan, &l->rig.options, ret_status, why, sizeof why);
}

static int descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int n = 0;

    assert_non_null(dir);
    while (readdir(dir))
        n++;
    closedir(dir);
    return n;
}

static void each_failing_allocation_is_told_and_leaves_nothing_behind(void **state)
{
    static struct line line;
    int64_t n, blocks, maps;
    int fds = descriptors();
    aff_status st = AFF_ERR_MEMORY;
    struct flow *flow = NULL;

    (void)state;
#ifdef HAVE_OWN_MALLOC
    print_message("SKIP each_failing_allocation_is_told_and_leaves_nothing_behind: the sanitizer has a malloc of its own\n");
    skip();
#endif
    for (n = 1; !flow; n++) {
        line_begin(&line);
        blocks = atomic_load(&live);
        maps = atomic_load(&mapped);
        atomic_store(&left, n);
        flow = line_open(&line, &st);
        atomic_store(&left, INT64_MAX);
        if (flow)
            break;
        assert_true(st < 0);
        assert_int_equal(opened, closed);
        assert_int_equal(atomic_load(&live), blocks);
        assert_int_equal(atomic_load(&mapped), maps);
    }
    assert_in_range(n, 60, 1000);
    flow_close(&flow);
    assert_int_equal(descriptors(), fds);
}

static void a_plugin_that_cannot_be_opened_closes_those_before_it_once(void **state)
{
    static struct line line;
    int32_t k;

    (void)state;
    for (k = 0; k < 2; k++) {
        aff_status st = AFF_OK;

        line_begin(&line);
        fail_open_at = k;
        assert_null(line_open(&line, &st));
        assert_int_equal(st, AFF_ERR_IO);
        assert_int_equal(opened, k);
        assert_int_equal(closed, k);
    }
}

static void a_thread_that_cannot_be_made_ends_those_before_it(void **state)
{
    static struct line line;
    int32_t k;

    (void)state;
#ifdef HAVE_OWN_MALLOC
    print_message("SKIP a_thread_that_cannot_be_made_ends_those_before_it: the sanitizer has a pthread_create of its own\n");
    skip();
#endif
    for (k = 0; k < 5; k++) {
        aff_status st = AFF_OK;
        struct flow *flow;

        line_begin(&line);
        flow = line_open(&line, &st);
        assert_non_null(flow);
        threads_left = k;
        assert_false(flow_start(flow));
        threads_left = INT32_MAX;
        assert_true(flow_wait(flow, 60000000000));
        flow_close(&flow);
        assert_int_equal(opened, closed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_failing_allocation_is_told_and_leaves_nothing_behind),
        cmocka_unit_test(a_plugin_that_cannot_be_opened_closes_those_before_it_once),
        cmocka_unit_test(a_thread_that_cannot_be_made_ends_those_before_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
