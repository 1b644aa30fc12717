/* test_keeper.c - the one thread that writes: groups in order, nothing called safe that
 * is not, intake that waits while the disk is full, jobs between groups. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "keep/keeper.h"
#include "store_faults.h"
#include "store_kit.h"

enum { WAIT_SECONDS = 30 };

/* A data path that makes one record a group, as long as it is asked to. */
struct path {
    pthread_mutex_t lock;
    uint32_t queue;
    uint64_t wanted;    /* groups to make */
    uint64_t gathered;  /* seq of the group in the keeper's hands */
    uint64_t committed;
    uint64_t paused, resumed, failed, asked;
    bool no_memory, is_out;
    int64_t wait_ns;
    sem_t changed;
    char thread[16];
};

static bool path_gather(void *arg, struct kept_group *group, int64_t *ret_wait_ns)
{
    struct path *p = arg;
    uint8_t bytes[16384];
    bool is_more;

    pthread_mutex_lock(&p->lock);
    p->asked++;
    is_more = p->committed < p->wanted;
    *ret_wait_ns = p->wait_ns;
    p->is_out = true;
    if (is_more) {
        p->gathered = p->committed + 1;
        kit_record("q", p->gathered, bytes);
        kept_group_add(group, KEPT_PUT, p->queue, p->gathered, NULL, bytes, kit_record_size(p->gathered));
        group->failed = group->failed || p->no_memory;
    }
    pthread_getname_np(pthread_self(), p->thread, sizeof p->thread);
    pthread_mutex_unlock(&p->lock);
    sem_post(&p->changed);
    return is_more;
}

static void path_committed(void *arg)
{
    struct path *p = arg;

    pthread_mutex_lock(&p->lock);
    p->committed = p->gathered;
    pthread_mutex_unlock(&p->lock);
    sem_post(&p->changed);
}

static void path_failed(void *arg, const char *why)
{
    struct path *p = arg;

    assert_non_null(strstr(why, "nothing more can be stored"));
    pthread_mutex_lock(&p->lock);
    p->failed++;
    pthread_mutex_unlock(&p->lock);
    sem_post(&p->changed);
}

static void path_paused(void *arg, const char *why)
{
    struct path *p = arg;

    pthread_mutex_lock(&p->lock);
    *(why ? &p->paused : &p->resumed) += 1;
    pthread_mutex_unlock(&p->lock);
    sem_post(&p->changed);
}

struct rig {
    struct kit kit;
    struct path path;
    struct keeper *keeper;
    const struct kept *kept;
};

static void rig_begin(struct rig *rig)
{
    struct kept_queue queue;

    kit_begin(&rig->kit);
    assert_int_equal(kit_open(&rig->kit), STORE_OK);
    rig->path = (struct path){ .wait_ns = -1 };
    pthread_mutex_init(&rig->path.lock, NULL);
    sem_init(&rig->path.changed, 0, 0);
    rig->keeper = keeper_open(rig->kit.store);
    assert_non_null(rig->keeper);
    rig->kept = keeper_kept(rig->keeper);
    assert_true(rig->kept->queue(rig->kept->self, "q", 0, &queue));
    rig->path.queue = queue.queue;
}

static void rig_start(struct rig *rig)
{
    struct keeper_work work = { path_gather, path_committed, path_failed, path_paused, &rig->path };

    assert_true(keeper_start(rig->keeper, &work));
}

static void rig_end(struct rig *rig)
{
    keeper_close(&rig->keeper);
    fault_set(NULL);
    sem_destroy(&rig->path.changed);
    pthread_mutex_destroy(&rig->path.lock);
    kit_end(&rig->kit);
}

static void rig_want(struct rig *rig, uint64_t wanted)
{
    pthread_mutex_lock(&rig->path.lock);
    rig->path.wanted = wanted;
    pthread_mutex_unlock(&rig->path.lock);
    rig->kept->ring(rig->kept->self);
}

static uint64_t figure(struct rig *rig, const uint64_t *from)
{
    uint64_t value;

    pthread_mutex_lock(&rig->path.lock);
    value = *from;
    pthread_mutex_unlock(&rig->path.lock);
    return value;
}

/* Waits, by what the keeper says, until a figure has come to `least`. */
static void rig_wait(struct rig *rig, const uint64_t *from, uint64_t least)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += WAIT_SECONDS;
    while (figure(rig, from) < least)
        assert_int_equal(sem_timedwait(&rig->path.changed, &until), 0);
}

static void groups_are_committed_one_after_the_other(void **state)
{
    struct keeper_figures figures;
    uint64_t first, last;
    struct rig rig;

    (void)state;
    rig_begin(&rig);
    rig_start(&rig);
    rig_want(&rig, 50);
    rig_wait(&rig, &rig.path.committed, 50);
    assert_string_equal(rig.path.thread, "keeper");
    rig_want(&rig, 80);
    keeper_stop(rig.keeper); /* what is complete goes in first */
    assert_int_equal(rig.path.committed, 80);
    assert_int_equal(kit_read_all(&rig.kit, "q", rig.path.queue, &first, &last), 80);
    keeper_figures(rig.keeper, &figures);
    assert_int_equal(figures.groups, 80);
    assert_int_equal(figures.changes, 80);
    assert_true(figures.slowest_ns > 0 && figures.last_commit_ns > 0 && !figures.is_paused);
    keeper_stop(rig.keeper);
    rig_end(&rig);
}

static void it_asks_again_by_itself_where_that_was_wished(void **state)
{
    struct rig rig;

    (void)state;
    rig_begin(&rig);
    rig.path.wait_ns = 1000000;
    rig_start(&rig);
    rig_wait(&rig, &rig.path.asked, 5);
    rig_end(&rig);
}

