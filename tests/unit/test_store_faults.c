/* test_store_faults.c - the store on a disk that fails, fills up, or dies with the process.
 *
 * A small model says what must be there: group n puts five records, says "n" in a
 * piece of state, and acks what group n - 3 put. Whatever happened, the store must
 * look like the model after some n, and never like one before the last that was
 * called durable. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store_faults.h"
#include "store_kit.h"

enum { PER_GROUP = 5, BEHIND = 3 };
#define QUEUE "monitor.data>archive.in"

static void model_group(struct kit *k, uint32_t queue, uint64_t n)
{
    char text[32];

    kept_group_clear(&k->group);
    for (uint64_t i = (n - 1) * PER_GROUP + 1; i <= n * PER_GROUP; i++)
        kit_put(k, QUEUE, queue, i);
    snprintf(text, sizeof text, "%llu", (unsigned long long)n);
    kept_group_add(&k->group, KEPT_STATE, 0, 0, "n", text, strlen(text));
    kept_group_add(&k->group, KEPT_STATE, 0, 0, "n again", text, strlen(text));
    if (n > BEHIND)
        kept_group_add(&k->group, KEPT_ACK_UPTO, queue, (n - BEHIND) * PER_GROUP, NULL, NULL, 0);
}

/* What the store says: after which group it stands. Asserts that it is one. `ahead`: acks
 * of the group after it may be in alone. */
static uint64_t model_check(struct kit *k, bool ahead)
{
    struct kept_queue q = kit_queue(k, QUEUE);
    void *bytes = NULL, *again = NULL;
    uint64_t first, last, all, n = 0, acked;
    size_t size, size_again;
    char text[32] = "";

    if (store_state(k->store, "n", &bytes, &size) == STORE_OK) {
        assert_true(size < sizeof text);
        memcpy(text, bytes, size);
        n = strtoull(text, NULL, 10);
        assert_int_equal(store_state(k->store, "n again", &again, &size_again), STORE_OK);
        assert_true(size == size_again && !memcmp(bytes, again, size));
    }
    free(bytes);
    free(again);
    all = kit_read_all(k, QUEUE, q.queue, &first, &last);
    assert_int_equal(all, q.records);
    acked = n > BEHIND ? (n - BEHIND) * PER_GROUP : 0;
    if (ahead && all > 0 && first > acked + 1)
        acked = first - 1;
    assert_int_equal(all, n * PER_GROUP - acked);
    assert_true(all == 0 || (first == acked + 1 && last == n * PER_GROUP));
    assert_int_equal(q.next, n * PER_GROUP + 1);
    return n;
}

/* Groups up to `most`, each tried again until it is in; how many failed tries there were. */
static uint64_t model_run(struct kit *k, uint64_t from, uint64_t most)
{
    struct kept_queue q = kit_queue(k, QUEUE);
    uint64_t failed = 0;

    for (uint64_t n = from; n <= most; n++) {
        enum store_status status;

        model_group(k, q.queue, n);
        while ((status = store_commit(k->store, &k->group)) != STORE_OK) {
            failed++;
            assert_true(status == STORE_IO || status == STORE_FULL);
            assert_true(failed < 20);
        }
    }
    return failed;
}

/* One fault at each call of a run in turn. */
static void each_call_fails_once(const struct fault *like, int *ret_points)
{
    struct fault fault = *like;
    struct kit k;

    for (fault.at = 1;; fault.at++) {
        uint64_t failed;
        bool is_over;

        kit_begin(&k);
        assert_int_equal(kit_open(&k), STORE_OK);
        kit_queue(&k, QUEUE);
        fault.last = 0;
        fault_set(&fault);
        failed = model_run(&k, 1, 8);
        is_over = fault_calls() < fault.at;
        fault_set(NULL);
        assert_int_equal(model_check(&k, false), 8);
        kit_close(&k);
        assert_int_equal(kit_open(&k), STORE_OK);
        assert_string_equal(store_opened(k.store), "");
        assert_int_equal(model_check(&k, false), 8);
        kit_end(&k);
        if (is_over)
            break;
        assert_true(failed <= 2);
        (*ret_points)++;
    }
}

