/* test_shapes.c - what flows by each edge, in pipelines larger than one writes.
 *
 * The rules themselves, each with its message, are in tests/golden; here is what
 * needs counting: long chains, wide fan-ins, very many ways, and the parts that
 * other code builds on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/label_way.h"
#include "config/pipeline.h"
#include "config/schemas.h"
#include "golden_plugins.h"
#include "load/copy.h"

/* A pipeline that was written as text, and what was said of it. */
struct reading {
    struct text toml;
    struct plugins *plugins;
    struct report *report;
    struct plan *plan;
};

static void begin(struct reading *r)
{
    *r = (struct reading){ .plugins = plugins_open(NULL, 0), .report = report_new() };
    assert_true(r->plugins && r->report);
    text_add(&r->toml, "[pipeline]\nname = \"case\"\nmemory_limit = \"4GiB\"\n");
}

static void read_it(struct reading *r)
{
    char name[] = "/tmp/test_shapes.XXXXXX";
    struct pipeline_request request = { .file = name };
    int fd = mkstemp(name);

    assert_true(fd >= 0 && !r->toml.failed);
    assert_int_equal(write(fd, r->toml.data, r->toml.length), (ssize_t)r->toml.length);
    close(fd);
    r->plan = pipeline_read(r->plugins, &request, r->report);
    unlink(name);
    if (r->plan)
        r->plan->file = "case";
}

static void end(struct reading *r)
{
    plan_close(&r->plan);
    report_free(&r->report);
    plugins_close(&r->plugins);
    text_free(&r->toml);
}

static const char *first_message(struct reading *r)
{
    struct report_line line;

    return report_row(r->report, 0, &line) ? line.text : "";
}

static void expect_in(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("\"%s\" is not in: %s", part, text);
}

static const struct plan_output *output_of(const struct plan *plan, const char *name)
{
    for (uint32_t i = 0; i < plan->node_count; i++) {
        if (!strcmp(plan->nodes[i].name, name))
            return &plan->nodes[i].outputs[0];
    }
    fail_msg("there is no node %s", name);
    return NULL;
}

static void add_rows(struct reading *r, const char *name, const char *column, const char *label)
{
    text_print(&r->toml, "[source.%s]\nplugin = \"in_rows\"\npublished = true\n"
               "columns = [{ name = \"%s\", label = \"%s\" }]\n", name, column, label);
}

/* ---- long and wide ---- */

enum { CHAIN = 1000 };

static void add_chain(struct reading *r, const char *label)
{
    add_rows(r, "n0", "rate", label);
    for (int i = 1; i <= CHAIN; i++)
        text_print(&r->toml, "[processor.n%d]\nplugin = \"op_look\"\nfrom = \"n%d\"\n", i, i - 1);
    text_print(&r->toml, "[sink.cloud]\nplugin = \"out_cloud\"\nfrom = \"n%d\"\n", CHAIN);
}

static void a_label_goes_through_a_thousand_nodes(void **state)
{
    struct reading r;

    (void)state;
    begin(&r);
    add_chain(&r, "phi");
    read_it(&r);
    assert_null(r.plan);
    expect_in(first_message(&r), "column rate of n0 comes by n0 -> n1 -> n2 -> n3 -> n4 -> n5 -> n6 -> n7 -> "
              "(989 more) -> n997 -> n998 -> n999 -> n1000 -> cloud; expected nothing");
    end(&r);
}

static void a_chain_of_a_thousand_nodes_shares_one_schema(void **state)
{
    struct reading r;

    (void)state;
    begin(&r);
    add_chain(&r, "quasi");
    read_it(&r);
    assert_non_null(r.plan);
    assert_int_equal(output_of(r.plan, "n1000")->shape_count, 1);
    assert_ptr_equal(output_of(r.plan, "n1000")->shapes->schema, output_of(r.plan, "n0")->shapes->schema);
    assert_int_equal(output_of(r.plan, "n1000")->label, AFF_LABEL_QUASI);
    assert_int_equal(r.plan->leave_count, 1);
    assert_string_equal(r.plan->leaves[0].quasi, "column rate of n1000");
    end(&r);
}

