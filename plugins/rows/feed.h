/* SPDX-License-Identifier: Apache-2.0
 *
 * feed.h - input records become a text, the text rows, and bad rows dead letters.
 *
 * A reader (CSV, JSON) gives one function that takes the next row of a text;
 * which texts there are, what is kept from one record to the next, and what
 * happens to what is no row is told here, once for both.
 *
 * Not here: what a row is. */
#ifndef ROWS_FEED_H
#define ROWS_FEED_H

#include "rows.h"

/* What is kept of a stream between records, in the host's state; behind it lies
 * the room for a row that has begun. */
struct feed_state {
    uint64_t line_until; /* as in feed_text, in the stream */
    uint64_t offset; /* in the stream's text: of the kept bytes' first, or of what comes next */
    struct aff_id failed; /* the record at which memory ran out last */
    uint32_t kept;
    uint32_t flushed; /* of the kept bytes, at the stream's end */
    uint8_t skip;     /* reason for which all up to the next line end is set aside */
    uint8_t gap;      /* the next row is the first one behind a gap */
    uint8_t has_failed;
    uint8_t has_rows;
    uint8_t reserved[4];
};

struct feed_text {
    const char *text;
    size_t size;
    uint64_t offset;   /* of its first byte in the stream */
    size_t line_until; /* up to here a line end ends a row, come what may */
    bool ends_line;    /* its end is the end of a line */
    bool final;        /* nothing follows */
};

struct feed;

struct feed_ops {
    /* A text: its bytes stay until the next one. */
    void (*text)(void *self, const struct feed_text *text);
    /* Takes the row at `at`: sends it by feed_emit or sets it aside by feed_bad,
     * and says in *ret_end where it ended, which is beyond `at`. *ret_more (then
     * nothing was sent): the text ends before the row does, or the row goes
     * beyond max_row. */
    aff_status (*row)(void *self, struct feed_text *text, size_t at, size_t *ret_end, bool *ret_more);
};

struct feed {
    struct rows *rows;
    const struct aff_host *host;
    const struct feed_ops *ops;
    void *self;
    const struct aff_verdict *verdicts; /* names of reasons */
    bool cr_ends; /* CR alone ends a line */
    bool keeps;   /* a row may begin in one record and end in another */
    int framing;
    size_t max_row;
    char *join; /* kept bytes and what follows, in one piece */
    int64_t log_after_ns;
    uint64_t unlogged;

    /* The record in hand. */
    uint32_t input;
    uint32_t stream;
    struct feed_text text;
    bool is_whole; /* the text is the record */
    bool gap;
    uint8_t verdict;
    uint64_t good, bad;
    uint64_t bad_values;
};

/* Bytes of host state for a stream; the reader's own come before them. */
size_t feed_state_size(const struct feed *feed);

/* In a zeroed struct; the reader has set verdicts, cr_ends and keeps. */
aff_status feed_open(struct feed *feed, struct rows *rows, const struct feed_ops *ops, void *self);
void feed_close(struct feed *feed);

/* All rows of a record. Unless AFF_OK, nothing has changed and nothing counts. */
aff_status feed_record(struct feed *feed, struct feed_state *state, const struct aff_batch *batch, uint32_t input);
/* What is left of a stream. After an error the next call goes on behind what was sent. */
aff_status feed_flush(struct feed *feed, struct feed_state *state, uint32_t stream);

/* Sends the row in hand, which stands at these bytes of the text. */
aff_status feed_emit(struct feed *feed, uint32_t schema, uint32_t columns, size_t at, size_t size);
/* Sets these bytes of the text aside. */
aff_status feed_bad(struct feed *feed, int reason, size_t at, size_t size);

#endif
