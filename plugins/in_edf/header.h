/* SPDX-License-Identifier: Apache-2.0
 *
 * header.h - the header of an EDF, EDF+, BDF or BDF+ file.
 *
 * After B. Kemp et al., Electroencephalogr. Clin. Neurophysiol. 82 (1992) 391
 * (EDF), B. Kemp and J. Olivan, Clin. Neurophysiol. 114 (2003) 1755 (EDF+), and
 * Biosemi's page on BDF (24 bits). Fields are fixed ASCII; labels and units are
 * 8-bit in the wild. Patient and recording fields are not kept, but for the
 * start date in the latter. Not here: opening files, what the data says. */
#ifndef IN_EDF_HEADER_H
#define IN_EDF_HEADER_H

#include "recording/fault.h"
#include "recording/text.h"
#include "recording/unit.h"

#include <stddef.h>
#include <stdint.h>

enum {
    EDF_HEAD = 256, /* bytes of the fixed part, and again of each signal */
    EDF_SIGNALS_MAX = 512,
    EDF_LABEL_ROOM = 36, /* 16 characters of 8 bits as UTF-8, and a zero */
    EDF_RECORD_USUAL = 61440 /* bytes that a data record should not exceed */
};

/* What the start date is worth. */
enum { DATE_NONE, DATE_DOUBTFUL, DATE_SURE };

struct edf_signal {
    char label[EDF_LABEL_ROOM];
    char unit[UNIT_ROOM]; /* UCUM; empty: uncalibrated or without */
    double gain;          /* never 0 once signal_scale has been there */
    double baseline;
    double low[2], high[2]; /* physical and digital, as written */
    uint8_t scaled;       /* low and high are numbers */
    uint8_t is_annotation;
    int16_t track;        /* -1: not read as samples */
    uint16_t index;       /* in the track */
    uint32_t samples;     /* in a data record */
    uint64_t offset;      /* of its samples in a data record, in bytes */
};

struct edf_header {
    uint8_t width;   /* bytes of a sample: 2 or 3 */
    uint8_t is_plus; /* EDF+ or BDF+ */
    uint8_t is_cut;  /* EDF+D: data records may have gaps between them */
    uint8_t date;    /* DATE_... */
    int64_t day_ns;  /* time of day */
    int64_t days;    /* since 1970, where there is a date */
    int64_t records; /* -1: not known when the header was written */
    struct rate seconds; /* of a data record, num / den; num 0: no time */
    uint64_t record_bytes;
    uint32_t signals;
    uint32_t bytes; /* of the header */
    struct edf_signal signal[EDF_SIGNALS_MAX];
};

/* From the first EDF_HEAD bytes: variant, time, counts, ->bytes. A fault's line
 * is a signal's number, from 1. */
int header_begin(struct edf_header *h, const uint8_t *bytes, struct fault *f);
/* From all ->bytes of the header: signals and the size of a data record. */
int header_signals(struct edf_header *h, const uint8_t *bytes, struct fault *f);
/* Gain and baseline of a signal that is to be read: a range without width or a
 * digital one that is inverted is refused; an inverted physical one means that
 * the amplifier inverts, and gives a gain below 0. */
int signal_scale(const struct edf_header *h, uint32_t signal, struct edf_signal *s, struct fault *f);

/* date.c: the start, from the fields of the header's fixed part. */
void header_date(struct edf_header *h, const uint8_t *bytes);

#endif
