/* SPDX-License-Identifier: Apache-2.0
 *
 * compare.h - beat-by-beat comparison of one record, as events come in.
 *
 * After ANSI/AAMI EC57:2012, 3.4 and 4.2, with the pairing of the WFDB program
 * bxb. Two runs of events, found and reference, each in order of time; either
 * may run ahead of the other by a fixed number of events. Times are ns of any
 * clock that both share. Memory is one block of a size known beforehand, without
 * pointers, so that its bytes can be kept and put back.
 *
 * It compares places, not classes of beats, and prints nothing. */
#ifndef OUT_EC57_COMPARE_H
#define OUT_EC57_COMPARE_H

#include <stddef.h>
#include <stdint.h>

enum compare_side { COMPARE_FOUND = 0, COMPARE_REFERENCE = 1 };

enum compare_kind {
    COMPARE_BEAT,
    COMPARE_FLUTTER_ON,  /* reference only: ventricular flutter begins, "[" */
    COMPARE_FLUTTER_OFF, /* and ends, "]" */
    COMPARE_OTHER        /* no beat, but time went on */
};

enum compare_result {
    COMPARE_OK = 0,
    COMPARE_FULL = -1, /* this side is too far ahead of the other */
    COMPARE_LATE = -2  /* before the latest of this side, behind its end, or no date */
};

/* What a stretch of a record amounts to. */
struct compare_score {
    uint64_t matched; /* TP */
    uint64_t missed;  /* FN */
    uint64_t extra;   /* FP */
};

struct compare_total {
    struct compare_score scored; /* after the learning period */
    struct compare_score whole;
    uint64_t ignored;            /* beats of both sides inside flutter */
    double error_sum;            /* found - reference over all pairs, ms */
    double error_squares;
};

struct compare;

/* Bytes for a comparison whose sides may run `ahead` events ahead. */
size_t compare_size(uint32_t ahead);

/* Zeroed memory of compare_size() becomes a comparison. */
void compare_open(struct compare *c, uint32_t ahead, int64_t window_ns, int64_t learning_ns);
int compare_is_open(const struct compare *c);

/* When the record began: the learning period counts from there. Until it is
 * known no pair is decided. */
void compare_start(struct compare *c, int64_t start_ns);
int compare_is_started(const struct compare *c);

/* The next event of a side. */
enum compare_result compare_push(struct compare *c, enum compare_side side, enum compare_kind kind, int64_t time_ns);

/* This side has no more events. After both ended the total is final. */
void compare_end(struct compare *c, enum compare_side side);
int compare_is_done(const struct compare *c);

const struct compare_total *compare_total_of(const struct compare *c);
void compare_add(struct compare_total *sum, const struct compare_total *t);

/* Sensitivity and positive predictivity in percent; -1 where there is nothing
 * to divide by. */
double compare_se(const struct compare_score *s);
double compare_ppv(const struct compare_score *s);

#endif
