/* SPDX-License-Identifier: Apache-2.0
 *
 * test_shape.c - what is refused before anything runs, and what outputs carry. */
#include <afferent/testkit.h>

#include <string.h>

static const struct aff_column vitals[] = {
    { .name = "spo2", .unit = "%", .type = AFF_REAL },
    { .name = "heart_rate", .unit = "/min", .type = AFF_INT, .label = AFF_LABEL_QUASI },
    { .name = "state", .type = AFF_TEXT, .label = AFF_LABEL_PHI },
};
static const struct aff_schema schema = { .struct_size = sizeof schema,
                                          .type = AFF_FIELDS,
                                          .name = "vitals",
                                          .columns = vitals,
                                          .count = 3,
                                          .stride = sizeof *vitals };
static const struct aff_schema narrow = { .struct_size = sizeof schema,
                                          .type = AFF_FIELDS,
                                          .name = "vitals",
                                          .columns = vitals,
                                          .count = 2,
                                          .stride = sizeof *vitals };

static const struct aff_shape known[2] = {
    { .struct_size = sizeof known[0], .schema = &schema, .subject = AFF_LABEL_PHI, .times = AFF_LABEL_QUASI },
    { .struct_size = sizeof known[0], .schema = &narrow, .subject = AFF_LABEL_QUASI, .times = AFF_LABEL_PHI },
};
static const struct aff_shape open = {
    .struct_size = sizeof open, .subject = AFF_LABEL_PHI, .times = AFF_LABEL_PHI, .names = AFF_LABEL_PHI
};

TEST(options_that_make_no_sense_are_refused_with_their_place)
{
    EXPECT_REFUSED("op_where", "", "where: nothing to do; expected where, derive, keep or drop");
    EXPECT_REFUSED("op_where", "where = \"spo2 < \"", "where: character 8: something is missing or wrong here; expected a value");
    EXPECT_REFUSED("op_where", "keep = [\"a\"]\ndrop = [\"b\"]", "drop: both keep and drop");
    EXPECT_REFUSED("op_where", "keep = [\"a\", \"b\", \"a\"]", "keep: \"a\" is there twice");
    EXPECT_REFUSED("op_where", "drop = [\"\"]", "drop: an empty name");
    EXPECT_REFUSED("op_where", "keep = [\"a\"]\notherwise = \"rest\"", "otherwise: \"rest\" without a condition");
    EXPECT_REFUSED("op_where", "where = \"true\"\notherwise = \"reset\"", "otherwise");
    EXPECT_REFUSED("op_where", "derive = [{ name = \"a\", value = \"1\" }, { name = \"b\", value = \"(2\" }]",
                   "derive[1].value: character 3: something is missing or wrong here; expected an operator, or )");
    EXPECT_REFUSED("op_where", "derive = [{ name = \"a\", value = \"1\" }, { name = \"a\", value = \"2\" }]",
                   "derive[1].name: \"a\" is derived twice");
    EXPECT_REFUSED("op_where", "derive = [{ name = \"\", value = \"1\" }]", "derive[0].name: an empty name");
    EXPECT_REFUSED("op_where", "derive = [{ value = \"1\" }]", "derive.0.name: is missing");
    assert_null(aff_harness_check("op_where", "where = \"spo2 < 92\""));
}

static const char *shape(const char *toml, const struct aff_shape *inputs, uint32_t count,
                         const struct aff_shape **ret)
{
    const char *said = aff_harness_shape("op_where", toml, inputs, count, ret);

    return said ? said : "";
}

#define EXPECT_SAID(said, wanted) \
    do { \
        const char *text_ = (said); \
        if (!strstr(text_, wanted)) \
            fail_msg("said: %s\nexpected: %s", text_, wanted); \
    } while (0)

TEST(columns_and_types_are_checked_against_the_input)
{
    const struct aff_shape *out;

    EXPECT_SAID(shape("where = \"spo2 < 92 and hart_rate > 3\"", known, 1, &out), "where: character 15: unknown column "
                                                                                  "\"hart_rate\"; expected one of "
                                                                                  "spo2, heart_rate, state; did you "
                                                                                  "mean heart_rate?");
    EXPECT_SAID(shape("where = \"state < 92\"", known, 1, &out), "where: character 7: < is given a text and a number");
    EXPECT_SAID(shape("where = \"spo2\"", known, 1, &out), "where: character 1: the condition is no true or false");
    EXPECT_SAID(shape("keep = [\"spo\"]", known, 1, &out), "keep: unknown column \"spo\"; expected one of spo2, "
                                                           "heart_rate, state; did you mean spo2?");
    EXPECT_SAID(shape("drop = [\"spo2\", \"heart_rate\", \"state\"]", known, 1, &out), "drop: no column is left");
    EXPECT_SAID(shape("derive = [{ name = \"a\", value = \"b\" }, { name = \"b\", value = \"1\" }]", known, 1, &out),
                "derive[0].value: character 1: unknown column \"b\"");
    EXPECT_SAID(shape("where = \"state = 'A'\"", known, 2, &out), "where: character 1: unknown column \"state\"");
    assert_string_equal(shape("where = \"spo2 < 92\"", known, 2, &out), "");
}

