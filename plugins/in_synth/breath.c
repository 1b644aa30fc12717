/* SPDX-License-Identifier: Apache-2.0
 *
 * breath.c - the curve of a breath, and how long each lasts.
 *
 * The impedance of the chest follows the volume of the lungs (Geddes and Baker,
 * Principles of Applied Biomedical Instrumentation, 1989). The rate is that of the
 * body at the breath's start. Not here: the breathing of the ECG's baseline and
 * rate, which keeps the pace of rhythm.h, so that the ECG is the same with and
 * without the other signals. */
#include "breath.h"

#include "exact.h"

#define INSPIRATION 0.375 /* part of the cycle */

/* Breaths of a resting person differ in length by some percent from one to the
 * next (Tobin et al., Chest 84:202-205, 1983). */
#define JITTER 0.04

static double seconds_of(double rate)
{
    return 60.0 / rate;
}

/* Whoever breathes fast breathes shallow. Jitter is small and as often long as
 * short, so the mean rate stays the body's. */
static void breath_set(struct breath *b, const struct body_config *cfg, const struct body *rest, int64_t patient)
{
    uint64_t ns = b->start > 0.0 ? (uint64_t)(b->start * 1e9) : 0;
    struct body body = body_at(cfg, rest, patient, ns);
    double noise = body_noise(cfg->seed, patient, NOISE_BREATH, b->number);
    double usual = seconds_of(body.respiratory_rate), part = JITTER * cfg->variation * noise;

    part = part < 0.25 ? part : 0.25;
    part = part > -0.25 ? part : -0.25;
    b->period = usual * (1.0 + part);
    b->period = b->period > BREATH_SHORTEST ? b->period : BREATH_SHORTEST;
    b->depth = sqrt(usual / 4.0);
    b->depth = b->depth < 1.5 ? b->depth : 1.5;
}

struct breath breath_first(const struct body_config *cfg, const struct body *rest, int64_t patient)
{
    struct dice d = dice_seed(cfg->seed, 600000u + (uint64_t)patient);
    struct breath b = { .start = 0.0 };

    breath_set(&b, cfg, rest, patient);
    b.start = -b.period * dice_unit(&d);
    return b;
}

struct breath breath_next(const struct breath *b, const struct body_config *cfg, const struct body *rest,
                          int64_t patient)
{
    struct breath next = { .start = b->start + b->period, .number = b->number + 1 };

    breath_set(&next, cfg, rest, patient);
    return next;
}

/* Up in a little over a third of the cycle; down quickly at first and then slowly,
 * as a passive lung empties. */
double breath_volume(const struct breath *b, double seconds)
{
    double x = (seconds - b->start) / b->period, u = 0.0;

    if (x <= 0.0 || x >= 1.0)
        return 0.0;
    if (x < INSPIRATION) {
        u = x / INSPIRATION;
        return b->depth * u * u * (3.0 - 2.0 * u);
    }
    u = (1.0 - x) / (1.0 - INSPIRATION);
    return b->depth * u * u * u * (4.0 - 3.0 * u);
}
