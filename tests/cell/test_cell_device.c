/* test_cell_device.c - a device in a process: it waits for its line, takes commands,
 * says how its link is, is pulled out and comes back, dies, and means harm.
 *
 * Not here: a device in a pipeline (test_cell_line.c), who looks at links
 * (test_cell_links.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "booth.h"
#include "device.h"
#include "line.h"

enum { SOON_MS = 60000, QUIET_MS = 60, COMMANDS = 8 }; /* soon: what does not hang, on any machine */
enum { M_OPENED, M_LOST, M_REFUSED, M_POSSIBLE };

struct bench {
    struct booth booth;
    struct line line;
    struct device_config config;
    struct stage_payload *payloads;
    struct aff_record *commands;
};

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static aff_status read_once(struct bench *b)
{
    b->booth.stage.now_ns += 30000000;
    return stage_call(&b->booth.stage, stage_read);
}

/* Until the metric is at `wanted`. */
static void read_until(struct bench *b, uint32_t metric, uint64_t wanted)
{
    int64_t until = now_ms() + SOON_MS;

    while (b->booth.stage.metrics[metric] < wanted && now_ms() < until) {
        read_once(b);
        usleep(2000);
    }
    assert_int_equal(b->booth.stage.metrics[metric], wanted);
}

/* Until it has made its first record. */
static void read_until_made(struct bench *b)
{
    int64_t until = now_ms() + SOON_MS;

    while (b->booth.stage.made == 0 && now_ms() < until) {
        read_once(b);
        usleep(1000);
    }
    assert_int_equal(b->booth.stage.made, 1);
}

static void bench_prepare_on(struct bench *b, const char *path, enum device_deed deed, uint32_t lacks, bool no_watch)
{
    struct cell_options options = { .call_ns = INT64_C(20000000000), .max_payload = 4096, .lacks = lacks };

    b->config = (struct device_config){ .path = path, .other = "/dev/null", .deed = deed };
    booth_prepare(&b->booth, &line_device, &b->config, &options);
    stage_device(&b->booth.stage);
    b->booth.stage.no_watch = no_watch;
    assert_int_equal(stage_open(&b->booth.stage, b->booth.about, cell_config(b->booth.cell)), AFF_OK);
    b->commands = stage_records(&b->booth.stage, COMMANDS, &b->payloads);
}

static void bench_prepare(struct bench *b, const char *path, enum device_deed deed)
{
    bench_prepare_on(b, path, deed, 0, false);
}

/* With its line open. */
static void bench_begin(struct bench *b, enum device_deed deed)
{
    line_begin(&b->line);
    bench_prepare(b, b->line.name, deed);
    read_until(b, M_OPENED, 1);
    assert_int_equal(b->booth.stage.watch_count, 1);
}

static void bench_end(struct bench *b)
{
    booth_stop(&b->booth);
    assert_null(strstr(b->booth.stage.text, "WRONG"));
    assert_int_equal(b->booth.stage.watch_count, 0);
    booth_end(&b->booth);
    line_end(&b->line);
    free(b->commands);
    free(b->payloads);
}

static uint32_t lines_with(struct bench *b, const char *word)
{
    const char *at;
    uint32_t count = 0;

    fflush(b->booth.stage.out);
    for (at = b->booth.stage.text; (at = strstr(at, word)) != NULL; at++)
        count++;
    return count;
}

/* What the device says makes it ready; then it is read. */
static void say_and_read(struct bench *b, const char *text)
{
    line_say(&b->line, text);
    assert_true(stage_ready(&b->booth.stage, SOON_MS));
    read_once(b);
}

static void expect_line(struct bench *b, const char *expected)
{
    char got[64] = "";

    if (!line_take(&b->line, SOON_MS, got))
        fail_msg("no line; \"%s\" was expected", expected);
    assert_string_equal(got, expected);
}

/* ---- waiting ---- */

static void a_line_that_is_ready_asks_for_a_read_and_a_silent_one_does_not(void **state)
{
    struct bench b;
    uint64_t calls;
    char text[16];

    (void)state;
    bench_begin(&b, D_NOTHING);
    for (uint32_t i = 0; i < 20; i++) {
        assert_false(stage_ready(&b.booth.stage, i < 3 ? QUIET_MS : 0));
        snprintf(text, sizeof text, "d%u\n", i);
        say_and_read(&b, text);
        assert_int_equal(b.booth.stage.made, i + 1);
    }
    booth_figures(&b.booth);
    calls = b.booth.figures.calls;
    assert_false(stage_ready(&b.booth.stage, 3 * QUIET_MS));
    booth_figures(&b.booth);
    assert_int_equal(b.booth.figures.calls, calls);
    assert_int_equal(b.booth.figures.ends, 0);
    bench_end(&b);
}

