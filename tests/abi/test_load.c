/* test_load.c - which plugins are loaded, how they come out, and what is said of
 * those that are not.
 *
 * Not here: damaged files (test_damage.c). */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "kit.h"
#include "load/image.h"
#include "load/probe.h"

static const struct aff_option *option_find(const struct plugin *plugin, const char *name)
{
    for (uint32_t i = 0; i < plugin->option_count; i++) {
        if (!strcmp(plugin->options[i].name, name))
            return &plugin->options[i];
    }
    fail_msg("there is no option %s", name);
    return NULL;
}

static void a_good_plugin_comes_out_whole(void **state)
{
    struct kit *kit = *state;
    const struct plugin *plugin;

    kit_build(kit, "op_good.so", "");
    plugin = kit_find(kit, "op_good");
    if (!plugin)
        fail_msg("%s", kit->why);
    assert_string_equal(plugin->about.name, "op_good");
    assert_string_equal(plugin->about.summary, "Does nothing well.");
    assert_string_equal(plugin->path, kit_path(kit, "op_good.so"));
    assert_false(plugin->shipped);
    assert_int_equal(plugin->option_count, 9);
    assert_int_equal(plugin->verdict_count, 2);
    assert_int_equal(plugin->metric_count, 1);
    assert_string_equal(plugin->inputs[0].schema->columns[1].name, "name");
    assert_int_equal(plugin->inputs[0].schema->columns[1].label, AFF_LABEL_PHI);
    assert_string_equal(option_find(plugin, "mode")->choices[1], "fast");
    assert_null(option_find(plugin, "mode")->choices[2]);
    assert_string_equal(option_find(plugin, "points")->nested[1].name, "y");
    assert_string_equal(option_find(plugin, "words")->nested[0].name, "");
    assert_string_equal(option_find(plugin, "limits")->nested[0].doc, "Upper limit.");
    assert_non_null(plugin->about.process);
    assert_ptr_equal(kit_find(kit, "op_good"), plugin);
}

static void an_older_plugin_has_null_where_it_has_nothing(void **state)
{
    struct kit *kit = *state;
    const struct plugin *plugin;

    kit_build(kit, "op_good.so", "-DCASE_SMALL");
    plugin = kit_find(kit, "op_good");
    if (!plugin)
        fail_msg("%s", kit->why);
    assert_non_null(plugin->about.process);
    assert_null(plugin->about.wake);
    assert_null(plugin->about.query_close);
}

static void a_newer_plugin_is_cut_to_what_this_host_knows(void **state)
{
    struct kit *kit = *state;
    const struct plugin *plugin;

    kit_build(kit, "op_good.so", "-DCASE_LARGE");
    plugin = kit_find(kit, "op_good");
    if (!plugin)
        fail_msg("%s", kit->why);
    assert_int_equal(plugin->option_count, 9);
    assert_null(plugin->about.query_close);
}

static void rows_that_are_wider_than_ours_are_read_by_their_stride(void **state)
{
    struct kit *kit = *state;
    const struct plugin *plugin;

    kit_build(kit, "op_good.so", "-DCASE_WIDE");
    plugin = kit_find(kit, "op_good");
    if (!plugin)
        fail_msg("%s", kit->why);
    assert_int_equal(plugin->option_count, 5);
    assert_string_equal(plugin->options[4].doc, "Whether it says so.");
    assert_string_equal(plugin->verdicts[1].name, "aside");
    assert_int_equal(plugin->about.options.stride, sizeof(struct aff_option));
}

static void rows_that_are_narrower_than_ours_are_filled_with_zeros(void **state)
{
    struct kit *kit = *state;
    const struct plugin *plugin;

    kit_build(kit, "op_good.so", "-DCASE_NARROW");
    plugin = kit_find(kit, "op_good");
    if (!plugin)
        fail_msg("%s", kit->why);
    assert_int_equal(plugin->option_count, 2);
    assert_string_equal(plugin->options[1].name, "wait_ns");
    assert_null(plugin->options[0].choices);
    assert_int_equal(plugin->options[1].nested_count, 0);
}

