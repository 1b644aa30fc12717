/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_text.c - any bytes as a number, a time in every format, a pattern, and
 * UTF-8: no crash; numbers are what strtod says, whole numbers what strtoll says. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <rows/number.h>
#include <rows/utf8.h>
#include <rows/when.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void number_try(const char *text, size_t size)
{
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    struct number n;
    int64_t whole;
    double real;
    char *end;

    if (number_real(text, size, '.', c, &real)) {
        double wanted = strtod(text, &end);

        if (end != text + size || memcmp(&wanted, &real, sizeof real) != 0)
            abort();
    }
    if (number_scan(text, size, '.', &n) && number_int(&n, &whole) && !strpbrk(text, ".eE") &&
        whole != strtoll(text, NULL, 10))
        abort();
    freelocale(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const formats[] = { "iso8601", "unix_s", "unix_ms", "unix_ns", "hh:mm", "hh:mm:ss",
                                           "%d.%m.%y %I:%M:%S.%f %p %z", "%b %e %Y %R", "%s" };
    char *text = malloc(size + 1);
    struct when w;
    int64_t ns;
    size_t i;

    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    if (strlen(text) == size)
        number_try(text, size);
    for (i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        if (when_open(&w, formats[i], "+01:00", "2024-01-01"))
            abort();
        when_read(&w, text, size, &ns);
    }
    if (!when_open(&w, text, "Z", "1970-01-01"))
        when_read(&w, "2024-02-29 12:00:00", 19, &ns);
    when_open(&w, "iso8601", text, text);
    utf8_ok(text, size);
    free(text);
    return 0;
}
