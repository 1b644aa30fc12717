/* SPDX-License-Identifier: Apache-2.0
 *
 * test_replay.c - a file that is read again, in other steps, over restarts: the same
 * records under the same ids; and what is said when it is not the same file. */
#include "test_folder.h"

static const char *read_out(struct aff_harness *h)
{
    EXPECT_STATUS(aff_harness_read_all(h, 64, 0), AFF_END);
    return out(h);
}

/* A text of random lines, some long, some blank, with both kinds of ends. */
static char *random_text(size_t lines, unsigned seed, size_t *ret_size)
{
    char *text = malloc(lines * 200 + 1);
    size_t i, used = 0;

    for (i = 0; i < lines; i++) {
        size_t length;

        seed = seed * 1103515245u + 12345u;
        length = seed / 65536 % (seed / 65536 % 5 == 0 ? 150 : 20);

        for (; length; length--)
            text[used++] = (char)('a' + (seed = seed * 1103515245u + 12345u) / 65536 % 26);
        if ((seed = seed * 1103515245u + 12345u) / 65536 % 3 == 0)
            text[used++] = '\r';
        text[used++] = '\n';
    }
    *ret_size = used - (used && seed / 65536 % 2);
    text[*ret_size] = 0;
    return text;
}

/* All records after each other; ids must differ. */
static char *joined(struct aff_harness *h, int is_lines, size_t *ret_count)
{
    const struct aff_record *r;
    size_t used = 0, room = 1 << 20;
    char *text = malloc(room);
    uint64_t next = 0;

    *ret_count = 0;
    while ((r = aff_harness_take(h, "data"))) {
        if (r->flags & AFF_FLAG_END)
            continue;
        assert_int_equal(r->id.seq, next++);
        while (used + r->size + 2 > room) {
            char *more = realloc(text, room *= 2);

            assert_non_null(more);
            text = more;
        }
        if (r->size)
            memcpy(text + used, r->data, r->size);
        used += r->size;
        if (is_lines)
            text[used++] = '\n';
        ++*ret_count;
    }
    text[used] = 0;
    return text;
}

static void cr_drop(char *text)
{
    char *to = text, *from;

    for (from = text; *from; from++)
        if (from[0] != '\r' || from[1] != '\n')
            *to++ = *from;
    *to = 0;
}

TEST(blocks_are_the_files_bytes_whatever_the_block)
{
    static const char *const sizes[] = { "160B", "161B", "200B", "1000B", "64KiB" };
    size_t size, count, i;
    char *text, *got;

    folder_make();
    text = random_text(5000, 7, &size);
    put("t.txt", text);
    for (i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        char more[80];
        struct aff_harness *h;

        (void)snprintf(more, sizeof more, "as = \"blocks\"\nblock = \"%s\"", sizes[i]);
        h = aff_harness_open("in_file", toml_of("t.txt", more));
        EXPECT_STATUS(aff_harness_read_all(h, 3, 0), AFF_END);
        got = joined(h, 0, &count);
        assert_true(strcmp(got, text) == 0);
        if (i == 4)
            assert_true(count < 10);
        free(got);
        EXPECT_BALANCED(h);
        aff_harness_close(&h);
    }
    free(text);
}

TEST(lines_of_random_text_are_all_there_in_any_read_and_over_restarts)
{
    unsigned seed;
    size_t size, count;

    folder_make();
    for (seed = 1; seed < 12; seed++) {
        char *text = random_text(seed * seed * 60, seed, &size), *got;
        struct aff_harness *h;
        aff_status st;
        uint32_t turn = seed;

        put("t.txt", text);
        h = aff_harness_open("in_file", toml_of("t.txt", ""));
        do {
            st = aff_harness_read(h, 1 + turn * 7919 % 64);
            if (seed % 2 && turn++ % 5 == 0 && st == AFF_OK)
                aff_harness_restart(h);
        } while (st == AFF_OK);
        EXPECT_STATUS(st, AFF_END);
        got = joined(h, 1, &count); /* ids go on over restarts */
        cr_drop(text);
        if (size && text[strlen(text) - 1] != '\n')
            (void)strcat(text, "\n");
        assert_true(strcmp(got, text) == 0);
        free(got);
        free(text);
        EXPECT_BALANCED(h);
        aff_harness_close(&h);
    }
}

/* What is the same in each replay: ids, times, bytes. */
static uint64_t sum_of(const char *more, int restart)
{
    struct aff_harness *h = aff_harness_open("in_file", toml_of("", more));
    const struct aff_record *r;
    uint64_t sum = 1;
    aff_status st;
    uint32_t i;

    do {
        st = aff_harness_read(h, restart ? 2 : 64);
        if (restart && st == AFF_OK)
            aff_harness_restart(h);
    } while (st == AFF_OK);
    while ((r = aff_harness_take(h, "data"))) {
        if (!(r->flags & AFF_FLAG_END))
            sum = ((sum * 31 + r->id.source) * 31 + r->id.seq) * 31 + (uint64_t)r->event_ns;
        for (i = 0; i < r->size; i++)
            sum = sum * 31 + ((const uint8_t *)r->data)[i];
    }
    aff_harness_close(&h);
    return sum;
}

