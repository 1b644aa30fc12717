/* test_calls.h - alerts of beds, and what to expect of whom is told, for the tests. */
#ifndef OP_ESCALATE_TEST_CALLS_H
#define OP_ESCALATE_TEST_CALLS_H

#include <afferent/testkit.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#define S INT64_C(1000000000)
#define NOON (INT64_C(1772712000) * S)
#define MINUTE 60.0
#define HOUR 3600.0

/* The nurse at once, the doctor after two minutes, on-call after five, three times more. */
#define STEPS "steps = [{ to = \"nurse\" }, { to = \"doctor\", after = \"2min\" }, { to = \"on-call\", after = \"5min\", " \
              "repeat_every = \"5min\", repeat_most = 3 }]\n"
#define PEOPLE "people = [{ name = \"nurse\", number = \"+39 111\" }, { name = \"doctor\", number = \"0039222\" }, " \
               "{ name = \"on-call\", number = \"+39-333\", mail = \"on-call@example.org\" }]\n"

enum { SEVERITY, STATE, RULE, PLACE, WHAT, ALERT, SINCE, COUNT, ALERTS };
static const struct aff_column row_columns[ALERTS] = {
    { .name = "severity", .type = AFF_TEXT }, { .name = "state", .type = AFF_TEXT },
    { .name = "rule", .type = AFF_TEXT },     { .name = "place", .type = AFF_TEXT },
    { .name = "text", .type = AFF_TEXT },     { .name = "alert", .type = AFF_TEXT },
    { .name = "since", .type = AFF_TIME },    { .name = "count", .type = AFF_INT },
};
static const struct aff_schema rows = { .struct_size = sizeof rows, .type = AFF_FIELDS, .name = "alerts",
                                        .columns = row_columns, .count = ALERTS, .stride = sizeof row_columns[0] };

static const struct aff_column ack_columns[] = {
    { .name = "alert", .type = AFF_TEXT }, { .name = "rule", .type = AFF_TEXT }, { .name = "place", .type = AFF_TEXT },
    { .name = "action", .type = AFF_TEXT }, { .name = "by", .type = AFF_TEXT },
};
static const struct aff_schema acks = { .struct_size = sizeof acks, .type = AFF_FIELDS, .name = "commands",
                                        .columns = ack_columns, .count = 5, .stride = sizeof ack_columns[0] };

static const struct aff_column message_columns[] = {
    { .name = "from", .type = AFF_TEXT, .label = AFF_LABEL_PHI }, { .name = "text", .type = AFF_TEXT, .label = AFF_LABEL_PHI },
};
static const struct aff_schema messages = { .struct_size = sizeof messages, .type = AFF_FIELDS, .name = "messages",
                                            .columns = message_columns, .count = 2, .stride = sizeof message_columns[0] };

/* As a modem gives them: when a message was written, and what became of one. */
static const struct aff_column dated_columns[] = {
    { .name = "from", .type = AFF_TEXT }, { .name = "text", .type = AFF_TEXT }, { .name = "time", .type = AFF_TIME },
};
static const struct aff_schema dated = { .struct_size = sizeof dated, .type = AFF_FIELDS, .name = "messages",
                                         .columns = dated_columns, .count = 3, .stride = sizeof dated_columns[0] };

static const struct aff_column result_columns[] = {
    { .name = "outcome", .type = AFF_TEXT }, { .name = "id", .type = AFF_INT },
    { .name = "to", .type = AFF_TEXT, .label = AFF_LABEL_PHI },
};
static const struct aff_schema results = { .struct_size = sizeof results, .type = AFF_FIELDS, .name = "results",
                                           .columns = result_columns, .count = 3, .stride = sizeof result_columns[0] };

struct row {
    const char *bed, *id, *state, *severity;
    double at; /* seconds from noon */
    uint8_t clock;
};

static inline void put_text(struct aff_row *row, uint32_t column, const char *text)
{
    aff_row_put_text(row, column, text, (uint32_t)strlen(text));
}

static inline aff_status push(struct aff_harness *h, const struct row *r)
{
    _Alignas(16) char bytes[512];
    struct aff_record record = { .stream = aff_harness_stream(h, r->bed, "alerts", &rows), .data = bytes,
                                 .event_ns = NOON + (int64_t)llround(r->at * 1e9),
                                 .clock = r->clock ? r->clock : AFF_CLOCK_RECORDED };
    struct aff_row row = aff_row_begin(&record, ALERTS);

    put_text(&row, SEVERITY, r->severity);
    put_text(&row, STATE, r->state);
    put_text(&row, RULE, "low");
    put_text(&row, PLACE, r->bed);
    put_text(&row, WHAT, "SpO2 84 %");
    put_text(&row, ALERT, r->id);
    aff_row_put_int(&row, SINCE, NOON);
    aff_row_put_int(&row, COUNT, 0);
    record.size = aff_row_end(&row);
    return aff_harness_push_record(h, "in", &record);
}

/* What bed 3's alert "a1" does. */
static inline void a1(struct aff_harness *h, double at, const char *state)
{
    push(h, &(struct row){ "bed 3", "a1", state, "high", at, 0 });
}

static inline void push_ack(struct aff_harness *h, const char *alert, const char *by)
{
    uint32_t stream = aff_harness_stream(h, "desk", "commands", &acks);

    struct aff_cell cells[5] = { [3] = AFF_CELL_TEXT("acknowledge") };

    if (alert)
        cells[0] = (struct aff_cell)AFF_CELL_TEXT(alert);
    if (by)
        cells[4] = (struct aff_cell)AFF_CELL_TEXT(by);
    aff_harness_push_row(h, "commands", stream, cells, 5);
}

static inline void push_sms(struct aff_harness *h, const char *from, const char *text)
{
    uint32_t stream = aff_harness_stream(h, "modem", "messages", &messages);

    AFF_PUSH_ROW(h, "commands", stream, AFF_CELL_TEXT(from), AFF_CELL_TEXT(text));
}

static inline void push_dated_sms(struct aff_harness *h, const char *from, const char *text, int64_t written_ns)
{
    AFF_PUSH_ROW(h, "commands", aff_harness_stream(h, "modem", "messages", &dated), AFF_CELL_TEXT(from), AFF_CELL_TEXT(text),
                 AFF_CELL_INT(written_ns));
}

static inline void push_result(struct aff_harness *h, const char *outcome, int64_t call)
{
    AFF_PUSH_ROW(h, "commands", aff_harness_stream(h, "modem", "results", &results), AFF_CELL_TEXT(outcome),
                 AFF_CELL_INT(call), AFF_CELL_TEXT("+39111"));
}

/* The next row is "TO STATE STEP" and of this second. */
static inline const struct aff_record *expect_call(struct aff_harness *h, double at, const char *wanted)
{
    const struct aff_record *r = aff_harness_take(h, "alerts");
    char line[200];

    if (!r)
        fail_msg("nobody was told; expected %s", wanted);
    (void)snprintf(line, sizeof line, "%s %s %d", aff_harness_text(h, r, "to"), aff_harness_text(h, r, "state"),
                   (int)aff_harness_int(h, r, "step"));
    assert_string_equal(line, wanted);
    if (!isnan(at))
        assert_int_equal(r->event_ns - NOON, (int64_t)llround(at * 1e9));
    return r;
}

static inline void close_balanced(struct aff_harness *h)
{
    EXPECT_NOTHING(h, "alerts");
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

#endif