static void while_the_disk_is_full_intake_waits_and_then_goes_on(void **state)
{
    struct fault fault = { .kind = FAULT_ERROR, .error = ENOSPC, .at = 1, .last = INT64_MAX };
    struct keeper_figures figures;
    struct rig rig;

    (void)state;
    rig_begin(&rig);
    rig_start(&rig);
    rig_want(&rig, 3);
    rig_wait(&rig, &rig.path.committed, 3);
    assert_true(rig.kept->room(rig.kept->self) > 0);
    fault_set(&fault);
    rig_want(&rig, 5);
    rig_wait(&rig, &rig.path.paused, 1);
    assert_int_equal(rig.kept->room(rig.kept->self), 0);
    assert_int_equal(figure(&rig, &rig.path.committed), 3);
    fault_set(NULL);
    rig_wait(&rig, &rig.path.resumed, 1);
    rig_wait(&rig, &rig.path.committed, 5);
    assert_true(rig.kept->room(rig.kept->self) > 0);
    assert_int_equal(rig.path.paused, 1);
    assert_int_equal(rig.path.resumed, 1);
    assert_int_equal(rig.path.failed, 0);
    keeper_figures(rig.keeper, &figures);
    assert_true(figures.retries >= 1);
    rig_end(&rig);
}

static void a_disk_that_fails_for_good_is_told_once(void **state)
{
    struct fault fault = { .kind = FAULT_ERROR, .error = EIO, .at = 1, .last = INT64_MAX, .syncs_only = true };
    struct rig rig;

    (void)state;
    rig_begin(&rig);
    rig_start(&rig);
    fault_set(&fault);
    rig_want(&rig, 2);
    rig_wait(&rig, &rig.path.failed, 1);
    fault_set(NULL);
    rig_want(&rig, 4);
    assert_int_equal(rig.kept->room(rig.kept->self), 0);
    keeper_stop(rig.keeper);
    assert_int_equal(rig.path.failed, 1);
    assert_int_equal(rig.path.committed, 0);
    rig_end(&rig);
}

static void a_group_without_memory_is_gathered_anew(void **state)
{
    struct rig rig;

    (void)state;
    rig_begin(&rig);
    rig.path.no_memory = true;
    rig_start(&rig);
    rig_want(&rig, 2);
    rig_wait(&rig, &rig.path.paused, 1);
    assert_int_equal(figure(&rig, &rig.path.committed), 0);
    pthread_mutex_lock(&rig.path.lock);
    rig.path.no_memory = false;
    pthread_mutex_unlock(&rig.path.lock);
    rig_wait(&rig, &rig.path.committed, 2);
    rig_end(&rig);
}

/* ---- jobs, and readers beside the keeper ---- */

static enum store_status job_drop(void *arg, struct store *store)
{
    char *name = arg;

    pthread_getname_np(pthread_self(), name, 16);
    return store_letter_drop(store, 1);
}

static void a_job_runs_on_the_keepers_thread(void **state)
{
    struct rig rig;
    char name[16];

    (void)state;
    rig_begin(&rig);
    kept_group_add(&rig.kit.group, KEPT_DEAD, 0, 0, NULL, "a", 1);
    assert_int_equal(kit_commit(&rig.kit), STORE_OK);
    rig_start(&rig);
    assert_int_equal(keeper_do(rig.keeper, job_drop, name), STORE_OK);
    assert_string_equal(name, "keeper");
    assert_int_equal(keeper_do(rig.keeper, job_drop, name), STORE_NONE);
    keeper_stop(rig.keeper);
    assert_int_equal(keeper_do(rig.keeper, job_drop, name), STORE_NONE);
    assert_string_not_equal(name, "keeper");
    rig_end(&rig);
}

static void *read_on(void *arg)
{
    struct rig *rig = arg;
    uint8_t *buffer = aligned_alloc(16, 65536);
    struct kept_read reads[64];
    uint64_t from = 1;
    char name[16];
    size_t need;

    while (buffer && from <= 400) {
        uint32_t count = rig->kept->read(rig->kept->self, rig->path.queue, from, false, buffer, 65536, reads, 64,
                                         &need);

        for (uint32_t i = 0; i < count; i++)
            if (reads[i].seq != from++ || !kit_record_is("q", reads[i].seq, reads[i].bytes, reads[i].size))
                abort();
        keeper_do(rig->keeper, job_drop, name);
    }
    free(buffer);
    return NULL;
}

/* What was called safe is what readers get, also while the disk fails now and then. */
static void readers_beside_it_see_whole_records(void **state)
{
    struct fault fault = { .kind = FAULT_ERROR, .error = EIO, .at = 333, .syncs_only = true };
    pthread_t threads[3];
    struct rig rig;

    (void)state;
    rig_begin(&rig);
    rig_start(&rig);
    fault_set(&fault);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_on, &rig), 0);
    rig_want(&rig, 400);
    rig_wait(&rig, &rig.path.committed, 400);
    for (size_t i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(rig.path.failed, 0);
    rig_end(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(groups_are_committed_one_after_the_other),
        cmocka_unit_test(it_asks_again_by_itself_where_that_was_wished),
        cmocka_unit_test(while_the_disk_is_full_intake_waits_and_then_goes_on),
        cmocka_unit_test(a_disk_that_fails_for_good_is_told_once),
        cmocka_unit_test(a_group_without_memory_is_gathered_anew),
        cmocka_unit_test(a_job_runs_on_the_keepers_thread),
        cmocka_unit_test(readers_beside_it_see_whole_records),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
