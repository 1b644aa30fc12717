/* test_delivery.c - slow readers, durable sources and the hash of options, where
 * counting is needed; each rule with its message is in tests/golden.
 *
 * Not here: what the data path makes of it (tests/flow). */
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

#include "config/delivery.h"
#include "config/key_file.h"
#include "config/options.h"
#include "config/pipeline.h"
#include "golden_plugins.h"
#include "show/outage.h"

#define HEAD "[pipeline]\nname = \"case\"\nmemory_limit = \"4GiB\"\n"
#define ECG "[source.ecg]\nplugin = \"in_file\"\npath = \"/ecg.dat\"\n"
#define EVERY "[processor.clean]\nplugin = \"op_every\"\nfrom = \"ecg\"\n"
#define OUT "[sink.out]\nplugin = \"out_any\"\nfrom = \"clean\"\n"

struct reading {
    struct plugins *plugins;
    struct report *report;
    struct plan *plan;
};

static void read_text(struct reading *r, const char *toml, const char *set)
{
    char name[] = "/tmp/test_delivery.XXXXXX";
    struct pipeline_request request = { .file = name, .sets = &set, .set_count = set ? 1 : 0 };
    int fd = mkstemp(name);

    *r = (struct reading){ .plugins = plugins_open(NULL, 0), .report = report_new() };
    assert_true(fd >= 0 && r->plugins && r->report);
    assert_int_equal(write(fd, toml, strlen(toml)), (ssize_t)strlen(toml));
    close(fd);
    r->plan = pipeline_read(r->plugins, &request, r->report);
    unlink(name);
}

static void read_good(struct reading *r, const char *toml)
{
    read_text(r, toml, NULL);
    if (!r->plan)
        report_print(r->report, stderr);
    assert_non_null(r->plan);
    r->plan->file = "case";
}

static void end(struct reading *r)
{
    plan_close(&r->plan);
    report_free(&r->report);
    plugins_close(&r->plugins);
}

static uint64_t hash_of(const char *toml)
{
    struct reading r;
    uint64_t hash = 0;

    read_good(&r, toml);
    for (uint32_t i = 0; i < r.plan->node_count; i++)
        if (!strcmp(r.plan->nodes[i].name, "clean"))
            hash = r.plan->nodes[i].options_hash;
    assert_true(hash != 0);
    end(&r);
    return hash;
}

/* ---- the hash ---- */

static void what_means_the_same_has_the_same_hash(void **state)
{
    uint64_t plain = hash_of(HEAD ECG EVERY OUT);

    (void)state;
    assert_true(plain == hash_of(HEAD OUT EVERY ECG));
    assert_true(plain == hash_of(HEAD ECG EVERY "order = 4\non = true\nwindow = \"0.25s\"\n" OUT));
    assert_true(plain == hash_of(HEAD ECG EVERY "window = \"250ms\"\non = true\n" OUT));
    assert_true(plain == hash_of(HEAD ECG EVERY "edge = { buffer = \"64KiB\", when_full = \"drop_oldest\" }\n" OUT));
    assert_true(plain == hash_of(HEAD ECG EVERY "run = { isolation = \"process\", max_held = 7 }\n" OUT));
}

static void each_option_counts(void **state)
{
    static const char *const written[] = {
        "", "order = 5\n", "level = 0.25\n", "on = false\n", "label = \"x\"\n", "label = \"\"\n",
        "shape = \"square\"\n", "window = \"1s\"\n", "room = \"1MiB\"\n", "cutoff = \"1Hz\"\n", "model = \"/m\"\n",
        "token = \"abc\"\n", "token = \"abd\"\n", "band = { low = \"1Hz\" }\n", "band = { low = \"2Hz\" }\n",
        "channels = [1]\n", "channels = [1, 2]\n", "channels = [2, 1]\n", "columns = [{ name = \"a\" }]\n",
        "columns = [{ name = \"a\", unit = \"b\" }]\n", "columns = [{ name = \"ab\" }]\n", "gains = { a = 1.0 }\n",
        "gains = { a = 2.0 }\n", "gains = { b = 1.0 }\n", "gains = { a = 1.0, b = 2.0 }\n",
        "gains = { a = 2.0, b = 1.0 }\n",
    };
    enum { COUNT = sizeof written / sizeof *written };
    uint64_t hashes[COUNT];

    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        char toml[1024];

        snprintf(toml, sizeof toml, HEAD ECG EVERY "%s" OUT, written[i]);
        hashes[i] = hash_of(toml);
        for (size_t k = 0; k < i; k++)
            if (hashes[k] == hashes[i])
                fail_msg("alike: %s and %s", written[k], written[i]);
    }
}

