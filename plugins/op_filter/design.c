/* SPDX-License-Identifier: Apache-2.0
 *
 * design.c - Butterworth filters and notches as second-order sections.
 *
 * The poles of the analog prototype (Butterworth 1930) are moved to the wanted
 * edges by the usual frequency transforms, and into the z plane by the bilinear
 * transform s = (z - 1) / (z + 1); the edges are prewarped with tan(pi f / fs),
 * so the response is exactly -3.01 dB where the user said (Oppenheim and
 * Schafer, Discrete-Time Signal Processing, 3rd ed., section 7.3 and app. B).
 * Every pole pair becomes its section directly: the polynomials are never
 * multiplied out, which would lose a narrow filter to rounding. */
#include "design.h"

#include <complex.h>
#include <math.h>
#include <stdio.h>

#define PI 3.14159265358979323846

/* Pole k of the prototype with cut-off 1; k = 0 is the real one of an odd
 * order, the others lie above the real axis and stand for a conjugate pair. */
static double complex prototype_pole(int order, int k)
{
    double angle = PI * (order % 2 ? 2.0 * k : 2.0 * k + 1.0) / (2.0 * order);

    return -cos(angle) + sin(angle) * I;
}

static int prototype_poles(int order)
{
    return (order + 1) / 2;
}

static double complex bilinear(double complex s)
{
    return (1.0 + s) / (1.0 - s);
}

/* The denominator of a conjugate pair. */
static struct iir_section section_pair(double complex z)
{
    return (struct iir_section){ .a1 = -2.0 * creal(z),
                                 .a2 = creal(z) * creal(z) + cimag(z) * cimag(z) };
}

/* The denominator of two poles that need not be conjugate but multiply out real. */
static struct iir_section section_two(double complex z1, double complex z2)
{
    return (struct iir_section){ .a1 = -creal(z1 + z2), .a2 = creal(z1 * z2) };
}

static void zeros_set(struct iir_section *s, double gain, double b1, double b2)
{
    s->b0 = gain;
    s->b1 = gain * b1;
    s->b2 = gain * b2;
}

/* Low and high pass have the same poles: 1/p is the conjugate of p on the unit
 * circle. Each section has gain 1 at the end of the band it lets pass, computed
 * from the rounded denominator, so that gain is exact. */
static struct iir_section edge_section(const struct iir_spec *spec, double w, int k)
{
    int single = spec->order % 2 && k == 0;
    double sign = spec->kind == IIR_LOW ? 1.0 : -1.0;
    double complex z = bilinear(w * prototype_pole(spec->order, k));
    struct iir_section s = section_pair(z);

    if (single) {
        s.a1 = -creal(z);
        s.a2 = 0.0;
        zeros_set(&s, (1.0 + sign * s.a1) / 2.0, sign, 0.0);
    } else {
        zeros_set(&s, (1.0 + sign * s.a1 + s.a2) / 4.0, 2.0 * sign, 1.0);
    }
    return s;
}

/* |H| of a section whose numerator is 1 - z^-2, at angle t (0 < t < pi). */
static double band_gain(const struct iir_section *s, double t)
{
    double complex z1 = cos(t) - sin(t) * I;
    double complex z2 = z1 * z1;

    return cabs(1.0 - z2) / cabs(1.0 + s->a1 * z1 + s->a2 * z2);
}

struct band {
    double centre;  /* product of the warped edges */
    double width;   /* difference of the warped edges */
    int stop;
};

/* A band pass has its zeros at DC and Nyquist and gain 1 at its (warped)
 * centre; a band stop has them at the centre and gain 1 at DC. */
static void band_zeros(struct iir_section *s, const struct band *b)
{
    double cosine = (1.0 - b->centre) / (1.0 + b->centre);

    if (b->stop)
        zeros_set(s, (1.0 + s->a1 + s->a2) / (2.0 - 2.0 * cosine), -2.0 * cosine, 1.0);
    else
        zeros_set(s, 1.0 / band_gain(s, 2.0 * atan(sqrt(b->centre))), 0.0, -1.0);
}

/* One prototype pole p becomes the two roots of s^2 - p width s + centre; for a
 * band stop p is replaced by 1/p. The roots are found without cancellation. */
static void band_roots(const struct band *b, double complex p, double complex root[2])
{
    double complex half = 0.5 * b->width * (b->stop ? conj(p) : p);
    double complex r = csqrt(half * half - b->centre);
    double complex far = creal(half * conj(r)) < 0.0 ? half - r : half + r;

    root[0] = far;
    root[1] = b->centre / far;
}

static uint32_t band_sections(const struct iir_spec *spec, const struct band *b, int k,
                              struct iir_section *out)
{
    double complex root[2];

    band_roots(b, prototype_pole(spec->order, k), root);
    if (spec->order % 2 && k == 0) {
        out[0] = section_two(bilinear(root[0]), bilinear(root[1]));
        band_zeros(&out[0], b);
        return 1;
    }
    for (int i = 0; i < 2; i++) {
        out[i] = section_pair(bilinear(root[i]));
        band_zeros(&out[i], b);
    }
    return 2;
}

/* Two poles and a zero pair on the unit circle; the width between the -3 dB
 * points is exactly centre / q (Orfanidis, Introduction to Signal Processing,
 * section 11.3.2). */
static struct iir_section notch_section(const struct iir_spec *spec, double rate_hz)
{
    double turn = 2.0 * PI * spec->low_hz / rate_hz;
    double gain = 1.0 / (1.0 + tan(turn / spec->q / 2.0));
    double cosine = cos(turn);
    struct iir_section s = { .a1 = -2.0 * gain * cosine, .a2 = 2.0 * gain - 1.0 };

