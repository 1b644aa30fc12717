/* SPDX-License-Identifier: Apache-2.0
 *
 * test_expr.c - expressions alone: values, missing ones, faults and limits.
 *
 * Not here: random expressions (test_property.c), the plugin (test_op_where.c). */
#include <afferent/testkit.h>

#include <stdio.h>
#include <stdlib.h>

#include "test_rows.h"

static const struct expr_derived derived[] = { { "shock_index", AFF_REAL, AFF_LABEL_NONE } };
static const struct expr_scope scope = { &row_schema, derived, 1, AFF_LABEL_QUASI, true };

static void row_fill(struct test_row *t)
{
    struct aff_row row = row_new(t);

    aff_row_put_real(&row, COL_SPO2, 91.5);
    aff_row_put_int(&row, COL_HEART_RATE, 120);
    aff_row_put_int(&row, COL_PACED, 1);
    aff_row_put_int(&row, COL_ADMITTED, INT64_C(1699999990000000000));
    aff_row_put_text(&row, COL_NAME, "Verbal \xc3\xa4", 9);
    aff_row_put_real(&row, COL_ODD, -2.5);
    aff_row_put_int(&row, COL_ZERO, 0);
    t->record.size = aff_row_end(&row);
}

static void value_print(char *to, size_t room, uint8_t type, const struct expr_value *v)
{
    uint32_t i;

    if (!v->has)
        snprintf(to, room, "missing");
    else if (type == AFF_REAL)
        snprintf(to, room, "%.17g", v->of.real);
    else if (type == AFF_BOOL)
        snprintf(to, room, "%s", v->of.integer ? "true" : "false");
    else if (type == AFF_TEXT) {
        for (i = 0; i < v->length; i++)
            to[i] = folded_at(v, i);
        to[i] = 0;
    } else
        snprintf(to, room, "%lld%s", (long long)v->of.integer, type == AFF_TIME ? "t" : "");
}

/* The value as text, or "AT: fault". */
static const char *eval(const char *text)
{
    static char said[600];
    static struct expr_draft draft;
    static struct expr_op ops[EXPR_OPS(EXPR_NODES_MAX)];
    static struct expr_value stack[EXPR_NODES_MAX];
    struct expr_value shock = { .of.real = 0.75, .has = true };
    struct expr_program program = { .ops = ops };
    struct expr_fault fault;
    struct test_row t;
    struct expr_row row = { &t.record, COLS, &shock };
    struct expr e;

    row_fill(&t);
    if (expr_parse(text, &draft, &fault) == 0) {
        e = expr_of(&draft);
        if (expr_bind(&e, &scope, &program, &fault) == 0) {
            assert_true(program.count <= EXPR_OPS(e.count));
            assert_true(expr_run(&program, &row, stack));
            value_print(said, sizeof said, program.type, &stack[0]);
            return said;
        }
    }
    snprintf(said, sizeof said, "%u: %s", (unsigned)fault.at, fault.text);
    return said;
}

struct example {
    const char *text, *wanted;
};

static void expect_all(const struct example *examples, size_t count)
{
    size_t i;

    for (i = 0; i < count; i++) {
        const char *got = eval(examples[i].text);

        if (strncmp(got, examples[i].wanted, strlen(examples[i].wanted)) != 0 ||
            (!strchr(examples[i].wanted, ':') && strcmp(got, examples[i].wanted) != 0))
            fail_msg("%s\n  gives    %s\n  expected %s", examples[i].text, got, examples[i].wanted);
    }
}
#define EXPECT_ALL(...) \
    do { \
        static const struct example examples[] = { __VA_ARGS__ }; \
        expect_all(examples, sizeof examples / sizeof examples[0]); \
    } while (0)

TEST(arithmetic_keeps_whole_numbers_whole_and_binds_as_in_school)
{
    EXPECT_ALL({ "1 + 2 * 3", "7" }, { "(1 + 2) * 3", "9" }, { "7 / 2", "3.5" }, { "6 / 2", "3" }, { "7 % 3", "1" },
               { "-7 % 3", "-1" }, { "7.5 % 2", "1.5" }, { "2 ^ 3 ^ 2", "512" }, { "-2 ^ 2", "-4" },
               { "2 ^ -1", "0.5" }, { "10 - 4 - 3", "3" }, { "100 / 10 / 2", "5" }, { "- - 3", "3" },
               { "1 - -1", "2" }, { ".5 + 1e-1", "0.59999999999999998" },
               { "heart_rate / spo2", "1.3114754098360655" }, { "heart_rate + 1", "121" }, { "`odd name` * 2", "-5" },
               { "shock_index * 4", "3" }, { "9223372036854775807", "9223372036854775807" },
               { "9223372036854775808", "9.2233720368547758e+18" }, { "0.1 + 0.2", "0.30000000000000004" },
               { "123456789012345678901234567890", "1.2345678901234568e+29" });
}

