/* SPDX-License-Identifier: Apache-2.0
 *
 * op_escalate.c - alerts to people, one after the other, until somebody takes notice.
 *
 * Takes alerts of op_alert, op_watch or another node, and makes a row for each person
 * who is to be told, when it is their turn; op_where sends it to their SMS, mail or
 * webhook. An acknowledgement or the alert's end stops it, and those who were told are
 * told that. Not a medical device: whether a message arrived, was heard and understood
 * this node cannot know; somebody has to be at the bed.
 *
 * Here: tables, opening, restart. Rows: rows.c; answers: answer.c; waiting: times.c. */
#include "escalate.h"

#include <string.h>

#define DAY_NS 86400e9
#define EVERYBODY AFF_MASK(AFF_FIELDS)

static const struct aff_option text_item[] = { AFF_OPT_ITEM(AFF_TYPE_TEXT, 0, "A word.") };
static const struct aff_option severity_item[] = {
    { "", "A class of alerts.", NULL, NULL, AFF_TYPE_ENUM, 0, 0, 1.0, -1.0, severity_names, NULL, 0, 0 }
};

#define LIST_OF(S, m, F, preset, lo, hi, item, size, D) \
    AFF__OPT(S, m, AFF_TYPE_LIST, F, preset, NULL, AFF__PAIR(lo, hi), NULL, item, 1, size, D)

static const struct aff_option step_options[] = {
    LIST_OF(struct step_config, to, AFF_OPT_REQUIRED, NULL, 1, TO_MOST, text_item, sizeof(const char *),
            "Who is told, by name; one may stand without brackets."),
    AFF_OPT_DURATION(struct step_config, after, 0, "\"0s\"", 0, 7 * DAY_NS,
                     "How long after the alert was raised, unless somebody has taken notice."),
    AFF_OPT_DURATION(struct step_config, repeat_every, 0, "\"0s\"", 0, DAY_NS, "How often they are told again; 0s: never."),
    AFF_OPT_INT(struct step_config, repeat_most, 0, "3", 1, 1000, NULL, "How often they are told again at most."),
    LIST_OF(struct step_config, severity, 0, "[\"high\", \"medium\", \"low\", \"technical\"]", 1, SEVERITIES, severity_item,
            sizeof(int32_t), "For which classes of alerts this step is; one of another class than these four is for every step."),
};

static const struct aff_option person_options[] = {
    AFF_OPT_TEXT(struct person_config, name, AFF_OPT_REQUIRED, NULL, "Who it is, such as \"nurse\" or \"on-call\"."),
    AFF_OPT_TEXT(struct person_config, number, 0, NULL,
                 "Their telephone number with its country, such as \"+39 123 4567\": told in the column number, and known "
                 "as theirs where a message comes from it."),
    AFF_OPT_TEXT(struct person_config, mail, 0, NULL, "Their mail address, told in the column mail."),
};

static const struct aff_option options[] = {
    AFF__OPT(struct config, steps, AFF_TYPE_LIST, AFF_OPT_REQUIRED, NULL, NULL, AFF__PAIR(1, STEPS_MOST), NULL,
             step_options, (uint32_t)(sizeof step_options / sizeof step_options[0]), sizeof(struct step_config),
             "Who is told when, in the order of the times."),
    AFF__OPT(struct config, people, AFF_TYPE_LIST, 0, NULL, NULL, AFF__PAIR(0, PEOPLE_MOST), NULL, person_options,
             (uint32_t)(sizeof person_options / sizeof person_options[0]), sizeof(struct person_config),
             "Whom the steps may name, and how they are reached; without it the steps' names are all that is known."),
    AFF_OPT_TEXT(struct config, text, 0, "\"{text}\"",
                 "What is told; {text}, {severity}, {state}, {rule} and {place} are the alert's, {since} the time since "
                 "when it is so (UTC), {to} and {step} who is told and why, {code} the six digits by which an answer names it, {by} who "
                 "took notice."),
    AFF_OPT_TEXT(struct config, over, 0, "\"{text}\"", "The same when it has ended or was acknowledged."),
    LIST_OF(struct config, words, 0, "[\"ok\", \"ack\"]", 1, WORDS_MOST, text_item, sizeof(const char *),
            "Words with which a message takes notice; the code follows, and may stand alone."),
    AFF_OPT_INT(struct config, most, 0, "16", 1, 256, "alerts",
                "How many alerts of one place are followed at a time; what is beyond is told to all at once."),
};

