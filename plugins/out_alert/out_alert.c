/* SPDX-License-Identifier: Apache-2.0
 *
 * out_alert.c - alerts to people: a line on stderr, the log, a command.
 *
 * Each message says that it is not for clinical use: this is no alarm system, it
 * cannot know whether anybody reads. A line is written as soon as the alert is
 * there, before any command runs, and once, also where the alert is offered again
 * because a command failed. The log gets class, state, rule and id, never text or
 * place, which may lead to a patient.
 *
 * What a command does with an alert is unknown, so this sink counts as one that
 * leaves the node: labelled columns in texts are refused at `check`.
 *
 * Not here: forms (message.c), stderr (say.c), commands (queue.c, job.c). */
#include <afferent/plugin.h>

#include <string.h>

#include "message.h"
#include "queue.h"
#include "say.h"

enum { TO_STDERR, TO_LOG };
static const char *const targets[] = { "stderr", "log", NULL };

struct config {
    struct aff_list to;       /* int32_t */
    struct aff_list command;  /* const char * */
    struct aff_list severity; /* int32_t */
    struct aff_list state;    /* int32_t */
    int64_t timeout, at_once;
};

#define ITEM_OF(choices, D) { "", D, NULL, NULL, AFF_TYPE_ENUM, 0, 0, 1.0, -1.0, choices, NULL, 0, 0 }
static const struct aff_option to_item[] = { ITEM_OF(targets, "A place for a line.") };
static const struct aff_option severity_item[] = { ITEM_OF(severity_names, "A class of alerts.") };
static const struct aff_option state_item[] = { ITEM_OF(state_names, "A state of alerts.") };
static const struct aff_option command_item[] = { AFF_OPT_ITEM(AFF_TYPE_TEXT, 0, "The program, then its arguments.") };

#define LIST_OF(m, preset, lo, hi, item, type, D) \
    AFF__OPT(struct config, m, AFF_TYPE_LIST, 0, preset, NULL, AFF__PAIR(lo, hi), NULL, item, 1, sizeof(type), D)

static const struct aff_option options[] = {
    LIST_OF(to, "[\"stderr\"]", 0, 2, to_item, int32_t,
            "Where a line is written: stderr, and log (class, state, rule and id only)."),
    LIST_OF(command, NULL, 0, ARGS_MOST, command_item, const char *,
            "Program to run for each alert, with its arguments, without a shell; {message}, {text}, {severity}, "
            "{place}, {rule}, {state}, {alert}, {time}, {since} and {count} are filled in, and the alert is a line of "
            "JSON on its standard input."),
    AFF_OPT_DURATION(struct config, timeout, 0, "\"10s\"", 1e6, 300e9,
                     "How long a command may run before it is killed and tried again."),
    AFF_OPT_INT(struct config, at_once, 0, "4", 1, AT_ONCE_MOST, "commands", "How many commands run at the same time."),
    LIST_OF(severity, "[\"high\", \"medium\", \"low\", \"technical\"]", 1, SEVERITIES, severity_item, int32_t,
            "Classes that are told; what has none of ours is told always."),
    LIST_OF(state, "[\"raised\", \"repeated\", \"ended\", \"acknowledged\"]", 1, STATES, state_item, int32_t,
            "States that are told; what has none of ours is told always."),
};

static const struct aff_column alert_columns[] = {
    { .name = "severity", .type = AFF_TEXT, .required = 1 },
    { .name = "rule", .type = AFF_TEXT, .required = 1 },
    { .name = "place", .type = AFF_TEXT, .required = 1 },
    { .name = "text", .type = AFF_TEXT, .required = 1 },
};

static const struct aff_schema alert_schema = {
    .struct_size = sizeof(struct aff_schema),
    .type = AFF_FIELDS,
    .name = "alerts",
    .columns = alert_columns,
    .count = sizeof alert_columns / sizeof alert_columns[0],
    .stride = sizeof(struct aff_column),
};

