/* SPDX-License-Identifier: Apache-2.0
 *
 * segment.h - the samples of one single-segment record, de-skewed and checked.
 *
 * Signals that share a rate form a track; a track is read on its own. A cursor
 * reads one signal file for one track and one skew, so neither different rates
 * nor skew need a buffer: the file is read again by another cursor instead.
 * Each signal read from its first to its last sample is compared with its
 * checksum and initial value. Not here: which segments a record has (record.h). */
#ifndef IN_WFDB_SEGMENT_H
#define IN_WFDB_SEGMENT_H

#include "header.h"
#include "recording/files.h"

enum {
    WFDB_TRACKS_MAX = 16,
    WFDB_CURSORS_MAX = 256,
    WFDB_FILES_MAX = 128,
    WFDB_BYTES_POOL = 128 * 1024,
    WFDB_SCRATCH = 768 /* samples decoded at a time: a multiple of 2 and 3 */
};

/* A sample that is not there, in what is read here. */
#define WFDB_MISSING INT32_MIN

/* What a reader notices and goes on from. */
enum wfdb_event {
    EVENT_CHECKSUM,   /* a signal's samples do not have the header's checksum */
    EVENT_INITIAL,    /* its first sample is not the header's initial value */
    EVENT_SHORT,      /* a signal file ends early */
    EVENT_LONG,       /* a signal file has more samples than the header says */
    EVENT_SEGMENT,    /* a segment's files are not there: a gap */
    EVENT_LENGTH,     /* a segment's own header gives it another length */
    EVENT_UNPLACED,   /* a segment has a signal that the layout lacks */
    EVENT_CALIBRATED, /* a channel changes its calibration or width */
    EVENT_COUNT
};

/* `number`: the signal's row in its header, from 0. */
struct wfdb_listener {
    void *context;
    void (*tell)(void *context, enum wfdb_event event, uint32_t number);
};

/* Where a signal's samples go. */
struct wfdb_place {
    int16_t track; /* -1: not wanted */
    uint16_t channel;
};

struct wfdb_lane {
    int32_t *out; /* next sample's place, while its track is read */
    int64_t sum;  /* format 8: the last value */
    uint16_t check;
    uint16_t cursor;
    struct wfdb_place place;
};

struct wfdb_cursor {
    struct wfdb_bytes bytes;
    const struct wfdb_format *format;
    uint32_t first, count; /* signals of the file */
    uint32_t skew;
    uint32_t file;
    uint32_t frame_samples;
    uint32_t signal, sample; /* next in the frame */
    int16_t track;
    uint8_t carried, carry_at;
    uint8_t told_short;
    int32_t carry[WFDB_UNIT_SAMPLES_MAX];
    uint64_t left; /* samples that the file still has */
    int64_t frame; /* next, counted in the file */
};

struct wfdb_file {
    int fd;
    uint64_t size;
    uint32_t first, count;
};

struct wfdb_part {
    const struct wfdb_header *header;
    struct wfdb_listener listener;
    int64_t frames; /* of the segment by its header, or by its files */
    uint32_t file_count, cursor_count;
    struct wfdb_file file[WFDB_FILES_MAX];
    struct wfdb_cursor cursor[WFDB_CURSORS_MAX];
    struct wfdb_lane lane[WFDB_SIGNALS_MAX];
    int32_t scratch[WFDB_SCRATCH];
    uint8_t pool[WFDB_BYTES_POOL];
};

/* The part of a record's name up to its last slash, into `prefix`. */
void file_prefix(char prefix[WFDB_NAME_MAX + 1], const char *record);

/* Opens the signal files of `header` (borrowed until close); `places` has one
 * entry per signal. On failure nothing stays open. */
int part_open(struct wfdb_part *p, int folder, const char *prefix, const struct wfdb_header *header,
              const struct wfdb_place *places, struct fault *f);
/* The next frames of a track: channel c's samples from to + c * stride on; those
 * that are not there are WFDB_MISSING. */
int part_read(struct wfdb_part *p, int track, int64_t frames, int32_t *to, size_t stride, struct fault *f);
/* Whether the track's files have a frame left. */
int part_has(const struct wfdb_part *p, int track);
void part_close(struct wfdb_part *p);

#endif
