/* test_util.c - texts, amounts, messages, arena, small files.
 *
 * Not here: TOML (toml_suite.py) and pipelines (golden.sh). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/arena.h"
#include "util/file.h"
#include "util/report.h"
#include "util/text.h"
#include "util/units.h"

static void durations_are_exact_or_refused(void **state)
{
    static const struct {
        const char *text;
        enum units_status status;
        int64_t ns;
    } cases[] = {
        { "250ms", UNITS_OK, 250000000 },
        { "0.1s", UNITS_OK, 100000000 },
        { "1.5 min", UNITS_OK, 90000000000 },
        { "-2h", UNITS_OK, -7200000000000 },
        { "1e3us", UNITS_OK, 1000000 },
        { "5e-3s", UNITS_OK, 5000000 },
        { "3\xc2\xb5s", UNITS_OK, 3000 },
        { "0ns", UNITS_OK, 0 },
        { "0e99d", UNITS_OK, 0 },
        { "9223372036854775807ns", UNITS_OK, INT64_MAX },
        { "9223372036854775808ns", UNITS_TOO_LARGE, 0 },
        { "1e30d", UNITS_TOO_LARGE, 0 },
        { "1e999999999d", UNITS_TOO_LARGE, 0 },
        { "106752d", UNITS_TOO_LARGE, 0 },
        { "0.5ns", UNITS_NOT_WHOLE, 0 },
        { "1e-99s", UNITS_NOT_WHOLE, 0 },
        { "5", UNITS_NO_UNIT, 0 },
        { "5 ", UNITS_NO_UNIT, 0 },
        { "5m", UNITS_BAD_UNIT, 0 },
        { "5MS", UNITS_BAD_UNIT, 0 },
        { "5ms ", UNITS_BAD_UNIT, 0 },
        { "5.", UNITS_NO_NUMBER, 0 },
        { ".5s", UNITS_NO_NUMBER, 0 },
        { " 5s", UNITS_NO_NUMBER, 0 },
        { "", UNITS_NO_NUMBER, 0 },
        { "-", UNITS_NO_NUMBER, 0 },
        { "ms", UNITS_NO_NUMBER, 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t ns = 77;

        if (units_duration(cases[i].text, &ns) != cases[i].status)
            fail_msg("\"%s\" has another status", cases[i].text);
        assert_int_equal(ns, cases[i].status == UNITS_OK ? cases[i].ns : 77);
    }
}

static void sizes_know_both_families_of_units(void **state)
{
    int64_t bytes = 0;

    (void)state;
    assert_int_equal(units_bytes("8MiB", &bytes), UNITS_OK);
    assert_int_equal(bytes, 8 << 20);
    assert_int_equal(units_bytes("8MB", &bytes), UNITS_OK);
    assert_int_equal(bytes, 8000000);
    assert_int_equal(units_bytes("0.5KiB", &bytes), UNITS_OK);
    assert_int_equal(bytes, 512);
    assert_int_equal(units_bytes("0.3KiB", &bytes), UNITS_NOT_WHOLE);
    assert_int_equal(units_bytes("-1B", &bytes), UNITS_NEGATIVE);
    assert_int_equal(units_bytes("8mb", &bytes), UNITS_BAD_UNIT);
    assert_int_equal(units_bytes("8388608TiB", &bytes), UNITS_TOO_LARGE);
    assert_int_equal(units_bytes("8", &bytes), UNITS_NO_UNIT);
}

static void a_frequency_is_the_nearest_double(void **state)
{
    double hz = 0;

    (void)state;
    assert_int_equal(units_frequency("0.1Hz", &hz), UNITS_OK);
    assert_true(hz == 0.1);
    assert_int_equal(units_frequency("300mHz", &hz), UNITS_OK);
    assert_true(hz == 0.3);
    assert_int_equal(units_frequency("2.4 GHz", &hz), UNITS_OK);
    assert_true(hz == 2.4e9);
    assert_int_equal(units_frequency("1e400Hz", &hz), UNITS_TOO_LARGE);
    assert_int_equal(units_frequency("50", &hz), UNITS_NO_UNIT);
    assert_int_equal(units_frequency("50hz", &hz), UNITS_BAD_UNIT);
}

static void amounts_are_written_in_the_largest_unit_that_divides_them(void **state)
{
    struct text text = { 0 };
    char *taken;

    (void)state;
    units_add_duration(&text, 250000000);
    text_add(&text, " ");
    units_add_duration(&text, 90000000000);
    text_add(&text, " ");
    units_add_duration(&text, 0);
    text_add(&text, " ");
    units_add_bytes(&text, 8 << 20);
    text_add(&text, " ");
    units_add_frequency(&text, 0.5);
    taken = text_take(&text);
    assert_string_equal(taken, "250ms 90s 0ns 8MiB 0.5Hz");
    free(taken);
}

static void a_swap_of_neighbours_is_one_edit(void **state)
{
    (void)state;
    assert_int_equal(aff_word_distance("", ""), 0);
    assert_int_equal(aff_word_distance("band", "band"), 0);
    assert_int_equal(aff_word_distance("band", "BAND"), 0);
    assert_int_equal(aff_word_distance("band", "bnad"), 1);
    assert_int_equal(aff_word_distance("band", "bnd"), 1);
    assert_int_equal(aff_word_distance("band", "bands"), 1);
    assert_int_equal(aff_word_distance("kitten", "sitting"), 3);
    assert_int_equal(aff_word_distance("ca", "abc"), 3);    /* restricted: no edit inside a swap */
    assert_int_equal(aff_word_distance("", "abc"), 3);
}