static void an_error_at_any_write_or_sync_is_tried_again_and_nothing_is_lost(void **state)
{
    static const struct fault faults[] = {
        { .kind = FAULT_ERROR, .error = EIO },
        { .kind = FAULT_ERROR, .error = ENOSPC },
        { .kind = FAULT_SHORT, .error = EIO, .writes_only = true },
        { .kind = FAULT_REVERT, .error = EIO },
    };
    int points = 0;

    (void)state;
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
        each_call_fails_once(&faults[i], &points);
    print_message("%d points\n", points);
    assert_true(points > 60);
}

static void a_disk_that_fails_for_good_is_given_up_after_three_tries(void **state)
{
    struct fault fault = { .kind = FAULT_ERROR, .error = EIO, .at = 1, .last = INT64_MAX, .syncs_only = true };
    struct kept_queue q;
    struct kit k;

    (void)state;
    kit_begin(&k);
    assert_int_equal(kit_open(&k), STORE_OK);
    model_run(&k, 1, 5);
    q = kit_queue(&k, QUEUE);
    model_group(&k, q.queue, 6);
    fault_set(&fault);
    assert_int_equal(store_commit(k.store, &k.group), STORE_IO);
    assert_int_equal(store_commit(k.store, &k.group), STORE_IO);
    assert_int_equal(store_commit(k.store, &k.group), STORE_BAD);
    fault_set(NULL);
    assert_int_equal(store_commit(k.store, &k.group), STORE_BAD);
    kit_close(&k);
    assert_int_equal(kit_open(&k), STORE_OK);
    assert_int_equal(model_check(&k, false), 5);
    kit_end(&k);
}

static bool letter_count(void *arg, uint64_t number, const void *bytes, size_t size)
{
    (void)number;
    (void)bytes;
    (void)size;
    ++*(uint64_t *)arg;
    return true;
}

/* The write that makes a group count is done and said to have failed, and LMDB cannot
 * take it back: the file shows the group, and nobody knows whether the disk has it. It
 * is not called safe before a sync went well, and then its letter is there once. */
static void a_group_that_only_seems_to_be_in_is_neither_believed_nor_put_twice(void **state)
{
    struct fault fault = { .kind = FAULT_LATE, .error = EIO };
    int seemed = 0;

    (void)state;
    for (int i = 0; i < 24; i++) {
        enum store_status status = STORE_OK;
        uint64_t n, letters = 0;
        struct kept_queue q;
        struct kit k;

        kit_begin(&k);
        assert_int_equal(kit_open(&k), STORE_OK);
        q = kit_queue(&k, QUEUE);
        fault.at = i / 2 + 1;
        fault.last = i % 2 ? INT64_MAX : fault.at + 1;
        fault_set(&fault);
        for (n = 1; status == STORE_OK && n < 10; n++) {
            model_group(&k, q.queue, n);
            kept_group_add(&k.group, KEPT_DEAD, 0, 0, NULL, "letter", 6);
            status = store_commit(k.store, &k.group);
        }
        if (i % 2)
            assert_int_equal(status, STORE_IO);
        seemed += status != STORE_OK && kit_queue(&k, QUEUE).next == (n - 1) * PER_GROUP + 1;
        fault_set(NULL);
        if (status != STORE_OK)
            assert_int_equal(store_commit(k.store, &k.group), STORE_OK);
        assert_int_equal(model_check(&k, false), n - 1);
        assert_int_equal(store_letters(k.store, letter_count, &letters), STORE_OK);
        assert_int_equal(letters, n - 1);
        kit_end(&k);
    }
    assert_true(seemed >= 2);
}

/* Behind the sync of the pages: the group's number is in the file, and that is no proof. */
static void a_sync_that_failed_is_not_taken_for_success(void **state)
{
    struct fault fault = { .kind = FAULT_ERROR, .error = EIO, .last = INT64_MAX };
    struct kit k;

    (void)state;
    for (fault.at = 1; fault.at < 12; fault.at++) {
        enum store_status status = STORE_OK;
        struct kept_queue q;
        uint64_t n;

        kit_begin(&k);
        assert_int_equal(kit_open(&k), STORE_OK);
        q = kit_queue(&k, QUEUE);
        fault_set(&fault);
        for (n = 1; status == STORE_OK && n < 20; n++) {
            model_group(&k, q.queue, n);
            status = store_commit(k.store, &k.group);
        }
        assert_int_equal(status, STORE_IO);
        assert_int_not_equal(store_commit(k.store, &k.group), STORE_OK);
        fault_set(NULL);
        assert_int_equal(store_commit(k.store, &k.group), STORE_OK);
        assert_int_equal(model_check(&k, false), n - 1);
        kit_end(&k);
    }
}

