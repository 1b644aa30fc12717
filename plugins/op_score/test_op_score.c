/* SPDX-License-Identifier: Apache-2.0
 *
 * test_op_score.c - the plugin as a host sees it, and against published scores.
 *
 * Not here: files that are wrong (test_model.c). */
#include <afferent/testkit.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FEATURES = 30, LINE = 1000 };

static char model_path[] = "/tmp/aff-score-XXXXXX";

/* Writes a model and gives the options that name it, and more. */
static const char *options_with(const char *model, const char *more)
{
    static char toml[1000];
    int fd;

    strcpy(model_path, "/tmp/aff-score-XXXXXX");
    fd = mkstemp(model_path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, model, strlen(model)), strlen(model));
    close(fd);
    snprintf(toml, sizeof toml, "model = \"%s\"\n%s", model_path, more);
    return toml;
}

#define SMALL \
    "{ \"afferent_model\": 1, \"name\": \"risk\", \"version\": \"2.1\", \"link\": \"logistic\", \"intercept\": " \
    "-1,\n" \
    "  \"names\": [\"age\", \"lactate\", \"shock\"], \"means\": [60, 2, 0], \"scales\": [10, 1, 1], \"weights\": " \
    "[0.5, 1, 2],\n" \
    "  \"mins\": [18, null, null], \"maxs\": [100, 20, null], \"units\": [\"a\", \"mmol/L\", null] }"

static const struct aff_column columns[] = {
    { .name = "age", .unit = "a", .type = AFF_INT, .label = AFF_LABEL_QUASI },
    { .name = "note", .type = AFF_TEXT, .label = AFF_LABEL_PHI },
    { .name = "lactate", .unit = "mmol/L", .type = AFF_REAL },
    { .name = "shock", .type = AFF_BOOL },
};
enum { COLUMNS = sizeof columns / sizeof *columns };

static struct aff_schema schema_of(const struct aff_column *c, uint32_t count)
{
    struct aff_schema s = {
        .struct_size = sizeof s, .type = AFF_FIELDS, .name = "ward", .columns = c, .count = count, .stride = sizeof *c
    };

    return s;
}

static uint32_t ward(struct aff_harness *h)
{
    struct aff_schema s = schema_of(columns, COLUMNS);

    return aff_harness_stream(h, "A", "ward", &s);
}

static struct aff_harness *open_small(const char *more)
{
    return aff_harness_open("op_score", options_with(SMALL, more));
}

static void done(struct aff_harness **h)
{
    EXPECT_BALANCED(*h);
    aff_harness_close(h);
    unlink(model_path);
}

TEST(a_row_gives_a_score_a_probability_and_where_they_come_from)
{
    struct aff_harness *h = open_small("");
    const struct aff_record *r;

    AFF_PUSH_ROW(h, "in", ward(h), AFF_CELL_INT(70), AFF_CELL_TEXT("x"), AFF_CELL_REAL(4), AFF_CELL_INT(1));
    r = aff_harness_take(h, "out");
    assert_non_null(r);
    assert_true(fabs(aff_harness_real(h, r, "score") - (-1 + 0.5 + 2 + 2)) < 1e-15);
    assert_true(fabs(aff_harness_real(h, r, "probability") - 1 / (1 + exp(-3.5))) < 1e-15);
    assert_int_equal(aff_harness_int(h, r, "missing"), 0);
    assert_null(aff_harness_text(h, r, "missing_names"));
    assert_int_equal(aff_harness_int(h, r, "out_of_range"), 0);
    assert_string_equal(aff_harness_text(h, r, "model"), "risk");
    assert_string_equal(aff_harness_text(h, r, "version"), "2.1");
    assert_int_equal(strlen(aff_harness_text(h, r, "model_hash")), 64);
    assert_string_equal(aff_harness_stream_info(h, r->stream)->name, "ward/score");
    assert_int_equal(aff_harness_schema(h, r)->count, 9);
    aff_harness_end_stream(h, "in", ward(h));
    r = aff_harness_take(h, "out");
    assert_true(r && (r->flags & AFF_FLAG_END));
    EXPECT_METRIC(h, "scored", 1);
    done(&h);
}

/* NaN counts as missing; a feature may be both high and another missing. */
static void push_gappy(struct aff_harness *h)
{
    uint32_t s = ward(h);

    AFF_PUSH_ROW(h, "in", s, AFF_CELL_NONE, AFF_CELL_TEXT("x"), AFF_CELL_REAL((double)NAN), AFF_CELL_INT(0));
    AFF_PUSH_ROW(h, "in", s, AFF_CELL_INT(12), AFF_CELL_NONE, AFF_CELL_REAL(25), AFF_CELL_INT(0));
}

