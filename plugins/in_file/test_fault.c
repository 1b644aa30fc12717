/* SPDX-License-Identifier: Apache-2.0
 *
 * test_fault.c - a disk that fails: errors in the middle of a file, reads that are
 * short or interrupted; and a system without inotify, or with notices lost. The
 * plugin is linked in, and the calls that it makes are those defined here. */
#include "in_file.c"
#include "test_folder.h"

#include <errno.h>
#include <sys/inotify.h>
#include <sys/syscall.h>

#define S INT64_C(1000000000)

static struct {
    int64_t from; /* reads that reach this offset fail */
    int times;
    size_t most;  /* bytes of one read; 0: any */
    unsigned calls;
} disk;

ssize_t pread(int fd, void *to, size_t size, off_t offset)
{
    disk.calls++;
    if (disk.times && offset + (off_t)size > disk.from) {
        if (offset < disk.from)
            size = (size_t)(disk.from - offset);
        else
            disk.times--;
        errno = EIO;
        if (offset >= disk.from)
            return -1;
    }
    if (disk.most && disk.calls % 3 == 0) {
        errno = EINTR;
        return -1;
    }
    if (disk.most && size > disk.most)
        size = disk.most;
    return syscall(SYS_pread64, fd, to, size, offset);
}

static struct {
    int absent, lost, fd;
} notices;

int inotify_init1(int flags)
{
    if (notices.absent) {
        errno = EMFILE;
        return -1;
    }
    notices.fd = (int)syscall(SYS_inotify_init1, flags);
    return notices.fd;
}

ssize_t read(int fd, void *to, size_t size)
{
    struct inotify_event lost = { -1, IN_Q_OVERFLOW, 0, 0 };
    ssize_t got = syscall(SYS_read, fd, to, size);

    if (!notices.lost || fd != notices.fd || got <= 0)
        return got;
    memcpy(to, &lost, sizeof lost); /* instead of what happened */
    return sizeof lost;
}

enum { LINES = 100000 };

/* Numbered lines, more than the window holds. */
static void put_lines(const char *name)
{
    char *text = malloc(LINES * 8), *to = text;
    int i;

    for (i = 0; i < LINES; i++)
        to += sprintf(to, "%d\n", i);
    put(name, text);
    free(text);
}

static int expect_lines(struct aff_harness *h, int from)
{
    const struct aff_record *r;
    char line[16];

    while ((r = aff_harness_take(h, "data"))) {
        if (r->flags & AFF_FLAG_END)
            continue;
        assert_int_equal(r->id.seq, from);
        assert_int_equal(r->size, snprintf(line, sizeof line, "%d", from++));
        assert_memory_equal(r->data, line, r->size);
    }
    aff_harness_discard(h, "data");
    return from;
}

