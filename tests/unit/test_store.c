/* test_store.c - the store in good days: what is committed is there, and nothing else;
 * who may open it; keys; letters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store_kit.h"

static const uint8_t key_one[KIT_KEY] = "one key of thirty two bytes 1234";
static const uint8_t key_two[KIT_KEY] = "another key of thirty two bytes!";

static void state_put(struct kit *k, const char *name, const char *text)
{
    kept_group_add(&k->group, KEPT_STATE, 0, 0, name, text, strlen(text));
}

static void a_group_is_there_after_the_next_start(void **state)
{
    struct kit k;
    struct kept_queue q;
    uint64_t first, last;

    (void)state;
    kit_begin(&k);
    assert_int_equal(kit_open(&k), STORE_OK);
    q = kit_queue(&k, "ecg.out>archive.in");
    assert_int_equal(q.first, 1);
    assert_int_equal(q.next, 1);
    for (uint64_t i = 1; i <= 500; i++)
        kit_put(&k, "ecg.out>archive.in", q.queue, i);
    state_put(&k, "position", "here");
    assert_int_equal(kit_commit(&k), STORE_OK);
    kit_close(&k);

    assert_int_equal(kit_open(&k), STORE_OK);
    assert_string_equal(store_opened(k.store), "");
    q = kit_queue(&k, "ecg.out>archive.in");
    assert_int_equal(q.first, 1);
    assert_int_equal(q.next, 501);
    assert_int_equal(q.records, 500);
    assert_int_equal(kit_read_all(&k, "ecg.out>archive.in", q.queue, &first, &last), 500);
    assert_int_equal(first, 1);
    assert_int_equal(last, 500);
    assert_true(kit_state_is(&k, "position", "here"));
    assert_true(kit_state_is(&k, "nothing", NULL));
    kit_end(&k);
}

static void acks_remove_and_the_next_number_stays_above(void **state)
{
    struct kit k;
    struct kept_queue q;
    uint64_t first, last;

    (void)state;
    kit_begin(&k);
    assert_int_equal(kit_open(&k), STORE_OK);
    q = kit_queue(&k, "q");
    for (uint64_t i = 1; i <= 20; i++)
        kit_put(&k, "q", q.queue, i);
    assert_int_equal(kit_commit(&k), STORE_OK);
    kept_group_add(&k.group, KEPT_ACK_UPTO, q.queue, 10, NULL, NULL, 0);
    kept_group_add(&k.group, KEPT_ACK, q.queue, 12, NULL, NULL, 0);
    kept_group_add(&k.group, KEPT_ACK, q.queue, 12, NULL, NULL, 0);
    kept_group_add(&k.group, KEPT_ACK, q.queue, 999, NULL, NULL, 0);
    assert_int_equal(kit_commit(&k), STORE_OK);
    assert_int_equal(kit_read_all(&k, "q", q.queue, &first, &last), 9);
    assert_int_equal(first, 11);
    kept_group_add(&k.group, KEPT_ACK_UPTO, q.queue, 20, NULL, NULL, 0);
    assert_int_equal(kit_commit(&k), STORE_OK);
    kit_close(&k);

    assert_int_equal(kit_open(&k), STORE_OK);
    q = kit_queue(&k, "q");
    assert_int_equal(q.records, 0);
    assert_int_equal(q.bytes, 0);
    assert_int_equal(q.first, 21);
    assert_int_equal(q.next, 21);
    kit_end(&k);
}

/* A group that is tried again after a failure puts what may be there. */
static void a_record_that_is_stored_is_left_as_it_is(void **state)
{
    struct kit k;
    struct kept_queue q;
    uint64_t first, last;

    (void)state;
    kit_begin(&k);
    assert_int_equal(kit_open(&k), STORE_OK);
    q = kit_queue(&k, "q");
    kit_put(&k, "q", q.queue, 5);
    kit_put(&k, "q", q.queue, 9);
    assert_int_equal(kit_commit(&k), STORE_OK);
    kept_group_add(&k.group, KEPT_PUT, q.queue, 5, NULL, "other", 5);
    kept_group_add(&k.group, KEPT_PUT, q.queue, 9, NULL, "other", 5);
    kit_put(&k, "q", q.queue, 7);
    assert_int_equal(kit_commit(&k), STORE_OK);
    assert_int_equal(kit_read_all(&k, "q", q.queue, &first, &last), 3);
    kit_end(&k);
}

