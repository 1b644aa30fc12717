/* SPDX-License-Identifier: Apache-2.0
 *
 * test_shape.c - what op_latest refuses before anything runs, and what it says
 * its output carries. */
#include "test_kit.h"

#define NAME "op_latest"

static const struct aff_column labelled[] = {
    { .name = "spo2", .unit = "%", .type = AFF_REAL, .label = AFF_LABEL_QUASI },
    { .name = "temp", .unit = "[degF]", .type = AFF_REAL },
    { .name = "avpu", .type = AFF_TEXT, .label = AFF_LABEL_PHI },
    { .name = "id", .type = AFF_INT },
};

static struct aff_schema schema_of(const struct aff_column *columns, uint32_t count)
{
    struct aff_schema s = { sizeof s, AFF_FIELDS, 0, 0, 0, "in", columns, count, sizeof *columns, 0, 0 };

    return s;
}

static const char *shape(const char *toml, const struct aff_shape **ret)
{
    struct aff_column keyed[2] = { long_columns[0], long_columns[1] };
    static struct aff_schema a, b, c;
    struct aff_shape in[3] = { { .struct_size = sizeof in[0], .subject = AFF_LABEL_PHI, .schema = &a },
                               { .struct_size = sizeof in[0], .times = AFF_LABEL_QUASI, .schema = &b },
                               { .struct_size = sizeof in[0], .names = AFF_LABEL_QUASI, .schema = &c } };

    keyed[0].label = AFF_LABEL_QUASI;
    a = schema_of(labelled, 4);
    b = schema_of(beat_columns, 2);
    c = schema_of(keyed, 2);
    return aff_harness_shape(NAME, toml, in, 3, ret);
}

static void expect_shape(const char *toml, const char *problem)
{
    const char *said = shape(toml, NULL);

    if (!said || !strstr(said, problem))
        fail_msg("said: %s\nexpected: %s", said ? said : "(nothing)", problem);
}

TEST(the_output_has_the_columns_and_the_labels_of_what_they_are_made_of)
{
    const struct aff_shape *out;
    const struct aff_schema *s;

    assert_null(shape("ages = true\nkey = \"Parameter\"\nvalue = \"Value\"\n"
                      "columns = [{ name = \"spo2\", from = \"spo2\" }, { name = \"heart_rate\", from = \"heart_rate\" },\n"
                      "  { name = \"consciousness\", from = \"avpu\" }, { name = \"GCS\", code = \"9269-2\" }]", &out));
    s = out->schema;
    assert_non_null(s);
    assert_int_equal(s->count, 8);
    assert_int_equal(s->columns[0].label, AFF_LABEL_QUASI);
    assert_int_equal(s->columns[1].label, AFF_LABEL_NONE);
    assert_int_equal(s->columns[2].label, AFF_LABEL_PHI);
    assert_int_equal(s->columns[2].type, AFF_TEXT);
    assert_string_equal(s->columns[3].code, "9269-2");
    assert_int_equal(s->columns[3].label, AFF_LABEL_QUASI); /* that of the key */
    assert_string_equal(s->columns[4].name, "spo2_age");
    assert_string_equal(s->columns[4].unit, "s");
    assert_int_equal(s->columns[6].label, AFF_LABEL_PHI);
    assert_int_equal(out->subject, AFF_LABEL_PHI);
    assert_int_equal(out->times, AFF_LABEL_QUASI);
    assert_int_equal(out->names, AFF_LABEL_QUASI);
}

TEST(a_column_that_no_input_has_is_refused_with_the_nearest_name)
{
    expect_shape("columns = [{ name = \"hart_rate\" }]",
                 "columns[0].name: names the column \"hart_rate\", which no input has; expected one that comes in; did you mean \"heart_rate\"?");
    expect_shape("columns = [{ name = \"spo2\" }, { name = \"x\", from = \"SPO\" }]", "columns[1].from: names");
    expect_shape("columns = [{ name = \"heart_arte\" }]", "did you mean \"heart_rate\"?");
    expect_shape("columns = [{ name = \"potassium\" }]", "name one that the node before this one makes");
    expect_shape("key = \"Paramter\"\nvalue = \"Value\"\ncolumns = [{ name = \"HR\" }]",
                 "key: names the column \"Paramter\", which no input has; expected one that comes in; did you mean \"Parameter\"?");
    expect_shape("key = \"Parameter\"\nvalue = \"rr\"\ncolumns = [{ name = \"HR\" }]", "stand in different inputs");
    expect_shape("key = \"Value\"\nvalue = \"Value\"\ncolumns = [{ name = \"HR\" }]", "keys are text");
}