static const struct aff_column wanted_columns[] = {
    { .name = "severity", .type = AFF_TEXT, .required = 1 }, { .name = "state", .type = AFF_TEXT, .required = 1 },
    { .name = "rule", .type = AFF_TEXT, .required = 1 },     { .name = "place", .type = AFF_TEXT, .required = 1 },
    { .name = "text", .type = AFF_TEXT, .required = 1 },     { .name = "alert", .type = AFF_TEXT, .required = 1 },
};
static const struct aff_schema wanted = { .struct_size = sizeof wanted, .type = AFF_FIELDS, .name = "alerts",
                                          .columns = wanted_columns,
                                          .count = sizeof wanted_columns / sizeof wanted_columns[0],
                                          .stride = sizeof wanted_columns[0] };

static const struct aff_port inputs[] = {
    [PORT_IN] = { .name = "in",
                  .doc = "Alerts as op_alert and op_watch make them, or another node; since is optional.",
                  .schema = &wanted,
                  .types = EVERYBODY },
    [PORT_COMMANDS] = { .name = "commands",
                        .doc = "Answers: rows with action = \"acknowledge\", alert (id or code) or rule and place, and by; "
                               "messages of a modem with from and text; or what became of a row, with outcome and id (its call).",
                        .types = EVERYBODY,
                        .flags = AFF_PORT_OPTIONAL | AFF_PORT_COMMANDS },
};

static const struct aff_port outputs[] = {
    [OUT_ALERTS] = { .name = "alerts",
                     .doc = "A row for each telling of an alert to a person: the alert's columns, to, step, code, by, "
                            "the person's number and mail, and the telling's own number, call.",
                     .schema = &call_schema,
                     .types = EVERYBODY,
                     .priority = AFF_PRIO_ALARM },
    [OUT_ACKS] = { .name = "acks",
                   .doc = "A row for each acknowledgement that came here, for the commands of the node that alerts.",
                   .schema = &ack_schema,
                   .types = EVERYBODY,
                   .priority = AFF_PRIO_ALARM },
};

static const struct aff_verdict verdicts[] = {
    { "known", "The alert is raised or acknowledged already.", AFF_V_DROP, 0, 0 },
    { "acknowledged", "It is told again, and somebody has taken notice.", AFF_V_DROP, 0, 0 },
    { "nobody_told", "The end or acknowledgement of an alert of which nobody was told.", AFF_V_DROP, 0, 0 },
    { "no_step", "No step is for alerts of this severity.", AFF_V_DROP, 0, 0 },
    { "bad_alert", "A row without an id of 1 to 40 bytes, cut short, or more than 250 years from 1970.", AFF_V_DEAD, 0, 0 },
    { "unknown_alert", "The answer names no alert that is open.", AFF_V_DROP, 0, 0 },
    { "which_alert", "The answer may mean several alerts, and counts for none.", AFF_V_DROP, 0, 0 },
    { "already", "Somebody took notice before.", AFF_V_DROP, 0, 0 },
    { "stranger", "A message from a number that is nobody's.", AFF_V_DROP, 0, 0 },
    { "no_answer", "A message that begins with none of the words and is no code.", AFF_V_DROP, 0, 0 },
    { "bad_command", "The command is no acknowledgement, or names no alert.", AFF_V_DEAD, 0, 0 },
    { "stale", "A message without a code, written before the alert was raised that it would count for.", AFF_V_DROP, 0, 0 },
    { "result", "A result that changes nothing: it went well, or it is of nothing that is still open.", AFF_V_DROP, 0, 0 },
};