static const struct aff_port inputs[] = {
    { .name = "in",
      .doc = "Alerts: severity, rule, place and text; state, alert, since and count where they are there.",
      .schema = &alert_schema,
      .types = AFF_MASK(AFF_FIELDS) },
};

enum { VERDICT_FILTERED = 1 };
static const struct aff_verdict verdicts[] = {
    { "filtered", "The alert is of a class or state that is not told here.", AFF_V_DROP, 0, 0 },
};

enum { METRIC_TOLD, METRIC_COMMANDS, METRIC_FAILED, METRIC_UNWRITTEN };
static const struct aff_metric metrics[] = {
    { "told", "Alerts that were told.", NULL, AFF_METRIC_COUNTER, 0 },
    { "commands", "Commands that were started.", NULL, AFF_METRIC_COUNTER, 0 },
    { "commands_failed", "Commands that failed, were late or could not be started.", NULL, AFF_METRIC_COUNTER, 0 },
    { "lines_lost", "Lines that stderr did not take, while a command told the alert.", NULL, AFF_METRIC_COUNTER, 0 },
};

enum { SAID_MOST = 64 };

struct sink {
    const struct aff_host *host;
    const struct config *config;
    uint32_t severities, states; /* masks of what is told */
    bool to_stderr, to_log;
    enum say_where where;
    struct columns columns; /* of the latest schema */
    bool rule_is_plain;     /* the rule's column has no label */
    /* Alerts that were said and not taken yet: the host offers them again. */
    struct aff_id said[SAID_MOST];
    uint32_t said_count;
    struct queue queue;
};

/* ---- opening ---- */

static bool args_check(const struct config *c, const struct aff_report *report)
{
    const char *const *args = c->command.items;
    const char *problem;
    uint32_t i;

    for (i = 0; i < c->command.count; i++) {
        problem = strlen(args[i]) > 512 ? "is longer than 512 bytes; expected fewer; shorten it" : template_problem(args[i]);
        if (!problem && i == 0 && (args[i][0] != '/' || strpbrk(args[i], "{}")))
            problem = "is no whole path without {names}; expected one such as \"/usr/bin/notify-send\"; write the "
                      "whole path, since nothing is searched for and no alert decides what is run";
        if (problem) {
            report->problem(report, "command", "command[%u] %s", (unsigned)i, problem);
            return false;
        }
    }
    return true;
}

static aff_status alert_validate(const void *config, const struct aff_report *report)
{
    const struct config *c = config;

    if (!args_check(c, report))
        return AFF_ERR_CONFIG;
    if (c->to.count > 0 || c->command.count > 0)
        return AFF_OK;
    report->problem(report, "to", "to is empty and there is no command, so no alert would be told; expected "
                    "\"stderr\", \"log\" or a command; add one");
    return AFF_ERR_CONFIG;
}

static uint32_t mask_of(const struct aff_list *list)
{
    uint32_t i, mask = 0;

    for (i = 0; i < list->count; i++)
        mask |= 1u << ((const int32_t *)list->items)[i];
    return mask;
}

static void alert_close(void *self)
{
    struct sink *s = self;

    queue_close(&s->queue);
    s->host->free(s->host, s);
}

static aff_status alert_open(const struct aff_host *host, const void *config, void **ret_self)
{
    const struct config *c = config;
    struct sink *s = host->alloc(host, sizeof *s);
    int rc;

    if (!s)
        return host->explain(host, AFF_ERR_MEMORY, "no memory for the alerts");
    s->host = host;
    s->config = c;
    s->severities = mask_of(&c->severity);
    s->states = mask_of(&c->state);
    s->to_stderr = mask_of(&c->to) >> TO_STDERR & 1u;
    s->to_log = mask_of(&c->to) >> TO_LOG & 1u;
    s->where = say_where();
    s->queue.host = host;
    s->queue.args = c->command.items;
    s->queue.arg_count = c->command.count;
    s->queue.at_once = c->command.count ? (uint32_t)c->at_once : 0;
    s->queue.timeout_ns = c->timeout;
    rc = queue_open(&s->queue);
    if (rc != 0) {
        host->free(host, s);
        return host->explain(host, AFF_ERR_IO, "the commands cannot be prepared: %s", strerror(rc));
    }
    *ret_self = s;
    return AFF_OK;
}