TEST(another_type_or_unit_than_the_inputs_is_refused_with_what_to_write)
{
    expect_shape("columns = [{ name = \"avpu\" }]", "columns[0].type: is real, and the column \"avpu\" is text in the "
                                                    "input; write type = \"text\"");
    expect_shape("columns = [{ name = \"temperature\", from = \"temp\" }]",
                 "columns[0].unit: is Cel, and the column \"temp\" is in [degF] in the input; convert it");
    expect_shape("columns = [{ name = \"temp\" }]", "columns[0].unit: is not said, and the column \"temp\" is in [degF]");
    assert_null(shape("key = \"Parameter\"\nvalue = \"Value\"\ncolumns = [{ name = \"t\", from = \"temp\", "
                      "unit = \"[degF]\" }, { name = \"heart_rate\" , from = \"heart_rate\" }, { name = \"HR\" }]", NULL));
    expect_shape("key = \"Parameter\"\nvalue = \"Value\"\ncolumns = [{ name = \"HR\", type = \"text\" }]",
                 "write type = \"real\"");
}

TEST(an_input_of_which_nothing_is_taken_is_refused)
{
    expect_shape("columns = [{ name = \"spo2\" }]", "input 2 has none of the columns");
}

TEST(an_open_input_is_refused)
{
    struct aff_shape in = { .struct_size = sizeof in };
    const char *said = aff_harness_shape(NAME, "columns = [{ name = \"spo2\" }]", &in, 1, NULL);

    assert_non_null(said);
    assert_non_null(strstr(said, "known at run time only; declare them (columns = [...])"));
}

/* TOML with so many columns. */
static const char *many(int count)
{
    static char text[4096];
    size_t n = (size_t)snprintf(text, sizeof text, "columns = [");
    int i;

    for (i = 0; i < count; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "{ name = \"c%d\" },", i);
    snprintf(text + n, sizeof text - n, "]");
    return text;
}

TEST(options_that_do_not_fit_together_are_refused)
{
    EXPECT_REFUSED(NAME, "", "columns");
    EXPECT_REFUSED(NAME, "columns = []", "out of range");
    EXPECT_REFUSED(NAME, "columns = [{ name = \"\" }]", "columns[0].name: is empty");
    EXPECT_REFUSED(NAME, "columns = [{ name = \"a\" }, { name = \"a\" }]", "columns[1].name: is the name of columns[0]");
    EXPECT_REFUSED(NAME, "ages = true\ncolumns = [{ name = \"a_age\" }, { name = \"a\" }]", "the age of columns[1]");
    EXPECT_REFUSED(NAME, "columns = [{ name = \"a\", key = \"b\" }]", "columns[0].key: needs to know where keys stand");
    EXPECT_REFUSED(NAME, "key = \"k\"\nvalue = \"v\"\ncolumns = [{ name = \"a\", key = \"b\", from = \"c\" }]",
                   "stands beside from");
    EXPECT_REFUSED(NAME, "key = \"k\"\ncolumns = [{ name = \"a\" }]", "value: is missing beside key");
    EXPECT_REFUSED(NAME, "value = \"k\"\ncolumns = [{ name = \"a\" }]", "key: is missing beside value");
    EXPECT_REFUSED(NAME, "stream = \"\"\ncolumns = [{ name = \"a\" }]", "stream: is empty");
    EXPECT_REFUSED(NAME, "every = \"1h\"\ncolumns = [{ name = \"a\" }]", "every: is for rows at full intervals only");
    EXPECT_REFUSED(NAME, "for = \"1h\"\ncolumns = [{ name = \"a\" }]", "for: is for rows at full intervals only");
    EXPECT_REFUSED(NAME, many(65), "out of range");
    assert_null(aff_harness_check(NAME, many(64)));
#define INTERVAL "columns = [{ name = \"a\" }]\nemit = \"interval\"\n"
    EXPECT_REFUSED(NAME, INTERVAL, "every: is missing");
    EXPECT_REFUSED(NAME, INTERVAL "every = \"1s\"\nlateness = \"17s\"", "lateness: is more than 16 times every");
    EXPECT_REFUSED(NAME, INTERVAL "every = \"1ms\"", "every: is too short beside max_age or for");
    EXPECT_REFUSED(NAME, INTERVAL "every = \"1s\"\nfor = \"3650d\"", "more than 100000 rows");
    EXPECT_REFUSED(NAME, INTERVAL "every = \"1s\"\nafter = \"2h\"\nfor = \"1h\"", "after: is longer than for");
    assert_null(aff_harness_check(NAME, INTERVAL "every = \"1s\"\nlateness = \"16s\""));
}

AFF_TEST_MAIN(the_output_has_the_columns_and_the_labels_of_what_they_are_made_of,
              a_column_that_no_input_has_is_refused_with_the_nearest_name,
              another_type_or_unit_than_the_inputs_is_refused_with_what_to_write,
              an_input_of_which_nothing_is_taken_is_refused, an_open_input_is_refused,
              options_that_do_not_fit_together_are_refused)
