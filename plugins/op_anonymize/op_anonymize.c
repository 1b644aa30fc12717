/* SPDX-License-Identifier: Apache-2.0
 *
 * op_anonymize.c - pseudonymisation of rows and samples: the plugin.
 *
 * Columns pass only where a rule names them, by name, also where nobody declared
 * them. Subject, stream, id and times are replaced with the help of a key that
 * stays here; what leaves is pseudonymised data (GDPR, Art. 4(5); ISO 25237):
 * still personal for whoever holds the key, and not proven anonymous for others.
 *
 * Not here: names inside of free texts and of waveforms; whether the report's
 * figures are good enough, which is a person's decision. */
#include <afferent/plugin.h>

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "anonymize.h"
#include "check.h"
#include "dates.h"

#define REPORT_EVERY_NS (INT64_C(600) * 1000000000)

static const char *const actions[] = { "keep", "clear", "drop", "pseudonym", "shift", "redact", "generalise", NULL };
static const char *const subjects[] = { "pseudonym", "drop", NULL };
static const char *const times[] = { "shift", "keep", NULL };
static const char *const steps[] = { "day", "week", NULL };
static const char *const floors[] = { "none", "day", "month", "year", NULL };

static const struct aff_option column_item[] = {
    { .name = "", .doc = "What is done: keep (with its label), clear (keep it, and say that it identifies nobody), "
                         "drop, pseudonym, shift (dates and times), redact (\"***\").",
      .type = AFF_TYPE_ENUM, .offset = offsetof(struct column_config, action), .min = 1, .max = -1,
      .choices = actions },
};
static const struct aff_option generalise_item[] = {
    AFF_OPT_INT(struct generalise_config, width, 0, NULL, 1, 1000000, NULL,
                "Numbers become bands of this width, counted from 0: 5 gives \"60-64\"."),
    AFF_OPT_INT(struct generalise_config, top, 0, NULL, 1, 1000000000, NULL,
                "With width: this number and all above become one band; 90 for ages gives \"90+\"."),
    AFF_OPT_INT(struct generalise_config, digits, 0, NULL, 1, 32, "characters",
                "Of a text such as a postcode only so many characters at its beginning are left."),
    AFF_OPT_ENUM(struct generalise_config, floor, 0, "\"none\"", floors,
                 "Dates and times become the beginning of their day, month or year."),
};
static const struct aff_option kind_item[] = {
    AFF_OPT_ITEM(AFF_TYPE_TEXT, offsetof(struct text_config, text), "What the column's values are numbers of."),
};
static const struct aff_option stream_item[] = {
    AFF_OPT_ITEM(AFF_TYPE_TEXT, offsetof(struct text_config, text), "The stream's name outside."),
};
static const struct aff_option quasi_item[] = {
    AFF_OPT_ITEM(AFF_TYPE_TEXT, offsetof(struct quasi_config, name), "A column."),
};

