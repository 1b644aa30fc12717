/* SPDX-License-Identifier: Apache-2.0
 *
 * report.c - writes the report of a comparison, as a table or as JSON.
 *
 * The text is made anew at each try, line by line in a small buffer, and what is
 * out already is left away. Percentages follow EC57 3.4: Se = TP / (TP + FN),
 * +P = TP / (TP + FP); "-" or null where a record has nothing to divide by. The
 * last line of a table is meant for programs too. */
#include "report.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct writer {
    int file;
    int error;
    uint64_t position; /* of the text made so far */
    uint64_t *written;
};

struct report_row *report_add(struct report *r, const char *name, uint32_t subject)
{
    struct report_row *row;
    size_t length = strlen(name);

    if (r->count == r->room)
        return NULL;
    row = &r->rows[r->count++];
    memset(row, 0, sizeof *row);
    if (length >= sizeof row->name) {
        length = sizeof row->name - 1;
        while (length > 0 && ((unsigned char)name[length] & 0xc0u) == 0x80u)
            length--;
    }
    memcpy(row->name, name, length);
    row->subject = subject;
    return row;
}

void report_set(struct report *r, uint32_t row, const struct compare_total *total)
{
    r->rows[row].total = *total;
}

void report_close(struct report *r, uint32_t row)
{
    r->rows[row].is_closed = 1;
}

static void put_bytes(struct writer *w, const char *text, size_t size)
{
    size_t skip = 0;
    ssize_t n;

    if (w->position < *w->written)
        skip = *w->written - w->position < size ? (size_t)(*w->written - w->position) : size;
    w->position += size;
    while (skip < size && !w->error) {
        n = write(w->file, text + skip, size - skip);
        if (n > 0) {
            skip += (size_t)n;
            *w->written += (uint64_t)n;
        } else if (n == 0 || errno != EINTR) {
            w->error = n == 0 ? EIO : errno;
        }
    }
}

__attribute__((format(printf, 2, 3))) static void put(struct writer *w, const char *format, ...)
{
    char line[512];
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (n > 0)
        put_bytes(w, line, (size_t)n < sizeof line ? (size_t)n : sizeof line - 1);
}

/* "99.85", or `none`. */
static const char *percent(double value, char text[16], const char *none)
{
    if (value < 0.0)
        return none;
    (void)snprintf(text, 16, "%.2f", value);
    return text;
}

/* A name in a table: one word, and nothing that moves a terminal's cursor. */
static void put_name(struct writer *w, const char *name)
{
    char clean[sizeof((struct report_row *)0)->name];
    size_t i;

    for (i = 0; i < sizeof clean - 1 && name[i]; i++)
        clean[i] = (unsigned char)name[i] <= ' ' || name[i] == 0x7f ? '_' : name[i];
    clean[i] = '\0';
    put(w, "%-16s", clean);
}

static void put_score(struct writer *w, const struct compare_score *s)
{
    char se[16], ppv[16];

    put(w, " %7llu %7llu %6llu %6llu %7s %7s", (unsigned long long)(s->matched + s->missed),
        (unsigned long long)s->matched, (unsigned long long)s->missed, (unsigned long long)s->extra,
        percent(compare_se(s), se, "-"), percent(compare_ppv(s), ppv, "-"));
}

static void put_line(struct writer *w, const char *name, const struct compare_total *t)
{
    put_name(w, name);
    put_score(w, &t->scored);
    put(w, "  |");
    put_score(w, &t->whole);
    put(w, "\n");
}

static void put_sum(struct writer *w, const char *word, const struct compare_score *s, uint32_t records)
{
    char se[16], ppv[16];

    put(w, "%s Se=%s%% +P=%s%% beats=%llu records=%u\n", word, percent(compare_se(s), se, "-"),
        percent(compare_ppv(s), ppv, "-"), (unsigned long long)(s->matched + s->missed), (unsigned)records);
}

static void table_write(struct writer *w, const struct report *r, const struct compare_total *sum)
{
    static const char head[] = "   beats      TP     FN     FP      Se      +P";
    char from[32];
    uint32_t i;

    (void)snprintf(from, sizeof from, "from %lld:%02lld on", (long long)(r->learning_ns / 60000000000),
                   (long long)(r->learning_ns / 1000000000 % 60));
    put(w, "%-16s %-46s  | whole record\n", "", from);
    put(w, "%-16s%s  |%s\n", "record", head, head);
    for (i = 0; i < r->count; i++)
        put_line(w, r->rows[i].name, &r->rows[i].total);
    put_line(w, "sum", sum);
    put_sum(w, "whole", &sum->whole, r->count);
    put_sum(w, "gross", &sum->scored, r->count);
}

/* Bytes below 0x20 are escaped; the rest is UTF-8 as it came. */
static void put_json_text(struct writer *w, const char *text)
{
    size_t i;

    put(w, "\"");
    for (i = 0; text[i]; i++) {
        if (text[i] == '"' || text[i] == '\\')
            put(w, "\\%c", text[i]);
        else if ((unsigned char)text[i] < 0x20)
            put(w, "\\u%04x", (unsigned)text[i]);
        else
            put_bytes(w, &text[i], 1);
    }
    put(w, "\"");
}

static void put_json_score(struct writer *w, const char *name, const struct compare_score *s)
{
    char se[16], ppv[16];

    put(w, "\"%s\": {\"beats\": %llu, \"tp\": %llu, \"fn\": %llu, \"fp\": %llu, \"se\": %s, \"ppv\": %s}", name,
        (unsigned long long)(s->matched + s->missed), (unsigned long long)s->matched, (unsigned long long)s->missed,
        (unsigned long long)s->extra, percent(compare_se(s), se, "null"), percent(compare_ppv(s), ppv, "null"));
}

static void put_json_total(struct writer *w, const struct compare_total *t)
{
    double pairs = (double)t->whole.matched;

    put_json_score(w, "scored", &t->scored);
    put(w, ", ");
    put_json_score(w, "whole", &t->whole);
    put(w, ", \"ignored\": %llu", (unsigned long long)t->ignored);
    if (t->whole.matched)
        put(w, ", \"error_ms\": {\"mean\": %.3f, \"rms\": %.3f}", t->error_sum / pairs, sqrt(t->error_squares / pairs));
    else
        put(w, ", \"error_ms\": null");
}

static void json_write(struct writer *w, const struct report *r, const struct compare_total *sum)
{
    uint32_t i;

    put(w, "{\"learning_s\": %.9g, \"records\": [", (double)r->learning_ns / 1e9);
    for (i = 0; i < r->count; i++) {
        put(w, "%s\n  {\"record\": ", i ? "," : "");
        put_json_text(w, r->rows[i].name);
        put(w, ", ");
        put_json_total(w, &r->rows[i].total);
        put(w, "}");
    }
    put(w, "],\n \"sum\": {");
    put_json_total(w, sum);
    put(w, "}}\n");
}

int report_write(struct report *r, int file, int format)
{
    struct writer w = { file, 0, 0, &r->written };
    struct compare_total sum;
    uint32_t i;

    memset(&sum, 0, sizeof sum);
    for (i = 0; i < r->count; i++)
        compare_add(&sum, &r->rows[i].total);
    if (format == REPORT_JSON)
        json_write(&w, r, &sum);
    else
        table_write(&w, r, &sum);
    if (!w.error)
        return 0;
    errno = w.error;
    return -1;
}