/* What is ready stays so until it is read, whatever else is called meanwhile. */
static void commands_do_not_wait_for_a_line_and_take_no_news_of_it_away(void **state)
{
    struct bench b;
    aff_status st;

    (void)state;
    bench_begin(&b, D_NOTHING);
    assert_false(stage_ready(&b.booth.stage, QUIET_MS)); /* it sleeps on its line by now, and nobody says anything */
    for (uint32_t i = 0; i < 4; i++)
        assert_true(stage_feed(&b.booth.stage, b.commands + i, 1, 1, &st));
    booth_figures(&b.booth);
    assert_int_equal(b.booth.figures.hangs, 0);
    for (uint32_t i = 0; i < 4; i++) {
        char expected[16];

        snprintf(expected, sizeof expected, "!%u", i);
        expect_line(&b, expected);
    }
    line_say(&b.line, "=0\n=2\n=1\n");
    assert_true(stage_ready(&b.booth.stage, SOON_MS));
    assert_true(stage_feed(&b.booth.stage, b.commands + 4, 1, 1, &st));
    assert_true(stage_ready(&b.booth.stage, SOON_MS));
    read_once(&b);
    assert_int_equal(lines_with(&b, "verdict 2 for held"), 3);
    assert_int_equal(b.booth.stage.by_verdict[1], 5);
    bench_end(&b);
}

static void a_host_that_watches_nothing_more_is_asked_again(void **state)
{
    struct bench b;

    (void)state;
    line_begin(&b.line);
    bench_prepare_on(&b, b.line.name, D_NOTHING, 0, true);
    for (int i = 0; i < 3; i++)
        read_once(&b);
    assert_int_equal(b.booth.stage.watch_count, 0);
    b.booth.stage.no_watch = false;
    for (int i = 0; i < 20 && b.booth.stage.watch_count == 0; i++) {
        b.booth.stage.now_ns += INT64_C(10000000000);
        read_once(&b);
    }
    say_and_read(&b, "d1\n");
    assert_int_equal(b.booth.stage.made, 1);
    bench_end(&b);
}

static void a_closed_descriptor_is_forgotten_and_told(void **state)
{
    struct bench b;
    uint32_t logs;

    (void)state;
    bench_begin(&b, D_CLOSED);
    say_and_read(&b, "x\n");
    logs = b.booth.stage.logs;
    assert_true(stage_ready(&b.booth.stage, SOON_MS));
    read_once(&b);
    assert_int_equal(b.booth.stage.logs, logs + 1);
    assert_false(stage_ready(&b.booth.stage, QUIET_MS));
    say_and_read(&b, "d1\n");
    assert_int_equal(b.booth.stage.made, 1);
    bench_end(&b);
}

/* ---- deaths ---- */

static void what_it_held_is_done_by_the_next_child_once(void **state)
{
    struct bench b;
    aff_status st;
    char line[64];

    (void)state;
    bench_begin(&b, D_NOTHING);
    assert_true(stage_feed(&b.booth.stage, b.commands, 3, 3, &st));
    expect_line(&b, "!0");
    say_and_read(&b, "=0\n");
    booth_kill(&b.booth);
    assert_true(stage_ready(&b.booth.stage, SOON_MS)); /* also of its death there is news */
    read_until(&b, M_OPENED, 2);
    while (line_take(&b.line, 300, line))
        assert_true(strcmp(line, "!1") == 0 || strcmp(line, "!2") == 0);
    say_and_read(&b, "=2\n=1\n=2\n=0\nd5\n");
    for (int i = 0; i < 3 && b.booth.stage.made == 0; i++)
        read_once(&b);
    assert_int_equal(b.booth.stage.made, 1);
    assert_int_equal(lines_with(&b, "verdict 2 for held"), 3);
    assert_null(b.booth.stage.host.held(&b.booth.stage.host, 0));
    booth_figures(&b.booth);
    assert_int_equal(b.booth.figures.ends, 1);
    assert_int_equal(b.booth.figures.violations, 0);
    assert_int_equal(b.booth.stage.gaps, 0);
    bench_end(&b);
}

