/* SPDX-License-Identifier: Apache-2.0
 *
 * test_options.c - TOML to config struct by option table, and broken tables.
 *
 * Not here: rules across options; those are a plugin's validate. */
#include "kit.h"

#include "probe.h"
#include "units.h"

#include <math.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

struct point {
    double x, y;
};
struct named {
    const char *key;
    int64_t value;
};
struct config {
    int64_t whole;
    double real;
    int32_t flag;
    int32_t mode;
    const char *text;
    int64_t wait;
    int64_t room;
    double band;
    const char *file;
    const char *key;
    const struct point *centre;
    struct aff_list points;
    struct aff_list numbers;
    struct aff_list names;
};

static const char *const modes[] = { "fast", "slow", NULL };
static const struct aff_option point_options[] = {
    AFF_OPT_REAL(struct point, x, AFF_OPT_REQUIRED, NULL, -10, 10, "m", "Across."),
    AFF_OPT_REAL(struct point, y, 0, "1.5", -10, 10, "m", "Up."),
};
static const struct aff_option number_item[] = { AFF_OPT_ITEM(AFF_TYPE_INT, 0, "One number.") };
static const struct aff_option named_item[] = {
    AFF_OPT_ITEM(AFF_TYPE_INT, offsetof(struct named, value), "One value.")
};
static const struct aff_option options[] = {
    AFF_OPT_INT(struct config, whole, 0, "7", 0, 100, NULL, "A whole number."),
    AFF_OPT_REAL(struct config, real, 0, "0.5", 1, -1, NULL, "A number."),
    AFF_OPT_BOOL(struct config, flag, "true", "A choice of two."),
    AFF_OPT_ENUM(struct config, mode, 0, "\"slow\"", modes, "A choice."),
    AFF_OPT_TEXT(struct config, text, 0, NULL, "A text."),
    AFF_OPT_DURATION(struct config, wait, 0, "\"250ms\"", 0, 1e10, "A time."),
    AFF_OPT_BYTES(struct config, room, 0, "\"8KiB\"", 1, 1e9, "A size."),
    AFF_OPT_FREQUENCY(struct config, band, 0, "\"0.5Hz\"", 0, 1e6, "A frequency."),
    AFF_OPT_PATH(struct config, file, 0, NULL, "A file."),
    AFF_OPT_SECRET(struct config, key, 0, "A key."),
    AFF_OPT_TABLE(struct config, centre, 0, point_options, sizeof(struct point), "A point."),
    AFF_OPT_LIST(struct config, points, 0, point_options, sizeof(struct point), "Points."),
    AFF_OPT_LIST(struct config, numbers, 0, number_item, sizeof(int64_t), "Numbers."),
    AFF_OPT_MAP(struct config, names, 0, named_item, sizeof(struct named), "Named values."),
};

static struct {
    struct memory memory;
    struct problems problems;
    struct config config;
} now;

static const struct config *filled(const char *toml)
{
    struct aff_plugin plugin = { .config_size = sizeof(struct config), .options = AFF_TABLE(options) };

    memory_free(&now.memory);
    free(now.problems.text);
    memset(&now, 0, sizeof now);
    options_fill(&plugin, toml, &now.config, &now.memory, &now.problems);
    return &now.config;
}

static void accepted(const char *toml)
{
    (void)filled(toml);
    if (now.problems.text)
        fail_msg("\"%s\": %s", toml, now.problems.text);
}

static void refused(const char *toml, const char *problem)
{
    (void)filled(toml);
    if (!now.problems.text || !strstr(now.problems.text, problem))
        fail_msg("\"%s\": said \"%s\"; expected \"%s\"", toml, now.problems.text ? now.problems.text : "", problem);
}

TEST(defaults_are_filled_in)
{
    const struct config *c = filled("");

    accepted("");
    assert_int_equal(c->whole, 7);
    assert_true(c->real == 0.5 && c->band == 0.5);
    assert_int_equal(c->flag, 1);
    assert_int_equal(c->mode, 1);
    assert_int_equal(c->wait, 250000000);
    assert_int_equal(c->room, 8192);
    assert_null(c->text);
    assert_null(c->centre);
    assert_int_equal(c->points.count, 0);
}

