/* test_damage.c - what an archive does when the world is against it: full, no
 * space, killed, read while written, flipped bits, cut files.
 */
#include "test_bench.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pages.h"

static uint64_t random_next(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static aff_status put_pair(struct bench *b, uint64_t i)
{
    struct made m;
    aff_status st;

    make_signal(&m, 1, i);
    st = put_made(b, &m);
    if (st < 0)
        return st;
    make_event(&m, 2, i);
    return put_made(b, &m);
}

static void a_full_archive_warns_before_waits_and_loses_nothing(void **state)
{
    struct bench *b = *state;
    uint64_t i, taken, again;
    aff_status st = AFF_OK;
    struct tally t;

    b->options.limit = 1u << 20;
    b->options.batch = 64u << 10;
    assert_int_equal(bench_open(b), AFF_OK);
    for (i = 0; st >= 0; i++) {
        assert_true(i < 1000000);
        st = put_pair(b, i);
        if (st >= 0 && i % 40 == 39)
            st = archive_commit(b->archive);
    }
    assert_int_equal(st, AFF_ERR_IO);
    assert_non_null(strstr(archive_cause(b->archive), "limit = 1048576"));
    assert_int_equal(b->warnings, 1);
    assert_int_equal(archive_commit(b->archive), AFF_ERR_IO); /* still; no crash, no change */
    taken = i - 1;
    t = read_all(b, 1);
    assert_int_equal(t.end, AFF_END);
    assert_int_equal(t.damaged, 0);
    assert_int_equal(t.highest + 1, t.of_stream); /* whole transactions only */
    bench_close(b);

    b->options.limit = 8u << 20; /* as the message says */
    assert_int_equal(bench_open(b), AFF_OK);
    for (again = 0; again <= taken; again++)
        assert_int_equal(put_pair(b, again), AFF_OK);
    assert_int_equal(archive_commit(b->archive), AFF_OK);
    t = read_all(b, 1);
    assert_int_equal(t.of_stream, taken + 1);
    assert_int_equal(t.records, 2 * (taken + 1));
}

static void a_full_archive_stays_within_its_limit(void **state)
{
    struct bench *b = *state;
    aff_status st = AFF_OK;
    uint64_t i;

    b->options.limit = 1u << 20;
    assert_int_equal(bench_open(b), AFF_OK);
    for (i = 0; st >= 0; i++)
        st = put_pair(b, i);
    assert_int_equal(st, AFF_ERR_IO);
    assert_int_equal(read_all(b, 1).end, AFF_END);
    assert_true(archive_used(b->archive, NULL) <= 1u << 20);
}

/* A limit on the size of files stands for a full disk: the same failed write. */
static int disk_full_child(struct bench *b)
{
    struct rlimit room = { 400u << 10, RLIM_INFINITY };
    aff_status st = AFF_OK;
    uint64_t i, taken;

    struct rlimit none = { 4096, RLIM_INFINITY };

    signal(SIGXFSZ, SIG_IGN);
    b->options.batch = 32u << 10;
    if (bench_open(b) < 0 || setrlimit(RLIMIT_FSIZE, &none))
        return 1;
    /* The very first transaction fails: the names in it must come again. */
    if (put_pair(b, 0) < 0 || archive_commit(b->archive) != AFF_ERR_IO || setrlimit(RLIMIT_FSIZE, &room))
        return 7;
    for (i = 0; st >= 0 && i < 100000; i++)
        st = put_pair(b, i);
    if (st != AFF_ERR_IO || !strstr(archive_cause(b->archive), "nothing was lost"))
        return 2;
    taken = i - 1; /* the signal of this one may be in, the event is not */
    if (archive_commit(b->archive) != AFF_ERR_IO)
        return 3;
    room.rlim_cur = RLIM_INFINITY;
    if (setrlimit(RLIMIT_FSIZE, &room))
        return 4;
    if (archive_commit(b->archive) < 0 || put_pair(b, taken) < 0 || archive_commit(b->archive) < 0)
        return 5;
    return read_all(b, 2).of_stream == taken + 1 ? 0 : 6;
}

static void a_full_disk_is_waited_out_without_loss(void **state)
{
    struct bench *b = *state;
    int status;
    pid_t child;

    fflush(NULL);
    child = fork();
    if (!child)
        _exit(disk_full_child(b));
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

/* Writes without end, and says after each commit what is safe by now. */
static void writer_child(struct bench *b, uint64_t from, int say)
{
    uint64_t i;

    b->options.batch = 256u << 10;
    if (bench_open(b) < 0)
        _exit(1);
    for (i = from;; i++) {
        if (put_pair(b, i) < 0)
            _exit(2);
        if (i % 16 == 15 && (archive_commit(b->archive) < 0 || write(say, &i, sizeof i) != sizeof i))
            _exit(3);
    }
}

static pid_t writer_start(struct bench *b, uint64_t from, int *ret_said)
{
    int ends[2];
    pid_t child;

    fflush(NULL);
    assert_int_equal(pipe(ends), 0);
    child = fork();
    if (!child)
        writer_child(b, from, ends[1]);
    close(ends[1]);
    *ret_said = ends[0];
    return child;
}

static void a_killed_writer_leaves_whole_epochs_and_a_replay_completes_them(void **state)
{
    struct bench *b = *state;
    uint64_t safe, seed = 99, i, upto = 0;
    int round;

    for (round = 0; round < 12; round++) {
        uint64_t wait = upto + 16 * (1 + random_next(&seed) % 20), spin = random_next(&seed) % 400000;
        /* Replays from before what is safe, as a source does. */
        uint64_t from = upto > 40 ? (upto - 40) / 16 * 16 : 0;
        volatile uint64_t idle;
        struct tally t;
        int said, status;
        pid_t child = writer_start(b, from, &said);

        safe = 0;
        while (safe < wait && read(said, &i, sizeof i) == sizeof i)
            safe = i;
        for (idle = 0; idle < spin; idle++)
            ;
        kill(child, SIGKILL);
        while (read(said, &i, sizeof i) == sizeof i)
            safe = i;
        close(said);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        t = read_all(b, 1);
        assert_int_equal(t.end, AFF_END);
        assert_int_equal(t.damaged, 0);
        assert_true(t.highest >= safe);
        assert_int_equal(t.of_stream, t.highest + 1); /* a prefix, each once */
        assert_int_equal(t.records, 2 * t.of_stream);
        upto = t.highest;
    }
    b->options.batch = 1u << 20;
    assert_int_equal(bench_open(b), AFF_OK);
    for (i = 0; i <= upto + 100; i++)
        assert_int_equal(put_pair(b, i), AFF_OK);
    assert_int_equal(archive_commit(b->archive), AFF_OK);
    assert_int_equal(read_all(b, 2).of_stream, upto + 101);
}

static void a_reader_beside_a_writer_sees_whole_epochs_only(void **state)
{
    struct bench *b = *state;
    uint64_t i, safe = 0, before = 0;
    int said, status, round;
    pid_t child = writer_start(b, 0, &said);

    assert_int_equal(read(said, &i, sizeof i), sizeof i);
    for (round = 0; round < 12; round++) {
        struct tally t;

        safe = i;
        t = read_all(b, 1);
        assert_int_equal(t.end, AFF_END);
        assert_int_equal(t.damaged, 0);
        assert_int_equal(t.of_stream, t.highest + 1); /* no hole, however it grew */
        assert_true(t.highest >= safe && t.of_stream >= before);
        before = t.of_stream;
        while (i < safe + 200)
            assert_int_equal(read(said, &i, sizeof i), sizeof i);
    }
    kill(child, SIGKILL);
    close(said);
    waitpid(child, &status, 0);
}

static void a_run_that_grows_under_a_reader_has_no_hole(void **state)
{
    struct archive_filter ecg = { "S0001", "ecg", INT64_MIN, INT64_MAX };
    struct bench *b = *state;
    struct archive_query *q;
    struct archive_found f;
    uint64_t i, seen = 0;

    assert_int_equal(bench_open(b), AFF_OK);
    for (i = 0; i < 5; i++)
        assert_int_equal(put_pair(b, i), AFF_OK);
    assert_int_equal(archive_commit(b->archive), AFF_OK);
    assert_int_equal(query_open(&q, b->path, &ecg, b->cause, sizeof b->cause), AFF_OK);
    assert_int_equal(query_next(q, &f), AFF_OK); /* the first run is open now */
    for (; i < 400; i++)
        assert_int_equal(put_pair(b, i), AFF_OK);
    assert_int_equal(archive_commit(b->archive), AFF_OK);
    do
        assert_int_equal(f.key.id[1], seen++);
    while (query_next(q, &f) == AFF_OK);
    assert_int_equal(seen, 400);
    query_close(q);
}

static uint8_t *file_take(const char *path, size_t *ret_size)
{
    FILE *f = fopen(path, "rb");
    struct stat st;
    uint8_t *bytes;

    assert_non_null(f);
    assert_int_equal(fstat(fileno(f), &st), 0);
    bytes = malloc((size_t)st.st_size);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, (size_t)st.st_size, f), st.st_size);
    fclose(f);
    *ret_size = (size_t)st.st_size;
    return bytes;
}