TEST(what_is_missing_or_out_of_range_is_said_by_name)
{
    struct aff_harness *h = open_small("");
    const struct aff_record *r;

    push_gappy(h);
    r = aff_harness_take(h, "out");
    assert_true(isnan(aff_harness_real(h, r, "score")) && isnan(aff_harness_real(h, r, "probability")));
    assert_int_equal(aff_harness_int(h, r, "missing"), 2);
    assert_string_equal(aff_harness_text(h, r, "missing_names"), "age, lactate");
    r = aff_harness_take(h, "out");
    assert_true(fabs(aff_harness_real(h, r, "score") - (-1 - 2.4 + 23)) < 1e-12);
    assert_int_equal(aff_harness_int(h, r, "out_of_range"), 2);
    assert_string_equal(aff_harness_text(h, r, "out_of_range_names"), "age, lactate");
    EXPECT_METRIC(h, "missing", 2);
    EXPECT_METRIC(h, "out_of_range", 2);
    EXPECT_METRIC(h, "scored", 1);
    done(&h);
}

TEST(a_missing_feature_may_be_its_mean_or_skip_the_row_or_kill_it)
{
    struct aff_harness *h = open_small("on_missing = \"mean\"");
    const struct aff_record *r;

    push_gappy(h);
    r = aff_harness_take(h, "out");
    assert_true(fabs(aff_harness_real(h, r, "score") + 1) < 1e-15);
    assert_string_equal(aff_harness_text(h, r, "missing_names"), "age, lactate");
    done(&h);

    h = open_small("on_missing = \"skip\"");
    push_gappy(h);
    EXPECT_VERDICT(h, "skipped", 1);
    EXPECT_WAITING(h, "out", 1);
    done(&h);

    h = open_small("on_missing = \"dead\"");
    push_gappy(h);
    EXPECT_VERDICT(h, "feature_missing", 1);
    EXPECT_DEAD(h, 1);
    EXPECT_WAITING(h, "out", 1);
    done(&h);
}

TEST(input_columns_are_kept_and_results_named_as_asked)
{
    struct aff_harness *h = open_small("keep_input = true\nprefix = \"risk_\"\nname = \"risk\"");
    const struct aff_record *r;

    AFF_PUSH_ROW(h, "in", ward(h), AFF_CELL_INT(70), AFF_CELL_TEXT("some text"), AFF_CELL_REAL(4), AFF_CELL_NONE);
    r = aff_harness_take(h, "out");
    assert_int_equal(aff_harness_schema(h, r)->count, COLUMNS + 9);
    assert_int_equal(aff_harness_int(h, r, "age"), 70);
    assert_string_equal(aff_harness_text(h, r, "note"), "some text");
    assert_int_equal(aff_harness_int(h, r, "shock"), INT64_MIN);
    assert_string_equal(aff_harness_text(h, r, "risk_missing_names"), "shock");
    assert_string_equal(aff_harness_stream_info(h, r->stream)->name, "ward/risk");
    assert_string_equal(aff_harness_schema(h, r)->name, "risk");
    done(&h);
}

#define LINEAR(more) \
    "{ \"afferent_model\": 1, \"name\": \"l\", \"version\": \"1\", \"link\": \"linear\", \"intercept\": 0.5, " \
    "\"names\": [\"x\"], \"means\": [0],\n" \
    "  \"scales\": [1], \"weights\": [2]" more " }"

TEST(a_linear_model_has_a_score_in_its_unit_and_no_probability)
{
    static const struct aff_column x = { .name = "pulse", .type = AFF_REAL };
    struct aff_schema s = schema_of(&x, 1);
    struct aff_harness *h =
        aff_harness_open("op_score", options_with(LINEAR(", \"unit\": \"d\", \"code\": \"78033-8\""), "features = { "
                                                                                                      "x = \"pulse\" "
                                                                                                      "}"));
    const struct aff_record *r;

    AFF_PUSH_ROW(h, "in", aff_harness_stream(h, "A", "s", &s), AFF_CELL_REAL(3));
    r = aff_harness_take(h, "out");
    assert_true(fabs(aff_harness_real(h, r, "score") - 6.5) < 1e-15);
    assert_string_equal(aff_harness_schema(h, r)->columns->unit, "d");
    assert_string_equal(aff_harness_schema(h, r)->columns->code, "78033-8");
    assert_int_equal(aff_harness_schema(h, r)->count, 8);
    AFF_PUSH_ROW(h, "in", aff_harness_stream(h, "A", "s", &s), AFF_CELL_REAL(1.7e308));
    EXPECT_VERDICT(h, "overflow", 1);
    done(&h);
}