static void a_long_word_is_far_from_all(void **state)
{
    char word[200];

    (void)state;
    memset(word, 'a', sizeof word - 1);
    word[sizeof word - 1] = '\0';
    assert_int_equal(aff_word_distance(word, "a"), 199);
    word[64] = '\0';
    assert_int_equal(aff_word_distance(word, "a"), 63);
}

static void a_guess_takes_the_nearest_and_no_far_one(void **state)
{
    struct aff_guess near = { .word = "commit_evry" }, far = { .word = "colour" };

    (void)state;
    aff_guess_offer(&near, "commit_bytes");
    aff_guess_offer(&near, "commit_every");
    aff_guess_offer(&near, "commit_records");
    assert_string_equal(near.best, "commit_every");
    aff_guess_offer(&far, "order");
    aff_guess_offer(&far, "label");
    assert_null(far.best);
}

static void a_builder_grows_and_keeps_nul_bytes(void **state)
{
    struct text text = { 0 };
    char *taken;

    (void)state;
    for (int i = 0; i < 1000; i++)
        text_print(&text, "%d,", i);
    text_add_bytes(&text, "a\0b", 3);
    assert_int_equal(text.length, 3893);
    assert_int_equal(strlen(text.data), 3891);
    taken = text_take(&text);
    assert_non_null(taken);
    free(taken);
    taken = text_take(&text);
    assert_string_equal(taken, "");
    free(taken);
}

static void a_builder_that_failed_stays_failed(void **state)
{
    struct text text = { 0 };

    (void)state;
    text_add(&text, "abc");
    text_add_bytes(&text, "x", SIZE_MAX / 2);
    assert_true(text.failed);
    text_add(&text, "def");
    assert_null(text_take(&text));
    assert_null(text.data);
}

static void messages_come_in_order_of_file_line_and_column(void **state)
{
    const char *no_node = NULL;
    struct report *report = report_new();
    char *out = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&out, &size);

    (void)state;
    report_add(report, REPORT_ERROR, (struct place){ "b.toml", 9, 1 }, no_node, "late");
    report_add(report, REPORT_ERROR, (struct place){ "b.toml", 2, 7 }, "ecg", "right %d", 5);
    report_add(report, REPORT_WARNING, (struct place){ "b.toml", 2, 3 }, "ecg", "left\x1b[2J\n");
    report_add(report, REPORT_ERROR, (struct place){ "a.toml", 0, 0 }, no_node, "whole");
    assert_int_equal(report_errors(report), 3);
    assert_int_equal(report_warnings(report), 1);
    report_print(report, file);
    fclose(file);
    assert_string_equal(out, "b.toml:2:3: warning: [ecg] left?[2J?\n"
                             "b.toml:2:7: error: [ecg] right 5\n"
                             "b.toml:9:1: error: late\n"
                             "a.toml: error: whole\n");
    free(out);
    report_free(&report);
    assert_null(report);
}

