/* SPDX-License-Identifier: Apache-2.0
 *
 * op_alert.c - rules to alerts: limits, trends, silence.
 *
 * Judges the rows of each subject by up to 32 rules and tells what began, goes
 * on, ended or was acknowledged, as rows for ordinary sinks. Wording and classes
 * are those of IEC 60601-1-8; this is not a medical device, and no alarm system
 * in that standard's sense: it makes no sound and cannot tell that nobody reads.
 *
 * All times are those of the data. Several sources that are read as fast as they
 * can be run ahead of each other, and what is behind looks absent meanwhile: give
 * them a pace, or feed this node from one.
 *
 * Here: tables, opening, restart. Rows, time and ends: row.c. */
#include "op_alert.h"

#include <string.h>

static const struct aff_option number_item[] = { AFF_OPT_ITEM(AFF_TYPE_REAL, 0, "The number.") };
static const struct aff_option text_item[] = { AFF_OPT_ITEM(AFF_TYPE_TEXT, 0, "A text, compared letter by letter.") };

/* A number that may be left out: a list of none or one. */
#define OPTIONAL_NUMBER(m, D) \
    AFF__OPT(struct rule_config, m, AFF_TYPE_LIST, 0, NULL, NULL, AFF__PAIR(0, 1), NULL, number_item, 1, \
             sizeof(double), D)
#define DAY_NS 86400e9

static const struct aff_option rule_options[] = {
    AFF_OPT_TEXT(struct rule_config, name, AFF_OPT_REQUIRED, NULL, "Name of the rule, told with each alert."),
    AFF_OPT_TEXT(struct rule_config, column, 0, NULL, "Column that the rule judges; none: absence of any row."),
    OPTIONAL_NUMBER(above, "Alert when the value is greater than this."),
    OPTIONAL_NUMBER(at_least, "Alert when the value is this or greater."),
    OPTIONAL_NUMBER(below, "Alert when the value is less than this."),
    OPTIONAL_NUMBER(at_most, "Alert when the value is this or less."),
    AFF__OPT(struct rule_config, equals, AFF_TYPE_LIST, 0, NULL, NULL, AFF__PAIR(0, EQUALS_MOST), NULL, text_item, 1,
             sizeof(const char *), "Alert when a column of text is this, or one of these."),
    OPTIONAL_NUMBER(rise, "Alert when the value rises by this much within `within`, along the fitted line."),
    OPTIONAL_NUMBER(fall, "Alert when the value falls by this much within `within`, along the fitted line."),
    OPTIONAL_NUMBER(clear, "Value at which the alert ends; by default 1 % of the limit inside it, in whole units for "
                           "an integer column; for a trend half of its amount."),
    AFF_OPT_DURATION(struct rule_config, within, 0, "\"0s\"", 0, 7 * DAY_NS, "Window of time of rise and fall."),
    AFF_OPT_DURATION(struct rule_config, absent, 0, "\"0s\"", 0, 30 * DAY_NS,
                     "Alert when the column had no value for this long, or without a column, when no row came."),
    AFF_OPT_BOOL(struct rule_config, expect, "false",
                 "Whether a column may also be absent that never had a value since the subject's first row."),
    AFF_OPT_DURATION(struct rule_config, hold, 0, "\"0s\"", 0, DAY_NS,
                     "How long a condition must last, in the time of the data, before it is told."),
    AFF_OPT_ENUM(struct rule_config, severity, AFF_OPT_REQUIRED, NULL, severity_names,
                 "How urgent it is; technical is for the equipment, not the patient."),
    AFF_OPT_TEXT(struct rule_config, text, 0, "\"{rule}\"",
                 "What is told; {column} stands for the latest value, {rule}, {place}, {severity} and {subject} for "
                 "those; only what it names decides whether it identifies."),
    AFF_OPT_TEXT(struct rule_config, group, 0, NULL,
                 "Of the active rules with the same group only the most severe is told."),
    AFF_OPT_DURATION(struct rule_config, repeat_every, 0, "\"0s\"", 0, DAY_NS,
                     "How often an alert is told again until it ends or is acknowledged; 0s: never."),
    AFF_OPT_INT(struct rule_config, repeat_most, 0, "3", 1, 1000, NULL, "How often an alert is told again at most."),
};

