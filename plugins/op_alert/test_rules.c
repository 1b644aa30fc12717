/* SPDX-License-Identifier: Apache-2.0
 *
 * test_rules.c - what is refused, with which words, and which labels go on. */
#include "test_alerts.h"

#define ONE(rule) "place = \"bed 3\"\nrules = [{ name = \"r\", severity = \"low\", " rule " }]"
#define TWO(a, b) "place = \"bed 3\"\nrules = [{ name = \"a\", column = \"x\", above = 1, " a " }, " \
                  "{ name = \"b\", column = \"x\", above = 1, " b " }]"

TEST(each_mistake_in_a_rule_has_its_sentence)
{
    static const struct {
        const char *toml, *says;
    } mistakes[] = {
        { ONE("column = \"x\""), "rule \"r\" has no condition; expected one of above, at_least" },
        { ONE("column = \"x\", above = 1, below = 0"), "rule \"r\" has 2 conditions; expected one" },
        { ONE("above = 1"), "rule \"r\" judges no column" },
        { ONE("column = \"x\", above = 7, clear = 7.5"),
          "rule \"r\": clear = 7.5 would end the alert while the value is still over 7; expected 7 or less" },
        { ONE("column = \"x\", below = 90, clear = 89"), "still under 90; expected 90 or more" },
        { ONE("column = \"x\", equals = \"V\", clear = 1"), "clear does not go with equals" },
        { ONE("absent = \"10s\", clear = 1"), "clear does not go with absent" },
        { ONE("column = \"x\", rise = 2"), "does not say in what time; expected within" },
        { ONE("column = \"x\", rise = 2, within = \"10ns\""), "within is less than a second" },
        { ONE("column = \"x\", rise = -2, within = \"1min\""), "rise is an amount; expected a number above 0" },
        { ONE("column = \"x\", fall = 2, within = \"1min\", clear = 2"), "clear = 2 would end the alert while it is true" },
        { ONE("column = \"x\", above = 2, within = \"1min\""), "within goes with rise and fall only" },
        { ONE("absent = \"10s\", hold = \"5s\""), "hold does not go with absent" },
        { ONE("absent = \"10s\", expect = true"), "expected it beside absent and column" },
        { ONE("column = \"x\", above = 1, expect = true"), "expected it beside absent and column" },
        { ONE("column = \"x\", above = 1, text = \"a {x\""), "its text has a { that is not closed" },
        { ONE("column = \"x\", above = 1, text = \"a x}\""), "its text has a } without its {" },
        { ONE("column = \"x\", above = 1, text = \"a {}\""), "its text has {} without a name" },
        { ONE("column = \"x\", above = 1, text = \"\""), "its text is empty" },
        { ONE("column = \"x\", above = [1, 2]"), "above" },
        { TWO("severity = \"low\", group = \"g\"", "severity = \"technical\", group = \"g\""),
          "rules \"a\" and \"b\" share a group, but only one is technical" },
        { "place = \"x\"\nrules = [{ name = \"a\", absent = \"1s\", severity = \"low\" }, "
          "{ name = \"a\", absent = \"2s\", severity = \"low\" }]", "two rules have the name \"a\"" },
        { "place = \"x\"\nrules = [{ name = \"\", absent = \"1s\", severity = \"low\" }]", "rule 1: its name is empty" },
        { "place = \"\"\nrules = [{ name = \"a\", absent = \"1s\", severity = \"low\" }]", "place is empty" },
        { "place = \"{bed}\"\nrules = [{ name = \"a\", absent = \"1s\", severity = \"low\" }]",
          "place has a name in braces that is not {subject}" },
        { "place = \"x\"\nrules = []", "rules" },
        { "rules = [{ name = \"a\", absent = \"1s\", severity = \"low\" }]", "place" },
        { ONE("column = \"x\", above = 1, severty = \"low\""), "severty" },
    };
    size_t i;

    for (i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++)
        EXPECT_REFUSED("op_alert", mistakes[i].toml, mistakes[i].says);
}

TEST(each_mistake_is_said_in_one_go)
{
    const char *said = aff_harness_check("op_alert", "place = \"{bed}\"\nrules = ["
        "{ name = \"a\", severity = \"low\" }, { name = \"b\", column = \"x\", rise = 1, severity = \"low\", text = \"{\" }]");

    assert_non_null(said);
    assert_non_null(strstr(said, "place has"));
    assert_non_null(strstr(said, "rule \"a\" has no condition"));
    assert_non_null(strstr(said, "rule \"b\" does not say in what time"));
    assert_non_null(strstr(said, "rule \"b\": its text"));
}

/* 32 rules with two columns each in their texts are 96 columns. */
TEST(more_columns_than_there_is_room_for_are_refused)
{
    char toml[8192] = "place = \"x\"\nrules = [";
    size_t used = strlen(toml);
    int i;

    for (i = 0; i < 32; i++)
        used += (size_t)snprintf(toml + used, sizeof toml - used, "%s{ name = \"r%d\", column = \"c%d\", above = 1, severity = "
                                 "\"low\", text = \"{d%d} {e%d}\" }", i ? "," : "", i, i, i, i);
    (void)snprintf(toml + used, sizeof toml - used, "]");
    EXPECT_REFUSED("op_alert", toml, "the rules name more than 64 columns");
}

