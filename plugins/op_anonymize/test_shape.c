/* SPDX-License-Identifier: Apache-2.0
 *
 * test_shape.c - what `afferent check` says: options that make no sense,
 * columns that are not there, keys that are open, and which labels are left. */
#include "test_bench.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void refused(const char *more, const char *says)
{
    EXPECT_REFUSED("op_anonymize", bench_toml(more), says);
}

TEST(options_that_make_no_sense_together_are_refused_with_a_way_out)
{
    bench_open();
    assert_null(aff_harness_check("op_anonymize", bench_toml(patient_rules)));
    EXPECT_REFUSED("op_anonymize", "project = \"x\"", "key: is missing");
    EXPECT_REFUSED("op_anonymize", "key = \"k\"", "project: is missing");
    refused("project = \"\"", "project: the project's name is empty");
    refused("columns = { age = \"generalise\" }", "columns.age: columns.age = \"generalise\" does not say how");
    refused("columns = { age = \"hash\" }", "columns.age: no such choice");
    refused("columns = { age = \"keep\" }\ngeneralise = { age = { width = 5 } }",
            "generalise.age: age is in columns and in generalise");
    refused("generalise = { age = { } }", "generalise.age has none of width, digits and floor");
    refused("generalise = { age = { width = 5, digits = 2 } }", "more than one of width");
    refused("generalise = { age = { digits = 2, top = 90 } }", "generalise.age has top without width");
    refused("generalise = { age = { width = 0 } }", "generalise.age.width: 0 is out of range");
    refused("columns = { birth = \"shift\" }\ntimes = \"keep\"", "would tell the shift");
    refused("columns = { mrn = \"pseudonym\" }\nkinds = { mnr = \"patient\" }", "kinds.mnr is of no column");
    refused("columns = { mrn = \"keep\" }\nkinds = { mrn = \"patient\" }", "kinds.mrn");
    refused("columns = { mrn = \"drop\" }\nquasi = [\"mrn\"]", "quasi: mrn does not pass");
    refused("streams = { a = \"x\", b = \"x\" }", "streams: a and b would both be called x");
    refused("streams = { a = \"\" }", "streams: a new name is empty");
    EXPECT_REFUSED("op_anonymize", "key = \"k\"\nproject = \"p\"\nreport = \"k\"", "report is the key file");
    refused("shift_most = \"36h\"", "shift_most: ");
    refused("shift_most = \"60d\"\nshift_step = \"week\"", "expected a multiple of \"7d\"; write \"56d\"");
    bench_close();
}

static struct aff_shape rows_of(const struct aff_schema *schema)
{
    return (struct aff_shape){ .struct_size = sizeof(struct aff_shape), .port = 0, .schema = schema,
                               .subject = AFF_LABEL_PHI, .times = AFF_LABEL_PHI, .names = AFF_LABEL_PHI };
}

static const char *shape_says(const char *more, const struct aff_shape *inputs, uint32_t count)
{
    const char *says = aff_harness_shape("op_anonymize", bench_toml(more), inputs, count, NULL);

    return says ? says : "";
}

static void says(const char *more, const struct aff_shape *inputs, const char *wanted)
{
    const char *said = shape_says(more, inputs, 1);

    if (!strstr(said, wanted))
        fail_msg("\"%s\" does not say \"%s\"", said, wanted);
}