    zeros_set(&s, (1.0 + s.a1 + s.a2) / (2.0 - 2.0 * cosine), -2.0 * cosine, 1.0);
    return s;
}

static int edge_low_used(enum iir_kind kind)
{
    return kind != IIR_LOW;
}

static int edge_high_used(enum iir_kind kind)
{
    return kind == IIR_LOW || kind == IIR_BAND || kind == IIR_STOP;
}

static enum iir_fault edge_check(double edge_hz, double rate_hz)
{
    if (!(edge_hz > 0.0) || !isfinite(edge_hz))
        return IIR_BAD_SPEC;
    if (edge_hz >= rate_hz / 2.0)
        return IIR_ABOVE_NYQUIST;
    return edge_hz < rate_hz * IIR_RATIO_MIN ? IIR_BELOW_RATIO : IIR_FINE;
}

static enum iir_fault shape_check(const struct iir_spec *spec)
{
    if (spec->kind == IIR_NOTCH)
        return spec->q >= 1.0 && spec->q <= 10000.0 ? IIR_FINE : IIR_BAD_SPEC;
    if (spec->order < 1 || spec->order > IIR_ORDER_MAX)
        return IIR_BAD_SPEC;
    if (edge_low_used(spec->kind) && edge_high_used(spec->kind) && !(spec->low_hz < spec->high_hz))
        return IIR_BAD_SPEC;
    return IIR_FINE;
}

static enum iir_fault spec_check(const struct iir_spec *spec, double rate_hz)
{
    enum iir_fault fault = IIR_FINE;

    if (!(rate_hz > 0.0) || !isfinite(rate_hz))
        return IIR_BAD_RATE;
    if ((unsigned)spec->kind >= IIR_KINDS)
        return IIR_BAD_SPEC;
    fault = shape_check(spec);
    if (!fault && edge_low_used(spec->kind))
        fault = edge_check(spec->low_hz, rate_hz);
    if (!fault && edge_high_used(spec->kind))
        fault = edge_check(spec->high_hz, rate_hz);
    return fault;
}

uint32_t iir_sections(const struct iir_spec *spec)
{
    switch (spec->kind) {
    case IIR_NOTCH:
        return 1;
    case IIR_LOW:
    case IIR_HIGH:
        return (uint32_t)prototype_poles(spec->order);
    default:
        return (uint32_t)spec->order;
    }
}

static void butterworth_append(struct iir_chain *chain, const struct iir_spec *spec, double rate_hz)
{
    double low = tan(PI * spec->low_hz / rate_hz);
    double high = tan(PI * spec->high_hz / rate_hz);
    struct band b = { .centre = low * high, .width = high - low, .stop = spec->kind == IIR_STOP };

    for (int k = 0; k < prototype_poles(spec->order); k++) {
        struct iir_section *out = &chain->section[chain->count];

        if (spec->kind == IIR_BAND || spec->kind == IIR_STOP) {
            chain->count += band_sections(spec, &b, k, out);
        } else {
            *out = edge_section(spec, spec->kind == IIR_LOW ? high : low, k);
            chain->count++;
        }
    }
}

enum iir_fault iir_append(struct iir_chain *chain, const struct iir_spec *spec, double rate_hz)
{
    enum iir_fault fault = spec_check(spec, rate_hz);

    if (fault)
        return fault;
    if (chain->count + iir_sections(spec) > IIR_SECTIONS_MAX)
        return IIR_TOO_MANY;
    if (spec->kind == IIR_NOTCH)
        chain->section[chain->count++] = notch_section(spec, rate_hz);
    else
        butterworth_append(chain, spec, rate_hz);
    return IIR_FINE;
}

static const char *kind_name(enum iir_kind kind)
{
    static const char *const name[IIR_KINDS] = { "high", "low", "band", "stop", "notch" };

    return (unsigned)kind < IIR_KINDS ? name[kind] : "filter";
}

/* The edge that made the trouble: the upper one unless it is fine. */
static double edge_at_fault(enum iir_fault fault, const struct iir_spec *spec, double rate_hz)
{
    if (edge_high_used(spec->kind) && edge_check(spec->high_hz, rate_hz) == fault)
        return spec->high_hz;
    return spec->low_hz;
}

void iir_explain(enum iir_fault fault, const struct iir_spec *spec, double rate_hz, char *text,
                 size_t size)
{
    const char *name = kind_name(spec->kind);

    switch (fault) {
    case IIR_ABOVE_NYQUIST:
        snprintf(text, size,
                 "%s: the edge at %g Hz is not below half the sampling rate of %g Hz; "
                 "choose an edge below %g Hz or a faster signal",
                 name, edge_at_fault(fault, spec, rate_hz), rate_hz, rate_hz / 2.0);
        break;
    case IIR_BELOW_RATIO:
        snprintf(text, size,
                 "%s: the edge at %g Hz is too low for a sampling rate of %g Hz; "
                 "choose an edge of at least %g Hz or a slower signal",
                 name, edge_at_fault(fault, spec, rate_hz), rate_hz, rate_hz * IIR_RATIO_MIN);
        break;
    case IIR_BAD_RATE:
        snprintf(text, size, "the signal has no usable sampling rate; repair it at its source");
        break;
    case IIR_TOO_MANY:
        snprintf(text, size, "%s: more than %d sections; lower the orders", name, IIR_SECTIONS_MAX);
        break;
    default:
        snprintf(text, size,
                 "%s: needs an order of 1 to %d, q of 1 to 10000, edges above 0 Hz, and low below "
                 "high",
                 name, IIR_ORDER_MAX);
        break;
    }
}
