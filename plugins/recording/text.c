/* SPDX-License-Identifier: Apache-2.0
 *
 * text.c - see text.h. */
#include "recording/text.h"

#include <float.h>
#include <math.h>
#include <string.h>

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

uint64_t text_gcd(uint64_t a, uint64_t b)
{
    while (b) {
        uint64_t r = a % b;

        a = b;
        b = r;
    }
    return a;
}

const char *text_skip(const char *at)
{
    while (*at == ' ' || *at == '\t')
        at++;
    return at;
}

int text_word(const char **at, char *word, size_t room)
{
    const char *from = text_skip(*at);
    size_t n = strcspn(from, " \t");

    if (n == 0)
        return 0;
    if (n >= room)
        return -1;
    memcpy(word, from, n);
    word[n] = 0;
    *at = from + n;
    return 1;
}

int text_int(const char **at, int64_t least, int64_t most, int64_t *ret_value)
{
    const char *p = *at;
    int negative = *p == '-';
    int64_t value = 0;

    if (*p == '-' || *p == '+')
        p++;
    if (!is_digit(*p))
        return -1;
    for (; is_digit(*p); p++) {
        if (value > (INT64_MAX - 9) / 10)
            return -1;
        value = value * 10 + (*p - '0');
    }
    value = negative ? -value : value;
    if (value < least || value > most)
        return -1;
    *at = p;
    *ret_value = value;
    return 0;
}

/* Digits with a point and an exponent: value = digits * 10^exponent. Digits that
 * would overflow are dropped; `exact` says whether none of them mattered. */
struct decimal {
    uint64_t digits;
    int exponent;
    int negative;
};

static const char *decimal_digits(const char *p, struct decimal *d, int *ret_count, int behind)
{
    for (; is_digit(*p); p++) {
        (*ret_count)++;
        if (d->digits < (UINT64_MAX - 9) / 10) {
            d->digits = d->digits * 10 + (uint64_t)(*p - '0');
            d->exponent -= behind;
        } else {
            d->exponent += 1 - behind;
        }
    }
    return p;
}

static int decimal_read(const char **at, struct decimal *d)
{
    const char *p = *at;
    int count = 0;
    int64_t exponent;

    memset(d, 0, sizeof *d);
    d->negative = *p == '-';
    if (*p == '-' || *p == '+')
        p++;
    p = decimal_digits(p, d, &count, 0);
    if (*p == '.')
        p = decimal_digits(p + 1, d, &count, 1);
    if (count == 0 || count > 100)
        return -1;
    if (*p == 'e' || *p == 'E') {
        p++;
        if (text_int(&p, -400, 400, &exponent))
            return -1;
        d->exponent += (int)exponent;
    }
    *at = p;
    return 0;
}

int text_real(const char **at, double *ret_value)
{
    const char *p = *at;
    struct decimal d;
    double value;

    if (decimal_read(&p, &d))
        return -1;
    value = (double)d.digits;
    /* Powers up to 10^22 are exact, so usual numbers are rounded once. */
    value = d.exponent < 0 ? value / pow(10.0, -d.exponent) : value * pow(10.0, d.exponent);
    if (!isfinite(value))
        return -1;
    *at = p;
    *ret_value = d.negative ? -value : value;
    return 0;
}

int text_rate(const char **at, struct rate *ret_rate)
{
    const char *p = *at;
    struct decimal d;
    uint64_t den = 1, common;
    int up = 0;

    if (decimal_read(&p, &d) || d.negative || d.digits == 0)
        return -1;
    for (; d.exponent > 0; d.exponent--) {
        if (d.digits > 1000000000u)
            return -1;
        d.digits *= 10;
    }
    for (; d.exponent < -9; d.exponent++) {
        up = d.digits % 10 >= 5;
        d.digits /= 10;
    }
    d.digits += (uint64_t)up;
    for (; d.exponent < 0; d.exponent++)
        den *= 10;
    if (d.digits / den > 10000000u || (double)d.digits / (double)den < 1e-6)
        return -1;
    common = text_gcd(d.digits, den);
    ret_rate->num = d.digits / common;
    ret_rate->den = den / common;
    *at = p;
    return 0;
}

/* Length of the UTF-8 character at p (Unicode 15, table 3-7), 0: it is none. */
static size_t utf8_length(const unsigned char *p, size_t left)
{
    size_t n, i;

    if (p[0] < 0x80)
        return 1;
    n = p[0] >= 0xc2 && p[0] <= 0xdf ? 2 : (p[0] & 0xf0u) == 0xe0 ? 3 : p[0] >= 0xf0 && p[0] <= 0xf4 ? 4 : 0;
    if (n == 0 || n > left)
        return 0;
    for (i = 1; i < n; i++)
        if ((p[i] & 0xc0u) != 0x80)
            return 0;
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f))
        return 0;
    if ((p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
        return 0;
    return n;
}

int text_is_utf8(const char *text, size_t length)
{
    const unsigned char *p = (const unsigned char *)text;
    size_t i = 0, n;

    while (i < length) {
        n = utf8_length(p + i, length - i);
        if (n == 0)
            return 0;
        i += n;
    }
    return 1;
}

size_t text_utf8(char *to, size_t room, const char *from, size_t length)
{
    const unsigned char *p = (const unsigned char *)from;
    int latin, used = 0;
    size_t i, n, out = 0;

    length = strnlen(from, length);
    latin = !text_is_utf8(from, length);
    for (i = 0; i < length; i += (size_t)used) {
        n = latin && p[i] >= 0x80 ? 2 : utf8_length(p + i, length - i);
        used = latin ? 1 : (int)n;
        if (n == 0 || out + n >= room)
            break;
        if (latin && n == 2) {
            to[out++] = (char)(0xc0u | p[i] >> 6);
            to[out++] = (char)(0x80u | (p[i] & 0x3fu));
        } else if (n == 1) {
            to[out++] = p[i] < 0x20 || p[i] == 0x7f ? ' ' : (char)p[i];
        } else {
            memcpy(to + out, p + i, n);
            out += n;
        }
    }
    to[out] = 0;
    return out;
}
