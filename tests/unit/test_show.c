/* test_show.c - what people see: times, tables, log lines, options in force. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <afferent/plugin.h>

#include "show/explain.h"
#include "show/lines.h"
#include "show/status.h"
#include "show/table.h"
#include "show/when.h"

#define SECOND INT64_C(1000000000)

static void printed_times_are_exact_and_read_back(void **state)
{
    static const struct {
        int64_t ns;
        const char *text;
    } rows[] = {
        { 0, "1970-01-01T00:00:00Z" },
        { 250000000, "1970-01-01T00:00:00.250Z" },
        { 1, "1970-01-01T00:00:00.000000001Z" },
        { 1000, "1970-01-01T00:00:00.000001Z" },
        { -1, "1969-12-31T23:59:59.999999999Z" },
        { 1772350200 * SECOND, "2026-03-01T07:30:00Z" },
        { 951782400 * SECOND, "2000-02-29T00:00:00Z" },
        { INT64_MAX, "2262-04-11T23:47:16.854775807Z" },
    };
    char text[WHEN_ROOM];
    int64_t ns;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        when_print(text, rows[i].ns);
        assert_string_equal(text, rows[i].text);
        assert_true(when_read(text, &ns));
        assert_int_equal(ns, rows[i].ns);
    }
}

static void times_are_read_as_people_write_them(void **state)
{
    int64_t ns;

    (void)state;
    assert_true(when_read("2026-03-01", &ns) && ns == 1772323200 * SECOND);
    assert_true(when_read("2026-03-01 07:30", &ns) && ns == 1772350200 * SECOND);
    assert_true(when_read("2026-03-01T09:30:00+02:00", &ns) && ns == 1772350200 * SECOND);
    assert_true(when_read("90s", &ns) && ns == 90 * SECOND);
    assert_true(when_read("90", &ns) && ns == 90 * SECOND);
    assert_true(when_read("-5", &ns) && ns == -5 * SECOND);
}

static void what_is_no_time_is_refused(void **state)
{
    static const char *const texts[] = { "", "x", "2026-02-30", "2026-13-01", "2026-03-01T24:00", "2026-03-01T07",
                                         "2026-03-01T07:30:00.", "2026-03-01T07:30:00.1234567891",
                                         "2026-03-01T07:30:00+2", "2026-03-01T07:30:00Zx", "9999-01-01",
                                         "99999999999999999999", "5 5" };
    int64_t ns;

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_false(when_read(texts[i], &ns));
}

static void a_table_lines_up_and_lets_nothing_steer_the_terminal(void **state)
{
    struct table table;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    (void)state;
    assert_true(table_open(&table, 3));
    table_cell(&table, "a");
    table_cell(&table, "long \xc3\xa9");
    table_cell(&table, "z");
    table_number(&table, 7);
    table_cell(&table, "\x1b[31m\xc2\x9b" "1m");
    table_cell(&table, "%s", "");
    assert_true(table_print(&table, out));
    table_cell(&table, "x");
    assert_true(table_print(&table, out));
    table_close(&table);
    assert_int_equal(fclose(out), 0);
    assert_string_equal(text, "a  long \xc3\xa9    z\n7  ?[31m?1m\nx\n");
    free(text);
}

/* Runs `say` with stderr in a file and gives what was written. */
static char *said(void (*say)(void))
{
    static char text[16384];
    FILE *file = tmpfile();
    int saved = dup(STDERR_FILENO);
    size_t size;

    assert_non_null(file);
    fflush(stderr);
    assert_true(dup2(fileno(file), STDERR_FILENO) >= 0);
    say();
    fflush(stderr);
    assert_true(dup2(saved, STDERR_FILENO) >= 0);
    close(saved);
    rewind(file);
    size = fread(text, 1, sizeof text - 1, file);
    text[size] = '\0';
    fclose(file);
    return text;
}

static void say_a_hundred_times(void)
{
    struct lines *lines = lines_open(AFF_LOG_INFO);

    lines_log(lines, AFF_LOG_DEBUG, "noisy", "hidden");
    for (int i = 0; i < 100; i++)
        lines_log(lines, AFF_LOG_WARN, "noisy", "again\n\x1b[2J");
    lines_log(lines, AFF_LOG_INFO, "calm", "once");
    lines_live(lines, "never off a terminal");
    lines_close(&lines);
}