/* `one` is the column of each source, or NULL: each has one of its own. */
static void read_fan_in(struct reading *r, int count, const char *one, const char *last_label)
{
    begin(r);
    for (int i = 0; i < count; i++) {
        char name[16], column[16];

        snprintf(name, sizeof name, "s%d", i);
        snprintf(column, sizeof column, "c%d", i);
        add_rows(r, name, one ? one : column, i + 1 < count ? "none" : last_label);
    }
    text_add(&r->toml, "[processor.all]\nplugin = \"op_look\"\nfrom = [");
    for (int i = 0; i < count; i++)
        text_print(&r->toml, "%s\"s%d\"", i ? ", " : "", i);
    text_add(&r->toml, "]\n[sink.cloud]\nplugin = \"out_cloud\"\nfrom = \"all\"\n");
    read_it(r);
}

static void equal_schemas_of_a_fan_in_are_one(void **state)
{
    struct reading r;

    (void)state;
    read_fan_in(&r, 500, "rate", "none");
    assert_non_null(r.plan);
    assert_int_equal(output_of(r.plan, "all")->shape_count, 1);
    assert_int_equal(output_of(r.plan, "all")->known, SHAPE_PASSED);
    assert_int_equal(output_of(r.plan, "all")->label, AFF_LABEL_NONE);
    end(&r);
}

static void up_to_sixteen_schemas_are_kept_apart(void **state)
{
    struct reading r;

    (void)state;
    read_fan_in(&r, 16, NULL, "quasi");
    assert_non_null(r.plan);
    assert_int_equal(output_of(r.plan, "all")->shape_count, 16);
    assert_string_equal(r.plan->leaves[0].quasi, "column c15 of all");
    end(&r);
}

static void too_many_schemas_become_open_and_keep_their_labels(void **state)
{
    struct reading r;

    (void)state;
    read_fan_in(&r, 500, NULL, "none");
    assert_non_null(r.plan);
    assert_int_equal(output_of(r.plan, "all")->shape_count, 1);
    assert_null(output_of(r.plan, "all")->shapes->schema);
    assert_int_equal(output_of(r.plan, "all")->label, AFF_LABEL_NONE);
    end(&r);
    read_fan_in(&r, 500, NULL, "phi");
    assert_null(r.plan);
    expect_in(first_message(&r), "columns that are not declared of s499 come by s499 -> all -> cloud; ");
    end(&r);
}

/* Layers of two nodes that each take from both above: the ways double. */
static void ways_beyond_counting_are_not_counted(void **state)
{
    struct reading r;

    (void)state;
    begin(&r);
    add_rows(&r, "a0", "rate", "phi");
    add_rows(&r, "b0", "rate", "phi");
    for (int i = 1; i <= 40; i++)
        for (const char *side = "ab"; *side; side++)
            text_print(&r.toml, "[processor.%c%d]\nplugin = \"op_look\"\nfrom = [\"a%d\", \"b%d\"]\n", *side, i,
                       i - 1, i - 1);
    text_add(&r.toml, "[sink.cloud]\nplugin = \"out_cloud\"\nfrom = [\"a40\", \"b40\"]\n");
    read_it(&r);
    assert_null(r.plan);
    expect_in(first_message(&r), "column rate of a0 comes by a0 -> a1 -> ");
    expect_in(first_message(&r), "-> a40 -> cloud (and by very many more ways); expected");
    end(&r);
}

static void ways_are_counted_exactly_where_they_can_be(void **state)
{
    struct reading r;

    (void)state;
    read_fan_in(&r, 5, "rate", "phi");
    expect_in(first_message(&r), "column rate of s4 comes by s4 -> all -> cloud; expected");
    end(&r);
    begin(&r);
    for (int i = 0; i < 5; i++) {
        char name[16];

        snprintf(name, sizeof name, "s%d", i);
        add_rows(&r, name, "rate", "phi");
    }
    text_add(&r.toml, "[processor.all]\nplugin = \"op_look\"\nfrom = [\"s0\", \"s1\", \"s2\", \"s3\", \"s4\"]\n"
             "[sink.cloud]\nplugin = \"out_cloud\"\nfrom = [\"all\", \"s3\"]\n");
    read_it(&r);
    expect_in(first_message(&r), "column rate of s3 comes by s3 -> cloud (and by 5 more ways); expected");
    end(&r);
}