static void file_give(const char *path, const uint8_t *bytes, size_t size)
{
    FILE *f = fopen(path, "wb");

    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, size, f), size);
    fclose(f);
}

static void archive_fill(struct bench *b, uint64_t pairs)
{
    uint64_t i;

    assert_int_equal(bench_open(b), AFF_OK);
    for (i = 0; i < pairs; i++) {
        assert_int_equal(put_pair(b, i), AFF_OK);
        if (i % 40 == 39)
            assert_int_equal(archive_commit(b->archive), AFF_OK);
    }
    assert_int_equal(archive_commit(b->archive), AFF_OK);
    bench_close(b);
}

/* Opens for writing in a child: works, or refuses; must not die. */
static void writer_survives(struct bench *b)
{
    int status;
    pid_t child;

    fflush(NULL);
    child = fork();
    if (!child) {
        if (bench_open(b) >= 0) {
            uint64_t i;

            for (i = 300; i < 500; i++)
                put_pair(b, i);
            archive_commit(b->archive);
            bench_close(b);
        } else if (!b->cause[0] || strchr(b->cause, '\n')) {
            _exit(4);
        }
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void flipped_bits_cost_their_own_records_only_and_are_counted(void **state)
{
    struct bench *b = *state;
    uint64_t seed = 4242, least = 1200, quiet = 0;
    size_t size, i, round;
    uint8_t *good, *bad;

    archive_fill(b, 600);
    good = file_take(b->data, &size);
    bad = malloc(size);
    assert_non_null(bad);
    for (round = 0; round < 400; round++) {
        /* One bit, or eight bytes, or a page of rubbish. */
        size_t at = random_next(&seed) % size, wide = round % 3 == 0 ? 1 : round % 3 == 1 ? 8 : 4096;
        struct tally t;

        memcpy(bad, good, size);
        for (i = at; i < at + wide && i < size; i++)
            bad[i] = (uint8_t)(bad[i] ^ (wide == 1 ? 1u << random_next(&seed) % 8 : random_next(&seed)));
        file_give(b->data, bad, size);
        t = read_all(b, 1); /* compares each record with what it was */
        if (t.end == AFF_END && t.records < 1200)
            assert_true(t.damaged > 0); /* nothing is missing in silence */
        quiet += t.end == AFF_END && !t.damaged;
        if (t.end == AFF_END && wide < 4096)
            least = t.records < least ? t.records : least;
        if (round % 8 == 0)
            writer_survives(b);
    }
    print_message("bit flips: %u of 400 without effect, never fewer than %u of 1200 records read\n",
                  (unsigned)quiet, (unsigned)least);
    free(good);
    free(bad);
}

static void a_damaged_value_is_written_anew_by_a_replay(void **state)
{
    struct bench *b = *state;
    struct tree tree;
    struct pages pages;
    struct item item;
    struct tally t;
    uint64_t i;
    size_t at[2];
    int fd, db;

    archive_fill(b, 600);
    assert_int_equal(pages_open(&pages, b->data), 0);
    assert_true(pages_at(&pages, 0));
    for (db = 0; db < 2; db++) {
        assert_true(tree_open(&pages, db ? "samples" : "records", &tree));
        assert_true(tree_above(&pages, &tree, "", 0, &item));
        at[db] = (size_t)(item.data + item.size - 3 - pages.map);
    }
    pages_close(&pages);
    fd = open(b->data, O_WRONLY);
    for (db = 0; db < 2; db++)
        assert_int_equal(pwrite(fd, "\xa5", 1, (off_t)at[db]), 1);
    close(fd);

    t = read_all(b, 1);
    assert_int_equal(t.damaged, 2);
    assert_true(t.of_stream < 600 && t.of_stream > 400);
    assert_int_equal(t.records, 599 + t.of_stream);
    assert_int_equal(bench_open(b), AFF_OK);
    for (i = 0; i < 600; i++)
        assert_int_equal(put_pair(b, i), AFF_OK);
    assert_int_equal(archive_commit(b->archive), AFF_OK);
    assert_true(archive_counted(b->archive)->damaged >= 2);
    t = read_all(b, 1);
    assert_int_equal(t.damaged, 0);
    assert_int_equal(t.records, 1200);
}

static void a_cut_file_is_refused_or_read_but_never_kills(void **state)
{
    struct bench *b = *state;
    size_t size, keep;
    uint8_t *good;

    archive_fill(b, 300);
    good = file_take(b->data, &size);
    for (keep = 0; keep < size; keep += keep < 20000 ? 1777 : 8192 + 511) {
        struct tally t;

        file_give(b->data, good, keep);
        t = read_all(b, 1);
        if (t.end == AFF_END && t.records < 600)
            assert_true(t.damaged > 0);
        writer_survives(b);
    }
    free(good);
}

#define BENCH_TEST(f) cmocka_unit_test_setup_teardown(f, bench_setup, bench_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(a_full_archive_warns_before_waits_and_loses_nothing),
        BENCH_TEST(a_full_archive_stays_within_its_limit),
        BENCH_TEST(a_full_disk_is_waited_out_without_loss),
        BENCH_TEST(a_killed_writer_leaves_whole_epochs_and_a_replay_completes_them),
        BENCH_TEST(a_reader_beside_a_writer_sees_whole_epochs_only),
        BENCH_TEST(a_run_that_grows_under_a_reader_has_no_hole),
        BENCH_TEST(flipped_bits_cost_their_own_records_only_and_are_counted),
        BENCH_TEST(a_damaged_value_is_written_anew_by_a_replay),
        BENCH_TEST(a_cut_file_is_refused_or_read_but_never_kills),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
