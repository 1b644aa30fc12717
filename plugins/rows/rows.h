/* SPDX-License-Identifier: Apache-2.0
 *
 * rows.h - values that were found in a text become a row of declared columns.
 *
 * A reader asks for the sources (rows->sources: the places that columns, time
 * and subject are read from), gives each value by rows_put, and sends the row by
 * rows_emit. Nothing reaches the host before a row is known to be good.
 *
 * Not here: texts and how they are cut (feed.h), CSV and JSON themselves. */
#ifndef ROWS_ROWS_H
#define ROWS_ROWS_H

#include <afferent/plugin.h>

#include <locale.h>
#include <stdbool.h>

#include "options.h"
#include "route.h"
#include "when.h"

enum {
    ROWS_KEPT_MOST = 1 << 20, /* bytes of a row that has begun */
    ROWS_DECLARED_MOST = 256, /* columns in the options */
    ROWS_COLUMNS_MOST = 512,  /* columns that come out: keep_text doubles them */
    ROWS_SOURCES_MOST = ROWS_DECLARED_MOST + 2,
    ROWS_USES_MOST = ROWS_DECLARED_MOST + 2
};

/* Why a row is set aside: the first rows of both plugins' verdict tables. */
enum rows_reason {
    ROWS_FINE,
    ROWS_TOO_LONG,
    ROWS_TORN,
    ROWS_BAD_TEXT,
    ROWS_BAD_NUMBER,
    ROWS_BAD_BOOL,
    ROWS_BAD_TIME,
    ROWS_MISSING_VALUE,
    ROWS_NO_SUBJECT,
    ROWS_TOO_MANY_SUBJECTS,
    ROWS_TOO_LARGE,
    ROWS_REASONS
};
#define ROWS_VERDICTS                                                                                             \
    { "too_long", "A row is longer than max_row.", AFF_V_DEAD, 0, 0 },                                            \
    { "torn", "Data is missing in front of a row, so that a part of it may be.", AFF_V_DEAD, 0, 0 },              \
    { "bad_text", "A row has bytes that are not UTF-8, or a zero byte.", AFF_V_DEAD, 0, 0 },                      \
    { "bad_number", "A value is not a number of its column's type.", AFF_V_DEAD, 0, 0 },                          \
    { "bad_bool", "A value is neither true nor false.", AFF_V_DEAD, 0, 0 },                                       \
    { "bad_time", "A time is missing or not in its format.", AFF_V_DEAD, 0, 0 },                                  \
    { "missing_value", "A required value is missing.", AFF_V_DEAD, 0, 0 },                                        \
    { "no_subject", "The subject is missing or longer than 200 bytes.", AFF_V_DEAD, 0, 0 },                       \
    { "too_many_subjects", "More subjects than one node keeps apart.", AFF_V_DEAD, 0, 0 },                        \
    { "too_large", "What a row comes out as is larger than a record may be; raise edge.buffer of the node behind "  \
      "to four times its size, or max_record.", AFF_V_DEAD, 0, 0 }

enum { ROWS_METRIC_ROWS, ROWS_METRIC_BAD, ROWS_METRIC_BAD_VALUES, ROWS_METRICS };
#define ROWS_METRIC_TABLE                                                                                         \
    { "rows", "Rows that came out.", NULL, AFF_METRIC_COUNTER, 0 },                                               \
    { "bad_rows", "Rows that were set aside.", NULL, AFF_METRIC_COUNTER, 0 },                                     \
    { "bad_values", "Values left out because they were not of their column's type.", NULL, AFF_METRIC_COUNTER, 0 }

/* A value as it stands in the text. */
enum { VALUE_TEXT, VALUE_NUMBER, VALUE_BOOL, VALUE_NESTED };
struct rows_value {
    const char *text; /* borrowed until rows_emit */
    uint32_t size;
    uint32_t kind;
};