static void a_full_disk_takes_acks_and_goes_on_when_there_is_room(void **state)
{
    struct fault fault = { .kind = FAULT_ERROR, .error = ENOSPC, .at = 1, .last = INT64_MAX };
    char path[KIT_PATH];
    struct kept_queue q;
    struct stat st;
    struct kit k;

    (void)state;
    kit_begin(&k);
    assert_int_equal(kit_open(&k), STORE_OK);
    model_run(&k, 1, 9);
    q = kit_queue(&k, QUEUE);
    model_group(&k, q.queue, 10);
    fault_set(&fault);
    for (int i = 0; i < 6; i++)
        assert_int_equal(store_commit(k.store, &k.group), STORE_FULL);
    kit_path(&k, "store/ballast", path);
    assert_int_equal(stat(path, &st), -1);
    fault_set(NULL);
    assert_int_equal(store_commit(k.store, &k.group), STORE_OK);
    assert_int_equal(model_check(&k, false), 10);
    assert_int_equal(stat(path, &st), 0);
    kit_end(&k);
}

/* ---- a real disk that is small ---- */

static bool small_disk_mount(const char *folder)
{
    if (mount("afferent-test", folder, "tmpfs", 0, "size=12m,mode=700") == 0)
        return true;
    print_message("skip: no tmpfs can be mounted here\n");
    return false;
}

static void brim_fill(const char *path, uint64_t leave)
{
    static const uint8_t bytes[4096];
    struct statvfs st;
    FILE *file = fopen(path, "ab");

    assert_non_null(file);
    setvbuf(file, NULL, _IONBF, 0);
    while (statvfs(path, &st) == 0 && (uint64_t)st.f_bavail * st.f_bsize > leave &&
           fwrite(bytes, sizeof bytes, 1, file) == 1)
        continue;
    fclose(file);
}

static void cycles_of_a_full_disk_lose_nothing(void **state)
{
    char path[KIT_PATH];
    uint64_t n = 1, full = 0, random = 7;
    struct kept_queue q;
    struct kit k;

    (void)state;
    kit_begin(&k);
    if (!small_disk_mount(k.folder)) {
        kit_end(&k);
        skip();
    }
    assert_int_equal(kit_open(&k), STORE_OK);
    q = kit_queue(&k, QUEUE);
    kit_path(&k, "other", path);
    for (int cycle = 0; cycle < 100; cycle++) {
        enum store_status status = STORE_OK;

        for (int i = 0; i < 6; i++) {
            model_group(&k, q.queue, n++);
            assert_int_equal(store_commit(k.store, &k.group), STORE_OK);
        }
        brim_fill(path, kit_random(&random) % 5 * 4096);
        for (int i = 0; i < 40 && status == STORE_OK; i++) {
            model_group(&k, q.queue, n++);
            status = store_commit(k.store, &k.group);
            brim_fill(path, 0);
        }
        full += status == STORE_FULL;
        if (status == STORE_FULL)
            assert_int_equal(store_commit(k.store, &k.group) == STORE_BAD, 0);
        if (cycle % 10 == 9) { /* a start on the full disk */
            kit_close(&k);
            status = kit_open(&k);
            if (status != STORE_OK) {
                assert_int_equal(status, STORE_FULL);
                assert_int_equal(unlink(path), 0);
                assert_int_equal(kit_open(&k), STORE_OK);
            }
            n = model_check(&k, true) + 1;
            q = kit_queue(&k, QUEUE);
            model_group(&k, q.queue, n++);
        }
        unlink(path);
        assert_int_equal(store_commit(k.store, &k.group), STORE_OK);
        assert_int_equal(model_check(&k, false), n - 1);
    }
    print_message("%llu of 100 cycles ended full\n", (unsigned long long)full);
    assert_true(full > 5);
    kit_close(&k);
    umount2(k.folder, MNT_DETACH);
    kit_end(&k);
}

/* A group that does not fit, with acks: they are committed alone, unless letters stand in
 * it, or it was asked for that acks wait. */
