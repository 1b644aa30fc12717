/* SPDX-License-Identifier: Apache-2.0
 *
 * header.c - see header.h. */
#include "header.h"

#include <math.h>
#include <string.h>

enum { AT_BYTES = 184, AT_VARIANT = 192, AT_RECORDS = 236, AT_SECONDS = 244, AT_SIGNALS = 252 };

/* A signal's fields: those of all signals lie together, one kind after another. */
enum { LABEL = 0, UNIT = 96, PHYSICAL_MIN = 104, PHYSICAL_MAX = 112, DIGITAL_MIN = 120, DIGITAL_MAX = 128,
       SAMPLES = 216 };

/* A field without its blanks; some writers pad with zeros. `to` has room for
 * `size` and one more. */
static void field_text(char *to, const uint8_t *from, size_t size)
{
    size_t first = 0;

    while (first < size && (from[first] == ' ' || from[first] == 0))
        first++;
    while (size > first && (from[size - 1] == ' ' || from[size - 1] == 0))
        size--;
    memcpy(to, from + first, size - first);
    to[size - first] = 0;
    if (strlen(to) < size - first) /* a zero inside: no number, no label */
        to[0] = 0;
}

static int field_int(const uint8_t *from, size_t size, int64_t least, int64_t most, int64_t *ret)
{
    char text[16];
    const char *at = text;

    field_text(text, from, size);
    return text_int(&at, least, most, ret) || *at ? -1 : 0;
}

static int field_real(const uint8_t *from, double *ret)
{
    char text[16];
    const char *at = text;

    field_text(text, from, 8);
    return text_real(&at, ret) || *at ? -1 : 0;
}

static int seconds_read(struct edf_header *h, const uint8_t *from, struct fault *f)
{
    char text[16];
    const char *at = text;
    double value;

    field_text(text, from, 8);
    h->seconds = (struct rate){ 0, 1 };
    if (text_real(&at, &value) == 0 && *at == 0 && value >= 0 && value <= 0)
        return 0;
    at = text;
    if (text_rate(&at, &h->seconds) || *at)
        return fault(f, 0, "the duration of a data record is no number of seconds from 0.000001 to 10000000");
    return 0;
}

static int variant_read(struct edf_header *h, const uint8_t *bytes, struct fault *f)
{
    static const uint8_t biosemi[8] = { 0xff, 'B', 'I', 'O', 'S', 'E', 'M', 'I' };
    const char *plus;
    char text[9];

    field_text(text, bytes, 8);
    h->width = memcmp(bytes, biosemi, sizeof biosemi) == 0 ? 3 : 2;
    if (h->width == 2 && strcmp(text, "0") != 0)
        return fault(f, 0, "this is no EDF file: it begins neither with version 0 nor with the mark of BDF");
    plus = h->width == 3 ? "BDF+" : "EDF+";
    h->is_plus = memcmp(bytes + AT_VARIANT, plus, 4) == 0;
    h->is_cut = h->is_plus && bytes[AT_VARIANT + 4] == 'D';
    return 0;
}

int header_begin(struct edf_header *h, const uint8_t *bytes, struct fault *f)
{
    int64_t size, signals;

    if (variant_read(h, bytes, f))
        return -1;
    if (field_int(bytes + AT_RECORDS, 8, -1, 99999999, &h->records))
        return fault(f, 0, "the number of data records is neither a number nor -1");
    if (seconds_read(h, bytes + AT_SECONDS, f))
        return -1;
    if (field_int(bytes + AT_SIGNALS, 4, 1, 9999, &signals))
        return fault(f, 0, "the number of signals is no number from 1 on");
    if (signals > EDF_SIGNALS_MAX)
        return fault(f, 0, "the file has %u signals; at most %d are read", (unsigned)signals, EDF_SIGNALS_MAX);
    if (field_int(bytes + AT_BYTES, 8, 0, 99999999, &size) || size != (signals + 1) * EDF_HEAD)
        return fault(f, 0, "the header's length is not 256 bytes and 256 for each of its %u signals", (unsigned)signals);
    h->signals = (uint32_t)signals;
    h->bytes = (uint32_t)size;
    header_date(h, bytes);
    return 0;
}

static const uint8_t *field_at(const struct edf_header *h, const uint8_t *bytes, uint32_t signal, uint32_t field,
                               uint32_t size)
{
    return bytes + EDF_HEAD + (size_t)field * h->signals + (size_t)size * signal;
}

static int signal_read(struct edf_header *h, const uint8_t *bytes, uint32_t i, struct fault *f)
{
    struct edf_signal *s = &h->signal[i];
    char text[17], utf8[EDF_LABEL_ROOM];
    int64_t samples;

    memset(s, 0, sizeof *s);
    s->track = -1;
    field_text(text, field_at(h, bytes, i, LABEL, 16), 16);
    (void)text_utf8(s->label, sizeof s->label, text, strlen(text));
    s->is_annotation = strcmp(s->label, h->width == 3 ? "BDF Annotations" : "EDF Annotations") == 0;
    field_text(text, field_at(h, bytes, i, UNIT, 8), 8);
    if (text_utf8(utf8, sizeof utf8, text, strlen(text)))
        unit_ucum(s->unit, utf8);
    s->scaled = !field_real(field_at(h, bytes, i, PHYSICAL_MIN, 8), &s->low[0]) &&
                !field_real(field_at(h, bytes, i, PHYSICAL_MAX, 8), &s->high[0]) &&
                !field_real(field_at(h, bytes, i, DIGITAL_MIN, 8), &s->low[1]) &&
                !field_real(field_at(h, bytes, i, DIGITAL_MAX, 8), &s->high[1]);
    if (field_int(field_at(h, bytes, i, SAMPLES, 8), 8, 0, 99999999, &samples))
        return fault(f, i + 1, "the number of samples in a data record is no number from 0 on");
    s->samples = (uint32_t)samples;
    s->offset = h->record_bytes;
    h->record_bytes += (uint64_t)samples * h->width; /* 512 * 10^8 * 3 at most */
    return 0;
}

int header_signals(struct edf_header *h, const uint8_t *bytes, struct fault *f)
{
    uint32_t i;

    h->record_bytes = 0;
    for (i = 0; i < h->signals; i++)
        if (signal_read(h, bytes, i, f))
            return -1;
    if (h->record_bytes == 0)
        return fault(f, 0, "a data record has no samples of any signal");
    return 0;
}

int signal_scale(const struct edf_header *h, uint32_t signal, struct edf_signal *s, struct fault *f)
{
    double most = h->width == 3 ? 8388608 : 32768, units, steps;

    if (!s->scaled)
        return fault(f, signal + 1, "a physical or digital minimum or maximum is no number");
    units = s->high[0] - s->low[0];
    steps = s->high[1] - s->low[1];
    if (!(steps > 0) || s->low[1] < -most || s->high[1] >= most)
        return fault(f, signal + 1, "the digital maximum is not above the digital minimum, or one of them is out of range; "
                                    "leave the signal out by the option signals");
    if (!isfinite(units) || (units <= 0 && units >= 0))
        return fault(f, signal + 1, "the physical minimum and maximum are equal, so nothing says what a sample means; "
                                    "leave the signal out by the option signals");
    s->gain = steps / units;
    /* One division of a sum of products, so that usual headers give exact values. */
    s->baseline = (s->low[1] * s->high[0] - s->high[1] * s->low[0]) / units;
    if (!isfinite(s->gain) || !isfinite(s->baseline) || (s->gain <= 0 && s->gain >= 0))
        return fault(f, signal + 1, "the physical range is out of all proportion to the digital one");
    return 0;
}
