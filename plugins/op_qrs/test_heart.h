/* SPDX-License-Identifier: Apache-2.0
 *
 * test_heart.h - a made ECG and noise for the tests of op_qrs.
 *
 * Each beat is a sum of Gaussian waves P, Q, R, S, T, as in McSharry, Clifford,
 * Tarassenko and Smith, IEEE Trans. Biomed. Eng. 50(3):289-294, 2003, placed at
 * given times. It is no model of rhythm. */
#ifndef OP_QRS_TEST_HEART_H
#define OP_QRS_TEST_HEART_H

#include <stddef.h>
#include <stdint.h>

enum { HEART_BEATS = 4096 };

struct heart {
    double beat[HEART_BEATS]; /* times of R peaks, s, rising */
    size_t count;
    uint64_t seed;
};

/* Beats every `interval` s from `from` up to `to`. */
void heart_beat(struct heart *h, double from, double to, double interval);

/* The voltage at time t, R peaks of 1 mV. */
double heart_at(const struct heart *h, double t);

/* Normal noise of variance 1. */
double heart_noise(struct heart *h);

#endif
