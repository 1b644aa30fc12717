/* SPDX-License-Identifier: Apache-2.0
 *
 * test_model.c - model files, taken and refused, and the arithmetic.
 *
 * Not here: the plugin (test_op_score.c). */
#include <afferent/testkit.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "score.h"

#define GOOD \
    "{ \"afferent_model\": 1, \"name\": \"m\", \"version\": \"1.0\", \"link\": \"logistic\", \"intercept\": -0.5,\n" \
    "  \"names\": [\"a\", \"b\"], \"means\": [1, 2.5], \"scales\": [2, 1e-1], \"weights\": [-3, 0.25]"

/* Parses with nothing readable behind the padding. "" when all is well. */
static const char *parse(const char *text, struct model **ret)
{
    static struct model_fault fault;
    size_t size = strlen(text);
    char *copy = calloc(1, size + MODEL_PADDING);
    aff_status st;

    assert_non_null(copy);
    memcpy(copy, text, size);
    *ret = NULL;
    fault.text[0] = 0;
    st = model_parse(NULL, copy, size, ret, &fault);
    free(copy);
    assert_int_equal(st, *fault.text ? AFF_ERR_CONFIG : AFF_OK);
    return fault.text;
}

TEST(a_model_is_read_as_it_stands_in_its_file)
{
    struct model *m;

    assert_string_equal(parse(GOOD ", \"mins\": [0, null], \"maxs\": [null, 9], \"units\": [null, \"mg/dL\"] }", &m),
                        "");
    assert_string_equal(m->name, "m");
    assert_string_equal(m->version, "1.0");
    assert_int_equal(m->link, LINK_LOGISTIC);
    assert_int_equal(m->count, 2);
    assert_string_equal(m->features[1].name, "b");
    assert_true(fabs(m->features[1].scale - 0.1) < 1e-17 && fabs(m->features[0].weight + 3) < 1e-17 &&
                fabs(m->intercept + 0.5) < 1e-17);
    assert_true(fabs(m->features[0].min) < 1e-17 && isinf(m->features[0].max) && m->features[1].min < -1e308);
    assert_null(m->features[0].unit);
    assert_string_equal(m->features[1].unit, "mg/dL");
    assert_null(m->unit);
    model_give(NULL, m);
    assert_string_equal(parse(GOOD " }\n\n", &m), "");
    assert_true(isinf(m->features[0].min) && isinf(m->features[0].max));
    model_give(NULL, m);
    assert_string_equal(parse("\xef\xbb\xbf" GOOD " }", &m), ""); /* as editors of one system save it */
    model_give(NULL, m);
}