TEST(a_column_that_no_input_has_is_refused_and_the_nearest_is_named)
{
    struct aff_shape in = rows_of(&patient_schema);

    bench_open();
    says("columns = { heart_rat = \"keep\" }", &in, "columns.heart_rat: no input has a column heart_rat; expected one "
                                                    "that is there; did you mean heart_rate?");
    says("columns = { xyzzy = \"drop\" }", &in, "see afferent check --explain");
    says("generalise = { agee = { width = 5 } }", &in, "generalise.agee: no input has a column agee; expected "
                                                       "one that is there; did you mean age?");
    says("columns = { heart_rate = \"pseudonym\" }", &in, "columns.heart_rate does not fit");
    says("columns = { age = \"shift\" }", &in, "expected a column of times");
    says("generalise = { age = { digits = 2 } }", &in, "lost its leading zeros");
    says("generalise = { admitted = { width = 2 } }", &in, "a column of numbers");
    says("", &in, "columns: no column is named");
    assert_non_null(strstr(shape_says("columns = { age = \"keep\" }", NULL, 0), "nothing comes in"));
    assert_string_equal(shape_says(patient_rules, &in, 1), "");
    bench_close();
}

TEST(a_key_file_is_looked_at_before_anything_runs)
{
    struct aff_shape in = rows_of(&patient_schema);

    bench_open();
    assert_int_equal(chmod(bench_path("key"), 0644), 0);
    says(patient_rules, &in, "chmod 600 ");
    assert_int_equal(unlink(bench_path("key")), 0);
    says(patient_rules, &in, "make it: afferent key new /tmp/anonymize-");
    bench_close();
}

TEST(a_run_ends_for_a_key_that_was_taken_away_and_leaves_nothing_behind)
{
    struct aff_harness *h = NULL;

    bench_open();
    assert_int_equal(chmod(bench_path("key"), 0604), 0);
    EXPECT_STATUS(aff_harness_try_open("op_anonymize", bench_toml(patient_rules), &h), AFF_ERR_CONFIG);
    EXPECT_CAUSE(h, "chmod 600");
    aff_harness_close(&h);
    bench_close();
}

static const struct aff_column *column_of_name(const struct aff_schema *s, const char *name)
{
    for (uint32_t i = 0; i < s->count; i++)
        if (strcmp(s->columns[i].name, name) == 0)
            return &s->columns[i];
    return NULL;
}

static void column_is(const struct aff_schema *s, const char *name, int type, int label)
{
    const struct aff_column *c = column_of_name(s, name);

    if (!c)
        fail_msg("%s is not there", name);
    else if (c->type != type || c->label != label)
        fail_msg("%s has type %d and label %d; expected %d and %d", name, c->type, c->label, type, label);
}

TEST(labels_say_what_is_left_of_each_column)
{
    struct aff_shape in = rows_of(&patient_schema);
    const struct aff_shape *out;

    bench_open();
    assert_null(aff_harness_shape("op_anonymize", bench_toml(patient_rules), &in, 1, &out));
    assert_int_equal(out[0].subject | out[0].times | out[0].names, AFF_LABEL_NONE);
    assert_int_equal(out[0].schema->count, 8);
    assert_int_equal(out[1].struct_size, 0);
    column_is(out[0].schema, "heart_rate", AFF_REAL, AFF_LABEL_NONE);
    assert_string_equal(column_of_name(out[0].schema, "heart_rate")->code, "8867-4");
    column_is(out[0].schema, "mrn", AFF_TEXT, AFF_LABEL_NONE);
    column_is(out[0].schema, "visit", AFF_TEXT, AFF_LABEL_NONE);
    column_is(out[0].schema, "note", AFF_TEXT, AFF_LABEL_NONE);
    column_is(out[0].schema, "age", AFF_TEXT, AFF_LABEL_QUASI);
    column_is(out[0].schema, "postcode", AFF_TEXT, AFF_LABEL_QUASI);
    column_is(out[0].schema, "birth", AFF_TEXT, AFF_LABEL_QUASI);
    column_is(out[0].schema, "admitted", AFF_TIME, AFF_LABEL_QUASI);
    assert_null(column_of_name(out[0].schema, "name"));
    assert_null(column_of_name(out[0].schema, "mrn")->unit);
    bench_close();
}

