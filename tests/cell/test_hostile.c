/* test_hostile.c - plugins that mean harm, each in a process: the host goes on, books
 * nothing wrong, and what is not theirs to spoil arrives once and unaltered.
 *
 * Not here: ordinary plugins (test_cell.c), children that die (test_deaths.c). */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "villain.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define IS_SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || defined(IS_SANITIZED)
static const bool is_sanitized = true;
#else
static const bool is_sanitized = false;
#endif


/* What becomes of the two records at which the plugin does it. */
enum fate {
    PASSES,   /* the child lives, or the next one does it no more */
    IS_LETTER /* each ends three children */
};

struct deed {
    const char *name;
    enum hostile what;
    enum fate fate;
    bool is_violation;
    bool hangs;
};

static const struct deed deeds[] = {
    { "abort", H_ABORT, IS_LETTER, false, false },
    { "segmentation fault", H_SEGFAULT, IS_LETTER, false, false },
    { "stack overflow", H_STACK, IS_LETTER, false, false },
    { "exit(0)", H_EXIT, IS_LETTER, false, false },
    { "infinite loop", H_LOOP, IS_LETTER, false, true },
    { "all signals blocked", H_BLOCKED, IS_LETTER, false, true },
    { "1 MB leaked a record", H_LEAK, PASSES, false, false },
    { "a thousand outputs", H_THOUSAND, PASSES, false, false },
    { "thread bomb", H_THREADS, IS_LETTER, true, false },
    { "descriptor bomb", H_FDS, PASSES, false, false },
    { "fork bomb", H_FORKS, PASSES, false, false },
    { "forged length", H_LENGTH, IS_LETTER, true, false },
    { "forged length of the area", H_LENGTH_USED, IS_LETTER, true, false },
    { "forged place: leads to itself", H_OFFSET, IS_LETTER, true, false },
    { "forged place: text outside", H_OFFSET_TEXT, IS_LETTER, true, false },
    { "forged verdict", H_VERDICT, IS_LETTER, true, false },
    { "forged port", H_PORT, IS_LETTER, true, false },
    { "forged input", H_INPUT, IS_LETTER, true, false },
    { "forged stream", H_STREAM, IS_LETTER, true, false },
    { "forged subject", H_SUBJECT, IS_LETTER, true, false },
    { "forged time", H_TIME, IS_LETTER, true, false },
    { "forged schema", H_SCHEMA, IS_LETTER, true, false },
    { "forged call number", H_NUMBER, IS_LETTER, true, false },
    { "forged question", H_ASK, IS_LETTER, true, false },
    { "forged kind", H_KIND, IS_LETTER, true, false },
    { "forged release", H_RELEASE, IS_LETTER, true, false },
    { "forged status", H_STATUS, IS_LETTER, true, false },
    { "ftruncate of all descriptors", H_TRUNCATE, PASSES, false, false },
    { "kill of its parent", H_KILL, PASSES, false, false },
    { "ptrace of its parent", H_PTRACE, PASSES, false, false },
    { "another program", H_EXEC, PASSES, false, false },
    { "a socket", H_SOCKET, PASSES, false, false },
    { "writing a file", H_WRITE_FILE, PASSES, false, false },
    { "its parent's memory and limits", H_MEMORY, PASSES, false, false },
    { "20,000 log lines", H_LOG, PASSES, false, false },
    { "100 threads that count", H_SPIN, PASSES, false, false },
};