static void a_node_that_repeats_itself_is_cut_and_counted(void **state)
{
    const char *text = said(say_a_hundred_times), *at;
    int count = 0;

    (void)state;
    for (at = text; (at = strstr(at, "[noisy] again??[2J\n")); at++)
        count++;
    assert_int_equal(count, 10);
    assert_non_null(strstr(text, "[noisy] again??[2J ... 90 more like it in the last 10 s\n"));
    assert_non_null(strstr(text, "info  [calm] once\n"));
    assert_null(strstr(text, "hidden"));
    assert_null(strstr(text, "never"));
}

/* ---- options ---- */

struct inner {
    double low;
};

struct config {
    const char *key;
    const char *name;
    int64_t wait;
    const struct inner *band;
    struct aff_list many;
};

static const struct aff_option inner_options[] = {
    AFF_OPT_FREQUENCY(struct inner, low, 0, NULL, 1.0, -1.0, "Low."),
};
static const struct aff_option item_options[] = { AFF_OPT_ITEM(AFF_TYPE_INT, 0, "A number.") };
static const struct aff_option options[] = {
    AFF_OPT_SECRET(struct config, key, 0, "Key."),
    AFF_OPT_TEXT(struct config, name, 0, NULL, "Name."),
    AFF_OPT_DURATION(struct config, wait, 0, "\"250ms\"", 1.0, -1.0, "Wait."),
    AFF_OPT_TABLE(struct config, band, 0, inner_options, sizeof(struct inner), "Band."),
    AFF_OPT_LIST(struct config, many, 0, item_options, sizeof(int64_t), "Numbers."),
};

static void keep_option(void *arg, const struct explain_option *option)
{
    text_print(arg, "%s=%s (%s)\n", option->path, option->value, option->origin);
}

static void options_in_force_are_shown_but_for_secrets(void **state)
{
    const int64_t numbers[] = { 3, 4 };
    const struct inner band = { 0.5 };
    struct config config = { "hunter2", "a \"b\"\n", 250000000, &band, { numbers, 2, sizeof *numbers } };
    const struct plugin plugin = { .about = { .kind = AFF_SINK, .name = "part" }, .options = options,
                                   .option_count = sizeof options / sizeof *options };
    struct plan_node node = { .name = "n", .plugin = &plugin, .config = &config };
    const struct plan plan = { .nodes = &node, .node_count = 1 };
    struct text text = { 0 };

    (void)state;
    explain_options(&plan, 0, NULL, keep_option, &text);
    assert_string_equal(text.data, "key=(secret) (not set)\n"
                                   "name=\"a \\\"b\\\"\\u000a\" (not set)\n"
                                   "wait=\"250ms\" (default)\n"
                                   "band.low=\"0.5Hz\" (not set)\n"
                                   "many=[3, 4] (not set)\n");
    text_free(&text);
}

static void links_are_shown_with_what_is_known_of_them(void **state)
{
    const struct aff_link links[] = {
        { .name = "modem", .up = 1, .metered = 1, .roaming = 1, .technology = AFF_LINK_4G, .signal_dbm = -97,
          .sent_bytes = 2048, .received_bytes = UINT64_MAX, .revision = 3 },
        { .name = "spare", .technology = 200, .signal_dbm = INT16_MIN, .sent_bytes = UINT64_MAX,
          .received_bytes = UINT64_MAX, .revision = 1 },
    };
    const struct status status = { .pipeline = "p", .links = links, .link_count = 2, .commit_age_ns = -1 };
    struct text text = { 0 };

    (void)state;
    status_text(&status, false, &text);
    assert_false(text.failed);
    assert_non_null(strstr(text.data, "  link modem: up, 4G, -97 dBm, metered, roaming, sent 2KiB\n"));
    assert_non_null(strstr(text.data, "  link spare: down, other\n"));
    text_free(&text);
    status_text(&status, true, &text);
    assert_non_null(strstr(text.data, "\"signal_dbm\":-97"));
    assert_non_null(strstr(text.data, "\"sent_bytes\":null"));
    text_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(printed_times_are_exact_and_read_back),
        cmocka_unit_test(times_are_read_as_people_write_them),
        cmocka_unit_test(what_is_no_time_is_refused),
        cmocka_unit_test(a_table_lines_up_and_lets_nothing_steer_the_terminal),
        cmocka_unit_test(a_node_that_repeats_itself_is_cut_and_counted),
        cmocka_unit_test(options_in_force_are_shown_but_for_secrets),
        cmocka_unit_test(links_are_shown_with_what_is_known_of_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
