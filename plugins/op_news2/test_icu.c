/* SPDX-License-Identifier: Apache-2.0
 *
 * test_icu.c - 200 stays in intensive care: op_latest and op_news2 against 9,600
 * rows that were scored by other means.
 *
 * The test reads the CSV file by itself and does what a pipeline leaves to
 * op_where: values below 0 are none, arterial pressure stands before the cuff's,
 * and oxygen is ventilation or more of it than in air. */
#include <afferent/testkit.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MINUTE INT64_C(60000000000)
enum { SUBJECTS = 200, HOURS = 48, ROWS = SUBJECTS * HOURS, LINE_MOST = 256, VALUES_MOST = 100000, WORD = 16 };

struct line {
    int subject, minute;
    char parameter[WORD];
    double value;
};

/* The files, and what came out: by subject and hour. */
struct icu {
    char names[SUBJECTS][WORD];
    struct line *lines;
    size_t count;
    char expected[ROWS][80];
    char found[ROWS][80];
    int found_count;
};

static const struct aff_column long_columns[] = {
    { .name = "Parameter", .type = AFF_TEXT },
    { .name = "Value", .type = AFF_REAL },
};
static const struct aff_column wide_columns[] = {
    { .name = "respiratory_rate", .unit = "/min", .type = AFF_REAL }, { .name = "spo2", .unit = "%", .type = AFF_REAL },
    { .name = "oxygen", .type = AFF_BOOL },                           { .name = "systolic", .unit = "mm[Hg]", .type = AFF_REAL },
    { .name = "heart_rate", .unit = "/min", .type = AFF_REAL },       { .name = "gcs", .type = AFF_REAL },
    { .name = "temperature", .unit = "Cel", .type = AFF_REAL },
};

static const char latest_toml[] = "key = \"Parameter\"\n"
                                  "value = \"Value\"\n"
                                  "emit = \"interval\"\n"
                                  "every = \"1h\"\n"
                                  "max_age = \"240min\"\n"
                                  "after = \"1h\"\n"
                                  "for = \"48h\"\n"
                                  "columns = [ { name = \"respiratory_rate\", key = \"RespRate\" },\n"
                                  "  { name = \"spo2\", key = \"SaO2\" }, { name = \"heart_rate\", key = \"HR\" },\n"
                                  "  { name = \"temperature\", key = \"Temp\" }, { name = \"gcs\", key = \"GCS\" },\n"
                                  "  { name = \"SysABP\" }, { name = \"NISysABP\" },\n"
                                  "  { name = \"MechVent\" }, { name = \"FiO2\" } ]\n";
/* The expected file scores temperatures from 0 up. */
static const char news2_toml[] = "columns = { oxygen = \"oxygen\", consciousness = \"gcs\" }\n"
                                 "consciousness = \"gcs\"\n"
                                 "plausible = { temperature = [0, 50] }\n";

static struct aff_schema schema_of(const struct aff_column *columns, uint32_t count)
{
    struct aff_schema s = { sizeof s, AFF_FIELDS, 0, 0, 0, "vitals", columns, count, sizeof *columns, 0, 0 };

    return s;
}

static int subject_find(struct icu *icu, const char *name, int *count)
{
    if (*count == 0 || strcmp(icu->names[*count - 1], name) != 0) {
        assert_true(*count < SUBJECTS && strlen(name) < WORD);
        strcpy(icu->names[(*count)++], name);
    }
    return *count - 1;
}

static int values_read(struct icu *icu, const char *path)
{
    FILE *f = fopen(path, "r");
    char text[LINE_MOST], name[WORD], parameter[WORD];
    int subjects = 0, hours, minutes;
    double value;

    assert_non_null(f);
    assert_non_null(fgets(text, sizeof text, f));
    while (fgets(text, sizeof text, f)) {
        struct line *l = &icu->lines[icu->count];

        assert_int_equal(sscanf(text, "%15[^,],%d:%d,%15[^,],%lf", name, &hours, &minutes, parameter, &value), 5);
        if (value < 0)
            continue;
        assert_true(icu->count++ < VALUES_MOST);
        l->subject = subject_find(icu, name, &subjects);
        l->minute = hours * 60 + minutes;
        memcpy(l->parameter, parameter, sizeof parameter);
        l->value = value;
    }
    fclose(f);
    return subjects;
}