static void a_death_in_a_command_loses_none(void **state)
{
    struct bench b;
    aff_status st;

    (void)state;
    bench_begin(&b, D_NOTHING);
    for (uint32_t i = 0; i < 3; i++) {
        booth_kill(&b.booth);
        assert_true(stage_feed(&b.booth.stage, b.commands + i, 1, 1, &st)); /* waits, and is offered again */
        b.booth.stage.now_ns += INT64_C(61000000000);
    }
    read_until(&b, M_OPENED, 2);
    say_and_read(&b, "=0\n=1\n=2\n");
    assert_int_equal(lines_with(&b, "verdict 2 for held"), 3);
    assert_int_equal(b.booth.stage.dead, 0);
    bench_end(&b);
}

/* ---- the line is pulled out ---- */

static void name_put(const char *name, const struct line *line)
{
    unlink(name);
    if (line)
        assert_int_equal(symlink(line->name, name), 0);
}

static void a_device_that_was_not_there_or_comes_back_is_opened(void **state)
{
    char folder[] = "/tmp/afferent-line-XXXXXX", name[64];
    struct line first, second;
    struct bench b;

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(name, sizeof name, "%s/line", folder);
    bench_prepare(&b, name, D_NOTHING);
    read_until(&b, M_REFUSED, 1);
    line_begin(&b.line);
    name_put(name, &b.line);
    read_until(&b, M_OPENED, 1);
    say_and_read(&b, "d1\n");
    line_begin(&second); /* before: another number */
    line_end(&b.line);
    read_until(&b, M_LOST, 1);
    name_put(name, NULL);
    for (int i = 0; i < 5; i++)
        read_once(&b);
    b.line = second;
    name_put(name, &b.line);
    read_until(&b, M_OPENED, 2);
    say_and_read(&b, "d2\n");
    line_begin(&first); /* takes the number that is free */
    line_end(&b.line);
    read_until(&b, M_LOST, 2);
    line_begin(&b.line); /* with, most often, the same number as the last */
    name_put(name, &b.line);
    read_until(&b, M_OPENED, 3);
    say_and_read(&b, "d3\n");
    assert_int_equal(b.booth.stage.made, 3);
    booth_figures(&b.booth);
    assert_int_equal(b.booth.figures.ends, 0);
    bench_end(&b);
    line_end(&first);
    name_put(name, NULL);
    rmdir(folder);
}

/* ---- what it may ---- */

static void profile_expect(const struct aff_plugin *constant, const char *path, const char *expected)
{
    struct device_config config = { .path = path, .other = "/dev/null" };
    char text[160], words[160];
    struct booth b;

    booth_prepare(&b, constant, &config, NULL);
    cell_status(b.cell, text, sizeof text);
    snprintf(words, sizeof words, "process, not started; profile %s", expected);
    assert_string_equal(text, words);
    booth_end(&b);
}

static void profiles_follow_what_table_and_options_say(void **state)
{
    struct aff_plugin reader = line_device, puller = line_device, sink = line_device;

    (void)state;
    reader.inputs.count = 0;
    reader.process = NULL;
    puller.flags = AFF_PULL;
    sink.kind = AFF_SINK;
    sink.flags = AFF_STAYS;
    sink.outputs.count = sink.verdicts.count = 0;
    sink.read = NULL;
    sink.write = sink.process;
    sink.process = NULL;
    profile_expect(&line_device, "/dev/null", "device");
    profile_expect(&line_device, "/dev/afferent-none", "device");
    profile_expect(&line_device, "/tmp/afferent-none/line", "device"); /* absent now */
    profile_expect(&line_device, "/sys/class/tty", "device");          /* found by something else */
    profile_expect(&line_device, NULL, "net+device");
    profile_expect(&line_device, "/proc/self/exe", "device");
    profile_expect(&line_device, "/tmp", "files+device");
    profile_expect(&reader, "/dev/null", "device");
    profile_expect(&reader, "/dev/afferent-none", "device");
    profile_expect(&reader, "/tmp/afferent-none/line", "files");
    profile_expect(&reader, NULL, "net");
    profile_expect(&puller, "/dev/null", "compute");
    profile_expect(&puller, "/tmp", "compute");
    profile_expect(&sink, "/dev/null", "files+device");
    profile_expect(&sink, "/tmp", "files");
    profile_expect(&sink, NULL, "compute");
}

#define MADE "/tmp/afferent-device-was-here"

