/* SPDX-License-Identifier: Apache-2.0
 *
 * op_watch.c - care for devices: what misbehaves is found, told, and put right
 * where a command can.
 *
 * Watches streams for silence, flat lines, values out of range or missing, marks of
 * doubt and bad frames, by up to 32 rules with hysteresis. What is found is an
 * event; it may send the device a command (reset), at most so often, and may alert
 * people, at once or when commands did not help. The data itself passes unchanged.
 *
 * All times are those of the data. Not for clinical use: whether the patient is
 * well is for op_alert.
 *
 * Here: tables, opening, restart. Records and time: process.c. */
#include "watch.h"

#include <string.h>

static const char *const severity_choices[] = { "none", "high", "medium", "low", "technical", NULL };
static const char *const alert_choices[] = { "raised", "escalated", NULL };
static const struct aff_option number_item[] = { AFF_OPT_ITEM(AFF_TYPE_REAL, 0, "The number.") };

#define DAY_NS 86400e9
#define RULE(name, D, preset, type, flags, m, lo, hi, choices) \
    { name, D, NULL, preset, type, flags, (uint32_t)offsetof(struct rule_config, m), lo, hi, choices, NULL, 0, 0 }
/* A number that may be left out: a list of none or one. */
#define OPTIONAL_NUMBER(m, D) \
    AFF__OPT(struct rule_config, m, AFF_TYPE_LIST, 0, NULL, NULL, AFF__PAIR(0, 1), NULL, number_item, 1, \
             sizeof(double), D)

static const struct aff_option rule_options[] = {
    AFF_OPT_TEXT(struct rule_config, name, AFF_OPT_REQUIRED, NULL, "Name of the rule, told with what it finds."),
    AFF_OPT_ENUM(struct rule_config, kind, AFF_OPT_REQUIRED, NULL, kind_names,
                 "What is watched for: no record (silent), a value that does not change (flat), one outside of low and "
                 "high (out_of_range), none where one should be (missing), records marked SUSPECT (suspect), bad "
                 "frames that the device's events tell of (bad_rate), or an event by its word (event)."),
    AFF_OPT_TEXT(struct rule_config, column, 0, "\"\"",
                 "The column of rows or channel of samples that is judged; of kind bad_rate the events' column with "
                 "the number of bad frames, count if empty."),
    AFF_OPT_TEXT(struct rule_config, stream, 0, "\"\"", "Name of the stream that the rule is for; every one if empty."),
    AFF_OPT_TEXT(struct rule_config, beside, 0, "\"\"",
                 "Only rows that have a value in this column are judged: where rows of several kinds are mixed, a "
                 "value is missing only in its own."),
    RULE("for", "How long it must last, in the time of the data, before it is raised.", "\"0s\"", AFF_TYPE_DURATION, 0,
         hold, 0, DAY_NS, NULL),
    AFF_OPT_DURATION(struct rule_config, clear_for, 0, "\"0s\"", 0, DAY_NS,
                     "How long all must be well again before it is cleared."),
    OPTIONAL_NUMBER(low, "Of kind out_of_range: the least value that is well."),
    OPTIONAL_NUMBER(high, "Of kind out_of_range: the greatest value that is well."),
    AFF_OPT_REAL(struct rule_config, tolerance, 0, "0.0", 0, 1e300, NULL,
                 "Of kind flat: by how much a value may move and still counts as unchanged."),
    AFF_OPT_TEXT(struct rule_config, event, 0, "\"\"", "Of kind event: the word in the events' column kind that begins it."),
    AFF_OPT_TEXT(struct rule_config, until, 0, "\"\"", "Of kind event: the word that ends it."),
    AFF_OPT_DURATION(struct rule_config, within, 0, "\"60s\"", 1e9, DAY_NS,
                     "Of kind bad_rate: in which time bad frames are counted."),
    AFF_OPT_INT(struct rule_config, most, 0, "0", 0, 1000000000, "frames",
                "Of kind bad_rate: how many bad frames within that time are still well."),
    AFF_OPT_TEXT(struct rule_config, command, 0, "\"\"",
                 "What is sent to the device on port commands when it is raised, such as \"reset\"; nothing if empty."),
    AFF_OPT_DURATION(struct rule_config, retry_every, 0, "\"30s\"", 1e6, DAY_NS,
                     "How long after a command the next one follows while nothing has changed."),
    AFF_OPT_INT(struct rule_config, command_most, 0, "3", 1, COMMANDS_MOST, NULL,
                "How many commands are sent within command_within; then it is escalated."),
    AFF_OPT_DURATION(struct rule_config, command_within, 0, "\"10min\"", 1e6, 7 * DAY_NS,
                     "In which time at most command_most commands are sent."),
    AFF_OPT_ENUM(struct rule_config, severity, 0, "\"none\"", severity_choices,
                 "How urgent an alert of it is; technical is for the equipment, not the patient; none: no alert."),
    AFF_OPT_ENUM(struct rule_config, alert, 0, "\"raised\"", alert_choices,
                 "When people are told: as soon as it is raised, or only when commands did not help (escalated)."),
    AFF_OPT_TEXT(struct rule_config, text, 0, "\"\"", "What the alert says; the rule's name if empty."),
};

