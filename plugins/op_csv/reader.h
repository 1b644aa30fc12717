/* SPDX-License-Identifier: Apache-2.0
 *
 * reader.h - fields of CSV become values of columns: the header, and each row. */
#ifndef OP_CSV_READER_H
#define OP_CSV_READER_H

#include <rows/feed.h>
#include <rows/rows.h>
#include <rows/split.h>

enum { NAMES_MOST = 8192, SHAPES_MOST = 64 };

struct csv_config {
    struct rows_config rows; /* first: see rows/options.h */
    const char *delimiter;
    const char *quote;
    const char *comment;
    int32_t header;
    int32_t decimal;
    int32_t ragged;
};
enum { DECIMAL_POINT, DECIMAL_COMMA };
enum { RAGGED_DEAD, RAGGED_ALLOW };

enum csv_reason {
    CSV_BAD_QUOTE = ROWS_REASONS,
    CSV_TOO_FEW_COLUMNS,
    CSV_TOO_MANY_COLUMNS,
    CSV_BAD_HEADER,
    CSV_UTF16,
    CSV_TOO_MANY_SHAPES,
    CSV_NO_ROWS
};

/* What the first row of a text says. No pointers: it is kept by the host. */
enum head_kind { HEAD_NONE, HEAD_READY, HEAD_BAD };
struct head {
    uint64_t row_hash; /* of the header, to know it when it comes again */
    uint32_t row_size;
    uint16_t fields;  /* a row has so many; 0: at least `least` */
    uint16_t least;
    uint8_t kind;
    uint8_t reason; /* of HEAD_BAD */
    uint8_t reserved[6];
    uint16_t map[ROWS_SOURCES_MOST]; /* source -> field, or NO_FIELD */
    uint32_t names_size;
    char names[NAMES_MOST]; /* open: of all columns, each ended by a zero */
};
enum { NO_FIELD = 0xffff };

struct reader {
    const struct csv_config *config;
    const struct aff_host *host;
    struct rows rows;
    struct feed feed;
    struct split split;
    char *scratch; /* fields whose doubled quotes were made one */
    size_t scratch_used;

    /* Heads: the one in force, and one made new by the record in hand. */
    const struct head *head;
    struct head fresh;

    /* Open: schemas by header. */
    struct aff_column *columns;
    uint64_t shapes[SHAPES_MOST];
    uint32_t shape_count;
    uint32_t memo_stream, memo_generation; /* whose schema this is */
    uint32_t schema;
};

aff_status reader_open(struct reader *r, const struct aff_host *host, const struct csv_config *config,
                       const struct aff_verdict *verdicts);
void reader_close(struct reader *r);
/* "," or "tab", "" for none; -1: not one character that can be used. */
int reader_character(const char *option);

/* The header of a text; r->fresh is then the head in force. Shared by the files
 * of this folder. head_bad is always false. */
void head_take(struct reader *r, const struct feed_text *t, size_t at, size_t size);
bool head_bad(struct reader *r, int reason, const char *why, const char *what);
/* The head where rows have no header: columns are counted. */
void head_count(struct reader *r);
/* The schema of an open head that is in force. */
aff_status head_schema(struct reader *r, uint32_t stream);
/* Whether a row is the header, which comes again where files were put together. */
bool head_is(const struct head *head, const char *row, size_t size);
/* Whether the row in hand is a header with the same words at other places. */
bool head_moved(struct reader *r, const struct feed_text *t);
/* A field's bytes; NULL: no room in scratch. */
const char *field_text(struct reader *r, const struct feed_text *t, const struct field *f, uint32_t *ret_size);

#endif
