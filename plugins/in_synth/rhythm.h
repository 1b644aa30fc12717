/* SPDX-License-Identifier: Apache-2.0
 *
 * rhythm.h - how long from beat to beat: heart rate variability.
 *
 * Plain numbers without pointers: its bytes may be copied away and back. */
#ifndef IN_SYNTH_RHYTHM_H
#define IN_SYNTH_RHYTHM_H

#include "exact.h"

enum { RHYTHM_LF, RHYTHM_HF, RHYTHM_BANDS };

/* Breathing, in Hz: the centre of the HF band, and the pace of the baseline. */
#define RHYTHM_BREATH_HZ 0.25

#define RHYTHM_POLES 4

struct rhythm {
    struct dice dice;
    double pole[RHYTHM_BANDS][2][RHYTHM_POLES];
    double scale;  /* brings a band's two parts to variance 1 */
    double before; /* value at `steps` - 1 */
    double now;    /* value at `steps` */
    double lf_hf;  /* power of LF to that of HF */
    uint64_t steps;
};

void rhythm_begin(struct rhythm *r, uint64_t seed, double lf_hf);

/* The deviation at a time since the beginning, with mean 0 and variance 1; times
 * must not go back by more than a quarter of a second. */
double rhythm_at(struct rhythm *r, double seconds);

#endif