static void an_arena_gives_zeroed_aligned_memory_of_any_size(void **state)
{
    struct arena *arena = arena_new();

    (void)state;
    for (size_t size = 0; size < 100000; size = size * 2 + 1) {
        unsigned char *piece = arena_take(arena, size);

        assert_non_null(piece);
        assert_int_equal((uintptr_t)piece % 16, 0);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(piece[i], 0);
        memset(piece, 0xa5, size);
    }
    arena_free(&arena);
    assert_null(arena);
    arena_free(&arena);
}

static void an_arena_refuses_what_no_memory_can_hold(void **state)
{
    struct arena *arena = arena_new();

    (void)state;
    assert_null(arena_take(arena, SIZE_MAX));
    assert_null(arena_take(arena, SIZE_MAX - 3));
    assert_null(arena_take_array(arena, SIZE_MAX / 2, 4));
    assert_null(arena_copy(arena, "", SIZE_MAX));
    assert_string_equal(arena_print(arena, "%s-%d", "still", 1), "still-1");
    arena_free(&arena);
}

static void a_file_is_read_whole_or_named_as_what_it_is(void **state)
{
    struct arena *arena = arena_new();
    char path[] = "/tmp/afferent-test-XXXXXX";
    struct file file = { 0 };
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "ab\0c", 4), 4);
    close(fd);
    assert_int_equal(file_read(arena, path, 100, &file), 0);
    assert_int_equal(file.length, 4);
    assert_memory_equal(file.bytes, "ab\0c", 5);
    assert_false(file.is_open_to_others);
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(file_read(arena, path, 4, &file), 0);
    assert_true(file.is_open_to_others);
    assert_int_equal(file_read(arena, path, 3, &file), EFBIG);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(file_read(arena, path, 100, &file), ENOENT);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(file_read(arena, path, 100, &file), EINVAL);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(file_read(arena, "/tmp", 100, &file), EISDIR);
    arena_free(&arena);
}

static void a_relative_name_counts_from_the_folder_of_the_other(void **state)
{
    struct arena *arena = arena_new();

    (void)state;
    assert_string_equal(file_beside(arena, "a/b/c.toml", "d.hea"), "a/b/d.hea");
    assert_string_equal(file_beside(arena, "c.toml", "d.hea"), "d.hea");
    assert_string_equal(file_beside(arena, "/c.toml", "../d"), "/../d");
    assert_string_equal(file_beside(arena, "a/c.toml", "/d.hea"), "/d.hea");
    arena_free(&arena);
}

static void the_hash_is_xxh3_with_seed_zero(void **state)
{
    (void)state;
    /* From the XXH3 specification: 64 bits, no input, seed 0. */
    assert_true(text_hash("", 0) == UINT64_C(0x2d06800538d394c2));
    assert_true(text_hash("ecg", 3) != text_hash("ECG", 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_are_exact_or_refused),
        cmocka_unit_test(sizes_know_both_families_of_units),
        cmocka_unit_test(a_frequency_is_the_nearest_double),
        cmocka_unit_test(amounts_are_written_in_the_largest_unit_that_divides_them),
        cmocka_unit_test(a_swap_of_neighbours_is_one_edit),
        cmocka_unit_test(a_long_word_is_far_from_all),
        cmocka_unit_test(a_guess_takes_the_nearest_and_no_far_one),
        cmocka_unit_test(a_builder_grows_and_keeps_nul_bytes),
        cmocka_unit_test(a_builder_that_failed_stays_failed),
        cmocka_unit_test(messages_come_in_order_of_file_line_and_column),
        cmocka_unit_test(an_arena_gives_zeroed_aligned_memory_of_any_size),
        cmocka_unit_test(an_arena_refuses_what_no_memory_can_hold),
        cmocka_unit_test(a_file_is_read_whole_or_named_as_what_it_is),
        cmocka_unit_test(a_relative_name_counts_from_the_folder_of_the_other),
        cmocka_unit_test(the_hash_is_xxh3_with_seed_zero),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