/* ---- what others build on ---- */

static void a_plan_that_says_nothing_is_phi(void **state)
{
    struct plan_output outputs[2] = { { .label = AFF_LABEL_NONE }, { .label = AFF_LABEL_QUASI } };
    struct plan_node nodes[2] = { { .outputs = NULL }, { .outputs = outputs } };
    struct plan plan = { .nodes = nodes, .node_count = 2 };

    (void)state;
    assert_int_equal(plan_label(&plan, 0, 7), AFF_LABEL_PHI);
    assert_int_equal(plan_label(&plan, 1, 0), AFF_LABEL_NONE);
    assert_int_equal(plan_label(&plan, 1, 1), AFF_LABEL_QUASI);
}

static const struct aff_column two[] = { { .name = "a", .type = AFF_REAL, .label = AFF_LABEL_QUASI },
                                         { .name = "b", .type = AFF_TEXT } };
static const struct aff_schema rows = { .struct_size = sizeof rows, .type = AFF_FIELDS, .name = "rows",
    .columns = two, .count = 2, .stride = sizeof *two };
static const struct aff_schema wave = { .struct_size = sizeof wave, .type = AFF_SAMPLES, .format = AFF_I16,
    .columns = two, .count = 1, .stride = sizeof *two, .rate_num = 250, .rate_den = 1 };

static void labels_rise_in_a_copy_and_only_where_they_must(void **state)
{
    struct arena *arena = arena_new();
    const struct aff_schema *raised;

    (void)state;
    assert_ptr_equal(schema_raise(arena, &rows, AFF_LABEL_NONE), &rows);
    raised = schema_raise(arena, &rows, AFF_LABEL_QUASI);
    assert_int_equal(schema_at(raised, 1)->label, AFF_LABEL_QUASI);
    assert_int_equal(two[1].label, AFF_LABEL_NONE);
    assert_ptr_equal(schema_raise(arena, raised, AFF_LABEL_QUASI), raised);
    assert_false(schema_equal(raised, &rows));
    assert_true(schema_equal(schema_raise(arena, &rows, AFF_LABEL_QUASI), raised));
    raised = schema_raise(arena, &wave, AFF_LABEL_PHI);
    assert_int_equal(raised->label, AFF_LABEL_PHI);
    assert_int_equal(schema_label(raised), AFF_LABEL_PHI);
    arena_free(&arena);
}

/* Records that pass are of their own schema; those that the node adds are of its
 * table's, whatever passes beside them. */
static void what_a_node_adds_to_what_passes_keeps_the_labels_of_its_table(void **state)
{
    struct reading r;

    (void)state;
    begin(&r);
    add_rows(&r, "csv", "rate", "none");
    text_add(&r.toml, "[processor.more]\nplugin = \"op_add\"\nfrom = \"csv\"\n"
             "[sink.cloud]\nplugin = \"out_cloud\"\nfrom = \"more\"\n");
    read_it(&r);
    assert_null(r.plan);
    expect_in(first_message(&r), "column born of more comes by more -> cloud");
    end(&r);
}

static void labels_of_what_a_node_adds_can_be_cleared(void **state)
{
    struct reading r;

    (void)state;
    begin(&r);
    add_rows(&r, "csv", "rate", "none");
    text_add(&r.toml, "[processor.more]\nplugin = \"op_add\"\nfrom = \"csv\"\n"
             "run = { clears = \"born\" }\n"
             "[sink.cloud]\nplugin = \"out_cloud\"\nfrom = \"more\"\n");
    read_it(&r);
    assert_non_null(r.plan);
    assert_int_equal(output_of(r.plan, "more")->shape_count, 2);
    end(&r);
}