static void the_order_of_a_map_says_nothing(void **state)
{
    (void)state;
    assert_true(hash_of(HEAD ECG EVERY "gains = { a = 1.0, b = 2.0, c = 3.0 }\n" OUT) ==
                hash_of(HEAD ECG EVERY "gains = { c = 3.0, a = 1.0, b = 2.0 }\n" OUT));
}

static void another_version_is_another_configuration(void **state)
{
    struct plugins *plugins = plugins_open(NULL, 0);
    const char *why;
    struct plugin other = *plugins_find(plugins, "op_beats", &why);
    uint64_t a = 0, b = 0, c = 0;

    (void)state;
    assert_true(options_hash(&other, NULL, &a));
    other.about.version = "2";
    assert_true(options_hash(&other, NULL, &b));
    other.about.name = "op_beats2";
    other.about.version = "";
    assert_true(options_hash(&other, NULL, &c));
    assert_true(a != b && b != c && a != c);
    plugins_close(&plugins);
}

/* ---- edges ---- */

/* A ladder: each step reads from the one before, and has a sink of its own. */
static void ladder_write(struct text *toml, unsigned steps, const char *sink)
{
    text_add(toml, HEAD ECG);
    for (unsigned i = 0; i < steps; i++) {
        text_print(toml, "[processor.p%u]\nplugin = \"op_every\"\nfrom = \"", i);
        if (i)
            text_print(toml, "p%u\"\n", i - 1);
        else
            text_add(toml, "ecg\"\n");
        text_print(toml, "[sink.s%u]\nplugin = \"out_any\"\nfrom = \"p%u\"\n%s", i, i, sink);
    }
}

static void count_note(void *arg, const struct delivery_note *note)
{
    ++*(uint32_t *)arg;
    assert_non_null(note->text);
    assert_true(note->at.line > 0);
}

static void a_ladder_of_three_hundred_spills_on_each_step(void **state)
{
    struct text toml = { 0 };
    struct reading r;
    uint32_t notes = 0, spills = 0;

    (void)state;
    ladder_write(&toml, 300, "");
    read_good(&r, toml.data);
    for (uint32_t i = 0; i < r.plan->edge_count; i++)
        spills += r.plan->edges[i].when_full == WHEN_FULL_SPILL;
    assert_int_equal(spills, 300);
    assert_true(delivery_notes(r.plan, count_note, &notes));
    assert_int_equal(notes, 0);
    end(&r);
    text_free(&toml);
}

/* One note for all below it, and one for each above it. */
static void a_ladder_that_blocks_says_whom_each_step_stalls(void **state)
{
    struct text toml = { 0 };
    struct reading r;
    uint32_t notes = 0;

    (void)state;
    ladder_write(&toml, 40, "edge = { when_full = \"block\" }\n");
    read_good(&r, toml.data);
    assert_true(delivery_notes(r.plan, count_note, &notes));
    assert_int_equal(notes, 39 + 39 * 40 / 2);
    end(&r);
    text_free(&toml);
}

static void sets_reach_the_hosts_keys(void **state)
{
    struct reading r;

    (void)state;
    read_text(&r, HEAD ECG EVERY OUT, "out.edge.when_full=spill");
    assert_non_null(r.plan);
    assert_int_equal(r.plan->edges[1].when_full, WHEN_FULL_SPILL);
    end(&r);
    read_text(&r, HEAD ECG EVERY OUT, "pipeline.store_limit=2MiB");
    assert_non_null(r.plan);
    assert_int_equal(r.plan->store_limit, 2 << 20);
    end(&r);
    read_text(&r, HEAD ECG EVERY OUT, "ecg.run.durable=true");
    assert_non_null(r.plan);
    assert_true(r.plan->nodes[0].durable);
    end(&r);
}

/* ---- the store's size ---- */