static const struct aff_option options[] = {
    AFF__OPT(struct config, rules, AFF_TYPE_LIST, AFF_OPT_REQUIRED, NULL, NULL, AFF__PAIR(1, RULES_MOST), NULL,
             rule_options, (uint32_t)(sizeof rule_options / sizeof rule_options[0]), sizeof(struct rule_config),
             "What is watched for, on each stream by itself."),
    AFF_OPT_TEXT(struct config, place, 0, "\"\"",
                 "Where to go, such as \"bed 3\": the subject of alerts and commands, \"device\" if empty; {subject} in it "
                 "stands for the device's subject, and labels them as it is."),
    AFF_OPT_TEXT(struct config, stream, 0, "\"device\"",
                 "What the streams that come out begin with, as \"device/events\"; two such nodes in a pipeline need two."),
};

#define ANY (AFF_MASK(AFF_BYTES) | AFF_MASK(AFF_FIELDS) | AFF_MASK(AFF_SAMPLES) | AFF_MASK(AFF_IMAGE))

static const struct aff_port inputs[] = {
    [PORT_IN] = { .name = "in", .doc = "Data of devices, of any kind and from any number of edges.", .types = ANY },
    [PORT_EVENTS] = { .name = "events", .doc = "Events of a device: rows with a column kind, such as \"line_lost\".",
                      .types = AFF_MASK(AFF_FIELDS), .flags = AFF_PORT_OPTIONAL },
};

static const struct aff_port outputs[] = {
    [OUT_PASS] = { .name = "out", .doc = "What came in, unchanged.", .types = ANY, .passes = AFF_PASSES(PORT_IN),
                   .priority = AFF_PRIO_VITALS },
    [OUT_EVENTS] = { .name = "events",
                     .doc = "A row for each rule that is raised, cleared, commanded or escalated, with the number of "
                            "commands sent so far.",
                     .schema = &event_schema, .types = AFF_MASK(AFF_FIELDS), .priority = AFF_PRIO_VITALS },
    [OUT_COMMANDS] = { .name = "commands", .doc = "A row for each command to the device: its text in the column command.",
                       .schema = &command_schema, .types = AFF_MASK(AFF_FIELDS), .priority = AFF_PRIO_ALARM },
    [OUT_ALERTS] = { .name = "alerts", .doc = "Alerts with the columns of op_alert; their subject is the place.",
                     .schema = &alert_schema, .types = AFF_MASK(AFF_FIELDS), .priority = AFF_PRIO_ALARM },
};

static const struct aff_verdict verdicts[] = {
    { "bad_event", "An event without its column kind, or shorter than its schema says.", AFF_V_DEAD, 0, 0 },
};

static const struct aff_metric metrics[METRICS] = {
    [METRIC_ACTIVE] = { "active", "Rules that are raised and not cleared.", NULL, AFF_METRIC_GAUGE, 0 },
    [METRIC_RAISED] = { "raised", "Times that a rule was raised.", NULL, AFF_METRIC_COUNTER, 0 },
    [METRIC_CLEARED] = { "cleared", "Times that a rule was cleared.", NULL, AFF_METRIC_COUNTER, 0 },
    [METRIC_COMMANDS] = { "commands", "Commands sent to devices.", NULL, AFF_METRIC_COUNTER, 0 },
    [METRIC_ESCALATED] = { "escalated", "Times that commands did not help.", NULL, AFF_METRIC_COUNTER, 0 },
    [METRIC_UNWATCHED] = { "unwatched", "Records of streams beyond the 16 of a subject that are watched.", NULL,
                           AFF_METRIC_COUNTER, 0 },
};

static aff_status watch_validate(const void *config, const struct aff_report *report)
{
    return rules_check(config, report) ? AFF_OK : AFF_ERR_CONFIG;
}