TEST(what_is_wrong_is_named_with_line_and_column)
{
    static const char *const cases[][2] = {
        { "", "1:1: the file is empty; expected" },
        { "[1]", "1:1: the file is no whole JSON object" },
        { "{", "1:1: the file is no whole JSON object" },
        { "{ \"afferent_model\": 2 }", "1:21: afferent_model is 2; expected 1; install a newer afferent" },
        { "{ \"afferent_model\": \"1\" }", "1:21: afferent_model is no version of this format; expected 1" },
        { "{ \"afferent_model\": 1 }", "1:24: name is missing" },
        { GOOD ", \"weigths\": [1] }", "2:87: \"weigths\" is unknown; expected afferent_model, name, version" },
        { GOOD ", \"name\": \"n\" }", "2:87: name is there twice" },
        { GOOD " } {}", "2:88: something follows the object" },
        { GOOD " } x", "" },
        { GOOD ", \"mins\": [1] }", "2:87: mins has 1 values; expected 2, one for each of names" },
        { GOOD ", \"mins\": [1, 1], \"maxs\": [1, 0] }", "2:103: maxs[1] is below mins[1]" },
        { GOOD ", \"mins\": [1, \"2\"] }", "2:99: mins[1] is no number" },
        { GOOD ", \"mins\": {} }", "2:95: mins is no list" },
        { GOOD ", \"unit\": \"d\" }", "2:87: unit and code belong to a linear model" },
        { GOOD ", \"code\": 1 }", "2:95: code is no text" },
        { "{ \"name\": \"\" }", "1:11: name is empty, longer than" },
        { "{ \"name\": \"a\\nb\" }", "1:11: name is empty, longer than 128 bytes or has control characters" },
        { "{ \"link\": \"probit\" }", "1:11: link is unknown; expected \"linear\" or \"logistic\"" },
        { "{ \"intercept\": null }", "1:16: intercept is no number" },
        { "{ \"intercept\": 1e999 }", "1:16: intercept is no number" },
        { "{ \"intercept\": NaN }", "1:16: intercept is no number" },
        { "{ \"means\": [1, NaN] }", "1:16: means[1] is no number" },
        { "{ \"means\": [1, null] }", "1:16: means[1] is no number" },
        { "{ \"scales\": [1, 0] }", "1:17: scales[1] is not above 0" },
        { "{ \"scales\": [-1] }", "1:14: scales[0] is not above 0" },
        { "{ \"names\": [\"a\", 3] }", "1:18: names[1] is no text" },
        { "{ \"names\": [[[[[[[[[[\"a\"]]]]]]]]]] }", "1:13: names[0] is no text" },
        { "{ \"names\": [\"a\" \"b\"] }", "1:" },
        { "{ \"means\": [1, 2 }", "1:" },
        { "{ \"means\" [1] }", "1:" },
        { "{ \"names\": [\"\xff\"] }", "1:1: a byte is no UTF-8" },
        { "{ \"\xc3\xa4\": 1 }", "1:3: \"\xc3\xa4\" is unknown" },
        { "{ \"\\u0000\": 1 }", "1:3: a key is unknown" },
        { "{ // a remark\n }", "" },
    };
    struct model *m;
    size_t i;

    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *said = parse(cases[i][0], &m);

        assert_null(m);
        if (!*said || strncmp(said, cases[i][1], strlen(cases[i][1])) != 0)
            fail_msg("%s\n  gives    %s\n  expected %s", cases[i][0], said, cases[i][1]);
    }
}

TEST(the_same_feature_twice_or_too_many_are_refused)
{
    static char text[40000] = "{ \"names\": [";
    struct model *m;
    int i;

    assert_non_null(strstr(parse("{ \"afferent_model\": 1, \"name\": \"m\", \"version\": \"1\", \"link\": "
                                 "\"linear\", \"intercept\": 0, \"names\": [\"a\", \"a\"], "
                                 "\"means\": [0, 0], \"scales\": [1, 1], \"weights\": [1, 1] }",
                                 &m),
                           "names[0] and names[1] are the same"));
    for (i = 0; i < 1001; i++)
        sprintf(text + strlen(text), "%s\"n%d\"", i ? "," : "", i);
    strcat(text, "] }");
    assert_non_null(strstr(parse(text, &m), "names has more than 1000 values"));
}

/* Every beginning of a good file is refused, and nothing is read behind it. */
TEST(a_file_that_is_cut_anywhere_is_refused)
{
    static const char whole[] = GOOD ", \"units\": [null, \"mg/dL\"] }";
    char text[sizeof whole];
    struct model *m;
    size_t i;

    for (i = 0; i < sizeof whole - 1; i++) {
        memcpy(text, whole, i);
        text[i] = 0;
        assert_true(*parse(text, &m) != 0);
        assert_null(m);
    }
}

static const char *file_write(const char *bytes, size_t size)
{
    static char path[] = "/tmp/aff-model-XXXXXX";
    int fd;

    strcpy(path, "/tmp/aff-model-XXXXXX");
    fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, size), size);
    close(fd);
    return path;
}

