/* SPDX-License-Identifier: Apache-2.0
 *
 * annot.h - MIT-format annotation files, one annotation after another.
 *
 * After annot(5) of the WFDB Applications Guide, and the two conventions that
 * the WFDB library (10.5) added: a leading note "## time resolution: N", and a
 * table of labels between "## annotation type definitions" and "## end of
 * definitions". Those notes are used, not passed on. A file in the AHA format is
 * recognised and refused: its times count from another beginning. */
#ifndef IN_WFDB_ANNOT_H
#define IN_WFDB_ANNOT_H

#include "bytes.h"
#include "recording/fault.h"
#include "recording/text.h"

#include <stdint.h>

enum { WFDB_CODES = 64, WFDB_LABEL_MAX = 15, WFDB_AUX_MAX = 255 };

struct wfdb_annotation {
    int64_t at; /* in ticks of the reader's rate, from the record's beginning */
    int code;   /* 1 to 49 */
    int subtype;
    int channel;
    int number;
    uint32_t text_length;
    char text[2 * WFDB_AUX_MAX + 1]; /* UTF-8, ended by a zero */
};

struct wfdb_annots {
    struct wfdb_bytes bytes;
    struct rate rate; /* ticks per second */
    int64_t at;
    int channel, number;
    uint32_t read;     /* annotations so far */
    uint8_t leading;   /* still in the notes at the beginning */
    uint8_t defining;  /* inside the table of labels */
    uint8_t unordered; /* the last one is earlier than one before */
    int64_t latest;
    char label[WFDB_CODES][WFDB_LABEL_MAX + 1]; /* "": the standard one */
};

/* `bytes` is taken over; `rate` holds unless the file says another. */
void annots_begin(struct wfdb_annots *a, const struct wfdb_bytes *bytes, const struct rate *rate);
/* 1 with an annotation, 0 at the file's end mark, or -1. */
int annots_next(struct wfdb_annots *a, struct wfdb_annotation *ret, struct fault *f);
/* The label of a code: "N", "V", "+", ... */
const char *annots_label(const struct wfdb_annots *a, int code);

#endif
