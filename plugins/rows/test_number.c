/* SPDX-License-Identifier: Apache-2.0
 *
 * test_number.c - decimal texts against strtod, bit for bit, and the edges of
 * doubles and integers. */
#include "number.h"

#include <afferent/testkit.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXTS = 1000000 };

static uint64_t random_next(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u; /* SplitMix64 */

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static int text_make(char *to, size_t room, uint64_t *seed)
{
    uint64_t a = random_next(seed), b = random_next(seed), kind = random_next(seed) % 6;
    const char *sign = a >> 63 ? "-" : "";
    double d;

    switch (kind) {
    case 0: /* as in a cell */
        return snprintf(to, room, "%s%d.%0*d", sign, (int)(a % 400), (int)(b % 4 + 1), (int)(b % 10));
    case 1: /* any double, with all its digits */
        memcpy(&d, &a, sizeof d);
        if (isfinite(d))
            return snprintf(to, room, "%.17g", d);
        return snprintf(to, room, "0");
    case 2: /* many digits */
        return snprintf(to, room, "%s%llu%llu.%llu", sign, (unsigned long long)a, (unsigned long long)b,
                        (unsigned long long)(a ^ b));
    case 3: /* exponents about the edges */
        return snprintf(to, room, "%s%u.%ue%d", sign, (unsigned)(a % 100000), (unsigned)(b % 1000),
                        (int)(b >> 40) % 640 - 320);
    case 4: /* half way between two doubles, or next to it */
        return snprintf(to, room, "%llu.%s", (unsigned long long)((a >> 11) | UINT64_C(1) << 52) , b % 3 == 0 ? "5" :
                        b % 3 == 1 ? "50000000000000000001" : "4999999999999999999");
    default: /* 16 to 20 digits */
        return snprintf(to, room, "%s.%llue%d", sign, (unsigned long long)a, (int)(b % 50) - 25);
    }
}

TEST(a_million_texts_are_the_doubles_that_strtod_says)
{
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    uint64_t seed = 7, got, wanted;
    char text[200];
    double a, b;
    int i, size;

    for (i = 0; i < TEXTS; i++) {
        size = text_make(text, sizeof text, &seed);
        b = strtod(text, NULL);
        a = -1;
        if (isinf(b)) {
            assert_false(number_real(text, (size_t)size, '.', c, &a));
            continue;
        }
        assert_true(number_real(text, (size_t)size, '.', c, &a));
        memcpy(&got, &a, sizeof got);
        memcpy(&wanted, &b, sizeof wanted);
        if (got != wanted)
            fail_msg("%s", text);
    }
    freelocale(c);
}

TEST(what_is_no_number_is_refused)
{
    static const char *const bad[] = { "", "-", "+", ".", "-.", "1e", "1e+", "e5", "0x10", "inf", "nan", "1 ", " 1", "1,5",
                                       "1.2.3", "--1", "1e5.0", "1_000", "\xd9\xa1", "1e400", "-1e400" };
    static const char *const good[] = { "1.", ".5", "+1", "-.5e-3", "007", "1E5", "1e-400", "0e999999999999" };
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    char longest[NUMBER_MOST + 2];
    double d = 4;
    size_t i;

    for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(number_real(bad[i], strlen(bad[i]), '.', c, &d));
    assert_true(d > 3.9);
    for (i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(number_real(good[i], strlen(good[i]), '.', c, &d));
    memset(longest, '1', sizeof longest);
    longest[0] = '.';
    assert_true(number_real(longest, NUMBER_MOST, '.', c, &d));
    assert_false(number_real(longest, NUMBER_MOST + 1, '.', c, &d));
    assert_true(number_real("1,25", 4, ',', c, &d));
    assert_true(fabs(d - 1.25) <= 0.0);
    freelocale(c);
}

TEST(whole_numbers_are_exact)
{
    static const struct {
        const char *text;
        int64_t wanted;
        int ok;
    } cases[] = {
        { "9223372036854775807", INT64_MAX, 1 }, { "-9223372036854775808", INT64_MIN, 1 },
        { "9223372036854775808", 0, 0 },         { "-9223372036854775809", 0, 0 },
        { "75.0", 75, 1 },                       { "7.5e1", 75, 1 },
        { "75.5", 0, 0 },                        { "-0", 0, 1 },
        { "0e999999", 0, 1 },                    { "1e19", 0, 0 },
        { "1e18", 1000000000000000000, 1 },      { "10000000000000000000000e-10", 1000000000000, 1 },
        { "123456789012345678901234567890", 0, 0 }, { "1e-400000000000000000000", 0, 0 },
    };
    struct number n;
    int64_t value;
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        value = 0;
        assert_true(number_scan(cases[i].text, strlen(cases[i].text), '.', &n));
        assert_int_equal(number_int(&n, &value), cases[i].ok);
        assert_true(value == cases[i].wanted);
    }
}

/* A locale with a comma must not change what a number is. */
TEST(the_locale_of_the_process_does_not_matter)
{
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    double d = 0;

    if (!setlocale(LC_ALL, "de_DE.UTF-8") && !setlocale(LC_ALL, "de_DE"))
        AFF_SKIP("no German locale is there");
    assert_true(number_real("1.00000000000000000000000000001e0", 33, '.', c, &d));
    assert_true(d >= 1.0 && d < 1.1);
    setlocale(LC_ALL, "C");
    freelocale(c);
}

AFF_TEST_MAIN(a_million_texts_are_the_doubles_that_strtod_says, what_is_no_number_is_refused, whole_numbers_are_exact,
              the_locale_of_the_process_does_not_matter)