/* ---- reading ---- */

static bool alert_read(void *self, const struct aff_record *r, struct message *ret)
{
    struct sink *s = self;
    const struct aff_schema *info;

    if (r->schema != s->columns.schema || !r->schema) {
        info = s->host->schema_info(s->host, r->schema);
        if (!info || info->type != AFF_FIELDS || !columns_find(&s->columns, r->schema, info))
            return false;
        s->rule_is_plain = ((const struct aff_column *)(const void *)((const char *)info->columns +
                            (size_t)s->columns.index[IN_RULE] * info->stride))->label == AFF_LABEL_NONE;
    }
    if (r->size < aff_row_size(s->columns.count, 0))
        return false;
    message_read(ret, &s->columns, r);
    return true;
}

static bool is_wanted(const struct sink *s, const struct message *m)
{
    uint32_t severity = severity_of(m), state = state_of(m);

    return (severity == SEVERITIES || (s->severities >> severity & 1u)) &&
           (state == STATES || (s->states >> state & 1u));
}

static bool alert_wants(void *self, const struct aff_record *r, struct message *ret)
{
    return alert_read(self, r, ret) && is_wanted(self, ret);
}

/* ---- saying ---- */

static const char *colour_of(const struct message *m)
{
    static const char *const colours[] = { "\033[1;31m", "\033[33m", "\033[36m", "\033[1;36m", "" };

    return state_of(m) == STATE_ENDED ? "" : colours[severity_of(m)];
}

/* On a terminal a host may keep a line of its own at the cursor: it is taken away
 * first, and comes back below. */
static int stderr_say(const struct sink *s, const struct message *m)
{
    char text[LINE_MOST + 32];
    struct out line = { text, 0, sizeof text - 16, false };
    const char *colour = s->where == SAY_COLOURED ? colour_of(m) : "";

    out_say(&line, s->where == SAY_PLAIN ? "" : "\r\033[K");
    out_say(&line, colour);
    message_line(&line, m);
    (void)out_end(&line);
    line.room = sizeof text;
    out_say(&line, *colour ? "\033[0m\n" : "\n");
    return say_line(text, line.length);
}

/* Names of ours are said as they are; anything else might be from a patient. */
static void log_say(const struct sink *s, const struct message *m)
{
    uint32_t severity = severity_of(m), state = state_of(m);
    char text[256] = "", id[80] = "";
    struct out rule = { text, 0, sizeof text, false }, alert = { id, 0, sizeof id, false };

    if (s->rule_is_plain)
        out_escaped(&rule, m->rule);
    else
        out_say(&rule, "(labelled)");
    if (m->alert.at)
        out_escaped(&alert, m->alert);
    s->host->log(s->host, state >= STATE_ENDED && state < STATES ? AFF_LOG_INFO : AFF_LOG_WARN,
                 "alert %s, %s: rule %s %s (" MESSAGE_NOTE ")",
                 severity < SEVERITIES ? severity_names[severity] : "other",
                 state < STATES ? state_names[state] : "told", out_end(&rule), out_end(&alert));
}

static bool was_said(const struct sink *s, struct aff_id id)
{
    uint32_t i;

    for (i = 0; i < s->said_count; i++)
        if (s->said[i].source == id.source && s->said[i].seq == id.seq)
            return true;
    return false;
}

static void said_add(struct sink *s, struct aff_id id)
{
    if (s->said_count == SAID_MOST)
        memmove(s->said, s->said + 1, --s->said_count * sizeof s->said[0]);
    s->said[s->said_count++] = id;
}