static const struct aff_option options[] = {
    AFF_OPT_PATH(struct config, key, AFF_OPT_REQUIRED, NULL,
                 "The key file, with permissions 0600; afferent key new PATH makes one."),
    AFF_OPT_TEXT(struct config, project, AFF_OPT_REQUIRED, NULL,
                 "For whom the data is; the pseudonyms of two projects cannot be joined."),
    AFF_OPT_MAP(struct config, columns, 0, column_item, sizeof(struct column_config),
                "What is done with a column of rows, by its name; columns that no option names are dropped."),
    AFF_OPT_MAP(struct config, generalise, 0, generalise_item, sizeof(struct generalise_config),
                "Columns that are made coarser, by name: { width, top } for numbers, { digits } for texts, { floor } "
                "for times."),
    AFF_OPT_MAP(struct config, kinds, 0, kind_item, sizeof(struct text_config),
                "What a pseudonym column holds, where that is not its name: columns of one kind can be joined; the "
                "kind \"subject\" is that of the records' own subject."),
    AFF_OPT_ENUM(struct config, subject, 0, "\"pseudonym\"", subjects,
                 "What becomes of the subject: a pseudonym, or one word for all, which leaves nothing to join rows by "
                 "but what is in them."),
    AFF_OPT_ENUM(struct config, times, 0, "\"shift\"", times,
                 "What becomes of event times and of all columns of times: each subject's go back by a number of "
                 "days of its own, the same for all of them, or they are kept."),
    AFF_OPT_DURATION(struct config, shift_most, 0, "\"364d\"", 28.0 * 86400e9, 36500.0 * 86400e9,
                     "The most that times go back; at least one step."),
    AFF_OPT_ENUM(struct config, shift_step, 0, "\"day\"", steps,
                 "Times go back by whole days, or by whole weeks, which keeps the day of the week and leaves a "
                 "seventh of the possible shifts."),
    AFF_OPT_MAP(struct config, streams, 0, stream_item, sizeof(struct text_config),
                "What streams are called outside, by their name here; others get a name that tells nothing."),
    AFF_OPT_LIST(struct config, quasi, 0, quasi_item, sizeof(struct quasi_config),
                 "The columns whose combinations the report counts; those labelled quasi if none is named."),
    AFF_OPT_INT(struct config, combinations, 0, "20000", 16, 10000000, NULL,
                "How many different combinations are counted exactly, at 32 to 86 bytes each."),
    AFF_OPT_PATH(struct config, report, 0, NULL,
                 "Where a report is written as JSON, every ten minutes and at the end; it stays with the key's owner."),
};

static const struct aff_port inputs[] = {
    [PORT_ROWS] = { .name = "rows", .doc = "Rows; their columns may be known at run time only.",
                    .types = AFF_MASK(AFF_FIELDS), .flags = AFF_PORT_OPTIONAL },
    [PORT_SAMPLES] = { .name = "samples", .doc = "Signals.", .types = AFF_MASK(AFF_SAMPLES),
                       .flags = AFF_PORT_OPTIONAL },
};
static const struct aff_port outputs[] = {
    [PORT_ROWS] = { .name = "rows", .doc = "The columns that are named, as the options say, of subjects, streams and "
                                           "times that are not the real ones.",
                    .types = AFF_MASK(AFF_FIELDS), .priority = AFF_PRIO_VITALS },
    [PORT_SAMPLES] = { .name = "samples", .doc = "The same samples, of subjects, streams and times that are not the "
                                                 "real ones; channels keep standard names only.",
                       .types = AFF_MASK(AFF_SAMPLES), .priority = AFF_PRIO_WAVEFORM },
};

static const struct aff_verdict verdicts[] = {
    { "rewritten", "A record of another identity stands for it.", AFF_V_REPLACE, 0, 0 },
    { "no_columns", "None of the row's columns is to pass.", AFF_V_DROP, 0, 0 },
    { "wrong_type", "A rule does not fit the type of its column.", AFF_V_DEAD, 0, 0 },
    { "time_range", "The event time cannot be shifted without overflow.", AFF_V_DEAD, 0, 0 },
    { "bad_record", "The record is not what its schema says, or has more than 1024 channels.", AFF_V_DEAD, 0, 0 },
};

static const struct aff_metric metrics[] = {
    [METRIC_ROWS] = { "rows", "Rows rewritten.", NULL, AFF_METRIC_COUNTER, 0 },
    [METRIC_SAMPLES] = { "sample_records", "Records of samples rewritten.", NULL, AFF_METRIC_COUNTER, 0 },
    [METRIC_LEFT_OUT] = { "left_out", "Values that their rule did not understand, and that did not pass.", NULL,
                          AFF_METRIC_COUNTER, 0 },
    [METRIC_PHI] = { "kept_phi", "Values labelled phi that the rule keep let pass as they are.", NULL,
                     AFF_METRIC_COUNTER, 0 },
    [METRIC_COMBINATIONS] = { "combinations", "Different combinations of quasi-identifiers.", NULL, AFF_METRIC_GAUGE,
                              0 },
    [METRIC_UNIQUE] = { "unique_rows", "Combinations that one row alone has.", NULL, AFF_METRIC_GAUGE, 0 },
    [METRIC_LONELY] = { "one_subject", "Combinations that one subject alone has.", NULL, AFF_METRIC_GAUGE, 0 },
};