static int expected_read(struct icu *icu, const char *path)
{
    FILE *f = fopen(path, "r");
    char text[LINE_MOST];
    int n = 0;

    assert_non_null(f);
    assert_non_null(fgets(text, sizeof text, f));
    while (n < ROWS && fgets(text, sizeof text, f)) {
        text[strcspn(text, "\r\n")] = 0;
        assert_true(strlen(text) < sizeof icu->expected[n]);
        strcpy(icu->expected[n++], text);
    }
    fclose(f);
    return n;
}

static struct icu *icu_open(void)
{
    const char *path = aff_test_data("icu-vitals/vitals.csv");
    struct icu *icu;

    if (!path) {
        AFF_SKIP("icu-vitals is not there");
        return NULL;
    }
    icu = calloc(1, sizeof *icu);
    assert_non_null(icu);
    icu->lines = calloc(VALUES_MOST, sizeof *icu->lines);
    assert_non_null(icu->lines);
    assert_int_equal(values_read(icu, path), SUBJECTS);
    assert_int_equal(expected_read(icu, aff_test_data("icu-vitals/expected-news2-hourly.tsv")), ROWS);
    return icu;
}

static void icu_close(struct icu *icu)
{
    free(icu->lines);
    free(icu);
}

static struct aff_cell real_cell(double value)
{
    return isnan(value) ? (struct aff_cell)AFF_CELL_NONE : (struct aff_cell)AFF_CELL_REAL(value);
}

static struct aff_cell oxygen_cell(double ventilated, double fio2)
{
    if (isnan(ventilated) && isnan(fio2))
        return (struct aff_cell)AFF_CELL_NONE;
    return (struct aff_cell)AFF_CELL_INT(fabs(ventilated - 1) < 0.5 || fio2 > 0.21);
}

/* One row of op_latest becomes one of op_news2's input. */
static void row_hand_on(struct aff_harness *latest, const struct aff_record *r, struct aff_harness *news2)
{
    struct aff_schema schema = schema_of(wide_columns, 7);
    const char *name = aff_harness_stream_info(latest, r->stream)->subject_name;
    uint32_t stream = aff_harness_stream(news2, name, "latest", &schema);
    double arterial = aff_harness_real(latest, r, "SysABP"), cuff = aff_harness_real(latest, r, "NISysABP");

    aff_harness_seek(news2, stream, 0, r->event_ns);
    AFF_PUSH_ROW(news2, "in", stream, real_cell(aff_harness_real(latest, r, "respiratory_rate")),
                 real_cell(aff_harness_real(latest, r, "spo2")),
                 oxygen_cell(aff_harness_real(latest, r, "MechVent"), aff_harness_real(latest, r, "FiO2")),
                 real_cell(isnan(arterial) ? cuff : arterial), real_cell(aff_harness_real(latest, r, "heart_rate")),
                 real_cell(aff_harness_real(latest, r, "gcs")), real_cell(aff_harness_real(latest, r, "temperature")));
}

static void part_print(struct aff_harness *h, const struct aff_record *r, const char *column, char *to, size_t room)
{
    int64_t value = aff_harness_int(h, r, column);

    if (value == INT64_MIN)
        snprintf(to, room, "\t");
    else
        snprintf(to, room, "\t%d", (int)value);
}

/* One row of op_news2 as a line of the expected file, at its place there. */
static void row_note(struct icu *icu, struct aff_harness *h, const struct aff_record *r, int *at)
{
    static const char *const columns[] = { "respiration_score", "spo2_score", "oxygen_score", "systolic_score",
                                           "pulse_score", "consciousness_score", "temperature_score", "score",
                                           "missing" };
    const char *name = aff_harness_stream_info(h, r->stream)->subject_name;
    int hour = (int)(r->event_ns / (60 * MINUTE));
    char *to;
    size_t i, n;

    while (strcmp(icu->names[*at], name) != 0)
        *at = (*at + 1) % SUBJECTS;
    assert_true(hour >= 1 && hour <= HOURS && r->event_ns % (60 * MINUTE) == 0);
    to = icu->found[*at * HOURS + hour - 1];
    assert_int_equal(to[0], 0);
    n = (size_t)snprintf(to, sizeof icu->found[0], "%s\t%d", name, hour * 60);
    for (i = 0; i < sizeof columns / sizeof columns[0]; i++, n = strlen(to))
        if (i == 7 && aff_harness_int(h, r, "missing") == 7) /* the file has the sum of nothing, we have no score */
            snprintf(to + n, sizeof icu->found[0] - n, "\t0");
        else
            part_print(h, r, columns[i], to + n, sizeof icu->found[0] - n);
    icu->found_count++;
}

