/* test_alerts.h - rows of vital signs and what to expect of them, for the tests. */
#ifndef OP_ALERT_TEST_ALERTS_H
#define OP_ALERT_TEST_ALERTS_H

#include <afferent/testkit.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#define S INT64_C(1000000000)
#define NOON (INT64_C(1772712000) * S)

enum { SPO2, HEART_RATE, SCORE, BAND, CONSCIOUSNESS, NAME, VITALS };
static const struct aff_column vital_columns[VITALS] = {
    { .name = "spo2", .unit = "%", .type = AFF_REAL },
    { .name = "heart_rate", .unit = "/min", .type = AFF_INT },
    { .name = "score", .type = AFF_INT },
    { .name = "band", .type = AFF_TEXT },
    { .name = "consciousness", .type = AFF_TEXT, .label = AFF_LABEL_QUASI },
    { .name = "name", .type = AFF_TEXT, .label = AFF_LABEL_PHI },
};
static const struct aff_schema vitals = { .struct_size = sizeof vitals, .type = AFF_FIELDS, .name = "vitals",
                                          .columns = vital_columns, .count = VITALS,
                                          .stride = sizeof vital_columns[0] };

static const struct aff_column command_columns[] = {
    { .name = "alert", .type = AFF_TEXT }, { .name = "rule", .type = AFF_TEXT },
    { .name = "place", .type = AFF_TEXT }, { .name = "action", .type = AFF_TEXT },
    { .name = "by", .type = AFF_TEXT, .label = AFF_LABEL_PHI },
};
static const struct aff_schema commands = { .struct_size = sizeof commands, .type = AFF_FIELDS, .name = "commands",
                                            .columns = command_columns, .count = 5,
                                            .stride = sizeof command_columns[0] };

/* A row of one subject, all of it missing but one column. `at` is in seconds
 * from noon. */
static inline void push_cell(struct aff_harness *h, const char *subject, double at, int column, struct aff_cell cell)
{
    uint32_t stream = aff_harness_stream(h, subject, "vitals", &vitals);
    struct aff_cell cells[VITALS];

    memset(cells, 0, sizeof cells);
    if (column >= 0)
        cells[column] = cell;
    aff_harness_seek(h, stream, 0, NOON + (int64_t)llround(at * 1e9));
    aff_harness_push_row(h, "in", stream, cells, VITALS);
}

static inline void push_spo2(struct aff_harness *h, double at, double value)
{
    push_cell(h, "Ann", at, SPO2, (struct aff_cell)AFF_CELL_REAL(value));
}

static inline void push_score(struct aff_harness *h, double at, int64_t value)
{
    push_cell(h, "Ann", at, SCORE, (struct aff_cell)AFF_CELL_INT(value));
}

static inline void push_none(struct aff_harness *h, double at)
{
    push_cell(h, "Ann", at, -1, (struct aff_cell)AFF_CELL_NONE);
}

static inline void push_command(struct aff_harness *h, const char *alert, const char *rule, const char *place)
{
    uint32_t stream = aff_harness_stream(h, "desk", "commands", &commands);
    struct aff_cell cells[5];

    memset(cells, 0, sizeof cells);
    if (alert)
        cells[0] = (struct aff_cell)AFF_CELL_TEXT(alert);
    if (rule)
        cells[1] = (struct aff_cell)AFF_CELL_TEXT(rule);
    if (place)
        cells[2] = (struct aff_cell)AFF_CELL_TEXT(place);
    cells[3] = (struct aff_cell)AFF_CELL_TEXT("acknowledge");
    cells[4] = (struct aff_cell)AFF_CELL_TEXT("Nurse Joy");
    aff_harness_push_row(h, "commands", stream, cells, 5);
}

/* The next alert is "state severity rule: text" and of this second. */
static inline const struct aff_record *expect_alert(struct aff_harness *h, double at, const char *wanted)
{
    const struct aff_record *r = aff_harness_take(h, "alerts");
    char line[512];

    if (!r)
        fail_msg("nothing came; expected %s", wanted);
    (void)snprintf(line, sizeof line, "%s %s %s: %s", aff_harness_text(h, r, "state"),
                   aff_harness_text(h, r, "severity"), aff_harness_text(h, r, "rule"), aff_harness_text(h, r, "text"));
    assert_string_equal(line, wanted);
    assert_int_equal(r->event_ns - NOON, (int64_t)llround(at * 1e9));
    assert_int_equal(strlen(aff_harness_text(h, r, "alert")), 16);
    return r;
}

#endif
