/* text.c - values as CSV and JSON, see text.h. */
#include "text/text.h"

#include "calendar/calendar.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void text_add(struct text *t, const char *bytes, size_t size)
{
    if (t->failed || !size)
        return;
    if (size > t->room - t->size) {
        size_t room = t->room ? t->room : 4096;
        char *fresh;

        while (room - t->size < size && room < SIZE_MAX / 4)
            room *= 2;
        fresh = room - t->size < size ? NULL : realloc(t->bytes, room);
        if (!fresh) {
            t->failed = 1;
            return;
        }
        t->bytes = fresh;
        t->room = room;
    }
    memcpy(t->bytes + t->size, bytes, size);
    t->size += size;
}

void text_say(struct text *t, const char *words)
{
    text_add(t, words, strlen(words));
}

void text_free(struct text *t)
{
    free(t->bytes);
    memset(t, 0, sizeof *t);
}

void text_none(struct text *t, enum text_style style)
{
    if (style == TEXT_JSON)
        text_say(t, "null");
}

/* The length of the UTF-8 sequence at p, 0 if there is none: no overlong form,
 * no surrogate, nothing above U+10FFFF (RFC 3629, section 4). */
static size_t utf8_length(const unsigned char *p, size_t left)
{
    static const struct { unsigned char from, to, low, high, size; } forms[] = {
        { 0x00, 0x7f, 0, 0, 1 },       { 0xc2, 0xdf, 0x80, 0xbf, 2 }, { 0xe0, 0xe0, 0xa0, 0xbf, 3 },
        { 0xe1, 0xec, 0x80, 0xbf, 3 }, { 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 },
        { 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 }, { 0xf4, 0xf4, 0x80, 0x8f, 4 },
    };
    size_t i, k;

    for (i = 0; i < sizeof forms / sizeof forms[0]; i++)
        if (p[0] >= forms[i].from && p[0] <= forms[i].to)
            break;
    if (i == sizeof forms / sizeof forms[0] || left < forms[i].size)
        return 0;
    if (forms[i].size > 1 && (p[1] < forms[i].low || p[1] > forms[i].high))
        return 0;
    for (k = 2; k < forms[i].size; k++)
        if ((p[k] & 0xc0) != 0x80)
            return 0;
    return forms[i].size;
}

int text_is_utf8(const char *bytes, size_t size)
{
    size_t at, step;

    for (at = 0; at < size; at += step) {
        step = utf8_length((const unsigned char *)bytes + at, size - at);
        if (!step)
            return 0;
    }
    return 1;
}

/* Characters that act instead of being seen: C0 and C1, U+061C, U+200E, U+200F,
 * U+2028 to U+202E, U+2066 to U+2069, U+FEFF (Unicode, Bidi_Control and others). */
static int is_acting(const unsigned char *p, size_t size)
{
    unsigned code;

    if (size == 1)
        return p[0] < 0x20 || p[0] == 0x7f;
    if (size == 2) {
        code = (p[0] & 0x1fu) << 6 | (p[1] & 0x3fu);
        return code < 0xa0 || code == 0x61c;
    }
    if (size != 3)
        return 0;
    code = (p[0] & 0x0fu) << 12 | (p[1] & 0x3fu) << 6 | (p[2] & 0x3fu);
    return code == 0x200e || code == 0x200f || (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069) ||
           code == 0xfeff;
}

void text_line(struct text *t, const char *bytes, size_t size)
{
    size_t at, step;

    for (at = 0; at < size; at += step) {
        step = utf8_length((const unsigned char *)bytes + at, size - at);
        if (!step) {
            text_say(t, "\xef\xbf\xbd");
            step = 1;
        } else if (is_acting((const unsigned char *)bytes + at, step)) {
            text_say(t, " ");
        } else {
            text_add(t, bytes + at, step);
        }
    }
}

