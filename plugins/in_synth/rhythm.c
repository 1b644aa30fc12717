/* SPDX-License-Identifier: Apache-2.0
 *
 * rhythm.c - a tachogram with Mayer waves and respiratory sinus arrhythmia.
 *
 * McSharry, Clifford, Tarassenko and Smith (IEEE Trans Biomed Eng 50(3):289-294,
 * 2003, section III.B) give the spectrum of the RR series: two Gaussians, at
 * 0.1 Hz (LF) and 0.25 Hz (HF), each 0.01 Hz wide, with a chosen ratio of power.
 * They make it by an inverse FFT with random phases, which needs the length
 * beforehand and repeats itself after it. Ours must run for years in constant
 * memory, so each band is noise of that width, moved up to its centre: two
 * normal white noises through four equal one-pole low passes each, whose
 * power (1 + f^2/fc^2)^-4 is near a Gaussian of width fc / sqrt(5), times cosine
 * and sine of the centre. It is stationary and never repeats. */
#include "rhythm.h"

#define STEP_HZ 4.0
#define WIDTH_HZ 0.01
#define CORNER_HZ (WIDTH_HZ * 2.23606797749978969641)

static const double centre_hz[RHYTHM_BANDS] = { 0.1, RHYTHM_BREATH_HZ };

static double decay(void)
{
    return exact_exp(-2.0 * EXACT_PI * CORNER_HZ / STEP_HZ);
}

static double poles_step(double pole[RHYTHM_POLES], double x)
{
    double a = decay();

    for (int k = 0; k < RHYTHM_POLES; k++) {
        pole[k] = a * pole[k] + (1.0 - a) * x;
        x = pole[k];
    }
    return x;
}

/* One over the root of the energy of the impulse response: what white noise of
 * variance 1 must be multiplied with to leave the poles with variance 1. */
static double poles_scale(void)
{
    double pole[RHYTHM_POLES] = { 0 }, energy = 0.0;

    for (int i = 0; i < 1000; i++) {
        double y = poles_step(pole, i == 0 ? 1.0 : 0.0);

        energy += y * y;
    }
    return 1.0 / sqrt(energy);
}

static double band_step(struct rhythm *r, int band)
{
    double turns = centre_hz[band] / STEP_HZ * (double)(r->steps % 40000u);
    double white[2];

    dice_normal2(&r->dice, white);
    return r->scale * (poles_step(r->pole[band][0], white[0]) * exact_cos_turns(turns) -
                       poles_step(r->pole[band][1], white[1]) * exact_sin_turns(turns));
}

/* 40000 steps are whole turns of both centres, so the angle stays exact. */
static void rhythm_step(struct rhythm *r)
{
    double lf = sqrt(r->lf_hf / (1.0 + r->lf_hf)), hf = sqrt(1.0 / (1.0 + r->lf_hf));

    r->steps++;
    r->before = r->now;
    r->now = lf * band_step(r, RHYTHM_LF) + hf * band_step(r, RHYTHM_HF);
}

void rhythm_begin(struct rhythm *r, uint64_t seed, double lf_hf)
{
    *r = (struct rhythm){ .dice = dice_seed(seed, 1), .scale = poles_scale(), .lf_hf = lf_hf };
    for (int i = 0; i < 400; i++) /* 14 time constants: nothing is left of the zeros */
        rhythm_step(r);
    r->steps = 0;
}

double rhythm_at(struct rhythm *r, double seconds)
{
    double step = seconds * STEP_HZ, part = 0.0;

    while ((double)r->steps < step)
        rhythm_step(r);
    part = (double)r->steps - step;
    part = part < 1.0 ? part : 1.0;
    return part * r->before + (1.0 - part) * r->now;
}