TEST(keep_leaves_a_label_and_clear_takes_it_off)
{
    struct aff_shape in = rows_of(&patient_schema);
    const struct aff_shape *out;

    bench_open();
    assert_null(aff_harness_shape("op_anonymize", bench_toml("columns = { name = \"keep\", note = \"clear\", age = "
                                                             "\"keep\", admitted = \"keep\" }\n"),
                                  &in, 1, &out));
    column_is(out[0].schema, "name", AFF_TEXT, AFF_LABEL_PHI);
    column_is(out[0].schema, "note", AFF_TEXT, AFF_LABEL_NONE);
    column_is(out[0].schema, "age", AFF_INT, AFF_LABEL_QUASI);
    column_is(out[0].schema, "admitted", AFF_TIME, AFF_LABEL_QUASI); /* moved as all times are */
    assert_null(aff_harness_shape("op_anonymize", bench_toml("columns = { admitted = \"keep\" }\ntimes = \"keep\""), &in,
                                  1, &out));
    column_is(out[0].schema, "admitted", AFF_TIME, AFF_LABEL_PHI);
    assert_int_equal(out[0].times, AFF_LABEL_PHI);
    bench_close();
}

/* Of what was phi: a name's first 32 characters are a name, bands one wide are
 * the numbers themselves, and a day that does not move is that day. */
TEST(what_hardly_becomes_coarser_stays_phi)
{
    static const struct aff_column columns[] = {
        { .name = "name", .type = AFF_TEXT, .label = AFF_LABEL_PHI },
        { .name = "zip", .type = AFF_TEXT, .label = AFF_LABEL_PHI },
        { .name = "ward", .type = AFF_TEXT, .label = AFF_LABEL_QUASI },
        { .name = "number", .type = AFF_INT, .label = AFF_LABEL_PHI },
        { .name = "age", .type = AFF_INT, .label = AFF_LABEL_PHI },
        { .name = "weight", .type = AFF_REAL, .label = AFF_LABEL_PHI },
        { .name = "admitted", .type = AFF_TIME, .label = AFF_LABEL_PHI },
    };
    static const char rules[] = "generalise = { name = { digits = 32 }, zip = { digits = 3 }, ward = { digits = 8 }, "
                                "number = { width = 1 }, age = { width = 5 }, weight = { width = 1 }, "
                                "admitted = { floor = \"day\" } }\n";
    struct aff_schema schema = { .struct_size = sizeof schema, .type = AFF_FIELDS, .columns = columns, .count = 7,
                                 .stride = sizeof *columns };
    struct aff_shape in = rows_of(&schema);
    const struct aff_shape *out;

    bench_open();
    assert_null(aff_harness_shape("op_anonymize", bench_toml(rules), &in, 1, &out));
    column_is(out[0].schema, "name", AFF_TEXT, AFF_LABEL_PHI);
    column_is(out[0].schema, "zip", AFF_TEXT, AFF_LABEL_QUASI);
    column_is(out[0].schema, "ward", AFF_TEXT, AFF_LABEL_QUASI);
    column_is(out[0].schema, "number", AFF_TEXT, AFF_LABEL_PHI);
    column_is(out[0].schema, "age", AFF_TEXT, AFF_LABEL_QUASI);
    column_is(out[0].schema, "weight", AFF_TEXT, AFF_LABEL_QUASI);
    column_is(out[0].schema, "admitted", AFF_TIME, AFF_LABEL_QUASI); /* it moves */
    assert_null(aff_harness_shape("op_anonymize", bench_toml("generalise = { admitted = { floor = \"day\" } }\n"
                                                             "times = \"keep\""), &in, 1, &out));
    column_is(out[0].schema, "admitted", AFF_TIME, AFF_LABEL_PHI);
    bench_close();
}

