/* SPDX-License-Identifier: Apache-2.0
 *
 * test_shape.c - what is refused before anything runs, and what the output carries. */
#include <afferent/testkit.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct aff_column columns[] = {
    { .name = "age", .unit = "a", .type = AFF_INT, .label = AFF_LABEL_QUASI },
    { .name = "note", .type = AFF_TEXT, .label = AFF_LABEL_PHI },
    { .name = "lactate", .unit = "mmol/L", .type = AFF_REAL },
};
static const struct aff_column others[] = {
    { .name = "age", .unit = "a", .type = AFF_REAL },
    { .name = "lactate", .unit = "mg/dL", .type = AFF_REAL, .label = AFF_LABEL_PHI },
};
static const struct aff_schema schema = { .struct_size = sizeof schema,
                                          .type = AFF_FIELDS,
                                          .name = "ward",
                                          .columns = columns,
                                          .count = 3,
                                          .stride = sizeof *columns };
static const struct aff_schema other = { .struct_size = sizeof schema,
                                         .type = AFF_FIELDS,
                                         .name = "ward",
                                         .columns = others,
                                         .count = 2,
                                         .stride = sizeof *others };
static const struct aff_shape known[2] = {
    { .struct_size = sizeof known[0], .schema = &schema, .subject = AFF_LABEL_PHI, .times = AFF_LABEL_QUASI },
    { .struct_size = sizeof known[0], .schema = &other, .names = AFF_LABEL_PHI },
};
static const struct aff_shape open = { .struct_size = sizeof open };

#define MODEL(names, units) \
    "{ \"afferent_model\": 1, \"name\": \"m\", \"version\": \"1\", \"link\": \"logistic\", \"intercept\": 0, " \
    "\"means\": [0, 0],\n" \
    "  \"scales\": [1, 1], \"weights\": [1, 1], \"names\": [" names "] " units "}"
#define PLAIN MODEL("\"age\", \"lactate\"", "")

static const char *shape(const char *model, const char *more, const struct aff_shape *inputs, uint32_t count,
                         const struct aff_shape **ret)
{
    char path[] = "/tmp/aff-shape-XXXXXX", toml[500];
    int fd = mkstemp(path);
    const char *said;

    assert_true(fd >= 0);
    assert_int_equal(write(fd, model, strlen(model)), strlen(model));
    close(fd);
    snprintf(toml, sizeof toml, "model = \"%s\"\n%s", path, more);
    said = aff_harness_shape("op_score", toml, inputs, count, ret);
    unlink(path);
    return said ? said : "";
}

#define EXPECT_SAID(said, wanted) \
    do { \
        const char *text_ = (said); \
        if (!strstr(text_, wanted)) \
            fail_msg("said: %s\nexpected: %s", text_, wanted); \
    } while (0)

TEST(options_that_make_no_sense_are_refused)
{
    EXPECT_REFUSED("op_score", "", "model: is missing");
    EXPECT_REFUSED("op_score", "model = \"m\"\nname = \"a/b\"", "name: no word that can be used");
    EXPECT_REFUSED("op_score", "model = \"m\"\nname = \"\"", "name: no word that can be used");
    EXPECT_REFUSED("op_score", "model = \"m\"\nprefix = \"a b\"", "prefix: no word that can be used");
    EXPECT_REFUSED("op_score", "model = \"m\"\nfeatures = { a = \"\" }", "features: an empty name");
    EXPECT_REFUSED("op_score", "model = \"m\"\non_missing = \"zero\"", "on_missing");
    assert_null(aff_harness_check("op_score", "model = \"m\""));
}