static void labels_end_by_column_or_as_a_whole(void **state)
{
    struct arena *arena = arena_new();
    const struct aff_schema *raised = schema_raise(arena, &rows, AFF_LABEL_PHI);

    (void)state;
    assert_int_equal(schema_label(schema_clear(arena, raised, "a")), AFF_LABEL_PHI);
    assert_int_equal(schema_label(schema_clear(arena, schema_clear(arena, raised, "a"), "b")), AFF_LABEL_NONE);
    assert_int_equal(schema_label(schema_clear(arena, raised, NULL)), AFF_LABEL_NONE);
    assert_int_equal(schema_label(schema_clear(arena, schema_raise(arena, &wave, AFF_LABEL_PHI), NULL)),
                     AFF_LABEL_NONE);
    assert_ptr_equal(schema_clear(arena, &rows, "nobody"), &rows);
    arena_free(&arena);
}

static void what_shape_says_is_copied_whole(void **state)
{
    struct arena *arena = arena_new();
    struct plugins *plugins = plugins_open(NULL, 0);
    const char *refusal = NULL;
    const struct plugin *plugin = plugins_find(plugins, "op_look", &refusal);
    char name[] = "rate";
    struct aff_column column = { .name = name, .type = AFF_REAL };
    struct aff_schema schema = { .struct_size = sizeof schema, .type = AFF_FIELDS, .columns = &column,
                                 .count = 1, .stride = sizeof column };
    struct aff_shape shape = { .struct_size = sizeof shape, .schema = &schema, .times = AFF_LABEL_QUASI }, copy;
    struct text why = { 0 };

    (void)state;
    assert_true(shape_copy(arena, plugin, &shape, &copy, &why));
    memset(name, 'x', sizeof name - 1);
    memset(&column, 0xff, sizeof column);
    memset(&schema, 0xff, sizeof schema);
    assert_string_equal(schema_at(copy.schema, 0)->name, "rate");
    assert_int_equal(copy.times, AFF_LABEL_QUASI);
    assert_false(shape_copy(arena, plugin, &shape, &copy, &why));
    expect_in(why.data, "shape of output out");
    text_free(&why);
    plugins_close(&plugins);
    arena_free(&arena);
}

/* Of many that may tell a device something, the one that may not is named. */
static void a_device_is_told_by_many_and_names_the_one_it_refuses(void **state)
{
    enum { MANY = 100, BAD = 70 };
    struct reading r;

    (void)state;
    begin(&r);
    text_add(&r.toml, "[source.valve]\nplugin = \"in_valve\"\nsends = \"who\"\nfrom = [");
    for (int i = 0; i < MANY; i++)
        text_print(&r.toml, "%s\"s%d\"", i ? ", " : "", i);
    text_add(&r.toml, "]\n[sink.out]\nplugin = \"out_any\"\nfrom = \"valve\"\n");
    for (int i = 0; i < MANY; i++)
        text_print(&r.toml, "[source.s%d]\nplugin = \"in_rows\"\ncolumns = [{ name = \"command\", type = \"text\" }, "
                   "{ name = \"who\", type = \"text\", label = \"%s\" }]\n", i, i == BAD ? "phi" : "none");
    read_it(&r);
    assert_null(r.plan);
    expect_in(first_message(&r), "(s70.rows) is labelled phi");
    end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_label_goes_through_a_thousand_nodes),
        cmocka_unit_test(a_chain_of_a_thousand_nodes_shares_one_schema),
        cmocka_unit_test(equal_schemas_of_a_fan_in_are_one),
        cmocka_unit_test(up_to_sixteen_schemas_are_kept_apart),
        cmocka_unit_test(too_many_schemas_become_open_and_keep_their_labels),
        cmocka_unit_test(ways_beyond_counting_are_not_counted),
        cmocka_unit_test(ways_are_counted_exactly_where_they_can_be),
        cmocka_unit_test(a_plan_that_says_nothing_is_phi),
        cmocka_unit_test(labels_rise_in_a_copy_and_only_where_they_must),
        cmocka_unit_test(what_a_node_adds_to_what_passes_keeps_the_labels_of_its_table),
        cmocka_unit_test(labels_of_what_a_node_adds_can_be_cleared),
        cmocka_unit_test(labels_end_by_column_or_as_a_whole),
        cmocka_unit_test(what_shape_says_is_copied_whole),
        cmocka_unit_test(a_device_is_told_by_many_and_names_the_one_it_refuses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
