/* SPDX-License-Identifier: Apache-2.0
 *
 * pulse.h - what a heart beat does in the arteries: pressure and plethysmogram.
 *
 * A pulse is plain numbers without pointers, made once for each beat; the waves
 * at a time are a function of the latest pulses. */
#ifndef IN_SYNTH_PULSE_H
#define IN_SYNTH_PULSE_H

#include <stdbool.h>
#include <stddef.h>

#include "body.h"

#define PULSE_GAUSSIANS 3

/* One cycle, from foot to foot: 0 at both ends, 1 at its top. */
struct pulse_form {
    double height[PULSE_GAUSSIANS];
    double centre[PULSE_GAUSSIANS]; /* part of the cycle */
    double narrow[PULSE_GAUSSIANS]; /* 1 / 2 b^2 */
    double first, last;             /* of the bare sum, at the ends */
    double top;
    double mean_early; /* over systole, and over diastole */
    double mean_late;
};

struct pulse_forms {
    struct pulse_form pressure;
    struct pulse_form pleth;
};
void pulse_forms_make(struct pulse_forms *f);

struct pulse {
    double at;       /* s: of the R peak */
    double interval; /* s: to the next one, as the heart meant it */
    double systolic, diastolic;
    double pressure_start; /* where the pressure stood when this pulse came */
    double amplitude, base; /* of the plethysmogram */
    double pleth_start;
};

/* A beat: when its R peak is, how long until the next is meant to be, whether it
 * is ventricular, how full the lungs are (breath_volume). */
struct beat {
    double at;
    double interval;
    double volume;
    bool ectopic;
};

/* The pulse of a beat that follows another pulse. `full`: pulse pressure at which
 * the plethysmogram has amplitude 1. */
struct pulse pulse_make(const struct pulse_forms *f, const struct pulse *before, const struct beat *beat,
                        const struct body *body, double full);

/* A pulse before the first, which has nearly run off when the signal begins. */
struct pulse pulse_first(double interval, const struct body *body);

/* The wave at a time in the latest pulse whose foot has come by then:
 * pulse_pressure_foot and pulse_pleth_foot are when it comes. mm[Hg]; 1. */
double pulse_pressure(const struct pulse_forms *f, const struct pulse *p, double seconds);
double pulse_pleth(const struct pulse_forms *f, const struct pulse *p, double seconds);
double pulse_pressure_foot(const struct pulse *p);
double pulse_pleth_foot(const struct pulse *p);

/* The mean of the pressure over a cycle of this length. */
double pulse_mean(const struct pulse_forms *f, double systolic, double diastolic, double interval);

#endif