/* ---- open and close ---- */

static void watch_close(void *self)
{
    struct watch *w = self;

    if (w->work)
        w->host->free(w->host, w->work);
    w->host->free(w->host, w);
}

static aff_status schemas_open(struct watch *w)
{
    struct aff_column columns[OUT_COLUMNS];
    struct aff_schema alerts = alert_schema;

    memcpy(columns, alert_columns, sizeof columns);
    columns[OUT_PLACE].label = w->plan.place_of_subject ? AFF_LABEL_PHI : AFF_LABEL_NONE;
    alerts.columns = columns;
    w->schemas[OUT_EVENTS] = w->host->schema(w->host, &event_schema);
    w->schemas[OUT_COMMANDS] = w->host->schema(w->host, &command_schema);
    w->schemas[OUT_ALERTS] = w->host->schema(w->host, &alerts);
    return w->schemas[OUT_EVENTS] && w->schemas[OUT_COMMANDS] && w->schemas[OUT_ALERTS] ? AFF_OK : AFF_ERR_MEMORY;
}

static aff_status watch_open(const struct aff_host *host, const void *config, void **ret_self)
{
    struct watch *w = host->alloc(host, sizeof *w);
    aff_status st;

    if (!w)
        return host->explain(host, AFF_ERR_MEMORY, "no memory for the rules");
    w->host = host;
    plan_open(&w->plan, config);
    w->state_bytes = sizeof(struct subject) + (size_t)SLOTS * w->plan.count * sizeof(struct rule_state);
    w->work = host->alloc(host, w->state_bytes);
    st = w->work ? schemas_open(w) : AFF_ERR_MEMORY;
    if (st == AFF_OK)
        st = host->state_open(host, w->state_bytes, 1);
    if (st < 0) {
        watch_close(w);
        return st;
    }
    *ret_self = w;
    return AFF_OK;
}

/* After a restart what is raised is counted again. */
static aff_status watch_start(void *self)
{
    struct watch *w = self;
    uint32_t i;

    for (i = 1; i <= w->top; i++) {
        struct subject *s = w->host->state(w->host, i);

        w->active += s ? watch_active(w, s) : 0;
    }
    if (w->active)
        w->host->gauge(w->host, METRIC_ACTIVE, (double)w->active);
    return AFF_OK;
}

/* ---- restart: which subjects there may be; all else is in their state ---- */

enum { KEPT_TOP = 1, KEPT_COMMANDS, KEPT_ALERTS, KEPT_WORDS };

static aff_status watch_snapshot(void *self, void *buffer, size_t room, size_t *ret_size)
{
    const struct watch *w = self;
    const uint32_t words[KEPT_WORDS] = { KEPT_VERSION, w->top, w->has_commands, w->has_alerts };

    return words_snapshot(words, KEPT_WORDS, buffer, room, ret_size);
}

static aff_status watch_restore(void *self, const void *buffer, size_t size)
{
    struct watch *w = self;
    uint32_t words[KEPT_WORDS];
    aff_status st = words_restore(w->host, words, KEPT_WORDS, buffer, size);

    if (st != AFF_OK)
        return st;
    w->top = words[KEPT_TOP];
    w->has_commands = words[KEPT_COMMANDS] != 0;
    w->has_alerts = words[KEPT_ALERTS] != 0;
    return AFF_OK;
}

AFF_PLUGIN_NOTE(AFF_PROCESSOR, "op_watch", "1.0.0");

AFF_EXPORT const struct aff_plugin afferent_plugin_v1 = {
    .struct_size = sizeof(struct aff_plugin),
    .major = AFF_ABI_MAJOR,
    .minor = AFF_ABI_MINOR,
    .kind = AFF_PROCESSOR,
    .name = "op_watch",
    .version = "1.0.0",
    .summary = "Watches devices: silence, flat lines, bad frames and the like become events, commands and alerts.",
    .license = "Apache-2.0",
    .config_size = sizeof(struct config),
    .options = AFF_TABLE(options),
    .inputs = AFF_TABLE(inputs),
    .outputs = AFF_TABLE(outputs),
    .verdicts = AFF_TABLE(verdicts),
    .metrics = AFF_TABLE(metrics),
    .validate = watch_validate,
    .open = watch_open,
    .close = watch_close,
    .start = watch_start,
    .process = watch_process,
    .stream_end = watch_stream_end,
    .drain = watch_drain,
    .snapshot = watch_snapshot,
    .restore = watch_restore,
    .shape = watch_shape,
    .timer = watch_timer,
};
