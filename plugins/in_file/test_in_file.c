/* SPDX-License-Identifier: Apache-2.0
 *
 * test_in_file.c - files that are read from end to end: lines, blocks, whole files,
 * order, times, pace, what is refused. Ids and restarts: test_replay.c; growing files:
 * test_follow.c; a disk that fails: test_fault.c. */
#include "test_folder.h"

#include <errno.h>

#define S INT64_C(1000000000)

static const char *read_out(struct aff_harness *h)
{
    EXPECT_STATUS(aff_harness_read_all(h, 64, 0), AFF_END);
    return out(h);
}

TEST(wrong_options_are_refused_with_what_to_do)
{
    assert_null(aff_harness_check("in_file", "path = \"a.csv\""));
    assert_null(aff_harness_check("in_file", "path = [\"a.csv\", \"b/*.txt\"]\npace = \"realtime\"\n"
                                             "every = \"1s\"\nspeed = 10.0"));
    assert_null(aff_harness_check("in_file", "path = \"a\"\ntime = { field = 2, delimiter = \"\\t\", "
                                             "format = \"clock\" }\nstart = \"2026-03-01\"\nfollow = true"));
    EXPECT_REFUSED("in_file", "", "path");
    EXPECT_REFUSED("in_file", "path = []", "path");
    EXPECT_REFUSED("in_file", "path = \"a\"\nas = \"words\"", "as");
    EXPECT_REFUSED("in_file", "path = \"a\"\npace = \"realtime\"", "time of each record");
    EXPECT_REFUSED("in_file", "path = \"a\"\nspeed = 2.0", "speed");
    EXPECT_REFUSED("in_file", "path = \"a\"\nstart = \"yesterday\"", "date and time");
    EXPECT_REFUSED("in_file", "path = \"a\"\nfollow = true\nevery = \"1s\"", "every");
    EXPECT_REFUSED("in_file", "path = \"a\"\nfollow = true\nstart = \"2026-01-01\"", "start");
    EXPECT_REFUSED("in_file", "path = \"a\"\nas = \"blocks\"\ntime = {}", "for lines");
    EXPECT_REFUSED("in_file", "path = \"a\"\ntime = { delimiter = \"ab\" }", "one character");
    EXPECT_REFUSED("in_file", "path = \"a\"\ntime = {}\nevery = \"1s\"", "every");
    EXPECT_REFUSED("in_file", "path = \"a\"\nsubject = \"\"", "subject");
}