static const struct aff_metric metrics[METRICS] = {
    [METRIC_OPEN] = { "open", "Alerts of which nobody has taken notice.", NULL, AFF_METRIC_GAUGE, 0 },
    [METRIC_TOLD] = { "told", "Rows made, one a person and telling.", NULL, AFF_METRIC_COUNTER, 0 },
    [METRIC_ACKNOWLEDGED] = { "acknowledged", "Alerts of which somebody took notice.", NULL, AFF_METRIC_COUNTER, 0 },
    [METRIC_UNANSWERED] = { "unanswered", "Alerts that ended before anybody took notice.", NULL, AFF_METRIC_COUNTER, 0 },
    [METRIC_UNTRACKED] = { "untracked", "Alerts beyond most: told to all at once, and not followed.", NULL,
                           AFF_METRIC_COUNTER, 0 },
    [METRIC_UNREACHED] = { "unreached", "Rows that did not reach their person, as results say.", NULL, AFF_METRIC_COUNTER, 0 },
};

static aff_status escalate_validate(const void *config, const struct aff_report *report)
{
    return plan_check(config, report) ? AFF_OK : AFF_ERR_CONFIG;
}

/* ---- open and close ---- */

static void escalate_close(void *self)
{
    struct escalate *e = self;

    if (e->work)
        e->host->free(e->host, e->work);
    e->host->free(e->host, e);
}

void labels_set(struct aff_column *columns, const struct aff_schema *table, uint8_t label)
{
    uint32_t i;

    memcpy(columns, table->columns, table->count * sizeof *columns);
    for (i = 0; i < table->count; i++)
        if (table == &call_schema ? i == OUT_RULE || i == OUT_PLACE || i == OUT_TEXT || i == OUT_BY : i == ACK_BY)
            columns[i].label = label;
}

/* One schema of each output for each label that an alert may have. */
static aff_status schemas_open(struct escalate *e)
{
    struct aff_column calls[CALL_COLUMNS], acks[ACK_COLUMNS];
    struct aff_schema call = call_schema, ack = ack_schema;
    uint8_t label;

    call.columns = calls;
    ack.columns = acks;
    for (label = AFF_LABEL_NONE; label <= AFF_LABEL_PHI; label++) {
        labels_set(calls, &call_schema, label);
        labels_set(acks, &ack_schema, label);
        e->calls[label] = e->host->schema(e->host, &call);
        e->acks[label] = e->host->schema(e->host, &ack);
        if (!e->calls[label] || !e->acks[label])
            return AFF_ERR_MEMORY;
    }
    return AFF_OK;
}

static aff_status escalate_open(const struct aff_host *host, const void *config, void **ret_self)
{
    struct escalate *e = host->alloc(host, sizeof *e);
    aff_status st;

    if (!e)
        return host->explain(host, AFF_ERR_MEMORY, "no memory for the steps");
    e->host = host;
    e->wake_ns = INT64_MAX;
    plan_open(&e->plan, config);
    e->state_bytes = subject_size(&e->plan);
    e->work = host->alloc(host, e->state_bytes);
    st = e->work ? schemas_open(e) : host->explain(host, AFF_ERR_MEMORY, "no memory for a place's alerts");
    if (st == AFF_OK)
        st = host->state_open(host, e->state_bytes, 1);
    if (st < 0) {
        escalate_close(e);
        return st;
    }
    *ret_self = e;
    return AFF_OK;
}

/* ---- accounts ---- */

struct subject *subject_of(struct escalate *e, uint32_t subject)
{
    return e->host->state(e->host, subject);
}

int32_t open_count(const struct escalate *e, const struct subject *s)
{
    int32_t open = 0;
    uint32_t i;

    for (i = 0; i < e->plan.most; i++)
        open += s->alerts[i].is_open && !s->alerts[i].is_acknowledged;
    return open;
}