TEST(the_model_and_its_features_are_checked_against_the_input)
{
    const struct aff_shape *out;

    EXPECT_SAID(aff_harness_shape("op_score", "model = \"/nowhere/m.json\"", known, 1, &out), "model: m.json: No such "
                                                                                              "file or directory; "
                                                                                              "expected a model that "
                                                                                              "can be read");
    EXPECT_SAID(shape("{ \"nam\": 1 }", "", known, 1, &out), ":1:3: \"nam\" is unknown");
    EXPECT_SAID(shape(PLAIN, "", &open, 1, &out), "known at run time only; expected known ones; declare them "
                                                  "(columns = [...])");
    EXPECT_SAID(shape(MODEL("\"age\", \"lactat\"", ""), "", known, 1, &out), "features: the input has no column "
                                                                             "\"lactat\" for feature \"lactat\"; "
                                                                             "expected one for each feature; did you "
                                                                             "mean lactate?");
    EXPECT_SAID(shape(MODEL("\"age\", \"crp\"", ""), "", known, 1, &out), "say which it is: features = { \"crp\" = "
                                                                          "\"COLUMN\" }");
    EXPECT_SAID(shape(MODEL("\"age\", \"note\"", ""), "", known, 1, &out), "column \"note\" for feature \"note\" is "
                                                                           "no number");
    EXPECT_SAID(shape(PLAIN, "features = { lactat = \"lactate\" }", known, 1, &out), "features.lactat: the model has "
                                                                                     "no feature \"lactat\"; "
                                                                                     "expected one of its names; did "
                                                                                     "you mean lactate?");
    EXPECT_SAID(shape(PLAIN, "features = { lactate = \"lac\" }", known, 1, &out), "the input has no column \"lac\" "
                                                                                  "for feature \"lactate\"");
    EXPECT_SAID(shape(MODEL("\"age\", \"lactate\"", ", \"units\": [null, \"mmol/L\"]"), "", known, 2, &out),
                "column \"lactate\" is in mg/dL; the model was trained with mmol/L");
    assert_string_equal(shape(MODEL("\"x\", \"lactate\"", ", \"units\": [\"a\", \"mmol/L\"]"),
                              "features = { x = \"age\" }", known, 1, &out),
                        "");
}

TEST(results_carry_the_highest_label_of_the_features_and_the_model_none)
{
    const struct aff_shape *out;
    uint32_t i;

    assert_string_equal(shape(PLAIN, "", known, 1, &out), "");
    assert_non_null(out[0].schema);
    assert_int_equal(out[0].schema->count, 9);
    for (i = 0; i < 9; i++)
        assert_int_equal(out[0].schema->columns[i].label, i < 6 ? AFF_LABEL_QUASI : AFF_LABEL_NONE);
    assert_int_equal(out[0].subject, AFF_LABEL_PHI);
    assert_int_equal(out[0].times, AFF_LABEL_QUASI);
    assert_string_equal(shape(PLAIN, "", known, 2, &out), "");
    assert_non_null(out[0].schema);
    assert_int_equal(out[0].schema->columns[0].label, AFF_LABEL_PHI);
    assert_int_equal(out[0].names, AFF_LABEL_PHI);
}

TEST(kept_columns_stand_before_the_results_with_their_labels)
{
    static const struct aff_column scored[] = { { .name = "age", .type = AFF_REAL },
                                                { .name = "lactate", .type = AFF_REAL },
                                                { .name = "score", .type = AFF_REAL } };
    static const struct aff_schema twice = { .struct_size = sizeof twice,
                                             .type = AFF_FIELDS,
                                             .name = "s",
                                             .columns = scored,
                                             .count = 3,
                                             .stride = sizeof *scored };
    const struct aff_shape again = { .struct_size = sizeof again, .schema = &twice };
    const struct aff_shape *out;

    assert_string_equal(shape(PLAIN, "keep_input = true\nprefix = \"m_\"", known, 1, &out), "");
    assert_int_equal(out[0].schema->count, 12);
    assert_string_equal(out[0].schema->columns[1].name, "note");
    assert_int_equal(out[0].schema->columns[1].label, AFF_LABEL_PHI);
    assert_string_equal(out[0].schema->columns[3].name, "m_score");
    assert_string_equal(shape(PLAIN, "keep_input = true", known, 2, &out), "");
    assert_null(out[0].schema); /* the inputs differ */
    EXPECT_SAID(shape(PLAIN, "keep_input = true", &again, 1, &out), "prefix: the input has a column \"score\" "
                                                                    "already");
    assert_string_equal(shape(PLAIN, "keep_input = true\nprefix = \"second_\"", &again, 1, &out), "");
}

AFF_TEST_MAIN(options_that_make_no_sense_are_refused, the_model_and_its_features_are_checked_against_the_input,
              results_carry_the_highest_label_of_the_features_and_the_model_none,
              kept_columns_stand_before_the_results_with_their_labels)
