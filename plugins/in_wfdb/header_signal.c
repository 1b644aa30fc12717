/* SPDX-License-Identifier: Apache-2.0
 *
 * header_signal.c - the signal lines of a header. See header.h.
 *
 * The optional fields depend on each other from left to right: the first that is
 * missing ends the numbers, and what is left is the description, which headers
 * in the wild also put where a block size should stand before it. Defaults are
 * those of header(5). */
#include "header_inside.h"

#include <stdio.h>
#include <string.h>

static int field_ends(const char *at)
{
    return *at == 0 || *at == ' ' || *at == '\t';
}

static int is_number(const char *at)
{
    return *at && strchr("0123456789+-.", *at) != NULL;
}

/* Keeps a text; a place in the pool, 0 when it is full. */
static uint32_t pool_keep(struct wfdb_header *h, const char *text, size_t length)
{
    uint32_t place = h->pool_used;

    if (length * 2 + 1 > (size_t)(WFDB_POOL - place))
        return 0;
    h->pool_used += (uint32_t)text_utf8(h->pool + place, WFDB_POOL - place, text, length) + 1;
    return place;
}

/* File names are kept byte for byte: they are opened. */
static uint32_t pool_keep_file(struct wfdb_header *h, const char *name)
{
    uint32_t place = h->pool_used;
    size_t size = strlen(name) + 1;

    if (size > (size_t)(WFDB_POOL - place))
        return 0;
    memcpy(h->pool + place, name, size);
    h->pool_used += (uint32_t)size;
    return place;
}

static int file_read(struct wfdb_header *h, struct wfdb_signal *s, const char **at, struct fault *f)
{
    char name[256];

    if (text_word(at, name, sizeof name) != 1)
        return fault(f, s->line, "the file name is longer than 255 bytes");
    if (strcmp(name, "-") == 0)
        return fault(f, s->line, "the signal is to come from standard input (-), which a pipeline does not have");
    if (strcmp(name, "~") != 0 && !header_name_is_safe(name))
        return fault(f, s->line, "the signal's file name leaves the record's folder; give a relative name without ..");
    s->file = pool_keep_file(h, name);
    return s->file ? 0 : fault(f, s->line, "the names in this header take more than %d bytes", WFDB_POOL);
}

/* FORMATxPERFRAME:SKEW+OFFSET, the modifiers each at most once. */
static int format_read(struct wfdb_signal *s, const char **at, struct fault *f)
{
    int64_t value;

    *at = text_skip(*at);
    if (text_int(at, 0, 100000, &value))
        return fault(f, s->line, "the format is not a number");
    if (value == 508 || value == 516 || value == 524)
        return fault(f, s->line, "format %d is FLAC-compressed, which is not read here; convert it to format 16 or 24",
                     (int)value);
    s->format = format_find(value);
    if (!s->format && value != 0)
        return fault(f, s->line, "format %d is unknown; known are 0, 8, 16, 24, 32, 61, 80, 160, 212, 310, 311",
                     (int)value);
    if (**at == 'x') {
        (*at)++;
        if (text_int(at, 1, WFDB_PER_FRAME_MAX, &value))
            return fault(f, s->line, "the samples per frame are not from 1 to %d", WFDB_PER_FRAME_MAX);
        s->per_frame = (uint32_t)value;
    }
    if (**at == ':') {
        (*at)++;
        if (text_int(at, 0, INT32_MAX, &value))
            return fault(f, s->line, "the skew is not a number from 0");
        s->skew = (uint32_t)value;
    }
    if (**at == '+') {
        (*at)++;
        if (text_int(at, 0, WFDB_FRAMES_MAX, &value))
            return fault(f, s->line, "the byte offset is not a number from 0");
        s->byte_offset = (uint64_t)value;
    }
    return field_ends(*at) ? 0 : fault(f, s->line, "the format has something behind it that is no modifier (x : +)");
}

/* GAIN(BASELINE)/UNITS. */
static int gain_read(struct wfdb_header *h, struct wfdb_signal *s, const char **at, int *ret_baseline,
                     struct fault *f)
{
    int64_t value;
    double gain;

