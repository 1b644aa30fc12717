/* SPDX-License-Identifier: Apache-2.0
 *
 * header.h - a WFDB header file, line by line, with all its fields.
 *
 * After header(5) of the WFDB Applications Guide, with what records in the wild
 * do beside it: hyphens in record names, fractions of a second in the base time.
 * A header is read in one pass; the segment lines of a multi-segment record are
 * handed out one at a time and not kept, so memory does not depend on how many
 * there are. Comments (info strings) are counted and let go: they hold age, sex
 * and diagnoses. Not here: opening files, what the fields are used for. */
#ifndef IN_WFDB_HEADER_H
#define IN_WFDB_HEADER_H

#include "bytes.h"
#include "recording/fault.h"
#include "format.h"
#include "recording/text.h"

#include <stdint.h>

enum {
    WFDB_SIGNALS_MAX = 256,
    WFDB_NAME_MAX = 127,
    WFDB_SEGMENTS_MAX = 1000000,
    WFDB_PER_FRAME_MAX = 65536,
    WFDB_POOL = 32768
};
/* More frames than any recording: at 1 kHz, two thousand years. Multiplied with
 * WFDB_PER_FRAME_MAX it stays inside 63 bits. */
#define WFDB_FRAMES_MAX INT64_C(70000000000000)

struct wfdb_signal {
    const struct wfdb_format *format; /* NULL: format 0, no samples */
    uint64_t byte_offset;
    double gain; /* never 0 */
    uint32_t per_frame;
    uint32_t skew; /* frames of it before frame 0 */
    uint32_t line;
    uint32_t file, units, description; /* in the header's pool */
    int32_t baseline;
    int32_t resolution;
    int32_t zero;
    int32_t initial;
    int32_t checksum;
    int32_t block_size;
    uint8_t calibrated; /* the gain was given */
    uint8_t has_initial;
    uint8_t has_checksum;
    uint8_t has_description;
};

struct wfdb_header {
    char name[WFDB_NAME_MAX + 1];
    uint32_t segments; /* 0: one record, with signal lines */
    uint32_t signals;
    struct rate rate; /* frames per second */
    double counter_rate;
    double counter_base;
    int64_t frames; /* 0: not said */
    int64_t day_ns; /* base time */
    int64_t date;   /* base date: days since 1970-01-01 */
    uint8_t has_time;
    uint8_t has_date;
    uint8_t has_record_line;
    uint32_t comments;
    uint32_t signals_read, segments_read;
    int64_t segment_frames; /* sum of the segments read */
    uint32_t pool_used;
    struct wfdb_signal signal[WFDB_SIGNALS_MAX];
    char pool[WFDB_POOL];
};

struct wfdb_segment {
    char name[WFDB_NAME_MAX + 1]; /* "" for a null segment (~) */
    int64_t frames;
};

enum { HEADER_NOTHING = 0, HEADER_RECORD, HEADER_SIGNAL, HEADER_SEGMENT };

void header_clear(struct wfdb_header *h);
/* Takes one line. Says what it was, or -1. */
int header_line(struct wfdb_header *h, const struct wfdb_lines *line, struct wfdb_segment *ret_segment,
                struct fault *f);
/* All lines were given: is everything there? */
int header_end(const struct wfdb_header *h, struct fault *f);
/* Lines up to the next segment line: 1 with a segment, 0 at the end (checked). */
int header_next_segment(struct wfdb_header *h, struct wfdb_lines *lines, struct wfdb_segment *ret_segment,
                        struct fault *f);
/* The whole header of a single-segment record. */
int header_read(struct wfdb_header *h, struct wfdb_lines *lines, struct fault *f);

const char *header_text(const struct wfdb_header *h, uint32_t place);
/* Whether a name may be opened below the record's folder: relative, without a
 * component that is empty, "." or "..". */
int header_name_is_safe(const char *name);

#endif
