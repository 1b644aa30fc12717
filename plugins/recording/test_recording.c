/* SPDX-License-Identifier: Apache-2.0
 *
 * test_recording.c - what readers of recordings share, alone: times and rates,
 * texts, units, paths, digests, places. As parts of a source they are tested
 * where they are used (in_wfdb, in_edf). */
#include <afferent/testkit.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "calendar/calendar.h"
#include "recording/digest.h"
#include "recording/files.h"
#include "recording/pace.h"
#include "recording/paths.h"
#include "recording/place.h"
#include "recording/unit.h"
#include "recording/when.h"

#include <fcntl.h>
#include <sys/stat.h>

#define S INT64_C(1000000000)

/* ---- a host that has what these parts ask for ---- */

static char said[256];
static int64_t clock_ns, asked_ns;

static void *fake_alloc(const struct aff_host *host, size_t size)
{
    (void)host;
    return calloc(1, size);
}

static void fake_free(const struct aff_host *host, void *memory)
{
    (void)host;
    free(memory);
}

__attribute__((format(printf, 3, 4)))
static aff_status fake_explain(const struct aff_host *host, aff_status status, const char *format, ...)
{
    va_list args;

    (void)host;
    va_start(args, format);
    (void)vsnprintf(said, sizeof said, format, args);
    va_end(args);
    return status;
}

static int64_t fake_now(const struct aff_host *host)
{
    (void)host;
    return clock_ns;
}

static void fake_wake(const struct aff_host *host, int64_t boot_ns)
{
    (void)host;
    asked_ns = boot_ns;
}

static const struct aff_host host = { .struct_size = sizeof host, .alloc = fake_alloc, .free = fake_free,
                                      .explain = fake_explain, .now_ns = fake_now, .wake_at = fake_wake };

/* ---- a folder of its own ---- */

static char folder[64];

static void folder_make(void)
{
    strcpy(folder, "/tmp/recording-XXXXXX");
    assert_non_null(mkdtemp(folder));
}

static const char *below(const char *name)
{
    static char path[4][160];
    static unsigned turn;
    char *to = path[turn++ % 4];

    (void)snprintf(to, sizeof path[0], "%s/%s", folder, name);
    return to;
}

static void file_make(const char *name, const char *content)
{
    FILE *f = fopen(below(name), "w");

    assert_non_null(f);
    fputs(content, f);
    assert_int_equal(fclose(f), 0);
}

static void folder_remove(void)
{
    char command[96];

    (void)snprintf(command, sizeof command, "rm -rf '%s'", folder);
    assert_int_equal(system(command), 0);
}

/* ---- times and rates ---- */

TEST(times_are_rounded_down_once_and_do_not_drift)
{
    struct rate third = { 1000, 3 }, odd = { 360, 1 };
    int64_t ns;

    assert_true(when_at(0, 1, &odd, &ns));
    assert_int_equal(ns, 2777777);
    assert_true(when_at(5 * S, 360 * 1000000, &odd, &ns));
    assert_int_equal(ns, 5 * S + 1000000 * S);
    assert_true(when_at(0, 1000, &third, &ns));
    assert_int_equal(ns, 3 * S);
    assert_true(when_at(0, -1, &odd, &ns));
    assert_int_equal(ns, -2777778); /* down, not to zero */
    assert_false(when_at(INT64_MAX - 1, 360, &odd, &ns));
    assert_false(when_at(0, INT64_MAX, &(struct rate){ 1, 1000 }, &ns));
}

TEST(rates_are_exact_and_reduced)
{
    const char *at = "62.4725 ";
    char text[RATE_TEXT];
    struct rate r, more;

    assert_int_equal(text_rate(&at, &r), 0);
    assert_int_equal(r.num, 24989);
    assert_int_equal(r.den, 400);
    rate_text(text, &r);
    assert_string_equal(text, "62.4725Hz");
    assert_true(rate_times(&r, 8, &more));
    assert_int_equal(more.num * 400, 24989 * 8 * more.den);
    assert_false(rate_times(&(struct rate){ UINT64_MAX, 1 }, 2, &more));
    at = "0";
    assert_int_equal(text_rate(&at, &r), -1);
    assert_string_equal(at, "0");
    at = "-5";
    assert_int_equal(text_rate(&at, &r), -1);
}