void tally_count(struct escalate *e)
{
    const uint64_t counts[METRICS] = { [METRIC_TOLD] = e->tally.told, [METRIC_ACKNOWLEDGED] = e->tally.acknowledged,
                                       [METRIC_UNANSWERED] = e->tally.unanswered,
                                       [METRIC_UNTRACKED] = e->tally.untracked,
                                       [METRIC_UNREACHED] = e->tally.unreached };
    uint32_t i;

    for (i = METRIC_TOLD; i < METRICS; i++)
        if (counts[i])
            e->host->count(e->host, i, counts[i]);
    e->open += e->tally.open;
    if (e->tally.open)
        e->host->gauge(e->host, METRIC_OPEN, (double)e->open);
    memset(&e->tally, 0, sizeof e->tally);
}

/* ---- restart: which places there may be; all else is in their state ---- */

/* Steps and people are others now: whom numbers stood for is not known any more, so
 * who is named now is told, rather twice than not at all. */
static void steps_forget(const struct escalate *e, struct subject *s)
{
    uint32_t i;

    for (i = 0; i < e->plan.most; i++) {
        memset(s->alerts[i].rungs, 0, sizeof s->alerts[i].rungs);
        s->alerts[i].told = 0;
        s->alerts[i].hurry = 0;
    }
}

static aff_status escalate_start(void *self)
{
    struct escalate *e = self;
    uint32_t i;

    for (i = 1; i <= e->top; i++) {
        struct subject *s = subject_of(e, i);

        if (s && e->is_new)
            steps_forget(e, s);
        e->open += s ? open_count(e, s) : 0;
    }
    if (e->open) {
        e->host->gauge(e->host, METRIC_OPEN, (double)e->open);
        e->host->log(e->host, AFF_LOG_WARN, "goes on with alerts of which nobody has taken notice: %d%s", (int)e->open,
                     e->is_new ? "; by other steps, so who is due is told once more" : "");
    }
    times_resume(e);
    return AFF_OK;
}

enum { KEPT_TOP = 1, KEPT_PLAN, KEPT_WORDS };

static aff_status escalate_snapshot(void *self, void *buffer, size_t room, size_t *ret_size)
{
    const struct escalate *e = self;
    const uint32_t words[KEPT_WORDS] = { KEPT_VERSION, e->top, plan_hash(&e->plan) };

    return words_snapshot(words, KEPT_WORDS, buffer, room, ret_size);
}

static aff_status escalate_restore(void *self, const void *buffer, size_t size)
{
    struct escalate *e = self;
    uint32_t words[KEPT_WORDS];
    aff_status st = words_restore(e->host, words, KEPT_WORDS, buffer, size);

    if (st != AFF_OK)
        return st;
    e->top = words[KEPT_TOP];
    e->is_new = words[KEPT_PLAN] != plan_hash(&e->plan);
    return AFF_OK;
}

AFF_PLUGIN_NOTE(AFF_PROCESSOR, "op_escalate", "1.0.0");

AFF_EXPORT const struct aff_plugin afferent_plugin_v1 = {
    .struct_size = sizeof(struct aff_plugin),
    .major = AFF_ABI_MAJOR,
    .minor = AFF_ABI_MINOR,
    .kind = AFF_PROCESSOR,
    .flags = AFF_ADAPTS, /* who corrects a number while an alarm is on must not end it */
    .name = "op_escalate",
    .version = "1.0.0",
    .summary = "Tells alerts to people, one after the other, until somebody takes notice.",
    .license = "Apache-2.0",
    .config_size = sizeof(struct config),
    .options = AFF_TABLE(options),
    .inputs = AFF_TABLE(inputs),
    .outputs = AFF_TABLE(outputs),
    .verdicts = AFF_TABLE(verdicts),
    .metrics = AFF_TABLE(metrics),
    .validate = escalate_validate,
    .open = escalate_open,
    .close = escalate_close,
    .start = escalate_start,
    .process = escalate_process,
    .wake = escalate_wake,
    .stream_end = escalate_stream_end,
    .snapshot = escalate_snapshot,
    .restore = escalate_restore,
    .shape = escalate_shape,
    .timer = escalate_timer,
};