static void latest_push(struct aff_harness *h, uint32_t stream, const struct line *l)
{
    aff_harness_seek(h, stream, 0, l->minute * MINUTE);
    AFF_PUSH_ROW(h, "in", stream, AFF_CELL_TEXT(l->parameter), AFF_CELL_REAL(l->value));
}

static void rows_compare(struct icu *icu)
{
    int i, equal = 0;

    for (i = 0; i < ROWS; i++)
        equal += strcmp(icu->found[i], icu->expected[i]) == 0;
    printf("%d of %d rows equal\n", equal, ROWS);
    for (i = 0; i < ROWS; i++)
        assert_string_equal(icu->found[i], icu->expected[i]);
    assert_int_equal(icu->found_count, ROWS);
}

/* By time over all subjects, as a ward lives it; a merge, so that lines of one
 * minute keep their order. */
static void lines_by_time(struct line *lines, size_t n, struct line *spare)
{
    size_t half = n / 2, a = 0, b = half, i;

    if (n < 2)
        return;
    lines_by_time(lines, half, spare);
    lines_by_time(lines + half, n - half, spare);
    for (i = 0; i < n; i++)
        spare[i] = a < half && (b == n || lines[a].minute <= lines[b].minute) ? lines[a++] : lines[b++];
    memcpy(lines, spare, n * sizeof *lines);
}

static void chain_run(struct icu *icu, struct aff_harness *latest, struct aff_harness *news2)
{
    struct aff_schema schema = schema_of(long_columns, 2);
    uint32_t streams[SUBJECTS];
    const struct aff_record *r;
    size_t i;
    int at = 0;

    for (i = 0; i < SUBJECTS; i++)
        streams[i] = aff_harness_stream(latest, icu->names[i], "vitals", &schema);
    for (i = 0; i < icu->count; i++)
        latest_push(latest, streams[icu->lines[i].subject], &icu->lines[i]);
    for (i = 0; i < SUBJECTS; i++)
        aff_harness_end_stream(latest, "in", streams[i]);
    while ((r = aff_harness_take(latest, "latest")) != NULL)
        if (!(r->flags & AFF_FLAG_END))
            row_hand_on(latest, r, news2);
    aff_harness_flush(news2);
    while ((r = aff_harness_take(news2, "news2")) != NULL)
        row_note(icu, news2, r, &at);
}

static void icu_check(int by_time, uint32_t cut)
{
    struct icu *icu = icu_open();
    struct aff_harness *latest = aff_harness_open("op_latest", latest_toml);
    struct aff_harness *news2 = aff_harness_open("op_news2", news2_toml);
    struct line *spare = calloc(VALUES_MOST, sizeof *spare);

    assert_non_null(spare);
    if (by_time)
        lines_by_time(icu->lines, icu->count, spare);
    free(spare);
    aff_harness_cut(latest, cut);
    aff_harness_cut(news2, cut);
    chain_run(icu, latest, news2);
    rows_compare(icu);
    EXPECT_METRIC(latest, "late", 0);
    EXPECT_METRIC(latest, "rows", ROWS);
    EXPECT_BALANCED(latest);
    EXPECT_BALANCED(news2);
    aff_harness_close(&latest);
    aff_harness_close(&news2);
    icu_close(icu);
}

TEST(hourly_scores_of_200_stays_are_all_as_expected)
{
    icu_check(0, 64);
}

TEST(they_are_the_same_when_all_patients_come_together_in_other_batches)
{
    icu_check(1, 0);
}

AFF_TEST_MAIN(hourly_scores_of_200_stays_are_all_as_expected,
              they_are_the_same_when_all_patients_come_together_in_other_batches)