TEST(reading_again_makes_the_same_ids_and_other_options_others)
{
    static const char *const as[] = { "", "as = \"blocks\"", "as = \"whole\"" };
    uint64_t sums[3];
    int i;

    folder_make();
    put("1.txt", "a\nb\nc\nd\ne\n");
    put("2.txt", "a\nb\nc\nd\ne\n");
    put("3.txt", "");
    put("4.txt", "x\ny\nz");
    for (i = 0; i < 3; i++) {
        sums[i] = sum_of(as[i], 0);
        assert_int_equal(sums[i], sum_of(as[i], 1));
        assert_true(i == 0 || sums[i] != sums[i - 1]);
    }
}

TEST(two_files_of_the_same_bytes_are_two_patients_unless_said_otherwise)
{
    struct aff_harness *h;
    struct aff_id first;
    int named;

    folder_make();
    put("1.txt", "a\n");
    put("2.txt", "a\n");
    for (named = 0; named < 2; named++) {
        h = aff_harness_open("in_file", toml_of("", named ? "subject = \"p\"" : ""));
        EXPECT_STATUS(aff_harness_read_all(h, 64, 0), AFF_END);
        first = aff_harness_take(h, "data")->id;
        (void)aff_harness_take(h, "data");
        assert_int_equal(aff_harness_take(h, "data")->id.source == first.source, named);
        aff_harness_close(&h);
    }
}

TEST(a_file_that_changes_between_restarts_is_read_anew)
{
    struct aff_harness *h;

    folder_make();
    put("t.csv", "a\nb\nc\n");
    h = aff_harness_open("in_file", toml_of("t.csv", ""));
    while (aff_harness_waiting(h, "data") < 2)
        EXPECT_STATUS(aff_harness_read(h, 1), AFF_OK);
    assert_string_equal(out(h), "[a][b]");
    put("t.csv", "x\nb\nc\n");
    aff_harness_restart(h);
    assert_string_equal(read_out(h), "[x][b][c]|");
    EXPECT_LOG(h, AFF_LOG_WARN, "changed since it was read in part");
    EXPECT_METRIC(h, "changed", 1);
    aff_harness_close(&h);
}

/* A line of dots, longer than what is hashed in one step. */
static void put_dots(const char *name)
{
    char *text = malloc(6 << 20);

    memset(text, '.', 6 << 20);
    put_at(at(name), O_TRUNC, text, 6 << 20);
    free(text);
}

TEST(a_file_that_changes_before_its_first_record_is_waited_for)
{
    struct aff_harness *h;

    folder_make();
    put_dots("t.csv");
    h = aff_harness_open("in_file", toml_of("t.csv", ""));
    EXPECT_STATUS(aff_harness_read(h, 64), AFF_OK);
    append("t.csv", "\nlast\n");
    assert_string_equal(read_out(h), "[last]|");
    EXPECT_METRIC(h, "changed", 0);
    aff_harness_close(&h);
}

TEST(a_file_that_never_rests_is_refused_with_what_to_do)
{
    struct aff_harness *h;
    aff_status st;
    int i;

    folder_make();
    put_dots("t.csv");
    h = aff_harness_open("in_file", toml_of("t.csv", ""));
    for (i = 0; i < 100; i++) {
        append("t.csv", "x");
        st = aff_harness_read(h, 64);
        if (st == AFF_AGAIN)
            st = aff_harness_clock(h, INT64_C(1000000000));
        if (st == AFF_ERR_DATA)
            break;
    }
    EXPECT_STATUS(st, AFF_ERR_DATA);
    EXPECT_CAUSE(h, "file 1 of 1: is still being written");
    assert_string_equal(read_out(h), "");
    aff_harness_close(&h);
}

TEST(a_file_that_changes_while_it_is_read_is_said_to_and_marked)
{
    struct aff_harness *h;
    const struct aff_record *r;
    int marked = 0, count = 0;

    folder_make();
    put("t.csv", "a\nb\nc\n");
    h = aff_harness_open("in_file", toml_of("t.csv", ""));
    while (!aff_harness_waiting(h, "data"))
        EXPECT_STATUS(aff_harness_read(h, 1), AFF_OK);
    append("t.csv", "d\n");
    EXPECT_STATUS(aff_harness_read_all(h, 64, 0), AFF_END);
    EXPECT_LOG(h, AFF_LOG_ERROR, "file 1 of 1 changes while it is read");
    while ((r = aff_harness_take(h, "data"))) {
        marked += (r->flags & AFF_FLAG_SUSPECT) != 0;
        count += !(r->flags & AFF_FLAG_END);
    }
    assert_int_equal(count, 3); /* as many as were hashed */
    assert_int_equal(marked, 2);
    aff_harness_close(&h);
}

