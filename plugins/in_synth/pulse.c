/* SPDX-License-Identifier: Apache-2.0
 *
 * pulse.c - sums of Gaussians over the cycle of a beat, for pressure and finger.
 *
 * As McSharry's ECG with other Gaussians and a delay behind the R peak (Clifford
 * and McSharry, Computers in Cardiology 31:709-712, 2004), but tied to 0 at the
 * feet, so that a wave reaches exactly the pressures it was made for. A beat that
 * comes early fills less and throws less, one behind a pause more. Without a next
 * beat the pressure runs off to what fills the vessels when nothing flows. */
#include "pulse.h"

#include "breath.h"
#include "exact.h"

/* Systole does not shrink with the cycle: it lasts about 0.3 s at 60 beats a minute
 * and goes with the root of the interval (Weissler et al., Circulation 37:149-159,
 * 1968). */
#define SYSTOLE_S 0.3
#define NOTCH 0.42 /* where systole ends in a form, part of its cycle */

/* From the R peak to the foot: preejection and way (Smith et al., Thorax
 * 54:452-457, 1999), to the wrist and to the finger. */
#define DELAY_PRESSURE_S 0.16
#define DELAY_PLETH_S 0.20

#define SETTLE_S 0.06 /* how fast a step at an early foot is smoothed away */
#define RUNOFF_S 1.5
#define FILLING_MMHG 20.0
#define BREATH_MMHG 3.0 /* how much the systolic pressure falls with a breath */

/* The ejected, the reflected and the dicrotic wave: height, place, width. */
static const double pressure_form[PULSE_GAUSSIANS][3] = {
    { 0.86, 0.19, 0.070 }, { 0.50, 0.32, 0.085 }, { 0.34, 0.56, 0.200 },
};

/* The two Gaussians of the "excellent" template of Tang, Chen, Ward and Elgendi
 * (Scientific Reports 10:13883, 2020, table 1): (theta + pi) / 2 pi and b / 2 pi of
 * their angles. */
static const double pleth_form[PULSE_GAUSSIANS][3] = {
    { 1.0, 0.25870, 0.10032 }, { 0.1999, 0.63028, 0.16274 }, { 0.0, 0.5, 1.0 },
};

static double bare_at(const struct pulse_form *f, double x)
{
    double sum = 0.0;

    for (int i = 0; i < PULSE_GAUSSIANS; i++) {
        double d = x - f->centre[i];

        sum += f->height[i] * exact_exp(-d * d * f->narrow[i]);
    }
    return sum;
}

static double form_at(const struct pulse_form *f, double x)
{
    if (x <= 0.0 || x >= 1.0)
        return 0.0;
    return (bare_at(f, x) - (1.0 - x) * f->first - x * f->last) / f->top;
}

static void form_make(struct pulse_form *f, const double form[PULSE_GAUSSIANS][3])
{
    const int steps = 4000;
    double top = 0.0, sum[2] = { 0 }, count[2] = { 0 };

    for (int i = 0; i < PULSE_GAUSSIANS; i++) {
        f->height[i] = form[i][0];
        f->centre[i] = form[i][1];
        f->narrow[i] = 1.0 / (2.0 * form[i][2] * form[i][2]);
    }
    f->first = bare_at(f, 0.0);
    f->last = bare_at(f, 1.0);
    f->top = 1.0;
    for (int i = 0; i < steps; i++) {
        double x = (i + 0.5) / steps, y = form_at(f, x);

        top = y > top ? y : top;
        sum[x > NOTCH] += y;
        count[x > NOTCH] += 1.0;
    }
    f->top = top;
    f->mean_early = sum[0] / count[0] / top;
    f->mean_late = sum[1] / count[1] / top;
}

void pulse_forms_make(struct pulse_forms *f)
{
    form_make(&f->pressure, pressure_form);
    form_make(&f->pleth, pleth_form);
}

static double systole_part(double interval)
{
    double part = SYSTOLE_S / sqrt(interval); /* of the interval */

    return part < 0.7 ? part : 0.7;
}