static int fds_open(void)
{
    int n = 0;

    for (int fd = 0; fd < 256; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

/* The order and content of what passed, against what was put in. */
static void expect_whole(struct booth *b, bool without_bad)
{
    struct stage expected;
    struct stage_payload *p;
    struct aff_record *r;
    char *mine = malloc(b->stage.text_size + 1), *at = mine;

    for (const char *line = b->stage.text; *line; line = strchr(line, '\n') + 1)
        if (strncmp(line, "verdict 0", 9) == 0)
            at = mempcpy(at, line, (size_t)(strchr(line, '\n') + 1 - line));
    *at = '\0';
    stage_begin(&expected);
    stage_ports(&expected, &hostile_processor);
    r = stage_records(&expected, RECORDS, &p);
    actions_two(p, RECORDS);
    for (uint32_t i = 0; i < RECORDS; i++) {
        if (without_bad && (i == BAD_ONE || i == BAD_TWO))
            continue;
        stage_passed(&expected, &r[i]);
    }
    fflush(expected.out);
    assert_string_equal(mine, expected.text);
    free(mine);
    free(r);
    free(p);
    stage_end(&expected);
}

/* Without the filter some deeds are not for a machine that is used. */
static bool has_filter;

static void filter_look(void)
{
    struct hostile_config config;
    struct booth b;
    char text[160];

    booth_hostile(&b, &hostile_processor, H_NOTHING, AT_RECORD, &config);
    assert_int_equal(stage_open(&b.stage, b.about, cell_config(b.cell)), AFF_OK);
    cell_status(b.cell, text, sizeof text);
    has_filter = strstr(text, ", seccomp ") != NULL;
    booth_stop(&b);
    booth_end(&b);
}

static void try(const struct deed *deed)
{
    struct booth b;
    uint64_t letters = deed->fate == IS_LETTER ? 2 : 0;

    if (!has_filter && (deed->what == H_KILL || deed->what == H_FORKS || deed->what == H_EXEC || deed->what == H_PTRACE)) {
        print_message("SKIP test_hostile: %s: this kernel has no seccomp\n", deed->name);
        return;
    }
    print_message("  %s\n", deed->name);
    villain_run(&b, &hostile_processor, deed->what, actions_two);
    if (b.stage.dead != letters || b.stage.passed != RECORDS - letters)
        fail_msg("%s: %d dead, %d passed; %s", deed->name, (int)b.stage.dead, (int)b.stage.passed, b.stage.why);
    assert_int_equal(b.figures.dead_letters, letters);
    assert_int_equal(b.figures.ends, letters * 4);
    assert_int_equal(b.figures.violations, deed->is_violation ? letters * 4 : 0);
    assert_int_equal(b.figures.hangs, deed->hangs ? letters * 4 : 0);
    assert_int_equal(b.stage.made, deed->what == H_THOUSAND ? 2000 : 0);
    assert_int_equal(b.stage.aside, 0);
    assert_null(strstr(b.stage.text, "WRONG"));
    assert_false(b.figures.is_parked);
    expect_whole(&b, deed->fate == IS_LETTER);
    assert_true(access("/tmp/afferent-hostile-was-here", F_OK) < 0);
    booth_end(&b);
    nothing_is_left();
}

static void each_deed_costs_at_most_the_records_at_which_it_is_done(void **state)
{
    int fds;

    (void)state;
    filter_look();
    try(&deeds[0]); /* the thread that starts children stays */
    fds = fds_open();
    for (size_t i = 1; i < sizeof deeds / sizeof deeds[0]; i++)
        try(&deeds[i]);
    assert_int_equal(fds_open(), fds);
}

/* Garbage may by chance be what nothing is wrong with; what it may not is be booked
 * as something else. */
static void garbage_on_the_shared_pages_books_nothing_wrong(void **state)
{
    static const enum hostile whats[] = { H_SCRIBBLE, H_SCRIBBLE_LONG };
    struct booth b;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        villain_run(&b, &hostile_processor, whats[i], actions_two);
        assert_int_equal(b.stage.dead + b.stage.passed, RECORDS);
        assert_true(b.stage.passed >= RECORDS - 2);
        assert_int_equal(b.stage.made, 0);
        assert_null(strstr(b.stage.text, "WRONG"));
        booth_end(&b);
        nothing_is_left();
    }
}

static void a_leak_at_each_record_ends_children_and_loses_nothing(void **state)
{
    struct booth b;

    (void)state;
    villain_run(&b, &hostile_processor, H_LEAK, actions_all);
    assert_int_equal(b.stage.passed, RECORDS);
    assert_int_equal(b.stage.dead, 0);
    if (!is_sanitized) /* there memory is not bounded: see confine.c */
        assert_true(b.figures.ends > 0);
    booth_end(&b);
}

static void state_that_is_filled_without_asking_is_a_violation(void **state)
{
    struct booth b;

    (void)state;
    villain_run(&b, &hostile_processor, H_STATE, actions_two);
    assert_true(b.figures.violations > 0 || b.figures.hangs > 0);
    assert_int_equal(b.stage.passed + b.stage.dead, RECORDS);
    booth_end(&b);
}

/* What is nearly right is the hardest to tell from what is. */
static void flipped_bits_book_nothing_wrong(void **state)
{
    struct booth b;

    (void)state;
    for (int i = 0; i < 12; i++) {
        villain_run(&b, &hostile_processor, H_FLIP, actions_some);
        assert_int_equal(b.stage.dead + b.stage.passed, RECORDS);
        assert_null(strstr(b.stage.text, "WRONG"));
        booth_end(&b);
    }
    nothing_is_left();
}

/* Without the filter the host still survives what the kernel alone stops. */
static void without_seccomp_the_host_goes_on_all_the_same(void **state)
{
    static const enum hostile whats[] = { H_SCRIBBLE, H_TRUNCATE, H_FDS };
    struct hostile_config config;
    struct cell_options options = { .lacks = CELL_LACKS_SECCOMP | CELL_LACKS_LANDLOCK };
    struct booth b;

    (void)state;
    for (size_t i = 0; i < sizeof whats / sizeof whats[0]; i++) {
        config = (struct hostile_config){ whats[i], AT_RECORD };
        booth_begin(&b, &hostile_processor, &config, &options);
        booth_run(&b, RECORDS, 64, actions_two);
        booth_stop(&b);
        assert_int_equal(b.stage.passed + b.stage.dead, RECORDS);
        booth_end(&b);
        nothing_is_left();
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_deed_costs_at_most_the_records_at_which_it_is_done),
        cmocka_unit_test(garbage_on_the_shared_pages_books_nothing_wrong),
        cmocka_unit_test(a_leak_at_each_record_ends_children_and_loses_nothing),
        cmocka_unit_test(state_that_is_filled_without_asking_is_a_violation),
        cmocka_unit_test(flipped_bits_book_nothing_wrong),
        cmocka_unit_test(without_seccomp_the_host_goes_on_all_the_same),
    };

    villains_know();
    if (cell_child_asked(argc, argv))
        return cell_child_main(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
