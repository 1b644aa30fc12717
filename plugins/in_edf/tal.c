/* SPDX-License-Identifier: Apache-2.0
 *
 * tal.c - see tal.h. */
#include "tal.h"

#include "recording/text.h"

#include <string.h>

enum { TEXT_END = 20, DURATION = 21 };

#define NS INT64_C(1000000000)

static int is_digit(const uint8_t *at, const uint8_t *end)
{
    return at < end && *at >= '0' && *at <= '9';
}

/* A decimal number of seconds without a sign: digits, and a dot only with digits
 * behind it. Beyond the nanosecond it is cut off. Too large: TAL_TIME. */
static enum tal_fault seconds_read(const uint8_t **at, const uint8_t *end, int64_t *ret_ns)
{
    const uint8_t *p = *at;
    int64_t whole = 0, part = 0, unit = NS / 10;
    int is_large = 0;

    if (!is_digit(p, end))
        return TAL_MALFORMED;
    for (; is_digit(p, end); p++) {
        is_large |= whole > INT64_MAX / NS / 20;
        whole = is_large ? whole : whole * 10 + (*p - '0');
    }
    if (p < end && *p == '.') {
        if (!is_digit(++p, end))
            return TAL_MALFORMED;
        for (; is_digit(p, end); p++, unit /= 10)
            part += unit * (*p - '0');
    }
    *at = p;
    *ret_ns = whole * NS + part; /* whole < INT64_MAX / NS */
    return is_large ? TAL_TIME : TAL_WHOLE;
}

static enum tal_fault onset_read(const uint8_t **at, const uint8_t *end, int64_t *ret_ns)
{
    enum tal_fault got;
    int negative;

    *ret_ns = 0;
    if (*at == end || (**at != '+' && **at != '-'))
        return TAL_MALFORMED;
    negative = *(*at)++ == '-';
    got = seconds_read(at, end, ret_ns);
    if (negative)
        *ret_ns = -*ret_ns;
    return got;
}

enum tal_fault tal_read(struct tal *t, const uint8_t *bytes, size_t size)
{
    const uint8_t *at = bytes, *end = bytes + size;
    enum tal_fault got, also = TAL_WHOLE;

    memset(t, 0, sizeof *t);
    t->duration_ns = -1;
    got = onset_read(&at, end, &t->onset_ns);
    if (got == TAL_MALFORMED)
        return got;
    if (at < end && *at == DURATION) {
        at++;
        also = seconds_read(&at, end, &t->duration_ns);
    }
    if (also == TAL_MALFORMED || at == end || *at != TEXT_END || end[-1] != TEXT_END)
        return TAL_MALFORMED;
    if (got == TAL_TIME || also == TAL_TIME)
        return TAL_TIME;
    t->texts = at + 1;
    t->size = (size_t)(end - t->texts);
    return TAL_WHOLE;
}

int tal_text(const struct tal *t, size_t *at, const uint8_t **ret_text, size_t *ret_size)
{
    const uint8_t *from = t->texts + *at, *end;

    if (*at >= t->size)
        return 0;
    end = memchr(from, TEXT_END, t->size - *at); /* there is one: tal_read */
    *ret_text = from;
    *ret_size = (size_t)(end - from);
    *at += *ret_size + 1;
    return 1;
}

int tal_clock(const uint8_t *bytes, size_t size, int64_t *ret_ns)
{
    const uint8_t *at = bytes, *end = bytes + size;

    if (onset_read(&at, end, ret_ns) != TAL_WHOLE)
        return -1;
    return end - at >= 2 && at[0] == TEXT_END && at[1] == TEXT_END ? 0 : -1;
}

size_t tal_utf8(char *to, const uint8_t *from, size_t size, int *ret_latin)
{
    size_t i, n = 0;

    *ret_latin = !text_is_utf8((const char *)from, size);
    for (i = 0; i < size; i++) {
        uint8_t c = from[i];

        if ((c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7f)
            c = ' ';
        if (*ret_latin && c >= 0x80) {
            to[n++] = (char)(0xc0u | c >> 6);
            c = 0x80u | (c & 0x3fu);
        }
        to[n++] = (char)c;
    }
    return n;
}