TEST(rows_that_do_not_fit_the_model_are_dead_letters)
{
    static const struct aff_column text = { .name = "x", .type = AFF_TEXT },
                                   other = { .name = "pulse_of_somebody", .type = AFF_REAL },
                                   x = { .name = "x", .type = AFF_REAL };
    struct aff_schema a = schema_of(&text, 1), b = schema_of(&other, 1), c = schema_of(&x, 1);
    struct aff_harness *h = aff_harness_open("op_score", options_with(LINEAR(""), ""));
    struct aff_record r = { .data = (uint64_t[1]){ 1 }, .size = 8 };

    AFF_PUSH_ROW(h, "in", aff_harness_stream(h, "A", "a", &a), AFF_CELL_TEXT("1"));
    AFF_PUSH_ROW(h, "in", aff_harness_stream(h, "A", "b", &b), AFF_CELL_REAL(1));
    EXPECT_VERDICT(h, "misfit", 2);
    EXPECT_LOG(h, AFF_LOG_WARN, "the input has no column \"x\" for feature \"x\"");
    EXPECT_LOG(h, AFF_LOG_WARN, "column \"x\" for feature \"x\" is no number");
    assert_int_equal(aff_harness_logged(h, AFF_LOG_DEBUG, "somebody"), 0);
    r.stream = aff_harness_stream(h, "A", "c", &c);
    aff_harness_push_record(h, "in", &r);
    EXPECT_VERDICT(h, "broken_row", 1);
    aff_harness_end_stream(h, "in", r.stream); /* nothing was made of it */
    done(&h);
}

TEST(a_model_that_is_not_there_is_waited_for_and_a_wrong_one_is_not)
{
    struct aff_harness *h;

    EXPECT_STATUS(aff_harness_try_open("op_score", "model = \"/nowhere/m.json\"", &h), AFF_ERR_IO);
    EXPECT_CAUSE(h, "m.json");
    aff_harness_close(&h);
    EXPECT_STATUS(aff_harness_try_open("op_score", options_with("{ \"nam\": 1 }", ""), &h), AFF_ERR_CONFIG);
    EXPECT_CAUSE(h, ":1:3: \"nam\" is unknown");
    aff_harness_close(&h);
    unlink(model_path);
    EXPECT_STATUS(aff_harness_try_open("op_score", options_with(SMALL, "features = { laktate = \"l\" }"), &h),
                  AFF_ERR_CONFIG);
    EXPECT_CAUSE(h, "the model has no feature \"laktate\"");
    aff_harness_close(&h);
    unlink(model_path);
}

static uint64_t run(uint32_t cut, int restart_at)
{
    struct aff_harness *h = open_small("keep_input = true");
    uint32_t s = ward(h);
    uint64_t digest;
    int i;

    aff_harness_cut(h, cut);
    for (i = 0; i < 200; i++) {
        struct aff_cell cells[COLUMNS] = { AFF_CELL_INT(i), AFF_CELL_TEXT("note"), AFF_CELL_REAL(i * 0.37),
                                           AFF_CELL_INT(i & 1) };

        if (i % 7 == 0)
            cells[i % COLUMNS].given = 0;
        aff_harness_push_row(h, "in", s, cells, COLUMNS);
        if (i == restart_at) {
            aff_harness_flush(h);
            aff_harness_restart(h);
        }
    }
    aff_harness_end_stream(h, "in", s);
    EXPECT_BALANCED(h);
    digest = aff_harness_digest(h);
    aff_harness_close(&h);
    unlink(model_path);
    return digest;
}

TEST(the_same_comes_out_however_the_input_is_cut_and_over_a_restart)
{
    uint64_t digest = run(1, -1);

    assert_true(run(64, -1) == digest);
    assert_true(run(0, -1) == digest);
    assert_true(run(1, 99) == digest);
}

static void scenario(void)
{
    struct aff_harness *h = open_small("on_missing = \"mean\"\nkeep_input = true");

    push_gappy(h);
    aff_harness_end_stream(h, "in", ward(h));
    EXPECT_WAITING(h, "out", 3);
    done(&h);
}

TEST(each_host_call_may_fail_once)
{
    AFF_EACH_HOST_CALL_FAILS_ONCE(scenario);
}

/* ---- published scores ---- */

