/* answer.h - prints records that were read back: table, CSV, JSON lines.
 *
 * Records of one schema share their columns; where the schema changes, a table
 * or CSV leaves a line blank and names its columns anew. A mixed table has the
 * same columns for all, and the values as text. Samples come out in their
 * physical unit, one line a record or one a sample. Nothing is kept: an answer
 * of any length needs the same memory.
 *
 * Not here: reading (the archive's plugin), the list of streams (catalogue.h). */
#ifndef AFFERENT_SHOW_ANSWER_H
#define AFFERENT_SHOW_ANSWER_H

#include <afferent/plugin.h>

#include <stdbool.h>
#include <stdio.h>

#include "show/table.h"
#include "util/json.h"

enum answer_format { ANSWER_TABLE, ANSWER_CSV, ANSWER_JSON };

struct answer {
    enum answer_format format;
    bool samples;    /* a line a sample; records of other types are left out */
    bool mixed;      /* table: the same columns for all schemas */
    uint64_t room;   /* lines that may still be printed */
    FILE *out;
    /* inside */
    struct table table;
    struct json json;
    uint32_t schema; /* whose columns were named last */
    uint8_t type;
    bool begun;
    bool at_start; /* CSV: of a line */
};

/* Begin with format, samples, room and out set, the rest zero. */

/* Prints a record. False: its payload is not what its schema says; nothing was
 * printed. */
bool answer_record(struct answer *answer, const struct aff_host *host, const struct aff_record *record);
/* Prints what is still kept. False without memory: lines are missing. */
bool answer_close(struct answer *answer);

/* ---- for catalogue.c and the formats: cells of a line ---- */

__attribute__((format(printf, 2, 3)))
void answer_cell(struct answer *answer, const char *format, ...);
void answer_line(struct answer *answer);
/* Names columns anew, of which there are `count`. */
bool answer_columns(struct answer *answer, uint32_t count);

/* A sample in its unit; false where it is missing. */
bool sample_value(const struct aff_record *record, const struct aff_column *column, uint16_t channel,
                  uint32_t index, double *ret_value);
/* An array of all samples of a channel; those that are missing are null. */
void sample_array(struct json *json, const char *name, const struct aff_record *record,
                  const struct aff_column *column, uint16_t channel);
const struct aff_column *schema_column(const struct aff_schema *schema, uint32_t index);
/* Event time of a sample of the record. */
int64_t sample_time(const struct aff_record *record, const struct aff_schema *schema, uint32_t index);
/* Whether the payload is one that the schema describes. */
bool payload_fits(const struct aff_record *record, const struct aff_schema *schema);

/* answer_mixed.c: the columns "what" and "values". */
void answer_mixed(struct answer *answer, const struct aff_schema *schema, const struct aff_record *record);
/* answer_json.c */
void answer_json(struct answer *answer, const struct aff_stream_info *stream, const struct aff_schema *schema,
                 const struct aff_record *record);

#endif