static const struct aff_option options[] = {
    AFF_OPT_TEXT(struct config, place, AFF_OPT_REQUIRED, NULL,
                 "Where to go, such as \"bed 3\"; {subject} in it stands for the patient's name, and labels the "
                 "alerts as it is."),
    AFF__OPT(struct config, rules, AFF_TYPE_LIST, AFF_OPT_REQUIRED, NULL, NULL, AFF__PAIR(1, RULES_MOST), NULL,
             rule_options, (uint32_t)(sizeof rule_options / sizeof rule_options[0]), sizeof(struct rule_config),
             "The rules, each with one condition."),
};

static const struct aff_port inputs[] = {
    [PORT_IN] = { .name = "in",
                  .doc = "Rows with the columns that the rules name; several edges may bring them.",
                  .types = AFF_MASK(AFF_FIELDS) },
    [PORT_COMMANDS] = { .name = "commands",
                        .doc = "Rows with action = \"acknowledge\", and the id in alert, or rule and place.",
                        .types = AFF_MASK(AFF_FIELDS),
                        .flags = AFF_PORT_OPTIONAL | AFF_PORT_COMMANDS },
};

static const struct aff_port outputs[] = {
    { .name = "alerts",
      .doc = "A row for each alert that is raised, repeated, ended or acknowledged; its subject is the place.",
      .schema = &alert_schema,
      .types = AFF_MASK(AFF_FIELDS),
      .priority = AFF_PRIO_ALARM },
};

static const struct aff_verdict verdicts[] = {
    { "late", "All values of the row are older than those their rules have seen.", AFF_V_DROP, 0, 0 },
    { "unknown_alert", "The command names no alert that is active.", AFF_V_DROP, 0, 0 },
    { "bad_command", "The command is no acknowledgement, or names neither an alert nor rule and place.", AFF_V_DEAD, 0,
      0 },
};

static const struct aff_metric metrics[] = {
    [METRIC_ACTIVE] = { "active", "Alerts that are told and not ended.", NULL, AFF_METRIC_GAUGE, 0 },
    [METRIC_RAISED] = { "raised", "Alerts raised.", NULL, AFF_METRIC_COUNTER, 0 },
    [METRIC_REPEATED] = { "repeated", "Times that an alert was told again.", NULL, AFF_METRIC_COUNTER, 0 },
    [METRIC_ACKNOWLEDGED] = { "acknowledged", "Alerts acknowledged.", NULL, AFF_METRIC_COUNTER, 0 },
};

static aff_status alerts_validate(const void *config, const struct aff_report *report)
{
    return rules_check(config, report) ? AFF_OK : AFF_ERR_CONFIG;
}

/* ---- open and close ---- */

static void alerts_close(void *self)
{
    struct alerts *a = self;

    if (a->work)
        a->host->free(a->host, a->work);
    a->host->free(a->host, a);
}

/* One schema for each label that a text may have; the label of the place is the
 * subject's, which is taken for the highest. */
static aff_status schemas_open(struct alerts *a)
{
    struct aff_column columns[OUT_COLUMNS];
    struct aff_schema schema = alert_schema;
    uint8_t label;

    memcpy(columns, alert_columns, sizeof columns);
    schema.columns = columns;
    columns[OUT_PLACE].label = a->plan.place_of_subject ? AFF_LABEL_PHI : AFF_LABEL_NONE;
    for (label = AFF_LABEL_NONE; label <= AFF_LABEL_PHI; label++) {
        columns[OUT_TEXT].label = label;
        a->schemas[label] = a->host->schema(a->host, &schema);
        if (!a->schemas[label])
            return AFF_ERR_MEMORY;
    }
    return AFF_OK;
}

static uint64_t name_add(uint64_t hash, const char *name)
{
    return hash * 31 + text_hash(name ? name : "");
}

/* What must be the same for what is known of a subject to be of these rules: which there
 * are, on what, and where. Limits, times, severities and texts may be others: who corrects
 * a limit while an alarm is on ends it by the next value, or not at all. */