static void it_may_what_a_device_needs_and_no_more(void **state)
{
    struct line other;
    struct bench b;
    char text[160];

    (void)state;
    unlink(MADE);
    line_begin(&other);
    line_begin(&b.line);
    bench_prepare(&b, b.line.name, D_OTHERS);
    cell_status(b.booth.cell, text, sizeof text);
    print_message("%s\n", text);
    read_until(&b, M_OPENED, 1);
    if (!strstr(text, "seccomp device, landlock 0 folders and 1 device,")) {
        print_message("SKIP test_cell_device.it_may_what_a_device_needs_and_no_more: this kernel has no seccomp or no landlock\n");
        bench_end(&b);
        line_end(&other);
        skip();
    }
    b.config.other = other.name; /* for the next child */
    booth_kill(&b.booth);
    read_until(&b, M_OPENED, 2);
    say_and_read(&b, "x\n");
    assert_int_equal(b.booth.stage.metrics[M_POSSIBLE], 0);
    assert_int_equal(unlink(MADE), -1);
    booth_figures(&b.booth);
    assert_int_equal(b.booth.figures.ends, 1);
    bench_end(&b);
    line_end(&other);
}

/* Other devices are open to it then; files and sockets are not. */
static void without_landlock_it_makes_no_file_all_the_same(void **state)
{
    struct bench b;
    char text[160];

    (void)state;
    unlink(MADE);
    line_begin(&b.line);
    bench_prepare_on(&b, b.line.name, D_OTHERS, CELL_LACKS_LANDLOCK, false);
    cell_status(b.booth.cell, text, sizeof text);
    if (!strstr(text, "seccomp device, no landlock")) {
        print_message("SKIP test_cell_device.without_landlock_it_makes_no_file_all_the_same: this kernel has no seccomp\n");
        bench_end(&b);
        skip();
    }
    b.config.other = "/dev/afferent-none";
    booth_kill(&b.booth);
    read_until(&b, M_OPENED, 1);
    say_and_read(&b, "x\n");
    assert_int_equal(b.booth.stage.metrics[M_POSSIBLE], 0);
    assert_int_equal(unlink(MADE), -1);
    bench_end(&b);
}

static void what_it_must_not_say_is_refused_and_costs_nothing(void **state)
{
    struct bench b;

    (void)state;
    bench_begin(&b, D_MISUSE);
    say_and_read(&b, "x\nd1\n");
    assert_int_equal(b.booth.stage.metrics[M_POSSIBLE], 0);
    assert_int_equal(b.booth.stage.made, 1);
    assert_int_equal(b.booth.stage.said_count, 0);
    say_and_read(&b, "d2\n");
    booth_figures(&b.booth);
    assert_int_equal(b.booth.figures.ends, 0);
    bench_end(&b);
}

/* ---- epochs ---- */

static void it_knows_in_which_epoch_it_emits(void **state)
{
    struct bench b;

    (void)state;
    bench_begin(&b, D_NOTHING);
    b.booth.stage.epoch = 7;
    say_and_read(&b, "d1\n");
    assert_int_equal(b.booth.stage.metrics[4], 7);
    b.booth.stage.epoch = 8;
    say_and_read(&b, "d2\n");
    assert_int_equal(b.booth.stage.metrics[4], 8);
    bench_end(&b);
}

/* ---- links ---- */

static void what_it_says_of_its_link_reaches_the_host(void **state)
{
    struct bench b;

    (void)state;
    bench_begin(&b, D_NOTHING);
    say_and_read(&b, "%70\n");
    assert_int_equal(b.booth.stage.said_count, 1);
    assert_int_equal(b.booth.stage.said.struct_size, sizeof(struct aff_link));
    assert_int_equal(b.booth.stage.said.up, 1);
    assert_int_equal(b.booth.stage.said.metered, 1);
    assert_int_equal(b.booth.stage.said.technology, AFF_LINK_4G);
    assert_int_equal(b.booth.stage.said.signal_dbm, -70);
    assert_true(b.booth.stage.said.sent_bytes == UINT64_MAX);
    assert_int_equal(b.booth.stage.said.received_bytes, 5);
    assert_string_equal(b.booth.stage.said.name, ""); /* these are the host's */
    assert_int_equal(b.booth.stage.said.revision, 0);
    assert_int_equal(b.booth.stage.said.since_ns, 0);
    bench_end(&b);
}

/* ---- harm ---- */

