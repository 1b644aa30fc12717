/* SPDX-License-Identifier: Apache-2.0
 *
 * test_rhythm.c - arithmetic, chance and heart rate variability.
 *
 * Own functions against libm, dice against the moments of their distribution,
 * and the tachogram against the spectrum that the paper asks for. */
#include "rhythm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define PI EXACT_PI

/* --- arithmetic ------------------------------------------------------- */

static void own_functions_agree_with_the_library(void **state)
{
    (void)state;
    for (int i = -4000; i <= 4000; i++) {
        double x = i * 0.0171;

        assert_true(fabs(exact_exp(x) / exp(x) - 1.0) < 1e-12);
        assert_true(fabs(exact_sin_turns(x) - sin(2.0 * PI * x)) < 1e-11);
        assert_true(fabs(exact_cos_turns(x) - cos(2.0 * PI * x)) < 1e-11);
        assert_true(fabs(exact_log(exp(x)) - x) < 1e-11);
    }
    assert_true(exact_log(1.0) == 0.0 && exact_exp(0.0) == 1.0);
}

static void normal_dice_have_the_moments_of_the_normal_distribution(void **state)
{
    struct dice d = dice_seed(5, 5);
    double sum[5] = { 0 };
    const int n = 400000;

    (void)state;
    for (int i = 0; i < n; i++) {
        double x[2];

        dice_normal2(&d, x);
        for (int k = 1; k <= 4; k++)
            sum[k] += (pow(x[0], k) + pow(x[1], k)) / (2.0 * n);
        sum[0] += x[0] * x[1] / n;
    }
    assert_true(fabs(sum[0]) < 0.01 && fabs(sum[1]) < 0.01 && fabs(sum[2] - 1.0) < 0.01);
    assert_true(fabs(sum[3]) < 0.02 && fabs(sum[4] - 3.0) < 0.05);
}

/* --- rhythm ----------------------------------------------------------- */

/* Averaged power of the series at one frequency: Bartlett, 1000 s a segment. */
static double power_at(const double *x, size_t n, double hz)
{
    const size_t segment = 4000;
    double power = 0.0;

    for (size_t at = 0; at + segment <= n; at += segment) {
        double s = 0.0, c = 0.0;

        for (size_t i = 0; i < segment; i++) {
            s += x[at + i] * sin(2.0 * PI * hz * (double)i / 4.0);
            c += x[at + i] * cos(2.0 * PI * hz * (double)i / 4.0);
        }
        power += s * s + c * c;
    }
    return power;
}

/* Power, centre and width of a band from its spectrum, 0.001 Hz apart. */
static void band_measure(const double *x, size_t n, double from, double *power, double *centre,
                         double *width)
{
    double sum[3] = { 0 };

    for (int i = 0; i <= 80; i++) {
        double hz = from + i * 0.001, p = power_at(x, n, hz);

        sum[0] += p;
        sum[1] += p * hz;
        sum[2] += p * hz * hz;
    }
    *power = sum[0];
    *centre = sum[1] / sum[0];
    *width = sqrt(sum[2] / sum[0] - *centre * *centre);
}

static void the_rhythm_has_the_spectrum_of_the_paper(void **state)
{
    enum { N = 400000 };
    double *x = calloc(N, sizeof *x), square = 0.0, lf[3], hf[3];
    struct rhythm r;

    (void)state;
    assert_non_null(x);
    rhythm_begin(&r, 3, 0.5);
    for (size_t i = 0; i < N; i++) {
        x[i] = rhythm_at(&r, (double)i / 4.0);
        square += x[i] * x[i] / N;
    }
    band_measure(x, N, 0.06, &lf[0], &lf[1], &lf[2]);
    band_measure(x, N, 0.21, &hf[0], &hf[1], &hf[2]);
    free(x);
    assert_true(fabs(square - 1.0) < 0.05);
    assert_true(fabs(lf[0] / hf[0] - 0.5) < 0.06);
    assert_true(fabs(lf[1] - 0.1) < 0.001 && fabs(hf[1] - 0.25) < 0.001);
    assert_true(fabs(lf[2] - 0.01) < 0.001 && fabs(hf[2] - 0.01) < 0.001);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(own_functions_agree_with_the_library),
        cmocka_unit_test(normal_dice_have_the_moments_of_the_normal_distribution),
        cmocka_unit_test(the_rhythm_has_the_spectrum_of_the_paper),
    };

    return cmocka_run_group_tests_name("in_synth_rhythm", tests, NULL, NULL);
}