TEST(an_open_input_is_refused_where_columns_are_named)
{
    const struct aff_shape *out;

    EXPECT_SAID(shape("where = \"spo2 < 92\"", &open, 1, &out), "the columns of its input are known at run time "
                                                                "only; expected known ones; declare them (columns = "
                                                                "[...]) in the node that reads them");
    EXPECT_SAID(shape("keep = [\"spo2\"]", &open, 1, &out), "known at run time only");
    EXPECT_SAID(shape("derive = [{ name = \"one\", value = \"1\" }]", &open, 1, &out), "known at run time only");
    EXPECT_SAID(shape("where = \"time < 'a'\"", &open, 1, &out), "< is given a time and a text");
    assert_string_equal(shape("where = \"time - time < 5\"", &open, 1, &out), "");
    assert_int_equal(out[0].struct_size, 0); /* passes what it is given */
    assert_null(out[1].schema);
}

TEST(derived_columns_carry_the_highest_label_of_what_they_are_made_of)
{
    static const struct {
        const char *name;
        uint8_t type, label;
    } wanted[] = { { "spo2", AFF_REAL, AFF_LABEL_NONE },  { "index", AFF_REAL, AFF_LABEL_QUASI },
                   { "awake", AFF_BOOL, AFF_LABEL_PHI },  { "again", AFF_BOOL, AFF_LABEL_PHI },
                   { "late", AFF_TIME, AFF_LABEL_QUASI }, { "five", AFF_INT, AFF_LABEL_NONE } };
    const struct aff_shape *out;
    uint32_t i;

    assert_string_equal(shape("keep = [\"spo2\"]\n"
                              "derive = [{ name = \"index\", value = \"heart_rate / spo2\", unit = \"1\" }, { name = "
                              "\"awake\", value = \"state = 'A'\" },\n"
                              "{ name = \"again\", value = \"not awake\" }, { name = \"late\", value = \"time + 1\" "
                              "}, { name = \"five\", value = \"5\" }]",
                              known, 1, &out),
                        "");
    assert_non_null(out[0].schema);
    assert_int_equal(out[0].schema->count, sizeof wanted / sizeof *wanted);
    for (i = 0; i < out[0].schema->count; i++) {
        assert_string_equal(out[0].schema->columns[i].name, wanted[i].name);
        assert_int_equal(out[0].schema->columns[i].type, wanted[i].type);
        assert_int_equal(out[0].schema->columns[i].label, wanted[i].label);
    }
    assert_string_equal(out[0].schema->columns[1].unit, "1");
    assert_int_equal(out[0].subject, AFF_LABEL_PHI);
    assert_int_equal(out[0].times, AFF_LABEL_QUASI);
    assert_int_equal(out[1].schema->count, 3); /* rest: as it came */
    assert_int_equal(out[1].schema->columns[2].label, AFF_LABEL_PHI);
}

TEST(inputs_that_differ_make_an_open_output_unless_what_is_kept_is_the_same)
{
    const struct aff_shape *out;

    assert_string_equal(shape("where = \"spo2 < 92\"\nderive = [{ name = \"x\", value = \"1\" }]", known, 2, &out),
                        "");
    assert_int_equal(out[0].struct_size, sizeof *out);
    assert_null(out[0].schema);
    assert_null(out[1].schema);
    assert_int_equal(out[0].subject, AFF_LABEL_PHI);
    assert_int_equal(out[0].times, AFF_LABEL_PHI);
    assert_string_equal(shape("keep = [\"spo2\", \"heart_rate\"]", known, 2, &out), "");
    assert_non_null(out[0].schema);
    assert_int_equal(out[0].schema->count, 2);
}

AFF_TEST_MAIN(options_that_make_no_sense_are_refused_with_their_place,
              columns_and_types_are_checked_against_the_input, an_open_input_is_refused_where_columns_are_named,
              derived_columns_carry_the_highest_label_of_what_they_are_made_of,
              inputs_that_differ_make_an_open_output_unless_what_is_kept_is_the_same)
