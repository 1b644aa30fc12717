/* SPDX-License-Identifier: Apache-2.0
 *
 * annot.c - see annot.h. */
#include "annot.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { CODE_NOTE = 22, CODE_LAST = 49, SKIP = 59, NUM = 60, SUB = 61, CHN = 62, AUX = 63 };
#define AT_MAX (INT64_C(1) << 53)

/* Labels of <wfdb/ecgcodes.h>, by code. */
static const char labels[CODE_LAST + 1][5] = {
    " ", "N", "L", "R", "a", "V", "F", "J", "A", "S", "E", "j", "/", "Q", "~", "[15]", "|",
    "[17]", "s", "T", "*", "D", "\"", "=", "p", "B", "^", "t", "+", "u", "?", "!", "[", "]",
    "e", "n", "@", "x", "f", "(", ")", "r", "[42]", "[43]", "[44]", "[45]", "[46]", "[47]", "[48]", "[49]",
};

void annots_begin(struct wfdb_annots *a, const struct wfdb_bytes *bytes, const struct rate *rate)
{
    memset(a, 0, sizeof *a);
    a->bytes = *bytes;
    a->rate = *rate;
    a->leading = 1;
}

const char *annots_label(const struct wfdb_annots *a, int code)
{
    if (code < 0 || code > CODE_LAST)
        return "?";
    return a->label[code][0] ? a->label[code] : labels[code];
}

static int cut(const struct wfdb_annots *a, struct fault *f)
{
    if (a->bytes.error)
        return fault_file(f, "annotation file", a->bytes.error);
    return fault(f, 0, "the annotation file ends without its end mark, behind annotation %u", a->read);
}

/* Looks at the next two bytes. */
static int word_peek(struct wfdb_annots *a, unsigned *ret_code, unsigned *ret_value, struct fault *f)
{
    unsigned word;

    *ret_code = *ret_value = 0;
    if (bytes_need(&a->bytes, 2) < 2)
        return cut(a, f);
    word = a->bytes.at[0] | (unsigned)a->bytes.at[1] << 8;
    *ret_code = word >> 10;
    *ret_value = word & 0x3ffu;
    return 0;
}

/* An AHA file begins with a zero byte and a code letter (annot(5)). An MIT file
 * whose first annotation stands at a multiple of 256 may do so as well; therefore
 * the serial numbers of the first two entries, 1 and 2, have to be there too. */
static int is_aha(struct wfdb_annots *a)
{
    const uint8_t *p;
    size_t have = bytes_need(&a->bytes, 32);

    p = a->bytes.at;
    if (have < 16 || p[0] != 0 || !p[1] || !strchr("NVFERPQOU[]", p[1]) || p[6] != 1 || p[7] != 0)
        return 0;
    if (have < 32 || p[16] != 0)
        return 1;
    return p[17] && strchr("NVFERPQOU[]", p[17]) && p[22] == 2 && p[23] == 0;
}

/* The interval behind SKIP: a PDP-11 long, high half first, each low byte first. */
static int skip_read(struct wfdb_annots *a, unsigned value, struct fault *f)
{
    const uint8_t *p;
    uint32_t bits;

    if (value)
        return fault(f, 0, "SKIP with a value behind annotation %u; the annotation file is damaged", a->read);
    if (bytes_need(&a->bytes, 6) < 6)
        return cut(a, f);
    p = a->bytes.at + 2;
    bits = (uint32_t)p[1] << 24 | (uint32_t)p[0] << 16 | (uint32_t)p[3] << 8 | p[2];
    a->at += (int32_t)bits;
    bytes_take(&a->bytes, 6);
    if (a->at > AT_MAX || a->at < -AT_MAX)
        return fault(f, 0, "annotation %u is further off than any recording lasts", a->read + 1);
    return 0;
}

static int aux_read(struct wfdb_annots *a, unsigned length, struct wfdb_annotation *to, struct fault *f)
{
    size_t padded = 2 + ((length + 1u) & ~1u);

    if (length > WFDB_AUX_MAX)
        return fault(f, 0, "a text of %u bytes at annotation %u; at most %d are allowed", length, a->read, WFDB_AUX_MAX);
    if (bytes_need(&a->bytes, padded) < padded)
        return cut(a, f);
    to->text_length = (uint32_t)text_utf8(to->text, sizeof to->text, (const char *)a->bytes.at + 2, length);
    bytes_take(&a->bytes, padded);
    return 0;
}