/* What is wrong, and what the one line must say about it. */
static const struct {
    const char *flags;
    const char *words;
} wrongs[] = {
    { "-DCASE_NO_NOTE", "without Afferent's note" },
    { "-DCASE_NOTE_MAJOR=2", "is built for plugin ABI 2.0; this host supports 1.0 to 1.0; install a newer" },
    { "-DCASE_NOTE_MAJOR=0", "is built for plugin ABI 0.0; this host supports 1.0 to 1.0; build the plugin again" },
    { "-DCASE_NOTE_NAME='\"op_other\"'", "its note says op_other" },
    { "-DCASE_NOTE_NAME='\"../evil\"'", "note without a good name" },
    { "-DNAME='\"op_other\"'", "its note says op_other" },
    { "-DCASE_NOTE_NAME='\"op_good\"' -DNAME='\"op_const\"'", "the constant says op_const" },
    { "-DCASE_MAJOR=2", "needs plugin ABI 2.0; this host supports 1.0 to 1.0" },
    { "-DCASE_MINOR=7", "needs plugin ABI 1.7" },
    { "-DCASE_STRUCT_SIZE=16", "struct_size is 16" },
    { "-DCASE_STRUCT_SIZE=0xffffffffu", "struct_size is 4294967295" },
    { "-DCASE_NO_CONSTANT", "no constant afferent_plugin_v1" },
    { "-DCASE_NO_LIBRARY", "undefined symbol: nobody_has_this" },
    { "-DCASE_OFFSET", "option loud: 4 bytes at offset" },
    { "-DCASE_OVERLAP", "the same bytes as option mode" },
    { "-DCASE_DOUBLE", "option mode: the name is there twice" },
    { "-DCASE_OPTION_NAME", "not of the form [a-z]" },
    { "-DCASE_HOST_KEY", "belongs to the host" },
    { "-DCASE_TYPE", "type 99 is not known" },
    { "-DCASE_WILD_DOC", "option loud: its sentence is a pointer to nowhere" },
    { "-DCASE_WILD_CHOICES", "its choices cannot be read" },
    { "-DCASE_CONTROL", "not printable" },
    { "-DCASE_SELF_NEST", "lie inside themselves" },
    { "-DCASE_WILD_TABLE", "row 0 of its options cannot be read" },
    { "-DCASE_COUNT", "4294967295 options" },
    { "-DCASE_STRIDE", "stride of 8 bytes" },
    { "-DCASE_COLUMNS", "1073741824 columns" },
    { "-DCASE_PASSES", "it passes input 3" },
    { "-DCASE_PASSES_TWICE", "the same input as output out" },
    { "-DCASE_VERDICT_PORT", "it passes to output 1; there are 1" },
    { "-DCASE_NO_PROCESS", "callback process: it is missing" },
    { "-DCASE_WILD_PROCESS", "callback process: it does not point to code" },
    { "-DCASE_ABORT", "kills its loader by SIGABRT" },
    { "-DCASE_SEGV", "kills its loader by SIGSEGV" },
    { "-DCASE_LEAVE", "kills its loader by SIGABRT" },
    { "-DCASE_EXIT", "ends its loader while it is loaded (exit status 0)" },
    { "-DCASE_STDOUT", "writes to standard output" },
};

static void each_wrong_is_refused_in_one_line(void **state)
{
    struct kit *kit = *state;

    for (size_t i = 0; i < sizeof wrongs / sizeof wrongs[0]; i++) {
        kit_build(kit, "op_good.so", wrongs[i].flags);
        kit_open(kit);
        expect_refused(kit, "op_good", wrongs[i].words);
    }
}

static void a_constructor_that_loops_is_ended_in_time(void **state)
{
    struct kit *kit = *state;
    struct image image = { .fd = -1 };
    struct text why = { 0 };

    kit_build(kit, "op_good.so", "-DCASE_LOOP");
    assert_int_equal(image_open(kit_path(kit, "op_good.so"), &image, &why), IMAGE_OK);
    assert_int_equal(probe_run(image.fd, 500, &why), PROBE_IMPOSSIBLE);
    assert_non_null(strstr(why.data, "did not finish loading within 500 ms"));
    text_free(&why);
    image_close(&image);
}

static void what_a_constructor_starts_ends_with_the_probe(void **state)
{
    struct kit *kit = *state;
    struct image image = { .fd = -1 };
    struct text why = { 0 };

    kit_build(kit, "op_good.so", "-DCASE_FORK");
    assert_int_equal(image_open(kit_path(kit, "op_good.so"), &image, &why), IMAGE_OK);
    assert_int_equal(probe_run(image.fd, PROBE_LIMIT_MS, &why), PROBE_GOOD);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child of ours is left */
    text_free(&why);
    image_close(&image);
}

