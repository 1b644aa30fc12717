/* SPDX-License-Identifier: Apache-2.0
 *
 * exact.h - the few functions the model needs, from + - * / and sqrt alone.
 *
 * libm may differ in the last bit between machines and versions, and a model
 * that promises the same bytes for the same seed cannot build on that. IEEE 754
 * fixes the five operations here, so every machine with 64-bit doubles and no
 * fused multiply-add behind our back (-ffp-contract=off) gives the same result.
 * Errors stay below 1e-11, a millionth of what a sample resolves.
 *
 * Random numbers: xoshiro256** (Blackman and Vigna 2021), seeded by splitmix64. */
#ifndef IN_SYNTH_EXACT_H
#define IN_SYNTH_EXACT_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#define EXACT_PI 3.14159265358979323846

struct dice {
    uint64_t s[4];
};

/* To the nearest integer, half to even; for |x| below 2^51. */
static inline double exact_nearest(double x)
{
    const double shift = 6755399441055744.0;

    return (x + shift) - shift;
}

/* 2^k for k in -1022 to 1023. */
static inline double exact_power2(int64_t k)
{
    uint64_t bits = (uint64_t)(k + 1023) << 52;
    double y = 0.0;

    memcpy(&y, &bits, sizeof y);
    return y;
}

/* e^x for x in -700 to 700: x = k ln 2 + r, and a Taylor series of e^r. */
static inline double exact_exp(double x)
{
    double k = exact_nearest(x * 1.44269504088896340736);
    double r = (x - k * 0.693147180369123816490) - k * 1.90821492927058770002e-10;
    double r2 = r * r;
    double even = 1.0 + r2 * (1.0 / 2 + r2 * (1.0 / 24 + r2 * (1.0 / 720 +
                  r2 * (1.0 / 40320 + r2 * (1.0 / 3628800)))));
    double odd = 1.0 + r2 * (1.0 / 6 + r2 * (1.0 / 120 + r2 * (1.0 / 5040 +
                 r2 * (1.0 / 362880 + r2 * (1.0 / 39916800)))));

    return (even + r * odd) * exact_power2((int64_t)k);
}

/* Sine of a whole number of turns plus `turns`. */
static inline double exact_sin_turns(double turns)
{
    double t = turns - exact_nearest(turns);
    double u = 0.0, u2 = 0.0;

    if (t > 0.25)
        t = 0.5 - t;
    else if (t < -0.25)
        t = -0.5 - t;
    u = 2.0 * EXACT_PI * t;
    u2 = u * u;
    return u * (1.0 - u2 / 6.0 * (1.0 - u2 / 20.0 * (1.0 - u2 / 42.0 * (1.0 - u2 / 72.0 *
           (1.0 - u2 / 110.0 * (1.0 - u2 / 156.0 * (1.0 - u2 / 210.0 *
           (1.0 - u2 / 272.0))))))));
}

static inline double exact_cos_turns(double turns)
{
    return exact_sin_turns(turns + 0.25);
}

/* Natural logarithm of a normal x > 0: x = 2^k m, and the series of atanh. */
static inline double exact_log(double x)
{
    uint64_t bits = 0;
    int64_t k = 0;
    double m = 0.0, f = 0.0, f2 = 0.0;

    memcpy(&bits, &x, sizeof bits);
    k = (int64_t)(bits >> 52) - 1023;
    bits = (bits & 0xfffffffffffffu) | 0x3ff0000000000000u;
    memcpy(&m, &bits, sizeof m);
    if (m > 1.41421356237309504880) {
        m *= 0.5;
        k++;
    }
    f = (m - 1.0) / (m + 1.0);
    f2 = f * f;
    return 2.0 * f * (1.0 + f2 * (1.0 / 3 + f2 * (1.0 / 5 + f2 * (1.0 / 7 + f2 * (1.0 / 9 +
           f2 * (1.0 / 11 + f2 * (1.0 / 13 + f2 * (1.0 / 15)))))))) +
           (double)k * 0.69314718055994530942;
}

static inline uint64_t dice_mix(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* `use` keeps apart the dice of different purposes that share a seed. */
static inline struct dice dice_seed(uint64_t seed, uint64_t use)
{
    uint64_t a = seed, b = use, state = 0;
    struct dice d;

    state = dice_mix(&a) ^ (dice_mix(&b) * 0xd1342543de82ef95u);
    for (int i = 0; i < 4; i++)
        d.s[i] = dice_mix(&state);
    return d;
}

static inline uint64_t dice_next(struct dice *d)
{
    uint64_t *s = d->s, five = s[1] * 5u;
    uint64_t result = ((five << 7) | (five >> 57)) * 9u, t = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = (s[3] << 45) | (s[3] >> 19);
    return result;
}

/* In (0, 1): never 0, so that a logarithm may follow. */
static inline double dice_unit(struct dice *d)
{
    return ((double)(dice_next(d) >> 12) + 0.5) * (1.0 / 4503599627370496.0);
}

/* Two independent numbers of the normal distribution (Box and Muller 1958). */
static inline void dice_normal2(struct dice *d, double out[2])
{
    double r = sqrt(-2.0 * exact_log(dice_unit(d))), t = dice_unit(d);

    out[0] = r * exact_cos_turns(t);
    out[1] = r * exact_sin_turns(t);
}

#endif