static void records_are_read_downwards_too(void **state)
{
    uint8_t buffer[8192] __attribute__((aligned(16)));
    struct kept_read reads[8];
    struct kept_queue q;
    struct kit k;
    size_t need;

    (void)state;
    kit_begin(&k);
    assert_int_equal(kit_open(&k), STORE_OK);
    q = kit_queue(&k, "q");
    for (uint64_t i = 1; i <= 12; i++)
        kit_put(&k, "q", q.queue, i);
    kept_group_add(&k.group, KEPT_ACK, q.queue, 9, NULL, NULL, 0);
    assert_int_equal(kit_commit(&k), STORE_OK);
    kept_group_add(&k.group, KEPT_ACK, q.queue, 9, NULL, NULL, 0);
    assert_int_equal(kit_commit(&k), STORE_OK);
    assert_int_equal(store_read(k.store, q.queue, UINT64_MAX, true, buffer, sizeof buffer, reads, 3, &need), 3);
    assert_int_equal(reads[0].seq, 12);
    assert_int_equal(reads[2].seq, 10);
    assert_int_equal(store_read(k.store, q.queue, 9, true, buffer, sizeof buffer, reads, 2, &need), 2);
    assert_int_equal(reads[0].seq, 8);
    assert_int_equal(store_read(k.store, q.queue, 0, true, buffer, sizeof buffer, reads, 2, &need), 0);
    assert_int_equal(store_read(k.store, q.queue, 13, false, buffer, sizeof buffer, reads, 2, &need), 0);
    assert_int_equal(need, 0);
    kit_end(&k);
}

static void a_record_that_does_not_fit_says_what_it_needs(void **state)
{
    uint8_t buffer[64] __attribute__((aligned(16)));
    struct kept_read reads[8];
    struct kept_queue q;
    struct kit k;
    size_t need = 0;

    (void)state;
    kit_begin(&k);
    assert_int_equal(kit_open(&k), STORE_OK);
    q = kit_queue(&k, "q");
    kit_put(&k, "q", q.queue, 17);
    assert_int_equal(kit_commit(&k), STORE_OK);
    assert_int_equal(store_read(k.store, q.queue, 0, false, buffer, sizeof buffer, reads, 8, &need), 0);
    assert_int_equal(need, kit_record_size(17));
    assert_int_equal(store_read(k.store, 77, 0, false, buffer, sizeof buffer, reads, 8, &need), 0);
    kit_end(&k);
}

static void a_piece_of_state_is_replaced_and_removed(void **state)
{
    struct kit k;

    (void)state;
    kit_begin(&k);
    assert_int_equal(kit_open(&k), STORE_OK);
    state_put(&k, "a", "one");
    state_put(&k, "b", "two");
    assert_int_equal(kit_commit(&k), STORE_OK);
    state_put(&k, "a", "three");
    state_put(&k, "b", "");
    state_put(&k, "c", "");
    assert_int_equal(kit_commit(&k), STORE_OK);
    assert_true(kit_state_is(&k, "a", "three"));
    assert_true(kit_state_is(&k, "b", NULL));
    kit_end(&k);
}

/* What is counted while it runs is what the walk at the next start counts. */
static void used_bytes_stay_right_over_restarts(void **state)
{
    struct store_figures before, after;
    struct kept_queue q;
    struct kit k;

    (void)state;
    for (int sealed = 0; sealed < 2; sealed++) {
        kit_begin(&k);
        k.key = sealed ? key_one : NULL;
        assert_int_equal(kit_open(&k), STORE_OK);
        q = kit_queue(&k, "q");
        for (uint64_t i = 1; i <= 300; i++)
            kit_put(&k, "q", q.queue, i);
        state_put(&k, "a", "some bytes");
        kept_group_add(&k.group, KEPT_DEAD, 0, 0, NULL, "letter", 6);
        assert_int_equal(kit_commit(&k), STORE_OK);
        state_put(&k, "a", "more bytes than these were before");
        kept_group_add(&k.group, KEPT_ACK_UPTO, q.queue, 100, NULL, NULL, 0);
        kept_group_add(&k.group, KEPT_ACK, q.queue, 170, NULL, NULL, 0);
        assert_int_equal(kit_commit(&k), STORE_OK);
        assert_int_equal(store_figures(k.store, &before), STORE_OK);
        assert_true(store_room(k.store) == k.limit - before.used);
        kit_close(&k);
        assert_int_equal(kit_open(&k), STORE_OK);
        assert_int_equal(store_figures(k.store, &after), STORE_OK);
        assert_int_equal(after.used, before.used);
        assert_int_equal(after.incarnation, before.incarnation + 1);
        assert_true(after.group > before.group);
        assert_int_equal(after.is_sealed, sealed);
        kit_end(&k);
    }
}