static void acks_go_alone_where_they_may(void **state)
{
    enum { LARGE = 10 << 20 };
    uint8_t *large = calloc(1, LARGE);
    char path[KIT_PATH];

    (void)state;
    assert_non_null(large);
    for (int way = 0; way < 3; way++) {
        uint64_t first, last;
        struct kept_queue q;
        struct kit k;

        kit_begin(&k);
        if (!small_disk_mount(k.folder)) {
            kit_end(&k);
            free(large);
            skip();
        }
        k.acks_wait = way == 1;
        assert_int_equal(kit_open(&k), STORE_OK);
        model_run(&k, 1, 60);
        q = kit_queue(&k, QUEUE);
        kit_path(&k, "other", path);
        brim_fill(path, 0);
        kept_group_clear(&k.group);
        kept_group_add(&k.group, KEPT_ACK_UPTO, q.queue, 290, NULL, NULL, 0);
        kept_group_add(&k.group, KEPT_ACK, q.queue, 292, NULL, NULL, 0);
        kept_group_add(&k.group, KEPT_PUT, q.queue, 301, NULL, large, LARGE);
        if (way == 2)
            kept_group_add(&k.group, KEPT_DEAD, 0, 0, NULL, "letter", 6);
        assert_int_equal(store_commit(k.store, &k.group), STORE_FULL);
        assert_int_equal(kit_read_all(&k, QUEUE, q.queue, &first, &last), way == 0 ? 9 : 15);
        assert_int_equal(first, way == 0 ? 291 : 286);
        assert_int_equal(last, 300);
        kit_close(&k);
        umount2(k.folder, MNT_DETACH);
        kit_end(&k);
    }
    free(large);
}

static void a_limit_of_the_file_size_is_a_full_disk(void **state)
{
    static const uint8_t large[60000];
    struct rlimit before, limit;
    struct kept_queue q;
    struct kit k;
    enum store_status status = STORE_OK;
    uint64_t n;

    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    kit_begin(&k);
    assert_int_equal(kit_open(&k), STORE_OK);
    q = kit_queue(&k, QUEUE);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = before;
    limit.rlim_cur = 100000;
    setrlimit(RLIMIT_FSIZE, &limit);
    for (n = 1; n < 200 && status == STORE_OK; n++) {
        model_group(&k, q.queue, n);
        kept_group_add(&k.group, KEPT_STATE, 0, 0, "large", large, 20000 + (size_t)n * 3000 % 40000);
        status = store_commit(k.store, &k.group);
    }
    assert_int_equal(status, STORE_FULL);
    assert_int_equal(store_commit(k.store, &k.group), STORE_FULL);
    assert_int_equal(store_commit(k.store, &k.group), STORE_FULL);
    assert_int_equal(store_commit(k.store, &k.group), STORE_FULL);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_int_equal(store_commit(k.store, &k.group), STORE_OK);
    assert_int_equal(model_check(&k, false), n - 1);
    kit_end(&k);
}

/* ---- kills ---- */

/* Writes groups for ever; says on the pipe which are durable. */
static void child_write(struct kit *k, int pipe_end, const struct fault *fault)
{
    uint64_t n;
    struct kept_queue q;

    if (fault)
        fault_set(fault);
    if (kit_open(k) != STORE_OK)
        _exit(3);
    n = model_check(k, false);
    q = kit_queue(k, QUEUE);
    for (;;) {
        model_group(k, q.queue, ++n);
        if (store_commit(k->store, &k->group) != STORE_OK || write(pipe_end, &n, sizeof n) != sizeof n)
            _exit(4);
    }
}

static uint64_t kill_once(struct kit *k, const struct fault *fault, unsigned after_us, uint64_t *ret_said)
{
    int ends[2], status;
    uint64_t n;
    pid_t child;

    assert_int_equal(pipe(ends), 0);
    child = fork();
    if (child == 0) {
        close(ends[0]);
        child_write(k, ends[1], fault);
    }
    close(ends[1]);
    if (!fault) {
        usleep(after_us);
        kill(child, SIGKILL);
    }
    while (read(ends[0], &n, sizeof n) == sizeof n)
        *ret_said = n;
    close(ends[0]);
    waitpid(child, &status, 0);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    assert_int_equal(kit_open(k), STORE_OK);
    assert_string_equal(store_opened(k->store), "");
    n = model_check(k, false);
    kit_close(k);
    return n;
}

