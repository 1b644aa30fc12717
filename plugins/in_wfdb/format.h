/* SPDX-License-Identifier: Apache-2.0
 *
 * format.h - the WFDB signal formats: bytes to sample values.
 *
 * Formats as in signal(5) of the WFDB Applications Guide. A unit is the least
 * number of bytes that holds whole samples; at the end of a file a unit may be
 * cut behind its last whole sample. Format 8 gives differences here: who knows
 * the initial value sums them. Not here: the compressed formats 508, 516, 524. */
#ifndef IN_WFDB_FORMAT_H
#define IN_WFDB_FORMAT_H

#include <stddef.h>
#include <stdint.h>

struct wfdb_format {
    uint16_t code;
    uint8_t unit_bytes;
    uint8_t unit_samples;
    uint8_t bits;        /* of the values it can hold */
    uint8_t differences; /* values are first differences */
    int32_t missing;     /* the value that stands for "no sample" */
    uint8_t has_missing;
};

/* NULL for a format that is not read here. */
const struct wfdb_format *format_find(int64_t code);
/* Whole samples in so many bytes, with a last unit that may be cut. */
uint64_t format_samples(const struct wfdb_format *format, uint64_t bytes);
/* Bytes that so many samples take. */
uint64_t format_bytes(const struct wfdb_format *format, uint64_t samples);
/* Decodes whole units. */
void format_decode(const struct wfdb_format *format, const uint8_t *from, size_t units, int32_t *to);

enum { WFDB_UNIT_BYTES_MAX = 4, WFDB_UNIT_SAMPLES_MAX = 3 };

#endif