static void said_remove(struct sink *s, struct aff_id id)
{
    uint32_t i, left = 0;

    for (i = 0; i < s->said_count; i++)
        if (s->said[i].source != id.source || s->said[i].seq != id.seq)
            s->said[left++] = s->said[i];
    s->said_count = left;
}

/* Lines of one alert. An alert that no line can be written of is not told, unless
 * a command tells it: then the line is lost, and counted. */
static aff_status alert_say(struct sink *s, const struct aff_record *r, const struct message *m)
{
    int rc = 0;

    if (was_said(s, r->id))
        return AFF_OK;
    if (s->to_stderr)
        rc = stderr_say(s, m);
    if (rc != 0 && s->queue.at_once == 0)
        return s->host->explain(s->host, AFF_ERR_IO, "cannot write alerts to stderr: %s; open it, or add a command",
                                strerror(rc));
    if (rc != 0)
        s->host->count(s->host, METRIC_UNWRITTEN, 1);
    if (s->to_log)
        log_say(s, m);
    said_add(s, r->id);
    return AFF_OK;
}

/* Says all of the batch up to the first record that cannot be; *ret_count of
 * them, and the status concerns the next. */
static aff_status batch_say(struct sink *s, const struct aff_batch *batch, uint32_t *ret_count)
{
    struct message m;
    aff_status st;

    for (*ret_count = 0; *ret_count < batch->count; (*ret_count)++) {
        const struct aff_record *r = &batch->records[*ret_count];

        if (!alert_read(s, r, &m))
            return s->host->explain(s->host, AFF_ERR_DATA, "a record is no alert; expected rows with severity, rule, "
                                    "place and text, all text");
        if (!is_wanted(s, &m)) {
            batch->verdicts[*ret_count] = VERDICT_FILTERED;
            continue;
        }
        st = alert_say(s, r, &m);
        if (st < 0)
            return st;
    }
    return AFF_OK;
}

static aff_status alert_write(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    struct sink *s = self;
    struct aff_batch good = *batch;
    aff_status said = batch_say(s, batch, &good.count), st = AFF_OK;
    uint32_t i, told = 0;

    *ret_taken = good.count;
    if (s->queue.at_once > 0) {
        *ret_taken = 0;
        st = queue_run(&s->queue, &good, &(struct alert_reader){ s, alert_wants }, ret_taken);
    }
    for (i = 0; i < *ret_taken; i++) {
        said_remove(s, batch->records[i].id);
        told += batch->verdicts[i] == 0;
    }
    if (told)
        s->host->count(s->host, METRIC_TOLD, told);
    if (s->queue.started)
        s->host->count(s->host, METRIC_COMMANDS, s->queue.started);
    if (s->queue.failed)
        s->host->count(s->host, METRIC_FAILED, s->queue.failed);
    s->queue.started = s->queue.failed = 0;
    return st != AFF_OK ? st : said;
}

/* Nothing is under way between two calls: an epoch that was taken is told. */
static aff_status alert_sync(void *self, uint64_t epoch)
{
    (void)self;
    (void)epoch;
    return AFF_OK;
}

AFF_PLUGIN_NOTE(AFF_SINK, "out_alert", "1.0.0");

AFF_EXPORT const struct aff_plugin afferent_plugin_v1 = {
    .struct_size = sizeof(struct aff_plugin),
    .major = AFF_ABI_MAJOR,
    .minor = AFF_ABI_MINOR,
    .kind = AFF_SINK,
    .flags = AFF_BLOCKS,
    .name = "out_alert",
    .version = "1.0.0",
    .summary = "Tells alerts: on stderr, in the log, by a command.",
    .license = "Apache-2.0",
    .config_size = sizeof(struct config),
    .options = AFF_TABLE(options),
    .inputs = AFF_TABLE(inputs),
    .verdicts = AFF_TABLE(verdicts),
    .metrics = AFF_TABLE(metrics),
    .validate = alert_validate,
    .open = alert_open,
    .close = alert_close,
    .write = alert_write,
    .sync = alert_sync,
};
