/* SPDX-License-Identifier: Apache-2.0
 *
 * test_op_news2.c - scores against the published table's vectors, and what is
 * said where something is missing. */
#include "test_kit.h"

static const char *const score_names[] = { "respiration_score", "spo2_score", "oxygen_score", "systolic_score",
                                           "pulse_score", "consciousness_score", "temperature_score", "score" };
enum { VECTORS = 300, SCORES = 8 };

struct vector {
    double rr, spo2, systolic, pulse, temperature;
    int scale, oxygen, scores[SCORES];
    char acvpu[2], band[16];
};

static int vectors_read(struct vector *v, const char *path)
{
    FILE *f = fopen(path, "r");
    char line[256];
    int n = 0;

    assert_non_null(f);
    assert_non_null(fgets(line, sizeof line, f));
    for (; n < VECTORS && fgets(line, sizeof line, f); n++, v++)
        assert_int_equal(sscanf(line, "%lf %lf %d %d %lf %lf %1s %lf %d %d %d %d %d %d %d %d %15s", &v->rr, &v->spo2,
                                &v->scale, &v->oxygen, &v->systolic, &v->pulse, v->acvpu, &v->temperature,
                                &v->scores[0], &v->scores[1], &v->scores[2], &v->scores[3], &v->scores[4],
                                &v->scores[5], &v->scores[6], &v->scores[7], v->band), 17);
    fclose(f);
    return n;
}

static void vector_expect(struct aff_harness *h, const struct vector *v)
{
    const struct aff_record *r = take(h);
    int i;

    for (i = 0; i < SCORES; i++)
        assert_int_equal(aff_harness_int(h, r, score_names[i]), v->scores[i]);
    assert_string_equal(aff_harness_text(h, r, "band"), v->band);
    assert_int_equal(aff_harness_int(h, r, "at_most"), v->scores[7]);
    assert_int_equal(aff_harness_int(h, r, "complete"), 1);
    assert_int_equal(aff_harness_int(h, r, "missing"), 0);
    assert_null(aff_harness_text(h, r, "missing_names"));
    assert_int_equal(aff_harness_int(h, r, "scale"), v->scale);
    assert_string_equal(aff_harness_text(h, r, "table"), "RCP-2017");
}

static struct vector *vectors_open(void)
{
    static struct vector vectors[VECTORS];
    const char *path = aff_test_data("news2-vectors/news2.tsv");

    if (!path) {
        AFF_SKIP("news2-vectors is not there");
        return NULL;
    }
    assert_int_equal(vectors_read(vectors, path), VECTORS);
    return vectors;
}