TEST(conditions_compare_numbers_texts_times_and_truth_values)
{
    EXPECT_ALL({ "spo2 < 92", "true" }, { "spo2 >= 92", "false" }, { "heart_rate = 120.0", "true" },
               { "heart_rate == 120", "true" }, { "heart_rate != 120", "false" }, { "heart_rate <> 121", "true" },
               { "'a' < 'b'", "true" }, { "'a' < 'ab'", "true" }, { "'' < 'a'", "true" }, { "'A' = 'a'", "false" },
               { "lower('A') = 'a'", "true" }, { "lower(state) = 'verbal \xc3\xa4'", "true" },
               { "\"it\"\"s\" = 'it\"s'", "true" }, { "'it''s' = \"it's\"", "true" }, { "paced = true", "true" },
               { "paced != flag", "missing" }, { "admitted < time", "true" }, { "time - admitted", "10" },
               { "time - 10 = admitted", "true" }, { "admitted + 0.5", "1699999990500000000t" },
               { "spo2 between 90 and 92 and paced", "true" }, { "spo2 not between 90 and 92", "false" },
               { "heart_rate in (60, 120)", "true" }, { "heart_rate in (60, 120.5)", "false" },
               { "'V' not in ('A', 'C')", "true" }, { "spo2 < 92 AND NOT is_missing(heart_rate)", "true" },
               { "not spo2 < 92 or paced", "true" }, { "not not paced", "true" }, { "spo2 ?? 100 < 92", "true" });
}

/* Kleene's tables, and that all else with a missing value is missing. */
TEST(missing_values_propagate_but_for_and_or_else_and_is_missing)
{
    EXPECT_ALL({ "gone", "missing" }, { "gone + 1", "missing" }, { "gone < 1", "missing" },
               { "gone = gone", "missing" }, { "not (gone < 1)", "missing" }, { "gone < 1 and false", "false" },
               { "false and gone < 1", "false" }, { "gone < 1 and true", "missing" }, { "gone < 1 or true", "true" },
               { "true or gone < 1", "true" }, { "gone < 1 or false", "missing" }, { "flag and flag", "missing" },
               { "gone ?? 7", "7" }, { "gone ?? zero ?? 7", "0" }, { "is_missing(gone)", "true" },
               { "is_missing(spo2)", "false" }, { "is_missing(missing)", "true" }, { "gone in (1, 2)", "missing" },
               { "spo2 in (1, gone)", "missing" }, { "spo2 in (91.5, gone)", "true" },
               { "gone between 1 and 2", "missing" }, { "spo2 between gone and 2", "false" },
               { "spo2 between gone and 99", "missing" }, { "if(gone < 1, 1, 2)", "missing" },
               { "if(paced, gone, 2)", "missing" }, { "if(paced, 1, gone)", "1" },
               { "if(paced, missing, 2)", "missing" }, { "min(1, gone)", "missing" }, { "max(1, 2, 3)", "3" },
               { "missing ?? 4", "4" }, { "length(note)", "missing" }, { "contains(note, 'a')", "missing" },
               { "starts_with(state, note)", "missing" });
}

TEST(what_has_no_finite_value_is_missing)
{
    EXPECT_ALL({ "1 / 0", "missing" }, { "1 / 0.0", "missing" }, { "0 / zero", "missing" }, { "7 % zero", "missing" },
               { "7.5 % 0", "missing" }, { "sqrt(-1)", "missing" }, { "log(0)", "missing" }, { "log(-1)", "missing" },
               { "exp(1000)", "missing" }, { "1e308 * 10", "missing" }, { "0 ^ -1", "missing" },
               { "(-8) ^ (1 / 3)", "missing" }, { "9223372036854775807 + 1", "missing" },
               { "-9223372036854775807 - 2", "missing" }, { "9223372036854775807 * 2", "missing" },
               { "-(-9223372036854775807 - 1)", "missing" }, { "abs(-9223372036854775807 - 1)", "missing" },
               { "(-9223372036854775807 - 1) % -1", "0" }, { "time + 1e10", "missing" },
               { "time + 1e300 * 1e300", "missing" });
}