static struct aff_shape shape_of(const struct aff_schema *schema, uint32_t port)
{
    struct aff_shape s = { .struct_size = sizeof s, .port = port, .schema = schema, .subject = AFF_LABEL_PHI,
                           .times = AFF_LABEL_PHI, .names = AFF_LABEL_PHI };

    return s;
}

static void expect_shape(const char *toml, const struct aff_shape *inputs, uint32_t count, const char *says)
{
    const char *said = aff_harness_shape("op_alert", toml, inputs, count, NULL);

    if (!said || !strstr(said, says))
        fail_msg("said \"%s\"; expected \"%s\"", said ? said : "nothing", says);
}

TEST(columns_that_are_not_there_are_named_with_a_guess)
{
    struct aff_shape in = shape_of(&vitals, 0), open = shape_of(NULL, 0);

    expect_shape(ONE("column = \"sp02\", below = 90"), &in, 1,
                 "rules[0].column: rule \"r\": no input has a column \"sp02\"; expected one of: spo2, heart_rate, score, "
                 "band, consciousness, name; did you mean \"spo2\"?");
    expect_shape(ONE("column = \"spo2\", below = 90, text = \"{scor}\""), &in, 1,
                 "rules[0].text: rule \"r\": no input has a column \"scor\"");
    expect_shape(ONE("column = \"lactate\", above = 2"), &in, 1, "name one of these");
    expect_shape(ONE("column = \"band\", above = 2"), &in, 1,
                 "column \"band\" is text, but above judges a number; expected a column that it can judge; use equals");
    expect_shape(ONE("column = \"spo2\", equals = \"V\""), &in, 1, "column \"spo2\" is a number, but equals judges text");
    expect_shape(ONE("column = \"spo2\", below = 90"), &open, 1,
                 "the columns of input 1 are known at run time only, and the rules name some; expected known ones; "
                 "declare them (columns = [...]) in the node that reads them");
}

TEST(a_column_may_be_in_any_of_several_inputs)
{
    static const struct aff_column lab = { .name = "lactate", .type = AFF_REAL };
    static const struct aff_schema labs = { .struct_size = sizeof labs, .type = AFF_FIELDS, .name = "labs",
                                            .columns = &lab, .count = 1, .stride = sizeof lab };
    struct aff_shape in[3] = { shape_of(&vitals, 0), shape_of(&labs, 0), shape_of(&commands, 1) };

    assert_null(aff_harness_shape("op_alert", ONE("column = \"lactate\", above = 2, text = \"{lactate} {spo2}\""), in, 3,
                                  NULL));
    in[2] = shape_of(&labs, 1);
    expect_shape(ONE("column = \"lactate\", above = 2"), in, 3, "input \"commands\" lacks columns");
    in[2] = shape_of(NULL, 1);
    assert_null(aff_harness_shape("op_alert", ONE("column = \"lactate\", above = 2"), in, 3, NULL));
    in[0] = shape_of(NULL, 0);
    assert_null(aff_harness_shape("op_alert", ONE("absent = \"10s\""), in, 1, NULL));
}

static void expect_labels(const char *toml, int subject, int place, int text)
{
    struct aff_shape in = shape_of(&vitals, 0);
    const struct aff_shape *out = NULL;

    assert_null(aff_harness_shape("op_alert", toml, &in, 1, &out));
    assert_int_equal(out[0].subject, subject);
    assert_int_equal(out[0].times, AFF_LABEL_NONE);
    assert_int_equal(out[0].names, AFF_LABEL_NONE);
    assert_int_equal(out[0].schema->count, 8);
    assert_string_equal(out[0].schema->columns[3].name, "place");
    assert_int_equal(out[0].schema->columns[3].label, place);
    assert_int_equal(out[0].schema->columns[4].label, text);
    assert_int_equal(out[0].schema->columns[5].label, AFF_LABEL_NONE);
}

TEST(only_what_a_text_names_carries_its_label_on)
{
    expect_labels(ONE("column = \"name\", equals = \"x\""), 0, 0, AFF_LABEL_NONE);
    expect_labels(ONE("column = \"spo2\", below = 90, text = \"{spo2} {place}\""), 0, 0, AFF_LABEL_NONE);
    expect_labels(ONE("column = \"spo2\", below = 90, text = \"{consciousness}\""), 0, 0, AFF_LABEL_QUASI);
    expect_labels(ONE("column = \"spo2\", below = 90, text = \"{name}\""), 0, 0, AFF_LABEL_PHI);
    expect_labels(ONE("column = \"spo2\", below = 90, text = \"{subject}\""), 0, 0, AFF_LABEL_PHI);
    expect_labels("place = \"{subject}\"\nrules = [{ name = \"r\", absent = \"1s\", severity = \"low\" }]",
                  AFF_LABEL_PHI, AFF_LABEL_PHI, AFF_LABEL_NONE);
    expect_labels("place = \"{subject}\"\nrules = [{ name = \"r\", absent = \"1s\", severity = \"low\", "
                  "text = \"at {place}\" }]", AFF_LABEL_PHI, AFF_LABEL_PHI, AFF_LABEL_PHI);
}

AFF_TEST_MAIN(each_mistake_in_a_rule_has_its_sentence,
              each_mistake_is_said_in_one_go,
              more_columns_than_there_is_room_for_are_refused,
              columns_that_are_not_there_are_named_with_a_guess,
              a_column_may_be_in_any_of_several_inputs,
              only_what_a_text_names_carries_its_label_on)