static void lines_once(void)
{
    struct aff_harness *h = aff_harness_open("in_file", toml_of("bed7.csv", ""));

    assert_string_equal(read_out(h), "[a,1][b,2][][last]|");
    EXPECT_METRIC(h, "files", 1);
    EXPECT_METRIC(h, "bytes", 15);
    EXPECT_METRIC(h, "records", 4);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(a_file_is_lines_and_each_host_call_may_fail)
{
    folder_make();
    put("bed7.csv", "a,1\nb,2\r\n\r\nlast");
    AFF_EACH_HOST_CALL_FAILS_ONCE(lines_once);
}

TEST(a_record_says_whose_it_is_and_has_a_time_that_does_not_depend_on_the_clock)
{
    struct aff_harness *h;
    const struct aff_record *r;

    folder_make();
    put("bed 7.monitor.csv", "a\nb\n");
    h = aff_harness_open("in_file", toml_of("bed 7.monitor.csv", ""));
    EXPECT_STATUS(aff_harness_read_all(h, 64, 0), AFF_END);
    r = aff_harness_take(h, "data");
    assert_string_equal(aff_harness_stream_info(h, r->stream)->subject_name, "bed 7.monitor");
    assert_string_equal(aff_harness_stream_info(h, r->stream)->name, "file");
    assert_int_equal(aff_harness_schema(h, r)->label, AFF_LABEL_PHI);
    assert_int_equal(r->event_ns, 0);
    assert_int_equal(r->clock, AFF_CLOCK_NONE);
    assert_int_equal(r->flags, 0);
    assert_int_equal(aff_harness_take(h, "data")->event_ns, 1);
    aff_harness_close(&h);
    h = aff_harness_open("in_file", toml_of("bed 7.monitor.csv", "start = \"2026-03-01T00:00:00Z\"\nevery = \"2s\"\n"
                                                                 "subject = \"p\"\nstream = \"vitals\""));
    EXPECT_STATUS(aff_harness_read_all(h, 64, 0), AFF_END);
    (void)aff_harness_take(h, "data");
    r = aff_harness_take(h, "data");
    assert_int_equal(r->event_ns, 1772323202 * S);
    assert_int_equal(r->clock, AFF_CLOCK_RECORDED);
    assert_string_equal(aff_harness_stream_info(h, r->stream)->name, "vitals");
    aff_harness_close(&h);
}

TEST(a_name_that_is_no_text_becomes_one)
{
    struct aff_harness *h;

    folder_make();
    put("\xff" "A%\xc3\xa9.csv", "a\n");
    h = aff_harness_open("in_file", toml_of("", ""));
    EXPECT_STATUS(aff_harness_read_all(h, 64, 0), AFF_END);
    assert_string_equal(aff_harness_stream_info(h, aff_harness_take(h, "data")->stream)->subject_name,
                        "%FFA%25\xc3\xa9");
    aff_harness_close(&h);
}

TEST(a_folder_is_read_in_bytewise_order_without_what_is_no_file)
{
    struct aff_harness *h;

    folder_make();
    put("b.txt", "2\n");
    put("B.txt", "1\n");
    put("c", "");
    put("\xc3\xa9.txt", "3\n");
    put(".hidden", "no\n");
    assert_int_equal(mkdir(at("sub"), 0700), 0);
    put("sub/x.txt", "sub\n");
    assert_int_equal(mkfifo(at("pipe"), 0600), 0);
    h = aff_harness_open("in_file", toml_of("", ""));
    EXPECT_LOG(h, AFF_LOG_WARN, "1 pipes or devices are left out");
    assert_string_equal(read_out(h), "[1]|[2]|[3]|");
    EXPECT_METRIC(h, "files", 4);
    aff_harness_close(&h);
    h = aff_harness_open("in_file", toml_of("[bs]*/x.t?t", ""));
    assert_string_equal(read_out(h), "[sub]|");
    aff_harness_close(&h);
    h = aff_harness_open("in_file", toml_of("*.txt", ""));
    assert_string_equal(read_out(h), "[1]|[2]|[3]|");
    aff_harness_close(&h);
}

TEST(what_is_not_there_is_tried_again_and_what_never_works_is_refused)
{
    struct aff_harness *h;
    aff_status st;

    folder_make();
    EXPECT_STATUS(aff_harness_try_open("in_file", toml_of("absent.csv", ""), &h), AFF_ERR_IO);
    EXPECT_CAUSE(h, "path, entry 1 of 1: No such file");
    put("absent.csv", "here\n");
    st = aff_harness_retry(h);
    EXPECT_STATUS(st, AFF_OK);
    assert_string_equal(read_out(h), "[here]|");
    aff_harness_close(&h);
    EXPECT_STATUS(aff_harness_try_open("in_file", toml_of("*.none", ""), &h), AFF_ERR_IO);
    EXPECT_CAUSE(h, "no file is in this folder or matches");
    aff_harness_close(&h);
    assert_int_equal(mkfifo(at("pipe"), 0600), 0);
    EXPECT_STATUS(aff_harness_try_open("in_file", toml_of("pipe", ""), &h), AFF_ERR_CONFIG);
    EXPECT_CAUSE(h, "cannot be read twice");
    aff_harness_close(&h);
    EXPECT_STATUS(aff_harness_try_open("in_file", "path = \"/dev/null\"", &h), AFF_ERR_CONFIG);
    aff_harness_close(&h);
}

TEST(a_bad_file_in_a_folder_does_not_stop_the_others)
{
    struct aff_harness *h;

    folder_make();
    put("a-one.txt", "1\n");
    put("b-patient.txt", "2\n");
    put("c-three.txt", "3\n");
    h = aff_harness_open("in_file", toml_of("", ""));
    assert_int_equal(unlink(at("b-patient.txt")), 0);
    EXPECT_STATUS(aff_harness_read_all(h, 64, 0), AFF_ERR_DATA);
    EXPECT_CAUSE(h, "file 2 of 3: cannot be opened: No such file");
    EXPECT_STATUS(aff_harness_read_all(h, 64, 0), AFF_END);
    assert_string_equal(out(h), "[1]|[3]|");
    EXPECT_METRIC(h, "refused", 1);
    EXPECT_METRIC(h, "files", 2);
    aff_harness_close(&h);
}

TEST(a_file_that_may_not_be_read_is_said_by_its_place)
{
    struct aff_harness *h;

    int is_root = geteuid() == 0;

    folder_make();
    put("a.txt", "1\n");
    assert_int_equal(chmod(at("a.txt"), 0), 0);
    assert_int_equal(chmod(folder, 0755), 0);
    h = aff_harness_open("in_file", toml_of("", ""));
    if (is_root) /* who may read every file */
        assert_int_equal(seteuid(65534), 0);
    EXPECT_STATUS(aff_harness_read_all(h, 64, 0), AFF_ERR_DATA);
    EXPECT_CAUSE(h, "file 1 of 1: cannot be opened: Permission denied");
    if (is_root)
        assert_int_equal(seteuid(0), 0);
    aff_harness_close(&h);
}

TEST(a_long_line_is_set_aside_and_the_next_one_is_read)
{
    struct aff_harness *h;
    char *text = malloc(300000);

    folder_make();
    memset(text, 'x', 300000);
    memcpy(text, "a\n", 2);
    memcpy(text + 299990, "\nb\n", 4);
    put("t.txt", text);
    free(text);
    h = aff_harness_open("in_file", toml_of("t.txt", "max_line = \"100B\""));
    assert_string_equal(read_out(h), "[a][b]|");
    EXPECT_METRIC(h, "long_lines", 1);
    EXPECT_VERDICT(h, "line_too_long", 1);
    EXPECT_METRIC(h, "bytes", 299993);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(what_follows_a_line_that_was_passed_over_has_the_mark_of_a_gap)
{
    static const char *const ways[] = { "max_line = \"16B\"", "as = \"blocks\"\nblock = \"16B\"" };
    const struct aff_record *r;
    size_t i;

    for (i = 0; i < 2; i++) {
        struct aff_harness *h;

        folder_make();
        put("t.txt", "1,\"a\n0123456789abcdefghij\nb\"\nc\n");
        h = aff_harness_open("in_file", toml_of("t.txt", ways[i]));
        EXPECT_STATUS(aff_harness_read_all(h, 64, 0), AFF_END);
        r = aff_harness_take(h, "data");
        assert_true(r && !(r->flags & AFF_FLAG_GAP));
        r = aff_harness_take(h, "data");
        assert_true(r && (r->flags & AFF_FLAG_GAP) && memcmp(r->data, "b\"", 2) == 0);
        EXPECT_VERDICT(h, "line_too_long", 1);
        EXPECT_BALANCED(h);
        aff_harness_close(&h);
    }
}

/* One line, or one file, must not end the run and each one after it. */
TEST(what_is_larger_than_a_record_may_be_is_left_behind_and_said)
{
    static const char *const ways[] = { "", "as = \"blocks\"\nblock = \"69B\"" };
    struct aff_harness *h;
    size_t i;

    for (i = 0; i < 2; i++) {
        folder_make();
        put("t.txt", "a\n0123456789012345678901234567890123456789012345678901234567890123456\nb\n");
        h = aff_harness_open("in_file", toml_of("t.txt", ways[i]));
        aff_harness_max_record(h, 20);
        assert_string_equal(read_out(h), i ? "[a\n][b\n]|" : "[a][b]|");
        EXPECT_VERDICT(h, "line_too_long", 1);
        EXPECT_LOG(h, AFF_LOG_ERROR, "edge.buffer");
        EXPECT_BALANCED(h);
        aff_harness_close(&h);
    }
    folder_make();
    put("a.txt", "0123456789012345678901234567890123456789");
    put("b.txt", "small");
    h = aff_harness_open("in_file", toml_of("", "as = \"whole\""));
    aff_harness_max_record(h, 20);
    EXPECT_STATUS(aff_harness_read_all(h, 64, 0), AFF_ERR_DATA);
    EXPECT_CAUSE(h, "edge.buffer");
    assert_string_equal(read_out(h), "|[small]|");
    EXPECT_METRIC(h, "refused", 1);
    aff_harness_close(&h);
}

TEST(a_line_without_an_end_does_not_keep_the_thread)
{
    struct aff_harness *h;
    int reads = 0;
    aff_status st;

    folder_make();
    put("t.txt", "x");
    assert_int_equal(truncate(at("t.txt"), 64 << 20), 0); /* zeros, and no disk */
    h = aff_harness_open("in_file", toml_of("t.txt", ""));
    do {
        st = aff_harness_read(h, 64);
        reads++;
    } while (st == AFF_OK);
    EXPECT_STATUS(st, AFF_END);
    assert_true(reads > 20); /* hashed in steps of 4 MiB, passed over in steps of 8 */
    EXPECT_VERDICT(h, "line_too_long", 1);
    EXPECT_METRIC(h, "bytes", 64 << 20);
    aff_harness_close(&h);
}

TEST(a_file_is_one_record_and_a_larger_one_is_refused_with_what_to_do)
{
    struct aff_harness *h;

    folder_make();
    put("a.json", "{\n}\n");
    put("b.json", "0123456789");
    put("c.json", "");
    h = aff_harness_open("in_file", toml_of("", "as = \"whole\"\nmax_size = \"9B\""));
    EXPECT_STATUS(aff_harness_read_all(h, 64, 0), AFF_ERR_DATA);
    EXPECT_CAUSE(h, "file 2 of 3: is larger than max_size");
    EXPECT_STATUS(aff_harness_read_all(h, 64, 0), AFF_END);
    assert_string_equal(out(h), "[{\n}\n]|[]|");
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(a_line_has_its_own_time_and_one_without_takes_the_last)
{
    static const int64_t wanted[] = { 100, 100, 100, 102, 101 };
    struct aff_harness *h;
    size_t i;

    folder_make();
    put("t.csv", "heading,hr\n100,72\nno,73\n102,74\n101,75\n");
    h = aff_harness_open("in_file", toml_of("t.csv", "time = { format = \"unix_s\" }"));
    EXPECT_STATUS(aff_harness_read_all(h, 64, 0), AFF_END);
    for (i = 0; i < 5; i++) {
        const struct aff_record *r = aff_harness_take(h, "data");

        assert_int_equal(r->event_ns, wanted[i] * S);
        assert_int_equal(r->clock, AFF_CLOCK_RECORDED);
    }
    EXPECT_METRIC(h, "untimed", 2);
    aff_harness_close(&h);
    put("t.csv", "no\ntime\nat all");
    h = aff_harness_open("in_file", toml_of("t.csv", "time = {}\nstart = \"1970-01-02\""));
    EXPECT_STATUS(aff_harness_read_all(h, 64, 0), AFF_END);
    assert_int_equal(aff_harness_take(h, "data")->event_ns, 86400 * S);
    aff_harness_close(&h);
}

TEST(real_time_is_that_of_the_recording_and_the_factor_makes_it_faster)
{
    struct aff_harness *h;
    int64_t began;

    folder_make();
    put("t.csv", "1000,a\n1010,b\n1005,c\n1030,d\n");
    h = aff_harness_open("in_file", toml_of("t.csv", "time = { format = \"unix_s\" }\npace = \"realtime\"\n"
                                                  "speed = 10.0"));
    began = aff_harness_now(h);
    while (aff_harness_read(h, 64) == AFF_OK)
        ;
    assert_string_equal(out(h), "[1000,a]");
    assert_int_equal(aff_harness_wake_time(h), began + S);
    EXPECT_STATUS(aff_harness_clock(h, S - 1), AFF_OK);
    assert_string_equal(out(h), "");
    (void)aff_harness_clock(h, 1);
    assert_string_equal(out(h), "[1010,b][1005,c]");
    EXPECT_STATUS(aff_harness_read_all(h, 64, 0), AFF_END);
    assert_int_equal(aff_harness_now(h), began + 3 * S);
    assert_string_equal(out(h), "[1030,d]|");
    aff_harness_close(&h);
}

TEST(lines_without_times_are_paced_by_every)
{
    struct aff_harness *h;
    int64_t began;

    folder_make();
    put("t.csv", "a\nb\nc\n");
    h = aff_harness_open("in_file", toml_of("t.csv", "every = \"500ms\"\npace = \"realtime\""));
    began = aff_harness_now(h);
    EXPECT_STATUS(aff_harness_read_all(h, 64, 0), AFF_END);
    assert_int_equal(aff_harness_now(h), began + S);
    aff_harness_close(&h);
}

TEST(ten_thousand_files_are_read_one_after_another)
{
    struct aff_harness *h;
    char name[32], text[32];
    int i, lines = 0;
    aff_status st;

    folder_make();
    for (i = 0; i < 10000; i++) {
        (void)snprintf(name, sizeof name, "p%05d.csv", i);
        (void)snprintf(text, sizeof text, "%d\n", i);
        put(name, text);
    }
    h = aff_harness_open("in_file", toml_of("*.csv", "subject = \"ward\""));
    do {
        const struct aff_record *r;

        st = aff_harness_read(h, 64);
        while ((r = aff_harness_take(h, "data"))) {
            if (r->flags & AFF_FLAG_END)
                continue;
            (void)snprintf(text, sizeof text, "%d", lines++);
            assert_int_equal(r->size, strlen(text));
            assert_memory_equal(r->data, text, r->size);
            assert_true(r->stream == 1); /* its integer is free again each time */
        }
        aff_harness_discard(h, "data");
    } while (st == AFF_OK);
    EXPECT_STATUS(st, AFF_END);
    assert_int_equal(lines, 10000);
    aff_harness_close(&h);
    folder_remove();
}

AFF_TEST_MAIN(wrong_options_are_refused_with_what_to_do, a_file_is_lines_and_each_host_call_may_fail,
              a_record_says_whose_it_is_and_has_a_time_that_does_not_depend_on_the_clock,
              a_name_that_is_no_text_becomes_one, a_folder_is_read_in_bytewise_order_without_what_is_no_file,
              what_is_not_there_is_tried_again_and_what_never_works_is_refused,
              a_bad_file_in_a_folder_does_not_stop_the_others, a_file_that_may_not_be_read_is_said_by_its_place,
              a_long_line_is_set_aside_and_the_next_one_is_read,
              what_follows_a_line_that_was_passed_over_has_the_mark_of_a_gap,
              what_is_larger_than_a_record_may_be_is_left_behind_and_said,
              a_line_without_an_end_does_not_keep_the_thread,
              a_file_is_one_record_and_a_larger_one_is_refused_with_what_to_do,
              a_line_has_its_own_time_and_one_without_takes_the_last,
              real_time_is_that_of_the_recording_and_the_factor_makes_it_faster, lines_without_times_are_paced_by_every,
              ten_thousand_files_are_read_one_after_another)