static uint32_t rules_hash(const struct plan *p, const char *place)
{
    uint64_t hash = name_add(p->rule_count, place);
    uint32_t i;

    for (i = 0; i < p->rule_count; i++) {
        const struct rule *r = &p->rules[i];

        hash = name_add(name_add(name_add(hash, r->config->name), r->config->column), r->config->group);
        hash = (hash * 31 + r->kind) * 31 + (uint64_t)r->part_ns;
    }
    for (i = 0; i < p->column_count; i++)
        hash = name_add(hash, p->columns[i].name) * 31 + (uint64_t)(p->columns[i].value + 1);
    return (uint32_t)(hash ^ hash >> 32);
}

static aff_status alerts_open(const struct aff_host *host, const void *config, void **ret_self)
{
    struct alerts *a = host->alloc(host, sizeof *a);
    aff_status st;

    if (!a)
        return host->explain(host, AFF_ERR_MEMORY, "no memory for the rules");
    a->host = host;
    plan_open(&a->plan, config);
    a->rules = rules_hash(&a->plan, ((const struct config *)config)->place);
    a->state_bytes = view_size(&a->plan);
    a->work = host->alloc(host, a->state_bytes);
    st = a->work ? schemas_open(a) : AFF_ERR_MEMORY;
    if (st == AFF_OK)
        st = host->state_open(host, a->state_bytes, 1);
    if (st < 0) {
        alerts_close(a);
        return st;
    }
    *ret_self = a;
    return AFF_OK;
}

/* After a restart the alerts that are told are counted again. */
static aff_status alerts_start(void *self)
{
    struct alerts *a = self;
    struct view v;
    uint32_t i;

    for (i = 1; i <= a->top; i++)
        if (alert_view(a, i, &v))
            a->active += alert_active(a, &v);
    if (a->active)
        a->host->gauge(a->host, METRIC_ACTIVE, (double)a->active);
    return AFF_OK;
}

/* ---- restart: which subjects there may be; all else is in their state ---- */

enum { KEPT_TOP = 1, KEPT_TOLD, KEPT_RULES, KEPT_WORDS };

static aff_status alerts_snapshot(void *self, void *buffer, size_t room, size_t *ret_size)
{
    const struct alerts *a = self;
    const uint32_t words[KEPT_WORDS] = { KEPT_VERSION, a->top, a->has_told, a->rules };

    return words_snapshot(words, KEPT_WORDS, buffer, room, ret_size);
}

static aff_status alerts_restore(void *self, const void *buffer, size_t size)
{
    struct alerts *a = self;
    uint32_t words[KEPT_WORDS];
    aff_status st = words_restore(a->host, words, KEPT_WORDS, buffer, size);

    if (st != AFF_OK)
        return st;
    if (words[KEPT_RULES] != a->rules)
        return a->host->explain(a->host, AFF_ERR_DATA, "its rules, their columns or its place are others, so alerts begin anew");
    a->top = words[KEPT_TOP];
    a->has_told = words[KEPT_TOLD] != 0;
    return AFF_OK;
}

AFF_PLUGIN_NOTE(AFF_PROCESSOR, "op_alert", "1.0.0");

AFF_EXPORT const struct aff_plugin afferent_plugin_v1 = {
    .struct_size = sizeof(struct aff_plugin),
    .major = AFF_ABI_MAJOR,
    .minor = AFF_ABI_MINOR,
    .kind = AFF_PROCESSOR,
    .flags = AFF_ADAPTS, /* see rules_hash */
    .name = "op_alert",
    .version = "1.0.0",
    .summary = "Turns rules on rows into alerts: limits, trends, absence of data.",
    .license = "Apache-2.0",
    .config_size = sizeof(struct config),
    .options = AFF_TABLE(options),
    .inputs = AFF_TABLE(inputs),
    .outputs = AFF_TABLE(outputs),
    .verdicts = AFF_TABLE(verdicts),
    .metrics = AFF_TABLE(metrics),
    .validate = alerts_validate,
    .open = alerts_open,
    .close = alerts_close,
    .start = alerts_start,
    .process = alerts_process,
    .stream_end = alerts_stream_end,
    .drain = alerts_drain,
    .snapshot = alerts_snapshot,
    .restore = alerts_restore,
    .shape = alerts_shape,
    .timer = alerts_timer,
};
