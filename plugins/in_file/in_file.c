/* SPDX-License-Identifier: Apache-2.0
 *
 * in_file.c - source: bytes from files, by lines, in blocks, or whole.
 *
 * Files, folders and patterns, read from end to end one after another, or followed
 * while they grow, through rotation and truncation. What the bytes mean is for
 * others to say (op_csv, op_json); at most the time of a line is looked for.
 * Packed files, pipes and devices are not read. Here: tables and rules; work:
 * reader.h. */
#include "reader.h"

#include <string.h>

static const struct aff_option path_item[] = {
    { .name = "", .doc = "A file, a folder (the files in it, not below), or a glob pattern.", .type = AFF_TYPE_PATH,
      .flags = AFF_OPT_INPUT, .min = 1, .max = -1 },
};
static const char *const ways[] = { "lines", "blocks", "whole", NULL };
static const char *const paces[] = { "fast", "realtime", NULL };
static const char *const formats[] = { "iso8601", "unix_s", "unix_ms", "unix_us", "unix_ns", "clock", NULL };

#define DAY_NS 86400e9

static const struct aff_option time_options[] = {
    AFF_OPT_INT(struct time_config, field, 0, "1", 1, 10000, NULL,
                "Which field of a line the time is in, counted from 1."),
    AFF_OPT_TEXT(struct time_config, delimiter, 0, "\",\"",
                 "The character between fields; \" \" stands for any run of blanks and tabs."),
    AFF_OPT_ENUM(struct time_config, format, 0, "\"iso8601\"", formats,
                 "How the time is written: ISO 8601 (UTC where no zone is given), a number since 1970, or a clock "
                 "(hh:mm:ss)."),
};

static const struct aff_option options[] = {
    AFF_OPT_LIST(struct config, path, AFF_OPT_REQUIRED, path_item, sizeof(const char *),
                 "What to read: a file, a folder, a glob pattern, or a list of these; in bytewise order of the paths."),
    AFF_OPT_ENUM(struct config, as, 0, "\"lines\"", ways,
                 "What a record is: a line without its end, a block of whole lines (faster, for op_csv and op_json), "
                 "or a whole file."),
    AFF_OPT_BOOL(struct config, follow, "false",
                 "Whether files are followed as they grow, with new ones, through rotation and truncation, without "
                 "an end."),
    AFF_OPT_TEXT(struct config, subject, 0, NULL,
                 "Whose data it is; by default the file's name without its extension."),
    AFF_OPT_TEXT(struct config, stream, 0, "\"file\"", "Name of the stream."),
    AFF_OPT_ENUM(struct config, pace, 0, "\"fast\"", paces,
                 "As fast as files can be read, or by event time; what is followed comes as it is written."),
    AFF_OPT_REAL(struct config, speed, 0, "1.0", 1e-3, 1e6, NULL,
                 "How many times faster than it happened a recording is played with pace = \"realtime\"."),
    AFF_OPT_TABLE(struct config, time, 0, time_options, sizeof(struct time_config),
                  "Where each line has its time; a line without one takes that of the line before. Without it what is "
                  "followed has the time of its reading: an archive keeps it twice where it is read again."),
    AFF_OPT_TEXT(struct config, start, 0, NULL,
                 "When what has no time of its own began, in UTC, for example \"2026-03-01T07:30:00Z\"; by default "
                 "1970-01-01."),
    AFF_OPT_DURATION(struct config, every, 0, "\"0s\"", 0, 36500.0 * DAY_NS,
                     "Time from one record to the next where lines have none; 0 counts on by a nanosecond, to keep "
                     "the order."),
    AFF_OPT_BYTES(struct config, max_line, 0, "\"64KiB\"", 1, 1 << 20,
                  "Longest line with as = \"lines\"; a longer one is set aside by its beginning and passed over."),
    AFF_OPT_BYTES(struct config, block, 0, "\"64KiB\"", 16, 1 << 20,
                  "Largest block; it ends behind the last line that fits. A line that is larger is set aside by its "
                  "beginning and passed over."),
    AFF_OPT_BYTES(struct config, max_size, 0, "\"64KiB\"", 1, 64 << 20,
                  "Largest file that is read whole; a larger one is refused."),
    AFF_OPT_INT(struct config, max_files, 0, "1024", 1, 65536, NULL,
                "How many files are followed at a time; each takes memory."),
};

static const struct aff_port outputs[] = {
    { .name = "data", .doc = "Bytes as they are in the files; each file is a stream, which ends with it.",
      .schema = &file_schema, .types = AFF_MASK(AFF_BYTES), .priority = AFF_PRIO_VITALS },
};

static const struct aff_verdict verdicts[] = {
    [VERDICT_LONG - 1] = { "line_too_long", "The beginning of a line above max_line or block; the rest is passed over.",
                           AFF_V_DEAD, 0, 0 },
};

