/* schema.c - schemas as text and back, see schema.h. */
#include "schema.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct writer {
    char *at;
    size_t left; /* 0: it did not fit */
};

static void write_format(struct writer *w, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void write_format(struct writer *w, const char *format, ...)
{
    va_list args;
    int size;

    va_start(args, format);
    size = vsnprintf(w->at, w->left, format, args);
    va_end(args);
    if (size < 0 || (size_t)size >= w->left) {
        w->left = 0;
        return;
    }
    w->at += size;
    w->left -= (size_t)size;
}

static void write_word(struct writer *w, const char *word)
{
    if (!word || !*word || !strcmp(word, "-")) {
        write_format(w, " %s", !word ? "-" : *word ? "%2D" : "%00");
        return;
    }
    write_format(w, " ");
    for (; *word && w->left; word++) {
        unsigned char c = (unsigned char)*word;

        if (c <= ' ' || c == '%' || c == 0x7f)
            write_format(w, "%%%02X", c);
        else
            write_format(w, "%c", c);
    }
}

static uint64_t bits_of(double v)
{
    uint64_t bits;

    memcpy(&bits, &v, sizeof bits);
    return bits;
}

size_t schema_write(char *text, size_t room, const struct aff_schema *s)
{
    struct writer w = { text, room };
    uint32_t i;

    write_format(&w, "schema 1 %u %u %u %" PRIu64 " %" PRIu64 " %" PRIu32, s->type, s->format, s->label,
                 s->rate_num, s->rate_den, s->count);
    write_word(&w, s->name);
    for (i = 0; i < s->count && w.left; i++) {
        struct aff_column c = { 0 };
        size_t size = s->stride < sizeof c ? s->stride : sizeof c;

        memcpy(&c, (const char *)s->columns + (size_t)i * s->stride, size);
        write_format(&w, "\n%u %u %u %" PRIx64 " %" PRIx64, c.type, c.label, c.required, bits_of(c.gain),
                     bits_of(c.baseline));
        write_word(&w, c.name);
        write_word(&w, c.unit);
        write_word(&w, c.code);
    }
    return w.left ? room - w.left : 0;
}

struct reader {
    const char *at;
    const char *end;
    char *text; /* where the next word goes */
    int bad;
};

static uint64_t read_number(struct reader *r, int base, uint64_t most)
{
    uint64_t v = 0;
    const char *begin = r->at;

    for (; r->at < r->end && *r->at != ' ' && *r->at != '\n'; r->at++) {
        const char *digits = "0123456789abcdef", *d = memchr(digits, *r->at, (size_t)base);
        uint64_t digit = d ? (uint64_t)(d - digits) : 0;

        if (!d || v > (most - digit) / (uint64_t)base)
            r->bad = 1;
        v = v * (uint64_t)base + digit;
    }
    if (r->at == begin)
        r->bad = 1;
    if (r->at < r->end && *r->at == ' ')
        r->at++;
    return v;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* A word, decoded; never longer than its text, so `text` has room for all. */
static const char *read_word(struct reader *r)
{
    char *word = r->text;
    int missing = r->at < r->end && *r->at == '-' && (r->end - r->at == 1 || r->at[1] == ' ' || r->at[1] == '\n');

    if (r->at == r->end || *r->at == ' ' || *r->at == '\n')
        r->bad = 1;
    for (; r->at < r->end && *r->at != ' ' && *r->at != '\n'; r->at++) {
        char c = *r->at;

        if (c == '%') {
            int high = r->end - r->at > 2 ? hex_digit(r->at[1]) : -1, low = high < 0 ? -1 : hex_digit(r->at[2]);

            if (low < 0) {
                r->bad = 1;
                break;
            }
            c = (char)(high * 16 + low);
            r->at += 2;
        }
        *r->text++ = c;
    }
    *r->text++ = '\0';
    if (r->at < r->end && *r->at == ' ')
        r->at++;
    return missing ? NULL : word;
}

static void read_line_end(struct reader *r)
{
    if (r->at == r->end || *r->at != '\n')
        r->bad = 1;
    else
        r->at++;
}

static double read_double(struct reader *r)
{
    uint64_t bits = read_number(r, 16, UINT64_MAX);
    double v;

    memcpy(&v, &bits, sizeof v);
    return v;
}

static void read_columns(struct reader *r, struct aff_schema *s, struct aff_column *columns)
{
    uint32_t i;

    for (i = 0; i < s->count && !r->bad; i++) {
        struct aff_column *c = &columns[i];

        read_line_end(r);
        c->type = (uint8_t)read_number(r, 10, UINT8_MAX);
        c->label = (uint8_t)read_number(r, 10, UINT8_MAX);
        c->required = (uint8_t)read_number(r, 10, UINT8_MAX);
        c->gain = read_double(r);
        c->baseline = read_double(r);
        c->name = read_word(r);
        c->unit = read_word(r);
        c->code = read_word(r);
        r->bad |= !c->name;
    }
}

struct aff_schema *schema_read(const char *text, size_t length, int *ret_memory)
{
    static const char begin[] = "schema 1 ";
    struct reader r = { text, text + length, NULL, 0 };
    struct aff_schema head = { .struct_size = sizeof head }, *s;
    uint64_t count;

    *ret_memory = 0;
    if (length < sizeof begin - 1 || memcmp(text, begin, sizeof begin - 1))
        return NULL;
    r.at += sizeof begin - 1;
    head.type = (uint8_t)read_number(&r, 10, UINT8_MAX);
    head.format = (uint8_t)read_number(&r, 10, UINT8_MAX);
    head.label = (uint8_t)read_number(&r, 10, UINT8_MAX);
    head.rate_num = read_number(&r, 10, UINT64_MAX);
    head.rate_den = read_number(&r, 10, UINT64_MAX);
    count = read_number(&r, 10, UINT32_MAX);
    /* A column takes 16 characters at least. */
    if (r.bad || count > length / 16)
        return NULL;
    head.count = (uint32_t)count;
    head.stride = sizeof(struct aff_column);
    s = calloc(1, sizeof *s + head.count * sizeof(struct aff_column) + length + 1);
    if (!s) {
        *ret_memory = 1;
        return NULL;
    }
    *s = head;
    s->columns = (struct aff_column *)(void *)(s + 1);
    r.text = (char *)(s + 1) + head.count * sizeof(struct aff_column);
    s->name = read_word(&r);
    read_columns(&r, s, (struct aff_column *)(void *)(s + 1));
    if (r.bad || r.at != r.end) {
        free(s);
        return NULL;
    }
    return s;
}