TEST(functions_do_what_their_names_say)
{
    EXPECT_ALL({ "abs(-3)", "3" }, { "abs(`odd name`)", "2.5" }, { "round(2.5)", "3" }, { "round(-2.5)", "-3" },
               { "round(2)", "2" }, { "round(3.14159, 2)", "3.1400000000000001" }, { "round(1234.5, -2)", "1200" },
               { "round(1250, -2)", "1300" }, { "round(1e300, 15)", "1.0000000000000001e+300" },
               { "round(7, 3)", "7" }, { "floor(-1.5)", "-2" }, { "ceil(-1.5)", "-1" }, { "floor(3)", "3" },
               { "sqrt(2)", "1.4142135623730951" }, { "log(exp(1))", "1" }, { "exp(0)", "1" },
               { "min(3, 1.5, 2)", "1.5" }, { "max(time, admitted) = time", "true" },
               { "IF(spo2 < 92, 'low', 'fine')", "low" }, { "lower('ABC\xc3\x84')", "abc\xc3\x84" },
               { "starts_with(state, 'Verb')", "true" }, { "starts_with(lower(state), 'verb')", "true" },
               { "starts_with(state, 'verb')", "false" }, { "starts_with('a', 'ab')", "false" },
               { "ends_with('abc', 'bc')", "true" }, { "ends_with('abc', 'ab')", "false" },
               { "ends_with('abc', '')", "true" }, { "contains(state, 'bal')", "true" },
               { "contains('aabaabaaab', 'aabaaab')", "true" }, { "contains('aabaabaab', 'aabaaab')", "false" },
               { "contains('', '')", "true" }, { "contains(lower('XABC'), 'abc')", "true" }, { "length(state)", "8" },
               { "length('')", "0" }, { "if(paced, 1, 2.5)", "1" });
}

TEST(a_fault_names_its_place_and_what_was_expected)
{
    EXPECT_ALL(
        { "spo2 < 92 and hart_rate > 3", "15: unknown column \"hart_rate\"; expected one of spo2, heart_rate, paced, "
                                         "admitted, state, odd name, gone, note, zero, flag, shock_index; did you "
                                         "mean heart_rate?" },
        { "spo2 <", "7: expected a value, and the expression ends here" }, { "", "1: expected a value, and" },
        { "(1 + 2", "7: expected an operator, or ) for the ( before it" }, { "1)", "2: a ) without a ( before it" },
        { "1 2", "3: expected an operator, such as and, or the end" }, { "* 2", "1: expected a value before *" },
        { "spo2 < 'low'", "6: < is given a number and a text; expected values of one kind" },
        { "state + 1", "7: + needs numbers; its left side is a text" },
        { "1 + state", "3: + needs numbers; its right side is a text" },
        { "paced + paced", "7: + needs numbers; its left side is true or false" },
        { "spo2 and paced", "6: and needs true or false; its left side is a number" },
        { "not 1", "1: not needs true or false" }, { "paced < true", "7: < has no meaning for true and false" },
        { "spo2 = missing", "6: = with missing gives always missing; write is_missing(x)" },
        { "missing + 1", "9: + with missing gives always missing" }, { "missing", "1: the value is always missing" },
        { "1 < 2 < 3", "7: comparisons do not chain" }, { "1 + not paced", "5: not stands behind an operator" },
        { "1 && 2", "3: & is no operator here; expected another; did you mean and?" },
        { "!paced", "1: ! is no operator here; expected another; did you mean not?" },
        { "a || b", "3: | is no operator here; expected another; did you mean or?" },
        { "5 # 3", "3: a character that has no meaning here" },
        { "'\xc3\xa4\xc3\xb6' = 'a' and @", "16: a character that has" },
        { "\xc3\xa4 > 1", "1: a character that has" }, { "'abc", "1: a text begins with ' and has no end" },
        { "``", "1: the name of a column is empty" }, { "3x", "1: a number runs into" },
        { "1.2.3", "1: a number runs into" }, { "1e999", "1: a number that is too large" },
        { "abs()", "1: abs has 0 values; expected 1" }, { "min(1)", "1: min has 1 values; expected 2 to 64" },
        { "squirt(2)", "1: there is no function \"squirt\"; expected one of abs, ceil," },
        { "abs('a')", "1: abs is given a text; expected a number" },
        { "round(1.5, spo2)", "1: round needs its digits written out" },
        { "round(1.5, 16)", "1: round needs its digits" },
        { "contains(state, note)", "1: contains looks for something that is not written out" },
        { "if(1, 2, 3)", "1: if begins with a number; expected a condition" },
        { "if(paced, 1, 'a')", "1: if is given a number and a text" }, { "spo2 in ()", "6: in has no values" },
        { "spo2 in 3", "9: expected ( behind in" }, { "spo2 between 1", "15: expected and; between is written" },
        { "spo2 not 3", "6: expected an operator, such as and" }, { "time + time", "6: + between a time and a time" },
        { "time * 2", "6: * between a time and a number" }, { "2 + time", "3: + between a number and a time" },
        { "min('a', 'b')", "1: min is given a text; expected numbers or times" },
        { "`time` > 1", "1: unknown column \"time\"" }, { "-state", "1: - before a text; expected a number" },
        { "abs(1,)", "7: expected a value, such as" }, { ", 1", "1: expected a value, such as" },
        { "gone ?? 'a'", "6: ?? is given a number and a text" },
        { "gone is missing", "6: is is no operator here; expected another; write is_missing(x)" },
        { "spo2 = null", "8: unknown column \"null\"; what is not there is called missing" },
        { "state = A", "9: unknown column \"A\"; expected one of spo2" });
}