static const struct aff_metric metrics[] = {
    [METRIC_FILES] = { "files", "Files read to their end.", NULL, AFF_METRIC_COUNTER, 0 },
    [METRIC_RECORDS] = { "records", "Lines, blocks or files that became records.", NULL, AFF_METRIC_COUNTER, 0 },
    [METRIC_BYTES] = { "bytes", "Bytes read, with the ends of lines.", "By", AFF_METRIC_COUNTER, 0 },
    [METRIC_LONG] = { "long_lines", "Lines above max_line, or above block.", NULL, AFF_METRIC_COUNTER, 0 },
    [METRIC_UNTIMED] = { "untimed", "Lines that have no time.", NULL, AFF_METRIC_COUNTER, 0 },
    [METRIC_CHANGED] = { "changed", "Files that changed while, or since, they were read in part.", NULL,
                         AFF_METRIC_COUNTER, 0 },
    [METRIC_REFUSED] = { "refused", "Files that cannot be read.", NULL, AFF_METRIC_COUNTER, 0 },
    [METRIC_ROTATIONS] = { "rotations", "Followed files that another took the place of.", NULL, AFF_METRIC_COUNTER,
                           0 },
    [METRIC_TRUNCATIONS] = { "truncations", "Followed files that became shorter or other.", NULL,
                             AFF_METRIC_COUNTER, 0 },
    [METRIC_OVERFLOWS] = { "overflows", "Times that the system lost notices of changes.", NULL, AFF_METRIC_COUNTER,
                           0 },
};

static aff_status problem(const struct aff_report *report, const char *option, const char *sentence)
{
    report->problem(report, option, "%s", sentence);
    return AFF_ERR_CONFIG;
}

static aff_status worse(aff_status a, aff_status b)
{
    return a < b ? a : b;
}

static aff_status time_validate(const struct config *c, const struct aff_report *report)
{
    const char *d = c->time->delimiter;
    aff_status st = AFF_OK;

    if (strlen(d) != 1 || *d == '"' || *d == '\n' || *d == '\r' || (unsigned char)*d > 0x7e)
        st = problem(report, "time.delimiter",
                     "is not one character that can stand between fields; expected for example \",\", \";\", \"\\t\" or "
                     "\" \"; write the one that is in the file");
    if (c->as != AS_LINES)
        st = problem(report, "time", "is for lines; expected as = \"lines\" beside it; write so, or remove it");
    if (c->every)
        st = problem(report, "every", "every does not go with `time`, by which the lines have their own times; expected one of both; "
                     "remove the other");
    return st;
}

static aff_status pace_validate(const struct config *c, const struct aff_report *report)
{
    aff_status st = AFF_OK;

    if (c->pace == PACE_REALTIME && !c->follow && !c->time && !c->every)
        st = problem(report, "pace",
                     "pace = \"realtime\" needs to know the time of each record; expected `time`, where it stands, or "
                     "`every`, how far apart records are; add one");
    if (c->speed != 1.0 && (c->pace == PACE_FAST || c->follow)) /* the very default */
        st = problem(report, "speed", "is for recordings that are played; expected pace = \"realtime\" without follow beside it; remove it");
    if (c->follow && c->every)
        st = problem(report, "every",
                     "is for files that are not followed; expected `time`, where a line has its time, or nothing; "
                     "remove it");
    if (c->follow && c->start && !c->time)
        st = problem(report, "start", "is for files that are not followed, or beside `time`; expected neither here; remove it");
    return st;
}

static aff_status file_validate(const void *config, const struct aff_report *report)
{
    const struct config *c = config;
    aff_status st = AFF_OK;
    int64_t unused;

    if (c->path.count == 0 || c->path.count > LIST_ENTRIES_MAX)
        st = problem(report, "path",
                     "is a list of no or of more than 64 entries; expected files, folders or patterns; "
                     "write a pattern such as \"*.csv\" for many");
    if (c->subject && !*c->subject)
        st = problem(report, "subject", "is empty; expected a name; remove it to take the file's");
    if (!*c->stream)
        st = problem(report, "stream", "is empty; expected a name such as \"file\"; write one");
    if (c->start && !times_date((const uint8_t *)c->start, strlen(c->start), &unused))
        st = problem(report, "start", "is not a date and time; expected one in UTC; write it like \"2026-03-01T07:30:00Z\"");
    if (c->time)
        st = worse(st, time_validate(c, report));
    return worse(st, pace_validate(c, report));
}

AFF_PLUGIN_NOTE(AFF_SOURCE, "in_file", "0.1.0");

AFF_EXPORT const struct aff_plugin afferent_plugin_v1 = {
    .struct_size = sizeof(struct aff_plugin),
    .major = AFF_ABI_MAJOR,
    .minor = AFF_ABI_MINOR,
    .kind = AFF_SOURCE,
    .flags = AFF_PULL | AFF_REPLAYS,
    .name = "in_file",
    .version = "0.1.0",
    .summary = "Reads or follows files, folders and patterns: lines, blocks of lines, or whole files.",
    .license = "Apache-2.0",
    .config_size = sizeof(struct config),
    .options = AFF_TABLE(options),
    .outputs = AFF_TABLE(outputs),
    .verdicts = AFF_TABLE(verdicts),
    .metrics = AFF_TABLE(metrics),
    .validate = file_validate,
    .open = reader_open,
    .close = reader_close,
    .read = reader_read,
    .snapshot = reader_snapshot,
    .restore = reader_restore,
};