static bool letter_count(void *arg, uint64_t number, const void *bytes, size_t size)
{
    uint64_t *numbers = arg;

    assert_true(size == 3 && !memcmp(bytes, "abc", 3));
    numbers[++numbers[0]] = number;
    return true;
}

static void a_letter_is_tried_again_or_dropped_and_its_number_is_not_used_again(void **state)
{
    uint8_t buffer[256] __attribute__((aligned(16)));
    uint64_t numbers[16] = { 0 };
    struct kept_read reads[4];
    void *bytes = NULL;
    size_t size, need;
    struct kit k;

    (void)state;
    kit_begin(&k);
    assert_int_equal(kit_open(&k), STORE_OK);
    for (int i = 0; i < 3; i++)
        kept_group_add(&k.group, KEPT_DEAD, 0, 0, NULL, "abc", 3);
    assert_int_equal(kit_commit(&k), STORE_OK);
    assert_int_equal(store_letters(k.store, letter_count, numbers), STORE_OK);
    assert_int_equal(numbers[0], 3);
    assert_int_equal(store_letter(k.store, numbers[2], &bytes, &size), STORE_OK);
    free(bytes);
    assert_int_equal(store_letter_retry(k.store, numbers[2], "sink", "abd", 3), STORE_OK);
    assert_int_equal(store_letter_retry(k.store, numbers[2], "sink", "abd", 3), STORE_NONE);
    assert_int_equal(store_letter_drop(k.store, numbers[3]), STORE_OK);
    assert_int_equal(store_letter_drop(k.store, numbers[3]), STORE_NONE);
    assert_int_equal(store_letter(k.store, numbers[2], &bytes, &size), STORE_NONE);
    kit_close(&k);
    assert_int_equal(kit_open(&k), STORE_OK);
    assert_int_equal(store_retries(k.store, "sin", 0, buffer, sizeof buffer, reads, 4, &need), 0);
    assert_int_equal(store_retries(k.store, "sink", 0, buffer, sizeof buffer, reads, 4, &need), 1);
    assert_int_equal(reads[0].seq, numbers[2]);
    assert_memory_equal(reads[0].bytes, "abd", 3);
    kept_group_add(&k.group, KEPT_RETRIED, 0, numbers[2], "sink", NULL, 0);
    kept_group_add(&k.group, KEPT_DEAD, 0, 0, NULL, "abc", 3);
    assert_int_equal(kit_commit(&k), STORE_OK);
    assert_int_equal(store_retries(k.store, "sink", 0, buffer, sizeof buffer, reads, 4, &need), 0);
    numbers[0] = 0;
    assert_int_equal(store_letters(k.store, letter_count, numbers), STORE_OK);
    assert_int_equal(numbers[0], 2);
    assert_true(numbers[2] > 3);
    kit_end(&k);
}

static bool queue_note(void *arg, const char *name, uint32_t priority, const struct kept_queue *queue)
{
    uint64_t *sums = arg;

    sums[0]++;
    sums[1] += queue->records;
    sums[2] += priority;
    assert_true(!strcmp(name, "a") || !strcmp(name, "b"));
    return true;
}