TEST(all_vectors_of_the_published_table_agree)
{
    struct vector *v = vectors_open();
    struct aff_harness *h = aff_harness_open("op_news2", "scale_column = \"spo2_scale\"");
    uint32_t stream = ward_of(h, "A");
    int i;

    for (i = 0; i < VECTORS; i++)
        AFF_PUSH_ROW(h, "in", stream, R(v[i].rr), R(v[i].spo2), I(v[i].oxygen), R(v[i].systolic), R(v[i].pulse),
                     T(v[i].acvpu), R(v[i].temperature), I(v[i].scale));
    for (i = 0; i < VECTORS; i++)
        vector_expect(h, &v[i]);
    printf("%d of %d vectors equal\n", i, VECTORS);
    EXPECT_VERDICT(h, "scored", VECTORS);
    EXPECT_METRIC(h, "partial", 0);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(vectors_agree_when_the_scale_comes_from_the_list_of_subjects)
{
    struct vector *v = vectors_open();
    struct aff_harness *h = aff_harness_open("op_news2", "scale2 = [\"zoe\", \"copd\", \"adam\"]");
    uint32_t one = ward_of(h, "other"), two = ward_of(h, "copd");
    int i;

    for (i = 0; i < VECTORS; i++)
        AFF_PUSH_ROW(h, "in", v[i].scale == 2 ? two : one, R(v[i].rr), R(v[i].spo2), I(v[i].oxygen), R(v[i].systolic),
                     R(v[i].pulse), T(v[i].acvpu), R(v[i].temperature), NO);
    for (i = 0; i < VECTORS; i++)
        vector_expect(h, &v[i]);
    aff_harness_restart(h); /* who came before it did come */
    aff_harness_finish(h);
    EXPECT_LOG(h, AFF_LOG_WARN, "scale2[0] is no subject that came");
    EXPECT_LOG(h, AFF_LOG_WARN, "scale2[2] is no subject that came");
    assert_int_equal(aff_harness_logged(h, AFF_LOG_WARN, "scale2[1]"), 0);
    aff_harness_close(&h);
}

/* The published rows again, from their other side: the last value of each and
 * the first of the next, in steps of the instrument and between them. */
TEST(values_on_and_between_the_rows_take_the_row_whose_bound_they_do_not_exceed)
{
    static const struct {
        uint32_t column;
        double value;
        int score;
    } cases[] = {
        { 0, 0, 3 },     { 0, 8, 3 },     { 0, 8.5, 1 },    { 0, 9, 1 },      { 0, 11, 1 },    { 0, 11.01, 0 },
        { 0, 20, 0 },    { 0, 20.5, 2 },  { 0, 24, 2 },     { 0, 24.1, 3 },   { 0, 150, 3 },   { 1, 91, 3 },
        { 1, 91.4, 2 },  { 1, 93, 2 },    { 1, 95, 1 },     { 1, 95.5, 0 },   { 1, 100, 0 },   { 3, 0, 3 },
        { 3, 90, 3 },    { 3, 90.5, 2 },  { 3, 100, 2 },    { 3, 110, 1 },    { 3, 110.5, 0 }, { 3, 219, 0 },
        { 3, 219.5, 3 }, { 3, 220, 3 },   { 4, 0, 3 },      { 4, 40, 3 },     { 4, 41, 1 },    { 4, 50, 1 },
        { 4, 51, 0 },    { 4, 90, 0 },    { 4, 91, 1 },     { 4, 110, 1 },    { 4, 111, 2 },   { 4, 130, 2 },
        { 4, 130.2, 3 }, { 4, 131, 3 },   { 6, 35.0, 3 },   { 6, 35.05, 1 },  { 6, 35.1, 1 },  { 6, 36.0, 1 },
        { 6, 36.05, 0 }, { 6, 36.1, 0 },  { 6, 38.0, 0 },   { 6, 38.05, 1 },  { 6, 39.0, 1 },  { 6, 39.05, 2 },
        { 6, 41, 2 },    { 6, (96.8 - 32) / 1.8, 1 },       { 6, 36.000000000001, 1 },
    };
    struct aff_harness *h = aff_harness_open("op_news2", "");
    uint32_t stream = ward_of(h, "A");
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        push_but(h, stream, cases[i].column, (struct aff_cell)R(cases[i].value));
        assert_int_equal(aff_harness_int(h, take(h), "score"), cases[i].score);
    }
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

static void expect_missing(struct aff_harness *h, const char *name, const char *why, int at_most)
{
    const struct aff_record *r = take(h);
    char words[64];

    snprintf(words, sizeof words, "%s=%s", name, why);
    assert_string_equal(aff_harness_text(h, r, "missing_names"), name);
    assert_string_equal(aff_harness_text(h, r, "missing_why"), words);
    assert_int_equal(aff_harness_int(h, r, "missing"), 1);
    assert_int_equal(aff_harness_int(h, r, "complete"), 0);
    assert_int_equal(aff_harness_int(h, r, "score"), 0);
    assert_int_equal(aff_harness_int(h, r, "at_most"), at_most);
    assert_string_equal(aff_harness_text(h, r, "band"), "low");
    snprintf(words, sizeof words, "%s_score", name);
    assert_int_equal(aff_harness_int(h, r, words), INT64_MIN);
}

TEST(each_missing_parameter_is_named_and_has_no_score)
{
    static const char *const names[] = { "respiration", "spo2",  "oxygen",     "systolic",
                                         "pulse",       "consciousness", "temperature" };
    struct aff_harness *h = aff_harness_open("op_news2", "");
    uint32_t stream = ward_of(h, "A"), i;

    for (i = 0; i < 7; i++) {
        push_but(h, stream, i, (struct aff_cell)NO);
        expect_missing(h, names[i], "absent", i == 2 ? 2 : 3);
    }
    EXPECT_METRIC(h, "partial", 7);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(values_that_no_patient_has_are_missing_with_a_reason)
{
    static const struct {
        uint32_t column;
        double value;
        const char *name;
    } cases[] = {
        { 0, -1, "respiration" },  { 0, 151, "respiration" },    { 1, 100.5, "spo2" },      { 1, -1, "spo2" },
        { 1, 0.97, "spo2" },       { 3, -1, "systolic" },        { 3, 401, "systolic" },    { 4, -60, "pulse" },
        { 4, HUGE_VAL, "pulse" },  { 4, -HUGE_VAL, "pulse" },    { 6, 0, "temperature" },   { 6, 98.6, "temperature" },
        { 6, -17.8, "temperature" }, { 0, (double)NAN, "respiration" }, { 6, (double)NAN, "temperature" },
    };
    struct aff_harness *h = aff_harness_open("op_news2", "");
    uint32_t stream = ward_of(h, "A");
    size_t i, n = sizeof cases / sizeof cases[0];

    for (i = 0; i < n; i++) {
        push_but(h, stream, cases[i].column, (struct aff_cell)R(cases[i].value));
        expect_missing(h, cases[i].name, "implausible", 3);
    }
    push_but(h, stream, 2, (struct aff_cell)I(2));
    expect_missing(h, "oxygen", "implausible", 2);
    EXPECT_METRIC(h, "implausible", (double)n + 1);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(the_ranges_of_what_is_scored_can_be_set)
{
    struct aff_harness *h = aff_harness_open("op_news2", "plausible = { temperature = [0, 60], pulse = [20, 250] }");
    uint32_t stream = ward_of(h, "A");

    push_but(h, stream, 6, (struct aff_cell)R(0));
    push_but(h, stream, 4, (struct aff_cell)R(19));
    assert_int_equal(aff_harness_int(h, take(h), "temperature_score"), 3);
    expect_missing(h, "pulse", "implausible", 3);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(nothing_known_is_no_score_at_all)
{
    struct aff_harness *h = aff_harness_open("op_news2", "");
    const struct aff_record *r;

    AFF_PUSH_ROW(h, "in", ward_of(h, "A"), NO, NO, NO, NO, NO, NO, NO, NO);
    r = take(h);
    assert_int_equal(aff_harness_int(h, r, "score"), INT64_MIN);
    assert_null(aff_harness_text(h, r, "band"));
    assert_int_equal(aff_harness_int(h, r, "missing"), 7);
    assert_int_equal(aff_harness_int(h, r, "at_most"), 20);
    assert_string_equal(aff_harness_text(h, r, "missing_names"),
                        "respiration spo2 oxygen systolic pulse consciousness temperature");
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(a_single_three_and_sums_make_the_band_of_a_partial_score_too)
{
    struct aff_harness *h = aff_harness_open("op_news2", "");
    uint32_t stream = ward_of(h, "A");

    AFF_PUSH_ROW(h, "in", stream, R(30), NO, NO, NO, NO, NO, NO, NO);
    AFF_PUSH_ROW(h, "in", stream, R(30), R(93), NO, NO, NO, NO, NO, NO);
    AFF_PUSH_ROW(h, "in", stream, R(30), R(90), NO, NO, R(91), NO, NO, NO);
    AFF_PUSH_ROW(h, "in", stream, R(21), R(93), NO, NO, NO, NO, NO, NO);
    assert_string_equal(aff_harness_text(h, take(h), "band"), "low-medium");
    assert_string_equal(aff_harness_text(h, take(h), "band"), "medium");
    assert_string_equal(aff_harness_text(h, take(h), "band"), "high");
    assert_string_equal(aff_harness_text(h, take(h), "band"), "low");
    EXPECT_METRIC(h, "high", 1);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(scale_2_above_92_is_not_scored_while_oxygen_is_unknown)
{
    struct aff_harness *h = aff_harness_open("op_news2", "scale2 = \"A\"");
    uint32_t stream = ward_of(h, "A");
    const struct aff_record *r;

    AFF_PUSH_ROW(h, "in", stream, R(16), R(97), NO, R(120), R(70), T("A"), R(37), NO);
    AFF_PUSH_ROW(h, "in", stream, R(16), R(85), NO, R(120), R(70), T("A"), R(37), NO);
    r = take(h);
    assert_string_equal(aff_harness_text(h, r, "missing_why"), "spo2=needs-oxygen oxygen=absent");
    assert_int_equal(aff_harness_int(h, r, "at_most"), 5);
    r = take(h);
    assert_int_equal(aff_harness_int(h, r, "spo2_score"), 2);
    assert_string_equal(aff_harness_text(h, r, "missing_names"), "oxygen");
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(a_row_decides_its_scale_before_the_list_and_an_unknown_scale_is_not_guessed)
{
    struct aff_harness *h = aff_harness_open("op_news2", "scale_column = \"spo2_scale\"\nscale2 = [\"A\"]");
    uint32_t stream = ward_of(h, "A");
    const struct aff_record *r;

    AFF_PUSH_ROW(h, "in", stream, R(16), R(88), I(0), R(120), R(70), T("A"), R(37), I(1));
    AFF_PUSH_ROW(h, "in", stream, R(16), R(88), I(0), R(120), R(70), T("A"), R(37), NO);
    AFF_PUSH_ROW(h, "in", stream, R(16), R(88), I(0), R(120), R(70), T("A"), R(37), I(3));
    assert_int_equal(aff_harness_int(h, take(h), "spo2_score"), 3);
    assert_int_equal(aff_harness_int(h, take(h), "spo2_score"), 0);
    r = take(h);
    assert_string_equal(aff_harness_text(h, r, "missing_why"), "spo2=unknown");
    assert_int_equal(aff_harness_int(h, r, "scale"), INT64_MIN);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(consciousness_is_a_letter_or_its_word_and_nothing_else)
{
    static const char *const not_alert[] = { "C", "v", "P", "U", "Voice", "unresponsive", "New confusion", "CONFUSED" };
    static const char *const unknown[] = { "X", "AA", "alerted", "15", "A " };
    struct aff_harness *h = aff_harness_open("op_news2", "");
    uint32_t stream = ward_of(h, "A");
    size_t i;

    for (i = 0; i < sizeof not_alert / sizeof not_alert[0]; i++) {
        push_but(h, stream, 5, (struct aff_cell)T(not_alert[i]));
        assert_int_equal(aff_harness_int(h, take(h), "consciousness_score"), 3);
    }
    push_but(h, stream, 5, (struct aff_cell)T("alert"));
    assert_int_equal(aff_harness_int(h, take(h), "consciousness_score"), 0);
    for (i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        push_but(h, stream, 5, (struct aff_cell)T(unknown[i]));
        expect_missing(h, "consciousness", "unknown", 3);
    }
    push_but(h, stream, 5, (struct aff_cell)T(""));
    expect_missing(h, "consciousness", "absent", 3);
    EXPECT_METRIC(h, "unknown", 5);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

static const struct aff_column icu_columns[] = {
    { .name = "GCS", .type = AFF_INT },
    { .name = "FiO2", .unit = "%", .type = AFF_REAL },
    { .name = "fraction", .type = AFF_REAL },
};
#define NONE_ELSE "respiration = \"\", spo2 = \"\", systolic = \"\", pulse = \"\", temperature = \"\""

TEST(the_coma_scale_is_alert_at_15_only)
{
    static const int gcs[] = { 15, 14, 3, 16, 2, -1 }, scores[] = { 0, 3, 3, -1, -1, -1 };
    struct aff_harness *h = aff_harness_open("op_news2", "consciousness = \"gcs\"\ncolumns = { consciousness = \"GCS\", "
                                                         "oxygen = \"\", " NONE_ELSE " }");
    uint32_t stream = stream_of(h, "A", icu_columns, 3);
    int i;

    for (i = 0; i < 6; i++) {
        AFF_PUSH_ROW(h, "in", stream, I(gcs[i]), NO, NO);
        assert_int_equal(aff_harness_int(h, take(h), "consciousness_score"), scores[i] < 0 ? INT64_MIN : scores[i]);
    }
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

static void expect_oxygen(const char *column, double value, int64_t score)
{
    char toml[256];
    struct aff_harness *h;
    int is_percent = strcmp(column, "FiO2") == 0;

    snprintf(toml, sizeof toml, "oxygen = \"fio2\"\ncolumns = { oxygen = \"%s\", consciousness = \"\", " NONE_ELSE " }",
             column);
    h = aff_harness_open("op_news2", toml);
    AFF_PUSH_ROW(h, "in", stream_of(h, "A", icu_columns, 3), NO, is_percent ? (struct aff_cell)R(value) : (struct aff_cell)NO,
                 is_percent ? (struct aff_cell)NO : (struct aff_cell)R(value));
    assert_int_equal(aff_harness_int(h, take(h), "oxygen_score"), score);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(more_oxygen_than_in_air_is_oxygen)
{
    expect_oxygen("fraction", 0.21, 0);
    expect_oxygen("fraction", 0.22, 2);
    expect_oxygen("fraction", 1, 2);
    expect_oxygen("fraction", 21, INT64_MIN); /* a percentage where a fraction was said */
    expect_oxygen("fraction", 0, INT64_MIN);
    expect_oxygen("FiO2", 21, 0);
    expect_oxygen("FiO2", 28, 2);
    expect_oxygen("FiO2", 0.28, INT64_MIN);
}

TEST(a_unit_that_changes_at_run_time_is_not_scored)
{
    static const struct aff_column fahrenheit[] = { { .name = "temperature", .unit = "[degF]", .type = AFF_REAL },
                                                    { .name = "spo2", .type = AFF_TEXT } };
    struct aff_harness *h = aff_harness_open("op_news2", "");

    AFF_PUSH_ROW(h, "in", stream_of(h, "A", fahrenheit, 2), R(37), T("97"));
    assert_string_equal(aff_harness_text(h, take(h), "missing_why"),
                        "respiration=absent spo2=unknown oxygen=absent systolic=absent pulse=absent "
                        "consciousness=absent temperature=unit");
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(the_inputs_columns_can_stand_before_the_score)
{
    struct aff_harness *h = aff_harness_open("op_news2", "keep_input = true");
    uint32_t stream = ward_of(h, "A");
    const struct aff_record *r;

    push_but(h, stream, 5, (struct aff_cell)T("V"));
    push_but(h, stream, 1, (struct aff_cell)NO);
    r = take(h);
    assert_int_equal(aff_harness_schema(h, r)->count, WARD_COLUMNS + 16);
    assert_string_equal(aff_harness_text(h, r, "consciousness"), "V");
    assert_int_equal(aff_harness_int(h, r, "supplemental_oxygen"), 0);
    assert_true(fabs(aff_harness_real(h, r, "temperature") - 37) < 1e-12);
    assert_string_equal(aff_harness_text(h, r, "band"), "low-medium");
    r = take(h);
    assert_true(isnan(aff_harness_real(h, r, "spo2")));
    assert_string_equal(aff_harness_text(h, r, "missing_names"), "spo2");
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(a_score_keeps_time_subject_and_doubt_and_its_stream_ends_with_the_input)
{
    struct aff_harness *h = aff_harness_open("op_news2", "");
    uint32_t stream = ward_of(h, "A");
    uint64_t row[1 + WARD_COLUMNS] = { 0 };
    struct aff_record in = { .stream = stream, .event_ns = 5 * S, .flags = AFF_FLAG_SUSPECT, .data = row,
                             .size = sizeof row };
    const struct aff_record *r;

    aff_harness_push_record(h, "in", &in);
    aff_harness_end_stream(h, "in", stream);
    r = take(h);
    assert_int_equal(r->event_ns, 5 * S);
    assert_int_equal(r->flags, AFF_FLAG_SUSPECT);
    assert_string_equal(aff_harness_stream_info(h, r->stream)->name, "latest/news2");
    assert_string_equal(aff_harness_stream_info(h, r->stream)->subject_name, "A");
    r = aff_harness_take(h, "news2");
    assert_true(r && r->flags & AFF_FLAG_END);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(each_row_is_scored_by_itself_wherever_the_clock_is_set)
{
    static const int64_t times[] = { 1000 * S, 1001 * S, -3600 * S, -3599 * S, 315360000 * S, 1002 * S };
    struct aff_harness *h = aff_harness_open("op_news2", "");
    uint32_t stream = ward_of(h, "A"), i;

    for (i = 0; i < sizeof times / sizeof times[0]; i++) {
        aff_harness_seek(h, stream, 0, times[i]);
        push_but(h, stream, 1, (struct aff_cell)R(i % 2 ? 90 : 97));
    }
    for (i = 0; i < sizeof times / sizeof times[0]; i++) {
        const struct aff_record *r = take(h);

        assert_int_equal(r->event_ns, times[i]);
        assert_int_equal(aff_harness_int(h, r, "score"), i % 2 ? 3 : 0);
    }
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(a_stream_without_a_score_has_none_to_end)
{
    struct aff_harness *h = aff_harness_open("op_news2", "");
    uint32_t stream = ward_of(h, "A");

    aff_harness_end_stream(h, "in", stream);
    EXPECT_NOTHING(h, "news2");
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(a_record_that_is_no_row_is_a_dead_letter)
{
    struct aff_harness *h = aff_harness_open("op_news2", "");
    uint64_t half[2] = { 3, 0 };
    struct aff_record r = { .stream = ward_of(h, "A"), .data = half, .size = sizeof half };

    aff_harness_push_record(h, "in", &r);
    EXPECT_DEAD(h, 1);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

static uint64_t digest_of(uint32_t cut, int restarts)
{
    struct vector *v = vectors_open();
    struct aff_harness *h = aff_harness_open("op_news2", "keep_input = true\nscale_column = \"spo2_scale\"");
    uint32_t stream = ward_of(h, "A");
    uint64_t digest;
    int i;

    aff_harness_cut(h, cut);
    for (i = 0; i < VECTORS; i++) {
        AFF_PUSH_ROW(h, "in", stream, R(v[i].rr), R(v[i].spo2), I(v[i].oxygen), R(v[i].systolic), R(v[i].pulse),
                     T(v[i].acvpu), R(v[i].temperature), I(v[i].scale));
        if (restarts && i % 100 == 99) {
            aff_harness_flush(h);
            aff_harness_restart(h);
        }
    }
    aff_harness_end_stream(h, "in", stream);
    digest = aff_harness_digest(h);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    return digest;
}

TEST(scores_are_the_same_however_the_input_is_cut_and_over_a_restart)
{
    uint64_t digest = digest_of(1, 0);

    assert_true(digest_of(64, 0) == digest);
    assert_true(digest_of(0, 0) == digest);
    assert_true(digest_of(1, 1) == digest);
}

static void scenario(void)
{
    struct aff_harness *h = aff_harness_open("op_news2", "keep_input = true\nscale2 = [\"A\"]");
    uint32_t stream = ward_of(h, "A");

    push_but(h, stream, 1, (struct aff_cell)R(84));
    push_but(h, stream, 6, (struct aff_cell)NO);
    aff_harness_end_stream(h, "in", stream);
    assert_int_equal(aff_harness_int(h, take(h), "score"), 2);
    assert_int_equal(aff_harness_int(h, take(h), "missing"), 1);
    EXPECT_METRIC(h, "partial", 1);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(each_host_call_may_fail_once)
{
    AFF_EACH_HOST_CALL_FAILS_ONCE(scenario);
}

AFF_TEST_MAIN(all_vectors_of_the_published_table_agree, vectors_agree_when_the_scale_comes_from_the_list_of_subjects,
              values_on_and_between_the_rows_take_the_row_whose_bound_they_do_not_exceed,
              each_missing_parameter_is_named_and_has_no_score, values_that_no_patient_has_are_missing_with_a_reason,
              the_ranges_of_what_is_scored_can_be_set, nothing_known_is_no_score_at_all,
              a_single_three_and_sums_make_the_band_of_a_partial_score_too,
              scale_2_above_92_is_not_scored_while_oxygen_is_unknown,
              a_row_decides_its_scale_before_the_list_and_an_unknown_scale_is_not_guessed,
              consciousness_is_a_letter_or_its_word_and_nothing_else, the_coma_scale_is_alert_at_15_only,
              more_oxygen_than_in_air_is_oxygen, a_unit_that_changes_at_run_time_is_not_scored,
              the_inputs_columns_can_stand_before_the_score,
              a_score_keeps_time_subject_and_doubt_and_its_stream_ends_with_the_input,
              each_row_is_scored_by_itself_wherever_the_clock_is_set,
              a_stream_without_a_score_has_none_to_end, a_record_that_is_no_row_is_a_dead_letter,
              scores_are_the_same_however_the_input_is_cut_and_over_a_restart, each_host_call_may_fail_once)