static void an_outage_is_counted_in_pages_above_two_kibibytes(void **state)
{
    struct outage small = { .payload = 1986, .stored = 2048 }, large;
    struct aff_column column = { .name = "v", .type = AFF_REAL, .gain = 1 };
    struct aff_schema schema = { .struct_size = sizeof schema, .type = AFF_SAMPLES, .format = AFF_F32, .name = "ecg",
                                 .columns = &column, .count = 1, .stride = sizeof column, .rate_num = 2000,
                                 .rate_den = 1 };
    struct plan_shape shape = { .schema = &schema };
    struct plan_output output = { .shapes = &shape, .shape_count = 1 };
    struct plan_node node = { .outputs = &output };
    struct plan_edge edge = { .when_full = WHEN_FULL_SPILL };
    struct plan plan = { .store_limit = 2048 * 100, .nodes = &node, .node_count = 1, .edges = &edge, .edge_count = 1 };

    (void)state;
    assert_true(outage_seconds(&plan, &small, 10) > 9.99 && outage_seconds(&plan, &small, 10) < 10.01);
    large = outage_of(&plan, &edge); /* 501 samples of 4 bytes in a quarter of a second */
    assert_int_equal(large.payload, 16 + 2008);
    assert_int_equal(large.stored, 4096);
    assert_true(large.rate > 3.99 && large.rate < 4.01);
    schema.rate_num = 1000;
    assert_int_equal(outage_of(&plan, &edge).stored, 16 + 1008 + 62);
    output.shape_count = 0;
    assert_true(outage_of(&plan, &edge).is_open);
}

/* ---- key files ---- */

static bool key_reads(const char *text, size_t size, uint8_t *key)
{
    char name[] = "/tmp/test_delivery.XXXXXX";
    struct text why = { 0 };
    int fd = mkstemp(name);
    bool ok;

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, size), (ssize_t)size);
    assert_int_equal(fchmod(fd, 0600), 0);
    close(fd);
    ok = key_file_read(name, "K", key, &why);
    assert_true(ok == (why.data == NULL));
    assert_true(ok || !strstr(why.data, "7f7f"));
    text_free(&why);
    unlink(name);
    return ok;
}

static void each_shorter_key_file_is_refused_and_gives_zeros(void **state)
{
    static const char line[] = "afferent-key 1 7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7fAB\n";
    static const uint8_t zeros[KEY_FILE_BYTES];
    uint8_t key[KEY_FILE_BYTES];
    char wrong[sizeof line + 1];

    (void)state;
    assert_true(key_reads(line, sizeof line - 1, key));
    assert_true(key_reads(line, sizeof line - 2, key));
    assert_int_equal(key[0], 0x7f);
    assert_int_equal(key[KEY_FILE_BYTES - 1], 0xab);
    for (size_t length = 0; length < sizeof line - 2; length++) {
        memset(key, 1, sizeof key);
        assert_false(key_reads(line, length, key));
        assert_memory_equal(key, zeros, sizeof key);
    }
    for (size_t at = 0; at < sizeof line - 1; at++) {
        memcpy(wrong, line, sizeof line);
        wrong[at] = 'x';
        assert_false(key_reads(wrong, sizeof line - 1, key));
    }
    snprintf(wrong, sizeof wrong, "%s\n", line);
    assert_false(key_reads(wrong, sizeof line, key));
    snprintf(wrong, sizeof wrong, "afferent-key 1 %064d", 0);
    assert_false(key_reads(wrong, strlen(wrong), key));
}

static void a_fifo_in_the_keys_place_does_not_make_it_wait(void **state)
{
    char name[] = "/tmp/test_delivery.XXXXXX", path[64];
    uint8_t key[KEY_FILE_BYTES];
    struct text why = { 0 };

    (void)state;
    assert_non_null(mkdtemp(name));
    snprintf(path, sizeof path, "%s/fifo", name);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_false(key_file_read(path, "K", key, &why));
    assert_non_null(strstr(why.data, "no regular file"));
    text_free(&why);
    unlink(path);
    rmdir(name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_means_the_same_has_the_same_hash),
        cmocka_unit_test(each_option_counts),
        cmocka_unit_test(the_order_of_a_map_says_nothing),
        cmocka_unit_test(another_version_is_another_configuration),
        cmocka_unit_test(a_ladder_of_three_hundred_spills_on_each_step),
        cmocka_unit_test(a_ladder_that_blocks_says_whom_each_step_stalls),
        cmocka_unit_test(sets_reach_the_hosts_keys),
        cmocka_unit_test(an_outage_is_counted_in_pages_above_two_kibibytes),
        cmocka_unit_test(each_shorter_key_file_is_refused_and_gives_zeros),
        cmocka_unit_test(a_fifo_in_the_keys_place_does_not_make_it_wait),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