static void json_char(struct text *t, unsigned char c)
{
    static const char short_forms[] = "\"\"\\\\\bb\ff\nn\rr\tt";
    char escape[8];
    size_t i;

    for (i = 0; i + 1 < sizeof short_forms; i += 2)
        if ((unsigned char)short_forms[i] == c) {
            escape[0] = '\\';
            escape[1] = short_forms[i + 1];
            text_add(t, escape, 2);
            return;
        }
    if (c < 0x20 || c == 0x7f) {
        snprintf(escape, sizeof escape, "\\u%04x", c);
        text_add(t, escape, 6);
        return;
    }
    text_add(t, (const char *)&c, 1);
}

static int csv_quotes(const char *bytes, size_t size)
{
    size_t i;

    if (!size) /* "" is an empty text, nothing at all is a missing one */
        return 1;
    if (bytes[0] == ' ' || bytes[size - 1] == ' ')
        return 1;
    for (i = 0; i < size; i++)
        if (strchr("\",\r\n", bytes[i]))
            return 1; /* and a zero byte, which strchr finds too */
    return 0;
}

void text_string(struct text *t, enum text_style style, const char *bytes, size_t size)
{
    int quotes = style == TEXT_JSON || csv_quotes(bytes, size);
    size_t at, step;

    if (quotes)
        text_say(t, "\"");
    for (at = 0; at < size; at += step) {
        step = utf8_length((const unsigned char *)bytes + at, size - at);
        if (!step) {
            text_say(t, "\xef\xbf\xbd");
            step = 1;
        } else if (step > 1) {
            text_add(t, bytes + at, step);
        } else if (style == TEXT_JSON) {
            json_char(t, (unsigned char)bytes[at]);
        } else {
            text_add(t, bytes + at, 1);
            if (bytes[at] == '"')
                text_say(t, "\"");
        }
    }
    if (quotes)
        text_say(t, "\"");
}

/* printf writes the locale's point. */
static void number_add(struct text *t, char *digits, int size)
{
    int i;

    for (i = 0; i < size; i++)
        if (!strchr("0123456789+-e", digits[i]))
            digits[i] = '.';
    text_add(t, digits, (size_t)size);
}

void text_real(struct text *t, enum text_style style, double v)
{
    char digits[40];
    int precision, size = 0;

    if (!isfinite(v)) {
        text_none(t, style);
        return;
    }
    for (precision = 15; precision <= 17; precision++) {
        size = snprintf(digits, sizeof digits, "%.*g", precision, v);
        if (strtod(digits, NULL) == v)
            break;
    }
    number_add(t, digits, size);
}

void text_float(struct text *t, enum text_style style, float v)
{
    char digits[40];
    int precision, size = 0;

    if (!isfinite(v)) {
        text_none(t, style);
        return;
    }
    for (precision = 6; precision <= 9; precision++) {
        size = snprintf(digits, sizeof digits, "%.*g", precision, (double)v);
        if (strtof(digits, NULL) == v)
            break;
    }
    number_add(t, digits, size);
}

void text_int(struct text *t, int64_t v)
{
    char digits[24];
    int size = snprintf(digits, sizeof digits, "%" PRId64, v);

    text_add(t, digits, (size_t)size);
}

void text_time(struct text *t, int64_t utc_ns)
{
    struct calendar c = calendar_at(utc_ns);
    char out[64];
    int size = snprintf(out, sizeof out, "%04d-%02d-%02dT%02d:%02d:%02d.%09d", (int)c.year, c.month, c.day, c.hour,
                        c.minute, c.second, c.ns);

    while (out[size - 1] == '0')
        size--;
    if (out[size - 1] == '.')
        size--;
    text_add(t, out, (size_t)size);
    text_say(t, "Z");
}

void text_base64(struct text *t, const uint8_t *bytes, size_t size)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t at;

    for (at = 0; at < size; at += 3) {
        size_t n = size - at < 3 ? size - at : 3;
        uint32_t v = (uint32_t)bytes[at] << 16 | (n > 1 ? (uint32_t)bytes[at + 1] << 8 : 0)
            | (n > 2 ? (uint32_t)bytes[at + 2] : 0);
        char out[4] = { letters[v >> 18], letters[v >> 12 & 63], letters[v >> 6 & 63], letters[v & 63] };

        if (n < 3)
            out[3] = '=';
        if (n < 2)
            out[2] = '=';
        text_add(t, out, 4);
    }
}
