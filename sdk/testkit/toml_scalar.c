/* SPDX-License-Identifier: Apache-2.0
 *
 * toml_scalar.c - strings, numbers and booleans of TOML 1.0.0.
 *
 * Not here: what a number or string means as an option (options.c, units.c). */
#include "toml_parse.h"

#include <errno.h>

struct text {
    char *bytes;
    size_t size;
};

static void put_utf8(struct text *out, uint32_t c)
{
    unsigned char *at = (unsigned char *)out->bytes + out->size;

    if (c < 0x80) {
        at[0] = (unsigned char)c;
        out->size += 1;
    } else if (c < 0x800) {
        at[0] = (unsigned char)(0xc0 | c >> 6);
        at[1] = (unsigned char)(0x80 | (c & 0x3f));
        out->size += 2;
    } else if (c < 0x10000) {
        at[0] = (unsigned char)(0xe0 | c >> 12);
        at[1] = (unsigned char)(0x80 | (c >> 6 & 0x3f));
        at[2] = (unsigned char)(0x80 | (c & 0x3f));
        out->size += 3;
    } else {
        at[0] = (unsigned char)(0xf0 | c >> 18);
        at[1] = (unsigned char)(0x80 | (c >> 12 & 0x3f));
        at[2] = (unsigned char)(0x80 | (c >> 6 & 0x3f));
        at[3] = (unsigned char)(0x80 | (c & 0x3f));
        out->size += 4;
    }
}

static void read_unicode(struct parser *p, struct text *out, int digits)
{
    uint32_t c = 0;
    int i;

    for (i = 0; i < digits; i++) {
        const char *hex = "0123456789abcdef", *found;
        char one = (char)(p->at[0] | 0x20);

        found = p->at[0] ? strchr(hex, p->at[0] >= '0' && p->at[0] <= '9' ? p->at[0] : one) : NULL;
        if (!found) {
            toml_fail(p, "a \\u escape needs hexadecimal digits");
            return;
        }
        c = c << 4 | (uint32_t)(found - hex);
        p->at++;
    }
    if (c == 0 || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
        toml_fail(p, "a \\u escape is not a character");
    else
        put_utf8(out, c);
}

/* After a backslash. */
static void read_escape(struct parser *p, struct text *out, int multiline)
{
    static const char names[] = "btnfr\"\\e", values[] = "\b\t\n\f\r\"\\\033";
    const char *found = *p->at ? strchr(names, *p->at) : NULL;
    size_t blank = strspn(p->at, " \t\r");

    if (found) {
        out->bytes[out->size++] = values[found - names];
        p->at++;
    } else if (*p->at == 'u' || *p->at == 'U') {
        int digits = *p->at++ == 'u' ? 4 : 8;

        read_unicode(p, out, digits);
    } else if (multiline && p->at[blank] == '\n') {
        for (; *p->at && strchr(" \t\r\n", *p->at); p->at++)
            p->line += *p->at == '\n';
    } else {
        toml_fail(p, "an unknown escape in a string");
    }
}

struct toml *toml_string(struct parser *p)
{
    char quote = *p->at;
    int literal = quote == '\'', multiline = p->at[1] == quote && p->at[2] == quote;
    struct toml *value = toml_new(p, TOML_TEXT);
    /* An escape is never shorter than the character it stands for. */
    struct text out = { memory_take(p->memory, strlen(p->at) + 1), 0 };
    int i, ends = multiline ? 3 : 1;

    p->at += ends;
    if (multiline && *p->at == '\n')
        p->line++, p->at++;
    while (!p->error) {
        for (i = 0; i < ends && p->at[i] == quote; i++)
            ;
        if (i == ends && !(multiline && p->at[3] == quote))
            break;
        if (!*p->at || (!multiline && *p->at == '\n')) {
            toml_fail(p, "a string has no end");
        } else if (*p->at == '\\' && !literal) {
            p->at++;
            read_escape(p, &out, multiline);
        } else {
            p->line += *p->at == '\n';
            out.bytes[out.size++] = *p->at++;
        }
    }
    if (!p->error)
        p->at += ends;
    value->text = out.bytes;
    value->length = out.size;
    return value;
}

/* Copies a number without its underscores, each of which stands between digits. */
static int strip(const char *from, size_t n, char *to)
{
    size_t i, out = 0;

    for (i = 0; i < n; i++) {
        if (from[i] != '_')
            to[out++] = from[i];
        else if (i == 0 || i + 1 == n || !strchr("0123456789abcdefABCDEF", from[i - 1]) ||
                 !strchr("0123456789abcdefABCDEF", from[i + 1]))
            return 0;
    }
    to[out] = 0;
    return 1;
}

static int read_integer(const char *text, int64_t *ret_value)
{
    const char *digits = text + (*text == '+' || *text == '-');
    int base = 10;
    char *end;

    if (digits == text && digits[0] == '0' && digits[1] && strchr("xob", digits[1])) {
        base = digits[1] == 'x' ? 16 : digits[1] == 'o' ? 8 : 2;
        text = digits = digits + 2;
    } else if (digits[0] == '0' && digits[1]) {
        return 0;
    }
    if (!*digits || *digits == '-' || *digits == '+')
        return 0;
    errno = 0;
    *ret_value = strtoll(text, &end, base);
    return !*end && errno == 0;
}

static int read_real(const char *text, double *ret_value)
{
    const char *digits = text + (*text == '+' || *text == '-');
    const char *dot = strchr(digits, '.');
    char *end;

    if (strcmp(digits, "inf") && strcmp(digits, "nan")) {
        if (strspn(digits, "0123456789.eE+-") != strlen(digits) || !(*digits >= '0' && *digits <= '9'))
            return 0;
        if (digits[0] == '0' && digits[1] >= '0' && digits[1] <= '9')
            return 0;
        if (dot && !(dot[1] >= '0' && dot[1] <= '9'))
            return 0;
    }
    *ret_value = strtod(text, &end);
    return !*end;
}

struct toml *toml_plain(struct parser *p)
{
    size_t n = strcspn(p->at, " \t\r\n,]}#");
    struct toml *value = toml_new(p, TOML_BOOL);
    char text[80];

    if (n == 0 || n >= sizeof text || !strip(p->at, n, text)) {
        toml_fail(p, "expected a value");
        return value;
    }
    if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0) {
        value->integer = text[0] == 't';
    } else if (read_integer(text, &value->integer)) {
        value->kind = TOML_INT;
    } else if (read_real(text, &value->real)) {
        value->kind = TOML_REAL;
    } else {
        toml_fail(p, "expected a value: text in quotes, a number, true or false (no dates)");
    }
    p->at += n;
    return value;
}
