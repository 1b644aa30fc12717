/* SPDX-License-Identifier: Apache-2.0
 *
 * options.h - what op_csv and op_json have in common in a pipeline: columns,
 * time, subject, framing. One table, so that who has learnt one knows both.
 *
 * Not here: what the options mean (rows.h), what only one of the two has. */
#ifndef ROWS_OPTIONS_H
#define ROWS_OPTIONS_H

#include <afferent/plugin.h>

/* How records of the input make up a text. */
enum { FRAMING_LINES, FRAMING_RECORD, FRAMING_STREAM };
enum { BAD_VALUES_DEAD, BAD_VALUES_MISSING };
/* In the order of rows_type_names; AFF_REAL ... is one more. */
enum { COLUMN_REAL, COLUMN_INT, COLUMN_BOOL, COLUMN_TIME, COLUMN_TEXT };

struct rows_column {
    const char *name;
    const char *from;
    const char *unit;
    const char *code;
    const char *format;
    struct aff_list missing; /* of const char * */
    int32_t type;
    int32_t label;
    int32_t required;
    int32_t keep_text;
};

struct rows_time {
    const char *from;
    const char *format;
    const char *zone;
    const char *start;
};

/* The first member of a plugin's config struct. */
struct rows_config {
    struct aff_list columns; /* of struct rows_column */
    const struct rows_time *time;
    const char *subject;
    int64_t max_row;
    int32_t framing;
    int32_t bad_values;
};

static const char *const rows_type_names[] = { "real", "int", "bool", "time", "text", NULL };
static const char *const rows_label_names[] = { "none", "quasi", "phi", NULL };
static const char *const rows_framing_names[] = { "lines", "record", "stream", NULL };
static const char *const rows_bad_names[] = { "dead", "missing", NULL };

static const struct aff_option rows_missing_item[] = {
    AFF_OPT_ITEM(AFF_TYPE_TEXT, 0, "A text that means that there is no value, as it is written: \"NA\", \"-1\"."),
};

static const struct aff_option rows_column_options[] = {
    AFF_OPT_TEXT(struct rows_column, name, AFF_OPT_REQUIRED, NULL, "Name of the column in what comes out."),
    AFF_OPT_TEXT(struct rows_column, from, 0, "\"\"",
                 "Where its value stands: the header's word, a number counted from 1 where there is no header, or a "
                 "key of JSON (\"a.b\", \"/a/0/b\"); the column's name if empty."),
    AFF_OPT_ENUM(struct rows_column, type, 0, "\"real\"", rows_type_names, "What the value is."),
    AFF_OPT_TEXT(struct rows_column, unit, 0, "\"\"", "Unit in UCUM: \"/min\", \"mm[Hg]\", \"Cel\", \"%\"."),
    AFF_OPT_TEXT(struct rows_column, code, 0, "\"\"", "LOINC code of what was measured."),
    AFF_OPT_ENUM(struct rows_column, label, 0, "\"none\"", rows_label_names,
                 "Whether the value identifies a person (phi), or does so together with others (quasi)."),
    AFF_OPT_BOOL(struct rows_column, required, "false", "Whether a row without this value is set aside."),
    AFF_OPT_BOOL(struct rows_column, keep_text, "false",
                 "Whether a column NAME_text holds the value as it was written: 1.250 stays 1.250."),
    AFF_OPT_TEXT(struct rows_column, format, 0, "\"\"",
                 "How a value of type time is written, as in time.format; that or iso8601 if empty."),
    AFF_OPT_LIST(struct rows_column, missing, 0, rows_missing_item, sizeof(const char *),
                 "Texts that mean that there is no value; an empty one if the list is not given."),
};

static const struct aff_option rows_time_options[] = {
    AFF_OPT_TEXT(struct rows_time, from, AFF_OPT_REQUIRED, NULL,
                 "Which column holds the time: a declared column's name, or as in columns.from."),
    AFF_OPT_TEXT(struct rows_time, format, 0, "\"iso8601\"",
                 "iso8601, unix_s, unix_ms, unix_us, unix_ns, hh:mm, hh:mm:ss, or like \"%d.%m.%Y %H:%M:%S\"."),
    AFF_OPT_TEXT(struct rows_time, zone, 0, "\"Z\"", "Zone of texts that name none: \"Z\" or like \"+01:00\"."),
    AFF_OPT_TEXT(struct rows_time, start, 0, "\"1970-01-01\"", "What hh:mm and hh:mm:ss count from."),
};

/* Rows for the option table of a plugin whose config begins with rows_config. */
#define ROWS_OPTIONS(max_row_preset, max_row_most, max_row_doc)                                                      \
    AFF_OPT_LIST(struct rows_config, columns, 0, rows_column_options, sizeof(struct rows_column),                    \
                 "The columns that come out; without them all do, and only nodes that take any columns can follow."), \
    AFF_OPT_TABLE(struct rows_config, time, 0, rows_time_options, sizeof(struct rows_time),                          \
                  "The event time of a row; without it the input record's."),                                        \
    AFF_OPT_TEXT(struct rows_config, subject, 0, "\"\"",                                                             \
                 "Which column names the subject: a declared column's name, or as in columns.from; the input's "     \
                 "subject if empty."),                                                                               \
    AFF_OPT_ENUM(struct rows_config, framing, 0, "\"lines\"", rows_framing_names,                                    \
                 "What an input record is: whole lines of its stream's one text (lines), a text of its own "         \
                 "(record), or a piece of its stream's text cut anywhere (stream)."),                                \
    AFF_OPT_ENUM(struct rows_config, bad_values, 0, "\"dead\"", rows_bad_names,                                      \
                 "What a value that is not of its column's type does: sets its row aside (dead), or is left out "    \
                 "(missing)."),                                                                                      \
    AFF_OPT_BYTES(struct rows_config, max_row, 0, max_row_preset, 256, max_row_most, max_row_doc)

#endif