/* In another process, while this one has it open. */
static void others_may_look_while_it_is_written(void **state)
{
    struct kept_queue q;
    struct kit k;
    int status;
    pid_t child;

    (void)state;
    kit_begin(&k);
    assert_int_equal(kit_open(&k), STORE_OK);
    q = kit_queue(&k, "a");
    kit_put(&k, "a", q.queue, 1);
    kit_put(&k, "a", q.queue, 2);
    assert_int_equal(store_queue(k.store, "b", 3, &q), STORE_OK);
    state_put(&k, "s", "x");
    assert_int_equal(kit_commit(&k), STORE_OK);
    child = fork();
    if (child == 0) {
        struct kit other = { .limit = k.limit, .read_only = true };
        uint64_t sums[3] = { 0 }, first, last;

        memcpy(other.folder, k.folder, sizeof other.folder);
        if (kit_open(&other) != STORE_OK || store_queues(other.store, queue_note, sums) != STORE_OK)
            _exit(1);
        if (sums[0] != 2 || sums[1] != 2 || sums[2] != 4 || !kit_state_is(&other, "s", "x"))
            _exit(2);
        if (store_queue(other.store, "a", 1, &q) != STORE_OK || kit_read_all(&other, "a", q.queue, &first, &last) != 2)
            _exit(3);
        if (store_queue(other.store, "c", 1, &q) != STORE_NONE || store_letter_drop(other.store, 1) == STORE_OK)
            _exit(4);
        kit_close(&other);
        other.read_only = false;
        _exit(kit_open(&other) == STORE_BUSY && strstr(other.why, "holds it") ? 0 : 5);
    }
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
    kit_end(&k);
}

static void a_second_writer_is_told_who_holds_it(void **state)
{
    char pid[32];
    struct kit k, other;

    (void)state;
    kit_begin(&k);
    assert_int_equal(kit_open(&k), STORE_OK);
    other = (struct kit){ .limit = k.limit };
    memcpy(other.folder, k.folder, sizeof other.folder);
    assert_int_equal(kit_open(&other), STORE_BUSY);
    snprintf(pid, sizeof pid, "process %ld", (long)getpid());
    assert_non_null(strstr(other.why, pid));
    kit_close(&k);
    assert_int_equal(kit_open(&other), STORE_OK);
    kit_close(&other);
    kit_end(&k);
}

static void a_look_makes_nothing(void **state)
{
    struct kit k;

    (void)state;
    kit_begin(&k);
    k.read_only = true;
    assert_int_equal(kit_open(&k), STORE_NONE);
    assert_int_equal(kit_files(&k, "store"), 0);
    assert_int_equal(kit_files(&k, "lock"), 0);
    kit_end(&k);
}

static void files_are_for_the_owner_only(void **state)
{
    static const char *const files[] = { "store/data.mdb", "store/ballast", "store/lock.mdb", "lock" };
    char path[KIT_PATH];
    struct stat st;
    struct kit k;

    (void)state;
    kit_begin(&k);
    umask(0);
    assert_int_equal(kit_open(&k), STORE_OK);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        kit_path(&k, files[i], path);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
    }
    kit_path(&k, "store", path);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    kit_path(&k, "store/ballast", path);
    assert_int_equal(stat(path, &st), 0);
    assert_true(st.st_blocks * 512 >= st.st_size && st.st_size == 4 << 20);
    kit_end(&k);
    umask(022);
}

static void a_store_opens_with_its_own_key_only(void **state)
{
    struct kept_queue q;
    uint64_t first, last;
    struct kit k;

    (void)state;
    kit_begin(&k);
    k.key = key_one;
    assert_int_equal(kit_open(&k), STORE_OK);
    q = kit_queue(&k, "q");
    for (uint64_t i = 1; i <= 40; i++)
        kit_put(&k, "q", q.queue, i);
    state_put(&k, "s", "a secret that nobody reads");
    assert_int_equal(kit_commit(&k), STORE_OK);
    kit_close(&k);
    k.key = key_two;
    assert_int_equal(kit_open(&k), STORE_KEY);
    assert_non_null(strstr(k.why, "another key"));
    k.key = NULL;
    assert_int_equal(kit_open(&k), STORE_KEY);
    assert_non_null(strstr(k.why, "no key was given"));
    k.read_only = true;
    assert_int_equal(kit_open(&k), STORE_KEY);
    k.read_only = false;
    k.key = key_one;
    assert_int_equal(kit_open(&k), STORE_OK);
    q = kit_queue(&k, "q");
    assert_int_equal(kit_read_all(&k, "q", q.queue, &first, &last), 40);
    assert_int_equal(kit_files(&k, "damaged"), 0);
    kit_end(&k);

    kit_begin(&k);
    assert_int_equal(kit_open(&k), STORE_OK);
    kit_close(&k);
    k.key = key_one;
    assert_int_equal(kit_open(&k), STORE_KEY);
    kit_end(&k);
}

