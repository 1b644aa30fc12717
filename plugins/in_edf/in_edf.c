/* SPDX-License-Identifier: Apache-2.0
 *
 * in_edf.c - source: recordings in EDF, EDF+, BDF and BDF+, with annotations.
 *
 * Each file is a subject, by its name; files are read one after another in sorted
 * order. Signals of one rate are one stream; the annotation signals of EDF+ are
 * rows on a port of their own, in order of time. Streams: memory does not depend
 * on a file's length. The patient field and what else the recording field holds
 * are let go. Here: tables and rules; work: reader.c. */
#include "reader.h"

static const struct aff_option path_item[] = {
    AFF_OPT_ITEM(AFF_TYPE_PATH, 0, "An EDF or BDF file, a folder of them, or a glob."),
};
static const struct aff_option signal_item[] = {
    AFF_OPT_ITEM(AFF_TYPE_TEXT, 0, "Label of a signal as in the header, for example \"EEG Fpz-Cz\"."),
};
static const char *const paces[] = { "fast", "realtime", NULL };

static const struct aff_option options[] = {
    AFF_OPT_LIST(struct config, path, AFF_OPT_REQUIRED, path_item, sizeof(const char *),
                 "Files to read: a file, a folder (its .edf, .bdf and .rec files), a glob, or a list of these."),
    AFF_OPT_DURATION(struct config, block, 0, "\"250ms\"", 1e6, 60e9, "Length of a record of samples."),
    AFF_OPT_ENUM(struct config, pace, 0, "\"fast\"", paces, "As fast as the files can be read, or in real time."),
    AFF_OPT_TEXT(struct config, start, 0, NULL,
                 "When a recording without a date, or whose date was taken out, began, in UTC, for example "
                 "\"2026-03-01T07:30:00Z\"; by default 1970-01-01, or the date that is left in the header."),
    AFF_OPT_LIST(struct config, signals, 0, signal_item, sizeof(const char *),
                 "Signals to read, by their labels in the header; by default all. Annotations are always read."),
};

static const struct aff_column annotation_columns[COLUMNS] = {
    [COLUMN_TEXT] = { .name = "text", .type = AFF_TEXT, .label = AFF_LABEL_PHI, .required = 1 },
    [COLUMN_ONSET] = { .name = "onset", .unit = "s", .type = AFF_REAL, .required = 1 },
    [COLUMN_DURATION] = { .name = "duration", .unit = "s", .type = AFF_REAL },
    [COLUMN_RECORD] = { .name = "record", .type = AFF_INT, .required = 1 },
    [COLUMN_START] = { .name = "start", .type = AFF_TIME, .label = AFF_LABEL_PHI, .required = 1 },
};

const struct aff_schema edf_annotation_schema = {
    .struct_size = sizeof(struct aff_schema),
    .type = AFF_FIELDS,
    .name = "annotations",
    .columns = annotation_columns,
    .count = COLUMNS,
    .stride = sizeof annotation_columns[0],
};

static const struct aff_port outputs[] = {
    { .name = "samples", .doc = "The signals; one stream per rate, a gap where EDF+D leaves out time.",
      .types = AFF_MASK(AFF_SAMPLES), .priority = AFF_PRIO_WAVEFORM },
    { .name = "annotations",
      .doc = "The annotations: text, onset since the header's start, duration, data record (from 0), that start.",
      .schema = &edf_annotation_schema, .types = AFF_MASK(AFF_FIELDS), .priority = AFF_PRIO_VITALS },
};

/* In the order of enum tal_fault. */
static const struct aff_verdict verdicts[] = {
    { "annotation_malformed", "An annotation list without a proper onset or duration.", AFF_V_DEAD, 0, 0 },
    { "annotation_cut", "An annotation list that its data record cuts off.", AFF_V_DEAD, 0, 0 },
    { "annotation_long", "An annotation list of more than 16384 bytes; that many are kept.", AFF_V_DEAD, 0, 0 },
    { "annotation_time", "An annotation whose time is beyond what an event time can be.", AFF_V_DEAD, 0, 0 },
};
_Static_assert(sizeof verdicts / sizeof verdicts[0] == TAL_FAULTS - 1, "a verdict for each fault");

static const struct aff_metric metrics[] = {
    { "files", "Files begun.", NULL, AFF_METRIC_COUNTER, 0 },
    { "annotations", "Annotations read.", NULL, AFF_METRIC_COUNTER, 0 },
    { "annotations_unordered", "Annotations that are earlier than one before them.", NULL, AFF_METRIC_COUNTER, 0 },
    { "gaps", "Gaps in the samples.", NULL, AFF_METRIC_COUNTER, 0 },
    { "files_short", "Files that end before their last data record does.", NULL, AFF_METRIC_COUNTER, 0 },
    { "files_long", "Files that go on behind their last data record.", NULL, AFF_METRIC_COUNTER, 0 },
    { "times_missing", "Data records of EDF+ that do not say when they began.", NULL, AFF_METRIC_COUNTER, 0 },
    { "times_backward", "Data records that say they began before the one before ended.", NULL, AFF_METRIC_COUNTER, 0 },
    { "times_unexpected", "Data records of a continuous file with another time than due.", NULL, AFF_METRIC_COUNTER,
      0 },
    { "annotations_latin1", "Annotations that are not UTF-8.", NULL, AFF_METRIC_COUNTER, 0 },
    { "files_large_records", "Files whose data records are larger than 61440 bytes.", NULL, AFF_METRIC_COUNTER, 0 },
};
_Static_assert(sizeof metrics / sizeof metrics[0] == METRIC_EVENTS + EVENT_COUNT, "a metric for each event");

static aff_status edf_validate(const void *config, const struct aff_report *report)
{
    const struct config *c = config;
    aff_status st = AFF_OK;
    int64_t unused;

    if (c->path.count == 0) {
        report->problem(report, "path", "is an empty list; expected a file, a folder or a glob");
        st = AFF_ERR_CONFIG;
    }
    if (c->start && !when_read(c->start, &unused)) {
        report->problem(report, "start", "is not a date and time in UTC; write for example \"2026-03-01T07:30:00Z\"");
        st = AFF_ERR_CONFIG;
    }
    return st;
}

AFF_PLUGIN_NOTE(AFF_SOURCE, "in_edf", "0.1.0");

AFF_EXPORT const struct aff_plugin afferent_plugin_v1 = {
    .struct_size = sizeof(struct aff_plugin),
    .major = AFF_ABI_MAJOR,
    .minor = AFF_ABI_MINOR,
    .kind = AFF_SOURCE,
    .flags = AFF_PULL | AFF_REPLAYS,
    .name = "in_edf",
    .version = "0.1.0",
    .summary = "Reads recordings in EDF, EDF+ and BDF (sleep, EEG), with their annotations.",
    .license = "Apache-2.0",
    .config_size = sizeof(struct config),
    .options = AFF_TABLE(options),
    .outputs = AFF_TABLE(outputs),
    .verdicts = AFF_TABLE(verdicts),
    .metrics = AFF_TABLE(metrics),
    .validate = edf_validate,
    .open = reader_open,
    .close = turns_close,
    .read = turns_read,
    .snapshot = turns_snapshot,
    .restore = turns_restore,
};
