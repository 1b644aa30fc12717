/* SPDX-License-Identifier: Apache-2.0
 *
 * front.c - from samples to peaks of QRS energy.
 *
 * Any input rate is brought to 200 Hz, and from there on each filter has the
 * length in ms that the literature gives: low pass, high pass, derivative,
 * rectifier and 80 ms moving average as in P. Hamilton, "Open source ECG
 * analysis", Computers in Cardiology 29:101-104, 2002, which follows J. Pan and
 * W. Tompkins, "A real-time QRS detection algorithm", IEEE Trans. Biomed. Eng.
 * 32(3):230-236, 1985. The filters are finite sums over a ring, computed anew at
 * each step, so that no rounding error piles up over weeks.
 *
 * Which peak is a beat is decided in detector.c. */
#include "detector.h"

#include <math.h>
#include <string.h>

#define MS(ms) ((ms) * QRS_RATE / 1000)

enum {
    SMOOTH = 5,              /* two boxcars of 25 ms make the low pass */
    WANDER = 32,             /* 160 ms mean, taken off: the high pass */
    DERIVATIVE = MS(10),
    ENERGY = MS(80),
    FALL = MS(95),           /* a peak ends here even if it does not halve */
    /* From an R peak to its place in band[], and from the middle of a QRS
     * complex to the peak of energy behind that. */
    BAND_DELAY = SMOOTH - 1 + WANDER / 2,
    ENERGY_DELAY = ENERGY / 2,
    NEAR = MS(80),           /* the R peak lies this near to the energy's middle */
    FINE = MS(25),
    LEAN = MS(125),          /* its slopes are taken this far on both sides */
    LEAN_RISE = MS(20),
    STRIDE = 8
};

#define LOW_PASS_HZ 40.0
static const double pi = 3.14159265358979323846;
static double at(const double *ring, int64_t time)
{
    return ring[(uint64_t)time & (QRS_RING - 1)];
}

/* Butterworth of order 4 by the bilinear transform, in two sections. */
static void section_open(struct qrs_section *s, double rate, double damping)
{
    double k = tan(pi * LOW_PASS_HZ / rate);
    double norm = 1.0 / (1.0 + damping * k + k * k);

    memset(s, 0, sizeof *s);
    s->b0 = k * k * norm;
    s->b1 = 2.0 * s->b0;
    s->b2 = s->b0;
    s->a1 = 2.0 * (k * k - 1.0) * norm;
    s->a2 = (1.0 - damping * k + k * k) * norm;
}

/* As if the input had always had this value. */
static void section_settle(struct qrs_section *s, double value)
{
    s->z1 = value * (1.0 - s->b0);
    s->z2 = value * (s->b2 - s->a2);
}

static double section_run(struct qrs_section *s, double x)
{
    double y = s->b0 * x + s->z1;

    s->z1 = s->b1 * x - s->a1 * y + s->z2;
    s->z2 = s->b2 * x - s->a2 * y;
    return y;
}

void front_open(struct qrs_front *f, double rate)
{
    memset(f, 0, sizeof *f);
    f->rate = rate;
    section_open(&f->low[0], rate, 2.0 * cos(pi / 8.0));
    section_open(&f->low[1], rate, 2.0 * cos(3.0 * pi / 8.0));
}

/* The delay of the low pass at low frequencies, in seconds. */
static double low_pass_delay(void)
{
    return 2.0 * (cos(pi / 8.0) + cos(3.0 * pi / 8.0)) / (2.0 * pi * LOW_PASS_HZ);
}

void front_input(struct qrs_front *f, double millivolts)
{
    double y;
    int i;

    if (f->inputs == 0) {
        section_settle(&f->low[0], millivolts);
        section_settle(&f->low[1], millivolts);
        for (i = 0; i < QRS_RING; i++) {
            f->smooth[i] = millivolts;
            f->low_pass[i] = millivolts;
        }
    }
    y = section_run(&f->low[1], section_run(&f->low[0], millivolts));
    /* Two are kept, so that a step between them can be drawn from both. */
    f->low_before = f->inputs == 0 ? y : f->low_last;
    f->low_last = y;
    f->inputs++;
}

/* Where inner sample `time` lies on the input's scale. */
static double input_place(const struct qrs_front *f, int64_t time)
{
    return (double)time * f->rate / QRS_RATE;
}

int front_has_step(const struct qrs_front *f)
{
    return f->inputs > 0 && input_place(f, f->time) <= (double)(f->inputs - 1);
}

/* The three filters behind the low pass, for the newest inner sample. */
static void filter_step(struct qrs_front *f, int64_t now)
{
    uint64_t slot = (uint64_t)now & (QRS_RING - 1);
    double sum = 0.0;
    int i;

    for (i = 0; i < 2 * SMOOTH - 1; i++)
        sum += (i < SMOOTH ? i + 1 : 2 * SMOOTH - 1 - i) * at(f->low_pass, now - i);
    f->smooth[slot] = sum / (SMOOTH * SMOOTH);

    sum = 0.0;
    for (i = 0; i < WANDER; i++)
        sum += at(f->smooth, now - i);
    f->band[slot] = at(f->smooth, now - WANDER / 2) - sum / WANDER;
    f->change[slot] = fabs(f->band[slot] - at(f->band, now - DERIVATIVE));

    sum = 0.0;
    for (i = 0; i < ENERGY; i++)
        sum += at(f->change, now - i);
    f->energy = sum / ENERGY;
}

