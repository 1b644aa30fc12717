/* SPDX-License-Identifier: Apache-2.0
 *
 * body.c - vital signs at rest, adrift, and in an episode.
 *
 * At rest each sign wanders slowly about its value: smooth noise on a lattice
 * (Perlin, SIGGRAPH 1985), which needs no state, so that any time can be asked
 * for in any order and a restart needs nothing. In an episode the signs go to
 * given values in a straight line; the diastolic pressure keeps its ratio to the
 * systolic, consciousness and oxygen change half way. */
#include "body.h"

#include "exact.h"
#include "ramp.h"

const char body_letter[BODY_LEVELS] = { 'A', 'C', 'V', 'P', 'U' };

enum { DRIFT_BREATHING, DRIFT_SPO2, DRIFT_PRESSURE, DRIFT_TEMPERATURE };

/* Two layers: half a minute and five minutes. */
#define QUICK_NS UINT64_C(30000000000)
#define SLOW_NS UINT64_C(300000000000)
#define SLOW_LAYER 32u /* added to the use: the layers are independent */

double body_noise(uint64_t seed, int64_t patient, uint32_t use, uint64_t number)
{
    uint64_t mix = seed;
    struct dice d = dice_seed(dice_mix(&mix) ^ (uint64_t)patient, (uint64_t)(use + 16u) << 48 ^ number);
    double normal[2];

    dice_normal2(&d, normal);
    return normal[0];
}

/* Between the lattice's points the curve has no kink; its variance is 1 at them
 * and a half in the middle. */
static double layer_at(uint64_t seed, int64_t patient, uint32_t use, uint64_t ns, uint64_t step_ns)
{
    uint64_t k = ns / step_ns;
    double x = (double)(ns % step_ns) / (double)step_ns, part = x * x * (3.0 - 2.0 * x);

    return (1.0 - part) * body_noise(seed, patient, use, k) +
           part * body_noise(seed, patient, use, k + 1);
}

/* Bounded, so that a wandering sign stays where the option put it. */
static double drift(const struct body_config *cfg, int64_t patient, uint32_t use, uint64_t ns)
{
    double x = 0.0;

    if (!(cfg->variation > 0.0))
        return 0.0;
    x = 0.5 * layer_at(cfg->seed, patient, use, ns, QUICK_NS) +
        0.8 * layer_at(cfg->seed, patient, use + SLOW_LAYER, ns, SLOW_NS);
    x = x < 2.0 ? x : 2.0;
    return cfg->variation * (x > -2.0 ? x : -2.0);
}

static double between(double x, double low, double high)
{
    return x < low ? low : x > high ? high : x;
}

static void towards(double *value, double target, double weight)
{
    *value += weight * (target - *value);
}

static void episode_apply(struct body *b, const struct body_episode *e, double weight)
{
    double systolic = b->systolic;

    towards(&b->respiratory_rate, e->target.respiratory_rate, weight);
    towards(&b->spo2, e->target.spo2, weight);
    towards(&b->systolic, e->target.systolic, weight);
    towards(&b->temperature, e->target.temperature, weight);
    b->diastolic *= b->systolic / systolic;
    if (weight < 0.5)
        return;
    b->consciousness = e->target.consciousness;
    b->oxygen |= e->target.oxygen;
}

/* The first episode of a list is the one that counts most: it is applied last. */
static void episodes_apply(const struct body_config *cfg, int64_t patient, uint64_t ns, struct body *b)
{
    for (size_t i = cfg->episode_count; i > 0; i--) {
        const struct body_episode *e = &cfg->episodes[i - 1];
        double weight = ramp_weight(ns, e->from_ns, e->until_ns, e->over_ns);

        if ((e->patient == 0 || e->patient == patient) && weight > 0.0)
            episode_apply(b, e, weight);
    }
}

/* The sizes are those of a resting adult over minutes: about 1 breath a minute, half
 * a percent of saturation, 3 mm[Hg]. */
struct body body_at(const struct body_config *cfg, const struct body *rest, int64_t patient, uint64_t ns)
{
    struct body b = *rest;
    double pressure = drift(cfg, patient, DRIFT_PRESSURE, ns);

    episodes_apply(cfg, patient, ns, &b);
    b.respiratory_rate += 0.8 * drift(cfg, patient, DRIFT_BREATHING, ns);
    b.spo2 += 0.5 * drift(cfg, patient, DRIFT_SPO2, ns);
    b.systolic += 3.0 * pressure;
    b.diastolic += 1.5 * pressure;
    b.temperature += 0.04 * drift(cfg, patient, DRIFT_TEMPERATURE, ns);
    b.respiratory_rate = between(b.respiratory_rate, 2.0, 70.0);
    b.spo2 = between(b.spo2, 30.0, 100.0);
    b.systolic = between(b.systolic, 30.0, 300.0);
    b.diastolic = between(b.diastolic, 10.0, b.systolic - 8.0);
    return b;
}

struct body body_of_patient(const struct body *usual, uint64_t seed, int64_t patient, double spread)
{
    struct dice d = dice_seed(seed, 500000u + (uint64_t)patient);
    struct body b = *usual;
    double part[4];

    for (int i = 0; i < 4; i++)
        part[i] = patient > 1 ? spread * (2.0 * dice_unit(&d) - 1.0) : 0.0;
    b.respiratory_rate = between(b.respiratory_rate + 3.0 * part[0], 4.0, 60.0);
    b.spo2 = between(b.spo2 + 1.5 * part[1], 50.0, 100.0);
    b.systolic = between(b.systolic + 15.0 * part[2], 50.0, 260.0);
    b.diastolic = between(b.diastolic + 8.0 * part[2], 20.0, b.systolic - 10.0);
    b.temperature = between(b.temperature + 0.4 * part[3], 30.0, 43.0);
    return b;
}