TEST(dates_are_read_strictly)
{
    static const char *const wrong[] = { "", "2026", "2026-02-29", "2026-13-01", "2026-03-01T24:00", "2026-03-01T07:60",
                                         "2026-03-01 ", "2026-03-01T07:30:15.25x", "2026-3-1", "yesterday",
                                         "2026-03-01T07:30+01:00", "99999-01-01" };
    int64_t ns, day = calendar_days(2026, 3, 1) * 86400 * S;
    size_t i;

    assert_true(when_read("2026-03-01", &ns) && ns == day);
    assert_true(when_read("2026-03-01T07:30Z", &ns) && ns == day + (7 * 3600 + 30 * 60) * S);
    assert_true(when_read("2026-03-01T07:30:15.25", &ns) && ns == day + (7 * 3600 + 30 * 60 + 15) * S + S / 4);
    assert_true(when_read("1970-01-01", &ns) && ns == 0);
    for (i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(when_read(wrong[i], &ns));
    assert_true(date_is_real(2024, 2, 29));
    assert_false(date_is_real(2100, 2, 29));
    assert_int_equal(calendar_days(1969, 12, 31), -1);
}

/* ---- texts and units ---- */

TEST(numbers_with_anything_wrong_are_refused_and_nothing_moves)
{
    const char *at = "12 -7 99999999999999999999 x 1.5e3";
    int64_t n;
    double x;

    assert_int_equal(text_int(&at, 0, 100, &n), 0);
    assert_int_equal(n, 12);
    at = text_skip(at);
    assert_int_equal(text_int(&at, 0, 100, &n), -1); /* below */
    assert_int_equal(text_int(&at, -9, 100, &n), 0);
    at = text_skip(at);
    assert_int_equal(text_int(&at, INT64_MIN, INT64_MAX, &n), -1);
    at = "x";
    assert_int_equal(text_real(&at, &x), -1);
    at = "1.5e3";
    assert_int_equal(text_real(&at, &x), 0);
    assert_true(x == 1500.0);
    assert_int_equal(text_gcd(360, 200), 40);
}

TEST(text_that_is_no_utf8_is_read_as_latin1_and_cut_between_characters)
{
    char to[32];

    assert_int_equal(text_utf8(to, sizeof to, "\xb0" "C", 2), 3);
    assert_string_equal(to, "\xc2\xb0" "C");
    text_utf8(to, sizeof to, "\xc2\xb0" "C", 3);
    assert_string_equal(to, "\xc2\xb0" "C");
    text_utf8(to, sizeof to, "a\tb\0c", 5);
    assert_string_equal(to, "a b");
    assert_int_equal(text_utf8(to, 3, "a\xc2\xb0", 3), 1);
    assert_string_equal(to, "a");
    assert_true(text_is_utf8("\xc2\xb0", 2));
    assert_false(text_is_utf8("\xc0\x80", 2)); /* overlong */
    assert_false(text_is_utf8("\xed\xa0\x80", 3)); /* half of a pair */
}

TEST(units_that_are_evident_become_ucum)
{
    char to[UNIT_ROOM];

    unit_ucum(to, "uV");
    assert_string_equal(to, "uV");
    unit_ucum(to, "mmHg");
    assert_string_equal(to, "mm[Hg]");
    unit_ucum(to, "bpm");
    assert_string_equal(to, "/min");
}

/* ---- files ---- */

static const char *const suffixes[] = { ".edf", ".bdf", NULL };
static const struct paths_kind kind = { suffixes, "EDF file", "name one", 0 };

static aff_status open_paths(struct paths *p, const char *path)
{
    const char *items[1] = { path };
    struct aff_list list = { items, 1, sizeof items[0] };

    memset(p, 0, sizeof *p);
    return paths_open(p, &host, &kind, &list);
}

TEST(a_folder_gives_its_recordings_once_and_sorted)
{
    struct paths p;

    folder_make();
    file_make("b.edf", "");
    file_make("a.bdf", "");
    file_make("note.txt", "");
    EXPECT_STATUS(open_paths(&p, folder), AFF_OK);
    assert_int_equal(p.count, 2);
    assert_string_equal(path_base(paths_get(&p, 0)), "a.bdf");
    assert_string_equal(path_base(paths_get(&p, 1)), "b.edf");
    paths_close(&p);
    EXPECT_STATUS(open_paths(&p, below("*.edf")), AFF_OK);
    assert_int_equal(p.count, 1);
    paths_close(&p);
    folder_remove();
}

TEST(a_path_that_is_not_there_is_io_and_never_named)
{
    struct paths p;

    EXPECT_STATUS(open_paths(&p, "/nowhere/Jane Roe.edf"), AFF_ERR_IO);
    assert_null(strstr(said, "Jane"));
}

static void digest_of(const char *name, uint8_t to[DIGEST_SIZE], size_t step)
{
    struct digest d;
    char room[64];

    digest_begin(&d);
    digest_file(&d, open(below(name), O_RDONLY | O_CLOEXEC));
    while (digest_read(&d, room, step) > 0)
        continue;
    digest_end(&d);
    memcpy(to, d.hash, DIGEST_SIZE);
    digest_close(&d);
    digest_close(&d);
}

TEST(a_digest_follows_from_content_alone_however_it_is_read)
{
    uint8_t one[DIGEST_SIZE], other[DIGEST_SIZE], third[DIGEST_SIZE], none[DIGEST_SIZE];

    folder_make();
    file_make("a", "the same content, a little longer than one step of reading it is");
    file_make("b", "the same content, a little longer than one step of reading it is");
    file_make("c", "the same content, a little longer than one step of reading it iS");
    digest_of("a", one, 64);
    digest_of("b", other, 7);
    digest_of("c", third, 64);
    digest_of("missing", none, 64);
    assert_memory_equal(one, other, DIGEST_SIZE);
    assert_memory_not_equal(one, third, DIGEST_SIZE);
    assert_memory_not_equal(one, none, DIGEST_SIZE);
    folder_remove();
}

TEST(only_regular_files_are_opened_and_reads_stay_inside)
{
    uint64_t size = 0;
    char room[8];
    int fd;

    folder_make();
    file_make("f", "abcdef");
    assert_int_equal(mkfifo(below("fifo"), 0600), 0);
    fd = file_open(AT_FDCWD, folder, "/f", &size);
    assert_true(fd >= 0);
    assert_int_equal(size, 6);
    assert_int_equal(file_get(fd, 4, room, sizeof room), 2);
    assert_int_equal(file_get(fd, 100, room, sizeof room), 0);
    close(fd);
    assert_true(file_open(AT_FDCWD, folder, "/fifo", &size) < 0);
    assert_true(file_open(AT_FDCWD, folder, "/none", &size) < 0);
    folder_remove();
}

/* ---- places and pace ---- */

TEST(a_place_comes_back_where_its_recording_is_and_is_refused_elsewhere)
{
    struct place p = { .index = 1, .emitted = 77, .has_known = 1, .known = { 1, 2, 3 } }, back;
    char kept[128], ended[128];
    struct paths paths;
    size_t size = 0;

    folder_make();
    file_make("a.edf", "");
    file_make("b.edf", "");
    EXPECT_STATUS(open_paths(&paths, folder), AFF_OK);
    EXPECT_STATUS(place_snapshot(&p, "edf 1", &paths, NULL, 0, &size), AFF_OK);
    assert_in_range(size, 1, sizeof kept);
    EXPECT_STATUS(place_snapshot(&p, "edf 1", &paths, kept, sizeof kept, &size), AFF_OK);
    EXPECT_STATUS(place_restore(&back, "edf 1", &paths, kept, size), AFF_OK);
    assert_int_equal(back.index, 1);
    assert_int_equal(back.emitted, 77);
    assert_memory_equal(back.known, p.known, DIGEST_SIZE);
    EXPECT_STATUS(place_restore(&back, "edf 2", &paths, kept, size), AFF_ERR_DATA);
    EXPECT_STATUS(place_restore(&back, "edf 1", &paths, kept, size - 1), AFF_ERR_DATA);
    p.index = 2; /* all are read */
    EXPECT_STATUS(place_snapshot(&p, "edf 1", &paths, ended, sizeof ended, &size), AFF_OK);
    EXPECT_STATUS(place_restore(&back, "edf 1", &paths, ended, size), AFF_OK);
    assert_int_equal(back.index, 2);
    paths_close(&paths);
    assert_int_equal(rename(below("b.edf"), below("c.edf")), 0);
    EXPECT_STATUS(open_paths(&paths, folder), AFF_OK);
    EXPECT_STATUS(place_restore(&back, "edf 1", &paths, kept, size), AFF_ERR_DATA);
    EXPECT_STATUS(place_restore(&back, "edf 1", &paths, ended, size), AFF_ERR_DATA);
    paths_close(&paths);
    folder_remove();
}

TEST(at_real_time_a_thing_is_due_as_long_after_the_first_as_it_was)
{
    struct pace p = { 0, 0, 0 };

    clock_ns = 100 * S;
    assert_true(pace_is_due(&p, &host, 5 * S, 5 * S));
    assert_false(pace_is_due(&p, &host, 5 * S, 7 * S));
    assert_int_equal(asked_ns, 102 * S);
    clock_ns = 102 * S;
    assert_true(pace_is_due(&p, &host, 5 * S, 7 * S));
    assert_true(pace_is_due(&p, &host, 5 * S, 1 * S)); /* from before: late, so at once */
    assert_false(pace_is_due(&p, &host, 5 * S, INT64_MAX));
}

AFF_TEST_MAIN(times_are_rounded_down_once_and_do_not_drift,
              rates_are_exact_and_reduced,
              dates_are_read_strictly,
              numbers_with_anything_wrong_are_refused_and_nothing_moves,
              text_that_is_no_utf8_is_read_as_latin1_and_cut_between_characters,
              units_that_are_evident_become_ucum,
              a_folder_gives_its_recordings_once_and_sorted,
              a_path_that_is_not_there_is_io_and_never_named,
              a_digest_follows_from_content_alone_however_it_is_read,
              only_regular_files_are_opened_and_reads_stay_inside,
              a_place_comes_back_where_its_recording_is_and_is_refused_elsewhere,
              at_real_time_a_thing_is_due_as_long_after_the_first_as_it_was)