TEST(of_an_open_input_only_what_is_cleared_or_changed_loses_its_label)
{
    struct aff_shape in = rows_of(NULL);
    const struct aff_shape *out;

    bench_open();
    assert_null(aff_harness_shape("op_anonymize",
                                  bench_toml("columns = { heart_rate = \"clear\", spo2 = \"keep\", id = \"pseudonym\" }\n"
                                             "generalise = { age = { width = 5 } }"),
                                  &in, 1, &out));
    assert_int_equal(out[0].schema->count, 4);
    column_is(out[0].schema, "heart_rate", AFF_TEXT, AFF_LABEL_NONE);
    column_is(out[0].schema, "spo2", AFF_TEXT, AFF_LABEL_PHI);
    column_is(out[0].schema, "id", AFF_TEXT, AFF_LABEL_NONE);
    column_is(out[0].schema, "age", AFF_TEXT, AFF_LABEL_QUASI);
    bench_close();
}

TEST(each_kind_of_row_that_comes_in_is_announced_with_its_own_columns)
{
    static const struct aff_column few[] = { { .name = "age", .type = AFF_REAL }, { .name = "spo2", .type = AFF_REAL } };
    struct aff_schema second = { .struct_size = sizeof second, .type = AFF_FIELDS, .columns = few, .count = 2,
                                 .stride = sizeof *few };
    struct aff_shape in[2] = { rows_of(&patient_schema), rows_of(&second) };
    const struct aff_shape *out;

    bench_open();
    /* spo2 is in the second alone, heart_rate in the first */
    assert_null(aff_harness_shape("op_anonymize",
                                  bench_toml("columns = { spo2 = \"keep\", heart_rate = \"keep\", age = \"keep\" }"), in,
                                  2, &out));
    assert_int_equal(out[0].schema->count, 2); /* the kit has what was said last */
    column_is(out[0].schema, "age", AFF_REAL, AFF_LABEL_NONE);
    column_is(out[0].schema, "spo2", AFF_REAL, AFF_LABEL_NONE);
    bench_close();
}

TEST(samples_leave_without_a_label)
{
    static const struct aff_column leads[] = { { .name = "ii", .unit = "mV", .gain = 200 }, { .name = CANARY, .gain = 1 } };
    struct aff_schema ecg = { .struct_size = sizeof ecg, .type = AFF_SAMPLES, .format = AFF_I16, .label = AFF_LABEL_PHI,
                              .columns = leads, .count = 2, .stride = sizeof *leads, .rate_num = 500, .rate_den = 1 };
    struct aff_shape in = { .struct_size = sizeof in, .port = 1, .subject = AFF_LABEL_PHI, .times = AFF_LABEL_PHI,
                            .names = AFF_LABEL_PHI };
    const struct aff_shape *out;

    bench_open();
    for (int known = 0; known < 2; known++) {
        in.schema = known ? &ecg : NULL;
        assert_null(aff_harness_shape("op_anonymize", bench_toml(""), &in, 1, &out));
        assert_int_equal(out[0].struct_size, 0);
        assert_non_null(out[1].schema);
        assert_int_equal(out[1].schema->type, AFF_SAMPLES);
        assert_int_equal(out[1].schema->label, AFF_LABEL_NONE);
        assert_int_equal(out[1].schema->count, known ? 2 : 0);
        assert_int_equal(out[1].subject | out[1].times | out[1].names, AFF_LABEL_NONE);
    }
    assert_string_equal(out[1].schema->columns[0].name, "II");
    assert_string_equal(out[1].schema->columns[1].name, "ch2");
    bench_close();
}

AFF_TEST_MAIN(options_that_make_no_sense_together_are_refused_with_a_way_out,
              a_column_that_no_input_has_is_refused_and_the_nearest_is_named,
              a_key_file_is_looked_at_before_anything_runs,
              a_run_ends_for_a_key_that_was_taken_away_and_leaves_nothing_behind,
              labels_say_what_is_left_of_each_column, keep_leaves_a_label_and_clear_takes_it_off,
              what_hardly_becomes_coarser_stays_phi,
              of_an_open_input_only_what_is_cleared_or_changed_loses_its_label,
              each_kind_of_row_that_comes_in_is_announced_with_its_own_columns, samples_leave_without_a_label)