struct rows_cell {
    const char *text; /* NULL: `bits` is the cell; else its bytes */
    uint64_t bits;    /* or how many bytes */
};

/* What a source is read for: a declared column, the time, or the subject. */
enum { USE_TIME = -1, USE_SUBJECT = -2 };
struct rows_use {
    int32_t what;
    uint32_t next; /* of the same source, counted from 1; 0: none */
};

struct rows_source {
    const char *from; /* borrowed from the options */
    uint32_t first;   /* of its uses, counted from 1 */
    bool needed;      /* a row cannot be without it */
};

struct rows_target {
    const struct rows_column *column;
    struct when when; /* of type time */
    uint32_t cell;    /* its column in what comes out */
};

struct rows {
    const struct aff_host *host;
    const struct rows_config *config;
    locale_t c_locale;
    char point; /* between the whole and the fraction of a number */
    bool has_time;
    bool has_subject;
    struct when when;
    struct rows_target *targets;
    uint32_t target_count;
    struct rows_source *sources;
    uint32_t source_count;
    struct rows_use *uses;
    uint32_t use_count;
    bool is_open;     /* no column is declared */
    uint32_t schema;  /* of declared columns; when open, one of none */
    uint32_t columns; /* of declared columns, as they come out */
    struct route route;

    /* The row in hand. */
    struct rows_cell *cells;
    uint64_t present[ROWS_COLUMNS_MOST / 64];
    uint32_t text_bytes;
    uint32_t bad_values;
    bool time_put;
    int64_t time_ns;
    struct rows_value subject;
};

/* Which schema a row has and what the reader knows about it. */
struct rows_send {
    uint32_t input;
    uint32_t stream; /* of the input */
    uint32_t schema;
    uint32_t columns;
    uint16_t flags; /* to be set beside the input's */
    uint32_t later_ns; /* than the input, where the row has no time of its own */
};

/* What is wrong with the options is said by `report`; false if anything is. */
bool rows_validate(const struct rows_config *config, const struct aff_report *report);
aff_status rows_shape(const struct rows_config *config, const struct aff_table *inputs,
                      const struct aff_report *report, uint32_t output);

/* In a zeroed struct. rows_close is safe on a half-built one. */
aff_status rows_open(struct rows *rows, const struct aff_host *host, const struct rows_config *config);
void rows_close(struct rows *rows);

/* A row begins. */
void rows_begin(struct rows *rows, uint32_t columns);
/* The value of a source; one that is not put is missing. */
enum rows_reason rows_put(struct rows *rows, uint32_t source, struct rows_value value);
/* A cell of a row without declared columns. */
void rows_put_text(struct rows *rows, uint32_t cell, const char *text, uint32_t size);
void rows_put_bits(struct rows *rows, uint32_t cell, uint64_t bits);
/* All values were put. ROWS_FINE: the row may be sent. */
enum rows_reason rows_end(const struct rows *rows);
/* *ret_reason is ROWS_TOO_MANY_SUBJECTS or ROWS_TOO_LARGE where that was the
 * trouble, and then nothing was sent. */
aff_status rows_emit(struct rows *rows, const struct rows_send *send, enum rows_reason *ret_reason);

/* Shared by the files of this folder. */
const struct rows_column *rows_column_at(const struct rows_config *config, uint32_t i);
/* Where a declared column's value stands. */
const char *rows_column_from(const struct rows_column *column);
/* Where time and subject stand: `word` may be a declared column's name. */
const char *rows_word_from(const struct rows_config *config, const char *word);
/* The format of a column of type time. */
const char *rows_column_when(const struct rows_config *config, const struct rows_column *column, struct when *ret);
/* What the declared columns come out as; `columns` has room for all. */
struct aff_schema rows_schema(const struct rows_config *config, struct aff_column *columns, char *names);
uint32_t rows_schema_count(const struct rows_config *config);
size_t rows_names_size(const struct rows_config *config);

#endif