/* No payload, name of a piece or record lies open in the file. */
static void nothing_sealed_lies_open_in_the_file(void **state)
{
    static const char secret[] = "Erika Mustermann, 1964-08-12, very much a secret";
    char path[KIT_PATH], *bytes;
    struct stat st;
    struct kit k;
    FILE *file;

    (void)state;
    kit_begin(&k);
    k.key = key_one;
    assert_int_equal(kit_open(&k), STORE_OK);
    state_put(&k, "s", secret);
    kept_group_add(&k.group, KEPT_DEAD, 0, 0, NULL, secret, sizeof secret);
    kept_group_add(&k.group, KEPT_PUT, kit_queue(&k, "q").queue, 1, NULL, secret, sizeof secret);
    assert_int_equal(kit_commit(&k), STORE_OK);
    assert_int_equal(store_letter_retry(k.store, 1, "n", secret, sizeof secret), STORE_OK);
    kit_close(&k);
    kit_path(&k, "store/data.mdb", path);
    assert_int_equal(stat(path, &st), 0);
    bytes = malloc((size_t)st.st_size);
    file = fopen(path, "rb");
    assert_true(bytes && file && fread(bytes, 1, (size_t)st.st_size, file) == (size_t)st.st_size);
    fclose(file);
    assert_null(memmem(bytes, (size_t)st.st_size, secret, 12));
    free(bytes);
    kit_end(&k);
}

static void a_large_record_and_an_empty_one_are_stored(void **state)
{
    enum { LARGE = 3 << 20 };
    uint8_t *large = aligned_alloc(16, LARGE), *buffer = aligned_alloc(16, LARGE);
    struct kept_read reads[2];
    struct kept_queue q;
    struct kit k;
    size_t need;

    (void)state;
    assert_true(large && buffer);
    for (size_t i = 0; i < LARGE; i++)
        large[i] = (uint8_t)(i * 7 + i / 256);
    kit_begin(&k);
    k.key = key_one;
    assert_int_equal(kit_open(&k), STORE_OK);
    q = kit_queue(&k, "q");
    kept_group_add(&k.group, KEPT_PUT, q.queue, 1, NULL, NULL, 0);
    kept_group_add(&k.group, KEPT_PUT, q.queue, 2, NULL, large, LARGE);
    assert_int_equal(kit_commit(&k), STORE_OK);
    kit_close(&k);
    assert_int_equal(kit_open(&k), STORE_OK);
    q = kit_queue(&k, "q");
    assert_int_equal(store_read(k.store, q.queue, 1, false, buffer, LARGE, reads, 2, &need), 2);
    assert_int_equal(reads[0].size, 0);
    assert_int_equal(reads[1].size, LARGE);
    assert_memory_equal(reads[1].bytes, large, LARGE);
    free(large);
    free(buffer);
    kit_end(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_group_is_there_after_the_next_start),
        cmocka_unit_test(acks_remove_and_the_next_number_stays_above),
        cmocka_unit_test(a_record_that_is_stored_is_left_as_it_is),
        cmocka_unit_test(records_are_read_downwards_too),
        cmocka_unit_test(a_record_that_does_not_fit_says_what_it_needs),
        cmocka_unit_test(a_piece_of_state_is_replaced_and_removed),
        cmocka_unit_test(used_bytes_stay_right_over_restarts),
        cmocka_unit_test(a_letter_is_tried_again_or_dropped_and_its_number_is_not_used_again),
        cmocka_unit_test(others_may_look_while_it_is_written),
        cmocka_unit_test(a_second_writer_is_told_who_holds_it),
        cmocka_unit_test(a_look_makes_nothing),
        cmocka_unit_test(files_are_for_the_owner_only),
        cmocka_unit_test(a_store_opens_with_its_own_key_only),
        cmocka_unit_test(nothing_sealed_lies_open_in_the_file),
        cmocka_unit_test(a_large_record_and_an_empty_one_are_stored),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