TEST(each_type_is_read)
{
    const struct config *c;

    c = filled("whole = 1_0 # ten\nreal = -2\nflag = false\nmode = 'fast'\n"
               "text = \"a\\u00e9\\t\"\nwait = \"1.5s\"\nroom = \"2kB\"\nband = \"2kHz\"\n"
               "file = \"/etc/x\"\nkey = '''k'''\n");
    assert_null(now.problems.text);
    assert_int_equal(c->whole, 10);
    assert_true(c->real == -2.0);
    assert_int_equal(c->flag, 0);
    assert_int_equal(c->mode, 0);
    assert_string_equal(c->text, "a\xc3\xa9\t");
    assert_int_equal(c->wait, 1500000000);
    assert_int_equal(c->room, 2000);
    assert_true(c->band == 2000.0);
    assert_string_equal(c->file, "/etc/x");
    assert_string_equal(c->key, "k");
}

TEST(a_relative_path_counts_from_the_working_folder)
{
    char wanted[4096];

    assert_non_null(getcwd(wanted, sizeof wanted - 8));
    strcat(wanted, "/a/b");
    assert_string_equal(filled("file = 'a/b'")->file, wanted);
}

TEST(tables_lists_and_maps_are_read)
{
    const struct config *c = filled("numbers = [1, 2,\n 3]\nnames = { b = 2, a = 1 }\ncentre.x = 3\n"
                                    "[[points]]\nx = 1\n[[points]]\nx = 2\ny = -4.5\n");
    const struct point *points = c->points.items;
    const struct named *names = c->names.items;

    assert_null(now.problems.text);
    assert_int_equal(c->numbers.count, 3);
    assert_int_equal(((const int64_t *)c->numbers.items)[2], 3);
    assert_int_equal(c->names.count, 2);
    assert_string_equal(names[0].key, "b");
    assert_int_equal(names[1].value, 1);
    assert_true(c->centre->x == 3.0 && c->centre->y == 1.5);
    assert_int_equal(c->points.count, 2);
    assert_true(points[0].y == 1.5 && points[1].y == -4.5);
    assert_int_equal(filled("numbers = 5")->numbers.count, 1);
}

TEST(wrong_values_are_refused)
{
    refused("whole = 101", "whole: 101 is out of range; expected 0 to 100");
    refused("whole = 1.0", "whole: expected a whole number");
    refused("real = \"1\"", "real: expected a number");
    refused("flag = 1", "flag: expected true or false");
    refused("mode = \"quick\"", "mode: no such choice");
    refused("text = 3", "text: expected text in quotes");
    refused("wait = 250", "wait: expected a duration");
    refused("wait = \"250\"", "wait: expected a duration");
    refused("wait = \"1m\"", "wait: expected a duration");
    refused("wait = \"11s\"", "wait: 1.1e+10 is out of range");
    refused("room = \"0B\"", "room: 0 is out of range");
    refused("band = \"-1Hz\"", "band: -1 is out of range");
    refused("nothing = 1", "nothing: there is no such option");
    refused("centre = { y = 1 }", "centre.x: is missing");
    refused("points = [{ x = 1 }, { x = 11 }]", "points.1.x: 11 is out of range");
    refused("points = { x = 1 }", "points: expected an array");
    refused("numbers = [1, 'a']", "numbers.1: expected a whole number");
    refused("names = [1]", "names: expected a table");
}

