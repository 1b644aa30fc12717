/* test_lines.c - how often the same line may be said, by a clock that the test moves; and
 * how lines look in the journal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <afferent/plugin.h>

#include "show/limit.h"
#include "show/lines.h"

struct told {
    struct limit limit;
    unsigned count;
    int level;
    char node[64];
    char text[256];
};

static void told(void *arg, int level, const char *node, const char *text)
{
    struct told *t = arg;

    t->count++;
    t->level = level;
    snprintf(t->node, sizeof t->node, "%s", node ? node : "(none)");
    snprintf(t->text, sizeof t->text, "%s", text);
}

static struct told *told_open(void)
{
    struct told *t = calloc(1, sizeof *t);

    assert_non_null(t);
    t->limit.tell = told;
    t->limit.arg = t;
    return t;
}

/* How many of `count` calls are let through. */
static unsigned say(struct told *t, int level, const char *node, const char *text, unsigned count, int64_t now_s)
{
    unsigned said = 0;

    while (count-- > 0)
        said += limit_allows(&t->limit, level, node, text, now_s);
    return said;
}

static void the_same_line_is_said_ten_times_and_then_counted_once(void **state)
{
    struct told *t = told_open();

    (void)state;
    assert_int_equal(say(t, AFF_LOG_WARN, "sink", "the peer is away", 1244, 100), 10);
    assert_int_equal(t->count, 0);
    limit_tick(&t->limit, 109);
    assert_int_equal(t->count, 0);
    limit_tick(&t->limit, 110);
    assert_int_equal(t->count, 1);
    assert_int_equal(t->level, AFF_LOG_WARN);
    assert_string_equal(t->node, "sink");
    assert_string_equal(t->text, "the peer is away ... 1,234 more like it in the last 10 s");
    limit_tick(&t->limit, 200);
    assert_int_equal(t->count, 1);
    assert_int_equal(say(t, AFF_LOG_WARN, "sink", "the peer is away", 11, 200), 10);
    free(t);
}

static void lines_that_differ_by_numbers_alone_are_the_same(void **state)
{
    struct told *t = told_open();
    unsigned said = 0;

    (void)state;
    for (int i = 0; i < 100; i++) {
        char text[64];

        snprintf(text, sizeof text, "row %d: %d columns", i * 37, i);
        said += limit_allows(&t->limit, AFF_LOG_WARN, "rows", text, 5);
    }
    assert_int_equal(said, 10);
    assert_true(limit_allows(&t->limit, AFF_LOG_WARN, "rows", "row x: 5 columns", 5));
    free(t);
}

static void a_nodes_flood_costs_no_other_node_and_no_error_of_its_own(void **state)
{
    struct told *t = told_open();

    (void)state;
    assert_int_equal(say(t, AFF_LOG_INFO, "noisy", "again", 1000, 7), 10);
    assert_int_equal(say(t, AFF_LOG_INFO, "calm", "again", 1, 7), 1);
    assert_int_equal(say(t, AFF_LOG_INFO, NULL, "again", 1, 7), 1);
    assert_int_equal(say(t, AFF_LOG_ERROR, "noisy", "again", 1, 7), 1);
    assert_int_equal(say(t, AFF_LOG_INFO, "noisy", "another thing", 1, 7), 1);
    free(t);
}

static void a_node_that_says_ever_new_things_is_cut_as_well(void **state)
{
    struct told *t = told_open();
    unsigned said = 0;

    (void)state;
    for (unsigned i = 0; i < 5000; i++) {
        char text[8] = { (char)('a' + i % 26), (char)('a' + i / 26 % 26), (char)('a' + i / 676) };

        said += limit_allows(&t->limit, AFF_LOG_INFO, "mad", text, 3);
    }
    assert_int_equal(said, LIMIT_NODE);
    assert_int_equal(say(t, AFF_LOG_ERROR, "calm", "an error", 1, 3), 1);
    t->count = 0;
    limit_tick(&t->limit, INT64_MAX);
    assert_int_equal(t->count, 1);
    assert_string_equal(t->text, "4,900 more lines of many kinds were left out in the last 10 s");
    free(t);
}

static void more_lines_than_places_lose_no_count(void **state)
{
    struct told *t = told_open();

    (void)state;
    say(t, AFF_LOG_INFO, "first", "old", 15, 1);
    for (unsigned i = 0; i < LIMIT_ROWS; i++) {
        char node[8] = { 'n', (char)('a' + i / 26), (char)('a' + i % 26) };

        assert_true(limit_allows(&t->limit, AFF_LOG_INFO, node, "new", 2));
    }
    assert_int_equal(t->count, 1);
    assert_string_equal(t->text, "old ... 5 more like it in the last 10 s");
    free(t);
}

static void long_texts_are_compared_by_what_is_kept_of_them(void **state)
{
    struct told *t = told_open();
    char text[400];

    (void)state;
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_int_equal(say(t, AFF_LOG_INFO, "n", text, 20, 1), 10);
    text[sizeof text - 2] = 'y';
    assert_int_equal(say(t, AFF_LOG_INFO, "n", text, 20, 1), 0);
    text[3] = 'y';
    assert_int_equal(say(t, AFF_LOG_INFO, "n", text, 1, 1), 1);
    free(t);
}

/* Runs `say` with stderr going to a file, the journal's or not; gives what it holds. */
static void captured(bool journal, char *text, size_t room)
{
    char path[] = "/tmp/afferent-lines-XXXXXX", stream[64];
    int file = mkstemp(path), before = dup(STDERR_FILENO);
    struct lines *lines;
    struct stat st;
    ssize_t got;

    assert_true(file >= 0 && before >= 0 && fstat(file, &st) == 0);
    unlink(path);
    snprintf(stream, sizeof stream, "%llu:%llu", (unsigned long long)st.st_dev,
             (unsigned long long)st.st_ino + !journal);
    setenv("JOURNAL_STREAM", stream, 1);
    dup2(file, STDERR_FILENO);
    lines = lines_open(AFF_LOG_INFO);
    lines_name(lines, "ward");
    lines_say(lines, AFF_LOG_WARN, "ecg", "lead %d is off\n", 2);
    lines_close(&lines);
    fflush(stderr);
    dup2(before, STDERR_FILENO);
    close(before);
    unsetenv("JOURNAL_STREAM");
    got = pread(file, text, room - 1, 0);
    text[got > 0 ? got : 0] = '\0';
    close(file);
}

static void the_journal_gets_a_priority_and_no_time(void **state)
{
    char text[256];

    (void)state;
    captured(true, text, sizeof text);
    assert_string_equal(text, "<4>ward: [ecg] lead 2 is off?\n");
}

static void a_redirection_is_not_taken_for_the_journal(void **state)
{
    char text[256];

    (void)state;
    captured(false, text, sizeof text);
    assert_null(strchr(text, '<'));
    assert_non_null(strstr(text, "Z warn  ward: [ecg] lead 2 is off?\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_line_is_said_ten_times_and_then_counted_once),
        cmocka_unit_test(lines_that_differ_by_numbers_alone_are_the_same),
        cmocka_unit_test(a_nodes_flood_costs_no_other_node_and_no_error_of_its_own),
        cmocka_unit_test(a_node_that_says_ever_new_things_is_cut_as_well),
        cmocka_unit_test(more_lines_than_places_lose_no_count),
        cmocka_unit_test(long_texts_are_compared_by_what_is_kept_of_them),
        cmocka_unit_test(the_journal_gets_a_priority_and_no_time),
        cmocka_unit_test(a_redirection_is_not_taken_for_the_journal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
