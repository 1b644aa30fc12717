/* SPDX-License-Identifier: Apache-2.0
 *
 * test_op_where.c - the plugin as a host sees it: verdicts, rows, schemas.
 *
 * Not here: what expressions mean (test_expr.c), `check` (test_shape.c). */
#include <afferent/testkit.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

static const struct aff_column vitals[] = {
    { .name = "spo2", .unit = "%", .type = AFF_REAL },
    { .name = "heart_rate", .unit = "/min", .type = AFF_INT },
    { .name = "systolic", .unit = "mm[Hg]", .type = AFF_REAL },
    { .name = "state", .type = AFF_TEXT, .label = AFF_LABEL_QUASI },
    { .name = "oxygen", .type = AFF_BOOL },
};
enum { VITALS = sizeof vitals / sizeof *vitals };

static struct aff_schema schema_of(const struct aff_column *columns, uint32_t count)
{
    struct aff_schema s = { .struct_size = sizeof s,
                            .type = AFF_FIELDS,
                            .name = "vitals",
                            .columns = columns,
                            .count = count,
                            .stride = sizeof *columns };

    return s;
}

static uint32_t vitals_stream(struct aff_harness *h, const char *subject)
{
    struct aff_schema s = schema_of(vitals, VITALS);

    return aff_harness_stream(h, subject, "vitals", &s);
}

static void push(struct aff_harness *h, uint32_t stream, double spo2, int64_t rate, const char *state)
{
    struct aff_cell cells[VITALS] = { AFF_CELL_REAL(spo2), AFF_CELL_INT(rate), AFF_CELL_REAL(100),
                                      AFF_CELL_TEXT(state), AFF_CELL_INT(1) };

    if (spo2 < 0)
        cells[0].given = 0;
    if (!state)
        cells[3].given = 0;
    aff_harness_push_row(h, "in", stream, cells, VITALS);
}

static void push_four(struct aff_harness *h)
{
    uint32_t s = vitals_stream(h, "A");

    push(h, s, 97, 80, "A");
    push(h, s, 88, 120, "V");
    push(h, s, -1, 90, NULL);
    push(h, s, 85, 140, "Pain");
}

