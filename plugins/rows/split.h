/* SPDX-License-Identifier: Apache-2.0
 *
 * split.h - a row of CSV, or a line of a device, as fields. */
#ifndef ROWS_SPLIT_H
#define ROWS_SPLIT_H

#include "scan.h"

enum { FIELDS_MOST = 4096 };

struct field {
    uint32_t at, size; /* in the text, without its quotes */
    bool doubled;      /* has quotes that are written twice */
};

enum split_kind {
    SPLIT_ROW,     /* fields */
    SPLIT_EMPTY,   /* a line without a byte, or a comment */
    SPLIT_MORE,    /* the text ends before the row */
    SPLIT_QUOTE,   /* a quote that is never closed, or text behind one */
    SPLIT_ZERO,    /* a zero byte */
    SPLIT_MANY,    /* more than FIELDS_MOST fields */
    SPLIT_FAR      /* a quote that is not closed within `far` */
};

struct dialect {
    char delimiter, quote, comment; /* quote and comment: 0 for none */
};

struct split {
    struct scan scan;
    struct dialect dialect;
    struct field *fields; /* room for FIELDS_MOST */
    uint32_t count;
    size_t next; /* where scan stands */

    /* Of the row in hand. */
    size_t size;      /* without its line end */
    size_t end;       /* behind its line end, in the text */
    size_t stopped;   /* how far was read, of SPLIT_QUOTE: behind that no quote was seen */
    bool high;        /* may hold bytes that are not ASCII */
};

/* Where a text ends, for split_row. */
struct split_text {
    const char *text;
    size_t size;
    size_t line_until; /* up to here a line end ends the row even within quotes */
    size_t far;        /* a quote that is open beyond this place is not followed further */
    bool ends_line, final;
};

void split_text(struct split *s, const char *text, size_t size);
/* The row at `at`. Of all kinds but MORE and FAR, size and end say where it stands; of
 * the bad ones that is its first line alone. */
enum split_kind split_row(struct split *s, const struct split_text *t, size_t at);
/* A field's text where quotes are doubled: written to `to`; returns its size. */
uint32_t split_undouble(const char *text, uint32_t size, char quote, char *to);

#endif