/* The R peak: the largest excursion of the band near the energy's middle, then
 * the turning point of the low-passed signal beside it, between samples by a
 * parabola. Returns inner samples. */
static double fiducial_find(const struct qrs_front *f, int64_t middle)
{
    int64_t t, last = f->time - 1, best = middle;
    double sign, top = -1.0, left, mid, right, bend;

    for (t = middle - NEAR; t <= middle + NEAR && t <= last; t++) {
        if (fabs(at(f->band, t)) > top) {
            top = fabs(at(f->band, t));
            best = t;
        }
    }
    sign = at(f->band, best) < 0.0 ? -1.0 : 1.0;
    best -= BAND_DELAY;
    for (t = best - FINE, middle = best; t <= middle + FINE; t++)
        if (sign * at(f->low_pass, t) > sign * at(f->low_pass, best))
            best = t;
    left = at(f->low_pass, best - 1);
    mid = at(f->low_pass, best);
    right = at(f->low_pass, best + 1);
    bend = left - 2.0 * mid + right;
    if (bend * sign >= 0.0 || fabs(left - right) > fabs(bend))
        return (double)best;
    return (double)best + 0.5 * (left - right) / bend;
}

/* Sorts in place and returns the middle; n is small. */
static double median_of(double *v, uint32_t n)
{
    double value;
    uint32_t i, j;

    for (i = 1; i < n; i++) {
        value = v[i];
        for (j = i; j > 0 && v[j - 1] > value; j--)
            v[j] = v[j - 1];
        v[j] = value;
    }
    return n ? v[n / 2] : 0.0;
}

static double lean_between(double up, double down)
{
    double large = fmax(fmax(up, down), 0.0);

    return large > 0.0 ? large / fmax(fmin(up, down), 1e-3 * large) : 1.0;
}

/* How one-sided the slopes around a peak are, over 20 ms each. The smoothed
 * signal has no overshoot that would look like a way back. A drifting baseline
 * adds to all slopes alike, and their median tells how much, unless the complex
 * is broad; so the kinder of both views counts. */
static double lean_of(const struct qrs_front *f, int64_t middle)
{
    double rise[2 * LEAN + 1], drift;
    int64_t t = middle - LEAN + SMOOTH - 1;
    uint32_t n;

    for (n = 0; n < 2 * LEAN + 1 && t < f->time; n++, t++)
        rise[n] = at(f->smooth, t) - at(f->smooth, t - LEAN_RISE);
    if (n == 0)
        return 1.0;
    drift = median_of(rise, n);
    return fmin(lean_between(rise[n - 1], -rise[0]), lean_between(rise[n - 1] - drift, drift - rise[0]));
}

int front_end_peak(struct qrs_front *f, struct qrs_peak *ret_peak)
{
    double slope = 0.0, fiducial;
    int64_t t;

    if (f->peak_height <= 0.0)
        return 0;
    for (t = f->peak_time - MS(200); t <= f->peak_time; t++)
        slope = at(f->change, t) > slope ? at(f->change, t) : slope;
    fiducial = fiducial_find(f, f->peak_time - ENERGY_DELAY);
    memset(ret_peak, 0, sizeof *ret_peak);
    ret_peak->time = f->peak_time;
    ret_peak->height = f->peak_height;
    ret_peak->slope = slope;
    ret_peak->lean = lean_of(f, (int64_t)floor(fiducial));
    ret_peak->fiducial = fiducial / QRS_RATE - low_pass_delay();
    if (ret_peak->fiducial < 0.0)
        ret_peak->fiducial = 0.0;
    f->peak_height = 0.0;
    return 1;
}

/* One inner sample, drawn between the last two inputs by a straight line; what
 * that bends above 40 Hz the low pass has taken out already. */
int front_step(struct qrs_front *f, struct qrs_peak *ret_peak)
{
    int64_t now = f->time++;
    double before = f->energy;
    double part = input_place(f, now) - (double)(f->inputs - 2);

    f->low_pass[(uint64_t)now & (QRS_RING - 1)] = f->low_before + (f->low_last - f->low_before) * part;
    filter_step(f, now);
    if (now % STRIDE == 0 && f->energies < sizeof f->window_energy / sizeof f->window_energy[0])
        f->window_energy[f->energies++] = f->energy;

    if (f->energy > before && f->energy > f->peak_height) {
        f->peak_height = f->energy;
        f->peak_time = now;
        return 0;
    }
    if (f->energy < f->peak_height / 2.0 || now - f->peak_time > FALL)
        return front_end_peak(f, ret_peak);
    return 0;
}

double front_floor(struct qrs_front *f)
{
    double middle = median_of(f->window_energy, f->energies);

    f->energies = 0;
    return middle;
}