/* Long and deep texts are refused before they cost much. */
TEST(hostile_expressions_meet_limits)
{
    static char text[EXPR_LENGTH_MAX + 2];
    size_t i;

    memset(text, '(', EXPR_LENGTH_MAX);
    text[EXPR_LENGTH_MAX] = 0;
    assert_non_null(strstr(eval(text), "65: more than 64 levels"));
    memset(text, '-', EXPR_LENGTH_MAX);
    assert_non_null(strstr(eval(text), "more than 64 levels"));
    for (i = 0; i + 1 < EXPR_LENGTH_MAX; i += 2)
        memcpy(text + i, "2^", 2);
    assert_non_null(strstr(eval(text), "more than 64 levels"));
    for (i = 0; i + 1 < EXPR_LENGTH_MAX; i += 2)
        memcpy(text + i, "1+", 2);
    assert_non_null(strstr(eval(text), "more than 1024 values and operations"));
    memset(text, ' ', EXPR_LENGTH_MAX + 1);
    text[EXPR_LENGTH_MAX + 1] = 0;
    assert_non_null(strstr(eval(text), "more than 4096 bytes"));
    memset(text, '1', 65);
    text[65] = 0;
    assert_non_null(strstr(eval(text), "more than 64 characters"));
}

TEST(an_open_schema_knows_the_time_and_no_column)
{
    static struct expr_draft draft;
    static struct expr_op ops[EXPR_OPS(EXPR_NODES_MAX)];
    struct expr_scope open = { .time_label = AFF_LABEL_QUASI };
    struct expr_program program = { .ops = ops };
    struct expr_fault fault;
    struct expr e;

    assert_int_equal(expr_parse("time > time - 5", &draft, &fault), 0);
    e = expr_of(&draft);
    assert_int_equal(expr_bind(&e, &open, &program, &fault), 0);
    assert_int_equal(program.label, AFF_LABEL_QUASI);
    assert_int_equal(expr_parse("spo2 > 1", &draft, &fault), 0);
    e = expr_of(&draft);
    assert_int_equal(expr_bind(&e, &open, &program, &fault), -1);
    assert_true(fault.needs_columns);
}

/* A hostile text is searched in as many steps as it has bytes. */
TEST(a_search_that_nearly_succeeds_everywhere_is_not_slow)
{
    enum { LONG = 4 << 20 };
    static struct expr_draft draft;
    static struct expr_op ops[16];
    static struct expr_value stack[16];
    static const struct aff_column column = { .name = "x", .type = AFF_TEXT };
    struct aff_schema schema = { .struct_size = sizeof schema,
                                 .type = AFF_FIELDS,
                                 .name = "x",
                                 .columns = &column,
                                 .count = 1,
                                 .stride = sizeof column };
    struct expr_scope in = { .schema = &schema };
    struct expr_program program = { .ops = ops };
    struct aff_record record = { .data = malloc(LONG + 16), .size = LONG + 16 };
    struct expr_row row = { &record, 1, NULL };
    struct aff_row made;
    struct expr_fault fault;
    struct expr e;
    char text[1200] = "contains(lower(x), '";

    assert_non_null(record.data);
    memset(text + 20, 'a', 1000);
    memcpy(text + 1020, "b')", 4);
    made = aff_row_begin(&record, 1);
    memset((char *)record.data + 16, 'A', LONG);
    aff_row_put_text(&made, 0, (char *)record.data + 16, LONG);
    assert_int_equal(expr_parse(text, &draft, &fault), 0);
    e = expr_of(&draft);
    assert_int_equal(expr_bind(&e, &in, &program, &fault), 0);
    assert_true(expr_run(&program, &row, stack));
    assert_true(stack[0].has && !stack[0].of.integer);
    free(record.data);
}

AFF_TEST_MAIN(arithmetic_keeps_whole_numbers_whole_and_binds_as_in_school,
              conditions_compare_numbers_texts_times_and_truth_values,
              missing_values_propagate_but_for_and_or_else_and_is_missing, what_has_no_finite_value_is_missing,
              functions_do_what_their_names_say, a_fault_names_its_place_and_what_was_expected,
              hostile_expressions_meet_limits, an_open_schema_knows_the_time_and_no_column,
              a_search_that_nearly_succeeds_everywhere_is_not_slow)