TEST(the_hash_is_that_of_the_bytes_of_the_file)
{
    static const char text[] = GOOD " }";
    struct model_fault fault = { "" };
    struct model *m = NULL;
    const char *path = file_write(text, sizeof text - 1);
    char command[200], sum[MODEL_HASH + 1] = "";
    FILE *f;

    assert_int_equal(model_load(NULL, path, &m, &fault), AFF_OK);
    snprintf(command, sizeof command, "sha256sum '%s'", path);
    f = popen(command, "r");
    assert_non_null(f);
    assert_int_equal(fread(sum, 1, MODEL_HASH, f), MODEL_HASH);
    pclose(f);
    assert_string_equal(m->hash, sum);
    model_give(NULL, m);
    unlink(path);
}

TEST(a_file_that_cannot_be_read_is_told_from_one_that_is_wrong)
{
    struct model_fault fault = { "" };
    struct model *m = NULL;
    char *big = calloc(1, MODEL_FILE_MAX + 1);
    const char *path;

    assert_non_null(big);
    assert_int_equal(model_load(NULL, "/nowhere/model.json", &m, &fault), AFF_ERR_IO);
    assert_non_null(strstr(fault.text, "model.json"));
    assert_null(strstr(fault.text, "/nowhere"));
    assert_int_equal(model_load(NULL, "/dev/zero", &m, &fault), AFF_ERR_CONFIG);
    assert_non_null(strstr(fault.text, "is no plain file"));
    assert_int_equal(model_load(NULL, "/tmp", &m, &fault), AFF_ERR_CONFIG);
    path = file_write(big, MODEL_FILE_MAX + 1);
    assert_int_equal(model_load(NULL, path, &m, &fault), AFF_ERR_CONFIG);
    assert_non_null(strstr(fault.text, "is larger than 1048576 bytes"));
    unlink(path);
    path = file_write("{ \"nam\": 1 }", 12);
    assert_int_equal(model_load(NULL, path, &m, &fault), AFF_ERR_CONFIG);
    assert_non_null(strstr(fault.text, ":1:3: \"nam\" is unknown"));
    unlink(path);
    free(big);
}

TEST(the_sigmoid_neither_overflows_nor_loses_digits)
{
    double x;

    assert_true(fabs(score_sigmoid(0) - 0.5) < 1e-16);
    assert_true(score_sigmoid(1000) >= 1.0 && score_sigmoid(-1000) >= 0.0 && score_sigmoid(-1000) < 1e-300);
    assert_true(fabs(score_sigmoid(-40) / exp(-40) - 1) < 1e-15);
    assert_true(score_sigmoid(-720) > 0); /* exp(720) is infinite */
    for (x = -30; x < 30; x += 0.25)
        assert_true(fabs(score_sigmoid(x) + score_sigmoid(-x) - 1) < 3e-16);
}

/* 1e16 + 1 - 1e16 is 1 in a compensated sum, 0 in a plain one. */
TEST(terms_that_cancel_cost_no_digits)
{
    struct feature f[3] = { { .scale = 1, .weight = 1e16 },
                            { .scale = 1, .weight = 1 },
                            { .scale = 1, .weight = -1e16 } };
    struct model m = { .features = f, .count = 3, .link = LINK_LINEAR };
    double values[3] = { 1, 1, 1 };
    struct score s;

    assert_true(score_backend(&m)->run(&m, values, &s));
    assert_true(fabs(s.score - 1) < 1e-15);
    values[0] = 1e300;
    assert_false(score_backend(&m)->run(&m, values, &s));
}

AFF_TEST_MAIN(a_model_is_read_as_it_stands_in_its_file, what_is_wrong_is_named_with_line_and_column,
              the_same_feature_twice_or_too_many_are_refused, a_file_that_is_cut_anywhere_is_refused,
              the_hash_is_that_of_the_bytes_of_the_file, a_file_that_cannot_be_read_is_told_from_one_that_is_wrong,
              the_sigmoid_neither_overflows_nor_loses_digits, terms_that_cancel_cost_no_digits)