static void a_refused_file_is_not_probed_again_until_it_changes(void **state)
{
    struct kit *kit = *state;
    char count[512];
    size_t size;

    kit_build(kit, "op_good.so", "-DCASE_COUNTS");
    snprintf(count, sizeof count, "%s/count", kit->folder);
    setenv("FIXTURE_COUNT", count, 1);
    expect_refused(kit, "op_good", "SIGABRT");
    expect_refused(kit, "op_good", "SIGABRT");
    free(kit_read(kit, "count", &size));
    assert_int_equal(size, 1);
    kit_build(kit, "op_good.so", "");
    unsetenv("FIXTURE_COUNT");
    assert_non_null(kit_find(kit, "op_good"));
}

static void the_image_cannot_be_changed_and_outlives_the_file(void **state)
{
    struct kit *kit = *state;
    struct image image = { .fd = -1 };
    struct text why = { 0 };

    kit_build(kit, "op_good.so", "");
    assert_int_equal(image_open(kit_path(kit, "op_good.so"), &image, &why), IMAGE_OK);
    assert_int_equal(write(image.fd, "x", 1), -1);
    assert_int_equal(ftruncate(image.fd, 0), -1);
    assert_int_equal(fcntl(image.fd, F_GET_SEALS),
                     F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
    remove(kit_path(kit, "op_good.so"));
    assert_int_equal(probe_run(image.fd, PROBE_LIMIT_MS, &why), PROBE_GOOD);
    image_close(&image);
}

static void what_is_no_plugin_file_is_refused_and_never_waited_for(void **state)
{
    struct kit *kit = *state;

    kit_write(kit, "op_text.so", "int main(void);\n", 16);
    kit_write(kit, "op_empty.so", "", 0);
    assert_int_equal(mkdir(kit_path(kit, "op_folder.so"), 0700), 0);
    assert_int_equal(mkfifo(kit_path(kit, "op_fifo.so"), 0600), 0);
    assert_int_equal(symlink("nowhere", kit_path(kit, "op_link.so")), 0);
    expect_refused(kit, "op_text", "not an ELF file");
    expect_refused(kit, "op_empty", "is an empty file");
    expect_refused(kit, "op_folder", "is a folder");
    expect_refused(kit, "op_fifo", "is a fifo");
    expect_refused(kit, "op_link", "cannot be opened");
    assert_non_null(strstr(kit_entry(kit, "op_text")->refusal, "not an ELF file"));
    assert_non_null(strstr(kit_entry(kit, "op_empty")->refusal, "is an empty file"));
    assert_non_null(strstr(kit_entry(kit, "op_folder")->refusal, "is a folder"));
    assert_non_null(strstr(kit_entry(kit, "op_fifo")->refusal, "is a fifo"));
    assert_non_null(strstr(kit_entry(kit, "op_link")->refusal, "cannot be opened"));
    assert_int_equal(kit_entry(kit, "op_text")->kind, 0);
}

static void an_unknown_name_gets_the_nearest_one(void **state)
{
    struct kit *kit = *state;

    kit_build(kit, "op_good.so", "");
    expect_refused(kit, "op_godo", "did you mean \"op_good\"?");
    expect_refused(kit, "something_else", "afferent plugin list");
    expect_refused(kit, "../op_good", "is no name of a plugin");
    expect_refused(kit, "", "is no name of a plugin");
}

static void a_listing_runs_no_code_and_goes_with_the_data(void **state)
{
    struct kit *kit = *state;
    const struct plugin_entry *entries;
    size_t count, size;
    char path[512];

    kit_build(kit, "op_good.so", "-DCASE_COUNTS");
    kit_build(kit, "op_also.so", "-DNAME='\"op_also\"'");
    kit_write(kit, "aaa.so", "x", 1);
    kit_write(kit, "notes.txt", "x", 1);
    kit_write(kit, "count", "", 0);
    snprintf(path, sizeof path, "%s", kit_path(kit, "count"));
    setenv("FIXTURE_COUNT", path, 1);
    kit_open(kit);
    entries = plugins_list(kit->plugins, &count);
    unsetenv("FIXTURE_COUNT");
    assert_int_equal(count, 3);
    assert_string_equal(entries[0].name, "op_also");
    assert_string_equal(entries[1].name, "op_good");
    assert_string_equal(entries[1].version, "1.2.3");
    assert_int_equal(entries[1].kind, AFF_PROCESSOR);
    assert_null(entries[1].refusal);
    assert_string_equal(entries[2].name, "aaa");
    assert_string_equal(entries[2].version, "");
    free(kit_read(kit, "count", &size));
    assert_int_equal(size, 0);
}

static void the_first_folder_wins_and_is_no_secret(void **state)
{
    struct kit *kit = *state;
    struct kit *other;
    void *second = NULL;
    const char *dirs[1], *why = "";
    struct plugins *plugins;
    const struct plugin_entry *entries;
    size_t count;

    assert_int_equal(kit_setup(&second), 0);
    other = second;
    kit_build(kit, "op_good.so", "");
    kit_write(other, "op_good.so", "x", 1);
    dirs[0] = other->folder;
    setenv("AFFERENT_PLUGIN_PATH", kit->folder, 1);
    plugins = plugins_open(dirs, 1);
    assert_non_null(plugins);
    entries = plugins_list(plugins, &count);
    assert_int_equal(count, 1);
    assert_non_null(entries[0].refusal);
    assert_null(plugins_find(plugins, "op_good", &why));
    plugins_close(&plugins);
    dirs[0] = kit->folder;
    setenv("AFFERENT_PLUGIN_PATH", other->folder, 1);
    plugins = plugins_open(dirs, 1);
    assert_non_null(plugins_find(plugins, "op_good", &why));
    plugins_close(&plugins);
    unsetenv("AFFERENT_PLUGIN_PATH");
    kit_teardown(&second);
}

/* The dynamic linker knows an object by the path of its descriptor, and numbers
 * of descriptors come again. */
static void plugins_that_follow_each_other_are_not_confused(void **state)
{
    struct kit *kit = *state;

    kit_build(kit, "op_good.so", "");
    kit_build(kit, "op_also.so", "-DNAME='\"op_also\"'");
    for (int i = 0; i < 20; i++) {
        const char *name = i % 2 ? "op_also" : "op_good";
        const struct plugin *plugin;

        kit_open(kit);
        plugin = kit_find(kit, name);
        assert_non_null(plugin);
        assert_string_equal(plugin->about.name, name);
    }
}

static aff_status linked_write(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    (void)self;
    *ret_taken = batch->count;
    return AFF_OK;
}

static void a_plugin_that_is_linked_in_is_found_by_name(void **state)
{
    static const struct aff_port in[] = { { .name = "in", .types = AFF_MASK(AFF_BYTES) } };
    struct aff_plugin constant = {
        .struct_size = sizeof constant, .major = AFF_ABI_MAJOR, .kind = AFF_SINK, .name = "out_linked",
        .version = "1", .summary = "Takes all.", .license = "Apache-2.0",
        .inputs = AFF_TABLE(in), .write = linked_write,
    };
    struct kit *kit = *state;
    const char *why = "";

    kit_open(kit);
    assert_true(plugins_add(kit->plugins, &constant, &why));
    assert_string_equal(kit_find(kit, "out_linked")->about.summary, "Takes all.");
    assert_false(plugins_add(kit->plugins, &constant, &why));
    assert_non_null(strstr(why, "is there already"));
    constant.name = "out_other";
    constant.write = NULL;
    assert_false(plugins_add(kit->plugins, &constant, &why));
    assert_non_null(strstr(why, "callback write: it is missing"));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)
        TEST(a_good_plugin_comes_out_whole),
        TEST(an_older_plugin_has_null_where_it_has_nothing),
        TEST(a_newer_plugin_is_cut_to_what_this_host_knows),
        TEST(rows_that_are_wider_than_ours_are_read_by_their_stride),
        TEST(rows_that_are_narrower_than_ours_are_filled_with_zeros),
        TEST(each_wrong_is_refused_in_one_line),
        TEST(a_constructor_that_loops_is_ended_in_time),
        TEST(what_a_constructor_starts_ends_with_the_probe),
        TEST(a_refused_file_is_not_probed_again_until_it_changes),
        TEST(the_image_cannot_be_changed_and_outlives_the_file),
        TEST(what_is_no_plugin_file_is_refused_and_never_waited_for),
        TEST(an_unknown_name_gets_the_nearest_one),
        TEST(a_listing_runs_no_code_and_goes_with_the_data),
        TEST(the_first_folder_wins_and_is_no_secret),
        TEST(plugins_that_follow_each_other_are_not_confused),
        TEST(a_plugin_that_is_linked_in_is_found_by_name),
    };

    if (plugin_probe_asked(argc, argv))
        return plugin_probe_main(PLUGIN_PROBE_FD);
    return cmocka_run_group_tests_name("load", tests, NULL, NULL);
}
