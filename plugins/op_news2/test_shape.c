/* SPDX-License-Identifier: Apache-2.0
 *
 * test_shape.c - what op_news2 refuses before anything runs, and what it says
 * its output carries. */
#include "test_kit.h"

#define NAME "op_news2"

static struct aff_column columns[WARD_COLUMNS];

/* The ward's columns with one changed, at check. */
static const char *shape(const char *toml, uint32_t changed, struct aff_column column, const struct aff_shape **ret)
{
    static struct aff_schema schema;
    struct aff_shape in = { .struct_size = sizeof in, .schema = &schema, .subject = AFF_LABEL_PHI,
                            .times = AFF_LABEL_QUASI };

    memcpy(columns, ward_columns, sizeof columns);
    columns[changed] = column;
    schema = schema_of(columns, WARD_COLUMNS);
    return aff_harness_shape(NAME, toml, &in, 1, ret);
}

static void expect_shape(const char *toml, uint32_t changed, struct aff_column column, const char *problem)
{
    const char *said = shape(toml, changed, column, NULL);

    if (!said || !strstr(said, problem))
        fail_msg("said: %s\nexpected: %s", said ? said : "(nothing)", problem);
}

static const struct aff_column *column_of(const struct aff_shape *out, const char *name)
{
    uint32_t i;

    for (i = 0; i < out->schema->count; i++)
        if (strcmp(out->schema->columns[i].name, name) == 0)
            return &out->schema->columns[i];
    fail_msg("there is no column %s", name);
    return NULL;
}

TEST(a_score_has_the_labels_of_what_it_is_made_of)
{
    struct aff_column oxygen = ward_columns[2], rate = ward_columns[0];
    const struct aff_shape *out;

    oxygen.label = AFF_LABEL_QUASI;
    assert_null(shape("", 2, oxygen, &out));
    assert_int_equal(out->schema->count, 16);
    assert_int_equal(out->subject, AFF_LABEL_PHI);
    assert_int_equal(out->times, AFF_LABEL_QUASI);
    assert_int_equal(column_of(out, "respiration_score")->label, AFF_LABEL_NONE);
    assert_int_equal(column_of(out, "oxygen_score")->label, AFF_LABEL_QUASI);
    assert_int_equal(column_of(out, "spo2_score")->label, AFF_LABEL_QUASI); /* on scale 2 it tells of oxygen */
    assert_int_equal(column_of(out, "score")->label, AFF_LABEL_QUASI);
    assert_int_equal(column_of(out, "table")->label, AFF_LABEL_NONE);
    rate.label = AFF_LABEL_PHI;
    assert_null(shape("keep_input = true", 0, rate, &out));
    assert_int_equal(out->schema->count, 16 + WARD_COLUMNS);
    assert_int_equal(column_of(out, "respiratory_rate")->label, AFF_LABEL_PHI);
    assert_int_equal(column_of(out, "band")->label, AFF_LABEL_PHI);
}

TEST(a_column_that_is_not_there_is_refused_with_the_nearest_name)
{
    struct aff_column other = { .name = "temp", .unit = "Cel", .type = AFF_REAL };

    expect_shape("", 6, other, "columns.temperature: is \"temperature\", a column that the input does not have; expected one that it has; did "
                               "you mean \"temp\"?");
    other.name = "temprature";
    expect_shape("", 6, other, "did you mean \"temprature\"?");
    other.name = "x";
    expect_shape("", 6, other, "or write \"\" if there is none: each score is then partial");
    assert_null(shape("columns = { temperature = \"\" }", 6, other, NULL));
    assert_null(shape("columns = { temperature = \"x\" }", 6, other, NULL));
    expect_shape("scale_column = \"scale\"", 0, ward_columns[0], "scale_column: is \"scale\", a column that the input "
                                                                 "does not have; expected one that it has; did you mean \"spo2_scale\"?");
    expect_shape("scale_column = \"consciousness\"", 0, ward_columns[0], "which is no number");
}

