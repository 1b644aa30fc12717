/* SPDX-License-Identifier: Apache-2.0
 *
 * in_wfdb.c - source: records in WFDB format (PhysioNet), with annotations.
 *
 * Reads header, signal and annotation files as the WFDB Applications Guide
 * describes them (header(5), signal(5), annot(5)); each record is a subject, and
 * records are read one after another in sorted order. Streams: memory does not
 * depend on a record's length. The compressed formats 508, 516 and 524 and the
 * AHA annotation format are refused. Here: tables and rules; work: reader.c. */
#include "reader.h"

#include <string.h>

static const struct aff_option path_item[] = {
    AFF_OPT_ITEM(AFF_TYPE_PATH, 0, "A header file (.hea), a folder of records, or a glob."),
};
static const struct aff_option signal_item[] = {
    AFF_OPT_ITEM(AFF_TYPE_TEXT, 0, "Description of a signal as in the header, for example \"MLII\"."),
};
static const char *const paces[] = { "fast", "realtime", NULL };

static const struct aff_option options[] = {
    AFF_OPT_LIST(struct config, path, AFF_OPT_REQUIRED, path_item, sizeof(const char *),
                 "Records to read: a header file, a folder, a glob, or a list of these."),
    AFF_OPT_TEXT(struct config, annotator, 0, NULL,
                 "Suffix of the annotation files; by default \"atr\" where such a file is there, \"\" for none."),
    AFF_OPT_DURATION(struct config, block, 0, "\"250ms\"", 1e6, 60e9, "Length of a record of samples."),
    AFF_OPT_ENUM(struct config, pace, 0, "\"fast\"", paces, "As fast as the files can be read, or in real time."),
    AFF_OPT_TEXT(struct config, start, 0, NULL,
                 "When a recording without a date began, in UTC, for example \"2026-03-01T07:30:00Z\"; "
                 "by default 1970-01-01."),
    AFF_OPT_LIST(struct config, signals, 0, signal_item, sizeof(const char *),
                 "Signals to read, by their descriptions in the header; by default all."),
};

static const struct aff_column annotation_columns[COLUMNS] = {
    [COLUMN_CODE] = { .name = "code", .type = AFF_TEXT, .required = 1 },
    [COLUMN_SAMPLE] = { .name = "sample", .type = AFF_INT, .required = 1 },
    [COLUMN_TYPE] = { .name = "type", .type = AFF_INT },
    [COLUMN_SUBTYPE] = { .name = "subtype", .type = AFF_INT },
    [COLUMN_CHANNEL] = { .name = "channel", .type = AFF_INT },
    [COLUMN_NUMBER] = { .name = "number", .type = AFF_INT },
    [COLUMN_AUX] = { .name = "aux", .type = AFF_TEXT, .label = AFF_LABEL_PHI },
    [COLUMN_START] = { .name = "start", .type = AFF_TIME },
};

const struct aff_schema wfdb_annotation_schema = {
    .struct_size = sizeof(struct aff_schema),
    .type = AFF_FIELDS,
    .name = "annotations",
    .columns = annotation_columns,
    .count = COLUMNS,
    .stride = sizeof annotation_columns[0],
};

static const struct aff_port outputs[] = {
    { .name = "samples", .doc = "The signals; one stream per rate, a gap where samples are missing.",
      .types = AFF_MASK(AFF_SAMPLES), .priority = AFF_PRIO_WAVEFORM },
    { .name = "annotations", .doc = "The annotation file: code as in ecgcodes.h, sample (frame), start of the record.",
      .schema = &wfdb_annotation_schema, .types = AFF_MASK(AFF_FIELDS), .priority = AFF_PRIO_VITALS },
};

static const struct aff_metric metrics[] = {
    { "records", "Records begun.", NULL, AFF_METRIC_COUNTER, 0 },
    { "annotations", "Annotations read.", NULL, AFF_METRIC_COUNTER, 0 },
    { "annotations_unordered", "Annotations that are earlier than one before them.", NULL, AFF_METRIC_COUNTER, 0 },
    { "gaps", "Gaps in the samples.", NULL, AFF_METRIC_COUNTER, 0 },
    { "checksum_errors", "Signals whose samples do not have their header's checksum.", NULL, AFF_METRIC_COUNTER, 0 },
    { "initial_errors", "Signals whose first sample is not their header's.", NULL, AFF_METRIC_COUNTER, 0 },
    { "files_short", "Signal files that end early.", NULL, AFF_METRIC_COUNTER, 0 },
    { "files_long", "Signal files with more samples than their header says.", NULL, AFF_METRIC_COUNTER, 0 },
    { "segments_missing", "Segments whose files are not there.", NULL, AFF_METRIC_COUNTER, 0 },
    { "segment_lengths", "Segments whose own header gives another length.", NULL, AFF_METRIC_COUNTER, 0 },
    { "signals_unplaced", "Signals of segments that the layout lacks.", NULL, AFF_METRIC_COUNTER, 0 },
    { "calibrations", "Changes of calibration inside a record.", NULL, AFF_METRIC_COUNTER, 0 },
};
_Static_assert(sizeof metrics / sizeof metrics[0] == METRIC_EVENTS + EVENT_COUNT, "a metric for each event");

static int annotator_is_fit(const char *name)
{
    return strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") == strlen(name) &&
           strlen(name) <= 64;
}

static aff_status wfdb_validate(const void *config, const struct aff_report *report)
{
    const struct config *c = config;
    aff_status st = AFF_OK;
    int64_t unused;

    if (c->path.count == 0) {
        report->problem(report, "path", "is an empty list; expected a header file, a folder or a glob");
        st = AFF_ERR_CONFIG;
    }
    if (c->annotator && !annotator_is_fit(c->annotator)) {
        report->problem(report, "annotator",
                        "is not a suffix of up to 64 letters, digits, _ and -; give for example \"atr\"");
        st = AFF_ERR_CONFIG;
    }
    if (c->start && !when_read(c->start, &unused)) {
        report->problem(report, "start", "is not a date and time in UTC; write for example \"2026-03-01T07:30:00Z\"");
        st = AFF_ERR_CONFIG;
    }
    return st;
}

AFF_PLUGIN_NOTE(AFF_SOURCE, "in_wfdb", "0.1.0");

AFF_EXPORT const struct aff_plugin afferent_plugin_v1 = {
    .struct_size = sizeof(struct aff_plugin),
    .major = AFF_ABI_MAJOR,
    .minor = AFF_ABI_MINOR,
    .kind = AFF_SOURCE,
    .flags = AFF_PULL | AFF_REPLAYS,
    .name = "in_wfdb",
    .version = "0.1.0",
    .summary = "Reads recordings in WFDB format (PhysioNet), with their annotations.",
    .license = "Apache-2.0",
    .config_size = sizeof(struct config),
    .options = AFF_TABLE(options),
    .outputs = AFF_TABLE(outputs),
    .metrics = AFF_TABLE(metrics),
    .validate = wfdb_validate,
    .open = reader_open,
    .close = turns_close,
    .read = turns_read,
    .snapshot = turns_snapshot,
    .restore = turns_restore,
};