/* ---- open, close ---- */

static void anonymize_close(void *self)
{
    struct anonymize *a = self;
    const struct aff_host *host = a->host;
    void *const blocks[] = { a->secret, a->counts, a->outcomes, a->columns, a->channels, a->tally.entries,
                             a->report_new, a->plans[0].steps, a->plans[0].drops, a };

    if (a->secret)
        sodium_munlock(a->secret, sizeof *a->secret + (size_t)a->rules * KEY_BYTES); /* zeroes it, too */
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        if (blocks[i])
            host->free(host, blocks[i]);
}

static bool memory_take(struct anonymize *a)
{
    const struct aff_host *host = a->host;
    uint64_t most = (uint64_t)a->config->combinations;
    uint32_t columns = a->rules > CHANNELS_MOST ? a->rules : CHANNELS_MOST;
    struct step *all_steps = host->alloc(host, (size_t)PLANS * (a->rules + 1u) * sizeof *all_steps);
    uint32_t *drops = host->alloc(host, (size_t)PLANS * 2 * DROPS * sizeof *drops);
    void *entries = host->alloc(host, tally_bytes(most));

    tally_open(&a->tally, entries, most);
    a->plans[0].steps = all_steps;
    a->plans[0].drops = drops;
    a->secret = host->alloc(host, sizeof *a->secret + (size_t)a->rules * KEY_BYTES);
    a->counts = host->alloc(host, (a->rules + 1u) * sizeof *a->counts);
    a->outcomes = host->alloc(host, a->rules + 1u);
    a->columns = host->alloc(host, columns * sizeof *a->columns);
    a->channels = host->alloc(host, sizeof(char[CHANNELS_MOST][CHANNEL_CHARS]));
    if (a->config->report)
        a->report_new = host->alloc(host, strlen(a->config->report) + sizeof ".new");
    for (uint32_t i = 0; i < PLANS && all_steps && drops; i++) {
        a->plans[i].steps = all_steps + (size_t)i * (a->rules + 1u);
        a->plans[i].drops = drops + (size_t)i * 2 * DROPS;
    }
    return all_steps && drops && entries && a->secret && a->counts && a->outcomes && a->columns && a->channels &&
           (!a->config->report || a->report_new);
}

static aff_status secret_open(struct anonymize *a)
{
    uint8_t key[KEY_BYTES];
    char problem[KEY_TEXT_MOST];
    aff_status st;

    /* Without the right to lock memory the key is as safe as all the rest of it. */
    (void)sodium_mlock(a->secret, sizeof *a->secret + (size_t)a->rules * KEY_BYTES);
    st = key_read(a->config->key, key, problem);
    if (st < 0) {
        sodium_memzero(key, sizeof key);
        return a->host->explain(a->host, st, "%s", problem);
    }
    secret_make(a->secret, key, a->config->project);
    for (uint32_t i = 0; i < a->rules; i++) {
        struct rule rule = rule_at(a->config, i);

        if (rule.action == ACTION_PSEUDONYM)
            secret_kind(a->secret->kinds[i], key, a->config->project, rule.kind);
    }
    sodium_memzero(key, sizeof key);
    return AFF_OK;
}

static aff_status anonymize_open(const struct aff_host *host, const void *config, void **ret_self)
{
    struct anonymize *a;
    aff_status st = AFF_OK;

    if (sodium_init() < 0)
        return host->explain(host, AFF_ERR_IO, "libsodium cannot be used on this machine");
    a = host->alloc(host, sizeof *a);
    if (!a)
        return host->explain(host, AFF_ERR_MEMORY, "no memory for the anonymizer");
    a->host = host;
    a->config = config;
    a->rules = rules_count(config);
    if (!memory_take(a))
        st = host->explain(host, AFF_ERR_MEMORY, "no memory for the anonymizer; combinations may be set lower");
    if (st == AFF_OK)
        st = secret_open(a);
    if (st == AFF_OK && a->report_new)
        (void)sprintf(a->report_new, "%s.new", a->config->report);
    if (st == AFF_OK)
        st = report_try(a);
    if (st < 0) {
        anonymize_close(a);
        return st;
    }
    *ret_self = a;
    return AFF_OK;
}