static void a_forged_word_ends_it_and_nothing_of_the_call_is_done(void **state)
{
    static const enum device_deed deeds[] = { D_LINK, D_LINK_LONG, D_WATCH };
    struct bench b;

    (void)state;
    for (size_t i = 0; i < sizeof deeds / sizeof deeds[0]; i++) {
        bench_begin(&b, deeds[i]);
        say_and_read(&b, "d1\nx\n%50\n");
        read_until(&b, M_OPENED, 2);
        booth_figures(&b.booth);
        assert_int_equal(b.booth.figures.violations, 1);
        assert_int_equal(b.booth.figures.ends, 1);
        assert_int_equal(b.booth.stage.said_count, 0);
        assert_int_equal(b.booth.stage.made, 0);
        assert_int_equal(b.booth.stage.wake_ns == 1, 0);
        say_and_read(&b, "d2\n");
        assert_int_equal(b.booth.stage.made, 1);
        bench_end(&b);
    }
}

static void one_that_asks_without_end_holds_nobody_up(void **state)
{
    struct bench b;
    aff_status st;

    (void)state;
    bench_begin(&b, D_FLOOD);
    say_and_read(&b, "x\n");
    for (uint32_t i = 0; i < 200; i++)
        read_once(&b);
    for (uint32_t i = 0; i < COMMANDS; i++)
        assert_true(stage_feed(&b.booth.stage, b.commands + i, 1, 1, &st));
    booth_figures(&b.booth);
    assert_int_equal(b.booth.figures.hangs, 0);
    line_say(&b.line, "=0\n=1\nd1\n");
    read_until_made(&b);
    assert_int_equal(lines_with(&b, "verdict 2 for held"), 2);
    bench_end(&b);
}

/* As the kernel says it, now and then: one that goes round and round never does for long, and
 * one that waits for a busy processor does in the end. */
static bool sleeps(int32_t pid)
{
    char path[64], line[256];
    int64_t until = now_ms() + SOON_MS;
    int asleep = 0;

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    while (asleep < 20 && now_ms() < until) {
        FILE *f = fopen(path, "r");

        asleep = f && fgets(line, sizeof line, f) && strstr(line, ") S ") ? asleep + 1 : 0;
        if (f)
            fclose(f);
        usleep(2000);
    }
    return asleep == 20;
}

static void one_that_closes_its_bell_is_read_all_the_same(void **state)
{
    struct bench b;
    aff_status st;

    (void)state;
    bench_begin(&b, D_DEAF);
    say_and_read(&b, "x\n");
    for (int i = 0; i < 3; i++)
        read_once(&b);
    assert_int_equal(b.booth.stage.watch_count, 0); /* it would be ready for ever */
    booth_figures(&b.booth);
    assert_true(sleeps(b.booth.figures.pid)); /* and so would it, to itself */
    assert_true(stage_feed(&b.booth.stage, b.commands, 1, 1, &st));
    expect_line(&b, "!0");
    line_say(&b.line, "=0\nd1\n");
    read_until_made(&b);
    assert_int_equal(lines_with(&b, "verdict 2 for held"), 1);
    booth_figures(&b.booth);
    assert_int_equal(b.booth.figures.ends, 0);
    bench_end(&b);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_that_is_ready_asks_for_a_read_and_a_silent_one_does_not),
        cmocka_unit_test(commands_do_not_wait_for_a_line_and_take_no_news_of_it_away),
        cmocka_unit_test(a_host_that_watches_nothing_more_is_asked_again),
        cmocka_unit_test(a_closed_descriptor_is_forgotten_and_told),
        cmocka_unit_test(what_it_held_is_done_by_the_next_child_once),
        cmocka_unit_test(a_death_in_a_command_loses_none),
        cmocka_unit_test(a_device_that_was_not_there_or_comes_back_is_opened),
        cmocka_unit_test(profiles_follow_what_table_and_options_say),
        cmocka_unit_test(it_may_what_a_device_needs_and_no_more),
        cmocka_unit_test(without_landlock_it_makes_no_file_all_the_same),
        cmocka_unit_test(what_it_must_not_say_is_refused_and_costs_nothing),
        cmocka_unit_test(it_knows_in_which_epoch_it_emits),
        cmocka_unit_test(what_it_says_of_its_link_reaches_the_host),
        cmocka_unit_test(a_forged_word_ends_it_and_nothing_of_the_call_is_done),
        cmocka_unit_test(one_that_asks_without_end_holds_nobody_up),
        cmocka_unit_test(one_that_closes_its_bell_is_read_all_the_same),
    };

    booth_know(&line_device);
    if (cell_child_asked(argc, argv))
        return cell_child_main(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
