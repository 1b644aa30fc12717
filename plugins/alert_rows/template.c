/* template.c - see template.h. */
#include "template.h"

#include "calendar/calendar.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *piece_add(struct template *t, const char *at, size_t length, bool name)
{
    if (t->count == TEMPLATE_PIECES)
        return "has too many {names}; at most 15 fit in one line";
    t->pieces[t->count++] = (struct piece){ at, (uint16_t)length, name };
    return NULL;
}

static const char *name_read(struct template *t, const char **at)
{
    const char *name = *at + 1;
    size_t length = strcspn(name, "{}");

    if (name[length] != '}')
        return "has a { that is not closed; write {name}, or {{ for the brace itself";
    if (length == 0)
        return "has {} without a name; write the name of a column in it";
    if (length >= NAME_MOST)
        return "has a name in braces that is too long; expected at most 63 bytes";
    *at = name + length + 1;
    return piece_add(t, name, length, true);
}

static const char *piece_read(struct template *t, const char **at)
{
    const char *from = *at;
    size_t plain = strcspn(from, "{}");

    if (plain > 0) {
        *at += plain;
        return piece_add(t, from, plain, false);
    }
    if (from[0] == from[1]) {
        *at += 2;
        return piece_add(t, from, 1, false);
    }
    if (*from == '{')
        return name_read(t, at);
    return "has a } without its {; write {name}, or }} for the brace itself";
}

const char *template_read(const char *text, struct template *ret)
{
    const char *problem = NULL;

    ret->count = 0;
    if (strlen(text) > TEMPLATE_MOST)
        return "is too long; expected at most 512 bytes: an alert is read in a hurry";
    while (*text && !problem)
        problem = piece_read(ret, &text);
    return problem;
}

/* ---- filling ---- */

/* Bytes of the UTF-8 character at `s`, 0 when it is none (RFC 3629, section 4). */
static size_t character(const unsigned char *s, size_t room)
{
    size_t size = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : s[0] < 0xf5 ? 4 : 0;
    size_t i;

    if (size == 0 || size > room)
        return 0;
    for (i = 1; i < size; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) || (s[0] == 0xf0 && s[1] < 0x90) ||
        (s[0] == 0xf4 && s[1] > 0x8f))
        return 0;
    return size;
}

/* Controls, also those of two bytes (C1), and the separators of lines and the
 * marks that turn the direction of writing: they would change how an alert is
 * shown. */
static bool is_control(const unsigned char *s, size_t size)
{
    if (size == 1)
        return s[0] < 0x20 || s[0] == 0x7f;
    if (size == 2)
        return s[0] == 0xc2 && s[1] < 0xa0;
    return size == 3 && s[0] == 0xe2 &&
           ((s[1] == 0x80 && s[2] >= 0xa8 && s[2] <= 0xae) || (s[1] == 0x81 && s[2] >= 0xa6 && s[2] <= 0xa9));
}

static void line_put(struct line *l, const void *bytes, size_t size)
{
    if (l->cut || size > l->room - l->length) {
        l->cut = true;
        return;
    }
    memcpy(l->at + l->length, bytes, size);
    l->length += size;
}

void line_add(struct line *l, const char *text, size_t length)
{
    const unsigned char *s = (const unsigned char *)text;
    size_t i = 0, size;

    while (i < length && !l->cut) {
        size = character(s + i, length - i);
        if (size == 0)
            line_put(l, "?", 1);
        else if (is_control(s + i, size))
            line_put(l, " ", 1);
        else
            line_put(l, s + i, size);
        i += size ? size : 1;
    }
}

void line_say(struct line *l, const char *text)
{
    line_add(l, text, strlen(text));
}

/* Numbers that are too large or small for digits. The decimal point of the
 * locale, of however many bytes, becomes a point. */
static void number_far(struct line *l, double value)
{
    char text[48];
    size_t i, n = 0;

    (void)snprintf(text, sizeof text, "%.2e", value);
    for (i = 0; text[i]; i++) {
        if (strchr("0123456789e+-", text[i]))
            text[n++] = text[i];
        else if (n == 0 || text[n - 1] != '.')
            text[n++] = '.';
    }
    line_add(l, text, n);
}

void line_number(struct line *l, double value)
{
    static const uint64_t scales[] = { 1, 10, 100, 1000, 10000, 100000, 1000000 };
    double size = fabs(value);
    uint64_t whole, rest;
    char text[48];
    int digits;

    if (!(size > 0.0)) {
        line_say(l, "0");
        return;
    }
    if (size >= 1e15 || size < 1e-3) {
        number_far(l, value);
        return;
    }
    digits = 3 - (int)floor(log10(size));
    digits = digits < 0 ? 0 : digits > 6 ? 6 : digits;
    rest = (uint64_t)llround(size * (double)scales[digits]);
    for (; digits > 0 && rest % 10 == 0; digits--)
        rest /= 10;
    whole = rest / scales[digits];
    rest %= scales[digits];
    (void)snprintf(text, sizeof text, "%s%" PRIu64 "%s", value < 0.0 ? "-" : "", whole, digits > 0 ? "." : "");
    line_say(l, text);
    for (digits--; digits >= 0; digits--)
        line_put(l, &"0123456789"[rest / scales[digits] % 10], 1);
}

void line_integer(struct line *l, int64_t value)
{
    char text[24];

    (void)snprintf(text, sizeof text, "%" PRId64, value);
    line_say(l, text);
}

void line_time(struct line *l, int64_t utc_ns)
{
    struct calendar c = calendar_at(utc_ns);
    char text[96];

    (void)snprintf(text, sizeof text, "%04d-%02d-%02d %02d:%02d:%02d", (int)c.year, c.month, c.day, c.hour, c.minute,
                   c.second);
    line_say(l, text);
}

void line_end(struct line *l)
{
    size_t n = l->length < l->room - 3 ? l->length : l->room - 3;

    if (!l->cut)
        return;
    while (n > 0 && n < l->length && ((unsigned char)l->at[n] & 0xc0) == 0x80)
        n--;
    memcpy(l->at + n, "...", 3);
    l->length = n + 3;
}