static const char *feature_name(int i)
{
    static const char *const bases[] = {
        "radius",      "texture",   "perimeter",      "area",     "smoothness",
        "compactness", "concavity", "concave_points", "symmetry", "fractal_dimension"
    };
    static const char *const kinds[] = { "mean", "se", "worst" };
    static char names[FEATURES][40];

    snprintf(names[i], sizeof names[i], "%s_%s", bases[i % 10], kinds[i / 10]);
    return names[i];
}

/* model-c1.tsv as a model file: its digits are copied, not read. */
static const char *wdbc_model(const char *path)
{
    static char out[8000], lists[3][2500];
    char line[LINE], name[40], value[3][40], intercept[40] = "";
    FILE *f = fopen(path, "r");
    int i = 0, k;

    assert_non_null(f);
    memset(lists, 0, sizeof lists);
    assert_non_null(fgets(line, sizeof line, f));
    while (fgets(line, sizeof line, f)) {
        if (sscanf(line, "intercept %39s", intercept) == 1)
            break;
        assert_int_equal(sscanf(line, "%39s %39s %39s %39s", name, value[0], value[1], value[2]), 4);
        assert_int_equal(atoi(name), ++i);
        for (k = 0; k < 3; k++)
            sprintf(lists[k] + strlen(lists[k]), "%s%s", i > 1 ? ", " : "", value[k]);
    }
    fclose(f);
    assert_int_equal(i, FEATURES);
    sprintf(out,
            "{ \"afferent_model\": 1, \"name\": \"wdbc-c1\", \"version\": \"1\", \"link\": \"logistic\", "
            "\"intercept\": %s, \"names\": [",
            intercept);
    for (i = 0; i < FEATURES; i++)
        sprintf(out + strlen(out), "%s\"%s\"", i ? ", " : "", feature_name(i));
    sprintf(out + strlen(out), "],\n\"means\": [%s],\n\"scales\": [%s],\n\"weights\": [%s] }", lists[0], lists[1],
            lists[2]);
    return out;
}

static FILE *data_open(const char *name)
{
    const char *path = aff_test_data(name);

    if (path)
        return fopen(path, "r");
    AFF_SKIP("breast-wdbc is not there");
    return NULL;
}

TEST(every_row_of_breast_wdbc_has_its_published_probability)
{
    struct aff_column c[FEATURES];
    struct aff_schema schema = schema_of(c, FEATURES);
    char line[LINE], *at;
    FILE *data = data_open("breast-wdbc/wdbc-train.data"), *wanted = data_open("breast-wdbc/expected-prob-c1.tsv");
    double most = 0, off, expected;
    struct aff_harness *h;
    int i, rows = 0;

    memset(c, 0, sizeof c);
    for (i = 0; i < FEATURES; i++)
        c[i] = (struct aff_column){ .name = feature_name(i), .type = AFF_REAL };
    h = aff_harness_open("op_score", options_with(wdbc_model(aff_test_data("breast-wdbc/model-c1.tsv")), ""));
    assert_true(data && wanted && fgets(line, sizeof line, wanted));
    while (fgets(line, sizeof line, data)) {
        struct aff_cell cells[FEATURES];
        const struct aff_record *r;
        long id = strtol(line, &at, 10), expected_id;

        at += 2; /* ,M */
        for (i = 0; i < FEATURES; i++)
            cells[i] = (struct aff_cell)AFF_CELL_REAL(strtod(at + 1, &at));
        aff_harness_push_row(h, "in", aff_harness_stream(h, "A", "wdbc", &schema), cells, FEATURES);
        r = aff_harness_take(h, "out");
        assert_int_equal(fscanf(wanted, "%ld %lf", &expected_id, &expected), 2);
        assert_int_equal(id, expected_id);
        off = fabs(aff_harness_real(h, r, "probability") - expected);
        most = off > most ? off : most;
        rows++;
    }
    fclose(data);
    fclose(wanted);
    print_message("%d rows, largest difference %.2g\n", rows, most);
    assert_int_equal(rows, 391);
    assert_true(most < 1e-9);
    done(&h);
}

AFF_TEST_MAIN(a_row_gives_a_score_a_probability_and_where_they_come_from,
              what_is_missing_or_out_of_range_is_said_by_name,
              a_missing_feature_may_be_its_mean_or_skip_the_row_or_kill_it,
              input_columns_are_kept_and_results_named_as_asked,
              a_linear_model_has_a_score_in_its_unit_and_no_probability,
              rows_that_do_not_fit_the_model_are_dead_letters,
              a_model_that_is_not_there_is_waited_for_and_a_wrong_one_is_not,
              the_same_comes_out_however_the_input_is_cut_and_over_a_restart, each_host_call_may_fail_once,
              every_row_of_breast_wdbc_has_its_published_probability)
