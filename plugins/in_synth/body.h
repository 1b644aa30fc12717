/* SPDX-License-Identifier: Apache-2.0
 *
 * body.h - what else a patient's body does: the vital signs beside the heart's.
 *
 * All of it is a function of options and time alone; there is no state to keep. */
#ifndef IN_SYNTH_BODY_H
#define IN_SYNTH_BODY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ACVPU: alert, (newly) confused, answers to voice, to pain, unresponsive. */
enum { BODY_A, BODY_C, BODY_V, BODY_P, BODY_U, BODY_LEVELS };
extern const char body_letter[BODY_LEVELS];

/* Vital signs at a time, or where they stay when nothing happens. */
struct body {
    double respiratory_rate; /* /min */
    double spo2;             /* % */
    double systolic;         /* mm[Hg] */
    double diastolic;        /* mm[Hg] */
    double temperature;      /* Cel */
    int32_t consciousness;
    int32_t oxygen; /* 1: supplemental oxygen is given */
};

/* A deterioration: `target` is reached gradually, and left as gradually. */
struct body_episode {
    uint64_t from_ns;
    uint64_t until_ns;
    uint64_t over_ns;
    struct body target; /* its diastolic is not used: it follows the systolic */
    int64_t patient;    /* 0: all, else the one of this number, from 1 */
};

struct body_config {
    uint64_t seed;
    double variation; /* 1: as a resting adult varies; 0: not at all */
    const struct body_episode *episodes;
    size_t episode_count;
};

/* A patient of a ward around the values that the options give: `spread` 1 is as
 * adults differ. Patients are numbered from 1; the first has just these values. */
struct body body_of_patient(const struct body *usual, uint64_t seed, int64_t patient, double spread);

/* At a time since the start of the signal. */
struct body body_at(const struct body_config *cfg, const struct body *rest, int64_t patient, uint64_t ns);

/* Noise of a reading with standard deviation 1: `use` tells apart what is read,
 * `number` which reading of it this is. */
double body_noise(uint64_t seed, int64_t patient, uint32_t use, uint64_t number);
enum { NOISE_PRESSURE = 64, NOISE_BREATH = 65 }; /* below are the drifts' own */

#endif