TEST(units_that_the_table_does_not_have_are_refused_with_what_to_do)
{
    struct aff_column c = { .name = "temperature", .unit = "[degF]", .type = AFF_REAL };

    expect_shape("", 6, c, "columns.temperature: is \"temperature\", which is in [degF]; expected Cel, as NEWS2 has it; convert it "
                           "in a node before this one: (temperature - 32) / 1.8");
    c.unit = "K";
    expect_shape("", 6, c, "temperature - 273.15");
    c.unit = "C";
    expect_shape("", 6, c, "correct the unit");
    c = (struct aff_column){ .name = "systolic", .unit = "kPa", .type = AFF_REAL };
    expect_shape("", 3, c, "systolic * 7.50062");
    c.unit = "mmHg";
    expect_shape("", 3, c, "expected mm[Hg], as NEWS2");
    c = (struct aff_column){ .name = "spo2", .unit = "1", .type = AFF_REAL };
    expect_shape("", 1, c, "spo2 * 100");
    c = (struct aff_column){ .name = "heart_rate", .unit = "Hz", .type = AFF_REAL };
    expect_shape("", 4, c, "expected /min, as NEWS2");
    c.unit = "{beats}/min";
    assert_null(shape("", 4, c, NULL));
    c.unit = "1/min";
    assert_null(shape("", 4, c, NULL));
    c.unit = "{beats";
    expect_shape("", 4, c, "expected /min, as NEWS2");
    c.unit = NULL; /* not declared: taken for what the table has */
    assert_null(shape("", 4, c, NULL));
    c = (struct aff_column){ .name = "supplemental_oxygen", .unit = "L/min", .type = AFF_REAL };
    expect_shape("", 2, c, "oxygen = flow > 0");
    expect_shape("oxygen = \"fio2\"", 2, c, "FiO2 is a fraction");
}

TEST(types_that_do_not_fit_are_refused_with_what_to_write)
{
    struct aff_column c = { .name = "consciousness", .type = AFF_INT };

    expect_shape("", 5, c, "write consciousness = \"gcs\"");
    assert_null(shape("consciousness = \"gcs\"", 5, c, NULL));
    expect_shape("consciousness = \"gcs\"", 0, ward_columns[0], "write consciousness = \"acvpu\"");
    expect_shape("oxygen = \"fio2\"", 0, ward_columns[0], "columns.oxygen: is \"supplemental_oxygen\"");
    c = (struct aff_column){ .name = "spo2", .type = AFF_TEXT };
    expect_shape("", 1, c, "columns.spo2: is \"spo2\", which has another type; expected a number");
}

TEST(an_open_input_is_refused)
{
    struct aff_shape in = { .struct_size = sizeof in };
    const char *said = aff_harness_shape(NAME, "", &in, 1, NULL);

    assert_non_null(said);
    assert_non_null(strstr(said, "known at run time only; declare them (columns = [...])"));
}

TEST(kept_columns_must_be_of_one_kind_and_not_those_of_the_score)
{
    struct aff_schema a = schema_of(ward_columns, 8), b = schema_of(ward_columns, 7);
    struct aff_shape in[2] = { { .struct_size = sizeof in[0], .schema = &a },
                               { .struct_size = sizeof in[0], .schema = &b } };
    struct aff_column band = { .name = "band", .type = AFF_TEXT };

    assert_null(aff_harness_shape(NAME, "", in, 2, NULL));
    assert_non_null(strstr(aff_harness_shape(NAME, "keep_input = true", in, 2, NULL), "different columns"));
    expect_shape("keep_input = true", 7, band, "keep_input: cannot be: a column of the input has the name");
    assert_null(shape("", 7, band, NULL));
}

TEST(options_that_make_no_sense_are_refused)
{
    EXPECT_REFUSED(NAME, "scale2 = [\"A\", \"\"]", "scale2[1]: is empty");
    EXPECT_REFUSED(NAME, "plausible = { pulse = [100, 50] }", "plausible.pulse: is not a range");
    EXPECT_REFUSED(NAME, "plausible = { pulse = [100] }", "out of range");
    EXPECT_REFUSED(NAME, "columns = { puls = \"HR\" }", "columns.puls");
    EXPECT_REFUSED(NAME, "consciousness = \"avpu\"", "consciousness");
    assert_null(aff_harness_check(NAME, ""));
}

AFF_TEST_MAIN(a_score_has_the_labels_of_what_it_is_made_of, a_column_that_is_not_there_is_refused_with_the_nearest_name,
              units_that_the_table_does_not_have_are_refused_with_what_to_do,
              types_that_do_not_fit_are_refused_with_what_to_write, an_open_input_is_refused,
              kept_columns_must_be_of_one_kind_and_not_those_of_the_score, options_that_make_no_sense_are_refused)