/* Place in the form after `s` seconds of a cycle. */
static double cycle_at(double interval, double s)
{
    double part = systole_part(interval), x = s / interval;

    return x < part ? NOTCH * x / part : NOTCH + (1.0 - NOTCH) * (x - part) / (1.0 - part);
}

double pulse_mean(const struct pulse_forms *f, double systolic, double diastolic, double interval)
{
    double part = systole_part(interval);

    return diastolic + (systolic - diastolic) *
                       (part * f->pressure.mean_early + (1.0 - part) * f->pressure.mean_late);
}

/* What is left of a step at the foot. */
static double settle(double s)
{
    double x = s / SETTLE_S;

    return x < 8.0 ? exact_exp(-0.5 * x * x) : 0.0;
}

/* What is left after the cycle is over and no beat came. */
static double runoff(double interval, double s)
{
    double x = (s - interval) / RUNOFF_S;

    return x <= 0.0 ? 1.0 : x < 40.0 ? exact_exp(-x) : 0.0;
}

double pulse_pressure(const struct pulse_forms *f, const struct pulse *p, double seconds)
{
    double s = seconds - pulse_pressure_foot(p);
    double rest = FILLING_MMHG + (p->diastolic - FILLING_MMHG) * runoff(p->interval, s);

    rest = p->diastolic < FILLING_MMHG ? p->diastolic : rest;
    return rest + (p->systolic - p->diastolic) * form_at(&f->pressure, cycle_at(p->interval, s)) +
           (p->pressure_start - p->diastolic) * settle(s);
}

double pulse_pleth(const struct pulse_forms *f, const struct pulse *p, double seconds)
{
    double s = seconds - pulse_pleth_foot(p);

    return p->base + p->amplitude * form_at(&f->pleth, cycle_at(p->interval, s)) +
           (p->pleth_start - p->base) * settle(s);
}

double pulse_pressure_foot(const struct pulse *p)
{
    return p->at + DELAY_PRESSURE_S;
}

double pulse_pleth_foot(const struct pulse *p)
{
    return p->at + DELAY_PLETH_S;
}

/* How much of a usual stroke the beat throws: 1 when it came when it was meant to. */
static double stroke_of(const struct pulse *before, const struct beat *beat)
{
    double ratio = (beat->at - before->at) / before->interval, stroke = 1.0;

    ratio = ratio > 0.3 ? ratio : 0.3;
    ratio = ratio < 1.4 ? ratio : 1.4;
    stroke = ratio > 0.97 && ratio < 1.03 ? 1.0 : sqrt(ratio);
    return beat->ectopic ? 0.75 * stroke : stroke;
}

/* Of breathing in the pulse (Charlton et al., Physiological Measurement
 * 37:610-626, 2016): base and amplitude of the plethysmogram, systolic pressure. */
struct pulse pulse_make(const struct pulse_forms *f, const struct pulse *before, const struct beat *beat,
                        const struct body *body, double full)
{
    double breath = beat->volume - BREATH_MEAN, stroke = stroke_of(before, beat);
    double width = (body->systolic - body->diastolic) * stroke - BREATH_MMHG * breath;
    struct pulse p = { .at = beat->at, .interval = beat->interval, .diastolic = body->diastolic };

    p.systolic = p.diastolic + (width > 4.0 ? width : 4.0);
    p.amplitude = (width > 4.0 ? width : 4.0) / full * (1.0 - 0.08 * breath);
    p.amplitude = p.amplitude < 1.6 ? p.amplitude : 1.6;
    p.base = 0.10 * breath;
    p.pressure_start = pulse_pressure(f, before, pulse_pressure_foot(&p));
    p.pleth_start = pulse_pleth(f, before, pulse_pleth_foot(&p));
    return p;
}

struct pulse pulse_first(double interval, const struct body *body)
{
    struct pulse p = { .at = -0.9 * interval, .interval = interval, .systolic = body->systolic,
                       .diastolic = body->diastolic, .amplitude = 1.0 };

    p.at = p.at < -DELAY_PLETH_S ? p.at : -DELAY_PLETH_S;
    p.pressure_start = p.diastolic;
    return p;
}