    if (text_real(at, &gain))
        return fault(f, s->line, "the gain is not a number");
    if (gain != 0) {
        s->gain = gain;
        s->calibrated = 1;
    }
    if (**at == '(') {
        (*at)++;
        if (text_int(at, INT32_MIN, INT32_MAX, &value) || *(*at)++ != ')')
            return fault(f, s->line, "the baseline is not a whole number in parentheses");
        s->baseline = (int32_t)value;
        *ret_baseline = 1;
    }
    if (**at == '/') {
        size_t n = strcspn(++*at, " \t");

        s->units = n ? pool_keep(h, *at, n) : 0;
        *at += n;
        if (n && !s->units)
            return fault(f, s->line, "the names in this header take more than %d bytes", WFDB_POOL);
    }
    return field_ends(*at) ? 0 : fault(f, s->line, "the gain has something behind it");
}

/* One of the whole numbers behind the gain: 1 read, 0 the line is over, -1. */
static int number_read(const char **at, int32_t *ret_value)
{
    int64_t value;

    *at = text_skip(*at);
    if (!is_number(*at))
        return 0;
    if (text_int(at, INT32_MIN, INT32_MAX, &value) || !field_ends(*at))
        return -1;
    *ret_value = (int32_t)value;
    return 1;
}

/* From the resolution to the block size. Says where the numbers ended in *at. */
static int numbers_read(struct wfdb_signal *s, const char **at, struct fault *f)
{
    static const char *const names[] = { "ADC resolution", "ADC zero", "initial value", "checksum", "block size" };
    int32_t *const to[] = { &s->resolution, &s->zero, &s->initial, &s->checksum, &s->block_size };
    int n, got = 1;

    for (n = 0; n < 5 && got == 1; n++) {
        got = number_read(at, to[n]);
        if (got < 0)
            return fault(f, s->line, "the %s is not a whole number of 32 bits", names[n]);
        s->has_initial |= (uint8_t)(got == 1 && n == 2);
        s->has_checksum |= (uint8_t)(got == 1 && n == 3);
    }
    if (s->has_checksum && (s->checksum < -32768 || s->checksum > 65535))
        return fault(f, s->line, "the checksum is not a number of 16 bits");
    return 0;
}

static int description_read(struct wfdb_header *h, struct wfdb_signal *s, const char *at, struct fault *f)
{
    char preset[WFDB_NAME_MAX + 40];
    size_t n;

    at = text_skip(at);
    n = strlen(at);
    while (n && (at[n - 1] == ' ' || at[n - 1] == '\t'))
        n--;
    s->has_description = n > 0;
    if (n == 0) { /* header(5) puts the record's name into it; names stay out of schemas */
        n = (size_t)snprintf(preset, sizeof preset, "signal %u", h->signals_read);
        at = preset;
    }
    s->description = pool_keep(h, at, n);
    return s->description ? 0 : fault(f, s->line, "the names in this header take more than %d bytes", WFDB_POOL);
}

/* Signals of one file lie next to each other, in one format and at one offset. */
static int group_check(const struct wfdb_header *h, const struct wfdb_signal *s, struct fault *f)
{
    const char *file = header_text(h, s->file);
    uint32_t i;

    for (i = 0; strcmp(file, "~") != 0 && i < h->signals_read; i++) {
        const struct wfdb_signal *o = &h->signal[i];

        if (strcmp(header_text(h, o->file), file) != 0)
            continue;
        if (o->format != s->format || o->byte_offset != s->byte_offset)
            return fault(f, s->line, "format or byte offset differs from another signal of the same file (line %u)",
                         o->line);
        if (i + 1 < h->signals_read && strcmp(header_text(h, h->signal[i + 1].file), file) != 0)
            return fault(f, s->line, "signals of one file must stand next to each other (see line %u)", o->line);
    }
    return 0;
}

int signal_line(struct wfdb_header *h, const char *at, unsigned line, struct fault *f)
{
    struct wfdb_signal *s = &h->signal[h->signals_read];
    int has_baseline = 0;

    memset(s, 0, sizeof *s);
    s->line = line;
    s->per_frame = 1;
    s->gain = 200; /* header(5): DEFGAIN, uncalibrated */
    if (file_read(h, s, &at, f) || format_read(s, &at, f))
        return -1;
    if (s->format && strcmp(header_text(h, s->file), "~") == 0)
        return fault(f, line, "the signal has a format and no file (~)");
    if (group_check(h, s, f))
        return -1;
    at = text_skip(at);
    if (is_number(at) && (gain_read(h, s, &at, &has_baseline, f) || numbers_read(s, &at, f)))
        return -1;
    if (s->resolution <= 0)
        s->resolution = s->format && s->format->differences ? 10 : 12;
    if (!has_baseline)
        s->baseline = s->zero;
    if (!s->has_initial)
        s->initial = s->zero;
    if (description_read(h, s, at, f))
        return -1;
    h->signals_read++;
    return 0;
}