TEST(a_position_of_a_file_that_is_gone_begins_with_the_first)
{
    struct aff_harness *h;

    folder_make();
    put("a.csv", "1\n2\n");
    put("b.csv", "3\n4\n");
    h = aff_harness_open("in_file", toml_of("", ""));
    EXPECT_STATUS(aff_harness_read_all(h, 1, 1), AFF_OK);
    assert_string_equal(out(h), "[1]");
    assert_int_equal(rename(at("a.csv"), at("z.csv")), 0);
    aff_harness_restart(h);
    assert_string_equal(read_out(h), "[3][4]|[1][2]|");
    EXPECT_LOG(h, AFF_LOG_WARN, "not in it any more");
    aff_harness_close(&h);
}

static void expect_read(struct aff_harness *h, const char *expected)
{
    aff_harness_restart(h);
    assert_string_equal(read_out(h), expected);
}

/* Another time of change: those of two writes may be the same. */
static void put_later(const char *name, const char *text)
{
    static const struct timespec later[2] = { { 2000000000, 0 }, { 2000000000, 5 } };

    put(name, text);
    assert_int_equal(utimensat(AT_FDCWD, at(name), later, 0), 0);
}

TEST(after_its_end_what_is_new_or_another_is_read_and_nothing_else)
{
    struct aff_harness *h;

    folder_make();
    put("b.csv", "1\n");
    put("d.csv", "2\n");
    put("e.csv", "");
    h = aff_harness_open("in_file", toml_of("", ""));
    assert_string_equal(read_out(h), "[1]|[2]|");
    expect_read(h, "");
    put("a.csv", "3\n"); /* wherever it stands in the list */
    put("c.csv", "4\n");
    put_later("d.csv", "9\n"); /* of the same size */
    expect_read(h, "[3]|[4]|[9]|");
    EXPECT_LOG(h, AFF_LOG_INFO, "of 5 files 2 are as they were");
    expect_read(h, "");
    assert_int_equal(unlink(at("b.csv")), 0);
    put("e.csv", "5\n"); /* longer */
    put("a.csv", "");    /* shorter */
    expect_read(h, "[5]|");
    assert_int_equal(rename(at("d.csv"), at("d.csv.1")), 0); /* rotated */
    put("d.csv", "6\n");
    expect_read(h, "[6]|[9]|");
    expect_read(h, "");
    EXPECT_METRIC(h, "files", 10);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(the_file_in_hand_is_read_on_before_what_is_new)
{
    struct aff_harness *h;
    const struct aff_record *r;
    struct aff_id first = { 0, 0 };
    uint64_t seq;

    folder_make();
    put("b.csv", "1\n2\n3\n");
    put("c.csv", "4\n");
    h = aff_harness_open("in_file", toml_of("", ""));
    EXPECT_STATUS(aff_harness_read_all(h, 1, 1), AFF_OK);
    first = aff_harness_take(h, "data")->id;
    put("a.csv", "5\n6\n");
    aff_harness_restart(h);
    EXPECT_STATUS(aff_harness_read_all(h, 2, 2), AFF_OK);
    for (seq = 1; seq < 3; seq++) {
        r = aff_harness_take(h, "data");
        assert_true(r->id.source == first.source);
        assert_int_equal(r->id.seq, seq);
    }
    assert_string_equal(read_out(h), "|[5][6]|[4]|");
    expect_read(h, "");
    aff_harness_close(&h);
}

TEST(of_very_many_files_all_are_read_again_where_one_is_another)
{
    enum { MANY = 2049 };
    struct aff_harness *h;
    char name[16];
    int i;

    folder_make();
    for (i = 0; i < MANY; i++) {
        (void)snprintf(name, sizeof name, "%05d", i);
        put(name, i % 1024 ? "" : "x\n");
    }
    h = aff_harness_open("in_file", toml_of("", "subject = \"p\""));
    assert_string_equal(read_out(h), "[x]|[x]|[x]|");
    expect_read(h, "");
    put("99999", "y\n"); /* behind them all */
    expect_read(h, "[y]|");
    put("01024", "");
    expect_read(h, "[x]|[x]|[y]|");
    aff_harness_close(&h);
}

AFF_TEST_MAIN(blocks_are_the_files_bytes_whatever_the_block,
              lines_of_random_text_are_all_there_in_any_read_and_over_restarts,
              reading_again_makes_the_same_ids_and_other_options_others,
              two_files_of_the_same_bytes_are_two_patients_unless_said_otherwise,
              a_file_that_changes_between_restarts_is_read_anew,
              a_file_that_changes_before_its_first_record_is_waited_for,
              a_file_that_never_rests_is_refused_with_what_to_do,
              a_file_that_changes_while_it_is_read_is_said_to_and_marked,
              a_position_of_a_file_that_is_gone_begins_with_the_first,
              after_its_end_what_is_new_or_another_is_read_and_nothing_else,
              the_file_in_hand_is_read_on_before_what_is_new,
              of_very_many_files_all_are_read_again_where_one_is_another)
