/* SPDX-License-Identifier: Apache-2.0
 *
 * store.h - what is known of one subject: values with their times, and which
 * interval is due.
 *
 * The bytes lie in the host's state and are kept over a restart, so nothing here
 * holds a pointer or an integer of this run. A column has `depth` values: the
 * last one of each of the newest intervals that had any. As many intervals can be
 * open at once (the one that is due, and those that reach into `lateness`), so
 * that the row of each can be made after values of later ones have come. One that
 * had no value takes the last one before it, which then has not been pushed out.
 *
 * Not here: records, rows and the host (op_latest.c). */
#ifndef OP_LATEST_STORE_H
#define OP_LATEST_STORE_H

#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>

#include <alert_rows/clocks.h>

#include "columns.h"

enum { TEXT_MOST = 32, DEPTH_MOST = 17 };

/* Times of more than 250 years from 1970 are no times of a patient's data. */
#define TIME_MOST INT64_C(8000000000000000000)

struct value {
    int64_t at;
    union {
        double real;
        int64_t whole;
    } number;
    char text[TEXT_MOST];
    uint8_t length;
    uint8_t is_used;  /* the place is taken */
    uint8_t is_there; /* 0: since `at` there is no value that can be told */
    uint8_t is_suspect;
};

/* Zeroed at first use. Intervals have numbers: that which ends at n * every. */
struct subject {
    int64_t first, newest;     /* event times, once begun */
    int64_t due;               /* the interval to tell next, if is_due */
    int64_t settled;           /* the last one told or passed, if has_settled */
    uint8_t is_begun, is_due, has_settled;
    uint8_t has_stream; /* a row was made */
    uint8_t clock;
    uint8_t reserved[3];
    int64_t shift_ns;     /* clocks.shift_ns that all times here are at: they are of the
                           * clock of the streams that come, and move when it is set */
    struct clocks clocks; /* of the streams that feed this subject */
    struct value values[]; /* by column, then oldest first */
};

struct store {
    const struct layout *layout;
    int64_t every, lateness, after, span;
    uint32_t depth;
};

void store_open(struct store *store, const struct layout *layout, const struct config *config);
size_t store_bytes(const struct store *store);

/* Values. put: 0 when an equal or newer value stands against it, 1 when it was
 * taken in. at: the one that holds at time t, NULL for none. */
int store_put(const struct store *store, struct subject *subject, uint32_t column, const struct value *value);
const struct value *store_at(const struct store *store, const struct subject *subject, uint32_t column, int64_t t);
bool store_any(const struct store *store, const struct subject *subject, int64_t t);
/* The next time at which a value that holds at t becomes too old; INT64_MAX. */
int64_t store_expiry(const struct store *store, const struct subject *subject, int64_t t);

/* Intervals. note: a record of time `at` has come (before its values are put);
 * false when it is too late for its interval. resume: after its values. settle:
 * the due interval is told; the next one is found. */
bool store_note(const struct store *store, struct subject *subject, int64_t at);
void store_resume(const struct store *store, struct subject *subject);
void store_settle(const struct store *store, struct subject *subject);
int64_t store_interval(const struct store *store, int64_t at);
/* Whether the due interval makes a row; and whether a time lies behind `for`. */
bool store_tells(const struct store *store, const struct subject *subject);
bool store_is_over(const struct store *store, const struct subject *subject, int64_t at);

/* A record of the stream of this name has come: its time beside the others here,
 * which are moved where its clock was set. False: that many streams are not kept. */
bool store_time(const struct store *store, struct subject *subject, uint64_t hash, int64_t event_ns, int64_t *ret_at);

#endif