static void a_killed_writer_leaves_whole_groups(void **state)
{
    uint64_t said = 0, random = 99, inside = 0;
    struct kit k;

    (void)state;
    kit_begin(&k);
    for (int i = 0; i < 160; i++) {
        struct fault fault = { .kind = FAULT_KILL, .at = 1 + (int64_t)(kit_random(&random) % 60) };
        uint64_t n = kill_once(&k, i % 2 ? &fault : NULL, 500 + (unsigned)(kit_random(&random) % 30000), &said);

        assert_true(n >= said && n <= said + 1);
        inside += n > said;
        said = n;
    }
    print_message("%llu groups; %llu kills between commit and answer\n", (unsigned long long)said,
                  (unsigned long long)inside);
    kit_end(&k);
}

static void a_killed_creation_is_begun_anew(void **state)
{
    struct kit k;
    bool is_over = false;

    (void)state;
    for (int64_t at = 1; !is_over; at++) {
        struct fault fault = { .kind = FAULT_KILL, .at = at };
        int status;
        pid_t child;

        kit_begin(&k);
        child = fork();
        if (child == 0) {
            fault_set(&fault);
            _exit(kit_open(&k) == STORE_OK ? 0 : 1);
        }
        waitpid(child, &status, 0);
        is_over = WIFEXITED(status);
        assert_true(!is_over || WEXITSTATUS(status) == 0);
        assert_int_equal(kit_open(&k), STORE_OK);
        assert_string_equal(store_opened(k.store), "");
        assert_int_equal(kit_files(&k, "store.new"), 0);
        model_run(&k, 1, 2);
        assert_int_equal(model_check(&k, false), 2);
        kit_end(&k);
        assert_true(at < 400);
    }
}

/* Damaged, and killed at each step of mending that: in the end all that was good is there. */
static void a_killed_mending_is_begun_anew(void **state)
{
    static const uint8_t noise[8192] = { 1, 2, 3 };
    bool is_over = false;

    (void)state;
    for (int64_t at = 1; !is_over; at++) {
        struct fault fault = { .kind = FAULT_KILL, .at = at };
        char path[KIT_PATH];
        struct kit k;
        FILE *file;
        int status;
        pid_t child;

        kit_begin(&k);
        assert_int_equal(kit_open(&k), STORE_OK);
        model_run(&k, 1, 7);
        kit_close(&k);
        kit_path(&k, "store/data.mdb", path);
        file = fopen(path, "r+b");
        assert_true(file && fwrite(noise, sizeof noise, 1, file) == 1 && fclose(file) == 0);
        child = fork();
        if (child == 0) {
            fault_set(&fault);
            _exit(kit_open(&k) == STORE_OK ? 0 : 1);
        }
        waitpid(child, &status, 0);
        is_over = WIFEXITED(status);
        assert_true(!is_over || WEXITSTATUS(status) == 0);
        assert_int_equal(kit_open(&k), STORE_OK);
        assert_true(kit_files(&k, "damaged-") >= 1);
        assert_int_equal(kit_files(&k, "store.new"), 0);
        assert_int_equal(model_check(&k, false), 7);
        kit_end(&k);
        assert_true(at < 100);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_error_at_any_write_or_sync_is_tried_again_and_nothing_is_lost),
        cmocka_unit_test(a_disk_that_fails_for_good_is_given_up_after_three_tries),
        cmocka_unit_test(a_group_that_only_seems_to_be_in_is_neither_believed_nor_put_twice),
        cmocka_unit_test(a_sync_that_failed_is_not_taken_for_success),
        cmocka_unit_test(a_full_disk_takes_acks_and_goes_on_when_there_is_room),
        cmocka_unit_test(cycles_of_a_full_disk_lose_nothing),
        cmocka_unit_test(acks_go_alone_where_they_may),
        cmocka_unit_test(a_limit_of_the_file_size_is_a_full_disk),
        cmocka_unit_test(a_killed_writer_leaves_whole_groups),
        cmocka_unit_test(a_killed_creation_is_begun_anew),
        cmocka_unit_test(a_killed_mending_is_begun_anew),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