TEST(rows_pass_untouched_where_the_condition_is_true)
{
    struct aff_harness *h = aff_harness_open("op_where", "where = \"spo2 < 92 and not is_missing(heart_rate)\"");
    const struct aff_record *r;

    push_four(h);
    EXPECT_WAITING(h, "out", 2);
    EXPECT_VERDICT(h, "pass", 2);
    EXPECT_VERDICT(h, "not_selected", 1);
    EXPECT_VERDICT(h, "undecided", 1);
    r = aff_harness_take(h, "out");
    assert_int_equal(aff_harness_int(h, r, "heart_rate"), 120);
    assert_string_equal(aff_harness_text(h, r, "state"), "V");
    assert_int_equal(aff_harness_schema(h, r)->count, VITALS);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(other_rows_go_to_rest_as_they_came)
{
    struct aff_harness *h = aff_harness_open("op_where", "where = \"spo2 < 92\"\notherwise = \"rest\"\nkeep = "
                                                         "[\"spo2\"]");
    const struct aff_record *r;

    push_four(h);
    EXPECT_WAITING(h, "out", 2);
    EXPECT_WAITING(h, "rest", 2);
    EXPECT_VERDICT(h, "rest", 1);
    EXPECT_VERDICT(h, "rest_undecided", 1);
    r = aff_harness_take(h, "rest");
    assert_int_equal(aff_harness_int(h, r, "heart_rate"), 80);
    assert_int_equal(aff_harness_schema(h, aff_harness_take(h, "out"))->count, 1);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(cells_that_are_no_finite_number_count_as_missing)
{
    struct aff_harness *h = aff_harness_open("op_where", "where = \"is_missing(spo2)\"");
    uint32_t s = vitals_stream(h, "A");

    push(h, s, (double)NAN, 80, "A");
    push(h, s, (double)INFINITY, 80, "A");
    push(h, s, 97, 80, "A");
    EXPECT_WAITING(h, "out", 2);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

static const char derive_toml[] = "where = \"shock_index > 1 or is_missing(spo2)\"\n"
                                  "derive = [ { name = \"shock_index\", value = \"heart_rate / systolic\", unit = "
                                  "\"1\" },\n"
                                  "           { name = \"spo2\", value = \"spo2 / 100\", unit = \"1\", code = "
                                  "\"59408-5\" },\n"
                                  "           { name = \"calm\", value = \"lower(state)\" },\n"
                                  "           { name = \"double\", value = \"heart_rate * 2\" },\n"
                                  "           { name = \"late\", value = \"time + 60\" },\n"
                                  "           { name = \"awake\", value = \"state = 'A'\" } ]\n";

TEST(derived_columns_have_type_unit_and_code_and_replace_one_of_their_name)
{
    static const struct {
        const char *name, *unit;
        uint8_t type;
    } wanted[] = { { "spo2", "1", AFF_REAL },   { "heart_rate", "/min", AFF_INT }, { "systolic", "mm[Hg]", AFF_REAL },
                   { "state", NULL, AFF_TEXT }, { "oxygen", NULL, AFF_BOOL },      { "shock_index", "1", AFF_REAL },
                   { "calm", NULL, AFF_TEXT },  { "double", NULL, AFF_INT },       { "late", NULL, AFF_TIME },
                   { "awake", NULL, AFF_BOOL } };
    struct aff_harness *h = aff_harness_open("op_where", derive_toml);
    const struct aff_schema *schema;
    const struct aff_record *r;
    uint32_t i;

    push_four(h);
    EXPECT_VERDICT(h, "rewritten", 3);
    r = aff_harness_take(h, "out");
    schema = aff_harness_schema(h, r);
    assert_int_equal(schema->count, sizeof wanted / sizeof *wanted);
    assert_string_equal(schema->name, "vitals");
    for (i = 0; i < schema->count; i++) {
        const struct aff_column *c = (const void *)((const char *)schema->columns + (size_t)i * schema->stride);

        assert_string_equal(c->name, wanted[i].name);
        assert_string_equal(c->unit ? c->unit : "", wanted[i].unit ? wanted[i].unit : "");
        assert_int_equal(c->type, wanted[i].type);
        assert_int_equal(c->label, i == 3 || i == 6 || i == 9 ? AFF_LABEL_QUASI : AFF_LABEL_NONE);
    }
    assert_true(fabs(aff_harness_real(h, r, "spo2") - 0.88) < 1e-12);
    assert_true(fabs(aff_harness_real(h, r, "shock_index") - 1.2) < 1e-12);
    assert_int_equal(aff_harness_int(h, r, "double"), 240);
    assert_int_equal(aff_harness_int(h, r, "late"), r->event_ns + INT64_C(60000000000));
    assert_int_equal(aff_harness_int(h, r, "awake"), 0);
    assert_string_equal(aff_harness_text(h, r, "calm"), "v");
    r = aff_harness_take(h, "out"); /* the one without spo2 and state */
    assert_true(isnan(aff_harness_real(h, r, "spo2")));
    assert_null(aff_harness_text(h, r, "calm"));
    assert_int_equal(aff_harness_int(h, r, "awake"), INT64_MIN);
    r = aff_harness_take(h, "out");
    assert_string_equal(aff_harness_text(h, r, "calm"), "pain");
    assert_string_equal(aff_harness_text(h, r, "state"), "Pain");
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

static void expect_columns(const char *toml, const char *wanted)
{
    struct aff_harness *h = aff_harness_open("op_where", toml);
    const struct aff_schema *schema;
    char names[200] = "";
    uint32_t i;

    push(h, vitals_stream(h, "A"), 90, 80, "A");
    schema = aff_harness_schema(h, aff_harness_take(h, "out"));
    for (i = 0; i < schema->count; i++) {
        strcat(names, i ? " " : "");
        strcat(names,
               ((const struct aff_column *)(const void *)((const char *)schema->columns + (size_t)i * schema->stride))
                   ->name);
    }
    assert_string_equal(names, wanted);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(keep_and_drop_choose_columns_and_keep_their_order)
{
    expect_columns("keep = [\"systolic\", \"spo2\"]", "systolic spo2");
    expect_columns("drop = [\"state\", \"oxygen\"]", "spo2 heart_rate systolic");
    expect_columns("keep = \"spo2\"\nderive = [{ name = \"x\", value = \"heart_rate\" }]", "spo2 x");
    expect_columns("keep = [\"x\", \"spo2\"]\nderive = [{ name = \"x\", value = \"heart_rate\" }]", "x spo2");
    expect_columns("drop = [\"x\", \"spo2\"]\nderive = [{ name = \"x\", value = \"1\" }, { name = \"y\", value = \"x "
                   "+ 1\" }]",
                   "heart_rate systolic state oxygen y");
    expect_columns("drop = [\"state\"]\nderive = [{ name = \"state\", value = \"1\" }, { name = \"heart_rate\", "
                   "value = \"2.5\" }]",
                   "spo2 heart_rate systolic oxygen");
}

TEST(rows_whose_columns_do_not_fit_are_dead_letters_and_said_once)
{
    static const struct aff_column other[] = { { .name = "spo2", .type = AFF_TEXT } },
                                   another[] = { { .name = "pulse", .type = AFF_REAL } };
    struct aff_schema wrong = schema_of(other, 1), lacking = schema_of(another, 1);
    struct aff_harness *h = aff_harness_open("op_where", "where = \"1 = 1 and spo2 < 92\"");
    uint32_t a = aff_harness_stream(h, "A", "wrong", &wrong), b = aff_harness_stream(h, "A", "lacking", &lacking);
    int i;

    for (i = 0; i < 3; i++) {
        AFF_PUSH_ROW(h, "in", a, AFF_CELL_TEXT("secret"));
        AFF_PUSH_ROW(h, "in", b, AFF_CELL_REAL(1));
        push(h, vitals_stream(h, "A"), 90, 80, "A");
    }
    EXPECT_VERDICT(h, "misfit", 6);
    EXPECT_DEAD(h, 6);
    EXPECT_WAITING(h, "out", 3);
    assert_int_equal(aff_harness_logged(h, AFF_LOG_WARN, "where: character 16: < is given a text and a number"), 1);
    assert_int_equal(aff_harness_logged(h, AFF_LOG_WARN, "where: character 11: unknown column \"spo2\""), 1);
    assert_int_equal(aff_harness_logged(h, AFF_LOG_DEBUG, "secret"), 0);
    assert_int_equal(aff_harness_logged(h, AFF_LOG_DEBUG, "pulse"), 0);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

static void push_raw(struct aff_harness *h, uint32_t stream, const uint64_t *words, uint32_t size)
{
    struct aff_record r = { .stream = stream, .data = (void *)(uintptr_t)words, .size = size };

    aff_harness_push_record(h, "in", &r);
}

/* A short row, a text behind the end, and one whose length runs over it. */
TEST(broken_rows_are_dead_letters)
{
    static const char *const tomls[] = { "where = \"state = 'A'\"",
                                         "derive = [{ name = \"x\", value = \"lower(state)\" }]",
                                         "keep = [\"state\"]" };
    uint64_t row[VITALS + 1] = { 1u << 3 };
    uint32_t i;

    for (i = 0; i < 3; i++) {
        struct aff_harness *h = aff_harness_open("op_where", tomls[i]);
        uint32_t stream = vitals_stream(h, "A");

        row[4] = 0;
        push_raw(h, stream, row, sizeof row - 8);
        row[4] = 5000;
        push_raw(h, stream, row, sizeof row);
        row[4] = (uint64_t)100 << 32 | 40;
        push_raw(h, stream, row, sizeof row);
        EXPECT_VERDICT(h, "broken_row", 3);
        row[4] = (uint64_t)8 << 32 | 40;
        push_raw(h, stream, row, sizeof row);
        EXPECT_VERDICT(h, "broken_row", 3);
        EXPECT_BALANCED(h);
        aff_harness_close(&h);
    }
}

/* Thirty layouts take turns; each is bound again when its place was taken. */
TEST(more_schemas_than_are_bound_at_a_time_still_give_the_same)
{
    enum { LAYOUTS = 30 };
    struct aff_column columns[2] = { { .name = "x", .type = AFF_INT }, { .name = "y", .type = AFF_REAL } };
    struct aff_schema schema = schema_of(columns, 2);
    struct aff_harness *h = aff_harness_open("op_where", "derive = [{ name = \"z\", value = \"x + y\" }]");
    uint32_t streams[LAYOUTS];
    char name[20];
    int i, turn;

    for (i = 0; i < LAYOUTS; i++) {
        snprintf(name, sizeof name, "u%d", i);
        columns[0].unit = name;
        streams[i] = aff_harness_stream(h, "A", name, &schema);
    }
    for (turn = 0; turn < 3; turn++)
        for (i = 0; i < LAYOUTS; i++) {
            const struct aff_record *r;

            AFF_PUSH_ROW(h, "in", streams[i], AFF_CELL_INT(i), AFF_CELL_REAL(turn));
            r = aff_harness_take(h, "out");
            assert_true(fabs(aff_harness_real(h, r, "z") - i - turn) < 1e-12);
            snprintf(name, sizeof name, "u%d", i);
            assert_string_equal(aff_harness_schema(h, r)->columns->unit, name);
        }
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

static uint64_t run(uint32_t cut, int restart_at)
{
    struct aff_harness *h = aff_harness_open("op_where", derive_toml);
    uint32_t a = vitals_stream(h, "A"), b = vitals_stream(h, "B");
    uint64_t digest;
    int i;

    aff_harness_cut(h, cut);
    for (i = 0; i < 300; i++) {
        push(h, i % 3 ? a : b, i % 7 ? 80 + i % 20 : -1, 60 + i % 90, i % 5 ? "Verbal" : NULL);
        if (i == restart_at) {
            aff_harness_flush(h);
            aff_harness_restart(h);
        }
    }
    aff_harness_end_stream(h, "in", a);
    EXPECT_BALANCED(h);
    digest = aff_harness_digest(h);
    aff_harness_close(&h);
    return digest;
}

TEST(the_same_comes_out_however_the_input_is_cut_and_over_a_restart)
{
    uint64_t digest = run(1, -1);

    assert_true(run(64, -1) == digest);
    assert_true(run(7, -1) == digest);
    assert_true(run(0, -1) == digest);
    assert_true(run(1, 150) == digest);
}

static void derive_scenario(void)
{
    struct aff_harness *h = aff_harness_open("op_where", derive_toml);

    push_four(h);
    EXPECT_WAITING(h, "out", 3);
    EXPECT_VERDICT(h, "rewritten", 3);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

static void select_scenario(void)
{
    struct aff_harness *h = aff_harness_open("op_where", "where = \"spo2 < 92\"\notherwise = \"rest\"");

    push_four(h);
    EXPECT_WAITING(h, "out", 2);
    EXPECT_WAITING(h, "rest", 2);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(each_host_call_may_fail_once)
{
    AFF_EACH_HOST_CALL_FAILS_ONCE(derive_scenario);
    AFF_EACH_HOST_CALL_FAILS_ONCE(select_scenario);
}

/* Texts may overlap in the input; in the output each has its own place. */
TEST(a_row_that_grows_beyond_what_a_record_holds_is_a_dead_letter)
{
    enum { COLUMNS = 64, TEXT = 1 << 16 };
    static struct aff_column columns[COLUMNS];
    static char names[COLUMNS][8];
    static uint64_t row[1 + COLUMNS + TEXT / 8];
    struct aff_schema schema = schema_of(columns, COLUMNS);
    struct aff_harness *h = aff_harness_open("op_where", "derive = [{ name = \"n\", value = \"1\" }]");
    uint32_t i;

    for (i = 0; i < COLUMNS; i++) {
        snprintf(names[i], sizeof names[i], "c%u", (unsigned)i);
        columns[i] = (struct aff_column){ .name = names[i], .type = AFF_TEXT };
        row[1 + i] = (uint64_t)TEXT << 32 | (1 + COLUMNS) * 8;
    }
    row[0] = UINT64_MAX;
    aff_harness_max_record(h, 1 << 20);
    push_raw(h, aff_harness_stream(h, "A", "wide", &schema), row, sizeof row);
    EXPECT_NOTHING(h, "out");
    aff_harness_close(&h);
}

AFF_TEST_MAIN(rows_pass_untouched_where_the_condition_is_true, cells_that_are_no_finite_number_count_as_missing,
              other_rows_go_to_rest_as_they_came,
              derived_columns_have_type_unit_and_code_and_replace_one_of_their_name,
              keep_and_drop_choose_columns_and_keep_their_order,
              rows_whose_columns_do_not_fit_are_dead_letters_and_said_once, broken_rows_are_dead_letters,
              more_schemas_than_are_bound_at_a_time_still_give_the_same,
              the_same_comes_out_however_the_input_is_cut_and_over_a_restart, each_host_call_may_fail_once,
              a_row_that_grows_beyond_what_a_record_holds_is_a_dead_letter)
