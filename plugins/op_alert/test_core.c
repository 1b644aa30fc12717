/* SPDX-License-Identifier: Apache-2.0
 *
 * test_core.c - numbers, texts and trends, without a host. */
#include <afferent/testkit.h>

#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <alert_rows/template.h>
#include "trend.h"

#define S INT64_C(1000000000)

static const char *number(double value)
{
    static char text[64];
    struct line line = { text, 0, sizeof text - 1, false };

    line_number(&line, value);
    text[line.length] = 0;
    return text;
}

TEST(numbers_are_short_and_know_no_locale)
{
    (void)setlocale(LC_ALL, "de_DE.UTF-8"); /* where it is there */
    assert_string_equal(number(38.25), "38.25");
    assert_string_equal(number(38.2999999), "38.3");
    assert_string_equal(number(97.0), "97");
    assert_string_equal(number(-0.5), "-0.5");
    assert_string_equal(number(0.0), "0");
    assert_string_equal(number(-0.0), "0");
    assert_string_equal(number(131.25), "131.3");
    assert_string_equal(number(9.9999999), "10");
    assert_string_equal(number(0.0012345), "0.001235");
    assert_string_equal(number(123456.7), "123457");
    assert_string_equal(number(1e300), "1.00e+300");
    assert_string_equal(number(-2.5e-9), "-2.50e-09");
    (void)setlocale(LC_ALL, "C");
}

TEST(times_are_dates_before_and_after_1970)
{
    char text[64];
    struct line line = { text, 0, sizeof text - 1, false };

    line_time(&line, INT64_C(1772712000) * S + 999);
    line_say(&line, "|");
    line_time(&line, -1);
    text[line.length] = 0;
    assert_string_equal(text, "2026-03-05 12:00:00|1969-12-31 23:59:59");
}

TEST(a_line_that_is_too_long_is_cut_between_characters)
{
    char text[16];
    struct line line = { text, 0, 10, false };

    line_say(&line, "12345\xc3\xa9\xc3\xa9\xc3\xa9");
    line_say(&line, "x"); /* nothing behind a cut */
    line_end(&line);
    text[line.length] = 0;
    assert_string_equal(text, "12345\xc3\xa9...");
}

/* Least squares in one pass over all points: what the parts must agree with. */
static double change_of(const double *t, const double *y, size_t first, size_t n)
{
    double mt = 0, my = 0, tt = 0, ty = 0;
    size_t i;

    for (i = first; i < n; i++) {
        mt += t[i] / (double)(n - first);
        my += y[i] / (double)(n - first);
    }
    for (i = first; i < n; i++) {
        tt += (t[i] - mt) * (t[i] - mt);
        ty += (t[i] - mt) * (y[i] - my);
    }
    return ty / tt * (t[n - 1] - t[first]);
}

TEST(trends_agree_with_least_squares_over_their_window)
{
    enum { N = 4000 };
    static double t[N], y[N];
    static const int64_t starts[] = { 0, INT64_C(1772712000) * 1000000000, -INT64_C(5000) * 1000000000 };
    const int64_t part = 10 * S;
    size_t k, i, first;

    srand(3);
    for (k = 0; k < sizeof starts / sizeof starts[0]; k++) {
        struct trend trend;
        double change, at = 0;

        memset(&trend, 0, sizeof trend);
        for (i = 0, first = 0; i < N; i++) {
            int64_t ns;

            at += (double)(rand() % 1000) * 0.001;
            ns = starts[k] + (int64_t)(at * 1e9);
            t[i] = at;
            y[i] = 90 + 10 * sin(at / 50) + (double)(rand() % 100) * 0.01;
            trend_add(&trend, part, ns, y[i]);
            while (t[first] * 1e9 < (floor((double)(ns - starts[k]) / (double)part) - 15) * (double)part)
                first++;
            if (i - first < 3)
                continue;
            assert_true(trend_change(&trend, part, ns, &change));
            assert_true(fabs(change - change_of(t, y, first, i + 1)) < 1e-6);
        }
    }
}

TEST(too_few_values_or_all_at_once_are_no_trend)
{
    struct trend trend;
    double change;

    memset(&trend, 0, sizeof trend);
    trend_add(&trend, S, 0, 1);
    trend_add(&trend, S, S, 5);
    assert_false(trend_change(&trend, S, S, &change));
    memset(&trend, 0, sizeof trend);
    trend_add(&trend, S, 0, 1);
    trend_add(&trend, S, 0, 5);
    trend_add(&trend, S, 0, 9);
    assert_false(trend_change(&trend, S, 0, &change));
    trend_add(&trend, S, S, HUGE_VAL);
    assert_false(trend_change(&trend, S, S, &change));
}

AFF_TEST_MAIN(numbers_are_short_and_know_no_locale,
              times_are_dates_before_and_after_1970,
              a_line_that_is_too_long_is_cut_between_characters,
              trends_agree_with_least_squares_over_their_window,
              too_few_values_or_all_at_once_are_no_trend)