/* ---- data ---- */

static aff_status anonymize_start(void *self)
{
    struct anonymize *a = self;

    if (a->report_new)
        a->host->wake_at(a->host, a->host->now_ns(a->host) + REPORT_EVERY_NS);
    return AFF_OK;
}

static aff_status anonymize_wake(void *self)
{
    report_write(self, false);
    return anonymize_start(self);
}

static void anonymize_stop(void *self)
{
    report_write(self, true);
    report_log(self);
}

static void gauges_set(const struct anonymize *a)
{
    a->host->gauge(a->host, METRIC_COMBINATIONS, (double)a->tally.used);
    a->host->gauge(a->host, METRIC_UNIQUE, (double)a->tally.unique);
    a->host->gauge(a->host, METRIC_LONELY, (double)a->tally.lonely);
}

static aff_status record_change(struct anonymize *a, const struct aff_batch *batch, uint32_t input)
{
    const struct aff_record *r = &batch->records[input];
    const struct aff_schema *schema = a->host->schema_info(a->host, r->schema);
    aff_status st;

    if (!schema || schema->type != r->type)
        return a->host->explain(a->host, AFF_ERR_DATA, "a record has no schema of its type; repair its source");
    if (batch->port == PORT_ROWS)
        st = row_change(a, r, input, &batch->verdicts[input]);
    else
        st = samples_change(a, r, input, &batch->verdicts[input]);
    return st;
}

static aff_status anonymize_process(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    struct anonymize *a = self;
    aff_status st = AFF_OK;

    for (*ret_taken = 0; *ret_taken < batch->count && st == AFF_OK; *ret_taken += st == AFF_OK)
        st = record_change(a, batch, *ret_taken);
    if (batch->port == PORT_ROWS)
        gauges_set(a);
    return st;
}

/* A stream that others share goes on; one of which nothing passes never began. */
static aff_status anonymize_stream_end(void *self, uint32_t port, const struct aff_record *mark)
{
    struct anonymize *a = self;
    uint8_t type = port == PORT_ROWS ? AFF_FIELDS : AFF_SAMPLES;
    const struct identity *who;
    const struct plan *plan;

    if (stream_is_shared(a, type) || !a->host->schema_info(a->host, mark->schema))
        return AFF_OK;
    plan = plan_get(a, mark->schema);
    if (plan && !plan->schema_out)
        return AFF_OK;
    who = plan ? identity_get(a, mark->stream, type, plan->schema_out) : NULL;
    return who ? a->host->stream_end(a->host, port, who->stream) : AFF_ERR_MEMORY;
}

static aff_status anonymize_drain(void *self)
{
    report_write(self, false);
    return AFF_OK;
}

AFF_PLUGIN_NOTE(AFF_PROCESSOR, "op_anonymize", "1.0.0");

AFF_EXPORT const struct aff_plugin afferent_plugin_v1 = {
    .struct_size = sizeof(struct aff_plugin),
    .major = AFF_ABI_MAJOR,
    .minor = AFF_ABI_MINOR,
    .kind = AFF_PROCESSOR,
    .flags = AFF_REWRITES,
    .name = "op_anonymize",
    .version = "1.0.0",
    .summary = "Pseudonymises rows and samples: columns by rule, and subject, stream, times and ids always.",
    .license = "Apache-2.0",
    .config_size = sizeof(struct config),
    .options = AFF_TABLE(options),
    .inputs = AFF_TABLE(inputs),
    .outputs = AFF_TABLE(outputs),
    .verdicts = AFF_TABLE(verdicts),
    .metrics = AFF_TABLE(metrics),
    .validate = anonymize_validate,
    .open = anonymize_open,
    .close = anonymize_close,
    .start = anonymize_start,
    .stop = anonymize_stop,
    .process = anonymize_process,
    .wake = anonymize_wake,
    .stream_end = anonymize_stream_end,
    .drain = anonymize_drain,
    .shape = anonymize_shape,
};