/* What follows an annotation and belongs to it, or (SKIP) to the next. */
static int fields_read(struct wfdb_annots *a, struct wfdb_annotation *to, struct fault *f)
{
    unsigned code, value;

    for (;;) {
        if (word_peek(a, &code, &value, f))
            return -1;
        if (code < SKIP)
            return 0;
        if (code == SKIP || code == AUX) {
            if (code == SKIP ? skip_read(a, value, f) : aux_read(a, value, to, f))
                return -1;
            continue;
        }
        /* The library keeps these in a char. */
        if (code == NUM)
            a->number = to->number = (int8_t)value;
        else if (code == SUB)
            to->subtype = (int8_t)value;
        else
            a->channel = to->channel = (uint8_t)value;
        bytes_take(&a->bytes, 2);
    }
}

/* "CODE LABEL DESCRIPTION" in the table of labels. */
static int label_define(struct wfdb_annots *a, const char *text, struct fault *f)
{
    int64_t code;

    text = text_skip(text);
    if (text_int(&text, 0, WFDB_CODES - 1, &code) ||
        text_word(&text, a->label[code], sizeof a->label[code]) != 1)
        return fault(f, 0, "a definition of a label is not CODE LABEL DESCRIPTION, at annotation %u", a->read);
    return 1;
}

/* Notes at the beginning that are meant for the reader: 1 used, 0 not one, -1. */
static int lead_use(struct wfdb_annots *a, const struct wfdb_annotation *n, struct fault *f)
{
    static const char resolution[] = "## time resolution: ";
    const char *text = n->text;

    if (n->code != CODE_NOTE || n->at != 0 || n->text_length == 0)
        return 0;
    if (strncmp(text, resolution, sizeof resolution - 1) == 0) {
        text = text_skip(text + sizeof resolution - 1);
        if (text_rate(&text, &a->rate) || *text_skip(text))
            return fault(f, 0, "the annotation file's time resolution is not a number of ticks per second");
        return 1;
    }
    if (strcmp(text, "## annotation type definitions") == 0) {
        a->defining = 1;
        return 1;
    }
    if (strcmp(text, "## end of definitions") == 0) {
        a->defining = 0;
        return 1;
    }
    return a->defining ? label_define(a, text, f) : 0;
}

/* One entry of the file: 1, at the end mark 0, or -1. */
static int entry_read(struct wfdb_annots *a, struct wfdb_annotation *to, struct fault *f)
{
    unsigned code, value;

    if (word_peek(a, &code, &value, f))
        return -1;
    while (code == SKIP) { /* before the first annotation */
        if (skip_read(a, value, f) || word_peek(a, &code, &value, f))
            return -1;
    }
    if (code == 0 && value == 0)
        return 0;
    if (code > CODE_LAST)
        return fault(f, 0, "code %u behind annotation %u is not defined; the annotation file is damaged", code, a->read);
    bytes_take(&a->bytes, 2);
    a->at += value;
    a->read++;
    to->at = a->at;
    to->code = (int)code;
    to->subtype = 0;
    to->channel = a->channel;
    to->number = a->number;
    to->text_length = 0;
    to->text[0] = 0;
    return fields_read(a, to, f) ? -1 : 1;
}

int annots_next(struct wfdb_annots *a, struct wfdb_annotation *ret, struct fault *f)
{
    int got;

    if (a->read == 0 && is_aha(a))
        return fault(f, 0, "the annotation file is in the AHA format; convert it to the MIT format");
    while ((got = entry_read(a, ret, f)) == 1) {
        if (ret->code == 0) /* a place holder (NOTQRS), no annotation */
            continue;
        if (a->leading) {
            int used = lead_use(a, ret, f);

            if (used < 0)
                return -1;
            if (used)
                continue;
            a->leading = ret->at == 0;
        }
        if (ret->at < 0)
            return fault(f, 0, "annotation %u is before the record's beginning", a->read);
        a->unordered = ret->at < a->latest;
        a->latest = ret->at > a->latest ? ret->at : a->latest;
        return 1;
    }
    return got;
}