TEST(an_error_in_the_middle_is_tried_again_and_no_line_is_lost)
{
    struct aff_harness *h;
    int tries = 0, lines = 0;
    aff_status st;

    memset(&disk, 0, sizeof disk);
    folder_make();
    put_lines("patient.csv");
    h = aff_harness_open_linked(&afferent_plugin_v1, toml_of("patient.csv", ""));
    while (aff_harness_waiting(h, "data") == 0)
        EXPECT_STATUS(aff_harness_read(h, 64), AFF_OK);
    disk.from = 400000;
    disk.times = 20; /* more than a file in a folder is given */
    while ((st = aff_harness_read_all(h, 64, 0)) == AFF_ERR_IO) {
        EXPECT_CAUSE(h, "file 1 of 1: cannot be read: Input/output error");
        tries++;
    }
    EXPECT_STATUS(st, AFF_END);
    assert_int_equal(tries, 20);
    lines = expect_lines(h, lines);
    assert_int_equal(lines, LINES);
    EXPECT_METRIC(h, "refused", 0);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(a_file_in_a_folder_that_goes_on_failing_is_left_and_the_next_is_read)
{
    struct aff_harness *h;
    int tries = 0;
    aff_status st;

    memset(&disk, 0, sizeof disk);
    folder_make();
    put_lines("a.csv");
    append("b.csv", "b\n");
    h = aff_harness_open_linked(&afferent_plugin_v1, toml_of("", ""));
    disk.from = 400000;
    disk.times = 1000;
    while ((st = aff_harness_read_all(h, 64, 0)) == AFF_ERR_IO)
        tries++;
    EXPECT_STATUS(st, AFF_ERR_DATA);
    EXPECT_CAUSE(h, "file 1 of 2: cannot be read");
    assert_int_equal(tries, 9);
    EXPECT_STATUS(aff_harness_read_all(h, 64, 0), AFF_END);
    assert_string_equal(out(h), "[b]|");
    EXPECT_METRIC(h, "refused", 1);
    EXPECT_METRIC(h, "files", 1);
    aff_harness_close(&h);
}

TEST(short_and_interrupted_reads_give_the_same)
{
    struct aff_harness *h;

    memset(&disk, 0, sizeof disk);
    folder_make();
    put_lines("a.csv");
    disk.most = 1001;
    h = aff_harness_open_linked(&afferent_plugin_v1, toml_of("a.csv", ""));
    EXPECT_STATUS(aff_harness_read_all(h, 64, 0), AFF_END);
    assert_int_equal(expect_lines(h, 0), LINES);
    aff_harness_close(&h);
}

TEST(a_file_that_is_cut_off_while_it_is_read_ends_there)
{
    struct aff_harness *h;
    int lines = 0;

    memset(&disk, 0, sizeof disk);
    folder_make();
    put_lines("a.csv");
    h = aff_harness_open_linked(&afferent_plugin_v1, toml_of("a.csv", ""));
    while (aff_harness_waiting(h, "data") == 0)
        EXPECT_STATUS(aff_harness_read(h, 64), AFF_OK);
    assert_int_equal(truncate(at("a.csv"), 500000), 0);
    EXPECT_STATUS(aff_harness_read_all(h, 64, 0), AFF_END);
    while (aff_harness_take(h, "data"))
        lines++;
    assert_true(lines > 80000 && lines < LINES);
    EXPECT_LOG(h, AFF_LOG_ERROR, "changes while it is read");
    aff_harness_close(&h);
}

TEST(an_error_in_a_followed_file_is_said_once_and_no_line_is_lost)
{
    struct aff_harness *h;
    int i, said = 0, lines = 0;

    memset(&disk, 0, sizeof disk);
    folder_make();
    put_lines("a.csv");
    append("b.csv", "b\n");
    h = aff_harness_open_linked(&afferent_plugin_v1, toml_of("", "follow = true"));
    disk.from = 400000;
    disk.times = 5;
    for (i = 0; i < 200000 && lines < LINES + 1; i++) {
        aff_status st = aff_harness_read(h, 64);

        said += st == AFF_ERR_DATA;
        if (st == AFF_AGAIN)
            (void)aff_harness_clock(h, S);
        while (aff_harness_take(h, "data"))
            lines++;
        aff_harness_discard(h, "data");
    }
    assert_int_equal(lines, LINES + 1);
    assert_int_equal(said, 1);
    assert_int_equal(disk.times, 0);
    EXPECT_METRIC(h, "refused", 1);
    EXPECT_METRIC(h, "truncations", 0);
    aff_harness_close(&h);
}

/* A rotation between two looks, while nothing or too little is said of it. */
static void rotate_unseen(int absent, int lost, double overflows)
{
    struct aff_harness *h;
    int i, lines = 0, want[] = { 1, 2, 3 };

    memset(&disk, 0, sizeof disk);
    notices.absent = absent;
    notices.lost = lost;
    folder_make();
    put("t.csv", "1\n");
    h = aff_harness_open_linked(&afferent_plugin_v1, toml_of("t.csv", "follow = true"));
    while (aff_harness_read(h, 64) == AFF_OK)
        ;
    append("t.csv", "2\n");
    assert_int_equal(rename(at("t.csv"), at("t.csv.1")), 0);
    put("t.csv", "3\n");
    for (i = 0; i < 20; i++)
        (void)aff_harness_clock(h, S / 5);
    for (i = 0; i < 3; i++) {
        const struct aff_record *r = aff_harness_take(h, "data");

        assert_non_null(r);
        assert_int_equal(((const char *)r->data)[0], '0' + want[lines++]);
    }
    assert_true(aff_harness_metric(h, "overflows") >= overflows);
    EXPECT_METRIC(h, "rotations", 1);
    aff_harness_close(&h);
    memset(&notices, 0, sizeof notices);
}

TEST(lost_notices_of_changes_lose_no_line)
{
    rotate_unseen(0, 1, 1);
}

TEST(without_inotify_everything_is_seen_all_the_same)
{
    rotate_unseen(1, 0, 0);
}

AFF_TEST_MAIN(an_error_in_the_middle_is_tried_again_and_no_line_is_lost,
              a_file_in_a_folder_that_goes_on_failing_is_left_and_the_next_is_read,
              short_and_interrupted_reads_give_the_same, a_file_that_is_cut_off_while_it_is_read_ends_there,
              an_error_in_a_followed_file_is_said_once_and_no_line_is_lost, lost_notices_of_changes_lose_no_line,
              without_inotify_everything_is_seen_all_the_same)
