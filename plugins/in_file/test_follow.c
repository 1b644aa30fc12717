/* SPDX-License-Identifier: Apache-2.0
 *
 * test_follow.c - files that grow: by lines and pieces of lines, renamed, deleted,
 * truncated, written anew, over restarts, with and without inotify. */
#include "test_folder.h"

#define S INT64_C(1000000000)

static struct aff_harness *following(const char *name, const char *more)
{
    char text[512];

    (void)snprintf(text, sizeof text, "follow = true\n%s", more);
    return aff_harness_open("in_file", toml_of(name, text));
}

/* Reads on until there is nothing now. */
static aff_status settle(struct aff_harness *h)
{
    aff_status st;
    int turns = 0;

    do {
        st = aff_harness_read(h, 64);
        assert_true(++turns < 100000);
    } while (st == AFF_OK);
    return st;
}

/* A while of boot time passes. */
static void pass(struct aff_harness *h, int64_t ns)
{
    int64_t until = aff_harness_now(h) + ns;

    EXPECT_STATUS(settle(h), AFF_AGAIN);
    while (aff_harness_wake_time(h) < until) {
        (void)aff_harness_clock(h, aff_harness_wake_time(h) - aff_harness_now(h));
        EXPECT_STATUS(settle(h), AFF_AGAIN);
    }
    (void)aff_harness_clock(h, until - aff_harness_now(h));
}

static const char *within(struct aff_harness *h, int64_t ns)
{
    pass(h, ns);
    return out(h);
}

static const char *soon(struct aff_harness *h)
{
    return within(h, 250000000);
}