TEST(broken_toml_is_refused_with_its_line)
{
    refused("whole = 1\nwhole = 2", "TOML: line 2: a key stands twice");
    refused("\nwhole 1", "line 2: expected '='");
    refused("text = \"abc", "a string has no end");
    refused("text = \"\\q\"", "an unknown escape");
    refused("text = \"\\ud800\"", "is not a character");
    refused("whole = 01", "expected a value");
    refused("whole = 1__0", "expected a value");
    refused("whole = 2024-01-01", "no dates");
    refused("real = 1.", "expected a value");
    refused("numbers = [1 2]", "expected ',' or ']'");
    refused("whole = 1 real = 2", "expected the end of the line");
    refused("whole = 1\n[whole]", "not an open table");
    refused("centre = { x = 1 }\ncentre.y = 2", "not an open table");
    refused("numbers = [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "nested too deeply");
}

TEST(numbers_of_all_forms_are_read)
{
    assert_int_equal(filled("whole = 0x1F")->whole, 31);
    assert_int_equal(filled("whole = 0b101")->whole, 5);
    assert_int_equal(filled("whole = 0o17")->whole, 15);
    assert_true(filled("real = 1e3")->real == 1000.0);
    assert_true(isinf(filled("real = -inf")->real));
    assert_null(now.problems.text);
}

TEST(any_cut_of_a_good_text_is_read_or_refused)
{
    static const char text[] = "numbers = [1, 2,\n 3]\nnames = { b = 2, a = 0x1 }\ncentre.x = 3e0\n"
                               "text = \"a\\u00e9\\t\"\nkey = '''k'''\n[[points]]\nx = 1\n";
    char cut[sizeof text];
    size_t i;

    for (i = 0; i < sizeof text; i++) {
        memcpy(cut, text, i);
        cut[i] = 0;
        (void)filled(cut);
        cut[i ? i - 1 : 0] = '"';
        (void)filled(cut);
    }
    accepted(text);
}

/* The sentence with which a broken constant ends a child. */
static int sentence_pipe;

static void child_leaves(const char *sentence)
{
    _exit(write(sentence_pipe, sentence, strlen(sentence)) < 0);
}

static void broken(const struct aff_plugin *plugin, const char *sentence)
{
    char text[800];
    int ends[2], status;
    ssize_t n;
    pid_t child;

    assert_int_equal(pipe(ends), 0);
    child = fork();
    if (child == 0) {
        sentence_pipe = ends[1];
        aff_test_on_breach(child_leaves);
        (void)aff_harness_open_linked(plugin, "");
        child_leaves("");
    }
    close(ends[1]);
    n = read(ends[0], text, sizeof text - 1);
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    text[n > 0 ? n : 0] = 0;
    if (!strstr(text, sentence))
        fail_msg("said \"%s\"; expected \"%s\"", text, sentence);
}

static void broken_option(struct aff_option option, const char *sentence)
{
    struct aff_plugin plugin = probe_plugin;

    plugin.options.items = &option;
    plugin.options.count = 1;
    broken(&plugin, sentence);
}

TEST(broken_option_tables_are_caught)
{
    const struct aff_option good = AFF_OPT_INT(struct named, value, 0, "3", 0, 5, NULL, "A value.");
    struct aff_option bad = good;

    bad.preset = "6";
    broken_option(bad, "a default breaks its own rule: value: 6 is out of range");
    bad.preset = "six";
    broken_option(bad, "the default of option value is not TOML");
    bad = good;
    bad.doc = "A value";
    broken_option(bad, "has no sentence in its doc");
    bad = good;
    bad.offset = 4000;
    broken_option(bad, "option value lies outside of its struct");
    bad = good;
    bad.flags = AFF_OPT_REQUIRED;
    broken_option(bad, "is required and has a default");
    bad = good;
    bad.name = "Value";
    broken_option(bad, "is not of a-z, 0-9 and _");
    bad = good;
    bad.type = AFF_TYPE_ENUM;
    broken_option(bad, "is an enum without choices");
}

TEST(broken_constants_are_caught)
{
    struct aff_plugin bad = probe_plugin;

    bad.major = 2;
    broken(&bad, "built for ABI 2; this kit is 1");
    bad = probe_plugin;
    bad.minor = 9;
    broken(&bad, "needs ABI minor 9");
    bad = probe_plugin;
    bad.process = NULL;
    broken(&bad, "probe lacks process");
    bad = probe_plugin;
    bad.restore = NULL;
    broken(&bad, "lacks both of snapshot and restore");
    bad = probe_plugin;
    bad.outputs.count = 2; /* a verdict leads to the third */
    broken(&bad, "verdict aside leads to an output that is not in the table");
    bad = probe_plugin;
    bad.struct_size = 8;
    broken(&bad, "struct_size is 8");
}

TEST(an_older_constant_lacks_what_is_newer)
{
    struct aff_plugin older = probe_plugin;
    struct aff_harness *h;

    older.struct_size = offsetof(struct aff_plugin, snapshot);
    h = aff_harness_open_linked(&older, "act = \"pass\"");
    aff_harness_push(h, "in", "bytes", "a", 1);
    EXPECT_BYTES(h, "out", "a", 1);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(what_validate_says_is_shown)
{
    aff_harness_link(&probe_plugin);
    assert_null(aff_harness_check("probe", "low = 2\nhigh = 2"));
    EXPECT_REFUSED("probe", "low = 3\nhigh = 2", "low: 3 is above high, 2");
    EXPECT_REFUSED("probe", "lov = 3\nhigh = 11", "lov: there is no such option");
    EXPECT_REFUSED("probe", "lov = 3\nhigh = 11", "high: 11 is out of range");
    (void)filled("");
    (void)aff_harness_check("probe", "");
    memory_free(&now.memory);
}

AFF_TEST_MAIN(defaults_are_filled_in, each_type_is_read, a_relative_path_counts_from_the_working_folder,
              tables_lists_and_maps_are_read, wrong_values_are_refused, broken_toml_is_refused_with_its_line,
              numbers_of_all_forms_are_read, any_cut_of_a_good_text_is_read_or_refused, broken_option_tables_are_caught,
              broken_constants_are_caught, an_older_constant_lacks_what_is_newer, what_validate_says_is_shown)