static void growing_once(void)
{
    struct aff_harness *h;

    put("bed7.csv", "a\nb\nhalf");
    h = following("bed7.csv", "");
    assert_string_equal(soon(h), "[a][b]");
    assert_string_equal(within(h, 100 * S), "");
    append("bed7.csv", " a line");
    assert_string_equal(soon(h), "");
    append("bed7.csv", "\r");
    assert_string_equal(soon(h), "");
    append("bed7.csv", "\nc\n");
    assert_string_equal(soon(h), "[half a line][c]");
    EXPECT_METRIC(h, "bytes", 19);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(a_growing_file_is_lines_and_each_host_call_may_fail)
{
    folder_make();
    AFF_EACH_HOST_CALL_FAILS_ONCE(growing_once);
}

TEST(looks_are_a_few_a_second_and_never_more)
{
    struct aff_harness *h;
    int64_t now;

    folder_make();
    put("t.csv", "a\n");
    h = following("t.csv", "");
    EXPECT_STATUS(settle(h), AFF_AGAIN);
    now = aff_harness_now(h);
    assert_true(aff_harness_wake_time(h) >= now + 100000000 && aff_harness_wake_time(h) <= now + 250000000);
    append("t.csv", "b\n");
    EXPECT_STATUS(settle(h), AFF_AGAIN); /* it is asked too early */
    assert_string_equal(out(h), "[a]");
    assert_string_equal(soon(h), "[b]");
    aff_harness_close(&h);
}

TEST(a_file_that_is_not_there_is_waited_for)
{
    struct aff_harness *h;

    folder_make();
    h = following("later/t.csv", "");
    assert_string_equal(within(h, 10 * S), "");
    EXPECT_LOG(h, AFF_LOG_INFO, "waiting for it");
    assert_int_equal(mkdir(at("later"), 0700), 0);
    assert_string_equal(within(h, 3 * S), "");
    put("later/t.csv", "a\n");
    assert_string_equal(within(h, 3 * S), "[a]");
    aff_harness_close(&h);
}

TEST(a_rotated_file_is_finished_before_the_new_one_and_the_stream_goes_on)
{
    struct aff_harness *h;

    folder_make();
    put("t.csv", "a\n");
    h = following("t.csv", "");
    assert_string_equal(soon(h), "[a]");
    append("t.csv", "b\nhalf");
    assert_int_equal(rename(at("t.csv"), at("t.csv.1")), 0);
    put("t.csv", "new\n");
    assert_string_equal(soon(h), "[b]");
    append("t.csv.1", " more\nrest"); /* the writer has not noticed yet */
    assert_string_equal(soon(h), "[half more]");
    assert_string_equal(within(h, 2 * S), "[rest][new]");
    append("t.csv", "newer\n");
    assert_string_equal(soon(h), "[newer]");
    EXPECT_METRIC(h, "rotations", 1);
    EXPECT_METRIC(h, "files", 1);
    EXPECT_METRIC(h, "truncations", 0);
    aff_harness_close(&h);
}

TEST(several_rotations_in_a_row_come_in_their_order)
{
    struct aff_harness *h;

    folder_make();
    put("t.csv", "1\n");
    h = following("t.csv", "");
    assert_string_equal(soon(h), "[1]");
    append("t.csv", "2\n");
    assert_int_equal(rename(at("t.csv"), at("t.csv.1")), 0);
    put("t.csv", "3\n");
    assert_string_equal(soon(h), "[2]");
    assert_int_equal(rename(at("t.csv"), at("t.csv.0")), 0);
    put("t.csv", "4\n");
    assert_string_equal(within(h, 5 * S), "[3][4]");
    EXPECT_METRIC(h, "rotations", 2);
    aff_harness_close(&h);
}

TEST(a_renamed_file_without_a_new_one_is_still_followed)
{
    struct aff_harness *h;

    folder_make();
    put("t.csv", "1\n");
    h = following("t.csv", "");
    assert_string_equal(soon(h), "[1]");
    assert_int_equal(rename(at("t.csv"), at("t.csv.1")), 0);
    assert_string_equal(within(h, 60 * S), "");
    append("t.csv.1", "2\nhal");
    assert_string_equal(soon(h), "[2]");
    assert_int_equal(rename(at("t.csv.1"), at("t.csv")), 0); /* and back */
    append("t.csv", "f\n");
    assert_string_equal(within(h, 60 * S), "[half]");
    aff_harness_close(&h);
}

TEST(a_deleted_file_is_finished_and_one_of_its_name_may_come)
{
    struct aff_harness *h;

    folder_make();
    put("t.csv", "1\n");
    h = following("t.csv", "");
    assert_string_equal(soon(h), "[1]");
    append("t.csv", "2\nlast");
    assert_int_equal(unlink(at("t.csv")), 0);
    assert_string_equal(within(h, 3 * S), "[2][last]");
    put("t.csv", "again\n");
    assert_string_equal(within(h, 3 * S), "[again]");
    aff_harness_close(&h);
}

TEST(a_truncated_file_is_read_from_its_beginning)
{
    struct aff_harness *h;
    const struct aff_record *r;

    folder_make();
    put("t.csv", "1\n2\n3\n");
    h = following("t.csv", "");
    assert_string_equal(soon(h), "[1][2][3]");
    put("t.csv", "4\n");
    pass(h, S);
    r = aff_harness_take(h, "data");
    assert_int_equal(r->flags, AFF_FLAG_GAP);
    EXPECT_METRIC(h, "truncations", 1);
    EXPECT_LOG(h, AFF_LOG_INFO, "file 1 of 1 was truncated or written anew");
    append("t.csv", "5\n");
    assert_string_equal(soon(h), "[5]");
    aff_harness_close(&h);
}

TEST(the_same_line_after_a_truncation_is_another_record)
{
    struct aff_harness *h;
    struct aff_id first;

    folder_make();
    put("t.csv", "1\n");
    h = following("t.csv", "");
    pass(h, S);
    first = aff_harness_take(h, "data")->id;
    put("t.csv", "");
    pass(h, S);
    append("t.csv", "1\n");
    pass(h, S);
    assert_true(aff_harness_take(h, "data")->id.source != first.source);
    aff_harness_close(&h);
}

TEST(a_file_that_was_written_anew_and_longer_is_seen_by_its_bytes)
{
    struct aff_harness *h;

    folder_make();
    put("t.csv", "head\n1\n");
    h = following("t.csv", "");
    assert_string_equal(soon(h), "[head][1]");
    put("t.csv", "head\n2\n3\n"); /* longer than before, and the same beginning */
    assert_string_equal(soon(h), "[head][2][3]");
    put("t.csv", "head\n4\n5\n"); /* as long as before */
    assert_string_equal(soon(h), "[head][4][5]");
    EXPECT_METRIC(h, "truncations", 2);
    aff_harness_close(&h);
}

TEST(a_file_that_was_written_anew_behind_a_long_heading_is_seen_by_its_bytes)
{
    struct aff_harness *h;
    char heading[2001];
    int away;

    for (away = 0; away < 2; away++) { /* also while we are not there */
        folder_make();
        memset(heading, '-', sizeof heading - 2);
        memcpy(heading + sizeof heading - 2, "\n", 2);
        put("t.csv", heading);
        append("t.csv", "1\n");
        h = following("t.csv", "");
        assert_int_equal(strlen(soon(h)), sizeof heading + 3);
        put("t.csv", heading);
        append("t.csv", "2\n3\n");
        if (away)
            aff_harness_restart(h);
        assert_string_equal(strstr(soon(h), "]["), "][2][3]");
        EXPECT_METRIC(h, "truncations", 1);
        aff_harness_close(&h);
    }
}

/* Ids of all records, and their bytes. */
static uint64_t ids_of(struct aff_harness *h, size_t *ret_count)
{
    const struct aff_record *r;
    uint64_t sum = 0;

    *ret_count = 0;
    while ((r = aff_harness_take(h, "data"))) {
        if (r->flags & AFF_FLAG_END)
            continue;
        sum += (r->id.source ^ r->id.seq) * (r->size + 1u) + (r->size ? ((const uint8_t *)r->data)[0] : 0u);
        ++*ret_count;
    }
    return sum;
}

TEST(ids_depend_on_the_file_alone_whenever_it_was_read)
{
    struct aff_harness *h;
    char line[32];
    uint64_t first;
    size_t count;
    int i;

    folder_make();
    put("a.csv", "");
    put("b.csv", "");
    h = following("", "");
    for (i = 0; i < 400; i++) { /* through the first KiB and on */
        (void)snprintf(line, sizeof line, "line %d%s", i, i % 3 ? "\n" : "");
        append(i % 2 ? "a.csv" : "b.csv", line);
        pass(h, 250000000);
        if (i % 50 == 0)
            aff_harness_restart(h);
    }
    append("a.csv", "\n");
    append("b.csv", "\n");
    pass(h, 250000000);
    first = ids_of(h, &count);
    assert_true(count > 250);
    aff_harness_close(&h);
    h = following("", "");
    EXPECT_STATUS(settle(h), AFF_AGAIN);
    assert_int_equal(first, ids_of(h, &count));
    aff_harness_close(&h);
}

TEST(a_file_of_random_writes_comes_out_whole_over_rotations_and_restarts)
{
    unsigned seed, x;

    for (seed = 1; seed <= 20; seed++) {
        struct aff_harness *h;
        size_t wrote = 0, read = 0;
        int i, files = 0;

        folder_make();
        x = seed * 7919;
        h = following("t.csv", seed % 2 ? "" : "as = \"blocks\"");
        for (i = 0; i < 300; i++) {
            char bytes[400];
            size_t n, k;

            for (n = (x = x * 1103515245u + 12345u) / 65536 % sizeof bytes, k = 0; k < n; k++) {
                /* Each byte says where it stands; a line has random length. */
                bytes[k] = (char)('a' + (wrote + k) % 23);
                if ((x = x * 1103515245u + 12345u) / 65536 % 40 == 0)
                    bytes[k] = '\n';
            }
            put_at(at("t.csv"), O_APPEND, bytes, n);
            wrote += n;
            if (x / 65536 % 7 == 0)
                pass(h, 100000000);
            if (x / 65536 % 29 == 0)
                aff_harness_restart(h);
            if (x / 65536 % 41 == 0 && files < 8) {
                char name[32];

                (void)snprintf(name, sizeof name, "t.csv.%d", files++);
                append("t.csv", "\n");
                wrote++;
                pass(h, 300000000); /* what is renamed twice between two looks is never seen */
                assert_int_equal(rename(at("t.csv"), at(name)), 0);
                if (x / 65536 % 3 == 0)
                    aff_harness_restart(h);
                pass(h, 300000000);
            }
        }
        append("t.csv", "\n");
        wrote++;
        pass(h, 30 * S);
        for (;;) {
            const struct aff_record *r = aff_harness_take(h, "data");
            size_t k;

            if (!r)
                break;
            for (k = 0; k < r->size; k++, read++)
                if (((const char *)r->data)[k] != '\n')
                    assert_int_equal(((const char *)r->data)[k], 'a' + (char)(read % 23));
            read += seed % 2; /* the line's end */
        }
        assert_int_equal(read, wrote);
        EXPECT_METRIC(h, "bytes", (double)wrote);
        aff_harness_close(&h);
    }
}

TEST(a_file_that_was_rotated_while_we_were_away_is_finished_first)
{
    struct aff_harness *h;

    folder_make();
    put("t.csv", "1\n");
    h = following("t.csv", "");
    assert_string_equal(soon(h), "[1]");
    append("t.csv", "2\n3");
    assert_int_equal(rename(at("t.csv"), at("old-name")), 0);
    put("t.csv", "4\n");
    aff_harness_restart(h);
    assert_string_equal(within(h, 3 * S), "[2][3][4]");
    EXPECT_METRIC(h, "rotations", 1);
    aff_harness_close(&h);
}

TEST(a_restart_goes_on_in_mid_line_and_in_a_line_that_is_too_long)
{
    struct aff_harness *h;

    folder_make();
    put("t.csv", "1\nhal");
    h = following("t.csv", "max_line = \"10B\"");
    assert_string_equal(soon(h), "[1]");
    aff_harness_restart(h);
    append("t.csv", "f\n0123456789abcdef");
    assert_string_equal(soon(h), "[half]");
    aff_harness_restart(h);
    append("t.csv", "ghi\nnext\n");
    assert_string_equal(soon(h), "[next]");
    EXPECT_METRIC(h, "long_lines", 1);
    EXPECT_VERDICT(h, "line_too_long", 1);
    aff_harness_close(&h);
}

TEST(a_folder_is_followed_with_what_appears_in_it_and_each_file_ends_its_stream)
{
    struct aff_harness *h;

    folder_make();
    put("a.csv", "a1\n");
    h = following("", "");
    assert_string_equal(soon(h), "[a1]");
    put("b.csv", "b1\nb2\n");
    append("a.csv", "a2\n");
    assert_string_equal(soon(h), "[a2][b1][b2]");
    assert_int_equal(rename(at("a.csv"), at("c.csv")), 0); /* the same file */
    append("c.csv", "a3\n");
    assert_string_equal(within(h, 5 * S), "[a3]");
    append("b.csv", "b3\nb4");
    assert_int_equal(unlink(at("b.csv")), 0);
    assert_string_equal(within(h, 5 * S), "[b3][b4]|");
    EXPECT_METRIC(h, "files", 1);
    aff_harness_close(&h);
}

TEST(files_of_one_subject_share_a_stream_until_the_last_is_gone)
{
    struct aff_harness *h;

    folder_make();
    put("a.csv", "1\n");
    put("b.csv", "2\n");
    h = following("*.csv", "subject = \"bed 7\"");
    assert_string_equal(soon(h), "[1][2]");
    assert_int_equal(unlink(at("a.csv")), 0);
    assert_string_equal(within(h, 5 * S), "");
    append("b.csv", "3\n");
    assert_string_equal(within(h, 5 * S), "[3]");
    assert_int_equal(unlink(at("b.csv")), 0);
    assert_string_equal(within(h, 5 * S), "|");
    aff_harness_close(&h);
}

TEST(a_whole_file_is_read_when_it_rests_and_again_when_it_changes)
{
    struct aff_harness *h;

    folder_make();
    h = following("*.json", "as = \"whole\"");
    put("a.json", "{");
    assert_string_equal(within(h, S / 2), "");
    append("a.json", "}");
    assert_string_equal(within(h, S / 2), "");
    assert_string_equal(within(h, 2 * S), "[{}]|");
    aff_harness_restart(h);
    assert_string_equal(within(h, 10 * S), "");
    put("b.tmp", "[]");
    assert_string_equal(within(h, 5 * S), "");
    assert_int_equal(rename(at("b.tmp"), at("b.json")), 0);
    assert_string_equal(within(h, 5 * S), "[[]]|");
    put("a.json", "{1}");
    assert_string_equal(within(h, 5 * S), "[{1}]|");
    EXPECT_METRIC(h, "files", 3);
    aff_harness_close(&h);
}

TEST(the_time_is_that_of_reading_or_the_lines_own)
{
    struct aff_harness *h;
    const struct aff_record *r;

    folder_make();
    put("t.csv", "a\n");
    h = following("t.csv", "");
    aff_harness_utc(h, 1772350215 * S, AFF_CLOCK_SYNCED);
    EXPECT_STATUS(settle(h), AFF_AGAIN);
    r = aff_harness_take(h, "data");
    assert_int_equal(r->event_ns, 1772350215 * S);
    assert_int_equal(r->clock, AFF_CLOCK_SYNCED);
    aff_harness_close(&h);
    put("t.csv", "time,hr\n");
    h = following("t.csv", "time = { format = \"unix_s\" }");
    assert_string_equal(soon(h), ""); /* a heading waits for the first time */
    append("t.csv", "5,72\n");
    pass(h, S);
    assert_int_equal(aff_harness_take(h, "data")->event_ns, 5 * S);
    assert_int_equal(aff_harness_take(h, "data")->event_ns, 5 * S);
    aff_harness_restart(h);
    append("t.csv", "x\n");
    pass(h, S);
    r = aff_harness_take(h, "data");
    assert_int_equal(r->event_ns, 5 * S);
    assert_int_equal(r->clock, AFF_CLOCK_RECORDED);
    aff_harness_close(&h);
}

TEST(an_old_file_that_is_never_quiet_is_waited_for_a_minute)
{
    struct aff_harness *h;
    int i, found = 0;

    folder_make();
    put("t.csv", "1\n");
    h = following("t.csv", "");
    assert_string_equal(soon(h), "[1]");
    assert_int_equal(rename(at("t.csv"), at("t.csv.1")), 0);
    put("t.csv", "new\n");
    for (i = 0; i < 140 && !found; i++) {
        append("t.csv.1", "old\n");
        found = strstr(within(h, S / 2), "[new]") != NULL;
    }
    assert_true(found && i > 110 && i < 130);
    append("t.csv.1", "late\n");
    append("t.csv", "newer\n");
    assert_non_null(strstr(soon(h), "[late]"));
    aff_harness_close(&h);
}

TEST(more_files_than_max_files_are_said_and_the_others_followed)
{
    struct aff_harness *h;
    char name[32];
    int i;

    folder_make();
    for (i = 0; i < 5; i++) {
        (void)snprintf(name, sizeof name, "%d.csv", i);
        put(name, "x\n");
    }
    h = following("", "max_files = 3");
    assert_string_equal(within(h, 5 * S), "[x][x][x]");
    EXPECT_LOG(h, AFF_LOG_ERROR, "more than max_files = 3");
    EXPECT_METRIC(h, "refused", 1);
    aff_harness_close(&h);
}

TEST(three_thousand_files_need_few_descriptors_and_streams)
{
    struct aff_harness *h;
    char name[32], text[32];
    int i, records = 0;
    const struct aff_record *r;

    folder_make();
    for (i = 0; i < 3000; i++) {
        (void)snprintf(name, sizeof name, "p%04d.csv", i);
        (void)snprintf(text, sizeof text, "line %d\nhal", i);
        put(name, text);
    }
    h = following("", "max_files = 4000");
    EXPECT_STATUS(settle(h), AFF_AGAIN);
    append("p0000.csv", "f\n");
    append("p2999.csv", "f\n");
    pass(h, S);
    while ((r = aff_harness_take(h, "data"))) {
        assert_true(r->stream <= 1001);
        records += !(r->flags & AFF_FLAG_END);
    }
    assert_int_equal(records, 3002);
    aff_harness_close(&h);
    folder_remove();
}

TEST(a_followed_path_that_is_a_pipe_is_refused)
{
    struct aff_harness *h;

    folder_make();
    assert_int_equal(mkfifo(at("pipe"), 0600), 0);
    EXPECT_STATUS(aff_harness_try_open("in_file", toml_of("pipe", "follow = true"), &h), AFF_ERR_CONFIG);
    EXPECT_CAUSE(h, "cannot be read twice");
    aff_harness_close(&h);
}

AFF_TEST_MAIN(a_growing_file_is_lines_and_each_host_call_may_fail, looks_are_a_few_a_second_and_never_more,
              a_file_that_is_not_there_is_waited_for,
              a_rotated_file_is_finished_before_the_new_one_and_the_stream_goes_on,
              several_rotations_in_a_row_come_in_their_order, a_renamed_file_without_a_new_one_is_still_followed,
              a_deleted_file_is_finished_and_one_of_its_name_may_come, a_truncated_file_is_read_from_its_beginning,
              the_same_line_after_a_truncation_is_another_record,
              a_file_that_was_written_anew_and_longer_is_seen_by_its_bytes,
              a_file_that_was_written_anew_behind_a_long_heading_is_seen_by_its_bytes,
              ids_depend_on_the_file_alone_whenever_it_was_read,
              a_file_of_random_writes_comes_out_whole_over_rotations_and_restarts,
              a_file_that_was_rotated_while_we_were_away_is_finished_first,
              a_restart_goes_on_in_mid_line_and_in_a_line_that_is_too_long,
              a_folder_is_followed_with_what_appears_in_it_and_each_file_ends_its_stream,
              files_of_one_subject_share_a_stream_until_the_last_is_gone,
              a_whole_file_is_read_when_it_rests_and_again_when_it_changes,
              the_time_is_that_of_reading_or_the_lines_own, an_old_file_that_is_never_quiet_is_waited_for_a_minute,
              more_files_than_max_files_are_said_and_the_others_followed,
              three_thousand_files_need_few_descriptors_and_streams, a_followed_path_that_is_a_pipe_is_refused)
